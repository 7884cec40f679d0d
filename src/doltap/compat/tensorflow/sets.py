"""`tf.sets`: rows of tensors as sets of numbers or texts; what they give is sparse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from doltap.compat.tensorflow import lacking
from doltap.compat.tensorflow.sparse import SparseTensor
from doltap.compat.tensorflow.tensor import as_tensor

__all__ = ["difference", "intersection", "size", "union"]


def _rows(given: Any) -> tuple[tuple[int, ...], list[list[Any]]]:
    """The shape without its last length, and the elements of each set."""
    values = as_tensor(given).host
    rows = values.reshape(-1, values.shape[-1]).tolist()
    if isinstance(given, SparseTensor):
        held = [[] for _ in rows]  # type: list[list[Any]]
        for place, value in zip(given.indices.host, given.values.host.tolist(), strict=True):
            held[int(np.ravel_multi_index(tuple(place[:-1]), values.shape[:-1]))].append(value)
        rows = held
    return values.shape[:-1], rows


def _joined(a: Any, b: Any, join: Callable[[set[Any], set[Any]], set[Any]]) -> SparseTensor:
    shape, left = _rows(a)
    found = [sorted(join(set(one), set(other))) for one, other in zip(left, _rows(b)[1], strict=True)]
    places = [
        (*np.unravel_index(row, shape), number) if shape else (number,)
        for row, values in enumerate(found)
        for number in range(len(values))
    ]
    values = np.array([value for each in found for value in each], as_tensor(a).host.dtype)
    return SparseTensor(np.array(places, np.int64), values, [*shape, max(map(len, found))])


def union(a: Any, b: Any, validate_indices: bool = True) -> SparseTensor:
    """What is in one of two sets, row by row.

    >>> union([[2, 3]], [[3, 4]]).values.numpy().tolist()
    [2, 3, 4]
    """
    return _joined(a, b, set.union)


def intersection(a: Any, b: Any, validate_indices: bool = True) -> SparseTensor:
    """What is in both sets, row by row."""
    return _joined(a, b, set.intersection)


def difference(a: Any, b: Any, aminusb: bool = True, validate_indices: bool = True) -> SparseTensor:
    """What is in the first set alone, row by row; in the second with `aminusb=False`."""
    return _joined(a, b, set.difference) if aminusb else _joined(b, a, set.difference)


def size(a: Any, validate_indices: bool = True) -> Any:
    """How many different things are in each set."""
    shape, rows = _rows(a)
    return as_tensor(np.array([len(set(row)) for row in rows], np.int32).reshape(shape))


lacking.guard(__name__)
