"""Layers that bring an input in, arrange it or pass it on; none of them has a weight of its own."""

from __future__ import annotations

import inspect
import math
import operator
import sys
import traceback
import types
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np

from doltap import activations, config, registry
from doltap.core.graph import Node, SymbolicTensor
from doltap.core.layer import Layer, as_shape
from doltap.dtypes import is_float
from doltap.errors import DataError, NotSupportedError, ShapeError, UnknownNameError, printable
from doltap.layers.shapes import expect_rank, is_whole, whole_number
from doltap.ops import protocol
from doltap.registry import explained

__all__ = ["Flatten", "Identity", "Input", "InputLayer", "Lambda", "Masking", "Permute"]
__all__ += ["RepeatVector", "Reshape"]


@explained
def Input(  # noqa: N802 - Keras's name for it.
    shape: Any = None,
    batch_size: int | None = None,
    dtype: Any = None,
    sparse: bool | None = None,
    ragged: bool | None = None,
    batch_shape: Any = None,
    name: str | None = None,
    tensor: Any = None,
    optional: bool = False,
) -> SymbolicTensor:
    """The promise of an input, to put in front of a model's layers.

    Args:
        shape: shape of one row; a bare number n means (n,).
        batch_size: number of rows in every batch; None for any.
        batch_shape: both at once, (batch_size, ...).
        optional: whether None may stand in its place.

    `sparse`, `ragged` and `tensor` are not supported, and refused.

    >>> Input(shape=784).shape
    (None, 784)
    """
    options = {"batch_shape": batch_shape, "input_tensor": tensor, "optional": optional, "name": name}
    return InputLayer(shape, batch_size, dtype, sparse, ragged, **options).output


class InputLayer(Layer):
    """Says what shape the rows of x have, so that a model can be built before it sees data.

    Args:
        shape: shape of one row; `input_shape=` is the older word for it.
        batch_size: number of rows in every batch; None for any.
        batch_shape: both at once, (batch_size, ...).
        optional: whether None may stand in its place.
    """

    def __init__(
        self,
        shape: Any = None,
        batch_size: int | None = None,
        dtype: Any = None,
        sparse: bool | None = None,
        ragged: bool | None = None,
        batch_shape: Any = None,
        input_tensor: Any = None,
        optional: bool = False,
        **keywords: Any,
    ) -> None:
        if keywords.get("name") is None:
            keywords["name"] = config.next_name("input_layer")
        # As Keras, of `floatx()` under every policy: layers convert when they compute.
        dtype = config.floatx() if dtype is None else dtype
        super().__init__(dtype=dtype, batch_shape=batch_shape, **keywords)
        _refuse_sources(sparse=sparse, ragged=ragged, tensor=input_tensor)
        if batch_shape is not None and (shape is not None or batch_size is not None):
            raise ShapeError(
                "Input",
                expected="the shape of a batch or that of a row",
                got=f"batch_shape={batch_shape} with shape={shape} and batch_size={batch_size}",
                fix="Leave batch_shape out, or give nothing else.",
            )
        if shape is not None:
            self._batch_input_shape = (batch_size, *as_shape(shape))
        if self._batch_input_shape is None:
            raise ShapeError(
                "Input", expected="the shape of one row", got="none", fix="For example Input(shape=(784,))."
            )
        self.batch_shape = self._batch_input_shape
        self.optional = bool(optional)
        self.built = True
        Node(self, (), {}, SymbolicTensor(self.batch_shape, self.dtype, self.name))

    def call(self, inputs: Any) -> Any:
        """The input itself."""
        return inputs

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """The shape that was promised."""
        return self.batch_shape

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        base = {"batch_shape": self.batch_shape, "dtype": self.dtype, "name": self.name}
        return {**base, "optional": self.optional}


def _refuse_sources(**given: Any) -> None:
    """An error for the kinds of input that are not there."""
    wanted = next((name for name, value in given.items() if value is not None and value is not False), None)
    if wanted is not None:
        raise NotSupportedError(
            "Input",
            expected="the shape of an input of plain arrays",
            got=f"{wanted}=",
            fix="Pass full arrays (x.toarray() of a sparse one, pad_sequences for rows of other lengths)."
            if wanted != "tensor"
            else "Use the tensor itself in place of an Input; a model may begin at any symbolic tensor.",
        )


class Flatten(Layer):
    """Lays the numbers of each row end to end: (batch, 28, 28) becomes (batch, 784).

    Args:
        data_format: "channels_first" for rows (channels, ...), which are laid
            out as if the channels came last; None for all others.

    >>> Flatten().compute_output_shape((None, 28, 28))
    (None, 784)
    """

    keeps_dtype = True

    def __init__(self, data_format: Any = None, **keywords: Any) -> None:
        super().__init__(**keywords)
        known = ("channels_last", "channels_first")
        self.data_format = "channels_last" if data_format is None else str(data_format)
        if self.data_format not in known:
            raise UnknownNameError.of("data_format", data_format, known)

    def call(self, inputs: Any) -> Any:
        """The rows as vectors."""
        if self.data_format == "channels_first" and inputs.ndim > 2:
            inputs = jnp.moveaxis(inputs, 1, -1)
        return inputs.reshape(inputs.shape[0], math.prod(inputs.shape[1:]))

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """Two dimensions: the batch and the length of a row."""
        row = input_shape[1:]
        return (input_shape[0], None if None in row else math.prod(row))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        return {**super().get_config(), "data_format": self.data_format}


class Reshape(Layer):
    """Gives each row another shape with as many numbers; -1 once means "whatever fits".

    Args:
        target_shape: shape of one row of the output.

    >>> Reshape((-1, 2)).compute_output_shape((None, 6))
    (None, 3, 2)
    """

    keeps_dtype = True

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


class Permute(Layer):
    """Puts the dimensions of each row into another order.

    Args:
        dims: the dimensions in their new order, counted from 1; the batch stays first.

    >>> Permute((2, 1)).compute_output_shape((None, 10, 64))
    (None, 64, 10)
    """

    keeps_dtype = True

    def __init__(self, dims: Any, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.dims = tuple(dims)
        if not all(map(is_whole, self.dims)) or sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise DataError(
                "Permute(dims)",
                expected="each dimension of a row once, counted from 1",
                got=repr(dims),
                fix="Permute((2, 1)) swaps the two dimensions of each row.",
            )

    def call(self, inputs: Any) -> Any:
        """The rows with their dimensions in the new order."""
        expect_rank(self.name, inputs.shape, len(self.dims) + 1, "the batch and those in dims")
        return inputs.transpose(0, *self.dims)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """The batch, and the other lengths in the new order."""
        expect_rank(self.name, input_shape, len(self.dims) + 1, "the batch and those in dims")
        return (input_shape[0], *(input_shape[axis] for axis in self.dims))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        return {**super().get_config(), "dims": self.dims}


class RepeatVector(Layer):
    """Repeats each row `n` times: (batch, features) becomes (batch, n, features).

    >>> RepeatVector(3).compute_output_shape((None, 32))
    (None, 3, 32)
    """

    keeps_dtype = True

    def __init__(self, n: Any, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.n = whole_number("RepeatVector(n)", n, "For example RepeatVector(3).")

    def call(self, inputs: Any) -> Any:
        """The rows, repeated."""
        batch, _, features = self.compute_output_shape(inputs.shape)
        return jnp.broadcast_to(inputs[:, None, :], (batch, self.n, features))

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """Three dimensions: the batch, `n` and the features."""
        expect_rank(self.name, input_shape, 2, "(batch, features)")
        return (input_shape[0], self.n, input_shape[1])

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        return {**super().get_config(), "n": self.n}


class Masking(Layer):
    """Masks the steps of a sequence in which every feature is `mask_value`, and sets them to 0.

    Args:
        mask_value: what fills a step that does not count.

    >>> Masking(-1.0)(jnp.array([[[1.0, 2.0], [-1.0, -1.0]]])).tolist()
    [[[1.0, 2.0], [0.0, 0.0]]]
    """

    supports_masking = True
    keeps_dtype = True

    def __init__(self, mask_value: Any = 0.0, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.mask_value = mask_value

    def call(self, inputs: Any) -> Any:
        """The inputs, 0 at the masked steps."""
        counts = self.compute_mask(inputs)[..., None]
        return jnp.where(counts, inputs, jnp.zeros((), inputs.dtype))

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """The input's own shape."""
        return tuple(input_shape)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Which steps count: those with any number that is not `mask_value`."""
        # The value may be -1 where the inputs are of a type without signs.
        real = inputs if is_float(inputs.dtype) else inputs.astype(jnp.float32)
        return (real != jnp.asarray(self.mask_value, real.dtype)).any(axis=-1)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        return {**super().get_config(), "mask_value": np.asarray(self.mask_value).tolist()}


class Identity(Layer):
    """Gives back what it gets."""

    supports_masking = True
    keeps_dtype = True

    def call(self, inputs: Any) -> Any:
        """The input itself."""
        return inputs


class Lambda(Layer):
    """Puts its input through a function of one's own.

    Args:
        function: takes the input, and `mask` and `training` if its arguments are named so.
        output_shape: may be given as in Keras; the function itself tells the shape.
        mask: the mask of the output, or a function of inputs and mask that gives it.
        arguments: more keywords for the function.

    A function is code, and code is never saved: a model with a `Lambda` keeps
    its weights only, unless the function is one of `doltap.ops` or
    `doltap.activations`, or was registered by name with
    `register_keras_serializable`. It is pickled if the function is: one that
    was defined with def in a module.

    >>> Lambda(lambda x: x * 2)(jnp.array([[1.0, 3.0]])).tolist()
    [[2.0, 6.0]]
    """

    def __init__(
        self,
        function: Callable[..., Any],
        output_shape: Any = None,
        mask: Any = None,
        arguments: dict[str, Any] | None = None,
        **keywords: Any,
    ) -> None:
        super().__init__(**keywords)
        if not callable(function):
            raise DataError(
                "Lambda(function)",
                expected="a function of the input",
                got=repr(function),
                fix="For example Lambda(lambda x: x ** 2).",
            )
        self.function, self.output_shape, self.arguments = function, output_shape, dict(arguments or {})
        self.mask = mask
        self.supports_masking = mask is not None
        self._named = frozenset(_parameters(function)) & {"mask", "training"}

    def call(self, inputs: Any, mask: Any = None, training: bool = False) -> Any:
        """What the function gives."""
        known = {"mask": mask, "training": training}
        return self.function(inputs, **self.arguments, **{key: known[key] for key in self._named})

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The mask that was given, or what the given function makes of the input's."""
        return self.mask(inputs, mask) if callable(self.mask) else self.mask

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "function": _Code(self.function, self.name)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, function=state["function"].function)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict; an error where that would take code."""
        own = [one for one in (self.function, self.mask, self.output_shape) if callable(one)]
        if not all(_by_name(one) is not None for one in own):
            raise NotSupportedError(
                f"layer '{self.name}'",
                expected="a function of doltap.ops or doltap.activations, or one registered by name",
                got="one that only its code could tell; it is never saved as code",
                fix="Put @doltap.utils.register_keras_serializable() above a function of yours, or write "
                "a Layer. Weights alone can be saved with save_weights.",
            )
        parts = {"function": self.function, "mask": self.mask, "output_shape": self.output_shape}
        config = {key: _by_name(value) for key, value in parts.items() if value is not None}
        return {**super().get_config(), **config, "arguments": self.arguments}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A new layer whose functions are looked up by their registered names."""
        parts = ("function", "mask", "output_shape")
        return super().from_config({key: _found(v) if key in parts else v for key, v in config.items()})


def _parameters(function: Callable[..., Any]) -> list[str]:
    try:
        return list(inspect.signature(function).parameters)
    except ValueError:  # Some functions written in C do not tell.
        return []


def _by_name(value: Any) -> Any:
    """A registered function, or one of ours, as Keras 3 reads it, others None; other values as they are."""
    if not callable(value):
        return value
    name = registry.get_registered_name(value) if hasattr(value, "__name__") else ""
    is_operation = name in protocol.names and protocol.names.find(name) is value
    if not is_operation and _named(name) is not value:
        return None
    module, registered = ("keras.ops", name) if is_operation else ("builtins", "function")
    return {"module": module, "class_name": "function", "config": name, "registered_name": registered}


def _named(name: str, module: Any = None) -> Any:
    """The function of the user's, or of ours, that has this name; None where there is none."""
    families = [activations.names, protocol.names]
    ours = (family.find(name) for family in families[module == "keras.ops" :] if name in family)
    return registry.get_registered_object(name) or next(ours, None)


def _in_its_module(function: types.FunctionType) -> Any:
    """What its module has under the function's name."""
    try:
        return operator.attrgetter(function.__qualname__)(sys.modules.get(function.__module__))
    except AttributeError:
        return None


class _Code:
    """A function in what is copied and pickled of a layer: code, of which a pickle only holds the place."""

    def __init__(self, function: Any, layer: str) -> None:
        self.function, self.layer = function, layer

    def __deepcopy__(self, memo: Any) -> _Code:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        function = self.function
        is_local = isinstance(function, types.FunctionType) and _in_its_module(function) is not function
        writers = (frame.f_globals.get("__name__", "") for frame, _ in traceback.walk_stack(None))
        if is_local and not any("cloudpickle" in writer for writer in writers):
            raise NotSupportedError(
                f"a pickle of layer '{self.layer}'",
                expected="a function that was defined with def in a module",
                got=f"'{printable(function.__qualname__)}', which only its code could tell",
                fix="Define it there, write a Layer, or pickle with cloudpickle, which takes code along.",
            )
        return _Code, (function, self.layer)


def _found(value: Any) -> Any:
    """The registered function that a configuration names; code in its place is refused."""
    if not isinstance(value, dict):
        return value
    name = value.get("config")
    found = _named(name, value.get("module")) if isinstance(name, str) else None
    if found is None:
        raise NotSupportedError(
            "Lambda",
            expected="the registered name of a function",
            got="code, which a file may not bring along" if isinstance(name, dict) else repr(name),
            fix="Register the function with doltap.utils.register_keras_serializable() first, or build the "
            "model in Python and load the weights only.",
        )
    return found
