"""Where each weight of a model stands in a file: Keras 3's paths.

A path leads from the model through attributes and lists to a layer or an
optimizer: "layers/dense_1/vars/0". Names that were made up, such as those of
layers, are no part of it.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from doltap.core.layer import Layer
from doltap.losses import Loss
from doltap.metrics import Metric
from doltap.optimizers import Optimizer
from doltap.registry import snake_case

__all__ = ["Place", "places"]

_KEPT = (Layer, Optimizer, Metric, Loss)


class Place(NamedTuple):
    """A layer or an optimizer, and the path at which files keep what it holds itself."""

    path: str
    owner: Any

    def inside(self, name: str) -> str:
        """The path of something in it."""
        return f"{self.path}/{name}" if self.path else name


def places(model: Any) -> list[Place]:
    """Everything in a model that files keep weights of, each once, at its first place."""
    return list(_walk(Place("", model), set()))


def _walk(place: Place, met: set[int]) -> Iterator[Place]:
    met.add(id(place.owner))
    if not isinstance(place.owner, (Layer, Optimizer)):
        return
    yield place
    for name, value in _attributes(place.owner):
        if isinstance(value, _KEPT):
            if id(value) not in met:
                yield from _walk(Place(place.inside(name), value), met)
        elif isinstance(value, (list, tuple, dict, set)):
            yield from _walk_container(Place(place.inside(name), value), met)


def _walk_container(place: Place, met: set[int]) -> Iterator[Place]:
    for name, thing in _named(place.owner.values() if isinstance(place.owner, dict) else place.owner):
        if id(thing) not in met:
            yield from _walk(Place(place.inside(name), thing), met)


def _named(things: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    """What files keep of a list, under the names of the classes, counted."""
    counts: dict[str, int] = {}
    for thing in things:
        if isinstance(thing, _KEPT):
            stem = snake_case(_class_name(thing))
            number = counts[stem] = counts.get(stem, -1) + 1
            yield f"{stem}_{number}" if number else stem, thing


def _class_name(thing: Any) -> str:
    kind = type(thing)
    is_ours = kind.__module__.startswith("doltap.")
    return (is_ours and isinstance(thing, Layer) and thing.kept_in[1]) or kind.__name__


def _attributes(owner: Any) -> Iterator[tuple[str, Any]]:
    """The attributes in the order of files: a network's layers first, then by name, private ones last."""
    is_model = isinstance(getattr(owner, "layers", None), list) and hasattr(owner, "compiled")
    if is_model and owner.is_network:
        yield "layers", owner.layers
    names = {name for name in vars(owner) if name not in ("_layers", "_first")} | set(_properties(type(owner)))
    if is_model:
        names.add("layers")
    for name in sorted(names, key=lambda name: (name.startswith("_"), name)):
        try:
            yield name, getattr(owner, name)
        except Exception:
            # A property of the user's own may need what is not there yet.
            continue


def _properties(kind: type) -> Iterator[str]:
    """The names of the properties that classes of the user's own define."""
    for each in kind.__mro__:
        if not each.__module__.startswith("doltap."):
            yield from (name for name, _ in inspect.getmembers_static(each, lambda it: isinstance(it, property)))
