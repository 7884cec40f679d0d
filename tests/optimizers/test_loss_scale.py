"""The optimizer that scales the loss, against real Keras, through steps that overflow."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from doltap import optimizers
from doltap.core.tensors import Variable
from doltap.errors import DataError

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning:keras")

INNER = {"learning_rate": 0.1, "weight_decay": 0.1, "clipnorm": 0.5}


def start():
    return np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3)


def gradients():
    """Scaled ones; the second and third are not finite."""
    for number in range(9):
        gradient = start() * 8 + number
        if number in (1, 2):
            gradient[0, 0] = (np.inf, np.nan)[number - 1]
        yield jnp.asarray(gradient)


def made(library, **options):
    inner = library.Adam(**(INNER | options))
    return library.LossScaleOptimizer(inner, initial_scale=32.0, dynamic_growth_steps=3)


def test_steps_scales_and_counts_are_those_of_keras(keras):
    results = []
    for library, variable in ((optimizers, Variable), (keras.optimizers, keras.Variable)):
        optimizer, weights = made(library), [variable(start())]
        optimizer.build(weights)
        step = jax.jit(optimizer.stateless_apply)
        state, arrays, seen = [each.value for each in optimizer.variables], [weights[0].value], []
        for gradient in gradients():
            arrays, state = step(state, [gradient], arrays)
            seen.append((arrays, state[1:]))  # Keras leaves the outer count at 0; ours counts batches.
        results.append(seen)
    for mine, theirs in zip(jax.tree.leaves(results[0]), jax.tree.leaves(results[1]), strict=True):
        assert mine.dtype == theirs.dtype
        np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-6)


def test_apply_moves_as_the_pure_function_does_and_leaves_out_what_overflows():
    optimizer, weights = made(optimizers), [Variable(start())]
    other, others = made(optimizers), [Variable(start())]
    other.build(others)
    step = jax.jit(other.stateless_apply)
    state, arrays = [each.value for each in other.variables], [others[0].value]
    for number, gradient in enumerate([*gradients()][:3]):
        before = weights[0].numpy()
        optimizer.apply([gradient], weights)
        arrays, state = step(state, [gradient], arrays)
        assert (weights[0].numpy() == before).all() == (number in (1, 2))
    np.testing.assert_allclose(weights[0].numpy(), arrays[0], rtol=1e-6)
    assert int(optimizer.iterations) == int(optimizer.inner_optimizer.iterations) == 1
    assert int(optimizer.iterations.array) == 3


def test_the_loss_is_multiplied_by_the_scale_of_the_moment():
    optimizer = made(optimizers)
    assert float(optimizer.scale_loss(2.0)) == 64.0
    optimizer.apply([np.float32([[np.inf] * 3] * 2)], [Variable(start())])
    assert float(optimizer.scale_loss(2.0)) == 32.0
    # A loss in half precision would overflow.
    groups = optimizer.build([Variable(start())])
    groups[-1]["dynamic_scale"].assign(2.0**15)
    assert float(optimizer.scale_loss(jnp.float16(100))) == 100 * 2.0**15


def test_what_is_the_inner_optimizers_is_read_and_set_through():
    optimizer = made(optimizers, use_ema=True)
    assert float(optimizer.learning_rate) == pytest.approx(0.1)
    optimizer.learning_rate = 0.5
    assert float(optimizer.inner_optimizer.learning_rate) == 0.5
    assert optimizer.weight_decay == 0.1
    weight = Variable(start())
    optimizer.exclude_from_weight_decay(var_list=[weight])
    optimizer.apply([start()], [weight])
    before = weight.numpy()
    optimizer.apply([start()], [weight])
    optimizer.finalize_variable_values([weight])
    assert (weight.numpy() != before).any()
    assert not optimizers.LossScaleOptimizer(optimizers.SGD(loss_scale_factor=4.0)).loss_scale_factor


def test_its_config_crosses_to_keras_and_back(keras):
    optimizer = made(optimizers)
    theirs = keras.optimizers.LossScaleOptimizer.from_config(optimizer.get_config())
    assert theirs.get_config() == optimizer.get_config()
    again = optimizers.get(keras.optimizers.serialize(theirs))
    assert again.get_config() == optimizer.get_config()
    assert type(again.inner_optimizer) is optimizers.Adam
    older = {**optimizer.get_config(), "weight_decay": None, "ema_momentum": 0.99, "use_ema": False}
    assert optimizers.LossScaleOptimizer.from_config(older).get_config() == optimizer.get_config()


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"initial_scale": 0}, "initial_scale"),
        ({"dynamic_growth_steps": 0}, "dynamic_growth_steps"),
        ({"weight_decay": 0.1}, "weight_decay"),
    ],
)
def test_arguments_that_cannot_be_are_refused(arguments, word):
    with pytest.raises(DataError, match=word):
        optimizers.LossScaleOptimizer("adam", **arguments)


def test_a_fit_skips_steps_that_overflow():
    import doltap

    model = doltap.Sequential([doltap.Input((1,)), doltap.layers.Dense(1)])
    optimizer = optimizers.LossScaleOptimizer("sgd", initial_scale=1.0, dynamic_growth_steps=100)

    def loss(y_true, y_pred):
        # The square root has no finite slope at 0.
        return jnp.sqrt(jnp.abs(y_true)) * jnp.sqrt(jnp.abs(y_pred) * jnp.sign(y_true)) + 0 * y_pred

    x, y = np.float32([[1], [1], [1], [1]]), np.float32([[1], [0], [1], [1]])
    model.compile(optimizer, loss=loss)
    model.fit(x, y, batch_size=1, shuffle=False, verbose=0)
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
    assert int(optimizer.iterations) == 3
    assert int(optimizer.variables[0]) == 4
