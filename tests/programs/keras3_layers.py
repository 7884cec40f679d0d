# Keras 3: layers and losses of one's own with keras.ops, registered, and loaded again.
import os
import tempfile

import keras
import numpy as np
from _points import points, sides
from keras import ops


@keras.saving.register_keras_serializable(package="lesson")
class Antirectifier(keras.layers.Layer):
    def __init__(self, units=4, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        self.kernel = self.add_weight(
            shape=(input_shape[-1] * 2, self.units), initializer="he_normal", name="kernel"
        )

    def call(self, inputs):
        inputs = inputs - ops.mean(inputs, axis=-1, keepdims=True)
        both = ops.concatenate([ops.relu(inputs), ops.relu(-inputs)], axis=-1)
        return ops.matmul(both, self.kernel)

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@keras.saving.register_keras_serializable(package="lesson")
def focal(y_true, y_pred):
    y_pred = ops.clip(y_pred, 1e-6, 1 - 1e-6)
    right = ops.where(y_true > 0.5, y_pred, 1 - y_pred)
    return ops.mean(-ops.square(1 - right) * ops.log(right), axis=-1)


model = keras.Sequential([keras.Input((2,)), Antirectifier(8), keras.layers.Dense(1, activation="sigmoid")])
model.compile("adam", loss=focal, metrics=["accuracy"], jit_compile=True)
model.fit(points, sides.reshape(-1, 1), epochs=2, verbose=0)
path = os.path.join(tempfile.mkdtemp(), "model.keras")
model.save(path)
again = keras.models.load_model(path)
np.testing.assert_allclose(again.predict(points, verbose=0), model.predict(points, verbose=0), rtol=1e-5)
assert again.layers[0].units == 8
