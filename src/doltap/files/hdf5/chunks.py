"""Arrays that HDF5 keeps in pieces, packed or not.

Unpacking is only gzip's own and the shuffling of bytes; HDF5's other filters
are plug-ins, and a plug-in is code.
"""

from __future__ import annotations

import dataclasses
import math
import zlib
from collections.abc import Iterator

import numpy as np

from doltap.files.hdf5.blocks import Blocks, Cursor
from doltap.files.hdf5.types import Kind, plain_numbers

__all__ = ["filters_of", "read_chunks"]

_GZIP, _SHUFFLE = 1, 2
_KNOWN = {
    3: "fletcher32",
    4: "szip",
    5: "nbit",
    6: "scaleoffset",
    32000: "lzf",
    32001: "blosc",
    32015: "zstd",
}


@dataclasses.dataclass
class _Chunk:
    """Where a piece belongs, what it holds, and which filters were left out on it."""

    corner: tuple[int, ...]
    content: memoryview
    skipped: int


def filters_of(message: memoryview, blocks: Blocks, name: str) -> list[int]:
    """The numbers of the filters that packed an array, in that order."""
    cursor = Cursor(message, blocks)
    version, count = cursor.number(1), cursor.number(1)
    if version not in (1, 2):
        raise blocks.damaged(f"filters of '{name}' that cannot be read")
    cursor.skip(6 if version == 1 else 0)
    return [_filter(cursor, version, blocks, name) for _ in range(count)]


def _filter(cursor: Cursor, version: int, blocks: Blocks, name: str) -> int:
    found = cursor.number(2)
    if found not in (_GZIP, _SHUFFLE):
        known = _KNOWN.get(found, "a plug-in")
        raise blocks.refused(
            f"'{name}' packed by filter {found} ({known})",
            fix="Only gzip and shuffle are unpacked, since HDF5 loads other filters as code.",
        )
    name_length = cursor.number(2) if version == 1 else 0
    cursor.skip(2)
    num_values = cursor.number(2)
    cursor.skip(name_length + 4 * num_values)
    cursor.align() if version == 1 else None
    return found


def read_chunks(
    layout: Cursor, kind: Kind, shape: tuple[int, ...], filters: list[int], blocks: Blocks, name: str
) -> np.ndarray:
    """The array whose pieces stand where `layout` says.

    Args:
        layout: at the dimensions of version 3 of HDF5's message.
        filters: what `filters_of` found.
        name: of the array, for errors.
    """
    rank, address = layout.number(1) - 1, layout.number(8)
    lengths = tuple(layout.number(4) for _ in range(max(rank, 0)))
    if rank != len(shape) or 0 in lengths or layout.number(4) != kind.size:
        raise blocks.damaged(f"pieces of '{name}' of no sensible shape")
    if 0 in shape:
        return np.empty(shape, kind.dtype.newbyteorder("="))
    num_chunks = math.prod(-(-whole // part) for whole, part in zip(shape, lengths, strict=True))
    size = math.prod(lengths) * kind.size
    blocks.promise(num_chunks * size, name)
    array = np.empty(shape, bool if kind.is_boolean else kind.dtype.newbyteorder("="))
    filled = set()
    for chunk in _chunks(blocks, address, rank):
        is_at_home = all(
            at < whole and at % part == 0
            for at, whole, part in zip(chunk.corner, shape, lengths, strict=True)
        )
        if not is_at_home or chunk.corner in filled:
            raise blocks.damaged(f"a piece of '{name}' that belongs nowhere")
        filled.add(chunk.corner)
        content = _unpacked(chunk, filters, size, kind.size, blocks)
        place = array[tuple(slice(at, at + part) for at, part in zip(chunk.corner, lengths, strict=True))]
        piece = plain_numbers(content, kind, lengths)
        place[...] = piece[tuple(slice(length) for length in place.shape)]
    if len(filled) < num_chunks:
        raise blocks.refused(f"'{name}' with {len(filled)} of its {num_chunks} pieces")
    return array


def _chunks(blocks: Blocks, address: int, rank: int) -> Iterator[_Chunk]:
    """The pieces that the tree at this address lists."""
    waiting: list[tuple[int, int | None]] = [(address, None)]
    while waiting:
        address, wanted = waiting.pop()
        head = blocks.cursor(address, 24)
        head.expect(b"TREE\x01", "list of an array's pieces")
        level, count = head.number(1), head.number(2)
        if wanted is not None and level != wanted:
            raise blocks.damaged("a list of an array's pieces that goes round in circles")
        entries = blocks.cursor(address + 24, count * (8 + 8 * (rank + 1) + 8))
        for _ in range(count):
            size, skipped = entries.number(4), entries.number(4)
            corner = tuple(entries.number(8) for _ in range(rank))
            entries.skip(8)
            child = entries.number(8)
            if level > 0:
                waiting.append((child, level - 1))
            else:
                yield _Chunk(corner, blocks.cut(child, size), skipped)


def _unpacked(chunk: _Chunk, filters: list[int], size: int, width: int, blocks: Blocks) -> memoryview:
    content = chunk.content
    for position, number in reversed(list(enumerate(filters))):
        if chunk.skipped >> position & 1:
            continue
        content = _inflated(content, size, blocks) if number == _GZIP else _ordered(content, width)
    if len(content) != size:
        raise blocks.damaged("a piece of an array that is too short or too long")
    return content


def _inflated(packed: memoryview, size: int, blocks: Blocks) -> memoryview:
    unpacking = zlib.decompressobj()
    try:
        return memoryview(unpacking.decompress(packed, size + 1))
    except zlib.error as error:
        raise blocks.damaged("a piece of an array that cannot be unpacked") from error


def _ordered(shuffled: memoryview, width: int) -> memoryview:
    """The bytes of each element together again, that stood apart: all the first ones, all the second."""
    whole = len(shuffled) // width * width
    planes = np.frombuffer(shuffled[:whole], np.uint8).reshape(width, -1)
    return memoryview(planes.T.tobytes() + bytes(shuffled[whole:]))
