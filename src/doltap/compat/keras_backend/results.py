"""What a function of `keras.backend` gives: what doltap computed, in the form that Keras 2 gave it.

A tensor for numbers that are there; promises and what is inside a compiled
program stay what they are.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

import jax

from doltap.compat.tensorflow import entrances
from doltap.compat.tensorflow.tensor import as_tensor
from doltap.core.tensors import Variable

__all__ = ["eager"]

Function = TypeVar("Function", bound=Callable[..., Any])


def eager(function: Function) -> Function:
    """Decorator: what the function computes from numbers that are there comes as a tensor."""

    @functools.wraps(function)
    def call(*arguments: Any, **keywords: Any) -> Any:
        given = (arguments, keywords)
        if _has_variables(given) and entrances.is_by_hand(given):
            # Tapes follow the tensor that a variable holds back to it.
            arguments, keywords = jax.tree.map(_read, given)
        found = function(*arguments, **keywords)
        is_there = isinstance(found, jax.Array) and not isinstance(found, jax.core.Tracer)
        return as_tensor(found) if is_there else found

    return cast(Function, call)


def _has_variables(given: Any) -> bool:
    if isinstance(given, (list, tuple)):
        return any(map(_has_variables, given))
    return (
        any(map(_has_variables, given.values())) if isinstance(given, dict) else isinstance(given, Variable)
    )


def _read(value: Any) -> Any:
    return as_tensor(value) if isinstance(value, Variable) else value
