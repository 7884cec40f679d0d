"""`tf.io`: files by name, and texts to numbers."""

from __future__ import annotations

import glob as globbing
import os
import pathlib
import shutil
from typing import Any

from doltap.compat.tensorflow import lacking
from doltap.compat.tensorflow.csv_lines import decode_csv
from doltap.compat.tensorflow.errors import NotFoundError
from doltap.compat.tensorflow.records import (
    FixedLenFeature,
    TFRecordOptions,
    TFRecordWriter,
    VarLenFeature,
    parse_example,
    parse_single_example,
    parse_single_sequence_example,
    parse_tensor,
    serialize_sparse,
    serialize_tensor,
)
from doltap.compat.tensorflow.tensor import Tensor, as_tensor

__all__ = ["FixedLenFeature", "TFRecordOptions", "TFRecordWriter", "VarLenFeature", "decode_csv", "gfile"]
__all__ += ["parse_example", "parse_single_example", "parse_single_sequence_example", "parse_tensor"]
__all__ += ["read_file", "serialize_sparse", "serialize_tensor", "write_file"]


def _path(name: Any) -> str:
    """A path, which may be a text of a tensor."""
    if isinstance(name, Tensor):
        name = name.numpy()
    return os.fsdecode(name)


def _GFile(name: Any, mode: str = "r") -> Any:  # noqa: N802
    return open(_path(name), mode, encoding=None if "b" in mode else "utf-8")


def read_file(filename: Any, name: Any = None) -> Any:
    """What a file holds, as one text."""
    try:
        return as_tensor(pathlib.Path(_path(filename)).read_bytes())
    except FileNotFoundError as error:
        raise NotFoundError(
            "tf.io.read_file",
            expected="a file",
            got=f"'{_path(filename)}', which is not there",
            fix="Check the path.",
        ) from error


def write_file(filename: Any, contents: Any, name: Any = None) -> None:
    """Write a text to a file."""
    path = pathlib.Path(_path(filename))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(as_tensor(contents).numpy())


class gfile:  # noqa: N801
    """Files and folders by name."""

    GFile = staticmethod(_GFile)
    Open = staticmethod(_GFile)

    @staticmethod
    def exists(path: Any) -> bool:
        """Whether there is something of this name."""
        return os.path.exists(_path(path))

    @staticmethod
    def isdir(path: Any) -> bool:
        """Whether it is a folder."""
        return os.path.isdir(_path(path))

    @staticmethod
    def makedirs(path: Any) -> None:
        """Make a folder, and those above it."""
        os.makedirs(_path(path), exist_ok=True)

    mkdir = makedirs

    @staticmethod
    def listdir(path: Any) -> list[str]:
        """The names in a folder."""
        return os.listdir(_path(path))

    @staticmethod
    def glob(pattern: Any) -> list[str]:
        """The files whose names fit a pattern."""
        return sorted(globbing.glob(_path(pattern)))

    @staticmethod
    def copy(src: Any, dst: Any, overwrite: bool = False) -> None:
        """Copy a file."""
        if not overwrite and os.path.exists(_path(dst)):
            raise FileExistsError(_path(dst))
        shutil.copyfile(_path(src), _path(dst))

    @staticmethod
    def rename(src: Any, dst: Any, overwrite: bool = False) -> None:
        """Give a file another name."""
        if not overwrite and os.path.exists(_path(dst)):
            raise FileExistsError(_path(dst))
        os.replace(_path(src), _path(dst))

    @staticmethod
    def remove(path: Any) -> None:
        """Delete a file."""
        os.remove(_path(path))

    @staticmethod
    def rmtree(path: Any) -> None:
        """Delete a folder with everything in it."""
        shutil.rmtree(_path(path))


lacking.guard(__name__)
