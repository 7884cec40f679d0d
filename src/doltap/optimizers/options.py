"""The numbers an optimizer is given: what they may be, and how they read back.

A number that may change while training lives in a `Rate`, which a program
receives at run time; here it becomes an attribute that reads as a plain number.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np

from doltap import config, dtypes
from doltap.core.tensors import Rate, Variable
from doltap.errors import DataError, NotSupportedError

__all__ = [
    "AskedRate",
    "Iterations",
    "check",
    "check_closed_share",
    "check_share",
    "checked_amount",
    "checked_epsilon",
    "checked_rate",
    "needed_amount",
    "rate_property",
]

_CLIPS = ("clipnorm", "clipvalue", "global_clipnorm")


class Iterations(Variable):
    """How many updates were made, where a program carries on another count: that of the batches.

    Args:
        carried: what programs carry on.
        shown: the count that is read, which may be the same.
        divisor: of how many in `shown` one is read.
    """

    def __init__(self, carried: Variable, shown: Variable, divisor: int = 1) -> None:
        self._carried, self._shown, self._divisor = carried, shown, divisor
        self.name, self.trainable, self.shape, self.dtype = "iterations", False, (), "int32"
        self.regularizer = self.constraint = None

    @property
    def array(self) -> Any:
        """What programs carry on."""
        return self._carried.array

    @array.setter
    def array(self, array: Any) -> None:
        self._carried.array = array

    def read(self) -> Any:
        """The number of updates."""
        return self._shown.read() // self._divisor

    @property
    def value(self) -> Any:
        """The number of updates."""
        return self.read()

    def numpy(self) -> np.ndarray:
        """The number of updates as a NumPy array."""
        return np.array(self.read())

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.read(), dtype=dtype)

    def assign(self, value: Any) -> Variable:
        """Set the number of updates."""
        self._shown.assign(np.asarray(value) * self._divisor)
        return self


class AskedRate(Rate):
    """A rate that a function of the user's is asked for, whenever a program is called."""

    def __init__(self, function: Callable[[], Any], optimizer: str) -> None:
        try:
            inspect.signature(function).bind()
        except TypeError as error:
            raise DataError(
                f"optimizer '{optimizer}'",
                expected="a learning_rate that is a number, a schedule or a function without arguments",
                got=f"the function {inspect.signature(function)}",
                fix="For a rate that follows the step, subclass optimizers.schedules.LearningRateSchedule.",
            ) from error
        self._ask = lambda: checked_rate(optimizer, function())
        super().__init__(self._ask(), name="learning_rate")

    @property
    def array(self) -> Any:
        """What the function says now."""
        return jnp.asarray(self._ask(), dtypes.wide())

    @array.setter
    def array(self, array: Any) -> None:
        """Nothing is kept: the function is asked each time."""


def check(optimizer: Any) -> None:
    """An error for the first option that cannot be."""
    given = [f"{name}={getattr(optimizer, name)}" for name in _CLIPS if getattr(optimizer, name) is not None]
    if len(given) > 1:
        raise DataError(
            f"optimizer '{optimizer.name}'",
            expected="at most one of clipnorm, clipvalue and global_clipnorm",
            got=" and ".join(given),
            fix="Keep the one you mean.",
        )
    for name in (*_CLIPS, "loss_scale_factor"):
        checked_amount(name, getattr(optimizer, name))
    check_share("ema_momentum", optimizer.ema_momentum, closed=True)
    _check_count("ema_overwrite_frequency", optimizer.ema_overwrite_frequency, least=1)
    _check_count("gradient_accumulation_steps", optimizer.gradient_accumulation_steps, least=2)
    if optimizer.loss_scale_factor == 0:
        raise DataError(
            "loss_scale_factor",
            expected="a number above 0",
            got="0",
            fix="For example loss_scale_factor=1024.",
        )


def _check_count(name: str, value: Any, *, least: int) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise DataError(
            name, expected=f"a whole number of {least} or more, or None", got=repr(value), fix="Leave it out."
        )


def check_share(name: str, value: Any, *, closed: bool = False) -> float:
    """The number, if it is from 0 to 1; 1 itself only where the interval is closed."""
    is_number = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    if not is_number or not (0 <= value < 1 or (closed and value == 1)):
        raise DataError(name, expected="a share from 0 to 1", got=repr(value), fix=f"For example {name}=0.9.")
    return value


def check_closed_share(name: str, value: Any) -> float:
    """The number, if it is from 0 to 1, both included."""
    return check_share(name, value, closed=True)


def needed_amount(name: str, value: Any) -> float:
    """The number, if it is 0 or more."""
    if value is None:
        raise DataError(name, expected="a number of 0 or more", got="None", fix="Leave it out.")
    return float(checked_amount(name, value))


def checked_amount(name: str, value: Any) -> Any:
    """The number, if it is 0 or more; None stays None."""
    if value is None or (_is_number(value) and float(value) >= 0):
        return value
    raise DataError(
        name, expected="a number of 0 or more, or None", got=repr(value), fix=f"For example {name}=0.01."
    )


def _is_number(value: Any) -> bool:
    return not isinstance(value, (bool, str)) and hasattr(value, "__float__") and math.isfinite(float(value))


def checked_epsilon(value: Any) -> float:
    """The small number that keeps a division finite; None means the library's own, as in Keras 2."""
    return config.epsilon() if value is None else float(checked_amount("epsilon", value))


def checked_rate(optimizer: str, value: Any) -> float:
    """The learning rate as a float, or an error."""
    if value is None or not _is_number(value) or float(value) < 0:
        raise DataError(
            f"optimizer '{optimizer}'",
            expected="a learning_rate of 0 or more",
            got=repr(value),
            fix="For example learning_rate=0.01.",
        )
    return float(value)


def shown(rate: Rate) -> float:
    """The number as it was written: 0.9 and not 0.8999999761581421."""
    return float(str(rate.numpy()[()]))


def rate_property(name: str, check: Callable[[str, Any], Any], says: str, *, absent: Any = None) -> Any:
    """An attribute for the rate of that name, which an optimizer may also do without.

    Args:
        check: gives the number back, or raises.
        says: what the number is.
        absent: what the attribute is where there is no such rate.
    """

    def get(self: Any) -> Any:
        return shown(self.rates[name]) if name in self.rates else absent

    def set_to(self: Any, value: Any) -> None:
        check(name, value)
        if name in self.rates:
            self.rates[name].assign(value or 0.0)
        elif value == absent:
            return
        elif self.built:
            raise NotSupportedError(
                f"optimizer '{self.name}'",
                expected=f"to have been made with {name}, if it is set later",
                got=f"{name}={value!r} after training has begun",
                fix=f"Make the optimizer with {name}=, and compile the model with it.",
            )
        else:
            self.rates[name] = Rate(value, name=name)

    return property(get, set_to, doc=says)
