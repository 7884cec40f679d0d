import os
import pickle
import subprocess
import sys
import warnings

import numpy as np
import pytest

import doltap as keras
from doltap.models import Population
from doltap.training import lanes

layers = keras.layers
RNG = np.random.default_rng(1)
X = RNG.normal(size=(90, 4)).astype("float32")
Y = (X[:, 0] * X[:, 1] + X[:, 2]).astype("float32")


def build(rate=0.01, dropout=0.2, optimizer="adam", norm=False, l1=0.0, l2=0.01, **options):
    costs = keras.regularizers.L1L2(l1, l2)
    model = keras.Sequential([keras.Input((4,)), layers.Dense(5, "tanh", kernel_regularizer=costs)])
    if norm:
        model.add(layers.BatchNormalization())
    model.add(layers.Dropout(dropout))
    model.add(layers.Dense(1))
    mover = keras.optimizers.get({"class_name": optimizer, "config": {"learning_rate": rate, **options}})
    model.compile(optimizer=mover, loss="mse", metrics=["mae"])
    return model


def alike(model, history, peer, expected, tolerance=1e-5):
    for name, values in expected.history.items():
        np.testing.assert_allclose(history.history[name], values, rtol=tolerance, atol=tolerance)
    assert history.epoch == expected.epoch
    assert history.history.keys() == expected.history.keys()
    for have, want in zip(model.get_weights(), peer.get_weights(), strict=True):
        np.testing.assert_allclose(have, want, rtol=tolerance, atol=tolerance)
    for have, want in zip(model.optimizer.variables, peer.optimizer.variables, strict=True):
        np.testing.assert_allclose(have.numpy(), want.numpy(), rtol=1e-4, atol=tolerance)
    assert model.epochs_trained == peer.epochs_trained


@pytest.fixture
def widths(monkeypatch):
    """For how many members each stack had room, in order."""
    seen = []
    begin, narrow = lanes.Stack.__init__, lanes.Stack.narrow

    def noted_begin(self, members):
        begin(self, members)
        seen.append(self.width)

    def noted_narrow(self, width):
        kept = narrow(self, width)
        seen.append(self.width)
        return kept

    monkeypatch.setattr(lanes.Stack, "__init__", noted_begin)
    monkeypatch.setattr(lanes.Stack, "narrow", noted_narrow)
    return seen


@pytest.mark.parametrize(
    "parameters",
    [
        [{"rate": 0.01}, {"rate": 0.05, "dropout": 0.5}, {"rate": 0.02, "l2": 0.2}],
        [{"optimizer": "sgd", "momentum": 0.9, "rate": rate} for rate in (0.01, 0.05)],
        [{"optimizer": "adamw", "weight_decay": decay} for decay in (0.01, 0.1)],
        [
            {"optimizer": "rmsprop", "clipnorm": 0.5, "use_ema": True},
            {"optimizer": "rmsprop", "clipnorm": 0.5, "use_ema": True},
        ],
        [{"norm": True}, {"norm": True, "rate": 0.05}],
    ],
    ids=["adam", "momentum", "adamw", "averages", "batchnorm"],
)
def test_side_by_side_members_learn_what_they_learn_alone(parameters, widths):
    # Twenty steps, the last of each epoch a short one.
    arguments = {"epochs": 5, "batch_size": 20, "validation_split": 0.2}
    population = Population(build, parameters=parameters, seeds=range(len(parameters)), carrier="vmap")
    found = population.fit(X, Y, verbose=0, **arguments)
    assert widths == [len(parameters)]
    for number, given in enumerate(parameters):
        keras.utils.set_random_seed(number)
        peer = build(**given)
        alike(population.members[number], found[number], peer, peer.fit(X, Y, verbose=0, **arguments))


def test_folds_of_different_lengths_and_weights_go_side_by_side(widths):
    folds = [np.arange(33), np.arange(20, 90), np.flatnonzero(np.arange(90) % 3)]
    left = [np.setdiff1d(np.arange(90), fold)[: 40 + 3 * number] for number, fold in enumerate(folds)]
    weights = [RNG.uniform(0.5, 2, 90).astype("float32") for _ in folds]
    population = Population(build, 3, seeds=range(3), carrier="vmap")
    found = population.fit(
        X, Y, 16, 4, 0, rows=folds, validation_rows=left, sample_weight=weights, validation_batch_size=8
    )
    assert widths == [3]
    for number, fold in enumerate(folds):
        keras.utils.set_random_seed(number)
        peer = build()
        held_out = (X[left[number]], Y[left[number]])
        expected = peer.fit(
            X[fold], Y[fold], 16, 4, 0,
            sample_weight=weights[number][fold], validation_data=held_out, validation_batch_size=8,
        )  # fmt: skip
        alike(population.members[number], found[number], peer, expected)


def test_weights_of_a_split_count_for_its_validation():
    weights = [RNG.uniform(0.5, 2, 90).astype("float32") for _ in range(2)]
    population = Population(build, 2, seeds=range(2), carrier="vmap")
    found = population.fit(X, Y, epochs=2, verbose=0, sample_weight=weights, validation_split=0.3)
    for number in range(2):
        keras.utils.set_random_seed(number)
        peer = build()
        expected = peer.fit(X, Y, epochs=2, verbose=0, sample_weight=weights[number], validation_split=0.3)
        alike(population.members[number], found[number], peer, expected)


def test_members_that_stop_early_make_room(widths):
    # What counts as better: never, for some.
    deltas = [-9.0, 100.0, -9.0, 100.0, 100.0, -9.0]

    def callbacks(number):
        if deltas[number] < 0:
            return []
        kind = keras.callbacks.EarlyStopping
        return [kind(min_delta=deltas[number], patience=number, restore_best_weights=True)]

    arguments = {"epochs": 9, "validation_split": 0.2}
    population = Population(build, 6, seeds=range(6), carrier="vmap")
    found = population.fit(X, Y, verbose=0, callbacks=callbacks, **arguments)
    assert widths == [6, 3]
    for number in range(6):
        keras.utils.set_random_seed(number)
        peer = build()
        expected = peer.fit(X, Y, verbose=0, callbacks=callbacks(number), **arguments)
        alike(population.members[number], found[number], peer, expected)
    assert [len(history.epoch) for history in found] == [9, 2, 9, 4, 5, 9]


def test_many_epochs_that_nobody_watches_stand_in_the_history(widths):
    population = Population(build, 2, seeds=range(2), carrier="vmap")
    found = population.fit(X, Y, batch_size=90, epochs=40, verbose=0)
    keras.utils.set_random_seed(1)
    peer = build()
    alike(population.members[1], found[1], peer, peer.fit(X, Y, batch_size=90, epochs=40, verbose=0))


def test_a_member_that_turns_to_nan_harms_no_other_of_its_program():
    parameters = [{"rate": 1e30}, {}]
    population = Population(build, parameters=parameters, seeds=range(2), carrier="vmap")
    with pytest.warns(UserWarning, match="no(t a)? finite number"):
        found = population.fit(X, Y, epochs=4, verbose=0)
    assert not np.isfinite(found[0].history["loss"][-1])
    keras.utils.set_random_seed(1)
    peer = build()
    alike(population.members[1], found[1], peer, peer.fit(X, Y, epochs=4, verbose=0))


def test_a_member_is_ended_at_its_bad_step_while_others_go_on(capsys):
    parameters = [{"rate": 1e30}, {}]
    population = Population(build, parameters=parameters, seeds=range(2), carrier="vmap")
    ending = keras.callbacks.TerminateOnNaN()
    with pytest.warns(UserWarning, match="member 0 is not .* side by side .* Training ends here"):
        found = population.fit(X, Y, 8, 4, 0, callbacks=[ending], validation_split=0.2)
    printed = capsys.readouterr().out
    for number, given in enumerate(parameters):
        keras.utils.set_random_seed(number)
        peer = build(**given)
        ending = keras.callbacks.TerminateOnNaN()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = peer.fit(X, Y, 8, 4, 0, callbacks=[ending], validation_split=0.2)
        assert found[number].epoch == expected.epoch
        assert peer.optimizer.iterations == population.members[number].optimizer.iterations
    assert capsys.readouterr().out == printed


def test_callbacks_see_and_set_the_weights_of_their_member():
    class Halving(keras.callbacks.Callback):
        def __init__(self):
            self.seen = []

        def on_epoch_end(self, epoch, logs=None):
            self.seen.append(self.model.get_weights()[0])
            self.seen.append(np.array(self.model.layers[-1].kernel))
            if epoch == 1:
                self.model.layers[0].kernel.assign(self.seen[-2] / 2)
            self.model.optimizer.learning_rate = 0.01 / (epoch + 1)

    mine = [Halving(), Halving()]
    population = Population(build, 2, seeds=range(2), carrier="vmap")
    found = population.fit(X, Y, epochs=4, verbose=0, callbacks=lambda number: mine[number])
    for number in range(2):
        keras.utils.set_random_seed(number)
        peer, looking = build(), Halving()
        expected = peer.fit(X, Y, epochs=4, verbose=0, callbacks=looking)
        alike(population.members[number], found[number], peer, expected)
        for have, want in zip(mine[number].seen, looking.seen, strict=True):
            np.testing.assert_allclose(have, want, rtol=1e-5, atol=1e-6)


def test_a_member_may_be_pickled_afterwards():
    setting = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: first.layers[0].bias.assign(5 * [0.0])
    )
    population = Population(build, 3, seeds=range(3), carrier="vmap")
    first = population.members[0]
    population.fit(X, Y, verbose=0, callbacks=lambda number: [setting])
    sizes = [len(pickle.dumps(member)) for member in population.members]
    assert max(sizes) < 2 * len(pickle.dumps(build()))
    assert not any("_make" in vars(weight) for member in population.members for weight in member.weights)
    assert not first.layers[0].bias.numpy().any()


def test_kinds_that_differ_go_one_after_the_other(widths):
    parameters = [{"optimizer": "sgd"}, {}, {"dropout": 0.0}, {}, {"optimizer": "sgd"}]
    population = Population(build, parameters=parameters, seeds=range(5), carrier="vmap")
    found = population.fit(X, Y, epochs=2, verbose=0)
    assert widths == [2, 2, 1]
    for number, given in enumerate(parameters):
        keras.utils.set_random_seed(number)
        peer = build(**given)
        alike(population.members[number], found[number], peer, peer.fit(X, Y, epochs=2, verbose=0))


class Doubling(layers.Layer):
    def call(self, inputs):
        return 2.0 * inputs


@pytest.mark.parametrize("reason", ["code of one's own", "every batch", "accumulation"])
def test_what_cannot_go_side_by_side_is_trained_alone(reason, widths):
    def own():
        model = build(**({"gradient_accumulation_steps": 2} if reason == "accumulation" else {}))
        if reason == "code of one's own":
            model = keras.Sequential([keras.Input((4,)), Doubling(), layers.Dense(1)])
            model.compile(loss="mse")
        return model

    heard = []
    callbacks = None
    if reason == "every batch":
        callbacks = [
            keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: heard.append(batch))
        ]
    population = Population(own, 2, seeds=range(2), carrier="vmap")
    found = population.fit(X, Y, epochs=2, verbose=0, callbacks=callbacks)
    assert widths == []
    assert len(heard) == (12 if callbacks else 0)
    keras.utils.set_random_seed(1)
    peer = own()
    assert found[1].history == peer.fit(X, Y, epochs=2, verbose=0).history


def test_after_an_error_members_are_models_of_their_own():
    def fail(epoch, logs):
        if epoch == 1:
            raise RuntimeError("mine")

    population = Population(build, 3, seeds=range(3), carrier="vmap")
    with pytest.raises(RuntimeError, match="mine"):
        population.fit(
            X, Y, verbose=0, epochs=3, callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=fail)]
        )
    for member in population.members:
        assert int(member.optimizer.iterations.numpy()) == 6
        assert not any(weight.is_elsewhere for weight in member.weights)
    population.fit(X, Y, verbose=0)


def test_two_devices_change_nothing():
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import test_population_mapped as t, jax;"
        "assert len(jax.devices()) == 2;"
        "t.test_many_epochs_that_nobody_watches_stand_in_the_history(None)"
    )
    environment = {
        **os.environ,
        "XLA_FLAGS": "--xla_force_host_platform_device_count=2",
        "JAX_PLATFORMS": "cpu",
    }
    folder = os.path.dirname(__file__)
    done = subprocess.run(
        [sys.executable, "-c", code, folder], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
