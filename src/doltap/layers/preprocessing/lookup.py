"""Layers that give each term of a vocabulary a number.

Strings are looked up on the host, in front of the network; whole numbers also
inside the compiled program.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import jax.numpy as jnp
import numpy as np

from doltap.errors import DataError, NotSupportedError, printable
from doltap.layers.preprocessing.encoding import is_traced, on_host, texts, whole_numbers, whole_type
from doltap.layers.preprocessing.fingerprints import bins_of_integers, bins_of_texts
from doltap.layers.preprocessing.vocabulary import OPTIONS, _Lookup

__all__ = ["IntegerLookup", "StringLookup"]


class IntegerLookup(_Lookup):
    """The index of each whole number in a vocabulary, or a one-hot row.

    Works inside compiled programs; there, an unknown number with
    num_oov_indices=0 gives -1, or a row of zeros.

    Args:
        max_tokens: the largest size of a learned vocabulary; None for any.
        num_oov_indices: how many indices unknown numbers share; with 0 they are an error.
        mask_token: the number that stands for "nothing" and has index 0; None for none.
        oov_token: with `invert`, what an index of unknown numbers gives back.
        vocabulary: the numbers, or a text file of them; None to learn them by `adapt(data)`.
        idf_weights: with "tf_idf" and a vocabulary, the weight of each number.
        invert: go back, from indices to numbers.
        output_mode: "int", "one_hot", "multi_hot", "count" or "tf_idf".
        pad_to_max_tokens: make rows `max_tokens` long whatever the vocabulary.
        oov_method: how several indices are shared: "floormod" or "farmhash".
        salt: with "farmhash", one or two integers for SipHash instead.

    >>> IntegerLookup(vocabulary=[12, 36, 1138, 42])([[12, 1138], [42, 1000]]).tolist()
    [[1, 3], [4, 0]]
    """

    deciding = (
        *(
            "_keys",
            "_places",
            "_table",
            "idf_weights",
            "compute_dtype",
            "num_oov_indices",
            "oov_method",
            "salt",
        ),
        *(*OPTIONS, "pad_to_max_tokens", "_known_size"),
    )

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: int | None = None,
        oov_token: int | None = -1,
        vocabulary: Any = None,
        vocabulary_dtype: str = "int64",
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        sparse: bool = False,
        pad_to_max_tokens: bool = False,
        oov_method: str = "floormod",
        salt: Any = None,
        name: str | None = None,
        **keywords: Any,
    ) -> None:
        options = {
            "max_tokens": max_tokens,
            "num_oov_indices": num_oov_indices,
            "mask_token": None if mask_token is None else int(mask_token),
            "oov_token": None if oov_token is None else int(oov_token),
            "invert": invert,
            "output_mode": output_mode,
            "sparse": sparse,
            "pad_to_max_tokens": pad_to_max_tokens,
            "oov_method": oov_method,
            "salt": salt,
        }
        self._keys = self._places = self._table = np.zeros(0, np.int64)
        self._begin(vocabulary, idf_weights, options, {"name": name, **keywords})
        if vocabulary_dtype != "int64" or (salt is not None and oov_method != "farmhash"):
            raise NotSupportedError(
                f"layer '{self.name}'",
                expected="vocabulary_dtype='int64', and a salt only with oov_method='farmhash'",
                got=f"vocabulary_dtype={vocabulary_dtype!r}, oov_method={oov_method!r}, salt={salt!r}",
                fix="Leave vocabulary_dtype out, and say oov_method='farmhash' with a salt.",
            )

    def call(self, inputs: Any) -> Any:
        """The index of each number; with `invert` the number of each index."""
        self._need_tokens()
        if not is_traced(inputs):
            inputs = whole_numbers(f"layer '{self.name}'", inputs)
        else:
            inputs = inputs.astype(whole_type())
        return self._inverted(inputs) if self.invert else self._encoded(self._indices(inputs))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict, with the vocabulary, given or learned."""
        return {**super().get_config(), "vocabulary_dtype": "int64"}

    def _as_arrays(self, inputs: Any) -> Any:
        return on_host(inputs)

    def _term(self, value: Any) -> int:
        try:
            return int(value)
        except (TypeError, ValueError) as error:
            raise DataError(
                f"layer '{self.name}'",
                expected="whole numbers in the vocabulary",
                got=printable(value),
                fix="Use StringLookup for strings.",
            ) from error

    def _flat(self, inputs: Any) -> tuple[Any, tuple[int, ...]]:
        array = np.asarray(inputs)
        if array.dtype == object and array.size:
            array = np.array(array.tolist())
        array = whole_numbers(f"layer '{self.name}'", array)
        return array.ravel(), array.shape

    def _tokens_changed(self) -> None:
        tokens = np.array(self._tokens, np.int64)
        order = np.argsort(tokens)
        self._keys, self._places = tokens[order], order + self._token_start()
        special = [0 if token is None else token for token in self._special_tokens()]
        self._table = np.concatenate([np.array(special, np.int64), tokens])

    def _indices(self, numbers: Any) -> Any:
        """Where each number is in the vocabulary, by binary search."""
        on_host = isinstance(numbers, np.ndarray)
        xp: Any = np if on_host else jnp
        # Terms too large for the device cannot come up inside a program.
        fits = slice(None) if on_host else _within(self._keys, numbers.dtype)
        keys, places = (
            xp.asarray(self._keys[fits], numbers.dtype),
            xp.asarray(self._places[fits], numbers.dtype),
        )
        if not keys.size:
            keys, places = xp.zeros(1, numbers.dtype), xp.full(1, -1, numbers.dtype)
        at = xp.minimum(xp.searchsorted(keys, numbers), len(keys) - 1)
        is_known = (keys[at] == numbers) & (places[at] >= 0)
        indices = xp.where(is_known, places[at], self._oov_indices(numbers))
        if self.mask_token is not None:
            is_masked = numbers == self.mask_token
            is_known = is_known | is_masked
            indices = xp.where(is_masked, 0 if self.output_mode == "int" else -1, indices)
        if on_host and not self.num_oov_indices and not is_known.all():
            raise self._unknown(numbers[~is_known].tolist())
        return indices

    def _oov_indices(self, numbers: Any) -> Any:
        if self.num_oov_indices == 0:
            return -1
        if self.num_oov_indices == 1:
            return self._oov_start()
        if self.oov_method == "floormod":
            return numbers % self.num_oov_indices + self._oov_start()
        return bins_of_integers(numbers, self.num_oov_indices, self.salt) + self._oov_start()

    def _inverted(self, indices: Any) -> Any:
        oov = 0 if self.oov_token is None else self.oov_token
        size = len(self._table)
        is_inside = (indices >= 0) & (indices < size)
        if is_traced(indices):
            table = jnp.asarray(self._table.astype(whole_type()))
            return jnp.where(is_inside, table[jnp.clip(indices, 0, size - 1)], oov)
        numbers = np.where(is_inside, self._table[np.clip(indices, 0, size - 1)], oov)
        kind = np.dtype(whole_type())
        # A number that the device would cut stays on the host.
        return jnp.asarray(numbers.astype(kind)) if (numbers.astype(kind) == numbers).all() else numbers


def _within(keys: np.ndarray, dtype: Any) -> np.ndarray:
    limits = np.iinfo(dtype)
    return (keys >= limits.min) & (keys <= limits.max)


class StringLookup(_Lookup):
    """The index of each string in a vocabulary, or a one-hot row; looked up on the host.

    Args:
        max_tokens: the largest size of a learned vocabulary; None for any.
        num_oov_indices: how many indices unknown strings share; with 0 they are an error.
        mask_token: the string that stands for "nothing" and has index 0; None for none.
        oov_token: with `invert`, what an index of unknown strings gives back.
        vocabulary: the strings, or a text file of them; None to learn them by `adapt(data)`.
        idf_weights: with "tf_idf" and a vocabulary, the weight of each string.
        invert: go back, from indices to strings.
        output_mode: "int", "one_hot", "multi_hot", "count" or "tf_idf".
        pad_to_max_tokens: make rows `max_tokens` long whatever the vocabulary.
        encoding: how to read bytes.
        salt: one or two integers, to share several indices by SipHash instead of FarmHash.

    >>> StringLookup(vocabulary=["a", "b", "c"])([["a", "c"], ["z", "b"]]).tolist()
    [[1, 3], [0, 2]]
    """

    on_host = True
    deciding = ("output_mode",)

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: str | None = None,
        oov_token: str | None = "[UNK]",
        vocabulary: Any = None,
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        pad_to_max_tokens: bool = False,
        sparse: bool = False,
        encoding: str = "utf-8",
        name: str | None = None,
        salt: Any = None,
        **keywords: Any,
    ) -> None:
        self.encoding = encoding
        options = {
            "max_tokens": max_tokens,
            "num_oov_indices": num_oov_indices,
            "mask_token": mask_token,
            "oov_token": oov_token,
            "invert": invert,
            "output_mode": output_mode,
            "sparse": sparse,
            "pad_to_max_tokens": pad_to_max_tokens,
            # Only numbers have a remainder; Keras writes the word for strings too.
            "oov_method": keywords.pop("oov_method", "floormod"),
            "salt": salt,
        }
        self._begin(vocabulary, idf_weights, options, {"name": name, **keywords})

    def call(self, inputs: Any) -> Any:
        """The index of each string; with `invert` the string of each index."""
        self._need_tokens()
        if is_traced(inputs):
            raise NotSupportedError(
                f"layer '{self.name}'",
                expected="to be called in front of the network, where strings are",
                got="a call inside a compiled program, which has only numbers",
                fix="Turn the strings into numbers first, x = layer(strings), or make the network begin with "
                'Input(shape=(1,), dtype="string") and this layer.',
            )
        if self.invert:
            return self._inverted(whole_numbers(f"layer '{self.name}'", inputs))
        values, shape = self._flat(inputs)
        return self._encoded(self._indices(values).reshape(shape))

    def output_dtype(self, input_dtype: str) -> str:
        """Whole numbers for indices, real ones for rows; with `invert` strings."""
        return "string" if self.invert else super().output_dtype(input_dtype)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict, with the vocabulary, given or learned."""
        return {**super().get_config(), "encoding": self.encoding}

    def _as_arrays(self, inputs: Any) -> Any:
        return on_host(inputs)

    def _term(self, value: Any) -> str:
        if not isinstance(value, (str, bytes)):
            raise DataError(
                f"layer '{self.name}'",
                expected="strings in the vocabulary",
                got=f"{printable(value)!r} of type {type(value).__name__}",
                fix="Use IntegerLookup for whole numbers.",
            )
        return value.decode(self.encoding) if isinstance(value, bytes) else str(value)

    def _flat(self, inputs: Any) -> tuple[list[str], tuple[int, ...]]:
        values, shape = texts(f"layer '{self.name}'", inputs)
        if any(issubclass(kind, bytes) for kind in set(map(type, values))):
            values = [self._term(value) for value in values]
        return values, shape

    def _tokens_changed(self) -> None:
        start = self._token_start()
        self._index_of = {token: start + number for number, token in enumerate(self._tokens or [])}
        if self.mask_token is not None:
            self._index_of[self.mask_token] = 0 if self.output_mode == "int" else -1

    def _indices(self, values: list[str]) -> np.ndarray:
        find: Callable[[str], int | None] = self._index_of.get
        found = list(map(find, values))
        if None in found:
            unknown = [value for value, index in zip(values, found, strict=True) if index is None]
            others = self._oov_indices(unknown)
            found = [next(others) if index is None else index for index in found]
        return np.array(found, np.int64)

    def _oov_indices(self, unknown: list[str]) -> Iterator[int]:
        if not self.num_oov_indices:
            raise self._unknown(unknown)
        if self.num_oov_indices == 1:
            return itertools.repeat(self._oov_start())
        letters = [value.encode() for value in unknown]
        bins = bins_of_texts(letters, self.num_oov_indices, self.salt) + self._oov_start()
        return iter(bins.tolist())

    def _inverted(self, indices: np.ndarray) -> np.ndarray:
        table = np.array(["" if term is None else term for term in self.get_vocabulary()])
        oov = "" if self.oov_token is None else self.oov_token
        is_inside = (indices >= 0) & (indices < len(table))
        return np.where(is_inside, table[np.clip(indices, 0, len(table) - 1)], oov)
