"""A `train_step(self, data)` of the user's own, with a tape in it, as `fit` takes it.

It becomes part of the compiled program where it can: weights, slots and totals
are lent, tensors hold tracers, and what was assigned is the new state. A step
that looks at values, or moves what no model owns, such as the slots of a
second optimizer, is run line by line; what it calls is compiled all the same.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import jax

from doltap import random
from doltap.compat.tensorflow import calls
from doltap.compat.tensorflow.recording import silently
from doltap.compat.tensorflow.tape import GradientTape
from doltap.compat.tensorflow.tensor import Tensor, as_tensor, unwrapped
from doltap.core.layer import Layer
from doltap.core.tensors import Variable, lend, unchanged
from doltap.metrics import Metric
from doltap.optimizers import Optimizer
from doltap.training import steps
from doltap.training.batches import Rows
from doltap.training.objective import Objective
from doltap.training.program import Batch, Given, State

__all__ = ["CompiledMetrics", "TapeStep", "loss_of", "usual_step"]


class TapeStep(steps.OwnStep):
    """A step that is given the data, and assigns what it changes."""

    def _run(self, state: State, given: Given, batch: Batch) -> tuple[State, dict[str, Any]]:
        recipe = self.recipe
        groups = ((recipe.weights, state.weights), (recipe.fixed, state.fixed), (recipe.totals, state.totals))
        held = {variable: array for group in groups for variable, array in zip(*group, strict=True)}
        held.update(zip(recipe.rates, given.rates[1], strict=True))
        if self.variables:
            held.update(self._optimizer_arrays(state, given))
        with lend(list(held), list(held.values())) as loan, random.key_scope(given.seed, state.step):
            with silently(True):
                logs = unwrapped(self.step(_data(batch)))
            self._forget_losses()
            weights, fixed, totals = ([loan[one] for one in group] for group, _ in groups)
            slots = [{key: loan[slot] for key, slot in group.items()} for group in recipe.slots]
        logs = dict(steps.flat_logs(logs if isinstance(logs, dict) else {}))
        return State(weights, fixed, slots, totals, state.step + 1), logs

    def _forget_losses(self) -> None:
        # They belong to the program.
        for layer in (self.model, *self.model.inside(Layer)):
            layer._losses = []

    def find_names(self, rows: Rows) -> list[str]:
        """The names of the logs; and whether the step can be part of a program is found out."""
        recipe, fixed = self.recipe, list(self.recipe.fixed)
        if not recipe.is_eager and (found := self._traced_names(rows)) is not None:
            return found
        with unchanged():
            # If something is wrong with the step itself, it shows here. Optimizers get their slots.
            found = list(self._run(*self._beginning(rows))[1])
        recipe.fixed = [*fixed, *self._left_out()]
        if recipe.is_eager or self._traced_names(rows) is None:
            recipe.fixed, recipe.is_eager = fixed, True
        return found

    def _traced_names(self, rows: Rows) -> list[str] | None:
        """The names of the logs; None if the step cannot be part of a program."""
        try:
            return super().find_names(rows)
        except Exception:
            return None

    def _left_out(self) -> Iterator[Variable]:
        """What the step may assign beside the model's own: slots of other optimizers, and other totals."""
        known = {*self.variables, *self.recipe.fixed, *self.recipe.totals}
        holders = [*self.model.inside(Optimizer), *self.model.inside(Metric)]
        for variable in dict.fromkeys(one for holder in holders for one in holder.variables):
            if variable not in known:
                yield variable

    def predict(self, weights: list[Any], fixed: list[Any], x: Any) -> Any:
        """What a step of prediction gives."""
        recipe = self.recipe
        with lend([*recipe.weights, *recipe.fixed], [*weights, *fixed]), silently(True):
            return unwrapped(self.step(jax.tree.map(Tensor, x)))


def _data(batch: Batch) -> Any:
    """The data as TensorFlow's steps get it: x alone, (x, y) or (x, y, sample_weight)."""
    parts = tuple(
        jax.tree.map(Tensor, part) for part in (batch.x, batch.y, batch.weights) if part is not None
    )
    return parts[0] if len(parts) == 1 and isinstance(parts[0], Tensor) else parts


# What such a step calls of the model.


@functools.lru_cache(maxsize=64)
def _loss_function(goal: Objective) -> Callable[..., Any]:
    def loss(added: Any, y: Any, y_pred: Any, sample_weight: Any) -> Any:
        return steps.compiled_loss(goal, added, y, y_pred, sample_weight)

    return loss


def loss_of(model: Any, added: Any, y: Any, y_pred: Any, sample_weight: Any) -> Any:
    """The compiled loss of predictions and what is added to it, as one call that tapes hear."""
    goal, labels, weights = model._compiled_parts(y, y_pred, sample_weight)
    outputs = jax.tree.leaves(y_pred)
    return calls.foreign(_loss_function(goal), (list(added), labels, outputs, weights), {})


def usual_step(model: Any, data: Any, *, training: bool) -> dict[str, Any]:
    """The step that `fit` or `evaluate` takes, in TensorFlow's form: the logs."""
    x, y, weights = (*(data if isinstance(data, tuple) else (data,)), None, None)[:3]
    with GradientTape() as tape:
        y_pred = model(x, training=training)
        loss = as_tensor(model.loss_of_step(x, y, y_pred, weights, training))
    if training:
        moved = model.trainable_variables
        model.optimizer.apply_gradients(zip(tape.gradient(loss, moved), moved, strict=True))
    steps.note_loss(model, loss, jax.tree.leaves(x)[0].shape[0])
    return model.compute_metrics(x, y, y_pred, weights)


class CompiledMetrics:
    """Keras 2's `model.compiled_metrics`: the metrics that `compile` was given."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Let them look at a batch."""
        goal, labels, weights = self._model._compiled_parts(y_true, y_pred, sample_weight)
        steps.compiled_metrics(goal, labels, y_pred, weights)

    def reset_state(self) -> None:
        """Forget all batches."""
        for one in self._model._objective.followed:
            one.metric.reset_state()

    reset_states = reset_state

    @property
    def metrics(self) -> list[Any]:
        """The metrics themselves."""
        return [one.metric for one in self._model._objective.followed]
