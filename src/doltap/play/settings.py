"""What can be chosen in the playground, and the check of what a page asks for.

A page sends plain JSON; nothing of it reaches the engine that is not a number in
its range or a word from one of these lists.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple

import numpy as np

from doltap.play.points import FEATURES, Points
from doltap.play.refusals import RefusedError
from doltap.play.tables import Choice, Table
from doltap.play.toys import TOYS, VALUES

__all__ = ["ACTIVATIONS", "OPTIMIZERS", "SPEEDS", "Rule", "Setup", "checked", "checked_rate", "points_of"]

ACTIVATIONS = ("tanh", "relu", "sigmoid", "elu", "silu", "linear")
# Epochs a frame; 0 stands for as many as fit into it.
SPEEDS = (1, 5, 25, 0)
_LAYERS, _UNITS = 6, 8


class Rule(NamedTuple):
    """An optimizer: the name of its class, and what it is given beside the rate."""

    kind: str
    arguments: Mapping[str, Any] = {}


OPTIMIZERS = {
    "sgd": Rule("SGD"),
    "momentum": Rule("SGD", {"momentum": 0.9}),
    "rmsprop": Rule("RMSprop"),
    "adagrad": Rule("Adagrad"),
    "adam": Rule("Adam"),
}


@dataclass(frozen=True)
class Setup:
    """One experiment: the data, the network, and how it learns.

    Args:
        count, noise, test_percent: of the points; a table has its own count and noise.
        choice: the columns of the table; None for the other data.
        layers: the units of each hidden layer.
    """

    data: str = "circles"
    count: int = 200
    noise: float = 0.1
    test_percent: int = 30
    seed: int = 1
    choice: Choice | None = None
    features: tuple[str, ...] = ("x", "y")
    layers: tuple[int, ...] = (6, 4)
    activation: str = "tanh"
    optimizer: str = "adam"
    rate: float = 0.01
    batch_size: int = 10
    l2: float = 0.0
    dropout: float = 0.0

    @property
    def is_value(self) -> bool:
        """Whether the network predicts a value, not a class."""
        return self.choice.is_value if self.choice else self.data in VALUES

    def with_rate(self, rate: float) -> Setup:
        """The same with another learning rate."""
        return replace(self, rate=rate)


def checked(asked: Any, table: Table | None) -> Setup:
    """The experiment that a page asks for; what it leaves out is as in `Setup`.

    >>> checked({"layers": [8, 8], "rate": 0.1}, None).layers
    (8, 8)
    """
    if not isinstance(asked, dict):
        raise RefusedError("setting", name="setup", expected="names with values", value=repr(asked))
    known = {each.name for each in fields(Setup)}
    for name in asked:
        if name not in known:
            raise RefusedError(
                "setting", name=name, expected=f"one of {', '.join(sorted(known))}", value=name
            )
    given = {name: _CHECKS[name](name, value) for name, value in asked.items() if name != "choice"}
    if given.get("data") == "table":
        if table is None:
            raise RefusedError("no table")
        given["choice"] = _choice(asked.get("choice"), len(table.columns))
    return Setup(**given)


def checked_rate(value: Any) -> float:
    """A learning rate."""
    return float(_CHECKS["rate"]("rate", value))


def points_of(setup: Setup, table: Table | None) -> Points:
    """The points of an experiment, the same each time."""
    rng = np.random.default_rng(setup.seed)
    names: tuple[str, ...] = () if setup.is_value else ("0", "1")
    if setup.choice is not None and table is not None:
        places = table.points(setup.choice)
        labels, names = table.labels(setup.choice)
    else:
        places, labels = TOYS[setup.data](rng, setup.count, setup.noise)
    order = rng.permutation(len(places))
    num_test = len(places) * setup.test_percent // 100
    return Points(places, labels, names, order[num_test:], order[:num_test])


def _number(least: float, most: float, *, is_whole: bool = False) -> Callable[[str, Any], Any]:
    kind = "a whole number" if is_whole else "a number"

    def check(name: str, value: Any) -> Any:
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not is_number or not math.isfinite(value) or not least <= value <= most:
            raise RefusedError(
                "setting", name=name, expected=f"{kind} from {least:g} to {most:g}", value=repr(value)
            )
        if is_whole and value != int(value):
            raise RefusedError("setting", name=name, expected=kind, value=repr(value))
        return int(value) if is_whole else float(value)

    return check


def _word(known: Sequence[str]) -> Callable[[str, Any], str]:
    def check(name: str, value: Any) -> str:
        if not isinstance(value, str) or value not in known:
            raise RefusedError("setting", name=name, expected=f"one of {', '.join(known)}", value=repr(value))
        return value

    return check


def _several(
    check_one: Callable[[str, Any], Any], least: int, most: int
) -> Callable[[str, Any], tuple[Any, ...]]:
    def check(name: str, value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list) or not least <= len(value) <= most:
            raise RefusedError(
                "setting", name=name, expected=f"a list of {least} to {most}", value=repr(value)
            )
        return tuple(check_one(name, each) for each in value)

    return check


def _choice(asked: Any, num_columns: int) -> Choice:
    if not isinstance(asked, dict) or asked.keys() != {"x", "y", "label", "is_value"}:
        raise RefusedError("setting", name="choice", expected="x, y, label and is_value", value=repr(asked))
    column = _number(0, num_columns - 1, is_whole=True)
    if not isinstance(asked["is_value"], bool):
        raise RefusedError(
            "setting", name="is_value", expected="true or false", value=repr(asked["is_value"])
        )
    x, y, label = (column(name, asked[name]) for name in ("x", "y", "label"))
    return Choice(x, y, label, asked["is_value"])


_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "data": _word((*TOYS, "table")),
    "count": _number(20, 1000, is_whole=True),
    "noise": _number(0, 1),
    "test_percent": _number(10, 50, is_whole=True),
    "seed": _number(0, 9999, is_whole=True),
    "features": _several(_word(tuple(FEATURES)), 1, len(FEATURES)),
    "layers": _several(_number(1, _UNITS, is_whole=True), 0, _LAYERS),
    "activation": _word(ACTIVATIONS),
    "optimizer": _word(tuple(OPTIMIZERS)),
    "rate": _number(1e-5, 10),
    "batch_size": _number(1, 1000, is_whole=True),
    "l2": _number(0, 1),
    "dropout": _number(0, 0.9),
}
