"""Functions of each number alone, comparisons, and numbers over an axis, in Keras 2's words."""

from __future__ import annotations

from typing import Any

from doltap import ops
from doltap.compat.keras_backend.results import eager

__all__ = [
    "abs",
    "all",
    "any",
    "argmax",
    "argmin",
    "clip",
    "cos",
    "cumprod",
    "cumsum",
    "equal",
    "erf",
    "exp",
    "expm1",
    "greater",
    "greater_equal",
    "less",
    "less_equal",
    "log",
    "log1p",
    "logsumexp",
    "max",
    "maximum",
    "mean",
    "min",
    "minimum",
    "not_equal",
    "pow",
    "prod",
    "round",
    "sign",
    "sin",
    "sqrt",
    "square",
    "std",
    "sum",
    "var",
]

abs = eager(ops.abs)
all = eager(ops.all)
any = eager(ops.any)
cos = eager(ops.cos)
erf = eager(ops.erf)
exp = eager(ops.exp)
expm1 = eager(ops.expm1)
log = eager(ops.log)
log1p = eager(ops.log1p)
logsumexp = eager(ops.logsumexp)
max = eager(ops.max)
min = eager(ops.min)
prod = eager(ops.prod)
round = eager(ops.round)
sign = eager(ops.sign)
sin = eager(ops.sin)
square = eager(ops.square)
std = eager(ops.std)
sum = eager(ops.sum)
var = eager(ops.var)


@eager
def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The mean over axes; of truth values the share of those that hold.

    >>> float(mean([[1.0, 2.0], [3.0, 6.0]]))
    3.0
    """
    return ops.mean(x, axis=axis, keepdims=keepdims)


@eager
def sqrt(x: Any) -> Any:
    """The square root; 0 where x is below 0, as Keras 2 had it.

    >>> float(sqrt(-4.0))
    0.0
    """
    return ops.sqrt(ops.maximum(x, 0.0))


@eager
def pow(x: Any, a: Any) -> Any:
    """Each number to the power `a`."""
    return ops.power(x, a)


@eager
def clip(x: Any, min_value: Any, max_value: Any) -> Any:
    """Each number, moved into the range; None leaves a side open."""
    if min_value is not None:
        x = ops.maximum(x, min_value)
    return x if max_value is None else ops.minimum(x, max_value)


@eager
def argmax(x: Any, axis: int = -1) -> Any:
    """Where the largest number of each row along the axis stands."""
    return ops.argmax(x, axis=axis)


@eager
def argmin(x: Any, axis: int = -1) -> Any:
    """Where the smallest number of each row along the axis stands."""
    return ops.argmin(x, axis=axis)


@eager
def cumsum(x: Any, axis: int = 0) -> Any:
    """Sums up to each place along an axis."""
    return ops.cumsum(x, axis=axis)


@eager
def cumprod(x: Any, axis: int = 0) -> Any:
    """Products up to each place along an axis."""
    return ops.cumprod(x, axis=axis)


@eager
def maximum(x: Any, y: Any) -> Any:
    """The larger one of each two numbers."""
    return ops.maximum(x, y)


@eager
def minimum(x: Any, y: Any) -> Any:
    """The smaller one of each two numbers."""
    return ops.minimum(x, y)


@eager
def equal(x: Any, y: Any) -> Any:
    """Whether each two numbers are equal."""
    return ops.equal(x, y)


@eager
def not_equal(x: Any, y: Any) -> Any:
    """Whether each two numbers differ."""
    return ops.not_equal(x, y)


@eager
def greater(x: Any, y: Any) -> Any:
    """Whether each number of x is above that of y."""
    return ops.greater(x, y)


@eager
def greater_equal(x: Any, y: Any) -> Any:
    """Whether each number of x is not below that of y."""
    return ops.greater_equal(x, y)


@eager
def less(x: Any, y: Any) -> Any:
    """Whether each number of x is below that of y."""
    return ops.less(x, y)


@eager
def less_equal(x: Any, y: Any) -> Any:
    """Whether each number of x is not above that of y."""
    return ops.less_equal(x, y)
