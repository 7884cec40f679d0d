"""Files that are whole or not there: written aside, flushed, verified, renamed."""

from __future__ import annotations

import concurrent.futures
import contextlib
import errno
import hashlib
import importlib
import os
import pathlib
import re
import secrets
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from doltap.errors import DataError, DoltapError, ModelFileError, closest, printable

__all__ = ["check_writable", "checked_path", "make_folder", "write_aside"]

# What the name of an unfinished file ends in: chance, so that no two writers meet.
_ENDING = re.compile(r"\.\d+\.part")
_LONGEST_NAME_BYTES = 200

_REASONS = {
    errno.ENOENT: ("a folder that is there", "no such folder", "Make it, or check the path."),
    errno.ENOTDIR: ("folders on the way to it", "a file among them", "Check the path."),
    errno.EISDIR: ("a file to write", "a folder", "Add a file's name, or choose another."),
    errno.ENXIO: ("a file to write", "a pipe or device", "Save to a file, then send that one on."),
    errno.EEXIST: ("folders on the way to it", "a file among them", "Check the path."),
    errno.EACCES: ("permission to write there", "none", "Save to another folder, or ask its owner."),
    errno.EPERM: ("permission to write there", "none", "Save to another folder, or ask its owner."),
    errno.EROFS: ("a disk to write to", "one that can only be read", "Save to another disk."),
    errno.ENOSPC: ("room on the disk", "none", "Make room, or save to another disk."),
    errno.EDQUOT: ("room on the disk", "no more of your share", "Make room, or save to another disk."),
    errno.EFBIG: (
        "room for a file of this size",
        "a limit below it",
        "Save to another disk, or raise the limit.",
    ),
    errno.ENAMETOOLONG: ("a name", "one that is too long", "Choose a shorter one."),
    errno.ELOOP: ("a file's name", "links that point at each other in a circle", "Check the path."),
    errno.EIO: (
        "a disk that works",
        "an error of the disk",
        "Save to another disk, and look after this one.",
    ),
}


def checked_path(
    path: Any, subject: str | None = None, example: str = "'model.keras'", endings: Sequence[str] = ()
) -> str:
    """The path as text; an error about what no file can be called.

    Args:
        subject: the call and its argument, for the error.
        example: how it is called, for the error.
        endings: those that the name may have, such as ".html"; any, where there are none.
    """
    got = None
    if not isinstance(path, (str, os.PathLike)) or not isinstance(os.fspath(path), str):
        got = "None" if path is None else f"a {type(path).__name__}"
    elif not os.fspath(path):
        got = "an empty text"
    elif "\0" in os.fspath(path):
        got = "one with a zero in it"
    elif not _is_encodable(os.fspath(path)):
        got = "one with half a character in it"
    if got is None:
        _check_ending(os.fspath(path), subject or "the path", endings)
        return os.fspath(path)
    raise ModelFileError(
        subject or f"the path {printable(repr(path), 200)}",
        expected="the path of a file, as text",
        got=got,
        fix=f"For example {example}.",
    )


def _check_ending(path: str, subject: str, endings: Sequence[str]) -> None:
    stem, ending = os.path.splitext(path.rstrip(os.sep))
    if not endings or ending.lower() in endings:
        return
    better = next((each for each in endings if closest(ending, [each])), endings[0])
    raise DataError(
        subject,
        expected=f"a path that ends in {' or '.join(filter(None, [', '.join(endings[:-1]), endings[-1]]))}",
        got=printable(repr(path), 200),
        fix=f"Did you mean {printable(repr(stem + better), 200)}?",
    )


def _is_encodable(path: str) -> bool:
    try:
        os.fsencode(path)
    except UnicodeEncodeError:
        return False
    return True


def make_folder(path: str) -> None:
    """The folder at the path and those on the way to it, where they are not there yet."""
    with _told_in_words(path):
        os.makedirs(path, exist_ok=True)


def write_aside(
    path: str | os.PathLike[str],
    write: Callable[[pathlib.Path], None],
    verify: Callable[[pathlib.Path], object] | None = None,
) -> None:
    """Let `write` make a file beside the target, then put it in the target's place.

    Killed at any moment, the target is the old file or the new one. It keeps
    its permissions; where it is a link, the file that this leads to is replaced.

    Args:
        write: makes the file at the path it is given, where an empty one is.
        verify: reads it again before it counts, and raises if it is not what was to be written.
    """
    with _told_in_words(path), _aside(pathlib.Path(os.path.realpath(path))) as (aside, target):
        write(aside)
        # The disk is waited for while the file is read again.
        with concurrent.futures.ThreadPoolExecutor(1, "flushing") as pool:
            flushed = pool.submit(_flush, aside)
            if verify is not None:
                verify(aside)
            flushed.result()
        os.replace(aside, target)
        _flush_folder(target.parent)


def check_writable(path: str | os.PathLike[str]) -> None:
    """An error where `write_aside` could not begin: no such folder, no permission, no file to write."""
    with _told_in_words(path), _aside(pathlib.Path(os.path.realpath(path))):
        pass


@contextlib.contextmanager
def _told_in_words(path: str | os.PathLike[str]) -> Iterator[None]:
    try:
        yield
    except DoltapError:
        raise
    except OSError as error:
        unknown = ("a path that can be written to", printable(error), "Check the disk and the path.")
        expected, got, fix = _REASONS.get(error.errno or 0, unknown)
        kept = "What was there before is as it was." if os.path.lexists(path) else ""
        raise ModelFileError(
            printable(os.fspath(path), 200), expected=expected, got=got, fix=f"{fix} {kept}".strip()
        ) from error


@contextlib.contextmanager
def _aside(target: pathlib.Path) -> Iterator[tuple[pathlib.Path, pathlib.Path]]:
    """An empty file beside the target, which is gone afterwards unless it was renamed; and the target.

    It is locked as long as its writer lives, so that those whose writers were
    killed can be told from the others.
    """
    before = _facts_of(target)
    start = _beginning(target.name)
    _clear(target.parent, start)
    aside, number = _locked_file(target.parent, start)
    try:
        if before is not None:
            _keep_permissions(aside, before)
        yield aside, target
    finally:
        os.close(number)
        aside.unlink(missing_ok=True)


def _facts_of(target: pathlib.Path) -> os.stat_result | None:
    """What the disk says of the file that is there, which must allow to write; None where there is none."""
    try:
        facts = target.stat()
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(facts.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(facts.st_mode):
        raise OSError(errno.ENXIO, os.strerror(errno.ENXIO))
    if not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    return facts


def _keep_permissions(aside: pathlib.Path, before: os.stat_result) -> None:
    if sys.platform != "win32":
        # Only root may give files away.
        with contextlib.suppress(PermissionError):
            os.chown(aside, before.st_uid, before.st_gid)
    os.chmod(aside, stat.S_IMODE(before.st_mode) & 0o777)


def _beginning(name: str) -> str:
    """How the names of unfinished files for this target begin."""
    raw = os.fsencode(name)
    if len(raw) > _LONGEST_NAME_BYTES:
        name = f"{name[:20]}{hashlib.sha256(raw).hexdigest()[:16]}"
    return f".{name}"


def _clear(folder: pathlib.Path, start: str) -> None:
    """Remove what writers of the same target left that were killed."""
    for entry in os.listdir(folder):
        if not entry.startswith(start) or not _ENDING.fullmatch(entry, len(start)):
            continue
        with contextlib.suppress(OSError):
            number = os.open(folder / entry, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
            # What belongs to a living writer cannot be locked, and stays.
            try:
                _lock(number)
                os.unlink(folder / entry)
            finally:
                os.close(number)


def _locked_file(folder: pathlib.Path, start: str) -> tuple[pathlib.Path, int]:
    """A new file under a name of its own, open and locked."""
    while True:
        path = folder / f"{start}.{secrets.randbelow(10**12)}.part"
        number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        # Before it is locked another writer may take it for a killed one's, and then removes it.
        if _is_ours(number):
            return path, number
        os.close(number)


def _is_ours(number: int) -> bool:
    """Lock a file that was just made, and tell whether no other writer was quicker."""
    try:
        _lock(number)
    except BlockingIOError:
        return False
    except OSError:
        # Disks without locks keep what the killed leave.
        pass
    return os.fstat(number).st_nlink > 0


def _lock(number: int) -> None:
    """Lock an open file, or raise where another has it; the lock ends with its process."""
    if sys.platform == "win32":
        # A file that is open there cannot be removed by others anyway.
        return
    locks = importlib.import_module("fcntl")
    locks.flock(number, locks.LOCK_EX | locks.LOCK_NB)


def _flush(path: pathlib.Path) -> None:
    with open(path, "r+b") as file:
        os.fsync(file.fileno())


def _flush_folder(folder: pathlib.Path) -> None:
    """Make the new name last through a loss of power, where the system can."""
    if sys.platform == "win32":
        return
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
