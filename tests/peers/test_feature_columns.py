"""`tf.feature_column` and DenseFeatures give what TensorFlow and Keras 2 give, number for number."""

import numpy as np
import pytest

TABLE = {
    "city": [["Busan"], ["Seoul"], [""], ["Jeju"], ["Daegu"]],
    "age": [[19.5], [30.0], [41.0], [77.25], [-3.0]],
    "size": [[1.0, 2.0], [3.0, 0.5], [0.0, 0.0], [9.0, 8.0], [2.5, 2.5]],
    "rooms": [[0], [2], [5], [-1], [3]],
    "tags": [["a", "b"], ["b", "b"], ["", "a"], ["zz", ""], ["", ""]],
}
FLAT = {"age": [1.0, 35.0], "city": ["Seoul", "Busan"]}

WORDS = {
    "one_hot": "indicator_column",
    "listed": "categorical_column_with_vocabulary_list",
    "identity": "categorical_column_with_identity",
    "hashed": "categorical_column_with_hash_bucket",
    "crossed": "crossed_column",
    "buckets": "bucketized_column",
    "numbers": "numeric_column",
    "vectors": "embedding_column",
}
COLUMNS = """
numbers("age")
numbers("size", shape=2)
numbers("age", normalizer_fn=lambda x: (x - 30.0) / 12.0)
numbers("age", normalizer_fn=lambda x: tf.math.log(tf.abs(x) + 1.0))
buckets(numbers("age"), [18, 30, 65])
buckets(numbers("size", shape=2), [0.5, 2.5])
one_hot(listed("city", ["Seoul", "Busan", "Jeju"]))
one_hot(listed("city", ["Seoul", "Busan"], num_oov_buckets=4))
one_hot(listed("city", ["Seoul", "Jeju"], default_value=1))
one_hot(listed("rooms", [5, 3, 0]))
one_hot(listed("rooms", [5, 3], num_oov_buckets=3))
one_hot(listed("tags", ["a", "b"]))
one_hot(identity("rooms", 4))
one_hot(identity("rooms", 4, default_value=2))
one_hot(hashed("city", 17))
one_hot(hashed("tags", 7))
one_hot(hashed("rooms", 11, dtype=tf.int64))
one_hot(crossed(["city", "tags"], 23))
one_hot(crossed([buckets(numbers("age"), [18, 30]), "city"], 19))
one_hot(crossed(["city", buckets(numbers("age"), [18, 30])], 19))
one_hot(crossed([identity("rooms", 6), listed("tags", ["a", "b"])], 13))
one_hot(crossed([crossed(["city", "tags"], 5), identity("rooms", 6)], 13))
vectors(listed("tags", ["a", "b"]), 2, initializer=START)
vectors(listed("tags", ["a", "b"]), 2, "sum", initializer=START)
vectors(listed("tags", ["a", "b"]), 2, "sqrtn", initializer=START)
""".strip().splitlines()


@pytest.fixture(scope="module")
def both():
    """The same names in TensorFlow with Keras 2, and here."""
    import tensorflow as theirs
    import tf_keras

    import doltap.compat.tensorflow as ours
    from doltap.compat.tensorflow.dense_features import DenseFeatures

    return [
        (theirs, tf_keras.layers.DenseFeatures, theirs.constant_initializer([[1.0, 2.0], [3.0, 5.0]])),
        (ours, DenseFeatures, lambda shape, dtype=None: np.array([[1.0, 2.0], [3.0, 5.0]], np.float32)),
    ]


def made(text, tf, start):
    functions = {word: getattr(tf.feature_column, name) for word, name in WORDS.items()}
    return eval(text, {"tf": tf, "START": start, **functions})


def rows(text, tf, layer, start, table):
    columns = made(text, tf, start)
    tensors = {key: tf.constant(column) for key, column in table.items()}
    return np.asarray(layer(columns)(tensors))


@pytest.mark.parametrize("text", COLUMNS)
def test_a_column_gives_the_same_rows(text, both):
    theirs, ours = (rows(text, *side, TABLE) for side in both)
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)


@pytest.mark.parametrize("text", COLUMNS)
def test_a_column_has_the_same_name_and_is_read_from_records_alike(text, both):
    theirs, ours = (made(text, tf, start) for tf, _, start in both)
    assert ours.name == theirs.name
    wanted = {key: repr(kind) for key, kind in theirs.parse_example_spec.items()}
    assert {key: repr(kind) for key, kind in ours.parse_example_spec.items()} == wanted


def test_columns_are_joined_in_the_order_of_their_names(both):
    text = f"[{COLUMNS[6]}, {COLUMNS[4]}, numbers('age')]"
    theirs, ours = (rows(text, *side, table) for side, table in zip(both, [FLAT, FLAT], strict=True))
    np.testing.assert_array_equal(ours, theirs)
