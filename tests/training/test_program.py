"""One step against a step written by hand, and the short batch at the end of an epoch."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import doltap
from doltap import layers, random
from doltap.layers import Activation, Dense, Layer
from doltap.losses import Loss, MeanSquaredError
from doltap.optimizers import SGD
from doltap.training import cache, program
from doltap.training.batches import Rows
from doltap.training.objective import Objective, Wishes
from doltap.training.program import Batch, Given, Recipe, State

RNG = np.random.default_rng(0)
ROWS = 22
X = RNG.normal(size=(ROWS, 4)).astype(np.float32)
REALS = RNG.normal(size=(ROWS, 1)).astype(np.float32)
CLASSES = RNG.integers(0, 3, ROWS)
WEIGHTS = RNG.uniform(0, 2, ROWS).astype(np.float32)


def network(*layers, loss="mse", optimizer=None, metrics=(), seed=1):
    doltap.utils.set_random_seed(seed)
    model = doltap.Sequential([doltap.Input((4,)), *layers])
    model.compile(optimizer or SGD(0.1), loss, metrics=list(metrics), weighted_metrics=list(metrics))
    return model


def two_layers():
    return Dense(5, activation="tanh"), Dense(1)


def by_hand(weights, x, y, rate=0.1):
    """A step of gradient descent as one would write it in plain JAX."""

    def loss(weights):
        kernel, bias, second_kernel, second_bias = weights
        return jnp.mean((jnp.tanh(x @ kernel + bias) @ second_kernel + second_bias - y) ** 2)

    value, gradients = jax.value_and_grad(loss)([jnp.asarray(weight) for weight in weights])
    return value, [np.asarray(w - rate * g) for w, g in zip(weights, gradients, strict=True)]


def assert_close(ours, theirs, tolerance=1e-6):
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, other, rtol=tolerance, atol=tolerance)


def test_one_step_is_the_step_one_writes_by_hand():
    model = network(*two_layers())
    weights = model.get_weights()
    for step in range(3):
        loss, weights = by_hand(weights, X, REALS)
        assert model.train_on_batch(X, REALS) == pytest.approx(float(loss), rel=1e-5)
        model.reset_metrics()
        assert_close(model.get_weights(), weights)
        assert int(model.optimizer.iterations) == step + 1


def test_an_epoch_is_a_row_of_steps_the_last_one_short():
    model = network(*two_layers())
    weights = model.get_weights()
    total = 0.0
    for start in range(0, ROWS, 8):
        x, y = X[start : start + 8], REALS[start : start + 8]
        loss, weights = by_hand(weights, x, y)
        total += float(loss) * len(x)
    history = model.fit(X, REALS, batch_size=8, shuffle=False, verbose=0).history
    assert_close(model.get_weights(), weights)
    assert history["loss"][0] == pytest.approx(total / ROWS, rel=1e-5)


def test_a_bare_step_on_arrays_is_the_step_inside_the_loop():
    model = network(*two_layers(), metrics=["mae"])
    model.train_on_batch(X, REALS)
    recipe = model._recipes["train"]
    before = [jnp.array(weight.array) for weight in recipe.weights]
    state = State(before, [], [{} for _ in before], [t.array for t in recipe.totals], jnp.int32(1))
    rates = {name: rate.array for name, rate in recipe.optimizer.rates.items()}
    given = Given((rates, []), np.asarray(random.words(1)), (), np.bool_(True))
    batch = Batch(jnp.asarray(X), [jnp.asarray(REALS)], None, None, jnp.float32(ROWS))
    after = program.train_step(recipe, state, given, batch)
    assert int(after.step) == 2
    assert_close(after.weights, by_hand(before, X, REALS)[1])
    measured = program.test_step(recipe, state, given, batch)
    assert measured.weights is state.weights
    assert measured.step is state.step
    assert any((a != b).any() for a, b in zip(measured.totals, state.totals, strict=True))
    # Neither step has touched the model.
    assert_close([weight.array for weight in recipe.weights], before, 0)


# The ragged tail.


def trained(monkeypatch, exact, make, y, weights=None, **settings):
    if exact is not None:
        monkeypatch.setattr(cache, "treats_rows_alone", lambda recipe: not exact)
    model = make()
    history = model.fit(
        X, y, batch_size=8, epochs=3, sample_weight=weights, validation_data=(X[:13], y[:13]), verbose=0,
        **settings,
    )  # fmt: skip
    results = model.evaluate(X, y, batch_size=8, sample_weight=weights, verbose=0, return_dict=True)
    monkeypatch.undo()
    return model.get_weights(), [*history.history.values(), *results.values()]


@pytest.mark.parametrize(
    ("make", "y", "weights"),
    [
        (lambda: network(*two_layers(), metrics=["mae"]), REALS, None),
        (lambda: network(*two_layers(), metrics=["mae"]), REALS, WEIGHTS),
        (lambda: network(*two_layers(), loss="huber", optimizer="adam"), REALS, None),
        (
            lambda: network(Dense(3), Activation("softmax"), loss="sparse_categorical_crossentropy",
                            metrics=["accuracy"], optimizer="adam"),
            CLASSES,
            WEIGHTS,
        ),
        (
            lambda: network(Dense(1, activation="sigmoid"), loss="bce", metrics=["accuracy"],
                            optimizer="rmsprop"),
            CLASSES > 0,
            None,
        ),
        (
            lambda: network(*two_layers(), loss=MeanSquaredError(reduction="sum"), optimizer=SGD(0.01)),
            REALS,
            None,
        ),
        (
            lambda: network(*two_layers(), loss=MeanSquaredError(reduction="mean_with_sample_weight")),
            REALS,
            WEIGHTS,
        ),
    ],
    ids=["mse", "mse weighted", "huber adam", "sparse weighted", "binary", "sum", "mean with weights"],
)  # fmt: skip
def test_a_tail_filled_with_rows_of_weight_zero_equals_the_exact_tail(monkeypatch, make, y, weights):
    filled = trained(monkeypatch, None, make, y, weights)
    exact = trained(monkeypatch, True, make, y, weights)
    assert_close(filled[0], exact[0])
    assert_close(filled[1], exact[1], 2e-6)


def test_a_tail_weighs_what_class_weights_say(monkeypatch):
    def make():
        return network(Dense(3, activation="softmax"), loss="sparse_categorical_crossentropy")

    heavy = {0: 5.0, 2: 0.0}
    filled = trained(monkeypatch, None, make, CLASSES, class_weight=heavy)
    exact = trained(monkeypatch, True, make, CLASSES, class_weight=heavy)
    assert_close(filled[0], exact[0])


def test_the_filling_repeats_real_rows_so_that_logarithms_stay_finite(monkeypatch):
    positive = np.abs(X) + 0.5
    monkeypatch.setattr(cache, "treats_rows_alone", lambda recipe: True)
    model = network(Activation(jnp.log), *two_layers())
    history = model.fit(positive, REALS, batch_size=8, epochs=3, verbose=0)
    assert np.isfinite(history.history["loss"]).all()
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
    assert np.isfinite(model.evaluate(positive, REALS, batch_size=8, verbose=0))
    assert np.isfinite(model.predict(positive, batch_size=8, verbose=0)).all()


class Watching(Layer):
    """Notes how many rows each program gets."""

    def __init__(self, **keywords):
        super().__init__(**keywords)
        self.seen = set()

    def call(self, inputs):
        self.seen.add(inputs.shape[0])
        return inputs


class Centred(Layer):
    """Mixes the rows of a batch, as batch normalization does."""

    def call(self, inputs):
        return inputs - jnp.mean(inputs, axis=0)


def scalar_loss(y_true, y_pred):
    return jnp.mean(jnp.square(y_true - y_pred))


class ScalarLoss(Loss):
    """A loss of the user's own that gives one number for the batch."""

    def call(self, y_true, y_pred):
        return scalar_loss(y_true, y_pred)


@pytest.mark.parametrize("loss", [scalar_loss, ScalarLoss()], ids=["function", "class"])
def test_code_of_the_user_gets_batches_of_their_true_length(loss):
    watching = Watching()
    model = network(watching, *two_layers(), loss=loss)
    watching.seen.clear()
    plain = network(*two_layers())
    plain.set_weights(model.get_weights())
    for each in (model, plain):
        each.fit(X, REALS, batch_size=8, epochs=2, validation_data=(X[:13], REALS[:13]), verbose=0)
    assert watching.seen == {8, 6, 5}
    assert_close(model.get_weights(), plain.get_weights())
    for name, values in plain.history.history.items():
        np.testing.assert_allclose(model.history.history[name], values, rtol=1e-5)
    watching.seen.clear()
    model.predict(X, batch_size=8, verbose=0)
    assert watching.seen == {8, 6}


def test_a_layer_that_mixes_rows_sees_only_those_of_its_batch():
    model = network(Centred(), Dense(1))
    kernel, bias = model.get_weights()
    expected = np.concatenate([(x - x.mean(axis=0)) @ kernel + bias for x in (X[:8], X[8:16], X[16:])])
    np.testing.assert_allclose(model.predict(X, batch_size=8, verbose=0), expected, atol=1e-6)
    loss = np.mean((expected - REALS) ** 2)
    assert model.evaluate(X, REALS, batch_size=8, verbose=0) == pytest.approx(loss, rel=1e-5)


def test_a_layer_of_ours_that_mixes_rows_says_so_and_gets_exact_batches(monkeypatch):
    def is_exact():
        model = network(*two_layers())
        return model._recipe("train", Rows(X, REALS)).exact_batches

    assert not is_exact()
    monkeypatch.setattr(Dense, "rows_are_independent", False)
    assert is_exact()


# Weights of rows.


def test_rows_of_weight_zero_move_nothing():
    model = network(*two_layers(), metrics=["mae"])
    before = model.get_weights()
    history = model.fit(X, REALS, batch_size=8, sample_weight=np.zeros(ROWS), verbose=0)
    assert_close(model.get_weights(), before, 0)
    assert history.history["loss"] == [0.0]


def test_a_row_of_weight_zero_counts_as_absent_in_a_sum():
    def make():
        return network(*two_layers(), loss=MeanSquaredError(reduction="sum"), optimizer=SGD(0.01))

    weights = (np.arange(ROWS) < 10).astype(np.float32)
    weighted, absent = make(), make()
    weighted.fit(X, REALS, batch_size=ROWS, epochs=3, sample_weight=weights, shuffle=False, verbose=0)
    absent.fit(X[:10], REALS[:10], batch_size=10, epochs=3, shuffle=False, verbose=0)
    assert_close(weighted.get_weights(), absent.get_weights())


def test_only_weighted_metrics_take_the_weights():
    model = network(*two_layers(), metrics=["mae"])
    results = model.evaluate(X, REALS, batch_size=8, sample_weight=WEIGHTS, verbose=0)
    distance = np.abs(model.predict(X, verbose=0) - REALS)[:, 0]
    plain, weighted = distance.mean(), (distance * WEIGHTS).sum() / WEIGHTS.sum()
    np.testing.assert_allclose(results[1:], [plain, weighted], rtol=1e-5)
    assert model.metrics_names == ["loss", "mae", "weighted_mae"]


# Types.


def test_no_leaf_of_the_state_is_weakly_typed_and_none_changes_its_type():
    model = network(*two_layers(), optimizer="adam", metrics=["mae"])
    model.fit(X, REALS, verbose=0)
    recipe = model._recipes["train"]
    variables = [*recipe.weights, *recipe.fixed, *recipe.totals, *recipe.rates, *recipe.optimizer.variables]
    variables += [slot for group in recipe.slots for slot in group.values()]
    for variable in variables:
        assert not variable.array.weak_type, variable
        assert str(variable.array.dtype) == variable.dtype
    places = [variable.array.unsafe_buffer_pointer() for variable in {id(v): v for v in variables}.values()]
    assert len(places) == len(set(places))


def test_integers_and_booleans_are_computed_with_as_reals():
    model = network(Dense(1, kernel_initializer="ones"))
    table = RNG.integers(0, 255, (6, 4)).astype(np.uint8)
    expected = table.astype(np.float32).sum(axis=1, keepdims=True)
    for x in (table, table.astype(np.int64), table.astype(np.float64)):
        np.testing.assert_allclose(model.predict(x, verbose=0), expected, rtol=1e-6)
    flags = table > 100
    np.testing.assert_allclose(model.predict(flags, verbose=0), flags.sum(axis=1, keepdims=True))
    assert np.isfinite(model.fit(table, expected, verbose=0).history["loss"]).all()


def test_a_recipe_names_its_logs_in_the_order_of_its_measures():
    goal = Objective(Wishes("mse", metrics=["mae"]), ["dense"], [(None, 1)], [(4, 1)])
    recipe = Recipe(doltap.Sequential([doltap.Input((2,)), Dense(1)]), goal)
    assert recipe.names == ["loss", "mae"]
    assert recipe.exact_batches


def test_a_layer_that_draws_in_prediction_draws_anew_each_time():
    class Always(layers.Dropout):
        def call(self, inputs):
            return super().call(inputs, training=True)

    rows = np.ones((4, 50), np.float32)
    ahead = layers.Input((50,))
    for model in (
        doltap.Sequential([layers.Input((50,)), Always(0.5)]),
        doltap.Model(ahead, layers.Dropout(0.5)(ahead, training=True)),
    ):
        first, second = (model.predict(rows, verbose=0) for _ in range(2))
        assert (first != second).any()
        assert set(np.unique(first)) == {0, 2}
