"""The section on the layers: how weights and outputs are distributed, and what the first units look for."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from doltap.reporting.report import images, png
from doltap.reporting.report.charts import Frame, compact, spark
from doltap.reporting.report.learned import section
from doltap.reporting.report.markup import Markup, element
from doltap.reporting.report.subject import Inside, Subject
from doltap.reporting.report.words import Words

__all__ = ["insides_of"]

_MOST_LAYERS, _MOST_WEIGHTS, _NUM_BARS = 40, 4, 40
_ACROSS = 12
# From this share of zeros on they have no bar, beside which the others would not be seen.
_MANY = 0.1


def insides_of(subject: Subject, words: Words) -> Markup | None:
    """What the layers look like."""
    shown = [each for each in subject.insides if each.weights or each.output is not None]
    if not shown:
        return None
    outputs = [len(each.output) for each in shown if each.output is not None]
    told = words("insides_told", count=max(outputs)) if outputs else words("insides_weights")
    filters = _filters(subject, words)
    layers = [_layer(each, words) for each in shown[:_MOST_LAYERS]]
    left = len(shown) - _MOST_LAYERS
    note = element("p", words("more_layers", count=left), class_="note") if left > 0 else None
    return section("insides", words("insides"), element("p", told), filters, *layers, note)


def _filters(subject: Subject, words: Words) -> Markup | None:
    """The first weights that are as large as the pictures that come in, as pictures."""
    shapes = [shape for each in subject.inputs if (shape := images.picture_shape(each.values))]
    kernels = [
        (each.name, weights) for each in subject.insides for name, weights in each.weights if "kernel" in name
    ]
    if not shapes or not kernels:
        return None
    name, kernel = kernels[0]
    found = images.as_filters(kernel, shapes[0])
    if not found:
        return None
    # In rows of about one length, so that little is left empty.
    across = math.ceil(len(found) / math.ceil(len(found) / _ACROSS))
    whole = images.tiled(found, across)
    told = words("filters_told", count=len(found))
    zoom = max(1, round(700 / (_ACROSS * (found[0].shape[1] + 1))))
    size = {"width": whole.shape[1] * zoom, "height": whole.shape[0] * zoom}
    picture = element("img", src=Markup(png.as_address(whole)), alt=told, class_="filters", **size)
    return element("figure", element("h3", words("filters", name=name)), picture, element("figcaption", told))


def _layer(inside: Inside, words: Words) -> Markup:
    figures = [_spread(name, values, words) for name, values in inside.weights[:_MOST_WEIGHTS]]
    if inside.output is not None:
        figures.append(_spread(words("activations"), inside.output, words))
    title = element("h3", inside.name, " ", element("small", inside.kind))
    return element("div", title, element("div", *figures, class_="grid small"), class_="layer")


def _spread(name: str, values: np.ndarray, words: Words) -> Markup:
    """How numbers are distributed, as a small picture and in words."""
    flat = np.asarray(values, np.float64).reshape(-1)
    there = flat[np.isfinite(flat)]
    lines = list(_told(flat, there, words))
    chart = None
    if there.size:
        counts, edges = np.histogram(_shown(there), _NUM_BARS)
        chart = spark(edges, counts, Frame(name, " ".join(lines), width=220, height=90))
    shape = " × ".join(map(str, np.shape(values)))
    caption = element("figcaption", name, " ", element("small", shape))
    return element("figure", caption, chart, *(element("p", line, class_="note") for line in lines))


def _shown(there: np.ndarray) -> np.ndarray:
    """The numbers whose bars are drawn: where many are zero, those that are not."""
    others = there[there != 0]
    return others if 0 < others.size < (1 - _MANY) * there.size else there


def _told(flat: np.ndarray, there: np.ndarray, words: Words) -> Iterator[str]:
    if there.size:
        numbers = {"mean": there.mean(), "std": there.std(), "low": there.min(), "high": there.max()}
        yield words("spread_told", **{key: compact(float(f"{value:.3g}")) for key, value in numbers.items()})
        zeros = float(np.mean(there == 0))
        if zeros > _MANY:
            yield words("zeros" if zeros < 1 else "all_zeros", share=f"{100 * zeros:.0f}%")
    if there.size < flat.size:
        yield words("not_finite", count=f"{flat.size - there.size:,}")
