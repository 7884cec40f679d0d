"""Files that are whole or not there: written aside, flushed, verified, renamed."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Callable

__all__ = ["write_aside"]


def write_aside(
    path: str | os.PathLike[str],
    write: Callable[[pathlib.Path], None],
    verify: Callable[[pathlib.Path], None] | None = None,
) -> None:
    """Let `write` make a file beside the target, then put it in the target's place.

    Killed at any moment, the target is the old file or the new one.

    Args:
        write: makes the file at the path it is given.
        verify: reads it again before it counts, and raises if it is not what was to be written.
    """
    target = pathlib.Path(path)
    aside = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        write(aside)
        with open(aside, "rb") as file:
            os.fsync(file.fileno())
        if verify is not None:
            verify(aside)
        os.replace(aside, target)
    finally:
        aside.unlink(missing_ok=True)
