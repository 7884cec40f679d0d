"""A model as a function of its inputs alone, and the inputs for which it is to be traced."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import jax
from jax import export

from doltap import notes, random
from doltap.core.graph import SymbolicTensor, symbolic_leaves
from doltap.core.tensors import lend, unchanged
from doltap.errors import DoltapError, NotSupportedError, ShapeError, printable

__all__ = ["computing", "explained", "likes", "origin"]


def computing(model: Any) -> Callable[[Any], Any]:
    """What the model computes outside training, as a function of its inputs."""

    def compute(inputs: Any) -> Any:
        with _alone_with(model):
            return model(inputs, training=False)

    return compute


@contextlib.contextmanager
def _alone_with(model: Any) -> Iterator[notes.Notes]:
    """Inside the `with`, a call leaves the model as it was."""
    variables = model.weights
    lent = lend(variables, [variable.array for variable in variables])
    with lent, unchanged(), random.key_scope(random.words(0), 0), notes.taken() as taken:
        yield taken


def likes(model: Any, signature: Any) -> Any:
    """The inputs as JAX traces them, with symbols for the lengths that are open.

    Args:
        signature: what stands for each input; None takes the model's own.
    """
    structure = _promised(model) if signature is None else _signed(model, signature)
    scope = export.SymbolicScope()
    count = itertools.count(1)

    def symbol(name: str) -> Any:
        return export.symbolic_shape(name, scope=scope)[0]

    def like(tensor: Any) -> jax.ShapeDtypeStruct:
        if str(tensor.dtype) == "string":
            raise NotSupportedError(
                f"input '{tensor.name}' of model '{model.name}'",
                expected="numbers",
                got="strings, which are looked up in front of the compiled network",
                fix="Export a Model that begins behind the look-up.",
            )
        sizes = [
            symbol("batch" if axis == 0 else f"length_{next(count)}") if size is None else size
            for axis, size in enumerate(tensor.shape)
        ]
        return jax.ShapeDtypeStruct(tuple(sizes), jax.dtypes.canonicalize_dtype(tensor.dtype))

    return jax.tree.map(like, structure)


def _alone(structure: Any) -> Any:
    """The one input of a list of one."""
    return structure[0] if isinstance(structure, (list, tuple)) and len(structure) == 1 else structure


def _promised(model: Any) -> Any:
    if model._promises is None:
        raise ShapeError(
            f"model '{model.name}'",
            expected="to know the shape of its input",
            got="none so far",
            fix="Call it on data first, or say input_signature=Input((4,)) with the shape of a row.",
        )
    return _alone(model._promises[0])


def _signed(model: Any, signature: Any) -> Any:
    """The inputs of a signature, for which the model is built if it was not."""
    structure = _alone(signature)
    if not all(hasattr(each, "shape") and hasattr(each, "dtype") for each in jax.tree.leaves(structure)):
        raise ShapeError(
            f"export of model '{model.name}'",
            expected="input_signature= to tell the shape and the type of each input",
            got=printable(repr(signature)),
            fix="For example input_signature=Input((4,)), or a list of such.",
        )
    promises = jax.tree.map(lambda each: SymbolicTensor((None, *each.shape[1:]), str(each.dtype)), structure)
    model.ensure_built(jax.tree.map(lambda promise: promise.shape, promises))
    if model._promises is None:
        model._trace(promises)
    return structure


def origin(model: Any, inputs: Any, number: int) -> str:
    """The layer or function of which an equation of the traced model is part, as the subject of an error."""
    names = list[str]()

    def look(inputs: Any) -> list[Any]:
        found = _outputs_inside(model, inputs)
        names[:] = [name for name, _ in found]
        return [jax.tree.leaves(outputs)[0] for _, outputs in found]

    # Where a layer is called in a program inside the program, it cannot be told.
    with contextlib.suppress(Exception):
        jaxpr = jax.make_jaxpr(look)(inputs).jaxpr
        made_at = {id(each): place for place, equation in enumerate(jaxpr.eqns) for each in equation.outvars}
        ends = [(made_at.get(id(each), -1), name) for each, name in zip(jaxpr.outvars, names, strict=True)]
        # What is inside another layer is finished before it.
        return f"'{next(name for end, name in sorted(ends, key=lambda pair: pair[0]) if end >= number)}'"
    return f"model '{model.name}'"


def _outputs_inside(model: Any, inputs: Any) -> list[tuple[str, Any]]:
    """What each layer gives, and each function in the network; what is inside another one comes first."""
    with _alone_with(model) as taken:
        taken.outputs = {}
        calls = []
        if model._graph is None:
            model(inputs, training=False)
        else:
            nodes = [node for node in model._graph.nodes if node.inputs]
            begin = dict(zip(map(id, model._graph.inputs), jax.tree.leaves(inputs), strict=True))
            known = model._graph.run_nodes(nodes, begin)
            calls = [(node.call.name, known[id(symbolic_leaves(node.outputs)[0])]) for node in nodes]
        return [
            (layer.name, outputs) for layer, outputs in taken.outputs.items() if layer is not model
        ] + calls


@contextlib.contextmanager
def explained(model: Any) -> Iterator[None]:
    """Inside the `with`, what JAX says of a model that it cannot trace is said in the user's words."""
    try:
        yield
    except DoltapError:
        raise
    except Exception as error:
        # Whatever a layer does with a length that is a symbol ends here.
        line = next(iter(str(error).splitlines()), "")
        raise NotSupportedError(
            f"model '{model.name}'",
            expected="layers that work for any number of rows, and know all other lengths",
            got=f"{type(error).__name__}: {printable(line, 160)}",
            fix="Fix the lengths by input_signature=, for example Input(batch_shape=(32, 20, 8)).",
        ) from error
