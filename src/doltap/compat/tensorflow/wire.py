"""TensorFlow's messages of bytes: records in files, each a map from names to lists, or one tensor.

The form is protobuf's, read and written by hand. Nothing in a message can ask
for more than the message is long; what is damaged is an error.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np

from doltap.compat.tensorflow.errors import DataLossError

__all__ = ["chunk", "contents", "damaged", "fields", "floats", "integers", "read_records", "record", "varint"]

_MOST_BITS = 64


def damaged(got: str) -> DataLossError:
    """The error for bytes that are no such message."""
    return DataLossError(
        "a message of TensorFlow's",
        expected="one that is whole",
        got=got,
        fix="Look whether it was cut off or unpacked, and whether it is a file of records at all.",
    )


# Fields of messages.


def varint(number: int) -> bytes:
    """A whole number in as many bytes as it needs, seven bits in each.

    >>> varint(300).hex()
    'ac02'
    """
    number &= (1 << _MOST_BITS) - 1
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)


def chunk(field: int, content: bytes) -> bytes:
    """A field whose content is bytes."""
    return varint(field << 3 | 2) + varint(len(content)) + content


def _number(message: bytes, place: int) -> tuple[int, int]:
    """The whole number that stands at a place, and the place behind it."""
    number = shift = 0
    while True:
        if place >= len(message) or shift >= 70:
            raise damaged("a number that does not end")
        byte = message[place]
        place += 1
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return number & ((1 << _MOST_BITS) - 1), place


def fields(message: bytes) -> Iterator[tuple[int, Any]]:
    """The fields in their order: numbers as int, contents as bytes, also those of 32 and 64 bits."""
    place = 0
    while place < len(message):
        key, place = _number(message, place)
        kind = key & 7
        if kind == 0:
            value, place = _number(message, place)
            yield key >> 3, value
            continue
        if kind == 2:
            size, place = _number(message, place)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
        else:
            raise damaged(f"a field of the kind {kind}")
        if size > len(message) - place:
            raise damaged("a field that is longer than what holds it")
        yield key >> 3, message[place : place + size]
        place += size


def contents(message: bytes, number: int) -> list[bytes]:
    """The contents of all fields of that number, which have to be bytes."""
    found = [content for field, content in fields(message) if field == number]
    if not all(isinstance(content, bytes) for content in found):
        raise damaged("a number where bytes were to be")
    return found


def floats(content: Any) -> list[float]:
    """The numbers of 32 bits in a field's content."""
    if not isinstance(content, bytes) or len(content) % 4:
        raise damaged("numbers that do not end")
    return np.frombuffer(content, "<f4").tolist()


def integers(content: Any) -> list[int]:
    """The whole numbers, with their signs, in a field: one, or several in its content."""
    if isinstance(content, int):
        return [_signed(content)]
    found, place = list[int](), 0
    while place < len(content):
        number, place = _number(content, place)
        found.append(_signed(number))
    return found


def _signed(number: int) -> int:
    return number - (1 << _MOST_BITS) if number >> (_MOST_BITS - 1) else number


# Records in files: length, its check, content, its check.


@functools.cache
def _table() -> list[int]:
    """What each byte does to the check: the polynomial of Castagnoli, 1993."""
    found = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        found.append(byte)
    return found


def _check(content: bytes) -> int:
    """The check of some bytes, turned and shifted as TensorFlow keeps it.

    >>> hex(_check(b"123456789"))
    '0xc78ab0e5'
    """
    table, sum_ = _table(), 0xFFFFFFFF
    for byte in content:
        sum_ = table[(sum_ ^ byte) & 0xFF] ^ sum_ >> 8
    sum_ ^= 0xFFFFFFFF
    return ((sum_ >> 15 | sum_ << 17) + 0xA282EAD8) & 0xFFFFFFFF


def record(content: bytes) -> bytes:
    """One record as a file holds it."""
    size = struct.pack("<Q", len(content))
    return size + struct.pack("<I", _check(size)) + content + struct.pack("<I", _check(content))


def read_records(stream: Any, name: str) -> Iterator[bytes]:
    """The records of a file, one after the other."""
    while head := stream.read(12):
        if len(head) < 12 or struct.unpack("<I", head[8:])[0] != _check(head[:8]):
            raise damaged(f"'{name}', which is cut off or no file of records")
        size = struct.unpack("<Q", head[:8])[0]
        content = _exactly(stream, size)
        foot = stream.read(4)
        if len(content) < size or len(foot) < 4 or struct.unpack("<I", foot)[0] != _check(content):
            raise damaged(f"a record in '{name}' that is cut off or changed")
        yield content


def _exactly(stream: Any, size: int) -> bytes:
    """So many bytes, or all there are: room is made only for what comes."""
    parts, left = [], size
    while left and (part := stream.read(min(left, 1 << 20))):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)
