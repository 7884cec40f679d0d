"""Models of every kind, the same in doltap and in Keras, to be written and read."""

from __future__ import annotations

import numpy as np

ROW, STEPS, IMAGE = (6,), (5, 6), (4, 5, 6)


def square(x):
    return x * x


# A layer in either library, and the shapes of a row of its inputs.
LAYERS = {
    "Activation": (lambda k: k.Activation("tanh"), [STEPS]),
    "ReLU": (lambda k: k.ReLU(1.5, 0.25, 0.5), [ROW]),
    "LeakyReLU": (lambda k: k.LeakyReLU(), [ROW]),
    "ELU": (lambda k: k.ELU(0.5), [ROW]),
    "PReLU": (lambda k: k.PReLU("ones", shared_axes=[1]), [STEPS]),
    "Softmax": (lambda k: k.Softmax(axis=[1, 2]), [STEPS]),
    "Flatten": (lambda k: k.Flatten(), [STEPS]),
    "Reshape": (lambda k: k.Reshape((-1, 3)), [STEPS]),
    "Permute": (lambda k: k.Permute((2, 1)), [STEPS]),
    "RepeatVector": (lambda k: k.RepeatVector(3), [ROW]),
    "Masking": (lambda k: k.Masking(), [STEPS]),
    "Identity": (lambda k: k.Identity(), [ROW]),
    "Dense": (lambda k: k.Dense(4, "relu", kernel_regularizer="l2", kernel_constraint="max_norm"), [STEPS]),
    "EinsumDense": (lambda k: k.EinsumDense("abc,cde->abde", (None, 2, 3), "tanh", "de"), [STEPS]),
    "Embedding": (lambda k: k.Embedding(9, 4, mask_zero=True), [ROW]),
    "Add": (lambda k: k.Add(), [ROW, ROW, ROW]),
    "Subtract": (lambda k: k.Subtract(), [ROW, ROW]),
    "Multiply": (lambda k: k.Multiply(), [ROW, ROW]),
    "Average": (lambda k: k.Average(), [ROW, ROW]),
    "Maximum": (lambda k: k.Maximum(), [ROW, ROW]),
    "Minimum": (lambda k: k.Minimum(), [ROW, ROW]),
    "Concatenate": (lambda k: k.Concatenate(axis=1), [STEPS, STEPS]),
    "Dot": (lambda k: k.Dot(axes=(1, 2), normalize=True), [(5, 3), (2, 5)]),
    "Dropout": (lambda k: k.Dropout(0.5, seed=1), [ROW]),
    "AlphaDropout": (lambda k: k.AlphaDropout(0.5, noise_shape=(None, 1, None)), [STEPS]),
    "GaussianDropout": (lambda k: k.GaussianDropout(0.5), [ROW]),
    "GaussianNoise": (lambda k: k.GaussianNoise(0.5), [ROW]),
    "SpatialDropout1D": (lambda k: k.SpatialDropout1D(0.5), [STEPS]),
    "SpatialDropout2D": (lambda k: k.SpatialDropout2D(0.5), [IMAGE]),
    "SpatialDropout3D": (lambda k: k.SpatialDropout3D(0.5), [(2, *IMAGE)]),
    "ActivityRegularization": (lambda k: k.ActivityRegularization(0.1, 0.2), [ROW]),
    "BatchNormalization": (lambda k: k.BatchNormalization(momentum=0.9), [STEPS]),
    "BatchNormalization-bare": (lambda k: k.BatchNormalization(center=False, scale=False), [ROW]),
    "LayerNormalization": (lambda k: k.LayerNormalization(axis=[2, 1]), [STEPS]),
    "GroupNormalization": (lambda k: k.GroupNormalization(2), [IMAGE]),
    "RMSNormalization": (lambda k: k.RMSNormalization(axis=[1, 2]), [STEPS]),
    "UnitNormalization": (lambda k: k.UnitNormalization(), [STEPS]),
    "TimeDistributed": (lambda k: k.TimeDistributed(k.TimeDistributed(k.Dense(4, "tanh"))), [IMAGE]),
    "Normalization": (lambda k: k.Normalization(axis=-1), [ROW]),
    "Normalization-given": (lambda k: k.Normalization(mean=1.0, variance=2.0), [ROW]),
    "Rescaling": (lambda k: k.Rescaling(1 / 255, [1.0] * 6), [ROW]),
    "Discretization": (lambda k: k.Discretization([-1.0, 0.5, 2.0], output_mode="one_hot"), [(1,)]),
    "CategoryEncoding": (lambda k: k.CategoryEncoding(9, output_mode="multi_hot"), [ROW]),
}
# Whole numbers, and none above 8.
OF_NUMBERS = {"Embedding", "CategoryEncoding"}


def rows(case, count=3):
    """Data for the inputs of a layer."""
    random = np.random.default_rng(0)
    if case in OF_NUMBERS:
        return [random.integers(0, 9, (count, *shape)).astype("int32") for shape in LAYERS[case][1]]
    return [random.normal(size=(count, *shape)).astype("float32") for shape in LAYERS[case][1]]


def every_layer(lib):
    """One network with a branch for each layer."""
    inputs, outputs = [], []
    for case, (make, shapes) in LAYERS.items():
        dtype = "int32" if case in OF_NUMBERS else "float32"
        begin = [lib.Input(shape, dtype=dtype, name=f"{case}_{n}") for n, shape in enumerate(shapes)]
        inputs += begin
        outputs.append(make(lib.layers)(begin if len(begin) > 1 else begin[0]))
    return lib.Model(inputs, outputs)


def shaken(model, seed=3):
    """The model with weights that nothing starts with; none of them below 0."""
    random = np.random.default_rng(seed)
    model.set_weights([(0.1 + random.random(w.shape)).astype(w.dtype) for w in model.get_weights()])
    for layer in model.layers:
        if layer.__class__.__name__ == "Normalization" and hasattr(layer, "finalize_state"):
            layer.finalize_state()
    return model


def nested(lib):
    """Models in models, a layer called twice, and two outputs."""
    k = lib.layers
    x = lib.Input((4,), name="x")
    row = lib.Sequential([k.Dense(4, "relu"), k.BatchNormalization(), k.Dropout(0.1)], name="row")
    begin = lib.Input((4,))
    again = k.Dense(4, name="again")
    inner = lib.Model(begin, again(again(begin)) + begin, name="inner")
    deep = lib.Sequential([lib.Input((4,)), inner, k.Dense(4)], name="deep")
    y = deep(row(x))
    return lib.Model(x, {"a": k.Dense(2, name="a")(y), "b": k.Dense(1, name="b")(lib.ops.tanh(y) * 2.0)})


def row(lib):
    """A tower."""
    k = lib.layers
    return lib.Sequential(
        [lib.Input((4,)), k.Dense(5, "gelu"), k.LayerNormalization(), k.Dense(3, "softmax", name="end")]
    )


def subclassed(lib):
    """A class of one's own, with layers in attributes, lists, dicts and in a layer of one's own."""
    k = lib.layers

    class Block(k.Layer):
        def __init__(self, units, **keywords):
            super().__init__(**keywords)
            self.units = units
            self.hidden, self._out = k.Dense(units, "tanh"), k.Dense(units)
            self.pairs = [[k.Dense(units), k.Dense(units)], [k.Dense(units)]]

        def build(self, input_shape):
            self.scale = self.add_weight(shape=(self.units,), initializer="ones", name="scale")

        def call(self, x):
            x = self._out(self.hidden(x)) * self.scale
            for pair in self.pairs:
                for layer in pair:
                    x = layer(x)
            return x

        def get_config(self):
            return {**super().get_config(), "units": self.units}

    class Net(lib.Model):
        def __init__(self, units=4, **keywords):
            super().__init__(**keywords)
            self.units = units
            self.zebra, self.block, self.ape = k.Dense(units), Block(units), k.Dense(2)
            self.many = [k.Dense(units), k.BatchNormalization(), k.Dense(units)]
            self.named = {"b": k.Dense(units), "a": k.Dense(units)}
            self._hidden = lib.Sequential([k.Dense(units, "relu")])
            self.follows = lib.metrics.Mean()

        def call(self, x, training=False):
            x = self.zebra(x)
            for layer in self.many:
                x = layer(x)
            return self.ape(self._hidden(self.named["a"](self.named["b"](self.block(x)))))

        def get_config(self):
            return {**super().get_config(), "units": self.units}

    return Net, Block


def data(count=8, columns=4):
    """Rows of numbers."""
    return np.random.default_rng(1).normal(size=(count, columns)).astype("float32")
