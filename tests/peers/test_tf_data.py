"""Data sets give what TensorFlow's give: elements, their description, and how many there are."""

from __future__ import annotations

import os
import pathlib
import tempfile

import numpy as np
import pytest

from doltap.compat import tensorflow as ours

X = np.arange(60, dtype=np.float32).reshape(20, 3)
Y = np.arange(20, dtype=np.int64) % 3
# Several processes may run these tests at once.
LINES, TABLE = (
    str(pathlib.Path(tempfile.gettempdir(), f"{os.getpid()}-{name}")) for name in ("lines.txt", "table.csv")
)
WORDS = ["a", "bb", "ccc", "dd", "e"]


def count_up(n=4):
    for number in range(n):
        yield number, [float(number)] * number


# What a program does with `tf`; each gives a data set.
PIPELINES = {
    "slices of one": lambda tf: tf.data.Dataset.from_tensor_slices(X),
    "slices of a list": lambda tf: tf.data.Dataset.from_tensor_slices([[1, 2], [3, 4]]),
    "slices of fractions": lambda tf: tf.data.Dataset.from_tensor_slices([1.5, 2.5]),
    "slices of two": lambda tf: tf.data.Dataset.from_tensor_slices((X, Y)),
    "slices of a dict": lambda tf: tf.data.Dataset.from_tensor_slices({"x": X, "y": (Y, Y + 1)}),
    "slices of words": lambda tf: tf.data.Dataset.from_tensor_slices(
        (WORDS, [True, False, True, True, False])
    ),
    "slices of tensors": lambda tf: tf.data.Dataset.from_tensor_slices(tf.constant([[1.0], [2.0]])),
    "one element": lambda tf: tf.data.Dataset.from_tensors(([1, 2], 3.0)),
    "range": lambda tf: tf.data.Dataset.range(10),
    "range down": lambda tf: tf.data.Dataset.range(9, 1, -3),
    "range of int32": lambda tf: tf.data.Dataset.range(3, output_type=tf.int32),
    "generator by types": lambda tf: tf.data.Dataset.from_generator(
        count_up, (tf.int64, tf.float32), ((), (None,))
    ),
    "generator by types alone": lambda tf: tf.data.Dataset.from_generator(lambda: iter([1, 2]), tf.int32),
    "generator by signature": lambda tf: tf.data.Dataset.from_generator(
        count_up, output_signature=(tf.TensorSpec((), tf.int32), tf.TensorSpec([None], tf.float64))
    ),
    "generator with arguments": lambda tf: tf.data.Dataset.from_generator(
        lambda n: iter(range(n)), args=[3], output_signature=tf.TensorSpec((), tf.int64)
    ),
    "batch": lambda tf: tf.data.Dataset.from_tensor_slices((X, Y)).batch(8),
    "batch without remainder": lambda tf: tf.data.Dataset.from_tensor_slices((X, Y)).batch(
        8, drop_remainder=True
    ),
    "batch of batches": lambda tf: tf.data.Dataset.range(8).batch(2).batch(2),
    "batch of words": lambda tf: tf.data.Dataset.from_tensor_slices(WORDS).batch(2),
    "unbatch": lambda tf: tf.data.Dataset.from_tensor_slices((X, Y)).batch(8).unbatch(),
    "unbatch of rows": lambda tf: tf.data.Dataset.from_tensor_slices(X).unbatch(),
    "repeat": lambda tf: tf.data.Dataset.range(3).repeat(2),
    "repeat for ever": lambda tf: tf.data.Dataset.range(3).repeat().take(7),
    "batch and repeat": lambda tf: tf.data.Dataset.range(5).batch(2).repeat(2),
    "repeat and batch": lambda tf: tf.data.Dataset.range(5).repeat(2).batch(4),
    "take and skip": lambda tf: tf.data.Dataset.range(10).skip(2).take(5),
    "take all, skip all": lambda tf: (
        tf.data.Dataset.range(3).take(-1).concatenate(tf.data.Dataset.range(3).skip(-1))
    ),
    "take beyond": lambda tf: tf.data.Dataset.range(3).take(9).skip(2),
    "shard": lambda tf: tf.data.Dataset.range(10).shard(3, 1),
    "concatenate": lambda tf: tf.data.Dataset.range(3).concatenate(tf.data.Dataset.range(5, 8)),
    "concatenate batches": lambda tf: (
        tf.data.Dataset.range(3).batch(2).concatenate(tf.data.Dataset.range(5).batch(3))
    ),
    "zip of a tuple": lambda tf: tf.data.Dataset.zip(
        (tf.data.Dataset.range(3), tf.data.Dataset.from_tensor_slices(X))
    ),
    "zip of a dict": lambda tf: tf.data.Dataset.zip(
        {"a": tf.data.Dataset.range(3), "b": tf.data.Dataset.range(5).batch(2)}
    ),
    "zip of arguments": lambda tf: tf.data.Dataset.zip(tf.data.Dataset.range(3), tf.data.Dataset.range(4, 9)),
    "enumerate": lambda tf: tf.data.Dataset.from_tensor_slices(X).enumerate(start=5),
    "enumerate batches": lambda tf: tf.data.Dataset.range(5).batch(2).enumerate(),
    "map": lambda tf: tf.data.Dataset.from_tensor_slices(X).map(lambda x: x * 2),
    "map of two": lambda tf: tf.data.Dataset.from_tensor_slices((X, Y)).map(
        lambda x, y: (tf.cast(x, tf.float32) / 255.0, tf.one_hot(y, 3)), num_parallel_calls=tf.data.AUTOTUNE
    ),
    "map to a dict": lambda tf: tf.data.Dataset.range(4).map(lambda x: {"x": x, "double": (x * 2, [x, x])}),
    "map of a dict": lambda tf: tf.data.Dataset.from_tensor_slices({"a": X, "b": Y}).map(lambda d: d["a"][0]),
    "map to another type": lambda tf: tf.data.Dataset.range(4).map(lambda x: tf.cast(x, tf.uint8)),
    "map that keeps 64 bits": lambda tf: tf.data.Dataset.from_tensor_slices(X.astype(np.float64)).map(
        lambda x: tf.reduce_sum(x) + 1
    ),
    "map to a list": lambda tf: tf.data.Dataset.range(3).map(lambda x: [x, x + 1]),
    "map that reshapes": lambda tf: tf.data.Dataset.from_tensor_slices(X).map(
        lambda x: tf.reshape(x, [-1, 1])
    ),
    "map with a condition": lambda tf: tf.data.Dataset.range(6).map(lambda x: tf.where(x > 2, x, -x)),
    "map of batches": lambda tf: (
        tf.data.Dataset.from_tensor_slices((X, Y)).batch(8).map(lambda x, y: (x + 1, y))
    ),
    "map of words": lambda tf: tf.data.Dataset.from_tensor_slices(WORDS).map(lambda w: tf.strings.length(w)),
    "map to other lengths": lambda tf: tf.data.Dataset.range(1, 4).map(lambda n: tf.fill([n], n)),
    "filter": lambda tf: tf.data.Dataset.range(10).filter(lambda x: x % 3 == 0),
    "filter of two": lambda tf: (
        tf.data.Dataset.from_tensor_slices((X, Y)).filter(lambda x, y: y > 0).batch(4)
    ),
    "filter of batches": lambda tf: tf.data.Dataset.range(10).batch(3).filter(lambda b: tf.reduce_sum(b) > 5),
    "filter and map": lambda tf: (
        tf.data.Dataset.range(10).map(lambda x: x * x).filter(lambda x: x > 20).take(3)
    ),
    "take while": lambda tf: tf.data.Dataset.range(10).take_while(lambda x: x < 4),
    "unique": lambda tf: tf.data.Dataset.from_tensor_slices([1, 2, 1, 3, 2]).unique(),
    "scan": lambda tf: tf.data.Dataset.range(6).scan(np.int64(0), lambda s, x: (s + x, s * 2)),
    "cache": lambda tf: tf.data.Dataset.range(4).cache().map(lambda x: x + 1).prefetch(1),
    "padded": lambda tf: tf.data.Dataset.range(1, 6).map(lambda n: tf.fill([n], n)).padded_batch(2),
    "padded to a shape": lambda tf: (
        tf.data.Dataset.range(1, 4)
        .map(lambda n: (tf.fill([n], n), n))
        .padded_batch(
            2, padded_shapes=([6], []), padding_values=(np.int64(-1), np.int64(0)), drop_remainder=True
        )
    ),
    "windows": lambda tf: tf.data.Dataset.range(10).window(4, shift=2).flat_map(lambda w: w.batch(4)),
    "windows without remainder": lambda tf: (
        tf.data.Dataset.range(10).window(4, shift=1, drop_remainder=True).flat_map(lambda w: w.batch(4))
    ),
    "windows with strides": lambda tf: (
        tf.data.Dataset.range(12)
        .window(3, shift=3, stride=2, drop_remainder=False)
        .flat_map(lambda w: w.batch(3))
    ),
    "windows of two": lambda tf: (
        tf.data.Dataset.from_tensor_slices((X, Y))
        .window(3, drop_remainder=True)
        .flat_map(lambda x, y: tf.data.Dataset.zip((x.batch(3), y.batch(3))))
    ),
    "series": lambda tf: (
        tf.data.Dataset.from_tensor_slices(X)
        .window(5, shift=1, drop_remainder=True)
        .flat_map(lambda w: w.batch(5))
        .map(lambda w: (w[:-1], w[-1, 0]))
        .batch(4)
        .prefetch(1)
    ),
    "windows of maps": lambda tf: (
        tf.data.Dataset.range(9).map(lambda x: x * x).window(2).flat_map(lambda w: w.skip(1))
    ),
    "flat map": lambda tf: tf.data.Dataset.from_tensor_slices(X[:3]).flat_map(
        tf.data.Dataset.from_tensor_slices
    ),
    "interleave": lambda tf: tf.data.Dataset.range(5).interleave(
        lambda x: tf.data.Dataset.from_tensors(x).repeat(3), cycle_length=2, block_length=2
    ),
    "interleave of unequal ones": lambda tf: tf.data.Dataset.range(1, 7).interleave(
        lambda x: tf.data.Dataset.from_tensors(x).repeat(x), cycle_length=3, block_length=2
    ),
    "choose": lambda tf: tf.data.Dataset.choose_from_datasets(
        [tf.data.Dataset.range(5), tf.data.Dataset.range(10, 15)],
        tf.data.Dataset.from_tensor_slices(np.int64([0, 1, 1, 0])),
    ),
    "apply": lambda tf: tf.data.Dataset.range(6).apply(lambda d: d.batch(4)),
    "shuffle of one": lambda tf: tf.data.Dataset.range(6).shuffle(1),
    "experimental": lambda tf: tf.data.Dataset.range(6).batch(3).apply(tf.data.experimental.unbatch()),
    "options": lambda tf: tf.data.Dataset.range(3).with_options(tf.data.Options()),
    "lines": lambda tf: tf.data.TextLineDataset(LINES),
    "lines taken apart": lambda tf: (
        tf.data.TextLineDataset(TABLE)
        .skip(1)
        .map(lambda line: tf.io.decode_csv(line, [0, "", 9, tf.constant([], tf.float32)]))
    ),
    "a table by lines": lambda tf: tf.data.experimental.CsvDataset(
        TABLE, [tf.int32, tf.string, 0.0, tf.float32], header=True
    ),
    "a table by columns": lambda tf: tf.data.experimental.make_csv_dataset(
        TABLE, 2, label_name="survived", num_epochs=1, shuffle=False
    ),
}


@pytest.fixture(scope="module")
def tf(keras2):
    import tensorflow

    return tensorflow


@pytest.fixture(autouse=True, scope="module")
def files():
    pathlib.Path(LINES).write_text("one\ntwo\r\n\nfour")
    pathlib.Path(TABLE).write_text("survived,sex,age,fare\n0,male,22,7.25\n1,female,,71.3\n1,x,35,53.1\n")
    yield
    pathlib.Path(LINES).unlink()
    pathlib.Path(TABLE).unlink()


def flat(element):
    if isinstance(element, dict):
        return [leaf for key in sorted(element) for leaf in flat(element[key])]
    return [leaf for part in element for leaf in flat(part)] if isinstance(element, tuple) else [element]


@pytest.mark.parametrize("name", PIPELINES)
def test_the_elements_are_tensorflows(tf, name):
    theirs, own = PIPELINES[name](tf), PIPELINES[name](ours)
    wanted, found = list(theirs.as_numpy_iterator()), list(own.as_numpy_iterator())
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted, strict=True):
        assert type(one) is type(other)
        for a, b in zip(flat(one), flat(other), strict=True):
            assert type(a) is type(b), (a, b)
            assert np.asarray(a).dtype == np.asarray(b).dtype
            if np.asarray(a).dtype.kind == "f":
                # XLA divides by a constant through its reciprocal.
                np.testing.assert_allclose(a, b, rtol=2e-7)
            else:
                np.testing.assert_array_equal(a, b)
    again = list(own.as_numpy_iterator())
    assert len(again) == len(wanted)


# What TensorFlow knows of shapes beforehand comes from graphs: lengths that a function leaves open.
OPEN = ["map to other lengths", "series", "generator by types alone"]


@pytest.mark.parametrize("name", [name for name in PIPELINES if name not in OPEN])
def test_the_description_is_tensorflows(tf, name):
    theirs, own = PIPELINES[name](tf), PIPELINES[name](ours)
    assert repr(own.element_spec) == repr(theirs.element_spec)
    tensors = [flat(element)[0] for element in own.take(1)]
    assert [tensor.dtype.name for tensor in tensors] == [flat(each)[0].dtype.name for each in theirs.take(1)]


# Where a function or a generator decides, TensorFlow does not know; the rows behind it are known here.
KNOWN_HERE = ["a table by columns", "unbatch", "series", "experimental", "windows of two"]


@pytest.mark.parametrize("name", [name for name in PIPELINES if name not in KNOWN_HERE])
def test_the_number_of_elements_is_tensorflows(tf, name):
    theirs, own = PIPELINES[name](tf), PIPELINES[name](ours)
    assert own.cardinality().numpy() == theirs.cardinality().numpy()


@pytest.mark.parametrize("size", [1, 5, 19, 20, 100])
def test_shuffling_reaches_as_far_as_tensorflows(tf, size):
    rows = np.arange(20)
    for module in (tf, ours):
        data = module.data.Dataset.from_tensor_slices(rows).shuffle(size, seed=3)
        runs = [list(data.as_numpy_iterator()) for _ in range(30)]
        assert all(sorted(run) == rows.tolist() for run in runs)
        # Number n cannot come before place n - size + 1.
        assert all(number <= place + size - 1 for run in runs for place, number in enumerate(run))
        assert len({tuple(run) for run in runs}) == (1 if size == 1 else 30)
        late = max(place - number for run in runs for place, number in enumerate(run))
        assert late > 0 or size == 1


@pytest.mark.parametrize("whose", ["TensorFlow's", "ours"])
def test_states_are_reduced_as_tensorflow_does(tf, whose):
    module = ours if whose == "ours" else tf
    data = module.data.Dataset.range(5)
    assert data.reduce(np.int64(0), lambda s, x: s + x).numpy() == 10
    count, total = data.reduce((0, 0.0), lambda s, x: (s[0] + 1, s[1] + module.cast(x, module.float32)))
    assert (count.numpy(), total.numpy(), count.dtype.name, total.dtype.name) == (
        5,
        10.0,
        "int32",
        "float32",
    )
