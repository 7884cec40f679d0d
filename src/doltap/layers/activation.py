"""Layers that put every number through a curve.

The curves themselves are in `doltap.activations`; only PReLU has a weight.
"""

from __future__ import annotations

from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from doltap import activations, old_names
from doltap.core.layer import Layer
from doltap.dtypes import is_float
from doltap.errors import DataError, ShapeError
from doltap.layers.shapes import axes_from_front

__all__ = ["Activation", "ELU", "LeakyReLU", "PReLU", "ReLU", "Softmax"]


class _Curve(Layer):
    """A layer whose output has its input's shape and mask."""

    supports_masking = True

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """The input's own shape."""
        return tuple(input_shape)


class Activation(_Curve):
    """Puts every number through an activation.

    Args:
        activation: name or function.
    """

    def __init__(self, activation: Any, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.activation = activations.get(activation)

    def call(self, inputs: Any) -> Any:
        """The activated inputs."""
        return self.activation(inputs)

    def output_dtype(self, input_dtype: str) -> str:
        """What the curve makes of this type: relu leaves whole numbers whole, tanh does not."""
        if is_float(input_dtype):
            return super().output_dtype(input_dtype)
        return str(jax.eval_shape(self.activation, jax.ShapeDtypeStruct((1, 2), input_dtype)).dtype)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        return {**super().get_config(), "activation": activations.serialize(self.activation)}


class ReLU(_Curve):
    """The larger of each number and 0, with a ceiling, a slope below and a threshold if wanted.

    Args:
        max_value: the largest value that comes out; None means no ceiling.
        negative_slope: the steepness below the threshold.
        threshold: below it a number counts as negative.

    >>> ReLU(max_value=4.0)([[-1.0, 3.0, 9.0]]).tolist()
    [[0.0, 3.0, 4.0]]
    """

    def __init__(
        self, max_value: Any = None, negative_slope: float = 0.0, threshold: float = 0.0, **keywords: Any
    ) -> None:
        super().__init__(**keywords)
        self.max_value = None if max_value is None else _from_zero(self.name, "max_value", max_value)
        self.negative_slope = _from_zero(self.name, "negative_slope", negative_slope)
        self.threshold = _from_zero(self.name, "threshold", threshold)

    def call(self, inputs: Any) -> Any:
        """The inputs, with what is negative held at 0."""
        inputs = inputs.astype(self.compute_dtype)
        return activations.relu(inputs, self.negative_slope, self.max_value, self.threshold)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        slopes = {"negative_slope": self.negative_slope, "threshold": self.threshold}
        return {**super().get_config(), "max_value": self.max_value, **slopes}


class LeakyReLU(_Curve):
    """Each number on the right of 0, `negative_slope` times the number on the left.

    >>> LeakyReLU(0.5)([[-4.0, 4.0]]).tolist()
    [[-2.0, 4.0]]
    """

    @old_names.accepts("leaky_relu")
    def __init__(self, negative_slope: float = 0.3, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.negative_slope = _from_zero(self.name, "negative_slope", negative_slope)

    def call(self, inputs: Any) -> Any:
        """The inputs, with what is negative made small."""
        return activations.leaky_relu(inputs.astype(self.compute_dtype), self.negative_slope)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        return {**super().get_config(), "negative_slope": self.negative_slope}


class ELU(_Curve):
    """Each number on the right of 0, `alpha * (exp(x) - 1)` on the left."""

    def __init__(self, alpha: float = 1.0, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.alpha = float(alpha)

    def call(self, inputs: Any) -> Any:
        """The inputs, with what is negative bent towards `-alpha`."""
        return activations.elu(inputs.astype(self.compute_dtype), self.alpha)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        return {**super().get_config(), "alpha": self.alpha}


class PReLU(_Curve):
    """A leaky relu that learns its slopes: `alpha * x` where x is negative.

    Args:
        alpha_initializer: where the slopes start.
        shared_axes: the axes, counted from 1, along which a slope is shared;
            [1, 2] after a convolution gives each channel one slope.

    He et al. 2015, https://arxiv.org/abs/1502.01852
    """

    initial: ClassVar = {"alpha": "zeros"}

    @old_names.accepts("p_re_lu")
    def __init__(
        self,
        alpha_initializer: Any = "zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: Any = None,
        **keywords: Any,
    ) -> None:
        keywords |= {"alpha_regularizer": alpha_regularizer, "alpha_constraint": alpha_constraint}
        super().__init__(alpha_initializer=alpha_initializer, **keywords)
        is_list = shared_axes is None or isinstance(shared_axes, (list, tuple))
        self.shared_axes = shared_axes if is_list else [shared_axes]

    def build(self, input_shape: Any) -> None:
        """Make the slopes."""
        shared = axes_from_front(self.name, self.shared_axes or (), len(input_shape))
        sizes = [1 if axis in shared else size for axis, size in enumerate(input_shape)][1:]
        if None in sizes or 0 in shared:
            raise ShapeError(
                f"layer '{self.name}'",
                expected="rows of a known shape, or shared_axes= for the lengths that vary",
                got=f"shape {tuple(input_shape)} and shared_axes={self.shared_axes}",
                fix="Share the slopes along those axes, for example PReLU(shared_axes=[1]).",
            )
        self.alpha = self.add_weight(sizes, name="alpha")

    def call(self, inputs: Any) -> Any:
        """The inputs, with what is negative times its slope."""
        inputs = inputs.astype(self.compute_dtype)
        return activations.relu(inputs) - self.alpha.read() * activations.relu(-inputs)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        return {**super().get_config(), "shared_axes": self.shared_axes}


class Softmax(_Curve):
    """Shares that add up to 1 along an axis.

    Args:
        axis: the axis, or axes together, that share the 1.

    >>> Softmax()([[0.0, 0.0]]).tolist()
    [[0.5, 0.5]]
    """

    def __init__(self, axis: Any = -1, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.axis = axis

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """The shares; where the mask, of a shape that spreads over the input's, is False they are 0."""
        inputs = inputs.astype(self.compute_dtype)
        axis = tuple(self.axis) if isinstance(self.axis, (list, tuple)) else self.axis
        if mask is None:
            return activations.softmax(inputs, axis)
        mask = jnp.asarray(mask)
        counts = _spreading(self.name, mask if mask.dtype == bool else mask > 0.5, inputs.shape)
        # A very negative score keeps the gradient finite where minus infinity would not.
        lowest = -3e4 if inputs.dtype == jnp.float16 else -1e9
        shares = activations.softmax(jnp.where(counts, inputs, lowest), axis)
        return jnp.where(counts, shares, 0.0)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        return {**super().get_config(), "axis": self.axis}


def _spreading(name: str, mask: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    """The mask in a shape that spreads over the input's; an error if there is none."""
    pairs = zip(reversed(mask.shape), reversed(shape), strict=False)
    if mask.ndim <= len(shape) and all(size in (1, length) for size, length in pairs):
        return mask
    # A mask of steps, as Masking gives it, is one of all that a step holds.
    if mask.shape == shape[: mask.ndim]:
        return mask.reshape(*mask.shape, *(1,) * (len(shape) - mask.ndim))
    raise ShapeError(
        f"layer '{name}'",
        expected=f"a mask that spreads over its input of shape {tuple(shape)}",
        got=f"a mask of shape {tuple(mask.shape)}",
        fix="Each length of the mask, counted from the last, is 1 or the input's.",
    )


def _from_zero(name: str, argument: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not value >= 0:
        raise DataError(
            f"layer '{name}'",
            expected=f"{argument}= to be a number from 0",
            got=repr(value),
            fix="Leave it out to take the usual one.",
        )
    return value
