"""What doltap gives as plain arrays, as tensors where programs ask: initializers, schedules and the like.

Only lines of the program itself get tensors; what doltap's files ask of each
other stays arrays.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from doltap import random
from doltap.compat.tensorflow import calls
from doltap.compat.tensorflow.dtypes import TensorShape
from doltap.compat.tensorflow.entrances import enter, is_by_hand, is_users_call, with_own
from doltap.compat.tensorflow.recording import silently
from doltap.compat.tensorflow.tensor import Reference, Tensor, as_tensor, reading, unwrapped
from doltap.constraints import Constraint
from doltap.core.tensors import Variable
from doltap.initializers import Initializer
from doltap.layers import Normalization
from doltap.ops import protocol
from doltap.optimizers.schedules import LearningRateSchedule
from doltap.regularizers import Regularizer

__all__ = ["as_given", "enter_all"]

# The functions of keras.random that give arrays.
_DRAWS = "beta binomial categorical dropout gamma normal randint shuffle truncated_normal uniform"
# The arguments that are values where they are named.
_VALUES = ("x", "y_true", "y_pred", "inputs")


def enter_all() -> None:
    """Put the answers in place."""
    for kind in with_own(Initializer, "__call__"):
        enter(kind, "__call__", _drawn)
    for kind in with_own(LearningRateSchedule, "__call__"):
        enter(kind, "__call__", _told)
    for kind in with_own(Constraint, "__call__"):
        enter(kind, "__call__", _computed)
    for kind in with_own(Regularizer, "__call__"):
        enter(kind, "__call__", _computed)
    for name in ("mean", "variance"):
        enter(Normalization, name, _property)
    for name in _DRAWS.split():
        enter(random, name, _told)
    enter(Variable, "shape", _shape)
    enter(Variable, "get_shape", lambda _: lambda self: TensorShape(self.shape))
    enter(Variable, "read_value", lambda _: lambda self: as_tensor(reading(self)))
    enter(Variable, "ref", lambda _: lambda self: Reference(self))
    enter(protocol.NotedFunctions, "answer", lambda _: staticmethod(_function_call))
    enter(protocol, "answer", lambda _: _operation_call)


def as_given(found: Any) -> Any:
    """What was found, with tensors in the place of JAX's arrays."""
    return jax.tree.map(lambda leaf: Tensor(leaf) if isinstance(leaf, jax.Array) else leaf, found)


def _drawn(before: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(before)
    def call(self: Any, shape: Any, dtype: Any = None, **named: Any) -> Any:
        if not is_users_call() or not is_by_hand(shape):
            return before(self, shape, dtype, **named)
        sizes = np.asarray(shape).tolist() if isinstance(shape, (Tensor, Variable)) else shape
        return as_given(before(self, sizes, dtype))

    return call


def _told(before: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(before)
    def call(*arguments: Any, **named: Any) -> Any:
        if not is_users_call() or not is_by_hand(arguments, named):
            return before(*arguments, **named)
        with silently():
            return as_given(before(*unwrapped(arguments), **unwrapped(named)))

    return call


def _computed(before: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(before)
    def call(self: Any, value: Any) -> Any:
        is_given = isinstance(value, (Tensor, Variable)) or is_users_call()
        if not is_given or not is_by_hand(value):
            return before(self, unwrapped(value))
        given = reading(value) if isinstance(value, Variable) else as_tensor(value)
        return calls.foreign(types.MethodType(before, self), (given,), {})

    return call


def _property(before: property) -> property:
    def value(self: Any) -> Any:
        found = before.__get__(self)
        return as_given(found) if is_users_call() and is_by_hand() else found

    return property(value, doc=before.__doc__)


def _shape(_: Any) -> property:
    """A variable's shape has `as_list` where programs ask for it."""

    def shape(self: Variable) -> Any:
        try:
            sizes = vars(self)["shape"]
        except KeyError:
            raise AttributeError("shape") from None
        return TensorShape(sizes) if is_users_call() else sizes

    def set_shape(self: Variable, sizes: Any) -> None:
        vars(self)["shape"] = sizes

    return property(shape, set_shape)


# Functions.


def _function_call(function: Callable[..., Any], arguments: tuple[Any, ...], keywords: dict) -> Any:
    """What one of the functions among losses, metrics and activations gives for arrays and numbers."""
    if not is_by_hand(arguments, keywords) or not (arguments or keywords):
        return function(*arguments, **keywords)
    first = [as_tensor(one) for one in arguments[:1]]
    rest = [as_tensor(one) if isinstance(one, list) else one for one in arguments[1:]]
    named = {key: as_tensor(one) if key in _VALUES else one for key, one in keywords.items()}
    return calls.foreign(function, (*first, *rest), named)


def _operation_call(function: Callable[..., Any], arguments: tuple[Any, ...], keywords: dict) -> Any:
    """What one of `keras.ops` gives for arrays and numbers: a tensor, where the program asks."""
    found = function(*arguments, **keywords)
    if not is_users_call(2) or not is_by_hand(arguments, keywords):
        return found
    return as_given(found)
