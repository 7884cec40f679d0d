"""What programs get from doltap by hand has `.numpy()`; what doltap's files give each other stays arrays."""

from __future__ import annotations

import jax
import numpy as np
import pytest

import doltap as keras
from doltap.compat.tensorflow.tensor import Tensor

P = np.array([[0.1, 0.9], [0.8, 0.2]], "float32")
Y = np.array([1, 0])
schedules = keras.optimizers.schedules


def normalization():
    layer = keras.layers.Normalization()
    layer.adapt(P)
    return layer


GIVEN = {
    "an initializer": lambda: keras.initializers.HeNormal(seed=1)(shape=(2, 3)),
    "an initializer of one value": lambda: keras.initializers.Constant(2.0)((2,), dtype="float32"),
    "a schedule": lambda: schedules.ExponentialDecay(0.1, 10, 0.9)(5),
    "a schedule of many steps": lambda: schedules.CosineDecay(0.1, 10)(np.arange(3)),
    "a constraint": lambda: keras.constraints.MaxNorm(1.0)(P),
    "a regularizer": lambda: keras.regularizers.L2(0.1)(P),
    "a metric function": lambda: keras.metrics.sparse_categorical_accuracy(Y, P),
    "a metric function by name": lambda: keras.metrics.binary_accuracy(y_true=[[1.0]], y_pred=[[0.9]]),
    "a loss function": lambda: keras.losses.mean_squared_error([[1.0]], [[0.9]]),
    "a loss function by name": lambda: keras.losses.mean_squared_error(y_true=P, y_pred=P),
    "an activation by name": lambda: keras.activations.relu(x=P),
    "an operation": lambda: keras.ops.mean(P),
    "random numbers": lambda: keras.random.normal((2,), seed=1),
    "what was adapted": lambda: normalization().mean,
    "what a metric comes to": lambda: keras.metrics.Mean()(3.0),
}


@pytest.mark.parametrize("what", GIVEN)
def test_what_a_program_asks_for_by_hand_is_a_tensor_of_the_same_numbers(tf, what):
    found = GIVEN[what]()
    assert type(found) is Tensor
    tf_values = found.numpy()
    from doltap.compat.tensorflow import by_hand

    by_hand.switch_off()
    plain = GIVEN[what]()
    assert isinstance(plain, jax.Array)
    np.testing.assert_allclose(tf_values, plain, rtol=1e-6)


def test_tapes_follow_regularizers_and_constraints(tf):
    w = tf.Variable([[3.0, 4.0]])
    with tf.GradientTape() as tape:
        cost = keras.regularizers.L2(0.5)(w) + tf.reduce_sum(keras.constraints.NonNeg()(w))
    assert tape.gradient(cost, w).numpy().tolist() == [[4.0, 5.0]]


def test_a_schedule_takes_a_tensor_and_the_count_of_an_optimizer(tf):
    decay = schedules.InverseTimeDecay(0.1, 1, 1.0)
    assert decay(tf.constant(1)).numpy() == pytest.approx(0.05)
    assert decay(keras.optimizers.SGD().iterations).numpy() == pytest.approx(0.1)


def test_inside_a_compiled_program_all_are_arrays_of_it(tf):
    def program(x):
        found = [keras.constraints.NonNeg()(x), keras.ops.square(x), schedules.CosineDecay(0.1, 10)(x)]
        assert all(isinstance(one, jax.core.Tracer) for one in found)
        return found[0]

    assert jax.jit(program)(np.float32(-1.0)) == 0


def test_a_variable_tells_its_shape_as_tensorflow_does(tf):
    layer = keras.layers.Dense(2)
    layer(P)
    assert layer.kernel.shape.as_list() == layer.kernel.get_shape().as_list() == [2, 2]
    assert layer.kernel.read_value().numpy().tolist() == layer.kernel.numpy().tolist()
    assert layer.kernel.ref() == layer.kernel.ref()


def test_training_with_all_of_them_gives_what_it_gives_without(tf):
    def trained():
        keras.utils.set_random_seed(1)
        rate = schedules.ExponentialDecay(0.1, 2, 0.5)
        dense = keras.layers.Dense(
            1, kernel_regularizer="l2", kernel_constraint=keras.constraints.MaxNorm(0.5)
        )
        model = keras.Sequential([keras.Input((2,)), keras.layers.BatchNormalization(), dense])
        model.compile(keras.optimizers.SGD(rate), "mse", metrics=["mae"])
        return model.fit(P, P[:, :1], epochs=3, verbose=0).history

    from doltap.compat.tensorflow import by_hand

    first = trained()
    by_hand.switch_off()
    assert trained() == first
