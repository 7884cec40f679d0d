"""Conditions, loops and functions: eager ones run in Python, others become part of a compiled program."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np

from doltap import ops
from doltap.compat.tensorflow import arranging, dtypes, nest, recording
from doltap.compat.tensorflow.calls import Call
from doltap.compat.tensorflow.dtypes import DType, TensorShape
from doltap.compat.tensorflow.recording import scope, silently
from doltap.compat.tensorflow.tensor import Tensor, as_tensor, is_traced, unwrapped
from doltap.core.graph import SymbolicTensor
from doltap.errors import NotSupportedError
from doltap.registry import check_arguments

__all__ = ["TensorArray", "TensorSpec", "case", "cond", "custom_gradient", "foldl", "foldr", "function"]
__all__ += ["map_fn", "no_gradient", "numpy_function", "py_function", "recompute_grad", "scan"]
__all__ += ["switch_case", "vectorized_map", "while_loop"]


def _is_unknown(value: Any) -> bool:
    """Whether its value is not known yet, because a program is being compiled."""
    return is_traced(value) or (isinstance(value, Tensor) and value.is_tracer)


def cond(pred: Any, true_fn: Any = None, false_fn: Any = None, name: Any = None) -> Any:
    """What one of two functions gives, chosen by a single yes or no."""
    if isinstance(pred, SymbolicTensor):
        return ops.cond(pred, true_fn, false_fn)
    if not _is_unknown(pred):
        return true_fn() if bool(as_tensor(pred)) else false_fn()
    found = ops.cond(unwrapped(pred), lambda: unwrapped(true_fn()), lambda: unwrapped(false_fn()))
    return _as_before(found, pred)


def _as_before(found: Any, given: Any) -> Any:
    """Tensors where a tensor was given."""
    return jax.tree.map(Tensor, found) if isinstance(given, Tensor) else found


def case(
    pred_fn_pairs: Any, default: Any = None, exclusive: bool = False, strict: bool = False, name: Any = None
) -> Any:
    """What the function of the first true condition gives, or the default."""
    pairs = list(pred_fn_pairs)
    if not pairs:
        return default()
    (pred, function), rest = pairs[0], pairs[1:]
    if not rest and default is None:
        return function()
    return cond(pred, function, lambda: case(rest, default))


def switch_case(branch_index: Any, branch_fns: Any, default: Any = None, name: Any = None) -> Any:
    """What one of several functions gives, chosen by its number."""
    table = dict(branch_fns) if isinstance(branch_fns, dict) else None
    if table is None:
        pairs = list(branch_fns)
        are_numbered = bool(pairs) and isinstance(pairs[0], tuple)
        table = dict(pairs) if are_numbered else dict(enumerate(pairs))
    if _is_unknown(branch_index):
        branches = [lambda f=f: unwrapped(f()) for f in table.values()]
        return _as_before(ops.switch(unwrapped(branch_index), branches), branch_index)
    return table.get(int(branch_index), default or list(table.values())[-1])()


def while_loop(
    cond: Callable[..., Any],
    body: Callable[..., Any],
    loop_vars: Any,
    shape_invariants: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    maximum_iterations: Any = None,
    name: Any = None,
) -> Any:
    """What is left of the variables when `body` has changed them as long as `cond` held."""
    values = tuple(loop_vars)
    kind = list if isinstance(loop_vars, list) else tuple
    if any(_is_unknown(leaf) for leaf in nest.flatten(values)):
        found = ops.while_loop(
            lambda *v: unwrapped(cond(*v)), lambda *v: unwrapped(_listed(body(*v))), unwrapped(values)
        )
        return kind(found)
    count = 0
    values = tuple(nest.map_structure(_as_loop_variable, values))
    while (maximum_iterations is None or count < int(maximum_iterations)) and bool(cond(*values)):
        values, count = _listed(body(*values)), count + 1
    return kind(values)


def _as_loop_variable(value: Any) -> Any:
    return value if isinstance(value, TensorArray) else as_tensor(value)


def _listed(found: Any) -> tuple[Any, ...]:
    return tuple(found) if isinstance(found, (list, tuple)) else (found,)


def _rows(elems: Any) -> Iterator[Any]:
    """The slices of one tensor, or of several in a structure, along the first axis."""
    given = nest.map_structure(as_tensor, elems) if nest.is_nested(elems) else as_tensor(elems)
    count = nest.flatten(given)[0].shape[0]
    for number in range(count):
        yield nest.map_structure(lambda one, at=number: one[at], given)


def _stacked(found: list[Any]) -> Any:
    return nest.map_structure(lambda *parts: arranging.stack(list(parts)), *found)


def map_fn(fn: Callable[[Any], Any], elems: Any, dtype: Any = None, **options: Any) -> Any:
    """The function's results for each slice along the first axis, side by side."""
    elems = elems if isinstance(elems, (tuple, dict)) else as_tensor(elems)
    found = _stacked([fn(row) for row in _rows(elems)])
    wanted = options.get("fn_output_signature", dtype)
    if isinstance(wanted, (DType, str)) and isinstance(found, Tensor):
        return as_tensor(found, wanted)
    return found


def vectorized_map(
    fn: Callable[[Any], Any], elems: Any, fallback_to_while_loop: bool = True, warn: bool = True
) -> Any:
    """The function's results for each slice along the first axis, side by side."""
    return map_fn(fn, elems)


def scan(
    fn: Callable[..., Any], elems: Any, initializer: Any = None, reverse: bool = False, **options: Any
) -> Any:
    """What the function makes of the result so far and each slice, after every slice."""
    rows = list(_rows(elems if isinstance(elems, (tuple, dict)) else as_tensor(elems)))
    rows = rows[::-1] if reverse else rows
    if initializer is None:
        value, rest, found = rows[0], rows[1:], [rows[0]]
    else:
        value, rest, found = nest.map_structure(as_tensor, initializer), rows, []
    for row in rest:
        value = fn(value, row)
        found.append(value)
    return _stacked(found[::-1] if reverse else found)


def foldl(fn: Callable[..., Any], elems: Any, initializer: Any = None, **options: Any) -> Any:
    """What the function makes of the result so far and each slice, after the last one."""
    found = scan(fn, elems, initializer)
    return nest.map_structure(lambda one: one[-1], found)


def foldr(fn: Callable[..., Any], elems: Any, initializer: Any = None, **options: Any) -> Any:
    """As `foldl`, beginning with the last slice."""
    found = scan(fn, elems, initializer, reverse=True)
    return nest.map_structure(lambda one: one[0], found)


class TensorArray:
    """A list of tensors, written one by one and stacked at the end."""

    def __init__(
        self,
        dtype: Any,
        size: Any = None,
        dynamic_size: Any = None,
        element_shape: Any = None,
        **options: Any,
    ) -> None:
        self.dtype = dtypes.as_dtype(dtype)
        self._parts: list[Any] = [None] * int(0 if size is None else size)

    def write(self, index: Any, value: Any, name: Any = None) -> TensorArray:
        """The list with a tensor at a place."""
        place = int(index)
        self._parts += [None] * (place + 1 - len(self._parts))
        self._parts[place] = as_tensor(value, self.dtype)
        return self

    def read(self, index: Any, name: Any = None) -> Any:
        """The tensor at a place."""
        return self._parts[int(index)]

    def stack(self, name: Any = None) -> Any:
        """All of them side by side, along a new first axis."""
        return arranging.stack(self._parts)

    def concat(self, name: Any = None) -> Any:
        """All of them one after the other, along their first axis."""
        return arranging.concat(self._parts, 0)

    def unstack(self, value: Any, name: Any = None) -> TensorArray:
        """The list of the slices of a tensor."""
        self._parts = arranging.unstack(as_tensor(value, self.dtype))
        return self

    def size(self, name: Any = None) -> Any:
        """How many there are."""
        return as_tensor(len(self._parts))


# Functions.


class TensorSpec:
    """What a tensor is to be: its shape, with None where any length will do, and its type."""

    def __init__(self, shape: Any = (), dtype: Any = dtypes.float32, name: Any = None) -> None:
        self.shape, self.dtype, self.name = TensorShape(shape), dtypes.as_dtype(dtype), name

    @classmethod
    def from_tensor(cls, tensor: Any, name: Any = None) -> TensorSpec:
        """That of a tensor."""
        return cls(tensor.shape, tensor.dtype, name)

    def is_compatible_with(self, other: Any) -> bool:
        """Whether a tensor is as it says."""
        return bool(other.dtype == self.dtype and self.shape.is_compatible_with(other.shape))

    def __eq__(self, other: object) -> bool:
        is_same = isinstance(other, TensorSpec) and other.shape == self.shape
        return bool(is_same and other.dtype == self.dtype)  # type: ignore[attr-defined]

    def __hash__(self) -> int:
        return hash((self.shape, self.dtype))

    def __repr__(self) -> str:
        return f"TensorSpec(shape={self.shape}, dtype={self.dtype!r}, name={self.name!r})"


class _Function:
    """A function that TensorFlow would have made a graph of, and that is called as it is."""

    def __init__(self, python_function: Callable[..., Any], input_signature: Any = None) -> None:
        functools.update_wrapper(self, python_function)
        self.python_function, self.input_signature = python_function, input_signature
        self._concrete: dict[str, _Concrete] = {}

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """What the function gives; arrays of NumPy's reach it as tensors."""
        signature = self.input_signature or ()
        given = [_as_argument(value) for value in arguments]
        for place, (value, spec) in enumerate(zip(given, signature, strict=False)):
            if isinstance(spec, TensorSpec) and not isinstance(value, Tensor):
                given[place] = as_tensor(value, spec.dtype)
        return self.python_function(*given, **{key: _as_argument(value) for key, value in keywords.items()})

    def __get__(self, owner: Any, kind: Any = None) -> Any:
        if owner is None:
            return self
        return _Function(self.python_function.__get__(owner, kind), self.input_signature)

    def get_concrete_function(self, *arguments: Any, **keywords: Any) -> Any:
        """The function for arguments of these shapes and types: the same one for the same ones."""
        given = jax.tree.map(_shape_and_type, (arguments, keywords), is_leaf=_has_shape)
        return self._concrete.setdefault(repr(given), _Concrete(self))

    def experimental_get_tracing_count(self) -> int:
        """How often a graph was made of it: once, in the words of TensorFlow."""
        return 1

    def __repr__(self) -> str:
        return f"<tf.function {self.__name__}>"

    __name__ = "function"


def _has_shape(value: Any) -> bool:
    return isinstance(value, (Tensor, TensorSpec, np.ndarray))


def _shape_and_type(value: Any) -> Any:
    return (tuple(value.shape), str(value.dtype)) if _has_shape(value) else value


# What tells of the graph that TensorFlow makes of a function.
_OF_GRAPHS = ("captured_inputs", "function_def", "graph", "inputs", "outputs", "structured_input_signature")


class _Concrete:
    """A function for arguments of some shapes and types, which is the function itself."""

    def __init__(self, function: _Function) -> None:
        self.function, self.name = function, f"__inference_{function.__name__}"

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """What the function gives."""
        return self.function(*arguments, **keywords)

    def __getattr__(self, name: str) -> Any:
        if name not in _OF_GRAPHS:
            raise AttributeError(f"a concrete function has no attribute {name!r}")
        raise NotSupportedError(
            f"{self.function.__name__}.get_concrete_function(...).{name}",
            expected="calls of the function",
            got="a request for its graph",
            fix="Call it with tensors: no graphs are made; layers and gradients are compiled by themselves.",
        )

    def __repr__(self) -> str:
        return f"<ConcreteFunction {self.function.__name__}>"


def _as_argument(value: Any) -> Any:
    return as_tensor(value) if isinstance(value, (np.ndarray, np.generic)) else value


def function(func: Any = None, input_signature: Any = None, **options: Any) -> Any:
    """Decorator: the function itself, called line by line.

    TensorFlow makes a graph of it. Here what is called inside, layers, losses
    and gradients, is compiled by itself, so that the meaning stays and prints
    are seen at every call.

    Args:
        input_signature: what arguments are made to be.
        options: accepted and not needed, such as `jit_compile` and `reduce_retracing`.
    """
    known = """input_signature autograph jit_compile reduce_retracing experimental_relax_shapes name
        experimental_compile experimental_implements experimental_autograph_options
        experimental_follow_type_hints experimental_attributes"""
    check_arguments("tf.function", options, known.split())
    if func is None:
        return functools.partial(function, input_signature=input_signature)
    return _Function(func, input_signature)


def numpy_function(func: Any = None, inp: Any = None, Tout: Any = None, **options: Any) -> Any:  # noqa: N803
    """What a function of NumPy arrays gives, as tensors of the types `Tout`."""
    return _from_python(func, inp, Tout, lambda one: one.numpy())


def py_function(func: Any = None, inp: Any = None, Tout: Any = None, name: Any = None) -> Any:  # noqa: N803
    """What a Python function of tensors gives, as tensors of the types `Tout`."""
    return _from_python(func, inp, Tout, lambda one: one)


def _from_python(func: Any, inp: Any, types: Any, given: Callable[[Any], Any]) -> Any:
    tensors = [as_tensor(one) for one in inp]
    if any(map(_is_unknown, tensors)):
        return _called_back(func, tensors, types, given)
    found = func(*map(given, tensors))
    if isinstance(types, (list, tuple)):
        several = found if isinstance(found, (list, tuple)) else [found]
        values = several if len(types) else []
        return [as_tensor(value, kind) for value, kind in zip(values, types, strict=True)]
    return None if found is None else as_tensor(found, types)


def _called_back(func: Any, tensors: list[Tensor], types: Any, given: Callable[[Any], Any]) -> Any:
    """What a Python function will give while the program runs that is being compiled."""
    is_alone = not isinstance(types, (list, tuple))
    kinds = [dtypes.as_dtype(kind).dtype for kind in ([types] if is_alone else types)]
    kinds = [jax.dtypes.canonicalize_dtype(kind) for kind in kinds]

    def values(*arrays: Any) -> list[np.ndarray]:
        found = func(*(given(as_tensor(np.asarray(array))) for array in arrays))
        parts = [found] if is_alone or not isinstance(found, (list, tuple)) else found
        return [np.asarray(unwrapped(part), kind) for part, kind in zip(parts, kinds, strict=True)]

    arrays = unwrapped(tensors)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            zeros = (np.zeros(array.shape, array.dtype) for array in arrays)
            shapes = [value.shape for value in values(*zeros)]
    except Exception:
        # Nothing says which shape it gives; measures, which are not for zeros, give one number.
        shapes = [()] * len(kinds)
    promises = [jax.ShapeDtypeStruct(shape, kind) for shape, kind in zip(shapes, kinds, strict=True)]
    results = jax.pure_callback(values, promises, *arrays)
    return results[0] if is_alone else results


# Gradients of one's own.


def custom_gradient(f: Any = None) -> Any:
    """Decorator: the function brings its own gradient.

    Args:
        f: gives a pair: the result, and a function from the gradient of the
            result to those of the arguments.
    """

    @functools.wraps(f)
    def call(*arguments: Any, **keywords: Any) -> Any:
        if any(isinstance(one, SymbolicTensor) or is_traced(one) for one in nest.flatten(arguments)):
            return _with_gradient(f, keywords)(*unwrapped(arguments))
        entries = [as_tensor(one) for one in arguments]
        with silently(scope.by_hand):
            found = f(*entries, **keywords)[0]
            # Of its own, where the function hands an argument on.
            result = nest.map_structure(lambda one: Tensor(as_tensor(one).array), found)
        if scope.tapes:
            own = _OwnGradient(f, keywords)
            recording.heard(own, ((-1,) * len(entries), ()), entries, nest.flatten(result))
        return result

    return call


def _with_gradient(f: Callable[..., Any], keywords: dict[str, Any]) -> Callable[..., Any]:
    """The function for JAX."""

    def parts(*arrays: Any) -> Any:
        result, gradient = f(*arrays, **keywords)

        def pullback(upstream: Any) -> Any:
            found = gradient(*upstream) if isinstance(upstream, (list, tuple)) else gradient(upstream)
            flat = [unwrapped(as_tensor(one)) for one in _listed(found)]
            return tuple(flat[: len(arrays)])

        return unwrapped(result), pullback

    return jax.custom_gradient(parts)


class _OwnGradient(Call):
    """A function with a gradient of its own, as tapes hear it."""

    __slots__ = ("f", "keywords")

    def __init__(self, f: Callable[..., Any], keywords: dict[str, Any]) -> None:
        super().__init__(getattr(f, "__name__", "function"), _with_gradient(f, keywords), needs_jax=True)
        self.f, self.keywords = f, keywords

    def apply(self, module: Any, arrays: Any, layout: Any, others: Any) -> Any:
        """What the function gives, as a flat list."""
        with silently(None):
            return nest.flatten(self.body(*arrays))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _OwnGradient) and other.f is self.f and other.keywords == self.keywords

    def __hash__(self) -> int:
        return hash(self.f)


def recompute_grad(f: Callable[..., Any]) -> Callable[..., Any]:
    """The function itself: gradients compute everything again anyway."""
    return f


def no_gradient(op_type: str) -> None:
    """Nothing: operations have no names here."""
