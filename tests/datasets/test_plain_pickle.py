"""Pickles of data sets are read as pickle reads them, and nothing in them is run."""

from __future__ import annotations

import os
import pickle
import warnings
from collections import OrderedDict

import numpy as np
import pytest

from doltap.datasets import plain_pickle
from doltap.errors import DatasetError

PLAIN = [
    0,
    255,
    256,
    65535,
    65536,
    -1,
    -(2**31),
    2**31,
    2**40,
    -(2**70),
    1.5,
    True,
    False,
    None,
    "text",
    "말",
    "x" * 300,
    [],
    [1],
    [1, 2, 300, -5, 70000] * 500,
    [[1, 2], [3], []],
    {},
    {"a": 1},
    {"a": [1, 2], "b": {"c": (1,)}},
    (),
    (1,),
    (1, 2),
    (1, 2, 3),
    (1, 2, 3, 4),
]


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("value", PLAIN, ids=lambda value: repr(value)[:20])
def test_plain_values_come_back(value, protocol):
    found = plain_pickle.read(pickle.dumps(value, protocol), "values")
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("protocol", [2, 3, 4])
@pytest.mark.parametrize("dtype", ["u1", "i4", "<i8", ">i8", "f4", "f8", "?"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_come_back(protocol, dtype, order):
    array = np.asarray(np.arange(12).reshape(3, 4) % 5, dtype, order=order)
    found = plain_pickle.read(pickle.dumps({"a": array, "b": array}, protocol), "arrays")
    np.testing.assert_array_equal(found["a"], array)
    np.testing.assert_array_equal(found["b"], array)
    assert found["a"].dtype == array.dtype
    assert found["a"].flags.writeable


def objects(*lists):
    array = np.empty(len(lists), object)
    array[:] = lists
    return array


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_arrays_of_lists_come_back(protocol):
    array = objects([1, 2, 3], [], [70000, 5])
    found = plain_pickle.read(pickle.dumps(array, protocol), "lists")
    assert found.dtype == object
    assert found.tolist() == array.tolist()


# What Python 2 wrote, byte by byte: texts are bytes, and the first letters of their instructions are others.
OF_PYTHON_2 = (
    b"\x80\x02}q\x01(U\x06labelsq\x02]q\x03(K\x06K\x09M\x10\x27eU\x04dataq\x04"
    b"cnumpy.core.multiarray\n_reconstruct\nq\x05cnumpy\nndarray\nq\x06K\x00\x85q\x07U\x01bq\x08\x87q\x09R"
    b"q\x0a(K\x01K\x02K\x03\x86q\x0bcnumpy\ndtype\nq\x0cU\x02u1q\x0dK\x00K\x01\x87q\x0eRq\x0f"
    b"(K\x03U\x01|q\x10NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tq\x11b\x89T\x06\x00\x00\x00abcdefq\x12tq\x13b"
    b"U\x05againq\x14h\x0au."
)


def test_what_python_2_wrote_is_read():
    found = plain_pickle.read(OF_PYTHON_2, "old")
    with warnings.catch_warnings():
        # NumPy has words of its own for such old files.
        warnings.simplefilter("ignore")
        expected = pickle.loads(OF_PYTHON_2, encoding="bytes")
    assert found.keys() == expected.keys() == {b"labels", b"data", b"again"}
    assert found[b"labels"] == expected[b"labels"] == [6, 9, 10000]
    np.testing.assert_array_equal(found[b"data"], np.frombuffer(b"abcdef", np.uint8).reshape(2, 3))
    assert found[b"again"] is found[b"data"]


class Trap:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_code_in_a_pickle_is_refused_and_does_not_run(tmp_path, protocol):
    trap = tmp_path / "sprung"
    with pytest.raises(DatasetError, match=r"asks for|damaged"):
        plain_pickle.read(pickle.dumps([1, Trap(trap)], protocol), "trap")
    assert not trap.exists()


@pytest.mark.parametrize(
    "value",
    [
        OrderedDict(a=1),
        {1, 2},
        2 + 1j,
        np.array(["a"]),
        np.array([1j]),
        np.zeros(2, [("a", "i4")]),
        np.dtype("i4").newbyteorder,
        print,
        np.ndarray,
    ],
    ids=lambda value: type(value).__name__,
)
def test_anything_else_is_refused(value):
    try:
        content = pickle.dumps(value, 4)
    except Exception:
        pytest.skip("it cannot be pickled")
    if value is np.ndarray:
        # A name alone gives nothing that could be called.
        assert not callable(plain_pickle.read(content, "name"))
        return
    with pytest.raises(DatasetError, match="asks for"):
        plain_pickle.read(content, "other")


def test_a_damaged_pickle_is_an_error_that_names_the_file():
    whole = pickle.dumps({"a": [1, 300, 70000], "b": np.arange(5)}, 4)
    for end in range(len(whole)):
        with pytest.raises(DatasetError, match=r"numbers\.pkl"):
            plain_pickle.read(whole[:end], "numbers.pkl")


def test_a_changed_pickle_never_does_more_than_fail():
    whole = bytearray(pickle.dumps({"a": [1, 300], "b": np.arange(5), "c": objects([1], [2])}, 2))
    chance = np.random.default_rng(0)
    failed = 0
    for _ in range(2000):
        changed = bytearray(whole)
        changed[chance.integers(len(whole))] = chance.integers(256)
        try:
            plain_pickle.read(bytes(changed), "changed")
        except DatasetError:
            failed += 1
    assert failed > 500


@pytest.mark.parametrize(
    "content",
    [
        b"\x80\x02K\x01K\x02a.",
        b"\x80\x02K\x01(K\x02K\x03u.",
        b"\x80\x02K\x01K\x02R.",
        b"\x80\x02K\x01(tb.",
        b"\x80\x02cnumpy\ndtype\nU\x01V\x85R.",
        b"\x80\x02\x8a\xff" + bytes(255) + b".",
        b"\x80\x02h\x05.",
        b"\x80\x02T\xff\xff\xff\xff.",
        b"\x80\x02c_codecs\nencode\nX\x01\x00\x00\x00aX\x03\x00\x00\x00zip\x86R.",
    ],
)
def test_instructions_that_make_no_sense_are_refused(content):
    with pytest.raises(DatasetError, match=r"asks for|damaged"):
        plain_pickle.read(content, "senseless")
