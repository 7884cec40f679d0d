"""Models of calls between symbolic tensors, beside real Keras."""

import copy
import json
import pickle

import numpy as np
import pytest
from drawn_networks import close, drawn, rows_for

import doltap
from doltap import ops
from doltap.errors import DoltapError, MissingAttributeError, NotSupportedError, ShapeError, UnknownNameError
from doltap.layers import Activation, Dense, Dropout, Flatten, Input, Layer, Reshape
from doltap.models import Model, Sequential, clone_model
from doltap.training import cache

# What real Keras says of NumPy's newest version.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).random(shape, dtype=np.float32)


# Beside Keras: order, predictions, configurations.

SEEDS = [3, 5, 7, 8, 16, 41, 57, 73, 91, 104]


@pytest.fixture(scope="module", params=SEEDS)
def pair(request, keras):
    """A drawn model in Keras and in doltap with the same weights."""
    theirs, ours = drawn(keras, request.param), drawn(doltap, request.param)
    ours.set_weights(theirs.get_weights())
    return theirs, ours


def names_of_layers(keras, model):
    kinds = (keras.layers.Dense, keras.layers.InputLayer, keras.Model)
    return [layer.name for layer in model.layers if isinstance(layer, kinds)]


def test_layers_and_weights_stand_in_the_order_of_keras(pair, keras):
    theirs, ours = pair
    assert [layer.name for layer in ours.layers] == names_of_layers(keras, theirs)
    assert [w.shape for w in ours.get_weights()] == [w.shape for w in theirs.get_weights()]


def test_predictions_are_those_of_keras(pair):
    theirs, ours = pair
    x = rows_for(theirs)
    assert close(ours.predict(x, verbose=0), theirs.predict(x, verbose=0))


def test_a_configuration_of_keras_makes_the_same_model(pair, keras):
    theirs, ours = pair
    read = Model.from_config(json.loads(json.dumps(theirs.get_config())))
    assert [layer.name for layer in read.layers] == [layer.name for layer in ours.layers]
    read.set_weights(theirs.get_weights())
    x = rows_for(theirs)
    assert close(read.predict(x, verbose=0), theirs.predict(x, verbose=0))


def test_keras_makes_the_same_model_from_our_configuration(pair, keras):
    theirs, ours = pair
    read = keras.Model.from_config(json.loads(json.dumps(ours.get_config())))
    read.set_weights(theirs.get_weights())
    x = rows_for(theirs)
    assert close(read.predict(x, verbose=0), theirs.predict(x, verbose=0))


def test_a_configuration_of_ours_makes_the_same_model(pair):
    _, ours = pair
    read = Model.from_config(ours.get_config())
    read.set_weights(ours.get_weights())
    assert close(read.predict(rows_for(ours), verbose=0), ours.predict(rows_for(ours), verbose=0))
    assert read.get_config() == ours.get_config()


def test_a_clone_has_the_same_layers_and_other_weights(pair):
    _, ours = pair
    cloned = clone_model(ours)
    assert [layer.name for layer in cloned.layers] == [layer.name for layer in ours.layers]
    assert not {id(layer) for layer in cloned.layers} & {id(layer) for layer in ours.layers}
    cloned.set_weights(ours.get_weights())
    assert close(cloned.predict(rows_for(ours), verbose=0), ours.predict(rows_for(ours), verbose=0))


@pytest.mark.parametrize(
    "copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model)), copy.copy]
)
def test_a_copied_model_predicts_the_same(pair, copied):
    _, ours = pair
    x = rows_for(ours)
    again = copied(ours)
    assert close(again.predict(x, verbose=0), ours.predict(x, verbose=0))
    assert [layer.name for layer in again.layers] == [layer.name for layer in ours.layers]
    assert again.get_config() == ours.get_config()


OPERATIONS = {
    "concatenate": lambda o, a, b: o.concatenate([a, b], axis=1),
    "stack": lambda o, a, b: o.stack([a, b], 1),
    "add a number": lambda o, a, b: o.add(a, 2.0),
    "number minus": lambda o, a, b: 1 - a,
    "array plus": lambda o, a, b: a + np.arange(4, dtype="float32"),
    "clip": lambda o, a, b: o.clip(a, 0.2, 0.8),
    "where": lambda o, a, b: o.where(a > b, a, 0.0),
    "mean": lambda o, a, b: o.mean(a, axis=-1, keepdims=True),
    "max": lambda o, a, b: o.max(a, 1),
    "cast": lambda o, a, b: o.cast(a, "float16"),
    "slice": lambda o, a, b: a[:, 1:3],
    "column": lambda o, a, b: a[:, 2],
    "new axis": lambda o, a, b: a[..., None],
    "reshape": lambda o, a, b: o.reshape(a, (-1, 2, 2)),
    "softmax": lambda o, a, b: o.softmax(a),
    "top k": lambda o, a, b: o.top_k(a, 2)[0],
    "expand dims": lambda o, a, b: o.expand_dims(a, 1),
    "einsum": lambda o, a, b: o.einsum("ab,ab->a", a, b),
    "gelu": lambda o, a, b: o.gelu(a, approximate=False),
    "split": lambda o, a, b: o.split(a, 2, axis=1)[1],
    "power": lambda o, a, b: a**2,
    "matmul": lambda o, a, b: o.matmul(a, o.transpose(b)),
    "divide": lambda o, a, b: a / (b + 1.0),
    "floor divide and mod": lambda o, a, b: a * 10 // 3 + a % 0.3,
    "negative": lambda o, a, b: -abs(a),
    "comparison": lambda o, a, b: o.cast(a <= b, "float32"),
    "logsumexp": lambda o, a, b: o.logsumexp(a, axis=1),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_goes_to_keras_and_back(name, keras):
    def network(lib):
        inputs = [lib.Input((4,), name="a"), lib.Input((4,), name="b")]
        return lib.Model(inputs, OPERATIONS[name](lib.ops, *inputs))

    theirs, ours = network(keras), network(doltap)
    x = [numbers(3, 4), numbers(3, 4, seed=1)]
    wanted = theirs.predict(x, verbose=0)
    to_keras = keras.Model.from_config(json.loads(json.dumps(ours.get_config())))
    to_doltap = Model.from_config(json.loads(json.dumps(theirs.get_config())))
    for model in (ours, to_keras, to_doltap):
        assert close(model.predict(x, verbose=0), wanted)
        assert model.predict(x, verbose=0).dtype == wanted.dtype


# Structures of inputs and outputs.


def test_inputs_may_come_as_a_dict_in_any_order():
    a, b = Input((2,), name="b"), Input((3,), name="a")
    model = Model({"b": a, "a": b}, Dense(1)(ops.concatenate([a, b], axis=-1)))
    x = {"a": numbers(5, 3), "b": numbers(5, 2)}
    y = model.predict(x, verbose=0)
    assert close(model.predict(dict(reversed(x.items())), verbose=0), y)
    assert close(np.asarray(model(x)), y)
    with pytest.raises(ShapeError, match="a dict with the keys"):
        model.predict([x["a"], x["b"]], verbose=0)


def test_a_model_with_a_list_of_inputs_takes_a_dict_by_their_names():
    a, b = Input((2,), name="first"), Input((3,), name="second")
    model = Model([a, b], Dense(1)(ops.concatenate([a, b], axis=-1)))
    x = [numbers(5, 2), numbers(5, 3)]
    assert close(
        model.predict({"second": x[1], "first": x[0]}, verbose=0),
        model.predict(x, verbose=0),
    )


def test_inputs_and_outputs_may_be_nested():
    a, b, c = (Input((2,), name=name) for name in "abc")
    model = Model([a, {"x": b, "y": c}], {"sum": a + b, "rest": [b - c, (a,)]})
    rows = [numbers(4, 2, seed=s) for s in range(3)]
    outputs = model.predict([rows[0], {"x": rows[1], "y": rows[2]}], verbose=0)
    assert close(outputs["sum"], rows[0] + rows[1])
    assert close(outputs["rest"][0], rows[1] - rows[2])
    assert close(outputs["rest"][1][0], rows[0])


def test_a_list_of_one_output_gives_the_array_alone_as_in_keras(keras):
    for lib in (keras, doltap):
        inputs = lib.Input((2,))
        model = lib.Model([inputs], [lib.layers.Dense(1)(inputs)])
        assert model.predict(numbers(3, 2), verbose=0).shape == (3, 1)
        assert model([numbers(3, 2)]).shape == (3, 1)


def test_the_order_of_dict_outputs_is_that_of_keras(keras):
    found = {}
    for lib in (keras, doltap):
        inputs = lib.Input((2,), name="x")
        z, a = lib.layers.Dense(1, name="first")(inputs), lib.layers.Dense(2, name="second")(inputs)
        model = lib.Model(inputs, {"z": z, "a": a})
        found[lib] = (
            model.output_names,
            [layer.name for layer in model.layers],
            [t.shape for t in model.outputs],
        )
    assert found[keras][1:] == found[doltap][1:]


def test_one_column_may_come_without_its_dimension():
    inputs = Input((1,))
    model = Model(inputs, Dense(1)(inputs))
    assert close(model.predict(numbers(5), verbose=0), model.predict(numbers(5)[:, None], verbose=0))


# Layers, and models within models.


def test_layers_know_their_symbolic_input_and_output():
    inputs = Input((4,), name="x")
    layer = Dense(3, name="h")
    hidden = layer(inputs)
    assert layer.input is inputs
    assert layer.output is hidden
    model = Model(inputs, Dense(1)(hidden))
    assert model.input is inputs
    assert model.get_layer("h") is layer
    assert model.get_layer(index=1) is layer
    assert model.input_shape == (None, 4)
    assert model.output_shape == (None, 1)


@pytest.mark.parametrize("kind", ["functional", "sequential"])
def test_a_part_of_a_network_is_a_model_that_shares_its_layers(kind):
    rows = [Input((4,), name="x"), Dense(3, name="h", activation="tanh"), Dense(2, name="out")]
    make = {
        "sequential": lambda: Sequential(rows),
        "functional": lambda: Model(rows[0], rows[2](rows[1](rows[0]))),
    }
    whole = make[kind]()
    front = Model(whole.input, whole.get_layer("h").output)
    back = Model(whole.get_layer("h").output, whole.output)
    x = numbers(6, 4)
    assert front.get_layer("h") is whole.get_layer("h")
    assert close(back.predict(front.predict(x, verbose=0), verbose=0), whole.predict(x, verbose=0))
    both = Model(whole.inputs, [layer.output for layer in whole.layers])
    assert len(both.predict(x, verbose=0)) == len(whole.layers)


def test_training_a_part_moves_the_whole():
    inputs = Input((2,))
    hidden = Dense(3, name="h")(inputs)
    whole, part = Model(inputs, Dense(1)(hidden)), Model(inputs, hidden)
    before = whole.predict(numbers(3, 2), verbose=0)
    part.compile("sgd", "mse")
    part.fit(numbers(8, 2), numbers(8, 3), verbose=0)
    assert not close(whole.predict(numbers(3, 2), verbose=0), before)


def test_a_layer_called_twice_has_one_set_of_weights():
    a, b = Input((4,)), Input((4,))
    shared = Dense(2)
    model = Model([a, b], shared(a) - shared(b))
    assert model.count_params() == 10
    x = numbers(3, 4)
    assert close(model.predict([x, x], verbose=0), np.zeros((3, 2)))


def test_a_sequential_is_a_layer_of_a_network_and_a_network_one_of_a_sequential(keras):
    def nested(lib):
        inputs = lib.Input((4,), name="x")
        row = lib.Sequential([lib.layers.Dense(3, name="r")], name="row")
        inner = lib.Model(inputs, lib.layers.Dense(2, name="i")(row(inputs)), name="inner")
        return lib.Sequential([lib.Input((4,)), inner, lib.layers.Dense(1, name="last")], name="outer")

    theirs, ours = nested(keras), nested(doltap)
    ours.set_weights(theirs.get_weights())
    x = numbers(3, 4)
    assert close(ours.predict(x, verbose=0), theirs.predict(x, verbose=0))
    read = Sequential.from_config(json.loads(json.dumps(theirs.get_config())))
    read.set_weights(theirs.get_weights())
    assert close(read.predict(x, verbose=0), theirs.predict(x, verbose=0))
    back = keras.Sequential.from_config(json.loads(json.dumps(ours.get_config())))
    back.set_weights(theirs.get_weights())
    assert close(back.predict(x, verbose=0), theirs.predict(x, verbose=0))


def test_the_type_of_a_network_within_a_network_is_its_own():
    inner_inputs = Input((4,))
    inner = Model(inner_inputs, ops.argmax(inner_inputs, axis=-1))
    inputs = Input((4,))
    assert inner(inputs).dtype == "int32"
    assert inner(inputs).shape == (None,)


def test_a_network_with_several_outputs_stands_in_another():
    begin = Input((4,))
    inner = Model(begin, {"a": begin * 2, "b": [begin + 1, begin]})
    inputs = Input((4,))
    outputs = inner(inputs)
    model = Model(inputs, outputs["a"] + outputs["b"][0])
    x = numbers(3, 4)
    assert close(model.predict(x, verbose=0), x * 3 + 1)


def test_the_word_training_reaches_the_layers_inside():
    inputs = Input((50,))
    dropped = Dropout(0.5)
    model = Model(inputs, Model(inputs, dropped(inputs))(inputs))
    x = np.ones((4, 50), np.float32)
    assert close(np.asarray(model(x)), x)
    assert not close(np.asarray(model(x, training=True)), x)
    always = Model(inputs, Dropout(0.5)(inputs, training=True))
    assert not close(always.predict(x, verbose=0), x)


def test_frozen_layers_stay_as_they_are_after_compiling_again():
    inputs = Input((3,))
    first, second = Dense(4, name="first"), Dense(1, name="second")
    model = Model(inputs, second(first(inputs)))
    x, y = numbers(16, 3), numbers(16, 1)
    model.compile("sgd", "mse")
    model.fit(x, y, verbose=0)
    model.get_layer("first").trainable = False
    model.compile("sgd", "mse")
    frozen, free = first.get_weights(), second.get_weights()
    model.fit(x, y, verbose=0)
    assert close(first.get_weights(), frozen, 0)
    assert not close(second.get_weights(), free)
    assert [w.shape for w in model.trainable_weights] == [(4, 1), (1,)]
    model.trainable = False
    assert not model.trainable_weights
    assert not second.trainable


def test_a_deep_chain_is_copied_pickled_and_written_down():
    inputs = tensor = Input((2,))
    shared = Dense(2, name="shared")
    for number in range(300):
        tensor = shared(tensor) if number % 3 else tensor * 0.9
    model = Model(inputs, tensor)
    x = numbers(2, 2)
    wanted = np.asarray(model(x))
    for again in (copy.deepcopy(model), pickle.loads(pickle.dumps(model)), clone_model(model)):
        again.set_weights(model.get_weights())
        assert close(np.asarray(again(x)), wanted)
        assert len(again.layers) == 2
    assert len(model.get_config()["layers"]) == 102


def test_a_copy_trains_by_itself():
    inputs = Input((2,))
    model = Model(inputs, Dense(1)(inputs))
    model.compile("adam", "mse", metrics=["mae"])
    model.fit(numbers(8, 2), numbers(8, 1), verbose=0)
    again = pickle.loads(pickle.dumps(model))
    before = model.get_weights()
    again.fit(numbers(8, 2), numbers(8, 1), verbose=0)
    assert close(model.get_weights(), before, 0)
    model.fit(numbers(8, 2), numbers(8, 1), verbose=0)
    assert close(model.get_weights(), again.get_weights(), 1e-7)


# Cloning.


def test_clone_model_asks_for_the_stand_in_of_every_layer():
    inputs = Input((3,), name="x")
    model = Model(inputs, Dense(1, name="out")(Dense(4, name="h")(inputs)))
    seen = []

    def halved(layer):
        seen.append(layer.name)
        return (
            Dense(layer.units * 2, name=layer.name)
            if layer.name == "h"
            else type(layer).from_config(layer.get_config())
        )

    cloned = clone_model(model, clone_function=halved)
    assert seen == ["h", "out"]
    assert cloned.get_layer("h").units == 8
    assert cloned.name == model.name


def test_clone_model_begins_from_tensors_that_are_given():
    model = Sequential([Input((3,)), Dense(2, name="h")])
    functional = Model(model.input, model.output)
    for one in (model, functional):
        wider = clone_model(one, input_tensors=Input((5,)))
        assert wider.input_shape == (None, 5)
        assert wider.get_layer("h").kernel.shape == (5, 2)


def test_clone_model_enters_models_inside_when_asked(keras):
    def names_seen(lib, recursive):
        begin = lib.Input((3,))
        inner = lib.Model(begin, lib.layers.Dense(2, name="deep")(begin), name="inner")
        model = lib.Sequential([lib.Input((3,)), inner, lib.layers.Dense(1, name="top")])
        seen = []

        def copied(layer):
            seen.append(layer.name)
            return type(layer).from_config(layer.get_config())

        lib.models.clone_model(model, clone_function=copied, recursive=recursive)
        return seen

    for recursive in (False, True):
        assert names_seen(doltap, recursive) == names_seen(keras, recursive)


def test_a_clone_of_a_sequential_is_one_and_has_not_been_built_if_that_was_not():
    cloned = clone_model(Sequential([Dense(2), Dense(1)], name="tower"))
    assert type(cloned) is Sequential
    assert cloned.name == "tower"
    assert not cloned.built


def test_what_cannot_be_cloned_is_refused():
    with pytest.raises(NotSupportedError, match="a model"):
        clone_model(Dense(2))
    inputs = Input((2,))
    with pytest.raises(NotSupportedError, match="'h'"):
        clone_model(Model(inputs, Dense(1, name="h")(inputs)), clone_function=lambda layer: None)


# Summary.


def summary_of(model, **options):
    lines = []
    model.summary(print_fn=lines.append, line_length=120, **options)
    return "\n".join(lines)


def branched():
    inputs = Input((4,), name="x")
    shared = Dense(4, name="shared")
    inner = Sequential([Input((4,)), Dense(3, name="deep"), Dense(4, name="deeper")], name="inner")
    joined = ops.concatenate([shared(inputs), shared(inner(inputs))])
    return Model(inputs, Dense(1, name="out")(joined), name="branched")


def test_the_summary_shows_what_is_connected_to_what():
    text = summary_of(branched())
    row = next(line for line in text.splitlines() if "shared (Dense)" in line)
    assert "x[0][0]" in row
    assert "(None, 4)" in row
    assert "inner[0][0]" in text
    assert "shared[0][0]" in text
    assert "shared[1][0]" in text
    assert "deep " not in text
    assert "Total params: 56 " in text


def test_the_summary_opens_models_inside_and_shows_what_is_trained():
    model = branched()
    model.get_layer("shared").trainable = False
    text = summary_of(model, expand_nested=True, show_trainable=True)
    rows = {line.split()[1]: line for line in text.splitlines() if "(Dense)" in line}
    assert set(rows) == {"shared", "deep", "deeper", "out"}
    assert rows["shared"].split()[-2] == "N"
    assert rows["deep"].split()[-2] == "Y"
    assert "Non-trainable params: 20" in text


def test_the_summary_shows_a_range_of_layers():
    inputs = Input((4,), name="x")
    model = Model(inputs, Dense(1, name="c")(Dense(2, name="b")(Dense(3, name="a")(inputs))))
    text = summary_of(model, layer_range=["a", "b"])
    assert "a (Dense)" in text
    assert "b (Dense)" in text
    assert "c (Dense)" not in text
    with pytest.raises(UnknownNameError, match="layer_range"):
        summary_of(model, layer_range=["zzz", "b"])


# Mistakes.


def test_an_input_that_was_left_out_is_named():
    a, b = Input((2,), name="a"), Input((2,), name="forgotten")
    with pytest.raises(ShapeError, match="'forgotten'"):
        Model(a, a + b)


@pytest.mark.parametrize(
    ("inputs", "outputs"),
    [
        (lambda x, y: np.ones((2, 2)), lambda x, y: y),
        (lambda x, y: x, lambda x, y: Dense(2)),
        (lambda x, y: x, lambda x, y: []),
        (lambda x, y: x, lambda x, y: None),
        (lambda x, y: None, lambda x, y: y),
        (lambda x, y: (4,), lambda x, y: y),
    ],
)
def test_what_is_no_symbolic_tensor_is_refused(inputs, outputs):
    x = Input((2,))
    y = Dense(1)(x)
    with pytest.raises(ShapeError, match="symbolic"):
        Model(inputs(x, y), outputs(x, y))


def test_inputs_and_outputs_in_the_wrong_order_are_noticed():
    x = Input((2,), name="x")
    with pytest.raises(DoltapError, match=r"swapped|other way"):
        Model(Dense(1)(x), x)


def test_two_layers_of_one_name_are_refused():
    x = Input((2,))
    with pytest.raises(ShapeError, match="several called 'same'"):
        Model(x, Dense(1, name="same")(Dense(2, name="same")(x)))


def test_a_misspelled_layer_is_guessed():
    x = Input((2,))
    with pytest.raises(UnknownNameError, match="Did you mean 'hidden'"):
        Model(x, Dense(1, name="hidden")(x)).get_layer("hiden")


def test_a_layer_outside_of_every_network_says_so():
    with pytest.raises(MissingAttributeError, match="never part of a network"):
        _ = Dense(1).output
    with pytest.raises(MissingAttributeError, match="first called"):
        _ = Dense(1).kernel


def test_promises_refuse_what_needs_values():
    x = Input((2,), name="x")
    for use in (bool, float, np.asarray, list, lambda t: np.sum(t)):
        with pytest.raises((NotSupportedError, TypeError)):
            use(x)


# Programs are shared by what they compute.


def shared_or_separate(kind):
    a, b = Input((3,)), Input((3,))
    first = Dense(2)
    second = first if kind == "shared" else Dense(2)
    outputs = {
        "shared": lambda: first(a) + second(b),
        "separate": lambda: first(a) + second(b),
        "crossed": lambda: first(b) + second(a),
        "other constant": lambda: first(a) + second(b) * 2.0,
        "another constant": lambda: first(a) + second(b) * 3.0,
        "axis": lambda: ops.concatenate([first(a), second(b)], axis=0),
        "swapped": lambda: first(a) - second(b),
        "swapped back": lambda: second(b) - first(a),
    }[kind]()
    return Model([a, b], outputs)


KINDS = ["shared", "separate", "crossed", "other constant", "another constant", "axis", "swapped"]


@pytest.mark.parametrize("kind", KINDS)
def test_networks_of_one_architecture_have_one_fingerprint(kind):
    first, second = (cache.fingerprint(shared_or_separate(kind)) for _ in range(2))
    assert first is not None
    assert first == second


def test_networks_that_compute_something_else_have_another_fingerprint():
    found = [cache.fingerprint(shared_or_separate(kind)) for kind in KINDS]
    assert len(set(found)) == len(KINDS)


def test_the_second_network_of_an_architecture_compiles_nothing(monkeypatch):
    def trained():
        inputs = Input((3,))
        model = Model(inputs, Dense(1)(Dense(7, activation="tanh")(inputs)) * 0.37)
        model.compile("sgd", "mse")
        model.fit(numbers(8, 3), numbers(8, 1), verbose=0)
        return model.predict(numbers(8, 3), verbose=0)

    trained()
    compiled = []
    monkeypatch.setattr(cache, "_compile", lambda *arguments: compiled.append(arguments))
    trained()
    assert not compiled


# One class is not the other: shapes through every kind of layer.


def test_a_picture_goes_through_a_network():
    inputs = Input((4, 4))
    tensor = Reshape((2, 8))(Flatten()(inputs))
    model = Model(inputs, Activation("relu")(tensor))
    assert model.output_shape == (None, 2, 8)
    assert model.predict(numbers(3, 4, 4), verbose=0).shape == (3, 2, 8)


class Scaled(Layer):
    def __init__(self, factor=2.0, **keywords):
        super().__init__(**keywords)
        self.factor = factor

    def call(self, inputs, other=None):
        return inputs * self.factor if other is None else inputs * other


def test_a_layer_of_ones_own_takes_tensors_as_keywords():
    a, b = Input((3,)), Input((3,))
    model = Model([a, b], Scaled()(a, other=b))
    x = numbers(4, 3), numbers(4, 3, seed=1)
    assert close(model.predict(list(x), verbose=0), x[0] * x[1])
    again = Model.from_config(model.get_config(), custom_objects={"Scaled": Scaled})
    assert close(again.predict(list(x), verbose=0), x[0] * x[1])
