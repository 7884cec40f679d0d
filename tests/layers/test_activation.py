"""Activation layers: what they refuse, masks of scores, and shapes of slopes."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

from doltap import activations, notes
from doltap.errors import DataError, DoltapError, ShapeError, UnknownNameError
from doltap.layers import ELU, Activation, LeakyReLU, PReLU, ReLU, Softmax

X = np.random.default_rng(0).normal(size=(4, 5, 6)).astype(np.float32)


@pytest.mark.parametrize("name", ["relu", "softmax", "elu", "linear", None])
def test_an_activation_layer_computes_as_keras(keras, name):
    theirs = np.asarray(keras.layers.Activation(name)(X))
    np.testing.assert_allclose(Activation(name)(X), theirs, rtol=1e-5, atol=1e-6)


def test_an_activation_layer_takes_functions_of_ones_own_and_refuses_unknown_names():
    np.testing.assert_array_equal(Activation(jnp.square)(np.array([[2.0, 3.0]])), [[4, 9]])
    with pytest.raises(UnknownNameError, match="Did you mean 'softmax'"):
        Activation("softmaxx")


@pytest.mark.parametrize("layer", [Activation("softmax"), Softmax()])
def test_a_loss_can_find_the_scores_behind_the_probabilities(layer):
    with notes.taken():
        y = layer(jnp.asarray(X))
        name, scores, _ = activations.origin_of(y)
        np.testing.assert_array_equal(scores, X)
        assert name == "softmax"


@pytest.mark.parametrize("bad", [-1.0, None, "big", float("nan"), True])
def test_numbers_below_0_are_refused_where_keras_refuses_them(bad):
    for name, make in (
        ("negative_slope", lambda: LeakyReLU(bad)),
        ("negative_slope", lambda: ReLU(negative_slope=bad)),
        ("threshold", lambda: ReLU(threshold=bad)),
    ):
        with pytest.raises(DataError, match=rf"{name}= to be a number from 0, got"):
            make()
    if bad is not None:
        with pytest.raises(DataError, match="max_value="):
            ReLU(max_value=bad)


def test_defaults_are_those_of_keras():
    assert (LeakyReLU().negative_slope, ELU().alpha, Softmax().axis) == (0.3, 1.0, -1)
    assert (ReLU().max_value, ReLU().negative_slope, ReLU().threshold) == (None, 0.0, 0.0)


@pytest.mark.parametrize("axis", [-1, 1, [1, 2]])
@pytest.mark.parametrize("shape", [(4, 5, 6), (6,), (4, 1, 6), (4, 5, 1)])
@pytest.mark.parametrize("dtype", ["float32", "bool"])
def test_masked_scores_get_no_share_as_in_keras(keras, axis, shape, dtype):
    mask = (np.random.default_rng(1).random(shape) > 0.4).astype(dtype)
    y = Softmax(axis)(X, mask=jnp.asarray(mask))
    theirs = keras.layers.Softmax(axis)(X, mask=jnp.asarray(mask))
    np.testing.assert_allclose(y, np.asarray(theirs), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("shape", [(5,), (4, 5, 6, 1), (2, 5, 6)])
def test_a_mask_that_does_not_spread_over_the_scores_is_refused(shape):
    with pytest.raises(ShapeError, match="a mask that spreads"):
        Softmax(name="shares")(X, mask=jnp.ones(shape, bool))


def test_a_mask_of_steps_masks_all_that_a_step_holds():
    # Keras refuses it, so that no Softmax can follow a Masking.
    x, mask = jnp.asarray(X), jnp.asarray(X[..., 0] > 0)
    with notes.taken() as taken:
        taken.set_mask(x, mask)
        y = Softmax()(x)
        np.testing.assert_array_equal(taken.mask_of(y), mask)
    np.testing.assert_allclose(y.sum(-1), np.asarray(mask, np.float32), rtol=1e-6)


def test_slopes_are_shared_along_the_axes_that_are_named(keras):
    for axes in (None, 1, [1], [1, 2], (2,)):
        ours, theirs = PReLU(shared_axes=axes), keras.layers.PReLU(shared_axes=axes)
        ours(X), theirs(X)
        assert ours.alpha.shape == tuple(theirs.alpha.shape)


def test_slopes_along_an_unknown_length_need_to_be_shared():
    with pytest.raises(ShapeError, match=r"PReLU\(shared_axes=\[1\]\)"):
        PReLU().build((None, None, 6))
    PReLU(shared_axes=[1]).build((None, None, 6))
    for axis in (0, 3):
        with pytest.raises(ShapeError, match=r"shared_axes|an axis from"):
            PReLU(shared_axes=[axis]).build((None, 5, 6))


def test_options_that_they_do_not_have_are_refused():
    with pytest.raises(DoltapError, match="Did you mean 'max_value='"):
        ReLU(max_val=1)
