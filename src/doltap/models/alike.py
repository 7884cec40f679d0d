"""Whether models are one architecture: what a population asks before any work.

Starts, rates, factors and seeds may differ; layers, widths and the calls
between them may not. The first difference is named by its layer.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from doltap.core.layer import Layer
from doltap.core.tensors import Rate
from doltap.errors import DoltapError, NotSupportedError, ShapeError, printable
from doltap.layers import InputLayer
from doltap.training import cache, identity

__all__ = ["check_alike"]

_CURE = "Members share one architecture: make a Population for each."

# Settings of a layer that change numbers, and no architecture.
_FREE = frozenset({"name", "seed", "trainable", "rate", "stddev", "batch_shape", "batch_input_shape"})


def check_alike(models: Sequence[Any]) -> None:
    """An error that names the first two members that are not alike, and the layer in which they differ."""
    _check_apart(models)
    first, print_of_first = _layers(models[0]), cache.fingerprint(models[0])
    for number, model in enumerate(models[1:], 1):
        if print_of_first is not None and cache.fingerprint(model) == print_of_first:
            continue
        pairs = itertools.zip_longest(first, _layers(model))
        for one, other in pairs:
            _check_pair(one, other, number)
        if _wiring(models[0]) != _wiring(model):
            raise NotSupportedError(
                _members(number),
                expected="layers that are called in the same order, on the same inputs",
                got="calls that differ, of layers that are alike",
                fix=_CURE,
            )


def _members(number: int) -> str:
    return f"Population members 0 and {number}"


def _layers(model: Any) -> list[Any]:
    return [layer for layer in model.inside(Layer) if not isinstance(layer, InputLayer)]


def _check_apart(models: Sequence[Any]) -> None:
    """No two models share weights or an optimizer."""
    owners: dict[int, int] = {}
    for number, model in enumerate(models):
        mine = {id(weight): "weights" for weight in model.weights} | {id(model): "everything"}
        if model.optimizer is not None:
            mine[id(model.optimizer)] = f"the optimizer '{model.optimizer.name}'"
        for key, what in mine.items():
            other = owners.setdefault(key, number)
            if other != number:
                raise NotSupportedError(
                    f"Population members {other} and {number}",
                    expected="models of their own",
                    got=f"two that share {what}",
                    fix="Give each its own layers and optimizer, as Population(build, 5) does.",
                )


def _check_pair(one: Any, other: Any, number: int) -> None:
    if one is None or other is None:
        more = other if one is None else one
        raise _error(
            ShapeError, number, more, "as many layers", f"one more, {type(more).__name__} '{more.name}'"
        )
    if type(one) is not type(other):
        raise _error(
            NotSupportedError, number, one, type(one).__name__, f"{type(other).__name__} '{other.name}'"
        )
    for path, have, got in identity.differences(_settings(one), _settings(other)):
        raise _error(ShapeError, number, one, f"{path}={have}", f"{path}={got}")
    shapes = [[weight.shape for weight in layer.own_weights()] for layer in (one, other)]
    if shapes[0] != shapes[1]:
        raise _error(ShapeError, number, one, f"weights of shapes {shapes[0]}", str(shapes[1]))


def _error(kind: type[DoltapError], number: int, layer: Any, expected: str, got: str) -> DoltapError:
    subject = f"{_members(number)}, layer '{printable(layer.name)}'"
    return kind(subject, expected=f"{expected} in both", got=got, fix=_CURE)


def _settings(layer: Any) -> dict[str, Any]:
    """What the layer is made with, without what members may have of their own."""
    described = identity.described(layer)
    if not isinstance(described, dict) or layer.inside(Layer):
        return {}
    return {key: value for key, value in described.items() if not _is_free(layer, key)}


def _is_free(layer: Any, key: str) -> bool:
    aspects = ("_initializer", "_regularizer")
    return key in _FREE or key.endswith(aspects) or isinstance(vars(layer).get(key), Rate)


def _wiring(model: Any) -> Any:
    """Which layer takes what from which, by position; None for a row of layers, or a call of one's own."""
    graph = model._graph
    if graph is None:
        return None
    plan = graph.plan()
    return cache.fingerprint([plan["nodes"], plan["inputs"], plan["outputs"]])
