"""Optimizers in the form of TensorFlow 2.10 and before, as programs wrote them."""

from __future__ import annotations

import numpy as np
import pytest

import doltap as keras

X = np.random.default_rng(0).random((64, 3), dtype="float32")
Y = X @ np.float32([[1.0], [-2.0], [3.0]])


def of_the_old_form(tf):
    class Heavy(keras.optimizers.Optimizer):
        def __init__(self, learning_rate=0.1, inertia=0.8, name="Heavy", **keywords):
            super().__init__(name, **keywords)
            self._set_hyper("learning_rate", keywords.get("lr", learning_rate))
            self._set_hyper("decay", self._initial_decay)
            self._set_hyper("inertia", inertia)

        def _create_slots(self, var_list):
            for var in var_list:
                self.add_slot(var, "speed")

        @tf.function
        def _resource_apply_dense(self, grad, var):
            speed, kind = self.get_slot(var, "speed"), var.dtype.base_dtype
            speed.assign(self._get_hyper("inertia", kind) * speed - grad)
            var.assign_add(self._decayed_lr(kind) * speed)

        def get_config(self):
            names = ("learning_rate", "decay", "inertia")
            return {**super().get_config(), **{n: self._serialize_hyperparameter(n) for n in names}}

    return Heavy


def by_numpy(rate, decay, steps):
    weight, speed, losses = np.zeros((3, 1)), np.zeros((3, 1)), []
    for step in range(steps):
        error = X @ weight - Y
        losses.append(np.mean(error**2))
        speed = 0.8 * speed - 2 * X.T @ error / len(X)
        weight = weight + rate / (1 + decay * step) * speed
    return losses


@pytest.mark.parametrize("eager", [False, True])
@pytest.mark.parametrize(
    ("given", "rate", "decay"), [({}, 0.1, 0.0), ({"lr": 0.05, "decay": 0.2}, 0.05, 0.2)]
)
def test_it_moves_weights_as_its_formula_says(tf, eager, given, rate, decay):
    model = keras.Sequential([keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")])
    model.compile(of_the_old_form(tf)(**given), "mse", run_eagerly=eager)
    losses = model.fit(X, Y, batch_size=64, epochs=5, verbose=0).history["loss"]
    np.testing.assert_allclose(losses, by_numpy(rate, decay, 5), rtol=1e-5)


def test_it_moves_variables_that_no_model_owns(tf):
    optimizer, v = of_the_old_form(tf)(0.5), tf.Variable([1.0, 2.0])
    optimizer.apply_gradients([(tf.constant([1.0, 1.0]), v)])
    optimizer.apply_gradients([(tf.constant([0.0, 0.0]), v)])
    np.testing.assert_allclose(v.numpy(), [0.1, 1.1], rtol=1e-6)
    assert optimizer.get_slot_names() == ["speed"]
    assert int(optimizer.iterations) == 2


def test_a_rate_that_is_set_counts_and_is_written_down(tf):
    optimizer = of_the_old_form(tf)(name="slow")
    optimizer.lr = 0.25
    written = optimizer.get_config()
    assert written == {"name": "slow", "learning_rate": 0.25, "decay": 0.0, "inertia": pytest.approx(0.8)}
    assert of_the_old_form(tf).from_config(written).get_config() == written


def test_a_model_is_loaded_with_it_and_goes_on(tf, tmp_path):
    kind = of_the_old_form(tf)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile(kind(clipnorm=1.0), "mse")
    model.fit(X, Y, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras", {"Heavy": kind})
    assert again.optimizer.clipnorm == 1.0
    goes_on = [one.fit(X, Y, shuffle=False, verbose=0).history["loss"] for one in (model, again)]
    np.testing.assert_allclose(*goes_on, rtol=1e-6)
