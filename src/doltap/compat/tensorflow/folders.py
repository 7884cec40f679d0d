"""Models that a program saved under a bare name, "my_model", are loaded again without a word on its classes.

TensorFlow wrote a folder with the graph in it, which needed no classes. Here a
model's file names them, and those of the models that this process has saved
are known. Files with a suffix need `custom_objects`, as in Keras.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Iterator
from typing import Any

import jax

from doltap import registry
from doltap.compat.tensorflow.entrances import enter, is_doltaps
from doltap.core.owner import Owner
from doltap.models import saving

__all__ = ["enter_all"]

_SUFFIXES = (".keras", ".h5", ".hdf5", ".hdf", ".he5", ".safetensors")
# The classes and functions of the user's own in the models that were saved, by name.
_saved: dict[str, Any] = {}


def enter_all() -> None:
    """Put the answers in place."""
    enter(saving, "record_of", _noting)
    enter(saving, "made_from", _knowing)


def _noting(before: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(before)
    def record_of(model: Any, *arguments: Any, **keywords: Any) -> Any:
        _saved.update((thing.__name__, thing) for thing in _own_things(model))
        return before(model, *arguments, **keywords)

    return record_of


def _knowing(before: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(before)
    def made_from(record: Any, what: str, custom_objects: Any = None, **keywords: Any) -> Any:
        if what.strip("'").lower().endswith(_SUFFIXES):
            return before(record, what, custom_objects, **keywords)
        with registry.custom_object_scope(_saved):
            return before(record, what, custom_objects, **keywords)

    return made_from


def _own_things(model: Any) -> Iterator[Any]:
    """The classes and functions in a model that are not doltap's."""
    for owner in (model, *model.inside(Owner)):
        for value in (owner, *jax.tree.leaves(list(vars(owner).values()))):
            if isinstance(value, types.FunctionType) and not value.__module__.startswith("doltap."):
                yield value
            elif isinstance(value, registry.Configured) and not is_doltaps(type(value)):
                yield type(value)
