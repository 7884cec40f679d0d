"""Zip archives from anywhere, read with care.

Everything is looked at before anything is unpacked, and nothing is ever
unpacked to the disk.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import hashlib
import io
import os
import stat
import struct
import unicodedata
import zlib
from collections.abc import Callable, Container, Mapping
from typing import IO, Any

import numpy as np

from doltap.errors import ModelFileError, printable
from doltap.files.opening import kind_of, open_file, opening_error, read_bytes

__all__ = ["read_zip", "verify_zip", "views_of_zip", "write_zip"]

_BEGIN, _ENTRY, _END, _END_64, _WHERE_64 = b"PK\3\4", b"PK\1\2", b"PK\5\6", b"PK\6\6", b"PK\6\7"
_STORED, _DEFLATED = 0, 8
_METHODS = {9: "deflate64", 12: "bzip2", 14: "LZMA", 93: "Zstandard", 95: "XZ", 98: "PPMd", 99: "encryption"}

# An archive of Keras has three members, and one for each vocabulary.
_MOST_MEMBERS = 10_000
# So much may members become when they are unpacked, in all: this many bytes,
# and this many times the size of the file. Keras does not pack at all, and
# trained weights become only a tenth smaller.
_ROOM_BYTES, _TIMES = 1 << 26, 20

_ENCRYPTED, _SIZES_FOLLOW, _UTF8 = 0x1, 0x8, 0x800
_TOLD_ELSEWHERE = 0xFFFF_FFFF
_SEAL = "doltap "
# Below that a thread costs more than it brings.
_WORTH_A_THREAD_BYTES = 1 << 18


@dataclasses.dataclass
class _Member:
    """What the archive's directory says of a member."""

    name: str
    raw_name: bytes
    flags: int
    method: int
    sum: int
    packed: int
    size: int
    start: int
    # As Unix has it; 0 where it was written elsewhere.
    mode: int


def read_zip(source: str | os.PathLike[str] | bytes, what: str | None = None) -> dict[str, bytes]:
    """The members of an archive by name, in its order; what is not plain is refused.

    Args:
        source: a path, or the bytes of an archive.
        what: the file is, as errors name it; None takes the path.
    """
    views = views_of_zip(source, what)
    # One at a time is let go, so that nothing large is there twice.
    return {name: bytes(views.pop(name)) for name in list(views)}


def views_of_zip(
    source: str | os.PathLike[str] | bytes, what: str | None = None, trusted: Container[str] = ()
) -> dict[str, memoryview]:
    """As `read_zip`, but without a copy of what is large.

    Args:
        trusted: members that are not compared with their checksums.
    """
    about = what or ("the archive" if isinstance(source, bytes) else str(source))
    with io.BytesIO(source) if isinstance(source, bytes) else open_file(source, about) as file:
        try:
            return _Archive(file, about, trusted).contents()
        except OSError as error:
            if isinstance(error, ModelFileError):
                raise
            raise opening_error(str(source), about, error) from error


class _Archive:
    """An archive and its directory, checked."""

    def __init__(self, file: Any, what: str, trusted: Container[str] = ()) -> None:
        self._file = file
        self._what = what
        self._trusted = trusted
        self._size = file.seek(0, io.SEEK_END)
        self._comment = b""
        self.members = self._directory(*self._end())

    def contents(self) -> dict[str, memoryview]:
        """The unpacked members by name."""
        self._check()
        found = {member.name: self._content(member) for member in self.members}
        self._check_seal()
        return {name: content for name, content in found.items() if not name.endswith("/")}

    def _read(self, start: int, size: int) -> memoryview:
        self._file.seek(start)
        found = read_bytes(self._file, size) if 0 <= start <= self._size - size else memoryview(b"")
        if len(found) < size:
            raise self._damaged("a part that would end behind the end of the file")
        return found

    def _end(self) -> tuple[int, int, int]:
        """Number of members, place and size of the directory, as the end of the archive tells."""
        beginning = bytes(self._read(0, min(self._size, 32)))
        if not beginning.startswith((_BEGIN, _END)):
            raise ModelFileError(
                self._what,
                expected="a zip archive",
                got=kind_of(beginning),
                fix="Check the path, and that the file came over whole.",
            )
        tail = bytes(self._read(max(self._size - 22 - 0xFFFF, 0), min(self._size, 22 + 0xFFFF)))
        at = tail.rfind(_END)
        while at >= 0 and (
            len(tail) < at + 22 or at + 22 + int.from_bytes(tail[at + 20 : at + 22], "little") != len(tail)
        ):
            at = tail.rfind(_END, 0, at)
        if at < 0:
            raise self._damaged("an archive that was cut off, or has something behind its end")
        disk, first, here, count, size, start, _ = struct.unpack_from("<4HIIH", tail, at + 4)
        if disk or first or here != count:
            raise self._refused("an archive in several parts")
        self._comment = tail[at + 22 :]
        end = self._size - len(tail) + at
        if count == 0xFFFF or _TOLD_ELSEWHERE in (size, start):
            count, size, start, end = self._end_64(end)
        if start + size != end:
            raise self._damaged("something before the archive, or between its parts")
        return count, start, size

    def _end_64(self, end: int) -> tuple[int, int, int, int]:
        """What archives of more than four gigabytes tell in other words."""
        mark, _, place, _ = struct.unpack("<4sIQI", self._read(end - 20, 20))
        fields = struct.unpack("<4sQHHIIQQQQ", self._read(place, 56))
        if mark != _WHERE_64 or fields[0] != _END_64 or place + 12 + fields[1] != end - 20:
            raise self._damaged("an end that cannot be read")
        return fields[7], fields[8], fields[9], place

    def _directory(self, count: int, start: int, size: int) -> list[_Member]:
        if count > _MOST_MEMBERS:
            raise self._refused(f"{count} members")
        directory, at, members = self._read(start, size), 0, []
        for _ in range(count):
            if at + 46 > len(directory) or directory[at : at + 4] != _ENTRY:
                raise self._damaged("a directory that cannot be read")
            fields = struct.unpack_from("<4s6H3I5HII", directory, at)
            lengths = fields[10:13]
            if at + 46 + sum(lengths) > len(directory):
                raise self._damaged("a directory that ends too early")
            name = bytes(directory[at + 46 : at + 46 + lengths[0]])
            extra = directory[at + 46 + lengths[0] :][: lengths[1]]
            members.append(self._member(fields, name, extra))
            at += 46 + sum(lengths)
        if at != len(directory):
            raise self._damaged("a directory with more in it than members")
        return members

    def _member(self, fields: tuple[Any, ...], raw_name: bytes, extra: memoryview) -> _Member:
        _, made_by, _, flags, method, _, _, total, packed, size = fields[:10]
        start = fields[16]
        large = _large_numbers(extra)
        try:
            # Where a number does not fit, it stands among those of eight bytes, in this order.
            size, packed, start = (
                next(large) if number == _TOLD_ELSEWHERE else number for number in (size, packed, start)
            )
            name = raw_name.decode("utf-8" if flags & _UTF8 else "cp437")
        except (RuntimeError, StopIteration, UnicodeDecodeError) as error:
            raise self._damaged("a directory that cannot be read") from error
        mode = fields[15] >> 16 if made_by >> 8 == 3 else 0
        return _Member(name, raw_name, flags, method, total, packed, size, start, mode)

    def _check(self) -> None:
        """Refuse what no archive of a model has, before anything is unpacked."""
        seen: dict[str, str] = {}
        for member in self.members:
            self._check_name(member)
            # Names that some disk would take for one.
            alike = unicodedata.normalize("NFKC", member.name).casefold()
            if alike in seen:
                raise self._refused(f"two members of one name, '{seen[alike]}' and '{member.name}'")
            seen[alike] = member.name
            self._check_form(member)
        room = _ROOM_BYTES + _TIMES * self._size
        if sum(member.size for member in self.members) > room:
            large = max(self.members, key=lambda member: member.size)
            raise self._refused(f"'{large.name}' of {large.size} bytes, in a file of {self._size}")
        end = 0
        for member in sorted(self.members, key=lambda member: member.start):
            if end == 0 and member.start > 0:
                raise self._refused(f"{member.start} bytes before the first member")
            if member.start < end:
                raise self._refused(f"'{member.name}', which begins where another member is")
            end = member.start + 30 + len(member.raw_name) + member.packed

    def _check_name(self, member: _Member) -> None:
        name = member.name
        parts = name.removesuffix("/").split("/")
        wrong = {
            "a name that leads out of the archive": ".." in parts or name.startswith("/"),
            "a name that a disk would not keep": any(
                part in ("", ".") or part != part.strip(" ") for part in parts
            ),
            "a name for other systems": "\\" in name or ":" in name,
            "a name with signs that steer a terminal": not name.isprintable(),
            "a name that is too long": len(member.raw_name) > 1024,
        }
        for found, is_so in wrong.items():
            if is_so:
                raise self._refused(f"{found}, '{name}'")

    def _check_form(self, member: _Member) -> None:
        name = member.name
        if member.flags & _ENCRYPTED:
            raise self._refused(f"'{name}', which is encrypted")
        if member.method not in (_STORED, _DEFLATED):
            method = _METHODS.get(member.method, f"method {member.method}")
            raise self._refused(f"'{name}', packed by {method}")
        if stat.S_IFMT(member.mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise self._refused(f"'{name}', which is no file but a link or a device")
        if name.endswith("/") and member.size:
            raise self._refused(f"the folder '{name}' with {member.size} bytes in it")
        if member.method == _STORED and member.size != member.packed:
            raise self._damaged(f"'{name}' with two sizes")

    def _content(self, member: _Member) -> memoryview:
        """A member's bytes; what stands before them must say the same as the directory."""
        head = self._read(member.start, 30)
        mark, _, flags, method, _, _, total, packed, size, name, extra = struct.unpack("<4s5H3I2H", head)
        told = (member.flags & ~_SIZES_FOLLOW, member.method, member.raw_name)
        here = (flags & ~_SIZES_FOLLOW, method, bytes(self._read(member.start + 30, name)))
        numbers = {(total, member.sum), (packed, member.packed), (size, member.size)}
        follow = bool(flags & _SIZES_FOLLOW) and (total, packed, size) == (0, 0, 0)
        is_same = follow or all(one in (other, _TOLD_ELSEWHERE) for one, other in numbers)
        if mark != _BEGIN or told != here or not is_same:
            raise self._damaged(f"'{member.name}', of which the archive says two different things")
        content = self._read(member.start + 30 + name + extra, member.packed)
        if member.method == _DEFLATED:
            content = self._inflated(member, content)
        is_trusted = member.name in self._trusted
        if len(content) != member.size or not (is_trusted or zlib.crc32(content) == member.sum):
            raise self._damaged(f"'{member.name}' with other bytes than were put in it")
        return content

    def _inflated(self, member: _Member, packed: memoryview) -> memoryview:
        unpacking = zlib.decompressobj(-15)
        try:
            content = unpacking.decompress(packed, member.size + 1)
        except (zlib.error, MemoryError, OverflowError) as error:
            raise self._damaged(f"'{member.name}', which cannot be unpacked") from error
        if len(content) > member.size or (not unpacking.eof and unpacking.unconsumed_tail):
            raise self._refused(f"'{member.name}', which is longer than the {member.size} bytes it says")
        return memoryview(content)

    def _check_seal(self) -> None:
        comment = self._comment.decode("utf-8", "replace")
        if comment.startswith(_SEAL) and comment != _seal([(m.name, m.size, m.sum) for m in self.members]):
            raise self._damaged(
                "other members than were saved (the checksum differs)",
                "If you changed it yourself, take away the archive's comment (zip -z) to say so.",
            )

    def _damaged(self, got: str, fix: str = "") -> ModelFileError:
        again = "The file is damaged. Take it from where it came from once more, or from a backup."
        return ModelFileError(
            self._what, expected="a whole zip archive", got=printable(got, 200), fix=f"{again} {fix}".strip()
        )

    def _refused(self, got: str) -> ModelFileError:
        return ModelFileError(
            self._what,
            expected="an archive of plain files under plain names",
            got=printable(got, 200),
            fix="No model needs that, so it is refused. Load only files from people you trust.",
        )


def _large_numbers(extra: memoryview) -> Any:
    """The numbers of eight bytes that the extra field of a large member holds."""
    at = 0
    while at + 4 <= len(extra):
        kind, size = struct.unpack_from("<HH", extra, at)
        if kind == 1:
            field = extra[at + 4 : at + 4 + size // 8 * 8]
            return iter(struct.unpack(f"<{len(field) // 8}Q", field[: len(field) // 8 * 8]))
        at += 4 + size
    return iter(())


def _seal(members: list[tuple[str, int, int]]) -> str:
    """The comment that our archives carry: one number over names, sizes and checksums of the members."""
    lines = "".join(f"{name}\0{size}\0{total}\n" for name, size, total in sorted(members))
    return f"{_SEAL}{hashlib.sha256(lines.encode('utf-8', 'surrogatepass')).hexdigest()}"


# What a member holds: its bytes, or what writes them to a file from front to back.
Content = bytes | bytearray | memoryview | Callable[[IO[bytes]], Any]


def write_zip(path: str | os.PathLike[str], members: Mapping[str, Content]) -> None:
    """An archive of these members, stored as they are, with a checksum.

    Args:
        members: by name: bytes, or a function that writes them to the file it is given.
    """
    with open(path, "wb") as file:
        put = [_put(file, name, content) for name, content in members.items()]
        start = file.tell()
        for member in put:
            file.write(_entry(member))
        seal = _seal([(member.name, member.size, member.sum) for member in put]).encode()
        file.write(_ending(len(put), start, file.tell(), seal))


def _put(file: IO[bytes], name: str, content: Content) -> _Member:
    """Write a member; what its header says of it is known afterwards."""
    flags = 0 if name.isascii() else _UTF8
    member = _Member(name, name.encode(), flags, _STORED, 0, 0, 0, file.tell(), stat.S_IFREG | 0o644)
    is_large = callable(content) or len(content) >= _TOLD_ELSEWHERE
    file.write(_head(member, is_large=is_large))
    with _Summing(file) as summing:
        content(summing) if callable(content) else summing.write(content)  # type: ignore[arg-type]
    member.sum, member.packed, member.size = summing.sum, summing.size, summing.size
    end = file.tell()
    file.seek(member.start)
    file.write(_head(member, is_large=is_large))
    file.seek(end)
    return member


class _Summing(io.RawIOBase):
    """Passes on what is written, while another thread adds up its checksum."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self.size, self.sum = file, 0, 0
        self._thread = concurrent.futures.ThreadPoolExecutor(1, "checksum")
        self._is_adding = False

    def writable(self) -> bool:
        """As a file says it."""
        return True

    def write(self, content: Any) -> int:
        """Pass the bytes on; they must stay as they are until the end."""
        view = memoryview(content).cast("B")
        self._is_adding = self._is_adding or view.nbytes >= _WORTH_A_THREAD_BYTES
        if self._is_adding:
            self._thread.submit(self._add, view)
        else:
            self._add(view)
        self._file.write(view)
        self.size += view.nbytes
        return view.nbytes

    def _add(self, view: memoryview) -> None:
        self.sum = zlib.crc32(view, self.sum)

    def close(self) -> None:
        """Wait for the checksum; the file beneath stays open."""
        self._thread.shutdown()
        super().close()


# Everything was changed on the first day of 1980, so that the same members are the same bytes.
_DATE = 1 << 5 | 1
_SINCE_2_0, _SINCE_4_5 = 20, 45


def _head(member: _Member, *, is_large: bool) -> bytes:
    """What stands before a member; if it may be large, with numbers of eight bytes."""
    sizes = (_TOLD_ELSEWHERE, _TOLD_ELSEWHERE) if is_large else (member.packed, member.size)
    extra = struct.pack("<HHQQ", 1, 16, member.size, member.packed) if is_large else b""
    since = _SINCE_4_5 if is_large else _SINCE_2_0
    told = (
        since,
        member.flags,
        member.method,
        0,
        _DATE,
        member.sum,
        *sizes,
        len(member.raw_name),
        len(extra),
    )
    return struct.pack("<4s5H3I2H", _BEGIN, *told) + member.raw_name + extra


def _entry(member: _Member) -> bytes:
    """What the directory says of a member."""
    numbers = (member.size, member.packed, member.start)
    large = [number for number in numbers if number >= _TOLD_ELSEWHERE]
    extra = struct.pack(f"<HH{len(large)}Q", 1, 8 * len(large), *large) if large else b""
    size, packed, start = (min(number, _TOLD_ELSEWHERE) for number in numbers)
    since = _SINCE_4_5 if large else _SINCE_2_0
    by_unix = 3 << 8 | since
    told = (by_unix, since, member.flags, member.method, 0, _DATE, member.sum, packed, size)
    lengths = (len(member.raw_name), len(extra), 0, 0, 0)
    fixed = struct.pack("<4s6H3I5HII", _ENTRY, *told, *lengths, member.mode << 16, start)
    return fixed + member.raw_name + extra


def _ending(count: int, start: int, end: int, comment: bytes) -> bytes:
    """The end of an archive whose directory stands between two places."""
    size, large = end - start, b""
    if count >= 0xFFFF or end >= _TOLD_ELSEWHERE:
        told = (44, _SINCE_4_5, _SINCE_4_5, 0, 0, count, count, size, start)
        large = struct.pack("<4sQHHIIQQQQ", _END_64, *told) + struct.pack("<4sIQI", _WHERE_64, 0, end, 1)
    count, size, start = min(count, 0xFFFF), min(size, _TOLD_ELSEWHERE), min(start, _TOLD_ELSEWHERE)
    return large + struct.pack("<4s4HIIH", _END, 0, 0, count, count, size, start, len(comment)) + comment


def verify_zip(
    path: str | os.PathLike[str], members: Mapping[str, Content], what: str
) -> dict[str, memoryview]:
    """The members of an archive that was just written; an error unless they are these.

    What a function wrote is not looked at: whoever has what it is made of compares that.

    Args:
        what: the file is, as errors name it.
    """
    written = {name for name, content in members.items() if callable(content)}
    found = views_of_zip(path, what, trusted=written)
    for name, content in members.items():
        is_there = name in found and (callable(content) or _is_same(content, found[name]))
        if not is_there or len(found) != len(members):
            raise ModelFileError(
                what,
                expected="to read what was written a moment ago",
                got=f"something else as '{name}'",
                fix="The disk may be failing. Save to another one; what was there before is as it was.",
            )
    return found


def _is_same(one: bytes | bytearray | memoryview, other: memoryview) -> bool:
    return np.array_equal(np.frombuffer(one, np.uint8), np.frombuffer(other, np.uint8))
