"""The same numbers in another order or shape: reshape, join, split, turn.

No value changes here; only `pad` adds some, and `tril`, `triu` and `diag` put
zeros beside them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
from jax import Array

from doltap.errors import DataError, ShapeError
from doltap.ops.conversion import Axis, Tensor, as_array, promoted
from doltap.ops.protocol import operation

__all__ = ["append", "array_split", "broadcast_to", "concatenate", "diag", "diagflat", "diagonal", "diff"]
__all__ += ["dsplit", "dstack", "expand_dims", "flip", "fliplr", "flipud", "hsplit", "hstack", "moveaxis"]
__all__ += ["pad", "ravel", "rearrange", "repeat", "reshape", "roll", "rot90", "split", "squeeze", "stack"]
__all__ += ["swapaxes", "tile", "transpose", "tril", "triu", "unstack", "vsplit", "vstack"]

Sections = int | Sequence[int]


def _sections(indices_or_sections: Any) -> Any:
    return tuple(indices_or_sections) if isinstance(indices_or_sections, list) else indices_or_sections


def _axes(axis: Axis) -> Any:
    """The axis as JAX wants it: files keep several of them as a list."""
    return tuple(axis) if isinstance(axis, list) else axis


# Another shape


@operation()
def reshape(x: Tensor, newshape: Any) -> Array:
    """The same numbers, row by row, in another shape; one length may be -1 for what is left.

    None, as the shape of a symbolic tensor has it for the batch, is the length that is left
    too; beside a -1 it is the length of `x` at that place.

    >>> reshape(jnp.zeros((2, 6)), (None, 3, 2)).shape, reshape(jnp.zeros((2, 6)), (None, -1, 2)).shape
    ((2, 3, 2), (2, 3, 2))
    """
    x = as_array(x)
    if isinstance(newshape, (list, tuple)) and any(size is None for size in newshape):
        is_one = newshape.count(None) == 1 and not any(size is not None and size == -1 for size in newshape)
        newshape = _known(newshape, (-1,) * len(newshape) if is_one else x.shape)
    return jnp.reshape(x, newshape)


@operation()
def ravel(x: Tensor) -> Array:
    """The same numbers in one row."""
    return jnp.ravel(as_array(x))


@operation()
def expand_dims(x: Tensor, axis: Any) -> Array:
    """The array with a new axis of length 1, or several."""
    return jnp.expand_dims(as_array(x), _axes(axis))


@operation()
def squeeze(x: Tensor, axis: Axis = None) -> Array:
    """The array without its axes of length 1, or without those named."""
    return jnp.squeeze(as_array(x), _axes(axis))


@operation()
def broadcast_to(x: Tensor, shape: Any) -> Array:
    """The array repeated along its axes of length 1, and new ones in front, to have the shape.

    None, as the shape of a symbolic tensor has it for the batch, keeps the length that `x` has there.
    """
    x = as_array(x)
    if isinstance(shape, (list, tuple)) and any(size is None for size in shape):
        shape = _known(shape, (1,) * (len(shape) - x.ndim) + x.shape)
    return jnp.broadcast_to(x, shape)


def _known(shape: Any, lengths: Sequence[int]) -> list[int]:
    """The shape with what stands at the same place for each None."""
    known = [*lengths, *[-1] * (len(shape) - len(lengths))]
    return [known[place] if size is None else size for place, size in enumerate(shape)]


@operation()
def rearrange(tensor: Tensor, pattern: str, **axes_lengths: int) -> Array:
    """The array with its axes split, reordered and joined as a pattern of names says.

    Args:
        pattern: the axes before and after "->"; those in brackets are one axis.
        axes_lengths: the lengths of names that the shape does not tell.

    >>> rearrange(jnp.zeros((2, 3, 4)), "b h (w two) -> (b w) two h", two=2).shape
    (4, 2, 3)
    """
    x = as_array(tensor)
    before, after = (_groups(side) for side in pattern.split("->"))
    names, wanted = ([name for group in side for name in group] for side in (before, after))
    if sorted(names) != sorted(wanted) or len(set(names)) != len(names) or len(before) != x.ndim:
        raise ShapeError(
            "ops.rearrange",
            expected=f"a pattern that names each of the {x.ndim} axes once on either side of '->'",
            got=repr(pattern),
            fix="For example 'batch row column -> batch (row column)'.",
        )
    lengths = dict(axes_lengths)
    for group, length in zip(before, x.shape, strict=True):
        _complete(lengths, group, length)
    split_up = x.reshape([lengths[name] for name in names])
    ordered = split_up.transpose([names.index(name) for name in wanted])
    return ordered.reshape([math.prod(lengths[name] for name in group) for group in after])


def _complete(lengths: dict[str, int], group: list[str], length: int) -> None:
    """Find the length of the one part of an axis that is not known yet."""
    known = math.prod(lengths[name] for name in group if name in lengths)
    unknown = [name for name in group if name not in lengths]
    if len(unknown) > 1 or (length != known if not unknown else length % known):
        raise ShapeError(
            "ops.rearrange",
            expected=f"lengths for all but one of {group}, whose product is {length}",
            got=str({name: lengths.get(name) for name in group}),
            fix="Name the lengths as keywords, such as height=2.",
        )
    lengths.update((name, length // known) for name in unknown)


def _groups(side: str) -> list[list[str]]:
    """One side of a pattern: for each axis the names of its parts."""
    return [part.strip("()").split() for part in re.findall(r"\([^)]*\)|[^\s()]+", side)]


# Another order


@operation()
def transpose(x: Tensor, axes: Sequence[int] | None = None) -> Array:
    """The array with its axes in another order; reversed, if none is given."""
    return jnp.transpose(as_array(x), axes)


@operation()
def moveaxis(x: Tensor, source: Any, destination: Any) -> Array:
    """The array with some axes at other places, the rest in their order."""
    return jnp.moveaxis(as_array(x), source, destination)


@operation()
def swapaxes(x: Tensor, axis1: int, axis2: int) -> Array:
    """The array with two axes exchanged."""
    return jnp.swapaxes(as_array(x), axis1, axis2)


@operation()
def flip(x: Tensor, axis: Axis = None) -> Array:
    """The array back to front along the axes; along all, if none is given."""
    return jnp.flip(as_array(x), _axes(axis))


@operation()
def fliplr(x: Tensor) -> Array:
    """The array with left and right exchanged: back to front along the second axis."""
    return jnp.fliplr(as_array(x))


@operation()
def flipud(x: Tensor) -> Array:
    """The array upside down: back to front along the first axis."""
    return jnp.flipud(as_array(x))


@operation()
def rot90(array: Tensor, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Array:
    """The array turned left by `k` right angles, in the plane of two axes."""
    return jnp.rot90(as_array(array), k, (axes[0], axes[1]))


@operation()
def roll(x: Tensor, shift: Any, axis: Axis = None) -> Array:
    """The array moved on by so many places; what falls off the end comes in at the beginning."""
    return jnp.roll(as_array(x), _axes(shift), _axes(axis))


# Joining


@operation()
def concatenate(xs: Sequence[Tensor], axis: int = 0) -> Array:
    """Arrays one after the other, along an axis that they have.

    >>> concatenate([[1, 2], [3]]).tolist()
    [1, 2, 3]
    """
    return jnp.concatenate(promoted(*xs), axis)


@operation()
def stack(x: Sequence[Tensor], axis: int = 0) -> Array:
    """Arrays of one shape side by side, along a new axis."""
    return jnp.stack(promoted(*x), axis)


@operation()
def hstack(xs: Sequence[Tensor]) -> Array:
    """Arrays side by side: along the second axis, rows along their only one."""
    return jnp.hstack(promoted(*xs))


@operation()
def vstack(xs: Sequence[Tensor]) -> Array:
    """Arrays on top of each other: along the first axis, of which rows get a new one."""
    return jnp.vstack(promoted(*xs))


@operation()
def dstack(xs: Sequence[Tensor]) -> Array:
    """Arrays behind each other: along the third axis."""
    return jnp.dstack(promoted(*xs))


@operation()
def append(x1: Tensor, x2: Tensor, axis: int | None = None) -> Array:
    """The second after the first along an axis; without one, both in one row."""
    x1, x2 = promoted(x1, x2)
    return jnp.append(x1, x2, axis)


@operation()
def tile(x: Tensor, repeats: Any) -> Array:
    """The whole array so many times along each axis."""
    return jnp.tile(as_array(x), repeats)


@operation()
def repeat(x: Tensor, repeats: Any, axis: int | None = None) -> Array:
    """Every element so many times; without an axis, in one row.

    >>> repeat([1, 2], 2).tolist(), repeat([1, 2], [1, 3]).tolist()
    ([1, 1, 2, 2], [1, 2, 2, 2])
    """
    return jnp.repeat(as_array(x), repeats if isinstance(repeats, int) else as_array(repeats), axis)


@operation()
def pad(x: Tensor, pad_width: Any, mode: str = "constant", constant_values: Any = None) -> Array:
    """The array with a border.

    Args:
        pad_width: how wide: one number, `(before, after)`, or a pair for each axis.
        mode: what the border shows: "constant", "edge", "reflect", "symmetric",
            "wrap" and others of `numpy.pad`.
        constant_values: the number in a "constant" border; None means 0.
    """
    if constant_values is None:
        return jnp.pad(as_array(x), pad_width, mode)
    if mode != "constant":
        raise DataError(
            "ops.pad",
            expected="constant_values= only together with mode='constant'",
            got=f"mode={mode!r}",
            fix="Leave one of the two out.",
        )
    return jnp.pad(as_array(x), pad_width, mode, constant_values=constant_values)


# Splitting


@operation()
def split(x: Tensor, indices_or_sections: Sections, axis: int = 0) -> list[Array]:
    """The array in equal parts, or cut at the places given.

    >>> [part.tolist() for part in split([1, 2, 3, 4], [1, 3])]
    [[1], [2, 3], [4]]
    """
    return list(jnp.split(as_array(x), _sections(indices_or_sections), axis))


@operation()
def array_split(x: Tensor, indices_or_sections: Sections, axis: int = 0) -> list[Array]:
    """The array in parts that are as equal as they can be; the first ones are longer."""
    return list(jnp.array_split(as_array(x), _sections(indices_or_sections), axis))


@operation()
def hsplit(x: Tensor, indices_or_sections: Sections) -> list[Array]:
    """The array split along the second axis, a row along its only one."""
    return list(jnp.hsplit(as_array(x), _sections(indices_or_sections)))


@operation()
def vsplit(x: Tensor, indices_or_sections: Sections) -> list[Array]:
    """The array split along the first axis."""
    return list(jnp.vsplit(as_array(x), _sections(indices_or_sections)))


@operation()
def dsplit(x: Tensor, indices_or_sections: Sections) -> list[Array]:
    """The array split along the third axis."""
    return list(jnp.dsplit(as_array(x), _sections(indices_or_sections)))


@operation()
def unstack(x: Tensor, num: int | None = None, axis: int = 0) -> list[Array]:
    """The slices along an axis, as a list.

    Args:
        num: how many there are, if it has to be checked.
    """
    x = as_array(x)
    if num is not None and num != x.shape[axis]:
        raise ShapeError(
            "ops.unstack",
            expected=f"length {num} along axis {axis}",
            got=f"{x.shape[axis]} (shape {tuple(x.shape)})",
            fix="Leave num= out, or give the true length.",
        )
    return list(jnp.unstack(x, axis=axis))


# Diagonals and triangles


@operation()
def diag(x: Tensor, k: int = 0) -> Array:
    """The diagonal of a matrix, or the matrix that has this row on its diagonal."""
    return jnp.diag(as_array(x), k)


@operation()
def diagflat(x: Tensor, k: int = 0) -> Array:
    """The matrix that has all elements of `x` on its diagonal."""
    return jnp.diagflat(as_array(x), k)


@operation()
def diagonal(x: Tensor, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Array:
    """The diagonal in the plane of two axes; it becomes the last axis."""
    return jnp.diagonal(as_array(x), offset, axis1, axis2)


@operation()
def tril(x: Tensor, k: int = 0) -> Array:
    """The array with zeros above a diagonal of its last two axes."""
    return jnp.tril(as_array(x), k)


@operation()
def triu(x: Tensor, k: int = 0) -> Array:
    """The array with zeros below a diagonal of its last two axes."""
    return jnp.triu(as_array(x), k)


@operation()
def diff(a: Tensor, n: int = 1, axis: int = -1) -> Array:
    """What each element has more than the one before it, taken `n` times."""
    return jnp.diff(as_array(a), n, axis)
