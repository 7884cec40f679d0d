"""Python's `if` on a tensor inside a compiled program: each way is taken, and the condition chooses.

TensorFlow turned such conditions into parts of its graphs. Here the function is
run once for each way it may go, and what the ways give is joined by `where`.
"""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp

from doltap import old_names
from doltap.compat.tensorflow.entrances import enter
from doltap.training.program import Recipe

__all__ = ["each_way", "enter_all"]

# A loop asks again and again; so many ways are no conditions of a metric or loss any more.
_MOST = 64

_asking = threading.local()


def enter_all() -> None:
    """Let metrics ask in a step of training or evaluation."""
    enter(jax.core.Tracer, "__bool__", _answered)
    enter(Recipe, "measure", each_way)
    enter(Recipe, "results", each_way)


class _Questions:
    """The conditions that are asked for on one way, and what is answered: True where nothing was settled."""

    def __init__(self, settled: list[bool]) -> None:
        self.settled = settled
        self.conditions: list[Any] = []

    def answer(self, condition: Any) -> bool:
        self.conditions.append(condition)
        number = len(self.conditions) - 1
        return self.settled[number] if number < len(self.settled) else True


def each_way(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, which changes nothing outside, also where it asks for the truth of traced arrays."""

    @functools.wraps(function)
    def call(*arguments: Any, **keywords: Any) -> Any:
        try:
            return function(*arguments, **keywords)
        except jax.errors.TracerBoolConversionError as error:
            if getattr(_asking, "questions", None) is not None:
                raise
            refusal = error
        ways = _Ways(functools.partial(function, *arguments, **keywords))
        try:
            found = ways.after([])
        except _TooManyError:
            raise refusal from None
        old_names.note("function", "if tensor:", "keras.ops.where(tensor, ..., ...)")
        return found

    return call


class _TooManyError(Exception):
    """A function goes more ways than are followed."""


class _Ways:
    """The ways that a function may go."""

    def __init__(self, function: Callable[[], Any]) -> None:
        self.function, self.count = function, 0

    def after(self, settled: list[bool]) -> Any:
        """What the function gives once the first conditions are settled."""
        self.count += 1
        questions = _Questions(settled)
        with _answering(questions):
            if self.count > _MOST:
                raise _TooManyError
            found = self.function()
        # The last condition first: what came after the others is joined then.
        for number in reversed(range(len(settled), len(questions.conditions))):
            answers = [*settled, *[True] * (number - len(settled)), False]
            other = self.after(answers)
            found = jax.tree.map(functools.partial(jnp.where, questions.conditions[number]), found, other)
        return found


@contextlib.contextmanager
def _answering(questions: _Questions) -> Iterator[None]:
    """Inside the `with`, traced arrays have an answer to whether they are true, for this thread."""
    outer = getattr(_asking, "questions", None)
    _asking.questions = questions
    try:
        yield
    finally:
        _asking.questions = outer


def _answered(usual: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """The truth of a traced array: JAX's own answer, which is an error, or the way that is taken now."""

    def answer(tracer: Any) -> bool:
        questions = getattr(_asking, "questions", None)
        try:
            return bool(usual(tracer))
        except jax.errors.TracerBoolConversionError:
            if questions is None:
                raise
            if len(questions.conditions) >= _MOST:
                raise _TooManyError from None
            return bool(questions.answer(tracer))

    return answer
