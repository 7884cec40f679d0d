"""Layers that bring numbers to a common scale, or into bins."""

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp
import numpy as np

from doltap import config
from doltap.core.layer import Layer, as_shape
from doltap.errors import DataError, ShapeError
from doltap.layers.preprocessing.encoding import (
    batches,
    checked_mode,
    encode,
    encoded_shape,
    refuse_sparse,
)

__all__ = ["Discretization", "Normalization", "Rescaling"]

# How many numbers are summed up at a time: 64 bits of each are held.
_AT_ONCE = 1 << 22


class Rescaling(Layer):
    """`inputs * scale + offset`, as real numbers.

    Args:
        scale: a factor such as 1/255, or one for each last index.
        offset: what is added, likewise.

    >>> Rescaling(1 / 255)([[0, 255]]).tolist()
    [[0.0, 1.0]]
    """

    supports_masking = True

    def __init__(self, scale: Any, offset: Any = 0.0, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.scale, self.offset = _plain(scale), _plain(offset)

    def call(self, inputs: Any) -> Any:
        """The rescaled inputs."""
        dtype = self.compute_dtype
        return inputs.astype(dtype) * jnp.asarray(self.scale, dtype) + jnp.asarray(self.offset, dtype)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """The input's own shape."""
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        return {**super().get_config(), "scale": self.scale, "offset": self.offset}


def _plain(value: Any) -> Any:
    """A number or nested lists, from an array or from what Keras writes for one."""
    if isinstance(value, dict):
        value = value["config"]["value"]
    return value if isinstance(value, (int, float)) else np.asarray(value).tolist()


class Normalization(Layer):
    """`(inputs - mean) / sqrt(variance)`, with mean and variance given or learned by `adapt`.

    Args:
        axis: the axes along which each index has a mean of its own, -1 for
            each column; None for one mean of everything.
        mean, variance: give both, or call `adapt(data)` before training.
        invert: go back, from normalized numbers to the original ones.

    >>> layer = Normalization()
    >>> layer.adapt([[0.0, 7.0], [2.0, 9.0]])
    >>> layer([[0.0, 9.0]]).tolist()
    [[-1.0, 1.0]]
    """

    supports_masking = True

    def __init__(
        self, axis: Any = -1, mean: Any = None, variance: Any = None, invert: bool = False, **keywords: Any
    ) -> None:
        super().__init__(**keywords)
        self.axis = () if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
        self.input_mean, self.input_variance = (
            None if value is None else np.asarray(value, np.float64) for value in (mean, variance)
        )
        self.invert = bool(invert)
        self._check_given()

    @property
    def adapts(self) -> bool:
        """Whether mean and variance are learned."""
        return self.input_mean is None

    @property
    def is_ready(self) -> bool:
        """Whether mean and variance are known."""
        if not self.adapts:
            return True
        return self.built and bool(self.adapt_mean.numpy().any() or (self.adapt_variance.numpy() != 1).any())

    @property
    def mean(self) -> Any:
        """The mean in a shape that fits the input; None before it is known."""
        return self._in_shape("mean") if self.built else None

    @property
    def variance(self) -> Any:
        """The variance in a shape that fits the input; None before it is known."""
        return self._in_shape("variance") if self.built else None

    def build(self, input_shape: Any) -> None:
        """Make room for mean and variance, unless they were given."""
        shape = as_shape(input_shape)
        if any(not -len(shape) <= axis < len(shape) for axis in self.axis):
            raise ShapeError(
                f"layer '{self.name}'",
                expected=f"an input that has axis {self.axis}",
                got=f"{len(shape)} dimensions (shape {shape})",
                fix="Give another axis=, or axis=None for one mean of everything.",
            )
        self._kept = tuple(sorted(axis % len(shape) for axis in self.axis))
        lengths = {axis: shape[axis] for axis in self._kept}
        if None in lengths.values():
            raise ShapeError(
                f"layer '{self.name}'",
                expected=f"a known length along axis {self.axis}",
                got=f"shape {shape}",
                fix="Give Input the length, or axis=None for one mean of everything.",
            )
        self._fitting = tuple(lengths.get(axis, 1) for axis in range(len(shape)))
        if self.adapts:
            kept = tuple(lengths.values())
            self.adapt_mean = self.add_weight(kept, initializer="zeros", trainable=False, name="mean")
            self.adapt_variance = self.add_weight(kept, initializer="ones", trainable=False, name="variance")
            # Keras keeps a count that nothing uses, and its files hold it.
            self.count = self.add_weight((), dtype="int32", trainable=False, name="count")

    def adapt(self, data: Any) -> None:
        """Learn mean and variance from an array or from an iterable of batches."""
        if not self.adapts:
            raise DataError(
                f"layer '{self.name}'",
                expected="mean and variance from one place",
                got="mean= and variance= given, and adapt called",
                fix="Leave mean and variance out of the constructor, or leave adapt out.",
            )
        count, mean, spread = 0, np.float64(0), np.float64(0)
        for batch in batches(f"layer '{self.name}'", data):
            for part in self._in_parts(batch):
                size, here, around = self._summed(part)
                # Chan, Golub and LeVeque: joining means of parts without a second pass.
                moved, total = here - mean, count + size
                mean = mean + moved * (size / total)
                spread = spread + around + moved**2 * (count * size / total)
                count = total
        if not count:
            raise DataError(
                f"layer '{self.name}'",
                expected="data to learn from",
                got="no rows",
                fix="Give adapt an array with rows, or an iterable that yields batches.",
            )
        self.adapt_mean.assign(mean)
        self.adapt_variance.assign(spread / count)

    def call(self, inputs: Any) -> Any:
        """The normalized inputs, or with `invert` the original ones."""
        inputs = inputs.astype(self.compute_dtype)
        mean = self._in_shape("mean").astype(self.compute_dtype)
        deviation = jnp.sqrt(self._in_shape("variance").astype(self.compute_dtype))
        deviation = jnp.maximum(deviation, jnp.asarray(config.epsilon(), self.compute_dtype))
        return mean + inputs * deviation if self.invert else (inputs - mean) / deviation

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """The input's own shape."""
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        given = {"mean": self.input_mean, "variance": self.input_variance}
        return {
            **super().get_config(),
            "axis": self.axis,
            "invert": self.invert,
            **{key: None if value is None else value.tolist() for key, value in given.items()},
        }

    def _check_given(self) -> None:
        mean, variance = self.input_mean, self.input_variance
        if mean is None and variance is None:
            return
        if mean is None or variance is None:
            got = "one of the two"
        elif mean.shape != variance.shape or mean.ndim > len(self.axis):
            got = f"shapes {mean.shape} and {variance.shape}"
        else:
            return
        raise ShapeError(
            f"layer '{self.name}'",
            expected=f"a mean and a variance of one shape with at most {len(self.axis)} dimensions",
            got=got,
            fix="Give both, one number for each index of axis, or neither and call adapt(data).",
        )

    def _in_shape(self, which: str) -> Any:
        if self.adapts:
            return getattr(self, f"adapt_{which}").read().reshape(self._fitting)
        given = getattr(self, f"input_{which}")
        lengths = dict(zip(self._kept[::-1], given.shape[::-1], strict=False))
        spread = given.reshape([lengths.get(axis, 1) for axis in range(len(self._fitting))])
        return jnp.broadcast_to(jnp.asarray(spread, self.compute_dtype), self._fitting)

    def _in_parts(self, batch: np.ndarray) -> list[np.ndarray]:
        """The batch in pieces of rows small enough to be squared in 64 bits."""
        self.ensure_built(batch.shape)
        have = tuple(batch.shape[axis] for axis in self._kept if axis < batch.ndim)
        if batch.ndim != len(self._fitting) or have != self.adapt_mean.shape:
            raise ShapeError(
                f"layer '{self.name}'",
                expected=f"data with {len(self._fitting)} dimensions and length "
                f"{self.adapt_mean.shape} along axis {self.axis}",
                got=f"shape {batch.shape}",
                fix="Adapt it on the columns it will be called on, or make a new layer.",
            )
        if 0 in self._kept or not batch.size:
            return [batch] if batch.size else []
        num_rows = max(1, _AT_ONCE // max(1, math.prod(batch.shape[1:])))
        return [batch[start : start + num_rows] for start in range(0, len(batch), num_rows)]

    def _summed(self, part: np.ndarray) -> tuple[int, Any, Any]:
        """How many numbers each mean is of, the means, and the squared distances from them."""
        axes = tuple(axis for axis in range(part.ndim) if axis not in self._kept)
        size = math.prod(part.shape[axis] for axis in axes)
        part = part.astype(np.float64)
        mean = part.mean(axes)
        if np.isnan(mean).any():
            raise DataError(
                f"layer '{self.name}'",
                expected="numbers",
                got="NaN in the data, which would make every mean NaN",
                fix="Fill the gaps first, for example with column.fillna(column.mean()).",
            )
        return size, mean, part.var(axes) * size


class Discretization(Layer):
    """The number of the bin into which each value falls, or its one-hot row.

    Args:
        bin_boundaries: where bins meet, rising; [0, 1] makes (-inf, 0), [0, 1) and [1, inf).
        num_bins: make so many bins equally full, by `adapt(data)`.
        epsilon: how exactly `adapt` finds them, as a share of the data.
        output_mode: "int", "one_hot", "multi_hot" or "count".

    >>> Discretization(bin_boundaries=[0.0, 1.0])([[-1.5, 0.0, 3.4]]).tolist()
    [[0, 1, 2]]
    """

    deciding = ("bin_boundaries", "output_mode", "compute_dtype")

    def __init__(
        self,
        bin_boundaries: Any = None,
        num_bins: int | None = None,
        epsilon: float = 0.01,
        output_mode: str = "int",
        sparse: bool = False,
        dtype: Any = None,
        name: str | None = None,
        **keywords: Any,
    ) -> None:
        super().__init__(dtype=dtype, name=name, **{"autocast": False, **keywords})
        self.output_mode = checked_mode(output_mode, "int", "one_hot", "multi_hot", "count")
        refuse_sparse("Discretization", sparse)
        if (num_bins is None) == (bin_boundaries is None) or (num_bins is not None and num_bins < 0):
            raise DataError(
                f"layer '{self.name}'",
                expected="either num_bins or bin_boundaries",
                got=f"num_bins={num_bins} and bin_boundaries={bin_boundaries}",
                fix="Discretization(num_bins=4) learns boundaries with adapt(data).",
            )
        self.num_bins, self.epsilon = num_bins, epsilon
        self.bin_boundaries = None if bin_boundaries is None else self._rising(bin_boundaries)
        self.reset_state()

    @property
    def adapts(self) -> bool:
        """Whether the boundaries are learned."""
        return self.num_bins is not None

    @property
    def is_ready(self) -> bool:
        """Whether the boundaries are known."""
        return self.bin_boundaries is not None

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Learn boundaries between equally full bins from an array or an iterable of batches.

        Args:
            steps: how many batches to take; None means all.
        """
        if not self.adapts:
            raise DataError(
                f"layer '{self.name}'",
                expected="boundaries from one place",
                got="bin_boundaries= given, and adapt called",
                fix="Say num_bins= instead of bin_boundaries=, or leave adapt out.",
            )
        self.reset_state()
        for batch in batches(f"layer '{self.name}'", data, steps):
            self.update_state(batch)
        self.finalize_state()

    def reset_state(self) -> None:
        """Forget the data seen so far."""
        # Values that stand for the data, and how many each stands for.
        self.summary = np.zeros((2, 0), np.float32)

    def load_own_variables(self, store: Any) -> None:
        """Take up what a file of Keras 2 has of the data seen, and draw the boundaries from it."""
        if store:
            self.summary = np.asarray(store["0"], np.float32).reshape(2, -1)
            self.finalize_state()

    def update_state(self, data: Any) -> None:
        """Take one more batch into account; gaps (NaN) do not count."""
        values = np.asarray(data, np.float32).ravel()
        values = np.sort(values[~np.isnan(values)])
        step = max(len(values) * self.epsilon, 1)
        chosen = values[int(step - 1) :: int(step)]
        both = np.concatenate([[chosen, np.full_like(chosen, step)], self.summary], axis=1)
        self.summary = _thinned(both[:, np.argsort(both[0])], self.epsilon)

    def finalize_state(self) -> None:
        """Draw the boundaries from the data seen."""
        if self.num_bins is None:
            return
        if not self.summary.size:
            raise DataError(
                f"layer '{self.name}'",
                expected="data to learn from",
                got="no values",
                fix="Give adapt an array, or an iterable that yields batches.",
            )
        self.bin_boundaries = _thinned(self.summary, 1.0 / self.num_bins)[0, :-1].tolist()

    def call(self, inputs: Any) -> Any:
        """The bin of each value."""
        if self.bin_boundaries is None:
            raise DataError(
                f"layer '{self.name}'",
                expected="boundaries between its bins",
                got="none yet",
                fix="Call adapt(data) first, or give bin_boundaries=.",
            )
        edges = jnp.asarray(self.bin_boundaries, jnp.float32)
        bins = jnp.searchsorted(edges, inputs.astype(jnp.float32), side="right")
        depth = len(self.bin_boundaries) + 1
        return encode(bins, self.output_mode, depth, self.output_dtype(str(inputs.dtype)))

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """The input's shape, or rows of one number for each bin."""
        depth = self.num_bins if self.bin_boundaries is None else len(self.bin_boundaries) + 1
        return encoded_shape(input_shape, self.output_mode, depth)

    def output_dtype(self, input_dtype: str) -> str:
        """Whole numbers for bins, real ones for rows."""
        return "int32" if self.output_mode == "int" else self.compute_dtype

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict, with what `adapt` learned."""
        return {
            "bin_boundaries": self.bin_boundaries,
            "num_bins": self.num_bins,
            "epsilon": self.epsilon,
            "output_mode": self.output_mode,
            "sparse": False,
            "name": self.name,
            "dtype": self.dtype_policy.name,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A new layer made from what `get_config` gave, here or in Keras, adapted if that one was."""
        learned = config.get("bin_boundaries") if config.get("num_bins") is not None else None
        layer = super().from_config(config if learned is None else {**config, "bin_boundaries": None})
        if learned is not None:
            layer.bin_boundaries = layer._rising(learned)
        return layer

    def _rising(self, boundaries: Any) -> list[float]:
        edges = [float(edge) for edge in boundaries]
        if edges != sorted(edges):
            raise DataError(
                f"layer '{self.name}'",
                expected="bin_boundaries that rise",
                got=f"{edges}",
                fix="Sort them: sorted(bin_boundaries).",
            )
        return edges


def _thinned(summary: np.ndarray, share: float) -> np.ndarray:
    """The summary with one value for each share of the data, as long as it has more."""
    if summary.shape[1] * share < 1:
        return summary
    values, weights = summary
    passed = weights.cumsum()
    targets = share + np.arange(0.0, 1.0, share)
    shares = passed / passed[-1]
    weights = np.diff(np.interp(targets, shares, passed), prepend=0)
    return np.stack([np.interp(targets, shares, values), weights]).astype(np.float32)
