"""How unlikely the true numbers are under the predicted rates or distribution."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

from doltap import config
from doltap.losses.loss import Formula, align, functions, names

__all__ = ["KLD", "KLDivergence", "Poisson", "kl_divergence", "kld", "kullback_leibler_divergence", "poisson"]


@functions.register("kld", "kullback_leibler_divergence")
def kl_divergence(y_true: Any, y_pred: Any) -> Float[Array, "*batch"]:
    """How much more the predicted distribution is surprised by the truth than the true one.

    Args:
        y_true: (batch, classes) probabilities.
        y_pred: (batch, classes) probabilities.

    >>> round(float(kl_divergence([[0.0, 1.0]], [[0.5, 0.5]])[0]), 4)
    0.6931
    """
    y_true, y_pred = (jnp.clip(y, config.epsilon(), 1.0) for y in align(y_true, y_pred))
    return jnp.sum(y_true * jnp.log(y_true / y_pred), axis=-1)


@functions.register()
def poisson(y_true: Any, y_pred: Any) -> Float[Array, "*batch"]:
    """How surprised a Poisson distribution of the predicted rate is by the true count.

    What does not depend on the prediction is left out, so it may be below 0.

    Args:
        y_true: (batch, outputs) counts.
        y_pred: (batch, outputs) rates, above 0.

    >>> round(float(poisson([[3.0]], [[1.0]])[0]), 4)
    1.0
    """
    y_true, y_pred = align(y_true, y_pred)
    return jnp.mean(y_pred - y_true * jnp.log(y_pred + config.epsilon()), axis=-1)


kld = KLD = kullback_leibler_divergence = kl_divergence


@names.register("kld", "kullback_leibler_divergence")
class KLDivergence(Formula):
    """How far the predicted distribution is from the true one, in nats.

    >>> round(float(KLDivergence()([[0.0, 1.0]], [[0.5, 0.5]])), 4)
    0.6931
    """

    labels = "probabilities"
    function = kl_divergence


@names.register()
class Poisson(Formula):
    """For counts, where the prediction is their expected number."""

    labels = "numbers"
    function = poisson
