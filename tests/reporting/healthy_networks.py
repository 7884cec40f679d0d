"""Twenty networks that learn as they should, of different kinds, on real tables and images.

Each gives a compiled model and what `fit` takes. Real images and houses where they are
installed, else the digits and the diabetes table of scikit-learn.
"""

from __future__ import annotations

import functools

import numpy as np
from sklearn import datasets as tables
from sklearn.model_selection import train_test_split

import doltap as keras
from doltap.layers import (
    Activation,
    BatchNormalization,
    Concatenate,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    LayerNormalization,
    Normalization,
    Rescaling,
)

HEALTHY = {}


def healthy(make):
    HEALTHY[make.__name__] = make
    return make


@functools.cache
def table(name):
    """Training and test rows, the columns with mean 0 and spread 1."""
    data = getattr(tables, f"load_{name}")()
    stratify = None if name == "diabetes" else data.target
    parts = train_test_split(data.data, data.target, random_state=0, stratify=stratify)
    x, x_test, y, y_test = parts
    # The corners of the digits are empty, so that a column of its own has no spread.
    mean, spread = (8.0, 8.0) if name == "digits" else (x.mean(0), x.std(0))
    return (x - mean) / spread, y, (x_test - mean) / spread, y_test


@functools.cache
def images(count=6000):
    """Pictures of clothes in bytes, or of digits where there are none."""
    try:
        (x, y), (x_test, y_test) = keras.datasets.fashion_mnist.load_data()
    except keras.errors.DatasetError:
        data = tables.load_digits()
        x, x_test, y, y_test = train_test_split(data.images * 15.9, data.target, random_state=0)
    return x[:count], y[:count], x_test[:1500], y_test[:1500]


@functools.cache
def houses():
    """California's districts with their prices in 100,000 dollars; diabetes in spreads where they are not."""
    try:
        (x, y), (x_test, y_test) = keras.datasets.california_housing.load_data()
        y, y_test = y / 1e5, y_test / 1e5
    except keras.errors.DatasetError:
        x, y, x_test, y_test = table("diabetes")
        y, y_test = y / 77, y_test / 77
    mean, spread = x.mean(0), x.std(0)
    # Some districts lie a hundred spreads away.
    return np.clip((x - mean) / spread, -4, 4), y, np.clip((x_test - mean) / spread, -4, 4), y_test


def network(*layers, shape, optimizer, loss, metrics=()):
    model = keras.Sequential([keras.Input(shape), *layers])
    model.compile(optimizer, loss, metrics=list(metrics))
    return model


def classifier(name, *layers, optimizer, epochs, **options):
    x, y, x_test, y_test = table(name)
    classes = int(y.max()) + 1
    model = network(
        *layers,
        Dense(classes, activation="softmax"),
        shape=x.shape[1:],
        optimizer=optimizer,
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model, {"x": x, "y": y, "validation_data": (x_test, y_test), "epochs": epochs, **options}


@healthy
def softmax_regression_on_iris():
    return classifier("iris", optimizer=keras.optimizers.SGD(0.1), epochs=60, batch_size=16)


@healthy
def relu_and_adam_on_iris():
    return classifier("iris", Dense(16, "relu"), optimizer=keras.optimizers.Adam(0.01), epochs=30)


@healthy
def tanh_on_wine():
    return classifier("wine", Dense(16, "tanh"), Dense(16, "tanh"), optimizer="adam", epochs=60)


@healthy
def one_sigmoid_layer_on_wine():
    return classifier("wine", Dense(16, "sigmoid"), optimizer=keras.optimizers.SGD(0.3), epochs=60)


@healthy
def selu_with_lecun_on_digits():
    hidden = [Dense(50, "selu", kernel_initializer="lecun_normal") for _ in range(4)]
    return classifier("digits", *hidden, optimizer=keras.optimizers.SGD(0.02), epochs=25)


@healthy
def elu_and_rmsprop_on_digits():
    return classifier("digits", Dense(64, "elu"), Dense(32, "elu"), optimizer="rmsprop", epochs=15)


@healthy
def deep_relu_with_he_on_digits():
    hidden = [Dense(64, "relu", kernel_initializer="he_normal") for _ in range(6)]
    return classifier("digits", *hidden, optimizer=keras.optimizers.SGD(0.01, momentum=0.9), epochs=12)


@healthy
def batch_normalization_on_digits():
    layers = [Dense(64), BatchNormalization(), Activation("relu"), Dense(32), BatchNormalization()]
    return classifier("digits", *layers, Activation("relu"), optimizer="adam", epochs=12)


@healthy
def dropout_on_digits():
    layers = [Dense(128, "relu"), Dropout(0.3), Dense(64, "relu"), Dropout(0.3)]
    return classifier("digits", *layers, optimizer="adam", epochs=20)


@healthy
def layer_normalization_and_gelu_on_digits():
    layers = [Dense(64), LayerNormalization(), Activation("gelu"), Dense(32, "swish")]
    return classifier("digits", *layers, optimizer=keras.optimizers.Nadam(0.002), epochs=15)


@healthy
def logistic_regression_on_breast_cancer():
    x, y, x_test, y_test = table("breast_cancer")
    one = Dense(1, activation="sigmoid")
    model = network(one, shape=(30,), optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
    return model, {"x": x, "y": y, "validation_data": (x_test, y_test), "epochs": 60}


@healthy
def logits_on_breast_cancer():
    x, y, x_test, y_test = table("breast_cancer")
    layers = [Dense(16, "relu", kernel_regularizer=keras.regularizers.L2(0.01)), Dense(1)]
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model = network(*layers, shape=(30,), optimizer=keras.optimizers.SGD(0.05), loss=loss)
    return model, {"x": x, "y": y, "validation_data": (x_test, y_test), "epochs": 30}


@healthy
def several_labels_a_row_on_digits():
    x, y, x_test, y_test = table("digits")
    # Is it even, is it large, does it have a loop?
    loops = np.isin(np.arange(10), [0, 6, 8, 9])
    tags = np.stack([np.arange(10) % 2 == 0, np.arange(10) > 4, loops], axis=1).astype("float32")
    layers = [Dense(64, "relu"), Dense(3, activation="sigmoid")]
    model = network(*layers, shape=(64,), optimizer="adam", loss="binary_crossentropy")
    return model, {"x": x, "y": tags[y], "validation_data": (x_test, tags[y_test]), "epochs": 20}


@healthy
def linear_regression_on_diabetes():
    x, y, x_test, y_test = table("diabetes")
    y, y_test = (y - 150) / 77, (y_test - 150) / 77
    model = network(Dense(1), shape=(10,), optimizer=keras.optimizers.SGD(0.01), loss="mse")
    return model, {"x": x, "y": y, "validation_data": (x_test, y_test), "epochs": 40}


@healthy
def relu_regression_on_houses():
    x, y, x_test, y_test = houses()
    layers = [Dense(30, "relu"), Dense(30, "relu"), Dense(1)]
    model = network(*layers, shape=x.shape[1:], optimizer="adam", loss="mse", metrics=["mae"])
    epochs = 8 if len(x) > 5000 else 60
    return model, {"x": x, "y": y, "validation_data": (x_test, y_test), "epochs": epochs}


@healthy
def wide_and_deep_on_houses():
    x, y, x_test, y_test = houses()
    wide, deep = keras.Input((5,)), keras.Input((x.shape[1] - 3,))
    hidden = Dense(30, activation="relu")(Dense(30, activation="relu")(deep))
    model = keras.Model([wide, deep], Dense(1)(Concatenate()([wide, hidden])))
    model.compile(keras.optimizers.SGD(0.01), loss="huber")
    epochs = 8 if len(x) > 5000 else 60
    parts, parts_test = [x[:, :5], x[:, 3:]], [x_test[:, :5], x_test[:, 3:]]
    return model, {"x": parts, "y": y, "validation_data": (parts_test, y_test), "epochs": epochs}


@healthy
def embedded_columns_of_digits():
    data = tables.load_digits()
    x, x_test, y, y_test = train_test_split(data.data.astype(int), data.target, random_state=0)
    layers = [Embedding(17, 4), Flatten(), Dense(64, "relu"), Dense(10, activation="softmax")]
    loss = "sparse_categorical_crossentropy"
    model = network(*layers, shape=(64,), optimizer="adam", loss=loss, metrics=["accuracy"])
    return model, {"x": x, "y": y, "validation_data": (x_test, y_test), "epochs": 12}


@healthy
def rescaled_images():
    x, y, x_test, y_test = images()
    layers = [Rescaling(1 / 255), Flatten(), Dense(100, "relu"), Dense(10, activation="softmax")]
    loss = "sparse_categorical_crossentropy"
    model = network(
        *layers, shape=x.shape[1:], optimizer=keras.optimizers.SGD(0.05), loss=loss, metrics=["accuracy"]
    )
    return model, {"x": x, "y": y, "validation_data": (x_test, y_test), "epochs": 10}


@healthy
def images_in_one_hot_rows():
    x, y, x_test, y_test = images()
    x, x_test, rows = x / 255, x_test / 255, np.eye(10, dtype="float32")
    layers = [Flatten(), Dense(64, "leaky_relu"), Dense(10, activation="softmax")]
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=0.1)
    model = network(*layers, shape=x.shape[1:], optimizer="adamw", loss=loss, metrics=["accuracy"])
    return model, {"x": x, "y": rows[y], "validation_data": (x_test, rows[y_test]), "epochs": 6}


class Residual(keras.Model):
    """A class with a way round its hidden layers, and inputs brought to scale by itself."""

    def __init__(self, x):
        super().__init__()
        self.scale = Normalization()
        self.scale.adapt(x)
        self.first, self.second = Dense(32, activation="relu"), Dense(32, activation="relu")
        self.ends = Dense(3, activation="softmax")

    def call(self, inputs):
        hidden = self.first(self.scale(inputs))
        return self.ends(hidden + self.second(hidden))


@healthy
def class_of_ones_own_on_unscaled_wine():
    data = tables.load_wine()
    parts = train_test_split(data.data, data.target, random_state=0, stratify=data.target)
    x, x_test, y, y_test = parts
    model = Residual(x)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, {"x": x, "y": y, "validation_data": (x_test, y_test), "epochs": 25}
