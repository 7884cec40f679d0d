"""The bytes of an HDF5 file, cut up with care: every cut is checked and paid for.

A whole file has one purse: as many bytes as it holds, twice over. What is cut
out is paid from it, so that whatever a file says, reading it takes time and
memory in proportion to its size, and loops in it come to an end.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from doltap.errors import ModelFileError, printable

__all__ = ["NOWHERE", "SIGNATURE", "Blocks", "Cursor", "Message", "decoded", "messages"]

# How every file begins.
SIGNATURE = b"\x89HDF\r\n\x1a\n"

# The address of what is not there.
NOWHERE = 0xFFFF_FFFF_FFFF_FFFF

# So much may packed arrays become when they are unpacked, in all: this many
# bytes, and this many times the size of the file.
_ROOM_BYTES, _TIMES = 1 << 26, 20

_CONTINUATION = 0x10


class Blocks:
    """A file's bytes, and what to say when they are wrong.

    Args:
        data: the whole file.
        what: the file is, as errors name it.
    """

    def __init__(self, data: bytes | memoryview, what: str) -> None:
        self.data = memoryview(data).toreadonly()
        self.what = what
        self._purse = 2 * len(data) + 4096
        self._room = _ROOM_BYTES + _TIMES * len(data)

    def __len__(self) -> int:
        return len(self.data)

    def cut(self, start: int, size: int) -> memoryview:
        """The `size` bytes from `start` on."""
        if start > len(self.data) or size > len(self.data) - start:
            raise self.damaged(f"something at byte {start} that would end behind the end of the file")
        self.pay(size)
        return self.data[start : start + size]

    def pay(self, size: int) -> None:
        """Take from the purse what reading `size` bytes costs."""
        self._purse -= size
        if self._purse < 0:
            raise self.refused("parts that overlap or go round in circles")

    def promise(self, size: int, name: str) -> None:
        """Refuse a packed array that would grow out of all proportion to the file."""
        self._room -= size
        if self._room < 0:
            raise self.refused(f"'{name}', which would need {size} bytes of a file of {len(self)}")

    def cursor(self, start: int, size: int) -> Cursor:
        """A cursor at the first of `size` bytes."""
        return Cursor(self.cut(start, size), self)

    def damaged(self, got: str) -> ModelFileError:
        """The error for bytes that no writer of HDF5 would write."""
        return ModelFileError(
            self.what,
            expected="a whole HDF5 file",
            got=got,
            fix="The file is damaged. Take it from where it came from once more, or from a backup.",
        )

    def refused(self, got: str, fix: str | None = None) -> ModelFileError:
        """The error for what HDF5 knows and model files do not need."""
        return ModelFileError(
            self.what,
            expected="groups, texts and arrays of numbers, and nothing else",
            got=printable(got, limit=200),
            fix=fix or "No model needs that, so it is refused. Load only files from people you trust.",
        )


class Cursor:
    """Goes through a block from front to back."""

    def __init__(self, block: memoryview, blocks: Blocks) -> None:
        self.block = block
        self.at = 0
        self._blocks = blocks

    @property
    def left(self) -> int:
        """How many bytes are still to come."""
        return len(self.block) - self.at

    def take(self, size: int) -> memoryview:
        """The next bytes."""
        if size > self.left:
            raise self._blocks.damaged("a part that ends too early")
        self.at += size
        return self.block[self.at - size : self.at]

    def number(self, size: int) -> int:
        """The next number of that many bytes."""
        return int.from_bytes(self.take(size), "little")

    def skip(self, size: int) -> None:
        """Go on without looking."""
        self.take(size)

    def align(self) -> None:
        """Go on to the next multiple of eight bytes, or to the end."""
        self.skip(min(-self.at % 8, self.left))

    def expect(self, wanted: bytes, part: str) -> None:
        """Go past bytes that must be there."""
        if self.take(len(wanted)) != wanted:
            raise self._blocks.damaged(f"no {part} where there should be one")

    def text(self) -> str:
        """The text up to the next zero byte."""
        end = bytes(self.block[self.at :]).find(0)
        if end < 0:
            raise self._blocks.damaged("a text without an end")
        found = decoded(self.take(end), self._blocks)
        self.skip(1)
        return found


@dataclasses.dataclass
class Message:
    """One statement of an object's header: its kind, and what it says."""

    kind: int
    is_shared: bool
    body: memoryview


def decoded(text: memoryview, blocks: Blocks) -> str:
    """Bytes as the text they are."""
    try:
        return str(text, "utf-8")
    except UnicodeDecodeError as error:
        raise blocks.damaged("a text that is not UTF-8") from error


def messages(blocks: Blocks, address: int) -> list[Message]:
    """What the header of the object at this address says, in its order."""
    if bytes(blocks.data[address : address + 4]) == b"OHDR":
        return list(_modern_messages(blocks, address))
    return list(_classic_messages(blocks, address))


def _classic_messages(blocks: Blocks, address: int) -> Iterator[Message]:
    head = blocks.cursor(address, 16)
    if head.number(1) != 1:
        raise blocks.damaged(f"no object at byte {address}")
    head.skip(1)
    num_messages, _, size = head.number(2), head.number(4), head.number(4)
    parts = [blocks.cursor(address + 16, size)]
    for part in parts:
        while part.left >= 8 and num_messages > 0:
            kind, length, flags = part.number(2), part.number(2), part.number(1)
            part.skip(3)
            message = Message(kind, bool(flags & 2), part.take(length))
            num_messages -= 1
            if kind == _CONTINUATION:
                parts.append(blocks.cursor(*_continued(message, blocks)))
            yield message


def _modern_messages(blocks: Blocks, address: int) -> Iterator[Message]:
    head = blocks.cursor(address, 6)
    head.expect(b"OHDR\x02", "object header")
    flags = head.number(1)
    start = address + 6 + (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
    width = 1 << (flags & 3)
    size = blocks.cursor(start, width).number(width)
    parts = [blocks.cursor(start + width, size)]
    has_order = bool(flags & 4)
    for part in parts:
        while part.left >= (6 if has_order else 4):
            kind, length, own_flags = part.number(1), part.number(2), part.number(1)
            part.skip(2 if has_order else 0)
            message = Message(kind, bool(own_flags & 2), part.take(length))
            if kind == _CONTINUATION:
                where, size = _continued(message, blocks)
                part_after = blocks.cursor(where, max(size, 8) - 4)
                part_after.expect(b"OCHK", "continued object header")
                parts.append(part_after)
            yield message


def _continued(message: Message, blocks: Blocks) -> tuple[int, int]:
    cursor = Cursor(message.body, blocks)
    return cursor.number(8), cursor.number(8)
