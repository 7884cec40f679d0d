"""Metrics inside fit and evaluate, as in real Keras, and metrics of one's own."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

import doltap
from doltap import losses, metrics
from doltap.errors import NotSupportedError, UnknownNameError

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning:keras")


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
    random = np.random.default_rng(0)
    y, p = (random.normal(size=(8, 3)).astype(np.float32) for _ in range(2))
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
