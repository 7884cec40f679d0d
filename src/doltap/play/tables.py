"""A table of one's own, from the rows of a CSV file to points of a plane.

What cannot be used is refused with the row in which it stands, counted as a spreadsheet counts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from doltap.play import spellings
from doltap.play.refusals import RefusedError
from doltap.play.spellings import Marks

__all__ = ["MOST_BYTES", "Choice", "Table", "read", "read_file"]

MOST_BYTES = 5_000_000
_MOST_ROWS, _LEAST_ROWS = 10_000, 10
_MOST_COLUMNS, _LEAST_COLUMNS = 100, 3
_MOST_CLASSES = 8
_LABELS = ("label", "class", "target", "정답", "분류", "레이블")
# What stands for a value that is not there; among numbers some more do, which may be classes.
_GAPS = ("", "na", "n/a", "#n/a", "nan", "null", "?")
_GAPS_IN_NUMBERS = (*_GAPS, "-", "--", ".", "none")
# Beyond this, squares leave the range of numbers; and what differs by less is all rounding.
_LARGEST, _SMALLEST, _FINEST = 1e100, 1e-100, 1e-12


@dataclass(frozen=True)
class Choice:
    """Which columns are the two inputs and the label, and whether the label is a class or a value."""

    x: int
    y: int
    label: int
    is_value: bool = False


@dataclass(frozen=True)
class Table:
    """The rows of a file, and how to read them from it again.

    Args:
        places: the number of each row in the file, from 1.
    """

    name: str
    columns: tuple[str, ...]
    rows: list[list[str]] = field(repr=False)
    places: list[int] = field(repr=False)
    encoding: str
    delimiter: str
    marks: Marks
    has_header: bool

    def describe(self) -> dict[str, Any]:
        """What a page has to know to let somebody choose columns."""
        kinds = [self._kind(number) for number in range(len(self.columns))]
        return {
            "name": self.name,
            "rows": len(self.rows),
            "columns": [
                {"name": name, "number": kind} for name, kind in zip(self.columns, kinds, strict=True)
            ],
            "choice": vars(self._first_choice(kinds)),
        }

    def points(self, choice: Choice) -> np.ndarray:
        """The two inputs, each with mean 0 and spread 1."""
        points = np.array([self.numbers(choice.x), self.numbers(choice.y)]).T
        return (points - points.mean(axis=0)) / points.std(axis=0)

    def labels(self, choice: Choice) -> tuple[np.ndarray, tuple[str, ...]]:
        """The labels, and the names of their classes; values have none, but mean 0 and spread 1."""
        if choice.is_value:
            values = np.array(self.numbers(choice.label))
            return (values - values.mean()) / values.std(), ()
        cells = self._cells(choice.label, _GAPS)
        names = sorted(set(cells))
        column = self.columns[choice.label]
        if len(names) < 2:
            raise RefusedError("one class", column=column, value=names[0])
        if len(names) > _MOST_CLASSES:
            raise RefusedError("classes", column=column, count=len(names), most=_MOST_CLASSES)
        return np.array([names.index(cell) for cell in cells]), tuple(names)

    def numbers(self, column: int) -> list[float]:
        """A column of numbers that are not all the same."""
        cells = self._cells(column, _GAPS_IN_NUMBERS)
        self._refuse(column, "text", cells, lambda cell: not self._is_number(cell))
        numbers = [self.marks.number(cell) or 0.0 for cell in cells]
        self._refuse(column, "size", cells, lambda cell: abs(self.marks.number(cell) or 0.0) > _LARGEST)
        low, high = min(numbers), max(numbers)
        if low == high:
            raise RefusedError("constant", column=self.columns[column], value=cells[0])
        if high - low < max(_SMALLEST, _FINEST * max(-low, high)):
            ends = {"low": cells[numbers.index(low)], "high": cells[numbers.index(high)]}
            raise RefusedError("fine", column=self.columns[column], **ends)
        return numbers

    def _cells(self, column: int, gaps: tuple[str, ...]) -> list[str]:
        """A column without gaps."""
        cells = [row[column].strip() for row in self.rows]
        self._refuse(column, "gaps", cells, lambda cell: cell.lower() in gaps)
        return cells

    def _refuse(self, column: int, code: str, cells: list[str], is_wrong: Callable[[str], bool]) -> None:
        wrong = [number for number, cell in enumerate(cells) if is_wrong(cell)]
        if not wrong:
            return
        row, value = self.places[wrong[0]], cells[wrong[0]]
        if code == "text" and spellings.has_comma(value):
            code = "comma"
        raise RefusedError(code, column=self.columns[column], row=row, value=value, count=len(wrong))

    def _is_number(self, cell: str) -> bool:
        return self.marks.number(cell) is not None

    def _kind(self, column: int) -> bool:
        """Whether most of it is numbers."""
        cells = [row[column].strip() for row in self.rows]
        return sum(map(self._is_number, cells)) > len(cells) / 2

    def _first_choice(self, kinds: list[bool]) -> Choice:
        """The label: a column that is called so, else the last text of few, else the last column."""
        called = [number for number, name in enumerate(self.columns) if name.strip().lower() in _LABELS]
        few = [number for number in range(len(kinds)) if 2 <= self._num_values(number) <= _MOST_CLASSES]
        texts = [number for number in few if not kinds[number]]
        label = (called or texts or [len(kinds) - 1])[-1]
        inputs = [number for number, kind in enumerate(kinds) if kind and number != label]
        inputs += [number for number in range(len(kinds)) if number not in (*inputs, label)]
        return Choice(inputs[0], inputs[1], label, kinds[label] and self._num_values(label) > _MOST_CLASSES)

    def _num_values(self, column: int) -> int:
        return len({row[column].strip() for row in self.rows})


def read_file(path: Path) -> Table:
    """The table in a file."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise RefusedError("large", most=MOST_BYTES // 1_000_000)
        content = path.read_bytes()
    except OSError as error:
        raise RefusedError("missing", path=path, why=error.strerror or error) from error
    return read(content, str(path))


def read(content: bytes, name: str) -> Table:
    """The table in the bytes of a CSV file.

    >>> read(b"a,b,kind\\n" + b"1,2,red\\n3,5,blue\\n" * 5, "colours.csv").columns
    ('a', 'b', 'kind')
    """
    if len(content) > MOST_BYTES:
        raise RefusedError("large", most=MOST_BYTES // 1_000_000)
    text, encoding = spellings.decoded(content)
    delimiter, numbered = spellings.parted(text)
    _check_shape(numbered)
    places, rows = [place for place, _ in numbered], [row for _, row in numbered]
    marks = spellings.marks_of((cell.strip() for row in rows for cell in row), delimiter)
    has_header = all(marks.number(cell.strip()) is None for cell in rows[0])
    _check_count(len(rows) - has_header)
    names = _names(rows[0] if has_header else [""] * len(rows[0]))
    return Table(name, names, rows[has_header:], places[has_header:], encoding, delimiter, marks, has_header)


def _names(header: list[str]) -> tuple[str, ...]:
    """A name for each column; where two are called alike, with its place."""
    names = [name.strip() or f"#{place}" for place, name in enumerate(header, 1)]
    return tuple(
        f"{name} ({place})" if names.count(name) > 1 else name for place, name in enumerate(names, 1)
    )


def _check_shape(rows: list[tuple[int, list[str]]]) -> None:
    if not rows:
        _check_count(0)
    width = len(rows[0][1])
    if width < _LEAST_COLUMNS:
        raise RefusedError("narrow", count=width)
    if width > _MOST_COLUMNS:
        raise RefusedError("wide", count=width, most=_MOST_COLUMNS)
    for place, row in rows:
        if len(row) != width:
            raise RefusedError("ragged", row=place, columns=width, count=len(row))


def _check_count(count: int) -> None:
    if count > _MOST_ROWS:
        raise RefusedError("many", count=count, most=_MOST_ROWS)
    if count < _LEAST_ROWS:
        raise RefusedError("few", count=count, least=_LEAST_ROWS)
