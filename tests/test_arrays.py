"""The array functions against real Keras, and what they say of wrong data."""

from __future__ import annotations

import re

import numpy as np
import pytest

from doltap import arrays
from doltap.errors import DataError, LabelError, ShapeError, UnknownNameError


def assert_same(ours, theirs):
    theirs = np.asarray(theirs)
    assert isinstance(ours, np.ndarray)
    assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype)
    if ours.dtype == object:
        assert ours.tolist() == theirs.tolist()
    else:
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


LABELS = [
    [0, 2, 1],
    [[0], [2], [1]],
    [[0, 1], [2, 0]],
    [[[3]], [[1]]],
    3,
    np.array([1, 4], np.uint8),
    np.array([1.0, 0.0]),
    [True, False],
    ["1", "2"],
    (1,),
]


@pytest.mark.parametrize("num_classes", [None, 6])
@pytest.mark.parametrize("labels", LABELS, ids=lambda value: re.sub(r" at 0x[0-9a-f]+", "", str(value)))
def test_one_hot_rows_are_those_of_keras(keras, labels, num_classes):
    expected = keras.utils.to_categorical(labels, num_classes)
    assert_same(arrays.to_categorical(labels, num_classes), expected)


def test_no_labels_give_no_rows(keras):
    assert_same(arrays.to_categorical([], 3), keras.utils.to_categorical([], 3))
    with pytest.raises(LabelError, match="at least one label"):
        arrays.to_categorical([])


@pytest.mark.parametrize(
    ("labels", "num_classes", "complaint"),
    [
        ([0, -1, 2], None, r"labels from 0 to 2, got -1 in row 1 \(1 of 3 labels are wrong\)"),
        ([0, 1, 5, 7], 3, r"labels from 0 to 2, got 5 in row 2 \(2 of 4 labels are wrong\)"),
        ([[0, 1], [2, 3]], 3, "got 3 in row 1"),
        ([[0], [9]], 3, "got 9 in row 1"),
        (4, 3, "got 4 in row 0"),
        ([0.0, 1.5], None, "whole numbers, got 1.5 in row 1"),
        ([0.0, np.nan], None, "whole numbers, got nan in row 1"),
        (["cat", "dog"], None, "values such as 'cat'"),
        ([None, 1], None, "whole numbers"),
    ],
)
def test_a_wrong_label_is_named_with_its_row(labels, num_classes, complaint):
    with pytest.raises(LabelError, match=complaint):
        arrays.to_categorical(labels, num_classes)


TABLE = np.arange(-5.0, 7.0).reshape(3, 4)


@pytest.mark.parametrize("order", [1, 2, 3, np.inf])
@pytest.mark.parametrize(
    "x",
    [TABLE, TABLE.astype("float32"), TABLE.astype(int), TABLE[0], np.zeros((2, 2)), TABLE.reshape(3, 2, 2)],
)
def test_vectors_along_the_last_axis_are_normalized_as_by_keras(keras, x, order):
    assert_same(arrays.normalize(x, order=order), keras.utils.normalize(x, order=order))


def test_other_axes_are_normalized_too(keras):
    cube = TABLE.reshape(3, 2, 2)
    assert_same(arrays.normalize(cube, axis=1), keras.utils.normalize(cube, axis=1))
    assert_same(arrays.normalize(TABLE, axis=None), keras.utils.normalize(TABLE, axis=None))
    # Keras 3.15 takes axis 0 for the last one when it divides.
    np.testing.assert_allclose(np.linalg.norm(arrays.normalize(TABLE, axis=0), axis=0), 1)
    assert arrays.normalize([[3, 4]]).tolist() == [[0.6, 0.8]]


def test_normalize_leaves_its_argument_alone():
    before = TABLE.copy()
    arrays.normalize(TABLE)
    np.testing.assert_array_equal(TABLE, before)


def test_normalize_says_what_it_cannot_do():
    with pytest.raises(DataError, match="expected numbers"):
        arrays.normalize([["a"]])
    with pytest.raises(ShapeError, match="axis 2"):
        arrays.normalize(TABLE, axis=2)


SEQUENCES = [[1], [2, 3], [], [4, 5, 6]]


@pytest.mark.parametrize("maxlen", [None, 2, 5])
@pytest.mark.parametrize("padding", ["pre", "post"])
@pytest.mark.parametrize("truncating", ["pre", "post"])
@pytest.mark.parametrize(
    "options",
    [{}, {"value": -1}, {"dtype": "float32", "value": 0.5}],
    ids=lambda value: re.sub(r" at 0x[0-9a-f]+", "", str(value)),
)
def test_sequences_are_padded_as_by_keras(keras, maxlen, padding, truncating, options):
    arguments = {"maxlen": maxlen, "padding": padding, "truncating": truncating, **options}
    assert_same(
        arrays.pad_sequences(SEQUENCES, **arguments), keras.utils.pad_sequences(SEQUENCES, **arguments)
    )


@pytest.mark.parametrize(
    ("sequences", "arguments"),
    [
        ([[], []], {}),
        ([[1.7, 2], [3]], {}),
        ([[[1, 2]], [[3, 4], [5, 6]]], {"dtype": "float32"}),
        ([np.ones((2, 3)), np.zeros((4, 3))], {"maxlen": 3}),
        ([["a"], ["bb", "c"]], {"dtype": object, "value": "pad"}),
        ((np.array([1, 2]), (3,)), {}),
        (np.arange(6).reshape(2, 3), {"maxlen": 2}),
    ],
    ids=lambda value: re.sub(r" at 0x[0-9a-f]+", "", str(value)),
)
def test_odd_sequences_are_padded_as_by_keras(keras, sequences, arguments):
    assert_same(
        arrays.pad_sequences(sequences, **arguments), keras.utils.pad_sequences(sequences, **arguments)
    )


def test_length_zero_keeps_nothing():
    assert arrays.pad_sequences([[1, 2], [3]], maxlen=0).shape == (2, 0)


@pytest.mark.parametrize(
    ("sequences", "arguments", "error", "complaint"),
    [
        ([], {}, DataError, "at least one sequence"),
        (iter([[1]]), {}, DataError, "a list of lists"),
        ([[1], 2], {}, DataError, "got 2 as sample 1"),
        ([["a"]], {}, DataError, r"values of type int32, got \['a'\] as sample 0"),
        ([[1]], {"value": "x"}, DataError, "dtype=object"),
        (
            [[[1, 2]], [[1, 2, 3]]],
            {},
            ShapeError,
            r"shape \(2,\), as in the first sequence, got \(3,\) in sample 1",
        ),
        ([[1]], {"padding": "before"}, UnknownNameError, "got 'before'"),
        ([[1]], {"truncating": "pots"}, UnknownNameError, "Did you mean 'post'"),
    ],
    ids=lambda value: re.sub(r" at 0x[0-9a-f]+", "", str(value)),
)
def test_sequences_that_cannot_be_padded_are_named(sequences, arguments, error, complaint):
    with pytest.raises(error, match=complaint):
        arrays.pad_sequences(sequences, **arguments)


@pytest.mark.parametrize(
    ("sizes", "left", "right"),
    [
        ({"left_size": 0.8}, 8, 2),
        ({"right_size": 0.3}, 7, 3),
        ({"left_size": 6}, 6, 4),
        ({"left_size": 0.5, "right_size": 2}, 5, 2),
    ],
)
@pytest.mark.parametrize("kind", [list, tuple])
def test_rows_are_split_in_two(sizes, left, right, kind):
    x, y = np.arange(20).reshape(10, 2), np.arange(10)
    first, second = arrays.split_dataset(kind((x, y)), **sizes)
    assert type(first) is type(second) is kind
    np.testing.assert_array_equal(first[0], x[:left])
    np.testing.assert_array_equal(second[0], x[10 - right :])
    np.testing.assert_array_equal(first[1], y[:left])
    assert_same(arrays.split_dataset(y, **sizes)[1], y[10 - right :])


def test_rows_are_mixed_alike_and_repeatably():
    x, y = np.arange(20).reshape(10, 2), np.arange(10)
    first, second = arrays.split_dataset((x, y), 0.5, shuffle=True, seed=1)
    np.testing.assert_array_equal(first[0][:, 0], first[1] * 2)
    assert sorted([*first[1], *second[1]]) == list(range(10))
    assert first[1].tolist() != list(range(5))
    assert first[1].tolist() == arrays.split_dataset(y, 0.5, shuffle=True, seed=1)[0].tolist()
    np.random.seed(4)
    followed = arrays.split_dataset(y, 0.5, shuffle=True)[0].tolist()
    np.random.seed(4)
    assert followed == arrays.split_dataset(y, 0.5, shuffle=True)[0].tolist()


@pytest.mark.parametrize(
    ("sizes", "complaint"),
    [
        ({}, "two parts of 10 rows"),
        ({"left_size": 1.0}, "neither of them empty, got left_size=1.0"),
        ({"left_size": 0.8, "right_size": 0.4}, "right_size=0.4"),
        ({"left_size": 11}, "left_size=11"),
        ({"right_size": -1}, "right_size=-1"),
        ({"left_size": True}, "left_size=True"),
    ],
)
def test_parts_that_cannot_be_are_named(sizes, complaint):
    with pytest.raises(DataError, match=complaint):
        arrays.split_dataset(np.arange(10), **sizes)


@pytest.mark.parametrize("dataset", [(np.arange(3), np.arange(4)), [], np.float32(1)])
def test_arrays_without_rows_in_common_cannot_be_split(dataset):
    with pytest.raises(ShapeError, match="the same number of rows"):
        arrays.split_dataset(dataset, 0.5)


def test_batches_are_packed_and_unpacked_as_in_keras(keras):
    for given in ((1,), (1, 2), (1, 2, 3), ([1, 2],), ((1,),)):
        packed = arrays.pack_x_y_sample_weight(*given)
        assert packed == keras.utils.pack_x_y_sample_weight(*given)
        assert arrays.unpack_x_y_sample_weight(packed) == keras.utils.unpack_x_y_sample_weight(packed)
    for wrong in ((1, 2, 3, 4), ()):
        with pytest.raises(DataError, match="a batch"):
            arrays.unpack_x_y_sample_weight(wrong)


def test_arrays_are_cast_to_the_type_of_weights():
    assert arrays.cast_to_floatx([1, 2]).tolist() == [1.0, 2.0]
    assert arrays.cast_to_floatx(np.float64(0.5)).dtype == np.float32
