"""Layers that disturb their input in training only."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from doltap import old_names
from doltap.core.layer import Layer
from doltap.core.tensors import Rate
from doltap.errors import DataError
from doltap.random import SeedGenerator

__all__ = ["Dropout"]


class Dropout(Layer):
    """Sets a share of the inputs to zero in training and scales up the others.

    Args:
        rate: share of the inputs that is dropped, from 0 up to but not including 1.
        noise_shape: shape of the mask where it is shared along dimensions, with
            None for a length taken from the input; None for a mask of the input's shape.
        seed: an integer to draw the masks from; None takes the model's.

    Source: Srivastava et al., "Dropout", JMLR 15 (2014).
    """

    def __init__(self, rate: Any = None, noise_shape: Any = None, seed: Any = None, **keywords: Any) -> None:
        modern = old_names.translate("dropout", keywords)
        rate = modern.pop("rate", rate)
        super().__init__(**modern)
        self._rate = Rate(_checked_rate(self.name, rate))
        self.noise_shape = noise_shape
        self.seed = seed
        self.seed_generator = SeedGenerator(seed)

    @property
    def rate(self) -> float:
        """The share that is dropped; it may be set while training."""
        return round(float(self._rate), 7)

    @rate.setter
    def rate(self, value: float) -> None:
        self._rate.assign(np.float32(_checked_rate(self.name, value)))

    def call(self, inputs: Any, training: bool = False) -> Any:
        """The inputs, thinned out when training."""
        inputs = inputs.astype(self.dtype)
        if not training or self._rate.is_zero:
            return inputs
        rate = self._rate.read()
        own = self.noise_shape or inputs.shape
        shape = tuple(have if size is None else size for size, have in zip(own, inputs.shape, strict=True))
        kept = jax.random.uniform(self.seed_generator.next(), shape) >= rate
        # At rate 1 nothing is kept; the guard keeps 0/0 out of the gradient.
        scale = 1.0 / jnp.maximum(1.0 - rate, jnp.finfo(jnp.float32).tiny)
        return jnp.where(kept, inputs * scale.astype(inputs.dtype), jnp.zeros((), inputs.dtype))

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """The input's own shape."""
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        return {
            **super().get_config(),
            "rate": self.rate,
            "seed": self.seed,
            "noise_shape": self.noise_shape,
        }


def _checked_rate(name: str, rate: Any) -> float:
    if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not 0 <= rate <= 1:
        raise DataError(
            f"layer '{name}'",
            expected="a rate from 0 to 1",
            got=repr(rate),
            fix="Dropout(0.2) drops every fifth input.",
        )
    return float(rate)
