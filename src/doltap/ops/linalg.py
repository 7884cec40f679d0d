"""Matrices taken apart and equations solved.

Everything works on the last two axes, for each place along the others.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from doltap import doors
from doltap.errors import DataError, ShapeError, UnknownNameError
from doltap.ops.conversion import Axis, Tensor, fractions, promoted_fractions
from doltap.ops.protocol import needs_arrays, operation

__all__ = ["cholesky", "cholesky_inverse", "det", "eig", "eigh", "inv", "jvp", "lstsq", "lu_factor"]
__all__ += ["matrix_rank", "norm", "pinv", "qr", "solve", "solve_triangular", "svd"]


def _matrix(call: str, x: Tensor, *, is_square: bool = False) -> Array:
    """The matrices, or an error for what is none."""
    x = fractions(x)
    if x.ndim < 2 or (is_square and x.shape[-1] != x.shape[-2]):
        raise ShapeError(
            f"ops.{call}",
            expected="square matrices, (..., n, n)" if is_square else "matrices, (..., rows, columns)",
            got=f"shape {tuple(x.shape)}",
            fix="Reshape x, or look where its shape comes from.",
        )
    return x


@operation()
def cholesky(x: Tensor, upper: bool = False) -> Array:
    """The lower triangle whose product with its transpose is the matrix.

    Args:
        x: symmetric matrices that stretch every vector (positive definite).
        upper: whether to give the upper triangle instead.

    Raises:
        DataError: a matrix is not positive definite; in a compiled program NaN
            comes out instead.
    """
    triangle = jnp.linalg.cholesky(_matrix("cholesky", x, is_square=True), upper=upper)
    if not isinstance(triangle, jax.core.Tracer) and jnp.isnan(triangle).any():
        raise DataError(
            "ops.cholesky",
            expected="positive definite matrices",
            got="one that is not",
            fix="Add a small number to its diagonal, or look whether it is symmetric.",
        )
    return triangle


@operation()
def cholesky_inverse(x: Tensor, upper: bool = False) -> Array:
    """The inverse of the matrix whose triangle from `cholesky` this is."""
    x = _matrix("cholesky_inverse", x, is_square=True)
    inverse = solve_triangular(x, jnp.broadcast_to(jnp.eye(x.shape[-1], dtype=x.dtype), x.shape), not upper)
    turned = jnp.swapaxes(inverse, -1, -2)
    return inverse @ turned if upper else turned @ inverse


@operation()
def det(x: Tensor) -> Array:
    """The determinant."""
    return jnp.linalg.det(_matrix("det", x, is_square=True))


@operation()
def eig(x: Tensor) -> tuple[Array, Array]:
    """The eigenvalues, complex, and the eigenvectors as columns; on the CPU only."""
    values, vectors = jnp.linalg.eig(_matrix("eig", x, is_square=True))
    return values, vectors


@operation()
def eigh(x: Tensor) -> tuple[Array, Array]:
    """The eigenvalues of symmetric matrices, rising, and the eigenvectors as columns."""
    values, vectors = jnp.linalg.eigh(_matrix("eigh", x, is_square=True))
    return values, vectors


@operation()
def inv(x: Tensor) -> Array:
    """The inverse matrix."""
    return jnp.linalg.inv(_matrix("inv", x, is_square=True))


@operation()
def pinv(x: Tensor, rcond: Any = None) -> Array:
    """The pseudo-inverse: the best that can be done for a matrix without inverse.

    Args:
        rcond: singular values below this share of the largest count as zero.
    """
    return jnp.linalg.pinv(_matrix("pinv", x), rcond)


@operation()
def matrix_rank(x: Tensor, tol: Any = None) -> Array:
    """How many rows are independent of each other.

    Args:
        tol: singular values below this share of the largest count as zero.
    """
    return jnp.linalg.matrix_rank(_matrix("matrix_rank", x), tol).astype(jnp.int32)


@operation()
def lstsq(a: Tensor, b: Tensor, rcond: Any = None) -> Array:
    """The x for which `a @ x` comes nearest to `b`.

    Args:
        rcond: singular values below this share of the largest count as zero.
    """
    a, b = promoted_fractions(a, b)
    return jnp.linalg.lstsq(a, b, rcond)[0]


@operation()
def lu_factor(x: Tensor) -> tuple[Array, Array]:
    """A lower and an upper triangle whose product is the matrix, in one array, and the row swaps."""
    factors, swaps, _ = jax.lax.linalg.lu(_matrix("lu_factor", x))
    return factors, swaps


@operation()
def norm(x: Tensor, ord: Any = None, axis: Axis = None, keepdims: bool = False) -> Array:
    """The length of a vector, or the size of a matrix.

    Args:
        ord: which: None is Euclid's; as in `numpy.linalg.norm`.
        axis: where the vector lies, or the two axes of the matrix; None takes all.
    """
    axis = tuple(axis) if isinstance(axis, list) else axis
    return jnp.linalg.norm(fractions(x), ord, axis, keepdims)


@operation()
def qr(x: Tensor, mode: str = "reduced") -> tuple[Array, Array]:
    """Columns at right angles to each other, and the triangle that makes the matrix of them.

    Args:
        mode: "reduced" for no more columns than are needed, "complete" for a square.
    """
    if mode not in ("reduced", "complete"):
        raise UnknownNameError.of("mode", mode, ("reduced", "complete"))
    columns, triangle = jnp.linalg.qr(_matrix("qr", x), mode)
    return columns, triangle


@operation()
def solve(a: Tensor, b: Tensor) -> Array:
    """The x for which `a @ x` is `b`."""
    a, b = promoted_fractions(a, b)
    return jnp.linalg.solve(_matrix("solve", a, is_square=True), b)


@operation()
def solve_triangular(a: Tensor, b: Tensor, lower: bool = False) -> Array:
    """The x for which `a @ x` is `b`, where `a` is a triangle.

    Args:
        lower: whether it is the lower one; the other half is not looked at.
    """
    a, b = promoted_fractions(a, b)
    a = _matrix("solve_triangular", a, is_square=True)
    is_vector = b.ndim == a.ndim - 1
    x = jax.lax.linalg.triangular_solve(a, b[..., None] if is_vector else b, left_side=True, lower=lower)
    return x[..., 0] if is_vector else x


@operation("SVD")
def svd(x: Tensor, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """A turn, the singular values (falling), and another turn, whose product is the matrix.

    Args:
        full_matrices: whether the turns are square.
        compute_uv: with False the singular values come alone.
    """
    found = jnp.linalg.svd(_matrix("svd", x), full_matrices, compute_uv)
    return tuple(found) if compute_uv else found


@needs_arrays
def jvp(fun: Callable[..., Any], primals: Any, tangents: Any, has_aux: bool = False) -> Any:
    """What a function gives, and how fast that changes when its arguments move along the tangents.

    Args:
        has_aux: whether the function gives a pair, the second of which is handed on only.

    >>> [each.item() for each in jvp(jnp.square, (3.0,), (1.0,))]
    [9.0, 6.0]
    """
    return jax.jvp(fun, primals, tangents, has_aux)


doors.guard(__name__)
