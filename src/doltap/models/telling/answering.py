"""What a model answers for test data, and what is so: from arrays to the plain values of a report."""

from __future__ import annotations

import numbers
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from doltap.core.layer import Layer
from doltap.errors import DataError, ShapeError, UnknownNameError, printable
from doltap.models.telling.describing import activation_of
from doltap.reporting.report.subject import Answer, TestInput

__all__ = ["Outline", "answers_of", "inputs_of", "outlines_of", "predicted"]

_YES_OR_NO = {"en": ("no", "yes"), "ko": ("아니요", "예")}


class Outline(NamedTuple):
    """What is known of an output before it is asked.

    `task` is that of an `Answer`; `ignored` the class number whose rows do not count;
    `class_names` those of classes, labels or numbers.
    """

    name: str
    task: str
    labels: Any
    is_logits: bool
    width: int
    ignored: int | None
    class_names: Sequence[str]


def answers_of(outlines: Sequence[Outline], guesses: Any) -> list[Answer]:
    """The answers of every output beside what is so."""
    return [_answer(each, guess) for each, guess in zip(outlines, jax.tree.leaves(guesses), strict=True)]


def inputs_of(model: Any, x: Any) -> list[TestInput]:
    """The test rows of every input, as they came: numbers or text."""
    if isinstance(x, Mapping):
        return [_input(str(name), values) for name, values in x.items()]
    is_several = isinstance(x, (list, tuple)) and len(x) > 1 and all(hasattr(each, "shape") for each in x)
    if not is_several:
        return [_input("x", x)]
    names = model.input_names if len(model.inputs) == len(x) else [f"x{number}" for number in range(len(x))]
    return [_input(name, values) for name, values in zip(names, x, strict=True)]


def _input(name: str, values: Any) -> TestInput:
    columns = getattr(values, "columns", None)
    return TestInput(name, np.asarray(values), None if columns is None else [str(each) for each in columns])


def outlines_of(model: Any, rows: Any, class_names: Any, language: str, y: Any = None) -> list[Outline]:
    """What the outputs are about, from the losses and the labels; names that do not fit are an error.

    Args:
        y: the labels as they came; columns of a table have names.
    """
    goal, known = model._objective, model.known_output_names() or []
    tensors = model.outputs
    labels = rows.y if isinstance(rows.y, list) and len(rows.y) == len(tensors) else None
    if labels is None:
        is_one = len(tensors) == 1 and hasattr(rows.y, "shape")
        labels = [rows.y] if is_one else [None] * len(tensors)
    class_names = _in_order(class_names)
    names = [str(known[number] or number) if known else str(number) for number in range(len(tensors))]
    if isinstance(class_names, Mapping):
        for name in class_names:
            if name not in names:
                raise UnknownNameError.of("output in class_names", name, names)
    found = []
    for number, (tensor, truth) in enumerate(zip(tensors, labels, strict=True)):
        loss = goal.losses[number] if goal is not None else None
        width = int(tensor.shape[-1] or 1) if len(tensor.shape) > 1 else 1
        task = "unknown" if truth is None else _task(loss, truth, width, _curve_at_end(tensor))
        count = 2 if task == "yes_no" else width if task in ("classes", "labels") else 0
        given = class_names.get(names[number]) if isinstance(class_names, Mapping) else class_names
        is_meant = given is not None and (bool(count) or len(tensors) == 1)
        columns = _columns_of(y, number, names[number])
        default: Sequence[str] = [str(each) for each in range(count)]
        if task == "yes_no":
            default = _YES_OR_NO[language]
        elif len(columns) == width > 1:
            default = columns
        called = _checked_names(given, count) if is_meant else default
        is_logits, ignored = bool(getattr(loss, "from_logits", False)), getattr(loss, "ignored_class", None)
        found.append(Outline(names[number], task, truth, is_logits, width, ignored, called))
    return found


def _columns_of(y: Any, number: int, name: str) -> list[str]:
    """The names of the columns of an output's labels, where these came as a table."""
    if isinstance(y, Mapping):
        y = y.get(name)
    elif isinstance(y, (list, tuple)):
        y = y[number] if number < len(y) else None
    return [str(each) for each in getattr(y, "columns", ())]


def _in_order(given: Any) -> Any:
    """Class names as a list, where a dict has them by their numbers, or numbers by their names."""
    if not isinstance(given, Mapping) or not given:
        return given
    if all(isinstance(each, numbers.Integral) for each in given.values()):
        given = {number: name for name, number in given.items()}
    is_by_number = all(isinstance(each, numbers.Integral) for each in given)
    return [given[number] for number in sorted(given)] if is_by_number else given


def _checked_names(given: Any, count: int) -> list[str]:
    is_listed = isinstance(given, Iterable) and not isinstance(given, (str, bytes))
    names = [str(each) or str(number) for number, each in enumerate(given)] if is_listed else []
    if is_listed and len(names) == count:
        return names
    raise ShapeError(
        "class_names",
        expected=f"{count} names, one for each class" if count else "none, as the model gives numbers",
        got=f"{len(names)}" if is_listed else printable(repr(given)),
        fix="List them in the order of the class numbers, from 0." if count else "Leave it out.",
    )


def _curve_at_end(tensor: Any) -> str:
    """The name of the activation that an output ends with; empty where it is not known."""
    call = getattr(tensor.node, "call", None)
    return activation_of(call) if isinstance(call, Layer) else ""


def _task(loss: Any, y: np.ndarray, width: int, curve: str) -> str:
    """What the labels mean: "classes", "yes_no", "labels" or "numbers"."""
    kind = getattr(loss, "labels", "unknown")
    is_binary = y.dtype.kind in "biuf" and bool(np.isin(y, (0, 1)).all())
    is_one_hot = is_binary and y.ndim > 1 and y.shape[-1] == width > 1 and bool((y.sum(-1) == 1).all())
    if kind == "class numbers" or (kind == "unknown" and curve == "softmax" and y.dtype.kind in "iu"):
        return "classes" if width > 1 else "unknown"
    if kind == "one-hot" and width > 1:
        return "classes"
    if kind == "signs" or (is_binary and (kind == "probabilities" or curve == "sigmoid")):
        return "yes_no" if width == 1 else "classes" if is_one_hot else "labels"
    if is_one_hot and curve == "softmax":
        return "classes"
    return "numbers" if y.dtype.kind in "biuf" else "unknown"


def predicted(model: Any, x: Any, batch_size: int) -> Any:
    """What the model says of the test rows; an error if some of it is no number."""
    guesses = model.predict(x, batch_size=batch_size, verbose=0)
    names = model.known_output_names() or []
    for number, guess in enumerate(jax.tree.leaves(guesses)):
        is_good = np.isfinite(guess.astype(np.float32)).reshape(len(guess), -1).all(1)
        if is_good.all():
            continue
        first = int(np.flatnonzero(~is_good)[0])
        which = f" of output '{names[number]}'" if len(names) > 1 else ""
        raise DataError(
            f"the predictions{which}",
            expected="numbers",
            got=f"NaN or infinity for {int((~is_good).sum()):,} of {len(guess):,} rows, first row {first}",
            fix=f"{_reason_of_nan(model)} model.report(path) without test data shows what else is known.",
        )
    return guesses


def _reason_of_nan(model: Any) -> str:
    for layer in model.inside(Layer):
        for weight in layer.own_weights():
            if not np.isfinite(np.asarray(weight.array, np.float32)).all():
                name = printable(layer.name)
                return f"Layer '{name}' has weights that are NaN: train again, at a lower learning rate."
    return "The weights are numbers: look for a division by zero or a logarithm of zero in the model."


def _answer(outline: Outline, guess: np.ndarray) -> Answer:
    """One output's answers beside what is so, a row each."""
    name, task, y, is_logits, width, ignored, names = outline
    guess = np.asarray(guess, np.float32)
    if task == "unknown":
        return Answer(name, task, np.zeros(0), guess)
    if task == "numbers":
        flat = guess.reshape(len(guess), -1)
        y = np.asarray(y, np.float64).reshape(len(y), -1)
        names = names if len(names) == flat.shape[1] else ()
        return Answer(name, task if y.shape == flat.shape else "unknown", y, flat, names)
    rows, inner = None, int(np.prod(guess.shape[1:-1] if guess.ndim > 1 else ()))
    if inner > 1:
        rows = np.repeat(np.arange(len(guess)), inner)
    guess = guess.reshape(-1, width)
    if task == "labels":
        shares = _sigmoid(guess) if is_logits else guess
        return Answer(name, task, np.asarray(y).reshape(-1, width) > 0, shares, names, rows=rows)
    if task == "yes_no":
        is_share = is_logits or bool(((guess >= 0) & (guess <= 1)).all())
        shares = (_sigmoid(guess) if is_logits else guess).reshape(-1)
        return Answer(name, task, (np.asarray(y).reshape(-1) > 0).astype(int), shares, names, is_share, rows)
    truth = np.asarray(y)
    is_one_hot = truth.size == guess.size
    truth = truth.reshape(-1, width).argmax(-1) if is_one_hot else truth.reshape(-1).astype(int)
    if ignored is not None:
        counts = truth != ignored
        rows = (np.arange(len(guess)) if rows is None else rows)[counts]
        truth, guess = truth[counts], guess[counts]
    guess = _softmax(guess) if is_logits else guess
    # Sums are rounded: 1.0000001 is a probability.
    is_share = bool(((guess >= 0) & (guess < 1.001)).all())
    return Answer(name, task, truth, guess, names, is_share, rows)


def _sigmoid(values: np.ndarray) -> np.ndarray:
    return np.asarray(0.5 * (1 + np.tanh(0.5 * values)), np.float32)


def _softmax(values: np.ndarray) -> np.ndarray:
    grown = np.exp(values - values.max(-1, keepdims=True))
    return np.asarray(grown / grown.sum(-1, keepdims=True), np.float32)
