"""Weights by their paths, to groups and back."""

from __future__ import annotations

import numpy as np

from doltap.files import weights_file
from doltap.files.hdf5 import Group
from doltap.files.record import Record


def test_arrays_stand_at_their_paths_and_names_at_the_groups():
    record = Record("weights", paths={"vars/0": np.zeros(2), "layers/dense/vars/0": np.ones(3)})
    record.names = {"": "net", "layers/dense": "hidden", "layers/dropout": "dropout"}
    root = weights_file.tree_of(record)
    assert root.groups["vars"].attributes == {"name": "net"}
    assert root.at("layers/dense/vars").arrays["0"].shape == (3,)
    assert root.at("layers/dropout/vars").arrays == {}
    read = weights_file.read(root)
    assert read.paths.keys() == record.paths.keys()
    assert read.names == record.names


def test_paths_that_windows_wrote_are_the_same_paths():
    root = Group()
    root.at("_layer_checkpoint_dependencies\\dense").at("vars").arrays["0"] = np.zeros(2)
    assert list(weights_file.read(root).paths) == ["_layer_checkpoint_dependencies/dense/vars/0"]


def test_names_that_are_no_texts_are_left_out():
    root = Group()
    root.at("layers/dense/vars").attributes["name"] = 3
    assert weights_file.read(root).names == {}
