"""How a table was written down: its encoding, what parts its cells, and the marks in its numbers.

Each is read from the table itself; where two readings are possible, none is taken.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from typing import NamedTuple

from doltap.play.refusals import RefusedError

__all__ = ["Marks", "decoded", "has_comma", "marks_of", "parted"]

_SIGN, _POWER = r"[+-]?", r"(?:e[+-]?\d+)?"
# Numbers that can be meant in one way only; 1.234 and 1,234 can be so in two.
_COMMA = re.compile(
    rf"{_SIGN}(?:\d*,(?:\d{{1,2}}|\d{{4,}})|(?:0|\d{{4,}}),\d+|\d{{1,3}}(?:\.\d{{3}})+,\d+){_POWER}"
    rf"|{_SIGN}\d{{1,3}}(?:\.\d{{3}}){{2,}}",
    re.IGNORECASE,
)
_POINT = re.compile(
    rf"{_SIGN}(?:\d*\.(?:\d{{1,2}}|\d{{4,}})|(?:0|\d{{4,}})\.\d*|\d{{1,3}}(?:,\d{{3}})+\.\d*){_POWER}"
    rf"|{_SIGN}\d{{1,3}}(?:,\d{{3}}){{2,}}",
    re.IGNORECASE,
)
_WITH_COMMA = re.compile(rf"{_SIGN}[\d.]*,[\d,.]+{_POWER}", re.IGNORECASE)
# Letters and signs that Windows writes in Western Europe; its other bytes are rare in tables.
_FOREIGN = re.compile("[À-ÿ]{3}")
_WESTERN = {chr(number) for number in range(0xC0, 0x100)} | set("°²³µ§€ŠšŽžŒœŸ–’")


class Marks(NamedTuple):
    """What stands between groups of three digits, if anything, and before the decimals."""

    group: str = ""
    decimal: str = "."

    def number(self, cell: str) -> float | None:
        """What the cell says, or None where it is no number.

        >>> Marks(".", ",").number("1.234,5")
        1234.5
        """
        group, decimal = map(re.escape, self)
        whole = rf"\d+|\d{{1,3}}(?:{group}\d{{3}})+" if group else r"\d+"
        if not re.fullmatch(rf"{_SIGN}(?:{whole})?(?:{decimal}\d*)?{_POWER}", cell, re.IGNORECASE):
            return None
        try:
            return float(self.plain(cell))
        except ValueError:
            return None

    def plain(self, cell: str) -> str:
        """The cell as Python writes numbers."""
        return (cell.replace(self.group, "") if self.group else cell).replace(self.decimal, ".")


def decoded(content: bytes) -> tuple[str, str]:
    """The text of a file, and its encoding.

    >>> decoded("Größe;1,5".encode("cp1252"))
    ('Größe;1,5', 'cp1252')
    """
    for encoding in _unicode_of(content):
        text = _read(content, encoding)
        if text is not None:
            return text, encoding
    if b"\0" in content:
        raise RefusedError("binary")
    korean, western = _read(content, "cp949"), _read(content, "cp1252")
    letters = [letter for letter in korean or "" if not letter.isascii()]
    common = sum(map(_is_common_hangul, letters))
    if korean is not None and 2 * common > len(letters):
        return korean, "cp949"
    if western is not None and not common and _is_western(western):
        return western, "cp1252"
    raise RefusedError("encoding")


def _unicode_of(content: bytes) -> tuple[str, ...]:
    """The encoding that a mark at the front tells, or that many zeros do, else UTF-8."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return ("utf-16",)
    # In UTF-16 every other byte of digits and separators is zero.
    if 4 * content.count(0) > len(content):
        return ("utf-16-le",) if content[1::2].count(0) > content[::2].count(0) else ("utf-16-be",)
    return ("utf-8-sig",)


def _read(content: bytes, encoding: str) -> str | None:
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def _is_common_hangul(letter: str) -> bool:
    """Whether it is one of the syllables that Korean text is made of."""
    return "가" <= letter <= "힣" and len(letter.encode("euc_kr", "ignore")) == 2


def _is_western(text: str) -> bool:
    """Whether it reads as a Western language, where hardly two letters in a row are no plain ones."""
    return all(letter.isascii() or letter in _WESTERN for letter in text) and not _FOREIGN.search(text)


def parted(text: str) -> tuple[str, list[tuple[int, list[str]]]]:
    """What stands between the cells, and the rows that hold something, each with its number from 1."""
    found = {delimiter: _rows(text, delimiter) for delimiter in "\t;,"}
    for delimiter, rows in found.items():
        widths = {len(row) for _, row in rows}
        # Semicolons come before commas, which may stand in every number.
        if len(widths) == 1 and widths != {1}:
            return delimiter, rows
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max("\t;,", key=first.count) if any(map(first.count, "\t;,")) else ","
    return delimiter, found[delimiter]


def _rows(text: str, delimiter: str) -> list[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        return [(number, row) for number, row in enumerate(reader, 1) if any(map(str.strip, row))]
    except csv.Error as error:
        raise RefusedError("binary") from error


def marks_of(cells: Iterable[str], delimiter: str) -> Marks:
    """The marks that the numbers among the cells were written with.

    >>> marks_of(["1,5", "2.000,25"], ";")
    Marks(group='.', decimal=',')
    """
    marked = [cell for cell in cells if "," in cell or "." in cell]
    has_commas, has_points = (any(map(sure.fullmatch, marked)) for sure in (_COMMA, _POINT))
    # Between semicolons a comma is the decimal one: that is why there are semicolons.
    has_commas |= not has_points and delimiter == ";" and any(map(has_comma, marked))
    if has_commas == has_points:
        return Marks()
    marks = Marks(".", ",") if has_commas else Marks(",", ".")
    uses_groups = any(marks.group in cell and marks.number(cell) is not None for cell in marked)
    return marks if uses_groups else marks._replace(group="")


def has_comma(cell: str) -> bool:
    """Whether it would be a number if its comma were understood."""
    return _WITH_COMMA.fullmatch(cell) is not None
