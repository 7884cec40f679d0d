"""How a data set is run through, and in what order.

What stands for an element on its way is a ticket: the number of a row, several
such numbers for a batch, or the element itself where there are no rows to be
had by number.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from doltap import config, random
from doltap.compat.tensorflow import errors
from doltap.compat.tensorflow.data import lacking, streams
from doltap.compat.tensorflow.data.options import Options
from doltap.compat.tensorflow.data.rows import Chained, Rows
from doltap.compat.tensorflow.data.specs import Later, as_tensors, batched_spec, leaves, mapped, spec_of
from doltap.compat.tensorflow.tensor import Tensor
from doltap.errors import ShapeError

__all__ = ["INFINITE", "UNKNOWN", "Elements", "Ordered", "check_positive", "seed_number"]

INFINITE, UNKNOWN = -1, -2


class Elements:
    """A run through a data set: `next(...)` or `get_next()` give the elements."""

    def __init__(self, dataset: Ordered) -> None:
        self._left = map(as_tensors, dataset.values())
        self._dataset = dataset

    @property
    def element_spec(self) -> Any:
        """What the elements look like."""
        return self._dataset.element_spec

    def __iter__(self) -> Elements:
        return self

    def __next__(self) -> Any:
        return next(self._left)

    def get_next(self, name: str | None = None) -> Any:
        """The next element; an OutOfRangeError after the last."""
        try:
            return next(self._left)
        except StopIteration:
            raise errors.OutOfRangeError(
                "iterator.get_next()",
                expected="another element",
                got="the end",
                fix="Begin again: iter(dataset).",
            ) from None


class Ordered:
    """Elements that can be iterated over, again and again, in an order that can be changed.

    Args:
        tickets: begins a run through what stands for the elements.
        count: how many there are; -1 for ever, -2 not known.
        rows: what the tickets are numbers of; None where they are the elements.
        lead: the first lengths of an element, those of the batches of rows that it is.
        spec: the description of an element, or how to find it.
        kind: what made it, as its text shows.
        is_fixed: whether the tickets are the same each time.
    """

    def __init__(
        self,
        tickets: Callable[[], Iterable[Any]],
        count: int,
        *,
        rows: Rows | None = None,
        lead: tuple[int | None, ...] = (),
        spec: Any = None,
        kind: str = "",
        is_fixed: bool = True,
    ) -> None:
        self._tickets, self._count, self._rows = tickets, count, rows
        self._lead, self._spec, self._kind, self._is_fixed = lead, spec, kind, is_fixed
        # Whether the tickets are those of all rows in their order.
        self._is_plain = False
        self._rows_by_part: Any = None
        # For batches of rows: their size, what is cut into them, and whether a short last one is dropped.
        self._cut: tuple[int, Ordered, bool] | None = None
        # Whether the tickets are those of all rows, in a new random order each time.
        self._is_shuffled = False

    # How it is looked at.

    def values(self) -> Iterator[Any]:
        """A run through the elements, in NumPy."""
        return map(self._value, self._tickets())

    def _value(self, ticket: Any) -> Any:
        if self._rows is None:
            return ticket
        return self._rows.take(ticket) if self._lead else self._rows.row(ticket)

    def __iter__(self) -> Elements:
        return Elements(self)

    def as_numpy_iterator(self) -> Iterator[Any]:
        """A run through the elements as NumPy arrays and numbers."""
        # Rows are views of what the data set holds.
        own = self._rows is not None and not self._lead
        return (mapped(lambda part: _numpy(part, own), value) for value in self.values())

    def get_single_element(self, name: str | None = None) -> Any:
        """The only element there is."""
        first, *others = itertools.islice(self, 2)
        if others:
            raise errors.InvalidArgumentError(
                "Dataset.get_single_element", expected="one element", got="more", fix="Take one: take(1)."
            )
        return first

    @property
    def element_spec(self) -> Any:
        """The shapes and types of the elements."""
        if isinstance(self._spec, Later):
            self._spec = self._spec.find()
        if self._spec is None and self._rows is not None:
            spec = spec_of(self._rows.row(0))
            for size in reversed(self._lead):
                spec = batched_spec(spec, size)
            self._spec = spec
        if self._spec is None:
            self._spec = spec_of(next(self.values()))
        return self._spec

    def cardinality(self, name: str | None = None) -> Any:
        """How many elements there are: -1 for ever, -2 not known."""
        return Tensor(np.int64(self._count))

    def __len__(self) -> int:
        if self._count == INFINITE:
            raise TypeError("The dataset is infinite.")
        if self._count == UNKNOWN:
            raise TypeError("The dataset length is unknown.")
        return self._count

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return f"<_{self._kind}Dataset element_spec={self.element_spec!r}>"

    def __getattr__(self, name: str) -> Any:
        raise lacking.of_dataset(name, [each for each in dir(type(self)) if not each.startswith("_")])

    # What only concerns which elements there are, and in what order.

    def _like(
        self, tickets: Callable[[], Iterable[Any]], count: int, kind: str, *, is_fixed: bool | None = None
    ) -> Any:
        """A data set of the same elements under other tickets."""
        fixed = self._is_fixed if is_fixed is None else is_fixed
        spec = self._spec if self._rows is not None else Later(lambda: self.element_spec)
        made = type(self)(
            tickets, count, rows=self._rows, lead=self._lead, spec=spec, kind=kind, is_fixed=fixed
        )
        return made

    def _same(self, kind: str) -> Any:
        made = self._like(self._tickets, self._count, kind)
        made._is_plain, made._cut, made._is_shuffled = self._is_plain, self._cut, self._is_shuffled
        return made

    def shuffle(
        self,
        buffer_size: Any,
        seed: Any = None,
        reshuffle_each_iteration: bool | None = None,
        name: str | None = None,
    ) -> Any:
        """In random order: each element is drawn from a buffer of so many, another order each time."""
        size = int(buffer_size)
        if size == UNKNOWN:
            size = max(1, self._count)
        check_positive("Dataset.shuffle", "buffer_size", size)
        number, turns = seed_number(seed), itertools.count()
        reshuffles = reshuffle_each_iteration is None or bool(reshuffle_each_iteration)

        def begin() -> Iterator[Any]:
            source = random.generator(number, next(turns) if reshuffles else 0, 6)
            return streams.shuffled(self._tickets(), size, source)

        made = self._like(begin, self._count, "Shuffle", is_fixed=self._is_fixed and not reshuffles)
        is_whole = (self._is_plain and size >= self._count) or self._is_shuffled
        made._is_shuffled = is_whole and reshuffles
        return made

    def repeat(self, count: Any = None, name: str | None = None) -> Any:
        """Over and over, `count` times or without end."""
        turns = None if count is None or int(count) < 0 else int(count)
        many = self._count if self._count < 0 else self._count * (turns or 0)
        if turns is None and self._count > 0:
            many = INFINITE
        made = self._like(lambda: streams.repeated(self._tickets, turns), many, "Repeat")
        if turns is None and self._cut is not None:
            made._cut = self._cut
        return made

    def take(self, count: Any, name: str | None = None) -> Any:
        """The first elements; all for -1."""
        number = int(count)
        if number < 0:
            return self._same("Take")
        many = number if self._count == INFINITE else min(self._count, number)
        return self._like(lambda: itertools.islice(self._tickets(), number), many, "Take")

    def skip(self, count: Any, name: str | None = None) -> Any:
        """All but the first elements; none for -1."""
        number = int(count)
        if number < 0:
            return self.take(0)
        many = self._count if self._count < 0 else max(0, self._count - number)
        return self._like(lambda: itertools.islice(self._tickets(), number, None), many, "Skip")

    def shard(self, num_shards: Any, index: Any, name: str | None = None) -> Any:
        """Each `num_shards`-th element, beginning with number `index`."""
        step, start = int(num_shards), int(index)
        if not 0 <= start < step:
            raise errors.InvalidArgumentError(
                "Dataset.shard",
                expected="an index from 0 to below num_shards",
                got=f"{start} of {step}",
                fix="Number the shards from 0.",
            )
        many = self._count if self._count < 0 else len(range(start, self._count, step))
        return self._like(lambda: itertools.islice(self._tickets(), start, None, step), many, "Shard")

    def concatenate(self, dataset: Any, name: str | None = None) -> Any:
        """These elements, and then those of another."""
        counts = (self._count, dataset._count)
        many = next((each for each in (INFINITE, UNKNOWN) if each in counts), sum(counts))
        fixed = self._is_fixed and dataset._is_fixed
        if self._rows is None or dataset._rows is None or len(self._lead) != len(dataset._lead):
            spec = Later(lambda: self.element_spec)
            return type(self)(
                lambda: itertools.chain(self.values(), dataset.values()),
                many,
                spec=spec,
                kind="Concatenate",
                is_fixed=fixed,
            )
        _check_alike(self.element_spec, dataset.element_spec)
        offset = self._rows.count
        rows = Chained(self._rows, dataset._rows)

        def chained() -> Iterator[Any]:
            return itertools.chain(self._tickets(), (ticket + offset for ticket in dataset._tickets()))

        made = type(self)(chained, many, rows=rows, lead=self._lead, kind="Concatenate", is_fixed=fixed)
        made._is_plain = self._is_plain and dataset._is_plain
        return made

    def cache(self, filename: Any = "", name: str | None = None) -> Any:
        """What the first whole run gave, each time; in memory, whatever file is named."""
        is_steady = self._rows is None or self._rows.is_steady
        if self._rows is not None and is_steady and self._is_fixed:
            return self._same("Cache")
        kept: list[Any] = []
        is_whole = False

        def begin() -> Iterator[Any]:
            nonlocal is_whole
            if is_whole:
                yield from kept
                return
            run: list[Any] = []
            for each in self._tickets() if is_steady else self.values():
                run.append(each)
                yield each
            kept[:], is_whole = run, True

        if is_steady:
            return self._like(begin, self._count, "Cache", is_fixed=False)
        spec = Later(lambda: self.element_spec)
        return type(self)(begin, self._count, spec=spec, kind="Cache", is_fixed=False)

    def prefetch(self, buffer_size: Any = None, name: str | None = None) -> Any:
        """The same: what is here is at hand."""
        return self._same("Prefetch")

    def with_options(self, options: Any, name: str | None = None) -> Any:
        """The same: there is nothing to choose."""
        return self._same("Options")

    def options(self) -> Any:
        """What `with_options` was given: nothing."""
        return Options()

    def apply(self, transformation_func: Callable[[Any], Any], name: str | None = None) -> Any:
        """What a function makes of this data set."""
        return transformation_func(self)


def _numpy(part: Any, is_view: bool) -> Any:
    """A part of an element as NumPy gives it to programs, which may write to it."""
    if not isinstance(part, (np.ndarray, np.generic)):
        return part
    if not part.ndim:
        return part[()]  # type: ignore[index]
    return part.copy() if is_view else part


def _check_alike(spec: Any, other: Any) -> None:
    types = [[each.dtype for each in leaves(one)] for one in (spec, other)]
    if types[0] != types[1]:
        raise ShapeError(
            "Dataset.concatenate",
            expected=f"elements as {spec}",
            got=f"{other}",
            fix="Make them alike with map.",
        )


def seed_number(seed: Any) -> int:
    """The integer from which a data set draws: of the seed it is given, or of the next draw."""
    if seed is None:
        return random.mix(config.global_seed(), config.next_draw(), 7)
    return random.mix(config.chosen_seed() or 0, int(seed), 8)


def check_positive(call: str, what: str, value: int) -> None:
    """An error for a number below 1."""
    if value < 1:
        raise errors.InvalidArgumentError(
            call, expected=f"{what} of at least 1", got=str(value), fix=f"For example {what}=32."
        )
