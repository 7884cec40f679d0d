"""A network of 50 dense layers, built call by call, to the end of its first training step."""

from __future__ import annotations

import time
import warnings

import numpy as np

from task import Task

__all__ = ["functional50_in_keras", "functional50_in_sklearn", "functional50_in_torch"]

_NUM_LAYERS = 50
_WIDTH = 32
_NUM_ROWS = 32


def functional50_in_keras(task: Task) -> dict:
    keras = task.open_keras()
    # What the first network and the first program load counts as the import's.
    needed = (keras.Input, keras.Model, keras.layers.Dense)
    x, y = _data(task)
    began = time.perf_counter()
    inputs = keras.Input(shape=(_WIDTH,))
    outputs = inputs
    for _ in range(task.scaled(_NUM_LAYERS)):
        outputs = keras.layers.Dense(_WIDTH, activation="relu")(outputs)
    model = keras.Model(inputs, keras.layers.Dense(1)(outputs))
    built = time.perf_counter()
    model(x)
    called = time.perf_counter()
    model.compile(optimizer="adam", loss="mse")
    model.fit(x, y, batch_size=_NUM_ROWS, epochs=1, verbose=0)
    ended = time.perf_counter()
    assert all(needed)
    figures = {"build_seconds": built - began, "call_seconds": called - built}
    return {"seconds": ended - began, **figures, "loss": float(model.evaluate(x, y, verbose=0))}


def functional50_in_torch(task: Task) -> dict:
    import torch
    from torch import nn

    x, y = map(torch.from_numpy, _data(task))
    began = time.perf_counter()
    pairs = [(nn.Linear(_WIDTH, _WIDTH), nn.ReLU()) for _ in range(task.scaled(_NUM_LAYERS))]
    model = nn.Sequential(*(layer for pair in pairs for layer in pair), nn.Linear(_WIDTH, 1))
    built = time.perf_counter()
    model(x)
    called = time.perf_counter()
    optimizer = torch.optim.Adam(model.parameters())
    nn.functional.mse_loss(model(x), y).backward()
    optimizer.step()
    ended = time.perf_counter()
    figures = {"build_seconds": built - began, "call_seconds": called - built}
    return {"seconds": ended - began, **figures, "loss": float(nn.functional.mse_loss(model(x), y))}


def functional50_in_sklearn(task: Task) -> dict:
    from sklearn.neural_network import MLPRegressor

    x, y = _data(task)
    began = time.perf_counter()
    model = MLPRegressor(
        hidden_layer_sizes=(_WIDTH,) * task.scaled(_NUM_LAYERS), batch_size=_NUM_ROWS, max_iter=1
    )
    with warnings.catch_warnings():
        # One step is not convergence, it says.
        warnings.simplefilter("ignore")
        model.fit(x, y[:, 0])
    return {"seconds": time.perf_counter() - began, "loss": float(np.mean((model.predict(x) - y[:, 0]) ** 2))}


def _data(task: Task) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(task.seed)
    x = rng.standard_normal((_NUM_ROWS, _WIDTH), np.float32)
    return x, rng.standard_normal((_NUM_ROWS, 1), np.float32)
