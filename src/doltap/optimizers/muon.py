"""How a matrix moves by its gradient made orthogonal; everything else moves as with Adam."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

from doltap.core.tensors import Variable
from doltap.optimizers import options
from doltap.optimizers.optimizer import Optimizer, Slots, names, zeros_like

__all__ = ["Muon"]

Weight = Float[Array, "..."]
Matrix = Float[Array, "rows columns"]
Moved = tuple[Weight, Slots]


@names.register()
class Muon(Optimizer):
    """Step along the momentum of a matrix, made orthogonal; other weights step as with AdamW.

    Args:
        adam_beta_1, adam_beta_2, adam_weight_decay, epsilon: AdamW's, for what is no matrix.
        weight_decay: share of the learning rate by which matrices shrink at each step.
        exclude_layers: patterns; matrices in whose name one is found step as with AdamW.
        exclude_embeddings: whether those of embeddings do, too.
        muon_a, muon_b, muon_c: coefficients of the polynomial that makes a matrix orthogonal.
        adam_lr_ratio: AdamW's learning rate as a multiple of the learning rate.
        momentum: share of the average gradient of a matrix that is kept at each step.
        ns_steps: how often the polynomial is applied.
        nesterov: look ahead along the momentum before stepping.
        rms_rate: size of a number in the step, so that the rates of AdamW fit; None leaves it.

    Source: Jordan et al., "Muon" (2024); Liu et al., "Muon is Scalable for LLM Training" (2025).
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        adam_beta_1: float = 0.9,
        adam_beta_2: float = 0.999,
        adam_weight_decay: float | None = 0.004,
        epsilon: float = 1e-7,
        weight_decay: float | None = 0.004,
        exclude_layers: Sequence[str] | None = None,
        exclude_embeddings: bool = True,
        muon_a: float = 3.4445,
        muon_b: float = -4.7750,
        muon_c: float = 2.0315,
        adam_lr_ratio: float = 1,
        momentum: float = 0.95,
        ns_steps: int = 5,
        nesterov: bool = True,
        rms_rate: float | None = 0.2,
        **keywords: Any,
    ) -> None:
        super().__init__(learning_rate, weight_decay=weight_decay, **keywords)
        self.adam_beta_1 = options.check_share("adam_beta_1", adam_beta_1)
        self.adam_beta_2 = options.check_share("adam_beta_2", adam_beta_2)
        self.adam_weight_decay, self.epsilon = adam_weight_decay, options.checked_epsilon(epsilon)
        self.exclude_layers, self.exclude_embeddings = list(exclude_layers or ()), bool(exclude_embeddings)
        self.muon_a, self.muon_b, self.muon_c = muon_a, muon_b, muon_c
        self.adam_lr_ratio = options.needed_amount("adam_lr_ratio", adam_lr_ratio)
        self.momentum = options.check_closed_share("momentum", momentum)
        self.ns_steps, self.nesterov, self.rms_rate = ns_steps, bool(nesterov), rms_rate

    adam_weight_decay = options.rate_property(
        "adam_weight_decay", options.checked_amount, "The weight decay of what is no matrix."
    )

    def steps_as_adam(self, weight: Variable) -> bool:
        """Whether the weight is none for an orthogonal step."""
        if weight.ndim != 2 or (self.exclude_embeddings and "embedding" in weight.name.lower()):
            return True
        return any(re.search(pattern, weight.name) for pattern in self.exclude_layers)

    def decay_of(self, weight: Variable) -> str | None:
        """The name of the rate by which a weight decays; None where it does not."""
        wanted = "adam_weight_decay" if self.steps_as_adam(weight) else "weight_decay"
        return wanted if wanted in self.rates and not self.is_undecayed(weight) else None

    def slots(self, weight: Variable) -> Slots:
        """The momentum, and for Adam the average squared gradient."""
        velocity = {"velocity": zeros_like(weight)} if self.steps_as_adam(weight) else {}
        return {"momentum": zeros_like(weight), **velocity}

    def update(
        self, weight: Weight, gradient: Weight, slots: Slots, step: Any, rates: dict[str, Any]
    ) -> Moved:
        """One step."""
        if "velocity" in slots:
            return self._update_as_adam(weight, gradient, slots, step, rates)
        average = self.momentum * slots["momentum"] + gradient
        ahead = gradient + self.momentum * average if self.nesterov else average
        rate = rates["learning_rate"].astype(gradient.dtype)
        size = 1.0 if self.rms_rate is None else max(weight.shape) ** 0.5 * self.rms_rate
        return weight - rate * size * self._orthogonal(ahead), {"momentum": average}

    def _orthogonal(self, matrix: Matrix) -> Matrix:
        """The nearest matrix with singular values of about 1, by Newton's and Schulz's iteration."""
        is_high = matrix.shape[0] > matrix.shape[1]
        x = matrix.T if is_high else matrix
        x = x / (jnp.sqrt(jnp.sum(jnp.square(x))) + 1e-7)
        for _ in range(self.ns_steps):
            square = x @ x.T
            x = self.muon_a * x + (self.muon_b * square + self.muon_c * square @ square) @ x
        return x.T if is_high else x

    def _update_as_adam(
        self, weight: Weight, gradient: Weight, slots: Slots, step: Any, rates: dict[str, Any]
    ) -> Moved:
        correction = jnp.sqrt(1.0 - self.adam_beta_2**step) / (1.0 - self.adam_beta_1**step)
        alpha = (rates["learning_rate"] * self.adam_lr_ratio * correction).astype(gradient.dtype)
        average = slots["momentum"] + (gradient - slots["momentum"]) * (1.0 - self.adam_beta_1)
        square = slots["velocity"] + (jnp.square(gradient) - slots["velocity"]) * (1.0 - self.adam_beta_2)
        new = {"momentum": average, "velocity": square}
        return weight - alpha * average / (jnp.sqrt(square) + self.epsilon), new

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        mine = (
            *("adam_beta_1", "adam_beta_2", "adam_weight_decay", "epsilon"),
            *("exclude_layers", "exclude_embeddings", "muon_a", "muon_b", "muon_c"),
            *("adam_lr_ratio", "momentum", "ns_steps", "nesterov", "rms_rate"),
        )
        return {**super().get_config(), **{name: getattr(self, name) for name in mine}}
