"""The measurements as a table: on the terminal, and as Markdown for RESULTS.md."""

from __future__ import annotations

import datetime
import statistics
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

import peers as surroundings
from peers import TITLES
from runner import NOT_INSTALLED, Results
from table import Row

__all__ = ["facts", "main_table", "markdown", "show", "work_table"]

_HOW = """\
Each measurement is a process of its own; the peers take turns, in another
order at each repeat, and the figure is the median. All compute in float32 on
the CPU, on the same arrays, with the same batch size and number of epochs and
rows shuffled anew for each epoch. doltap keeps no compiled programs from one
process to the next here, as Keras does not; "second run" is doltap with the
programs of an earlier process on disk, as it is by default.

The ratio is Keras's time over doltap's (more is better), for memory doltap's
share of Keras's (less is better). PyTorch is the plain loop that people write.
scikit-learn is its MLPClassifier or MLPRegressor, which measures no accuracy
while it trains, and in early_stop watches the accuracy instead of the loss.

search is SciKeras's KerasRegressor, over Keras 3 or from doltap.wrappers, in
scikit-learn's RandomizedSearchCV: seed 001's space, 10 candidates, the same for
all, 3 folds, California housing, EarlyStopping(patience=10) in at most 100
epochs, from making the estimator to the end of the search. The second row is
doltap's own search of the same estimator, and the third the same where networks
of similar widths share a program. The loss below is the best candidate's mean
squared error; each repeat has a seed of its own.

A fit that somebody watches is seed 001's network, five epochs; its ratio is its
share of the time of the same fit unwatched, measured in turn in one process.

fashion_deep64 trains on raw pixels from 0 to 255, as its lesson does. Whether
Keras on JAX leaves its first plateau is then luck: about half of its starts do
not (doltap computes the loss from the logits, and does). An epoch takes as long
either way."""


def main_table(rows: Sequence[Row], results: Results, peers: Sequence[str]) -> list[list[str]]:
    """The head and then a line for each row, all as text."""
    head = ["program", *(TITLES[peer] for peer in peers), "ratio to Keras", "wanted", "reached"]
    return [head, *(_line(row, results, peers) for row in rows)]


def _line(row: Row, results: Results, peers: Sequence[str]) -> list[str]:
    cells = [_cell(row, results, peer) for peer in peers]
    wanted = "-" if row.wanted is None else _as_ratio(row, row.wanted)
    if row.share:
        shares = results.values(row.program, "doltap", row.share)
        return [row.title, *cells, *_judged(row, statistics.median(shares) if shares else None, wanted)]
    ours, keras = (_median(row, results, peer) for peer in ("doltap", "keras"))
    if ours is None or keras is None:
        return [row.title, *cells, *_judged(row, None, wanted)]
    return [row.title, *cells, *_judged(row, row.ratio(ours, keras), wanted)]


def _judged(row: Row, ratio: float | None, wanted: str) -> list[str]:
    """The ratio, what was wanted, and whether it was reached."""
    if ratio is None:
        return ["-", wanted, "-"]
    reached = "-" if row.wanted is None else "yes" if row.is_reached(ratio) else "no"
    return [_as_ratio(row, ratio), wanted, reached]


def _median(row: Row, results: Results, peer: str) -> float | None:
    values = results.values(row.program_on(peer), peer, row.figure)
    return statistics.median(values) if values else None


def _cell(row: Row, results: Results, peer: str) -> str:
    if peer == "doltap_again" and not row.compiles:
        return "-"
    why = results.missing.get((row.program_on(peer), peer))
    if why is not None:
        return why if why == NOT_INSTALLED else "failed"
    value = _median(row, results, peer)
    return "-" if value is None else _as_figure(row, value)


def _as_figure(row: Row, value: float) -> str:
    if row.is_memory:
        return f"{value:,.0f} MB"
    return f"{value * 1000:.3g} ms" if value < 0.1 else f"{value:.3g} s"


def _as_ratio(row: Row, ratio: float) -> str:
    return f"{ratio:.2f}" if row.is_memory or row.share else f"{ratio:.3g}x"


def work_table(rows: Sequence[Row], results: Results, peers: Sequence[str]) -> list[list[str]]:
    """Epochs, loss and accuracy of each peer, so that one sees that all did the same work."""
    lines = [["program", "peer", "epochs", "loss", "accuracy"]]
    for program in dict.fromkeys(row.program for row in rows):
        for peer in peers:
            losses = results.values(program, peer, "loss")
            if losses:
                epochs = results.values(program, peer, "epochs")
                accuracies = results.values(program, peer, "accuracy")
                done = ", ".join(sorted({str(count) for count in epochs})) or "-"
                lines.append([program, TITLES[peer], done, _each(losses), _each(accuracies)])
    return lines


def _each(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.3g}" for value in values) or "-"


def spread_table(rows: Sequence[Row], results: Results, peers: Sequence[str]) -> list[list[str]]:
    """The least and the most of each figure."""
    lines = [["program", *(TITLES[peer] for peer in peers)]]
    for row in rows:
        spreads = []
        for peer in peers:
            values = results.values(row.program_on(peer), peer, row.figure)
            ends = (_as_figure(row, end) for end in (min(values), max(values))) if values else ("-",)
            spreads.append(" to ".join(ends))
        lines.append([row.title, *spreads])
    return lines


def facts() -> list[str]:
    """When, where and with which versions it is measured."""
    today = datetime.date.today().isoformat()
    return [f"Date: {today}", f"Machine: {surroundings.machine()}", f"Versions: {surroundings.versions()}"]


def markdown(rows: Sequence[Row], results: Results, peers: Sequence[str], notes: Sequence[str]) -> str:
    """All of RESULTS.md."""
    parts = [
        "# Measurements",
        "Written by `make bench`.",
        "\n".join(f"* {note}" for note in notes),
        _as_markdown(main_table(rows, results, peers)),
        _HOW,
        "## The same work",
        "On the test rows after training (line3000: on its ten rows), repeat by repeat.",
        _as_markdown(work_table(rows, results, peers)),
        "## Least and most",
        _as_markdown(spread_table(rows, results, peers)),
    ]
    return "\n\n".join(parts) + "\n"


def _as_markdown(lines: Sequence[Sequence[str]]) -> str:
    ruled = [lines[0], ["---"] * len(lines[0]), *lines[1:]]
    return "\n".join("| " + " | ".join(cell.replace("|", "/") for cell in line) + " |" for line in ruled)


def show(lines: Sequence[Sequence[str]], console: Console) -> None:
    """The table on the terminal."""
    table = Table(*lines[0])
    for line in lines[1:]:
        table.add_row(*line)
    console.print(table)
