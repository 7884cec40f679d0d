"""`tf.linalg`: products, solutions and parts of matrices."""

from __future__ import annotations

from typing import Any

import jax.scipy
import numpy as np

from doltap.compat.tensorflow import lacking
from doltap.compat.tensorflow.arithmetic import global_norm, matmul
from doltap.compat.tensorflow.calls import operation
from doltap.compat.tensorflow.creating import eye

__all__ = ["adjoint", "band_part", "cholesky", "cholesky_solve", "cross", "det", "diag", "diag_part", "eig"]
__all__ += [
    "eigh",
    "eigvalsh",
    "einsum",
    "expm",
    "eye",
    "global_norm",
    "inv",
    "l2_normalize",
    "logdet",
    "lstsq",
    "matmul",
]
__all__ += ["matrix_rank", "matrix_transpose", "matvec", "norm", "normalize", "pinv", "qr", "set_diag"]
__all__ += ["slogdet", "solve", "svd", "tensor_diag", "tensor_diag_part", "tensordot", "trace"]
__all__ += ["triangular_solve"]


@operation()
def inv(numpy: Any, input: Any, adjoint: bool = False) -> Any:
    """The inverse of each matrix."""
    return numpy.linalg.inv(_turned(numpy, input, adjoint))


def _turned(numpy: Any, x: Any, is_turned: Any) -> Any:
    return numpy.swapaxes(x, -1, -2) if is_turned else x


@operation()
def pinv(numpy: Any, a: Any, rcond: Any = None) -> Any:
    """The pseudo-inverse of each matrix."""
    return numpy.linalg.pinv(a) if rcond is None else numpy.linalg.pinv(a, rcond)


@operation()
def det(numpy: Any, input: Any) -> Any:
    """The determinant of each matrix."""
    return numpy.linalg.det(input)


@operation()
def logdet(numpy: Any, matrix: Any) -> Any:
    """The logarithm of the determinant of each positive matrix."""
    return numpy.linalg.slogdet(matrix)[1]


@operation()
def slogdet(numpy: Any, input: Any) -> Any:
    """The sign of each determinant, and the logarithm of its size."""
    return list(numpy.linalg.slogdet(input))


@operation(2, matched=True)
def solve(numpy: Any, matrix: Any, rhs: Any, adjoint: bool = False) -> Any:
    """The x with `matrix @ x == rhs`."""
    return numpy.linalg.solve(_turned(numpy, matrix, adjoint), rhs)


@operation(2, matched=True)
def lstsq(numpy: Any, matrix: Any, rhs: Any, l2_regularizer: float = 0.0, fast: bool = True) -> Any:
    """The x for which `matrix @ x` comes nearest to `rhs`."""
    turned = numpy.swapaxes(matrix, -1, -2)
    share = l2_regularizer * np.eye(matrix.shape[-1], dtype=matrix.dtype)
    return numpy.linalg.solve(turned @ matrix + share, turned @ rhs)


@operation(2, matched=True)
def triangular_solve(numpy: Any, matrix: Any, rhs: Any, lower: bool = True, adjoint: bool = False) -> Any:
    """The x with `matrix @ x == rhs`, where one side of the matrix is zeros."""
    part = numpy.tril(matrix) if lower else numpy.triu(matrix)
    return numpy.linalg.solve(_turned(numpy, part, adjoint), rhs)


@operation(2, matched=True)
def cholesky_solve(numpy: Any, chol: Any, rhs: Any) -> Any:
    """The x with `chol @ chol.T @ x == rhs`."""
    return numpy.linalg.solve(chol @ numpy.swapaxes(chol, -1, -2), rhs)


@operation()
def cholesky(numpy: Any, input: Any) -> Any:
    """The lower triangle whose product with its transpose is the matrix."""
    return numpy.linalg.cholesky(input)


@operation()
def _qr(numpy: Any, input: Any, is_full: bool) -> Any:
    return list(numpy.linalg.qr(input, "complete" if is_full else "reduced"))


def qr(input: Any, full_matrices: bool = False, name: Any = None) -> Any:
    """The orthogonal and the triangular factor of each matrix."""
    return tuple(_qr(input, full_matrices))


@operation()
def _svd(numpy: Any, tensor: Any, is_full: bool) -> Any:
    left, sizes, right = numpy.linalg.svd(tensor, full_matrices=is_full)
    return [sizes, left, numpy.swapaxes(right, -1, -2)]


def svd(tensor: Any, full_matrices: bool = False, compute_uv: bool = True, name: Any = None) -> Any:
    """The singular values of each matrix, and the matrices u and v with `u @ diag(s) @ v.T`."""
    found = _svd(tensor, bool(full_matrices))
    return tuple(found) if compute_uv else found[0]


@operation()
def _eigh(numpy: Any, tensor: Any) -> Any:
    return list(numpy.linalg.eigh(tensor))


def eigh(tensor: Any, name: Any = None) -> Any:
    """The eigenvalues of each symmetric matrix, from the smallest, and the eigenvectors as columns."""
    return tuple(_eigh(tensor))


@operation()
def eigvalsh(numpy: Any, tensor: Any) -> Any:
    """The eigenvalues of each symmetric matrix, from the smallest."""
    return numpy.linalg.eigvalsh(tensor)


@operation()
def _eig(numpy: Any, tensor: Any) -> Any:
    values, vectors = np.linalg.eig(np.asarray(tensor))
    kind = np.complex128 if tensor.dtype == np.float64 else np.complex64
    return [values.astype(kind), vectors.astype(kind)]


def eig(tensor: Any, name: Any = None) -> Any:
    """The eigenvalues and eigenvectors of each matrix, as complex numbers."""
    return tuple(_eig(tensor))


@operation(needs_jax=True)
def expm(numpy: Any, input: Any) -> Any:
    """The exponential of each matrix."""
    return jax.scipy.linalg.expm(input)


@operation()
def trace(numpy: Any, x: Any) -> Any:
    """The sum of the diagonal of each matrix."""
    return numpy.trace(x, axis1=-2, axis2=-1)


@operation()
def matrix_rank(numpy: Any, a: Any, tol: Any = None) -> Any:
    """How many rows of each matrix do not depend on others."""
    return numpy.linalg.matrix_rank(a, tol).astype(np.int32)


@operation()
def matrix_transpose(numpy: Any, a: Any, conjugate: bool = False) -> Any:
    """Each matrix with rows and columns exchanged."""
    return numpy.swapaxes(a, -1, -2)


adjoint = matrix_transpose


@operation(2, matched=True)
def matvec(numpy: Any, a: Any, b: Any, transpose_a: bool = False, adjoint_a: bool = False) -> Any:
    """The product of each matrix with a vector."""
    return numpy.squeeze(_turned(numpy, a, transpose_a or adjoint_a) @ numpy.expand_dims(b, -1), -1)


@operation(2, matched=True)
def cross(numpy: Any, a: Any, b: Any) -> Any:
    """The cross product of vectors of three numbers."""
    return numpy.cross(a, b)


@operation()
def diag(numpy: Any, diagonal: Any) -> Any:
    """A matrix with the numbers on its diagonal, for each row of numbers."""
    return numpy.expand_dims(diagonal, -1) * np.eye(diagonal.shape[-1], dtype=diagonal.dtype)


tensor_diag = diag


@operation()
def diag_part(numpy: Any, input: Any) -> Any:
    """The diagonal of each matrix."""
    return numpy.array(numpy.diagonal(input, axis1=-2, axis2=-1))


tensor_diag_part = diag_part


@operation(2, matched=True)
def set_diag(numpy: Any, input: Any, diagonal: Any) -> Any:
    """Each matrix with another diagonal."""
    mask = np.eye(*input.shape[-2:]) == 1
    return numpy.where(mask, numpy.expand_dims(diagonal, -1), input)


@operation()
def band_part(numpy: Any, input: Any, num_lower: Any, num_upper: Any) -> Any:
    """Each matrix with zeros farther from the diagonal than so many places; -1 keeps all."""
    rows, columns = np.ogrid[: input.shape[-2], : input.shape[-1]]
    low = (num_lower < 0) | (rows - columns <= num_lower)
    high = (num_upper < 0) | (columns - rows <= num_upper)
    return numpy.where(low & high, input, numpy.zeros_like(input))


@operation()
def norm(numpy: Any, tensor: Any, ord: Any = "euclidean", axis: Any = None, keepdims: Any = None) -> Any:
    """The length of the tensor, or of the vectors and matrices along some axes."""
    if ord in ("euclidean", "fro", 2) and not (ord == 2 and isinstance(axis, tuple)):
        squares = numpy.sum(numpy.abs(tensor) ** 2, axis, dtype=tensor.dtype, keepdims=bool(keepdims))
        return numpy.sqrt(squares)
    flat = tensor if axis is not None else numpy.reshape(tensor, (-1,))
    return numpy.linalg.norm(flat, ord, axis, keepdims=bool(keepdims))


def normalize(tensor: Any, ord: Any = "euclidean", axis: Any = None, name: Any = None) -> Any:
    """The tensor divided by its length, and that length."""
    length = norm(tensor, ord, axis, keepdims=True)
    return tensor / length, length


@operation()
def l2_normalize(numpy: Any, x: Any, axis: Any = None, epsilon: float = 1e-12) -> Any:
    """The vectors along an axis, each divided by its length."""
    squares = numpy.sum(x * x, axis, dtype=x.dtype, keepdims=True)
    return x / numpy.sqrt(numpy.maximum(squares, np.array(epsilon, x.dtype)))


@operation(2, matched=True)
def tensordot(numpy: Any, a: Any, b: Any, axes: Any) -> Any:
    """The sums of products over some axes of both."""
    return numpy.tensordot(a, b, axes)


@operation(1, lists=True)
def _einsum(numpy: Any, inputs: Any, equation: str) -> Any:
    return numpy.einsum(equation, *inputs)


def einsum(equation: str, *inputs: Any, optimize: Any = None, name: Any = None) -> Any:
    """The sums of products that an equation such as "ij,jk->ik" tells."""
    return _einsum(list(inputs), equation)


lacking.guard(__name__)
