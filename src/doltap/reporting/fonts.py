"""The typefaces in which matplotlib draws names, where they have letters of Korean."""

from __future__ import annotations

from doltap.errors import optional_package

__all__ = ["with_korean"]

# Those of Linux, Windows and macOS that are met most.
_NAMES = ("Noto Sans CJK KR", "Noto Sans CJK JP", "NanumGothic", "Malgun Gothic", "AppleGothic")


def with_korean() -> list[str]:
    """The installed ones; matplotlib takes from them the letters that its own typeface lacks."""
    manager = optional_package("matplotlib.font_manager", extra="plot", purpose="plots")
    known = {font.name for font in manager.fontManager.ttflist}
    return [name for name in _NAMES if name in known]
