"""Why a network does not learn: from the record of a run to findings in words."""

from typing import TYPE_CHECKING

from doltap import doors
from doltap.reporting.diagnosis.finding import Finding
from doltap.reporting.diagnosis.record import LayerSigns, Output, Record, Settings, Stray

if TYPE_CHECKING:
    from doltap.reporting.diagnosis import judging, telling, words

__all__ = ["Finding", "LayerSigns", "Output", "Record", "Settings", "Stray", "judging", "telling", "words"]

doors.later(__name__, "judging", "telling", "words")
