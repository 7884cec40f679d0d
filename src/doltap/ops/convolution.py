"""Windows that move over pictures: convolution, pooling, patches.

Arrays are (batch, places..., channels), or with `data_format="channels_first"`
(batch, channels, places...). One place axis is a signal, two are a picture,
three a volume.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from doltap.errors import ShapeError, UnknownNameError
from doltap.ops.arrangement import rearrange
from doltap.ops.conversion import Tensor, as_array, fractions, promoted_fractions
from doltap.ops.protocol import operation

__all__ = ["adaptive_average_pool", "adaptive_max_pool", "average_pool", "conv", "conv_transpose"]
__all__ += [
    "depth_to_space",
    "depthwise_conv",
    "fold",
    "max_pool",
    "separable_conv",
    "space_to_depth",
    "unfold",
]

Lengths = int | Sequence[int]


def _each(lengths: Lengths, count: int) -> tuple[int, ...]:
    """One length for each place axis."""
    return (lengths,) * count if isinstance(lengths, int) else tuple(lengths)


def _is_first(data_format: str | None) -> bool:
    """Whether the channels come before the places."""
    known = ("channels_last", "channels_first")
    if data_format is not None and data_format not in known:
        raise UnknownNameError.of("data_format", data_format, known)
    return data_format == "channels_first"


def _padding(padding: str) -> str:
    if str(padding).lower() not in ("valid", "same"):
        raise UnknownNameError.of("padding", padding, ("valid", "same"))
    return padding.upper()


# Pooling


def _pool(
    inputs: Array,
    start: Any,
    combine: Callable[..., Any],
    sizes: tuple[int, ...],
    strides: tuple[int, ...],
    padding: str,
    data_format: str | None,
) -> Array:
    """All numbers under each window, combined into one."""

    def with_channels(lengths: tuple[int, ...]) -> tuple[int, ...]:
        return (1, 1, *lengths) if _is_first(data_format) else (1, *lengths, 1)

    window, steps = with_channels(sizes), with_channels(strides)
    return lax.reduce_window(inputs, start, combine, window, steps, _padding(padding))


@operation()
def max_pool(
    inputs: Tensor,
    pool_size: Lengths,
    strides: Lengths | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Array:
    """The largest number under each window.

    Args:
        pool_size: the window's lengths.
        strides: how far it moves each time; None means as far as it is long.
        padding: "valid" keeps windows inside, "same" lets one begin at each stride.
    """
    x = as_array(inputs)
    sizes = _each(pool_size, x.ndim - 2)
    moves = sizes if strides is None else _each(strides, x.ndim - 2)
    is_whole = jnp.issubdtype(x.dtype, jnp.integer)
    lowest = jnp.iinfo(x.dtype).min if is_whole else -jnp.inf
    return _pool(x, np.array(lowest, x.dtype), lax.max, sizes, moves, padding, data_format)


@operation()
def average_pool(
    inputs: Tensor,
    pool_size: Lengths,
    strides: Lengths | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Array:
    """The mean of the numbers under each window; what lies outside the picture does not count.

    Arguments as in `max_pool`.
    """
    x = fractions(inputs)
    sizes = _each(pool_size, x.ndim - 2)
    moves = sizes if strides is None else _each(strides, x.ndim - 2)
    zero = np.array(0, x.dtype)
    total = _pool(x, zero, lax.add, sizes, moves, padding, data_format)
    if _padding(padding) == "VALID":
        return total / math.prod(sizes)
    return total / _pool(jnp.ones_like(x), zero, lax.add, sizes, moves, padding, data_format)


@operation()
def adaptive_average_pool(inputs: Tensor, output_size: Lengths, data_format: str | None = None) -> Array:
    """The means of windows that are chosen so that the result has this size."""
    return _adaptive(fractions(inputs), output_size, jnp.mean, data_format)


@operation()
def adaptive_max_pool(inputs: Tensor, output_size: Lengths, data_format: str | None = None) -> Array:
    """The largest numbers under windows that are chosen so that the result has this size."""
    return _adaptive(as_array(inputs), output_size, jnp.max, data_format)


def _adaptive(x: Array, output_size: Lengths, combine: Callable[..., Any], data_format: str | None) -> Array:
    first = 2 if _is_first(data_format) else 1
    for axis, wanted in enumerate(_each(output_size, x.ndim - 2), first):
        length = x.shape[axis]
        # Each window begins where its share of the axis does, rounded outwards at both ends.
        parts = [
            lax.slice_in_dim(x, number * length // wanted, -(-(number + 1) * length // wanted), axis=axis)
            for number in range(wanted)
        ]
        x = jnp.concatenate([combine(part, axis=axis, keepdims=True) for part in parts], axis)
    return x


# Convolution


def _layout(num_places: int, data_format: str | None) -> tuple[str, str, str]:
    """Where batch, places and channels lie in inputs, kernel and result, as JAX writes it."""
    places = "DHW"[3 - num_places :]
    data = f"NC{places}" if _is_first(data_format) else f"N{places}C"
    return data, f"{places}IO", data


def _channels(x: Array, data_format: str | None) -> int:
    return int(x.shape[1 if _is_first(data_format) else -1])


@operation()
def conv(
    inputs: Tensor,
    kernel: Tensor,
    strides: Lengths = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Lengths = 1,
) -> Array:
    """At each place the sum of what lies under the kernel, times the kernel.

    Args:
        kernel: (lengths..., channels in, channels out). With fewer channels than
            the inputs have, these are taken in groups.
        strides: how far the kernel moves each time.
        padding: "valid" keeps it inside, "same" lets it begin at each stride.
        dilation_rate: the distance of the places that it looks at.
    """
    x, kernel = promoted_fractions(inputs, kernel)
    channels = _channels(x, data_format)
    if channels % kernel.shape[-2]:
        raise ShapeError(
            "ops.conv",
            expected=f"inputs whose channels are a multiple of the kernel's {kernel.shape[-2]}",
            got=f"{channels} (inputs {tuple(x.shape)}, kernel {tuple(kernel.shape)})",
            fix="Check data_format=, or the last but one length of the kernel.",
        )
    return lax.conv_general_dilated(
        x,
        kernel,
        _each(strides, x.ndim - 2),
        _padding(padding),
        rhs_dilation=_each(dilation_rate, x.ndim - 2),
        dimension_numbers=_layout(x.ndim - 2, data_format),
        feature_group_count=channels // kernel.shape[-2],
    )


@operation()
def depthwise_conv(
    inputs: Tensor,
    kernel: Tensor,
    strides: Lengths = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Lengths = 1,
) -> Array:
    """A convolution of each channel for itself.

    Args:
        kernel: (lengths..., channels, results for each channel).

    The other arguments as in `conv`.
    """
    kernel = as_array(kernel)
    *lengths, channels, multiplier = kernel.shape
    grouped = kernel.reshape(*lengths, 1, channels * multiplier)
    return conv(inputs, grouped, strides, padding, data_format, dilation_rate)


@operation()
def separable_conv(
    inputs: Tensor,
    depthwise_kernel: Tensor,
    pointwise_kernel: Tensor,
    strides: Lengths = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Lengths = 1,
) -> Array:
    """A convolution of each channel for itself, and then a mixture of the channels.

    Args:
        depthwise_kernel: as in `depthwise_conv`.
        pointwise_kernel: (1..., channels of the first result, channels out).

    The other arguments as in `conv`.
    """
    each = depthwise_conv(inputs, depthwise_kernel, strides, padding, data_format, dilation_rate)
    return conv(each, pointwise_kernel, 1, "valid", data_format)


@operation()
def conv_transpose(
    inputs: Tensor,
    kernel: Tensor,
    strides: Lengths = 1,
    padding: str = "valid",
    output_padding: Lengths | None = None,
    data_format: str | None = None,
    dilation_rate: Lengths = 1,
) -> Array:
    """The gradient of a convolution, used forwards: each number spreads the kernel around it.

    Args:
        kernel: (lengths..., channels out, channels in).
        output_padding: how much longer the result is made at the end; None means
            so long that with "same" it is the input times the stride.

    The other arguments as in `conv`.
    """
    x, kernel = promoted_fractions(inputs, kernel)
    count = x.ndim - 2
    steps, gaps = _each(strides, count), _each(dilation_rate, count)
    added = (None,) * count if output_padding is None else _each(output_padding, count)
    lengths = [(length - 1) * gap + 1 for length, gap in zip(kernel.shape[:count], gaps, strict=True)]
    margins = [
        _margins(length, step, extra, _padding(padding) == "SAME")
        for length, step, extra in zip(lengths, steps, added, strict=True)
    ]
    layout = _layout(count, data_format)
    return lax.conv_transpose(
        x, kernel, steps, margins, gaps, dimension_numbers=layout, transpose_kernel=True
    )


def _margins(length: int, step: int, extra: int | None, is_same: bool) -> tuple[int, int]:
    """How many zeros go before and after an axis, for the result to have Keras's length."""
    if not is_same:
        return length - 1, length - 1 + (max(step - length, 0) if extra is None else extra)
    total = length + step - 2 if extra is None else length + length % 2 - 2 + extra
    before = min(-(-total // 2), length - 1)
    return before, total - before


# Patches and blocks


def _numbers(lengths: Lengths) -> tuple[int, int]:
    rows, columns = _each(lengths, 2)
    return rows, columns


@operation()
def unfold(
    x: Tensor, kernel_size: Lengths, dilation: Lengths = 1, padding: Lengths = 0, stride: Lengths = 1
) -> Array:
    """The patches under a window that moves over a picture, as columns.

    Args:
        x: (batch, channels, rows, columns).
        padding: how many zeros go around the picture first.

    Returns:
        (batch, channels * window, patches)
    """
    patches = lax.conv_general_dilated_patches(
        as_array(x),
        _numbers(kernel_size),
        _numbers(stride),
        [(each, each) for each in _numbers(padding)],
        rhs_dilation=_numbers(dilation),
    )
    return patches.reshape(*patches.shape[:2], -1)


@operation()
def fold(
    x: Tensor,
    output_size: Lengths,
    kernel_size: Lengths,
    dilation: Lengths = 1,
    padding: Lengths = 0,
    stride: Lengths = 1,
) -> Array:
    """The picture that the columns of `unfold` make; where patches overlap they are added.

    Args:
        output_size: the picture's rows and columns.

    The other arguments are those that `unfold` was given.
    """
    x = fractions(x)
    channels = x.shape[1] // math.prod(_numbers(kernel_size))
    picture = jnp.zeros((x.shape[0], channels, *_numbers(output_size)), x.dtype)
    # Adding patches up is what the gradient of cutting them out does.
    columns, added = jax.vjp(lambda y: unfold(y, kernel_size, dilation, padding, stride), picture)
    if columns.shape != x.shape:
        raise ShapeError(
            "ops.fold",
            expected=f"the columns of a picture of {_numbers(output_size)}, shape {tuple(columns.shape)}",
            got=f"shape {tuple(x.shape)}",
            fix="Give the arguments that ops.unfold was given.",
        )
    return added(x)[0]


@operation()
def depth_to_space(x: Tensor, block_size: int, data_format: str = "channels_last") -> Array:
    """Pictures `block_size` times as high and wide, from as many channels fewer.

    >>> depth_to_space([[[[1, 2, 3, 4]]]], 2)[0, :, :, 0].tolist()
    [[1, 2], [3, 4]]
    """
    if _is_first(data_format):
        return rearrange(x, "b (c i j) h w -> b c (h i) (w j)", i=block_size, j=block_size)
    return rearrange(x, "b h w (i j c) -> b (h i) (w j) c", i=block_size, j=block_size)


@operation()
def space_to_depth(x: Tensor, block_size: int, data_format: str = "channels_last") -> Array:
    """Pictures whose blocks have become channels: `depth_to_space` undone."""
    if _is_first(data_format):
        return rearrange(x, "b c (h i) (w j) -> b (c i j) h w", i=block_size, j=block_size)
    return rearrange(x, "b (h i) (w j) c -> b h w (i j c)", i=block_size, j=block_size)
