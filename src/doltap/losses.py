"""How far a prediction is from the truth, one number for each row.

A loss function gives one value a row; the class around it adds the weights
and the mean. Nothing here holds a state.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Shaped

from doltap import config, dtypes, registry
from doltap.errors import NotSupportedError, ShapeError

__all__ = [
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "Huber",
    "Loss",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "SparseCategoricalCrossentropy",
    "align",
    "binary_crossentropy",
    "categorical_crossentropy",
    "deserialize",
    "get",
    "huber",
    "mean_absolute_error",
    "mean_squared_error",
    "same_rank",
    "serialize",
    "sparse_categorical_crossentropy",
    "weighted_mean",
]

names = registry.Names("loss")
functions = registry.Names("loss")

REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None)


def same_rank(first: Any, second: Any) -> tuple[Any, Any]:
    """Both with as many dimensions, where a last length of 1 is all that one has more.

    Single numbers become a column; of anything deeper the last 1 is taken off, as Keras.
    """
    if first.ndim == second.ndim + 1:
        second, first = same_rank(second, first)
    elif second.ndim == first.ndim + 1 and second.shape[-1] == 1:
        return (first[:, None], second) if first.ndim == 1 else (first, second[..., 0])
    return first, second


def align(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Both as arrays of the prediction's type and of one shape.

    A length of 1 at the end of one of them is added or taken away; anything
    else that differs is a `ShapeError`, never a broadcast.
    """
    y_pred = jnp.asarray(y_pred)
    if not jnp.issubdtype(y_pred.dtype, jnp.inexact):
        y_pred = y_pred.astype(config.floatx())
    y_true, y_pred = same_rank(jnp.asarray(y_true).astype(y_pred.dtype), y_pred)
    if y_true.shape != y_pred.shape:
        raise ShapeError(
            "the labels",
            expected=f"the shape of the predictions, {tuple(y_pred.shape)}",
            got=f"shape {tuple(y_true.shape)}",
            fix="Give y one number for each output of the last layer.",
        )
    return y_true, y_pred


def spread(weights: Any, values: Any) -> Any:
    """The weights in the shape that multiplies the values: their leading dimensions agree."""
    if values.ndim == 0:  # The one number of a scalar loss counts once for each weight.
        return weights
    if weights.ndim > values.ndim and weights.size == values.size:
        return weights.reshape(values.shape)
    spread_out = weights.reshape(weights.shape + (1,) * (values.ndim - weights.ndim))
    fits = spread_out.ndim == values.ndim and all(
        have in (1, wanted) for have, wanted in zip(spread_out.shape, values.shape, strict=True)
    )
    if not fits:
        raise ShapeError(
            "the sample weights",
            expected=f"one for each row, or for each of the losses of shape {tuple(values.shape)}",
            got=f"shape {tuple(weights.shape)}",
            fix="Give one weight for each row of x.",
        )
    return spread_out


def weighted_mean(
    values: Any, weights: Any = None, rows: Any = None, reduction: str | None = "sum_over_batch_size"
) -> Any:
    """One number from the loss of every row.

    Args:
        values: (batch, ...) losses, or the one number of a scalar loss.
        weights: (batch,) or (batch, ...); None counts every row once.
        rows: true number of rows where the batch is padded with rows of weight 0;
            None means all of them.
        reduction: as Keras: the mean divides by the number of values, not by the
            sum of the weights, unless "mean_with_sample_weight" is asked for.
    """
    if weights is not None:
        weights = spread(jnp.asarray(weights, values.dtype), values)
        values = values * weights
    if reduction == "sum":
        return jnp.sum(values)
    if reduction in ("none", None):
        return values
    if reduction == "mean_with_sample_weight" and weights is not None:
        return jnp.sum(values) / jnp.maximum(jnp.sum(jnp.broadcast_to(weights, values.shape)), 1e-30)
    if rows is None:
        return jnp.mean(values)
    return jnp.sum(values) / (rows * math.prod(values.shape[1:]))


@functions.register("mse")
def mean_squared_error(y_true: Shaped[Any, "..."], y_pred: Shaped[Any, "..."]) -> Float[Array, "*batch"]:
    """The mean over the outputs of the squared difference.

    Args:
        y_true: (batch, outputs).
        y_pred: (batch, outputs).

    >>> mean_squared_error([[0.0, 2.0]], [[0.0, 0.0]]).tolist()
    [2.0]
    """
    y_true, y_pred = align(y_true, y_pred)
    return jnp.mean(jnp.square(y_pred - y_true), axis=-1)


@functions.register("mae")
def mean_absolute_error(y_true: Any, y_pred: Any) -> Float[Array, "*batch"]:
    """The mean over the outputs of the distance.

    >>> mean_absolute_error([[0.0, 2.0]], [[0.0, 0.0]]).tolist()
    [1.0]
    """
    y_true, y_pred = align(y_true, y_pred)
    return jnp.mean(jnp.abs(y_pred - y_true), axis=-1)


@functions.register("huber_loss")
def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> Float[Array, "*batch"]:
    """Squared near zero, a straight line beyond `delta`: outliers pull less.

    Source: Huber, "Robust estimation of a location parameter" (1964).

    >>> huber([[0.0]], [[3.0]]).tolist()
    [2.5]
    """
    y_true, y_pred = align(y_true, y_pred)
    distance = jnp.abs(y_pred - y_true)
    inside = 0.5 * jnp.square(distance)
    return jnp.mean(jnp.where(distance <= delta, inside, delta * distance - 0.5 * delta**2), axis=-1)


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
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + 0.5 * label_smoothing
    if from_logits:
        surprise = jnp.maximum(y_pred, 0) - y_pred * y_true + jnp.log1p(jnp.exp(-jnp.abs(y_pred)))
    else:
        y_pred = jnp.clip(y_pred, config.epsilon(), 1.0 - config.epsilon())
        surprise = -(y_true * jnp.log(y_pred) + (1.0 - y_true) * jnp.log1p(-y_pred))
    return jnp.mean(surprise, axis=axis)


def _log_probabilities(y_pred: Any, from_logits: bool, axis: int) -> Any:
    if from_logits:
        return jax.nn.log_softmax(y_pred, axis=axis)
    y_pred = y_pred / jnp.sum(y_pred, axis=axis, keepdims=True)
    return jnp.log(jnp.clip(y_pred, config.epsilon(), 1.0 - config.epsilon()))


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
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + label_smoothing / y_true.shape[axis]
    return -jnp.sum(y_true * _log_probabilities(y_pred, from_logits, axis), axis=axis)


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
    is_true = jnp.arange(num_classes) == classes[..., None]
    surprise = -jnp.sum(jnp.where(is_true, log_probabilities, 0.0), axis=-1)
    surprise = jnp.where((classes >= 0) & (classes < num_classes), surprise, jnp.nan)
    return surprise if ignore_class is None else jnp.where(classes == ignore_class, 0.0, surprise)


def class_numbers(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """The labels as integers, one for each distribution in `y_pred`."""
    classes = jnp.asarray(y_true)
    if classes.ndim == y_pred.ndim and classes.shape[-1] == 1:
        classes = classes[..., 0]
    rows = jnp.moveaxis(y_pred, axis, -1).shape[:-1]
    if classes.shape != rows:
        raise ShapeError(
            "the labels",
            expected=f"one class number a row, shape {tuple(rows)}",
            got=f"shape {tuple(classes.shape)}",
            fix="For one-hot labels use loss='categorical_crossentropy'.",
        )
    return classes.astype(jnp.int32)


class Loss(registry.Configured):
    """A loss function with its options, its name and the way it is averaged.

    Make your own by overriding `call(y_true, y_pred)`, which gives a value for
    each row.

    Args:
        reduction: "sum_over_batch_size" (the mean), "sum", "mean_with_sample_weight"
            or "none".
        dtype: type that it computes in; None means `floatx()`, whatever the model's.
    """

    # What the labels have to look like; `training.checks` holds the data to it.
    labels = "unknown"
    # A class number that labels may hold although no output stands for it.
    ignored_class: int | None = None
    # Whether a row's share in the mean is the same whatever the other rows hold.
    rows_are_independent = True
    # The activation that makes the probabilities it takes, if it can take logits instead.
    undoes: str | None = None
    function: Callable[..., Any] | None = None

    def __init__(
        self, name: str | None = None, reduction: str | None = "sum_over_batch_size", dtype: Any = None
    ) -> None:
        if reduction not in REDUCTIONS:
            raise NotSupportedError(
                f"loss '{name}'",
                expected=f"a reduction among {REDUCTIONS}",
                got=repr(reduction),
                fix="The usual one is 'sum_over_batch_size'.",
            )
        self.name = name or registry.snake_case(type(self).__name__)
        self.reduction = reduction
        self.dtype = dtypes.standardize(dtype)
        self.options: dict[str, Any] = {}

    def undoing(self, activation: str, logits: Any, probabilities: Any) -> tuple[Loss, Any]:
        """The loss for what went into the activation, and that; itself where it cannot undo it."""
        if self.undoes != activation or self.options["from_logits"] or self.options["axis"] != -1:
            return self, probabilities
        other = copy.copy(self)
        other.options = {**self.options, "from_logits": True}
        return other, logits

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """The loss of every row."""
        if self.function is None:
            raise NotSupportedError(
                f"loss '{self.name}'",
                expected="a method call(self, y_true, y_pred)",
                got=f"none in class {type(self).__name__}",
                fix="Define call(self, y_true, y_pred); it returns a value for each row.",
            )
        return type(self).function(y_true, y_pred, **self.options)

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None, rows: Any = None) -> Any:
        """One number: the weighted mean (or what `reduction` says) of the rows' losses."""
        y_true = jnp.asarray(y_true, None if self.labels == "class numbers" else self.dtype)
        values = jnp.asarray(self.call(y_true, jnp.asarray(y_pred, self.dtype)))
        return weighted_mean(values, sample_weight, rows, self.reduction)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        return {"name": self.name, "reduction": self.reduction, **self.options}


class LossFunction(Loss):
    """A user's own function `f(y_true, y_pred)` as a loss."""

    def __init__(self, function: Callable[..., Any], name: str | None = None, **keywords: Any) -> None:
        super().__init__(name or getattr(function, "__name__", "loss"), **keywords)
        self.user_function = function

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """What the function gives: a value for each row, or one number for the batch."""
        return self.user_function(*same_rank(y_true, y_pred))


@names.register("mse")
class MeanSquaredError(Loss):
    """The mean squared difference.

    >>> float(MeanSquaredError()([[0.0], [2.0]], [[0.0], [0.0]]))
    2.0
    """

    labels = "numbers"
    function = mean_squared_error


@names.register("mae")
class MeanAbsoluteError(Loss):
    """The mean distance."""

    labels = "numbers"
    function = mean_absolute_error


@names.register("huber_loss")
class Huber(Loss):
    """Squared near zero, a straight line beyond `delta`: outliers pull less.

    Args:
        delta: where the line begins.
    """

    labels = "numbers"
    function = huber

    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str = "huber_loss",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.options = {"delta": delta}


class _Smoothed(Loss):
    """What the cross-entropies with labels between 0 and 1 have in common."""

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.options = {"from_logits": from_logits, "label_smoothing": label_smoothing, "axis": axis}


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


@names.register("scce")
class SparseCategoricalCrossentropy(Loss):
    """For one class a row, labels class numbers from 0.

    Args:
        from_logits: whether predictions are numbers before the softmax.
        ignore_class: a class number whose rows count as loss 0.
    """

    labels = "class numbers"
    undoes = "softmax"
    function = sparse_categorical_crossentropy

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        axis: int = -1,
        name: str = "sparse_categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.options = {"from_logits": from_logits, "ignore_class": ignore_class, "axis": axis}
        # How many rows count is seen only from all of them.
        self.rows_are_independent = ignore_class is None
        self.ignored_class = ignore_class

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None, rows: Any = None) -> Any:
        """One number: the mean over the rows that are not ignored, or what `reduction` says."""
        if self.options["ignore_class"] is None:
            return super().__call__(y_true, y_pred, sample_weight, rows)
        classes = class_numbers(y_true, jnp.asarray(y_pred), self.options["axis"])
        weights = (classes != self.options["ignore_class"]).astype(self.dtype)
        if self.reduction in ("sum_over_batch_size", "mean"):
            weights = weights * (weights.size / jnp.maximum(jnp.sum(weights), 1.0))
        if sample_weight is not None:
            weights = weights * spread(jnp.asarray(sample_weight, self.dtype), weights)
        return super().__call__(y_true, y_pred, weights, rows)


_classes = {
    cls.function: cls
    for cls in (
        MeanSquaredError,
        MeanAbsoluteError,
        Huber,
        BinaryCrossentropy,
        CategoricalCrossentropy,
        SparseCategoricalCrossentropy,
    )
}


def get(identifier: Any) -> Loss | None:
    """A loss object from a name, a class, a function of ours or of the user's, or a config."""
    if identifier is None or isinstance(identifier, Loss):
        return identifier
    is_config = isinstance(identifier, dict) and "class_name" in identifier
    is_class = isinstance(identifier, type) and issubclass(identifier, Loss)
    if isinstance(identifier, str) or is_config or is_class:
        return names.make(identifier)
    if callable(identifier):
        return _classes[identifier]() if identifier in _classes else LossFunction(identifier)
    raise NotSupportedError(
        "loss", expected="a name, a function or a Loss", got=repr(identifier), fix="For example loss='mse'."
    )


def serialize(loss: Loss) -> dict[str, Any]:
    """The loss as `{"class_name", "config"}`."""
    return {"class_name": type(loss).__name__, "config": loss.get_config()}


def deserialize(config: Any) -> Loss | None:
    """The loss that `serialize` wrote."""
    return get(config)
