"""Layers that make one array of several.

They take a list, check it at every call, and name both inputs that do not fit.
"""

from __future__ import annotations

import functools
import itertools
import operator
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from doltap import config
from doltap.core.graph import SymbolicTensor
from doltap.core.layer import Layer
from doltap.dtypes import is_float
from doltap.errors import DataError, ShapeError
from doltap.layers.shapes import is_whole
from doltap.registry import explained

__all__ = ["Add", "Average", "Concatenate", "Dot", "Maximum", "Minimum", "Multiply", "Subtract"]
__all__ += ["add", "average", "concatenate", "dot", "maximum", "minimum", "multiply", "subtract"]

Shape = tuple[int | None, ...]


class _Merging(Layer):
    """A layer of a list of inputs; a subclass says in `refusal` which two shapes do not fit, and why."""

    supports_masking = True
    # How many inputs it takes; None for one or more.
    num_inputs: ClassVar[int | None] = None

    def __init__(self, *tensors: Any, **keywords: Any) -> None:
        kind = type(self).__name__
        if tensors:
            raise ShapeError(
                kind, expected="its inputs in a call", got="them in the constructor", fix=f"{kind}()([a, b])."
            )
        super().__init__(**keywords)

    def __call__(self, inputs: Any = None, *arguments: Any, **keywords: Any) -> Any:
        """The merged inputs, for a list of arrays or symbolic tensors."""
        if not isinstance(inputs, (list, tuple)):
            raise self._no_list(f"one of shape {np.shape(inputs)}" if _has_shape(inputs) else repr(inputs))
        shapes = [tuple(each.shape) if _has_shape(each) else np.shape(each) for each in inputs]
        named = [isinstance(each, SymbolicTensor) for each in inputs]
        words = [
            f"'{each.name}'" if is_named else f"input {number}"
            for number, (each, is_named) in enumerate(zip(inputs, named, strict=True), start=1)
        ]
        self.check(shapes, words)
        return super().__call__(inputs, *arguments, **keywords)

    def check(self, shapes: Sequence[Shape], words: Sequence[str] | None = None) -> None:
        """An error unless the shapes can be merged; `words` are what it calls the inputs."""
        wanted = self.num_inputs
        if not shapes or (wanted is not None and len(shapes) != wanted):
            raise self._no_list(f"{len(shapes)}")
        words = words or [f"input {number}" for number in range(1, len(shapes) + 1)]
        for one, other in itertools.combinations(range(len(shapes)), 2):
            reason = self.refusal(shapes[one], shapes[other])
            if reason is not None:
                raise ShapeError(
                    f"layer '{self.name}'",
                    expected=reason,
                    got=f"{words[one]} of shape {shapes[one]} and {words[other]} of shape {shapes[other]}",
                    fix="Bring both to one shape first, for example with a Dense or a Reshape.",
                )

    def refusal(self, one: Shape, other: Shape) -> str | None:
        """What would have been right, where two inputs of these shapes do not fit; else None."""
        raise NotImplementedError

    def _no_list(self, got: str) -> ShapeError:
        kind = type(self).__name__
        count = "1 or more" if self.num_inputs is None else str(self.num_inputs)
        return ShapeError(
            f"layer '{self.name}'",
            expected=f"a list of {count} inputs",
            got=got,
            fix=f"Call it on a list: {kind}({'axes' if kind == 'Dot' else ''})([a, b]); "
            "a single input needs no merging.",
        )


class _Elementwise(_Merging):
    """A layer that takes its inputs together number by number; lengths of 1 are spread."""

    def refusal(self, one: Shape, other: Shape) -> str | None:
        """The batches must be equal, and the rows able to spread over each other."""
        if one and other and not _same(one[0], other[0]):
            return "inputs with as many rows"
        pairs = zip(reversed(one[1:]), reversed(other[1:]), strict=False)
        if all(_same(a, b) or 1 in (a, b) for a, b in pairs):
            return None
        return "rows of one shape, or of lengths that are 1"

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """The inputs, taken together."""
        return self.fold(_aligned(inputs), mask or [None] * len(inputs))

    def fold(self, inputs: list[jax.Array], masks: Sequence[Any]) -> Any:
        """The inputs, all of one rank and type, taken together."""
        raise NotImplementedError

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """The shape that the inputs spread to."""
        shapes = [tuple(shape) for shape in input_shape]
        self.check(shapes)
        batch = next((shape[0] for shape in shapes if shape and shape[0] is not None), None)
        return (batch, *functools.reduce(_spread, (shape[1:] for shape in shapes)))

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """A step counts where it does in any input; without a mask where an input has none."""
        if mask is None or any(one is None for one in mask):
            return None
        return functools.reduce(jnp.logical_or, mask)


class Add(_Elementwise):
    """The sum of its inputs.

    >>> Add()([jnp.ones((1, 2)), jnp.ones((1, 2))]).tolist()
    [[2.0, 2.0]]
    """

    def fold(self, inputs: list[jax.Array], masks: Sequence[Any]) -> Any:
        """The sum."""
        return functools.reduce(operator.add, inputs)


class Subtract(_Elementwise):
    """The first input less the second."""

    num_inputs = 2

    def fold(self, inputs: list[jax.Array], masks: Sequence[Any]) -> Any:
        """The difference."""
        return inputs[0] - inputs[1]


class Multiply(_Elementwise):
    """The product of its inputs; a masked step of one input leaves the others as they are."""

    def fold(self, inputs: list[jax.Array], masks: Sequence[Any]) -> Any:
        """The product, 0 where no input counts."""
        counts = [_over(mask, array) for mask, array in zip(masks, inputs, strict=True)]
        kept = [
            array if count is None else jnp.where(count, array, jnp.ones((), array.dtype))
            for count, array in zip(counts, inputs, strict=True)
        ]
        product = functools.reduce(operator.mul, kept)
        if any(count is None for count in counts):
            return product
        return jnp.where(functools.reduce(jnp.logical_or, counts), product, jnp.zeros((), product.dtype))


class Average(_Elementwise):
    """The mean of its inputs."""

    def fold(self, inputs: list[jax.Array], masks: Sequence[Any]) -> Any:
        """The mean."""
        return functools.reduce(operator.add, inputs) / len(inputs)


class _Extreme(_Elementwise):
    """One of the inputs at each place; masked steps are not in the running."""

    choice: ClassVar[Callable[..., Any]]

    def fold(self, inputs: list[jax.Array], masks: Sequence[Any]) -> Any:
        """The winner at each place."""
        best, counts = inputs[0], _over(masks[0], inputs[0])
        for array, mask in zip(inputs[1:], masks[1:], strict=True):
            own = _over(mask, array)
            other = array if own is None else jnp.where(own, array, best)
            known = best if counts is None else jnp.where(counts, best, other)
            best = type(self).choice(known, other)
            counts = None if own is None or counts is None else counts | own
        return best


class Maximum(_Extreme):
    """The largest of its inputs at each place."""

    choice = staticmethod(jnp.maximum)


class Minimum(_Extreme):
    """The smallest of its inputs at each place."""

    choice = staticmethod(jnp.minimum)


class Concatenate(_Merging):
    """Its inputs one after the other along an axis.

    Args:
        axis: the only axis in which their shapes may differ.

    >>> Concatenate()([jnp.ones((1, 2)), jnp.zeros((1, 1))]).tolist()
    [[1.0, 1.0, 0.0]]
    """

    def __init__(self, axis: int = -1, **keywords: Any) -> None:
        super().__init__(*([] if _is_no_tensor(axis) else [axis]), **keywords)
        if not is_whole(axis):
            raise DataError(
                "Concatenate(axis)",
                expected="a whole number",
                got=repr(axis),
                fix="Concatenate(axis=1), or Concatenate() for the last axis.",
            )
        self.axis = int(axis)

    def refusal(self, one: Shape, other: Shape) -> str | None:
        """All lengths but the one along the axis must be equal."""
        if len(one) != len(other):
            return "inputs with as many dimensions"
        if not -len(one) <= self.axis < len(one):
            return f"inputs that have the axis {self.axis}"
        along = self.axis % len(one)
        fits = all(_same(a, b) for axis, (a, b) in enumerate(zip(one, other, strict=True)) if axis != along)
        return None if fits else f"shapes that differ in axis {self.axis} only"

    def call(self, inputs: Any) -> Any:
        """The inputs, end to end."""
        return jnp.concatenate(_of_one_type(inputs), self.axis)

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """The common shape, with the lengths along the axis added up."""
        shapes = [tuple(shape) for shape in input_shape]
        self.check(shapes)
        sizes = [
            next((size for size in known if size is not None), None) for known in zip(*shapes, strict=True)
        ]
        lengths = [shape[self.axis] for shape in shapes]
        known = [length for length in lengths if length is not None]
        sizes[self.axis] = sum(known) if len(known) == len(lengths) else None
        return tuple(sizes)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The masks end to end; along the features a step counts where it does in any input."""
        if mask is None or all(one is None for one in mask):
            return None
        masks = [
            jnp.ones(array.shape, bool) if one is None else jnp.broadcast_to(_over(one, array), array.shape)
            for one, array in zip(mask, inputs, strict=True)
        ]
        return jnp.concatenate(masks, self.axis).any(axis=-1)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        return {**super().get_config(), "axis": self.axis}


class Dot(_Merging):
    """The dot products of the rows of two inputs.

    Args:
        axes: the axis of each input over which it is summed, or one for both;
            not 0, the batch.
        normalize: whether each vector is brought to length 1 first, which
            makes the product the cosine of the angle.

    >>> Dot(axes=1)([jnp.ones((1, 2)), jnp.ones((1, 2))]).tolist()
    [[2.0]]
    """

    num_inputs = 2

    def __init__(self, axes: Any, normalize: bool = False, **keywords: Any) -> None:
        both = (axes, axes) if is_whole(axes) else tuple(axes) if isinstance(axes, (list, tuple)) else ()
        super().__init__(*([] if _is_no_tensor(axes) else [axes]), **keywords)
        if len(both) != 2 or not all(map(is_whole, both)) or 0 in both:
            raise DataError(
                "Dot(axes)",
                expected="an axis for each of the two inputs, or one for both, and not 0, the batch",
                got=repr(axes),
                fix="Dot(axes=1), or Dot(axes=(1, 2)).",
            )
        self.axes = axes
        self._both = both
        self.normalize = normalize

    def refusal(self, one: Shape, other: Shape) -> str | None:
        """The batches, and the lengths along the axes, must be equal."""
        shapes = (one, other)
        if not all(-len(s) < axis < len(s) for axis, s in zip(self._both, shapes, strict=True)):
            return f"inputs that have the axes {self._both} beside the batch"
        if not _same(one[0], other[0]):
            return "inputs with as many rows"
        first, second = (s[axis] for axis, s in zip(self._both, shapes, strict=True))
        return None if _same(first, second) else f"the same length along the axes {self._both}"

    def call(self, inputs: Any) -> Any:
        """The products: what is left of the first input, then of the second."""
        one, other = _of_one_type(inputs)
        first, second = (axis % array.ndim for axis, array in zip(self._both, (one, other), strict=True))
        if self.normalize:
            one, other = (array.astype(self.compute_dtype) for array in (one, other))
            one, other = _of_length_1(one, first), _of_length_1(other, second)
        products = jax.lax.dot_general(one, other, (((first,), (second,)), ((0,), (0,))))
        return products[:, None] if products.ndim == 1 else products

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """The batch and what is left of both."""
        shapes = [tuple(shape) for shape in input_shape]
        self.check(shapes)
        left, right = (
            [size for axis, size in enumerate(shape) if axis not in (0, along % len(shape))]
            for along, shape in zip(self._both, shapes, strict=True)
        )
        return (shapes[0][0] or shapes[1][0], *([*left, *right] or [1]))

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """None: the steps are summed away."""
        return None

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        return {**super().get_config(), "axes": self.axes, "normalize": self.normalize}


# The same in a word


@explained
def add(inputs: Sequence[Any], **keywords: Any) -> Any:
    """The sum of the inputs: `Add()(inputs)`.

    >>> add([jnp.ones((1, 2)), jnp.ones((1, 2))]).tolist()
    [[2.0, 2.0]]
    """
    return Add(**keywords)(inputs)


@explained
def subtract(inputs: Sequence[Any], **keywords: Any) -> Any:
    """The first input less the second: `Subtract()(inputs)`.

    >>> subtract([jnp.ones((1, 2)), jnp.ones((1, 2))]).tolist()
    [[0.0, 0.0]]
    """
    return Subtract(**keywords)(inputs)


@explained
def multiply(inputs: Sequence[Any], **keywords: Any) -> Any:
    """The product of the inputs: `Multiply()(inputs)`.

    >>> multiply([jnp.full((1, 2), 3.0), jnp.full((1, 2), 2.0)]).tolist()
    [[6.0, 6.0]]
    """
    return Multiply(**keywords)(inputs)


@explained
def average(inputs: Sequence[Any], **keywords: Any) -> Any:
    """The mean of the inputs: `Average()(inputs)`.

    >>> average([jnp.zeros((1, 2)), jnp.ones((1, 2))]).tolist()
    [[0.5, 0.5]]
    """
    return Average(**keywords)(inputs)


@explained
def maximum(inputs: Sequence[Any], **keywords: Any) -> Any:
    """The largest of the inputs at each place: `Maximum()(inputs)`.

    >>> maximum([jnp.array([[1.0, 4.0]]), jnp.array([[2.0, 3.0]])]).tolist()
    [[2.0, 4.0]]
    """
    return Maximum(**keywords)(inputs)


@explained
def minimum(inputs: Sequence[Any], **keywords: Any) -> Any:
    """The smallest of the inputs at each place: `Minimum()(inputs)`.

    >>> minimum([jnp.array([[1.0, 4.0]]), jnp.array([[2.0, 3.0]])]).tolist()
    [[1.0, 3.0]]
    """
    return Minimum(**keywords)(inputs)


@explained
def concatenate(inputs: Sequence[Any], axis: int = -1, **keywords: Any) -> Any:
    """The inputs one after the other along an axis: `Concatenate(axis)(inputs)`.

    >>> concatenate([jnp.ones((1, 2)), jnp.zeros((1, 1))]).tolist()
    [[1.0, 1.0, 0.0]]
    """
    return Concatenate(axis, **keywords)(inputs)


@explained
def dot(inputs: Sequence[Any], axes: Any = -1, **keywords: Any) -> Any:
    """The dot products of the rows of two inputs: `Dot(axes)(inputs)`.

    >>> dot([jnp.ones((1, 2)), jnp.ones((1, 2))]).tolist()
    [[2.0]]
    """
    return Dot(axes, **keywords)(inputs)


# Shapes and types


def _has_shape(value: Any) -> bool:
    return hasattr(value, "shape")


def _is_no_tensor(argument: Any) -> bool:
    """Whether an argument of a constructor holds no tensor that belongs into the call."""
    items = argument if isinstance(argument, (list, tuple)) else [argument]
    return not any(getattr(item, "shape", ()) for item in items)


def _same(one: int | None, other: int | None) -> bool:
    """Whether two lengths may be equal; None may be any."""
    return one is None or other is None or one == other


def _spread(one: Shape, other: Shape) -> Shape:
    """The shape that both spread to."""
    short, long = sorted((one, other), key=len)
    short = (1,) * (len(long) - len(short)) + short
    return tuple(
        b if a == 1 else a if b == 1 else None if None in (a, b) else a
        for a, b in zip(short, long, strict=True)
    )


def _of_one_type(inputs: Sequence[jax.Array]) -> list[jax.Array]:
    """The inputs in the type of those that are real, or else in one that holds all."""
    types = {array.dtype for array in inputs}
    real = {dtype for dtype in types if is_float(dtype)}
    dtype = functools.reduce(jnp.promote_types, real or types)
    return [array.astype(dtype) for array in inputs]


def _aligned(inputs: Sequence[jax.Array]) -> list[jax.Array]:
    """The inputs in one type, those of fewer dimensions with some of length 1 behind the batch."""
    rank = max(array.ndim for array in inputs)
    return [
        array.reshape(*array.shape[:1], *(1,) * (rank - array.ndim), *array.shape[1:])
        for array in _of_one_type(inputs)
    ]


def _over(mask: Any, array: jax.Array) -> Any:
    """The mask of steps with as many dimensions as the array it belongs to."""
    if mask is None:
        return None
    return mask.astype(bool).reshape(*mask.shape, *(1,) * (array.ndim - mask.ndim))


def _of_length_1(vectors: jax.Array, axis: int) -> jax.Array:
    """The vectors along the axis, scaled to length 1; a vector of zeros stays one."""
    wide = vectors.astype(jnp.promote_types(vectors.dtype, jnp.float32))
    squares = jnp.sum(jnp.square(wide), axis, keepdims=True)
    # Held above 0 before the root, so that the gradient of zeros is no NaN.
    return (wide * jax.lax.rsqrt(jnp.maximum(squares, config.epsilon() ** 2))).astype(vectors.dtype)
