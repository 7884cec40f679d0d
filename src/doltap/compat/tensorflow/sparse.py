"""`tf.sparse`: tensors given by the places that hold something, which here hold zeros in between as well.

Every other function takes them for the plain tensors that they are.
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from doltap.compat.tensorflow import dtypes, lacking
from doltap.compat.tensorflow.errors import InvalidArgumentError
from doltap.compat.tensorflow.tensor import Tensor, array_from, as_tensor

__all__ = ["IndexedSlices", "SparseTensor", "from_dense", "of_lists", "reduce_sum", "reorder"]
__all__ += ["sparse_dense_matmul", "to_dense"]


class SparseTensor(Tensor):
    """Values at some places of a shape, and nothing elsewhere.

    Args:
        indices: the place of each value, (values, dimensions).
        values: the values.
        dense_shape: the lengths of the dimensions.

    >>> to_dense(SparseTensor([[0, 1], [1, 0]], [1.0, 2.0], [2, 2])).numpy().tolist()
    [[0.0, 1.0], [2.0, 0.0]]
    """

    __slots__ = ("indices", "values")

    def __init__(self, indices: Any, values: Any, dense_shape: Any) -> None:
        self.values = as_tensor(values)
        shape = tuple(int(size) for size in array_from(dense_shape))
        self.indices = as_tensor(np.array(array_from(indices), np.int64).reshape(-1, len(shape)))
        super().__init__(_filled(self, shape, b"" if self.values.dtype == dtypes.string else 0))

    @property
    def dense_shape(self) -> Any:
        """The lengths of the dimensions, as a tensor."""
        return as_tensor(np.array(self.host.shape, np.int64))

    def __repr__(self) -> str:
        parts = f"indices={self.indices!s}, values={self.values!s}, dense_shape={self.dense_shape!s}"
        return f"SparseTensor({parts})"

    __str__ = __repr__

    def _each(self, compute: Callable[..., Any], other: Any) -> SparseTensor:
        """The values with those of another tensor; nothing stays where there was nothing."""
        factors = np.broadcast_to(array_from(other), self.host.shape)[tuple(self.indices.host.T)]
        values = compute(self.values.host, factors.astype(self.values.host.dtype))
        return SparseTensor(self.indices, values, self.dense_shape)

    def __mul__(self, other: Any) -> SparseTensor:
        return self._each(operator.mul, other)

    def __truediv__(self, other: Any) -> SparseTensor:
        return self._each(operator.truediv, other)

    def __add__(self, other: Any) -> Any:
        raise _refusal("+", other)

    def __sub__(self, other: Any) -> Any:
        raise _refusal("-", other)

    __rmul__, __radd__, __rsub__ = __mul__, __add__, __sub__

    def __reduce__(self) -> Any:
        return SparseTensor, (self.indices, self.values, self.dense_shape)


def _filled(sparse: SparseTensor, shape: tuple[int, ...], nothing: Any) -> np.ndarray:
    kind = object if sparse.values.dtype == dtypes.string else sparse.values.host.dtype
    dense = np.full(shape, nothing, kind)
    dense[tuple(sparse.indices.host.T)] = sparse.values.host
    return dense


def _refusal(sign: str, other: Any) -> TypeError:
    return TypeError(
        f"unsupported operand type(s) for {sign}: 'SparseTensor' and '{type(other).__name__}'; "
        "tf.sparse.to_dense gives a tensor that can be added to"
    )


class IndexedSlices:
    """Rows of a tensor, by their numbers: what `Variable.scatter_update` takes."""

    def __init__(self, values: Any, indices: Any, dense_shape: Any = None) -> None:
        self.values, self.indices = as_tensor(values), as_tensor(indices)
        self.dense_shape = dense_shape


def to_dense(
    sp_input: Any, default_value: Any = None, validate_indices: bool = True, name: Any = None
) -> Any:
    """The plain tensor, with the default, or nothing, at all other places; a plain one as it is.

    Raises:
        InvalidArgumentError: the places are not in order.
    """
    if not isinstance(sp_input, SparseTensor):
        return as_tensor(sp_input)
    places = [tuple(place) for place in sp_input.indices.host.tolist()]
    for number, (before, after) in enumerate(itertools.pairwise(places), start=1):
        if validate_indices and before >= after:
            raise InvalidArgumentError(
                "tf.sparse.to_dense",
                expected="indices in order, each once",
                got=f"indices[{number}] = {list(after)}, which is out of order",
                fix="First: tf.sparse.reorder(...).",
            )
    if default_value is None:
        return Tensor(sp_input.host)
    nothing = as_tensor(default_value).host[()]
    return Tensor(_filled(sp_input, sp_input.host.shape, nothing))


def from_dense(tensor: Any, name: Any = None) -> SparseTensor:
    """The places of a tensor that hold something."""
    values = as_tensor(tensor).host
    places = np.argwhere(values != (b"" if values.dtype == object else 0))
    return SparseTensor(places, values[tuple(places.T)], values.shape)


def of_lists(*rows: np.ndarray, is_one: bool = False) -> SparseTensor:
    """Lists of several lengths below each other.

    Args:
        is_one: whether it is a single list, without rows.
    """
    places = [(row, column) for row, values in enumerate(rows) for column in range(len(values))]
    shape = [len(rows), max(map(len, rows), default=0)]
    values = np.concatenate(rows) if rows else np.zeros(0, np.float32)
    found = np.array(places, np.int64).reshape(-1, 2)
    return SparseTensor(found[:, 1:], values, shape[1:]) if is_one else SparseTensor(found, values, shape)


def reorder(sp_input: SparseTensor, name: Any = None) -> SparseTensor:
    """The same with its places in order."""
    order = np.lexsort(sp_input.indices.host.T[::-1])
    return SparseTensor(sp_input.indices.host[order], sp_input.values.host[order], sp_input.dense_shape)


def sparse_dense_matmul(
    sp_a: Any, b: Any, adjoint_a: bool = False, adjoint_b: bool = False, name: Any = None
) -> Any:
    """The matrix product, as a plain tensor."""
    left, right = (each.host if isinstance(each, SparseTensor) else array_from(each) for each in (sp_a, b))
    return as_tensor((left.T if adjoint_a else left) @ (right.T if adjoint_b else right))


def reduce_sum(sp_input: Any, axis: Any = None, keepdims: bool = False, **_: Any) -> Any:
    """The sum along some axes, as a plain tensor."""
    along = tuple(axis) if isinstance(axis, (list, tuple)) else axis
    values = sp_input.host
    return as_tensor(np.asarray(values.sum(along, keepdims=keepdims), values.dtype))


lacking.guard(__name__)
