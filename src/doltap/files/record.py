"""What a model file holds, whatever its format: plain values and arrays."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

__all__ = ["Record"]


@dataclasses.dataclass
class Record:
    """A model as a file knows it.

    Weights stand under Keras 3's paths in `paths` ("layers/dense/vars/0",
    "optimizer/vars/3"), or, as Keras 1 and 2 wrote them, by layer in `layers`:
    the layer's name, then name and array of each of its weights.
    """

    format: str
    # The model in Keras 3's form: module, class_name, config, and the settings of
    # `compile` as compile_config. None in a file of weights.
    config: dict[str, Any] | None = None
    # Versions and dates, as the file tells them.
    metadata: dict[str, Any] = dataclasses.field(default_factory=dict)
    paths: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)
    layers: list[tuple[str, list[tuple[str, np.ndarray]]]] | None = None
    # The optimizer's variables in the order of Keras 3, beside `layers`.
    optimizer: list[tuple[str, np.ndarray]] = dataclasses.field(default_factory=list)
    # The names of the layers at the paths, where the file tells them: "layers/dense" -> "hidden".
    names: dict[str, str] = dataclasses.field(default_factory=dict)
    # Files beside the configuration, such as vocabularies, by path: "assets/layers/...".
    assets: dict[str, bytes] = dataclasses.field(default_factory=dict)
