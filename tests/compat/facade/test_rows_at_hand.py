"""A data set whose rows are at hand is trained on as arrays, with the same meaning."""

from __future__ import annotations

import numpy as np
import pytest

import doltap as keras
from doltap.compat.tensorflow.data import at_hand

X = np.random.default_rng(0).random((70, 3), dtype="float32")
Y = X.sum(axis=1, keepdims=True)


@pytest.fixture
def data(tf):
    at_hand.enter_all()
    return tf.data.Dataset.from_tensor_slices((X, Y))


TAKEN = {
    "rows in order": lambda d: d.batch(32),
    "prefetched": lambda d: d.batch(32).prefetch(1),
    "shuffled": lambda d: d.shuffle(70).batch(32),
    "cached before": lambda d: d.cache().shuffle(1000).batch(32).prefetch(-1),
    "mapped": lambda d: d.map(lambda x, y: (x * 2, y)).batch(32),
    "the rest dropped": lambda d: d.batch(32, drop_remainder=True),
}
READ = {
    "a small buffer": lambda d: d.shuffle(8).batch(32),
    "one order for all": lambda d: d.shuffle(70, reshuffle_each_iteration=False).batch(32),
    "another rest dropped each time": lambda d: d.shuffle(70).batch(32, drop_remainder=True),
    "repeated": lambda d: d.repeat(2).batch(32),
    "batches mapped": lambda d: d.batch(32).map(lambda x, y: (x, y)),
    "some": lambda d: d.take(10).batch(5),
    "filtered": lambda d: d.filter(lambda x, y: True).batch(5),
    "no batches": lambda d: d,
}


@pytest.mark.parametrize("what", TAKEN)
def test_these_are_taken_as_arrays(data, what):
    found = at_hand.rows_of(TAKEN[what](data))
    assert found is not None
    assert len(found.arrays[0]) == (64 if what == "the rest dropped" else 70)
    assert found.batch_size == 32
    assert found.is_shuffled is ("shuffle" in what or "cached" in what)


@pytest.mark.parametrize("what", READ)
def test_these_are_read_batch_by_batch(data, what):
    assert at_hand.rows_of(READ[what](data)) is None


def test_what_draws_at_random_is_read_batch_by_batch(tf, data):
    assert at_hand.rows_of(data.map(lambda x, y: (x + tf.random.normal((3,)), y)).batch(32)) is None


def trained(data, **more):
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"])
    history = model.fit(data, epochs=2, verbose=0, **more).history
    return history, model.evaluate(data, verbose=0), model.predict(data, verbose=0)


@pytest.mark.parametrize("what", ["rows in order", "mapped", "the rest dropped"])
def test_training_on_the_arrays_gives_what_the_batches_give(data, monkeypatch, what):
    dataset = TAKEN[what](data)
    found = trained(dataset, validation_data=dataset)
    monkeypatch.setattr(at_hand, "rows_of", lambda data: None)
    wanted = trained(dataset, validation_data=dataset)
    for name in wanted[0]:
        np.testing.assert_allclose(found[0][name], wanted[0][name], rtol=1e-5)
    np.testing.assert_allclose(found[1], wanted[1], rtol=1e-5)
    np.testing.assert_allclose(found[2], wanted[2], rtol=1e-5)


def test_no_feed_is_made_and_every_row_is_seen_once_in_a_new_order(data, monkeypatch):
    def refuse(*arguments):
        raise AssertionError("a feed was made")

    monkeypatch.setattr(keras.Model, "_feed", refuse)
    history, _, outputs = trained(TAKEN["rows in order"](data))
    assert len(history["loss"]) == 2
    assert outputs.shape == (70, 1)
    trained(TAKEN["prefetched"](data))


def test_weights_and_steps_keep_their_meaning(tf, data):
    weighted = tf.data.Dataset.from_tensor_slices((X, Y, np.zeros(70, "float32"))).batch(10)
    assert trained(weighted)[0]["loss"] == [0, 0]
    first = trained(data.batch(10), steps_per_epoch=3)[0]
    assert first["loss"] != trained(data.batch(10))[0]["loss"]
