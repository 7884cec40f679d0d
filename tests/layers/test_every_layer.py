"""What every layer owes: Keras's numbers, gradients, shapes, types, masks and configurations."""

from __future__ import annotations

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from doltap import layers, notes
from doltap.core.graph import Graph
from doltap.core.tensors import lend

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning:keras"),
    pytest.mark.filterwarnings("ignore:You passed `rms_scaling=True`:UserWarning"),
]

ROW, STEPS, IMAGE = (4, 6), (4, 5, 6), (3, 4, 5, 6)
PAIR = [(4, 3), (4, 3)]


def square(x):
    return x * x


# The layer, in either library, and the shapes of its input or inputs.
CASES = {
    "Activation": (lambda k, **o: k.Activation("tanh", **o), STEPS),
    "ReLU": (lambda k, **o: k.ReLU(**o), ROW),
    "ReLU-all": (lambda k, **o: k.ReLU(1.5, 0.25, 0.5, **o), IMAGE),
    "LeakyReLU": (lambda k, **o: k.LeakyReLU(**o), STEPS),
    "ELU": (lambda k, **o: k.ELU(0.5, **o), ROW),
    "PReLU": (lambda k, **o: k.PReLU("ones", **o), STEPS),
    "PReLU-shared": (lambda k, **o: k.PReLU(shared_axes=[1, 2], **o), IMAGE),
    "Softmax": (lambda k, **o: k.Softmax(**o), ROW),
    "Softmax-axis": (lambda k, **o: k.Softmax(axis=1, **o), STEPS),
    "Softmax-axes": (lambda k, **o: k.Softmax(axis=[1, 2], **o), STEPS),
    "Flatten": (lambda k, **o: k.Flatten(**o), STEPS),
    "Flatten-first": (lambda k, **o: k.Flatten(data_format="channels_first", **o), IMAGE),
    "Reshape": (lambda k, **o: k.Reshape((-1, 3), **o), STEPS),
    "Permute": (lambda k, **o: k.Permute((3, 1, 2), **o), IMAGE),
    "RepeatVector": (lambda k, **o: k.RepeatVector(3, **o), ROW),
    "Masking": (lambda k, **o: k.Masking(**o), STEPS),
    "Masking-value": (lambda k, **o: k.Masking(-1.0, **o), STEPS),
    "Identity": (lambda k, **o: k.Identity(**o), STEPS),
    "Lambda": (lambda k, **o: k.Lambda(square, **o), STEPS),
    "Dense": (lambda k, **o: k.Dense(4, **o), STEPS),
    "EinsumDense": (lambda k, **o: k.EinsumDense("ab,bc->ac", 4, bias_axes="c", **o), ROW),
    "EinsumDense-steps": (
        lambda k, **o: k.EinsumDense("abc,cde->abde", (None, 2, 3), "tanh", "de", **o),
        STEPS,
    ),
    "EinsumDense-left": (lambda k, **o: k.EinsumDense("...x,xy->...y", 4, bias_axes="y", **o), IMAGE),
    "EinsumDense-right": (lambda k, **o: k.EinsumDense("ab...,bc->ac...", 4, bias_axes="c", **o), STEPS),
    "EinsumDense-no-bias": (lambda k, **o: k.EinsumDense("abc,bcd->abd", (5, 4), **o), STEPS),
    "Embedding": (lambda k, **o: k.Embedding(9, 4, **o), ROW),
    "Embedding-mask": (lambda k, **o: k.Embedding(9, 4, mask_zero=True, **o), ROW),
    "Add": (lambda k, **o: k.Add(**o), [(4, 3), (4, 3), (4, 3)]),
    "Add-spread": (lambda k, **o: k.Add(**o), [(4, 5, 3), (4, 1, 3)]),
    "Add-ranks": (lambda k, **o: k.Add(**o), [(4, 3), (4, 5, 3), (4, 2, 1, 3)]),
    "Subtract": (lambda k, **o: k.Subtract(**o), PAIR),
    "Multiply": (lambda k, **o: k.Multiply(**o), [(4, 5, 3), (4, 5, 3), (4, 5, 3)]),
    "Average": (lambda k, **o: k.Average(**o), [(4, 3), (4, 3), (4, 3)]),
    "Maximum": (lambda k, **o: k.Maximum(**o), [(4, 5, 3), (4, 5, 3), (4, 5, 3)]),
    "Minimum": (lambda k, **o: k.Minimum(**o), [(4, 5, 3), (4, 5, 3)]),
    "Concatenate": (lambda k, **o: k.Concatenate(**o), [(4, 3), (4, 1), (4, 2)]),
    "Concatenate-steps": (lambda k, **o: k.Concatenate(axis=1, **o), [(4, 5, 3), (4, 2, 3)]),
    "Concatenate-features": (lambda k, **o: k.Concatenate(**o), [(4, 5, 3), (4, 5, 2)]),
    "Dot": (lambda k, **o: k.Dot(axes=1, **o), PAIR),
    "Dot-two": (lambda k, **o: k.Dot(axes=(1, 2), **o), [(4, 5, 3), (4, 2, 5)]),
    "Dot-last": (lambda k, **o: k.Dot(axes=-1, normalize=True, **o), [(4, 5, 3), (4, 2, 3)]),
    "Dot-ranks": (lambda k, **o: k.Dot(axes=(2, 1), **o), [(4, 2, 3, 5), (4, 3)]),
    "Dropout": (lambda k, **o: k.Dropout(0.5, seed=1, **o), STEPS),
    "AlphaDropout": (lambda k, **o: k.AlphaDropout(0.5, noise_shape=(None, 1, None), **o), STEPS),
    "GaussianDropout": (lambda k, **o: k.GaussianDropout(0.5, seed=1, **o), STEPS),
    "GaussianNoise": (lambda k, **o: k.GaussianNoise(0.5, seed=1, **o), STEPS),
    "SpatialDropout1D": (lambda k, **o: k.SpatialDropout1D(0.5, seed=1, **o), STEPS),
    "SpatialDropout2D": (lambda k, **o: k.SpatialDropout2D(0.5, **o), IMAGE),
    "SpatialDropout3D": (lambda k, **o: k.SpatialDropout3D(0.5, "channels_first", **o), (2, 3, 4, 5, 6)),
    "ActivityRegularization": (lambda k, **o: k.ActivityRegularization(0.1, 0.2, **o), ROW),
    "BatchNormalization": (lambda k, **o: k.BatchNormalization(momentum=0.9, **o), ROW),
    "BatchNormalization-steps": (lambda k, **o: k.BatchNormalization(**o), STEPS),
    "BatchNormalization-first": (lambda k, **o: k.BatchNormalization(axis=1, scale=False, **o), IMAGE),
    "BatchNormalization-bare": (
        lambda k, **o: k.BatchNormalization(epsilon=0.1, center=False, scale=False, **o),
        IMAGE,
    ),
    "LayerNormalization": (lambda k, **o: k.LayerNormalization(**o), STEPS),
    "LayerNormalization-axes": (lambda k, **o: k.LayerNormalization(axis=[2, 1], **o), STEPS),
    "LayerNormalization-inner": (lambda k, **o: k.LayerNormalization(axis=1, center=False, **o), STEPS),
    "LayerNormalization-rms": (lambda k, **o: k.LayerNormalization(rms_scaling=True, **o), STEPS),
    "GroupNormalization": (lambda k, **o: k.GroupNormalization(2, **o), IMAGE),
    "GroupNormalization-first": (lambda k, **o: k.GroupNormalization(groups=2, axis=1, **o), IMAGE),
    "GroupNormalization-each": (lambda k, **o: k.GroupNormalization(groups=-1, scale=False, **o), STEPS),
    "RMSNormalization": (lambda k, **o: k.RMSNormalization(**o), STEPS),
    "RMSNormalization-axes": (lambda k, **o: k.RMSNormalization(axis=[1, 2], **o), STEPS),
    "UnitNormalization": (lambda k, **o: k.UnitNormalization(**o), STEPS),
    "UnitNormalization-axes": (lambda k, **o: k.UnitNormalization(axis=[1, 2], **o), STEPS),
    "TimeDistributed": (lambda k, **o: k.TimeDistributed(k.Dense(4, activation="tanh", **o), **o), STEPS),
    "TimeDistributed-flatten": (lambda k, **o: k.TimeDistributed(k.Flatten(**o), **o), IMAGE),
}
RANDOM = {"Dropout", "AlphaDropout", "GaussianDropout", "GaussianNoise"}
RANDOM |= {"SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D"}
UNTESTED_HERE = {"Layer", "Wrapper", "InputLayer"}
TRAINS_OTHERWISE = [case for case in CASES if case.startswith("BatchNormalization")]
# Layers to which a mask of steps means something of its own, or nothing in Keras.
OTHER_MASKS = {"Softmax", "Softmax-axis", "Softmax-axes", "Add-spread", "Add-ranks", "Dot-two", "Dot-ranks"}
OTHER_MASKS |= {"BatchNormalization", "BatchNormalization-first", "BatchNormalization-bare", "Concatenate"}
each_layer = pytest.mark.parametrize("case", CASES)
# One case of every class, where its options make no difference.
each_class = pytest.mark.parametrize("case", [case for case in CASES if "-" not in case])


def quickly(function):
    """The function as one program that is compiled fast rather than well."""
    return jax.jit(function, compiler_options={"xla_backend_optimization_level": 0})


def numbers(case, seed=0):
    """The input of a case, or the list of its inputs."""
    shapes = CASES[case][1]
    random = np.random.default_rng(seed)
    if case.startswith("Embedding"):
        return random.integers(0, 9, shapes).astype(np.int32)
    if isinstance(shapes, list):
        return [random.normal(size=shape).astype(np.float32) for shape in shapes]
    x = random.normal(size=shapes).astype(np.float32)
    if case.startswith("Masking"):
        x[0, -1], x[1, 0] = 0, -1
    return x


def pair(keras, case, **options):
    """The layer of both libraries with the same weights, and its input."""
    make, _ = CASES[case]
    ours, theirs, x = make(layers, **options), make(keras.layers, **options), numbers(case)
    ours.ensure_built(shapes_of(x))
    theirs.build(shapes_of(x))
    theirs.built = True
    random = np.random.default_rng(7)
    # Variances are above 0.
    weights = [np.abs(random.normal(size=w.shape)).astype(np.float32) + 0.1 for w in theirs.weights]
    ours.set_weights(weights)
    for weight, value in zip(theirs.weights, weights, strict=True):
        weight.assign(value)
    return ours, theirs, x


def shapes_of(x):
    return [array.shape for array in x] if isinstance(x, list) else x.shape


def as_list(x):
    return x if isinstance(x, list) else [x]


def our_outcome(layer, x, training=False):
    """The output, the states after the call, and what a random pull does to weights and inputs."""
    moving, fixed = layer.variables_by_role()

    def output(arrays, x):
        with lend([*moving, *fixed], [*arrays, *(v.array for v in fixed)]) as loan:
            return layer(x, training=training), [loan[v] for v in fixed]

    return pulled_back(output, [v.array for v in moving], x)


def their_outcome(layer, x, training=False):
    fixed = [v.value for v in layer.non_trainable_variables]
    options = {"training": training} if layer._call_has_training_arg else {}

    def output(arrays, x):
        y, states = layer.stateless_call(arrays, fixed, x, **options)
        return y, states if layer.weights else []

    return pulled_back(output, [v.value for v in layer.trainable_variables], x)


def pulled_back(function, weights, x):
    y, backward, states = jax.vjp(function, weights, x, has_aux=True)
    weight_gradients, gradients = backward(np.random.default_rng(3).normal(size=y.shape).astype(y.dtype))
    return (
        y,
        states,
        (weight_gradients, [g for g in jax.tree.leaves(gradients) if g.dtype != jax.dtypes.float0]),
    )


def assert_close(mine, other, tolerance=1e-5):
    mine, other = jax.tree.leaves(mine), jax.tree.leaves(other)
    for one, peer in zip(mine, other, strict=True):
        one, peer = np.asarray(one, np.float64), np.asarray(peer, np.float64)
        # Relative to the largest number of the array: small ones are sums that nearly cancel.
        np.testing.assert_allclose(one, peer, rtol=tolerance, atol=tolerance * max(1, np.abs(peer).max()))


def program_of(layer, x):
    """What the layer computes, as text: the same text, the same numbers."""
    return str(jax.make_jaxpr(layer)(jax.tree.map(jnp.asarray, x)))


def test_every_layer_has_a_case():
    classes = {name for name in layers.__all__ if isinstance(getattr(layers, name), type)}
    # The layers of preprocessing have tests of their own.
    classes = {name for name in classes if "preprocessing" not in getattr(layers, name).__module__}
    assert classes - UNTESTED_HERE == {case.split("-")[0] for case in CASES}


@pytest.mark.parametrize(
    ("case", "training"), [*((case, False) for case in CASES), *((case, True) for case in TRAINS_OTHERWISE)]
)
def test_outputs_states_and_gradients_are_those_of_keras(keras, case, training):
    ours, theirs, x = pair(keras, case)
    mine, peer = quickly(lambda x: (our_outcome(ours, x, training), their_outcome(theirs, x, training)))(x)
    assert mine[0].dtype == peer[0].dtype
    for ours_of, theirs_of in zip(mine, peer, strict=True):  # The outputs, the states, the gradients.
        assert_close(ours_of, theirs_of)


@pytest.mark.parametrize("case", [case for case in CASES if case not in {*RANDOM, *TRAINS_OTHERWISE}])
def test_training_makes_no_difference_to_the_others(case):
    layer, x = CASES[case][0](layers), numbers(case)
    layer.ensure_built(shapes_of(x))
    in_training = program_of(lambda x: layer(x, training=True), x)
    assert program_of(lambda x: layer(x, training=False), x) == in_training


@each_layer
def test_weights_have_keras_names_order_and_place(keras, case):
    ours, theirs, _ = pair(keras, case)
    assert [w.name for w in ours.weights] == [w.name for w in theirs.weights]
    assert [w.trainable for w in ours.weights] == [w.trainable for w in theirs.weights]


@pytest.mark.parametrize("case", [case for case in CASES if case != "Lambda"])
def test_configurations_are_understood_in_both_directions(keras, case):
    ours, theirs, x = pair(keras, case)
    written, described = as_plain(layers.serialize(ours)), as_plain(keras.layers.serialize(theirs))
    from_ours, from_theirs = layers.deserialize(written), layers.deserialize(described)
    for copy in (from_ours, from_theirs):
        copy.ensure_built(shapes_of(x))
        copy.set_weights(ours.get_weights())
        assert program_of(copy, x) == program_of(ours, x)
        # Through ours, Keras gets the layer it would have written itself.
        peer = keras.layers.deserialize(as_plain(layers.serialize(copy)))
        assert as_plain(keras.layers.serialize(peer), ours) == as_plain(described, ours)
    assert as_plain(layers.serialize(from_ours)) == written


def as_plain(description, ours=None):
    """A configuration as a file holds it; without names, the moment of building and unfilled seeds."""
    plain = json.loads(json.dumps(description))
    plain.pop("build_config", None)
    if ours is not None:
        config = plain["config"]
        config.pop("name")
        # Keras makes the axis a sorted list when it builds, and fills in the number of groups.
        config["axis"] = np.sort(np.atleast_1d(config.get("axis", 0))).tolist()
        config.pop("groups", None)
        plain["config"] = {k: v if k != "layer" else v["config"]["dtype"] for k, v in config.items()}
    return plain


@each_class
@pytest.mark.parametrize("dtype", ["bfloat16", "mixed_bfloat16"])
def test_types_are_those_of_keras(keras, case, dtype):
    ours, theirs, x = pair(keras, case, dtype=dtype)
    y, expected = quickly(lambda x: (ours(x), theirs(x)))(jax.tree.map(jnp.asarray, x))
    assert y.dtype == expected.dtype
    assert [w.dtype for w in ours.weights] == [str(w.dtype) for w in theirs.weights]
    # Each library rounds to 8 bits at places of its own.
    assert_close(y, np.asarray(expected, np.float32), 4e-2)
    gradients = jax.eval_shape(lambda x: our_outcome(ours, x)[2][0], x)
    assert [str(g.dtype) for g in gradients] == [w.dtype for w in ours.trainable_weights]


@each_class
def test_a_layer_is_the_same_row_by_row(keras, case):
    layer, _, x = pair(keras, case)
    rows = jax.tree.map(lambda array: array[:, None], x)
    mapped, bare = quickly(lambda rows, x: (jax.vmap(layer)(rows)[:, 0], layer(x)))(rows, x)
    assert_close(mapped, bare, 1e-6)


@each_layer
def test_the_output_shape_is_known_before_a_call_as_in_keras(keras, case):
    ours, theirs, x = pair(keras, case)
    true = shapes_of(x)
    open_batch = [(None, *shape[1:]) for shape in true] if isinstance(x, list) else (None, *true[1:])
    assert ours.compute_output_shape(true) == jax.eval_shape(ours, jax.tree.map(jnp.asarray, x)).shape
    expected = tuple(theirs.compute_output_shape(open_batch))
    if case == "EinsumDense-steps":  # Keras leaves open what the input tells.
        expected = (None, 5, 2, 3)
    if case == "EinsumDense-left":  # Keras gives (None, 5, 4, 4): it inserts the other axes backwards.
        expected = (None, 4, 5, 4)
    assert tuple(ours.compute_output_shape(open_batch)) == expected


@each_layer
def test_a_symbolic_call_promises_what_the_network_gives(case):
    layer, x = CASES[case][0](layers), numbers(case)
    dtype = "int32" if case.startswith("Embedding") else "float32"
    inputs = [layers.Input(array.shape[1:], dtype=dtype) for array in as_list(x)]
    outputs = layer(inputs if isinstance(x, list) else inputs[0])
    graph = Graph(inputs, outputs)
    through = jax.make_jaxpr(graph.run)(as_list(x))
    direct = jax.make_jaxpr(lambda arrays: layer(arrays if isinstance(x, list) else arrays[0]))(as_list(x))
    assert str(through) == str(direct)
    assert outputs.shape == (None, *through.out_avals[0].shape[1:])
    assert outputs.dtype == through.out_avals[0].dtype
    assert outputs.name == layer.name


@pytest.mark.filterwarnings("ignore:Layer .*was passed an input with a mask:UserWarning")
@pytest.mark.parametrize("case", [case for case in CASES if case not in OTHER_MASKS])
def test_masks_are_passed_on_as_in_keras(keras, case):
    ours, theirs, x = pair(keras, case)
    masks = [np.random.default_rng(n).random(array.shape[:2]) > 0.3 for n, array in enumerate(as_list(x))]
    if isinstance(x, list) and x[0].ndim == 2:
        masks = [mask[:, :1].repeat(len(x[0]), 1) for mask in masks]
    seen = {}

    def outputs(arrays, masks):
        peers = [array + 0 for array in arrays]
        with notes.taken() as taken:
            for array, peer, mask in zip(arrays, peers, masks, strict=True):
                taken.set_mask(array, mask)
                keras.src.backend.set_keras_mask(peer, mask)
            y = ours(arrays if isinstance(x, list) else arrays[0])
            expected = theirs(peers if isinstance(x, list) else peers[0])
            both = taken.mask_of(y), keras.src.backend.get_keras_mask(expected)
        seen["masks"] = [mask is not None for mask in both]
        return (y, expected), [mask for mask in both if mask is not None]

    (y, expected), masks = quickly(outputs)([jnp.asarray(a) for a in as_list(x)], masks)
    assert seen["masks"] in ([True, True], [False, False])
    assert_close(y, expected)
    assert_close(masks[:1], masks[1:])


@each_class
def test_whole_numbers_are_computed_as_their_values(keras, case):
    layer, _, x = pair(keras, case)
    whole = jax.tree.map(lambda array: np.abs(np.round(2 * array)).clip(0, 8).astype("int16"), x)
    real = jax.tree.map(lambda array: array.astype(np.float32), whole)
    mine, expected = quickly(lambda *both: [layer(each) for each in both])(whole, real)
    assert_close(mine, expected, 1e-6)
