"""Which format a file has: by its first bytes when it is read, by its name when it is written."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Callable

from doltap.errors import ModelFileError, printable
from doltap.files import keras_file, safetensors_file, weights_file
from doltap.files.hdf5 import Group, read_hdf5, write_hdf5
from doltap.files.record import Record
from doltap.files.writing import write_aside

__all__ = ["format_for", "read", "write"]

_ZIP, _HDF5 = b"PK\x03\x04", b"\x89HDF\r\n\x1a\n"
_HDF5_SUFFIXES = (".h5", ".hdf5", ".he5", ".hdf")
_SAFETENSORS = ".safetensors"

# What else is taken for a model, by its first bytes.
_OTHERS: tuple[tuple[bytes, str, str], ...] = (
    (b"PK\x05\x06", "an empty archive", "It was damaged, or never finished."),
    (b"\x89PNG", "a PNG picture", "Check the path."),
    (b"\xff\xd8\xff", "a JPEG picture", "Check the path."),
    (b"GIF8", "a GIF picture", "Check the path."),
    (b"%PDF", "a PDF document", "Check the path."),
    (b"\x1f\x8b", "something packed by gzip", "Unpack it first, with gunzip."),
    (b"BZh", "something packed by bzip2", "Unpack it first, with bunzip2."),
    (b"\x93NUMPY", "an array of NumPy", "np.load reads it; give a model its arrays with set_weights."),
    (b"version https://git-lfs", "a pointer of Git LFS", "Fetch the file it stands for: git lfs pull."),
    (b"<", "a page of the web, or XML", "The download went wrong; fetch the file again."),
    (b"{", "JSON", "models.model_from_json(text) makes a model of it, without weights."),
    (b"model_checkpoint_path", "the list of a TensorFlow checkpoint", "{peers}"),
    (b"\x80\x02", "a pickle", "{pickle}"),
    (b"\x80\x03", "a pickle", "{pickle}"),
    (b"\x80\x04", "a pickle", "{pickle}"),
    (b"\x80\x05", "a pickle", "{pickle}"),
    (
        b"\x08",
        "a protocol buffer, such as ONNX or a frozen graph",
        "Save the model as .keras where it was made.",
    ),
)
_PEERS = (
    "Only TensorFlow can read it: `make peers` makes an environment with TensorFlow, in which "
    "tf_keras loads it and saves it as .keras or .weights.h5."
)
_PICKLE = "A pickle is code, which is never run from a file; where it was made, save the model as .keras."


def format_for(path: str | os.PathLike[str], *, weights_only: bool, wanted: str | None = None) -> str:
    """The format to write under this name.

    "keras" and "h5" hold models; "weights", "h5_weights" and "safetensors" weights.

    Args:
        weights_only: whether it is to hold weights, and no model.
        wanted: Keras 2's `save_format`, which counts more than the name.

    >>> format_for("model.keras", weights_only=False), format_for("net.ckpt", weights_only=True)
    ('keras', 'weights')
    """
    name = pathlib.Path(path).name.lower()
    if name.endswith(_SAFETENSORS) and wanted is None:
        if not weights_only:
            raise _weights_alone(path)
        return "safetensors"
    is_hdf5 = wanted in ("h5", "hdf5") or (wanted is None and name.endswith((*_HDF5_SUFFIXES, ".ckpt")))
    if not weights_only:
        return "h5" if is_hdf5 else "keras"
    is_new = name.endswith((".weights.h5", ".ckpt")) and wanted is None
    return "h5_weights" if is_hdf5 and not is_new else "weights"


def read(path: str | os.PathLike[str]) -> Record:
    """What a file of a model, or of weights, holds; every format is read, whatever its suffix.

    Some suffixes promise a format, and are held to it: ".keras" a model in Keras 3's, those of HDF5 a
    file of HDF5, and ".safetensors" one of that.
    """
    what, name = f"'{printable(os.fspath(path))}'", pathlib.Path(path).name.lower()
    begin = _beginning(pathlib.Path(path), what)
    if safetensors_file.is_safetensors(begin):
        if name.endswith((".keras", *_HDF5_SUFFIXES)):
            raise _misnamed(what, "a file of Keras", "weights in safetensors", _SAFETENSORS)
        return safetensors_file.read(path)
    if name.endswith(_SAFETENSORS) and begin.startswith((_ZIP, _HDF5)):
        raise _misnamed(what, "weights in safetensors", "a file of Keras", ".keras or .h5")
    if begin.startswith(_ZIP):
        if name.endswith(_HDF5_SUFFIXES):
            raise _misnamed(what, "a file of HDF5", "an archive as .keras has it", ".keras")
        return keras_file.read(path)
    if begin.startswith(_HDF5):
        record = _read_group(read_hdf5(pathlib.Path(path), what), what)
        if name.endswith(".keras") and record.config is not None:
            raise _misnamed(what, "a model in Keras 3's format", "one of Keras 1 or 2 in HDF5", ".h5")
        return record
    raise _unknown(begin, what)


def _beginning(path: pathlib.Path, what: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(64)
    except FileNotFoundError:
        if path.with_name(path.name + ".index").is_file():
            got, fix = "the name of a TensorFlow checkpoint", _PEERS
        else:
            got, fix = (
                "no such file",
                "Check the path; a relative one begins in the folder the program runs in.",
            )
    except IsADirectoryError:
        got, fix = _folder(path)
    except PermissionError:
        got, fix = "no permission to read it", "Change the permissions of the file, or its owner."
    except (OSError, ValueError) as error:
        got, fix = printable(error), "Check the path."
    raise ModelFileError(what, expected="a file of a model", got=got, fix=fix)


def _folder(path: pathlib.Path) -> tuple[str, str]:
    """What kind of folder it is, and what helps."""
    names = {entry.name for entry in path.iterdir()}
    if "saved_model.pb" in names:
        return "a folder with a SavedModel of TensorFlow", _PEERS
    if {"config.json", "model.weights.h5"} <= names:
        return (
            "the parts of a .keras file in a folder",
            "Put them together: cd FOLDER && zip -0r ../model.keras .",
        )
    if "checkpoint" in names or any(name.endswith(".index") for name in names):
        return "a folder of TensorFlow checkpoints", _PEERS
    return "a folder", "Give the path of a file in it."


def _weights_alone(path: str | os.PathLike[str]) -> ModelFileError:
    return ModelFileError(
        f"'{printable(os.fspath(path))}'",
        expected="a format that holds a model",
        got="safetensors, which holds weights alone",
        fix="Write save_weights(path), or end the name in .keras.",
    )


def _misnamed(what: str, expected: str, got: str, suffix: str) -> ModelFileError:
    fix = f"If you know where it comes from, rename it to {suffix}."
    return ModelFileError(what, expected=f"{expected}, as its name says", got=got, fix=fix)


def _unknown(begin: bytes, what: str) -> ModelFileError:
    expected, fix = "a model or weights in a .keras or HDF5 file", "Check the path."
    if not begin:
        return ModelFileError(
            what, expected=expected, got="an empty file", fix="Whatever wrote it was cut short."
        )
    for start, name, cure in _OTHERS:
        if begin.startswith(start):
            got, fix = name, cure.format(peers=_PEERS, pickle=_PICKLE)
            break
    else:
        got = f"something that begins with {begin[:8]!r}"
        if any(part in what for part in (".index", ".data-")):
            got, fix = "a part of a TensorFlow checkpoint", _PEERS
    return ModelFileError(what, expected=expected, got=got, fix=fix)


def _read_group(root: Group, what: str) -> Record:
    if weights_file.is_weights(root):
        return weights_file.read(root)
    raise ModelFileError(what, expected="Keras 3's weights", got="Keras 2's", fix="It is to come.")


def write(path: str | os.PathLike[str], record: Record) -> None:
    """A file of this record, in the format that it names; whole or not there."""
    writers: dict[str, Callable[[pathlib.Path, Record], None]] = {
        "keras": keras_file.write,
        "safetensors": safetensors_file.write,
        "weights": lambda aside, record: write_hdf5(aside, weights_file.tree_of(record)),
    }
    write_aside(path, lambda aside: writers[record.format](aside, record))
