"""Rates change at the moments and by the amounts of real Keras."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
from callback_runs import Stub, fit, model_of, quiet_peer
from hypothesis import given, settings
from hypothesis import strategies as st

import doltap
from doltap.callbacks import LearningRateScheduler, ReduceLROnPlateau
from doltap.errors import DataError, NotSupportedError, UnknownArgumentError

pytestmark = quiet_peer


def assert_the_same_run(ours, theirs):
    """Two (history, weights) are equal: names and their order, values, weights."""
    assert list(ours[0]) == list(theirs[0])
    for name, values in theirs[0].items():
        np.testing.assert_allclose(ours[0][name], values, rtol=1e-4, atol=1e-6, err_msg=name)
    for mine, peer in zip(ours[1], theirs[1], strict=True):
        np.testing.assert_allclose(mine, peer, rtol=1e-4, atol=1e-6)


def run(library, make, **keywords):
    model = model_of(library)
    history = fit(model, [make(library.callbacks)], **keywords).history
    return history, model.get_weights()


# LearningRateScheduler.

SCHEDULES = {
    "of the epoch": lambda epoch: 0.05 / (epoch + 1),
    "of epoch and rate": lambda epoch, rate: rate * 0.5 if epoch else rate,
    "with a default": lambda epoch, rate=0.1: rate * 0.9,
    "of any arguments": lambda *given: 0.01 * len(given),
    "with numbers of NumPy": lambda epoch: np.float32(0.01),
}


@pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
def test_a_schedule_sets_the_rates_of_keras(keras, capsys, schedule):
    runs = []
    for library in (keras, doltap):
        runs.append(run(library, lambda kinds: kinds.LearningRateScheduler(schedule, verbose=1), epochs=3))
        said = [line for line in capsys.readouterr().out.splitlines() if line]
        runs[-1] += (said,)
    theirs, ours = runs
    assert_the_same_run(ours, theirs)
    assert ours[2] == theirs[2]
    assert len(ours[2]) == len(ours[0]["learning_rate"]) == 3


def test_the_first_epoch_of_a_schedule_is_where_fit_begins():
    epochs = []
    schedule = lambda epoch: epochs.append(epoch) or 0.1  # noqa: E731
    fit(model_of(doltap), [LearningRateScheduler(schedule)], initial_epoch=2, epochs=4)
    assert epochs == [2, 3]


def test_a_schedule_may_return_a_number_of_the_device():
    model = model_of(doltap)
    fit(model, [LearningRateScheduler(lambda epoch, rate: rate * jnp.exp(-1.0))], epochs=1)
    assert float(model.optimizer.learning_rate) == pytest.approx(0.05 * np.exp(-1), rel=1e-6)


@pytest.mark.parametrize("wrong", [None, 1, "0.1", True, [0.1], np.ones(2, np.float32)])
def test_a_schedule_that_returns_no_float_is_refused(keras, wrong):
    for library in (keras, doltap):
        model, schedule = Stub(), library.callbacks.LearningRateScheduler(lambda epoch: wrong)
        schedule.set_model(model)
        with pytest.raises(ValueError, match=r"should be a float|a float for epoch 4"):
            schedule.on_epoch_begin(4)
    assert float(model.optimizer.learning_rate) == np.float32(0.1)


def test_an_error_of_the_schedule_itself_reaches_the_user():
    with pytest.raises(TypeError, match="NoneType"):
        fit(model_of(doltap), [LearningRateScheduler(lambda epoch, rate: rate * None)])


def test_a_schedule_has_to_be_a_function():
    with pytest.raises(DataError, match="schedule"):
        LearningRateScheduler(0.1)


# ReduceLROnPlateau.


class PeerStub(Stub):
    """The rate as Keras keeps it: 32 bits."""

    class Optimizer:
        def __init__(self, rate):
            self.learning_rate = rate

        def __setattr__(self, name, value):
            vars(self)[name] = np.float32(value)

    def __init__(self, rate):
        self.optimizer = self.Optimizer(rate)


def story(callback, model, values):
    """The rates in the logs of a run with these values, and what the callback counted."""
    callback.set_model(model)
    callback.on_train_begin({})
    rates = []
    for epoch, value in enumerate(values):
        logs = {"other": 1.0, callback.monitor: value}
        callback.on_epoch_end(epoch, logs)
        rates.append((logs["learning_rate"], callback.wait, callback.cooldown_counter))
    return rates, float(model.optimizer.learning_rate)


eighths = st.integers(-8, 8).map(lambda number: number / 8) | st.just(float("nan"))
arguments = st.fixed_dictionaries(
    {
        "monitor": st.sampled_from(["val_loss", "loss", "val_accuracy"]),
        "factor": st.sampled_from([0.1, 0.5, 0.3]),
        "patience": st.integers(0, 3),
        "mode": st.sampled_from(["min", "max"]),
        "min_delta": st.sampled_from([0, 1e-4, 0.125, -0.25]),
        "cooldown": st.integers(0, 3),
        "min_lr": st.sampled_from([0, 0.01, 0.05]),
    }
)


@given(arguments=arguments, values=st.lists(eighths, max_size=12))
@settings(max_examples=150, deadline=None)
def test_a_plateau_lowers_the_rate_as_in_keras(keras, arguments, values):
    theirs = story(keras.callbacks.ReduceLROnPlateau(**arguments), PeerStub(0.1), values)
    assert story(ReduceLROnPlateau(**arguments), Stub(0.1), values) == theirs


def test_a_plateau_in_a_real_fit_lowers_the_rate_where_keras_does(keras, capsys):
    def make(kinds):
        return kinds.ReduceLROnPlateau(patience=1, factor=0.5, min_delta=2.0, verbose=1)

    runs = []
    for library in (keras, doltap):
        runs.append(run(library, make, epochs=6, validation_split=0.3))
        runs[-1] += ([line for line in capsys.readouterr().out.splitlines() if line],)
    theirs, ours = runs
    assert_the_same_run(ours, theirs)
    assert ours[2] == theirs[2]
    assert len(ours[2]) >= 2
    assert "ReduceLROnPlateau reducing learning rate to" in ours[2][0]


def test_a_plateau_asks_the_metric_which_way_is_better():
    model = model_of(doltap)
    plateau = ReduceLROnPlateau("mae", patience=1)
    fit(model, [plateau])
    assert plateau.monitor_op is np.less


def test_a_plateau_warns_of_a_monitor_that_is_not_measured_and_still_notes_the_rate():
    with pytest.warns(UserWarning, match="'val_loss', which is not among the logs: loss, mae, learning_rate"):
        history = fit(model_of(doltap), [ReduceLROnPlateau()])
    assert history.history["learning_rate"] == [np.float32(0.05)] * 2


@pytest.mark.parametrize("wrong", [{"factor": 1.0}, {"factor": 2}, {"min_lr": None}, {"cooldown": "2"}])
def test_a_plateau_refuses_what_makes_no_sense(wrong):
    with pytest.raises(DataError, match=next(iter(wrong))):
        ReduceLROnPlateau(**wrong)


def test_a_plateau_refuses_a_mode_that_it_does_not_know():
    with pytest.raises(NotSupportedError, match="mode"):
        ReduceLROnPlateau(mode="least")


@pytest.mark.parametrize(
    ("make", "guess"),
    [
        (lambda: ReduceLROnPlateau(min_rl=0.1), "min_lr="),
        (lambda: LearningRateScheduler(schedule=abs, verbos=1), "verbose="),
    ],
)
def test_a_misspelt_argument_gets_a_guess(make, guess):
    with pytest.raises(UnknownArgumentError, match=f"Did you mean '{guess}'"):
        make()
