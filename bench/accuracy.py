"""Does doltap learn as well as Keras? Seed 001's network, 30 epochs of SGD, several seeds.

Takes minutes, so it is no part of `make bench`. Ends with status 1 when the
means differ by more than half a point.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import runner
from peers import TITLES, environment
from task import Task

_WANTED_POINTS = 0.5
_PEERS = ("doltap", "keras")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3, help="how many runs of each")
    parser.add_argument("--quick", action="store_true", help="3 epochs; the figures mean nothing")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="doltap-bench-") as folder:
        missing = runner.prepare_data(Path(folder))["fashion"]
        if missing:
            print(f"skipped without Fashion-MNIST: {missing}")
            return 0
        curves: dict[str, list[list[float]]] = {peer: [] for peer in _PEERS}
        for seed in range(asked.seeds):
            for peer in _PEERS:
                curves[peer].append(_curve(Task("fashion_accuracy", peer, folder, asked.quick, seed)))
    return _compare(curves)


def _curve(task: Task) -> list[float]:
    """The validation accuracy after each epoch, in percent."""
    found = runner.run_child(task, environment(task.peer, Path(task.folder)))
    if "failed" in found:
        sys.exit(f"{TITLES[task.peer]}, seed {task.seed}: failed: {found['failed']}")
    curve = [100 * value for value in found["val_accuracy"]]
    seconds = found["process_seconds"]
    print(
        f"{TITLES[task.peer]}, seed {task.seed}: {curve[-1]:.2f}% after {len(curve)} epochs, {seconds:.0f} s"
    )
    return curve


def _compare(curves: dict[str, list[list[float]]]) -> int:
    """Print the means and their difference; 0 where it is small enough, else 1."""
    last = {peer: statistics.fmean(curve[-1] for curve in found) for peer, found in curves.items()}
    # One epoch's accuracy moves by half a point by itself; the mean of five is steadier.
    late = {
        peer: statistics.fmean(x for curve in found for x in curve[-5:]) for peer, found in curves.items()
    }
    for peer in _PEERS:
        print(f"{TITLES[peer]}: mean {last[peer]:.2f}%, of the last five epochs {late[peer]:.2f}%")
    difference = last["doltap"] - last["keras"]
    is_close = abs(difference) <= _WANTED_POINTS
    verdict = "reached" if is_close else "not reached"
    print(f"doltap minus Keras: {difference:+.2f} points (wanted: within {_WANTED_POINTS}; {verdict})")
    return 0 if is_close else 1


if __name__ == "__main__":
    sys.exit(main())
