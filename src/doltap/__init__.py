"""doltap: neural networks that read like Keras and run as one compiled program.

`import doltap as keras` is the front door. What a Keras user can name lives
under the same name here and is loaded when it is first used.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

__version__ = "0.1.0"

_namespaces = (
    "activations",
    "backend",
    "callbacks",
    "config",
    "constraints",
    "datasets",
    "dtype_policies",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "mixed_precision",
    "models",
    "ops",
    "optimizers",
    "preprocessing",
    "random",
    "regularizers",
    "saving",
    "tune",
    "utils",
    "wrappers",
)
_names = {
    "DTypePolicy": "dtype_policies",
    "FloatDTypePolicy": "dtype_policies",
    "Initializer": "initializers",
    "Input": "layers",
    "KerasTensor": "core",
    "Layer": "layers",
    "Loss": "losses",
    "Metric": "metrics",
    "Model": "models",
    "Optimizer": "optimizers",
    "Regularizer": "regularizers",
    "Sequential": "models",
    "Variable": "core",
}
# What IPython looks for when it meets `%load_ext doltap`.
_asked_by_ipython = ("load_ipython_extension", "unload_ipython_extension")

__all__ = [*_namespaces, *_names, "__version__"]


def __getattr__(name: str) -> Any:
    if name in _namespaces:
        return importlib.import_module(f"doltap.{name}")
    if name in _names:
        return getattr(importlib.import_module(f"doltap.{_names[name]}"), name)
    if name in _asked_by_ipython:
        return getattr(importlib.import_module("doltap.compat.notebooks"), name)
    doors = importlib.import_module("doltap.doors")
    found = doors.moved("doltap", name)
    if found is None:
        raise doors.lacking("doltap", name, is_import=doors.imports(sys._getframe(1)))
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
