"""What an HDF5 file holds, as plain values: groups, attributes and arrays; and the checksum over them."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from doltap.files.plain_json import write_json

__all__ = ["CHECKSUM", "Group", "checksum"]

# The attribute of the outermost group that holds the checksum.
CHECKSUM = "doltap_checksum"


@dataclasses.dataclass
class Group:
    """A folder in an HDF5 file: its attributes, and what lies in it by name.

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
