"""What Keras programs look for under `keras.backend`: a door."""

from doltap import doors
from doltap.arrays import cast_to_floatx
from doltap.config import (
    backend,
    clear_session,
    epsilon,
    floatx,
    image_data_format,
    set_epsilon,
    set_floatx,
    set_image_data_format,
)
from doltap.core.graph import is_keras_tensor
from doltap.dtypes import is_float as is_float_dtype
from doltap.dtypes import is_integer as is_int_dtype
from doltap.dtypes import result_type
from doltap.dtypes import standardize as standardize_dtype

__all__ = [
    "backend",
    "cast_to_floatx",
    "clear_session",
    "epsilon",
    "floatx",
    "image_data_format",
    "is_float_dtype",
    "is_int_dtype",
    "is_keras_tensor",
    "result_type",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "standardize_dtype",
]

doors.guard(__name__)
