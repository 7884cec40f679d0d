"""Training line by line: what user code sees of its values, and that nothing else changes."""

import numpy as np
import pytest

import doltap
from doltap import ops
from doltap.layers import BatchNormalization, Dense, Dropout, Input, Layer
from doltap.models import Model, Sequential

chance = np.random.default_rng(0)
X = chance.random((12, 3), dtype=np.float32)
Y = chance.random((12, 1), dtype=np.float32)


def looking(seen):
    """A layer, a loss and a metric that look at their values in every way."""

    class Looking(Layer):
        def call(self, inputs, training=False):
            seen.append(("call", float(inputs.sum())))
            print("inputs:", inputs[0, 0], f"{inputs[0, 1]:.3f}", inputs.tolist()[0][0])
            np.asarray(inputs)
            if inputs.sum() > 0:
                seen.append(("positive", bool(inputs.sum() > 0)))
            return inputs

    def loss(y_true, y_pred):
        seen.append(("loss", float(np.mean(y_pred))))
        assert not np.isnan(np.asarray(y_pred)).any()
        return ops.mean(ops.square(y_true - y_pred), axis=-1)

    def metric(y_true, y_pred):
        seen.append(("metric", y_pred.max().item()))
        return ops.max(ops.abs(y_true - y_pred), axis=-1)

    return Looking(), loss, metric


def test_a_layer_a_loss_and_a_metric_see_numbers(capsys):
    seen = []
    layer, loss, metric = looking(seen)
    model = Sequential([Input((3,)), Dense(4, kernel_initializer="ones"), layer, Dense(1)])
    seen.clear()
    model.compile("sgd", loss, metrics=[metric], run_eagerly=True)
    history = model.fit(X, Y, batch_size=4, epochs=2, validation_data=(X, Y), verbose=0).history
    assert set(history) == {"loss", "metric", "val_loss", "val_metric"}
    assert {kind for kind, _ in seen} == {"call", "positive", "loss", "metric"}
    assert "Traced" not in capsys.readouterr().out
    seen.clear()
    model.predict(X, verbose=0)
    model.evaluate(X, Y, verbose=0)
    assert {kind for kind, _ in seen} >= {"call", "loss", "metric"}


NETWORKS = {
    "dense": lambda: [Dense(5, activation="tanh", kernel_regularizer="l2"), Dense(1)],
    "dropout": lambda: [Dense(5), Dropout(0.5), Dense(1)],
    "normalized": lambda: [Dense(5, use_bias=False), BatchNormalization(), Dense(1)],
}


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_results_are_those_of_the_compiled_program(name, optimizer):
    results = []
    for eagerly in (False, True):
        doltap.utils.set_random_seed(7)
        model = Sequential([Input((3,)), *NETWORKS[name]()])
        model.compile(optimizer, "mse", metrics=["mae"], run_eagerly=eagerly)
        options = {"batch_size": 5, "epochs": 2, "validation_split": 0.25, "verbose": 0}
        history = model.fit(X, Y, **options).history
        results.append(
            (history, model.get_weights(), model.evaluate(X, Y, verbose=0), model.predict(X, verbose=0))
        )
    for one, other in zip(results[0][1], results[1][1], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)
    for key, values in results[0][0].items():
        assert results[1][0][key] == pytest.approx(values, rel=1e-5)
    assert results[0][2] == pytest.approx(results[1][2], rel=1e-5)
    np.testing.assert_allclose(results[0][3], results[1][3], rtol=1e-5, atol=1e-6)


def test_weights_of_rows_and_batches_one_by_one_agree_too():
    results = []
    for eagerly in (False, True):
        doltap.utils.set_random_seed(2)
        model = Sequential([Input((3,)), Dense(1)])
        model.compile("adam", "mse", weighted_metrics=["mae"], run_eagerly=eagerly)
        model.fit(((X[n : n + 4], Y[n : n + 4], Y[n : n + 4, 0]) for n in (0, 4, 8)), verbose=0)
        results.append([*model.get_weights(), model.train_on_batch(X, Y, sample_weight=Y[:, 0])])
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


class Counting(Model):
    """A class whose call is Python through and through."""

    def __init__(self):
        super().__init__()
        self.dense, self.calls = Dense(1), []

    def call(self, inputs):
        self.calls.append(len(inputs))
        total = 0.0
        for row in np.asarray(inputs):
            total += float(row[0])
        return self.dense(inputs) * (1.0 if total > 0 else -1.0)


def test_python_runs_at_every_step():
    model = Counting()
    model.compile("sgd", "mse", run_eagerly=True)
    model.fit(X, Y, batch_size=4, epochs=2, verbose=0)
    assert model.calls.count(4) == 6


def test_a_breakpoint_stops_where_the_values_are(monkeypatch):
    stopped = []
    monkeypatch.setattr("builtins.breakpoint", lambda: stopped.append(True))

    class Stopping(Layer):
        def call(self, inputs):
            breakpoint()
            return inputs

    model = Sequential([Stopping(), Dense(1)])
    model.compile("sgd", "mse", run_eagerly=True)
    model.fit(X, Y, batch_size=12, epochs=3, verbose=0)
    assert len(stopped) >= 3


def test_looking_at_values_is_over_with_the_step():
    model = Counting()
    model.compile("sgd", "mse", run_eagerly=True)
    model.fit(X, Y, verbose=0)
    model.compile("sgd", "mse")
    with pytest.raises(doltap.errors.NotSupportedError):
        model.fit(X, Y, verbose=0)


def test_the_model_can_be_told_between_two_fits():
    model = Sequential([Input((3,)), Dense(1)])
    model.compile("sgd", "mse", run_eagerly=True)
    first = model.fit(X, Y, verbose=0).history["loss"][0]
    model.compile("sgd", "mse", run_eagerly=False)
    assert model.fit(X, Y, verbose=0).history["loss"][0] != first
    assert not model.run_eagerly


def test_an_error_in_user_code_comes_out_as_it_is():
    class Broken(Layer):
        def call(self, inputs):
            raise RuntimeError("the user's own")

    model = Sequential([Broken(), Dense(1)])
    model.compile("sgd", "mse", run_eagerly=True)
    with pytest.raises(RuntimeError, match="the user's own"):
        model.fit(X, Y, verbose=0)
