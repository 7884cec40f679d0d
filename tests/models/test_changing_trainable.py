"""What happens when layers are frozen and thawed between two trainings, beside real Keras."""

import numpy as np
import pytest

import doltap
from doltap.errors import NotCompiledError

# Of Keras, about generators.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

X = np.random.default_rng(0).random((8, 3), np.float32)
Y = X.sum(1, keepdims=True)

TRAININGS = {
    "fit": lambda model: model.fit(X, Y, verbose=0),
    "fit on batches": lambda model: model.fit((pair for pair in [(X, Y)]), verbose=0),
    "train_on_batch": lambda model: model.train_on_batch(X, Y),
}


def trained(lib, is_first_trainable):
    layers = [lib.layers.Dense(4, name="first"), lib.layers.Dropout(0.1), lib.layers.Dense(1, name="last")]
    model = lib.Sequential([lib.Input((3,)), *layers])
    model.layers[0].trainable = is_first_trainable
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0)
    return model


@pytest.mark.parametrize("train", TRAININGS.values(), ids=TRAININGS)
@pytest.mark.parametrize("was_trainable", [True, False])
def test_training_on_after_a_change_of_trainable_asks_for_compile(keras, train, was_trainable):
    ours, theirs = trained(doltap, was_trainable), trained(keras, was_trainable)
    for model in (ours, theirs):
        model.layers[0].trainable = not was_trainable
    with pytest.raises(ValueError, match="optimizer"):
        train(theirs)
    word = "off" if was_trainable else "on"
    with pytest.raises(NotCompiledError, match=rf"switched {word} .* for 'first'(?s:.*)compile\(...\) again"):
        train(ours)
    ours.evaluate(X, Y, verbose=0)
    ours.compile("sgd", "mse")
    before = ours.layers[0].get_weights()[0]
    train(ours)
    assert (before == ours.layers[0].get_weights()[0]).all() == was_trainable


def test_one_frozen_weight_asks_for_compile_too():
    model = trained(doltap, True)
    model.layers[0].kernel.trainable = False
    with pytest.raises(NotCompiledError, match="'first'"):
        model.fit(X, Y, verbose=0)


def test_a_change_that_freezes_nothing_or_was_taken_back_lets_training_go_on():
    model = trained(doltap, True)
    model.layers[1].trainable = False
    model.layers[0].trainable = False
    model.layers[0].trainable = True
    model.fit(X, Y, verbose=0)


def test_freezing_between_the_steps_of_two_models_works_where_each_finds_its_own(keras):
    losses = []
    for lib in (doltap, keras):
        judge = lib.Sequential([lib.Input((3,)), lib.layers.Dense(1, kernel_initializer="ones")])
        maker = lib.Sequential([lib.Input((3,)), lib.layers.Dense(3, kernel_initializer="ones")])
        judge.compile("sgd", "mse")
        judge.trainable = False
        both = lib.Sequential([lib.Input((3,)), maker, judge])
        both.compile("sgd", "mse")
        lines = []
        for _ in range(2):
            judge.trainable = True
            lines.append(judge.train_on_batch(X, Y + 1))
            judge.trainable = False
            lines.append(both.train_on_batch(X, Y))
        losses.append(np.float32(np.ravel(lines)))
    np.testing.assert_allclose(*losses, rtol=1e-5)
