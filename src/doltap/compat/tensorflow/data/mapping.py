"""A function of one element, computed for many at a time where it bears that, with the same results.

TensorFlow makes a graph of such a function once; here it is tried on the first
element, then traced by `jax.vmap`, and believed only if both agree.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np

from doltap import config
from doltap.compat.tensorflow.data.specs import as_element, as_tensors, leaves, mapped
from doltap.compat.tensorflow.recording import scope
from doltap.compat.tensorflow.tensor import Tensor

__all__ = ["Mapping", "Memory", "called", "one"]

_FULL = 1024
_MOST_BYTES = 1 << 28


def called(function: Callable[..., Any], element: Any) -> Any:
    """What a program's function gives for an element; the parts of a tuple are its arguments."""
    given = as_tensors(element)
    found = function(*given) if type(given) is tuple else function(given)
    return tuple(found) if isinstance(found, list) else found


@contextlib.contextmanager
def _by_hand() -> Iterator[None]:
    """Inside the `with`, what the program's own lines compute are tensors."""
    before, scope.by_hand = scope.by_hand, True
    tapes, scope.tapes = scope.tapes, []
    try:
        yield
    finally:
        scope.by_hand, scope.tapes = before, tapes


def one(function: Callable[..., Any], element: Any) -> Any:
    """What a program's function gives for an element, as an element."""
    with _by_hand():
        return as_element(called(function, element))


class Memory:
    """What a function gave for texts, which are read again in every epoch; as long as it draws nothing.

    TensorFlow makes a graph of the function once, so that nothing but the text
    and random numbers can make a difference.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._found: dict[bytes, Any] = {}
        self._num_bytes = 0

    def one(self, element: Any) -> Any:
        """The result for an element."""
        is_text = isinstance(element, np.ndarray) and element.dtype == object and not element.ndim
        if not is_text or self._num_bytes > _MOST_BYTES:
            return one(self._function, element)
        text = element[()]
        if text in self._found:
            return self._found[text]
        before = config.next_draw()
        found = one(self._function, element)
        if config.next_draw() - before > 1 or not all(isinstance(leaf, np.ndarray) for leaf in leaves(found)):
            self._num_bytes = _MOST_BYTES + 1
            return found
        self._found[text] = found
        self._num_bytes += len(text) + sum(leaf.nbytes + 100 for leaf in leaves(found))
        return found


class Mapping:
    """A function of an element.

    Args:
        example: an element on which it is tried at once.
    """

    def __init__(self, function: Callable[..., Any], example: Any) -> None:
        self._function = function
        before = config.next_draw()
        self.first = self.one(example)
        draws = config.next_draw() - before > 1
        # What is drawn at random differs from element to element, and from time to time.
        self.is_steady = not draws and _agree(self.first, self.one(example), exactly=True)
        self._example = example

    @functools.cached_property
    def _many(self) -> Callable[..., Any] | None:
        return self._traced(self._example) if self.is_steady else None

    @property
    def takes_many(self) -> bool:
        """Whether many elements can be computed at a time."""
        return self._many is not None

    @property
    def num_bytes(self) -> int:
        """What the result for one element takes."""
        return sum(leaf.nbytes for leaf in leaves(self.first))

    def one(self, element: Any) -> Any:
        """The result for one element."""
        return one(self._function, element)

    def many(self, elements: Any, count: int) -> Any:
        """The results for elements laid out below each other."""
        # Few lengths are ever compiled: the last block is filled up to a power of two.
        length = min(_FULL, 1 << (count - 1).bit_length())
        pieces = []
        for start in range(0, count, length):
            piece = mapped(lambda array, start=start: array[start : start + length], elements)
            size = min(length, count - start)
            if size < length:
                piece = mapped(lambda array: _filled(array, length), piece)
            found = self._compute(piece)
            pieces.append(mapped(lambda array, size=size: array[:size], found))
        return pieces[0] if len(pieces) == 1 else mapped(lambda *parts: np.concatenate(parts), *pieces)

    def _compute(self, elements: Any) -> Any:
        assert self._many is not None
        with jax.enable_x64(True):
            found = self._many(leaves(elements))
        values = iter(found)
        return mapped(lambda leaf: np.asarray(next(values)), self.first)

    def _traced(self, example: Any) -> Callable[..., Any] | None:
        """The function for many elements; None where it does not bear that, or gives something else."""
        parts = leaves(example)
        if not parts or any(
            not isinstance(part, np.ndarray | np.generic) or part.dtype == object for part in parts
        ):
            return None

        def compute(values: list[Any]) -> list[Any]:
            tensors = iter(values)
            with _by_hand():
                given = mapped(lambda _: Tensor(next(tensors)), example)
                found = self._function(*given) if type(given) is tuple else self._function(given)
            found = tuple(found) if isinstance(found, list) else found
            return [_array(part) for part in _in_structure(self.first, found)]

        many = jax.jit(jax.vmap(compute))
        with contextlib.suppress(Exception):
            with jax.enable_x64(True):
                found = [np.asarray(array)[0] for array in many([np.asarray(part)[None] for part in parts])]
            if _agree(self.first, found):
                return many
        return None


def _filled(array: np.ndarray, length: int) -> np.ndarray:
    return np.concatenate([array, np.repeat(array[:1], length - len(array), axis=0)])


def _array(part: Any) -> Any:
    return part.array if isinstance(part, Tensor) else as_element(part)


def _in_structure(structure: Any, found: Any) -> list[Any]:
    """The parts of a result, which has to have the structure."""
    parts: list[Any] = []
    mapped(lambda _, part: parts.append(part), structure, found)
    return parts


def _agree(one: Any, other: Any, *, exactly: bool = False) -> bool:
    """Whether two results are of one type and shape, and the same but for the last digits."""
    for a, b in zip(leaves(one), other if isinstance(other, list) else leaves(other), strict=True):
        if not isinstance(a, np.ndarray | np.generic):
            return False
        if a.dtype != b.dtype or a.shape != b.shape:
            return False
        is_close = a.dtype.kind == "f" and not exactly
        size = float(np.max(np.abs(a), initial=0.0)) if is_close else 0.0
        if not (np.allclose(a, b, rtol=1e-5, atol=1e-6 * size, equal_nan=True) if is_close else _same(a, b)):
            return False
    return True


def _same(a: Any, b: Any) -> bool:
    return bool(np.array_equal(a, b, equal_nan=a.dtype.kind == "f"))
