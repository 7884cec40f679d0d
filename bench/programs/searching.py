"""Seed 001's search: 10 candidates of a network for housing prices, three folds each, stopped early.

The words are SciKeras's, as it is with Keras 3 for the peer; for doltap they
are those of `doltap.wrappers.scikeras`. Every peer and repeat tries the same
candidates; the random starts of the networks differ from repeat to repeat.
"""

from __future__ import annotations

import functools
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

from task import Task, peak_megabytes

__all__ = ["lay_housing", "search_in_keras", "search_padded_in_keras", "search_tune_in_keras"]

_PARTS = ("x_train", "y_train", "x_valid", "y_valid")
_NUM_EPOCHS = 100
_PATIENCE = 10


def lay_housing(folder: Path) -> str:
    """Lay the data in the folder as the seed prepares it; the reason why not, or ""."""
    from sklearn.datasets import fetch_california_housing
    from sklearn.model_selection import train_test_split
    from sklearn.preprocessing import StandardScaler

    try:
        housing = fetch_california_housing()
    except OSError as error:
        return str(error).splitlines()[0]
    x_full, _, y_full, _ = train_test_split(housing.data, housing.target, random_state=42)
    x_train, x_valid, y_train, y_valid = train_test_split(x_full, y_full, random_state=42)
    scaler = StandardScaler().fit(x_train)
    arrays = (scaler.transform(x_train), y_train, scaler.transform(x_valid), y_valid)
    folder.mkdir()
    for part, array in zip(_PARTS, arrays, strict=True):
        np.save(folder / f"{part}.npy", array)
    return ""


def search_in_keras(task: Task) -> dict:
    """scikit-learn's search over SciKeras's estimator, or over doltap's."""
    from sklearn.model_selection import RandomizedSearchCV

    return _search(task, RandomizedSearchCV)


def search_tune_in_keras(task: Task) -> dict:
    """The same estimator of doltap's, searched by doltap."""
    from doltap import tune

    return _search(task, tune.RandomizedSearchCV)


def search_padded_in_keras(task: Task) -> dict:
    """As that, with networks of similar widths made equal in width."""
    from doltap import tune

    return _search(task, functools.partial(tune.RandomizedSearchCV, pad_widths=True))


def _search(task: Task, kind: Callable) -> dict:
    from scipy.stats import reciprocal

    if task.peer == "keras":
        from scikeras.wrappers import KerasRegressor
    else:
        from doltap.wrappers.scikeras import KerasRegressor

    keras = task.open_keras()
    x, y, x_valid, y_valid = (np.load(Path(task.folder, "housing", f"{part}.npy")) for part in _PARTS)

    def build_model(n_hidden=1, n_neurons=30, learning_rate=3e-3):
        # Keras 3 takes no integers of NumPy.
        model = keras.models.Sequential()
        model.add(keras.layers.InputLayer(shape=[8]))
        for _ in range(n_hidden):
            model.add(keras.layers.Dense(int(n_neurons), activation="relu"))
        model.add(keras.layers.Dense(1))
        model.compile(loss="mse", optimizer=keras.optimizers.SGD(learning_rate=learning_rate))
        return model

    distributions = {
        "model__n_hidden": [0, 1, 2, 3],
        "model__n_neurons": np.arange(1, 100),
        "model__learning_rate": reciprocal(3e-4, 3e-2),
    }
    keras.utils.set_random_seed(task.seed)
    began = time.perf_counter()
    stopping = keras.callbacks.EarlyStopping(patience=_PATIENCE)
    regressor = KerasRegressor(
        build_model,
        model__n_hidden=1,
        model__n_neurons=30,
        model__learning_rate=3e-3,
        epochs=task.scaled(_NUM_EPOCHS),
        callbacks=[stopping],
        verbose=0,
    )
    search = kind(
        regressor, distributions, n_iter=10, cv=3, random_state=42, scoring="neg_mean_squared_error"
    )
    with warnings.catch_warnings():
        # The highest rates end in losses that are no numbers, for every peer.
        warnings.simplefilter("ignore")
        search.fit(x, y, validation_data=(x_valid, y_valid))
    seconds = time.perf_counter() - began
    return {
        "seconds": seconds,
        "peak_megabytes": peak_megabytes(),
        "epochs": len(search.best_estimator_.history_["loss"]),
        "loss": -float(search.best_score_),
    }
