"""`tf.nest`: structures of lists, tuples and dicts, and what hangs in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from doltap.compat.tensorflow.dtypes import TensorShape
from doltap.errors import ShapeError

__all__ = ["assert_same_structure", "flatten", "is_nested", "map_structure", "pack_sequence_as"]


def is_nested(structure: Any) -> bool:
    """Whether it is a list, tuple or dict."""
    return isinstance(structure, (list, tuple, Mapping)) and not isinstance(structure, TensorShape)


def flatten(structure: Any, expand_composites: bool = False) -> list[Any]:
    """Everything that hangs in a structure, in order; the entries of a dict in the order of its keys.

    >>> flatten({"b": 1, "a": (2, [3])})
    [2, 3, 1]
    """
    if not is_nested(structure):
        return [structure]
    items = [structure[key] for key in sorted(structure)] if isinstance(structure, Mapping) else structure
    return [leaf for item in items for leaf in flatten(item)]


def pack_sequence_as(structure: Any, flat_sequence: Any, expand_composites: bool = False) -> Any:
    """The things of a flat list in a structure.

    >>> pack_sequence_as({"b": 0, "a": (0, [0])}, [2, 3, 1])
    {'b': 1, 'a': (2, [3])}
    """
    flat = list(flat_sequence)
    if len(flat) != len(flatten(structure)):
        raise ShapeError(
            "tf.nest.pack_sequence_as",
            expected=f"{len(flatten(structure))} things for the structure",
            got=str(len(flat)),
            fix="Give as many as tf.nest.flatten(structure) finds.",
        )
    return _packed(structure, iter(flat))


def _packed(structure: Any, leaves: Iterator[Any]) -> Any:
    if not is_nested(structure):
        return next(leaves)
    if isinstance(structure, Mapping):
        found = {key: _packed(structure[key], leaves) for key in sorted(structure)}
        return type(structure)((key, found[key]) for key in structure)  # type: ignore[call-arg]
    items = [_packed(item, leaves) for item in structure]
    return type(structure)(*items) if hasattr(structure, "_fields") else type(structure)(items)


def map_structure(func: Callable[..., Any], *structure: Any, **kwargs: Any) -> Any:
    """The structure with what the function gives in the place of each thing.

    >>> map_structure(lambda x, y: x + y, {"a": [1, 2]}, {"a": [3, 4]})
    {'a': [4, 6]}
    """
    columns = [flatten(each) for each in structure]
    for each in structure[1:]:
        assert_same_structure(structure[0], each)
    return pack_sequence_as(structure[0], [func(*row) for row in zip(*columns, strict=True)])


def assert_same_structure(
    nest1: Any, nest2: Any, check_types: bool = True, expand_composites: bool = False
) -> None:
    """An error unless both are nested in the same way."""
    if _form(nest1) != _form(nest2):
        raise ShapeError(
            "tf.nest.assert_same_structure",
            expected=f"the structure {_form(nest1)}",
            got=str(_form(nest2)),
            fix="Nest both in the same lists and dicts.",
        )


def _form(structure: Any) -> Any:
    if not is_nested(structure):
        return "."
    if isinstance(structure, Mapping):
        return {key: _form(structure[key]) for key in sorted(structure)}
    return [_form(item) for item in structure]
