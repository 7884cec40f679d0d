"""The functions that make few numbers of many: sums, means, extremes, places, running totals."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from doltap.compat.tensorflow import arranging, dtypes
from doltap.compat.tensorflow.arithmetic import cast
from doltap.compat.tensorflow.calls import as_kind, operation
from doltap.compat.tensorflow.tensor import as_tensor

__all__ = ["approx_max_k", "argmax", "argmin", "argsort", "bincount", "count_nonzero", "cumprod", "cumsum"]
__all__ += ["cumulative_logsumexp", "histogram_fixed_width", "reduce_all", "reduce_any"]
__all__ += ["reduce_euclidean_norm", "reduce_logsumexp", "reduce_max", "reduce_mean", "reduce_min"]
__all__ += ["reduce_prod", "reduce_std", "reduce_sum", "reduce_variance", "searchsorted", "segment_max"]
__all__ += ["segment_mean", "segment_min", "segment_sum", "sort", "top_k", "unsorted_segment_sum"]


@operation()
def reduce_sum(numpy: Any, input_tensor: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The sums along some axes; of everything without."""
    return numpy.sum(input_tensor, axis, dtype=_counted(input_tensor), keepdims=bool(keepdims))


def _counted(x: Any) -> Any:
    # NumPy would count small whole numbers in 64 bits.
    return np.int32 if x.dtype == bool else x.dtype


@operation()
def reduce_mean(numpy: Any, input_tensor: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The means along some axes, of everything without; those of whole numbers are rounded towards 0."""
    means = numpy.mean(input_tensor, axis, keepdims=bool(keepdims))
    return means.astype(_counted(input_tensor))


@operation()
def reduce_max(numpy: Any, input_tensor: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The largest numbers along some axes."""
    return numpy.max(input_tensor, axis, keepdims=bool(keepdims))


@operation()
def reduce_min(numpy: Any, input_tensor: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The smallest numbers along some axes."""
    return numpy.min(input_tensor, axis, keepdims=bool(keepdims))


@operation()
def reduce_prod(numpy: Any, input_tensor: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The products along some axes."""
    return numpy.prod(input_tensor, axis, dtype=_counted(input_tensor), keepdims=bool(keepdims))


@operation()
def reduce_any(numpy: Any, input_tensor: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Whether one is true, along some axes."""
    return numpy.any(input_tensor, axis, keepdims=bool(keepdims))


@operation()
def reduce_all(numpy: Any, input_tensor: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Whether all are true, along some axes."""
    return numpy.all(input_tensor, axis, keepdims=bool(keepdims))


@operation()
def reduce_variance(numpy: Any, input_tensor: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The means of the squared distances from the mean, along some axes."""
    return numpy.var(input_tensor, axis, keepdims=bool(keepdims))


@operation()
def reduce_std(numpy: Any, input_tensor: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The square roots of the variances, along some axes."""
    return numpy.std(input_tensor, axis, keepdims=bool(keepdims))


@operation()
def reduce_euclidean_norm(numpy: Any, input_tensor: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The lengths of the vectors along some axes."""
    squares = numpy.sum(input_tensor * input_tensor, axis, dtype=input_tensor.dtype, keepdims=bool(keepdims))
    return numpy.sqrt(squares)


@operation()
def reduce_logsumexp(numpy: Any, input_tensor: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The logarithms of the sums of the exponentials, along some axes."""
    if numpy is jnp:
        return jax.nn.logsumexp(input_tensor, axis, keepdims=bool(keepdims))
    highest = np.max(input_tensor, axis, keepdims=True)
    highest = np.where(np.isfinite(highest), highest, np.zeros_like(highest))
    found = np.log(np.sum(np.exp(input_tensor - highest), axis, keepdims=True)) + highest
    return found if keepdims else np.squeeze(found, axis)


@operation()
def count_nonzero(
    numpy: Any, input: Any, axis: Any = None, keepdims: bool = False, dtype: Any = dtypes.int64
) -> Any:
    """How many are not 0, along some axes."""
    hits = input != 0
    return numpy.sum(hits, axis, keepdims=bool(keepdims)).astype(as_kind(numpy, dtype))


@operation()
def argmax(numpy: Any, input: Any, axis: Any = 0, output_type: Any = dtypes.int64) -> Any:
    """The place of the largest number along an axis."""
    return numpy.argmax(input, 0 if axis is None else axis).astype(as_kind(numpy, output_type))


@operation()
def argmin(numpy: Any, input: Any, axis: Any = 0, output_type: Any = dtypes.int64) -> Any:
    """The place of the smallest number along an axis."""
    return numpy.argmin(input, 0 if axis is None else axis).astype(as_kind(numpy, output_type))


@operation()
def _argsort(numpy: Any, values: Any, axis: Any, is_falling: bool) -> Any:
    return numpy.argsort(-values if is_falling else values, axis, kind="stable").astype(np.int32)


def argsort(
    values: Any, axis: int = -1, direction: str = "ASCENDING", stable: bool = False, name: Any = None
) -> Any:
    """The places of the numbers in their order along an axis."""
    return _argsort(values, axis, direction.upper() == "DESCENDING")


@operation()
def _sort(numpy: Any, values: Any, axis: Any, is_falling: bool) -> Any:
    found = numpy.sort(values, axis)
    return numpy.flip(found, axis) if is_falling else found


def sort(values: Any, axis: int = -1, direction: str = "ASCENDING", name: Any = None) -> Any:
    """The numbers in order along an axis."""
    return _sort(values, axis, direction.upper() == "DESCENDING")


@operation()
def _top_k(numpy: Any, input: Any, k: int) -> Any:
    places = numpy.argsort(-input, -1, kind="stable")[..., :k].astype(np.int32)
    return [numpy.take_along_axis(input, places, -1), places]


def top_k(input: Any, k: Any = 1, sorted: bool = True, name: Any = None) -> Any:
    """The `k` largest numbers of each row, and their places."""
    return TopKV2(*_top_k(input, int(k)))


class TopKV2(tuple):
    """The largest values, and their places."""

    __slots__ = ()
    _fields = ("values", "indices")

    def __new__(cls, values: Any, indices: Any) -> Any:
        """Both as a pair."""
        return super().__new__(cls, (values, indices))

    @property
    def values(self) -> Any:
        """The largest values."""
        return self[0]

    @property
    def indices(self) -> Any:
        """Their places."""
        return self[1]


approx_max_k = top_k


def _running(numpy: Any, x: Any, axis: int, is_late: bool, is_backward: bool, sum_of: str, first: int) -> Any:
    x = numpy.flip(x, axis) if is_backward else x
    found = getattr(numpy, sum_of)(x, axis, dtype=x.dtype)
    if is_late:
        start = numpy.full_like(numpy.take(found, np.array([0]), axis), first)
        rest = numpy.take(found, np.arange(x.shape[axis] - 1), axis)
        found = numpy.concatenate([start, rest], axis)
    return numpy.flip(found, axis) if is_backward else found


@operation()
def cumsum(numpy: Any, x: Any, axis: int = 0, exclusive: bool = False, reverse: bool = False) -> Any:
    """The sums of each number and all before it; `exclusive` leaves the number itself out."""
    return _running(numpy, x, axis, bool(exclusive), bool(reverse), "cumsum", 0)


@operation()
def cumprod(numpy: Any, x: Any, axis: int = 0, exclusive: bool = False, reverse: bool = False) -> Any:
    """The products of each number and all before it; `exclusive` leaves the number itself out."""
    return _running(numpy, x, axis, bool(exclusive), bool(reverse), "cumprod", 1)


@operation(needs_jax=True)
def cumulative_logsumexp(numpy: Any, x: Any, axis: int = 0) -> Any:
    """The logarithms of the running sums of the exponentials."""
    return jax.lax.cumlogsumexp(x, axis % x.ndim)


@operation()
def _bincount(numpy: Any, arr: Any, length: int) -> Any:
    return numpy.bincount(arr.reshape(-1), minlength=length)[:length].astype(np.int32)


def bincount(
    arr: Any,
    weights: Any = None,
    minlength: Any = None,
    maxlength: Any = None,
    dtype: Any = dtypes.int32,
    name: Any = None,
    axis: Any = None,
    binary_output: bool = False,
) -> Any:
    """How often each whole number comes, from 0 on; with weights, their sums."""
    values = as_tensor(arr)
    longest = max(int(np.max(np.asarray(values), initial=-1)) + 1, int(minlength or 0))
    longest = longest if maxlength is None else min(longest, int(maxlength))
    if weights is not None:
        given = as_tensor(weights)
        return unsorted_segment_sum(given, values, longest)
    return cast(_bincount(values, longest), dtype)


def histogram_fixed_width(
    values: Any, value_range: Any, nbins: Any = 100, dtype: Any = dtypes.int32, name: Any = None
) -> Any:
    """How many numbers fall into each of some equal steps between two bounds."""
    low, high = (float(each) for each in value_range)
    places = np.floor((np.asarray(as_tensor(values)) - low) / (high - low) * int(nbins)).astype(np.int32)
    return bincount(np.clip(places, 0, int(nbins) - 1), minlength=nbins, dtype=dtype)


@operation(2)
def searchsorted(
    numpy: Any, sorted_sequence: Any, values: Any, side: str = "left", out_type: Any = dtypes.int32
) -> Any:
    """The places at which the values would have to go into numbers that are in order."""
    wanted = as_kind(numpy, out_type)
    if sorted_sequence.ndim == 1:
        return numpy.searchsorted(sorted_sequence, values, side).astype(wanted)
    pairs = zip(sorted_sequence, values, strict=True)
    return numpy.stack([numpy.searchsorted(one, at, side) for one, at in pairs]).astype(wanted)


@operation(2, needs_jax=True)
def _segments(numpy: Any, data: Any, segment_ids: Any, count: int, how: str) -> Any:
    functions = {"sum": "segment_sum", "max": "segment_max", "min": "segment_min"}
    return getattr(jax.ops, functions[how])(jnp.asarray(data), jnp.asarray(segment_ids), count)


def _segment_of(how: str, data: Any, segment_ids: Any, count: Any = None) -> Any:
    """What becomes of the rows that have one number, for each number: "sum", "max" or "min"."""
    ids = as_tensor(segment_ids)
    number = int(np.max(np.asarray(ids), initial=-1)) + 1 if count is None else int(count)
    return _segments(data, ids, number, how)


def segment_sum(data: Any, segment_ids: Any, name: Any = None) -> Any:
    """The sums of the rows that have one number, for each number."""
    return _segment_of("sum", data, segment_ids)


def segment_max(data: Any, segment_ids: Any, name: Any = None) -> Any:
    """The largest of the rows that have one number, for each number."""
    return _segment_of("max", data, segment_ids)


def segment_min(data: Any, segment_ids: Any, name: Any = None) -> Any:
    """The smallest of the rows that have one number, for each number."""
    return _segment_of("min", data, segment_ids)


def segment_mean(data: Any, segment_ids: Any, name: Any = None) -> Any:
    """The means of the rows that have one number, for each number."""
    data = as_tensor(data)
    total = _segment_of("sum", data, segment_ids)
    ones = arranging.reshape(np.ones(data.shape[0], data.dtype.dtype), [-1, *([1] * (data.ndim - 1))])
    count = _segment_of("sum", ones, segment_ids)
    return total / count


def unsorted_segment_sum(data: Any, segment_ids: Any, num_segments: Any, name: Any = None) -> Any:
    """The sums of the rows that have one number, for each number below `num_segments`."""
    return _segment_of("sum", data, segment_ids, num_segments)
