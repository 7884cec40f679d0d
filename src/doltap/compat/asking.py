"""Whether the code that asks for a module is the user's own.

Installed packages, the standard library and doltap are not: they go on seeing
what is really there.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Mapping
from types import FrameType
from typing import Any

__all__ = ["is_users_code", "is_users_file", "place"]

_INSTALLED = frozenset(["site-packages", "dist-packages"])
_FOLDERS = [os.path.dirname(os.__file__), os.path.dirname(os.path.dirname(__file__))]
_OTHERS = tuple({os.path.join(each, "") for each in (*_FOLDERS, *map(os.path.realpath, _FOLDERS))})


@functools.cache
def is_users_file(path: str) -> bool:
    """Whether the file is the user's: neither an installed package's, nor Python's, nor doltap's.

    >>> is_users_file("/home/ana/lesson/line.py"), is_users_file(os.__file__)
    (True, False)
    """
    if path.startswith("<"):
        return False
    path = os.path.abspath(path)
    return not path.startswith(_OTHERS) and _INSTALLED.isdisjoint(path.split(os.sep))


def is_users_code(names: Mapping[str, Any] | None, frame: FrameType | None) -> bool:
    """Whether code is the user's, by its global names.

    Code without a file, as in a notebook or after `python -c`, is the user's
    where it is the main program, and else whose code runs it.

    Args:
        names: the globals of the code that asks; None takes those of the frame.
        frame: where it asks.
    """
    if names is None:
        names = frame.f_globals if frame else {}
    while True:
        file = names.get("__file__")
        if isinstance(file, str):
            return is_users_file(file)
        if names.get("__name__") == "__main__":
            return True
        if names.get("__spec__") is not None or frame is None or frame.f_back is None:
            return False
        frame = frame.f_back
        names = frame.f_globals


def place() -> str:
    """The line of the user's own file that is being run, as "line.py:12"; "" without one."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if is_users_code(frame.f_globals, None):
            return f"{os.path.basename(frame.f_code.co_filename)}:{frame.f_lineno}"
        frame = frame.f_back
    return ""
