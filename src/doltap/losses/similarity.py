"""How little vectors point the way they should."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from doltap import config, dtypes
from doltap.errors import ShapeError
from doltap.losses.loss import Formula, align, as_floats, functions, names

__all__ = ["Circle", "CosineSimilarity", "circle", "cosine_similarity"]


def _unit(vectors: Any, axis: int) -> Any:
    """The vectors with length 1; those shorter than `epsilon()` only over that."""
    # The square of so small a number is none in float16.
    wide = vectors.astype(dtypes.widened(vectors.dtype))
    square = jnp.sum(jnp.square(wide), axis=axis, keepdims=True)
    return (wide * jax.lax.rsqrt(jnp.maximum(square, config.epsilon() ** 2))).astype(vectors.dtype)


@functions.register()
def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Float[Array, "*batch"]:
    """Minus the cosine of the angle between both: -1 for the same direction, 1 for the opposite.

    >>> round(float(cosine_similarity([[0.0, 2.0]], [[3.0, 3.0]])[0]), 4)
    -0.7071
    """
    y_true, y_pred = align(y_true, y_pred)
    return -jnp.sum(_unit(y_true, axis) * _unit(y_pred, axis), axis=axis)


@functions.register()
def circle(
    y_true: Any,
    y_pred: Any,
    ref_labels: Any = None,
    ref_embeddings: Any = None,
    remove_diagonal: bool = True,
    gamma: float = 80,
    margin: float = 0.4,
) -> Float[Array, " batch"]:
    """How far each row is from those of its class, and how near to those of the others.

    Pairs far from where they should be pull harder. A row without another of
    its class, or without one of another class, counts as 0. Source: Sun et al.
    2020, https://arxiv.org/abs/2002.10857

    Args:
        y_true: class numbers (batch,) or (batch, 1).
        y_pred: (batch, size), vectors of length 1.
        ref_labels: class numbers of the rows to compare with; None means `y_true`.
        ref_embeddings: vectors of the rows to compare with; None means `y_pred`.
        remove_diagonal: whether row i is not compared with row i.
        gamma: how much the worst pairs outweigh the others.
        margin: how far from ideal a pair may be, as a distance of cosines.

    >>> circle([0, 0, 1], [[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]).round(2).tolist()
    [0.0, 0.0, 0.0]
    """
    y_pred = as_floats(y_pred)
    labels = _one_a_row(y_true, y_pred)
    others = y_pred if ref_embeddings is None else jnp.asarray(ref_embeddings).astype(y_pred.dtype)
    is_alike = labels[:, None] == (labels if ref_labels is None else _one_a_row(ref_labels, others))
    is_other = ~is_alike
    if remove_diagonal:
        is_alike = is_alike & ~jnp.eye(*is_alike.shape, dtype=bool)
    distance = jnp.maximum(1.0 - y_pred @ others.T, 0.0)
    far = gamma * jnp.maximum(distance + margin, 0.0) * (distance - margin)
    near = gamma * jnp.maximum(1.0 + margin - distance, 0.0) * (1.0 - margin - distance)
    pressure = _worst_of(far, is_alike) + _worst_of(near, is_other)
    has_both = jnp.any(is_alike, axis=1) & jnp.any(is_other, axis=1)
    return jnp.where(has_both, jax.nn.softplus(pressure), 0.0)


def _one_a_row(labels: Any, vectors: Any) -> Any:
    """The class numbers as one flat row of integers."""
    labels = jnp.asarray(labels)
    if labels.shape not in ((len(vectors),), (len(vectors), 1)) or vectors.ndim != 2:
        raise ShapeError(
            "loss 'circle'",
            expected="one class number and one vector a row, shapes (batch,) and (batch, size)",
            got=f"shapes {tuple(labels.shape)} and {tuple(vectors.shape)}",
            fix="Let the network end in Flatten() or a Dense layer, and give y as class numbers.",
        )
    return labels.reshape(-1).astype(jnp.int32)


def _worst_of(values: Any, is_meant: Any) -> Any:
    """A soft maximum of the values that are meant in each row; 0 where none is."""
    has_any = jnp.any(is_meant, axis=1, keepdims=True)
    # A logarithm of nothing at all would have no gradient but NaN.
    values = jnp.where(is_meant, values, jnp.where(has_any, -jnp.inf, 0.0))
    return jnp.where(has_any[:, 0], jax.nn.logsumexp(values, axis=1), 0.0)


@names.register()
class CosineSimilarity(Formula):
    """Minus the cosine of the angle between truth and prediction; their lengths do not count.

    Args:
        axis: what a vector stretches over.

    >>> float(CosineSimilarity()([[0.0, 2.0]], [[0.0, 5.0]]))
    -1.0
    """

    labels = "numbers"
    function = cosine_similarity
    settings = ("axis",)

    def __init__(
        self,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(reduction, name, dtype)
        self.axis = axis
        # Any other axis may be that of the rows.
        self.rows_are_independent = axis == -1 or axis > 0


@names.register()
class Circle(Formula):
    """For vectors that are near each other where the class is the same, labels class numbers.

    The mean runs over the rows whose loss is above 0, as in Keras.

    Args:
        gamma: how much the worst pairs outweigh the others.
        margin: how far from ideal a pair may be, as a distance of cosines.
        remove_diagonal: whether a row is not compared with itself.
    """

    takes_class_numbers = True
    rows_are_independent = False
    function = circle
    settings = ("gamma", "margin", "remove_diagonal")

    def __init__(
        self,
        gamma: float = 80.0,
        margin: float = 0.4,
        remove_diagonal: bool = True,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(reduction, name, dtype)
        self.gamma = gamma
        self.margin = margin
        self.remove_diagonal = remove_diagonal

    def counted(self, y_true: Any, values: Any) -> Any:
        """The rows that are not yet where they should be."""
        return values > 0
