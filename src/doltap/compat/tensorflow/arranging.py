"""The functions that put numbers elsewhere: shapes, pieces, indices, and joining."""

from __future__ import annotations

import builtins
from collections import namedtuple
from typing import Any

import jax.numpy as jnp
import numpy as np

from doltap.compat.tensorflow import dtypes
from doltap.compat.tensorflow.calls import as_kind, operation
from doltap.compat.tensorflow.dtypes import TensorShape
from doltap.compat.tensorflow.errors import InvalidArgumentError
from doltap.compat.tensorflow.tensor import Tensor, as_tensor, is_traced, tensor_functions
from doltap.core.graph import SymbolicTensor

__all__ = ["boolean_mask", "broadcast_dynamic_shape", "broadcast_static_shape", "broadcast_to", "concat"]
__all__ += ["ensure_shape", "expand_dims", "gather", "gather_nd", "meshgrid", "one_hot", "pad", "rank"]
__all__ += ["repeat", "reshape", "reverse", "roll", "scatter_nd", "sequence_mask", "shape", "shape_n"]
__all__ += ["size", "slice", "split", "squeeze", "stack", "strided_slice", "tensor_scatter_nd_add"]
__all__ += ["tensor_scatter_nd_max", "tensor_scatter_nd_min", "tensor_scatter_nd_sub"]
__all__ += ["tensor_scatter_nd_update", "tile", "transpose", "unique", "unique_with_counts", "unstack"]
__all__ += ["where"]


# Shapes.


def _sizes(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, (tuple, list)) else (value,)


@operation()
def reshape(numpy: Any, tensor: Any, shape: Any) -> Any:
    """The same numbers, row by row, in another shape; one length may be -1 for what is left."""
    return numpy.reshape(tensor, _sizes(shape))


@operation()
def transpose(numpy: Any, a: Any, perm: Any = None, conjugate: bool = False) -> Any:
    """The tensor with its axes in another order, the reverse one without `perm`."""
    return numpy.transpose(a, perm)


@operation()
def expand_dims(numpy: Any, input: Any, axis: Any) -> Any:
    """The tensor with a new axis of length 1."""
    return numpy.expand_dims(input, axis[0] if isinstance(axis, tuple) else axis)


@operation()
def squeeze(numpy: Any, input: Any, axis: Any = None) -> Any:
    """The tensor without its axes of length 1, or without those named."""
    return numpy.squeeze(input, None if axis == () else axis)


@operation()
def broadcast_to(numpy: Any, input: Any, shape: Any) -> Any:
    """The tensor repeated along axes of length 1, until it has the shape."""
    return numpy.array(numpy.broadcast_to(input, _sizes(shape)))


@operation()
def tile(numpy: Any, input: Any, multiples: Any) -> Any:
    """The whole tensor repeated along each axis."""
    return numpy.tile(input, multiples)


@operation()
def repeat(numpy: Any, input: Any, repeats: Any, axis: Any = None) -> Any:
    """Each element repeated."""
    return numpy.repeat(input, np.asarray(repeats), axis)


@operation()
def reverse(numpy: Any, tensor: Any, axis: Any) -> Any:
    """The elements along some axes, the last first."""
    return numpy.flip(tensor, axis)


@operation()
def roll(numpy: Any, input: Any, shift: Any, axis: Any) -> Any:
    """The elements moved along an axis; those that fall off come in at the other end."""
    return numpy.roll(input, shift, axis)


@operation()
def pad(numpy: Any, tensor: Any, paddings: Any, mode: str = "CONSTANT", constant_values: Any = 0) -> Any:
    """The tensor with more elements in front and behind, along each axis.

    Args:
        paddings: a pair of numbers for each axis.
        mode: "CONSTANT", "REFLECT" or "SYMMETRIC".
    """
    if mode.upper() == "CONSTANT":
        return numpy.pad(tensor, paddings, constant_values=constant_values)
    return numpy.pad(tensor, paddings, mode=mode.lower())


def shape(input: Any, out_type: Any = dtypes.int32, name: Any = None) -> Any:
    """The lengths of the dimensions, as a tensor of whole numbers."""
    return Tensor(np.array(_known_shape(input), dtypes.as_dtype(out_type).dtype))


def _known_shape(value: Any) -> tuple[int, ...]:
    if isinstance(value, SymbolicTensor) and None in value.shape:
        raise InvalidArgumentError(
            "tf.shape",
            expected="a tensor",
            got=f"a symbolic tensor of shape {value.shape}, whose batch has any length",
            fix="Use -1 for that length in tf.reshape, or put the function into a layer's call or a Lambda.",
        )
    return tuple(value.shape) if hasattr(value, "shape") else tuple(as_tensor(value).shape)


def shape_n(input: Any, out_type: Any = dtypes.int32, name: Any = None) -> list[Any]:
    """The shape of each tensor of a list."""
    return [shape(each, out_type) for each in input]


def size(input: Any, out_type: Any = dtypes.int32, name: Any = None) -> Any:
    """How many numbers there are in all."""
    return Tensor(np.array(np.prod(_known_shape(input), dtype=np.int64), dtypes.as_dtype(out_type).dtype))


def rank(input: Any, name: Any = None) -> Any:
    """How many dimensions there are."""
    return Tensor(np.int32(len(_known_shape(input))))


def ensure_shape(x: Any, shape: Any, name: Any = None) -> Any:
    """The tensor itself; an error if it has another shape."""
    found = as_tensor(x)
    TensorShape(found.shape).assert_is_compatible_with(shape)
    return found


def broadcast_static_shape(shape_x: Any, shape_y: Any) -> TensorShape:
    """The shape in which tensors of two shapes meet."""
    return TensorShape(np.broadcast_shapes(tuple(shape_x), tuple(shape_y)))


def broadcast_dynamic_shape(shape_x: Any, shape_y: Any) -> Any:
    """The shape in which tensors of two shapes meet, as a tensor."""
    return as_tensor(list(np.broadcast_shapes(tuple(map(int, shape_x)), tuple(map(int, shape_y)))))


# Joining and parting.


@operation(1, lists=True)
def concat(numpy: Any, values: Any, axis: Any) -> Any:
    """Tensors one after the other along an axis."""
    return numpy.concatenate(values, axis) if isinstance(values, list) else values


@operation(1, lists=True)
def stack(numpy: Any, values: Any, axis: Any = 0) -> Any:
    """Tensors of one shape side by side, along a new axis."""
    return numpy.stack(values, axis) if isinstance(values, list) else numpy.moveaxis(values, 0, axis)


@operation()
def _unstack(numpy: Any, value: Any, axis: Any = 0) -> Any:
    return [numpy.take(value, number, axis) for number in range(value.shape[axis])]


def unstack(value: Any, num: int | None = None, axis: int = 0, name: Any = None) -> list[Any]:
    """The slices of a tensor along an axis, as a list."""
    return list(_unstack(value, axis))


@operation()
def _split(numpy: Any, value: Any, sizes: Any, axis: Any = 0) -> Any:
    places = sizes if isinstance(sizes, int) else tuple(np.cumsum(sizes)[:-1].tolist())
    return list(numpy.split(value, places, axis))


def split(value: Any, num_or_size_splits: Any, axis: Any = 0, num: Any = None, name: Any = None) -> list[Any]:
    """The tensor in parts along an axis: so many equal ones, or of the lengths listed; -1 is what is left."""
    value, sizes = as_tensor(value), num_or_size_splits
    if np.ndim(sizes):
        sizes = [int(each) for each in sizes]
        left = value.shape[int(axis)] - sum(each for each in sizes if each >= 0)
        sizes = [left if each < 0 else each for each in sizes]
    return list(_split(value, sizes, axis))


@operation(1, lists=True)
def _meshgrid(numpy: Any, values: Any, indexing: str = "xy") -> Any:
    return list(numpy.meshgrid(*values, indexing=indexing))


def meshgrid(*args: Any, indexing: str = "xy", name: Any = None) -> list[Any]:
    """The coordinates of every point of a grid, for the coordinates along each axis."""
    return list(_meshgrid(list(args), indexing))


# Pieces.


def _index_form(index: Any) -> Any:
    """An index as something that can be looked up: a slice becomes a tuple."""
    if isinstance(index, tuple):
        return tuple(_index_form(each) for each in index)
    if isinstance(index, builtins.slice):
        return builtins.slice, *(
            None if each is None else int(each) for each in (index.start, index.stop, index.step)
        )
    if index is None or index is Ellipsis:
        return index
    if isinstance(index, (list, np.ndarray)) or (hasattr(index, "ndim") and index.ndim):
        found = np.asarray(index)
        return list, tuple(map(tuple, found.tolist())) if found.ndim > 1 else tuple(found.tolist())
    return int(index)


def _index_from(form: Any) -> Any:
    if not isinstance(form, tuple):
        return form
    if form and form[0] is builtins.slice:
        return builtins.slice(*form[1:])
    if form and form[0] is list:
        return np.array(form[1])
    return tuple(_index_from(each) for each in form)


@operation()
def _item(numpy: Any, tensor: Any, index: Any) -> Any:
    found = tensor[_index_from(index)]
    return found if numpy is jnp else np.array(found)


@operation(2)
def _item_where(numpy: Any, tensor: Any, mask: Any) -> Any:
    return tensor[mask]


def _get(tensor: Any, index: Any) -> Any:
    """A piece of a tensor, as the brackets ask for it."""
    parts = index if isinstance(index, tuple) else (index,)
    if any(_is_traced_index(each) for each in parts):
        from_trace = tensor.array if isinstance(tensor, Tensor) else tensor.read()
        found = from_trace[tuple(each.array if isinstance(each, Tensor) else each for each in parts)]
        return Tensor(found)
    if len(parts) == 1 and str(getattr(index, "dtype", "")) in ("bool", "<dtype: 'bool'>"):
        return boolean_mask(tensor, index)
    return _item(tensor, _index_form(index))


def _is_traced_index(index: Any) -> bool:
    return is_traced(index) or (isinstance(index, Tensor) and index.is_tracer)


@operation()
def slice(numpy: Any, input_: Any, begin: Any, size: Any) -> Any:
    """A piece of a tensor: where it begins along each axis and how long it is; -1 goes to the end."""
    pairs = zip(_sizes(begin), _sizes(size), strict=True)
    return input_[tuple(builtins.slice(at, None if long < 0 else at + long) for at, long in pairs)]


@operation()
def strided_slice(numpy: Any, input_: Any, begin: Any, end: Any, strides: Any = None) -> Any:
    """A piece of a tensor: where it begins and ends along each axis, and in what steps."""
    steps = _sizes(strides) if strides is not None else (1,) * len(_sizes(begin))
    return input_[tuple(map(builtins.slice, _sizes(begin), _sizes(end), steps))]


def boolean_mask(tensor: Any, mask: Any, axis: Any = None, name: Any = None) -> Any:
    """The elements for which the mask is true."""
    tensor, mask = as_tensor(tensor), as_tensor(mask)
    if axis:
        order = [axis, *(place for place in range(len(tensor.shape)) if place != axis)]
        moved = boolean_mask(transpose(tensor, order), mask)
        return transpose(moved, [order.index(place) for place in range(len(order))])
    known = mask.host if isinstance(mask, Tensor) and not mask.is_tracer else None
    if known is None:
        return _item_where(tensor, mask)
    return gather_nd(tensor, np.argwhere(known))


@operation(2)
def _gather(numpy: Any, params: Any, indices: Any, axis: Any = 0, batch_dims: int = 0) -> Any:
    return _taken(numpy, params, indices, axis, batch_dims)


def _taken(numpy: Any, params: Any, indices: Any, axis: int, batch_dims: int) -> Any:
    if batch_dims:
        pairs = zip(params, indices, strict=True)
        return numpy.stack([_taken(numpy, one, at, axis - 1, batch_dims - 1) for one, at in pairs])
    # In a program an index beyond the end cannot be an error.
    return np.take(params, indices, axis) if numpy is np else jnp.take(params, indices, axis, mode="clip")


def gather(
    params: Any,
    indices: Any,
    validate_indices: Any = None,
    axis: Any = None,
    batch_dims: int = 0,
    name: Any = None,
) -> Any:
    """The slices at some places along an axis."""
    along = batch_dims if axis is None else int(axis)
    return _gather(params, indices, along, batch_dims)


@operation(2)
def _gather_nd(numpy: Any, params: Any, indices: Any) -> Any:
    return params[tuple(numpy.moveaxis(indices, -1, 0))]


def gather_nd(params: Any, indices: Any, batch_dims: int = 0, name: Any = None) -> Any:
    """The elements, or slices, at places that the last axis of the indices tells."""
    if batch_dims:
        pairs = zip(unstack(as_tensor(params)), unstack(as_tensor(indices)), strict=True)
        return stack([gather_nd(one, at, batch_dims - 1) for one, at in pairs])
    return _gather_nd(params, indices)


@operation(3)
def _choose(numpy: Any, condition: Any, x: Any, y: Any) -> Any:
    return numpy.where(condition, x, y)


@operation(2, matched=True)
def _pair(numpy: Any, x: Any, y: Any) -> Any:
    return [x, y]


@operation(3)
def _where_of(numpy: Any, condition: Any, x: Any, y: Any) -> Any:
    dtype = numpy.result_type(x.dtype, y.dtype) if x.dtype != y.dtype else x.dtype
    return numpy.where(condition, x, y).astype(dtype)


@operation()
def _places(numpy: Any, condition: Any) -> Any:
    return numpy.argwhere(condition)


def where(condition: Any, x: Any = None, y: Any = None, name: Any = None) -> Any:
    """The number of `x` where the condition is true, else that of `y`; without them, the places."""
    if x is None and y is None:
        return _places(condition)
    promised = any(isinstance(value, SymbolicTensor) for value in (condition, x, y))
    if promised or is_traced(x) or is_traced(y):
        return _where_of(condition, x, y)
    return _choose(condition, *_pair(x, y))


@operation()
def _one_hot(numpy: Any, indices: Any, depth: Any, on: Any, off: Any, axis: Any, dtype: Any) -> Any:
    hits = numpy.equal(numpy.expand_dims(indices, -1), numpy.arange(depth))
    wanted = as_kind(numpy, dtype)
    found = numpy.where(hits, np.array(on, wanted), np.array(off, wanted))
    return found if axis in (-1, None) else numpy.moveaxis(found, -1, axis)


def one_hot(
    indices: Any,
    depth: Any,
    on_value: Any = None,
    off_value: Any = None,
    axis: Any = None,
    dtype: Any = None,
    name: Any = None,
) -> Any:
    """A row for each class number, 1 at its place and 0 elsewhere."""
    on, off = 1 if on_value is None else on_value, 0 if off_value is None else off_value
    if dtype is None:
        kinds = [as_tensor(each).dtype for each in (on_value, off_value) if each is not None]
        dtype = kinds[0] if kinds else dtypes.float32
    return _one_hot(indices, int(depth), on, off, axis, dtypes.as_dtype(dtype))


@operation()
def _sequence_mask(numpy: Any, lengths: Any, longest: Any, dtype: Any) -> Any:
    mask = numpy.arange(longest) < numpy.expand_dims(lengths, -1)
    return mask.astype(as_kind(numpy, dtype))


def sequence_mask(lengths: Any, maxlen: Any = None, dtype: Any = dtypes.bool, name: Any = None) -> Any:
    """A row for each length, with as many true values."""
    lengths = as_tensor(lengths)
    longest = int(np.max(np.asarray(lengths), initial=0)) if maxlen is None else int(maxlen)
    return _sequence_mask(lengths, longest, dtypes.as_dtype(dtype))


Unique = namedtuple("Unique", ["y", "idx"])
UniqueWithCounts = namedtuple("UniqueWithCounts", ["y", "idx", "count"])


def unique(x: Any, out_idx: Any = dtypes.int32, name: Any = None) -> Any:
    """The different values in the order in which they come, and for each value the place of its like."""
    return Unique(*unique_with_counts(x, out_idx)[:2])


def unique_with_counts(x: Any, out_idx: Any = dtypes.int32, name: Any = None) -> Any:
    """As `unique`, and how often each value comes."""
    values = as_tensor(x).host
    found, first, places, counts = np.unique(
        values, return_index=True, return_inverse=True, return_counts=True
    )
    order = np.argsort(first, kind="stable")
    ranks, dtype = np.argsort(order, kind="stable"), dtypes.as_dtype(out_idx).dtype
    whole = (ranks[places.reshape(-1)].astype(dtype), counts[order].astype(dtype))
    return UniqueWithCounts(Tensor(found[order]), *map(Tensor, whole))


# Writing at places.


def _scatter(name: str, what: str, method: str) -> Any:
    def function(numpy: Any, tensor: Any, indices: Any, updates: Any) -> Any:
        at = jnp.asarray(tensor).at[tuple(jnp.moveaxis(indices, -1, 0))]
        return getattr(at, method)(updates.astype(tensor.dtype))

    function.__name__ = function.__qualname__ = name
    function.__module__, function.__doc__ = __name__, what
    return operation(3, needs_jax=True)(function)


tensor_scatter_nd_update = _scatter(
    "tensor_scatter_nd_update", "The tensor with other values at some places.", "set"
)
tensor_scatter_nd_add = _scatter("tensor_scatter_nd_add", "The tensor with more at some places.", "add")
tensor_scatter_nd_sub = _scatter("tensor_scatter_nd_sub", "The tensor with less at some places.", "subtract")
tensor_scatter_nd_max = _scatter(
    "tensor_scatter_nd_max", "The tensor, at some places with the larger of two values.", "max"
)
tensor_scatter_nd_min = _scatter(
    "tensor_scatter_nd_min", "The tensor, at some places with the smaller of two values.", "min"
)


@operation(2)
def _scatter_nd(numpy: Any, indices: Any, updates: Any, shape: Any) -> Any:
    places = tuple(numpy.moveaxis(indices, -1, 0))
    if numpy is jnp:
        return jnp.zeros(shape, updates.dtype).at[places].add(updates)
    found = np.zeros(shape, updates.dtype)
    np.add.at(found, places, updates)
    return found


def scatter_nd(indices: Any, updates: Any, shape: Any, name: Any = None) -> Any:
    """A tensor of zeros with the updates added at their places."""
    return _scatter_nd(indices, updates, tuple(int(each) for each in shape))


setattr(Tensor, "__getitem__", _get)  # noqa: B010
tensor_functions["stack"] = stack
tensor_functions["item"] = _get
