"""What was found in a run."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

__all__ = ["Finding", "Found"]


@dataclasses.dataclass(frozen=True)
class Found:
    """What a check found, before it is put into words; `variant` says which words."""

    name: str
    severity: int
    layer: str | None
    values: Mapping[str, Any]
    variant: str = ""


@dataclasses.dataclass(frozen=True)
class Finding:
    """One thing that is wrong with a run, with its evidence and a cure.

    Args:
        name: which finding it is, such as "vanishing_gradients".
        severity: 3 where it hardly learns, 2 where it learns less than it could,
            1 where it is worth knowing.
        layer: the layer it is about; None for the whole run.
        text: what is wrong and how that shows.
        cure: what to do about it.
        evidence: the numbers in the text, by name.
        variant: which sentences tell it, where there are several.
    """

    name: str
    severity: int
    layer: str | None
    text: str
    cure: str
    evidence: Mapping[str, Any] = dataclasses.field(default_factory=dict, hash=False)
    variant: str = ""

    def __str__(self) -> str:
        return f"{self.text} {self.cure}"
