"""What a model tells of itself: its parts as plain records, its picture, its report."""

from typing import TYPE_CHECKING

from doltap import doors

if TYPE_CHECKING:
    from doltap.models.telling import answering, describing, judging, picturing

__all__ = ["answering", "describing", "judging", "picturing"]

doors.later(__name__, *__all__)
