"""Running totals: what a metric is over all the batches seen so far.

A metric keeps its totals in Variables, so the engine can lend them to a
program; `update_state` adds a batch, `result` reads, `reset_state` begins anew.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from doltap import config, initializers, losses, registry
from doltap.core.tensors import Variable
from doltap.errors import NotSupportedError

__all__ = [
    "Accuracy",
    "BinaryAccuracy",
    "BinaryCrossentropy",
    "CategoricalAccuracy",
    "CategoricalCrossentropy",
    "Mean",
    "MeanAbsoluteError",
    "MeanMetricWrapper",
    "MeanSquaredError",
    "Metric",
    "RootMeanSquaredError",
    "SparseCategoricalAccuracy",
    "SparseCategoricalCrossentropy",
    "Sum",
    "accuracy_for",
    "binary_accuracy",
    "categorical_accuracy",
    "deserialize",
    "get",
    "serialize",
    "sparse_categorical_accuracy",
]

names = registry.Names("metric")


class Metric(registry.Configured):
    """Totals over batches, and the number they stand for.

    Make your own by making totals with `add_variable` and overriding
    `update_state(y_true, y_pred, sample_weight=None)` and `result()`.
    """

    def __init__(self, dtype: Any = None, name: str | None = None) -> None:
        self.name = name or registry.snake_case(type(self).__name__)
        self.dtype = dtype or config.floatx()
        # The totals, and what `reset_state` sets them back to.
        self.variables: list[Variable] = []
        self._starts: list[np.ndarray] = []

    def add_variable(
        self, shape: Any = (), initializer: Any = "zeros", dtype: Any = None, name: str = "total"
    ) -> Variable:
        """A new total, set back by `reset_state` to what the initializer gives."""
        dtype = dtype or self.dtype
        if isinstance(initializer, str) and initializer == "zeros":
            start = np.zeros(shape, dtype)
        else:
            start = initializers.sample(initializers.get(initializer), tuple(shape), dtype, 0)
        total = Variable(start, dtype=dtype, trainable=False, name=name)
        self.variables.append(total)
        self._starts.append(start)
        return total

    def add_weight(
        self, shape: Any = (), initializer: Any = "zeros", dtype: Any = None, name: str = "total"
    ) -> Variable:
        """Keras's other name for `add_variable`."""
        if isinstance(shape, str):  # Keras 2 had the name first.
            shape, name = (), shape
        return self.add_variable(shape, initializer, dtype, name)

    def reset_state(self) -> None:
        """Forget all batches."""
        for total, start in zip(self.variables, self._starts, strict=True):
            total.assign(start)

    reset_states = reset_state

    def update_state(self, *arguments: Any, **keywords: Any) -> None:
        """Add a batch to the totals."""
        raise NotSupportedError(
            f"metric '{self.name}'",
            expected="a method update_state(self, y_true, y_pred, sample_weight=None)",
            got=f"none in class {type(self).__name__}",
            fix="Define it; it adds a batch to the variables made with add_variable.",
        )

    def result(self) -> Any:
        """The number for all batches so far."""
        raise NotSupportedError(
            f"metric '{self.name}'",
            expected="a method result(self)",
            got=f"none in class {type(self).__name__}",
            fix="Define it; it returns one number made of the totals.",
        )

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """Add a batch, and give the number for all batches so far."""
        self.update_state(*arguments, **keywords)
        return self.result()

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        return {"name": self.name, "dtype": self.dtype}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


class Sum(Metric):
    """The weighted sum of the values given to it."""

    def __init__(self, name: str = "sum", dtype: Any = None) -> None:
        super().__init__(dtype, name)
        self.total = self.add_variable(name="total")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Add values of any shape, with weights for their leading dimensions."""
        values, _ = _weighted(values, sample_weight, self.dtype)
        self.total.assign(self.total.read() + jnp.sum(values))

    def result(self) -> Any:
        """The sum so far."""
        return self.total.value


class Mean(Metric):
    """The weighted mean of the values given to it, 0 before the first.

    >>> metric = Mean()
    >>> metric.update_state([1.0, 3.0])
    >>> float(metric.result())
    2.0
    """

    def __init__(self, name: str = "mean", dtype: Any = None) -> None:
        super().__init__(dtype, name)
        self.total = self.add_variable(name="total")
        self.count = self.add_variable(name="count")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Add values of any shape, with weights for their leading dimensions."""
        values, count = _weighted(values, sample_weight, self.dtype)
        self.total.assign(self.total.read() + jnp.sum(values))
        self.count.assign(self.count.read() + count)

    def result(self) -> Any:
        """The mean so far."""
        count = self.count.read()
        return jnp.where(count == 0, 0.0, self.total.read() / jnp.where(count == 0, 1.0, count))


class MeanMetricWrapper(Mean):
    """The mean of a function `f(y_true, y_pred)` that gives a value for each row."""

    function: Callable[..., Any] | None = None

    def __init__(
        self, fn: Callable[..., Any], name: str | None = None, dtype: Any = None, **options: Any
    ) -> None:
        super().__init__(name or str(getattr(fn, "__name__", "metric")), dtype)
        self.fn = fn
        self.options = options

    def update_state(  # type: ignore[override]
        self, y_true: Any, y_pred: Any, sample_weight: Any = None
    ) -> None:
        """Add a batch of labels and predictions."""
        # A column against a row of numbers would broadcast to a square.
        y_true, y_pred = losses.same_rank(jnp.asarray(y_true), jnp.asarray(y_pred))
        super().update_state(self.fn(y_true, y_pred, **self.options), sample_weight)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a plain dict."""
        return {**super().get_config(), **self.options}


def _weighted(values: Any, sample_weight: Any, dtype: str) -> tuple[Any, Any]:
    """The values times their weights, and the sum of the weights."""
    values = jnp.asarray(values, dtype)
    if sample_weight is None:
        return values, jnp.asarray(values.size, dtype)
    weights = jnp.asarray(sample_weight, dtype)
    if weights.ndim != values.ndim:
        weights = losses.spread(weights, values)
    values, weights = jnp.broadcast_arrays(values, weights)
    return values * weights, jnp.sum(weights)


def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Any:
    """Share of a row's outputs that fall on the right side of the threshold.

    Args:
        y_true: (batch, outputs) of 0 and 1.
        y_pred: (batch, outputs) probabilities.

    >>> binary_accuracy([[1], [0]], [[0.9], [0.8]]).tolist()
    [1.0, 0.0]
    """
    y_true, y_pred = losses.align(y_true, y_pred)
    return jnp.mean((y_true == (y_pred > threshold)).astype(y_pred.dtype), axis=-1)


def categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 for each row whose largest prediction stands where its one-hot label has the 1.

    >>> categorical_accuracy([[0, 1]], [[0.3, 0.7]]).tolist()
    [1.0]
    """
    y_true, y_pred = losses.align(y_true, y_pred)
    return (jnp.argmax(y_true, axis=-1) == jnp.argmax(y_pred, axis=-1)).astype(y_pred.dtype)


def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 for each row whose largest prediction stands at its class number.

    >>> sparse_categorical_accuracy([1, 0], [[0.3, 0.7], [0.3, 0.7]]).tolist()
    [1.0, 0.0]
    """
    y_pred = jnp.asarray(y_pred)
    return (losses.class_numbers(y_true, y_pred) == jnp.argmax(y_pred, axis=-1)).astype(config.floatx())


def equal(y_true: Any, y_pred: Any) -> Any:
    """1 wherever the prediction equals the label."""
    y_true, y_pred = losses.align(y_true, y_pred)
    return (y_true == y_pred).astype(y_pred.dtype)


def _wrapping(function: Callable[..., Any]) -> Callable[[type], type]:
    """Decorator for a metric that is the mean of one of our functions."""

    def finish(cls: type) -> type:
        cls.usual_name = registry.snake_case(cls.__name__)  # type: ignore[attr-defined]
        cls.function = staticmethod(function)  # type: ignore[attr-defined]
        return cls

    return finish


class _MeanOf(MeanMetricWrapper):
    usual_name: str

    def __init__(self, name: str | None = None, dtype: Any = None, **options: Any) -> None:
        function = type(self).function
        assert function is not None
        if options:
            registry.check_arguments(type(self).__name__, options, registry.arguments_of(function)[2:])
        Mean.__init__(self, name or self.usual_name, dtype)
        self.fn, self.options = function, options


@names.register()
@_wrapping(equal)
class Accuracy(_MeanOf):
    """Share of predictions that equal their label exactly."""


@names.register()
@_wrapping(binary_accuracy)
class BinaryAccuracy(_MeanOf):
    """Share of yes-or-no outputs on the right side of `threshold=0.5`."""


@names.register()
@_wrapping(categorical_accuracy)
class CategoricalAccuracy(_MeanOf):
    """Share of rows whose class was found, labels one-hot."""


@names.register()
@_wrapping(sparse_categorical_accuracy)
class SparseCategoricalAccuracy(_MeanOf):
    """Share of rows whose class was found, labels class numbers."""


@names.register("mse")
@_wrapping(losses.mean_squared_error)
class MeanSquaredError(_MeanOf):
    """The mean squared difference."""


@names.register("mae")
@_wrapping(losses.mean_absolute_error)
class MeanAbsoluteError(_MeanOf):
    """The mean distance."""


@names.register("bce")
@_wrapping(losses.binary_crossentropy)
class BinaryCrossentropy(_MeanOf):
    """The mean binary cross-entropy; options as the loss."""


@names.register("cce")
@_wrapping(losses.categorical_crossentropy)
class CategoricalCrossentropy(_MeanOf):
    """The mean categorical cross-entropy; options as the loss."""


@names.register("scce")
@_wrapping(losses.sparse_categorical_crossentropy)
class SparseCategoricalCrossentropy(_MeanOf):
    """The mean sparse categorical cross-entropy; options as the loss."""


@names.register("rmse")
class RootMeanSquaredError(Mean):
    """The square root of the mean squared difference."""

    def __init__(self, name: str = "root_mean_squared_error", dtype: Any = None) -> None:
        super().__init__(name, dtype)

    def update_state(  # type: ignore[override]
        self, y_true: Any, y_pred: Any, sample_weight: Any = None
    ) -> None:
        """Add a batch of labels and predictions."""
        y_true, y_pred = losses.align(y_true, y_pred)
        super().update_state(jnp.square(y_pred - y_true), sample_weight)

    def result(self) -> Any:
        """The root of the mean so far."""
        return jnp.sqrt(super().result())


def accuracy_for(y_true_shape: Sequence[Any], y_pred_shape: Sequence[Any]) -> type[Metric]:
    """Which of three meanings "accuracy" has, chosen by the shapes as Keras chooses.

    Args:
        y_true_shape: shape of a batch of labels.
        y_pred_shape: shape of a batch of predictions.
    """
    if y_pred_shape[-1] == 1:
        return BinaryAccuracy
    if len(y_true_shape) < len(y_pred_shape) or y_true_shape[-1] == 1:
        return SparseCategoricalAccuracy
    return CategoricalAccuracy


def get(
    identifier: Any, y_true_shape: Sequence[Any] | None = None, y_pred_shape: Sequence[Any] | None = None
) -> Metric:
    """A metric object from a name, a class, a function or a config.

    "accuracy" (or "acc") needs the two shapes to know what it means.
    """
    if isinstance(identifier, Metric):
        return identifier
    if isinstance(identifier, str):
        name = identifier
        if name.lower() in ("accuracy", "acc") and y_true_shape and y_pred_shape:
            metric = accuracy_for(y_true_shape, y_pred_shape)()
        elif name in names:
            metric = names.make(name)
        elif name in losses.functions:
            metric = MeanMetricWrapper(losses.functions.find(name))
        else:
            names.find(name)
        metric.name = name
        return metric
    is_config = isinstance(identifier, dict) and "class_name" in identifier
    if is_config or (isinstance(identifier, type) and issubclass(identifier, Metric)):
        return names.make(identifier)
    if callable(identifier):
        return MeanMetricWrapper(identifier)
    raise NotSupportedError(
        "metric", expected="a name, a function or a Metric", got=repr(identifier), fix="metrics=['accuracy']"
    )


names.add("acc", Accuracy)
names.add("accuracy", Accuracy)


def serialize(metric: Metric) -> dict[str, Any]:
    """The metric as `{"class_name", "config"}`."""
    return {"class_name": type(metric).__name__, "config": metric.get_config()}


def deserialize(config: Any) -> Metric:
    """The metric that `serialize` wrote."""
    return get(config)
