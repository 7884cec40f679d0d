"""Where each weight of a model stands in a file: Keras 3's paths, and those of late Keras 2.

A path leads from the model through attributes and lists to a layer or an
optimizer: "layers/dense_1/vars/0". Names that were made up, such as those of
layers, are no part of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from doltap.core.layer import Layer
from doltap.core.tensors import Variable
from doltap.losses import Loss
from doltap.metrics import Metric
from doltap.models.stepping import Stepping
from doltap.optimizers import Optimizer
from doltap.registry import snake_case

__all__ = ["STYLES", "Place", "Style", "by_layer", "places"]

# What stands in a file under a name of its own, although some of it holds no weights.
_KEPT = (Layer, Optimizer, Metric, Loss)
_CONTAINERS = (list, tuple, dict, set)


class Place(NamedTuple):
    """A layer or an optimizer, and the path at which files keep what it holds itself."""

    path: str
    owner: Any

    def inside(self, name: str) -> str:
        """The path of something in it."""
        return f"{self.path}/{name}" if self.path else name


class Style(NamedTuple):
    """How a version of Keras walks through a model; what it meets twice stands at its first place."""

    # Under which name it finds the layers of a network, and whether before all attributes.
    network: str
    network_is_first: bool
    # From the last attribute to the first; those with an underscore behind all others.
    is_reversed: bool
    private_is_last: bool
    # Whether what was met before takes up a number in a list, and whether lists in lists count.
    counts_met: bool
    sees_inner_lists: bool


STYLES = {
    "3": Style("layers", True, False, True, True, True),
    "2.13": Style("layers", False, True, False, False, False),
    "2.12": Style("_layer_checkpoint_dependencies", False, False, False, True, False),
}


def places(model: Any, style: Style = STYLES["3"]) -> list[Place]:
    """Everything in a model that files keep weights of, each at its first place."""
    return list(_Walk(style).through(Place("", model)))


class _Walk:
    """One way through a model."""

    def __init__(self, style: Style) -> None:
        self.style = style
        self._met: set[int] = set()

    def through(self, place: Place) -> Iterator[Place]:
        """The place of a thing, and those of all that is in it."""
        if id(place.owner) in self._met:
            return
        self._met.add(id(place.owner))
        if not isinstance(place.owner, (Layer, Optimizer)):
            return
        yield place
        for name, value in self._attributes(place.owner):
            inner = Place(place.inside(name), value)
            if isinstance(value, _KEPT):
                yield from self.through(inner)
            elif isinstance(value, _CONTAINERS):
                yield from self._through_container(inner)

    def _through_container(self, place: Place, depth: int = 0) -> Iterator[Place]:
        counts: dict[str, int] = {}
        for thing in place.owner.values() if isinstance(place.owner, dict) else place.owner:
            is_list = isinstance(thing, _CONTAINERS)
            is_passed = not self.style.counts_met and id(thing) in self._met
            is_seen = depth < 32 and self.style.sees_inner_lists if is_list else isinstance(thing, _KEPT)
            if is_passed or not is_seen:
                continue
            stem = "container" if is_list else snake_case(_class_name(thing))
            number = counts[stem] = counts.get(stem, -1) + 1
            inner = Place(place.inside(f"{stem}_{number}" if number else stem), thing)
            yield from self._through_container(inner, depth + 1) if is_list else self.through(inner)

    def _attributes(self, owner: Any) -> Iterator[tuple[str, Any]]:
        style, found = self.style, {**_properties(owner), **vars(owner)}
        for name in ("_layers", "_first"):
            found.pop(name, None)
        if isinstance(owner, Stepping):
            is_network = owner.is_network
            layers = owner.children()
            if is_network and style.network_is_first:
                yield style.network, layers
            elif is_network and style.network != "layers":
                # Keras 2.12 lists layers with weights twice.
                found[style.network] = [
                    each for layer in layers for each in (layer, layer)[: 1 + bool(layer.weights)]
                ]
            else:
                found["layers"] = layers
        names = sorted(found, key=lambda name: (style.private_is_last and name.startswith("_"), name))
        for name in reversed(names) if style.is_reversed else names:
            yield name, found[name]


def _properties(owner: Any) -> dict[str, Any]:
    """What the properties give that classes of the user's own define."""
    found: dict[str, Any] = {}
    for each in type(owner).__mro__:
        if each.__module__.startswith(("doltap.", "builtins")):
            continue
        for name in (name for name, value in vars(each).items() if isinstance(value, property)):
            try:
                found[name] = getattr(owner, name)
            except Exception:
                # It may need what is not there yet.
                found[name] = None
    return found


def _class_name(thing: Any) -> str:
    kind = type(thing)
    is_ours = kind.__module__.startswith("doltap.")
    return (is_ours and isinstance(thing, Layer) and thing.kept_in[1]) or kind.__name__


def by_layer(model: Any) -> list[tuple[str, list[tuple[str, Variable]]]]:
    """The layers by name, each with the names and weights in it, as Keras 1 and 2 list them."""
    listed = [(layer.name, _named(layer)) for layer in model.children()]
    own = [(f"{model.name}/{weight.name}:0", weight) for weight in model.own_weights()]
    return [*listed, ("top_level_model_weights", own)] if own else listed


def _named(layer: Layer) -> list[tuple[str, Variable]]:
    """The weights that training moves, then the others, each with a path of names."""
    paths: dict[Variable, str] = {}

    def walk(owner: Any, path: str) -> None:
        for weight in owner.own_weights():
            paths.setdefault(weight, f"{path}/{weight.name}:0")
        for inner in owner.children():
            walk(inner, f"{path}/{inner.name}")

    walk(layer, layer.name)
    weights = [*layer.trainable_weights, *layer.non_trainable_weights]
    return [(paths[weight], weight) for weight in weights]
