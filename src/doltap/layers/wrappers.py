"""Layers that hold another layer and call it in their own way."""

from __future__ import annotations

from typing import Any

import jax

from doltap import notes
from doltap.core import configs
from doltap.core.layer import Layer
from doltap.errors import NotSupportedError, ShapeError

__all__ = ["TimeDistributed", "Wrapper"]


class Wrapper(Layer):
    """A layer around another one; make your own by overriding `call`, where `self.layer` is inside.

    Args:
        layer: the layer inside.
    """

    def __init__(self, layer: Any, **keywords: Any) -> None:
        if not isinstance(layer, Layer):
            raise NotSupportedError(
                f"{type(self).__name__}(layer)",
                expected="a layer",
                got=repr(layer),
                fix=f"For example {type(self).__name__}(Dense(8)).",
            )
        super().__init__(**keywords)
        self.layer = layer

    def build(self, input_shape: Any) -> None:
        """Build the layer inside for the same shape."""
        self.layer.ensure_built(input_shape)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict, with the layer inside described in full."""
        return {**super().get_config(), "layer": configs.serialize(self.layer)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A new wrapper around a new layer."""
        return super().from_config({**config, "layer": configs.deserialize(config["layer"])})


class TimeDistributed(Wrapper):
    """Calls a layer on every step of its input: (batch, steps, ...), each step a row to the layer.

    The layer sees (batch * steps, ...), so a layer that mixes the rows of a
    batch, as batch normalization does, mixes steps too.

    Args:
        layer: the layer inside.

    A mask of the steps is passed on to a layer that takes masks.
    """

    supports_masking = True

    def build(self, input_shape: Any) -> None:
        """Build the layer inside for one step."""
        self.layer.ensure_built(self._inside(input_shape))

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """The layer's outputs, step by step."""
        self._inside(inputs.shape)
        batch, steps = inputs.shape[:2]
        rows = inputs.reshape(batch * steps, *inputs.shape[2:])
        taken = notes.current()
        if mask is not None and taken is not None:
            if tuple(mask.shape[:2]) != (batch, steps):
                raise ShapeError(
                    f"layer '{self.name}'",
                    expected=f"a mask of the steps, shape {(batch, steps)}",
                    got=f"shape {tuple(mask.shape)}",
                    fix="Give each step of each row a True or a False.",
                )
            taken.set_mask(rows, mask.reshape(batch * steps, *mask.shape[2:]))
        outputs = self.layer(rows)
        return jax.tree.map(lambda output: output.reshape(batch, steps, *output.shape[1:]), outputs)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """The shape of the layer's output, with the steps behind the batch."""
        batch, *row = self.layer.compute_output_shape(self._inside(input_shape))
        return (batch, input_shape[1], *row)

    def _inside(self, shape: Any) -> tuple[int | None, ...]:
        """The shape that the layer inside gets."""
        if len(shape) < 3:
            raise ShapeError(
                f"layer '{self.name}'",
                expected="inputs of shape (batch, steps, ...)",
                got=f"shape {tuple(shape)}",
                fix="Call the layer inside alone where there are no steps.",
            )
        return (shape[0], *shape[2:])
