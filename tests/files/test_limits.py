"""What a small file can ask for: not much time, not much memory, and no long message."""

import json
import os
import stat
import time

import attacked
import numpy as np
import pytest

import doltap
from doltap import layers, models
from doltap.callbacks import ModelCheckpoint
from doltap.errors import DoltapError, ModelFileError, ShapeError
from doltap.files import glimpse, safetensors_file

X, Y = np.ones((4, 3), np.float32), np.ones(4, np.float32)


def refused(path, **keywords):
    began = time.perf_counter()
    with pytest.raises(DoltapError) as caught:
        models.load_model(path, **keywords)
    assert time.perf_counter() - began < 5
    assert len(str(caught.value)) < 10_000
    return str(caught.value)


def written(tmp_path, config=None, **metadata):
    """A .keras file with this configuration."""
    path = tmp_path / "model.keras"
    path.write_bytes(attacked.archive(config or attacked.sequential(), **metadata))
    return path


def compiled_with(metric):
    config = attacked.sequential()
    config["compile_config"] = {"optimizer": "sgd", "loss": "mse", "metrics": [metric]}
    return config


@pytest.mark.parametrize(
    "metric",
    [
        {"class_name": "AUC", "config": {"num_thresholds": 2**31 - 1}},
        {"class_name": "AUC", "config": {"num_thresholds": 20_000_000}},
        {"class_name": "IoU", "config": {"num_classes": 20_000, "target_class_ids": [0]}},
        {"class_name": "MeanIoU", "config": {"num_classes": 1 << 40}},
    ],
)
def test_a_metric_of_any_size_is_refused(metric, tmp_path):
    assert "num_" in (said := refused(written(tmp_path, compiled_with(metric)))) or "totals" in said


@pytest.mark.parametrize(
    "text",
    [
        '{"class_name": "Functional", "config": {"layers": [' + '{"a": 1},' * 300_000 + "{}]}}",
        '{"class_name": "' + "x" * 20_000_000 + '\U0001f600"}',
        '{"class_name": "Sequential", "config": {"name": 0.' + "1" * 20_000_000 + "}}",
        '{"class_name": "Sequential", "config": {"name": ' + "9" * 20_000_000 + "}}",
    ],
    ids=["objects", "letters", "digits", "whole digits"],
)
def test_a_large_description_is_refused_at_once(text, tmp_path):
    path = written(tmp_path, text)
    refused(path)
    began = time.perf_counter()
    _, reasons = glimpse.glimpse(path)
    assert reasons
    assert time.perf_counter() - began < 5


def test_a_network_of_more_layers_than_any_has_is_refused(tmp_path):
    row = [attacked.layer("Identity", {"name": f"i{number}"}) for number in range(6_000)]
    assert "layers" in refused(written(tmp_path, attacked.sequential(*row)))


def test_more_arrays_than_any_model_has_are_refused(tmp_path):
    entry = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
    header = json.dumps({f"a{number}": entry for number in range(60_000)}).encode()
    path = tmp_path / "model.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    with pytest.raises(ModelFileError, match="arrays"):
        safetensors_file.read(path)


def test_a_text_alone_cannot_ask_for_more_than_a_gigabyte():
    config = {"name": "a", "layers": [
        {"class_name": "InputLayer", "config": {"batch_shape": [None, 64]}},
        {"class_name": "Dense", "config": {"units": 1 << 24}},
    ]}  # fmt: skip
    began = time.perf_counter()
    with pytest.raises(ModelFileError, match="numbers in all"):
        models.model_from_json(json.dumps({"class_name": "Sequential", "config": config}))
    assert time.perf_counter() - began < 2


def test_weights_that_no_memory_holds_are_said_to_be_too_large():
    with pytest.raises(ShapeError, match="fit into memory"):
        doltap.Sequential([layers.Input((1 << 20,)), layers.Dense(1 << 31)])


def test_what_a_file_says_of_itself_never_reaches_the_screen(tmp_path, recwarn):
    path = written(tmp_path, notes=["\x1b[31mBAD"])
    models.load_model(path)
    assert not [one for one in recwarn if "BAD" in str(one.message)]
    models.load_model(written(tmp_path, notes=5))


# What is saved can be loaded.


@pytest.mark.parametrize("name", ["../x", "..", "/abs"])
@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_a_name_that_would_be_refused_is_not_saved(name, suffix, tmp_path):
    model = doltap.Sequential([layers.Input((3,)), layers.Dense(2, name=name)])
    (tmp_path / f"z{suffix}").write_bytes(b"old")
    with pytest.raises(DoltapError):
        model.save(tmp_path / f"z{suffix}")
    assert (tmp_path / f"z{suffix}").read_bytes() == b"old"


@pytest.mark.parametrize("suffix", [".h5", ".weights.h5", ".safetensors"])
def test_a_layer_may_have_the_name_of_a_group(suffix, tmp_path):
    model = doltap.Sequential([layers.Input((3,)), layers.Dense(2, name="model_weights")])
    before = model.get_weights()
    model.save_weights(tmp_path / f"z{suffix}")
    model.set_weights([0 * array for array in before])
    model.load_weights(tmp_path / f"z{suffix}")
    assert all((a == b).all() for a, b in zip(before, model.get_weights(), strict=True))


class Own(layers.Layer):
    """Keeps its weight in a way of its own."""

    key = "mine"

    def build(self, input_shape):
        self.w = self.add_weight((2,), "ones")

    def call(self, inputs):
        return inputs * self.w[0]

    def save_own_variables(self, store):
        store[self.key] = self.w.numpy()

    def load_own_variables(self, store):
        raise ValueError("does not like it")


@pytest.mark.parametrize("key", ["a/b", "..", ""])
def test_weights_of_ones_own_have_plain_names(key, tmp_path):
    layer = Own()
    layer.key = key
    model = doltap.Sequential([layers.Input((3,)), layer])
    with pytest.raises(ModelFileError, match="plain names"):
        model.save_weights(tmp_path / "z.weights.h5")


def test_where_a_layer_fails_to_load_no_weight_has_changed(tmp_path):
    model = doltap.Sequential([layers.Input((3,)), layers.Dense(3), Own()])
    model.save_weights(tmp_path / "z.weights.h5")
    before = [array + 1 for array in model.get_weights()]
    model.set_weights(before)
    with pytest.raises(ModelFileError, match="does not like it"):
        model.load_weights(tmp_path / "z.weights.h5")
    assert all((a == b).all() for a, b in zip(before, model.get_weights(), strict=True))


# Paths that are none, and places that take no file.


@pytest.mark.parametrize("path", ["", "a\0b.keras", "\ud800.keras", None, 3, b"model.keras"])
def test_a_path_that_is_none_has_its_sentence(path):
    model = doltap.Sequential([layers.Input((3,)), layers.Dense(2)])
    for call in (model.save, model.save_weights, model.load_weights, models.load_model):
        with pytest.raises(ModelFileError, match="the path"):
            call(path)


def test_a_path_too_long_has_its_sentence():
    with pytest.raises(ModelFileError, match="too long"):
        models.load_model("a" * 5000 + ".keras")


@pytest.mark.skipif(os.name == "nt", reason="there are no pipes in folders")
def test_a_pipe_is_not_replaced(tmp_path):
    model = doltap.Sequential([layers.Input((3,)), layers.Dense(2)])
    os.mkfifo(tmp_path / "pipe.weights.h5")
    with pytest.raises(ModelFileError, match="pipe or device"):
        model.save_weights(tmp_path / "pipe.weights.h5")
    assert stat.S_ISFIFO(os.stat(tmp_path / "pipe.weights.h5").st_mode)


def test_a_file_where_a_folder_should_be_has_its_sentence(tmp_path):
    (tmp_path / "file").write_text("here")
    model = doltap.Sequential([layers.Input((3,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(ModelFileError, match="a file among them"):
        model.fit(X, Y, verbose=0, callbacks=[ModelCheckpoint(tmp_path / "file" / "x.keras")])


@pytest.mark.parametrize("given", [[layers.Dense], {"MyLayer": 3}, {3: layers.Dense}])
def test_custom_objects_are_things_by_name(given, tmp_path):
    with pytest.raises(DoltapError, match="custom_objects"):
        models.load_model(written(tmp_path), custom_objects=given)
