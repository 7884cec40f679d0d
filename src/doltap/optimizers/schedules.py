"""How far a step goes, as a function of how many steps came before.

A schedule is called inside the compiled program with the number of the step,
so it computes with arrays and keeps no state of its own.
"""

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

from doltap import doors, dtypes
from doltap.core.tensors import Variable
from doltap.errors import DataError, NotSupportedError
from doltap.registry import Configured, Names, explained

__all__ = [
    "CosineDecay",
    "CosineDecayRestarts",
    "ExponentialDecay",
    "InverseTimeDecay",
    "LearningRateSchedule",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
    "deserialize",
    "get",
    "serialize",
]

names = Names("learning-rate schedule")

Scalar = Float[Array, ""]
# One number, or one for each of several steps.
Numbers = Float[Array, "*steps"]


class LearningRateSchedule(Configured):
    """The base of all schedules: a subclass says in `__call__(step)` what the rate is.

    `step` is how many steps came before, as an integer array; compute with
    `jax.numpy`, because the call becomes part of the program. For saving,
    override `get_config` too.
    """

    def __call__(self, step: Any) -> Any:
        """The learning rate of the step after `step` others."""
        raise NotSupportedError(
            f"schedule {type(self).__name__}",
            expected="a method __call__(self, step)",
            got="none",
            fix="Define it; it returns the learning rate of the step after `step` others.",
        )

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        raise NotSupportedError(
            f"schedule {type(self).__name__}",
            expected="a method get_config(self), to be written to a file",
            got="none",
            fix="Define it; it returns the constructor's arguments as a dict.",
        )


def rate_at(schedule: LearningRateSchedule, step: Any) -> Scalar:
    """The rate of the schedule after `step` steps, whatever type its formula gave it."""
    return jnp.asarray(_array(schedule(step)), dtypes.wide())


def _array(value: Any) -> Any:
    return value.read() if isinstance(value, Variable) else value


def _number(step: Any) -> Numbers:
    return jnp.asarray(_array(step), dtypes.wide())


def _check_positive(schedule: Any, **arguments: Any) -> None:
    for name, value in arguments.items():
        if isinstance(value, (bool, str)) or value is None or not value > 0:
            raise DataError(
                f"schedule {type(schedule).__name__}",
                expected=f"{name} above 0",
                got=f"{name}={value!r}",
                fix=f"Count it in steps, which are batches: for example {name}=1000.",
            )


@names.register()
class ExponentialDecay(LearningRateSchedule):
    """`initial_learning_rate * decay_rate ** (step / decay_steps)`.

    Args:
        staircase: whether the rate stays the same for `decay_steps` steps, and then falls at once.

    >>> float(ExponentialDecay(0.5, decay_steps=10, decay_rate=0.5)(20))
    0.125
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str = "ExponentialDecay",
    ) -> None:
        _check_positive(self, decay_steps=decay_steps)
        self.initial_learning_rate, self.decay_steps = initial_learning_rate, decay_steps
        self.decay_rate, self.staircase, self.name = decay_rate, staircase, name

    def __call__(self, step: Any) -> Numbers:
        """The learning rate of the step after `step` others."""
        periods = _number(step) / self.decay_steps
        if self.staircase:
            periods = jnp.floor(periods)
        return self.initial_learning_rate * jnp.power(_number(self.decay_rate), periods)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "decay_rate": self.decay_rate,
            "staircase": self.staircase,
            "name": self.name,
        }


@names.register()
class PiecewiseConstantDecay(LearningRateSchedule):
    """One rate up to and with each boundary, and another one after it.

    Args:
        boundaries: numbers of steps, rising.
        values: the rates, one more than there are boundaries.

    >>> schedule = PiecewiseConstantDecay([2, 4], [1.0, 0.5, 0.25])
    >>> [float(schedule(step)) for step in range(6)]
    [1.0, 1.0, 1.0, 0.5, 0.5, 0.25]
    """

    def __init__(self, boundaries: Any, values: Any, name: str = "PiecewiseConstant") -> None:
        boundaries, values = list(boundaries), list(values)
        if len(boundaries) != len(values) - 1 or not boundaries or sorted(boundaries) != boundaries:
            raise DataError(
                "schedule PiecewiseConstantDecay",
                expected="rising boundaries, and one value more than there are boundaries",
                got=f"boundaries={boundaries} and {len(values)} values",
                fix="For example boundaries=[1000, 2000], values=[0.1, 0.01, 0.001].",
            )
        self.boundaries, self.values, self.name = boundaries, values, name

    def __call__(self, step: Any) -> Numbers:
        """The learning rate of the step after `step` others."""
        step = jnp.asarray(_array(step))
        passed = jnp.stack([step > boundary for boundary in self.boundaries])
        return jnp.asarray(self.values, dtypes.wide())[jnp.sum(passed)]

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        return {"boundaries": self.boundaries, "values": self.values, "name": self.name}


@names.register()
class PolynomialDecay(LearningRateSchedule):
    """From the initial rate to the end rate in `decay_steps` steps, along `(1 - share) ** power`.

    Args:
        cycle: whether to begin again, each time with more steps, instead of staying at the end.

    >>> float(PolynomialDecay(1.0, decay_steps=4, end_learning_rate=0.5)(2))
    0.75
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str = "PolynomialDecay",
    ) -> None:
        _check_positive(self, decay_steps=decay_steps)
        self.initial_learning_rate, self.decay_steps = initial_learning_rate, decay_steps
        self.end_learning_rate, self.power, self.cycle, self.name = end_learning_rate, power, cycle, name

    def __call__(self, step: Any) -> Numbers:
        """The learning rate of the step after `step` others."""
        step, length = _number(step), _number(self.decay_steps)
        if self.cycle:
            length = length * jnp.maximum(1.0, jnp.ceil(step / length))
        share = jnp.minimum(step, length) / length
        height = self.initial_learning_rate - self.end_learning_rate
        return height * jnp.power(1.0 - share, _number(self.power)) + self.end_learning_rate

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "end_learning_rate": self.end_learning_rate,
            "power": self.power,
            "cycle": self.cycle,
            "name": self.name,
        }


@names.register()
class InverseTimeDecay(LearningRateSchedule):
    """`initial_learning_rate / (1 + decay_rate * step / decay_steps)`.

    Args:
        staircase: whether the rate stays the same for `decay_steps` steps, and then falls at once.

    >>> float(InverseTimeDecay(0.5, decay_steps=10, decay_rate=0.5)(20))
    0.25
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str = "InverseTimeDecay",
    ) -> None:
        _check_positive(self, decay_steps=decay_steps)
        self.initial_learning_rate, self.decay_steps = initial_learning_rate, decay_steps
        self.decay_rate, self.staircase, self.name = decay_rate, staircase, name

    def __call__(self, step: Any) -> Numbers:
        """The learning rate of the step after `step` others."""
        periods = _number(step) / self.decay_steps
        if self.staircase:
            periods = jnp.floor(periods)
        return self.initial_learning_rate / (1.0 + self.decay_rate * periods)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "decay_rate": self.decay_rate,
            "staircase": self.staircase,
            "name": self.name,
        }


@names.register()
class CosineDecay(LearningRateSchedule):
    """Down along half a cosine wave, after a straight warm-up where one is wanted.

    Args:
        decay_steps: steps from the top to the end, without those of the warm-up.
        alpha: where it ends, as a share of the top.
        warmup_target: the rate at the top; None means no warm-up.
        warmup_steps: steps from `initial_learning_rate` up to `warmup_target`.

    Source: Loshchilov and Hutter, "SGDR" (2016); Goyal et al. (2017) for the warm-up.

    >>> schedule = CosineDecay(0.0, decay_steps=10, warmup_target=1.0, warmup_steps=4)
    >>> [round(float(schedule(step)), 4) for step in (0, 2, 4, 9, 14, 99)]
    [0.0, 0.5, 1.0, 0.5, 0.0, 0.0]
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        alpha: float = 0.0,
        name: str = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: float = 0,
    ) -> None:
        _check_positive(self, decay_steps=decay_steps)
        self.initial_learning_rate, self.decay_steps = initial_learning_rate, decay_steps
        self.alpha, self.name = alpha, name
        self.warmup_target, self.warmup_steps = warmup_target, warmup_steps

    def __call__(self, step: Any) -> Numbers:
        """The learning rate of the step after `step` others."""
        step = _number(step)
        if self.warmup_target is None:
            return self._after_warmup(step, self.initial_learning_rate)
        low, top = self.initial_learning_rate, self.warmup_target
        down = self._after_warmup(step - self.warmup_steps, top)
        if not self.warmup_steps:
            return down
        up = (top - low) * (step / self.warmup_steps) + low
        return jnp.where(step < self.warmup_steps, up, down)

    def _after_warmup(self, step: Numbers, top: float) -> Numbers:
        share = jnp.minimum(step, self.decay_steps) / self.decay_steps
        wave = 0.5 * (1.0 + jnp.cos(math.pi * share))
        return top * ((1.0 - self.alpha) * wave + self.alpha)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "alpha": self.alpha,
            "name": self.name,
            "warmup_target": self.warmup_target,
            "warmup_steps": self.warmup_steps,
        }


@names.register()
class CosineDecayRestarts(LearningRateSchedule):
    """Down along half a cosine wave, then again from the top, as often as there are steps.

    Args:
        first_decay_steps: steps of the first wave.
        t_mul: how much longer each wave is than the one before.
        m_mul: how much higher each wave begins than the one before.
        alpha: where a wave ends, as a share of the initial rate.

    Source: Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts" (2016).

    >>> schedule = CosineDecayRestarts(1.0, first_decay_steps=4, t_mul=1.0)
    >>> [round(float(schedule(step)), 4) for step in (0, 2, 4, 6)]
    [1.0, 0.5, 1.0, 0.5]
    """

    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: float,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str = "SGDRDecay",
    ) -> None:
        _check_positive(self, first_decay_steps=first_decay_steps, t_mul=t_mul)
        self.initial_learning_rate, self.first_decay_steps = initial_learning_rate, first_decay_steps
        self.t_mul, self.m_mul, self.alpha, self.name = t_mul, m_mul, alpha, name

    def __call__(self, step: Any) -> Numbers:
        """The learning rate of the step after `step` others."""
        periods = _number(step) / self.first_decay_steps
        if self.t_mul == 1:
            restarts = jnp.floor(periods)
            share = periods - restarts
        else:
            # Lengths 1, t, t^2, ... add up to (1 - t^n) / (1 - t).
            ratio = _number(self.t_mul)
            restarts = jnp.floor(jnp.log(1.0 - periods * (1.0 - ratio)) / jnp.log(ratio))
            length = jnp.power(ratio, restarts)
            share = (periods - (1.0 - length) / (1.0 - ratio)) / length
        height = jnp.power(_number(self.m_mul), restarts)
        wave = 0.5 * height * (1.0 + jnp.cos(math.pi * share))
        return self.initial_learning_rate * ((1.0 - self.alpha) * wave + self.alpha)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "first_decay_steps": self.first_decay_steps,
            "t_mul": self.t_mul,
            "m_mul": self.m_mul,
            "alpha": self.alpha,
            "name": self.name,
        }


def get(identifier: Any) -> LearningRateSchedule:
    """A schedule object from an object or a config."""
    made = names.make(identifier) if isinstance(identifier, dict) else identifier
    if isinstance(made, LearningRateSchedule):
        return made
    raise NotSupportedError(
        "learning-rate schedule",
        expected="a LearningRateSchedule, or the dict that serialize wrote",
        got=repr(identifier),
        fix="For example schedules.ExponentialDecay(0.1, decay_steps=1000, decay_rate=0.9).",
    )


@explained
def serialize(learning_rate_schedule: LearningRateSchedule) -> dict[str, Any]:
    """The schedule as the dict that Keras writes into its files too.

    >>> serialize(PiecewiseConstantDecay([1], [0.1, 0.01]))["class_name"]
    'PiecewiseConstantDecay'
    """
    kind = type(learning_rate_schedule)
    is_ours = kind.__module__ == __name__
    return {
        "module": "keras.optimizers.schedules" if is_ours else kind.__module__,
        "class_name": kind.__name__,
        "config": learning_rate_schedule.get_config(),
        "registered_name": None if is_ours else kind.__name__,
    }


@explained
def deserialize(config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> LearningRateSchedule:
    """The schedule that `serialize` wrote.

    Args:
        custom_objects: classes of your own by name.
    """
    own = (custom_objects or {}).get(config["class_name"])
    return get(own.from_config(config["config"]) if own else config)


doors.guard(__name__)
