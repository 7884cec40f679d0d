"""Activations, losses and the pieces of layers, as Keras 2 computed them."""

from __future__ import annotations

import builtins
from typing import Any

from doltap import config, ops, random
from doltap.compat.keras_backend.results import eager
from doltap.errors import UnknownNameError

__all__ = [
    "batch_normalization",
    "binary_crossentropy",
    "categorical_crossentropy",
    "conv1d",
    "conv2d",
    "conv2d_transpose",
    "conv3d",
    "depthwise_conv2d",
    "dropout",
    "elu",
    "hard_sigmoid",
    "in_top_k",
    "l2_normalize",
    "normalize_batch_in_training",
    "pool2d",
    "pool3d",
    "relu",
    "separable_conv2d",
    "sigmoid",
    "softmax",
    "softplus",
    "softsign",
    "sparse_categorical_crossentropy",
    "switch",
    "tanh",
]

elu = eager(ops.elu)
sigmoid = eager(ops.sigmoid)
softmax = eager(ops.softmax)
softplus = eager(ops.softplus)
softsign = eager(ops.softsign)
tanh = eager(ops.tanh)


@eager
def relu(x: Any, alpha: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Any:
    """The number itself from the threshold up to the largest value, and `alpha` times what is below.

    >>> relu([-2.0, 1.0, 9.0], alpha=0.5, max_value=6.0).numpy().tolist()
    [-1.0, 1.0, 6.0]
    """
    x = ops.convert_to_tensor(x) if not hasattr(type(x), "record_call") else x
    below = ops.multiply(alpha, ops.minimum(ops.subtract(x, threshold), 0.0)) if alpha else 0.0
    above = ops.where(ops.greater_equal(x, threshold), x, ops.zeros_like(x)) if threshold else ops.relu(x)
    if max_value is not None:
        above = ops.minimum(above, max_value)
    return ops.add(above, below) if alpha else above


@eager
def hard_sigmoid(x: Any) -> Any:
    """0.2 x + 0.5, cut to the range from 0 to 1; the function of Keras 3 is another.

    >>> hard_sigmoid([-3.0, 0.0, 1.0]).numpy().tolist()
    [0.0, 0.5, 0.699999988079071]
    """
    return ops.clip(ops.add(ops.multiply(x, 0.2), 0.5), 0.0, 1.0)


@eager
def binary_crossentropy(target: Any, output: Any, from_logits: bool = False) -> Any:
    """How far each probability is from the truth."""
    return ops.binary_crossentropy(target, output, from_logits=from_logits)


@eager
def categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Any:
    """How far the probabilities of each row are from the truth, one-hot."""
    return ops.categorical_crossentropy(target, output, from_logits=from_logits, axis=axis)


@eager
def sparse_categorical_crossentropy(
    target: Any, output: Any, from_logits: bool = False, axis: int = -1
) -> Any:
    """How far the probabilities of each row are from the truth, a class number."""
    return ops.sparse_categorical_crossentropy(target, output, from_logits=from_logits, axis=axis)


@eager
def in_top_k(predictions: Any, targets: Any, k: int) -> Any:
    """Whether the true class of each row is among the `k` largest predictions."""
    return ops.in_top_k(targets, predictions, k)


@eager
def l2_normalize(x: Any, axis: Any = None) -> Any:
    """The numbers divided by the length of the vector that they are along the axis."""
    squares = ops.sum(ops.square(x), axis=axis, keepdims=True)
    return ops.multiply(x, ops.rsqrt(ops.maximum(squares, 1e-12)))


@eager
def dropout(x: Any, level: float, noise_shape: Any = None, seed: int | None = None) -> Any:
    """The numbers, of which the share `level` is 0 and the others are larger by as much."""
    return random.dropout(x, level, noise_shape=noise_shape, seed=seed)


@eager
def batch_normalization(
    x: Any, mean: Any, var: Any, beta: Any, gamma: Any, axis: int = -1, epsilon: float = 1e-3
) -> Any:
    """The numbers less their mean, over their spread, times gamma, plus beta."""
    scaled = ops.multiply(ops.subtract(x, mean), ops.rsqrt(ops.add(var, epsilon)))
    scaled = scaled if gamma is None else ops.multiply(scaled, gamma)
    return scaled if beta is None else ops.add(scaled, beta)


def normalize_batch_in_training(
    x: Any, gamma: Any, beta: Any, reduction_axes: Any, epsilon: float = 1e-3
) -> tuple[Any, Any, Any]:
    """A batch normalized by its own mean and variance, and these two."""
    axes = tuple(reduction_axes)
    is_last = axes == tuple(range(len(ops.shape(x)) - 1))
    mean, variance = ops.mean(x, axis=axes, keepdims=not is_last), ops.var(x, axis=axes, keepdims=not is_last)
    return batch_normalization(x, mean, variance, beta, gamma, epsilon=epsilon), mean, variance


@eager
def switch(condition: Any, then_expression: Any, else_expression: Any) -> Any:
    """The one value where the condition holds, the other elsewhere; both may be functions.

    >>> switch(True, lambda: 1.0, lambda: 2.0).numpy().tolist()
    1.0
    """
    chosen, other = (each() if callable(each) else each for each in (then_expression, else_expression))
    missing = builtins.max(len(ops.shape(chosen)), len(ops.shape(other))) - len(ops.shape(condition))
    for _ in range(missing):
        condition = ops.expand_dims(condition, -1)
    return ops.where(ops.cast(condition, "bool"), chosen, other)


def _format(data_format: str | None) -> str:
    known = ("channels_last", "channels_first")
    if data_format not in (None, *known):
        raise UnknownNameError.of("data format", data_format, known)
    return data_format or config.image_data_format()


@eager
def conv1d(
    x: Any,
    kernel: Any,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Any:
    """The convolution of sequences."""
    return ops.conv(x, kernel, strides, padding, _format(data_format), dilation_rate)


conv2d = conv1d
conv3d = conv1d


@eager
def conv2d_transpose(
    x: Any,
    kernel: Any,
    output_shape: Any,
    strides: Any = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = (1, 1),
) -> Any:
    """The transposed convolution of images; the output's shape follows from the rest."""
    return ops.conv_transpose(
        x, kernel, strides, padding, data_format=_format(data_format), dilation_rate=dilation_rate
    )


@eager
def depthwise_conv2d(
    x: Any,
    depthwise_kernel: Any,
    strides: Any = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = (1, 1),
) -> Any:
    """The convolution of each channel of images by itself."""
    return ops.depthwise_conv(x, depthwise_kernel, strides, padding, _format(data_format), dilation_rate)


@eager
def separable_conv2d(
    x: Any,
    depthwise_kernel: Any,
    pointwise_kernel: Any,
    strides: Any = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = (1, 1),
) -> Any:
    """The convolution of each channel of images by itself, and then of the channels at each point."""
    return ops.separable_conv(
        x, depthwise_kernel, pointwise_kernel, strides, padding, _format(data_format), dilation_rate
    )


@eager
def pool2d(
    x: Any,
    pool_size: Any,
    strides: Any = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    pool_mode: str = "max",
) -> Any:
    """The largest number of each part of images, or with "avg" the mean."""
    if pool_mode not in ("max", "avg"):
        raise UnknownNameError.of("pool_mode", pool_mode, ("max", "avg"))
    pool = ops.max_pool if pool_mode == "max" else ops.average_pool
    return pool(x, pool_size, strides, padding, _format(data_format))


pool3d = pool2d
