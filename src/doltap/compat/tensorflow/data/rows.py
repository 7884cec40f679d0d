"""Rows that can be had by their numbers: what most data sets are made of.

Shuffling, batching and repeating work on the numbers alone; the rows themselves
are fetched when somebody looks at them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from doltap.compat.tensorflow.data import mapping
from doltap.compat.tensorflow.data.specs import leaves, mapped, piece
from doltap.errors import ShapeError

__all__ = ["Chained", "Filled", "Indirect", "Part", "Rows", "Table", "Zipped", "stacked"]

# How many rows are computed at once, and how many bytes of results are kept.
_BLOCK = 1024
_KEPT_BYTES = 1 << 30


class Rows:
    """Rows by number: `take` gives several, laid out below each other, `row` a single one."""

    # Whether a row is the same each time it is asked for.
    is_steady = True

    def __init__(self, count: int) -> None:
        self.count = count

    def take(self, numbers: np.ndarray) -> Any:
        """The rows of these numbers, in the shape of the array of numbers."""
        raise NotImplementedError

    def row(self, number: int) -> Any:
        """One row."""
        return mapped(lambda array: piece(array, 0), self.take(np.array([number])))

    def all(self) -> Any:
        """All rows."""
        return self.take(np.arange(self.count))


class Table(Rows):
    """Arrays of one length.

    Raises:
        ShapeError: they are of several lengths, or single numbers.
    """

    def __init__(self, tree: Any) -> None:
        self.tree = tree
        arrays = leaves(tree)
        if any(not array.ndim for array in arrays):
            raise ShapeError(
                "Dataset.from_tensor_slices",
                expected="arrays with rows",
                got="a single number",
                fix="Dataset.from_tensors(x) makes one element of it.",
            )
        lengths = [len(array) for array in arrays]
        if len(set(lengths)) > 1:
            raise ShapeError(
                "Dataset.from_tensor_slices",
                expected="arrays of one length",
                got=" and ".join(map(str, lengths)) + " rows",
                fix="Give each a row for every element.",
            )
        super().__init__(lengths[0])

    def take(self, numbers: np.ndarray) -> Any:
        """The rows of these numbers."""
        return mapped(lambda array: array[numbers], self.tree)

    def row(self, number: int) -> Any:
        """One row."""
        if not self.count:
            # What a function gives for rows can be told without any.
            return mapped(lambda array: np.zeros(array.shape[1:], array.dtype), self.tree)
        return mapped(lambda array: piece(array, number), self.tree)

    def all(self) -> Any:
        """All rows."""
        return self.tree


class Filled(Rows):
    """What a function gives for each of other rows, computed many at a time and kept where it can be."""

    def __init__(self, rows: Rows, function: Callable[..., Any]) -> None:
        super().__init__(rows.count)
        self._rows = rows
        # Mistakes in the function show here, in the line that names it.
        self._mapping = mapping.Mapping(function, rows.row(0))
        self.is_steady = rows.is_steady and self._mapping.is_steady
        self._kept: Any = None
        # Which blocks are computed, and how many are not.
        self._is_done = np.zeros(math.ceil(self.count / _BLOCK), bool)
        self._left = len(self._is_done)

    def take(self, numbers: np.ndarray) -> Any:
        """The rows of these numbers."""
        if not self._mapping.takes_many:
            found = [self._one(number) for number in numbers.reshape(-1)]
            return mapped(lambda *parts: stacked(parts, numbers.shape), *found)
        if not self._keeps():
            return self._computed(numbers)
        if self._left:
            blocks = np.unique(numbers // _BLOCK)
            for block in blocks[~self._is_done[blocks]]:
                self._fill(int(block))
        return mapped(lambda array: array[numbers], self._kept)

    def row(self, number: int) -> Any:
        """One row."""
        if not self.count:
            return self._mapping.first
        if self._kept is not None or self._mapping.takes_many:
            return mapped(lambda array: piece(array, 0), self.take(np.array([number])))
        return self._one(number)

    def _one(self, number: int) -> Any:
        return self._mapping.one(self._rows.row(int(number)))

    def _keeps(self) -> bool:
        """Whether there is room for all results; it is made where there is."""
        if (
            self._kept is None
            and self._rows.is_steady
            and self.count * self._mapping.num_bytes <= _KEPT_BYTES
        ):
            self._kept = mapped(
                lambda leaf: np.empty((self.count, *leaf.shape), leaf.dtype), self._mapping.first
            )
        return self._kept is not None

    def _fill(self, block: int) -> None:
        numbers = np.arange(block * _BLOCK, min(self.count, (block + 1) * _BLOCK))
        mapped(lambda array, new: array.__setitem__(numbers, new), self._kept, self._computed(numbers))
        self._is_done[block] = True
        self._left -= 1

    def _computed(self, numbers: np.ndarray) -> Any:
        flat = numbers.reshape(-1)
        found = self._mapping.many(self._rows.take(flat), len(flat))
        return mapped(lambda array: array.reshape(numbers.shape + array.shape[1:]), found)


def stacked(parts: Sequence[Any], shape: tuple[int, ...]) -> np.ndarray:
    """Parts of one shape as an array, laid out in `shape`."""
    try:
        found = np.stack(parts)
    except ValueError:
        shapes = sorted({str(np.shape(part)) for part in parts})
        raise ShapeError(
            "Dataset.batch",
            expected="elements of one shape",
            got=" and ".join(shapes[:3]),
            fix="padded_batch(size) fills the shorter ones up.",
        ) from None
    return found.reshape(shape + found.shape[1:])


class Zipped(Rows):
    """The rows of several side by side, as long as the shortest."""

    def __init__(self, structure: Any) -> None:
        self._structure = structure
        super().__init__(min(rows.count for rows in leaves(structure)))

    @property
    def is_steady(self) -> bool:  # type: ignore[override]
        """Whether all are."""
        return all(rows.is_steady for rows in leaves(self._structure))

    def take(self, numbers: np.ndarray) -> Any:
        """The rows of these numbers."""
        return mapped(lambda rows: rows.take(numbers), self._structure)

    def row(self, number: int) -> Any:
        """One row."""
        return mapped(lambda rows: rows.row(number), self._structure)


class Chained(Rows):
    """The rows of one, and then those of another."""

    def __init__(self, first: Rows, second: Rows) -> None:
        self._first, self._second = first, second
        super().__init__(first.count + second.count)

    @property
    def is_steady(self) -> bool:  # type: ignore[override]
        """Whether both are."""
        return self._first.is_steady and self._second.is_steady

    def take(self, numbers: np.ndarray) -> Any:
        """The rows of these numbers."""
        is_first = numbers < self._first.count
        if is_first.all():
            return self._first.take(numbers)
        if not is_first.any():
            return self._second.take(numbers - self._first.count)
        one = self._first.take(numbers[is_first])
        other = self._second.take(numbers[~is_first] - self._first.count)

        def joined(a: np.ndarray, b: np.ndarray) -> np.ndarray:
            found = np.empty((*numbers.shape, *a.shape[1:]), a.dtype)
            found[is_first], found[~is_first] = a, b
            return found

        return mapped(joined, one, other)

    def row(self, number: int) -> Any:
        """One row."""
        count = self._first.count
        return self._first.row(number) if number < count else self._second.row(number - count)


class Indirect(Rows):
    """Groups of the rows of another: row i is made of those whose numbers stand in line i."""

    def __init__(self, rows: Rows, numbers: np.ndarray) -> None:
        self._rows, self._numbers = rows, numbers
        super().__init__(len(numbers))

    @property
    def is_steady(self) -> bool:  # type: ignore[override]
        """Whether the rows they are made of are."""
        return self._rows.is_steady

    def take(self, numbers: np.ndarray) -> Any:
        """The rows of these numbers."""
        return self._rows.take(self._numbers[numbers])

    def row(self, number: int) -> Any:
        """One row."""
        return self._rows.take(self._numbers[number])


class Part(Rows):
    """One part of rows that have several."""

    def __init__(self, rows: Rows, place: int) -> None:
        self._rows, self._place = rows, place
        super().__init__(rows.count)

    @property
    def is_steady(self) -> bool:  # type: ignore[override]
        """Whether the whole is."""
        return self._rows.is_steady

    def take(self, numbers: np.ndarray) -> Any:
        """The rows of these numbers."""
        return leaves(self._rows.take(numbers))[self._place]

    def row(self, number: int) -> Any:
        """One row."""
        return leaves(self._rows.row(number))[self._place]
