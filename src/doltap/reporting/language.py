"""The language in which doltap explains things: English or Korean.

What was asked for wins, then DOLTAP_LANG, then the locale; English where none says Korean.
"""

from __future__ import annotations

import locale
import os

from doltap.errors import UnknownNameError

__all__ = ["LANGUAGES", "chosen"]

# By the words that people and locales use for them; Windows writes names in full.
_WORDS = {"en": "en", "english": "en", "ko": "ko", "kr": "ko", "korean": "ko", "한국어": "ko"}
LANGUAGES = ("en", "ko")

# In the order in which a C library looks at them for messages.
_LOCALE_VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")


def chosen(asked: str | None = None) -> str:
    """The language to explain in: "en" or "ko".

    Args:
        asked: what the caller wishes, such as "ko" or "ko_KR.UTF-8"; None leaves
            it to DOLTAP_LANG, and where that is not set to the locale.

    >>> chosen("ko_KR.UTF-8")
    'ko'
    """
    if asked is not None:
        return _required(asked, "language")
    wish = os.environ.get("DOLTAP_LANG")
    if wish:
        return _required(wish, "DOLTAP_LANG")
    return _known(_locale()) or "en"


def _required(text: str, whose: str) -> str:
    found = _known(text)
    if found is None:
        raise UnknownNameError.of(whose, text, LANGUAGES)
    return found


def _known(text: object) -> str | None:
    word = str(text).strip().lower()
    for mark in ".@-_":
        word = word.partition(mark)[0]
    return _WORDS.get(word)


def _locale() -> str:
    for variable in _LOCALE_VARIABLES:
        if os.environ.get(variable):
            return os.environ[variable]
    # Where the system says it in other ways, as Windows does.
    return locale.getlocale()[0] or ""
