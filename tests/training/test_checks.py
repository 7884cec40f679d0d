"""The checks themselves: what they let through, and what they say of the rest."""

from __future__ import annotations

import numpy as np
import pytest

from doltap.errors import DataError, LabelError, NotSupportedError, ShapeError
from doltap.training import batches, checks


def test_integers_up_to_both_ends_of_int32_pass():
    for dtype in (np.int64, np.uint64, np.uint32, np.int32, object):
        checks.check_integers(np.array([0, 2**31 - 1], dtype), "x", None)
    checks.check_integers(np.array([-(2**31)]), "x", None)
    checks.check_integers(np.zeros((0, 3), np.int64), "x", None)


@pytest.mark.parametrize("value", [2**31, -(2**31) - 1, 2**63 - 1, 2**70])
def test_the_first_integer_beyond_int32_is_named(value):
    array = np.array([[1, 2], [3, value], [value, 4]], object if abs(value) >= 2**63 else np.int64)
    with pytest.raises(DataError, match=rf"got {value} in row 1, column 'b'"):
        checks.check_integers(array, "x", ["a", "b"])


def test_a_position_in_rows_of_several_dimensions_is_a_tuple():
    array = np.zeros((2, 3, 4), np.float32)
    array[1, 2, 3] = np.nan
    assert "NaN in row 1, position (2, 3) (1 of 2 rows" in str(checks.value_error(array, "x", None))


def test_rows_with_several_bad_values_count_once():
    array = np.array([[np.nan, np.inf], [1.0, 2.0], [1e300, 0.0]])
    assert "NaN in row 0, column 0 (2 of 3 rows" in str(checks.value_error(array, "x", None))


def test_all_columns_that_are_concerned_are_named():
    array = np.array([[1, np.nan, 2], [np.inf, 1, 2]])
    text = str(checks.value_error(array, "x", ["age", "fare", "deck"]))
    assert "column 'fare' (2 of 2 rows are affected, in columns 'age', 'fare')" in text
    many = str(checks.value_error(np.full((3, 10), np.nan), "x", None))
    assert "in columns 0, 1, 2, 3, 4, 5, 6, 7 and 2 more)" in many


def test_the_cure_fits_the_kind_of_value():
    assert "dropna" in checks.value_error(np.array([np.nan]), "x", None).parts["fix"]
    assert "division by 0" in checks.value_error(np.array([np.inf]), "x", None).parts["fix"]
    assert "Scale" in checks.value_error(np.array([1e300]), "x", None).parts["fix"]


def test_long_text_and_long_column_names_are_cut():
    error = checks.text_error(np.array([["a" * 10_000]], object), "x", ["b" * 10_000])
    assert len(str(error)) < 400


def test_a_lone_value_gets_the_error_that_fits_it():
    assert isinstance(checks.single_value_error(None, "x"), DataError)
    assert isinstance(checks.single_value_error(3, "x"), ShapeError)
    assert isinstance(checks.single_value_error("file.csv", "x"), ShapeError)
    assert isinstance(checks.single_value_error(object(), "x"), NotSupportedError)


def test_equal_lengths_pass_and_none_or_different_ones_do_not():
    checks.check_rows({"x": 3, "y": 3, "sample_weight": 3})
    with pytest.raises(DataError, match="at least one row"):
        checks.check_rows({"x": 0, "y": 0})
    with pytest.raises(ShapeError, match=r"x and sample_weight: .* 3, got 2"):
        checks.check_rows({"x": 3, "y": 3, "sample_weight": 2})


@pytest.mark.parametrize(
    ("got", "wanted", "fits"),
    [
        ((5, 4), (None, 4), True),
        ((5, 3), (None, 4), False),
        ((5, 4, 4), (None, 4), False),
        ((5,), (None, 4), False),
        ((5, 7, 4), (None, None, 4), True),
        ((5, 7, 3), (None, None, 4), False),
        ((5,), (None,), True),
    ],
)
def test_rows_fit_the_shape_the_model_was_built_for(got, wanted, fits):
    if fits:
        checks.check_shape("x", got, wanted, "dense")
        return
    with pytest.raises(ShapeError, match="layer 'dense', given x: expected"):
        checks.check_shape("x", got, wanted, "dense")


@pytest.mark.parametrize(
    ("y", "kind", "output"),
    [
        ([0, 2], "class numbers", (None, 3)),
        ([[0], [2]], "class numbers", (None, 3)),
        ([0.0, 2.0], "class numbers", (None, 3)),
        ([True, False], "class numbers", (None, 2)),
        ([[0, 2], [1, 1]], "class numbers", (None, 2, 3)),
        ([[[0], [2]], [[1], [1]]], "class numbers", (None, 2, 3)),
        ([[0, 1, 2, 0]], "class numbers", (None, None, 3)),
        ([5, 7], "class numbers", (None, None)),
        ([[0.2, 0.8]], "one-hot", (None, 2)),
        ([0, 1], "probabilities", (None, 1)),
        ([[0], [1]], "probabilities", (None, 1)),
        ([True, False], "probabilities", (None, 1)),
        ([1.5, -3.0], "numbers", (None, 1)),
        ([[1.5, -3.0]], "numbers", (None, 2)),
        ([["anything"]], "unknown", (None, 7)),
    ],
)
def test_labels_that_fit_pass(y, kind, output):
    checks.check_labels(np.array(y), kind, output)


@pytest.mark.parametrize(
    ("y", "kind", "output", "error"),
    [
        ([0, 3], "class numbers", (None, 3), LabelError),
        ([0, -1], "class numbers", (None, 3), LabelError),
        ([[0, 3], [1, 1]], "class numbers", (None, 2, 3), LabelError),
        ([[0, 1]], "class numbers", (None, 3, 3), ShapeError),
        ([0, 1], "class numbers", (None, 1), LabelError),
        ([[0, 1, 0]], "class numbers", (None, 3), LabelError),
        ([0, 1], "one-hot", (None, 2), LabelError),
        ([[0.0, 1.1]], "one-hot", (None, 2), LabelError),
        ([[0, 1, 0]], "probabilities", (None, 1), ShapeError),
        ([0, 1], "numbers", (None, 2), ShapeError),
        ([[0, 1]], "numbers", (None, 1), ShapeError),
    ],
)
def test_labels_that_do_not_fit_are_refused(y, kind, output, error):
    with pytest.raises(error) as caught:
        checks.check_labels(np.array(y), kind, output, "validation y")
    assert type(caught.value) is error
    assert str(caught.value).startswith("validation y: expected ")


def test_every_narrow_type_of_integer_is_compared_without_overflow():
    for dtype in (np.uint8, np.int8, np.uint16, np.int16, np.int32, np.float16):
        y = np.array([0, 100], dtype)
        checks.check_labels(y, "class numbers", (None, 1000))
        with pytest.raises(LabelError, match="got 100"):
            checks.check_labels(y, "class numbers", (None, 100))


@pytest.mark.parametrize(
    ("shape", "output", "fits"),
    [
        ((5,), (None, 3), True),
        ((5, 1), (None, 3), True),
        ((5, 3), (None, 3), False),
        ((5, 7), (None, 7, 3), True),
        ((5, 7, 1), (None, 7, 3), True),
        ((5, 7, 3), (None, 7, 3), False),
        ((5, 6), (None, 7, 3), False),
        ((5, 6), (None, None, 3), True),
        ((5,), (None, 7, 3), True),
    ],
)
def test_weights_stand_for_the_values_that_a_loss_gives(shape, output, fits):
    if fits:
        checks.check_weights(np.ones(shape), output, "sample_weight")
        return
    with pytest.raises(ShapeError, match="sample_weight: expected one weight"):
        checks.check_weights(np.ones(shape), output, "sample_weight")


@pytest.mark.parametrize("missing", [None, "NA"])
def test_a_gap_among_objects_is_to_be_filled_and_no_text(missing):
    if missing == "NA":
        missing = pytest.importorskip("pandas").NA
    with pytest.raises(DataError, match="Fill the gaps first"):
        batches.prepare(np.array([[1.0], [missing]], object))
