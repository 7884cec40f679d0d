"""How one weight moves, given its gradient: the rules that keep no average of the gradient.

A rule sees one array at a time and knows neither layers nor models; the walk
over all weights is `Optimizer.update_all`.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from doltap.core.tensors import Variable
from doltap.errors import DataError
from doltap.optimizers import options
from doltap.optimizers.optimizer import Optimizer, Slots, names, zeros_like

__all__ = ["SGD", "Adadelta", "Adagrad", "Ftrl", "RMSprop"]

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
        **keywords: Any,
    ) -> None:
        super().__init__(learning_rate, **keywords)
        self.momentum, self.nesterov = momentum, bool(nesterov)

    momentum = options.rate_property(
        "momentum", options.check_closed_share, "Share of the last step that is kept.", absent=0.0
    )

    def slots(self, weight: Variable) -> Slots:
        """The velocity, where there is momentum."""
        return {"momentum": zeros_like(weight)} if "momentum" in self.rates else {}

    def update(
        self, weight: Weight, gradient: Weight, slots: Slots, step: Any, rates: dict[str, Any]
    ) -> Moved:
        """One step."""
        push = gradient * rates["learning_rate"].astype(gradient.dtype)
        if "momentum" not in rates:
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

    slots_apart = ("momentum", "average_gradient")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        **keywords: Any,
    ) -> None:
        super().__init__(learning_rate, **keywords)
        self.rho = options.check_share("rho", rho)
        self.momentum = options.check_closed_share("momentum", momentum)
        self.epsilon, self.centered = options.checked_epsilon(epsilon), bool(centered)

    def slots(self, weight: Variable) -> Slots:
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
        **keywords: Any,
    ) -> None:
        super().__init__(learning_rate, **keywords)
        self.initial_accumulator_value = options.needed_amount(
            "initial_accumulator_value", initial_accumulator_value
        )
        self.epsilon = options.checked_epsilon(epsilon)

    def slots(self, weight: Variable) -> Slots:
        """The sum of squared gradients."""
        return {"accumulator": filled_like(weight, self.initial_accumulator_value)}

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
class Adadelta(Optimizer):
    """Step as far as the last steps went, in units of the gradient's recent size.

    Args:
        rho: share of both averages that is kept at each step.
        epsilon: keeps the division finite, and makes the first step.

    Source: Zeiler, "ADADELTA" (2012), where learning_rate is 1.
    """

    def __init__(
        self, learning_rate: Any = 0.001, rho: float = 0.95, epsilon: float = 1e-7, **keywords: Any
    ) -> None:
        super().__init__(learning_rate, **keywords)
        self.rho = options.check_share("rho", rho)
        self.epsilon = options.checked_epsilon(epsilon)

    def slots(self, weight: Variable) -> Slots:
        """The average squares of the gradient and of the steps."""
        return {"accumulated_grad": zeros_like(weight), "accumulated_delta_var": zeros_like(weight)}

    def update(
        self, weight: Weight, gradient: Weight, slots: Slots, step: Any, rates: dict[str, Any]
    ) -> Moved:
        """One step."""
        rho, epsilon = self.rho, self.epsilon
        square = rho * slots["accumulated_grad"] + (1.0 - rho) * jnp.square(gradient)
        travelled = slots["accumulated_delta_var"]
        push = jnp.sqrt(travelled + epsilon) * gradient / jnp.sqrt(square + epsilon)
        travelled = rho * travelled + (1.0 - rho) * jnp.square(push)
        rate = rates["learning_rate"].astype(gradient.dtype)
        return weight - rate * push, {"accumulated_grad": square, "accumulated_delta_var": travelled}

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        return {**super().get_config(), "rho": self.rho, "epsilon": self.epsilon}


@names.register()
class Ftrl(Optimizer):
    """Follow the regularized leader: weights of little use become exactly 0.

    Args:
        learning_rate_power: how the steps shrink with the sum of squared gradients, 0 or less.
        initial_accumulator_value: where those sums start.
        l1_regularization_strength: how readily a weight becomes 0.
        l2_regularization_strength: how strongly large weights are held back.
        l2_shrinkage_regularization_strength: the same, as a part of the gradient.
        beta: the constant of the paper's formula.

    Source: McMahan et al., "Ad Click Prediction: a View from the Trenches" (2013).
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
        **keywords: Any,
    ) -> None:
        super().__init__(learning_rate, **keywords)
        if learning_rate_power > 0:
            raise DataError(
                "learning_rate_power",
                expected="a number of 0 or less",
                got=repr(learning_rate_power),
                fix="The usual one is -0.5.",
            )
        self.learning_rate_power, self.beta = learning_rate_power, beta
        amount = options.needed_amount
        self.initial_accumulator_value = amount("initial_accumulator_value", initial_accumulator_value)
        self.l1_regularization_strength = amount("l1_regularization_strength", l1_regularization_strength)
        self.l2_regularization_strength = amount("l2_regularization_strength", l2_regularization_strength)
        self.l2_shrinkage_regularization_strength = amount(
            "l2_shrinkage_regularization_strength", l2_shrinkage_regularization_strength
        )

    def slots(self, weight: Variable) -> Slots:
        """The sum of squared gradients, and the linear part of the objective."""
        start = self.initial_accumulator_value
        return {"accumulator": filled_like(weight, start), "linear": zeros_like(weight)}

    def update(
        self, weight: Weight, gradient: Weight, slots: Slots, step: Any, rates: dict[str, Any]
    ) -> Moved:
        """One step."""
        rate = rates["learning_rate"].astype(gradient.dtype)
        before, total = slots["accumulator"], slots["accumulator"] + jnp.square(gradient)
        power_before, power = (jnp.power(sums, -self.learning_rate_power) for sums in (before, total))
        pull = gradient + 2.0 * self.l2_shrinkage_regularization_strength * weight
        linear = slots["linear"] + pull - (power - power_before) / rate * weight
        ridge = self.l2_regularization_strength + self.beta / (2.0 * rate)
        most = self.l1_regularization_strength
        weight = (jnp.clip(linear, -most, most) - linear) / (power / rate + 2.0 * ridge)
        return weight, {"accumulator": total, "linear": linear}

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        kinds = ("l1_regularization", "l2_regularization", "l2_shrinkage_regularization")
        mine = ("learning_rate_power", "initial_accumulator_value", *(f"{kind}_strength" for kind in kinds))
        return {**super().get_config(), **{name: getattr(self, name) for name in (*mine, "beta")}}


def filled_like(weight: Variable, value: float) -> np.ndarray:
    """A slot for a weight that starts at a number."""
    return np.full_like(zeros_like(weight), value)
