"""Models as classes of the user's own, beside real Keras."""

import copy
import pickle

import numpy as np
import pytest

import doltap
from doltap import ops
from doltap.errors import DoltapError, MissingAttributeError, NotSupportedError
from doltap.layers import Dense, Dropout, Input, Layer
from doltap.models import Model, Sequential
from doltap.registry import register_keras_serializable

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")

numbers = np.random.default_rng(2)
X = numbers.random((20, 4), dtype=np.float32)
Y = numbers.random((20, 1), dtype=np.float32)


def perceptron(lib):
    class Perceptron(lib.Model):
        def __init__(self):
            super().__init__()
            self.hidden = [lib.layers.Dense(5, activation="tanh"), lib.layers.Dense(3)]
            self.ends = {"out": lib.layers.Dense(1)}

        def call(self, inputs, training=None):
            for layer in self.hidden:
                inputs = layer(inputs)
            return self.ends["out"](inputs)

    return Perceptron()


def with_blocks(lib):
    class Block(lib.layers.Layer):
        def __init__(self, units, **kwargs):
            super().__init__(**kwargs)
            self.units = units
            self.inner = lib.layers.Dense(units, activation="relu")

        def build(self, input_shape):
            self.scale = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="scale")
            self.inner.build(input_shape)

        def call(self, inputs):
            return self.inner(inputs * self.scale)

    class Tower(lib.Model):
        def __init__(self, depth=3):
            super().__init__()
            self.blocks = [Block(4) for _ in range(depth)]
            self.last = lib.layers.Dense(1)

        def call(self, inputs):
            for block in self.blocks:
                inputs = inputs + block(inputs)
            return self.last(inputs)

    return Tower()


def with_a_functional_part(lib):
    inputs = lib.Input((4,))
    part = lib.Model(inputs, lib.layers.Dense(3, activation="tanh")(inputs))

    class Whole(lib.Model):
        def __init__(self):
            super().__init__()
            self.part = part
            self.row = lib.Sequential([lib.layers.Dense(2), lib.layers.Dense(1)])

        def call(self, inputs):
            return self.row(self.part(inputs))

    return Whole()


def with_a_state(lib):
    class Counting(lib.layers.Layer):
        def __init__(self):
            super().__init__()
            self.calls = self.add_weight(shape=(), initializer="zeros", trainable=False, name="calls")
            self.mean = self.add_weight(shape=(4,), initializer="zeros", trainable=False, name="mean")

        def call(self, inputs, training=False):
            if training:
                self.calls.assign_add(1.0)
                self.mean.assign(0.9 * self.mean + 0.1 * lib.ops.mean(inputs, axis=0))
            return inputs - self.mean

    class Centred(lib.Model):
        def __init__(self):
            super().__init__()
            self.counting, self.last = Counting(), lib.layers.Dense(1)

        def call(self, inputs, training=False):
            return self.last(self.counting(inputs, training=training))

    return Centred()


def with_added_losses(lib):
    class Sparse(lib.layers.Layer):
        def call(self, inputs):
            self.add_loss(0.01 * lib.ops.sum(lib.ops.abs(inputs)))
            self.add_loss(0.1 * lib.ops.mean(lib.ops.square(inputs)))
            return inputs

    class Auto(lib.Model):
        def __init__(self):
            super().__init__()
            self.hidden = lib.layers.Dense(3, kernel_regularizer="l2", activity_regularizer="l1")
            self.sparse, self.last = Sparse(), lib.layers.Dense(1)

        def call(self, inputs):
            return self.last(self.sparse(self.hidden(inputs)))

    return Auto()


def with_its_own_weights(lib):
    class Line(lib.Model):
        def build(self, input_shape):
            self.w = self.add_weight(shape=(input_shape[-1], 1), initializer="zeros", name="w")
            self.b = self.add_weight(shape=(1,), initializer="zeros", name="b")

        def call(self, x):
            return lib.ops.matmul(x, self.w) + self.b

    return Line()


KINDS = [
    perceptron,
    with_blocks,
    with_a_functional_part,
    with_a_state,
    with_added_losses,
    with_its_own_weights,
]


@pytest.mark.filterwarnings("ignore:.*build:UserWarning")
@pytest.mark.parametrize("kind", KINDS)
def test_a_class_trains_like_in_keras(keras, kind):
    theirs, ours = kind(keras), kind(doltap)
    for model in (theirs, ours):
        model(X)
        model.compile("adam", "mse", metrics=["mae"])
    assert [w.shape for w in ours.get_weights()] == [w.shape for w in theirs.get_weights()]
    ours.set_weights(theirs.get_weights())
    options = {
        "batch_size": 8,
        "epochs": 3,
        "shuffle": False,
        "verbose": 0,
        "validation_data": (X[:7], Y[:7]),
    }
    wanted, found = (model.fit(X, Y, **options).history for model in (theirs, ours))
    for one, other in zip(theirs.get_weights(), ours.get_weights(), strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-4, atol=1e-5)
    assert list(wanted) == list(found)
    for name, values in wanted.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-4, err_msg=name)
    np.testing.assert_allclose(ours.predict(X, verbose=0), theirs.predict(X, verbose=0), rtol=1e-4, atol=1e-5)
    assert [layer.name.split("_")[0] for layer in ours.layers] == [
        layer.name.split("_")[0] for layer in theirs.layers
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_a_class_is_built_by_the_first_data_it_sees(kind):
    model = kind(doltap)
    assert not model.built or kind is with_its_own_weights
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0)
    assert model.built
    assert model.count_params() > 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_class_is_built_by_its_input_shape(kind):
    model = kind(doltap)
    model.build((None, 4))
    count = model.count_params()
    assert count > 0
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0)
    assert model.count_params() == count


# Outputs and inputs of several parts.


class Several(Model):
    def __init__(self, form):
        super().__init__()
        self.form = form
        self.first, self.second = Dense(1), Dense(2)

    def call(self, inputs):
        a, b = self.first(inputs), self.second(inputs)
        return {"tuple": (a, b), "list": [a, b], "dict": {"b": b, "a": a}, "nested": {"x": [a], "y": (b,)}}[
            self.form
        ]


@pytest.mark.parametrize("form", ["tuple", "list"])
def test_several_outputs_in_a_row(form):
    model = Several(form)
    model.compile("sgd", ["mse", "mae"], metrics=[["mae"], ["mse"]])
    y = [Y, np.repeat(Y, 2, 1)]
    history = model.fit(X, y, verbose=0).history
    assert {"loss", "mae", "mse"} < set(history)
    outputs = model.predict(X, verbose=0)
    assert type(outputs).__name__ == form
    assert [out.shape for out in outputs] == [(20, 1), (20, 2)]
    assert len(model.evaluate(X, y, verbose=0)) == len(history)


def test_several_outputs_by_name():
    model = Several("dict")
    model.compile("sgd", {"a": "mse", "b": "mae"}, metrics={"b": ["mse"]})
    history = model.fit(X, {"b": np.repeat(Y, 2, 1), "a": Y}, verbose=0).history
    assert set(history) == {"loss", "a_loss", "b_loss", "b_mse"}
    assert set(model.predict(X, verbose=0)) == {"a", "b"}
    assert model.output_names == ["a", "b"]


def test_nested_outputs_are_predicted():
    outputs = Several("nested").predict(X, verbose=0)
    assert outputs["x"][0].shape == (20, 1)
    assert outputs["y"][0].shape == (20, 2)


class Two(Model):
    def __init__(self):
        super().__init__()
        self.one, self.other = Dense(3), Dense(3)

    def call(self, inputs):
        if isinstance(inputs, dict):
            inputs = inputs["left"], inputs["right"]
        left, right = inputs
        return self.one(left) + self.other(right)


@pytest.mark.parametrize(
    "wrap", [tuple, list, lambda parts: dict(zip(["left", "right"], parts, strict=True))]
)
def test_several_inputs_of_a_class(wrap):
    model = Two()
    model.compile("sgd", "mse")
    x = wrap([X, X[:, :2]])
    model.fit(x, np.repeat(Y, 3, 1), verbose=0)
    assert model.predict(x, verbose=0).shape == (20, 3)


# Python in call.


class Unrolled(Model):
    def __init__(self):
        super().__init__()
        self.cell, self.dropped = Dense(4), Dropout(0.5)

    def call(self, inputs, training=None):
        state = inputs[:, 0]
        for step in range(1, inputs.shape[1]):
            state = ops.tanh(self.cell(state) + inputs[:, step])
        if training:
            state = self.dropped(state, training=training)
        return state if state.shape[-1] == 4 else state[:, :4]


def test_loops_over_shapes_and_conditions_on_training():
    model = Unrolled()
    x = numbers.random((6, 3, 4), dtype=np.float32)
    calm, wild = np.asarray(model(x)), np.asarray(model(x, training=True))
    assert (wild == 0).any()
    assert not (calm == 0).any()
    np.testing.assert_allclose(model.predict(x, verbose=0), calm, rtol=1e-5)
    model.compile("sgd", "mse")
    model.fit(x, numbers.random((6, 4)), verbose=0)


class Cached(Model):
    def __init__(self):
        super().__init__()
        self.parts = {"deep": {"list": [Dense(2), [Dense(3)]]}, "tuple": (Dense(1),)}
        self.nothing, self.text, self.numbers = None, "x", [1, 2]

    def call(self, inputs):
        inputs = self.parts["deep"]["list"][0](inputs)
        return self.parts["tuple"][0](self.parts["deep"]["list"][1][0](inputs))


def test_layers_are_found_in_every_nest():
    model = Cached()
    model(X)
    assert len(model.layers) == 3
    assert len(model.weights) == 6
    model.trainable = False
    assert not model.trainable_weights


def test_layers_put_into_a_list_later_are_found():
    class Grown(Model):
        def __init__(self):
            super().__init__()
            self.rows = []
            for _ in range(3):
                self.rows.append(Dense(4))

        def call(self, inputs):
            for layer in self.rows:
                inputs = layer(inputs)
            return inputs

    model = Grown()
    model(X)
    assert model.count_params() == 60


def test_metrics_that_layers_hold_are_followed():
    class Watching(Layer):
        def __init__(self):
            super().__init__()
            self.largest = doltap.metrics.Mean(name="largest")

        def call(self, inputs):
            self.largest.update_state(ops.max(inputs))
            return inputs

    inputs = Input((4,))
    watching = Watching()
    model = Model(inputs, Dense(1)(watching(inputs)))
    assert float(watching.largest.result()) == 0
    model.compile("sgd", "mse", metrics=["mae"])
    fitted = model.fit(X, Y, batch_size=8, shuffle=False, verbose=0, validation_data=(X[:8], Y[:8]))
    wanted = np.mean([X[start : start + 8].max() for start in (0, 8, 16)])
    assert fitted.history["largest"][0] == pytest.approx(wanted, rel=1e-5)
    assert fitted.history["val_largest"][0] == pytest.approx(X[:8].max(), rel=1e-5)


def test_numbers_that_layers_note_are_followed():
    class Noting(Layer):
        def call(self, inputs):
            self.add_metric(ops.mean(inputs), name="mean_of_inputs")
            return inputs

    model = Sequential([Noting(), Dense(1)])
    model.compile("sgd", "mse")
    history = model.fit(X, Y, verbose=0, validation_data=(X[:5], Y[:5])).history
    assert history["mean_of_inputs"][0] == pytest.approx(X.mean(), rel=1e-5)
    assert history["val_mean_of_inputs"][0] == pytest.approx(X[:5].mean(), rel=1e-5)


def test_losses_are_seen_after_a_call():
    model = with_added_losses(doltap)
    model(X)
    assert len(model.losses) == 4
    first = float(model.losses[0])
    model(X * 2)
    assert float(model.losses[0]) != first
    assert len(model.losses) == 4


def test_a_model_that_learns_only_from_added_losses():
    class Halving(Layer):
        def build(self, input_shape):
            self.w = self.add_weight((1,), "ones", name="w")

        def call(self, inputs):
            self.add_loss(ops.sum(ops.square(self.w)))
            return inputs * self.w

    model = Sequential([Input((4,)), Halving()])
    model.compile(doltap.optimizers.SGD(0.1))
    history = model.fit(X, epochs=3, verbose=0).history
    assert history["loss"][2] < history["loss"][0]
    with pytest.raises(DoltapError, match="symbolic"):
        model.layers[0].add_loss(model.output)


# Functions and classes of the user's own.


def my_loss(y_true, y_pred):
    return ops.mean(ops.square(y_true - y_pred) * 2, axis=-1)


def my_metric(y_true, y_pred):
    return ops.max(ops.abs(y_true - y_pred), axis=-1)


def classes(lib):
    class MyLoss(lib.losses.Loss):
        def __init__(self, factor=2.0, **kwargs):
            super().__init__(**kwargs)
            self.factor = factor

        def call(self, y_true, y_pred):
            return lib.ops.mean(lib.ops.square(y_true - y_pred) * self.factor, axis=-1)

    class MyMetric(lib.metrics.Metric):
        def __init__(self, name="largest", **kwargs):
            super().__init__(name=name, **kwargs)
            self.top = self.add_variable(shape=(), initializer="zeros", name="top")

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.top.assign(lib.ops.maximum(self.top, lib.ops.max(lib.ops.abs(y_true - y_pred))))

        def result(self):
            return lib.ops.convert_to_tensor(self.top)

    class MyInitializer(lib.initializers.Initializer):
        def __call__(self, shape, dtype=None, **kwargs):
            return lib.ops.ones(shape, dtype=dtype) * 0.25

    class MyRegularizer(lib.regularizers.Regularizer):
        def __call__(self, x):
            return 0.1 * lib.ops.sum(lib.ops.square(x))

    class MyConstraint(lib.constraints.Constraint):
        def __call__(self, w):
            return lib.ops.clip(w, -0.3, 0.3)

    layer = lib.layers.Dense(
        2,
        activation=lambda x: lib.ops.tanh(x) * 2,
        kernel_initializer=MyInitializer(),
        kernel_regularizer=MyRegularizer(),
        kernel_constraint=MyConstraint(),
    )
    last = lib.layers.Dense(1, kernel_initializer="ones")
    return lib.Sequential([lib.Input((4,)), layer, last]), MyLoss(3.0), MyMetric()


def functions(lib):
    layer = lib.layers.Dense(
        2,
        activation=lib.activations.gelu,
        kernel_initializer=lambda shape, dtype=None: np.full(shape, 0.25, "float32"),
        kernel_regularizer=lambda w: 0.1 * lib.ops.sum(lib.ops.abs(w)),
        kernel_constraint=lambda w: lib.ops.clip(w, -0.3, 0.3),
    )
    last = lib.layers.Dense(1, kernel_initializer="ones")
    model = lib.Sequential([lib.Input((4,)), layer, last])

    def distance(y_true, y_pred):
        return lib.ops.mean(lib.ops.square(y_true - y_pred) * 2, axis=-1)

    def widest(y_true, y_pred):
        return lib.ops.max(lib.ops.abs(y_true - y_pred), axis=-1)

    return model, distance, widest


@pytest.mark.parametrize("parts", [classes, functions])
def test_parts_of_the_users_own_train_like_in_keras(keras, parts):
    results = []
    for lib in (keras, doltap):
        model, loss, metric = parts(lib)
        model.compile(lib.optimizers.SGD(0.05), loss, metrics=[metric])
        options = {"batch_size": 8, "epochs": 3, "shuffle": False, "verbose": 0}
        results.append((model.fit(X, Y, **options).history, model.get_weights()))
    assert list(results[0][0]) == list(results[1][0])
    for name, values in results[0][0].items():
        np.testing.assert_allclose(results[1][0][name], values, rtol=1e-4, err_msg=name)
    for one, other in zip(results[0][1], results[1][1], strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-4, atol=1e-6)


# Shown, written down, copied.


def summary_of(model, **options):
    lines = []
    model.summary(print_fn=lines.append, line_length=100, **options)
    return "\n".join(lines)


def test_the_summary_of_a_class_shows_real_shapes_after_its_first_call():
    model = perceptron(doltap)
    assert "?" in summary_of(model)
    model(X)
    text = summary_of(model)
    assert "(None, 5)" in text
    assert "(None, 3)" in text
    assert "(None, 1)" in text
    assert "?" not in text


@pytest.mark.parametrize("first", ["fit", "build", "predict"])
def test_the_summary_shows_shapes_whatever_came_first(first):
    model = with_a_functional_part(doltap)
    model.compile("sgd", "mse")
    if first == "fit":
        model.fit(X, Y, verbose=0)
    elif first == "build":
        model.build((None, 4))
    else:
        model.predict(X, verbose=0)
    text = summary_of(model, expand_nested=True)
    assert text.count("(None, 1)") >= 2
    assert "?" not in text


@register_keras_serializable("tests")
class Remade(Model):
    def __init__(self, units, rate=0.5, **kwargs):
        super().__init__(**kwargs)
        self.units, self.rate = units, rate
        self.hidden, self.last = Dense(units), Dense(1)

    def call(self, inputs):
        return self.last(self.hidden(inputs))

    def get_config(self):
        return {**super().get_config(), "units": self.units, "rate": self.rate}


class Plain(Model):
    def __init__(self, units, rate=0.5):
        super().__init__()
        self.units, self.rate = units, rate
        self.last = Dense(units)

    def call(self, inputs):
        return self.last(inputs) * self.rate


def test_a_class_is_made_again_from_its_configuration():
    model = Remade(7, name="mine")
    again = Remade.from_config(model.get_config())
    assert (again.units, again.rate, again.name) == (7, 0.5, "mine")
    nested = Sequential([Input((4,)), Remade(3), Dense(2)])
    assert Sequential.from_config(nested.get_config()).layers[0].units == 3


def test_a_class_without_get_config_remembers_what_it_was_made_with():
    again = Plain.from_config(Plain(3, rate=0.25).get_config())
    assert (again.units, again.rate) == (3, 0.25)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_copied_class_trains_by_itself(copied):
    model = Remade(3)
    model.compile("adam", "mse", metrics=["mae"])
    model.fit(X, Y, verbose=0)
    again = copied(model)
    before = model.get_weights()
    again.fit(X, Y, verbose=0)
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    model.fit(X, Y, verbose=0)
    for one, other in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)


def test_a_clone_of_a_class_is_made_from_its_configuration():
    cloned = doltap.models.clone_model(Remade(4))
    assert (type(cloned), cloned.units) == (Remade, 4)
    with pytest.raises(NotSupportedError, match="call of its own"):
        doltap.models.clone_model(Remade(4), clone_function=lambda layer: layer)


# Mistakes.


def test_a_forgotten_super_init_is_explained():
    class Forgotten(Model):
        def __init__(self):
            self.dense = Dense(1)

        def call(self, inputs):
            return self.dense(inputs)

    with pytest.raises(MissingAttributeError, match="super"):
        Forgotten()(X)


def test_a_forgotten_return_is_explained():
    class Silent(Model):
        def call(self, inputs):
            inputs * 2

    model = Silent()
    model.compile("sgd", "mse")
    with pytest.raises(NotSupportedError, match="return"):
        model.fit(X, Y, verbose=0)


def test_a_misspelled_attribute_is_guessed():
    class Misspelled(Model):
        def __init__(self):
            super().__init__()
            self.hidden = Dense(1)

        def call(self, inputs):
            return self.hiden(inputs)

    with pytest.raises(MissingAttributeError, match="'hidden'"):
        Misspelled()(X)


def test_input_and_output_of_a_class_say_what_to_do():
    model = perceptron(doltap)
    with pytest.raises(DoltapError, match="shape of its input"):
        _ = model.output
    model(X)
    with pytest.raises(MissingAttributeError, match="Input"):
        _ = model.output
