"""`tf.ragged`: rows of different lengths, as the list of tensors that they are.

They are looked at, cut and filled up to a tensor; nothing computes with them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from doltap.compat.tensorflow import dtypes, lacking
from doltap.compat.tensorflow.sparse import SparseTensor
from doltap.compat.tensorflow.tensor import Tensor, as_tensor

__all__ = ["RaggedTensor", "constant"]


class RaggedTensor(list[Any]):
    """A list of rows.

    >>> rows = constant([[1, 2], [], [3]])
    >>> rows, rows[0].numpy().tolist(), rows.to_tensor().numpy().tolist()
    (<tf.RaggedTensor [[1, 2], [], [3]]>, [1, 2], [[1, 2], [0, 0], [3, 0]])
    """

    def __init__(self, rows: Iterable[Any]) -> None:
        super().__init__(map(as_tensor, rows))

    @classmethod
    def from_sparse(cls, st_input: SparseTensor, name: Any = None) -> RaggedTensor:
        """The rows of a sparse tensor, each as long as it has values."""
        rows, values = st_input.indices.host[:, 0], st_input.values.host
        return cls(values[rows == row] for row in range(len(st_input.host)))

    @property
    def flat_values(self) -> Any:
        """All rows one behind the other."""
        return as_tensor(np.concatenate([row.host for row in self]))

    values = flat_values

    @property
    def dtype(self) -> Any:
        """The type of the values."""
        return self[0].dtype if self else dtypes.float32

    @property
    def shape(self) -> Any:
        """How many rows there are; their length is not one."""
        return dtypes.TensorShape([len(self), None])

    def row_lengths(self, axis: int = 1, name: Any = None) -> Any:
        """How long each row is."""
        return as_tensor(np.array([len(row) for row in self], np.int64))

    def to_list(self) -> list[Any]:
        """The rows as plain lists."""
        return [row.numpy().tolist() for row in self]

    def to_tensor(self, default_value: Any = None, name: Any = None, shape: Any = None) -> Any:
        """One tensor: shorter rows are filled up, those longer than `shape` says are cut."""
        wanted = [None, None] if shape is None else list(shape)
        sizes = (len(self), max((len(row) for row in self), default=0))
        count, length = (
            have if want is None else int(want) for have, want in zip(sizes, wanted, strict=True)
        )
        kind = self[0].host.dtype if self else np.dtype(np.float32)
        nothing = b"" if kind.kind == "O" else 0
        if default_value is not None:
            nothing = as_tensor(default_value).host[()]
        filled = np.full((count, length), nothing, kind)
        for row, given in zip(filled, self, strict=False):
            row[: len(given)] = given.host[:length]
        return Tensor(filled)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, tuple):
            return self[index[0]][index[1]]
        found = super().__getitem__(index)
        return RaggedTensor(found) if isinstance(index, slice) else found

    def __repr__(self) -> str:
        return f"<tf.RaggedTensor {self.to_list()}>"


def constant(pylist: Sequence[Any], dtype: Any = None, **_: Any) -> RaggedTensor:
    """Rows of different lengths."""
    values = [value for row in pylist for value in row]
    kind = as_tensor(values).dtype if dtype is None and values else dtypes.as_dtype(dtype or "float32")
    return RaggedTensor(as_tensor(list(row), kind) if len(row) else Tensor(_empty(kind)) for row in pylist)


def _empty(kind: Any) -> np.ndarray:
    return np.zeros(0, object if kind == dtypes.string else kind.dtype)


lacking.guard(__name__)
