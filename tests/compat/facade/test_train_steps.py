"""A train_step with a tape in it, as programs of TensorFlow write it, in fit."""

import numpy as np
import pytest

import doltap as keras
from doltap.compat.tensorflow import by_hand

X = np.random.default_rng(0).normal(size=(64, 4)).astype(np.float32)
Y = np.arange(64) % 3


def network(kind, *between):
    keras.utils.set_random_seed(3)
    inputs = keras.Input((4,))
    hidden = keras.layers.Dense(8, activation="relu", kernel_regularizer="l2")(inputs)
    for layer in between:
        hidden = layer(hidden)
    return kind(inputs, keras.layers.Dense(3, activation="softmax")(hidden))


def history_of(model, **options):
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], **options)
    return model.fit(X, Y, batch_size=16, epochs=3, verbose=0, validation_data=(X, Y)).history


@pytest.fixture
def keras2_form(tf):
    class Model(keras.Model):
        def train_step(self, data):
            x, y = data
            with tf.GradientTape() as tape:
                y_pred = self(x, training=True)
                loss = self.compiled_loss(y, y_pred, regularization_losses=self.losses)
            gradients = tape.gradient(loss, self.trainable_variables)
            self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
            self.compiled_metrics.update_state(y, y_pred)
            return {m.name: m.result() for m in self.metrics}

        def test_step(self, data):
            x, y = data
            y_pred = self(x, training=False)
            self.compiled_loss(y, y_pred, regularization_losses=self.losses)
            self.compiled_metrics.update_state(y, y_pred)
            return {m.name: m.result() for m in self.metrics}

    return Model


@pytest.fixture
def keras3_form(tf):
    class Model(keras.Model):
        def train_step(self, data):
            x, y = data
            with tf.GradientTape() as tape:
                y_pred = self(x, training=True)
                loss = self.compute_loss(y=y, y_pred=y_pred)
            gradients = tape.gradient(loss, self.trainable_variables)
            self.optimizer.apply(gradients, self.trainable_variables)
            for metric in self.metrics:
                if metric.name == "loss":
                    metric.update_state(loss)
                else:
                    metric.update_state(y, y_pred)
            return {m.name: m.result() for m in self.metrics}

    return Model


@pytest.fixture
def inherited_form(tf):
    class Model(keras.Model):
        def train_step(self, data):
            return {**super().train_step(data), "rows": tf.shape(data[0])[0]}

    return Model


@pytest.mark.parametrize("form", ["keras2_form", "keras3_form", "inherited_form"])
def test_a_step_of_ones_own_trains_as_the_usual_one(form, request):
    kind = request.getfixturevalue(form)
    own, usual = (
        history_of(network(each, keras.layers.BatchNormalization())) for each in (kind, keras.Model)
    )
    for key, values in usual.items():
        np.testing.assert_allclose(own[key], values, 2e-3, 2e-4)
    if form == "inherited_form":
        assert own["rows"] == [16, 16, 16]


def test_it_becomes_part_of_the_compiled_program(keras2_form):
    model = network(keras2_form, keras.layers.Dropout(0.3))
    history_of(model)
    assert not model._recipes["train"].is_eager


def test_its_dropout_draws_anew_at_each_step(tf):
    class Model(keras.Model):
        def train_step(self, data):
            return {"kept": tf.reduce_sum(self(data[0], training=True))}

    inputs = keras.Input((4,))
    model = Model(inputs, keras.layers.Dropout(0.5)(inputs))
    model.compile()
    found = model.fit(np.ones((8, 4)), np.ones(8), batch_size=8, epochs=6, verbose=0).history["kept"]
    assert len(set(found)) > 2


def test_a_step_that_looks_at_values_is_run_line_by_line(tf):
    seen = []

    class Model(keras.Model):
        def train_step(self, data):
            logs = super().train_step(data)
            seen.append(float(logs["loss"]))
            return logs

    model = network(Model)
    logs = history_of(model)
    assert model._recipes["train"].is_eager
    assert len(seen) == 13
    np.testing.assert_allclose(logs["loss"], history_of(network(keras.Model))["loss"], 2e-3)


def test_two_optimizers_in_one_step_are_compiled_too(tf):
    class Pair(keras.Model):
        def __init__(self, judge, maker):
            super().__init__()
            self.judge, self.maker = judge, maker
            self.judge_loss, self.maker_loss = (
                keras.metrics.Mean(name="judge"),
                keras.metrics.Mean(name="maker"),
            )

        def compile(self, judge_optimizer, maker_optimizer):
            super().compile()
            self.judge_optimizer, self.maker_optimizer = judge_optimizer, maker_optimizer
            self.loss_fn = keras.losses.BinaryCrossentropy(from_logits=True)

        @property
        def metrics(self):
            return [self.judge_loss, self.maker_loss]

        def train_step(self, real):
            count = tf.shape(real)[0]
            both = tf.concat([self.maker(tf.random.normal([count, 2])), real], axis=0)
            labels = tf.concat([tf.ones([count, 1]), tf.zeros([count, 1])], axis=0)
            labels += 0.05 * tf.random.uniform(tf.shape(labels))
            with tf.GradientTape() as tape:
                loss = self.loss_fn(labels, self.judge(both))
            moved = self.judge.trainable_weights
            self.judge_optimizer.apply_gradients(zip(tape.gradient(loss, moved), moved, strict=True))
            with tf.GradientTape() as tape:
                fooled = self.loss_fn(
                    tf.zeros([count, 1]), self.judge(self.maker(tf.random.normal([count, 2])))
                )
            moved = self.maker.trainable_weights
            self.maker_optimizer.apply_gradients(zip(tape.gradient(fooled, moved), moved, strict=True))
            self.judge_loss.update_state(loss)
            self.maker_loss.update_state(fooled)
            return {"judge": self.judge_loss.result(), "maker": self.maker_loss.result()}

    dense = keras.layers.Dense
    judge, maker = (
        keras.Sequential([keras.Input((4,)), dense(1)]),
        keras.Sequential([keras.Input((2,)), dense(4)]),
    )
    model = Pair(judge, maker)
    model.compile(keras.optimizers.Adam(0.01), keras.optimizers.Adam(0.02))
    before = judge.get_weights()[0]
    logs = model.fit(X, batch_size=16, epochs=2, verbose=0).history
    assert not model._recipes["train"].is_eager
    assert model.judge_optimizer.iterations.numpy() == model.maker_optimizer.iterations.numpy() == 8
    # Adam's steps are as long as the rate: 8 of 0.01.
    assert 0.02 < np.abs(judge.get_weights()[0] - before).max() < 0.081
    assert len(set(logs["judge"])) == 2


def test_a_step_of_prediction_may_be_ones_own(tf):
    class Model(keras.Model):
        def predict_step(self, data):
            return tf.argmax(self(data, training=False), axis=-1)

    model = network(Model)
    assert model.predict(X, verbose=0).shape == (64,)


def test_a_mistake_in_the_step_is_the_users_own(tf):
    class Model(keras.Model):
        def train_step(self, data):
            return {"loss": tf.reduce_sum(missing)}  # noqa: F821

    model = network(Model)
    model.compile("sgd", "mse")
    with pytest.raises(NameError, match="missing"):
        model.fit(X, Y, verbose=0)


def test_without_the_facade_the_form_for_jax_is_asked_for():
    class Model(keras.Model):
        def train_step(self, data):
            return {}

    assert not by_hand.is_on()
    model = network(Model)
    model.compile("sgd", "mse")
    with pytest.raises(NotImplementedError, match=r"train_step\(self, state, data\)"):
        model.fit(X, Y, verbose=0)
