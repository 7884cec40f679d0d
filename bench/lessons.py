"""Old programs under `doltap run` against the same programs, edited to run at all, on another Keras.

    python bench/lessons.py PROGRAMS EDITED --python /other/environment/bin/python

Each name that stands in both folders is run from start to end in turn, in a
process of its own; ours begins without compiled programs on disk. The figure is
the median of the repeats. Ends with status 1 if a program fails or misses its
ratio: 3, or what `--wanted` gives for it.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

_WANTED = 3.0


def main(arguments: Sequence[str] | None = None) -> int:
    asked = _asked(arguments)
    wanted = {name: float(ratio) for name, _, ratio in (each.partition("=") for each in asked.wanted)}
    names = asked.only or sorted(path.stem for path in asked.edited.glob("[!_]*.py"))
    print(f"{'program':24} {'doltap':>8} {'theirs':>8} {'ratio':>7} {'wanted':>7}")
    is_short = False
    for name in names:
        ours, theirs = zip(*(_turn(name, asked) for _ in range(asked.repeats)), strict=True)
        ratio, least = statistics.median(theirs) / statistics.median(ours), wanted.get(name, _WANTED)
        is_short |= not ratio >= least
        seconds = f"{statistics.median(ours):8.2f} {statistics.median(theirs):8.2f}"
        print(f"{name:24} {seconds} {ratio:6.1f}x {least:6.1f}x", flush=True)
    return int(is_short)


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("programs", type=Path, help="a folder of old programs")
    parser.add_argument("edited", type=Path, help="a folder with the same, edited for the other Keras")
    parser.add_argument("--python", required=True, help="the interpreter that has the other Keras")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="without .py (default: all)")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--wanted", nargs="+", default=[], metavar="NAME=RATIO", help=f"default: {_WANTED}")
    return parser.parse_args(arguments)


def _turn(name: str, asked: argparse.Namespace) -> tuple[float, float]:
    """The seconds of ours, and of theirs; NaN for one that fails."""
    with tempfile.TemporaryDirectory(prefix="doltap-lessons-") as cache:
        ours = _timed(["-m", "doltap", "run", f"{name}.py"], sys.executable, asked.programs, cache)
    return ours, _timed([f"{name}.py"], asked.python, asked.edited, "off")


def _timed(words: Sequence[str], python: str, folder: Path, cache: str) -> float:
    """What a program leaves behind, it leaves in a copy of its folder."""
    environment = os.environ | {"DOLTAP_CACHE": cache, "MPLBACKEND": "Agg", "TF_CPP_MIN_LOG_LEVEL": "3"}
    with tempfile.TemporaryDirectory(prefix="doltap-lessons-") as place:
        copy = shutil.copytree(folder, Path(place, "programs"))
        began = time.perf_counter()
        done = subprocess.run(
            [python, *words],
            cwd=copy,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        seconds = time.perf_counter() - began
    if done.returncode:
        print(f"{' '.join([Path(python).name, *words])}:\n{done.stderr[-500:]}", file=sys.stderr)
        return float("nan")
    return seconds


if __name__ == "__main__":
    sys.exit(main())
