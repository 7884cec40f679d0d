"""HDF5 from anywhere, read with care: groups, attributes and arrays of plain types, and nothing else."""

from __future__ import annotations

import dataclasses
import io
import pathlib
from typing import Any

import ml_dtypes  # noqa: F401 - teaches NumPy their names
import numpy as np

from doltap.errors import optional_package

__all__ = ["Group", "read_hdf5", "write_hdf5"]

# Types that HDF5 has no word for: Keras keeps their bytes, and the name as an attribute.
_OPAQUE = {name: np.dtype(name) for name in ("bfloat16", "float8_e4m3fn", "float8_e5m2")}


@dataclasses.dataclass
class Group:
    """A folder in an HDF5 file: its attributes, and what lies in it by name, in the file's order.

    Attributes are texts, numbers, booleans, or lists of such; arrays are numbers.
    """

    attributes: dict[str, Any] = dataclasses.field(default_factory=dict)
    groups: dict[str, Group] = dataclasses.field(default_factory=dict)
    arrays: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)

    def at(self, path: str) -> Group:
        """The group at this path below, made where it is not there yet: "layers/dense/vars"."""
        group = self
        for name in path.split("/"):
            group = group.groups.setdefault(name, Group())
        return group


def read_hdf5(source: str | pathlib.Path | bytes, what: str) -> Group:
    """Everything in a file; what is not plain is refused.

    Args:
        source: a path, or the bytes of a file.
        what: the file is, as errors name it.
    """
    h5py = optional_package("h5py", extra="all", purpose="model files")
    with h5py.File(io.BytesIO(source) if isinstance(source, bytes) else source, "r") as file:
        return _read(file, h5py)


def _read(group: Any, h5py: Any) -> Group:
    found = Group({name: _plain(value) for name, value in group.attrs.items()})
    for name, item in group.items():
        if isinstance(item, h5py.Group):
            found.groups[name] = _read(item, h5py)
        else:
            array = item[()]
            found.arrays[name] = array.view(_OPAQUE[item.attrs["dtype"]]) if array.dtype.kind == "V" else array
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, np.ndarray):
        return [_plain(one) for one in value.tolist()]
    return value.item() if isinstance(value, np.generic) else value


def write_hdf5(target: str | pathlib.Path | io.BytesIO, root: Group) -> None:
    """A file of these groups, attributes and arrays."""
    h5py = optional_package("h5py", extra="all", purpose="model files")
    with h5py.File(target, "w") as file:
        _write(file, root)


def _write(group: Any, content: Group) -> None:
    for name, value in content.attributes.items():
        group.attrs[name] = value
    for name, array in content.arrays.items():
        item = group.create_dataset(name, data=array)
        if array.dtype.kind == "V":
            item.attrs["dtype"] = str(array.dtype)
    for name, inner in content.groups.items():
        _write(group.create_group(name, track_order=True), inner)
