"""A vocabulary: which terms there are, how it is learned, and what an index stands for.

The lookup layers fill in how a term of their kind is found.
"""

from __future__ import annotations

import collections
import itertools
import pathlib
from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from doltap import config
from doltap.core.layer import Layer
from doltap.errors import DataError, NotSupportedError, UnknownNameError, printable
from doltap.layers.preprocessing.encoding import (
    checked_mode,
    checked_salt,
    encode,
    encoded_shape,
    refuse_sparse,
    whole_type,
)

__all__ = ["OPTIONS"]

_MODES = ("int", "one_hot", "multi_hot", "count", "tf_idf")
# The options that decide what an index stands for.
OPTIONS = ("invert", "max_tokens", "num_oov_indices", "oov_token", "mask_token", "output_mode")


class _Lookup(Layer):
    """What looking up strings and looking up whole numbers have in common.

    The vocabulary is: the mask token (with "int" only), a place for each index
    of unknown terms, then the tokens.
    """

    def _begin(self, vocabulary: Any, idf_weights: Any, options: dict[str, Any], keywords: dict) -> None:
        """The part of the constructor that does not depend on the kind of term."""
        self._known_size = keywords.pop("vocabulary_size", None)
        was_given = keywords.pop("has_input_vocabulary", vocabulary is not None)
        # The type is that of the terms, whatever older files say.
        keywords.pop("dtype", None)
        super().__init__(**{"autocast": False, **keywords})
        vars(self).update(options)
        self.output_mode = checked_mode(options["output_mode"], *_MODES)
        refuse_sparse(type(self).__name__, options["sparse"])
        if options["oov_method"] not in ("floormod", "farmhash"):
            raise UnknownNameError.of("oov_method", options["oov_method"], ("floormod", "farmhash"))
        self.salt = checked_salt(f"layer '{self.name}'", options["salt"])
        self._check_options(idf_weights)
        self._tokens: list[Any] | None = None
        self.idf_weights: np.ndarray | None = None
        self._given: tuple[Any, Any] | None = None
        self.reset_state()
        if vocabulary is not None:
            self.set_vocabulary(vocabulary, idf_weights)
        self._was_given = bool(was_given)

    @property
    def adapts(self) -> bool:
        """Whether the vocabulary is learned."""
        return not self._was_given

    @property
    def is_ready(self) -> bool:
        """Whether there is a vocabulary."""
        return self._tokens is not None

    # What the kinds of terms differ in.

    def _term(self, value: Any) -> Any:
        raise NotImplementedError

    def _flat(self, inputs: Any) -> tuple[Any, tuple[int, ...]]:
        """The terms of an input on the host, end to end, and its shape."""
        raise NotImplementedError

    def _tokens_changed(self) -> None:
        """Prepare what looking up needs."""
        raise NotImplementedError

    # Vocabulary.

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[Any]:
        """The terms, each at its index.

        Args:
            include_special_tokens: False leaves the mask token and unknown terms out.
        """
        tokens = self._tokens or []
        return [*self._special_tokens(), *tokens] if include_special_tokens else list(tokens)

    def vocabulary_size(self) -> int:
        """The number of indices, with those for the mask token and for unknown terms."""
        return self._token_start() + len(self._tokens or [])

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Replace the vocabulary.

        Args:
            vocabulary: the terms, or the path of a text file with one in each line.
            idf_weights: with "tf_idf", the weight of each term.
        """
        if (idf_weights is None) == (self.output_mode == "tf_idf"):
            raise DataError(
                f"layer '{self.name}'",
                expected="idf_weights with output_mode='tf_idf' and only there",
                got=f"output_mode={self.output_mode!r} and idf_weights={idf_weights!r}",
                fix="Give each term a weight, or let adapt(data) find vocabulary and weights.",
            )
        if isinstance(vocabulary, (str, pathlib.Path)):
            vocabulary = self._lines(pathlib.Path(vocabulary))
        # Special tokens may be None, and are no terms then.
        terms = [
            None if value is None else self._term(value) for value in np.asarray(vocabulary, object).tolist()
        ]
        special = self._special_tokens()
        begins_special = bool(special) and terms[: len(special)] == special
        tokens = terms[len(special) :] if begins_special else terms
        self._check_tokens(terms, tokens)
        if idf_weights is not None:
            self._take_weights(np.asarray(idf_weights, np.float64), len(terms), begins_special)
            idf_weights = np.asarray(idf_weights).tolist()
        self._take_tokens(tokens)
        self._given = (terms, idf_weights)

    def _lines(self, path: pathlib.Path) -> list[str]:
        if not path.is_file():
            raise DataError(
                f"layer '{self.name}'",
                expected="a text file with one term in each line",
                got=f"no file '{printable(path)}'",
                fix="Give the path of a file, or the terms as a list.",
            )
        lines = path.read_text(encoding=vars(self).get("encoding", "utf-8")).split("\n")
        return [line.rstrip("\r") for line in (lines[:-1] if not lines[-1] else lines)]

    def _take_tokens(self, tokens: list[Any]) -> None:
        size = self._token_start() + len(tokens)
        is_fixed = self.output_mode != "int" and not self.pad_to_max_tokens
        if is_fixed and self.nodes and self._tokens is not None and size != self.vocabulary_size():
            raise DataError(
                f"layer '{self.name}'",
                expected=f"{self.vocabulary_size()} indices, as when it was put into a network",
                got=f"a vocabulary of {size}",
                fix="Make a new layer and network, or use max_tokens with pad_to_max_tokens=True.",
            )
        self._tokens, self._known_size = tokens, size
        self._tokens_changed()

    def _take_weights(self, weights: np.ndarray, num_terms: int, begins_special: bool) -> None:
        if weights.shape != (num_terms,):
            raise DataError(
                f"layer '{self.name}'",
                expected=f"idf_weights for each of the {num_terms} terms",
                got=f"shape {weights.shape}",
                fix="Give as many weights as terms, in the same order.",
            )
        front = 0 if begins_special else self._token_start()
        # Nobody knows how common unknown terms are: they weigh as the mean.
        self.idf_weights = np.concatenate([np.full(front, weights.mean()), weights]).astype(config.floatx())

    def _check_tokens(self, terms: list[Any], tokens: list[Any]) -> None:
        repeated = [term for term, count in collections.Counter(tokens).items() if count > 1]
        reserved = [self.mask_token] + ([self.oov_token] if self.invert else [])
        misplaced = [token for token in reserved if token is not None and token in set(tokens)]
        size = self._token_start() + len(tokens)
        if not terms or None in tokens:
            got, fix = (
                "an empty one" if not terms else "None in it",
                "Give at least one term, or call adapt(data).",
            )
        elif repeated:
            got, fix = (
                f"{printable(repeated)} more than once",
                "list(dict.fromkeys(terms)) drops repetitions.",
            )
        elif misplaced:
            got = f"the special token {misplaced[0]!r} at index {terms.index(misplaced[0])}"
            fix = f"Leave special tokens out, or begin with exactly these: {self._special_tokens()}."
        elif self.max_tokens is not None and size > self.max_tokens:
            got, fix = f"{size} with special tokens, over max_tokens={self.max_tokens}", "Raise max_tokens."
        else:
            return
        expected = "a vocabulary of distinct terms"
        raise DataError(f"layer '{self.name}'", expected=expected, got=got, fix=fix)

    def _check_options(self, idf_weights: Any) -> None:
        wrong = {
            "max_tokens above 1": self.max_tokens is not None and self.max_tokens <= 1,
            "max_tokens with pad_to_max_tokens=True": self.pad_to_max_tokens and self.max_tokens is None,
            "num_oov_indices of 0 or more": self.num_oov_indices < 0,
            "output_mode='int' with invert=True": self.invert and self.output_mode != "int",
            "idf_weights only with output_mode='tf_idf'": idf_weights is not None
            and self.output_mode != "tf_idf",
        }
        expected = next((text for text, is_wrong in wrong.items() if is_wrong), None)
        if expected is not None:
            raise DataError(
                f"layer '{self.name}'",
                expected=expected,
                got=f"max_tokens={self.max_tokens}, num_oov_indices={self.num_oov_indices}, "
                f"invert={self.invert}, output_mode={self.output_mode!r}",
                fix=f"See help({type(self).__name__}).",
            )

    def _oov_start(self) -> int:
        return 1 if self.mask_token is not None and self.output_mode == "int" else 0

    def _token_start(self) -> int:
        return self._oov_start() + self.num_oov_indices

    def _special_tokens(self) -> list[Any]:
        return [self.mask_token] * self._oov_start() + [self.oov_token] * self.num_oov_indices

    # Learning it.

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Learn the vocabulary: the most frequent terms first, of equals the last in order.

        Args:
            data: an array, a list or a column of terms, or an iterable of batches.
            steps: how many batches to take; None means all.
        """
        self.reset_state()
        is_one = isinstance(data, (list, tuple, str)) or callable(getattr(data, "__array__", None))
        if is_one:
            array = (
                np.asarray(data, dtype=object) if isinstance(data, (list, tuple, str)) else np.asarray(data)
            )
            self.update_state(array[:, None] if array.ndim == 1 else array)
        else:
            for batch in itertools.islice(iter(data), steps):
                self.update_state(batch[0] if isinstance(batch, tuple) else batch)
        self.finalize_state()

    def reset_state(self) -> None:
        """Forget the data seen so far, though not the vocabulary."""
        self._counts: collections.Counter = collections.Counter()
        self._document_counts: collections.Counter = collections.Counter()
        self._num_documents = 0

    def update_state(self, data: Any) -> None:
        """Count the terms of one more batch; each row is a document, a lone row is one."""
        if not self.adapts:
            raise DataError(
                f"layer '{self.name}'",
                expected="a vocabulary from one place",
                got="vocabulary= given, and adapt called",
                fix="Leave vocabulary out of the constructor, or leave adapt out.",
            )
        flat, shape = self._flat(data)
        values = flat if isinstance(flat, list) else flat.tolist()
        self._counts.update(values)
        if self.output_mode == "tf_idf":
            num_rows = shape[0] if len(shape) > 1 else 1
            self._num_documents += num_rows
            length = len(values) // max(num_rows, 1)
            for start in range(0, num_rows * length, max(length, 1)):
                self._document_counts.update(set(values[start : start + length]))

    def finalize_state(self) -> None:
        """Make the vocabulary of what was counted."""
        for special in (self.mask_token, self.oov_token):
            self._counts.pop(special, None)
        if not self._counts:
            return
        in_order = sorted(self._counts, key=lambda term: (self._counts[term], term), reverse=True)
        room = None if self.max_tokens is None else max(self.max_tokens - self._token_start(), 0)
        tokens = in_order[:room]
        weights = None
        if self.output_mode == "tf_idf":
            documents = np.array([self._document_counts[token] for token in tokens])
            weights = np.log1p(self._num_documents / (1 + documents))
            self._take_weights(weights, len(tokens), False)
            weights = weights.tolist()
        self._take_tokens(tokens)
        self._given = (tokens, weights)
        self.reset_state()

    # In files: Keras keeps a learned vocabulary as a text file beside the configuration.

    def save_own_variables(self, store: Any) -> None:
        """Put the weights of the terms into a dict, for a file."""
        if self.idf_weights is not None:
            store["idf_weights"] = self.idf_weights

    def load_own_variables(self, store: Any) -> None:
        """Take up the weights of the terms, special ones included."""
        if "idf_weights" in store:
            self.idf_weights = np.asarray(store["idf_weights"], config.floatx())

    def load_assets(self, folder: str) -> None:
        """Take up the vocabulary in a folder of a model's files, unless the configuration had one."""
        path = pathlib.Path(folder) / "vocabulary.txt"
        if self._tokens is not None or not path.is_file():
            return
        encoding = vars(self).get("encoding", "utf-8")
        lines = path.read_bytes().decode(encoding, "replace").split("\n")
        terms = [self._term(line.removesuffix("\r")) for line in lines]
        special = self._special_tokens()
        tokens = terms[len(special) :]
        self._check_tokens(terms, tokens)
        self._take_tokens(tokens)
        weights = None if self.idf_weights is None else self.idf_weights[len(special) :].tolist()
        self._given = (tokens, weights)

    # Using it.

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """The input's shape, or rows of one number for each index."""
        depth = self.max_tokens if self.pad_to_max_tokens else self._known_size
        return encoded_shape(input_shape, self.output_mode, depth)

    def output_dtype(self, input_dtype: str) -> str:
        """Whole numbers for indices, real ones for rows."""
        return whole_type() if self.output_mode == "int" else self.compute_dtype

    def _encoded(self, indices: Any) -> Any:
        if self.output_mode == "int":
            return jnp.asarray(indices).astype(whole_type())
        depth = self.max_tokens if self.pad_to_max_tokens else self.vocabulary_size()
        mode = "count" if self.output_mode == "tf_idf" else self.output_mode
        rows = encode(jnp.asarray(indices), mode, depth, self.compute_dtype)
        if self.idf_weights is None:
            return rows
        weights = np.pad(self.idf_weights, (0, depth - len(self.idf_weights)))
        return rows * jnp.asarray(weights, rows.dtype)

    def _need_tokens(self) -> list[Any]:
        if self._tokens is None:
            raise DataError(
                f"layer '{self.name}'",
                expected="a vocabulary",
                got="none yet",
                fix="Call adapt(data) first, or give vocabulary=.",
            )
        return self._tokens

    def _unknown(self, unknown: Sequence[Any]) -> DataError:
        return DataError(
            f"layer '{self.name}'",
            expected="only terms of the vocabulary, as num_oov_indices=0 says",
            got=f"{printable(list(dict.fromkeys(unknown))[:5])}",
            fix="Make it with num_oov_indices=1, which gives unknown terms an index of their own.",
        )

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict, with the vocabulary, given or learned."""
        vocabulary, weights = self._given or (None, None)
        learned = {} if self._was_given or vocabulary is None else {"has_input_vocabulary": False}
        return {
            **super().get_config(),
            **{option: vars(self)[option] for option in OPTIONS},
            "sparse": False,
            "pad_to_max_tokens": self.pad_to_max_tokens,
            "idf_weights": weights,
            "vocabulary": vocabulary,
            "vocabulary_size": self._known_size,
            "oov_method": self.oov_method,
            "salt": self.salt,
            **learned,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A new layer made from what `get_config` gave, here or in Keras."""
        if isinstance(config.get("vocabulary"), str):
            raise NotSupportedError(
                "a configuration with a vocabulary",
                expected="the terms themselves",
                got=f"the path '{printable(config['vocabulary'])}'",
                fix="A configuration may come from anybody, so files it names are not opened; "
                "call set_vocabulary(path) yourself.",
            )
        layer = super().from_config(config)
        # That the vocabulary was learned is said by a False, which `Layer` takes for nothing.
        layer._was_given = config.get("has_input_vocabulary", layer._was_given)
        return layer
