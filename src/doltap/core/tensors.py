"""A Variable is a named array that can be lent to a compiled program.

Between calls of a program the Variables hold the truth. Inside `lend`, and
only in that thread, reading or assigning one touches a borrowed array instead.
"""

from __future__ import annotations

import contextlib
import math
import operator
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from doltap import config, dtypes, initializers, random
from doltap.errors import DataError, ModelFileError, NotSupportedError, ShapeError, printable
from doltap.registry import explained

__all__ = ["Later", "Rate", "Variable", "assign_all", "is_forgetting", "is_lent", "lend", "naming", "place"]
__all__ += ["precision", "unchanged", "unfilled"]

_loans = threading.local()

# A program on the CPU is run by the thread that calls it: handing it to another
# one costs more than a small program takes. It has to be said before the first
# array is made; the user's own setting wins.
if "JAX_CPU_ENABLE_ASYNC_DISPATCH" not in os.environ:
    jax.config.update("jax_cpu_enable_async_dispatch", False)


def place(array: Any) -> jax.Array:
    """A copy of the array on the device, in a buffer that a program may reuse."""
    # JAX shares the memory of a NumPy array that happens to lie well, whatever may_alias says.
    host = array if isinstance(array, jax.Array) else np.array(array)
    # A layer may be built while its shape is traced; its weights are arrays all the same.
    with jax.ensure_compile_time_eval():
        return jax.device_put(host, may_alias=False)


@contextlib.contextmanager
def lend(variables: Sequence[Variable], arrays: Sequence[Any]) -> Iterator[dict[Variable, Any]]:
    """Inside the `with`, each variable reads as its array.

    Gives the dict of what is lent; an assignment inside replaces the entry, so
    the dict holds the new values when the `with` ends.
    """
    outer: dict[Variable, Any] | None = getattr(_loans, "current", None)
    loan = {**(outer or {}), **dict(zip(variables, arrays, strict=True))}
    _loans.current = loan
    try:
        yield loan
    finally:
        _loans.current = outer
        # What was assigned to a variable of an outer loan stays with that one.
        if outer is not None:
            outer.update((variable, loan[variable]) for variable in outer.keys() - set(variables))


def is_lent(variable: Variable | None = None) -> bool:
    """Whether a variable, or any at all, is lent in this thread."""
    loan = getattr(_loans, "current", None)
    return loan is not None and (variable is None or variable in loan)


def is_forgetting() -> bool:
    """Whether what is assigned in this thread is forgotten."""
    return getattr(_loans, "forgets", False)


@contextlib.contextmanager
def unchanged() -> Iterator[None]:
    """Inside the `with`, what is assigned to variables that are not lent is forgotten."""
    outer = getattr(_loans, "forgets", False)
    _loans.forgets = True
    try:
        yield
    finally:
        _loans.forgets = outer


@contextlib.contextmanager
def precision(dtype: str | None) -> Iterator[None]:
    """Inside the `with`, weights of real numbers read as this type; None reads them as they are."""
    outer = getattr(_loans, "precision", None)
    _loans.precision = dtype
    try:
        yield
    finally:
        _loans.precision = outer


class Later(NamedTuple):
    """What stands for the first value of a variable that a file is about to fill."""

    shape: tuple[int, ...]
    dtype: Any
    # Gives the value after all, should somebody read the variable before.
    make: Callable[[], Any]


# Numbers that need not be in a file, for what classes of the user's own compute again.
_SLACK = 1 << 16
# Numbers of metrics and the like, which no file holds.
_BESIDE = 1 << 24


class Room:
    """How many numbers may still be taken up while a model is made from a description.

    Args:
        numbers: how many the file holds, or how many a text alone may ask for.
        has_values: whether the file is about to bring the values of weights.
    """

    def __init__(self, numbers: int, *, has_values: bool) -> None:
        self.numbers, self.has_values = numbers, has_values
        # An optimizer remembers a few numbers for each weight.
        self.left, self.beside = numbers + _SLACK, _BESIDE + 5 * numbers

    def take(self, shape: Sequence[int]) -> bool:
        """Whether there is room for a weight of that shape, which is then taken."""
        self.left -= math.prod(shape)
        return self.left >= 0

    def take_beside(self, shape: Sequence[int], name: str) -> None:
        """As `take`, for what has values at once, such as the totals of a metric."""
        self.beside -= math.prod(shape)
        if self.beside < 0:
            raise ModelFileError(
                f"variable '{name}'",
                expected="totals of a size that a metric needs",
                got=f"one of shape {tuple(shape)} in its configuration",
                fix="It was made to mislead, or is damaged; load_model(path, compile=False) goes without.",
            )


@contextlib.contextmanager
def unfilled(numbers: int, *, has_values: bool = True) -> Iterator[None]:
    """Inside the `with`, weights are made without values, for a file that holds that many numbers.

    Args:
        has_values: False makes them with values, and so many at most.
    """
    outer = getattr(_loans, "room", None)
    _loans.room = Room(numbers, has_values=has_values)
    try:
        yield
    finally:
        _loans.room = outer


def room() -> Room | None:
    """What is left for weights that a file is about to fill; None where they get values at once."""
    return getattr(_loans, "room", None)


def makers() -> tuple[Any, ...]:
    """The layers that are being built or called, the outermost first."""
    return getattr(_loans, "makers", ())


@contextlib.contextmanager
def inside(owner: Any) -> Iterator[None]:
    """Inside the `with`, the paths of variables that are made lead through a layer."""
    outer, named = makers(), getattr(_loans, "named", None)
    # A build that calls the build of its base enters once.
    _loans.makers = outer if outer and outer[-1] is owner else (*outer, owner)
    try:
        with contextlib.nullcontext() if named is None else jax.named_scope(named(owner)):
            yield
    finally:
        _loans.makers = outer


@contextlib.contextmanager
def naming(named: Callable[[Any], str]) -> Iterator[None]:
    """Inside the `with`, what a traced program computes bears the name of the layer that computes it.

    Args:
        named: gives the name, for a layer.
    """
    outer = getattr(_loans, "named", None)
    _loans.named = named
    try:
        yield
    finally:
        _loans.named = outer


def _sampled(initializer: Any, shape: Any, dtype: Any, name: str) -> Any:
    """What an initializer gives for the shape."""
    if shape is None:
        raise ShapeError(
            f"variable '{name}'",
            expected="shape=, for an initializer to fill",
            got=f"none beside {printable(initializer)}",
            fix="Write Variable('ones', shape=(2, 3)).",
        )
    sizes = tuple(shape) if np.ndim(shape) else (shape,)
    seed = random.draw_seed()
    return initializers.sample(initializers.get(initializer), sizes, dtypes.standardize(dtype), seed)


class Variable:
    """A named array that training or Python code may change.

    Args:
        initializer: the first value, anything NumPy can read; or the name of an
            initializer, one itself, or a function of shape and type, which need `shape`.
        shape: lengths of its dimensions, where `initializer` makes the values.
        dtype: type of the array; None keeps floats at `floatx()` and others as they are.
        trainable: whether an optimizer may move it.
        autocast: whether it is read in the type that its layer computes in.
        aggregation, synchronization: as Keras; change nothing on one machine.
        name: what summaries and errors call it; made up when None.

    `regularizer` and `constraint` are functions of it, or None: what training
    adds to the loss, and what it does to the variable after each step.

    >>> v = Variable([1.0, 2.0], name="v")
    >>> v.assign_add([1.0, 1.0]).numpy().tolist()
    [2.0, 3.0]
    """

    # NumPy arrays on the left of an operator must leave it to Variable.
    __array_priority__ = 100

    @explained
    def __init__(
        self,
        initializer: Any,
        shape: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        aggregation: str | None = "none",
        synchronization: str | None = "auto",
        name: str | None = None,
    ) -> None:
        name = config.next_name("variable") if name is None else name
        if isinstance(initializer, str) or callable(initializer):
            initializer = _sampled(initializer, shape, dtype, name)
        array = initializer if isinstance(initializer, Later) else np.asarray(initializer)
        if dtype is None:
            dtype = dtypes.standardize(None if jnp.issubdtype(array.dtype, jnp.floating) else array.dtype)
        dtype = jax.dtypes.canonicalize_dtype(dtype)
        self.name = name
        # Its name after those of the layers in which it was made.
        self.path = "/".join([*(owner.name for owner in makers()), name])
        self.trainable = self.made_trainable = trainable
        self.array: jax.Array
        room: Room | None = getattr(_loans, "room", None)
        if isinstance(array, Later):
            self._make = array.make
        else:
            if room is not None:
                room.take_beside(array.shape, name)
            self.array = place(array.astype(dtype))
        self.shape: tuple[int, ...] = tuple(array.shape)
        self.dtype = str(dtype)
        self.autocast = autocast and jnp.issubdtype(dtype, jnp.floating)
        self.regularizer: Callable[[Any], Any] | None = None
        self.constraint: Callable[[Any], Any] | None = None

    def __getattr__(self, name: str) -> Any:
        if name != "array" or "_make" not in vars(self):
            raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")
        if getattr(_loans, "forgets", False):
            return self.stand_in()
        # Nobody has given a value, and it is asked for.
        self.array = place(np.asarray(vars(self).pop("_make")()).astype(self.dtype))
        return self.array

    def stand_in(self) -> Any:
        """The array, or while there is none yet zeros, for a trace that asks for shapes alone."""
        return self.array if "array" in vars(self) else jnp.zeros(self.shape, self.dtype)

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return int(np.prod(self.shape))

    @property
    def value(self) -> Any:
        """The array: inside a program the borrowed one, elsewhere a copy."""
        loan = getattr(_loans, "current", None)
        return self.read() if loan is not None and self in loan else place(self.read())

    def read(self) -> Any:
        """The array itself, without a copy. A later training step may reuse its memory."""
        loan = getattr(_loans, "current", None)
        array = self.array if loan is None or self not in loan else loan[self]
        wanted = getattr(_loans, "precision", None)
        return array if wanted is None or not self.autocast else array.astype(wanted)

    def leave(self, fetch: Callable[[], Any]) -> None:
        """Let the value lie elsewhere until it is assigned here, or asked for as an array of the device."""
        vars(self).pop("array", None)
        self._make = fetch

    def settle(self, array: jax.Array | None = None) -> None:
        """Let the value lie here again: this one, or the one that was assigned since `leave`."""
        if array is not None:
            self.array = array
        vars(self).pop("_make", None)

    @property
    def is_elsewhere(self) -> bool:
        """Whether the value lies where `leave` said."""
        return "array" not in vars(self)

    def numpy(self) -> np.ndarray:
        """A copy as a NumPy array."""
        if "array" not in vars(self) and "_make" in vars(self) and not is_forgetting():
            return np.array(self._make(), self.dtype)
        return np.array(self.array)

    def assign(self, value: Any) -> Variable:
        """Give the variable a new value of the same shape."""
        loan = getattr(_loans, "current", None)
        shape = tuple(np.shape(value))
        if shape != self.shape:
            raise ShapeError(
                f"variable '{self.name}'",
                expected=f"a value of shape {self.shape}",
                got=f"shape {shape}",
                fix="Give it an array of its own shape.",
            )
        if loan is not None and self in loan:
            loan[self] = jnp.asarray(value, dtype=self.dtype)
        elif getattr(_loans, "forgets", False):
            pass
        elif isinstance(value, jax.core.Tracer):
            raise DataError(
                f"variable '{self.name}'",
                expected="to be assigned inside the model that owns it",
                got="a value from inside a compiled program",
                fix="Make the variable in the layer, with add_weight(..., trainable=False).",
            )
        else:
            self.array = place(np.asarray(value).astype(self.dtype, copy=False))
        return self

    def assign_add(self, value: Any) -> Variable:
        """Add to the variable."""
        with precision(None):
            return self.assign(self.read() + jnp.asarray(value, dtype=self.dtype))

    def assign_sub(self, value: Any) -> Variable:
        """Subtract from the variable."""
        with precision(None):
            return self.assign(self.read() - jnp.asarray(value, dtype=self.dtype))

    def __jax_array__(self) -> Any:
        return self.value

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.array, dtype=dtype)

    def __float__(self) -> float:
        return float(self.read())

    def __int__(self) -> int:
        return int(self.read())

    def __len__(self) -> int:
        return len(self.array)

    def __bool__(self) -> bool:
        raise NotSupportedError(
            f"variable '{self.name}'",
            expected="a question that has one answer",
            got="the variable itself where true or false is needed",
            fix="Ask for a number, as in: if float(v) > 0. Whether it is there at all tells: v is not None.",
        )

    def __getitem__(self, index: Any) -> Any:
        return self.value[index]

    def __neg__(self) -> Any:
        return -self.read()

    def __pos__(self) -> Any:
        return self.value

    def __abs__(self) -> Any:
        return abs(self.read())

    def __invert__(self) -> Any:
        return ~self.read()

    def __round__(self, ndigits: int | None = None) -> Any:
        return jnp.round(self.read(), ndigits or 0)

    # A variable is found in a dict by what it is, not by the values it has at the moment.
    __hash__ = object.__hash__

    def __repr__(self) -> str:
        name = printable(self.name)
        return f"<Variable '{name}' shape={self.shape} dtype={self.dtype} value={self.numpy()}>"


def _operators(function: Callable[[Any, Any], Any]) -> tuple[Callable, Callable]:
    """The method for `variable ∘ other` and the one for `other ∘ variable`."""

    def from_left(self: Variable, other: Any) -> Any:
        return function(self.read(), other.read() if isinstance(other, Variable) else other)

    def from_right(self: Variable, other: Any) -> Any:
        return function(other, self.read())

    return from_left, from_right


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor"):
    # As in Keras, `&` asks whether both are true, and looks at no bits.
    _of = f"logical_{_name}" if _name in ("and", "or", "xor") else None
    _left, _right = _operators(getattr(jnp, _of) if _of else getattr(operator, _name))
    setattr(Variable, f"__{_name}__", _left)
    setattr(Variable, f"__r{_name}__", _right)
for _name in ("eq", "ne", "lt", "le", "gt", "ge"):
    setattr(Variable, f"__{_name}__", _operators(getattr(operator, _name))[0])


def assign_all(variables: Sequence[Variable], values: Sequence[Any]) -> None:
    """Give each variable its new value, of its own shape; all go to the device in one go."""
    is_plain = getattr(_loans, "current", None) is None and not getattr(_loans, "forgets", False)
    if not is_plain or any(isinstance(value, jax.core.Tracer) for value in values):
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
        return
    # A copy of each, as `place` makes it.
    arrays = [np.array(value, one.dtype) for one, value in zip(variables, values, strict=True)]
    placed = jax.device_put(arrays, may_alias=False)
    for variable, array in zip(variables, placed, strict=True):
        variable.array = array


class Rate(Variable):
    """A number that steers training, such as a learning rate, and no weight of the model.

    A program receives it at run time, so that setting it compiles nothing.
    """

    def __init__(self, value: Any, *, name: str = "rate") -> None:
        super().__init__(value, dtype=dtypes.wide(), trainable=False, autocast=False, name=name)

    @property
    def is_zero(self) -> bool:
        """Whether the number is 0 now: that changes what is computed, not only with what."""
        return not np.asarray(self.array).any()
