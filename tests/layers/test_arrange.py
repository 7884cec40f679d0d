"""Inputs, shapes and what is passed on: Input, Flatten, Reshape, Permute, RepeatVector, Masking, Lambda."""

from __future__ import annotations

import copy
import json
import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import doltap
from doltap import activations, layers, notes, ops, registry
from doltap.core.graph import Graph
from doltap.errors import DataError, DoltapError, NotSupportedError, ShapeError, UnknownNameError
from doltap.layers import (
    Dense,
    Flatten,
    Identity,
    Input,
    InputLayer,
    Lambda,
    Masking,
    Permute,
    RepeatVector,
    Reshape,
)

SHAPES = [(4, 6), (4, 2, 3), (4, 2, 3, 5), (4, 1), (1, 2, 3)]
RESHAPES = [((4, 6), (2, 3)), ((4, 6), (-1, 2)), ((4, 2, 3), (6,)), ((4, 2, 3), (3, -1)), ((4, 2, 3), [2, 3])]


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


@pytest.mark.parametrize("shape", [(3, 4, 5, 6), (3, 4, 5), (3, 4), (3,)])
def test_channels_that_come_first_are_laid_out_last(keras, shape):
    x = numbers(shape)
    theirs = keras.layers.Flatten(data_format="channels_first")(x)
    np.testing.assert_array_equal(Flatten(data_format="channels_first")(x), np.asarray(theirs))


def test_an_unknown_data_format_is_refused():
    with pytest.raises(UnknownNameError, match="Did you mean 'channels_last'"):
        Flatten("channel_last")


def test_what_the_model_cannot_take_in_is_refused_at_once():
    for options in ({"sparse": True}, {"ragged": True}, {"tensor": Input((3,))}):
        with pytest.raises(NotSupportedError, match=f"got {next(iter(options))}="):
            Input((3,), **options)
    assert Input((3,), sparse=False, ragged=False).shape == (None, 3)
    for options in ({"shape": (3,)}, {"batch_size": 2}):
        with pytest.raises(ShapeError, match="batch_shape"):
            Input(batch_shape=(None, 3), **options)
    with pytest.raises(DoltapError, match="Did you mean 'batch_size='"):
        InputLayer((3,), batchsize=2)


def test_the_configuration_of_an_input_goes_both_ways(keras):
    ours = InputLayer((3,), dtype="int32", optional=True, name="numbers")
    theirs = keras.layers.InputLayer.from_config(ours.get_config())
    assert (tuple(theirs.batch_shape), theirs.dtype, theirs.name) == ((None, 3), "int32", "numbers")
    again = InputLayer.from_config(theirs.get_config())
    assert again.get_config() == ours.get_config()
    assert (again.output.dtype, again.output.name, again.optional) == ("int32", "numbers", True)
    np.testing.assert_array_equal(again(np.array([[1, 2, 3]])), [[1, 2, 3]])


def test_arranging_keeps_whole_numbers_whole():
    x = np.arange(24).reshape(2, 3, 4)
    for layer in (Flatten(), Reshape((4, 3)), Permute((2, 1)), Masking(), Identity()):
        assert layer(x).dtype == jnp.int32
        assert layer(Input((3, 4), dtype="int32")).dtype == "int32"
    assert RepeatVector(2)(x[0]).dtype == jnp.int32


@pytest.mark.parametrize("dims", [(0, 1), (1, 3), (1, 1), (-1, 1), (2,), (1, 2.5)])
def test_dims_that_name_no_order_are_refused(dims):
    with pytest.raises((DataError, ShapeError), match="dims"):
        Permute(dims)(numbers((2, 3, 4)))


def test_layers_for_another_number_of_dimensions_say_so():
    with pytest.raises(ShapeError, match="3 dimensions, the batch and those in dims, got 2"):
        Permute((2, 1), name="swap")(numbers((2, 3)))
    with pytest.raises(ShapeError, match=r"2 dimensions, \(batch, features\), got 3"):
        RepeatVector(3)(numbers((2, 3, 4)))


@pytest.mark.parametrize("n", [0, -1, 2.5, "three", None, True])
def test_a_number_of_repetitions_that_is_none_is_refused(n):
    with pytest.raises(DataError, match=r"RepeatVector\(3\)"):
        RepeatVector(n)


@pytest.mark.parametrize("value", [0.0, -1, [1.0, 2.0]])
@pytest.mark.parametrize("dtype", ["float32", "int32"])
def test_steps_that_hold_only_the_mask_value_are_masked(keras, value, dtype):
    x = numbers((2, 4, 2)).astype(dtype)
    x[0, 1], x[1, 3], x[1, 0, 0] = value, value, np.ravel(value)[0]
    with notes.taken() as taken:
        y = Masking(value)(jnp.asarray(x))
        mask = taken.mask_of(y)
    theirs = keras.layers.Masking(np.asarray(value, dtype))
    np.testing.assert_array_equal(mask, theirs.compute_mask(x))
    np.testing.assert_array_equal(y, np.asarray(theirs(x)))
    assert Masking.from_config(Masking(np.asarray(value)).get_config()).get_config()["mask_value"] == value


def double(x):
    return x * 2


def last_step(inputs, mask=None, training=None, shift=0):
    return inputs[:, -1] + shift + (10 if training else 0) + (0 if mask is None else 100)


def test_a_function_of_ones_own_takes_part_in_a_network():
    x = numbers((2, 3))
    np.testing.assert_array_equal(Lambda(lambda x: x * 2)(x), 2 * x)
    inputs = Input((3,))
    shortened = Lambda(lambda x: jnp.argmax(x, -1))(inputs)
    assert (shortened.shape, shortened.dtype) == ((None,), "int32")
    np.testing.assert_array_equal(Graph([inputs], shortened).run([x]), x.argmax(-1))
    assert [t.shape for t in Lambda(lambda x: (x[:, :1], x[:, 1:]))(inputs)] == [(None, 1), (None, 2)]
    pair = Lambda(lambda inputs: inputs[0] - inputs[1])([Input((3,)), Input((3,))])
    assert pair.shape == (None, 3)
    assert Lambda(double, output_shape=(3,)).compute_output_shape((None, 3)) == (None, 3)
    # This function of Python does not tell what it takes.
    np.testing.assert_array_equal(Lambda(min)([x]), x)


def test_a_function_gets_training_mask_and_arguments_if_it_names_them():
    x = jnp.zeros((2, 3, 1))
    layer = Lambda(last_step, arguments={"shift": 1})
    assert layer(x).tolist() == [[1], [1]]
    assert layer(x, training=True).tolist() == [[11], [11]]
    with notes.taken() as taken:
        taken.set_mask(x, jnp.ones((2, 3), bool))
        y = layer(x)
        assert y.tolist() == [[101], [101]]
        assert taken.mask_of(y) is None
        y = Lambda(double, mask=lambda inputs, mask: ~mask)(x)
        assert not taken.mask_of(y).any()


def test_code_is_never_written_down_and_never_read(keras):
    for layer in (Lambda(lambda x: x), Lambda(double), Lambda(jnp.sin, output_shape=lambda shape: shape)):
        with pytest.raises(NotSupportedError, match="never saved as code"):
            layer.get_config()
    theirs = keras.layers.Lambda(lambda x: x).get_config()
    with pytest.raises(NotSupportedError, match="code, which a file may not bring along"):
        Lambda.from_config(theirs)
    with pytest.raises(NotSupportedError, match="registered name"):
        Lambda.from_config({"function": {"class_name": "function", "config": "stranger"}})


def test_a_registered_function_is_written_by_its_name_and_understood_by_keras(keras):
    def tripled(x):
        return x * 3

    named = registry.register_keras_serializable("mine")(tripled)
    keras.saving.register_keras_serializable("mine")(named)
    config = Lambda(named, arguments={}, name="triple").get_config()
    assert config["function"] == keras.saving.serialize_keras_object(named)
    for made in (Lambda.from_config(config), keras.layers.Lambda.from_config(dict(config))):
        np.testing.assert_array_equal(np.asarray(made(np.ones((1, 2)))), [[3, 3]])
    theirs = keras.layers.Lambda(named, output_shape=(2,)).get_config()
    assert Lambda.from_config(theirs).output_shape == (2,)


@pytest.mark.parametrize("function", [None, 3, "relu"])
def test_what_is_no_function_is_refused(function):
    with pytest.raises(DataError, match=r"Lambda\(lambda x"):
        Lambda(function)


def test_identity_gives_back_whatever_structure_it_gets():
    inputs = {"a": Input((3,)), "b": Input((4,), dtype="int32")}
    outputs = Identity()(inputs)
    assert {key: (t.shape, t.dtype) for key, t in outputs.items()} == {
        "a": ((None, 3), "float32"),
        "b": ((None, 4), "int32"),
    }


def test_a_layer_called_on_an_input_continues_the_network():
    inputs = Input((3,), name="x")
    outputs = Dense(2)(Reshape((3,))(inputs))
    y = jax.jit(Graph([inputs], outputs).run)([numbers((4, 3))])
    assert y.shape == (4, 2)
    assert layers.Input((3,)).node.call.batch_shape == (None, 3)


@pytest.mark.parametrize("name", ["abs", "sin", "log_softmax", "relu", "gelu"])
def test_a_function_of_ours_is_written_by_its_name_and_understood_by_keras(keras, name):
    function = getattr(ops, name, None) or getattr(activations, name)
    x = np.array([[-1.0, 2.0]], np.float32)
    model = doltap.Sequential([Input((2,)), Lambda(function, name="own")])
    config = json.loads(json.dumps(model.get_config()))
    again = doltap.Sequential.from_config(config)
    np.testing.assert_array_equal(again.predict(x, verbose=0), function(x))
    written = Lambda(function).get_config()
    theirs = keras.layers.Lambda.from_config(dict(written))
    np.testing.assert_allclose(np.asarray(theirs(x)), function(x), rtol=1e-6)
    ours = Lambda.from_config(keras.layers.Lambda(getattr(keras.ops, name)).get_config())
    # Keras writes no module: a name that both have means the activation, for Keras too.
    np.testing.assert_allclose(ours(x), getattr(activations, name, function)(x), rtol=1e-6)


def test_a_pickle_of_code_says_what_to_do_and_copies_go_on():
    function = lambda x: x * 2  # noqa: E731 - what is tested.
    model = doltap.Sequential([Input((2,)), Lambda(function, name="own")])
    x = np.ones((1, 2), np.float32)
    with pytest.raises(NotSupportedError, match=r"layer 'own'.*<lambda>"):
        pickle.dumps(model)
    for again in (copy.deepcopy(model), copy.copy(model)):
        np.testing.assert_array_equal(again.predict(x, verbose=0), [[2, 2]])
    for known in (double, ops.abs):
        layer = pickle.loads(pickle.dumps(Lambda(known)))
        np.testing.assert_array_equal(layer(x), known(x))
    cloudpickle = pytest.importorskip("cloudpickle")
    again = pickle.loads(cloudpickle.dumps(model))
    np.testing.assert_array_equal(again.predict(x, verbose=0), [[2, 2]])
