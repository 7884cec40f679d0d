"""CIFAR-10: 60,000 small coloured pictures in ten classes."""

from __future__ import annotations

import numpy as np

from doltap import doors
from doltap.datasets import archives, batches, fetching

__all__ = ["load_data"]

_FOLDER = "cifar-10-batches-py"
_FILE = fetching.PinnedFile(
    "cifar-10-python.tar.gz",
    "cifar-10-python.tar.gz",
    180_000_000,
    "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
    stays_packed=True,
    # Where Keras 2 and 3 keep it.
    other_names=(f"{_FOLDER}.tar.gz", f"{_FOLDER}-target_archive", f"{_FOLDER}-target.tar.gz"),
)
_NAMES = [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]


def load_data() -> archives.Split:
    """CIFAR-10 as `((x_train, y_train), (x_test, y_test))`, as Keras 3.

    Pictures are uint8 of shape (50000, 32, 32, 3) and (10000, 32, 32, 3), labels
    uint8 of shape (n, 1): airplane, automobile, bird, cat, deer, dog, frog,
    horse, ship, truck.

    The archive `cifar-10-python.tar.gz`, or what it unpacks to, is looked for in
    `$DOLTAP_DATASETS` or its subfolder `cifar10`, then in the user's cache and
    Keras's, and is downloaded if it is nowhere.

    Raises:
        DatasetError: it can be neither found nor fetched, or is not what it should be.
    """
    held = batches.loaded(_FILE, "cifar10", _FOLDER, _NAMES)
    parts = [batches.pictures(one, "labels", name) for one, name in zip(held, _NAMES, strict=True)]
    x = np.concatenate([images for images, _ in parts[:-1]])
    y = np.concatenate([np.asarray(labels, np.uint8) for _, labels in parts[:-1]])
    x_test, labels = parts[-1]
    return (x, y[:, None]), (x_test, np.asarray(labels, np.uint8)[:, None])


doors.guard(__name__)
