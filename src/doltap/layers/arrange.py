"""Layers that change the arrangement of an input, and hold no weights."""

from __future__ import annotations

import math
from typing import Any

from doltap import activations, config, dtypes
from doltap.core.layer import Layer, as_shape
from doltap.core.tensors import SymbolicTensor
from doltap.errors import ShapeError

__all__ = ["Activation", "Flatten", "Input", "InputLayer", "Reshape"]


def Input(  # noqa: N802 - Keras's name for it.
    shape: Any = None,
    batch_size: int | None = None,
    dtype: Any = None,
    name: str | None = None,
    batch_shape: Any = None,
) -> SymbolicTensor:
    """The promise of an input, to put in front of a model's layers.

    Args:
        shape: shape of one row; a bare number n means (n,).
        batch_size: number of rows in every batch; None for any.
        batch_shape: both at once, (batch_size, ...).

    >>> Input(shape=784).shape
    (None, 784)
    """
    return InputLayer(shape, batch_size, dtype, batch_shape=batch_shape, name=name).output


class InputLayer(Layer):
    """Says what shape the rows of x have, so that a model can be built before it sees data.

    Args:
        shape: shape of one row; `input_shape=` is the older word for it.
        batch_size: number of rows in every batch; None for any.
    """

    def __init__(
        self, shape: Any = None, batch_size: int | None = None, dtype: Any = None, **keywords: Any
    ) -> None:
        if keywords.get("name") is None:
            keywords["name"] = config.next_name("input_layer")
        super().__init__(dtype=dtype, **keywords)
        if shape is not None:
            self._batch_input_shape = (batch_size, *as_shape(shape))
        if self._batch_input_shape is None:
            raise ShapeError(
                "Input", expected="the shape of one row", got="none", fix="For example Input(shape=(784,))."
            )
        self.batch_shape = self._batch_input_shape
        self.output = SymbolicTensor(self.batch_shape, dtypes.standardize(dtype), self.name)
        self.built = True

    def call(self, inputs: Any) -> Any:
        """The input itself."""
        return inputs

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """The shape that was promised."""
        return self.batch_shape

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        return {"batch_shape": self.batch_shape, "dtype": self.dtype, "name": self.name}


class Flatten(Layer):
    """Lays the numbers of each row end to end: (batch, 28, 28) becomes (batch, 784).

    >>> Flatten().compute_output_shape((None, 28, 28))
    (None, 784)
    """

    def call(self, inputs: Any) -> Any:
        """The rows as vectors."""
        return inputs.reshape(inputs.shape[0], math.prod(inputs.shape[1:]))

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """Two dimensions: the batch and the length of a row."""
        row = input_shape[1:]
        return (input_shape[0], None if None in row else math.prod(row))


class Reshape(Layer):
    """Gives each row another shape with as many numbers; -1 once means "whatever fits".

    Args:
        target_shape: shape of one row of the output.

    >>> Reshape((-1, 2)).compute_output_shape((None, 6))
    (None, 3, 2)
    """

    def __init__(self, target_shape: Any, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.target_shape = as_shape(target_shape)

    def call(self, inputs: Any) -> Any:
        """The rows in their new shape."""
        return inputs.reshape(self.compute_output_shape(inputs.shape))

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """The batch and the target, with -1 worked out."""
        have = None if None in input_shape[1:] else math.prod(input_shape[1:])
        known = math.prod(size for size in self.target_shape if size not in (-1, None))
        if have is None:
            return (input_shape[0], *(None if size == -1 else size for size in self.target_shape))
        fits = have % known == 0 if -1 in self.target_shape else have == known
        if self.target_shape.count(-1) > 1 or not fits:
            raise ShapeError(
                f"layer '{self.name}'",
                expected=f"rows that can take the shape {self.target_shape}",
                got=f"rows of shape {tuple(input_shape[1:])}, {have} numbers each",
                fix="Choose a target_shape with as many numbers; -1 may stand in it once.",
            )
        return (input_shape[0], *(have // known if size == -1 else size for size in self.target_shape))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        return {**super().get_config(), "target_shape": self.target_shape}


class Activation(Layer):
    """Puts every number through an activation.

    Args:
        activation: name or function.
    """

    def __init__(self, activation: Any, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.activation = activations.get(activation)

    def call(self, inputs: Any) -> Any:
        """The activated inputs."""
        return self.activation(inputs.astype(self.dtype))

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """The input's own shape."""
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        return {**super().get_config(), "activation": activations.serialize(self.activation)}
