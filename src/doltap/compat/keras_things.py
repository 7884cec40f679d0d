"""What Keras 1 and 2 had, Keras 3 has not, and a few lines bring back."""

from __future__ import annotations

from typing import Any

from doltap import layers
from doltap.errors import NotSupportedError

__all__ = ["Reduction", "merge", "model_to_dot", "plot_model"]


class Reduction:
    """How a loss joins the numbers of its rows, in the words of Keras 2."""

    AUTO = "sum_over_batch_size"
    NONE = "none"
    SUM = "sum"
    SUM_OVER_BATCH_SIZE = "sum_over_batch_size"


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
    if any(not hasattr(each, "shape") for each in inputs):
        raise NotSupportedError(
            "merge",
            expected="tensors, as layers give them",
            got="layers or models",
            fix="Call them first: merge([left(x), right(x)]), in a Functional model.",
        )
    return layers.merge(inputs, mode, None, concat_axis, dot_axes, name)
