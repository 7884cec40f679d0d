"""Transformations of Optax as optimizers: beside Optax's own loop, bare and inside a model."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import doltap
from doltap import optimizers
from doltap.core.tensors import Variable
from doltap.errors import NotSupportedError

optax = pytest.importorskip("optax")

MADE = {
    "sgd": lambda: optax.sgd(0.1),
    "adam": lambda: optax.adam(1e-2),
    "a chain with a schedule": lambda: optax.chain(
        optax.clip_by_global_norm(0.5), optax.adamw(optax.cosine_decay_schedule(0.1, 8), weight_decay=0.1)
    ),
    "every second step": lambda: optax.MultiSteps(optax.sgd(0.1), 2),
}
each_transformation = pytest.mark.parametrize("make", MADE.values(), ids=MADE)


def start():
    return [np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3), np.float32([1, 2, 3])]


def gradients():
    return [[np.float32(np.cos(array * number + number)) for array in start()] for number in range(6)]


@each_transformation
def test_its_steps_are_those_of_optaxs_own_loop(make):
    transformation, weights = make(), [jnp.asarray(array) for array in start()]
    state = transformation.init(weights)
    mine = [Variable(array) for array in start()]
    optimizer = optimizers.get(make())
    optimizer.build(mine)
    pure = jax.jit(optimizer.stateless_apply)
    arrays, variables = [weight.value for weight in mine], [each.value for each in optimizer.variables]
    their_update = jax.jit(transformation.update)
    for number, given in enumerate(gradients()):
        pushes, state = their_update(given, state, weights)
        weights = optax.apply_updates(weights, pushes)
        arrays, variables = pure(variables, given, arrays)
        if number == 0:
            optimizer.apply(given, mine)
            for array, variable in zip([*arrays, *variables], [*mine, *optimizer.variables], strict=True):
                np.testing.assert_allclose(variable.numpy(), array, rtol=1e-5, atol=1e-6)
    for expected, array in zip(weights, arrays, strict=True):
        np.testing.assert_allclose(array, expected, rtol=1e-5, atol=1e-6)
    assert int(variables[0]) == 6


def test_a_model_trains_with_it_and_its_state_outlives_a_fit():
    x = np.random.default_rng(0).normal(size=(12, 3)).astype(np.float32)
    y = x @ np.float32([[1], [2], [3]])
    results = []
    for optimizer in (optax.adam(0.01, eps=1e-7), optimizers.Adam(0.01, epsilon=1e-7)):
        model = doltap.Sequential([doltap.Input((3,)), doltap.layers.Dense(1)])
        model.set_weights([np.ones((3, 1)), np.zeros(1)])
        model.compile(optimizer, loss="mse")
        for _ in range(2):
            model.fit(x, y, batch_size=4, shuffle=False, verbose=0)
        results.append(model.get_weights())
    for mine, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-6)


def test_constraints_hold_with_it_too():
    weight = Variable(np.float32([0.05]))
    weight.constraint = lambda array: jnp.maximum(array, 0)
    optimizers.get(optax.sgd(1.0)).apply([np.float32([1])], [weight])
    assert weight.numpy().item() == 0.0


def test_what_belongs_to_the_transformation_is_asked_there():
    optimizer = optimizers.get(optax.sgd(0.1))
    with pytest.raises(NotSupportedError, match=r"optax\.adam"):
        float(optimizer.learning_rate)
    with pytest.raises(NotSupportedError, match=r"optax\.adam"):
        optimizer.learning_rate = 0.5
    with pytest.raises(NotSupportedError, match="weights alone"):
        optimizer.get_config()
    assert "GradientTransformation" in repr(optimizer)
    assert optimizers.get(optimizer) is optimizer


def test_something_that_is_no_transformation_is_refused():
    with pytest.raises(NotSupportedError, match="adam"):
        optimizers.get(3)
