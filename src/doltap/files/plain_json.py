"""JSON from files that nobody vouches for."""

from __future__ import annotations

import collections
import json
import math
import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from doltap.errors import ModelFileError, printable

__all__ = ["read_json", "write_json"]

# A configuration of a thousand layers has a megabyte and is fifteen deep for
# each model within a model; vocabularies of a million words have twenty megabytes.
_MOST_BYTES, _MOST_VALUES, _DEEPEST = 1 << 26, 1 << 22, 100
_MOST_OBJECTS = 200_000
_NO_STRUCTURE = bytes(set(range(256)) - set(b"[]{},"))
_UP_AND_DOWN = bytes.maketrans(b"[{]}", b"\1\1\xff\xff")
# An integer of 128 bits, as random states have, has 39 digits.
_MOST_DIGITS = 39

# How halves of characters begin.
_HALVES = (rb"\ud", rb"\uD")
_LONG_NUMBER = re.compile(rb"[0-9+\-.eE]{1001}")
_TEXTS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)


def read_json(text: str | bytes | memoryview, what: str) -> Any:
    """The value that the text describes: dicts, lists, texts, numbers, booleans, None.

    Infinity and NaN are read, since Keras writes them; keys that come twice,
    numbers of more than 128 bits and bytes that are no UTF-8 are refused.

    Args:
        what: the text is, as errors name it: "config.json in model.keras".
    """
    raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else bytes(text)
    _check_size(raw, what)
    try:
        value = json.loads(
            raw.decode("utf-8"),
            parse_int=_whole_number,
            parse_float=_number,
            object_pairs_hook=_object,
        )
    except (ValueError, RecursionError) as error:
        raise _refusal(what, printable(error, 200), "JSON") from error
    if any(half in raw for half in _HALVES) and not all(map(_is_text, _texts(value))):
        raise _refusal(what, "half of a character", "texts of whole characters")
    return value


def _check_size(raw: bytes, what: str) -> None:
    """Refuse what would take long or much room, before it is read."""
    if len(raw) > _MOST_BYTES:
        raise _refusal(what, f"{len(raw)} bytes", f"at most {_MOST_BYTES} bytes of JSON")
    between = _TEXTS.sub(b"", raw)
    if _LONG_NUMBER.search(between):
        raise _refusal(what, "a number of more than 1000 digits", "numbers that a computer can hold")
    outside = between.translate(None, _NO_STRUCTURE)
    if outside.count(b"{") > _MOST_OBJECTS:
        raise _refusal(what, f"{outside.count(b'{')} objects", f"at most {_MOST_OBJECTS} objects")
    num_values = len(outside) - outside.count(b"]") - outside.count(b"}")
    brackets = np.frombuffer(outside.translate(_UP_AND_DOWN, b","), np.int8)
    depth = int(np.cumsum(brackets, dtype=np.int64).max(initial=0))
    if depth > _DEEPEST:
        raise _refusal(what, f"values {depth} deep", f"values at most {_DEEPEST} deep")
    if num_values > _MOST_VALUES:
        raise _refusal(what, f"{num_values} values", f"at most {_MOST_VALUES} values")


def _refusal(what: str, got: str, expected: str) -> ModelFileError:
    fix = "No model's description has that: the file is damaged, or made to do harm."
    return ModelFileError(what, expected=expected, got=got, fix=fix)


def _whole_number(digits: str) -> int:
    if len(digits.lstrip("-")) > _MOST_DIGITS:
        raise ValueError(f"a number of {len(digits)} digits")
    return int(digits)


def _number(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError(f"the number {printable(digits, 30)}, which no computer can hold")
    return number


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        counts = collections.Counter(key for key, _ in pairs)
        raise ValueError(f"the key {counts.most_common(1)[0][0]!r} twice")
    return found


def _texts(value: Any) -> Iterator[str]:
    """All texts in a value, the keys among them."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _is_text(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def write_json(value: Any) -> str:
    """The value as JSON, in the order in which it is.

    Tuples become lists and NumPy's numbers plain ones, as Keras has it.

    >>> write_json({"units": np.int64(2), "shape": (None, 3)})
    '{"units": 2, "shape": [null, 3]}'
    """
    written = json.dumps(_plain(value, ""))
    if any(half in written.encode() for half in _HALVES) and not all(
        map(_is_text, _texts(json.loads(written)))
    ):
        raise _unwritten("", "half of a character", "Take it out of the text.")
    return written


def _plain(value: Any, path: str) -> Any:
    """The value as JSON knows it.

    Args:
        path: to the value, for errors: "config.layers.0".
    """
    if isinstance(value, (np.generic, np.ndarray)):
        value = value.tolist()
    if value is None or isinstance(value, (bool, int, float, str)):
        if isinstance(value, int) and len(str(abs(value))) > _MOST_DIGITS:
            raise _unwritten(path, "an integer of more than 128 bits", "Make it smaller.")
        return value
    if isinstance(value, (list, tuple)):
        return [_plain(inner, f"{path}.{number}") for number, inner in enumerate(value)]
    if isinstance(value, dict):
        plain = {_key(key, path): _plain(inner, f"{path}.{key}") for key, inner in value.items()}
        if len(plain) == len(value):
            return plain
        raise _unwritten(path, "keys that are one and the same in JSON", "Rename one of them.")
    raise _unwritten(
        path, f"{type(value).__name__} {printable(repr(value))}", "Give get_config plain values."
    )


def _key(key: Any, path: str) -> str:
    if isinstance(key, str):
        return key
    if isinstance(key, (bool, int, float)) or key is None:
        return json.dumps(key)
    raise _unwritten(path, f"the key {printable(repr(key))}", "Use texts as keys.")


def _unwritten(path: str, got: str, fix: str) -> ModelFileError:
    return ModelFileError(
        f"the configuration{f' at {path[1:]}' if path else ''}",
        expected="texts, numbers, booleans, None, and lists and dicts of them",
        got=got,
        fix=fix,
    )
