"""CIFAR-100: 60,000 small coloured pictures in a hundred classes of twenty kinds."""

from __future__ import annotations

import numpy as np

from doltap import doors
from doltap.datasets import archives, batches, fetching
from doltap.errors import UnknownNameError
from doltap.registry import explained

__all__ = ["load_data"]

_FOLDER = "cifar-100-python"
_FILE = fetching.PinnedFile(
    "cifar-100-python.tar.gz",
    "cifar-100-python.tar.gz",
    180_000_000,
    "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7",
    stays_packed=True,
    # Where Keras 3 keeps it.
    other_names=(f"{_FOLDER}-target_archive", f"{_FOLDER}-target.tar.gz"),
)
_NAMES = ["train", "test"]


@explained
def load_data(label_mode: str = "fine") -> archives.Split:
    """CIFAR-100 as `((x_train, y_train), (x_test, y_test))`, as Keras 3.

    Pictures are uint8 of shape (50000, 32, 32, 3) and (10000, 32, 32, 3), labels
    of shape (n, 1). The archive is looked for as that of `cifar10` is.

    Args:
        label_mode: "fine" for the hundred classes, "coarse" for the twenty kinds.

    Raises:
        DatasetError: it can be neither found nor fetched, or is not what it should be.
    """
    if label_mode not in ("fine", "coarse"):
        raise UnknownNameError.of("label_mode", label_mode, ["fine", "coarse"])
    held = batches.loaded(_FILE, "cifar100", _FOLDER, _NAMES)
    parts = [
        batches.pictures(one, f"{label_mode}_labels", name) for one, name in zip(held, _NAMES, strict=True)
    ]
    (x, y), (x_test, y_test) = parts
    return (x, np.asarray(y)[:, None]), (x_test, np.asarray(y_test)[:, None])


doors.guard(__name__)
