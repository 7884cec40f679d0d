"""Whether the last layer can give what the labels ask for, and the loss takes it for what it is.

One table says between which numbers each curve ends; a curve of the user's own,
or a layer behind the last one with weights, is judged by what it gives.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from doltap.reporting.diagnosis.finding import Found
from doltap.reporting.diagnosis.record import Output, Record

__all__ = ["output_mismatch"]

_ANY = (-math.inf, math.inf)
_SHARES = ("sigmoid", "hard_sigmoid", "sparse_sigmoid", "softmax", "sparsemax")
# Between which numbers the curves lie; those that are not here give any.
_BOUNDS = {
    **dict.fromkeys(_SHARES, (0.0, 1.0)),
    **dict.fromkeys(("tanh", "hard_tanh", "softsign"), (-1.0, 1.0)),
    **dict.fromkeys(("relu", "softplus", "squareplus", "sparse_plus", "exponential"), (0.0, math.inf)),
    **dict.fromkeys(("elu", "celu"), (-1.0, math.inf)),
    "relu6": (0.0, 6.0),
    "selu": (-1.7581, math.inf),
    "gelu": (-0.17, math.inf),
    "silu": (-0.2785, math.inf),
    "mish": (-0.3088, math.inf),
    "hard_silu": (-0.375, math.inf),
    "log_softmax": (-math.inf, 0.0),
    "log_sigmoid": (-math.inf, 0.0),
}
_RELU = ("relu", "relu6")
# A label that is beyond the curve by this share of their spread is as good as reached.
_NEAR = 0.01
# An answer that can never be surer than this leaves a tenth of the doubt, however well it learns.
_SURE = 0.9
# Labels of a row that should add up to 1 and do not, by more than rounding; and in how many rows.
_ODD_SUM, _ODD_ROWS = 0.01, 0.01


def output_mismatch(record: Record) -> Iterator[Found]:
    """The last layer cannot give what the labels ask for, or the loss takes it for something else."""
    names = {one.output: one.name for one in record.last_signs if one.is_output}
    for number, output in enumerate(record.outputs):
        found, layer = _mismatch(output), names.get(number)
        # Where another layer with a curve gives the answers, it is only the last that was made.
        if not layer and len(record.outputs) == 1 and record.settings.last_dropout:
            found, layer = ("dropout", {}), record.settings.last_dropout
        if found:
            variant, more = found
            y = np.asarray(output.y, np.float64)
            values = {
                "layer": layer or "",
                "activation": output.activation,
                "loss": output.loss,
            }
            values |= {"low": y.min(), "high": y.max(), "units": output.answers.shape[-1], **more}
            severity = 1 if variant == "sigmoid_of_several" else 3
            yield Found("output_mismatch", severity, layer, values, variant)
            return


def _mismatch(output: Output) -> tuple[str, dict[str, Any]] | None:
    """Which words tell it, and the numbers in them besides those of all."""
    if output.activation == "softmax" and output.answers.shape[-1:] == (1,):
        is_estimate = output.is_numbers and not np.isin(output.y, (0, 1)).all()
        return "softmax_of_one_number" if is_estimate else "softmax_of_one", {}
    if output.is_numbers or output.labels == "signs":
        return _of_numbers(output)
    if output.loss == "KLDivergence" and output.activation not in _SHARES:
        return ("no_shares", {}) if output.activation is not None or _is_outside(output.answers) else None
    if "Crossentropy" not in output.loss or not output.answers.size:
        return None
    if output.labels == "one-hot" and (odd := _odd_sums(output.y)):
        return "odd_sums", odd
    return _of_logits(output) if output.from_logits else _of_probabilities(output)


def _of_numbers(output: Output) -> tuple[str, dict[str, Any]] | None:
    y = np.array([-1.0, 1.0]) if output.labels == "signs" else np.asarray(output.y, np.float64)
    least, most = _BOUNDS.get(output.activation or "", _ANY)
    if output.loss == "Poisson" and least < 0 and output.activation is not None:
        return "no_rates", {}
    near = _NEAR * float(y.std())
    is_out = y.min() < least - near or y.max() > most + near
    return ("out_of_reach", {"low": y.min(), "high": y.max()}) if is_out else None


def _odd_sums(y: np.ndarray) -> dict[str, Any] | None:
    sums = np.asarray(y, np.float64).sum(-1)
    # Nothing but zeros is how rows are written that do not count.
    odd = (np.abs(sums - 1) > _ODD_SUM) & (sums != 0)
    return {"least": sums.min(), "most": sums.max()} if odd.mean() > _ODD_ROWS else None


def _of_probabilities(output: Output) -> tuple[str, dict[str, Any]] | None:
    """What is wrong where the loss wants numbers from 0 to 1."""
    curve, several = output.activation, output.labels in ("class numbers", "one-hot")
    if curve in _RELU:
        return "relu", {}
    if curve in _SHARES:
        return _of_shares(output, several=several)
    least = _BOUNDS.get(curve or "", _ANY)[0]
    # Numbers that are never negative are divided by their sum, where one class of several is right.
    known = curve is not None and (least < 0 or not several)
    outside = curve is None and _is_outside(output.answers)
    return ("no_probabilities", {}) if known or outside else None


def _is_outside(answers: np.ndarray) -> bool:
    """Whether some are no probabilities, by more than rounding."""
    return bool((answers < -1e-3).any() or (answers > 1 + 1e-3).any())


def _of_shares(output: Output, *, several: bool) -> tuple[str, dict[str, Any]] | None:
    is_softmax = output.activation in ("softmax", "sparsemax")
    if several:
        return None if is_softmax else ("sigmoid_of_several", {})
    sums = np.asarray(output.y, np.float64).reshape(-1, output.answers.shape[-1]).sum(-1)
    # It gives away 1 in all, and cannot say yes twice, nor no to all.
    return ("one_of_several", {"most": sums.max()}) if is_softmax and (sums != 1).any() else None


def _of_logits(output: Output) -> tuple[str, dict[str, Any]] | None:
    """What is wrong where the loss applies a softmax or a sigmoid itself."""
    if output.activation in _SHARES:
        return "twice", {}
    least, most = _BOUNDS.get(output.activation or "", _ANY)
    if output.labels in ("class numbers", "one-hot"):
        sure = 1 / (1 + (output.answers.shape[-1] - 1) * math.exp(least - most))
    else:
        sure = min(_sigmoid(most), _sigmoid(-least))
    return ("bounded_logits", {"sure": sure, "least": least, "most": most}) if sure < _SURE else None


def _sigmoid(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))
