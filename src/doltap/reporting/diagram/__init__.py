"""Pictures of networks: what is in them, where it goes on the page, and two ways to draw it."""

from typing import TYPE_CHECKING

from doltap import doors

if TYPE_CHECKING:
    from doltap.reporting.diagram import layout, raster, record, svg

__all__ = ["layout", "raster", "record", "svg"]

doors.later(__name__, *__all__)
