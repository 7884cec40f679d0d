"""The bare carrier: every step runs in Python, line by line, for those who look for a mistake.

Nothing is compiled, so prints and breakpoints inside `call`, a loss or a metric
see real numbers, and Python's own conditions and conversions work on them.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np

__all__ = ["bare"]


def bare(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function of arrays as one that is run line by line."""

    @functools.wraps(function)
    def run(*arguments: Any) -> Any:
        # NumPy numbers, such as the number of the step, become arrays as they do in a program.
        arguments = jax.tree.map(jax.numpy.asarray, arguments)
        with jax.disable_jit(), _values_shown():
            return function(*arguments)

    return run


def _value(tracer: Any) -> np.ndarray:
    """The number behind an array that is being differentiated."""
    return np.asarray(tracer.to_concrete_value())


# What a user does with an array to look at it. JAX refuses these while it differentiates,
# although the value is at hand.
_LOOKS: dict[str, Callable[..., Any]] = {
    "__float__": lambda tracer: float(_value(tracer)),
    "__array__": lambda tracer, dtype=None, copy=None: np.array(_value(tracer), dtype),
    "__repr__": lambda tracer: repr(_value(tracer)),
    "__str__": lambda tracer: str(_value(tracer)),
    "__format__": lambda tracer, how: format(_value(tracer)[()], how),
    "item": lambda tracer, *index: _value(tracer).item(*index),
    "tolist": lambda tracer: _value(tracer).tolist(),
}


@contextlib.contextmanager
def _values_shown() -> Iterator[None]:
    """Inside the `with`, an array that is being differentiated may be looked at like any other."""
    kind: Any = jax.core.Tracer
    before = {name: vars(kind).get(name) for name in _LOOKS}

    def look(name: str) -> Callable[..., Any]:
        usual = getattr(kind, name, None)

        def shown(tracer: Any, *arguments: Any, **keywords: Any) -> Any:
            if getattr(tracer, "to_concrete_value", lambda: None)() is None and usual is not None:
                return usual(tracer, *arguments, **keywords)
            return _LOOKS[name](tracer, *arguments, **keywords)

        return shown

    for name in _LOOKS:
        setattr(kind, name, look(name))
    try:
        yield
    finally:
        for name, method in before.items():
            if method is None:
                delattr(kind, name)
            else:
                setattr(kind, name, method)
