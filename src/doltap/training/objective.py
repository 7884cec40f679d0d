"""What a model is trained for: losses and metrics, laid out over its outputs.

`compile` takes them as one thing, a list or a dict; here each finds its
output, and the name under which the logs show it, as in Keras 3.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

from doltap import losses, metrics
from doltap.errors import NotSupportedError, ShapeError, UnknownNameError
from doltap.losses import Loss
from doltap.metrics import Mean, Metric

__all__ = ["Followed", "Objective", "Wishes", "check_wishes", "in_result_order", "laid_out", "spread_out"]


@dataclasses.dataclass
class Wishes:
    """The arguments of `compile`, as they came."""

    loss: Any = None
    loss_weights: Any = None
    metrics: Any = None
    weighted_metrics: Any = None

    @property
    def is_empty(self) -> bool:
        """Whether there is neither a loss nor a metric."""
        return not (self.loss or self.metrics or self.weighted_metrics)

    def laid_out(self, structure: Any) -> Wishes:
        """The same for outputs in this structure, as lists in their order."""
        return Wishes(*(laid_out(given, structure) for given in vars(self).values()))


@dataclasses.dataclass
class Followed:
    """A metric, the number of the output it looks at, and its name in the logs."""

    metric: Metric
    output: int
    is_weighted: bool
    name: str


class Objective:
    """The losses and metrics of a model with these outputs.

    Args:
        wishes: the arguments of `compile`.
        names: of the outputs, in order; None for outputs without one.
        shapes: of the outputs, batch first.
        label_shapes: of the labels of each output; None where there are none.
        structure: the names as the outputs are nested in lists and dicts, None for
            a plain list. With the keys of a dict the losses of the outputs are
            listed in the order in which `loss` names them, as Keras lists them.
    """

    def __init__(
        self,
        wishes: Wishes,
        names: Sequence[str | None],
        shapes: Sequence[Any],
        label_shapes: Sequence[Any],
        structure: Any = None,
    ) -> None:
        if structure is not None:
            wishes = wishes.laid_out(structure)
        are_keyed = isinstance(structure, dict)
        # A loss of one number a row means over the last dimension: here, over the rows.
        self.gives_numbers = any(len(shape) == 1 for shape in shapes)
        given = spread_out(wishes.loss, names, "loss", to_all=True, are_keyed=are_keyed)
        self.losses: list[Loss | None] = [losses.get(one) for one in given]
        weights = spread_out(wishes.loss_weights, names, "loss_weights", to_all=False)
        self.loss_weights = [None if weight is None else float(weight) for weight in weights]
        named = len(names) > 1 and all(name is not None for name in names)
        with_loss = [number for number, loss in enumerate(self.losses) if loss is not None]
        if are_keyed and isinstance(wishes.loss, dict):
            with_loss.sort(key=lambda number: list(wishes.loss).index(names[number]))
        # The mean of each output's own loss is followed where there are several.
        self.loss_means = {
            number: Mean(name=f"{names[number] if named else _called(given[number])}_loss")
            for number in (with_loss if len(with_loss) > 1 else ())
        }
        self.followed: list[Followed] = []
        taken: set[str] = set()
        for wanted, is_weighted in ((wishes.metrics, False), (wishes.weighted_metrics, True)):
            each = spread_out(wanted, names, "metrics", to_all=True, nested=True)
            for number, identifiers in enumerate(each):
                for identifier in _as_list(identifiers):
                    metric = metrics.get(identifier, label_shapes[number], shapes[number])
                    # Of a name such as "group/one" Keras takes the end.
                    prefix = f"{str(names[number]).rpartition('/')[2]}_" if named else ""
                    name = _free_name(metric.name, prefix, taken, is_weighted=is_weighted)
                    self.followed.append(Followed(metric, number, is_weighted, name))


def _free_name(name: str, prefix: str, taken: set[str], *, is_weighted: bool) -> str:
    """The metric's name in the logs, told apart from those before it as Keras does."""
    if is_weighted and prefix + name in taken:
        name = f"weighted_{name}"
    free, number = prefix + name, 0
    while free in taken:
        number += 1
        free = f"{prefix}{name}_{number}"
    taken.add(free)
    return free


def _called(loss: Any) -> str:
    return loss if isinstance(loss, str) else str(getattr(loss, "name", None) or loss.__name__)


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


def spread_out(
    given: Any,
    names: Sequence[str | None],
    what: str,
    *,
    to_all: bool,
    nested: bool = False,
    are_keyed: bool = False,
) -> list[Any]:
    """What was given for each output, in their order.

    Args:
        given: one thing, a list with an entry for each output, or a dict by name.
        to_all: whether one thing goes to every output.
        nested: whether an entry may be a list itself, so that a list of other
            length stands for every output.
        are_keyed: whether the names are keys; then a dict may leave some out, as in Keras.

    Raises:
        UnknownNameError: a key of the dict names no output.
        ShapeError: a list has another length than there are outputs.
    """
    count = len(names)
    if isinstance(given, dict) and "class_name" not in given:
        return _by_name(given, names, what, may_miss=nested or not to_all or are_keyed)
    if not isinstance(given, (list, tuple)):
        return [given if to_all else None] * count if given is not None else [None] * count
    if nested and count == 1:
        is_wrapped = len(given) == 1 and isinstance(given[0], (list, tuple))
        return [list(given[0]) if is_wrapped else list(given)]
    if len(given) == count:
        return list(given)
    if nested and not any(isinstance(one, (list, tuple, dict)) for one in given):
        return [list(given)] * count
    raise ShapeError(
        f"compile({what})",
        expected=f"one for each of the {count} outputs",
        got=f"{len(given)}",
        fix=f"Give a list of {count}, or a dict with the names of the outputs.",
    )


def _by_name(given: dict[str, Any], names: Sequence[str | None], what: str, *, may_miss: bool) -> list[Any]:
    known = [name for name in names if name is not None]
    if not known:
        raise NotSupportedError(
            f"compile({what})",
            expected="a list, because the outputs of this model have no names",
            got=f"a dict with the keys {list(given)}",
            fix="Give a list in the order of the outputs, or let call return a dict.",
        )
    for key in given:
        if key not in known:
            raise UnknownNameError.of(f"output in compile({what})", key, known)
    missing = [name for name in known if name not in given]
    if missing and not may_miss:
        raise ShapeError(
            f"compile({what})",
            expected=f"an entry for each of the outputs {known}",
            got=f"none for {missing}",
            fix=f"Add them; an output without a loss is written as '{missing[0]}': None.",
        )
    return [given.get(str(name)) for name in names]


def laid_out(given: Any, structure: Any) -> Any:
    """What was given in the structure of the outputs, as a list in their order; anything else as it came.

    >>> laid_out({"g": ["mse", "mae"], "h": "mse"}, {"g": ["g/a", "g/b"], "h": "h"})
    ['mse', 'mae', 'mse']
    >>> laid_out("mse", [["0/a", "0/b"], "c"])
    'mse'
    """
    parts = structure.values() if isinstance(structure, dict) else structure
    if all(part is None or isinstance(part, str) for part in parts) or not _follows(given, structure):
        return given
    return _along(given, structure)


def _follows(given: Any, structure: Any) -> bool:
    if isinstance(structure, dict):
        return isinstance(given, dict) and given.keys() <= structure.keys()
    return isinstance(given, (list, tuple)) and len(given) == len(structure)


def _count(structure: Any) -> int:
    if structure is None or isinstance(structure, str):
        return 1
    return sum(map(_count, structure.values() if isinstance(structure, dict) else structure))


def _along(given: Any, structure: Any) -> list[Any]:
    if structure is None or isinstance(structure, str):
        return [given]
    if _follows(given, structure):
        if isinstance(structure, dict):
            return [one for key in sorted(structure) for one in _along(given.get(key), structure[key])]
        pairs = zip(given, structure, strict=True)
        return [one for part, inner in pairs for one in _along(part, inner)]
    if isinstance(given, dict) and "class_name" not in given:
        known = [str(key) for key in (structure if isinstance(structure, dict) else range(len(structure)))]
        raise UnknownNameError.of("output", next(key for key in given if key not in known), known)
    # One thing for all of them, or a list in their order.
    count = _count(structure)
    is_list = isinstance(given, (list, tuple)) and len(given) == count
    return list(given) if is_list else [given] * count


def check_wishes(wishes: Wishes, names: Sequence[str | None] | None, structure: Any = None) -> None:
    """Everything in the wishes that stands for something unknown is an error now.

    Args:
        names: of the outputs; None where they are not known yet.
        structure: as of `Objective`.
    """
    laid = wishes if structure is None else wishes.laid_out(structure)
    if names is not None:
        are_keyed = isinstance(structure, dict)
        spread_out(laid.loss, names, "loss", to_all=True, are_keyed=are_keyed)
        spread_out(laid.loss_weights, names, "loss_weights", to_all=False)
        for wanted in (laid.metrics, laid.weighted_metrics):
            spread_out(wanted, names, "metrics", to_all=True, nested=True)
    for loss in _leaves(wishes.loss):
        measured = losses.get(loss)
        if measured is not None and measured.reduction in ("none", None):
            raise NotSupportedError(
                f"compile(loss={measured.name} with reduction={measured.reduction!r})",
                expected="one number for a batch",
                got="one for each row",
                fix="Use reduction='sum', or leave it out for the mean.",
            )
    for metric in (*_leaves(wishes.metrics), *_leaves(wishes.weighted_metrics)):
        if metric is not None:
            metrics.get(metric)


def _leaves(tree: Any) -> Iterator[Any]:
    if isinstance(tree, dict) and "class_name" not in tree:
        tree = list(tree.values())
    if isinstance(tree, (list, tuple)):
        for item in tree:
            yield from _leaves(item)
    else:
        yield tree


def in_result_order(pairs: Sequence[tuple[str, Any]], listed: Sequence[str]) -> list[tuple[str, Any]]:
    """Names and values in the order in which Keras's `evaluate` gives them.

    Args:
        pairs: of the logs.
        listed: the names of the metric objects: the loss, the metrics without the
            names of their outputs, the losses of the outputs.
    """
    rest = list(pairs)
    first = []
    for name in listed:
        found = next((pair for pair in rest if pair[0] == name), None)
        if found is not None:
            rest.remove(found)
            first.append(found)
    return [*first, *sorted(rest, key=lambda pair: pair[0])]
