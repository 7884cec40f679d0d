"""Batches from generators, data sets and loaders, beside real Keras and beside arrays."""

import warnings

import numpy as np
import pytest

import doltap
from doltap import ops
from doltap.callbacks import Callback, LambdaCallback
from doltap.errors import DataError, DoltapError, ShapeError
from doltap.layers import Dense, Input
from doltap.models import Model, Sequential
from doltap.utils import PyDataset, Sequence

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation"),
    pytest.mark.filterwarnings("ignore:`shuffle=True` was passed"),
]


def batch(number, rows=4):
    chance = np.random.default_rng(number)
    return chance.random((rows, 2), dtype=np.float32), chance.random((rows, 1), dtype=np.float32)


X, Y = (np.concatenate(parts) for parts in zip(*map(batch, range(5)), strict=True))


def model_of(lib=doltap, **options):
    model = lib.Sequential([lib.Input((2,)), lib.layers.Dense(1, kernel_initializer="ones")])
    model.compile(lib.optimizers.SGD(0.1), "mse", **options)
    return model


class Counted:
    """Something that gives batches, and how many it gave."""

    def __init__(self):
        self.given = 0

    def generator(self, count):
        for number in range(count):
            self.given += 1
            yield batch(number % 5)

    def again(self, count):
        outer = self

        class Again:
            def __iter__(self):
                return outer.generator(count)

        return Again()

    def py_dataset(self, count, lib=doltap, **options):
        outer = self

        class Numbered(lib.utils.PyDataset):
            def __len__(self):
                return count

            def __getitem__(self, index):
                outer.given += 1
                return batch(index % 5)

        return Numbered(**options)

    def loader(self, count, lib=doltap):
        torch = pytest.importorskip("torch")
        data = torch.utils.data.TensorDataset(*map(torch.tensor, (X[: 4 * count], Y[: 4 * count])))
        return torch.utils.data.DataLoader(data, batch_size=4)

    def like_tensorflow(self, count):
        outer = self

        class Tensor:
            def __array__(self, dtype=None, copy=None):
                raise AssertionError("tensors are asked for their NumPy values")

        class Dataset:
            def __iter__(self):
                return iter([(Tensor(), Tensor())])

            def as_numpy_iterator(self):
                return outer.generator(count)

            def __len__(self):
                raise TypeError("The dataset length is unknown.")

        return Dataset()


KINDS = ["generator", "again", "py_dataset", "loader", "like_tensorflow"]


def feed(kind, count=5):
    counted = Counted()
    return counted, getattr(counted, kind)(count)


# What is learned.


@pytest.mark.parametrize("kind", KINDS)
def test_batches_one_by_one_train_like_the_same_arrays(kind):
    _, data = feed(kind)
    one, other = model_of(metrics=["mae"]), model_of(metrics=["mae"])
    found = one.fit(data, shuffle=False, verbose=0).history
    wanted = other.fit(X, Y, batch_size=4, shuffle=False, verbose=0).history
    np.testing.assert_allclose(one.get_weights()[0], other.get_weights()[0], rtol=1e-6)
    assert {name: values[0] for name, values in found.items()} == pytest.approx(
        {name: values[0] for name, values in wanted.items()}, rel=1e-6
    )


@pytest.mark.parametrize("kind", KINDS)
def test_evaluate_and_predict_take_what_fit_takes(kind):
    model = model_of(metrics=["mae"])
    wanted = model.evaluate(X, Y, batch_size=4, verbose=0)
    assert model.evaluate(feed(kind)[1], verbose=0) == pytest.approx(wanted, rel=1e-5)
    np.testing.assert_allclose(
        model.predict(feed(kind)[1], verbose=0), model.predict(X, verbose=0), rtol=1e-6
    )
    assert model.predict(feed(kind)[1], steps=2, verbose=0).shape == (8, 1)
    part = model.evaluate(X[:8], Y[:8], batch_size=4, verbose=0)
    assert model.evaluate(feed(kind)[1], steps=2, verbose=0) == pytest.approx(part, rel=1e-5)


@pytest.mark.parametrize("kind", ["again", "py_dataset", "loader", "like_tensorflow"])
def test_data_that_begins_again_serves_every_epoch_and_validation(kind):
    model = model_of()
    data = feed(kind)[1]
    history = model.fit(data, epochs=3, shuffle=False, validation_data=feed(kind)[1], verbose=0).history
    other = model_of()
    wanted = other.fit(X, Y, batch_size=4, epochs=3, shuffle=False, validation_data=(X, Y), verbose=0).history
    assert history["loss"] == pytest.approx(wanted["loss"], rel=1e-5)
    assert history["val_loss"] == pytest.approx(wanted["val_loss"], rel=1e-5)


@pytest.mark.parametrize(
    ("kind", "count", "options"),
    [
        ("generator", 6, {"epochs": 2, "steps_per_epoch": 3}),
        ("generator", 9, {"epochs": 2, "steps_per_epoch": 3}),
        ("py_dataset", 5, {"epochs": 2}),
        ("py_dataset", 5, {"epochs": 3, "steps_per_epoch": 3}),
        ("py_dataset", 2, {"epochs": 2, "steps_per_epoch": 5}),
        ("loader", 5, {"epochs": 3, "steps_per_epoch": 3}),
        ("loader", 3, {"epochs": 2}),
    ],
)
def test_epochs_are_cut_as_in_keras(keras, kind, count, options):
    weights = []
    for lib in (keras, doltap):
        counted = Counted()
        make = getattr(counted, kind)
        data = make(count) if kind == "generator" else make(count, lib)
        model = model_of(lib)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fitted = model.fit(data, shuffle=False, verbose=0, **options)
        weights.append((model.get_weights()[0], len(fitted.history["loss"])))
    np.testing.assert_allclose(weights[1][0], weights[0][0], rtol=1e-5)
    assert weights[0][1] == weights[1][1]


# How much is taken.


@pytest.mark.parametrize(
    "options", [{}, {"callbacks": [LambdaCallback(on_train_batch_end=lambda b, logs: None)]}]
)
def test_exactly_as_many_batches_are_taken_as_asked_for(options):
    counted, data = feed("generator", 100)
    model = model_of()
    model.fit(data, steps_per_epoch=7, epochs=3, verbose=0, **options)
    assert counted.given == 21
    model.evaluate(data, steps=4, verbose=0)
    assert counted.given == 25
    model.predict(data, steps=2, verbose=0)
    assert counted.given == 27


def test_validation_takes_its_steps_and_no_more():
    counted, data = feed("generator", 100)
    history = (
        model_of()
        .fit(X, Y, validation_data=data, validation_steps=3, validation_freq=2, epochs=4, verbose=0)
        .history
    )
    assert len(history["val_loss"]) == 2
    assert counted.given == 6


def test_who_hears_every_batch_hears_it_before_the_next_is_taken():
    counted, data = feed("generator", 10)
    seen = []

    class Stopping(Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append((batch, counted.given))
            self.model.stop_training = batch == 2

    model_of().fit(data, steps_per_epoch=10, verbose=0, callbacks=[Stopping()])
    assert seen == [(0, 1), (1, 2), (2, 3)]


def test_steps_beside_arrays_go_on_where_the_last_epoch_stopped():
    one, other = model_of(), model_of()
    one.fit(X[:16], Y[:16], batch_size=4, steps_per_epoch=2, epochs=4, shuffle=False, verbose=0)
    other.fit(X[:16], Y[:16], batch_size=4, epochs=2, shuffle=False, verbose=0)
    np.testing.assert_allclose(one.get_weights()[0], other.get_weights()[0], rtol=1e-6)


def test_steps_beside_arrays_go_with_a_validation_split():
    model = model_of()
    history = model.fit(X, Y, batch_size=4, steps_per_epoch=2, validation_split=0.25, verbose=0).history
    assert history["val_loss"][0] == pytest.approx(model.evaluate(X[15:], Y[15:], verbose=0), rel=1e-5)


@pytest.mark.parametrize("steps", [2.0, np.ceil(1.5), np.float32(2)])
def test_steps_may_be_a_number_that_was_rounded(steps):
    history = model_of().fit(X, Y, batch_size=4, steps_per_epoch=steps, validation_split=0.25, verbose=0)
    assert history.params["steps"] == 2


@pytest.mark.parametrize("freq", [2, [1, 4], (4,)])
def test_validation_comes_after_the_epochs_asked_for(freq):
    history = model_of().fit(X, Y, epochs=5, validation_data=(X, Y), validation_freq=freq, verbose=0).history
    assert len(history["val_loss"]) == (len(freq) if not isinstance(freq, int) else 2)


# When the data ends.


def test_a_generator_that_ends_early_ends_the_training_with_a_warning():
    model = model_of()
    with pytest.warns(UserWarning, match=r"2 of 3 batches in epoch 2; fit ends here"):
        history = model.fit(feed("generator", 5)[1], steps_per_epoch=3, epochs=5, verbose=0).history
    assert len(history["loss"]) == 2
    assert model.stop_training


def test_a_generator_for_several_epochs_needs_their_length():
    with pytest.warns(UserWarning, match="used up before epoch 2"):
        history = model_of().fit(feed("generator", 5)[1], epochs=3, verbose=0).history
    assert len(history["loss"]) == 1


def test_data_that_begins_again_ends_only_the_epoch():
    with pytest.warns(UserWarning, match="begins anew"):
        history = model_of().fit(feed("again", 2)[1], steps_per_epoch=3, epochs=2, verbose=0).history
    assert len(history["loss"]) == 2


def test_evaluations_and_predictions_that_end_early_say_so():
    model = model_of()
    with pytest.warns(UserWarning, match=r"2 of 3 batches.*evaluate ends here"):
        model.evaluate(feed("generator", 2)[1], steps=3, verbose=0)
    with pytest.warns(UserWarning, match=r"2 of 3 batches.*predict ends here"):
        assert len(model.predict(feed("generator", 2)[1], steps=3, verbose=0)) == 8


@pytest.mark.parametrize("call", ["fit", "evaluate", "predict"])
def test_data_without_batches_is_refused(call):
    with pytest.raises(DataError, match="at least one batch"):
        getattr(model_of(), call)(iter([]), verbose=0)


def test_ragged_last_batches_count_with_their_rows():
    def ragged():
        yield batch(0)
        yield batch(1, rows=3)
        yield batch(2, rows=1)

    one, other = model_of(), model_of()
    found = one.fit(ragged(), verbose=0).history["loss"][0]
    x, y = (np.concatenate(parts) for parts in zip(batch(0), batch(1, 3), batch(2, 1), strict=True))
    losses, weights = [], []
    for part in (batch(0), batch(1, 3), batch(2, 1)):
        losses.append(other.train_on_batch(*part))
        weights.append(len(part[0]))
    assert found == pytest.approx(np.average(losses, weights=weights), rel=1e-5)
    np.testing.assert_allclose(one.get_weights()[0], other.get_weights()[0], rtol=1e-6)
    assert one.evaluate(ragged(), verbose=0) == pytest.approx(one.evaluate(x, y, verbose=0), rel=1e-5)


# PyDataset.


def test_sequence_is_the_older_name():
    assert Sequence is PyDataset


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_batches_come_in_order_however_many_threads_read(workers):
    model = model_of()
    data = Counted().py_dataset(5, workers=workers, max_queue_size=2)
    np.testing.assert_allclose(model.predict(data, verbose=0), model.predict(X, verbose=0), rtol=1e-6)


def test_a_data_set_is_told_of_epochs_and_shuffled():
    class Told(PyDataset):
        def __init__(self):
            super().__init__()
            self.order, self.ends, self.begins = [], 0, 0

        def __len__(self):
            return 5

        def __getitem__(self, index):
            self.order.append(index)
            return batch(index)

        def on_epoch_begin(self):
            self.begins += 1

        def on_epoch_end(self):
            self.ends += 1

    data = Told()
    model_of().fit(data, epochs=3, verbose=0)
    assert (data.begins, data.ends) == (3, 3)
    epochs = [data.order[start : start + 5] for start in (0, 5, 10)]
    assert all(sorted(epoch) == list(range(5)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) > 1


def test_a_data_set_without_end_needs_steps():
    class Endless(PyDataset):
        @property
        def num_batches(self):
            return None

        def __getitem__(self, index):
            return batch(index % 5)

    model = model_of()
    model.fit(Endless(), steps_per_epoch=10, epochs=2, verbose=0)
    assert int(model.optimizer.iterations) == 20


def test_a_mistake_in_a_data_set_comes_out_as_it_is():
    class Broken(PyDataset):
        def __len__(self):
            return 3

        def __getitem__(self, index):
            return {}["missing"] if index == 2 else batch(index)

    with pytest.raises(KeyError, match="missing"):
        model_of().fit(Broken(workers=2), shuffle=False, verbose=0)


def test_processes_are_threads_and_say_so():
    with pytest.warns(UserWarning, match="threads"):
        Counted().py_dataset(3, use_multiprocessing=True)


# Several inputs, several outputs, weights.


def several():
    a, b = Input((2,), name="a"), Input((3,), name="b")
    joined = ops.concatenate([a, b], axis=-1)
    outputs = {"p": Dense(1, name="p")(joined), "q": Dense(2, name="q")(joined)}
    model = Model({"a": a, "b": b}, outputs)
    model.compile("sgd", {"p": "mse", "q": "mse"})
    return model


def parts(number):
    chance = np.random.default_rng(number)
    x = {"a": chance.random((4, 2)), "b": chance.random((4, 3))}
    y = {"p": chance.random((4, 1)), "q": chance.random((4, 2))}
    return x, y, {"p": chance.random(4), "q": chance.random(4)}


def test_batches_hold_dicts_of_inputs_labels_and_weights():
    model, other = several(), several()
    other.set_weights(model.get_weights())
    model.fit((parts(number) for number in range(3)), verbose=0)
    for number in range(3):
        other.train_on_batch(*parts(number))
    for one, two in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-5)
    assert set(model.predict((parts(n)[0] for n in range(2)), verbose=0)) == {"p", "q"}


def test_batches_hold_tuples_of_inputs():
    a, b = Input((2,)), Input((2,))
    model = Model([a, b], Dense(1)(a + b))
    model.compile("sgd", "mse")
    data = [((batch(n)[0], batch(n + 1)[0]), batch(n)[1]) for n in range(3)]
    model.fit(iter(data), verbose=0)
    assert model.predict(iter([(x,) for x, _ in data]), verbose=0).shape == (12, 1)


def test_class_weights_count_in_batches_too():
    labels = (Y[:, 0] > 0.5).astype(int)
    one, other = (Sequential([Input((2,)), Dense(2, "softmax", kernel_initializer="ones")]) for _ in range(2))
    for model in (one, other):
        model.compile("sgd", "sparse_categorical_crossentropy")
    weight = {0: 1.0, 1: 5.0}
    one.fit(X, labels, batch_size=4, shuffle=False, class_weight=weight, verbose=0)
    batches = ((X[s : s + 4], labels[s : s + 4]) for s in range(0, 20, 4))
    other.fit(batches, class_weight=weight, verbose=0)
    np.testing.assert_allclose(one.get_weights()[0], other.get_weights()[0], rtol=1e-6)


# What is shown.


@pytest.mark.parametrize("verbose", [1, 2])
def test_the_length_that_nobody_knows_is_shown_at_the_end(verbose, capsys):
    model = model_of()
    model.fit(feed("again", 3)[1], epochs=2, verbose=verbose)
    shown = capsys.readouterr().out
    assert "Epoch 2/2" in shown
    assert shown.count("3/3") == 2
    model.evaluate(feed("generator", 3)[1], verbose=verbose)
    model.predict(feed("generator", 2)[1], verbose=verbose)
    shown = capsys.readouterr().out
    assert "3/3" in shown
    assert "2/2" in shown
    assert "None" not in shown


def test_callbacks_hear_batches_of_evaluations_and_predictions():
    heard = []
    listener = LambdaCallback()
    listener.on_test_batch_end = lambda number, logs=None: heard.append(("test", number))
    listener.on_predict_batch_end = lambda number, logs=None: heard.append(("predict", number))
    model = model_of()
    model.evaluate(feed("generator", 2)[1], callbacks=[listener], verbose=0)
    model.predict(feed("generator", 2)[1], callbacks=[listener], verbose=0)
    assert heard == [("test", 0), ("test", 1), ("predict", 0), ("predict", 1)]


# Mistakes.


def test_a_batch_with_nan_is_named():
    def broken():
        yield batch(0)
        x, y = batch(1)
        x[2, 1] = np.nan
        yield x, y

    with pytest.raises(DataError, match=r"batch 2's x: .*NaN in row 2"):
        model_of().fit(broken(), verbose=0)


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ((batch(0)[0][:, :1], batch(0)[1]), ShapeError),
        ((batch(0)[0], batch(0)[1][:2]), ShapeError),
        ((batch(0)[0],), DataError),
        (({"a": 1}, batch(0)[1]), DoltapError),
        ((*batch(0), None, None), DoltapError),
        ((np.array([["a", "b"]]), batch(0)[1][:1]), DataError),
    ],
)
def test_batches_that_do_not_fit_are_refused(wrong, error):
    with pytest.raises(error):
        model_of().fit(iter([batch(0), wrong]), verbose=0)


@pytest.mark.parametrize("beside", [{"y": Y}, {"sample_weight": Y[:, 0]}, {"validation_split": 0.5}])
def test_what_cannot_come_beside_a_generator_is_refused(beside):
    with pytest.raises(DataError, match="none beside a generator"):
        model_of().fit(feed("generator")[1], verbose=0, **beside)


@pytest.mark.parametrize("steps", [0, -1, 2.5, "3", True])
def test_steps_are_whole_numbers(steps):
    with pytest.raises(DataError, match="steps_per_epoch"):
        model_of().fit(X, Y, steps_per_epoch=steps, verbose=0)


def test_a_loss_that_is_no_number_is_said_at_once_for_batches_too():
    model = model_of()
    model.compile(doltap.optimizers.SGD(1e30), "mse")
    with pytest.warns(UserWarning, match=r"since epoch 1, step 2"):
        model.fit(feed("generator", 5)[1], verbose=0)
