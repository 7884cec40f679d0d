"""What a loss is: a value for each row, then the weights and the mean.

Labels and predictions are brought to one shape first, or refused; nothing is
ever broadcast. The formulas are in the files beside, and hold no state.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

from doltap import config, dtypes, old_names, registry
from doltap.errors import NotSupportedError, ShapeError
from doltap.ops import protocol

__all__ = ["REDUCTIONS", "Formula", "Loss", "LossFunction", "Reduction", "align", "as_floats", "called"]
__all__ += ["class_numbers", "functions", "names", "same_rank", "spread", "weighted_mean"]

names = registry.Names("loss")
functions = protocol.NotedFunctions("loss")

REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None)


class Reduction:
    """The words for `reduction`, as Keras 2 kept them."""

    AUTO = "auto"
    NONE = "none"
    SUM = "sum"
    SUM_OVER_BATCH_SIZE = "sum_over_batch_size"


def same_rank(first: Any, second: Any) -> tuple[Any, Any]:
    """Both with as many dimensions, where a last length of 1 is all that one has more.

    Single numbers become a column; of anything deeper the last 1 is taken off, as Keras.
    """
    if first.ndim == second.ndim + 1:
        second, first = same_rank(second, first)
    elif second.ndim == first.ndim + 1 and second.shape[-1] == 1:
        return (first[:, None], second) if first.ndim == 1 else (first, second[..., 0])
    return first, second


def called(function: Callable[..., Any], what: str, y_true: Any, y_pred: Any, **options: Any) -> Any:
    """What a function of the user's gives for labels and predictions; an error in it tells their shapes."""
    try:
        values = function(y_true, y_pred, **options)
    except (TypeError, ValueError) as error:
        error.add_note(f"{what} was given y_true of shape {y_true.shape} and y_pred of shape {y_pred.shape}.")
        raise
    if values is None:
        raise NotSupportedError(
            what,
            expected="a value for each row, or one for the batch",
            got="None",
            fix="Let the function end with: return values.",
        )
    return values


def align(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Both as arrays of the prediction's type and of one shape.

    A length of 1 at the end of one of them is added or taken away; anything
    else that differs is a `ShapeError`, never a broadcast.
    """
    y_pred = as_floats(y_pred)
    y_true, y_pred = same_rank(jnp.asarray(y_true).astype(y_pred.dtype), y_pred)
    if y_true.shape != y_pred.shape:
        raise ShapeError(
            "the labels",
            expected=f"the shape of the predictions, {tuple(y_pred.shape)}",
            got=f"shape {tuple(y_true.shape)}",
            fix="Give y one number for each output of the last layer.",
        )
    return y_true, y_pred


def as_floats(y_pred: Any) -> Any:
    """The predictions as an array of their own floating-point type, or of `floatx()`."""
    y_pred = jnp.asarray(y_pred)
    return y_pred if jnp.issubdtype(y_pred.dtype, jnp.inexact) else y_pred.astype(config.floatx())


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
    # Whether labels keep their own type: class numbers above 2**24 are no float32.
    takes_class_numbers = False
    # A class number that labels may hold although no output stands for it.
    ignored_class: int | None = None
    # Whether a row's share in the mean is the same whatever the other rows hold.
    rows_are_independent = True
    # The activation that makes the probabilities it takes, if it can take logits instead.
    undoes: str | None = None
    # Whether predictions are what goes into that activation.
    from_logits = False

    def __init__(
        self, name: str | None = None, reduction: str | None = "sum_over_batch_size", dtype: Any = None
    ) -> None:
        if reduction in old_names.VALUES["reduction"]:
            old_names.note("value", f"reduction={reduction!r}", old_names.VALUES["reduction"][reduction])
            reduction = old_names.VALUES["reduction"][reduction]
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

    def undoing(self, activation: str, logits: Any, probabilities: Any) -> tuple[Loss, Any]:
        """The loss for what went into the activation, and that; itself where it cannot undo it."""
        return self, probabilities

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """The loss of every row."""
        raise NotSupportedError(
            f"loss '{self.name}'",
            expected="a method call(self, y_true, y_pred)",
            got=f"none in class {type(self).__name__}",
            fix="Define call(self, y_true, y_pred); it returns a value for each row.",
        )

    def counted(self, y_true: Any, values: Any) -> Any:
        """Which of the values enter the mean, as true and false; None for all of them."""
        return None

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None, rows: Any = None) -> Any:
        """One number: the weighted mean (or what `reduction` says) of the rows' losses."""
        y_true = jnp.asarray(y_true, None if self.takes_class_numbers else self.dtype)
        values = jnp.asarray(self.call(y_true, jnp.asarray(y_pred, self.dtype)))
        counted = self.counted(y_true, values)
        if counted is not None:
            sample_weight = self._weights_of(counted.astype(values.dtype), sample_weight)
        return weighted_mean(values, sample_weight, rows, self.reduction)

    def _weights_of(self, counted: Any, weights: Any) -> Any:
        """Weights with which the mean runs over the values that count, and no others."""
        if self.reduction in ("sum_over_batch_size", "mean"):
            counted = counted * (counted.size / jnp.maximum(jnp.sum(counted), 1.0))
        if weights is None:
            return counted
        return counted * spread(jnp.asarray(weights, counted.dtype), counted)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        return {"name": self.name, "reduction": self.reduction}


class LossFunction(Loss):
    """A user's own function `f(y_true, y_pred)` as a loss."""

    def __init__(self, function: Callable[..., Any], name: str | None = None, **keywords: Any) -> None:
        super().__init__(name or getattr(function, "__name__", "loss"), **keywords)
        self.user_function = function

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """What the function gives: a value for each row, or one number for the batch."""
        return called(self.user_function, f"loss '{self.name}'", *same_rank(y_true, y_pred))


class Formula(Loss):
    """A loss that computes one of the functions beside it.

    A subclass names the function and, in `settings`, those of its own
    attributes that the function takes too.
    """

    function: Callable[..., Any]
    settings: tuple[str, ...] = ()

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = None, dtype: Any = None
    ) -> None:
        super().__init__(name or type(self).function.__name__, reduction, dtype)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """The loss of every row."""
        options = {setting: getattr(self, setting) for setting in self.settings}
        return type(self).function(y_true, y_pred, **options)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        return {**super().get_config(), **{setting: getattr(self, setting) for setting in self.settings}}
