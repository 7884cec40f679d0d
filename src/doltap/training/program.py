"""One step: predict, measure, differentiate, update; and the loop around it.

`train_step` is the only function in the library in which a weight changes.
Everything here is a pure function of arrays; the objects of the model only
lend their variables.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from doltap import activations, dtypes, notes, random
from doltap.core.layer import Layer, Owner
from doltap.core.tensors import Rate, Variable, lend
from doltap.losses import Loss
from doltap.metrics import Mean, Metric
from doltap.optimizers.optimizer import Optimizer
from doltap.regularizers import cost_of, factors_of
from doltap.training.batches import Layout
from doltap.training.objective import Objective

__all__ = [
    "Batch",
    "Given",
    "Layout",
    "Recipe",
    "State",
    "counting",
    "predict_rows",
    "rising_loop",
    "rows_in_order",
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
    totals begin anew at the start of an epoch, `halts` whether to stop after a
    step whose loss is not finite; `factors` are those of the weights' regularizers.
    """

    rates: tuple[dict[str, Any], list[Any]]
    seed: Any
    data: tuple[Any, ...]
    fresh: Any
    halts: Any = False
    factors: Any = ()


class Batch(NamedTuple):
    """Some rows: `mask` is 0 for filling and None where there is none; `rows` counts the true ones.

    `y` holds the labels of each output, `weights` their sample weights or None.
    """

    x: Any
    y: Any
    weights: Any
    mask: Any
    rows: Any

    def weights_of(self, output: int) -> Any:
        """The weight of each row for this output, 0 for filling; None where all weigh the same."""
        weights = None if self.weights is None else self.weights[output]
        if self.mask is None:
            return weights
        return self.mask if weights is None else _times_mask(weights, self.mask)


class Answer(NamedTuple):
    """What the network gives for a batch, and what it left beside it.

    Lists have an entry for each output, in order: the arrays, and the masks of
    their steps or None. `added` is what layers add to the loss, `noted` what
    they want followed; `fixed` and `held` what they assigned.
    """

    outputs: list[Any]
    masks: list[Any]
    added: list[Any]
    noted: dict[str, Any]
    fixed: list[Any]
    held: list[Any]


class Recipe:
    """The parts that a program is made of, and the variables they lend."""

    # How many predictions have drawn, each from keys of its own.
    num_predictions = 0
    # Whether its steps run in Python, line by line.
    is_eager = False
    # A step of the user's own, in place of `train_step` or `test_step`.
    own_step: Callable[[State, Given, Batch], tuple[State, Any]] | None = None
    own_predict: Callable[[list[Any], list[Any], Any], Any] | None = None
    # How long a copy of its state takes, as far as that is known.
    copy_seconds: float | None = None
    # All weights in Keras's order, once somebody has asked while it trains.
    listed: Sequence[Variable] = ()

    def __init__(
        self,
        network: Layer,
        objective: Objective | None = None,
        optimizer: Optimizer | None = None,
        noted: Sequence[str] = (),
    ) -> None:
        self.network, self.objective, self.optimizer = network, objective, optimizer
        self.weights, self.fixed = network.variables_by_role()
        # Which layers and weights were to be trained: a change calls for another program.
        owners = [network, *network.inside(Owner)]
        self.owners = [(owner, owner._trainable) for owner in owners]
        self.switches = [(weight, weight.trainable) for weight in (*self.weights, *self.fixed)]
        self.rates = network.inside(Rate)
        # What the size of each weight is multiplied with in the loss, where that is a mere number.
        self._factors = [factors_of(v.regularizer) if v.regularizer else {} for v in self.weights]
        self.factors = [factor for own in self._factors for factor in own.values()]
        self.loss_mean = Mean(name="loss")
        # Metrics that layers hold and move while they are called, and those they note by name.
        self.held = network.inside(Metric)
        self.noted = {name: Mean(name=name) for name in noted}
        self.losses: list[Loss | None] = objective.losses if objective else []
        self.loss_means = objective.loss_means if objective else {}
        self.followed = objective.followed if objective else []
        # What is followed, and the names of the logs, in one order.
        means = [self.loss_mean, *self.loss_means.values()]
        self.measures = [*means, *(each.metric for each in self.followed), *self.noted.values(), *self.held]
        self.names = [measure.name for measure in self.measures]
        self.names[len(means) : len(means) + len(self.followed)] = [each.name for each in self.followed]
        self.name_logs(self.names)
        self.slots: list[dict[str, Variable]] = optimizer.build(self.weights) if optimizer else []
        self.totals = [total for metric in self.measures for total in metric.variables]
        self.held_totals = [total for metric in self.held for total in metric.variables]
        # What decides what its programs compute.
        self.parts = [network, self.losses, objective and objective.loss_weights, self.measures, optimizer]
        self.parts += [[(each.output, each.is_weighted) for each in self.followed]]
        # The compiled programs of these parts, and whether each batch must come
        # in its true length, because not everything is known to treat rows alone.
        self.programs: dict[Any, Any] = {}
        self.exact_batches = True
        self.generators = network.inside(random.SeedGenerator)
        for position, generator in enumerate(self.generators):
            generator.position = position

    def next_draw(self) -> tuple[Any, Any] | None:
        """Where the next prediction draws from, each time anew; None where nothing can draw."""
        if not self.generators and not self.exact_batches:
            return None
        self.num_predictions += 1
        seed = random.mix(vars(self.network).get("seed", 0), 2)
        return random.words(seed), np.uint32(self.num_predictions)

    def predict(
        self,
        weights: list[Any],
        fixed: list[Any],
        rates: list[Any],
        x: Any,
        *,
        training: bool,
        held: Sequence[Any] = (),
    ) -> tuple[Any, Answer]:
        """The network's output in its own structure, and all that came with it."""
        metrics = self.held_totals[: len(held)]
        variables = [*self.weights, *self.fixed, *self.rates, *metrics]
        taken = notes.current() or notes.Notes()
        with lend(variables, [*weights, *fixed, *rates, *held]) as loan:
            y_pred = self.network(x, training=training)
            outputs = jax.tree.leaves(y_pred)
            return y_pred, Answer(
                outputs,
                [taken.mask_of(output) for output in outputs],
                list(taken.losses),
                dict(taken.metrics),
                [loan[variable] for variable in self.fixed],
                [loan[total] for total in metrics],
            )

    def loss_of(
        self, batch: Batch, answer: Answer, weights: list[Any], factors: Sequence[Any]
    ) -> tuple[Any, list[Any]]:
        """The batch's mean loss, the filling left out, and that of each output."""
        each = [self._loss_at(number, batch, answer) for number in range(len(self.losses))]
        scales = self.objective.loss_weights if self.objective else []
        parts = [
            loss if scale is None else loss * scale
            for loss, scale in zip(each, scales, strict=True)
            if loss is not None
        ]
        parts += [jnp.sum(jnp.asarray(one, dtypes.wide())) for one in answer.added]
        given = iter(factors)
        parts += [
            cost_of(v.regularizer, array, {name: next(given) for name in own})
            for v, array, own in zip(self.weights, weights, self._factors, strict=True)
            if v.regularizer
        ]
        return sum(parts[1:], start=parts[0]), each

    def _loss_at(self, output: int, batch: Batch, answer: Answer) -> Any:
        loss, y_pred = self.losses[output], answer.outputs[output]
        if loss is None:
            return None
        # Where the network ends in the activation that the loss undoes, the loss
        # computes from what went into it: a clipped probability has no gradient.
        origin = activations.origin_of(y_pred)
        if origin:
            loss, y_pred = loss.undoing(*origin)
        weights = counting(batch.weights_of(output), answer.masks[output], scaled=True)
        if weights is None:
            return loss(batch.y[output], y_pred)
        return loss(batch.y[output], y_pred, weights, None if batch.mask is None else batch.rows)

    def measure(
        self, totals: list[Any], loss: tuple[Any, list[Any]], batch: Batch, answer: Answer
    ) -> list[Any]:
        """The totals with this batch in them."""
        whole, each = loss
        with lend(self.totals, [*totals, *answer.held]) as loan:
            self.loss_mean.update_state(whole, batch.rows)
            for output, mean in self.loss_means.items():
                mean.update_state(each[output], batch.rows)
            for one in self.followed:
                weights = batch.weights_of(one.output) if one.is_weighted else batch.mask
                weights = counting(weights, answer.masks[one.output], scaled=False)
                one.metric.update_state(
                    batch.y[one.output], answer.outputs[one.output], sample_weight=weights
                )
            for name, mean in self.noted.items():
                mean.update_state(answer.noted[name], batch.rows)
            return [loan[total] for total in self.totals]

    def step(self, state: State, given: Given, batch: Batch) -> tuple[State, Any]:
        """One step of ours, or of the user's own: the state after it, and the line of logs."""
        if self.own_step is not None:
            return self.own_step(state, given, batch)
        state = (train_step if self.optimizer else test_step)(self, state, given, batch)
        return state, self.results(state.totals)

    def small_programs(self) -> contextlib.AbstractContextManager[Any]:
        """Inside the `with`, a step that runs line by line has each function of JAX compiled, as in Keras."""
        return jax.disable_jit(False) if self.is_eager else contextlib.nullcontext()

    def results(self, totals: list[Any]) -> Any:
        """What the totals stand for: the numbers of each name in `names`, one after the other."""
        with lend(self.totals, totals):
            results = [leaf for measure in self.measures for leaf in jax.tree.leaves(measure.result())]
            return jnp.concatenate([jnp.asarray(result, dtypes.wide()).reshape(-1) for result in results])

    def name_logs(self, names: Sequence[str]) -> None:
        """Let the numbers of `results` go by these names."""
        self.names = list(names)
        # Logs are in the order of the alphabet, as Keras on JAX gives them.
        self._places = sorted(range(len(names)), key=lambda place: names[place])

    def named(self, line: np.ndarray) -> dict[str, Any]:
        """The logs by name, in the order of the alphabet; of two with one name the last stays."""
        if len(line) != len(self.names):
            return dict(sorted(self.pairs(line), key=lambda pair: pair[0]))
        numbers = line.tolist()
        return {self.names[place]: numbers[place] for place in self._places}

    def pairs(self, line: np.ndarray) -> list[tuple[str, Any]]:
        """Name and value of everything followed, in its order; a name may come twice.

        Args:
            line: what `results` gave. A metric of several numbers shows as an
                array, one that gives a dict under the dict's own names.
        """
        if len(line) == len(self.names):
            return list(zip(self.names, line.tolist(), strict=True))
        found, place = list[tuple[str, Any]](), 0
        for name, measure in zip(self.names, self.measures, strict=True):
            result = measure.result()
            for key, leaf in sorted(result.items()) if isinstance(result, dict) else [(name, result)]:
                shape = np.shape(leaf)
                numbers = line[place : place + math.prod(shape)]
                place += math.prod(shape)
                found.append((key, numbers.reshape(shape) if shape else float(numbers[0])))
        return found

    @property
    def width(self) -> int:
        """How many numbers `results` gives."""
        if self.own_step is not None or all(isinstance(measure, Mean) for measure in self.measures):
            return len(self.names)
        return jax.eval_shape(self.results, [total.array for total in self.totals]).size

    def parted(self, totals: list[Any]) -> tuple[list[Any], list[Any]]:
        """The totals that the step moves, and those that the network moves itself."""
        count = len(totals) - len(self.held_totals)
        return totals[:count], totals[count:]

    def cleared(self, totals: list[Any]) -> list[Any]:
        """The totals as they are before the first batch."""
        with lend(self.totals, totals) as loan:
            for measure in self.measures:
                measure.reset_state()
            return [loan[total] for total in self.totals]


def counting(weights: Any, steps: Any, *, scaled: bool) -> Any:
    """The weights of the rows, where only some steps of each row count.

    Args:
        steps: (batch, steps) booleans, or None where all count.
        scaled: whether the mean is to be one over the steps that count, as Keras's losses.
    """
    if steps is None:
        return weights
    counts = steps.astype(dtypes.wide())
    if scaled:
        counts = counts * (counts.size / jnp.maximum(jnp.sum(counts), 1.0))
    return counts if weights is None else _times_mask(counts, weights)


def _times_mask(weights: Any, mask: Any) -> Any:
    return weights * mask.reshape(mask.shape + (1,) * (weights.ndim - 1))


def train_step(recipe: Recipe, state: State, given: Given, batch: Batch) -> State:
    """One update: the state after the batch."""
    optimizer_rates, layer_rates = given.rates
    optimizer = recipe.optimizer
    assert optimizer is not None
    totals, held = recipe.parted(state.totals)

    def objective(weights: list[Any]) -> tuple[Any, Any]:
        _, answer = recipe.predict(weights, state.fixed, layer_rates, batch.x, training=True, held=held)
        with jax.named_scope("loss"):
            loss = recipe.loss_of(batch, answer, weights, given.factors)
        scaled = optimizer.scaled_loss(loss[0], state.slots) if optimizer.scales_loss else loss[0]
        # Values of this function must not be met outside it.
        (notes.current() or notes.Notes()).promised.clear()
        return scaled, (loss, answer)

    with notes.taken(), random.key_scope(given.seed, state.step):
        (_, (loss, answer)), gradients = jax.value_and_grad(objective, has_aux=True)(state.weights)
    with jax.named_scope("update"):
        slots, step = state.slots, state.step
        weights, slots = optimizer.update_all(state.weights, gradients, slots, step, optimizer_rates)
    totals = recipe.measure(totals, loss, batch, answer)
    return State(weights, answer.fixed, slots, totals, state.step + 1)


def test_step(recipe: Recipe, state: State, given: Given, batch: Batch) -> State:
    """The state with the batch measured: only the totals move."""
    totals, held = recipe.parted(state.totals)
    with notes.taken():
        _, answer = recipe.predict(
            state.weights, state.fixed, given.rates[1], batch.x, training=False, held=held
        )
        loss = recipe.loss_of(batch, answer, state.weights, given.factors)
    return state._replace(totals=recipe.measure(totals, loss, batch, answer))


def rows_in_order(layout: Layout, given: Given, order: Any, number: Any) -> Batch:
    """The batch whose rows stand at place `number` of the order."""
    chosen = jax.lax.dynamic_slice_in_dim(order, number * layout.batch_size, layout.rows)
    x, y, weights = jax.tree.map(lambda array: array.at[chosen].get(mode="promise_in_bounds"), given.data)
    before = jax.lax.rem(number, jnp.int32(layout.num_batches)) * layout.batch_size
    return _masked(layout, x, y, weights, before, jnp.arange(layout.rows))


def _rows_in_line(layout: Layout, given: Given, number: Any) -> Batch:
    """Batch `number` of the data as it lies. The last one reaches back to be full."""
    start = number * layout.batch_size
    lowest = jnp.minimum(start, layout.num_rows - layout.rows)
    x, y, weights = jax.tree.map(
        lambda array: jax.lax.dynamic_slice_in_dim(array, lowest, layout.rows), given.data
    )
    # Rows that the batch before has counted stand first; they become the filling.
    return _masked(layout, x, y, weights, start, jnp.arange(layout.rows)[::-1])


def _masked(layout: Layout, x: Any, y: Any, weights: Any, before: Any, rank: Any) -> Batch:
    """The batch with its filling masked out.

    Args:
        before: how many rows of the epoch came in earlier batches.
        rank: (rows,) the order in which the rows are true ones; the rest is filling.
    """
    wide = dtypes.wide()
    if not layout.masked:
        return Batch(x, y, weights, None, jnp.asarray(layout.rows, wide))
    rows = jnp.minimum(layout.rows, layout.num_rows - before)
    return Batch(x, y, weights, (rank < rows).astype(wide), rows.astype(wide))


def train_loop(
    recipe: Recipe, layout: Layout, state: State, given: Given, order: Any, start: Any, stop: Any
) -> tuple[State, Any, Any]:
    """The steps from start to stop, counted over the epochs of `order`.

    Returns the state, the logs (num_epochs, width): a line for each epoch that
    was worked on, as it stood after its last step here, and the number of the
    first step after which the loss was not finite, -1 if there was none.
    """
    place = recipe.names.index("loss") if "loss" in recipe.names else None
    num_batches = jnp.int32(layout.num_batches)

    def goes_on(carry: tuple[Any, ...]) -> Any:
        return (carry[0] < stop) & ~(given.halts & (carry[3] >= 0))

    def body(carry: tuple[Any, ...]) -> tuple[Any, ...]:
        number, state, logs, bad = carry
        begins = given.fresh & (jax.lax.rem(number, num_batches) == 0)
        cleared = recipe.cleared(state.totals)
        totals = [jnp.where(begins, zero, total) for zero, total in zip(cleared, state.totals, strict=True)]
        with recipe.small_programs():
            batch = rows_in_order(layout, given, order, number)
            state, line = recipe.step(state._replace(totals=totals), given, batch)
        logs = jax.lax.dynamic_update_index_in_dim(logs, line, jax.lax.div(number, num_batches), 0)
        is_bad = jnp.bool_(False) if place is None else ~jnp.isfinite(line[place])
        return number + 1, state, logs, jnp.where((bad < 0) & is_bad, number, bad)

    logs = jnp.zeros((layout.num_epochs, recipe.width), dtypes.wide())
    return jax.lax.while_loop(goes_on, body, (start, state, logs, jnp.int32(-1)))[1:]


def rising_loop(
    recipe: Recipe, layout: Layout, state: State, given: Given, order: Any, start: Any, stop: Any
) -> tuple[State, Any]:
    """The steps from start to stop, each at a learning rate of its own: the state, and each step's loss.

    Args:
        layout: that of epochs of one batch.
        given: its "learning_rate" has a rate for every step. So have the losses
            a place; those of the steps that were not taken are 0.
    """
    place = recipe.names.index("loss")
    optimizer_rates, layer_rates = given.rates

    def body(number: Any, carry: tuple[State, Any]) -> tuple[State, Any]:
        state, losses = carry
        rates = {**optimizer_rates, "learning_rate": optimizer_rates["learning_rate"][number]}
        with recipe.small_programs():
            batch = rows_in_order(layout, given, order, number)
            alone = state._replace(totals=recipe.cleared(state.totals))
            state, line = recipe.step(alone, given._replace(rates=(rates, layer_rates)), batch)
        return state, losses.at[number].set(line[place])

    losses = jnp.zeros(layout.num_epochs, dtypes.wide())
    return jax.lax.fori_loop(start, stop, body, (state, losses))


def test_loop(
    recipe: Recipe, layout: Layout, state: State, given: Given, start: Any, stop: Any
) -> tuple[State, Any]:
    """The batches from start to stop measured; the state and the logs (names,)."""

    def body(number: Any, carry: tuple[State, Any]) -> tuple[State, Any]:
        with recipe.small_programs():
            return recipe.step(carry[0], given, _rows_in_line(layout, given, number))

    begins = given.fresh & (start == 0)
    cleared = recipe.cleared(state.totals)
    totals = [jnp.where(begins, zero, total) for zero, total in zip(cleared, state.totals, strict=True)]
    line = jnp.zeros(recipe.width, dtypes.wide())
    return jax.lax.fori_loop(start, stop, body, (state._replace(totals=totals), line))


def predict_rows(
    recipe: Recipe,
    weights: list[Any],
    fixed: list[Any],
    rates: list[Any],
    draw: tuple[Any, Any] | None,
    x: Any,
) -> Any:
    """The network's output for some rows; what draws in prediction, too, takes its keys from `draw`."""
    with contextlib.nullcontext() if draw is None else random.key_scope(*draw):
        if recipe.own_predict is not None:
            with lend(recipe.rates, rates):
                return recipe.own_predict(weights, fixed, x)
        return recipe.predict(weights, fixed, rates, x, training=False)[0]
