"""Layers in a row: the output of one is the input of the next."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import jax
import numpy as np

from doltap import config, random, registry
from doltap.core import configs
from doltap.core.graph import Graph, SymbolicTensor
from doltap.core.layer import Layer, as_shape
from doltap.core.owner import nested_shapes
from doltap.errors import NotSupportedError, ShapeError
from doltap.layers.arrange import InputLayer
from doltap.models import arguments
from doltap.models.hosting import Looked, front_of, is_text
from doltap.models.model import Model
from doltap.models.stepping import Outputs

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

    kept_in = ("keras", "Sequential")

    def __init__(
        self, layers: Iterable[Any] | None = None, trainable: bool = True, name: str | None = None
    ) -> None:
        super().__init__(name=name, trainable=trainable)
        self.deciding = ("_layers",)
        self._layers: list[Layer] = []
        # Of the input, or of each column where the first layer takes a dict of them.
        self._input_shape: Any = None
        self._input_dtype: Any = config.floatx()
        self._first: InputLayer | None = None
        # The promises from the input to the output of each layer.
        self._between: list[Any] = []
        for layer in [layers] if isinstance(layers, Layer) else layers or ():
            self.add(layer)

    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Put a layer on top."""
        self._put(layer)
        if self._input_shape is None or isinstance(layer, (InputLayer, SymbolicTensor)):
            return
        try:
            self.build(self._input_shape)
        except Exception:
            # A layer that does not fit is not kept.
            self._layers.pop()
            raise

    def _put(self, layer: Any) -> None:
        """Take up a layer, without calling it yet."""
        if isinstance(layer, SymbolicTensor):
            layer = InputLayer(batch_shape=layer.shape, dtype=layer.dtype, name=layer.name)
        self._check(layer)
        if isinstance(layer, InputLayer):
            self._input_shape, self._first = layer.batch_shape, layer
            return
        if not self._layers and self._input_shape is None and layer._batch_input_shape is not None:
            self._input_shape = layer._batch_input_shape
        if not self._layers and self._input_shape is None and isinstance(layer, Model) and layer.built:
            self._input_shape = layer.input_shape
        if layer._seed is None or not layer.built:
            layer.take_seed(random.mix(self.seed, len(self._layers)))
        self._layers.append(layer)
        self.forget_programs()

    def pop(self, rebuild: bool = True) -> Layer:
        """Take the top layer off."""
        if not self._layers:
            raise ShapeError(
                f"model '{self.name}'", expected="a layer to take off", got="none", fix="Add layers first."
            )
        layer = self._layers.pop()
        self._between = self._between[: len(self._layers) + 1]
        self.forget_programs()
        self._connect()
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
        if any(layer.name == other.name and layer is not other for other in self._layers):
            raise ShapeError(
                f"model '{self.name}'",
                expected="layers with names of their own",
                got=f"a second layer called '{layer.name}'",
                fix="Give one of them another name=.",
            )

    @property
    def is_network(self) -> bool:
        """Whether it is a network of calls between symbolic tensors."""
        return True

    @property
    def first(self) -> InputLayer | None:
        """The promise of the input in front of the layers; None before its shape is known."""
        return self._first

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_between": []}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        if self._graph is not None:
            self._front = front_of(self._graph)
            begin, end = self._graph.input_structure, self._graph.output_structure
            outputs = [node.outputs for node in self._graph.nodes if node.call in self._layers]
            self._between, self._promises = [begin, *outputs], (begin, end)

    def children(self) -> list[Layer]:
        """The layers, first to last, without the promise of the input."""
        attached = [layer for layer in Layer.children(self) if layer is not self._first]
        return list({id(layer): layer for layer in (*self._layers, *attached)}.values())

    def build(self, input_shape: Any = None) -> None:
        """Make the weights of every layer for inputs of this shape, batch first, or a dict of shapes."""
        given = self._input_shape if input_shape is None else input_shape
        if isinstance(given, dict):
            begin: Any = self._columns(given)
        else:
            self._input_shape = as_shape(given)
            if self._first is None or self._first.batch_shape != self._input_shape:
                self._first = InputLayer(batch_shape=self._input_shape, dtype=self._input_dtype)
            begin = self._first.output
        if not self._between or self._between[0] is not begin:
            self._between = [begin]
        for layer in self._layers[len(self._between) - 1 :]:
            with self._being_built():
                outputs = layer(self._between[-1])
            if not isinstance(outputs, SymbolicTensor):
                raise ShapeError(
                    f"layer '{layer.name}'",
                    expected="one output, to be the input of the next layer",
                    got=f"a {type(outputs).__name__} of {len(outputs)}",
                    fix="Layers with several outputs go into Model(inputs, outputs).",
                )
            self._between.append(outputs)
        self._connect()

    def _columns(self, shapes: dict[str, Any]) -> dict[str, SymbolicTensor]:
        """The promises of the columns of a table, for a first layer that takes a dict."""
        if self._input_shape != shapes or not self._between:
            types = self._input_dtype
            promises = {
                key: InputLayer(batch_shape=shape, dtype=types.get(key, config.floatx()), name=key).output
                for key, shape in shapes.items()
            }
            self._between, self._input_shape = [promises], shapes
        return self._between[0]

    def _connect(self) -> None:
        """The network is what leads from the first promise to the last one."""
        self.built = len(self._between) > 1
        self._graph = Graph(self._between[0], self._between[-1]) if self.built else None
        if self._graph is not None and isinstance(self._input_shape, dict):
            self._drop_unused(self._graph)
        self._front = front_of(self._graph) if self._graph is not None else None
        self._promises = (self._between[0], self._between[-1]) if self.built else None

    def _drop_unused(self, graph: Graph) -> None:
        """The columns of a table that no layer takes need not be there."""
        taken = {id(tensor) for node in graph.nodes for tensor in node.inputs}
        self._between[0] = {key: one for key, one in self._between[0].items() if id(one) in taken}
        self._input_shape = {key: one.shape for key, one in self._between[0].items()}
        self._graph = Graph(self._between[0], self._between[-1])

    def call(self, inputs: Any) -> Any:
        """The layers, one after the other."""
        if self._front is not None and isinstance(inputs, Looked):
            return self._front.run(inputs)
        shape = self._input_shape
        if shape is not None and getattr(inputs, "ndim", len(shape)) != len(shape):
            inputs = arguments.with_rank(inputs, shape)
        for layer in self._layers:
            inputs = layer(inputs)
        return inputs

    def looked_up(self, x: Any, what: str) -> Any:
        """The input with strings turned into numbers, where the first layer takes strings."""
        if isinstance(x, dict) or (not self.built and is_text(x)):
            x = self._begun_with(x)
        return super().looked_up(x, what)

    def _begun_with(self, x: Any) -> Any:
        """The columns that are taken of a table, or the array; the first table or text builds the layers."""
        is_table = isinstance(x, dict) and bool(self._layers) and _takes_tables(self._layers[0])
        if not self.built and (is_table or not isinstance(x, dict)):
            columns = x if is_table else {"": x}
            types = {key: _type_of(column) for key, column in columns.items()}
            shapes = {key: (None, *np.shape(column)[1:]) for key, column in columns.items()}
            self._input_dtype = types if is_table else types[""]
            self.build(shapes if is_table else shapes[""])
        if isinstance(self._input_shape, dict) and is_table and self._input_shape.keys() <= x.keys():
            return {key: x[key] for key in self._input_shape}
        return x

    def _as_arrays(self, inputs: Any) -> Any:
        if isinstance(inputs, dict) or (not self.built and is_text(inputs)):
            inputs = self._begun_with(inputs)
        return super()._as_arrays(inputs)

    def ensure_built(self, input_shape: Any) -> None:
        """Build for this shape, unless that has been done."""
        if not self.built:
            self.build((None, *as_shape(input_shape)[1:]))

    def outputs_for(self, x: Any, what: str) -> tuple[Any, Outputs]:
        """The input in the shape the model was built for; it is built for theirs if it was not yet."""
        if not self.built and hasattr(x, "shape"):
            if x.dtype.kind != "f":
                self._input_dtype = str(x.dtype)
            self.build((None, *x.shape[1:]))
        if not self.built:
            raise ShapeError(
                f"model '{self.name}'",
                expected="layers" if not self._layers else "one array as input",
                got="none" if not self._layers else type(x).__name__,
                fix="Add some: model.add(Dense(1))." if not self._layers else "Pass one array.",
            )
        return super().outputs_for(x, what)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The last layer's output shape for this input shape."""
        self.ensure_built(input_shape)
        shape = as_shape(input_shape)
        for layer in self._layers:
            shape = as_shape(layer.compute_output_shape(shape))
        return shape

    def get_config(self) -> dict[str, Any]:
        """The name and the configurations of the layers."""
        layers = [configs.serialize(layer) for layer in self._layers]
        if self._first is not None:
            layers.insert(0, configs.serialize(self._first))
        described = {"name": self.name, "trainable": self.trainable, "layers": layers}
        if isinstance(self._input_shape, dict):
            described["build_input_dtype"] = self._input_dtype
        return {**described, "build_input_shape": self._input_shape}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        """A new model made from what `get_config` gave, here or in Keras, with new weights."""
        model = cls(name=config.get("name"))
        made: dict[str, Layer] = {}
        with registry.custom_object_scope(custom_objects or {}):
            for each in config["layers"]:
                # A second one of this name is the same layer, which stands in the row twice.
                layer = made.get(each["config"].get("name")) or configs.deserialize(each)
                made[layer.name] = layer
                # They are called all at once below: a network for each would take too long.
                model._put(layer)
        if model._layers and model._input_shape is not None:
            model.build(model._input_shape)
        shape = config.get("build_input_shape")
        if not model.built and shape:
            model._input_dtype = config.get("build_input_dtype", model._input_dtype)
            model.build(nested_shapes(shape))
        # The layers in it say for themselves whether they are trained.
        model._trainable = config.get("trainable") is not False
        return model


def _takes_tables(layer: Layer) -> bool:
    """Whether it is called with a dict of columns; nobody knows that of classes of the user's own."""
    return layer.takes_tables or not type(layer).__module__.startswith("doltap.")


def _type_of(column: Any) -> str:
    """The type that a promise of such a column has."""
    if is_text(column):
        return "string"
    kept = np.asarray(column).dtype
    return str(jax.dtypes.canonicalize_dtype(kept)) if kept.kind in "biu" else config.floatx()
