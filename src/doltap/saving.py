"""Classes and functions of one's own, by the names that files and configurations give them: a door."""

from doltap import doors
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
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "register_keras_serializable",
]

doors.guard(__name__)
