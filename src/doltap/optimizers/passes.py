"""What may be done around a rule: decay, clipping, averages, gathering of gradients.

A pass takes the step that is inside it, `inner`, and everything that step
takes; it changes what goes in or what comes out. The rules know none of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from doltap import dtypes
from doltap.optimizers.schedules import rate_at

__all__ = ["IN_ORDER", "SLOTS"]

Groups = list[dict[str, Any]]
Step = Callable[..., tuple[list[Any], Groups]]
Moved = tuple[list[Any], Groups]
Rates = dict[str, Any]


def follow_schedule(
    optimizer: Any, inner: Step, weights: list, gradients: list, slots: Groups, step: Any, rates: Rates
) -> Moved:
    """The learning rate comes from the number of the step."""
    rate = rate_at(optimizer.schedule, step)
    return inner(weights, gradients, slots, step, {**rates, "learning_rate": rate})


def slow_down(
    optimizer: Any, inner: Step, weights: list, gradients: list, slots: Groups, step: Any, rates: Rates
) -> Moved:
    """The learning rate falls as the first Keras let it: `rate / (1 + decay * step)`."""
    rate = rates["learning_rate"] / (1.0 + rates["decay"] * step.astype(dtypes.wide()))
    return inner(weights, gradients, slots, step, {**rates, "learning_rate": rate})


def constrain(
    optimizer: Any, inner: Step, weights: list, gradients: list, slots: Groups, step: Any, rates: Rates
) -> Moved:
    """After the step, each weight goes through its own constraint."""
    weights, slots = inner(weights, gradients, slots, step, rates)
    rules = [variable.constraint for variable in optimizer._moved]
    return [
        weight if rule is None else jnp.asarray(rule(weight), weight.dtype)
        for rule, weight in zip(rules, weights, strict=True)
    ], slots


def unscale(
    optimizer: Any, inner: Step, weights: list, gradients: list, slots: Groups, step: Any, rates: Rates
) -> Moved:
    """The gradients of a loss that was made larger become those of the loss itself."""
    true = [gradient / optimizer.loss_scale_factor for gradient in gradients]
    return inner(weights, true, slots, step, rates)


def average(
    optimizer: Any, inner: Step, weights: list, gradients: list, slots: Groups, step: Any, rates: Rates
) -> Moved:
    """A moving average of the weights is kept, and sometimes put in their place."""
    averages, slots = _apart("average", weights, slots)
    weights, slots = inner(weights, gradients, slots, step, rates)
    # Keras counts updates here, also where a gradient is gathered over several batches.
    updates = step // (optimizer.gradient_accumulation_steps or 1)
    kept = jnp.where(updates == 0, 0.0, optimizer.ema_momentum)
    averages = [
        kept.astype(weight.dtype) * average + (1.0 - kept).astype(weight.dtype) * weight
        for average, weight in zip(averages, weights, strict=True)
    ]
    if optimizer.ema_overwrite_frequency:
        is_time = (updates + 1) % optimizer.ema_overwrite_frequency == 0
        weights = [jnp.where(is_time, *pair) for pair in zip(averages, weights, strict=True)]
    return weights, _together("average", averages, slots)


def accumulate(
    optimizer: Any, inner: Step, weights: list, gradients: list, slots: Groups, step: Any, rates: Rates
) -> Moved:
    """Gradients are added up, and every so often their mean makes one update."""
    count = optimizer.gradient_accumulation_steps
    sums, slots = _apart("gradient_accumulator", weights, slots)
    sums = [total + gradient for total, gradient in zip(sums, gradients, strict=True)]

    def update() -> Moved:
        means = [total / count for total in sums]
        moved, groups = inner(weights, means, slots, step // count, rates)
        return moved, _together("gradient_accumulator", [jnp.zeros_like(total) for total in sums], groups)

    def wait() -> Moved:
        return list(weights), _together("gradient_accumulator", sums, slots)

    return jax.lax.cond((step + 1) % count == 0, update, wait)


def clip_each(
    optimizer: Any, inner: Step, weights: list, gradients: list, slots: Groups, step: Any, rates: Rates
) -> Moved:
    """No gradient is longer than `clipnorm`."""
    longest = optimizer.clipnorm
    clipped = [_times(gradient, longest / jnp.maximum(_norm([gradient]), longest)) for gradient in gradients]
    return inner(weights, clipped, slots, step, rates)


def clip_together(
    optimizer: Any, inner: Step, weights: list, gradients: list, slots: Groups, step: Any, rates: Rates
) -> Moved:
    """All gradients taken as one are no longer than `global_clipnorm`."""
    longest, norm = optimizer.global_clipnorm, _norm(gradients)
    # A length that is no number shows in the weights, as in Keras, instead of turning into a small step.
    share = jnp.where(jnp.isfinite(norm), longest / jnp.maximum(norm, longest), jnp.nan)
    return inner(weights, [_times(gradient, share) for gradient in gradients], slots, step, rates)


def clip_values(
    optimizer: Any, inner: Step, weights: list, gradients: list, slots: Groups, step: Any, rates: Rates
) -> Moved:
    """No number in a gradient is larger than `clipvalue`, nor smaller than its negative."""
    most = optimizer.clipvalue
    return inner(weights, [jnp.clip(gradient, -most, most) for gradient in gradients], slots, step, rates)


def decay_weights(
    optimizer: Any, inner: Step, weights: list, gradients: list, slots: Groups, step: Any, rates: Rates
) -> Moved:
    """Weights shrink towards 0 by a share of the learning rate, before the step."""

    def smaller(weight: Any, name: str | None) -> Any:
        if name is None:
            return weight
        decay, rate = rates[name].astype(weight.dtype), rates["learning_rate"].astype(weight.dtype)
        return weight - weight * decay * rate

    shares = [optimizer.decay_of(variable) for variable in optimizer._moved]
    weights = [smaller(*pair) for pair in zip(weights, shares, strict=True)]
    return inner(weights, gradients, slots, step, rates)


def move_together(
    optimizer: Any, inner: Step, weights: list, gradients: list, slots: Groups, step: Any, rates: Rates
) -> Moved:
    """An optimizer that is no rule for one weight moves all of them itself."""
    return optimizer.move_together(weights, gradients, slots, step, rates)


def share(
    optimizer: Any, inner: Step, weights: list, gradients: list, slots: Groups, step: Any, rates: Rates
) -> Moved:
    """What all weights share is brought up to date first, and reaches the rule among the rates."""
    shared = optimizer.update_shared(slots[-1], (step + 1).astype(dtypes.wide()), rates)
    weights, groups = inner(weights, gradients, slots[:-1], step, {**rates, **shared})
    return weights, [*groups, shared]


def _norm(gradients: list) -> Any:
    """The length of all gradients taken as one vector."""
    squares = [jnp.sum(jnp.square(gradient.astype(_wide(gradient)))) for gradient in gradients]
    return jnp.sqrt(sum(squares[1:], start=squares[0]))


def _times(gradient: Any, factor: Any) -> Any:
    return (gradient.astype(_wide(gradient)) * factor).astype(gradient.dtype)


def _wide(gradient: Any) -> Any:
    # The square of 300 is beyond half precision.
    return dtypes.widened(gradient.dtype)


def _apart(name: str, weights: list, slots: Groups) -> tuple[list[Any], Groups]:
    """The slots of that name, and the groups without them."""
    own = [group[name] for group in slots[: len(weights)]]
    return own, [{key: slot for key, slot in group.items() if key != name} for group in slots]


def _together(name: str, own: list[Any], slots: Groups) -> Groups:
    groups = [{**group, name: slot} for group, slot in zip(slots, own, strict=False)]
    return [*groups, *slots[len(own) :]]


# From the outermost inward, each with the attribute of the optimizer that asks for it.
IN_ORDER: tuple[tuple[str, Callable[..., Moved]], ...] = (
    ("schedule", follow_schedule),
    ("has_decay", slow_down),
    ("constraints", constrain),
    ("loss_scale_factor", unscale),
    ("use_ema", average),
    ("gradient_accumulation_steps", accumulate),
    ("clipnorm", clip_each),
    ("global_clipnorm", clip_together),
    ("clipvalue", clip_values),
    ("decays", decay_weights),
    ("moves_together", move_together),
    ("_shared", share),
)

# The arrays that passes remember for a weight, in the order of Keras's files.
SLOTS = (("use_ema", "average"), ("gradient_accumulation_steps", "gradient_accumulator"))
