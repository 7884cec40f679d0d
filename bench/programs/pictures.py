"""The data all peers train on, read by all from the same files."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from programs import searching
from task import Task

__all__ = ["load", "prepare_in_keras", "score"]

_PARTS = ("x_train", "y_train", "x_test", "y_test")


def prepare_in_keras(task: Task) -> dict:
    """Lay the data in the task's folder; the reason why not, or "", for each data set."""
    datasets = task.open_keras().datasets
    missing = {"fashion": _lay(datasets.fashion_mnist, Path(task.folder, "fashion"))}
    # Digits are used where they are at hand, and clothes otherwise.
    os.environ["DOLTAP_OFFLINE"] = "1"
    missing["mnist"] = _lay(datasets.mnist, Path(task.folder, "mnist"))
    return missing | {"housing": searching.lay_housing(Path(task.folder, "housing"))}


def _lay(dataset, folder: Path) -> str:
    try:
        (x_train, y_train), (x_test, y_test) = dataset.load_data()
    except (OSError, ValueError) as error:
        return str(error).splitlines()[0]
    folder.mkdir()
    for part, array in zip(_PARTS, (x_train, y_train, x_test, y_test), strict=True):
        np.save(folder / f"{part}.npy", array)
    return ""


def load(task: Task, name: str) -> list[np.ndarray]:
    """`x_train, y_train, x_test, y_test` as published: uint8 pictures (n, 28, 28), labels (n,)."""
    return [np.load(Path(task.folder, name, f"{part}.npy")) for part in _PARTS]


def score(probabilities: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Loss and accuracy of these predictions, reckoned alike for every peer."""
    of_truth = probabilities[np.arange(len(labels)), labels]
    return {
        "loss": float(-np.log(np.maximum(of_truth, 1e-7)).mean()),
        "accuracy": float((probabilities.argmax(axis=1) == labels).mean()),
    }
