"""Seed 002: one neuron finds y = x + 1 in ten rows and 3,000 epochs of one step each."""

from __future__ import annotations

import time
import warnings

import numpy as np

from task import Task

__all__ = [
    "line3000_in_keras",
    "line3000_in_sklearn",
    "line3000_in_torch",
    "line3000_whole_in_keras",
    "line3000_whole_in_sklearn",
    "line3000_whole_in_torch",
]

_X = np.array([-3, 31, -11, 4, 0, 22, -2, -5, -25, -14]).reshape(-1, 1)
_Y = np.array([-2, 32, -10, 5, 1, 23, -1, -4, -24, -13])
_NUM_EPOCHS = 3000


def line3000_in_keras(task: Task) -> dict:
    model = _keras_model(task)
    model.fit(_X, _Y, epochs=1, verbose=0)
    began = time.perf_counter()
    model.fit(_X, _Y, epochs=task.scaled(_NUM_EPOCHS), verbose=0)
    seconds = time.perf_counter() - began
    return {"seconds": seconds, **_score(model.predict(_X, verbose=0))}


def line3000_whole_in_keras(task: Task) -> dict:
    model = _keras_model(task)
    model.fit(_X, _Y, epochs=task.scaled(_NUM_EPOCHS), verbose=0)
    model.predict(np.array([[11], [12], [13]]), verbose=0)
    return {}


def _keras_model(task: Task):
    keras = task.open_keras()
    model = keras.Sequential([keras.Input(shape=(1,)), keras.layers.Dense(units=1, activation="linear")])
    model.compile(optimizer="adam", loss="mse", metrics=["mae"])
    return model


def line3000_in_torch(task: Task) -> dict:
    model, epochs = _torch_training()
    next(epochs)
    began = time.perf_counter()
    for _ in range(task.scaled(_NUM_EPOCHS)):
        next(epochs)
    seconds = time.perf_counter() - began
    return {"seconds": seconds, **_score(_torch_prediction(model, _X))}


def line3000_whole_in_torch(task: Task) -> dict:
    model, epochs = _torch_training()
    for _ in range(task.scaled(_NUM_EPOCHS)):
        next(epochs)
    _torch_prediction(model, np.array([[11], [12], [13]]))
    return {}


def _torch_training():
    import torch

    from programs import torch_loop

    def absolute_error(outputs, labels):
        return (outputs - labels).abs().sum()

    model = torch_loop.dense_network([1, 1])
    optimizer = torch.optim.Adam(model.parameters(), eps=1e-7)
    data = torch.tensor(_X, dtype=torch.float32), torch.tensor(_Y, dtype=torch.float32)[:, None]
    return model, torch_loop.epochs(model, torch.nn.MSELoss(), optimizer, data, 32, absolute_error)


def _torch_prediction(model, x: np.ndarray) -> np.ndarray:
    import torch

    with torch.no_grad():
        return model(torch.tensor(x, dtype=torch.float32)).numpy()


def line3000_in_sklearn(task: Task) -> dict:
    model = _sklearn_model(1)
    model.fit(_X.astype(np.float32), _Y)
    model.set_params(max_iter=task.scaled(_NUM_EPOCHS))
    began = time.perf_counter()
    model.fit(_X.astype(np.float32), _Y)
    seconds = time.perf_counter() - began
    return {"seconds": seconds, **_score(model.predict(_X.astype(np.float32)))}


def line3000_whole_in_sklearn(task: Task) -> dict:
    model = _sklearn_model(task.scaled(_NUM_EPOCHS))
    model.fit(_X.astype(np.float32), _Y)
    model.predict(np.array([[11], [12], [13]], np.float32))
    return {}


def _sklearn_model(num_epochs: int):
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPRegressor

    # It says so when all the epochs it was given are used up.
    warnings.simplefilter("ignore", ConvergenceWarning)
    return MLPRegressor(
        hidden_layer_sizes=(),
        solver="adam",
        alpha=0,
        batch_size=10,
        epsilon=1e-7,
        max_iter=num_epochs,
        tol=0,
        n_iter_no_change=_NUM_EPOCHS + 1,
        warm_start=True,
    )


def _score(predictions: np.ndarray) -> dict[str, float]:
    return {"loss": float(np.mean((predictions.reshape(-1) - _Y) ** 2))}
