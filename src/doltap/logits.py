"""A probability remembers the number it was made of: its logit.

Only while a program is traced, and only by the identity of the array; so a
loss that is given probabilities can compute from the logits behind them.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any, NamedTuple

__all__ = ["Origin", "behind", "remember", "remembering"]

_memory = threading.local()


class Origin(NamedTuple):
    """Where probabilities came from: the name of the activation and what went into it.

    The probabilities are kept beside it, so that their identity is not given away.
    """

    activation: str
    logits: Any
    probabilities: Any


@contextlib.contextmanager
def remembering() -> Iterator[None]:
    """Inside the `with`, and only in this thread, activations are remembered."""
    outer = getattr(_memory, "current", None)
    _memory.current = {}
    try:
        yield
    finally:
        _memory.current = outer


def remember(activation: str, logits: Any, probabilities: Any) -> Any:
    """The probabilities, after noting where they came from."""
    current = getattr(_memory, "current", None)
    if current is not None:
        current[id(probabilities)] = Origin(activation, logits, probabilities)
    return probabilities


def behind(probabilities: Any) -> Origin | None:
    """Where these very probabilities came from, or None if nobody noted it."""
    return (getattr(_memory, "current", None) or {}).get(id(probabilities))
