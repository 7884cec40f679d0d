"""Layers that disturb their input in training only.

How strong a disturbance is may be set while training, and compiles nothing.
"""

from __future__ import annotations

from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from doltap import old_names, regularizers
from doltap.core.layer import Layer
from doltap.core.tensors import Rate
from doltap.errors import DataError, UnknownNameError
from doltap.layers.shapes import expect_rank
from doltap.random import SeedGenerator

__all__ = ["ActivityRegularization", "AlphaDropout", "Dropout", "GaussianDropout", "GaussianNoise"]
__all__ += ["SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D"]


class _Disturbance(Layer):
    """A layer that disturbs its input by a number, which a subclass checks, and its random keys."""

    supports_masking = True
    # What the number is called, how large it may be, in words too, and an example of it.
    strength: ClassVar[str] = "rate"
    highest: ClassVar[float] = 1.0
    bounds: ClassVar[str] = "from 0 to 1"
    example: ClassVar[str] = "Dropout(0.2) drops every fifth input"

    def __init__(self, strength: Any, seed: Any, **keywords: Any) -> None:
        super().__init__(**keywords)
        self._rate = Rate(self._checked(strength))
        self.seed = seed
        self.seed_generator = SeedGenerator(seed)

    @property
    def rate(self) -> float:
        """How strong the disturbance is; it may be set while training."""
        # The shortest number that rounds to it: 0.1, where a float of 64 bits would show 0.10000000149.
        return float(str(np.float32(self._rate.read())))

    @rate.setter
    def rate(self, value: float) -> None:
        self._rate.assign(self._checked(value))

    def _checked(self, value: Any) -> float:
        is_number = isinstance(value, (int, float, np.floating)) and not isinstance(value, bool)
        if not is_number or not 0 <= value <= self.highest:
            raise DataError(
                f"layer '{self.name}'",
                expected=f"a {self.strength} {self.bounds}",
                got=repr(value),
                fix=f"{self.example}.",
            )
        return float(value)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """The inputs, disturbed when training."""
        inputs = inputs.astype(self.compute_dtype)
        if not training or self._rate.is_zero:
            return inputs
        return self.disturbed(inputs, self._rate.read(), self.seed_generator.next())

    def disturbed(self, inputs: jax.Array, rate: jax.Array, key: jax.Array) -> jax.Array:
        """The inputs, disturbed that much with numbers drawn from the key."""
        raise NotImplementedError

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """The input's own shape."""
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        return {**super().get_config(), self.strength: self.rate, "seed": self.seed}


def _kept(key: jax.Array, rate: jax.Array, noise_shape: Any, shape: tuple[int, ...]) -> jax.Array:
    """Which inputs are kept: booleans that spread over the shape."""
    own = shape if noise_shape is None else noise_shape
    sizes = tuple(have if size is None else size for size, have in zip(own, shape, strict=True))
    # The same masks under every policy.
    draws = jax.random.uniform(key, sizes, jnp.float32)
    return draws >= rate.astype(draws.dtype)


def _share_left(rate: jax.Array) -> jax.Array:
    # At rate 1 nothing is kept; the guard keeps 0/0 out of the gradient.
    return jnp.maximum(1.0 - rate, jnp.finfo(rate.dtype).tiny)


class Dropout(_Disturbance):
    """Sets a share of the inputs to zero in training and scales up the others.

    Args:
        rate: share of the inputs that is dropped, from 0 to 1.
        noise_shape: shape of the mask where it is shared along dimensions, with
            None for a length taken from the input; None for a mask of the input's shape.
        seed: an integer to draw the masks from; None takes the model's.

    Source: Srivastava et al., "Dropout", JMLR 15 (2014).
    """

    def __init__(self, rate: Any = None, noise_shape: Any = None, seed: Any = None, **keywords: Any) -> None:
        modern = old_names.translate("dropout", keywords)
        super().__init__(modern.pop("rate", rate), seed, **modern)
        self.noise_shape = noise_shape

    def disturbed(self, inputs: jax.Array, rate: jax.Array, key: jax.Array) -> jax.Array:
        """The inputs, thinned out."""
        kept = _kept(key, rate, self.noise_shape, inputs.shape)
        scale = 1.0 / _share_left(rate)
        return jnp.where(kept, inputs * scale.astype(inputs.dtype), jnp.zeros((), inputs.dtype))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        return {**super().get_config(), "noise_shape": self.noise_shape}


class _SpatialDropout(_Disturbance):
    """Drops whole maps: a channel at every place of a row, or at none."""

    rank: ClassVar[int]
    meaning: ClassVar[str]
    data_format = "channels_last"

    def __init__(self, rate: Any, seed: Any, **keywords: Any) -> None:
        modern = old_names.translate("dropout", keywords)
        super().__init__(modern.pop("rate", rate), seed, **modern)

    def build(self, input_shape: Any) -> None:
        """Check the number of dimensions."""
        expect_rank(self.name, input_shape, self.rank, self.meaning)

    def disturbed(self, inputs: jax.Array, rate: jax.Array, key: jax.Array) -> jax.Array:
        """The inputs without some of their maps."""
        places = (1,) * (self.rank - 2)
        is_last = self.data_format == "channels_last"
        kept = _kept(key, rate, (None, *places, None) if is_last else (None, None, *places), inputs.shape)
        scale = 1.0 / _share_left(rate)
        return jnp.where(kept, inputs * scale.astype(inputs.dtype), jnp.zeros((), inputs.dtype))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict; no more than Keras takes back."""
        config = super().get_config()
        return {key: config[key] for key in ("rate", "seed", "name", "dtype")}


class SpatialDropout1D(_SpatialDropout):
    """Drops whole features of a sequence (batch, steps, features) in training.

    Args:
        rate: share of the features that is dropped, from 0 to 1.
        seed: an integer to draw from; None takes the model's.

    Source: Tompson et al. 2014, https://arxiv.org/abs/1411.4280
    """

    rank = 3
    meaning = "(batch, steps, features)"

    def __init__(self, rate: Any = None, seed: Any = None, **keywords: Any) -> None:
        super().__init__(rate, seed, **keywords)


class _SpatialDropoutOfImages(_SpatialDropout):
    """A spatial dropout that is told where the channels are."""

    def __init__(self, rate: Any = None, data_format: Any = None, seed: Any = None, **keywords: Any) -> None:
        super().__init__(rate, seed, **keywords)
        known = ("channels_last", "channels_first")
        self.data_format = "channels_last" if data_format is None else str(data_format)
        if self.data_format not in known:
            raise UnknownNameError.of("data_format", data_format, known)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        return {**super().get_config(), "data_format": self.data_format}


class SpatialDropout2D(_SpatialDropoutOfImages):
    """Drops whole channels of images (batch, rows, columns, channels) in training.

    Args:
        rate: share of the channels that is dropped, from 0 to 1.
        data_format: "channels_last", which None means, or "channels_first".
        seed: an integer to draw from; None takes the model's.
    """

    rank = 4
    meaning = "(batch, rows, columns, channels)"


class SpatialDropout3D(_SpatialDropoutOfImages):
    """Drops whole channels of volumes (batch, depth, rows, columns, channels) in training.

    Args:
        rate: share of the channels that is dropped, from 0 to 1.
        data_format: "channels_last", which None means, or "channels_first".
        seed: an integer to draw from; None takes the model's.
    """

    rank = 5
    meaning = "(batch, depth, rows, columns, channels)"


# The scale and the slope of selu, and what it gives far on the left.
_SELU_FLOOR = -1.0507009873554804934 * 1.6732632423543772848


class AlphaDropout(_Disturbance):
    """Dropout that leaves mean and variance of selu's outputs as they are.

    Args:
        rate: share of the inputs that is set to selu's lowest value, from 0 to 1.
        noise_shape, seed: as in `Dropout`.

    Source: Klambauer et al. 2017, https://arxiv.org/abs/1706.02515
    """

    def __init__(self, rate: Any = None, noise_shape: Any = None, seed: Any = None, **keywords: Any) -> None:
        modern = old_names.translate("dropout", keywords)
        super().__init__(modern.pop("rate", rate), seed, **modern)
        self.noise_shape = noise_shape

    def disturbed(self, inputs: jax.Array, rate: jax.Array, key: jax.Array) -> jax.Array:
        """The inputs, some of them at selu's floor, brought back to their mean and variance."""
        kept = _kept(key, rate, self.noise_shape, inputs.shape)
        scale = jax.lax.rsqrt(_share_left(rate) * (1.0 + rate * _SELU_FLOOR**2))
        floor = jnp.asarray(_SELU_FLOOR, inputs.dtype)
        shift = (-scale * _SELU_FLOOR * rate).astype(inputs.dtype)
        return scale.astype(inputs.dtype) * jnp.where(kept, inputs, floor) + shift

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        return {**super().get_config(), "noise_shape": self.noise_shape}


class GaussianDropout(_Disturbance):
    """Multiplies by random numbers of mean 1, whose variance is that of a dropout, in training.

    Args:
        rate: the dropout's rate, from 0 and below 1.
        seed: an integer to draw from; None takes the model's.

    Source: Srivastava et al., "Dropout", JMLR 15 (2014), section 10.
    """

    # At 1 the variance is infinite.
    highest = float(np.nextafter(np.float32(1), np.float32(0)))
    bounds = "from 0 and below 1"
    example = "GaussianDropout(0.2) is as strong as Dropout(0.2); 1 would be infinitely strong"

    def __init__(self, rate: Any = None, seed: Any = None, **keywords: Any) -> None:
        modern = old_names.translate("dropout", keywords)
        super().__init__(modern.pop("rate", rate), seed, **modern)

    def disturbed(self, inputs: jax.Array, rate: jax.Array, key: jax.Array) -> jax.Array:
        """The inputs, each times a random number near 1."""
        factors = 1.0 + jnp.sqrt(rate / (1.0 - rate)) * jax.random.normal(key, inputs.shape)
        return inputs * factors.astype(inputs.dtype)


class GaussianNoise(_Disturbance):
    """Adds random numbers of mean 0 in training.

    Args:
        stddev: their standard deviation, from 0.
        seed: an integer to draw from; None takes the model's.
    """

    strength = "stddev"
    highest = float(np.finfo(np.float32).max)
    bounds = "from 0"
    example = "GaussianNoise(0.1) adds numbers of standard deviation 0.1"

    @old_names.accepts("gaussian_noise")
    def __init__(self, stddev: Any = None, seed: Any = None, **keywords: Any) -> None:
        super().__init__(stddev, seed, **keywords)

    @property
    def stddev(self) -> float:
        """The standard deviation; it may be set while training."""
        return self.rate

    @stddev.setter
    def stddev(self, value: float) -> None:
        self.rate = value

    def disturbed(self, inputs: jax.Array, rate: jax.Array, key: jax.Array) -> jax.Array:
        """The inputs and the noise."""
        return inputs + (rate * jax.random.normal(key, inputs.shape)).astype(inputs.dtype)


class ActivityRegularization(Layer):
    """Leaves its input as it is, and adds what the size of it costs to the loss.

    Args:
        l1: what the sum of the absolute values is multiplied by, per row.
        l2: what the sum of the squares is multiplied by, per row.
    """

    supports_masking = True

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **keywords: Any) -> None:
        super().__init__(activity_regularizer=regularizers.L1L2(l1=l1, l2=l2), **keywords)
        self.l1, self.l2 = l1, l2

    def call(self, inputs: Any) -> Any:
        """The input itself."""
        return inputs

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """The input's own shape."""
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        config = super().get_config()
        # Keras's constructor does not take what it makes itself.
        del config["activity_regularizer"]
        return {**config, "l1": self.l1, "l2": self.l2}
