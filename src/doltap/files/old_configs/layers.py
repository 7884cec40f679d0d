"""Layers and models of Keras 1 and 2 as Keras 3 writes them.

What is written by Keras 3 already goes through unchanged.
"""

from __future__ import annotations

from typing import Any

from doltap import old_names
from doltap.core import configs
from doltap.errors import NotSupportedError, printable
from doltap.files.old_configs import calls, operations
from doltap.registry import snake_case

__all__ = ["modern_layer", "modern_model"]

Described = dict[str, Any]

_ANEW = "build the model anew, and take the weights by load_weights"
# Layers under the names of today, with what else Keras says of them now.
_CLASSES: dict[str, tuple[str, dict[str, Any]]] = {
    "Model": ("Functional", {}),
    "Container": ("Functional", {}),
    "SyncBatchNormalization": ("BatchNormalization", {"synchronized": True}),
    "BatchNormalizationV1": ("BatchNormalization", {}),
    "BatchNormalizationV2": ("BatchNormalization", {}),
}
# What merging layers of Keras 1 were told as mode=.
_MERGES = {
    "sum": "Add",
    "mul": "Multiply",
    "ave": "Average",
    "max": "Maximum",
    "concat": "Concatenate",
    "dot": "Dot",
    "cos": "Dot",
}
# Keywords of files that no program gives: layer -> {old keyword: keyword of today}.
_KEYWORDS: dict[str, dict[str, str]] = {
    "BatchNormalization": {"beta_init": "beta_initializer", "gamma_init": "gamma_initializer"},
    "GaussianDropout": {"p": "rate"},
    "GaussianNoise": {"sigma": "stddev"},
    "LeakyReLU": old_names.KEYWORDS["leaky_relu"],
    "PReLU": {"init": "alpha_initializer"},
    "SpatialDropout1D": {"p": "rate"},
    "SpatialDropout2D": {"p": "rate"},
    "SpatialDropout3D": {"p": "rate"},
}
# Layers that are others today, by `_renamed`.
_GONE = ("Merge", "ThresholdedReLU", "TimeDistributedDense")
# What tells a layer nothing any more: how TensorFlow or Theano computed, and its input once more.
_IDLE: tuple[str, ...] = ("adjustment", "cache_enabled", "fused", "implementation", "virtual_batch_size")
_IDLE += ("batch_input_shape", "input_dim", "input_dtype", "input_length", "input_shape")
_INITIALIZERS = {"uniform": "random_uniform", "normal": "random_normal", "zero": "zeros", "one": "ones"}
_INPUTS_OF_ITS_OWN = ("Embedding",)


def modern_model(described: Described) -> Described:
    """A model as Keras 3 describes it: module, class name, configuration, registered name.

    Raises:
        NotSupportedError: it holds what has no counterpart here.
    """
    config = described["config"]
    # Keras 1, and 2 until 2.2.3, gave the layers alone for a Sequential.
    if isinstance(config, list):
        config = {"layers": config}
    return modern_layer({**described, "config": config})


def modern_layer(layer: Described) -> Described:
    """A layer, or a model, as Keras 3 describes it; its calls, if it has any, stay as they are."""
    if operations.is_operation(layer):
        return operations.named(layer)
    old_class, config = layer["class_name"], layer["config"]
    name, more = _CLASSES.get(old_class, (old_class, {}))
    if isinstance(config, list):
        config = {"layers": config}
    if name == "Functional" and "layers" in config:
        config = _functional(config)
    elif name == "Sequential" and "layers" in config:
        config = _sequential(config)
    elif name == "InputLayer":
        config = _input(config)
    elif name in configs.names or name in _GONE:
        name, config = _renamed(name, config)
        config = _values(name, config)
    elif "dtype" in config:
        # A class of the user's own knows its other words itself.
        config = {**config, "dtype": _policy(config["dtype"])}
    return {**layer, **_head(layer, name), "config": {**config, **more}}


def _head(layer: Described, name: str) -> Described:
    """The module and the registered name."""
    if layer.get("registered_name") not in (None, name, layer["class_name"]) or ">" in name:
        registered = layer.get("registered_name") or name
        return {"module": layer.get("module"), "class_name": name, "registered_name": registered}
    module = (
        "keras" if name == "Sequential" else "keras.src.models.functional" if name == "Functional" else None
    )
    module = module or layer.get("module") or "keras.layers"
    return {"module": module, "class_name": name, "registered_name": layer.get("registered_name")}


def _functional(config: Described) -> Described:
    layers = [modern_layer(layer) for layer in config["layers"]]
    for layer in layers:
        layer.setdefault("name", layer["config"].get("name"))
        layer.setdefault("inbound_nodes", [])
    return {"trainable": True, **calls.modern_network({**config, "layers": layers})}


def _sequential(config: Described) -> Described:
    layers = config["layers"]
    first = layers[0] if layers else {}
    shape = (
        first.get("config", {}).get("batch_input_shape") if isinstance(first.get("config"), dict) else None
    )
    made = [modern_layer(layer) for layer in layers]
    if shape is not None and first["class_name"] != "InputLayer":
        dtype = first["config"].get("input_dtype") or _policy_name(first["config"].get("dtype"))
        given = {"batch_input_shape": shape, "dtype": dtype, "name": f"{first['config'].get('name')}_input"}
        made.insert(0, modern_layer({"class_name": "InputLayer", "config": given}))
    return {**config, "layers": made}


def _policy_name(dtype: Any) -> str:
    """The type in which inputs come: that of the policy, if it is a plain one."""
    name = dtype["config"]["name"] if isinstance(dtype, dict) else dtype
    return name if isinstance(name, str) and not name.startswith("mixed") else "float32"


def _input(config: Described) -> Described:
    config = dict(config)
    shape = config.pop("batch_input_shape", None)
    for kind in ("sparse", "ragged"):
        if config.pop(kind, False):
            raise NotSupportedError(
                f"layer '{printable(config.get('name'))}'",
                expected="an input of plain arrays",
                got=f"{kind}=True",
                fix=f"With a plain Input, {_ANEW}.",
            )
    dtype = config.pop("input_dtype", None) or config.get("dtype") or "float32"
    given = {key: value for key, value in config.items() if key in ("batch_shape", "name", "optional")}
    return {**({"batch_shape": shape} if shape is not None else {}), "dtype": dtype, **given}


def _renamed(name: str, config: Described) -> tuple[str, Described]:
    """The class and its keywords under the names of today."""
    if name == "Merge":
        return _merge(config)
    if name == "TimeDistributedDense":
        # A layer of Keras 1; Dense itself goes along the last axis today.
        name = "Dense"
    if name == "ThresholdedReLU":
        rest = {key: value for key, value in config.items() if key != "theta"}
        return "ReLU", {**rest, "threshold": config.get("theta", 1.0)}
    if name == "BatchNormalization":
        config = _batch_normalization(config)
    if name == "Lambda":
        config = _lambda(config)
    table = {**old_names.KEYWORDS.get(snake_case(name), {}), **_KEYWORDS.get(name, {})}
    return name, {table.get(key, key): value for key, value in config.items()}


def _merge(config: Described) -> tuple[str, Described]:
    mode = config.get("mode")
    if mode not in _MERGES or config.get("layers"):
        raise NotSupportedError(
            f"layer '{printable(config.get('name'))}'",
            expected=f"a Merge with a mode among {sorted(_MERGES)}",
            got=f"mode={printable(mode)!r}" if mode not in _MERGES else "one that holds models of its own",
            fix=f"With the merging layers of today, {_ANEW}.",
        )
    kept: Described = {key: config[key] for key in ("name", "trainable") if key in config}
    if mode == "concat":
        return _MERGES[mode], {**kept, "axis": config.get("concat_axis", -1)}
    if mode in ("dot", "cos"):
        return _MERGES[mode], {**kept, "axes": config.get("dot_axes", -1), "normalize": mode == "cos"}
    return _MERGES[mode], kept


def _batch_normalization(config: Described) -> Described:
    config = dict(config)
    mode = config.pop("mode", 0)
    if mode == 1:
        raise NotSupportedError(
            f"layer '{printable(config.get('name'))}'",
            expected="BatchNormalization over the batch, mode=0",
            got="mode=1, over the features of each row",
            fix=f"LayerNormalization is that layer today: {_ANEW}.",
        )
    axis = config.get("axis", -1)
    if isinstance(axis, (list, tuple)) and len(axis) == 1:
        config["axis"] = axis[0]
    return config


def _lambda(config: Described) -> Described:
    """Functions by name; where there is code, it stays recognizable as such and is refused later."""
    words = ("name", "trainable", "dtype", "arguments", "function", "mask")
    kept: Described = {key: config[key] for key in words if key in config}
    is_named = config.get("function_type") == "function"
    if is_named and config.get("output_shape_type", "raw") == "raw":
        named = {"module": "builtins", "class_name": "function", "config": config["function"]}
        return {**kept, "function": named, "output_shape": config.get("output_shape")}
    if "function_type" in config:
        return {**kept, "function": {"class_name": "__lambda__", "config": {}}}
    return config


def _values(name: str, config: Described) -> Described:
    """The values of a layer's keywords as Keras 3 writes them."""
    made: Described = {}
    for key, value in config.items():
        if key in _IDLE and not (key == "input_dim" and name in _INPUTS_OF_ITS_OWN):
            continue
        if key == "dtype":
            made[key] = _policy(value)
        elif key.endswith("_initializer"):
            made[key] = _initializer(value)
        elif key.endswith(("_regularizer", "_constraint")):
            made[key] = _limit(value, key.rpartition("_")[2])
        elif key == "layer" and isinstance(value, dict) and "class_name" in value:
            made[key] = modern_layer(value)
        else:
            made[key] = value
    return made


def _policy(dtype: Any) -> Any:
    """The name of a policy of Keras 2, or what Keras 3 wrote."""
    is_old = isinstance(dtype, dict) and dtype.get("class_name") in ("Policy", "PolicyV1", "LossScalePolicy")
    return dtype["config"]["name"] if is_old else dtype


def _initializer(value: Any) -> Any:
    """Names of Keras 1 under those of today; of a configuration, what an initializer is told today."""
    if isinstance(value, str):
        return _INITIALIZERS.get(value, value)
    if not isinstance(value, dict) or not isinstance(value.get("config"), dict):
        return value
    config = {key: one for key, one in value["config"].items() if key not in ("dtype", "partition_info")}
    if value.get("class_name") == "VarianceScaling" and config.get("distribution") == "normal":
        # What Keras 2 called so was cut off at two standard deviations.
        config["distribution"] = "truncated_normal"
    return {**value, "config": config}


def _limit(value: Any, kind: str) -> Any:
    """A regularizer or a constraint; Keras 1 wrote its name among its arguments."""
    if not isinstance(value, dict) or "name" not in value or "class_name" in value:
        return value
    old = str(value["name"])
    name = {**old_names.NAMES.get(kind, {}), "L1L2Regularizer": "L1L2"}.get(old, old)
    table = old_names.KEYWORDS.get(snake_case(name), {})
    config = {table.get(key, key): one for key, one in value.items() if key != "name"}
    return {"class_name": name, "config": config}
