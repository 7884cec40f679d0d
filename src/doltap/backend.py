"""What Keras programs look for under `keras.backend`: a door."""

from doltap.config import clear_session, epsilon, floatx, set_epsilon, set_floatx

__all__ = ["clear_session", "epsilon", "floatx", "set_epsilon", "set_floatx"]
