"""Keras 3's own format: a zip archive of the configuration as JSON, and the weights as HDF5."""

from __future__ import annotations

import datetime
import io
import os
import pathlib
from typing import Any

from doltap.errors import ModelFileError, printable
from doltap.files import weights_file
from doltap.files.hdf5 import read_hdf5, write_hdf5
from doltap.files.plain_json import read_json, write_json
from doltap.files.record import Record
from doltap.files.zips import read_zip, write_zip

__all__ = ["read", "write"]

_METADATA, _CONFIG, _WEIGHTS = "metadata.json", "config.json", "model.weights.h5"
# The Keras whose layout is written.
_KERAS_VERSION = "3.15.1"


def read(path: str | os.PathLike[str]) -> Record:
    """What the file holds."""
    what = f"'{printable(os.fspath(path))}'"
    members = read_zip(path)
    for name in (_CONFIG, _METADATA, _WEIGHTS):
        if name not in members:
            raise ModelFileError(
                what,
                expected=f"'{name}' in a .keras file",
                got=f"an archive without it ({printable(', '.join(members)) or 'it is empty'})",
                fix="It is no model of Keras, or it is damaged.",
            )
    config = read_json(members.pop(_CONFIG), f"{_CONFIG} in {what}")
    metadata = read_json(members.pop(_METADATA), f"{_METADATA} in {what}")
    root = read_hdf5(members.pop(_WEIGHTS), f"{_WEIGHTS} in {what}")
    assets = {name: content for name, content in members.items() if name.startswith("assets/")}
    for value, name in ((config, _CONFIG), (metadata, _METADATA)):
        if not isinstance(value, dict):
            raise ModelFileError(
                f"{name} in {what}",
                expected="an object",
                got=type(value).__name__,
                fix="The file is damaged.",
            )
    held = weights_file.read(root)
    return Record("keras", config, metadata, held.paths, names=held.names, assets=assets)


def write(path: pathlib.Path, record: Record) -> None:
    """A file of this model."""
    weights = io.BytesIO()
    write_hdf5(weights, weights_file.tree_of(record))
    members: dict[str, Any] = {
        _METADATA: write_json(_metadata(record)).encode(),
        _CONFIG: write_json(record.config).encode(),
        _WEIGHTS: weights.getbuffer(),
    }
    write_zip(path, members | record.assets)


def _metadata(record: Record) -> dict[str, Any]:
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d@%H:%M:%S")
    return {"keras_version": _KERAS_VERSION, "date_saved": now, **record.metadata}
