"""A program of a user's: it searches in other processes, with functions and callbacks of its own."""

import json
import os
import sys

import joblib
import numpy as np
from sklearn.model_selection import GridSearchCV, cross_validate

import doltap as keras
from doltap.wrappers.scikeras import KerasRegressor


class Noting(keras.callbacks.Callback):
    """Keeps the number of the process that trained."""

    def on_train_end(self, logs=None):
        """Note it on the model."""
        self.model.trained_in = os.getpid()


def tower(units, meta):
    """A network, not compiled."""
    layers = keras.layers
    return keras.Sequential([layers.Dense(units, activation="tanh"), layers.Dense(meta["n_outputs_"])])


def weighted_error(y_true, y_pred):
    """A loss of the program's own."""
    return keras.ops.mean((y_true - y_pred) ** 2, axis=-1) * 2


def run():
    """Search and cross-validate, and tell what came of it."""
    x = np.random.default_rng(0).uniform(-1, 1, (60, 2))
    y = x[:, 0] - 0.5 * x[:, 1]
    settings = {"epochs": 15, "verbose": 0, "random_state": 0, "optimizer__learning_rate": 0.05}
    regressor = KerasRegressor(tower, model__units=3, loss=weighted_error, optimizer="adam", **settings)
    regressor.set_params(callbacks=[Noting()])
    grid = {"optimizer__learning_rate": [0.001, 0.1]}
    search = GridSearchCV(regressor, grid, cv=2, n_jobs=-1, error_score="raise").fit(x, y)
    found = cross_validate(regressor, x, y, cv=3, n_jobs=-1, return_estimator=True)
    alone = cross_validate(regressor, x, y, cv=3)
    return {
        "best": search.best_params_,
        "score": search.best_score_,
        "same": bool(np.allclose(found["test_score"], alone["test_score"])),
        "predicted": [one.predict(x).shape for one in found["estimator"]],
        "elsewhere": all(one.model_.trained_in != os.getpid() for one in found["estimator"]),
    }


def main():
    """Search with the backend that is named."""
    if sys.argv[1] == "dask":
        from distributed import Client, LocalCluster

        options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
        cluster = LocalCluster(processes=True, **options)
        with cluster, Client(cluster), joblib.parallel_config("dask"):
            told = run()
    else:
        with joblib.parallel_config(sys.argv[1]):
            told = run()
    print(json.dumps(told))


if __name__ == "__main__":
    main()
