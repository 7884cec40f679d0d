"""Keras 3's archives: what is in them, and what must be."""

from __future__ import annotations

import json
import zipfile

import numpy as np
import pytest

import doltap
from doltap.errors import ModelFileError
from doltap.files import keras_file, zips
from doltap.files.record import Record
from doltap.layers import Dense, IntegerLookup, StringLookup
from doltap.models import load_model
from doltap.models.saving import record_of


def some_record():
    return Record(
        "keras",
        {"class_name": "Sequential", "config": {}},
        paths={"layers/dense/vars/0": np.ones((2, 3), "float32")},
        assets={"assets/layers/lookup/vocabulary.txt": b"a\nb"},
    )


def test_the_members_are_those_of_keras(tmp_path):
    keras_file.write(tmp_path / "net.keras", some_record())
    with zipfile.ZipFile(tmp_path / "net.keras") as archive:
        assert archive.namelist()[:3] == ["metadata.json", "config.json", "model.weights.h5"]
        assert all(member.compress_type == zipfile.ZIP_STORED for member in archive.infolist())
        metadata = json.loads(archive.read("metadata.json"))
    assert metadata["keras_version"].startswith("3.")
    read = keras_file.read(tmp_path / "net.keras", "FILE")
    assert read.assets == some_record().assets
    assert np.array_equal(read.paths["layers/dense/vars/0"], np.ones((2, 3)))


def repacked(path, change):
    """The archive with changed members, packed by others than doltap."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        (lambda members: members.pop("metadata.json"), "expected 'metadata.json'"),
        (lambda members: members.update({"config.json": b"[1]"}), "config.json in FILE: expected an object"),
        (lambda members: members.update({"metadata.json": b"{"}), "metadata.json in FILE"),
        (lambda members: members.update({"model.weights.h5": b"x"}), "model.weights.h5 in FILE"),
        (lambda members: members.update({"setup.py": b""}), "'setup.py' beside them"),
        (
            lambda members: members.update(
                {"metadata.json": b'{"keras_version": "2.13.1"}', "config.json": b'{"config": {"layers": 3}}'}
            ),
            "config.json in FILE.*Keras 2",
        ),
    ],
)
def test_what_is_not_as_it_must_be_is_told_by_its_name(tmp_path, change, wrong):
    keras_file.write(tmp_path / "net.keras", some_record())
    repacked(tmp_path / "net.keras", change)
    with pytest.raises(ModelFileError, match=wrong):
        keras_file.read(tmp_path / "net.keras", "FILE")


def test_a_vocabulary_beside_the_configuration_is_taken_up(tmp_path):
    words, numbers = StringLookup(output_mode="one_hot"), IntegerLookup(output_mode="tf_idf")
    words.adapt(["b", "a", "b"])
    numbers.adapt([[3, 4], [4, 5]])
    text, number = doltap.Input((1,), dtype="string"), doltap.Input((1,), dtype="int64")
    model = doltap.Model([text, number], [Dense(2)(words(text)), numbers(number)])
    path = tmp_path / "net.keras"
    model.save(path)

    def as_keras(members):
        config = json.loads(members["config.json"])
        for layer in config["config"]["layers"]:
            if "vocabulary" in layer["config"]:
                terms = {"StringLookup": ["[UNK]", "b", "a"], "IntegerLookup": [-1, 4, 5, 3]}[
                    layer["class_name"]
                ]
                layer["config"] |= {"vocabulary": None, "idf_weights": None}
                layer["config"].pop("has_input_vocabulary")
                kind = doltap.registry.snake_case(layer["class_name"])
                lines = "\n".join(map(str, terms)).encode()
                members[f"assets/layers/{kind}/vocabulary.txt"] = lines
        members["config.json"] = json.dumps(config).encode()

    repacked(path, as_keras)
    read = load_model(path)
    found = {type(layer): layer for layer in read.layers}
    assert found[StringLookup].get_vocabulary() == words.get_vocabulary()
    assert found[IntegerLookup].get_vocabulary() == numbers.get_vocabulary()
    x = [np.array([["a"], ["x"]]), np.array([[5], [9]])]
    for one, other in zip(read.predict(x, verbose=0), model.predict(x, verbose=0), strict=True):
        assert np.allclose(one, other, atol=1e-6)
    assert record_of(read).paths.keys() == record_of(model).paths.keys()


def test_members_above_four_gigabytes_are_told_in_long_numbers(tmp_path):
    large = zips._Member("large", b"large", 0, 0, 7, 5 << 30, 5 << 30, 0, 0o100644)
    with open(tmp_path / "a.zip", "wb") as file:
        head = zips._head(large, is_large=True)
        file.write(head)
        # A hole in the file takes no room on the disk.
        file.seek(len(head) + large.size)
        small = zips._put(file, "small", b"content")
        start = file.tell()
        file.write(zips._entry(large) + zips._entry(small))
        file.write(zips._ending(2, start, file.tell(), b""))
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert [member.file_size for member in archive.infolist()] == [5 << 30, 7]
        assert archive.read("small") == b"content"
        with archive.open("large") as member:
            assert member.read(5) == bytes(5)
