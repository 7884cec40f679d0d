"""The loops of `program` for many members at once: what each carries is stacked, its first axis the member.

A member whose steps are done stays as it is while the others go on; so does
one that was given none.
"""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from doltap import dtypes
from doltap.training.batches import Layout
from doltap.training.program import Given, Recipe, State, rows_in_order, train_loop

__all__ = ["Sizes", "test_members", "train_members"]

# What has an axis of members, and what is for all of them.
_EACH: Any = 0
_SAME: Any = None


class Sizes(NamedTuple):
    """How many rows and batches an epoch of each member has: folds may differ."""

    num_rows: Any
    num_batches: Any

    def of(self, layout: Layout) -> Layout:
        """The layout with these sizes, which only a run knows."""
        return dataclasses.replace(layout, num_rows=self.num_rows, num_batches=self.num_batches)


def train_members(
    recipe: Recipe,
    layout: Layout,
    states: State,
    given: Given,
    orders: Any,
    starts: Any,
    stops: Any,
    sizes: Sizes,
    weights: Any,
) -> tuple[State, Any, Any]:
    """What `train_loop` gives for each member.

    Args:
        states: of all members, stacked; so are rates, factors, seeds, `given.halts`,
            orders, starts, stops and sizes. The data is for all.
        weights: sample weights of each member's own, stacked, in the place of those
            in the data; None where there are none.
    """

    def train(state: State, given: Given, order: Any, start: Any, stop: Any, sizes: Sizes, own: Any) -> Any:
        return train_loop(recipe, sizes.of(layout), state, _with(given, own), order, start, stop)

    axes = (_EACH, Given((_EACH, _EACH), _EACH, _SAME, _SAME, _EACH, _EACH), *[_EACH] * 5)
    return jax.vmap(train, in_axes=axes)(states, given, orders, starts, stops, sizes, weights)


def test_members(
    recipe: Recipe,
    layout: Layout,
    states: State,
    given: Given,
    orders: Any,
    starts: Any,
    stops: Any,
    sizes: Sizes,
    weights: Any,
) -> tuple[list[Any], Any]:
    """The totals and the logs (members, names) of each member's own rows.

    Args:
        orders: the numbers of the rows of each member, or one line for all.

    The others are as of `train_members`; the state has neither slots nor steps.
    """

    def test(state: State, given: Given, order: Any, start: Any, stop: Any, sizes: Sizes, own: Any) -> Any:
        mine, seen = sizes.of(layout), _with(given, own)

        def body(number: Any, carry: tuple[State, Any]) -> tuple[State, Any]:
            return recipe.step(carry[0], seen, rows_in_order(mine, seen, order, number))

        cleared = recipe.cleared(state.totals)
        totals = [jnp.where(given.fresh, *pair) for pair in zip(cleared, state.totals, strict=True)]
        line = jnp.zeros(recipe.width, dtypes.wide())
        state, line = jax.lax.fori_loop(start, stop, body, (state._replace(totals=totals), line))
        return state.totals, line

    axes = (
        State(_EACH, _EACH, _SAME, _EACH, _SAME),
        Given((_SAME, _EACH), _SAME, _SAME, _SAME, _SAME, _EACH),
        _EACH if orders.ndim == 2 else _SAME,
        *[_EACH] * 4,
    )
    return jax.vmap(test, in_axes=axes)(states, given, orders, starts, stops, sizes, weights)


def _with(given: Given, own: Any) -> Given:
    """What is given, with sample weights of a member's own."""
    x, y, _ = given.data
    return given if own is None else given._replace(data=(x, y, own))
