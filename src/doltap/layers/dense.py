"""Every output is a weighted sum of all inputs: the dense layer.

One layer, one file; precision, regularization and the like are passes over a
model, never cases in here.
"""

from __future__ import annotations

from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from doltap import activations, old_names
from doltap.core.layer import Layer
from doltap.dtypes import is_float
from doltap.errors import ShapeError

__all__ = ["Dense"]


@jax.custom_vjp
def _product(inputs: jax.Array, kernel: jax.Array) -> jax.Array:
    return inputs @ kernel


def _product_forward(inputs: jax.Array, kernel: jax.Array) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
    return inputs @ kernel, (inputs, kernel)


def _product_backward(saved: tuple[jax.Array, jax.Array], gradient: jax.Array) -> tuple[jax.Array, jax.Array]:
    inputs, kernel = saved
    rows = inputs.reshape(-1, inputs.shape[-1])
    gradients = gradient.reshape(-1, gradient.shape[-1])
    # On the CPU XLA computes (dyᵀ x)ᵀ up to twice as fast as xᵀ dy.
    return gradient @ kernel.T, (gradients.T @ rows).T


_product.defvjp(_product_forward, _product_backward)


class Dense(Layer):
    """`activation(inputs @ kernel + bias)`, as Keras 3.

    Input (batch, ..., features), output (batch, ..., units).

    Args:
        units: number of outputs.
        activation: name or function; None leaves the sum as it is.
        use_bias: whether a number of its own is added to each output.
        kernel_initializer: where the kernel (features, units) starts.
        bias_initializer: where the bias (units,) starts.

    Regularizers and constraints of `kernel` and `bias` as in `Layer`.

    >>> layer = Dense(3, activation="relu")
    >>> layer([[1.0, 2.0]]).shape
    (1, 3)
    """

    supports_masking = True
    initial: ClassVar = {"kernel": "glorot_uniform", "bias": "zeros"}

    def __init__(
        self,
        units: Any = None,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        **keywords: Any,
    ) -> None:
        starts = {"kernel_initializer": kernel_initializer, "bias_initializer": bias_initializer}
        modern = {"units": units, "use_bias": use_bias, **starts, **old_names.translate("dense", keywords)}
        units, self.use_bias = modern.pop("units"), bool(modern.pop("use_bias"))
        super().__init__(**modern)
        self.units = _checked_units(units)
        self.activation = activations.get(activation)

    def build(self, input_shape: Any) -> None:
        """Make the kernel and the bias."""
        if len(input_shape) < 2 or input_shape[-1] is None:
            raise ShapeError(
                f"layer '{self.name}'",
                expected="rows with a known number of features, shape (batch, features)",
                got=f"shape {tuple(input_shape)}",
                fix="Give x two dimensions, for example x.reshape(-1, 1) for a single column.",
            )
        self.kernel = self.add_weight((input_shape[-1], self.units), name="kernel")
        if self.use_bias:
            self.bias = self.add_weight((self.units,), name="bias")

    def call(self, inputs: Any) -> Any:
        """The weighted sums, through the activation."""
        kernel = self.kernel.read()
        if inputs.shape[-1:] != kernel.shape[:1]:
            raise _other_features(self.name, len(kernel), inputs.shape)
        if inputs.dtype != kernel.dtype:
            # Whole numbers, or what `autocast=False` left as it was.
            wide = jnp.promote_types(inputs.dtype, kernel.dtype) if is_float(inputs.dtype) else kernel.dtype
            inputs, kernel = inputs.astype(wide), kernel.astype(wide)
        outputs = _product(inputs, kernel)
        if self.use_bias:
            outputs = outputs + self.bias.read()
        return self.activation(outputs)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """The input's shape with `units` as its last length."""
        return (*input_shape[:-1], self.units)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        return {
            **super().get_config(),
            "units": self.units,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
        }


def _other_features(name: str, num_features: int, shape: tuple[int, ...]) -> ShapeError:
    return ShapeError(
        f"layer '{name}'",
        expected=f"{num_features} features per row",
        got=f"shape {tuple(shape)}",
        fix=f"It was built on {num_features} columns; make a new layer or check the columns of its input.",
    )


def _checked_units(units: Any) -> int:
    if isinstance(units, bool) or not hasattr(units, "__index__") or int(units) < 1:
        raise ShapeError(
            "Dense(units)",
            expected="a whole number of outputs, 1 or more",
            got=repr(units),
            fix="For example Dense(10).",
        )
    return int(units)
