"""What one process is asked to measure, and how long its program is.

This file imports nothing heavy: what it loads would count as the peer's own.
"""

from __future__ import annotations

import dataclasses
import importlib
import json
import resource
import sys
from typing import Any

__all__ = ["FAMILIES", "MODULES", "Task", "peak_megabytes"]

# Which module of `programs` holds a program.
MODULES = {
    "line3000": "line",
    "line3000_whole": "line",
    "fashion_sgd32": "clothes",
    "fashion_deep64": "clothes",
    "fashion_accuracy": "clothes",
    "early_stop": "early_stopping",
    "predict1": "single_rows",
    "functional50": "functional",
    "import": "importing",
    "prepare": "pictures",
    "search": "searching",
    "search_tune": "searching",
    "search_padded": "searching",
    "tensorboard": "watched",
    "live": "watched",
    "diagnose": "watched",
}

# In whose words a peer's programs are written.
FAMILIES = {
    "doltap": "keras",
    "doltap_again": "keras",
    "keras": "keras",
    "torch": "torch",
    "sklearn": "sklearn",
}


@dataclasses.dataclass(frozen=True)
class Task:
    """One measurement of one program on one peer.

    Args:
        folder: where `prepare` laid the pictures.
        is_quick: a tenth of the work, to see that everything runs.
    """

    program: str
    peer: str
    folder: str = ""
    is_quick: bool = False
    seed: int = 0

    def open_keras(self) -> Any:
        """Keras, or doltap in its place."""
        return importlib.import_module("keras" if self.peer == "keras" else "doltap")

    def scaled(self, count: int) -> int:
        """So many rows or repetitions, or a tenth of them."""
        return count // 10 if self.is_quick else count

    def as_text(self) -> str:
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_text(cls, text: str) -> Task:
        return cls(**json.loads(text))


def peak_megabytes() -> float:
    """The most memory this process has held so far.

    Linux hands the parent's peak on to a child, so the parent must stay small.
    """
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)
