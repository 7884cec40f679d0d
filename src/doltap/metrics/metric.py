"""A metric is some totals, a rule that adds a batch to them, and the number they stand for.

The totals are Variables, so the engine can lend them to a compiled program:
`update_state` and `result` compute with whatever is lent.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from doltap import config, dtypes, initializers, notes, registry
from doltap.core.tensors import Variable, lend
from doltap.errors import NotSupportedError, ShapeError, printable

__all__ = ["Metric"]

names = registry.Names("metric")

# The arguments of `add_variable` and `add_weight` by position; Keras 2 had the name first.
_VARIABLE_ORDER = ("shape", "initializer", "dtype", "aggregation", "name")
_WEIGHT_ORDER = ("shape", "initializer", "dtype", "name")
_KERAS_2_ORDER = ("name", "shape", "aggregation", "synchronization", "initializer", "dtype")


class Metric(registry.Configured):
    """Totals over batches, and what they stand for: a number, a vector or a dict of numbers.

    Make your own by making totals with `add_variable` and overriding
    `update_state(y_true, y_pred, sample_weight=None)` and `result()`. A metric
    kept as an attribute of another is a part of it.

    Args:
        dtype: type that it computes in; None means `floatx()`.
        name: what logs call it; made up when None.
    """

    # Whether a row of weight 0 leaves the totals as they were. One that counts
    # rows whatever their weight says False, and gets no padded batches.
    rows_are_independent = True
    # Whether predictions outside 0..1 are a mistake, such as logits.
    needs_probabilities = False
    # "up" where more is better, "down" where less is, None where it depends.
    direction: str | None = None
    # False until `build_for`, where the totals take their shape from the predictions.
    built = True

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        if "__init__" in vars(cls) and not cls.__module__.startswith("doltap."):
            cls.__init__ = registry.explained(cls.__init__)  # type: ignore[method-assign]

    def __init__(self, dtype: Any = None, name: str | None = None) -> None:
        self.name = name or config.next_name(registry.snake_case(type(self).__name__))
        self.dtype = dtypes.standardize(dtype)
        # The totals made by `add_variable`, and what `reset_state` sets them back to.
        self._totals: list[Variable] = []
        self._starts: list[np.ndarray] = []

    # What subclasses override.

    def build_for(self, y_true_shape: Sequence[Any], y_pred_shape: Sequence[Any]) -> None:
        """Make the totals whose shape the predictions decide; most metrics have none."""

    def update_state(self, *arguments: Any, **keywords: Any) -> None:
        """Add a batch to the totals."""
        raise NotSupportedError(
            f"metric '{self.name}'",
            expected="a method update_state(self, y_true, y_pred, sample_weight=None)",
            got=f"none in class {type(self).__name__}",
            fix="Define it; it adds a batch to the variables made with add_variable.",
        )

    def result(self) -> Any:
        """What all batches so far come to."""
        raise NotSupportedError(
            f"metric '{self.name}'",
            expected="a method result(self)",
            got=f"none in class {type(self).__name__}",
            fix="Define it; it returns one number made of the totals.",
        )

    def reset_state(self) -> None:
        """Forget all batches."""
        starts = dict(zip(self._totals, self._starts, strict=True))
        for total in self._parts(Variable):
            total.assign(starts[total] if total in starts else np.zeros(total.shape, total.dtype))
        for metric in self._parts(Metric):
            metric.reset_state()

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        return {"name": self.name, "dtype": self.dtype}

    # The totals.

    def add_variable(self, *arguments: Any, **keywords: Any) -> Variable:
        """A new total, set back by `reset_state` to what it starts with.

        Takes `shape=()`, `initializer="zeros"`, `dtype=None` (`floatx()`), `aggregation`
        (which nothing here needs) and `name`, in this order.
        """
        return self._add("add_variable", _VARIABLE_ORDER, arguments, keywords)

    def add_weight(self, *arguments: Any, **keywords: Any) -> Variable:
        """As `add_variable`; by position shape, initializer, dtype and name, or the name first as Keras 2."""
        return self._add("add_weight", _WEIGHT_ORDER, arguments, keywords)

    def _add(
        self, call: str, order: tuple[str, ...], arguments: tuple[Any, ...], keywords: dict[str, Any]
    ) -> Variable:
        if arguments and isinstance(arguments[0], str):
            order = _KERAS_2_ORDER
        given = {**dict(zip(order, arguments, strict=False)), **keywords}
        registry.check_arguments(call, given, list(_KERAS_2_ORDER))
        shape, dtype = given.get("shape", ()), dtypes.standardize(given.get("dtype"))
        shape = tuple(shape) if np.ndim(shape) else (int(shape),)
        initializer = given.get("initializer")
        if initializer is None or initializer == "zeros":
            start = np.zeros(shape, dtype)
        else:
            start = initializers.sample(initializers.get(initializer), shape, dtype, 0)
        total = Variable(start, dtype=dtype, trainable=False, name=given.get("name") or "total")
        total.path = f"{self.name}/{total.name}"
        self._totals.append(total)
        self._starts.append(start)
        return total

    def _parts(self, kind: type[Any]) -> Iterator[Any]:
        """Each thing of this kind among the attributes, and in the lists and dicts there."""
        met: dict[int, Any] = {}
        for value in vars(self).values():
            items = value.values() if isinstance(value, dict) else value
            items = items if isinstance(value, (list, tuple, dict)) else (value,)
            met.update((id(item), item) for item in items if isinstance(item, kind))
        yield from met.values()

    @property
    def variables(self) -> list[Variable]:
        """The totals, those of the metrics inside last."""
        inside = (variable for metric in self._parts(Metric) for variable in metric.variables)
        return list(dict.fromkeys([*self._parts(Variable), *inside]))

    # Use.

    def reset_states(self) -> None:
        """Keras 2's word for `reset_state`."""
        self.reset_state()

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """Add a batch, and give what all batches so far come to."""
        self.update_state(*arguments, **keywords)
        result = self.result()
        if (taken := notes.current()) is not None:
            taken.results.append(result)
        return result

    def stateless_update_state(self, metric_variables: Sequence[Any], *args: Any, **kwargs: Any) -> list[Any]:
        """The totals with a batch added to `metric_variables`; the metric itself stays as it is.

        Args:
            metric_variables: one array for each of `variables`.
        """
        with self._lent(metric_variables) as loan:
            self.update_state(*args, **kwargs)
            return [loan[variable] for variable in self.variables]

    def stateless_result(self, metric_variables: Sequence[Any]) -> Any:
        """What the totals in `metric_variables` come to."""
        with self._lent(metric_variables):
            return self.result()

    def stateless_reset_state(self) -> list[Any]:
        """The totals as they are before the first batch."""
        variables = self.variables
        with self._lent([variable.read() for variable in variables]) as loan:
            self.reset_state()
            return [loan[variable] for variable in variables]

    @contextlib.contextmanager
    def _lent(self, arrays: Sequence[Any]) -> Iterator[dict[Variable, Any]]:
        variables = self.variables
        if len(arrays) != len(variables) or not self.built:
            cure = "Pass [variable.value for variable in metric.variables]."
            raise ShapeError(
                f"metric '{self.name}'",
                expected=f"{len(variables)} arrays, one for each of its variables"
                if self.built
                else "totals",
                got=f"{len(arrays)}" if self.built else "none, since it has seen no shapes",
                fix=cure if self.built else "First: metric.build_for(y_true.shape, y_pred.shape).",
            )
        lent = [jnp.asarray(a, v.dtype) for v, a in zip(variables, arrays, strict=True)]
        with lend(variables, lent) as loan:
            yield loan

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={printable(self.name)}>"


def no_batch_yet(metric: Metric) -> NotSupportedError:
    """The error for a result before the totals have a shape."""
    return NotSupportedError(
        f"metric '{metric.name}'",
        expected="a batch before its result",
        got="none so far",
        fix="Call update_state(y_true, y_pred) first.",
    )
