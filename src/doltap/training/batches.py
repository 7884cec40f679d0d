"""From what the user hands in to equal batches on the device.

Arrays go to the device once, in the type they came in; batches are only lists
of row numbers, in an order drawn on the host.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import math
import os
from collections.abc import Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.dtypes import canonicalize_dtype

from doltap import config, dtypes, random
from doltap.errors import DataError, NotSupportedError, ShapeError, printable
from doltap.training import checks

__all__ = ["Rows", "Schedule", "as_array", "as_arrays", "is_feed", "prepare", "split", "weights_of_classes"]

_BLOCK_BYTES = 1 << 20
_ORDER_ROWS = 1 << 16


@dataclasses.dataclass
class Rows:
    """Checked data on the host, one entry a row: inputs, labels, weights.

    Each is an array, or a list, tuple or dict of arrays, or None.

    Args:
        columns: the names of the columns of x, where it came as one table that has such.
    """

    x: Any
    y: Any = None
    weights: Any = None
    columns: Sequence[str | int] = ()

    @property
    def tree(self) -> tuple[Any, Any, Any]:
        """All three, as the engine takes them."""
        return self.x, self.y, self.weights

    @property
    def count(self) -> int:
        """How many rows there are."""
        return len(jax.tree.leaves(self.x)[0])

    @property
    def nbytes(self) -> int:
        """What the arrays take in memory."""
        return sum(array.nbytes for array in jax.tree.leaves(self.tree))

    def cut(self, start: int, stop: int) -> Rows:
        """The rows from start to stop."""
        return Rows(*jax.tree.map(lambda array: array[start:stop], self.tree), columns=self.columns)


def is_feed(data: Any) -> bool:
    """Whether the data comes batch by batch instead of as arrays."""
    if hasattr(data, "shape") or data is None or isinstance(data, (list, tuple, dict, str, bytes)):
        return False
    if hasattr(data, "to_numpy") or hasattr(data, "__array__"):
        return False
    return hasattr(data, "__iter__") or hasattr(data, "__getitem__")


def prepare(x: Any, y: Any = None, sample_weight: Any = None, *, of: str = "") -> Rows:
    """The data as checked arrays of equal length.

    Args:
        x, y, sample_weight: NumPy arrays of any numeric type, lists, pandas
            objects, JAX or torch tensors, rows first; or several of them in a
            list, tuple or dict.
        of: put in front of the names in errors, such as "validation ".
    """
    given = {f"{of}x": x, f"{of}y": y, f"{of}sample_weight": sample_weight}
    arrays = {what: as_arrays(data, what) for what, data in given.items() if data is not None or data is x}
    checks.check_rows(dict(length for what, tree in arrays.items() for length in _lengths(tree, what)))
    weights = arrays.get(f"{of}sample_weight")
    weights = jax.tree.map(lambda array: array.astype(dtypes.wide()), weights)
    names = x.columns if hasattr(x, "columns") and hasattr(x, "to_numpy") else ()
    columns = [name if isinstance(name, str) else place for place, name in enumerate(names)]
    return Rows(arrays[f"{of}x"], arrays.get(f"{of}y"), weights, columns)


def as_arrays(data: Any, what: str) -> Any:
    """The data as a checked array, or the list, tuple or dict of such that it is."""
    if isinstance(data, np.ndarray):
        return as_array(data, what)
    if isinstance(data, dict):
        return {key: as_arrays(item, f"{what}[{key!r}]") for key, item in data.items()}
    if isinstance(data, (list, tuple)) and len(data) > 1 and all(_is_one_of_several(item) for item in data):
        items = [
            None if item is None else as_arrays(item, f"{what}[{number}]") for number, item in enumerate(data)
        ]
        return tuple(items) if isinstance(data, tuple) else items
    return as_array(data, what)


def _lengths(tree: Any, what: str) -> Iterator[tuple[str, int]]:
    """The name and the number of rows of each array."""
    if isinstance(tree, (dict, list, tuple)):
        for key, item in tree.items() if isinstance(tree, dict) else enumerate(tree):
            yield from _lengths(item, f"{what}[{key!r}]")
    elif tree is not None:
        yield what, len(tree)


def _is_one_of_several(item: Any) -> bool:
    is_group = isinstance(item, (list, tuple)) and len(item) and all(map(_has_rows, item))
    return bool(item is None or is_group or _has_rows(item) or isinstance(item, dict))


def as_array(data: Any, what: str) -> np.ndarray:
    """The data as a NumPy array of a type that the device has, every value checked."""
    columns = list(data.columns) if hasattr(data, "columns") and hasattr(data, "to_numpy") else None
    array = _to_numpy(data, what)
    if array.ndim == 0:
        raise checks.single_value_error(array.item(), what)
    if len(array) and not array.size:
        raise DataError(
            what, expected="values in each row", got=f"shape {array.shape}", fix="Give it columns."
        )
    kind = array.dtype.kind
    if kind == "O":
        array = _numbers_in_objects(array, what, columns)
        kind = array.dtype.kind
    if not array.dtype.isnative or (kind == "f" and array.itemsize > 8):
        # The device knows neither the other order of bytes nor floats this long.
        with np.errstate(over="ignore"):
            array = array.astype(np.float64 if kind == "f" else array.dtype.newbyteorder("="))
    if kind in "USMmcV" and not jnp.issubdtype(array.dtype, jnp.floating):
        raise checks.text_error(array, what, columns)
    if kind in "iu":
        if array.dtype.itemsize >= 4 and array.dtype != np.int32:
            checks.check_integers(array, what, columns)
        return array.astype(
            canonicalize_dtype(array.dtype if kind == "i" else _signed(array.dtype)), copy=False
        )
    return array if kind == "b" else _finite(array, what, columns)


def _signed(dtype: Any) -> Any:
    # Beyond 16 bits an unsigned number that passed the check fits a signed one.
    return dtype if dtype.itemsize < 4 else np.dtype("int32")


def _to_numpy(data: Any, what: str) -> np.ndarray:
    if data is None:
        raise DataError(what, expected="an array", got="None", fix="For example model.fit(x, y).")
    if isinstance(data, np.ma.MaskedArray) and np.ma.is_masked(data):
        # A value that is not there is a NaN, which is found with its row and column.
        return np.ma.filled(data.astype(np.float64), np.nan)
    if isinstance(data, np.ndarray):
        return np.asarray(data)
    if isinstance(data, (list, tuple)) and data and all(_has_rows(item) for item in data):
        if len(data) == 1:
            return _to_numpy(data[0], what)
        raise ShapeError(
            what,
            expected="one array",
            got=f"a {type(data).__name__} of {len(data)} arrays",
            fix="For rows, stack them: numpy.stack(...).",
        )
    if hasattr(data, "detach"):  # A torch tensor, perhaps on another device.
        data = data.detach().cpu()
        data = data.float() if str(data.dtype) == "torch.bfloat16" else data
    if hasattr(data, "to_numpy"):
        return np.asarray(data.to_numpy())
    try:
        return np.asarray(data)
    except ValueError as error:
        raise ShapeError(
            what,
            expected="rows of equal length",
            got="rows of different lengths",
            fix="Pad or cut them: utils.pad_sequences(x).",
        ) from error


def _has_rows(item: Any) -> bool:
    return hasattr(item, "shape") and np.ndim(item) > 0


def _numbers_in_objects(array: np.ndarray, what: str, columns: Sequence[Any] | None) -> np.ndarray:
    """An array of Python objects as numbers, if every one is a number."""
    kinds = {type(value) for value in array.reshape(-1)}
    if any(issubclass(kind, (str, bytes, type(None))) for kind in kinds):
        raise checks.text_error(array, what, columns)
    if all(issubclass(kind, (int, np.integer)) for kind in kinds):
        checks.check_integers(array, what, columns)
        return array.astype(np.int32)
    try:
        return array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise checks.text_error(array, what, columns) from error


def _finite(array: np.ndarray, what: str, columns: Sequence[Any] | None) -> np.ndarray:
    """The reals in the device's type, checked in the same walk, block by block."""
    wanted = canonicalize_dtype(array.dtype)
    if array.dtype == wanted:
        owned = array
    else:
        owned = (_aligned if array.nbytes > _BLOCK_BYTES else np.empty)(array.shape, wanted)
    step = max(1, _BLOCK_BYTES // max(1, array.itemsize * math.prod(array.shape[1:])))
    for start in range(0, len(array), step):
        block = array[start : start + step]
        if owned is not array:
            # An overflow shows as an infinity, which the next line finds.
            with np.errstate(over="ignore"):
                owned[start : start + step] = block
        is_finite = np.isfinite(owned[start : start + step])
        if not is_finite.all():
            # Numbers too large for the device are refused even where infinity is welcome.
            if config.allows_nan() and not np.isfinite(block[~is_finite]).any():
                continue
            raise checks.value_error(array, what, columns)
    return owned


def _aligned(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """An empty array that the device can take over without a copy."""
    size = math.prod(shape) * dtype.itemsize
    memory = np.empty(size + 64, np.uint8)
    start = -memory.ctypes.data % 64
    return memory[start : start + size].view(dtype).reshape(shape)


def split(rows: Rows, share: float) -> tuple[Rows, Rows]:
    """The first rows to train on, and the last `share` of them for validation, as Keras."""
    count = rows.count
    is_share = isinstance(share, (int, float)) and 0 < share < 1
    at = math.floor(count * (1.0 - share)) if is_share else 0
    if at in (0, count):
        raise DataError(
            "validation_split",
            expected="a share between 0 and 1 that leaves rows on both sides",
            got=f"{share!r} of {count} rows",
            fix="For example validation_split=0.2.",
        )
    return rows.cut(0, at), rows.cut(at, count)


def weights_of_classes(y: np.ndarray, class_weight: dict[int, float]) -> np.ndarray:
    """A weight for each row, looked up by its class; classes not named weigh 1."""
    labels = y
    if y.ndim > 1:
        labels = y.argmax(axis=-1) if y.shape[-1] > 1 else y[..., 0]
    if labels.ndim > 1:
        raise NotSupportedError(
            "class_weight",
            expected="one label a row",
            got=f"labels of shape {y.shape}",
            fix="Pass the weights as sample_weight.",
        )
    if not isinstance(class_weight, dict) or not all(
        _is_class_weight(*pair) for pair in class_weight.items()
    ):
        raise DataError(
            "class_weight",
            expected="a dict from class number to weight",
            got=printable(repr(class_weight)),
            fix="For example class_weight={0: 1.0, 1: 5.0}.",
        )
    weights = np.ones(len(y), dtypes.wide())
    for number, weight in class_weight.items():
        weights[labels == number] = weight
    return weights


def _is_class_weight(number: Any, weight: Any) -> bool:
    numbers = (int, float, np.integer, np.floating)
    are_numbers = isinstance(number, numbers) and isinstance(weight, numbers)
    return are_numbers and number == math.floor(number) and math.isfinite(weight)


@dataclasses.dataclass(frozen=True)
class Layout:
    """The shape of the work, fixed when a program is compiled.

    Args:
        num_rows: rows of an epoch.
        num_batches: batches of an epoch.
        batch_size: rows from one batch's start to the next one's.
        rows: rows of the batches that this program runs.
        masked: whether the last batch of an epoch is filled up with rows of weight 0.
        num_epochs: epochs for which there are orders and logs.
    """

    num_rows: int
    num_batches: int
    batch_size: int
    rows: int
    masked: bool
    num_epochs: int


class Schedule:
    """How the rows of an epoch fall into batches.

    Args:
        num_rows: rows of an epoch.
        batch_size: rows of a batch; the last one may have fewer.
        exact_tail: whether the last batch gets a program of its own length
            instead of being filled up with rows of weight 0.
    """

    def __init__(
        self, num_rows: int, batch_size: int, exact_tail: bool = False, num_epochs: int | None = None
    ) -> None:
        batch_size = min(batch_size, num_rows)
        self.num_rows, self.batch_size, self.exact_tail = num_rows, batch_size, exact_tail
        # Batches of an epoch, and the rows of the short one at its end, 0 if there is none.
        self.num_batches = math.ceil(num_rows / batch_size)
        self.tail = num_rows % batch_size
        # How many epochs' orders go to the device at once.
        most = max(1, min(1024, _ORDER_ROWS // (self.num_batches * batch_size)))
        self.num_epochs = most if num_epochs is None else num_epochs

    def layout(self, step: int) -> Layout:
        """The layout of the program that runs this step, counted over several epochs."""
        is_tail = self.exact_tail and self.tail and (step + 1) % self.num_batches == 0
        rows = self.tail if is_tail else self.batch_size
        masked = bool(self.tail) and not self.exact_tail
        return Layout(self.num_rows, self.num_batches, self.batch_size, rows, masked, self.num_epochs)

    def orders(self, seed: int, first_epoch: int, count: int, *, shuffle: bool) -> np.ndarray:
        """The row numbers of the next `count` epochs, one epoch a line.

        Args:
            seed: the model's.
            first_epoch: how many epochs the model was trained before, ever.
        """
        padded = self.num_batches * self.batch_size
        table = np.zeros((self.num_epochs, padded), np.int32)
        table[:, : self.num_rows] = np.arange(self.num_rows, dtype=np.int32)
        # The filling repeats a real row: zeros could make NaN gradients that
        # no weight of 0 removes.
        group = max(1, min(64, 4096 // self.num_rows))
        for line in range(count if shuffle else 0):
            number, place = divmod(first_epoch + line, group)
            if line == 0 or place == 0:
                shuffled = np.tile(np.arange(self.num_rows, dtype=np.int32), (group, 1))
                random.generator(seed, 2, number).permuted(shuffled, axis=1, out=shuffled)
            table[line, : self.num_rows] = shuffled[place]
        table[:, self.num_rows :] = table[:, :1]
        return table


def room_on_device() -> int | None:
    """Bytes of data that may lie on the device; None where that is the host's own memory.

    `DOLTAP_DEVICE_BYTES` sets another bound.
    """
    if "DOLTAP_DEVICE_BYTES" in os.environ:
        return int(os.environ["DOLTAP_DEVICE_BYTES"])
    facts = jax.devices()[0].memory_stats() or {}
    # The other half is for weights, for what a step computes, and for validation data.
    return facts["bytes_limit"] // 2 if "bytes_limit" in facts else None


def stream(rows: Rows, batch_size: int) -> Stream | None:
    """The rows as a stream to the device, or None where they fit as a whole."""
    room = room_on_device()
    if room is None or rows.nbytes <= room:
        return None
    # Two pieces at a time: one is trained on while the next is brought.
    rows_at_once = room * rows.count // (2 * rows.nbytes)
    return Stream(rows, batch_size, max(1, rows_at_once // batch_size))


def pieces(rows: Rows, batch_size: int) -> list[Rows]:
    """The rows, cut between batches into pieces that fit the device."""
    room = room_on_device()
    if room is None or rows.nbytes <= room:
        return [rows]
    step = max(1, room * rows.count // rows.nbytes // batch_size) * batch_size
    return [rows.cut(start, start + step) for start in range(0, rows.count, step)]


class Stream:
    """Data that comes to the device some batches at a time, the next ones while these train."""

    def __init__(self, rows: Rows, batch_size: int, batches_at_once: int) -> None:
        self._rows = rows
        self._batch_size, self._at_once = batch_size, batches_at_once
        self._thread = concurrent.futures.ThreadPoolExecutor(max_workers=1)
        self._coming: dict[int, concurrent.futures.Future] = {}

    def load(self, order: np.ndarray) -> np.ndarray:
        """Take the row numbers of the next epoch; where its rows will lie in the pieces that come."""
        self._order = order
        self._coming = {}
        # The rows of a piece lie in the order in which they are trained on.
        place = np.arange(len(self._order), dtype=np.int32)
        return place % (self._at_once * self._batch_size)

    def data(self, step: int) -> Any:
        """The arrays in which the rows of this step lie."""
        number = step // self._at_once
        for wanted in (number, number + 1):
            if wanted not in self._coming:
                self._coming[wanted] = self._thread.submit(self._bring, self._order, wanted)
        self._coming = {number: self._coming[number], number + 1: self._coming[number + 1]}
        return self._coming[number].result()

    def again(self, order: np.ndarray, step: int) -> Any:
        """The arrays that `data` gave for this step of an order that was loaded."""
        return self._bring(order, step // self._at_once)

    def last_step(self, step: int, stop: int) -> int:
        """How far the rows that lie on the device suffice, up to `stop`."""
        return min(stop, (step // self._at_once + 1) * self._at_once)

    def _bring(self, order: np.ndarray, number: int) -> Any:
        size = self._at_once * self._batch_size
        chosen = order[number * size : (number + 1) * size]
        # Every piece has the same length, so that one program serves them all.
        chosen = np.concatenate([chosen, np.zeros(size - len(chosen), np.int32)])
        return jax.device_put(jax.tree.map(lambda array: array[chosen], self._rows.tree))
