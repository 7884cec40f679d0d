"""The archives of CIFAR: pickles of pictures in a .tar.gz, read without running anything."""

from __future__ import annotations

import io
import tarfile
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from doltap import config
from doltap.datasets import archives, fetching, plain_pickle
from doltap.errors import DatasetError

__all__ = ["BASE_URL", "loaded", "pictures"]

BASE_URL = "https://www.cs.toronto.edu/~kriz/"
_SIDE, _CHANNELS = 32, 3


def loaded(file: fetching.PinnedFile, set_name: str, folder: str, names: Sequence[str]) -> list[Any]:
    """What each of these pickles holds, of the user's own folder or archive or of the published one.

    Args:
        set_name: the subfolder of `$DOLTAP_DATASETS` that is looked at, too.
        folder: the folder in which they lie in the archive.
    """
    root = fetching.own_folder()
    for own in () if root is None else (root / folder, root / set_name / folder):
        if own.is_dir():
            paths = [own / name for name in names]
            return [plain_pickle.read(fetching.own_content(path), path) for path in paths]
    content = archives.content_of(file, set_name, base_url=BASE_URL)
    members = _members(content, file.name, [f"{folder}/{name}" for name in names])
    return [plain_pickle.read(*each) for each in members]


def _members(content: bytes, place: str, names: Sequence[str]) -> list[tuple[bytes, str]]:
    """The bytes of these members of the archive, each with its name."""
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:*") as archive:
            wanted = (one for one in archive if one.name in names and one.isfile())
            streams = ((one.name, archive.extractfile(one)) for one in wanted)
            found = {name: stream.read() for name, stream in streams if stream is not None}
    except (OSError, EOFError, tarfile.TarError, zlib.error) as error:
        raise _damaged(place, "an archive that can be unpacked", str(error).rstrip(".")) from error
    missing = [name for name in names if name not in found]
    if missing:
        raise _damaged(place, f"'{missing[0]}' in the archive", "none")
    return [(found[name], f"{place}/{name}") for name in names]


def pictures(batch: Any, label_key: str, place: str) -> tuple[np.ndarray, list[int]]:
    """The pictures of a batch and their labels; where the channels stand is as `config` says."""
    entries = batch.items() if isinstance(batch, dict) else ()
    held = {key.decode() if isinstance(key, bytes) else key: value for key, value in entries}
    data, labels = held.get("data"), held.get(label_key)
    is_whole = (
        isinstance(data, np.ndarray)
        and data.dtype == np.uint8
        and data.shape[1:] == (_CHANNELS * _SIDE * _SIDE,)
        and isinstance(labels, list)
        and len(labels) == len(data)
        and set(map(type, labels)) <= {int}
    )
    if not is_whole:
        wanted = f"rows of {_CHANNELS * _SIDE * _SIDE} bytes under 'data', and as many {label_key}"
        raise _damaged(place, wanted, f"{sorted(map(str, held))}")
    assert isinstance(data, np.ndarray)
    assert isinstance(labels, list)
    images = data.reshape(-1, _CHANNELS, _SIDE, _SIDE)
    is_last = config.image_data_format() == "channels_last"
    return images.transpose(0, 2, 3, 1) if is_last else images, labels


def _damaged(place: str, expected: str, got: str) -> DatasetError:
    fix = "Put the published archive there, or take this one away."
    return DatasetError(f"file '{place}'", expected=expected, got=got, fix=fix)
