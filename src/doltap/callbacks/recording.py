"""Callbacks that write down what every epoch measured."""

from __future__ import annotations

import csv
import os
import types
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

from doltap.callbacks.callback import Callback, Logs
from doltap.errors import DataError
from doltap.registry import arguments_of, check_arguments, explained

__all__ = ["CSVLogger"]


class CSVLogger(Callback):
    """Writes a line of a CSV file for each epoch, under a line of names.

    The file is open only while a line is written: whatever ends the training,
    every epoch that ended is in it.

    Args:
        filename: the file.
        separator: one character between the fields.
        append: True adds to a file that is there; False begins it anew.

    Where an interrupted training goes on, the file does too: what was written
    after the state that is taken up is cut off, and written again.
    """

    _state_types: ClassVar = {"keys": (list, types.NoneType), "_needs_header": (bool,), "_size": (int,)}

    @explained
    def __init__(self, filename: Any, separator: str = ",", append: bool = False, **keywords: Any) -> None:
        check_arguments("CSVLogger", keywords, arguments_of(CSVLogger))
        super().__init__()
        if not isinstance(separator, str) or len(separator) != 1:
            raise DataError(
                "CSVLogger(separator)", expected="one character", got=repr(separator), fix="Use ',' or ';'."
            )
        self.filename, self.sep, self.append = os.fspath(filename), separator, append
        self.keys: list[str] | None = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Begin the file, or look at what is in it."""
        # A program may go to another folder while it trains.
        self._path = Path(self.filename).absolute()
        self.keys = None
        if self.params.get("resumes"):
            return
        with open(self._path, "a" if self.append else "w", encoding="utf-8") as file:
            self._needs_header = file.tell() == 0

    def get_state(self) -> Any:
        """The columns, and how far the file is written."""
        self._size = self._path.stat().st_size if self._path.exists() else 0
        return super().get_state()

    def set_state(self, state: Any) -> None:
        """Cut off what was written after the state, where training goes on."""
        super().set_state(state)
        self.keys = self.keys and list(map(str, self.keys))
        self._path = Path(self.filename).absolute()
        if not self.params.get("resumes"):
            return
        with open(self._path, "ab") as file:
            if file.tell() > self._size >= 0:
                file.truncate(self._size)
            if not file.tell():
                self.keys, self._needs_header = None, True

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Write the epoch."""
        logs = logs or {}
        rows: list[list[Any]] = []
        if self.keys is None:
            self.keys = _columns(logs)
            rows += [["epoch", *self.keys]] if self._needs_header else []
        rows.append([epoch, *(_field(logs.get(key, "NA")) for key in self.keys)])
        with open(self._path, "a", newline="", encoding="utf-8") as file:
            csv.writer(file, delimiter=self.sep).writerows(rows)


def _columns(logs: Logs) -> list[str]:
    """The names in the order of the alphabet, with places for a validation that is still to come."""
    names = sorted(logs)
    has_validation = any(name.startswith("val_") for name in names)
    return names if has_validation else [*names, *(f"val_{name}" for name in names)]


def _field(value: Any) -> Any:
    """The value as Keras writes it: several numbers in brackets and quotes."""
    is_one = isinstance(value, str) or not isinstance(value, Iterable) or getattr(value, "ndim", 1) == 0
    return value if is_one else f'"[{", ".join(map(str, value))}]"'
