"""How one weight moves, given its gradient.

A rule sees one array at a time and knows neither layers nor models; the walk
over all weights is `Optimizer.update_all`.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from doltap.core.tensors import Rate
from doltap.errors import DataError, NotSupportedError
from doltap.optimizers.optimizer import Optimizer, Slots, zeros_like
from doltap.registry import Names

__all__ = ["SGD", "Adagrad", "Adam", "RMSprop", "deserialize", "get", "serialize"]

names = Names("optimizer")

Weight = Float[Array, "..."]
Moved = tuple[Weight, Slots]


@names.register()
class SGD(Optimizer):
    """Step against the gradient; with momentum, keep rolling.

    `weight - learning_rate * gradient`, or with momentum
    `velocity = momentum * velocity - learning_rate * gradient`.

    Args:
        momentum: share of the last step that is kept, 0 to 1.
        nesterov: look ahead along the velocity before stepping.

    Source: Sutskever et al., "On the importance of initialization and momentum" (2013).
    """

    def __init__(
        self,
        learning_rate: Any = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        name: str = "SGD",
        **keywords: Any,
    ) -> None:
        super().__init__(learning_rate, name, **keywords)
        _check_share("momentum", momentum, closed=True)
        self.nesterov = bool(nesterov)
        self.has_momentum = momentum != 0
        if self.has_momentum:
            self.rates["momentum"] = Rate(momentum, name="momentum")

    @property
    def momentum(self) -> float:
        """Share of the last step that is kept."""
        return round(float(self.rates["momentum"]), 7) if self.has_momentum else 0.0

    def slots(self, weight: Weight) -> Slots:
        """The velocity, where there is momentum."""
        return {"momentum": zeros_like(weight)} if self.has_momentum else {}

    def update(
        self, weight: Weight, gradient: Weight, slots: Slots, step: Any, rates: dict[str, Any]
    ) -> Moved:
        """One step."""
        push = gradient * rates["learning_rate"].astype(gradient.dtype)
        if not self.has_momentum:
            return weight - push, {}
        momentum = rates["momentum"].astype(gradient.dtype)
        velocity = momentum * slots["momentum"] - push
        return weight + (momentum * velocity - push if self.nesterov else velocity), {"momentum": velocity}

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        return {**super().get_config(), "momentum": self.momentum, "nesterov": self.nesterov}


@names.register()
class RMSprop(Optimizer):
    """Step in units of the gradient's recent size.

    Args:
        rho: share of the average of squared gradients that is kept at each step.
        momentum: share of the last step that is kept; 0 for none.
        epsilon: keeps the division finite.
        centered: divide by the spread instead of the size.

    Source: Hinton, "Neural Networks for Machine Learning", lecture 6 (2012).
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        name: str = "rmsprop",
        **keywords: Any,
    ) -> None:
        super().__init__(learning_rate, name, **keywords)
        _check_share("rho", rho)
        _check_share("momentum", momentum, closed=True)
        self.rho, self.momentum, self.epsilon, self.centered = rho, momentum, epsilon, bool(centered)

    def slots(self, weight: Weight) -> Slots:
        """The average square, and where asked for the velocity and the average."""
        wanted = {"velocity": True, "momentum": self.momentum > 0, "average_gradient": self.centered}
        return {name: zeros_like(weight) for name, is_wanted in wanted.items() if is_wanted}

    def update(
        self, weight: Weight, gradient: Weight, slots: Slots, step: Any, rates: dict[str, Any]
    ) -> Moved:
        """One step."""
        new = {"velocity": self.rho * slots["velocity"] + (1.0 - self.rho) * jnp.square(gradient)}
        size = new["velocity"] + self.epsilon
        if self.centered:
            average = self.rho * slots["average_gradient"] + (1.0 - self.rho) * gradient
            size = size - jnp.square(average)
        push = rates["learning_rate"].astype(gradient.dtype) * gradient / jnp.sqrt(size)
        if self.momentum > 0:
            push = new["momentum"] = self.momentum * slots["momentum"] + push
        if self.centered:
            new["average_gradient"] = average
        return weight - push, new

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        mine = {name: getattr(self, name) for name in ("rho", "momentum", "epsilon", "centered")}
        return {**super().get_config(), **mine}


@names.register()
class Adagrad(Optimizer):
    """Step less and less along the directions that moved much already.

    Args:
        initial_accumulator_value: where the sums of squared gradients start.
        epsilon: keeps the division finite.

    Source: Duchi et al., "Adaptive Subgradient Methods", JMLR 12 (2011).
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7,
        name: str = "adagrad",
        **keywords: Any,
    ) -> None:
        super().__init__(learning_rate, name, **keywords)
        if initial_accumulator_value < 0:
            raise DataError(
                "initial_accumulator_value",
                expected="a number of 0 or more",
                got=repr(initial_accumulator_value),
                fix="The usual one is 0.1.",
            )
        self.initial_accumulator_value, self.epsilon = initial_accumulator_value, epsilon

    def slots(self, weight: Weight) -> Slots:
        """The sum of squared gradients."""
        return {"accumulator": zeros_like(weight) + np.asarray(self.initial_accumulator_value, weight.dtype)}

    def update(
        self, weight: Weight, gradient: Weight, slots: Slots, step: Any, rates: dict[str, Any]
    ) -> Moved:
        """One step."""
        total = slots["accumulator"] + jnp.square(gradient)
        push = rates["learning_rate"].astype(gradient.dtype) * gradient / jnp.sqrt(total + self.epsilon)
        return weight - push, {"accumulator": total}

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        mine = {"initial_accumulator_value": self.initial_accumulator_value, "epsilon": self.epsilon}
        return {**super().get_config(), **mine}


@names.register()
class Adam(Optimizer):
    """Step along the average gradient, in units of its average size.

    Args:
        beta_1: share of the average gradient that is kept at each step.
        beta_2: share of the average squared gradient that is kept.
        epsilon: keeps the division finite.
        amsgrad: never let the average size shrink.

    Source: Kingma and Ba, "Adam" (2014); Reddi et al. (2018) for `amsgrad`.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        name: str = "adam",
        **keywords: Any,
    ) -> None:
        super().__init__(learning_rate, name, **keywords)
        _check_share("beta_1", beta_1)
        _check_share("beta_2", beta_2)
        self.beta_1, self.beta_2, self.epsilon, self.amsgrad = beta_1, beta_2, epsilon, bool(amsgrad)

    def slots(self, weight: Weight) -> Slots:
        """The average gradient and its average square."""
        wanted = ("momentum", "velocity", *(("velocity_hat",) if self.amsgrad else ()))
        return {name: zeros_like(weight) for name in wanted}

    def update(
        self, weight: Weight, gradient: Weight, slots: Slots, step: Any, rates: dict[str, Any]
    ) -> Moved:
        """One step."""
        correction = jnp.sqrt(1.0 - self.beta_2**step) / (1.0 - self.beta_1**step)
        alpha = (rates["learning_rate"] * correction).astype(gradient.dtype)
        average = slots["momentum"] + (gradient - slots["momentum"]) * (1.0 - self.beta_1)
        square = slots["velocity"] + (jnp.square(gradient) - slots["velocity"]) * (1.0 - self.beta_2)
        new = {"momentum": average, "velocity": square}
        if self.amsgrad:
            square = new["velocity_hat"] = jnp.maximum(slots["velocity_hat"], square)
        return weight - alpha * average / (jnp.sqrt(square) + self.epsilon), new

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        mine = {name: getattr(self, name) for name in ("beta_1", "beta_2", "epsilon", "amsgrad")}
        return {**super().get_config(), **mine}


def _check_share(name: str, value: Any, *, closed: bool = False) -> None:
    if (
        isinstance(value, bool)
        or not isinstance(value, (int, float))
        or not (0 <= value < 1 or (closed and value == 1))
    ):
        raise DataError(name, expected="a share from 0 to 1", got=repr(value), fix=f"For example {name}=0.9.")


def get(identifier: Any) -> Optimizer:
    """An optimizer object from a name, a class or a config."""
    made = names.make(identifier)
    if isinstance(made, Optimizer):
        return made
    raise NotSupportedError(
        "optimizer",
        expected="a name or an Optimizer",
        got=repr(identifier),
        fix="For example optimizer='adam'.",
    )


def serialize(optimizer: Optimizer) -> dict[str, Any]:
    """The optimizer as `{"class_name", "config"}`."""
    return {"class_name": type(optimizer).__name__, "config": optimizer.get_config()}


def deserialize(config: Any) -> Optimizer:
    """The optimizer that `serialize` wrote."""
    return get(config)
