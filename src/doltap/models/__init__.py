"""What the user holds: models."""

from doltap.models.model import Model
from doltap.models.sequential import Sequential

__all__ = ["Model", "Sequential"]
