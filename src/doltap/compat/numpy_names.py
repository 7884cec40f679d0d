"""NumPy with the names it has lost, for the user's own files: `np.int`, `np.float_`, `np.product`.

The module that all other code sees stays as it is.
"""

from __future__ import annotations

import ast
import builtins
import functools
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from doltap import old_names
from doltap.old_modules import NUMPY

__all__ = ["Renewed", "renewed"]


class Renewed(ModuleType):
    """NumPy, and under its old names what they stand for today."""

    def __init__(self) -> None:
        super().__init__("numpy", np.__doc__)
        has = vars(self)
        has.update(vars(np))
        has.update({name: _of_tables(has[name]) for name in ("array_split", "split")})
        # NumPy's own answer for lost names is an error, or a warning.
        has.pop("__getattr__", None)
        for name in NUMPY.keys() & has.keys():
            if NUMPY[name].startswith("np."):
                del has[name]
        # Under the others, `from numpy import *` would hide names of Python's own.
        has["__all__"] = [*np.__all__, *(old for old in NUMPY if not hasattr(builtins, old))]

    def __getattr__(self, name: str) -> Any:
        found = vars(self)[name] = _old(name) if name in NUMPY else getattr(np, name)
        return found

    def __setattr__(self, name: str, value: Any) -> None:
        # Programs that repair NumPy themselves mean the one that all code sees.
        super().__setattr__(name, value)
        setattr(np, name, value)

    def __dir__(self) -> list[str]:
        return sorted({*dir(np), *NUMPY})

    def __reduce__(self) -> tuple[Any, ...]:
        return _the_only, ()

    def fill(self) -> None:
        """Look all names up at once, as `from numpy import *` does, without a word on each."""
        vars(self).update({name: _today(name) for name in NUMPY.keys() - vars(self).keys()})


def _of_tables(split: Callable[..., Any]) -> Callable[..., Any]:
    """NumPy's split, which gives pieces of a pandas table as tables, as it did before pandas 3."""

    @functools.wraps(split)
    def pieces(ary: Any, indices_or_sections: Any, axis: int = 0) -> Any:
        if axis or not hasattr(type(ary), "iloc"):
            return split(ary, indices_or_sections, axis)
        return [ary.iloc[rows] for rows in split(np.arange(len(ary)), indices_or_sections)]

    return pieces


def renewed(found: Any) -> Any:
    """NumPy with its old names, where `found` is NumPy; else `found` itself."""
    return _the_only() if found is sys.modules["numpy"] else found


@functools.cache
def _the_only() -> Renewed:
    return Renewed()


def _old(name: str) -> Any:
    old_names.note("numpy", f"np.{name}", NUMPY[name])
    return _today(name)


def _today(name: str) -> Any:
    """What an old name stands for.

    >>> _today("int"), _today("NINF"), _today("float_") is np.float64
    (<class 'int'>, -inf, True)
    """
    today = NUMPY[name]
    if name in _WRITTEN:
        return _WRITTEN[name]
    if not today.startswith("np."):
        return getattr(builtins, today)
    found: Any = np
    try:
        for part in today.split(".")[1:]:
            found = getattr(found, part)
    except AttributeError:
        # An older NumPy knows only the old name.
        return getattr(np, name)
    return found


# What is not another thing of NumPy's or of Python's, but an expression of them.
_WRITTEN: dict[str, Any] = {
    "NINF": -np.inf,
    "NZERO": -0.0,
    "PZERO": 0.0,
    "alen": lambda a: len(np.array(a, ndmin=1)),
    "asfarray": lambda a, dtype=np.float64: np.asarray(
        a, dtype if np.issubdtype(dtype, np.inexact) else np.float64
    ),
    "asscalar": lambda a: a.item(),
    "fastCopyAndTranspose": lambda a: np.asarray(a).T.copy(),
    "find_common_type": lambda array_types, scalar_types: np.result_type(*array_types, *scalar_types),
    "in1d": lambda ar1, ar2, assume_unique=False, invert=False: np.isin(
        np.ravel(ar1), ar2, assume_unique=assume_unique, invert=invert
    ),
    "issctype": lambda rep: isinstance(rep, type) and issubclass(rep, np.generic),
    "msort": lambda a: np.sort(a, axis=0),
    "obj2sctype": lambda rep, default=None: np.dtype(rep).type,
    "safe_eval": ast.literal_eval,
    "sctype2char": lambda sctype: np.dtype(sctype).char,
}
