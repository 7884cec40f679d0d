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
from sick_networks import SICK, digits, tables

import doltap as keras
from doltap.reporting.diagnosis import LayerSigns, Output, Record, Settings, judging, measures, words
from doltap.reporting.diagnosis.finding import Found
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


@pytest.mark.parametrize("key", SENTENCES)
def test_a_korean_particle_behind_a_number_has_both_forms(key):
    text = " ".join(SENTENCES[key]["ko"])
    one_form = r":(number|value|count)\}(은|는|이|가|을|를|로|라|과|와|였)[ 가-힣](?!\()"
    assert not re.search(one_form, text)


def test_what_a_person_reads_in_korean_suits_the_numbers():
    values = {"class": 0.0, "share": 1.0, "true": 0.5}
    found = words.in_words(Found("constant_answers", 3, None, values), "ko")
    assert "클래스 0이라고 답합니다" in found.text
    assert (
        "클래스 2라고"
        in words.retold(dataclasses.replace(found, evidence=values | {"class": 2.0}), "ko").text
    )


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


@pytest.mark.parametrize(("slow_epochs", "end", "severity"), [(8, 2.3, 3), (4, 0.1, 1), (1, 0.1, None)])
def test_a_network_that_learns_all_the_same_is_told_that_it_was_slow(slow_epochs, end, severity):
    classes = np.arange(100) % 10
    given = output(classes, "SparseCategoricalCrossentropy", "class numbers", np.eye(10)[classes])
    signs = [
        LayerSigns(f"dense_{number}", "Dense", "sigmoid", number, gradient_reaching=reach, gradient_norm=1.0)
        for number, reach in enumerate([1.0, 20.0, 400.0, 400.0])
    ]
    loss = [2.3] * slow_epochs + [1.0] * (19 - slow_epochs) + [end]
    found = findings(record(loss, signs={0: signs}, losses={0: [2.3], 20: [end]}, outputs=[given]))
    assert [one.severity for one in found if one.name == "vanishing_gradients"] == [severity] * bool(severity)


def test_gradients_that_vanished_and_came_back_are_worth_knowing():
    x, _, y, _ = digits()
    keras.utils.set_random_seed(0)
    hidden = [keras.layers.Dense(64, "sigmoid") for _ in range(6)]
    model = keras.Sequential([*hidden, keras.layers.Dense(10, "softmax")])
    model.compile(keras.optimizers.Adam(0.0005), "sparse_categorical_crossentropy")
    (found,) = told_of(model, x, y, 80)
    assert (found.name, found.severity) == ("vanishing_gradients", 1)


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


def told_of(model, x, y, epochs, **options):
    watcher = keras.callbacks.Diagnose("en", verbose=0)
    history = model.fit(x, y, epochs=epochs, verbose=0, callbacks=[watcher], **options)
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


@pytest.mark.parametrize("clip", [{"clipnorm": 1e-4}, {"global_clipnorm": 1e-4}, {"clipvalue": 1e-5}])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_clipping_that_leaves_hardly_a_step_is_named(clip, momentum):
    x, _, y, _ = digits()
    model, *_ = signs_of_two("softmax", 10, "sparse_categorical_crossentropy")
    sgd = keras.optimizers.SGD(0.01, momentum=momentum, **clip)
    model.compile(sgd, "sparse_categorical_crossentropy")
    (found,) = told_of(model, x, y, 6)
    assert (found.name, found.variant) == ("rate_too_low", "clipped")
    assert found.text.startswith(f"{next(iter(clip))}=")


def test_clipping_that_cuts_nothing_is_not_named():
    x, _, y, _ = digits()
    model, *_ = signs_of_two("softmax", 10, "sparse_categorical_crossentropy")
    model.compile(keras.optimizers.SGD(1e-4, clipnorm=1.0), "sparse_categorical_crossentropy")
    (found,) = told_of(model, x, y, 6)
    assert (found.name, found.variant) == ("rate_too_low", "plain_sgd")


# Losses below 0, and labels of which the inputs tell little.


def course(loss, held_out, y=(0, 1), **more):
    """Findings on a run with these losses."""
    answers = np.resize([0.4, 0.4, 0.6, 0.6], (100, 1))
    given = output(np.resize(y, 100), "BinaryCrossentropy", "probabilities", answers)
    given = dataclasses.replace(given, held_out=given.y)
    ends = {0: [loss[0]], len(loss): [loss[-1]]}
    return findings(record(loss, curves={"val_loss": held_out}, outputs=[given], losses=ends, **more))


def signed(held_out):
    """Findings on a loss that falls below 0 and of which nothing else is known."""
    loss = [1.0, -0.5, -1.0, *np.linspace(-1.2, -1.4, len(held_out) - 3)]
    return findings(record(loss, curves={"val_loss": held_out}))


def test_a_loss_below_0_that_wavers_is_not_overfitting():
    assert signed([1.0, -0.5, -1.0, -1.3, -1.25, -1.27, -1.24, -1.26, -1.25]) == []


def test_a_loss_below_0_that_rises_again_is_overfitting():
    (found,) = signed([1.0, -0.5, -1.0, -1.3, -1.0, -0.8, -0.5, -0.4, -0.15])
    assert (found.name, found.variant) == ("overfitting", "signed")
    assert "has lost 50% of what it had come down by" in found.text


def test_a_loss_below_0_that_falls_has_not_diverged():
    assert findings(record([-0.9, -0.95, -1.0])) == []


def test_a_validation_loss_below_that_of_one_answer_is_not_nothing():
    falling = np.linspace(0.69, 0.02, 12)
    names = [one.name for one in course(falling, [0.69, 0.689, 0.7, 0.8, *np.linspace(1, 2, 8)])]
    assert names == ["overfitting"]
    names = [one.name for one in course(falling, [0.694, 0.695, 0.7, 0.8, *np.linspace(1, 2, 8)])]
    assert names == ["learns_nothing"]


@pytest.mark.parametrize(("best", "severity", "variant"), [(0.66, 1, "weak"), (0.692, 2, "")])
def test_a_weak_signal_that_holds_for_other_rows_is_worth_knowing(best, severity, variant):
    (found,) = course([0.68, *[0.66] * 11], [best] * 12)
    assert (found.name, found.severity, found.variant) == ("plateau", severity, variant)


# Inputs off scale, and rows that are unlike the others.


def told_of_wine(x, y, epochs, **options):
    model, *_ = signs_of_two("softmax", 3, "sparse_categorical_crossentropy")
    model.optimizer.learning_rate = 0.01
    return told_of(model, x, y, epochs, **options)


@pytest.mark.parametrize(("epochs", "severity"), [(10, 3), (40, 2)])
def test_inputs_off_scale_are_as_bad_as_what_is_left_of_the_harm(epochs, severity):
    wine = tables.load_wine()
    (found,) = told_of_wine(wine.data, wine.target, epochs)
    assert (found.name, found.severity) == ("unscaled_inputs", severity)
    assert "It began with a loss of " in found.text


def test_inputs_off_scale_that_do_no_harm_any_more_are_not_told():
    wine = tables.load_wine()
    assert not told_of_wine(wine.data, wine.target, 150)


def test_columns_are_called_by_their_names():
    pandas = pytest.importorskip("pandas")
    wine = tables.load_wine()
    x = pandas.DataFrame(wine.data, columns=wine.feature_names)
    (found,) = told_of_wine(x, wine.target, 30)
    assert "column 'proline' of 13 has mean 747" in found.text
    assert "13개 열 가운데 'proline' 열은 평균 747" in words.retold(found, "ko").text
    scaled = (x - x.mean()) / x.std()
    moved = scaled.copy()
    moved["hue"] += 5
    (found,) = told_of_wine(scaled, wine.target, 60, validation_data=(moved, wine.target))
    assert (found.name, found.evidence["column"]) == ("unlike_validation", "hue")


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_validation_loss_that_is_no_number_names_row_column_and_layer(value):
    model, x, y = signs_of_two()
    wild = x[:50].copy()
    wild[7, 1] = value
    keras.config.allow_nan()
    try:
        found = told_of(model, x, y, 3, validation_data=(wild, y[:50]))
    finally:
        keras.config.allow_nan(False)
    (wild,) = [one for one in found if one.name == "not_finite"]
    assert f"Row 7 of the validation x has {'NaN' if math.isnan(value) else 'inf'} in column 1" in wild.text
    assert f"'{model.layers[0].name}' is the first layer that gives no finite number" in wild.text


@pytest.mark.parametrize("way", ["class_weight", "sample_weight"])
def test_weights_that_make_all_answers_alike_are_named(way):
    model, x, y = signs_of_two()
    weights = {0: 1.0, 1: 1000.0}
    given = weights if way == "class_weight" else np.vectorize(weights.get)(y)
    (found,) = told_of(model, x, y, 20, **{way: given})
    assert "their rows weigh 1,000, the others 1." in found.text
    assert found.evidence["fair"] == pytest.approx((y == 0).sum() / (y == 1).sum())


# Ends and losses.


def ended(curve, loss, *, from_logits=False, y=(0, 1, 2), units=3, answers=None):
    """What is said of a curve before a loss, by the variant of the finding."""
    labels = {
        "Sparse": "class numbers",
        "Categ": "one-hot",
        "Binary": "probabilities",
        "Hinge": "signs",
        "KL": "probabilities",
    }
    kind = next((each for start, each in labels.items() if loss.startswith(start)), "numbers")
    y = np.resize(np.asarray(y), (12, *np.shape(y)[1:]))
    answers = np.full((12, units), 0.5) if answers is None else answers
    given = Output(loss, kind, from_logits, curve, y, None, y, answers)
    signs = [LayerSigns("last", "Dense", curve, 0, 0)]
    found = findings(record(signs={1: signs}, outputs=[given]))
    return [(one.variant, one.severity) for one in found if one.name == "output_mismatch"]


CHOICE, SEVERAL = "SparseCategoricalCrossentropy", "CategoricalCrossentropy"
YES = {"y": (0, 1), "units": 1}


@pytest.mark.parametrize("loss", [CHOICE, SEVERAL, "BinaryCrossentropy", "BinaryFocalCrossentropy"])
@pytest.mark.parametrize("curve", ["linear", "tanh", "softsign", "elu", "leaky_relu", "gelu", "log_softmax"])
def test_what_may_be_negative_is_no_probability_whatever_it_gave_in_the_end(curve, loss):
    y = np.eye(3) if loss != CHOICE else (0, 1, 2)
    assert ended(curve, loss, y=y) == [("no_probabilities", 3)]


@pytest.mark.parametrize(
    ("curve", "loss", "more", "variant"),
    [
        ("softplus", "BinaryCrossentropy", YES, "no_probabilities"),
        ("relu6", CHOICE, {}, "relu"),
        ("tanh", CHOICE, {"from_logits": True}, "bounded_logits"),
        ("relu", "BinaryCrossentropy", {**YES, "from_logits": True}, "bounded_logits"),
        ("sigmoid", "BinaryCrossentropy", {**YES, "from_logits": True}, "twice"),
        ("softmax", "BinaryCrossentropy", {"y": np.tri(3)}, "one_of_several"),
        ("softmax", SEVERAL, {"y": np.tri(3)}, "odd_sums"),
        ("sigmoid", "Hinge", YES, "out_of_reach"),
        ("linear", "KLDivergence", {"y": np.eye(3)}, "no_shares"),
        ("softmax", "MeanSquaredError", {"y": (25.0, 346.0), "units": 1}, "softmax_of_one_number"),
        ("softmax", "MeanSquaredError", YES, "softmax_of_one"),
        ("linear", "Poisson", {"y": (0, 3), "units": 1}, "no_rates"),
        ("elu", "MeanSquaredError", {"y": (-3.0, 4.0), "units": 1}, "out_of_reach"),
        (None, CHOICE, {"answers": np.full((12, 3), -2.0)}, "no_probabilities"),
    ],
)
def test_a_curve_that_does_not_suit_its_loss_is_named(curve, loss, more, variant):
    assert ended(curve, loss, **more) == [(variant, 3)]


@pytest.mark.filterwarnings("ignore:The loss is not a finite number:UserWarning")
def test_a_dropout_behind_the_answers_is_named():
    x, _, y, _ = digits()
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Dense(32, "relu"), keras.layers.Dense(10, "softmax"), keras.layers.Dropout(0.5)]
    model = keras.Sequential(layers)
    model.compile("adam", "sparse_categorical_crossentropy")
    first, *_ = told_of(model, x, y, 8)
    assert (first.name, first.variant, first.layer) == ("output_mismatch", "dropout", layers[-1].name)
    assert first.text.startswith(f"'{layers[-1].name}' is the last layer")


def test_a_loss_that_jumps_because_units_are_left_out_is_not_the_rates_fault():
    given = output(np.resize([-1.0, 1.0], 100), answers=np.zeros((100, 1)) + np.arange(100)[:, None])
    settings = Settings(learning_rate=0.001, dropouts=[("dropout", 0.8)])
    jumping = record([1.0, 1.2] * 5, outputs=[given], losses={10: [1.0]}, settings=settings)
    assert [one.name for one in findings(jumping)] == ["strong_penalty"]


def test_a_layer_without_a_name_is_told_in_the_language_of_the_finding():
    found = Found("output_mismatch", 3, None, {"layer": "", "loss": "KLDivergence"}, "no_shares")
    assert words.in_words(found, "en").text.startswith("The last layer gives numbers")
    assert words.in_words(found, "ko").text.startswith("마지막 층이 내는 값은")


def test_a_sigmoid_for_one_class_of_several_is_worth_knowing():
    assert ended("sigmoid", CHOICE) == [("sigmoid_of_several", 1)]


@pytest.mark.parametrize(
    ("curve", "loss", "more"),
    [
        (None, CHOICE, {}),
        ("linear", CHOICE, {"from_logits": True}),
        ("log_softmax", CHOICE, {"from_logits": True}),
        ("relu", CHOICE, {"from_logits": True}),
        ("softplus", CHOICE, {}),
        ("softmax", "BinaryCrossentropy", {"y": np.eye(3)}),
        ("sigmoid", "BinaryCrossentropy", {"y": np.tri(3)}),
        ("softmax", SEVERAL, {"y": np.eye(3) * [1, 1, 0]}),
        ("tanh", "Hinge", {"y": (-1, 1), "units": 1}),
        ("softmax", "KLDivergence", {"y": np.eye(3)}),
        ("exponential", "Poisson", {"y": (0, 3), "units": 1}),
        ("tanh", "MeanSquaredError", {"y": (-1.0000001, 1.0), "units": 1}),
        ("relu", "MeanSquaredError", {"y": (-0.1, 300.0), "units": 1}),
    ],
)
def test_a_curve_that_suits_its_loss_is_not(curve, loss, more):
    assert ended(curve, loss, **more) == []
