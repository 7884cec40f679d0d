"""A program of a user's: a search that keeps its results, and may be killed in the middle of it."""

import json
import os
import signal
import sys

import numpy as np

import doltap as keras
from doltap import tune
from doltap.tune import folder

KINDS = {
    "random": lambda **given: tune.RandomizedSearchCV(build, SPACE, n_iter=12, **given),
    "hyperband": lambda **given: tune.Hyperband(build, SPACE, max_iter=9, **given),
    "evolution": lambda **given: tune.Evolution(build, SPACE, population_size=4, n_generations=4, **given),
}
SPACE = {"units": [2, 3], "learning_rate": [0.001, 0.003, 0.01, 0.03, 0.1, 0.2]}
trained = []


def build(units, learning_rate):
    """A compiled network."""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(units, activation="tanh")])
    model.add(keras.layers.Dense(1))
    model.compile(loss="mse", optimizer=keras.optimizers.Adam(learning_rate))
    return model


def die_after(number):
    """Kill this process once so many candidates were kept."""
    keep, kept = folder.Folder.keep, []

    def keeping(self, *arguments):
        keep(self, *arguments)
        kept.append(1)
        if len(kept) == number:
            os.kill(os.getpid(), signal.SIGKILL)

    folder.Folder.keep = keeping


def count_trainings():
    """Note every model that is trained."""
    run = keras.Model._run_fit
    keras.Model._run_fit = lambda self, *given: trained.append(1) or run(self, *given)


def main():
    """Search, and tell what came of it and how many models were trained."""
    count_trainings()
    kind, place, number = sys.argv[1:]
    if int(number):
        die_after(int(number))
    keras.utils.set_random_seed(0)
    x = np.random.default_rng(0).uniform(-1, 1, (40, 2))
    y = x[:, 0] - 0.5 * x[:, 1]
    search = KINDS[kind](random_state=0, cv=2, folder=place or None).fit(x, y)
    told = {
        "scores": search.cv_results_["mean_test_score"].tolist(),
        "best": str(search.best_params_),
        "predicted": search.predict(x[:3]).tolist(),
        "trained": len(trained),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
