"""Which operation of a traced function gives the first number that is not finite.

The function is laid out as one list of operations, which are then done one by
one: as far as the wanted results need them, and with a look at every result.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

__all__ = ["Operation", "Plan", "Source", "Track", "is_finite"]

# Functions inside a function that are mere brackets, and where they keep what is in them.
_BRACKETS = {
    "jit": ("jaxpr",),
    "pjit": ("jaxpr",),
    "closed_call": ("call_jaxpr",),
    "core_call": ("call_jaxpr",),
    "custom_jvp_call": ("call_jaxpr",),
    "custom_vjp_call": ("call_jaxpr", "fun_jaxpr"),
    "checkpoint": ("jaxpr",),
    "remat2": ("jaxpr",),
}
_HOMES = tuple(str(Path(module.__file__ or "").parent) for module in (jax, np, sys.modules["doltap"]))


@dataclasses.dataclass(frozen=True)
class Operation:
    """One operation of the list.

    Args:
        name: of JAX's primitive, such as "log".
        scope: the names of what it is part of, as JAX writes them.
        takes, gives: the numbers of its operands and results among all values.
    """

    name: str
    scope: str
    takes: tuple[int, ...]
    gives: tuple[int, ...]
    equation: Any = dataclasses.field(repr=False)

    @property
    def line(self) -> tuple[str, int] | None:
        """The file and the line in code of the user's where it stands; None where it is none of it."""
        trace = getattr(self.equation.source_info, "traceback", None)
        for frame in getattr(trace, "frames", ()):
            file = frame.file_name
            if not file.startswith((*_HOMES, sys.base_prefix, sys.prefix, "<")):
                return Path(file).name, frame.line_num
        return None


@dataclasses.dataclass(frozen=True)
class Source:
    """Where a number that is not finite comes from.

    Args:
        place: in the list; that of the result's own operation where an operand was not finite
            already, which is then `leaf`.
        operands: those of the operation; where they are laid over the result, at the first place
            that is not finite. Empty where infinities that are meant cancelled each other.
        rows: of a result with a line for each row of the batch the lines with such numbers; else None.
        leaf: the number of the argument that was not finite already, or None.
        kind: "nan" or "inf".
    """

    operation: Operation | None
    operands: tuple[np.ndarray, ...] = ()
    rows: np.ndarray | None = None
    leaf: int | None = None
    kind: str = "nan"


def is_finite(array: Any) -> bool:
    """Whether all numbers are; what is no real number is."""
    if not jnp.issubdtype(array.dtype, jnp.inexact):
        return True
    return bool(np.isfinite(np.asarray(array)).all())


class Plan:
    """The list of operations of a traced function.

    Args:
        closed: what `jax.make_jaxpr` gives.
    """

    def __init__(self, closed: Any) -> None:
        self.operations: list[Operation] = []
        # What needs no operation: constants.
        self.known: dict[int, Any] = {}
        self._count = 0
        self.inputs = [self._next() for _ in closed.jaxpr.invars]
        self.outputs = self._lay_out(closed.jaxpr, closed.consts, self.inputs, "")

    def _next(self) -> int:
        self._count += 1
        return self._count - 1

    def _constant(self, value: Any) -> int:
        number = self._next()
        self.known[number] = value
        return number

    def _lay_out(self, jaxpr: Any, constants: Sequence[Any], inputs: Sequence[int], scope: str) -> list[int]:
        """Add the operations; the numbers of the results."""
        numbers = dict(zip(jaxpr.invars, inputs, strict=True))
        numbers |= {v: self._constant(c) for v, c in zip(jaxpr.constvars, constants, strict=True)}

        def number_of(atom: Any) -> int:
            # What is written into the program has a value; to ask for its class would load half of JAX.
            return self._constant(atom.val) if hasattr(atom, "val") else numbers[atom]

        for equation in jaxpr.eqns:
            takes = [number_of(atom) for atom in equation.invars]
            own = f"{scope}/{equation.source_info.name_stack}"
            inner = _inside(equation)
            if inner is not None:
                gives = self._lay_out(*inner, takes, own)
            else:
                gives = [self._next() for _ in equation.outvars]
                name = equation.primitive.name
                self.operations.append(Operation(name, own, tuple(takes), tuple(gives), equation))
            numbers |= zip(equation.outvars, gives, strict=True)
        return [number_of(atom) for atom in jaxpr.outvars]

    def needed(self, wanted: Sequence[int]) -> list[Operation]:
        """The operations that these values depend on, in order."""
        open_ones, found = set(wanted), []
        for operation in reversed(self.operations):
            if not open_ones.isdisjoint(operation.gives):
                open_ones.update(operation.takes)
                found.append(operation)
        return found[::-1]

    def reached_from(self, inputs: Sequence[int]) -> set[int]:
        """The values that depend on one of the inputs."""
        found = set(inputs)
        for operation in self.operations:
            if not found.isdisjoint(operation.takes):
                found.update(operation.gives)
        return found


def _inside(equation: Any) -> tuple[Any, Sequence[Any]] | None:
    """The function in brackets and its constants; None for an operation proper."""
    for key in _BRACKETS.get(equation.primitive.name, ()):
        inner = equation.params.get(key)
        if inner is not None:
            jaxpr, constants = getattr(inner, "jaxpr", inner), getattr(inner, "consts", ())
            if len(jaxpr.invars) == len(equation.invars):
                return jaxpr, constants
    return None


class Track:
    """The operations done, with a note of every value that is not finite.

    Args:
        plan: the operations.
        arguments: a value for each input.
        wanted: the numbers of the values to be reached.
        num_rows: of the batch.
    """

    def __init__(self, plan: Plan, arguments: Sequence[Any], wanted: Sequence[int], num_rows: int) -> None:
        self._num_rows = num_rows
        # Of each value that is not finite its rows and its kind, and the operation behind it.
        self._bad: dict[int, tuple[np.ndarray | None, str]] = {}
        self._maker: dict[int, Operation] = {}
        self._operands: dict[int, tuple[np.ndarray, ...]] = {}
        # Infinities that are meant, such as those that mask steps out.
        self._meant = {number for number, value in plan.known.items() if self._look_at(number, value)}
        values = {**plan.known, **dict(zip(plan.inputs, arguments, strict=True))}
        for number in plan.inputs:
            self._look_at(number, values[number])
        operations = plan.needed(wanted)
        last = {number: place for place, one in enumerate(operations) for number in one.takes}
        for place, operation in enumerate(operations):
            for number, value in zip(operation.gives, _done(operation, values), strict=True):
                values[number] = value
                if self._look_at(number, value):
                    self._note(number, operation, values)
            for number in operation.takes:
                # What nobody takes any more makes room.
                if last[number] == place and number not in wanted:
                    values.pop(number, None)

    def _look_at(self, number: int, value: Any) -> bool:
        """Note the value if it is not finite; whether it is not."""
        if not hasattr(value, "dtype") or is_finite(value):
            return False
        array = np.asarray(value)
        found = ~np.isfinite(array)
        has_rows = array.ndim > 0 and len(array) == self._num_rows
        rows = found.reshape(self._num_rows, -1).any(axis=1) if has_rows else None
        self._bad[number] = rows, "nan" if np.isnan(array).any() else "inf"
        return True

    def _note(self, number: int, operation: Operation, values: dict[int, Any]) -> None:
        self._maker[number] = operation
        if self._bad_among(operation.takes):
            return
        if not self._meant.isdisjoint(operation.takes):
            if self._bad[number][1] == "inf":
                self._meant.add(number)
            else:
                self._operands[number] = ()
            return
        found = ~np.isfinite(np.asarray(values[number]))
        self._operands[number] = tuple(
            _at_first(np.asarray(values[each]), found) for each in operation.takes if _is_real(values[each])
        )

    def _bad_among(self, numbers: Sequence[int]) -> list[int]:
        return sorted(number for number in numbers if number in self._bad and number not in self._meant)

    def is_bad(self, number: int) -> bool:
        """Whether the value is not finite."""
        return number in self._bad

    def source_of(self, number: int) -> Source:
        """Where a value that is not finite comes from, as early as can be."""
        *_, number = self.way_from(number)
        rows, kind = self._bad[number]
        if number not in self._maker:
            return Source(None, rows=rows, leaf=number, kind=kind)
        return Source(self._maker[number], self._operands.get(number, ()), rows, kind=kind)

    def way_from(self, number: int) -> Iterator[int]:
        """The values from this one back to its source."""
        yield number
        while number in self._maker and number not in self._operands:
            bad = self._bad_among(self._maker[number].takes)
            if not bad:
                return
            number = bad[0]
            yield number

    def rows_of(self, number: int) -> np.ndarray | None:
        """Which rows of the batch have such numbers in this value; None where it has no line for each."""
        return self._bad[number][0]

    def maker_of(self, number: int) -> Operation | None:
        """The operation that gave a value that is not finite; None for an argument."""
        return self._maker.get(number)


def _at_first(array: np.ndarray, found: np.ndarray) -> np.ndarray:
    """What stands at the first place that was found, where an operand has such; else all of it."""
    fits = array.ndim == found.ndim and all(
        length in (1, whole) for length, whole in zip(array.shape, found.shape, strict=True)
    )
    # A quotient of rows by their sums takes one of the sums for a whole row.
    return np.broadcast_to(array, found.shape)[found][:1] if fits else array


def _is_real(value: Any) -> bool:
    return bool(jnp.issubdtype(jnp.result_type(value), jnp.inexact))


def _done(operation: Operation, values: dict[int, Any]) -> Sequence[Any]:
    """The results of an operation."""
    equation = operation.equation
    given = equation.primitive.get_bind_params(equation.params)
    # Before JAX 0.10 functions inside came apart from the parameters.
    functions, params = given if isinstance(given, tuple) else ((), given)
    with equation.ctx.manager:
        results = equation.primitive.bind(
            *functions, *(values[number] for number in operation.takes), **params
        )
    return results if equation.primitive.multiple_results else [results]
