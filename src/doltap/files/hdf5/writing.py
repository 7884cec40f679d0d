"""HDF5 files as h5py writes them by default, which every version of HDF5 reads.

The bytes of a tree are the same every time. First come the arrays, as they
are, then all that describes them; so a file is written from front to back, and
the checksum is known when its place comes.
"""

from __future__ import annotations

import concurrent.futures
import struct
from typing import IO, Any

import numpy as np

from doltap.errors import ModelFileError
from doltap.files.hdf5.blocks import NOWHERE, SIGNATURE
from doltap.files.hdf5.tree import CHECKSUM, Group, bytes_of, checksum, plain, sum_of, walk
from doltap.files.hdf5.types import BOOLEAN, NAMED, numbers

__all__ = ["write_tree"]

# Half of what a list of names holds, and half of what a node of the tree over
# these lists holds: HDF5's own defaults, which the superblock repeats.
_LEAF, _NODE = 4, 16
_SUPERBLOCK_BYTES = 96
_MESSAGE_BYTES = 65_000
_SMALLEST_HEAP_BYTES = 4096

# A text of any size in UTF-8, which is kept as 16 bytes that say where it is.
_TEXT = struct.pack("<BBBBI", 0x19, 1, 1, 0, 16) + struct.pack("<BBHIHH", 0x10, 0, 0, 1, 0, 8)


def write_tree(file: IO[bytes], root: Group, *, with_checksum: bool = True) -> None:
    """Write the file of these groups, attributes and arrays, from front to back.

    Args:
        file: open for writing, at its beginning.
        with_checksum: False where something around the file has one.
    """
    arrays = {f"{path}{name}": array for path, group in walk(root) for name, array in group.arrays.items()}
    places, at = {}, _SUPERBLOCK_BYTES
    for path, array in arrays.items():
        places[path] = at if array.nbytes else NOWHERE
        at += -(-array.nbytes // 8) * 8
    description = _Description(at, places)
    unknown = b"?" * 64
    top = description.group(root, "/", {CHECKSUM: unknown} if with_checksum else {})
    file.write(_superblock(top, at + len(description.content)))
    if with_checksum:
        sums = _write_arrays(file, arrays)
        # The header of the outermost group is the last thing described.
        at = description.content.rindex(unknown)
        description.content[at : at + len(unknown)] = checksum(root, sums).encode()
    else:
        for array in arrays.values():
            _write_array(file, bytes_of(array))
    file.write(description.content)


def _write_arrays(file: IO[bytes], arrays: dict[str, np.ndarray]) -> dict[str, int]:
    """Write the arrays; their checksums, which another thread adds up meanwhile."""
    sums = {}
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        for path, array in arrays.items():
            content = bytes_of(array)
            sums[path] = pool.submit(sum_of, content)
            _write_array(file, content)
        return {path: one.result() for path, one in sums.items()}


def _write_array(file: IO[bytes], content: memoryview) -> None:
    file.write(content)
    file.write(bytes(-len(content) % 8))


def _superblock(root: int, end: int) -> bytes:
    sizes = struct.pack("<BBBBBBBBHHI", 0, 0, 0, 0, 0, 8, 8, 0, _LEAF, _NODE, 0)
    addresses = struct.pack("<QQQQ", 0, NOWHERE, end, NOWHERE)
    return SIGNATURE + sizes + addresses + struct.pack("<QQII16x", 0, root, 0, 0)


def _padded(content: bytes) -> bytes:
    return content + bytes(-len(content) % 8)


def _message(kind: int, body: bytes, about: str) -> bytes:
    body = _padded(body)
    if len(body) > _MESSAGE_BYTES:
        raise ModelFileError(
            about,
            expected=f"at most {_MESSAGE_BYTES} bytes",
            got=f"{len(body)} bytes",
            fix="HDF5 keeps no longer names, shapes and attributes; divide them.",
        )
    return struct.pack("<HHB3x", kind, len(body), 0) + body


def _space(shape: tuple[int, ...]) -> bytes:
    return struct.pack(f"<BBBBI{len(shape)}Q", 1, len(shape), 0, 0, 0, *shape)


class _Description:
    """All that is not numbers in arrays, from a given place in the file on.

    Args:
        start: the place.
        places: of the arrays, by path.
    """

    def __init__(self, start: int, places: dict[str, int]) -> None:
        self.content = bytearray()
        self._start = start
        self._places = places
        # The heap of texts that still has room: its place, what it may hold, what it holds.
        self._heap, self._room, self._num_texts = 0, 0, 0

    def group(self, group: Group, path: str, more: dict[str, Any] | None = None) -> int:
        """Describe a group with all below it; the place of its header.

        Args:
            more: attributes that it also has.
        """
        members = {name: self.group(inner, f"{path}{name}/") for name, inner in group.groups.items()}
        for name, array in group.arrays.items():
            members[name] = self._array(array, f"{path}{name}")
        if len(members) < len(group.groups) + len(group.arrays) or not all(map(_is_name, members)):
            raise ModelFileError(
                f"the names in '{path}'",
                expected="names without '/', each once",
                got=", ".join(map(repr, [*group.groups, *group.arrays])),
                fix="Rename the layers.",
            )
        heap, names = self._names(list(members))
        ordered = sorted((name.encode(), names[name], place) for name, place in members.items())
        tree = self._tree([(at, place) for _, at, place in ordered])
        attributes = {**group.attributes, **(more or {})}
        told = [self._attribute(name, value, path) for name, value in attributes.items()]
        return self._header([_message(0x11, struct.pack("<QQ", tree, heap), path), *told])

    def _array(self, array: np.ndarray, path: str) -> int:
        dtype = np.dtype(array.dtype.newbyteorder("<"))
        is_named = dtype in NAMED.values()
        opaque = struct.pack("<BBHI", 0x15, 0, 0, dtype.itemsize)
        kind = opaque if is_named else BOOLEAN if dtype.kind == "b" else numbers.get(dtype)
        if kind is None:
            raise ModelFileError(
                f"the array '{path}'", expected="numbers", got=str(dtype), fix="Convert it to numbers."
            )
        layout = struct.pack("<BBQQ", 3, 1, self._places[path], array.nbytes)
        told = [(0x01, _space(array.shape)), (0x03, kind), (0x05, b"\x02\x02\x02\0"), (0x08, layout)]
        messages = [_message(number, body, path) for number, body in told]
        if is_named:
            messages.append(self._attribute("dtype", dtype.name, path))
        return self._header(messages)

    def _add(self, content: bytes) -> int:
        place = self._start + len(self.content)
        self.content += _padded(content)
        return place

    def _header(self, messages: list[bytes]) -> int:
        size = sum(map(len, messages))
        return self._add(struct.pack("<BBHII4x", 1, 0, len(messages), 1, size) + b"".join(messages))

    def _attribute(self, name: str, value: Any, path: str) -> bytes:
        about = f"the attribute '{name}' of '{path}'"
        array = plain(value, about)
        if isinstance(value, bytes):
            content = value or b"\0"
            kind = struct.pack("<BBHI", 0x13, 1, 0, len(content))
        elif array.dtype.kind == "U":
            kind = _TEXT
            content = b"".join(self._text(text) for text in array.reshape(-1).tolist())
        else:
            kind = BOOLEAN if array.dtype.kind == "b" else numbers[array.dtype]
            content = bytes(bytes_of(array))
        parts = [name.encode() + b"\0", kind, _space(array.shape)]
        sizes = struct.pack("<BBHHH", 1, 0, *map(len, parts))
        return _message(0x0C, sizes + b"".join(map(_padded, parts)) + content, about)

    def _text(self, text: str) -> bytes:
        """Keep a text; the 16 bytes that say where."""
        raw = text.encode()
        if not raw:
            return bytes(16)
        needed = 16 + len(_padded(raw))
        if needed > self._room or self._num_texts == 0xFFFF:
            self._room = max(_SMALLEST_HEAP_BYTES - 16, needed)
            head = b"GCOL" + struct.pack("<B3xQ", 1, self._room + 16)
            self._heap, self._num_texts = self._add(head + bytes(self._room)), 0
        self._num_texts += 1
        size = struct.unpack_from("<Q", self.content, self._heap - self._start + 8)[0]
        at = self._heap - self._start + size - self._room
        kept = struct.pack("<HH4xQ", self._num_texts, 1, len(raw)) + _padded(raw)
        self.content[at : at + needed] = kept
        self._room -= needed
        if self._room >= 16:
            # What is left is an object too, of number 0.
            struct.pack_into("<HH4xQ", self.content, at + needed, 0, 0, self._room)
        return struct.pack("<IQI", len(raw), self._heap, self._num_texts)

    def _names(self, names: list[str]) -> tuple[int, dict[str, int]]:
        """Keep the names of a group's members; the place of the heap, and of each name in it."""
        content, places = bytearray(8), {}
        for name in names:
            places[name] = len(content)
            content += _padded(name.encode() + b"\0")
        place = self._start + len(self.content)
        # The free list is empty: 1.
        self._add(b"HEAP" + struct.pack("<B3xQQQ", 0, len(content), 1, place + 32) + content)
        return place, places

    def _tree(self, members: list[tuple[int, int]]) -> int:
        """Keep the members, given in the order of their names, in lists, and a tree over these."""
        size = 2 * _LEAF
        level, below = 0, []
        for first in range(0, len(members), size):
            some = members[first : first + size]
            entries = b"".join(struct.pack("<QQII16x", at, place, 0, 0) for at, place in some)
            head = b"SNOD" + struct.pack("<BBH", 1, 0, len(some))
            below.append((some[-1][0], self._add(head + entries.ljust(40 * size, b"\0"))))
        while level == 0 or len(below) > 1:
            below = self._nodes(below, level)
            level += 1
        return below[0][1]

    def _nodes(self, below: list[tuple[int, int]], level: int) -> list[tuple[int, int]]:
        """One level of a tree: the last name and the place of each of its nodes."""
        size = 2 * _NODE
        width = 24 + 16 * size + 8
        firsts = list(range(0, len(below), size)) or [0]
        start = self._start + len(self.content)
        places = [NOWHERE, *(start + width * number for number in range(len(firsts))), NOWHERE]
        nodes, last = [], 0
        for number, first in enumerate(firsts):
            some = below[first : first + size]
            head = struct.pack("<BBHQQ", 0, level, len(some), places[number], places[number + 2])
            entries = b"".join(struct.pack("<QQ", place, name) for name, place in some)
            content = b"TREE" + head + struct.pack("<Q", last) + entries
            last = some[-1][0] if some else 0
            nodes.append((last, self._add(content.ljust(width, b"\0"))))
        return nodes


def _is_name(name: str) -> bool:
    return name not in ("", ".", "..") and "/" not in name and "\0" not in name
