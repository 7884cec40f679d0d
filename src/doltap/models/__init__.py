"""What the user holds: models."""

from doltap import doors
from doltap.models.cloning import clone_model
from doltap.models.model import Model
from doltap.models.population import Population
from doltap.models.saving import load_model, model_from_json, save_model
from doltap.models.sequential import Sequential

__all__ = ["Model", "Population", "Sequential", "clone_model", "load_model", "model_from_json", "save_model"]

doors.guard(__name__)
