"""Variables, random numbers, phases and functions, in Keras 2's words."""

from __future__ import annotations

import builtins
import contextlib
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import numpy as np

from doltap import config, models, ops, random
from doltap.compat.keras_backend.results import eager
from doltap.compat.sessions import Session
from doltap.core.graph import is_keras_tensor
from doltap.core.layer import Layer
from doltap.core.tensors import Variable
from doltap.errors import DataError, NotSupportedError, UnknownNameError
from doltap.layers import Input

__all__ = [
    "batch_get_value",
    "batch_set_value",
    "constant",
    "count_params",
    "eval",
    "eye",
    "foldl",
    "foldr",
    "function",
    "get_session",
    "get_uid",
    "get_value",
    "gradients",
    "image_dim_ordering",
    "in_test_phase",
    "in_train_phase",
    "is_placeholder",
    "is_variable",
    "learning_phase",
    "learning_phase_scope",
    "manual_variable_initialization",
    "map_fn",
    "moving_average_update",
    "name_scope",
    "ones",
    "placeholder",
    "print_tensor",
    "random_bernoulli",
    "random_binomial",
    "random_normal",
    "random_normal_variable",
    "random_uniform",
    "random_uniform_variable",
    "reset_uids",
    "set_image_dim_ordering",
    "set_learning_phase",
    "set_session",
    "set_value",
    "truncated_normal",
    "update",
    "update_add",
    "update_sub",
    "variable",
    "zeros",
]

# The phase that a program chose, and how many names it took.
_chosen: dict[str, Any] = {"phase": None, "uids": {}}


# Variables and constants.


def variable(value: Any, dtype: Any = None, name: str | None = None, constraint: Any = None) -> Variable:
    """A variable of that value.

    >>> get_value(variable([1.0, 2.0]))
    array([1., 2.], dtype=float32)
    """
    made = Variable(np.asarray(value), dtype=dtype or config.floatx(), name=name)
    made.constraint = constraint
    return made


@eager
def constant(value: Any, dtype: Any = None, shape: Any = None, name: str | None = None) -> Any:
    """A tensor of that value, repeated to fill the shape where one is given."""
    made = ops.convert_to_tensor(value, dtype=dtype or config.floatx())
    if shape is None:
        return made
    is_one = count_params(made) == 1
    return (
        ops.broadcast_to(ops.reshape(made, ()), tuple(shape)) if is_one else ops.reshape(made, tuple(shape))
    )


def zeros(shape: Any, dtype: Any = None, name: str | None = None) -> Variable:
    """A variable of zeros."""
    return variable(np.zeros(tuple(shape)), dtype, name)


def ones(shape: Any, dtype: Any = None, name: str | None = None) -> Variable:
    """A variable of ones."""
    return variable(np.ones(tuple(shape)), dtype, name)


def eye(size: int, dtype: Any = None, name: str | None = None) -> Variable:
    """A variable with ones on the diagonal, and zeros elsewhere."""
    return variable(np.eye(size), dtype, name)


def random_normal_variable(
    shape: Any, mean: float, scale: float, dtype: Any = None, name: str | None = None, seed: int | None = None
) -> Variable:
    """A variable of numbers drawn from a normal distribution."""
    return variable(random.normal(tuple(shape), mean, scale, seed=seed), dtype, name)


def random_uniform_variable(
    shape: Any, low: float, high: float, dtype: Any = None, name: str | None = None, seed: int | None = None
) -> Variable:
    """A variable of numbers drawn evenly from a range."""
    return variable(random.uniform(tuple(shape), low, high, seed=seed), dtype, name)


def placeholder(
    shape: Any = None,
    ndim: int | None = None,
    dtype: Any = None,
    sparse: bool = False,
    name: str | None = None,
) -> Any:
    """A symbolic tensor for `function` and models to begin with; its first dimension is the batch."""
    lengths = tuple(shape) if shape is not None else (None,) * int(ndim or 0)
    return Input(batch_shape=lengths, dtype=dtype or config.floatx(), name=name)


def is_variable(x: Any) -> bool:
    """Whether it is a variable."""
    return isinstance(x, Variable)


def is_placeholder(x: Any) -> bool:
    """Whether it is a symbolic tensor."""
    return bool(is_keras_tensor(x))


def count_params(x: Any) -> int:
    """How many numbers a variable holds."""
    return math.prod(length or 0 for length in ops.shape(x))


def eval(x: Any) -> Any:
    """The numbers of a tensor or variable, as NumPy has them."""
    return get_value(x)


def get_value(x: Any) -> Any:
    """The numbers of a tensor or variable, as NumPy has them."""
    return x.numpy() if hasattr(x, "numpy") else np.array(x)[()]


def set_value(x: Any, value: Any) -> None:
    """Give a variable a value: `K.set_value(model.optimizer.learning_rate, 0.001)`.

    Raises:
        DataError: it is no variable, such as the rate of an optimizer that follows a schedule.
    """
    if not hasattr(x, "assign"):
        raise DataError(
            "K.set_value",
            expected="a variable",
            got=f"a {type(x).__name__}",
            fix="The rate of an optimizer with a schedule follows it; make the optimizer with a number.",
        )
    x.assign(value)


def batch_get_value(tensors: Sequence[Any]) -> list[Any]:
    """The numbers of several variables."""
    return [get_value(tensor) for tensor in tensors]


def batch_set_value(tuples: Sequence[tuple[Any, Any]]) -> None:
    """Give several variables their values."""
    for x, value in tuples:
        set_value(x, value)


def update(x: Any, new_x: Any) -> Any:
    """Give the variable a new value."""
    return x.assign(new_x)


def update_add(x: Any, increment: Any) -> Any:
    """Add to the variable."""
    return x.assign_add(increment)


def update_sub(x: Any, decrement: Any) -> Any:
    """Subtract from the variable."""
    return x.assign_sub(decrement)


def moving_average_update(x: Any, value: Any, momentum: float) -> Any:
    """Move the variable towards the value: momentum of what it was, the rest of the value."""
    return x.assign_add(ops.multiply(ops.subtract(value, x), 1.0 - momentum))


# Random numbers.


@eager
def random_normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: int | None = None
) -> Any:
    """Numbers drawn from a normal distribution."""
    return random.normal(tuple(shape), mean, stddev, dtype=dtype, seed=seed)


@eager
def random_uniform(
    shape: Any, minval: float = 0.0, maxval: float = 1.0, dtype: Any = None, seed: int | None = None
) -> Any:
    """Numbers drawn evenly from a range."""
    return random.uniform(tuple(shape), minval, maxval, dtype=dtype, seed=seed)


@eager
def truncated_normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: int | None = None
) -> Any:
    """Numbers drawn from a normal distribution, none more than two deviations from the mean."""
    return random.truncated_normal(tuple(shape), mean, stddev, dtype=dtype, seed=seed)


@eager
def random_bernoulli(shape: Any, p: float = 0.0, dtype: Any = None, seed: int | None = None) -> Any:
    """Ones with probability `p`, and zeros."""
    drawn = random.uniform(tuple(shape), seed=seed)
    return ops.cast(ops.less(drawn, p), dtype or config.floatx())


random_binomial = random_bernoulli


# The phase: training or not.


class _Phase(Layer):
    """A layer that is told, as all are, whether the call that it is part of trains."""

    is_training = False

    def call(self, inputs: Any, training: bool = False) -> Any:
        self.is_training = training
        return inputs


def learning_phase() -> int:
    """1 while a model trains, 0 otherwise, unless `set_learning_phase` chose one.

    In the inputs of `function` it stands for the phase that is given with the call.
    """
    if _chosen["phase"] is not None:
        return int(_chosen["phase"])
    phase = _Phase(name="learning_phase")
    phase(np.zeros((1,), np.float32))
    return int(phase.is_training)


def set_learning_phase(value: Any) -> None:
    """Choose what `learning_phase` gives; models are told by `training=` in their calls."""
    if value not in (0, 1):
        raise UnknownNameError.of("learning phase", value, ("0", "1"))
    _chosen["phase"] = int(value)


@contextlib.contextmanager
def learning_phase_scope(value: Any) -> Iterator[None]:
    """Inside the `with`, `learning_phase` gives this value."""
    outer = _chosen["phase"]
    set_learning_phase(value)
    try:
        yield
    finally:
        _chosen["phase"] = outer


def in_train_phase(x: Any, alt: Any, training: Any = None) -> Any:
    """The one while a model trains, the other elsewhere; both may be functions.

    >>> in_train_phase(lambda: "noisy", "plain")
    'plain'
    """
    is_training = learning_phase() if training is None else training
    chosen = x if is_training else alt
    return chosen() if callable(chosen) else chosen


def in_test_phase(x: Any, alt: Any, training: Any = None) -> Any:
    """The other way round than `in_train_phase`."""
    return in_train_phase(alt, x, training)


# Functions.


def function(
    inputs: Any, outputs: Any, updates: Any = None, name: str | None = None, **keywords: Any
) -> Callable[[Any], Any]:
    """A function from arrays to arrays along a Functional model, from some of its tensors to others.

    Args:
        inputs: symbolic tensors, and `learning_phase()` among them for the phase.
        outputs: a symbolic tensor, or a list of them.
        updates: none may be given: variables are assigned by calls.
    """
    if updates:
        raise NotSupportedError(
            "K.function",
            expected="inputs and outputs alone",
            got="updates",
            fix="Assign the variables yourself: K.set_value(variable, value).",
        )
    asked = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
    is_tensor = [bool(is_keras_tensor(each)) for each in asked]
    wanted = list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]
    model = models.Model([each for each, is_one in zip(asked, is_tensor, strict=True) if is_one], wanted)

    def call(values: Any) -> Any:
        given = list(values) if isinstance(values, (list, tuple)) else [values]
        if len(given) < len(is_tensor):
            given += [learning_phase()] * (len(is_tensor) - len(given))
        arrays = [np.asarray(each) for each, is_one in zip(given, is_tensor, strict=True) if is_one]
        phases = [each for each, is_one in zip(given, is_tensor, strict=True) if not is_one]
        found = model(arrays, training=bool(phases and phases[0]))
        found = [np.asarray(each) for each in (found if isinstance(found, (list, tuple)) else [found])]
        return found if isinstance(outputs, (list, tuple)) else found[0]

    return call


def gradients(loss: Any, variables: Any) -> Any:
    """Not there: gradients belong to a tape, which hears what is computed.

    Raises:
        NotSupportedError: always.
    """
    raise NotSupportedError(
        "K.gradients",
        expected="a loss whose history is known",
        got="a tensor that no tape has heard",
        fix="with tf.GradientTape() as tape: loss = ...; then tape.gradient(loss, variables).",
    )


@eager
def map_fn(fn: Callable[[Any], Any], elems: Any, name: str | None = None, dtype: Any = None) -> Any:
    """What the function gives for each element along the first axis."""
    return ops.stack([fn(each) for each in _elements(elems)])


def foldl(fn: Callable[[Any, Any], Any], elems: Any, initializer: Any = None, name: str | None = None) -> Any:
    """The elements along the first axis joined from the first on: fn(fn(a, b), c).

    >>> int(foldl(lambda total, each: total + each, [1, 2, 3]))
    6
    """
    return _folded(fn, _elements(elems), initializer)


def foldr(fn: Callable[[Any, Any], Any], elems: Any, initializer: Any = None, name: str | None = None) -> Any:
    """The elements along the first axis joined from the last on."""
    return _folded(fn, _elements(elems)[::-1], initializer)


def _elements(elems: Any) -> list[Any]:
    if isinstance(elems, (list, tuple)):
        elems = ops.convert_to_tensor(elems)
    return [elems[number] for number in range(int(ops.shape(elems)[0] or 0))]


def _folded(fn: Callable[[Any, Any], Any], elements: list[Any], first: Any) -> Any:
    total, rest = (elements[0], elements[1:]) if first is None else (first, elements)
    for each in rest:
        total = fn(total, each)
    return total


def print_tensor(x: Any, message: str = "", summarize: int = 3) -> Any:
    """Print the numbers when they are there, and give the tensor back."""
    if isinstance(x, jax.core.Tracer):
        jax.debug.print("{message} {x}", message=message, x=x)
    else:
        builtins.print(message, x)
    return x


# What there is nothing to do for any more.


def get_session() -> Any:
    """What stands in the place of a session; it runs nothing, because nothing waits to be run."""
    return Session()


def set_session(session: Any) -> None:
    """Nothing: there is no session; what it was made with, JAX decides itself."""


def manual_variable_initialization(value: bool) -> None:
    """Nothing: variables have their values from the beginning."""


@contextlib.contextmanager
def name_scope(name: str) -> Iterator[None]:
    """Nothing: the names of layers tell their weights apart."""
    yield


def image_dim_ordering() -> str:
    """Where images have their channels, in Keras 1's word: always "tf", the last."""
    return "tf"


def set_image_dim_ordering(dim_ordering: str) -> None:
    """Nothing for "tf"; "th" is refused as `set_image_data_format("channels_first")` is."""
    words = {"tf": "channels_last", "th": "channels_first"}
    config.set_image_data_format(words.get(dim_ordering, dim_ordering))


def get_uid(prefix: str = "") -> int:
    """How often a number was asked for under this name: 1, 2, 3."""
    number: int = _chosen["uids"].get(prefix, 0) + 1
    _chosen["uids"][prefix] = number
    return number


def reset_uids() -> None:
    """Count anew."""
    _chosen["uids"].clear()
