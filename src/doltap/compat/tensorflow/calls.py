"""How a function of arrays becomes one of tensors: values in, values out, and tapes hear of it.

The function is written once, over a module that is NumPy or `jax.numpy`: eager
calls run it in NumPy, compiled programs and gradients run it in JAX.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from doltap.compat.tensorflow import dtypes, recording, tensor
from doltap.compat.tensorflow.dtypes import DType, TensorShape
from doltap.compat.tensorflow.errors import InvalidArgumentError
from doltap.compat.tensorflow.recording import scope
from doltap.compat.tensorflow.tensor import Tensor, array_from, as_tensor, common_type, is_traced, reading
from doltap.core.explaining import WANTS_VALUES
from doltap.core.graph import SymbolicTensor
from doltap.core.tensors import Variable
from doltap.errors import DoltapError, UnknownArgumentError
from doltap.registry import check_arguments
from doltap.training import cache

__all__ = [
    "Call",
    "as_kind",
    "compiled",
    "emptied",
    "foreign",
    "is_64_bit",
    "operation",
    "performed",
    "plain",
    "refilled",
]

# Words of TensorFlow 1 for the arguments of today.
_OLD_KEYWORDS = {"keep_dims": "keepdims", "reduction_indices": "axis", "dim": "axis", "dimension": "axis"}
_PLAIN = (int, float, str, bytes, bool, type(None), DType)
# How many compiled functions are kept.
_KEPT = 512


class Call:
    """A function that tensors can be given to.

    Args:
        body: `body(module, *arrays, *others)`, where the module is NumPy's or JAX's.
        needs_jax: whether NumPy cannot do it.
    """

    __slots__ = ("body", "name", "needs_jax")

    def __init__(self, name: str, body: Callable[..., Any], *, needs_jax: bool = False) -> None:
        self.name, self.body, self.needs_jax = name, body, needs_jax

    def apply(self, module: Any, arrays: Sequence[Any], layout: tuple[Any, ...], others: Any) -> Any:
        """What it gives.

        Args:
            layout: for each argument None for one that is left out, -1 for an
                array, and the number of arrays for a list of them.
        """
        given: list[Any] = []
        place = 0
        for count in layout:
            if count is None:
                given.append(None)
            elif count < 0:
                given.append(arrays[place])
                place += 1
            else:
                given.append(list(arrays[place : place + count]))
                place += count
        return self.body(module, *given, *others)

    def compute(self, layout: tuple[Any, ...], others: Any) -> Callable[..., Any]:
        """The compiled function of the arrays, for one way to call it."""
        try:
            return _compiled(self, layout, others, tuple(map(type, others)))
        except TypeError:  # Something among the others cannot be looked up.
            return lambda *arrays: self.apply(jnp, arrays, layout, others)

    def kept(self) -> Any:
        """What has to stay as long as a tape may compute it again."""
        return None

    def replayed(self, arrays: Sequence[Any], layout: tuple[Any, ...], others: Any) -> list[Any]:
        """What it gives inside a program, as a list."""
        found = self.apply(jnp, arrays, layout, others)
        return list(found) if isinstance(found, (tuple, list)) else [found]

    def __repr__(self) -> str:
        return f"<tf.{self.name}>"


class _Operation(Call):
    """A function of the facade's own, which keeps whole numbers of 64 bits."""

    __slots__ = ()


def as_kind(numpy: Any, dtype: Any) -> Any:
    """A type for `astype` in NumPy or JAX, which has 64 bits only where it was told."""
    wanted = dtypes.as_dtype(dtype).dtype
    return wanted if numpy is np else jax.dtypes.canonicalize_dtype(wanted)


def is_64_bit(arrays: Sequence[Any], *, whole: bool = False) -> bool:
    """Whether JAX has to be told to keep the precision of one of them, or also all of a `whole` number."""
    kinds = "dDlqLQ" if whole else "dD"
    return any(array.dtype.char in kinds for array in arrays)


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function as a compiled program, which is kept on disk as those of fit are."""
    _prepare()
    return jax.jit(function)


@functools.cache
def _prepare() -> None:
    cache.use_disk_cache()


@functools.lru_cache(maxsize=_KEPT)
def _compiled(call: Call, layout: tuple[Any, ...], others: Any, kinds: Any) -> Callable[..., Any]:
    return compiled(lambda *arrays: call.apply(jnp, arrays, layout, others))


def _computed(call: Call, entries: Sequence[Tensor], layout: tuple[Any, ...], others: Any) -> Any:
    """The values, computed where that is quickest."""
    arrays = [entry.array for entry in entries]
    try:
        if any(isinstance(array, jax.core.Tracer) for array in arrays):
            return call.apply(jnp, arrays, layout, others)
        if not call.needs_jax and (_on_cpu() or all(isinstance(array, np.ndarray) for array in arrays)):
            with np.errstate(all="ignore"):
                return call.apply(np, [entry.host for entry in entries], layout, others)
        compute = call.compute(layout, others)
        if is_64_bit(arrays, whole=type(call) is _Operation):
            with jax.enable_x64(True):
                return compute(*arrays)
        return compute(*arrays)
    except (ValueError, TypeError, IndexError) as error:
        if isinstance(error, (DoltapError, *WANTS_VALUES)):
            raise
        raise _refused(call, entries, error) from error


@functools.cache
def _on_cpu() -> bool:
    return jax.default_backend() == "cpu"


def _refused(call: Call, entries: Sequence[Tensor], error: Exception) -> InvalidArgumentError:
    said = next(iter(str(error).splitlines()), type(error).__name__)
    types = ", ".join(f"{entry.dtype.name} {entry.shape}" for entry in entries)
    return InvalidArgumentError(
        f"tf.{call.name}",
        expected="tensors that it can compute with",
        got=f"{types}: {said.rstrip('.')}",
        fix="Look at the shapes and types, and at the axis if it takes one.",
    )


def performed(
    call: Call, entries: Sequence[Tensor], layout: tuple[Any, ...], others: Any, *, is_raw: bool = False
) -> Any:
    """What a call gives for tensors, which open tapes are told.

    Args:
        is_raw: whether arrays of a compiled program came in as they are; then one goes out.
    """
    values = _computed(call, entries, layout, others)
    if is_raw:
        return values
    if isinstance(values, (tuple, list)):
        outputs = [Tensor(value) for value in values]
        found: Any = type(values)(*outputs) if hasattr(values, "_fields") else outputs
    else:
        if isinstance(values, jax.core.Tracer) and not entries and scope.by_hand is not True:
            # Random numbers in a compiled program.
            return values
        found = Tensor(values)
        outputs = [found]
    if scope.tapes:
        recording.heard(call, (layout, others), entries, outputs)
    return found


def operation(
    count: int = 1, *, lists: bool = False, matched: bool = False, needs_jax: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorator: the function of a module and arrays becomes one of tensors.

    Args:
        count: how many of its arguments, the first ones, are tensors.
        lists: whether the first may be a list of tensors that stay apart.
        matched: whether the tensors are to be of one type; plain numbers bend to tensors.
        needs_jax: whether NumPy cannot do it.
    """

    def decorate(body: Callable[..., Any]) -> Callable[..., Any]:
        call = _Operation(body.__name__.strip("_"), body, needs_jax=needs_jax)
        signature = inspect.signature(body)
        parameters = list(signature.parameters.values())[1:]

        @functools.wraps(body)
        def function(*arguments: Any, **keywords: Any) -> Any:
            given = _bound(call.name, parameters, arguments, keywords)
            data, others = given[:count], given[count:]
            symbolic = _promise_among(data)
            if symbolic is not None:
                return symbolic.record_call(function, arguments, keywords)
            is_raw, entries, layout = _laid_out(data, lists=lists, matched=matched)
            return performed(call, entries, layout, tuple(map(plain, others)), is_raw=is_raw)

        vars(function)["__signature__"] = signature.replace(parameters=[*parameters, _NAME])
        vars(function)["call"] = call
        return function

    return decorate


# Every function of TensorFlow's takes a name, which changes nothing where there are no graphs.
_NAME = inspect.Parameter("name", inspect.Parameter.KEYWORD_ONLY, default=None)


def _bound(
    what: str, parameters: Sequence[inspect.Parameter], arguments: tuple[Any, ...], keywords: dict[str, Any]
) -> list[Any]:
    """The value of each parameter."""
    given = list(arguments)
    if len(given) > len(parameters):
        del given[len(parameters) + 1 :]
        if not isinstance(given.pop(), (str, type(None))):
            raise UnknownArgumentError(
                f"tf.{what}",
                expected=f"at most {len(parameters)} arguments",
                got=str(len(arguments)),
                fix=f"It takes: {', '.join(each.name for each in parameters)}.",
            )
    if not keywords and len(given) == len(parameters):
        return given
    keywords.pop("name", None)
    named = {_OLD_KEYWORDS.get(key, key): value for key, value in keywords.items()}
    for parameter in parameters[len(given) :]:
        value = named.pop(parameter.name, parameter.default)
        if value is parameter.empty:
            raise UnknownArgumentError(
                f"tf.{what}", expected=f"{parameter.name}=", got="a call without", fix="Give it a value."
            )
        given.append(value)
    if named:
        check_arguments(f"tf.{what}", named, [each.name for each in parameters])
    return given


def _promise_among(data: Sequence[Any]) -> SymbolicTensor | None:
    for value in data:
        if isinstance(value, SymbolicTensor):
            return value
        if isinstance(value, (list, tuple)) and (found := _promise_among(value)) is not None:
            return found
    return None


def _laid_out(
    data: Sequence[Any], *, lists: bool, matched: bool
) -> tuple[bool, list[Tensor], tuple[Any, ...]]:
    """Whether an array of a compiled program is among them, the tensors, and how they are laid out."""
    values: list[Any] = []
    layout: list[int | None] = []
    for number, value in enumerate(data):
        if lists and number == 0 and isinstance(value, (list, tuple)):
            values += value
            layout.append(len(value))
        elif value is None:
            layout.append(None)
        else:
            values.append(value)
            layout.append(-1)
    is_raw = scope.by_hand is not True and any(is_traced(_behind(value)) for value in values)
    if matched or (lists and layout[0] != -1):
        return is_raw, _matched(values), tuple(layout)
    return is_raw, [_entry(value) for value in values], tuple(layout)


def _behind(value: Any) -> Any:
    return value.read() if isinstance(value, Variable) else value


def _entry(value: Any) -> Tensor:
    """The tensor for an argument."""
    if type(value) is Tensor:
        return value
    if isinstance(value, Variable):
        return reading(value)
    if isinstance(value, jax.Array):
        return Tensor(value)
    found = as_tensor(value)
    return found if isinstance(found, Tensor) else Tensor(found)


def _matched(values: Sequence[Any]) -> list[Tensor]:
    """Tensors of one type. Where some are tensors, plain values bend to them as far as they can."""
    kinds = (Tensor, Variable, jax.Array)
    entries: list[Any] = [_entry(value) if isinstance(value, kinds) else None for value in values]
    known = [entry for entry in entries if entry is not None]
    if not known:
        # Arrays of NumPy's count for more than Python's numbers.
        known = [_entry(value) for value in values if hasattr(value, "dtype")]
    dtype: Any = known[0].array.dtype if known else None
    for entry in known[1:]:
        dtype = common_type(dtype, entry.array.dtype)
    made = [
        _bent(value, dtype) if entry is None else entry for value, entry in zip(values, entries, strict=True)
    ]
    for entry in made:
        dtype = entry.array.dtype if dtype is None else common_type(dtype, entry.array.dtype)
    return [entry if entry.array.dtype == dtype else entry.astype(dtype) for entry in made]


def _bent(value: Any, dtype: np.dtype[Any] | None) -> Tensor:
    """A plain value as a tensor, of the type if it can be of it."""
    if type(value) in (bool, int, float) and dtype is not None and dtype.kind in "fV":
        return Tensor(np.array(value, dtype))
    if isinstance(value, (list, tuple)):
        value = as_tensor(value)
        array = value.array
    else:
        array = array_from(value)
        value = Tensor(array)
    is_fraction, is_whole = array.dtype.kind in "fV", array.dtype.kind in "iu"
    if dtype is None or array.dtype == dtype:
        return value
    fits = dtype.kind in "fV" and (is_fraction or is_whole)
    return value.astype(dtype) if fits or (dtype.kind in "iu" and is_whole) else value


def plain(value: Any) -> Any:
    """An argument that is no tensor, as something that can be looked up; tensors as plain numbers."""
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, (Tensor, Variable)):
        value = value.numpy() if not is_traced(_behind(value)) else _behind(value)
    if isinstance(value, TensorShape):
        return tuple(value)
    if isinstance(value, (list, tuple)):
        return tuple(plain(each) for each in value)
    if isinstance(value, slice):
        return slice, plain(value.start), plain(value.stop), plain(value.step)
    if isinstance(value, np.generic) or (hasattr(value, "tolist") and not is_traced(value)):
        return plain(value.tolist())
    return value


# Doltap's own functions.


@functools.lru_cache(maxsize=_KEPT)
def _foreign_call(function: Callable[..., Any], form: Any) -> Call:
    def body(module: Any, *arrays: Any) -> Any:
        arguments, keywords = refilled(form, iter(arrays))
        return function(*arguments, **dict(keywords))

    return Call(getattr(function, "__name__", "function"), body, needs_jax=True)


class _Slot:
    """Where an array stands among the arguments."""


def emptied(value: Any, entries: list[Tensor]) -> Any:
    """The argument as something to look up: marks stand for arrays, which go to `entries`."""
    if isinstance(value, (Tensor, Variable, jax.Array, np.ndarray, np.generic)):
        entries.append(_entry(value))
        return _Slot
    if isinstance(value, dict):
        return dict, tuple((key, emptied(item, entries)) for key, item in value.items())
    if isinstance(value, (list, tuple)):
        kind = list if isinstance(value, list) else tuple
        return kind, tuple(emptied(item, entries) for item in value)
    # 1 and 1.0 and True are one key of a dict.
    return (type(value), value) if isinstance(value, (bool, int, float)) else value


def refilled(form: Any, arrays: Any) -> Any:
    """The argument of which `emptied` made the form, with arrays in their places."""
    if form is _Slot:
        return next(arrays)
    if not isinstance(form, tuple):
        return form
    kind, items = form
    if kind is dict:
        return {key: refilled(item, arrays) for key, item in items}
    return kind(refilled(item, arrays) for item in items) if isinstance(items, tuple) else items


def foreign(function: Callable[..., Any], arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    """What a function of arrays gives for tensors: JAX computes it."""
    entries: list[Tensor] = []
    form = emptied((arguments, keywords), entries)
    is_raw = scope.by_hand is not True and any(
        is_traced(leaf) for leaf in jax.tree.leaves((arguments, keywords))
    )
    try:
        call = _foreign_call(function, form)
    except TypeError:  # Something among the arguments cannot be looked up.
        call = _foreign_call.__wrapped__(function, form)
    return performed(call, entries, (-1,) * len(entries), (), is_raw=is_raw)


tensor.tensor_functions["foreign"] = foreign
