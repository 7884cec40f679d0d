"""How long does saving 100 MB of weights take, beside h5py that writes, flushes and reads the arrays alone?

Saving also checks what it wrote, to the bit, and adds checksums. Ends with
status 1 when it takes more than one and a half times as long.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np

import doltap

_WANTED_TIMES = 1.5
_RUNS = 15


def main() -> int:
    dense = doltap.layers.Dense
    model = doltap.Sequential([doltap.Input((1024,)), *(dense(1024) for _ in range(25))])
    arrays = model.get_weights()
    print(f"{sum(array.nbytes for array in arrays) / 2**20:.0f} MB of weights, the median of {_RUNS} runs")
    with tempfile.TemporaryDirectory(prefix="doltap-bench-") as folder:
        ways = {
            "h5py": lambda: _with_h5py(Path(folder) / "arrays.h5", arrays),
            ".keras": lambda: model.save(f"{folder}/net.keras"),
            ".h5": lambda: model.save(f"{folder}/net.h5"),
            ".weights.h5": lambda: model.save_weights(f"{folder}/net.weights.h5"),
            ".safetensors": lambda: model.save_weights(f"{folder}/net.safetensors"),
        }
        seconds: dict[str, list[float]] = {way: [] for way in ways}
        for _ in range(_RUNS):
            for way, save in ways.items():
                seconds[way].append(_seconds(save))
    medians = {way: statistics.median(runs) for way, runs in seconds.items()}
    for way, median in medians.items():
        print(f"{way:14} {1000 * median:5.0f} ms   {median / medians['h5py']:.2f} times")
    return int(max(medians.values()) > _WANTED_TIMES * medians["h5py"])


def _seconds(work: Callable[[], None]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _with_h5py(path: Path, arrays: list[np.ndarray]) -> None:
    """Write the arrays, wait for the disk, and read them again."""
    with h5py.File(path, "w") as file:
        for number, array in enumerate(arrays):
            file.create_dataset(str(number), data=array)
    with open(path, "r+b") as file:
        os.fsync(file.fileno())
    with h5py.File(path) as file:
        for name in file:
            file[name][()]


if __name__ == "__main__":
    sys.exit(main())
