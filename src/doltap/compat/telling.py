"""What was translated while a program ran, and the modern way to write it.

`listen` begins to collect, `explain` prints; `list_names` prints every row of
the tables, used or not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from rich.console import Console
from rich.text import Text

from doltap import old_modules, old_names
from doltap.compat import asking

__all__ = ["Row", "explain", "list_names", "listen", "rows", "stop_listening", "told"]


class Row(NamedTuple):
    """An old name, of which kind it is, and what is written today."""

    kind: str
    old: str
    new: str


# table of old_names -> its title, and how its old and new entries are written
_TABLES = {
    "NAMES": ("names", "{}", "{}"),
    "KEYWORDS": ("keywords", "{}=", "{}="),
    "KEPT": ("keywords that keep their meaning", "{}=", "{}"),
    "WITHOUT_EFFECT": ("keywords without effect", "{}=", "{}"),
    "NO_LONGER": ("keywords that are gone", "{}=", "{}"),
    "VALUES": ("values", "{}", "{}"),
    "LOGS": ("names in logs and in the History", "{}", "{}"),
    "PARAMS": ("params of callbacks", "{}", "{}"),
    "METHODS": ("methods of models", "model.{}", "{}"),
    "ATTRIBUTES": ("attributes", "{}", "{}"),
    "GONE": ("gone", "{}", "{}"),
}

_WIDEST = 48

# each translation that was used -> the lines of the user's files that used it
_heard: dict[Row, list[str]] = {}


def listen() -> None:
    """Collect from now on what is translated."""
    _heard.clear()
    old_names.hear(_hear)


def stop_listening() -> None:
    """Collect no more; what was heard stays for `explain`."""
    old_names.hear(None)


def _hear(kind: str, old: str, new: str) -> None:
    lines = _heard.setdefault(Row(kind, old, new), [])
    if (line := asking.place()) and line not in lines:
        lines.append(line)


def told() -> dict[Row, list[str]]:
    """What was translated since `listen`, and the lines of the user's files that it stands in."""
    return {row: list(lines) for row, lines in _heard.items()}


def explain(console: Console | None = None) -> None:
    """Print what was translated since `listen`, and the modern way to write it.

    Args:
        console: None prints to the standard output.
    """
    console = console or Console(highlight=False)
    if not _heard:
        console.print("Nothing was translated: the program is written as one would write it today.")
        return
    console.print(Text("What was translated: line, written, today", style="bold"))
    shown = [(_listed(lines), row.old, row.new) for row, lines in _heard.items()]
    # One long entry is not to push all others to the right.
    widths = [min(_WIDEST, max(len(each[column]) for each in shown)) for column in (0, 1)]
    for place, old, new in shown:
        # Names are to be copied: no terminal's width breaks them.
        console.print(Text(f"  {place:<{widths[0]}}  {old:<{widths[1]}}  →  {new}"), soft_wrap=True)


def _listed(lines: list[str]) -> str:
    return ", ".join(lines[:3]) + (f" and {len(lines) - 3} more" if len(lines) > 3 else "")


def list_names(console: Console | None = None) -> None:
    """Print every row of the tables of old names."""
    console = console or Console(highlight=False)
    kind = None
    for row in rows():
        if row.kind != kind:
            kind = row.kind
            console.print(Text(f"\n{kind}", style="bold"))
        console.print(Text(f"  {row.old}  →  {row.new}"), soft_wrap=True)


def rows() -> Iterator[Row]:
    """Every row of the tables of old names: what has one of today, and what is gone."""
    for table, (title, old, new) in _TABLES.items():
        for group, entries in _groups(getattr(old_names, table, {})):
            kind = f"{title}: {group}" if group else title
            yield from (Row(kind, old.format(each), new.format(entries[each])) for each in entries)
    yield from (Row("paths of modules", *each) for each in old_modules.PREFIXES.items())
    for path, places in old_modules.PLACES.items():
        today = ", ".join(_written(place) for place in places.split())
        if today not in ("", path):
            yield Row("modules", path, today)
    yield from (Row("names of modules", old, f"keras.{new}") for old, new in old_modules.THINGS.items())
    yield from (Row("keras.backend", f"K.{old}", new) for old, new in old_modules.BACKEND.items())
    yield from (Row("NumPy", f"np.{old}", new) for old, new in old_modules.NUMPY.items())
    yield from (Row("other libraries", *each) for each in old_modules.LIBRARIES.items())
    yield from (
        Row("other libraries", old, f"doltap.{new}") for old, new in old_modules.LIBRARY_THINGS.items()
    )
    yield from (Row("packages that need TensorFlow", *each) for each in old_modules.PACKAGES.items())
    yield from (Row("gone with their modules", *each) for each in old_modules.GONE.items())


def _groups(table: dict[str, Any]) -> Iterator[tuple[str, dict[str, str]]]:
    """The table by its groups, or whole where it has none."""
    if all(isinstance(entry, str) for entry in table.values()):
        yield "", table
        return
    yield from ((group, entries) for group, entries in table.items() if entries)


def _written(place: str) -> str:
    """A module of doltap as a program of today names it."""
    return f"doltap.{place}" if place.startswith("compat") else f"keras.{place}".rstrip(".")
