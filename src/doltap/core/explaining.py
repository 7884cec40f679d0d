"""What JAX says when code asks for values that a program has not yet, in the user's words."""

from __future__ import annotations

import contextlib
import os
import traceback
from collections.abc import Iterator
from typing import Any, NoReturn

import jax
import numpy as np

from doltap.errors import DoltapError, MissingAttributeError, NotSupportedError, ShapeError, printable

__all__ = ["MISTAKES", "WANTS_VALUES", "explaining", "raise_named"]

WANTS_VALUES = (
    jax.errors.ConcretizationTypeError,
    jax.errors.TracerArrayConversionError,
    jax.errors.TracerIntegerConversionError,
    jax.errors.NonConcreteBooleanIndexError,
)

# What Python, NumPy and JAX raise where arrays do not go together.
MISTAKES = (TypeError, ValueError, AttributeError)

_DOLTAP = os.path.dirname(os.path.dirname(__file__)) + os.sep
_OF_ARRAYS = tuple(os.path.dirname(str(module.__file__)) + os.sep for module in (jax, np))


@contextlib.contextmanager
def explaining(what: str) -> Iterator[None]:
    """Inside the `with`, such an error names the line and the cure.

    Args:
        what: is worked on, as the subject of the error.
    """
    try:
        yield
    except WANTS_VALUES as error:
        line = next(iter(str(error).splitlines()), "")
        raise NotSupportedError(
            f"{what}{_own_line(error)}",
            expected="functions of arrays whose values are not known yet, as in doltap.ops",
            got=f"code that needs the values: {printable(line, 160)}",
            fix="For conditions use ops.where or ops.cond, for NumPy functions those of doltap.ops; to look "
            "at values compile(run_eagerly=True).",
        ) from error


def raise_named(error: Exception, layer: str, inputs: Any) -> NoReturn:
    """The error again; one that Python or a library raised names the layer, its inputs and the cure."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    is_own = "raise " in (last.line or "") and not last.filename.startswith(_OF_ARRAYS)
    if is_own or isinstance(error, (DoltapError, *WANTS_VALUES)):
        raise error
    leaves, place = jax.tree.leaves(inputs), _own_line(error)
    said = next(iter(str(error).splitlines()), type(error).__name__)
    for leaf in leaves:
        said = said.replace(str(getattr(leaf, "shape", None)), _shape_of(leaf))
    shapes = " and ".join(_shape_of(leaf) for leaf in leaves) or "None"
    is_text = any(_is_text(leaf) for leaf in leaves)
    kind = MissingAttributeError if isinstance(error, AttributeError) else ShapeError
    raise kind(
        f"layer '{layer}'{place}",
        expected="numbers" if is_text else "inputs that it can compute with",
        got=f"text: {shapes}" if is_text else f"{shapes}: {printable(said, 200).rstrip('.')}",
        fix=_cure(error, place, len(leaves), is_text=is_text),
    ) from error


def _cure(error: Exception, place: str, num_inputs: int, *, is_text: bool) -> str:
    if is_text:
        return "Turn text into numbers first, with StringLookup or TextVectorization."
    if isinstance(error, AttributeError) and place:
        return "Inputs are arrays of JAX; look for the function in doltap.ops."
    if place:
        return "Look at the shapes in that line; compile(run_eagerly=True) lets you print the values too."
    if num_inputs == 1:
        return "Look at the shape of the input, whose first axis is the batch."
    if num_inputs:
        return "If the layer takes one array, call it on each, or join them first: Concatenate()([a, b])."
    return "Pass an array, or what Input() returned."


def _is_text(value: Any) -> bool:
    return isinstance(value, (str, bytes)) or str(getattr(value, "dtype", "")).startswith(("<U", "|S", "obj"))


def _shape_of(value: Any) -> str:
    """The shape of an array, with the batch, which may stand for any, by that name."""
    if not hasattr(value, "shape"):
        return printable(repr(value), 40)
    lengths = ["batch", *map(str, value.shape[1:])] if value.shape else []
    return f"({', '.join(lengths)})"


def _own_line(error: BaseException) -> str:
    """Where in the user's own code it happened, as text to go behind a subject."""
    of_others = (*_OF_ARRAYS, os.path.dirname(contextlib.__file__) + os.sep, _DOLTAP, "<frozen")
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if not frame.filename.startswith(of_others)]
    if not own:
        return ""
    # The one nearest to the mistake.
    return f", in {own[-1].name} at line {own[-1].lineno} of {os.path.basename(own[-1].filename)}"
