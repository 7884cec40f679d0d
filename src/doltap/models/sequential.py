"""Layers in a row: the output of one is the input of the next."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from doltap import random
from doltap.core.layer import Layer, as_shape
from doltap.core.tensors import SymbolicTensor
from doltap.errors import NotSupportedError, ShapeError
from doltap.layers.arrange import InputLayer
from doltap.models.model import Model

__all__ = ["Sequential"]


class Sequential(Model):
    """A tower of layers, one stone on the other.

    It is built as soon as the shape of the input is known: from `Input` in
    front, from `input_shape=` of the first layer, or from the data.

    Args:
        layers: the layers, first to last; more can follow with `add`.
        name: any text.

    >>> from doltap.layers import Dense
    >>> Sequential([Dense(3, input_dim=2)]).count_params()
    9
    """

    deciding = ("_layers",)

    def __init__(
        self, layers: Iterable[Any] | None = None, trainable: bool = True, name: str | None = None
    ) -> None:
        super().__init__(name=name, trainable=trainable)
        self._layers: list[Layer] = []
        self._shapes: list[tuple[int | None, ...]] = []
        for layer in [layers] if isinstance(layers, Layer) else layers or ():
            self.add(layer)

    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Put a layer on top."""
        if isinstance(layer, SymbolicTensor):
            layer = InputLayer(batch_shape=layer.shape, dtype=layer.dtype, name=layer.name)
        self._check(layer)
        if isinstance(layer, InputLayer):
            self._input_shape = layer.batch_shape
            self._forget()
            return
        if not self._layers and self._input_shape is None and layer._batch_input_shape is not None:
            self._input_shape = layer._batch_input_shape
        if not self._layers and self._input_shape is None and isinstance(layer, Model) and layer.built:
            self._input_shape = layer.input_shape
        layer.take_seed(random.mix(self.seed, len(self._layers)))
        self._layers.append(layer)
        self._forget()
        if self._input_shape is not None:
            try:
                self.build(self._input_shape)
            except Exception:
                # A layer that does not fit is not kept.
                self._layers.pop()
                self._forget()
                raise

    def pop(self, rebuild: bool = True) -> Layer:
        """Take the top layer off."""
        if not self._layers:
            raise ShapeError(
                f"model '{self.name}'", expected="a layer to take off", got="none", fix="Add layers first."
            )
        layer = self._layers.pop()
        self._forget()
        if self._input_shape is not None:
            self.build(self._input_shape)
        return layer

    def _check(self, layer: Any) -> None:
        if not isinstance(layer, Layer):
            is_class = isinstance(layer, type) and issubclass(layer, Layer)
            raise NotSupportedError(
                f"model '{self.name}'",
                expected="layers",
                got=repr(layer),
                fix=f"Call it: {layer.__name__}(...)." if is_class else "For example Dense(10).",
            )
        if "_own_weights" not in vars(layer):
            raise NotSupportedError(
                f"layer {type(layer).__name__}",
                expected="its __init__ to call super().__init__() first",
                got="one that does not",
                fix="Begin your __init__ with: super().__init__(**kwargs).",
            )
        if isinstance(layer, InputLayer) and (self._layers or self._input_shape is not None):
            raise ShapeError(
                f"model '{self.name}'",
                expected="its input in front",
                got=f"'{layer.name}' after {len(self._layers)} layers",
                fix="Put Input first, once.",
            )
        if any(layer.name == other.name for other in self._layers):
            raise ShapeError(
                f"model '{self.name}'",
                expected="layers with names of their own",
                got=f"a second layer called '{layer.name}'",
                fix="Give one of them another name=; the same layer object cannot stand in a row twice.",
            )

    def _forget(self) -> None:
        """The parts changed: what was put together from them is out of date."""
        self.built = False
        self._output_shape = None
        self._shapes = []
        self._recipes = {}
        self._measures = None

    def build(self, input_shape: Any = None) -> None:
        """Make the weights of every layer for inputs of this shape, batch first."""
        shape = as_shape(self._input_shape if input_shape is None else input_shape)
        if not self._layers:
            self._input_shape = shape
            return
        self._input_shape = shape
        shapes = []
        for layer in self._layers:
            layer.ensure_built(shape)
            if any(not child.built for child in layer.children()):
                layer.traced_output_shape(shape)
            shape = as_shape(layer.compute_output_shape(shape))
            shapes.append(shape)
        self._shapes = shapes
        self._output_shape = shape
        self.built = True

    def call(self, inputs: Any) -> Any:
        """The layers, one after the other."""
        for layer in self._layers:
            inputs = layer(inputs)
        return inputs

    def ensure_built(self, input_shape: Any) -> None:
        """Build for this shape, unless that has been done."""
        if not self.built:
            self.build((None, *as_shape(input_shape)[1:]))

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """The last layer's output shape for this input shape."""
        self.ensure_built(input_shape)
        shape = as_shape(input_shape)
        for layer in self._layers:
            shape = as_shape(layer.compute_output_shape(shape))
        return shape

    def layer_shapes(self) -> list[str]:
        """The output shape of each layer as text, "?" before the model is built."""
        return [str(shape) for shape in self._shapes] if self.built else super().layer_shapes()

    def get_config(self) -> dict[str, Any]:
        """The name and the configurations of the layers."""
        configs = [
            {"class_name": type(layer).__name__, "config": layer.get_config()} for layer in self._layers
        ]
        return {"name": self.name, "layers": configs, "build_input_shape": self._input_shape}
