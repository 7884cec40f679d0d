"""The runs and searches that a folder holds: what TensorBoard and CSVLogger wrote, and the folders of `tune`.

Nothing in the files is trusted: what cannot be read is named and left out.
"""

from __future__ import annotations

import csv
import dataclasses
import itertools
import json
import math
import os
import pathlib
import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from doltap.errors import DataError, MissingPackageError, ModelFileError, printable
from doltap.reporting import events
from doltap.reporting.report.words import TEXTS, Words

__all__ = ["Candidate", "Found", "Run", "Search", "found_in"]

_DEEPEST, _MOST_FOLDERS = 8, 5000
_LARGEST_CSV, _LARGEST_JSON = 1 << 26, 1 << 24
_EVENTS = "events.out.tfevents"


@dataclasses.dataclass(frozen=True)
class Run:
    """One training: of each measure its values and their epochs, counted from 0.

    Args:
        name: its path below the folder.
        source: what wrote it.
        seconds: how long it took; None where that is not known.
    """

    name: str
    source: str
    curves: Mapping[str, Sequence[float]]
    when: Mapping[str, Sequence[int]]
    seconds: float | None = None

    @property
    def num_epochs(self) -> int:
        """How many epochs it had."""
        return len({epoch for epochs in self.when.values() for epoch in epochs})


@dataclasses.dataclass(frozen=True)
class Candidate:
    """One candidate of a search: its score is NaN where it failed."""

    number: int
    params: Mapping[str, Any]
    scores: Sequence[float]
    seconds: float
    error: str | None = None

    @property
    def mean(self) -> float:
        """The mean of its scores."""
        return sum(self.scores) / len(self.scores) if self.scores else math.nan


@dataclasses.dataclass(frozen=True)
class Search:
    """The finished candidates of a search, the best first."""

    name: str
    kind: str
    candidates: Sequence[Candidate]


@dataclasses.dataclass(frozen=True)
class Found:
    """What was found; `skipped` names what could not be read, and the key of the text that says why.

    `closed` are the folders of TensorBoard, where the package that reads them is not installed.
    """

    runs: Sequence[Run]
    searches: Sequence[Search]
    skipped: Sequence[tuple[str, str]]
    closed: Sequence[str] = ()


def found_in(folder: Any) -> Found:
    """The runs and searches in a folder and those in it.

    Raises:
        ModelFileError: there is no such folder.
        DataError: nothing of that kind is in it.
        MissingPackageError: nothing of it can be read without the package that it names.
    """
    root = pathlib.Path(os.fspath(folder))
    if not root.is_dir():
        raise ModelFileError(
            f"'{printable(root, 200)}'",
            expected="a folder with logs of trainings",
            got="a file" if root.exists() else "no such folder",
            fix="Give the folder that TensorBoard(log_dir), CSVLogger or tune's folder= wrote to.",
        )
    runs: list[Any] = []
    searches: list[Any] = []
    skipped: list[tuple[str, str]] = []
    closed: list[str] = []
    lacking: MissingPackageError | None = None
    for read, path, name, kept in _readable(root, runs, searches):
        try:
            kept += [one for one in [read(path, name)] if one is not None]
        except MissingPackageError as error:
            lacking = error
            closed.append(name)
        except (OSError, ValueError, KeyError, TypeError, RecursionError, csv.Error) as error:
            skipped.append((name, _reason(error)))
    if not runs and not searches:
        raise lacking or _nothing_in(root, skipped)
    return Found(runs, searches, skipped, closed)


def _readable(root: pathlib.Path, runs: list[Any], searches: list[Any]) -> Iterator[Any]:
    """Whatever may be a run or a search: what reads it, its path, its name, and where it belongs."""
    for place in _folders(root):
        name = str(place.relative_to(root))
        name = root.resolve().name if name == "." else name
        yield _tensorboard, place, name, runs
        yield _search, place, name, searches
        for file in sorted(place.glob("*.csv")):
            yield _csv, file, str(file.relative_to(root)), runs


def _nothing_in(root: pathlib.Path, skipped: Sequence[tuple[str, str]]) -> DataError:
    fix = "Train with callbacks=[keras.callbacks.CSVLogger('logs/run.csv')], then: doltap report logs."
    # The error ends the sentence.
    told = [f"; {name} could not be read: {Words('en')(key).rstrip('.')}" for name, key in skipped[:1]]
    why = "".join(told)
    if root.name in ("train", "validation") and any(root.glob(f"{_EVENTS}*")):
        why, fix = (
            "; it is a part of one",
            f"Give the folder above it: doltap report {printable(root.parent, 200)}",
        )
    return DataError(
        f"'{printable(root, 200)}'",
        expected="a run that TensorBoard or CSVLogger wrote, or the folder of a search",
        got=f"none{why}",
        fix=fix,
    )


def _reason(error: Exception) -> str:
    """The key of the text that says why something cannot be read."""
    if isinstance(error, UnicodeDecodeError):
        return "not_text"
    if isinstance(error, OSError):
        return "not_opened"
    return str(error) if str(error) in TEXTS else "damaged"


def _folders(root: pathlib.Path) -> Iterator[pathlib.Path]:
    """The folder and those in it, but for hidden ones and what lies behind links."""
    for place, names, _ in itertools.islice(os.walk(root), _MOST_FOLDERS):
        path = pathlib.Path(place)
        depth = len(path.relative_to(root).parts)
        names[:] = sorted(n for n in names if not n.startswith(".")) if depth < _DEEPEST else []
        yield path


def _tensorboard(place: pathlib.Path, name: str) -> Run | None:
    """The last training that TensorBoard(place) wrote down; None where there is none."""
    files = sorted((place / "train").glob(f"{_EVENTS}*")) if (place / "train").is_dir() else []
    if not files:
        return None
    try:
        when, curves, noted = events.read_epochs(place)
    except ModelFileError:
        raise ValueError("no_epochs") from None
    # Every fit has a file of its own, and one object may have written the curve of several.
    spans = [(times[0], times[-1]) for file in files if (times := list(_times(file)))]
    seconds = [end - start for start, end in spans if any(start <= time <= end for time in noted)]
    return Run(name, "TensorBoard", curves, when, sum(seconds) or None)


def _times(path: pathlib.Path) -> Iterator[float]:
    """When each event of a file was noted: the first field of its record."""
    with open(path, "rb") as file:
        while len(head := file.read(12)) == 12:
            (length,) = struct.unpack("<Q", head[:8])
            body = file.read(9)
            if length < 9 or len(body) < 9:
                return
            if body[0] == 9:
                yield struct.unpack("<d", body[1:])[0]
            file.seek(length - 9 + 4, os.SEEK_CUR)


def _csv(path: pathlib.Path, name: str) -> Run | None:
    """The last training in a file of CSVLogger; None for a table of something else."""
    if path.stat().st_size > _LARGEST_CSV:
        return None
    with open(path, encoding="utf-8-sig", newline="") as file:
        head = file.readline().strip()
        separator = next((mark for mark in ",;\t|" if mark in head), ",")
        names = next(csv.reader([head], delimiter=separator), [])
        if "epoch" not in names or len(names) < 2:
            return None
        rows = [row for row in csv.reader(file, delimiter=separator) if len(row) == len(names)]
    at = names.index("epoch")
    epochs = [int(float(row[at])) for row in rows]
    # A file that was added to holds several trainings: the last one begins where the count falls.
    start = max([place for place in range(1, len(epochs)) if epochs[place] <= epochs[place - 1]], default=0)
    curves: dict[str, list[float]] = {}
    when: dict[str, list[int]] = {}
    for place, measure in enumerate(names):
        told = [(epoch, _number(row[place])) for epoch, row in zip(epochs[start:], rows[start:], strict=True)]
        there = [(epoch, value) for epoch, value in told if value is not None]
        if measure != "epoch" and there:
            when[measure] = [epoch for epoch, _ in there]
            curves[measure] = [value for _, value in there]
    return Run(name, "CSVLogger", curves, when) if curves else None


def _number(text: str) -> float | None:
    """The number that a field holds; None for "NA", and for several in brackets."""
    try:
        return float(text)
    except ValueError:
        return None


def _search(place: pathlib.Path, name: str) -> Search | None:
    """The search whose results lie in a folder; None where there is none."""
    if not (place / "search.json").is_file():
        return None
    known = _json(place / "search.json")
    if not isinstance(known, dict) or known.get("format") != "doltap search":
        return None
    files = sorted(place.glob("candidate-*.json"))
    candidates = [_candidate(number, _json(path)) for number, path in enumerate(files)]
    candidates.sort(key=lambda each: (math.isnan(each.mean), -each.mean if each.mean == each.mean else 0.0))
    return Search(name, str(known["search"].get("class", "")), candidates) if candidates else None


def _candidate(number: int, kept: Any) -> Candidate:
    scores = [
        float(each["score"] if "score" in each else next(iter(each.values()))) for each in kept["test_scores"]
    ]
    errors = [each for each in kept["errors"] if each is not None]
    seconds = float(sum(kept["fit_seconds"]))
    return Candidate(number, dict(kept["params"]), scores, seconds, str(errors[0]) if errors else None)


def _json(path: pathlib.Path) -> Any:
    if path.stat().st_size > _LARGEST_JSON:
        raise ValueError("too_large")
    return json.loads(path.read_bytes())
