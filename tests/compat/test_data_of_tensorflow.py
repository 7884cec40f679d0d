"""`tf.data.Dataset` by itself and in fit, evaluate and predict; its peers test that it equals TensorFlow."""

from __future__ import annotations

import gzip
import zlib

import numpy as np
import pytest

import doltap as keras
from doltap.compat import tensorflow as tf
from doltap.compat.tensorflow.data import mapping
from doltap.errors import DoltapError, MissingAttributeError, ShapeError

Dataset = tf.data.Dataset
X = np.random.default_rng(0).normal(size=(100, 4)).astype("float32")
Y = (X.sum(axis=1) > 0).astype("int64")


def numbers(dataset):
    return [np.asarray(each).tolist() for each in dataset.as_numpy_iterator()]


def small_model():
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(8, "relu"), keras.layers.Dense(1, "sigmoid")]
    )
    model.compile("sgd", "binary_crossentropy", ["accuracy"])
    return model


def test_loops_get_tensors_and_begin_anew_each_time():
    data = Dataset.from_tensor_slices((X, Y)).batch(30)
    for _ in range(2):
        batches = list(data)
        assert [x.shape.as_list() for x, _ in batches] == [[30, 4]] * 3 + [[10, 4]]
        assert all(isinstance(part, tf.Tensor) for batch in batches for part in batch)
    x, y = next(iter(data.take(1)))
    np.testing.assert_array_equal(x.numpy(), X[:30])
    np.testing.assert_array_equal(y, Y[:30])


def test_what_a_program_writes_to_its_arrays_later_changes_nothing():
    array = np.zeros((3, 2))
    data = Dataset.from_tensor_slices(array)
    array += 1
    next(data.as_numpy_iterator())[:] = 7
    assert numbers(data) == [[0.0, 0.0]] * 3


def test_each_epoch_has_another_order_unless_told_otherwise():
    data = Dataset.range(50).shuffle(50)
    first, second = numbers(data), numbers(data)
    assert first != second
    assert sorted(first) == sorted(second) == list(range(50))
    fixed = Dataset.range(50).shuffle(50, reshuffle_each_iteration=False)
    assert numbers(fixed) == numbers(fixed)
    turns = numbers(Dataset.range(50).shuffle(50).repeat(2))
    assert turns[:50] != turns[50:]
    kept = Dataset.range(50).shuffle(50).cache()
    assert numbers(kept) == numbers(kept)


@pytest.mark.parametrize("seed", [None, 5])
def test_the_order_follows_from_the_seeds(seed):
    def orders():
        tf.random.set_seed(1)
        data = Dataset.range(30).shuffle(10, seed=seed)
        return [numbers(data), numbers(data)]

    assert orders() == orders()
    assert orders()[0] != orders()[1]


def test_two_data_sets_without_seeds_of_their_own_are_shuffled_differently():
    tf.random.set_seed(1)
    assert numbers(Dataset.range(30).shuffle(30)) != numbers(Dataset.range(30).shuffle(30))


def test_a_function_of_rows_is_computed_for_many_at_a_time():
    calls = []

    def function(x, y):
        calls.append(x)
        return x * 2.0 - 1.0, tf.one_hot(y, 2)

    data = Dataset.from_tensor_slices((np.tile(X, (30, 1)), np.tile(Y, 30))).map(function)
    assert len(calls) <= 2
    found = list(data.shuffle(3000).batch(64).as_numpy_iterator())
    assert len(calls) < 10
    assert sum(len(x) for x, _ in found) == 3000
    x = np.concatenate([x for x, _ in data.batch(1000).as_numpy_iterator()])
    np.testing.assert_allclose(x[:100], X * 2 - 1, rtol=1e-6)


def branching(x):
    return x * 2 if x > 2 else -x


@pytest.mark.parametrize(
    "function",
    [branching, lambda x: tf.numpy_function(lambda a: a * 3, [x], tf.int64), lambda x: x.numpy() + 1],
    ids=["a condition", "NumPy's", "a value"],
)
def test_a_function_that_looks_at_values_is_computed_row_by_row(function):
    data = Dataset.range(6).map(function)
    wanted = [np.asarray(function(tf.constant(n, tf.int64))).tolist() for n in range(6)]
    assert numbers(data) == wanted
    assert np.concatenate(list(data.batch(4).as_numpy_iterator())).tolist() == wanted


def test_a_function_that_draws_draws_anew_for_every_row_and_every_time():
    data = Dataset.from_tensor_slices(np.zeros(8, "float32")).map(lambda x: x + tf.random.uniform([]))
    first, second = numbers(data.batch(8))[0], numbers(data.batch(8))[0]
    assert len({*first, *second}) == 16
    kept = data.cache()
    assert numbers(kept) == numbers(kept)


def test_a_function_is_believed_only_where_both_ways_agree():
    example = np.float32(1.5)
    assert mapping.Mapping(lambda x: x * 2, example).takes_many
    # Whether a value is known can be told: then both ways differ.
    assert not mapping.Mapping(lambda x: x * (1 if getattr(x, "is_tracer", False) else 2), example).takes_many


def test_a_mistake_in_a_function_shows_in_the_line_that_names_it():
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'y'"):
        Dataset.range(3).map(lambda x, y: x)
    with pytest.raises(DoltapError):
        Dataset.from_tensor_slices(X).map(lambda x: tf.reshape(x, [3]))


def test_a_data_set_without_elements_can_be_mapped():
    data = Dataset.from_tensor_slices((X[:0], Y[:0])).map(lambda x, y: (x * 2, y)).batch(3)
    assert (list(data), len(data)) == ([], 0)
    assert repr(data.element_spec[0]) == "TensorSpec(shape=(None, 4), dtype=tf.float32, name=None)"


@pytest.mark.parametrize("shuffled", [False, True])
def test_fit_is_as_with_arrays_where_the_batches_are(shuffled):
    wanted = small_model()
    wanted.fit(X, Y, batch_size=32, epochs=3, shuffle=False, verbose=0)
    data = Dataset.from_tensor_slices((X, Y))
    data = (data.shuffle(1) if shuffled else data).batch(32).prefetch(tf.data.AUTOTUNE)
    model = small_model()
    history = model.fit(data, epochs=3, validation_data=data, verbose=0)
    for one, other in zip(model.get_weights(), wanted.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(model.evaluate(data, verbose=0), model.evaluate(X, Y, verbose=0), rtol=1e-5)
    np.testing.assert_allclose(
        model.predict(data, verbose=0), model.predict(X, verbose=0), rtol=1e-5, atol=1e-6
    )
    assert len(history.history["val_loss"]) == 3


def test_fit_takes_steps_from_a_data_set_without_end():
    data = Dataset.from_tensor_slices((X, Y)).shuffle(100).repeat().batch(32)
    history = small_model().fit(
        data, epochs=2, steps_per_epoch=5, validation_data=data, validation_steps=2, verbose=0
    )
    assert history.params["steps"] == 5
    assert len(history.history["loss"]) == 2


def test_fit_knows_how_many_batches_there_are():
    history = small_model().fit(Dataset.from_tensor_slices((X, Y)).batch(32), verbose=0)
    assert history.params["steps"] == 4
    history = small_model().fit(
        Dataset.from_tensor_slices((X, Y)).filter(lambda x, y: True).batch(32), verbose=0
    )
    assert history.params["steps"] is None


def test_fit_takes_inputs_by_name_weights_and_generators():
    model = small_model()
    weights = np.ones(100, "float32")
    model.fit(Dataset.from_tensor_slices((X, Y, weights)).batch(20), verbose=0)
    signature = (tf.TensorSpec((None, 4), tf.float32), tf.TensorSpec((None,), tf.int64))
    data = Dataset.from_generator(lambda: iter([(X, Y), (X[:50], Y[:50])]), output_signature=signature)
    assert model.fit(data, epochs=2, verbose=0, class_weight={0: 1.0, 1: 2.0}).epoch == [0, 1]
    left, right = keras.Input((2,), name="left"), keras.Input((2,), name="right")
    both = keras.Model([left, right], keras.layers.Dense(1)(keras.layers.concatenate([left, right])))
    both.compile("sgd", "mse")
    named = Dataset.from_tensor_slices(({"left": X[:, :2], "right": X[:, 2:]}, X[:, 0])).batch(10)
    both.fit(named, verbose=0)
    assert both.predict(named, verbose=0).shape == (100, 1)


def test_windows_of_a_series_are_computed_once():
    calls = []

    def split(window):
        calls.append(1)
        return window[:-1], window[-1]

    data = (
        Dataset.range(300).window(5, shift=1, drop_remainder=True).flat_map(lambda w: w.batch(5)).map(split)
    )
    found = list(data.batch(100).as_numpy_iterator())
    assert len(calls) < 5
    assert [x.shape for x, _ in found] == [(100, 4), (100, 4), (96, 4)]
    assert (found[1][0][3].tolist(), found[1][1][3]) == ([103, 104, 105, 106], 107)


def test_windows_are_data_sets():
    windows = [[int(number) for number in window] for window in Dataset.range(6).window(4, shift=2)]
    assert windows == [[0, 1, 2, 3], [2, 3, 4, 5], [4, 5]]
    first, second = next(iter(Dataset.from_tensor_slices((X, Y)).window(3)))
    assert (len(first), len(list(second))) == (3, 3)


def test_an_iterator_can_be_asked_for_the_next():
    run = iter(Dataset.range(2))
    assert [int(run.get_next()), int(next(run))] == [0, 1]
    with pytest.raises(tf.errors.OutOfRangeError, match="the end"):
        run.get_next()
    assert int(Dataset.range(3, 4).get_single_element()) == 3


def test_files_are_listed_and_read_line_by_line(tmp_path):
    (tmp_path / "b.csv").write_text("3,4\n")
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    names = Dataset.list_files(str(tmp_path / "*.csv"), shuffle=False)
    assert [name.decode()[-5:] for name in names.as_numpy_iterator()] == ["a.csv", "b.csv"]
    lines = tf.data.TextLineDataset(names).skip(1).map(lambda line: tf.strings.length(line))
    assert numbers(lines) == [3, 3]
    with pytest.raises(tf.errors.InvalidArgumentError, match="none for"):
        Dataset.list_files(str(tmp_path / "*.txt"))


def test_pandas_tables_are_columns_by_name():
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"age": [30, 40], "name": ["Ana", "Bo"]})
    found = list(Dataset.from_tensor_slices((dict(table), [1, 0])).as_numpy_iterator())
    assert found == [({"age": 30, "name": b"Ana"}, 1), ({"age": 40, "name": b"Bo"}, 0)]


@pytest.mark.parametrize(
    ("make", "kind", "said"),
    [
        (lambda: Dataset.from_tensor_slices(5), ShapeError, "Dataset.from_tensors"),
        (lambda: Dataset.from_tensor_slices((X, Y[:9])), ShapeError, "100 and 9 rows"),
        (lambda: Dataset.range(3).batch(0), ValueError, "batch_size of at least 1"),
        (lambda: Dataset.range(3).shuffle(0), ValueError, "buffer_size of at least 1"),
        (lambda: Dataset.range(3).map(3), ValueError, "expected a function, got 3"),
        (lambda: Dataset.range(3).shard(2, 2), ValueError, "an index from 0"),
        (lambda: Dataset.range(3).concatenate(Dataset.from_tensor_slices([0.5])), ShapeError, "alike"),
        (
            lambda: list(Dataset.range(1, 4).map(lambda n: tf.fill([n], n)).batch(2)),
            ShapeError,
            "padded_batch",
        ),
        (lambda: list(Dataset.range(3).unbatch()), ShapeError, "a single number"),
        (lambda: Dataset.range(3).save("x"), AttributeError, "np.savez"),
        (lambda: Dataset.range(3).shufle(2), AttributeError, "Did you mean 'shuffle'"),
        (lambda: Dataset.range(3).numpy(), AttributeError, "as_numpy_iterator"),
        (lambda: tf.data.TFRecordWriter, MissingAttributeError, "TFRecordWriter"),
        (lambda: tf.data.experimental.SqlDataset, MissingAttributeError, "pandas.read_sql"),
        (lambda: tf.data.experimental.AUTOTUN, MissingAttributeError, "Did you mean 'AUTOTUNE'"),
        (lambda: len(Dataset.range(3).repeat()), TypeError, "The dataset is infinite."),
        (lambda: len(Dataset.range(3).filter(lambda x: True)), TypeError, "length is unknown"),
    ],
)
def test_what_cannot_be_done_says_why(make, kind, said):
    with pytest.raises(kind, match=said):
        make()


def test_lines_of_tables_are_taken_apart(tmp_path):
    one, two = tf.io.decode_csv(["1,2.5", ',"3"'], [7, 0.0])
    assert (one.numpy().tolist(), two.numpy().tolist()) == ([1, 7], [2.5, 3.0])
    single = tf.io.decode_csv(b"4.5,x,3000000000", [0.0, "", tf.constant([0], tf.int64)])
    assert [part.numpy() for part in single] == [4.5, b"x", 3000000000]
    assert [part.dtype.name for part in single] == ["float32", "string", "int64"]
    assert tf.io.decode_csv("1;?", [0, 9], field_delim=";", na_value="?")[1].numpy() == 9
    assert tf.io.decode_csv("1,2,3", [0], select_cols=[2])[0].numpy() == 3


@pytest.mark.parametrize(
    ("line", "defaults", "said"),
    [
        ("1,2,3", [0, 0], "2 fields in a line, got 3 in line 0"),
        ("1,", [0, tf.constant([], tf.float32)], "field 1 of line 0 is empty"),
        ("x,2", [0, 0], "'x' in field 0"),
        ("1.5,2", [0, 0], "type int32"),
    ],
)
def test_lines_that_do_not_fit_say_where(line, defaults, said):
    with pytest.raises(tf.errors.InvalidArgumentError, match=said):
        tf.io.decode_csv([line], defaults)


TABLE = "survived,sex,age,fare\n0,male,22,7.25\n1,female,38,71.3\n0,male,,8.05\n1,x,3000000000,1\n"


def test_tables_are_read_by_columns_and_by_lines(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(TABLE)
    experimental = tf.data.experimental
    data = experimental.make_csv_dataset(str(path), 3, label_name="survived", num_epochs=1, shuffle=False)
    (first, labels), (last, _) = data.as_numpy_iterator()
    assert list(first) == ["sex", "age", "fare"]
    assert (first["sex"].tolist(), first["age"].tolist()) == ([b"male", b"female", b"male"], [22, 38, 0])
    assert (labels.tolist(), labels.dtype, last["age"].tolist()) == ([0, 1, 0], np.int32, [3000000000])
    assert [part.dtype for part in first.values()] == [object, np.int64, np.float32]
    endless = experimental.make_csv_dataset(str(path), 3)
    assert endless.cardinality().numpy() == -1
    assert all(len(batch["fare"]) == 3 for batch in endless.take(4))
    chosen = experimental.make_csv_dataset(
        str(path), 4, select_columns=["sex", "fare"], column_defaults=["", 0.0]
    )
    assert list(next(iter(chosen))) == ["sex", "fare"]
    lines = experimental.CsvDataset(str(path), ["", 0.0], header=True, select_cols=[1, 3])
    assert next(lines.as_numpy_iterator()) == (b"male", np.float32(7.25))
    with pytest.raises(tf.errors.InvalidArgumentError, match="a column 'name'"):
        experimental.make_csv_dataset(str(path), 3, label_name="name")
    with pytest.raises(tf.errors.InvalidArgumentError, match="none for"):
        experimental.make_csv_dataset(str(tmp_path / "*.txt"), 3)


def test_packed_tables_and_lines_are_unpacked(tmp_path):
    path = str(tmp_path / "table.csv.gz")
    with gzip.open(path, "wt") as file:
        file.write("1,2.5\n3,4.5\n")
    rows = tf.data.experimental.CsvDataset(path, [0, 0.0], compression_type="GZIP")
    assert list(rows.as_numpy_iterator()) == [(1, 2.5), (3, 4.5)]
    assert next(tf.data.TextLineDataset(path, "GZIP").as_numpy_iterator()) == b"1,2.5"
    with pytest.raises(tf.errors.DataLossError, match="GZIP"):
        list(tf.data.TextLineDataset(path, "ZLIB"))
    (tmp_path / "lines.z").write_bytes(zlib.compress(b"a\nb\n" * 50_000))
    packed = tf.data.TextLineDataset(str(tmp_path / "lines.z"), "ZLIB")
    assert list(packed.as_numpy_iterator()) == [b"a", b"b"] * 50_000


def test_what_a_function_makes_of_a_text_is_kept_unless_it_draws(tmp_path):
    (tmp_path / "lines.csv").write_text("1,2\n3,4\n")
    calls = []

    def parse(line):
        calls.append(1)
        return tf.stack(tf.io.decode_csv(line, [0.0, 0.0]))

    data = tf.data.TextLineDataset(str(tmp_path / "lines.csv")).map(parse)
    assert numbers(data) == numbers(data) == [[1.0, 2.0], [3.0, 4.0]]
    assert len(calls) == 2
    drawing = tf.data.TextLineDataset(str(tmp_path / "lines.csv")).map(lambda line: tf.random.uniform([]))
    assert len({*numbers(drawing), *numbers(drawing)}) == 4
