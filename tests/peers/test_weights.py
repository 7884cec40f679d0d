"""Weights alone: in HDF5 by layer, and in TensorFlow's own checkpoints once they are converted."""

import h5py
import numpy as np
import pytest
from exchange import assert_same_predictions, forget_names
from networks import drawn_network, drawn_row, rows_for
from test_training import data, network, trained

import convert_checkpoint
import doltap
from doltap.errors import ModelFileError
from doltap.files import h5_file
from doltap.files.hdf5 import read_hdf5, write_hdf5
from doltap.files.record import Record


@pytest.mark.parametrize("seed", range(5))
def test_weights_go_both_ways(keras2, keras3, tmp_path, seed):
    models = {lib: drawn_network(lib, seed) for lib in (keras2, keras3, doltap)}
    # Keras 3 reads this layout, and writes its own.
    for number, writer in enumerate((keras2, doltap)):
        path = str(tmp_path / f"{number}.h5")
        numbers = np.random.default_rng(number)
        models[writer].set_weights(
            [numbers.random(w.shape, dtype="float32") for w in models[writer].get_weights()]
        )
        models[writer].save_weights(path)
        for reader in models:
            models[reader].load_weights(path)
            assert_same_predictions(models[reader], models[writer], rows_for(models[writer])[0], 1e-5)


@pytest.mark.parametrize("draw", [drawn_row, drawn_network])
@pytest.mark.parametrize("seed", range(4))
def test_weights_in_the_layout_of_keras_3_go_both_ways(keras2, tmp_path, seed, draw):
    theirs, ours = draw(keras2, seed), draw(doltap, seed)
    x, _ = rows_for(theirs)
    numbers = np.random.default_rng(0)
    theirs.set_weights([numbers.random(w.shape, dtype="float32") for w in theirs.get_weights()])
    theirs.save_weights(str(tmp_path / "theirs.weights.h5"))
    ours.load_weights(str(tmp_path / "theirs.weights.h5"))
    assert_same_predictions(ours, theirs, x, 1e-5)
    ours.set_weights([numbers.random(w.shape, dtype="float32") for w in ours.get_weights()])
    ours.save_weights(str(tmp_path / "ours.weights.h5"))
    theirs.load_weights(str(tmp_path / "ours.weights.h5"))
    assert_same_predictions(theirs, ours, x, 1e-5)


def test_weights_are_found_by_the_names_of_layers(keras2, tmp_path):
    theirs, ours = network(keras2), network(doltap)
    theirs.save_weights(str(tmp_path / "weights.h5"))
    other = doltap.Sequential(
        [doltap.Input((4,)), doltap.layers.Dense(5, name="first"), doltap.layers.Dense(7)]
    )
    kept = other.layers[1].get_weights()
    other.load_weights(str(tmp_path / "weights.h5"), by_name=True)
    np.testing.assert_array_equal(other.layers[0].get_weights()[0], theirs.layers[1].get_weights()[0])
    np.testing.assert_array_equal(other.layers[1].get_weights()[0], kept[0])
    ours.save_weights(str(tmp_path / "ours.h5"))
    theirs.load_weights(str(tmp_path / "ours.h5"), by_name=True)
    assert_same_predictions(theirs, ours, data()[0])


def test_what_does_not_fit_is_left_out_and_named(keras2, tmp_path):
    theirs = keras2.Sequential(
        [keras2.Input((4,)), keras2.layers.Dense(5), keras2.layers.Dense(3, name="last")]
    )
    theirs.save_weights(str(tmp_path / "weights.h5"))
    ours = doltap.Sequential(
        [doltap.Input((4,)), doltap.layers.Dense(5), doltap.layers.Dense(2, name="last")]
    )
    with pytest.raises(ModelFileError, match=r"layer 'last'.*\(5, 2\).*\(5, 3\)"):
        ours.load_weights(str(tmp_path / "weights.h5"))
    with pytest.warns(UserWarning, match="layer 'last'"):
        ours.load_weights(str(tmp_path / "weights.h5"), skip_mismatch=True)
    np.testing.assert_array_equal(ours.layers[0].get_weights()[0], theirs.layers[0].get_weights()[0])


def test_names_that_fill_several_attributes_are_those_of_keras_2(keras2, tmp_path):
    from tf_keras.src.saving.legacy import hdf5_format

    names = [f"{'a' * 40}_{number}" for number in range(2100)]
    kernel = np.full((1, 1), 0.5, np.float32)
    ours = h5_file.write(Record("h5_weights", layers=[(name, [("kernel:0", kernel)]) for name in names]))
    write_hdf5(tmp_path / "ours.h5", ours)
    with h5py.File(tmp_path / "ours.h5") as file:
        assert {"layer_names0", "layer_names1"} <= set(file.attrs)
        assert hdf5_format.load_attributes_from_hdf5_group(file, "layer_names") == names
    with h5py.File(tmp_path / "theirs.h5", "w") as file:
        hdf5_format.save_attributes_to_hdf5_group(file, "layer_names", [name.encode() for name in names])
        assert "layer_names1" in file.attrs
        for name in names:
            hdf5_format.save_attributes_to_hdf5_group(file.create_group(name), "weight_names", [b"kernel:0"])
            file[name]["kernel:0"] = kernel
    read = h5_file.read(read_hdf5(tmp_path / "theirs.h5", "it"), "it")
    assert [name for name, _ in read.layers] == names


def checkpoint(lib, kind, path):
    import tensorflow

    inner = lib.Sequential(
        [lib.layers.Dense(3, name="inside"), lib.layers.BatchNormalization(name="norm")], name="inner"
    )
    inputs = lib.Input((4,))
    hidden = inner(lib.layers.Dense(4, name="first")(inputs))
    hidden = lib.layers.LayerNormalization(name="layer_norm")(hidden)
    model = lib.Model(
        inputs, lib.layers.TimeDistributed(lib.layers.Dense(2), name="steps")(hidden[:, None, :])
    )
    if lib is doltap:
        return model, None
    numbers = np.random.default_rng(0)
    model.set_weights([numbers.random(weight.shape) for weight in model.get_weights()])
    model.compile("adam", "mse")
    model.fit(data()[0], np.zeros((12, 1, 2)), verbose=0)
    if kind == "ckpt":
        model.save_weights(f"{path}.ckpt")
        return model, f"{path}.ckpt"
    if kind == "train":
        return model, tensorflow.train.Checkpoint(model=model, optimizer=model.optimizer).save(str(path))
    model.save(str(path), save_format="tf")
    return model, f"{path}/variables/variables"


@pytest.mark.parametrize("kind", ["ckpt", "train", "saved_model"])
def test_a_checkpoint_of_tensorflows_is_converted(keras2, tmp_path, capsys, kind):
    forget_names(keras2, doltap)
    theirs, prefix = checkpoint(keras2, kind, tmp_path / "weights")
    target = str(tmp_path / "converted.h5")
    assert convert_checkpoint.main([prefix, target]) == 0
    assert "arrays of 4 layers" in capsys.readouterr().out
    ours, _ = checkpoint(doltap, kind, None)
    ours.load_weights(target)
    assert_same_predictions(ours, theirs, data()[0])
    theirs.load_weights(target)
    assert_same_predictions(ours, theirs, data()[0])


def test_a_checkpoint_of_a_class_of_ones_own_is_converted(keras2, tmp_path):
    def own(lib):
        class Own(lib.Model):
            def __init__(self):
                super().__init__()
                self.first, self.norm, self.last = (
                    lib.layers.Dense(3),
                    lib.layers.BatchNormalization(),
                    lib.layers.Dense(2),
                )

            def call(self, inputs):
                return self.last(self.norm(self.first(inputs)))

        model = Own()
        model(np.zeros((2, 4), "float32"))
        return model

    theirs, ours = own(keras2), own(doltap)
    theirs.save_weights(str(tmp_path / "weights"))
    assert convert_checkpoint.main([str(tmp_path / "weights"), str(tmp_path / "weights.h5")]) == 0
    ours.load_weights(str(tmp_path / "weights.h5"))
    assert_same_predictions(ours, theirs, data()[0])


def test_a_checkpoint_is_refused_by_name(keras2, tmp_path):
    theirs = trained(keras2, "adam")
    theirs.save_weights(str(tmp_path / "weights.ckpt"))
    for path in ("weights.ckpt", "weights.ckpt.index"):
        with pytest.raises(ModelFileError, match="TensorFlow checkpoint"):
            network(doltap).load_weights(str(tmp_path / path))


def test_no_checkpoint_is_said_to_be_none(capsys, tmp_path):
    assert convert_checkpoint.main([str(tmp_path / "nothing.ckpt")]) == 1
    assert "no file" in capsys.readouterr().err
