"""A layer of one's own that holds other layers is built by its first call, wherever that is."""

import copy
import pickle

import numpy as np
import pytest

import doltap as keras
from doltap.errors import NotSupportedError, ShapeError

X = np.random.default_rng(0).normal(size=(40, 8)).astype("float32")
Y = X[:, :3] * 2


class One(keras.layers.Layer):
    def __init__(self, **keywords):
        super().__init__(**keywords)
        self.inner = keras.layers.Dense(3)

    def call(self, inputs):
        return self.inner(inputs)


class Several(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.stack = [keras.layers.Dense(5, activation="relu"), keras.layers.Dropout(0.1), One()]

    def call(self, inputs, training=None):
        for layer in self.stack:
            inputs = layer(inputs)
        return inputs


@pytest.mark.parametrize("make", [One, Several])
@pytest.mark.parametrize("front", [[], [keras.Input((8,))]])
@pytest.mark.parametrize("first", ["fit", "predict", "call"])
def test_the_layers_inside_are_built_and_trained(make, front, first):
    model = keras.Sequential([*front, make()])
    model.compile("sgd", "mse")
    if first == "predict":
        model.predict(X, verbose=0)
    if first == "call":
        model(X[:2])
    history = model.fit(X, Y, epochs=20, verbose=0).history["loss"]
    assert history[-1] < history[0]
    assert len(model.get_weights()) == (2 if make is One else 4)
    assert model.predict(X[:5], verbose=0) == pytest.approx(np.asarray(model(X[:5])), abs=1e-5)


def test_a_trained_model_can_be_copied_and_pickled():
    model = keras.Sequential([One()])
    model.compile("adam", "mse")
    model.fit(X, Y, verbose=0)
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert (other.predict(X, verbose=0) == model.predict(X, verbose=0)).all()
        before = model.get_weights()[0]
        other.fit(X, Y, verbose=0)
        assert (model.get_weights()[0] == before).all()


def test_what_a_layer_forgot_is_named():
    class NoBase(keras.layers.Layer):
        def __init__(self):
            self.units = 3

    class NoReturn(keras.layers.Layer):
        def call(self, inputs):
            inputs * 2

    class Own(keras.Model):
        pass

    with pytest.raises(NotSupportedError, match="super"):
        keras.Sequential([NoBase()])
    with pytest.raises(NotSupportedError, match="return outputs"):
        keras.Sequential([keras.Input((8,)), NoReturn()])
    for model, kind, words in (
        (Own(), NotSupportedError, "define call"),
        (keras.Sequential(), ShapeError, "layers"),
    ):
        model.compile("sgd", "mse")
        with pytest.raises(kind, match=words):
            model.fit(X, Y, verbose=0)


def test_a_forgotten_flatten_and_a_single_row_are_named():
    dense = keras.layers.Dense
    model = keras.Sequential([dense(4), dense(10, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    with pytest.raises(ShapeError, match="Flatten"):
        model.fit(np.zeros((6, 5, 5)), np.zeros(6), verbose=0)
    model = keras.Sequential([dense(1, input_dim=8)])
    with pytest.raises(ShapeError, match=r"x\[None\]"):
        model.predict(X[0], verbose=0)
