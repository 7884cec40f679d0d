"""Which format a file has: by its first bytes when it is read, by its name when it is written."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np

from doltap.errors import ModelFileError, printable
from doltap.files import h5_file, keras_file, safetensors_file, weights_file
from doltap.files.hdf5 import read_hdf5, verify_hdf5, write_hdf5
from doltap.files.opening import kind_of, open_file, opening_error
from doltap.files.record import Record
from doltap.files.writing import checked_path, write_aside

__all__ = ["format_for", "read", "write"]

_ZIP, _HDF5 = b"PK\x03\x04", b"\x89HDF\r\n\x1a\n"
_HDF5_SUFFIXES = (".h5", ".hdf5", ".he5", ".hdf")
# What the ends of names promise.
_PROMISES = {
    ".keras": "a .keras file",
    ".safetensors": "weights as safetensors",
    **dict.fromkeys(_HDF5_SUFFIXES, "a file of HDF5"),
}

_PEERS = (
    "Only TensorFlow can read it: `make peers FROM=... TO=weights.h5` turns it into weights in HDF5 in an "
    "environment that has TensorFlow."
)
_PICKLE = "A pickle is code, which is never run from a file; save the model as .keras where it was made."
# What helps against other kinds of files, by a word in what they are.
_CURES = {
    "pickle": _PICKLE,
    "JSON": "models.model_from_json(text) makes a model of it, without weights.",
    "NumPy": "np.load reads it; model.set_weights takes arrays.",
    "gzip": "Unpack it first: gunzip.",
    "empty file": "Whatever wrote it was cut short; take the file from a backup.",
}


def format_for(path: str | os.PathLike[str], *, weights_only: bool, wanted: str | None = None) -> str:
    """The format to write under this name.

    Args:
        weights_only: whether it is to hold weights, and no model.
        wanted: Keras 2's `save_format`, which counts more than the name.

    Returns:
        "keras" or "h5" for a model; "weights" (Keras 3's), "h5_weights" (those of
        Keras 1 and 2) or "safetensors".

    >>> format_for("model.keras", weights_only=False), format_for("net.ckpt", weights_only=True)
    ('keras', 'weights')
    """
    name = pathlib.Path(path).name.lower()
    is_hdf5 = wanted in ("h5", "hdf5") or (wanted is None and name.endswith(_HDF5_SUFFIXES))
    if name.endswith(".safetensors") and wanted is None:
        if not weights_only:
            raise ModelFileError(
                f"'{printable(os.fspath(path))}'",
                expected="a name that ends in .keras or .h5",
                got=".safetensors, which hold weights and no model",
                fix="For weights alone: model.save_weights(path).",
            )
        return "safetensors"
    if not weights_only:
        return "h5" if is_hdf5 else "keras"
    is_new = name.endswith(".weights.h5") and wanted is None
    return "h5_weights" if is_hdf5 and not is_new else "weights"


def read(path: str | os.PathLike[str]) -> Record:
    """What a file of a model, or of weights, holds; what it is, is told by its bytes.

    A name that promises another format than the file has is refused: whoever
    looks at names only, to keep something out, would be misled.
    """
    path = checked_path(path)
    what, name = f"'{printable(path, 200)}'", pathlib.Path(path).name.lower()
    begin = _beginning(pathlib.Path(path), what)
    if begin.startswith(_ZIP):
        _check_suffix(name, (".keras",), what, "an archive, as .keras files are")
        return keras_file.read(path, what)
    if begin.startswith(_HDF5):
        record = _read_hdf5(pathlib.Path(path), what)
        # Weights in HDF5 have had every suffix.
        fitting = _HDF5_SUFFIXES if record.config is not None else (*_HDF5_SUFFIXES, ".keras")
        _check_suffix(name, fitting, what, "a file of HDF5, as those of Keras 1 and 2 are")
        return record
    if safetensors_file.is_safetensors(begin):
        _check_suffix(name, (".safetensors",), what, "weights as safetensors")
        return safetensors_file.read(path)
    raise _unknown(begin, what)


def _read_hdf5(path: pathlib.Path, what: str) -> Record:
    root = read_hdf5(path, what)
    return h5_file.read(root, what) if h5_file.is_by_layer(root) else weights_file.read(root)


def _beginning(path: pathlib.Path, what: str) -> bytes:
    try:
        with open_file(path, what) as file:
            return file.read(64) or b""
    except ModelFileError as error:
        if _is_file(path.with_name(path.name + ".index")):
            raise _tensorflows(what, "the name of a TensorFlow checkpoint") from error
        if os.path.isdir(path):
            raise _folder(path, what) from error
        raise
    except OSError as error:
        raise opening_error(path, what, error) from error


def _is_file(path: pathlib.Path) -> bool:
    """Whether a file is there, as far as may be seen."""
    try:
        return path.is_file()
    except OSError:
        return False


def _tensorflows(what: str, got: str) -> ModelFileError:
    return ModelFileError(what, expected="a file of a model", got=got, fix=_PEERS)


def _folder(path: pathlib.Path, what: str) -> ModelFileError:
    """What kind of folder it is, and what helps."""
    names = {entry.name for entry in path.iterdir()} if os.access(path, os.R_OK) else set()
    if "saved_model.pb" in names:
        return _tensorflows(what, "a folder with a SavedModel of TensorFlow")
    if "checkpoint" in names or any(name.endswith(".index") for name in names):
        return _tensorflows(what, "a folder of TensorFlow checkpoints")
    if {"config.json", "model.weights.h5"} <= names:
        got, fix = "the parts of one in a folder", "Pack them: cd FOLDER && zip -0r ../model.keras ."
    else:
        got, fix = "a folder", "Name a file in it."
    return ModelFileError(what, expected="a file of a model", got=got, fix=fix)


def _check_suffix(name: str, fitting: tuple[str, ...], what: str, got: str) -> None:
    """An error if the name promises something else than what fits."""
    for suffix, promise in _PROMISES.items():
        if name.endswith(suffix) and suffix not in fitting:
            raise ModelFileError(
                what,
                expected=f"{promise}, as its name says",
                got=got,
                fix=f"If you know where it comes from, let its name end in {fitting[0]}.",
            )


def _unknown(begin: bytes, what: str) -> ModelFileError:
    if any(part in what for part in (".index", ".data-")) or begin.startswith(b"model_checkpoint_path"):
        return _tensorflows(what, "a part of a TensorFlow checkpoint")
    got = kind_of(begin)
    cures = (cure for word, cure in _CURES.items() if word in got)
    fix = next(cures, "Check the path, and that the file came over whole.")
    return ModelFileError(what, expected="a model or weights, as .keras or in HDF5", got=got, fix=fix)


def write(path: str | os.PathLike[str], record: Record) -> None:
    """A file of this record, in the format that it names; verified, and whole or not there."""
    what = f"'{printable(os.fspath(path), 200)}'"
    put, check = _ways(record, what)
    write_aside(path, put, check)


def _ways(record: Record, what: str) -> tuple[Callable[[pathlib.Path], None], Callable[[pathlib.Path], None]]:
    """How the record is written, and how the file is compared with it."""
    if record.format == "keras":
        return (
            lambda aside: keras_file.write(aside, record),
            lambda aside: keras_file.verify(aside, record, what),
        )
    if record.format == "safetensors":
        return (
            lambda aside: safetensors_file.write(aside, record),
            lambda aside: _compare(safetensors_file.read(aside).paths, record.paths, what),
        )
    root = weights_file.tree_of(record) if record.format == "weights" else h5_file.write(record)
    return lambda aside: write_hdf5(aside, root), lambda aside: verify_hdf5(aside, root, what)


def _compare(found: dict[str, Any], wanted: dict[str, Any], what: str) -> None:
    is_same = found.keys() == wanted.keys() and all(
        np.array_equal(found[name].view(np.uint8), np.ascontiguousarray(array).view(np.uint8))
        for name, array in wanted.items()
        if array.ndim
    )
    if not is_same:
        raise ModelFileError(
            what,
            expected="to read what was written a moment ago",
            got="something else",
            fix="The disk may be failing. Save to another one; what was there before is as it was.",
        )
