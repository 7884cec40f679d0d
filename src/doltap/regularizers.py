"""What a weight costs for being what it is, added to the loss.

A regularizer is any function from a weight to one number; the classes here
can also tell how to make them again.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from doltap import config, doors, dtypes, old_names, registry
from doltap.errors import DataError, NotSupportedError, ShapeError, UnknownNameError
from doltap.registry import explained

__all__ = ["L1", "L2", "L1L2", "OrthogonalRegularizer", "Regularizer", "deserialize", "get", "names"]
__all__ += ["Factor", "cost_of", "factors_of"]
__all__ += ["l1", "l1_l2", "l2", "orthogonal_regularizer", "serialize"]

names = registry.Names("regularizer")


class Regularizer(registry.Configured):
    """What a weight costs: make your own by overriding `__call__(x)`, which gives one number."""

    # Attributes that are multiplied with, so that a program may take their values when it runs.
    factors: ClassVar[tuple[str, ...]] = ()

    def __call__(self, x: Any) -> Any:
        """The cost of the weight, one number."""
        raise NotSupportedError(
            f"regularizer '{type(self).__name__}'",
            expected="a method __call__(self, x)",
            got="none",
            fix="Define __call__(self, x); it returns one number for the weight x.",
        )


def _factor(regularizer: Regularizer, name: str, value: Any) -> float:
    """The factor as a plain float; an error unless it is a number from 0."""
    try:
        factor = float(value)
    except (TypeError, ValueError):
        factor = math.nan
    if not 0 <= factor < math.inf:
        raise DataError(
            f"regularizer '{type(regularizer).__name__}'",
            expected=f"{name}= to be a number from 0",
            got=repr(value),
            fix="For example 0.01.",
        )
    return factor


@names.register()
class L1(Regularizer):
    """`l1` times the sum of the absolute values: draws weights to exactly 0.

    >>> float(L1(0.5)(jnp.array([1.0, -3.0])))
    2.0
    """

    factors = ("l1",)

    @old_names.accepts("l1")
    def __init__(self, l1: float | None = 0.01) -> None:
        self.l1 = _factor(self, "l1", 0.01 if l1 is None else l1)

    def __call__(self, x: Any) -> Float[Array, ""]:
        """The cost of the weight."""
        return self.l1 * jnp.sum(jnp.abs(jnp.asarray(x)))

    def get_config(self) -> dict[str, Any]:
        """The factor."""
        return {"l1": self.l1}


@names.register()
class L2(Regularizer):
    """`l2` times the sum of the squares: draws weights towards 0, large ones most.

    >>> float(L2(0.5)(jnp.array([1.0, -3.0])))
    5.0
    """

    factors = ("l2",)

    @old_names.accepts("l2")
    def __init__(self, l2: float | None = 0.01) -> None:
        self.l2 = _factor(self, "l2", 0.01 if l2 is None else l2)

    def __call__(self, x: Any) -> Float[Array, ""]:
        """The cost of the weight."""
        return self.l2 * jnp.sum(jnp.square(jnp.asarray(x)))

    def get_config(self) -> dict[str, Any]:
        """The factor."""
        return {"l2": self.l2}


@names.register()
class L1L2(Regularizer):
    """Both costs at once; a factor of 0, the default of each, leaves its cost out.

    >>> float(L1L2(l1=0.5, l2=0.5)(jnp.array([1.0, -3.0])))
    7.0
    """

    factors = ("l1", "l2")

    def __init__(self, l1: float | None = 0.0, l2: float | None = 0.0) -> None:
        self.l1 = _factor(self, "l1", l1 or 0.0)
        self.l2 = _factor(self, "l2", l2 or 0.0)

    def __call__(self, x: Any) -> Float[Array, ""]:
        """The cost of the weight."""
        x = jnp.asarray(x)
        cost = jnp.zeros((), x.dtype)
        if isinstance(self.l1, jax.Array) or self.l1:
            cost = cost + self.l1 * jnp.sum(jnp.abs(x))
        if isinstance(self.l2, jax.Array) or self.l2:
            cost = cost + self.l2 * jnp.sum(jnp.square(x))
        return cost

    def get_config(self) -> dict[str, Any]:
        """The two factors."""
        return {"l1": self.l1, "l2": self.l2}


@names.register()
class OrthogonalRegularizer(Regularizer):
    """`factor` times the mean absolute cosine between two rows, or columns, of a matrix.

    Args:
        mode: "rows" or "columns".

    >>> float(OrthogonalRegularizer(0.5)(jnp.array([[1.0, 0.0], [2.0, 0.0]])))
    0.5
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        self.factor = _factor(self, "factor", factor)
        if mode not in ("rows", "columns"):
            raise UnknownNameError.of("mode", mode, ("rows", "columns"))
        self.mode = mode

    def __call__(self, x: Any) -> Float[Array, ""]:
        """The cost of the weight; ShapeError unless it is a matrix."""
        x = jnp.asarray(x)
        if x.ndim != 2:
            raise ShapeError(
                "regularizer 'OrthogonalRegularizer'",
                expected="a weight of 2 axes",
                got=f"shape {tuple(x.shape)}",
                fix="Use it for the kernel of a Dense layer.",
            )
        # The square of epsilon is no number in float16.
        vectors = (x if self.mode == "rows" else x.T).astype(dtypes.widened(x.dtype))
        square = jnp.sum(jnp.square(vectors), axis=1, keepdims=True)
        vectors = vectors * jax.lax.rsqrt(jnp.maximum(square, config.epsilon() ** 2))
        size = len(vectors)
        cosines = jnp.abs(vectors @ vectors.T) * (1.0 - jnp.eye(size, dtype=vectors.dtype))
        # A lone row has no pair, and costs nothing.
        return (self.factor * jnp.sum(cosines) / max(1, size * (size - 1))).astype(x.dtype)

    def get_config(self) -> dict[str, Any]:
        """The factor and the mode."""
        return {"factor": self.factor, "mode": self.mode}


class Factor:
    """A number that a regularizer multiplies with, as it is now."""

    def __init__(self, regularizer: Regularizer, name: str) -> None:
        self._regularizer, self._name = regularizer, name

    @property
    def array(self) -> Any:
        """The number, as programs take it."""
        return np.asarray(getattr(self._regularizer, self._name), dtypes.wide())


def factors_of(regularizer: Any) -> dict[str, Factor]:
    """The numbers a program takes when it runs, by name; none of a regularizer that is not of this file.

    >>> {name: float(factor.array) for name, factor in factors_of(L1L2(l2=0.5)).items()}
    {'l2': 0.5}
    """
    if type(regularizer) not in (L1, L2, L1L2):
        return {}
    # A factor of 0 leaves its cost out.
    named = {name for name in regularizer.factors if getattr(regularizer, name)}
    return {name: Factor(regularizer, name) for name in sorted(named)}


def cost_of(regularizer: Any, x: Any, factors: dict[str, Any]) -> Any:
    """What the weight costs with these numbers, in the place of the regularizer's own.

    >>> float(cost_of(L2(0.5), jnp.array([1.0, -3.0]), {"l2": jnp.float32(0.1)}))
    1.0
    """
    if not factors:
        return regularizer(x)
    twin = copy.copy(regularizer)
    vars(twin).update({name: factor.astype(x.dtype) for name, factor in factors.items()})
    return twin(x)


l1 = L1
l2 = L2
l1_l2 = L1L2
orthogonal_regularizer = OrthogonalRegularizer
names.add("l1_l2", L1L2)


@explained
def get(identifier: Any) -> Callable[[Any], Any] | None:
    """The regularizer that a layer's `kernel_regularizer=` means.

    Args:
        identifier: a name, a `Regularizer` or its class, any function of a
            weight, a `{"class_name", "config"}` dict, or None, which stays None.

    Raises:
        UnknownNameError: it means nothing here.

    >>> get("l2").get_config()
    {'l2': 0.01}
    """
    if isinstance(identifier, str) and names.today(identifier) == "l1_l2":
        # The name alone means both, as Keras documents; the class alone neither.
        return L1L2(l1=0.01, l2=0.01)
    is_own = isinstance(identifier, str) and registry.get_registered_object(identifier) is not None
    if isinstance(identifier, str) and identifier not in names and not is_own:
        # Names of two letters are too short to guess which one was meant.
        known = "Did you mean 'l1', 'l2', 'l1_l2' or 'orthogonal_regularizer'?"
        raise UnknownNameError("regularizer", expected="a known name", got=repr(identifier), fix=known)
    found = names.make(identifier)
    if found is not None and not callable(found):
        raise UnknownNameError.of("regularizer", identifier, names)
    return found


@explained
def serialize(regularizer: Any) -> Any:
    """What a model's file says of a regularizer, in Keras's own form.

    A user's function is written by its own `__name__`.

    >>> written = serialize(L1(0.5))
    >>> written["module"], written["class_name"], written["config"]
    ('keras.regularizers', 'L1', {'l1': 0.5})
    """
    return registry.written(regularizer, "keras.regularizers")


@explained
def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The regularizer that `serialize` or Keras wrote down.

    Args:
        custom_objects: the user's own classes and functions by name; they win.

    Raises:
        UnknownNameError: nobody knows the name.

    >>> deserialize({"class_name": "L2", "config": {"l2": 0.5}}).l2
    0.5
    """
    return get(registry.undescribed(config, custom_objects))


doors.guard(__name__, "regularizer")
