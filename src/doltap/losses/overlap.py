"""How little two sets of pixels overlap: for segmentation.

The sums run over the whole batch unless `axis` says over what.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

from doltap import config
from doltap.losses.loss import Formula, align, functions, names

__all__ = ["Dice", "Tversky", "dice", "tversky"]

_Axes = int | Sequence[int] | None


def _axes(axis: _Axes) -> Any:
    """The axes as NumPy's functions take them; a file holds a list where Python has a tuple."""
    return axis if axis is None or isinstance(axis, int) else tuple(axis)


@functions.register()
def dice(y_true: Any, y_pred: Any, axis: _Axes = None) -> Float[Array, "..."]:
    """1 minus twice the overlap over the sum of both sizes.

    Args:
        y_true: (batch, ...) of 0 and 1, or probabilities.
        y_pred: (batch, ...) probabilities.
        axis: what one set stretches over; None means the whole batch.

    >>> round(float(dice([[1.0, 1.0, 0.0, 0.0]], [[1.0, 0.0, 1.0, 0.0]])), 4)
    0.5
    """
    y_true, y_pred = align(y_true, y_pred)
    axis = _axes(axis)
    overlap = jnp.sum(y_true * y_pred, axis=axis)
    sizes = jnp.sum(y_true, axis=axis) + jnp.sum(y_pred, axis=axis)
    return 1.0 - 2.0 * overlap / (sizes + config.epsilon())


@functions.register()
def tversky(
    y_true: Any, y_pred: Any, alpha: float = 0.5, beta: float = 0.5, axis: _Axes = None
) -> Float[Array, "..."]:
    """1 minus the overlap over itself plus what is missed and what is too much.

    Source: Salehi et al. 2017, https://arxiv.org/abs/1706.05721

    Args:
        y_true: (batch, ...) of 0 and 1, or probabilities.
        y_pred: (batch, ...) probabilities.
        alpha: how much a missed pixel counts. Keras's documentation has the two
            the other way round; its numbers are these.
        beta: how much a pixel too much counts.
        axis: what one set stretches over; None means the whole batch.

    >>> round(float(tversky([[1.0, 1.0, 0.0]], [[1.0, 0.0, 0.0]], alpha=1.0)), 4)
    0.5
    """
    y_true, y_pred = align(y_true, y_pred)
    axis = _axes(axis)
    overlap = jnp.sum(y_true * y_pred, axis=axis)
    missed = jnp.sum(y_true * (1.0 - y_pred), axis=axis)
    too_much = jnp.sum((1.0 - y_true) * y_pred, axis=axis)
    return 1.0 - overlap / (overlap + alpha * missed + beta * too_much + config.epsilon())


class _Overlap(Formula):
    """What the losses of sets have in common."""

    labels = "probabilities"

    def __init__(self, axis: _Axes, reduction: str | None, name: str | None, dtype: Any) -> None:
        super().__init__(reduction, name, dtype)
        self.axis = axis
        axes = (axis,) if isinstance(axis, int) else axis or (0,)
        # An axis counted from the end may be that of the rows.
        self.rows_are_independent = all(each > 0 for each in axes)


@names.register()
class Dice(_Overlap):
    """For segmentation: 1 minus twice the overlap over the sum of both sizes.

    Args:
        axis: what one set stretches over: (1, 2, 3) for each image of its own;
            None for the whole batch.

    >>> round(float(Dice()([[1.0, 1.0], [0.0, 0.0]], [[1.0, 0.0], [1.0, 0.0]])), 4)
    0.5
    """

    function = dice
    settings = ("axis",)

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        axis: _Axes = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(axis, reduction, name, dtype)


@names.register()
class Tversky(_Overlap):
    """For segmentation of rare things: what is missed and what is too much count apart.

    Args:
        alpha: how much a missed pixel counts.
        beta: how much a pixel too much counts.
        axis: what one set stretches over: (1, 2, 3) for each image of its own;
            None for the whole batch.
    """

    function = tversky
    settings = ("alpha", "beta", "axis")

    def __init__(
        self,
        alpha: float = 0.5,
        beta: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        axis: _Axes = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(axis, reduction, name, dtype)
        self.alpha = alpha
        self.beta = beta
