"""Weights from a file into a model: compared first, layer by layer, then assigned all at once."""

from __future__ import annotations

import contextlib
import dataclasses
import pathlib
import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from doltap.core.layer import Layer
from doltap.core.tensors import Variable
from doltap.errors import ModelFileError, printable
from doltap.files.record import Record
from doltap.models.places import STYLES, Place, Style, by_layer, places

__all__ = ["fill"]

Store = dict[str, np.ndarray]

_OTHER = "The weights are those of another architecture; compare the layers of the two."
# What files hold beside weights, and nobody misses.
_APART = frozenset({"optimizer", "inner_optimizer", "metrics", "seed_generator"})


@dataclasses.dataclass
class _Plan:
    """Which array goes to which weight, and what does not fit."""

    what: str
    pairs: list[tuple[Variable, np.ndarray]] = dataclasses.field(default_factory=list)
    misfits: list[ModelFileError] = dataclasses.field(default_factory=list)
    # What is done once all fits: by layers with a way of their own, and by optimizers.
    later: list[Callable[[], None]] = dataclasses.field(default_factory=list)

    def misfit(self, subject: str, expected: str, got: str) -> None:
        """Note something that does not fit."""
        error = ModelFileError(f"{subject} in {self.what}", expected=expected, got=got, fix=_OTHER)
        self.misfits.append(error)

    def compare(self, name: str, weights: list[Variable], arrays: Mapping[str, np.ndarray]) -> None:
        """Note which array goes to which weight of a layer, or what is wrong."""
        if len(weights) != len(arrays):
            wanted = ", ".join(f"{weight.name} {weight.shape}" for weight in weights)
            have = ", ".join(str(tuple(array.shape)) for array in arrays.values())
            self.misfit(
                f"layer '{name}'",
                f"{len(weights)} weights" + (f" ({wanted})" if wanted else ""),
                f"{len(arrays)}" + (f" ({have})" if have else ""),
            )
            return
        for weight, array in zip(weights, arrays.values(), strict=True):
            if tuple(array.shape) == weight.shape and _fits_type(array, weight):
                self.pairs.append((weight, array))
            else:
                got = f"shape {tuple(array.shape)}" + (
                    "" if _fits_type(array, weight) else f" of {array.dtype}"
                )
                self.misfit(f"layer '{name}'", f"'{weight.name}' of shape {weight.shape}", got)


def fill(
    model: Any,
    record: Record,
    what: str,
    *,
    skip_mismatch: bool = False,
    by_name: bool = False,
    keeps_training: bool = True,
) -> None:
    """Give the model the arrays of a record.

    Args:
        what: the record comes from, as errors name it.
        skip_mismatch: leave out what does not fit, and say so.
        by_name: give weights to the layers of the same name, and leave out the others.
        keeps_training: whether the optimizer takes up what the file remembers.

    Raises:
        ModelFileError: something does not fit; then no weight has changed.
    """
    if by_name:
        plan = _by_name(model, record, what)
    elif record.layers is not None:
        plan = _in_order(model, record.layers, what)
    else:
        plan = _by_path(model, record, what, keeps_training=keeps_training)
    if plan.misfits and not skip_mismatch:
        raise plan.misfits[0]
    with _all_or_none(model if plan.later else None):
        for variable, array in plan.pairs:
            variable.assign(array)
        for each in plan.later:
            each()
    if record.optimizer and keeps_training and model.optimizer is not None:
        _fill_optimizer(model.optimizer, [array for _, array in record.optimizer], model, what)
    if plan.misfits:
        listed = "; ".join(f"{one.subject}: {one.parts['got']}" for one in plan.misfits)
        warnings.warn(f"Left out what does not fit: {listed}.", stacklevel=6)


@contextlib.contextmanager
def _all_or_none(model: Any) -> Iterator[None]:
    """Inside the `with` a layer's own way of loading may fail: then all weights are as they were."""
    layers = [model, *model.inside(Layer)] if model is not None else []
    optimizer = getattr(model, "optimizer", None)
    variables = [variable for layer in layers for variable in layer.own_weights()]
    variables += optimizer.variables if optimizer is not None else []
    # Those without an array yet are about to be made anew.
    before = [(variable, vars(variable)["array"]) for variable in variables if "array" in vars(variable)]
    try:
        yield
    except BaseException:
        for variable, array in before:
            variable.array = array
        raise


# By path.


def _by_path(model: Any, record: Record, what: str, *, keeps_training: bool) -> _Plan:
    """In the style of the Keras that wrote the file: the one that fits best."""
    best = None
    for style in STYLES.values():
        plan = _in_style(model, record, what, style, keeps_training=keeps_training)
        if not plan.misfits:
            return plan
        best = plan if best is None or len(plan.misfits) < len(best.misfits) else best
    assert best is not None
    return best


def _in_style(model: Any, record: Record, what: str, style: Style, *, keeps_training: bool) -> _Plan:
    stores, plan = _stores(record.paths), _Plan(what)
    for place in places(model, style):
        store, files = stores.pop(place.path, {}), _files(record.assets, place)
        owner = place.owner
        if not isinstance(owner, Layer):
            if keeps_training and store:
                plan.later.append(_later(_fill_optimizer, owner, _numbered(store), model, what))
            continue
        if type(owner).load_own_variables is not Layer.load_own_variables:
            if store or owner.built:
                plan.later.append(_later(owner.load_own_variables, store))
        elif store or owner.own_weights():
            _compare_store(plan, owner, store)
        if files:
            plan.later.append(_later(_load_assets, owner, files))
    for path, store in stores.items():
        if not _APART & set(path.split("/")):
            shapes = ", ".join(str(tuple(array.shape)) for array in store.values())
            plan.misfit(
                f"'{printable(path)}'", "a layer of the model at this place", f"weights of shape {shapes}"
            )
    return plan


def _later(function: Callable[..., None], *arguments: Any) -> Callable[[], None]:
    return lambda: function(*arguments)


def _compare_store(plan: _Plan, owner: Layer, store: Store) -> None:
    wanted = [str(number) for number in range(len(store))]
    if sorted(store) != sorted(wanted):
        plan.misfit(f"layer '{owner.name}'", f"weights called {wanted}", printable(list(store)))
    else:
        plan.compare(owner.name, owner.own_weights(), {name: store[name] for name in wanted})


def _fits_type(array: np.ndarray, weight: Variable) -> bool:
    return array.dtype.kind in "fiubV" or array.dtype.kind == weight.dtype[0]


def _stores(paths: Mapping[str, np.ndarray]) -> dict[str, Store]:
    """The arrays by the path of their owner, and by name."""
    stores: dict[str, Store] = {}
    for path, array in paths.items():
        owner, _, name = path.rpartition("/")
        owner = "" if owner == "vars" else owner.removesuffix("/vars")
        stores.setdefault(owner, {})[name] = array
    return stores


def _numbered(store: Store) -> list[np.ndarray]:
    """The arrays in the order of their names, which are numbers."""
    return [store[name] for name in sorted(store, key=lambda name: (len(name), name))]


def _files(assets: Mapping[str, bytes], place: Place) -> dict[str, bytes]:
    """What lies beside the configuration for a layer, by the names of its files."""
    folder = f"assets/{place.path}/" if place.path else "assets/"
    found = {
        name.removeprefix(folder): content for name, content in assets.items() if name.startswith(folder)
    }
    return {name: content for name, content in found.items() if name and "/" not in name}


def _load_assets(owner: Any, files: dict[str, bytes]) -> None:
    """Let a layer read its files, in a folder that is there for this alone."""
    load = getattr(type(owner), "load_assets", None)
    if load is None:
        return
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            (pathlib.Path(folder) / name).write_bytes(content)
        load(owner, folder)


# By layer, as Keras 1 and 2 wrote them.


def _in_order(model: Any, layers: Iterable[tuple[str, list[tuple[str, np.ndarray]]]], what: str) -> _Plan:
    """The layers with weights one after the other, whatever their names."""
    plan = _Plan(what)
    wanted = [(name, weights) for name, weights in by_layer(model) if weights]
    stored = [(name, weights) for name, weights in layers if weights]
    if len(wanted) != len(stored):
        plan.misfit(
            f"the layers of model '{model.name}'",
            f"{len(wanted)} with weights ({', '.join(name for name, _ in wanted)})",
            f"{len(stored)} ({printable(', '.join(name for name, _ in stored), 200)})",
        )
        return plan
    for (name, weights), (_, arrays) in zip(wanted, stored, strict=True):
        plan.compare(name, [weight for _, weight in weights], _by_number(array for _, array in arrays))
    return plan


def _by_number(arrays: Iterable[np.ndarray]) -> Store:
    return {str(number): array for number, array in enumerate(arrays)}


def _by_name(model: Any, record: Record, what: str) -> _Plan:
    """The layers that have the names of some in the file."""
    plan = _Plan(what)
    if record.layers is not None:
        stored = {
            name: _by_number(array for _, array in weights) for name, weights in record.layers if weights
        }
        for name, weights in by_layer(model):
            if weights and name in stored:
                plan.compare(name, [weight for _, weight in weights], stored[name])
        return plan
    stores = _stores(record.paths)
    stored = {name: _by_number(_numbered(stores.get(path, {}))) for path, name in record.names.items()}
    if not stored:
        plan.misfit("the layers", "names", "a file that does not tell any")
    for layer in model.inside(Layer):
        if layer.own_weights() and stored.get(layer.name):
            plan.compare(layer.name, layer.own_weights(), stored[layer.name])
    return plan


# What the optimizer remembers.


def _fill_optimizer(optimizer: Any, arrays: list[np.ndarray], model: Any, what: str) -> None:
    variables = _variables_for(optimizer, arrays)
    if variables is None:
        optimizer.build(model.trainable_weights)
        variables = _variables_for(optimizer, arrays)
    if variables is None:
        warnings.warn(
            f"{what}: what the optimizer '{optimizer.name}' remembered was left out: the file has "
            f"{len(arrays)} arrays, and it takes {len(optimizer.variables)}.",
            stacklevel=7,
        )
        return
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)


def _variables_for(optimizer: Any, arrays: list[np.ndarray]) -> list[Variable] | None:
    """The variables of the optimizer that have the shapes of the arrays, as it is built now."""
    everything = optimizer.variables
    # Keras 2 keeps no learning rate among them.
    without_rate = [each for each in everything if each is not optimizer.rates.get("learning_rate")]
    shapes = [tuple(array.shape) for array in arrays]
    fitting = (some for some in (everything, without_rate) if [each.shape for each in some] == shapes)
    return next(fitting, None)
