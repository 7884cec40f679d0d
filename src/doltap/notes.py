"""What is known of arrays beside their values, for as long as one step takes.

Layers leave notes while they are called: where a probability came from, which
steps of a sequence count, what is to be added to the loss. The training step
reads them. Notes belong to one thread and end with their `with`.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

__all__ = ["Notes", "current", "taken"]

_scope = threading.local()


class Notes:
    """The notes of one step. Arrays are known by identity, and kept so that it stays theirs."""

    def __init__(self) -> None:
        # id of an array -> the activation that made it, what went into it, and the array.
        self.origins: dict[int, tuple[str, Any, Any]] = {}
        # id of an array -> its mask and the array.
        self.masks: dict[int, tuple[Any, Any]] = {}
        # What layers add to the loss, and what they want followed, by name.
        self.losses: list[Any] = []
        self.metrics: dict[str, Any] = {}
        # What calls of metrics gave, which need not be followed a second time.
        self.results: list[Any] = []
        # id of a symbolic tensor -> what it stands for in this step.
        self.promised: dict[int, Any] = {}
        # What each layer gave at its first call; None where nobody asks.
        self.outputs: dict[Any, Any] | None = None
        # What stands between a layer and those that take its output: a function of
        # the layer and an array; None where nothing does.
        self.tap: Callable[[Any, Any], Any] | None = None

    def mask_of(self, array: Any) -> Any:
        """Which steps of the array count, as booleans; None where all do."""
        return self.masks.get(id(array), (None, None))[0]

    def value_of(self, tensor: Any) -> Any:
        """What a symbolic tensor stands for in this step; itself where that is not known."""
        return self.promised.get(id(tensor), tensor)

    def passed_on(self, layer: Any, outputs: Any) -> Any:
        """Note what a layer gave at its first call; what those take that come after it."""
        assert self.outputs is not None
        if self.tap is not None and layer not in self.outputs:
            outputs = self.tap(layer, outputs)
        self.outputs.setdefault(layer, outputs)
        return outputs

    def set_mask(self, array: Any, mask: Any) -> None:
        """Say which steps of the array count."""
        if mask is not None:
            self.masks[id(array)] = (mask, array)


@contextlib.contextmanager
def taken() -> Iterator[Notes]:
    """Inside the `with`, and only in this thread, notes are taken."""
    outer = current()
    _scope.notes = notes = Notes()
    try:
        yield notes
    finally:
        _scope.notes = outer


def current() -> Notes | None:
    """The notes that are being taken, if any are."""
    return getattr(_scope, "notes", None)
