"""The examples run, and what they claim is so."""

from __future__ import annotations

import importlib.util
import pathlib

import numpy as np
import pytest

import doltap

FILE = pathlib.Path(__file__).parent.parent / "examples" / "neurons.py"


@pytest.fixture(scope="module")
def neurons():
    pytest.importorskip("sklearn")
    spec = importlib.util.spec_from_file_location("doltap_example_neurons", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


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
