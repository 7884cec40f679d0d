"""What an HDF5 file holds, as plain values: groups, attributes and arrays; and the checksum over them."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import hashlib
import json
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from doltap.errors import ModelFileError
from doltap.files.hdf5.types import numbers

__all__ = ["CHECKSUM", "Group", "bytes_of", "checksum", "first_difference", "plain", "sum_of", "walk"]

# The attribute of the outermost group that holds the checksum.
CHECKSUM = "doltap_checksum"

# Where there is less to add up, threads cost more than they bring.
_WORTH_THREADS_BYTES = 1 << 22


@dataclasses.dataclass
class Group:
    """A folder in an HDF5 file: its attributes, and what lies in it by name.

    Attributes are texts, numbers, booleans, or lists of such; arrays are numbers.
    """

    attributes: dict[str, Any] = dataclasses.field(default_factory=dict)
    groups: dict[str, Group] = dataclasses.field(default_factory=dict)
    arrays: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)

    def at(self, path: str) -> Group:
        """The group at this path below, made where it is not there yet: "layers/dense/vars"."""
        group = self
        for name in path.split("/"):
            group = group.groups.setdefault(name, Group())
        return group


def walk(group: Group, path: str = "/") -> Iterator[tuple[str, Group]]:
    """Every group with its path, the outer ones first, in the order of the names."""
    yield path, group
    for name in sorted(group.groups):
        yield from walk(group.groups[name], f"{path}{name}/")


def plain(value: Any, about: str) -> np.ndarray:
    """The value of an attribute as an array of texts, booleans, whole numbers or floats.

    Args:
        about: the attribute, as errors name it.
    """
    array = np.asarray(value)
    if array.dtype.kind == "S":
        array = np.char.decode(array, "utf-8")
    if array.size == 0:
        return np.zeros(array.shape)
    is_plain = array.dtype.kind in "Ub" or np.dtype(array.dtype.newbyteorder("<")) in numbers
    texts = array.reshape(-1).tolist() if array.dtype.kind == "U" else []
    # NumPy makes texts of everything in a list with one text in it.
    mixed = (
        isinstance(value, list) and bool(texts) and not all(isinstance(one, (str, bytes)) for one in value)
    )
    if not is_plain or mixed or any("\0" in text for text in texts):
        raise ModelFileError(
            about,
            expected="a text, a number, a boolean, or a list of one of these",
            got=repr(value)[:200],
            fix="Give it a plain value.",
        )
    return array


def bytes_of(array: np.ndarray) -> memoryview:
    """The array's bytes, row by row; a view where that is how they lie."""
    array = np.ascontiguousarray(array)
    ordered = array.astype(array.dtype.newbyteorder("<"), copy=False)
    return ordered.reshape(-1).view(np.uint8).data


def first_difference(one: Group, other: Group, path: str = "/") -> str | None:
    """The path at which two trees part; None where they are the same to the bit."""
    for name in sorted({*one.arrays, *other.arrays}):
        if not _is_same(one.arrays.get(name), other.arrays.get(name)):
            return path + name
    for name in sorted({*one.attributes, *other.attributes}):
        if name not in one.attributes or name not in other.attributes:
            return path + name
        if plain(one.attributes[name], name).tolist() != plain(other.attributes[name], name).tolist():
            return path + name
    for name in sorted({*one.groups, *other.groups}):
        if name not in one.groups or name not in other.groups:
            return path + name
        found = first_difference(one.groups[name], other.groups[name], f"{path}{name}/")
        if found:
            return found
    return None


def _is_same(one: np.ndarray | None, other: np.ndarray | None) -> bool:
    if one is None or other is None or one.shape != other.shape or one.dtype.name != other.dtype.name:
        return False
    here, there = bytes_of(one), bytes_of(other)
    whole = len(here) // 8 * 8
    # Eight bytes at a time are compared as fast as they come from memory.
    is_same = np.array_equal(np.frombuffer(here[:whole], np.uint64), np.frombuffer(there[:whole], np.uint64))
    return is_same and here[whole:] == there[whole:]


def sum_of(content: memoryview) -> int:
    """The checksum of the bytes of one array.

    CRC-32 finds the damage that disks and wires do, as in zip archives, and is
    twice to ten times as fast as SHA-256. Nothing protects against people who
    damage on purpose, for they would write the checksum anew.
    """
    return zlib.crc32(content)


def checksum(root: Group, sums: Mapping[str, int] | None = None) -> str:
    """One number over names, attributes, types, shapes and values, as 64 digits.

    Args:
        sums: what `sum_of` gives for each array, by path, where it is known already.
    """
    paths = {f"{path}{name}": array for path, group in walk(root) for name, array in group.arrays.items()}
    sums = _sums(paths) if sums is None else sums
    lines = hashlib.sha256()
    for path, group in walk(root):
        attributes = {
            name: plain(group.attributes[name], f"the attribute '{name}' of '{path}'").tolist()
            for name in sorted(group.attributes)
            if name != CHECKSUM
        }
        arrays = [
            [name, group.arrays[name].dtype.name, group.arrays[name].shape, sums[f"{path}{name}"]]
            for name in sorted(group.arrays)
        ]
        lines.update(json.dumps([path, attributes, arrays]).encode())
    return lines.hexdigest()


def _sums(arrays: Mapping[str, np.ndarray]) -> dict[str, int]:
    if sum(array.nbytes for array in arrays.values()) < _WORTH_THREADS_BYTES:
        return {path: sum_of(bytes_of(array)) for path, array in arrays.items()}
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        contents = map(bytes_of, arrays.values())
        return dict(zip(arrays, pool.map(sum_of, contents), strict=True))
