"""What can be seen of a file: all of it, or what is left where the reader refuses a part."""

from __future__ import annotations

import contextlib
import pathlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from doltap.errors import DoltapError
from doltap.files import checkpoint, formats, plain_config
from doltap.files.opening import kind_of, open_file, read_bytes
from doltap.files.plain_json import read_json
from doltap.files.record import Record
from doltap.files.zips import read_zip

__all__ = ["glimpse"]


def glimpse(path: pathlib.Path) -> tuple[Record, list[DoltapError]]:
    """What a model file or a folder of states holds, and what in it is refused.

    Raises:
        ModelFileError: there is no such file.
    """
    # A folder that cannot be looked into is refused below.
    with contextlib.suppress(OSError):
        states = checkpoint.states_in(path) if path.is_dir() else {}
        if states:
            return _of_states(states)
    try:
        record, refused = formats.read(path), list[DoltapError]()
    except DoltapError as error:
        if not path.is_file():
            raise
        record, refused = _parts(path), [error]
    try:
        plain_config.check(record.config, "the configuration")
    except DoltapError as error:
        refused.append(error)
    return record, refused


def _parts(path: pathlib.Path) -> Record:
    """The parts of a refused file that are plain by themselves."""
    record = Record("unknown")
    with contextlib.suppress(DoltapError), open_file(path) as file:
        record.format = kind_of(read_bytes(file, 64))
    with contextlib.suppress(DoltapError):
        members = read_zip(path)
        record.assets = {name: content for name, content in members.items() if not name.endswith(".json")}
        for field, name in (("metadata", "metadata.json"), ("config", "config.json")):
            value = read_json(members[name], name) if name in members else None
            if isinstance(value, dict):
                setattr(record, field, value)
    return record


def _of_states(states: dict[str, dict[str, Any] | DoltapError]) -> tuple[Record, list[DoltapError]]:
    """The newest whole state of a training, and where each of them had come to."""
    record = Record("states of a training")
    refused = [state for state in states.values() if isinstance(state, DoltapError)]
    for name, state in states.items():
        if isinstance(state, DoltapError):
            continue
        record.metadata[name] = f"epoch {state.get('epoch')}, step {state.get('step')}"
        record.paths = dict(_arrays_in(state))
        record.metadata["machine"] = state.get("machine")
    return record, refused


def _arrays_in(state: dict[str, Any]) -> Iterator[tuple[str, np.ndarray]]:
    for kind, arrays in state.items():
        for number, array in enumerate(arrays if isinstance(arrays, list) else ()):
            if isinstance(array, np.ndarray):
                yield f"{kind}/{number}", array
