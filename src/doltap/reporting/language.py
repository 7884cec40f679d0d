"""The language in which doltap explains things: English or Korean.

What was asked for wins, then DOLTAP_LANG, then the locale; English where none says Korean.
"""

from __future__ import annotations

import locale
import os
import re

from doltap.errors import UnknownNameError

__all__ = ["LANGUAGES", "chosen", "with_particles"]

# By the words that people and locales use for them; Windows writes names in full.
_WORDS = {"en": "en", "english": "en", "ko": "ko", "kr": "ko", "korean": "ko", "한국어": "ko"}
LANGUAGES = ("en", "ko")

# Behind a consonant, and behind a vowel.
_PARTICLES = {
    "이(가)": ("이", "가"),
    "을(를)": ("을", "를"),
    "은(는)": ("은", "는"),
    "과(와)": ("과", "와"),
    "(으)로": ("으로", "로"),
    "(이)라": ("이라", "라"),
    "이었(였)": ("이었", "였"),
}
_ANY_PARTICLE = re.compile("|".join(map(re.escape, _PARTICLES)))
# What stands between a word and its particle and is not spoken.
_UNSPOKEN = re.compile(r"(\([^()]*\)|[^\w%])+$")
# How digits and letters end when they are read in Korean; the others end in a vowel, or are not known.
_VOWEL, _RIEUL, _CONSONANT = 0, ord("달") - ord("다"), ord("단") - ord("다")
_ENDS = (
    dict.fromkeys("178l", _RIEUL) | dict.fromkeys("036mn", _CONSONANT) | dict.fromkeys(["", *"bcgkpt"], None)
)

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


def with_particles(text: str) -> str:
    """Korean in which every particle given in both forms has the one that suits the word before it.

    Of a word in Latin letters that may be read either way both stay.

    >>> with_particles("클래스 0(이)라고, 학습률 0.02은(는), 1,000(으)로, 제곱이(가)")
    '클래스 0이라고, 학습률 0.02는, 1,000으로, 제곱이'
    """
    return _ANY_PARTICLE.sub(_suiting, text)


def _suiting(found: re.Match[str]) -> str:
    end = _end_of(_UNSPOKEN.sub("", found.string[: found.start()]))
    if end is None:
        return found[0]
    # Behind "l" it is 로, as if there were none.
    is_vowel = end == _VOWEL or (end == _RIEUL and found[0] == "(으)로")
    return _PARTICLES[found[0]][is_vowel]


def _end_of(word: str) -> int | None:
    """The consonant a word ends in when it is read, as Unicode counts them; 0 after a vowel."""
    last = word[-1:].lower()
    if "가" <= last <= "힣":
        return (ord(last) - ord("가")) % (ord("개") - ord("가"))
    return _CONSONANT if word[-2:].lower() == "ng" else _ENDS.get(last, _VOWEL)


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
