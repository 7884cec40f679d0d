"""In what precision the library computes, and what it stores.

Arrays keep the type they came in as long as the device has it; layers convert
when they compute. What the process as a whole has chosen stands here too;
users say it through `doltap.config`.
"""

from __future__ import annotations

import re
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from doltap.errors import NotSupportedError, UnknownNameError
from doltap.registry import Configured, Names, custom_object_scope, described, explained

__all__ = ["DTypePolicy", "deserialize", "dtype_policy", "floatx", "get", "is_float", "is_integer"]
__all__ += ["result_type", "serialize", "set_dtype_policy", "set_floatx", "standardize", "wide", "widened"]

_FLOATS = ("float16", "bfloat16", "float32", "float64")
_MIXED = {"mixed_bfloat16": "bfloat16", "mixed_float16": "float16"}
# What Python's own types mean, also by name.
_OF_PYTHON = {"float": "float32", "int": "int32", "str": "string"}
# Policies of Keras that are still to come; the first kind is one by its name.
_QUANTIZED = re.compile(r"(int[48]|float8|gptq|awq).*_from_.*")
_PLANNED: tuple[str, ...] = (
    "DTypePolicyMap",
    "QuantizedDTypePolicy",
    "QuantizedFloat8DTypePolicy",
    "Int4DTypePolicy",
)
_PLANNED += ("GPTQDTypePolicy", "AWQDTypePolicy")

names = Names("dtype policy")

_chosen: dict[str, Any] = {"floatx": "float32", "policy": None}


def floatx() -> str:
    """The name of the type in which weights are made, `"float32"` at first.

    >>> floatx()
    'float32'
    """
    return str(_chosen["floatx"])


@explained
def set_floatx(value: str) -> None:
    """Choose the type of the weights made from now on.

    Args:
        value: "float16", "bfloat16", "float32" or "float64". The last one
            switches JAX to 64 bits, for the whole process and from now on.
    """
    if value not in _FLOATS:
        raise UnknownNameError.of("floating-point type", value, _FLOATS)
    if value == "float64":
        jax.config.update("jax_enable_x64", True)
    _chosen["floatx"] = value


def wide() -> str:
    """The type for sums and rates that half precision would lose: float32, or float64 where `floatx()` is.

    >>> wide()
    'float32'
    """
    return "float64" if floatx() == "float64" else "float32"


def widened(dtype: Any) -> str:
    """The type itself, or float32 where half precision, or none, would lose too much.

    >>> widened("bfloat16"), widened("int32"), widened("float32")
    ('float32', 'float32', 'float32')
    """
    dtype = jnp.dtype(dtype)
    return dtype.name if jnp.issubdtype(dtype, jnp.inexact) and dtype.itemsize >= 4 else "float32"


def standardize(dtype: Any) -> str:
    """The plain name of a type, whatever it was given as; None means `floatx()`.

    A policy stands for the type it computes in.

    >>> standardize(jnp.float32), standardize("int64"), standardize(None), standardize(float)
    ('float32', 'int64', 'float32', 'float32')
    """
    if dtype is None:
        return floatx()
    if isinstance(dtype, (DTypePolicy, dict)):
        return get(dtype).compute_dtype
    name = _MIXED.get(dtype) or _OF_PYTHON.get(dtype, dtype) if isinstance(dtype, str) else _name_of(dtype)
    if name == "string":
        return name
    try:
        found = jnp.dtype(name)
    except TypeError:
        found = np.dtype(object)
    if found is not np.dtype(bool) and not jnp.issubdtype(found, jnp.number):
        known = ["float16", "bfloat16", "float32", "float64", "int32", "uint8", "bool", "string", *_MIXED]
        raise UnknownNameError.of("type", dtype, known)
    return found.name


def _name_of(dtype: Any) -> Any:
    """The name of a type of Python's, torch's or TensorFlow's; anything else is left to NumPy."""
    # By identity: NumPy's float64 equals Python's float.
    if any(dtype is kind for kind in (float, int, str)):
        return _OF_PYTHON[dtype.__name__]
    if type(dtype).__module__ == "torch":
        return str(dtype).removeprefix("torch.")
    return dtype.name if hasattr(dtype, "as_numpy_dtype") else dtype


def is_float(dtype: Any) -> bool:
    """Whether the type holds real numbers."""
    return dtype != "string" and bool(jnp.issubdtype(dtype, jnp.floating))


def is_integer(dtype: Any) -> bool:
    """Whether the type holds whole numbers."""
    return dtype != "string" and bool(jnp.issubdtype(dtype, jnp.integer))


def result_type(*dtypes: Any) -> str:
    """The plain name of the type in which values of these types are computed together.

    >>> result_type("int32", "float16"), result_type("float16", "bfloat16"), result_type()
    ('float16', 'float32', 'float32')
    """
    return jnp.result_type(*dtypes or (standardize(None),)).name


# The second is the name of the first Kerases that had policies.
@names.register("FloatDTypePolicy", "Policy")
class DTypePolicy(Configured):
    """In which type a layer computes, and in which it keeps its weights.

    Args:
        name: a type such as "float32" for both; "mixed_bfloat16" or
            "mixed_float16" compute in 16 bits and keep 32. None means the
            policy that `config.set_dtype_policy` chose.

    >>> DTypePolicy("mixed_bfloat16").compute_dtype
    'bfloat16'
    """

    name: str

    def __init__(self, name: str | None = None) -> None:
        name = dtype_policy().name if name is None else name
        if not isinstance(name, str):
            raise UnknownNameError.of("policy", name, [*_FLOATS, *_MIXED])
        if _QUANTIZED.fullmatch(name):
            raise _planned(name)
        self.name = name
        self.compute_dtype = _on_device(standardize(name))
        self.variable_dtype = "float32" if name in _MIXED else self.compute_dtype

    @property
    def is_mixed(self) -> bool:
        """Whether it computes in another type than it keeps."""
        return self.compute_dtype != self.variable_dtype

    @property
    def quantization_mode(self) -> None:
        """None, as in Keras for policies that are not quantized."""
        return None

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        return {"name": self.name}

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and vars(other) == vars(self)

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f'<DTypePolicy "{self.name}">'


def _on_device(dtype: str) -> str:
    if dtype == "float64" and not jax.config.read("jax_enable_x64"):
        raise NotSupportedError(
            "dtype='float64'",
            expected="64-bit numbers to be switched on first",
            got="JAX's usual 32 bits",
            fix="Begin the program with doltap.config.set_floatx('float64').",
        )
    return dtype


def dtype_policy() -> DTypePolicy:
    """The policy that layers take when they are given none, at first that of `floatx()`."""
    return _chosen["policy"] or DTypePolicy(floatx())


@explained
def set_dtype_policy(policy: Any) -> None:
    """Choose the policy of the layers and models made from now on.

    Args:
        policy: a name such as "mixed_bfloat16", or a policy.
    """
    if not isinstance(policy, (str, DTypePolicy)):
        raise UnknownNameError.of("policy", policy, [*_FLOATS, *_MIXED])
    _chosen["policy"] = get(policy)


def forget_policy() -> None:
    """Go back to the policy of `floatx()`."""
    _chosen["policy"] = None


@explained
def get(identifier: Any = None) -> DTypePolicy:
    """The policy for a name, a type, a policy, or the dict that a file holds; None is the usual one.

    >>> get("mixed_float16")
    <DTypePolicy "mixed_float16">
    """
    if identifier is None:
        return dtype_policy()
    if isinstance(identifier, DTypePolicy):
        return identifier
    if isinstance(identifier, dict):
        return deserialize(identifier)
    return DTypePolicy(identifier if isinstance(identifier, str) else standardize(identifier))


@explained
def serialize(dtype_policy: DTypePolicy) -> dict[str, Any]:
    """The policy as Keras 3 describes it: module, class name, configuration.

    >>> serialize(DTypePolicy("float32"))["config"]
    {'name': 'float32'}
    """
    return described(dtype_policy, "keras")


@explained
def deserialize(config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> DTypePolicy:
    """The policy that `serialize` described, here or in Keras.

    Args:
        custom_objects: policies of the user's own by name, beside the registered ones.
    """
    kind = str(config.get("class_name"))
    if kind in _PLANNED:
        raise _planned(kind)
    with custom_object_scope(custom_objects or {}):
        return names.make(config)


def _planned(what: str) -> NotSupportedError:
    return NotSupportedError(
        f"dtype='{what}'",
        expected="one policy of real numbers for each layer",
        got="a quantized policy, or a map of several",
        fix="Those are not there yet; give layers dtype='mixed_bfloat16', 'float16' and the like.",
    )
