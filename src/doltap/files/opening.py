"""The bytes of a file that a user named, or a sentence that says why there are none."""

from __future__ import annotations

import errno
import io
import os
import pathlib
import stat

import numpy as np

from doltap.errors import ModelFileError, closest, printable

__all__ = ["kind_of", "must_start_with", "open_file", "opening_error", "read_bytes", "read_file"]

# How files begin that are taken for model files, or stand where one was expected.
_BEGINNINGS = {
    b"\x89PNG": "a picture (PNG)",
    b"\xff\xd8\xff": "a picture (JPEG)",
    b"GIF8": "a picture (GIF)",
    b"%PDF": "a PDF document",
    b"\x89HDF": "an HDF5 file",
    b"PK\x03\x04": "a zip archive",
    b"PK\x05\x06": "an empty zip archive",
    b"\x1f\x8b": "a file packed by gzip",
    b"\x93NUMPY": "a NumPy array (.npy)",
    b"\x80\x02": "a pickle",
    b"\x80\x03": "a pickle",
    b"\x80\x04": "a pickle",
    b"\x80\x05": "a pickle",
    b"version https://git-lfs": "a pointer of Git LFS, not the file itself (git lfs pull fetches it)",
    b"<!DOCTYPE": "a web page, not the file itself",
    b"<!doctype": "a web page, not the file itself",
    b"<html": "a web page, not the file itself",
    b"{": "a text that may be JSON",
}

_REASONS = {
    errno.EACCES: ("a file that may be read", "no permission", "Ask its owner, or change its permissions."),
    errno.EPERM: ("a file that may be read", "no permission", "Ask its owner, or change its permissions."),
    errno.EISDIR: ("a file", "a folder", "Name a file in it."),
    errno.ENOTDIR: ("folders on the way to a file", "a file among them", "Check the path."),
    errno.ENAMETOOLONG: ("a path", "one that is too long", "Choose a shorter one."),
    errno.ELOOP: ("a file", "links that point at each other in a circle", "Check the path."),
}


def read_file(path: str | os.PathLike[str], what: str | None = None) -> memoryview:
    """All bytes of a file, which cannot be written to.

    Args:
        what: the file is, as errors name it; None takes the path.
    """
    try:
        with open_file(path, what) as file:
            return read_bytes(file, os.fstat(file.fileno()).st_size)
    except ModelFileError:
        raise
    except (OSError, MemoryError) as error:
        raise opening_error(path, what, error) from error


def open_file(path: str | os.PathLike[str], what: str | None = None) -> io.FileIO:
    """The file, open for reading; pipes and devices, which might never end, are refused."""
    try:
        mode = os.stat(path).st_mode
        if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
            return io.FileIO(path, "r")
    except (OSError, ValueError) as error:
        raise opening_error(path, what, error) from error
    raise ModelFileError(
        what or str(path), expected="a file", got="a pipe or device", fix="Save what comes from it to a file."
    )


def read_bytes(file: io.RawIOBase, size: int) -> memoryview:
    """The next bytes of a file, fewer where it ends before."""
    # Memory from NumPy comes in large pages, which makes this three times as fast.
    content = np.empty(size, np.uint8).data
    done, got = 0, 1
    while done < size and got:
        got = file.readinto(content[done:]) or 0
        done += got
    return content[:done].toreadonly()


def opening_error(path: str | os.PathLike[str], what: str | None, error: Exception) -> ModelFileError:
    """What to say when a file cannot be opened or read."""
    about = what or str(path)
    if isinstance(error, FileNotFoundError):
        return _missing(pathlib.Path(path), about)
    known = _REASONS.get(getattr(error, "errno", None) or 0)
    expected, got, fix = known or (
        "a file that can be read",
        printable(error),
        "Check the disk and the path.",
    )
    return ModelFileError(about, expected=expected, got=got, fix=fix)


def _missing(path: pathlib.Path, about: str) -> ModelFileError:
    folder = path.parent
    if not os.path.isdir(folder):
        got, fix = f"no folder '{folder}'", "Check the path."
    else:
        got = "no such file"
        guess = closest(path.name, (entry.name for entry in folder.iterdir()))
        fix = f"Did you mean '{guess}'?" if guess else f"Check the path; the folder is '{folder.resolve()}'."
    return ModelFileError(about, expected="a file", got=got, fix=fix)


def kind_of(content: bytes | memoryview) -> str:
    """What a file seems to be, by its first bytes.

    >>> kind_of(b"")
    'an empty file'
    """
    beginning = bytes(content[:32])
    if not beginning:
        return "an empty file"
    for start, name in _BEGINNINGS.items():
        if beginning.startswith(start):
            return name
    return f"a file that begins with {beginning[:8]!r}"


def must_start_with(start: bytes, data: bytes | memoryview, what: str, expected: str) -> None:
    """An error that says what the file is instead, unless it begins as it should."""
    if data[: len(start)] != start:
        raise ModelFileError(
            what,
            expected=expected,
            got=kind_of(data),
            fix="Check the path, and that the file came over whole.",
        )
