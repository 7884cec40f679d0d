"""How long the imports of a program take.

doltap loads a namespace when it is first used, so the import touches those
that every program uses.
"""

from __future__ import annotations

import time

from task import Task

__all__ = ["import_in_keras", "import_in_sklearn", "import_in_torch"]


def import_in_keras(task: Task) -> dict:
    began = time.perf_counter()
    keras = task.open_keras()
    needed = (keras.Sequential, keras.models, keras.layers.Dense, keras.datasets.fashion_mnist)
    seconds = time.perf_counter() - began
    assert all(needed)
    return {"seconds": seconds}


def import_in_torch(task: Task) -> dict:
    began = time.perf_counter()
    import torch

    needed = (torch.nn.Linear, torch.optim.SGD)
    seconds = time.perf_counter() - began
    assert all(needed)
    return {"seconds": seconds}


def import_in_sklearn(task: Task) -> dict:
    began = time.perf_counter()
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    needed = (MLPClassifier, MLPRegressor)
    seconds = time.perf_counter() - began
    assert all(needed)
    return {"seconds": seconds}
