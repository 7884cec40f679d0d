"""Keras 3's own format: a zip archive of the configuration as JSON, and the weights as HDF5."""

from __future__ import annotations

import datetime
import os
import pathlib
from collections.abc import Mapping
from typing import Any

from doltap.errors import DoltapError, ModelFileError, printable
from doltap.files import old_configs, weights_file
from doltap.files.hdf5 import read_hdf5, verify_hdf5, write_hdf5
from doltap.files.plain_json import read_json, write_json
from doltap.files.record import Record
from doltap.files.zips import verify_zip, views_of_zip, write_zip

__all__ = ["read", "verify", "write"]

_METADATA, _CONFIG, _WEIGHTS = "metadata.json", "config.json", "model.weights.h5"
_ASSETS = "assets/"
# The Keras whose layout is written.
_KERAS_VERSION = "3.15.1"


def read(path: str | os.PathLike[str], what: str) -> Record:
    """What the file holds, with its configuration as Keras 3 has it.

    Args:
        what: the file is, as errors name it.
    """
    members = views_of_zip(path, what)
    _check_names(members, what)
    config, metadata = (_object(members.pop(name), f"{name} in {what}") for name in (_CONFIG, _METADATA))
    record = weights_file.read(read_hdf5(members.pop(_WEIGHTS), f"{_WEIGHTS} in {what}"))
    # Notes are what this program says of a file, never what a file says.
    metadata.pop("notes", None)
    record.format, record.config, record.metadata = "keras", config, metadata
    record.assets = {name: bytes(content) for name, content in members.items()}
    # Late versions of Keras 2 wrote this format, too.
    if not str(metadata.get("keras_version", "3")).startswith("3"):
        _modernize(record, what)
    return record


def _check_names(members: Mapping[str, Any], what: str) -> None:
    for name in (_CONFIG, _METADATA, _WEIGHTS):
        if name not in members:
            raise ModelFileError(
                what,
                expected=f"'{name}' in a .keras file",
                got=f"an archive of {printable(', '.join(members)) or 'nothing'}",
                fix="It is no model of Keras, or was damaged; a folder is packed by `zip -0r`.",
            )
    for name in members:
        if name not in (_CONFIG, _METADATA, _WEIGHTS) and not name.startswith(_ASSETS):
            raise ModelFileError(
                what,
                expected=f"{_CONFIG}, {_METADATA}, {_WEIGHTS} and what is in {_ASSETS}",
                got=f"'{printable(name)}' beside them",
                fix="No model needs that, so it is refused.",
            )


def _object(content: Any, what: str) -> dict[str, Any]:
    value = read_json(content, what)
    if not isinstance(value, dict):
        raise ModelFileError(
            what, expected="an object", got=f"a {type(value).__name__}", fix="The file is damaged."
        )
    return value


def _modernize(record: Record, what: str) -> None:
    try:
        record.config, record.paths = old_configs.modern_archive(record.config or {}, record.paths)
    except DoltapError:
        raise
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, RecursionError) as error:
        raise ModelFileError(
            f"{_CONFIG} in {what}",
            expected="the configuration of a model as Keras 2 writes it",
            got=f"one that cannot be understood ({type(error).__name__}: {printable(error)})",
            fix="The file is damaged, or was made by something else.",
        ) from error


def write(path: pathlib.Path, record: Record) -> None:
    """A file of this model."""
    write_zip(path, _members(record))


def verify(path: pathlib.Path, record: Record, what: str) -> None:
    """An error unless a file that was just written holds this model."""
    members = _members(record)
    # It may have become a second later.
    members.pop(_METADATA)
    found = verify_zip(path, {**members, _METADATA: lambda file: None}, what)
    verify_hdf5(found[_WEIGHTS], weights_file.tree_of(record), f"{_WEIGHTS} in {what}")


def _members(record: Record) -> dict[str, Any]:
    """The members of the archive; the weights, which are large, as what writes them."""
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d@%H:%M:%S")
    metadata = {"keras_version": _KERAS_VERSION, "date_saved": now, **record.metadata}
    return {
        _METADATA: write_json(metadata).encode(),
        _CONFIG: write_json(record.config).encode(),
        # The archive has a checksum of all its members.
        _WEIGHTS: lambda file: write_hdf5(file, weights_file.tree_of(record), with_checksum=False),
        **record.assets,
    }
