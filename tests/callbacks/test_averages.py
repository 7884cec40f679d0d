"""A model is measured with the averages of its weights where real Keras measures it so."""

from __future__ import annotations

import numpy as np
import pytest
from callback_runs import X, Y, model_of, quiet_peer

import doltap
from doltap.callbacks import Callback, EarlyStopping, SwapEMAWeights
from doltap.errors import NotSupportedError, UnknownArgumentError

pytestmark = quiet_peer

MOMENTUM = 0.8


def averaging(library):
    model = model_of(library)
    rule = library.optimizers.SGD(0.05, use_ema=True, ema_momentum=MOMENTUM)
    model.compile(rule, loss="mse", metrics=["mae"], run_eagerly=library is not doltap)
    return model


def train(model):
    """Some steps that leave the weights as they are: `fit` ends with the averages in their place."""
    for _ in range(3):
        model.train_on_batch(X, Y)


def watcher(library):
    """A callback with the weights at each hook where they may be looked at."""
    seen = []

    class Watcher(library.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            seen.append(("begin", self.model.get_weights()))

        def on_epoch_end(self, epoch, logs=None):
            seen.append(("end", self.model.get_weights()))

        def on_test_batch_end(self, batch, logs=None):
            seen.append(("test", self.model.get_weights()))

    own = Watcher()
    own.seen = seen
    return own


@pytest.mark.parametrize("swap_on_epoch", [False, True])
def test_averages_are_in_the_model_at_the_moments_of_keras(keras, swap_on_epoch):
    runs = []
    for library in (keras, doltap):
        model, own = averaging(library), watcher(library)
        swap = library.callbacks.SwapEMAWeights(swap_on_epoch=swap_on_epoch)
        history = model.fit(
            X, Y, batch_size=16, epochs=3, shuffle=False, verbose=0, callbacks=[swap, own],
            validation_data=(X[:10], Y[:10]),
        )  # fmt: skip
        runs.append((own.seen, history.history))
    theirs, ours = runs
    assert [name for name, _ in ours[0]] == [name for name, _ in theirs[0]]
    for (name, mine), (_, peer) in zip(ours[0], theirs[0], strict=True):
        for one, other in zip(mine, peer, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6, err_msg=name)
    for name, values in theirs[1].items():
        np.testing.assert_allclose(ours[1][name], values, rtol=1e-5, err_msg=name)


@pytest.mark.parametrize("ask", ["evaluate", "predict"])
def test_evaluate_and_predict_see_the_averages_and_leave_the_weights(ask):
    model = averaging(doltap)
    train(model)
    weights = model.get_weights()
    averages = [average.numpy() for _, average in model.optimizer.averages()]
    call = lambda callbacks: getattr(model, ask)(*((X, Y) if ask == "evaluate" else (X,)), verbose=0,  # noqa: E731
                                                 callbacks=callbacks)  # fmt: skip
    swapped, plain = call([SwapEMAWeights()]), call([])
    assert not np.allclose(swapped, plain)
    for before, after in zip(weights, model.get_weights(), strict=True):
        assert np.array_equal(before, after)
    model.set_weights(averages)
    np.testing.assert_array_equal(swapped, call([]))


def test_a_run_that_stops_early_ends_with_averages_in_model_and_optimizer():
    class Stops(Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = epoch == 1

    model = averaging(doltap)
    model.fit(X, Y, epochs=5, verbose=0, callbacks=[SwapEMAWeights(swap_on_epoch=True), Stops()])
    for weight, average in model.optimizer.averages():
        assert np.array_equal(weight.numpy(), average.numpy())
    again = model.fit(X, Y, epochs=2, verbose=0, callbacks=[SwapEMAWeights(swap_on_epoch=True)])
    assert np.isfinite(again.history["loss"]).all()


def test_restored_best_weights_are_the_averages_of_that_epoch():
    model, own = averaging(doltap), watcher(doltap)
    stopper = EarlyStopping("loss", patience=1, restore_best_weights=True, min_delta=1e9)
    callbacks = [SwapEMAWeights(swap_on_epoch=True), own, stopper]
    model.fit(X, Y, epochs=5, verbose=0, callbacks=callbacks)
    first = next(weights for name, weights in own.seen if name == "end")
    for kept, restored in zip(first, model.get_weights(), strict=True):
        assert np.array_equal(kept, restored)


def test_averages_that_are_shown_already_do_not_replace_the_weights_that_wait():
    model, swap = averaging(doltap), SwapEMAWeights(swap_on_epoch=True)
    train(model)
    weights = model.get_weights()
    swap.set_model(model)
    swap.on_epoch_end(0, {})
    assert not np.array_equal(model.get_weights()[0], weights[0])
    model.evaluate(X, Y, verbose=0, callbacks=[swap])
    swap.on_epoch_begin(1, {})
    for before, after in zip(weights, model.get_weights(), strict=True):
        assert np.array_equal(before, after)


def test_an_optimizer_without_averages_is_refused(keras):
    for library in (keras, doltap):
        with pytest.raises((ValueError, NotSupportedError), match="use_ema=True"):
            model_of(library).evaluate(X, Y, verbose=0, callbacks=[library.callbacks.SwapEMAWeights()])


def test_a_misspelt_argument_gets_a_guess():
    with pytest.raises(UnknownArgumentError, match="Did you mean 'swap_on_epoch='"):
        SwapEMAWeights(swap_on_epochs=True)
