"""Models of every form: structures of inputs and outputs, classes of the user's own, models in models."""

import numpy as np
import pytest
from exchange import assert_same_predictions, forget_names, leaves, loaded, saved

import doltap
from doltap.errors import ModelFileError, NotSupportedError

ROWS = np.random.default_rng(0).random((5, 4)).astype("float32")
BOTH = ["h5", "keras"]


def scaling(lib):
    """A layer of the user's own, with a keyword in its call."""

    class Scaling(lib.layers.Layer):
        def __init__(self, factor=2.0, **keywords):
            super().__init__(**keywords)
            self.factor = factor

        def build(self, input_shape):
            self.offset = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="offset")

        def call(self, inputs, other=None, times=1):
            total = inputs * self.factor * times + self.offset
            return total if other is None else total + other

        def get_config(self):
            return {**super().get_config(), "factor": self.factor}

    return Scaling


def there_and_back(lib, build, tmp_path, x, suffix="h5", **options):
    """The model of the other library here, and this one there again."""
    forget_names(lib, doltap)
    theirs = build(lib)
    mine = {"custom_objects": options.get("ours")}
    ours = loaded(doltap, saved(theirs, tmp_path / f"theirs.{suffix}"), **mine)
    assert_same_predictions(ours, theirs, x)
    again = loaded(lib, saved(ours, tmp_path / "ours.h5"), custom_objects=options.get("theirs"))
    assert_same_predictions(again, theirs, x)
    return ours


@pytest.mark.parametrize("suffix", BOTH)
def test_dicts_stay_dicts(keras2, tmp_path, suffix):
    def build(lib):
        inputs = {"left": lib.Input((4,), name="left"), "right": lib.Input((4,), name="right")}
        hidden = lib.layers.Concatenate()([inputs["left"], inputs["right"]])
        ends = {
            "one": lib.layers.Dense(1, name="one")(hidden),
            "two": lib.layers.Dense(2, name="two")(hidden),
        }
        return lib.Model(inputs, ends)

    ours = there_and_back(keras2, build, tmp_path, {"left": ROWS, "right": ROWS * 2}, suffix)
    assert sorted(ours.output) == ["one", "two"]


@pytest.mark.parametrize("suffix", BOTH)
def test_models_in_models_are_called_as_often_as_before(keras2, tmp_path, suffix):
    def build(lib):
        begin = lib.Input((4,))
        inner = lib.Model(begin, lib.layers.Dense(4, activation="tanh")(begin), name="inner")
        row = lib.Sequential([lib.layers.Dense(4), inner, lib.layers.Dense(4)], name="row")
        deferred = lib.Sequential([lib.layers.Dense(4)], name="deferred")
        inputs = lib.Input((4,))
        hidden = lib.layers.Add()([inner(inputs), inner(inner(inputs)), row(inputs)])
        return lib.Model(inputs, [deferred(deferred(hidden)), row(hidden), inner(hidden)])

    there_and_back(keras2, build, tmp_path, ROWS, suffix)


def test_a_sequential_inside_a_network_reaches_keras_3(keras3, tmp_path):
    def build(lib):
        row = lib.Sequential(
            [lib.Input((4,)), lib.layers.Dense(4), lib.layers.BatchNormalization()], name="row"
        )
        inputs = lib.Input((4,))
        return lib.Model(inputs, lib.layers.Dense(1)(row(row(inputs))))

    there_and_back(keras3, build, tmp_path, ROWS)


@pytest.mark.parametrize("name", ["keras2", "keras3"])
def test_a_layer_of_ones_own_goes_both_ways(request, tmp_path, name):
    lib = request.getfixturevalue(name)
    ours, theirs = scaling(doltap), scaling(lib)

    def build(lib):
        kind = ours if lib is doltap else theirs
        inputs = lib.Input((4,))
        return lib.Model(inputs, kind(3.0, name="own")(lib.layers.Dense(4)(inputs)))

    there_and_back(lib, build, tmp_path, ROWS, ours={"Scaling": ours}, theirs={"Scaling": theirs})


def test_tensors_in_keywords_go_both_ways(keras2, tmp_path):
    ours, theirs = scaling(doltap), scaling(keras2)

    def build(lib):
        kind = ours if lib is doltap else theirs
        inputs = lib.Input((4,))
        return lib.Model(inputs, kind(name="own")(inputs, other=lib.layers.Dense(4)(inputs), times=3))

    there_and_back(keras2, build, tmp_path, ROWS, ours={"Scaling": ours}, theirs={"Scaling": theirs})


def test_a_registered_layer_is_found_by_its_registered_name(keras2, tmp_path):
    ours = doltap.saving.register_keras_serializable("mine")(scaling(doltap))
    theirs = keras2.utils.register_keras_serializable("mine")(scaling(keras2))

    def build(lib):
        return lib.Sequential([lib.Input((4,)), (ours if lib is doltap else theirs)(name="own")])

    there_and_back(keras2, build, tmp_path, ROWS)


def test_a_class_nobody_passed_is_named(keras2, tmp_path):
    model = keras2.Sequential([keras2.Input((4,)), scaling(keras2)()])
    with pytest.raises(Exception, match="Scaling"):
        loaded(doltap, saved(model, tmp_path / "model.h5"))


def test_code_in_a_file_is_refused(keras2, tmp_path):
    model = keras2.Sequential([keras2.Input((4,)), keras2.layers.Lambda(lambda x: x * 2)])
    with pytest.raises((NotSupportedError, ModelFileError), match="code"):
        loaded(doltap, saved(model, tmp_path / "model.h5"))


def test_descriptions_of_more_than_64_kilobytes_go_both_ways(keras2, keras3, tmp_path):
    def build(lib):
        layers = [lib.layers.Dense(2, name=f"{'a' * 500}_{number}") for number in range(60)]
        return lib.Sequential([lib.Input((4,)), *layers])

    for lib in (keras2, keras3):
        there_and_back(lib, build, tmp_path, ROWS)


def test_layers_that_other_layers_are_today(keras2, tmp_path):
    inputs = keras2.Input((4,))
    theirs = keras2.Model(inputs, keras2.layers.ThresholdedReLU(0.5)(inputs))
    ours = loaded(doltap, saved(theirs, tmp_path / "model.h5"))
    assert_same_predictions(ours, theirs, ROWS)


def test_frozen_layers_stay_frozen(keras2, tmp_path):
    def build(lib):
        model = lib.Sequential(
            [lib.Input((4,)), lib.layers.Dense(3), lib.layers.BatchNormalization(), lib.layers.Dense(1)]
        )
        model.layers[0].trainable = False
        model.layers[1].trainable = False
        return model

    ours = there_and_back(keras2, build, tmp_path, ROWS)
    assert [layer.trainable for layer in ours.layers] == [False, False, True]
    assert [weight.name for weight in ours.trainable_weights] == ["kernel", "bias"]


def test_weights_of_a_class_of_ones_own_go_by_layer(keras2, tmp_path):
    def own(lib):
        class Own(lib.Model):
            def __init__(self):
                super().__init__()
                self.first, self.second = lib.layers.Dense(3), lib.layers.Dense(2)

            def build(self, input_shape):
                self.offset = self.add_weight(shape=(2,), initializer="ones", name="offset")

            def call(self, inputs):
                return self.second(self.first(inputs)) + self.offset

        model = Own()
        model(ROWS)
        return model

    theirs, ours = own(keras2), own(doltap)
    theirs.save_weights(str(tmp_path / "theirs.h5"))
    ours.load_weights(str(tmp_path / "theirs.h5"))
    np.testing.assert_allclose(leaves(ours(ROWS))[0], np.asarray(theirs(ROWS)), rtol=1e-6)
    ours.save_weights(str(tmp_path / "ours.h5"))
    theirs.load_weights(str(tmp_path / "ours.h5"))
