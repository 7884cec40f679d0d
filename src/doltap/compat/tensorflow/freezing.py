"""What is trained is what was to be trained when the model was compiled, as in Keras 1 and 2.

So a discriminator that was compiled before it was frozen goes on learning by
itself, and does not learn as a part of a network that was compiled afterwards.
Keras 3 looks when it trains; programs written for it compile again.
"""

from __future__ import annotations

import contextlib
import functools
import weakref
from collections.abc import Callable, Iterator
from typing import Any

from doltap.compat.tensorflow.entrances import enter
from doltap.core.owner import Owner
from doltap.models.compiling import Compiling
from doltap.models.trainer import Trainer

__all__ = ["enter_all"]

# What was to be trained in each model when it was compiled.
_at_compile: weakref.WeakKeyDictionary[Any, list[tuple[weakref.ref[Owner], bool]]] = (
    weakref.WeakKeyDictionary()
)


def enter_all() -> None:
    """Put the answers in place."""
    enter(Compiling, "compile", _compiling)
    for name in ("fit", "train_on_batch"):
        enter(Trainer, name, _training)


def _compiling(before: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(before)
    def compile(self: Any, *arguments: Any, **keywords: Any) -> Any:
        found = before(self, *arguments, **keywords)
        owners = [self, *self.inside(Owner)]
        _at_compile[self] = [(weakref.ref(owner), owner._trainable) for owner in owners]
        return found

    return compile


def _training(before: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(before)
    def train(self: Any, *arguments: Any, **keywords: Any) -> Any:
        with _as_compiled(self):
            return before(self, *arguments, **keywords)

    return train


@contextlib.contextmanager
def _as_compiled(model: Any) -> Iterator[None]:
    """Inside the `with`, layers are frozen as they were when the model was compiled."""
    known = [(ref(), was) for ref, was in _at_compile.get(model, ())]
    changed = [(owner, was) for owner, was in known if owner is not None and owner._trainable is not was]
    for owner, was in changed:
        owner._trainable = was
    try:
        yield
    finally:
        for owner, was in changed:
            # A callback may have changed it for good.
            if owner._trainable is was:
                owner._trainable = not was
