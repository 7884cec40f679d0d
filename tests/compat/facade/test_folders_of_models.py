"""Models under a bare name, as TensorFlow's folders, and classes of the program's own in them."""

from __future__ import annotations

import numpy as np
import pytest

import doltap as keras
from doltap.errors import UnknownNameError

X = np.random.default_rng(0).random((8, 4), dtype="float32")


def twice(x):
    return 2 * x


class Block(keras.layers.Layer):
    def __init__(self, units, **keywords):
        super().__init__(**keywords)
        self.inner = keras.layers.Dense(units, twice)

    def call(self, inputs):
        return inputs + self.inner(inputs)


class Regressor(keras.Model):
    def __init__(self, outputs, **keywords):
        super().__init__(**keywords)
        self.block, self.out = Block(4), keras.layers.Dense(outputs)

    def call(self, inputs):
        return self.out(self.block(inputs))


def wrong(y_true, y_pred):
    return abs(y_true - y_pred)


@pytest.mark.parametrize("name", ["model", "model.ckpt", "folder/model"])
def test_what_the_program_saved_is_loaded_without_its_classes(tf, tmp_path, name):
    model = Regressor(1)
    model.compile("sgd", wrong)
    model.fit(X, X[:, :1], verbose=0)
    model.save(tmp_path / name)
    again = keras.models.load_model(tmp_path / name)
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))
    assert type(again) is Regressor
    assert again.fit(X, X[:, :1], verbose=0).history["loss"]


def test_a_file_with_a_suffix_needs_them_as_in_keras(tf, tmp_path):
    model = Regressor(1)
    model(X)
    model.save(tmp_path / "model.keras")
    with pytest.raises(UnknownNameError, match="custom_objects"):
        keras.models.load_model(tmp_path / "model.keras")
