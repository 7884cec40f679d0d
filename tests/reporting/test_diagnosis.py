"""Every finding has a network that provokes it, and healthy networks of many kinds draw none."""

import dataclasses
import math
import pathlib
import re
import string

import numpy as np
import pytest

pytest.importorskip("sklearn")

from healthy_networks import HEALTHY
from sick_networks import SICK

import doltap as keras
from doltap.reporting.diagnosis import LayerSigns, Output, Record, Settings, judging, measures
from doltap.reporting.diagnosis.judging import findings
from doltap.reporting.diagnosis.sentences import SENTENCES


def diagnosed(make, monkeypatch):
    """The findings in English and in Korean."""
    kept = []
    monkeypatch.setattr(
        "doltap.reporting.diagnosis.judging.findings", lambda *parts: kept.append(parts[0]) or []
    )
    keras.utils.set_random_seed(0)
    model, arguments = make()
    model.fit(**arguments, verbose=0, callbacks=[keras.callbacks.Diagnose("en", verbose=0)])
    return findings(kept[0], "en"), findings(kept[0], "ko")


@pytest.mark.filterwarnings("ignore:The loss is not a finite number:UserWarning")
@pytest.mark.filterwarnings("ignore:softmax over axis:UserWarning")
@pytest.mark.parametrize("name", SICK)
def test_a_sick_network_draws_its_finding(name, monkeypatch):
    wanted, make = SICK[name]
    english, korean = diagnosed(make, monkeypatch)
    found = {one.name: one for one in english}
    assert wanted in found, [str(one) for one in english]
    assert found[wanted].severity == max(one.severity for one in english)
    assert [one.severity for one in english] == sorted((one.severity for one in english), reverse=True)
    for one, other in zip(english, korean, strict=True):
        assert (one.name, one.severity, one.layer, repr(one.evidence)) == (
            other.name,
            other.severity,
            other.layer,
            repr(other.evidence),
        )
        assert "{" not in one.text + other.text
        assert "nan" not in (one.text + one.cure + other.text + other.cure).split()
        assert any("가" <= letter <= "힣" for letter in other.text)
        assert one.layer is None or f"'{one.layer}'" in one.text or one.name == "unscaled_inputs"


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_network_draws_none(name, monkeypatch):
    english, _ = diagnosed(HEALTHY[name], monkeypatch)
    assert [str(one) for one in english] == []


def test_there_are_twenty_healthy_networks_and_a_sick_one_for_every_finding():
    assert len(HEALTHY) >= 20
    assert {name for name, _ in SICK.values()} == {key.partition(".")[0] for key in SENTENCES}
    assert len({key.partition(".")[0] for key in SENTENCES}) == len(judging.CHECKS) >= 14


@pytest.mark.parametrize("key", SENTENCES)
def test_both_languages_tell_the_same_evidence(key):
    def fields(language):
        return {name for text in SENTENCES[key][language] for _, name, _, _ in string.Formatter().parse(text)}

    assert fields("en") == fields("ko")


@pytest.mark.parametrize("page", ["diagnosis.md", "diagnosis.ko.md"])
def test_the_page_has_a_row_for_every_finding_and_every_sign(page):
    text = (pathlib.Path(__file__).parents[2] / "docs" / page).read_text(encoding="utf-8")
    named = set(re.findall(r"^\| `(\w+)`", text, re.M))
    assert {key.partition(".")[0] for key in SENTENCES} <= named
    fields = {field.name for field in dataclasses.fields(LayerSigns)}
    listed = set(re.findall(r"`(\w+)`", text))
    assert fields - {"name", "kind", "activation", "position", "output"} <= listed


def record(loss=(1.0, 0.5), **more):
    curves = {"loss": list(loss), **more.pop("curves", {})}
    return Record(curves, {name: list(range(len(values))) for name, values in curves.items()}, **more)


def test_the_sentence_of_vanishing_gradients_has_its_numbers():
    signs = [
        LayerSigns(f"dense_{number}", "Dense", "sigmoid", number, gradient_reaching=reach, gradient_norm=1.0)
        for number, reach in enumerate([1.0, 10.0, 400.0, 40000.0])
    ]
    signs.append(LayerSigns("dense_4", "Dense", "softmax", 4, 0, gradient_reaching=5e4, gradient_norm=1.0))
    found = findings(record([2.3, 2.3, 2.3], signs={0: signs}))
    assert [str(one) for one in found] == [
        "The gradient that reaches 'dense_0' is 1/40,000 of the one at 'dense_3'; 4 sigmoid layers in a row "
        "shrink it each time. Use relu in the hidden layers (he_normal), or BatchNormalization."
    ]


def test_an_empty_record_draws_nothing():
    assert findings(record([])) == []
    assert findings(Record({}, {})) == []
    assert findings(record([1.0])) == []


# What the checks measure by.


def output(y, loss="MeanSquaredError", labels="numbers", answers=None, **more):
    y = np.asarray(y)
    answers = np.zeros((len(y), 1)) if answers is None else np.asarray(answers)
    return Output(loss, labels, False, None, y, None, y, answers, **more)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (output([1.0, 3.0]), 1.0),
        (output([1.0, 2.0, 6.0], "MeanAbsoluteError"), 5 / 3),
        (output([0, 1], "SparseCategoricalCrossentropy", "class numbers", np.zeros((2, 2))), math.log(2)),
        (output([[1, 0], [0, 1]], "CategoricalCrossentropy", "one-hot", np.zeros((2, 2))), math.log(2)),
        (output([0, 1, 1, 1], "BinaryCrossentropy", "probabilities"), 0.5623351),
    ],
)
def test_the_loss_of_the_best_constant_answer(given, expected):
    assert measures.constant_loss(given) == pytest.approx(expected)


def test_the_constant_answer_of_a_loss_that_is_not_known_is_not_known():
    assert math.isnan(measures.constant_loss(output([1.0], "Tversky", "unknown")))
    assert math.isnan(measures.explained(record(losses={1: [1.0]}, outputs=[output([1.0], "Tversky")])))


def test_an_exponential_is_halved_at_its_own_pace():
    loss = 0.99 ** np.arange(40)
    pace = measures.pace_of(loss)
    assert pace.is_steady
    assert pace.epochs_to_halve == pytest.approx(40 + math.log(2) / -math.log(0.99), rel=1e-6)


def test_a_power_of_the_epochs_is_halved_ever_later():
    loss = np.arange(1, 41) ** -0.5
    assert measures.pace_of(loss).epochs_to_halve == pytest.approx(160, rel=1e-6)


@pytest.mark.parametrize("loss", [[1.0, 2.0, 3.0, 4.0], [1.0], [], [1.0, math.nan, 1.0], [0.0, 0.0, 0.0]])
def test_a_loss_that_does_not_fall_has_no_pace(loss):
    assert not measures.pace_of(np.array(loss)).is_steady


def test_neighbours_see_what_lies_together():
    generator = np.random.default_rng(0)
    classes = np.repeat([0, 1], 50)
    x = generator.normal(size=(100, 2)) + 10 * classes[:, None]
    given = output(classes, "SparseCategoricalCrossentropy", "class numbers", np.zeros((100, 2)))
    assert measures.neighbours_score(record(asked=[x]), given) == 1
    mixed = output(generator.permutation(classes), given.loss, given.labels, np.zeros((100, 2)))
    assert measures.neighbours_score(record(asked=[x]), mixed) < 0.7


def test_weights_of_rows_leave_the_shares_unknown():
    given = record(losses={1: [0.1]}, outputs=[output([1.0, 3.0])], settings=Settings(is_weighted=True))
    assert math.isnan(measures.explained(given))


def told_of(model, x, y, epochs):
    history = model.fit(x, y, epochs=epochs, verbose=0, callbacks=[keras.callbacks.Diagnose("en", verbose=0)])
    return history.findings


def signs_of_two(activation="sigmoid", outputs=1, loss="binary_crossentropy"):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.layers.Dense(8, "relu"), keras.layers.Dense(outputs, activation)])
    model.compile("adam", loss)
    x = np.random.default_rng(0).uniform(-1, 1, (500, 4)).astype("float32")
    return model, x, (x[:, 0] * x[:, 1] > 0).astype(int)


@pytest.mark.parametrize("epochs", [5, 10, 20])
def test_a_network_that_is_still_learning_is_not_too_simple(epochs):
    assert "underfitting" not in [one.name for one in told_of(*signs_of_two(), epochs)]


def test_an_autoencoder_is_not_measured_by_its_neighbours():
    _, x, _ = signs_of_two()
    model = keras.Sequential([keras.layers.Dense(2), keras.layers.Dense(4)])
    model.compile(keras.optimizers.Adam(0.01), "mse")
    assert told_of(model, x, x, 100) == []


def test_a_loss_that_measures_no_distance_is_not_held_against_the_variance():
    model, x, _ = signs_of_two(None, 2, "cosine_similarity")
    assert told_of(model, x, np.exp(x[:, :2]), 40) == []


def test_a_single_row_tells_nothing_of_units_and_labels():
    model, x, y = signs_of_two()
    assert told_of(model, x[:1], y[:1], 5) == []


def test_a_finding_names_the_output_it_is_about():
    _, x, y = signs_of_two()
    inputs = keras.Input((4,))
    hidden = keras.layers.Dense(8, "relu")(inputs)
    ends = {name: keras.layers.Dense(1, "sigmoid", name=name)(hidden) for name in ("right", "same")}
    model = keras.Model(inputs, ends)
    model.compile("adam", "binary_crossentropy")
    first, *_ = told_of(model, x, {"right": y, "same": np.zeros(500, int)}, 20)
    assert (first.name, first.layer) == ("constant_labels", "same")
    assert first.text.startswith("Output 'same': All 500 labels are 0")


def test_a_gradient_that_has_vanished_altogether_is_still_a_share():
    signs = [
        LayerSigns(f"dense_{number}", "Dense", "sigmoid", number, gradient_reaching=reach, gradient_norm=1.0)
        for number, reach in enumerate([0.0, 1.0, 1.0])
    ]
    found = [one for one in findings(record([2.3] * 4, signs={0: signs})) if "vanish" in one.name]
    assert "1/1,000,000,000" in found[0].text
