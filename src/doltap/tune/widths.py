"""Fits whose networks differ in width only, made equal in width: one program instead of many.

A wider twin learns what its network learns, up to rounding. That it is trained
longer than its network alone would be is the price of a compilation saved: so
only those of similar width become one.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Hashable, Sequence

import numpy as np

from doltap.errors import NotSupportedError
from doltap.layers import Dense
from doltap.models.model import Model
from doltap.models.widening import widened
from doltap.tune.training import Fit, guarded, rekeyed

__all__ = ["widen"]

# What the programs of one architecture take to compile, and what a core computes in a
# second: two operations for a weight and a row, three times over. Both are rough.
_SECONDS_TO_COMPILE = 0.4
_WEIGHTS_PER_SECOND = 1e11 / 6
_BATCH_SIZE = 32

Widths = tuple[int, ...]


def widen(fits: Sequence[Fit]) -> None:
    """Give networks that differ in the widths of hidden layers those of the widest among them.

    Where the work that this adds would take longer than the programs that it saves, they
    stay apart.
    """
    groups: dict[Hashable, list[Fit]] = {}
    for fit in fits:
        if fit.is_shared:
            guarded(fit, functools.partial(fit.model.ensure_built, (None, *_row_shape(fit))))
        if fit.plan is not None and fit.is_shared:
            groups.setdefault(_form(fit), []).append(fit)
    clusters = [cluster for group in groups.values() for cluster in _clusters(group)]
    for widest, members in clusters:
        for fit in members:
            if _widths(fit.model) != widest:
                _widen(fit, list(widest))


def _clusters(group: Sequence[Fit]) -> list[tuple[Widths, list[Fit]]]:
    """The fits that are worth making equal, with the widths that each of them gets."""
    alike: dict[Widths, list[Fit]] = {}
    for fit in group:
        alike.setdefault(_widths(fit.model), []).append(fit)
    clusters: list[tuple[Widths, list[Fit]]] = []
    for widths in sorted(alike, key=sum, reverse=True):
        fits = alike[widths]
        for number, (widest, members) in enumerate(clusters):
            both = tuple(np.maximum(widths, widest).tolist())
            added = sum(_seconds(fit, both) for fit in fits)
            added += sum(_seconds(fit, both) - _seconds(fit, widest) for fit in members)
            if added < _SECONDS_TO_COMPILE:
                clusters[number] = both, members + fits
                break
        else:
            clusters.append((widths, fits))
    return clusters


def _seconds(fit: Fit, widths: Widths) -> float:
    """How much longer the fit would take with these widths than with its own, about."""
    assert fit.plan is not None
    settings = fit.plan.settings
    size = settings.get("batch_size") or _BATCH_SIZE
    num_steps = settings.get("epochs", 1) * math.ceil(len(fit.train) / size)
    more = _num_weights(fit.model, widths) - _num_weights(fit.model, _widths(fit.model))
    return num_steps * size * more / _WEIGHTS_PER_SECOND


def _num_weights(model: Model, widths: Widths) -> float:
    """The weights of its `Dense` layers, had the hidden ones these widths, each after the one before."""
    total, grown = 0.0, 1.0
    dense = [layer for layer in model.layers if type(layer) is Dense]
    for layer, width in zip(dense, (*widths, dense[-1].units), strict=True):
        total += layer.kernel.shape[0] * grown * width
        grown = width / layer.units
    return total


def _row_shape(fit: Fit) -> tuple[int, ...]:
    """The shape of one row of inputs; of several inputs the model knows it."""
    assert fit.table is not None
    x, _ = fit.table.content()
    return x.shape[1:] if isinstance(x, np.ndarray) else ()


def _form(fit: Fit) -> Hashable:
    """What fits have in common that may share a program once their widths are equal."""
    kinds = tuple((type(layer).__name__, _activation(layer)) for layer in fit.model.layers)
    settings = fit.key[1] if isinstance(fit.key, tuple) else None
    return kinds, type(fit.model.optimizer), settings, id(fit.table)


def _activation(layer: object) -> str:
    return str(getattr(getattr(layer, "activation", None), "__name__", ""))


def _widths(model: Model) -> Widths:
    """The units of its `Dense` layers but the last."""
    return tuple(layer.units for layer in model.layers if type(layer) is Dense)[:-1]


def _widen(fit: Fit, widths: list[int]) -> None:
    """Train a wider twin in the place of the fit's network; one that cannot be widened stays as it is."""
    assert fit.plan is not None
    try:
        twin = widened(fit.model, widths)
    except NotSupportedError:
        return
    fit.plan.model = fit.estimator.model_ = twin
    rekeyed(fit)
