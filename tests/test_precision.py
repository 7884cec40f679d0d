"""Models in every precision: types, training and skipped steps, against real Keras."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
import pytest

import doltap
from doltap import dtypes
from doltap.dtypes import DTypePolicy
from doltap.training import cache

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning:keras")

POLICIES = ["float32", "mixed_bfloat16", "mixed_float16", "bfloat16", "float16"]
MIXED = ["mixed_bfloat16", "mixed_float16"]
RNG = np.random.default_rng(0)
X = RNG.normal(size=(80, 6)).astype(np.float32)
Y = (X @ RNG.normal(size=(6, 1))).astype(np.float32)


@pytest.fixture(autouse=True)
def restored(keras):
    yield
    dtypes.forget_policy()
    keras.config.set_dtype_policy("float32")
    doltap.config.set_floatx("float32")


def network(library):
    dense = library.layers.Dense
    layers = [dense(16, "relu"), library.layers.Dropout(0.0), dense(8, "tanh"), dense(1)]
    return library.Sequential([library.Input((6,)), *layers])


def trained(library, weights, optimizer, scale=1.0, epochs=2):
    """A network after some epochs of ten steps from these weights, and its history."""
    model = network(library)
    if weights is not None:
        model.set_weights(weights)
    model.compile(optimizer, "mse", metrics=["mae"])
    start = model.get_weights()
    x, y = np.float32(scale) * X, np.float32(scale) * Y
    history = model.fit(x, y, batch_size=8, epochs=epochs, shuffle=False, verbose=0).history
    return model, start, history


def numbers(arrays):
    return [np.asarray(array, np.float32) for array in arrays]


OPTIMIZERS = {
    "SGD": {"learning_rate": 0.02, "momentum": 0.9},
    "Adam": {"learning_rate": 0.01, "use_ema": True, "epsilon": 1e-4},
    "RMSprop": {"learning_rate": 0.01, "centered": True},
}
_pairs = {}


def pair(keras, policy, optimizer):
    """The network of both libraries, doltap's first, after 20 steps from the same weights."""
    if (policy, optimizer) not in _pairs:
        found, weights = [], None
        for library in (keras, doltap):
            library.config.set_dtype_policy(policy)
            mover = getattr(library.optimizers, optimizer)(**OPTIMIZERS[optimizer])
            model, weights, history = trained(library, weights, mover)
            found.append((library, model, history, model.predict(X, verbose=0)))
        _pairs[policy, optimizer] = found[::-1]
    return _pairs[policy, optimizer]


def types_in(library, model, history, predicted):
    """Every type that shows in a trained model."""
    return {
        "input": model.inputs[0].dtype,
        "output": model.outputs[0].dtype,
        "weights": [str(weight.dtype) for weight in model.weights],
        "slots": sorted(str(variable.dtype) for variable in model.optimizer.variables),
        "totals": sorted(str(v.dtype) for metric in model.metrics for v in metric.variables),
        "predicted": (str(predicted.dtype), type(predicted)),
        "called": str(model(X).dtype),
        "got": {str(array.dtype) for array in model.get_weights()},
        "model": (model.dtype, model.compute_dtype, model.variable_dtype, model.dtype_policy.name),
        "optimizer": type(model.optimizer).__name__,
        "loss": str(library.losses.MeanSquaredError()(Y, predicted).dtype),
        "history": sorted(history),
    }


@pytest.mark.parametrize("policy", POLICIES)
def test_all_types_of_a_trained_model_are_those_of_keras(keras, policy):
    ours, theirs = pair(keras, policy, "Adam")
    assert types_in(*ours) == types_in(*theirs)


@pytest.mark.parametrize(
    ("policy", "optimizer", "close"),
    [
        ("float32", "Adam", 1e-5),
        # The same roundings in the same places; but a processor that orders a sum otherwise
        # rounds a result to the neighbouring half, and the next step starts from there.
        ("mixed_bfloat16", "Adam", 2e-2),
        ("mixed_float16", "Adam", 4e-3),
        ("mixed_float16", "RMSprop", 4e-3),
        # Keras computes the update itself in half precision, too.
        ("float16", "SGD", 2e-3),
        ("bfloat16", "SGD", 2e-2),
    ],
)
def test_20_steps_end_where_keras_ends(keras, policy, optimizer, close):
    ends = []
    for _, model, history, predicted in pair(keras, policy, optimizer):
        ends.append(numbers([*model.get_weights(), *history.values(), predicted]))
    for mine, theirs in zip(*ends, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=close, atol=close)
    apart = np.concatenate([np.ravel(mine - theirs) for mine, theirs in zip(*ends, strict=True)])
    assert np.median(np.abs(apart)) <= close / 10, "a rounding here and there, no other sum"
    losses = history["loss"]
    assert losses[1] < 0.9 * losses[0], "it learns"


def test_adam_learns_in_plain_bfloat16():
    # Where 0.999 is rounded to 1, as it is in Keras, nothing moves.
    doltap.config.set_dtype_policy("bfloat16")
    _, _, history = trained(doltap, None, doltap.optimizers.Adam(0.05), epochs=4)
    assert history["loss"][-1] < 0.7 * history["loss"][0]


@pytest.mark.parametrize("scale", [0.1, 300.0])
def test_steps_that_overflow_are_left_out_and_halve_the_scale_as_in_keras(keras, scale):
    found = []
    weights = None
    for library in (keras, doltap):
        library.config.set_dtype_policy("mixed_float16")
        model, weights, _ = trained(library, weights, library.optimizers.SGD(1e-4), scale)
        optimizer = model.optimizer
        counts = [int(optimizer.inner_optimizer.iterations.numpy()), *map(float, optimizer.variables[2:4])]
        found.append((counts, numbers(model.get_weights())))
    assert found[0][0] == found[1][0]
    assert (found[1][0][0] == 20) == (scale < 1), "each step counts that does not overflow"
    assert (found[1][0][2] == 2.0**15) == (scale < 1)
    for theirs, mine in zip(found[0][1], found[1][1], strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("policy", "options", "is_scaled"),
    [
        ("mixed_float16", {}, True),
        ("mixed_float16", {"auto_scale_loss": False}, False),
        ("mixed_bfloat16", {}, False),
        ("float16", {}, False),
    ],
)
def test_the_loss_is_scaled_where_keras_scales_it(keras, policy, options, is_scaled):
    for library in (keras, doltap):
        library.config.set_dtype_policy(policy)
        model = network(library)
        # What counts is the policy under which the model was made.
        library.config.set_dtype_policy("float32")
        model.compile("sgd", "mse", **options)
        assert isinstance(model.optimizer, library.optimizers.LossScaleOptimizer) == is_scaled


# Layers of other policies.


@pytest.mark.parametrize("usual", POLICIES)
@pytest.mark.parametrize("own", [*POLICIES, DTypePolicy("mixed_bfloat16")])
def test_a_layer_may_have_a_policy_of_its_own(keras, usual, own):
    name = getattr(own, "name", own)
    outputs = []
    weights = None
    for library in (keras, doltap):
        library.config.set_dtype_policy(usual)
        inputs = library.Input((6,))
        hidden = library.layers.Dense(4, "relu", dtype=own if library is doltap else name)(inputs)
        model = library.Model(inputs, library.layers.Dense(2, "softmax", dtype="float32")(hidden))
        weights = model.get_weights() if weights is None else weights
        model.set_weights(weights)
        kernel = model.layers[1].kernel
        outputs.append((model.predict(X, verbose=0), str(hidden.dtype), str(kernel.dtype)))
    assert outputs[0][1:] == outputs[1][1:]
    assert outputs[1][0].dtype == outputs[0][0].dtype == np.float32
    np.testing.assert_allclose(outputs[1][0], outputs[0][0], rtol=1e-2 if "b" in hidden.dtype else 1e-5)


def test_models_inside_models_keep_their_policies(keras):
    outputs = []
    weights = None
    for library in (keras, doltap):
        library.config.set_dtype_policy("mixed_bfloat16")
        inner = library.Sequential([library.Input((6,)), library.layers.Dense(5, "relu")])
        library.config.set_dtype_policy("mixed_float16")
        other = library.Sequential([library.layers.Dense(4, dtype="float32"), library.layers.Dense(3)])
        inputs = library.Input((6,))
        model = library.Model(inputs, [inner(inputs), other(inner(inputs))])
        weights = model.get_weights() if weights is None else weights
        model.set_weights(weights)
        outputs.append(model.predict(X, verbose=0))
    assert [str(array.dtype) for array in outputs[0]] == [str(array.dtype) for array in outputs[1]]
    assert [str(array.dtype) for array in outputs[1]] == ["bfloat16", "float16"]
    for theirs, mine in zip(*map(numbers, outputs), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def averaging(library):
    """A layer that keeps an average in full precision, as batch normalization does."""

    class Averaging(library.layers.Layer):
        def build(self, input_shape):
            self.scale = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="scale")
            self.average = self.add_weight(
                shape=(input_shape[-1],),
                initializer="zeros",
                trainable=False,
                autocast=False,
                dtype="float32",
                name="average",
            )
            self.seen = self.add_weight(
                shape=(), initializer="zeros", trainable=False, dtype="int32", name="seen"
            )

        def call(self, inputs, training=False):
            if training:
                ops = library.ops
                mean = ops.mean(ops.cast(inputs, "float32"), axis=0)
                self.average.assign(self.average * 0.9 + mean * 0.1)
                self.seen.assign(self.seen + 1)
            assert inputs.dtype == self.compute_dtype
            return inputs * self.scale - library.ops.cast(self.average, inputs.dtype)

    return Averaging


@pytest.mark.parametrize("policy", MIXED)
def test_a_state_without_autocast_stays_exact_in_a_mixed_layer(keras, policy):
    found = []
    for library in (keras, doltap):
        library.config.set_dtype_policy(policy)
        layer = averaging(library)()
        model = library.Sequential([library.Input((6,)), layer, library.layers.Dense(1)])
        model.layers[1].set_weights([np.full((6, 1), 0.5, np.float32), np.zeros(1, np.float32)])
        model.compile("sgd", "mse")
        model.fit(X, Y, batch_size=16, epochs=2, shuffle=False, verbose=0)
        assert str(model.predict(X, verbose=0).dtype) == layer.compute_dtype
        found.append(layer)
    theirs, mine = found
    assert [str(v.dtype) for v in mine.weights] == [str(v.dtype) for v in theirs.weights]
    assert int(mine.seen) == int(theirs.seen) == 10
    np.testing.assert_allclose(mine.average.numpy(), np.asarray(theirs.average), rtol=1e-5)
    assert (mine.average.numpy() != mine.average.numpy().astype(mine.compute_dtype)).any()


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("dtype", ["int32", "uint8", "bool", "float16", "float32", "float64", "bfloat16"])
@pytest.mark.parametrize("layer", ["Dense", "Flatten", "Activation", "Dropout", "Reshape"])
def test_outputs_have_keras_types_for_inputs_of_every_type(keras, layer, dtype, policy):
    arguments = {"Dense": (2,), "Activation": ("relu",), "Dropout": (0.5,), "Reshape": ((2, 3),)}
    x = np.ones((2, 6)).astype(jnp.dtype(dtype))
    if layer == "Activation" and dtype == "bool":
        pytest.skip("no activation takes booleans")
    made = [getattr(lib.layers, layer)(*arguments.get(layer, ()), dtype=policy) for lib in (doltap, keras)]
    mine, theirs = (str(each(x).dtype) for each in made)
    if layer == "Dropout" and not dtypes.is_float(dtype):
        # Whole numbers that are thinned out and scaled up are none any more.
        theirs = made[0].compute_dtype
    assert mine == theirs
    if dtype in ("int32", "float32"):
        # What is promised is what comes.
        again = getattr(doltap.layers, layer)(*arguments.get(layer, ()), dtype=policy)
        assert again(doltap.Input((6,), dtype=dtype)).dtype == mine


@pytest.mark.parametrize("policy", POLICIES)
def test_autocast_can_be_switched_off_as_in_keras(keras, policy):
    x = np.full((2, 6), 1.001, np.float32)
    for library in (keras, doltap):
        layer = library.layers.Dense(2, autocast=False, dtype=policy)
        assert (str(layer(x).dtype), layer.autocast) == ("float32", False)
    if policy in MIXED:
        exact = doltap.layers.Dense(2, autocast=False, dtype=policy)
        exact(x)
        assert exact(x).tolist() == (jnp.asarray(x) @ exact.kernel.numpy()).tolist()


def test_a_policy_may_be_set_before_the_weights_are_made(keras):
    for library in (keras, doltap):
        layer = library.layers.Dense(2)
        layer.dtype_policy = "mixed_float16"
        assert (layer.compute_dtype, layer.dtype, str(layer(X).dtype)) == ("float16", "float32", "float16")


# Written down and read again.


@pytest.mark.parametrize("policy", POLICIES)
def test_policies_of_layers_cross_to_keras_and_back(keras, policy):
    ours = doltap.layers.Dense(3, dtype=policy, name="d")
    theirs = keras.layers.Dense(3, dtype=policy, name="d")
    written = json.loads(json.dumps(ours.get_config()))
    assert written["dtype"] == theirs.get_config()["dtype"]
    assert keras.layers.Dense.from_config(written).dtype_policy == theirs.dtype_policy
    assert doltap.layers.Dense.from_config(theirs.get_config()).dtype_policy == ours.dtype_policy


# One program for each precision, and one for all of its epochs.


def fingerprint_of(policy):
    doltap.config.set_dtype_policy(policy)
    return cache.fingerprint(network(doltap))


def test_layers_of_other_precisions_have_other_fingerprints():
    assert len({fingerprint_of(policy) for policy in POLICIES}) == len(POLICIES)
    assert fingerprint_of("mixed_bfloat16") == fingerprint_of("mixed_bfloat16")
    kept = [doltap.layers.Dense(1, autocast=autocast) for autocast in (True, False)]
    assert cache.fingerprint(kept[0]) != cache.fingerprint(kept[1])


@pytest.fixture
def compilations(monkeypatch):
    """The names of the programs compiled while the test runs."""
    names, compiling = [], cache._compile
    cache.forget_programs()

    def noted(lowered, name, options):
        names.append(name)
        return compiling(lowered, name, options)

    monkeypatch.setattr(cache, "_compile", noted)
    return names


def test_a_program_is_shared_within_a_precision_and_never_beyond(compilations):
    for number, policy in enumerate(POLICIES, 1):
        doltap.config.set_dtype_policy(policy)
        for _ in range(2):
            trained(doltap, None, "sgd", epochs=1)
            assert compilations == ["train_loop"] * number


def test_another_floatx_is_another_program_although_the_layers_are_the_same(compilations):
    for number, name in enumerate(("float32", "float16"), 1):
        doltap.config.set_floatx(name)
        doltap.config.set_dtype_policy("float32")
        trained(doltap, None, "sgd", epochs=1)
        assert len(compilations) == number


EVERY_OPTIMIZER = ["SGD", "RMSprop", "Adam", "AdamW", "Adadelta", "Adagrad", "Adamax", "Adafactor", "Nadam"]
EVERY_OPTIMIZER += ["Ftrl", "Lion", "Lamb", "Muon"]


@pytest.mark.parametrize(
    ("optimizer", "policy"),
    [(name, ("mixed_float16", "float32", "mixed_bfloat16")[n % 3]) for n, name in enumerate(EVERY_OPTIMIZER)],
)
def test_no_type_is_promoted_and_a_second_epoch_compiles_nothing(compilations, optimizer, policy):
    doltap.config.set_dtype_policy(policy)
    options = {"use_ema": True, "weight_decay": 0.01, "global_clipnorm": 1.0}
    dense = doltap.layers.Dense
    hidden = dense(4, "relu", kernel_regularizer="l2", kernel_constraint="max_norm")
    last = dense(3, "softmax", activity_regularizer="l1")
    layers = [hidden, doltap.layers.Dropout(0.2), doltap.layers.Reshape((2, 2)), doltap.layers.Flatten()]
    model = doltap.Sequential([doltap.Input((6,)), *layers, last])
    with jax.numpy_dtype_promotion("strict"):
        mover = getattr(doltap.optimizers, optimizer)(**options)
        model.compile(mover, "sparse_categorical_crossentropy", metrics=["accuracy"])
        for _ in range(2):
            model.fit(X, np.arange(80) % 3, batch_size=16, epochs=2, verbose=0)
            assert compilations == ["train_loop"]
    state = [*model.weights, *model.optimizer.variables, *model.metrics_variables]
    assert not [variable.name for variable in state if variable.array.weak_type]
    assert all(str(variable.array.dtype) == variable.dtype for variable in state)


# Formulas keep the type they are given, and promote nothing on the way.


def members(names, base=None):
    things = {id(thing): (name, thing) for name in names for thing in [names.find(name)]}
    return [name for name, thing in things.values() if base is None or isinstance(thing, type)]


@pytest.fixture
def strict():
    with jax.numpy_dtype_promotion("strict"), jax.numpy_rank_promotion("raise"):
        yield


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
@pytest.mark.parametrize("name", sorted(set(members(doltap.activations.names)) - {"threshold"}))
def test_an_activation_keeps_the_type(strict, name, dtype):
    function, x = doltap.activations.get(name), jnp.ones((2, 4), dtype)
    outputs = [jax.eval_shape(each, x) for each in (function, jax.grad(lambda x: function(x).sum()))]
    assert {(str(each.dtype), each.weak_type) for each in outputs} == {(dtype, False)}


# Those that take other labels than one for each number.
OTHERS = (doltap.losses.CTC, doltap.losses.Circle)
LOSSES = [
    name for name in members(doltap.losses.names, base=type) if doltap.losses.names.find(name) not in OTHERS
]


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
@pytest.mark.parametrize("name", sorted(LOSSES))
def test_a_loss_is_computed_in_its_own_type_whatever_the_predictions_have(strict, name, dtype):
    loss = doltap.losses.get(name)
    y = jnp.arange(3) if loss.takes_class_numbers else jnp.eye(3, dtype=dtype)
    y_pred = jnp.full((3, 3), 0.3, dtype)
    # Without a type of its own it is of `floatx()`, not of the model's half precision.
    for made, wanted in ((loss, "float32"), (type(loss)(dtype=dtype), dtype)):
        value = jax.eval_shape(made, y, y_pred, jnp.ones(3))
        assert (str(value.dtype), value.weak_type) == (wanted, False)


def test_a_metric_may_be_given_a_policy_or_a_type(keras):
    for library in (keras, doltap):
        policy = library.DTypePolicy("mixed_bfloat16")
        assert str(library.metrics.Mean(dtype=policy).dtype) == "bfloat16"
        assert str(library.losses.MeanSquaredError(dtype="float16")(Y, Y).dtype) == "float16"


# Random numbers.


def test_a_seed_draws_the_same_weights_and_masks_in_every_precision():
    found = []
    for policy in POLICIES:
        doltap.config.set_dtype_policy(policy)
        doltap.utils.set_random_seed(3)
        model = doltap.Sequential([doltap.Input((6,)), doltap.layers.Dense(50), doltap.layers.Dropout(0.5)])
        outputs = model.layers[1](jnp.ones((4, 50)), training=True)
        found.append((numbers(model.get_weights())[0], np.asarray(outputs) != 0))
        doltap.utils.set_random_seed(3)
        assert (numbers(network(doltap).get_weights())[0] != 0).any()
    for kernel, mask in found[1:]:
        np.testing.assert_allclose(kernel, found[0][0], atol=2e-3)
        np.testing.assert_array_equal(mask, found[0][1])


def test_two_runs_from_one_seed_are_equal_in_every_precision():
    for policy in POLICIES:
        doltap.config.set_dtype_policy(policy)
        ends = []
        for _ in range(2):
            doltap.utils.set_random_seed(5)
            ends.append(trained(doltap, None, "adam")[0].get_weights())
        for first, second in zip(*map(numbers, ends), strict=True):
            np.testing.assert_array_equal(first, second)


# 64 bits, which a process switches on once and for all.


def in_its_own_process(code):
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "JAX_PLATFORMS": "cpu"},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


IN_64_BITS = """
import json
import numpy as np
import doltap as keras

keras.config.set_floatx("float64")
rng = np.random.default_rng(0)
x, y, weights = rng.normal(size=(50, 4)), rng.normal(size=(50, 1)), rng.uniform(0.5, 2, 50)
dense = keras.layers.Dense(1, kernel_regularizer=keras.regularizers.L2(0.1))
model = keras.Sequential([keras.Input((4,)), dense])
model.set_weights([np.full((4, 1), 0.1), np.zeros(1)])
model.compile(keras.optimizers.Adam(0.1), "mse", metrics=["mae"])
history = model.fit(x, y, batch_size=16, epochs=2, shuffle=False, verbose=0, sample_weight=weights).history

# The same in NumPy.
kernel, bias, slots, step, losses = np.full((4, 1), 0.1), np.zeros(1), [0.0, 0.0, 0.0, 0.0], 0, []
for epoch in range(2):
    total = 0.0
    for start in range(0, 50, 16):
        a, b, w = x[start:start + 16], y[start:start + 16], weights[start:start + 16, None]
        error, step = a @ kernel + bias - b, step + 1
        total += ((w * error**2).mean() + 0.1 * (kernel**2).sum()) * len(a)
        gradients = [a.T @ (2 * w * error) / len(a) + 0.2 * kernel, (2 * w * error).mean(0)]
        moved = []
        for place, (weight, gradient) in enumerate(zip((kernel, bias), gradients)):
            slots[2 * place] = 0.9 * slots[2 * place] + (1 - 0.9) * gradient
            slots[2 * place + 1] = 0.999 * slots[2 * place + 1] + (1 - 0.999) * gradient**2
            rate = 0.1 * np.sqrt(1 - 0.999**step) / (1 - 0.9**step)
            moved.append(weight - rate * slots[2 * place] / (np.sqrt(slots[2 * place + 1]) + 1e-7))
        kernel, bias = moved
    losses.append(total / 50)
errors = [np.abs(model.get_weights()[0] - kernel).max(), np.abs(model.get_weights()[1] - bias).max()]
errors += [np.abs(np.array(history["loss"]) - losses).max()]
errors += [np.abs(model.predict(x, verbose=0) - (x @ kernel + bias)).max()]
state = [*model.weights, *model.optimizer.variables, *model.metrics_variables]
print(json.dumps({"worst": max(errors), "types": sorted({str(v.dtype) for v in state})}))
"""


def test_training_in_64_bits_is_that_of_numpy_to_the_tenth_digit():
    found = in_its_own_process(IN_64_BITS)
    assert found["types"] == ["float64", "int32"]
    assert found["worst"] < 1e-10


BACK_TO_32_BITS = """
import json
import numpy as np
import doltap as keras

keras.config.set_floatx("float64")
keras.config.set_floatx("float32")
layers = [keras.layers.Dense(4, "relu"), keras.layers.Dropout(0.1), keras.layers.Dense(3, "softmax")]
model = keras.Sequential([keras.Input((4,)), *layers])
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(np.ones((8, 4)), np.arange(8) % 3, epochs=2, verbose=0)
state = [*model.weights, *model.optimizer.variables, *model.metrics_variables]
predicted = model.predict(np.ones((8, 4)), verbose=0)
print(json.dumps(sorted({str(v.array.dtype) for v in state} | {str(predicted.dtype)})))
"""


def test_where_jax_has_64_bits_a_model_of_32_keeps_to_them():
    assert in_its_own_process(BACK_TO_32_BITS) == ["float32", "int32"]


def test_a_layer_of_64_bits_needs_the_switch():
    code = (
        "import json, doltap, numpy as np\n"
        "doltap.config.set_floatx('float64')\n"
        "layers = [doltap.layers.Dense(1), doltap.layers.Dense(1, dtype='float32')]\n"
        "print(json.dumps([str(layer(np.ones((2, 2))).dtype) for layer in layers]))"
    )
    assert in_its_own_process(code) == ["float64", "float32"]


# The shapes in signatures.


def test_shapes_in_signatures_are_held_in_tests():
    class Constant(doltap.optimizers.schedules.LearningRateSchedule):
        def __init__(self, *values):
            self.values = values

        def __call__(self, step):
            return jnp.asarray(self.values)

    with pytest.raises(jaxtyping.TypeCheckError):
        doltap.optimizers.schedules.rate_at(Constant(0.1, 0.2), 1)
