"""What a model is made of: calls between symbolic tensors, or a class with a `call` of its own.

Training is in `trainer.py`; here is the network: its layers, its shapes, its
summary, and how it is written down and made again.
"""

from __future__ import annotations

import inspect
import json
from typing import Any

import jax

from doltap import config as switches
from doltap import old_names, registry
from doltap.core import configs
from doltap.core.explaining import explaining
from doltap.core.graph import Graph, SymbolicTensor, filled_in, promised, symbolic_leaves
from doltap.core.layer import Layer, made_with, nothing_returned
from doltap.core.owner import nested_shapes
from doltap.errors import MissingAttributeError, NotSupportedError, ShapeError, UnknownNameError
from doltap.models import arguments, exporting, functional, saving
from doltap.models.adding import Added
from doltap.models.hosting import Front, Looked, as_texts, front_of
from doltap.models.shown import Shown
from doltap.models.state_tree import set_tree, tree_of
from doltap.models.stepping import Outputs
from doltap.training import batches, checks
from doltap.training.steps import symbolic_like

__all__ = ["Model"]


class Model(Shown):
    """Layers that are trained together.

    `Model(inputs, outputs)` is the network of calls between symbolic tensors:

    >>> from doltap.layers import Dense, Input
    >>> inputs = Input((4,))
    >>> Model(inputs, Dense(3)(inputs)).count_params()
    15

    A class of one's own makes its layers in `__init__` and uses them in
    `call(self, inputs, training=None)`; it is built by the first data it sees.

    Args:
        inputs: what `Input` returned, or several in a list, tuple or dict.
        outputs: symbolic tensors made from them, likewise.
    """

    kept_in = ("keras.src.models.functional", "Functional")

    def __init__(self, inputs: Any = None, outputs: Any = None, *more: Any, **keywords: Any) -> None:
        if not keywords.keys().isdisjoint(old_names.KEYWORDS["model"]):
            given = {"inputs": inputs, "outputs": outputs}
            given = {name: value for name, value in given.items() if value is not None}
            keywords = old_names.translate("model", given | keywords)
            inputs, outputs = keywords.pop("inputs", None), keywords.pop("outputs", None)
        if more:
            keywords["name"] = more[0]
        # Programs write super().__init__(self), too.
        inputs = None if inputs is self else inputs
        is_network = inputs is not None or outputs is not None
        if is_network and keywords.get("name") is None and type(self) is Model:
            keywords["name"] = switches.next_name("functional")
        super().__init__(**keywords)
        self._graph: Graph | None = None
        self._promises: tuple[Any, Any] | None = None
        # The part of the network that takes strings, if one does.
        self._front: Front | None = None
        # The network with what was added to its loss or is followed, and what is to be done with each.
        self._added: Added | None = None
        if is_network:
            _check_symbolic(inputs, "inputs")
            _check_symbolic(outputs, "outputs")
            self._take_graph(functional.with_inputs_of_its_own(inputs, outputs))

    def _take_graph(self, graph: Graph) -> None:
        self._graph, self._front = graph, front_of(graph)
        self._promises = graph.input_structure, graph.output_structure
        self.deciding = ("_graph", "_added")
        self.built = True
        names = [call.name for call in graph.calls if isinstance(call, Layer)]
        for name in names:
            if names.count(name) > 1:
                raise ShapeError(
                    f"model '{self.name}'",
                    expected="layers with names of their own",
                    got=f"several called '{name}'",
                    fix="Give one of them another name=.",
                )
        for position, layer in enumerate(self.children()):
            if layer._seed is None:
                layer.take_seed(self._seed_for(position))

    def _seed_for(self, position: int) -> int:
        """The seed of the layer at this place."""
        return int(self.seed) ^ position

    def __getstate__(self) -> dict[str, Any]:
        # The promises of a network come back with its graph.
        return {
            **super().__getstate__(),
            "_promises": None if self._graph else self._promises,
            "_front": None,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        if self._graph is not None:
            self._front = front_of(self._graph)
            self._promises = self._graph.input_structure, self._graph.output_structure

    # The network.

    def children(self) -> list[Layer]:
        """The layers of the network in Keras's order, then those that hang on the model."""
        calls = [*self._graph.calls, *(self._added.graph.calls if self._added else ())] if self._graph else []
        listed = [call for call in calls if isinstance(call, Layer)]
        return list({id(layer): layer for layer in (*listed, *super().children())}.values())

    @property
    def layers(self) -> list[Layer]:
        """The layers, first to last."""
        return self.children()

    def call(self, inputs: Any) -> Any:
        """The output of the network; a class of one's own says what it is."""
        if self._graph is None:
            raise NotSupportedError(
                f"model '{self.name}'",
                expected="inputs and outputs, or a method call(self, inputs)",
                got=f"neither in class {type(self).__name__}",
                fix="Model(inputs, outputs), or define call in your class.",
            )
        if self._front is not None and isinstance(inputs, Looked):
            return _alone(self._front.run(inputs))
        values = arguments.in_order(self._graph, inputs, self.name)
        values = [
            arguments.as_promised(t, value) for t, value in zip(self._graph.inputs, values, strict=True)
        ]
        if self._added is not None:
            return _alone(self._added.run(values, super()))
        return _alone(self._graph.run(values))

    def add_loss(self, loss: Any, inputs: Any = None) -> None:
        """Add a number to the loss: inside `call`, or a symbolic tensor of the network, whose mean it is."""
        if self._graph is None or not symbolic_leaves(loss):
            return super().add_loss(loss, inputs)
        self._added = Added.of(self._added, self._graph, loss)

    def add_metric(self, value: Any, name: str | None = None, aggregation: str | None = "mean") -> None:
        """Follow the mean of a number under a name: inside `call`, or of a symbolic tensor of the network."""
        if self._graph is None or not symbolic_leaves(value):
            return super().add_metric(value, name, aggregation)
        self._added = Added.of(self._added, self._graph, value, name or value.name)

    def looked_up(self, x: Any, what: str) -> Any:
        """The inputs with strings turned into numbers, where the network takes strings."""
        if self._front is None or x is None:
            return x
        graph, count = self._need_graph(), len(self.inputs)
        is_row_of_inputs = isinstance(x, (list, tuple)) and len(x) == count
        values = [x] if count == 1 and not isinstance(x, dict) else x if is_row_of_inputs else None
        values = arguments.in_order(graph, x, self.name) if values is None else values
        arrays = [
            as_texts(value, f"{what} for '{tensor.name}'")
            if tensor.dtype == "string"
            else batches.as_array(value, f"{what} for '{tensor.name}'")
            for tensor, value in zip(graph.inputs, values, strict=True)
        ]
        return self._front.looked_up(self._in_shape(arrays, what)).values

    def _as_arrays(self, inputs: Any) -> Any:
        if self._front is not None and not isinstance(inputs, Looked):
            inputs = Looked(self.looked_up(inputs, "inputs"))
        return super()._as_arrays(inputs)

    def _promise(self, inputs: Any, *arguments: Any, **keywords: Any) -> Any:
        if self._front is None and not any(tensor.dtype == "string" for tensor in symbolic_leaves(inputs)):
            return super()._promise(inputs, *arguments, **keywords)
        # Strings are looked up in front of the whole network: its calls stand in it one by one.
        return self.call(inputs)

    def _cast(self, inputs: Any) -> Any:
        # Every layer converts for itself.
        return inputs

    def __call__(self, inputs: Any = None, *arguments: Any, **keywords: Any) -> Any:
        """The output for an input; `training` is passed on to the layers inside."""
        if inputs is None and keywords:
            inputs = keywords.pop(self._takes[1], None)
        if self._front is not None and symbolic_leaves(inputs):
            # What looks strings up comes before all programs, so that its layers stand in the outer network.
            return functional.copied(self._need_graph(), lambda one: one, _called, inputs)[1]
        outputs = super().__call__(inputs, *arguments, **keywords)
        if self._promises is None and outputs is not None:
            known = inputs if hasattr(inputs, "shape") else self._as_arrays(inputs)
            self._promises = symbolic_like(known), symbolic_like(outputs)
        return outputs

    def build(self, input_shape: Any) -> None:
        """Make the weights of a class of one's own, for inputs of this shape, batch first."""
        if self.built:
            return
        # A call made now is not to build it again.
        self.built, self.built_for = True, input_shape
        try:
            self._trace(_promises_of(nested_shapes(input_shape)))
        except Exception:
            self.built = False
            raise

    def _trace(self, inputs: Any) -> None:
        """Follow a call on symbolic tensors: layers are built by it, and the outputs' shapes seen."""
        with explaining(f"call of model '{self.name}'"):
            outputs = promised(self._traced, (inputs,), {}, self.name)
        if not symbolic_leaves(outputs):
            raise nothing_returned(f"model '{self.name}'")
        self._promises = inputs, outputs
        self.built = True

    def ensure_built(self, input_shape: Any) -> None:
        """Build, unless that has been done."""
        if self.built:
            return
        self._pass_seed_on()
        if type(self).build is not Model.build:
            # The user's own build, which makes weights; the layers are built by the first call.
            is_several = self._is_for_several(input_shape)
            self.build(**input_shape) if is_several else self.build(input_shape)
        if self._awaited is not None:
            # The call that is made now is to find the values already.
            self._take_awaited(lambda: self._trace(_promises_of(nested_shapes(input_shape))))
        self.built, self.built_for = True, input_shape

    @property
    def inputs(self) -> list[SymbolicTensor]:
        """The symbolic inputs of the network, in order."""
        return symbolic_leaves(self._need_promises()[0])

    @property
    def outputs(self) -> list[SymbolicTensor]:
        """The symbolic outputs of the network, in order."""
        return symbolic_leaves(self._need_promises()[1])

    @property
    def input(self) -> Any:
        """The symbolic inputs, in the structure they were given in."""
        return self._need_graph().input_structure

    @property
    def output(self) -> Any:
        """The symbolic outputs, in the structure they were given in."""
        return self._need_graph().output_structure

    @property
    def input_shape(self) -> Any:
        """Shape of the input, batch first, or of several; an error before it is known."""
        return jax.tree.map(lambda tensor: tensor.shape, _alone(self._need_promises()[0]))

    @property
    def output_shape(self) -> Any:
        """Shape of the output, batch first, or of several; an error before the model is built."""
        return jax.tree.map(lambda tensor: tensor.shape, _alone(self._need_promises()[1]))

    @property
    def input_names(self) -> list[str]:
        """The names of the inputs, in order."""
        return [tensor.name for tensor in self.inputs]

    @property
    def output_names(self) -> list[str]:
        """The names of the outputs, in order."""
        self._need_promises()
        return [str(name) for name in self.known_output_names() or []]

    def _need_promises(self) -> tuple[Any, Any]:
        if self._promises is None:
            raise ShapeError(
                f"model '{self.name}'",
                expected="to know the shape of its input",
                got="none so far",
                fix="Begin with Input(shape=...), give the first layer input_shape=, or call fit.",
            )
        return self._promises

    def _need_graph(self) -> Graph:
        if self._graph is None:
            self._need_promises()
            raise MissingAttributeError(
                f"model '{self.name}'",
                expected="a network of calls between symbolic tensors",
                got=f"the class {type(self).__name__} with a call of its own",
                fix="Call its layers on Input(...) and make Model(inputs, outputs).",
            )
        return self._graph

    def outputs_for(self, x: Any, what: str) -> tuple[Any, Outputs]:
        """The inputs as the network takes them, and what it gives for them."""
        if self._front is not None:
            x = Looked(x if isinstance(x, (list, tuple)) else [x])
        elif self._graph is not None:
            x = self._fitted(x, what)
        elif self._promises is None:
            self._build_for(x)
        shapes = [tensor.shape for tensor in jax.tree.leaves(self._need_promises()[1])]
        return x, Outputs(self.known_output_names() or [], shapes, self.output_name_structure())

    @property
    def looks_at_values(self) -> bool:
        """Whether every array is looked through, for numbers that an embedding has no vector for."""
        return self._graph is not None and bool(self._graph.looking_up)

    @property
    def has_call(self) -> bool:
        """Whether there is a network, or a call of a class of one's own."""
        return self._graph is not None or type(self).call is not Model.call

    def known_output_names(self) -> list[str | None] | None:
        """The names of the outputs, once the network is known."""
        if self._promises is None:
            return None
        return _output_names(self._promises[1], has_graph=self._graph is not None)

    def output_name_structure(self) -> Any:
        """The names of the outputs as these are nested in lists and dicts; None for a plain list."""
        promised = None if self._promises is None else self._promises[1]
        if not isinstance(promised, dict) and _is_flat(promised):
            return None
        return jax.tree.unflatten(jax.tree.structure(promised), self.known_output_names() or [])

    def _build_for(self, x: Any) -> None:
        """Build a class of one's own for this data."""
        shapes = jax.tree.map(lambda array: (None, *array.shape[1:]), x)
        self.ensure_built(shapes)
        if self.run_eagerly:
            outputs = self(jax.tree.map(lambda array: array[:2], x))
            self._promises, self.built = (symbolic_like(x), symbolic_like(outputs)), True
        else:
            self._trace(symbolic_like(x))

    def _fitted(self, x: Any, what: str) -> Any:
        """The inputs in the order and the shapes of the network's."""
        graph = self._need_graph()
        fitted = self._in_shape(arguments.in_order(graph, x, self.name), what)
        table = dict(zip(map(id, graph.inputs), fitted, strict=True))
        return _alone(filled_in(graph.input_structure, lambda tensor: table[id(tensor)]))

    def _in_shape(self, arrays: list[Any], what: str) -> list[Any]:
        """The arrays for the inputs in order, each in the shape that its input has."""
        graph, fitted = self._need_graph(), []
        for tensor, array in zip(graph.inputs, arrays, strict=True):
            if not arguments.agrees(array.shape[1:], tensor.shape[1:]):
                array = arguments.with_rank(array, tensor.shape)
                name = what if len(arrays) == 1 else f"{what} for '{tensor.name}'"
                checks.check_shape(name, array.shape, tensor.shape, arguments.first_user(graph, tensor))
            if id(tensor) in graph.looking_up:
                layer = graph.looking_up[id(tensor)]
                checks.check_ids(array, layer.highest_index, f"layer '{layer.name}', given {what}")
            fitted.append(array)
        return fitted

    @registry.explained
    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """The layer of this name, or at this place."""
        if index is not None:
            if not -len(self.layers) <= index < len(self.layers):
                raise ShapeError(
                    f"model '{self.name}'",
                    expected=f"an index below {len(self.layers)}",
                    got=str(index),
                    fix="Indices count the layers from 0.",
                )
            return self.layers[index]
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise UnknownNameError.of("layer", name, [layer.name for layer in self.layers])

    @arguments.known_keywords
    def export(
        self,
        filepath: Any,
        format: str | None = None,
        verbose: Any = None,
        input_signature: Any = None,
    ) -> None:
        """Write what the model predicts, with its weights, as a file that needs no doltap to run.

        Args:
            format: "stablehlo", run by `jax.export.deserialize(bytearray(content)).call(x)`;
                "onnx", run by onnxruntime and many more, with float32 for bfloat16; None goes
                by the suffix of the path: ".onnx", else StableHLO.
            verbose: False says nothing.
            input_signature: what has the shape and type of each input, such as `Input((4,))`
                or an array; None takes those that the model knows.
        """
        exporting.export.export_model(self, filepath, format, verbose, input_signature)

    # Written down and made again.

    @property
    def is_made_of_tensors(self) -> bool:
        """Whether its class takes inputs and outputs, as Model does, and no arguments of its own."""
        takes = inspect.signature(type(self).__init__).parameters
        kinds = {one.kind for one in takes.values()}
        passes_all_on = {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD} <= kinds
        return passes_all_on or list(takes)[1:3] == ["inputs", "outputs"]

    def get_config(self) -> dict[str, Any]:
        """The network as a plain dict, or what a class of one's own was made with."""
        if self._graph is None or not self.is_made_of_tensors:
            config = Layer.get_config(self)
            return config | made_with(self) if type(self).get_config is Model.get_config else config
        return {"name": self.name, "trainable": self.trainable, **functional.described(self._graph)}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Make the weights as `get_build_config` says."""
        super().build_from_config(config)
        if self._promises is None and config.get("input_shape") is not None:
            self._trace(_promises_of(nested_shapes(config["input_shape"])))

    def to_json(self, **kwargs: Any) -> str:
        """The description of the model, without weights, as JSON; keywords go to `json.dumps`."""
        return json.dumps(saving.described(self), **kwargs)

    @registry.explained
    def save(self, filepath: Any, overwrite: bool = True, zipped: bool | None = None, **kwargs: Any) -> None:
        """Write the model to a file: what it is, its weights, and how it was compiled.

        Args:
            filepath: ".keras" is Keras 3's format, ".h5" and ".hdf5" that of Keras 1 and 2.
            overwrite: False makes an error of a file that is there already.
            zipped: accepted; a model is always one file.
            kwargs: Keras 2's `include_optimizer` and `save_format`.
        """
        saving.save_model(self, filepath, overwrite, zipped, **kwargs)

    @registry.explained
    def save_weights(self, filepath: Any, overwrite: bool = True, **kwargs: Any) -> None:
        """Write the weights, and what the optimizer remembers, to a file.

        Args:
            filepath: ".weights.h5" is Keras 3's format, ".h5" that of Keras 1 and 2.
            overwrite: False makes an error of a file that is there already.
            kwargs: Keras 2's `save_format`.
        """
        saving.save_weights(self, filepath, overwrite, **kwargs)

    @registry.explained
    def load_weights(self, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> None:
        """Take the weights from a file; all of them or, when something does not fit, none.

        Args:
            skip_mismatch: leave out what does not fit, and say so.
            kwargs: `by_name=True` gives weights to the layers of the same name only.
        """
        saving.load_weights(self, filepath, skip_mismatch, **kwargs)

    def get_state_tree(self, value_format: str = "backend_tensor") -> dict[str, Any]:
        """Every array of the model, its optimizer and its metrics, in dicts by name.

        Args:
            value_format: "backend_tensor" for arrays of JAX, or "numpy_array".
        """
        return tree_of(self, value_format)

    def set_state_tree(self, state_tree: dict[str, Any]) -> None:
        """Take up what `get_state_tree` gave."""
        set_tree(self, state_tree)

    @property
    def is_network(self) -> bool:
        """Whether it is a network of calls between symbolic tensors."""
        return self._graph is not None

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        """A new model made from what `get_config` gave, here or in Keras, with new weights.

        Args:
            custom_objects: classes of the user's own by name, beside the registered ones.
        """
        if "layers" not in config or "input_layers" not in config:
            return super().from_config(config)
        with registry.custom_object_scope(custom_objects or {}):
            graph = functional.rebuilt(config)
        model = cls(graph.input_structure, graph.output_structure, name=config.get("name"))
        # The layers in it say for themselves whether they are trained.
        model._trainable = config.get("trainable") is not False
        return model


registry_names = ("Functional", "Model")
for _name in registry_names:
    configs.names.add(_name, Model)


def _called(layer: Layer, *arguments: Any, **keywords: Any) -> Any:
    return layer(*arguments, **keywords)


def _check_symbolic(tree: Any, what: str) -> None:
    for leaf in jax.tree.leaves(tree):
        if not isinstance(leaf, SymbolicTensor):
            called = getattr(leaf, "name", None)
            raise ShapeError(
                f"Model({what}=...)",
                expected="symbolic tensors: what Input() or a layer called on one returns",
                got=f"{'layer ' + repr(called) if isinstance(leaf, Layer) else type(leaf).__name__}",
                fix="For example x = Input((4,)); Model(x, Dense(1)(x)).",
            )
    if not jax.tree.leaves(tree):
        raise ShapeError(
            f"Model({what}=...)", expected="at least one symbolic tensor", got=repr(tree), fix="Pass both."
        )


def _is_shape(value: Any) -> bool:
    return isinstance(value, tuple) and all(size is None or isinstance(size, int) for size in value)


def _promises_of(shapes: Any) -> Any:
    dtype = switches.floatx()
    return jax.tree.map(lambda shape: SymbolicTensor(shape, dtype, "x"), shapes, is_leaf=_is_shape)


def _alone(structure: Any) -> Any:
    """The one tensor of a list of one, as Keras shows it."""
    is_one = isinstance(structure, (list, tuple)) and len(structure) == 1
    return structure[0] if is_one else structure


def _output_names(outputs: Any, *, has_graph: bool) -> list[str | None]:
    """The names of the outputs in order: keys of a dict, else the layers that make them.

    Nested ones have the way to them in front, as in Keras: "group/dense", "0/dense".
    """
    if isinstance(outputs, dict) and _is_flat(outputs):
        return [str(key) for key in sorted(outputs)]
    tensors = jax.tree.leaves(outputs)
    if not _is_flat(outputs):
        return [_path_name(path, tensor) for path, tensor in jax.tree_util.tree_leaves_with_path(outputs)]
    if not has_graph:
        return [None] * len(tensors)
    return [tensor.node.call.name for tensor in tensors]


def _is_flat(outputs: Any) -> bool:
    parts = outputs.values() if isinstance(outputs, dict) else outputs
    return not isinstance(outputs, (list, tuple, dict)) or not any(
        isinstance(part, (list, tuple, dict)) for part in parts
    )


def _path_name(path: Any, tensor: Any) -> str:
    *outer, last = [str(getattr(step, "key", getattr(step, "idx", None))) for step in path]
    is_listed, node = hasattr(path[-1], "idx"), getattr(tensor, "node", None)
    return "/".join([*outer, node.call.name if is_listed and node is not None else last])
