"""Optimizers of the user's own: in Keras's form, beside real Keras, and in ours."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import doltap
from doltap import optimizers
from doltap.core.tensors import Variable
from doltap.errors import NotSupportedError

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning:keras")

OPTIONS = [
    {},
    {"weight_decay": 0.1, "clipnorm": 0.5, "use_ema": True},
    {"gradient_accumulation_steps": 2, "loss_scale_factor": 4.0},
]


def written_for(library):
    """The class a user would write; the same text for both libraries."""

    class Heavy(library.Optimizer):
        def __init__(self, learning_rate=0.1, momentum=0.9, **keywords):
            super().__init__(learning_rate=learning_rate, **keywords)
            self.momentum = momentum

        def build(self, variables):
            if self.built:
                return
            super().build(variables)
            self.momentums, self.squares = self.add_optimizer_variables(variables, ["momentum", "square"])
            self.total = self.add_variable((), initializer="ones", name="total")
            self.last = [self.add_variable_from_reference(each, "last") for each in variables]

        def update_step(self, gradient, variable, learning_rate):
            place = self._get_variable_index(variable)
            momentum, step = self.momentums[place], jnp.asarray(self.iterations, jnp.float32)
            self.assign(momentum, momentum * self.momentum + gradient * 0.5)
            self.assign_add(self.squares[place], gradient**2)
            self.assign_add(self.total, 1.0)
            self.assign(self.last[place], gradient)
            push = learning_rate * momentum / (jnp.asarray(self.total) + step)
            self.assign_sub(variable, push / (1.0 + jnp.asarray(self.learning_rate)))

        def get_config(self):
            return {**super().get_config(), "momentum": self.momentum}

    return Heavy


def start():
    return [np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3), np.float32([1, 2, 3])]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_a_class_in_keras_form_moves_weights_as_in_keras(keras, options):
    results = []
    for library, variable in ((optimizers, Variable), (keras.optimizers, keras.Variable)):
        optimizer, weights = written_for(library)(**options), [variable(array) for array in start()]
        optimizer.build(weights)
        step = jax.jit(optimizer.stateless_apply)
        state, arrays = [each.value for each in optimizer.variables], [each.value for each in weights]
        for number in range(5):
            given = [jnp.asarray(np.cos(array * number)) for array in start()]
            arrays, state = step(state, given, arrays)
        results.append((arrays, state))
    assert len(results[0][1]) == len(results[1][1])
    for mine, theirs in zip(jax.tree.leaves(results[0]), jax.tree.leaves(results[1]), strict=True):
        assert mine.dtype == theirs.dtype
        np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-6)


def test_a_model_trains_with_a_class_in_keras_form_as_with_single_steps():
    x = np.random.default_rng(0).normal(size=(8, 3)).astype(np.float32)
    y = x @ np.float32([[1], [2], [3]])
    model = doltap.Sequential([doltap.Input((3,)), doltap.layers.Dense(1, use_bias=False)])
    model.set_weights([np.ones((3, 1))])
    optimizer, alone = written_for(optimizers)(), written_for(optimizers)()
    model.compile(optimizer, loss="mse")
    model.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0)
    weight = Variable(np.ones((3, 1)))
    for rows in (slice(0, 4), slice(4, 8)) * 2:
        gradient = 2 * x[rows].T @ (x[rows] @ weight.numpy() - y[rows]) / 4
        alone.apply([gradient], [weight])
    np.testing.assert_allclose(model.get_weights()[0], weight.numpy(), rtol=1e-5)
    for mine, theirs in zip(optimizer.variables, alone.variables, strict=True):
        np.testing.assert_allclose(mine.numpy(), theirs.numpy(), rtol=1e-5)
    optimizer.learning_rate = 0.0
    before = model.get_weights()[0]
    model.fit(x, y, batch_size=4, verbose=0)
    assert (model.get_weights()[0] == before).all()


class Halving(optimizers.Optimizer):
    """A rule in our own form, as a user writes it."""

    def slots(self, weight):
        return {"last": jnp.zeros(weight.shape, weight.dtype)}

    def update(self, weight, gradient, slots, step, rates):
        return weight - rates["learning_rate"] * (gradient + slots["last"]) / 2, {"last": gradient}


def test_a_rule_of_the_users_own_takes_every_option():
    optimizer = Halving(1.0, clipvalue=0.5)
    weight = Variable(0.0)
    optimizer.apply([np.float32(2)], [weight])
    assert float(weight) == -0.25
    optimizer.apply([np.float32(2)], [weight])
    assert float(weight) == -0.75


def test_a_class_without_a_rule_says_what_to_write():
    class Idle(optimizers.Optimizer):
        pass

    with pytest.raises(NotSupportedError, match="update_step"):
        Idle().apply([np.float32(1)], [Variable(0.0)])


def test_update_step_of_a_rule_of_ours_is_not_there_to_be_called():
    class Louder(optimizers.SGD):
        def update_step(self, gradient, variable, learning_rate):
            super().update_step(gradient * 2, variable, learning_rate)

    with pytest.raises(NotSupportedError, match="Override update"):
        Louder().apply([np.float32(1)], [Variable(0.0)])
