"""Training ends where it ends in real Keras."""

from __future__ import annotations

import numpy as np
import pytest
from callback_runs import Stub, X, Y, fit, model_of, quiet_peer
from hypothesis import given, settings
from hypothesis import strategies as st

import doltap
from doltap.callbacks import Callback, EarlyStopping, TerminateOnNaN
from doltap.errors import DataError, NotSupportedError, UnknownArgumentError

pytestmark = quiet_peer

# EarlyStopping, driven by hand.


def story(callback, values, monitor):
    """What a run does whose logs hold these values: the epochs it lasts, and what is left."""
    model = Stub()
    callback.set_model(model)
    callback.on_train_begin({})
    epoch = -1
    for epoch, value in enumerate(values):
        model.epoch = epoch
        callback.on_epoch_end(epoch, {"other": 1.0, monitor: value})
        if model.stop_training:
            break
    callback.on_train_end({})
    return epoch, model.epoch, callback.stopped_epoch, callback.best_epoch, callback.wait


# Multiples of an eighth are exact in Keras's float32 as well as in ours; NaN may come.
eighths = st.integers(-8, 8).map(lambda number: number / 8) | st.just(float("nan"))
arguments = st.fixed_dictionaries(
    {
        "monitor": st.sampled_from(["val_loss", "loss", "val_accuracy"]),
        "min_delta": st.sampled_from([0, 0.125, -0.25, 1]),
        "patience": st.integers(0, 4),
        "mode": st.sampled_from(["min", "max"]),
        "baseline": st.none() | st.integers(-4, 4).map(lambda number: number / 4),
        "restore_best_weights": st.booleans(),
        "start_from_epoch": st.integers(0, 4),
    }
)


@given(arguments=arguments, values=st.lists(eighths, max_size=12))
@settings(max_examples=150, deadline=None)
def test_early_stopping_stops_and_restores_as_keras(keras, arguments, values):
    monitor = arguments["monitor"]
    theirs = story(keras.callbacks.EarlyStopping(**arguments), values, monitor)
    assert story(EarlyStopping(**arguments), values, monitor) == theirs


@given(values=st.lists(eighths, max_size=10), patience=st.integers(0, 3))
@settings(max_examples=20, deadline=None)
def test_early_stopping_knows_without_being_told_that_less_loss_is_better(keras, values, patience):
    for monitor in ("val_loss", "loss"):
        theirs = story(keras.callbacks.EarlyStopping(monitor, patience=patience), values, monitor)
        assert story(EarlyStopping(monitor, patience=patience), values, monitor) == theirs


# Metrics of Keras by class and arguments, and what users may call them.
MEASURES = {
    "accuracy": ("Accuracy", {}),
    "hits": ("BinaryAccuracy", {}),
    "top_5": ("TopKCategoricalAccuracy", {}),
    "precision": ("Precision", {}),
    "recall_1": ("Recall", {}),
    "auc": ("AUC", {}),
    "sensitivity": ("SensitivityAtSpecificity", {"specificity": 0.5}),
    "f1_score": ("F1Score", {"average": "micro"}),
    "overlap": ("BinaryIoU", {}),
    "cosine_similarity": ("CosineSimilarity", {}),
    "r2_score": ("R2Score", {}),
    "pearson": ("PearsonCorrelation", {}),
    "mae": ("MeanAbsoluteError", {}),
    "rmse": ("RootMeanSquaredError", {}),
    "kl": ("KLDivergence", {}),
    "poisson": ("Poisson", {}),
    "hinge": ("Hinge", {}),
    "bce": ("BinaryCrossentropy", {}),
    "logcosh": ("LogCoshError", {}),
    "wrong": ("FalsePositives", {}),
    "mean": ("Mean", {}),
}


def direction(make, model):
    """The comparison by which a callback judges, and None where it refuses to judge."""
    stopper = make()
    stopper.set_model(model)
    try:
        stopper._set_monitor_op()
    except ValueError:
        return None
    return stopper.monitor_op.__name__.removeprefix("less").removeprefix("greater"), bool(
        stopper.monitor_op(np.float32(2), np.float32(1))
    )


@pytest.mark.filterwarnings("ignore:Explicitly requested dtype:UserWarning")
def test_early_stopping_judges_every_metric_of_keras_as_keras_does(keras):
    made = [getattr(keras.metrics, kind)(name=name, **given) for name, (kind, given) in MEASURES.items()]
    peer = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(1, "sigmoid")])
    peer.compile(loss="mse", metrics=[m for m in made if m.name != "mean"], run_eagerly=True)
    peer.evaluate(np.ones((2, 2)), np.ones((2, 1)), verbose=0)
    mine = Stub()
    # As much of a metric as the callback looks at: the name of its class, and its own.
    mine.metrics = [type(kind, (), {})() for kind, _ in MEASURES.values()]
    for metric, name in zip(mine.metrics, MEASURES, strict=True):
        metric.name = name
    judged = {}
    for name in ("loss", *MEASURES):
        for monitor in (name, f"val_{name}"):
            theirs = direction(lambda m=monitor: keras.callbacks.EarlyStopping(m), peer)
            assert direction(lambda m=monitor: EarlyStopping(m), mine) == theirs, monitor
        judged[name] = theirs and theirs[1]
    assert judged["auc"] is True
    assert judged["mae"] is False
    assert judged["wrong"] is judged["mean"] is None


@pytest.mark.parametrize(
    ("monitor", "grows"),
    [
        ("val_accuracy", True),
        ("acc", True),
        ("val_out_accuracy", True),
        ("val_f1", True),
        ("val_mae", False),
        ("mean_squared_error", False),
        ("left_loss", False),
    ],
)
def test_a_usual_name_says_which_way_is_better_where_no_metric_does(monitor, grows):
    assert direction(lambda: EarlyStopping(monitor), Stub())[1] is grows


def test_a_metric_may_say_itself_which_way_is_better():
    model = Stub()
    model.metrics = [type("Score", (), {"name": "loss", "_direction": "up"})()]
    assert direction(lambda: EarlyStopping("val_loss"), model)[1] is True


def test_a_measure_of_which_nobody_knows_the_better_way_asks_for_the_mode(keras):
    for library in (keras, doltap):
        model = model_of(library)
        score = lambda y_true, y_pred: y_true - y_pred  # noqa: E731
        score.__name__ = "score"
        model.compile(optimizer="sgd", loss="mse", metrics=[score])
        stopper = library.callbacks.EarlyStopping("score")
        with pytest.raises(ValueError, match=r"mode='max'[\s\S]*mode='min'"):
            fit(model, [stopper])
        fit(model, [library.callbacks.EarlyStopping("score", mode="min")])


def test_early_stopping_can_be_used_for_a_second_run():
    stopper = EarlyStopping("loss", patience=1)
    first = story(stopper, [1, 2, 3, 4], "loss")
    assert story(stopper, [1, 2, 3, 4], "loss") == first


def test_early_stopping_ends_a_real_fit_where_keras_ends_it(keras):
    ends = []
    for library in (keras, doltap):
        model = model_of(library, learning_rate=0.9)  # Far too high: the loss grows.
        stopper = library.callbacks.EarlyStopping(patience=2, restore_best_weights=True)
        history = fit(model, [stopper], epochs=10, validation_split=0.3)
        ends.append((list(history.epoch), stopper.stopped_epoch, model.get_weights()))
    assert ends[0][:2] == ends[1][:2]
    assert 0 < ends[1][1] < 9
    for ours, theirs in zip(ends[1][2], ends[0][2], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)


def test_early_stopping_restores_the_weights_of_the_best_epoch():
    class Keeper(Callback):
        def __init__(self):
            super().__init__()
            self.weights = []

        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 3:
                self.model.optimizer.learning_rate = 3.0  # Far too high: the loss grows.

        def on_epoch_end(self, epoch, logs=None):
            self.weights.append(self.model.get_weights())

    keeper, model = Keeper(), model_of(doltap)
    stopper = EarlyStopping("loss", patience=3, restore_best_weights=True)
    history = fit(model, [keeper, stopper], epochs=10)
    best = int(np.argmin(history.history["loss"]))
    assert best < history.epoch[-1]
    for kept, restored in zip(keeper.weights[best], model.get_weights(), strict=True):
        assert np.array_equal(kept, restored)


def test_early_stopping_says_what_it_did(capsys):
    stopper = EarlyStopping("loss", patience=1, verbose=1, restore_best_weights=True)
    story(stopper, [1, 2, 3], "loss")
    said = capsys.readouterr().out
    assert "Epoch 2: early stopping" in said
    assert "the end of the best epoch: 1" in said


@pytest.mark.filterwarnings("error")
def test_early_stopping_warns_of_a_monitor_that_is_not_measured():
    with pytest.warns(UserWarning, match="'val_loss', which is not among the logs: loss, mae"):
        history = fit(model_of(doltap), [EarlyStopping()])
    assert history.epoch == [0, 1]


def test_early_stopping_refuses_a_mode_that_it_does_not_know():
    with pytest.raises(NotSupportedError, match="mode"):
        EarlyStopping(mode="least")


def test_a_misspelt_monitor_gets_a_guess():
    with pytest.warns(UserWarning, match=r"'los', which is not among.*did you mean 'loss'\?\)\.$"):
        fit(model_of(doltap), [EarlyStopping("los")], epochs=1)


@pytest.mark.parametrize("wrong", [{"patience": None}, {"patience": "3"}, {"min_delta": "0.1"}])
def test_early_stopping_refuses_what_is_no_number(wrong):
    with pytest.raises(DataError, match=next(iter(wrong))):
        EarlyStopping(**wrong)


@pytest.mark.parametrize(
    ("make", "guess"),
    [
        (lambda: EarlyStopping(patiense=10), "patience="),
        (lambda: TerminateOnNaN(raise_eror=True), "raise_error="),
    ],
)
def test_a_misspelt_argument_gets_a_guess(make, guess):
    with pytest.raises(UnknownArgumentError, match=f"Did you mean '{guess}'"):
        make()


# TerminateOnNaN.


def overflowing_run(library, capsys, *, raise_error):
    """A run whose loss is infinite after its third batch; where it ends, what was said and heard."""
    heard = []
    model = model_of(library, learning_rate=1e15)
    watcher = library.callbacks.TerminateOnNaN(**({"raise_error": True} if raise_error else {}))
    last = library.callbacks.LambdaCallback(on_train_end=lambda logs: heard.append("end"))
    error = None
    try:
        model.fit(X, Y, batch_size=8, epochs=5, shuffle=False, verbose=0, callbacks=[watcher, last])
    except RuntimeError as raised:
        error = "atch 2" in str(raised) and "inf" in str(raised)
    return int(model.optimizer.iterations), heard, error, capsys.readouterr().out


@pytest.mark.filterwarnings("ignore:The loss is not a finite number")
@pytest.mark.parametrize("raise_error", [False, True])
def test_a_loss_that_is_no_number_ends_training_at_its_batch(keras, capsys, raise_error):
    theirs = overflowing_run(keras, capsys, raise_error=raise_error)
    assert overflowing_run(doltap, capsys, raise_error=raise_error) == theirs
    assert theirs[0] == 3
    assert ("Batch 2: Invalid loss" in theirs[3]) is not raise_error


@pytest.mark.parametrize(("loss", "ends"), [(np.inf, True), (-np.inf, True), (np.nan, True), (1.0, False)])
def test_any_loss_that_is_not_finite_ends_training(capsys, loss, ends):
    watcher, model = TerminateOnNaN(), Stub()
    watcher.set_model(model)
    watcher.on_train_batch_end(7, {"loss": loss})
    watcher.on_train_batch_end(8, {})
    assert model.stop_training is ends
    assert ("Batch 7: Invalid loss" in capsys.readouterr().out) is ends
