"""Variables and layers know their paths, their order and their first values, as in Keras."""

import inspect

import numpy as np
import pytest

import doltap
from doltap.errors import ShapeError


def built(library):
    """Models and layers of every kind with weights made in every place."""

    class Inner(library.layers.Layer):
        def __init__(self, **keywords):
            super().__init__(**keywords)
            self.dense = library.layers.Dense(2)
            self.early = self.add_weight(shape=(2,), name="early")

        def build(self, input_shape):
            self.dense.build(input_shape)
            self.late = self.add_weight(shape=(2,))
            self.later = self.add_weight(shape=(2,))

        def call(self, x):
            return self.dense(x) + self.late

    class Whole(library.Model):
        def __init__(self):
            super().__init__()
            self.dense, self.inner = library.layers.Dense(4), Inner()
            self.own = self.add_weight(shape=(2,))

        def call(self, x):
            return self.inner(self.dense(x)) + self.own

    x = np.ones((2, 4), "float32")
    yield library.Sequential([library.Input((4,)), library.layers.Dense(3), Inner()])
    late = library.Sequential([library.layers.Dense(3)])
    late.build((None, 4))
    yield late
    inputs = library.Input((4,))
    outputs = Inner(name="mine")(library.layers.Dense(2, name="first")(inputs))
    yield library.Model(inputs, outputs, name="network")
    whole = Whole()
    whole(x)
    yield whole
    alone = library.layers.BatchNormalization()
    alone.build((None, 4))
    yield alone


def test_paths_and_names_are_those_of_keras(keras):
    seen = []
    for library in (keras, doltap):
        library.backend.clear_session() if library is keras else library.config.clear_session()
        found = []
        for model in built(library):
            layers = getattr(model, "layers", [])
            found.append([(w.path, w.name, tuple(w.shape)) for w in model.weights])
            found.append([model.path, *(layer.path for layer in layers if layer.weights)])
            optimizer = library.optimizers.Adam()
            optimizer.build(model.trainable_variables)
            slots = [v for v in optimizer.variables if v.shape]
            found.append(sorted((v.path, v.name) for v in slots))
        found.append([v.path for v in library.metrics.Mean().variables])
        seen.append(found)
    assert seen[0] == seen[1]


def test_a_layer_has_a_path_once_it_is_built(keras):
    for library in (keras, doltap):
        layer = library.layers.Dense(2, name="mine")
        assert layer.path is None
        layer.build((None, 3))
        assert layer.path == "mine"


def test_the_order_of_weights_stays_when_they_are_frozen(keras):
    seen = []
    for library in (keras, doltap):
        dense, norm = library.layers.Dense(2), library.layers.BatchNormalization()
        dense.build((None, 4))
        norm.build((None, 4))
        dense.kernel.trainable = norm.gamma.trainable = False
        norm.moving_mean.trainable = True
        found = [[tuple(w.shape) for w in dense.weights]]
        for layer in (dense, norm):
            lists = layer.weights, layer.trainable_weights, layer.non_trainable_weights
            found += [[w.name for w in weights] for weights in lists]
        seen.append(found)
    assert seen[0] == seen[1]


@pytest.mark.parametrize(
    "arguments",
    [
        ("ones", (2,)),
        ("zeros", (2, 3), "int32", False),
        (1, None, "float32"),
        (np.ones((2, 1), "float32"),),
        (lambda shape, dtype: np.full(shape, 3, dtype), (2,)),
    ],
)
def test_a_variable_starts_as_in_keras(keras, arguments):
    ours, theirs = (library.Variable(*arguments) for library in (doltap, keras))
    assert np.array_equal(ours.numpy(), np.asarray(theirs.value))
    assert (ours.dtype, ours.trainable, ours.shape) == (theirs.dtype, theirs.trainable, tuple(theirs.shape))


def test_a_variable_takes_the_arguments_of_keras_in_their_order(keras):
    ours, theirs = (list(inspect.signature(library.Variable).parameters) for library in (doltap, keras))
    assert ours == [name for name in theirs if name in ours]
    by_name = doltap.Variable(initializer=doltap.initializers.Ones(), shape=(2,), name="mine")
    assert (by_name.name, by_name.path, by_name.numpy().tolist()) == ("mine", "mine", [1.0, 1.0])


def test_a_variable_from_an_initializer_wants_a_shape():
    with pytest.raises(ShapeError, match="shape="):
        doltap.Variable("ones")


def test_what_compile_was_asked_can_be_read(keras):
    for library in (keras, doltap):
        model = library.Sequential([library.Input((2,)), library.layers.Dense(1)])
        assert model.layers[0].metrics_variables == []
        assert (bool(model.jit_compile), model.steps_per_execution) == (True, 1)
        model.compile("sgd", "mse", jit_compile=False, steps_per_execution=3)
        assert (model.jit_compile, model.steps_per_execution) == (False, 3)
        model.compile("sgd", "mse", run_eagerly=True)
        assert model.jit_compile is False
        assert library.layers.Activation("relu").input_spec is None
