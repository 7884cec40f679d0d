"""What doltap says when something is wrong, and that it can be said anywhere."""

from __future__ import annotations

import copy
import inspect
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doltap import errors
from doltap.errors import DoltapError, MissingPackageError, UnknownArgumentError, UnknownNameError

KINDS = [kind for kind in vars(errors).values() if inspect.isclass(kind) and issubclass(kind, DoltapError)]
PARTS = {"expected": "9 columns", "got": "10", "fix": "Drop a column."}


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_says_expected_got_and_fix_and_survives_travel(kind):
    error = kind("x", **PARTS)
    assert str(error) == "x: expected 9 columns, got 10.\n  Drop a column."
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(again) is kind
        assert str(again) == str(error)
        assert (again.subject, again.parts) == ("x", PARTS)


@pytest.mark.parametrize(
    ("kind", "python"),
    [
        (errors.ShapeError, ValueError),
        (errors.DataError, ValueError),
        (errors.LabelError, errors.DataError),
        (errors.UnknownNameError, ValueError),
        (errors.UnknownArgumentError, TypeError),
        (errors.NotCompiledError, RuntimeError),
        (errors.NotSupportedError, NotImplementedError),
        (errors.MissingPackageError, ImportError),
        (errors.DatasetError, OSError),
    ],
)
def test_an_error_is_also_the_python_error_that_old_programs_catch(kind, python):
    assert issubclass(kind, python)


def test_every_kind_of_error_is_public():
    assert {kind.__name__ for kind in KINDS} <= set(errors.__all__)


@given(st.text(), st.text(), st.text(), st.text())
def test_no_text_from_outside_reaches_the_terminal_as_a_command(subject, expected, got, fix):
    error = DoltapError(subject, expected=expected, got=got, fix=fix)
    assert all(letter.isprintable() or letter == "\n" for letter in str(error))
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.parts) == (str(error), error.parts)


@given(st.text(), st.integers(1, 50))
def test_printable_text_is_short_and_harmless(text, limit):
    shown = errors.printable(text, limit)
    assert len(shown) <= limit
    assert shown.isprintable()
    if text.isprintable() and len(text) <= limit:
        assert shown == text


def test_printable_text_is_whole_where_no_limit_is_set():
    assert errors.printable("x\n" * 100, None) == "x\\n" * 100


def test_letters_of_every_script_stay_as_they_are():
    assert errors.printable("돌탑 높이 α β 🗼") == "돌탑 높이 α β 🗼"
    assert errors.printable("\ud800\u202e\x9b") == "\\ud800\\u202e\\x9b"


def test_the_nearest_name_keeps_its_capitals():
    assert errors.closest("ADAMM", ["Adam", "SGD"]) == "Adam"
    assert errors.closest("zzz", ["Adam", "SGD"]) is None
    assert errors.closest("", []) is None


def test_an_unknown_name_or_argument_offers_a_guess_or_the_list():
    assert "Did you mean 'relu'?" in str(UnknownNameError.of("activation", "rellu", ["relu", "elu"]))
    assert "Known names: elu, relu." in str(UnknownNameError.of("activation", "qqq", ["relu", "elu", "elu"]))
    assert "Did you mean 'rate='?" in str(UnknownArgumentError.of("Dropout", "ratte", ["rate"]))
    assert "It takes: rate." in str(UnknownArgumentError.of("Dropout", "qqq", ["rate"]))


def test_a_missing_package_says_how_to_install_it():
    assert errors.optional_package("json", extra="plot", purpose="pictures").dumps([]) == "[]"
    with pytest.raises(MissingPackageError, match=r'pip install "doltap\[plot\]"') as caught:
        errors.optional_package("no_such_package_here", extra="plot", purpose="pictures")
    assert "installed for pictures" in str(caught.value)
    assert isinstance(caught.value.__cause__, ImportError)
    with pytest.raises(MissingPackageError, match="the package 'no_such_package_here': "):
        errors.optional_package("no_such_package_here.inner.part", extra="plot", purpose="pictures")
