"""What a file is, is told by its bytes; what is no model says so."""

from __future__ import annotations

import io
import os
import zipfile

import h5py
import numpy as np
import pytest

import doltap
from doltap.errors import ModelFileError
from doltap.files import formats
from doltap.layers import Dense
from doltap.models.saving import record_of, weights_of


@pytest.fixture(scope="module")
def model():
    made = doltap.Sequential([doltap.Input((4,)), Dense(3, name="hidden"), Dense(2)])
    made.compile("adam", "mse")
    made.fit(np.ones((4, 4)), np.ones((4, 2)), verbose=0)
    return made


FORMS = ["keras", "h5", "weights", "h5_weights", "safetensors"]


def written(model, form, path):
    record = record_of(model, form) if form in ("keras", "h5") else weights_of(model, form)
    formats.write(path, record)
    return record


@pytest.mark.parametrize("form", FORMS)
def test_a_record_is_read_as_it_was_written(model, tmp_path, form):
    record = written(model, form, tmp_path / "net")
    read = formats.read(tmp_path / "net")
    assert (read.config is None) == (form in ("weights", "h5_weights", "safetensors"))
    for name, array in record.paths.items():
        assert np.array_equal(read.paths[name], array), name
        assert read.paths[name].dtype == array.dtype
    assert read.paths.keys() == record.paths.keys()
    if record.layers is None:
        assert read.names == record.names
    else:
        arrays, found = (
            [array for _, weights in one.layers for _, array in weights] for one in (record, read)
        )
        assert all(np.array_equal(*pair) for pair in zip(found, arrays, strict=True))
    if form == "keras":
        assert read.config == record.config


@pytest.mark.parametrize(
    ("name", "of_model", "of_weights"),
    [
        ("net.keras", "keras", "weights"),
        ("net.h5", "h5", "h5_weights"),
        ("NET.HDF5", "h5", "h5_weights"),
        ("net.weights.h5", "h5", "weights"),
        ("net.ckpt", "keras", "weights"),
        ("net", "keras", "weights"),
        ("net.tf", "keras", "weights"),
        ("weights.03-0.51.hdf5", "h5", "h5_weights"),
        ("net.safetensors", None, "safetensors"),
    ],
)
def test_the_name_chooses_the_format(name, of_model, of_weights):
    assert formats.format_for(name, weights_only=True) == of_weights
    if of_model is None:
        with pytest.raises(ModelFileError, match="save_weights"):
            formats.format_for(name, weights_only=False)
    else:
        assert formats.format_for(name, weights_only=False) == of_model
    assert formats.format_for(name, weights_only=False, wanted="h5") == "h5"
    assert formats.format_for(name, weights_only=False, wanted="keras") == "keras"


@pytest.mark.parametrize(
    ("form", "suffix", "wrong"),
    [
        ("keras", ".h5", "got an archive.*(?s:.*)end in .keras"),
        ("keras", ".weights.h5", "got an archive"),
        ("keras", ".safetensors", "got an archive"),
        ("h5", ".keras", "got a file of HDF5, as those of Keras 1 and 2.*(?s:.*)end in .h5"),
        ("safetensors", ".h5", "got weights as safetensors"),
        ("safetensors", ".keras", "got weights as safetensors"),
    ],
)
def test_a_suffix_that_lies_is_refused(model, tmp_path, form, suffix, wrong):
    written(model, form, tmp_path / "net")
    os.rename(tmp_path / "net", tmp_path / f"net{suffix}")
    for load in (doltap.models.load_model, model.load_weights):
        with pytest.raises(ModelFileError, match=wrong):
            load(tmp_path / f"net{suffix}")


@pytest.mark.parametrize("form", ["weights", "h5_weights"])
@pytest.mark.parametrize("suffix", [".keras", ".ckpt", "", ".hdf5", ".weights.h5"])
def test_weights_in_hdf5_are_read_under_every_suffix(model, tmp_path, form, suffix):
    written(model, form, tmp_path / "net")
    os.rename(tmp_path / "net", tmp_path / f"net{suffix}")
    other = doltap.Sequential([doltap.Input((4,)), Dense(3), Dense(2)])
    other.load_weights(tmp_path / f"net{suffix}")
    assert np.array_equal(other.get_weights()[2], model.get_weights()[2])


def cut(content):
    return content[: len(content) // 2]


def archive(**members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        for name, content in members.items():
            made.writestr(name.replace("_json", ".json"), content)
    return file.getvalue()


NO_MODELS = {
    "empty": (b"", "got an empty file"),
    "png": (b"\x89PNG\r\n\x1a\n" + bytes(30), r"got a picture \(PNG\)"),
    "pickle": (b"\x80\x04\x95" + bytes(30), r"got a pickle(?s:.*)never run"),
    "json": (b'{"class_name": "Sequential"}', r"JSON(?s:.*)model_from_json"),
    "page": (b"<!DOCTYPE html><html>", "web page"),
    "lfs": (b"version https://git-lfs.github.com/spec/v1", "git lfs pull"),
    "checkpoint": (b'model_checkpoint_path: "cp.ckpt"', r"TensorFlow checkpoint(?s:.*)make peers"),
    "noise": (b"\x01\x02\x03\x04\x05\x06\x07\x08\x09", "begins with"),
    "no-config": (archive(other="x"), "'config.json' in a .keras file"),
    "not-an-object": (archive(config_json="[]", metadata_json="{}"), "model.weights.h5"),
}


@pytest.mark.parametrize("kind", NO_MODELS)
@pytest.mark.parametrize("suffix", ["", ".keras", ".h5"])
def test_what_is_no_model_says_what_it_is(tmp_path, kind, suffix):
    content, wrong = NO_MODELS[kind]
    path = tmp_path / f"file{suffix}"
    path.write_bytes(content)
    if suffix == ".h5" and content.startswith(b"PK"):
        wrong = "as its name says"
    with pytest.raises(ModelFileError, match=rf"file{suffix}.*{wrong}"):
        doltap.models.load_model(path)


@pytest.mark.parametrize("form", FORMS)
def test_a_file_that_was_cut_off_says_so(model, tmp_path, form):
    path = tmp_path / "net"
    written(model, form, path)
    content = path.read_bytes()
    for size in (len(content) - 1, len(content) // 2, 40, 9, 3):
        path.write_bytes(content[:size])
        with pytest.raises(ModelFileError, match="net"):
            formats.read(path)


def test_a_folder_says_what_it_is(tmp_path):
    for name, content, wrong in (
        ("plain", "x.keras", "got a folder"),
        ("saved", "saved_model.pb", "SavedModel of TensorFlow(?s:.*)make peers"),
        ("steps", "cp.index", "folder of TensorFlow checkpoints"),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / content).write_bytes(b"")
        with pytest.raises(ModelFileError, match=wrong):
            formats.read(tmp_path / name)
    parts = tmp_path / "parts"
    parts.mkdir()
    for name in ("config.json", "metadata.json", "model.weights.h5"):
        (parts / name).write_bytes(b"")
    with pytest.raises(ModelFileError, match="zip -0r"):
        formats.read(parts)


def test_a_missing_file_says_what_might_be_meant(tmp_path):
    (tmp_path / "model.keras").write_bytes(b"")
    with pytest.raises(ModelFileError, match=r"no such file(?s:.*)Did you mean 'model.keras'"):
        formats.read(tmp_path / "modle.keras")
    (tmp_path / "cp.ckpt.index").write_bytes(b"")
    (tmp_path / "cp.ckpt.data-00000-of-00001").write_bytes(b"\x01\x02")
    for name in ("cp.ckpt", "cp.ckpt.data-00000-of-00001"):
        with pytest.raises(ModelFileError, match=r"TensorFlow checkpoint(?s:.*)make peers"):
            formats.read(tmp_path / name)


def test_a_failing_disk_is_noticed_and_the_old_file_stays(model, tmp_path, monkeypatch):
    path = tmp_path / "net.keras"
    path.write_bytes(b"before")
    for form in FORMS:
        record = record_of(model, form) if form in ("keras", "h5") else weights_of(model, form)
        put, check = formats._ways(record, "FILE")

        def spoiled(aside, put=put):
            put(aside)
            content = bytearray(aside.read_bytes())
            content[content.index(model.get_weights()[2].tobytes())] ^= 1
            aside.write_bytes(content)

        monkeypatch.setattr(formats, "_ways", lambda record, what, put=spoiled, check=check: (put, check))
        with pytest.raises(ModelFileError):
            formats.write(path, record)
        monkeypatch.undo()
        assert path.read_bytes() == b"before"
        assert len(list(tmp_path.iterdir())) == 1


def test_what_doltap_writes_is_hdf5_to_h5py(model, tmp_path):
    written(model, "weights", tmp_path / "net.weights.h5")
    with h5py.File(tmp_path / "net.weights.h5") as file:
        assert file["layers/dense/vars"].attrs["name"] == "hidden"
        assert file["layers/dense/vars/0"].shape == (4, 3)
        assert np.array_equal(file["layers/dense_1/vars/1"][()], model.get_weights()[3])
