"""Losses and metrics from outside the layers, and what compile froze: the ways of Keras 1 and 2."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import doltap as keras
from doltap import ops
from doltap.compat import keras_backend as K
from doltap.errors import DoltapError

L = keras.layers
X = np.random.default_rng(0).random((32, 6), dtype="float32")
ONES = np.ones((32, 1), "float32")


# Numbers that layers follow.


class Watching(L.Layer):
    def __init__(self, way):
        super().__init__()
        self.way, self.mean = way, keras.metrics.Mean(name="watched")

    def call(self, inputs):
        value = ops.mean(inputs)
        if self.way == "metric":
            self.add_metric(self.mean(value), name="another")
        elif self.way == "result":
            self.mean.update_state(value)
            self.add_metric(self.mean.result(), name="another")
        else:
            self.add_metric(value, name="another", aggregation="mean")
        return inputs


# As TensorFlow 2.15 names them.
SHOWN = {"metric": {"loss", "watched"}, "result": {"loss", "watched", "another"}}
SHOWN["tensor"] = SHOWN["result"]


@pytest.mark.parametrize("way", SHOWN)
def test_what_a_metric_gave_is_not_followed_a_second_time(tf, way):
    model = keras.Sequential([Watching(way), L.Dense(1)])
    model.compile("sgd", "mse")
    history = model.fit(X, ONES, verbose=0).history
    assert history.keys() == SHOWN[way]
    assert history["another" if way == "tensor" else "watched"][0] == pytest.approx(
        X.mean() if way == "tensor" else history["watched"][0], rel=1e-5
    )


@pytest.mark.parametrize("way", SHOWN)
def test_a_layer_with_a_metric_is_called_by_hand(tf, way):
    layer = Watching(way)
    layer(X)
    assert layer.metrics == [layer.mean]
    assert float(layer.mean.result()) == pytest.approx(0 if way == "tensor" else X.mean(), rel=1e-5)


# Losses of symbolic tensors.


def network():
    inputs = L.Input((6,))
    middle = L.Dense(2, kernel_initializer="ones", name="middle")(inputs)
    return inputs, middle, L.Dense(6, kernel_initializer="zeros")(middle)


@pytest.mark.parametrize("axis", [None, -1])
def test_a_symbolic_loss_is_added_to_a_model_as_its_mean(axis):
    inputs, _, outputs = network()
    model = keras.Model(inputs, outputs)
    model.add_loss(ops.mean(ops.square(inputs - outputs), axis=axis))
    model.compile(keras.optimizers.SGD(0.0))
    history = model.fit(X, batch_size=8, verbose=0, validation_data=(X, None)).history
    assert history["loss"] == pytest.approx([np.square(X).mean()], rel=1e-5)
    assert history["val_loss"] == pytest.approx(history["loss"], rel=1e-5)
    model(X)
    assert [float(one) for one in model.losses] == pytest.approx([np.square(X).mean()], rel=1e-5)


def test_added_losses_and_metrics_stand_beside_those_of_compile_and_are_learned_from():
    inputs, middle, outputs = network()
    beside = L.Dense(1, name="beside", kernel_initializer="ones")(middle)
    model = keras.Model(inputs, outputs)
    model.add_loss(ops.square(beside))
    model.add_metric(ops.max(middle), name="highest", aggregation="mean")
    model.compile(keras.optimizers.SGD(1e-4), "mse", metrics=["mae"])
    before = model.get_layer("beside").get_weights()[0]
    history = model.fit(X, X, batch_size=32, verbose=0).history
    highest = X.sum(axis=1).max()
    assert history["highest"] == pytest.approx([highest], rel=1e-5)
    wanted = np.square(X).mean() + np.square(2 * X.sum(axis=1)).mean()
    assert history["loss"] == pytest.approx([wanted], rel=1e-5)
    assert model.metrics_names == ["loss", "mae", "highest"]
    assert (model.get_layer("beside").get_weights()[0] != before).all()
    assert [layer.name for layer in model.layers][-1] == "beside"


@pytest.mark.parametrize("remade", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_what_was_added_is_copied_with_the_model(remade):
    inputs, middle, outputs = network()
    model = keras.Model(inputs, outputs)
    model.add_loss(ops.mean(middle))
    again = remade(model)
    again(X)
    assert float(again.losses[0]) == pytest.approx(X.sum(axis=1).mean(), rel=1e-5)


def test_a_loss_may_be_written_with_tensors_of_the_network(tf):
    inputs, middle, outputs = network()
    model = keras.Model(inputs, outputs)

    def loss(y_true, y_pred):
        return 6 * keras.losses.mean_squared_error(y_true, y_pred) + K.sum(
            1 + middle - K.square(middle), axis=-1
        )

    model.compile(keras.optimizers.SGD(0.0), loss)
    history = model.fit(X, X, batch_size=8, verbose=0, validation_data=(X, X)).history
    sums = X.sum(axis=1)
    wanted = 6 * np.square(X).mean() + 2 * np.mean(1 + sums - sums**2)
    assert history["loss"] == pytest.approx([wanted], rel=1e-4)
    assert history["val_loss"] == pytest.approx([wanted], rel=1e-4)


def test_a_metric_written_with_tensors_of_the_network_is_told_where_they_belong(tf):
    inputs, middle, outputs = network()
    model = keras.Model(inputs, outputs)
    model.compile("sgd", "mse", metrics=[lambda y_true, y_pred: K.mean(middle)])
    with pytest.raises(DoltapError, match="layer's call"):
        model.fit(X, X, verbose=0)


def test_a_layer_adds_losses_in_the_words_of_keras_2(tf):
    class Cost(L.Layer):
        def call(self, inputs):
            a, b = inputs
            self.add_loss(K.mean(K.square(a - b)), inputs=inputs)
            return a

    inputs, _, outputs = network()
    model = keras.Model(inputs, Cost()([inputs, outputs]))
    model.compile(keras.optimizers.SGD(0.0), loss=None)
    assert model.fit(X, verbose=0).history["loss"] == pytest.approx([np.square(X).mean()], rel=1e-5)


# What was frozen when a model was compiled.


def gan():
    critic = keras.Sequential([L.Input((6,)), L.Dense(1, activation="sigmoid")])
    maker = keras.Sequential([L.Input((2,)), L.Dense(6)])
    critic.compile("sgd", "binary_crossentropy")
    critic.trainable = False
    both = keras.Sequential([maker, critic])
    both.compile("sgd", "binary_crossentropy")
    return critic, maker, both


def moved(model, train):
    before = model.get_weights()[0]
    train()
    return bool((model.get_weights()[0] != before).any())


@pytest.mark.parametrize("flips", [False, True])
def test_a_discriminator_learns_by_itself_and_not_with_the_generator(tf, flips):
    critic, maker, both = gan()
    for _ in range(3):
        critic.trainable = flips
        assert moved(critic, lambda: critic.train_on_batch(X, ONES))
        assert critic.trainable is flips
        critic.trainable = False
        maker_before = maker.get_weights()[0]
        assert not moved(critic, lambda: both.train_on_batch(X[:, :2], ONES))
        assert (maker.get_weights()[0] != maker_before).any()


def test_compiling_again_freezes_what_is_frozen_then(tf):
    critic, _, _ = gan()
    assert moved(critic, lambda: critic.fit(X, ONES, verbose=0))
    critic.compile("sgd", "binary_crossentropy")
    assert not moved(critic, lambda: critic.fit(X, ONES, verbose=0))
    critic.trainable = True
    assert not moved(critic, lambda: critic.fit(X, ONES, verbose=0))
    critic.compile("sgd", "binary_crossentropy")
    assert moved(critic, lambda: critic.fit(X, ONES, verbose=0))


def test_a_callback_may_thaw_a_layer_for_good(tf):
    critic, _, _ = gan()
    thaw = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: setattr(critic, "trainable", False)
    )
    critic.trainable = True
    critic.fit(X, ONES, verbose=0, callbacks=[thaw])
    assert not critic.trainable
