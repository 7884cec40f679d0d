"""What JAX says when code asks for values that a program has not yet, in the user's words."""

from __future__ import annotations

import contextlib
import os
import traceback
from collections.abc import Iterator

import jax
import numpy as np

from doltap.errors import NotSupportedError, printable

__all__ = ["WANTS_VALUES", "explaining"]

WANTS_VALUES = (
    jax.errors.ConcretizationTypeError,
    jax.errors.TracerArrayConversionError,
    jax.errors.TracerIntegerConversionError,
    jax.errors.NonConcreteBooleanIndexError,
)

_DOLTAP = os.path.dirname(os.path.dirname(__file__)) + os.sep


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


def _own_line(error: BaseException) -> str:
    """Where in the user's own code it happened, as text to go behind a subject."""
    homes = (os.path.dirname(str(module.__file__)) + os.sep for module in (jax, np, contextlib))
    of_others = (*homes, _DOLTAP, "<frozen")
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if not frame.filename.startswith(of_others)]
    if not own:
        return ""
    # The one nearest to the mistake.
    return f", in {own[-1].name} at line {own[-1].lineno} of {os.path.basename(own[-1].filename)}"
