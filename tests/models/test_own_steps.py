"""Steps of the user's own, in the forms of Keras's guides for JAX, beside real Keras."""

import jax
import numpy as np
import pytest

import doltap
from doltap import ops
from doltap.errors import DoltapError, NotSupportedError, ShapeError

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")

numbers = np.random.default_rng(1)
X = numbers.random((40, 6), dtype=np.float32)
Y = numbers.random((40, 1), dtype=np.float32)
WEIGHTS = numbers.random(40, dtype=np.float32)


def network(lib, kind, **options):
    inputs = lib.Input((6,))
    hidden = lib.layers.Dense(5, activation="tanh", **options)(inputs)
    return kind(inputs, lib.layers.Dense(1)(hidden))


def bare_loss(lib):
    """The first step of the guide: a loss and nothing else."""

    class CustomModel(lib.Model):
        def compute_loss_and_updates(
            self, trainable_variables, non_trainable_variables, x, y, training=False
        ):
            y_pred, non_trainable_variables = self.stateless_call(
                trainable_variables, non_trainable_variables, x, training=training
            )
            loss = self.compute_loss(x, y, y_pred)
            return loss, (y_pred, non_trainable_variables)

        def train_step(self, state, data):
            trainable, fixed, optimizer_variables, metrics_variables = state
            x, y = data
            gradient = jax.value_and_grad(self.compute_loss_and_updates, has_aux=True)
            (loss, (_, fixed)), gradients = gradient(trainable, fixed, x, y, training=True)
            trainable, optimizer_variables = self.optimizer.stateless_apply(
                optimizer_variables, gradients, trainable
            )
            return {"loss": loss}, (trainable, fixed, optimizer_variables, metrics_variables)

    return CustomModel, {"optimizer": "adam", "loss": "mse"}


def with_metrics(lib):
    """The second: the metrics of compile, each updated with its own variables."""
    base, options = bare_loss(lib)

    class CustomModel(base):
        def train_step(self, state, data):
            trainable, fixed, optimizer_variables, metrics_variables = state
            x, y = data
            gradient = jax.value_and_grad(self.compute_loss_and_updates, has_aux=True)
            (loss, (y_pred, fixed)), gradients = gradient(trainable, fixed, x, y, training=True)
            trainable, optimizer_variables = self.optimizer.stateless_apply(
                optimizer_variables, gradients, trainable
            )
            new_metrics_variables, logs = [], {}
            for metric in self.metrics:
                start = len(new_metrics_variables)
                mine = metrics_variables[start : start + len(metric.variables)]
                if metric.name == "loss":
                    mine = metric.stateless_update_state(mine, loss)
                else:
                    mine = metric.stateless_update_state(mine, y, y_pred)
                logs[metric.name] = metric.stateless_result(mine)
                new_metrics_variables += mine
            return logs, (trainable, fixed, optimizer_variables, new_metrics_variables)

    return CustomModel, {**options, "metrics": ["mae"]}


def with_stateless_loss(lib):
    """The same with the compiled loss computed from the state, which it gives back."""
    base, options = with_metrics(lib)
    totals = []

    class CustomModel(base):
        def compute_loss_and_updates(
            self, trainable_variables, non_trainable_variables, x, y, training=False
        ):
            y_pred, non_trainable_variables = self.stateless_call(
                trainable_variables, non_trainable_variables, x, training=training
            )
            loss, (_, fixed, after) = self.stateless_compute_loss(
                trainable_variables, non_trainable_variables, totals, x=x, y=y, y_pred=y_pred
            )
            assert len(after) == len(totals)
            return loss, (y_pred, fixed)

        def train_step(self, state, data):
            totals[:] = state[3]
            return super().train_step(state, data)

    return CustomModel, options


def with_metrics_of_its_own(lib):
    """The third: the model holds its loss and its metrics, and says what `metrics` are."""

    class CustomModel(lib.Model):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.loss_tracker = lib.metrics.Mean(name="loss")
            self.mae_metric = lib.metrics.MeanAbsoluteError(name="mae")
            self.loss_fn = lib.losses.MeanSquaredError()

        def compute_loss_and_updates(
            self, trainable_variables, non_trainable_variables, x, y, training=False
        ):
            y_pred, non_trainable_variables = self.stateless_call(
                trainable_variables, non_trainable_variables, x, training=training
            )
            return self.loss_fn(y, y_pred), (y_pred, non_trainable_variables)

        def train_step(self, state, data):
            trainable, fixed, optimizer_variables, metrics_variables = state
            x, y = data
            gradient = jax.value_and_grad(self.compute_loss_and_updates, has_aux=True)
            (loss, (y_pred, fixed)), gradients = gradient(trainable, fixed, x, y, training=True)
            trainable, optimizer_variables = self.optimizer.stateless_apply(
                optimizer_variables, gradients, trainable
            )
            of_loss = metrics_variables[: len(self.loss_tracker.variables)]
            of_mae = metrics_variables[len(self.loss_tracker.variables) :]
            of_loss = self.loss_tracker.stateless_update_state(of_loss, loss)
            of_mae = self.mae_metric.stateless_update_state(of_mae, y, y_pred)
            logs = {
                self.loss_tracker.name: self.loss_tracker.stateless_result(of_loss),
                self.mae_metric.name: self.mae_metric.stateless_result(of_mae),
            }
            return logs, (trainable, fixed, optimizer_variables, of_loss + of_mae)

        @property
        def metrics(self):
            return [self.loss_tracker, self.mae_metric]

    return CustomModel, {"optimizer": "adam"}


def of_keras_itself(lib):
    """What calls the usual step and adds a log."""

    class CustomModel(lib.Model):
        def train_step(self, state, data):
            logs, state = super().train_step(state, data)
            return {**logs, "seen": lib.ops.mean(data[0])}, state

    return CustomModel, {"optimizer": "adam", "loss": "mse", "metrics": ["mae"]}


def with_compute_loss(lib):
    """What overrides the loss alone."""

    class CustomModel(lib.Model):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            loss = super().compute_loss(x, y, y_pred, sample_weight)
            return loss + 0.1 * lib.ops.mean(lib.ops.abs(y_pred - x[:, :1]))

    return CustomModel, {"optimizer": "adam", "loss": "mse", "metrics": ["mae"]}


def with_compute_loss_of_old(lib):
    """The same in the form from before `training`, with no loss compiled at all."""

    class CustomModel(lib.Model):
        def compute_loss(self, x, y, y_pred, sample_weight):
            return lib.ops.mean(lib.ops.square(y - y_pred) ** 2) + sum(self.losses)

    return CustomModel, {"optimizer": "sgd", "metrics": ["mae"]}


def with_compute_metrics(lib):
    """What adds a metric of its own to those compiled."""

    class CustomModel(lib.Model):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.largest = lib.metrics.Mean(name="largest")

        def compute_metrics(self, x, y, y_pred, sample_weight=None):
            results = super().compute_metrics(x, y, y_pred, sample_weight)
            self.largest.update_state(lib.ops.max(lib.ops.abs(y - y_pred)))
            return {**results, "largest": self.largest.result()}

    return CustomModel, {"optimizer": "adam", "loss": "mse", "metrics": ["mae"]}


FORMS = [
    bare_loss,
    with_metrics,
    with_stateless_loss,
    with_metrics_of_its_own,
    of_keras_itself,
    with_compute_loss,
    with_compute_loss_of_old,
    with_compute_metrics,
]


def pair(keras, form, **layer):
    """The model in Keras and in doltap with the same weights, compiled."""
    models = []
    for lib in (keras, doltap):
        kind, options = form(lib)
        models.append(network(lib, kind, **layer))
        models[-1].compile(**options)
    models[1].set_weights(models[0].get_weights())
    return models


def agree(theirs, ours, tolerance=1e-5):
    for one, other in zip(theirs.get_weights(), ours.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("form", FORMS)
def test_a_step_of_a_guide_trains_like_in_keras(keras, form):
    # In the guide's own steps Keras loses what layers add to the loss.
    is_simple = form in (bare_loss, with_metrics)
    theirs, ours = pair(keras, form, kernel_regularizer=None if is_simple else "l2")
    options = {"batch_size": 16, "epochs": 2, "shuffle": False, "verbose": 0}
    wanted, found = (model.fit(X, Y, **options).history for model in (theirs, ours))
    agree(theirs, ours)
    assert set(found) == set(wanted)
    if form is bare_loss:
        # Keras shows the mean that the step never moved, 0.
        assert found["loss"][1] < found["loss"][0]
        return
    for name, values in wanted.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-4, err_msg=name)


@pytest.mark.parametrize("form", [of_keras_itself, with_compute_loss, with_compute_metrics])
def test_steps_of_ones_own_see_weights_and_validate(keras, form):
    theirs, ours = pair(keras, form)
    options = {"batch_size": 16, "epochs": 2, "shuffle": False, "verbose": 0, "sample_weight": WEIGHTS}
    options["validation_data"] = (X[:10], Y[:10])
    wanted, found = (model.fit(X, Y, **options).history for model in (theirs, ours))
    agree(theirs, ours)
    assert list(found) == list(wanted)
    for name, values in wanted.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-4, err_msg=name)
    results = [model.evaluate(X, Y, batch_size=16, verbose=0, return_dict=True) for model in (theirs, ours)]
    assert set(results[0]) == set(results[1])
    for name, value in results[0].items():
        np.testing.assert_allclose(results[1][name], value, rtol=1e-4, err_msg=name)


def test_a_step_of_ones_own_sees_class_weights(keras):
    theirs, ours = pair(keras, of_keras_itself)
    labels = (Y > 0.5).astype("float32")
    options = {"batch_size": 16, "shuffle": False, "verbose": 0, "class_weight": {0: 1.0, 1: 3.0}}
    for model in (theirs, ours):
        model.fit(X, labels, **options)
    agree(theirs, ours)


def evaluating(lib):
    class CustomModel(lib.Model):
        def test_step(self, state, data):
            x, y = data
            trainable, fixed, metrics_variables = state
            y_pred, fixed = self.stateless_call(trainable, fixed, x, training=False)
            loss = self.compute_loss(x, y, y_pred)
            new_metrics_variables, logs = [], {}
            for metric in self.metrics:
                start = len(new_metrics_variables)
                mine = metrics_variables[start : start + len(metric.variables)]
                if metric.name == "loss":
                    mine = metric.stateless_update_state(mine, loss)
                else:
                    mine = metric.stateless_update_state(mine, y, y_pred)
                logs[metric.name] = metric.stateless_result(mine)
                new_metrics_variables += mine
            return logs, (trainable, fixed, new_metrics_variables)

        def predict_step(self, state, data):
            outputs, fixed = super().predict_step(state, data)
            return outputs * 2, fixed

    return CustomModel, {"loss": "mse", "metrics": ["mae"]}


def test_an_evaluation_step_of_ones_own(keras):
    theirs, ours = pair(keras, evaluating)
    wanted = theirs.evaluate(X, Y, batch_size=40, verbose=0, return_dict=True)
    found = ours.evaluate(X, Y, batch_size=40, verbose=0, return_dict=True)
    assert found["loss"] == pytest.approx(wanted["loss"], rel=1e-5)
    assert found["mae"] == pytest.approx(
        wanted["mae"] if "mae" in wanted else wanted["compile_metrics"]["mae"]
    )
    listed = ours.evaluate(X, Y, batch_size=40, verbose=0)
    assert listed == pytest.approx([found["loss"], found["mae"]])


def test_a_usual_training_goes_with_an_evaluation_of_ones_own():
    kind, options = evaluating(doltap)
    model = network(doltap, kind)
    model.compile(**options)
    history = model.fit(X, Y, validation_split=0.25, verbose=0).history
    assert set(history) == {"loss", "mae", "val_loss", "val_mae"}


def test_a_prediction_step_of_ones_own(keras):
    theirs, ours = pair(keras, evaluating)
    wanted = theirs.predict(X, batch_size=16, verbose=0)
    np.testing.assert_allclose(ours.predict(X, batch_size=16, verbose=0), wanted, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(wanted, 2 * np.asarray(ours(X)), rtol=1e-5, atol=1e-6)


class Pair(doltap.Model):
    """Two networks that learn from each other's answers, and no call."""

    def __init__(self):
        super().__init__()
        self.first = doltap.Sequential([doltap.Input((6,)), doltap.layers.Dense(2)])
        self.second = doltap.Sequential([doltap.Input((2,)), doltap.layers.Dense(1)])

    def train_step(self, state, data):
        trainable, fixed, optimizer_variables, metrics_variables = state

        def loss_of(trainable):
            hidden, _ = self.first.stateless_call(trainable[:2], [], data[0])
            outputs, _ = self.second.stateless_call(trainable[2:], [], hidden)
            return ops.mean(ops.square(outputs))

        loss, gradients = jax.value_and_grad(loss_of)(trainable)
        trainable, optimizer_variables = self.optimizer.stateless_apply(
            optimizer_variables, gradients, trainable
        )
        return {"loss": loss, "half": {"of_it": loss / 2}}, (
            trainable,
            fixed,
            optimizer_variables,
            metrics_variables,
        )


def test_a_model_without_a_call_trains_with_a_step_of_its_own():
    model = Pair()
    model.compile("adam")
    history = model.fit(X, epochs=20, batch_size=40, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]
    assert history["of_it"][0] == pytest.approx(history["loss"][0] / 2)
    with pytest.raises(NotSupportedError, match="call"):
        model.predict(X, verbose=0)


@pytest.mark.parametrize("optimizer", ["sgd", "adamw", "ftrl", "lion", "nadam"])
def test_the_state_of_every_optimizer_goes_through_a_step_of_ones_own(optimizer):
    histories = []
    for kind in (doltap.Model, of_keras_itself(doltap)[0]):
        doltap.utils.set_random_seed(3)
        model = network(doltap, kind)
        model.compile(optimizer, "mse")
        histories.append(model.fit(X, Y, epochs=3, verbose=0).history["loss"])
        assert int(model.optimizer.iterations) == 6
    assert histories[0] == pytest.approx(histories[1], rel=1e-5)


def test_steps_of_ones_own_run_line_by_line_too():
    seen = []
    base = of_keras_itself(doltap)[0]

    class Looking(base):
        def train_step(self, state, data):
            seen.append(float(data[0].sum()))
            return super().train_step(state, data)

    doltap.utils.set_random_seed(1)
    eager = network(doltap, Looking)
    eager.compile("adam", "mse", run_eagerly=True)
    eager.fit(X, Y, verbose=0)
    doltap.utils.set_random_seed(1)
    compiled = network(doltap, base)
    compiled.compile("adam", "mse")
    compiled.fit(X, Y, verbose=0)
    assert len(seen) >= 2
    agree(eager, compiled)


@pytest.mark.parametrize(
    "returned",
    [
        lambda logs, state: logs,
        lambda logs, state: (logs, state[:3]),
        lambda logs, state: (state, logs),
        lambda logs, state: None,
        lambda logs, state: ({**logs, "all": np.zeros(3)}, state),
    ],
)
def test_a_step_that_returns_something_else_is_explained(returned):
    class Wrong(doltap.Model):
        def train_step(self, state, data):
            return returned(*super().train_step(state, data))

    model = network(doltap, Wrong)
    model.compile("sgd", "mse")
    with pytest.raises(ShapeError, match="train_step"):
        model.fit(X, Y, verbose=0)


def test_a_step_in_the_form_for_tensorflow_is_explained():
    class Old(doltap.Model):
        def train_step(self, data):
            return {}

    model = network(doltap, Old)
    model.compile("sgd", "mse")
    with pytest.raises(NotSupportedError, match="form for JAX"):
        model.fit(X, Y, verbose=0)


def test_a_condition_on_values_in_a_step_is_explained():
    class Wrong(doltap.Model):
        def train_step(self, state, data):
            if data[0].sum() > 0:
                return super().train_step(state, data)
            return {}, state

    model = network(doltap, Wrong)
    model.compile("sgd", "mse")
    with pytest.raises(DoltapError, match="train_step"):
        model.fit(X, Y, verbose=0)


def test_compute_loss_can_be_called_by_hand():
    model = network(doltap, doltap.Model)
    model.compile("sgd", "mse", metrics=["mae"])
    y_pred = model(X)
    assert float(model.compute_loss(X, Y, y_pred)) == pytest.approx(
        float(np.mean((Y - y_pred) ** 2)), rel=1e-5
    )
    assert model.evaluate(X, Y, verbose=0)[0] == pytest.approx(
        float(model.compute_loss(X, Y, y_pred)), rel=1e-5
    )
