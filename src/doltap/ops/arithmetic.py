"""Two numbers in, one out: arithmetic, comparison and logic, element by element.

The operands take the type that they have in common first, and their shapes
are broadcast as NumPy does.
"""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array

from doltap.errors import DataError
from doltap.ops.conversion import Tensor, as_array, promoted, promoted_fractions
from doltap.ops.protocol import operation

__all__ = ["add", "allclose", "arctan2", "bitwise_and", "bitwise_left_shift", "bitwise_or"]
__all__ += ["bitwise_right_shift", "bitwise_xor", "divide", "divide_no_nan", "equal", "floor_divide"]
__all__ += ["fmax", "fmin", "fmod", "gcd", "greater", "greater_equal", "heaviside", "hypot", "isclose"]
__all__ += ["lcm", "ldexp", "left_shift", "less", "less_equal", "logaddexp", "logaddexp2"]
__all__ += ["logical_and", "logical_or", "logical_xor", "maximum", "minimum", "mod", "multiply"]
__all__ += ["nextafter", "not_equal", "power", "right_shift", "subtract", "true_divide"]


# Arithmetic


@operation()
def add(x1: Tensor, x2: Tensor) -> Array:
    """The sum; of two booleans, whether one is true."""
    return jnp.add(*promoted(x1, x2))


@operation()
def subtract(x1: Tensor, x2: Tensor) -> Array:
    """The first less the second."""
    return jnp.subtract(*promoted(x1, x2))


@operation()
def multiply(x1: Tensor, x2: Tensor) -> Array:
    """The product."""
    return jnp.multiply(*promoted(x1, x2))


@operation("Divide", "TrueDivide", "true_divide")
def divide(x1: Tensor, x2: Tensor) -> Array:
    """The quotient, always as fractions."""
    return jnp.divide(*promoted(x1, x2))


@operation()
def divide_no_nan(x1: Tensor, x2: Tensor) -> Array:
    """The quotient, and 0 where the second is 0.

    >>> divide_no_nan([1.0, 1.0], [2.0, 0.0]).tolist()
    [0.5, 0.0]
    """
    x1, x2 = promoted_fractions(x1, x2)
    is_zero = x2 == 0
    # Dividing by 1 there keeps NaN out of the gradient, which `where` alone would not.
    return jnp.where(is_zero, jnp.zeros((), x1.dtype), x1 / jnp.where(is_zero, jnp.ones((), x2.dtype), x2))


@operation()
def floor_divide(x1: Tensor, x2: Tensor) -> Array:
    """The quotient, rounded down."""
    return jnp.floor_divide(*promoted(x1, x2))


@operation()
def mod(x1: Tensor, x2: Tensor) -> Array:
    """What remains of the division; it has the sign of the second."""
    return jnp.mod(*promoted(x1, x2))


@operation()
def fmod(x1: Tensor, x2: Tensor) -> Array:
    """What remains of the division; it has the sign of the first."""
    return jnp.fmod(*promoted(x1, x2))


@operation()
def power(x1: Tensor, x2: Tensor) -> Array:
    """The first to the power of the second."""
    return jnp.power(*promoted(x1, x2))


@operation()
def arctan2(x1: Tensor, x2: Tensor) -> Array:
    """The angle in radians of the point (x2, x1), from -pi to pi."""
    return jnp.arctan2(*promoted_fractions(x1, x2))


@operation()
def hypot(x1: Tensor, x2: Tensor) -> Array:
    """The length of the hypotenuse over two sides at a right angle."""
    return jnp.hypot(*promoted_fractions(x1, x2))


@operation()
def logaddexp(x1: Tensor, x2: Tensor) -> Array:
    """`log(exp(x1) + exp(x2))` without running over."""
    return jnp.logaddexp(*promoted_fractions(x1, x2))


@operation()
def logaddexp2(x1: Tensor, x2: Tensor) -> Array:
    """`log2(2**x1 + 2**x2)` without running over."""
    return jnp.logaddexp2(*promoted_fractions(x1, x2))


@operation()
def ldexp(x1: Tensor, x2: Tensor) -> Array:
    """The first times two to the power of the second, which is a whole number."""
    x2 = as_array(x2)
    if not jnp.issubdtype(x2.dtype, jnp.integer):
        raise DataError(
            "ops.ldexp",
            expected="whole numbers as x2",
            got=f"the type {x2.dtype}",
            fix="Use x1 * ops.exp2(x2), or cast x2.",
        )
    return jnp.ldexp(as_array(x1), x2)


@operation()
def gcd(x1: Tensor, x2: Tensor) -> Array:
    """The greatest whole number that divides both."""
    return jnp.gcd(*promoted(x1, x2))


@operation()
def lcm(x1: Tensor, x2: Tensor) -> Array:
    """The least whole number that both divide."""
    return jnp.lcm(*promoted(x1, x2))


@operation()
def nextafter(x1: Tensor, x2: Tensor) -> Array:
    """The next number after the first in the direction of the second."""
    return jnp.nextafter(*promoted_fractions(x1, x2))


@operation()
def heaviside(x1: Tensor, x2: Tensor) -> Array:
    """0 left of zero, 1 right of it, and the second at zero."""
    return jnp.heaviside(*promoted_fractions(x1, x2))


# The larger, the smaller


@operation()
def maximum(x1: Tensor, x2: Tensor) -> Array:
    """The larger of the two; NaN if one of them is."""
    return jnp.maximum(*promoted(x1, x2))


@operation()
def minimum(x1: Tensor, x2: Tensor) -> Array:
    """The smaller of the two; NaN if one of them is."""
    return jnp.minimum(*promoted(x1, x2))


@operation()
def fmax(x1: Tensor, x2: Tensor) -> Array:
    """The larger of the two; a NaN gives way to the other."""
    return jnp.fmax(*promoted(x1, x2))


@operation()
def fmin(x1: Tensor, x2: Tensor) -> Array:
    """The smaller of the two; a NaN gives way to the other."""
    return jnp.fmin(*promoted(x1, x2))


# Comparison


@operation()
def equal(x1: Tensor, x2: Tensor) -> Array:
    """Whether both are equal."""
    return jnp.equal(*promoted(x1, x2))


@operation()
def not_equal(x1: Tensor, x2: Tensor) -> Array:
    """Whether they differ."""
    return jnp.not_equal(*promoted(x1, x2))


@operation()
def greater(x1: Tensor, x2: Tensor) -> Array:
    """Whether the first is larger."""
    return jnp.greater(*promoted(x1, x2))


@operation()
def greater_equal(x1: Tensor, x2: Tensor) -> Array:
    """Whether the first is not smaller."""
    return jnp.greater_equal(*promoted(x1, x2))


@operation()
def less(x1: Tensor, x2: Tensor) -> Array:
    """Whether the first is smaller."""
    return jnp.less(*promoted(x1, x2))


@operation()
def less_equal(x1: Tensor, x2: Tensor) -> Array:
    """Whether the first is not larger."""
    return jnp.less_equal(*promoted(x1, x2))


@operation()
def isclose(x1: Tensor, x2: Tensor, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Array:
    """Whether they differ by at most `atol + rtol * abs(x2)`."""
    x1, x2 = promoted(x1, x2)
    return jnp.isclose(x1, x2, rtol, atol, equal_nan)


@operation("AllClose")
def allclose(
    x1: Tensor, x2: Tensor, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Array:
    """Whether all elements differ by at most `atol + rtol * abs(x2)`."""
    x1, x2 = promoted(x1, x2)
    return jnp.allclose(x1, x2, rtol, atol, equal_nan)


# Logic and bits


@operation()
def logical_and(x1: Tensor, x2: Tensor) -> Array:
    """Whether both are true."""
    return jnp.logical_and(*promoted(x1, x2))


@operation()
def logical_or(x1: Tensor, x2: Tensor) -> Array:
    """Whether at least one is true."""
    return jnp.logical_or(*promoted(x1, x2))


@operation()
def logical_xor(x1: Tensor, x2: Tensor) -> Array:
    """Whether exactly one is true."""
    return jnp.logical_xor(*promoted(x1, x2))


@operation()
def bitwise_and(x: Tensor, y: Tensor) -> Array:
    """The bits that both have."""
    return jnp.bitwise_and(*promoted(x, y))


@operation()
def bitwise_or(x: Tensor, y: Tensor) -> Array:
    """The bits that at least one has."""
    return jnp.bitwise_or(*promoted(x, y))


@operation()
def bitwise_xor(x: Tensor, y: Tensor) -> Array:
    """The bits that exactly one has."""
    return jnp.bitwise_xor(*promoted(x, y))


@operation()
def bitwise_left_shift(x: Tensor, y: Tensor) -> Array:
    """The bits of the first, moved up by so many places."""
    return jnp.left_shift(*promoted(x, y))


@operation()
def bitwise_right_shift(x: Tensor, y: Tensor) -> Array:
    """The bits of the first, moved down by so many places."""
    return jnp.right_shift(*promoted(x, y))


@operation()
def left_shift(x: Tensor, y: Tensor) -> Array:
    """The bits of the first, moved up by so many places."""
    return jnp.left_shift(*promoted(x, y))


@operation()
def right_shift(x: Tensor, y: Tensor) -> Array:
    """The bits of the first, moved down by so many places."""
    return jnp.right_shift(*promoted(x, y))


true_divide = divide
