"""Networks and data that the tests of the estimators share, in a module that other processes can import."""

from __future__ import annotations

import numpy as np

import doltap as keras


def number(units=4, learning_rate=0.05, width=2):
    """A compiled network that estimates one number."""
    model = keras.Sequential([keras.Input((width,))])
    model.add(keras.layers.Dense(units, activation="tanh"))
    model.add(keras.layers.Dense(1))
    model.compile(loss="mse", optimizer=keras.optimizers.Adam(learning_rate))
    return model


def sigmoid(units=4, width=2):
    """A compiled network with one sigmoid."""
    model = keras.Sequential([keras.Input((width,)), keras.layers.Dense(units, activation="tanh")])
    model.add(keras.layers.Dense(1, activation="sigmoid"))
    model.compile(loss="binary_crossentropy", optimizer=keras.optimizers.Adam(0.1), metrics=["accuracy"])
    return model


def softmax(units=8, classes=3, loss="sparse_categorical_crossentropy", width=2):
    """A compiled network with a softmax."""
    model = keras.Sequential([keras.Input((width,)), keras.layers.Dense(units, activation="tanh")])
    model.add(keras.layers.Dense(classes, activation="softmax"))
    model.compile(loss=loss, optimizer=keras.optimizers.Adam(0.1), metrics=["accuracy"])
    return model


def points(num=60, seed=0):
    """Points in the plane, a number that depends on them, and one of three names for their third."""
    x = np.random.default_rng(seed).uniform(-1, 1, (num, 2))
    y = x[:, 0] - 0.5 * x[:, 1]
    return x, y, np.array(["low", "mid", "top"])[np.digitize(y, [-0.4, 0.4])]


def for_targets(X, y, units=4):
    """A compiled network for whatever the labels are, as Keras 3's estimators ask for it."""
    head, loss = (None, "mse") if y.shape[1] == 1 else ("softmax", "categorical_crossentropy")
    model = keras.Sequential([keras.Input(X.shape[1:]), keras.layers.Dense(units, activation="tanh")])
    model.add(keras.layers.Dense(y.shape[1], activation=head))
    model.compile(loss=loss, optimizer=keras.optimizers.Adam(0.1), metrics=["accuracy"] if head else None)
    return model
