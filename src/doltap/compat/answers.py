"""What a model answers to programs from before NumPy 2.4: an array that holds one number is that number."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

__all__ = ["Answers", "with_numbers"]


class Answers(np.ndarray):
    """An array that `float`, `int` and "%d" take for a number where it holds one, whatever its shape.

    >>> answers = np.array([[0.25], [0.75]]).view(Answers)
    >>> float(answers[1]), "%.1f" % (answers[0] * 10)
    (0.75, '2.5')
    """

    def __float__(self) -> float:
        """The only number."""
        return float(self.item()) if self.size == 1 else super().__float__()

    def __int__(self) -> int:
        """The only number, without its decimals."""
        return int(self.item()) if self.size == 1 else super().__int__()

    def __array_wrap__(self, array: Any, context: Any = None, return_scalar: bool = False) -> Any:
        """What is computed of it is of this kind, and a sum is a bare number, as of any array."""
        return array[()] if return_scalar else array.view(Answers)

    def __repr__(self) -> str:
        """As any array."""
        return repr(self.view(np.ndarray))

    def __reduce__(self) -> Any:
        """A file holds a plain array, which nobody needs doltap to read."""
        return self.view(np.ndarray).__reduce__()


def with_numbers(predict: Callable[..., Any]) -> Callable[..., Any]:
    """The method, which gives `Answers`."""

    @functools.wraps(predict)
    def answer(*arguments: Any, **keywords: Any) -> Any:
        found = predict(*arguments, **keywords)
        return jax.tree.map(lambda each: each.view(Answers) if isinstance(each, np.ndarray) else each, found)

    answer.usual = predict  # type: ignore[attr-defined]
    return answer
