"""The table that `model.summary()` prints: layers, shapes, numbers of parameters."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from doltap.errors import printable

__all__ = ["print_summary", "readable_bytes"]


def readable_bytes(count: int) -> str:
    """A number of bytes in the unit that suits it.

    >>> readable_bytes(8), readable_bytes(318040)
    ('8.00 B', '310.59 KB')
    """
    size = float(count)
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1024:
            return f"{size:.2f} {unit}"
        size /= 1024
    return f"{size:.2f} TB"


def print_summary(
    title: str,
    columns: Sequence[str],
    lines: Sequence[Sequence[str]],
    totals: Sequence[tuple[str, int, int]],
    print_fn: Callable[[str], Any] | None = None,
    width: int | None = None,
) -> None:
    """Print the table.

    Args:
        title: the model's name.
        lines: one for each layer, with a text for each column.
        totals: label, number of parameters and bytes of each closing line.
        print_fn: receives the whole text; None prints it.
        width: columns of the table; None fits the terminal.
    """
    table = Table(show_lines=False, header_style="bold")
    for column in columns:
        table.add_column(column, justify="right" if column.startswith("Param") else "left")
    for line in lines:
        # Names may come from a file: Text, in which rich finds no markup.
        table.add_row(*(Text(printable(text, None)) for text in line))
    console = Console(
        width=width,
        highlight=False,
        file=io.StringIO() if print_fn else None,
        force_terminal=False if print_fn else None,
    )
    console.print(Text(f'Model: "{printable(title, None)}"', style="bold"))
    console.print(table)
    for label, parameters, size in totals:
        console.print(f" {label}: {parameters:,} ({readable_bytes(size)})", markup=False)
    if print_fn:
        print_fn(console.file.getvalue())  # type: ignore[attr-defined]
