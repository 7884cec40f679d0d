"""The lines and the bar that `fit`, `evaluate` and `predict` show.

They are drawn by time, not by step, so that looking costs the training nothing.
"""

from __future__ import annotations

import time
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from doltap.errors import printable

__all__ = ["Display", "format_logs"]

_REDRAW_SECONDS = 0.1


def format_logs(logs: dict[str, Any]) -> str:
    """The logs as one line.

    >>> format_logs({"accuracy": 0.91234, "loss": 0.00001234})
    'accuracy: 0.9123 - loss: 1.2340e-05'
    """
    return " - ".join(f"{printable(name)}: {_number(value)}" for name, value in logs.items())


def _number(value: Any) -> str:
    try:
        size = abs(float(value))
    except (TypeError, ValueError):
        return str(value)
    return f"{value:.4f}" if size > 1e-3 or size == 0 else f"{value:.4e}"


class Display:
    """What is shown of a run.

    Args:
        verbose: 1 a bar, 2 a line for each epoch, 3 its title alone.
        num_steps: steps of an epoch; None where that shows only at its end.
        unit: what a step is called.
    """

    def __init__(self, verbose: int, num_steps: int | None, unit: str = "step") -> None:
        # Whether something moves while an epoch runs.
        self.is_live = verbose == 1
        self._is_title_alone = verbose > 2
        self.num_steps, self._unit = num_steps, unit
        self._console = Console(highlight=False, soft_wrap=True)
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._began = self._drawn = 0.0

    def begin(self, title: str | None = None) -> None:
        """A new epoch, evaluation or prediction."""
        self._began = time.perf_counter()
        if title:
            self._console.print(title, markup=False, emoji=False)
        if self.is_live and (self._console.is_terminal or self._console.is_jupyter):
            columns = (
                MofNCompleteColumn(),
                BarColumn(bar_width=20),
                TextColumn("{task.fields[note]}", markup=False),
            )
            # The bar goes when the epoch is over; the line that stays is printed whole.
            self._bar = Progress(*columns, console=self._console, auto_refresh=False, transient=True)
            self._bar.start()
            self._task = self._bar.add_task("", total=self.num_steps, note="")

    def say(self, line: str) -> None:
        """A line that stays, above the bar."""
        self._console.print(line, markup=False, emoji=False)

    def tick(self, done: int, logs: dict[str, Any]) -> None:
        """So many steps of the epoch are done; drawn at most ten times a second."""
        now = time.perf_counter()
        if self._bar is None or self._task is None or now - self._drawn < _REDRAW_SECONDS:
            return
        self._drawn = now
        self._bar.update(self._task, completed=done, note=self._note(done, logs))
        self._bar.refresh()

    def end(self, logs: dict[str, Any], num_steps: int | None = None) -> None:
        """The epoch, evaluation or prediction is over: the line that stays.

        Args:
            num_steps: how many steps it had, where that was not known before.
        """
        self.close()
        if self._is_title_alone:
            return
        self.num_steps = self.num_steps or num_steps or 0
        blocks = ("━" if "utf" in self._console.encoding else "=") * 20
        middle = f" {blocks} " if self.is_live else " - "
        line = f"{self.num_steps}/{self.num_steps}{middle}{self._note(self.num_steps, logs)}"
        self._console.print(line, markup=False, emoji=False)

    def _note(self, done: int, logs: dict[str, Any]) -> str:
        seconds = time.perf_counter() - self._began
        note = f"{_duration(seconds)} {_duration(seconds / max(done, 1))}/{self._unit}"
        return f"{note} - {format_logs(logs)}" if logs else note

    def close(self) -> None:
        """Leave the terminal in order, also after an error."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def _duration(seconds: float) -> str:
    """A length of time in the unit that suits it.

    >>> _duration(0.00042), _duration(0.0123), _duration(12.3)
    ('420us', '12ms', '12s')
    """
    if seconds >= 1:
        return f"{seconds:.0f}s"
    return f"{seconds * 1e3:.0f}ms" if seconds >= 1e-3 else f"{seconds * 1e6:.0f}us"
