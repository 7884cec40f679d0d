"""From a layer to a plain dict and back.

The dicts are Keras 3's: module, class name, configuration, registered name.
Only classes of ours, and those the user registered or passes, are ever made.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from typing import Any

from doltap import old_names, registry
from doltap.core.layer import Layer, names
from doltap.errors import NotSupportedError, printable
from doltap.registry import explained

__all__ = ["Making", "compiles", "deserialize", "making", "names", "numbering", "serialize"]

_current = threading.local()

# How deep a network may lie in a network.
_DEEPEST = 32


class Making:
    """What is noted while a model is made from a file."""

    def __init__(self, compiles: bool) -> None:
        # Whether models are compiled as they were.
        self.compiles = compiles
        # The layers made so far, by the number that a description gives them, and all in order.
        self.numbered: dict[Any, Layer] = {}
        self.made: list[tuple[dict[str, Any], Layer]] = []
        # Those without a number by what is said of them, as far as that was needed yet.
        self.by_essence: dict[str, Layer] = {}
        self.num_indexed = 0
        # The names of the layers that are being made, outermost first; those of the one that failed.
        self.path: list[str] = []
        self.failed: list[str] | None = None


def compiles() -> bool:
    """Whether a model that is made now is compiled as its description says."""
    noted: Making | None = getattr(_current, "making", None)
    return noted is not None and noted.compiles


@contextlib.contextmanager
def making(*, compiles: bool = True) -> Iterator[Making]:
    """Inside the `with`, a layer that a file describes twice is made once.

    Args:
        compiles: whether models are compiled as their descriptions say.
    """
    outer = getattr(_current, "making", None)
    _current.making = Making(compiles)
    try:
        with old_names.unheard():
            yield _current.making
    finally:
        _current.making = outer


@contextlib.contextmanager
def numbering(layers: dict[int, int]) -> Iterator[None]:
    """Inside the `with`, the descriptions of these layers, by identity, say their numbers."""
    outer = getattr(_current, "numbers", None)
    _current.numbers = layers
    try:
        yield
    finally:
        _current.numbers = outer


@explained
def serialize(layer: Layer) -> dict[str, Any]:
    """The layer as `{"module", "class_name", "config", "registered_name"}`."""
    module, name = layer.kept_in
    written = registry.described(layer, module)
    is_users = written["registered_name"] is not None
    if name is not None and not is_users:
        written["class_name"] = name
    numbers: dict[int, int] | None = getattr(_current, "numbers", None)
    if numbers is None:
        return written
    written |= layer.beside_config()
    if id(layer) in numbers:
        written["shared_object_id"] = numbers[id(layer)]
    return written


@explained
def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The layer that `serialize` described.

    Args:
        custom_objects: classes of the user's own by name, beside the registered ones.
    """
    if isinstance(config, Layer):
        return config
    if not isinstance(config, dict) or "class_name" not in config:
        raise NotSupportedError(
            "layers.deserialize",
            expected="a dict with 'class_name' and 'config'",
            got=printable(repr(config)),
            fix="Give it what layers.serialize(layer) returned.",
        )
    with registry.custom_object_scope(custom_objects or {}):
        noted: Making | None = getattr(_current, "making", None)
        return names.make(config) if noted is None else _noted(config, noted)


def _noted(config: dict[str, Any], noted: Making) -> Any:
    """The layer, or the one made before of the same description."""
    number = config.get("shared_object_id")
    known = None if number is None else _made_before(config, number, noted)
    if known is not None:
        return known
    inner = config.get("config")
    noted.path.append(str(inner.get("name") if isinstance(inner, dict) else config["class_name"]))
    try:
        if len(noted.path) > _DEEPEST:
            raise NotSupportedError(
                f"layer '{noted.path[0]}'",
                expected=f"layers inside layers, {_DEEPEST} deep at most",
                got="more",
                fix="The file was made to mislead.",
            )
        layer = names.make(config)
        if isinstance(layer, Layer):
            layer.take_beside(config)
    except Exception:
        noted.failed = noted.failed or list(noted.path)
        raise
    finally:
        noted.path.pop()
    noted.made.append((config, layer))
    if number is not None:
        noted.numbered[number] = layer
    return layer


def _made_before(config: dict[str, Any], number: Any, noted: Making) -> Layer | None:
    if number in noted.numbered:
        return noted.numbered[number]
    # Keras 3.15 leaves the number out where a layer is described first.
    for other, layer in noted.made[noted.num_indexed :]:
        if "shared_object_id" not in other:
            noted.by_essence.setdefault(_essence(other), layer)
    noted.num_indexed = len(noted.made)
    return noted.by_essence.get(_essence(config))


def _essence(config: dict[str, Any]) -> str:
    return json.dumps([config["class_name"], _unnumbered(config.get("config"))], sort_keys=True, default=repr)


def _unnumbered(value: Any) -> Any:
    """A configuration without the numbers of what is shared."""
    if isinstance(value, dict):
        apart = ("shared_object_id", "build_config")
        return {key: _unnumbered(item) for key, item in value.items() if key not in apart}
    return [_unnumbered(item) for item in value] if isinstance(value, (list, tuple)) else value
