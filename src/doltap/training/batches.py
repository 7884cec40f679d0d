"""From what the user hands in to equal batches on the device.

Arrays go to the device once, in the type they came in; batches are only lists
of row numbers, in an order drawn on the host.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from doltap import dtypes, random
from doltap.errors import DataError, NotSupportedError, ShapeError
from doltap.training import checks

__all__ = ["Rows", "Schedule", "as_array", "prepare", "split", "weights_of_classes"]

_BLOCK_BYTES = 1 << 20
_ORDER_ROWS = 1 << 16


@dataclasses.dataclass
class Rows:
    """Checked data on the host, one entry a row: inputs, labels, weights."""

    x: np.ndarray
    y: np.ndarray | None = None
    weights: np.ndarray | None = None

    @property
    def count(self) -> int:
        """How many rows there are."""
        return len(self.x)

    def place(self) -> Any:
        """The arrays on the device. What NumPy holds may be shared, not copied."""
        return jax.device_put((self.x, self.y, self.weights))

    def cut(self, start: int, stop: int) -> Rows:
        """The rows from start to stop."""
        parts = (self.x, self.y, self.weights)
        return Rows(*(None if a is None else a[start:stop] for a in parts))  # type: ignore[arg-type]


def prepare(x: Any, y: Any = None, sample_weight: Any = None, *, of: str = "") -> Rows:
    """The data as checked arrays of equal length.

    Args:
        x, y, sample_weight: NumPy arrays of any numeric type, lists, pandas
            objects, JAX or torch tensors; rows first.
        of: put in front of the names in errors, such as "validation ".
    """
    rows = Rows(as_array(x, f"{of}x"))
    lengths = {f"{of}x": rows.count}
    if y is not None:
        rows.y = as_array(y, f"{of}y")
        lengths[f"{of}y"] = len(rows.y)
    if sample_weight is not None:
        rows.weights = as_array(sample_weight, f"{of}sample_weight").astype(np.float32)
        lengths[f"{of}sample_weight"] = len(rows.weights)
    checks.check_rows(lengths)
    return rows


def as_array(data: Any, what: str) -> np.ndarray:
    """The data as a NumPy array of a type that the device has, every value checked."""
    columns = list(data.columns) if hasattr(data, "columns") and hasattr(data, "to_numpy") else None
    array = _to_numpy(data, what)
    if array.ndim == 0:
        raise ShapeError(what, expected="rows", got=f"the single value {array}", fix="Put it in a list.")
    kind = array.dtype.kind
    if kind == "O":
        array = _numbers_in_objects(array, what, columns)
        kind = array.dtype.kind
    if kind in "USMmcV" and not dtypes.is_float(array.dtype):
        raise checks.text_error(array, what, columns)
    if kind in "iu":
        if array.dtype.itemsize >= 4 and array.dtype != np.int32:
            checks.check_integers(array, what, columns)
        return array.astype(
            dtypes.on_device(array.dtype if kind == "i" else _signed(array.dtype)), copy=False
        )
    return array if kind == "b" else _finite(array, what, columns)


def _signed(dtype: Any) -> Any:
    # Beyond 16 bits an unsigned number that passed the check fits a signed one.
    return dtype if dtype.itemsize < 4 else np.dtype("int32")


def _to_numpy(data: Any, what: str) -> np.ndarray:
    if isinstance(data, np.ndarray):
        return data
    if (
        isinstance(data, (list, tuple))
        and data
        and all(np.ndim(item) > 0 and hasattr(item, "shape") for item in data)
    ):
        if len(data) == 1:
            return _to_numpy(data[0], what)
        raise NotSupportedError(
            what,
            expected="one array",
            got=f"a {type(data).__name__} of {len(data)} arrays",
            fix="For rows, stack them: numpy.stack(...). Models with several inputs are not there yet.",
        )
    if (
        isinstance(data, dict)
        or hasattr(data, "__next__")
        or (callable(getattr(data, "take", None)) and hasattr(data, "batch"))
    ):
        raise NotSupportedError(
            what,
            expected="an array",
            got=f"a {type(data).__name__}",
            fix="Give NumPy arrays; dicts, generators and data sets are not there yet.",
        )
    if hasattr(data, "detach"):  # A torch tensor, perhaps on another device.
        data = data.detach().cpu()
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


def _numbers_in_objects(array: np.ndarray, what: str, columns: Sequence[Any] | None) -> np.ndarray:
    """An array of Python objects as floats, if every one is a number."""
    if any(isinstance(value, (str, bytes)) or value is None for value in array.reshape(-1)):
        raise checks.text_error(array, what, columns)
    try:
        return array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise checks.text_error(array, what, columns) from error


def _finite(array: np.ndarray, what: str, columns: Sequence[Any] | None) -> np.ndarray:
    """The reals in the device's type, checked in the same walk, block by block."""
    wanted = dtypes.on_device(array.dtype)
    owned = array if array.dtype == wanted else _aligned(array.shape, wanted)
    step = max(1, _BLOCK_BYTES // max(1, array.itemsize * math.prod(array.shape[1:])))
    for start in range(0, len(array), step):
        block = array[start : start + step]
        if owned is not array:
            # An overflow shows as an infinity, which the next line finds.
            with np.errstate(over="ignore"):
                owned[start : start + step] = block
        if not np.isfinite(owned[start : start + step]).all():
            raise checks.value_error(owned, what, columns)
    return owned


def _aligned(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """An empty array that the device can take over without a copy, if that is worth while."""
    size = math.prod(shape) * dtype.itemsize
    if size < _BLOCK_BYTES:
        return np.empty(shape, dtype)
    memory = np.empty(size + 64, np.uint8)
    start = -memory.ctypes.data % 64
    return memory[start : start + size].view(dtype).reshape(shape)


def split(rows: Rows, share: float) -> tuple[Rows, Rows]:
    """The first rows to train on, and the last `share` of them for validation, as Keras."""
    at = math.floor(rows.count * (1.0 - share))
    if not 0 < share < 1 or at == 0 or at == rows.count:
        raise DataError(
            "validation_split",
            expected="a share between 0 and 1 that leaves rows on both sides",
            got=f"{share!r} of {rows.count} rows",
            fix="For example validation_split=0.2.",
        )
    return rows.cut(0, at), rows.cut(at, rows.count)


def weights_of_classes(y: np.ndarray, class_weight: dict[int, float]) -> np.ndarray:
    """A weight for each row, looked up by its class; classes not named weigh 1."""
    labels = y.argmax(axis=-1) if y.ndim > 1 and y.shape[-1] > 1 else y.reshape(len(y))
    try:
        table = {int(number): float(weight) for number, weight in class_weight.items()}
    except (AttributeError, TypeError, ValueError) as error:
        raise DataError(
            "class_weight",
            expected="a dict from class number to weight",
            got=repr(class_weight),
            fix="For example class_weight={0: 1.0, 1: 5.0}.",
        ) from error
    weights = np.ones(len(y), np.float32)
    for number, weight in table.items():
        weights[labels == number] = weight
    return weights


class Schedule:
    """How the rows of an epoch fall into batches.

    Args:
        num_rows: rows of an epoch.
        batch_size: rows of a batch; the last one may have fewer.
        exact_tail: whether the last batch gets a program of its own length
            instead of being filled up with rows of weight 0.
    """

    def __init__(self, num_rows: int, batch_size: int, exact_tail: bool = False) -> None:
        self.num_rows, self.batch_size, self.exact_tail = num_rows, batch_size, exact_tail
        # Batches of an epoch, and the rows of the short one at its end, 0 if there is none.
        self.num_batches = math.ceil(num_rows / batch_size)
        self.tail = num_rows % batch_size
        # How many epochs' orders go to the device at once.
        self.num_epochs = max(1, min(1024, _ORDER_ROWS // (self.num_batches * batch_size)))

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
