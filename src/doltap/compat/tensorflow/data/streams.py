"""What is done to a sequence of elements, or of what stands for them, one after the other.

Each function begins a new run through what it is given whenever it is called.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from doltap.compat.tensorflow.data.rows import stacked
from doltap.compat.tensorflow.data.specs import TensorSpec, leaves, mapped, piece
from doltap.errors import ShapeError

__all__ = [
    "batches",
    "flat_shapes",
    "interleaved",
    "joined",
    "padded",
    "repeated",
    "sampled",
    "shuffled",
    "unbatched",
    "windows",
]

Begin = Callable[[], Iterable[Any]]


def repeated(begin: Begin, count: int | None) -> Iterator[Any]:
    """The sequence over and over, `count` times or without end."""
    turns: Iterable[int] = itertools.count() if count is None or count < 0 else range(count)
    for _ in turns:
        is_empty = True
        for each in begin():
            is_empty = False
            yield each
        if is_empty:
            return


def shuffled(sequence: Iterable[Any], size: int, source: np.random.Generator) -> Iterator[Any]:
    """The sequence in an order drawn from a buffer of `size`, each drawn one replaced by the next."""
    rest = iter(sequence)
    buffer = list(itertools.islice(rest, size))
    if len(buffer) == size:
        draws: Iterator[int] = iter(())
        for following in rest:
            place = next(draws, None)
            if place is None:
                draws = iter(source.integers(0, size, 4096).tolist())
                place = next(draws)
            yield buffer[place]
            buffer[place] = following
    for place in source.permutation(len(buffer)).tolist():
        yield buffer[place]


def batches(
    sequence: Iterable[Any], size: int, *, drops: bool, join: Callable[[list[Any]], Any]
) -> Iterator[Any]:
    """The sequence in groups of `size`, joined; the last may be shorter."""
    rest = iter(sequence)
    while group := list(itertools.islice(rest, size)):
        if len(group) == size or not drops:
            yield join(group)


def joined(group: list[Any]) -> Any:
    """Elements of one shape as one element, laid out below each other."""
    return mapped(lambda *parts: stacked(parts, (len(parts),)), *group)


def unbatched(sequence: Iterable[Any]) -> Iterator[Any]:
    """The rows of elements as elements."""
    for element in sequence:
        parts = leaves(element)
        if any(not np.ndim(part) for part in parts):
            raise ShapeError(
                "Dataset.unbatch",
                expected="elements with rows",
                got="a single number",
                fix="Leave unbatch out.",
            )
        for number in range(len(parts[0])):
            yield mapped(lambda part, number=number: piece(part, number), element)


def padded(group: list[Any], shapes: Any, values: Any) -> Any:
    """Elements of several shapes as one, filled up behind.

    Args:
        shapes: for each part the lengths to fill up to, None for the longest; or None.
        values: for each part what is filled in; or None for zeros.
    """
    places = iter(range(len(leaves(group[0]))))
    wanted = None if shapes is None else flat_shapes(shapes)
    filling = None if values is None else leaves(values)

    def join(*parts: Any) -> np.ndarray:
        place = next(places)
        longest = [max(sizes) for sizes in zip(*(np.shape(part) for part in parts), strict=True)]
        sizes = longest if wanted is None else [a or b for a, b in zip(wanted[place], longest, strict=True)]
        usual = b"" if parts[0].dtype == object else 0
        value = usual if filling is None else filling[place if len(filling) > 1 else 0]
        found = np.full((len(parts), *sizes), value, parts[0].dtype)
        for number, part in enumerate(parts):
            if any(a > b for a, b in zip(part.shape, sizes, strict=True)):
                raise ShapeError(
                    "Dataset.padded_batch",
                    expected=f"elements of at most {tuple(sizes)}",
                    got=str(part.shape),
                    fix="Give padded_shapes None for that length.",
                )
            place_of_part: tuple[Any, ...] = (number, *map(slice, part.shape))
            found[place_of_part] = part
        return found

    return mapped(join, *group)


def flat_shapes(shapes: Any) -> list[list[int | None]]:
    """The shapes for each part: lists of lengths, which are parts themselves here."""
    if isinstance(shapes, dict):
        return [each for value in shapes.values() for each in flat_shapes(value)]
    is_several = isinstance(shapes, tuple) and any(isinstance(each, (list, tuple, dict)) for each in shapes)
    if is_several:
        return [each for value in shapes for each in flat_shapes(value)]
    if isinstance(shapes, TensorSpec):
        shapes = shapes.shape
    sizes = [shapes] if isinstance(shapes, int) or shapes is None else list(shapes)
    return [[None if size in (None, -1) else int(size) for size in sizes]]


def windows(
    sequence: Iterable[Any], size: int, shift: int, stride: int, *, drops: bool
) -> Iterator[list[Any]]:
    """Groups of `size`, `stride` apart, the next of which begins `shift` later."""
    rest, buffer = iter(sequence), list[Any]()
    span = (size - 1) * stride + 1
    while True:
        buffer += itertools.islice(rest, span - len(buffer))
        group = buffer[:span:stride]
        if not group or (drops and len(group) < size):
            return
        yield group
        beyond = max(0, shift - len(buffer))
        buffer = buffer[shift:]
        if beyond:
            next(itertools.islice(rest, beyond, beyond), None)


def interleaved(
    sequence: Iterable[Any], begin: Callable[[Any], Iterable[Any]], cycle: int, block: int
) -> Iterator[Any]:
    """What the elements give, `block` of one after `block` of the next, `cycle` of them at a time."""
    rest, ended = iter(sequence), object()
    running: list[Any] = [None] * cycle
    is_over = False
    while not is_over or any(each is not None for each in running):
        for place in range(cycle):
            if running[place] is None and not is_over:
                following = next(rest, ended)
                is_over = following is ended
                running[place] = None if is_over else iter(begin(following))
            if running[place] is None:
                continue
            given = 0
            for each in itertools.islice(running[place], block):
                given += 1
                yield each
            if given < block:
                running[place] = None


def sampled(begins: list[Begin], weights: Any, source: np.random.Generator) -> Iterator[Any]:
    """Elements of several sequences, each drawn from one of them, until all are used up."""
    running = [iter(begin()) for begin in begins]
    shares = np.full(len(running), 1.0) if weights is None else np.asarray(weights, float).copy()
    while shares.sum() > 0:
        place = int(source.choice(len(running), p=shares / shares.sum()))
        try:
            yield next(running[place])
        except StopIteration:
            shares[place] = 0
