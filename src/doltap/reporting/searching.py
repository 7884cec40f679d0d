"""The table of a search while it runs: candidates, the scores of their folds, rank, and the time left.

In a terminal it is redrawn in place; where the output goes to a file, a line
is written for each candidate.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from doltap.errors import printable

__all__ = ["SearchDisplay", "remaining"]

_MOST_ROWS = 10


def remaining(seconds: float) -> str:
    """A length of time as people say it.

    >>> remaining(4.2), remaining(125), remaining(7300)
    ('4 s', '2 min 5 s', '2 h 1 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


class SearchDisplay:
    """What is shown of a search.

    Args:
        verbose: 0 nothing; 1 the table, or a line for each candidate; from 2 on the folds too.
        title: the search's name.
    """

    def __init__(self, verbose: int, title: str) -> None:
        self.verbose, self.title = int(verbose), title
        self._console = Console(highlight=False, soft_wrap=True)
        self._live: Live | None = None
        self._best: list[tuple[float, int, Mapping[str, Any], Sequence[float]]] = []
        self._done = self._total = 0
        self._began = time.perf_counter()

    def begin(self, num_candidates: int, num_folds: int) -> None:
        """So many candidates more are tried, each on so many folds."""
        if not self.verbose:
            return
        self._total += num_candidates
        self._folds = num_folds
        if self._console.is_terminal and self._live is None:
            self._live = Live(console=self._console, auto_refresh=False, transient=True)
            self._live.start()
        elif self._live is None:
            num_fits = num_candidates * num_folds
            self._say(f"{self.title}: {num_candidates} candidates on {num_folds} folds, {num_fits} fits")
        self._draw()

    def note(self, params: Mapping[str, Any], scores: Sequence[float], error: str | None = None) -> None:
        """A candidate is done."""
        if not self.verbose:
            return
        self._done += 1
        mean = sum(scores) / len(scores)
        self._best.append((mean, self._done, dict(params), list(scores)))
        self._best.sort(key=_place)
        if self._live is None:
            self._say(self._line(params, scores, mean, error))
        self._draw()

    def close(self) -> None:
        """Leave the terminal in order, with the best candidates shown."""
        if self._live is None:
            return
        self._live.stop()
        self._live = None
        if self._best:
            self._console.print(self._table())

    def _say(self, line: str) -> None:
        self._console.print(line, markup=False, emoji=False)

    def _line(self, params: Mapping[str, Any], scores: Sequence[float], mean: float, error: Any) -> str:
        rank = next(place for place, row in enumerate(self._best, 1) if row[1] == self._done)
        folds = f" ({', '.join(map(_short, scores))})" if self.verbose > 1 and len(scores) > 1 else ""
        told = f"{self._done}/{self._total} {_described(params)}: {_short(mean)}{folds}, rank {rank}"
        if error is not None:
            told += f", failed: {printable(error, 200)}"
        return told + self._left()

    def _left(self) -> str:
        """How long it still takes, if the candidates to come are like those before."""
        spent = time.perf_counter() - self._began
        seconds = spent / max(self._done, 1) * (self._total - self._done)
        return f", {remaining(seconds)} left" if self._done and seconds >= 1 else ""

    def _draw(self) -> None:
        if self._live is not None:
            state = f"{self.title}: {self._done} of {self._total} candidates{self._left()}"
            self._live.update(Group(self._table(), Text(state)), refresh=True)

    def _table(self) -> Table:
        """The best candidates so far."""
        table = Table(box=None, pad_edge=False)
        for name in ("rank", "score", *([f"{self._folds} folds"] if self._folds > 1 else []), "parameters"):
            table.add_column(name, justify="left" if name == "parameters" else "right", no_wrap=True)
        for rank, (mean, _, params, scores) in enumerate(self._best[:_MOST_ROWS], 1):
            folds = [" ".join(map(_short, scores[:5]))] if self._folds > 1 else []
            table.add_row(*map(Text, (str(rank), _short(mean), *folds, _described(params))))
        return table


def _place(row: tuple[float, int, Any, Any]) -> tuple[bool, float, int]:
    """What rows are sorted by: the best mean first, what is no number last."""
    mean, number, _, _ = row
    return math.isnan(mean), -mean if not math.isnan(mean) else 0.0, number


def _short(number: float) -> str:
    return f"{number:.4g}"


def _described(params: Mapping[str, Any]) -> str:
    return ", ".join(f"{printable(name)}={_value(value)}" for name, value in params.items())


def _value(value: Any) -> str:
    value = value.item() if hasattr(value, "item") and getattr(value, "ndim", 1) == 0 else value
    return f"{value:.4g}" if isinstance(value, float) else printable(getattr(value, "__name__", value), 40)
