"""How surprised predicted probabilities are by the true class.

Each takes probabilities, or with `from_logits=True` the numbers that went into
the sigmoid or the softmax.
"""

from __future__ import annotations

import copy
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from doltap import config
from doltap.errors import DataError
from doltap.losses.loss import Formula, Loss, align, as_floats, class_numbers, functions, names

__all__ = ["BCE", "BinaryCrossentropy", "BinaryFocalCrossentropy", "CategoricalCrossentropy"]
__all__ += ["CategoricalFocalCrossentropy", "CategoricalGeneralizedCrossEntropy"]
__all__ += ["SparseCategoricalCrossentropy", "bce", "binary_crossentropy", "binary_focal_crossentropy"]
__all__ += ["categorical_crossentropy", "categorical_focal_crossentropy"]
__all__ += ["categorical_generalized_cross_entropy", "sparse_categorical_crossentropy"]


def _smoothed(y_true: Any, share: float, num_classes: int) -> Any:
    """The labels drawn towards the even distribution by that share."""
    return y_true * (1.0 - share) + share / num_classes if share else y_true


def _inside(probabilities: Any) -> Any:
    """The probabilities without an exact 0 or 1, whose logarithms are infinite."""
    return jnp.clip(probabilities, config.epsilon(), 1.0 - config.epsilon())


def _binary_surprise(y_true: Any, y_pred: Any) -> Any:
    y_pred = _inside(y_pred)
    return -(y_true * jnp.log(y_pred) + (1.0 - y_true) * jnp.log1p(-y_pred))


def _log_probabilities(y_pred: Any, from_logits: bool, axis: int) -> Any:
    if from_logits:
        return jax.nn.log_softmax(y_pred, axis=axis)
    return jnp.log(_inside(y_pred / jnp.sum(y_pred, axis=axis, keepdims=True)))


def _power(base: Any, exponent: Any) -> Any:
    """`base ** exponent`, with gradient 0 at 0, where an exponent below 1 has an infinite one."""
    is_zero = base == 0
    return jnp.where(is_zero, jnp.zeros_like(base) ** exponent, jnp.where(is_zero, 1.0, base) ** exponent)


@functions.register("bce")
def binary_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Float[Array, "*batch"]:
    """How surprised each output, read as the probability of a yes, is by the answer.

    Args:
        y_true: (batch, outputs) of 0 and 1, or probabilities.
        y_pred: (batch, outputs) probabilities, or numbers before the sigmoid.
        from_logits: whether `y_pred` are numbers before the sigmoid.
        label_smoothing: how far labels are drawn towards one half, 0 to 1.

    >>> round(float(binary_crossentropy([[1.0]], [[0.5]])[0]), 4)
    0.6931
    """
    y_true, y_pred = align(y_true, y_pred)
    y_true = _smoothed(y_true, label_smoothing, 2)
    if from_logits:
        surprise = jnp.maximum(y_pred, 0) - y_pred * y_true + jnp.log1p(jnp.exp(-jnp.abs(y_pred)))
    else:
        surprise = _binary_surprise(y_true, y_pred)
    return jnp.mean(surprise, axis=axis)


@functions.register()
def binary_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Float[Array, "*batch"]:
    """The binary cross-entropy, where answers that are nearly right hardly count.

    Source: Lin et al. 2018, https://arxiv.org/abs/1708.02002

    Args:
        y_true: (batch, outputs) of 0 and 1, or probabilities.
        y_pred: (batch, outputs) probabilities, or numbers before the sigmoid.
        apply_class_balancing: whether a yes weighs `alpha` and a no `1 - alpha`.
        gamma: how little the nearly right ones count; 0 counts all alike.

    >>> round(float(binary_focal_crossentropy([[1.0]], [[0.5]])[0]), 4)
    0.1733
    """
    y_true, y_pred = align(y_true, y_pred)
    y_true = _smoothed(y_true, label_smoothing, 2)
    if from_logits:
        y_pred = jax.nn.sigmoid(y_pred)
    rightness = y_true * y_pred + (1.0 - y_true) * (1.0 - y_pred)
    surprise = _power(1.0 - rightness, gamma) * _binary_surprise(y_true, y_pred)
    if apply_class_balancing:
        surprise = surprise * (y_true * alpha + (1.0 - y_true) * (1.0 - alpha))
    return jnp.mean(surprise, axis=axis)


@functions.register("cce")
def categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Float[Array, "*batch"]:
    """How surprised the predicted distribution is by the true one.

    Args:
        y_true: (batch, classes), one-hot or probabilities.
        y_pred: (batch, classes) probabilities, or numbers before the softmax.

    >>> round(float(categorical_crossentropy([[0.0, 1.0]], [[0.5, 0.5]])[0]), 4)
    0.6931
    """
    y_true, y_pred = align(y_true, y_pred)
    y_true = _smoothed(y_true, label_smoothing, y_true.shape[axis])
    return -jnp.sum(y_true * _log_probabilities(y_pred, from_logits, axis), axis=axis)


@functions.register()
def categorical_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    alpha: Any = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Float[Array, "*batch"]:
    """The categorical cross-entropy, where rows that are nearly right hardly count.

    Source: Lin et al. 2018, https://arxiv.org/abs/1708.02002

    Args:
        y_true: (batch, classes), one-hot or probabilities.
        y_pred: (batch, classes) probabilities, or numbers before the softmax.
        alpha: what every class weighs, or one number for each class.
        gamma: how little the nearly right ones count; 0 counts all alike.

    >>> round(float(categorical_focal_crossentropy([[0.0, 1.0]], [[0.5, 0.5]])[0]), 4)
    0.0433
    """
    y_true, y_pred = align(y_true, y_pred)
    y_true = _smoothed(y_true, label_smoothing, y_true.shape[axis])
    if from_logits:
        y_pred = jax.nn.softmax(y_pred, axis=axis)
    y_pred = _inside(y_pred / jnp.sum(y_pred, axis=axis, keepdims=True))
    weights = jnp.asarray(alpha, y_pred.dtype) * (1.0 - y_pred) ** gamma
    return -jnp.sum(weights * y_true * jnp.log(y_pred), axis=axis)


@functions.register("scce")
def sparse_categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, ignore_class: int | None = None, axis: int = -1
) -> Float[Array, "*batch"]:
    """How surprised the predicted distribution is by the true class number.

    Args:
        y_true: class numbers (batch,) or (batch, 1), from 0 to classes - 1.
        y_pred: (batch, classes) probabilities, or numbers before the softmax.
        ignore_class: a class number whose rows count as loss 0.

    >>> round(float(sparse_categorical_crossentropy([1], [[0.5, 0.5]])[0]), 4)
    0.6931
    """
    y_pred = jnp.asarray(y_pred)
    classes = class_numbers(y_true, y_pred, axis)
    log_probabilities = jnp.moveaxis(_log_probabilities(y_pred, from_logits, axis), axis, -1)
    num_classes = log_probabilities.shape[-1]
    # A comparison compiles to less than a look-up, whose gradient would be a scatter.
    is_true = jax.nn.one_hot(classes, num_classes, dtype=bool)
    surprise = -jnp.sum(jnp.where(is_true, log_probabilities, 0.0), axis=-1)
    surprise = jnp.where((classes >= 0) & (classes < num_classes), surprise, jnp.nan)
    return surprise if ignore_class is None else jnp.where(classes == ignore_class, 0.0, surprise)


@functions.register()
def categorical_generalized_cross_entropy(y_true: Any, y_pred: Any, q: float) -> Float[Array, "*batch"]:
    """How far the true class's probability is from 1, less strict the nearer `q` is to 1.

    Between the cross-entropy (`q` near 0) and the absolute error (`q` near 1),
    for labels that are sometimes wrong. Source: Zhang and Sabuncu 2018,
    https://arxiv.org/abs/1805.07836

    Args:
        y_true: class numbers (batch,) or (batch, 1), from 0 to classes - 1.
        y_pred: (batch, classes) probabilities.
        q: between 0 and 1.

    >>> float(categorical_generalized_cross_entropy([1], [[0.75, 0.25]], q=0.5)[0])
    1.0
    """
    y_pred = as_floats(y_pred)
    is_true = jax.nn.one_hot(class_numbers(y_true, y_pred), y_pred.shape[-1], dtype=bool)
    probability = jnp.sum(jnp.where(is_true, y_pred, 0.0), axis=-1)
    return (1.0 - _power(probability, q)) / q


bce = BCE = binary_crossentropy


class _Undoing(Formula):
    """What the losses that take logits as well as probabilities have in common."""

    from_logits: bool
    axis: int

    def undoing(self, activation: str, logits: Any, probabilities: Any) -> tuple[Loss, Any]:
        """The loss for what went into the activation, and that; itself where it cannot undo it."""
        # A `call` of the user's own was written for probabilities.
        is_ours = type(self).call is Formula.call
        if self.undoes != activation or self.from_logits or self.axis != -1 or not is_ours:
            return self, probabilities
        other = copy.copy(self)
        other.from_logits = True
        return other, logits


class _Smoothed(_Undoing):
    """What the cross-entropies with labels between 0 and 1 have in common."""

    settings: tuple[str, ...] = ("from_logits", "label_smoothing", "axis")

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(reduction, name, dtype)
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis


@names.register("bce")
class BinaryCrossentropy(_Smoothed):
    """For outputs that each answer yes or no.

    Args:
        from_logits: whether predictions are numbers before the sigmoid.
        label_smoothing: how far labels are drawn towards one half, 0 to 1.
    """

    labels = "probabilities"
    undoes = "sigmoid"
    function = binary_crossentropy


@names.register("cce")
class CategoricalCrossentropy(_Smoothed):
    """For one class a row, labels one-hot.

    Args:
        from_logits: whether predictions are numbers before the softmax.
        label_smoothing: how far labels are drawn towards the even distribution, 0 to 1.
    """

    labels = "one-hot"
    undoes = "softmax"
    function = categorical_crossentropy


# The focal losses undo no activation: from logits they clip as Keras does, and nothing is won.
@names.register()
class BinaryFocalCrossentropy(_Smoothed):
    """For outputs that each answer yes or no, where one answer is rare.

    Args:
        apply_class_balancing: whether a yes weighs `alpha` and a no `1 - alpha`.
        gamma: how little the nearly right ones count; 0 counts all alike.
        from_logits: whether predictions are numbers before the sigmoid.
        label_smoothing: how far labels are drawn towards one half, 0 to 1.
    """

    labels = "probabilities"
    function = binary_focal_crossentropy
    settings = (*_Smoothed.settings, "apply_class_balancing", "alpha", "gamma")

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(from_logits, label_smoothing, axis, reduction, name, dtype)
        self.apply_class_balancing = apply_class_balancing
        self.alpha = alpha
        self.gamma = gamma


@names.register()
class CategoricalFocalCrossentropy(_Smoothed):
    """For one class a row, labels one-hot, where some classes are rare.

    Args:
        alpha: what every class weighs, or a list with one number for each class.
        gamma: how little the nearly right ones count; 0 counts all alike.
        from_logits: whether predictions are numbers before the softmax.
        label_smoothing: how far labels are drawn towards the even distribution, 0 to 1.
    """

    labels = "one-hot"
    function = categorical_focal_crossentropy
    settings = (*_Smoothed.settings, "alpha", "gamma")

    def __init__(
        self,
        alpha: Any = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(from_logits, label_smoothing, axis, reduction, name, dtype)
        self.alpha = alpha
        self.gamma = gamma


@names.register("scce")
class SparseCategoricalCrossentropy(_Undoing):
    """For one class a row, labels class numbers from 0.

    Args:
        from_logits: whether predictions are numbers before the softmax.
        ignore_class: a class number whose rows count as loss 0.
    """

    labels = "class numbers"
    takes_class_numbers = True
    undoes = "softmax"
    function = sparse_categorical_crossentropy
    settings = ("from_logits", "ignore_class", "axis")

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        axis: int = -1,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(reduction, name, dtype)
        self.from_logits = from_logits
        self.ignore_class = ignore_class
        self.axis = axis
        # How many rows count is seen only from all of them.
        self.rows_are_independent = ignore_class is None
        self.ignored_class = ignore_class

    def counted(self, y_true: Any, values: Any) -> Any:
        """The rows that are not of the ignored class."""
        if self.ignore_class is None:
            return None
        return y_true.reshape(values.shape).astype(jnp.int32) != self.ignore_class


@names.register()
class CategoricalGeneralizedCrossEntropy(Formula):
    """For one class a row, labels class numbers from 0, some of them wrong.

    Args:
        q: between 0 and 1, both excluded: near 0 the cross-entropy, near 1 the absolute error.
    """

    labels = "class numbers"
    takes_class_numbers = True
    function = categorical_generalized_cross_entropy
    settings = ("q",)

    def __init__(
        self,
        q: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(reduction, name, dtype)
        if not 0 < q < 1:
            raise DataError(
                f"loss '{self.name}'",
                expected="q= between 0 and 1, both excluded",
                got=repr(q),
                fix="For q near 0 use loss='sparse_categorical_crossentropy'.",
            )
        self.q = q
