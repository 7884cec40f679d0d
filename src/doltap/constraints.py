"""What a weight may be: after each update it is moved to the nearest that is allowed.

A constraint is any function from a weight to a weight of the same shape.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp

from doltap import config, doors, old_names, registry
from doltap.errors import UnknownNameError
from doltap.registry import explained

__all__ = ["Constraint", "MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm", "deserialize", "get", "names"]
__all__ += ["max_norm", "min_max_norm", "non_neg", "serialize", "unit_norm"]

names = registry.Names("constraint")


class Constraint(registry.Configured):
    """What a weight may be: make your own by overriding `__call__(w)`; this one allows all."""

    def __call__(self, w: Any) -> Any:
        """The allowed weight."""
        return jnp.asarray(w)


def _stretched(w: Any, axis: int | Sequence[int], allowed: Callable[[Any], Any]) -> Any:
    """The weight, its vectors along `axis` brought to the lengths that are allowed for theirs."""
    w = jnp.asarray(w)
    # A file holds a list where Python has a tuple.
    axes = axis if isinstance(axis, int) else tuple(axis)
    lengths = jnp.sqrt(jnp.sum(jnp.square(w), axis=axes, keepdims=True))
    return w * (allowed(lengths) / (config.epsilon() + lengths))


@names.register()
class MaxNorm(Constraint):
    """Vectors no longer than `max_value`.

    Args:
        max_value: the greatest length.
        axis: what a vector stretches over: 0 for the inputs of each unit of a
            Dense kernel, [0, 1, 2] for those of each filter of a Conv2D.

    >>> print(MaxNorm(1.0)(jnp.array([[3.0, 0.5], [4.0, 0.0]])).round(3))
    [[0.6 0.5]
     [0.8 0. ]]
    """

    @old_names.accepts("max_norm")
    def __init__(self, max_value: float = 2, axis: int | Sequence[int] = 0) -> None:
        self.max_value = max_value
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        """The weight, longer vectors cut."""
        return _stretched(w, self.axis, lambda lengths: jnp.clip(lengths, 0, self.max_value))

    def get_config(self) -> dict[str, Any]:
        """The greatest length and the axis."""
        return {"max_value": self.max_value, "axis": self.axis}


@names.register()
class NonNeg(Constraint):
    """No number below 0.

    >>> NonNeg()(jnp.array([-1.0, 2.0])).tolist()
    [0.0, 2.0]
    """

    def __call__(self, w: Any) -> Any:
        """The weight, numbers below 0 set to 0."""
        return jnp.maximum(jnp.asarray(w), 0)


@names.register()
class UnitNorm(Constraint):
    """Vectors of length 1.

    Args:
        axis: what a vector stretches over, as for `MaxNorm`.

    >>> print(UnitNorm()(jnp.array([[3.0], [4.0]])).round(3))
    [[0.6]
     [0.8]]
    """

    def __init__(self, axis: int | Sequence[int] = 0) -> None:
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        """The weight, its vectors stretched or cut."""
        return _stretched(w, self.axis, jnp.ones_like)

    def get_config(self) -> dict[str, Any]:
        """The axis."""
        return {"axis": self.axis}


@names.register()
class MinMaxNorm(Constraint):
    """Vectors no shorter than `min_value` and no longer than `max_value`.

    Args:
        min_value: the least length.
        max_value: the greatest length.
        rate: what share of the way is gone at each update; 1 is all of it.
        axis: what a vector stretches over, as for `MaxNorm`.
    """

    def __init__(
        self,
        min_value: float = 0.0,
        max_value: float = 1.0,
        rate: float = 1.0,
        axis: int | Sequence[int] = 0,
    ) -> None:
        self.min_value = min_value
        self.max_value = max_value
        self.rate = rate
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        """The weight, its vectors stretched or cut."""
        return _stretched(w, self.axis, self._allowed)

    def _allowed(self, lengths: Any) -> Any:
        between = jnp.clip(lengths, self.min_value, self.max_value)
        return self.rate * between + (1 - self.rate) * lengths

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        bounds = {"min_value": self.min_value, "max_value": self.max_value}
        return {**bounds, "rate": self.rate, "axis": self.axis}


max_norm = MaxNorm
min_max_norm = MinMaxNorm
non_neg = NonNeg
unit_norm = UnitNorm


@explained
def get(identifier: Any) -> Callable[[Any], Any] | None:
    """The constraint that a layer's `kernel_constraint=` means.

    Args:
        identifier: a name, a `Constraint` or its class, any function of a
            weight, a `{"class_name", "config"}` dict, or None, which stays None.

    Raises:
        UnknownNameError: it means nothing here.

    >>> get("max_norm").get_config()
    {'max_value': 2, 'axis': 0}
    """
    found = names.make(identifier)
    if isinstance(identifier, str) and _gives_one(found):
        found = found()
    if found is not None and not callable(found):
        raise UnknownNameError.of("constraint", identifier, names)
    return found


def _gives_one(found: Any) -> bool:
    """Whether it is a function without arguments: Keras 2 called what `custom_objects` held."""
    return isinstance(found, types.FunctionType) and not inspect.signature(found).parameters


@explained
def serialize(constraint: Any) -> Any:
    """What a model's file says of a constraint, in Keras's own form.

    A user's function is written by its own `__name__`.

    >>> written = serialize(UnitNorm(axis=1))
    >>> written["module"], written["class_name"], written["config"]
    ('keras.constraints', 'UnitNorm', {'axis': 1})
    """
    return registry.written(constraint, "keras.constraints")


@explained
def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The constraint that `serialize` or Keras wrote down.

    Args:
        custom_objects: the user's own classes and functions by name; they win.

    Raises:
        UnknownNameError: nobody knows the name.

    >>> deserialize({"class_name": "MaxNorm", "config": {"max_value": 3}}).max_value
    3
    """
    return get(registry.undescribed(config, custom_objects))


doors.guard(__name__, "constraint")
