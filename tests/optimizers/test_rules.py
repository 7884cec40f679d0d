"""Every rule against real Keras: alone, and inside the training of a whole network."""

from __future__ import annotations

import numpy as np
import pytest

import doltap
from doltap import optimizers
from doltap.core.tensors import Variable
from doltap.errors import DoltapError, UnknownArgumentError, UnknownNameError

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning:keras")

RULES = [
    ("SGD", {}),
    ("SGD", {"learning_rate": 0.1, "momentum": 0.9}),
    ("SGD", {"learning_rate": 0.1, "momentum": 0.8, "nesterov": True}),
    ("SGD", {"nesterov": True}),
    ("RMSprop", {}),
    ("RMSprop", {"learning_rate": 0.01, "rho": 0.7, "epsilon": 1e-3}),
    ("RMSprop", {"momentum": 0.9}),
    ("RMSprop", {"centered": True}),
    ("RMSprop", {"momentum": 0.5, "centered": True}),
    ("Adagrad", {}),
    ("Adagrad", {"learning_rate": 0.1, "initial_accumulator_value": 0.0, "epsilon": 1e-3}),
    ("Adam", {}),
    ("Adam", {"learning_rate": 0.01, "beta_1": 0.7, "beta_2": 0.9, "epsilon": 1e-4}),
    ("Adam", {"amsgrad": True}),
    ("AdamW", {"weight_decay": 0.1, "amsgrad": True}),
    ("Adamax", {"beta_2": 0.5}),
    ("Nadam", {"beta_1": 0.5}),
    ("Lamb", {"learning_rate": 0.1}),
    ("Lion", {"beta_1": 1.0, "beta_2": 0.5}),
    ("Adadelta", {"learning_rate": 1.0, "rho": 0.5}),
    ("Adafactor", {"learning_rate": 0.5, "clip_threshold": 0.1, "relative_step": False}),
    ("Adafactor", {"learning_rate": 0.5, "beta_2_decay": -0.5, "epsilon_1": 1e-5, "epsilon_2": 0.1}),
    ("Ftrl", {"learning_rate": 0.1, "l1_regularization_strength": 0.5, "beta": 0.2}),
    (
        "Ftrl",
        {
            "learning_rate_power": -0.7,
            "initial_accumulator_value": 0.5,
            "l2_regularization_strength": 0.3,
            "l2_shrinkage_regularization_strength": 0.01,
        },
    ),
    ("Muon", {"adam_lr_ratio": 0.5, "adam_weight_decay": 0.1, "weight_decay": None}),
]
each_rule = pytest.mark.parametrize(("name", "options"), RULES, ids=str)
DEFAULTS = {"SGD": 0.01, **dict.fromkeys(dict(RULES[4:]), 0.001)}
SHAPES = [(3, 4), (4,), ()]


def gradients(count, seed=0):
    """Gradients of all sizes, some of them exactly 0."""
    random = np.random.default_rng(seed)
    for _ in range(count):
        arrays = [random.normal(size=shape) * 10.0 ** random.integers(-3, 3) for shape in SHAPES]
        arrays[0][0] = 0
        yield [np.asarray(array, np.float32) for array in arrays]


def start():
    random = np.random.default_rng(5)
    return [random.normal(size=shape).astype(np.float32) for shape in SHAPES]


def pair(keras, name, options):
    """The optimizer and its weights, in both libraries."""
    ours = getattr(optimizers, name)(**options), [Variable(array) for array in start()]
    theirs = getattr(keras.optimizers, name)(**options), [keras.Variable(array) for array in start()]
    return ours, theirs


def assert_equal_weights(ours, theirs):
    for mine, peer in zip(ours, theirs, strict=True):
        expected = np.asarray(peer.value)
        np.testing.assert_allclose(mine.numpy(), expected, rtol=1e-5, atol=1e-6)


@each_rule
def test_25_steps_move_weights_as_keras_moves_them(keras, name, options):
    (ours, our_weights), (theirs, their_weights) = pair(keras, name, options)
    for arrays in gradients(25):
        ours.apply_gradients(zip(arrays, our_weights, strict=True))
        theirs.apply_gradients(zip(arrays, their_weights, strict=True))
    assert_equal_weights(our_weights, their_weights)
    assert int(ours.iterations) == 25


@pytest.mark.parametrize("name", DEFAULTS)
def test_a_rate_set_in_the_middle_holds_from_the_next_step_on(keras, name):
    (ours, our_weights), (theirs, their_weights) = pair(keras, name, {})
    for number, arrays in enumerate(gradients(6)):
        if number == 3:
            ours.learning_rate = 0.05
            theirs.learning_rate = 0.05
        ours.apply(arrays, our_weights)
        theirs.apply(arrays, their_weights)
    assert_equal_weights(our_weights, their_weights)
    assert float(ours.learning_rate) == pytest.approx(0.05)


@each_rule
def test_the_variables_stand_in_the_order_of_keras(keras, name, options):
    names = ["kernel", "bias", "scale"]
    ours = getattr(optimizers, name)(**options, use_ema=True, gradient_accumulation_steps=2)
    theirs = getattr(keras.optimizers, name)(**options, use_ema=True, gradient_accumulation_steps=2)
    ours.build([Variable(array, name=each) for each, array in zip(names, start(), strict=True)])
    theirs.build([keras.Variable(array, name=each) for each, array in zip(names, start(), strict=True)])
    mine = [(variable.name, variable.shape, variable.dtype) for variable in ours.variables]
    peers = [(v.path.split("/")[-1], tuple(v.shape), v.dtype) for v in theirs.variables]
    if name in ("Adafactor", "Nadam"):  # Some of their names say only of which weight they are, or nothing.
        mine, peers = ([facts[1:] for facts in each] for each in (mine, peers))
    assert mine == peers


@pytest.mark.parametrize("name", DEFAULTS)
def test_the_defaults_are_those_of_keras(keras, name):
    ours = getattr(optimizers, name)().get_config()
    theirs = getattr(keras.optimizers, name)().get_config()
    del ours["name"]  # Keras numbers its names.
    assert {key: value for key, value in theirs.items() if key != "name"} == ours
    assert ours["learning_rate"] == pytest.approx(DEFAULTS[name])


@each_rule
def test_a_rule_is_made_again_from_its_config(keras, name, options):
    rule = getattr(optimizers, name)(name="mine", **options)
    for again in (
        type(rule).from_config(rule.get_config()),
        optimizers.deserialize(optimizers.serialize(rule)),
    ):
        assert type(again) is type(rule)
        assert again.get_config() == rule.get_config()
    theirs = getattr(keras.optimizers, name).from_config(rule.get_config()).get_config()
    assert theirs == rule.get_config()
    for key, value in options.items():
        assert rule.get_config()[key] == pytest.approx(value)


@pytest.mark.parametrize("name", DEFAULTS)
def test_an_optimizer_is_found_by_every_name_it_has(name):
    cls = getattr(optimizers, name)
    for word in (name, name.lower(), name.upper(), cls, {"class_name": name.lower(), "config": {}}):
        assert type(optimizers.get(word)) is cls
    mine = cls()
    assert optimizers.get(mine) is mine


@pytest.mark.parametrize(
    ("wrong", "right"), [("adamm", "adam"), ("sdg", "sgd"), ("rmsporp", "rmsprop"), ("adm", "adam")]
)
def test_an_unknown_optimizer_is_answered_with_the_nearest_name(wrong, right):
    with pytest.raises(UnknownNameError, match=f"Did you mean '{right}'"):
        optimizers.get(wrong)


@pytest.mark.parametrize("name", DEFAULTS)
def test_lr_is_the_older_word_for_learning_rate(name):
    rule = getattr(optimizers, name)(lr=0.25)
    assert float(rule.learning_rate) == float(rule.lr) == 0.25
    rule.lr = 0.5
    assert float(rule.learning_rate) == 0.5


@pytest.mark.parametrize("name", DEFAULTS)
@pytest.mark.parametrize("rate", [-1, float("nan"), float("inf"), "fast", None, True])
def test_a_rate_that_is_none_is_refused_at_once_and_later(name, rate):
    with pytest.raises(DoltapError, match="learning_rate"):
        getattr(optimizers, name)(learning_rate=rate)
    rule = getattr(optimizers, name)()
    with pytest.raises(DoltapError, match="learning_rate"):
        rule.learning_rate = rate
    assert float(rule.learning_rate) == pytest.approx(DEFAULTS[name])


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("SGD", {"momentum": -0.1}),
        ("SGD", {"momentum": 1.5}),
        ("RMSprop", {"rho": 1.0}),
        ("RMSprop", {"momentum": 2}),
        ("Adam", {"beta_1": 1.0}),
        ("Adam", {"beta_2": "much"}),
        ("Adagrad", {"initial_accumulator_value": -1.0}),
    ],
    ids=str,
)
def test_shares_outside_0_to_1_are_refused(name, options):
    with pytest.raises(DoltapError, match=next(iter(options))):
        getattr(optimizers, name)(**options)


def test_a_misspelt_argument_is_answered_with_the_nearest_one():
    with pytest.raises(UnknownArgumentError, match="Did you mean 'momentum='"):
        optimizers.SGD(momentun=0.9)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize("name", DEFAULTS)
def test_weights_and_slots_keep_their_type(name, dtype):
    weight = Variable(np.ones((3, 2)), dtype=dtype)
    rule = getattr(optimizers, name)(learning_rate=100.0 if name == "Adadelta" else 0.1)
    for _ in range(2):
        rule.apply_gradients([(np.full((3, 2), 0.5, weight.array.dtype), weight)])
    assert weight.dtype == dtype
    assert {slot.dtype for slot in rule.build([weight])[0].values()} <= {dtype}
    assert (weight.numpy() < 1).all()


# The requirement: the same network, the same 20 steps, in both libraries.

KINDS = ["ragged tail", "sample weights", "class weights"]
CHOSEN = [
    ("SGD", {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True}),
    ("RMSprop", {}),
    ("Adagrad", {"learning_rate": 0.05}),
    ("Adam", {"learning_rate": 0.01}),
]


def table():
    random = np.random.default_rng(11)
    x = random.normal(size=(70, 6)).astype(np.float32)
    return x, (x[:, 0] + x[:, 1] > 0).astype(np.int64) + (x[:, 2] > 0.5)


def network(library, weights=None):
    layers = library.layers
    model = library.Sequential(
        [layers.Input((6,)), layers.Dense(8, activation="relu"), layers.Dense(3, activation="softmax")]
    )
    if weights is not None:
        model.set_weights(weights)
    return model


def trained(library, weights, rule, fit_keywords, eager=False):
    model = network(library, weights)
    compiled = {"run_eagerly": True} if eager else {}
    model.compile(
        optimizer=getattr(library.optimizers, rule[0])(**rule[1]),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
        weighted_metrics=["sparse_categorical_crossentropy"],
        **compiled,
    )
    x, y = table()
    history = model.fit(x, y, batch_size=16, shuffle=False, verbose=0, **fit_keywords)
    return model, history


@pytest.fixture(scope="module")
def weights(keras):
    keras.utils.set_random_seed(3)
    return network(keras).get_weights()


def assert_same_training(ours, theirs):
    (our_model, our_history), (their_model, their_history) = ours, theirs
    assert list(our_history.history) == list(their_history.history)
    assert our_history.epoch == list(their_history.epoch)
    for name, values in their_history.history.items():
        np.testing.assert_allclose(our_history.history[name], values, rtol=1e-4, err_msg=name)
    for mine, peer in zip(our_model.get_weights(), their_model.get_weights(), strict=True):
        np.testing.assert_allclose(mine, peer, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rule", CHOSEN, ids=str)
def test_20_steps_of_a_network_end_at_the_weights_of_keras(keras, weights, rule, kind):
    # 70 rows in batches of 16 leave a tail of 6; 4 epochs are 20 steps.
    keywords = {
        "ragged tail": {},
        "sample weights": {"sample_weight": np.random.default_rng(2).uniform(0, 3, 70)},
        "class weights": {"class_weight": {0: 0.5, 1: 2.0, 2: 4.0}},
    }[kind]
    ours = trained(doltap, weights, rule, {"epochs": 4, **keywords})
    theirs = trained(keras, weights, rule, {"epochs": 4, **keywords}, eager=True)
    assert_same_training(ours, theirs)
    assert int(ours[0].optimizer.iterations) == 20


def test_a_trained_network_measures_and_predicts_as_keras(keras, weights):
    models = [trained(library, weights, CHOSEN[3], {"epochs": 4})[0] for library in (doltap, keras)]
    x, y = table()
    measured = [model.evaluate(x, y, batch_size=32, verbose=0) for model in models]
    np.testing.assert_allclose(*measured, rtol=1e-4)
    assert len(measured[0]) == 3
    ours, theirs = (model.predict(x, verbose=0) for model in models)
    np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-5)


# The same share everywhere, so that batches have few different lengths to compile.
@pytest.mark.parametrize(
    "keywords",
    [
        {"epochs": 2, "validation_split": 0.3},
        {"epochs": 2, "validation_data": (*(part[:21] for part in table()), np.arange(21.0))},
        {"epochs": 5, "initial_epoch": 3},
        {"epochs": 3, "validation_split": 0.3, "validation_freq": 2, "validation_batch_size": 7},
        {"epochs": 2, "initial_epoch": 2},
        {"epochs": 2, "validation_split": 0.3, "sample_weight": np.linspace(0, 2, 70)},
        {"epochs": 2, "validation_split": 0.3, "class_weight": {1: 3.0}},
    ],
    ids=lambda keywords: " ".join(keywords),
)
def test_validation_and_epochs_fill_the_history_as_keras_does(keras, weights, keywords):
    rule = ("SGD", {"learning_rate": 0.1})
    ours = trained(doltap, weights, rule, keywords)
    assert_same_training(ours, trained(keras, weights, rule, keywords, eager=True))


def test_evaluate_returns_the_loss_and_the_metrics_in_the_order_of_compile(keras, weights):
    x, y = table()
    for library in (keras, doltap):
        model = network(library, weights)
        model.compile(
            loss="sparse_categorical_crossentropy", metrics=["sparse_categorical_crossentropy", "acc"]
        )
        by_name = model.evaluate(x, y, verbose=0, return_dict=True)
        assert list(by_name) == ["acc", "loss", "sparse_categorical_crossentropy"]
        values = model.evaluate(x, y, verbose=0)
        assert values == [by_name["loss"], by_name["sparse_categorical_crossentropy"], by_name["acc"]]


def test_a_second_fit_goes_on_where_the_first_one_ended(keras, weights):
    rule = ("Adam", {"learning_rate": 0.01})
    models = [trained(library, weights, rule, {"epochs": 1})[0] for library in (doltap, keras)]
    x, y = table()
    histories = [model.fit(x[:49], y[:49], batch_size=16, shuffle=False, verbose=0) for model in models]
    assert_same_training(*zip(models, histories, strict=True))
