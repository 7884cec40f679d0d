"""What old programs ask of pandas in vain is told with what to write today."""

import io
import traceback

import pytest

from doltap.compat import pandas_hints, tracebacks

pd = pytest.importorskip("pandas", minversion="3")
TABLE = pd.DataFrame({"a": [1, 2], "text": ["x", "y"]})
LINES = "a b\n1 2\n"

LOST = {
    "append": (lambda: TABLE.append(TABLE), "pd.concat"),
    "append to a column": (lambda: TABLE["a"].append(TABLE["a"]), "pd.concat"),
    "iteritems": (lambda: TABLE.iteritems(), "table.items()"),
    "ix": (lambda: TABLE.ix[0], "table.loc"),
    "as_matrix": (lambda: TABLE.as_matrix(), "to_numpy"),
    "the module's NumPy": (lambda: pd.np.zeros(3), "import numpy as np"),
    "an axis by place": (lambda: TABLE.drop("a", 1), "axis=1"),
    "squeeze": (lambda: pd.read_csv(io.StringIO(LINES), squeeze=True), "squeeze('columns')"),
    "delim_whitespace": (lambda: pd.read_csv(io.StringIO(LINES), delim_whitespace=True), "sep="),
    "fillna by a method": (lambda: TABLE.fillna(method="ffill"), "ffill()"),
    "a mean of texts": (lambda: TABLE.mean(), "numeric_only=True"),
    "text among numbers": (lambda: TABLE["a"].copy().__setitem__(0, "?"), "astype(object)"),
}


@pytest.mark.parametrize("what", LOST)
def test_what_pandas_has_dropped_is_told_once_below_its_error(what):
    ask, today = LOST[what]
    with pytest.raises((AttributeError, TypeError, ValueError)) as caught:
        ask()
    for _ in range(2):
        tracebacks.shortened(caught.value, None)
    (told,) = caught.value.__notes__
    assert today in told
    assert "".join(traceback.format_exception_only(caught.value)).endswith(f"{told}\n")


@pytest.mark.parametrize("ask", [lambda: TABLE.apend, lambda: [].ix, lambda: {}["append"], lambda: int("x")])
def test_other_errors_are_left_as_they_are(ask):
    with pytest.raises((AttributeError, KeyError, ValueError)) as caught:
        ask()
    assert pandas_hints.hint(caught.value) is None
