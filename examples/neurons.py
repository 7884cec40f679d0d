"""The first neurons: what one can compute (1943), what one can learn (1957), and what takes a second layer.

Run it: python examples/neurons.py
"""

from __future__ import annotations

import numpy as np
from sklearn.datasets import load_iris
from sklearn.linear_model import Perceptron

import doltap as keras
from doltap import ops

# All there is to know of two yes-or-no questions A and B.
PAIRS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
XOR = np.array([0, 1, 1, 0])


# 1943: Warren McCulloch and Walter Pitts


def neurons(weights, threshold):
    """Neurons that fire where their weighted inputs reach the threshold; each column of weights is one.

    Nothing here is learned: a wire in is 1, two wires are 2, one that forbids is negative.
    """
    kernel = np.array(weights, dtype="float32")
    layer = keras.layers.Dense(kernel.shape[1], activation="step")
    model = keras.Sequential([keras.Input((len(kernel),)), layer])
    model.set_weights([kernel, np.full(kernel.shape[1], -threshold)])
    return model


def answers(model, questions):
    """What the neurons say to each row, as whole numbers."""
    return model.predict(questions, verbose=0).astype(int)


def gates():
    """AND waits for both of its wires, OR for either; NOT fires until it is forbidden to."""
    return {
        "AND": answers(neurons([[1], [1]], threshold=2), PAIRS)[:, 0],
        "OR": answers(neurons([[1], [1]], threshold=1), PAIRS)[:, 0],
        "NOT": answers(neurons([[-1]], threshold=0), [[0], [1]])[:, 0],
    }


def circuits():
    """Four neurons C beside each other that fire at two active wires, and so differ in their wires only."""
    wires = {"A": [2, 0], "A and B": [1, 1], "A or B": [2, 2], "A and not B": [2, -1]}
    fired = answers(neurons(np.transpose(list(wires.values())), threshold=2), PAIRS)
    return dict(zip(wires, fired.T, strict=True))


def exclusive_or():
    """Either, but not both: a second layer asks the first for `A or B`, and not `A and B`."""
    first = neurons(np.transpose([[2, 2], [1, 1]]), threshold=2)
    second = neurons([[2], [-1]], threshold=2)
    return answers(second, answers(first, PAIRS))[:, 0]


# 1957: Frank Rosenblatt


def regret(y_true, y_pred):
    """How far a score lies on the wrong side of 0; nothing on the right side.

    Its gradient is `fired - y_true`: the step itself has none. So one step of
    SGD(1.0) on one row adds the row to the weights of a neuron that should
    have fired, and takes it from those of one that should not: Rosenblatt's rule.
    """
    fired = keras.activations.heaviside(y_pred)
    return ops.mean((fired - y_true) * y_pred, axis=-1)


def right(y_true, y_pred):
    """1 where the neuron fired as it should have, 0 elsewhere."""
    return ops.mean(keras.activations.heaviside(y_pred) == y_true, axis=-1)


def perceptron():
    """One neuron that learns by that rule, from nothing; it fires where its score is 0 or more."""
    model = keras.Sequential([keras.layers.Dense(1, kernel_initializer="zeros")])
    model.compile(optimizer=keras.optimizers.SGD(1.0), loss=regret, metrics=[right])
    return model


def learn_setosa():
    """Tell Iris setosa from its sisters by the length and width of a petal, as scikit-learn's neuron does.

    Gives what each says of the 150 flowers, and the truth.
    """
    iris = load_iris()
    petals, is_setosa = iris.data[:, 2:], (iris.target == 0).astype(int)
    ours, theirs = perceptron(), Perceptron(random_state=42)
    ours.fit(petals, is_setosa, batch_size=1, epochs=20, verbose=0)
    theirs.fit(petals, is_setosa)
    fired = (ours.predict(petals, verbose=0)[:, 0] >= 0).astype(int)
    return fired, theirs.predict(petals), is_setosa


# 1969: Marvin Minsky and Seymour Papert


def learn_xor_alone(epochs=200):
    """The share of the four answers that one neuron has right after each epoch of learning XOR.

    It is never 1. To have all four right it would need

        b < 0,    w1 + b >= 0,    w2 + b >= 0,    w1 + w2 + b < 0;

    the two in the middle add up to w1 + w2 + b >= -b > 0, against the last.
    In the plane: no line has (0, 1) and (1, 0) on one side, (0, 0) and (1, 1)
    on the other.
    """
    model = perceptron()
    learned = model.fit(PAIRS, XOR, batch_size=1, epochs=epochs, validation_data=(PAIRS, XOR), verbose=0)
    return np.array(learned.history["val_right"])


def learn_xor_together():
    """What a network with a second layer says after learning XOR."""
    model = keras.Sequential([keras.layers.Dense(8, "tanh"), keras.layers.Dense(1, "sigmoid")])
    model.compile(optimizer=keras.optimizers.Adam(0.05), loss="binary_crossentropy")
    model.fit(PAIRS, XOR, epochs=300, verbose=0)
    return model.predict(PAIRS, verbose=0)[:, 0].round().astype(int)


def main():
    """Show all of it."""
    keras.utils.set_random_seed(42)
    print("1943: wires set by hand")
    for name, fired in {**gates(), **circuits(), "A xor B": exclusive_or()}.items():
        print(f"  {name:<12} {' '.join(map(str, fired))}")

    print("1957: a neuron that learns")
    ours, theirs, truth = learn_setosa()
    print(f"  setosa: {(ours == truth).sum()} of {len(truth)} flowers right,", end=" ")
    print(f"{(ours == theirs).sum()} as scikit-learn's Perceptron says")

    print("1969: what one neuron cannot learn, and two layers can")
    print(f"  xor, one neuron: at best {4 * learn_xor_alone().max():.0f} of 4 right")
    print(f"  xor, two layers: {(learn_xor_together() == XOR).sum()} of 4 right")


if __name__ == "__main__":
    main()
