"""Networks and data that the tests of the searches share, in a module that other processes can import."""

from __future__ import annotations

import numpy as np

import doltap as keras


def number(units=4, learning_rate=0.05, width=2):
    """A compiled network that estimates one number."""
    model = keras.Sequential([keras.Input((width,))])
    model.add(keras.layers.Dense(units, activation="tanh"))
    model.add(keras.layers.Dense(1))
    model.compile(loss="mse", optimizer=keras.optimizers.SGD(learning_rate))
    return model


def classes(units=4, learning_rate=0.1):
    """A compiled network that tells three classes apart."""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(units, activation="tanh")])
    model.add(keras.layers.Dense(3, activation="softmax"))
    optimizer = keras.optimizers.Adam(learning_rate)
    model.compile(loss="sparse_categorical_crossentropy", optimizer=optimizer, metrics=["accuracy"])
    return model


def for_targets(X, y, units=4, learning_rate=0.1):
    """A compiled network for whatever the labels are, as Keras 3's estimators ask for it."""
    head, loss = (None, "mse") if y.shape[1] == 1 else ("softmax", "categorical_crossentropy")
    model = keras.Sequential([keras.Input(X.shape[1:]), keras.layers.Dense(units, activation="tanh")])
    model.add(keras.layers.Dense(y.shape[1], activation=head))
    model.compile(loss=loss, optimizer=keras.optimizers.Adam(learning_rate))
    return model


def points(num=40, seed=0):
    """Points in the plane, a number that depends on them, and one of three names for their third."""
    x = np.random.default_rng(seed).uniform(-1, 1, (num, 2))
    y = x[:, 0] - 0.5 * x[:, 1]
    return x, y, np.array(["low", "mid", "top"])[np.digitize(y, [-0.4, 0.4])]


def unbuilt(units=4, learning_rate=0.05):
    """A compiled network of two classes that learns the width of its inputs from the data."""
    layers = [keras.layers.Dense(units, "relu"), keras.layers.Dense(1, "sigmoid")]
    model = keras.Sequential(layers)
    model.compile(keras.optimizers.Adam(learning_rate), "binary_crossentropy")
    return model


def one_hot_classes(units=4, learning_rate=0.1):
    """A compiled network that tells three classes apart, as one-hot rows."""
    model = keras.Sequential([keras.layers.Dense(units, "tanh"), keras.layers.Dense(3, "softmax")])
    model.compile(keras.optimizers.Adam(learning_rate), "categorical_crossentropy")
    return model
