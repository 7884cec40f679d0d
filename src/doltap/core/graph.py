"""The promise of an array, the call that keeps it, and the network of such calls.

A call on a symbolic tensor computes nothing: it is noted as a node. A graph
walks the nodes from outputs back to inputs, in the order Keras gives layers.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from doltap import config, dtypes, notes, ops
from doltap.core.explaining import WANTS_VALUES, explaining
from doltap.errors import DoltapError, NotSupportedError, ShapeError, printable
from doltap.registry import explained

__all__ = ["Graph", "Node", "Operation", "SymbolicTensor", "filled_in", "is_keras_tensor", "promised"]
__all__ += ["symbolic_leaves"]


# What Keras calls the operators, where that is not Python's name.
_OPERATOR_NAMES = {
    "sub": "subtract",
    "mul": "multiply",
    "truediv": "true_divide",
    "floordiv": "floor_divide",
    "pow": "power",
    "lt": "less",
    "le": "less_equal",
    "gt": "greater",
    "ge": "greater_equal",
    "neg": "negative",
    "abs": "absolute",
    "getitem": "get_item",
    "astype": "cast",
}


# What an operator with a NumPy array on its left is, seen from the right.
_OF_UFUNCS = {
    "add": "__radd__",
    "subtract": "__rsub__",
    "multiply": "__rmul__",
    "divide": "__rtruediv__",
    "floor_divide": "__rfloordiv__",
    "remainder": "__rmod__",
    "power": "__rpow__",
    "matmul": "__rmatmul__",
    "less": "__gt__",
    "less_equal": "__ge__",
    "greater": "__lt__",
    "greater_equal": "__le__",
    "equal": "__eq__",
    "not_equal": "__ne__",
    "bitwise_and": "__rand__",
    "bitwise_or": "__ror__",
    "bitwise_xor": "__rxor__",
}


class Node:
    """One call in a network: what was called, with what, and what it promises.

    Args:
        call: the layer or `Operation` that is called.
        arguments, keywords: what it is called with; symbolic tensors may stand
            anywhere in them, also inside lists, tuples and dicts.
        outputs: symbolic tensors in the structure in which the call returns arrays.
    """

    def __init__(self, call: Any, arguments: tuple[Any, ...], keywords: dict[str, Any], outputs: Any) -> None:
        self.call, self.arguments, self.keywords, self.outputs = call, arguments, keywords, outputs
        self.inputs = symbolic_leaves((arguments, keywords))
        for tensor in symbolic_leaves(outputs):
            tensor.node = self
        call.nodes.append(self)


class SymbolicTensor:
    """The promise of an array: its shape and type are known, its values are not.

    Operators and the functions of `doltap.ops` take it like an array and give
    another promise; `Model(inputs, outputs)` makes a network of what was called.

    Args:
        shape: lengths of the dimensions; None where any length will do.
    """

    @explained
    def __init__(self, shape: Sequence[int | None], dtype: str = "float32", name: str = "input") -> None:
        self.shape = tuple(shape)
        self.dtype = dtype
        self.name = name
        # The call that makes it; None where nothing does.
        self.node: Node | None = None

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self.shape)

    def record_call(self, function: Callable[..., Any], arguments: tuple[Any, ...], keywords: dict) -> Any:
        """The promise of what a function gives for these arguments, among which this tensor is."""
        taken = notes.current()
        if taken is not None and taken.promised:
            # A loss may be written with tensors of the network, which have values while it is computed.
            arguments, keywords = filled_in((arguments, keywords), taken.value_of)
        return Operation(function)(*arguments, **keywords)

    def astype(self, dtype: Any) -> Any:
        """The same numbers as another type."""
        return self.record_call(jnp.astype, (self, dtypes.standardize(dtype)), {})

    def reshape(self, *newshape: Any) -> Any:
        """The same numbers, row by row, in another shape; one length may be -1 for what is left."""
        return ops.reshape(self, newshape[0] if len(newshape) == 1 else newshape)

    def squeeze(self, axis: Any = None) -> Any:
        """The array without its axes of length 1, or without those named."""
        return ops.squeeze(self, axis)

    def __getitem__(self, index: Any) -> Any:
        return self.record_call(operator.getitem, (self, index), {})

    def __round__(self, ndigits: int | None = None) -> Any:
        return ops.round(self, ndigits or 0)

    def __invert__(self) -> Any:
        return ops.logical_not(self)

    def __neg__(self) -> Any:
        return self.record_call(operator.neg, (self,), {})

    def __abs__(self) -> Any:
        return self.record_call(operator.abs, (self,), {})

    def _refuse(self, *arguments: Any, **keywords: Any) -> Any:
        raise NotSupportedError(
            f"'{self.name}'",
            expected="an array with values",
            got="the promise of one, a symbolic tensor",
            fix="Use layers and the functions of doltap.ops on it; what needs values (if, float(), NumPy, "
            "jax.numpy) goes into a layer's call or into Lambda(function).",
        )

    __bool__ = __int__ = __float__ = __index__ = __iter__ = __len__ = _refuse
    __array__ = _refuse

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **keywords: Any) -> Any:
        # NumPy arrays on the left of an operator leave it to the symbolic tensor.
        reflected = _OF_UFUNCS.get(ufunc.__name__)
        if reflected is not None and len(inputs) == 2 and inputs[1] is self:
            return getattr(self, reflected)(inputs[0])
        raise NotSupportedError(
            f"numpy.{ufunc.__name__}",
            expected="arrays with values",
            got=f"'{self.name}', a symbolic tensor, which is the promise of one",
            fix=f"Use doltap.ops.{_OPERATOR_NAMES.get(ufunc.__name__, ufunc.__name__)} on it.",
        )

    def __repr__(self) -> str:
        return f"<SymbolicTensor '{printable(self.name)}' shape={self.shape} dtype={self.dtype}>"


def is_keras_tensor(x: Any) -> bool:
    """Whether it is a promise, as `Input` returns one, and not an array."""
    return isinstance(x, SymbolicTensor)


def symbolic_leaves(tree: Any) -> list[SymbolicTensor]:
    """The symbolic tensors in lists, tuples and dicts, in order."""
    if isinstance(tree, SymbolicTensor):
        return [tree]
    # The values of a dict come in the order of its keys, as JAX has them.
    items = [tree[key] for key in sorted(tree)] if isinstance(tree, dict) else tree
    if not isinstance(items, (list, tuple)):
        return []
    return [tensor for item in items for tensor in symbolic_leaves(item)]


def filled_in(tree: Any, value_of: Callable[[Any], Any], kind: type = SymbolicTensor) -> Any:
    """The tree with a value in the place of each symbolic tensor, or of each thing of the kind."""
    if isinstance(tree, kind):
        return value_of(tree)
    if isinstance(tree, dict):
        return {key: filled_in(item, value_of, kind) for key, item in tree.items()}
    if isinstance(tree, (list, tuple)):
        items = [filled_in(item, value_of, kind) for item in tree]
        return type(tree)(*items) if hasattr(tree, "_fields") else type(tree)(items)
    return tree


def promised(function: Callable[..., Any], arguments: tuple[Any, ...], keywords: dict, name: str) -> Any:
    """What a function of arrays will return, as symbolic tensors in its own structure."""
    tensors = symbolic_leaves((arguments, keywords))

    def with_values(values: list[Any]) -> Any:
        table = dict(zip(map(id, tensors), values, strict=True))
        filled, named = filled_in((arguments, keywords), lambda tensor: table[id(tensor)])
        return function(*filled, **named)

    # Two different batch lengths show which dimensions depend on the batch.
    first, second = (
        _shape_of(with_values, [_placeholder(tensor, rows) for tensor in tensors], name) for rows in (3, 5)
    )

    def promise(one: Any, other: Any) -> SymbolicTensor:
        sizes = tuple(a if a == b else None for a, b in zip(one.shape, other.shape, strict=True))
        return SymbolicTensor(sizes, str(one.dtype), name)

    return jax.tree.map(promise, first, second)


def _shape_of(function: Callable[[Any], Any], inputs: list[jax.ShapeDtypeStruct], name: str) -> Any:
    try:
        return jax.eval_shape(function, inputs)
    except WANTS_VALUES:
        # It looks at values, for which some do. Whether it may is seen when it is trained.
        with explaining(f"the call of '{name}'"), jax.ensure_compile_time_eval(), jax.disable_jit():
            return jax.tree.map(jnp.asarray, function([jnp.ones(one.shape, one.dtype) for one in inputs]))


def _placeholder(tensor: SymbolicTensor, stand_in: int) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(
        tuple(stand_in if size is None else size for size in tensor.shape), jnp.dtype(tensor.dtype)
    )


# What is done with strings in front of a network: they are put in another shape.
_ARRANGING: dict[str, Callable[..., Any]] = {
    "getitem": operator.getitem,
    "expand_dims": np.expand_dims,
    "reshape": np.reshape,
    "squeeze": np.squeeze,
}


def _promised_texts(
    function: Callable[..., Any], arguments: tuple[Any, ...], keywords: Any, name: str
) -> Any:
    def shape_of(rows: int) -> tuple[int, ...]:
        filled, named = filled_in(
            (arguments, keywords),
            lambda tensor: np.full([rows if size is None else size for size in tensor.shape], "", object),
        )
        return np.shape(function(*filled, **named))

    sizes = tuple(a if a == b else None for a, b in zip(shape_of(3), shape_of(5), strict=True))
    return SymbolicTensor(sizes, "string", name)


class Operation:
    """A function of arrays that stands in a network beside the layers."""

    def __init__(self, function: Callable[..., Any], name: str | None = None) -> None:
        self.function = function
        stem = _OPERATOR_NAMES.get(function.__name__, function.__name__)
        self.name = config.next_name(stem) if name is None else name
        self.nodes: list[Node] = []
        self.on_host = False

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """What the function gives; for symbolic tensors the promise of it."""
        tensors = symbolic_leaves((arguments, keywords))
        name = self.function.__name__
        if not tensors:
            return (_ARRANGING[name] if self.on_host else self.function)(*arguments, **keywords)
        self.on_host = name in _ARRANGING and any(tensor.dtype == "string" for tensor in tensors)
        try:
            promise = _promised_texts if self.on_host else promised
            outputs = promise(
                _ARRANGING[name] if self.on_host else self.function, arguments, keywords, self.name
            )
        except (TypeError, ValueError) as error:
            if isinstance(error, DoltapError):
                raise
            shapes, said = ", ".join(str(tensor.shape) for tensor in tensors), str(error).splitlines()[0]
            for tensor in tensors:
                said = said.replace(str(_placeholder(tensor, 3).shape), str(tensor.shape))
            raise ShapeError(
                f"'{self.name}'",
                expected="inputs that go together",
                got=f"shapes {shapes}: {said.rstrip('.')}",
                fix="Look at the shapes, and at the axis if it takes one; the batch is axis 0.",
            ) from error
        Node(self, arguments, keywords, outputs)
        return outputs

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "nodes": []}


def _recording(function: Callable[[Any, Any], Any]) -> tuple[Callable, Callable]:
    """The method for `tensor ∘ other` and the one for `other ∘ tensor`."""

    def from_left(self: SymbolicTensor, other: Any) -> Any:
        return self.record_call(function, (self, other), {})

    def from_right(self: SymbolicTensor, other: Any) -> Any:
        return self.record_call(function, (other, self), {})

    return from_left, from_right


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul"):
    _left, _right = _recording(getattr(operator, _name))
    setattr(SymbolicTensor, f"__{_name}__", _left)
    setattr(SymbolicTensor, f"__r{_name}__", _right)
for _name in ("lt", "le", "gt", "ge"):
    setattr(SymbolicTensor, f"__{_name}__", _recording(getattr(operator, _name))[0])
# As in Keras `==` asks whether it is the same promise, so that `in` finds one in a list.
setattr(SymbolicTensor, "__ne__", _recording(ops.not_equal)[0])  # noqa: B010
for _name in ("and", "or", "xor"):
    _left, _right = _recording(getattr(ops, f"logical_{_name}"))
    setattr(SymbolicTensor, f"__{_name}__", _left)
    setattr(SymbolicTensor, f"__r{_name}__", _right)


class Place(NamedTuple):
    """Where a tensor of a graph comes from: which node, and which of its outputs."""

    node: int
    output: int


class Promise(NamedTuple):
    """What a symbolic tensor says of itself."""

    shape: tuple[int | None, ...]
    dtype: str
    name: str


class Graph:
    """The calls that lead from some symbolic tensors to others.

    Args:
        inputs, outputs: symbolic tensors, alone or in lists, tuples and dicts.

    Raises:
        ShapeError: an output depends on an input that was not given.
    """

    def __init__(self, inputs: Any, outputs: Any) -> None:
        # Lists and dicts of its own, which nobody changes afterwards.
        self.input_structure, self.output_structure = (
            filled_in(tree, lambda tensor: tensor) for tree in (inputs, outputs)
        )
        self.inputs, self.outputs = symbolic_leaves(inputs), symbolic_leaves(outputs)
        found, seen_at = _walk_back(self.outputs, self.inputs)
        depths, reach = _depths(found)
        for tensor in self.inputs:
            # An input that leads nowhere is an input all the same.
            if tensor.node is not None and tensor.node not in depths:
                depths[tensor.node], reach[tensor.node.call], seen_at[tensor.node.call] = 0, 0, -1
        # The nodes as they are run, farthest from the outputs first.
        self.nodes = sorted(depths, key=lambda node: -depths[node])
        # What is called, each once, in the order in which Keras lists layers.
        self.calls = sorted(reach, key=lambda call: (-reach[call], seen_at[call]))

    @functools.cached_property
    def looking_up(self) -> dict[int, Any]:
        """The layers that look up the numbers of an input, by the identity of its tensor: embeddings."""
        given = {id(tensor) for tensor in self.inputs}
        users = [(id(tensor), node.call) for node in self.nodes for tensor in node.inputs]
        return {key: call for key, call in users if key in given and hasattr(type(call), "highest_index")}

    def run(self, values: Sequence[Any]) -> Any:
        """The outputs, in their structure, for a value of each input."""
        return self.outputs_of(dict(zip(map(id, self.inputs), values, strict=True)))

    def outputs_of(self, known: dict[int, Any], without: Sequence[Node] = ()) -> Any:
        """The outputs, in their structure, from the values of tensors, by identity, that lead to them."""
        known = self.run_nodes([node for node in self.nodes if node.inputs and node not in without], known)
        if (taken := notes.current()) is not None:
            taken.promised |= known
        return filled_in(self.output_structure, lambda tensor: known[id(tensor)])

    def run_nodes(self, nodes: Sequence[Node], known: dict[int, Any]) -> dict[int, Any]:
        """The values of tensors, by identity, after some calls: those known before, and the new ones."""
        known = dict(known)
        for node in nodes:
            if all(id(tensor) in known for tensor in symbolic_leaves(node.outputs)):
                continue
            filled, named = filled_in((node.arguments, node.keywords), lambda tensor: known[id(tensor)])
            known.update(_kept_promises(node.outputs, node.call(*filled, **named)))
        return known

    # A graph without links from tensor to tensor: what is copied, pickled and compared.

    def plan(self) -> dict[str, Any]:
        """The same network in numbers: calls, and for each node its call and where its inputs come from."""
        places = {
            id(tensor): Place(number, position)
            for number, node in enumerate(self.nodes)
            for position, tensor in enumerate(symbolic_leaves(node.outputs))
        }
        calls = {id(call): number for number, call in enumerate(self.calls)}
        in_place = functools.partial(filled_in, value_of=lambda tensor: places[id(tensor)])
        nodes = [
            (calls[id(node.call)], in_place((node.arguments, node.keywords)) if node.inputs else ((), {}))
            for node in self.nodes
        ]
        return {
            "calls": self.calls,
            "nodes": nodes,
            "inputs": in_place(self.input_structure),
            "outputs": in_place(self.output_structure),
        }

    def __getstate__(self) -> dict[str, Any]:
        promises = [
            filled_in(node.outputs, lambda t: Promise(t.shape, t.dtype, t.name)) for node in self.nodes
        ]
        return {"plan": self.plan(), "promises": promises}

    def __setstate__(self, state: dict[str, Any]) -> None:
        plan, made = state["plan"], list[Node]()

        def at(place: Place) -> SymbolicTensor:
            return symbolic_leaves(made[place.node].outputs)[place.output]

        for (number, called_with), promise in zip(plan["nodes"], state["promises"], strict=True):
            arguments, keywords = filled_in(called_with, at, Place)
            outputs = filled_in(promise, lambda facts: SymbolicTensor(*facts), Promise)
            made.append(Node(plan["calls"][number], arguments, keywords, outputs))
        self.__init__(filled_in(plan["inputs"], at, Place), filled_in(plan["outputs"], at, Place))


def _kept_promises(promises: Any, values: Any) -> Iterator[tuple[int, Any]]:
    """Each symbolic tensor, by identity, with its value from the same structure."""
    if isinstance(promises, SymbolicTensor):
        yield id(promises), values
    elif isinstance(promises, dict):
        for key, promise in promises.items():
            yield from _kept_promises(promise, values[key])
    elif isinstance(promises, (list, tuple)):
        for promise, value in zip(promises, values, strict=True):
            yield from _kept_promises(promise, value)


def _walk_back(
    outputs: Sequence[SymbolicTensor], inputs: Sequence[SymbolicTensor]
) -> tuple[list[Node], dict[Any, int]]:
    """The nodes behind the outputs, each after those it needs; and when each call was met first."""
    given = {id(tensor) for tensor in inputs}
    done: dict[Node, None] = {}
    seen_at: dict[Any, int] = {}
    # A stack of one's own: networks may be deeper than Python's.
    path: list[tuple[Node, Iterator[SymbolicTensor]]] = []
    on_path: set[Node] = set()

    def enter(tensor: SymbolicTensor, needed_by: str) -> None:
        node = tensor.node
        if node is None or (not node.inputs and id(tensor) not in given):
            raise _disconnected(tensor, needed_by, inputs)
        if node not in done and node not in on_path:
            seen_at.setdefault(node.call, len(seen_at))
            on_path.add(node)
            path.append((node, iter(node.inputs)))

    for output in outputs:
        enter(output, "an output")
        while path:
            node, waiting = path[-1]
            tensor = next(waiting, None)
            if tensor is not None:
                enter(tensor, f"'{node.call.name}'")
            else:
                done[node] = None
                on_path.discard(node)
                path.pop()
    return list(done), seen_at


def _depths(found: Sequence[Node]) -> tuple[dict[Node, int], dict[Any, int]]:
    """How far each node, and each call at its farthest, lies from the outputs."""
    depths: dict[Node, int] = {}
    reach: dict[Any, int] = {}
    for node in reversed(found):
        depth = max(depths.get(node, 0), reach.get(node.call, 0))
        depths[node] = reach[node.call] = depth
        for tensor in node.inputs:
            parent = tensor.node
            assert parent is not None
            depths[parent] = max(depth + 1, depths.get(parent, 0))
    return depths, reach


def _disconnected(tensor: SymbolicTensor, needed_by: str, inputs: Sequence[SymbolicTensor]) -> ShapeError:
    names = ", ".join(f"'{one.name}'" for one in inputs) or "none"
    return ShapeError(
        "Model(inputs, outputs)",
        expected=f"every input that the outputs depend on among the inputs ({names})",
        got=f"'{tensor.name}', which {needed_by} needs, not among them",
        fix=f"Add '{tensor.name}' to inputs, or start from the tensors that Input() returned.",
    )
