"""Arrays made from a shape or a few numbers: zeros, ranges, windows.

Without a `dtype` they are of `floatx()`; only `arange` and the `_like` family
take the type from what they are given.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp
from jax import Array

from doltap import config
from doltap.ops.conversion import Tensor, as_array, device_type
from doltap.ops.conversion import dtype as dtype_of
from doltap.ops.protocol import operation
from doltap.registry import explained

__all__ = ["arange", "bartlett", "blackman", "empty", "empty_like", "eye", "full", "full_like", "geomspace"]
__all__ += [
    "hamming",
    "hanning",
    "identity",
    "kaiser",
    "linspace",
    "logspace",
    "meshgrid",
    "ones",
    "ones_like",
]
__all__ += ["tri", "vander", "vectorize", "zeros", "zeros_like"]


@operation()
def zeros(shape: Sequence[int] | int, dtype: Any = None) -> Array:
    """An array of zeros."""
    return jnp.zeros(shape, device_type(dtype))


@operation()
def ones(shape: Sequence[int] | int, dtype: Any = None) -> Array:
    """An array of ones."""
    return jnp.ones(shape, device_type(dtype))


@operation()
def empty(shape: Sequence[int] | int, dtype: Any = None) -> Array:
    """An array whose values do not matter; they are zeros."""
    return jnp.empty(shape, device_type(dtype))


@operation()
def full(shape: Sequence[int] | int, fill_value: Tensor, dtype: Any = None) -> Array:
    """An array filled with one value, or with what broadcasts to the shape."""
    return jnp.full(shape, as_array(fill_value), device_type(dtype))


@operation()
def zeros_like(x: Tensor, dtype: Any = None) -> Array:
    """Zeros in the shape and type of `x`, or in another type."""
    return full_like(x, 0, dtype)


@operation()
def ones_like(x: Tensor, dtype: Any = None) -> Array:
    """Ones in the shape and type of `x`, or in another type."""
    return full_like(x, 1, dtype)


@operation()
def empty_like(x: Tensor, dtype: Any = None) -> Array:
    """An array in the shape of `x` whose values do not matter; they are zeros."""
    return full_like(x, 0, dtype)


@operation()
def full_like(x: Tensor, fill_value: Tensor, dtype: Any = None) -> Array:
    """An array in the shape and type of `x`, filled with one value."""
    x = as_array(x)
    return jnp.full_like(x, fill_value, dtype=x.dtype if dtype is None else device_type(dtype))


@operation()
def eye(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Array:  # noqa: N803
    """Zeros with ones on a diagonal.

    Args:
        N: how many rows.
        M: how many columns; None means as many as rows.
        k: which diagonal: 0 the main one, above it positive, below it negative.
    """
    return jnp.eye(N, M, k, device_type(dtype))


@operation()
def identity(n: int, dtype: Any = None) -> Array:
    """The square matrix that changes nothing: ones on the diagonal."""
    return jnp.identity(n, device_type(dtype))


@operation()
def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Array:  # noqa: N803
    """Ones on and below a diagonal, zeros above.

    Args:
        N: how many rows.
        M: how many columns; None means as many as rows.
        k: which diagonal, as in `eye`.
    """
    return jnp.tri(N, M, k, device_type(dtype))


@operation()
def arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None) -> Array:
    """The numbers from `start` to before `stop`; from 0 to before `start` if that is all.

    Whole numbers give int32, fractions `floatx()`.

    >>> arange(3).tolist(), arange(1, 2, 0.25).tolist()
    ([0, 1, 2], [1.0, 1.25, 1.5, 1.75])
    """
    if dtype is None:
        given = (each for each in (start, stop, step) if each is not None)
        dtype = jnp.result_type(*(dtype_of(each) for each in given))
    return jnp.arange(start, stop, step, device_type(dtype))


@operation()
def linspace(
    start: Tensor,
    stop: Tensor,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """So many numbers at equal distances, the ends included.

    Args:
        endpoint: whether `stop` is the last of them.
        retstep: whether the distance comes back, too, as the second of a pair.
        axis: where the new dimension goes, if `start` and `stop` are arrays.

    >>> linspace(0, 1, 5).tolist()
    [0.0, 0.25, 0.5, 0.75, 1.0]
    """
    kind = _dtype_or_none(dtype)
    made = jnp.linspace(as_array(start), as_array(stop), num, endpoint, retstep, kind, axis)
    return (made[0], as_array(made[1])) if retstep else made


@operation()
def logspace(
    start: Tensor,
    stop: Tensor,
    num: int = 50,
    endpoint: bool = True,
    base: float = 10,
    dtype: Any = None,
    axis: int = 0,
) -> Array:
    """So many numbers from `base**start` to `base**stop`, each the same multiple of the one before."""
    kind = _dtype_or_none(dtype)
    return as_array(jnp.logspace(as_array(start), as_array(stop), num, endpoint, base, kind, axis))


@operation()
def geomspace(
    start: Tensor, stop: Tensor, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0
) -> Array:
    """So many numbers from `start` to `stop`, each the same multiple of the one before."""
    return as_array(
        jnp.geomspace(as_array(start), as_array(stop), num, endpoint, _dtype_or_none(dtype), axis)
    )


def _dtype_or_none(dtype: Any) -> Any:
    return None if dtype is None else device_type(dtype)


@operation()
def meshgrid(*x: Tensor, indexing: str = "xy") -> list[Array]:
    """For each list of coordinates a grid that holds it at every place.

    Args:
        indexing: "xy" lets the first list run along the columns, "ij" along the rows.

    >>> [grid.tolist() for grid in meshgrid([1, 2], [3, 4])]
    [[[1, 2], [1, 2]], [[3, 3], [4, 4]]]
    """
    return list(jnp.meshgrid(*map(as_array, x), indexing=indexing))


@operation()
def vander(x: Tensor, N: int | None = None, increasing: bool = False) -> Array:  # noqa: N803
    """For each number a row of its powers.

    Args:
        N: how many powers; None means as many as numbers.
        increasing: whether the powers grow from left to right.

    >>> vander([2, 3], 3).tolist()
    [[4, 2, 1], [9, 3, 1]]
    """
    return jnp.vander(as_array(x), N, increasing)


@operation()
def bartlett(x: int) -> Array:
    """Bartlett's window of so many points: a triangle."""
    return jnp.bartlett(x).astype(config.floatx())


@operation()
def blackman(x: int) -> Array:
    """Blackman's window of so many points."""
    return jnp.blackman(x).astype(config.floatx())


@operation()
def hamming(x: int) -> Array:
    """Hamming's window of so many points."""
    return jnp.hamming(x).astype(config.floatx())


@operation()
def hanning(x: int) -> Array:
    """Hann's window of so many points: one wave of a cosine, from zero to zero."""
    return jnp.hanning(x).astype(config.floatx())


@operation()
def kaiser(x: int, beta: float) -> Array:
    """Kaiser's window of so many points; the larger `beta`, the narrower."""
    return jnp.kaiser(x, beta).astype(config.floatx())


@explained
def vectorize(
    pyfunc: Callable[..., Any], *, excluded: Any = None, signature: str | None = None
) -> Callable[..., Any]:
    """A function of single numbers made into one of arrays, with NumPy's broadcasting.

    Args:
        excluded: numbers or names of the arguments that are handed on as they are.
        signature: the shapes of one call if not numbers, such as "(n),(n)->()".

    >>> vectorize(lambda a, b: a if b is None else a + b)([1, 2], [10, 20]).tolist()
    [11, 22]
    """
    return jnp.vectorize(pyfunc, excluded=set(excluded or ()), signature=signature)
