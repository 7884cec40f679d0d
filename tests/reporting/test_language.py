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


@pytest.mark.parametrize(
    ("both", "one"),
    [
        ("클래스 0(이)라고", "클래스 0이라고"),
        ("클래스 4(이)라고", "클래스 4라고"),
        ("약 0.1(이)라고", "약 0.1이라고"),
        ("0.001이었(였)습니다", "0.001이었습니다"),
        ("0.02이었(였)습니다", "0.02였습니다"),
        ("10,000이(가)", "10,000이"),
        ("3e-5이(가)", "3e-5가"),
        ("제곱이(가)", "제곱이"),
        ("차이(가)", "차가"),
        ("1(으)로", "1로"),
        ("3(으)로", "3으로"),
        ("'행렬'(으)로", "'행렬'로"),
        ("12%을(를)", "12%를"),
        ("'logs' 층(0부터 셈)과(와)", "'logs' 층(0부터 셈)과"),
        ("Poisson은(는)", "Poisson은"),
        ("MeanSquaredError은(는)", "MeanSquaredError는"),
        ("'king'을(를) 'cat'이(가)", "'king'을 'cat'이(가)"),
        ("은(는)", "은(는)"),
    ],
)
def test_a_particle_suits_the_word_or_number_before_it(both, one):
    assert language.with_particles(both) == one
