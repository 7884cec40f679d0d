"""What programs of Keras 1 and 2 call `K`, the functions of `keras.backend`: a door."""

from doltap.arrays import cast_to_floatx
from doltap.compat.keras_backend import arithmetic, arrangement, networks, state
from doltap.compat.keras_backend.arithmetic import *
from doltap.compat.keras_backend.arrangement import *
from doltap.compat.keras_backend.networks import *
from doltap.compat.keras_backend.state import *
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

__all__ = [
    "backend",
    "cast_to_floatx",
    "clear_session",
    "epsilon",
    "floatx",
    "image_data_format",
    "is_keras_tensor",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
]
__all__ += arithmetic.__all__
__all__ += arrangement.__all__
__all__ += networks.__all__
__all__ += state.__all__
