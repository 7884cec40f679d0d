"""The settings of `compile` in HDF5: Keras 1 and 2's words for them, and those of Keras 3.

Both write one dict; in the older form the optimizer stands under another name,
functions are written by their names, and metrics bear the name of their output.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from doltap import metrics
from doltap.losses.loss import functions as loss_functions
from doltap.metrics.metric import names as metric_names
from doltap.optimizers.optimizer import names as optimizer_names
from doltap.registry import snake_case

__all__ = ["is_since_2_11", "modern_optimizer", "modern_training", "notes_on", "old_training"]

Described = dict[str, Any]

# Strings that mean one thing or another by the shapes of the data.
_BY_SHAPES = ("accuracy", "acc", "crossentropy", "ce")
_REDUCTIONS = {"auto": "sum_over_batch_size"}
# Optimizers whose formula in Keras 2 before 2.11 is that of today.
_SAME_FORMULA = ("SGD", "Adam", "Adamax", "Adadelta", "Adagrad", "Ftrl")
# Their options came with 2.11; before that there was `decay`.
_SINCE_2_11 = ("weight_decay", "use_ema", "ema_momentum", "ema_overwrite_frequency")
_SINCE_3 = ("loss_scale_factor", "gradient_accumulation_steps")
# What `compile` was told beside, in files of Keras 2.12 and later.
_AS_THEY_ARE: tuple[str, ...] = ("run_eagerly", "steps_per_execution", "jit_compile")
# What losses and metrics say of themselves since then, where it is so anyway.
_UNSAID: dict[str, Described] = {
    "SparseCategoricalCrossentropy": {"axis": -1},
    "SparseTopKCategoricalAccuracy": {"from_sorted_ids": False},
}


def modern_training(settings: Described, outputs: list[str]) -> Described:
    """The settings as Keras 3 writes them in `compile_config`.

    Args:
        outputs: the names of the model's outputs.
    """
    made: Described = {"optimizer": modern_optimizer(settings["optimizer_config"])}
    made["loss"] = _each(settings.get("loss"), _modern_loss)
    made["loss_weights"] = settings.get("loss_weights")
    for key in ("metrics", "weighted_metrics"):
        made[key] = _modern_metrics(settings.get(key), outputs)
    return {**made, **{key: settings[key] for key in _AS_THEY_ARE if key in settings}}


def notes_on(optimizer: Described) -> list[str]:
    """What is to be said of an optimizer of Keras 1 or 2 that goes on in another way here."""
    if _plain_name(optimizer) != "Nadam" or is_since_2_11(optimizer):
        return []
    return ["Nadam goes on with the momentum schedule of Keras 3; that of Keras 1 and 2 was slower."]


def _plain_name(optimizer: Described) -> str:
    """The class without the package under which Keras 2 registered its own; a short name in full."""
    name = str(optimizer["class_name"])
    plain = name.removeprefix("Custom>").removeprefix("Experimental")
    return str(optimizer_names.find(plain).__name__) if plain in optimizer_names else name


def is_since_2_11(optimizer: Described) -> bool:
    """Whether it is one of those that Keras 2 has had since 2.11."""
    config = optimizer["config"]
    is_wrapped = isinstance(config.get("inner_optimizer"), dict)
    inner = config["inner_optimizer"]["config"] if is_wrapped else config
    is_registered = str(optimizer["class_name"]).startswith("Custom>")
    return is_registered or inner.get("is_legacy_optimizer") is False


def modern_optimizer(optimizer: Described) -> Described:
    """An optimizer as Keras 3 describes it."""
    name, config = _plain_name(optimizer), dict(optimizer["config"])
    for key in ("jit_compile", "is_legacy_optimizer", "dynamic", "schedule_decay"):
        config.pop(key, None)
    if "lr" in config:
        config["learning_rate"] = config.pop("lr")
    if name == "Nadam" or not config.get("decay"):
        # Nadam's was the slowness of its momentum schedule.
        config.pop("decay", None)
    if name == "Adagrad" and "initial_accumulator_value" not in config and "epsilon" in config:
        # Before TensorFlow's, it began from nothing.
        config["initial_accumulator_value"] = 0.0
    if name.startswith("LossScaleOptimizer"):
        name = "LossScaleOptimizer"
        if isinstance(config.get("inner_optimizer"), dict):
            config["inner_optimizer"] = modern_optimizer(config["inner_optimizer"])
    if isinstance(config.get("learning_rate"), dict):
        config["learning_rate"] = _modern_schedule(config["learning_rate"])
    # A class of the user's own is found under the name it was registered by.
    known = name in optimizer_names
    module = "keras.optimizers" if known else optimizer.get("module")
    return {
        "module": module,
        "class_name": name,
        "config": config,
        "registered_name": None if known else name,
    }


def _modern_schedule(schedule: Described) -> Described:
    config = {key: value for key, value in schedule["config"].items() if key != "name" or value is not None}
    return {"module": "keras.optimizers.schedules", "registered_name": None, **schedule, "config": config}


def _each(tree: Any, change: Callable[[Any], Any]) -> Any:
    """What was given for each output: one thing, a list of such, or a dict."""
    if tree is None or isinstance(tree, str) or (isinstance(tree, dict) and "class_name" in tree):
        return None if tree is None else change(tree)
    if isinstance(tree, dict):
        return {key: _each(one, change) for key, one in tree.items()}
    return [_each(one, change) for one in tree]


def _without_none(given: Any) -> Any:
    """A list of metrics without the places that Keras 2 left empty."""
    return [one for one in given if one is not None] if isinstance(given, list) else given


def _modern_loss(loss: Any) -> Any:
    if not isinstance(loss, dict) or not isinstance(loss.get("config"), dict):
        return loss
    config = {key: value for key, value in loss["config"].items() if key != "fn"}
    function = loss["config"].get("fn")
    if loss["class_name"] == "LossFunctionWrapper" and isinstance(function, str):
        return function
    if "reduction" in config:
        config["reduction"] = _REDUCTIONS.get(config["reduction"], config["reduction"])
    return {**loss, "config": config}


def _modern_metrics(given: Any, outputs: list[str]) -> Any:
    """The metrics for each output, without the output's name in front of theirs."""
    if isinstance(given, list) and len(outputs) < 2 and len(given) == 1 and isinstance(given[0], list):
        given = given[0]
    if isinstance(given, dict) and "class_name" not in given:
        return {
            key: _each(one, lambda metric, key=key: _modern_metric(metric, [key]))
            for key, one in given.items()
        }
    is_nested = isinstance(given, list) and len(given) == len(outputs) > 1
    if is_nested and all(one is None or isinstance(one, list) for one in given):
        return [
            _each(_without_none(one), lambda metric, output=output: _modern_metric(metric, [output]))
            for one, output in zip(given, outputs, strict=True)
        ]
    return _each(given, lambda metric: _modern_metric(metric, outputs if len(outputs) > 1 else []))


def _modern_metric(metric: Any, outputs: list[str]) -> Any:
    if not isinstance(metric, dict) or not isinstance(metric.get("config"), dict):
        return metric
    name, config = metric["class_name"], dict(metric["config"])
    for output in outputs:
        config["name"] = str(config.get("name") or snake_case(name)).removeprefix(f"{output}_")
    function = config.get("fn")
    if name in ("MeanMetricWrapper", "SumOverBatchSizeMetricWrapper", "LossFunctionWrapper") and isinstance(
        function, str
    ):
        if function in metric_names:
            name = metric_names.find(function).__name__
            config.pop("fn")
        else:
            config["fn"] = {"module": "builtins", "class_name": "function", "config": function}
            name = "MeanMetricWrapper"
    elif isinstance(function, str):
        config.pop("fn")
    return {**metric, "class_name": name, "config": config}


# From Keras 3's form to that of Keras 2, as far as both read it.


def old_training(settings: Described, outputs: list[str]) -> Described:
    """The settings as HDF5 files have them, so that both Keras 2 and 3 understand them."""
    loss = settings.get("loss")
    if len(outputs) > 1 and (isinstance(loss, str) or (isinstance(loss, dict) and "class_name" in loss)):
        # One for all, which Keras 3 takes for the first output's.
        loss = [loss] * len(outputs)
    made: Described = {"loss": _each(loss, _old_loss), "loss_weights": settings.get("loss_weights")}
    for key in ("metrics", "weighted_metrics"):
        made[key] = _old_metrics(settings.get(key), outputs)
    return {**made, "optimizer_config": _old_optimizer(settings["optimizer"])}


def _old_loss(loss: Any) -> Any:
    """A loss without its module; a function by its whole name, for Keras 3 knows no short ones in HDF5."""
    if isinstance(loss, dict) and loss["class_name"] == "function":
        loss = loss["config"]
    if isinstance(loss, str):
        return loss_functions.find(loss).__name__ if loss in loss_functions else loss
    return {"class_name": _registered(loss), "config": _said(loss)}


def _said(thing: Described) -> Described:
    """The configuration of a loss or a metric without what Keras 2 did not know of."""
    unsaid = _UNSAID.get(thing["class_name"], {})
    if thing["config"].get("dtype") == "int32":
        # In which Keras 3 counts what overlaps; Keras 2 cannot.
        unsaid = {**unsaid, "dtype": "int32"}
    return {key: value for key, value in thing["config"].items() if key not in unsaid or value != unsaid[key]}


def _registered(thing: Described) -> str:
    return str(thing.get("registered_name") or thing["class_name"])


def _old_metrics(given: Any, outputs: list[str]) -> Any:
    """The metrics for each output; those of several outputs bear the outputs' names, as Keras 2 expects."""
    if given is None or len(outputs) < 2:
        return _each(given, lambda metric: _old_metric(metric, ""))
    if not isinstance(given, dict) and not (
        isinstance(given, list) and any(_is_several(one) for one in given)
    ):
        one = given if isinstance(given, list) else [given]
        given = [one] * len(outputs)
    pairs = given.items() if isinstance(given, dict) else zip(outputs, given, strict=False)
    made = {key: _each(one, lambda metric, key=key: _old_metric(metric, f"{key}_")) for key, one in pairs}
    return made if isinstance(given, dict) else list(made.values())


def _is_several(given: Any) -> bool:
    return given is None or isinstance(given, list)


def _old_metric(metric: Any, prefix: str) -> Any:
    if isinstance(metric, dict) and metric["class_name"] == "function":
        metric = metric["config"]
    if isinstance(metric, dict):
        config = _said(metric)
        if prefix:
            config["name"] = prefix + str(config.get("name") or snake_case(metric["class_name"]))
        return {"class_name": _registered(metric), "config": config}
    if metric in _BY_SHAPES or metric not in metric_names:
        return metric
    # In Keras 3 the short names are classes, whose objects forget the name they were called by.
    config = metrics.get(metric).get_config()
    config = {"name": prefix + metric, "dtype": config.get("dtype")}
    return {"class_name": metric_names.find(metric).__name__, "config": config}


def _old_optimizer(optimizer: Described) -> Described:
    """An optimizer that Keras 2 reads, and Keras 3 too wherever Keras 2 had one like it before 2.11."""
    config = {
        key: value for key, value in optimizer["config"].items() if key not in _SINCE_3 or value is not None
    }
    name = optimizer["class_name"]
    has_news = any(config.get(key) not in (None, False) for key in ("weight_decay", "use_ema"))
    if name not in optimizer_names or optimizer.get("registered_name"):
        return {"class_name": _registered(optimizer), "config": config}
    if name == "LossScaleOptimizer":
        kept = {key: config[key] for key in ("initial_scale", "dynamic_growth_steps")}
        inner = {
            "module": "keras.optimizers",
            **_old_optimizer(config["inner_optimizer"]),
            "registered_name": None,
        }
        return {"class_name": name, "config": {**kept, "inner_optimizer": inner}}
    if (config.get("decay") and name != "Nadam") or (name in _SAME_FORMULA and not has_news):
        kept = {key: value for key, value in config.items() if key not in _SINCE_2_11 and value is not None}
        return {"class_name": name, "config": kept}
    # Keras 3 takes an optimizer that it does not know by its name, with the usual settings.
    more = {"name": name, "jit_compile": False, "is_legacy_optimizer": False}
    return {"class_name": f"Custom>{name}", "config": {**config, **more}}
