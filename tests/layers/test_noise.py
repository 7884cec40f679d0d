"""Dropout: how much it keeps, when it is off, and what its masks depend on."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import doltap
from doltap import random
from doltap.errors import DoltapError
from doltap.layers import Dropout

ONES = np.ones((200, 500), np.float32)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_the_rate_is_dropped_and_the_rest_scaled_so_that_the_mean_stays(keras, rate):
    for layer in (Dropout(rate, seed=1), keras.layers.Dropout(rate, seed=1)):
        y = np.asarray(layer(ONES, training=True))
        np.testing.assert_allclose(np.unique(y), [0, 1 / (1 - rate)], rtol=1e-6)
        kept = (y > 0).mean()
        # Four standard deviations of a share among 100,000 draws.
        assert kept == pytest.approx(1 - rate, abs=4 * np.sqrt(rate * (1 - rate) / ONES.size))


def test_every_row_and_every_column_loses_its_share():
    y = np.asarray(Dropout(0.3, seed=1)(ONES, training=True)) > 0
    assert y.mean(axis=0).std() == pytest.approx(np.sqrt(0.21 / 200), rel=0.2)
    assert y.mean(axis=1).std() == pytest.approx(np.sqrt(0.21 / 500), rel=0.2)


def test_outside_training_nothing_happens():
    x = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
    layer = Dropout(0.5)
    for y in (layer(x), layer(x, training=False), Dropout(0.0)(x, training=True)):
        np.testing.assert_array_equal(y, x)


def test_rate_1_drops_everything_without_a_nan_in_the_gradient():
    layer = Dropout(1.0)
    y, backward = jax.vjp(lambda x: layer(x, training=True), jnp.ones((2, 3)))
    assert not np.asarray(y).any()
    assert not np.asarray(backward(jnp.ones((2, 3)))[0]).any()


def test_the_gradient_flows_where_the_input_was_kept():
    layer = Dropout(0.4, seed=2)
    y, backward = jax.vjp(lambda x: layer(x, training=True), jnp.asarray(ONES))
    np.testing.assert_array_equal(backward(jnp.ones_like(y))[0], y)


@pytest.mark.parametrize("noise_shape", [(200, 1), (None, 1), (1, 500), (1, None), [None, 1]])
def test_a_noise_shape_shares_the_mask_along_its_ones(keras, noise_shape):
    for layer in (Dropout(0.5, noise_shape, seed=1), keras.layers.Dropout(0.5, noise_shape, seed=1)):
        mask = np.asarray(layer(ONES, training=True))
        shared = 1 if noise_shape[1] == 1 else 0
        assert (mask.std(axis=shared) == 0).all()
        assert 0 < mask.mean() < 2
        assert mask.std(axis=1 - shared).any()


def test_a_seed_draws_the_same_masks_again_and_two_calls_two_masks():
    first, second = Dropout(0.5, seed=7), Dropout(0.5, seed=7)
    masks = [np.asarray(layer(ONES, training=True)) for layer in (first, second, first, second)]
    assert np.array_equal(masks[0], masks[1])
    assert np.array_equal(masks[2], masks[3])
    assert not np.array_equal(masks[0], masks[2])
    assert not np.array_equal(masks[0], Dropout(0.5, seed=8)(ONES, training=True))


def test_layers_without_a_seed_differ_and_follow_the_global_seed():
    def two():
        random.set_random_seed(5)
        return [np.asarray(Dropout(0.5)(ONES, training=True)) for _ in range(2)]

    first, again = two(), two()
    assert not np.array_equal(*first)
    assert np.array_equal(first, again)


def test_a_step_draws_other_masks_than_the_next_and_the_same_when_repeated():
    layer = Dropout(0.5)

    @jax.jit
    def masks(step):
        with random.key_scope(random.words(3), step):
            return layer(ONES, training=True), layer(ONES, training=True)

    once, twice, later = masks(0), masks(0), masks(1)
    assert np.array_equal(once, twice)
    assert not np.array_equal(once[0], once[1])
    assert not np.array_equal(once[0], later[0])


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_the_type_is_kept(dtype):
    layer = Dropout(0.5, dtype=dtype, seed=1)
    for training in (True, False):
        y = layer(jnp.ones((4, 6), dtype), training=training)
        assert y.dtype == jnp.dtype(dtype)
        assert set(np.asarray(y, np.float32).reshape(-1).tolist()) <= {0.0, 1.0, 2.0}


@pytest.mark.parametrize("dtype", ["uint8", "int64", "bool"])
def test_whole_numbers_are_taken_as_floats(dtype):
    y = Dropout(0.5, seed=1)(np.ones((4, 6), dtype), training=True)
    assert y.dtype == jnp.float32
    assert set(np.asarray(y).reshape(-1).tolist()) == {0.0, 2.0}


def test_under_vmap_every_row_is_thinned_out():
    y = jax.vmap(lambda row: Dropout(0.5, seed=1)(row, training=True))(ONES)
    assert np.asarray(y).mean() == pytest.approx(1, abs=0.2)
    assert set(np.unique(y)) == {0.0, 2.0}


def test_a_config_makes_the_layer_again_and_is_understood_by_keras(keras):
    ours = Dropout(0.25, noise_shape=(None, 1), seed=3, name="thin")
    assert Dropout.from_config(ours.get_config()).get_config() == ours.get_config()
    theirs = keras.layers.Dropout.from_config(ours.get_config())
    assert (theirs.rate, theirs.seed, theirs.name) == (0.25, 3, "thin")


@pytest.mark.parametrize("rate", [-0.1, 1.1, "half", None, True])
def test_a_rate_that_is_none_is_refused_at_once_and_later(rate):
    with pytest.raises(DoltapError, match="rate"):
        Dropout(rate)
    layer = Dropout(0.5)
    with pytest.raises(DoltapError, match="rate"):
        layer.rate = rate
    assert layer.rate == 0.5


def test_p_is_the_older_word_for_the_rate():
    assert Dropout(p=0.2).rate == 0.2


def test_a_rate_set_between_two_fits_is_the_one_that_holds():
    x = np.ones((64, 1), np.float32)
    model = doltap.Sequential([doltap.layers.Dropout(0.999, input_shape=(1,)), doltap.layers.Dense(1)])
    model.compile(optimizer="sgd", loss="mse")
    model.set_weights([[[0.0]], [0.0]])
    model.fit(x, x, batch_size=64, epochs=1, verbose=0)
    held_back = float(model.get_weights()[0][0, 0])
    model.layers[0].rate = 0.0
    model.set_weights([[[0.0]], [0.0]])
    model.fit(x, x, batch_size=64, epochs=1, verbose=0)
    assert float(model.get_weights()[0][0, 0]) == pytest.approx(0.02, rel=1e-4)
    assert held_back != pytest.approx(0.02, rel=1e-4)


def test_a_network_with_dropout_trains_alike_from_one_seed_and_otherwise_differently():
    x = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)

    def trained(seed):
        random.set_random_seed(seed)
        layers = doltap.layers
        model = doltap.Sequential([layers.Dense(8, input_dim=3), layers.Dropout(0.5), layers.Dense(1)])
        model.compile(optimizer="sgd", loss="mse")
        model.fit(x, x[:, :1], batch_size=8, epochs=2, verbose=0)
        return model.get_weights()[0]

    assert np.array_equal(trained(1), trained(1))
    assert not np.array_equal(trained(1), trained(2))
