"""Weights in safetensors files: those of the library are read, ours are read by it, damage is told."""

from __future__ import annotations

import json

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import doltap as keras
from doltap import layers
from doltap.errors import DoltapError, ModelFileError
from doltap.files import safetensors_file
from doltap.files.record import Record

TYPES = ["bool", "bfloat16", "float16", "float32", "float64", "int8", "int16", "int32", "int64"]
TYPES += ["uint8", "uint16", "uint32", "uint64"]


def some_arrays():
    random = np.random.default_rng(0)
    arrays = {f"layers/{kind}/vars/0": (9 * random.random((2, 3))).astype(kind) for kind in TYPES}
    arrays["layers/dense/vars/10"] = np.float32(3)
    arrays["layers/dense/vars/2"] = np.zeros((0, 4), np.float32)
    arrays["돌탑/[red]"] = np.arange(3, dtype=">f4")
    arrays["turned"] = np.arange(6.0).reshape(2, 3).T
    return arrays


def assert_same(arrays, others):
    assert set(arrays) == set(others)
    for name, array in arrays.items():
        assert others[name].dtype == np.asarray(array).dtype.newbyteorder("="), name
        np.testing.assert_array_equal(others[name], array)


def file_of(header, content=b"", padding=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    text += padding
    return len(text).to_bytes(8, "little") + text + content


def test_what_was_written_is_read(tmp_path):
    record = Record("safetensors", metadata={"keras_version": "3.15.1"}, paths=some_arrays())
    record.names = {"layers/dense": "돌 [b]"}
    safetensors_file.write(tmp_path / "weights", record)
    again = safetensors_file.read(tmp_path / "weights")
    assert_same(record.paths, again.paths)
    assert (again.metadata, again.names, again.config) == (record.metadata, record.names, None)


def test_the_library_reads_what_we_write(tmp_path):
    from safetensors import safe_open

    arrays = {name: array for name, array in some_arrays().items() if "bfloat16" not in name}
    safetensors_file.write(tmp_path / "weights", Record("safetensors", metadata={"a": "b"}, paths=arrays))
    with safe_open(tmp_path / "weights", framework="numpy") as file:
        assert file.metadata()["a"] == "b"
        assert_same(arrays, {name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118


def test_the_library_reads_our_bfloat16(tmp_path):
    import safetensors

    array = np.asarray([1.5, -2.0], ml_dtypes.bfloat16)
    safetensors_file.write(tmp_path / "weights", Record("safetensors", paths={"x": array}))
    ((name, found),) = safetensors.deserialize((tmp_path / "weights").read_bytes())
    assert (name, found["dtype"], found["shape"], bytes(found["data"])) == ("x", "BF16", [2], array.tobytes())


def test_we_read_what_the_library_writes(tmp_path):
    from safetensors.numpy import save_file

    # The library writes numbers of another byte order as they lie, and columns as rows.
    arrays = {
        name: np.ascontiguousarray(array, np.asarray(array).dtype.newbyteorder("="))
        for name, array in some_arrays().items()
    }
    arrays["layers/dense/vars/10"] = arrays["layers/dense/vars/10"].reshape(())
    save_file(arrays, tmp_path / "weights", metadata={"format": "np"})
    again = safetensors_file.read(tmp_path / "weights")
    assert_same(arrays, again.paths)
    assert again.metadata == {"format": "np"}


def test_every_array_stands_at_a_multiple_of_its_size(tmp_path):
    safetensors_file.write(tmp_path / "weights", Record("safetensors", paths=some_arrays()))
    content = (tmp_path / "weights").read_bytes()
    size = int.from_bytes(content[:8], "little")
    assert size % 8 == 0
    header = json.loads(content[8 : 8 + size])
    arrays = some_arrays()
    for name, entry in header.items():
        if name != "__metadata__":
            assert entry["data_offsets"][0] % np.asarray(arrays[name]).itemsize == 0, name


@pytest.mark.parametrize("kind", ["complex64", "str", "object", "datetime64[s]"])
def test_an_array_that_the_format_lacks_is_refused(kind, tmp_path):
    record = Record("safetensors", paths={"x": np.zeros(2).astype(kind)})
    with pytest.raises(
        ModelFileError, match=r"(?s)weight 'x': expected one of the types bool.*Save the weights"
    ):
        safetensors_file.write(tmp_path / "weights", record)


ENTRY = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
EIGHT = bytes(8)

# What is in the file, and what the error says.
ATTACKS = {
    "nothing": (b"", "a header"),
    "a short length": (b"\x02\0", "a header"),
    "a header beyond the end": ((1000).to_bytes(8, "little") + b'{"a": 1}', "a header"),
    "an enormous header": ((1 << 62).to_bytes(8, "little") + b"{}", "a header"),
    "no JSON": (file_of(b"{oops}"), "JSON"),
    "half a text": (file_of(b'{"\xff": 1}'), "JSON"),
    "a list": (file_of(b"[]"), "a header"),
    "an entry that is a number": (file_of({"x": 1}), "dtype, shape and data_offsets"),
    "an entry that lacks its shape": (
        file_of({"x": {"dtype": "F32", "data_offsets": [0, 8]}}),
        "dtype, shape",
    ),
    "an entry with more in it": (file_of({"x": {**ENTRY, "url": "http://a"}}, EIGHT), "dtype, shape"),
    "another type": (
        file_of({"x": {**ENTRY, "dtype": "F8_E4M3"}}, EIGHT),
        "one of the types BOOL.*got F8_E4M3",
    ),
    "a type that is a list": (file_of({"x": {**ENTRY, "dtype": []}}, EIGHT), "one of the types"),
    "a shape below 0": (file_of({"x": {**ENTRY, "shape": [-2]}}, EIGHT), "a shape of"),
    "a shape of fractions": (file_of({"x": {**ENTRY, "shape": [2.0]}}, EIGHT), "a shape of"),
    "a shape of booleans": (file_of({"x": {**ENTRY, "shape": [True, 2]}}, EIGHT), "a shape of"),
    "a shape that is a text": (file_of({"x": {**ENTRY, "shape": "2"}}, EIGHT), "a shape of"),
    "too many axes": (file_of({"x": {**ENTRY, "shape": [1] * 40 + [2]}}, EIGHT), "at most 32"),
    "a shape that does not fit": (file_of({"x": {**ENTRY, "shape": [1 << 40]}}, EIGHT), "bytes for shape"),
    "an enormous shape": (file_of({"x": {**ENTRY, "shape": [10**18] * 30}}, EIGHT), "bytes for shape"),
    "offsets backwards": (file_of({"x": {**ENTRY, "data_offsets": [8, 0]}}, EIGHT), "8 bytes for shape"),
    "one offset": (file_of({"x": {**ENTRY, "data_offsets": [8]}}, EIGHT), "8 bytes for shape"),
    "data beyond the end": (file_of({"x": ENTRY}, bytes(4)), "8 bytes of arrays"),
    "data of nobody": (file_of({"x": ENTRY}, bytes(12)), "8 bytes of arrays"),
    "a gap": (file_of({"x": {**ENTRY, "data_offsets": [4, 12]}}, bytes(12)), "to begin at byte 0"),
    "an overlap": (
        file_of({"x": ENTRY, "y": {**ENTRY, "data_offsets": [4, 12]}}, bytes(12)),
        "to begin at byte 8",
    ),
    "the same twice": (file_of({"x": ENTRY, "y": ENTRY}, EIGHT), "to begin at byte 8"),
    "metadata that is no text": (file_of({"__metadata__": {"a": 1}}), "texts under texts"),
    "metadata that is a list": (file_of({"__metadata__": []}), "texts under texts"),
    "names that are no texts": (file_of({"__metadata__": {"doltap_layers": '{"a": []}'}}), "a name for each"),
    "a wrong checksum": (file_of({"__metadata__": {"doltap_checksum": "sha256:0"}}), "the checksum differs"),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_is_not_plain_is_refused_with_what_was_found(attack, tmp_path):
    content, said = ATTACKS[attack]
    (tmp_path / "weights.safetensors").write_bytes(content)
    with pytest.raises(ModelFileError, match=said) as caught:
        safetensors_file.read(tmp_path / "weights.safetensors")
    assert "weights.safetensors" in str(caught.value)
    assert len(str(caught.value)) < 1000


def test_a_name_twice_is_refused(tmp_path):
    one = json.dumps(ENTRY)
    (tmp_path / "weights").write_bytes(file_of(f'{{"x": {one}, "x": {one}}}'.encode(), EIGHT))
    with pytest.raises(ModelFileError, match=r"twice|duplicate"):
        safetensors_file.read(tmp_path / "weights")


def test_bytes_that_are_no_booleans_become_true(tmp_path):
    entry = {"dtype": "BOOL", "shape": [3], "data_offsets": [0, 3]}
    (tmp_path / "weights").write_bytes(file_of({"x": entry}, b"\x00\x01\x07"))
    found = safetensors_file.read(tmp_path / "weights").paths["x"]
    assert found.view(np.uint8).tolist() == [0, 1, 1]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    path = tmp_path_factory.mktemp("safetensors") / "weights"
    safetensors_file.write(path, Record("safetensors", metadata={"a": "b"}, paths=some_arrays()))
    return path


@settings(max_examples=300, deadline=None)
@given(at=st.floats(0, 1, exclude_max=True), change=st.integers(1, 255))
def test_one_changed_byte_is_told(written, at, change):
    content = bytearray(written.read_bytes())
    content[int(at * len(content))] ^= change
    damaged = written.with_name("damaged")
    damaged.write_bytes(content)
    try:
        again = safetensors_file.read(damaged)
    except DoltapError:
        return
    # A space in the header is as good as another; and a change that takes the checksum's name away
    # leaves a file of somebody else's.
    if (
        "doltap_checksum"
        in json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])["__metadata__"]
    ):
        assert_same(some_arrays(), again.paths)


@settings(max_examples=100, deadline=None)
@given(end=st.floats(0, 1, exclude_max=True))
def test_a_file_cut_short_is_told(written, end):
    content = written.read_bytes()
    damaged = written.with_name("short")
    damaged.write_bytes(content[: int(end * len(content))])
    with pytest.raises(ModelFileError):
        safetensors_file.read(damaged)


# With models


def tower(units=3):
    model = keras.Sequential(
        [keras.Input((4,)), layers.Dense(units, name="hidden"), layers.BatchNormalization()]
    )
    model.compile("adam", "mse")
    return model


def test_weights_of_a_model_go_through_a_file_to_the_bit(tmp_path):
    model, other = tower(), tower()
    model.fit(np.ones((4, 4)), np.zeros((4, 3)), verbose=0)
    model.save_weights(tmp_path / "model.safetensors")
    other.load_weights(tmp_path / "model.safetensors")
    for mine, theirs in zip(model.get_weights(), other.get_weights(), strict=True):
        assert mine.tobytes() == theirs.tobytes()


def test_the_arrays_of_a_model_stand_at_the_paths_of_keras(tmp_path):
    from safetensors.numpy import load_file

    model = tower()
    model.save_weights(tmp_path / "model.safetensors")
    found = load_file(tmp_path / "model.safetensors")
    assert_same(
        {"layers/dense/vars/0": model.get_weights()[0]}, {k: found[k] for k in ["layers/dense/vars/0"]}
    )
    assert {name for name in found if name.startswith("layers/")} == {
        *(f"layers/dense/vars/{number}" for number in range(2)),
        *(f"layers/batch_normalization/vars/{number}" for number in range(4)),
    }


def test_weights_for_another_model_change_nothing(tmp_path):
    tower(5).save_weights(tmp_path / "model.safetensors")
    model = tower()
    before = model.get_weights()
    with pytest.raises(DoltapError, match="hidden"):
        model.load_weights(tmp_path / "model.safetensors")
    assert all(map(np.array_equal, before, model.get_weights()))


def test_a_whole_model_does_not_fit_into_the_format(tmp_path):
    with pytest.raises(ModelFileError, match="save_weights"):
        tower().save(tmp_path / "model.safetensors")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("first", "second"), [(".safetensors", ".weights.h5"), (".weights.h5", ".safetensors")]
)
def test_a_suffix_that_lies_is_refused(first, second, tmp_path):
    model = tower()
    model.save_weights(tmp_path / f"model{first}")
    (tmp_path / f"model{first}").rename(tmp_path / f"model{second}")
    with pytest.raises(ModelFileError, match="as its name says"):
        model.load_weights(tmp_path / f"model{second}")
