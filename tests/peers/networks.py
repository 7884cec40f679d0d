"""Networks drawn from a number, the same in Keras 2, in Keras 3 and in doltap."""

from __future__ import annotations

import random

import numpy as np

ACTIVATIONS = ["relu", "tanh", "sigmoid", "softmax", "elu", "selu", "softplus", "linear", "swish", "gelu"]
INITIALIZERS = [
    "glorot_uniform",
    "he_normal",
    "lecun_normal",
    "random_normal",
    "truncated_normal",
    "orthogonal",
]


class Drawing:
    """Layers on tensors of a few columns, chosen one after the other."""

    def __init__(self, lib, seed):
        self.lib, self.layers, self.chance = lib, lib.layers, random.Random(seed)
        self.number, self.shared = 0, {}

    def name(self, kind):
        self.number += 1
        return f"{kind}_{self.number}"

    def dense(self):
        lib, pick = self.lib, self.chance.choice
        regularizer = pick([None, None, lib.regularizers.L2(0.01), lib.regularizers.L1L2(0.01, 0.02)])
        constraint = pick([None, None, lib.constraints.MaxNorm(2.0), lib.constraints.UnitNorm()])
        return self.layers.Dense(
            pick([2, 3, 5]),
            activation=pick(ACTIVATIONS),
            use_bias=pick([True, True, False]),
            kernel_initializer=pick(INITIALIZERS),
            bias_initializer="random_normal",
            kernel_regularizer=regularizer,
            kernel_constraint=constraint,
            name=self.name("dense"),
        )

    def normalization(self):
        pick = self.chance.choice
        name = self.name("norm")
        options = {
            "epsilon": pick([1e-3, 1e-2]),
            "center": pick([True, False]),
            "gamma_initializer": "random_normal",
        }
        if pick(["batch", "layer"]) == "batch":
            return self.layers.BatchNormalization(momentum=pick([0.9, 0.99]), name=name, **options)
        return self.layers.LayerNormalization(name=name, **options)

    def activation(self):
        pick, layers = self.chance.choice, self.layers
        made = [
            lambda name: layers.Activation(pick(ACTIVATIONS), name=name),
            lambda name: layers.ReLU(max_value=2.0, negative_slope=0.1, name=name),
            lambda name: layers.LeakyReLU(0.2, name=name),
            lambda name: layers.ELU(0.5, name=name),
            lambda name: layers.PReLU("random_normal", name=name),
            lambda name: layers.Softmax(name=name),
        ]
        return pick(made)(self.name("activation"))

    def noise(self):
        pick, layers = self.chance.choice, self.layers
        kinds = [layers.Dropout, layers.GaussianDropout, layers.GaussianNoise, layers.AlphaDropout]
        return pick(kinds)(0.25, name=self.name("noise"))

    def one(self):
        """A layer from rows to rows."""
        return getattr(
            self, self.chance.choice(["dense", "dense", "dense", "normalization", "activation", "noise"])
        )()

    def row(self, columns):
        """A Sequential of some layers."""
        model = self.lib.Sequential(name=self.name("row"))
        if self.chance.random() < 0.7:
            model.add(self.lib.Input((columns,), name=self.name("in")))
        for _ in range(self.chance.randint(1, 5)):
            model.add(self.one())
        return model

    def merged(self, tensors):
        """Two tensors made one: of the same number of columns, or joined."""
        first, second = self.chance.choice(tensors), self.chance.choice(tensors)
        kinds = ["Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Dot", "Concatenate"]
        kind = self.chance.choice(kinds)
        if first.shape[-1] != second.shape[-1] or kind == "Concatenate":
            return self.layers.Concatenate(name=self.name("joined"))([first, second])
        options = {"axes": -1} if kind == "Dot" else {}
        return getattr(self.layers, kind)(name=self.name("merged"), **options)([first, second])

    def again(self, tensor):
        """A layer called once more, or a new one."""
        columns = tensor.shape[-1]
        if columns not in self.shared:
            self.shared[columns] = self.dense()
        return self.shared[columns](tensor)


def drawn_row(lib, seed):
    """A Sequential, built for rows of 4 columns."""
    model = Drawing(lib, seed).row(4)
    model.build((None, 4))
    return model


def drawn_network(lib, seed, *, networks=True):
    """A network of several inputs, outputs and shared layers.

    Args:
        networks: whether there may be Functional models inside.
    """
    drawing = Drawing(lib, seed)
    chance = drawing.chance
    inputs = [
        lib.Input((chance.choice([3, 4]),), name=f"in{number}") for number in range(chance.randint(1, 3))
    ]
    tensors = list(inputs)
    for _ in range(chance.randint(2, 7)):
        kind, tensor = (
            chance.choice(["one", "one", "merged", "again", "row", "model"]),
            chance.choice(tensors),
        )
        if kind == "merged":
            tensors.append(drawing.merged(tensors))
        elif kind == "again":
            tensors.append(drawing.again(tensor))
        elif kind == "row":
            tensors.append(drawing.row(tensor.shape[-1])(tensor))
        elif kind == "model" and networks:
            begin = lib.Input((tensor.shape[-1],), name=drawing.name("begin"))
            inner = lib.Model(begin, drawing.dense()(drawing.dense()(begin)), name=drawing.name("model"))
            tensors.append(inner(tensor))
        else:
            tensors.append(drawing.one()(tensor))
    made = tensors[len(inputs) :]
    ends = chance.sample(made, chance.randint(1, min(2, len(made))))
    # Each output by a layer of its own, so that every library calls it by the same name.
    outputs = [lib.layers.Dense(2, name=f"out{number}")(end) for number, end in enumerate(ends)]
    return lib.Model(inputs, outputs if len(outputs) > 1 else outputs[0], name="net")


def rows_for(model, count=8):
    """Data for each input, and labels for each output."""
    numbers = np.random.default_rng(5)

    def table(tensor):
        return numbers.random((count, *tensor.shape[1:]), dtype=np.float32)

    x, y = [table(tensor) for tensor in model.inputs], [table(tensor) for tensor in model.outputs]
    return (x if len(x) > 1 else x[0]), (y if len(y) > 1 else y[0])
