"""What a model file holds, told without making anything of it.

It works on the plain values and arrays that a guarded reader found. Nothing in
them is trusted to have the form that Keras gives it, and no text of theirs
reaches the terminal as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table
from rich.text import Text

from doltap import (
    activations,
    constraints,
    dtypes,
    initializers,
    layers,
    losses,
    metrics,
    planned,
    regularizers,
)
from doltap.core import configs
from doltap.errors import DoltapError, printable
from doltap.losses.loss import functions as loss_functions
from doltap.metrics.reduction import functions as metric_functions
from doltap.ops import protocol
from doltap.optimizers import schedules
from doltap.optimizers.optimizer import names as optimizer_names
from doltap.registry import snake_case
from doltap.reporting.summary import readable_bytes

__all__ = ["inspected", "print_inspected"]

_TABLES = (
    *(activations.names, configs.names, constraints.names, dtypes.names, initializers.names),
    *(loss_functions, losses.names, metric_functions, metrics.names, optimizer_names, schedules.names),
    *(protocol.names, regularizers.names),
)
# What stands for a value in Keras's configurations, and the classes of models.
_STANDING = frozenset(
    ["__ellipsis__", "__keras_tensor__", "__lambda__", "__numpy__", "__slice__", "__tuple__"]
)
_STANDING |= {"function", "Cross", "Feature", "FeatureSpace", "Functional", "GetItem", "Model", "Sequential"}
_STANDING |= set(layers.__all__)
_MEASURES = ("loss", "metrics", "weighted_metrics")
_SETTINGS = ("optimizer", "loss", "loss_weights", "metrics", "weighted_metrics")

# How deep models in models are told, and how much of a list.
_DEEPEST, _MOST_SHAPES = 20, 6

Weights = list[tuple[str, Any]]


class Finding(NamedTuple):
    """Something that a configuration names and doltap does not have."""

    name: str
    where: str
    # Why it can be had from nobody; None where the user can bring it.
    refusal: dict[str, str] | None


def inspected(record: Any, refused: Sequence[DoltapError] = ()) -> dict[str, Any]:
    """What a record holds, as plain values that JSON can tell.

    Args:
        record: a `files.record.Record`.
        refused: what was refused while it was read.
    """
    config = _dict(record.config)
    training = _dict(config.get("compile_config"))
    tree = _tree(record)
    memory = [*_all_of(_dict(tree.pop("optimizer", {}))), *record.optimizer]
    told = _layers(_dict(config.get("config")), tree, by_name=record.layers is not None)
    told += [_line(_name_at(record, path), None, None, weights) for path, weights in _leaves(tree)]
    findings = list(_findings(config))
    reasons = [{"what": error.subject, **error.parts} for error in refused]
    return {
        "format": record.format,
        "about": dict(record.metadata),
        "model": _line(_dict(config.get("config")).get("name"), config, None, []) if config else None,
        "layers": told,
        "parameters": sum(each["parameters"] for each in told),
        "bytes": sum(each["bytes"] for each in told),
        "training": {key: training[key] for key in _SETTINGS if training.get(key) is not None},
        "optimizer_variables": len(memory),
        "optimizer_bytes": sum(array.nbytes for _, array in memory),
        "files": {name: len(content) for name, content in record.assets.items()},
        "needs": [{"name": each.name, "in": each.where} for each in findings if each.refusal is None],
        "refused": reasons + [each.refusal for each in findings if each.refusal is not None],
    }


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


# Layers and their weights


def _tree(record: Any) -> dict[Any, Any]:
    """The arrays in folders, as their paths say; those of a folder itself stand under None."""
    if record.layers is not None:
        return {"layers": {name: {None: list(weights)} for name, weights in record.layers}}
    root: dict[Any, Any] = {}
    for path, array in record.paths.items():
        *folders, name = path.split("/")
        node = root
        for folder in folders:
            node = node.setdefault(folder, {})
        node.setdefault(None, []).append((name, array))
    return root


def _all_of(node: dict[Any, Any]) -> Weights:
    """The weights in a folder and in those inside it."""
    return [weight for _, weights in _leaves(node) for weight in weights]


def _leaves(root: dict[Any, Any]) -> Iterator[tuple[str, Weights]]:
    """Each folder that holds weights itself, by its path."""
    waiting = [("", root)]
    while waiting:
        path, node = waiting.pop()
        if node.get(None):
            yield path, node[None]
        inner = [(f"{path}/{key}".strip("/"), value) for key, value in node.items() if key is not None]
        waiting += reversed(inner)


def _name_at(record: Any, path: str) -> str:
    owner = path.removesuffix("vars").strip("/")
    name = record.names.get(owner)
    return f"{owner} ({name})" if name else owner or "the model itself"


def _layers(config: dict[str, Any], tree: dict[Any, Any], *, by_name: bool, depth: int = 0) -> list[dict]:
    """The layers of a model, with their weights, which are taken out of the tree."""
    folder, counts, told = _dict(tree.get("layers")), dict[str, int](), []
    for layer in map(_dict, _list(config.get("layers"))):
        inner = _dict(layer.get("config"))
        name, stem = inner.get("name"), snake_case(str(layer.get("class_name")))
        # Where Keras 3 puts it: each class is counted.
        number = counts[stem] = counts.get(stem, -1) + 1
        key = name if by_name else f"{stem}_{number}" if number else stem
        node = folder.pop(key, {}) if isinstance(key, str) else {}
        line = _line(name, layer, _shape_in(layer), [])
        if isinstance(inner.get("layers"), list) and depth < _DEEPEST:
            line["layers"] = _layers(inner, node, by_name=False, depth=depth + 1)
        told.append(_with(line, _all_of(node)))
    return told


def _line(name: Any, described: Any, shape: Any, weights: Weights) -> dict[str, Any]:
    """One layer, or a place that holds weights."""
    line = {"name": name, "class": _dict(described).get("class_name"), "input_shape": shape, "layers": []}
    return _with(line, weights)


def _with(line: dict[str, Any], weights: Weights) -> dict[str, Any]:
    kinds = [{"name": name, "shape": list(a.shape), "dtype": str(a.dtype)} for name, a in weights]
    inner = line["layers"]
    numbers = sum(a.size for _, a in weights) + sum(each["parameters"] for each in inner)
    size = sum(a.nbytes for _, a in weights) + sum(each["bytes"] for each in inner)
    return {**line, "weights": kinds, "parameters": int(numbers), "bytes": int(size)}


def _shape_in(layer: dict[str, Any]) -> Any:
    """The shape of the input for which a layer was built, where the file tells it."""
    config = _dict(layer.get("config"))
    own = config.get("batch_shape") or config.get("batch_input_shape")
    return own or _dict(layer.get("build_config")).get("input_shape")


# Names


def _findings(config: dict[str, Any]) -> Iterator[Finding]:
    """What a configuration names that is not here, each thing once."""
    met = set[tuple[str, str]]()
    for name, module, where in _named_in(config):
        if (name, where) not in met and not _is_known(name):
            met.add((name, where))
            yield Finding(name, where, _refusal(name, module, where))


def _named_in(config: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """The classes and functions that a configuration names, with module, and the layer they are in."""
    # A list of one's own: configurations may be deeper than Python's stack.
    waiting: list[tuple[Any, str]] = [(config, "the model")]
    while waiting:
        value, where = waiting.pop()
        if isinstance(value, list):
            waiting += [(item, where) for item in reversed(value)]
        if not isinstance(value, dict):
            continue
        inner = _dict(value.get("config"))
        if "class_name" in value:
            where = f"'{inner['name']}'" if isinstance(inner.get("name"), str) else where
            is_function = value["class_name"] == "function" and isinstance(value.get("config"), str)
            yield (
                str(value["config"] if is_function else value["class_name"]),
                str(value.get("module")),
                where,
            )
        yield from ((name, "", where) for name in _plainly_named(value))
        waiting += [(item, where) for item in reversed(list(value.values()))]


def _plainly_named(value: dict[str, Any]) -> Iterator[str]:
    """What is called by its bare name: activations, and what a model was compiled with."""
    waiting = [item for key, item in value.items() if str(key).endswith("activation") or key in _MEASURES]
    waiting += [value["optimizer"]] if "loss" in value and "optimizer" in value else []
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, (list, dict)) and "class_name" not in item:
            waiting += item if isinstance(item, list) else item.values()


def _is_known(name: str) -> bool:
    return name in _STANDING or any(name in table for table in _TABLES)


def _refusal(name: str, module: str, where: str) -> dict[str, str] | None:
    """Why a name is refused from whoever brings it; None where the user may."""
    space = module.removeprefix("keras.").removeprefix("src.").split(".")[0] if "keras" in module else ""
    lack = planned.lack_of(f"{space}.{name}" if space and space != "keras" else name) if module else None
    if lack is None or not module.startswith("keras"):
        return None
    return {
        "what": where,
        "expected": "classes that doltap has",
        "got": f"'{name}', which is {lack.fate}",
        "fix": lack.why,
    }


# On the terminal


def print_inspected(found: dict[str, Any], title: str, size: int, console: Console | None = None) -> None:
    """Print what `inspected` found.

    Args:
        title: the file, as the user named it.
        size: its bytes.
        console: None is the terminal.
    """
    console = console or Console(highlight=False)
    model = found["model"] or {}
    _say(console, f"{title} ({readable_bytes(size)})", f"format {found['format']}", style="bold")
    for key, value in found["about"].items():
        _say(console, key, value)
    if model:
        _say(console, "model", f"{model['class']} '{model['name']}'")
    if found["layers"]:
        console.print(_table(found["layers"]))
    _say(console, "parameters", f"{found['parameters']:,} ({readable_bytes(found['bytes'])})")
    if found["optimizer_variables"]:
        count, held = found["optimizer_variables"], readable_bytes(found["optimizer_bytes"])
        _say(console, "optimizer's memory", f"{count:,} arrays ({held})")
    for key, value in found["training"].items():
        _say(console, f"compiled with {key}", _told(value))
    for name, length in found["files"].items():
        _say(console, "file inside", f"{name} ({readable_bytes(length)})")
    for need in found["needs"]:
        _say(
            console,
            "needs from you",
            f"{need['name']} for {need['in']}: pass custom_objects=, or register it",
        )
    for reason in found["refused"]:
        text = f"{reason['what']}: expected {reason['expected']}, got {reason['got']}. {reason['fix']}"
        _say(console, "refused", text, style="red")


def _say(console: Console, label: Any, value: Any, style: str = "") -> None:
    # Text, and not markup: what stands in a file is shown as it stands there.
    console.print(Text(f"{printable(label, 200)}: {printable(value, 400)}", style=style))


def _table(told: list[dict[str, Any]]) -> Table:
    table = Table(header_style="bold")
    for column in ("Layer (type)", "Input Shape", "Weights", "Param #", "Bytes"):
        right = column in ("Param #", "Bytes")
        table.add_column(column, justify="right" if right else "left", overflow="fold")
    for line, depth in _flat(told):
        kind = "" if line["class"] is None else f" ({printable(line['class'])})"
        shapes = [_shape(weight["shape"]) for weight in line["weights"]]
        more = len(shapes) - _MOST_SHAPES
        shown = " ".join(shapes[:_MOST_SHAPES]) + (f" and {more} more" if more > 0 else "")
        name, shape = f"{'  ' * depth}{printable(line['name'])}{kind}", _shape(line["input_shape"])
        numbers = [f"{line['parameters']:,}", f"{line['bytes']:,}"]
        table.add_row(*(Text(text) for text in (name, shape, shown, *numbers)))
    return table


def _flat(told: list[dict[str, Any]], depth: int = 0) -> Iterator[tuple[dict[str, Any], int]]:
    for line in told:
        yield line, depth
        yield from _flat(line["layers"], depth + 1)


def _shape(shape: Any) -> str:
    """A shape as people write it."""
    if shape is None:
        return ""
    return printable(str(tuple(shape)) if isinstance(shape, list) else shape)


def _told(value: Any, depth: int = 0) -> str:
    """A setting in few words: names of classes, and their numbers."""
    if isinstance(value, dict) and depth < 3:
        inner = value.get("config") if "class_name" in value else value
        parts = [f"{key}={_told(item, depth + 1)}" for key, item in _dict(inner).items() if item is not None]
        name = value.get("class_name")
        if name == "function" or not isinstance(inner, dict):
            return str(inner if name == "function" else name)
        return f"{'' if name is None else name}({', '.join(parts[:12])})"
    if isinstance(value, list) and depth < 3:
        return ", ".join(_told(item, depth + 1) for item in value[:12])
    return f"{value:g}" if isinstance(value, float) else str(value)
