"""Groups with many members as HDF5 keeps them when it also keeps their order: a heap and a tree over it.

Keras leaves this to h5py, which does so only where it is asked to
(`h5py.get_config().track_order`, `libver="latest"`).
"""

from __future__ import annotations

import dataclasses

from doltap.files.hdf5.blocks import NOWHERE, Blocks, Cursor

__all__ = ["objects_in"]

# Kinds of records in a tree: the places of links by name and of attributes by name.
_LINKS, _ATTRIBUTES = 5, 8


def objects_in(blocks: Blocks, heap: int, tree: int) -> list[memoryview]:
    """The links or attributes that a tree lists and a heap holds; none where there is no heap.

    Args:
        heap: the address of a fractal heap, or nowhere.
        tree: the address of a version 2 tree, which lists places in the heap by name.
    """
    if heap == NOWHERE:
        return []
    kept = _Heap(blocks, heap)
    return [kept.object_at(place) for place in _places(blocks, tree)]


def _places(blocks: Blocks, address: int) -> list[memoryview]:
    """The heap's names for all objects, in the tree's order."""
    head = blocks.cursor(address, 38)
    head.expect(b"BTHD\0", "tree of a large group")
    kind, node_size, record_size, depth = head.number(1), head.number(4), head.number(2), head.number(2)
    head.skip(2)
    root, count = head.number(8), head.number(2)
    if kind not in (_LINKS, _ATTRIBUTES) or record_size < 11 or node_size < 32 or depth > 8:
        raise blocks.damaged("a tree of a large group that cannot be read")
    tree = _Tree(blocks, node_size, record_size, kind)
    records = tree.records(root, count, depth) if root != NOWHERE else []
    return [record[4:11] if kind == _LINKS else record[:8] for record in records]


@dataclasses.dataclass
class _Tree:
    blocks: Blocks
    node_size: int
    record_size: int
    kind: int

    def records(self, address: int, count: int, depth: int) -> list[memoryview]:
        """The records in the node at this address and below."""
        node = self.blocks.cursor(address, self.node_size)
        node.expect(b"BTIN" if depth else b"BTLF", "node of a large group's tree")
        node.expect(bytes([0, self.kind]), "node of a large group's tree")
        own = [node.take(self.record_size) for _ in range(count)]
        if depth == 0:
            return own
        widths = self._widths(depth)
        found = []
        for position in range(count + 1):
            child, num_records = node.number(8), node.number(widths[0])
            node.skip(widths[1] if depth > 1 else 0)
            found += self.records(child, num_records, depth - 1)
            found += own[position : position + 1]
        return found

    def _widths(self, depth: int) -> tuple[int, int]:
        """Bytes of the two numbers beside a child's address: its records, and all below it."""
        most = (self.node_size - 10) // self.record_size
        width, total, below = _bytes_for(most), most, 0
        for _ in range(depth - 1):
            pointer = 8 + width + below
            most = (self.node_size - 10 - pointer) // (self.record_size + pointer)
            total = most + (most + 1) * total
            below = _bytes_for(total)
        return width, below


def _bytes_for(number: int) -> int:
    return (number.bit_length() + 7) // 8


class _Heap:
    """A fractal heap: blocks of doubling size, all filled by objects of any size."""

    def __init__(self, blocks: Blocks, address: int) -> None:
        self._blocks = blocks
        head = blocks.cursor(address, 146)
        head.expect(b"FRHP\0", "heap of a large group")
        head.skip(2)
        filters, flags, most = head.number(2), head.number(1), head.number(4)
        head.skip(96)
        self._width, self._start, largest = head.number(2), head.number(8), head.number(8)
        bits = head.number(2)
        head.skip(2)
        self._root, self._num_rows = head.number(8), head.number(2)
        if filters or not 8 <= bits <= 64 or not self._width or not 0 < self._start <= largest <= 1 << 32:
            raise blocks.damaged("a heap of a large group that cannot be read")
        self._offset_size = (bits + 7) // 8
        self._length_size = min(_bytes_for(largest), _bytes_for(most))
        self._block_head = 13 + self._offset_size + (4 if flags & 2 else 0)
        self._num_direct_rows = (largest // self._start).bit_length() + 1

    def object_at(self, place: memoryview) -> memoryview:
        """What the heap's name for an object stands for."""
        cursor = Cursor(place, self._blocks)
        if cursor.number(1) >> 4 & 3:
            raise self._blocks.refused("a name or attribute of unusual size")
        offset, length = cursor.number(self._offset_size), cursor.number(self._length_size)
        address, start = self._block_of(offset)
        if address == NOWHERE:
            raise self._blocks.damaged("a large group with a member that is not there")
        return self._blocks.cut(address + offset - start, length)

    def _block_of(self, offset: int) -> tuple[int, int]:
        """The address of the direct block that holds this offset, and the offset it begins at."""
        address, start, num_rows = self._root, 0, self._num_rows
        # The root may be a direct block itself; indirect blocks list others.
        while num_rows > 0:
            row, column, begin = self._cell(offset - start)
            if row >= num_rows:
                raise self._blocks.damaged("a large group with a member outside of its heap")
            slot = (row * self._width + column) * 8
            address = self._blocks.cursor(address + 5 + 8 + self._offset_size + slot, 8).number(8)
            start += begin
            size = self._start << max(row - 1, 0)
            num_rows = 0 if row < self._num_direct_rows else self._rows_of(size)
        return address, start

    def _cell(self, offset: int) -> tuple[int, int, int]:
        """Row and column of the block at this offset of an indirect block, and where that block begins."""
        row_size = self._start * self._width
        row = (offset // row_size).bit_length()
        size = self._start << max(row - 1, 0)
        begin = 0 if row == 0 else row_size << (row - 1)
        column = (offset - begin) // size
        return row, column, begin + column * size

    def _rows_of(self, size: int) -> int:
        """Rows of an indirect block that stands for that many bytes."""
        return max((size // (self._start * self._width)).bit_length(), 1)
