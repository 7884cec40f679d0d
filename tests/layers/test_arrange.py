"""Flatten, Reshape, Activation, Input and InputLayer against real Keras."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from doltap.errors import DoltapError, NotSupportedError, ShapeError, UnknownNameError
from doltap.layers import Activation, Dense, Flatten, Input, InputLayer, Reshape

SHAPES = [(4, 6), (4, 2, 3), (4, 2, 3, 5), (4, 1), (1, 2, 3)]
RESHAPES = [((4, 6), (2, 3)), ((4, 6), (-1, 2)), ((4, 2, 3), (6,)), ((4, 2, 3), (3, -1)), ((4, 2, 3), [2, 3])]
LAYERS = [
    (Flatten, {}, (4, 2, 3)),
    (Reshape, {"target_shape": (3, 2)}, (4, 6)),
    (Activation, {"activation": "tanh"}, (4, 6)),
    (InputLayer, {"shape": (6,)}, (4, 6)),
]
each_layer = pytest.mark.parametrize(("layer", "options", "shape"), LAYERS, ids=lambda value: str(value))


def numbers(shape):
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("shape", [*SHAPES, (4,)])
def test_flatten_lays_rows_out_as_keras(keras, shape):
    x = numbers(shape)
    np.testing.assert_array_equal(Flatten()(x), np.asarray(keras.layers.Flatten()(x)))


@pytest.mark.parametrize("shape", [(None, 28, 28), (32, 28, 28), (None, 5), (None, None, 3), (None,)])
def test_flatten_tells_the_shape_that_keras_tells(keras, shape):
    assert Flatten().compute_output_shape(shape) == tuple(keras.layers.Flatten().compute_output_shape(shape))


@pytest.mark.parametrize(("shape", "target"), RESHAPES)
def test_reshape_arranges_rows_as_keras(keras, shape, target):
    x = numbers(shape)
    layer = Reshape(target)
    theirs = np.asarray(keras.layers.Reshape(target)(x))
    np.testing.assert_array_equal(layer(x), theirs)
    assert layer.compute_output_shape((None, *shape[1:])) == (None, *theirs.shape[1:])


def test_reshape_of_rows_of_unknown_length_leaves_the_length_open():
    assert Reshape((-1, 2)).compute_output_shape((None, None)) == (None, None, 2)


@pytest.mark.parametrize(("shape", "target"), [((4, 6), (4,)), ((4, 6), (-1, 4)), ((4, 6), (-1, -1))])
def test_reshape_to_another_number_of_numbers_is_refused(shape, target):
    with pytest.raises(ShapeError, match="target_shape"):
        Reshape(target)(numbers(shape))


@pytest.mark.parametrize("name", ["relu", "softmax", "tanh", "elu", "linear", None])
@pytest.mark.parametrize("shape", [(4, 6), (4, 2, 3)])
def test_an_activation_layer_computes_as_keras(keras, name, shape):
    x = numbers(shape)
    np.testing.assert_allclose(
        Activation(name)(x), np.asarray(keras.layers.Activation(name)(x)), rtol=1e-5, atol=1e-6
    )
    assert Activation(name).compute_output_shape((None, *shape[1:])) == (None, *shape[1:])


def test_an_activation_layer_takes_functions_of_ones_own_and_refuses_unknown_names():
    np.testing.assert_array_equal(Activation(jnp.square)(np.array([[2.0, 3.0]])), [[4, 9]])
    with pytest.raises(UnknownNameError, match="Did you mean 'softmax'"):
        Activation("softmaxx")


@each_layer
def test_a_layer_is_made_again_from_its_config(layer, options, shape):
    made = layer(name="mine", **options)
    again = layer.from_config(made.get_config())
    assert again.get_config() == made.get_config()
    assert again.name == "mine"
    np.testing.assert_array_equal(made(numbers(shape)), again(numbers(shape)))


@each_layer
def test_keras_understands_a_config_of_ours(keras, layer, options, shape):
    ours = layer(name="mine", **options)
    theirs = getattr(keras.layers, layer.__name__).from_config(ours.get_config())
    assert theirs.name == "mine"
    if layer is InputLayer:
        assert tuple(theirs.batch_shape) == ours.batch_shape == (None, 6)
    else:
        x = numbers(shape)
        np.testing.assert_allclose(ours(x), np.asarray(theirs(x)), rtol=1e-6)


@each_layer
def test_gradients_pass_through_as_through_keras(keras, layer, options, shape):
    peer = getattr(keras.layers, layer.__name__)
    theirs = jnp.asarray if layer is InputLayer else peer(**options)
    x = numbers(shape)
    y, backward = jax.vjp(layer(**options), x)
    pull = np.random.default_rng(1).normal(size=y.shape).astype(np.float32)
    np.testing.assert_allclose(backward(pull)[0], jax.vjp(theirs, x)[1](pull)[0], rtol=1e-5)


@each_layer
def test_a_layer_is_the_same_under_jit_and_vmap(layer, options, shape):
    made, x = layer(**options), numbers(shape)
    bare = made(x)
    np.testing.assert_allclose(jax.jit(made)(x), bare, rtol=1e-6)
    np.testing.assert_allclose(jax.vmap(made)(x[:, None])[:, 0], bare, rtol=1e-6)


@each_layer
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_a_layer_of_a_type_gives_this_type(layer, options, shape, dtype):
    x = jnp.asarray(numbers(shape), dtype)
    assert layer(dtype=dtype, **options)(x).dtype == jnp.dtype(dtype)


@each_layer
@pytest.mark.parametrize("dtype", ["uint8", "int64", "bool"])
def test_whole_numbers_go_through_with_their_values(layer, options, shape, dtype):
    x = np.ones(shape, dtype)
    y = np.asarray(layer(**options)(x), np.float32)
    np.testing.assert_allclose(y, layer(**options)(x.astype(np.float32)), rtol=1e-6)


def test_input_promises_a_shape_as_keras(keras):
    for options in (
        {"shape": (3,)},
        {"shape": (28, 28)},
        {"batch_shape": (5, 3)},
        {"shape": (3,), "batch_size": 7},
    ):
        assert Input(**options).shape == tuple(keras.Input(**options).shape)
    assert Input(784).shape == Input(shape=784).shape == Input((784,)).shape == (None, 784)
    assert Input(shape=[None, 3]).shape == (None, None, 3)


def test_input_layer_understands_every_way_to_say_the_shape():
    for layer in (
        InputLayer((3,)),
        InputLayer(shape=3),
        InputLayer(input_shape=(3,)),
        InputLayer(input_dim=3),
        InputLayer(batch_input_shape=(None, 3)),
        InputLayer(batch_shape=(None, 3)),
    ):
        assert layer.batch_shape == (None, 3)


def test_input_without_a_shape_is_refused():
    with pytest.raises(DoltapError, match="shape"):
        Input()


def test_a_layer_called_on_a_promise_says_that_this_comes_later():
    with pytest.raises(NotSupportedError, match="Sequential"):
        Dense(2)(Input((3,)))
