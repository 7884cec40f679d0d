"""Weights that start with values known beforehand."""

from __future__ import annotations

from typing import Any

import numpy as np

from doltap.errors import ShapeError
from doltap.initializers.initializer import Initializer, names, wrong_rank

__all__ = ["Constant", "Identity", "IdentityInitializer", "Ones", "Zeros"]
__all__ += ["constant", "identity", "ones", "zeros"]


@names.register("zero")
class Zeros(Initializer):
    """Nothing but 0, the usual start of a bias."""

    def draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> np.ndarray:
        """Zeros."""
        return np.zeros(shape, np.float32)


@names.register("one")
class Ones(Initializer):
    """Nothing but 1, the usual start of a scale."""

    def draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> np.ndarray:
        """Ones."""
        return np.ones(shape, np.float32)


@names.register()
class Constant(Initializer):
    """Values given beforehand: one number, or an array of the weight's own shape.

    Args:
        value: a number; or an array, such as the table of an embedding.

    >>> Constant(0.5)((2,)).tolist()
    [0.5, 0.5]
    """

    def __init__(self, value: Any = 0.0) -> None:
        # A dict is how Keras writes an array into a file.
        if isinstance(value, dict):
            value = value["config"]["value"]
        self.value = np.array(value)

    def draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> np.ndarray:
        """The value; ShapeError if it is an array of another shape."""
        if self.value.ndim and self.value.shape != shape:
            raise ShapeError(
                "initializer 'Constant'",
                expected=f"values of shape {shape}",
                got=f"shape {self.value.shape}",
                fix="Give an array of the weight's shape, or a single number.",
            )
        return np.broadcast_to(self.value, shape).copy()

    def get_config(self) -> dict[str, Any]:
        """The value, as a number or nested lists."""
        return {"value": self.value.tolist()}


@names.register("eye", "IdentityInitializer")
class Identity(Initializer):
    """A matrix with `gain` on its diagonal and 0 elsewhere.

    Args:
        gain: what stands on the diagonal.

    >>> Identity(2.0)((2, 3)).tolist()
    [[2.0, 0.0, 0.0], [0.0, 2.0, 0.0]]
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = float(gain)

    def draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> np.ndarray:
        """The matrix; ShapeError unless the shape has two axes."""
        if len(shape) != 2:
            raise wrong_rank(self, "a shape of 2 axes", shape)
        return self.gain * np.eye(*shape)

    def get_config(self) -> dict[str, Any]:
        """The gain."""
        return {"gain": self.gain}


zeros = Zeros
ones = Ones
constant = Constant
identity = IdentityInitializer = Identity
