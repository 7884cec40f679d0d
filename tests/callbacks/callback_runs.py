"""The small runs that the tests of callbacks compare: the same model and data in both libraries."""

from __future__ import annotations

import numpy as np
import pytest

import doltap

quiet_peer = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning:keras"),
    pytest.mark.filterwarnings("ignore:Early:UserWarning"),
    pytest.mark.filterwarnings("ignore:Learning rate reduction:UserWarning"),
    pytest.mark.filterwarnings("ignore:ReduceLROnPlateau:UserWarning"),
]

X = np.random.default_rng(0).normal(size=(37, 4)).astype(np.float32)
Y = (X @ np.array([[1.0], [-2.0], [0.5], [3.0]]) + 1).astype(np.float32)
START = [np.random.default_rng(1).normal(size=(4, 1)).astype(np.float32), np.zeros(1, np.float32)]


def model_of(library, optimizer="SGD", **rates):
    model = library.Sequential([library.layers.Input((4,)), library.layers.Dense(1)])
    model.set_weights(START)
    rule = getattr(library.optimizers, optimizer)(**(rates or {"learning_rate": 0.05}))
    # The peer runs its few steps one by one, which saves compiling them.
    eagerly = {} if library is doltap else {"run_eagerly": True}
    model.compile(optimizer=rule, loss="mse", metrics=["mae"], **eagerly)
    return model


def fit(model, callbacks, **keywords):
    keywords = {"epochs": 2, "batch_size": 16, **keywords}
    return model.fit(X, Y, shuffle=False, verbose=0, callbacks=callbacks, **keywords)


HOOKS = {
    "on_train_begin": 0,
    "on_train_end": 0,
    "on_epoch_begin": 1,
    "on_epoch_end": 1,
    "on_train_batch_begin": 1,
    "on_train_batch_end": 1,
    "on_test_begin": 0,
    "on_test_end": 0,
    "on_test_batch_begin": 1,
    "on_test_batch_end": 1,
    "on_predict_begin": 0,
    "on_predict_end": 0,
    "on_predict_batch_begin": 1,
    "on_predict_batch_end": 1,
}


def listener(library, hooks):
    """A callback with just these hooks, whose `heard` is a list of (hook, number, logs)."""
    heard = []

    def hook_named(name):
        # Neither has a default: the engine has to pass everything, as Keras does.
        def without_number(self, logs):
            heard.append((name, None, dict(logs)))

        def with_number(self, number, logs):
            heard.append((name, number, dict(logs)))

        return with_number if HOOKS.get(name, 1) else without_number

    own = type("Listener", (library.callbacks.Callback,), {name: hook_named(name) for name in hooks})()
    own.heard = heard
    return own


class Stub:
    """As much of a model as a callback touches: its weights are the number of the epoch."""

    def __init__(self, rate=0.1):
        self.stop_training = False
        self.epoch = 0
        self.optimizer = doltap.optimizers.SGD(rate)

    def get_weights(self):
        return [np.float32(self.epoch)]

    def set_weights(self, weights):
        self.epoch = float(weights[0])
