"""The examples run, and what they claim is so."""

from __future__ import annotations

import functools
import importlib.util
import pathlib
import re

import numpy as np
import pytest

import doltap

FOLDER = pathlib.Path(__file__).parent.parent / "examples"


def example(name):
    pytest.importorskip("sklearn")
    spec = importlib.util.spec_from_file_location(f"doltap_example_{name}", FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def neurons():
    return example("neurons")


def test_neurons_of_1943_compute_the_gates(neurons):
    a, b = neurons.PAIRS.T
    fired = neurons.gates()
    assert fired["AND"].tolist() == (a & b).tolist()
    assert fired["OR"].tolist() == (a | b).tolist()
    assert fired["NOT"].tolist() == [1, 0]


def test_four_neurons_of_1943_differ_in_their_wires_only(neurons):
    a, b = neurons.PAIRS.T
    fired = neurons.circuits()
    wanted = {"A": a, "A and B": a & b, "A or B": a | b, "A and not B": a & (1 - b)}
    assert {name: each.tolist() for name, each in fired.items()} == {
        name: each.tolist() for name, each in wanted.items()
    }
    assert neurons.exclusive_or().tolist() == (a ^ b).tolist()


def test_a_step_of_training_is_rosenblatts_rule(neurons):
    generator = np.random.default_rng(0)
    x, y = generator.integers(-4, 5, (60, 2)), generator.integers(0, 2, 60)
    model = neurons.perceptron()
    model.fit(x, y, batch_size=1, epochs=3, shuffle=False, verbose=0)
    weights, bias = np.zeros(2), 0
    for row, should in [*zip(x, y, strict=True)] * 3:
        error = should - (row @ weights + bias >= 0)
        weights, bias = weights + error * row, bias + error
    # Whole numbers are exact in any order of adding.
    assert model.get_weights()[0][:, 0].tolist() == weights.tolist()
    assert model.get_weights()[1].tolist() == [bias]


def test_the_perceptron_agrees_with_that_of_scikit_learn(neurons):
    doltap.utils.set_random_seed(0)
    ours, theirs, truth = neurons.learn_setosa()
    assert ours.tolist() == theirs.tolist() == truth.tolist()
    assert truth.sum() == 50


def test_one_neuron_never_learns_xor_and_two_layers_do(neurons):
    doltap.utils.set_random_seed(0)
    shares = neurons.learn_xor_alone()
    assert len(shares) == 200
    assert shares.max() <= 0.75
    assert neurons.learn_xor_together().tolist() == neurons.XOR.tolist()


def test_the_example_shows_what_it_found(neurons, capsys):
    neurons.main()
    said = capsys.readouterr().out
    assert "A and not B  0 0 1 0" in said
    assert "setosa: 150 of 150 flowers right, 150 as scikit-learn's Perceptron says" in said
    assert "two layers: 4 of 4 right" in said


def test_the_search_finds_a_network_that_beats_the_mean(monkeypatch, capsys):
    search = example("search")

    def nowhere(**_):
        raise OSError("no internet")

    # The bundled data, and few candidates: this is about the words, not about the houses.
    monkeypatch.setattr(search, "fetch_california_housing", nowhere)
    few = functools.partial(search.search_at_random, n_iter=3, epochs=30)
    monkeypatch.setattr(search, "search_at_random", few)
    search.main()
    said = capsys.readouterr().out
    assert said.startswith("diabetes: 248 rows of 10 numbers")
    assert "is a good one." in said
    tried = [float(error) for error in re.findall(r"mean squared error ([\d.]+)", said)]
    assert len(tried) == 3
    assert tried == sorted(tried)
    error, of_mean = map(float, re.search(r"never saw: ([\d.]+) \(always the mean: ([\d.]+)", said).groups())
    assert error < of_mean


def test_hyperband_spends_fewer_epochs_than_all_to_the_end(monkeypatch, capsys):
    hyperband = example("hyperband")
    train, test = hyperband.load()
    monkeypatch.setattr(hyperband, "load", lambda: ((train[0][:300], train[1][:300]), test))
    short = functools.partial(hyperband.search_in_brackets, max_iter=9)
    monkeypatch.setattr(hyperband, "search_in_brackets", short)
    hyperband.main()
    said = capsys.readouterr().out
    rounds = [tuple(map(int, each)) for each in re.findall(r"(\d+) candidates after +(\d+) epochs", said)]
    assert rounds[:3] == [(9, 1), (3, 3), (1, 9)]
    # Each bracket begins with fewer candidates, and more epochs, than the one before it.
    assert rounds[3][0] < 9
    assert rounds[3][1] == 3
    assert float(re.search(r"never saw: ([\d.]+)", said).group(1)) > 0.8


def test_evolution_improves_from_generation_to_generation(monkeypatch, capsys):
    evolution = example("evolution")
    train, test = evolution.load()
    monkeypatch.setattr(evolution, "load", lambda: ((train[0][:400], train[1][:400]), test))
    for name, settings in (
        ("evolve_while_training", {"n_generations": 4}),
        ("evolve_shapes", {"n_generations": 2, "epochs": 3}),
    ):
        monkeypatch.setattr(evolution, name, functools.partial(getattr(evolution, name), **settings))
    evolution.main()
    first, second = capsys.readouterr().out.split("a tournament of shapes")
    medians = [float(median) for median in re.findall(r"median ([\d.]+)", first)]
    assert len(medians) == 4
    assert medians[-1] > medians[0] + 0.1
    assert sum(map(int, re.findall(r"(\d+) epochs at rate", first))) == 4
    assert re.search(r"the best: \d hidden of \d+, (relu|tanh), rate 0\.\d+", second)


def test_an_ensemble_disagrees_most_where_there_is_no_data(monkeypatch, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    ensemble = example("ensemble")
    monkeypatch.setattr(ensemble, "train", functools.partial(ensemble.train, size=10, epochs=30))
    ensemble.main(tmp_path / "drawn.png")
    said = capsys.readouterr().out
    alone, together = map(int, re.search(r"error of one (\d+), of their mean (\d+)", said).groups())
    assert together < alone
    spreads = [int(spread) for spread in re.findall(r"give or take (\d+)", said)]
    assert len(spreads) == 4
    assert spreads[0] < spreads[2] < spreads[3]
    assert (tmp_path / "drawn.png").read_bytes().startswith(b"\x89PNG")


def test_the_report_of_the_digits_tells_what_was_learned(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("DOLTAP_LANG", "en")
    example("report").main(tmp_path / "digits.html")
    said = capsys.readouterr().out
    assert float(re.search(r"([\d.]+)% of 450 digits", said).group(1)) > 90
    page = (tmp_path / "digits.html").read_text(encoding="utf-8")
    assert "Report on digits" in page
    assert "What the units of hidden look for" in page
    assert 5 <= page.count("<figure><img ") <= 24
    assert "hidden (Dense)" in (tmp_path / "digits.svg").read_text(encoding="utf-8")


def test_the_diagnosis_explains_the_first_two_networks_and_is_content_with_the_third(capsys, monkeypatch):
    monkeypatch.setenv("DOLTAP_LANG", "en")
    diagnosis = example("diagnosis")
    # The digits are few, so that an epoch of them has few steps.
    epochs = 10 if len(diagnosis.images()[0]) > 12000 else 20
    doltap.utils.set_random_seed(0)
    histories = diagnosis.main(epochs, rows=12000)
    found = [[one.name for one in history.findings] for history in histories]
    assert found[0][0] == "vanishing_gradients"
    assert found[1] == ["rate_too_low"]
    assert found[2] == []
    said = " ".join(capsys.readouterr().out.split())
    assert "4 sigmoid layers in a row shrink it each time." in said
    assert "Rate 0.001 with plain SGD" in said
    assert re.search(r"at this speed it needs about \d+ epochs", said)
