"""Callbacks hear what real Keras lets them hear, and steer training as they do there."""

from __future__ import annotations

import numpy as np
import pytest
from callback_runs import HOOKS, X, Y, fit, listener, model_of, quiet_peer

import doltap
from doltap.callbacks import Callback, CallbackList, EarlyStopping, History
from doltap.errors import NotSupportedError

pytestmark = quiet_peer


# Every hook.


def assert_heard_the_same(ours, theirs):
    assert [entry[:2] for entry in ours] == [entry[:2] for entry in theirs]
    for (hook, number, mine), (_, _, peer) in zip(ours, theirs, strict=True):
        assert list(mine) == list(peer), (hook, number)
        for name, value in peer.items():
            np.testing.assert_allclose(
                mine[name], value, rtol=1e-5, atol=1e-6, err_msg=f"{hook} {number} {name}"
            )
            assert type(mine[name]) is type(value) or name == "outputs"


def everything(library, hooks, action):
    model, own = model_of(library), listener(library, hooks)
    if action == "fit":
        fit(model, [own])
    elif action == "validate":
        fit(model, [own], validation_data=(X[:21], Y[:21]), validation_batch_size=8)
    elif action == "evaluate":
        model.evaluate(X, Y, batch_size=16, verbose=0, callbacks=[own])
    else:
        model.predict(X, batch_size=16, verbose=0, callbacks=[own])
    return own


@pytest.mark.parametrize("action", ["fit", "validate", "evaluate", "predict"])
@pytest.mark.parametrize(
    "hooks",
    [
        tuple(HOOKS),
        ("on_batch_begin", "on_batch_end"),
        ("on_train_batch_end",),
        ("on_epoch_end",),
        ("on_epoch_begin", "on_train_begin"),
        ("on_test_batch_end",),
        ("on_predict_batch_begin",),
    ],
    ids=lambda hooks: hooks[0] if len(hooks) < 3 else "every hook",
)
def test_a_callback_hears_what_it_hears_in_keras(keras, hooks, action):
    ours, theirs = (everything(library, hooks, action) for library in (doltap, keras))
    assert_heard_the_same(ours.heard, theirs.heard)


@pytest.mark.parametrize("action", ["fit", "evaluate", "predict"])
def test_a_callback_knows_the_model_and_the_settings_of_the_run(keras, action):
    ours, theirs = (everything(library, ("on_epoch_end",), action) for library in (doltap, keras))
    assert isinstance(ours.model, doltap.Sequential)
    assert ours.params == theirs.params


def test_a_hook_may_be_put_on_the_object(keras):
    counts = []
    for library in (keras, doltap):
        own, seen = library.callbacks.Callback(), []
        own.on_train_batch_end = lambda batch, logs, seen=seen: seen.append(batch)
        fit(model_of(library), [own])
        counts.append(seen)
    assert counts[0] == counts[1] == [0, 1, 2, 0, 1, 2]


def test_logs_of_epochs_are_in_the_order_of_keras(keras):
    orders = []
    for library in (keras, doltap):
        model, own = model_of(library), listener(library, ["on_epoch_end"])
        zebra = library.metrics.MeanSquaredError(name="zebra")
        model.compile(optimizer="sgd", loss="mse", metrics=[zebra, "mae"])
        history = fit(model, [own], validation_split=0.5, epochs=1)
        orders.append((list(own.heard[0][2]), list(history.history)))
    assert orders[0] == orders[1]


def test_what_a_callback_adds_to_the_logs_is_in_the_history(keras):
    def own(library):
        class Rate(library.callbacks.Callback):
            def on_epoch_end(self, epoch, logs=None):
                logs["rate"] = epoch * 0.5

        return Rate()

    ours, theirs = (fit(model_of(library), [own(library)]).history for library in (doltap, keras))
    assert ours["rate"] == theirs["rate"] == [0.0, 0.5]


# Steering.


@pytest.mark.parametrize("batch_size", [16, 37])
@pytest.mark.parametrize("rule", ["SGD", "Adam"])
def test_weights_read_in_a_batch_hook_are_those_of_a_run_that_stopped_there(rule, batch_size):
    class Reader(Callback):
        def __init__(self):
            super().__init__()
            self.seen = []

        def on_train_batch_end(self, batch, logs=None):
            self.seen.append((batch, self.model.get_weights()))

    class Stopper(Callback):
        def __init__(self, after):
            super().__init__()
            self.left = after

        def on_train_batch_end(self, batch, logs=None):
            self.left -= 1
            self.model.stop_training = self.left == 0

    reader = Reader()
    fit(model_of(doltap, rule), [reader], batch_size=batch_size, epochs=3)
    for number, (_, weights) in enumerate(reader.seen, start=1):
        stopped = model_of(doltap, rule)
        fit(stopped, [Stopper(number)], batch_size=batch_size, epochs=3)
        assert int(stopped.optimizer.iterations) == number
        for seen, there in zip(weights, stopped.get_weights(), strict=True):
            assert np.array_equal(seen, there)


def test_listening_changes_no_bit_of_the_weights():
    quiet, heard = model_of(doltap), model_of(doltap)
    for model, callbacks in ((quiet, []), (heard, [listener(doltap, HOOKS)])):
        model.fit(X, Y, batch_size=16, epochs=4, verbose=0, callbacks=callbacks, shuffle=False)
    for one, other in zip(quiet.get_weights(), heard.get_weights(), strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize(
    "hook", ["on_epoch_begin", "on_train_batch_begin", "on_epoch_end", "on_train_batch_end"]
)
@pytest.mark.parametrize("setter", ["attribute", "assign"])
def test_a_rate_set_in_a_hook_takes_effect_at_once_as_in_keras(keras, hook, setter):
    def own(library):
        def change(self, number, logs=None):
            rate = 0.01 * (number + 1)
            if setter == "assign":
                self.model.optimizer.learning_rate.assign(rate)
            else:
                self.model.optimizer.learning_rate = rate

        return type("Schedule", (library.callbacks.Callback,), {hook: change})()

    weights = []
    for library in (keras, doltap):
        model = model_of(library, "Adam", learning_rate=0.5)
        fit(model, [own(library)])
        weights.append(model.get_weights())
    for ours, theirs in zip(weights[1], weights[0], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "hook", ["on_epoch_begin", "on_train_batch_begin", "on_train_batch_end", "on_epoch_end"]
)
def test_weights_set_in_a_hook_are_trained_on_as_in_keras(keras, hook):
    def own(library):
        def change(self, number, logs=None):
            if number == 1:
                self.model.set_weights([array + 1 for array in self.model.get_weights()])

        return type("Jump", (library.callbacks.Callback,), {hook: change})()

    weights = []
    for library in (keras, doltap):
        model = model_of(library)
        fit(model, [own(library)], epochs=3)
        weights.append(model.get_weights())
    for ours, theirs in zip(weights[1], weights[0], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "hook", ["on_epoch_end", "on_epoch_begin", "on_train_batch_end", "on_train_batch_begin"]
)
def test_stop_training_set_in_a_hook_stops_where_keras_stops(keras, hook):
    def own(library):
        def stop(self, number, logs=None):
            self.model.stop_training = number == 1

        return type("Stop", (library.callbacks.Callback,), {hook: stop})()

    ends = []
    for library in (keras, doltap):
        model, heard = model_of(library), listener(library, HOOKS)
        history = fit(model, [own(library), heard], epochs=5, validation_data=(X, Y))
        ends.append((heard.heard, history.epoch, model.get_weights(), int(model.optimizer.iterations)))
    theirs, ours = ends
    assert ours[1] == list(theirs[1])
    assert ours[3] == theirs[3]
    for mine, peer in zip(ours[2], theirs[2], strict=True):
        np.testing.assert_allclose(mine, peer, rtol=1e-5, atol=1e-6)
    assert_heard_the_same(ours[0], theirs[0])


def test_a_model_stopped_once_trains_again():
    model = model_of(doltap)

    class Stop(Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = True

    fit(model, [Stop()])
    assert len(fit(model, [], epochs=3).epoch) == 3


@pytest.mark.parametrize(
    "hook", ["on_train_batch_end", "on_epoch_end", "on_epoch_begin", "on_test_batch_end"]
)
def test_predict_and_evaluate_inside_a_hook_disturb_nothing(keras, hook):
    def own(library, seen):
        def ask(self, number, logs=None):
            seen.append(self.model.predict(X[:5], verbose=0))
            # Keras itself mixes an evaluation amid an epoch into its running totals.
            if library is doltap:
                self.model.evaluate(X, Y, verbose=0)

        return type("Ask", (library.callbacks.Callback,), {hook: ask})()

    runs = []
    for library in (keras, doltap):
        model, seen = model_of(library), []
        history = fit(model, [own(library, seen)], validation_data=(X[:20], Y[:20])).history
        runs.append((seen, history, model.get_weights()))
    theirs, ours = runs
    for mine, peer in zip((*ours[0], *ours[2]), (*theirs[0], *theirs[2]), strict=True):
        np.testing.assert_allclose(mine, peer, rtol=1e-4, atol=1e-5)
    assert list(ours[1]) == list(theirs[1])
    for name, values in theirs[1].items():
        np.testing.assert_allclose(ours[1][name], values, rtol=1e-5, err_msg=name)


# History and the list.


def test_history_holds_the_epochs_of_the_last_fit(keras):
    for library in (keras, doltap):
        model = model_of(library)
        history = fit(model, [], epochs=5, initial_epoch=2)
        assert list(history.epoch) == [2, 3, 4]
        assert model.history is history
        assert history.model is model
        assert {len(values) for values in history.history.values()} == {3}
        assert all(isinstance(value, float) for value in history.history["loss"])
        assert list(fit(model, [], epochs=1).epoch) == [0]


def test_a_history_given_by_the_user_is_the_one_that_comes_back(keras):
    for library in (keras, doltap):
        mine = library.callbacks.History()
        assert fit(model_of(library), [mine]) is mine
        assert len(mine.history["loss"]) == 2


def test_a_single_callback_needs_no_list():
    own = listener(doltap, ["on_epoch_end"])
    fit(model_of(doltap), own)
    assert len(own.heard) == 2


def test_callbacks_are_called_in_their_order():
    order = []
    first, second = Callback(), Callback()
    first.on_epoch_end = lambda epoch, logs: order.append("first")
    second.on_epoch_end = lambda epoch, logs: order.append("second")
    fit(model_of(doltap), [first, second], epochs=1)
    assert order == ["first", "second"]


@pytest.mark.parametrize("wrong", [EarlyStopping, "early", 3])
def test_what_is_no_callback_is_refused_with_the_cure(wrong):
    with pytest.raises(NotSupportedError, match="callbacks"):
        fit(model_of(doltap), [wrong])


def test_an_error_in_a_hook_reaches_the_user_and_leaves_finished_weights():
    class Failing(Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 1:
                raise KeyError("mine")

    model = model_of(doltap)
    with pytest.raises(KeyError, match="mine"):
        fit(model, [Failing()])
    assert int(model.optimizer.iterations) == 2
    assert all(np.isfinite(array).all() for array in model.get_weights())
    assert len(fit(model, []).epoch) == 2


def test_a_list_of_callbacks_knows_what_they_listen_to():
    both = CallbackList([listener(doltap, ["on_epoch_end"]), History()])
    assert both.listens_to("on_epoch_end")
    assert not both.listens_to("on_train_batch_end", "on_train_batch_begin")
    assert not CallbackList([History()]).listens_to("on_epoch_end")
