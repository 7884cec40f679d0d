"""Wrappers: what is inside is built, trained, masked and written down with them."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from doltap import layers, notes
from doltap.errors import NotSupportedError, ShapeError
from doltap.layers import BatchNormalization, Dense, Dropout, Layer, TimeDistributed, Wrapper

X = np.random.default_rng(0).normal(size=(4, 5, 6)).astype(np.float32)


class Twice(Wrapper):
    def call(self, inputs):
        return 2 * self.layer(inputs)


class SeesMask(Layer):
    def call(self, inputs, mask=None):
        return inputs * mask[:, None]


def test_every_step_goes_through_one_and_the_same_layer():
    inner = Dense(3)
    y = TimeDistributed(inner)(X)
    for step in range(5):
        np.testing.assert_allclose(y[:, step], inner(X[:, step]), rtol=1e-5, atol=1e-6)


def test_the_layer_inside_sees_steps_as_rows_and_its_states_move():
    wrapped, bare = TimeDistributed(BatchNormalization(momentum=0.0)), BatchNormalization(momentum=0.0)
    y = wrapped(X, training=True)
    np.testing.assert_allclose(y.reshape(20, 6), bare(X.reshape(20, 6), training=True), rtol=1e-6)
    np.testing.assert_array_equal(wrapped.layer.moving_mean, bare.moving_mean)
    assert not wrapped.inside(Layer)[0].rows_are_independent


def test_training_reaches_the_layer_inside_and_each_step_draws_its_own():
    layer = TimeDistributed(Dropout(0.5, seed=1))
    np.testing.assert_array_equal(layer(X), X)
    dropped = np.asarray(layer(np.ones((4, 5, 6)), training=True)) == 0
    assert 0.2 < dropped.mean() < 0.8
    assert not (dropped[:, :1] == dropped).all()


def test_a_mask_reaches_the_layer_inside_and_is_passed_on():
    x, mask = jnp.asarray(X), jnp.asarray(X[..., 0] > 0)
    with notes.taken() as taken:
        taken.set_mask(x, mask)
        y = TimeDistributed(SeesMask())(x)
        np.testing.assert_array_equal(taken.mask_of(y), mask)
    np.testing.assert_array_equal(y, X * np.asarray(mask)[:, :, None])
    np.testing.assert_array_equal(TimeDistributed(SeesMask())(x, mask=mask), y)
    with pytest.raises(ShapeError, match="a mask of the steps"):
        TimeDistributed(SeesMask())(x, mask=mask.T)


def test_wrappers_nest_and_hold_the_weights_of_what_is_inside():
    layer = TimeDistributed(TimeDistributed(Dense(2)))
    assert layer(np.ones((3, 4, 5, 6))).shape == (3, 4, 5, 2)
    assert [w.name for w in layer.weights] == ["kernel", "bias"]
    layer.trainable = False
    assert layer.trainable_weights == []
    again = layers.deserialize(layers.serialize(layer))
    assert again.layer.layer.units == 2


def test_a_wrapper_of_ones_own_is_a_layer_like_any_other():
    layer = Twice(Dense(3))
    y = layer(X[0])
    np.testing.assert_allclose(y, 2 * layer.layer(X[0]), rtol=1e-6)
    config = layer.get_config()
    assert config["layer"]["class_name"] == "Dense"
    again = Twice.from_config(config)
    assert again.layer.units == 3
    assert "layer" in config  # The configuration is left as it was.


def test_a_wrapper_is_the_same_under_jit():
    layer = TimeDistributed(Dense(3))
    np.testing.assert_allclose(layer(X), jax.jit(layer)(X), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("inner", [3, "dense", None, Dense, np.tanh])
def test_what_is_no_layer_cannot_be_wrapped(inner):
    with pytest.raises(NotSupportedError, match=r"TimeDistributed\(layer\): expected a layer"):
        TimeDistributed(inner)


def test_inputs_without_steps_are_refused():
    layer = TimeDistributed(Dense(3))
    for attempt in (lambda: layer(X[0]), lambda: layer.compute_output_shape((None, 6))):
        with pytest.raises(ShapeError, match=r"inputs of shape \(batch, steps, ...\)"):
            attempt()
    layer(X)
    with pytest.raises(ShapeError, match="batch, steps"):
        layer(X[0])


def test_a_bare_wrapper_has_no_call():
    with pytest.raises(NotSupportedError, match="call"):
        Wrapper(Dense(3))(X)
