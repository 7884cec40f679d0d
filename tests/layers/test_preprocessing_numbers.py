"""Normalization, Rescaling, Discretization and CategoryEncoding against real Keras and scikit-learn."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

from doltap.core import configs
from doltap.core.graph import Graph
from doltap.errors import DataError, DoltapError, NotSupportedError, ShapeError, UnknownNameError
from doltap.layers import CategoryEncoding, Discretization, Input, Normalization, Rescaling


def numbers(*shape):
    return np.random.default_rng(0).normal(3, 2, size=shape).astype(np.float32)


def tokens(*shape):
    return np.random.default_rng(0).integers(0, 5, size=shape)


EDGES = [-1.0, 2.0, 2.5, 4.0]
MODES = ["one_hot", "multi_hot", "count"]
GIVEN = [
    (Rescaling, {"scale": 1 / 255, "offset": -1.0}, numbers(4, 3)),
    (Rescaling, {"scale": [1.0, 2.0, 3.0], "offset": [0.5, 0.0, 1.0]}, numbers(4, 3)),
    (Rescaling, {"scale": 2}, tokens(4, 3)),
    (Normalization, {"mean": 3.0, "variance": 2.0}, numbers(4, 3)),
    (Normalization, {"mean": [1.0, 2.0, 3.0], "variance": [2.0, 1.0, 0.0]}, numbers(4, 3)),
    (Normalization, {"mean": [1.0, 2.0], "variance": [2.0, 1.0], "axis": 1}, numbers(4, 2, 3)),
    (Normalization, {"mean": [1.0, 2.0, 3.0], "variance": [2.0, 1.0, 4.0], "axis": (1, 2)}, numbers(4, 2, 3)),
    (Normalization, {"mean": 3.0, "variance": 2.0, "axis": None, "invert": True}, numbers(4, 3)),
    (Normalization, {"mean": 3.0, "variance": 2.0}, tokens(4, 3)),
    (Discretization, {"bin_boundaries": EDGES}, numbers(4, 3)),
    (Discretization, {"bin_boundaries": EDGES}, np.array([EDGES, [np.nan, -np.inf, np.inf, 0]], np.float32)),
    (Discretization, {"bin_boundaries": EDGES}, tokens(4, 3)),
    *(
        (Discretization, {"bin_boundaries": EDGES, "output_mode": mode}, numbers(*shape))
        for mode in MODES
        for shape in [(4, 3), (4, 1), (4,), (2, 3, 4)]
    ),
    *(
        (CategoryEncoding, {"num_tokens": 6, "output_mode": mode}, tokens(*shape))
        for mode in MODES
        for shape in [(4, 3), (4, 1), (4,), (), (2, 3, 4), (2, 3, 1)]
    ),
]
each_given = pytest.mark.parametrize(
    ("layer", "options", "x"), GIVEN, ids=lambda value: str(getattr(value, "__name__", ""))
)
each_batch = pytest.mark.parametrize(
    ("layer", "options", "x"), [one for one in GIVEN if one[2].ndim > 1], ids=lambda value: str(value)[:60]
)


def peer(keras, layer, options):
    return getattr(keras.layers, layer.__name__)(**options)


@each_given
def test_a_layer_computes_as_keras(keras, layer, options, x):
    ours, theirs = layer(**options)(x), np.asarray(peer(keras, layer, options)(x))
    assert ours.dtype == theirs.dtype
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


@each_given
def test_a_layer_is_the_same_in_a_compiled_program(layer, options, x):
    made = layer(**options)
    np.testing.assert_allclose(jax.jit(made)(x), made(x), rtol=1e-6)


@each_batch
def test_a_layer_is_the_same_for_many_members(layer, options, x):
    made = layer(**options)
    np.testing.assert_allclose(jax.jit(jax.vmap(made))(np.stack([x, x])), np.stack([made(x)] * 2), rtol=1e-6)


@each_batch
def test_a_symbolic_call_promises_what_comes(layer, options, x):
    dtype = "float32" if x.dtype == np.float32 else "int32"
    start = Input(x.shape[1:], dtype=dtype)
    promise = layer(**options)(start)
    kept = Graph(start, promise).run([jnp.asarray(x)])
    assert promise.shape == (None, *kept.shape[1:])
    assert promise.dtype == kept.dtype
    np.testing.assert_allclose(kept, layer(**options)(x), rtol=1e-6)


@each_given
def test_a_layer_and_keras_understand_each_others_configs(keras, layer, options, x):
    ours, theirs = layer(name="mine", **options), peer(keras, layer, {"name": "mine", **options})
    for made in (
        layer.from_config(ours.get_config()),
        configs.deserialize(configs.serialize(ours)),
        layer.from_config(theirs.get_config()),
        configs.deserialize(keras.saving.serialize_keras_object(theirs)),
        type(theirs).from_config(ours.get_config()),
    ):
        assert made.name == "mine"
        np.testing.assert_allclose(np.asarray(made(x)), np.asarray(theirs(x)), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize("layer", [Rescaling(2), Normalization(mean=1, variance=4), CategoryEncoding(3)])
def test_a_layer_of_a_type_gives_this_type(layer, dtype):
    made = type(layer).from_config({**layer.get_config(), "dtype": dtype})
    assert made(np.array([[0, 1, 2]])).dtype == jnp.dtype(dtype)


@pytest.mark.parametrize("invert", [False, True])
@pytest.mark.parametrize(
    ("axis", "shape"),
    [(-1, (50, 3)), (None, (50, 3)), (1, (20, 4, 3)), ((1, -1), (20, 4, 3)), ((), (7,)), (-1, (5,))],
)
def test_normalization_learns_what_keras_learns(keras, axis, shape, invert):
    x = numbers(*shape)
    ours, theirs = Normalization(axis, invert=invert), keras.layers.Normalization(axis, invert=invert)
    ours.adapt(x)
    theirs.adapt(x)
    np.testing.assert_allclose(ours(x), np.asarray(theirs(x)), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(ours.mean, np.asarray(theirs.mean), rtol=1e-5)
    np.testing.assert_allclose(ours.variance, np.asarray(theirs.variance), rtol=1e-5)
    assert [(w.name, w.shape, w.dtype) for w in ours.weights] == [
        (w.name, tuple(w.shape), w.dtype) for w in theirs.weights
    ]
    assert not ours.trainable_weights


def test_normalization_is_sklearns_standard_scaler():
    from sklearn.preprocessing import StandardScaler

    x = numbers(100, 4)
    layer = Normalization()
    layer.adapt(pd.DataFrame(x))
    np.testing.assert_allclose(layer(x), StandardScaler().fit_transform(x), rtol=1e-4, atol=1e-5)


class Batches:
    """Like Keras's PyDataset: it knows its length and never ends when iterated."""

    def __init__(self, x):
        self.x = x

    def __len__(self):
        return -(-len(self.x) // 7)

    def __getitem__(self, number):
        return self.x[7 * number : 7 * number + 7], None


@pytest.mark.parametrize(
    "told",
    [
        lambda x: [x[:9], x[9:]],
        lambda x: (part for part in np.array_split(x, 6)),
        lambda x: ((part, part) for part in np.array_split(x, 6)),
        lambda x: x.tolist(),
        lambda x: jnp.asarray(x),
        lambda x: pd.DataFrame(x),
        Batches,
    ],
)
def test_what_is_learned_does_not_depend_on_how_data_comes(told):
    # Far from zero, sums of squares in 32 bits would lose everything.
    x = (numbers(40, 3) + 1e4).astype(np.float32)
    whole, parts = Normalization(), Normalization()
    whole.adapt(x)
    parts.adapt(told(x))
    np.testing.assert_allclose(whole.variance[0], x.astype(np.float64).var(0), rtol=1e-5)
    np.testing.assert_allclose(parts.get_weights()[0], whole.get_weights()[0], rtol=1e-6)
    np.testing.assert_allclose(parts.get_weights()[1], whole.get_weights()[1], rtol=1e-5)
    bins, same = Discretization(num_bins=4), Discretization(num_bins=4)
    bins.adapt(x)
    same.adapt(told(x))
    np.testing.assert_allclose(same.bin_boundaries, bins.bin_boundaries, rtol=1e-4)


def test_normalization_sums_up_large_arrays_in_pieces(monkeypatch):
    monkeypatch.setattr("doltap.layers.preprocessing.scaling._AT_ONCE", 10)
    x = numbers(40, 3)
    layer = Normalization()
    layer.adapt(x)
    np.testing.assert_allclose(layer.get_weights()[0], x.mean(0), rtol=1e-5)
    np.testing.assert_allclose(layer.get_weights()[1], x.var(0), rtol=1e-5)


def test_loaded_weights_of_a_normalization_count_at_once():
    layer, other = Normalization(), Normalization()
    layer.adapt(numbers(20, 3))
    other.build((None, 3))
    assert layer.is_ready
    assert not other.is_ready
    other.set_weights(layer.get_weights())
    assert other.is_ready
    np.testing.assert_array_equal(other(numbers(5, 3)), layer(numbers(5, 3)))


@pytest.mark.parametrize("size", [3, 10, 100, 1000, 4321])
@pytest.mark.parametrize("num_bins", [1, 2, 4, 32])
def test_discretization_learns_what_keras_learns(keras, size, num_bins):
    x = np.random.default_rng(size).normal(size=size).astype(np.float32)
    ours, theirs = Discretization(num_bins=num_bins), keras.layers.Discretization(num_bins=num_bins)
    for part in np.array_split(x, 3):
        theirs.update_state(part)
    theirs.finalize_state()
    ours.adapt(np.array_split(x, 3))
    np.testing.assert_allclose(ours.bin_boundaries, theirs.bin_boundaries, rtol=1e-6)
    np.testing.assert_array_equal(ours(x), np.digitize(x, np.float32(ours.bin_boundaries)))
    again = Discretization.from_config(ours.get_config())
    assert again.get_config() == ours.get_config()
    assert keras.layers.Discretization.from_config(ours.get_config()).bin_boundaries == ours.bin_boundaries


def test_discretization_is_close_to_sklearns_quantiles():
    from sklearn.preprocessing import KBinsDiscretizer

    x = numbers(20000, 1)
    layer = Discretization(num_bins=5, epsilon=0.001)
    layer.adapt(x)
    theirs = KBinsDiscretizer(
        5, encode="ordinal", strategy="quantile", quantile_method="averaged_inverted_cdf"
    )
    assert np.mean(np.asarray(layer(x)) == theirs.fit_transform(x)) > 0.99


def test_discretization_takes_so_many_batches_and_leaves_gaps_out():
    x = numbers(100)
    layer, same = Discretization(num_bins=3), Discretization(num_bins=3)
    layer.adapt(x)
    same.adapt(iter([np.append(x, np.nan), x + 100]), steps=1)
    assert same.bin_boundaries == layer.bin_boundaries


def test_counts_may_be_weighted(keras):
    x, weights = [[0, 1], [0, 0], [1, 2], [3, 1]], np.array([[0.1, 0.2], [0.1, 0.1], [0.2, 0.3], [0.4, 0.2]])
    layer, theirs = (
        kind(4, output_mode="count") for kind in (CategoryEncoding, keras.layers.CategoryEncoding)
    )
    expected = np.asarray(theirs(np.array(x), count_weights=weights))
    np.testing.assert_allclose(layer(x, count_weights=weights), expected, rtol=1e-6)
    first, second = Input((2,), dtype="int32"), Input((2,))
    kept = Graph([first, second], layer(first, count_weights=second)).run(
        [jnp.asarray(x), jnp.asarray(weights)]
    )
    np.testing.assert_allclose(kept, expected, rtol=1e-6)


def test_category_encoding_is_sklearns_one_hot_encoder():
    from sklearn.preprocessing import OneHotEncoder

    x = tokens(30, 1)
    theirs = OneHotEncoder(categories=[range(5)], sparse_output=False).fit_transform(x)
    np.testing.assert_array_equal(CategoryEncoding(5, output_mode="one_hot")(x), theirs)


@pytest.mark.parametrize(
    "wrong", [[[0, 5]], [[-1, 0]], [[2**32 + 1]], [[np.nan]], [["a"]], jnp.array([[0, 5]]), jnp.array([[-1]])]
)
def test_category_encoding_refuses_numbers_outside_its_range(wrong):
    with pytest.raises(DataError, match="whole numbers"):
        CategoryEncoding(5)(wrong)


@pytest.mark.parametrize(
    ("made", "kind", "says"),
    [
        (lambda: CategoryEncoding(), DataError, "num_tokens"),
        (lambda: CategoryEncoding(0), DataError, "num_tokens"),
        (lambda: CategoryEncoding(3, output_mode="one_hott"), UnknownNameError, "Did you mean 'one_hot'"),
        (lambda: CategoryEncoding(3, output_mode="int"), UnknownNameError, "output_mode"),
        (lambda: CategoryEncoding(3, sparse=True), NotSupportedError, "Embedding"),
        (lambda: CategoryEncoding(3, num_token=4), DoltapError, "Did you mean 'num_tokens='"),
        (lambda: CategoryEncoding(3)([[0]], count_weights=[[1.0]]), NotSupportedError, "count"),
        (lambda: Discretization(), DataError, "num_bins"),
        (lambda: Discretization([0.0], num_bins=2), DataError, "num_bins"),
        (lambda: Discretization(num_bins=-1), DataError, "num_bins"),
        (lambda: Discretization([1.0, 0.0]), DataError, "rise"),
        (lambda: Discretization(num_bins=2)([[1.0]]), DataError, "adapt"),
        (lambda: Discretization(num_bins=2).adapt([]), DataError, "no values"),
        (lambda: Discretization([0.0]).adapt([1.0]), DataError, "num_bins="),
        (lambda: Discretization([0.0], output_mode="tf_idf"), UnknownNameError, "output_mode"),
        (lambda: Normalization(mean=1.0), ShapeError, "variance"),
        (lambda: Normalization(mean=[1.0], variance=1.0), ShapeError, "one shape"),
        (lambda: Normalization(mean=[[1.0]], variance=[[1.0]]), ShapeError, "1 dimensions"),
        (lambda: Normalization(mean=1, variance=1).adapt([[1.0]]), DataError, "adapt"),
        (lambda: Normalization(axis=2)([[1.0]]), ShapeError, "axis"),
        (lambda: Normalization()(Input((None,))), ShapeError, "known length"),
        (lambda: Normalization().adapt([[1.0, np.nan]]), DataError, "NaN"),
        (lambda: Normalization().adapt([["a", "b"]]), DataError, "StringLookup"),
        (lambda: Normalization().adapt(iter([])), DataError, "no rows"),
        (lambda: Normalization().adapt([numbers(3, 2), numbers(3, 4)]), ShapeError, "length"),
    ],
)
def test_wrong_use_is_refused_with_the_cure(made, kind, says):
    with pytest.raises(kind, match=says):
        made()


def test_columns_of_several_types_are_learned_from_as_numbers():
    mixed = np.array([[1.0, True], [2.5, False]], object)
    layer = Normalization()
    layer.adapt(mixed)
    np.testing.assert_allclose(layer.adapt_mean.numpy(), [1.75, 0.5])
    with pytest.raises(DataError, match="numbers to learn from"):
        layer.adapt(np.array([[1.0, "yes"]], object))
