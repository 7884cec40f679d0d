"""Shapes, types, and arrays put together, taken apart and multiplied, in Keras 2's words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from doltap import ops
from doltap.compat.keras_backend.results import eager
from doltap.errors import NotSupportedError, ShapeError

__all__ = [
    "arange",
    "batch_dot",
    "batch_flatten",
    "bias_add",
    "cast",
    "concatenate",
    "dot",
    "dtype",
    "expand_dims",
    "flatten",
    "gather",
    "identity",
    "int_shape",
    "is_sparse",
    "ndim",
    "one_hot",
    "ones_like",
    "permute_dimensions",
    "repeat",
    "repeat_elements",
    "reshape",
    "resize_images",
    "resize_volumes",
    "reverse",
    "shape",
    "spatial_2d_padding",
    "spatial_3d_padding",
    "squeeze",
    "stack",
    "stop_gradient",
    "temporal_padding",
    "tile",
    "to_dense",
    "transpose",
    "zeros_like",
]


def shape(x: Any) -> tuple[int | None, ...]:
    """The lengths of the dimensions."""
    return tuple(x.shape) if hasattr(x, "shape") else tuple(ops.shape(x))


def int_shape(x: Any) -> tuple[int | None, ...]:
    """The lengths of the dimensions, None for those that are not known.

    >>> from doltap.layers import Input
    >>> int_shape(Input((4,)))
    (None, 4)
    """
    return shape(x)


def ndim(x: Any) -> int:
    """The number of dimensions."""
    return len(shape(x))


def dtype(x: Any) -> str:
    """The name of the type: "float32"."""
    found = x.dtype if hasattr(x, "dtype") else ops.dtype(x)
    return str(getattr(found, "name", found))


def is_sparse(tensor: Any) -> bool:
    """Whether only the numbers that are not 0 are kept: never."""
    return False


def to_dense(tensor: Any) -> Any:
    """The tensor itself, which keeps all its numbers."""
    return tensor


@eager
def cast(x: Any, dtype: Any) -> Any:
    """The numbers as another type."""
    return ops.cast(x, dtype)


@eager
def identity(x: Any, name: str | None = None) -> Any:
    """The same numbers."""
    return ops.convert_to_tensor(x)


@eager
def arange(start: Any, stop: Any = None, step: Any = 1, dtype: str = "int32") -> Any:
    """Numbers from start to before stop; up to before start where stop is None."""
    first, last = (0, start) if stop is None else (start, stop)
    return ops.arange(max(first, 0) if stop is None else first, last, step, dtype=dtype)


@eager
def zeros_like(x: Any, dtype: Any = None, name: str | None = None) -> Any:
    """Zeros of the same shape."""
    return ops.zeros_like(x, dtype=dtype)


@eager
def ones_like(x: Any, dtype: Any = None, name: str | None = None) -> Any:
    """Ones of the same shape."""
    return ops.ones_like(x, dtype=dtype)


@eager
def transpose(x: Any) -> Any:
    """The dimensions in the opposite order."""
    return ops.transpose(x)


@eager
def permute_dimensions(x: Any, pattern: Sequence[int]) -> Any:
    """The dimensions in another order."""
    return ops.transpose(x, axes=tuple(pattern))


@eager
def reshape(x: Any, shape: Any) -> Any:
    """The same numbers in another shape, of which one length may be -1."""
    return ops.reshape(x, tuple(int(length) for length in shape))


@eager
def flatten(x: Any) -> Any:
    """All numbers in one row."""
    return ops.reshape(x, (-1,))


@eager
def batch_flatten(x: Any) -> Any:
    """One row of numbers for each element of the batch."""
    inner = shape(x)[1:]
    return ops.reshape(x, (-1, math.prod(inner) if None not in inner else -1))  # type: ignore[arg-type]


@eager
def expand_dims(x: Any, axis: int = -1) -> Any:
    """A dimension of length 1 more."""
    return ops.expand_dims(x, axis)


@eager
def squeeze(x: Any, axis: int) -> Any:
    """A dimension of length 1 less."""
    return ops.squeeze(x, axis)


@eager
def concatenate(tensors: Sequence[Any], axis: int = -1) -> Any:
    """Tensors side by side along an axis that they have."""
    return ops.concatenate(tensors, axis=axis)


@eager
def stack(x: Sequence[Any], axis: int = 0) -> Any:
    """Tensors side by side along a new axis."""
    return ops.stack(x, axis=axis)


@eager
def tile(x: Any, n: Any) -> Any:
    """The tensor repeated along each axis."""
    return ops.tile(x, (n,) if isinstance(n, int) else tuple(n))


@eager
def repeat(x: Any, n: int) -> Any:
    """Each row of (batch, features), `n` times: (batch, n, features).

    >>> tuple(repeat([[1.0, 2.0]], 3).shape)
    (1, 3, 2)
    """
    return ops.repeat(ops.expand_dims(x, 1), n, axis=1)


@eager
def repeat_elements(x: Any, rep: int, axis: int) -> Any:
    """Each element `rep` times after itself along an axis."""
    return ops.repeat(x, rep, axis=axis)


@eager
def reverse(x: Any, axes: Any) -> Any:
    """The elements in the opposite order along axes."""
    return ops.flip(x, axis=axes)


@eager
def gather(reference: Any, indices: Any) -> Any:
    """The rows of those numbers."""
    return ops.take(reference, indices, axis=0)


@eager
def one_hot(indices: Any, num_classes: int) -> Any:
    """A row with one 1 for each number."""
    return ops.one_hot(indices, num_classes)


@eager
def bias_add(x: Any, bias: Any, data_format: str | None = None) -> Any:
    """The tensor with the bias added to its last axis, or to its second with "channels_first"."""
    if data_format != "channels_first":
        return ops.add(x, bias)
    return ops.add(x, ops.reshape(bias, (-1,) + (1,) * (len(x.shape) - 2)))


@eager
def dot(x: Any, y: Any) -> Any:
    """The product of two matrices, or of the last axis of x and the last but one of y."""
    return ops.dot(x, y)


@eager
def stop_gradient(variables: Any) -> Any:
    """The same numbers, through which no gradient passes; of a list, each."""
    if isinstance(variables, (list, tuple)):
        return [ops.stop_gradient(each) for each in variables]
    return ops.stop_gradient(variables)


@eager
def batch_dot(x: Any, y: Any, axes: Any = None) -> Any:
    """The product of each element of a batch with that of another.

    Args:
        axes: the axis of x and that of y to sum over; one number stands for both.
            None takes the last of x and the last but one of y.

    >>> batch_dot([[1.0, 2.0]], [[3.0, 4.0]]).numpy().tolist()
    [[11.0]]
    """
    ranks = ndim(x), ndim(y)
    if axes is None:
        axes = (ranks[0] - 1, ranks[1] - 1 if ranks[1] == 2 else ranks[1] - 2)
    pair = (axes, axes) if isinstance(axes, int) else tuple(axes)
    first, second = (axis % rank for axis, rank in zip(pair, ranks, strict=True))
    if 0 in (first, second):
        raise ShapeError(
            "K.batch_dot", expected="axes after the first", got=f"axes={axes}", fix="Count them from 1."
        )
    letters = [
        ["a", *(chr(ord(start) + i) for i in range(1, rank))] for start, rank in zip("bn", ranks, strict=True)
    ]
    letters[0][first] = letters[1][second] = "z"
    kept = [letter for letter in letters[0] if letter != "z"] + [
        each for each in letters[1][1:] if each != "z"
    ]
    product = ops.einsum(f"{''.join(letters[0])},{''.join(letters[1])}->{''.join(kept)}", x, y)
    return ops.expand_dims(product, 1) if len(kept) == 1 else product


@eager
def temporal_padding(x: Any, padding: Any = (1, 1)) -> Any:
    """Zeros before and after the steps of a sequence."""
    return ops.pad(x, ((0, 0), tuple(padding), (0, 0)))


@eager
def spatial_2d_padding(x: Any, padding: Any = ((1, 1), (1, 1)), data_format: str | None = None) -> Any:
    """Zeros round images."""
    return _padded(x, padding, data_format)


@eager
def spatial_3d_padding(
    x: Any, padding: Any = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None
) -> Any:
    """Zeros round volumes."""
    return _padded(x, padding, data_format)


def _padded(x: Any, padding: Any, data_format: str | None) -> Any:
    inner = tuple(tuple(each) for each in padding)
    none = ((0, 0),)
    width = none + none + inner if data_format == "channels_first" else none + inner + none
    return ops.pad(x, width)


@eager
def resize_images(
    x: Any, height_factor: int, width_factor: int, data_format: str, interpolation: str = "nearest"
) -> Any:
    """Images made larger by repeating their points."""
    if interpolation != "nearest":
        raise NotSupportedError(
            "K.resize_images",
            expected="interpolation='nearest'",
            got=repr(interpolation),
            fix="Resizing by interpolation comes with the layers for images.",
        )
    first = 2 if data_format == "channels_first" else 1
    return ops.repeat(ops.repeat(x, height_factor, axis=first), width_factor, axis=first + 1)


@eager
def resize_volumes(x: Any, depth_factor: int, height_factor: int, width_factor: int, data_format: str) -> Any:
    """Volumes made larger by repeating their points."""
    first = 2 if data_format == "channels_first" else 1
    for place, factor in enumerate((depth_factor, height_factor, width_factor), first):
        x = ops.repeat(x, factor, axis=place)
    return x
