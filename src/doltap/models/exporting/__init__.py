"""Trained models as files that other programs run."""

from typing import TYPE_CHECKING

from doltap import doors

if TYPE_CHECKING:
    from doltap.models.exporting import export

__all__ = ["export"]

doors.later(__name__, *__all__)
