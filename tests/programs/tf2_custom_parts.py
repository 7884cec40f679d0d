# TensorFlow 2, as in Geron's chapter 12: losses, metrics, regularizers and layers of one's own.
import os
import tempfile

import numpy as np
import tensorflow as tf
from _points import heights, points
from tensorflow import keras

os.chdir(tempfile.mkdtemp())


def huber_fn(y_true, y_pred):
    error = y_true - y_pred
    is_small_error = tf.abs(error) < 1
    squared_loss = tf.square(error) / 2
    linear_loss = tf.abs(error) - 0.5
    return tf.where(is_small_error, squared_loss, linear_loss)


def create_huber(threshold=1.0):
    def huber_fn(y_true, y_pred):
        error = y_true - y_pred
        is_small_error = tf.abs(error) < threshold
        return tf.where(is_small_error, tf.square(error) / 2, threshold * tf.abs(error) - threshold**2 / 2)

    return huber_fn


class HuberLoss(keras.losses.Loss):
    def __init__(self, threshold=1.0, **kwargs):
        self.threshold = threshold
        super().__init__(**kwargs)

    def call(self, y_true, y_pred):
        return create_huber(self.threshold)(y_true, y_pred)

    def get_config(self):
        return {**super().get_config(), "threshold": self.threshold}


class HuberMetric(keras.metrics.Metric):
    def __init__(self, threshold=1.0, **kwargs):
        super().__init__(**kwargs)
        self.threshold = threshold
        self.huber_fn = create_huber(threshold)
        self.total = self.add_weight("total", initializer="zeros")
        self.count = self.add_weight("count", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        metric = self.huber_fn(y_true, y_pred)
        self.total.assign_add(tf.reduce_sum(metric))
        self.count.assign_add(tf.cast(tf.size(y_true), tf.float32))

    def result(self):
        return self.total / self.count

    def get_config(self):
        return {**super().get_config(), "threshold": self.threshold}


def my_softplus(z):
    return tf.math.log(tf.exp(z) + 1.0)


def my_glorot_initializer(shape, dtype=tf.float32):
    stddev = tf.sqrt(2.0 / (shape[0] + shape[1]))
    return tf.random.normal(shape, stddev=stddev, dtype=dtype)


def my_l1_regularizer(weights):
    return tf.reduce_sum(tf.abs(0.0001 * weights))


def my_positive_weights(weights):
    return tf.where(weights < 0.0, tf.zeros_like(weights), weights)


class MyDense(keras.layers.Layer):
    def __init__(self, units, activation=None, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.activation = keras.activations.get(activation)

    def build(self, batch_input_shape):
        self.kernel = self.add_weight(
            name="kernel", shape=[batch_input_shape[-1], self.units], initializer="glorot_normal"
        )
        self.bias = self.add_weight(name="bias", shape=[self.units], initializer="zeros")
        super().build(batch_input_shape)

    def call(self, X):
        return self.activation(X @ self.kernel + self.bias)

    def get_config(self):
        base_config = super().get_config()
        return {
            **base_config,
            "units": self.units,
            "activation": keras.activations.serialize(self.activation),
        }


class MyGaussianNoise(keras.layers.Layer):
    def __init__(self, stddev, **kwargs):
        super().__init__(**kwargs)
        self.stddev = stddev

    def call(self, X, training=None):
        if training:
            noise = tf.random.normal(tf.shape(X), stddev=self.stddev)
            return X + noise
        return X


model = keras.models.Sequential(
    [
        MyDense(16, activation="relu", input_shape=[2]),
        MyGaussianNoise(0.01),
        keras.layers.Dense(
            8,
            activation=my_softplus,
            kernel_initializer=my_glorot_initializer,
            kernel_regularizer=my_l1_regularizer,
            kernel_constraint=my_positive_weights,
        ),
        keras.layers.Dense(1),
    ]
)
model.compile(loss=huber_fn, optimizer="nadam", metrics=["mae", HuberMetric(2.0)])
targets = heights.reshape(-1, 1)
history = model.fit(points, targets, epochs=5, verbose=0)
assert "huber_metric" in history.history, history.history.keys()
assert (model.layers[2].get_weights()[0] >= 0).all()
model.compile(loss=HuberLoss(2.0), optimizer="sgd")
model.fit(points, targets, epochs=1, verbose=0)
assert np.isclose(huber_fn(tf.constant([1.0]), tf.constant([3.0])).numpy()[0], 1.5)

small = keras.models.Sequential([MyDense(3, activation="relu", input_shape=[2])])
small.compile(loss=HuberLoss(2.0), optimizer="sgd")
small.save("small.h5")
again = keras.models.load_model("small.h5", custom_objects={"MyDense": MyDense, "HuberLoss": HuberLoss})
np.testing.assert_allclose(again.predict(points[:5]), small.predict(points[:5]))
assert again.loss.threshold == 2.0
