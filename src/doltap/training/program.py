"""One step: predict, measure, differentiate, update; and the loop around it.

`train_step` is the only function in the library in which a weight changes.
Everything here is a pure function of arrays; the objects of the model only
lend their variables.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from doltap import activations, random
from doltap.core.layer import Layer
from doltap.core.tensors import Rate, Variable, lend
from doltap.losses import Loss
from doltap.metrics import Mean, Metric
from doltap.optimizers.optimizer import Optimizer
from doltap.training.batches import Layout

__all__ = [
    "Batch",
    "Given",
    "Layout",
    "Recipe",
    "State",
    "predict_rows",
    "test_loop",
    "test_step",
    "train_loop",
    "train_step",
]


class State(NamedTuple):
    """Everything a step carries on to the next."""

    weights: list[Any]
    fixed: list[Any]
    slots: list[dict[str, Any]]
    totals: list[Any]
    step: Any


class Given(NamedTuple):
    """What a program receives and leaves as it is.

    `rates` are those of the optimizer by name and those of the layers in order;
    `seed` is two words; `data` is (x, y, weights); `fresh` says whether the
    totals begin anew at the start of an epoch.
    """

    rates: tuple[dict[str, Any], list[Any]]
    seed: Any
    data: tuple[Any, ...]
    fresh: Any


class Batch(NamedTuple):
    """Some rows: `mask` is 0 for filling and None where there is none; `rows` counts the true ones."""

    x: Any
    y: Any
    weights: Any
    mask: Any
    rows: Any


class Recipe:
    """The parts that a program is made of, and the variables they lend.

    Args:
        metrics: each with whether it takes the sample weights.
    """

    def __init__(
        self,
        network: Layer,
        loss: Loss | None = None,
        metrics: Sequence[tuple[Metric, bool]] = (),
        optimizer: Optimizer | None = None,
    ) -> None:
        self.network, self.loss, self.metrics, self.optimizer = network, loss, list(metrics), optimizer
        self.weights, self.fixed = network.variables_by_role()
        self.rates = network.inside(Rate)
        self.loss_mean = Mean(name="loss")
        # The mean of the loss, then the metrics; and the names of the logs, in this order.
        self.measures: list[Metric] = [self.loss_mean, *(metric for metric, _ in self.metrics)]
        self.names = [measure.name for measure in self.measures]
        for place, (metric, is_weighted) in enumerate(self.metrics, start=1):
            if is_weighted and metric.name in self.names[:place]:
                self.names[place] = f"weighted_{metric.name}"
        self.slots: list[dict[str, Variable]] = optimizer.build(self.weights) if optimizer else []
        self.totals = [total for metric in self.measures for total in metric.variables]
        # What decides what its programs compute.
        self.parts = [network, loss, self.metrics, optimizer]
        # The compiled programs of these parts, and whether each batch must come
        # in its true length, because not everything is known to treat rows alone.
        self.programs: dict[Any, Any] = {}
        self.exact_batches = True
        for position, generator in enumerate(network.inside(random.SeedGenerator)):
            generator.position = position

    def predict(
        self, weights: list[Any], fixed: list[Any], rates: list[Any], x: Any, *, training: bool
    ) -> tuple[Any, list[Any]]:
        """The network's output, and what its calls assigned to the fixed weights."""
        variables = [*self.weights, *self.fixed, *self.rates]
        with lend(variables, [*weights, *fixed, *rates]) as loan:
            y_pred = self.network(x, training=training)
            return y_pred, [loan[variable] for variable in self.fixed]

    def loss_of(self, batch: Batch, y_pred: Any) -> Any:
        """The batch's mean loss, the filling left out."""
        loss = self.loss
        assert loss is not None
        # Where the network ends in the activation that the loss undoes, the loss
        # computes from what went into it: a clipped probability has no gradient.
        origin = activations.origin_of(y_pred)
        if origin:
            loss, y_pred = loss.undoing(*origin)
        weights = batch.weights
        if batch.mask is not None:
            weights = batch.mask if weights is None else _times_mask(weights, batch.mask)
        if weights is None:
            return loss(batch.y, y_pred)
        return loss(batch.y, y_pred, weights, None if batch.mask is None else batch.rows)

    def measure(self, totals: list[Any], loss: Any, batch: Batch, y_pred: Any) -> list[Any]:
        """The totals with this batch in them."""
        with lend(self.totals, totals) as loan:
            self.loss_mean.update_state(loss, batch.rows)
            for metric, is_weighted in self.metrics:
                weights = batch.weights if is_weighted else None
                if batch.mask is not None:
                    weights = batch.mask if weights is None else _times_mask(weights, batch.mask)
                metric.update_state(batch.y, y_pred, sample_weight=weights)
            return [loan[total] for total in self.totals]

    def results(self, totals: list[Any]) -> Any:
        """What the totals stand for: one number for each name in `names`."""
        with lend(self.totals, totals):
            return jnp.stack([jnp.asarray(measure.result(), jnp.float32) for measure in self.measures])

    def cleared(self, totals: list[Any]) -> list[Any]:
        """The totals as they are before the first batch."""
        with lend(self.totals, totals) as loan:
            for measure in self.measures:
                measure.reset_state()
            return [loan[total] for total in self.totals]


def _times_mask(weights: Any, mask: Any) -> Any:
    return weights * mask.reshape(mask.shape + (1,) * (weights.ndim - 1))


def train_step(recipe: Recipe, state: State, given: Given, batch: Batch) -> State:
    """One update: the state after the batch."""
    optimizer_rates, layer_rates = given.rates
    assert recipe.optimizer is not None

    def objective(weights: list[Any]) -> tuple[Any, Any]:
        y_pred, fixed = recipe.predict(weights, state.fixed, layer_rates, batch.x, training=True)
        return recipe.loss_of(batch, y_pred), (y_pred, fixed)

    with activations.remembering(), random.key_scope(given.seed, state.step):
        (loss, (y_pred, fixed)), gradients = jax.value_and_grad(objective, has_aux=True)(state.weights)
    weights, slots = recipe.optimizer.update_all(
        state.weights, gradients, state.slots, state.step, optimizer_rates
    )
    totals = recipe.measure(state.totals, loss, batch, y_pred)
    return State(weights, fixed, slots, totals, state.step + 1)


def test_step(recipe: Recipe, state: State, given: Given, batch: Batch) -> State:
    """The state with the batch measured: only the totals move."""
    with activations.remembering():
        y_pred, _ = recipe.predict(state.weights, state.fixed, given.rates[1], batch.x, training=False)
        loss = recipe.loss_of(batch, y_pred)
    return state._replace(totals=recipe.measure(state.totals, loss, batch, y_pred))


def _rows_in_order(layout: Layout, given: Given, order: Any, number: Any) -> Batch:
    """The batch whose rows stand at place `number` of the order."""
    chosen = jax.lax.dynamic_slice_in_dim(order, number * layout.batch_size, layout.rows)
    x, y, weights = (
        None if array is None else array.at[chosen].get(mode="promise_in_bounds") for array in given.data
    )
    before = jax.lax.rem(number, layout.num_batches) * layout.batch_size
    return _masked(layout, x, y, weights, before, jnp.arange(layout.rows))


def _rows_in_line(layout: Layout, given: Given, number: Any) -> Batch:
    """Batch `number` of the data as it lies. The last one reaches back to be full."""
    start = number * layout.batch_size
    lowest = jnp.minimum(start, layout.num_rows - layout.rows)
    x, y, weights = (
        None if array is None else jax.lax.dynamic_slice_in_dim(array, lowest, layout.rows)
        for array in given.data
    )
    # Rows that the batch before has counted stand first; they become the filling.
    return _masked(layout, x, y, weights, start, jnp.arange(layout.rows)[::-1])


def _masked(layout: Layout, x: Any, y: Any, weights: Any, before: Any, rank: Any) -> Batch:
    """The batch with its filling masked out.

    Args:
        before: how many rows of the epoch came in earlier batches.
        rank: (rows,) the order in which the rows are true ones; the rest is filling.
    """
    if not layout.masked:
        return Batch(x, y, weights, None, jnp.float32(layout.rows))
    rows = jnp.minimum(layout.rows, layout.num_rows - before)
    return Batch(x, y, weights, (rank < rows).astype(jnp.float32), rows.astype(jnp.float32))


def train_loop(
    recipe: Recipe, layout: Layout, state: State, given: Given, order: Any, start: Any, stop: Any
) -> tuple[State, Any]:
    """The steps from start to stop, counted over the epochs of `order`.

    Returns the state and the logs (num_epochs, names): a line for each epoch
    that was worked on, as it stood after its last step here.
    """

    def body(number: Any, carry: tuple[State, Any]) -> tuple[State, Any]:
        state, logs = carry
        begins = given.fresh & (jax.lax.rem(number, layout.num_batches) == 0)
        cleared = recipe.cleared(state.totals)
        totals = [jnp.where(begins, zero, total) for zero, total in zip(cleared, state.totals, strict=True)]
        batch = _rows_in_order(layout, given, order, number)
        state = train_step(recipe, state._replace(totals=totals), given, batch)
        line = recipe.results(state.totals)
        return state, jax.lax.dynamic_update_index_in_dim(
            logs, line, jax.lax.div(number, layout.num_batches), 0
        )

    logs = jnp.zeros((layout.num_epochs, len(recipe.names)), jnp.float32)
    return jax.lax.fori_loop(start, stop, body, (state, logs))


def test_loop(
    recipe: Recipe, layout: Layout, state: State, given: Given, start: Any, stop: Any
) -> tuple[State, Any]:
    """The batches from start to stop measured; the state and the logs (names,)."""

    def body(number: Any, state: State) -> State:
        return test_step(recipe, state, given, _rows_in_line(layout, given, number))

    begins = given.fresh & (start == 0)
    cleared = recipe.cleared(state.totals)
    totals = [jnp.where(begins, zero, total) for zero, total in zip(cleared, state.totals, strict=True)]
    state = jax.lax.fori_loop(start, stop, body, state._replace(totals=totals))
    return state, recipe.results(state.totals)


def predict_rows(recipe: Recipe, weights: list[Any], fixed: list[Any], rates: list[Any], x: Any) -> Any:
    """The network's output for some rows."""
    return recipe.predict(weights, fixed, rates, x, training=False)[0]
