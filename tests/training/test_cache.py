"""Who shares a compiled program, who must not, and what is kept on disk."""

from __future__ import annotations

import functools
import json
import os
import re
import subprocess
import sys
import threading
import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import doltap
from doltap import activations, config
from doltap.layers import Activation, Dense, Dropout, Layer
from doltap.training import cache

RNG = np.random.default_rng(0)
X = RNG.normal(size=(20, 4)).astype(np.float32)
Y = RNG.normal(size=(20, 1)).astype(np.float32)


def network(
    *, units=5, activation="tanh", rate=0.3, seed=None, names=None, initializer="glorot_uniform",
    optimizer=None, loss="mse", metrics=("mae",), trainable=True, dtype=None,
):  # fmt: skip
    first, second = names or (None, None)
    layers = [
        doltap.Input((4,)),
        Dense(
            units,
            activation=activation,
            kernel_initializer=initializer,
            name=first,
            trainable=trainable,
            dtype=dtype,
        ),
        Dropout(rate, seed=seed),
        Dense(1, name=second),
    ]
    model = doltap.Sequential(layers, name=first)
    model.compile(optimizer or doltap.optimizers.SGD(0.01), loss, metrics=list(metrics))
    return model


def use(model, x=X, y=Y, **settings):
    """Train, measure and ask; what came out."""
    history = model.fit(x, y, epochs=2, batch_size=8, validation_split=0.25, verbose=0, **settings)
    return history.history, model.evaluate(x, y, verbose=0), model.predict(x, verbose=0)


def train(model, x=X, y=Y):
    """Only train, in batches without a tail: one program."""
    return model.fit(x, y, batch_size=10, verbose=0).history["loss"]


def test_a_second_model_of_the_same_shape_compiles_nothing(compilations):
    use(network(activation="softplus"))
    assert 1 <= len(compilations) <= 4
    compilations.clear()
    use(network(activation="softplus"))
    assert compilations == []


@pytest.mark.parametrize(
    "changed",
    [
        {"optimizer": doltap.optimizers.SGD(0.5)},
        {"rate": 0.7},
        {"names": ("입력 층", "out \x1b[31m")},
        {"initializer": "he_normal"},
        {"initializer": "zeros"},
        {"initializer": doltap.initializers.RandomNormal(stddev=0.2, seed=3)},
    ],
    ids=lambda value: re.sub(r" at 0x[0-9a-f]+", "", str(value)),
)
def test_what_does_not_change_the_program_compiles_nothing(compilations, changed):
    train(network())
    compilations.clear()
    doltap.utils.set_random_seed(len(str(changed)))
    train(network(**changed))
    assert compilations == []


def test_changing_rates_while_training_compiles_nothing(compilations):
    model = network()
    train(model)
    compilations.clear()
    for rate in (0.5, 1e-6, 0.0):
        model.optimizer.learning_rate = rate
        model.layers[1].rate = 0.1 + rate / 2
        model.fit(X, Y, epochs=3, batch_size=10, verbose=0)
    assert compilations == []


def test_other_rows_of_the_same_shape_compile_nothing(compilations):
    use(network())
    compilations.clear()
    use(network(), X * 2, Y[::-1])
    use(network(), X.tolist(), Y[:, 0].reshape(-1, 1).astype(np.float64))
    assert compilations == []


@pytest.mark.parametrize("rule", ["adam", "rmsprop", "adagrad"])
def test_every_rule_shares_its_program_at_any_learning_rate(compilations, rule):
    train(network(optimizer=rule))
    compilations.clear()
    optimizer = doltap.optimizers.get(rule)
    optimizer.learning_rate = 0.1234
    train(network(optimizer=optimizer))
    assert compilations == []


@pytest.mark.parametrize(
    "changed",
    [
        {"optimizer": doltap.optimizers.SGD(0.01, momentum=0.9)},
        {"optimizer": doltap.optimizers.SGD(0.01, momentum=0.9, nesterov=True)},
        {"trainable": False},
        {"activation": "sigmoid"},
        {"units": 6},
        {"loss": "mae"},
        {"loss": doltap.losses.Huber(0.5)},
        {"metrics": ()},
        {"metrics": ("mse",)},
        {"rate": 0.0},
        {"seed": 5},
    ],
    ids=lambda value: re.sub(r" at 0x[0-9a-f]+", "", str(value)),
)
def test_what_changes_the_program_compiles_anew(compilations, changed):
    train(network())
    compilations.clear()
    train(network(**changed))
    assert compilations


@pytest.mark.parametrize("data", [(X.astype(np.float16), Y), (X.astype(np.uint8), Y), (X[:19], Y[:19])])
def test_data_of_another_type_or_length_compiles_anew(compilations, data):
    train(network())
    compilations.clear()
    train(network(), *data)
    assert compilations


def test_a_dropout_rate_that_leaves_zero_while_training_takes_effect():
    weights = []
    for rate in (0.0, 0.9):
        doltap.utils.set_random_seed(3)
        model = network(rate=0.0)
        model.fit(X, Y, verbose=0)
        model.layers[1].rate = rate
        model.fit(X, Y, epochs=2, verbose=0)
        weights.append(model.get_weights()[0])
    assert (weights[0] != weights[1]).any()


# Wrong sharing would be a wrong result, without a word.


def losses_with(make_layers):
    doltap.utils.set_random_seed(1)
    model = doltap.Sequential([doltap.Input((4,)), *make_layers()])
    model.compile(doltap.optimizers.SGD(0.01), "mse")
    return model.fit(X, Y, epochs=2, batch_size=10, verbose=0).history["loss"]


def scaled_by(number):
    return lambda values: values * number


def test_the_same_code_of_the_user_is_found_by_its_text(compilations):
    first = losses_with(lambda: [Dense(1), Activation(lambda values: jnp.sin(values) * 3)])
    compilations.clear()
    again = losses_with(lambda: [Dense(1), Activation(lambda values: jnp.sin(values) * 3)])
    assert compilations == []
    assert first == again
    other = losses_with(lambda: [Dense(1), Activation(lambda values: jnp.cos(values) * 3)])
    assert compilations
    assert other != first


@pytest.mark.parametrize(
    "constant",
    [
        float,
        np.float32,
        jnp.float32,
        lambda number: np.full(1, number, np.float32),
        lambda number: jnp.full(1, number, jnp.float32),
        lambda number: np.where(np.arange(5000) == 2500, number, 0).astype(np.float32).sum(keepdims=True),
        lambda number: jnp.sum(jnp.where(jnp.arange(5000) == 2500, number, 0.0), keepdims=True),
    ],
)
def test_closures_over_different_constants_never_share(constant):
    one, three, again = (
        losses_with(lambda n=number: [Dense(1), Activation(scaled_by(constant(n)))]) for number in (1, 3, 1)
    )
    assert one == again
    assert one != three


@pytest.mark.parametrize("kind", [np.asarray, jnp.asarray])
def test_large_constants_that_differ_in_one_number_never_share(kind):
    table = np.ones((4, 2000), np.float32)
    other = table.copy()
    other[2, 1234] = 50.0

    def through(values):
        return lambda inputs: inputs * jnp.mean(kind(values))

    def layers(values):
        return lambda: [Activation(through(values)), Dense(1)]

    assert losses_with(layers(table)) != losses_with(layers(other))


def test_calls_back_into_python_never_share():
    def answering(number):
        shape = jax.ShapeDtypeStruct((), jnp.float32)

        def activation(values):
            answer = jax.pure_callback(lambda: np.float32(number), shape)
            return values + jax.lax.stop_gradient(answer)

        return lambda: [Dense(1), Activation(activation)]

    assert losses_with(answering(0)) != losses_with(answering(5))


def test_a_function_that_wears_the_name_of_ours_is_not_taken_for_it():
    @functools.wraps(activations.tanh)
    def loud(values):
        return activations.tanh(values) * 5

    ours = losses_with(lambda: [Dense(1, activation="tanh")])
    assert losses_with(lambda: [Dense(1, activation=loud)]) != ours
    assert cache.fingerprint(Dense(1, activation=loud)) is None


def test_which_layers_share_their_weights_is_part_of_the_program():
    def tied(pattern):
        layers = [Dense(4, name=f"dense{number}", kernel_initializer="identity") for number in range(2)]
        towers = [doltap.Sequential([layers[number]], name=f"tower{i}") for i, number in enumerate(pattern)]
        model = doltap.Sequential([doltap.Input((4,)), *towers, Dense(1, kernel_initializer="ones")])
        model.compile(doltap.optimizers.SGD(0.001), "mse")
        model.fit(X, Y, epochs=3, verbose=0)
        return [layer.get_weights()[0] for layer in layers]

    (twice_first, once_second), (once_first, twice_second) = tied([0, 0, 1]), tied([0, 1, 1])
    assert (twice_first != once_first).any()
    assert (once_second != twice_second).any()


def test_layers_and_losses_of_the_user_are_found_by_their_text(compilations):
    def own(number):
        class Scaled(Layer):
            def call(self, inputs):
                return inputs * number

        return Scaled()

    def trained(number, power):
        doltap.utils.set_random_seed(1)
        model = doltap.Sequential([doltap.Input((4,)), own(number), Dense(1)])
        model.compile("sgd", lambda y_true, y_pred: jnp.abs(y_true - y_pred) ** power)
        return model.fit(X, Y, batch_size=10, epochs=2, verbose=0).history["loss"]

    first = trained(2.0, 1.5)
    compilations.clear()
    assert trained(2.0, 1.5) == first
    assert compilations == []
    assert len({tuple(first), tuple(trained(3.0, 1.5)), tuple(trained(2.0, 1.25))}) == 3


def test_the_switches_of_the_process_are_part_of_the_program():
    def loss_at(epsilon):
        before = config.epsilon()
        config.set_epsilon(epsilon)
        try:
            doltap.utils.set_random_seed(1)
            model = doltap.Sequential([doltap.Input((4,)), Dense(1, activation="heaviside")])
            model.compile("sgd", "bce")
            return model.evaluate(X, Y > 0, verbose=0)
        finally:
            config.set_epsilon(before)

    assert loss_at(1e-7) > loss_at(1e-2)


def test_two_nested_models_with_the_same_layers_share(compilations):
    def nested(name):
        inner = doltap.Sequential([Dense(3, activation="relu"), Dense(2)], name=name)
        return [inner, Dense(1)]

    first = losses_with(lambda: nested("a"))
    compilations.clear()
    assert losses_with(lambda: nested("b")) == first
    assert compilations == []


# Fingerprints.


def test_a_fingerprint_tells_what_computes_differently_and_nothing_else():
    def seen(**changed):
        return cache.fingerprint(network(**changed))

    assert seen() == seen(names=("a", "b"), initializer="ones", rate=0.9)
    different = [{}, {"units": 6}, {"activation": "relu"}, {"trainable": False}, {"rate": 0.0}, {"seed": 1}]
    assert len({seen(**changed) for changed in different}) == len(different)


@pytest.mark.parametrize("name", list(activations.names))
def test_every_activation_of_ours_is_known_code(name):
    assert cache.fingerprint(Dense(3, activation=name)) is not None


@pytest.mark.parametrize(
    "thing",
    [
        lambda values: values,
        functools.partial(activations.relu),
        object(),
        np.sin,
        type("Own", (Layer,), {})(),
    ],
)
def test_what_is_not_ours_has_no_fingerprint(thing):
    assert cache.fingerprint([1, {"a": thing}]) is None


# Memory.


def test_the_least_recently_used_program_goes_first(monkeypatch, compilations):
    cache.forget_programs()
    monkeypatch.setattr(cache, "_MEMORY_BYTES", 2 * cache._BYTES_PER_PROGRAM)

    def predict(units):
        doltap.Sequential([doltap.Input((4,)), Dense(units)]).predict(X, verbose=0)

    for units in (11, 12, 11, 13):
        predict(units)
    assert len(cache._programs) == 2
    compilations.clear()
    predict(11)
    predict(13)
    assert compilations == []
    predict(12)
    assert compilations


def test_a_tenth_of_many_programs_goes_at_once(monkeypatch):
    cache.forget_programs()
    monkeypatch.setattr(cache, "_MEMORY_BYTES", 20 * cache._BYTES_PER_PROGRAM)
    given_back = []
    monkeypatch.setattr(cache, "_give_back", lambda: given_back.append(len(cache._programs)))
    for number in range(24):
        cache._keep(number, cache.Program(None))
    assert list(cache._programs) == list(range(6, 24))
    assert given_back == [18, 18]


def test_programs_that_were_forgotten_are_compiled_again(compilations):
    model = network()
    train(model)
    compilations.clear()
    cache.forget_programs()
    train(model)  # A model holds what it has asked for.
    assert compilations == []
    train(network())
    assert compilations


def test_compiling_in_two_threads_leaves_the_filters_of_warnings_alone():
    before, shown = list(warnings.filters), warnings.showwarning
    models = [doltap.Sequential([doltap.Input((4,)), Dense(units)]) for units in range(21, 27)]
    threads = [threading.Thread(target=model.predict, args=(X,), kwargs={"verbose": 0}) for model in models]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(warnings.filters) == before
    assert warnings.showwarning is shown


# Disk.

SCRIPT = """
import collections, json, os, sys
import jax
exec(os.environ.get("PREPARE", ""))
seen = collections.Counter()
jax.monitoring.register_event_listener(lambda name, **facts: seen.update([name.rpartition("/")[2]]))
import numpy as np
import doltap
doltap.utils.set_random_seed(7)
x = np.linspace(-1, 1, 80, dtype="float32").reshape(20, 4)
dense = doltap.layers.Dense
model = doltap.Sequential([doltap.Input((4,)), dense(3, activation="relu"), dense(1)])
model.compile("adam", "mse")
loss = model.fit(x, x[:, 0], epochs=3, batch_size=8, verbose=0).history["loss"]
model.evaluate(x, x[:, 0], verbose=0)
total = float(model.predict(x, verbose=0).sum())
print(json.dumps({
    "loss": loss, "total": total, "hits": seen["cache_hits"], "misses": seen["cache_misses"],
    "folder": jax.config.jax_compilation_cache_dir,
    "seconds": jax.config.jax_persistent_cache_min_compile_time_secs,
    "bytes": jax.config.jax_persistent_cache_min_entry_size_bytes,
}))
"""


def fresh_process(home, **variables):
    """What the script said in a process of its own, which must not complain about anything."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("JAX_", "DOLTAP_"))}
    variables = {"HOME": str(home), "XDG_CACHE_HOME": str(home / "cache"), **variables}
    done = subprocess.run(
        [sys.executable, "-W", "always", "-c", SCRIPT],
        env=kept | variables,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return json.loads(done.stdout)


def entries(folder):
    return sorted(folder.glob("*-cache"))


def test_a_second_process_takes_every_program_from_disk_and_damaged_ones_are_replaced(tmp_path):
    folder = tmp_path / "cache" / "doltap" / "programs"
    cold = fresh_process(tmp_path)
    assert cold["folder"] == str(folder)
    assert (folder.stat().st_mode & 0o777, folder.stat().st_uid) == (0o700, os.getuid())
    assert (cold["hits"], cold["misses"]) == (0, 3)
    assert len(entries(folder)) == 3

    warm = fresh_process(tmp_path)
    assert (warm["hits"], warm["misses"]) == (3, 0)
    assert (warm["loss"], warm["total"]) == (cold["loss"], cold["total"])

    for path, damage in zip(entries(folder), (b"", path_start(folder), flipped(folder)), strict=True):
        path.write_bytes(damage(path) if callable(damage) else damage)
    damaged = fresh_process(tmp_path)
    assert (damaged["hits"], damaged["misses"]) == (0, 3)
    assert (damaged["loss"], damaged["total"]) == (cold["loss"], cold["total"])

    fresh_process(tmp_path)
    assert len(entries(folder)) == 3


def path_start(folder):
    return lambda path: path.read_bytes()[:100]


def flipped(folder):
    def flip(path):
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 0xFF
        return bytes(data)

    return flip


def test_the_cache_can_be_turned_off_and_put_elsewhere(tmp_path):
    off = fresh_process(tmp_path, DOLTAP_CACHE="off")
    assert off["folder"] is None
    assert not (tmp_path / "cache").exists()
    elsewhere = fresh_process(tmp_path, DOLTAP_CACHE=str(tmp_path / "own"))
    assert elsewhere["folder"] == str(tmp_path / "own")
    assert len(entries(tmp_path / "own")) == 3
    assert not (tmp_path / "cache").exists()


def test_the_users_own_settings_of_jax_win(tmp_path):
    chosen = tmp_path / "jax"
    by_variable = fresh_process(tmp_path, JAX_COMPILATION_CACHE_DIR=str(chosen))
    assert (by_variable["folder"], by_variable["seconds"]) == (str(chosen), 1.0)
    assert not (tmp_path / "cache").exists()
    threshold = "jax.config.update('jax_persistent_cache_min_compile_time_secs', 30.0)"
    by_call = fresh_process(tmp_path, PREPARE=threshold)
    assert by_call["seconds"] == 30.0
    assert not entries(tmp_path / "cache" / "doltap" / "programs")


def test_a_folder_that_others_can_write_to_is_not_used(tmp_path):
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o770)
    result = fresh_process(tmp_path, DOLTAP_CACHE=str(folder))
    assert result["folder"] is None
    assert list(folder.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")
def test_only_a_private_folder_of_ones_own_counts(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    assert not cache._make_private(tmp_path / "file")
    assert not cache._make_private(tmp_path / "file" / "programs")
    made = tmp_path / "a" / "b"
    assert cache._make_private(made)
    assert made.stat().st_mode & 0o777 == 0o700
    assert cache._make_private(made)
    for mode in (0o720, 0o702, 0o750, 0o755, 0o777, 0o1777):
        made.chmod(mode)
        assert not cache._make_private(made)
    made.chmod(0o700)
    link = tmp_path / "link"
    link.symlink_to(made)
    assert not cache._make_private(link)
    dangling = tmp_path / "dangling"
    dangling.symlink_to(tmp_path / "nowhere")
    assert not cache._make_private(dangling)
    monkeypatch.setattr(os, "getuid", lambda: made.stat().st_uid + 1)
    assert not cache._make_private(made)


def test_the_oldest_programs_are_trimmed_and_nothing_else(tmp_path):
    for age in range(10):
        path = tmp_path / f"jit_train_loop-{age}-cache"
        path.write_bytes(bytes(100))
        os.utime(path, (1e9 - age, 1e9 - age))
    (tmp_path / "thesis.tex").write_bytes(bytes(100_000))
    (tmp_path / "folder-cache").mkdir()
    os.utime(tmp_path / "thesis.tex", (0, 0))
    cache._trim(tmp_path, 350)
    kept = {path.name for path in tmp_path.iterdir()}
    assert kept == {"thesis.tex", "folder-cache", *(f"jit_train_loop-{age}-cache" for age in range(3))}
    cache._trim(tmp_path, 350)
    assert len(list(tmp_path.iterdir())) == 5


class Own(doltap.regularizers.L2):
    """A class of the user's, whose factor stands in the program."""


@pytest.mark.parametrize("factor", [0.001, 0.3])
def test_a_factor_taken_when_the_program_runs_moves_weights_as_one_that_stands_in_it(factor):
    def trained(kind):
        doltap.utils.set_random_seed(3)
        dense = doltap.layers.Dense(7, activation="tanh", kernel_regularizer=kind(factor), input_dim=4)
        model = doltap.Sequential([dense, doltap.layers.Dense(1, bias_regularizer=kind(factor))])
        model.compile(optimizer="adam", loss="mse")
        x = np.random.default_rng(0).normal(size=(50, 4)).astype("float32")
        found = model.fit(x, x[:, 0], epochs=4, verbose=0, validation_split=0.2).history
        return found, model.get_weights()

    (mine, weights), (usual, others) = trained(Own), trained(doltap.regularizers.L2)
    for name, values in mine.items():
        np.testing.assert_allclose(values, usual[name], rtol=1e-6)
    for one, other in zip(weights, others, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-8)


def test_factors_of_weights_share_a_program_and_those_of_activities_do_not():
    def dense(factor, of="kernel"):
        return doltap.layers.Dense(2, **{f"{of}_regularizer": doltap.regularizers.L1L2(l1=0.5, l2=factor)})

    assert cache.fingerprint(dense(0.1)) == cache.fingerprint(dense(0.2))
    assert cache.fingerprint(dense(0.1)) != cache.fingerprint(dense(0.0))
    assert cache.fingerprint(dense(0.1, "activity")) != cache.fingerprint(dense(0.2, "activity"))
    assert cache.fingerprint(dense(0.1, "activity")) == cache.fingerprint(dense(0.1, "activity"))
