"""One HDF5 file to one tree of plain values, and back, with its checksum."""

from __future__ import annotations

import pathlib
from typing import IO

from doltap.errors import ModelFileError
from doltap.files.hdf5.blocks import SIGNATURE
from doltap.files.hdf5.reading import read_tree
from doltap.files.hdf5.tree import CHECKSUM, Group, checksum, first_difference
from doltap.files.hdf5.writing import write_tree
from doltap.files.opening import must_start_with, read_file

__all__ = ["read_hdf5", "verify_hdf5", "write_hdf5"]


def read_hdf5(source: str | pathlib.Path | bytes | memoryview, what: str) -> Group:
    """Everything in a file; what is not plain is refused, and damage is told where there is a checksum.

    The arrays are views of the file's bytes, and cannot be written to.

    Args:
        source: a path, or the bytes of a file.
        what: the file is, as errors name it.
    """
    root = _tree(source, what)
    known = root.attributes.pop(CHECKSUM, None)
    if known is not None and known != checksum(root):
        raise ModelFileError(
            what,
            expected="what was saved",
            got="other bytes (the checksum differs)",
            fix="The file is damaged, or was changed by another program, which may delete the attribute "
            f"'{CHECKSUM}' to say so. Take it from where it came from once more, or from a backup.",
        )
    return root


def _tree(source: str | pathlib.Path | bytes | memoryview, what: str) -> Group:
    data = read_file(source, what) if isinstance(source, (str, pathlib.Path)) else source
    must_start_with(SIGNATURE, data, what, "an HDF5 file")
    return read_tree(data, what)


def verify_hdf5(source: str | pathlib.Path | bytes | memoryview, root: Group, what: str) -> None:
    """An error unless a file that was just written holds this tree, to the bit.

    Args:
        source: a path, or the bytes of a file.
        what: the file is, as errors name it.
    """
    found = _tree(source, what)
    found.attributes.pop(CHECKSUM, None)
    difference = first_difference(root, found)
    if difference:
        raise ModelFileError(
            what,
            expected="to read what was written a moment ago",
            got=f"something else at '{difference}'",
            fix="The disk may be failing. Save to another one; what was there before is as it was.",
        )


def write_hdf5(target: str | pathlib.Path | IO[bytes], root: Group, *, with_checksum: bool = True) -> None:
    """A file of these groups, attributes and arrays, with a checksum.

    Args:
        target: a path, or a file open for writing.
        with_checksum: False where something around the file has one.
    """
    if isinstance(target, (str, pathlib.Path)):
        with open(target, "wb") as file:
            write_tree(file, root, with_checksum=with_checksum)
    else:
        write_tree(target, root, with_checksum=with_checksum)
