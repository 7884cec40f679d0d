"""Weights that are the waves of a Fourier transform."""

from __future__ import annotations

from typing import Any

import numpy as np

from doltap.errors import DataError, ShapeError, UnknownNameError, optional_package
from doltap.initializers.initializer import Initializer, names, wrong_rank

__all__ = ["STFT", "STFTInitializer", "stft"]


@names.register("STFTInitializer")
class STFT(Initializer):
    """The kernel of a convolution that computes a short-time Fourier transform.

    It is of shape (frame length, 1, frequencies), the frequencies from 0 to
    half the transform's length.

    Args:
        side: "real" for the cosines, "imag" for the sines.
        window: the name of a window of `scipy.signal`, its values, or None for none.
        scaling: "density" divides the window by its root of squares, "spectrum"
            by its sum, None by nothing.
        periodic: whether a window chosen by name continues without a step.

    >>> STFT(window=None)((4, 1, 3))[:, 0, 1].round(3).tolist()
    [1.0, 0.0, -1.0, -0.0]
    """

    def __init__(
        self,
        side: str = "real",
        window: Any = "hann",
        scaling: str | None = "density",
        periodic: bool = False,
    ) -> None:
        if side not in ("real", "imag"):
            raise UnknownNameError.of("side", side, ("real", "imag"))
        if scaling not in ("density", "spectrum", None):
            raise UnknownNameError.of("scaling", scaling, ("density", "spectrum"))
        self.side = side
        self.window = window
        self.scaling = scaling
        self.periodic = periodic
        self._weights(1)

    def _weights(self, length: int) -> np.ndarray:
        """The window, one number for each place of a frame."""
        if not isinstance(self.window, str):
            return np.ones(length) if self.window is None else np.asarray(self.window, np.float64)
        signal = optional_package("scipy.signal", extra="sklearn", purpose="windows")
        try:
            return np.asarray(signal.get_window(self.window, length, self.periodic))
        except ValueError as error:
            if self.window not in signal.windows.__all__:
                raise UnknownNameError.of("window", self.window, signal.windows.__all__) from error
            raise DataError(
                "initializer 'STFT'",
                expected="a window without further numbers",
                got=repr(self.window),
                fix="Give its values instead, from scipy.signal.get_window.",
            ) from error

    def draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> np.ndarray:
        """The waves, float64; ShapeError unless the shape has three axes and the window fits."""
        if len(shape) != 3:
            raise wrong_rank(self, "a shape (frame length, 1, frequencies)", shape)
        length, _, num_frequencies = shape
        window = self._weights(length)
        if window.shape != (length,):
            raise ShapeError(
                "initializer 'STFT'",
                expected=f"a window of {length} numbers, as many as a frame is long",
                got=f"shape {window.shape}",
                fix="Give as many numbers, or the name of a window.",
            )
        # Whole turns are left out as integers, so that late places are as exact as early ones.
        period = max(1, 2 * (num_frequencies - 1))
        turns = np.outer(np.arange(length), np.arange(num_frequencies)) % period / period
        waves = np.cos(2 * np.pi * turns) if self.side == "real" else -np.sin(2 * np.pi * turns)
        if self.window is not None and self.scaling == "density":
            window = window / np.sqrt(np.sum(np.square(window)))
        elif self.window is not None and self.scaling == "spectrum":
            window = window / np.sum(np.abs(window))
        return np.broadcast_to((waves * window[:, None])[:, None, :], shape)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        window = self.window.tolist() if isinstance(self.window, np.ndarray) else self.window
        scaled = {"scaling": self.scaling, "periodic": self.periodic}
        return {"side": self.side, "window": window, **scaled}


stft = STFTInitializer = STFT
