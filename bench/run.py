"""doltap against Keras 3 on JAX, a PyTorch loop and scikit-learn, in turn in one run.

No program is bent to win: same data, batch, epochs and shuffling for all.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape

import report
import runner
from peers import PEERS
from table import PROGRAMS, ROWS, Row
from task import Task

_RESULTS = Path(__file__).with_name("RESULTS.md")


def main(arguments: Sequence[str] | None = None) -> int:
    asked = _asked(arguments)
    console = _console()
    # How busy the machine is has to be asked before we make it busy.
    notes = report.facts()
    with tempfile.TemporaryDirectory(prefix="doltap-bench-") as folder:
        missing = runner.prepare_data(Path(folder))
        for name in ("fashion", "housing"):
            if missing[name]:
                console.print(escape(missing[name]))
        rows = [row for row in ROWS if row.program in asked.only]
        notes += _notes(asked, rows, missing)
        rows = [row for row in rows if not (row.needs_pictures and missing["fashion"])]
        rows = [row for row in rows if not (row.needs_housing and missing["housing"])]
        task = Task("", "", folder, asked.quick)
        results = runner.measure(rows, asked.peers, task, asked.repeats, console.out)
    notes += results.failures()
    report.show(report.main_table(rows, results, asked.peers), console)
    report.show(report.work_table(rows, results, asked.peers), console)
    console.print(escape("\n".join(notes)))
    if asked.out is not None:
        asked.out.write_text(report.markdown(rows, results, asked.peers, notes), encoding="utf-8")
        console.print(f"written to {escape(str(asked.out))}")
    return 1 if results.failures() else 0


def _console() -> Console:
    """The terminal; where there is none, room for the table."""
    console = Console()
    return console if console.is_terminal else Console(width=200)


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names, peers = ", ".join(PROGRAMS), ", ".join(PEERS)
    parser.add_argument("--only", nargs="+", choices=PROGRAMS, default=PROGRAMS, metavar="NAME", help=names)
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=PEERS, metavar="PEER", help=peers)
    parser.add_argument("--repeats", type=int, default=3, help="measurements of each; the median counts")
    parser.add_argument(
        "--quick", action="store_true", help="once and a tenth of the work; figures mean nothing"
    )
    parser.add_argument("--out", type=Path, help="default: bench/RESULTS.md, with --quick none")
    asked = parser.parse_args(arguments)
    if asked.repeats < 1:
        parser.error(f"argument --repeats: expected 1 or more, got {asked.repeats}")
    if asked.quick:
        asked.repeats = 1
    elif asked.out is None:
        asked.out = _RESULTS
    return asked


def _notes(asked: argparse.Namespace, rows: Sequence[Row], missing: dict[str, str]) -> list[str]:
    """What a reader of the figures has to know about this run."""
    notes = [f"Repeats: {asked.repeats}"]
    if asked.quick:
        notes.append("Quick: a tenth of the work, once. The figures mean nothing.")
    if missing["fashion"]:
        names = dict.fromkeys(row.program for row in rows if row.needs_pictures)
        notes.append(f"Skipped without Fashion-MNIST: {', '.join(names)}")
    elif any(row.program == "early_stop" for row in rows):
        data = "Fashion-MNIST, as MNIST is not at hand" if missing["mnist"] else "MNIST"
        notes.append(f"early_stop trains on {data}")
    if missing["housing"] and any(row.needs_housing for row in rows):
        notes.append("Skipped without California housing: search")
    return notes


if __name__ == "__main__":
    sys.exit(main())
