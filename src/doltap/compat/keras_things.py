"""What Keras 1 and 2 had, Keras 3 has not, and a few lines bring back."""

from __future__ import annotations

from typing import Any

from doltap import layers, ops
from doltap.errors import NotSupportedError, UnknownNameError
from doltap.registry import register_keras_serializable

__all__ = ["Reduction", "ThresholdedReLU", "merge", "model_to_dot", "plot_model"]

_MODES = {
    "ave": layers.average,
    "max": layers.maximum,
    "mul": layers.multiply,
    "sum": layers.add,
}


class Reduction:
    """How a loss joins the numbers of its rows, in the words of Keras 2."""

    AUTO = "sum_over_batch_size"
    NONE = "none"
    SUM = "sum"
    SUM_OVER_BATCH_SIZE = "sum_over_batch_size"


@register_keras_serializable("doltap")
class ThresholdedReLU(layers.Layer):
    """The numbers above a threshold, and 0 for the others.

    >>> import numpy as np
    >>> ThresholdedReLU(theta=1.0)(np.float32([0.5, 2.0]))[1].tolist()
    2.0
    """

    supports_masking = True

    def __init__(self, theta: float = 1.0, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.theta = float(theta)

    def call(self, inputs: Any) -> Any:
        """The output for an input."""
        return ops.where(ops.greater(inputs, self.theta), inputs, ops.zeros_like(inputs))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        return {**super().get_config(), "theta": self.theta}


def plot_model(model: Any, *settings: Any, **more: Any) -> None:
    """Print the layers of the model, and that there is no picture of them yet."""
    model.summary()
    print("plot_model: doltap draws no pictures of models yet; these are its layers.")


def model_to_dot(model: Any, *settings: Any, **more: Any) -> Any:
    """Refuse to describe the model for Graphviz."""
    raise NotSupportedError(
        "model_to_dot",
        expected="a picture of a model that doltap draws",
        got=f"the graph of '{model.name}' for Graphviz",
        fix="model.summary() shows the layers and their connections.",
    )


def merge(
    inputs: Any,
    mode: Any = "sum",
    layer_cache: Any = None,
    concat_axis: int = -1,
    dot_axes: Any = -1,
    output_shape: Any = None,
    name: str | None = None,
    **keywords: Any,
) -> Any:
    """Several tensors as one, as Keras 1 joined them.

    Args:
        mode: "sum", "mul", "ave", "max", "concat", "dot", "cos", or a function of the list of tensors.

    >>> a, b = layers.Input((2,)), layers.Input((3,))
    >>> merge([a, b], mode="concat").shape
    (None, 5)
    """
    if callable(mode):
        return layers.Lambda(mode, output_shape=output_shape, name=name)(inputs)
    if mode == "concat":
        return layers.concatenate(inputs, axis=concat_axis, name=name)
    if mode in ("dot", "cos"):
        return layers.dot(inputs, axes=dot_axes, normalize=mode == "cos", name=name)
    if mode not in _MODES:
        raise UnknownNameError.of("mode of merge", mode, [*_MODES, "concat", "dot", "cos"])
    if any(not hasattr(each, "shape") for each in inputs):
        raise NotSupportedError(
            "merge",
            expected="tensors, as layers give them",
            got="layers or models",
            fix="Call them first: merge([left(x), right(x)]), in a Functional model.",
        )
    return _MODES[mode](inputs, name=name)
