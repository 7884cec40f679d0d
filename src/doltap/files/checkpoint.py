"""A folder from which an interrupted training goes on: a few files, each a whole state of it.

A state is plain values and arrays, never code. It is written aside by a thread
of its own and then put in its place, so that a kill at any moment leaves whole
files; of other files in the folder nothing is read, changed or deleted.
"""

from __future__ import annotations

import concurrent.futures
import itertools
import json
import math
import pathlib
import re
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from doltap.errors import DataError, DoltapError, ModelFileError, printable
from doltap.files.hdf5 import Group, read_hdf5, verify_hdf5, write_hdf5
from doltap.files.plain_json import read_json
from doltap.files.writing import write_aside

__all__ = ["Folder", "check_arrays", "pack", "states_in", "unpack"]

_FORMAT = "doltap state"
_VERSION = 1
_STATE = re.compile(r"state-(\d{6,12})\.h5")
_UNFINISHED = re.compile(r"\.(state-\d{6,12}|finished)\.h5\.\d+\.part")
_KINDS = "biuf"
# A list of so many numbers is kept as an array.
_MANY = 16


def pack(value: Any, arrays: list[np.ndarray], what: str = "state") -> Any:
    """The value as JSON knows it; its arrays are copied and put at the end of the list.

    Args:
        what: it is, as errors name it.

    Raises:
        DataError: something in it is neither a plain value nor an array of numbers.

    >>> kept = []
    >>> pack({"wait": 2, "best": np.zeros(3)}, kept), len(kept)
    ({'dict': {'wait': 2, 'best': {'array': 0, 'dtype': 'float64', 'shape': [3]}}}, 1)
    """
    if isinstance(value, np.generic) or hasattr(value, "__array__"):
        return _pack_array(value, arrays, what)
    if value is None or isinstance(value, bool) or _is_plain(value):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"number": repr(value)}
    if isinstance(value, list):
        if len(value) >= _MANY and all(type(item) is float for item in value):
            return {"floats": _put(np.array(value), arrays)}
        return [pack(item, arrays, what) for item in value]
    if isinstance(value, tuple):
        return {"tuple": [pack(item, arrays, what) for item in value]}
    if isinstance(value, dict):
        packed = [(key, pack(item, arrays, f"{what}[{key!r}]")) for key, item in value.items()]
        if all(type(key) is str and _is_plain(key) for key in value):
            return {"dict": dict(packed)}
        return {"pairs": [[pack(key, arrays, what), item] for key, item in packed]}
    raise DataError(
        what,
        expected="numbers of at most 64 bits, texts, lists, tuples, dicts and arrays of numbers",
        got=f"{type(value).__name__} {printable(repr(value))}",
        fix="Keep what it is made of.",
    )


def _is_plain(value: Any) -> bool:
    """Whether it is a text of whole characters, or an integer of 64 bits: what may stand in a file."""
    if isinstance(value, str):
        return not any("\ud800" <= sign <= "\udfff" for sign in value)
    return isinstance(value, int) and -(1 << 63) <= value < 1 << 64


def _pack_array(value: Any, arrays: list[np.ndarray], what: str) -> dict[str, Any]:
    array = np.asarray(value)
    name = array.dtype.name
    if array.dtype.kind not in _KINDS and not _is_small_float(name):
        raise DataError(
            what,
            expected="arrays of numbers",
            got=f"one of {array.dtype}",
            fix="Turn it into a list.",
        )
    # What HDF5 has no type for is kept as the bits it is made of.
    bits = array.view(f"u{array.dtype.itemsize}") if array.dtype.kind not in _KINDS else array
    kind = "scalar" if isinstance(value, np.generic) else "array"
    return {kind: _put(np.array(bits), arrays), "dtype": name, "shape": list(array.shape)}


def _is_small_float(name: str) -> bool:
    return name == "bfloat16" or re.fullmatch(r"float8_[a-z0-9]+", name) is not None


def _put(array: np.ndarray, arrays: list[np.ndarray]) -> int:
    arrays.append(array)
    return len(arrays) - 1


def unpack(packed: Any, arrays: Sequence[np.ndarray]) -> Any:
    """The value that `pack` was given.

    Raises:
        ValueError: the description is none that `pack` makes.
    """
    if packed is None or isinstance(packed, (bool, int, str, float)):
        return packed
    if isinstance(packed, list):
        return [unpack(item, arrays) for item in packed]
    if not isinstance(packed, dict) or not packed:
        raise ValueError("nothing that pack makes")
    kind, content = next(iter(packed.items()))
    if kind in ("array", "scalar"):
        return _unpack_array(packed, _taken(arrays, content), is_scalar=kind == "scalar")
    if len(packed) == 1 and kind == "number" and content in ("nan", "inf", "-inf"):
        return float(content)
    if len(packed) == 1 and kind == "floats":
        return [float(number) for number in _taken(arrays, content)]
    if len(packed) == 1 and kind == "tuple" and isinstance(content, list):
        return tuple(unpack(item, arrays) for item in content)
    if len(packed) == 1 and kind == "dict" and isinstance(content, dict):
        return {key: unpack(item, arrays) for key, item in content.items()}
    if len(packed) == 1 and kind == "pairs" and isinstance(content, list):
        return {unpack(key, arrays): unpack(item, arrays) for key, item in content}
    raise ValueError("nothing that pack makes")


def _taken(arrays: Sequence[np.ndarray], number: Any) -> np.ndarray:
    if type(number) is not int or not 0 <= number < len(arrays):
        raise ValueError("an array that is not there")
    return arrays[number]


def _unpack_array(packed: dict[str, Any], array: np.ndarray, *, is_scalar: bool) -> Any:
    name, shape = packed["dtype"], packed["shape"]
    is_small = isinstance(name, str) and _is_small_float(name)
    dtype = np.dtype(name) if is_small or re.fullmatch(r"bool|(u?int|float)\d{1,3}", str(name)) else None
    if dtype is None or list(array.shape) != shape:
        raise ValueError("an array of another shape")
    if is_small and array.dtype == np.dtype(f"u{dtype.itemsize}"):
        array = array.view(dtype)
    if array.dtype != dtype or (is_scalar and shape):
        raise ValueError("an array of another type")
    # A file's arrays cannot be written to.
    return array[()] if is_scalar else np.array(array)


def _write(path: pathlib.Path, about: bytes, arrays: Sequence[np.ndarray]) -> None:
    """One state as a file of its own."""
    # An attribute of HDF5 holds 64 kB, a history may be longer.
    root = Group({"format": _FORMAT, "version": _VERSION}, arrays={"about": np.frombuffer(about, np.uint8)})
    root.groups["arrays"] = Group(arrays={str(number): array for number, array in enumerate(arrays)})
    write_aside(
        path, lambda aside: write_hdf5(aside, root), lambda aside: verify_hdf5(aside, root, str(path))
    )


def _state_in(path: pathlib.Path) -> dict[str, Any]:
    """The state in a file, whole; else an error."""
    root = read_hdf5(path, str(path))
    if root.attributes.get("format") != _FORMAT:
        raise _strange(path, "a file of another kind")
    version = root.attributes.get("version")
    if version != _VERSION:
        raise ModelFileError(
            str(path),
            expected=f"a state of version {_VERSION}",
            got=f"version {printable(version)}",
            fix="Go on with the doltap that began the training.",
        )
    try:
        found = root.groups["arrays"].arrays
        arrays = [found[str(number)] for number in range(len(found))]
        state = unpack(read_json(root.arrays["about"].tobytes(), str(path)), arrays)
    except ModelFileError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _strange(path, f"none ({printable(error)})") from error
    if not isinstance(state, dict):
        raise _strange(path, "none")
    return state


def _strange(path: pathlib.Path, got: str) -> ModelFileError:
    return ModelFileError(
        str(path),
        expected="the state of a training",
        got=got,
        fix="The file is damaged. Delete it to go on from the one before, or begin in another folder.",
    )


def states_in(folder: pathlib.Path) -> dict[str, dict[str, Any] | DoltapError]:
    """Every state in a folder by the name of its file, or what is wrong with it; nothing is changed.

    The newest comes last, and behind it the one with which training has ended.
    """
    names = sorted(file.name for file in folder.iterdir() if _STATE.fullmatch(file.name) and file.is_file())
    names += ["finished.h5"] if (folder / "finished.h5").is_file() else []
    found: dict[str, dict[str, Any] | DoltapError] = {}
    for name in names:
        try:
            found[name] = _state_in(folder / name)
        except DoltapError as error:
            found[name] = error
    return found


def check_arrays(what: str, arrays: Any, like: Sequence[Any]) -> None:
    """An error unless these are arrays of the shapes and types of those, one for each."""
    wanted = [(tuple(one.shape), str(one.dtype)) for one in like]
    given = arrays if isinstance(arrays, list) else []
    found = [(one.shape, str(one.dtype)) if isinstance(one, np.ndarray) else None for one in given]
    for number, (want, have) in enumerate(itertools.zip_longest(wanted, found)):
        if want != have:
            raise ModelFileError(
                f"{what}, array {number + 1} of {len(wanted)}",
                expected=f"shape {want[0]} of {want[1]}" if want else "no more",
                got=f"shape {have[0]} of {have[1]}" if have else "none",
                fix="It was kept by another model. Build the model as it was, or begin in another folder.",
            )


class Folder:
    """The states of one training.

    Args:
        path: the folder, which is made if it is not there.
        keep: how many states stay.

    Raises:
        ModelFileError: it cannot be a folder, or cannot be read.
    """

    def __init__(self, path: Any, keep: int = 2) -> None:
        self.path, self._keep = pathlib.Path(path).absolute(), keep
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._files()
        except OSError as error:
            raise ModelFileError(
                str(self.path),
                expected="a folder for the states of a training",
                got="a file" if self.path.is_file() else error.strerror or str(error),
                fix="Give a folder that is empty, or one that an earlier call of fit has used.",
            ) from error
        self._whole: list[int] = []
        self._thread: concurrent.futures.ThreadPoolExecutor | None = None
        self._pending: concurrent.futures.Future[None] | None = None
        # How long the last write took.
        self.seconds = 0.0

    def _files(self) -> dict[int, pathlib.Path]:
        found = ((_STATE.fullmatch(file.name), file) for file in self.path.iterdir() if file.is_file())
        return {int(match[1]): file for match, file in found if match}

    @property
    def _finished(self) -> pathlib.Path:
        return self.path / "finished.h5"

    # Reading.

    def newest(self, is_end: Callable[[dict[str, Any]], bool]) -> tuple[dict[str, Any] | None, bool]:
        """The newest state that is whole, None where there is none yet, and whether training ended with it.

        A warning says what was damaged.

        Args:
            is_end: whether the end that was written down is the end now, too.

        Raises:
            ModelFileError: there are states, and none is whole.
        """
        first_error: DoltapError | None = None
        files = self._files()
        ends = [self._finished] if self._finished.exists() else []
        for file in (*ends, *(files[number] for number in sorted(files, reverse=True))):
            try:
                state = _state_in(file)
            except DoltapError as error:
                first_error = first_error or error
                continue
            if file == self._finished and not is_end(state):
                continue
            self._whole = [number for number in files if files[number] == file]
            if first_error:
                warnings.warn(
                    f"{first_error}\n  Training goes on from '{file.name}', the state before.", stacklevel=7
                )
            return state, file == self._finished
        if first_error:
            raise first_error
        return None, False

    # Writing.

    def is_busy(self) -> bool:
        """Whether the last state is still being written; an error if that went wrong."""
        if self._pending is None or not self._pending.done():
            return self._pending is not None
        self.wait()
        return False

    def write(self, state: dict[str, Any], *, is_end: bool = False) -> None:
        """Begin to write a state; returns as soon as it is copied.

        Args:
            is_end: whether training has ended with it.
        """
        arrays: list[np.ndarray] = []
        about = json.dumps(pack(state, arrays)).encode()
        self.wait()
        self._thread = self._thread or concurrent.futures.ThreadPoolExecutor(1, "writing states")
        self._pending = self._thread.submit(self._write, about, arrays, is_end)

    def _write(self, about: bytes, arrays: Sequence[np.ndarray], is_end: bool) -> None:
        began = time.perf_counter()
        if is_end:
            _write(self._finished, about, arrays)
        else:
            self._write_next(about, arrays)
        self.seconds = time.perf_counter() - began

    def _write_next(self, about: bytes, arrays: Sequence[np.ndarray]) -> None:
        files = self._files()
        number = max(files, default=0) + 1
        _write(self.path / f"state-{number:06d}.h5", about, arrays)
        # Only what is known to be whole counts among those that stay.
        self._whole = [*self._whole, number][-self._keep :]
        for old in files.keys() - set(self._whole):
            files[old].unlink(missing_ok=True)

    def wait(self) -> None:
        """Wait until what was given to be written is on the disk; an error if it is not."""
        pending, self._pending = self._pending, None
        if pending is not None:
            pending.result()

    def close(self) -> None:
        """As `wait`, and end the thread."""
        try:
            self.wait()
        finally:
            if self._thread is not None:
                self._thread.shutdown()
                self._thread = None

    def delete(self) -> None:
        """Delete the states, and the folder if nothing else is in it."""
        self.close()
        for file in self._own_files():
            file.unlink(missing_ok=True)
        if not any(self.path.iterdir()):
            self.path.rmdir()

    def _own_files(self) -> Iterator[pathlib.Path]:
        yield from self._files().values()
        yield self._finished
        yield from (file for file in self.path.iterdir() if _UNFINISHED.fullmatch(file.name))
