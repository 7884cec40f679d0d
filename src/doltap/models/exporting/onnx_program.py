"""A program of JAX as an ONNX model: every operation in it becomes nodes.

What does not depend on the inputs is computed now and stays as a constant;
what leads to no output is left out.
"""

from __future__ import annotations

import functools
import pathlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import numpy as np

from doltap.errors import NotSupportedError, optional_package
from doltap.models.exporting import onnx_operations as operations
from doltap.models.exporting.onnx_graph import Graph, LackingError, Value

__all__ = ["serialized", "verify"]

# Operations that are a program of their own, under one of these parameters.
_CALLS = frozenset(
    ["checkpoint", "closed_call", "core_call", "custom_jvp_call", "custom_vjp_call", "jit", "pjit"]
)
_PROGRAMS = ("jaxpr", "call_jaxpr", "fun_jaxpr")

_HANDLED = {*operations.NODES, *operations.REPLACED, *operations.WRITTEN}

# A loop of more steps would make a graph that nobody can load.
_MOST_STEPS = 1000


def serialized(
    program: Any,
    name: str,
    inputs: Sequence[str],
    outputs: Sequence[str],
    origin_of: Callable[[int], str],
) -> bytes:
    """The bytes of the ONNX model of a closed jaxpr.

    Args:
        name: of the graph.
        inputs, outputs: their names, in order, no two alike among the inputs or the outputs.
        origin_of: says, for errors, what the equation of that number is part of.

    Raises:
        NotSupportedError: something in it has no counterpart in ONNX.
    """
    graph = Graph()
    jaxpr = program.jaxpr
    values = [
        graph.input(label, each.aval.shape, each.aval.dtype)
        for label, each in zip(inputs, jaxpr.invars, strict=True)
    ]
    known = _Known(graph, jaxpr, program.consts, values)
    for number, equation in _live(jaxpr):
        try:
            known.take(equation.outvars, _converted(graph, equation, known.of(equation.invars)))
        except LackingError as error:
            raise NotSupportedError(
                origin_of(number),
                expected="operations that ONNX has too",
                got=str(error),
                fix="Leave it out, or export with format='stablehlo', which holds any model.",
            ) from error
    ends = zip(outputs, jaxpr.outvars, known.of(jaxpr.outvars), strict=True)
    return graph.serialized(
        name, [(label, graph.full(v, each.aval.shape), each.aval.dtype) for label, each, v in ends]
    )


def verify(path: pathlib.Path) -> None:
    """Let ONNX's own checker read it, with every shape and type in it."""
    onnx = optional_package("onnx", extra="onnx", purpose="writing ONNX files")
    onnx.checker.check_model(str(path), full_check=True)


class _Known:
    """The values of a jaxpr's variables so far, by identity."""

    def __init__(self, graph: Graph, jaxpr: Any, constants: Sequence[Any], inputs: Sequence[Value]) -> None:
        self._graph = graph
        self._values: dict[int, Value] = {}
        self.take(jaxpr.invars, inputs)
        self.take(jaxpr.constvars, [graph.constant(each) for each in constants])

    def take(self, variables: Sequence[Any], values: Sequence[Value]) -> None:
        """Note what variables are."""
        self._values |= zip(map(id, variables), values, strict=True)

    def of(self, atoms: Sequence[Any]) -> list[Value]:
        """The values of variables, and of numbers that stand in the place of one."""
        return [self._values.get(id(atom)) or self._number(atom) for atom in atoms]

    def _number(self, literal: Any) -> Value:
        return self._graph.constant(np.asarray(literal.val, literal.aval.dtype))


def _live(jaxpr: Any) -> list[tuple[int, Any]]:
    """The equations that lead to an output, each with its number."""
    needed = {id(atom) for atom in jaxpr.outvars}
    kept = []
    for number, equation in reversed(list(enumerate(jaxpr.eqns))):
        if any(id(each) in needed for each in equation.outvars):
            needed |= {id(atom) for atom in equation.invars}
            kept.append((number, equation))
    return kept[::-1]


def _inlined(graph: Graph, program: Any, values: Sequence[Value]) -> list[Value]:
    """What the outputs of a program are for these inputs."""
    jaxpr = getattr(program, "jaxpr", program)
    known = _Known(graph, jaxpr, getattr(program, "consts", ()), values)
    for _, equation in _live(jaxpr):
        known.take(equation.outvars, _converted(graph, equation, known.of(equation.invars)))
    return known.of(jaxpr.outvars)


def _converted(graph: Graph, equation: Any, values: list[Value]) -> list[Value]:
    """What an equation gives for these operands."""
    name, params = equation.primitive.name, equation.params
    if name in _CALLS:
        return _inlined(graph, next(params[key] for key in _PROGRAMS if key in params), values)
    if name in operations.UNCHANGED:
        return values
    if _is_known(equation, values):
        return _computed(graph, equation, values)
    if name == "scan":
        return _unrolled(graph, equation, values)
    if name not in _HANDLED:
        raise LackingError(f"'{name}'")
    operations.check_types(name, [atom.aval.dtype for atom in equation.invars])
    if name in operations.REPLACED:
        function = functools.partial(operations.REPLACED[name], **params)
        likes = [jax.ShapeDtypeStruct(each.aval.shape, each.aval.dtype) for each in equation.invars]
        return _inlined(graph, jax.make_jaxpr(function)(*likes), values)
    if name in operations.NODES:
        outputs = graph.each(operations.NODES[name], *values)
    else:
        outputs = operations.WRITTEN[name](graph, equation, *values)
    if operations.wraps(name, equation.outvars[0].aval.dtype):
        return [graph.each("Mod", outputs, graph.constant(np.int64(1 << 32)))]
    return outputs if isinstance(outputs, list) else [outputs]


def _is_known(equation: Any, values: Sequence[Value]) -> bool:
    """Whether an equation gives the same for all inputs, and is worth computing now."""
    shapes = [each.aval.shape for each in equation.outvars]
    is_fixed = all(isinstance(size, int) for shape in shapes for size in shape)
    # Repeating a constant would only make it large.
    is_one_node = equation.primitive.name in ("broadcast_in_dim", "dim_as_value", "iota")
    return is_fixed and not is_one_node and all(value.array is not None for value in values)


def _computed(graph: Graph, equation: Any, values: Sequence[Value]) -> list[Value]:
    """What an equation gives for constants."""
    shapes = (atom.aval.shape for atom in equation.invars)
    arrays = [graph.full(value, shape).array for value, shape in zip(values, shapes, strict=True)]
    outputs = equation.primitive.bind(*arrays, **equation.params)
    return [graph.constant(each) for each in (outputs if equation.primitive.multiple_results else [outputs])]


def _unrolled(graph: Graph, equation: Any, values: list[Value]) -> list[Value]:
    """A loop whose number of steps is known, step by step."""
    params = equation.params
    num_constants, num_carried, steps = params["num_consts"], params["num_carry"], params["length"]
    if not isinstance(steps, int) or steps > _MOST_STEPS:
        raise LackingError(f"'scan' of {steps} steps")
    constants, carried = values[:num_constants], values[num_constants : num_constants + num_carried]
    rows = [
        graph.full(value, atom.aval.shape)
        for value, atom in list(zip(values, equation.invars, strict=True))[num_constants + num_carried :]
    ]
    collected = []
    for step in reversed(range(steps)) if params["reverse"] else range(steps):
        now = [
            graph.node("Gather", row.shape[1:], row, graph.constant(np.int64(step)), axis=0) for row in rows
        ]
        outputs = _inlined(graph, params["jaxpr"], [*constants, *carried, *now])
        carried = outputs[:num_carried]
        collected.append(outputs[num_carried:])
    if params["reverse"]:
        collected.reverse()
    return [*carried, *_stacked(graph, equation.outvars[num_carried:], collected)]


def _stacked(graph: Graph, variables: Sequence[Any], collected: Sequence[list[Value]]) -> Iterator[Value]:
    """What the steps of a loop gave, one below the other."""
    for number, variable in enumerate(variables):
        shape = variable.aval.shape
        each = [graph.reshaped(graph.full(step[number], shape[1:]), (1, *shape[1:])) for step in collected]
        yield graph.node("Concat", shape, *each, axis=0)
