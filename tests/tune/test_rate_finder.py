"""The range test of learning rates: what it finds, and that it leaves no trace."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits

import doltap as keras
from doltap.errors import DataError, DoltapError, NotCompiledError, NotSupportedError
from doltap.tune import find_learning_rate

layers = keras.layers


@pytest.fixture(scope="module")
def digits():
    x, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(x))
    return (x[order] / 16).astype("float32"), y[order]


def tower(optimizer="sgd", *, is_built=True, **settings):
    keras.utils.set_random_seed(0)
    start = [keras.Input((64,))] if is_built else []
    model = keras.Sequential(
        [
            *start,
            layers.Dense(32, activation="relu"),
            layers.BatchNormalization(),
            layers.Dropout(0.1),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"], **settings)
    return model


def trained_at(rate, make, x, y):
    model = make(rate)
    with np.errstate(all="ignore"):
        return model.fit(x, y, epochs=10, verbose=0).history["loss"][-1]


@pytest.mark.filterwarnings("ignore:The loss is not a finite number")
@pytest.mark.parametrize("kind", ["SGD", "Adam"])
def test_the_suggestion_trains_about_as_well_as_the_best_of_many_rates(digits, kind):
    def make(rate):
        keras.utils.set_random_seed(0)
        model = keras.Sequential([keras.Input((64,)), layers.Dense(32, "relu"), layers.Dense(10, "softmax")])
        model.compile(getattr(keras.optimizers, kind)(rate), "sparse_categorical_crossentropy")
        return model

    found = find_learning_rate(make(0.01), *digits)
    losses = {rate: trained_at(rate, make, *digits) for rate in np.geomspace(1e-4, 10, 11)}
    ours = trained_at(found.suggestion, make, *digits)
    assert ours < 2 * np.nanmin([*losses.values()])
    # Better than most, so that chance does not pass.
    assert sum(not ours > loss for loss in losses.values()) >= 8
    # What it calls the largest learns; eight times as much does not.
    assert trained_at(found.largest, make, *digits) < 0.5
    assert not trained_at(8 * found.largest, make, *digits) < 0.5


def test_the_suggestion_is_half_of_the_largest_and_is_said_in_a_sentence(digits):
    found = find_learning_rate(tower(), *digits, num_steps=60)
    assert found.suggestion == found.largest / 2
    assert repr(found) == (
        f"Learning rates up to {found.largest:.3g} still learn; half of that, {found.suggestion:.3g}, "
        "is a good one."
    )


def test_there_is_a_loss_for_each_rate_up_to_the_last_that_gave_one(digits):
    found = find_learning_rate(tower(), *digits, min_rate=1e-3, max_rate=20, num_steps=50)
    np.testing.assert_allclose(found.rates, np.geomspace(1e-3, 20, 50))
    assert found.losses.shape == found.smoothed.shape == (50,)
    x = np.linspace(-1, 1, 64)[:, None]
    line = keras.Sequential([keras.Input((1,)), layers.Dense(1)])
    line.compile("sgd", "mse")
    with np.errstate(all="ignore"):
        broken = find_learning_rate(line, x, 3 * x, max_rate=1e9)
    assert 100 < len(broken.losses) == len(broken.rates) < 300
    assert np.isfinite(broken.losses).all()


def test_the_losses_are_those_of_training_at_these_rates(digits):
    x, y = digits[0][:96], digits[1][:96]
    model = tower()
    found = find_learning_rate(model, x, y, min_rate=1e-3, num_steps=20)
    # fit draws the same rows, dropout and updates, one rate at a time.
    heard = []

    class Rising(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            self.model.optimizer.learning_rate = found.rates[len(heard)]
            self.model.reset_metrics()

        def on_train_batch_end(self, batch, logs=None):
            heard.append(logs["loss"])
            if len(heard) == 3:
                self.model.stop_training = True

    model.fit(x, y, epochs=1, verbose=0, callbacks=[Rising()])
    np.testing.assert_allclose(found.losses[:3], heard, rtol=1e-6)


def everything(model):
    """The weights, what the optimizer remembers, and the random numbers to come, as bytes."""
    arrays = [*model.get_weights(), *(np.asarray(v.value) for v in model.optimizer.variables)]
    return [array.tobytes() for array in arrays], model.epochs_trained, model.history, model.stop_training


@pytest.mark.parametrize("is_trained", [False, True])
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_the_model_is_to_the_bit_as_it_was(digits, optimizer, is_trained):
    x, y = digits
    left, searched = tower(optimizer), tower(optimizer)
    if is_trained:
        left.fit(x, y, verbose=0)
        searched.fit(x, y, verbose=0)
    before, ours = everything(searched), np.random.get_state()[1].tobytes()
    find_learning_rate(searched, x, y, num_steps=40)
    assert everything(searched) == before
    assert np.random.get_state()[1].tobytes() == ours
    first, second = (model.fit(x, y, epochs=2, verbose=0).history for model in (left, searched))
    assert first == second
    assert everything(left)[0] == everything(searched)[0]
    # The next model made begins from the same numbers as without it.
    assert searched.optimizer.built


def test_a_model_that_was_not_built_then_trains_as_if_nothing_had_been(digits):
    left = tower(is_built=False).fit(*digits, verbose=0).history
    searched = tower(is_built=False)
    find_learning_rate(searched, *digits, num_steps=40)
    assert not searched.optimizer.built
    assert searched.fit(*digits, verbose=0).history == left


def test_models_made_afterwards_begin_as_without_it(digits):
    model = tower()
    alone = keras.Sequential([keras.Input((4,)), layers.Dense(3)]).get_weights()[0]
    model = tower()
    find_learning_rate(model, *digits, num_steps=40)
    after = keras.Sequential([keras.Input((4,)), layers.Dense(3)]).get_weights()[0]
    np.testing.assert_array_equal(alone, after)


def generator(x, y, size=32):
    while True:
        for start in range(0, len(x) - size, size):
            yield x[start : start + size], y[start : start + size]


def line(**settings):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((64,)), layers.Dense(10, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy", **settings)
    return model


class Own(keras.Model):
    """A class with a step of its own that calls the usual one."""

    def __init__(self):
        super().__init__()
        self.head = layers.Dense(10, activation="softmax")

    def call(self, x):
        """One layer."""
        return self.head(x)

    def train_step(self, state, data):
        """The usual step."""
        return super().train_step(state, data)


def own_class():
    keras.utils.set_random_seed(0)
    model = Own()
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


@pytest.mark.parametrize(
    "use",
    [
        lambda x, y: find_learning_rate(tower(), generator(x, y), num_steps=60),
        lambda x, y: find_learning_rate(
            tower(), ((x[k : k + 32], y[k : k + 32]) for k in range(0, 640, 32)), num_steps=60
        ),
        lambda x, y: find_learning_rate(tower(), x, y, batch_size=200, num_steps=60),
        lambda x, y: find_learning_rate(tower(), x, y, batch_size=5000, num_steps=60),
        lambda x, y: find_learning_rate(tower(), x.tolist(), y.tolist(), num_steps=60),
        lambda x, y: find_learning_rate(tower(), x, y, num_steps=60, class_weight={0: 2.0}),
        lambda x, y: find_learning_rate(tower(), x, y, num_steps=60, sample_weight=np.ones(len(x))),
        lambda x, y: find_learning_rate(own_class(), x, y, num_steps=60),
        lambda x, y: find_learning_rate(line(run_eagerly=True), x[:64], y[:64], num_steps=20),
    ],
    ids=[
        "generator",
        "short",
        "batches",
        "one batch",
        "lists",
        "class weights",
        "weights",
        "own step",
        "eager",
    ],
)
def test_any_model_and_any_data_that_fit_takes(digits, use):
    assert 0.01 < use(*digits).suggestion < 5


def test_half_precision_with_a_scaled_loss(digits):
    keras.utils.set_random_seed(0)
    dense = layers.Dense(10, activation="softmax", dtype="mixed_float16")
    model = keras.Sequential([keras.Input((64,)), dense])
    scaled = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.01), initial_scale=256.0)
    model.compile(scaled, "sparse_categorical_crossentropy")
    assert 0.01 < find_learning_rate(model, *digits, num_steps=60).suggestion < 5


def test_the_plot_shows_losses_the_largest_and_its_half(digits):
    pytest.importorskip("matplotlib")
    found = find_learning_rate(tower(), *digits, num_steps=60)
    (axes,) = found.plot().axes
    lines = {line.get_label(): line for line in axes.lines}
    assert axes.get_xscale() == "log"
    np.testing.assert_array_equal(lines["at each step"].get_ydata(), found.losses)
    assert lines["the largest that learns"].get_xdata()[0] == found.largest
    assert lines["half of it"].get_xdata()[0] == found.suggestion
    assert axes.get_title() == str(found)


def test_a_larger_bound_is_asked_for_where_all_rates_learn(digits):
    with pytest.warns(UserWarning, match="larger max_rate"):
        found = find_learning_rate(tower(), *digits, max_rate=1e-3)
    assert found.largest == pytest.approx(1e-3)


def scheduled():
    return tower(keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)))


def never():
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((64,)), layers.Dense(1), layers.Lambda(lambda x: x / 0.0)])
    model.compile("sgd", "mse")
    return model


@pytest.mark.parametrize(
    ("use", "kind", "said"),
    [
        (
            lambda x, y: find_learning_rate(keras.Sequential([layers.Dense(1)]), x, y),
            NotCompiledError,
            r"find_learning_rate\(\).*\n.*compile",
        ),
        (lambda x, y: find_learning_rate("model", x, y), DataError, "a compiled model, got a str"),
        (
            lambda x, y: find_learning_rate(tower(), x[:0], y[:0]),
            DataError,
            "at least one row|no rows|0 rows",
        ),
        (lambda x, y: find_learning_rate(tower(), iter([])), DataError, "at least one batch"),
        (lambda x, y: find_learning_rate(tower(), x), DataError, "label"),
        (lambda x, y: find_learning_rate(scheduled(), x, y), NotSupportedError, "schedule"),
        (
            lambda x, y: find_learning_rate(tower(keras.optimizers.SGD(lambda: 0.1)), x, y),
            NotSupportedError,
            "function",
        ),
        (lambda x, y: find_learning_rate(never(), x, y), DataError, "at the first rate, 1e-06.*\n.*scale"),
        (lambda x, y: find_learning_rate(tower(), x, y, min_rate=1, max_rate=0.1), DataError, "min_rate=1"),
        (lambda x, y: find_learning_rate(tower(), x, y, min_rate=0), DataError, "0 < min_rate"),
        (lambda x, y: find_learning_rate(tower(), x, y, max_rate=float("inf")), DataError, "max_rate=inf"),
        (lambda x, y: find_learning_rate(tower(), x, y, num_steps=3), DataError, "20 or more"),
        (lambda x, y: find_learning_rate(tower(), x, y, batch_size=0), DataError, "batch_size"),
        (
            lambda x, y: find_learning_rate(tower(), x, y, min_rate=100, max_rate=1000),
            DataError,
            "smaller min_rate",
        ),
    ],
)
def test_what_is_wrong_is_said(digits, use, kind, said):
    with np.errstate(all="ignore"), pytest.raises(kind, match=said) as caught:
        use(*digits)
    assert isinstance(caught.value, DoltapError)


def test_an_unknown_argument_and_a_function_in_place_of_a_model_are_named():
    with pytest.raises(keras.errors.UnknownArgumentError, match="min_rate"):
        find_learning_rate(tower(), low=1)
    with pytest.raises(DataError, match=r"the function tower[\s\S]*find_learning_rate\(tower\(\), x, y\)"):
        find_learning_rate(tower)
