"""What weights may be: real Keras's numbers, configs both ways, and bad input."""

from __future__ import annotations

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from doltap import constraints, registry
from doltap.errors import UnknownNameError

CASES = [
    ("MaxNorm", {}),
    ("MaxNorm", {"max_value": 0.5, "axis": 1}),
    ("MaxNorm", {"max_value": 1, "axis": [0, 1]}),
    ("NonNeg", {}),
    ("UnitNorm", {}),
    ("UnitNorm", {"axis": (0, 1)}),
    ("MinMaxNorm", {}),
    ("MinMaxNorm", {"min_value": 1.5, "max_value": 2.0, "rate": 0.3, "axis": 1}),
]
each = pytest.mark.parametrize(("name", "arguments"), CASES, ids=str)
SHORT = {"max_norm": "MaxNorm", "non_neg": "NonNeg", "unit_norm": "UnitNorm", "min_max_norm": "MinMaxNorm"}


def weight(shape=(4, 3, 2), seed=0):
    return jnp.asarray(np.random.default_rng(seed).normal(size=shape), jnp.float32)


def both(keras, name, arguments):
    return getattr(constraints, name)(**arguments), getattr(keras.constraints, name)(**arguments)


@each
def test_a_weight_and_its_gradient_are_those_of_keras(keras, name, arguments):
    ours, theirs = both(keras, name, arguments)
    x = weight()

    def weighted(constraint, x):
        allowed = constraint(x)
        return jnp.sum(allowed * weight(seed=1)), allowed

    pair = jax.jit(
        lambda x: [jax.grad(lambda x, c=c: weighted(c, x), has_aux=True)(x) for c in (ours, theirs)]
    )
    mine, peer = pair(x)
    for got, expected in zip(mine, peer, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6)
    assert (np.asarray(mine[1]) != np.asarray(x)).any()


@each
def test_a_weight_keeps_its_type_and_is_the_same_under_vmap(name, arguments):
    constraint = getattr(constraints, name)(**arguments)
    for dtype in ("float32", "bfloat16", "float16"):
        allowed = constraint(weight().astype(dtype))
        assert (allowed.shape, allowed.dtype, allowed.weak_type) == ((4, 3, 2), jnp.dtype(dtype), False)
    weights = jnp.stack([weight(seed=seed) for seed in range(3)])
    one_by_one = np.stack([constraint(x) for x in weights])
    np.testing.assert_allclose(jax.vmap(constraint)(weights), one_by_one, rtol=1e-6)


@each
def test_an_empty_weight_stays_empty(name, arguments):
    assert not np.asarray(getattr(constraints, name)(**arguments)(jnp.zeros((2, 2, 2)))).any()


@each
def test_configs_travel_to_keras_and_back(keras, name, arguments):
    ours, theirs = both(keras, name, arguments)
    assert ours.get_config() == theirs.get_config()
    written = json.loads(json.dumps(constraints.serialize(ours)))
    assert written.keys() == keras.constraints.serialize(theirs).keys()
    read = [keras.constraints.deserialize(written), keras.saving.deserialize_keras_object(written)]
    read += [constraints.deserialize(keras.constraints.serialize(theirs)), constraints.deserialize(written)]
    for back in read:
        assert type(back).__name__ == name
        np.testing.assert_allclose(back(weight()), ours(weight()), rtol=1e-6)


def test_every_public_name_of_keras_is_here(keras):
    assert not [name for name in dir(keras.constraints) if name[0] != "_" and name not in constraints.__all__]
    unknown = {name for name in keras.src.constraints.ALL_OBJECTS_DICT if name not in constraints.names}
    assert unknown == {"Constraint", "constraint"}
    for short, name in SHORT.items():
        assert getattr(constraints, short) is getattr(constraints, name)
        assert type(constraints.get(short)) is type(constraints.get(name)) is getattr(constraints, name)


def test_get_takes_objects_classes_functions_and_none():
    def own(w):
        return w / 2

    one = constraints.MaxNorm(3)
    assert constraints.get(one) is one
    assert constraints.get(own) is own
    assert constraints.get(None) is None
    assert constraints.get(constraints.UnitNorm).axis == 0
    assert constraints.serialize(own) == "own"
    assert constraints.serialize(None) is None
    for written in ("own", {"module": "builtins", "class_name": "function", "config": "own"}):
        assert constraints.deserialize(written, {"own": own}) is own


def test_a_function_that_gives_the_constraint_is_called_as_in_keras_2():
    with registry.custom_object_scope({"mine": lambda: abs, "plain": abs}):
        assert constraints.get("mine") is constraints.get("plain") is abs


def test_a_class_of_ones_own_is_written_and_read():
    class Halved(constraints.Constraint):
        def __call__(self, w):
            return super().__call__(w) / 2

    back = constraints.deserialize(constraints.serialize(Halved()), {"Halved": Halved})
    assert back([4.0]).tolist() == [2.0]


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(UnknownNameError, match=r"Did you mean 'max_?norm'"):
        constraints.get("max_nrom")
    for nonsense in (3, {"config": {}}):
        with pytest.raises(UnknownNameError, match="constraint"):
            constraints.get(nonsense)
