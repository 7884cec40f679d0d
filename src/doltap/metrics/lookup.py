"""From what a user writes in `compile(metrics=...)` to the metric that is meant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from doltap import losses, registry
from doltap.errors import NotSupportedError
from doltap.metrics.accuracy import Accuracy, BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy
from doltap.metrics.losses_as_metrics import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
)
from doltap.metrics.metric import Metric, names
from doltap.metrics.reduction import MeanMetricWrapper, functions
from doltap.registry import explained

__all__ = ["accuracy_for", "crossentropy_for", "deserialize", "get", "serialize"]

names.add("acc", Accuracy)
names.add("accuracy", Accuracy)
# What they mean is known when the shapes are.
names.add("ce", CategoricalCrossentropy)
names.add("crossentropy", CategoricalCrossentropy)


def accuracy_for(y_true_shape: Sequence[Any], y_pred_shape: Sequence[Any]) -> type[Metric]:
    """Which of three meanings "accuracy" has, chosen by the shapes as Keras chooses.

    Args:
        y_true_shape: shape of a batch of labels.
        y_pred_shape: shape of a batch of predictions.

    >>> accuracy_for((32,), (32, 10)).__name__
    'SparseCategoricalAccuracy'
    """
    meanings = (BinaryAccuracy, SparseCategoricalAccuracy, CategoricalAccuracy)
    return meanings[_meaning(y_true_shape, y_pred_shape)]


def crossentropy_for(y_true_shape: Sequence[Any], y_pred_shape: Sequence[Any]) -> type[Metric]:
    """Which of three meanings "crossentropy" has, chosen by the shapes as for "accuracy".

    >>> crossentropy_for((32, 1), (32, 1)).__name__
    'BinaryCrossentropy'
    """
    meanings = (BinaryCrossentropy, SparseCategoricalCrossentropy, CategoricalCrossentropy)
    return meanings[_meaning(y_true_shape, y_pred_shape)]


def _meaning(y_true_shape: Sequence[Any], y_pred_shape: Sequence[Any]) -> int:
    """0 for yes or no, 1 for class numbers, 2 for one-hot labels."""
    if y_pred_shape[-1] == 1:
        return 0
    return 1 if len(y_true_shape) < len(y_pred_shape) or y_true_shape[-1] == 1 else 2


_BY_SHAPES = {
    "accuracy": accuracy_for,
    "acc": accuracy_for,
    "crossentropy": crossentropy_for,
    "ce": crossentropy_for,
}


@explained
def get(
    identifier: Any, y_true_shape: Sequence[Any] | None = None, y_pred_shape: Sequence[Any] | None = None
) -> Metric:
    """A metric object from a name, a class, a function, a loss or a config.

    "accuracy" (or "acc") and "crossentropy" (or "ce") need the two shapes to know
    what they mean; a metric whose totals depend on the shapes is built for them.

    >>> get("mse").name, type(get("mse")).__name__
    ('mse', 'MeanSquaredError')
    """
    metric = (
        _named(identifier, y_true_shape, y_pred_shape) if isinstance(identifier, str) else _made(identifier)
    )
    if y_true_shape is not None and y_pred_shape is not None:
        metric.build_for(y_true_shape, y_pred_shape)
    return metric


def _named(name: str, y_true_shape: Sequence[Any] | None, y_pred_shape: Sequence[Any] | None) -> Metric:
    """The metric that goes by this name, which stays its name in the logs."""
    metric: Metric
    if name.lower() in _BY_SHAPES and y_true_shape and y_pred_shape:
        metric = _BY_SHAPES[name.lower()](y_true_shape, y_pred_shape)()
    elif name in names or name not in losses.functions:
        metric = names.make(name)
    else:
        metric = MeanMetricWrapper(losses.functions.find(name))
    metric.name = name
    return metric


def _made(identifier: Any) -> Metric:
    if isinstance(identifier, Metric):
        return identifier
    if isinstance(identifier, Mapping) and "class_name" in identifier:
        return deserialize(identifier)
    if isinstance(identifier, type) and issubclass(identifier, Metric):
        return identifier()
    if callable(identifier) and not isinstance(identifier, type):
        own_name = getattr(identifier, "name", None)
        name = own_name or registry.snake_case(getattr(identifier, "__name__", type(identifier).__name__))
        return MeanMetricWrapper(identifier, name)
    raise NotSupportedError(
        "metric", expected="a name, a function or a Metric", got=repr(identifier), fix="metrics=['accuracy']"
    )


@explained
def serialize(metric: Any) -> Any:
    """What a model's file says of a metric, in Keras's own form; a function is written by its name."""
    return registry.written(metric, "keras.metrics")


@explained
def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The metric that `serialize` wrote, here or in Keras; a function where its name is given.

    Args:
        custom_objects: classes and functions of your own by name.
    """
    custom_objects = custom_objects or {}
    if isinstance(config, str):
        known = functions if config in functions else losses.functions
        return custom_objects[config] if config in custom_objects else known.find(config)
    options = {key: _plain(value) for key, value in (config.get("config") or {}).items()}
    fn = options.get("fn")
    if isinstance(fn, Mapping) and fn.get("config") in custom_objects:
        options["fn"] = custom_objects[fn["config"]]
    cls = custom_objects.get(config["class_name"]) or names.find(config["class_name"])
    return cls.from_config(options)


def _plain(value: Any) -> Any:
    """A value as it was before Keras wrapped it for a file."""
    if not isinstance(value, Mapping) or "class_name" not in value:
        return value
    if value["class_name"] in ("__tensor__", "__numpy__"):
        return value["config"]["value"]
    return tuple(value["items"]) if value["class_name"] == "__tuple__" else value
