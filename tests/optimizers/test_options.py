"""Every option around every rule, against real Keras: the same weights, gradients and steps."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from doltap import optimizers
from doltap.core.tensors import Variable
from doltap.errors import DataError, DoltapError, NotSupportedError, UnknownArgumentError
from doltap.training.cache import fingerprint

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning:keras")

KINDS = ["SGD", "RMSprop", "Adagrad", "Adadelta", "Ftrl", "Adam", "AdamW", "Adamax", "Nadam", "Lamb", "Lion"]
KINDS += ["Adafactor", "Muon"]
OPTIONS = {
    "nothing": {},
    "decay of weights": {"weight_decay": 0.3},
    "clipnorm": {"clipnorm": 0.5},
    "clipvalue": {"clipvalue": 0.2},
    "global clipnorm": {"global_clipnorm": 0.5},
    "averages": {"use_ema": True, "ema_momentum": 0.8},
    "averages in place": {"use_ema": True, "ema_momentum": 0.8, "ema_overwrite_frequency": 3},
    "scaled loss": {"loss_scale_factor": 64.0},
    "gathering": {"gradient_accumulation_steps": 3},
    "all at once": {
        "weight_decay": 0.1,
        "global_clipnorm": 2.0,
        "use_ema": True,
        "ema_momentum": 0.7,
        "ema_overwrite_frequency": 2,
        "loss_scale_factor": 8.0,
        "gradient_accumulation_steps": 2,
    },
}
each_kind = pytest.mark.parametrize("kind", KINDS)
ALL = OPTIONS["all at once"]
# The passes know no rules: by day each rule meets all of them, and one rule each of them alone.
PAIRS = [
    pytest.param(
        kind,
        OPTIONS[name],
        id=f"{kind} {name}",
        marks=[] if name == "all at once" or kind == "SGD" else [pytest.mark.slow],
    )
    for kind in KINDS
    for name in OPTIONS
]
SHAPES = {"kernel": (5, 3), "bias": (3,)}


def start(seed=5):
    random = np.random.default_rng(seed)
    return [random.normal(size=shape).astype(np.float32) for shape in SHAPES.values()]


def gradients(count, shapes=((5, 3), (3,)), seed=0):
    random = np.random.default_rng(seed)
    for _ in range(count):
        arrays = [random.normal(size=shape) * 10.0 ** random.uniform(-2, 1) for shape in shapes]
        arrays[0][0] = 0
        yield [jnp.asarray(array, jnp.float32) for array in arrays]


def run(optimizer, weights, count):
    """Weights and state as arrays after each of some steps, in one program; of either library."""
    step = jax.jit(optimizer.stateless_apply)
    state = [variable.value for variable in optimizer.variables]
    arrays = [weight.value for weight in weights]
    for given in gradients(count, [weight.shape for weight in weights]):
        arrays, state = step(state, given, arrays)
        yield arrays, state


def made(module, variable, kind, options):
    """The built optimizer and its weights, in either library."""
    weights = [variable(array, name=name) for name, array in zip(SHAPES, start(), strict=True)]
    optimizer = getattr(module, kind)(learning_rate=0.03, **options)
    optimizer.build(weights)
    return optimizer, weights


def ours(kind, options):
    return made(optimizers, Variable, kind, options)


def in_keras(keras, kind, options):
    return made(keras.optimizers, keras.Variable, kind, options)


def assert_close(mine, theirs):
    assert len(mine) == len(theirs)
    for array, expected in zip(mine, theirs, strict=True):
        expected = np.asarray(expected)
        assert array.dtype == expected.dtype
        assert array.shape == expected.shape
        np.testing.assert_allclose(np.asarray(array), expected, rtol=1e-5, atol=2e-6)


def assert_same_steps(mine, theirs, count):
    for (arrays, state), (their_arrays, their_state) in zip(
        run(*mine, count), run(*theirs, count), strict=True
    ):
        assert_close(arrays, their_arrays)
        assert_close(state, their_state)


@pytest.mark.parametrize(("kind", "options"), PAIRS)
def test_each_step_with_an_option_is_that_of_keras(keras, kind, options):
    assert_same_steps(ours(kind, options), in_keras(keras, kind, options), 12)


@pytest.mark.parametrize("said", ["var_list", "var_names"])
def test_excluded_weights_decay_as_little_as_in_keras(keras, said):
    pairs = []
    for module, variable in ((optimizers, Variable), (keras.optimizers, keras.Variable)):
        weights = [variable(array, name=name) for name, array in zip(SHAPES, start(), strict=True)]
        optimizer = module.SGD(learning_rate=0.03, weight_decay=0.5)
        optimizer.exclude_from_weight_decay(**{said: weights[:1] if said == "var_list" else ["^ker"]})
        optimizer.build(weights)
        pairs.append((optimizer, weights))
    assert_same_steps(*pairs, 3)
    ((everything, _),) = run(*ours("SGD", {"weight_decay": 0.5}), 1)
    ((without, _),) = run(*pairs[0], 1)
    assert [bool((a == b).all()) for a, b in zip(everything, without, strict=True)] == [False, True]
    with pytest.raises(NotSupportedError, match="before training"):
        pairs[0][0].exclude_from_weight_decay(var_names=["bias"])


def test_muon_steps_as_adam_where_keras_does(keras):
    shapes = {"table_embeddings": (6, 2), "dense": (2, 4), "out": (4, 2), "bias": (4,), "filter": (2, 2, 3)}
    random = np.random.default_rng(1)
    arrays = {name: random.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    pairs = []
    for module, variable in ((optimizers, Variable), (keras.optimizers, keras.Variable)):
        optimizer = module.Muon(learning_rate=0.1, exclude_layers=["^out", "nobody"], ns_steps=2)
        weights = [variable(array, name=name) for name, array in arrays.items()]
        optimizer.exclude_from_weight_decay(var_names=["bias"])
        optimizer.build(weights)
        pairs.append((optimizer, weights))
    names = [variable.name for variable in pairs[0][0].variables[2:]]
    assert names == [variable.path.split("/")[-1] for variable in pairs[1][0].variables[2:]]
    assert "dense_velocity" not in names
    assert "out_velocity" in names
    assert_same_steps(*pairs, 3)


@pytest.mark.parametrize(
    "options", [{"nesterov": False}, {"rms_rate": None}, {"ns_steps": 2, "momentum": 0.5}]
)
def test_muon_takes_its_own_arguments_as_keras_takes_them(keras, options):
    assert_same_steps(ours("Muon", options), in_keras(keras, "Muon", options), 4)


@each_kind
def test_a_config_with_every_option_crosses_to_keras_and_back(keras, kind):
    mine = getattr(optimizers, kind)(learning_rate=0.25, name="mine", **ALL)
    theirs = getattr(keras.optimizers, kind).from_config(mine.get_config())
    assert theirs.get_config() == mine.get_config()
    for config in (keras.optimizers.serialize(theirs), optimizers.serialize(mine)):
        again = optimizers.deserialize(config)
        assert type(again) is type(mine)
        assert again.get_config() == mine.get_config()
    back = keras.saving.deserialize_keras_object(optimizers.serialize(mine))
    assert back.get_config() == theirs.get_config()


@pytest.mark.parametrize(
    "kind",
    [
        kind if kind in ("SGD", "Adam", "Nadam", "Adafactor") else pytest.param(kind, marks=pytest.mark.slow)
        for kind in KINDS
    ],
)
def test_a_population_under_vmap_moves_as_its_members_alone(kind):
    optimizer, weights = ours(kind, {})
    rates = {name: jnp.stack([rate.value, rate.value * 2]) for name, rate in optimizer.rates.items()}
    groups = optimizer.build(weights)
    slots = [{name: jnp.stack([slot.value] * 2) for name, slot in group.items()} for group in groups]
    arrays = [jnp.stack([weight.value, -weight.value]) for weight in weights]
    given = [jnp.stack([gradient, gradient * 3]) for gradient in next(gradients(1))]
    together = jax.jit(jax.vmap(optimizer.update_all, in_axes=(0, 0, 0, None, 0)))
    step = jnp.int32(2)
    both = together(arrays, given, slots, step, rates)
    for member in range(2):
        alone = jax.tree.map(lambda array: array[member], (arrays, given, slots, rates))  # noqa: B023
        expected = optimizer.update_all(*alone[:3], step, alone[3])
        jax.tree.map(
            lambda array, wanted: np.testing.assert_allclose(array[member], wanted, rtol=2e-5, atol=1e-6),  # noqa: B023
            both,
            expected,
        )


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@each_kind
def test_with_every_option_weights_and_slots_keep_their_type(kind, dtype):
    weights = [Variable(array, dtype=dtype, name=name) for name, array in zip(SHAPES, start(), strict=True)]
    optimizer = getattr(optimizers, kind)(learning_rate=0.03, **ALL)
    before = [(slot.shape, slot.dtype) for group in optimizer.build(weights) for slot in group.values()]
    assert {kept for _, kept in before} <= {dtype, *(["int32"] if kind == "Adafactor" else [])} | (
        {"float32"} if kind == "Nadam" else set()
    )
    groups = [{name: slot.value for name, slot in group.items()} for group in optimizer.build(weights)]
    rates = {name: rate.value for name, rate in optimizer.rates.items()}
    given = [jnp.ones(weight.shape, dtype) for weight in weights]
    arrays, moved = jax.eval_shape(
        optimizer.update_all, [weight.value for weight in weights], given, groups, jnp.int32(1), rates
    )
    assert [array.dtype for array in arrays] == [dtype] * len(weights)
    assert not any(leaf.weak_type for leaf in jax.tree.leaves((arrays, moved)))
    after = [
        (slot.shape, str(slot.dtype)) for g, b in zip(moved, groups, strict=True) for slot in map(g.get, b)
    ]
    assert after == before


def primitives(optimizer):
    weight = Variable(np.ones((3, 4)))
    groups = [{name: slot.value for name, slot in group.items()} for group in optimizer.build([weight])]
    rates = {name: rate.value for name, rate in optimizer.rates.items()}
    traced = jax.make_jaxpr(optimizer.update_all)(
        [weight.value], [weight.value], groups, optimizer.iterations.value, rates
    )
    return [equation.primitive.name for equation in traced.eqns]


def test_options_that_are_absent_cost_nothing():
    plain = ["add", "convert_element_type", "mul", "sub"]
    assert primitives(optimizers.SGD()) == plain
    named = dict.fromkeys(["weight_decay", "clipnorm", "clipvalue", "global_clipnorm", "loss_scale_factor"])
    more = {"use_ema": False, "ema_overwrite_frequency": 5, "gradient_accumulation_steps": None, "decay": 0.0}
    assert primitives(optimizers.SGD(**named, **more)) == plain
    assert len(primitives(optimizers.SGD(weight_decay=0.1))) == len(plain) + 3


@pytest.mark.parametrize(
    "options",
    [{"clipnorm": 1.0}, {"use_ema": True}, {"weight_decay": 0.1}, {"loss_scale_factor": 2.0}],
    ids=str,
)
def test_programs_are_shared_by_equal_options_only(options):
    def seen(kind="SGD", excluded=(), limit=None, **options):
        optimizer, weights = getattr(optimizers, kind)(**options), [Variable(np.ones(2), name="a")]
        optimizer.exclude_from_weight_decay(var_names=list(excluded))
        weights[0].constraint = limit
        optimizer.build(weights)
        return fingerprint([weights, optimizer])

    assert seen(**options) == seen(**options)
    assert seen(**options) != seen()
    assert seen(**options) != seen("Adam", **options)
    if "weight_decay" in options:
        assert seen(**options) == seen(weight_decay=0.5)
        assert seen(**options) != seen(excluded=["a"], **options)
    assert seen(limit=lambda weight: weight, **options) is None


def test_the_weight_decay_is_set_in_the_middle_and_compiles_nothing():
    optimizer, weights = ours("AdamW", {})
    assert optimizer.weight_decay == 0.004
    groups = [{name: slot.value for name, slot in group.items()} for group in optimizer.build(weights)]
    arrays, given, traces = [weight.value for weight in weights], next(gradients(1)), []

    @jax.jit
    def step(rates):
        traces.append(1)
        return optimizer.update_all(arrays, given, groups, jnp.int32(0), rates)[0][0]

    results = []
    for decay in (0.004, 0.5):
        optimizer.weight_decay = decay
        results.append(step({name: rate.value for name, rate in optimizer.rates.items()}))
    assert len(traces) == 1
    np.testing.assert_allclose(results[0] - results[1], np.asarray(arrays[0]) * 0.03 * 0.496, atol=1e-6)
    optimizer.weight_decay = None
    assert optimizer.weight_decay == 0.0


def test_a_weight_decay_that_was_not_there_can_be_set_only_before_training():
    optimizer = optimizers.SGD()
    optimizer.weight_decay = 0.5
    assert optimizer.get_config()["weight_decay"] == 0.5
    late = optimizers.SGD()
    late.build([Variable(np.ones(2))])
    with pytest.raises(NotSupportedError, match="weight_decay"):
        late.weight_decay = 0.5
    with pytest.raises(NotSupportedError, match="momentum"):
        late.momentum = 0.5


def test_iterations_count_updates_and_programs_count_batches(keras):
    options = {"gradient_accumulation_steps": 3}
    optimizer, weights = ours("SGD", options)
    their_weights = [keras.Variable(array) for array in start()]
    theirs = keras.optimizers.SGD(**options)
    for number, given in enumerate(gradients(4)):
        before = weights[0].numpy()
        optimizer.apply(given, weights)
        theirs.apply(given, their_weights)
        assert int(optimizer.iterations) == int(theirs.iterations) == (number + 1) // 3
        assert (weights[0].numpy() == before).all() == (number != 2)
    assert (
        int(optimizer.iterations.array) == int(optimizer.variables[0]) == int(theirs.variables[0].value) == 4
    )
    assert optimizer.iterations.numpy() == 1
    optimizer.iterations.assign(5)
    assert int(optimizer.variables[0]) == 15


def test_the_averages_take_the_place_of_the_weights_at_the_end(keras):
    options = {"use_ema": True, "ema_momentum": 0.5}
    optimizer, weights = ours("Adam", options)
    their_weights = [keras.Variable(array) for array in start()]
    theirs = keras.optimizers.Adam(learning_rate=0.03, **options)
    for given in gradients(4):
        optimizer.apply(given, weights)
        theirs.apply(given, their_weights)
    before = weights[0].numpy()
    optimizer.finalize_variable_values(weights)
    theirs.finalize_variable_values(their_weights)
    assert abs(weights[0].numpy() - before).max() > 1e-4
    assert_close([weight.numpy() for weight in weights], [weight.value for weight in their_weights])


def test_constraints_hold_after_each_step_as_in_keras(keras):
    def never_negative(weight):
        return weight * (weight >= 0)

    optimizer, weights = ours("Adam", {"use_ema": True})
    weights[0].constraint = never_negative
    their_weights = [keras.Variable(array) for array in start()]
    their_weights[0].constraint = keras.constraints.NonNeg()
    theirs = keras.optimizers.Adam(learning_rate=0.03, use_ema=True)
    for given in gradients(3):
        optimizer.apply(given, weights)
        theirs.apply(given, their_weights)
    assert_close([weight.numpy() for weight in weights], [weight.value for weight in their_weights])
    assert (weights[0].numpy() >= 0).all()
    assert (weights[1].numpy() < 0).any()
    ((arrays, _),) = run(optimizer, weights, 1)
    assert (arrays[0] >= 0).all()


def test_the_loss_is_scaled_only_where_that_was_asked_for():
    assert optimizers.SGD().scale_loss(2.0) == 2.0
    assert optimizers.SGD(loss_scale_factor=8.0).scale_loss(2.0) == 16.0


def test_weights_without_a_gradient_stay_and_are_named():
    optimizer, weights = ours("Adam", {"weight_decay": 0.5})
    given = next(gradients(1))
    with pytest.warns(UserWarning, match="No gradient for bias"):
        optimizer.apply([given[0], None], weights)
    assert (weights[1].numpy() == start()[1]).all()
    assert (weights[0].numpy() != start()[0]).any()
    assert len(optimizer.variables) == 2 + 4
    with pytest.raises(DataError, match="None for all"):
        optimizer.apply([None, None], weights)
    optimizer.apply(given)
    assert (weights[1].numpy() != start()[1]).any()


def test_apply_needs_to_know_its_weights():
    with pytest.raises(NotSupportedError, match="build"):
        optimizers.SGD().apply([np.ones(3)])
    optimizer, weights = ours("SGD", {})
    with pytest.raises(DataError, match="2 arrays"):
        optimizer.apply([np.ones(3)])
    with pytest.raises(DataError, match="2 arrays"):
        optimizer.apply([np.ones(3)], weights)
    with pytest.raises(DataError, match="2 arrays"):
        optimizer.stateless_apply([1], start(), start())


@pytest.mark.parametrize(
    "options",
    [
        {"clipnorm": 1.0, "clipvalue": 1.0},
        {"global_clipnorm": 1.0, "clipvalue": 1.0},
        {"clipnorm": -1.0},
        {"clipvalue": "much"},
        {"weight_decay": -0.1},
        {"weight_decay": True},
        {"ema_momentum": 1.5},
        {"ema_overwrite_frequency": 0},
        {"ema_overwrite_frequency": 2.5},
        {"gradient_accumulation_steps": 1},
        {"gradient_accumulation_steps": 2.0},
        {"loss_scale_factor": 0},
        {"decay": -1},
    ],
    ids=str,
)
def test_options_that_cannot_be_are_refused_by_name(options):
    with pytest.raises(DoltapError, match=next(iter(options))):
        optimizers.Adam(**options)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("AdamW", {"weight_decay": None}),
        ("Ftrl", {"learning_rate_power": 0.5}),
        ("Ftrl", {"l1_regularization_strength": -1.0}),
        ("Lion", {"beta_1": 0.0}),
        ("Lion", {"beta_2": 1.5}),
        ("Adadelta", {"rho": 1.0}),
        ("Adamax", {"beta_1": -0.1}),
        ("Nadam", {"beta_2": 2}),
        ("Adafactor", {"epsilon_2": -1}),
        ("Muon", {"momentum": 2.0}),
    ],
    ids=str,
)
def test_arguments_that_cannot_be_are_refused_by_name(kind, options):
    with pytest.raises(DoltapError, match=next(iter(options))):
        getattr(optimizers, kind)(**options)


@pytest.mark.parametrize(("wrong", "right"), [("lerning_rate", "learning_rate"), ("clip_norm", "clipnorm")])
@each_kind
def test_a_misspelt_option_is_answered_with_the_nearest_one(kind, wrong, right):
    with pytest.raises(UnknownArgumentError, match=f"Did you mean '{right}='"):
        getattr(optimizers, kind)(**{wrong: 1.0})


def test_what_keras_2_said_to_tensorflow_is_heard_and_needs_nothing():
    config = {
        "name": "Adam",
        "jit_compile": True,
        "is_legacy_optimizer": False,
        "epsilon": None,
        "decay": 0.0,
    }
    again = optimizers.get({"class_name": "Adam", "config": config})
    assert again.epsilon == 1e-7
    assert "decay" not in again.get_config()


# Inside the training of a whole network.


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("Nadam", {"weight_decay": 0.1, "clipnorm": 0.1, "gradient_accumulation_steps": 2}),
        ("Adam", {"global_clipnorm": 0.1, "use_ema": True, "ema_overwrite_frequency": 12}),
    ],
    ids=str,
)
def test_a_network_trained_with_options_ends_at_the_weights_of_keras(keras, kind, options):
    import doltap

    random = np.random.default_rng(4)
    x = random.normal(size=(24, 3)).astype(np.float32)
    y = x @ np.float32([[1], [2], [-1]])
    results = []
    for library in (doltap, keras):
        layers = library.layers
        model = library.Sequential([layers.Input((3,)), layers.Dense(4, activation="tanh"), layers.Dense(1)])
        random = np.random.default_rng(6)
        model.set_weights([random.normal(size=weight.shape) for weight in model.get_weights()])
        model.compile(getattr(library.optimizers, kind)(learning_rate=0.02, **options), loss="mse")
        model.fit(x, y, batch_size=8, epochs=4, shuffle=False, verbose=0)
        results.append(model.get_weights())
    for mine, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-5)
