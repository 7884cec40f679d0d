"""What the signs of the layers show: gradients that vanish or explode, units that are dead or stuck."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from doltap.reporting.diagnosis import measures
from doltap.reporting.diagnosis.finding import Found
from doltap.reporting.diagnosis.record import LayerSigns, Record

__all__ = [
    "batch_statistics",
    "dead_units",
    "exploding_gradients",
    "saturated_units",
    "strong_penalty",
    "vanishing_gradients",
]

# A sigmoid is nowhere steeper than 1/4: four in a row leave 1/256 of a gradient even where no
# weight makes it smaller (Hochreiter 1991; Glorot and Bengio 2010).
_VANISHED = 1 / 250
# Initializers are made so that a gradient stays as long as it is from layer to layer (Glorot
# and Bengio 2010; He et al. 2015). What grows a thousandfold was not initialized so.
_EXPLODED = 1000.0
# "As much as 40% of your network can be dead" is what Stanford's CS231n knows of rates that
# are too high; more than half of a layer is beyond that.
_DEAD = 0.5
# Of a layer that is silent this far the rest is too little for what follows.
_ALL_BUT_DEAD = 0.9
# Glorot and Bengio (2010) call a layer saturated whose numbers sit at the ends of the curve;
# with three quarters there, the other quarter is all that learns.
_SATURATED = 0.75

# A fifth of the weights with which a layer began passes on a fifth of what it saw.
_SHRUNK = 0.2
# Srivastava et al., "Dropout" (2014), find rates up to 0.5 good in hidden layers, and 0.8 to harm.
_STARVED = 0.8

# A tenth of where they began in the averages is a spread that is off by some percent.
_LAGGING = 0.1
# As in `overfitting`, but of training itself: so far behind what it learns with is not chance.
_FAR_BEHIND = 1.5

_SQUASHING = ("sigmoid", "tanh", "hard_sigmoid", "hard_tanh", "softsign", "softmax", "sparse_sigmoid")


def _hidden(signs: Sequence[LayerSigns]) -> list[LayerSigns]:
    """The layers before the last, in order, that were called and have weights to learn."""
    known = [one for one in signs if one.position >= 0 and math.isfinite(one.gradient_norm)]
    return [one for one in known[:-1] if not one.is_output]


def _passing(signs: Sequence[LayerSigns]) -> tuple[LayerSigns, LayerSigns, float] | None:
    """The first and the last hidden layer, and the gradient at the one as a share of that at the other."""
    hidden = [one for one in _hidden(signs) if math.isfinite(one.gradient_reaching)]
    if len(hidden) < 2 or hidden[-1].gradient_reaching <= 0:
        return None
    return hidden[0], hidden[-1], hidden[0].gradient_reaching / hidden[-1].gradient_reaching


def vanishing_gradients(record: Record) -> Iterator[Found]:
    """The gradient shrinks from layer to layer, so that the first ones hardly learn."""
    found = _passing(record.first_signs)
    if found is None or found[2] > _VANISHED or not _was_slow(record):
        return
    first, last, share = found
    hidden = _hidden(record.first_signs)
    if any(one.dead_share == 1 for one in hidden):
        return
    squashing = [one for one in hidden if one.activation in _SQUASHING]
    values = {"layer": first.name, "last": last.name, "share": share, "count": len(squashing)}
    # It may learn all the same, once it has got away from where it began.
    severity = 3 if measures.is_poor(record) else 2 if any(saturated_units(record)) else 1
    if len(squashing) >= 2:
        values["activation"] = squashing[0].activation
        # relu passes on what a sigmoid had bounded: the cure alone would lead to steps that are too large.
        if any(measures.are_bytes(part) for part in record.inputs):
            values["bytes"] = 255
        yield Found("vanishing_gradients", severity, first.name, values)
    else:
        yield Found("vanishing_gradients", severity, first.name, values, "small_weights")


def _was_slow(record: Record) -> bool:
    """Whether it is poor, or was no better than a constant answer for a tenth of its epochs."""
    if measures.is_poor(record):
        return True
    constants = [measures.constant_loss(output) for output in record.outputs]
    loss = record.curve("loss")
    if not constants or math.isnan(sum(constants)) or record.settings.has_penalties:
        return False
    return int((loss > 0.9 * sum(constants)).sum()) >= max(2, len(loss) / 10)


def exploding_gradients(record: Record) -> Iterator[Found]:
    """The gradient grows from layer to layer, so that steps of the first ones are wild."""
    found = _passing(record.first_signs)
    if found is None:
        return
    first, last, share = found
    if share >= _EXPLODED:
        values = {"layer": first.name, "last": last.name, "share": share}
        yield Found("exploding_gradients", 3, first.name, values)


def strong_penalty(record: Record) -> Iterator[Found]:
    """A regularizer has taken the weights away, or a Dropout nearly all units."""
    if not measures.is_poor(record):
        return
    before = {one.name: one.weight_norm for one in record.first_signs}
    if record.settings.has_penalties:
        left = {one.name: one.weight_norm / before.get(one.name, math.nan) for one in record.last_signs}
        name = min((name for name in left if left[name] < _SHRUNK), key=left.__getitem__, default=None)
        if name is not None:
            values = {"layer": name, "share": left[name]}
            yield Found("strong_penalty", 3, name, values)
            return
    name, rate = max(record.settings.dropouts, key=lambda pair: pair[1], default=("", 0.0))
    if rate >= _STARVED:
        yield Found("strong_penalty", 3, name, {"layer": name, "rate": rate}, "dropout")


def batch_statistics(record: Record) -> Iterator[Found]:
    """A BatchNormalization predicts by averages that are not yet those of the batches, or has no batches."""
    loss, held_out, settings = record.curve("loss"), record.curve("val_loss"), record.settings
    name, momentum = max(settings.averages, key=lambda pair: pair[1], default=("", 0.0))
    if not name or not len(loss):
        return
    guess = sum(measures.constant_loss(output) for output in record.outputs)
    # The mean of a single row is the row, and nothing is left of it.
    if settings.batch_size == 1 and loss[-1] > 0.9 * guess > 0:
        yield Found("batch_statistics", 3, name, {"layer": name}, "one_row")
        return
    left = momentum**settings.steps
    if left > _LAGGING and len(held_out) and held_out[-1] > _FAR_BEHIND * loss[-1] > 0:
        values = {"layer": name, "left": left, "steps": settings.steps, "loss": loss[-1]}
        yield Found("batch_statistics", 2, name, {**values, "held_out": held_out[-1]})


def dead_units(record: Record) -> Iterator[Found]:
    """Units of relu that are 0 for every row: no gradient passes them, so they stay so."""
    worst = max(_hidden(record.last_signs), key=_dead_share, default=None)
    if worst is None or _dead_share(worst) < (_DEAD if measures.is_poor(record) else _ALL_BUT_DEAD):
        return
    before = {one.name: _dead_share(one) for one in record.first_signs}.get(worst.name, 0.0)
    severity = 3 if worst.dead_share >= _ALL_BUT_DEAD else 2
    values = {"layer": worst.name, "share": worst.dead_share, "before": before}
    values["rate"] = record.settings.learning_rate
    # Who was dead before the first step did not die of the rate.
    variant = "from_the_start" if before >= worst.dead_share / 2 else ""
    yield Found("dead_units", severity, worst.name, values, variant)


def _dead_share(one: LayerSigns) -> float:
    return 0.0 if math.isnan(one.dead_share) else one.dead_share


def saturated_units(record: Record) -> Iterator[Found]:
    """Numbers at the flat ends of a curve, where a gradient hardly passes."""
    hidden = [one for one in _hidden(record.last_signs) if one.saturated_share >= _SATURATED]
    if not hidden or not (measures.is_poor(record) or _was_slow(record)):
        return
    worst = max(hidden, key=lambda one: one.saturated_share)
    values = {"layer": worst.name, "share": worst.saturated_share, "activation": worst.activation}
    yield Found("saturated_units", 2, worst.name, values)
