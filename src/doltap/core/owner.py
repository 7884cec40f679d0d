"""What weights and layers hang on: a layer, a model.

An owner makes weights and finds those of the layers inside it; it computes
nothing.
"""

from __future__ import annotations

import contextlib
import functools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, ClassVar, TypeVar

import numpy as np

from doltap import constraints, dtypes, initializers, old_names, random, regularizers
from doltap.core import tensors
from doltap.core.tensors import Later, Rate, Variable
from doltap.dtypes import DTypePolicy
from doltap.errors import ModelFileError, NotSupportedError, ShapeError
from doltap.registry import Configured, explained

__all__ = ["ASPECTS", "Owner", "as_shape", "nested_shapes"]

Kind = TypeVar("Kind")

_PLAIN = frozenset({bool, int, float, str, type(None)})

# The arguments of Keras 2's `add_weight` by position.
_KERAS_2_ORDER = ("name", "shape", "dtype", "initializer", "regularizer", "trainable", "constraint")

# What may be said of each weight: where it starts, what its size costs, what bounds it.
ASPECTS: dict[str, Any] = {
    "initializer": initializers,
    "regularizer": regularizers,
    "constraint": constraints,
}


def as_shape(shape: Any) -> tuple[int | None, ...]:
    """A shape as a tuple; a bare number is one dimension.

    >>> as_shape(784), as_shape([28, 28])
    ((784,), (28, 28))
    """
    sizes = (shape,) if shape is None or np.ndim(shape) == 0 else tuple(shape)
    return tuple(None if size is None else int(size) for size in sizes)


def nested_shapes(shapes: Any) -> Any:
    """Shapes as a file has them, alone or in lists and dicts, with each shape a tuple.

    >>> nested_shapes([[None, 2], [None, 3]])
    [(None, 2), (None, 3)]
    """
    if isinstance(shapes, dict):
        return {key: nested_shapes(shape) for key, shape in shapes.items()}
    if isinstance(shapes, (list, tuple)) and any(isinstance(one, (list, tuple, dict)) for one in shapes):
        return [nested_shapes(shape) for shape in shapes]
    return as_shape(shapes)


def _name_first(add_weight: Any) -> Any:
    """Let `add_weight` take its arguments in Keras 2's order too, which begins with the name."""

    @functools.wraps(add_weight)
    def call(owner: Any, *arguments: Any, **keywords: Any) -> Any:
        if not (arguments and isinstance(arguments[0], str)):
            return add_weight(owner, *arguments, **keywords)
        named = dict(zip(_KERAS_2_ORDER, arguments, strict=False))
        old_names.note("argument", "add_weight(name, shape)", "add_weight(shape, name=name)")
        return add_weight(owner, **named, **keywords)

    return call


class Owner(Configured):
    """Something on which weights and layers hang, as attributes or in lists, tuples and dicts of them."""

    # The weights of a class by name, and the initializer each starts with.
    initial: ClassVar[dict[str, str]] = {}
    name: str
    # The shape of the input for which the weights were made, where that is known.
    built_for: Any = None
    # The arguments of `build`, where it wants the shapes of several.
    _wants_shapes: tuple[str, ...] = ()
    _policy: DTypePolicy
    _path: str | None = None
    # What Keras 1 and 2 took as `weights=`: the values of all of them.
    _first_values: Any = None
    # What is to be done once the weights of a model are made, where a checkpoint came before them.
    _awaited: Callable[[], None] | None = None
    # What the user says of the inputs; layers check theirs themselves.
    input_spec: Any = None

    def __init__(self, *, trainable: bool = True) -> None:
        self._trainable = bool(trainable)
        self._seed: int | None = None
        self._own_weights: list[Variable] = []

    @classmethod
    def _aspects(cls) -> dict[str, tuple[str, str]]:
        """The keywords for the weights in `initial`, each with the weight and the aspect."""
        return {f"{weight}_{aspect}": (weight, aspect) for weight in cls.initial for aspect in ASPECTS}

    def _take_aspects(self, keywords: dict[str, Any]) -> None:
        old_names.note_kept("layer", keywords)
        # Such a layer wanted to be run line by line; today it is compile that is told so.
        keywords.pop("dynamic", None)
        if "weights" in keywords:
            self._first_values = keywords.pop("weights")
        for keyword, (weight, aspect) in self._aspects().items():
            usual = self.initial[weight] if aspect == "initializer" else None
            setattr(self, keyword, ASPECTS[aspect].get(keywords.pop(keyword, usual)))

    @explained
    @_name_first
    def add_weight(
        self,
        shape: Any = None,
        initializer: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        aggregation: Any = None,
        overwrite_with_gradient: bool = False,
        name: str | None = None,
    ) -> Variable:
        """A new weight of this layer.

        Args:
            shape: lengths of its dimensions; None or () for a single number.
            initializer: name, object or function; None means what `initial` says,
                else Glorot's uniform for floats and zeros for the rest, as Keras.
            dtype: type; None takes the layer's.
            trainable: False for a state that `call` assigns, such as an average.
            regularizer: what its size adds to the loss.
            constraint: what brings it back into bounds after each step.
            name: what summaries call it.
        """
        aspects = {"initializer": initializer, "regularizer": regularizer, "constraint": constraint}
        if name in self.initial:
            aspects = {key: value or getattr(self, f"{name}_{key}") for key, value in aspects.items()}
        dtype = self.dtype if dtype is None else dtypes.standardize(dtype)
        if aspects["initializer"] is None:
            aspects["initializer"] = "glorot_uniform" if dtypes.is_float(dtype) else "zeros"
        if self._seed is None:
            self._seed = random.draw_seed()
        seed = random.mix(self._seed, len(self._own_weights))
        sizes = tuple(int(size or 0) for size in as_shape(() if shape is None else shape))
        sample = functools.partial(
            initializers.sample, initializers.get(aspects["initializer"]), sizes, dtype, seed
        )
        try:
            values = sample() if tensors.room() is None else self._promised(sizes, dtype, sample, name)
        except MemoryError as error:
            raise self._too_large(name, sizes) from error
        with tensors.inside(self):
            weight = Variable(values, None, dtype, trainable, autocast, name=name)
        weight.regularizer = regularizers.get(aspects["regularizer"])
        weight.constraint = constraints.get(aspects["constraint"])
        self._own_weights.append(weight)
        return weight

    def _promised(
        self, shape: tuple[int, ...], dtype: Any, sample: Callable[[], Any], name: str | None
    ) -> Any:
        """What stands for the values of a weight that a file is about to bring; the values where none is."""
        room = tensors.room()
        assert room is not None
        is_usual = type(self).save_own_variables is Owner.save_own_variables
        if is_usual and not room.take(shape):
            raise ModelFileError(
                f"layer '{self.name}'",
                expected=f"weights that the file holds, which are {room.numbers} numbers in all"
                if room.has_values
                else f"at most {room.numbers} numbers in all",
                got=f"'{name or 'weight'}' of shape {shape} in its configuration",
                fix="The file is damaged, or was made to mislead."
                if room.has_values
                else "A text alone may not ask for more; build the model in Python.",
            )
        return Later(shape, dtype, sample) if room.has_values else sample()

    def _too_large(self, name: str | None, shape: tuple[int, ...]) -> ShapeError:
        return ShapeError(
            f"layer '{self.name}'",
            expected="weights that fit into memory",
            got=f"'{name or 'weight'}' of shape {shape}",
            fix="Make the layer smaller.",
        )

    # What files hold of it.

    def get_build_config(self) -> dict[str, Any] | None:
        """What `build_from_config` needs to make the weights; None where they are not made."""
        shapes = self.built_for
        if self._is_for_several(shapes):
            return (
                {"input_shape": next(iter(shapes.values()))} if len(shapes) == 1 else {"shapes_dict": shapes}
            )
        return None if shapes is None else {"input_shape": shapes}

    def _is_for_several(self, shapes: Any) -> bool:
        """Whether these are the shapes of several arguments by name, as `build` wants them."""
        return (
            bool(self._wants_shapes) and isinstance(shapes, dict) and shapes.keys() <= {*self._wants_shapes}
        )

    def build_from_config(self: Any, config: dict[str, Any]) -> None:
        """Make the weights as `get_build_config` says."""
        if config.get("input_shape") is not None:
            self.ensure_built(nested_shapes(config["input_shape"]))
        elif config.get("shapes_dict") and not self.built:
            self.build(**nested_shapes(config["shapes_dict"]))

    def beside_config(self) -> dict[str, Any]:
        """What files say of it beside its configuration."""
        built_with = self.get_build_config()
        return {} if built_with is None else {"build_config": built_with}

    def take_beside(self, written: dict[str, Any]) -> None:
        """Take up what `beside_config` said, where the configuration alone is not enough."""
        built_with = written.get("build_config")
        is_own = type(self).build_from_config is not Owner.build_from_config
        if isinstance(built_with, dict) and is_own:
            self.build_from_config(built_with)

    def ensure_built(self, input_shape: Any) -> None:
        """Build, unless that has been done."""

    def own_weights(self) -> list[Variable]:
        """The weights of this layer without those of the layers inside, in the order of files."""
        # Where a weight stands does not change when it is frozen.
        return sorted(self._own(), key=lambda weight: not weight.made_trainable)

    def save_own_variables(self, store: Any) -> None:
        """Put this layer's own weights into a dict, as "0", "1" and so on, for a file.

        Override it together with `load_own_variables` to keep something else.
        """
        for number, weight in enumerate(self.own_weights()):
            store[str(number)] = weight

    def load_own_variables(self, store: Any) -> None:
        """Take up what `save_own_variables` put into a dict."""
        for number, weight in enumerate(self.own_weights()):
            weight.assign(store[str(number)])

    def take_seed(self, seed: int) -> None:
        """Receive the integer from which this layer and those inside draw."""
        self._seed = seed
        self._pass_seed_on()

    def _pass_seed_on(self) -> None:
        if self._seed is None:
            return
        for position, layer in enumerate(self.children()):
            if layer._seed is None:
                layer.take_seed(random.mix(self._seed, position, 1))

    def children(self) -> list[Any]:
        """The layers directly inside this one, in the order they were attached."""
        return list({id(layer): layer for layer in _find(vars(self).values(), Owner)}.values())

    def inside(self, kind: type[Kind]) -> list[Kind]:
        """Every object of a kind, such as `Rate`, that hangs on this layer or on one inside it, once."""
        children = self.children()
        found = {id(thing): thing for thing in (*_find(vars(self).values(), kind), *_find(children, kind))}
        for layer in children:
            found |= {id(thing): thing for thing in layer.inside(kind)}
        return list(found.values())

    def _own(self) -> list[Variable]:
        """The weights made by `add_weight`, then those that only hang on the layer."""
        attached = [v for v in _find(vars(self).values(), Variable) if not isinstance(v, Rate)]
        return list({id(v): v for v in (*self._own_weights, *attached)}.values())

    def variables_by_role(self) -> tuple[list[Variable], list[Variable]]:
        """The weights that training moves, and those it does not, each once."""
        mine = self.own_weights()
        moving = [v for v in mine if v.trainable and self._trainable]
        fixed = [v for v in mine if not (v.trainable and self._trainable)]
        for layer in self.children():
            more_moving, more_fixed = layer.variables_by_role()
            moving += more_moving if self._trainable else []
            fixed += more_fixed if self._trainable else more_moving + more_fixed
        unique = {id(v): v for v in moving}
        return list(unique.values()), list({id(v): v for v in fixed if id(v) not in unique}.values())

    @property
    def metrics_variables(self) -> list[Variable]:
        """The running totals of metrics; a layer has none."""
        return []

    @property
    def path(self) -> str | None:
        """Its name after those of the layers in which it was built; None before that."""
        return self._path or (self.name if getattr(self, "built", False) else None)

    @contextlib.contextmanager
    def _being_built(self) -> Iterator[None]:
        """Inside the `with`, what is made bears a path through this layer."""
        with tensors.inside(self):
            self._path = self._path or "/".join(owner.name for owner in tensors.makers())
            yield
        is_made = self._first_values is not None and self not in tensors.makers()
        if is_made:
            values, self._first_values = self._first_values, None
            self.set_weights(values)

    def _take_awaited(self: Any, make_weights: Callable[[], None]) -> None:
        """Do what waits for the weights as soon as they are made; where that fails it goes on waiting."""
        awaited, self._awaited = self._awaited, None
        try:
            make_weights()
            awaited()
        except Exception:
            self._awaited, self.built = awaited, False
            raise

    @property
    def dtype_policy(self) -> DTypePolicy:
        """In which type it computes, and in which it keeps its weights; set it before they are made."""
        return self._policy

    @dtype_policy.setter
    def dtype_policy(self, policy: Any) -> None:
        self._policy = dtypes.get(policy)

    @property
    def compute_dtype(self) -> str:
        """The type it computes in."""
        return self._policy.compute_dtype

    @property
    def variable_dtype(self) -> str:
        """The type in which weights are made."""
        return self._policy.variable_dtype

    @property
    def dtype(self) -> str:
        """The type in which weights are made, too: Keras has two names for it."""
        return self._policy.variable_dtype

    @property
    def trainable(self) -> bool:
        """Whether an optimizer may move the weights; setting it reaches the layers inside."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)
        for layer in self.children():
            layer.trainable = value

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that training moves."""
        return self.variables_by_role()[0]

    @trainable_weights.setter
    def trainable_weights(self, listed: Sequence[Variable]) -> None:
        # Keras 1 registered weights so; here they are registered where they are made or attached.
        self._check_known("trainable_weights", listed)
        chosen = {id(weight) for weight in listed}
        for weight in self.weights:
            weight.trainable = id(weight) in chosen

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The weights that training leaves alone."""
        return self.variables_by_role()[1]

    @non_trainable_weights.setter
    def non_trainable_weights(self, listed: Sequence[Variable]) -> None:
        self._check_known("non_trainable_weights", listed)
        for weight in listed:
            weight.trainable = False

    def _check_known(self, role: str, listed: Sequence[Any]) -> None:
        known = {id(weight) for weight in self.weights}
        strange = [weight for weight in listed if id(weight) not in known]
        if strange:
            name = getattr(strange[0], "name", None)
            raise NotSupportedError(
                f"{self.name}.{role}",
                expected="weights that the layer has already",
                got=f"the weight '{name}'" if name else f"a {type(strange[0]).__name__}",
                fix="Make it with self.add_weight(shape, name=...) and keep it as an attribute.",
            )

    @property
    def weights(self) -> list[Variable]:
        """All weights in Keras's order: a layer's own, then those of the layers inside."""
        mine = self.own_weights()
        inside = [weight for layer in self.children() for weight in layer.weights]
        return list({id(v): v for v in (*mine, *inside)}.values())

    variables = weights
    trainable_variables = trainable_weights
    non_trainable_variables = non_trainable_weights

    def get_weights(self) -> list[np.ndarray]:
        """Copies of all weights as NumPy arrays."""
        return [weight.numpy() for weight in self.weights]

    @explained
    def set_weights(self, weights: Sequence[Any]) -> None:
        """Give every weight a new value, in the order of `get_weights()`."""
        mine = self.weights
        shapes = [tuple(np.shape(array)) for array in weights]
        wanted = [weight.shape for weight in mine]
        if shapes != wanted:
            raise ShapeError(
                f"the weights given to '{self.name}'",
                expected=f"{len(wanted)} arrays of shapes {wanted}",
                got=f"{len(shapes)} of shapes {shapes}",
                fix="Build the model for the same input shape, then use the order of get_weights().",
            )
        tensors.assign_all(mine, weights)

    def count_params(self) -> int:
        """How many numbers the weights hold."""
        return sum(math.prod(weight.shape) for weight in self.weights)


def _find(values: Iterable[Any], kind: type[Kind]) -> list[Kind]:
    """The objects of a kind among these values, and in the lists, tuples and dicts among them."""
    found = list[Kind]()
    for value in values:
        # Most attributes are numbers and names, and every fit looks for several kinds.
        if type(value) in _PLAIN:
            continue
        if isinstance(value, kind):
            found.append(value)
        elif isinstance(value, (list, tuple)):
            found += _find(value, kind)
        elif isinstance(value, dict):
            found += _find(value.values(), kind)
    return found
