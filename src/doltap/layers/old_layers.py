"""Layers of Keras 1 and 2 that today are another layer with other words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp

from doltap import old_names
from doltap.core.layer import Layer
from doltap.errors import NotSupportedError, UnknownNameError
from doltap.layers import merging

__all__ = ["ThresholdedReLU", "merge"]

# mode of `merge` -> the function of today.
_MODES: dict[str, Callable[..., Any]] = {
    "ave": merging.average,
    "concat": merging.concatenate,
    "cos": merging.dot,
    "dot": merging.dot,
    "max": merging.maximum,
    "mul": merging.multiply,
    "sum": merging.add,
}


def merge(
    inputs: Sequence[Any],
    mode: Any = "sum",
    layers: Any = None,
    concat_axis: int = -1,
    dot_axes: Any = -1,
    name: str | None = None,
    **keywords: Any,
) -> Any:
    """One tensor of several, as Keras 1: `concatenate`, `add` and the others do it today.

    Args:
        mode: "sum", "mul", "concat", "ave", "max", "dot" or "cos".
        concat_axis: the axis for "concat".
        dot_axes: the axes for "dot" and "cos".

    >>> merge([jnp.ones((1, 2)), jnp.ones((1, 2))], mode="concat").shape
    (1, 4)
    """
    if not isinstance(mode, str) or keywords:
        raise NotSupportedError(
            "merge",
            expected="a mode by name, and nothing beside it",
            got=", ".join(f"{key}=" for key in keywords) or repr(mode),
            fix="Lambda(function)([a, b]) merges by a function of your own.",
        )
    if mode not in _MODES:
        raise UnknownNameError.of("mode of merge", mode, _MODES)
    old_names.note("function", f"merge(mode={mode!r})", f"{_MODES[mode].__name__}()")
    options: dict[str, Any] = {"axis": concat_axis} if mode == "concat" else {}
    if mode in ("dot", "cos"):
        options = {"axes": dot_axes, "normalize": mode == "cos"}
    return _MODES[mode](inputs, name=name, **options)


# What was a module of these functions is asked for them, too.
vars(merge).update({each: getattr(merging, each) for each in merging.__all__})


class ThresholdedReLU(Layer):
    """Each number above `theta`, and 0 in the place of all others.

    >>> ThresholdedReLU(1.0)(jnp.array([[0.5, 1.0, 1.5]])).tolist()
    [[0.0, 0.0, 1.5]]
    """

    supports_masking = True

    def __init__(self, theta: float = 1.0, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.theta = float(theta)

    def call(self, inputs: Any) -> Any:
        """The inputs that are large enough."""
        inputs = inputs.astype(self.compute_dtype)
        return jnp.where(inputs > self.theta, inputs, jnp.zeros((), inputs.dtype))

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """The input's own shape."""
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        return {**super().get_config(), "theta": self.theta}
