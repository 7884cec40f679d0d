"""`tf.strings`: functions of texts, which are kept as bytes."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np

from doltap.compat.tensorflow import dtypes, lacking
from doltap.compat.tensorflow.ragged import RaggedTensor
from doltap.compat.tensorflow.tensor import Tensor, as_tensor, is_traced
from doltap.errors import NotSupportedError
from doltap.layers.preprocessing import fingerprints

__all__ = ["as_string", "format", "join", "length", "lower", "reduce_join", "regex_full_match"]
__all__ += ["regex_replace", "split", "strip", "substr", "to_hash_bucket_fast", "to_number"]
__all__ += ["unicode_decode", "unicode_encode", "upper"]


def _each(function: Callable[[bytes], Any], texts: Any, kind: Any = object) -> Tensor:
    """What the function gives for each text."""
    if is_traced(texts):
        raise NotSupportedError(
            "tf.strings",
            expected="texts whose values are known",
            got="what a model is given, inside its compiled program",
            fix="Turn texts into numbers in front of the model: dataset.map(lambda x, y: (layer(x), y)). "
            "In a model, StringLookup and Hashing take texts.",
        )
    given = as_tensor(texts).host
    found = np.empty(given.shape, object)
    for place in np.ndindex(given.shape):
        found[place] = function(given[place])
    return Tensor(found.astype(kind))


def lower(input: Any, encoding: str = "", name: Any = None) -> Any:
    """The texts in small letters."""
    return _each(lambda text: text.decode().lower().encode() if encoding else text.lower(), input)


def upper(input: Any, encoding: str = "", name: Any = None) -> Any:
    """The texts in capitals."""
    return _each(lambda text: text.decode().upper().encode() if encoding else text.upper(), input)


def strip(input: Any, name: Any = None) -> Any:
    """The texts without blanks in front and behind."""
    return _each(lambda text: text.strip(), input)


def length(input: Any, unit: str = "BYTE", name: Any = None) -> Any:
    """How long each text is, in bytes or, with unit="UTF8_CHAR", in characters."""
    return _each(lambda text: len(text if unit == "BYTE" else text.decode()), input, np.int32)


def substr(input: Any, pos: Any, len: Any, unit: str = "BYTE", name: Any = None) -> Any:
    """A piece of each text."""
    start, count = int(pos), int(len)
    if unit == "BYTE":
        return _each(lambda text: text[start:][:count], input)
    return _each(lambda text: text.decode()[start:][:count].encode(), input)


def _bytes(text: Any) -> bytes:
    """A text as TensorFlow keeps it; programs write b"..." or "...", or give a tensor."""
    return bytes(as_tensor(text).host[()])


def join(inputs: Any, separator: str = "", name: Any = None) -> Any:
    """The texts of several tensors one behind the other."""
    parts = np.broadcast_arrays(*(as_tensor(each).host for each in inputs))
    found = np.empty(parts[0].shape, object)
    for place in np.ndindex(found.shape):
        found[place] = _bytes(separator).join(part[place] for part in parts)
    return Tensor(found)


def reduce_join(
    inputs: Any, axis: Any = None, keepdims: bool = False, separator: str = "", name: Any = None
) -> Any:
    """The texts along an axis one behind the other; all of them without."""
    texts = as_tensor(inputs).host
    if axis is None:
        return Tensor(np.array(_bytes(separator).join(texts.reshape(-1)), object))
    return join(list(np.moveaxis(texts, axis, 0)), separator)


def split(input: Any, sep: Any = None, maxsplit: int = -1, name: Any = None) -> Any:
    """The words of one text, or the rows of words of several."""
    given = as_tensor(input).host
    by = _bytes(sep) if sep is not None else None
    if not given.ndim:
        return as_tensor(given[()].split(by, maxsplit))
    return RaggedTensor(np.array(text.split(by, maxsplit), object) for text in given)


def regex_replace(
    input: Any, pattern: Any, rewrite: Any, replace_global: bool = True, name: Any = None
) -> Any:
    """The texts with everything that fits the pattern replaced."""
    fits, new = re.compile(_bytes(pattern)), _bytes(rewrite)
    return _each(lambda text: fits.sub(new, text, 0 if replace_global else 1), input)


def regex_full_match(input: Any, pattern: Any, name: Any = None) -> Any:
    """Whether each text fits the pattern as a whole."""
    fits = re.compile(_bytes(pattern))
    return _each(lambda text: fits.fullmatch(text) is not None, input, bool)


def to_number(input: Any, out_type: Any = dtypes.float32, name: Any = None) -> Any:
    """The number that each text writes."""
    kind = dtypes.as_dtype(out_type)
    return _each(int if kind.is_integer else float, input, kind.dtype)


def as_string(input: Any, precision: int = -1, name: Any = None, **options: Any) -> Any:
    """The text that writes each number."""
    values = as_tensor(input)

    def text(value: Any) -> bytes:
        if values.dtype.is_floating:
            return f"{float(value):.{6 if precision < 0 else precision}f}".encode()
        return str(value).lower().encode() if values.dtype.is_bool else str(value).encode()

    return _each(text, values)


def format(template: str, inputs: Any, placeholder: str = "{}", summarize: int = 3, name: Any = None) -> Any:
    """The template with the values in the place of each `{}`."""
    parts = inputs if isinstance(inputs, (list, tuple)) else [inputs]
    found = template
    for part in parts:
        found = found.replace(placeholder, str(as_tensor(part).numpy()), 1)
    return as_tensor(found)


def unicode_encode(input: Any, output_encoding: str, errors: str = "replace", **options: Any) -> Any:
    """The texts whose characters have these numbers, along the last axis."""
    if isinstance(input, RaggedTensor):
        return as_tensor(
            np.array([unicode_encode(row, output_encoding, errors).numpy() for row in input], object)
        )
    rows = as_tensor(input).numpy()
    found = np.empty(rows.shape[:-1], object)
    for place in np.ndindex(found.shape):
        found[place] = "".join(map(chr, rows[place])).encode(output_encoding, errors)
    return Tensor(found)


def unicode_decode(input: Any, input_encoding: str, errors: str = "replace", **options: Any) -> Any:
    """The numbers of the characters of a text, or the rows of those of several texts."""
    given = as_tensor(input).host
    rows = [[ord(letter) for letter in text.decode(input_encoding, errors)] for text in given.reshape(-1)]
    if len({len(row) for row in rows}) > 1:
        return RaggedTensor(np.array(row, np.int32) for row in rows)
    return as_tensor(np.array(rows, np.int32).reshape(*given.shape, -1))


def to_hash_bucket_fast(input: Any, num_buckets: int, name: Any = None) -> Any:
    """A number below `num_buckets` for each text, the same one as TensorFlow's."""
    count = int(num_buckets)
    return _each(lambda text: int(fingerprints.fingerprints([text])[0]) % count, input, np.int64)


lacking.guard(__name__)
