"""Models and weights in HDF5 as Keras 1, 2 and 3 lay them out by layer.

A whole model has its configuration, and the settings of `compile`, as JSON in
attributes of the file. Weights stand by layer, in an order that attributes
tell: those that are trained first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from doltap.errors import DoltapError, ModelFileError, printable
from doltap.files import old_configs, plain_json
from doltap.files.hdf5 import Group
from doltap.files.record import Record

__all__ = ["is_by_layer", "read", "write"]

# An attribute holds 64 KB; of a text in a list it holds a reference of 16 bytes.
_NAMES_IN_AN_ATTRIBUTE = 2000
# The layout, as the version of Keras that wrote it last.
_KERAS_VERSION = "2.15.0"
# The group of the weights that belong to the model itself.
_OF_MODEL = "top_level_model_weights"

Weights = list[tuple[str, np.ndarray]]


def is_by_layer(root: Group) -> bool:
    """Whether the file holds a model, or weights, in this layout."""
    names = ("model_config", "layer_names", "layer_names0", "nb_layers")
    return any(name in root.attributes for name in names)


def read(root: Group, what: str) -> Record:
    """What the file holds, with its configuration as Keras 3 has it.

    Args:
        what: the file is, as errors name it.

    Raises:
        ModelFileError: the file is damaged, or no model.
    """
    try:
        return _read(root, what)
    except DoltapError:
        raise
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, RecursionError) as error:
        raise ModelFileError(
            what,
            expected="the configuration of a model as Keras writes it",
            got=f"one that cannot be understood ({type(error).__name__}: {printable(error)})",
            fix="The file is damaged, or was made by something else.",
        ) from error


def _read(root: Group, what: str) -> Record:
    if "nb_layers" in root.attributes:
        raise ModelFileError(
            what,
            expected="weights by the names of layers, as Keras has written them since 1.0",
            got="weights by number, of a Keras before 1.0",
            fix="Load and save them with Keras 1 first.",
        )
    # A layer may have this name, where the weights stand in the file itself.
    is_itself = any(name in root.attributes for name in ("layer_names", "layer_names0"))
    weights = root if is_itself else root.groups.get("model_weights", root)
    version = root.attributes.get("keras_version", weights.attributes.get("keras_version", "1"))
    backend = root.attributes.get("backend", weights.attributes.get("backend"))
    metadata = {"keras_version": str(version), "backend": backend}
    record = Record("h5", metadata=metadata, layers=_layers(weights, what))
    if "model_config" in root.attributes:
        described = _json(root, "model_config", what)
        record.config = old_configs.modern_model(described)
        settings = _json(root, "training_config", what)
        if settings is not None:
            _take_training(record, settings, root, what)
    return record


def _json(root: Group, name: str, what: str) -> Any:
    text = root.attributes.get(name)
    return None if text is None else plain_json.read_json(text, f"{name} in {what}")


def _take_training(record: Record, settings: dict[str, Any], root: Group, what: str) -> None:
    """The settings of `compile` into the record, with what the optimizer remembers."""
    assert record.config is not None
    record.config["compile_config"] = old_configs.modern_training(
        settings, old_configs.output_names(record.config)
    )
    slots = root.groups.get("optimizer_weights")
    if slots is None:
        return
    named, optimizer = _weights(slots, "the optimizer", what), settings["optimizer_config"]
    # Keras 3 wrote its own order into HDF5, too.
    if record.metadata["keras_version"].startswith("3"):
        record.optimizer = named
        return
    record.metadata["notes"] = old_configs.notes_on(optimizer)
    try:
        arrays = old_configs.modern_slots(optimizer, [array for _, array in named])
        record.optimizer = [(str(number), array) for number, array in enumerate(arrays)]
    except ModelFileError as error:
        # The model is whole without it.
        record.metadata["notes"].append(f"training begins anew. {error}")


def _layers(weights: Group, what: str) -> list[tuple[str, Weights]]:
    """The layers in the order of the file, each with its weights."""
    layers = []
    for name in [*_names(weights, "layer_names", what), _OF_MODEL]:
        group = _group_at(weights, name)
        if group is not None:
            layers.append((name, _weights(group, f"layer '{printable(name)}'", what)))
        elif name != _OF_MODEL:
            raise _damaged(what, f"the weights of layer '{printable(name)}'")
    return [pair for pair in layers if pair[0] != _OF_MODEL or pair[1]]


def _weights(group: Group, whose: str, what: str) -> Weights:
    found = []
    for name in _names(group, "weight_names", what):
        *folders, last = name.split("/")
        inside = _group_at(group, "/".join(folders)) if folders else group
        array = None if inside is None else inside.arrays.get(last)
        if array is None:
            raise _damaged(what, f"the array '{printable(name)}' of {whose}")
        found.append((name, array))
    return found


def _group_at(group: Group, path: str) -> Group | None:
    """The group at the path, if it is there; a name may hold slashes."""
    found: Group | None = group
    for name in path.split("/"):
        found = None if found is None else found.groups.get(name)
    return found


def _names(group: Group, name: str, what: str) -> list[str]:
    """The names that an attribute lists, or several where they were too many for one."""
    if name in group.attributes:
        found = group.attributes[name]
    else:
        found, number = [], 0
        while f"{name}{number}" in group.attributes:
            found.extend(group.attributes[f"{name}{number}"])
            number += 1
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise _damaged(what, f"a list of names as {name}")
    return found


def _damaged(what: str, lacking: str) -> ModelFileError:
    return ModelFileError(
        what,
        expected=lacking,
        got="none",
        fix="The file is damaged; take another copy of it, if there is one.",
    )


def write(record: Record) -> Group:
    """The file for a model, or for weights alone, as both Keras 2 and 3 read it.

    Args:
        record: with its weights in `layers`, and what the optimizer remembers in `optimizer`.

    Raises:
        NotSupportedError: the model holds what this format cannot.
    """
    root = Group({"keras_version": _KERAS_VERSION, "backend": "jax"})
    if record.config is None:
        _put_layers(root, record.layers or [])
        return root
    root.attributes["model_config"] = plain_json.write_json(old_configs.old_model(record.config))
    _put_layers(root.at("model_weights"), record.layers or [])
    settings = record.config.get("compile_config")
    if settings is not None:
        written = old_configs.old_training(settings, old_configs.output_names(record.config))
        root.attributes["training_config"] = plain_json.write_json(written)
        arrays = [array for _, array in record.optimizer]
        # Keras 3 cannot train with an optimizer that it read from HDF5; before the first step there is none.
        if arrays and arrays[0]:
            slots = old_configs.old_slots(written["optimizer_config"], arrays)
            _put_weights(
                root.at("optimizer_weights"), [(f"vars/{n}:0", slot) for n, slot in enumerate(slots)]
            )
    return root


def _put_layers(group: Group, layers: Sequence[tuple[str, Weights]]) -> None:
    group.attributes |= {"keras_version": _KERAS_VERSION, "backend": "jax"}
    _put_names(group, "layer_names", [name for name, _ in layers if name != _OF_MODEL])
    for name, weights in layers:
        _put_weights(group.at(name), weights)
    _put_weights(group.at(_OF_MODEL), dict(layers).get(_OF_MODEL, []))


def _put_weights(group: Group, weights: Weights) -> None:
    names: dict[str, None] = {}
    for name, array in weights:
        # Layers inside a layer may bear the same names.
        free, number = name, 0
        while free in names:
            number += 1
            free = f"{name.removesuffix(':0')}_{number}:0"
        names[free] = None
        *folders, last = free.split("/")
        (group.at("/".join(folders)) if folders else group).arrays[last] = array
    _put_names(group, "weight_names", list(names))


def _put_names(group: Group, name: str, names: list[str]) -> None:
    if len(names) <= _NAMES_IN_AN_ATTRIBUTE:
        group.attributes[name] = names
        return
    starts = range(0, len(names), _NAMES_IN_AN_ATTRIBUTE)
    for number, start in enumerate(starts):
        group.attributes[f"{name}{number}"] = names[start : start + _NAMES_IN_AN_ATTRIBUTE]
