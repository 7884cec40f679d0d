"""Where late versions of Keras 2 kept weights in `.keras` and `.weights.h5`."""

from __future__ import annotations

import numpy as np
import pytest
from saved_models import data

import doltap
from doltap.files import formats
from doltap.files.record import Record
from doltap.models.saving import record_of

# The paths at which tf_keras 2.21 and Keras 2.12 keep the layers of `branched` below, as seen in their files.
PATHS_OF_KERAS_2 = {
    "2.13": {
        "zz": "zz",
        "t0": "t/dense",
        "t1": "t/dense_1",
        "seq": "seq/layers/dense",
        "b/_p": "layers/block/_p",
        "b/aa": "layers/block/aa",
        "b/d": "layers/block/d/dense",
        "b/zz": "layers/block/zz",
        "blocks00": "layers/dense",
        "blocks01": "layers/dense_1",
        "blocks10": "layers/dense_2",
        "_p": "layers/dense_3",
        "aa": "layers/dense_4",
    },
    "2.12": {
        "_p": "_p",
        "aa": "aa",
        "b/_p": "b/_p",
        "b/aa": "b/aa",
        "b/d": "b/d/dense",
        "b/zz": "b/zz",
        "blocks00": "layers/dense",
        "blocks01": "layers/dense_1",
        "blocks10": "layers/dense_2",
        "t0": "layers/dense_3",
        "t1": "layers/dense_4",
        "zz": "layers/dense_5",
        "seq": "layers/sequential/_layer_checkpoint_dependencies/dense",
    },
}


def branched():
    """A model with layers in attributes, lists, lists in lists, and a layer and a model inside."""
    k = doltap.layers

    class Block(k.Layer):
        def __init__(self):
            super().__init__()
            self.d = {"z": k.Dense(4, name="b/d")}
            self.aa, self.zz, self._p = (k.Dense(4, name=f"b/{name}") for name in ("aa", "zz", "_p"))

        def call(self, x):
            return self.d["z"](self.aa(self.zz(self._p(x))))

    class Branched(doltap.Model):
        def __init__(self):
            super().__init__()
            self.b = Block()
            self.blocks = [
                [k.Dense(4, name="blocks00"), k.Dense(4, name="blocks01")],
                [k.Dense(4, name="blocks10")],
            ]
            self.t = (k.Dense(4, name="t0"), k.Dense(4, name="t1"))
            self.seq = doltap.Sequential([k.Dense(4, name="seq")])
            self.zz, self._p, self.aa = (k.Dense(4, name=name) for name in ("zz", "_p", "aa"))

        def call(self, x):
            x = self.b(x)
            for layers in self.blocks:
                for layer in layers:
                    x = layer(x)
            return self.seq(self.t[0](self.t[1](self._p(self.zz(self.aa(x))))))

    model = Branched()
    model(data())
    return model


@pytest.mark.parametrize("version", PATHS_OF_KERAS_2)
def test_weights_stand_where_keras_2_kept_them(tmp_path, version):
    model = branched()
    by_name = {layer.name: layer for layer in model.inside(doltap.layers.Dense)}
    record = Record("weights")
    for number, path in enumerate(PATHS_OF_KERAS_2[version].values()):
        record.paths |= {f"{path}/vars/0": np.full((4, 4), number), f"{path}/vars/1": np.full(4, number)}
    record.paths |= {"metrics/mean/vars/0": np.zeros(())}
    formats.write(tmp_path / "net.weights.h5", record)
    model.load_weights(tmp_path / "net.weights.h5")
    for number, name in enumerate(PATHS_OF_KERAS_2[version]):
        assert by_name[name].get_weights()[1].tolist() == [number] * 4, name


def test_a_network_of_keras_2_12_counts_its_layers_with_weights_twice(tmp_path):
    k = doltap.layers
    model = doltap.Sequential([doltap.Input((4,)), k.Dense(3), k.BatchNormalization(), k.Dense(2)])
    record = Record("weights")
    for path, layer in (("dense", 0), ("batch_normalization", 1), ("dense_2", 2)):
        for number, weight in enumerate(model.layers[layer].weights):
            record.paths[f"_layer_checkpoint_dependencies/{path}/vars/{number}"] = np.full(
                weight.shape, layer + 1.0
            )
    formats.write(tmp_path / "net.weights.h5", record)
    model.load_weights(tmp_path / "net.weights.h5")
    assert [layer.get_weights()[0].flat[0] for layer in model.layers] == [1, 2, 3]


def test_an_optimizer_that_was_given_by_name_keeps_its_usual_rate(tmp_path):
    model = doltap.Sequential([doltap.Input((4,)), doltap.layers.Dense(2)])
    model.compile("adam", "mse")
    model.fit(data(), data(8, 2), verbose=0)
    record = record_of(model)
    # Keras 2.12 and later: the name alone, and no rate among what the optimizer remembers.
    record.metadata["keras_version"] = "2.13.1"
    record.config["compile_config"] |= {"optimizer": "adam"}
    slots = [record.paths.pop(f"optimizer/vars/{number}") for number in range(6)]
    kept = [slots[0].astype("int64"), *slots[2:]]
    record.paths |= {f"optimizer/vars/{number}": array for number, array in enumerate(kept)}
    formats.write(tmp_path / "net.keras", record)
    read = doltap.models.load_model(tmp_path / "net.keras")
    assert float(read.optimizer.learning_rate) == float(model.optimizer.learning_rate)
    for found, wanted in zip(read.optimizer.variables, model.optimizer.variables, strict=True):
        assert np.array_equal(found.numpy(), wanted.numpy()), found.name
