"""Signals as sums of waves, and back.

Complex numbers go in and come out as pairs `(real, imaginary)`, as in Keras.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from doltap.errors import DataError, ShapeError, UnknownNameError
from doltap.ops.conversion import Tensor, as_array, fractions, promoted_fractions
from doltap.ops.protocol import operation

__all__ = ["extract_sequences", "fft", "fft2", "ifft2", "irfft", "istft", "rfft", "stft"]

Pair = tuple[Array, Array]


def _joined(call: str, x: Any) -> Array:
    """The pair as one complex array."""
    if not isinstance(x, (tuple, list)) or len(x) != 2:
        raise DataError(
            f"ops.{call}",
            expected="a pair (real part, imaginary part)",
            got=f"a {type(x).__name__}",
            fix="Write (x, ops.zeros_like(x)) for a real signal.",
        )
    real, imaginary = promoted_fractions(*x)
    if real.shape != imaginary.shape:
        raise ShapeError(
            f"ops.{call}",
            expected="a real and an imaginary part of one shape",
            got=f"{tuple(real.shape)} and {tuple(imaginary.shape)}",
            fix="Give both parts of the same signal.",
        )
    return jax.lax.complex(real, imaginary)


def _parted(x: Array) -> Pair:
    return jnp.real(x), jnp.imag(x)


@operation("FFT")
def fft(x: Any) -> Pair:
    """The waves in a complex signal, along the last axis."""
    return _parted(jnp.fft.fft(_joined("fft", x)))


@operation("FFT2")
def fft2(x: Any) -> Pair:
    """The waves in a complex picture, along the last two axes."""
    return _parted(jnp.fft.fft2(_joined("fft2", x)))


@operation("IFFT2")
def ifft2(x: Any) -> Pair:
    """The complex picture that has these waves: `fft2` undone."""
    return _parted(jnp.fft.ifft2(_joined("ifft2", x)))


@operation("RFFT")
def rfft(x: Tensor, fft_length: int | None = None) -> Pair:
    """The waves in a real signal, along the last axis: the `length // 2 + 1` that are not mirrored.

    Args:
        fft_length: cut the signal, or fill it up with zeros, to this length first.
    """
    return _parted(jnp.fft.rfft(fractions(x), fft_length))


@operation("IRFFT")
def irfft(x: Any, fft_length: int | None = None) -> Array:
    """The real signal that has these waves: `rfft` undone.

    Args:
        fft_length: the signal's length; None takes it to be even.
    """
    return jnp.fft.irfft(_joined("irfft", x), fft_length)


@operation()
def extract_sequences(x: Tensor, sequence_length: int, sequence_stride: int) -> Array:
    """The pieces of a signal under a window that moves along it.

    Args:
        x: (..., samples).
        sequence_length: how long the window is.
        sequence_stride: how far it moves each time.

    Returns:
        (..., pieces, sequence_length)

    >>> extract_sequences([1, 2, 3, 4, 5], 3, 2).tolist()
    [[1, 2, 3], [3, 4, 5]]
    """
    x = as_array(x)
    starts = np.arange(0, x.shape[-1] - sequence_length + 1, sequence_stride)
    return x[..., starts[:, None] + np.arange(sequence_length)]


@operation("STFT")
def stft(
    x: Tensor,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    window: Any = "hann",
    center: bool = True,
) -> Pair:
    """The waves in each piece of a real signal, under a window that moves along it.

    Args:
        x: (..., samples).
        sequence_length: how long the window is.
        sequence_stride: how far it moves each time.
        fft_length: the length to which each piece is filled up with zeros.
        window: "hann", "hamming" or `sequence_length` numbers; None counts all
            `fft_length` samples alike.
        center: whether the first piece has the first sample in its middle; the
            signal is mirrored at both ends for that.

    Returns:
        Twice (..., pieces, fft_length // 2 + 1).
    """
    x = fractions(x)
    if center:
        x = jnp.pad(x, [(0, 0)] * (x.ndim - 1) + [(fft_length // 2, fft_length // 2)], "reflect")
    shape = _window("stft", window, sequence_length, fft_length, x.dtype)
    return _parted(jnp.fft.rfft(extract_sequences(x, fft_length, sequence_stride) * shape))


@operation("ISTFT")
def istft(
    x: Any,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    length: int | None = None,
    window: Any = "hann",
    center: bool = True,
) -> Array:
    """The real signal whose pieces have these waves: `stft` undone.

    Args:
        length: how many samples; None means as many as the pieces cover.

    The other arguments are those that `stft` was given.
    """
    pieces = jnp.fft.irfft(_joined("istft", x), fft_length)
    shape = _window("istft", window, sequence_length, fft_length, pieces.dtype)
    total = _overlapped(pieces * shape, sequence_stride)
    weight = _overlapped(jnp.broadcast_to(jnp.square(shape), pieces.shape), sequence_stride)
    # Where no window reaches, nothing is known of the signal and it stays 0.
    signal = total / jnp.where(weight > 1e-10, weight, 1.0)
    start = fft_length // 2 if center else 0
    stop = signal.shape[-1] - start if length is None else start + length
    return signal[..., start:stop]


def _overlapped(pieces: Array, stride: int) -> Array:
    """The sum of the pieces, each laid `stride` places further on than the one before."""
    count, length = pieces.shape[-2:]
    places = np.arange(count)[:, None] * stride + np.arange(length)
    total = jnp.zeros((*pieces.shape[:-2], (count - 1) * stride + length), pieces.dtype)
    return total.at[..., places].add(pieces)


def _window(call: str, window: Any, sequence_length: int, fft_length: int, dtype: Any) -> Array:
    """The window, with zeros on both sides up to the length of the transform."""
    if fft_length < sequence_length:
        raise ShapeError(
            f"ops.{call}",
            expected="fft_length of at least sequence_length",
            got=f"{fft_length} and {sequence_length}",
            fix="Make fft_length larger; powers of 2 are fast.",
        )
    if window is None:
        return jnp.ones(fft_length, dtype)
    made = {"hann": np.hanning, "hamming": np.hamming}
    if isinstance(window, str):
        if window not in made:
            raise UnknownNameError.of("window", window, made)
        # One point more than needed: the wave goes on where the next period begins.
        window = made[window](sequence_length + 1)[:-1]
    shape = as_array(window, dtype)
    if shape.shape != (sequence_length,):
        raise ShapeError(
            f"ops.{call}",
            expected=f"a window of {sequence_length} numbers",
            got=f"shape {tuple(shape.shape)}",
            fix="Give as many numbers as sequence_length says.",
        )
    before = (fft_length - sequence_length) // 2
    return jnp.pad(shape, (before, fft_length - sequence_length - before))
