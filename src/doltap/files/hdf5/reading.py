"""HDF5 files from anywhere, read without HDF5.

The library behind h5py was not made for files of strangers: where bytes were
changed at random, one file in a hundred hangs it and some crash it; it follows
links out of the file and loads plug-ins as code. So the parts of the format
that Keras writes are read here, in Python, and the rest is refused by name.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from doltap.files.hdf5.blocks import NOWHERE, SIGNATURE, Blocks, Cursor, Message, decoded, messages
from doltap.files.hdf5.chunks import filters_of, read_chunks
from doltap.files.hdf5.dense import objects_in
from doltap.files.hdf5.tree import Group
from doltap.files.hdf5.types import Heaps, Kind, kind_of, plain_numbers, shape_of, values_of

__all__ = ["read_tree"]

_DEEPEST = 100

# The kinds of messages in an object's header that mean something here.
_SPACE, _LINK_INFO, _TYPE, _LINK, _ELSEWHERE, _LAYOUT = 0x01, 0x02, 0x03, 0x06, 0x07, 0x08
_FILTERS, _ATTRIBUTE, _SYMBOLS, _MANY_ATTRIBUTES = 0x0B, 0x0C, 0x11, 0x15
# Those that are no business of a reader's: fill values, comments, times and the like.
_IDLE = {0x00, 0x04, 0x05, 0x0A, 0x0D, 0x0E, 0x10, 0x12, 0x13, 0x14, 0x16, 0x17, 0x18}
_MEANT = {_SPACE, _LINK_INFO, _TYPE, _LINK, _ELSEWHERE, _LAYOUT, _FILTERS, _ATTRIBUTE, _SYMBOLS}
_MEANT |= {_MANY_ATTRIBUTES}


def read_tree(data: bytes | memoryview, what: str) -> Group:
    """Everything in a file; what is not plain is refused.

    Args:
        data: the whole file.
        what: the file is, as errors name it.
    """
    blocks = Blocks(data, what)
    return _Reader(blocks).group(_Object(_root(blocks), blocks, "/"), 0)


def _root(blocks: Blocks) -> int:
    """The address of the outermost group."""
    head = blocks.cursor(0, 13)
    head.expect(SIGNATURE, "mark of an HDF5 file")
    version = head.number(1)
    if version > 3:
        raise blocks.damaged(f"version {version} of the format, which is not known yet")
    is_classic = version < 2
    if bytes(blocks.data[13:15] if is_classic else blocks.data[9:11]) != b"\x08\x08":
        raise blocks.damaged("addresses that are not of eight bytes")
    start = {0: 24, 1: 28}.get(version, 12)
    addresses = blocks.cursor(start, 48 if is_classic else 32)
    base, _, end = addresses.number(8), addresses.number(8), addresses.number(8)
    if base != 0 or end > len(blocks):
        raise blocks.damaged(f"{len(blocks)} bytes, where it says that it has {end}")
    if is_classic:
        addresses.skip(16)
    return addresses.number(8)


class _Object:
    """What stands at an address: the messages of its header by kind."""

    def __init__(self, address: int, blocks: Blocks, path: str) -> None:
        self.address = address
        self.path = path
        self._blocks = blocks
        self._messages: dict[int, list[Message]] = {}
        for message in messages(blocks, address):
            if message.kind in _MEANT:
                self._messages.setdefault(message.kind, []).append(message)
            elif message.kind not in _IDLE:
                raise blocks.damaged(f"an unknown statement about '{path}'")
            if message.is_shared and message.kind in _MEANT:
                raise blocks.refused(f"'{path}', which uses a named type")

    def all(self, kind: int) -> list[memoryview]:
        """The bodies of the messages of one kind."""
        return [message.body for message in self._messages.get(kind, [])]

    def has(self, *kinds: int) -> bool:
        """Whether there is one message of these kinds at least."""
        return any(kind in self._messages for kind in kinds)

    def one(self, kind: int) -> memoryview:
        """The body of the only message of its kind."""
        found = self.all(kind)
        if len(found) != 1:
            raise self._blocks.damaged(f"'{self.path}' without its type, shape or place")
        return found[0]


@dataclasses.dataclass
class _Link:
    name: str
    address: int
    order: int = 0


class _Reader:
    """Walks from group to group; every object may be met once."""

    def __init__(self, blocks: Blocks) -> None:
        self._blocks = blocks
        self._heaps = Heaps(blocks)
        self._seen: set[int] = set()

    def group(self, found: _Object, depth: int) -> Group:
        """The group with everything below it."""
        blocks = self._blocks
        if depth > _DEEPEST:
            raise blocks.refused(f"groups {depth} deep")
        self._seen.add(found.address)
        group = Group(self.attributes(found))
        for link in sorted(self._links(found), key=lambda link: (link.order, link.name)):
            path = f"{found.path.rstrip('/')}/{link.name}"
            if link.name in group.groups or link.name in group.arrays:
                raise blocks.damaged(f"two things called '{path}'")
            if link.address in self._seen:
                raise blocks.refused(f"'{path}', which is a second name for something else in the file")
            self._seen.add(link.address)
            item = _Object(link.address, blocks, path)
            if item.has(_SYMBOLS, _LINK_INFO, _LINK):
                group.groups[link.name] = self.group(item, depth + 1)
            elif item.has(_LAYOUT):
                group.arrays[link.name] = self._array(item)
                group.arrays[link.name].flags.writeable = False
            else:
                raise blocks.refused(f"'{path}', which is neither a group nor an array")
        return group

    def attributes(self, found: _Object) -> dict[str, Any]:
        """The attributes of a group or array by name."""
        bodies = found.all(_ATTRIBUTE)
        for info in found.all(_MANY_ATTRIBUTES):
            cursor = Cursor(info, self._blocks)
            flags = cursor.number(2) >> 8
            cursor.skip(2 if flags & 1 else 0)
            bodies += objects_in(self._blocks, cursor.number(8), cursor.number(8))
        values: dict[str, Any] = {}
        for body in bodies:
            name, value = self._attribute(body, found.path)
            if name in values:
                raise self._blocks.damaged(f"two attributes '{name}' of '{found.path}'")
            values[name] = value
        return values

    def _attribute(self, body: memoryview, path: str) -> tuple[str, Any]:
        blocks = self._blocks
        cursor = Cursor(body, blocks)
        version, flags = cursor.number(1), cursor.number(1)
        if version not in (1, 2, 3):
            raise blocks.damaged(f"an attribute of '{path}' that cannot be read")
        if flags and version > 1:
            raise blocks.refused(f"an attribute of '{path}' that uses a named type")
        parts = []
        sizes = [cursor.number(2) for _ in range(3)]
        cursor.skip(1 if version == 3 else 0)
        for size in sizes:
            parts.append(cursor.take(size))
            if version == 1:
                cursor.align()
        name = decoded(parts[0], blocks).rstrip("\0")
        kind = kind_of(parts[1], blocks, f"{path}@{name}")
        shape = shape_of(parts[2], blocks)
        return name, values_of(cursor.take(cursor.left), kind, shape, self._heaps, blocks)

    def _array(self, found: _Object) -> np.ndarray:
        blocks, path = self._blocks, found.path
        if found.has(_ELSEWHERE):
            raise blocks.refused(f"'{path}', whose numbers are in another file")
        attributes = self.attributes(found)
        kind = kind_of(found.one(_TYPE), blocks, path, attributes.get("dtype", "bfloat16"))
        shape = shape_of(found.one(_SPACE), blocks)
        if not isinstance(kind, Kind) or shape is None:
            raise blocks.refused(f"'{path}', which holds no numbers")
        layout = Cursor(found.one(_LAYOUT), blocks)
        version, form = layout.number(1), layout.number(1)
        if version == 3 and form == 2:
            filters = [one for message in found.all(_FILTERS) for one in filters_of(message, blocks, path)]
            return read_chunks(layout, kind, shape, filters, blocks, path)
        if version not in (3, 4, 5) or form not in (0, 1):
            raise self._unusual(version, form, path)
        return plain_numbers(self._stored(layout, form, kind, shape, path), kind, shape)

    def _stored(self, layout: Cursor, form: int, kind: Kind, shape: tuple[int, ...], path: str) -> memoryview:
        """The bytes of an array in one piece: in its header, or where that says."""
        wanted = math.prod(shape) * kind.size
        address = layout.number(8) if form == 1 else 0
        size = layout.number(8 if form == 1 else 2)
        if wanted == 0:
            return memoryview(b"")
        if address == NOWHERE or size < wanted:
            size = 0 if address == NOWHERE else size
            raise self._blocks.refused(f"'{path}', which says it has {wanted} bytes and has {size}")
        return layout.take(wanted) if form == 0 else self._blocks.cut(address, wanted)

    def _unusual(self, version: int, form: int, path: str) -> Exception:
        if form == 3:
            return self._blocks.refused(
                f"'{path}', which is put together from other arrays (a virtual data set)"
            )
        return self._blocks.refused(
            f"'{path}', kept in a way of HDF5 {'1.10 and later' if version > 3 else 'before 1.6'}",
            fix="Save the file again with Keras or h5py as they come, without the argument 'libver'.",
        )

    def _links(self, found: _Object) -> Iterator[_Link]:
        for body in found.all(_SYMBOLS):
            yield from self._classic_links(body, found.path)
        for body in found.all(_LINK):
            yield self._link(body, found.path)
        for body in found.all(_LINK_INFO):
            cursor = Cursor(body, self._blocks)
            flags = cursor.number(2) >> 8
            cursor.skip(8 if flags & 1 else 0)
            for link in objects_in(self._blocks, cursor.number(8), cursor.number(8)):
                yield self._link(link, found.path)

    def _link(self, body: memoryview, path: str) -> _Link:
        """The link of a link message."""
        blocks = self._blocks
        cursor = Cursor(body, blocks)
        if cursor.number(1) != 1:
            raise blocks.damaged(f"a link in '{path}' that cannot be read")
        flags = cursor.number(1)
        form = cursor.number(1) if flags & 8 else 0
        order = cursor.number(8) if flags & 4 else 0
        cursor.skip(1 if flags & 16 else 0)
        name = self._name(decoded(cursor.take(cursor.number(1 << (flags & 3))), blocks), path)
        if form == 0:
            return _Link(name, cursor.number(8), order)
        target = str(cursor.take(min(cursor.number(2), cursor.left)), "utf-8", "replace")
        raise self._pointing(form, path, name, target.strip("\0"))

    def _pointing(self, form: int, path: str, name: str, target: str) -> Exception:
        kinds = {1: "a soft link", 64: "a link into another file"}
        got = f"'{name}' in '{path}', {kinds.get(form, 'a link of an unknown kind')}"
        return self._blocks.refused(f"{got}: {target}" if target else got)

    def _classic_links(self, body: memoryview, path: str) -> Iterator[_Link]:
        blocks = self._blocks
        cursor = Cursor(body, blocks)
        tree, heap = cursor.number(8), cursor.number(8)
        head = blocks.cursor(heap, 32)
        head.expect(b"HEAP\0", "heap of names")
        head.skip(3)
        size, _, start = head.number(8), head.number(8), head.number(8)
        names = bytes(blocks.cut(start, size))
        for leaf in _leaves(blocks, tree):
            yield from self._symbols(leaf, names, path)

    def _symbols(self, address: int, names: bytes, path: str) -> Iterator[_Link]:
        blocks = self._blocks
        head = blocks.cursor(address, 8)
        head.expect(b"SNOD\x01", "list of names")
        head.skip(1)
        count = head.number(2)
        entries = blocks.cursor(address + 8, 40 * count)
        for _ in range(count):
            at, where, cached = entries.number(8), entries.number(8), entries.number(4)
            entries.skip(4)
            name = self._name(self._named(names, at), path)
            target = entries.number(4)
            entries.skip(12)
            if cached == 2:
                raise self._pointing(1, path, name, self._named(names, target))
            yield _Link(name, where)

    def _named(self, names: bytes, start: int) -> str:
        end = names.find(b"\0", start)
        if start >= len(names) or end < 0:
            raise self._blocks.damaged("a name that is not where it should be")
        self._blocks.pay(end - start)
        return decoded(memoryview(names)[start:end], self._blocks)

    def _name(self, name: str, path: str) -> str:
        if name in ("", ".", "..") or "/" in name or "\0" in name:
            raise self._blocks.refused(f"'{name}' as a name in '{path}'")
        return name


def _leaves(blocks: Blocks, address: int) -> Iterator[int]:
    """The addresses of the lists of names, in the order of the names."""
    waiting = [(address, -1)]
    while waiting:
        address, wanted = waiting.pop()
        head = blocks.cursor(address, 24)
        head.expect(b"TREE\0", "list of a group's names")
        level, count = head.number(1), head.number(2)
        if wanted not in (-1, level):
            raise blocks.damaged("a list of a group's names that goes round in circles")
        entries = blocks.cursor(address + 24, 16 * count)
        below = []
        for _ in range(count):
            entries.skip(8)
            below.append(entries.number(8))
        if level == 0:
            yield from below
        else:
            waiting += [(child, level - 1) for child in reversed(below)]
