"""Model files: plain configurations and arrays to bytes, and back. Nothing here knows a model."""

from typing import TYPE_CHECKING

from doltap import doors

if TYPE_CHECKING:
    from doltap.files import checkpoint, formats, plain_config, plain_json, writing

__all__ = ["checkpoint", "formats", "plain_config", "plain_json", "writing"]

doors.later(__name__, *__all__)
