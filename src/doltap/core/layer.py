"""A layer builds its weights once, for the first shape it sees, then only calls.

A layer owns its weights and finds the layers inside it; it knows nothing of
models, losses or training.
"""

from __future__ import annotations

import functools
import inspect
import math
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np

from doltap import config, dtypes, initializers, random
from doltap.core.tensors import Rate, SymbolicTensor, Variable, lend
from doltap.errors import NotSupportedError, ShapeError
from doltap.registry import Configured, check_arguments, snake_case

__all__ = ["Layer", "as_shape"]

_calls = threading.local()

Kind = TypeVar("Kind")

_SHAPE_KEYWORDS = ("input_shape", "input_dim", "batch_input_shape", "batch_shape")


def as_shape(shape: Any) -> tuple[int | None, ...]:
    """A shape as a tuple; a bare number is one dimension.

    >>> as_shape(784), as_shape([28, 28])
    ((784,), (28, 28))
    """
    sizes = (shape,) if shape is None or np.ndim(shape) == 0 else tuple(shape)
    return tuple(None if size is None else int(size) for size in sizes)


class Layer(Configured):
    """One stone of the tower: weights, and what to do with an input.

    Make your own by overriding `build(input_shape)`, where `add_weight` makes
    the weights, and `call(inputs)`; add `training=False` to `call` when the
    layer behaves differently in training.

    Args:
        trainable: whether an optimizer may move the weights.
        dtype: type of the weights and of the computation; None means `floatx()`.
        name: how summaries and errors call the layer; made up when None.
        input_shape: shape of one row, when this is the first layer of a model.
            `input_dim=n` and `batch_input_shape=` say the same in older words.
    """

    # A layer that mixes the rows of a batch, as batch normalization does, says so.
    rows_are_independent = True
    # The attributes that decide what it computes; None means all of them.
    deciding: tuple[str, ...] | None = None
    _takes_training = False

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        cls._takes_training = "training" in inspect.signature(cls.call).parameters
        if "build" in vars(cls) and cls.ensure_built is Layer.ensure_built:
            cls.build = _marking(cls.build)  # type: ignore[method-assign]

    def __init__(
        self, *, trainable: bool = True, dtype: Any = None, name: str | None = None, **input_keywords: Any
    ) -> None:
        if input_keywords:
            known = [
                *inspect.signature(type(self)).parameters,
                "trainable",
                "dtype",
                "name",
                *_SHAPE_KEYWORDS,
            ]
            check_arguments(type(self).__name__, input_keywords, known)
        self.name = config.next_name(snake_case(type(self).__name__)) if name is None else str(name)
        self.dtype = dtypes.standardize(dtype)
        self.built = False
        self._trainable = bool(trainable)
        self._seed: int | None = None
        self._own_weights: list[Variable] = []
        self._batch_input_shape = _batch_input_shape(input_keywords)

    # What subclasses override.

    def build(self, input_shape: Any) -> None:
        """Make the weights for inputs of this shape; the first length is None or the batch."""

    def call(self, inputs: Any) -> Any:
        """What the layer does to its input."""
        raise NotSupportedError(
            f"layer '{self.name}'",
            expected="a method call(self, inputs)",
            got=f"none in class {type(self).__name__}",
            fix="Define call(self, inputs) in your layer; it returns the output.",
        )

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """The shape of the output, None where it depends on the batch."""
        return self.traced_output_shape(as_shape(input_shape))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        return {"name": self.name, "trainable": self._trainable, "dtype": self.dtype}

    # Calling.

    def __call__(self, inputs: Any, *arguments: Any, training: bool | None = None, **keywords: Any) -> Any:
        """The output for an input; `training` is passed on to the layers inside."""
        if isinstance(inputs, SymbolicTensor):
            raise NotSupportedError(
                f"layer '{self.name}'",
                expected="arrays",
                got="a symbolic input",
                fix="The functional way of building is not there yet; use Sequential([...]).",
            )
        if not isinstance(inputs, jax.Array):
            inputs = _as_arrays(inputs)
        if not self.built:
            self.ensure_built(_shapes(inputs))
        outer = getattr(_calls, "training", False)
        _calls.training = outer if training is None else bool(training)
        try:
            if self._takes_training:
                keywords["training"] = _calls.training
            return self.call(inputs, *arguments, **keywords)
        finally:
            _calls.training = outer

    def ensure_built(self, input_shape: Any) -> None:
        """Build, unless that has been done."""
        if self.built:
            return
        self._pass_seed_on()
        self.build(input_shape)
        self._pass_seed_on()
        self.built = True

    # Weights.

    def add_weight(
        self,
        shape: Any = None,
        initializer: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        *,
        name: str | None = None,
    ) -> Variable:
        """A new weight of this layer.

        Args:
            shape: lengths of its dimensions; None or () for a single number.
            initializer: name, object or function; None means Glorot's uniform
                for floats and zeros for the rest, as Keras.
            dtype: type; None takes the layer's.
            trainable: False for a state that `call` assigns, such as an average.
            name: what summaries call it.
        """
        if isinstance(shape, str):  # Keras 2 had the name first.
            shape, name = initializer, shape
            initializer = None
        dtype = self.dtype if dtype is None else dtypes.standardize(dtype)
        if initializer is None:
            initializer = "glorot_uniform" if dtypes.is_float(dtype) else "zeros"
        if self._seed is None:
            self._seed = random.draw_seed()
        seed = random.mix(self._seed, len(self._own_weights))
        sizes = tuple(int(size or 0) for size in as_shape(() if shape is None else shape))
        values = initializers.sample(initializers.get(initializer), sizes, dtype, seed)
        weight = Variable(values, dtype=dtype, trainable=trainable, name=name or "weight")
        self._own_weights.append(weight)
        return weight

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

    def children(self) -> list[Layer]:
        """The layers directly inside this one, in the order they were attached."""
        found = {id(layer): layer for value in vars(self).values() for layer in _find(value, Layer)}
        return list(found.values())

    def inside(self, kind: type[Kind]) -> list[Kind]:
        """Every object of a kind, such as `Rate`, that hangs on this layer or on one inside it."""
        mine = [thing for value in vars(self).values() for thing in _find(value, kind)]
        return mine + [thing for layer in self.children() for thing in layer.inside(kind)]

    def _own(self) -> list[Variable]:
        """The weights made by `add_weight`, then those that only hang on the layer."""
        found = [v for value in vars(self).values() for v in _find(value, Variable)]
        attached = [v for v in found if not isinstance(v, Rate)]
        return list({id(v): v for v in (*self._own_weights, *attached)}.values())

    def variables_by_role(self) -> tuple[list[Variable], list[Variable]]:
        """The weights that training moves, and those it does not, each once."""
        mine = self._own()
        moving = [v for v in mine if v.trainable and self._trainable]
        fixed = [v for v in mine if not (v.trainable and self._trainable)]
        for layer in self.children():
            more_moving, more_fixed = layer.variables_by_role()
            moving += more_moving if self._trainable else []
            fixed += more_fixed if self._trainable else more_moving + more_fixed
        unique = {id(v): v for v in moving}
        return list(unique.values()), list({id(v): v for v in fixed if id(v) not in unique}.values())

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

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The weights that training leaves alone."""
        return self.variables_by_role()[1]

    @property
    def weights(self) -> list[Variable]:
        """All weights in Keras's order: a layer's own, then those of the layers inside."""
        mine = sorted(self._own(), key=lambda weight: not weight.trainable)
        inside = [weight for layer in self.children() for weight in layer.weights]
        return list({id(v): v for v in (*mine, *inside)}.values())

    variables = weights
    trainable_variables = trainable_weights
    non_trainable_variables = non_trainable_weights

    def get_weights(self) -> list[np.ndarray]:
        """Copies of all weights as NumPy arrays."""
        return [weight.numpy() for weight in self.weights]

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
        for weight, array in zip(mine, weights, strict=True):
            weight.assign(array)

    def count_params(self) -> int:
        """How many numbers the weights hold."""
        return sum(math.prod(weight.shape) for weight in self.weights)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"

    def traced_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The output's shape as a call gives it; the layers inside are built by that call."""
        # Two different batch lengths show which dimensions depend on the batch.
        self.ensure_built(input_shape)
        shapes = [self._shape_for(input_shape, stand_in) for stand_in in (3, 5)]
        return tuple(a if a == b else None for a, b in zip(*shapes, strict=True))

    def _shape_for(self, input_shape: tuple[int | None, ...], stand_in: int) -> tuple[int, ...]:
        sizes = tuple(stand_in if size is None else size for size in input_shape)
        variables = self.weights

        def trace(arrays: list[Any], inputs: Any) -> Any:
            with lend(variables, arrays), random.key_scope(random.words(0), 0):
                return self(inputs)

        arrays = [jax.ShapeDtypeStruct(v.shape, v.dtype) for v in variables]
        output = jax.eval_shape(trace, arrays, jax.ShapeDtypeStruct(sizes, self.dtype))
        if not hasattr(output, "shape"):
            raise NotSupportedError(
                f"layer '{self.name}'",
                expected="call(self, inputs) to return one array",
                got=type(output).__name__,
                fix="Let call end with: return outputs.",
            )
        return tuple(output.shape)


def _marking(build: Callable[..., None]) -> Callable[..., None]:
    """`build` that notes that it was called: layers often build those inside them by hand."""

    @functools.wraps(build)
    def build_once(self: Layer, *arguments: Any, **keywords: Any) -> None:
        build(self, *arguments, **keywords)
        self.built = True

    return build_once


def _batch_input_shape(keywords: dict[str, Any]) -> tuple[int | None, ...] | None:
    """The input's shape with the batch in front, from any of the four ways to say it."""
    for whole in ("batch_input_shape", "batch_shape"):
        if keywords.get(whole) is not None:
            return as_shape(keywords[whole])
    for row in ("input_shape", "input_dim"):
        if keywords.get(row) is not None:
            return (None, *as_shape(keywords[row]))
    return None


def _find(value: Any, kind: type) -> Iterator[Any]:
    """The objects of a kind in a value, its lists, tuples and dicts."""
    if isinstance(value, kind):
        yield value
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _find(item, kind)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _find(item, kind)


def _as_arrays(inputs: Any) -> Any:
    """Each input as an array; lists of plain numbers are one input."""
    if isinstance(inputs, (list, tuple)) and not any(np.ndim(leaf) for leaf in jax.tree.leaves(inputs)):
        return jnp.asarray(inputs)
    return jax.tree.map(_as_array, inputs)


def _as_array(value: Any) -> Any:
    if isinstance(value, Variable):
        return value.read()
    return value if isinstance(value, jax.Array) else jnp.asarray(value)


def _shapes(inputs: Any) -> Any:
    """The shape of an array, or the nested shapes of several."""
    return tuple(inputs.shape) if hasattr(inputs, "shape") else jax.tree.map(lambda a: tuple(a.shape), inputs)
