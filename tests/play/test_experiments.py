"""An experiment trains the real engine, and its printed program does the same."""

from __future__ import annotations

import ast
import base64
import json
import re
import subprocess
import sys
import warnings

import numpy as np
import pytest

import doltap as keras
from doltap import config
from doltap.play import programs, settings, tables
from doltap.play.experiment import GRID, Experiment
from doltap.play.points import FEATURES
from doltap.play.refusals import RefusedError
from doltap.play.toys import TOYS

FLOWERS = b"sepal,petal,kind\n" + b"".join(
    f"{4 + k + 0.1 * (k * 7 % 5 + i % 4)},{1 + k * 0.5 + 0.05 * i},{name}\n".encode()
    for i in range(8)
    for k, name in enumerate(["setosa", 'the "other"', "붓꽃"])
)


def experiment(table=None, **asked):
    setup = settings.checked({"count": 40, "layers": [4], **asked}, table)
    return Experiment(setup, settings.points_of(setup, table), table)


def printed(text, capsys):
    """What the program prints of the training and the test points, run by doltap."""
    places = {}
    exec(compile(text.replace("import keras\n", "import doltap as keras\n"), "program", "exec"), places)
    lines = capsys.readouterr().out.splitlines()
    results = [line.partition(": ")[2] for line in lines if line.startswith(("train:", "test:"))]
    return [ast.literal_eval(each) for each in results]


def results_of(trial):
    losses = trial.losses()
    names = [name for name in ("loss", "accuracy") if name in losses]
    rows = [[losses[name][i] for name in names] for i in range(2)]
    return [row if len(row) > 1 else row[0] for row in rows]


@pytest.mark.parametrize(
    "asked",
    [
        {"data": "circles"},
        {"data": "moons", "optimizer": "momentum", "batch_size": 7, "layers": [3, 2, 2]},
        {"data": "spiral", "features": list(FEATURES), "optimizer": "rmsprop", "activation": "relu"},
        {"data": "checker", "layers": [], "features": ["xy"], "optimizer": "sgd"},
        {"data": "plane", "l2": 0.01, "dropout": 0.2, "optimizer": "adagrad", "batch_size": 1},
    ],
    ids=lambda asked: asked["data"],
)
@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_printed_program_comes_to_the_same_losses_to_the_bit(asked, language, capsys):
    trial = experiment(seed=3, **asked)
    for epochs in (1, 1, 5):
        trial.advance(epochs)
    assert printed(programs.program(trial, language), capsys) == results_of(trial)


def test_the_printed_program_repeats_changes_of_the_learning_rate(capsys):
    trial = experiment()
    trial.advance(3)
    trial.set_rate(0.1)
    trial.advance(2)
    trial.advance(2)
    assert trial.stages == [(3, 0.01), (4, 0.1)]
    assert printed(programs.program(trial, "en"), capsys) == results_of(trial)


@pytest.mark.parametrize("is_value", [False, True], ids=["classes", "values"])
def test_the_printed_program_reads_the_table(tmp_path, is_value, capsys):
    path = tmp_path / "flowers'.csv"
    path.write_bytes(FLOWERS)
    table = tables.read_file(path)
    choice = {"x": 0, "y": 1, "label": 1 if is_value else 2, "is_value": is_value}
    trial = experiment(table, data="table", choice=choice)
    trial.advance(4)
    assert len(trial.points.names) == (0 if is_value else 3)
    assert printed(programs.program(trial, "en"), capsys) == results_of(trial)


def test_the_printed_program_runs_as_it_is(tmp_path):
    trial = experiment()
    trial.advance(2)
    path = tmp_path / "program.py"
    path.write_text(programs.program(trial, "ko"), encoding="utf-8")
    command = [sys.executable, "-m", "doltap", "run", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert f"train: {results_of(trial)[0]}" in done.stdout.splitlines()


def test_the_printed_program_runs_under_keras_too(keras, capsys):
    trial = experiment(dropout=0.1, l2=0.001, optimizer="momentum")
    trial.advance(2)
    text = programs.program(trial, "en")
    exec(compile(text, "program", "exec"), {})
    said = re.search(r"^train: \[([\d.]+), [\d.]+\]$", capsys.readouterr().out, re.M)
    # The network begins otherwise there.
    assert 0 < float(said[1]) < 2


def test_a_program_without_an_epoch_yet_trains_some():
    assert "epochs=100" in programs.program(experiment(), "en")


def test_an_experiment_leaves_the_seed_of_the_process_alone():
    keras.utils.set_random_seed(5)
    config.next_count()
    before = config.global_seed(), config.counts()
    experiment(seed=9)
    assert (config.global_seed(), config.counts()) == before


def test_a_frame_holds_a_picture_of_every_neuron():
    trial = experiment(layers=[3, 5], features=["x", "y", "xy"])
    trial.advance(2)
    frame = json.loads(json.dumps(trial.frame(), allow_nan=False))
    assert frame["epoch"] == 2
    assert [len(layer) for layer in frame["neurons"]] == [3, 5]
    assert all(len(base64.b64decode(each)) == GRID**2 for layer in frame["neurons"] for each in layer)
    assert [np.shape(each) for each in frame["weights"]] == [(3, 3), (3, 5), (5, 1)]
    assert len(base64.b64decode(frame["picture"]["sure"])) == GRID**2
    assert len(frame["loss"]) == len(frame["accuracy"]) == 2


def test_vital_signs_show_gradients_that_vanish_between_sigmoid_layers():
    signs = experiment(layers=[4, 4, 4], activation="sigmoid").frame()["signs"]
    gradients = [each["gradient"] for each in signs]
    assert gradients[0] < gradients[1] < gradients[2]
    assert [each["activation"] for each in signs] == ["sigmoid"] * 4
    # At the answer the ends of the range are no fault.
    assert [each["saturated"] is None for each in signs] == [False, False, False, True]


def test_vital_signs_show_neurons_that_are_dead():
    trial = experiment(layers=[4], activation="relu")
    kernel, bias = trial.model.layers[0].get_weights()
    trial.model.layers[0].set_weights([kernel * [0, 1, 1, 1], bias - [1, 0, 0, 0]])
    assert trial.frame()["signs"][0]["dead"] >= 0.25
    assert trial.frame(has_signs=False)["signs"] == []


def test_the_picture_stands_the_right_way_up():
    trial = experiment(data="plane", layers=[], rate=0.1)
    trial.advance(60)
    values = np.frombuffer(base64.b64decode(trial.frame()["picture"]["values"]), np.uint8)
    values = values.reshape(GRID, GRID).astype(int)
    # Values rise to the right and to the top.
    assert values[0, -1] > 190
    assert values[-1, 0] < 66


@pytest.mark.parametrize("toy", ["circles", "moons", "spiral", "checker"])
def test_every_toy_can_be_learned(toy):
    features = ["x", "y", "sin x", "sin y"]
    trial = experiment(data=toy, layers=[8, 8], count=200, noise=0.05, rate=0.03, features=features)
    trial.advance(300)
    assert trial.losses()["accuracy"][0] > 0.95


@pytest.mark.parametrize("toy", TOYS)
def test_a_toy_is_the_same_each_time(toy):
    setup = settings.checked({"data": toy, "seed": 8}, None)
    one, two = (settings.points_of(setup, None) for _ in range(2))
    np.testing.assert_array_equal(one.places, two.places)
    assert len(one.train) == 140
    assert len(one.test) == 60
    assert not set(one.train) & set(one.test)


@pytest.mark.parametrize("name", FEATURES)
def test_a_feature_is_computed_as_it_is_written(name):
    points = np.random.default_rng(0).normal(size=(5, 2))
    written = eval(FEATURES[name].text, {"np": np, "points": points})
    np.testing.assert_array_equal(written, FEATURES[name].compute(points))


def test_what_the_engine_warns_of_stands_on_the_page(monkeypatch):
    trial = experiment()
    fit = trial.model.fit

    def warn(*arguments, callbacks, **keywords):
        history = fit(*arguments, callbacks=callbacks, **keywords)
        warnings.warn("since epoch 3", stacklevel=1)
        callbacks[0].has_halted = True
        return history

    monkeypatch.setattr(trial.model, "fit", warn)
    trial.advance(3)
    assert trial.frame()["cause"] == "since epoch 3"


def test_training_ends_where_the_loss_is_no_number_any_more():
    trial = experiment(data="plane", optimizer="sgd", rate=10, activation="linear", layers=[8, 8, 8])
    trial.advance(50)
    assert trial.has_diverged
    assert "not a finite number since epoch 1" in trial.cause
    assert "dense" not in trial.cause
    frame = json.loads(json.dumps(trial.frame(), allow_nan=False))
    assert frame["has_diverged"]
    assert frame["loss"][0] is None
    epochs = trial.epochs
    trial.advance(5)
    assert trial.epochs == epochs


@pytest.mark.parametrize(
    "asked",
    [
        {"rate": float("nan")},
        {"rate": 0},
        {"rate": "1"},
        {"rate": True},
        {"layers": [9]},
        {"layers": [1.5]},
        {"layers": [1] * 7},
        {"layers": 3},
        {"activation": "__import__"},
        {"activation": ["tanh"]},
        {"optimizer": "lion"},
        {"features": []},
        {"data": "table"},
        {"data": "/etc/passwd"},
        {"count": 10**9},
        {"noise": -1},
        {"seed": 1.5},
        {"colour": 1},
        [],
    ],
    ids=str,
)
def test_a_setting_outside_its_list_or_range_is_refused(asked):
    with pytest.raises(RefusedError) as refused:
        settings.checked(asked, None)
    assert refused.value.told("en") != refused.value.told("ko")


@pytest.mark.parametrize("choice", [None, {"x": 0}, {"x": 0, "y": 1, "label": 9, "is_value": False}])
def test_columns_that_are_not_there_are_refused(choice):
    table = tables.read(FLOWERS, "flowers.csv")
    with pytest.raises(RefusedError):
        settings.checked({"data": "table", "choice": choice}, table)
