"""Reports: a page that tells what a model is, how it learned and how good it is; one that compares runs."""

from typing import TYPE_CHECKING

from doltap import doors

if TYPE_CHECKING:
    from doltap.reporting.report import comparing, page, runs, subject

__all__ = ["comparing", "page", "runs", "subject"]

doors.later(__name__, *__all__)
