"""Models to files and back, and what of one's own the files may name: a door."""

from doltap import doors
from doltap.models.objects import deserialize_keras_object, serialize_keras_object
from doltap.models.saving import load_model, load_weights, save_model, save_weights
from doltap.registry import (
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from doltap.registry import custom_object_scope as CustomObjectScope

__all__ = [
    "CustomObjectScope",
    "custom_object_scope",
    "deserialize_keras_object",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "load_model",
    "load_weights",
    "register_keras_serializable",
    "save_model",
    "save_weights",
    "serialize_keras_object",
]

doors.guard(__name__)
