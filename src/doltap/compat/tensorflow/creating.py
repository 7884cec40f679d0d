"""The functions that make tensors of nothing but a shape, and of what is no tensor."""

from __future__ import annotations

from typing import Any

import numpy as np

from doltap.compat.tensorflow import dtypes
from doltap.compat.tensorflow.calls import as_kind, operation, plain
from doltap.compat.tensorflow.tensor import Tensor, as_tensor, is_traced, reading
from doltap.core.graph import SymbolicTensor
from doltap.core.tensors import Variable

__all__ = ["constant", "convert_to_tensor", "eye", "fill", "is_tensor", "linspace", "ones", "ones_like"]
__all__ += ["range", "sizes_of", "zeros", "zeros_like"]


def constant(value: Any, dtype: Any = None, shape: Any = None, name: Any = None) -> Any:
    """The values as a tensor; one number fills a whole `shape`.

    >>> constant([1.0, 2.0])
    <tf.Tensor: shape=(2,), dtype=float32, numpy=array([1., 2.], dtype=float32)>
    """
    found = as_tensor(value, dtype)
    if shape is None:
        return found
    sizes = sizes_of(shape)
    array = np.asarray(found)
    return Tensor(np.full(sizes, array, array.dtype) if array.size == 1 else array.reshape(sizes))


def convert_to_tensor(
    value: Any, dtype: Any = None, dtype_hint: Any = None, name: Any = None, preferred_dtype: Any = None
) -> Any:
    """The values as a tensor."""
    if isinstance(value, SymbolicTensor):
        return value
    if isinstance(value, Variable):
        value = reading(value)
    wanted = dtype
    if dtype is None and not isinstance(value, Tensor):
        wanted = dtype_hint or preferred_dtype
    return as_tensor(value, wanted)


def is_tensor(x: Any) -> bool:
    """Whether it is a tensor, a variable or the promise of a tensor."""
    return isinstance(x, (Tensor, Variable, SymbolicTensor)) or is_traced(x)


def sizes_of(shape: Any) -> tuple[int, ...]:
    """A shape as plain whole numbers."""
    sizes = plain(shape)
    return tuple(int(size) for size in sizes) if isinstance(sizes, tuple) else (int(sizes),)


def zeros(shape: Any, dtype: Any = dtypes.float32, name: Any = None) -> Any:
    """A tensor of zeros."""
    kind = dtypes.as_dtype(dtype)
    return fill(shape, b"") if kind == dtypes.string else Tensor(np.zeros(sizes_of(shape), kind.dtype))


def ones(shape: Any, dtype: Any = dtypes.float32, name: Any = None) -> Any:
    """A tensor of ones."""
    return Tensor(np.ones(sizes_of(shape), dtypes.as_dtype(dtype).dtype))


def fill(dims: Any, value: Any, name: Any = None) -> Any:
    """A tensor of one value."""
    found = as_tensor(value)
    if is_traced(found) or found.is_tracer:
        return found + zeros(dims, found.dtype)
    return Tensor(np.full(sizes_of(dims), found.host))


def eye(
    num_rows: Any,
    num_columns: Any = None,
    batch_shape: Any = None,
    dtype: Any = dtypes.float32,
    name: Any = None,
) -> Any:
    """Ones on the diagonal, zeros elsewhere."""
    columns = None if num_columns is None else int(num_columns)
    found = np.eye(int(num_rows), columns, dtype=dtypes.as_dtype(dtype).dtype)
    batch = () if batch_shape is None else sizes_of(batch_shape)
    return Tensor(np.array(np.broadcast_to(found, (*batch, *found.shape))))


@operation()
def _like(numpy: Any, input: Any, dtype: Any, value: int) -> Any:
    return numpy.full(input.shape, value, input.dtype if dtype is None else as_kind(numpy, dtype))


def zeros_like(input: Any, dtype: Any = None, name: Any = None) -> Any:
    """Zeros in the shape of a tensor."""
    return _like(input, None if dtype is None else dtypes.as_dtype(dtype), 0)


def ones_like(input: Any, dtype: Any = None, name: Any = None) -> Any:
    """Ones in the shape of a tensor."""
    return _like(input, None if dtype is None else dtypes.as_dtype(dtype), 1)


def range(start: Any, limit: Any = None, delta: Any = 1, dtype: Any = None, name: Any = None) -> Any:
    """Numbers from `start` (0) to below `limit`, `delta` apart.

    >>> range(3).numpy().tolist()
    [0, 1, 2]
    """
    start, limit = (0, start) if limit is None else (start, limit)
    parts = [np.asarray(as_tensor(each)) for each in (start, limit, delta)]
    if dtype is None:
        kinds = [part.dtype for part in parts]
        wide = [kind for kind in kinds if kind.kind == "f"] or [kind for kind in kinds if kind == np.int64]
        dtype = np.result_type(*wide) if wide else np.int32
    return Tensor(np.arange(*(part.item() for part in parts), dtype=dtypes.as_dtype(dtype).dtype))


@operation(2, matched=True)
def _linspace(numpy: Any, start: Any, stop: Any, num: int, axis: int = 0) -> Any:
    kind = start.dtype if start.dtype.kind == "f" else as_kind(numpy, np.float64)
    return numpy.linspace(start, stop, num, axis=axis, dtype=kind)


def linspace(start: Any, stop: Any, num: Any, name: Any = None, axis: int = 0) -> Any:
    """`num` numbers from `start` to `stop`, both among them, as far apart as each other."""
    return _linspace(start, stop, int(num), axis)
