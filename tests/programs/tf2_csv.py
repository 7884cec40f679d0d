# TensorFlow 2, as in Geron's chapter 13: files of lines, read in turn, taken apart, shuffled, and trained on.
import os
import tempfile

import numpy as np
import tensorflow as tf
from _points import heights, points
from tensorflow import keras

os.chdir(tempfile.mkdtemp())
for number in range(4):
    with open(f"part_{number}.csv", "w") as file:
        file.write("left,right,height\n")
        for (left, right), height in zip(points[number::4], heights[number::4]):
            file.write(f"{left},{right},{height}\n")

X_mean, X_std = points.mean(axis=0), points.std(axis=0)
n_inputs = 2


@tf.function
def preprocess(line):
    defs = [0.0] * n_inputs + [tf.constant([], dtype=tf.float32)]
    fields = tf.io.decode_csv(line, record_defaults=defs)
    x = tf.stack(fields[:-1])
    y = tf.stack(fields[-1:])
    return (x - X_mean) / X_std, y


def csv_reader_dataset(
    filepaths, repeat=1, n_readers=2, n_read_threads=None, shuffle_buffer_size=100, n_parse_threads=5
):
    dataset = tf.data.Dataset.list_files(filepaths).repeat(repeat)
    dataset = dataset.interleave(
        lambda filepath: tf.data.TextLineDataset(filepath).skip(1),
        cycle_length=n_readers,
        num_parallel_calls=n_read_threads,
    )
    dataset = dataset.shuffle(shuffle_buffer_size)
    dataset = dataset.map(preprocess, num_parallel_calls=n_parse_threads)
    return dataset.batch(32).prefetch(1)


train_set = csv_reader_dataset("part_*.csv", repeat=None)
valid_set = csv_reader_dataset(["part_0.csv", "part_1.csv"])
for X_batch, y_batch in train_set.take(2):
    assert X_batch.shape == (32, 2) and y_batch.shape == (32, 1)
model = keras.models.Sequential(
    [keras.layers.Dense(10, activation="relu", input_shape=[2]), keras.layers.Dense(1)]
)
model.compile(loss="mse", optimizer=keras.optimizers.SGD(learning_rate=0.05))
history = model.fit(train_set, steps_per_epoch=200 // 32, epochs=5, validation_data=valid_set, verbose=0)
assert history.history["val_loss"][-1] < history.history["val_loss"][0]
new_set = valid_set.map(lambda X, y: X)
assert model.predict(new_set, steps=2, verbose=0).shape == (64, 1)
assert np.isfinite(model.evaluate(valid_set, verbose=0))
