"""JSON: what Keras writes is read, and texts made to do harm are refused at once."""

import json
import math
import sys
import time

import numpy as np
import pytest

from doltap.errors import ModelFileError
from doltap.files.plain_json import read_json, write_json

PLAIN = [
    {"a": [1, -2, 2.5, -1e-3, 1e300, True, False, None, 'é\n"\\ 크기 😀'], "b": {"c": {}}, "": []},
    "[[[[[",
    '\\"',
    0,
    2**63,
    -(2**127),
    [],
]


@pytest.mark.parametrize("value", PLAIN, ids=str)
@pytest.mark.parametrize("ascii", [True, False])
def test_what_python_writes_is_read(value, ascii):
    text = json.dumps(value, ensure_ascii=ascii, indent=1)
    for form in (text, text.encode(), memoryview(text.encode())):
        assert read_json(form, "x") == value


def test_infinity_and_nan_are_read_since_keras_writes_them():
    found = read_json("[Infinity, -Infinity, NaN]", "x")
    assert found[:2] == [math.inf, -math.inf]
    assert math.isnan(found[2])


ATTACKS = {
    "deep lists": ("[" * 101 + "]" * 101, "101 deep"),
    "very deep objects": ('{"a":' * 1_000_000, "1000000 objects"),
    "deep without an end": ("[" * 5_000_000, "5000000 deep"),
    "an integer of many digits": ("1" * 10_000_000, "more than 1000 digits"),
    "an integer above 128 bits": (f"[{10**39}]", "a number of 40 digits"),
    "a float above all": ("[1e999]", "no computer can hold"),
    "a float of many digits": ("0." + "1" * 5_000_000, "more than 1000 digits"),
    "a key twice": ('{"a": 1, "b": 2, "a": 3}', "the key 'a' twice"),
    "a key twice among many": (
        "{" + "".join(f'"{n}":0,' for n in range(200_000)) + '"7":1}',
        "the key '7' twice",
    ),
    "a key twice in another spelling": ('{"a": 1, "\\u0061": 3}', "the key 'a' twice"),
    "half a character": ('["\\ud800"]', "half of a character"),
    "half a character in a key": ('{"\\uDFFF": 1}', "half of a character"),
    "bytes that are no text": (b'["\xff"]', "utf-8"),
    "another encoding": ("{}".encode("utf-16"), "utf-8"),
    "a mark of another encoding": (b"\xef\xbb\xbf{}", "BOM"),
    "something behind it": ("{} {}", "Extra data"),
    "an end too early": ('{"a": [1, 2', "Expecting"),
    "a text without an end": ('["' + "\\" * 5_000_001, "Unterminated"),
    "quotes": ('"' * 5_000_001, "Extra data"),
    "many values": ("[" + "[]," * 5_000_000 + "0]", "at most 4194304 values"),
    "more closing than opening": ("]" * 5_000_000, "Expecting"),
    "a long text": (b"[" + b" " * (1 << 26) + b"]", "at most 67108864 bytes"),
    "control characters": ('["\x01"]', "control character"),
    "Python": ("{'a': 1}", "Expecting"),
    "comments": ("{} // x", "Extra data"),
    "nothing": ("", "Expecting value"),
    "terminal commands": ('{"\x1b[31m": 1}', "control character"),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_texts_made_to_do_harm_are_refused_at_once(name):
    text, words = ATTACKS[name]
    started = time.perf_counter()
    with pytest.raises(ModelFileError) as caught:
        read_json(text, "config.json in a.keras")
    assert time.perf_counter() - started < 5
    assert str(caught.value).startswith("config.json in a.keras: ")
    assert words in str(caught.value)
    assert len(str(caught.value)) < 500


def test_a_user_who_lets_python_recurse_and_read_long_numbers_is_safe_too():
    limit, digits = sys.getrecursionlimit(), sys.get_int_max_str_digits()
    sys.setrecursionlimit(1_000_000)
    sys.set_int_max_str_digits(0)
    try:
        for text in ("[" * 200_000, "1" * 5_000_000):
            with pytest.raises(ModelFileError):
                read_json(text, "x")
    finally:
        sys.setrecursionlimit(limit)
        sys.set_int_max_str_digits(digits)


def test_reading_takes_time_in_proportion():
    text = json.dumps({"vocabulary": [f"word{number}" for number in range(500_000)]})
    started = time.perf_counter()
    read_json(text, "x")
    assert time.perf_counter() - started < 5


@pytest.mark.parametrize("value", PLAIN, ids=str)
def test_what_is_written_is_read_again(value):
    assert read_json(write_json(value), "x") == value
    assert write_json(value) == write_json(value)


def test_tuples_and_numbers_of_numpy_become_plain():
    value = {"a": (1, None), "b": np.float32(0.5), "c": np.int64(3), "d": np.bool_(True), "e": np.arange(3)}
    assert read_json(write_json(value), "x") == {"a": [1, None], "b": 0.5, "c": 3, "d": True, "e": [0, 1, 2]}


def test_keys_become_texts_as_in_keras():
    assert write_json({1: 2, None: 3, False: 4, 0.5: 1}) == json.dumps({1: 2, None: 3, False: 4, 0.5: 1})


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"a": [0, object()]}, r"at a\.1.*object"),
        ({"a": {1, 2}}, "set"),
        ({"a": b"x"}, "bytes"),
        ({"a": max}, "builtin_function"),
        ({(1, 2): 3}, "the key"),
        ({1: 2, "1": 3}, "one and the same"),
        ({"a": "\ud800"}, "half of a character"),
        ({"a": 10**39}, "more than 128 bits"),
    ],
)
def test_what_json_cannot_keep_is_not_written(value, words):
    with pytest.raises(ModelFileError, match=words):
        write_json(value)
