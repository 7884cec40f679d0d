"""The arguments of fit, evaluate and predict: what they may be, and what they mean.

Everything wrong with them is said here, before any work.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Container, Sequence
from typing import Any, TypeVar, cast

import jax
import numpy as np

from doltap import old_names, registry
from doltap.core.graph import Graph, SymbolicTensor
from doltap.errors import DataError, NotSupportedError, ShapeError, UnknownNameError
from doltap.training import batches, checks, loop
from doltap.training.batches import Rows
from doltap.training.objective import Objective, laid_out

__all__ = [
    "agrees",
    "as_promised",
    "first_user",
    "in_order",
    "check_labels",
    "check_objective",
    "count",
    "known_keywords",
    "in_order_of_today",
    "level",
    "optional_count",
    "per_output",
    "refuse_beside_feed",
    "row_count",
    "settings",
    "validation_parts",
    "weigh_classes",
    "weights_per_output",
    "with_rank",
]

Method = TypeVar("Method", bound=Callable[..., Any])


def known_keywords(method: Method) -> Method:
    """Decorator: an unknown keyword is an error with the nearest known one; old ones are translated."""
    name, known = method.__name__, registry.arguments_of(method)

    @functools.wraps(method)
    def call(*arguments: Any, **keywords: Any) -> Any:
        if not keywords.keys() <= set(known):
            keywords = old_names.translate(name, keywords)
            if "show_accuracy" in keywords and "show_accuracy" in old_names.KEPT.get(name, ()):
                old_names.note_kept(name, keywords)
                if keywords.pop("show_accuracy"):
                    arguments[0].follow_accuracy()
            registry.check_arguments(f"{name}()", keywords, known)
        return method(*arguments, **keywords)

    return cast(Method, call)


def count(name: str, value: Any, *, least: int = 1) -> int:
    """A whole number that is at least so large; numbers of steps are often rounded ones, such as 4.0."""
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        value = int(value)
    if isinstance(value, bool) or not hasattr(value, "__index__") or int(value) < least:
        raise DataError(
            name,
            expected=f"a whole number, {least} or more",
            got=repr(value),
            fix=f"For example {name}={32 if name.endswith('size') else 10 if name == 'epochs' else least}.",
        )
    return int(value)


def optional_count(name: str, value: Any) -> int | None:
    """A whole number, 1 or more, or None."""
    return None if value is None else count(name, value)


def in_order_of_today(loss_weights: Any, metrics: Any) -> tuple[Any, Any]:
    """Loss weights and metrics of `compile`, which Keras 1 and 2 took in the other order.

    >>> in_order_of_today(["mae"], [0.5])
    ([0.5], ['mae'])
    """
    parts = list(loss_weights.values()) if isinstance(loss_weights, dict) else loss_weights
    parts = parts if isinstance(parts, (list, tuple)) else [parts]
    is_metrics = any(isinstance(part, (str, list, tuple)) or callable(part) for part in parts)
    weighs = metrics if isinstance(metrics, (list, tuple)) else [metrics]
    if not is_metrics or not all(part is None or isinstance(part, (int, float)) for part in weighs):
        return loss_weights, metrics
    return metrics, loss_weights


def level(verbose: Any) -> int:
    """How much is shown: 0 nothing, 1 a bar, 2 a line for each epoch, from 3 on its number."""
    if verbose in ("auto", True):
        return 1
    if verbose in (0, 1, 2):
        return int(verbose)
    if isinstance(verbose, int) and verbose > 2:
        return 3
    raise DataError("verbose", expected="0, 1, 2 or 'auto'", got=repr(verbose), fix="0 shows nothing.")


def settings(epochs: Any, initial_epoch: Any, shuffle: Any, verbose: Any, validation_freq: Any) -> Any:
    """How a fit is to run."""
    is_list = isinstance(validation_freq, Container) and not isinstance(validation_freq, str)
    return loop.Settings(
        count("initial_epoch", initial_epoch, least=0),
        count("epochs", epochs, least=0),
        bool(shuffle),
        level(verbose),
        validation_freq if is_list else count("validation_freq", validation_freq),
    )


def row_count(x: Any) -> int:
    """How many rows x has, at least 1."""
    while isinstance(x, (list, tuple, dict)) and len(x):
        first = next(iter(x.values())) if isinstance(x, dict) else x[0]
        if not hasattr(first, "shape") and not isinstance(first, dict):
            break
        x = first
    return max(1, len(x)) if hasattr(x, "__len__") else 1


def validation_parts(data: Any) -> tuple[Any, Any, Any]:
    """(x, y, sample_weight) from what was passed as validation_data."""
    if not isinstance(data, (tuple, list)) or len(data) not in (2, 3):
        raise DataError(
            "validation_data",
            expected="(x, y) or (x, y, sample_weight)",
            got=f"{type(data).__name__} of {len(data) if hasattr(data, '__len__') else 'one'}",
            fix="For example validation_data=(x_valid, y_valid).",
        )
    return data[0], data[1], data[2] if len(data) == 3 else None


def refuse_beside_feed(x: Any, y: Any, sample_weight: Any, validation_split: float) -> None:
    """What cannot come beside a generator, a data set or another iterable of batches."""
    if hasattr(x, "shape") or isinstance(x, (list, tuple, dict)):
        return
    given = {"y": y, "sample_weight": sample_weight, "validation_split": validation_split or None}
    for name, value in given.items():
        if value is not None:
            raise DataError(
                name,
                expected=f"none beside a {type(x).__name__}",
                got="one",
                fix="Let it give (x, y) or (x, y, sample_weight) for each batch; validation has its own.",
            )


def per_output(tree: Any, outputs: Any, what: str) -> list[Any] | None:
    """The arrays for each output in order, from a list, a dict by name, a single array, or nested ones."""
    if tree is None:
        return None
    names: Sequence[str | None] = outputs.names
    if outputs.structure is not None:
        tree = laid_out(tree, outputs.structure)
    if isinstance(tree, dict):
        known = [name for name in names if name is not None]
        for key in tree:
            if key not in known:
                raise UnknownNameError.of(f"output in {what}", key, known)
        return [tree.get(name) for name in names]
    items = list(tree) if isinstance(tree, (list, tuple)) else [tree]
    if len(items) != len(names):
        listed = ", ".join(repr(name) for name in names if name)
        raise ShapeError(
            what,
            expected=f"{len(names)} arrays, one for each output" + (f" ({listed})" if listed else ""),
            got=f"{len(items)}",
            fix="Pass a list in the order of the outputs, or a dict with their names.",
        )
    return items


def weights_per_output(tree: Any, outputs: Any, what: str) -> list[Any] | None:
    """As `per_output`; a single array weighs the rows of every output."""
    if tree is not None and not isinstance(tree, (list, tuple, dict)):
        return [tree] * len(outputs.names)
    return per_output(tree, outputs, what)


def weigh_classes(rows: Rows, class_weight: Any) -> None:
    """Give the rows to train on the weights of their classes; validation goes without, as in Keras."""
    if rows.weights is not None:
        raise DataError(
            "fit",
            expected="sample_weight or class_weight",
            got="both",
            fix="Multiply them yourself and pass the product as sample_weight.",
        )
    labels = rows.y if isinstance(rows.y, list) else [rows.y]
    if len(labels) != 1 or labels[0] is None:
        raise NotSupportedError(
            "class_weight",
            expected="a model with one output",
            got=f"{len(labels)} outputs",
            fix="Pass the weights as sample_weight, one array for each output.",
        )
    rows.weights = [batches.weights_of_classes(labels[0], class_weight)]


def check_labels(rows: Rows, goal: Objective, outputs: Any, of: str) -> None:
    """The labels and weights of every output are what its loss needs."""
    several = len(outputs.names) > 1
    for number, loss in enumerate(goal.losses):
        shape = outputs.shapes[number]
        which = f"[{outputs.names[number] or number!r}]" if several else ""
        y = None if rows.y is None else rows.y[number]
        if y is None and (loss or any(one.output == number for one in goal.followed)):
            raise DataError(
                f"{of}y{which}", expected="labels for this output", got="None", fix="Pass them too."
            )
        if loss is not None and y is not None:
            checks.check_labels(y, loss.labels, shape, f"{of}y{which}", loss.ignored_class)
        weights = None if rows.weights is None else rows.weights[number]
        if weights is not None:
            checks.check_weights(weights, shape, f"{of}sample_weight{which}")


def check_objective(goal: Objective) -> None:
    """The metrics suit the losses."""
    for one in goal.followed:
        loss = goal.losses[one.output]
        takes_logits = loss is not None and loss.from_logits
        if takes_logits and one.metric.needs_probabilities:
            raise DataError(
                f"metric '{one.name}'",
                expected="probabilities",
                got=f"logits, as the loss '{loss.name if loss else ''}' takes them",
                fix="End the model in a sigmoid or softmax and drop from_logits=True, or give the metric "
                "from_logits=True where it has that.",
            )


def with_rank(x: np.ndarray, wanted: tuple[int | None, ...]) -> np.ndarray:
    """The array with a last dimension of 1 put on or taken off, where only that is missing."""
    if x.ndim == len(wanted) - 1 and wanted[-1] == 1:
        return x[..., None]
    if x.ndim == len(wanted) + 1 and x.shape[-1] == 1:
        return x[..., 0]
    return x


def in_order(graph: Graph, x: Any, model: str) -> list[Any]:
    """The inputs in the order of the graph's, from a list, a dict by name, or a single one."""
    names, structure = [tensor.name for tensor in graph.inputs], graph.input_structure
    if isinstance(structure, dict) and not isinstance(x, dict) and list(structure) != sorted(structure):
        raise ShapeError(
            f"the inputs of model '{model}'",
            expected=f"a dict with the keys {list(structure)}, as the model was made with one",
            got=f"a {type(x).__name__}",
            fix="Pass a dict; in a list their order would not be clear.",
        )
    if isinstance(x, dict):
        keyed = sorted(structure) if isinstance(structure, dict) else names
        for key in keyed:
            if key not in x:
                raise ShapeError(
                    f"the inputs of model '{model}'",
                    expected=f"an array for each of {keyed}",
                    got=f"none for '{key}'; there are {list(x)}",
                    fix="The keys of the dict are the names of the inputs.",
                )
        values = [x[key] for key in keyed]
        if len(values) == len(names):
            return values
        return [leaf for value in values for leaf in jax.tree.leaves(value)]
    values = jax.tree.leaves(x)
    if len(values) != len(names):
        raise ShapeError(
            f"the inputs of model '{model}'",
            expected=f"{len(names)}" + (f" ({', '.join(map(repr, names))})" if len(names) > 1 else ""),
            got=f"{len(values)}",
            fix="Pass a list in the order of the inputs, or a dict with their names."
            if len(names) > 1
            else "Pass one array.",
        )
    return values


def as_promised(tensor: SymbolicTensor, value: Any) -> Any:
    """The input in the rank that was promised, and in the type where that has fractions."""
    is_text = tensor.dtype == "string" or isinstance(value, SymbolicTensor)
    if not is_text and value.ndim != tensor.ndim:
        value = with_rank(value, tensor.shape)
    if is_text or not np.issubdtype(np.dtype(tensor.dtype), np.floating) or value.dtype == tensor.dtype:
        return value
    return value.astype(tensor.dtype)


def agrees(have: tuple[int, ...], wanted: tuple[int | None, ...]) -> bool:
    """Whether a shape is one that was promised."""
    return len(have) == len(wanted) and all(
        want in (None, size) for size, want in zip(have, wanted, strict=True)
    )


def first_user(graph: Graph, tensor: SymbolicTensor) -> str:
    """The name of the first layer that takes this input."""
    for node in graph.nodes:
        if any(one is tensor for one in node.inputs):
            return str(node.call.name)
    return tensor.name
