"""From what users hand in to arrays, orders and batches."""

from __future__ import annotations

import warnings

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doltap.errors import DataError, NotSupportedError
from doltap.training import batches
from doltap.training.batches import Rows, Schedule

quick = settings(max_examples=60, deadline=None)
sizes = st.integers(1, 300)
seeds = st.integers(0, 2**63 - 1)
epochs = st.integers(0, 5000)


# Orders.


@quick
@given(rows=sizes, batch=sizes, seed=seeds, first=epochs, count=st.integers(1, 5), shuffle=st.booleans())
def test_every_row_comes_exactly_once_an_epoch_and_the_filling_is_a_real_row(
    rows, batch, seed, first, count, shuffle
):
    schedule = Schedule(rows, batch)
    count = min(count, schedule.num_epochs)
    table = schedule.orders(seed, first, count, shuffle=shuffle)
    padded = schedule.num_batches * schedule.batch_size
    assert table.shape == (schedule.num_epochs, padded)
    assert table.dtype == np.int32
    assert padded - rows < schedule.batch_size
    for line in table[:count]:
        np.testing.assert_array_equal(np.sort(line[:rows]), np.arange(rows))
        np.testing.assert_array_equal(line[rows:], line[0])
        if not shuffle:
            np.testing.assert_array_equal(line[:rows], np.arange(rows))


@quick
@given(rows=st.integers(2, 200), seed=seeds, first=epochs, count=st.integers(1, 80))
def test_an_order_depends_on_seed_and_epoch_alone_however_epochs_are_chunked(rows, seed, first, count):
    schedule = Schedule(rows, 32)
    count = min(count, schedule.num_epochs)
    table = schedule.orders(seed, first, count, shuffle=True)
    for line in {0, count // 2, count - 1}:
        alone = schedule.orders(seed, first + line, 1, shuffle=True)
        np.testing.assert_array_equal(table[line], alone[0])


@quick
@given(rows=st.integers(20, 200), batch=sizes, other=sizes, seed=seeds, first=epochs)
def test_the_order_does_not_depend_on_the_batch_size(rows, batch, other, seed, first):
    one, two = (Schedule(rows, size).orders(seed, first, 1, shuffle=True)[0] for size in (batch, other))
    np.testing.assert_array_equal(one[:rows], two[:rows])


@quick
@given(rows=st.integers(30, 5000), seed=seeds, first=epochs)
def test_epochs_and_seeds_differ_in_their_orders(rows, seed, first):
    schedule = Schedule(rows, 64)
    one = schedule.orders(seed, first, 1, shuffle=True)[0]
    assert (one != schedule.orders(seed, first + 1, 1, shuffle=True)[0]).any()
    assert (one != schedule.orders(seed ^ 1, first, 1, shuffle=True)[0]).any()


def test_all_orders_of_a_few_rows_are_about_equally_frequent():
    schedule = Schedule(3, 3)
    table = schedule.orders(7, 0, schedule.num_epochs, shuffle=True)
    _, counts = np.unique(table, axis=0, return_counts=True)
    expected = len(table) / 6
    # Chi-squared with 5 degrees of freedom: above 25.7 in one of 10,000 fair draws.
    assert len(counts) == 6
    assert ((counts - expected) ** 2 / expected).sum() < 25.7


@quick
@given(rows=sizes, batch=sizes)
def test_batches_cover_the_rows(rows, batch):
    schedule = Schedule(rows, batch)
    assert schedule.batch_size == min(rows, batch)
    full = schedule.num_batches - bool(schedule.tail)
    assert full * schedule.batch_size + schedule.tail == rows


def test_orders_never_take_more_than_some_megabytes():
    for rows in (1, 10, 1000, 60_000, 1_000_000):
        schedule = Schedule(rows, 32)
        assert schedule.num_epochs >= 1
        size = schedule.num_epochs * schedule.num_batches * schedule.batch_size * 4
        assert size <= max(64 << 20, rows * 4 + 128)


# Arrays.


@pytest.mark.parametrize(
    ("given_as", "kept_as"),
    [
        ("bool", "bool"),
        ("uint8", "uint8"),
        ("int8", "int8"),
        ("uint16", "uint16"),
        ("int16", "int16"),
        ("int32", "int32"),
        ("uint32", "int32"),
        ("int64", "int32"),
        ("uint64", "int32"),
        ("float16", "float16"),
        ("float32", "float32"),
        ("float64", "float32"),
        (">f8", "float32"),
        (">i4", "int32"),
        (jnp.bfloat16, "bfloat16"),
        ("longdouble", "float32"),
    ],
)
def test_an_array_has_a_type_of_the_device(given_as, kept_as):
    values = np.array([[0, 1], [1, 0], [1, 1]]).astype(given_as)
    array = batches.as_array(values, "x")
    assert str(array.dtype) == kept_as
    np.testing.assert_array_equal(array.astype("float64"), values.astype("float64"))


@pytest.mark.parametrize("dtype", ["float32", "float16", "uint8", "int32", "bool"])
def test_an_array_that_fits_is_not_copied(dtype):
    values = np.ones((100, 7), dtype)
    assert batches.as_array(values, "x") is values or np.shares_memory(batches.as_array(values, "x"), values)


def test_what_is_handed_in_is_never_written_to():
    for values in (np.ones((5, 2)), np.ones((5, 2), int), np.ones((5, 2), object), np.ones((5, 2), ">f4")):
        values.flags.writeable = False
        before = values.copy()
        batches.as_array(values, "x")
        np.testing.assert_array_equal(values, before)


def test_views_with_gaps_and_reversed_rows_keep_their_values():
    values = np.arange(120.0).reshape(10, 12)
    for view in (values[::2], values[::-1], values[:, ::3], values.T, np.asfortranarray(values)):
        np.testing.assert_array_equal(batches.as_array(view, "x"), view.astype(np.float32))


def test_large_reals_are_converted_block_by_block_into_aligned_memory():
    values = np.random.default_rng(0).normal(size=(70_000, 9))
    array = batches.as_array(values, "x")
    np.testing.assert_array_equal(array, values.astype(np.float32))
    assert array.ctypes.data % 64 == 0
    assert array.flags.c_contiguous


def test_the_last_block_is_checked_too():
    values = np.zeros((70_000, 9))
    values[-1, -1] = np.nan
    with pytest.raises(DataError, match="row 69999, column 8"):
        batches.as_array(values, "x")


@pytest.mark.parametrize(
    "data",
    [
        [[1, 2], [3, 4]],
        ((1.0, 2.0), (3.0, 4.0)),
        [(1, 2.5), (3, 4)],
        pd.DataFrame({"a": [1, 3], "b": [2.0, 4.0]}),
        pd.DataFrame({"a": [1, 3], "b": [True, False]}),
        pd.DataFrame({"a": [1, 3], "b": [2, 4]}).astype("Int64"),
        jnp.array([[1.0, 2.0], [3.0, 4.0]]),
        np.array([[1, 2], [3, 4]], object),
        np.array([[1, 2], [3, 4]]).view(np.matrix),
        np.ma.masked_array([[1, 2], [3, 4]]),
        [np.array([[1, 2], [3, 4]])],
    ],
    ids=lambda data: type(data).__name__,
)
def test_many_kinds_of_tables_become_plain_arrays(data):
    array = batches.as_array(data, "x")
    assert type(array) is np.ndarray
    assert array.shape == (2, 2)
    assert array.dtype in (np.float32, np.int32)


def test_tensors_of_torch_come_from_any_type_and_with_a_gradient():
    torch = pytest.importorskip("torch")
    values = torch.arange(6.0).reshape(3, 2)
    for tensor in (values, values.clone().requires_grad_(), values.bfloat16(), values.half(), values.long()):
        np.testing.assert_array_equal(batches.as_array(tensor, "x").astype(float), np.arange(6).reshape(3, 2))


def test_an_overflow_is_an_error_and_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(DataError, match=r"1e\+39, too large for float32"):
            batches.as_array(np.array([1.0, 1e39]), "x")


def test_the_smallest_and_the_largest_float32_pass():
    limits = np.finfo(np.float32)
    values = np.array([limits.max, limits.min, limits.smallest_subnormal, 0.0], np.float64)
    np.testing.assert_array_equal(batches.as_array(values, "x"), values.astype(np.float32))


def test_a_torch_loader_and_a_sparse_matrix_are_named():
    torch = pytest.importorskip("torch")
    sparse = pytest.importorskip("scipy.sparse")
    with pytest.raises(NotSupportedError, match="DataLoader"):
        batches.as_array(torch.utils.data.DataLoader([1, 2]), "x")
    with pytest.raises(NotSupportedError, match="toarray"):
        batches.as_array(sparse.csr_matrix(np.eye(3)), "x")


# Splitting and weighing.


@quick
@given(rows=st.integers(2, 500), share=st.floats(0.01, 0.99))
def test_a_split_takes_the_last_rows_as_keras_does(rows, share):
    at = int(np.floor(rows * (1.0 - share)))
    data = Rows(np.arange(rows), np.arange(rows) * 2, np.arange(rows) * 3.0)
    if at in (0, rows):
        with pytest.raises(DataError):
            batches.split(data, share)
        return
    first, last = batches.split(data, share)
    for part, expected in ((first, np.arange(at)), (last, np.arange(at, rows))):
        np.testing.assert_array_equal(part.x, expected)
        np.testing.assert_array_equal(part.y, expected * 2)
        np.testing.assert_array_equal(part.weights, expected * 3.0)


def test_the_split_is_where_keras_splits(keras):
    from keras.src.trainers.data_adapters import array_slicing

    for rows in (2, 3, 7, 10, 100, 101, 60_000):
        for share in (0.1, 0.2, 0.3, 0.5, 0.7, 0.9):
            data = np.arange(rows)
            if int(rows * (1 - share)) in (0, rows):
                continue
            (theirs,), (held_out,) = array_slicing.train_validation_split((data,), share)
            first, last = batches.split(Rows(data), share)
            np.testing.assert_array_equal(first.x, np.asarray(theirs))
            np.testing.assert_array_equal(last.x, np.asarray(held_out))


@pytest.mark.parametrize("labels", [[0, 1, 2, 1], [[0], [1], [2], [1]], np.eye(3)[[0, 1, 2, 1]]])
def test_each_row_weighs_what_its_class_weighs(labels):
    weights = batches.weights_of_classes(np.array(labels), {0: 2.0, 1: 0.5})
    np.testing.assert_array_equal(weights, np.float32([2.0, 0.5, 1.0, 0.5]))
    assert weights.dtype == np.float32


def test_keys_of_class_weights_may_be_any_whole_numbers():
    weights = batches.weights_of_classes(np.array([0, 1]), {np.int64(0): 2, 1.0: np.float32(3)})
    np.testing.assert_array_equal(weights, [2, 3])
