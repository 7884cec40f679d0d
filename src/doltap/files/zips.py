"""Zip archives from anywhere, read with care."""

from __future__ import annotations

import os
import pathlib
import zipfile
from collections.abc import Mapping

__all__ = ["read_zip", "write_zip"]


def read_zip(path: str | os.PathLike[str]) -> dict[str, bytes]:
    """The members of an archive by name, in its order; what is not plain is refused."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write_zip(path: pathlib.Path, members: Mapping[str, bytes]) -> None:
    """An archive of these members, stored as they are."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
