"""The files in which tables and texts were published: found, opened and cut into two parts.

An array of lists is a pickle inside the file. It is read by `plain_pickle`,
which runs nothing.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from doltap.datasets import fetching, plain_pickle
from doltap.errors import DataError, DatasetError

__all__ = ["Split", "arrays", "checked_share", "content_of", "cut", "shuffled", "word_index"]

Split = tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def content_of(file: fetching.PinnedFile, folder: str, *, base_url: str = fetching.BASE_URL) -> bytes:
    """The bytes of the user's own file, else of the published one.

    Args:
        folder: the subfolder of `$DOLTAP_DATASETS` that is looked at, too.
    """
    root = fetching.own_folder()
    if root is not None and not Path(file.name).is_absolute():
        for own in (root / file.name, root / folder / file.name):
            if own.is_file():
                return own.read_bytes()
    return fetching.content_of(file, base_url=base_url)


def arrays(content: bytes, place: object, keys: Sequence[str]) -> list[np.ndarray]:
    """The arrays of these names in a .npz file, which may hold lists."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return [_array(archive.read(f"{key}.npy"), f"{place}' ('{key}.npy')") for key in keys]
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        if isinstance(error, DatasetError):
            raise
        raise DatasetError(
            f"file '{place}'",
            expected=f"a .npz file with the arrays {', '.join(keys)}",
            got=f"a file that gives: {str(error).rstrip('.')}",
            fix="Put the published file there, or take this one away.",
        ) from error


def _array(content: bytes, place: str) -> np.ndarray:
    stream = io.BytesIO(content)
    reads = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    version = np.lib.format.read_magic(stream)
    if version not in reads:
        raise ValueError(f"an array of version {version}")
    shape, _, dtype = reads[version](stream)
    if not dtype.hasobject:
        return np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)
    found = plain_pickle.array_of_objects(content[stream.tell() :], place)
    if found.shape != shape:
        raise ValueError(f"an array of shape {found.shape} that should have {shape}")
    return found


def checked_share(test_split: Any) -> float:
    """The share of the rows that are for testing, from 0 and below 1."""
    if isinstance(test_split, bool) or not isinstance(test_split, (int, float)) or not 0 <= test_split < 1:
        raise DataError(
            "load_data(test_split)",
            expected="a share from 0 and below 1",
            got=repr(test_split),
            fix="test_split=0.2 keeps every fifth row for testing.",
        )
    return test_split


def shuffled(seed: int, *together: np.ndarray) -> list[np.ndarray]:
    """The arrays with their rows in one random order, which is Keras's for the same seed."""
    order = np.arange(len(together[0]))
    np.random.RandomState(seed).shuffle(order)
    return [array[order] for array in together]


def cut(x: Any, y: Any, test_split: float) -> Split:
    """The first rows for training, the others for testing."""
    end = int(len(x) * (1 - test_split))
    return (np.array(x[:end]), np.array(y[:end])), (np.array(x[end:]), np.array(y[end:]))


def word_index(content: bytes, place: object) -> dict[str, int]:
    """The number of each word, from a JSON file."""
    try:
        found = json.loads(content)
    except ValueError as error:
        found = f"no JSON ({error})"
    if not isinstance(found, dict):
        raise DatasetError(
            f"file '{place}'",
            expected="JSON that gives each word a number",
            got=str(found)[:80],
            fix="Put the published file there, or take this one away.",
        )
    return found
