"""Batches from generators, data sets and other iterables, as equal blocks for the engine.

A feed asks its source for one batch after the other and checks each as it
comes; blocks of several batches go to the device at once, so that one call of
a program trains on many.
"""

from __future__ import annotations

import collections
import concurrent.futures
import itertools
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np

from doltap import random
from doltap.arrays import unpack_x_y_sample_weight
from doltap.errors import DataError, NotSupportedError
from doltap.registry import explained
from doltap.training.batches import Layout, Rows, is_feed

__all__ = ["Block", "Feed", "PyDataset", "source"]

_BLOCK_BYTES = 4 << 20
_MOST_BATCHES = 64
_PATIENCE_SECONDS = 0.1
# Where the classes come from of which data sets by number are made.
_BASES = ("doltap", "keras", "tf_keras")


class PyDataset:
    """Batches by number, read in threads of their own while others are trained on.

    Override `__getitem__(index)`, which gives a batch (x, y) or (x, y,
    sample_weight), and `__len__` (or `num_batches`), how many there are; None
    as `num_batches` means without end. For `fit(..., resume="folder")` a batch
    has to be the same each time; one that shuffles itself after epochs tells how
    in `get_state()` and takes it back in `set_state(state)`.

    Args:
        workers: how many threads read; 0 reads in the thread that trains.
        use_multiprocessing: Keras's processes are threads here; a warning says so.
        max_queue_size: how many batches are read ahead.
    """

    @explained
    def __init__(self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10) -> None:
        if use_multiprocessing:
            warnings.warn(
                "use_multiprocessing=True: doltap reads in threads; NumPy and image readers run beside "
                "each other there too.",
                stacklevel=3,
            )
        self.workers, self.use_multiprocessing = workers, use_multiprocessing
        self.max_queue_size = max_queue_size

    def __getitem__(self, index: int) -> Any:
        raise NotSupportedError(
            type(self).__name__,
            expected="a method __getitem__(self, index)",
            got="none",
            fix="Define it; it returns batch number index as (x, y).",
        )

    @property
    def num_batches(self) -> int | None:
        """How many batches there are."""
        if not hasattr(self, "__len__"):
            raise NotSupportedError(
                type(self).__name__,
                expected="a method __len__(self)",
                got="none",
                fix="Define it; it returns how many batches there are.",
            )
        return len(self)

    def on_epoch_begin(self) -> None:
        """Called before every epoch."""

    def on_epoch_end(self) -> None:
        """Called after every epoch, for example to shuffle."""


class _Source:
    """Where batches come from: `epoch(n)` iterates over them; `num_batches` is None where unknown."""

    num_batches: int | None = None
    # Whether an epoch goes on where the last one stopped, instead of from the beginning.
    goes_on = False
    data: Any
    seed = 0

    def epoch(self, number: int) -> Iterator[Any]:
        return self.rest(number, 0)

    def rest(self, number: int, start: int) -> Iterator[Any]:
        """The batches of an epoch that has begun, from batch `start` on."""
        raise NotImplementedError

    def end_epoch(self) -> None:
        """Called after an epoch."""

    def once_only(self) -> str | None:
        """Why the same batches cannot be had again, as the end of "got ..."; None where they can."""
        return None

    def sample(self) -> Any:
        """Some of what it gives, by which it is known again."""
        return self.data

    def get_state(self) -> Any:
        """What it has to know again to give the same batches; None where that is nothing."""
        return None

    def set_state(self, state: Any) -> None:
        """Take up what `get_state` gave."""


class _Iterable(_Source):
    """A generator, which goes on, or anything that can be iterated over again."""

    def __init__(self, data: Any) -> None:
        self.data = data
        self.goes_on = hasattr(data, "__next__")
        length = getattr(data, "__len__", None)
        self.num_batches = None if self.goes_on or length is None else _length(data)

    def rest(self, number: int, start: int) -> Iterator[Any]:
        batches = iter(self.data)
        # What goes on gives each batch once, and has given those already.
        return batches if self.goes_on else itertools.islice(batches, start, None)

    def once_only(self) -> str | None:
        kind = type(getattr(self.data, "data", self.data)).__name__
        gives = "gives every batch once" if self.goes_on else "may give other batches another time"
        return f"a {kind}, which {gives}"


def _length(data: Any) -> int | None:
    try:
        return len(data)
    except TypeError:  # A data set without a known length says so like this.
        return None


class _Numbered(_Source):
    """A `PyDataset`, or Keras's older `Sequence`."""

    def __init__(self, data: Any, seed: int, *, shuffle: bool) -> None:
        self.data, self.seed, self.shuffle = data, seed, shuffle
        self.num_batches = data.num_batches if hasattr(data, "num_batches") else len(data)

    def epoch(self, number: int) -> Iterator[Any]:
        if hasattr(self.data, "on_epoch_begin"):
            self.data.on_epoch_begin()
        return self.rest(number, 0)

    def rest(self, number: int, start: int) -> Iterator[Any]:
        numbers: Any = itertools.count(start)
        if self.num_batches is not None:
            order = np.arange(self.num_batches)
            if self.shuffle:
                random.generator(self.seed, 3, number).shuffle(order)
            numbers = iter(order[start:].tolist())
        workers = getattr(self.data, "workers", 0)
        if not workers:
            return (self.data[index] for index in numbers)
        return _read_ahead(self.data, numbers, workers, max(1, getattr(self.data, "max_queue_size", 10)))

    def once_only(self) -> str | None:
        kind = type(self.data).__name__
        if self.num_batches is None:
            return f"a {kind} without an end"
        hooks = [getattr(type(self.data), f"on_epoch_{when}", None) for when in ("begin", "end")]
        # Those of the bases do nothing.
        changes = any(hook and hook.__module__.split(".")[0] not in _BASES for hook in hooks)
        if changes and not (hasattr(self.data, "get_state") and hasattr(self.data, "set_state")):
            return (
                f"a {kind} that its on_epoch_begin or on_epoch_end changes, without get_state and set_state"
            )
        first, again = (jax.tree.leaves(unpack_x_y_sample_weight(self.data[0])) for _ in range(2))
        is_same = len(first) == len(again) and all(map(_same, first, again))
        return None if is_same else f"a {kind} whose batch 0 is another one each time"

    def get_state(self) -> Any:
        return self.data.get_state() if hasattr(self.data, "get_state") else None

    def set_state(self, state: Any) -> None:
        if hasattr(self.data, "set_state"):
            self.data.set_state(state)

    def sample(self) -> Any:
        return [unpack_x_y_sample_weight(self.data[number]) for number in (0, (self.num_batches or 1) - 1)]

    def end_epoch(self) -> None:
        if hasattr(self.data, "on_epoch_end"):
            self.data.on_epoch_end()


def _read_ahead(data: Any, numbers: Iterator[int], workers: int, ahead: int) -> Iterator[Any]:
    """The batches of these numbers in their order, read by threads."""
    waiting: collections.deque[concurrent.futures.Future] = collections.deque()
    with concurrent.futures.ThreadPoolExecutor(workers, "reading batches") as pool:
        try:
            for number in itertools.islice(numbers, ahead):
                waiting.append(pool.submit(data.__getitem__, number))
            while waiting:
                batch = waiting.popleft().result()
                waiting.extend(pool.submit(data.__getitem__, n) for n in itertools.islice(numbers, 1))
                yield batch
        finally:
            for future in waiting:
                future.cancel()


class _Arrays(_Source):
    """Arrays cut into batches, over and over: for `steps_per_epoch` beside arrays."""

    goes_on = True

    def __init__(self, data: tuple[Any, ...], batch_size: int, seed: int, *, shuffle: bool) -> None:
        self.data, self.batch_size, self.seed, self.shuffle = data, batch_size, seed, shuffle

    def rest(self, number: int, start: int) -> Iterator[Any]:
        leaves = jax.tree.leaves(self.data)
        count = len(leaves[0])
        first, skipped = divmod(start, -(-count // self.batch_size))
        for turn in itertools.count(first):
            order = np.arange(count)
            if self.shuffle:
                random.generator(self.seed, 4, turn).shuffle(order)
            for place in range(skipped * self.batch_size, count, self.batch_size):
                chosen = order[place : place + self.batch_size]
                yield jax.tree.map(lambda array, chosen=chosen: np.asarray(array)[chosen], self.data)
            skipped = 0


def source(x: Any, y: Any, weights: Any, batch_size: int, seed: int, *, shuffle: bool) -> _Source:
    """Where the batches of this data come from."""
    if not is_feed(x):
        x, y, weights = (None if part is None else _with_rows(part) for part in (x, y, weights))
        return _Arrays((x, y, weights), batch_size, seed, shuffle=shuffle)
    # Keras 2's Sequence can be iterated over, too.
    is_sequence = hasattr(x, "on_epoch_end") or not hasattr(x, "__iter__")
    if isinstance(x, PyDataset) or (is_sequence and hasattr(x, "__getitem__")):
        return _Numbered(x, seed, shuffle=shuffle)
    # A tf.data.Dataset gives tensors; as NumPy it is any iterable.
    as_numpy = getattr(x, "as_numpy_iterator", None)
    return _Iterable(_Again(as_numpy, x) if as_numpy else x)


class _Again:
    """A data set that is read as NumPy from its beginning each time."""

    def __init__(self, begin: Callable[[], Iterator[Any]], data: Any) -> None:
        self.begin, self.data = begin, data

    def __iter__(self) -> Iterator[Any]:
        return self.begin()

    def __len__(self) -> int:
        return len(self.data)


def _same(one: Any, other: Any) -> bool:
    one, other = np.asarray(one), np.asarray(other)
    return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()


def _with_rows(part: Any) -> Any:
    if isinstance(part, dict):
        return {key: _with_rows(item) for key, item in part.items()}
    if isinstance(part, (list, tuple)) and any(hasattr(item, "shape") for item in part):
        return [_with_rows(item) for item in part]
    return np.asarray(part)


class Block:
    """Several batches of one length, laid out as a program takes them.

    Args:
        batches: the batches, at most `room`.
        room: for how many there is room, so that one program serves every block.
    """

    def __init__(self, batches: list[Rows], room: int) -> None:
        self.count, size = len(batches), batches[0].count
        filled = [*batches, *[batches[-1]] * (room - len(batches))]
        trees = [rows.tree for rows in filled]
        self.data = jax.device_put(jax.tree.map(lambda *arrays: np.concatenate(arrays), *trees))
        self.nbytes = room * batches[0].nbytes
        self.layout = Layout(room * size, room, size, size, False, 1)


class Feed:
    """Checked batches from a source, epoch by epoch.

    Args:
        check: makes the rows of a batch from (x, y, sample_weight) and what errors call it.
        num_steps: batches of an epoch; None means all that the source has.
        call: what the batches are for: "fit", "evaluate" or "predict".
    """

    def __init__(
        self,
        source: _Source,
        check: Callable[[tuple[Any, ...], str], Rows],
        num_steps: int | None,
        call: str = "fit",
    ) -> None:
        self.source, self._check, self._num_steps, self._call = source, check, num_steps, call
        self._going: Iterator[Any] | None = None
        # Which epoch of the source is read, and how many of its batches earlier epochs took;
        # the same, and the source's state, as the epoch at hand began.
        self._reading, self._taken = 0, 0
        self._began: tuple[int, int, Any] = (0, 0, None)
        # How many batches of the next epoch were trained on before this run.
        self._done = 0
        # Whether somebody writes down how far it is read.
        self.is_kept = False
        self.num_batches = source.num_batches if num_steps is None else num_steps
        # Whether there is nothing left, and nothing to begin anew.
        self.ran_out = False
        self.first = self._peek()

    def _peek(self) -> Rows:
        """The first batch, by which the model is built; it is trained on in its turn."""
        batches = self.source.epoch(0)
        given = next(batches, None)
        if given is None:
            raise DataError(
                "x", expected="at least one batch", got="none", fix="Check what it iterates over."
            )
        self._going = itertools.chain([given], batches)
        return self._rows(given, 1)

    def _rows(self, given: Any, number: int) -> Rows:
        return self._check(unpack_x_y_sample_weight(given), f"batch {number}'s ")

    def epoch(self, number: int) -> Iterator[Rows]:
        """The batches of this epoch; a warning if the source ends before it."""
        batches, taken = self._going, self._done
        self._done = 0
        if batches is not None and not (self.source.goes_on or taken):
            # What ended with the last epoch begins again.
            first = next(batches, None)
            batches = None if first is None else itertools.chain([first], batches)
        if batches is None:
            batches, self._reading, self._taken = self.source.epoch(number), number, 0
        if self.is_kept:
            self._began = self._reading, self._taken, self.source.get_state()
        for given in itertools.islice(batches, self._num_steps and self._num_steps - taken):
            taken += 1
            yield self._rows(given, taken)
        self.source.end_epoch()
        wanted = self._num_steps or max(taken, 1)
        if taken < wanted:
            self.ran_out = self.source.goes_on
            self._say_what_is_missing(number + 1, taken)
        self._taken += taken
        self._going = batches if self.source.goes_on or self._num_steps is not None else None

    def position(self, done: int) -> dict[str, Any]:
        """How far it is read after `done` batches of an epoch, as `go_to` takes it."""
        # The end of an epoch may have been read while its last batches are trained on.
        reading, taken, state = self._began if done else (self._reading, self._taken, self.source.get_state())
        goes_on = done > 0 or self._going is not None
        return {"reading": reading, "taken": taken, "goes_on": goes_on, "state": state}

    def go_to(self, position: dict[str, Any], done: int) -> None:
        """Read on from where another run was after `done` batches of an epoch."""
        if position["state"] is not None:
            self.source.set_state(position["state"])
        self._reading, self._taken, self._done = position["reading"], position["taken"], done
        goes_on = position["goes_on"]
        self._going = self.source.rest(self._reading, self._taken + done) if goes_on else None

    def _say_what_is_missing(self, epoch: int, taken: int) -> None:
        what = f"The data ended after {taken} of {self._num_steps} batches in epoch {epoch}"
        if self._num_steps is None:
            what = f"The data was used up before epoch {epoch}"
        follows = f"{self._call} ends here" if self.ran_out else "it begins anew with the next epoch"
        warnings.warn(
            f"{what}; {follows}. Let it give as many batches as all epochs take, or ask for fewer steps.",
            stacklevel=2,
        )

    def blocks(self, number: int, most: int | None = None) -> Iterator[Block]:
        """The batches of this epoch in blocks of equal ones.

        Args:
            most: how many batches a block may have; None for as many as fit well.
        """
        waiting: list[Rows] = []
        began, room = time.perf_counter(), 0
        for rows in self.epoch(number):
            if waiting and _shapes(rows) != _shapes(waiting[0]):
                yield Block(waiting, room)
                waiting = []
            if not waiting:
                began, room = time.perf_counter(), most or self._room(rows)
            waiting.append(rows)
            if len(waiting) == room or time.perf_counter() - began > _PATIENCE_SECONDS:
                yield Block(waiting, room)
                waiting = []
        if waiting:
            yield Block(waiting, room)

    def _room(self, rows: Rows) -> int:
        most = _MOST_BATCHES if self.num_batches is None else min(_MOST_BATCHES, self.num_batches)
        return max(1, min(most, _BLOCK_BYTES // max(1, rows.nbytes)))


def _shapes(rows: Rows) -> list[Any]:
    return [(array.shape, array.dtype) for array in jax.tree.leaves(rows.tree)]
