"""Seeds 001 and 004: networks of several layers on Fashion-MNIST.

Every peer is handed the same arrays and does the same epochs in an order
shuffled anew for each; all compute in float32.
"""

from __future__ import annotations

import dataclasses
import itertools
import statistics
import time
from collections.abc import Callable

import numpy as np

from programs import pictures
from task import Task, peak_megabytes

__all__ = [
    "CLASSIFIER",
    "fashion_accuracy_in_keras",
    "fashion_deep64_in_keras",
    "fashion_deep64_in_sklearn",
    "fashion_deep64_in_torch",
    "fashion_sgd32_in_keras",
    "fashion_sgd32_in_sklearn",
    "fashion_sgd32_in_torch",
    "keras_network",
]

_LOSS = "sparse_categorical_crossentropy"


@dataclasses.dataclass(frozen=True)
class Design:
    """A network and how it is trained."""

    hidden: tuple[int, ...]
    optimizer: str
    batch_size: int
    num_epochs: int = 5


CLASSIFIER = Design((300, 100), "sgd", 32)
_DEEP = Design((64, 128, 256, 128, 64), "adam", 64)


@dataclasses.dataclass
class Data:
    """Rows to train on and rows to be judged by."""

    x: np.ndarray
    y: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray


def _scaled_pictures(task: Task) -> Data:
    """Seed 001: all but the first 5,000, as float64 from 0 to 1."""
    x, y, x_test, y_test = pictures.load(task, "fashion")
    rows = slice(5000, 5000 + task.scaled(55000))
    return Data(x[rows] / 255.0, y[rows], x_test / 255.0, y_test)


def _raw_pictures(task: Task) -> Data:
    """Seed 004: the first 48,000, as uint8 from 0 to 255."""
    x, y, x_test, y_test = pictures.load(task, "fashion")
    rows = slice(task.scaled(48000))
    return Data(x[rows], y[rows], x_test, y_test)


def fashion_sgd32_in_keras(task: Task) -> dict:
    return _in_keras(task, CLASSIFIER, _scaled_pictures(task))


def fashion_sgd32_in_torch(task: Task) -> dict:
    return _in_torch(CLASSIFIER, _scaled_pictures(task))


def fashion_sgd32_in_sklearn(task: Task) -> dict:
    return _in_sklearn(CLASSIFIER, _scaled_pictures(task))


def fashion_deep64_in_keras(task: Task) -> dict:
    return _in_keras(task, _DEEP, _raw_pictures(task))


def fashion_deep64_in_torch(task: Task) -> dict:
    return _in_torch(_DEEP, _raw_pictures(task))


def fashion_deep64_in_sklearn(task: Task) -> dict:
    return _in_sklearn(_DEEP, _raw_pictures(task))


def fashion_accuracy_in_keras(task: Task) -> dict:
    """The validation accuracy after each of 30 epochs."""
    keras = task.open_keras()
    keras.utils.set_random_seed(task.seed)
    x, y, _, _ = pictures.load(task, "fashion")
    x = x / 255.0
    model = keras_network(keras, CLASSIFIER)
    model.compile(loss=_LOSS, optimizer="sgd", metrics=["accuracy"])
    valid = (x[:5000], y[:5000])
    history = model.fit(x[5000:], y[5000:], epochs=task.scaled(30), validation_data=valid, verbose=0)
    return {"val_accuracy": [float(value) for value in history.history["val_accuracy"]]}


def keras_network(keras, design: Design):
    layers = [keras.Input(shape=(28, 28)), keras.layers.Flatten()]
    layers += [keras.layers.Dense(units, activation="relu") for units in design.hidden]
    return keras.Sequential([*layers, keras.layers.Dense(10, activation="softmax")])


def _in_keras(task: Task, design: Design, data: Data) -> dict:
    keras = task.open_keras()
    ends = []

    class Clock(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            ends.append(time.perf_counter())

    model = keras_network(keras, design)
    began = time.perf_counter()
    model.compile(loss=_LOSS, optimizer=design.optimizer, metrics=["accuracy"])
    model.fit(
        data.x,
        data.y,
        batch_size=design.batch_size,
        epochs=design.num_epochs,
        callbacks=[Clock()],
        verbose=0,
    )
    return _figures(began, ends, lambda: model.predict(data.x_test, verbose=0), data)


def _in_torch(design: Design, data: Data) -> dict:
    import torch

    from programs import torch_loop

    model = torch_loop.dense_network([784, *design.hidden, 10])
    ends = []
    began = time.perf_counter()
    tensors = torch_loop.tensors(data.x, data.y)
    if design.optimizer == "sgd":
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    else:
        optimizer = torch.optim.Adam(model.parameters(), lr=0.001, eps=1e-7)
    loss = torch.nn.CrossEntropyLoss()
    epochs = torch_loop.epochs(model, loss, optimizer, tensors, design.batch_size, torch_loop.num_correct)
    for _ in range(design.num_epochs):
        next(epochs)
        ends.append(time.perf_counter())
    return _figures(began, ends, lambda: torch_loop.probabilities(model, data.x_test), data)


def _in_sklearn(design: Design, data: Data) -> dict:
    from sklearn.neural_network import MLPClassifier

    model = MLPClassifier(
        hidden_layer_sizes=design.hidden,
        solver=design.optimizer,
        alpha=0,
        batch_size=design.batch_size,
        learning_rate_init=0.01 if design.optimizer == "sgd" else 0.001,
        momentum=0,
        nesterovs_momentum=False,
        epsilon=1e-7,
    )
    ends = []
    began = time.perf_counter()
    # It computes in the precision of what it is given.
    x = data.x.reshape(len(data.x), -1).astype(np.float32)
    for _ in range(design.num_epochs):
        model.partial_fit(x, data.y, classes=np.arange(10))
        ends.append(time.perf_counter())
    flat = data.x_test.reshape(len(data.x_test), -1).astype(np.float32)
    return _figures(began, ends, lambda: model.predict_proba(flat), data)


def _figures(began: float, ends: list[float], predict: Callable[[], np.ndarray], data: Data) -> dict:
    peak = peak_megabytes()
    steady = [end - start for start, end in itertools.pairwise(ends)]
    return {
        "first_seconds": ends[0] - began,
        "steady_seconds": statistics.median(steady),
        "peak_megabytes": peak,
        "epochs": len(ends),
        **pictures.score(np.asarray(predict()), data.y_test),
    }
