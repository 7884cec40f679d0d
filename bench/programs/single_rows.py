"""A trained network is asked about one picture at a time, 200 times, after one warm-up."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from programs import pictures
from programs.clothes import CLASSIFIER, keras_network
from task import Task

__all__ = ["predict1_in_keras", "predict1_in_sklearn", "predict1_in_torch"]

_NUM_ROWS = 200


def predict1_in_keras(task: Task) -> dict:
    model = keras_network(task.open_keras(), CLASSIFIER)
    return _ask(task, lambda row: model.predict(row, verbose=0))


def predict1_in_torch(task: Task) -> dict:
    from programs import torch_loop

    model = torch_loop.dense_network([784, *CLASSIFIER.hidden, 10])
    return _ask(task, lambda row: torch_loop.probabilities(model, row))


def predict1_in_sklearn(task: Task) -> dict:
    from sklearn.neural_network import MLPClassifier

    x, y, _, _ = pictures.load(task, "fashion")
    model = MLPClassifier(hidden_layer_sizes=CLASSIFIER.hidden, batch_size=32)
    model.partial_fit((x[:320] / 255).reshape(-1, 784).astype(np.float32), y[:320], classes=np.arange(10))
    return _ask(task, lambda row: model.predict_proba(row.reshape(1, 784).astype(np.float32)))


def _ask(task: Task, predict: Callable[[np.ndarray], np.ndarray]) -> dict:
    x_test = pictures.load(task, "fashion")[2][: task.scaled(_NUM_ROWS)] / 255.0
    predict(x_test[:1])
    began = time.perf_counter()
    answers = [predict(x_test[row : row + 1]) for row in range(len(x_test))]
    seconds = time.perf_counter() - began
    assert all(np.shape(answer) == (1, 10) for answer in answers)
    return {"seconds": seconds}
