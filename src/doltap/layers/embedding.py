"""Whole numbers become vectors that are learnt: the embedding.

What it takes is never rounded: its input keeps its type, whatever the layer
computes in.
"""

from __future__ import annotations

from typing import Any, ClassVar

import jax.numpy as jnp

from doltap import old_names
from doltap.core.layer import Layer, as_shape
from doltap.dtypes import is_float
from doltap.layers.shapes import whole_number

__all__ = ["Embedding"]


class Embedding(Layer):
    """A vector of `output_dim` learnt numbers for each whole number from 0 to below `input_dim`.

    Input (batch, ...), output (batch, ..., output_dim). A number out of
    range gives NaN; where the numbers are an input of the model itself, fit,
    evaluate and predict refuse it first.

    Args:
        input_dim: how many numbers, 0 among them, have a vector.
        output_dim: length of the vectors.
        embeddings_initializer: where the vectors start.
        mask_zero: whether 0 fills steps that do not count, which masks them.
        weights: the vectors (input_dim, output_dim), where they are known already.
        input_length: steps of each row, where old programs say it.

    >>> Embedding(10, 4)(jnp.array([[1, 2, 9]])).shape
    (1, 3, 4)
    """

    initial: ClassVar = {"embeddings": "uniform"}

    @old_names.accepts("embedding")
    def __init__(
        self,
        input_dim: Any,
        output_dim: Any,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        weights: Any = None,
        input_length: Any = None,
        **keywords: Any,
    ) -> None:
        aspects = {
            "embeddings_regularizer": embeddings_regularizer,
            "embeddings_constraint": embeddings_constraint,
        }
        if input_length is not None:
            old_names.note_kept("layer", ["input_length"])
            keywords.setdefault("input_shape", as_shape(input_length))
        super().__init__(embeddings_initializer=embeddings_initializer, **aspects, **keywords)
        example = "Embedding(1000, 16) gives each number from 0 to 999 a vector of 16."
        self.input_dim = whole_number("Embedding(input_dim)", input_dim, example)
        self.output_dim = whole_number("Embedding(output_dim)", output_dim, example)
        self.mask_zero = self.supports_masking = bool(mask_zero)
        # In 16 bits, numbers above 256 would be rounded.
        self.autocast = False
        if weights is not None:
            self.build()
            self.set_weights(weights if isinstance(weights, (list, tuple)) else [weights])

    @property
    def highest_index(self) -> int:
        """The largest number that has a vector."""
        return self.input_dim - 1

    def build(self, input_shape: Any = None) -> None:
        """Make the vectors."""
        if not self.built:
            self.embeddings = self.add_weight((self.input_dim, self.output_dim), name="embeddings")

    def call(self, inputs: Any) -> Any:
        """The vector of each number."""
        if is_float(inputs.dtype) or inputs.dtype == bool:
            inputs = inputs.astype(jnp.int32)
        return jnp.take(self.embeddings.read(), inputs, axis=0, mode="fill").astype(self.compute_dtype)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """The input's shape, with the length of the vectors behind."""
        return (*input_shape, self.output_dim)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Which steps are not 0, if 0 is to be masked."""
        return inputs != 0 if self.mask_zero else None

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        sizes = {"input_dim": self.input_dim, "output_dim": self.output_dim}
        return {**super().get_config(), **sizes, "mask_zero": self.mask_zero}
