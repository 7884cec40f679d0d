"""A table of one's own, from the text of a CSV file to points of a plane.

What cannot be used is refused with the row in which it stands, counted from 1 with the header.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from doltap.play.refusals import RefusedError

__all__ = ["MOST_BYTES", "Choice", "Table", "read", "read_file"]

MOST_BYTES = 5_000_000
_MOST_ROWS, _LEAST_ROWS = 10_000, 10
_MOST_COLUMNS, _LEAST_COLUMNS = 100, 3
_MOST_CLASSES = 8
_LABELS = ("label", "class", "target", "정답", "분류", "레이블")
_ENCODINGS = ("utf-8-sig", "cp949")
# What stands for a value that is not there.
_GAPS = ("", "na", "n/a", "nan", "null", "?")
# Beyond this, squares leave the range of 32 bits.
_LARGEST = 1e15


@dataclass(frozen=True)
class Choice:
    """Which columns are the two inputs and the label, and whether the label is a class or a value."""

    x: int
    y: int
    label: int
    is_value: bool = False


@dataclass(frozen=True)
class Table:
    """The rows of a file, and how to read them from it again."""

    name: str
    columns: tuple[str, ...]
    rows: list[list[str]] = field(repr=False)
    encoding: str
    delimiter: str
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

    def places(self, choice: Choice) -> np.ndarray:
        """The two inputs, each with mean 0 and spread 1."""
        points = np.array([self.numbers(choice.x), self.numbers(choice.y)]).T
        return (points - points.mean(axis=0)) / points.std(axis=0)

    def labels(self, choice: Choice) -> tuple[np.ndarray, tuple[str, ...]]:
        """The labels, and the names of their classes; values have none, but mean 0 and spread 1."""
        if choice.is_value:
            values = np.array(self.numbers(choice.label))
            return (values - values.mean()) / values.std(), ()
        cells = self._cells(choice.label)
        names = sorted(set(cells))
        column = self.columns[choice.label]
        if len(names) < 2:
            raise RefusedError("one class", column=column, value=names[0])
        if len(names) > _MOST_CLASSES:
            raise RefusedError("classes", column=column, count=len(names), most=_MOST_CLASSES)
        return np.array([names.index(cell) for cell in cells]), tuple(names)

    def numbers(self, column: int) -> list[float]:
        """A column of numbers that are not all the same."""
        cells = self._cells(column)
        self._refuse(column, "text", cells, lambda cell: not _is_number(cell))
        numbers = [float(cell) for cell in cells]
        if min(numbers) == max(numbers):
            raise RefusedError("constant", column=self.columns[column], value=cells[0])
        return numbers

    def _cells(self, column: int) -> list[str]:
        """A column without gaps."""
        cells = [row[column].strip() for row in self.rows]
        self._refuse(column, "gaps", cells, _is_gap)
        return cells

    def _refuse(self, column: int, code: str, cells: list[str], is_wrong: Callable[[str], bool]) -> None:
        wrong = [number for number, cell in enumerate(cells) if is_wrong(cell)]
        if wrong:
            row = wrong[0] + 1 + self.has_header
            value = cells[wrong[0]]
            raise RefusedError(code, column=self.columns[column], row=row, value=value, count=len(wrong))

    def _kind(self, column: int) -> bool:
        """Whether most of it is numbers."""
        cells = [row[column].strip() for row in self.rows]
        return sum(map(_is_number, cells)) > len(cells) / 2

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
    text, encoding = _decoded(content)
    lines = [line for line in text.splitlines() if line.strip()]
    delimiter = max(",;\t", key=lines[0].count) if lines else ","
    try:
        rows = [
            row
            for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
            if any(map(str.strip, row))
        ]
    except csv.Error as error:
        raise RefusedError("binary") from error
    _check_shape(rows)
    has_header = not any(map(_is_number, rows[0]))
    columns = rows[0] if has_header else [f"column {number + 1}" for number in range(len(rows[0]))]
    _check_count(len(rows) - has_header)
    names = tuple(each.strip() or f"column {place + 1}" for place, each in enumerate(columns))
    return Table(name, names, rows[has_header:], encoding, delimiter, has_header)


def _decoded(content: bytes) -> tuple[str, str]:
    for encoding in _ENCODINGS:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text, encoding
    raise RefusedError("binary")


def _check_shape(rows: list[list[str]]) -> None:
    if not rows:
        _check_count(0)
    width = len(rows[0])
    if width < _LEAST_COLUMNS:
        raise RefusedError("narrow", count=width)
    if width > _MOST_COLUMNS:
        raise RefusedError("wide", count=width, most=_MOST_COLUMNS)
    for number, row in enumerate(rows):
        if len(row) != width:
            raise RefusedError("ragged", row=number + 1, columns=width, count=len(row))


def _check_count(count: int) -> None:
    if count > _MOST_ROWS:
        raise RefusedError("many", count=count, most=_MOST_ROWS)
    if count < _LEAST_ROWS:
        raise RefusedError("few", count=count, least=_LEAST_ROWS)


def _is_gap(cell: str) -> bool:
    return cell.strip().lower() in _GAPS


def _is_number(cell: str) -> bool:
    try:
        return abs(float(cell)) <= _LARGEST
    except ValueError:
        return False
