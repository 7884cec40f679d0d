"""How far predictions are from the right side of a margin."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

from doltap.losses.loss import Formula, align, functions, names

__all__ = ["CategoricalHinge", "Hinge", "SquaredHinge"]
__all__ += ["categorical_hinge", "hinge", "squared_hinge"]


def _shortfall(y_true: Any, y_pred: Any) -> Any:
    """How much each prediction lacks to be 1 on the side of its label."""
    y_true, y_pred = align(y_true, y_pred)
    is_binary = jnp.all((y_true == 0) | (y_true == 1))
    signs = jnp.where(is_binary, 2.0 * y_true - 1.0, y_true)
    return jnp.maximum(1.0 - signs * y_pred, 0.0)


@functions.register()
def hinge(y_true: Any, y_pred: Any) -> Float[Array, "*batch"]:
    """The mean over the outputs of what the prediction lacks to be 1 on the label's side.

    Args:
        y_true: (batch, outputs) of -1 and 1; or of 0 and 1, where 0 means -1.
        y_pred: (batch, outputs).

    >>> hinge([[1.0, -1.0]], [[0.5, -3.0]]).tolist()
    [0.25]
    """
    return jnp.mean(_shortfall(y_true, y_pred), axis=-1)


@functions.register()
def squared_hinge(y_true: Any, y_pred: Any) -> Float[Array, "*batch"]:
    """The mean over the outputs of the square of what `hinge` takes the mean of.

    >>> squared_hinge([[1.0, -1.0]], [[0.5, -3.0]]).tolist()
    [0.125]
    """
    return jnp.mean(jnp.square(_shortfall(y_true, y_pred)), axis=-1)


@functions.register()
def categorical_hinge(y_true: Any, y_pred: Any) -> Float[Array, "*batch"]:
    """How much the true class lacks to be 1 above the best of the others.

    Args:
        y_true: (batch, classes), one-hot.
        y_pred: (batch, classes); the others count as 0 where they are all below it, as in Keras.

    >>> categorical_hinge([[0.0, 1.0]], [[0.5, 1.0]]).tolist()
    [0.5]
    """
    y_true, y_pred = align(y_true, y_pred)
    right = jnp.sum(y_true * y_pred, axis=-1)
    best_wrong = jnp.max((1.0 - y_true) * y_pred, axis=-1)
    return jnp.maximum(best_wrong - right + 1.0, 0.0)


# Whether 0 means -1 is read from the whole batch. Rows count as independent all
# the same: of data that holds one kind of labels only, no batch is read wrongly.
@names.register()
class Hinge(Formula):
    """For outputs that each answer yes or no, labels -1 and 1 (or 0 and 1), with a margin of 1.

    >>> float(Hinge()([[1.0], [-1.0]], [[0.5], [-3.0]]))
    0.25
    """

    labels = "signs"
    function = hinge


@names.register()
class SquaredHinge(Formula):
    """As `Hinge`, squared: smooth at the margin, and stricter far from it."""

    labels = "signs"
    function = squared_hinge


@names.register()
class CategoricalHinge(Formula):
    """For one class a row, labels one-hot, with a margin of 1 above the other classes."""

    labels = "one-hot"
    function = categorical_hinge
