"""Every measurement in a fresh process, the peers in turn.

Imports, compilation and memory are then each peer's own, and what else the
machine does meanwhile falls on all alike.
"""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from peers import PEERS, TITLES, environment, installed
from table import TAKERS, Row
from task import Task

__all__ = ["NOT_INSTALLED", "Results", "measure", "prepare_data", "run_child"]

_CHILD = Path(__file__).with_name("child.py")
_LONGEST_SECONDS = 1800

NOT_INSTALLED = "not installed"


@dataclasses.dataclass
class Results:
    """What was measured, by program and peer, and why what is missing is missing."""

    measured: dict[tuple[str, str], list[dict]] = dataclasses.field(default_factory=dict)
    missing: dict[tuple[str, str], str] = dataclasses.field(default_factory=dict)

    def failures(self) -> list[str]:
        """A line for each peer that should have run a program and did not."""
        reasons = ((*key, why) for key, why in self.missing.items() if why != NOT_INSTALLED)
        return [f"{program} on {TITLES[peer]} failed: {why}" for program, peer, why in reasons]

    def values(self, program: str, peer: str, figure: str) -> list:
        return [found[figure] for found in self.measured.get((program, peer), ()) if figure in found]


def prepare_data(folder: Path) -> dict[str, str]:
    """Lay the data in the folder; for each data set the reason why it is missing, or ""."""
    found = run_child(Task("prepare", "doltap", str(folder)), os.environ)
    return dict.fromkeys(("fashion", "mnist", "housing"), found["failed"]) if "failed" in found else found


def run_child(task: Task, env: Mapping[str, str]) -> dict:
    """What the measurement gave, or {"failed": why}."""
    command = [sys.executable, str(_CHILD), task.as_text()]
    began = time.perf_counter()
    try:
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=_LONGEST_SECONDS)
    except subprocess.TimeoutExpired:
        return {"failed": f"took longer than {_LONGEST_SECONDS} s"}
    seconds = time.perf_counter() - began
    if done.returncode:
        said = done.stderr.strip().splitlines()
        return {"failed": said[-1] if said else f"exit status {done.returncode}"}
    return {**json.loads(done.stdout.splitlines()[-1]), "process_seconds": seconds}


def measure(
    rows: Sequence[Row], peers: Sequence[str], task: Task, repeats: int, say: Callable[[str], None]
) -> Results:
    """Every program of the rows on every peer, so many times.

    Args:
        task: holds what all measurements share.
        say: is told each measurement as it comes in.
    """
    results = Results()
    present = [peer for peer in peers if installed(peer)]
    programs = dict.fromkeys(row.program for row in rows)
    compiling = [
        program for program in programs if any(row.compiles for row in rows if row.program == program)
    ]
    absent = [peer for peer in peers if peer not in present]
    results.missing.update(((program, peer), NOT_INSTALLED) for program in programs for peer in absent)
    _warm_up(present, compiling, task)
    for program in programs:
        # A second run is of interest only where something compiles.
        takers = [peer for peer in present if program in compiling or peer != "doltap_again"]
        takers = [peer for peer in takers if peer in TAKERS.get(program, PEERS)]
        for repeat in range(repeats):
            for peer in _in_turn(takers, repeat):
                asked = dataclasses.replace(task, program=program, peer=peer, seed=repeat)
                if (program, peer) not in results.missing:
                    found = _measured(results, asked)
                    say(f"{program}, repeat {repeat + 1} of {repeats}, {peer}: {_in_short(found)}")
    return results


def _warm_up(peers: Sequence[str], compiling: Sequence[str], task: Task) -> None:
    """Bring every peer's files into the system's cache, and doltap's programs onto the disk."""
    asked = [dataclasses.replace(task, program="import", peer=peer) for peer in peers]
    if "doltap_again" in peers:
        asked += [dataclasses.replace(task, program=program, peer="doltap_again") for program in compiling]
    for each in asked:
        run_child(each, environment(each.peer, Path(task.folder)))


def _in_turn(peers: list[str], repeat: int) -> list[str]:
    first = repeat % len(peers) if peers else 0
    return peers[first:] + peers[:first]


def _measured(results: Results, task: Task) -> dict:
    found = run_child(task, environment(task.peer, Path(task.folder)))
    if "failed" in found:
        results.missing[task.program, task.peer] = found["failed"]
    else:
        results.measured.setdefault((task.program, task.peer), []).append(found)
    return found


def _in_short(found: dict) -> str:
    values = ((name, f"{value:.4g}" if isinstance(value, float) else value) for name, value in found.items())
    return ", ".join(f"{name} {value}" for name, value in values)
