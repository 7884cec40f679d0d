"""Configurations of Keras 1 and 2, dict to dict: to those of Keras 3, and back."""

from doltap import doors
from doltap.files.old_configs.archives import modern_archive, output_names
from doltap.files.old_configs.layers import modern_model
from doltap.files.old_configs.slots import modern_slots, old_slots
from doltap.files.old_configs.training import modern_optimizer, modern_training, notes_on, old_training
from doltap.files.old_configs.written import old_model

__all__ = [
    "modern_archive",
    "modern_model",
    "modern_optimizer",
    "modern_slots",
    "modern_training",
    "notes_on",
    "old_model",
    "old_slots",
    "old_training",
    "output_names",
]

doors.guard(__name__)
