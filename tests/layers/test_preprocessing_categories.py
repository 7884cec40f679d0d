"""Lookups and hashes: what TensorFlow gave, bit by bit, and what this library adds."""

from __future__ import annotations

import json
import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

from doltap import layers
from doltap.core import configs
from doltap.core.graph import Graph
from doltap.errors import DataError, DoltapError, NotSupportedError, ShapeError, UnknownNameError
from doltap.layers import Dense, HashedCrossing, Hashing, Input, IntegerLookup, StringLookup
from doltap.layers.preprocessing.fingerprints import bins_of_integers, bins_of_texts, crossed
from doltap.layers.preprocessing.words import Word
from reference.make_tensorflow_preprocessing import NUMBERS, ROWS, VOCABULARY, texts

REFERENCE = json.loads(
    (pathlib.Path(__file__).parent.parent / "reference" / "tensorflow_preprocessing.json").read_text()
)
CASES = REFERENCE["cases"]


def title(case):
    return f"{case['layer']}-{case['options']}-{case['data']}"[:90]


each_case = pytest.mark.parametrize("case", CASES, ids=title)


def made_from(case):
    layer = getattr(layers, case["layer"])(**case["options"])
    if case["learned"] is not None:
        layer.adapt(case["learned"])
    return layer


@each_case
def test_a_layer_gives_what_tensorflow_gave(case):
    layer = made_from(case)
    output = layer(case["data"])
    np.testing.assert_allclose(output, case["output"], rtol=1e-6)
    assert output.dtype == layer.output_dtype("string") or case["options"].get("vocabulary") == [10**12, 5]
    if case["learned"] is not None:
        assert layer.get_vocabulary() == case["vocabulary"]
        assert layer.vocabulary_size() == len(case["vocabulary"])


@each_case
def test_a_layer_is_made_again_from_its_config(case):
    layer = made_from(case)
    # Through text, as in a file.
    again = configs.deserialize(json.loads(json.dumps(configs.serialize(layer))))
    assert again.get_config() == layer.get_config()
    np.testing.assert_allclose(again(case["data"]), case["output"], rtol=1e-6)


def holds_numbers(data):
    return (
        all(np.asarray(part).dtype.kind in "biuf" for part in data) and np.abs(np.asarray(data)).max() < 2**31
    )


# One input of each form for each way to make a layer: compiling takes time.
COMPILED = {
    (case["layer"], str(case["options"]), np.ndim(case["data"])): case
    for case in CASES
    if holds_numbers(case["data"])
}


@pytest.mark.parametrize("case", COMPILED.values(), ids=title)
def test_whole_numbers_are_looked_up_inside_a_compiled_program(case):
    layer = made_from(case)
    data = np.array(case["data"])
    data = data.astype(
        np.float32 if data.dtype.kind == "f" else data.dtype if data.dtype == bool else np.int32
    )
    x = list(data) if case["layer"] == "HashedCrossing" else data
    if data.ndim == 1 or case["layer"] == "HashedCrossing":
        np.testing.assert_allclose(jax.jit(layer)(x), case["output"], rtol=1e-6)
    else:
        np.testing.assert_allclose(jax.jit(jax.vmap(layer))(x[None])[0], case["output"], rtol=1e-6)


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if np.ndim(case["data"]) > 1 and case["layer"] != "HashedCrossing"],
    ids=title,
)
def test_a_symbolic_call_promises_what_comes(case):
    layer, data = made_from(case), np.array(case["data"])
    data = data.astype(object) if data.dtype.kind == "U" else data
    dtype = "string" if data.dtype == object else "int32" if data.dtype.kind in "iu" else "float32"
    start = Input(data.shape[1:], dtype=dtype)
    promise = layer(start)
    kept = Graph(start, promise).run([data])
    assert promise.shape == (None, *kept.shape[1:])
    assert promise.dtype == kept.dtype
    np.testing.assert_allclose(kept, case["output"], rtol=1e-6)


def test_fingerprints_and_salted_hashes_are_tensorflows_for_every_length():
    assert bins_of_texts(texts(), 2**63 - 1).tolist() == REFERENCE["fingerprints"]
    assert bins_of_texts(texts(), 2**63 - 1, [133, 137]).tolist() == REFERENCE["salted"]


def test_programs_hash_numbers_as_the_host_does():
    num_bins = 1000003
    ends = np.array([10**power for power in range(10)])
    x = np.concatenate(
        [ends, -ends, ends - 1, [-(2**31), 2**31 - 1], np.random.default_rng(0).integers(-999, 999, 50)]
    )
    x = x.astype(np.int32)
    for salt in (None, [133, 137]):
        inside = jax.jit(lambda x, salt=salt: bins_of_integers(x, num_bins, salt))(x)
        np.testing.assert_array_equal(inside, bins_of_integers(x, num_bins, salt))
        written = [str(number).encode() for number in x.tolist()]
        np.testing.assert_array_equal(inside, bins_of_texts(written, num_bins, salt))
    inside = jax.jit(lambda x, y: crossed([x, y], num_bins))(x, x[::-1])
    np.testing.assert_array_equal(inside, crossed([x.astype(np.int64), x[::-1].astype(np.int64)], num_bins))
    unsigned = jax.jit(lambda x: bins_of_integers(x, num_bins))(x.view(np.uint32))
    np.testing.assert_array_equal(unsigned, bins_of_integers(x.view(np.uint32), num_bins))


def test_words_compute_with_64_bits():
    draw = np.random.default_rng(0)
    a, b = draw.integers(0, 2**64, (2, 200), dtype=np.uint64)

    def words(numbers):
        return Word((numbers >> np.uint64(32)).astype(np.uint32), numbers.astype(np.uint32))

    def whole(word):
        return np.asarray(word.high, np.uint64) << np.uint64(32) | np.asarray(word.low, np.uint64)

    one, other = words(a), words(b)
    for ours, theirs in (
        (one + other, a + b),
        (one * other, a * b),
        (one * 0x9AE16A3B2F90404F, a * np.uint64(0x9AE16A3B2F90404F)),
        (one ^ other, a ^ b),
        (one & other, a & b),
        (one | other, a | b),
        *((one >> n, a >> np.uint64(n)) for n in (0, 1, 31, 32, 33, 63)),
        *((one << n, a << np.uint64(n)) for n in (0, 1, 31, 32, 33, 63)),
    ):
        np.testing.assert_array_equal(whole(ours), theirs)
    for divisor in (1, 2, 3, 1000, 65535, 65536, 10**6, 2**31 - 1):
        np.testing.assert_array_equal(one.remainder(divisor), a % np.uint64(divisor))


@pytest.mark.parametrize(
    "told",
    [
        lambda rows: np.array(rows),
        lambda rows: np.array(rows, object),
        lambda rows: np.array(rows, "S"),
        lambda rows: np.array(rows, np.dtypes.StringDType()),
        lambda rows: [[text.encode() for text in row] for row in rows],
        lambda rows: pd.DataFrame(rows),
        lambda rows: pd.DataFrame(rows).astype("category"),
        lambda rows: rows,
    ],
)
def test_strings_may_come_in_any_form(told):
    layer = StringLookup()
    layer.adapt(told(ROWS))
    assert layer.get_vocabulary() == ["[UNK]", "d", "z", "c", "b", "a"]
    np.testing.assert_array_equal(layer(told(ROWS)), [[5, 3, 1], [1, 2, 4]])
    np.testing.assert_array_equal(Hashing(50)(told(ROWS)), Hashing(50)(ROWS))


def test_a_pandas_column_is_looked_up_and_learned():
    column = pd.Series(["b", "a", "b"])
    layer = StringLookup()
    layer.adapt(column)
    assert layer(column).tolist() == [1, 2, 1]
    numbers = IntegerLookup()
    numbers.adapt(pd.Series([7, 7, 9]))
    assert numbers(pd.Series([9, 7, 8])).tolist() == [2, 1, 0]


def test_batches_are_learned_together_and_learning_starts_anew():
    layer = StringLookup()
    layer.adapt(((np.array(row), 0) for row in ROWS), steps=1)
    assert layer.get_vocabulary() == ["[UNK]", "d", "c", "a"]
    layer.adapt(np.array(row) for row in ROWS)
    assert layer.get_vocabulary() == ["[UNK]", "d", "z", "c", "b", "a"]
    again = StringLookup.from_config(layer.get_config())
    again.adapt(["q"])
    assert again.get_vocabulary() == ["[UNK]", "q"]


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_a_vocabulary_is_read_from_a_file(tmp_path, ending):
    path = tmp_path / "words.txt"
    path.write_bytes(("한글\r\nb\r\nc" + ending).encode())
    assert StringLookup(vocabulary=str(path))(["c", "한글", "x"]).tolist() == [3, 1, 0]
    (tmp_path / "numbers.txt").write_text("5\n-7\n")
    assert IntegerLookup(vocabulary=tmp_path / "numbers.txt")([-7, 5, 0]).tolist() == [2, 1, 0]
    with pytest.raises(DataError, match="no file"):
        StringLookup(vocabulary=str(tmp_path / "none.txt"))


def test_a_configuration_opens_no_files(tmp_path):
    config = {**StringLookup().get_config(), "vocabulary": str(tmp_path / "secret.txt")}
    with pytest.raises(NotSupportedError, match="not opened"):
        StringLookup.from_config(config)


def test_lookup_there_and_back():
    forth = StringLookup(vocabulary=VOCABULARY, mask_token="", num_oov_indices=2)
    back = StringLookup(vocabulary=forth.get_vocabulary(), mask_token="", num_oov_indices=2, invert=True)
    assert back(forth(["a", "", "q", "d"])).tolist() == ["a", "", "[UNK]", "d"]
    assert back([99, -1]).tolist() == ["[UNK]", "[UNK]"]
    assert back(Input((2,), dtype="int32")).dtype == "string"


def test_numbers_too_large_for_the_device_are_still_told_apart():
    layer = IntegerLookup(vocabulary=[10**12, 5])
    assert layer(np.array([10**12, 5, 10**12 % 2**32])).tolist() == [1, 2, 0]
    assert jax.jit(layer)(np.array([5, 10**12 % 2**31], np.int32)).tolist() == [2, 0]
    back = IntegerLookup(vocabulary=[10**12, 5], invert=True)([1, 2])
    assert back.tolist() == [10**12, 5]


def test_an_unknown_number_in_a_program_leaves_no_trace_where_it_would_be_an_error():
    layer = IntegerLookup(vocabulary=NUMBERS, num_oov_indices=0)
    with pytest.raises(DataError, match="num_oov_indices=1"):
        layer([12, 7])
    assert jax.jit(layer)(np.array([12, 7], np.int32)).tolist() == [0, -1]


def test_strings_stand_in_front_of_the_program():
    hashing, numbers, crossing = Hashing(5), Hashing(5), HashedCrossing(5)
    assert StringLookup().on_host
    assert not Dense(2).on_host
    assert not IntegerLookup().on_host
    assert not hashing.on_host
    hashing(Input((1,), dtype="string"))
    numbers(Input((1,), dtype="int32"))
    promise = crossing([Input((1,), dtype="string"), Input((1,), dtype="int32")])
    assert (hashing.on_host, numbers.on_host, crossing.on_host) == (True, False, True)
    assert (promise.shape, promise.dtype) == ((None, 1), "int32")


@pytest.mark.parametrize("mode", ["int", "one_hot"])
def test_a_cross_keeps_its_promise(mode):
    columns = [Input((1,), dtype="string"), Input((1,), dtype="int32")]
    layer = HashedCrossing(5, output_mode=mode)
    promise = layer(columns)
    kept = Graph(columns, promise).run([np.array([["A"], ["B"]], object), jnp.array([[101], [101]])])
    assert promise.shape == (None, *kept.shape[1:])
    assert promise.dtype == kept.dtype
    np.testing.assert_array_equal(kept, layer([[["A"], ["B"]], [[101], [101]]]))


def test_keras_configs_of_lookups_are_read():
    policy = {
        "module": "keras",
        "class_name": "DTypePolicy",
        "config": {"name": "float32"},
        "registered_name": None,
    }
    written = {
        "module": "keras.layers",
        "class_name": "StringLookup",
        "config": {
            **{"name": "words", "trainable": True, "dtype": policy, "invert": False, "max_tokens": None},
            **{"num_oov_indices": 1, "oov_token": "[UNK]", "mask_token": None, "output_mode": "one_hot"},
            **{"sparse": False, "pad_to_max_tokens": False, "idf_weights": None, "vocabulary": None},
            **{"vocabulary_size": 6, "oov_method": "floormod", "salt": None, "encoding": "utf-8"},
        },
        "registered_name": None,
    }
    layer = configs.deserialize(written)
    # The terms are in another file, but a network can be built.
    assert layer.compute_output_shape((None, 1)) == (None, 6)
    layer.set_vocabulary(["[UNK]", "e", "d", "c", "b", "a"])
    assert layer(["a"]).tolist() == [[0, 0, 0, 0, 0, 1]]


def calls_in_a_program(layer):
    return jax.jit(layer)(np.array([1], np.int32))


@pytest.mark.parametrize(
    ("made", "kind", "says"),
    [
        (lambda: StringLookup()(["a"]), DataError, "adapt"),
        (lambda: IntegerLookup(output_mode="one_hot")([1]), DataError, "adapt"),
        (lambda: StringLookup(vocabulary=["a", "b", "a"]), DataError, "more than once"),
        (lambda: StringLookup(vocabulary=[]), DataError, "empty"),
        (lambda: StringLookup(vocabulary=["a", ""], mask_token=""), DataError, "at index 1"),
        (lambda: StringLookup(vocabulary=["a", "[UNK]"], invert=True), DataError, "UNK"),
        (lambda: StringLookup(vocabulary=["a", 1]), DataError, "IntegerLookup"),
        (lambda: IntegerLookup(vocabulary=["a"]), DataError, "StringLookup"),
        (lambda: StringLookup(vocabulary=["a", "b"], max_tokens=2), DataError, "max_tokens"),
        (lambda: StringLookup(max_tokens=1), DataError, "above 1"),
        (lambda: StringLookup(pad_to_max_tokens=True), DataError, "pad_to_max_tokens"),
        (lambda: StringLookup(num_oov_indices=-1), DataError, "0 or more"),
        (lambda: StringLookup(invert=True, output_mode="count"), DataError, "invert"),
        (lambda: StringLookup(output_mode="multihot"), UnknownNameError, "Did you mean 'multi_hot'"),
        (lambda: StringLookup(sparse=True), NotSupportedError, "Embedding"),
        (lambda: StringLookup(vocabulry=["a"]), DoltapError, "Did you mean 'vocabulary='"),
        (lambda: StringLookup(salt="x"), DataError, "salt"),
        (lambda: IntegerLookup(salt=3), NotSupportedError, "farmhash"),
        (lambda: IntegerLookup(oov_method="farmhsh"), UnknownNameError, "Did you mean 'farmhash'"),
        (lambda: IntegerLookup(vocabulary_dtype="int32"), NotSupportedError, "int64"),
        (lambda: StringLookup(vocabulary=["a"], num_oov_indices=0)(["a", "x"]), DataError, "'x'"),
        (lambda: StringLookup(vocabulary=["a"], output_mode="tf_idf"), DataError, "idf_weights"),
        (lambda: StringLookup(vocabulary=["a"], idf_weights=[1.0]), DataError, "idf_weights"),
        (
            lambda: StringLookup(vocabulary=["a"], output_mode="tf_idf", idf_weights=[1.0, 2.0]),
            DataError,
            "each of the 1 terms",
        ),
        (lambda: StringLookup(vocabulary=["a"]).adapt(["a"]), DataError, "adapt"),
        (lambda: StringLookup(vocabulary=["a"])([1, 2]), DataError, "astype"),
        (lambda: StringLookup(vocabulary=["a"])(pd.Series(["a", None])), DataError, "fillna"),
        (lambda: StringLookup(vocabulary=["a"])([["a"], ["a", "a"]]), ShapeError, "different lengths"),
        (lambda: IntegerLookup(vocabulary=[1])(["a"]), DataError, "StringLookup"),
        (lambda: IntegerLookup(vocabulary=[1])([np.nan]), DataError, "NaN"),
        (lambda: calls_in_a_program(StringLookup(vocabulary=["a"])), NotSupportedError, "Input"),
        (lambda: Hashing(0), DataError, "num_bins"),
        (lambda: Hashing(2, salt=[1]), DataError, "salt"),
        (lambda: Hashing(2, dtype="float32"), NotSupportedError, "dtype"),
        (lambda: Hashing(2, output_mode="tf_idf"), UnknownNameError, "output_mode"),
        (lambda: Hashing(2)([np.inf]), DataError, "infinity"),
        (lambda: HashedCrossing(2)(np.array([1, 2])), ShapeError, "columns"),
        (lambda: HashedCrossing(2)([np.array([1, 2])]), ShapeError, "two or more"),
        (lambda: HashedCrossing(2)([np.ones((2, 2), int)] * 2), ShapeError, "columns"),
        (lambda: HashedCrossing(2)([np.array([1]), np.array([1, 2])]), ShapeError, "one shape"),
        (lambda: HashedCrossing(2)([np.array([1.5]), np.array([1])]), DataError, "Discretization"),
        (lambda: HashedCrossing(2, output_mode="count"), UnknownNameError, "output_mode"),
    ],
)
def test_wrong_use_is_refused_with_the_cure(made, kind, says):
    with pytest.raises(kind, match=says):
        made()


def test_a_network_keeps_the_number_of_its_inputs():
    layer = StringLookup(vocabulary=["a", "b"], output_mode="multi_hot")
    layer.set_vocabulary(["a", "b", "c"])
    layer(Input((1,), dtype="string"))
    layer.set_vocabulary(["x", "y", "z"])
    with pytest.raises(DataError, match="pad_to_max_tokens"):
        layer.set_vocabulary(["a"])
