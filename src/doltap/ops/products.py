"""Sums of products: matrices times matrices, and what is measured with them.

Operands take the type that they have in common first.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import Array

from doltap.errors import ShapeError
from doltap.ops.conversion import Tensor, as_array, fractions, promoted, promoted_fractions
from doltap.ops.protocol import operation

__all__ = ["cdist", "correlate", "cross", "dot", "einsum", "inner", "kron", "logdet", "matmul", "outer"]
__all__ += ["slogdet", "tensordot", "trace", "vdot"]


def _sum_type(*operands: Array) -> Any:
    """Bytes are added up in int32, in which their sums have room; None leaves the type as it is."""
    return jnp.int32 if all(operand.dtype == jnp.int8 for operand in operands) else None


@operation()
def matmul(x1: Tensor, x2: Tensor) -> Array:
    """The matrix product over the last two axes, for each place along the others."""
    x1, x2 = promoted(x1, x2)
    return jnp.matmul(x1, x2, preferred_element_type=_sum_type(x1, x2))


@operation()
def dot(x1: Tensor, x2: Tensor) -> Array:
    """The sum of products over the last axis of the first and the last but one of the second."""
    return jnp.dot(*promoted(x1, x2))


@operation()
def einsum(subscripts: str, *operands: Tensor, **kwargs: Any) -> Array:
    """The sum of products over the axes that the subscripts name but the result does not.

    >>> einsum("ij,ij->i", [[1, 2], [3, 4]], [[1, 1], [1, 1]]).tolist()
    [3, 7]
    """
    arrays = promoted(*operands)
    return jnp.einsum(subscripts, *arrays, **{"preferred_element_type": _sum_type(*arrays), **kwargs})


@operation()
def tensordot(x1: Tensor, x2: Tensor, axes: Any = 2) -> Array:
    """The sum of products over several axes.

    Args:
        axes: how many: the last of the first and the first of the second; or
            two lists that name them.
    """
    axes = (
        axes
        if isinstance(axes, int)
        else tuple(each if isinstance(each, int) else tuple(each) for each in axes)
    )
    x1, x2 = promoted(x1, x2)
    return jnp.tensordot(x1, x2, axes)


@operation()
def inner(x1: Tensor, x2: Tensor) -> Array:
    """The sum of products over the last axis of both."""
    return jnp.inner(*promoted(x1, x2))


@operation()
def vdot(x1: Tensor, x2: Tensor) -> Array:
    """The sum of products of all elements, the first conjugated."""
    return jnp.vdot(*promoted(x1, x2))


@operation()
def outer(x1: Tensor, x2: Tensor) -> Array:
    """The product of each element of the first with each of the second."""
    x1, x2 = promoted(x1, x2)
    return jnp.outer(x1, x2)


@operation()
def kron(x1: Tensor, x2: Tensor) -> Array:
    """Kronecker's product: the second, times each element of the first, laid out as blocks."""
    return jnp.kron(*promoted(x1, x2))


@operation()
def cross(
    x1: Tensor, x2: Tensor, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> Array:
    """The vector at right angles to two vectors.

    Args:
        axisa, axisb, axisc: where the vectors lie in the first, the second and the result.
        axis: one number for all three.
    """
    x1, x2 = promoted(x1, x2)
    return jnp.cross(x1, x2, axisa, axisb, axisc, axis)


@operation()
def correlate(x1: Tensor, x2: Tensor, mode: str = "valid") -> Array:
    """The sums of products of one row with another that slides along it.

    Args:
        mode: "valid" where they overlap wholly, "same" for the length of the longer, "full".
    """
    x1, x2 = promoted(x1, x2)
    return jnp.correlate(x1, x2, mode)


@operation("CDist")
def cdist(x: Tensor, y: Tensor) -> Array:
    """How far each point of the first is from each of the second.

    Args:
        x: (..., n, coordinates).
        y: (..., m, coordinates).

    Returns:
        (..., n, m)

    >>> cdist([[0.0, 0.0]], [[3.0, 4.0], [0.0, 1.0]]).tolist()
    [[5.0, 1.0]]
    """
    x, y = promoted_fractions(x, y)
    if min(x.ndim, y.ndim) < 2 or x.shape[-1] != y.shape[-1]:
        raise ShapeError(
            "ops.cdist",
            expected="rows of points with the same number of coordinates",
            got=f"shapes {tuple(x.shape)} and {tuple(y.shape)}",
            fix="Give arrays of shapes (n, coordinates) and (m, coordinates).",
        )
    return jnp.sqrt(jnp.sum(jnp.square(x[..., :, None, :] - y[..., None, :, :]), axis=-1))


@operation()
def trace(x: Tensor, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Array:
    """The sum along a diagonal in the plane of two axes."""
    return jnp.trace(as_array(x), offset, axis1, axis2)


@operation()
def slogdet(x: Tensor) -> tuple[Array, Array]:
    """The sign of the determinant, and the logarithm of its size."""
    sign, logarithm = jnp.linalg.slogdet(fractions(x))
    return sign, logarithm


@operation()
def logdet(x: Tensor) -> Array:
    """The logarithm of the size of the determinant."""
    return jnp.linalg.slogdet(fractions(x))[1]
