# TensorFlow 2: fit with a train_step of one's own, and a wide & deep model by subclassing.
import numpy as np
import tensorflow as tf
from _points import heights, points
from tensorflow import keras


class CustomModel(keras.Model):
    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compiled_loss(y, y_pred, regularization_losses=self.losses)
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables))
        self.compiled_metrics.update_state(y, y_pred)
        return {m.name: m.result() for m in self.metrics}


inputs = keras.Input(shape=(2,))
model = CustomModel(inputs, keras.layers.Dense(1)(inputs))
model.compile(optimizer="adam", loss="mse", metrics=["mae"])
history = model.fit(points, heights.reshape(-1, 1), epochs=5, verbose=0)
assert history.history["loss"][-1] < history.history["loss"][0]
assert "mae" in history.history


class WideAndDeepModel(keras.models.Model):
    def __init__(self, units=30, activation="relu", **kwargs):
        super().__init__(**kwargs)
        self.hidden1 = keras.layers.Dense(units, activation=activation)
        self.hidden2 = keras.layers.Dense(units, activation=activation)
        self.main_output = keras.layers.Dense(1)
        self.aux_output = keras.layers.Dense(1)

    def call(self, inputs):
        input_A, input_B = inputs
        hidden2 = self.hidden2(self.hidden1(input_B))
        concat = keras.layers.concatenate([input_A, hidden2])
        return self.main_output(concat), self.aux_output(hidden2)


model = WideAndDeepModel(8, activation="relu")
model.compile(
    loss=["mse", "mse"], loss_weights=[0.9, 0.1], optimizer=tf.keras.optimizers.SGD(learning_rate=1e-3)
)
model.fit((points[:, :1], points), (heights, heights), epochs=2, verbose=0)
main, aux = model.predict((points[:2, :1], points[:2]))
assert main.shape == (2, 1)
total = model.evaluate((points[:, :1], points), (heights, heights), verbose=0, return_dict=True)
assert "loss" in total
