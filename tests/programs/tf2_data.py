# TensorFlow 2: tf.data for arrays, in fit and in a loop, and windows of a series.
import numpy as np
import tensorflow as tf
from _points import points, sides

AUTOTUNE = tf.data.experimental.AUTOTUNE


def scale(x, y):
    return tf.cast(x, tf.float32) / 2.0, y


train = tf.data.Dataset.from_tensor_slices((points[:160], sides[:160]))
train = train.map(scale, num_parallel_calls=AUTOTUNE).cache().shuffle(1000).batch(32).prefetch(AUTOTUNE)
test = tf.data.Dataset.from_tensor_slices((points[160:], sides[160:])).map(scale).batch(32)
assert len(train) == 5 and train.cardinality().numpy() == 5
for x, y in train.take(1):
    assert x.shape == (32, 2) and y.dtype == tf.float32
model = tf.keras.Sequential(
    [tf.keras.layers.Dense(8, activation="relu"), tf.keras.layers.Dense(1, "sigmoid")]
)
model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
history = model.fit(train, epochs=3, validation_data=test, verbose=0)
assert len(history.history["val_accuracy"]) == 3
assert model.predict(test, verbose=0).shape == (40, 1)

X = tf.range(10)
dataset = tf.data.Dataset.from_tensor_slices(X).repeat(3).batch(7)
assert [len(item) for item in dataset] == [7, 7, 7, 7, 2]
dataset = dataset.unbatch().map(lambda x: x * 2).filter(lambda x: x < 10)
assert sum(int(x) for x in dataset) == 3 * 20

series = np.sin(np.arange(200) / 5).astype("float32")
window = 10
data = tf.data.Dataset.from_tensor_slices(series).window(window + 1, shift=1, drop_remainder=True)
data = data.flat_map(lambda w: w.batch(window + 1)).map(lambda w: (w[:-1], w[-1])).shuffle(100).batch(32)
forecaster = tf.keras.Sequential([tf.keras.layers.Dense(10, input_shape=[window]), tf.keras.layers.Dense(1)])
forecaster.compile(loss="mse", optimizer="adam")
losses = forecaster.fit(data, epochs=5, verbose=0).history["loss"]
assert losses[-1] < losses[0]
