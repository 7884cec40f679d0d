# TensorFlow 2, the saving tutorial: checkpoints while training, whole models, weights.
import os
import tempfile

import numpy as np
import tensorflow as tf
from _points import points, sides
from tensorflow import keras

os.chdir(tempfile.mkdtemp())


def create_model():
    model = tf.keras.Sequential(
        [keras.layers.Dense(8, activation="relu", input_shape=(2,)), keras.layers.Dense(1)]
    )
    model.compile(
        optimizer="adam",
        loss=tf.keras.losses.BinaryCrossentropy(from_logits=True),
        metrics=[tf.keras.metrics.BinaryAccuracy(threshold=0.0)],
    )
    return model


model = create_model()
cp_callback = tf.keras.callbacks.ModelCheckpoint(filepath="cp.weights.h5", save_weights_only=True, verbose=0)
model.fit(points, sides, epochs=2, callbacks=[cp_callback], verbose=0)
other = create_model()
other.load_weights("cp.weights.h5")
np.testing.assert_allclose(other.predict(points), model.predict(points), rtol=1e-5)
model.save("my_model.keras")
again = tf.keras.models.load_model("my_model.keras")
loss, acc = again.evaluate(points, sides, verbose=2)
print("Restored model, accuracy: {:5.2f}%".format(100 * acc))
model.save("my_model.h5")
third = tf.keras.models.load_model("my_model.h5")
assert np.array_equal(third.predict(points), again.predict(points))
assert [w.shape for w in third.get_weights()] == [(2, 8), (8,), (8, 1), (1,)]
clone = tf.keras.models.clone_model(model)
clone.set_weights(model.get_weights())
np.testing.assert_allclose(clone.predict(points), model.predict(points), rtol=1e-6)
