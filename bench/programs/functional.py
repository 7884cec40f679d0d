"""A network of 50 dense layers, built call by call, to the end of its first training step."""

from __future__ import annotations

import time

import numpy as np

from task import Task

__all__ = ["functional50_in_keras"]

_NUM_LAYERS = 50
_WIDTH = 32
_NUM_ROWS = 32


def functional50_in_keras(task: Task) -> dict:
    keras = task.open_keras()
    # What the first network and the first program load counts as the import's.
    needed = (keras.Input, keras.Model, keras.layers.Dense)
    rng = np.random.default_rng(task.seed)
    x = rng.standard_normal((_NUM_ROWS, _WIDTH), np.float32)
    y = rng.standard_normal((_NUM_ROWS, 1), np.float32)
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
