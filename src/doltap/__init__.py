"""doltap: neural networks that read like Keras and run as one compiled program.

`import doltap as keras` is the front door. What a Keras user can name lives
under the same name here and is loaded when it is first used.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_namespaces = (
    "activations",
    "backend",
    "callbacks",
    "config",
    "datasets",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "models",
    "optimizers",
    "random",
    "utils",
)
_names = {"Input": "layers", "Layer": "layers", "Model": "models", "Sequential": "models", "Variable": "core"}

__all__ = [*_namespaces, *_names, "__version__"]


def __getattr__(name: str) -> Any:
    if name in _namespaces:
        return importlib.import_module(f"doltap.{name}")
    if name in _names:
        return getattr(importlib.import_module(f"doltap.{_names[name]}"), name)
    errors = importlib.import_module("doltap.errors")
    guess = errors.closest(name, __all__)
    raise AttributeError(f"doltap has no '{name}'." + (f" Did you mean '{guess}'?" if guess else ""))


def __dir__() -> list[str]:
    return sorted(__all__)
