"""A layer builds its weights once, for the first shape it sees, then only calls.

A layer knows nothing of models, losses or training.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import threading
import types
from collections.abc import Callable
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from doltap import config, dtypes, notes, old_names, planned, random, registry, regularizers
from doltap.core.explaining import MISTAKES, raise_named
from doltap.core.graph import Node, SymbolicTensor, promised, symbolic_leaves
from doltap.core.old_ways import OldWays, old_attribute
from doltap.core.owner import ASPECTS, Owner, as_shape
from doltap.core.tensors import Variable, inside, lend, precision, unchanged
from doltap.dtypes import is_float
from doltap.errors import MissingAttributeError, NotSupportedError, closest, printable
from doltap.registry import arguments_of, check_arguments, snake_case

__all__ = ["Layer", "Owner", "as_shape", "made_with", "names"]

names = registry.Names("layer")

_calls = threading.local()

_SHAPE_KEYWORDS = ("input_shape", "input_dim", "batch_input_shape", "batch_shape")
_COMMON_KEYWORDS = ("trainable", "dtype", "name", "autocast", "activity_regularizer", *_SHAPE_KEYWORDS)


class Layer(OldWays, Owner):
    """One stone of the tower: weights, and what to do with an input.

    Make your own by overriding `build(input_shape)`, where `add_weight` makes
    the weights, and `call(inputs)`; add `training=False` to `call` when the
    layer behaves differently in training.

    Args:
        activity_regularizer: what the size of the output costs, per row.
        trainable: whether an optimizer may move the weights.
        dtype: type, or name of the policy, of weights and computation; None
            means the one `config` was told.
        autocast: whether real inputs are converted to the type it computes in.
        name: how summaries and errors call the layer; made up when None.
        input_shape: shape of one row, when this is the first layer of a model.
            `input_dim=n` and `batch_input_shape=` say the same in older words.

    A class that lists its weights in `initial` also takes, for a weight called
    "kernel", `kernel_initializer`, `kernel_regularizer` and `kernel_constraint`.
    """

    # A layer that mixes the rows of a batch, as batch normalization does, says so.
    rows_are_independent = True
    # Whether a mask of its input is one of its output too.
    supports_masking = False
    # Whether the output of whole numbers is of their type, instead of the one it computes in.
    keeps_dtype = False
    # Whether it works on strings, which only the host has: it is run in front of the compiled program.
    on_host = False
    # The attributes that decide what it computes; None means all of them.
    deciding: tuple[str, ...] | None = None
    # The module under which Keras's files look for the class, and what they call it.
    kept_in: ClassVar[tuple[str, str | None]] = ("keras.layers", None)
    # The names of the arguments of `call`.
    _takes: tuple[str, ...] = ()
    # The arguments that `__init__` was called with, for classes that write no get_config.
    _made_with: types.SimpleNamespace

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        cls._takes = tuple(inspect.signature(cls.call).parameters)
        cls._wants_shapes, is_users = _several_shapes(cls), not cls.__module__.startswith("doltap.")
        if "build" in vars(cls) and (is_users or cls.ensure_built is Layer.ensure_built):
            cls.build = _marking(cls.build)  # type: ignore[method-assign]
        if not is_users and not cls.__name__.startswith("_"):
            names.add(cls.__name__, cls)

    def __new__(cls, *arguments: Any, **keywords: Any) -> Any:  # noqa: D102
        layer = super().__new__(cls)
        if not cls.__module__.startswith("doltap."):
            layer._made_with = types.SimpleNamespace(arguments=arguments, keywords=keywords)
        return layer

    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        **keywords: Any,
    ) -> None:
        super().__init__(trainable=trainable)
        self._take_aspects(keywords)
        if keywords:
            known = [*arguments_of(type(self)), *_COMMON_KEYWORDS, *self._aspects()]
            check_arguments(type(self).__name__, keywords, known)
        self.name = config.next_name(snake_case(type(self).__name__)) if name is None else str(name)
        self.dtype_policy = dtypes.get(dtype)
        self.autocast = autocast
        self.activity_regularizer = regularizers.get(activity_regularizer)
        if self.activity_regularizer is not None:
            # What it costs is divided by the rows of the batch.
            self.rows_are_independent = False
        self.built = False
        # The calls on symbolic tensors, and what the last call added to the loss.
        self.nodes: list[Node] = []
        self._losses: list[Any] = []
        self._batch_input_shape = _batch_input_shape(keywords)

    # What subclasses override.

    def build(self, input_shape: Any) -> None:
        """Make the weights for inputs of this shape; the first length is None or the batch."""

    def call(self, inputs: Any) -> Any:
        """What the layer does to its input."""
        raise _without_call(self)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the output, None where it depends on the batch."""
        return self.traced_output_shape(input_shape)

    def output_dtype(self, input_dtype: str) -> str:
        """The type of the output for inputs of that type, where `call` is not asked."""
        is_cast = self.autocast and is_float(input_dtype) and is_float(self.compute_dtype)
        return self.compute_dtype if is_cast or not self.keeps_dtype else input_dtype

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The mask of the output, for the mask of the inputs."""
        if isinstance(mask, (list, tuple)):
            return next((one for one in mask if one is not None), None)
        return mask if self.supports_masking else None

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        base = {"name": self.name, "trainable": self._trainable, "dtype": dtypes.serialize(self.dtype_policy)}
        if self.activity_regularizer is not None:
            base["activity_regularizer"] = regularizers.serialize(self.activity_regularizer)
        for keyword, (_, aspect) in self._aspects().items():
            value = getattr(self, keyword)
            base[keyword] = None if value is None else ASPECTS[aspect].serialize(value)
        if type(self).get_config is Layer.get_config and "_made_with" in vars(self):
            base |= made_with(self)
        return base

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A new layer made from what `get_config` gave, here or in Keras."""
        given, apart = _arguments_in(cls, config)
        layer = cls(**given)
        for key, value in apart.items():
            setattr(layer, key, value)
        return layer

    # Calling.

    def __call__(
        self, inputs: Any = None, *arguments: Any, training: bool | None = None, **keywords: Any
    ) -> Any:
        """The output for an input; `training` is passed on to the layers inside."""
        if inputs is None and keywords:
            inputs = keywords.pop(self._takes[1], None)
        if not isinstance(inputs, jax.Array) or arguments or keywords:
            if symbolic_leaves((inputs, arguments, keywords)):
                return self._promise(inputs, *arguments, training=training, **keywords)
            inputs = self._as_arrays(inputs)
        if not self.built:
            _build_for(self, inputs, arguments, keywords)
        outer = getattr(_calls, "training", None)
        _calls.training = outer if training is None else bool(training)
        with contextlib.ExitStack() as scopes:
            scopes.enter_context(inside(self))
            taken = notes.current()
            if taken is None:
                taken = scopes.enter_context(notes.taken())
                self._losses = taken.losses
            try:
                if "training" in self._takes:
                    keywords["training"] = bool(_calls.training)
                return self._called(taken, inputs, arguments, keywords)
            finally:
                _calls.training = outer

    def _called(self, taken: notes.Notes, inputs: Any, arguments: Any, keywords: dict[str, Any]) -> Any:
        """What `call` gives, in the layer's precision, with the notes that belong to it."""
        mask = None
        if taken.masks:
            mask = jax.tree.map(taken.mask_of, inputs)
            if "mask" in self._takes:
                keywords.setdefault("mask", mask)
        with precision(self.compute_dtype if self.autocast and self.dtype_policy.is_mixed else None):
            try:
                outputs = self.call(self._cast(inputs), *arguments, **keywords)
            except MISTAKES as error:
                raise_named(error, self.name, inputs)
        if taken.outputs is not None:
            outputs = taken.passed_on(self, outputs)
        if self.activity_regularizer is not None:
            for output in jax.tree.leaves(outputs):
                wide = output.astype(dtypes.widened(output.dtype))
                self.add_loss(self.activity_regularizer(wide) / output.shape[0])
        if taken.masks or type(self).compute_mask is not Layer.compute_mask:
            taken.set_mask(outputs, self.compute_mask(inputs, mask))
        return outputs

    def _cast(self, inputs: Any) -> Any:
        """The inputs with real numbers in the type the layer computes in."""
        if not self.autocast:
            return inputs
        wanted = self.compute_dtype

        def cast(array: Any) -> Any:
            is_other = is_float(array.dtype) and array.dtype != wanted and is_float(wanted)
            return array.astype(wanted) if is_other else array

        return cast(inputs) if isinstance(inputs, jax.Array) else jax.tree.map(cast, inputs)

    def _as_arrays(self, inputs: Any) -> Any:
        """Each input as an array; lists of plain numbers are one input."""
        if isinstance(inputs, (list, tuple)) and not any(np.ndim(leaf) for leaf in jax.tree.leaves(inputs)):
            inputs = np.asarray(inputs)
        try:
            return jax.tree.map(_as_array, inputs)
        except MISTAKES as error:
            raise_named(error, self.name, inputs)

    def _promise(self, inputs: Any, *arguments: Any, **keywords: Any) -> Any:
        """The promise of the output for symbolic inputs, noted as a node of the network."""
        if keywords["training"] is None:
            del keywords["training"]
        called_with = (inputs, *arguments)
        if not self.built:
            _build_for(self, inputs, arguments, keywords)
        knows_shape = type(self).compute_output_shape is not Layer.compute_output_shape
        if knows_shape and not symbolic_leaves((arguments, keywords)):
            shapes = self.compute_output_shape(_shapes(inputs))
            dtype = self.output_dtype(symbolic_leaves(inputs)[0].dtype)
            outputs = _map_shapes(lambda shape: SymbolicTensor(shape, dtype, self.name), shapes)
        else:
            outputs = promised(self._traced, called_with, keywords, self.name)
        if not symbolic_leaves(outputs):
            raise nothing_returned(f"layer '{self.name}'")
        Node(self, called_with, keywords, outputs)
        return outputs

    def _traced(self, *arguments: Any, **keywords: Any) -> Any:
        """A call that leaves weights and seeds as they were; for its shape alone."""
        variables = self.weights
        lent = lend(variables, [v.stand_in() for v in variables])
        with lent, random.key_scope(random.words(0), 0), notes.taken(), unchanged():
            return self(*arguments, **keywords)

    def ensure_built(self, input_shape: Any) -> None:
        """Build, unless that has been done."""
        if self.built:
            return
        self._pass_seed_on()
        is_several = self._is_for_several(input_shape)
        with self._being_built():
            self.build(**input_shape) if is_several else self.build(input_shape)
        self._pass_seed_on()
        self.built, self.built_for = True, input_shape

    def traced_output_shape(self, input_shape: Any) -> Any:
        """The output's shape as a call gives it; the layers inside are built by that call."""
        self.ensure_built(input_shape)
        dtype = self.compute_dtype if is_float(self.compute_dtype) else config.floatx()
        inputs = _map_shapes(lambda shape: SymbolicTensor(shape, dtype), input_shape)
        outputs = promised(self._traced, (inputs,), {}, self.name)
        return jax.tree.map(lambda tensor: tensor.shape, outputs)

    # What training adds.

    def add_loss(self, loss: Any, inputs: Any = None) -> None:
        """Add a number to the loss of this call, for use inside `call`; `inputs` changes nothing."""
        taken = notes.current()
        losses = self._losses if taken is None else taken.losses
        losses.extend(loss if isinstance(loss, (list, tuple)) else [loss])
        if symbolic_leaves(losses):
            losses.clear()
            raise _symbolic_loss(self)

    def add_metric(self, value: Any, name: str | None = None, aggregation: str | None = "mean") -> None:
        """Follow the mean of a number of this call under a name; for use inside `call`."""
        taken = notes.current()
        if taken is not None and not any(value is one for one in taken.results):
            taken.metrics[name or self.name] = jnp.mean(value)

    @property
    def losses(self) -> list[Any]:
        """What the last call added to the loss, and what the size of the weights costs."""
        sizes = [v.regularizer(v.read()) for v in self.trainable_weights if v.regularizer is not None]
        return [*self._losses, *sizes]

    # Its place in a network.

    @property
    def input(self) -> Any:
        """The symbolic input of the first call on symbolic tensors."""
        return self._first_node("input").arguments[0]

    @property
    def output(self) -> Any:
        """The symbolic output of the first call on symbolic tensors."""
        return self._first_node("output").outputs

    def _first_node(self, wanted: str) -> Node:
        if not self.nodes:
            raise MissingAttributeError(
                f"layer '{self.name}'",
                expected=f"to have been called before its {wanted} is asked for",
                got="a layer that was never part of a network",
                fix="Call it on an Input, or put it into a model that knows the shape of its input.",
            )
        return self.nodes[0]

    def __getstate__(self) -> dict[str, Any]:
        # The nodes lead to every network the layer is part of; a network brings its own.
        return {**vars(self), "nodes": [], "_losses": []}

    def __getattr__(self, name: str) -> Any:
        found = inspect.getattr_static(type(self), name, None)
        if isinstance(found, property):  # It raised an AttributeError of its own: that one is meant.
            return found.__get__(self)
        return _old_attribute(self, name)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={printable(self.name)}, built={self.built}>"


def _without_call(layer: Layer) -> NotSupportedError:
    return NotSupportedError(
        f"layer '{layer.name}'",
        expected="a method call(self, inputs)",
        got=f"none in class {type(layer).__name__}",
        fix="Define call(self, inputs) in your layer; it returns the output.",
    )


def _symbolic_loss(layer: Layer) -> NotSupportedError:
    return NotSupportedError(
        f"{layer.name}.add_loss",
        expected="a number that was computed inside a layer's call",
        got="a symbolic tensor",
        fix="Write a layer whose call(self, inputs) says self.add_loss(...), and put it in.",
    )


def nothing_returned(what: str) -> NotSupportedError:
    """The error for a `call` that gives no array."""
    return NotSupportedError(
        what,
        expected="call(self, inputs) to return an array, or several",
        got="None",
        fix="Let call end with: return outputs.",
    )


def _marking(build: Callable[..., None]) -> Callable[..., None]:
    """`build` that notes that it was called: layers often build those inside them by hand."""

    @functools.wraps(build)
    def build_once(self: Layer, *arguments: Any, **keywords: Any) -> None:
        with self._being_built():
            build(self, *arguments, **keywords)
        named = {**dict(zip(self._wants_shapes, arguments, strict=False)), **keywords}
        self.built, self.built_for = True, named or (*arguments, *keywords.values(), None)[0]

    return build_once


def _several_shapes(cls: type[Layer]) -> tuple[str, ...]:
    """The arguments of `build` that name the shapes of several arguments of `call`."""
    wanted = tuple(inspect.signature(cls.build).parameters)[1:]
    is_named = all(name.removesuffix("_shape") in cls._takes and name.endswith("_shape") for name in wanted)
    return wanted if len(wanted) > 1 and is_named else ()


def _build_for(layer: Layer, inputs: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> None:
    try:
        layer.ensure_built(_shapes_of_call(layer, inputs, arguments, keywords))
    except MISTAKES as error:
        raise_named(error, layer.name, inputs)


def _shapes_of_call(layer: Layer, inputs: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    """The shape of the input, or of every argument that `build` names."""
    if not layer._wants_shapes:
        return _shapes(inputs)
    given: dict[str, Any] = {**dict(zip(layer._takes[1:], (inputs, *arguments), strict=False)), **keywords}
    arrays = {f"{name}_shape": value for name, value in given.items() if _are_arrays(value)}
    return {name: _shapes(arrays[name]) for name in layer._wants_shapes if name in arrays}


def _are_arrays(value: Any) -> bool:
    leaves = jax.tree.leaves(value)
    return bool(leaves) and all(hasattr(leaf, "shape") for leaf in leaves)


def _batch_input_shape(keywords: dict[str, Any]) -> tuple[int | None, ...] | None:
    """The input's shape with the batch in front, from any of the four ways to say it."""
    for whole in ("batch_input_shape", "batch_shape"):
        if keywords.get(whole) is not None:
            return as_shape(keywords[whole])
    for row in ("input_shape", "input_dim"):
        if keywords.get(row) is not None:
            return (None, *as_shape(keywords[row]))
    return None


def _as_array(value: Any) -> Any:
    if isinstance(value, Variable):
        return value.read()
    # What answers calls itself stays what it is.
    return value if isinstance(value, jax.Array) or hasattr(value, "record_call") else jnp.asarray(value)


def _shapes(inputs: Any) -> Any:
    """The shape of an array, or the nested shapes of several."""
    return tuple(inputs.shape) if hasattr(inputs, "shape") else jax.tree.map(lambda a: tuple(a.shape), inputs)


def _map_shapes(function: Callable[[tuple[int | None, ...]], Any], shapes: Any) -> Any:
    """The nested shapes with each one replaced; a shape is a tuple of lengths."""
    if isinstance(shapes, dict):
        return {key: _map_shapes(function, shape) for key, shape in shapes.items()}
    if isinstance(shapes, (list, tuple)) and any(isinstance(one, (list, tuple, dict)) for one in shapes):
        return type(shapes)(_map_shapes(function, shape) for shape in shapes)
    return function(as_shape(shapes))


def _arguments_in(cls: type[Layer], config: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a configuration has for the constructor, and what is set afterwards."""
    takes = inspect.signature(cls).parameters
    passes_on = any(one.kind is one.VAR_KEYWORD for one in takes.values())
    known = {*takes, *cls._aspects(), *(_COMMON_KEYWORDS if passes_on else ())}
    # Not every class of a user's hands the name on; it is theirs all the same.
    apart: dict[str, Any] = {
        key: config[key] for key in ("name", "trainable") if key in config and key not in known
    }
    given = {
        key: value
        for key, value in config.items()
        # Keras writes None or False for features that are not used.
        if key in known or not (key in _COMMON_KEYWORDS or value in (None, False))
    }
    return given, apart


def made_with(layer: Layer) -> dict[str, Any]:
    """What the constructor was called with, if it is plain enough to be written down."""
    made = layer._made_with
    given = inspect.signature(type(layer)).bind_partial(*made.arguments, **made.keywords)
    values = dict(given.arguments)
    for parameter in given.signature.parameters.values():
        if parameter.kind is parameter.VAR_KEYWORD:
            values |= values.pop(parameter.name, {})
    plain = (bool, int, float, str, type(None), list, tuple, dict)
    values = {key: value for key, value in values.items() if key not in _COMMON_KEYWORDS}
    if not all(isinstance(value, plain) for value in values.values()):
        raise NotSupportedError(
            f"layer '{layer.name}'",
            expected=f"a method get_config(self) in class {type(layer).__name__}",
            got=f"none, and arguments that cannot be written down: {values}",
            fix="Return {**super().get_config(), ...} with each argument of __init__.",
        )
    return values


def _old_attribute(layer: Layer, name: str) -> Any:
    """What the layer has under another name today; an error where there is nothing."""
    is_there, found = old_attribute(layer, name) if "_own_weights" in vars(layer) else (False, None)
    if not is_there:
        raise _no_attribute(layer, name)
    return found


def _no_attribute(layer: Layer, name: str) -> MissingAttributeError:
    known = vars(layer)
    kind = "model" if hasattr(type(layer), "fit") else "layer"
    shown = f"{kind} '{known['name']}'" if "name" in known else f"class {type(layer).__name__}"
    if "_own_weights" not in known:
        return MissingAttributeError(
            shown,
            expected="its __init__ to call super().__init__() first",
            got=f"one that asks for '{name}' before that",
            fix="Begin your __init__ with: super().__init__(**kwargs).",
        )
    public = [each for each in (*dir(type(layer)), *known) if not each.startswith("_")]
    lack, guess = planned.lack_of(f"Model.{name}"), None if name.startswith("_") else closest(name, public)
    fix = f"Did you mean '{guess}'?" if guess else f"See help({type(layer).__name__})."
    if name in layer.initial and not known.get("built"):
        fix = "Its weights are made when it is first called, or by build(input_shape)."
    got, fix = (f"'{name}', which is {lack.fate}", lack.why) if lack else (f"'{name}'", fix)
    if name in old_names.GONE["Model"]:
        got, fix = f"'{name}', which was one long ago", old_names.GONE["Model"][name]
    return MissingAttributeError(shown, expected="an attribute it has", got=got, fix=fix)
