"""A folder of a search's results: what is in it when a search is killed need not be tried again.

Every finished candidate is a file of its own, written aside and renamed. One
more file says what search it is; another search is refused.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import pathlib
import re
import types
from collections.abc import Mapping
from typing import Any

import numpy as np

from doltap import config
from doltap.errors import DataError, ModelFileError, printable
from doltap.files import checkpoint
from doltap.files.plain_json import read_json, write_json
from doltap.files.writing import checked_path, make_folder, write_aside
from doltap.training import identity
from doltap.tune.results import Outcome

__all__ = ["Folder", "described", "opened", "random_state"]

_SEARCH = "search.json"
_CANDIDATE = re.compile(r"candidate-(\d{6,})\.json")
_FORMAT, _VERSION = "doltap search", 1
_LARGEST_FILE = 1 << 24


class Folder:
    """The results of one search.

    Args:
        path: made where it is not there.
        search: what the search is, as plain values; a folder of another is refused.
    """

    def __init__(self, path: pathlib.Path, search: dict[str, Any]) -> None:
        self.path = path
        make_folder(str(path))
        known = self._read(_SEARCH)
        if known is None:
            counts = list(config.counts())
            self._write(_SEARCH, {"format": _FORMAT, "version": _VERSION, "search": search, "counts": counts})
        else:
            self._check_same(known, search)
            if config.chosen_seed() is not None:
                # From the same numbers as when it was begun.
                config.set_counts(*_two_counts(known.get("counts")))
        self._kept = sorted(int(m[1]) for m in map(_CANDIDATE.fullmatch, os.listdir(path)) if m)

    def _check_same(self, known: Any, search: dict[str, Any]) -> None:
        if not isinstance(known, dict) or known.get("format") != _FORMAT:
            raise self._damaged(_SEARCH)
        for where, kept, now in identity.differences(known.get("search"), read_json(write_json(search), "")):
            raise DataError(
                f"folder '{printable(self.path, 200)}'",
                expected=f"the search that was begun there, with {where} = {kept}",
                got=f"one with {where} = {now}",
                fix="Give this search a folder of its own, or empty this one.",
            )

    def outcome(self, number: int, params: dict[str, Any]) -> Outcome | None:
        """What came of the candidate of this number when it was tried before; None if it was not."""
        if number not in self._kept:
            return None
        name = _name_of(number)
        kept = self._read(name)
        try:
            if kept["params"] != read_json(write_json(described(params)), name):
                raise ValueError("other parameters")
            fields = {one.name for one in dataclasses.fields(Outcome)} - {"params"}
            found = Outcome(params, **{key: kept[key] for key in fields})
            _check(found)
            counts = _two_counts(kept["counts"])
        except (KeyError, TypeError, ValueError) as error:
            raise self._damaged(name) from error
        # The models that it took are not made again, and those that follow start as if they were.
        made, drawn = config.counts()
        config.set_counts(made + counts[0], drawn + counts[1])
        return found

    def keep(self, number: int, outcome: Outcome, counts: tuple[int, int]) -> None:
        """Write down what came of a candidate.

        Args:
            counts: how many models were made for it, and how often was drawn.
        """
        fields = {**vars(outcome), "params": described(outcome.params), "counts": list(counts)}
        self._write(_name_of(number), fields)

    def keep_states(self, number: int, states: list[dict[str, Any]]) -> None:
        """Write down what the models of a candidate are, to go on with them."""
        folder = checkpoint.Folder(self._states_of(number), keep=1)
        folder.write({"models": states})
        folder.close()

    def states(self, number: int) -> list[dict[str, Any]]:
        """What the models of a candidate were, one for each fold."""
        found, _ = checkpoint.Folder(self._states_of(number), keep=1).newest(lambda state: False)
        if found is None or not isinstance(found.get("models"), list):
            raise self._damaged(self._states_of(number).name)
        return found["models"]

    def drop_states(self, number: int) -> None:
        """Delete them."""
        if self._states_of(number).exists():
            checkpoint.Folder(self._states_of(number), keep=1).delete()

    def _states_of(self, number: int) -> pathlib.Path:
        return self.path / f"models-{number:06}"

    def _read(self, name: str) -> Any:
        path = self.path / name
        try:
            if path.stat().st_size > _LARGEST_FILE:
                raise self._damaged(name)
            return read_json(path.read_bytes(), printable(path, 200))
        except FileNotFoundError:
            return None

    def _write(self, name: str, value: dict[str, Any]) -> None:
        text = write_json(value)
        write_aside(self.path / name, lambda path: _write_text(path, text))

    def _damaged(self, name: str) -> ModelFileError:
        return ModelFileError(
            printable(self.path / name, 200),
            expected="what a search wrote",
            got="something else",
            fix="The file is damaged: delete it, and the candidate is tried again."
            if name != _SEARCH
            else "Give the search a folder of its own.",
        )


def _write_text(path: pathlib.Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _name_of(number: int) -> str:
    return f"candidate-{number:06}.json"


def _two_counts(given: Any) -> tuple[int, int]:
    made, drawn = given
    if not all(type(one) is int and 0 <= one < 1 << 40 for one in (made, drawn)):
        raise ValueError("no counts")
    return made, drawn


def _check(outcome: Outcome) -> None:
    """An error where a file does not hold what an outcome holds."""
    num_folds = len(outcome.test_scores)
    seconds = (*outcome.fit_seconds, *outcome.score_seconds)
    scores = [*outcome.test_scores, *outcome.train_scores]
    lists = (outcome.train_scores, outcome.fit_seconds, outcome.score_seconds, outcome.errors)
    is_whole = bool(num_folds) and all(len(one) == num_folds for one in lists)
    numbers = [*seconds, *(value for one in scores for value in one.values())]
    if not is_whole or not all(isinstance(one, (int, float)) for one in numbers):
        raise ValueError("no outcome")
    if not all(one is None or isinstance(one, str) for one in outcome.errors):
        raise ValueError("no errors")


def opened(path: Any, search: dict[str, Any]) -> Folder | None:
    """The folder at the path, or None where none is asked for."""
    return None if path is None else Folder(pathlib.Path(checked_path(path)), search)


def random_state(path: Any, given: Any) -> Any:
    """What is drawn from: what is given; where that is nothing, a number that a folder keeps."""
    if path is None or given is not None:
        return given
    file = pathlib.Path(checked_path(path)) / _SEARCH
    if not file.exists():
        return int(np.random.randint(2**31 - 1))
    known = read_json(file.read_bytes(), printable(file, 200))
    search = known.get("search") if isinstance(known, dict) else None
    return search.get("random_state") if isinstance(search, dict) else None


def described(thing: Any) -> Any:
    """A setting as plain values, by which it is known again in another process.

    >>> described({"units": np.int64(3), "rate": (0.1, None)})
    {'units': 3, 'rate': [0.1, None]}
    """
    if isinstance(thing, np.generic):
        thing = thing.item()
    if thing is None or isinstance(thing, (bool, int, float, str)):
        return thing
    if isinstance(thing, Mapping):
        return {str(key): described(value) for key, value in thing.items()}
    if isinstance(thing, (list, tuple, set, frozenset, range)):
        return [described(value) for value in thing]
    if hasattr(thing, "rvs"):
        return _drawn_from(thing)
    if isinstance(thing, types.FunctionType):
        return f"{thing.__qualname__} {_code_hash(thing.__code__)}"
    if hasattr(thing, "get_params") and not isinstance(thing, type):
        return {"class": type(thing).__qualname__, **described(thing.get_params(deep=False))}
    if hasattr(thing, "__array__") and not hasattr(thing, "get_config"):
        return identity.of_data(np.asarray(thing))
    return identity.described(thing)


def _drawn_from(distribution: Any) -> Any:
    """A distribution by what it draws; its own attributes need not say."""
    kind = type(getattr(distribution, "dist", distribution)).__qualname__
    try:
        return [kind, *(described(distribution.rvs(random_state=seed)) for seed in range(3))]
    except TypeError:
        return [kind]


def _code_hash(code: types.CodeType) -> str:
    """By what a function computes, wherever it stands in its file."""
    constants = [_code_hash(one) if isinstance(one, types.CodeType) else repr(one) for one in code.co_consts]
    parts = (code.co_code.hex(), constants, code.co_names, code.co_varnames)
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]
