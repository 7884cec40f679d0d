"""Records as programs know them: `tf.train.Example` and its parts, and how tensors come out of them."""

from __future__ import annotations

import gzip
import io
import operator
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import IO, Any, NamedTuple, cast

import numpy as np

from doltap.compat.tensorflow import dtypes, sparse, wire
from doltap.compat.tensorflow.errors import DataLossError, InvalidArgumentError
from doltap.compat.tensorflow.tensor import Tensor, as_tensor
from doltap.errors import printable

__all__ = ["BytesList", "Example", "Feature", "Features", "FixedLenFeature", "FloatList", "Int64List"]
__all__ += ["TFRecordOptions", "TFRecordWriter", "VarLenFeature", "opened"]
__all__ += ["FeatureList", "FeatureLists", "SequenceExample", "parse_example", "parse_single_example"]
__all__ += ["parse_single_sequence_example", "parse_tensor", "records_of", "serialize_sparse"]
__all__ += ["serialize_tensor"]


class _Message:
    """What holds bytes in one form, and is made of them again."""

    def SerializeToString(self) -> bytes:  # noqa: N802
        """The bytes that hold it."""
        raise NotImplementedError

    @classmethod
    def FromString(cls, text: Any) -> Any:  # noqa: N802
        """What the bytes hold."""
        raise NotImplementedError

    def ParseFromString(self, text: Any) -> int:  # noqa: N802
        """Become what the bytes hold."""
        vars(self).update(vars(type(self).FromString(text)))
        return len(_bytes(text))

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and vars(other) == vars(self)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        inside = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({inside})"


def _bytes(text: Any) -> bytes:
    return bytes(text.numpy()) if isinstance(text, Tensor) else bytes(text)


def _whole(number: Any) -> int:
    # NumPy's truth is no index, though protobuf takes it for 0 and 1.
    return int(number) if isinstance(number, np.bool_) else operator.index(number)


class BytesList(_Message):
    """Several texts."""

    def __init__(self, value: Iterable[Any] = ()) -> None:
        self.value = [each.numpy() if isinstance(each, Tensor) else each for each in value]
        for each in self.value:
            if not isinstance(each, bytes):
                raise TypeError(f"{each!r} has type {type(each)}, but expected one of: ((<class 'bytes'>,),)")

    def SerializeToString(self) -> bytes:  # noqa: D102, N802
        return b"".join(wire.chunk(1, each) for each in self.value)

    @classmethod
    def FromString(cls, text: Any) -> BytesList:  # noqa: D102, N802
        return cls(wire.contents(_bytes(text), 1))


class FloatList(_Message):
    """Several fractions of 32 bits."""

    def __init__(self, value: Iterable[Any] = ()) -> None:
        self.value = np.asarray([float(each) for each in value], np.float32).tolist()

    def SerializeToString(self) -> bytes:  # noqa: D102, N802
        return wire.chunk(1, np.asarray(self.value, "<f4").tobytes()) if self.value else b""

    @classmethod
    def FromString(cls, text: Any) -> FloatList:  # noqa: D102, N802
        parts = [wire.floats(content) for field, content in wire.fields(_bytes(text)) if field == 1]
        return cls([number for part in parts for number in part])


class Int64List(_Message):
    """Several whole numbers of 64 bits."""

    def __init__(self, value: Iterable[Any] = ()) -> None:
        self.value = [_whole(each) for each in value]

    def SerializeToString(self) -> bytes:  # noqa: D102, N802
        return wire.chunk(1, b"".join(map(wire.varint, self.value))) if self.value else b""

    @classmethod
    def FromString(cls, text: Any) -> Int64List:  # noqa: D102, N802
        parts = [wire.integers(content) for field, content in wire.fields(_bytes(text)) if field == 1]
        return cls([number for part in parts for number in part])


_KINDS: dict[str, tuple[int, type[Any]]] = {
    "bytes_list": (1, BytesList),
    "float_list": (2, FloatList),
    "int64_list": (3, Int64List),
}


class Feature(_Message):
    """A list of one of three kinds."""

    def __init__(self, bytes_list: Any = None, float_list: Any = None, int64_list: Any = None) -> None:
        self.bytes_list = bytes_list or BytesList()
        self.float_list = float_list or FloatList()
        self.int64_list = int64_list or Int64List()

    def WhichOneof(self, group: str = "kind") -> str | None:  # noqa: N802
        """The kind that holds something."""
        return next((name for name in _KINDS if getattr(self, name).value), None)

    def SerializeToString(self) -> bytes:  # noqa: D102, N802
        name = self.WhichOneof()
        return wire.chunk(_KINDS[name][0], getattr(self, name).SerializeToString()) if name else b""

    @classmethod
    def FromString(cls, text: Any) -> Feature:  # noqa: D102, N802
        message = _bytes(text)
        found = {name: wire.contents(message, number) for name, (number, _) in _KINDS.items()}
        return cls(**{name: _KINDS[name][1].FromString(parts[-1]) for name, parts in found.items() if parts})


class Features(_Message):
    """Features by name."""

    def __init__(self, feature: Mapping[str, Feature] | None = None) -> None:
        self.feature = dict(feature or {})

    def SerializeToString(self) -> bytes:  # noqa: D102, N802
        return _by_name(self.feature)

    @classmethod
    def FromString(cls, text: Any) -> Features:  # noqa: D102, N802
        return cls(dict(_named(_bytes(text), Feature)))


def _by_name(messages: Mapping[str, _Message]) -> bytes:
    """Messages by name, as a map is written."""
    entries = (
        wire.chunk(1, name.encode()) + wire.chunk(2, message.SerializeToString())
        for name, message in sorted(messages.items())
    )
    return b"".join(wire.chunk(1, entry) for entry in entries)


def _named(text: bytes, kind: Any) -> Iterator[tuple[str, Any]]:
    """The messages of a map, with their names."""
    for entry in wire.contents(text, 1):
        name, value = (b"".join(wire.contents(entry, number)[-1:]) for number in (1, 2))
        yield name.decode(errors="replace"), kind.FromString(value)


class Example(_Message):
    """One record: its features.

    >>> record = Example(features=Features({"a": Feature(int64_list=Int64List([1, -2]))}))
    >>> Example.FromString(record.SerializeToString()).features.feature["a"].int64_list.value
    [1, -2]
    """

    def __init__(self, features: Features | None = None) -> None:
        self.features = features or Features()

    def SerializeToString(self) -> bytes:  # noqa: D102, N802
        return wire.chunk(1, self.features.SerializeToString())

    @classmethod
    def FromString(cls, text: Any) -> Example:  # noqa: D102, N802
        return cls(Features.FromString(b"".join(wire.contents(_bytes(text), 1))))


class FeatureList(_Message):
    """The features of the steps of a sequence."""

    def __init__(self, feature: Sequence[Feature] = ()) -> None:
        self.feature = list(feature)

    def SerializeToString(self) -> bytes:  # noqa: D102, N802
        return b"".join(wire.chunk(1, each.SerializeToString()) for each in self.feature)

    @classmethod
    def FromString(cls, text: Any) -> FeatureList:  # noqa: D102, N802
        return cls([Feature.FromString(part) for part in wire.contents(_bytes(text), 1)])


class FeatureLists(_Message):
    """The features of sequences by name."""

    def __init__(self, feature_list: Mapping[str, FeatureList] | None = None) -> None:
        self.feature_list = dict(feature_list or {})

    def SerializeToString(self) -> bytes:  # noqa: D102, N802
        return _by_name(self.feature_list)

    @classmethod
    def FromString(cls, text: Any) -> FeatureLists:  # noqa: D102, N802
        return cls(dict(_named(_bytes(text), FeatureList)))


class SequenceExample(_Message):
    """One sequence: what is said of it as a whole, and of its steps."""

    def __init__(self, context: Features | None = None, feature_lists: FeatureLists | None = None) -> None:
        self.context, self.feature_lists = context or Features(), feature_lists or FeatureLists()

    def SerializeToString(self) -> bytes:  # noqa: D102, N802
        parts = self.context.SerializeToString(), self.feature_lists.SerializeToString()
        return b"".join(wire.chunk(number, part) for number, part in enumerate(parts, start=1) if part)

    @classmethod
    def FromString(cls, text: Any) -> SequenceExample:  # noqa: D102, N802
        context, steps = (b"".join(wire.contents(_bytes(text), number)) for number in (1, 2))
        return cls(Features.FromString(context), FeatureLists.FromString(steps))


# From records to tensors.


class FixedLenFeature(NamedTuple):
    """A feature of one shape in every record; the default stands for a missing one."""

    shape: Any
    dtype: Any
    default_value: Any = None


class VarLenFeature(NamedTuple):
    """A feature of any length, which comes as a sparse tensor."""

    dtype: Any


def parse_single_example(serialized: Any, features: Mapping[str, Any], *_: Any, **__: Any) -> dict[str, Any]:
    """The features of one record, as tensors by name.

    Raises:
        InvalidArgumentError: one is missing, or of another kind or length.
    """
    return _parsed(Example.FromString(as_tensor(serialized).numpy()).features, features)


def _parsed(given: Features, features: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: _values(given.feature.get(name), wanted, name) for name, wanted in features.items()}
    return {
        name: sparse.of_lists(values, is_one=True)
        if isinstance(features[name], VarLenFeature)
        else as_tensor(values)
        for name, values in found.items()
    }


def parse_example(serialized: Any, features: Mapping[str, Any], *_: Any, **__: Any) -> dict[str, Any]:
    """The features of several records, each laid out below each other."""
    texts = as_tensor(serialized).numpy().reshape(-1)
    records = [Example.FromString(text).features.feature for text in texts]
    found = {}
    for name, wanted in features.items():
        rows = [_values(record.get(name), wanted, name) for record in records]
        is_open = isinstance(wanted, VarLenFeature)
        found[name] = sparse.of_lists(*rows) if is_open else _stacked(rows)
    return found


def _stacked(rows: list[np.ndarray]) -> Any:
    return as_tensor(np.stack(rows) if rows else np.zeros(0, np.float32))


def parse_single_sequence_example(
    serialized: Any,
    context_features: Mapping[str, Any] | None = None,
    sequence_features: Mapping[str, Any] | None = None,
    *_: Any,
    **__: Any,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is said of a sequence, and the features of its steps below each other."""
    record = SequenceExample.FromString(as_tensor(serialized).numpy())
    found = {}
    for name, wanted in (sequence_features or {}).items():
        steps = record.feature_lists.feature_list.get(name, FeatureList()).feature
        rows = [_values(step, wanted, name) for step in steps]
        is_open = isinstance(wanted, VarLenFeature)
        found[name] = sparse.of_lists(*rows) if is_open else _stacked(rows)
    return _parsed(record.context, context_features or {}), found


def _values(feature: Feature | None, wanted: Any, name: str) -> np.ndarray:
    dtype = dtypes.as_dtype(wanted.dtype)
    kind = "bytes_list" if dtype == dtypes.string else "float_list" if dtype.is_floating else "int64_list"
    got = feature.WhichOneof() if feature is not None else None
    if got is not None and got != kind:
        raise _wrong(name, f"a {kind}", f"a {got}")
    values = getattr(feature, kind).value if got else []
    array = np.array(values, object if kind == "bytes_list" else dtype.dtype)
    if isinstance(wanted, VarLenFeature):
        return array
    shape = tuple(wanted.shape) if np.ndim(wanted.shape) else (int(wanted.shape),)
    if got is None and wanted.default_value is not None:
        value = as_tensor(wanted.default_value, dtype).numpy()
        return np.broadcast_to(np.asarray(value, array.dtype), shape).copy()
    if got is None or array.size != int(np.prod(shape)):
        raise _wrong(
            name, f"values for the shape {shape}", f"{array.size}" if got else "none, and no default"
        )
    return array.reshape(shape)


def _wrong(name: str, expected: str, got: str) -> InvalidArgumentError:
    fix = "Describe it as it was written; VarLenFeature takes any length."
    return InvalidArgumentError(f"feature '{name}' of a record", expected=expected, got=got, fix=fix)


# Single tensors, as TensorFlow's TensorProto.


_TYPES = {"float32": 1, "float64": 2, "int32": 3, "uint8": 4, "int16": 5, "int8": 6, "string": 7, "int64": 9}
_TYPES |= {"bool": 10, "bfloat16": 14, "uint16": 17, "float16": 19, "uint32": 22, "uint64": 23}


def serialize_tensor(tensor: Any, name: Any = None) -> Any:
    """A tensor as one text."""
    given = as_tensor(tensor)
    values, dtype = np.asarray(given.host), given.dtype
    sizes = b"".join(wire.chunk(2, wire.varint(8) + wire.varint(size)) for size in values.shape)
    head = wire.varint(8) + wire.varint(_TYPES[dtype.name]) + wire.chunk(2, sizes)
    if dtype == dtypes.string:
        return as_tensor(head + b"".join(wire.chunk(8, text) for text in values.reshape(-1)))
    return as_tensor(head + wire.chunk(4, values.tobytes()))


def serialize_sparse(sp_input: Any, name: Any = None, out_type: Any = None) -> Any:
    """A sparse tensor as three texts: its places, its values and its shape."""
    parts = sp_input.indices, sp_input.values, sp_input.dense_shape
    return as_tensor(np.array([serialize_tensor(part).numpy() for part in parts], object))


def parse_tensor(serialized: Any, out_type: Any, name: Any = None) -> Any:
    """The tensor that a text holds.

    Raises:
        InvalidArgumentError: it is of another type.
    """
    dtype = dtypes.as_dtype(out_type)
    message = as_tensor(serialized).numpy()
    kind = next((value for field, value in wire.fields(message) if field == 1), 0)
    sizes = [size for shape in wire.contents(message, 2) for size in wire.contents(shape, 2)]
    shape = [next((value for field, value in wire.fields(size) if field == 1), 0) for size in sizes]
    texts, content = wire.contents(message, 8), b"".join(wire.contents(message, 4)[-1:])
    if not all(isinstance(size, int) for size in (*shape, kind)):
        raise wire.damaged("bytes where numbers were to be")
    if kind != _TYPES.get(dtype.name):
        got = next((known for known, number in _TYPES.items() if number == kind), f"type {kind}")
        raise _wrong_tensor(dtype.name, got)
    count = int(np.prod(shape, dtype=object))
    is_text = dtype == dtypes.string
    if count != (len(texts) if is_text else len(content) // dtype.dtype.itemsize):
        raise wire.damaged("a tensor with other values than its shape has")
    if is_text:
        values = np.empty(count, object)
        values[:] = texts
        return as_tensor(values.reshape(shape))
    return as_tensor(np.frombuffer(content, dtype.dtype).reshape(shape))


def _wrong_tensor(expected: str, got: str) -> InvalidArgumentError:
    return InvalidArgumentError(
        "tf.io.parse_tensor", expected=expected, got=got, fix=f"Write tf.io.parse_tensor(text, tf.{got})."
    )


# Files.


class TFRecordOptions:
    """How a file of records is packed: "", "GZIP" or "ZLIB"."""

    def __init__(self, compression_type: Any = "", *_: Any, **__: Any) -> None:
        self.compression_type = compression_type or ""


def _packing(options: Any) -> str:
    kind = getattr(options, "compression_type", options)
    kind = kind.numpy().decode() if isinstance(kind, Tensor) else kind or ""
    if kind not in ("", "GZIP", "ZLIB"):
        raise InvalidArgumentError(
            "a file of records",
            expected='compression_type "", "GZIP" or "ZLIB"',
            got=repr(kind),
            fix='Use "GZIP".',
        )
    return str(kind)


class TFRecordWriter:
    """A file to which records are written, one after the other; for a `with`."""

    def __init__(self, path: Any, options: Any = None) -> None:
        self._packing, self._path = _packing(options), os.fsdecode(_plain_path(path))
        self._zlib = zlib.compressobj() if self._packing == "ZLIB" else None
        self._file: Any = (gzip.open if self._packing == "GZIP" else open)(self._path, "wb")

    def write(self, record: Any) -> None:
        """Write one record, a text."""
        text = wire.record(_bytes(record))
        self._file.write(text if self._zlib is None else self._zlib.compress(text))

    def flush(self) -> None:
        """Write what waits."""
        self._file.flush()

    def close(self) -> None:
        """End the file."""
        if self._zlib is not None and not self._file.closed:
            self._file.write(self._zlib.flush())
        self._file.close()

    def __enter__(self) -> TFRecordWriter:
        return self

    def __exit__(self, *reason: object) -> None:
        self.close()


def _plain_path(path: Any) -> Any:
    return path.numpy() if isinstance(path, Tensor) else path


def records_of(path: Any, options: Any = None) -> Iterator[bytes]:
    """The records in a file."""
    with opened(path, options) as stream:
        yield from wire.read_records(stream, os.fsdecode(_plain_path(path)))


def opened(path: Any, options: Any = None) -> IO[bytes]:
    """A file to read from, unpacked meanwhile if it is said to be packed: "", "GZIP" or "ZLIB"."""
    kind, name = _packing(options), os.fsdecode(_plain_path(path))
    if kind == "GZIP":
        return cast(IO[bytes], gzip.open(name))
    return io.BufferedReader(_Unpacked(open(name, "rb"))) if kind == "ZLIB" else open(name, "rb")


class _Unpacked(io.RawIOBase):
    """A file packed by zlib, read piece by piece."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream, self._unpack = stream, zlib.decompressobj()

    def readable(self) -> bool:
        return True

    def readinto(self, room: Any) -> int:
        found = b""
        while not found:
            packed = self._unpack.unconsumed_tail or self._stream.read(1 << 16)
            if not packed:
                break
            try:
                found = self._unpack.decompress(packed, len(room))
            except zlib.error as error:
                raise DataLossError(
                    f"'{printable(str(self._stream.name))}'",
                    expected="a file packed by zlib",
                    got=str(error),
                    fix='Is it "GZIP", or not packed?',
                ) from error
        room[: len(found)] = found
        return len(found)

    def close(self) -> None:
        self._stream.close()
        super().close()
