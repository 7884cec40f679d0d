"""The few types that model files are made of, as HDF5 writes them.

A type is known by its bytes: what is not in the table, or a text, is refused.
"""

from __future__ import annotations

import dataclasses
import math
import struct
from typing import Any

import ml_dtypes
import numpy as np

from doltap.files.hdf5.blocks import NOWHERE, Blocks, Cursor, decoded

__all__ = [
    "BOOLEAN",
    "NAMED",
    "Heaps",
    "Kind",
    "Texts",
    "kind_of",
    "numbers",
    "plain_numbers",
    "shape_of",
    "values_of",
]

# Numbers that Keras keeps as opaque bytes, with their name as the attribute "dtype".
NAMED = {name: np.dtype(getattr(ml_dtypes, name)) for name in ("bfloat16", "float8_e4m3fn", "float8_e5m2")}

_CLASSES = {
    2: "times",
    4: "bit fields",
    5: "opaque bytes",
    6: "records of several fields",
    7: "object references",
    8: "names for numbers",
    9: "arrays of varying length",
    10: "arrays as elements",
    11: "complex numbers",
}


def _integer(dtype: np.dtype) -> bytes:
    order = dtype.str[0] == ">"
    bits = order | (8 if dtype.kind == "i" else 0)
    return struct.pack("<BBHIHH", 0x10, bits, 0, dtype.itemsize, 0, 8 * dtype.itemsize)


def _float(dtype: np.dtype, exponent: int, order: int) -> bytes:
    """The bytes of a type with a sign, so many bits of exponent, and the rest of mantissa."""
    width = 8 * dtype.itemsize
    mantissa = width - 1 - exponent
    head = struct.pack("<BBBBI", 0x11, 0x20 | order, width - 1, 0, dtype.itemsize)
    bias = (1 << (exponent - 1)) - 1
    return head + struct.pack("<HHBBBBI", 0, width, mantissa, exponent, 0, mantissa, bias)


def _enumeration(names: bytes) -> bytes:
    """The type by which h5py writes booleans: a byte with two names."""
    return struct.pack("<BHBI", 0x18, 2, 0, 1) + _integer(np.dtype("i1")) + names + b"\x00\x01"


BOOLEAN = _enumeration(b"FALSE\0\0\0TRUE\0\0\0\0")
# Later versions do not fill up the names.
_BOOLEANS = (BOOLEAN, _enumeration(b"FALSE\0TRUE\0"))


def _table() -> dict[bytes, np.dtype]:
    table = {}
    for order in "<>":
        for code in ("i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"):
            # Single bytes have no order, and NumPy forgets the one they are given.
            message = bytearray(_integer(np.dtype(order + code)))
            message[1] |= order == ">"
            table[bytes(message)] = np.dtype(order + code)
        for code, exponent in (("f2", 5), ("f4", 8), ("f8", 11)):
            table[_float(np.dtype(order + code), exponent, order == ">")] = np.dtype(order + code)
    table[_float(NAMED["bfloat16"], 8, 0)] = NAMED["bfloat16"]
    return table


_KINDS = _table()

# The other way, for writing.
numbers = {dtype: message for message, dtype in _KINDS.items() if dtype.kind in "iuf" and dtype.str[0] != ">"}


@dataclasses.dataclass(frozen=True)
class Kind:
    """Numbers of a NumPy type."""

    dtype: np.dtype
    is_boolean: bool = False

    @property
    def size(self) -> int:
        """Bytes of one element in the file."""
        return self.dtype.itemsize


@dataclasses.dataclass(frozen=True)
class Texts:
    """Texts: of fixed size, or, where `is_elsewhere`, as addresses of texts of any size."""

    size: int
    padding: int
    is_elsewhere: bool


def kind_of(message: memoryview, blocks: Blocks, name: str, told: object = "bfloat16") -> Kind | Texts:
    """What the datatype message says; types that models do not need are refused.

    Args:
        name: of the array or attribute, for errors.
        told: which of the `NAMED` types opaque bytes are. Where Keras does not tell, it is bfloat16.
    """
    cursor = Cursor(message, blocks)
    which, bits, size = cursor.number(1) & 15, cursor.number(3), cursor.number(4)
    if which in (0, 1):
        known = _KINDS.get(_as_version_1(message[: 12 if which == 0 else 20]))
        if known is not None:
            return Kind(known)
        raise blocks.refused(f"numbers of an unusual form in '{name}'")
    if which == 3 and size > 0:
        return Texts(size, bits & 15, False)
    if which == 5 and str(told) in NAMED and size == NAMED[str(told)].itemsize:
        return Kind(NAMED[str(told)])
    if which == 8 and _as_version_1(message).startswith(_BOOLEANS):
        return Kind(np.dtype(bool), is_boolean=True)
    if which == 9 and bits & 15 == 1 and size == 16:
        return Texts(size, bits >> 4 & 15, True)
    raise blocks.refused(f"{_CLASSES.get(which, 'elements of an unknown type')} in '{name}'")


def _as_version_1(message: memoryview) -> bytes:
    """The type as the first version would write it; for plain types they differ in that number alone."""
    content = bytearray(message)
    for at in (0, 8)[: 2 if message[0] & 15 == 8 and len(content) > 8 else 1]:
        content[at] = 0x10 | content[at] & 15
    return bytes(content)


def shape_of(message: memoryview, blocks: Blocks) -> tuple[int, ...] | None:
    """What the dataspace message says; None is a space without any element."""
    cursor = Cursor(message, blocks)
    version, rank, _ = cursor.number(1), cursor.number(1), cursor.number(1)
    if version not in (1, 2) or rank > 32:
        raise blocks.damaged("a shape that cannot be read")
    kind = cursor.number(1)
    if version == 2 and kind == 2:
        return None
    cursor.skip(4 if version == 1 else 0)
    shape = tuple(cursor.number(8) for _ in range(rank))
    if math.prod(max(length, 1) for length in shape) >= 1 << 48:
        raise blocks.refused(f"an array of the shape {shape}")
    return shape


class Heaps:
    """The texts of any size, each read where an address says it is."""

    def __init__(self, blocks: Blocks) -> None:
        self._blocks = blocks
        self._heaps: dict[int, dict[int, memoryview]] = {}

    def text(self, element: Cursor) -> str:
        """The text whose length, address and number come next."""
        length, address, index = element.number(4), element.number(8), element.number(4)
        if length == 0 or address in (0, NOWHERE):
            return ""
        if address not in self._heaps:
            self._heaps[address] = self._objects(address)
        found = self._heaps[address].get(index)
        if found is None or length > len(found):
            raise self._blocks.damaged("a text that is not where it should be")
        self._blocks.pay(length)
        return decoded(found[:length], self._blocks).rstrip("\0")

    def _objects(self, address: int) -> dict[int, memoryview]:
        head = self._blocks.cursor(address, 16)
        head.expect(b"GCOL\x01", "heap of texts")
        head.skip(3)
        heap = self._blocks.cursor(address + 16, max(head.number(8), 16) - 16)
        objects = {}
        while heap.left >= 16:
            index, _, size = heap.number(2), heap.number(6), heap.number(8)
            if index == 0:
                break
            objects[index] = heap.take(size)
            heap.align()
        return objects


def text_of(raw: memoryview, texts: Texts, blocks: Blocks) -> str:
    """One text of fixed size, without what fills it up."""
    content = bytes(raw)
    content = content.rstrip(b" ") if texts.padding == 2 else content.split(b"\0", 1)[0]
    return decoded(memoryview(content), blocks)


def values_of(
    data: memoryview, kind: Kind | Texts, shape: tuple[int, ...] | None, heaps: Heaps, blocks: Blocks
) -> Any:
    """An attribute's value: a text, number or boolean, or (nested) lists of them; None for nothing."""
    if shape is None:
        return None
    count = math.prod(shape)
    if count * kind.size > len(data):
        raise blocks.damaged("an attribute that is shorter than its shape")
    if isinstance(kind, Kind):
        return plain_numbers(data, kind, shape).tolist()
    cursor = Cursor(data, blocks)
    if kind.is_elsewhere:
        found = [heaps.text(cursor) for _ in range(count)]
    else:
        found = [text_of(cursor.take(kind.size), kind, blocks) for _ in range(count)]
    return np.array(found, object).reshape(shape).tolist()


def plain_numbers(data: memoryview, kind: Kind, shape: tuple[int, ...]) -> np.ndarray:
    """The numbers in these bytes, as this machine orders them; a view where nothing has to change."""
    count = math.prod(shape)
    stored = np.dtype("u1") if kind.is_boolean else kind.dtype
    array = np.frombuffer(data, stored, count).reshape(shape)
    if kind.is_boolean:
        return np.asarray(array != 0)
    return array.astype(stored.newbyteorder("=")) if not stored.isnative else array
