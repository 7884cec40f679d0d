"""What people see of a model and its training."""

from typing import TYPE_CHECKING

from doltap import doors

if TYPE_CHECKING:
    from doltap.reporting import (
        curves,
        diagnosis,
        diagram,
        events,
        histograms,
        inspecting,
        language,
        progress,
        report,
        summary,
    )

__all__ = ["curves", "diagnosis", "diagram", "events", "histograms", "inspecting", "language", "progress"]
__all__ += ["report", "summary"]

doors.later(__name__, *__all__)
