"""Fits whose networks differ in width only, made equal in width: one program instead of many.

A wider twin learns what its network learns, up to rounding. What is trained
longer than its network alone would take is the price of a compilation saved.
"""

from __future__ import annotations

import functools
from collections.abc import Hashable, Sequence

import numpy as np

from doltap.errors import NotSupportedError
from doltap.layers import Dense
from doltap.models.model import Model
from doltap.models.widening import widened
from doltap.tune.training import Fit, guarded, rekeyed

__all__ = ["widen"]


def widen(fits: Sequence[Fit]) -> None:
    """Give networks that differ in the widths of hidden layers those of the widest among them."""
    groups: dict[Hashable, list[Fit]] = {}
    for fit in fits:
        if fit.is_shared:
            guarded(fit, functools.partial(fit.model.ensure_built, (None, *_row_shape(fit))))
        if fit.plan is not None and fit.is_shared:
            groups.setdefault(_form(fit), []).append(fit)
    for group in groups.values():
        widths = [_widths(fit.model) for fit in group]
        if len(set(widths)) > 1:
            widest = [int(width) for width in np.max(widths, axis=0)]
            for fit in group:
                _widen(fit, widest)


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


def _widths(model: Model) -> tuple[int, ...]:
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
