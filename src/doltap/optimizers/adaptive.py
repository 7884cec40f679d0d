"""How one weight moves along an average of its gradients: Adam and its relatives.

A rule sees one array at a time and knows neither layers nor models; the walk
over all weights is `Optimizer.update_all`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from doltap import dtypes
from doltap.core.tensors import Variable
from doltap.errors import DataError
from doltap.optimizers import options
from doltap.optimizers.optimizer import Groups, Optimizer, Slots, names, zeros_like

__all__ = ["Adafactor", "Adam", "AdamW", "Adamax", "Lamb", "Lion", "Nadam"]

Weight = Float[Array, "..."]
Moved = tuple[Weight, Slots]


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

    slots_apart = ("velocity_hat",)

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **keywords: Any,
    ) -> None:
        super().__init__(learning_rate, **keywords)
        self.beta_1 = options.check_share("beta_1", beta_1)
        self.beta_2 = options.check_share("beta_2", beta_2)
        self.epsilon, self.amsgrad = options.checked_epsilon(epsilon), bool(amsgrad)

    def slots(self, weight: Variable) -> Slots:
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


@names.register()
class AdamW(Adam):
    """Adam whose weights also shrink, apart from the gradient.

    Args:
        weight_decay: share of the learning rate by which weights shrink at each step.

    Source: Loshchilov and Hutter, "Decoupled Weight Decay Regularization" (2019).
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **keywords: Any,
    ) -> None:
        options.needed_amount("weight_decay", weight_decay)
        super().__init__(
            learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay=weight_decay, **keywords
        )


class _TwoAverages(Optimizer):
    """What rules with two averages of Adam's kind have in common."""

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        **keywords: Any,
    ) -> None:
        super().__init__(learning_rate, **keywords)
        self.beta_1 = options.check_share("beta_1", beta_1)
        self.beta_2 = options.check_share("beta_2", beta_2)
        self.epsilon = options.checked_epsilon(epsilon)

    def slots(self, weight: Variable) -> Slots:
        """The average gradient and its average square."""
        return {"momentum": zeros_like(weight), "velocity": zeros_like(weight)}

    def moments(self, gradient: Weight, slots: Slots, beta_1: float, beta_2: float) -> Slots:
        """Both averages with this gradient in them."""
        average, square = slots["momentum"], slots["velocity"]
        return {
            "momentum": average + (gradient - average) * (1.0 - beta_1),
            "velocity": square + (jnp.square(gradient) - square) * (1.0 - beta_2),
        }

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        return {
            **super().get_config(),
            **{name: getattr(self, name) for name in ("beta_1", "beta_2", "epsilon")},
        }


@names.register()
class Adamax(_TwoAverages):
    """Adam in units of the largest gradient of late.

    Args:
        beta_1: share of the average gradient that is kept at each step.
        beta_2: share of the largest size that is kept.
        epsilon: keeps the division finite.

    Source: Kingma and Ba, "Adam" (2014), section 7.1.
    """

    def slots(self, weight: Variable) -> Slots:
        """The average gradient and its largest size."""
        return {"momentum": zeros_like(weight), "norm": zeros_like(weight)}

    def update(
        self, weight: Weight, gradient: Weight, slots: Slots, step: Any, rates: dict[str, Any]
    ) -> Moved:
        """One step."""
        rate = (rates["learning_rate"] / (1.0 - self.beta_1**step)).astype(gradient.dtype)
        average = slots["momentum"] + (gradient - slots["momentum"]) * (1.0 - self.beta_1)
        largest = jnp.maximum(self.beta_2 * slots["norm"], jnp.abs(gradient))
        return weight - rate * average / (largest + self.epsilon), {"momentum": average, "norm": largest}


@names.register()
class Nadam(_TwoAverages):
    """Adam that looks ahead along its average gradient, as Nesterov's momentum does.

    Args:
        beta_1: share of the average gradient that is kept at each step.
        beta_2: share of the average squared gradient that is kept.
        epsilon: keeps the division finite.

    Source: Dozat, "Incorporating Nesterov Momentum into Adam" (2016).
    """

    def build(self, variables: Iterable[Variable]) -> Groups:
        """The slots of each weight, and the product of all momenta so far."""
        if not self._shared:
            self._shared["u_product"] = Variable(1, dtype=dtypes.wide(), trainable=False, name="u_product")
        return super().build(variables)

    def update_shared(self, shared: Slots, step: Any, rates: dict[str, Any]) -> Slots:
        """The product with this step's momentum in it."""
        return {"u_product": shared["u_product"] * self._momentum(step)}

    def _momentum(self, step: Any) -> Any:
        return self.beta_1 * (1.0 - 0.5 * jnp.power(jnp.asarray(0.96, step.dtype), step))

    def update(
        self, weight: Weight, gradient: Weight, slots: Slots, step: Any, rates: dict[str, Any]
    ) -> Moved:
        """One step."""
        product, now, ahead = rates["u_product"], self._momentum(step), self._momentum(step + 1.0)
        of_average = (ahead / (1.0 - product * ahead)).astype(gradient.dtype)
        of_gradient = ((1.0 - now) / (1.0 - product)).astype(gradient.dtype)
        of_square = (1.0 - self.beta_2**step).astype(gradient.dtype)
        # Rounded as in the corrections above, so that one undoes what the other does.
        betas = (float(np.dtype(dtypes.wide()).type(beta)) for beta in (self.beta_1, self.beta_2))
        new = self.moments(gradient, slots, *betas)
        push = rates["learning_rate"].astype(gradient.dtype) * (
            of_average * new["momentum"] + of_gradient * gradient
        )
        return weight - push / (jnp.sqrt(new["velocity"] / of_square) + self.epsilon), new


@names.register()
class Lamb(_TwoAverages):
    """Adam whose steps are as long as a share of the weight itself: for very large batches.

    Args:
        beta_1: share of the average gradient that is kept at each step.
        beta_2: share of the average squared gradient that is kept.
        epsilon: keeps the division finite.

    Source: You et al., "Large Batch Optimization for Deep Learning" (2019).
    """

    def update(
        self, weight: Weight, gradient: Weight, slots: Slots, step: Any, rates: dict[str, Any]
    ) -> Moved:
        """One step."""
        of_average, of_square = (
            (1.0 - beta**step).astype(gradient.dtype) for beta in (self.beta_1, self.beta_2)
        )
        new = self.moments(gradient, slots, self.beta_1, self.beta_2)
        push = (new["momentum"] / of_average) / (jnp.sqrt(new["velocity"] / of_square) + self.epsilon)
        length, push_length = jnp.sqrt(jnp.sum(jnp.square(weight))), jnp.sqrt(jnp.sum(jnp.square(push)))
        both = (length > 0) & (push_length > 0)
        share = jnp.where(both, length / jnp.where(both, push_length, 1), 1).astype(gradient.dtype)
        return weight - share * rates["learning_rate"].astype(gradient.dtype) * push, new


@names.register()
class Lion(Optimizer):
    """Step by the learning rate in each direction, along the sign of an average.

    Args:
        beta_1: share of the average in the step, the rest is the gradient; above 0.
        beta_2: share of the average that is kept.

    Source: Chen et al., "Symbolic Discovery of Optimization Algorithms" (2023).
    """

    def __init__(
        self, learning_rate: Any = 0.001, beta_1: float = 0.9, beta_2: float = 0.99, **keywords: Any
    ) -> None:
        super().__init__(learning_rate, **keywords)
        self.beta_1 = options.check_closed_share("beta_1", beta_1)
        self.beta_2 = options.check_closed_share("beta_2", beta_2)
        if beta_1 == 0:
            raise DataError("beta_1", expected="a share above 0", got="0", fix="The usual one is 0.9.")

    def slots(self, weight: Variable) -> Slots:
        """The average gradient."""
        return {"momentum": zeros_like(weight)}

    def update(
        self, weight: Weight, gradient: Weight, slots: Slots, step: Any, rates: dict[str, Any]
    ) -> Moved:
        """One step."""
        average = slots["momentum"]
        direction = jnp.sign(average * self.beta_1 + gradient * (1.0 - self.beta_1))
        average = average * self.beta_2 + gradient * (1.0 - self.beta_2)
        return weight - rates["learning_rate"].astype(gradient.dtype) * direction, {"momentum": average}

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        return {**super().get_config(), "beta_1": self.beta_1, "beta_2": self.beta_2}


@names.register()
class Adafactor(Optimizer):
    """Adam that remembers of a matrix only the average squares of its rows and columns.

    Args:
        beta_2_decay: how fast the averages become slow: they keep `1 - step ** beta_2_decay`.
        epsilon_1: keeps the squares above 0.
        epsilon_2: the least size of a weight, of which a step is a share.
        clip_threshold: the largest root mean square of a step before the learning rate.
        relative_step: whether the rate also falls as `1 / sqrt(step)`.

    Source: Shazeer and Stern, "Adafactor" (2018).
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_2_decay: float = -0.8,
        epsilon_1: float = 1e-30,
        epsilon_2: float = 1e-3,
        clip_threshold: float = 1.0,
        relative_step: bool = True,
        **keywords: Any,
    ) -> None:
        super().__init__(learning_rate, **keywords)
        self.beta_2_decay, self.clip_threshold = beta_2_decay, clip_threshold
        self.epsilon_1 = options.needed_amount("epsilon_1", epsilon_1)
        self.epsilon_2 = options.needed_amount("epsilon_2", epsilon_2)
        self.relative_step = bool(relative_step)

    def slots(self, weight: Variable) -> Slots:
        """The average squares of rows and columns, where there are such, and of all numbers."""
        square = zeros_like(weight)
        if weight.ndim < 2:
            # Keras's files have numbers without meaning in these places.
            return {"row": np.int32(0), "column": np.int32(0), "velocity": square}
        return {"row": square[..., 0], "column": square[..., 0, :], "velocity": square}

    def update(
        self, weight: Weight, gradient: Weight, slots: Slots, step: Any, rates: dict[str, Any]
    ) -> Moved:
        """One step."""
        # Keras compares with `1 / sqrt(step)` whether or not the step is said to be relative.
        rate = jnp.minimum(rates["learning_rate"], 1.0 / jnp.sqrt(step)).astype(gradient.dtype)
        kept = (1.0 - jnp.power(step, self.beta_2_decay)).astype(gradient.dtype)
        square = jnp.square(gradient) + self.epsilon_1
        new = dict(slots)
        if weight.ndim >= 2:
            new["row"] = row = kept * slots["row"] + (1 - kept) * jnp.mean(square, axis=-1)
            new["column"] = column = kept * slots["column"] + (1 - kept) * jnp.mean(square, axis=-2)
            share = row / jnp.mean(row, axis=-1, keepdims=True)
            new["velocity"] = share[..., None] * column[..., None, :]
        else:
            new["velocity"] = kept * slots["velocity"] + (1 - kept) * square
        push = gradient / jnp.sqrt(new["velocity"])
        push = push / jnp.maximum(1.0, _root_mean_square(push) / self.clip_threshold)
        return weight - jnp.maximum(self.epsilon_2, _root_mean_square(weight)) * rate * push, new

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        mine = ("beta_2_decay", "epsilon_1", "epsilon_2", "clip_threshold", "relative_step")
        return {**super().get_config(), **{name: getattr(self, name) for name in mine}}


def _root_mean_square(array: Weight) -> Any:
    return jnp.sqrt(jnp.mean(jnp.square(array)))
