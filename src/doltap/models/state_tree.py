"""The arrays of a model as one tree of dicts, by the names on the way to them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jax.numpy as jnp

from doltap.core.layer import Layer
from doltap.core.tensors import Variable
from doltap.errors import UnknownNameError
from doltap.metrics import Metric

__all__ = ["set_tree", "tree_of"]

_FORMATS = ("backend_tensor", "numpy_array")


def tree_of(model: Any, value_format: str) -> dict[str, Any]:
    """The arrays by role, and below that by the names of layers and weights."""
    if value_format not in _FORMATS:
        raise UnknownNameError.of("value_format", value_format, _FORMATS)
    tree: dict[str, Any] = {}
    for role, path, variable in _paths(model):
        branch = tree.setdefault(role, {})
        for name in path[:-1]:
            branch = branch.setdefault(name, {})
        branch[path[-1]] = variable.numpy() if value_format == "numpy_array" else jnp.array(variable.value)
    return tree


def set_tree(model: Any, tree: dict[str, Any]) -> None:
    """Give the variables the arrays of a tree; what is not in it stays as it is."""
    known = {(role, *path): variable for role, path, variable in _paths(model)}
    for path, array in _leaves(tree, ()):
        if path not in known:
            raise UnknownNameError.of("variable in the state tree", "/".join(path), map("/".join, known))
        known[path].assign(array)


def _leaves(tree: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    if not isinstance(tree, dict):
        yield path, tree
        return
    for name, branch in tree.items():
        yield from _leaves(branch, (*path, str(name)))


def _paths(model: Any) -> Iterator[tuple[str, tuple[str, ...], Variable]]:
    """Every variable with its role and the names that lead to it."""
    paths: dict[Variable, tuple[str, ...]] = {}
    _walk(model, (), paths)
    for role in ("trainable_variables", "non_trainable_variables"):
        for variable in getattr(model, role):
            yield role, paths[variable], variable
    optimizer = model.optimizer
    if optimizer is not None:
        # A slot is called after the weight it is for.
        owners = {
            slot: (name, "_".join(paths[weight]))
            for weight, group in optimizer._slots.items()
            if weight in paths
            for name, slot in group.items()
        }
        for variable in optimizer.variables:
            name, weight = owners.get(variable, (variable.name, ""))
            yield "optimizer_variables", (optimizer.name, f"{weight}_{name}".removeprefix("_")), variable
    for metric in model.metrics:
        if isinstance(metric, Metric):
            yield from (("metrics_variables", (metric.name, v.name), v) for v in metric.variables)


def _walk(owner: Layer, path: tuple[str, ...], paths: dict[Variable, tuple[str, ...]]) -> None:
    # The layers of a Model(inputs, outputs) were made outside of it, and bear names of their own.
    is_passed = owner.kept_in[1] == "Functional" and getattr(owner, "is_network", False)
    path = path if is_passed else (*path, owner.name)
    for variable in owner.own_weights():
        paths.setdefault(variable, (*path, variable.name))
    for layer in owner.children():
        _walk(layer, path, paths)
