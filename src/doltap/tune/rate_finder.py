"""Which learning rate a model wants: about half the largest at which it still learns.

The range test of Smith, "Cyclical Learning Rates for Training Neural Networks"
(2015): the rate rises from step to step, the loss falls, and then it shoots up.
"""

from __future__ import annotations

import contextlib
import copy
import itertools
import math
import warnings
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np

from doltap import registry
from doltap.errors import DataError, NotSupportedError, optional_package
from doltap.models import arguments
from doltap.models.model import Model
from doltap.optimizers.options import AskedRate
from doltap.training import batches
from doltap.training.batches import Rows
from doltap.training.rising import Rising

__all__ = ["LearningRateRange", "find_learning_rate"]

_ME = "find_learning_rate()"
_FEWEST_STEPS = 20
# How much longer the largest rate is tried for itself: momentum, and rows unlike
# the others, can take that long to do their harm.
_LONGER = 3
_MOST_HALVINGS = 12
# Of what the loss fell at rising rates, the share that one rate may leave to be done.
_LEFT = 0.1
# What is collected of a generator before its batches are gone through again.
_COLLECTED_BYTES = 256 << 20


class LearningRateRange:
    """What a range test found: how the loss went at rising learning rates, and which one to take.

    Args:
        rates: (steps,) the learning rates, up to the last at which the loss was a number.
        losses: (steps,) the loss at each, before its step.
        largest: the largest rate that still learns.
    """

    def __init__(self, rates: np.ndarray, losses: np.ndarray, largest: float) -> None:
        self.rates, self.losses, self.largest = rates, losses, largest

    @property
    def suggestion(self) -> float:
        """Half of the largest rate that still learns."""
        return self.largest / 2

    @property
    def smoothed(self) -> np.ndarray:
        """The losses, each the mean of some before and after it: from batch to batch they jump."""
        reach = max(1, len(self.losses) // 50)
        window = np.ones(2 * reach + 1)
        sums = np.convolve(self.losses, window)[reach:-reach]
        return sums / np.convolve(np.ones_like(self.losses), window)[reach:-reach]

    def plot(self) -> Any:
        """The loss against the rate, with the largest that learns and half of it: a figure of matplotlib."""
        figure = optional_package("matplotlib.figure", extra="plot", purpose="plot()").Figure(layout="tight")
        axes = figure.add_subplot(xscale="log", xlabel="learning rate", ylabel="loss", title=str(self))
        smoothed = self.smoothed
        axes.plot(self.rates, self.losses, color="0.8", label="at each step")
        axes.plot(self.rates, smoothed, label="smoothed")
        axes.axvline(self.largest, color="C3", linestyle=":", label="the largest that learns")
        axes.axvline(self.suggestion, color="C2", linestyle="--", label="half of it")
        # What comes after the turn is far above all before it.
        low, high = smoothed.min(), smoothed[: smoothed.argmin() + 1].max()
        room = 0.3 * (high - low) or 1.0
        axes.set_ylim(low - room, high + room)
        axes.legend()
        return figure

    def __repr__(self) -> str:
        return (
            f"Learning rates up to {self.largest:.3g} still learn; half of that, {self.suggestion:.3g}, is a "
            "good one."
        )


@registry.explained
def find_learning_rate(
    model: Model,
    x: Any = None,
    y: Any = None,
    *,
    min_rate: float = 1e-6,
    max_rate: float = 10.0,
    num_steps: int = 300,
    batch_size: int | None = None,
    sample_weight: Any = None,
    class_weight: dict[int, float] | None = None,
) -> LearningRateRange:
    """The learning rate that is half of the largest at which the model still learns.

    The rate rises from step to step, and the loss falls until the rate is too
    high. The rate of that step is then tried for itself, from the start and
    three times as long, and halved until it learns. All of that is one program.

    Afterwards the model, its optimizer and its random numbers are what they
    were before; only that a model without weights has got those that `fit`
    would have given it, and that a generator has given batches away.

    Args:
        model: a compiled model, whose optimizer has a number as its learning rate.
        x, y, sample_weight, class_weight: as `fit` takes them.
        min_rate, max_rate: where the rates begin and end, rising by the same factor each time.
        num_steps: how many rates there are, one for each step.
        batch_size: rows of a step; None means 32.

    Raises:
        DataError: no rate between the bounds learns, or the loss is no number at the first.
        NotSupportedError: the learning rate follows a schedule or a function.

    >>> import doltap
    >>> doltap.utils.set_random_seed(0)
    >>> x = np.linspace(-1, 1, 64)[:, None]
    >>> model = doltap.Sequential([doltap.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> found = find_learning_rate(model, x, 3 * x)
    >>> model.optimizer.learning_rate = found.suggestion
    >>> 0.05 < found.suggestion < 2
    True
    """
    _check_model(model)
    low, high = _checked_bounds(min_rate, max_rate)
    rates = np.geomspace(low, high, arguments.count("num_steps", num_steps, least=_FEWEST_STEPS))
    size = arguments.count("batch_size", 32 if batch_size is None else batch_size)
    with _as_it_was(model):
        if batches.is_feed(x):
            arguments.refuse_beside_feed(x, y, sample_weight, 0.0)
            feed = model._feed((x, None, None), size, None, "train", class_weight)
            rows, size = _collected(feed, len(rates)), feed.first.count
        else:
            rows = model._labelled(x, y, sample_weight, "")
            model._weigh_classes(rows, class_weight)
        recipe = model._recipe("train", rows)
        _check_logs(recipe.names)
        room = _LONGER * len(rates)
        return _found(Rising(model, recipe, rows, size, room, shuffle=not batches.is_feed(x)), rates)


def _found(steps: Rising, rates: np.ndarray) -> LearningRateRange:
    losses = steps.losses(rates)
    count = len(losses) if np.isfinite(losses[-1]) else len(losses) - 1
    if count == 0:
        raise DataError(
            _ME,
            expected=f"a loss that is a number at the first rate, {rates[0]:.3g}",
            got=str(losses[0]),
            fix="No rate cures that. Bring the columns of x to one scale (layers.Normalization), and look "
            "at the loss and at the labels.",
        )
    seen = LearningRateRange(rates[:count], losses[:count], 0.0)
    smoothed = seen.smoothed
    lowest = int(smoothed.argmin())
    first, least = smoothed[0], smoothed[lowest]
    wanted = least + _LEFT * (first - least)
    if lowest > 0 and count == len(rates) and 2 * smoothed[-1] < first + least:
        # It never turned.
        lowest = count - 1
    largest = _largest_that_learns(steps, float(rates[lowest]), wanted) if lowest else None
    if largest is None:
        raise DataError(
            _ME,
            expected=f"a loss that falls at some rate between {rates[0]:.3g} and {rates[-1]:.3g}",
            got=f"{first:.4g} at the first, and no less later" if lowest == 0 else "one that only rose",
            fix="Give a smaller min_rate if the loss rose at once; if it stood still, look at the data and "
            "the network, not at the rate.",
        )
    if largest == rates[-1]:
        warnings.warn(
            f"Even the largest rate, {largest:.3g}, learns; larger ones may, too. Give a larger max_rate.",
            stacklevel=4,
        )
    return LearningRateRange(seen.rates, seen.losses, largest)


def _largest_that_learns(steps: Rising, rate: float, wanted: float) -> float | None:
    """The rate, halved until its last losses are no more than wanted; else that with the least of them."""
    tried = dict[float, float]()
    for _ in range(_MOST_HALVINGS):
        losses = steps.losses(np.full(steps.most_steps, rate))
        if np.isfinite(losses[-1]):
            tried[rate] = float(losses[-len(losses) // 3 :].mean())
            if tried[rate] <= wanted:
                return rate
        rate /= 2
    return min(tried, key=tried.__getitem__) if tried else None


@contextlib.contextmanager
def _as_it_was(model: Model) -> Iterator[None]:
    """Inside the `with` the model's programs may be made; its optimizer learns nothing of it."""
    optimizer, recipes = model.optimizer, dict(model._recipes)
    if not optimizer.built:
        # One that was never used is to have no slots from this.
        model.optimizer = copy.deepcopy(optimizer)
    try:
        yield
    finally:
        model.optimizer, model._recipes = optimizer, recipes


def _collected(feed: Any, num_batches: int) -> Rows:
    """The first batches of a feed that are of one length, one after the other."""
    found: list[Rows] = []
    for rows in itertools.islice(feed.epoch(0), num_batches):
        if rows.count == feed.first.count:
            found.append(rows)
        if sum(each.nbytes for each in found) > _COLLECTED_BYTES:
            break
    return Rows(*jax.tree.map(lambda *arrays: np.concatenate(arrays), *(rows.tree for rows in found)))


def _check_model(model: Any) -> None:
    if not isinstance(model, Model):
        name = getattr(model, "__name__", "") if callable(model) else ""
        raise DataError(
            _ME,
            expected="a compiled model",
            got=f"the {'class' if isinstance(model, type) else 'function'} {name}"
            if name
            else f"a {type(model).__name__}",
            fix=f"Call it: find_learning_rate({name}(), x, y)."
            if name
            else "For example tune.find_learning_rate(model, x, y).",
        )
    if not model.compiled:
        raise model._not_compiled("find_learning_rate")
    rate = model.optimizer.rates.get("learning_rate")
    if rate is None or isinstance(rate, AskedRate):
        raise NotSupportedError(
            _ME,
            expected="an optimizer whose learning_rate is a number",
            got=f"{type(model.optimizer).__name__} with a schedule or a function",
            fix="Compile with a number, such as SGD(0.01), and let the schedule begin at what is found.",
        )


def _checked_bounds(low: Any, high: Any) -> tuple[float, float]:
    are_numbers = all(isinstance(bound, (int, float, np.number)) for bound in (low, high))
    if not are_numbers or not 0 < low < high < math.inf:
        raise DataError(
            _ME,
            expected="0 < min_rate < max_rate",
            got=f"min_rate={low!r}, max_rate={high!r}",
            fix="Leave them out to try all from 1e-6 to 10.",
        )
    return float(low), float(high)


def _check_logs(names: list[str]) -> None:
    if "loss" not in names:
        raise NotSupportedError(
            _ME,
            expected="a train_step that logs the loss",
            got=", ".join(names) or "no logs",
            fix="Let it return {'loss': loss} among its logs.",
        )
