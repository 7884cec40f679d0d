"""Networks drawn from a number, the same in doltap and in Keras."""

from __future__ import annotations

import random

import numpy as np


class _Drawing:
    """Calls on tensors of four columns, chosen one after the other."""

    def __init__(self, lib, seed):
        self.lib, self.chance = lib, random.Random(seed)
        self.inputs = [lib.Input((4,), name=f"in{i}") for i in range(self.chance.randint(1, 3))]
        self.pool, self.shared = list(self.inputs), []

    def dense(self, number, tensor):
        layer = self.lib.layers.Dense(
            4, activation=self.chance.choice(["tanh", "sigmoid"]), name=f"d{number}"
        )
        self.shared.append(layer)
        return layer(tensor)

    def again(self, number, tensor):
        return self.chance.choice(self.shared)(tensor) if self.shared else self.dense(number, tensor)

    def sum(self, number, tensor):
        return tensor + self.chance.choice(self.pool)

    def joined(self, number, tensor):
        both = self.lib.ops.concatenate([tensor, self.chance.choice(self.pool)], axis=-1)
        return self.lib.layers.Dense(4, name=f"c{number}")(both)

    def model(self, number, tensor):
        begin = self.lib.Input((4,), name=f"begin{number}")
        hidden = self.lib.layers.Dense(3, name=f"m{number}_a")(begin)
        end = self.lib.layers.Dense(4, name=f"m{number}_b")(hidden)
        self.shared.append(self.lib.Model(begin, end, name=f"model{number}"))
        return self.shared[-1](tensor)

    def operation(self, number, tensor):
        return self.lib.ops.tanh(tensor) * 2.0


def drawn(lib, seed, most=10):
    """A model of that many calls at most; several inputs, outputs, shared layers and models in it."""
    drawing = _Drawing(lib, seed)
    chance = drawing.chance
    for number in range(chance.randint(2, most)):
        kinds = ["dense", "dense", "dense", "again", "sum", "joined", "model", "operation"]
        tensor = chance.choice(drawing.pool)
        drawing.pool.append(getattr(drawing, chance.choice(kinds))(number, tensor))
    made = drawing.pool[len(drawing.inputs) :]
    outputs = chance.sample(made, chance.randint(1, min(3, len(made))))
    return lib.Model(drawing.inputs, outputs, name="net")


def rows_for(model, count=3):
    """Data for each input."""
    numbers = np.random.default_rng(5)
    return [numbers.random((count, 4), dtype=np.float32) for _ in model.inputs]


def close(one, other, tolerance=1e-5):
    """Whether two outputs, or lists of them, are the same numbers."""
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(
            close(*pair, tolerance) for pair in zip(one, other, strict=True)
        )
    return np.allclose(one, other, rtol=tolerance, atol=tolerance)
