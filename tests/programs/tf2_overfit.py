# TensorFlow 2, the overfitting tutorial: schedules, regularizers, dropout, early stopping.
import numpy as np
import tensorflow as tf
from _points import points, sides
from tensorflow.keras import layers, regularizers

steps = len(points) // 50
schedule = tf.keras.optimizers.schedules.InverseTimeDecay(
    0.01, decay_steps=steps * 100, decay_rate=1, staircase=False
)
assert np.isclose(schedule(0), 0.01)


def get_callbacks():
    return [tf.keras.callbacks.EarlyStopping(monitor="val_binary_crossentropy", patience=3)]


model = tf.keras.Sequential(
    [
        layers.Dense(32, kernel_regularizer=regularizers.l2(0.0001), activation="elu", input_shape=(2,)),
        layers.Dropout(0.5),
        layers.Dense(32, kernel_regularizer=regularizers.l2(0.0001), activation="elu"),
        layers.Dense(1),
    ]
)
model.compile(
    optimizer=tf.keras.optimizers.Adam(schedule),
    loss=tf.keras.losses.BinaryCrossentropy(from_logits=True),
    metrics=[tf.keras.metrics.BinaryCrossentropy(from_logits=True, name="binary_crossentropy"), "accuracy"],
)
history = model.fit(
    points,
    sides,
    steps_per_epoch=steps,
    epochs=6,
    validation_data=(points, sides),
    callbacks=get_callbacks(),
    verbose=0,
)
assert 1 <= len(history.history["val_binary_crossentropy"]) <= 6
result = model.evaluate(points, sides, verbose=0)
regularization_loss = tf.add_n(model.losses)
assert float(regularization_loss) > 0
