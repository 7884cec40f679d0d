"""Learning rates that follow the step: the schedules against real Keras, and inside optimizers."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import doltap
from doltap import optimizers
from doltap.core.tensors import Variable
from doltap.errors import DataError, DoltapError, NotSupportedError, UnknownNameError
from doltap.optimizers import schedules

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning:keras")

SCHEDULES = [
    ("ExponentialDecay", {"initial_learning_rate": 0.1, "decay_steps": 7, "decay_rate": 0.5}),
    (
        "ExponentialDecay",
        {"initial_learning_rate": 0.1, "decay_steps": 7, "decay_rate": 0.9, "staircase": True},
    ),
    ("PiecewiseConstantDecay", {"boundaries": [3, 10, 11], "values": [1.0, 0.5, 0.25, 0.1]}),
    ("PiecewiseConstantDecay", {"boundaries": [5], "values": [1.0, 0.5]}),
    ("PolynomialDecay", {"initial_learning_rate": 0.1, "decay_steps": 20}),
    (
        "PolynomialDecay",
        {
            "initial_learning_rate": 0.1,
            "decay_steps": 9,
            "end_learning_rate": 0.01,
            "power": 0.5,
            "cycle": True,
        },
    ),
    ("InverseTimeDecay", {"initial_learning_rate": 0.1, "decay_steps": 4, "decay_rate": 0.5}),
    (
        "InverseTimeDecay",
        {"initial_learning_rate": 0.1, "decay_steps": 4, "decay_rate": 0.5, "staircase": True},
    ),
    ("CosineDecay", {"initial_learning_rate": 0.1, "decay_steps": 30}),
    ("CosineDecay", {"initial_learning_rate": 0.1, "decay_steps": 30, "alpha": 0.2}),
    (
        "CosineDecay",
        {"initial_learning_rate": 0.01, "decay_steps": 20, "warmup_target": 0.2, "warmup_steps": 8},
    ),
    ("CosineDecay", {"initial_learning_rate": 0.01, "decay_steps": 20, "warmup_target": 0.2}),
    ("CosineDecayRestarts", {"initial_learning_rate": 0.1, "first_decay_steps": 5}),
    (
        "CosineDecayRestarts",
        {
            "initial_learning_rate": 0.1,
            "first_decay_steps": 5,
            "t_mul": 1.5,
            "m_mul": 0.8,
            "alpha": 0.1,
        },
    ),
    ("CosineDecayRestarts", {"initial_learning_rate": 0.1, "first_decay_steps": 6, "t_mul": 1.0}),
]
each_schedule = pytest.mark.parametrize(("name", "arguments"), SCHEDULES, ids=str)
STEPS = [*range(45), 100, 1000, 123456]


@each_schedule
def test_a_schedule_gives_the_rates_of_keras_at_every_step(keras, name, arguments):
    ours = getattr(schedules, name)(**arguments)
    theirs = getattr(keras.optimizers.schedules, name)(**arguments)
    rates = jax.jit(jax.vmap(ours))(jnp.int32(STEPS))
    assert rates.dtype == jnp.float32
    assert not rates.weak_type
    np.testing.assert_allclose(rates, jax.jit(jax.vmap(theirs))(jnp.int32(STEPS)), rtol=1e-5, atol=2e-8)
    for step in (3, np.int32(3), jnp.int32(3), Variable(3)):
        np.testing.assert_allclose(ours(step), rates[3], rtol=1e-6)


@each_schedule
def test_a_schedule_crosses_to_keras_and_back(keras, name, arguments):
    ours = getattr(schedules, name)(**arguments)
    theirs = keras.optimizers.schedules.deserialize(schedules.serialize(ours))
    assert theirs.get_config() == ours.get_config()
    for config in (keras.optimizers.schedules.serialize(theirs), schedules.serialize(ours)):
        again = schedules.deserialize(config)
        assert type(again) is type(ours)
        assert again.get_config() == ours.get_config()
    assert schedules.get(ours) is ours


@each_schedule
def test_an_optimizer_with_a_schedule_crosses_to_keras_and_back(keras, name, arguments):
    ours = optimizers.SGD(getattr(schedules, name)(**arguments), name="mine")
    config = ours.get_config()
    theirs = keras.optimizers.SGD.from_config(ours.get_config())
    assert theirs.get_config() == config
    again = optimizers.get(keras.optimizers.serialize(theirs))
    assert again.get_config() == config
    assert float(again.learning_rate) == float(ours.learning_rate)


def test_the_defaults_are_those_of_keras(keras):
    needed = {
        "ExponentialDecay": (0.1, 5, 0.5),
        "PiecewiseConstantDecay": ([1], [2.0, 3.0]),
        "PolynomialDecay": (0.1, 5),
        "InverseTimeDecay": (0.1, 5, 0.5),
        "CosineDecay": (0.1, 5),
        "CosineDecayRestarts": (0.1, 5),
    }
    for name, arguments in needed.items():
        theirs = getattr(keras.optimizers.schedules, name)(*arguments).get_config()
        assert getattr(schedules, name)(*arguments).get_config() == theirs


class Falling(schedules.LearningRateSchedule):
    def __init__(self, start):
        self.start = start

    def __call__(self, step):
        return self.start / (1 + step)

    def get_config(self):
        return {"start": self.start}


RATES = {
    "ours": lambda: schedules.PiecewiseConstantDecay([1, 3], [1.0, 0.5, 0.25]),
    "the user's": lambda: Falling(1.0),
    "a config": lambda: schedules.serialize(schedules.ExponentialDecay(1.0, 2, 0.5)),
}
EXPECTED = {
    "ours": [1.0, 1.0, 0.5, 0.5, 0.25],
    "the user's": [1 / step for step in range(1, 6)],
    "a config": [0.5 ** (step / 2) for step in range(5)],
}


@pytest.mark.parametrize("rate", RATES)
def test_the_rate_of_each_step_comes_from_the_schedule(rate):
    optimizer = optimizers.SGD(RATES[rate]())
    weight = Variable(0.0)
    moves = []
    for expected in EXPECTED[rate]:
        assert float(optimizer.learning_rate) == pytest.approx(expected)
        before = float(weight)
        optimizer.apply([np.float32(1)], [weight])
        moves.append(before - float(weight))
    np.testing.assert_allclose(moves, EXPECTED[rate], rtol=1e-5)
    assert len(optimizer.variables) == 1  # As in Keras, no variable holds the rate.
    assert "learning_rate" not in optimizer.rates


@pytest.mark.parametrize("rate", RATES)
def test_a_fit_with_a_schedule_moves_as_single_steps_do(rate):
    x = np.ones((5, 1), np.float32)
    model = doltap.Sequential([doltap.Input((1,)), doltap.layers.Dense(1, use_bias=False)])
    model.set_weights([np.ones((1, 1))])
    optimizer = optimizers.SGD(RATES[rate]())

    def loss(y_true, y_pred):
        return y_pred - y_true * 0

    model.compile(optimizer, loss=loss)
    model.fit(x, np.zeros((5, 1)), batch_size=1, shuffle=False, verbose=0)
    np.testing.assert_allclose(model.get_weights()[0], 1 - sum(EXPECTED[rate]), rtol=1e-4)
    assert int(optimizer.iterations) == 5


@pytest.mark.parametrize("name", ["SGD", "Adam", "Adafactor", "Muon"])
def test_training_with_a_schedule_is_that_of_keras(keras, name):
    results = []
    for library, variable in ((optimizers, Variable), (keras.optimizers, keras.Variable)):
        schedule = library.schedules.CosineDecay(0.01, 6, warmup_target=0.5, warmup_steps=3)
        optimizer = getattr(library, name)(schedule, gradient_accumulation_steps=2)
        start = np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3)
        weights = [variable(start)]
        optimizer.build(weights)
        step = jax.jit(optimizer.stateless_apply)
        state, arrays = [each.value for each in optimizer.variables], [weights[0].value]
        for number in range(8):
            arrays, state = step(state, [jnp.asarray(start * number + 0.1)], arrays)
        results.append((arrays, state))
    for mine, theirs in zip(jax.tree.leaves(results[0]), jax.tree.leaves(results[1]), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-6)


def test_a_schedule_is_not_overwritten_by_a_number():
    optimizer = optimizers.SGD(schedules.ExponentialDecay(0.1, 10, 0.5))
    with pytest.raises(NotSupportedError, match="ExponentialDecay"):
        optimizer.learning_rate = 0.5
    with pytest.raises(NotSupportedError, match="ExponentialDecay"):
        optimizer.lr = 0.5


def test_a_schedule_may_take_the_place_of_a_number_until_training_begins():
    optimizer = optimizers.SGD(0.5)
    optimizer.learning_rate = Falling(1.0)
    assert float(optimizer.learning_rate) == 1.0
    late = optimizers.SGD(0.5)
    late.build([Variable(1.0)])
    with pytest.raises(NotSupportedError, match="Falling"):
        late.learning_rate = Falling(1.0)
    assert float(late.learning_rate) == 0.5


def test_a_function_is_asked_for_the_rate_whenever_a_program_is_called():
    said = [1.0]
    optimizer = optimizers.SGD(lambda: said[0])
    x = np.ones((2, 1), np.float32)
    model = doltap.Sequential([doltap.Input((1,)), doltap.layers.Dense(1, use_bias=False)])
    model.set_weights([np.zeros((1, 1))])

    def loss(y_true, y_pred):
        return y_pred - y_true * 0

    model.compile(optimizer, loss=loss)
    model.fit(x, np.zeros((2, 1)), batch_size=2, verbose=0)
    assert model.get_weights()[0].item() == -1.0
    said[0] = 0.25
    assert float(optimizer.learning_rate) == 0.25
    model.fit(x, np.zeros((2, 1)), batch_size=2, verbose=0)
    assert model.get_weights()[0].item() == -1.25
    with pytest.raises(NotSupportedError, match="learning_rate"):
        optimizer.learning_rate = 0.5
    with pytest.raises(NotSupportedError, match="LearningRateSchedule"):
        optimizer.get_config()


def test_a_function_of_the_step_is_told_to_become_a_schedule():
    with pytest.raises(DataError, match="LearningRateSchedule"):
        optimizers.SGD(lambda step: 0.1 / step)


def test_decay_slows_down_as_in_the_first_keras_and_leaves_the_rate_settable():
    optimizer = optimizers.SGD(lr=1.0, decay=0.5)
    weight = Variable(0.0)
    for step in range(3):
        before = float(weight)
        optimizer.apply([np.float32(1)], [weight])
        assert before - float(weight) == pytest.approx(1 / (1 + 0.5 * step), rel=1e-5)
    optimizer.lr = 4.0
    before = float(weight)
    optimizer.apply([np.float32(1)], [weight])
    assert before - float(weight) == pytest.approx(4 / 2.5, rel=1e-5)
    again = optimizers.SGD.from_config(optimizer.get_config())
    assert again.get_config()["decay"] == 0.5


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: schedules.ExponentialDecay(0.1, 0, 0.5), "decay_steps"),
        (lambda: schedules.PolynomialDecay(0.1, -1), "decay_steps"),
        (lambda: schedules.InverseTimeDecay(0.1, None, 0.5), "decay_steps"),
        (lambda: schedules.CosineDecay(0.1, "many"), "decay_steps"),
        (lambda: schedules.CosineDecayRestarts(0.1, 0), "first_decay_steps"),
        (lambda: schedules.CosineDecayRestarts(0.1, 5, t_mul=0), "t_mul"),
        (lambda: schedules.PiecewiseConstantDecay([1], [0.1]), "boundaries"),
        (lambda: schedules.PiecewiseConstantDecay([3, 1], [0.1, 0.2, 0.3]), "boundaries"),
        (lambda: schedules.get("cosine"), "LearningRateSchedule"),
        (lambda: schedules.LearningRateSchedule()(0), "__call__"),
        (lambda: schedules.LearningRateSchedule().get_config(), "get_config"),
    ],
)
def test_a_schedule_that_cannot_be_is_refused(make, word):
    with pytest.raises(DoltapError, match=word):
        make()


def test_an_unknown_schedule_is_answered_with_the_nearest_name():
    with pytest.raises(UnknownNameError, match="Did you mean 'cosinedecay'"):
        schedules.deserialize({"class_name": "CosinDecay", "config": {}})


def test_a_schedule_of_the_users_own_is_found_among_custom_objects():
    config = schedules.serialize(Falling(0.5))
    again = schedules.deserialize(config, custom_objects={"Falling": Falling})
    assert again.start == 0.5
