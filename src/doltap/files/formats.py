"""Which format a file has: what its first bytes say, and its name."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Callable

from doltap.errors import ModelFileError, printable
from doltap.files import keras_file, weights_file
from doltap.files.hdf5 import Group, read_hdf5, write_hdf5
from doltap.files.record import Record
from doltap.files.writing import write_aside

__all__ = ["format_for", "read", "write"]

_ZIP, _HDF5 = b"PK\x03\x04", b"\x89HDF\r\n\x1a\n"
_HDF5_SUFFIXES = (".h5", ".hdf5", ".he5", ".hdf")


def format_for(path: str | os.PathLike[str], *, weights_only: bool) -> str:
    """The format to write under this name: "keras", "h5" (a model), "weights" or "h5_weights"."""
    name = pathlib.Path(path).name.lower()
    is_hdf5 = name.endswith((*_HDF5_SUFFIXES, ".ckpt"))
    if not weights_only:
        return "h5" if is_hdf5 else "keras"
    is_old = name.endswith((*_HDF5_SUFFIXES, ".keras")) and not name.endswith(".weights.h5")
    return "h5_weights" if is_old else "weights"


def read(path: str | os.PathLike[str]) -> Record:
    """What a file of a model, or of weights, holds."""
    what = f"'{printable(os.fspath(path))}'"
    begin = _beginning(pathlib.Path(path), what)
    if begin.startswith(_ZIP):
        return keras_file.read(path)
    if begin.startswith(_HDF5):
        return _read_group(read_hdf5(pathlib.Path(path), what), what)
    raise ModelFileError(
        what,
        expected="a model or weights, as .keras or HDF5",
        got="an empty file" if not begin else f"a file that begins with {begin[:8]!r}",
        fix="Look whether it is the right file, and whether all of it was copied.",
    )


def _beginning(path: pathlib.Path, what: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(64)
    except FileNotFoundError:
        got, fix = "no such file", "Check the path; a relative one begins at the current folder."
    except IsADirectoryError:
        got, fix = "a folder", "A SavedModel of TensorFlow cannot be read; save the model there as .keras."
    except PermissionError:
        got, fix = "no permission to read it", "Change the permissions of the file."
    raise ModelFileError(what, expected="a file of a model", got=got, fix=fix)


def _read_group(root: Group, what: str) -> Record:
    if weights_file.is_weights(root):
        return weights_file.read(root)
    raise ModelFileError(what, expected="Keras 3's weights", got="Keras 2's", fix="It is to come.")


def write(path: str | os.PathLike[str], record: Record) -> None:
    """A file of this record, whole or not there; the record says in which format."""
    writers: dict[str, Callable[[pathlib.Path, Record], None]] = {
        "keras": keras_file.write,
        "weights": lambda path, record: write_hdf5(path, weights_file.tree_of(record.paths)),
    }
    write_aside(path, lambda aside: writers[record.format](aside, record))
