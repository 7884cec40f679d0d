"""`tf.math`: functions of each number, of pairs and of rows."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy import special

from doltap.compat.tensorflow import arithmetic, dtypes, lacking, reducing
from doltap.compat.tensorflow.arithmetic import *
from doltap.compat.tensorflow.arithmetic import cast, floormod
from doltap.compat.tensorflow.calls import operation
from doltap.compat.tensorflow.linalg import l2_normalize
from doltap.compat.tensorflow.nn import in_top_k, log_softmax, softmax, softsign, zero_fraction
from doltap.compat.tensorflow.reducing import *
from doltap.compat.tensorflow.tensor import Tensor, as_tensor, is_traced, unwrapped

__all__ = [*(name for name in arithmetic.__all__ if name not in ("OPERATORS", "identity", "matmul"))]
__all__ += [*reducing.__all__, "betainc", "confusion_matrix", "igamma", "in_top_k", "l2_normalize"]
__all__ += ["log_sigmoid", "log_softmax", "logit", "mod", "ndtri", "polyval", "sinc", "softmax"]
__all__ += ["softsign", "zero_fraction"]

mod = floormod


@operation(needs_jax=True)
def log_sigmoid(numpy: Any, x: Any) -> Any:
    """The logarithm of the sigmoid."""
    return jax.nn.log_sigmoid(x)


@operation()
def logit(numpy: Any, x: Any) -> Any:
    """The log-odds of each share."""
    return numpy.log(x) - numpy.log1p(-x)


@operation(needs_jax=True)
def ndtri(numpy: Any, x: Any) -> Any:
    """The number below which a share of a normal distribution lies."""
    return special.ndtri(x)


@operation(2, matched=True, needs_jax=True)
def igamma(numpy: Any, a: Any, x: Any) -> Any:
    """The lower incomplete gamma function."""
    return special.gammainc(a, x)


@operation(3, matched=True, needs_jax=True)
def betainc(numpy: Any, a: Any, b: Any, x: Any) -> Any:
    """The incomplete beta function."""
    return special.betainc(a, b, x)


@operation()
def sinc(numpy: Any, x: Any) -> Any:
    """sin(x) / x, as TensorFlow has it: 1 at 0."""
    return numpy.sinc(x / np.array(np.pi, x.dtype))


def polyval(coeffs: Any, x: Any, name: Any = None) -> Any:
    """The polynomial with these coefficients, the highest power first."""
    found = as_tensor(0.0) * as_tensor(x)
    for coefficient in coeffs:
        found = found * x + coefficient
    return found


def confusion_matrix(
    labels: Any,
    predictions: Any,
    num_classes: Any = None,
    weights: Any = None,
    dtype: Any = dtypes.int32,
    name: Any = None,
) -> Any:
    """How often each class (row) was taken for each class (column).

    >>> confusion_matrix([0, 1, 1], [0, 1, 0]).numpy().tolist()
    [[1, 0], [1, 1]]
    """
    true, taken = (unwrapped(as_tensor(each)).reshape(-1) for each in (labels, predictions))
    counts = 1 if weights is None else unwrapped(as_tensor(weights)).reshape(-1)
    if num_classes is not None and any(map(is_traced, (true, taken, counts))):
        found = jnp.zeros((int(num_classes), int(num_classes)), np.float32)
        return cast(Tensor(found.at[true.astype(np.int32), taken.astype(np.int32)].add(counts)), dtype)
    true, taken = (np.asarray(each).astype(np.int64) for each in (true, taken))
    count = int(num_classes) if num_classes is not None else int(max(true.max(), taken.max())) + 1
    matrix = np.zeros((count, count), np.float64)
    np.add.at(matrix, (true, taken), np.asarray(counts))
    return cast(Tensor(matrix), dtype)


lacking.guard(__name__)
