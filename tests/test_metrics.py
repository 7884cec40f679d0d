"""Every metric against real Keras, over several batches, with and without weights, and inside fit."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import doltap
from doltap import losses, metrics
from doltap.core.tensors import lend
from doltap.errors import NotSupportedError, UnknownNameError

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning:keras")

# class -> (arguments, shape of labels, shape of predictions, kind of labels)
METRICS = [
    ("Accuracy", {}, (8, 1), (8, 1), "equal"),
    ("Accuracy", {}, (8, 3), (8, 3), "equal"),
    ("BinaryAccuracy", {}, (8, 1), (8, 1), "yes or no"),
    ("BinaryAccuracy", {}, (8,), (8, 1), "yes or no"),
    ("BinaryAccuracy", {"threshold": 0.3}, (8, 3), (8, 3), "yes or no"),
    ("CategoricalAccuracy", {}, (8, 3), (8, 3), "one-hot"),
    ("CategoricalAccuracy", {}, (8, 4, 3), (8, 4, 3), "one-hot"),
    ("SparseCategoricalAccuracy", {}, (8,), (8, 3), "classes"),
    ("SparseCategoricalAccuracy", {}, (8, 1), (8, 3), "classes"),
    ("SparseCategoricalAccuracy", {}, (8, 4), (8, 4, 3), "classes"),
    ("MeanSquaredError", {}, (8, 1), (8, 1), "numbers"),
    ("MeanSquaredError", {}, (8,), (8, 1), "numbers"),
    ("MeanSquaredError", {}, (8, 3), (8, 3), "numbers"),
    ("MeanAbsoluteError", {}, (8, 4, 3), (8, 4, 3), "numbers"),
    ("RootMeanSquaredError", {}, (8, 3), (8, 3), "numbers"),
    ("RootMeanSquaredError", {}, (8,), (8, 1), "numbers"),
    ("BinaryCrossentropy", {}, (8, 3), (8, 3), "yes or no"),
    ("BinaryCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, (8, 1), (8, 1), "yes or no"),
    ("CategoricalCrossentropy", {}, (8, 3), (8, 3), "one-hot"),
    ("CategoricalCrossentropy", {"from_logits": True}, (8, 3), (8, 3), "one-hot"),
    ("SparseCategoricalCrossentropy", {}, (8,), (8, 3), "classes"),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, (8,), (8, 3), "classes"),
]
each_metric = pytest.mark.parametrize(
    ("name", "options", "y_shape", "p_shape", "kind"), METRICS, ids=lambda value: str(value)
)


def batch(kind, y_shape, p_shape, seed):
    random = np.random.default_rng(seed)
    p = random.uniform(0.05, 0.95, p_shape).astype(np.float32)
    if kind == "numbers":
        return random.normal(size=y_shape).astype(np.float32), p
    if kind == "equal":
        return random.integers(0, 2, y_shape), random.integers(0, 2, p_shape).astype(np.float32)
    if kind == "yes or no":
        return random.integers(0, 2, y_shape).astype(np.float32), p
    p = p / p.sum(axis=-1, keepdims=True)
    classes = random.integers(0, p_shape[-1], p_shape[:-1])
    return (np.eye(p_shape[-1])[classes] if kind == "one-hot" else classes.reshape(y_shape)), p


def weights_for(count):
    weights = np.random.default_rng(77).uniform(0, 2, count).astype(np.float32)
    weights[0] = 0
    return weights


@each_metric
def test_a_metric_equals_keras_after_every_batch_and_after_a_reset(
    keras, name, options, y_shape, p_shape, kind
):
    ours, theirs = getattr(metrics, name)(**options), getattr(keras.metrics, name)(**options)
    assert float(ours.result()) == float(theirs.result()) == 0
    for weight in (None, weights_for(8), weights_for(8)[:, None]):
        for seed in range(3):
            y, p = batch(kind, y_shape, p_shape, seed)
            ours.update_state(y, p, sample_weight=weight)
            theirs.update_state(y, p, sample_weight=weight)
            assert float(ours.result()) == pytest.approx(float(theirs.result()), rel=1e-5)
        ours.reset_state()
        theirs.reset_state()
        assert float(ours.result()) == 0


@each_metric
def test_a_metric_is_made_again_from_its_config_and_from_kerass(keras, name, options, y_shape, p_shape, kind):
    ours, theirs = (getattr(m, name)(name="mine", **options) for m in (metrics, keras.metrics))
    y, p = batch(kind, y_shape, p_shape, 0)
    expected = float(ours(y, p))
    for again in (
        type(ours).from_config(ours.get_config()),
        metrics.deserialize(metrics.serialize(ours)),
        type(ours).from_config(theirs.get_config()),
        type(theirs).from_config(ours.get_config()),
    ):
        assert again.name == "mine"
        again.update_state(y, p)
        assert float(again.result()) == pytest.approx(expected, rel=1e-5)


@each_metric
def test_a_metric_is_the_same_inside_a_compiled_program(name, options, y_shape, p_shape, kind):
    metric = getattr(metrics, name)(**options)
    y, p = batch(kind, y_shape, p_shape, 0)

    @jax.jit
    def add(totals, y, p):
        with lend(metric.variables, totals) as loan:
            metric.update_state(y, p)
            return [loan[total] for total in metric.variables], metric.result()

    totals, inside = add([total.value for total in metric.variables], y, p)
    assert float(metric.result()) == 0  # What is lent is not kept.
    assert float(inside) == pytest.approx(float(metric(y, p)), rel=1e-6)
    for total, variable in zip(totals, metric.variables, strict=True):
        assert float(total) == pytest.approx(float(variable), rel=1e-6)


@pytest.mark.parametrize("name", ["Mean", "Sum"])
@pytest.mark.parametrize("shape", [(), (5,), (5, 3), (5, 3, 2)])
def test_mean_and_sum_of_values_of_any_shape_equal_keras(keras, name, shape):
    ours, theirs = getattr(metrics, name)(), getattr(keras.metrics, name)()
    values = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    weights = [None]
    if len(shape) > 0:
        weights += [weights_for(5)]
    if len(shape) > 1:
        weights += [
            np.random.default_rng(1).uniform(size=shape[:2]),
            np.random.default_rng(1).uniform(size=shape),
        ]
    for weight in weights:
        ours.update_state(values, sample_weight=weight)
        theirs.update_state(values, sample_weight=weight)
        assert float(ours.result()) == pytest.approx(float(theirs.result()), rel=1e-5)


def test_predictions_in_half_precision_are_counted_in_float32():
    metric = metrics.MeanSquaredError()
    for _ in range(40):
        metric.update_state(np.ones((100, 1)), jnp.zeros((100, 1), "bfloat16"))
    assert metric.result().dtype == jnp.float32
    assert float(metric.count) == 4000


@pytest.mark.parametrize("word", ["mse", "MSE", "MeanSquaredError", "mean_squared_error"])
def test_a_metric_is_called_as_the_user_called_it(keras, word):
    metric = metrics.get(word)
    assert metric.name == word
    assert type(metric) is metrics.MeanSquaredError
    assert metrics.get(metric) is metric


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("acuracy", "accuracy"),
        ("mean_absolut_error", "mean_absolute_error"),
        ("binary_acc", "binary_accuracy"),
    ],
)
def test_an_unknown_metric_is_answered_with_the_nearest_name(wrong, right):
    model = doltap.Sequential([doltap.layers.Dense(1, input_dim=2)])
    with pytest.raises(UnknownNameError, match=f"Did you mean '{right}'"):
        model.compile(loss="mse", metrics=[wrong])


def test_what_is_no_metric_is_refused():
    with pytest.raises(NotSupportedError, match="metric"):
        metrics.get(3)
    with pytest.raises(NotSupportedError, match="update_state"):
        metrics.Metric(name="empty").update_state([1], [1])
    with pytest.raises(NotSupportedError, match="result"):
        metrics.Metric(name="empty").result()


# Inside fit: the same small network in both libraries.


def fitted(library, start, compiled, x, y, units=3, activation="softmax", **keywords):
    """History and evaluation of one epoch, and the weights it started from."""
    layers = library.layers
    model = library.Sequential([layers.Input(x.shape[1:]), layers.Dense(units, activation=activation)])
    if start is not None:
        model.set_weights(start)
    start = model.get_weights()
    model.compile(optimizer="sgd", **compiled)
    history = model.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0, **keywords).history
    measured = model.evaluate(x, y, batch_size=8, verbose=0, return_dict=True)
    return start, history, measured


def assert_same_measures(ours, theirs):
    assert list(ours[1]) == list(theirs[1])
    for name, values in theirs[1].items():
        np.testing.assert_allclose(ours[1][name], values, rtol=1e-4, err_msg=name)
    assert list(ours[2]) == list(theirs[2])
    np.testing.assert_allclose(list(ours[2].values()), list(theirs[2].values()), rtol=1e-4)


@pytest.mark.parametrize(
    ("word", "y_shape", "units", "loss"),
    [
        ("accuracy", (21,), 1, "mse"),
        ("acc", (21, 1), 1, "binary_crossentropy"),
        ("Accuracy", (21,), 3, "sparse_categorical_crossentropy"),
        ("accuracy", (21, 1), 3, "sparse_categorical_crossentropy"),
        ("ACC", (21, 3), 3, "categorical_crossentropy"),
        ("acc", (21, 4), 3, "sparse_categorical_crossentropy"),
        ("accuracy", (21, 4, 1), 3, "sparse_categorical_crossentropy"),
        ("accuracy", (21, 4, 3), 3, "categorical_crossentropy"),
        ("accuracy", (21, 4, 1), 1, "binary_crossentropy"),
    ],
)
def test_accuracy_means_what_keras_means_by_the_shapes(keras, word, y_shape, units, loss):
    random = np.random.default_rng(0)
    x = random.normal(size=(21, 4, 2) if len(y_shape) > 1 and y_shape[1] == 4 else (21, 2)).astype(np.float32)
    y = random.integers(0, max(2, units), (*x.shape[:-1],))
    y = np.eye(units, dtype=np.float32)[y] if loss == "categorical_crossentropy" else y.reshape(y_shape)
    start, measured = None, []
    for library in (keras, doltap):
        activation = "softmax" if units > 1 else "sigmoid"
        dense = library.layers.Dense(units, activation=activation)
        model = library.Sequential([library.layers.Input(x.shape[1:]), dense])
        start = model.get_weights() if start is None else start
        model.set_weights(start)
        model.compile(loss=loss, metrics=[word])
        measured.append(model.test_on_batch(x, y, return_dict=True))
    assert list(measured[1]) == list(measured[0]) == sorted([word, "loss"])
    assert measured[1] == pytest.approx(measured[0], rel=1e-5)


def mean_distance(y_true, y_pred):
    return jnp.mean(jnp.abs(y_true - y_pred), axis=-1)


def worst(y_true, y_pred):
    return jnp.max(jnp.abs(y_true - y_pred))


@pytest.mark.parametrize("weighted", [False, True])
def test_metrics_of_every_kind_follow_fit_as_in_keras(keras, weighted):
    random = np.random.default_rng(0)
    x, y = random.normal(size=(21, 2)).astype(np.float32), random.normal(size=(21, 3)).astype(np.float32)
    keywords = {"sample_weight": random.uniform(size=21).astype(np.float32)} if weighted else {}

    def compiled(library):
        own = library.metrics
        return {
            "loss": "mae",
            "metrics": [
                "mse",
                mean_distance,
                own.MeanAbsoluteError(name="zebra"),
                own.RootMeanSquaredError,
                worst,
            ],
            "weighted_metrics": ["mae", own.MeanSquaredError(name="weighted_mse")],
        }

    theirs = fitted(keras, None, compiled(keras), x, y, activation=None, **keywords)
    assert_same_measures(
        fitted(doltap, theirs[0], compiled(doltap), x, y, activation=None, **keywords), theirs
    )


def test_a_function_as_metric_never_sees_a_row_against_a_column():
    x = np.arange(9.0).reshape(9, 1)
    model = doltap.Sequential([doltap.layers.Dense(1, input_dim=1)])
    model.set_weights([[[1.0]], [0.0]])
    model.compile(optimizer="sgd", loss="mse", metrics=[mean_distance])
    assert model.evaluate(x, x[:, 0] + 2, verbose=0) == pytest.approx([4.0, 2.0])


@pytest.mark.parametrize("maker", ["add_variable", "add_weight"])
def test_a_metric_class_of_ones_own_works_inside_fit_as_in_keras(keras, maker):
    def own(library):
        class Largest(library.metrics.Metric):
            def __init__(self, name="largest", **keywords):
                super().__init__(name=name, **keywords)
                make = getattr(self, maker)
                self.largest = make(shape=(), initializer="zeros", name="largest")
                self.seen = make(shape=(2,), initializer="zeros", name="seen")

            def update_state(self, y_true, y_pred, sample_weight=None):
                error = jnp.max(jnp.abs(y_true - y_pred))
                self.largest.assign(jnp.maximum(self.largest.value, error))
                self.seen.assign(self.seen + 1)

            def result(self):
                return self.largest + 100 * self.seen[0]

        return Largest()

    random = np.random.default_rng(0)
    x, y = random.normal(size=(21, 2)).astype(np.float32), random.normal(size=(21, 3)).astype(np.float32)
    theirs = fitted(keras, None, {"loss": "mse", "metrics": [own(keras)]}, x, y, activation=None)
    ours = fitted(doltap, theirs[0], {"loss": "mse", "metrics": [own(doltap)]}, x, y, activation=None)
    assert_same_measures(ours, theirs)
    assert 300 < ours[1]["largest"][0] < 400  # Three batches.


def test_add_weight_takes_the_name_first_as_keras_2_did():
    metric = metrics.Mean()
    total = metric.add_weight("extra", initializer="ones")
    assert (total.name, total.shape, float(total)) == ("extra", (), 1.0)


def test_reset_state_gives_back_what_the_initializer_gave():
    # Keras sets every total to 0, whatever it began with.
    metric = metrics.Metric(name="own")
    total = metric.add_variable((2, 2), "ones")
    total.assign(np.full((2, 2), 7))
    metric.reset_state()
    assert total.numpy().tolist() == [[1, 1], [1, 1]]


def test_functions_of_losses_are_metrics_by_name_and_as_functions():
    y, p = batch("numbers", (8, 3), (8, 3), 0)
    for identifier in ("huber", losses.huber):
        metric = metrics.get(identifier)
        assert float(metric(y, p)) == pytest.approx(float(losses.Huber()(y, p)), rel=1e-6)
        assert metric.name == "huber"


def test_a_scalar_metric_function_is_not_led_astray_by_a_short_last_batch(keras):
    random = np.random.default_rng(0)
    x, y = random.normal(size=(21, 2)).astype(np.float32), random.normal(size=(21, 1)).astype(np.float32)

    def r_squared(y_true, y_pred):
        return 1 - jnp.sum(jnp.square(y_true - y_pred)) / jnp.sum(jnp.square(y_true - jnp.mean(y_true)))

    arguments = ({"loss": "mse", "metrics": [r_squared]}, x, y, 1, None)
    theirs = fitted(keras, None, *arguments)
    assert_same_measures(fitted(doltap, theirs[0], *arguments), theirs)
