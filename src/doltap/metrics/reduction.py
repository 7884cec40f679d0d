"""Sums and means of whatever comes in, each row counting with its weight."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jax.numpy as jnp

from doltap import losses, registry
from doltap.errors import NotSupportedError
from doltap.losses.loss import called
from doltap.metrics.metric import Metric, names
from doltap.ops import protocol

__all__ = ["Mean", "MeanMetricWrapper", "Sum"]

# The functions that a config may name, beside those of `losses.functions`.
functions = protocol.NotedFunctions("metric function")


def ratio(part: Any, whole: Any) -> Any:
    """The quotient, 0 where the whole is 0."""
    part, whole = jnp.asarray(part), jnp.asarray(whole)
    return jnp.where(whole == 0, 0.0, part / jnp.where(whole == 0, 1.0, whole))


@names.register()
class Sum(Metric):
    """The weighted sum of the values given to it."""

    def __init__(self, name: str = "sum", dtype: Any = None) -> None:
        super().__init__(dtype, name)
        self.total = self.add_variable((), dtype=self.dtype, name="total")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Add values of any shape, with weights for their leading dimensions."""
        values, _ = _by_row(values, sample_weight, jnp.sum, self.dtype)
        self.total.assign(self.total.read() + jnp.sum(values))

    def result(self) -> Any:
        """The sum so far."""
        return self.total.value


@names.register()
class Mean(Metric):
    """The weighted mean of the values given to it, 0 before the first.

    >>> metric = Mean()
    >>> metric.update_state([1.0, 3.0])
    >>> float(metric.result())
    2.0
    """

    def __init__(self, name: str = "mean", dtype: Any = None) -> None:
        super().__init__(dtype, name)
        self.total = self.add_variable((), dtype=self.dtype, name="total")
        self.count = self.add_variable((), dtype=self.dtype, name="count")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Add values of any shape, with weights for their leading dimensions."""
        values, weights = _by_row(values, sample_weight, jnp.mean, self.dtype)
        count = jnp.asarray(values.size, self.dtype) if weights is None else jnp.sum(weights)
        self.total.assign(self.total.read() + jnp.sum(values))
        self.count.assign(self.count.read() + count)

    def result(self) -> Any:
        """The mean so far."""
        return ratio(self.total.read(), self.count.read())


def _by_row(values: Any, sample_weight: Any, reduce: Callable[..., Any], dtype: str) -> tuple[Any, Any]:
    """One weighted value for each row, and the weights; None where there are none."""
    values = jnp.asarray(values, dtype)
    if sample_weight is None:
        return _reduced(values, 1, reduce), None
    values, weights = losses.same_rank(values, jnp.asarray(sample_weight, dtype))
    if values.ndim == 0:  # The one number of a batch counts once for each weight.
        values = jnp.broadcast_to(values, weights.shape)
    values = _reduced(values, weights.ndim, reduce)
    weights = jnp.broadcast_to(losses.spread(weights, values), values.shape)
    return _reduced(values * weights, 1, reduce), _reduced(weights, 1, reduce)


def _reduced(values: Any, num_kept: int, reduce: Callable[..., Any]) -> Any:
    if values.ndim <= num_kept:
        return values
    return reduce(values, axis=tuple(range(num_kept, values.ndim)))


@names.register()
class MeanMetricWrapper(Mean):
    """The mean of a function `f(y_true, y_pred)` that gives a value for each row.

    Args:
        fn: the function.
        kwargs: further arguments of the function.
    """

    def __init__(
        self, fn: Callable[..., Any], name: str | None = None, dtype: Any = None, **kwargs: Any
    ) -> None:
        # Without a name it counts as any other metric: mean_metric_wrapper, mean_metric_wrapper_1.
        super().__init__(name or "", dtype)
        self.fn = fn
        self.options = kwargs
        if self.direction is None and any(losses.functions.find(each) is fn for each in losses.functions):
            self.direction = "down"

    def update_state(  # type: ignore[override]
        self, y_true: Any, y_pred: Any, sample_weight: Any = None
    ) -> None:
        """Add a batch of labels and predictions."""
        # A column against a row of numbers would broadcast to a square.
        y_true, y_pred = losses.same_rank(jnp.asarray(y_true), jnp.asarray(y_pred))
        values = called(self.fn, f"metric '{self.name}'", y_true, y_pred, **self.options)
        super().update_state(values, sample_weight)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict, the function by its name."""
        return {**super().get_config(), "fn": _function_config(self.fn), **self.options}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A new object made from what `get_config` gave."""
        if "fn" in config:
            config = {**config, "fn": _function_of(config["fn"])}
        return cls(**config)


class MeanOf(MeanMetricWrapper):
    """The mean of one of our functions; the options of the function are attributes."""

    def __init__(self, fn: Callable[..., Any], name: str, dtype: Any = None, **options: Any) -> None:
        super().__init__(fn, name, dtype, **options)
        vars(self).update(options)
        # An axis counted from the front is the rows' own where it is 0.
        axis = options.get("axis", -1)
        if not (axis == -1 or axis > 0):
            self.rows_are_independent = False

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        return {**Metric.get_config(self), **self.options}


def _function_config(fn: Any) -> dict[str, Any]:
    if isinstance(fn, registry.Configured):
        return {"class_name": type(fn).__name__, "config": fn.get_config()}
    name = registry.snake_case(getattr(fn, "__name__", type(fn).__name__))
    return {
        "module": "builtins",
        "class_name": "function",
        "config": getattr(fn, "__name__", name),
        "registered_name": "function",
    }


def _function_of(written: Any) -> Callable[..., Any]:
    """The function that `_function_config` wrote."""
    if callable(written):
        return written
    if isinstance(written, Mapping) and written.get("class_name") != "function":
        return losses.deserialize(written)  # type: ignore[return-value]
    name = written["config"] if isinstance(written, Mapping) else written
    known = functions if name in functions else losses.functions
    if name in known:
        return known.find(name)
    raise NotSupportedError(
        f"the metric of the function '{name}'",
        expected="a function that doltap has",
        got="one of your own, of which only the name was kept",
        fix="Pass it: metrics.deserialize(config, custom_objects={'" + str(name) + "': your_function}).",
    )
