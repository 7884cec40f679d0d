"""Weights from a file into a model: compared first, layer by layer, then assigned all at once."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from doltap.core.layer import Layer
from doltap.core.tensors import Variable
from doltap.errors import ModelFileError
from doltap.files.record import Record
from doltap.models.places import Place, places

__all__ = ["fill"]

Stores = dict[str, dict[str, np.ndarray]]


def fill(
    model: Any, record: Record, what: str, *, skip_mismatch: bool = False, by_name: bool = False
) -> None:
    """Give the model the arrays of a record.

    Args:
        what: the record comes from, as errors name it.
        skip_mismatch: leave out what does not fit, and say so.

    Raises:
        ModelFileError: something does not fit; then no weight has changed.
    """
    stores = _stores(record.paths)
    pairs: list[tuple[Variable, np.ndarray]] = []
    misfits: list[ModelFileError] = []
    later: list[tuple[Any, dict[str, np.ndarray]]] = []
    for place in places(model):
        store = stores.pop(place.path, {})
        if not isinstance(place.owner, Layer):
            later.append((place.owner, store))
        elif type(place.owner).load_own_variables is not Layer.load_own_variables:
            later.append((place.owner, store))
        else:
            _compare(place, store, what, pairs, misfits)
    misfits += [_left_over(path, store, what) for path, store in stores.items() if store and _counts(path)]
    if misfits and not skip_mismatch:
        raise misfits[0]
    for variable, array in pairs:
        variable.assign(array)
    for owner, store in later:
        if isinstance(owner, Layer):
            owner.load_own_variables(store)
        else:
            _fill_optimizer(owner, store, model, what)
    if misfits:
        listed = "; ".join(f"{one.subject}: {one.parts['got']}" for one in misfits)
        warnings.warn(f"{what}: left out what does not fit: {listed}.", stacklevel=4)


def _stores(paths: Mapping[str, np.ndarray]) -> Stores:
    """The arrays by the path of their owner, and by name."""
    stores: Stores = {}
    for path, array in paths.items():
        owner, _, name = path.rpartition("/")
        owner = owner.removesuffix("vars").removesuffix("/")
        stores.setdefault(owner, {})[name] = array
    return stores


def _counts(path: str) -> bool:
    """Whether the weights at this path would be missed."""
    apart = {"optimizer", "metrics", "seed_generator"}
    return not apart & set(path.split("/"))


def _compare(
    place: Place,
    store: dict[str, np.ndarray],
    what: str,
    pairs: list[tuple[Variable, np.ndarray]],
    misfits: list[ModelFileError],
) -> None:
    """Note which array goes to which weight of a layer, and what is wrong."""
    weights = place.owner.own_weights()
    if len(weights) != len(store):
        have = [str(tuple(array.shape)) for array in store.values()]
        wanted = [f"{weight.name} {weight.shape}" for weight in weights]
        misfits.append(
            ModelFileError(
                f"layer '{place.owner.name}' in {what}",
                expected=f"{len(weights)} weights" + (f" ({', '.join(wanted)})" if wanted else ""),
                got=f"{len(store)}" + (f" ({', '.join(have)})" if have else ""),
                fix="The weights are those of another architecture; compare the layers of the two.",
            )
        )
        return
    for number, weight in enumerate(weights):
        array = store.get(str(number))
        if array is None or tuple(array.shape) != weight.shape:
            misfits.append(
                ModelFileError(
                    f"layer '{place.owner.name}' in {what}",
                    expected=f"'{weight.name}' of shape {weight.shape}",
                    got="none" if array is None else f"shape {tuple(array.shape)}",
                    fix="The weights are those of another architecture; compare the layers of the two.",
                )
            )
        else:
            pairs.append((weight, array))


def _left_over(path: str, store: dict[str, np.ndarray], what: str) -> ModelFileError:
    shapes = ", ".join(str(tuple(array.shape)) for array in store.values())
    return ModelFileError(
        f"'{path}' in {what}",
        expected="a layer of the model at this place",
        got=f"weights of shape {shapes} that no layer takes",
        fix="The weights are those of another architecture; compare the layers of the two.",
    )


def _fill_optimizer(optimizer: Any, store: dict[str, np.ndarray], model: Any, what: str) -> None:
    arrays = [store[name] for name in sorted(store, key=int)]
    if len(arrays) != len(optimizer.variables):
        optimizer.build(model.trainable_weights)
    variables = optimizer.variables
    if [v.shape for v in variables] != [array.shape for array in arrays]:
        warnings.warn(
            f"{what}: the state of the optimizer '{optimizer.name}' was left out: the file has "
            f"{len(arrays)} arrays for its {len(variables)} variables.",
            stacklevel=5,
        )
        return
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)
