"""Where programs enter doltap by hand: how an answer is put round a method or function, and taken away again.

Calls of doltap's own go through untouched: they come with tracers, with
borrowed variables, from inside an answer, or from a file of doltap's.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import jax

from doltap.compat.tensorflow.recording import scope
from doltap.compat.tensorflow.tensor import is_traced
from doltap.core.graph import SymbolicTensor
from doltap.core.tensors import is_lent

__all__ = ["below", "close_all", "enter", "is_by_hand", "is_doltaps", "is_open", "is_users_call", "with_own"]

_MISSING = object()
# What stood at each entrance before: (class or module, name) -> the method, or nothing of its own.
_before: dict[tuple[Any, str], Any] = {}
# Which answers are there; a class may come twice.
_answers: set[tuple[Any, str, Any]] = set()


def is_doltaps(kind: type) -> bool:
    """Whether a class is one of doltap's own."""
    return kind.__module__.startswith("doltap.")


def is_by_hand(*values: Any) -> bool:
    """Whether a call with these arguments is a program's own, and no compiled program is being made."""
    if scope.by_hand is not None and not scope.by_hand:
        return False
    leaves = jax.tree.leaves(values)
    if any(isinstance(leaf, SymbolicTensor) for leaf in leaves):
        return False
    return scope.by_hand is True or not (is_lent() or any(map(is_traced, leaves)))


def is_users_call(depth: int = 1) -> bool:
    """Whether the caller so many frames above the asking function stands in no file of doltap's."""
    return not sys._getframe(depth + 1).f_globals.get("__name__", "").startswith("doltap.")


def is_open() -> bool:
    """Whether there are answers at any entrance."""
    return bool(_before)


def enter(place: Any, name: str, around: Callable[..., Any]) -> None:
    """Put an answer round a method of a class, or a function of a module.

    Args:
        around: is given what stands there by itself, and gives what is to stand there.
    """
    if (place, name, around) in _answers:
        return
    _answers.add((place, name, around))
    before = vars(place).get(name, _MISSING)
    _before.setdefault((place, name), before)
    setattr(place, name, around(None if before is _MISSING else before))


def close_all() -> None:
    """Take all answers away again."""
    for (place, name), before in _before.items():
        if before is _MISSING:
            delattr(place, name)
        else:
            setattr(place, name, before)
    _before.clear()
    _answers.clear()


def with_own(kind: type[Any], name: str) -> Iterator[type]:
    """The classes of doltap's, from this one down, that define the method themselves."""
    for each in [kind, *below(kind)]:
        if name in vars(each) and is_doltaps(each):
            yield each


def below(kind: type[Any]) -> list[type[Any]]:
    """The classes made of it; one that is made of two of them comes twice."""
    found: list[type[Any]] = []
    for each in kind.__subclasses__():
        found += [each, *below(each)]
    return found
