"""What people see of a model and its training."""

from typing import TYPE_CHECKING

from doltap import doors

if TYPE_CHECKING:
    from doltap.reporting import curves, events, inspecting, progress, summary

__all__ = ["curves", "events", "inspecting", "progress", "summary"]

doors.later(__name__, *__all__)
