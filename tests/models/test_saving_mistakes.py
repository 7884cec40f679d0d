"""What goes wrong with model files is said in the user's words, and changes nothing."""

from __future__ import annotations

import json

import numpy as np
import pytest
from saved_models import nested, row, shaken

import doltap
from doltap.core.tensors import Variable
from doltap.errors import (
    DoltapError,
    ModelFileError,
    NotSupportedError,
    UnknownArgumentError,
    UnknownNameError,
)
from doltap.layers import Dense, Layer
from doltap.models import load_model, model_from_json
from doltap.models.saving import made_from, record_of


def weights(model):
    return [array.copy() for array in model.get_weights()]


def same_arrays(one, other):
    return all(np.array_equal(*pair) for pair in zip(one, other, strict=True))


def tower(*units, name="tower"):
    layers = [Dense(each, name=f"d{number}") for number, each in enumerate(units)]
    return doltap.Sequential([doltap.Input((4,)), *layers], name=name)


# Weights that do not fit.


@pytest.mark.parametrize(
    ("units", "wrong"),
    [
        ((3, 5), r"layer 'd1' in '.*': expected 'kernel' of shape \(3, 5\), got shape \(3, 2\)\."),
        ((3, 2, 2), r"layer 'd2' in '.*': expected 2 weights \(kernel \(2, 2\), bias \(2,\)\), got 0\."),
        ((3,), r"'layers/dense_1' in '.*': expected a layer .* got weights of shape \(3, 2\), \(2,\)\."),
    ],
)
@pytest.mark.parametrize("suffix", [".keras", ".weights.h5"])
def test_weights_of_another_architecture_are_refused_and_none_is_taken(tmp_path, units, wrong, suffix):
    saved, model = tower(3, 2), tower(*units)
    path = tmp_path / f"net{suffix}"
    saved.save(path) if suffix == ".keras" else saved.save_weights(path)
    before = weights(model)
    with pytest.raises(ModelFileError, match=wrong):
        model.load_weights(path)
    assert same_arrays(model.get_weights(), before)


def test_what_is_left_out_is_told_in_one_warning(tmp_path):
    saved, model = tower(3, 2, 2), tower(3, 5, 2, 2)
    saved.save_weights(tmp_path / "net.weights.h5")
    with pytest.warns(UserWarning, match="Left out what does not fit") as told:
        model.load_weights(tmp_path / "net.weights.h5", skip_mismatch=True)
    assert len(told) == 1
    text = str(told[0].message)
    assert all(f"'{name}'" in text for name in ("d1", "d2", "d3"))
    assert same_arrays(model.layers[0].get_weights(), saved.layers[0].get_weights())
    assert told[0].filename == __file__


def test_by_name_only_layers_of_the_same_name_take_weights(tmp_path):
    saved, model = tower(3, 2), tower(3, 7, 2)
    model.layers[0].name, model.layers[2].name = "other", "d1x"
    saved.save_weights(tmp_path / "net.weights.h5")
    before = weights(model)
    with pytest.raises(ModelFileError, match=r"layer 'd1'.*shape"):
        model.load_weights(tmp_path / "net.weights.h5", by_name=True)
    with pytest.warns(UserWarning, match="layer 'd1'"):
        model.load_weights(tmp_path / "net.weights.h5", by_name=True, skip_mismatch=True)
    assert same_arrays(model.get_weights(), before)
    model.layers[0].name = "d0"
    with pytest.warns(UserWarning, match="layer 'd1'"):
        model.load_weights(tmp_path / "net.weights.h5", by_name=True, skip_mismatch=True)
    assert same_arrays(model.layers[0].get_weights(), saved.layers[0].get_weights())


def test_an_unknown_keyword_is_told_with_the_nearest_one(tmp_path):
    model = tower(2)
    with pytest.raises(UnknownArgumentError, match="skip_mismatch="):
        model.load_weights(tmp_path / "x", skip_mismatches=True)
    with pytest.raises(UnknownArgumentError, match="include_optimizer="):
        model.save(tmp_path / "x.keras", include_optimiser=False)


# Files that are made to mislead.


def changed(model, change):
    """The record of a model with a changed configuration, as a damaged file would have it."""
    record = record_of(model)
    change(record.config["config"]["layers"])
    return record


def set_units(layers):
    layers[1]["config"]["units"] = 2**30


def name_another(layers):
    layers[1]["class_name"] = "Dens"


def without_units(layers):
    del layers[1]["config"]["units"]


def with_a_text(layers):
    layers[1]["config"]["units"] = "many"


def of_another_kind(layers):
    layers[1]["config"] = 3


def deep(layers):
    for _ in range(40):
        layers[1] = {
            "module": "keras.layers",
            "class_name": "TimeDistributed",
            "config": {"layer": layers[1], "name": "t"},
        }


@pytest.mark.parametrize(
    ("change", "kind", "wrong"),
    [
        (set_units, ModelFileError, "FILE: layer 'd0'.*the file holds, which are 23 numbers.*1073741824"),
        (name_another, UnknownNameError, "layer 'd0' in FILE.*(?s:.*)'dense'.*custom_objects"),
        (without_units, DoltapError, "layer 'd0' in FILE.*units"),
        (with_a_text, DoltapError, "layer 'd0' in FILE"),
        (of_another_kind, DoltapError, "FILE"),
        (deep, NotSupportedError, "in FILE.*32 deep"),
    ],
)
def test_a_misleading_configuration_is_refused_and_says_where(change, kind, wrong):
    with pytest.raises(kind, match=wrong):
        made_from(changed(tower(3, 2), change), "FILE")


def test_nothing_is_allocated_for_what_a_file_only_declares(monkeypatch):
    made = []
    monkeypatch.setattr(Variable, "__getattr__", lambda self, name: made.append(name))
    model = made_from(record_of(nested(doltap)), "FILE")
    assert not made
    assert all("array" in vars(weight) for weight in model.weights)


def test_a_class_of_the_users_may_look_at_weights_before_they_come(tmp_path):
    class Curious(Layer):
        def build(self, input_shape):
            self.scale = self.add_weight(shape=(2,), initializer="ones", name="scale")
            self.seen = self.scale.numpy().tolist()
            self.scale.assign_add([1.0, 1.0])

        def call(self, x):
            return x * self.scale

    model = doltap.Sequential([doltap.Input((2,)), Curious()])
    model.set_weights([np.array([3.0, 4.0])])
    model.save(tmp_path / "net.keras")
    read = load_model(tmp_path / "net.keras", custom_objects={"Curious": Curious})
    assert read.layers[0].seen == [1.0, 1.0]
    assert read.get_weights()[0].tolist() == [3.0, 4.0]


def test_a_file_cannot_put_another_class_in_the_place_of_ours(tmp_path):
    class Evil(Layer):
        def __init__(self, **keywords):
            raise AssertionError("was run")

    model = shaken(row(doltap))
    model.save(tmp_path / "net.keras")
    read = load_model(tmp_path / "net.keras", custom_objects={"Dense": Evil, "mse": Evil})
    assert type(read.layers[0]) is Dense


@pytest.mark.parametrize("safe_mode", [True, False])
def test_a_lambda_of_code_is_refused_whatever_the_switch(keras, tmp_path, safe_mode):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Lambda(lambda x: x + 1, name="plus")])
    model.save(tmp_path / "net.keras")
    with pytest.raises(
        ModelFileError, match=r"net.keras'.*a Lambda layer with code(?s:.*)whatever safe_mode"
    ):
        load_model(tmp_path / "net.keras", safe_mode=safe_mode)


def test_a_model_of_code_is_not_saved_and_the_file_stays_as_it_was(tmp_path):
    (tmp_path / "net.keras").write_bytes(b"before")
    model = doltap.Sequential([doltap.Input((2,)), doltap.layers.Lambda(lambda x: x + 1)])
    with pytest.raises(NotSupportedError, match="never saved as code"):
        model.save(tmp_path / "net.keras")
    assert (tmp_path / "net.keras").read_bytes() == b"before"
    assert len(list(tmp_path.iterdir())) == 1


def test_an_error_in_a_class_of_the_users_is_an_error_about_the_file(tmp_path):
    class Own(Layer):
        def __init__(self, size, **keywords):
            super().__init__(**keywords)
            self.size = size

        def call(self, x):
            return x

        @classmethod
        def from_config(cls, config):
            return cls(size=config["gone"])

    model = doltap.Sequential([doltap.Input((2,)), Own(3, name="mine")])
    model.save(tmp_path / "net.keras")
    with pytest.raises(UnknownNameError, match="'Own'"):
        load_model(tmp_path / "net.keras")
    with pytest.raises(ModelFileError, match=r"layer 'mine' in .*KeyError: 'gone'") as told:
        load_model(tmp_path / "net.keras", custom_objects={"Own": Own})
    assert isinstance(told.value.__cause__, KeyError)


# What is asked for and is not possible.


def test_a_file_of_weights_is_no_model(tmp_path):
    tower(2).save_weights(tmp_path / "net.weights.h5")
    with pytest.raises(ModelFileError, match=r"(?s)weights alone.*load_weights"):
        load_model(tmp_path / "net.weights.h5")


def test_a_file_that_is_there_is_kept_when_asked_for(tmp_path):
    model = tower(2)
    for save, name in ((model.save, "net.keras"), (model.save_weights, "net.weights.h5")):
        save(tmp_path / name, overwrite=False)
        with pytest.raises(ModelFileError, match=r"(?s)net\..*overwrite=True"):
            save(tmp_path / name, overwrite=False)


@pytest.mark.parametrize(
    ("call", "wrong"),
    [
        (lambda model, folder: model.save(folder / "x", save_format="tf"), "SavedModel"),
        (lambda model, folder: model.save(folder / "x.keras", zipped=False), "zipped"),
        (lambda model, folder: model.save_weights(folder / "x", max_shard_size=1), "max_shard_size"),
        (lambda model, folder: model.save_weights(folder / "x.weights.json"), "weights.h5"),
    ],
)
def test_a_form_that_is_not_written_is_refused(tmp_path, call, wrong):
    with pytest.raises(DoltapError, match=f"(?s){wrong}"):
        call(tower(2), tmp_path)
    assert not list(tmp_path.iterdir())


def test_json_that_is_none_says_so():
    with pytest.raises(ModelFileError, match="the JSON text"):
        model_from_json("{")
    with pytest.raises(DoltapError, match="class_name"):
        model_from_json("[]")
    with pytest.raises(ModelFileError, match="expected a model, got a Dense"):
        model_from_json(json.dumps(doltap.layers.serialize(Dense(2))))


def test_a_name_in_a_file_cannot_steer_the_terminal():
    record = record_of(tower(2))
    record.config["config"]["layers"][1]["config"] |= {"units": "x", "name": "\x1b[31mred"}
    with pytest.raises(DoltapError) as told:
        made_from(record, "FILE")
    assert "\x1b" not in str(told.value)
