"""The outputs of a network for rows, piece by piece.

Rows that do not touch each other go through in large pieces, whatever the batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from doltap.callbacks import CallbackList
from doltap.training import cache
from doltap.training.program import Recipe

if TYPE_CHECKING:
    from doltap.reporting.progress import Display

__all__ = ["joined", "predict"]

_CHUNK_BYTES = 16 << 20
_CHUNK_ROWS = 1024


def predict(
    recipe: Recipe, x: Any, batch_size: int, listeners: CallbackList | None, display: Display | None
) -> Any:
    """The network's output for every row, as NumPy arrays of its own in the output's structure.

    Rows that do not touch each other go through in large pieces, the last one
    filled up to a power of two, so that few lengths are ever compiled.
    """
    exact = recipe.exact_batches or (
        listeners is not None and listeners.listens_to("on_predict_batch_end", "on_predict_batch_begin")
    )
    held = (recipe.weights, recipe.fixed, recipe.rates)
    arrays = tuple([variable.array for variable in group] for group in held)
    leaves = [x] if isinstance(x, np.ndarray) else jax.tree.leaves(x)
    count = len(leaves[0])
    if listeners is None and count == 1:
        return _predict_rows(recipe, arrays, x, 1, fill=False)
    size = batch_size if exact else max(batch_size, _chunk_rows(leaves))
    pieces = []
    for number, start in enumerate(range(0, count, size)):
        stop = min(start + size, count)
        if listeners:
            listeners.call("on_predict_batch_begin", number, {})
        part = jax.tree.map(lambda array, start=start, stop=stop: array[start:stop], x)
        pieces.append(_predict_rows(recipe, arrays, part, stop - start, fill=not exact))
        if listeners:
            listeners.call("on_predict_batch_end", number, {"outputs": pieces[-1]})
        if display:
            display.tick(-(-stop // batch_size), {})
    return joined(pieces)


def joined(pieces: Sequence[Any]) -> Any:
    """The outputs of several pieces, one after the other."""
    if len(pieces) == 1:
        return pieces[0]
    return jax.tree.map(lambda *arrays: np.concatenate(arrays), *pieces)


def _chunk_rows(leaves: Sequence[np.ndarray]) -> int:
    """How many rows go through at once: a power of two of at most some megabytes."""
    bytes_per_row = max(1, sum(array.nbytes for array in leaves) // len(leaves[0]))
    return min(_CHUNK_ROWS, 1 << max(0, (_CHUNK_BYTES // bytes_per_row).bit_length() - 1))


def _predict_rows(recipe: Recipe, arrays: tuple[Any, ...], x: Any, count: int, *, fill: bool) -> Any:
    wanted = 1 << (count - 1).bit_length() if fill else count
    if wanted != count:
        x = jax.tree.map(
            lambda a: np.concatenate([a, np.broadcast_to(a[-1:], (wanted - count, *a.shape[1:]))]), x
        )
    arguments = (*arrays, recipe.next_draw(), x)
    step = cache.known(recipe, "predict", None, arguments)
    outputs = step.executable(*arguments)
    if isinstance(outputs, jax.Array):
        return np.array(np.asarray(outputs)[:count])
    return jax.tree.map(lambda output: np.array(np.asarray(output)[:count]), outputs)
