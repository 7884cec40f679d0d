"""Steps in Keras's form for JAX: those of the user's own, and the usual one that they may call.

They take the state as lists of arrays and give logs and a new state; here
those lists become the engine's state and back.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from doltap import activations, dtypes, notes, random
from doltap.core.explaining import explaining
from doltap.core.graph import SymbolicTensor
from doltap.core.layer import Layer
from doltap.core.tensors import Variable, lend, unchanged
from doltap.errors import NotSupportedError, ShapeError
from doltap.training import eager
from doltap.training.batches import Rows
from doltap.training.objective import Objective
from doltap.training.program import Batch, Given, Recipe, State, counting

__all__ = [
    "OwnStep",
    "compiled_loss",
    "compiled_metrics",
    "flat_logs",
    "note_loss",
    "noted",
    "stateless_call",
    "take_over",
    "usual_step",
]


def stateless_call(
    layer: Layer,
    moving: Sequence[Any],
    fixed: Sequence[Any],
    arguments: tuple[Any, ...],
    keywords: dict[str, Any],
) -> tuple[Any, list[Any], list[Any]]:
    """The layer's output with these arrays in the place of its weights, the new fixed ones, and the losses.

    The losses are those that layers add, and what the size of the weights costs.
    """
    variables, others = layer.variables_by_role()
    # In a step of the engine's its notes go on: masks are looked up later.
    outer = notes.current()
    with lend([*variables, *others], [*moving, *fixed]) as loan, notes.taken() as taken:
        outputs = layer(*arguments, **keywords)
        left = [loan[variable] for variable in others]
        costs = [*taken.losses, *(v.regularizer(v.read()) for v in variables if v.regularizer)]
    if outer is not None:
        outer.masks |= taken.masks
        outer.origins |= taken.origins
    return outputs, left, costs


def compiled_loss(goal: Objective, added: Sequence[Any], y: Any, y_pred: Any, sample_weight: Any) -> Any:
    """The weighted sum of the outputs' losses, and what layers added.

    Args:
        y, sample_weight: lists with an entry for each output, or None.
    """
    outputs = jax.tree.leaves(y_pred)
    total = sum(
        (jnp.sum(jnp.asarray(one, dtypes.wide())) for one in added), start=jnp.zeros((), dtypes.wide())
    )
    for number, loss in enumerate(goal.losses):
        if loss is None:
            continue
        scale = goal.loss_weights[number]
        y_hat, origin = outputs[number], activations.origin_of(outputs[number])
        if origin:
            loss, y_hat = loss.undoing(*origin)
        weights = counting(_at(sample_weight, number), _mask_of(outputs[number]), scaled=True)
        value = loss(_at(y, number), y_hat, weights)
        total = total + (value if scale is None else value * scale)
    return total


def compiled_metrics(goal: Objective, y: Any, y_pred: Any, sample_weight: Any) -> None:
    """Let the compiled metrics look at a batch; arguments as of `compiled_loss`."""
    outputs = jax.tree.leaves(y_pred)
    for one in goal.followed:
        weights = _at(sample_weight, one.output) if one.is_weighted else None
        weights = counting(weights, _mask_of(outputs[one.output]), scaled=False)
        one.metric.update_state(_at(y, one.output), outputs[one.output], sample_weight=weights)


def _at(values: Sequence[Any] | None, number: int) -> Any:
    return None if values is None else values[number]


def _mask_of(output: Any) -> Any:
    taken = notes.current()
    return None if taken is None else taken.mask_of(output)


def usual_step(model: Any, state: tuple[Any, ...], data: Any, *, training: bool) -> tuple[Any, tuple]:
    """The step that `fit` and `evaluate` take, in Keras's form: the logs and the new state."""
    x, y, weights = (*data, None, None)[:3]
    moving, fixed, *optimizer_variables, totals = state

    def measured(moving: list[Any]) -> tuple[Any, tuple]:
        y_pred, left, costs = stateless_call(model, moving, fixed, (x,), {"training": training})
        variables, others = model.variables_by_role()
        lent = [*variables, *others, *model.metrics_variables]
        arrays = [*moving, *left, *totals]
        if training:
            lent, arrays = [*lent, *model.optimizer.variables], [*arrays, *optimizer_variables[0]]
        with lend(lent, arrays) as loan, model.given_losses(costs):
            loss = model.loss_of_step(x, y, y_pred, weights, training)
            new = [loan[v] for v in others], [loan[v] for v in model.metrics_variables]
            is_scaled = training and model.optimizer.scales_loss
            scaled = model.optimizer.scale_loss(loss) if is_scaled else loss
        return scaled, (loss, y_pred, [_mask_of(one) for one in jax.tree.leaves(y_pred)], *new)

    if training:
        (_, results), gradients = jax.value_and_grad(measured, has_aux=True)(moving)
        applied = model.optimizer.stateless_apply(*optimizer_variables, gradients, moving)
        moving, optimizer_variables = applied[0], [applied[1]]
    else:
        _, results = measured(moving)
    loss, y_pred, masks, fixed, totals = results
    for output, mask in zip(jax.tree.leaves(y_pred), masks, strict=True):
        (notes.current() or notes.Notes()).set_mask(output, mask)
    with lend(model.metrics_variables, totals) as loan:
        note_loss(model, loss, len(jax.tree.leaves(x)[0]))
        logs = model.compute_metrics(x, y, y_pred, weights)
        totals = [loan[v] for v in model.metrics_variables]
    return logs, (moving, fixed, *optimizer_variables, totals)


def note_loss(model: Any, loss: Any, rows: int) -> None:
    """Count the loss of so many rows in the mean that the logs show."""
    for metric in model.metrics:
        if metric.name == "loss":
            metric.update_state(loss, sample_weight=jnp.float32(rows))
            return


def noted(network: Layer, x: Any, *, is_eager: bool) -> notes.Notes:
    """What layers note in a call on such inputs: losses they add, and metrics by name."""
    variables = network.weights
    found: list[notes.Notes] = []

    def trace(arrays: list[Any], inputs: Any) -> None:
        with (
            lend(variables, arrays),
            random.key_scope(random.words(0), 0),
            unchanged(),
            notes.taken() as taken,
        ):
            network(inputs, training=True)
            found.append(taken)

    arrays = [v.array for v in variables]
    if is_eager:
        trace(arrays, jax.tree.map(lambda array: array[:2], x))
    else:
        with explaining(f"call of '{network.name}'"):
            # Five rows stand for any number, as when a shape is traced.
            jax.eval_shape(
                trace, arrays, jax.tree.map(lambda a: jax.ShapeDtypeStruct((5, *a.shape[1:]), a.dtype), x)
            )
    return found[0]


def take_over(recipe: Recipe, model: Any, kind: str, rows: Rows) -> None:
    """Let the recipe step as the model's own `train_step` or `test_step` says."""
    step = getattr(model, f"{kind}_step")
    num_taken = len(inspect.signature(step).parameters)
    of_tensors = OwnStep.of_tensors if num_taken == 1 else None
    if num_taken != 2 and of_tensors is None:
        raise NotSupportedError(
            f"{type(model).__name__}.{kind}_step",
            expected=f"the form for JAX, {kind}_step(self, state, data)",
            got=f"{kind}_step{inspect.signature(step)}",
            fix="It takes the state as lists of arrays, and returns the logs and the new state. "
            "`doltap run` takes TensorFlow's form, too.",
        )
    own = (of_tensors or OwnStep)(recipe, model, kind)
    if kind == "predict":
        recipe.own_predict = own.predict
        return
    _follow(recipe, model, own, rows)


def _follow(recipe: Recipe, model: Any, own: OwnStep, rows: Rows) -> None:
    """Let the recipe step and measure as the model's own step does."""
    recipe.measures, recipe.held_totals, recipe.factors = list(model.metrics), [], []
    recipe.totals = [total for metric in recipe.measures for total in metric.variables]
    recipe.name_logs(own.find_names(rows))
    recipe.own_step = own


class OwnStep:
    """A step in Keras's form as one of ours: from a state and a batch to a state and a line of logs."""

    # What takes a step that is given the data alone, as TensorFlow's are, where somebody can.
    of_tensors: ClassVar[type[OwnStep] | None] = None

    def __init__(self, recipe: Recipe, model: Any, kind: str) -> None:
        self.recipe, self.model = recipe, model
        self.step = getattr(model, f"{kind}_step")
        self.variables = _optimizer_variables(recipe)

    def __call__(self, state: State, given: Given, batch: Batch) -> tuple[State, Any]:
        """The state after the batch, and the logs in the order of the recipe's names."""
        state, logs = self._run(state, given, batch)
        numbers = [jnp.asarray(logs[name], dtypes.wide()) for name in self.recipe.names]
        return state, jnp.stack(numbers) if numbers else jnp.zeros(0, dtypes.wide())

    def _run(self, state: State, given: Given, batch: Batch) -> tuple[State, dict[str, Any]]:
        lists = [state.weights, state.fixed, state.totals]
        if self.variables:
            known = dict(self._optimizer_arrays(state, given))
            lists.insert(2, [known.get(v, v.array) for v in self.variables])
        data = tuple(part for part in (batch.x, batch.y, batch.weights) if part is not None)
        with (
            lend(self.recipe.rates, given.rates[1]),
            notes.taken(),
            random.key_scope(given.seed, state.step),
            self.model.given_losses(None),
        ):
            logs, new = self._checked(self.step(tuple(lists), data), len(lists))
        if not self.variables:
            return state._replace(totals=new[-1]), logs
        moved = dict(zip(self.variables, new[2], strict=True))
        slots = [
            {key: moved.get(slot, arrays[key]) for key, slot in group.items()}
            for group, arrays in zip(self.recipe.slots, state.slots, strict=True)
        ]
        return State(new[0], new[1], slots, new[3], state.step + 1), logs

    def _checked(self, returned: Any, count: int) -> tuple[dict[str, Any], list[list[Any]]]:
        """The logs, flat, and the lists of the new state."""
        name = self.step.__qualname__
        is_pair = isinstance(returned, (tuple, list)) and len(returned) == 2 and isinstance(returned[0], dict)
        if not is_pair or not isinstance(returned[1], (tuple, list)) or len(returned[1]) != count:
            got = (
                f"a state of {len(returned[1])}"
                if is_pair and hasattr(returned[1], "__len__")
                else "no such pair"
            )
            raise ShapeError(
                name,
                expected=f"logs, a dict, and a state of {count} lists",
                got=got,
                fix="Return logs, state, where state has the lists in the order in which they came in.",
            )
        logs = dict(flat_logs(returned[0]))
        for key, value in logs.items():
            if jnp.ndim(value):
                raise ShapeError(
                    f"{name}, log '{key}'",
                    expected="one number",
                    got=f"shape {jnp.shape(value)}",
                    fix="Return its mean, for example.",
                )
        return logs, [list(arrays) for arrays in returned[1]]

    def _optimizer_arrays(self, state: State, given: Given) -> Iterator[tuple[Variable, Any]]:
        optimizer = self.recipe.optimizer
        assert optimizer is not None
        yield optimizer.iterations, state.step
        for name, array in given.rates[0].items():
            yield optimizer.rates[name], array
        for group, arrays in zip(self.recipe.slots, state.slots, strict=True):
            for key, slot in group.items():
                yield slot, arrays[key]

    def find_names(self, rows: Rows) -> list[str]:
        """The names of the logs, found by a look at the step on the first rows."""
        state, given, batch = self._beginning(rows)
        if self.recipe.is_eager:
            return list(eager.bare(self._run)(state, given, batch)[1])
        with explaining(self.step.__qualname__):
            return list(jax.eval_shape(lambda s, b: self._run(s, given, b), state, batch)[1])

    def predict(self, weights: list[Any], fixed: list[Any], x: Any) -> Any:
        """What a step of prediction gives."""
        with notes.taken():
            outputs, _ = self.step((list(weights), list(fixed)), (x,))
        return outputs

    def _beginning(self, rows: Rows) -> tuple[State, Given, Batch]:
        """What the first step starts with, and the first rows."""
        recipe = self.recipe
        slots = [{key: slot.array for key, slot in group.items()} for group in recipe.slots]
        arrays = [[v.array for v in group] for group in (recipe.weights, recipe.fixed, recipe.totals)]
        optimizer_rates = recipe.optimizer.rates.items() if recipe.optimizer else ()
        rates = {name: rate.array for name, rate in optimizer_rates}, [rate.array for rate in recipe.rates]
        state = State(arrays[0], arrays[1], slots, arrays[2], np.int32(0))
        given = Given(rates, random.words(0), (), np.bool_(True))
        return state, given, Batch(*rows.cut(0, 2).tree, None, np.float32(2))


def _optimizer_variables(recipe: Recipe) -> list[Variable]:
    return list(recipe.optimizer.variables) if recipe.optimizer else []


def flat_logs(logs: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Names and numbers, also those of dicts inside."""
    for key, value in logs.items():
        if isinstance(value, dict):
            yield from flat_logs(value)
        else:
            yield key, value


def symbolic_like(x: Any) -> Any:
    """Symbolic tensors for arrays, with any number of rows."""

    def promise(array: Any) -> SymbolicTensor:
        # TensorFlow's types show themselves in other words than NumPy's.
        dtype = getattr(array.dtype, "as_numpy_dtype", array.dtype)
        dtype = str(array.dtype if dtype is array.dtype else np.dtype(dtype))
        return SymbolicTensor((None, *array.shape[1:])[: len(array.shape)], dtype, "x")

    return jax.tree.map(promise, x)
