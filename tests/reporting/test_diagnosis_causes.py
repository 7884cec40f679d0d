"""A finding names the cause that a learner can do something about, and not a consequence of it."""

import numpy as np
import pytest

pytest.importorskip("sklearn")

from sick_networks import digits

import doltap as keras
from doltap.layers import Dense
from doltap.reporting.diagnosis import words

NOT_FINITE = pytest.mark.filterwarnings("ignore:The loss is not a finite number:UserWarning")


def told_of(model, x, y=None, **options):
    """The findings of a run."""
    watcher = keras.callbacks.Diagnose("en", verbose=0)
    callbacks = [watcher, *options.pop("callbacks", [])]
    return list(model.fit(x, y, verbose=0, callbacks=callbacks, **options).findings)


def network(*layers, optimizer="adam", loss="sparse_categorical_crossentropy"):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(layers)
    model.compile(optimizer, loss)
    return model


def rows(count=200, columns=3):
    return np.random.default_rng(0).normal(size=(count, columns))


# A loss that is no number.


@NOT_FINITE
def test_a_logarithm_of_0_is_named_with_its_row_and_its_cure_in_both_languages():
    def own(y, answers):
        return keras.ops.mean(keras.ops.square(keras.ops.log(answers) - y), axis=-1)

    x = np.abs(rows())
    x[7] = 0
    positive = Dense(1, kernel_initializer="ones")
    (found,) = told_of(network(positive, loss=own), x, x[:, 0] + 1, epochs=2, shuffle=False)
    assert "epoch 1. It began with the loss itself, row 7 of x: log of 0 (" in found.text
    assert found.cure == "Keep what goes into it above 0, as in log(x + 1e-7)."
    korean = words.retold(found, "ko")
    assert "x의 7번 행: 0의 로그" in korean.text
    assert korean.cure == "log(x + 1e-7)처럼 들어가는 값을 0보다 크게 하세요."


@NOT_FINITE
@pytest.mark.parametrize(("part", "place"), [("x", "row 41 of x, column 2"), ("y", "row 41 of x")])
def test_a_number_that_is_missing_in_the_data_is_named_and_no_lower_rate(part, place):
    data = {"x": rows(), "y": rows()[:, 0]}
    data[part][(41, 2)[: data[part].ndim]] = np.nan
    keras.config.allow_nan()
    try:
        (found,) = told_of(network(Dense(4), Dense(1), loss="mse"), **data, epochs=2)
    finally:
        keras.config.allow_nan(False)
    assert place in found.text
    assert found.cure == "Fill in what is missing there, or leave the rows out; np.isnan finds it."


@NOT_FINITE
def test_numbers_that_grew_too_large_are_placed_and_keep_the_rate_as_their_cure():
    x = rows()
    first, *_ = told_of(
        network(Dense(1), optimizer=keras.optimizers.SGD(1e6), loss="mse"), x, x[:, 0] * 1e9, epochs=5
    )
    assert first.name == "not_finite"
    assert "It began" in first.text
    assert "at a learning rate of" in first.text
    assert first.cure.startswith("Lower the learning rate")


# Sigmoids and raw pixels.


@pytest.mark.parametrize("seed", range(4))
def test_gradients_that_vanish_come_before_the_units_that_are_stuck(seed):
    x, _, y, _ = digits()
    x = np.round((x + 1) / 2 * 255)
    hidden = [Dense(units, "sigmoid") for units in (128, 256, 128, 64)]
    model = network(Dense(64, "relu"), *hidden, Dense(10, "softmax"), optimizer="sgd")
    keras.utils.set_random_seed(seed)
    found = told_of(model, x, y, epochs=10)
    assert found[0].name == "vanishing_gradients"
    assert found[0].severity >= 2
    assert found[0].cure.endswith(
        "Divide the inputs as well (x / 255), as relu passes on how large they are."
    )
    assert "saturated_units" not in [one.name for one in found]


# Numbers beside an Embedding.


def city_and_income(scale, *, numbers_first, dense=True):
    generator = np.random.default_rng(0)
    numbers, city = generator.normal(size=(800, 3)) * scale, generator.integers(0, 50, (800, 1))
    numeric, name = keras.Input((3,)), keras.Input((1,))
    looked_up = keras.layers.Flatten()(keras.layers.Embedding(50, 3)(name))
    both = [numeric, looked_up] if numbers_first else [looked_up, numeric]
    joined = keras.layers.Concatenate()(both)
    hidden = Dense(32, "relu")(joined) if dense else joined
    model = keras.Model([numeric, name] if numbers_first else [name, numeric], Dense(1)(hidden))
    model.compile("adam", "mse")
    x = [numbers, city] if numbers_first else [city, numbers]
    return model, x, numbers[:, 0] / scale + city[:, 0] / 25


@pytest.mark.parametrize("dense", [True, False])
@pytest.mark.parametrize("numbers_first", [True, False])
def test_unscaled_numbers_beside_an_embedding_are_told_and_its_own_are_not(numbers_first, dense):
    keras.utils.set_random_seed(0)
    model, x, y = city_and_income(1000, numbers_first=numbers_first, dense=dense)
    first, *_ = told_of(model, x, y, epochs=10)
    assert (first.name, first.severity) == ("unscaled_inputs", 3)
    assert "of 3 has mean" in first.text


def test_the_numbers_of_categories_are_not_off_scale():
    keras.utils.set_random_seed(0)
    model, x, y = city_and_income(1, numbers_first=False)
    assert told_of(model, x, y, epochs=60) == []


# Rates.


def halved(epoch, rate):
    return rate / 2


@pytest.mark.parametrize(
    ("optimizer", "callback", "name"),
    [
        (lambda: keras.optimizers.SGD(0.01), keras.callbacks.LearningRateScheduler(halved), None),
        (
            lambda: keras.optimizers.Adam(keras.optimizers.schedules.ExponentialDecay(0.001, 20, 0.5)),
            None,
            "ExponentialDecay",
        ),
    ],
)
def test_a_rate_that_fell_to_nothing_is_named_with_what_lowered_it(optimizer, callback, name):
    x, _, y, _ = digits()
    model = network(Dense(64, "relu"), Dense(10, "softmax"), optimizer=optimizer())
    (found,) = told_of(model, x, y, epochs=40, callbacks=[callback] if callback else [])
    assert (found.name, found.variant) == ("rate_too_low", "faded")
    assert found.text.startswith(f"{name or 'LearningRateScheduler'} took the learning rate from ")


def test_a_cosine_that_ends_at_0_is_no_rate_that_fell_too_soon():
    x, _, y, _ = digits()
    schedule = keras.optimizers.schedules.CosineDecay(0.01, 43 * 20)
    model = network(Dense(64, "relu"), Dense(10, "softmax"), optimizer=keras.optimizers.Adam(schedule))
    assert told_of(model, x, y, epochs=20) == []


def test_a_rate_of_hundreds_of_times_the_usual_one_is_the_cause_of_units_that_are_stuck():
    x, _, y, _ = digits()
    hidden = [Dense(64, "tanh") for _ in range(2)]
    model = network(*hidden, Dense(10, "softmax"), optimizer=keras.optimizers.RMSprop(0.3))
    first, *others = told_of(model, x, y, epochs=10)
    assert first.name == "rate_too_high"
    assert "0.3 is" in first.text
    assert "saturated_units" not in [one.name for one in others]


# Batches of one class, and an output that is silent.


class Batches(keras.utils.PyDataset):
    def __init__(self, x, y):
        super().__init__()
        self.x, self.y = x, y

    def __len__(self):
        return len(self.x) // 32

    def __getitem__(self, number):
        chosen = slice(32 * number, 32 * number + 32)
        return self.x[chosen], self.y[chosen]


def test_a_first_batch_of_one_class_is_no_proof_that_all_labels_are_alike():
    x = rows(640)
    y = (x[:, 0] > 0).astype(int)
    order = np.argsort(y, kind="stable")
    model = network(Dense(16, "relu"), Dense(1, "sigmoid"), loss="binary_crossentropy")
    (found,) = told_of(model, Batches(x[order], y[order]), epochs=20)
    assert (found.name, found.severity) == ("constant_labels", 1)
    assert "labels of the first batch are 0" in found.text
    assert "Shuffle" in found.cure


def test_an_output_of_relu_that_is_silent_is_named():
    x = np.linspace(0.1, 1, 200)[:, None]
    below = Dense(1, "relu", kernel_initializer=keras.initializers.Constant(-1.0))
    (found,) = told_of(network(below, loss="mse"), x, 2 * x[:, 0] + 1, epochs=10)
    assert (found.name, found.variant, found.layer) == ("nothing_moves", "silent_output", below.name)
    assert found.cure.startswith("Leave the activation of the last layer out")
