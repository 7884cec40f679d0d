"""An optimizer around another one: the loss is made larger, as far as the gradients bear it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from doltap import dtypes
from doltap.core.tensors import Variable
from doltap.errors import DataError
from doltap.optimizers import finding, options
from doltap.optimizers.optimizer import Groups, Optimizer, Slots, names

__all__ = ["LossScaleOptimizer"]


@names.register()
class LossScaleOptimizer(Optimizer):
    """Half precision without lost gradients: the loss is scaled up, the gradients down again.

    A step whose gradients are not finite is left out, and the scale halved;
    after `dynamic_growth_steps` good steps it is doubled.

    Args:
        inner_optimizer: the optimizer that moves the weights.
        initial_scale: how many times larger the loss is at first.
        dynamic_growth_steps: good steps in a row before the scale is doubled.

    Source: Micikevicius et al., "Mixed Precision Training" (2017).
    """

    def __init__(
        self,
        inner_optimizer: Any,
        initial_scale: float = 2.0**15,
        dynamic_growth_steps: int = 2000,
        name: str | None = None,
        **keywords: Any,
    ) -> None:
        self.inner_optimizer = finding.get(inner_optimizer)
        # The options belong to the inner optimizer; files of older Kerases name them here, too.
        given = [key for key, value in keywords.items() if value not in (None, False, 0.99)]
        if given:
            raise DataError(
                "LossScaleOptimizer",
                expected="options at the inner optimizer",
                got=f"{given[0]}=",
                fix=f"Write LossScaleOptimizer(Adam({given[0]}=...)).",
            )
        super().__init__(0.0, name=name, **keywords)
        if not initial_scale > 0 or dynamic_growth_steps < 1:
            raise DataError(
                "LossScaleOptimizer",
                expected="initial_scale above 0 and dynamic_growth_steps of 1 or more",
                got=f"{initial_scale!r} and {dynamic_growth_steps!r}",
                fix="Leave them out to take Keras's.",
            )
        self.initial_scale, self.dynamic_growth_steps = float(initial_scale), dynamic_growth_steps
        self.inner_optimizer.loss_scale_factor = None
        self.scales_loss, self.use_ema = True, self.inner_optimizer.use_ema
        # A place in Keras's files that nothing reads.
        self._unused_rate = self.rates["learning_rate"]
        inner = self.inner_optimizer
        self.rates, self._slots = inner.rates, inner._slots
        # A step that was left out counts for the order of the data, but not for the inner optimizer.
        self.iterations = options.Iterations(self._count, inner.iterations)
        self._shared = {
            "step_counter": Variable(np.int32(0), dtype="int32", trainable=False, name="step_counter"),
            "dynamic_scale": Variable(
                np.float32(initial_scale), dtype="float32", trainable=False, name="dynamic_scale"
            ),
            "iterations": inner._count,
        }

    def build(self, variables: Iterable[Variable]) -> Groups:
        """The slots of the inner optimizer, then the scale and what it depends on."""
        self._moved, self.built = list(variables), True
        return [*self.inner_optimizer.build(self._moved), self._shared]

    def groups_of(self, variables: Iterable[Variable]) -> Groups:
        """The slots of some of the weights it was built with."""
        return [*self.inner_optimizer.groups_of(variables), self._shared]

    def update_all(
        self,
        weights: Sequence[Any],
        gradients: Sequence[Any],
        slots: Sequence[Slots],
        step: Any,
        rates: dict[str, Any],
        around: Any = None,
    ) -> tuple[list[Any], Groups]:
        """All weights and slots after one step, or as they were if a gradient is not finite."""
        *groups, own = slots
        scale = own["dynamic_scale"]

        def move() -> tuple[list[Any], Groups]:
            true = [gradient / scale.astype(gradient.dtype) for gradient in gradients]
            moved, new = self.inner_optimizer.update_all(weights, true, groups, own["iterations"], rates)
            grows = own["step_counter"] == self.dynamic_growth_steps - 1
            mine = {
                "step_counter": jnp.where(grows, 0, own["step_counter"] + 1),
                "dynamic_scale": jnp.where(grows, scale * 2.0, scale),
                "iterations": own["iterations"] + 1,
            }
            return moved, [*new, mine]

        def skip() -> tuple[list[Any], Groups]:
            mine = {**own, "step_counter": jnp.zeros_like(own["step_counter"]), "dynamic_scale": scale * 0.5}
            return list(weights), [*groups, mine]

        is_finite = [jnp.all(jnp.isfinite(gradient)) for gradient in gradients]
        return jax.lax.cond(jnp.all(jnp.stack(is_finite)), move, skip)

    def scaled_loss(self, loss: Any, slots: Groups) -> Any:
        """The loss that is differentiated, whose gradients `update_all` takes."""
        loss = jnp.asarray(loss)
        # The scale is near the largest number of half precision.
        return loss.astype(dtypes.widened(loss.dtype)) * slots[-1]["dynamic_scale"]

    @property
    def learning_rate(self) -> Any:
        """The inner optimizer's learning rate."""
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        self.inner_optimizer.learning_rate = value

    lr = learning_rate

    @property
    def variables(self) -> list[Variable]:
        """The step count, the scale and its count, then those of the inner optimizer."""
        own = [self._shared["step_counter"], self._shared["dynamic_scale"]]
        return [self._count, self._unused_rate, *own, *self.inner_optimizer.variables]

    def exclude_from_weight_decay(
        self, var_list: Sequence[Variable] | None = None, var_names: Sequence[str] | None = None
    ) -> None:
        """Leave some weights out of the inner optimizer's weight decay."""
        self.inner_optimizer.exclude_from_weight_decay(var_list, var_names)

    def averages(self) -> list[tuple[Variable, Variable]]:
        """Each weight with the inner optimizer's moving average of it."""
        return self.inner_optimizer.averages()

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """Put the inner optimizer's moving averages in the place of the weights."""
        self.inner_optimizer.finalize_variable_values(var_list)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        return {
            "name": self.name,
            "inner_optimizer": finding.serialize(self.inner_optimizer),
            "initial_scale": self.initial_scale,
            "dynamic_growth_steps": self.dynamic_growth_steps,
        }
