"""Weights as safetensors files hold them: a header of JSON, then the bytes of each array, and nothing else.

The format is https://github.com/huggingface/safetensors; here arrays bear the
paths of Keras 3 ("layers/dense/vars/0"), and the header a checksum.
"""

from __future__ import annotations

import hashlib
import math
import os
import pathlib
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

import ml_dtypes
import numpy as np

from doltap.errors import ModelFileError, printable
from doltap.files.opening import read_file
from doltap.files.plain_json import read_json, write_json
from doltap.files.record import Record

__all__ = ["is_safetensors", "read", "write"]

_TYPES: dict[str, np.dtype] = {
    **{"BOOL": np.dtype(np.bool_), "BF16": np.dtype(ml_dtypes.bfloat16)},
    **{f"F{bits}": np.dtype(f"<f{bits // 8}") for bits in (16, 32, 64)},
    **{f"I{bits}": np.dtype(f"<i{bits // 8}") for bits in (8, 16, 32, 64)},
    **{f"U{bits}": np.dtype(f"<u{bits // 8}") for bits in (8, 16, 32, 64)},
}
_NAMES = {dtype.newbyteorder("="): name for name, dtype in _TYPES.items()}

# As the library has it; a header of that size names a million arrays.
_LONGEST_HEADER = 100_000_000
_MOST_AXES = 32
_MOST_ARRAYS = 50_000

_METADATA, _CHECKSUM, _LAYERS = "__metadata__", "doltap_checksum", "doltap_layers"


def is_safetensors(begin: bytes) -> bool:
    """Whether a file that begins so may be one: a length, then a header.

    >>> is_safetensors(bytes([2, 0, 0, 0, 0, 0, 0, 0]) + b"{}")
    True
    """
    return len(begin) > 8 and begin[8:9] == b"{" and int.from_bytes(begin[:8], "little") <= _LONGEST_HEADER


def read(path: str | os.PathLike[str]) -> Record:
    """The arrays of a file by their paths."""
    what = f"'{printable(os.fspath(path), 200)}'"
    content = read_file(path, what)
    size = int.from_bytes(content[:8], "little")
    if not is_safetensors(bytes(content[:9])) or 8 + size > len(content):
        raise _damaged(
            what, "a header, as safetensors files begin with", f"{len(content)} bytes of another kind"
        )
    header = read_json(bytes(content[8 : 8 + size]), f"the header of {what}")
    if not isinstance(header, dict):
        raise _damaged(what, "an object for a header", type(header).__name__)
    if len(header) > _MOST_ARRAYS:
        raise _damaged(what, f"at most {_MOST_ARRAYS} arrays", str(len(header)))
    metadata = _checked_metadata(what, header.pop(_METADATA, {}))
    arrays = _arrays(what, header, content[8 + size :])
    known, layers = metadata.pop(_CHECKSUM, None), metadata.pop(_LAYERS, "{}")
    if known is not None and known != _checksum(arrays, {**metadata, _LAYERS: layers}):
        raise _damaged(what, "the bytes that were written", "others: the checksum differs")
    names = read_json(layers, f"the names of layers in {what}")
    if not isinstance(names, dict) or not all(isinstance(name, str) for name in names.values()):
        raise _damaged(what, "a name for each layer", printable(names))
    return Record("safetensors", metadata=metadata, paths=arrays, names=names)


def _damaged(what: str, expected: str, got: str) -> ModelFileError:
    return ModelFileError(
        what,
        expected=expected,
        got=got,
        fix="The file is damaged, or something else made it: fetch it again.",
    )


def _checked_metadata(what: str, metadata: Any) -> dict[str, str]:
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise _damaged(what, "texts under texts in the header's metadata", printable(metadata))
    return dict(metadata)


def _arrays(what: str, header: Mapping[str, Any], content: memoryview) -> dict[str, np.ndarray]:
    """The arrays that the header tells of, which fill the rest of the file without a gap."""
    placed = {name: _placed(f"'{printable(name)}' in {what}", entry) for name, entry in header.items()}
    end = 0
    for name, (_, _, begin, after) in sorted(placed.items(), key=lambda item: item[1][2:]):
        if begin != end:
            raise _damaged(f"'{printable(name)}' in {what}", f"it to begin at byte {end}", str(begin))
        end = after
    if end != len(content):
        raise _damaged(what, f"{end} bytes of arrays, as the header says", f"{len(content)}")
    arrays = {}
    for name, (dtype, shape, begin, after) in placed.items():
        raw = np.frombuffer(content[begin:after], np.uint8)
        # A byte that is neither 0 nor 1 is no boolean that NumPy could work with.
        array = raw != 0 if dtype == np.bool_ else raw.view(dtype)
        arrays[name] = array.reshape(shape)
    return arrays


def _placed(what: str, entry: Any) -> tuple[np.dtype, tuple[int, ...], int, int]:
    """Type, shape, and the first byte and the one after the last, of one array."""
    if not isinstance(entry, dict) or entry.keys() != {"dtype", "shape", "data_offsets"}:
        raise _damaged(what, "dtype, shape and data_offsets", printable(entry))
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in _TYPES:
        raise ModelFileError(
            what,
            expected=f"one of the types {', '.join(_TYPES)}",
            got=printable(dtype),
            fix="Convert the array to one of them where the file was made.",
        )
    if not _are_sizes(shape) or len(shape) > _MOST_AXES:
        raise _damaged(what, f"a shape of at most {_MOST_AXES} lengths", printable(shape))
    num_bytes = math.prod(shape) * _TYPES[dtype].itemsize
    if not _are_sizes(offsets) or len(offsets) != 2 or offsets[1] - offsets[0] != num_bytes:
        raise _damaged(what, f"{printable(num_bytes)} bytes for shape {printable(shape)}", printable(offsets))
    return _TYPES[dtype], tuple(shape), offsets[0], offsets[1]


def _are_sizes(numbers: Any) -> bool:
    return isinstance(numbers, list) and all(type(number) is int and number >= 0 for number in numbers)


def write(path: pathlib.Path, record: Record) -> None:
    """A file of the record's arrays, its metadata as texts, and a checksum."""
    arrays = {name: _plain(name, array) for name, array in record.paths.items()}
    # Arrays of longer numbers come first, so that all stand at multiples of their size.
    arrays = dict(sorted(arrays.items(), key=lambda item: -item[1].itemsize))
    metadata = {str(key): str(value) for key, value in record.metadata.items()}
    metadata[_LAYERS] = write_json(record.names)
    metadata[_CHECKSUM] = _checksum(arrays, metadata)
    header: dict[str, Any] = {_METADATA: metadata}
    end = 0
    for name, array in arrays.items():
        begin, end = end, end + array.nbytes
        kind = _NAMES[array.dtype]
        header[name] = {"dtype": kind, "shape": list(array.shape), "data_offsets": [begin, end]}
    text = write_json(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.writelines(_bytes_of(array) for array in arrays.values())


def _plain(name: str, array: Any) -> np.ndarray:
    """The array in the order of C, in a type that the format has."""
    array = np.asarray(array)
    if array.dtype.newbyteorder("=") not in _NAMES or name == _METADATA:
        raise ModelFileError(
            f"weight '{name}'",
            expected=f"one of the types {', '.join(map(str, _NAMES))}",
            got=str(array.dtype),
            fix="Save the weights as .weights.h5 instead.",
        )
    return np.ascontiguousarray(array, array.dtype.newbyteorder("=")).reshape(array.shape)


def _bytes_of(array: np.ndarray) -> memoryview:
    """The bytes of an array, lowest first, without a copy where they lie so."""
    little = array.astype(_TYPES[_NAMES[array.dtype]], copy=False)
    return little.reshape(-1).view(np.uint8).data


def _checksum(arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str]) -> str:
    """What tells whether arrays and metadata are those that were written."""
    lines: Iterable[str] = (
        f"{name} {_NAMES[array.dtype.newbyteorder('=')]} {array.shape} {zlib.crc32(_bytes_of(array))}\n"
        for name, array in arrays.items()
    )
    about = write_json([sorted(lines), sorted(metadata.items())])
    return f"sha256:{hashlib.sha256(about.encode()).hexdigest()}"
