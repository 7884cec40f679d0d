"""The program that takes the vital signs: how numbers and gradients pass through each layer.

It reads the state and moves nothing, so that training keeps its bits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from doltap import activations, notes, random
from doltap.core.layer import Layer
from doltap.dtypes import is_float
from doltap.training.program import Answer, Batch, Given, Recipe, State

__all__ = ["COLUMNS", "activation_of", "take_signs", "watched"]

# What is measured of each layer, in the order of the program's table.
COLUMNS = (
    "position",
    "output",
    "dead_share",
    "constant_share",
    "saturated_share",
    "mean",
    "std",
    "row_std",
    "gradient_reaching",
    "gradient_norm",
    "weight_norm",
    "update_ratio",
)

# A unit counts as constant if its spread over the rows is this share of its size, or less.
_CONSTANT = 1e-4

# Where the slope of a curve is below a tenth of its steepest: there a gradient hardly passes.
_SATURATED: dict[str, Callable[[Any], Any]] = {
    "sigmoid": lambda a: jnp.abs(2 * a - 1) > 0.95,
    "tanh": lambda a: jnp.abs(a) > 0.95,
    "hard_sigmoid": lambda a: (a <= 0) | (a >= 1),
    "hard_tanh": lambda a: jnp.abs(a) >= 1,
    "softsign": lambda a: jnp.abs(a) > 0.684,
    "elu": lambda a: a < -0.9,
    "selu": lambda a: a < -0.9 * 1.7581,
    "softmax": lambda a: jnp.broadcast_to(jnp.max(a, -1, keepdims=True) > 0.975, a.shape),
}
# Curves that are 0, slope and all, on one side.
_CAN_DIE = ("relu", "relu6")

_OWN_LAYERS = {
    "ReLU": "relu",
    "LeakyReLU": "leaky_relu",
    "ELU": "elu",
    "Softmax": "softmax",
    "PReLU": "prelu",
}


def watched(network: Layer) -> list[Layer]:
    """The layers whose signs are taken: those with weights of their own, or an activation.

    Layers inside layers stand where these stand.
    """
    found = [network, *_below(network)]
    kept = [layer for layer in found if layer.own_weights() or activation_of(layer) not in (None, "linear")]
    return list({id(layer): layer for layer in kept}.values())


def _below(layer: Layer) -> list[Layer]:
    return [each for child in layer.children() for each in (child, *_below(child)) if isinstance(each, Layer)]


def activation_of(layer: Layer) -> str | None:
    """The name of the curve that ends the layer, "linear" for a straight line.

    None where there is nothing to tell: no activation, one of the user's own, or a layer of theirs.
    """
    kind, is_ours = type(layer).__name__, type(layer).__module__.startswith("doltap.")
    if kind in _OWN_LAYERS and is_ours:
        return "leaky_relu" if getattr(layer, "negative_slope", 0) else _OWN_LAYERS[kind]
    function = vars(layer).get("activation")
    name = getattr(function, "__name__", None)
    if function is activations.linear:
        # What goes on in a layer of the user's own may bend it all the same.
        return "linear" if is_ours else None
    is_curve = function is not None and name in activations.names
    return name if is_curve and activations.get(name) is function else None


def take_signs(recipe: Recipe, state: State, given: Given) -> tuple[Any, Any, list[Any]]:
    """The table of signs (layers, COLUMNS), the loss of each output (outputs,), and the outputs.

    The network runs as in training, with its dropout and the averages of the
    batch. What it assigns is dropped.
    """
    layers, optimizer = watched(recipe.network), recipe.optimizer
    assert optimizer is not None
    held = recipe.parted(state.totals)[1]
    num_rows = len(jax.tree.leaves(given.data[0])[0])
    scale = optimizer.scaled_loss(jnp.float32(1), state.slots) if optimizer.scales_loss else jnp.float32(1)

    def objective(weights: list[Any], slots: list[Any]) -> tuple[Any, Any]:
        taken = notes.current() or notes.Notes()
        taken.outputs, taken.tap = {}, _Taps(taken, layers, slots)
        x, y, row_weights = given.data
        batch = Batch(x, y, row_weights, None, jnp.float32(num_rows))
        _, answer = recipe.predict(weights, state.fixed, given.rates[1], batch.x, training=True, held=held)
        taken.promised.clear()
        places = {layer: place for place, layer in enumerate(taken.outputs)}
        lines = [
            jnp.stack([jnp.float32(places.get(layer, -1)), *_of_output(layer, taken.outputs, answer.outputs)])
            for layer in layers
        ]
        whole, each = _losses(recipe, batch, answer, weights, given)
        return whole * scale.astype(whole.dtype), (each, answer.outputs, lines)

    slots = [jnp.zeros((), jnp.float32) for _ in layers]
    with notes.taken(), random.key_scope(given.seed, state.step):
        differentiated = jax.value_and_grad(objective, (0, 1), has_aux=True)
        (_, (losses, outputs, lines)), (gradients, reaching) = differentiated(state.weights, slots)
    moved = _moved(recipe, state, given, gradients)
    known = jnp.float32(1 if any(recipe.losses) else jnp.nan)
    table = []
    for layer, line, squares in zip(layers, lines, reaching, strict=True):
        lengths = jnp.stack(_of_weights(recipe, layer, state, gradients, moved))
        passing = jnp.stack([jnp.sqrt(squares * num_rows), lengths[0]]) * known / scale
        table.append(jnp.concatenate([line, passing, lengths[1:]]))
    return jnp.stack(table) if table else jnp.zeros((0, len(COLUMNS)), jnp.float32), losses, outputs


class _Taps:
    """What stands behind each layer and counts, when gradients come back, how long they are."""

    def __init__(self, taken: notes.Notes, layers: Sequence[Layer], slots: Sequence[Any]) -> None:
        self.taken, self.slots = taken, dict(zip(layers, slots, strict=True))

    def __call__(self, layer: Layer, outputs: Any) -> Any:
        if layer not in self.slots:
            return outputs
        return jax.tree.map(lambda array: self._tapped(array, self.slots[layer]), outputs)

    def _tapped(self, array: Any, slot: Any) -> Any:
        if not is_float(array.dtype):
            return array
        tapped = _tap(array, slot)
        self.taken.set_mask(tapped, self.taken.mask_of(array))
        origin = self.taken.origins.get(id(array))
        if origin:
            # A loss that computes from the logits takes its gradient past the probabilities.
            self.taken.origins[id(tapped)] = (origin[0], _tap(origin[1], slot), tapped)
        return tapped


@jax.custom_vjp
def _tap(array: Any, slot: Any) -> Any:
    """The array. The gradient of `slot` is the sum of squares of what comes back through the array."""
    return array


def _tap_forward(array: Any, slot: Any) -> tuple[Any, None]:
    return array, None


def _tap_backward(_: None, gradient: Any) -> tuple[Any, Any]:
    return gradient, jnp.sum(jnp.square(gradient.astype(jnp.float32)))


_tap.defvjp(_tap_forward, _tap_backward)


def _losses(
    recipe: Recipe, batch: Batch, answer: Answer, weights: list[Any], given: Given
) -> tuple[Any, Any]:
    """The loss, and that of each output; zero where none is known, as in a step of the user's own."""
    if not any(recipe.losses):
        return jnp.zeros((), jnp.float32), jnp.zeros(0, jnp.float32)
    whole, each = recipe.loss_of(batch, answer, weights, given.factors)
    known = [jnp.float32(jnp.nan) if one is None else jnp.mean(one).astype(jnp.float32) for one in each]
    return jnp.sum(whole), jnp.stack(known)


def _moved(recipe: Recipe, state: State, given: Given, gradients: list[Any]) -> list[Any] | None:
    """The weights after one step on these rows; None where a step need not move them."""
    optimizer = recipe.optimizer
    if optimizer is None or optimizer.gradient_accumulation_steps or not any(recipe.losses):
        return None
    return optimizer.update_all(state.weights, gradients, state.slots, state.step, given.rates[0])[0]


def _of_weights(
    recipe: Recipe, layer: Layer, state: State, gradients: list[Any], moved: list[Any] | None
) -> list[Any]:
    """The length of the gradient of its weights, of the weights, and of a step as a share of theirs."""
    own = {id(weight) for weight in layer.own_weights()}
    places = [place for place, weight in enumerate(recipe.weights) if id(weight) in own]
    still = [array for weight, array in zip(recipe.fixed, state.fixed, strict=True) if id(weight) in own]
    nothing = jnp.float32(jnp.nan)
    if not places:
        return [nothing, _length(still) if still else nothing, nothing]
    weights = [state.weights[place] for place in places]
    length = _length(weights)
    if moved is None:
        return [_length([gradients[place] for place in places]), length, nothing]
    step = _length([moved[place] - state.weights[place] for place in places])
    ratio = jnp.where(length > 0, step / jnp.maximum(length, 1e-30), nothing)
    return [_length([gradients[place] for place in places]), length, ratio]


def _length(arrays: list[Any]) -> Any:
    return jnp.sqrt(sum(jnp.sum(jnp.square(array.astype(jnp.float32))) for array in arrays))


def _of_output(layer: Layer, given: dict[Any, Any], ends: list[Any]) -> list[Any]:
    """What its numbers look like over the rows; NaN where it gave none."""
    leaves = [leaf for leaf in jax.tree.leaves(given.get(layer)) if is_float(leaf.dtype) and leaf.size]
    nothing = jnp.float32(jnp.nan)
    if not leaves:
        return [jnp.float32(-1), *[nothing] * 6]
    output = next((place for place, end in enumerate(ends) if any(leaf is end for leaf in leaves)), -1)
    array = jax.lax.stop_gradient(leaves[0]).astype(jnp.float32)
    units = array.reshape(-1, array.shape[-1] if array.ndim > 1 else 1)
    name = activation_of(layer) or ""
    spread, size = jnp.std(units, 0), jnp.sqrt(jnp.mean(jnp.square(units), 0))
    dead = jnp.mean(jnp.all(units <= 0, 0), dtype=jnp.float32) if name in _CAN_DIE else nothing
    is_flat = _SATURATED.get(name)
    saturated = nothing if is_flat is None else jnp.mean(is_flat(units), dtype=jnp.float32)
    constant = jnp.mean(spread <= _CONSTANT * size, dtype=jnp.float32)
    row_spread = jnp.sqrt(jnp.mean(jnp.square(spread)))
    return [jnp.float32(output), dead, constant, saturated, jnp.mean(units), jnp.std(units), row_spread]
