"""An optimizer made of Optax's pure functions: `init` gives its state, `update` the steps.

Nothing of Optax is imported; whatever has these two functions will do.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from doltap.core.tensors import Variable
from doltap.errors import NotSupportedError
from doltap.optimizers.optimizer import Groups, Optimizer

__all__ = ["OptaxOptimizer"]


class OptaxOptimizer(Optimizer):
    """Moves weights as a gradient transformation of Optax says.

    The learning rate is the transformation's own business: give it a schedule
    there. `model.compile(optimizer=optax.adam(1e-3))` makes one of these.

    Args:
        transformation: anything with the functions `init` and `update` of Optax.
    """

    moves_together = True

    def __init__(self, transformation: Any, name: str | None = None) -> None:
        super().__init__(name=name)
        self.rates = {}
        self.transformation = transformation
        self._structure: Any = None

    def build(self, variables: Iterable[Variable]) -> Groups:
        """One group of slots for each weight, all empty, then the leaves of the state."""
        variables = list(variables)
        if self._structure is None or [*map(id, self._slots)] != [*map(id, variables)]:
            start = self.transformation.init([variable.read() for variable in variables])
            leaves, self._structure = jax.tree.flatten(start)
            arrays = {str(place): np.asarray(leaf) for place, leaf in enumerate(leaves)}
            self._slots = {}
            self._shared = {
                place: Variable(array, dtype=array.dtype, trainable=False, name=f"state_{place}")
                for place, array in arrays.items()
            }
        return super().build(variables)

    def move_together(
        self, weights: list[Any], gradients: list[Any], slots: Groups, step: Any, rates: dict[str, Any]
    ) -> tuple[list[Any], Groups]:
        """All weights and slots after one step."""
        groups, shared = slots[: len(weights)], slots[len(weights) :]
        old = [shared[0][place] for place in self._shared] if shared else []
        state = jax.tree.unflatten(self._structure, old)
        steps, state = self.transformation.update(list(gradients), state, list(weights))
        moved = [
            jnp.asarray(weight + push, weight.dtype) for weight, push in zip(weights, steps, strict=True)
        ]
        leaves = jax.tree.leaves(state)
        new = [jnp.asarray(leaf, before.dtype) for leaf, before in zip(leaves, old, strict=True)]
        return moved, [*groups, *([dict(zip(self._shared, new, strict=True))] if shared else [])]

    @property
    def learning_rate(self) -> Any:
        """There is none: it belongs to the transformation."""
        raise self._no(
            "a learning_rate",
            "Give the transformation a schedule: optax.adam(optax.cosine_decay_schedule(...)).",
        )

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        raise self._no(
            "a learning_rate",
            "Give the transformation a schedule: optax.adam(optax.cosine_decay_schedule(...)).",
        )

    lr = learning_rate

    def get_config(self) -> dict[str, Any]:
        """There is none: functions cannot be written down."""
        raise self._no("a config", "Save the weights alone, and compile the model again after loading.")

    def _no(self, what: str, cure: str) -> NotSupportedError:
        return NotSupportedError(
            f"optimizer '{self.name}'", expected=f"an optimizer that has {what}", got="one of Optax", fix=cure
        )

    def __repr__(self) -> str:
        return f"<OptaxOptimizer {type(self.transformation).__name__}>"
