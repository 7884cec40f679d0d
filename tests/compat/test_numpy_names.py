"""NumPy's lost names are there for the user's own files, and for nobody else."""

import sys
import types

import numpy
import pytest

from doltap import old_names
from doltap.compat import numpy_names
from doltap.old_modules import NUMPY

np = numpy_names.renewed(numpy)


@pytest.mark.parametrize("name", NUMPY)
def test_every_row_is_a_name_of_todays_numpy(name):
    today = NUMPY[name]
    found = getattr(np, name)
    names = {"np": numpy, "a": numpy.array([3.0]), "b": numpy.array([3.0]), "kind": numpy.float32}
    names |= {"types": (numpy.int32, numpy.float32), "ast": __import__("ast")}
    wanted = eval(today, names)
    if today.isidentifier() or (today.startswith("np.") and "(" not in today):
        # NumPy 2 has some of them back, with a meaning of its own.
        assert found is wanted or found is getattr(numpy, name)
    elif not callable(found):
        assert str(found) == str(wanted)


CALLS = {
    "alen": (([1, 2],), 2),
    "asfarray": (([1, 2],), [1.0, 2.0]),
    "asscalar": ((numpy.array([7]),), 7),
    "fastCopyAndTranspose": (([[1, 2]],), [[1], [2]]),
    "find_common_type": (([numpy.int32, numpy.float32], []), numpy.dtype("float64")),
    "in1d": (([[1, 2]], [2]), [False, True]),
    "issctype": ((numpy.float32,), True),
    "msort": (([[2, 1], [1, 3]],), [[1, 1], [2, 3]]),
    "obj2sctype": (("float32",), numpy.float32),
    "safe_eval": (("[1]",), [1]),
    "sctype2char": ((numpy.float32,), "f"),
    "product": (([2, 3],), 6),
    "cumproduct": (([2, 3],), [2, 6]),
    "sometrue": (([0, 1],), True),
    "alltrue": (([0, 1],), False),
    "rank": (([[1]],), 2),
    "row_stack": (([[1], [2]],), [[1], [2]]),
    "trapz": (([1.0, 3.0],), 2.0),
    "round_": ((1.26, 1), 1.3),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_lost_function_gives_what_it_gave(name):
    arguments, wanted = CALLS[name]
    found = getattr(np, name)(*arguments)
    assert found.tolist() == wanted if isinstance(found, numpy.ndarray) else found == wanted


def test_it_is_numpy_in_everything_else():
    assert isinstance(np, types.ModuleType)
    assert np.__name__ == "numpy"
    assert np.random is numpy.random
    assert np.linalg is numpy.linalg
    assert np.array is numpy.array
    assert np.__version__ == numpy.__version__
    assert set(dir(numpy)) <= set(dir(np))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        np.nothing  # noqa: B018


def test_the_module_of_all_others_stays_as_it_is():
    assert np.float_ is numpy.float64
    assert not hasattr(sys.modules["numpy"], "float_")


def test_the_seeds_line_runs():
    assert (numpy.array([0, 1]) == 0).astype(np.int).tolist() == [1, 0]


def test_a_star_import_gives_the_lost_names_but_hides_none_of_pythons():
    assert {"float_", "NaN", "product"} <= set(np.__all__)
    assert not {"int", "float", "object", "str"} & set(np.__all__)
    np.fill()
    assert vars(np)["float_"] is numpy.float64


def test_what_a_program_repairs_itself_holds_for_all():
    np.repaired_by_hand = 1
    try:
        assert numpy.repaired_by_hand == 1
    finally:
        del numpy.repaired_by_hand, np.repaired_by_hand


def test_a_lost_name_is_told_to_those_who_listen():
    heard = []
    old_names.hear(lambda *what: heard.append(what))
    try:
        vars(np).pop("Inf", None)
        assert numpy.isinf(np.Inf)
    finally:
        old_names.hear(None)
    assert heard == [("numpy", "np.Inf", "np.inf")]


def test_a_table_is_split_into_tables():
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"a": range(5)})
    assert [part["a"].tolist() for part in np.split(table, [2])] == [[0, 1], [2, 3, 4]]
    assert [len(part) for part in np.array_split(table, 2)] == [3, 2]
    assert [part.tolist() for part in np.split(numpy.arange(4), 2)] == [[0, 1], [2, 3]]
