"""What training has made of a model, to be given to another of the same architecture."""

from __future__ import annotations

from typing import Any

import numpy as np

from doltap import random
from doltap.core.tensors import Variable
from doltap.files.checkpoint import check_arrays
from doltap.models.model import Model

__all__ = ["architecture", "build_for", "state_of", "take_state"]


def build_for(model: Model, x: Any, y: Any) -> None:
    """Give the model the weights that `fit` on this data would give it, unless it has them."""
    if not model.built:
        model._labelled(x, y, None, "")


def architecture(model: Model) -> list[Any]:
    """By what it is decided whether a model can take another's weights: their shapes."""
    return [(tuple(weight.shape), str(weight.dtype)) for weight in model.weights]


def _slots(model: Model) -> list[Variable]:
    """What the optimizer remembers; not its rate, which is a parameter."""
    optimizer: Any = model.optimizer
    optimizer.build(model.trainable_weights)
    rate = optimizer.rates.get("learning_rate")
    return [one for one in optimizer.variables if one is not rate]


def state_of(model: Model) -> dict[str, Any]:
    """Copies of the weights and of what the optimizer remembers, and how long it was trained."""
    return {
        "weights": [np.array(weight.array) for weight in model.weights],
        "optimizer": [np.array(slot.array) for slot in _slots(model)],
        "epochs": model.epochs_trained,
        "seed": model.seed,
    }


def take_state(model: Model, state: dict[str, Any], *, with_seed: bool = False) -> None:
    """Go on from what `state_of` gave.

    Args:
        with_seed: whether the order of the rows and the random numbers are that model's, too.

    Raises:
        ModelFileError: it is of a model of another architecture.
    """
    slots = _slots(model)
    check_arrays("the weights", state.get("weights"), model.weights)
    check_arrays("the optimizer", state.get("optimizer"), slots)
    for variable, array in zip(
        (*model.weights, *slots), (*state["weights"], *state["optimizer"]), strict=True
    ):
        variable.assign(array)
    model.epochs_trained = int(state["epochs"])
    if with_seed:
        model.seed = int(state["seed"])
        model.seed_words = random.words(random.mix(model.seed, 1))
