"""Layers of several inputs: what they refuse, how they name it, and masks and types of their own."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from doltap import layers, notes
from doltap.errors import DataError, DoltapError, ShapeError
from doltap.layers import Add, Average, Concatenate, Dense, Dot, Input, Maximum, Multiply, Subtract

ELEMENTWISE = ["Add", "Multiply", "Average", "Maximum", "Minimum"]
FUNCTIONS = [*(name.lower() for name in ELEMENTWISE), "subtract", "concatenate", "dot"]


def ones(*shape):
    return np.ones(shape, np.float32)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_function_is_the_layer_in_a_word_on_arrays_and_symbolic_tensors(keras, name):
    x = [np.random.default_rng(n).normal(size=(4, 3)).astype(np.float32) for n in range(2)]
    y = getattr(layers, name)(x)
    np.testing.assert_allclose(y, np.asarray(getattr(keras.layers, name)(x)), rtol=1e-6)
    promise = getattr(layers, name)([Input((3,)), Input((3,))], name="joined")
    assert (promise.shape, promise.name) == ((None, *y.shape[1:]), "joined")


def test_functions_pass_options_on():
    assert layers.concatenate([ones(4, 2, 3), ones(4, 5, 3)], axis=1).shape == (4, 7, 3)
    assert layers.dot([ones(4, 2), ones(4, 2)], axes=1, normalize=True).tolist() == [[pytest.approx(1)]] * 4


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_one_input_in_a_list_is_enough_as_in_keras(keras, name):
    x = [ones(4, 3) * 2]
    np.testing.assert_array_equal(getattr(layers, name)()(x), np.asarray(getattr(keras.layers, name)()(x)))


@pytest.mark.parametrize("name", [*ELEMENTWISE, "Subtract", "Concatenate"])
def test_shapes_that_do_not_fit_are_named_with_both_layers(name):
    left, right = Dense(4, name="left")(Input((3,))), Dense(5, name="right")(Input((3,)))
    layer = getattr(layers, name)(**({"axis": 0} if name == "Concatenate" else {}), name="joined")
    with pytest.raises(
        ShapeError, match=r"'joined'.*'left' of shape \(None, 4\) and 'right' of shape \(None, 5\)"
    ):
        layer([left, right])
    with pytest.raises(ShapeError, match=r"input 1 of shape \(2, 4\) and input 2 of shape \(2, 5\)"):
        layer([ones(2, 4), ones(2, 5)])
    with pytest.raises(ShapeError, match="input 1 of shape"):
        layer.compute_output_shape([(2, 4), (2, 5)])


@pytest.mark.parametrize("name", [*ELEMENTWISE, "Concatenate", "Dot"])
def test_other_numbers_of_rows_are_refused(name):
    layer = getattr(layers, name)(**({"axes": 1} if name == "Dot" else {}))
    with pytest.raises(ShapeError, match=r"input 1 of shape \(2, 4\) and input 2 of shape \(3, 4\)"):
        layer([ones(2, 4), ones(3, 4)])


def test_a_clash_is_found_at_every_call_and_between_any_two_inputs():
    layer = Add()
    layer([ones(2, 4), ones(2, 4), ones(2, 1)])
    with pytest.raises(ShapeError, match=r"input 1 of shape \(2, 4\) and input 3 of shape \(2, 3\)"):
        layer([ones(2, 4), ones(2, 1), ones(2, 3)])


@pytest.mark.parametrize("name", [*ELEMENTWISE, "Subtract", "Concatenate"])
def test_inputs_in_the_constructor_are_shown_the_way_into_the_call(name):
    a = Input((3,))
    with pytest.raises(ShapeError, match=rf"{name}\(\)\(\[a, b\]\)"):
        getattr(layers, name)([a, a])


@pytest.mark.parametrize("name", [*ELEMENTWISE, "Subtract", "Concatenate", "Dot"])
@pytest.mark.parametrize(
    "inputs", [ones(2, 3), Input((3,)), 3.0, []], ids=["array", "symbolic", "number", "none"]
)
def test_one_input_without_a_list_is_refused(name, inputs):
    layer = getattr(layers, name)(**({"axes": 1} if name == "Dot" else {}))
    with pytest.raises(ShapeError, match=rf"expected a list of .* inputs.*\n.*{name}\(.*\)\(\[a, b\]\)"):
        layer(inputs)


@pytest.mark.parametrize("number", [1, 3])
def test_subtract_and_dot_take_two_inputs(number):
    for layer in (Subtract(), Dot(1)):
        with pytest.raises(ShapeError, match=f"a list of 2 inputs, got {number}"):
            layer([ones(2, 3)] * number)


@pytest.mark.parametrize("axis", [1.0, "last", None, True, (1, 2)])
def test_an_axis_that_is_no_whole_number_is_refused(axis):
    with pytest.raises(DataError, match=r"Concatenate\(axis=1\)"):
        Concatenate(axis)


@pytest.mark.parametrize("axis", [2, -3])
def test_an_axis_that_the_inputs_do_not_have_is_refused(axis):
    with pytest.raises(ShapeError, match=f"inputs that have the axis {axis}"):
        Concatenate(axis)([ones(2, 3), ones(2, 3)])


def test_an_axis_may_be_given_by_position():
    assert Concatenate(1)([ones(2, 3, 4), ones(2, 1, 4)]).shape == (2, 4, 4)


@pytest.mark.parametrize("axes", [0, (0, 1), (1, 0), (1,), (1, 2, 3), 1.5, "last", None, [[1], [2]]])
def test_axes_that_are_none_are_refused(axes):
    with pytest.raises(DataError, match=r"Dot\(axes=1\)"):
        Dot(axes)


def test_axes_of_other_lengths_and_axes_that_are_not_there_are_refused():
    with pytest.raises(
        ShapeError, match=r"same length along the axes \(1, 2\), got input 1 of shape \(2, 3, 4\)"
    ):
        Dot((1, 2))([ones(2, 3, 4), ones(2, 3, 4)])
    with pytest.raises(ShapeError, match="beside the batch"):
        Dot(2)([ones(2, 3), ones(2, 3)])
    with pytest.raises(ShapeError, match="beside the batch"):
        Dot((-2, 1))([ones(2, 3), ones(2, 3)])


def test_a_symbolic_clash_of_unknown_lengths_waits_for_the_known_ones():
    assert Add()([Input((None, 3)), Input((5, 3))]).shape == (None, None, 3)
    assert Concatenate(1)([Input((None, 3)), Input((5, 3))]).shape == (None, None, 3)
    assert Concatenate()([Input((None, 3)), Input((5, 3))]).shape == (None, 5, 6)


def test_rows_of_zeros_have_no_direction_and_a_finite_gradient():
    # Keras gives NaN here: it takes the root of 0 before it compares.
    def total(x):
        return Dot(1, normalize=True)([x, jnp.ones((2, 3))]).sum()

    y, gradient = jax.value_and_grad(total)(jnp.zeros((2, 3)))
    assert y == 0
    assert np.isfinite(gradient).all()


def test_types_are_joined_without_rounding_whole_numbers():
    whole, real = np.array([[1, 2]]), np.array([[0.5, 0.5]], np.float32)
    for layer, y in ((Add(), [[1.5, 2.5]]), (Concatenate(), [[1, 2, 0.5, 0.5]]), (Maximum(), [[1, 2]])):
        for pair in ([whole, real], [real, whole]):
            assert layer(pair).dtype == jnp.float32
        assert layer([whole, real]).tolist() == y
        assert layer([whole, whole]).dtype == jnp.int32
    assert Average()([whole, whole + 1]).tolist() == [[1.5, 2.5]]


def test_a_masked_step_leaves_the_other_factor_as_it_is():
    x = [jnp.full((1, 2, 1), 3.0), jnp.full((1, 2, 1), 5.0)]
    with notes.taken() as taken:
        taken.set_mask(x[0], jnp.array([[True, False]]))
        assert Multiply()(x)[0, :, 0].tolist() == [15, 5]
        taken.set_mask(x[1], jnp.array([[False, False]]))
        assert Multiply()(x)[0, :, 0].tolist() == [3, 0]
        taken.set_mask(x[1], jnp.array([[False, True]]))
        assert Maximum()(x)[0, :, 0].tolist() == [3, 5]


def test_options_that_it_does_not_have_are_refused():
    with pytest.raises(DoltapError, match="axiss"):
        Concatenate(axiss=1)
