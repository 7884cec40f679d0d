"""The sections on what the model is, how it learned, and what the diagnosis says of that."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from doltap.reporting.curves import panels
from doltap.reporting.diagram.layout import Drawing, laid_out
from doltap.reporting.diagram.record import Network, Part, Shows
from doltap.reporting.diagram.svg import as_svg
from doltap.reporting.report.charts import Frame, Series, compact, curves, legend
from doltap.reporting.report.markup import Markup, element, joined, table
from doltap.reporting.report.subject import Subject
from doltap.reporting.report.words import Words

__all__ = ["best_of", "diagnosis_of", "is_rising", "learning_of", "model_of", "section"]

_MOST_BOXES, _MOST_ROWS, _MOST_PANELS, _PAGE_WIDTH = 60, 200, 24, 990
# Measures of which more is better, by what their names contain.
_RISING = (
    "acc",
    "auc",
    "precision",
    "recall",
    "f1",
    "f_",
    "fbeta",
    "r2",
    "iou",
    "cosine",
    "score",
    "dice",
    "positives",
)


def section(key: str, title: str, *content: Markup | None) -> Markup:
    """A part of the page, with its heading."""
    return element("section", element("h2", title), *content, id=key)


def model_of(subject: Subject, words: Words) -> Markup:
    """What the model is: a sentence, the picture, and the table of layers."""
    parts = list(_parts_in(subject.network))
    count = sum(part.family != "input" for part, _ in parts)
    numbers = {"parameters": f"{subject.num_parameters:,}", "trainable": f"{subject.num_trainable:,}"}
    told = element("p", words("model_told", count=count, **numbers))
    note = None if subject.network.has_links else element("p", words("no_links"), class_="note")
    if len(parts) > _MOST_BOXES:
        picture = element("p", words("too_many_layers", count=count), class_="note")
    else:
        labels = {key: words(key) for key in ("input", "output", "type", "yes", "no", "calls")}
        labels |= {key: words(key).lower() for key in ("activation", "parameters")}
        drawing = as_svg(_drawn(subject.network, Shows(labels=labels)))
        title = words("diagram_of", name=subject.name)
        picture = element(
            "div", Markup(drawing), class_="scroll picture", tabindex="0", role="region", aria_label=title
        )
    return section("model", words("model"), told, note, picture, _layer_table(parts, words))


def _drawn(network: Network, shows: Shows) -> Drawing:
    """The picture, from left to right where it is less high and no wider than the page."""
    across = laid_out(network, shows, "LR")
    return across if across.width <= _PAGE_WIDTH and across.height <= 400 else laid_out(network, shows)


def _parts_in(network: Network, depth: int = 0) -> list[tuple[Part, int]]:
    found = []
    for part in network.parts:
        found.append((part, depth))
        found += _parts_in(part.inner, depth + 1) if part.inner is not None else []
    return found


def _layer_table(parts: Sequence[tuple[Part, int]], words: Words) -> Markup:
    head = [words(key) for key in ("layer", "kind", "activation", "output_shape", "parameters", "trained")]
    moved = {None: "", True: words("yes"), False: words("no")}
    rows = [
        (
            "– " * depth + part.name,
            part.kind,
            part.activation,
            part.output_shape,
            "" if part.parameters is None else f"{part.parameters:,}",
            moved[part.is_trainable],
        )
        for part, depth in parts[:_MOST_ROWS]
    ]
    made = table(words("layers_table"), head, rows, texts=(1, 2, 3, 5))
    left = len(parts) - _MOST_ROWS
    return joined([made, element("p", words("more_layers", count=left), class_="note") if left > 0 else None])


def best_of(name: str, values: Sequence[float]) -> int | None:
    """The place of the best value of a measure; None where none is a number.

    >>> best_of("val_accuracy", [0.5, 0.9, 0.8]), best_of("loss", [0.5, 0.9, 0.3])
    (1, 2)
    """
    found = np.asarray(values, np.float64)
    if not np.isfinite(found).any():
        return None
    found = np.where(np.isfinite(found), found, np.nan)
    return int(np.nanargmax(found) if is_rising(name) else np.nanargmin(found))


def is_rising(name: str) -> bool:
    """Whether more is better for a measure of this name."""
    return any(word in name for word in _RISING) and "loss" not in name


def learning_of(subject: Subject, words: Words) -> Markup:
    """How it learned: a chart for each measure, and a table of first, last and best values."""
    numbers = {name: values for name, values in subject.curves.items() if _are_numbers(values)}
    if not numbers:
        return section("learning", words("learning"), element("p", words("no_history"), class_="note"))
    charts = [_panel(name, numbers, subject.when, words) for name in panels(numbers)[:_MOST_PANELS]]
    has_validation = any(name.startswith("val_") for name in numbers)
    kinds = [Series(words("training"), (), (), 0), Series(words("validation"), (), (), 1)]
    key = legend(kinds if has_validation else kinds[:1])
    grid = element("div", *charts, class_="grid")
    return section("learning", words("learning"), key, grid, _measures(numbers, subject.when, words))


def _are_numbers(values: Sequence[Any]) -> bool:
    return bool(len(values)) and all(
        np.ndim(value) == 0 and np.asarray(value).dtype.kind in "biuf" for value in values
    )


def _panel(
    name: str, numbers: Mapping[str, Sequence[Any]], when: Mapping[str, Sequence[int]], words: Words
) -> Markup:
    series, told = [], []
    for key, kind, style in ((name, "training", 0), (f"val_{name}", "validation", 1)):
        if key in numbers:
            values = [float(value) for value in numbers[key]]
            epochs = [epoch + 1 for epoch in when.get(key, range(len(values)))]
            series.append(Series(words(kind), epochs[: len(values)], values[: len(epochs)], style))
            ends = {"first": compact(values[0]), "last": compact(values[-1]), "count": len(values)}
            told.append(words("curve_told", name=key, **ends))
    title = name.replace("_", " ")
    chart = curves(series, Frame(title, " ".join(told), words("epoch")))
    return element("figure", element("figcaption", title), chart)


def _measures(
    numbers: Mapping[str, Sequence[Any]], when: Mapping[str, Sequence[int]], words: Words
) -> Markup:
    head = [words(key) for key in ("measure", "first", "last", "best", "at_epoch")]
    rows = []
    for name, given in numbers.items():
        values = [float(value) for value in given]
        place = best_of(name, values)
        epochs = when.get(name, range(len(values)))
        best = ("-", "-") if place is None else (compact(values[place]), str(epochs[place] + 1))
        rows.append((name, compact(values[0]), compact(values[-1]), *best))
    return table(words("measures"), head, rows)


def diagnosis_of(subject: Subject, words: Words) -> Markup:
    """What the diagnosis found, and the vital signs of the layers."""
    if subject.findings is None:
        told = element("p", words("not_diagnosed"), class_="note")
    elif not subject.findings:
        told = element("p", words("healthy"), class_="good")
    else:
        items = [
            element(
                "li",
                element("p", sentence),
                element("p", element("b", words("cure")), " ", cure) if cure else None,
                class_=f"finding {severity}",
            )
            for severity, sentence, cure in subject.findings
        ]
        told = element("ol", *items, class_="findings")
    return section("diagnosis", words("diagnosis"), told, _signs_table(subject.signs, words))


def _signs_table(signs: Sequence[Any], words: Words) -> Markup | None:
    """The signs that at least one layer has."""
    names = ("gradient_norm", "weight_norm", "update_ratio", "dead_share", "saturated_share")
    there = [name for name in names if any(math.isfinite(getattr(each, name)) for each in signs)]
    if not there:
        return None
    rows = [(each.name, *(_sign(name, getattr(each, name)) for name in there)) for each in signs[:_MOST_ROWS]]
    return table(words("signs"), [words("layer"), *map(words, there)], rows)


def _sign(name: str, value: float) -> str:
    if not math.isfinite(value):
        return ""
    return f"{100 * value:.1f}%" if name.endswith("share") else f"{value:.3g}"
