"""What doltap says when something is wrong.

Every error tells three things in the user's own words: what was expected,
what came instead, and what to do about it.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterable
from types import ModuleType
from typing import Any

__all__ = [
    "DataError",
    "DatasetError",
    "DoltapError",
    "LabelError",
    "MissingAttributeError",
    "MissingKeyError",
    "MissingNameError",
    "MissingPackageError",
    "ModelFileError",
    "NotCompiledError",
    "NotSupportedError",
    "ProgramError",
    "ShapeError",
    "UnknownArgumentError",
    "UnknownNameError",
    "closest",
    "optional_package",
    "printable",
]


_LONGEST = 2000


class DoltapError(Exception):
    """The root of every error that doltap raises on purpose.

    Args:
        subject: what the error is about, with the user's own name for it.
        expected: what would have been right.
        got: what was there instead.
        fix: one or two sentences that cure it.

    >>> print(DoltapError("x", expected="9 columns", got="10", fix="Drop a column."))
    x: expected 9 columns, got 10.
      Drop a column.
    """

    def __init__(self, subject: str, *, expected: str, got: str, fix: str) -> None:
        # Names of columns, layers and files come from outside: they may hold a terminal's commands,
        # and be of any length.
        subject, expected, got, fix = (_told(text) for text in (subject, expected, got, fix))
        super().__init__(f"{subject}: expected {expected}, got {got}.\n  {fix}")
        self.parts = {"expected": expected, "got": got, "fix": fix}
        self.subject = subject

    def __reduce__(self) -> tuple[Any, ...]:
        # Exceptions cross process borders in searches; keyword arguments do
        # not survive the default way of pickling them.
        return _rebuild, (type(self), self.subject, self.parts)


def _rebuild(kind: type[DoltapError], subject: str, parts: dict[str, str]) -> DoltapError:
    return kind(subject, **parts)


class ShapeError(DoltapError, ValueError):
    """An array has the wrong number of dimensions, rows or columns."""


class DataError(DoltapError, ValueError):
    """The values of the data cannot be trained on."""


class LabelError(DataError):
    """The labels do not fit the loss."""


class UnknownNameError(DoltapError, ValueError):
    """A name that stands for nothing here."""

    @classmethod
    def of(cls, kind: str, name: object, known: Iterable[str]) -> UnknownNameError:
        """The error for `name`, with the nearest of the `known` names in it."""
        names = sorted(set(known))
        guess = closest(str(name), names)
        fix = f"Did you mean '{guess}'?" if guess else f"Known names: {', '.join(names)}."
        return cls(kind, expected="a known name", got=repr(name), fix=fix)


class UnknownArgumentError(DoltapError, TypeError):
    """A keyword that the call does not take."""

    @classmethod
    def of(cls, call: str, name: str, known: Iterable[str]) -> UnknownArgumentError:
        """The error for the keyword `name` of `call`, with the nearest `known` one."""
        names = sorted(set(known))
        guess = closest(name, names)
        taken = f"It takes: {', '.join(names)}." if names else "It takes none."
        fix = f"Did you mean '{guess}='?" if guess else taken
        return cls(call, expected="keywords it knows", got=f"'{name}='", fix=fix)


class NotCompiledError(DoltapError, RuntimeError, ValueError):
    """`compile` has to come first."""


class NotSupportedError(DoltapError, NotImplementedError):
    """doltap does not have this, and says so instead of doing something else."""


class MissingAttributeError(DoltapError, AttributeError):
    """An object has nothing of this name, or not yet."""

    def __init__(self, subject: str, *, expected: str, got: str, fix: str) -> None:
        super().__init__(subject, expected=expected, got=got, fix=fix)
        # Where this is set, Python's tracebacks add no guess of their own.
        self.obj = None


class MissingKeyError(DoltapError, KeyError):
    """A dict has nothing under this name."""

    def __str__(self) -> str:
        # A KeyError shows what it was given in quotes, and on one line.
        return str(self.args[0])


class MissingNameError(DoltapError, ImportError):
    """A module has nothing of this name to import."""


class MissingPackageError(DoltapError, ImportError):
    """An optional package is not installed."""


class DatasetError(DoltapError, OSError):
    """A data set can be neither found nor fetched, or its file is damaged."""


class ModelFileError(DoltapError, OSError, ValueError):
    """A file of a model cannot be read or written, is damaged, or is refused."""


class ProgramError(DoltapError, OSError):
    """What is to be run is no program, or cannot be run."""


def closest(name: str, known: Iterable[str]) -> str | None:
    """The known name that looks most like `name`, or None if nothing is near.

    >>> closest("sparese_categorical_crossentropy", ["mse", "sparse_categorical_crossentropy"])
    'sparse_categorical_crossentropy'
    """
    by_lower_case = {candidate.lower(): candidate for candidate in known}
    found = difflib.get_close_matches(name.lower(), by_lower_case, n=1, cutoff=0.6)
    return by_lower_case[found[0]] if found else None


def optional_package(name: str, *, extra: str, purpose: str) -> ModuleType:
    """The module `name`, or an error with the line that installs it.

    Args:
        name: the module's name, such as "matplotlib".
        extra: the extra of doltap that brings it, such as "plot".
        purpose: what it is needed for, as the end of "... is needed for".
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        # A package is installed as a whole, and may lack one that it needs itself.
        lacking = error.name if isinstance(error, ModuleNotFoundError) and error.name else name
        raise MissingPackageError(
            f"the package '{lacking.partition('.')[0]}'",
            expected=f"it to be installed for {purpose}",
            got="no such package",
            fix=f'Install it with: pip install "doltap[{extra}]"',
        ) from error


def printable(text: object, limit: int | None = 80) -> str:
    """Text from outside, made safe for a terminal and cut to `limit` characters, or not cut.

    Every text from a file goes through here before it is shown. What else it
    needs depends on where: `rich.text.Text` instead of markup, `html.escape`
    for a page.

    >>> printable("a\\x1b[31mb")
    'a\\\\x1b[31mb'
    """
    whole = str(text)
    shown = _escape(whole if limit is None else whole[: limit + 1])
    return shown if limit is None or len(shown) <= limit else shown[: limit - 1] + "…"


def _told(text: str) -> str:
    """Text as errors tell it: escaped but for the ends of lines, and of a length that can be read."""
    is_long = len(text) > _LONGEST
    return _escape(text[:_LONGEST], keep="\n") + ("…" if is_long else "")


def _escape(text: str, keep: str = "") -> str:
    return "".join(
        c if c.isprintable() or c in keep else c.encode("unicode_escape", "surrogatepass").decode()
        for c in text
    )
