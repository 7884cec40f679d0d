"""From a layer to a plain dict and back.

The dicts are Keras 3's: module, class name, configuration, registered name.
Only classes of ours, and those the user registered or passes, are ever made.
"""

from __future__ import annotations

from typing import Any

from doltap import registry
from doltap.core.layer import Layer, names
from doltap.errors import NotSupportedError

__all__ = ["deserialize", "names", "serialize"]


def serialize(layer: Layer) -> dict[str, Any]:
    """The layer as `{"module", "class_name", "config", "registered_name"}`."""
    module, name = layer.kept_in
    written = registry.described(layer, module)
    is_users = written["registered_name"] is not None
    return written if is_users or name is None else {**written, "class_name": name}


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The layer that `serialize` described.

    Args:
        custom_objects: classes of the user's own by name, beside the registered ones.
    """
    if isinstance(config, Layer):
        return config
    if not isinstance(config, dict) or "class_name" not in config:
        raise NotSupportedError(
            "layers.deserialize",
            expected="a dict with 'class_name' and 'config'",
            got=repr(config),
            fix="Give it what layers.serialize(layer) returned.",
        )
    with registry.custom_object_scope(custom_objects or {}):
        return names.make(config)
