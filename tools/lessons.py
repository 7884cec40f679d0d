"""Run all programs and notebooks of a folder, each under `doltap run` in a process of its own.

python tools/lessons.py [FOLDER] [NAME ...]

Files that begin with _ are what programs import, no programs. The exit status
is 1 if one of them fails.
"""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import tempfile
import time

from rich.console import Console
from rich.table import Table
from rich.text import Text

ROOT = pathlib.Path(__file__).parents[1]
OWN = ROOT / "tests" / "programs"
LONGEST_SECONDS = 600


def programs(folder: pathlib.Path, names: list[str]) -> list[pathlib.Path]:
    """The programs and notebooks of a folder in order, or those of these names."""
    found = sorted(path for path in folder.iterdir() if path.suffix in (".py", ".ipynb"))
    found = [path for path in found if not path.name.startswith(("_", "."))]
    return [path for path in found if not names or path.name in names or path.stem in names]


def run(program: pathlib.Path) -> tuple[str, float]:
    """How a program ended, "" if well, and after how many seconds."""
    with tempfile.TemporaryDirectory() as place:
        # It finds what lies beside it, and what it writes goes away again.
        for beside in program.parent.resolve().iterdir():
            os.symlink(beside, os.path.join(place, beside.name))
        return _run_in(place, program)


def _run_in(place: str, program: pathlib.Path) -> tuple[str, float]:
    command = [sys.executable, "-m", "doltap", "run", program.name]
    path = os.pathsep.join([str(ROOT / "src"), *filter(None, [os.environ.get("PYTHONPATH")])])
    began = time.perf_counter()
    try:
        ended = subprocess.run(
            command,
            cwd=place,
            env={**os.environ, "PYTHONPATH": path, "COLUMNS": "100"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=LONGEST_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return f"not ended after {LONGEST_SECONDS} s", time.perf_counter() - began
    seconds = time.perf_counter() - began
    return ("" if ended.returncode == 0 else first_line(ended.stderr, ended.returncode)), seconds


def first_line(said: str, status: int) -> str:
    """The line that tells the error: the first one that belongs to no traceback."""
    lines = said.splitlines()
    starts = [number for number, line in enumerate(lines) if line.startswith("Traceback")]
    after = lines[starts[-1] + 1 :] if starts else lines
    told = [line for line in after if line.strip() and not line.startswith((" ", "doltap: "))]
    return (told or [line for line in lines if line.strip()] or [f"ended with status {status}"])[0]


def main(words: list[str]) -> int:
    """Run what the words name, and print the table."""
    folder = pathlib.Path(words[0]) if words else OWN
    if not folder.is_dir():
        print(f"make lessons: expected a folder of programs, got '{folder}'.", file=sys.stderr)
        return 2
    console = Console(highlight=False)
    table = Table("program", "runs", "seconds", title=str(folder), title_justify="left")
    num_failed = 0
    for program in programs(folder, words[1:]):
        # A line for each as it ends: a long lesson is not to look like a stop.
        error, seconds = run(program)
        num_failed += bool(error)
        table.add_row(program.name, Text(error or "yes", style="red" if error else "green"), f"{seconds:.1f}")
        console.print(f"{program.name}: {'stops' if error else 'runs'}, {seconds:.1f} s", style="dim")
    console.print(table)
    if not table.row_count:
        print(f"make lessons: no programs in '{folder}'.", file=sys.stderr)
        return 2
    return 1 if num_failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
