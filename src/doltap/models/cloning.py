"""A second model of the same layers, with weights of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from doltap.core.graph import Operation, SymbolicTensor
from doltap.core.layer import Layer
from doltap.errors import NotSupportedError
from doltap.layers.arrange import InputLayer, Lambda
from doltap.models import functional
from doltap.models.model import Model
from doltap.models.sequential import Sequential
from doltap.registry import explained

__all__ = ["clone_model"]


@explained
def clone_model(
    model: Any,
    input_tensors: Any = None,
    clone_function: Callable[[Layer], Layer] | None = None,
    call_function: Callable[..., Any] | None = None,
    recursive: bool = False,
) -> Any:
    """A model of the same architecture, with new layers and new weights.

    Args:
        input_tensors: symbolic tensors to begin from; None makes new inputs.
        clone_function: gives the layer to stand for each one; None makes it from its `get_config()`.
        call_function: called as f(layer, *arguments, **keywords) instead of layer(*arguments, **keywords).
        recursive: whether `clone_function` is asked for the layers inside models
            too, instead of for those models.

    >>> from doltap.layers import Dense
    >>> tower = Sequential([Dense(3, input_dim=2)])
    >>> [layer.units for layer in clone_model(tower).layers]
    [3]
    """
    if not isinstance(model, Model):
        raise NotSupportedError(
            "clone_model",
            expected="a model",
            got=repr(model),
            fix="A layer is made again by type(layer).from_config(layer.get_config()).",
        )
    copy = _copier(clone_function, call_function, recursive=recursive)
    if isinstance(model, Sequential):
        return _cloned_row(model, copy, input_tensors)
    if model._graph is None:
        if clone_function is not None or input_tensors is not None or call_function is not None:
            raise NotSupportedError(
                f"clone_model({type(model).__name__})",
                expected="a Sequential or a Model(inputs, outputs), where layers are to be replaced",
                got=f"the class {type(model).__name__} with a call of its own",
                fix="Only clone_model(model) is possible; it is made from its get_config().",
            )
        return type(model).from_config(model.get_config())
    call = call_function or (lambda layer, *arguments, **keywords: layer(*arguments, **keywords))
    inputs, outputs = functional.copied(model._graph, copy, call, input_tensors)
    kind = type(model) if model.is_made_of_tensors else Model
    return kind(inputs, outputs, name=model.name)


def _copier(
    clone_function: Callable[[Layer], Layer] | None, call_function: Any, *, recursive: bool
) -> Callable[[Any], Any]:
    """What gives the stand-in for a layer, an operation or an input."""

    def copy(call: Any) -> Any:
        if isinstance(call, Operation):
            return Operation(call.function, call.name)
        if recursive and isinstance(call, Model) and call._graph is not None:
            return clone_model(call, None, clone_function, call_function, recursive=True)
        if clone_function is None or isinstance(call, InputLayer):
            return _again(call)
        made = clone_function(call)
        if not isinstance(made, Layer):
            raise NotSupportedError(
                "clone_function",
                expected=f"a layer for '{call.name}'",
                got=repr(made),
                fix="Let it return the layer that is to stand there: layer itself, or a new one.",
            )
        return made

    return copy


def _again(layer: Layer) -> Any:
    """A new layer as this one is described."""
    if type(layer) is Lambda:
        # Its function is at hand, and needs no description.
        parts = layer.output_shape, layer.mask, layer.arguments
        return Lambda(layer.function, *parts, name=layer.name, trainable=layer.trainable)
    return type(layer).from_config(layer.get_config())


def _cloned_row(model: Sequential, copy: Callable[[Any], Any], inputs: Any) -> Sequential:
    """A Sequential of stand-ins for the layers."""
    given = inputs[0] if isinstance(inputs, (list, tuple)) and len(inputs) == 1 else inputs
    if given is not None and not isinstance(given, SymbolicTensor):
        raise NotSupportedError(
            "clone_model(input_tensors)",
            expected="one symbolic tensor for a Sequential",
            got=repr(inputs),
            fix="For example input_tensors=Input((4,)).",
        )
    layers = [copy(layer) for layer in model.layers]
    front = [copy(model.first)] if given is None and model.first is not None else []
    return type(model)([*front, *([given] if given is not None else []), *layers], name=model.name)
