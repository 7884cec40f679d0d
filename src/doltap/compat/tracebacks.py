"""Tracebacks that begin in the user's own lines, and end there where doltap refuses something.

Frames of what runs the program and of its imports are left out: they are no
part of it.
"""

from __future__ import annotations

import itertools
import os
import pathlib
import sys
from collections.abc import Iterator
from types import TracebackType

from doltap.compat import pandas_hints
from doltap.errors import DoltapError

__all__ = ["shortened", "show_from"]

_OURS = os.path.join(str(pathlib.Path(__file__).parent.parent), "")
# What NumPy says of arrays in the place of numbers, and how to give it the number.
_OF_ARRAYS = (
    "only 0-dimensional arrays can be converted to Python scalars",
    "only length-1 arrays can be converted to Python scalars",
    "unsupported format string passed to numpy.ndarray.__format__",
    "real number is required, not numpy.ndarray",
)
_ITEM = "doltap: an array is no number, even if it holds a single one: write x.item(), or x[0, 0]."
_IMPORTS = os.path.join(str(pathlib.Path(__file__).parent), "imports.py")


def show_from(error: BaseException, trace: TracebackType | None) -> None:
    """If nobody catches the error, let it be shown with this traceback, shortened, as long as it may grow."""
    trace = shortened(error, trace)
    shown_before = sys.excepthook

    def show(kind: type[BaseException], value: BaseException, whole: TracebackType | None) -> None:
        if value is error:
            value.__traceback__ = whole = trace
        shown_before(kind, value, whole)

    sys.excepthook = show


def shortened(error: BaseException, trace: TracebackType | None) -> TracebackType | None:
    """The traceback without the frames of imports, for the error and for those it came from.

    Where doltap raises an error on purpose, its own frames at the end go too:
    the last line is the user's, which is the one to change.
    """
    seen, one = {id(error)}, error
    while (before := one.__cause__ or one.__context__) is not None and id(before) not in seen:
        seen.add(id(before))
        if isinstance(one, DoltapError) and all(_is_ours(each) for each in _frames(before.__traceback__)):
            # What went wrong inside of doltap is told by the error that it became.
            one.__cause__, one.__suppress_context__ = None, True
            break
        before.__traceback__ = _kept(before, before.__traceback__)
        one = before
    _add_hint(error)
    return _kept(error, trace)


def _add_hint(error: BaseException) -> None:
    is_of_arrays = isinstance(error, TypeError) and any(text in str(error) for text in _OF_ARRAYS)
    hint = _ITEM if is_of_arrays else pandas_hints.hint(error)
    if hint is not None and hint not in getattr(error, "__notes__", ()):
        error.add_note(hint)


def _frames(trace: TracebackType | None) -> Iterator[TracebackType]:
    while trace is not None:
        yield trace
        trace = trace.tb_next


def _is_ours(each: TracebackType) -> bool:
    return each.tb_frame.f_code.co_filename.startswith(_OURS)


def _kept(error: BaseException, trace: TracebackType | None) -> TracebackType | None:
    frames = [each for each in _frames(trace) if each.tb_frame.f_code.co_filename != _IMPORTS]
    own = [not _is_ours(each) for each in frames]
    if isinstance(error, DoltapError) and True in own:
        frames = frames[: len(own) - own[::-1].index(True)]
    for one, following in itertools.zip_longest(frames, frames[1:]):
        one.tb_next = following
    return frames[0] if frames else None
