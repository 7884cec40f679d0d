"""Seed 003: softmax regression with early stopping, from `compile` to the end of `fit`.

Capped at 8 epochs, fewer than any peer needs to lose patience as a rule; the
epochs each has done stand in the results.
"""

from __future__ import annotations

import copy
import os
import time
import warnings

import numpy as np

from programs import pictures
from task import Task, peak_megabytes

__all__ = ["early_stop_in_keras", "early_stop_in_sklearn", "early_stop_in_torch"]

_NUM_EPOCHS = 8
_PATIENCE = 5


def _load(task: Task) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """60,000 rows of 784 numbers from 0 to 1 as float64, the class numbers, and the test rows."""
    name = "mnist" if os.path.isdir(os.path.join(task.folder, "mnist")) else "fashion"
    x, y, x_test, y_test = pictures.load(task, name)
    rows = slice(task.scaled(60000))
    return x[rows].reshape(-1, 784) / 255.0, y[rows], x_test.reshape(-1, 784) / 255.0, y_test


def early_stop_in_keras(task: Task) -> dict:
    keras = task.open_keras()
    x, y, x_test, y_test = _load(task)
    one_hot = np.eye(10)[y]
    model = keras.Sequential([keras.Input(shape=(784,)), keras.layers.Dense(10, activation="softmax")])
    began = time.perf_counter()
    model.compile(loss="categorical_crossentropy", metrics=["accuracy"], optimizer="adam")
    stopping = keras.callbacks.EarlyStopping(
        monitor="val_loss", patience=_PATIENCE, restore_best_weights=True
    )
    history = model.fit(x, one_hot, validation_split=0.2, callbacks=[stopping], epochs=_NUM_EPOCHS, verbose=0)
    figures = _figures(began, len(history.epoch))
    return {**figures, **pictures.score(model.predict(x_test, verbose=0), y_test)}


def early_stop_in_torch(task: Task) -> dict:
    import torch

    from programs import torch_loop

    x, y, x_test, y_test = _load(task)
    model = torch_loop.dense_network([784, 10])
    began = time.perf_counter()
    cut = int(len(x) * 0.8)
    inputs, labels = torch_loop.tensors(x, y)
    optimizer = torch.optim.Adam(model.parameters(), eps=1e-7)
    loss = torch.nn.CrossEntropyLoss()
    train, valid = (inputs[:cut], labels[:cut]), (inputs[cut:], labels[cut:])
    epochs = torch_loop.epochs(model, loss, optimizer, train, 32, torch_loop.num_correct)
    best, best_weights, waited, done = float("inf"), None, 0, 0
    while done < _NUM_EPOCHS and waited < _PATIENCE:
        next(epochs)
        done, waited = done + 1, waited + 1
        found, _ = torch_loop.validation_loss(model, loss, valid, 32)
        if found < best:
            best, best_weights, waited = found, copy.deepcopy(model.state_dict()), 0
    model.load_state_dict(best_weights)
    return {**_figures(began, done), **pictures.score(torch_loop.probabilities(model, x_test), y_test)}


def early_stop_in_sklearn(task: Task) -> dict:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    # It says so when all the epochs it was given are used up.
    warnings.simplefilter("ignore", ConvergenceWarning)
    x, y, x_test, y_test = _load(task)
    began = time.perf_counter()
    # It watches the accuracy, of rows drawn by class: it has no other way.
    model = MLPClassifier(
        hidden_layer_sizes=(),
        solver="adam",
        alpha=0,
        batch_size=32,
        epsilon=1e-7,
        max_iter=_NUM_EPOCHS,
        early_stopping=True,
        validation_fraction=0.2,
        n_iter_no_change=_PATIENCE,
        tol=0,
    )
    model.fit(x.astype(np.float32), y)
    figures = _figures(began, model.n_iter_)
    return {**figures, **pictures.score(model.predict_proba(x_test.astype(np.float32)), y_test)}


def _figures(began: float, num_epochs: int) -> dict:
    seconds = time.perf_counter() - began
    return {"seconds": seconds, "peak_megabytes": peak_megabytes(), "epochs": num_epochs}
