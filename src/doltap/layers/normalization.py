"""Layers that bring their input to mean 0 and variance 1, or to length 1.

All of them compute in 32 bits at least: squares of 16-bit numbers overflow.
"""

from __future__ import annotations

from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from doltap import config, initializers, old_names
from doltap.core.layer import Layer
from doltap.core.tensors import Variable
from doltap.errors import DataError, NotSupportedError, ShapeError
from doltap.layers.shapes import axes_from_front, is_whole

__all__ = ["BatchNormalization", "GroupNormalization", "LayerNormalization", "RMSNormalization"]
__all__ += ["UnitNormalization"]


def _wide(array: Any) -> jax.Array:
    """The array in 32 bits at least."""
    return array.astype(jnp.float64 if array.dtype == jnp.float64 else jnp.float32)


class _Normalization(Layer):
    """A layer whose output has its input's shape and mask, scaled by `gamma` and shifted by `beta`."""

    supports_masking = True
    takes_several_axes: ClassVar[bool] = True

    def __init__(self, axis: Any, epsilon: float, **keywords: Any) -> None:
        super().__init__(**keywords)
        axes = list(axis) if isinstance(axis, (list, tuple)) else [axis]
        if not all(map(is_whole, axes)) or (len(axes) > 1 and not self.takes_several_axes):
            raise DataError(
                f"layer '{self.name}'",
                expected=f"axis= to be a whole number{', or a list of such' * self.takes_several_axes}",
                got=repr(axis),
                fix="-1 is the last axis, the features.",
            )
        # Keras 2 wrote an axis as a list of one.
        self.axis: Any = axes if len(axes) > 1 else int(axes[0])
        self.epsilon = float(epsilon)

    def lengths(self, shape: Any) -> list[int]:
        """The lengths along the axis, which weights need to be known."""
        lengths = [shape[axis] for axis in axes_from_front(self.name, self.axis, len(shape))]
        if None in lengths:
            raise ShapeError(
                f"layer '{self.name}'",
                expected=f"a known length along axis {self.axis}",
                got=f"shape {tuple(shape)}",
                fix="Give Input(shape=...) that length.",
            )
        return lengths

    def spread(self, weight: Variable, shape: tuple[int, ...]) -> jax.Array:
        """A weight in 32 bits at least, with its lengths along the axis of an input of that shape."""
        axes = axes_from_front(self.name, self.axis, len(shape))
        if weight.shape != tuple(shape[axis] for axis in axes):
            raise ShapeError(
                f"layer '{self.name}'",
                expected=f"lengths {weight.shape} along axis {self.axis}, on which it was built",
                got=f"shape {tuple(shape)}",
                fix="Make a new layer, or check the columns of its input.",
            )
        return _wide(weight.read()).reshape([n if axis in axes else 1 for axis, n in enumerate(shape)])

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """The input's own shape."""
        axes_from_front(self.name, self.axis, len(input_shape))
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        return {**super().get_config(), "axis": self.axis, "epsilon": self.epsilon}


class _Affine(_Normalization):
    """A normalization that learns a scale and a shift."""

    initial: ClassVar = {"beta": "zeros", "gamma": "ones"}

    def __init__(self, axis: Any, epsilon: float, center: bool, scale: bool, **keywords: Any) -> None:
        super().__init__(axis, epsilon, **keywords)
        self.center, self.scale = bool(center), bool(scale)

    def build(self, input_shape: Any) -> None:
        """Make the scale and the shift."""
        shape = self.lengths(input_shape)
        self.gamma = self.add_weight(shape, autocast=False, name="gamma") if self.scale else None
        self.beta = self.add_weight(shape, autocast=False, name="beta") if self.center else None

    def scaled(self, inputs: jax.Array, mean: jax.Array, variance: jax.Array) -> jax.Array:
        """The inputs less the mean, over the standard deviation, scaled and shifted."""
        return self.shifted((inputs - mean) * jax.lax.rsqrt(variance + self.epsilon))

    def shifted(self, values: jax.Array) -> jax.Array:
        """The values times `gamma` and plus `beta`, in the type that the layer computes in."""
        if self.gamma is not None:
            values = values * self.spread(self.gamma, values.shape)
        if self.beta is not None:
            values = values + self.spread(self.beta, values.shape)
        return values.astype(self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        return {**super().get_config(), "center": self.center, "scale": self.scale}


class BatchNormalization(_Affine):
    """Brings each feature to mean 0 and variance 1: over the batch in training, later over what it saw then.

    A frozen layer (`trainable = False`) uses and keeps the moving averages in
    training too, as Keras 3.

    Args:
        axis: the axis of the features.
        momentum: how much of the moving averages stays at each step.
        epsilon: added to the variance.
        center: whether a shift `beta` is learnt.
        scale: whether a scale `gamma` is learnt.
        synchronized: accepted; the averages are always those of the whole batch.

    Source: Ioffe and Szegedy 2015, https://arxiv.org/abs/1502.03167
    """

    rows_are_independent = False
    takes_several_axes = False

    @old_names.accepts("batch_normalization")
    def __init__(
        self,
        axis: Any = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        renorm: bool = False,
        renorm_clipping: Any = None,
        renorm_momentum: float = 0.99,
        synchronized: bool = False,
        **keywords: Any,
    ) -> None:
        starts = {"beta_initializer": beta_initializer, "gamma_initializer": gamma_initializer}
        costs = {"beta_regularizer": beta_regularizer, "gamma_regularizer": gamma_regularizer}
        bounds = {"beta_constraint": beta_constraint, "gamma_constraint": gamma_constraint}
        super().__init__(axis, epsilon, center, scale, **starts, **costs, **bounds, **keywords)
        self.momentum = float(momentum)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.synchronized = bool(synchronized)
        if renorm:
            raise NotSupportedError(
                f"layer '{self.name}'",
                expected="renorm=False",
                got="renorm=True",
                fix="Leave it out; in small batches LayerNormalization or GroupNormalization does better.",
            )

    def build(self, input_shape: Any) -> None:
        """Make the scale, the shift and the moving averages."""
        super().build(input_shape)
        fixed: Any = {"shape": self.lengths(input_shape), "trainable": False, "autocast": False}
        self.moving_mean = self.add_weight(
            initializer=self.moving_mean_initializer, name="moving_mean", **fixed
        )
        self.moving_variance = self.add_weight(
            initializer=self.moving_variance_initializer, name="moving_variance", **fixed
        )

    def call(self, inputs: Any, training: bool = False, mask: Any = None) -> Any:
        """The inputs, normalized; masked steps count in no average."""
        wide = _wide(inputs)
        if not training or not self._trainable:
            known = (self.moving_mean, self.moving_variance)
            return self.scaled(wide, *(self.spread(average, wide.shape) for average in known))
        mean, variance = self._moments(wide, mask)
        for average, now in ((self.moving_mean, mean), (self.moving_variance, variance)):
            before = _wide(average.read())
            average.assign(before * self.momentum + now.reshape(before.shape) * (1.0 - self.momentum))
        return self.scaled(wide, mean, variance)

    def _moments(self, inputs: jax.Array, mask: Any) -> tuple[jax.Array, jax.Array]:
        """Mean and variance of each feature over the steps that count."""
        others = tuple(axis for axis in range(inputs.ndim) if axis != self.axis % inputs.ndim)
        if mask is None:
            return jnp.mean(inputs, others, keepdims=True), jnp.var(inputs, others, keepdims=True)
        if mask.ndim >= inputs.ndim:
            raise ShapeError(
                f"layer '{self.name}'",
                expected="a mask with fewer dimensions than its input",
                got=f"a mask of shape {mask.shape} for an input of shape {inputs.shape}",
                fix="A mask says of each step of each row whether it counts.",
            )
        counts = jnp.broadcast_to(mask.reshape(*mask.shape, *(1,) * (inputs.ndim - mask.ndim)), inputs.shape)
        counts = counts.astype(bool)
        number = jnp.sum(counts, others, keepdims=True, dtype=inputs.dtype) + config.epsilon()
        mean = jnp.sum(jnp.where(counts, inputs, 0.0), others, keepdims=True) / number
        squares = jnp.where(counts, jnp.square(inputs - mean), 0.0)
        return mean, jnp.sum(squares, others, keepdims=True) / number

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        starts = {
            "moving_mean_initializer": initializers.serialize(self.moving_mean_initializer),
            "moving_variance_initializer": initializers.serialize(self.moving_variance_initializer),
        }
        return {**super().get_config(), "momentum": self.momentum, **starts}


class LayerNormalization(_Affine):
    """Brings each row to mean 0 and variance 1 along an axis.

    Args:
        axis: the axis, or axes together, over which mean and variance are taken.
        epsilon: added to the variance.
        center: whether a shift `beta` is learnt.
        scale: whether a scale `gamma` is learnt.
        rms_scaling: whether the mean is left in and `beta` out, as old programs do;
            `RMSNormalization` is the layer that is meant by it.

    Source: Ba, Kiros and Hinton 2016, https://arxiv.org/abs/1607.06450
    """

    def __init__(
        self,
        axis: Any = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        rms_scaling: bool = False,
        **keywords: Any,
    ) -> None:
        starts = {"beta_initializer": beta_initializer, "gamma_initializer": gamma_initializer}
        costs = {"beta_regularizer": beta_regularizer, "gamma_regularizer": gamma_regularizer}
        bounds = {"beta_constraint": beta_constraint, "gamma_constraint": gamma_constraint}
        super().__init__(axis, epsilon, center, scale, **starts, **costs, **bounds, **keywords)
        self.rms_scaling = bool(rms_scaling)
        # The sums are taken in 32 bits; an input in 16 would have been rounded before.
        self.autocast = False

    def build(self, input_shape: Any) -> None:
        """Make the scale and the shift."""
        shape = self.lengths(input_shape)
        wants_scale, wants_shift = self.scale or self.rms_scaling, self.center and not self.rms_scaling
        self.gamma = self.add_weight(shape, autocast=False, name="gamma") if wants_scale else None
        self.beta = self.add_weight(shape, autocast=False, name="beta") if wants_shift else None

    def call(self, inputs: Any) -> Any:
        """The rows, normalized."""
        wide = _wide(inputs)
        axes = axes_from_front(self.name, self.axis, wide.ndim)
        variance = jnp.var(wide, axes, keepdims=True)
        if self.rms_scaling:
            return self.scaled(wide, jnp.zeros((), wide.dtype), variance)
        return self.scaled(wide, jnp.mean(wide, axes, keepdims=True), variance)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        return {**super().get_config(), "rms_scaling": self.rms_scaling}


class GroupNormalization(_Affine):
    """Brings groups of features of each row to mean 0 and variance 1.

    Args:
        groups: how many groups the features are divided into; -1 for one feature each.
        axis: the axis of the features.
        epsilon: added to the variance.
        center: whether a shift `beta` is learnt.
        scale: whether a scale `gamma` is learnt.

    Source: Wu and He 2018, https://arxiv.org/abs/1803.08494
    """

    takes_several_axes = False

    def __init__(
        self,
        groups: Any = 32,
        axis: Any = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        **keywords: Any,
    ) -> None:
        starts = {"beta_initializer": beta_initializer, "gamma_initializer": gamma_initializer}
        super().__init__(axis, epsilon, center, scale, **starts, **keywords)
        if not is_whole(groups) or not (groups >= 1 or groups == -1):
            raise DataError(
                f"layer '{self.name}'",
                expected="groups= to be a whole number from 1, or -1 for one feature each",
                got=repr(groups),
                fix="For example GroupNormalization(groups=8).",
            )
        self.groups = int(groups)
        self.autocast = False

    def build(self, input_shape: Any) -> None:
        """Make the scale and the shift."""
        (num_features,) = self.lengths(input_shape)
        if num_features % self.groups:
            raise ShapeError(
                f"layer '{self.name}'",
                expected=f"a number of features that {self.groups} groups divide evenly",
                got=f"{num_features}",
                fix="Choose groups= among the divisors of the number of features.",
            )
        super().build(input_shape)

    def call(self, inputs: Any) -> Any:
        """The rows, normalized group by group."""
        wide = _wide(inputs)
        (axis,) = axes_from_front(self.name, self.axis, wide.ndim)
        num_groups = wide.shape[axis] if self.groups == -1 else self.groups
        size = wide.shape[axis] // num_groups
        grouped = wide.reshape(*wide.shape[:axis], num_groups, size, *wide.shape[axis + 1 :])
        others = tuple(one for one in range(1, grouped.ndim) if one != axis)
        centered = grouped - jnp.mean(grouped, others, keepdims=True)
        variance = jnp.mean(jnp.square(centered), others, keepdims=True)
        return self.shifted((centered * jax.lax.rsqrt(variance + self.epsilon)).reshape(wide.shape))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        return {**super().get_config(), "groups": self.groups}


class RMSNormalization(_Normalization):
    """Divides each row by the root of the mean of its squares, and multiplies by a scale that is learnt.

    Args:
        axis: the axis, or axes together, over which the mean is taken.
        epsilon: added to the mean.

    Source: Zhang and Sennrich 2019, https://arxiv.org/abs/1910.07467
    """

    # As in Keras, which passes no mask on here.
    supports_masking = False

    def __init__(self, axis: Any = -1, epsilon: float = 1e-6, **keywords: Any) -> None:
        super().__init__(axis, epsilon, **keywords)

    def build(self, input_shape: Any) -> None:
        """Make the scale."""
        self.scale = self.add_weight(self.lengths(input_shape), "ones", autocast=False, name="scale")

    def call(self, inputs: Any) -> Any:
        """The rows, scaled."""
        wide = _wide(inputs)
        axes = axes_from_front(self.name, self.axis, wide.ndim)
        squares = jnp.mean(jnp.square(wide), axes, keepdims=True)
        scaled = wide * jax.lax.rsqrt(squares + self.epsilon) * self.spread(self.scale, wide.shape)
        return scaled.astype(self.compute_dtype)


class UnitNormalization(_Normalization):
    """Brings each row to length 1 along an axis; a row of zeros stays one.

    Args:
        axis: the axis, or axes together, along which the length is taken.

    >>> UnitNormalization()(jnp.array([[0.0, 4.0]])).tolist()
    [[0.0, 1.0]]
    """

    def __init__(self, axis: Any = -1, **keywords: Any) -> None:
        super().__init__(axis, 1e-12, **keywords)

    def call(self, inputs: Any) -> Any:
        """The rows, at length 1."""
        wide = _wide(inputs)
        axes = axes_from_front(self.name, self.axis, wide.ndim)
        squares = jnp.sum(jnp.square(wide), axes, keepdims=True)
        # Held above 0 before the root, so that the gradient of zeros is no NaN.
        scaled = wide * jax.lax.rsqrt(jnp.maximum(squares, self.epsilon**2))
        return scaled.astype(self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        config = super().get_config()
        del config["epsilon"]
        return config
