"""TensorFlow's records: the bytes are its own, and damaged ones are errors."""

from __future__ import annotations

import gzip
import struct

import numpy as np
import pytest

from doltap.compat.tensorflow import wire
from doltap.compat.tensorflow.errors import DataLossError, InvalidArgumentError
from doltap.errors import DoltapError


def record_of(tf):
    train = tf.train
    features = {
        "name": train.Feature(bytes_list=train.BytesList(value=[b"Alice\0"])),
        "id": train.Feature(int64_list=train.Int64List(value=[123, -7])),
        "w": train.Feature(float_list=train.FloatList(value=[1.5, -2])),
    }
    return train.Example(features=train.Features(feature=features))


def described(tf):
    return {
        "name": tf.io.FixedLenFeature([], tf.string),
        "id": tf.io.FixedLenFeature([2], tf.int64),
        "w": tf.io.VarLenFeature(tf.float32),
        "missing": tf.io.FixedLenFeature([2], tf.float32, default_value=[1.0, 2.0]),
    }


def test_a_record_is_what_it_was_made_of(tf):
    text = record_of(tf).SerializeToString()
    assert tf.train.Example.FromString(text) == record_of(tf)
    again = tf.train.Example()
    assert again.ParseFromString(text) == len(text)
    assert again.features.feature["id"].int64_list.value == [123, -7]
    found = tf.io.parse_single_example(text, described(tf))
    assert {
        name: value.numpy() if not value.ndim else value.numpy().tolist() for name, value in found.items()
    } == {
        "name": b"Alice\0",
        "id": [123, -7],
        "w": [1.5, -2.0],
        "missing": [1.0, 2.0],
    }


def test_a_feature_of_any_length_is_sparse(tf):
    name = tf.io.parse_single_example(
        record_of(tf).SerializeToString(), {"name": tf.io.VarLenFeature(tf.string)}
    )["name"]
    assert (
        name.values.numpy().tolist()
        == tf.sparse.to_dense(name, default_value="").numpy().tolist()
        == [b"Alice\0"]
    )
    parts = tf.io.serialize_sparse(name).numpy()
    again = [
        tf.io.parse_tensor(part, kind)
        for part, kind in zip(parts, (tf.int64, tf.string, tf.int64), strict=True)
    ]
    assert repr(tf.SparseTensor(*again)) == repr(name)
    assert tf.train.BytesList(value=parts).value == list(parts)


def test_a_sequence_is_what_it_was_made_of(tf):
    train = tf.train
    words = [[b"a", b"b"], [b"c"]]
    steps = [train.Feature(bytes_list=train.BytesList(value=each)) for each in words]
    sequence = train.SequenceExample(
        context=record_of(tf).features,
        feature_lists=train.FeatureLists(feature_list={"words": train.FeatureList(feature=steps)}),
    )
    text = sequence.SerializeToString()
    assert train.SequenceExample.FromString(text) == sequence
    context, lists = tf.io.parse_single_sequence_example(
        text,
        described(tf),
        {"words": tf.io.VarLenFeature(tf.string), "no": tf.io.FixedLenFeature([], tf.int64)},
    )
    assert context["id"].numpy().tolist() == [123, -7]
    assert tf.RaggedTensor.from_sparse(lists["words"]).to_list() == words
    assert lists["no"].shape == (0,)


def test_the_bytes_of_a_sequence_are_tensorflows(tf):
    step = tf.train.Feature(int64_list=tf.train.Int64List(value=[1]))
    lists = tf.train.FeatureLists(feature_list={"a": tf.train.FeatureList(feature=[step])})
    # A map of one entry.
    wanted = "120e" + "0a0c" + "0a0161" + "1207" + "0a05" + "1a03" + "0a0101"
    assert tf.train.SequenceExample(feature_lists=lists).SerializeToString().hex() == wanted


def test_the_bytes_are_tensorflows(tf):
    train = tf.train
    small = train.Example(
        features=train.Features(feature={"a": train.Feature(int64_list=train.Int64List(value=[1, -1]))})
    )
    wanted = "0a160a140a0161120f1a0d0a0b01ffffffffffffffffff01"
    assert small.SerializeToString().hex() == wanted
    assert wire.record(b"first")[:8] == struct.pack("<Q", 5)
    assert (
        tf.io.serialize_tensor(tf.constant([[1.0, 2.0], [3.0, 4.0]]))
        .numpy()
        .hex()
        .startswith("0801120812020802120208022210")
    )


@pytest.mark.parametrize("packing", ["", "GZIP", "ZLIB"])
def test_files_of_records_are_read_as_they_were_written(tf, tmp_path, packing):
    path = str(tmp_path / "a.tfrecord")
    texts = [b"first", b"", bytes(100_000), record_of(tf).SerializeToString()]
    with tf.io.TFRecordWriter(path, tf.io.TFRecordOptions(compression_type=packing)) as file:
        for text in texts:
            file.write(text)
    data = tf.data.TFRecordDataset([path, path], compression_type=packing)
    assert list(data.as_numpy_iterator()) == texts * 2


def test_a_data_set_of_records_is_parsed_and_trained_on(tf, tmp_path):
    import doltap as keras

    train, path = tf.train, str(tmp_path / "a.tfrecord")
    with tf.io.TFRecordWriter(path) as file:
        for number in range(20):
            x = train.Feature(float_list=train.FloatList(value=[number / 20, 1.0]))
            y = train.Feature(int64_list=train.Int64List(value=[number % 2]))
            file.write(train.Example(features=train.Features(feature={"x": x, "y": y})).SerializeToString())

    def parse(text):
        features = {"x": tf.io.FixedLenFeature([2], tf.float32), "y": tf.io.FixedLenFeature([], tf.int64)}
        record = tf.io.parse_single_example(text, features)
        return record["x"], record["y"]

    data = tf.data.TFRecordDataset(path).map(parse).batch(10)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    assert len(model.fit(data, epochs=2, verbose=0).history["loss"]) == 2
    several = list(tf.data.TFRecordDataset(path).take(3).as_numpy_iterator())
    found = tf.io.parse_example(several, {"y": tf.io.FixedLenFeature([], tf.int64)})
    assert found["y"].numpy().tolist() == [0, 1, 0]


@pytest.mark.parametrize("kind", ["float32", "float64", "int32", "int64", "uint8", "bool", "string"])
def test_a_tensor_is_the_same_after_a_way_as_text(tf, kind):
    values = np.array([["a", "b\0"]], object) if kind == "string" else np.array([[0, 1, 1]], kind)
    tensor = tf.constant(values.tolist() if kind == "string" else values)
    again = tf.io.parse_tensor(tf.io.serialize_tensor(tensor), out_type=getattr(tf, kind))
    assert again.dtype == tensor.dtype
    assert again.numpy().tolist() == tensor.numpy().tolist()


def test_a_feature_that_is_not_as_described_is_an_error(tf):
    text = record_of(tf).SerializeToString()
    for wanted, said in [
        (tf.io.FixedLenFeature([3], tf.int64), r"values for the shape \(3,\), got 2"),
        (tf.io.FixedLenFeature([2], tf.float32), "a float_list, got a int64_list"),
    ]:
        with pytest.raises(InvalidArgumentError, match=said):
            tf.io.parse_single_example(text, {"id": wanted})
    with pytest.raises(InvalidArgumentError, match="none, and no default"):
        tf.io.parse_single_example(text, {"nothing": tf.io.FixedLenFeature([], tf.int64)})
    with pytest.raises(InvalidArgumentError, match=r"expected int32, got float32"):
        tf.io.parse_tensor(tf.io.serialize_tensor(tf.constant([1.0])), tf.int32)
    other = tf.train.Example().SerializeToString()
    found = tf.io.parse_example([text, other], {"id": tf.io.VarLenFeature(tf.int64)})["id"]
    assert tf.sparse.to_dense(found, default_value=-1).numpy().tolist() == [[123, -7], [-1, -1]]


def test_every_cut_and_every_changed_byte_is_an_error_or_another_record(tf):
    text = record_of(tf).SerializeToString()
    changed = [text[:end] for end in range(len(text))]
    changed += [text[:place] + b"\xff" + text[place + 1 :] for place in range(len(text))]
    for bad in changed:
        try:
            assert bad == text or tf.train.Example.FromString(bad) != record_of(tf)
        except DoltapError:
            continue


@pytest.mark.parametrize("place", [0, 9, 14, 18])
def test_a_damaged_file_is_an_error(tf, tmp_path, place):
    content = bytearray(wire.record(b"first"))
    content[place] ^= 1
    path = tmp_path / "a.tfrecord"
    path.write_bytes(content)
    with pytest.raises(DataLossError):
        list(tf.data.TFRecordDataset(str(path)))


def test_a_record_that_claims_to_be_long_takes_no_room(tf, tmp_path):
    size = struct.pack("<Q", 1 << 60)
    head = size + struct.pack("<I", wire._check(size))
    path = tmp_path / "a.tfrecord.gz"
    path.write_bytes(gzip.compress(head + b"short"))
    with pytest.raises(DataLossError, match="cut off"):
        list(tf.data.TFRecordDataset(str(path), compression_type="GZIP"))


def test_tables_look_values_up(tf):
    lookup = tf.lookup
    keys = lookup.KeyValueTensorInitializer(["near bay", "inland"], tf.range(2, dtype=tf.int64))
    table = lookup.StaticVocabularyTable(keys, num_oov_buckets=2)
    found = table.lookup(tf.constant(["inland", "desert", "near bay"])).numpy().tolist()
    assert found[0::2] == [1, 0]
    assert found[1] in (2, 3)
    assert table.size().numpy() == 4
    numbers = lookup.StaticHashTable(lookup.KeyValueTensorInitializer([3, 1], ["c", "a"]), "?")
    assert numbers[tf.constant([[1, 2]])].numpy().tolist() == [[b"a", b"?"]]
    # As TensorFlow 2.21.
    assert tf.strings.to_hash_bucket_fast(["Hello", "TF"], 3).numpy().tolist() == [0, 1]
    with pytest.raises(InvalidArgumentError, match="a value for each"):
        lookup.KeyValueTensorInitializer([1, 2], [1])


def test_the_lines_of_a_file_are_a_table(tf, tmp_path):
    lookup = tf.lookup
    path = tmp_path / "words.txt"
    path.write_text("the\ncat\n")
    index = lookup.TextFileIndex
    lines = lookup.TextFileInitializer(str(path), tf.string, index.WHOLE_LINE, tf.int64, index.LINE_NUMBER)
    assert lookup.StaticHashTable(lines, -1).lookup(["cat", "dog"]).numpy().tolist() == [1, -1]


def test_numbers_of_every_kind_of_numpy_stand_in_lists(tf):
    whole = [np.bool_(True), True, *(kind(3) for kind in (np.int8, np.uint16, np.int64, np.uint64))]
    assert tf.train.Int64List(value=whole).value == [1, 1, 3, 3, 3, 3]
    fractions = [np.bool_(True), np.float16(3), np.float32(3), np.float64(3), np.int8(3)]
    assert tf.train.FloatList(value=fractions).value == [1.0, 3.0, 3.0, 3.0, 3.0]
    with pytest.raises(TypeError):
        tf.train.Int64List(value=[1.5])
