"""What a program loads at its start stays to its end: Python need not look through it for garbage.

JAX and what stands on it are some 200,000 objects. Python's collector looks
through all of them many times while they are loaded, in every longer run again,
and at the exit; a third of the time of a short program went there.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator

__all__ = ["claim", "loading"]


class _Process:
    """Whether the process is there for one program that doltap runs."""

    is_ours = False


def claim() -> None:
    """Say that this process runs one program, and nobody else's collector is meddled with."""
    _Process.is_ours = True


@contextlib.contextmanager
def loading() -> Iterator[None]:
    """While it is loaded nothing is collected, and afterwards it is passed over; in a process of ours."""
    if not _Process.is_ours or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        gc.enable()
