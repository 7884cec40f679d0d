"""HTML and SVG in which text is text: whatever is not markup already is escaped."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from typing import Any

from doltap.errors import printable

__all__ = ["Markup", "element", "joined", "short", "table"]

_LONGEST = 2000
# Elements that have no content and no end.
_EMPTY = frozenset(("br", "hr", "img", "meta"))


class Markup(str):
    """Text that is HTML or SVG already, made by `element` out of escaped parts."""

    __slots__ = ()


def _escaped(content: Any) -> str:
    return content if isinstance(content, Markup) else html.escape(printable(content, _LONGEST))


def joined(parts: Iterable[Any]) -> Markup:
    """The parts one after the other; None is left out."""
    return Markup("".join(_escaped(part) for part in parts if part is not None))


def element(name: str, /, *content: Any, **attributes: Any) -> Markup:
    """An element; "_" in the names of attributes stands for "-", and None leaves one out.

    >>> element("p", "a < b", class_="note")
    '<p class="note">a &lt; b</p>'
    """
    said = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_escaped(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _EMPTY:
        return Markup(f"<{name}{said}>")
    return Markup(f"<{name}{said}>{joined(content)}</{name}>")


def table(
    caption: Any, head: Sequence[Any], rows: Iterable[Sequence[Any]], *, texts: Sequence[int] = ()
) -> Markup:
    """A table whose first column names the rows, in a frame that can be scrolled with the keyboard.

    Args:
        texts: the numbers of further columns that hold text; all others are set flush right.
    """
    kinds = [None if number in (0, *texts) else "number" for number in range(len(head))]
    titles = [element("th", title, scope="col", class_=kind) for title, kind in zip(head, kinds, strict=True)]
    lines = [
        element(
            "tr",
            element("th", row[0], scope="row"),
            *(element("td", cell, class_=kind) for cell, kind in zip(row[1:], kinds[1:], strict=True)),
        )
        for row in rows
    ]
    whole = element(
        "table",
        element("caption", caption),
        element("thead", element("tr", *titles)),
        element("tbody", *lines),
    )
    return element("div", whole, class_="scroll", tabindex="0", role="region", aria_label=caption)


def short(text: object, length: int) -> str:
    """The text, cut to a length.

    >>> short("ankle boots", 8)
    'ankle b…'
    """
    return printable(text, length)
