"""Weights in HDF5 as Keras 3 keeps them: an array at each path, "layers/dense/vars/0"."""

from __future__ import annotations

from collections.abc import Iterator

from doltap.files.hdf5 import Group
from doltap.files.record import Record

__all__ = ["is_weights", "read", "tree_of"]


def is_weights(root: Group) -> bool:
    """Whether a file is laid out in this way, and not as Keras 1 and 2 did."""
    return not {"layer_names", "model_config"} & set(root.attributes)


def read(root: Group) -> Record:
    """The arrays of a file by their paths, and the names of what they belong to."""
    record = Record("weights")
    for path, group in _groups(root, ""):
        # Keras 2.12 on Windows wrote its paths with backslashes.
        path = path.replace("\\", "/")
        record.paths |= {f"{path}/{name}".removeprefix("/"): array for name, array in group.arrays.items()}
        name = group.attributes.get("name")
        if isinstance(name, str) and path.split("/")[-1] == "vars":
            record.names[path.removesuffix("vars").removesuffix("/")] = name
    return record


def _groups(group: Group, path: str) -> Iterator[tuple[str, Group]]:
    yield path, group
    for name, inner in group.groups.items():
        yield from _groups(inner, f"{path}/{name}".removeprefix("/"))


def tree_of(record: Record) -> Group:
    """A file of these arrays."""
    root = Group()
    for path, name in record.names.items():
        root.at(f"{path}/vars".removeprefix("/")).attributes["name"] = name
    for path, array in record.paths.items():
        *folders, name = path.split("/")
        root.at("/".join(folders)).arrays[name] = array
    return root
