"""Small things users call: a door."""

from doltap import doors
from doltap.arrays import (
    normalize,
    pack_x_y_sample_weight,
    pad_sequences,
    split_dataset,
    to_categorical,
    unpack_x_y_sample_weight,
)
from doltap.config import clear_session
from doltap.core.graph import is_keras_tensor
from doltap.datasets.downloads import get_file
from doltap.dtypes import standardize as standardize_dtype
from doltap.feature_space import FeatureSpace
from doltap.models.objects import deserialize_keras_object, serialize_keras_object
from doltap.models.shown import plot_model
from doltap.random import set_random_seed
from doltap.registry import (
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from doltap.registry import custom_object_scope as CustomObjectScope
from doltap.training.feeds import PyDataset
from doltap.training.feeds import PyDataset as Sequence

__all__ = [
    "FeatureSpace",
    "split_dataset",
    "CustomObjectScope",
    "PyDataset",
    "Sequence",
    "clear_session",
    "custom_object_scope",
    "deserialize_keras_object",
    "get_custom_objects",
    "get_file",
    "get_registered_name",
    "get_registered_object",
    "is_keras_tensor",
    "normalize",
    "pack_x_y_sample_weight",
    "pad_sequences",
    "plot_model",
    "register_keras_serializable",
    "serialize_keras_object",
    "set_random_seed",
    "standardize_dtype",
    "to_categorical",
    "unpack_x_y_sample_weight",
]

doors.guard(__name__)
