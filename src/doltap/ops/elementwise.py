"""One number in, one number out: what every element goes through by itself.

Where a function needs fractions, whole numbers become `floatx()` first; the
others keep the type that came in.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import Array

from doltap.ops.conversion import Tensor, as_array, fractions, whole
from doltap.ops.protocol import operation

__all__ = ["abs", "absolute", "angle", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctanh"]
__all__ += ["bitwise_invert", "bitwise_not", "cbrt", "ceil", "clip", "conj", "conjugate", "copy"]
__all__ += ["cos", "cosh", "deg2rad", "erf", "erfc", "erfinv", "exp", "exp2", "expm1", "fabs", "floor"]
__all__ += ["i0", "imag", "isfinite", "isinf", "isnan", "isneginf", "isposinf", "isreal", "log"]
__all__ += ["log10", "log1p", "log2", "logical_not", "nan_to_num", "negative", "polar", "rad2deg"]
__all__ += ["real", "reciprocal", "round", "rsqrt", "sign", "signbit", "sin", "sinc", "sinh", "sqrt"]
__all__ += ["square", "tan", "tanh", "trunc", "view_as_complex", "view_as_real"]


# Signs and rounding


@operation("Absolute", "Abs")
def absolute(x: Tensor) -> Array:
    """The distance from zero."""
    return jnp.abs(as_array(x))


@operation()
def fabs(x: Tensor) -> Array:
    """The distance from zero, as fractions."""
    return jnp.fabs(fractions(x))


@operation()
def negative(x: Tensor) -> Array:
    """The number with the other sign."""
    return jnp.negative(as_array(x))


@operation()
def sign(x: Tensor) -> Array:
    """Minus one, zero or one: on which side of zero the number lies."""
    return jnp.sign(as_array(x))


@operation()
def signbit(x: Tensor) -> Array:
    """Whether the sign is a minus; true for -0.0 as well."""
    return jnp.signbit(as_array(x))


@operation()
def ceil(x: Tensor) -> Array:
    """The smallest whole number that is not below."""
    return jnp.ceil(fractions(x))


@operation()
def floor(x: Tensor) -> Array:
    """The largest whole number that is not above."""
    return jnp.floor(fractions(x))


@operation()
def trunc(x: Tensor) -> Array:
    """The number without its fraction: rounded towards zero."""
    x = as_array(x)
    return jnp.trunc(x) if jnp.issubdtype(x.dtype, jnp.inexact) else x


@operation()
def round(x: Tensor, decimals: int = 0) -> Array:
    """The nearest number with so many decimals; halves go to the even one.

    Args:
        decimals: -1 rounds to tens.

    >>> round([0.5, 1.5, 2.5]).tolist(), round([14, 16], decimals=-1).tolist()
    ([0.0, 2.0, 2.0], [10, 20])
    """
    x = as_array(x)
    if jnp.issubdtype(x.dtype, jnp.inexact):
        return jnp.round(x, decimals)
    return x if decimals >= 0 else jnp.round(fractions(x), decimals).astype(x.dtype)


@operation()
def clip(x: Tensor, x_min: Tensor, x_max: Tensor) -> Array:
    """The number, held between two bounds."""
    return jnp.clip(whole(x), x_min, x_max)


# Powers, roots and logarithms


@operation()
def square(x: Tensor) -> Array:
    """The number times itself."""
    return jnp.square(whole(x))


@operation()
def sqrt(x: Tensor) -> Array:
    """The square root; NaN for a negative number."""
    return jnp.sqrt(fractions(x))


@operation()
def rsqrt(x: Tensor) -> Array:
    """One divided by the square root."""
    return jax.lax.rsqrt(fractions(x))


@operation()
def cbrt(x: Tensor) -> Array:
    """The cube root."""
    return jnp.cbrt(fractions(x))


@operation()
def reciprocal(x: Tensor) -> Array:
    """One divided by the number."""
    return jnp.reciprocal(as_array(x))


@operation()
def exp(x: Tensor) -> Array:
    """The number e to this power."""
    return jnp.exp(fractions(x))


@operation()
def exp2(x: Tensor) -> Array:
    """Two to this power."""
    return jnp.exp2(fractions(x))


@operation()
def expm1(x: Tensor) -> Array:
    """`exp(x) - 1`, exact also near zero."""
    return jnp.expm1(fractions(x))


@operation()
def log(x: Tensor) -> Array:
    """The natural logarithm."""
    return jnp.log(fractions(x))


@operation()
def log10(x: Tensor) -> Array:
    """The logarithm to base 10."""
    return jnp.log10(fractions(x))


@operation()
def log1p(x: Tensor) -> Array:
    """`log(1 + x)`, exact also near zero."""
    return jnp.log1p(fractions(x))


@operation()
def log2(x: Tensor) -> Array:
    """The logarithm to base 2."""
    return jnp.log2(fractions(x))


# Angles


@operation()
def sin(x: Tensor) -> Array:
    """The sine of an angle in radians."""
    return jnp.sin(fractions(x))


@operation()
def cos(x: Tensor) -> Array:
    """The cosine of an angle in radians."""
    return jnp.cos(fractions(x))


@operation()
def tan(x: Tensor) -> Array:
    """The tangent of an angle in radians."""
    return jnp.tan(fractions(x))


@operation()
def arcsin(x: Tensor) -> Array:
    """The angle in radians whose sine it is, from -pi/2 to pi/2."""
    return jnp.arcsin(fractions(x))


@operation()
def arccos(x: Tensor) -> Array:
    """The angle in radians whose cosine it is, from 0 to pi."""
    return jnp.arccos(fractions(x))


@operation()
def arctan(x: Tensor) -> Array:
    """The angle in radians whose tangent it is, from -pi/2 to pi/2."""
    return jnp.arctan(fractions(x))


@operation()
def sinh(x: Tensor) -> Array:
    """The hyperbolic sine."""
    return jnp.sinh(fractions(x))


@operation()
def cosh(x: Tensor) -> Array:
    """The hyperbolic cosine."""
    return jnp.cosh(fractions(x))


@operation()
def tanh(x: Tensor) -> Array:
    """The hyperbolic tangent, a number from -1 to 1."""
    return jnp.tanh(fractions(x))


@operation()
def arcsinh(x: Tensor) -> Array:
    """The number whose hyperbolic sine it is."""
    return jnp.arcsinh(fractions(x))


@operation()
def arccosh(x: Tensor) -> Array:
    """The number from 0 on whose hyperbolic cosine it is."""
    return jnp.arccosh(fractions(x))


@operation()
def arctanh(x: Tensor) -> Array:
    """The number whose hyperbolic tangent it is."""
    return jnp.arctanh(fractions(x))


@operation()
def sinc(x: Tensor) -> Array:
    """`sin(pi x) / (pi x)`, and 1 at zero."""
    return jnp.sinc(fractions(x))


@operation()
def deg2rad(x: Tensor) -> Array:
    """Degrees as radians."""
    return jnp.deg2rad(fractions(x))


@operation()
def rad2deg(x: Tensor) -> Array:
    """Radians as degrees."""
    return jnp.rad2deg(fractions(x))


# Special functions


@operation()
def erf(x: Tensor) -> Array:
    """The error function: the share of a normal curve within `x * sqrt(2)` deviations."""
    return jax.lax.erf(fractions(x))


@operation()
def erfc(x: Tensor) -> Array:
    """One minus the error function, exact also far out."""
    return jax.lax.erfc(fractions(x))


@operation()
def erfinv(x: Tensor) -> Array:
    """The number whose error function it is."""
    return jax.lax.erf_inv(fractions(x))


@operation()
def i0(x: Tensor) -> Array:
    """The modified Bessel function of the first kind, order 0."""
    return jnp.i0(fractions(x))


# Complex numbers


@operation()
def angle(x: Tensor) -> Array:
    """The angle of a complex number in radians; 0 or pi for a real one."""
    return jnp.angle(fractions(x))


@operation()
def real(x: Tensor) -> Array:
    """The real part."""
    return jnp.real(as_array(x))


@operation()
def imag(x: Tensor) -> Array:
    """The imaginary part; zero for a real number."""
    return jnp.imag(as_array(x))


@operation("Conjugate", "Conj")
def conjugate(x: Tensor) -> Array:
    """The complex number with the other sign of its imaginary part."""
    return jnp.conjugate(as_array(x))


@operation()
def isreal(x: Tensor) -> Array:
    """Whether the imaginary part is zero."""
    return jnp.isreal(as_array(x))


@operation()
def polar(abs_: Tensor, angle: Tensor) -> Array:
    """The complex number with this length and this angle in radians."""
    length, angle = fractions(abs_), fractions(angle)
    return jax.lax.complex(length * jnp.cos(angle), length * jnp.sin(angle))


@operation()
def view_as_complex(x: Tensor) -> Array:
    """The pairs along the last axis as complex numbers: (..., 2) becomes (...)."""
    x = fractions(x)
    return jax.lax.complex(x[..., 0], x[..., 1])


@operation()
def view_as_real(x: Tensor) -> Array:
    """Complex numbers as pairs along a new last axis: (...) becomes (..., 2)."""
    x = as_array(x)
    return jnp.stack([jnp.real(x), jnp.imag(x)], axis=-1)


# Yes or no


@operation()
def isfinite(x: Tensor) -> Array:
    """Whether it is neither infinite nor NaN."""
    return jnp.isfinite(as_array(x))


@operation()
def isinf(x: Tensor) -> Array:
    """Whether it is infinite."""
    return jnp.isinf(as_array(x))


@operation()
def isnan(x: Tensor) -> Array:
    """Whether it is NaN."""
    return jnp.isnan(as_array(x))


@operation()
def isneginf(x: Tensor) -> Array:
    """Whether it is minus infinity."""
    return jnp.isneginf(as_array(x))


@operation()
def isposinf(x: Tensor) -> Array:
    """Whether it is plus infinity."""
    return jnp.isposinf(as_array(x))


@operation()
def logical_not(x: Tensor) -> Array:
    """Whether it is zero or false."""
    return jnp.logical_not(as_array(x))


@operation()
def bitwise_not(x: Tensor) -> Array:
    """Every bit turned over."""
    return jnp.bitwise_not(as_array(x))


@operation()
def bitwise_invert(x: Tensor) -> Array:
    """Every bit turned over; the other name of `bitwise_not`."""
    return jnp.invert(as_array(x))


@operation()
def nan_to_num(
    x: Tensor, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None
) -> Array:
    """The number, with NaN and the infinities replaced.

    Args:
        nan: what stands for NaN.
        posinf: what stands for infinity; None means the largest number of the type.
        neginf: what stands for minus infinity; None means the lowest.
    """
    return jnp.nan_to_num(as_array(x), nan=nan, posinf=posinf, neginf=neginf)


@operation()
def copy(x: Tensor) -> Array:
    """An array of its own with the same values."""
    return jnp.array(as_array(x), copy=True)


abs = absolute
conj = conjugate
