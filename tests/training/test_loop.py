"""The epochs: who is called when, how far a call runs, and that none of it changes a bit."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import threading

import jax.numpy as jnp
import numpy as np
import pytest

import doltap
from doltap.callbacks import Callback
from doltap.layers import Dense, Dropout, Layer
from doltap.training import batches, cache, loop

RNG = np.random.default_rng(0)
X = RNG.normal(size=(45, 4)).astype(np.float32)
Y = RNG.normal(size=(45, 1)).astype(np.float32)


def network(seed=1, names=(None, None), optimizer="adam"):
    if seed is not None:
        doltap.utils.set_random_seed(seed)
    layers = [Dense(6, activation="relu", name=names[0]), Dropout(0.3), Dense(1, name=names[1])]
    model = doltap.Sequential([doltap.Input((4,)), *layers])
    model.compile(optimizer, "mse", metrics=["mae"])
    return model


def bits(model):
    """Every bit that training moves."""
    return b"".join(weight.tobytes() for weight in model.get_weights()) + b"".join(
        variable.numpy().tobytes() for variable in model.optimizer.variables
    )


def trained(model=None, epochs=4, **settings):
    model = model or network()
    settings = {"batch_size": 8, "verbose": 0} | settings
    model.fit(X, Y, epochs=epochs, **settings)
    return model


@pytest.fixture(scope="module")
def reference():
    model = trained()
    return bits(model), model.history.history


@pytest.fixture
def calls(monkeypatch):
    """Every call of the train program: (start, stop, the pace known before)."""
    noted = []
    advance = loop.Training.advance

    def watched(self, start, stop):
        program = self.recipe.programs.get(("train", self.schedule.layout(start)))
        noted.append((start, stop, program.seconds_per_step if program else None))
        return advance(self, start, stop)

    monkeypatch.setattr(loop.Training, "advance", watched)
    return noted


# The horizon.


def test_three_thousand_epochs_that_nobody_watches_are_a_few_calls(calls):
    model = network()
    history = model.fit(X[:10], Y[:10], epochs=3000, verbose=0)
    assert len(calls) <= 30
    assert len(history.history["loss"]) == 3000
    assert history.epoch == list(range(3000))
    assert int(model.optimizer.iterations) == 3000
    assert np.isfinite(history.history["loss"]).all()


def test_no_call_is_planned_longer_than_a_quarter_of_a_second(calls):
    network().fit(X, Y, batch_size=1, epochs=400, verbose=0)
    assert sum(stop - start for start, stop, _ in calls) == 400 * 45
    planned = [(stop - start, pace) for start, stop, pace in calls if pace is not None]
    assert len(planned) >= 2
    for steps, pace in planned:
        assert steps == 1 or steps * pace <= 0.25


def test_a_slow_step_is_called_alone(calls):
    model = trained(epochs=1)
    calls.clear()
    for program in cache._programs.values():
        program.seconds_per_step = 10.0
    trained(model, epochs=1)
    assert calls[0] == (0, 1, 10.0)


def test_epochs_that_somebody_hears_end_a_call_each(calls):
    class Hears(Callback):
        def on_epoch_end(self, epoch, logs=None):
            pass

    trained(epochs=5, callbacks=[Hears()])
    assert [stop for _, stop, _ in calls if stop % 6 == 0] == [6, 12, 18, 24, 30]


class Diary(Callback):
    """Writes down every hook."""

    def __init__(self):
        super().__init__()
        self.lines = []
        for name in dir(Callback):
            if name.startswith("on_") and not name.startswith("on_batch"):
                setattr(self, name, self._writing(name))

    def _writing(self, name):
        def write(*arguments):
            self.lines.append((name, *arguments))

        return write

    def count(self, name):
        return sum(line[0] == name for line in self.lines)


def test_a_hook_of_batches_gets_every_batch_with_the_running_means():
    diary = Diary()
    model = trained(epochs=2, callbacks=[diary], validation_data=(X[:20], Y[:20]))
    batches_ended = [line for line in diary.lines if line[0] == "on_train_batch_end"]
    assert [line[1] for line in batches_ended] == [0, 1, 2, 3, 4, 5] * 2
    assert diary.count("on_train_batch_begin") == 12
    assert diary.count("on_test_batch_end") == 6
    names = [line[0] for line in diary.lines]
    assert names[0] == "on_train_begin"
    assert names[-1] == "on_train_end"
    assert names[1:4] == ["on_epoch_begin", "on_train_batch_begin", "on_train_batch_end"]
    last = batches_ended[-1][2]
    assert last["loss"] == model.history.history["loss"][-1]


def test_hooks_of_test_and_predict_get_every_batch():
    diary = Diary()
    model = network()
    model.evaluate(X, Y, batch_size=8, verbose=0, callbacks=[diary])
    model.predict(X, batch_size=8, verbose=0, callbacks=[diary])
    assert diary.count("on_test_batch_end") == diary.count("on_predict_batch_end") == 6
    pieces = [line[2]["outputs"] for line in diary.lines if line[0] == "on_predict_batch_end"]
    assert [len(piece) for piece in pieces] == [8, 8, 8, 8, 8, 5]
    np.testing.assert_allclose(np.concatenate(pieces), model.predict(X, verbose=0), atol=1e-6)


def test_stopping_in_a_batch_ends_the_epoch_there():
    class Stops(Callback):
        def on_train_batch_end(self, batch, logs=None):
            if int(self.model.optimizer.iterations) == 9:
                self.model.stop_training = True

    model = trained(epochs=5, callbacks=[Stops()])
    assert int(model.optimizer.iterations) == 9
    assert len(model.history.history["loss"]) == 2
    assert model.epochs_trained == 2


# The same bits, whoever listens.


class Listens(Callback):
    """Overrides everything and changes nothing."""

    def on_epoch_begin(self, epoch, logs=None):
        self.model.get_weights()

    def on_epoch_end(self, epoch, logs=None):
        self.model.predict(X, verbose=0)

    def on_train_batch_end(self, batch, logs=None):
        self.model.evaluate(X, Y, batch_size=8, verbose=0)


class HearsEpochs(Callback):
    """Only listens to the ends of epochs."""

    def on_epoch_end(self, epoch, logs=None):
        """Do nothing."""


@pytest.mark.parametrize(
    "settings",
    [
        {"verbose": 1},
        {"verbose": 2},
        {"callbacks": [Listens()]},
        {"callbacks": [HearsEpochs()]},
        {"callbacks": [HearsEpochs()], "verbose": 1},
        {"validation_data": (X[:20], Y[:20])},
    ],
    ids=["bar", "lines", "all hooks", "epochs", "epochs and bar", "validation"],
)
def test_who_listens_does_not_change_a_bit(settings, reference, capsys):
    model = trained(**settings)
    assert bits(model) == reference[0]
    assert model.history.history["loss"] == reference[1]["loss"]
    assert model.history.history["mae"] == reference[1]["mae"]


@pytest.mark.parametrize(
    ("module", "name", "value"),
    [
        (loop, "_FIRST_STEPS", 1),
        (loop, "_FIRST_STEPS", 1000),
        (loop, "_LONGEST_CALL_SECONDS", 1e-9),
        (loop, "_LONGEST_CALL_SECONDS", 1e-3),
        (batches, "_ORDER_ROWS", 1),
        (batches, "_ORDER_ROWS", 100),
    ],
)
def test_where_calls_are_cut_does_not_change_a_bit(module, name, value, reference, monkeypatch):
    monkeypatch.setattr(module, name, value)
    model = trained()
    assert bits(model) == reference[0]
    assert model.history.history == reference[1]


def test_every_tick_of_a_live_bar_leaves_the_bits_alone(reference, monkeypatch, capsys, calls):
    monkeypatch.setattr(loop, "_TICK_SECONDS", 1e-9)
    assert bits(trained(verbose=1)) == reference[0]
    assert len(calls) >= 6


def test_epochs_one_by_one_are_the_same_as_all_at_once(reference):
    model = network()
    losses = [trained(model, epochs=1).history.history["loss"][0] for _ in range(4)]
    assert bits(model) == reference[0]
    assert losses == reference[1]["loss"]


def test_the_first_epoch_number_is_only_a_name(reference):
    model = trained(network(), initial_epoch=10, epochs=14)
    assert bits(model) == reference[0]
    assert model.history.epoch == [10, 11, 12, 13]


def test_names_of_layers_enter_no_random_number(reference):
    model = trained(network(names=("하나", "\x1b[31m two")))
    assert bits(model) == reference[0]


def test_other_models_made_between_change_nothing(reference):
    model = network()
    trained(network(seed=None))
    assert bits(trained(model)) == reference[0]


def test_data_of_other_types_with_the_same_values_give_the_same_bits(reference):
    for x, y in (
        (X.astype(np.float64), Y.astype(np.float64)),
        (X.tolist(), Y.tolist()),
        (np.asfortranarray(X), Y),
    ):
        model = network()
        model.fit(x, y, epochs=4, batch_size=8, verbose=0)
        assert bits(model) == reference[0]


def test_another_process_finds_the_same_bits(reference):
    script = f"""
import hashlib, sys
sys.path.insert(0, {os.path.dirname(__file__)!r})
import test_loop
print(hashlib.sha256(test_loop.bits(test_loop.trained())).hexdigest())
"""
    import hashlib

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == hashlib.sha256(reference[0]).hexdigest()


def test_two_threads_find_the_bits_that_each_finds_alone(reference):
    models = [network(), network(), network(seed=2)]
    alone = bits(trained(network(seed=2)))
    threads = [threading.Thread(target=trained, args=(model,)) for model in models]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [bits(model) for model in models] == [reference[0], reference[0], alone]


# And different bits where they should differ.


def test_two_models_from_one_seed_start_differently():
    doltap.utils.set_random_seed(1)
    first, second = network(seed=None), network(seed=None)
    assert (first.get_weights()[0] != second.get_weights()[0]).any()
    assert bits(trained(first)) != bits(trained(second))


def test_seeds_differ_and_one_seed_repeats_a_whole_program():
    def both(seed):
        doltap.utils.set_random_seed(seed)
        return [bits(trained(network(seed=None), epochs=1)) for _ in range(2)]

    assert both(3) == both(3)
    assert not set(both(3)) & set(both(4))


def test_a_loop_of_single_epochs_reshuffles():
    class Order(Callback):
        def __init__(self):
            super().__init__()
            self.losses = []

        def on_train_batch_end(self, batch, logs=None):
            self.losses.append(logs["loss"])

    doltap.utils.set_random_seed(1)
    model = doltap.Sequential([doltap.Input((4,)), Dense(1)])
    model.compile(doltap.optimizers.SGD(0.0), "mse")
    seen = []
    for _ in range(3):
        order = Order()
        model.fit(X, Y, batch_size=1, verbose=0, callbacks=[order])
        seen.append(tuple(order.losses))
    assert len(set(seen)) == 3


def test_without_shuffling_the_rows_come_as_they_lie():
    doltap.utils.set_random_seed(1)
    model = doltap.Sequential([doltap.Input((4,)), Dense(1)])
    model.compile(doltap.optimizers.SGD(0.0), "mse")
    diary = Diary()
    model.fit(X, Y, batch_size=1, epochs=2, shuffle=False, verbose=0, callbacks=[diary])
    squares = (model.predict(X, verbose=0) - Y)[:, 0] ** 2
    means = np.cumsum(squares) / np.arange(1, 46)
    running = [line[2]["loss"] for line in diary.lines if line[0] == "on_train_batch_end"]
    np.testing.assert_allclose(running, [*means, *means], rtol=1e-4)


def test_a_layer_called_twice_in_a_step_draws_two_masks():
    class Twice(Layer):
        def __init__(self):
            super().__init__()
            self.dropout = Dropout(0.5)

        def call(self, inputs):
            return jnp.abs(self.dropout(inputs) - self.dropout(inputs))

    model = doltap.Sequential([doltap.Input((4,)), Twice()])
    model.compile(doltap.optimizers.SGD(0.0), "mae")
    ones = np.ones((45, 4), np.float32)
    assert model.fit(ones, ones * 0, verbose=0).history["loss"][0] > 0.2
    assert model.evaluate(ones, ones * 0, verbose=0) == 0


def test_masks_differ_from_step_to_step():
    model = doltap.Sequential([doltap.Input((4,)), Dropout(0.5)])
    model.compile(doltap.optimizers.SGD(0.0), "mae")
    ones = np.ones((45, 4), np.float32)
    losses = model.fit(ones, ones * 0, epochs=8, batch_size=45, verbose=0).history["loss"]
    assert len(set(losses)) >= 4


# Who holds the truth.


def test_arrays_that_somebody_took_before_stay_as_they_were():
    model = trained()
    layer = model.layers[0]
    taken = {
        "value": layer.kernel.value,
        "jax": jnp.asarray(layer.kernel),
        "slice": layer.kernel[:],
        "row": layer.kernel[0],
        "numpy": np.asarray(layer.kernel),
        "get": model.get_weights()[0],
        "steps": jnp.asarray(model.optimizer.iterations),
        "slot": model.optimizer.variables[2].value,
        "metric": model.metrics[0].total.value,
    }
    before = {name: np.array(array) for name, array in taken.items()}
    trained(model)
    for name, array in taken.items():
        np.testing.assert_array_equal(np.asarray(array), before[name], err_msg=name)


def test_arrays_that_were_handed_in_are_neither_changed_nor_needed_afterwards(reference):
    x, y = X.copy(), Y.copy()
    weights = network().get_weights()
    handed = [weight.copy() for weight in weights]
    model = network()
    model.set_weights(handed)
    model.fit(x, y, epochs=2, batch_size=8, verbose=0)
    np.testing.assert_array_equal(x, X)
    np.testing.assert_array_equal(y, Y)
    for mine, theirs in zip(handed, weights, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    trained_weights = bits(model)
    x[:], y[:] = 1e6, -1e6
    for array in handed:
        array[:] = 1e6
    assert bits(model) == trained_weights
    model.fit(X, Y, epochs=2, batch_size=8, verbose=0)
    assert bits(model) == reference[0]


def test_a_weight_that_was_set_from_an_array_does_not_follow_it():
    model = network()
    kernel = np.ones((4, 6), np.float32)
    model.layers[0].kernel.assign(kernel)
    kernel[:] = 5
    assert (model.layers[0].kernel.numpy() == 1).all()
    result = model.get_weights()
    result[0][:] = 7
    assert (model.layers[0].kernel.numpy() == 1).all()


def test_a_prediction_is_an_array_of_the_users_own():
    model = network()
    first = model.predict(X, verbose=0)
    expected = first.copy()
    trained(model)
    np.testing.assert_array_equal(first, expected)
    first[:] = 0  # It is writable.


def test_weights_set_in_a_hook_are_those_of_the_next_step():
    class Freezes(Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.set_weights(start)

    model = network(optimizer=doltap.optimizers.SGD(0.1))
    start = model.get_weights()
    trained(model, callbacks=[Freezes()])
    for mine, theirs in zip(model.get_weights(), start, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_a_learning_rate_set_in_a_hook_holds_from_the_next_step():
    class Stops(Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 2:
                self.model.optimizer.learning_rate = 0.0
                self.kept = self.model.get_weights()

    stops = Stops()
    model = trained(network(optimizer=doltap.optimizers.SGD(0.1)), epochs=1, callbacks=[stops])
    for mine, theirs in zip(model.get_weights(), stops.kept, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_another_model_may_be_trained_inside_a_hook(reference):
    class Trains(Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 3:
                trained(other, epochs=1)

    model, other = network(), network(seed=5)
    assert bits(trained(model, callbacks=[Trains()])) == reference[0]
    assert bits(other) == bits(trained(network(seed=5)))


def test_an_error_in_a_hook_leaves_a_model_that_trains_on(reference):
    class Fails(Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1:
                raise RuntimeError("mine")

    model = network()
    with pytest.raises(RuntimeError, match="mine"):
        trained(model, callbacks=[Fails()])
    assert int(model.optimizer.iterations) == 12
    assert not model._is_fitting
    trained(model, epochs=2)
    assert bits(model) == reference[0]


# Ctrl-C.

INTERRUPTED = """
import json, os, signal, sys
import numpy as np
import doltap
from doltap.callbacks import Callback

out = os.fdopen(os.dup(1), "w")
sys.stdout = open(os.devnull, "w")

def say(**facts):
    print(json.dumps(facts), file=out, flush=True)

def make():
    doltap.utils.set_random_seed(1)
    dense = doltap.layers.Dense
    layers = [dense(6, activation="relu"), doltap.layers.Dropout(0.3), dense(1)]
    model = doltap.Sequential([doltap.Input((4,)), *layers])
    model.compile("adam", "mse")
    return model

class StopAfter(Callback):
    def __init__(self, steps):
        super().__init__()
        self.steps = steps
    def on_train_batch_end(self, batch, logs=None):
        self.model.stop_training = batch + 1 == self.steps

x = np.random.default_rng(0).normal(size=(45, 4)).astype("float32")
y = x[:, :1] * 2
# A job in the background of a shell is born deaf to the signal.
signal.signal(signal.SIGINT, signal.default_int_handler)
make().fit(x, y, batch_size=8, verbose=0)
for trial in range(int(sys.argv[1])):
    model, interrupted = make(), False
    settings = {"batch_size": 8, "verbose": [0, 0, 2, 1][trial % 4]}
    try:
        say(ready=trial)
        model.fit(x, y, epochs=10**7, **settings)
    except KeyboardInterrupt:
        interrupted = True
    steps = int(model.optimizer.iterations)
    weights = model.get_weights()
    history = model.history.history.get("loss", []) if model.history else []
    epochs, rest = divmod(steps, 6)
    again = make()
    if epochs:
        again.fit(x, y, batch_size=8, verbose=0, epochs=epochs)
    expected = list(again.history.history["loss"]) if epochs else []
    if rest:
        again.fit(x, y, batch_size=8, verbose=0, callbacks=[StopAfter(rest)])
    same = all((a == b).all() for a, b in zip(weights, again.get_weights()))
    trained = model.epochs_trained
    more = model.fit(x, y, epochs=2, **settings).history["loss"]
    say(interrupted=interrupted, steps=steps, finite=all(np.isfinite(w).all() for w in weights),
        same=same, epochs=len(history), wanted=epochs, history=history == expected, trained=trained,
        more=len(more) == 2 and bool(np.isfinite(more).all()),
        handler=signal.getsignal(signal.SIGINT) is signal.default_int_handler)
"""


def read_line(process, seconds=60):
    ready, _, _ = select.select([process.stdout], [], [], seconds)
    assert ready, "the process says nothing"
    return json.loads(process.stdout.readline())


@pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal")
@pytest.mark.parametrize("count", [10, pytest.param(200, marks=pytest.mark.slow)])
def test_control_c_at_any_moment_leaves_the_weights_of_a_finished_step_and_the_history(count):
    moments = np.random.default_rng().uniform(0.0, 0.35, count)
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, str(len(moments))],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
    )
    try:
        for number, moment in enumerate(moments):
            assert read_line(process) == {"ready": number}
            threading.Event().wait(moment)
            process.send_signal(signal.SIGINT)
            said = read_line(process)
            steps, epochs = said.pop("steps"), said.pop("epochs")
            assert epochs == said.pop("wanted") == said.pop("trained"), (moment, steps, said)
            assert all(said.values()), (moment, steps, said)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.communicate()


def test_an_interrupt_that_is_deferred_comes_once_after_the_end():
    # A job in the background of a shell is born deaf to the signal.
    outermost = signal.signal(signal.SIGINT, signal.default_int_handler)
    finished = []

    def interrupted():
        with loop.interrupts_deferred():
            with loop.interrupts_deferred():
                os.kill(os.getpid(), signal.SIGINT)
                os.kill(os.getpid(), signal.SIGINT)
                finished.append("inner")
            finished.append("outer")
        finished.append("never")

    try:
        with pytest.raises(KeyboardInterrupt):
            interrupted()
        assert finished == ["inner", "outer"]
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, outermost)


def test_a_handler_of_the_users_own_is_called_and_stays():
    heard = []

    def mine(number, frame):
        heard.append(number)

    before = signal.signal(signal.SIGINT, mine)
    try:
        with loop.interrupts_deferred():
            os.kill(os.getpid(), signal.SIGINT)
            assert heard == []
        assert heard == [signal.SIGINT]
        assert signal.getsignal(signal.SIGINT) is mine
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        with loop.interrupts_deferred():
            os.kill(os.getpid(), signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_an_error_inside_is_not_lost_to_an_interrupt():
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(RuntimeError), loop.interrupts_deferred():
        raise RuntimeError
    assert signal.getsignal(signal.SIGINT) is before
