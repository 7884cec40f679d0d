"""The object users hold: it counts steps, keeps the rate and remembers the slots.

What one weight does with its gradient is the business of the rules; the walk
over all weights is written once, here, as a pure function.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from doltap import old_names
from doltap.core.tensors import Rate, Variable
from doltap.errors import DataError, NotSupportedError
from doltap.registry import Configured, arguments_of, check_arguments, snake_case

__all__ = ["Optimizer"]

Slots = dict[str, Any]


class Optimizer(Configured):
    """Moves weights against their gradients.

    A rule overrides `slots(weight)`, which gives the arrays it wants to remember
    for a weight, and `update(weight, gradient, slots, step, rates)`.

    Args:
        learning_rate: how far a step goes. `lr=` is the older word for it.
    """

    def __init__(self, learning_rate: Any = 0.001, name: str | None = None, **keywords: Any) -> None:
        modern = old_names.translate("optimizer", keywords)
        learning_rate = modern.pop("learning_rate", learning_rate)
        check_arguments(type(self).__name__, modern, arguments_of(type(self)))
        self.name = name or snake_case(type(self).__name__)
        self.iterations = Variable(np.int32(0), dtype="int32", trainable=False, name="iterations")
        # The numbers that may change while training, by name.
        self.rates = {"learning_rate": Rate(_checked_rate(self.name, learning_rate), name="learning_rate")}
        self._slots: dict[Variable, dict[str, Variable]] = {}
        self._moved: list[Variable] = []

    # What a rule overrides.

    def slots(self, weight: Any) -> Slots:
        """The arrays to remember for a weight, as they are before the first step."""
        return {}

    def update(self, weight: Any, gradient: Any, slots: Slots, step: Any, rates: dict[str, Any]) -> Any:
        """The weight and its slots after one step.

        Args:
            step: number of this step, from 1, as a float.
            rates: the numbers that may change while training, by name.
        """
        raise NotSupportedError(
            f"optimizer '{self.name}'",
            expected="a method update(self, weight, gradient, slots, step, rates)",
            got=f"none in class {type(self).__name__}",
            fix="Define it; it returns the weight and the slots after one step.",
        )

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        return {"name": self.name, "learning_rate": float(self.learning_rate)}

    # The walk over all weights.

    def update_all(
        self,
        weights: Sequence[Any],
        gradients: Sequence[Any],
        slots: Sequence[Slots],
        step: Any,
        rates: dict[str, Any],
    ) -> tuple[list[Any], list[Slots]]:
        """All weights and slots after one step; a pure function of arrays.

        Args:
            step: how many steps came before.
        """
        number = (step + 1).astype(jnp.float32)
        moved = [
            self.update(weight, gradient, slot, number, rates)
            for weight, gradient, slot in zip(weights, gradients, slots, strict=True)
        ]
        return [weight for weight, _ in moved], [slot for _, slot in moved]

    # What users hold.

    @property
    def learning_rate(self) -> Rate:
        """How far a step goes; set it to any number at any time, also in the middle of training."""
        return self.rates["learning_rate"]

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        self.rates["learning_rate"].assign(np.float32(_checked_rate(self.name, value)))

    lr = learning_rate

    def build(self, weights: Iterable[Variable]) -> list[dict[str, Variable]]:
        """The slots of each weight, in order, made for those seen for the first time."""
        self._moved = list(weights)
        for weight in self._moved:
            if weight not in self._slots:
                start = self.slots(weight.array)
                self._slots[weight] = {
                    name: Variable(array, dtype=weight.dtype, trainable=False, name=f"{weight.name}_{name}")
                    for name, array in start.items()
                }
        return [self._slots[weight] for weight in self._moved]

    @property
    def is_built(self) -> bool:
        """Whether there are slots, because it was used."""
        return bool(self._moved)

    @property
    def variables(self) -> list[Variable]:
        """The step count, the learning rate, then the slots of the weights in order."""
        slots = [slot for weight in self._moved for slot in self._slots[weight].values()]
        return [self.iterations, self.learning_rate, *slots]

    def apply_gradients(self, gradients_and_weights: Iterable[tuple[Any, Variable]]) -> Variable:
        """Move each weight by its gradient: one step, outside `fit`."""
        pairs = list(gradients_and_weights)
        slots = self.build([weight for _, weight in pairs])
        weights, moved_slots = self.update_all(
            [weight.read() for _, weight in pairs],
            [jnp.asarray(gradient) for gradient, _ in pairs],
            [{name: slot.read() for name, slot in slot_group.items()} for slot_group in slots],
            self.iterations.read(),
            {name: rate.read() for name, rate in self.rates.items()},
        )
        for (_, variable), array in zip(pairs, weights, strict=True):
            variable.assign(array)
        for slot_group, arrays in zip(slots, moved_slots, strict=True):
            for name, slot in slot_group.items():
                slot.assign(arrays[name])
        return self.iterations.assign_add(1)

    def apply(self, gradients: Sequence[Any], weights: Sequence[Variable]) -> Variable:
        """Keras 3's other order of `apply_gradients`."""
        return self.apply_gradients(zip(gradients, weights, strict=True))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} learning_rate={float(self.learning_rate):g}>"


def zeros_like(weight: Any) -> np.ndarray:
    """A slot of zeros for a weight, made on the host so that nothing is compiled."""
    return np.zeros(weight.shape, jax.dtypes.canonicalize_dtype(weight.dtype))


def _checked_rate(name: str, value: Any) -> float:
    if callable(value) and not hasattr(value, "__float__"):
        raise NotSupportedError(
            f"optimizer '{name}'",
            expected="a number as learning_rate",
            got=f"{type(value).__name__}",
            fix="Learning-rate schedules are not there yet; set optimizer.learning_rate in a callback.",
        )
    if isinstance(value, (bool, str)) or value is None or not np.isfinite(float(value)) or float(value) < 0:
        raise DataError(
            f"optimizer '{name}'",
            expected="a learning_rate of 0 or more",
            got=repr(value),
            fix="For example learning_rate=0.01.",
        )
    return float(value)
