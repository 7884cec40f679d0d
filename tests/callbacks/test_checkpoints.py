"""The model is written when real Keras writes it, under the names that Keras gives."""

from __future__ import annotations

import contextlib
import io
import os
import warnings

import numpy as np
import pytest
from callback_runs import Stub, X, Y, fit, model_of, quiet_peer
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import doltap
from doltap.callbacks import BackupAndRestore, Callback, EarlyStopping, ModelCheckpoint
from doltap.errors import (
    DataError,
    ModelFileError,
    NotSupportedError,
    UnknownArgumentError,
    UnknownNameError,
)

pytestmark = quiet_peer


class Saves(Stub):
    """A model that notes how it is saved."""

    def __init__(self):
        super().__init__()
        self.saved = []

    def save(self, path, overwrite):
        self.saved.append(("model", path, overwrite))

    def save_weights(self, path, overwrite):
        self.saved.append(("weights", path, overwrite))


# ModelCheckpoint, driven by hand.


def story(callback, values, num_batches):
    """How a model is saved in a run whose logs hold these values, and how often one was warned."""
    model = Saves()
    callback.set_model(model)
    callback.set_params({"epochs": len(values)})
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        callback.on_train_begin({})
        for epoch, value in enumerate(values):
            callback.on_epoch_begin(epoch, {})
            for batch in range(num_batches):
                callback.on_train_batch_begin(batch, {})
                callback.on_train_batch_end(batch, {"loss": 0.5} if value is None else {"val_loss": value})
            logs = {"loss": 0.25 + epoch}
            callback.on_epoch_end(epoch, logs if value is None else {"val_loss": value, **logs})
        callback.on_train_end({})
    return model.saved, len(said), callback.best


# Multiples of an eighth are exact in Keras's float32 as well as in ours.
eighths = st.integers(-8, 8).map(lambda number: number / 8)
arguments = st.fixed_dictionaries(
    {
        "monitor": st.sampled_from(["val_loss", "loss"]),
        "verbose": st.sampled_from([0, 1]),
        "save_best_only": st.booleans(),
        "save_weights_only": st.booleans(),
        "mode": st.sampled_from(["auto", "min", "max"]),
        "save_freq": st.just("epoch") | st.integers(1, 7),
        "initial_value_threshold": st.none() | st.integers(-4, 4).map(lambda number: number / 4),
    }
)
NAMES = ["best", "{epoch:02d}", "{epoch}-{loss:.3f}", "a folder/{epoch:03d}"]


@given(
    arguments=arguments,
    name=st.sampled_from(NAMES),
    values=st.lists(st.none() | eighths | st.just(float("nan")), max_size=6),
    num_batches=st.integers(0, 5),
)
@settings(max_examples=150, deadline=None)
def test_a_model_is_saved_when_and_where_keras_saves_it(
    keras, tmp_path_factory, arguments, name, values, num_batches
):
    folder = tmp_path_factory.mktemp("saved")
    path = folder / (name + (".weights.h5" if arguments["save_weights_only"] else ".keras"))
    stories = []
    for library in (keras, doltap):
        callback, said = library.callbacks.ModelCheckpoint(path, **arguments), io.StringIO()
        try:
            with contextlib.redirect_stdout(said):
                stories.append((*story(callback, values, num_batches), said.getvalue().count("Epoch ")))
        except (KeyError, UnknownNameError):  # "loss" is not in the logs of every batch.
            stories.append("an unknown name")
        except TypeError:
            # Keras does not know which way is better before the first epoch has ended.
            assert library is keras
            assert arguments["save_best_only"]
            assert arguments["save_freq"] != "epoch"
            assume(False)
    assert stories[0] == stories[1]


def test_a_model_is_saved_in_every_nth_epoch():
    saved, *_ = story(ModelCheckpoint("{epoch}.h5", period=3), [0.0] * 8, 2)
    assert [path for _, path, _ in saved] == ["3.h5", "6.h5"]


def test_the_names_of_files_know_the_batch():
    saved, *_ = story(ModelCheckpoint("{epoch}-{batch:03d}.h5", save_freq=3), [0.0] * 2, 4)
    assert [path for _, path, _ in saved] == ["1-003.h5", "2-002.h5"]


@pytest.mark.parametrize("suffix", ["", ".ckpt", ".h5", ".hdf5", ".keras", ".weights.h5", ".tf", ".model"])
@pytest.mark.parametrize("save_weights_only", [False, True])
def test_every_suffix_of_ten_years_is_accepted(suffix, save_weights_only, tmp_path):
    path = os.fspath(tmp_path / f"model{suffix}")
    saved, *_ = story(ModelCheckpoint(path, save_weights_only=save_weights_only), [0.5], 1)
    assert saved == [("weights" if save_weights_only else "model", path, True)]


def test_it_is_said_what_is_saved(capsys):
    callback = ModelCheckpoint("m.keras", verbose=1, save_best_only=True)
    story(callback, [0.5, 0.75, 0.25], 0)
    assert capsys.readouterr().out.strip().split("\n\n") == [
        "Epoch 1: val_loss improved from None to 0.50000, saving to m.keras",
        "Epoch 1: saved to m.keras",
        "Epoch 2: val_loss did not improve from 0.50000",
        "Epoch 3: val_loss improved from 0.50000 to 0.25000, saving to m.keras",
        "Epoch 3: saved to m.keras",
    ]


def test_several_numbers_have_no_best():
    callback = ModelCheckpoint("m.keras", save_best_only=True)
    saved, num_warnings, best = story(callback, [np.zeros(2), np.ones(2)], 0)
    assert (len(saved), num_warnings, best) == (2, 2, None)


def test_a_folder_in_the_files_place_is_said(tmp_path):
    with pytest.raises(ModelFileError, match="expected the path of a file, got the folder"):
        story(ModelCheckpoint(tmp_path), [0.5], 0)
    model = model_of(doltap)
    with pytest.raises(ModelFileError, match="expected the path of a file, got the folder"):
        fit(model, [ModelCheckpoint(tmp_path)])
    assert int(model.optimizer.iterations) == 0


def test_a_file_in_the_place_of_a_backups_folder_is_said_before_training(tmp_path):
    (tmp_path / "a").write_text("a file")
    model = model_of(doltap)
    with pytest.raises(ModelFileError, match="a file"):
        fit(model, [BackupAndRestore(tmp_path / "a")])
    assert int(model.optimizer.iterations) == 0


@pytest.mark.parametrize(
    ("filepath", "error", "match"),
    [
        ("{epoch}-{val_los:.2f}.h5", UnknownNameError, "Did you mean 'val_loss'"),
        ("{epoch:q}.h5", DataError, "expected names in braces"),
        ("{}.h5", DataError, "expected names in braces"),
        ("{epoch.h5", DataError, "expected names in braces"),
        ("{epoch.nothing}.h5", DataError, "expected names in braces"),
    ],
)
def test_a_name_that_cannot_be_filled_in_is_said(filepath, error, match):
    with pytest.raises(error, match=match):
        story(ModelCheckpoint(filepath), [0.5], 0)


@pytest.mark.parametrize(
    ("wrong", "error", "match"),
    [
        ({"save_freq": "epochs"}, DataError, r"save_freq\): expected 'epoch' or a number"),
        ({"save_freq": 0}, DataError, "save_freq"),
        ({"save_freq": True}, DataError, "save_freq"),
        ({"period": 0}, DataError, "period"),
        ({"mode": "least"}, NotSupportedError, "mode"),
        ({"save_best": True}, UnknownArgumentError, "Did you mean 'save_best_only='"),
        ({"load_weights_on_restart": True}, NotSupportedError, "resume='folder'"),
    ],
)
def test_model_checkpoint_refuses_what_it_does_not_know(wrong, error, match):
    with pytest.raises(error, match=match):
        ModelCheckpoint("m.h5", **wrong)


def test_words_of_keras_2_are_accepted():
    ModelCheckpoint("m.ckpt", options=None, load_weights_on_restart=False)


# In fit.


@pytest.fixture
def saved(monkeypatch):
    """What was saved, by which model in which epoch."""
    noted = []

    def save(self, path, overwrite=True):
        noted.append((os.path.basename(path), int(self.optimizer.iterations)))

    monkeypatch.setattr(doltap.Model, "save", save)
    return noted


def test_a_fit_saves_after_its_epochs_without_stopping_at_batches(saved, monkeypatch):
    lengths = []
    advance = doltap.training.loop.Training.advance
    monkeypatch.setattr(
        doltap.training.loop.Training,
        "advance",
        lambda self, start, stop: (lengths.append(stop - start), advance(self, start, stop))[1],
    )
    fit(model_of(doltap), [ModelCheckpoint("{epoch}.keras", monitor="loss", save_best_only=True)], epochs=3)
    assert saved == [("1.keras", 3), ("2.keras", 6), ("3.keras", 9)]
    assert lengths == [3, 3, 3]


def test_a_fit_saves_after_so_many_batches(saved):
    fit(model_of(doltap), [ModelCheckpoint("{epoch}-{batch}.keras", save_freq=2)], epochs=2)
    assert saved == [("1-2.keras", 2), ("2-1.keras", 4), ("2-3.keras", 6)]


def test_a_class_of_ones_own_hears_its_batches(saved):
    heard = []

    class Own(ModelCheckpoint):
        def on_train_batch_end(self, batch, logs=None):
            heard.append(batch)
            super().on_train_batch_end(batch, logs)

    fit(model_of(doltap), [Own("{epoch}.keras")], epochs=1)
    fit(model_of(doltap), [Own("{epoch}-{batch}.keras", save_freq=3)], epochs=1)
    assert heard == [0, 1, 2, 0, 1, 2]
    assert saved == [("1.keras", 3), ("1-3.keras", 3)]


# BackupAndRestore.


class Raises(Callback):
    """Interrupts where an epoch begins, or after some batch."""

    def __init__(self, epoch=None, step=None):
        super().__init__()
        self.epoch, self.step = epoch, step

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epoch:
            raise RuntimeError("interrupted")

    def on_train_batch_end(self, batch, logs=None):
        if self.step == int(self.model.optimizer.iterations):
            raise RuntimeError("interrupted")


def test_training_goes_on_where_keras_lets_it_go_on(keras, tmp_path):
    ends = []
    for library in (keras, doltap):
        folder = tmp_path / library.__name__
        raises = type("Raises", (library.callbacks.Callback,), dict(vars(Raises)))
        raises.__init__ = lambda self: setattr(self, "epoch", 4)
        raises.step = None
        backup = library.callbacks.BackupAndRestore(os.fspath(folder))
        with pytest.raises(RuntimeError, match="interrupted"):
            fit(model_of(library), [backup, raises()], epochs=10)
        assert folder.exists()
        model = model_of(library)
        history = fit(model, [library.callbacks.BackupAndRestore(os.fspath(folder))], epochs=10)
        assert not folder.exists()
        ends.append((history.epoch, len(history.history["loss"]), model.get_weights()))
    assert ends[0][:2] == ends[1][:2] == ([4, 5, 6, 7, 8, 9], 6)
    for ours, theirs in zip(ends[1][2], ends[0][2], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)


def weights_after(callbacks=(), **keywords):
    model = model_of(doltap, "Adam")
    fit(model, list(callbacks), **{"epochs": 6, **keywords})
    return b"".join(each.numpy().tobytes() for each in [*model.weights, *model.optimizer.variables])


@pytest.mark.parametrize("step", [2, 8, 10])
@pytest.mark.parametrize("double", [False, True])
def test_a_backup_after_so_many_batches_goes_on_within_the_epoch(step, double, tmp_path):
    settings = {"save_freq": 2, "double_checkpoint": double}
    with pytest.raises(RuntimeError, match="interrupted"):
        weights_after([BackupAndRestore(tmp_path / "run", **settings), Raises(step=step)])
    # The state of the step in which it was interrupted was not written yet.
    names = sorted(file.name for file in (tmp_path / "run").iterdir())
    assert len(names) == min(2 if double else 1, 1 + (step - 1) // 2)
    goes_on = []
    first = doltap.callbacks.LambdaCallback(
        on_train_batch_begin=lambda batch, logs: goes_on.append(batch), on_epoch_end=lambda epoch, logs: None
    )
    assert weights_after([BackupAndRestore(tmp_path / "run", **settings), first]) == weights_after()
    assert goes_on[0] == (step - 1) // 2 * 2 % 3
    assert not (tmp_path / "run").exists()


def test_a_backup_may_stay_and_other_files_do(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    whole = weights_after([BackupAndRestore(tmp_path, delete_checkpoint=False)])
    assert len(list(tmp_path.iterdir())) == 2
    # Nothing is left to be trained, and the folder is emptied of what is ours.
    assert weights_after([BackupAndRestore(tmp_path)]) == whole == weights_after()
    assert [file.name for file in tmp_path.iterdir()] == ["notes.txt"]


def test_the_callbacks_of_an_interrupted_training_go_on_too(tmp_path):
    def stopper():
        return EarlyStopping("loss", patience=3, min_delta=10.0)

    whole = stopper()
    weights_after([whole])
    with pytest.raises(RuntimeError):
        weights_after([BackupAndRestore(tmp_path / "run"), stopper(), Raises(epoch=2)])
    again = stopper()
    weights_after([BackupAndRestore(tmp_path / "run"), again])
    assert again.stopped_epoch == whole.stopped_epoch == 3


@pytest.mark.filterwarnings("ignore:The data was used up:UserWarning")
@pytest.mark.parametrize("given", ["generator", "iterable"])
def test_a_backup_bears_data_that_cannot_be_had_again(given, tmp_path):
    class Table:
        def __iter__(self):
            return iter([(X[:16], Y[:16]), (X[16:32], Y[16:32])])

    def run(callbacks):
        data = Table() if given == "iterable" else ((X[:16], Y[:16]) for _ in range(100))
        steps = None if given == "iterable" else 2
        model = model_of(doltap, "Adam")
        model.fit(data, epochs=4, steps_per_epoch=steps, verbose=0, callbacks=callbacks)
        return [each.tobytes() for each in model.get_weights()]

    for freq, step in (("epoch", 5), (1, 6)):
        backup = BackupAndRestore(tmp_path / "run", freq)
        with pytest.raises(RuntimeError, match="interrupted"):
            run([backup, Raises(step=step)])
        assert run([backup]) == run([])


def test_a_backup_of_another_model_is_refused(tmp_path):
    with pytest.raises(RuntimeError):
        weights_after([BackupAndRestore(tmp_path), Raises(epoch=2)])
    model = doltap.Sequential([doltap.layers.Dense(2), doltap.layers.Dense(1)])
    model.compile("adam", "mse")
    with pytest.raises(ModelFileError, match=r"weights, array 1 of 4: expected shape \(4, 2\)"):
        fit(model, [BackupAndRestore(tmp_path)])


def test_one_way_of_going_on_is_enough(tmp_path):
    backup = BackupAndRestore(tmp_path / "a")
    with pytest.raises(DataError, match="got 2 of BackupAndRestore"):
        fit(model_of(doltap), [backup, BackupAndRestore(tmp_path / "b")])
    with pytest.raises(DataError, match="got resume= and BackupAndRestore"):
        fit(model_of(doltap), [backup], resume=tmp_path / "b")


@pytest.mark.parametrize(
    ("wrong", "error", "match"),
    [
        ({"backup_dir": ""}, DataError, "path of a folder"),
        ({"backup_dir": None}, DataError, "path of a folder"),
        ({"save_freq": False}, DataError, "save_freq"),
        ({"save_feq": 3}, UnknownArgumentError, "Did you mean 'save_freq='"),
    ],
)
def test_backup_and_restore_refuses_what_it_does_not_know(wrong, error, match):
    with pytest.raises(error, match=match):
        BackupAndRestore(**{"backup_dir": "run", **wrong})


# What callbacks keep.


def made():
    return [
        EarlyStopping(),
        ModelCheckpoint("m.h5"),
        BackupAndRestore("run"),
        doltap.callbacks.ReduceLROnPlateau(),
        doltap.callbacks.LearningRateScheduler(lambda epoch: 0.1),
        doltap.callbacks.TerminateOnNaN(),
        doltap.callbacks.History(),
        doltap.callbacks.LambdaCallback(),
        doltap.callbacks.ProgbarLogger(),
        doltap.callbacks.SwapEMAWeights(),
    ]


@pytest.mark.parametrize("place", range(10))
def test_a_state_goes_from_one_callback_to_another(place):
    one, other = made()[place], made()[place]
    state = one.get_state()
    other.set_state(state)
    assert other.get_state() == state


@pytest.mark.parametrize("place", range(9))
@pytest.mark.parametrize("strange", [None, 3, {"wait": 1, "more": 2}])
def test_a_state_of_something_else_is_refused(place, strange):
    with pytest.raises(ModelFileError, match="the state of"):
        made()[place].set_state(strange)


def test_a_state_of_the_wrong_type_is_refused():
    stopper = EarlyStopping()
    for name, wrong in (("wait", "2"), ("best", "low"), ("best_weights", 3), ("best", np.zeros(2))):
        with pytest.raises((ModelFileError, DataError)):
            stopper.set_state(stopper.get_state() | {name: wrong})
    history = doltap.callbacks.History()
    with pytest.raises(ModelFileError, match="History"):
        history.set_state({"history": {"loss": 3.0}, "epoch": []})


def test_best_weights_of_another_model_are_refused():
    stopper, model = EarlyStopping("loss", restore_best_weights=True), model_of(doltap)
    fit(model, [stopper])
    state = stopper.get_state()
    with contextlib.suppress(ModelFileError):
        stopper.set_state(state)
        state["best_weights"] = state["best_weights"][:1]
        stopper.set_state(state)
        pytest.fail("half of the weights were taken")


# Real files.


@pytest.mark.parametrize("suffix", ["", ".ckpt", ".h5", ".hdf5", ".keras", ".model"])
def test_a_model_of_every_suffix_is_loaded_again(suffix, tmp_path):
    path, model = tmp_path / f"model{suffix}", model_of(doltap)
    fit(model, [ModelCheckpoint(path)])
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    again = doltap.models.load_model(path)
    assert np.array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))
    assert int(again.optimizer.iterations) == 6


@pytest.mark.parametrize("suffix", ["", ".ckpt", ".h5", ".hdf5", ".weights.h5"])
def test_weights_of_every_suffix_are_loaded_again(suffix, tmp_path):
    path, model = tmp_path / "a folder" / f"{{epoch:02d}}{suffix}", model_of(doltap)
    fit(model, [ModelCheckpoint(path, save_weights_only=True)])
    again = model_of(doltap)
    again.load_weights(tmp_path / "a folder" / f"02{suffix}")
    assert np.array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))


def test_keras_loads_what_was_saved(keras, tmp_path):
    model = model_of(doltap)
    fit(
        model,
        [ModelCheckpoint(tmp_path / "best.keras", "val_mae", save_best_only=True)],
        validation_split=0.5,
    )
    theirs = keras.models.load_model(tmp_path / "best.keras")
    np.testing.assert_allclose(theirs(X), model.predict(X, verbose=0), rtol=1e-5)
