"""Trained models as files that other programs run."""

from doltap.models.exporting.export import export_model

__all__ = ["export_model"]
