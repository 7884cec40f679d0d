"""An experiment trains the real engine, and its printed program does the same."""

from __future__ import annotations

import ast
import base64
import json
import re
import subprocess
import sys

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


def test_the_printed_program_reads_decimal_commas_and_other_encodings(tmp_path, capsys):
    path = tmp_path / "Blumen.csv"
    rows = "".join(f"1.{100 + i},{i};{i * 3 % 7},5;{'süß' if i % 2 else 'herb'}\r\n" for i in range(12))
    path.write_bytes(("Länge;Höhe;Art\r\n" + rows).encode("utf-16"))
    table = tables.read_file(path)
    choice = {**table.describe()["choice"], "label": 1, "is_value": True}
    trial = experiment(table, data="table", choice=choice)
    trial.advance(2)
    text = programs.program(trial, "en")
    assert """return float(cell.replace('.', '').replace(',', '.'))""" in text
    assert printed(text, capsys) == results_of(trial)


def test_the_printed_program_runs_as_it_is(tmp_path):
    trial = experiment()
    trial.advance(2)
    path = tmp_path / "program.py"
    path.write_text(programs.program(trial, "ko"), encoding="utf-8")
    command = [sys.executable, "-m", "doltap", "run", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=180)
    assert f"train: {results_of(trial)[0]}" in done.stdout.splitlines()


@pytest.mark.parametrize(
    ("data", "optimizer"),
    list(zip([*TOYS, "table", "table of values"], [*settings.OPTIMIZERS, "adam", "sgd"], strict=True)),
)
def test_the_printed_program_trains_the_same_network_under_keras(keras, data, optimizer, tmp_path, capsys):
    (tmp_path / "flowers.csv").write_bytes(FLOWERS)
    table = tables.read_file(tmp_path / "flowers.csv")
    is_value = data == "table of values"
    choice = {"x": 0, "y": 1, "label": 1 if is_value else 2, "is_value": is_value}
    # All rows in one batch, as Keras has another order of them.
    asked = {"batch_size": 1000, "layers": [3, 2], "optimizer": optimizer, "l2": 0.01}
    asked |= {"data": data} if data in TOYS else {"data": "table", "choice": choice}
    trial = experiment(table, **asked)
    begun = trial.model.get_weights()
    trial.advance(10)
    trial.set_rate(0.03)
    trial.advance(5)
    # Other weights to begin with is all that differs.
    text = programs.program(trial, "en").replace("model.summary()", "model.set_weights(begun)")
    ran = {"begun": begun}
    exec(compile(text, "program", "exec"), ran)
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith(("train:", "test:"))]
    results = [ast.literal_eval(line.partition(": ")[2]) for line in lines]
    np.testing.assert_allclose(results, results_of(trial), rtol=1e-4, atol=1e-6)
    assert isinstance(ran["model"], keras.Model)
    layers = [(layer.units, layer.activation.__name__) for layer in ran["model"].layers]
    assert layers == [(layer.units, layer.activation.__name__) for layer in trial.model.layers]


def test_the_printed_program_with_dropout_learns_under_keras_too(keras, capsys):
    trial = experiment(dropout=0.1, layers=[8], features=["x²", "y²"])
    trial.advance(200)
    exec(compile(programs.program(trial, "en"), "program", "exec"), {})
    said = re.search(r"^train: \[([\d.]+), [\d.]+\]$", capsys.readouterr().out, re.M)
    # The network begins otherwise there.
    assert float(said[1]) < 0.2


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


def test_the_diagnosis_names_what_is_wrong_in_both_languages():
    trial = experiment(layers=[8] * 5, activation="sigmoid", count=200)
    trial.advance(19)
    assert trial.frame()["findings"] is None
    trial.advance(1)
    worst = trial.frame()["findings"][0]
    assert (worst["name"], worst["severity"]) == ("vanishing_gradients", 3)
    assert "reaches 'layer 1' is 1/" in worst["en"]
    assert "Use relu" in worst["en"]
    assert "'1' 층에 닿는 기울기" in worst["ko"]


def test_a_network_that_learns_well_has_no_findings():
    trial = experiment(count=200, layers=[6, 4])
    trial.advance(100)
    assert trial.frame()["findings"] == []


def test_the_diagnosis_of_many_small_portions_is_that_of_one_training():
    asked = {"rate": 1e-4, "count": 100, "data": "moons"}
    one, two = experiment(**asked), experiment(**asked)
    one.advance(40)
    for _ in range(20):
        two.advance(2)
        two.frame()
    findings = one.frame()["findings"]
    assert [each["name"] for each in findings] == ["rate_too_low"]
    two._watch.judge()
    assert two.frame()["findings"] == findings


def test_the_diagnosis_begins_again_with_another_learning_rate():
    trial = experiment(rate=1e-4, count=100, data="moons")
    trial.advance(30)
    assert trial.frame()["findings"] != []
    trial.set_rate(0.03)
    assert trial.frame()["findings"] is None
    trial.advance(60)
    assert trial.frame()["findings"] == []


def test_the_curves_of_a_page_that_is_left_open_do_not_grow_for_ever(monkeypatch):
    monkeypatch.setattr("doltap.play.findings._MOST_EPOCHS", 30)
    trial = experiment(count=20, layers=[1])
    for _ in range(5):
        trial.advance(20)
        trial.frame()
    assert {len(curve) for curve in trial._watch._curves.values()} == {30}
    assert list(trial._watch._signs) == [0, 80, 100]
    assert trial._watch._when["loss"][-1] == 99


def test_training_ends_where_the_loss_is_no_number_any_more():
    trial = experiment(data="plane", optimizer="sgd", rate=10, activation="linear", layers=[8, 8, 8])
    trial.advance(50)
    assert trial.has_diverged
    frame = json.loads(json.dumps(trial.frame(), allow_nan=False))
    assert frame["has_diverged"]
    assert frame["loss"][0] is None
    (finding,) = frame["findings"]
    assert "not a finite number since epoch 1" in finding["en"]
    assert "moved the weights of 'layer " in finding["en"]
    assert "at a learning rate of 10." in finding["en"]
    assert re.search(r"1번째 에포크부터 .* 학습률 10에서 .* '\d' 층의", finding["ko"])
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
