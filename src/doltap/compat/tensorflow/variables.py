"""`tf.Variable`: a variable of doltap's that says what it holds as TensorFlow's do.

Because it is one of doltap's own, layers find it, optimizers move it and
programs borrow it; its values are read as a tensor, which tapes know.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from doltap.compat.tensorflow import arithmetic, arranging, dtypes
from doltap.compat.tensorflow.dtypes import DType, TensorShape
from doltap.compat.tensorflow.recording import scope, silently
from doltap.compat.tensorflow.tensor import Reference, Tensor, Value, as_tensor, is_traced, reading
from doltap.core import tensors
from doltap.errors import DataError, ShapeError

__all__ = ["Variable", "VariableAggregation", "VariableSynchronization"]


class VariableSynchronization:
    """How variables on several machines are kept alike: accepted, and not needed on one."""

    AUTO, NONE, ON_WRITE, ON_READ = "auto", "none", "on_write", "on_read"


class VariableAggregation:
    """How changes on several machines are brought together: accepted, and not needed on one."""

    NONE, SUM, MEAN, ONLY_FIRST_REPLICA = "none", "sum", "mean", "only_first_replica"


def _is_wide(dtype: Any) -> bool:
    """Whether JAX has to be told to keep a type of 64 bits."""
    return np.dtype(dtype).itemsize == 8 and np.dtype(dtype).kind in "fiu"


class Variable(tensors.Variable):
    """Numbers that can be assigned, and that training moves.

    Args:
        initial_value: anything a tensor can be made of, or a function that gives it.
        trainable: whether tapes watch it and training moves it.
        dtype: type; None means that of the value, float32 for Python's fractions.

    >>> v = Variable([1.0, 2.0])
    >>> v.assign_add([1.0, 1.0])
    <tf.Variable 'Variable:0' shape=(2,) dtype=float32, numpy=array([2., 3.], dtype=float32)>
    """

    def __init__(
        self,
        initial_value: Any = None,
        trainable: bool | None = True,
        validate_shape: bool = True,
        caching_device: Any = None,
        name: str | None = None,
        variable_def: Any = None,
        dtype: Any = None,
        import_scope: Any = None,
        constraint: Callable[[Any], Any] | None = None,
        synchronization: Any = None,
        aggregation: Any = None,
        shape: Any = None,
    ) -> None:
        if initial_value is None:
            raise DataError(
                "tf.Variable",
                expected="an initial value",
                got="none",
                fix="For example tf.Variable(0.0) or tf.Variable(tf.zeros((2, 3))).",
            )
        value = initial_value() if callable(initial_value) else initial_value
        start = as_tensor(value, None if dtype is None else dtypes.as_dtype(dtype))
        values = np.asarray(start.host if isinstance(start, Tensor) else start)
        super().__init__(
            np.zeros((), np.float32),
            dtype="float32",
            trainable=trainable is not False,
            name=name or "Variable",
        )
        self.shape, self.dtype = TensorShape(values.shape), dtypes.as_dtype(values.dtype)  # type: ignore[assignment]
        self.autocast, self.constraint = False, constraint
        self.name = f"{self.name}:0"
        self._take(values)

    def _take(self, values: np.ndarray) -> None:
        with jax.enable_x64(_is_wide(values.dtype)):
            self.array = tensors.place(values)

    # Its values.

    @property
    def value(self) -> Any:
        """Its values now, as a tensor; `value()` and `value` are the same."""
        return Value(reading(self))

    def read_value(self) -> Any:
        """Its values now, as a tensor."""
        return arithmetic.identity(self)

    def numpy(self) -> Any:
        """A copy as NumPy has it."""
        values = np.array(self.array)
        return values if values.ndim else values[()]

    def initialized_value(self) -> Any:
        """Its values now."""
        return self.read_value()

    def get_shape(self) -> TensorShape:
        """The lengths of the dimensions."""
        return TensorShape(self.shape)

    def ref(self) -> Reference:
        """What stands for it as a key of a dict."""
        return Reference(self)

    @property
    def handle(self) -> Variable:
        """The variable itself."""
        return self

    # Changing them.

    def assign(self, value: Any, use_locking: bool = False, name: Any = None, read_value: bool = True) -> Any:
        """Give it a new value of the same shape."""
        if isinstance(value, tensors.Variable):
            value = value.read()
        if isinstance(value, Tensor):
            value = value.array
        if tuple(np.shape(value)) != tuple(self.shape):
            raise ShapeError(
                f"tf.Variable '{self.name}'",
                expected=f"a value of shape {self.shape}",
                got=f"shape {np.shape(value)}",
                fix="Give it an array of its own shape.",
            )
        if is_traced(value) or tensors.is_lent(self):
            return super().assign(value)
        self._take(np.asarray(value).astype(self.dtype.dtype, copy=False))  # type: ignore[attr-defined]
        return self

    def assign_add(
        self, delta: Any, use_locking: bool = False, name: Any = None, read_value: bool = True
    ) -> Any:
        """Add to it."""
        return self.assign(_silent(arithmetic.add, self, delta))

    def assign_sub(
        self, delta: Any, use_locking: bool = False, name: Any = None, read_value: bool = True
    ) -> Any:
        """Subtract from it."""
        return self.assign(_silent(arithmetic.subtract, self, delta))

    def scatter_nd_update(self, indices: Any, updates: Any, name: Any = None) -> Any:
        """Give other values to the elements, or slices, at some places."""
        return self.assign(_silent(arranging.tensor_scatter_nd_update, self, indices, updates))

    def scatter_nd_add(self, indices: Any, updates: Any, name: Any = None) -> Any:
        """Add to the elements, or slices, at some places."""
        return self.assign(_silent(arranging.tensor_scatter_nd_add, self, indices, updates))

    def scatter_nd_sub(self, indices: Any, updates: Any, name: Any = None) -> Any:
        """Subtract from the elements, or slices, at some places."""
        return self.assign(_silent(arranging.tensor_scatter_nd_sub, self, indices, updates))

    def scatter_update(self, sparse_delta: Any, use_locking: bool = False, name: Any = None) -> Any:
        """Give other values to the rows of some `tf.IndexedSlices`."""
        return self.scatter_nd_update(arranging.expand_dims(sparse_delta.indices, -1), sparse_delta.values)

    def scatter_add(self, sparse_delta: Any, use_locking: bool = False, name: Any = None) -> Any:
        """Add to the rows of some `tf.IndexedSlices`."""
        return self.scatter_nd_add(arranging.expand_dims(sparse_delta.indices, -1), sparse_delta.values)

    def scatter_sub(self, sparse_delta: Any, use_locking: bool = False, name: Any = None) -> Any:
        """Subtract from the rows of some `tf.IndexedSlices`."""
        return self.scatter_nd_sub(arranging.expand_dims(sparse_delta.indices, -1), sparse_delta.values)

    def __getitem__(self, index: Any) -> Any:
        piece = reading(self)[index]  # type: ignore[index]
        piece.origin = self, index
        return piece

    def __bool__(self) -> bool:
        return bool(np.asarray(self.array))

    def __iter__(self) -> Any:
        return iter(reading(self))

    def __format__(self, how: str) -> str:
        return format(self.numpy(), how) if how else str(self)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.array, dtype=dtype)

    def __jax_array__(self) -> Any:
        return jnp.asarray(self.read())

    def __repr__(self) -> str:
        shown = repr(Tensor(np.asarray(self.numpy())))
        values = shown[shown.index("numpy=") :]
        kind: DType = self.dtype  # type: ignore[assignment]
        return f"<tf.Variable '{self.name}' shape={self.shape} dtype={kind.name}, {values}"

    __hash__ = tensors.Variable.__hash__

    def __deepcopy__(self, memo: Any) -> Variable:
        return Variable(self.numpy(), self.trainable, name=self.name.removesuffix(":0"))


def _silent(function: Callable[..., Any], *arguments: Any) -> Any:
    """What the function gives; it is no part of what tapes are to hear."""
    with silently(scope.by_hand):
        return function(*arguments)


for _name, _method in arithmetic.operator_methods().items():
    setattr(Variable, _name, _method)
Variable.__hash__ = tensors.Variable.__hash__  # type: ignore[method-assign]
