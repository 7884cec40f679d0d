"""Layers that disturb: how much, when not, what their numbers depend on, and what is refused."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import doltap
from doltap import notes, random
from doltap.core.tensors import Rate
from doltap.errors import DataError, DoltapError, ShapeError, UnknownNameError
from doltap.layers import (
    ActivityRegularization,
    AlphaDropout,
    Dropout,
    GaussianDropout,
    GaussianNoise,
    SpatialDropout1D,
    SpatialDropout2D,
    SpatialDropout3D,
)

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


# The kin of dropout

KIN = [
    ("AlphaDropout", lambda k, **o: k.AlphaDropout(0.3, **o), (200, 500)),
    ("GaussianDropout", lambda k, **o: k.GaussianDropout(0.3, **o), (200, 500)),
    ("GaussianNoise", lambda k, **o: k.GaussianNoise(0.3, **o), (200, 500)),
    ("SpatialDropout1D", lambda k, **o: k.SpatialDropout1D(0.3, **o), (100, 5, 100)),
    ("SpatialDropout2D", lambda k, **o: k.SpatialDropout2D(0.3, **o), (100, 2, 3, 100)),
    ("SpatialDropout3D", lambda k, **o: k.SpatialDropout3D(0.3, **o), (100, 2, 1, 2, 100)),
]
each_kin = pytest.mark.parametrize(("make", "shape"), [kin[1:] for kin in KIN], ids=[kin[0] for kin in KIN])


@each_kin
def test_mean_spread_and_values_are_those_of_keras(keras, make, shape):
    x = np.random.default_rng(0).normal(1, 2, size=shape).astype(np.float32)
    y, peer = (np.asarray(make(k, seed=1)(x, training=True)) for k in (doltap.layers, keras.layers))
    assert y.shape == peer.shape
    assert y.mean() == pytest.approx(peer.mean(), abs=0.1)
    assert y.std() == pytest.approx(peer.std(), rel=0.05)
    for share in (1, 10, 50, 90, 99):
        assert np.percentile(y, share) == pytest.approx(np.percentile(peer, share), abs=0.15)


@each_kin
def test_the_kin_are_off_outside_training_repeat_with_a_seed_and_draw_anew(make, shape):
    x = np.ones(shape, np.float32)
    first, second = make(doltap.layers, seed=3), make(doltap.layers, seed=3)
    np.testing.assert_array_equal(first(x), x)
    drawn = [np.asarray(layer(x, training=True)) for layer in (first, second, first)]
    assert np.array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[0], drawn[2])


@each_kin
@pytest.mark.parametrize("dtype", ["bfloat16", "mixed_bfloat16"])
def test_the_kin_keep_the_type_they_compute_in(make, shape, dtype):
    y = make(doltap.layers, dtype=dtype)(np.ones(shape, np.float32), training=True)
    assert y.dtype == jnp.bfloat16


@each_kin
def test_the_strength_may_change_without_another_program(make, shape):
    layer = make(doltap.layers, seed=1)
    (rate,) = layer.inside(Rate)
    name = layer.strength
    assert getattr(layer, name) == 0.3
    setattr(layer, name, 0.6)
    assert rate.read() == np.float32(0.6)
    assert layer.get_config()[name] == 0.6
    setattr(layer, name, 0)
    assert rate.is_zero


@each_kin
@pytest.mark.parametrize("bad", [-0.1, "half", None, True, float("nan"), float("inf")])
def test_a_strength_that_is_none_is_refused(make, shape, bad):
    kind = type(make(doltap.layers))
    with pytest.raises(DataError, match=rf"{kind.strength} from 0.*got"):
        kind(bad)
    layer = make(doltap.layers)
    with pytest.raises(DataError, match=kind.strength):
        setattr(layer, kind.strength, bad)


def test_all_dropouts_stop_at_1_and_noise_does_not():
    for kind in (AlphaDropout, SpatialDropout1D, SpatialDropout2D, GaussianDropout):
        with pytest.raises(DataError, match="rate from 0"):
            kind(1.1)
    with pytest.raises(DataError, match="below 1"):
        GaussianDropout(1.0)
    assert GaussianNoise(2.0).stddev == 2.0


def test_an_alpha_dropout_of_everything_gives_zeros_and_no_nan():
    y, backward = jax.vjp(lambda x: AlphaDropout(1.0)(x, training=True), jnp.ones((3, 4)))
    np.testing.assert_allclose(y, 0, atol=1e-6)
    assert np.isfinite(backward(jnp.ones((3, 4)))[0]).all()


def test_alpha_dropout_leaves_mean_0_and_variance_1_as_they_are():
    x = np.random.default_rng(0).normal(size=(400, 500)).astype(np.float32)
    y = np.asarray(AlphaDropout(0.4, seed=1)(x, training=True))
    assert y.mean() == pytest.approx(0, abs=0.02)
    assert y.var() == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize(
    ("layer", "shape", "places"),
    [
        (SpatialDropout1D(0.5, seed=1), (20, 5, 30), 1),
        (SpatialDropout2D(0.5, seed=1), (20, 5, 6, 30), (1, 2)),
        (SpatialDropout2D(0.5, "channels_first", 1), (20, 30, 5, 6), (2, 3)),
        (SpatialDropout3D(0.5, seed=1), (20, 2, 3, 4, 30), (1, 2, 3)),
        (SpatialDropout3D(0.5, data_format="channels_first", seed=1), (20, 30, 2, 3, 4), (2, 3, 4)),
    ],
)
def test_maps_are_dropped_as_wholes(layer, shape, places):
    y = np.asarray(layer(np.ones(shape, np.float32), training=True))
    assert not y.std(axis=places).any()
    maps = y.mean(axis=places)
    assert set(np.unique(maps)) == {0.0, 2.0}
    assert (maps.std(axis=0) > 0).all()


def test_maps_need_their_number_of_dimensions_and_a_known_order():
    with pytest.raises(ShapeError, match=r"3 dimensions, \(batch, steps, features\), got 2"):
        SpatialDropout1D(0.5)(np.ones((4, 6)))
    with pytest.raises(ShapeError, match="4 dimensions"):
        SpatialDropout2D(0.5)(np.ones((4, 6, 3)))
    with pytest.raises(UnknownNameError, match="Did you mean 'channels_last'"):
        SpatialDropout2D(0.5, data_format="chanels_last")


def test_p_is_the_older_word_for_the_rate_of_all_dropouts():
    for kind in (AlphaDropout, GaussianDropout, SpatialDropout1D, SpatialDropout2D):
        assert kind(p=0.2).rate == 0.2


@pytest.mark.parametrize(("l1", "l2"), [(0.1, 0.0), (0.0, 0.5), (0.1, 0.5)])
def test_the_size_of_the_activity_is_added_to_the_loss_per_row(keras, l1, l2):
    x = np.random.default_rng(0).normal(size=(8, 3)).astype(np.float32)
    ours, theirs = ActivityRegularization(l1, l2), keras.layers.ActivityRegularization(l1, l2)
    np.testing.assert_array_equal(ours(x), x)
    theirs(x)
    assert float(ours.losses[0]) == pytest.approx(float(theirs.losses[0]), rel=1e-5)
    assert float(ours.losses[0]) == pytest.approx((l1 * np.abs(x).sum() + l2 * (x * x).sum()) / 8, rel=1e-5)
    with notes.taken() as taken:
        ours(jnp.asarray(x))
    assert len(taken.losses) == 1
    assert not ours.rows_are_independent
