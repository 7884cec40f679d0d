"""Makes the files beside it with Keras 2, and the numbers that its models give.

Run it in the environment of `make peers`:

.peers/bin/python tests/files/reference/make_keras2_files.py
"""

from __future__ import annotations

import json
import os
import pathlib

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import tf_keras as keras

HERE = pathlib.Path(__file__).parent
LAYERS = keras.layers


def row():
    """Layers in a row, and the optimizers of Keras 2.11 and later."""
    model = keras.Sequential(
        [
            LAYERS.Dense(3, "tanh", kernel_regularizer="l2", input_shape=(4,), name="hidden"),
            LAYERS.BatchNormalization(name="normal"),
            LAYERS.LeakyReLU(0.2, name="leaky"),
            LAYERS.Dense(2, name="last"),
        ],
        name="row",
    )
    model.compile(keras.optimizers.Adam(0.01), loss="mse", metrics=["mae"])
    return model


def network():
    """Two inputs and outputs, shared layers, a model inside, TensorFlow's functions; an older optimizer."""
    inputs = [keras.Input((4,), name="left"), keras.Input((4,), name="right")]
    inner = keras.Sequential([LAYERS.Dense(3, input_shape=(4,), name="inside")], name="inner")
    shared = LAYERS.Dense(3, name="shared")
    hidden = LAYERS.Concatenate(name="joined")([inner(inputs[0]), shared(inputs[0]), shared(inputs[1])])
    ends = [LAYERS.Dense(2, name="one")(1.0 - hidden[:, 2:]), LAYERS.Dense(2, name="two")(hidden)]
    model = keras.Model(inputs, ends, name="network")
    older = keras.optimizers.legacy.SGD(0.05, momentum=0.9, decay=0.1)
    model.compile(
        older, {"one": "mse", "two": keras.losses.Huber()}, metrics={"one": ["mae"]}, loss_weights=[1.0, 0.5]
    )
    return model


def rows_for(model):
    numbers = np.random.default_rng(0)
    x = [numbers.random((8, 4), dtype=np.float32) for _ in model.inputs]
    y = [numbers.random((8, 2), dtype=np.float32) for _ in model.outputs]
    return (x, y) if len(x) > 1 else (x[0], y[0])


def write(model, suffix):
    """Train, save, and say what the model gives and how training goes on."""
    x, y = rows_for(model)
    model.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0)
    name = f"{model.name}.{suffix}"
    model.save(HERE / name)
    outputs = model.predict(x, verbose=0)
    found = {"predictions": [out.tolist() for out in (outputs if isinstance(outputs, list) else [outputs])]}
    found["losses"] = model.fit(x, y, batch_size=4, epochs=3, shuffle=False, verbose=0).history["loss"]
    return {name: {"x": np.asarray(x).tolist(), "y": np.asarray(y).tolist(), **found}}


if __name__ == "__main__":
    keras.utils.set_random_seed(1)
    numbers = {**write(row(), "h5"), **write(row(), "keras"), **write(network(), "h5")}
    (HERE / "keras2_numbers.json").write_text(json.dumps(numbers) + "\n")
