"""From anything that holds numbers to an array of the right type.

What leaves this file is strongly typed: a Python number becomes an array of
`floatx()` or int32 and never bends the type of what it meets later.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from doltap import config, dtypes
from doltap.errors import NotSupportedError
from doltap.ops.protocol import needs_arrays, operation

__all__ = ["array", "cast", "convert_to_numpy", "convert_to_tensor", "dtype", "is_tensor", "ndim"]
__all__ += ["saturate_cast", "shape", "size", "stop_gradient", "view"]

# An array, a Variable, a number, a list of those, or a symbolic tensor.
Tensor: TypeAlias = Any
Axis: TypeAlias = int | Sequence[int] | None


def device_type(dtype: Any) -> np.dtype[Any]:
    """The type as the device has it: without JAX's 64-bit switch, int64 is int32."""
    # Keras programs write "float64" and mean "as precise as there is".
    return jax.dtypes.canonicalize_dtype(dtypes.standardize(dtype))


def as_array(x: Tensor, dtype: Any = None) -> jax.Array:
    """The values as an array that has a type of its own."""
    if dtype is None:
        if isinstance(x, jax.Array):
            return x.astype(x.dtype) if x.weak_type else x
        dtype = config.floatx() if isinstance(x, float) and not isinstance(x, np.generic) else None
    values = jnp.asarray(x, None if dtype is None else device_type(dtype))
    return values.astype(values.dtype) if values.weak_type else values


def fractions(x: Tensor) -> jax.Array:
    """The values as an array that can hold fractions: whole numbers become `floatx()`."""
    x = as_array(x)
    return x if jnp.issubdtype(x.dtype, jnp.inexact) else x.astype(config.floatx())


def whole(x: Tensor) -> jax.Array:
    """The values as an array to count with: yes and no become 1 and 0."""
    x = as_array(x)
    return x.astype(jnp.int32) if x.dtype == bool else x


def promoted(*values: Tensor) -> list[Any]:
    """All values as arrays of the type that they have in common; Python's numbers bend to the arrays."""
    numbers = (bool, int, float, complex)
    values = tuple(value if type(value) in numbers else as_array(value) for value in values)
    common = jnp.result_type(*values)
    if jnp.issubdtype(common, jnp.floating) and not any(is_float(value) for value in values):
        common = device_type(None)
    # A number becomes an array of NumPy's: one on the device would cost more than the operation.
    return [
        np.array(value, common)
        if type(value) in numbers
        else (value if value.dtype == common else value.astype(common))
        for value in values
    ]


def is_float(value: Any) -> bool:
    """Whether it is an array of real numbers."""
    return isinstance(value, jax.Array) and dtypes.is_float(value.dtype)


def promoted_fractions(*values: Tensor) -> list[jax.Array]:
    """All values as arrays of one type that can hold fractions."""
    return [fractions(each) for each in promoted(*values)]


@operation()
def convert_to_tensor(x: Tensor, dtype: Any = None, sparse: Any = None, ragged: Any = None) -> jax.Array:
    """The values as an array on the device.

    Args:
        dtype: its type; None keeps the one of `x`, and a Python float is `floatx()`.
        sparse: only None or False; there are no sparse arrays here.
        ragged: only None or False.
    """
    if sparse or ragged:
        raise NotSupportedError(
            "ops.convert_to_tensor",
            expected="dense arrays",
            got="sparse=True" if sparse else "ragged=True",
            fix="Leave the keyword out; pad rows of different lengths with doltap.utils.pad_sequences.",
        )
    return as_array(x, dtype)


@operation()
def array(x: Tensor, dtype: Any = None) -> jax.Array:
    """The values as an array on the device; the short name of `convert_to_tensor`."""
    return as_array(x, dtype)


@needs_arrays
def convert_to_numpy(x: Tensor) -> np.ndarray:
    """A copy of the values as a NumPy array."""
    return np.array(x)


@operation()
def cast(x: Tensor, dtype: Any) -> jax.Array:
    """The values in another type; fractions are cut off where whole numbers are asked for."""
    return as_array(x).astype(device_type(dtype))


@operation()
def saturate_cast(x: Tensor, dtype: Any) -> jax.Array:
    """The values in another type, held at its smallest and largest number instead of running over.

    >>> saturate_cast([-5, 300], "uint8").tolist()
    [0, 255]
    """
    x, wanted = as_array(x), device_type(dtype)
    if jnp.bool_ in (wanted, x.dtype):
        return x.astype(wanted)
    (low, high), (own_low, own_high) = _bounds(wanted), _bounds(x.dtype)
    # The bounds have to be numbers that the type of x can hold, too.
    held = jnp.clip(x, jnp.asarray(max(low, own_low), x.dtype), jnp.asarray(min(high, own_high), x.dtype))
    # The nearest float to the largest integer may lie above it.
    return jnp.where(held >= high, jnp.asarray(high, wanted), held.astype(wanted))


def _bounds(dtype: np.dtype[Any]) -> tuple[Any, Any]:
    """The smallest and the largest finite number of a type."""
    limits = jnp.finfo(dtype) if jnp.issubdtype(dtype, jnp.inexact) else jnp.iinfo(dtype)
    return limits.min, limits.max


@operation()
def view(x: Tensor, dtype: Any = None) -> jax.Array:
    """The same bits read as another type."""
    x = as_array(x)
    return x if dtype is None else x.view(device_type(dtype))


@operation()
def stop_gradient(variable: Tensor) -> jax.Array:
    """The values as they are, but as a constant: no gradient flows back through them."""
    return jax.lax.stop_gradient(as_array(variable))


def shape(x: Tensor) -> tuple[int | None, ...]:
    """The lengths of the dimensions; None where a symbolic tensor leaves one open.

    >>> shape([[1, 2, 3]])
    (1, 3)
    """
    return tuple(x.shape if hasattr(x, "shape") else np.shape(x))


def ndim(x: Tensor) -> int:
    """How many dimensions there are."""
    return len(shape(x))


@operation()
def size(x: Tensor) -> int:
    """How many numbers there are in all."""
    return int(np.prod(np.shape(x)))


def dtype(x: Tensor) -> str:
    """The name of the type of the values.

    >>> dtype(jnp.zeros(2)), dtype(1.0), dtype([1, 2])
    ('float32', 'float32', 'int32')
    """
    return str(x.dtype if hasattr(x, "dtype") else as_array(x).dtype)


def is_tensor(x: Any) -> bool:
    """Whether it is an array of the device: neither NumPy's nor a list, Variable or symbolic tensor."""
    return isinstance(x, jax.Array)
