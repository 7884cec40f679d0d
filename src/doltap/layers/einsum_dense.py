"""A dense layer over any axes, told by an equation of letters.

The letters of the equation give every shape; the rest is one `einsum`.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar, NamedTuple

import jax.numpy as jnp

from doltap import activations, initializers
from doltap.core.layer import Layer, as_shape
from doltap.errors import ShapeError

__all__ = ["EinsumDense"]

_EQUATION = re.compile(r"(\.\.\.)?([a-zA-Z]+)(\.\.\.)?,([a-zA-Z]+)->(\.\.\.)?([a-zA-Z]+)(\.\.\.)?")


class EinsumDense(Layer):
    """`activation(einsum(equation, inputs, kernel) + bias)`.

    Args:
        equation: "input,kernel->output" in letters, such as "abc,cd->abd";
            "..." at the same side of input and output stands for any more axes.
        output_shape: lengths of the output's letters without the batch; None
            for those that the input tells.
        activation: name or function; None leaves the sum as it is.
        bias_axes: the output's letters that have a bias of their own; None for no bias.
        kernel_initializer: where the kernel starts.
        bias_initializer: where the bias starts.

    Regularizers and constraints of `kernel` and `bias` as in `Layer`.

    >>> layer = EinsumDense("abc,cd->abd", output_shape=(None, 64), bias_axes="d")
    >>> layer.compute_output_shape((None, 32, 128))
    (None, 32, 64)
    """

    initial: ClassVar = {"kernel": "glorot_uniform", "bias": "zeros"}

    def __init__(
        self,
        equation: str,
        output_shape: Any,
        activation: Any = None,
        bias_axes: str | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        **keywords: Any,
    ) -> None:
        starts = {"kernel_initializer": kernel_initializer, "bias_initializer": bias_initializer}
        super().__init__(**starts, **keywords)
        self.equation = str(equation).replace(" ", "")
        self.partial_output_shape = as_shape(output_shape)
        self.activation = activations.get(activation)
        self.bias_axes = bias_axes
        self._letters = _letters_of(self.name, self.equation, bias_axes or "")

    def build(self, input_shape: Any) -> None:
        """Make the kernel and the bias."""
        sizes, output = self._sizes(input_shape)
        _, kernel_letters, output_letters = self._letters.parts
        shape = [sizes[letter] for letter in kernel_letters]
        if None in shape:
            raise self._misfit("a known length of each of the kernel's letters", input_shape)
        start = self.kernel_initializer
        if isinstance(start, initializers.VarianceScaling) and None in (start.input_axes, start.output_axes):
            inward = [axis for axis, letter in enumerate(kernel_letters) if letter not in output_letters]
            outward = [axis for axis, letter in enumerate(kernel_letters) if letter in output_letters]
            start = start.from_config({**start.get_config(), "input_axes": inward, "output_axes": outward})
        self.kernel = self.add_weight(shape, start, name="kernel")
        self.bias = None
        if self.bias_axes:
            first = min(output_letters.index(letter) for letter in self.bias_axes)
            own = [sizes[letter] if letter in self.bias_axes else 1 for letter in output_letters[first:]]
            behind = len(output) - len(output_letters) if self._letters.side == "right" else 0
            self.bias = self.add_weight([*own, *[1] * behind], name="bias")

    def call(self, inputs: Any) -> Any:
        """The sums, through the activation."""
        self._sizes(inputs.shape)
        outputs = jnp.einsum(self.equation, inputs.astype(self.compute_dtype), self.kernel.read())
        return self.activation(outputs if self.bias is None else outputs + self.bias.read())

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """The output's shape, with the lengths that the input tells filled in."""
        return self._sizes(input_shape)[1]

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        sums = {"equation": self.equation, "output_shape": self.partial_output_shape}
        activation = activations.serialize(self.activation)
        return {**super().get_config(), **sums, "activation": activation, "bias_axes": self.bias_axes}

    def _sizes(self, shape: Any) -> tuple[dict[str, int | None], tuple[int | None, ...]]:
        """The length of each letter, and the shape of the output."""
        (read, _, written), side = self._letters
        more = len(shape) - len(read)
        if more < 0 or (more and side is None):
            raise self._misfit(f"an input with {len(read)} dimensions{' or more' if side else ''}", shape)
        # The axes that "..." stands for lie in front of the letters or behind them.
        front, behind = (more, 0) if side == "left" else (0, more)
        sizes = dict(zip(read, shape[front : len(shape) - behind], strict=True))
        batch = () if front else tuple(shape[:1])
        given = (*batch, *self.partial_output_shape)
        if len(given) != len(written):
            raise self._misfit(f"output_shape= with {len(written) - len(batch)} lengths", shape)
        for letter, size in zip(written, given, strict=True):
            known = sizes.get(letter)
            if None not in (known, size) and known != size:
                raise self._misfit(f"one length for '{letter}'", shape)
            sizes[letter] = size if known is None else known
        output = tuple(sizes[letter] for letter in written)
        return sizes, (*shape[:front], *output, *shape[len(shape) - behind :])

    def _misfit(self, expected: str, shape: Any) -> ShapeError:
        return ShapeError(
            f"layer '{self.name}'",
            expected=expected,
            got=f"an input of shape {tuple(shape)} and output_shape={self.partial_output_shape}",
            fix=f"Each letter of '{self.equation}' stands for one length.",
        )


class _Letters(NamedTuple):
    """The letters of input, kernel and output, and the side on which "..." stands."""

    parts: tuple[str, str, str]
    side: str | None


def _letters_of(name: str, equation: str, bias_axes: str) -> _Letters:
    """The letters of an equation; an error if a layer cannot be made of it."""
    found = _EQUATION.fullmatch(equation)
    left, read, right, kernel, left_again, written, right_again = found.groups() if found else [""] * 7
    if not found or left != left_again or right != right_again or (left and right):
        raise _unfit(name, "an equation like 'abc,cd->abd', '...a,ab->...b' or 'ab...,bc->ac...'", equation)
    for letters, known, what in (
        (written, read + kernel, "output comes from the input or the kernel"),
        (kernel, read + written, "kernel is one of the input's or the output's"),
        (bias_axes, written, "bias is one of the output's"),
    ):
        strange = sorted(set(letters) - set(known))
        if strange:
            raise _unfit(name, f"that each letter of the {what}", f"'{strange[0]}' in {equation}")
    return _Letters((read, kernel, written), "left" if left else "right" if right else None)


def _unfit(name: str, expected: str, got: str) -> ShapeError:
    fix = "'abc,cd->abd' multiplies the last axis by a kernel (c, d)."
    return ShapeError(f"layer '{name}'", expected=expected, got=got, fix=fix)
