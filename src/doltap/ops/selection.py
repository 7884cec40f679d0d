"""Some of the numbers, or numbers put into places: index, sort, search, scatter.

Arrays never change: an update gives a new one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from doltap.errors import ShapeError, UnknownNameError
from doltap.ops.conversion import Tensor, as_array, promoted
from doltap.ops.protocol import operation

__all__ = ["argpartition", "argsort", "digitize", "get_item", "in_top_k", "isin", "nonzero", "scatter"]
__all__ += ["scatter_update", "searchsorted", "select", "slice", "slice_update", "sort", "take"]
__all__ += ["take_along_axis", "top_k", "unique", "unravel_index", "where"]


# Choosing


@operation()
def where(condition: Tensor, x1: Tensor | None = None, x2: Tensor | None = None) -> Any:
    """The first where the condition holds, the second elsewhere.

    With the condition alone, the places where it holds, as `nonzero`.
    """
    if x1 is None and x2 is None:
        return jnp.nonzero(as_array(condition))
    return jnp.where(as_array(condition).astype(bool), *promoted(x1, x2))


@operation()
def select(condlist: Sequence[Tensor], choicelist: Sequence[Tensor], default: Tensor = 0) -> Array:
    """At each place the choice of the first condition that holds there, or the default."""
    conditions = [as_array(condition) for condition in condlist]
    *choices, last = promoted(*choicelist, default)
    return jnp.select(conditions, choices, last)


@operation()
def take(x: Tensor, indices: Tensor, axis: int | None = None) -> Array:
    """The elements at these places along an axis; without one, of the array in one row."""
    return jnp.take(as_array(x), as_array(indices), axis)


@operation()
def take_along_axis(x: Tensor, indices: Tensor, axis: int | None = None) -> Array:
    """For each row its own elements: the places are given row by row, as `argsort` gives them."""
    return jnp.take_along_axis(as_array(x), as_array(indices), axis)


@operation()
def get_item(x: Tensor, key: Any) -> Array:
    """What `x[key]` gives."""
    return as_array(x)[tuple(key) if isinstance(key, list) else key]


@operation()
def slice(inputs: Tensor, start_indices: Tensor, shape: Sequence[int]) -> Array:
    """The block of this shape that begins at this place.

    Args:
        start_indices: the place; it may be known only when the program runs.
        shape: a length for each axis; -1 takes what is left.

    >>> slice([[1, 2, 3], [4, 5, 6]], [0, 1], [2, -1]).tolist()
    [[2, 3], [5, 6]]
    """
    x = as_array(inputs)
    lengths = [
        x.shape[axis] - int(start_indices[axis]) if length == -1 else length
        for axis, length in enumerate(shape)
    ]
    return jax.lax.dynamic_slice(x, tuple(start_indices), lengths)


# Putting in place


@operation()
def slice_update(inputs: Tensor, start_indices: Tensor, updates: Tensor) -> Array:
    """The array with a block of it, from this place on, replaced.

    >>> slice_update([1, 2, 3, 4], [1], [0, 0]).tolist()
    [1, 0, 0, 4]
    """
    x = as_array(inputs)
    return jax.lax.dynamic_update_slice(x, as_array(updates).astype(x.dtype), tuple(start_indices))


@operation()
def scatter(indices: Tensor, values: Tensor, shape: Any) -> Array:
    """Zeros of this shape with the values added at the places.

    Args:
        indices: for each value its place, one number for each axis, along the last axis.

    >>> scatter([[0], [2]], [5, 7], (4,)).tolist()
    [5, 0, 7, 0]
    """
    values = as_array(values)
    return jnp.zeros(shape, values.dtype).at[_places(indices)].add(values)


@operation()
def scatter_update(inputs: Tensor, indices: Tensor, updates: Tensor, reduction: str | None = None) -> Array:
    """The array with new values at the places.

    Args:
        indices: for each value its place, one number for each axis, along the last axis.
        reduction: None replaces; "add", "max", "min" and "mul" combine old and new.

    >>> scatter_update([1, 2, 3], [[0], [2]], [5, 7]).tolist()
    [5, 2, 7]
    """
    ways = {None: "set", "add": "add", "max": "max", "min": "min", "mul": "multiply"}
    if reduction not in ways:
        raise UnknownNameError.of("reduction", reduction, [way for way in ways if way])
    x = as_array(inputs)
    return getattr(x.at[_places(indices)], ways[reduction])(as_array(updates).astype(x.dtype))


def _places(indices: Tensor) -> tuple[Array, ...]:
    return tuple(jnp.moveaxis(as_array(indices), -1, 0))


# Sorting and searching


@operation()
def sort(x: Tensor, axis: int | None = -1) -> Array:
    """The elements in rising order along an axis."""
    return jnp.sort(as_array(x), axis)


@operation()
def argsort(x: Tensor, axis: int | None = -1) -> Array:
    """The places of the elements in rising order; None sorts the array in one row."""
    return jnp.argsort(as_array(x), axis)


@operation()
def argpartition(x: Tensor, kth: int, axis: int | None = -1) -> Array:
    """The places of the elements, those of the `kth` smallest first, in no order else."""
    x = as_array(x)
    return jnp.argpartition(x.ravel() if axis is None else x, kth, -1 if axis is None else axis)


@operation()
def top_k(x: Tensor, k: int, sorted: bool = True) -> tuple[Array, Array]:
    """The `k` largest elements along the last axis, largest first, and their places.

    Args:
        sorted: they are in order either way.

    >>> [each.tolist() for each in top_k([3, 9, 5], 2)]
    [[9, 5], [1, 2]]
    """
    values, places = jax.lax.top_k(as_array(x), k)
    return values, places


@operation()
def in_top_k(targets: Tensor, predictions: Tensor, k: int) -> Array:
    """Whether each row's true class is among the `k` with the largest predictions.

    A class as large as the last that fits in counts, too.

    >>> in_top_k([2], [[0.1, 0.5, 0.4]], k=2).tolist()
    [True]
    """
    targets, predictions = as_array(targets), as_array(predictions)
    own = jnp.take_along_axis(predictions, targets[..., None], -1)
    is_larger = predictions > jnp.where(jnp.isnan(own), -jnp.inf, own)
    return jnp.sum(is_larger, -1) < k


@operation("SearchSorted")
def searchsorted(sorted_sequence: Tensor, values: Tensor, side: str = "left") -> Array:
    """Where each value would have to go in for the sequence to stay sorted.

    Args:
        sorted_sequence: one row of rising numbers.
        side: before ("left") or after ("right") elements that are equal.
    """
    sequence = as_array(sorted_sequence)
    if sequence.ndim != 1:
        raise ShapeError(
            "ops.searchsorted",
            expected="one row of sorted numbers",
            got=f"shape {tuple(sequence.shape)}",
            fix="For several rows use ops.vectorized_map.",
        )
    return jnp.searchsorted(sequence, as_array(values), side)


@operation()
def digitize(x: Tensor, bins: Tensor) -> Array:
    """The number of the interval that each element falls into; below the first end it is 0."""
    return jnp.digitize(as_array(x), as_array(bins))


@operation("IsIn")
def isin(x1: Tensor, x2: Tensor, assume_unique: bool = False, invert: bool = False) -> Array:
    """Whether each element of the first occurs in the second; with `invert`, whether it does not."""
    return jnp.isin(as_array(x1), as_array(x2), assume_unique, invert)


@operation()
def nonzero(x: Tensor) -> tuple[Array, ...]:
    """The places of the elements that are not zero, an array for each axis.

    How many there are depends on the values, so it cannot be compiled.
    """
    return jnp.nonzero(as_array(x))


@operation()
def unique(
    x: Tensor,
    sorted: bool = True,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    size: int | None = None,
    fill_value: Any = None,
) -> Any:
    """Every value once; each NaN is a value of its own.

    Args:
        sorted: they are in rising order either way.
        return_index: whether to say where each value stood first.
        return_inverse: whether to say which value each element is.
        return_counts: whether to say how often each value occurs.
        axis: compare whole slices along this axis; None compares elements.
        size: cut or fill up to so many values; inside a compiled program it must be given.
        fill_value: what to fill up with; None means the smallest value.
    """
    return jnp.unique(
        as_array(x),
        return_index,
        return_inverse,
        return_counts,
        axis,
        equal_nan=False,
        size=size,
        fill_value=fill_value,
        sorted=sorted,
    )


@operation()
def unravel_index(indices: Tensor, shape: Any) -> tuple[Array, ...]:
    """Places counted through an array of this shape, as an array of places for each axis."""
    return jnp.unravel_index(as_array(indices), shape)
