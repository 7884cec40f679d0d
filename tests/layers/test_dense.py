"""The dense layer against real Keras: outputs, gradients, shapes, types, configs."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from doltap import initializers
from doltap.core.tensors import lend
from doltap.errors import ShapeError, UnknownArgumentError, UnknownNameError
from doltap.layers import Dense

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning:keras")

ACTIVATIONS = [None, "relu", "softmax", "tanh", "selu", "sigmoid"]


def pair(keras, units=4, input_shape=(6, 3), seed=0, **options):
    """The same layer with the same weights in both libraries, and an input."""
    ours, theirs = Dense(units, **options), keras.layers.Dense(units, **options)
    x = np.random.default_rng(seed).normal(size=input_shape).astype(np.float32)
    theirs.build(x.shape)
    ours(x)
    random = np.random.default_rng(seed + 1)
    weights = [random.normal(size=array.shape).astype(np.float32) for array in theirs.get_weights()]
    ours.set_weights(weights)
    theirs.set_weights(weights)
    return ours, theirs, x


def pulled_back(layer, variables, x):
    """The output, and what a random pull on it does to the weights and to the input."""

    def output(arrays, x):
        with lend(variables, arrays):
            return layer(x)

    y, backward = jax.vjp(output, [jnp.asarray(v.array) for v in variables], jnp.asarray(x))
    return y, *backward(np.random.default_rng(3).normal(size=y.shape).astype(y.dtype))


@pytest.mark.parametrize(
    ("activation", "use_bias", "input_shape"),
    [
        *((activation, True, (6, 3)) for activation in ACTIVATIONS),
        ("relu", False, (6, 3)),
        ("softmax", True, (1, 3)),
        ("softmax", True, (2, 5, 3)),
        (None, False, (2, 5, 3)),
    ],
)
def test_outputs_and_gradients_are_those_of_keras(keras, activation, use_bias, input_shape):
    ours, theirs, x = pair(keras, input_shape=input_shape, activation=activation, use_bias=use_bias)
    y, weight_gradients, input_gradient = pulled_back(ours, ours.weights, x)

    def peer(arrays, x):
        return theirs.stateless_call(arrays, [], x)[0]

    expected, backward = jax.vjp(peer, [jnp.asarray(w) for w in theirs.get_weights()], jnp.asarray(x))
    peer_gradients, peer_input = backward(np.random.default_rng(3).normal(size=y.shape).astype(y.dtype))
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(input_gradient, peer_input, rtol=1e-5, atol=1e-5)
    for mine, other in zip(weight_gradients, peer_gradients, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("shape", [(None, 3), (7, 3), (None, 5, 3), (None, None, 3)])
def test_the_output_shape_is_the_one_that_keras_tells(keras, shape):
    ours, theirs = Dense(4), keras.layers.Dense(4)
    theirs.build(shape)
    assert ours.compute_output_shape(shape) == tuple(theirs.compute_output_shape(shape))


def test_the_defaults_and_the_names_of_the_weights_are_those_of_keras(keras):
    ours, theirs, _ = pair(keras)
    assert [weight.name for weight in ours.weights] == [weight.name for weight in theirs.weights]
    fresh = Dense(200)
    fresh.build((None, 300))
    kernel, bias = fresh.get_weights()
    limit = np.sqrt(6 / 500)
    assert np.abs(kernel).max() <= limit
    assert kernel.std() == pytest.approx(limit / np.sqrt(3), rel=0.02)
    assert not bias.any()


def test_a_config_makes_the_layer_again_and_is_understood_by_keras(keras):
    layer = Dense(
        5,
        activation="relu",
        use_bias=False,
        kernel_initializer=initializers.HeNormal(seed=3),
        bias_initializer="ones",
        name="넓은 층",
    )
    again = Dense.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    x = np.ones((2, 3), np.float32)
    assert np.array_equal(layer(x), again(x))  # The initializer's own seed draws the same kernel.
    theirs = keras.layers.Dense.from_config(Dense(5, activation="relu", name="d").get_config())
    assert (theirs.units, theirs.activation.__name__, theirs.name) == (5, "relu", "d")


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_weights_and_outputs_have_the_type_of_the_layer(dtype):
    layer = Dense(4, activation="relu", dtype=dtype)
    for x in (np.ones((2, 3), np.float32), np.ones((2, 3)), jnp.ones((2, 3), "bfloat16"), [[1, 2, 3]]):
        assert layer(x).dtype == jnp.dtype(dtype)
    assert {weight.dtype for weight in layer.weights} == {dtype}
    y, weight_gradients, _ = pulled_back(layer, layer.weights, jnp.ones((2, 3), dtype))
    assert {str(gradient.dtype) for gradient in weight_gradients} == {dtype}
    assert y.dtype == jnp.dtype(dtype)


@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64", "bool", "float64", "float16"])
def test_inputs_of_any_type_are_computed_as_floats(dtype):
    layer = Dense(4)
    x = np.array([[0, 1, 1], [1, 0, 1]])
    assert np.array_equal(layer(x.astype(dtype)), layer(x.astype(np.float32)))
    assert layer(x.astype(dtype)).dtype == jnp.float32


def test_the_layer_is_the_same_under_jit_and_vmap(keras):
    layer, _, x = pair(keras, activation="tanh")
    bare = layer(x)
    np.testing.assert_allclose(jax.jit(layer)(x), bare, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(jax.vmap(layer)(x[:, None])[:, 0], bare, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("units", [0, -1, 2.5, "ten", None, True])
def test_a_number_of_units_that_is_none_is_refused(units):
    with pytest.raises(ShapeError, match="units"):
        Dense(units)


def test_inputs_without_a_column_are_refused_with_the_cure():
    with pytest.raises(ShapeError, match=r"reshape\(-1, 1\)"):
        Dense(2)(np.ones(3))


def test_other_columns_than_it_was_built_for_are_refused_in_the_users_words():
    layer = Dense(2, name="hidden")
    layer(np.ones((4, 3)))
    with pytest.raises(ShapeError, match=r"layer 'hidden': expected 3 features per row, got shape \(4, 5\)"):
        layer(np.ones((4, 5)))


def test_misspelt_arguments_and_activations_are_answered_with_the_nearest_ones():
    with pytest.raises(UnknownArgumentError, match="Did you mean 'activation='"):
        Dense(2, activaton="relu")
    with pytest.raises(UnknownNameError, match="Did you mean 'relu'"):
        Dense(2, activation="rellu")


def test_old_words_for_its_arguments_are_understood():
    layer = Dense(output_dim=3, init="zeros", bias=False, input_dim=2)
    layer.build((None, 2))
    assert layer.units == 3
    assert [array.tolist() for array in layer.get_weights()] == [np.zeros((2, 3)).tolist()]
