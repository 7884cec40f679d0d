"""Checkpoints: what was written is brought back, the newest is found, and old ones go."""

from __future__ import annotations

import os

import numpy as np
import pytest

import doltap as keras
from doltap.compat.tensorflow.errors import NotFoundError
from doltap.errors import ModelFileError

X = np.random.default_rng(0).random((20, 3), dtype="float32")


def model(units=1):
    made = keras.Sequential([keras.Input((3,)), keras.layers.Dense(units)])
    made.compile("adam", "mse")
    return made


def test_the_newest_of_the_files_that_model_checkpoint_wrote_is_found_and_loaded(tf, tmp_path):
    path = str(tmp_path / "cp-{epoch:04d}.ckpt")
    one, other = model(), model()
    one.save_weights(path.format(epoch=0))
    saving = keras.callbacks.ModelCheckpoint(path, save_weights_only=True)
    one.fit(X, X[:, :1], epochs=3, callbacks=[saving], verbose=0)
    latest = tf.train.latest_checkpoint(tmp_path)
    assert latest == path.format(epoch=3)
    other.load_weights(latest).expect_partial()
    np.testing.assert_array_equal(other.predict(X, verbose=0), one.predict(X, verbose=0))
    assert tf.train.latest_checkpoint(tmp_path / "nowhere") is None


def test_a_manager_numbers_keeps_and_deletes(tf, tmp_path):
    one, step = model(), tf.Variable(0)
    one.fit(X, X[:, :1], verbose=0)
    kept = tf.train.Checkpoint(step=step, optimizer=one.optimizer, net=one)
    folder = str(tmp_path / "tf_ckpts")
    manager = tf.train.CheckpointManager(kept, folder, max_to_keep=2)
    assert manager.restore_or_initialize() is None
    kept.restore(manager.latest_checkpoint)
    paths = []
    for _ in range(4):
        step.assign_add(1)
        paths.append(manager.save())
    assert paths == [os.path.join(folder, f"ckpt-{number}") for number in (1, 2, 3, 4)]
    assert manager.checkpoints == paths[2:]
    assert sorted(os.listdir(folder)) == ["checkpoint", "ckpt-3", "ckpt-4"]
    assert tf.train.latest_checkpoint(folder) == paths[-1]

    other, second = model(), tf.Variable(0)
    again = tf.train.Checkpoint(step=second, optimizer=other.optimizer, net=other)
    found = tf.train.CheckpointManager(again, folder, max_to_keep=2)
    assert found.restore_or_initialize() == paths[-1]
    assert int(second) == 4
    assert int(other.optimizer.iterations) == int(one.optimizer.iterations)
    for wanted, got in zip(one.optimizer.variables, other.optimizer.variables, strict=True):
        np.testing.assert_array_equal(wanted.numpy(), got.numpy())
    np.testing.assert_array_equal(one.get_weights()[0], other.get_weights()[0])
    assert found.save().endswith("ckpt-5")


def test_what_is_brought_back_replaces_what_was_there(tf, tmp_path):
    v, layers = tf.Variable([1.0, 2.0]), [keras.layers.Dense(1), keras.layers.Dense(2)]
    for layer in layers:
        layer(X)
    kept = tf.train.Checkpoint(v=v, layers=layers, inner=tf.train.Checkpoint(w=tf.Variable(3)))
    path = kept.write(str(tmp_path / "a"))
    before = layers[1].get_weights()[0]
    v.assign([0.0, 0.0])
    layers[1].set_weights([weight * 0 for weight in layers[1].get_weights()])
    kept.read(path).assert_consumed()
    assert v.numpy().tolist() == [1, 2]
    np.testing.assert_array_equal(layers[1].get_weights()[0], before)


def test_another_file_is_refused_and_nothing_changes(tf, tmp_path):
    one, wide = model(), model(2)
    path = tf.train.Checkpoint(net=one).save(str(tmp_path / "a"))
    before = wide.get_weights()
    with pytest.raises(ModelFileError, match=r"expected shape \(3, 2\) in 'net', got \(3, 1\)"):
        tf.train.Checkpoint(net=wide).restore(path)
    with pytest.raises(ModelFileError, match="2 arrays for 'other', got 0"):
        tf.train.Checkpoint(other=one).restore(path)
    np.testing.assert_array_equal(wide.get_weights()[0], before[0])
    (tmp_path / "bad").write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(ModelFileError, match="wrote here"):
        tf.train.Checkpoint(net=one).restore(str(tmp_path / "bad"))
    with pytest.raises(NotFoundError, match="latest_checkpoint"):
        tf.train.Checkpoint(net=one).restore(str(tmp_path / "none"))
    (tmp_path / "theirs.index").write_bytes(b"")
    with pytest.raises(NotFoundError, match="which TensorFlow wrote"):
        tf.train.Checkpoint(net=one).restore(str(tmp_path / "theirs"))


def test_what_has_no_numbers_yet_or_at_all_is_said(tf, tmp_path):
    with pytest.raises(ModelFileError, match="Build it first"):
        tf.train.Checkpoint(net=keras.Sequential([keras.layers.Dense(1)])).save(str(tmp_path / "a"))
    with pytest.raises(ModelFileError, match=r"tf\.Variable"):
        tf.train.Checkpoint(step=3).save(str(tmp_path / "a"))


def test_an_iterator_is_told_to_be_left_out(tf, tmp_path):
    rows = iter(tf.data.Dataset.range(3))
    with pytest.raises(ModelFileError, match=r"Leave iterator= out") as told:
        tf.train.Checkpoint(iterator=rows).save(str(tmp_path / "ckpt"))
    assert "Elements" not in str(told.value)


class Net(keras.Model):
    def __init__(self, units=2):
        super().__init__()
        self.inner, self.outer = keras.layers.Dense(units), keras.layers.Dense(1)

    def call(self, x):
        return self.outer(self.inner(x))


def stepped(tf, net, optimizer):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((net(tf.constant(X)) - 1.0) ** 2)
    gradients = tape.gradient(loss, net.trainable_variables)
    optimizer.apply_gradients(zip(gradients, net.trainable_variables, strict=True))
    return float(loss)


def test_a_net_without_weights_is_restored_when_its_first_call_makes_them(tf, tmp_path):
    net, optimizer = Net(), keras.optimizers.Adam(0.1)
    saved = tf.train.Checkpoint(step=tf.Variable(7), optimizer=optimizer, net=net)
    stepped(tf, net, optimizer)
    path = saved.save(str(tmp_path / "ckpt"))
    losses = [stepped(tf, net, optimizer) for _ in range(3)]
    net, optimizer = Net(), keras.optimizers.Adam(0.1)
    restored = tf.train.Checkpoint(step=tf.Variable(0), optimizer=optimizer, net=net)
    restored.restore(path)
    assert int(restored.step) == 7
    restored.step.assign(9)
    np.testing.assert_allclose([stepped(tf, net, optimizer) for _ in range(3)], losses, rtol=1e-5)
    assert int(restored.step) == 9, "What was restored at once is not restored again."


def test_a_net_that_does_not_fit_its_checkpoint_never_goes_on_without_it(tf, tmp_path):
    net = Net()
    net(X)
    path = tf.train.Checkpoint(net=net).save(str(tmp_path / "ckpt"))
    other = Net(units=3)
    tf.train.Checkpoint(net=other).restore(path)
    for _ in range(2):
        with pytest.raises(ModelFileError, match="shape"):
            other(X)


def test_each_of_two_optimizers_is_restored_for_the_net_it_moves(tf, tmp_path):
    def made():
        parts = {name: keras.optimizers.Adam(0.1) for name in ("generator_optimizer", "critic_optimizer")}
        return tf.train.Checkpoint(generator=Net(4), critic=Net(2), **parts)

    def moved(parts):
        generated = stepped(tf, parts.generator, parts.generator_optimizer)
        return generated, stepped(tf, parts.critic, parts.critic_optimizer)

    parts = made()
    moved(parts)
    path = parts.save(str(tmp_path / "ckpt"))
    losses = [moved(parts) for _ in range(2)]
    parts = made()
    parts.restore(path)
    # Both are there before the optimizers are.
    parts.generator(X), parts.critic(X)
    np.testing.assert_allclose([moved(parts) for _ in range(2)], losses, rtol=1e-5)
