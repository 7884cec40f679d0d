"""Data sets whose rows are at hand are trained on as arrays: the same batches, without a feed.

That is so for batches of rows in their order, or in a new random order of all
of them for each epoch, such as `from_tensor_slices(...).shuffle(n).batch(32)`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from doltap.compat.tensorflow.data.ordered import Ordered
from doltap.compat.tensorflow.data.specs import leaves, mapped
from doltap.compat.tensorflow.entrances import enter
from doltap.models.trainer import Trainer

__all__ = ["AtHand", "enter_all", "rows_of"]

# More than so many bytes are computed batch by batch.
_MOST_BYTES = 1 << 30


class AtHand(NamedTuple):
    """The arrays of a data set, as `fit` takes them, and how it goes through them."""

    arrays: tuple[Any, ...]
    batch_size: int
    is_shuffled: bool


def enter_all() -> None:
    """Put the answers in place."""
    enter(Trainer, "fit", _fitting)
    enter(Trainer, "evaluate", _evaluating)
    enter(Trainer, "predict", _predicting)


def rows_of(data: Any) -> AtHand | None:
    """The arrays behind a data set; None where it is to be read batch by batch."""
    if not isinstance(data, Ordered) or data._cut is None or data._count < 0:
        return None
    size, source, drops = data._cut
    rows = source._rows
    if rows is None or not rows.is_steady or not (source._is_plain or source._is_shuffled):
        return None
    count = rows.count - rows.count % size if drops else rows.count
    if not count or (source._is_shuffled and count != rows.count):
        return None
    parts = leaves(rows.row(0))
    if any(not isinstance(part, (np.ndarray, np.generic)) or part.dtype == object for part in parts):
        return None
    if sum(part.nbytes for part in parts) * count > _MOST_BYTES:
        return None
    found = mapped(np.asarray, rows.take(np.arange(count)))
    arrays = found if type(found) is tuple else (found,)
    return AtHand(arrays, size, source._is_shuffled) if 1 <= len(arrays) <= 3 else None


def _fitting(before: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(before)
    def fit(self: Any, x: Any = None, y: Any = None, batch_size: Any = None, *more: Any, **named: Any) -> Any:
        if len(more) > 3 or named.get("validation_split"):
            return before(self, x, y, batch_size, *more, **named)
        held = rows_of(named.get("validation_data"))
        if held and named.get("validation_steps") is None and named.get("validation_batch_size") is None:
            named |= {"validation_data": held.arrays, "validation_batch_size": held.batch_size}
        alone = y is None and batch_size is None and named.get("sample_weight") is None
        found = rows_of(x) if alone and named.get("steps_per_epoch") is None else None
        if found is None:
            return before(self, x, y, batch_size, *more, **named)
        x, y, weights = (*found.arrays, None, None)[:3]
        named |= {"shuffle": found.is_shuffled, "sample_weight": weights}
        return before(self, x, y, found.batch_size, *more, **named)

    return fit


def _evaluating(before: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(before)
    def evaluate(
        self: Any, x: Any = None, y: Any = None, batch_size: Any = None, *more: Any, **named: Any
    ) -> Any:
        alone = y is None and batch_size is None and len(more) < 2 and named.get("sample_weight") is None
        found = rows_of(x) if alone and named.get("steps") is None else None
        if found is None:
            return before(self, x, y, batch_size, *more, **named)
        x, y, weights = (*found.arrays, None, None)[:3]
        return before(self, x, y, found.batch_size, *more, **{**named, "sample_weight": weights})

    return evaluate


def _predicting(before: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(before)
    def predict(self: Any, x: Any = None, batch_size: Any = None, *more: Any, **named: Any) -> Any:
        found = rows_of(x) if batch_size is None and named.get("steps") is None and len(more) < 2 else None
        if found is None or found.is_shuffled:
            return before(self, x, batch_size, *more, **named)
        return before(self, found.arrays[0], found.batch_size, *more, **named)

    return predict
