"""Choices and loops inside a compiled program.

They take functions and run them on arrays. A symbolic tensor notes the call
down; a network with such a call trains, and no file can hold it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from doltap.errors import DataError
from doltap.ops.conversion import Tensor, as_array
from doltap.ops.protocol import needs_arrays, runs_functions

__all__ = ["associative_scan", "cond", "custom_gradient", "fori_loop", "map", "scan", "switch"]
__all__ += ["vectorized_map", "while_loop"]


def _arrays(values: Any) -> Any:
    """Every number in lists, tuples and dicts as an array that has a type of its own."""
    return jax.tree.map(as_array, values)


@runs_functions
def cond(pred: Tensor, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    """What one of two functions gives, chosen when the program runs.

    Args:
        pred: a single yes or no.
        true_fn: called without arguments if it is yes.
        false_fn: called if it is no; gives arrays of the same shapes and types.
    """
    return jax.lax.cond(as_array(pred).astype(bool), lambda: _arrays(true_fn()), lambda: _arrays(false_fn()))


@runs_functions
def switch(index: Tensor, branches: Sequence[Callable[..., Any]], *operands: Tensor) -> Any:
    """What one of several functions gives, chosen by its number when the program runs.

    A number too small or too large takes the first or the last.

    >>> switch(1, [lambda x: x + 1, lambda x: x * 10], 3).item()
    30
    """
    return jax.lax.switch(as_array(index), branches, *_arrays(operands))


@runs_functions
def while_loop(
    cond: Callable[..., Any], body: Callable[..., Any], loop_vars: Any, maximum_iterations: int | None = None
) -> Any:
    """What is left when `body` has changed the variables as long as `cond` held.

    Args:
        cond: takes the variables, gives a single yes or no.
        body: takes the variables, gives their next values, of the same shapes and types.
        loop_vars: the first values: a list or tuple, or a single one.
        maximum_iterations: stop then at the latest.

    >>> while_loop(lambda i: i < 10, lambda i: i * 2, 1).item()
    16
    """
    is_single = not isinstance(loop_vars, (list, tuple))
    limit = jnp.iinfo(jnp.int32).max if maximum_iterations is None else maximum_iterations

    def goes_on(state: Any) -> Any:
        count, values = state
        return (count < limit) & cond(*values)

    def next_state(state: Any) -> Any:
        count, values = state
        found = body(*values)
        given = tuple(found) if isinstance(found, (list, tuple)) else (found,)
        return count + (maximum_iterations is not None), _arrays(given)

    first = _arrays((loop_vars,) if is_single else tuple(loop_vars))
    _, values = jax.lax.while_loop(goes_on, next_state, (jnp.int32(0), first))
    return values[0] if is_single else values


@runs_functions
def fori_loop(lower: Tensor, upper: Tensor, body_fun: Callable[[Any, Any], Any], init_val: Any) -> Any:
    """What is left when `body_fun(number, value)` was called for each number before `upper`.

    >>> fori_loop(1, 4, lambda i, total: total + i, 0).item()
    6
    """
    return jax.lax.fori_loop(lower, upper, lambda i, value: _arrays(body_fun(i, value)), _arrays(init_val))


@runs_functions
def scan(
    f: Callable[[Any, Any], tuple[Any, Any]],
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: int | bool = 1,
) -> tuple[Any, Any]:
    """A loop over the first axis that carries a value along and keeps a result of each turn.

    Args:
        f: `f(carried, x) -> (carried, result)`.
        init: what is carried into the first turn.
        xs: arrays, one slice of which goes into each turn; None means nothing does.
        length: how many turns, if `xs` does not tell.
        reverse: whether to begin with the last slice.
        unroll: how many turns the program writes out one after the other.

    Returns:
        What was carried out of the last turn, and the results along a new first axis.

    >>> total, sums = scan(lambda total, x: (total + x, total + x), 0, jnp.array([1, 2, 3]))
    >>> total.item(), sums.tolist()
    (6, [1, 3, 6])
    """
    if not isinstance(unroll, int) or (unroll < 1 and unroll is not False):
        raise DataError(
            "ops.scan", expected="unroll= from 1 on, or a boolean", got=repr(unroll), fix="Leave it out."
        )
    return jax.lax.scan(
        lambda carried, x: _arrays(f(carried, x)), _arrays(init), _arrays(xs), length, reverse, unroll
    )


@runs_functions
def associative_scan(f: Callable[[Any, Any], Any], elems: Any, reverse: bool = False, axis: int = 0) -> Any:
    """The result of `f` over each element and all before it, in few parallel steps.

    Args:
        f: a function of two slices for which the order of brackets does not matter.

    >>> associative_scan(jnp.add, jnp.array([1, 2, 3])).tolist()
    [1, 3, 6]
    """
    return jax.lax.associative_scan(f, _arrays(elems), reverse, axis)


@runs_functions
def map(f: Callable[[Any], Any], xs: Any) -> Any:
    """The function's results for each slice along the first axis, one after the other.

    >>> map(lambda row: row.sum(), [[1, 2], [3, 4]]).tolist()
    [3, 7]
    """
    return jax.lax.map(f, _whole(xs))


@runs_functions
def vectorized_map(function: Callable[[Any], Any], elements: Any) -> Any:
    """The function's results for each slice along the first axis, all at once.

    >>> vectorized_map(lambda row: row.sum(), [[1, 2], [3, 4]]).tolist()
    [3, 7]
    """
    return jax.vmap(function)(_whole(elements))


def _whole(elements: Any) -> Any:
    """Arrays in lists and tuples as they are; nested lists of numbers as one array."""
    leaves = jax.tree.leaves(elements)
    is_numbers = all(isinstance(leaf, (bool, int, float)) for leaf in leaves)
    return as_array(elements) if is_numbers else _arrays(elements)


def custom_gradient(f: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator: the function brings its own gradient.

    Args:
        f: gives a pair: the result, and a function from the gradient of the
            result (`upstream`) to those of the arguments.

    >>> halved = custom_gradient(lambda x: (x, lambda upstream: upstream / 2))
    >>> jax.grad(halved)(1.0).item()
    0.5
    """
    function = jax.custom_gradient(f)

    def call(*arguments: Any, **keywords: Any) -> Any:
        return function(*_arrays(arguments), **_arrays(keywords))

    return needs_arrays(functools.wraps(f)(call))
