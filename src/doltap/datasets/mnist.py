"""MNIST: 70,000 small grey pictures of handwritten digits.

What `load_data` gives is the published data, or the user's own files from
`$DOLTAP_DATASETS`; opening either cannot run code.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import Path

import numpy as np

from doltap import doors
from doltap.datasets import fetching, idx
from doltap.errors import DatasetError
from doltap.registry import explained

__all__ = ["load_data"]

_NUM_BYTES = 11490434
_SHA256 = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"
_KEYS = ("x_train", "y_train", "x_test", "y_test")


@explained
def load_data(path: str = "mnist.npz") -> idx.Split:
    """MNIST as `((x_train, y_train), (x_test, y_test))`, as Keras 3.

    Images are uint8 of shape (60000, 28, 28) and (10000, 28, 28), labels uint8
    from 0 to 9.

    The file is looked for in `$DOLTAP_DATASETS` or its subfolder `mnist` (where
    the four IDX files, plain or .gz, do as well), then in the user's cache,
    Keras's cache and the system's folder, and is downloaded if it is nowhere.

    Args:
        path: the file's name in each of these folders, or an absolute path,
            which alone is then looked at and downloaded to.

    Raises:
        DatasetError: the file can be neither found nor fetched, or the user's
            own is not what it should be.
    """
    root = fetching.own_folder()
    if root is not None and not Path(path).is_absolute():
        for own in (root / path, root / "mnist" / path):
            if own.is_file():
                return _arrays(fetching.own_content(own), own)
        images = fetching.own_files(idx.FILE_NAMES, ("mnist",))
        if images is not None:
            return idx.split([fetching.own_content(each) for each in images], images)
    file = fetching.PinnedFile(path, "mnist.npz", _NUM_BYTES, _SHA256)
    return _arrays(fetching.content_of(file), path)


def _arrays(content: bytes, place: object) -> idx.Split:
    try:
        # Unpickling could run whatever code the file brings.
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            x_train, y_train, x_test, y_test = (np.asarray(archive[key]) for key in _KEYS)
    except (OSError, EOFError, KeyError, TypeError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise _not_mnist(place, f"a file that gives: {error}") from error
    for images, labels in ((x_train, y_train), (x_test, y_test)):
        if images.ndim != 3 or labels.shape != images.shape[:1]:
            raise _not_mnist(place, f"images of shape {images.shape} and labels of shape {labels.shape}")
    return (x_train, y_train), (x_test, y_test)


def _not_mnist(place: object, got: str) -> DatasetError:
    return DatasetError(
        f"file '{place}'",
        expected=f"a .npz file of plain arrays {', '.join(_KEYS)}, images (n, 28, 28) and labels (n,)",
        got=got.rstrip("."),
        fix="Put the published mnist.npz there, or take this one away.",
    )


doors.guard(__name__)
