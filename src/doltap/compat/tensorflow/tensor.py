"""The eager Tensor: numbers that are there, with TensorFlow's operators, heard by tapes.

Make one with `as_tensor(value, dtype=None)`; `tensor.numpy()` is a copy as a
NumPy array, `tensor.array` what JAX takes, without a copy, and `unwrapped(tree)`
puts that in the place of every tensor in lists, tuples and dicts.

Values live on the host, in NumPy, which has every type and compiles nothing; what
layers and gradients give stays on the device until somebody looks. Inside a
compiled program the value is a tracer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from doltap.compat.tensorflow import dtypes
from doltap.compat.tensorflow.dtypes import DType, TensorShape
from doltap.compat.tensorflow.recording import scope
from doltap.core.tensors import Variable
from doltap.errors import MissingAttributeError, NotSupportedError, ShapeError, closest

__all__ = ["Reference", "Tensor", "Value", "array_from", "as_tensor", "common_type", "is_traced", "reading"]
__all__ += ["tensor_functions", "unwrapped", "wrapped"]

# What NumPy calls things that a Tensor has functions for.
_FUNCTIONS = {
    "T": "tf.transpose(x)",
    "reshape": "tf.reshape(x, shape)",
    "transpose": "tf.transpose(x)",
    "flatten": "tf.reshape(x, [-1])",
    "ravel": "tf.reshape(x, [-1])",
    "size": "tf.size(x)",
    "tolist": "x.numpy().tolist()",
    "item": "x.numpy().item()",
    "mean": "tf.reduce_mean(x)",
    "sum": "tf.reduce_sum(x)",
    "max": "tf.reduce_max(x)",
    "min": "tf.reduce_min(x)",
    "clip": "tf.clip_by_value(x, low, high)",
    "copy": "tf.identity(x)",
    "graph": "x itself: there are no graphs",
    "op": "x itself: there are no graphs",
    "eval": "x.numpy(): there are no sessions",
    "detach": "tf.stop_gradient(x)",
}


class Tensor:
    """Numbers in a shape, which never change.

    >>> Tensor(np.float32([1.0, 2.0]))
    <tf.Tensor: shape=(2,), dtype=float32, numpy=array([1., 2.], dtype=float32)>
    """

    __slots__ = ("__weakref__", "_device", "_host", "mask", "origin", "variable")

    # NumPy arrays on the left of an operator leave it to the tensor.
    __array_priority__ = 100
    # By this doltap's operations tell it from the promise of an array.
    has_values = True

    def __init__(self, value: Any, variable: Variable | None = None) -> None:
        is_host = isinstance(value, (np.ndarray, np.generic))
        self._host: Any = np.asarray(value) if is_host else None
        self._device: Any = None if is_host else value
        # The variable that it was read from.
        self.variable = variable
        # Which steps of a sequence count, where a layer said so.
        self.mask: Any = None
        # The variable of which it is a piece, and which one.
        self.origin: tuple[Variable, Any] | None = None

    # Its values.

    @property
    def array(self) -> Any:
        """What JAX takes: an array of the device, of NumPy, or a tracer."""
        return self._host if self._device is None else self._device

    @property
    def host(self) -> np.ndarray:
        """The values in NumPy, not to be written to."""
        if self._host is not None:
            return self._host
        try:
            # What a variable holds may be given to a program that writes over it.
            values = np.asarray(self._device) if self.variable is None else np.array(self._device)
        except jax.errors.TracerArrayConversionError as error:
            raise _without_values() from error
        if not self.is_tracer:
            self._host = values
        return values

    @property
    def is_tracer(self) -> bool:
        """Whether its values are not known yet, inside a compiled program."""
        return isinstance(self._device, jax.core.Tracer)

    def numpy(self) -> Any:
        """The values as NumPy has them: an array, or a number for a tensor without dimensions."""
        values = self.host
        return values.copy() if values.ndim else values[()]

    _numpy = numpy

    @property
    def dtype(self) -> DType:
        """The type of the values."""
        return dtypes.as_dtype(self.array.dtype)

    @property
    def shape(self) -> TensorShape:
        """The lengths of the dimensions."""
        return TensorShape(self.array.shape)

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self.array.shape)

    rank = ndim

    @property
    def device(self) -> str:
        """Where it is, in TensorFlow's words."""
        kind = "GPU" if self._device is not None and jax.default_backend() == "gpu" else "CPU"
        return f"/job:localhost/replica:0/task:0/device:{kind}:0"

    def get_shape(self) -> TensorShape:
        """The lengths of the dimensions."""
        return self.shape

    def set_shape(self, shape: Any) -> None:
        """Nothing, where the shape is the one it has; an error otherwise."""
        self.shape.assert_is_compatible_with(shape)

    def astype(self, dtype: Any) -> Any:
        """The same numbers as another type."""
        return tensor_functions["cast"](self, dtype)

    def ref(self) -> Reference:
        """What stands for it as a key of a dict."""
        return Reference(self)

    def assign(self, value: Any, *_: Any, **__: Any) -> Any:
        """Give this piece of a variable another value: `v[0, 1].assign(3.0)`."""
        if self.origin is None:
            raise MissingAttributeError(
                "a tf.Tensor",
                expected="a variable, or a piece of one, to assign to",
                got="'assign' of a tensor, which never changes",
                fix="Make a variable: v = tf.Variable(x), then v.assign(...).",
            )
        variable, index = self.origin
        values = np.array(variable.numpy())
        values[_plain_index(index)] = np.asarray(value)
        return variable.assign(values)

    def assign_add(self, value: Any, *_: Any, **__: Any) -> Any:
        """Add to this piece of a variable."""
        return self.assign(self.host + np.asarray(value, self.host.dtype))

    def assign_sub(self, value: Any, *_: Any, **__: Any) -> Any:
        """Subtract from this piece of a variable."""
        return self.assign(self.host - np.asarray(value, self.host.dtype))

    def cpu(self) -> Tensor:
        """The tensor itself."""
        return self

    def gpu(self) -> Tensor:
        """The tensor itself: what needs a device is put there when it is used."""
        return self

    def record_call(self, function: Callable[..., Any], arguments: tuple[Any, ...], keywords: dict) -> Any:
        """What one of doltap's operations gives for these arguments, among which this tensor is."""
        return tensor_functions["foreign"](function, arguments, keywords)

    # What Python asks of it.

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if self.is_tracer:
            return np.asarray(self._device)
        return np.array(self.host, dtype=dtype)

    def __jax_array__(self) -> Any:
        return jnp.asarray(self.array)

    def __float__(self) -> float:
        return float(self._single())

    def __int__(self) -> int:
        return int(self._single())

    def __complex__(self) -> complex:
        return complex(self._single())

    def __index__(self) -> int:
        return (self._device if self.is_tracer else self.host[()]).__index__()

    def __bool__(self) -> bool:
        return bool(self._device if self.is_tracer else self.host)

    def _single(self) -> Any:
        if self.is_tracer:
            return self._device
        # NumPy no longer takes a row of one number for a number; programs do.
        return self.host.item() if self.host.size == 1 and self.host.dtype != object else self.host[()]

    def __len__(self) -> int:
        if not self.ndim:
            raise TypeError("Scalar tensor has no `len()`")
        return self.array.shape[0]

    def __iter__(self) -> Iterator[Any]:
        if not self.ndim:
            raise TypeError("Cannot iterate over a scalar tensor.")
        return (self[number] for number in range(self.array.shape[0]))  # type: ignore[index]

    def __format__(self, how: str) -> str:
        return str(self) if not how and self.ndim else format(self._single() if how else self.numpy(), how)

    def __reduce__(self) -> Any:
        return Tensor, (self.host,)

    def __hash__(self) -> int:
        raise TypeError("Tensor is unhashable. Instead, use tensor.ref() as the key.")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name in Tensor.__slots__:
            raise AttributeError(name)
        cure = _FUNCTIONS.get(name)
        guess = closest(name, [each for each in dir(Tensor) if not each.startswith("_")])
        raise MissingAttributeError(
            "a tf.Tensor",
            expected="an attribute it has",
            got=f"'{name}'",
            fix=f"Write {cure}." if cure else f"Did you mean '{guess}'?" if guess else "See dir(tf.Tensor).",
        )

    def __repr__(self) -> str:
        if self.is_tracer:
            return f"<tf.Tensor: shape={self.shape}, dtype={self.dtype.name}, inside a compiled program>"
        return f"<tf.Tensor: shape={self.shape}, dtype={self.dtype.name}, numpy={_shown(self.host)}>"

    def __str__(self) -> str:
        if self.is_tracer:
            return repr(self)
        values = str(self.host)
        values = f"\n{values}" if "\n" in values else values
        return f"tf.Tensor({values}, shape={self.shape}, dtype={self.dtype.name})"


class Value(Tensor):
    """The values of a variable, which may also be called for: `v.value` and `v.value()`."""

    __slots__ = ()

    def __init__(self, read: Tensor) -> None:
        super().__init__(read.array, read.variable)

    def __call__(self) -> Tensor:
        """The values themselves."""
        return self


# The functions that are made of tensors, and that a tensor offers as methods: `calls` fills them in.
tensor_functions: dict[str, Callable[..., Any]] = {}


class Reference:
    """A tensor or variable that is found in a dict by what it is, not by its values."""

    def __init__(self, referent: Any) -> None:
        self._referent = referent

    def deref(self) -> Any:
        """The tensor or variable."""
        return self._referent

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reference) and self._referent is other._referent

    def __hash__(self) -> int:
        return id(self._referent)

    def __repr__(self) -> str:
        return f"<Reference wrapping {self._referent!r}>"


def _plain_index(index: Any) -> Any:
    if isinstance(index, tuple):
        return tuple(_plain_index(each) for each in index)
    return np.asarray(index) if isinstance(index, (Tensor, Variable)) else index


def _shown(values: np.ndarray) -> str:
    """The values as TensorFlow shows them behind `numpy=`."""
    if not values.ndim:
        return repr(values.item()) if values.dtype.kind in "OSUb" else str(values[()].item())
    shown = repr(values)
    return f"\n{shown}" if "\n" in shown else shown


def _without_values() -> NotSupportedError:
    return NotSupportedError(
        "tensor.numpy()",
        expected="a tensor whose values are known",
        got="one inside a compiled program, where they are not yet",
        fix="Use functions such as tf.where on it, or compile(run_eagerly=True) to look at values.",
    )


def is_traced(value: Any) -> bool:
    """Whether it is an array inside a compiled program, as it came from JAX."""
    return isinstance(value, jax.core.Tracer)


# From anything that holds numbers to a tensor.


def as_tensor(value: Any, dtype: Any = None) -> Any:
    """The tensor of some values: of a tensor, variable, array, number, text, or lists of those.

    Python's fractions become float32 and its whole numbers int32; arrays keep
    their type. An array inside a compiled program stays what it is.

    >>> as_tensor([1, 2]).dtype, as_tensor(1.5).dtype, as_tensor(np.zeros(2)).dtype
    (tf.int32, tf.float32, tf.float64)
    """
    if is_traced(value) and scope.by_hand is not True:
        return value if dtype is None else value.astype(dtypes.as_dtype(dtype).dtype)
    if dtype is not None:
        dtype = dtypes.as_dtype(dtype)
    if isinstance(value, Variable):
        value = reading(value)
    if isinstance(value, Tensor):
        return value if dtype is None or value.dtype == dtype else value.astype(dtype)
    if isinstance(value, jax.Array):
        found = Tensor(value)
        return found if dtype is None or found.dtype == dtype else found.astype(dtype)
    if isinstance(value, (list, tuple)) and _has_tensors(value):
        found = tensor_functions["stack"]([as_tensor(each, dtype) for each in value])
        return found
    return Tensor(array_from(value, dtype))


def _has_tensors(values: Any) -> bool:
    kinds = (Tensor, Variable, jax.Array)
    return any(
        isinstance(value, kinds) or (isinstance(value, (list, tuple)) and _has_tensors(value))
        for value in values
    )


def array_from(value: Any, dtype: DType | None = None) -> np.ndarray:
    """Values that are no tensors as an array of NumPy's of their own.

    Args:
        dtype: None means the one that TensorFlow gives such values.
    """
    if value is None:
        raise _no_values(value, "None")
    if hasattr(value, "to_numpy"):
        value = value.to_numpy()
    try:
        array = np.array(value)
    except ValueError:
        raise _no_values(value, "rows of different lengths") from None
    if array.dtype.kind in "USO":
        return _texts(array, value)
    if dtype is None:
        dtype = _usual_type(value, array)
    is_pythons = not isinstance(value, (np.ndarray, np.generic))
    if dtype.is_integer and array.dtype.kind == "f" and array.size and is_pythons:
        raise TypeError(f"Cannot convert {value!r} to EagerTensor of dtype {dtype.name}")
    return array.astype(dtype.dtype, copy=False)


def _usual_type(value: Any, array: np.ndarray) -> DType:
    """The type of such values: NumPy's own for arrays, float32 and int32 for Python's."""
    if array.dtype.kind not in "fi" or isinstance(value, (np.ndarray, np.generic)) or hasattr(value, "dtype"):
        return dtypes.as_dtype(array.dtype)
    if isinstance(value, (list, tuple)) and _first(value) is not None:
        return dtypes.as_dtype(array.dtype)
    if array.dtype.kind == "f":
        return dtypes.float32
    fits = not array.size or (array.min() >= -(2**31) and array.max() < 2**31)
    return dtypes.int32 if fits else dtypes.int64


def _first(value: Any) -> Any:
    """The first thing in lists of lists, where it is one of NumPy's; else None."""
    while isinstance(value, (list, tuple)) and value:
        value = value[0]
    return value if isinstance(value, (np.ndarray, np.generic)) else None


def _texts(array: np.ndarray, value: Any) -> np.ndarray:
    """Strings as bytes, as TensorFlow keeps them; numbers among objects as numbers."""
    if array.dtype.kind == "S" and not isinstance(value, (np.ndarray, np.generic)):
        # NumPy's own bytes lose the zeros at their end.
        array = np.array(value, object)
    if array.dtype.kind == "O":
        leaves = array.reshape(-1)
        if array.size and all(isinstance(leaf, (int, float, bool, np.number)) for leaf in leaves):
            return array_from(array.tolist())
        if not all(isinstance(leaf, (str, bytes)) for leaf in leaves):
            raise _no_values(value, type(leaves[0]).__name__)
    as_bytes = [leaf.encode() if isinstance(leaf, str) else bytes(leaf) for leaf in array.reshape(-1)]
    texts = np.empty(len(as_bytes), object)
    texts[:] = as_bytes
    return texts.reshape(array.shape)


def _no_values(value: Any, got: str) -> ShapeError:
    return ShapeError(
        "tf.convert_to_tensor",
        expected="numbers, texts or arrays, or lists of those with rows of one length",
        got=got,
        fix="Pad rows of different lengths with tf.keras.utils.pad_sequences."
        if isinstance(value, (list, tuple))
        else "Give it an array or a number.",
    )


def reading(variable: Variable) -> Tensor:
    """The value that a variable has now, known to be its; the same tensor as long as it has it."""
    array = variable.read()
    if not scope.tapes:
        return Tensor(array, variable)
    known = scope.readings.get(id(variable))
    if known is None or known._device is not array:
        known = scope.readings[id(variable)] = Tensor(array, variable)
    return known


_FLOAT_ORDER = ("float16", "bfloat16", "float32", "float64")


def common_type(first: np.dtype[Any], second: np.dtype[Any]) -> np.dtype[Any]:
    """The type in which values of two types are computed; TensorFlow refuses to mix them."""
    if first == second:
        return first
    kinds = (first.kind, second.kind)
    are_floats = [name in _FLOAT_ORDER for name in (first.name, second.name)]
    if all(are_floats):
        if {first.name, second.name} == {"float16", "bfloat16"}:
            return np.dtype(np.float32)
        return max(first, second, key=lambda dtype: _FLOAT_ORDER.index(dtype.name))
    if any(are_floats) and "c" not in kinds:
        return first if are_floats[0] else second
    return np.promote_types(first, second)


# Trees of tensors.


def unwrapped(tree: Any) -> Any:
    """The tree with the array in the place of every tensor; what holds none stays as it is."""
    if isinstance(tree, Tensor):
        return tree.array
    if isinstance(tree, dict):
        return type(tree)((key, unwrapped(item)) for key, item in tree.items())
    if isinstance(tree, (list, tuple)) and not isinstance(tree, TensorShape):
        items = [unwrapped(item) for item in tree]
        return type(tree)(*items) if hasattr(tree, "_fields") else type(tree)(items)
    return tree


def wrapped(tree: Any) -> Any:
    """The tree with a tensor in the place of every array."""
    return jax.tree.map(lambda leaf: leaf if isinstance(leaf, Tensor) else Tensor(leaf), tree)
