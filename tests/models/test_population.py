import numpy as np
import pytest

import doltap as keras
from doltap.errors import (
    DataError,
    DoltapError,
    NotCompiledError,
    NotSupportedError,
    ShapeError,
    UnknownArgumentError,
    UnknownNameError,
)
from doltap.models import Population, population
from doltap.training import carriers

layers = keras.layers
RNG = np.random.default_rng(0)
X = RNG.normal(size=(83, 5)).astype("float32")
Y = (X[:, 0] + 0.5 * X[:, 1] ** 2).astype("float32")
LABELS = np.digitize(Y, [-0.3, 0.8]).astype("int64")


def build(rate=0.01, dropout=0.2, l2=1e-3, units=6, optimizer="adam", decay=None, classes=0):
    model = keras.Sequential(
        [
            layers.Dense(units, activation="relu", input_dim=5, kernel_regularizer=keras.regularizers.l2(l2)),
            layers.Dropout(dropout),
            layers.Dense(classes or 1, activation="softmax" if classes else None, name=None),
        ]
    )
    mover = keras.optimizers.get(optimizer)
    mover.learning_rate = rate
    if decay is not None:
        mover.weight_decay = decay
    if classes:
        model.compile(optimizer=mover, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    else:
        model.compile(optimizer=mover, loss="mse", metrics=["mae"])
    return model


PARAMETERS = [{"rate": 0.01}, {"rate": 0.05, "dropout": 0.5}, {"l2": 0.1, "decay": 0.01}, {"dropout": 0.0}]


def alone(number, parameters, **arguments):
    keras.utils.set_random_seed(number)
    model = build(**parameters)
    return model, model.fit(X, Y, verbose=0, **arguments)


def same(one, other):
    """The weights, the optimizer and the history are the same, to the bit."""
    (model, history), (peer, expected) = one, other
    assert history.history == expected.history
    assert history.epoch == expected.epoch
    for have, want in zip(model.get_weights(), peer.get_weights(), strict=True):
        np.testing.assert_array_equal(have, want)
    for have, want in zip(model.optimizer.variables, peer.optimizer.variables, strict=True):
        np.testing.assert_array_equal(have.numpy(), want.numpy())
    assert model.epochs_trained == peer.epochs_trained


@pytest.fixture(params=["loop", "threads"])
def carrier(request):
    return request.param


def test_members_learn_what_they_learn_alone(carrier):
    arguments = {"epochs": 3, "batch_size": 16, "validation_split": 0.2}
    population = Population(build, parameters=PARAMETERS, seeds=range(4), carrier=carrier)
    histories = population.fit(X, Y, verbose=0, **arguments)
    for number, parameters in enumerate(PARAMETERS):
        same((population.members[number], histories[number]), alone(number, parameters, **arguments))
    assert population.histories == histories


def test_a_fold_is_an_order_of_rows_and_learns_what_a_copy_would(carrier):
    folds = [np.arange(50), np.arange(30, 83), np.flatnonzero(np.arange(83) % 3)]
    left = [np.setdiff1d(np.arange(83), fold) for fold in folds]
    population = Population(build, 3, seeds=[5, 6, 7], carrier=carrier)
    histories = population.fit(X, Y, epochs=3, verbose=0, rows=folds, validation_rows=left)
    for number, (fold, rest) in enumerate(zip(folds, left, strict=True)):
        keras.utils.set_random_seed(5 + number)
        peer = build()
        expected = peer.fit(X[fold], Y[fold], epochs=3, verbose=0, validation_data=(X[rest], Y[rest]))
        same((population.members[number], histories[number]), (peer, expected))


def test_a_fold_is_split_as_its_copy_would_be():
    fold = np.arange(70)[::-1]
    population = Population(build, 1, seeds=[1])
    history = population.fit(X, Y, epochs=2, verbose=0, rows=[fold], validation_split=0.3)[0]
    keras.utils.set_random_seed(1)
    peer = build()
    expected = peer.fit(X[fold], Y[fold], epochs=2, verbose=0, validation_split=0.3)
    same((population.members[0], history), (peer, expected))


def test_sample_weights_are_for_all_or_for_each():
    weights = [RNG.uniform(0.5, 2, 83), None]
    population = Population(build, 2, seeds=[0, 1])
    found = population.fit(X, Y, epochs=2, verbose=0, sample_weight=weights)
    for number in range(2):
        expected = alone(number, {}, epochs=2, sample_weight=weights[number])
        same((population.members[number], found[number]), expected)
    population = Population(build, 2, seeds=[0, 1])
    found = population.fit(X, Y, epochs=2, verbose=0, sample_weight=weights[0])
    same((population.members[1], found[1]), alone(1, {}, epochs=2, sample_weight=weights[0]))


def test_classes_weigh_what_they_weigh_alone():
    population = Population(build, parameters=[{"classes": 3}] * 2, seeds=[0, 1])
    found = population.fit(X, LABELS, epochs=2, verbose=0, class_weight={0: 2.0, 1: 0.5})
    keras.utils.set_random_seed(1)
    peer = build(classes=3)
    expected = peer.fit(X, LABELS, epochs=2, verbose=0, class_weight={0: 2.0, 1: 0.5})
    same((population.members[1], found[1]), (peer, expected))


def test_training_goes_on_as_it_does_alone(carrier):
    population = Population(build, 2, seeds=[0, 1], carrier=carrier)
    population.fit(X, Y, epochs=2, verbose=0)
    found = population.fit(X, Y, epochs=4, initial_epoch=2, verbose=0)
    model, _ = alone(0, {}, epochs=2)
    same((population.members[0], found[0]), (model, model.fit(X, Y, epochs=4, initial_epoch=2, verbose=0)))


def test_each_member_stops_early_by_itself(carrier):
    stopping = keras.callbacks.EarlyStopping(patience=1, restore_best_weights=True)
    slowing = keras.callbacks.ReduceLROnPlateau(patience=1)
    parameters = [{"rate": 0.3}, {"rate": 0.001}, {"rate": 1.0}]
    arguments = {"epochs": 12, "validation_split": 0.25}
    population = Population(build, parameters=parameters, seeds=range(3), carrier=carrier)
    found = population.fit(X, Y, verbose=0, callbacks=[stopping, slowing], **arguments)
    lengths = []
    for number, given in enumerate(parameters):
        own = [
            keras.callbacks.EarlyStopping(patience=1, restore_best_weights=True),
            keras.callbacks.ReduceLROnPlateau(patience=1),
        ]
        same((population.members[number], found[number]), alone(number, given, callbacks=own, **arguments))
        lengths.append(len(found[number].epoch))
    assert len(set(lengths)) > 1
    assert stopping.model is None


def test_callbacks_may_come_from_a_function(tmp_path):
    def callbacks(number):
        return keras.callbacks.CSVLogger(tmp_path / f"{number}.csv")

    Population(build, 2, seeds=[0, 1]).fit(X, Y, verbose=0, callbacks=callbacks)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.csv", "1.csv"]


def test_callbacks_that_were_used_do_not_drag_their_model_along():
    stopping = keras.callbacks.EarlyStopping("loss", patience=5)
    model, _ = alone(0, {}, epochs=1, callbacks=[stopping])
    seen = []

    class Looking(keras.callbacks.Callback):
        def on_train_end(self, logs=None):
            seen.append(self.model)

    looking = Looking()
    looking.set_model(model)
    population = Population(build, 2, seeds=[0, 1])
    population.fit(X, Y, verbose=0, callbacks=[stopping, looking])
    assert seen == population.members


def test_a_member_that_turns_to_nan_harms_no_other(carrier):
    population = Population(build, parameters=[{"rate": 1e30}, {}], seeds=[0, 1], carrier=carrier)
    with pytest.warns(UserWarning, match="The loss of member 0 is not a finite number since epoch 1"):
        found = population.fit(X, Y, epochs=4, verbose=0)
    assert not np.isfinite(found[0].history["loss"][-1])
    same((population.members[1], found[1]), alone(1, {}, epochs=4))


def test_a_mistake_in_a_callback_ends_the_training(carrier):
    def callbacks(number):
        def fail(epoch, logs):
            if number == 1:
                raise RuntimeError("mine")

        return [keras.callbacks.LambdaCallback(on_epoch_end=fail)]

    with pytest.raises(RuntimeError, match="mine"):
        Population(build, 3, carrier=carrier).fit(X, Y, verbose=0, epochs=3, callbacks=callbacks)


def test_members_are_evaluated_on_all_rows_or_on_their_own():
    population = Population(build, 2, seeds=[0, 1])
    rows = [np.arange(40), np.arange(40, 83)]
    found = population.evaluate(X, Y, verbose=0, rows=rows)
    everything = population.evaluate(X, Y, verbose=0)
    for number, member in enumerate(population.members):
        part = rows[number]
        assert found[number] == member.evaluate(X[part], Y[part], verbose=0, return_dict=True)
        assert everything[number] == member.evaluate(X, Y, verbose=0, return_dict=True)


def test_an_ensemble_says_the_mean_and_how_far_apart_its_members_are():
    population = Population(build, 4, seeds=range(4))
    outputs = np.stack([member.predict(X, verbose=0) for member in population.members])
    mean, spread = population.predict(X, spread=True)
    np.testing.assert_allclose(mean, outputs.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(spread, outputs.std(axis=0), rtol=1e-5, atol=1e-7)
    np.testing.assert_array_equal(population.predict(X, combine=None), outputs)
    assert mean.dtype == np.float32


def test_an_ensemble_votes():
    population = Population(build, parameters=[{"classes": 3}] * 5, seeds=range(5))
    named = np.stack([member.predict(X, verbose=0).argmax(axis=-1) for member in population.members])
    votes, dissent = population.predict(X, combine="vote", spread=True)
    for row in range(len(X)):
        counts = np.bincount(named[:, row], minlength=3)
        assert votes[row] == counts.argmax()
        assert dissent[row] == pytest.approx(1 - counts.max() / 5)


def test_the_vote_of_two_classes_is_that_of_a_half():
    def sigmoid():
        model = keras.Sequential([layers.Dense(1, activation="sigmoid", input_dim=5)])
        model.compile(loss="binary_crossentropy")
        return model

    population = Population(sigmoid, 3, seeds=range(3))
    named = np.stack([member.predict(X, verbose=0)[:, 0] > 0.5 for member in population.members])
    np.testing.assert_array_equal(population.predict(X, "vote"), (named.sum(axis=0) >= 2).astype(int))


def test_what_is_shown_counts_members(capsys):
    Population(build, 2, seeds=[0, 1], carrier="loop").fit(X, Y, verbose=2)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "2 members"
    assert lines[1].startswith("Member 0: loss: ")
    assert lines[-1].startswith("2/2 - ")
    assert "/member - loss: " in lines[-1]


def test_models_that_are_there_may_be_members():
    models = [build(), build()]
    population = Population(models)
    assert population.members == models
    assert len(population) == 2


@pytest.mark.parametrize(
    ("cores", "backend", "size", "callbacks", "expected"),
    [
        (2, "cpu", 3, None, "threads"),
        (1, "cpu", 3, None, "loop"),
        (2, "cpu", 1, None, "loop"),
        (2, "cpu", 3, keras.callbacks.LambdaCallback(), "loop"),
        (2, "cpu", 3, keras.callbacks.EarlyStopping("loss"), "threads"),
        (2, "gpu", 3, None, "vmap"),
    ],
)
def test_the_carrier_is_chosen_by_device_size_and_callbacks(
    monkeypatch, cores, backend, size, callbacks, expected
):
    chosen = []
    found = population._Fits.carrier

    def noted(self):
        with monkeypatch.context() as patched:
            patched.setattr(carriers, "num_cores", lambda: cores)
            patched.setattr(population.jax, "default_backend", lambda: backend)
            chosen.append(found(self))
        return "loop"

    monkeypatch.setattr(population._Fits, "carrier", noted)
    Population(build, size).fit(X, Y, verbose=0, callbacks=callbacks)
    assert chosen == [expected]


def twice(model):
    return [model, model]


def of_other_activation():
    model = build()
    model.layers[0].activation = keras.activations.tanh
    return model


def with_one_more():
    model = keras.Sequential([*build().layers, layers.Dense(1)])
    model.compile(loss="mse")
    return model


def wired(swapped):
    inputs = keras.Input((5,))
    first, second = layers.Dense(5, name="first"), layers.Dense(5, name="second")
    one = first(inputs)
    other = second(one)
    outputs = layers.Subtract()([other, one] if swapped else [one, other])
    model = keras.Model(inputs, outputs)
    model.compile(loss="mse")
    return model


@pytest.mark.parametrize(
    ("members", "said"),
    [
        (
            lambda: [build(), build(), build(units=7)],
            r"members 0 and 2, layer 'dense\w*': .*units=6.*units=7",
        ),
        (lambda: [build(), of_other_activation()], r"members 0 and 1, layer 'dense\w*': .*activation"),
        (lambda: [build(), with_one_more()], r"members 0 and 1, layer 'dense\w*': .*one more"),
        (lambda: [wired(False), wired(True)], r"members 0 and 1: .*called in the same order"),
        (lambda: twice(build()), "members 0 and 1: .*of their own"),
    ],
)
def test_members_of_two_architectures_are_named_with_the_layer(members, said):
    with pytest.raises(DoltapError, match=said):
        Population(members())


def test_layers_of_another_kind_are_named():
    def built(kind):
        model = keras.Sequential([keras.Input((5,)), kind, layers.Dense(1)])
        model.compile(loss="mse")
        return model

    with pytest.raises(NotSupportedError, match=r"layer 'dropout.*Dropout in both, got GaussianNoise"):
        Population([built(layers.Dropout(0.1)), built(layers.GaussianNoise(0.1))])


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda: Population(build), ShapeError, "one number of members, got none"),
        (lambda: Population(build, 3, seeds=[1]), ShapeError, "3 size and 1 seeds"),
        (lambda: Population(build, parameters=[{"ratte": 1}]), UnknownArgumentError, "Did you mean 'rate='"),
        (lambda: Population(lambda units: build(), 2), DataError, "a value for 'units'"),
        (lambda: Population(lambda: None, 2), NotSupportedError, "return model"),
        (lambda: Population([]), ShapeError, "at least one"),
        (lambda: Population([build()], 2), NotSupportedError, "beside a function"),
        (lambda: Population(build, 2, carrier="thread"), UnknownNameError, "Did you mean 'threads'"),
        (lambda: Population([keras.Sequential([layers.Dense(1)])]), NotCompiledError, "member 0"),
        (lambda: Population(build, 2, seed=3), UnknownArgumentError, "Did you mean 'seeds='"),
    ],
)
def test_a_population_that_cannot_be_made_says_why(call, error, said):
    with pytest.raises(error, match=said):
        call()


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({"rows": [np.arange(3)]}, ShapeError, "each of the 2 members, got 1"),
        ({"rows": [np.arange(3), np.arange(84)]}, DataError, r"rows\[1\]: .*from -83 to 82, got 0 to 83"),
        ({"rows": [np.arange(3), np.array([])]}, DataError, "numbers of rows"),
        ({"validation_data": (X, Y), "validation_rows": [None, None]}, DataError, "got both"),
        ({"callbacks": [keras.callbacks.CSVLogger("a")]}, NotSupportedError, "CSVLogger"),
        ({"callbacks": lambda n: keras.callbacks.BackupAndRestore("a")}, NotSupportedError, "resumed"),
        ({"epoch": 3}, UnknownArgumentError, "Did you mean 'epochs='"),
        ({"sample_weight": [np.ones(83), np.ones(82)]}, ShapeError, "sample_weight"),
    ],
)
def test_a_fit_that_cannot_be_done_says_why(arguments, error, said):
    population = Population(build, 2)
    with pytest.raises(error, match=said):
        population.fit(X, Y, verbose=0, **arguments)


def test_a_generator_cannot_be_shared():
    with pytest.raises(NotSupportedError, match="gives its batches once"):
        Population(build, 2).fit(((X[:4], Y[:4]) for _ in range(2)), verbose=0)


def test_a_combination_has_a_name():
    with pytest.raises(UnknownNameError, match="Did you mean 'mean'"):
        Population(build, 2).predict(X, "men")


def test_a_member_whose_outputs_are_not_finite_has_no_say():
    members = Population(build, seeds=range(3), parameters=[{"classes": 3}] * 3)
    members[1].set_weights([np.full_like(one, np.nan) for one in members[1].get_weights()])
    good = Population([members[0], members[2]])
    for combine in ("mean", "vote"):
        with pytest.warns(UserWarning, match="outputs of member 1 are not .* left out, and 2 of 3"):
            mean, spread = members.predict(X, combine, spread=True)
        expected, apart = good.predict(X, combine, spread=True)
        np.testing.assert_array_equal(mean, expected)
        np.testing.assert_array_equal(spread, apart)
    assert np.isnan(members.predict(X, None)[1]).all()


def test_where_no_member_gives_finite_outputs_none_is_left_out():
    members = Population(build, 2)
    for member in members:
        member.set_weights([np.full_like(one, np.nan) for one in member.get_weights()])
    with pytest.warns(UserWarning, match="members 0, 1 are not all finite .* every member"):
        mean = members.predict(X)
    assert np.isnan(mean).all()


def test_members_are_got_by_number_and_one_after_the_other():
    population = Population(build, 3)
    assert population[2] is population.members[2]
    assert population[1:] == population.members[1:]
    assert list(population) == population.members
    assert population.histories == [None, None, None]


def test_rows_that_are_pairs_or_none_are_refused_by_name():
    folds = [(np.arange(40), np.arange(40, 83)), (np.arange(40, 83), np.arange(40))]
    with pytest.raises(
        DataError, match=r"pairs of train and test[\s\S]*rows=\[train for train, _ in folds\]"
    ):
        Population(build, 2).fit(X, Y, verbose=0, rows=folds)
    with pytest.raises(DataError, match=r"rows\[1\]: .* got no rows"):
        Population(build, 2).fit(X, Y, verbose=0, rows=[[0], []])
