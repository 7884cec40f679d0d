"""What `.keras` files of Keras 2.12 and later hold, as those of Keras 3 do."""

from __future__ import annotations

from typing import Any

import numpy as np

from doltap.files.old_configs import layers, slots, training

__all__ = ["modern_archive", "output_names"]

Described = dict[str, Any]
Paths = dict[str, np.ndarray]

_SLOTS = "optimizer/vars/"


def modern_archive(config: Described, paths: Paths) -> tuple[Described, Paths]:
    """The configuration and the arrays as Keras 3 writes them.

    Args:
        config: config.json of the file.
        paths: the arrays in its model.weights.h5; only those of the optimizer stand otherwise.
    """
    model = layers.modern_model(config)
    settings = config.get("compile_config")
    if not settings:
        return model, paths
    optimizer = _described(settings.get("optimizer"))
    given = {**settings, "optimizer_config": optimizer}
    model["compile_config"] = training.modern_training(given, output_names(model))
    named = {key: array for key, array in paths.items() if key.startswith(_SLOTS)}
    kept = {key: array for key, array in paths.items() if key not in named}
    arrays = [named[key] for key in sorted(named, key=lambda key: int(key.removeprefix(_SLOTS)))]
    ordered = slots.modern_slots(optimizer, arrays) if arrays else []
    return model, kept | {f"{_SLOTS}{number}": array for number, array in enumerate(ordered)}


def _described(optimizer: Any) -> Described:
    """The optimizer that was given to `compile`; its name alone means the usual settings."""
    if isinstance(optimizer, str):
        return {"class_name": optimizer, "config": {"is_legacy_optimizer": False}}
    return optimizer


def output_names(model: Described) -> list[str]:
    """The names of a model's outputs: the keys of a dict, else the layers that make them."""
    ends = model["config"].get("output_layers", [])
    if isinstance(ends, dict):
        return sorted(ends)
    if len(ends) == 3 and isinstance(ends[0], str):
        ends = [ends]
    return [end[0] for end in ends]
