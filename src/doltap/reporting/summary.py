"""The table that `model.summary()` prints: layers, shapes, numbers of parameters."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from rich.console import Console
from rich.markup import escape
from rich.table import Table

__all__ = ["Line", "print_summary", "readable_bytes"]


class Line(NamedTuple):
    """One layer of the table."""

    name: str
    kind: str
    output_shape: str
    parameters: str


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
    lines: Sequence[Line],
    totals: Sequence[tuple[str, int, int]],
    print_fn: Callable[[str], Any] | None = None,
    width: int | None = None,
) -> None:
    """Print the table.

    Args:
        title: the model's name.
        totals: label, number of parameters and bytes of each closing line.
        print_fn: receives the whole text; None prints it.
        width: columns of the table; None fits the terminal.
    """
    table = Table(show_lines=False, header_style="bold")
    table.add_column("Layer (type)")
    table.add_column("Output Shape")
    table.add_column("Param #", justify="right")
    for line in lines:
        table.add_row(
            escape(f"{line.name} ({line.kind})"), escape(line.output_shape), escape(line.parameters)
        )
    console = Console(
        width=width,
        highlight=False,
        file=io.StringIO() if print_fn else None,
        force_terminal=False if print_fn else None,
    )
    console.print(f'[bold]Model: "{escape(title)}"[/bold]')
    console.print(table)
    for label, parameters, size in totals:
        console.print(f" {label}: {parameters:,} ({readable_bytes(size)})", markup=False)
    if print_fn:
        print_fn(console.file.getvalue())  # type: ignore[attr-defined]
