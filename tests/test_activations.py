"""Every activation against its formula, against real Keras, and under JAX's transformations."""

from __future__ import annotations

import functools
import inspect
import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from doltap import activations, registry
from doltap.errors import ShapeError, UnknownNameError

# Both signs, zero, the corners of the piecewise curves, and extremes.
GRID = np.array(
    [
        [-1e3, -50, -6, -3.5, -2, -1.25, -0.7, -0.25, 0.1, 0.3, 0.75, 1.5],
        [2.5, 4, 5.5, 7, 20, 88, 1e3, 0.2, -0.2, 1.1, -1.1, 3.3],
        [0, 0, 1, -1, 3, -3, 6, 0.5, -0.5, 5, 0.4, -88],
        [1e3, 1e3, -1e3, 0, -1e3, 0, 1e3, 2, 3, 5, 7, 11],
    ],
    dtype=np.float32,
)
ALONG_AXIS = ("softmax", "log_softmax", "sparsemax", "glu")
ARGUMENTS = {
    "relu": [
        {},
        {"negative_slope": 0.3},
        {"max_value": 5.0},
        {"max_value": 6.0},
        {"threshold": 1.0},
        {"negative_slope": 0.3, "max_value": 5.0, "threshold": 1.0},
        {"negative_slope": 0.3, "max_value": 5.0},
        {"negative_slope": 0.3, "threshold": -1.0},
    ],
    "leaky_relu": [{}, {"negative_slope": 0.01}],
    "elu": [{}, {"alpha": 0.4}],
    "celu": [{}, {"alpha": 0.4}],
    "gelu": [{}, {"approximate": True}],
    "squareplus": [{}, {"b": 1.0}],
    "soft_shrink": [{}, {"threshold": 1.0}],
    "hard_shrink": [{}, {"threshold": 1.0}],
    "threshold": [{"threshold": 0.4, "default_value": -7.0}],
    "softmax": [{}, {"axis": 0}],
    "log_softmax": [{}, {"axis": 0}],
    "glu": [{}, {"axis": 0}],
}
NOT_IN_KERAS = ("heaviside", "sign", "sparsemax")
FUNCTIONS = sorted({thing.__name__ for thing in map(activations.names.find, activations.names)})
CASES = [(name, arguments) for name in FUNCTIONS for arguments in ARGUMENTS.get(name, [{}])]
each_case = pytest.mark.parametrize(("name", "arguments"), CASES, ids=str)
each_case_of_keras = pytest.mark.parametrize(
    ("name", "arguments"), [case for case in CASES if case[0] not in NOT_IN_KERAS], ids=str
)


def bound(module, name, arguments):
    return functools.partial(getattr(module, name), **arguments)


def values_and_gradient(function, x):
    """Both in one compilation, the gradient with the values weighted at random.

    The plain sum of a softmax has gradient 0, which would hide errors.
    """
    shape = jax.eval_shape(function, x).shape
    weights = np.random.default_rng(0).normal(size=shape).astype(np.float32)

    def weighted(x):
        values = function(x)
        return jnp.sum(values * weights), values

    (_, values), gradient = jax.jit(jax.value_and_grad(weighted, has_aux=True))(x)
    return values, gradient


def assert_close(ours, theirs):
    np.testing.assert_allclose(np.asarray(ours), np.asarray(theirs), rtol=1e-5, atol=1e-7)


@each_case_of_keras
def test_values_and_gradients_equal_those_of_keras(keras, name, arguments):
    x = jnp.asarray(GRID)
    ours = values_and_gradient(bound(activations, name, arguments), x)
    theirs = values_and_gradient(bound(keras.activations, name, arguments), x)
    assert_close(ours[0], theirs[0])
    assert_close(ours[1], theirs[1])


CORNERS = {
    "relu": 0.0,
    "relu6": 0.0,
    "leaky_relu": 0.0,
    "elu": 0.0,
    "selu": 0.0,
    "silu": 0.0,
    "softsign": 0.0,
}


@pytest.mark.parametrize("name", sorted(CORNERS))
def test_the_gradient_at_the_corner_is_the_one_of_keras(keras, name):
    ours = jax.grad(getattr(activations, name))(CORNERS[name])
    assert float(ours) == pytest.approx(float(jax.grad(getattr(keras.activations, name))(CORNERS[name])))


def test_every_activation_of_keras_has_its_name_here(keras):
    theirs = {name for name, thing in vars(keras.activations).items() if inspect.isfunction(thing)}
    assert theirs - set(activations.__all__) == set()
    assert {name for name in theirs if name not in activations.names} == {"get", "serialize", "deserialize"}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_compiled_alone_or_row_by_row_it_gives_the_same_values(name):
    function = bound(activations, name, ARGUMENTS.get(name, [{}])[0])
    assert_close(jax.jit(function)(GRID), function(GRID))
    assert_close(jax.jit(jax.vmap(function))(GRID), function(GRID))


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
@each_case
def test_the_type_is_kept_forward_and_backward(name, arguments, dtype):
    function = bound(activations, name, arguments)
    x = jax.ShapeDtypeStruct(GRID.shape, dtype)
    with jax.numpy_dtype_promotion("strict"):
        assert jax.eval_shape(function, x).dtype == dtype
        gradient = jax.eval_shape(jax.grad(lambda x: jnp.sum(function(x).astype("float32"))), x)
    assert gradient.dtype == dtype


@pytest.mark.parametrize("name", FUNCTIONS)
def test_whole_numbers_become_fractions_where_needed(name):
    arguments = ARGUMENTS.get(name, [{}])[0]
    numbers = np.array([[-2, 0, 1, 3]])
    kept = name in ("linear", "relu")
    result = jax.eval_shape(bound(activations, name, arguments), jnp.asarray(numbers))
    assert result.dtype == (jnp.int32 if kept else jnp.float32)


def test_heaviside_fires_at_zero_and_passes_no_gradient():
    x = jnp.array([-1e3, -1e-30, -0.0, 0.0, 1e-30, 1e3])
    assert activations.heaviside(x).tolist() == [0, x[1] >= 0, 1, 1, 1, 1]
    assert not jax.grad(lambda x: activations.heaviside(x).sum())(x).any()
    assert activations.get("step") is activations.get("heaviside") is activations.step


def test_sign_is_minus_one_zero_or_one_and_passes_no_gradient():
    x = jnp.array([-1e3, -2.0, 0.0, 2.0])
    assert activations.sign(x).tolist() == [-1, -1, 0, 1]
    assert not jax.grad(lambda x: activations.sign(x).sum())(x).any()
    assert activations.get("sgn") is activations.sign


def test_softmax_shares_add_up_to_one_at_any_score():
    scores = np.array([[1e3, -1e3, 0.0], [1e38, 1e38, -1e38], [0.0, 0.0, 0.0]], np.float32)
    shares = np.asarray(activations.softmax(scores))
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-6)
    assert np.isfinite(values_and_gradient(activations.softmax, scores)[1]).all()


def test_softmax_over_two_axes_shares_one_budget():
    shares = activations.softmax(GRID.reshape(4, 3, 4), axis=(1, 2))
    assert_close(shares, activations.softmax(GRID).reshape(4, 3, 4))


def test_softmax_takes_one_dimension_as_keras_does_but_not_a_lone_number():
    assert activations.softmax([1.0, 1.0]).tolist() == [0.5, 0.5]
    for name in ALONG_AXIS:
        with pytest.raises(
            ShapeError, match=f"'{name}': expected an array that has axis -1, got 0 dimensions"
        ):
            getattr(activations, name)(1.0)


def test_softmax_names_an_axis_that_is_not_there():
    with pytest.raises(ShapeError, match="axis 2"):
        activations.softmax(GRID, axis=2)


def test_softmax_over_one_output_warns_and_names_sigmoid():
    with pytest.warns(UserWarning, match="sigmoid"):
        assert activations.softmax([[3.0]]).tolist() == [[1.0]]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        activations.softmax(GRID)


def nearest_shares(scores):
    """The point of the simplex nearest to the scores, found by bisection."""
    low, high = scores.min() - 1, scores.max()
    for _ in range(200):
        middle = (low + high) / 2
        is_too_low = np.maximum(scores - middle, 0).sum() > 1
        low, high = (middle, high) if is_too_low else (low, middle)
    return np.maximum(scores - high, 0)


@pytest.mark.parametrize("shift", [0.0, 1e3])
def test_sparsemax_is_the_nearest_point_of_the_simplex(shift):
    scores = np.random.default_rng(0).normal(size=(50, 7)).astype(np.float32).round(2)
    expected = np.stack([nearest_shares(row) for row in scores.astype(np.float64)])
    assert (expected == 0).any()
    np.testing.assert_allclose(activations.sparsemax(scores + np.float32(shift)), expected, atol=2e-4)
    np.testing.assert_allclose(activations.sparsemax(scores.T, axis=0).T, expected, atol=1e-6)


def test_the_gradient_of_sparsemax_is_that_of_a_projection():
    x = jnp.array([1.0, 0.9, -3.0, 0.8])
    expected = np.diag([1.0, 1, 0, 1]) - np.outer([1, 1, 0, 1], [1, 1, 0, 1]) / 3
    np.testing.assert_allclose(jax.jacobian(activations.sparsemax)(x), expected, atol=1e-6)


def test_glu_wants_an_even_axis():
    with pytest.raises(ShapeError, match="even size along axis -1, to cut in two, got 3"):
        activations.glu([[1.0, 2.0, 3.0]])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_name_leads_to_the_function_and_back(name):
    function = getattr(activations, name)
    assert activations.serialize(function) == name
    assert activations.deserialize(name) is activations.get(name) is function


def test_get_takes_names_functions_dicts_and_none():
    def cube(x):
        return x**3

    assert activations.get(None) is activations.linear
    assert activations.get("ReLU") is activations.relu
    assert activations.get("swish") is activations.silu
    assert activations.get(cube) is cube
    assert activations.get({"class_name": "function", "config": "tanh"}) is activations.tanh
    assert activations.get({"class_name": "tanh", "config": {}}) is activations.tanh


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(UnknownNameError, match="Did you mean 'sigmoid'"):
        activations.get("sigmod")
    for nonsense in (3, {"config": "relu"}, ["relu"]):
        with pytest.raises(UnknownNameError, match="activation"):
            activations.get(nonsense)


def test_a_users_function_is_written_by_its_name_and_read_from_custom_objects():
    def cube(x):
        return x**3

    class Bent(registry.Configured):
        def __call__(self, x):
            return x

    assert activations.serialize(cube) == "cube"
    assert activations.serialize(Bent()) == {"class_name": "Bent", "config": {}}
    assert activations.deserialize("cube", custom_objects={"cube": cube}) is cube
    with pytest.raises(UnknownNameError, match="cube"):
        activations.deserialize("cube")


@pytest.mark.parametrize("name", sorted(set(FUNCTIONS) - set(NOT_IN_KERAS)))
def test_what_keras_writes_of_its_activations_is_understood(keras, name):
    theirs = getattr(keras.activations, name)
    assert activations.deserialize(keras.activations.serialize(theirs)) is getattr(activations, name)
    assert keras.activations.deserialize(activations.serialize(getattr(activations, name))) is theirs
