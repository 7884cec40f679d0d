"""Normalization: moving averages over steps, freezing, masks, precision, and what is refused."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from doltap.core.tensors import lend
from doltap.errors import DataError, NotSupportedError, ShapeError
from doltap.layers import (
    BatchNormalization,
    GroupNormalization,
    LayerNormalization,
    RMSNormalization,
    UnitNormalization,
)

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning:keras")

X = (np.random.default_rng(0).normal(size=(32, 6)) * 3 + 5).astype(np.float32)
ALL = [
    BatchNormalization,
    LayerNormalization,
    RMSNormalization,
    UnitNormalization,
    lambda **o: GroupNormalization(2, **o),
]


@pytest.mark.parametrize("momentum", [0.99, 0.5, 0.0])
def test_moving_averages_follow_several_batches_as_in_keras(keras, momentum):
    ours, theirs = BatchNormalization(momentum=momentum), keras.layers.BatchNormalization(momentum=momentum)
    for batch in X.reshape(4, 8, 6):
        np.testing.assert_allclose(
            ours(batch, training=True), np.asarray(theirs(batch, training=True)), rtol=1e-4, atol=1e-5
        )
    for mine, peer in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(mine, peer, rtol=1e-5)
    np.testing.assert_allclose(ours(X), np.asarray(theirs(X)), rtol=1e-4, atol=1e-5)
    assert ours.moving_mean.numpy().any()


def test_a_frozen_layer_uses_and_keeps_its_averages_in_training():
    layer = BatchNormalization()
    layer(X, training=True)
    layer.trainable = False
    before = layer.get_weights()
    np.testing.assert_array_equal(layer(X, training=True), layer(X, training=False))
    for mine, kept in zip(layer.get_weights(), before, strict=True):
        np.testing.assert_array_equal(mine, kept)
    assert layer.trainable_weights == []


def test_in_a_program_the_new_averages_come_back_in_the_types_they_had():
    layer = BatchNormalization(dtype="mixed_bfloat16")
    layer.build((None, 6))

    @jax.jit
    def step(arrays):
        with lend(layer.weights, arrays) as loan:
            layer(X, training=True)
            return [loan[v] for v in layer.weights]

    before = [v.array for v in layer.weights]
    after = step(before)
    assert [(a.shape, a.dtype, a.weak_type) for a in after] == [(a.shape, a.dtype, False) for a in before]
    np.testing.assert_allclose(after[2], 0.01 * X.mean(0), rtol=1e-2)
    assert not layer.moving_mean.numpy().any()  # The layer's own was lent, and stays.


@pytest.mark.parametrize("shape", [(8, 5, 6), (8, 5, 4, 6)])
def test_masked_steps_count_in_no_average(keras, shape):
    x = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    mask = np.random.default_rng(1).random(shape[:-1]) > 0.4
    ours, theirs = BatchNormalization(momentum=0.0), keras.layers.BatchNormalization(momentum=0.0)
    y, expected = (layer(x, training=True, mask=jnp.asarray(mask)) for layer in (ours, theirs))
    np.testing.assert_allclose(y, np.asarray(expected), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(ours.moving_mean, x[mask].mean(0), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(ours.moving_variance, x[mask].var(0), rtol=1e-4)


def test_a_mask_of_steps_spreads_over_all_that_a_step_holds():
    x = np.random.default_rng(0).normal(size=(8, 5, 4, 6)).astype(np.float32)
    mask = np.random.default_rng(1).random((8, 5)) > 0.4
    layer = BatchNormalization(momentum=0.0)
    layer(x, training=True, mask=jnp.asarray(mask))
    np.testing.assert_allclose(layer.moving_mean, x[mask].mean((0, 1)), rtol=1e-4, atol=1e-6)
    with pytest.raises(ShapeError, match="a mask with fewer dimensions"):
        layer(x, training=True, mask=jnp.ones(x.shape, bool))


@pytest.mark.parametrize("make", ALL)
@pytest.mark.parametrize("dtype", ["float16", "mixed_float16", "mixed_bfloat16"])
def test_large_numbers_of_16_bits_do_not_overflow(make, dtype):
    x = jnp.asarray(X * 50, "float16")
    y = make(dtype=dtype)(x, training=True)
    assert np.isfinite(np.asarray(y, np.float32)).all()
    assert np.asarray(y, np.float32).any()


@pytest.mark.parametrize("make", [LayerNormalization, RMSNormalization, UnitNormalization])
def test_whole_numbers_are_normalized_to_fractions(make):
    # Keras rounds the result to whole numbers again where it keeps the input's type.
    y = make()(np.array([[1, 2, 4]]))
    assert y.dtype == jnp.float32
    np.testing.assert_array_equal(y, make()(np.array([[1.0, 2.0, 4.0]], np.float32)))


def test_rows_of_zeros_stay_zeros_and_have_a_finite_gradient():
    y, backward = jax.vjp(UnitNormalization(), jnp.zeros((2, 3)))
    assert not np.asarray(y).any()
    assert np.isfinite(backward(jnp.ones((2, 3)))[0]).all()


def test_numbers_far_from_0_keep_their_differences():
    x = np.float32(3000) + np.random.default_rng(0).normal(size=(64, 2)).astype(np.float32)
    exact = (x - x.mean(0, dtype=np.float64)) / np.sqrt(x.var(0, dtype=np.float64) + 1e-3)
    np.testing.assert_allclose(BatchNormalization()(x, training=True), exact, atol=2e-3)


@pytest.mark.parametrize("axis", [2, -3, [2]])
@pytest.mark.parametrize("make", ALL)
def test_an_axis_that_is_not_there_is_refused(make, axis):
    layer = make(axis=axis)
    with pytest.raises(ShapeError, match="axis from -2 to 1"):
        layer(X)
    with pytest.raises(ShapeError, match="axis from -2 to 1"):
        layer.compute_output_shape((32, 6))


@pytest.mark.parametrize("axis", ["last", 1.5, None, [1, None]])
@pytest.mark.parametrize("make", ALL)
def test_an_axis_that_is_no_whole_number_is_refused(make, axis):
    with pytest.raises(DataError, match="axis= to be a whole number"):
        make(axis=axis)


@pytest.mark.parametrize("make", [ALL[0], ALL[4]])
def test_one_axis_is_all_that_batches_and_groups_take(make):
    with pytest.raises(DataError, match="axis= to be a whole number, got"):
        make(axis=[1, 2])


@pytest.mark.parametrize("make", [ALL[0], ALL[1], ALL[2], ALL[4]])
def test_unknown_and_other_lengths_are_refused_in_the_users_words(make):
    with pytest.raises(ShapeError, match=r"known length along axis -1, got shape \(None, None\)"):
        make().build((None, None))
    layer = make(name="norm")
    layer(X)
    with pytest.raises(ShapeError, match=r"layer 'norm': expected lengths \(6,\)"):
        layer(np.ones((4, 8), np.float32))


@pytest.mark.parametrize("groups", [0, -2, 1.5, "two", None, True])
def test_a_number_of_groups_that_is_none_is_refused(groups):
    with pytest.raises(DataError, match="groups="):
        GroupNormalization(groups)


@pytest.mark.parametrize("groups", [4, 7, 32])
def test_groups_that_do_not_divide_the_features_are_refused(groups):
    with pytest.raises(ShapeError, match=f"that {groups} groups divide evenly, got 6"):
        GroupNormalization(groups)(X)


def test_what_old_configurations_of_batch_normalization_say_is_understood():
    assert BatchNormalization(axis=[3]).axis == 3
    assert BatchNormalization.from_config({"axis": [1], "renorm": False, "synchronized": True}).synchronized
    with pytest.raises(NotSupportedError, match="renorm"):
        BatchNormalization(renorm=True)
