"""Which language doltap explains in."""

import locale

import pytest

from doltap.errors import UnknownNameError
from doltap.reporting import language

VARIABLES = ("DOLTAP_LANG", "LC_ALL", "LC_MESSAGES", "LANG")


@pytest.fixture(autouse=True)
def bare(monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(locale, "getlocale", lambda: (None, None))


@pytest.mark.parametrize("asked", ["ko", "KO", "ko_KR", "ko-KR", "ko_KR.UTF-8", "korean", "한국어"])
def test_korean_is_known_by_its_usual_names(asked):
    assert language.chosen(asked) == "ko"


def test_what_is_asked_outranks_the_variable_and_the_locale(monkeypatch):
    monkeypatch.setenv("DOLTAP_LANG", "ko")
    monkeypatch.setenv("LANG", "ko_KR.UTF-8")
    assert language.chosen("en") == "en"


def test_the_variable_outranks_the_locale(monkeypatch):
    monkeypatch.setenv("LANG", "ko_KR.UTF-8")
    monkeypatch.setenv("DOLTAP_LANG", "en")
    assert language.chosen() == "en"


@pytest.mark.parametrize("variable", VARIABLES[1:])
def test_the_locale_is_read_from_the_environment(monkeypatch, variable):
    monkeypatch.setenv(variable, "ko_KR.UTF-8")
    assert language.chosen() == "ko"


def test_the_variables_of_a_locale_come_in_its_order(monkeypatch):
    monkeypatch.setenv("LANG", "ko_KR.UTF-8")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    assert language.chosen() == "en"


def test_the_system_is_asked_where_the_environment_is_silent(monkeypatch):
    monkeypatch.setattr(locale, "getlocale", lambda: ("Korean_Korea", "949"))
    assert language.chosen() == "ko"


@pytest.mark.parametrize("text", ["", "C", "POSIX", "de_DE.UTF-8"])
def test_other_locales_get_english(monkeypatch, text):
    monkeypatch.setenv("LANG", text)
    assert language.chosen() == "en"


@pytest.mark.parametrize("asked", ["kp", "", 3])
def test_an_unknown_language_is_refused_by_name(asked):
    with pytest.raises(UnknownNameError, match="language: expected a known name"):
        language.chosen(asked)


def test_an_unknown_language_in_the_variable_is_refused_by_the_variables_name(monkeypatch):
    monkeypatch.setenv("DOLTAP_LANG", "klingon")
    with pytest.raises(UnknownNameError, match="DOLTAP_LANG"):
        language.chosen()
