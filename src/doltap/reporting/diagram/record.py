"""What a picture of a network shows: parts with their facts, and the links between them.

Plain values only. `models` says what a model's parts are; everything from here
on knows no models.
"""

from __future__ import annotations

import dataclasses
import unicodedata
from collections.abc import Mapping

from doltap.errors import printable

__all__ = ["Network", "Part", "Shows", "facts_of", "text_width", "title_of"]

_LONGEST = 48
# What the letters take of their height, in the wide ones among the common typefaces.
_NARROW, _WIDE = frozenset("ijl.,:;'|!I()[]ftr "), frozenset("mwMW@%")


@dataclasses.dataclass(frozen=True)
class Part:
    """One layer, operation or model inside a network.

    Args:
        key: what links call it; no other part of the network has the same.
        family: "input", "weights", "plain", "operation" or "model": how it is coloured.
        parameters: how many numbers its weights hold; None where they are not made yet.
        num_calls: how often the network calls it.
        inner: what a model is made of, where that is to be shown.
    """

    key: str
    name: str
    kind: str
    family: str = "plain"
    activation: str = ""
    input_shape: str = ""
    output_shape: str = ""
    dtype: str = ""
    parameters: int | None = None
    is_trainable: bool | None = None
    num_calls: int = 1
    inner: Network | None = None


@dataclasses.dataclass(frozen=True)
class Network:
    """Parts and the links between them, as pairs of keys.

    `has_links` is False where it is not known what leads where: the parts are shown in a row.
    """

    name: str
    parts: tuple[Part, ...]
    links: tuple[tuple[str, str], ...]
    has_links: bool = True


@dataclasses.dataclass(frozen=True)
class Shows:
    """What is said of each part.

    `labels` are the words for "input", "output", "type", "activation", "parameters",
    "trainable", "yes", "no" and "calls", where these are not to be English.
    """

    names: bool = True
    shapes: bool = True
    types: bool = False
    activations: bool = True
    parameters: bool = True
    trainable: bool = False
    labels: Mapping[str, str] = dataclasses.field(default_factory=dict)


def title_of(part: Part, shows: Shows) -> str:
    """The first line of a part.

    >>> title_of(Part("1", "dense", "Dense"), Shows())
    'dense (Dense)'
    """
    name, kind = printable(part.name, _LONGEST), printable(part.kind, _LONGEST)
    return f"{name} ({kind})" if shows.names else kind


def facts_of(part: Part, shows: Shows) -> list[tuple[str, str]]:
    """The lines below the title, each a label and what it says.

    >>> facts_of(Part("1", "dense", "Dense", output_shape="(None, 3)", parameters=15), Shows())
    [('output', '(None, 3)'), ('parameters', '15')]
    """
    word = {name: name for name in ("input", "output", "type", "activation", "parameters", "trainable")}
    word |= {"yes": "yes", "no": "no", "calls": "called", **shows.labels}
    lines = [
        (shows.activations and bool(part.activation), "activation", part.activation),
        (shows.shapes and bool(part.input_shape), "input", part.input_shape),
        (shows.shapes and bool(part.output_shape), "output", part.output_shape),
        (shows.types and bool(part.dtype), "type", part.dtype),
        (shows.parameters and bool(part.parameters), "parameters", f"{part.parameters or 0:,}"),
        (
            shows.trainable and part.is_trainable is not None,
            "trainable",
            word["yes" if part.is_trainable else "no"],
        ),
        (part.num_calls > 1, "calls", f"×{part.num_calls}"),
    ]
    return [(word[label], printable(said, _LONGEST)) for is_shown, label, said in lines if is_shown]


def text_width(text: str, size: float, *, is_bold: bool = False) -> float:
    """About how wide a line is, in the unit of its size; rather too wide than too narrow.

    >>> text_width("가나", 10.0)
    20.0
    """
    return sum(_share(letter) for letter in text) * size * (1.1 if is_bold else 1.0)


def _share(letter: str) -> float:
    if unicodedata.east_asian_width(letter) in "WF":
        return 1.0
    if letter in _NARROW:
        return 0.4
    if letter in _WIDE:
        return 0.98
    return 0.72 if letter.isupper() else 0.63
