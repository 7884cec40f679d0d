"""Many numbers in, few out: sums, means, largest and smallest, along an axis.

`axis` is one axis, several, or None for all of them; with `keepdims` the axes
stay, with length 1.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from doltap.errors import DataError, NotSupportedError
from doltap.ops.conversion import Axis, Tensor, as_array, device_type, fractions
from doltap.ops.protocol import operation

__all__ = ["all", "amax", "amin", "any", "argmax", "argmin", "average", "bincount", "corrcoef"]
__all__ += ["count_nonzero", "cumprod", "cumsum", "histogram", "logsumexp", "max", "mean", "median", "min"]
__all__ += ["nanargmax", "nanargmin", "nancumprod", "nancumsum", "nanmax", "nanmean", "nanmedian", "nanmin"]
__all__ += ["nanpercentile", "nanprod", "nanquantile", "nanstd", "nansum", "nanvar", "percentile", "prod"]
__all__ += ["ptp", "quantile", "segment_max", "segment_min", "segment_prod", "segment_sum", "std", "sum"]
__all__ += ["trapezoid", "var"]


def _axes(axis: Axis) -> Any:
    """The axis as JAX wants it: files keep several of them as a list."""
    return tuple(axis) if isinstance(axis, list) else axis


def _type(dtype: Any) -> Any:
    return None if dtype is None else device_type(dtype)


def _wide(x: Array) -> Any:
    """The type to add up in: half precision runs over long before its mean does."""
    return jnp.promote_types(x.dtype, jnp.float32)


# Sums and means


@operation()
def sum(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Array:
    """The sum of the elements.

    >>> sum([[1, 2], [3, 4]], axis=0).tolist()
    [4, 6]
    """
    return jnp.sum(as_array(x), _axes(axis), keepdims=keepdims)


@operation()
def prod(x: Tensor, axis: Axis = None, keepdims: bool = False, dtype: Any = None) -> Array:
    """The product of the elements."""
    return jnp.prod(as_array(x), _axes(axis), _type(dtype), keepdims=keepdims)


@operation()
def mean(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Array:
    """The mean of the elements; of whole numbers in `floatx()`.

    >>> mean([1, 2]).item()
    1.5
    """
    x = fractions(x)
    return jnp.mean(x, _axes(axis), _wide(x), keepdims=keepdims).astype(x.dtype)


@operation()
def average(x: Tensor, axis: Axis = None, weights: Tensor | None = None) -> Array:
    """The mean of the elements, each counted with its weight.

    Args:
        weights: in the shape of `x`, or one for each place along `axis`.
    """
    x = fractions(x)
    return jnp.average(x, _axes(axis), None if weights is None else as_array(weights))


@operation()
def var(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Array:
    """The mean squared distance from the mean."""
    x = fractions(x)
    return jnp.var(x, _axes(axis), _wide(x), keepdims=keepdims).astype(x.dtype)


@operation()
def std(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Array:
    """The standard deviation: the root of `var`."""
    return jnp.std(fractions(x), _axes(axis), keepdims=keepdims)


@operation()
def logsumexp(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Array:
    """The logarithm of the sum of `exp(x)`, without running over."""
    return jax.nn.logsumexp(fractions(x), _axes(axis), keepdims=keepdims)


@operation()
def count_nonzero(x: Tensor, axis: Axis = None) -> Array:
    """How many elements are not zero."""
    return jnp.count_nonzero(as_array(x), _axes(axis))


@operation()
def trapezoid(y: Tensor, x: Tensor | None = None, dx: Tensor = 1.0, axis: int = -1) -> Array:
    """The area under a line through the points.

    Args:
        y: the heights.
        x: where they stand; None means at equal distances `dx`.
    """
    places = None if x is None else as_array(x)
    return as_array(jnp.trapezoid(fractions(y), places, dx, axis))


# Largest, smallest and in between


@operation()
def max(x: Tensor, axis: Axis = None, keepdims: bool = False, initial: Any = None) -> Array:
    """The largest element.

    Args:
        initial: a number that takes part; what an empty array gives.
    """
    return jnp.max(as_array(x), _axes(axis), keepdims=keepdims, initial=initial)


@operation()
def min(x: Tensor, axis: Axis = None, keepdims: bool = False, initial: Any = None) -> Array:
    """The smallest element.

    Args:
        initial: a number that takes part; what an empty array gives.
    """
    return jnp.min(as_array(x), _axes(axis), keepdims=keepdims, initial=initial)


@operation()
def amax(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Array:
    """The largest element."""
    return jnp.max(as_array(x), _axes(axis), keepdims=keepdims)


@operation()
def amin(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Array:
    """The smallest element."""
    return jnp.min(as_array(x), _axes(axis), keepdims=keepdims)


@operation()
def ptp(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Array:
    """How far the largest is from the smallest."""
    return jnp.ptp(as_array(x), _axes(axis), keepdims=keepdims)


@operation()
def argmax(x: Tensor, axis: int | None = None, keepdims: bool = False) -> Array:
    """Where the largest element stands; the first of equals.

    Args:
        axis: None counts through the whole array, row by row.

    >>> argmax([[1, 5, 2], [7, 0, 3]], axis=-1).tolist()
    [1, 0]
    """
    return jnp.argmax(as_array(x), axis, keepdims=keepdims)


@operation()
def argmin(x: Tensor, axis: int | None = None, keepdims: bool = False) -> Array:
    """Where the smallest element stands; the first of equals."""
    return jnp.argmin(as_array(x), axis, keepdims=keepdims)


@operation()
def median(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Array:
    """The number in the middle; between two, their mean."""
    return jnp.median(fractions(x), _axes(axis), keepdims=keepdims)


@operation()
def quantile(
    x: Tensor, q: Tensor, axis: Axis = None, method: str = "linear", keepdims: bool = False
) -> Array:
    """The number below which a share `q` of the elements lies, 0 to 1.

    Args:
        q: one share, or several: their dimensions come first in the result.
        method: what to take between two elements: "linear", "lower", "higher",
            "midpoint" or "nearest".
    """
    return jnp.quantile(fractions(x), fractions(q), _axes(axis), method=method, keepdims=keepdims)


@operation()
def percentile(
    x: Tensor, q: Tensor, axis: Axis = None, method: str = "linear", keepdims: bool = False
) -> Array:
    """The number below which `q` of 100 elements lie; otherwise as `quantile`."""
    return jnp.percentile(fractions(x), fractions(q), _axes(axis), method=method, keepdims=keepdims)


# Yes or no


@operation()
def all(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Array:
    """Whether all elements are true."""
    return jnp.all(as_array(x), _axes(axis), keepdims=keepdims)


@operation()
def any(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Array:
    """Whether at least one element is true."""
    return jnp.any(as_array(x), _axes(axis), keepdims=keepdims)


# The same, as if NaN were not there


@operation()
def nansum(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Array:
    """The sum of the elements that are not NaN."""
    return jnp.nansum(as_array(x), _axes(axis), keepdims=keepdims)


@operation()
def nanprod(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Array:
    """The product of the elements that are not NaN."""
    return jnp.nanprod(as_array(x), _axes(axis), keepdims=keepdims)


@operation()
def nanmean(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Array:
    """The mean of the elements that are not NaN."""
    return jnp.nanmean(fractions(x), _axes(axis), keepdims=keepdims)


@operation()
def nanvar(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Array:
    """The mean squared distance from the mean, of the elements that are not NaN."""
    return jnp.nanvar(fractions(x), _axes(axis), keepdims=keepdims)


@operation()
def nanstd(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Array:
    """The standard deviation of the elements that are not NaN."""
    return jnp.nanstd(fractions(x), _axes(axis), keepdims=keepdims)


@operation()
def nanmax(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Array:
    """The largest element that is not NaN."""
    return jnp.nanmax(as_array(x), _axes(axis), keepdims=keepdims)


@operation()
def nanmin(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Array:
    """The smallest element that is not NaN."""
    return jnp.nanmin(as_array(x), _axes(axis), keepdims=keepdims)


@operation()
def nanargmax(x: Tensor, axis: int | None = None, keepdims: bool = False) -> Array:
    """Where the largest element that is not NaN stands; -1 if there is none."""
    return jnp.nanargmax(as_array(x), axis, keepdims=keepdims)


@operation()
def nanargmin(x: Tensor, axis: int | None = None, keepdims: bool = False) -> Array:
    """Where the smallest element that is not NaN stands; -1 if there is none."""
    return jnp.nanargmin(as_array(x), axis, keepdims=keepdims)


@operation()
def nanmedian(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Array:
    """The number in the middle of those that are not NaN."""
    return jnp.nanmedian(fractions(x), _axes(axis), keepdims=keepdims)


@operation()
def nanquantile(
    x: Tensor, q: Tensor, axis: Axis = None, method: str = "linear", keepdims: bool = False
) -> Array:
    """The number below which a share `q` of the elements that are not NaN lies."""
    return jnp.nanquantile(fractions(x), fractions(q), _axes(axis), method=method, keepdims=keepdims)


@operation()
def nanpercentile(
    x: Tensor, q: Tensor, axis: Axis = None, method: str = "linear", keepdims: bool = False
) -> Array:
    """The number below which `q` of 100 elements that are not NaN lie."""
    return jnp.nanpercentile(fractions(x), fractions(q), _axes(axis), method=method, keepdims=keepdims)


# Running totals


@operation()
def cumsum(x: Tensor, axis: int | None = None, dtype: Any = None) -> Array:
    """The sum of every element and all before it; without an axis, row by row.

    >>> cumsum([1, 2, 3]).tolist()
    [1, 3, 6]
    """
    return jnp.cumsum(as_array(x), axis, _type(dtype))


@operation()
def cumprod(x: Tensor, axis: int | None = None, dtype: Any = None) -> Array:
    """The product of every element and all before it."""
    return jnp.cumprod(as_array(x), axis, _type(dtype))


@operation()
def nancumsum(x: Tensor, axis: int | None = None, dtype: Any = None) -> Array:
    """The sum of every element and all before it, with NaN as 0."""
    return jnp.nancumsum(as_array(x), axis, _type(dtype))


@operation()
def nancumprod(x: Tensor, axis: int | None = None, dtype: Any = None) -> Array:
    """The product of every element and all before it, with NaN as 1."""
    return jnp.nancumprod(as_array(x), axis, _type(dtype))


# Counting and grouping


@operation()
def bincount(x: Tensor, weights: Tensor | None = None, minlength: int = 0, sparse: bool = False) -> Array:
    """How often each whole number from 0 on occurs, or the sum of its weights.

    Its length depends on the values, so it cannot be compiled.

    Args:
        x: one list of numbers, or a row for each list.
        minlength: the result is at least so long.
        sparse: only False; there are no sparse arrays here.

    >>> bincount([1, 1, 3]).tolist()
    [0, 2, 0, 1]
    """
    if sparse:
        raise NotSupportedError(
            "ops.bincount", expected="sparse=False", got="sparse=True", fix="Leave the keyword out."
        )
    x, weights = as_array(x), None if weights is None else as_array(weights)
    if x.ndim < 2:
        return jnp.bincount(x, weights, minlength)
    # Rows that count to different numbers still have to make one array.
    length = int(jnp.maximum(jnp.max(x) + 1, minlength))
    rows = (x,) if weights is None else (x, weights)
    return jax.vmap(lambda *row: jnp.bincount(*row, length=length))(*rows)


@operation()
def histogram(x: Tensor, bins: Any = 10, range: Any = None) -> tuple[Array, Array]:
    """How many elements fall into each interval, and the ends of the intervals.

    Args:
        bins: how many intervals of equal width, or their ends.
        range: the lowest and the highest end; None means those of the data.
    """
    counts, edges = jnp.histogram(as_array(x), bins, range)
    return counts, edges


@operation()
def corrcoef(x: Tensor) -> Array:
    """How strongly each row goes along with each other, -1 to 1."""
    return jnp.corrcoef(fractions(x))


@operation()
def segment_sum(
    data: Tensor, segment_ids: Tensor, num_segments: int | None = None, sorted: bool = False
) -> Array:
    """The sum of the rows of each group.

    Args:
        data: the rows; the first axis is added up.
        segment_ids: the number of each row's group.
        num_segments: how many groups; None counts them, which cannot be compiled.
        sorted: a promise that the groups' numbers never fall.

    >>> segment_sum([1, 2, 3], [0, 1, 0]).tolist()
    [4, 2]
    """
    ids = as_array(segment_ids)
    return jax.ops.segment_sum(as_array(data), ids, _count(ids, num_segments), sorted)


@operation()
def segment_prod(
    data: Tensor, segment_ids: Tensor, num_segments: int | None = None, sorted: bool = False
) -> Array:
    """The product of the rows of each group; arguments as in `segment_sum`."""
    ids = as_array(segment_ids)
    return jax.ops.segment_prod(as_array(data), ids, _count(ids, num_segments), sorted)


@operation()
def segment_max(
    data: Tensor, segment_ids: Tensor, num_segments: int | None = None, sorted: bool = False
) -> Array:
    """The largest of the rows of each group; arguments as in `segment_sum`."""
    ids = as_array(segment_ids)
    return jax.ops.segment_max(as_array(data), ids, _count(ids, num_segments), sorted)


@operation()
def segment_min(
    data: Tensor, segment_ids: Tensor, num_segments: int | None = None, sorted: bool = False
) -> Array:
    """The smallest of the rows of each group; arguments as in `segment_sum`."""
    ids = as_array(segment_ids)
    return jax.ops.segment_min(as_array(data), ids, _count(ids, num_segments), sorted)


def _count(segment_ids: Array, num_segments: int | None) -> int:
    """How many groups there are, or an error where their numbers cannot be seen."""
    if num_segments is not None:
        return num_segments
    if isinstance(segment_ids, jax.core.Tracer):
        raise DataError(
            "ops.segment_sum and its kin",
            expected="num_segments=, the number of groups, inside a compiled program",
            got="None",
            fix="Say how many groups there are; the shape of the result depends on it.",
        )
    return int(jnp.max(segment_ids)) + 1
