"""What weights cost: values and gradients of real Keras, configs both ways, and bad input."""

from __future__ import annotations

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from doltap import regularizers
from doltap.errors import DataError, NotSupportedError, ShapeError, UnknownNameError

CASES = [
    ("L1", {}),
    ("L1", {"l1": 0.3}),
    ("L2", {}),
    ("L2", {"l2": 2}),
    ("L1L2", {}),
    ("L1L2", {"l1": 0.1}),
    ("L1L2", {"l2": 0.2}),
    ("L1L2", {"l1": 0.1, "l2": 0.2}),
    ("OrthogonalRegularizer", {}),
    ("OrthogonalRegularizer", {"factor": 0.5, "mode": "columns"}),
]
each = pytest.mark.parametrize(("name", "arguments"), CASES, ids=str)
SHORT = {"l1": "L1", "l2": "L2", "l1_l2": "L1L2", "orthogonal_regularizer": "OrthogonalRegularizer"}


def weight(shape=(4, 3), seed=0):
    return jnp.asarray(np.random.default_rng(seed).normal(size=shape), jnp.float32)


def both(keras, name, arguments):
    return getattr(regularizers, name)(**arguments), getattr(keras.regularizers, name)(**arguments)


@each
def test_a_cost_and_its_gradient_are_those_of_keras(keras, name, arguments):
    ours, theirs = both(keras, name, arguments)
    x = weight()
    mine, peer = jax.jit(lambda x: (jax.value_and_grad(ours)(x), jax.value_and_grad(theirs)(x)))(x)
    for got, expected in zip(mine, peer, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-7)


@each
def test_a_cost_keeps_the_type_of_the_weight_and_is_the_same_under_vmap(name, arguments):
    regularizer = getattr(regularizers, name)(**arguments)
    for dtype in ("float32", "bfloat16", "float16"):
        cost = regularizer(weight().astype(dtype))
        assert (cost.shape, cost.dtype, cost.weak_type) == ((), jnp.dtype(dtype), False)
    weights = jnp.stack([weight(seed=seed) for seed in range(3)])
    np.testing.assert_allclose(jax.vmap(regularizer)(weights), [regularizer(x) for x in weights], rtol=1e-6)


@each
def test_configs_travel_to_keras_and_back(keras, name, arguments):
    ours, theirs = both(keras, name, arguments)
    assert ours.get_config() == pytest.approx(theirs.get_config())
    written = json.loads(json.dumps(regularizers.serialize(ours)))
    assert written.keys() == keras.regularizers.serialize(theirs).keys()
    read = [keras.regularizers.deserialize(written), keras.saving.deserialize_keras_object(written)]
    read += [
        regularizers.deserialize(keras.regularizers.serialize(theirs)),
        regularizers.deserialize(written),
    ]
    for back in read:
        assert type(back).__name__ == name
        assert back.get_config() == pytest.approx(ours.get_config())


def test_factors_are_plain_numbers():
    for regularizer in (regularizers.L1(np.float32(0.5)), regularizers.L1(1), regularizers.L1(None)):
        assert type(regularizer.l1) is float
    assert regularizers.L1L2(None, None).get_config() == {"l1": 0.0, "l2": 0.0}
    assert regularizers.OrthogonalRegularizer().factor == 0.01


def test_every_public_name_of_keras_is_here(keras):
    assert not [
        name for name in dir(keras.regularizers) if name[0] != "_" and name not in regularizers.__all__
    ]
    unknown = {name for name in keras.src.regularizers.ALL_OBJECTS_DICT if name not in regularizers.names}
    assert unknown == {"Regularizer", "regularizer"}
    for short, name in SHORT.items():
        assert getattr(regularizers, short) is getattr(regularizers, name)
        assert type(regularizers.get(short)) is getattr(regularizers, name)


def test_both_by_name_are_both_as_keras_documents():
    assert regularizers.get("l1_l2").get_config() == {"l1": 0.01, "l2": 0.01}
    assert regularizers.get("L1L2").get_config() == {"l1": 0.0, "l2": 0.0}


def test_get_takes_objects_classes_functions_and_none():
    def own(x):
        return jnp.sum(x)

    one = regularizers.L2(0.1)
    assert regularizers.get(one) is one
    assert regularizers.get(own) is own
    assert regularizers.get(None) is None
    assert regularizers.get(regularizers.L2).l2 == 0.01
    assert regularizers.serialize(own) == "own"
    assert regularizers.serialize(None) is None
    for written in ("own", {"module": "builtins", "class_name": "function", "config": "own"}):
        assert regularizers.deserialize(written, {"own": own}) is own


def test_a_class_of_ones_own_is_written_and_read():
    class Cubes(regularizers.Regularizer):
        def __init__(self, share):
            self.share = share

        def __call__(self, x):
            return self.share * jnp.sum(jnp.abs(x) ** 3)

        def get_config(self):
            return {"share": self.share}

    written = regularizers.serialize(Cubes(0.5))
    assert regularizers.deserialize(written, {"Cubes": Cubes})(jnp.array([2.0])) == 4.0
    with pytest.raises(NotSupportedError, match=r"__call__\(self, x\)"):
        regularizers.Regularizer()(weight())


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(UnknownNameError, match=r"got 'l3'\.\n  Did you mean 'l1', 'l2'"):
        regularizers.get("l3")
    with pytest.raises(UnknownNameError, match="Did you mean 'orthogonalregularizer'"):
        regularizers.get({"class_name": "OrthogonalRegulariser", "config": {}})
    with pytest.raises(UnknownNameError, match="Did you mean 'rows'"):
        regularizers.OrthogonalRegularizer(mode="row")
    for nonsense in (3, {"config": {}}):
        with pytest.raises(UnknownNameError, match="regularizer"):
            regularizers.get(nonsense)


@pytest.mark.parametrize("factor", [-0.1, float("nan"), float("inf"), "much", [0.1]])
@pytest.mark.parametrize(("name", "argument"), [("L1", "l1"), ("L2", "l2"), ("L1L2", "l1"), ("L1L2", "l2")])
def test_a_factor_below_0_or_no_number_is_refused(name, argument, factor):
    with pytest.raises(DataError, match=f"{argument}= to be a number from 0"):
        getattr(regularizers, name)(**{argument: factor})


def test_orthogonality_is_of_matrices_and_finite_for_empty_and_lone_rows():
    regularizer = regularizers.OrthogonalRegularizer()
    with pytest.raises(ShapeError, match=r"2 axes, got shape \(3,\)"):
        regularizer(jnp.ones(3))
    # Real Keras 3.15 gives NaN for both.
    assert float(regularizer(jnp.ones((1, 3)))) == 0.0
    assert np.isfinite(jax.grad(regularizer)(jnp.zeros((2, 2)))).all()
