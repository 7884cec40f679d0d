"""A layer or model called by hand, as one call that tapes hear: compiled, and differentiated as a whole.

That holds for layers of doltap's own. A class of the user's is called line by
line with tensors, and the layers inside it are such calls.
"""

from __future__ import annotations

import functools
import inspect
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from doltap import config, notes, random
from doltap.compat.tensorflow import calls
from doltap.compat.tensorflow.calls import Call
from doltap.compat.tensorflow.entrances import is_doltaps
from doltap.compat.tensorflow.recording import silently
from doltap.compat.tensorflow.tensor import Tensor, as_tensor, reading, unwrapped
from doltap.core import layer as layers
from doltap.core.explaining import WANTS_VALUES
from doltap.core.layer import Layer
from doltap.core.owner import Owner
from doltap.core.tensors import Rate, Variable, is_forgetting, is_lent, lend
from doltap.layers import Lambda
from doltap.models import Model
from doltap.models.hosting import Looked

__all__ = ["LayerCall", "called_layer", "inner_call"]

_known: weakref.WeakKeyDictionary[Layer, dict[Any, LayerCall | None]] = weakref.WeakKeyDictionary()


class LayerCall(Call):
    """A layer as a function of its weights and inputs.

    It does not keep the layer: what is kept for a layer ends with it.

    Args:
        function: what is called, `function(layer, *inputs)`.
    """

    __slots__ = ("compiled", "draws", "fixed", "function", "layer", "owners", "trees", "variables")

    def __init__(self, layer: Layer, function: Callable[..., Any]) -> None:
        super().__init__(layer.name, function, needs_jax=True)
        self.layer, self.function = weakref.ref(layer), function
        moving, self.fixed = layer.variables_by_role()
        self.variables: list[Variable] = [*moving, *self.fixed, *layer.inside(Rate)]
        # Those whose training is switched on and off, which changes what some layers do.
        self.owners = [weakref.ref(owner) for owner in (layer, *layer.inside(Owner))]
        generators = layer.inside(random.SeedGenerator)
        self.draws = bool(generators)
        for position, generator in enumerate(generators):
            generator.position = position
        # What came out of each way to call it: the structure, and how many losses were added.
        self.trees: dict[Any, tuple[Any, int, tuple[bool, ...]]] = {}
        self.compiled: dict[Any, Callable[..., Any]] = {}

    def apply(self, module: Any, arrays: Sequence[Any], layout: tuple[Any, ...], others: Any) -> Any:
        """The outputs, the losses that were added, and the new values of what training does not move."""
        form, training, _ = others
        count = len(self.variables)
        seed = arrays[count] if self.draws else np.zeros(2, np.uint32)
        given = iter(arrays[count + self.draws :])
        with (
            silently(),
            jax.enable_x64(False),
            lend(self.variables, arrays[:count]) as loan,
            random.key_scope(seed, 0),
            notes.taken() as taken,
        ):
            inputs, keywords = calls.refilled(form, given)
            for array, mask in self._masks(inputs, keywords.pop(_MASKS, None)):
                taken.set_mask(array, mask)
            if training is not None:
                keywords["training"] = training
            outputs = self.function(self.kept(), *inputs, **keywords)
            leaves, tree = jax.tree.flatten(outputs)
            losses = [jnp.asarray(loss) for loss in taken.losses]
            left = [loan[variable] for variable in self.fixed]
            masks = [taken.mask_of(leaf) for leaf in leaves]
        held = [mask for mask in masks if mask is not None]
        self.trees[others] = tree, len(losses), tuple(mask is not None for mask in masks)
        return [*leaves, *losses, *held, *left]

    def _masks(self, inputs: Any, masks: Any) -> Iterator[tuple[Any, Any]]:
        if masks is not None:
            yield from zip(jax.tree.leaves(inputs[0]), masks, strict=False)

    def kept(self) -> Any:
        """The layer."""
        return self.layer()

    def compute(self, layout: tuple[Any, ...], others: Any) -> Callable[..., Any]:
        """The function of the arrays for one way to call it, compiled where that is worth its time."""

        def plain(*arrays: Any) -> Any:
            return self.apply(jnp, arrays, layout, others)

        if others not in self.compiled:
            # Functions that are mapped over rows make a lookup anew for each, and call it once.
            if not self.variables and others not in self.trees:
                return plain
            self.compiled[others] = calls.compiled(plain)
        return self.compiled[others]

    def __call__(self, inputs: tuple[Any, ...], training: Any, keywords: dict[str, Any]) -> Any:
        """The outputs for tensors, as tensors."""
        entries = [reading(variable) for variable in self.variables]
        if self.draws:
            entries.append(Tensor(_seed_words()))
        form = calls.emptied((inputs, keywords), entries)
        flags = tuple(owner()._trainable for owner in self.owners)  # type: ignore[union-attr]
        others = (form, training, flags)
        found = calls.performed(self, entries, (-1,) * len(entries), others)
        return self._taken_apart(others, found)

    def _taken_apart(self, others: Any, found: list[Tensor]) -> Any:
        tree, num_losses, masked = self.trees[others]
        count = tree.num_leaves
        leaves, rest = found[:count], found[count:]
        losses, rest = rest[:num_losses], rest[num_losses:]
        held = iter(rest[: sum(masked)])
        for leaf, has_mask in zip(leaves, masked, strict=True):
            leaf.mask = next(held) if has_mask else None
        for variable, tensor in zip(self.fixed, rest[sum(masked) :], strict=True):
            if is_lent(variable) or is_forgetting():
                variable.assign(tensor.array)
            elif tensor.array is not variable.array:
                variable.array = tensor.array
        taken = notes.current()
        if taken is not None:
            taken.losses.extend(losses)
        else:
            self.kept()._losses = losses
        return jax.tree.unflatten(tree, leaves)


def _seed_words() -> Any:
    """The two words of a key that no call had before: in a program of its step, elsewhere of a count."""
    if random.in_program():
        return jax.random.key_data(random._key(None))
    return random.words(random.mix(config.global_seed(), config.next_draw(), 2))


_MASKS = "masks of the inputs"


def _call_of(layer: Layer, function: Callable[..., Any], *, is_looked_up: bool = False) -> LayerCall | None:
    """The layer as a function of arrays; None where something in it is the user's own, or takes strings."""
    known = _known.setdefault(layer, {})
    key = _size_of(layer, function)
    if key not in known:
        inner = layer.inside(Layer)
        is_plain = all(is_doltaps(type(one)) and not isinstance(one, Lambda) for one in inner)
        on_host = not is_looked_up and any(one.on_host for one in (layer, *inner))
        known[key] = LayerCall(layer, function) if is_plain and not on_host else None
    return known[key]


def _size_of(layer: Layer, function: Callable[..., Any]) -> tuple[Any, ...]:
    # Layers are put on a Sequential one after the other.
    return function, len(getattr(layer, "_layers", ())), len(layer._own_weights)


def called_layer(
    function: Callable[..., Any],
    layer: Layer,
    inputs: Any,
    arguments: tuple[Any, ...],
    training: Any,
    keywords: dict[str, Any],
) -> Any:
    """What a layer gives that a program calls by hand: tensors.

    Args:
        function: the call itself, which takes and gives arrays.
    """
    inputs = _as_inputs(inputs)
    is_looked_up = _is_text(inputs) and isinstance(layer, Model) and is_doltaps(type(layer))
    if is_looked_up:
        inputs = _looked_up(layer, inputs)
        function = function if layer._front is None else _after_looking(function)
    if _is_text(inputs):
        if not is_doltaps(type(layer)) and not layer.on_host:
            return _tensors(_called_with_text(layer, inputs, arguments, training, keywords))
        with silently():
            return _tensors(function(layer, unwrapped(inputs), *arguments, training=training, **keywords))
    if not layer.built and _is_plain_class(layer):
        layers._build_for(layer, inputs, arguments, keywords)
    call = _call_of(layer, function, is_looked_up=is_looked_up) if _is_plain_class(layer) else None
    if call is None:
        return _tensors(function(layer, inputs, *arguments, training=training, **keywords))
    if training is None:
        training = getattr(layers._calls, "training", None)
    masks = [leaf.mask for leaf in jax.tree.leaves(inputs)]
    if any(mask is not None for mask in masks):
        keywords = {**keywords, _MASKS: tuple(masks)}
    try:
        return call((inputs, *arguments), None if training is None else bool(training), dict(keywords))
    except WANTS_VALUES:
        # Something looks at values, which a call line by line has.
        with silently():
            given = unwrapped(inputs)
            return _tensors(function(layer, given, *arguments, training=training, **keywords))


def _looked_up(layer: Any, inputs: Any) -> Any:
    """What a network takes of a table, or a list of what it begins with once strings have been looked up."""
    with silently():
        found = layer.looked_up(unwrapped(inputs), "inputs")
    return jax.tree.map(as_tensor, found)


@functools.cache
def _after_looking(function: Callable[..., Any]) -> Callable[..., Any]:
    """The call of a network for what it begins with once strings have been looked up."""

    def call(layer: Layer, values: Any, *arguments: Any, **keywords: Any) -> Any:
        return function(layer, Looked(values), *arguments, **keywords)

    return call


def _called_with_text(
    layer: Layer, inputs: Any, arguments: tuple[Any, ...], training: Any, keywords: dict[str, Any]
) -> Any:
    """What a class of the user's own gives for texts, which no array of JAX can hold."""
    if not layer.built:
        layer.build(jax.tree.map(lambda leaf: leaf.shape, inputs))
        layer.built = True
    if training is not None and "training" in inspect.signature(layer.call).parameters:
        keywords = {**keywords, "training": training}
    return layer.call(inputs, *arguments, **keywords)


def inner_call(
    function: Callable[..., Any], layer: Layer, arguments: tuple[Any, ...], keywords: dict[str, Any]
) -> Any:
    """What the `call` of one of doltap's classes gives to a class that is made of it."""
    known, key = _known.setdefault(layer, {}), _size_of(layer, function)
    if key not in known:
        known[key] = LayerCall(layer, function)
    call = known[key]
    assert call is not None
    return call(arguments, keywords.pop("training", None), keywords)


def _is_plain_class(layer: Layer) -> bool:
    return is_doltaps(type(layer)) and not isinstance(layer, Lambda)


def _as_inputs(inputs: Any) -> Any:
    """Each input as a tensor of at most 32 bits; lists of plain numbers are one input."""
    if isinstance(inputs, (list, tuple)) and not any(np.ndim(leaf) for leaf in jax.tree.leaves(inputs)):
        return _as_input(as_tensor(inputs))
    return jax.tree.map(_as_input, inputs)


def _as_input(value: Any) -> Any:
    tensor = as_tensor(value)
    if isinstance(tensor, Tensor) and tensor.array.dtype == np.float64:
        return tensor.astype(config.floatx())
    return tensor


def _is_text(inputs: Any) -> bool:
    return any(leaf.array.dtype == object for leaf in jax.tree.leaves(inputs))


def _tensors(outputs: Any) -> Any:
    return jax.tree.map(as_tensor, outputs)
