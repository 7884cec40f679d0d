"""Many callbacks are called as one, by the engine and by loops of one's own; functions are callbacks too."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from callback_runs import HOOKS, X, Y, fit, listener, model_of, quiet_peer

import doltap
from doltap import callbacks
from doltap.callbacks import Callback, CallbackList, CSVLogger, History, LambdaCallback, ProgbarLogger
from doltap.errors import DataError, NotSupportedError, UnknownArgumentError

pytestmark = quiet_peer


# The list in public.


def loop_by_hand(library):
    """A loop of one's own, with two callbacks of which the first adds to the logs."""
    adds = library.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update(added=epoch))
    own = listener(library, [*HOOKS, "on_batch_begin", "on_batch_end"])
    told = library.callbacks.CallbackList([adds, own], add_history=True, epochs=2, steps=1, verbose=0)
    model = model_of(library)
    told.set_model(model)
    batch = {"mae": np.float32(2.0), "loss": np.array([0.5]), "inner": {"b": 1, "a": "word"}}
    told.on_train_begin()
    for epoch in range(2):
        told.on_epoch_begin(epoch)
        told.on_train_batch_begin(0)
        told.on_batch_begin(0, None)
        told.on_batch_end(0, batch)
        told.on_train_batch_end(0, dict(batch))
        told.on_test_begin()
        told.on_test_batch_begin(batch=0)
        told.on_test_batch_end(batch=0, logs=batch)
        told.on_test_end(batch)
        told.on_epoch_end(epoch=epoch, logs=batch)
    told.on_train_end(logs=batch)
    told.on_predict_begin()
    told.on_predict_batch_begin(3)
    told.on_predict_batch_end(3, {"outputs": np.ones(2)})
    told.on_predict_end()
    assert "added" not in batch
    return own, model


@pytest.mark.filterwarnings("ignore:Conversion of an array:DeprecationWarning")
def test_a_loop_of_ones_own_tells_callbacks_what_keras_tells_them(keras):
    (theirs, peer), (ours, model) = (loop_by_hand(library) for library in (keras, doltap))
    assert str(ours.heard) == str(theirs.heard)
    assert ours.model is model
    assert ours.params == theirs.params == {"epochs": 2, "steps": 1, "verbose": 0}
    assert model.history.history == peer.history.history
    assert model.history.history["added"] == [0, 1]


def test_the_list_has_the_arguments_of_keras(keras):
    theirs = list(inspect.signature(keras.callbacks.CallbackList).parameters)
    ours = list(inspect.signature(CallbackList).parameters)
    assert list(ours) == list(theirs)
    assert isinstance(CallbackList(), Callback)


def test_lists_may_lie_in_each_other():
    a, b, c = Callback(), Callback(), Callback()
    assert CallbackList([a, [b, (c,)]]).callbacks == [a, b, c]
    assert CallbackList({"first": a, "second": [b]}).callbacks == [a, b]
    assert CallbackList(CallbackList([a, CallbackList([b])])).callbacks == [a, b]
    mine = History()
    assert fit(model_of(doltap), CallbackList([mine], add_history=True)) is mine


def test_history_and_progress_are_added_once(keras):
    for library in (keras, doltap):
        kinds = library.callbacks
        both = kinds.CallbackList(None, add_history=True, add_progbar=True, verbose=0, epochs=1, steps=1)
        assert [type(each).__name__ for each in both.callbacks] == ["History", "ProgbarLogger"]
        mine = [kinds.ProgbarLogger(), kinds.History()]
        same = kinds.CallbackList(mine, add_history=True, add_progbar=True, verbose=0, epochs=1, steps=1)
        assert same.callbacks == mine


def test_a_callback_that_is_appended_is_introduced():
    own = listener(doltap, ["on_epoch_end"])
    told = CallbackList(model="a model", steps=3)
    told.append(own)
    told.on_epoch_end(4, {"loss": 1})
    assert (own.model, own.params) == ("a model", {"steps": 3})
    assert own.heard == [("on_epoch_end", 4, {"loss": 1.0})]
    told.set_model("another")
    told.set_params({"steps": 4})
    assert (own.model, own.params) == ("another", {"steps": 4})


def test_callbacks_meet_the_model_before_the_settings_as_in_keras(keras):
    for library in (keras, doltap):
        order = []

        class Notes(library.callbacks.Callback):
            def set_model(self, model, order=order):
                order.append("model")

            def set_params(self, params, order=order):
                order.append("params")

        library.callbacks.CallbackList([Notes()], model=model_of(library), steps=1)
        assert order == ["model", "params"]


def test_what_is_added_to_the_logs_of_an_epoch_is_seen_by_later_callbacks_only(keras):
    heard = []
    for library in (keras, doltap):
        before, after = (listener(library, ["on_epoch_end", "on_train_end"]) for _ in range(2))
        adds = library.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update(added=1.0))
        fit(model_of(library), [before, adds, after])
        heard.append([[list(logs) for _, _, logs in own.heard] for own in (before, after)])
    assert heard[0] == heard[1]
    assert "added" in heard[1][1][0]
    assert "added" not in heard[1][1][-1]


def test_the_engine_gets_back_the_logs_as_callbacks_left_them():
    told, logs = CallbackList([LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update(a=1))]), {"b": 2}
    assert told.call("on_epoch_end", 0, logs) == {"b": 2, "a": 1}
    assert logs == {"b": 2}


def test_a_callback_of_another_library_may_lack_hooks():
    class Duck:
        def set_model(self, model):
            self.model = model

        def set_params(self, params):
            self.params = params

        def on_epoch_end(self, epoch, logs):
            self.heard = epoch

    duck = Duck()
    fit(model_of(doltap), [duck])
    assert duck.heard == 1
    assert not CallbackList([duck]).listens_to("on_train_batch_end", "on_train_batch_begin")


# Functions.


def test_functions_hear_what_they_hear_in_keras(keras):
    heard = []
    for library in (keras, doltap):
        notes = []
        given = {
            hook: (lambda *arguments, hook=hook, notes=notes, **more: notes.append(
                (hook, arguments[0] if HOOKS[hook] else None, sorted(more.get("logs", arguments[-1])))
            ))
            for hook in HOOKS
        }  # fmt: skip
        own = library.callbacks.LambdaCallback(**given)
        model = model_of(library)
        fit(model, [own], validation_data=(X[:9], Y[:9]))
        model.predict(X[:5], verbose=0, callbacks=[own])
        heard.append(notes)
    assert heard[0] == heard[1]
    assert {hook for hook, _, _ in heard[1]} == set(HOOKS)


def test_functions_are_taken_in_the_order_of_keras(keras):
    ours, theirs = (
        list(inspect.signature(kind).parameters)[:6]
        for kind in (LambdaCallback, keras.callbacks.LambdaCallback)
    )
    assert ours == theirs


def test_a_moment_without_a_function_does_not_stop_the_engine():
    quiet = CallbackList(
        [LambdaCallback(on_epoch_end=print, on_train_batch_end=None, on_test_batch_end=None)]
    )
    assert quiet.listens_to("on_epoch_end")
    batches = [hook for hook in HOOKS if "batch" in hook]
    assert not quiet.listens_to("on_epoch_begin", *batches)
    assert CallbackList([LambdaCallback(on_batch_end=print)]).listens_to("on_train_batch_end")


def test_a_function_for_a_moment_that_is_not_there_gets_a_guess():
    with pytest.raises(UnknownArgumentError, match="Did you mean 'on_epoch_end='"):
        LambdaCallback(on_epoch_ends=print)
    with pytest.raises(DataError, match="on_epoch_end"):
        LambdaCallback(on_epoch_end=3)


# The bar.


def shown(capsys):
    return [line for line in capsys.readouterr().out.splitlines() if line.strip()]


@pytest.mark.parametrize("verbose", [0, 1, 2])
@pytest.mark.parametrize("action", ["fit", "evaluate", "predict"])
def test_a_progress_logger_of_the_users_own_shows_nothing_twice(capsys, action, verbose):
    kinds = []
    for own in ([], [ProgbarLogger()]):
        model = model_of(doltap)
        if action == "fit":
            model.fit(X, Y, epochs=2, verbose=verbose, callbacks=own, validation_split=0.2)
        elif action == "evaluate":
            model.evaluate(X, Y, verbose=verbose, callbacks=own)
        else:
            model.predict(X, verbose=verbose, callbacks=own)
        kinds.append([line.split(" ")[0] for line in shown(capsys)])
    assert kinds[0] == kinds[1]
    assert bool(kinds[1]) is (verbose > 0)


def test_a_progress_logger_does_not_take_training_apart():
    told = CallbackList([ProgbarLogger()])
    assert not told.listens_to(
        "on_train_batch_end", "on_epoch_end", "on_test_batch_end", "on_predict_batch_end"
    )


@pytest.mark.parametrize("steps", [3, None])
def test_a_progress_logger_shows_a_loop_of_ones_own(capsys, steps):
    told = CallbackList(add_progbar=True, epochs=2, steps=steps, verbose="auto")
    told.on_train_begin()
    for epoch in range(2):
        told.on_epoch_begin(epoch)
        for batch in range(3):
            told.on_train_batch_end(batch, {"loss": 0.25})
        told.on_test_begin()
        told.on_test_batch_end(0, {"loss": 9.0})
        told.on_test_end({"loss": 9.0})
        told.on_epoch_end(epoch, {"loss": 0.5, "added": 3.0})
    lines = shown(capsys)
    assert [lines[0], lines[2]] == ["Epoch 1/2", "Epoch 2/2"]
    assert len(lines) == 4
    assert all(line.startswith("3/3") and "added: 3.0000 - loss: 0.5000" in line for line in lines[1::2])


def test_a_progress_logger_shows_an_evaluation_and_a_prediction(capsys):
    told = CallbackList([ProgbarLogger()], epochs=1, steps=2, verbose=2)
    told.on_test_begin()
    told.on_test_batch_end(0, {"loss": 0.5})
    told.on_test_end({"loss": 0.5})
    told.on_predict_begin()
    told.on_predict_batch_end(0, {"outputs": X})
    told.on_predict_end()
    lines = shown(capsys)
    assert len(lines) == 2
    assert "loss: 0.5000" in lines[0]
    assert "outputs" not in lines[1]


# Names.


def test_a_callback_that_is_not_there_yet_says_so():
    with pytest.raises(NotSupportedError, match=r"RemoteMonitor: .*not there yet"):
        callbacks.RemoteMonitor()


def test_every_callback_of_keras_has_its_name_here(keras):
    theirs = {name for name in dir(keras.callbacks) if name[0].isupper()}
    assert theirs - set(callbacks.__all__) == {"OrbaxCheckpoint"}
    with pytest.raises(AttributeError, match="'OrbaxCheckpoint', which is not planned"):
        _ = callbacks.OrbaxCheckpoint


def test_every_callback_takes_the_arguments_of_keras(keras):
    for name in set(callbacks.__all__) - {"CallbackList", "Diagnose", "HParams", "LivePlot", "RemoteMonitor"}:
        ours, theirs = (
            {p.name: p.default for p in inspect.signature(getattr(kinds, name)).parameters.values()
             if p.kind is p.POSITIONAL_OR_KEYWORD}
            for kinds in (callbacks, keras.callbacks)
        )  # fmt: skip
        assert list(ours.items()) == list(theirs.items()), name


@pytest.mark.parametrize(
    ("name", "guess"), [("ModelCheckint", "ModelCheckpoint"), ("earlystopping", "EarlyStopping")]
)
def test_a_misspelt_callback_gets_a_guess(name, guess):
    with pytest.raises(AttributeError, match=rf"got '{name}'\.\n  Did you mean '{guess}'\?"):
        getattr(callbacks, name)
    assert not hasattr(callbacks, "nothing_like_it")
    assert CSVLogger is callbacks.CSVLogger


@pytest.mark.parametrize(
    ("given", "cure"),
    [
        (callbacks.TensorBoard, r"TensorBoard\(\)\."),
        (callbacks.ModelCheckpoint, r"ModelCheckpoint\(\.\.\.\)"),
        (int, "EarlyStopping"),
        ("loss", "EarlyStopping"),
    ],
)
def test_a_class_in_the_place_of_its_object_is_told_how_one_is_made(given, cure):
    with pytest.raises(NotSupportedError, match=f"for example {cure}"):
        CallbackList([given])
