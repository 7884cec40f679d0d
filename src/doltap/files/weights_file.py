"""Weights in HDF5 as Keras 3 keeps them: an array at each path, "layers/dense/vars/0"."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from doltap.files.hdf5 import Group
from doltap.files.record import Record

__all__ = ["is_weights", "paths_of", "read", "tree_of"]


def is_weights(root: Group) -> bool:
    """Whether a file is laid out in this way."""
    return "layer_names" not in root.attributes and "model_config" not in root.attributes


def read(root: Group) -> Record:
    """The arrays of a file by their paths."""
    return Record("weights", paths=paths_of(root))


def paths_of(root: Group) -> dict[str, np.ndarray]:
    """The arrays of a file by their paths."""
    # Keras 2.12 on Windows wrote its paths with backslashes.
    return {path.replace("\\", "/"): array for path, array in _arrays(root, "")}


def _arrays(group: Group, path: str) -> Iterator[tuple[str, np.ndarray]]:
    for name, array in group.arrays.items():
        yield path + name, array
    for name, inner in group.groups.items():
        yield from _arrays(inner, f"{path}{name}/")


def tree_of(paths: Mapping[str, np.ndarray]) -> Group:
    """A file of these arrays."""
    root = Group()
    for path, array in paths.items():
        *folders, name = path.split("/")
        root.at("/".join(folders)).arrays[name] = array
    return root
