"""`doltap inspect` tells what a file holds and what of it would be refused, and makes nothing."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

import doltap as keras
from doltap import cli, layers, losses, metrics, optimizers
from doltap.errors import ModelFileError
from doltap.files import formats
from doltap.files.record import Record
from doltap.reporting.inspecting import inspected, print_inspected
from layers.test_every_layer import CASES
from reporting.test_foreign_text import HOSTILE, assert_harmless, visible

FLOATS = np.float32


def printed(found, width=200):
    console = Console(file=io.StringIO(), width=width, highlight=False)
    print_inspected(found, "model.keras", 2048, console)
    return console.file.getvalue()


def dense(name, units=3, **config):
    config = {"name": name, "units": units, "activation": "relu", **config}
    return {"module": "keras.layers", "class_name": "Dense", "config": config}


def model_of(*described, **more):
    config = {"name": "net", "layers": list(described)}
    return {"module": "keras", "class_name": "Sequential", "config": config, **more}


def whole():
    """A record as a .keras file gives it: a model in a model, compiled."""
    head = {
        "class_name": "InputLayer",
        "module": "keras.layers",
        "config": {"name": "in", "batch_shape": [None, 4]},
    }
    first = {**dense("first"), "build_config": {"input_shape": [None, 4]}}
    inner = model_of(dense("inside"), dense("inside too"))
    inner["config"]["name"] = "block"
    compiled = {
        "optimizer": {"module": "keras.optimizers", "class_name": "Adam", "config": {"learning_rate": 0.01}},
        "loss": "mse",
        "metrics": ["accuracy", {"module": "keras.metrics", "class_name": "AUC", "config": {"name": "auc"}}],
        "weighted_metrics": None,
    }
    paths = {
        "layers/dense/vars/0": np.zeros((4, 3), FLOATS),
        "layers/dense/vars/1": np.zeros(3, FLOATS),
        "layers/sequential/layers/dense/vars/0": np.zeros((3, 3), FLOATS),
        "layers/sequential/layers/dense_1/vars/0": np.zeros((3, 3), np.float16),
        "layers/dense_1/vars/0": np.zeros((3, 2), FLOATS),
        "optimizer/vars/0": np.zeros((), np.int32),
        "optimizer/vars/1": np.zeros((4, 3), FLOATS),
    }
    config = model_of(head, first, inner, dense("last", 2), compile_config=compiled)
    metadata = {"keras_version": "3.15.1", "date_saved": "2026-01-02@03:04:05"}
    return Record("keras", config, metadata, paths, assets={"assets/words.txt": b"abc"})


def test_layers_stand_with_their_classes_shapes_and_sizes():
    found = inspected(whole())
    rows = [(line["name"], line["class"], line["parameters"], line["bytes"]) for line in found["layers"]]
    assert rows == [
        ("in", "InputLayer", 0, 0),
        ("first", "Dense", 15, 60),
        ("block", "Sequential", 18, 54),
        ("last", "Dense", 6, 24),
    ]
    assert [line["input_shape"] for line in found["layers"]] == [[None, 4], [None, 4], None, None]
    assert found["layers"][1]["weights"][0] == {"name": "0", "shape": [4, 3], "dtype": "float32"}
    inside = [(line["name"], line["parameters"]) for line in found["layers"][2]["layers"]]
    assert inside == [("inside", 9), ("inside too", 9)]
    assert (found["parameters"], found["bytes"]) == (39, 138)


def test_the_settings_of_training_and_all_else_are_told():
    found = inspected(whole())
    assert (found["optimizer_variables"], found["optimizer_bytes"]) == (2, 52)
    assert found["about"] == {"keras_version": "3.15.1", "date_saved": "2026-01-02@03:04:05"}
    assert found["files"] == {"assets/words.txt": 3}
    assert found["model"]["class"] == "Sequential"
    assert (found["needs"], found["refused"]) == ([], [])
    text = printed(found)
    for part in (
        "model.keras (2.00 KB): format keras",
        "keras_version: 3.15.1",
        "model: Sequential 'net'",
        "inside too (Dense)",
        "(4, 3) (3,)",
        "parameters: 39 (138.00 B)",
        "optimizer's memory: 2 arrays (52.00 B)",
        "compiled with optimizer: Adam(learning_rate=0.01)",
        "compiled with loss: mse",
        "compiled with metrics: accuracy, AUC(name=auc)",
        "file inside: assets/words.txt (3.00 B)",
    ):
        assert part in text, text
    assert json.loads(json.dumps(found)) == found


def test_a_file_of_weights_tells_the_places_and_the_names_of_layers():
    record = Record("weights", paths={"layers/dense/vars/0": np.zeros((2, 2)), "vars/0": np.zeros(3)})
    record.names = {"layers/dense": "hidden"}
    found = inspected(record)
    rows = [(line["name"], line["parameters"]) for line in found["layers"]]
    assert rows == [("layers/dense (hidden)", 4), ("the model itself", 3)]
    assert found["model"] is None
    assert "layers/dense (hidden)" in printed(found)


def test_a_class_of_ones_own_shows_its_weights_by_their_places():
    record = Record("keras", {"module": "mine", "class_name": "Net", "config": {"name": "net"}})
    record.paths = {"encoder/layers/dense/vars/0": np.zeros(2), "head/vars/0": np.zeros(5)}
    found = inspected(record)
    assert [line["name"] for line in found["layers"]] == ["encoder/layers/dense", "head"]
    assert found["needs"] == [{"name": "Net", "in": "'net'"}]


def test_weights_listed_by_layer_belong_to_the_layers_of_that_name():
    weights = [("first", [("first/kernel:0", np.zeros((4, 3), FLOATS))]), ("spare", [("w", np.zeros(2))])]
    record = Record("h5", model_of(dense("first"), dense("bare")), layers=weights)
    record.optimizer = [("m", np.zeros((4, 3), FLOATS))]
    found = inspected(record)
    rows = [(line["name"], line["parameters"]) for line in found["layers"]]
    assert rows == [("first", 12), ("bare", 0), ("layers/spare", 2)]
    assert found["optimizer_variables"] == 1


@pytest.mark.parametrize("case", [case for case in CASES if case != "Lambda"])
def test_every_layer_of_ours_needs_nothing_from_the_user(case):
    described = json.loads(json.dumps(layers.serialize(CASES[case][0](layers))))
    found = inspected(Record("keras", model_of(described)))
    assert (found["needs"], found["refused"]) == ([], [])


def test_every_optimizer_loss_and_metric_of_ours_needs_nothing_from_the_user():
    spaces = {"keras.optimizers": optimizers, "keras.losses": losses, "keras.metrics": metrics}
    spaces["keras.optimizers.schedules"] = optimizers.schedules
    for module, space in spaces.items():
        classes = [name for name in space.__all__ if isinstance(getattr(space, name), type)]
        assert len(classes) > 5
        described = [{"module": module, "class_name": name, "config": {}} for name in classes]
        named = {
            "loss": list(losses.loss.functions),
            "metrics": ["acc", "accuracy", "mse"],
        }
        found = inspected(Record("keras", model_of(compile_config={"metrics": described, **named})))
        # What others are made of is in no file.
        bare = {"Optimizer", "Loss", "Metric", "LearningRateSchedule"}
        assert [each for each in found["needs"] if each["name"] not in bare] == []


OWN = {
    "a layer": (model_of({"module": "mine", "class_name": "Scale", "config": {"name": "s"}}), "Scale", "'s'"),
    "a layer without a module": (model_of({"class_name": "Scale", "config": {"name": "s"}}), "Scale", "'s'"),
    "an activation": (model_of(dense("d", activation="wavy")), "wavy", "'d'"),
    "a function": (
        model_of(dense("d", activation={"class_name": "function", "config": "wavy", "module": "mine"})),
        "wavy",
        "'d'",
    ),
    "an initializer": (
        model_of(dense("d", kernel_initializer={"module": "mine", "class_name": "Flat", "config": {}})),
        "Flat",
        "'d'",
    ),
    "a loss": (
        model_of(compile_config={"optimizer": "adam", "loss": {"a": "mse", "b": "odd"}}),
        "odd",
        "'net'",
    ),
    "a metric": (model_of(compile_config={"metrics": [["odd"], "mae"]}), "odd", "'net'"),
    "an optimizer": (model_of(compile_config={"optimizer": "Lion2", "loss": "mse"}), "Lion2", "'net'"),
}


@pytest.mark.parametrize("case", OWN)
def test_what_the_user_must_bring_is_told_with_its_place(case):
    config, name, where = OWN[case]
    found = inspected(Record("keras", config))
    assert found["needs"] == [{"name": name, "in": where}]
    assert found["refused"] == []
    assert f"needs from you: {name} for {where}: pass custom_objects=" in printed(found)


def test_classes_of_keras_that_are_to_come_are_refused_with_the_reason():
    picture = {"module": "keras.layers", "class_name": "Conv2D", "config": {"name": "c"}}
    found = inspected(Record("keras", model_of(picture, picture)))
    (reason,) = found["refused"]
    assert reason["what"] == "'c'"
    assert "'Conv2D', which is planned" in reason["got"]
    assert "refused: 'c'" in printed(found)


def test_what_was_refused_in_reading_stands_beside_what_was_seen():
    error = ModelFileError("'a.keras'", expected="plain arrays", got="a link", fix="Save it anew.")
    found = inspected(Record("keras", model_of(dense("first"))), [error])
    (reason,) = found["refused"]
    assert reason == {
        "what": "'a.keras'",
        "expected": "plain arrays",
        "got": "a link",
        "fix": "Save it anew.",
    }
    assert "refused: 'a.keras': expected plain arrays, got a link. Save it anew." in printed(found)
    assert "first (Dense)" in printed(found)


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
def test_no_text_of_a_file_commands_the_terminal(name):
    record = whole()
    record.config["config"]["layers"][1]["config"]["name"] = name
    record.config["config"]["layers"][1]["class_name"] = name
    record.config["compile_config"]["loss"] = name
    record.metadata[name] = name
    record.assets[name] = b""
    record.paths[f"{name}/vars/{name}"] = np.zeros(2)
    text = printed(inspected(record))
    assert_harmless(text)
    assert text.count(visible(name)) >= 8
    assert json.dumps(inspected(record)).isascii()


words = st.sampled_from(
    ["class_name", "config", "layers", "name", "module", "compile_config", "loss", "build_config"]
)
words |= st.sampled_from(
    ["metrics", "optimizer", "batch_shape", "input_shape", "activation", "Dense", "function"]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | words,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(words | st.text(max_size=3), inner, max_size=6)
    ),
    max_leaves=40,
)


@settings(max_examples=300, deadline=None)
@given(
    config=st.dictionaries(words, values), metadata=st.dictionaries(st.text(max_size=3), values, max_size=2)
)
def test_configurations_of_any_form_are_told(config, metadata):
    record = whole()
    record.config, record.metadata = config, metadata
    assert_harmless(printed(inspected(record)))


def own_model():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, name="hidden"), layers.Dense(1)], name="net")
    model.compile(optimizers.Adam(0.25), "mse", metrics=["mae"])
    model.fit(np.zeros((4, 4)), np.zeros(4), verbose=0)
    return model


def save_whole(model, folder):
    model.save(folder / "model.keras")
    return folder / "model.keras"


def save_weights(suffix):
    def save(model, folder):
        model.save_weights(folder / f"model{suffix}")
        return folder / f"model{suffix}"

    return save


def keep_states(model, folder):
    model.fit(np.zeros((4, 4)), np.zeros(4), epochs=2, verbose=0, resume=folder / "run")
    return folder / "run"


FILES = {
    "a model": (save_whole, ["format keras", "hidden (Dense)", "Adam(", "learning_rate=0.25", "loss: mse"]),
    "weights": (save_weights(".weights.h5"), ["format weights", "(hidden)"]),
    "safetensors": (save_weights(".safetensors"), ["format safetensors", "(hidden)"]),
    "states": (keep_states, ["format states of a training", "epoch 2, step 0", "weights"]),
}


@pytest.mark.parametrize("case", FILES)
def test_the_command_tells_of_our_own_files_and_changes_none(case, tmp_path, capsys):
    save, parts = FILES[case]
    path = save(own_model(), tmp_path)
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    capsys.readouterr()
    assert cli.main(["inspect", str(path)]) == 0
    text = capsys.readouterr().out.replace("\n", "")
    for part in (path.name, *parts, "(4, 3)"):
        assert part in text, text
    assert cli.main(["inspect", "--json", str(path)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["refused"] == []
    assert found["file"] == str(path)
    assert found["file_bytes"] == sum(map(len, before.values()))
    assert before == {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning:keras")
@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_a_file_of_keras_is_told_with_the_classes_that_only_its_user_has(suffix, keras, tmp_path, capsys):
    class Scale(keras.layers.Layer):
        def call(self, x):
            return 2 * x

    x = keras.Input((4,))
    inner = keras.Sequential([keras.Input((3,)), keras.layers.Dense(5, name="deep")], name="block")
    each = keras.layers.TimeDistributed(keras.layers.Dense(2), name="each")
    steps = each(keras.layers.RepeatVector(6)(x))
    outputs = [Scale(name="twice")(inner(keras.layers.Dense(3, name="wide")(x))), steps]
    model = keras.Model(x, outputs, name="net")
    model.compile(keras.optimizers.Adam(keras.optimizers.schedules.ExponentialDecay(0.5, 10, 0.9)), "mse")
    path = tmp_path / f"model{suffix}"
    model.save(path)
    assert cli.main(["inspect", "--json", str(path)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["parameters"] == model.count_params()
    assert found["needs"] == [{"name": "Scale", "in": "'twice'"}]
    counts = {line["name"]: line["parameters"] for line in found["layers"]}
    assert (counts["wide"], counts["block"], counts["each"]) == (15, 20, 10)
    assert found["training"]["optimizer"]["config"]["learning_rate"]["class_name"] == "ExponentialDecay"


def test_the_command_makes_nothing_of_what_a_file_names(tmp_path, capsys, monkeypatch):
    path = save_whole(own_model(), tmp_path)

    def refuse(*_, **__):
        raise AssertionError("something was made")

    monkeypatch.setattr(layers.Dense, "__init__", refuse)
    monkeypatch.setattr("doltap.core.tensors.Variable.__init__", refuse)
    assert cli.main(["inspect", str(path)]) == 0


def test_a_refused_file_tells_why_and_what_could_be_seen(tmp_path, capsys):
    path = save_whole(own_model(), tmp_path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["model.weights.h5"] = b"no weights"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    assert cli.main(["inspect", str(path)]) == 1
    text = capsys.readouterr().out
    assert "refused: " in text
    assert "hidden (Dense)" in text
    assert "model.weights.h5 (10.00 B)" in text


def test_code_in_a_file_is_refused_as_the_loader_refuses_it(tmp_path, capsys):
    code = {"class_name": "__lambda__", "config": {"code": "4wEAAAA="}}
    described = {"module": "keras.layers", "class_name": "Lambda", "config": {"name": "l", "function": code}}
    formats.write(tmp_path / "model.keras", Record("keras", model_of(described, dense("first"))))
    assert cli.main(["inspect", str(tmp_path / "model.keras")]) == 1
    inspected_text = " ".join(capsys.readouterr().out.split())
    with pytest.raises(ModelFileError) as caught:
        keras.models.load_model(tmp_path / "model.keras")
    assert caught.value.parts["got"] in inspected_text
    assert "first (Dense)" in inspected_text


def test_a_damaged_state_is_told_beside_the_whole_ones(tmp_path, capsys):
    folder = keep_states(own_model(), tmp_path)
    newest = sorted(folder.glob("state-*.h5"))[-1]
    newest.write_bytes(newest.read_bytes()[:-100])
    assert cli.main(["inspect", str(folder)]) == 1
    # Long lines are folded.
    text = capsys.readouterr().out.replace("\n", "")
    assert newest.name in text
    assert "refused: " in text


@pytest.mark.parametrize("kind", ["nothing", "a folder", "a picture", "an empty file"])
def test_what_is_no_model_ends_with_its_own_sentence(kind, tmp_path, capsys):
    path = tmp_path / "model.keras"
    if kind == "a folder":
        path.mkdir()
    elif kind != "nothing":
        path.write_bytes(b"\x89PNG\r\n\x1a\n" if kind == "a picture" else b"")
    assert cli.main(["inspect", str(path)]) == 1
    said = capsys.readouterr()
    expected = {"nothing": "no such file"}.get(kind, kind)
    assert expected in " ".join((said.out + said.err).split())


def test_a_hostile_path_commands_nothing(tmp_path, capsys):
    path = tmp_path / "\x1b[31m[red]x\u202e.keras"
    path.write_bytes(b"?")
    assert cli.main(["inspect", str(path)]) == 1
    assert cli.main(["inspect", str(path) + "not there"]) == 1
    said = capsys.readouterr()
    assert_harmless(said.out + said.err)


def test_a_configuration_of_great_depth_is_told():
    config = model_of(dense("bottom"))
    for _ in range(400):
        config = model_of(config)
    assert "net (Sequential)" in printed(inspected(Record("keras", config)), width=400)
