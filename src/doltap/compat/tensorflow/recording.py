"""What a tape hears: which function was called on which tensors, and what came out.

A record holds a pure function of arrays, so that a part of what happened can
be computed again, differentiated and compiled. Tapes belong to one thread.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from typing import Any

__all__ = ["Record", "Scope", "heard", "scope", "silently"]


class Scope(threading.local):
    """What is going on in a thread: the open tapes, the values variables were read with, and who computes."""

    def __init__(self) -> None:
        # The tapes that listen, the outermost first.
        self.tapes: list[Any] = []
        # The last reading of each variable, by identity, while a tape listens.
        self.readings: dict[int, Any] = {}
        # Whether what is called now is a program's own line (True), something inside doltap
        # (False), or shows only in its arguments (None).
        self.by_hand: bool | None = None


scope = Scope()


@contextlib.contextmanager
def silently(by_hand: bool | None = False) -> Iterator[None]:
    """Inside the `with` no tape hears anything, and calls are doltap's own.

    Args:
        by_hand: True where they are the program's own all the same, None where that shows.
    """
    before, scope.by_hand = scope.by_hand, by_hand
    tapes, scope.tapes = scope.tapes, []
    try:
        yield
    finally:
        scope.by_hand, scope.tapes = before, tapes


class Record:
    """One call: `call.apply(arrays, *how)` gives the arrays of `outputs` from those of `inputs`."""

    __slots__ = ("call", "how", "inputs", "kept", "outputs")

    def __init__(
        self, call: Any, how: tuple[Any, ...], inputs: Sequence[Any], outputs: Sequence[Any]
    ) -> None:
        self.call, self.how, self.inputs, self.outputs = call, how, inputs, outputs
        self.kept = call.kept()


def heard(call: Any, how: tuple[Any, ...], inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
    """Tell every open tape of a call."""
    record = Record(call, how, inputs, outputs)
    for tape in scope.tapes:
        tape.hear(record)
