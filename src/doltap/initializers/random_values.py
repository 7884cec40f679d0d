"""Weights that start with random numbers, fitting the size of the layer or not."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from doltap import random
from doltap.errors import DataError, UnknownNameError
from doltap.initializers.initializer import Initializer, names, wrong_rank

__all__ = ["Orthogonal", "OrthogonalInitializer", "RandomNormal", "RandomUniform", "TruncatedNormal"]
__all__ += ["orthogonal", "random_normal", "random_uniform", "truncated_normal"]
__all__ += ["GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform"]
__all__ += ["LecunNormal", "LecunUniform", "VarianceScaling"]
__all__ += ["glorot_normal", "glorot_uniform", "he_normal", "he_uniform"]
__all__ += ["lecun_normal", "lecun_uniform", "variance_scaling"]

# The standard deviation of a standard normal cut at -2 and 2.
_CUT_STDDEV = 0.87962566103423978


class _Random(Initializer):
    """An initializer that may have a seed of its own."""

    def __init__(self, seed: Any = None) -> None:
        # A dict is how Keras writes a SeedGenerator into a file.
        if isinstance(seed, dict):
            seed = random.SeedGenerator(seed["config"]["seed"])
        if seed is None or isinstance(seed, random.SeedGenerator):
            self.seed = seed
            return
        try:
            self.seed = operator.index(seed)
        except TypeError as error:
            raise DataError(
                f"initializer '{type(self).__name__}'",
                expected="seed= to be an integer, a SeedGenerator or None",
                got=repr(seed),
                fix="Write for example seed=42.",
            ) from error

    def get_config(self) -> dict[str, Any]:
        """The seed: an integer, None, or a dict for a `SeedGenerator`."""
        if isinstance(self.seed, random.SeedGenerator):
            config = {"class_name": "SeedGenerator", "config": {"seed": self.seed.seed}}
            return {"seed": {"module": "keras.random", "registered_name": None, **config}}
        return {"seed": self.seed}


def _normal(shape: tuple[int, ...], generator: np.random.Generator, mean: float, stddev: float) -> np.ndarray:
    """Normally distributed numbers."""
    values = generator.standard_normal(shape, np.float32)
    return values * np.float32(stddev) + np.float32(mean)


def _cut_normal(
    shape: tuple[int, ...], generator: np.random.Generator, mean: float, stddev: float
) -> np.ndarray:
    """Normally distributed numbers no farther than two `stddev` from the mean."""
    values = generator.standard_normal(math.prod(shape), np.float32)
    outside = np.flatnonzero(np.abs(values) > 2)
    while outside.size:
        values[outside] = generator.standard_normal(outside.size, np.float32)
        outside = outside[np.abs(values[outside]) > 2]
    return values.reshape(shape) * np.float32(stddev) + np.float32(mean)


def _uniform(shape: tuple[int, ...], generator: np.random.Generator, low: float, high: float) -> np.ndarray:
    """Evenly distributed numbers from `low` up to `high`."""
    values = generator.random(shape, np.float32)
    return values * np.float32(high - low) + np.float32(low)


@names.register("normal")
class RandomNormal(_Random):
    """Numbers from a normal distribution."""

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None) -> None:
        super().__init__(seed)
        self.mean = float(mean)
        self.stddev = float(stddev)

    def draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> np.ndarray:
        """Normally distributed numbers, float32."""
        return _normal(shape, generator, self.mean, self.stddev)

    def get_config(self) -> dict[str, Any]:
        """The mean, the standard deviation and the seed."""
        return {**super().get_config(), "mean": self.mean, "stddev": self.stddev}


@names.register()
class TruncatedNormal(RandomNormal):
    """Numbers from a normal distribution, drawn anew where beyond two deviations.

    The cut makes their true standard deviation 0.88 times `stddev`, as in Keras.
    """

    def draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> np.ndarray:
        """Numbers from `mean - 2*stddev` to `mean + 2*stddev`, float32."""
        return _cut_normal(shape, generator, self.mean, self.stddev)


@names.register("uniform")
class RandomUniform(_Random):
    """Numbers spread evenly from `minval` up to `maxval`."""

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: Any = None) -> None:
        super().__init__(seed)
        self.minval = float(minval)
        self.maxval = float(maxval)

    def draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> np.ndarray:
        """Evenly distributed numbers, float32."""
        return _uniform(shape, generator, self.minval, self.maxval)

    def get_config(self) -> dict[str, Any]:
        """The two bounds and the seed."""
        return {**super().get_config(), "minval": self.minval, "maxval": self.maxval}


# Random values whose spread fits the size of the layer


def _fans(
    shape: tuple[int, ...], input_axes: Sequence[int] | None, output_axes: Sequence[int] | None
) -> tuple[int, int]:
    """How many numbers flow into one output, and out of one input, of a weight."""
    if input_axes is not None and output_axes is not None:
        return math.prod(shape[axis] for axis in input_axes), math.prod(shape[axis] for axis in output_axes)
    if len(shape) < 2:
        return math.prod(shape), math.prod(shape)
    window = math.prod(shape[:-2])  # (*window, inputs, outputs)
    return window * shape[-2], window * shape[-1]


_DISTRIBUTIONS = ("truncated_normal", "untruncated_normal", "uniform")


@names.register()
class VarianceScaling(_Random):
    """Random numbers of mean 0 and variance `scale / n`, where `n` counts connections.

    Args:
        scale: above 0.
        mode: what `n` counts: the inputs of one unit ("fan_in"), the outputs
            ("fan_out") or their average ("fan_avg").
        distribution: "truncated_normal" (also "normal"), "untruncated_normal"
            or "uniform".
        input_axes: the axes that count as inputs, where the shape is neither
            a dense kernel's nor a convolution's.
        output_axes: the axes that count as outputs; needs `input_axes`.
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: Any = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        super().__init__(seed)
        if not scale > 0:
            raise DataError(
                f"initializer '{type(self).__name__}'",
                expected="scale= above 0",
                got=repr(scale),
                fix='For a start without spread use "zeros".',
            )
        if mode not in ("fan_in", "fan_out", "fan_avg"):
            raise UnknownNameError.of("mode", mode, ("fan_in", "fan_out", "fan_avg"))
        kind = "truncated_normal" if distribution.lower() == "normal" else distribution.lower()
        if kind not in _DISTRIBUTIONS:
            raise UnknownNameError.of("distribution", distribution, _DISTRIBUTIONS)
        self.scale = float(scale)
        self.mode = mode
        self.distribution = kind
        self.input_axes = input_axes
        self.output_axes = output_axes

    def draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> np.ndarray:
        """Numbers of the distribution, float32."""
        fan_in, fan_out = _fans(shape, self.input_axes, self.output_axes)
        counts = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}
        stddev = math.sqrt(self.scale / max(1.0, counts[self.mode]))
        if self.distribution == "uniform":
            limit = math.sqrt(3) * stddev
            return _uniform(shape, generator, -limit, limit)
        if self.distribution == "untruncated_normal":
            return _normal(shape, generator, 0.0, stddev)
        return _cut_normal(shape, generator, 0.0, stddev / _CUT_STDDEV)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        config = {"scale": self.scale, "mode": self.mode, "distribution": self.distribution}
        axes = {"input_axes": self.input_axes, "output_axes": self.output_axes}
        return {**super().get_config(), **config, **axes}


class _Scaled(VarianceScaling):
    """A `VarianceScaling` that chose its scale, mode and distribution."""

    settings: tuple[float, str, str]

    def __init__(
        self,
        seed: Any = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        super().__init__(*self.settings, seed, input_axes, output_axes)

    def get_config(self) -> dict[str, Any]:
        """The seed and the axes that count."""
        config = super().get_config()
        return {name: config[name] for name in ("seed", "input_axes", "output_axes")}


@names.register()
class GlorotUniform(_Scaled):
    """Evenly spread numbers of variance `2 / (inputs + outputs)`, the start of a Dense kernel.

    Glorot and Bengio 2010, http://proceedings.mlr.press/v9/glorot10a.html

    >>> abs(GlorotUniform(seed=1)((4, 2))).max().item() <= 1.0
    True
    """

    settings = (1.0, "fan_avg", "uniform")


@names.register()
class GlorotNormal(_Scaled):
    """Cut normal numbers of variance `2 / (inputs + outputs)`, for sigmoid and tanh.

    Glorot and Bengio 2010, http://proceedings.mlr.press/v9/glorot10a.html
    """

    settings = (1.0, "fan_avg", "truncated_normal")


@names.register()
class HeUniform(_Scaled):
    """Evenly spread numbers of variance `2 / inputs`, for relu.

    He et al. 2015, https://arxiv.org/abs/1502.01852
    """

    settings = (2.0, "fan_in", "uniform")


@names.register()
class HeNormal(_Scaled):
    """Cut normal numbers of variance `2 / inputs`, for relu.

    He et al. 2015, https://arxiv.org/abs/1502.01852
    """

    settings = (2.0, "fan_in", "truncated_normal")


@names.register()
class LecunUniform(_Scaled):
    """Evenly spread numbers of variance `1 / inputs`.

    LeCun et al. 1998, "Efficient BackProp".
    """

    settings = (1.0, "fan_in", "uniform")


@names.register()
class LecunNormal(_Scaled):
    """Cut normal numbers of variance `1 / inputs`, for selu.

    LeCun et al. 1998, "Efficient BackProp".
    """

    settings = (1.0, "fan_in", "truncated_normal")


@names.register("OrthogonalInitializer")
class Orthogonal(_Random):
    """A random matrix that turns vectors without stretching them (but by `gain`).

    With more than two axes, all but the last count as rows. Equal bits are
    promised on one machine only: the decomposition is LAPACK's. Saxe et al.
    2014, https://arxiv.org/abs/1312.6120
    """

    def __init__(self, gain: float = 1.0, seed: Any = None) -> None:
        super().__init__(seed)
        self.gain = float(gain)

    def draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> np.ndarray:
        """The matrix, float64; ShapeError with fewer than two axes."""
        if len(shape) < 2:
            raise wrong_rank(self, "a shape of 2 or more axes", shape)
        rows, columns = math.prod(shape[:-1]), shape[-1]
        tall = generator.standard_normal((max(rows, columns), min(rows, columns)))
        turned, triangle = np.linalg.qr(tall)
        # Without this choice of signs some turns would come more often than others.
        turned *= np.where(np.diag(triangle) < 0, -1.0, 1.0)
        return self.gain * (turned if rows >= columns else turned.T).reshape(shape)

    def get_config(self) -> dict[str, Any]:
        """The gain and the seed."""
        return {**super().get_config(), "gain": self.gain}


random_normal = RandomNormal
random_uniform = RandomUniform
truncated_normal = TruncatedNormal
variance_scaling = VarianceScaling
glorot_uniform = GlorotUniform
glorot_normal = GlorotNormal
he_uniform = HeUniform
he_normal = HeNormal
lecun_uniform = LecunUniform
lecun_normal = LecunNormal
orthogonal = OrthogonalInitializer = Orthogonal
