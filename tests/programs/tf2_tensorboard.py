# TensorFlow 2: logs for TensorBoard, in a folder named after the time.
import datetime
import os
import tempfile

import tensorflow as tf
from _points import points, sides

log_dir = os.path.join(tempfile.mkdtemp(), "logs", "fit", datetime.datetime.now().strftime("%Y%m%d-%H%M%S"))
tensorboard_callback = tf.keras.callbacks.TensorBoard(log_dir=log_dir, histogram_freq=1)
model = tf.keras.Sequential(
    [tf.keras.layers.Dense(4, activation="relu"), tf.keras.layers.Dense(1, activation="sigmoid")]
)
model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(points, sides, epochs=2, validation_split=0.2, callbacks=[tensorboard_callback], verbose=0)
assert sorted(os.listdir(log_dir)) == ["train", "validation"]
