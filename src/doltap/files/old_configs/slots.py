"""What an optimizer remembers, in the order of Keras 1 and 2 and in that of Keras 3.

Keras 3 has the count of steps, the learning rate, then the slots, for most
optimizers weight by weight. Keras 2 since 2.11 had no learning rate among them;
before that it, and Keras 1, had each kind of slot for all weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from doltap.errors import ModelFileError
from doltap.files.old_configs import training

__all__ = ["modern_slots", "old_slots"]

Described = dict[str, Any]
Arrays = list[np.ndarray]

# How many kinds of slots were kept, where Keras 3 has them weight by weight.
_KINDS = {"Adam": 2, "Adadelta": 2, "Adamax": 2, "Nadam": 2}


def modern_slots(old: Described, arrays: Sequence[np.ndarray]) -> Arrays:
    """The optimizer's variables in Keras 3's order.

    Args:
        old: the optimizer as Keras 1 or 2 described it.
        arrays: its variables in the order of the file.

    Raises:
        ModelFileError: their number cannot be.
    """
    modern = training.modern_optimizer(old)
    name, config = modern["class_name"], modern["config"]
    if name == "LossScaleOptimizer":
        return _scaled(old, config, arrays)
    rest = list(arrays)
    # Of all variables only these are single numbers; RMSprop and others of Keras 1 had no count.
    count = rest.pop(0) if rest and np.ndim(rest[0]) == 0 else np.zeros(())
    head = [np.asarray(count, np.int64)]
    rate = config.get("learning_rate")
    # One that is not told, as where `compile` was given a name, is the optimizer's own.
    head += [] if rate is None or isinstance(rate, dict) else [np.asarray(rate, np.float32)]
    if training.is_since_2_11(old):
        slots = _of_2_11(name, config, rest)
        product = None
    else:
        # Nadam of Keras 2.3 and later kept the product of its momenta in front.
        product = rest.pop(0) if name == "Nadam" and rest and np.ndim(rest[0]) == 0 else None
        slots = _of_before(name, config, rest)
    if name == "Nadam":
        slots.append(_product_of_momenta(config, int(head[0])) if product is None else np.asarray(product))
    return [*head, *slots]


def _scaled(old: Described, config: Described, arrays: Sequence[np.ndarray]) -> Arrays:
    """Keras 2 wrote the optimizer inside alone; the scale begins anew."""
    inner = modern_slots(old["config"]["inner_optimizer"], arrays)
    scale = np.asarray(config.get("initial_scale", 2.0**15), np.float32)
    return [inner[0], np.zeros((), np.float32), np.zeros((), np.int32), scale, *inner]


def _of_2_11(name: str, config: Described, slots: Arrays) -> Arrays:
    if name == "SGD" and not config.get("momentum"):
        # It kept momenta without using them.
        return slots[: len(slots) // 2] if config.get("use_ema") else []
    return _filled_up(slots) if name == "Adafactor" else slots


def _filled_up(slots: Arrays) -> Arrays:
    """Adafactor's slots, with the two numbers that Keras 3 keeps for a vector."""
    made: Arrays = []
    place = 0
    while place < len(slots):
        is_matrix = _is_factored(slots[place : place + 3])
        two = slots[place : place + 2] if is_matrix else [np.zeros((), np.int32)] * 2
        place += 2 * int(is_matrix)
        made += [*two, slots[place]]
        place += 1
    return made


def _is_factored(slots: Arrays) -> bool:
    """Whether the first two are the averages over the rows and the columns of the third."""
    if len(slots) < 3:
        return False
    row, column, whole = (array.shape for array in slots)
    return (row, column) == (whole[:-1], whole[:-2] + whole[-1:])


def _of_before(name: str, config: Described, slots: Arrays) -> Arrays:
    """The kinds of slots taken together weight by weight, where Keras 3 does so."""
    kinds = _KINDS.get(name)
    if kinds is None:
        return slots
    third = len(slots) // 3
    is_padded = name == "Adam" and third and all(array.shape == (1,) for array in slots[2 * third :])
    if is_padded and not config.get("amsgrad") and len(slots) == 3 * third:
        # Keras 2.1 to 2.3 kept a place for what `amsgrad` would have needed.
        slots = slots[: 2 * third]
    blocks = kinds + int(bool(config.get("amsgrad")))
    if len(slots) % blocks:
        raise ModelFileError(
            f"the state of the optimizer {name}",
            expected=f"{blocks} arrays for each weight",
            got=f"{len(slots)} arrays",
            fix="The file is damaged; load_model(..., compile=False) reads the model without it.",
        )
    size = len(slots) // blocks
    pairs = [slots[kind * size + number] for number in range(size) for kind in range(kinds)]
    return [*pairs, *slots[kinds * size :]]


def _product_of_momenta(config: Described, steps: int) -> np.ndarray:
    """What Keras 2 computed anew, from 1: Nadam's momenta of all steps so far, multiplied."""
    momenta = config.get("beta_1", 0.9) * (1.0 - 0.5 * 0.96 ** np.arange(1, min(steps, 10_000) + 1))
    return np.asarray(np.prod(momenta), np.float32)


def old_slots(written: Described, arrays: Sequence[np.ndarray]) -> Arrays:
    """The optimizer's variables in the order of Keras 2.

    Args:
        written: the optimizer as it is described in HDF5.
        arrays: its variables in Keras 3's order.
    """
    modern = training.modern_optimizer(written)
    name, config = modern["class_name"], modern["config"]
    if name == "LossScaleOptimizer":
        return old_slots(written["config"]["inner_optimizer"], arrays[4:])
    has_rate = not isinstance(config.get("learning_rate"), dict)
    count, slots = np.asarray(arrays[0], np.int64), list(arrays[1 + int(has_rate) :])
    if name == "Nadam":
        slots = slots[:-1]
    if name == "Adafactor":
        slots = [array for array in slots if array.ndim]
    if name == "SGD" and config.get("use_ema") and not config.get("momentum"):
        slots += [np.zeros_like(array) for array in slots]
    if training.is_since_2_11(written) or name not in _KINDS:
        return [count, *slots]
    kinds = _KINDS[name]
    size = len(slots) // (kinds + int(bool(config.get("amsgrad"))))
    blocks = [slots[kind : kinds * size : kinds] for kind in range(kinds)]
    return [count, *(array for block in blocks for array in block), *slots[kinds * size :]]
