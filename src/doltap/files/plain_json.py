"""JSON from files that nobody vouches for."""

from __future__ import annotations

import json
from typing import Any

from doltap.errors import ModelFileError

__all__ = ["read_json", "write_json"]


def read_json(text: str | bytes, what: str) -> Any:
    """The value that the text describes: dicts, lists, texts, numbers, booleans, None.

    Args:
        what: the text is, as errors name it: "config.json in model.keras".
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelFileError(what, expected="JSON", got=str(error), fix="The file is damaged.") from error


def write_json(value: Any) -> str:
    """The value as JSON."""
    return json.dumps(value)
