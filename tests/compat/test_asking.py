"""Which files are the user's own."""

import os
import sys
import types

import numpy
import pytest

import doltap
from doltap.compat import asking


@pytest.mark.parametrize(
    ("path", "is_users"),
    [
        ("/home/ana/lesson.py", True),
        ("lesson.py", True),
        ("/content/drive/My Drive/lesson.py", True),
        ("/home/ana/.venv/lib/python3.11/site-packages/sklearn/base.py", False),
        ("/usr/lib/python3/dist-packages/six.py", False),
        (os.__file__, False),
        (doltap.__file__, False),
        (numpy.__file__, False),
        ("<frozen importlib._bootstrap>", False),
        (__file__, True),
    ],
)
def test_files_that_are_installed_are_not_the_users(path, is_users):
    assert asking.is_users_file(path) is is_users


def test_the_main_program_of_a_notebook_is_the_users():
    assert asking.is_users_code({"__name__": "__main__"}, None)


def test_code_without_a_file_belongs_to_whom_runs_it():
    ask = "answer = asking.is_users_code(None, sys._getframe())"
    mine = {"asking": asking, "sys": sys}
    exec(ask, mine)
    assert mine["answer"] is True
    theirs = {"asking": asking, "sys": sys, "__file__": os.__file__, "ask": ask}
    exec("inner = dict(asking=asking, sys=sys); exec(ask, inner)", theirs)
    assert theirs["inner"]["answer"] is False
    assert not asking.is_users_code({}, None)


def test_a_built_in_module_is_nobodys():
    assert not asking.is_users_code({"__spec__": types.SimpleNamespace(origin="built-in")}, sys._getframe())


def test_the_place_is_the_line_of_the_users_file():
    line = sys._getframe().f_lineno + 1
    assert asking.place() == f"test_asking.py:{line}"
