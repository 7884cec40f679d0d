"""What a report is about: a model, its training and its answers, as plain values."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from doltap.reporting.diagram.record import Network

__all__ = ["Answer", "Inside", "Subject", "TestInput"]


@dataclasses.dataclass(frozen=True)
class Answer:
    """What one output says of the test rows, and what is so.

    Args:
        name: of the output; empty where there is only one.
        task: "classes" one of several, "yes_no" one of two, "labels" any of several,
            "numbers", or "unknown".
        truth: (n,) class numbers; (n,) 0 or 1; (n, k) 0 or 1; (n, d) numbers.
        guess: (n, k) shares; (n,) shares or scores; (n, k); (n, d).
        names: of the classes, labels or numbers; none where numbers have no names.
        is_share: whether the guesses are probabilities.
        rows: the test row of each of them; None where they are the rows.
    """

    name: str
    task: str
    truth: np.ndarray
    guess: np.ndarray
    names: Sequence[str] = ()
    is_share: bool = True
    rows: np.ndarray | None = None

    @property
    def chosen(self) -> np.ndarray:
        """The class that each row was taken for."""
        if self.task == "classes":
            return self.guess.argmax(-1)
        return (self.guess > (0.5 if self.is_share else 0.0)).astype(int)

    @property
    def shares(self) -> np.ndarray:
        """The probability of every class, (n, k)."""
        if self.task == "classes":
            return self.guess
        return np.stack([1 - self.guess, self.guess], -1)


@dataclasses.dataclass(frozen=True)
class TestInput:
    """The test rows of one input: an array, rows first, with names for its columns where there are any."""

    name: str
    values: np.ndarray
    columns: Sequence[str] | None = None

    # pytest takes what is called Test for one.
    __test__ = False


@dataclasses.dataclass(frozen=True)
class Inside:
    """What is inside a layer: weights by name, and what it gives for some test rows."""

    name: str
    kind: str
    weights: Sequence[tuple[str, np.ndarray]] = ()
    output: np.ndarray | None = None


@dataclasses.dataclass(frozen=True)
class Subject:
    """All that a report tells.

    Args:
        curves: what was measured after each epoch; `when` has the epochs, counted from 0.
        scores: what `evaluate` says of the test rows, by name.
        findings: what the diagnosis found, worst first: (severity, sentence, cure).
        signs: the vital signs of the layers, by their names.
        facts: what is needed to do it again, each a word's key and what there is to
            say; None for a seed that was not set.
        settings: texts of some length, by the word's key.
    """

    name: str
    title: str
    network: Network
    num_parameters: int
    num_trainable: int
    curves: Mapping[str, Sequence[Any]]
    when: Mapping[str, Sequence[int]]
    scores: Mapping[str, float] = dataclasses.field(default_factory=dict)
    answers: Sequence[Answer] = ()
    inputs: Sequence[TestInput] = ()
    insides: Sequence[Inside] = ()
    findings: Sequence[tuple[str, str, str]] | None = None
    signs: Sequence[Any] = ()
    facts: Sequence[tuple[str, str | None]] = ()
    settings: Sequence[tuple[str, str]] = ()

    @property
    def num_rows(self) -> int:
        """How many test rows there are."""
        return len(self.inputs[0].values) if self.inputs else 0
