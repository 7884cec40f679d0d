"""Diagnose beside a training: the bits it leaves alone, what it prints, keeps and refuses."""

import json
import math
import sys
import threading
import time

import numpy as np
import pytest

import doltap as keras
from doltap import errors
from doltap.callbacks import Callback, Diagnose, EarlyStopping
from doltap.layers import BatchNormalization, Dense, Dropout
from doltap.reporting import diagnosis
from doltap.reporting.diagnosis import Finding

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(200, 6)).astype("float32")
Y = (X[:, 0] + X[:, 1] > 0).astype(int)


def network(*layers, optimizer="adam", **options):
    keras.utils.set_random_seed(7)
    hidden = layers or (Dense(8, "relu"),)
    model = keras.Sequential([keras.Input((6,)), *hidden, Dense(2, activation="softmax")])
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"], **options)
    return model


def slow():
    """A model that learns too slowly."""
    return network(optimizer=keras.optimizers.SGD(0.0005))


@pytest.fixture(autouse=True)
def english(monkeypatch):
    monkeypatch.setenv("DOLTAP_LANG", "en")


@pytest.mark.parametrize("epochs", [1, 3, 40])
def test_training_keeps_its_bits(epochs):
    found = []
    for watchers in ([], [Diagnose(verbose=0)]):
        model = network(Dense(16, "relu"), BatchNormalization(), Dropout(0.5))
        history = model.fit(X, Y, epochs=epochs, verbose=0, validation_split=0.2, callbacks=watchers)
        found.append((history.history, [each.tobytes() for each in model.get_weights()]))
        found[-1] += ([np.asarray(v.array).tobytes() for v in model.optimizer.variables],)
    assert found[0] == found[1]


def test_findings_are_kept_and_told(capsys):
    callback = Diagnose()
    history = slow().fit(X, Y, epochs=12, verbose=0, callbacks=[callback])
    told = " ".join(capsys.readouterr().out.split())
    assert [one.name for one in history.findings] == ["rate_too_low"]
    assert history.findings is callback.findings
    assert told.startswith("Diagnosis: 1 found, worst first 1. Rate 0.0005 with plain SGD: the loss still")
    assert str(callback.findings[0]) in told


def test_nothing_found_is_one_line(capsys):
    history = network().fit(X, Y, epochs=60, verbose=0, callbacks=[Diagnose()])
    assert capsys.readouterr().out == "Diagnosis: nothing found.\n"
    assert list(history.findings) == []


def test_without_a_diagnosis_there_is_no_word_of_findings():
    assert network().fit(X, Y, verbose=0).findings is None


def test_korean_is_chosen_by_argument_or_variable(capsys, monkeypatch):
    slow().fit(X, Y, epochs=12, verbose=0, callbacks=[Diagnose("ko")])
    by_argument = capsys.readouterr().out
    monkeypatch.setenv("DOLTAP_LANG", "ko")
    slow().fit(X, Y, epochs=12, verbose=0, callbacks=[Diagnose()])
    assert capsys.readouterr().out == by_argument
    assert by_argument.startswith("진단: 1가지를 찾았습니다")
    assert "모멘텀 없는 SGD에 학습률 0.0005" in by_argument


def test_signs_are_taken_first_in_the_middle_and_last():
    callback = Diagnose(verbose=0)
    network().fit(X, Y, epochs=30, verbose=0, callbacks=[callback, Listening()])
    taken = sorted(callback.signs)
    assert taken[0] == 0
    assert taken[-1] == 30
    assert 15 in taken
    assert all(len(signs) == 2 for signs in callback.signs.values())
    norms = [callback.signs[epochs][0].weight_norm for epochs in taken]
    assert len(set(norms)) == len(norms), "each was taken at a moment of its own"


class Listening(Callback):
    def on_epoch_end(self, epoch, logs=None):
        pass


def test_a_run_is_not_stopped_for_signs():
    model = network()
    listeners = keras.callbacks.CallbackList([Diagnose()], model=model)
    assert not listeners.listens_to("on_epoch_end", "on_epoch_begin", "on_train_batch_end")
    callback = Diagnose(verbose=0)
    model.fit(X[:10], Y[:10], epochs=500, verbose=0, callbacks=[callback])
    assert max(callback.signs) == 500
    assert len(callback.signs) < 20


def test_signs_take_a_small_share_of_the_time(monkeypatch):
    callback = Diagnose(verbose=0)
    began = time.perf_counter()
    network().fit(X, Y, epochs=300, verbose=0, callbacks=[callback, Listening()])
    assert callback._spent - callback._latest <= (time.perf_counter() - began) / 25


def test_a_program_that_is_at_hand_is_not_waited_for(monkeypatch):
    network().fit(X, Y, verbose=0, callbacks=[Diagnose(verbose=0)])
    monkeypatch.setattr("doltap.training.vital_signs.threading.Thread", None)
    history = network().fit(X, Y, verbose=0, callbacks=[Diagnose(verbose=0)])
    assert history.findings is not None


def test_no_thread_and_no_row_stays_behind():
    callback = Diagnose(verbose=0)
    history = network().fit(X, Y, epochs=2, verbose=0, callbacks=[callback])
    assert not [each for each in threading.enumerate() if "vital" in each.name]
    assert history.params.at_work is None
    assert callback._look is None


@pytest.mark.parametrize("more", [{}, {"validation_split": 0.25}, {"batch_size": 7}, {"shuffle": False}])
def test_fit_diagnoses_when_asked(more, capsys):
    history = slow().fit(X, Y, epochs=12, verbose=0, diagnose=True, **more)
    assert history.findings[0].name == "rate_too_low"
    assert "Rate 0.0005" in capsys.readouterr().out
    assert "학습률 0.0005" in str(slow().fit(X, Y, epochs=12, verbose=0, diagnose="ko").findings[0])


def test_batches_that_come_one_by_one_are_diagnosed_by_the_first():
    def batches():
        while True:
            for start in range(0, 200, 50):
                yield X[start : start + 50], Y[start : start + 50]

    callback = Diagnose(verbose=0)
    model = network(optimizer=keras.optimizers.SGD(1e-4))
    model.fit(batches(), steps_per_epoch=4, epochs=12, verbose=0, callbacks=[callback])
    assert [one.name for one in callback.findings] == ["rate_too_low"]
    assert max(callback.signs) == 12


def test_a_run_that_stops_early_is_judged_by_what_it_was():
    callback = Diagnose(verbose=0)
    stopping = EarlyStopping(monitor="loss", patience=1, min_delta=10.0)
    history = slow().fit(X, Y, epochs=50, verbose=0, callbacks=[stopping, callback])
    assert max(callback.signs) == len(history.epoch) == 2


def test_keeping_the_best_weights_is_no_overfitting():
    random = np.random.default_rng(3)
    x = random.normal(size=(160, 20))
    y = (x[:, :3].sum(1) + random.normal(size=160) > 0).astype(int)
    found = []
    for more in ([], [EarlyStopping(patience=100, restore_best_weights=True)]):
        keras.utils.set_random_seed(0)
        model = keras.Sequential([keras.Input((20,)), Dense(64, "relu"), Dense(1, activation="sigmoid")])
        model.compile(keras.optimizers.Adam(0.003), "binary_crossentropy")
        callbacks = [Diagnose(verbose=0), *more]
        history = model.fit(x, y, epochs=80, verbose=0, validation_split=0.5, callbacks=callbacks)
        found.append([one.name for one in history.findings])
    assert found == [["overfitting"], []]


def test_a_second_fit_is_judged_by_itself():
    callback, model = Diagnose(verbose=0), slow()
    model.fit(X, Y, epochs=12, verbose=0, callbacks=[callback])
    assert callback.findings
    model.optimizer.learning_rate = 0.1
    model.fit(X, Y, epochs=60, verbose=0, callbacks=[callback])
    assert list(callback.findings) == []
    assert max(callback.signs) == 60


def test_a_loss_that_is_no_number_is_the_worst_of_all(capsys):
    model = network(Dense(8, "relu"), optimizer=keras.optimizers.SGD(1e30))
    with pytest.warns(UserWarning, match="not a finite number"):
        history = model.fit(X * 10, Y, epochs=3, verbose=0, diagnose=True)
    assert history.findings[0].name == "not_finite"
    assert "not a finite number since epoch 1" in " ".join(capsys.readouterr().out.split())


def test_no_epoch_needs_no_diagnosis(capsys):
    history = network().fit(X, Y, epochs=0, verbose=0, diagnose=True)
    assert history.findings == ()
    assert capsys.readouterr().out == ""


class Stopping(Callback):
    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def on_epoch_end(self, epoch, logs=None):
        if epoch == self.epoch:
            raise KeyboardInterrupt


@pytest.mark.parametrize(("epoch", "told"), [(20, "Diagnosis: 1 found"), (0, "")])
def test_a_run_that_is_stopped_by_hand_is_judged_by_what_it_was(epoch, told, capsys):
    model = slow()
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y, epochs=50, verbose=0, diagnose=True, callbacks=[Stopping(epoch)])
    assert [one.name for one in model.history.findings] == ["rate_too_low"] * bool(told)
    assert capsys.readouterr().out.startswith(told)
    assert model.fit(X, Y, epochs=1, verbose=0).findings is None


@pytest.mark.parametrize("own", [[Diagnose()], [[Diagnose()]], {"mine": Diagnose("ko")}, Diagnose()])
def test_findings_are_told_once_where_two_were_asked_for(own, capsys):
    slow().fit(X, Y, epochs=12, verbose=0, callbacks=own, diagnose=True)
    told = capsys.readouterr().out
    assert told.count("Diagnosis:") + told.count("진단:") == 1


def test_a_silent_one_keeps_the_other_from_nothing(capsys):
    slow().fit(X, Y, epochs=12, verbose=0, callbacks=[Diagnose(verbose=0)], diagnose=True)
    assert capsys.readouterr().out.count("Diagnosis:") == 1


def test_an_object_is_not_what_diagnose_takes():
    with pytest.raises(errors.DataError, match=r"got a Diagnose\.\n.*callbacks=\[Diagnose\(\)\]"):
        slow().fit(X, Y, verbose=0, diagnose=Diagnose())


def test_what_cannot_be_measured_stops_no_training(monkeypatch):
    class Stubborn(keras.Model):
        def __init__(self):
            super().__init__()
            self.out, self.calls = Dense(2, activation="softmax"), 0

        def call(self, x, training=None):
            return self.out(x)

    model = Stubborn()
    model.compile("sgd", "sparse_categorical_crossentropy")

    def refuse(*arguments):
        raise RuntimeError("no signs today")

    monkeypatch.setattr("doltap.training.vital_signs.Examination._taken", refuse)
    with pytest.warns(UserWarning, match="vital signs could not be taken: no signs today"):
        history = model.fit(X, Y, epochs=2, verbose=0, callbacks=[Diagnose(verbose=0)])
    assert len(history.epoch) == 2


def test_a_resumed_run_is_diagnosed(tmp_path):
    for epochs in (4, 12):
        history = slow().fit(X, Y, epochs=epochs, verbose=0, resume=tmp_path / "run", diagnose=True)
    assert history.findings[0].name == "rate_too_low"
    assert len(history.history["loss"]) == 12


def test_members_of_a_population_are_diagnosed_each_for_itself():
    population = keras.models.Population(lambda: network(), 2)
    histories = population.fit(X, Y, epochs=3, verbose=0, callbacks=[Diagnose(verbose=0)])
    assert [list(history.findings) for history in histories] == [[], []]


def test_where_no_training_is_lent_the_curves_are_judged(capsys):
    model = network()
    model.history = keras.callbacks.History()
    callback = Diagnose()
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, loss in enumerate([1.0, 0.5, float("nan")]):
        callback.on_epoch_end(epoch, {"loss": loss})
        model.history.on_epoch_end(epoch, {"loss": loss})
    callback.on_train_end()
    assert [one.name for one in callback.findings] == ["not_finite"]
    assert "since epoch 3" in capsys.readouterr().out


def test_findings_are_frozen_and_say_themselves():
    finding = Finding("a", 3, None, "It is wrong.", "Mend it.", {"share": 0.5})
    assert str(finding) == "It is wrong. Mend it."
    with pytest.raises(AttributeError):
        finding.text = "other"
    assert json.dumps(finding.evidence)


@pytest.mark.parametrize("language", ["en", "ko"])
def test_no_line_of_what_is_printed_ends_in_blanks(language, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    slow().fit(X, Y, epochs=12, verbose=0, diagnose=language)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 3
    assert all(line == line.rstrip() and len(line) <= 60 for line in lines)
    assert all(line.startswith("  ") for line in lines[1:])


def test_a_long_sentence_is_told_whole(capsys):
    diagnosis.telling.show([Finding("a", 3, None, "word " * 60, "[red]cure[/red] \x1b[31m", {})], "en")
    told = capsys.readouterr().out
    assert told.count("word") == 60
    assert "[red]cure[/red]" in told
    assert "\x1b" not in told


def test_an_optimizer_of_optax_keeps_its_rate_to_itself():
    optax = pytest.importorskip("optax")
    history = network(optimizer=optax.sgd(1e-6)).fit(
        X, Y, epochs=12, verbose=0, callbacks=[Diagnose(verbose=0)]
    )
    assert [one.name for one in history.findings] == ["rate_too_low"]
    assert math.isnan(history.findings[0].evidence["rate"])


def test_a_step_of_ones_own_with_penalties_is_measured():
    class Own(keras.Model):
        def train_step(self, state, data):
            return super().train_step(state, data)

    inputs = keras.Input((6,))
    model = Own(inputs, Dense(2, activation="softmax", kernel_regularizer="l2")(inputs))
    model.compile("sgd", "sparse_categorical_crossentropy")
    callback = Diagnose(verbose=0)
    model.fit(X, Y, epochs=2, verbose=0, callbacks=[callback])
    assert callback.signs[2][0].gradient_norm > 0


# What is refused before any work.


@pytest.mark.parametrize("make", [lambda: Diagnose("klingon"), lambda: slow().fit(X, Y, diagnose="klingon")])
def test_an_unknown_language_is_refused(make):
    with pytest.raises(errors.UnknownNameError, match="language"):
        make()


def test_an_unknown_language_in_the_environment_is_refused_before_training(monkeypatch):
    monkeypatch.setenv("DOLTAP_LANG", "xx")
    with pytest.raises(errors.UnknownNameError, match="DOLTAP_LANG"):
        Diagnose()


def test_unknown_arguments_get_the_nearest(capsys):
    with pytest.raises(errors.UnknownArgumentError, match="language="):
        Diagnose(langage="ko")
    with pytest.raises(errors.UnknownArgumentError, match="diagnose="):
        slow().fit(X, Y, diagnos=True)


@pytest.mark.parametrize("plot", [3, 2.5, ["curves.png"]])
def test_a_plot_is_true_or_a_path(plot):
    with pytest.raises(errors.DataError, match="plot: expected True or a path"):
        slow().fit(X, Y, plot=plot)


def test_a_plot_without_matplotlib_is_refused_before_training(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    model = slow()
    before = model.get_weights()
    with pytest.raises(errors.MissingPackageError, match=r'pip install "doltap\[plot\]"'):
        model.fit(X, Y, plot=True)
    assert all((one == other).all() for one, other in zip(before, model.get_weights(), strict=True))


def test_fit_draws_where_it_is_told(tmp_path, capsys):
    pytest.importorskip("matplotlib").use("agg")
    network().fit(X, Y, epochs=2, verbose=0, plot=tmp_path / "curves.png")
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
