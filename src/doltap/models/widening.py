"""Networks of other widths made equal in width, so that one program trains them all.

A wider twin computes what its network computes: the units that it has more
start with weights of zero in and out, and no training moves them.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from doltap import activations, config, constraints, layers, optimizers, regularizers
from doltap.core.graph import Graph, Node, SymbolicTensor, symbolic_leaves
from doltap.core.layer import Layer
from doltap.core.tensors import Variable, assign_all
from doltap.errors import NotSupportedError, ShapeError, printable
from doltap.models import arguments
from doltap.models.cloning import clone_model
from doltap.models.model import Model

__all__ = ["narrowed", "widened"]

# Activations that look at each unit by itself and leave a zero a zero.
_KEEPING: tuple[str, ...] = (
    "linear",
    "relu",
    "leaky_relu",
    "relu6",
    "elu",
    "selu",
    "celu",
    "silu",
    "hard_silu",
)
_KEEPING += ("gelu", "mish", "tanh", "hard_tanh", "softsign", "tanh_shrink", "soft_shrink", "hard_shrink")
_LIMITS = (constraints.MaxNorm, constraints.MinMaxNorm, constraints.NonNeg, constraints.UnitNorm)
# Whose steps are not means over a whole matrix, in which the zeros would count.
_EVEN: tuple[type, ...] = (optimizers.SGD, optimizers.RMSprop, optimizers.Adagrad, optimizers.Adadelta)
_EVEN += (optimizers.Ftrl, optimizers.Adam, optimizers.AdamW, optimizers.Adamax, optimizers.Nadam)
_EVEN += (optimizers.Lamb, optimizers.Lion)

# Of each number along an axis, whether the narrow network has it.
Mask = np.ndarray


def widened(model: Any, widths: int | Sequence[int]) -> Model:
    """An equal model whose hidden `Dense` layers have these widths, with the same loss and optimizer.

    Whatever it learns is what the model itself would learn, up to rounding;
    `narrowed` gives it back.

    Args:
        model: a Sequential or a Model(inputs, outputs) that is built.
        widths: of the `Dense` layers that are no output, in order; or one for all.

    Raises:
        NotSupportedError: something in the model does not treat units one by one, or
            makes something of a unit that gives zero; then it is to be trained as it is.
        ShapeError: a width is less than the layer's own.

    >>> model = Model(inputs := layers.Input((2,)), layers.Dense(1)(layers.Dense(3, "relu")(inputs)))
    >>> widened(model, 8).layers[1].units
    8
    """
    graph = _graph_of(model)
    hidden = _hidden(graph)
    wanted = _wanted(hidden, widths)
    plan = _Plan(graph, {id(layer): width for layer, width in zip(hidden, wanted, strict=True)})

    def wide(layer: Any) -> Any:
        given = layer.get_config()
        changed = {"units": plan.widths[id(layer)]} if id(layer) in plan.widths else {}
        return type(layer).from_config(given | changed)

    # The models that are built next are to start where they would without this one.
    with config.keeping_seed():
        config.set_global_seed(0)
        twin: Any = clone_model(model, clone_function=wide)
        _fill(model, twin, plan)
        if model.compiled:
            _compile_alike(model, twin, plan)
    twin.seed, twin.seed_words, twin.epochs_trained = model.seed, model.seed_words, model.epochs_trained
    twin._origin = _Origin(model, plan)
    return twin


def narrowed(model: Any) -> Model:
    """The model that was widened, with what its wider twin has learned since.

    Raises:
        NotSupportedError: it is not what `widened` gave.
    """
    origin = vars(model).get("_origin")
    if origin is None:
        raise NotSupportedError(
            f"model '{model.name}'",
            expected="a model that widened() has made",
            got="another",
            fix="Keep what widened(model, widths) returns, train it, and give it here.",
        )
    original, plan = origin.model, origin.plan
    pairs = plan.pairs(original, model)
    if original.compiled and model.optimizer.is_built:
        original.optimizer.build(original.trainable_weights)
        pairs += _slot_pairs(original, model, plan)
        original.optimizer.iterations.assign(model.optimizer.iterations.numpy())
        for name, rate in original.optimizer.rates.items():
            rate.assign(model.optimizer.rates[name].numpy())
    kept = [wide.numpy()[_places(masks)].reshape(narrow.shape) for narrow, wide, masks in pairs]
    assign_all([narrow for narrow, _, _ in pairs], kept)
    original.epochs_trained, original.history = model.epochs_trained, model.history
    return original


def _graph_of(model: Any) -> Graph:
    graph = model._graph if isinstance(model, Model) else None
    if graph is None or type(model).__module__.partition(".")[0] != "doltap":
        raise _refusal(model, "a Sequential or a Model(inputs, outputs) that is built", type(model).__name__)
    return graph


def _refusal(thing: Any, expected: str, got: str) -> NotSupportedError:
    return NotSupportedError(
        f"widening '{printable(getattr(thing, 'name', type(thing).__name__))}'",
        expected=expected,
        got=got,
        fix="Train this network in its own width.",
    )


def _hidden(graph: Graph) -> list[Any]:
    """The `Dense` layers whose units are not those of an output, in order."""
    ends = {id(tensor) for tensor in symbolic_leaves(graph.output_structure)}
    outer = set[int]()
    for node in reversed(graph.nodes):
        if not any(id(tensor) in ends for tensor in _outputs(node)):
            continue
        if type(node.call) is layers.Dense:
            outer.add(id(node.call))
        else:
            ends |= {id(tensor) for tensor in node.inputs}
    calls = {id(node.call): node.call for node in graph.nodes if type(node.call) is layers.Dense}
    return [call for key, call in calls.items() if key not in outer]


def _outputs(node: Node) -> list[SymbolicTensor]:
    return symbolic_leaves(node.outputs)


def _wanted(hidden: Sequence[Any], widths: int | Sequence[int]) -> list[int]:
    wanted = [widths] * len(hidden) if isinstance(widths, (int, np.integer)) else list(widths)
    if len(wanted) != len(hidden):
        raise ShapeError(
            "widths",
            expected=f"one for each of the {len(hidden)} hidden Dense layers",
            got=str(len(wanted)),
            fix="Or give one number for all.",
        )
    for layer, width in zip(hidden, wanted, strict=True):
        if arguments.count("widths", width) < layer.units:
            raise ShapeError(
                f"widening '{printable(layer.name)}'",
                expected=f"at least its own {layer.units} units",
                got=str(width),
                fix="Take the largest width among the networks that are to share a program.",
            )
    return [int(width) for width in wanted]


class _Origin:
    """Where a wider twin comes from. A layer in a tuple would become part of the model."""

    def __init__(self, model: Any, plan: _Plan) -> None:
        self.model, self.plan = model, plan


class _Plan:
    """Where the numbers of a network lie in its wider twin.

    Args:
        graph: of the network.
        widths: the new width of each layer that gets one, by its identity.
    """

    def __init__(self, graph: Graph, widths: dict[int, int]) -> None:
        self.widths = widths
        # Of each tensor, which of its last numbers are the narrow network's.
        masks: dict[int, Mask] = {}
        # Of each layer, by its identity, the masks of the axes of its weights.
        self.masks: dict[int, list[tuple[Mask, ...]]] = {}
        for node in graph.nodes:
            given = [masks[id(tensor)] for tensor in node.inputs]
            found = self._through(node, given)
            for tensor in _outputs(node):
                masks[id(tensor)] = found if found is not None else _all(tensor.shape)

    def _through(self, node: Node, given: list[Mask]) -> Mask | None:
        """Which of the last numbers of the output are the narrow network's; None stands for all."""
        call = node.call
        if type(call) is layers.Dense:
            return self._dense(call, given[0])
        if all(mask.all() for mask in given):
            return None
        if type(call) is layers.Concatenate and call.axis in (-1, len(_outputs(node)[0].shape) - 1):
            return np.concatenate(given)
        if type(call) in (layers.Add, layers.Average) and all(np.array_equal(given[0], m) for m in given):
            return given[0]
        if not _keeps_zeros(call):
            kind = f"a {type(call).__name__}" if isinstance(call, Layer) else "an operation"
            raise _refusal(call, "layers that treat every unit by itself, and leave zeros as they are", kind)
        return given[0]

    def _dense(self, layer: Any, given: Mask) -> Mask:
        width = self.widths.get(id(layer), layer.units)
        found = np.arange(width) < layer.units
        if not found.all() or not given.all():
            _check_dense(layer, is_wider=not found.all())
        masks: list[tuple[Mask, ...]] = [(given, found), *([(found,)] if layer.use_bias else [])]
        before = self.masks.setdefault(id(layer), masks)
        if any(not np.array_equal(*pair) for pair in zip(before[0], masks[0], strict=True)):
            raise _refusal(layer, "inputs of one make", "two calls on inputs that are wider in other places")
        return found

    def masks_of(self, layer: Any) -> list[tuple[Mask, ...]]:
        """The masks of the axes of each of its weights."""
        known = self.masks.get(id(layer))
        return known or [
            tuple(np.ones(size, bool) for size in weight.shape) for weight in layer.own_weights()
        ]

    def pairs(self, narrow: Any, wide: Any) -> list[tuple[Variable, Variable, tuple[Mask, ...]]]:
        """The weights of both models, each with where the first lies in the second."""
        return [
            (one, other, masks)
            for layer, twin in zip(narrow.layers, wide.layers, strict=True)
            for one, other, masks in zip(
                _all_weights(layer), _all_weights(twin), self._all_masks(layer), strict=True
            )
        ]

    def _all_masks(self, layer: Any) -> list[tuple[Mask, ...]]:
        return [masks for each in (layer, *layer.inside(Layer)) for masks in self.masks_of(each)]


def _all_weights(layer: Any) -> list[Variable]:
    return [weight for each in (layer, *layer.inside(Layer)) for weight in each.own_weights()]


def _all(shape: Any) -> Mask:
    return np.ones(shape[-1] or 1 if len(shape) else 1, bool)


def _keeps_zeros(call: Any) -> bool:
    """Whether it looks at every unit by itself, and gives zero for zero."""
    kinds = (layers.ReLU, layers.LeakyReLU, layers.ELU)
    if type(call) in kinds:
        return not np.asarray(call.call(jnp.zeros((1, 1)))).any()
    return type(call) is layers.Activation and _is_keeping(call.activation)


def _is_keeping(activation: Callable[..., Any]) -> bool:
    return any(activation is getattr(activations, name) for name in _KEEPING)


def _check_dense(layer: Any, *, is_wider: bool) -> None:
    """The layer may have more units, or inputs of zeros."""
    if is_wider and not _is_keeping(layer.activation):
        name = getattr(layer.activation, "__name__", "a function")
        raise _refusal(layer, "an activation that gives 0 for 0", f"'{name}'")
    costs = (layer.kernel_regularizer, layer.bias_regularizer, layer.activity_regularizer)
    for cost in costs:
        if cost is not None and not _rests_at_zero(cost):
            raise _refusal(layer, "regularizers that leave zeros alone, as L2", type(cost).__name__)
    for limit in (layer.kernel_constraint, layer.bias_constraint):
        if limit is not None and type(limit) not in _LIMITS:
            raise _refusal(layer, "constraints that leave zeros as they are", type(limit).__name__)


def _rests_at_zero(cost: Any) -> bool:
    """Whether a weight of zero costs nothing, and is pushed nowhere."""
    # The slope of |x| at 0 is 1 in JAX: L1 would move what is to stay.
    return type(cost) is regularizers.L2 or (type(cost) is regularizers.L1L2 and not cost.l1)


def _places(masks: tuple[Mask, ...]) -> Any:
    return np.ix_(*(np.flatnonzero(mask) for mask in masks)) if masks else ()


def _fill(narrow: Any, wide: Any, plan: _Plan) -> None:
    """Give the wider twin the network's weights, and zeros beside them."""
    pairs = plan.pairs(narrow, wide)
    filled = []
    for one, other, masks in pairs:
        values = np.zeros(other.shape, one.numpy().dtype)
        values[_places(masks)] = one.numpy()
        filled.append(values)
        other.trainable = one.trainable
    assign_all([other for _, other, _ in pairs], filled)
    for layer, twin in zip(narrow.layers, wide.layers, strict=True):
        twin._trainable = layer._trainable
    wide._trainable = narrow._trainable


def _compile_alike(narrow: Any, wide: Any, plan: _Plan) -> None:
    """Compile the twin as the network is, with an optimizer of its own that is as far."""
    optimizer = narrow.optimizer
    if type(optimizer) not in _EVEN:
        raise _refusal(optimizer, "an optimizer that moves every number by itself", type(optimizer).__name__)
    mover = type(optimizer).from_config(optimizer.get_config())
    wide.compile(optimizer=mover, run_eagerly=narrow.run_eagerly, **copy.deepcopy(vars(narrow._wishes)))
    if not optimizer.is_built:
        return
    mover.build(wide.trainable_weights)
    for one, other, masks in _slot_pairs(narrow, wide, plan):
        values = other.numpy()
        values[_places(masks)] = one.numpy()
        other.assign(values)
    mover.iterations.assign(optimizer.iterations.numpy())


def _slot_pairs(narrow: Any, wide: Any, plan: _Plan) -> list[tuple[Variable, Variable, tuple[Mask, ...]]]:
    """What both optimizers remember, each with where the first lies in the second."""
    masks = {id(one): where for one, _, where in plan.pairs(narrow, wide)}
    weights = narrow.trainable_weights
    groups = narrow.optimizer.build(weights), wide.optimizer.build(wide.trainable_weights)
    found = []
    for number, (one, other) in enumerate(zip(*groups, strict=True)):
        # Behind the groups of the weights may stand one that is for all.
        own = masks[id(weights[number])] if number < len(weights) else ()
        found += [(slot, other[name], own if slot.ndim else ()) for name, slot in one.items()]
    return found
