"""Does a long search grow? 500 candidates of mixed shapes, and the memory of the process along the way.

Takes minutes, so it is no part of `make bench`. Ends with status 1 when the
memory grows by more than 100 MB after the programs kept in memory have reached
their bound (`doltap.training.cache`: 512 MB at 6 MB a program).
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import doltap
from doltap import tune
from doltap.training import cache

_WANTED_MEGABYTES = 100
_TOLD_EVERY = 25


def build_model(n_hidden: int, n_neurons: int, learning_rate: float) -> doltap.Model:
    """Seed 001's network."""
    layers = [doltap.layers.Dense(n_neurons, activation="relu") for _ in range(n_hidden)]
    model = doltap.Sequential([doltap.Input((8,)), *layers, doltap.layers.Dense(1)])
    model.compile(loss="mse", optimizer=doltap.optimizers.SGD(learning_rate))
    return model


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--candidates", type=int, default=500)
    asked = parser.parse_args(arguments)
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((600, 8), np.float32), rng.standard_normal(600, np.float32)
    memory, full, began = list[float](), list[int](), time.perf_counter()

    def noting(estimator, x, y):
        score = -float(np.mean((estimator.predict(x) - y) ** 2))
        memory.append(megabytes())
        if len(cache._programs) >= cache._MEMORY_BYTES // cache._BYTES_PER_PROGRAM:
            full.append(len(memory))
        if len(memory) % (3 * _TOLD_EVERY) == 0:
            print(
                f"{len(memory) // 3} candidates: {memory[-1]:.0f} MB, {len(cache._programs)} programs", end=""
            )
            print(f", {time.perf_counter() - began:.0f} s", flush=True)
        return score

    space = {"n_hidden": [0, 1, 2, 3], "n_neurons": [*range(1, 101)]}
    space["learning_rate"] = np.geomspace(3e-4, 3e-2, 100).tolist()
    search = tune.RandomizedSearchCV(
        build_model, space, n_iter=asked.candidates, cv=3, scoring=noting, random_state=0, refit=False
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search.fit(x, y, epochs=2, validation_data=(x[:100], y[:100]), verbose=0)
    return _judged(memory, full)


def megabytes() -> float:
    """What the process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _judged(memory: list[float], full: list[int]) -> int:
    """Print the growth; 0 where it is small enough, else 1."""
    if not full:
        print("the programs never reached their bound: try more candidates")
        return 1
    before, after = memory[full[0] - 1], memory[full[0] :]
    growth = max(after, default=before) - before
    is_flat = growth <= _WANTED_MEGABYTES
    print(
        f"bound reached after {full[0] // 3} candidates at {before:.0f} MB; most afterwards {growth:+.0f} MB",
        end="",
    )
    print(f" (wanted: within {_WANTED_MEGABYTES} MB; {'reached' if is_flat else 'not reached'})")
    return 0 if is_flat else 1


if __name__ == "__main__":
    sys.exit(main())
