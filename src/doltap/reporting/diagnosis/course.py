"""What the course of a run shows: how the loss went, and whether it goes on to be of use."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from doltap.reporting.diagnosis import measures
from doltap.reporting.diagnosis.finding import Found
from doltap.reporting.diagnosis.record import LayerSigns, Output, Record

__all__ = [
    "constant_answers",
    "diverged",
    "large_batches",
    "learns_nothing",
    "nothing_moves",
    "not_finite",
    "overfitting",
    "plateau",
    "rate_too_high",
    "rate_too_low",
    "underfitting",
]

# A step is usually about a thousandth of the weights it moves (Karpathy, CS231n); fifty
# times that is rough, and a hundredth of it hardly a step.
_ROUGH, _CREEPING = 0.05, 1e-5
# The learning rates that optimizers have by themselves, as Keras chose them; a fifth of that
# is a choice, and the first thing to doubt where the loss falls and falls.
_USUAL = {"SGD": 0.01, "Ftrl": 0.001, "Adagrad": 0.001, "Adafactor": 0.001}
_USUAL_OF_OTHERS = 0.001
_LOW = 1 / 5
# A hundredth of the rate in the first half of the run leaves nothing for the second; a cosine comes
# to it in the last sixteenth.
_FADED = 1 / 100
# Optimizers whose steps are as long as their rate, whatever the gradient; a hundred times what
# they have by themselves moves every weight by a tenth at once.
_AS_LONG_AS_THE_RATE = ("Adam", "AdamW", "Adamax", "Nadam", "RMSprop", "Lion")
_FAR_ABOVE = 100
# Pascanu et al. (2013) cut gradients at the length that is usual, so that only the rare long ones are cut.
_CUT = 0.1
# Prechelt, "Early Stopping - But When?" (1998), stops where the validation loss is up to 5%
# above its lowest; twice that is no chance any more.
_ABOVE_BEST = 0.10
_EPOCHS_AFTER_BEST = 3
# After fewer epochs than this a loss that is high, or has jumped, may just have begun.
_FEWEST_EPOCHS = 5
# Of a loss near zero a tenth is nothing; a fiftieth of that of guessing is something.
_OF_GUESSING = 0.02
# So much better on what it has seen is learned by heart; beyond two standard errors of the share.
_GAP = 0.15
# Masters and Luschi (2018) find the best batches between 2 and 32, and none above 128 better.
_LARGE_BATCH = 256
_FEW_BATCHES = 10
_FEW_STEPS = 500
# Of fewer validation rows the loss is mostly chance.
_FEWEST_HELD_OUT = 50
_ACCURACIES = (
    "accuracy",
    "acc",
    "binary_accuracy",
    "categorical_accuracy",
    "sparse_categorical_accuracy",
)
# An epoch's worth of progress below this is none.
_FLAT = 0.01


def not_finite(record: Record) -> Iterator[Found]:
    """The loss is no number any more."""
    loss = record.curve("loss")
    bad = ~np.isfinite(loss)
    if bad.any():
        epoch = record.when["loss"][int(bad.argmax())] + 1
        steepest = _largest_step(record)
        values: dict[str, Any] = {
            "epoch": epoch,
            "rate": record.settings.learning_rate,
            "optimizer": record.settings.optimizer,
        }
        if steepest is not None:
            values |= {"layer": steepest.name, "ratio": steepest.update_ratio}
        name = None if steepest is None else steepest.name
        variant = "" if steepest else "no_signs"
        if record.explained:
            values["where"] = {language: where for language, (where, _) in record.explained.items()}
            values["help"] = {language: cure for language, (_, cure) in record.explained.items()}
            name, variant = (None, "explained") if all(values["help"].values()) else (name, variant)
        yield Found("not_finite", 3, name, values, variant)
        return
    bad = ~np.isfinite(record.curve("val_loss"))
    if bad.any():
        values = {"epoch": record.when["val_loss"][int(bad.argmax())] + 1, **measures.told_of_stray(record)}
        yield Found("not_finite", 2, None, values, "validation" if record.stray else "validation_unknown")


def _largest_step(record: Record) -> LayerSigns | None:
    """The layer with the largest step, as a share of its weights, among all signs taken."""
    known = [one for signs in record.signs.values() for one in signs if math.isfinite(one.update_ratio)]
    return max(known, key=lambda one: one.update_ratio, default=None)


def diverged(record: Record) -> Iterator[Found]:
    """The loss ends above where it began."""
    loss = record.curve("loss")
    if len(loss) < 2 or not np.isfinite(loss).all():
        return
    before = _loss_at_start(record)
    start = max(loss[0], before) if math.isfinite(before) else loss[0]
    # From one epoch to the next a loss moves by some percent; half as much again is another matter.
    # A loss below 0, as a likelihood has it, is half as high again above itself, too.
    if loss[-1] > start + abs(start) / 2 and loss[-1] > loss.min() + abs(loss.min()):
        values = {"start": start, "end": loss[-1], "rate": record.settings.learning_rate}
        yield Found("diverged", 3, None, {**values, "optimizer": record.settings.optimizer})


def _loss_at_start(record: Record) -> float:
    """The loss before the first step; NaN where it was not measured."""
    return float(sum(record.losses[0])) if record.losses.get(0) else math.nan


def rate_too_high(record: Record) -> Iterator[Found]:
    """The loss jumps up and down, or stays above that of a constant answer while the steps are large."""
    loss = record.curve("loss")
    if len(loss) < _FEWEST_EPOCHS or not np.isfinite(loss).all() or not measures.is_poor(record):
        return
    steepest = _largest_step(record)
    ratio = steepest.update_ratio if steepest else math.nan
    times = record.settings.learning_rate / _USUAL_OF_OTHERS
    jumps = int((np.diff(loss) > 0.1 * np.abs(loss[:-1])).sum())
    late = _largest_step(_at_end(record))
    # Of a weight that is small at its best, a step is large however small it is.
    is_lost = not measures.explained(record) > _OF_GUESSING
    values = {"rate": record.settings.learning_rate, "optimizer": record.settings.optimizer, "jumps": jumps}
    values |= {"epochs": len(loss), "ratio": ratio, "layer": steepest.name if steepest else ""}
    if jumps >= max(2, len(loss) / 5):
        yield Found("rate_too_high", 3, None, values, "jumps")
    elif is_lost and late is not None and late.update_ratio > _ROUGH:
        yield Found("rate_too_high", 3, late.name, {**values, "layer": late.name, "ratio": late.update_ratio})
    elif record.settings.optimizer in _AS_LONG_AS_THE_RATE and times >= _FAR_ABOVE:
        values |= {"usual": _USUAL_OF_OTHERS, "times": times}
        yield Found("rate_too_high", 3, None, values, "far_above")


def _at_end(record: Record) -> Record:
    last = {max(record.signs): record.last_signs} if record.signs else {}
    return Record(record.curves, record.when, last)


def rate_too_low(record: Record) -> Iterator[Found]:
    """The loss falls, and falls, and would fall for many more epochs."""
    loss, settings = record.curve("loss"), record.settings
    faded = _faded(record)
    if faded is not None:
        yield Found("rate_too_low", 2, None, {**faded, "by": settings.sets_rate}, "faded")
        return
    if len(loss) < 3 or not np.isfinite(loss).all() or _has_turned(record):
        return
    pace, usual = measures.pace_of(loss), _USUAL.get(settings.optimizer, _USUAL_OF_OTHERS)
    ratios = [one.update_ratio for one in record.last_signs if math.isfinite(one.update_ratio)]
    creeps = bool(ratios) and float(np.median(ratios)) < _CREEPING
    is_low = settings.learning_rate <= _LOW * usual
    # A loss near nothing has nowhere to go, and one that is halved in some epochs is not slow.
    is_slow = pace.is_steady and pace.epochs_to_halve > 1.5 * len(loss)
    left = measures.explained(record)
    if not (is_low or (creeps and measures.is_poor(record))) or not is_slow or left > 0.95:
        return
    values = {"rate": settings.learning_rate, "usual": usual, "optimizer": settings.optimizer}
    values |= {"epochs": len(loss), "share": pace.per_epoch, "needed": pace.epochs_to_halve}
    values["ratio"] = float(np.median(ratios)) if ratios else math.nan
    variant = "creeps" if pace.epochs_to_halve > 1e6 else ""
    if settings.optimizer == "SGD" and not settings.momentum:
        variant = f"plain_sgd{'_creeps' if variant else ''}"
    clipped = _braked_by_clipping(record)
    yield Found("rate_too_low", 2, None, values | clipped, "clipped" if clipped else variant)


def _braked_by_clipping(record: Record) -> dict[str, Any]:
    """What cuts gradients to a tenth of their length, or less; empty where nothing does."""
    settings = record.settings
    known = [one for one in record.last_signs if one.gradient_norm > 0 and one.update_ratio > 0]
    # Other optimizers divide by the length of the gradients, and are not slowed by it.
    if settings.clip is None or settings.optimizer != "SGD" or not known:
        return {}
    steps = [one.update_ratio * one.weight_norm for one in known]
    whole = [settings.learning_rate * one.gradient_norm for one in known]
    if not np.median(np.divide(steps, whole)) < _CUT:
        return {}
    name, limit = settings.clip
    return {"clip": name, "limit": limit, "length": float(np.median([one.gradient_norm for one in known]))}


def _faded(record: Record) -> dict[str, float] | None:
    """From where to where the rate fell in the first half of the run, and when, where that did harm."""
    curve = record.curve("learning_rate")
    rates: Mapping[int, float] = record.settings.rates or dict(enumerate(curve.tolist()))
    early = [epoch for epoch in rates if epoch <= len(record.curve("loss")) / 2]
    if not record.settings.sets_rate or len(record.curve("loss")) < _FEWEST_EPOCHS or not early:
        return None
    highest = max(rates.values())
    gone = next((epoch for epoch in early if rates[epoch] <= highest * _FADED), None)
    if gone is None or not (measures.is_poor(record) or measures.behind_neighbours(record)):
        return None
    return {"start": highest, "rate": rates[gone], "epoch": gone, "epochs": len(record.curve("loss"))}


def _has_turned(record: Record) -> bool:
    """Whether the validation loss has been rising."""
    held_out = record.curve("val_loss")
    return len(held_out) > 2 and bool(held_out[-1] > held_out.min() * (1 + _ABOVE_BEST))


def plateau(record: Record) -> Iterator[Found]:
    """The loss has not moved for half of the run, and is hardly below that of a constant answer."""
    loss = record.curve("loss")
    share = measures.explained(record)
    # Cohen (1988) calls 0.13 of the variance a medium effect: what is below may be all there is to see.
    if len(loss) < 8 or not np.isfinite(loss).all() or not share < 0.13:
        return
    late = loss[len(loss) // 2 :]
    if np.ptp(late) > _FLAT * abs(late.mean()):
        return
    values = {"epochs": len(late), "share": float(np.ptp(late) / abs(late.mean())), "loss": late[-1]}
    held_out = _best_held_out(record)
    # What is of use for rows it has not seen is no chance, and may be all that x tells.
    if held_out and held_out[0] < (1 - _FLAT) * held_out[1] and not measures.behind_neighbours(record):
        values |= {"best": held_out[0], "guess": held_out[1]}
        yield Found("plateau", 1, None, values, "weak")
    else:
        yield Found("plateau", 2, None, values)


def underfitting(record: Record) -> Iterator[Found]:
    """Even on its training rows it is far behind their nearest neighbours, and no longer improves."""
    loss = record.curve("loss")
    if len(loss) < 5 or not np.isfinite(loss).all():
        return
    late = loss[-max(3, len(loss) // 4) :]
    # What it would still lose, were it trained as long again at this pace.
    if (late[0] - late[-1]) / (len(late) - 1) * len(loss) > 0.02 * abs(late[0]):
        return
    scores = measures.behind_neighbours(record)
    if scores is not None:
        values = {"mine": max(scores[0], 0.0), "theirs": scores[1], "epochs": len(late)}
        yield Found("underfitting", 2, None, values, "" if record.outputs[0].picks_one else "numbers")


def learns_nothing(record: Record) -> Iterator[Found]:
    """What it learns of the training rows was of no use for the validation rows in any epoch."""
    loss, held_out = record.curve("loss"), record.curve("val_loss")
    output = record.outputs[0] if len(record.outputs) == 1 else None
    known = _best_held_out(record)
    if output is None or known is None or len(held_out) < _FEWEST_EPOCHS or not np.isfinite(loss).all():
        return
    has_learned = measures.explained(record) > 5 * _FLAT
    if has_learned and known[0] >= known[1] and not _beats_chance(record, output):
        values = {"best": known[0], "guess": known[1], "loss": loss[-1], "epochs": len(held_out)}
        yield Found("learns_nothing", 3, None, values)


def _best_held_out(record: Record) -> tuple[float, float] | None:
    """The best validation loss, and that of the best constant answer; None where they are not known."""
    held_out = record.curve("val_loss")
    output = record.outputs[0] if len(record.outputs) == 1 else None
    if output is None or output.held_out is None or record.settings.has_penalties:
        return None
    if len(output.held_out) < _FEWEST_HELD_OUT or not len(held_out) or not np.isfinite(held_out).all():
        return None
    guess = measures.constant_loss(dataclasses.replace(output, y=output.held_out))
    return (float(held_out.min()), guess) if guess > 0 else None


def _beats_chance(record: Record, output: Output) -> bool:
    """Whether more validation rows were answered rightly than by the most frequent class."""
    if not output.picks_one or output.held_out is None:
        return False
    most = float(measures.shares(output.classes(output.held_out)).max())
    chance = 3 * math.sqrt(max(most * (1 - most), 0.01) / len(output.held_out))
    return any((record.curve(f"val_{name}") > most + chance).any() for name in _ACCURACIES)


def overfitting(record: Record) -> Iterator[Found]:
    """The validation loss rises while that of training falls, or training is far ahead."""
    loss, held_out = record.curve("loss"), record.curve("val_loss")
    if record.settings.keeps_best or len(held_out) < 3 or not np.isfinite([*loss, *held_out]).all():
        return
    best = int(held_out.argmin())
    epoch, last = record.when["val_loss"][best] + 1, record.when["val_loss"][-1] + 1
    values = {"epoch": epoch, "best": held_out[best], "end": held_out[-1], "last": last}
    # Below 0 a loss is no multiple of its best; what it had come down by tells what is much.
    is_signed = held_out.min() <= 0
    scale = held_out[0] - held_out[best] if is_signed else held_out[best]
    values |= {"loss": loss[-1], "rise": (held_out[-1] - held_out[best]) / scale if scale else 0.0}
    at_best = loss[min(best, len(loss) - 1)]
    # The means of the last epochs, as one may be high by chance.
    late = float(np.median(held_out[-_EPOCHS_AFTER_BEST:]))
    guessing = sum(measures.constant_loss(output) for output in record.outputs)
    rise = late - held_out[best]
    has_risen = rise > scale * _ABOVE_BEST and not rise < _OF_GUESSING * guessing
    if has_risen and last - epoch >= _EPOCHS_AFTER_BEST and loss[-1] < at_best:
        yield Found("overfitting", 2, None, values, "signed" if is_signed else "")
        return
    gap = _gap(record)
    if gap is not None:
        yield Found("overfitting", 2, None, {**values, **gap}, "gap")


def _gap(record: Record) -> dict[str, float] | None:
    """The shares of right answers on training and on validation rows, where they are far apart."""
    for name in _ACCURACIES:
        mine, theirs = record.curve(name), record.curve(f"val_{name}")
        rows = [len(one.held_out) for one in record.outputs if one.held_out is not None]
        if len(mine) and len(theirs) and rows:
            share = float(theirs[-1])
            chance = 2 * math.sqrt(max(share * (1 - share), 0.01) / rows[0])
            if mine[-1] - share > _GAP + chance:
                return {"mine": float(mine[-1]), "theirs": share}
    return None


def large_batches(record: Record) -> Iterator[Found]:
    """An epoch has hardly a step, because a batch holds much of the rows; and the loss still falls."""
    settings, loss = record.settings, record.curve("loss")
    if not settings.num_rows or not settings.batch_size or not settings.num_batches or len(loss) < 3:
        return
    size, steps = min(settings.batch_size, settings.num_rows), settings.num_batches * len(loss)
    is_large = size >= _LARGE_BATCH and settings.num_batches <= _FEW_BATCHES and steps <= _FEW_STEPS
    pace = measures.pace_of(loss)
    if is_large and pace.is_steady and pace.per_epoch > _FLAT / 5 and measures.is_poor(record):
        values = {"batch": size, "rows": settings.num_rows, "steps": steps, "epochs": len(loss)}
        values["each"] = settings.num_batches
        yield Found("large_batches", 2, None, values)


def nothing_moves(record: Record) -> Iterator[Found]:
    """Neither the first step nor the last moves any weight."""
    silent = next((one for one in record.last_signs if one.is_output and one.dead_share == 1), None)
    if silent is not None:
        values = {"layer": silent.name, "activation": silent.activation}
        yield Found("nothing_moves", 3, silent.name, values, "silent_output")
        return
    signs = [*record.first_signs, *record.last_signs]
    # A layer that is not trained has weights and no gradient; of some optimizers no step is known.
    has_no_gradients = all(math.isnan(one.gradient_norm) for one in signs)
    is_frozen = has_no_gradients and any(math.isfinite(one.weight_norm) for one in signs)
    stands_still = is_frozen or any(one.update_ratio == 0 for one in signs)
    if stands_still and not any(one.update_ratio > 0 for one in signs):
        yield Found("nothing_moves", 3, None, {"rate": record.settings.learning_rate})


def constant_answers(record: Record) -> Iterator[Found]:
    """It answers every row alike: the most frequent class, or the mean."""
    if not len(record.curve("loss")):
        return
    for output in record.outputs:
        found = _one_class(output) if output.picks_one else _one_number(output)
        if found:
            variant = "weights" if "fair" in found else "" if output.picks_one else "numbers"
            yield Found("constant_answers", 3, output.name or None, found | output.called, variant)
            return


def _one_class(output: Output) -> dict[str, float] | None:
    answered, there = output.answered, output.classes(output.asked)
    known, counts = np.unique(answered, return_counts=True)
    most, share = known[counts.argmax()], counts.max() / counts.sum()
    true_share = float((output.classes(output.y) == most).mean())
    has_others = len(np.unique(there)) > 1
    # One row in a hundred may stray; a class that nearly all rows have is answered rightly.
    if not has_others or share < 0.99 or true_share > 0.98:
        return None
    values = {"class": float(most), "share": float(share), "true": true_share}
    return values | _made_by_weights(output, int(most))


def _made_by_weights(output: Output, most: int) -> dict[str, float]:
    """What the rows of a class weigh, where this makes nine tenths of all that counts; else empty."""
    weights, classes = output.weights, output.classes(output.y)
    if weights is None or weights.size != classes.size:
        return {}
    is_most, flat = classes == most, np.asarray(weights, np.float64).reshape(-1)
    mine, others = flat[is_most], flat[~is_most]
    if not mine.size or not others.size or not mine.mean() > others.mean() or mine.sum() < 0.9 * flat.sum():
        return {}
    found = {"counts": mine.sum() / flat.sum(), "weight": mine.mean(), "other": others.mean()}
    # With this weight each class counts as much as any other.
    return {**found, "fair": others.size / (len(np.unique(classes)) - 1) / mine.size}


def _one_number(output: Output) -> dict[str, float] | None:
    if not output.is_numbers or not np.isfinite(output.answers).all():
        return None
    answers, y = output.answers.reshape(len(output.answers), -1), output.asked.reshape(len(output.asked), -1)
    spread, wanted = float(answers.std(0).mean()), float(np.asarray(y, np.float64).std(0).mean())
    # A tenth of the spread is a hundredth of the variance.
    if wanted <= 0 or spread > 0.1 * wanted:
        return None
    return {"answer": float(answers.mean()), "spread": spread, "wanted": wanted, "mean": float(y.mean())}
