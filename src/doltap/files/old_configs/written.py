"""Models in the form of Keras 2 that Keras 3 reads as well, for HDF5."""

from __future__ import annotations

from typing import Any

from doltap.core import configs
from doltap.files.old_configs import calls, operations

__all__ = ["old_model"]

Described = dict[str, Any]

# What Keras 2 did not know of; left out wherever it says what is so anyway.
_SINCE_3: dict[str, tuple[Any, ...]] = {
    "autocast": (True,),
    "lora_alpha": (None,),
    "lora_rank": (None,),
    "oov_method": ("floormod",),
    "optional": (False, None),
    "quantization_config": (None,),
    "renorm": (False,),
    "renorm_clipping": (None,),
    "renorm_momentum": (0.99,),
    "rms_scaling": (False,),
    "salt": (None,),
    "synchronized": (False,),
}
# The same of initializers.
_OF_INITIALIZERS = ("input_axes", "output_axes")
_LOOKUPS = ("IntegerLookup", "StringLookup")
_KEYWORDS = {"LeakyReLU": {"negative_slope": "alpha"}, "InputLayer": {"batch_shape": "batch_input_shape"}}


def old_model(model: Described) -> Described:
    """A model of Keras 3's form as HDF5 files have it.

    Raises:
        NotSupportedError: Keras 2 could not write down a call in it.
    """
    made = _old_layer(model)
    return {"class_name": made["class_name"], "config": made["config"]}


def _old_layer(layer: Described, *, is_inside: bool = False) -> Described:
    config = layer["config"]
    name = layer.get("registered_name") or layer["class_name"]
    rest: Described = {key: layer[key] for key in ("name", "inbound_nodes") if key in layer}
    if operations.is_operation(layer):
        return layer
    if name == "Functional" or ("input_layers" in config and "layers" in config):
        layers = [_old_layer(one, is_inside=True) for one in config["layers"]]
        config = calls.old_network({**config, "layers": layers})
    elif name == "Sequential":
        config = _old_sequential(config, is_inside=is_inside)
    else:
        config = _old_config(name, config)
        if name in configs.names and name != "InputLayer":
            # Where Keras 3 reads a layer without its module, it drops axis=[1, 2], and fails inside wrappers.
            rest |= {"module": "keras.layers", "registered_name": None}
    return {"class_name": name, "config": config, **rest}


def _old_sequential(config: Described, *, is_inside: bool) -> Described:
    layers = config["layers"]
    # Inside a network it goes without its input: with it, Keras 2 and 3 count its calls differently.
    if is_inside and len(layers) > 1 and layers[0]["class_name"] == "InputLayer":
        layers = layers[1:] if not _begins_with_network(layers[1]) else layers
    # Keras 2 knows no such model in a file; here the columns of a table are needed to build it again.
    is_table = isinstance(config.get("build_input_shape"), dict)
    dropped = ("trainable",) if is_table else ("build_input_shape", "trainable")
    kept = {key: value for key, value in config.items() if key not in dropped}
    return {**kept, "layers": [_old_layer(one, is_inside=True) for one in layers]}


def _begins_with_network(layer: Described) -> bool:
    return layer["class_name"] in calls.NETWORKS


def _old_config(name: str, config: Described) -> Described:
    is_ours = name in configs.names
    words = _KEYWORDS.get(name, {})
    made = {}
    for key, value in config.items():
        if is_ours and key in _SINCE_3 and (value in _SINCE_3[key]):
            continue
        if key == "dtype":
            value = _old_policy(value)
        elif key == "layer" and isinstance(value, dict) and "class_name" in value:
            value = _old_layer(value)
        elif key.endswith("_initializer") and isinstance(value, dict):
            value = _old_initializer(value)
        made[words.get(key, key)] = value
    if name in _LOOKUPS and made.get("output_mode") == "int":
        # Keras 2 insists on it.
        made["dtype"] = "int64"
    return made


def _old_policy(dtype: Any) -> Any:
    """The name of a policy; Keras 2 and 3 have different classes for it."""
    is_policy = isinstance(dtype, dict) and isinstance(dtype.get("config"), dict)
    return dtype["config"].get("name", dtype) if is_policy else dtype


def _old_initializer(value: Described) -> Described:
    config = value.get("config")
    if not isinstance(config, dict):
        return value
    left_out = [key for key in _OF_INITIALIZERS if config.get(key) is None]
    return {**value, "config": {key: one for key, one in config.items() if key not in left_out}}
