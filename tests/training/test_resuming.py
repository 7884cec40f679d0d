"""A training that was interrupted anywhere ends with the bits of one that was not."""

from __future__ import annotations

import errno
import json
import pathlib
import shutil
import subprocess
import sys
import threading
import time

import h5py
import numpy as np
import pytest
from resumed_runs import RUNS, Batches, Shuffled, X, Y, plain, run

import doltap
from doltap.callbacks import Callback, EarlyStopping, LambdaCallback, LearningRateScheduler
from doltap.errors import DataError, ModelFileError
from doltap.files import checkpoint
from doltap.training import feeds, identity, loop, resuming


@pytest.fixture
def every_step(monkeypatch):
    """Every step ends a call, and every state is written and stays."""
    monkeypatch.setattr(loop, "_FIRST_STEPS", 1)
    monkeypatch.setattr(loop, "_LONGEST_CALL_SECONDS", 0.0)
    monkeypatch.setattr(resuming, "_SECONDS", -1.0)
    monkeypatch.setattr(resuming, "_SHARE", 0.0)
    monkeypatch.setattr(checkpoint.Folder, "is_busy", lambda self: self.wait())
    make = checkpoint.Folder.__init__
    monkeypatch.setattr(checkpoint.Folder, "__init__", lambda self, path, keep: make(self, path, 10**6))
    return monkeypatch


def states_in(folder):
    return sorted(folder.glob("state-*.h5"))


def only(state, folder):
    """A folder with just this state in it."""
    folder.mkdir()
    shutil.copy(state, folder)
    return folder


def fit(model=None, **keywords):
    keywords = {"batch_size": 8, "epochs": 3, "verbose": 0} | keywords
    model = model or plain()
    data = {"x": X, "y": Y} | {key: keywords.pop(key) for key in ("x", "y") if key in keywords}
    model.fit(**data, **keywords)
    return model


def bits(model):
    return b"".join(each.numpy().tobytes() for each in [*model.weights, *model.optimizer.variables])


class Interrupts(Callback):
    """Raises where an epoch ends."""

    def __init__(self, at=1, error=KeyboardInterrupt):
        super().__init__()
        self.at, self.error = at, error

    def on_epoch_end(self, epoch, logs=None):
        if epoch == self.at:
            raise self.error

    def get_state(self):
        return None


def interrupted(folder, at=1, callbacks=(), **keywords):
    """A run that ended with an error in epoch `at`, and left states."""
    with pytest.raises(KeyboardInterrupt):
        fit(callbacks=[*callbacks, Interrupts(at)], resume=folder, epochs=6, **keywords)


# The same bits.


@pytest.mark.filterwarnings("ignore:The data ended after:UserWarning")
@pytest.mark.parametrize("name", RUNS)
def test_whatever_the_step_the_bits_are_those_of_a_run_without_interruption(name, tmp_path, every_step):
    (tmp_path / "whole").mkdir()
    whole = run(name, tmp_path / "whole")
    assert run(name, tmp_path, resume=tmp_path / "all") == whole
    states = states_in(tmp_path / "all")
    assert len(states) >= 5
    # As usual from here on: longer calls, and few states.
    every_step.undo()
    for number in sorted({int(place) for place in np.linspace(0, len(states) - 1, 5)}):
        folder = only(states[number], tmp_path / f"from {number}")
        assert run(name, tmp_path, resume=folder) == whole, number


def test_a_run_that_nobody_gave_a_seed_goes_on_with_its_own(tmp_path, every_step):
    doltap.config._settings["chosen"] = False
    whole = run("plain", tmp_path, resume=tmp_path / "all", seed=None)
    folder = only(states_in(tmp_path / "all")[9], tmp_path / "one")
    assert run("plain", tmp_path, resume=folder, seed=None) == whole
    assert run("plain", tmp_path, seed=None) != whole


def kills(count, seed, folder, *names):
    """What became of runs that were killed so many times in all."""
    program = pathlib.Path(__file__).parent / "kills.py"
    command = [sys.executable, str(program), str(count), str(seed), str(folder), *names]
    result = subprocess.run(command, capture_output=True, text=True, cwd=program.parent)
    assert result.returncode == 0, result.stderr
    runs = json.loads(result.stdout)
    assert sum(each["kills"] for each in runs) == count
    return [each["name"] for each in runs if not each["is_same"]]


def test_ten_kills_change_no_bit(tmp_path):
    assert not kills(10, 1, tmp_path, "averages", "numbered", "saved")


@pytest.mark.slow
def test_two_hundred_kills_change_no_bit(tmp_path):
    # About one in ten is a Ctrl-C.
    assert not kills(230, 2, tmp_path, *[name for name in RUNS if name != "eager"])


def test_ctrl_c_leaves_a_folder_that_can_be_gone_on_from(tmp_path):
    doltap.utils.set_random_seed(1)
    interrupted(tmp_path / "run", at=2)
    model = fit(resume=tmp_path / "run", epochs=6, callbacks=[Interrupts(at=9)])
    doltap.utils.set_random_seed(1)
    assert bits(model) == bits(fit(epochs=6))


def test_the_same_model_object_goes_on_too(tmp_path):
    doltap.utils.set_random_seed(1)
    model = plain("sgd")
    slower = [LearningRateScheduler(lambda epoch, rate: rate * 0.5)]
    with pytest.raises(KeyboardInterrupt):
        fit(model, callbacks=[*slower, Interrupts(2)], resume=tmp_path / "run", epochs=6)
    # Its learning rate is another one now, and its weights moved on.
    fit(model, callbacks=[*slower, Interrupts(9)], resume=tmp_path / "run", epochs=6)
    doltap.utils.set_random_seed(1)
    assert bits(model) == bits(fit(plain("sgd"), callbacks=slower, epochs=6))


# After the end.


def test_a_finished_run_says_so_and_gives_its_history(tmp_path, capsys):
    doltap.utils.set_random_seed(1)
    stopper = EarlyStopping("loss", patience=0, min_delta=10.0, restore_best_weights=True)
    model = fit(resume=tmp_path / "run", callbacks=[stopper], epochs=9)
    doltap.utils.set_random_seed(1)
    again = EarlyStopping("loss", patience=0, min_delta=10.0, restore_best_weights=True)
    same = fit(resume=tmp_path / "run", callbacks=[again], epochs=9, verbose=2)
    assert bits(same) == bits(model)
    assert same.history.history == model.history.history
    assert again.stopped_epoch == stopper.stopped_epoch > 0
    assert capsys.readouterr().out.startswith("This training has ended after 2 epochs (")


def test_a_finished_run_goes_on_where_more_epochs_are_asked_for(tmp_path, capsys):
    averaged = {"use_ema": True, "ema_momentum": 0.5}
    doltap.utils.set_random_seed(1)
    fit(plain(doltap.optimizers.SGD(**averaged)), resume=tmp_path / "run", epochs=2)
    doltap.utils.set_random_seed(1)
    model = fit(plain(doltap.optimizers.SGD(**averaged)), resume=tmp_path / "run", epochs=5, verbose=2)
    # As if the averages had not been put into the weights' place after two epochs.
    doltap.utils.set_random_seed(1)
    assert bits(model) == bits(fit(plain(doltap.optimizers.SGD(**averaged)), epochs=5))
    assert model.history.epoch == [0, 1, 2, 3, 4]
    assert "goes on from epoch 3 (" in capsys.readouterr().out


def test_fewer_epochs_than_were_trained_are_refused(tmp_path):
    fit(resume=tmp_path / "run", epochs=4)
    with pytest.raises(DataError, match="epochs: expected 4 or more"):
        fit(resume=tmp_path / "run", epochs=3)


def test_it_is_said_where_a_run_goes_on(tmp_path, capsys, every_step):
    fit(resume=tmp_path / "all")
    folder = only(states_in(tmp_path / "all")[8], tmp_path / "one")
    fit(resume=folder, verbose=1)
    said = capsys.readouterr().out
    assert "goes on from epoch 2, step 2 of 6 (" in said
    assert "Epoch 2/3" in said


# What is refused.


def tripled():
    model = plain()
    model.layers[2].rate = 0.9
    return model


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"x": X + 1}, r"with x\.values"),
        ({"x": X[:40], "y": Y[:40]}, r"with x\.shape\[0\] 45, got x\.shape\[0\] 40"),
        ({"y": -Y}, r"with y\.values"),
        ({"sample_weight": np.ones(45)}, "with sample_weight"),
        ({"batch_size": 9}, "with batch_size 8, got batch_size 9"),
        ({"shuffle": False}, "with shuffle True, got shuffle False"),
        ({"validation_data": (X, Y)}, "with validation x"),
        ({"initial_epoch": 1}, "with initial_epoch 0"),
        ({"x": Batches(), "y": None, "batch_size": None}, "with x"),
        ({"model": lambda: plain("sgd")}, r"with optimizer\.class 'Adam'"),
        ({"model": lambda: plain(doltap.optimizers.Adam(0.1))}, r"with optimizer\.learning_rate 0\.001"),
        ({"model": lambda: plain(loss="mae")}, "with loss"),
        ({"model": lambda: plain(hidden=7)}, r"with model\.layers\[1\]\.config\.units 6, got .* 7"),
    ],
)
def test_another_training_is_refused_and_the_difference_named(change, named, tmp_path):
    fit(resume=tmp_path)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    make = change.get("model", plain)
    with pytest.raises(DataError, match=named):
        fit(make(), resume=tmp_path, epochs=5, **{k: v for k, v in change.items() if k != "model"})
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_names_that_layers_were_given_by_themselves_do_not_count(tmp_path):
    fit(resume=tmp_path)
    for _ in range(3):
        plain()
    assert fit(resume=tmp_path).history.epoch == [0, 1, 2]


def test_a_metric_that_counts_what_was_made_before_is_told_to_take_a_name(tmp_path):
    def model(**name):
        made = plain()
        made.compile("sgd", "mse", metrics=[doltap.metrics.Precision(**name)])
        return made

    fit(model(name="own"), resume=tmp_path / "own")
    fit(model(name="own"), resume=tmp_path / "own")
    fit(model(), resume=tmp_path / "run")
    with pytest.raises(DataError, match=r"the names of the logs\[1\](.|\n)*a name of its own"):
        fit(model(), resume=tmp_path / "run")


def test_another_seed_is_refused(tmp_path):
    doltap.utils.set_random_seed(1)
    fit(resume=tmp_path)
    doltap.utils.set_random_seed(2)
    with pytest.raises(DataError, match="with the seed 1, got the seed 2"):
        fit(resume=tmp_path)


class Endless(Batches):
    num_batches = None


class Noisy(Batches):
    def __getitem__(self, index):
        x, y = super().__getitem__(index)
        return x + np.random.default_rng().normal(size=x.shape), y


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (lambda: ((X, Y) for _ in range(9)), "a generator, which gives every batch once"),
        (lambda: iter([(X, Y)]), "a list_iterator, which gives every batch once"),
        (lambda: type("Table", (), {"__iter__": lambda self: iter([(X, Y)])})(), "a Table, which may give"),
        (Endless, "an? Endless without an end"),
        (Noisy, "a Noisy whose batch 0 is another one each time"),
        (Shuffled, "a Shuffled that its on_epoch_begin or on_epoch_end changes, without get_state"),
    ],
)
def test_data_that_cannot_be_had_again_is_refused_before_anything_is_read(data, reason, tmp_path):
    given = data()
    with pytest.raises(DataError, match=f"x, with resume=.*\n?.*{reason}"):
        plain().fit(given, resume=tmp_path / "run", verbose=0)
    with pytest.raises(DataError, match=f"validation_data, with resume=.*\n?.*{reason}"):
        plain().fit(X, Y, validation_data=given, resume=tmp_path / "run", verbose=0)
    assert not (tmp_path / "run").exists()
    if hasattr(given, "__next__"):
        assert len(next(given)) == 2


def test_a_data_set_of_keras_by_number_is_taken(keras, tmp_path):
    class Theirs(keras.utils.PyDataset):
        def __len__(self):
            return 2

        def __getitem__(self, index):
            return X[index * 8 :][:8], Y[index * 8 :][:8]

    assert feeds.source(Theirs(), None, None, 1, 0, shuffle=True).once_only() is None
    plain().fit(Theirs(), resume=tmp_path, verbose=0)


def test_another_data_set_by_number_is_refused(tmp_path):
    class Other(Batches):
        def __getitem__(self, index):
            x, y = super().__getitem__(index)
            return (x * 2 if index == 6 else x), y

    plain().fit(Batches(), resume=tmp_path, verbose=0)
    with pytest.raises(DataError, match="with x"):
        plain().fit(Other(), resume=tmp_path, verbose=0)


@pytest.mark.parametrize("wrong", [3, "", True])
def test_what_is_no_path_is_refused(wrong):
    with pytest.raises(DataError, match="resume: expected the path of a folder"):
        fit(resume=wrong)


# Other machines.


def test_another_machine_is_warned_of(tmp_path, monkeypatch):
    fit(resume=tmp_path)
    facts = identity.machine()
    monkeypatch.setattr(identity, "machine", lambda: facts | {"cores": 99, "jax": "9.9"})
    with pytest.warns(
        UserWarning, match=r"bits may differ.*jax '\d.*' then, '9.9' now; cores \d+ then, 99 now"
    ):
        fit(resume=tmp_path, epochs=4)


def test_what_the_bits_depend_on_is_known():
    facts = identity.machine()
    assert facts["cores"] >= 1
    assert facts["processor"]
    assert facts["doltap"] == doltap.__version__
    assert all(isinstance(value, (str, int)) for value in facts.values())


# Callbacks of the user's own.


class Counting(Callback):
    """Keeps nothing."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def on_epoch_end(self, epoch, logs=None):
        self.count += 1


class Halving(Callback):
    """Keeps nothing, and acts where an epoch begins."""

    def on_epoch_begin(self, epoch, logs=None):
        self.model.optimizer.learning_rate = float(self.model.optimizer.learning_rate) * 0.5


class Patient(EarlyStopping):
    """One of ours, with something added."""

    def on_epoch_end(self, epoch, logs=None):
        super().on_epoch_end(epoch, logs)


@pytest.mark.parametrize("kind", [Counting, Halving, lambda: Patient("loss")])
def test_a_callback_without_a_state_is_warned_of_once(kind, tmp_path):
    with pytest.warns(UserWarning, match=r"has no get_state\(\) and set_state") as said:
        fit(resume=tmp_path, callbacks=[kind(), kind()])
    assert len(said) == 1
    assert said[0].filename == __file__


def test_ours_are_not_warned_of(tmp_path):
    ours = [LambdaCallback(on_epoch_end=lambda epoch, logs: None), doltap.callbacks.ProgbarLogger()]
    fit(resume=tmp_path, callbacks=[*ours, doltap.callbacks.History()])


@pytest.mark.filterwarnings("ignore:Halving has no get_state:UserWarning")
def test_an_epoch_that_a_callback_without_state_hears_begin_is_taken_up_at_its_beginning(
    tmp_path, every_step
):
    doltap.utils.set_random_seed(1)
    whole = bits(fit(plain("sgd"), callbacks=[Halving()]))
    for number in range(4):
        doltap.utils.set_random_seed(1)
        fit(plain("sgd"), callbacks=[Halving()], resume=tmp_path / f"all {number}")
        states = states_in(tmp_path / f"all {number}")
        assert len(states) == 4
        folder = only(states[number], tmp_path / f"from {number}")
        doltap.utils.set_random_seed(1)
        assert bits(fit(plain("sgd"), callbacks=[Halving()], resume=folder)) == whole


def test_a_state_that_cannot_be_kept_is_refused_at_once(tmp_path):
    class Keeps(Callback):
        def get_state(self):
            return {"lock": threading.Lock()}

    with pytest.raises(DataError, match=r"\['Keeps'\]\['lock'\]: expected numbers"):
        fit(resume=tmp_path, callbacks=[Keeps()])


def test_a_callback_that_was_not_there_is_warned_of(tmp_path):
    interrupted(tmp_path)
    with pytest.warns(UserWarning, match="EarlyStopping was not there"):
        fit(resume=tmp_path, callbacks=[EarlyStopping("loss"), Interrupts(9)], epochs=6)


# Writing.


def test_training_waits_for_the_copy_and_not_for_the_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(resuming, "_SECONDS", -1.0)
    monkeypatch.setattr(resuming, "_SHARE", 0.0)
    may_write, write, written = threading.Event(), checkpoint._write, []

    def write_late(path, about, arrays):
        # Where training waited for this, it would never get to the third epoch.
        assert may_write.wait(20)
        written.append(path.name)
        write(path, about, arrays)

    monkeypatch.setattr(checkpoint, "_write", write_late)
    third = LambdaCallback(on_epoch_end=lambda epoch, logs: epoch == 2 and may_write.set())
    doltap.utils.set_random_seed(1)
    model = fit(resume=tmp_path, callbacks=[third], epochs=4)
    # All is on the disk when fit returns.
    assert (tmp_path / "finished.h5").exists()
    assert written[0] == "state-000001.h5"
    assert len(written) <= 4
    doltap.utils.set_random_seed(1)
    assert bits(fit(resume=tmp_path, callbacks=[third], epochs=4)) == bits(model)


def test_states_are_written_by_time(tmp_path, monkeypatch):
    written = []
    write = checkpoint.Folder.write
    monkeypatch.setattr(
        checkpoint.Folder,
        "write",
        lambda self, state, **how: (written.append(state["epoch"]), write(self, state, **how)),
    )
    began = time.monotonic()
    fit(resume=tmp_path, epochs=200, callbacks=[LambdaCallback(on_epoch_end=lambda epoch, logs: None)])
    # At the beginning, after the last step and at the end; in between every five seconds, where it is slow.
    assert (written[0], written[-2:]) == (0, [200, 200])
    assert len(written) <= 3 + (time.monotonic() - began) / 5


def test_two_states_stay_and_other_files_are_left_alone(tmp_path, every_step, monkeypatch):
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "state-1.h5").write_text("mine too")
    (tmp_path / ".state-000007.h5.123.part").write_text("left by a kill")
    make = checkpoint.Folder.__init__
    monkeypatch.setattr(
        checkpoint.Folder,
        "__init__",
        lambda self, path, keep: (make(self, path, 2), setattr(self, "_keep", 2))[0],
    )
    fit(resume=tmp_path)
    names = {file.name for file in tmp_path.iterdir()}
    assert names == {"notes.txt", "state-1.h5", "state-000018.h5", "state-000019.h5", "finished.h5"}
    assert (tmp_path / "state-1.h5").read_text() == "mine too"


@pytest.mark.parametrize("number", [1, 3])
def test_no_room_on_the_disk_is_said(number, tmp_path, monkeypatch, every_step):
    write, calls = checkpoint.write_hdf5, []

    def full(target, root):
        calls.append(target)
        if len(calls) == number:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(target, root)

    monkeypatch.setattr(checkpoint, "write_hdf5", full)
    with pytest.raises(ModelFileError, match=f"state-00000{number}.h5: expected room on the disk"):
        fit(resume=tmp_path)
    assert len(states_in(tmp_path)) == number - 1
    assert not list(tmp_path.glob(".*"))


def test_a_file_in_the_folders_place_is_said(tmp_path):
    (tmp_path / "run").write_text("")
    with pytest.raises(ModelFileError, match="expected a folder for the states of a training, got a file"):
        fit(resume=tmp_path / "run")


# Damage.


def damaged(path, how):
    content = path.read_bytes()
    if how == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "other":
        path.write_bytes(b"\x89PNG" + content[4:])
    else:
        with h5py.File(path, "r+") as file:
            file["arrays/0"][0] = 7.0


@pytest.mark.parametrize("how", ["cut", "empty", "other", "bits"])
def test_damage_is_said_and_the_state_before_is_taken(how, tmp_path, every_step):
    doltap.utils.set_random_seed(1)
    whole = bits(fit())
    doltap.utils.set_random_seed(1)
    fit(resume=tmp_path)
    (tmp_path / "finished.h5").unlink()
    newest = states_in(tmp_path)[-1]
    damaged(newest, how)
    doltap.utils.set_random_seed(1)
    with pytest.warns(UserWarning, match=f"{newest.name}: (.|\n)*goes on from '.*', the state before"):
        model = fit(resume=tmp_path)
    assert bits(model) == whole


def test_nothing_begins_anew_where_all_is_damaged(tmp_path):
    interrupted(tmp_path)
    for state in states_in(tmp_path):
        damaged(state, "cut")
    with pytest.raises(ModelFileError, match=r"state-\d+\.h5: expected"):
        fit(resume=tmp_path, callbacks=[Interrupts(9)], epochs=6)


def test_a_damaged_end_is_said_and_made_again(tmp_path):
    doltap.utils.set_random_seed(1)
    model = fit(resume=tmp_path)
    damaged(tmp_path / "finished.h5", "cut")
    doltap.utils.set_random_seed(1)
    with pytest.warns(UserWarning, match=r"finished.h5(.|\n)*goes on from 'state-000002.h5', the state"):
        assert bits(fit(resume=tmp_path)) == bits(model)
    doltap.utils.set_random_seed(1)
    assert bits(fit(resume=tmp_path)) == bits(model)
    for file in tmp_path.glob("*.h5"):
        damaged(file, "cut")
    # Nothing is promised before that.
    with pytest.raises(ModelFileError, match=r"finished\.h5"):
        fit(resume=tmp_path)


def test_a_state_of_a_later_version_is_refused(tmp_path):
    interrupted(tmp_path)
    for state in states_in(tmp_path):
        with h5py.File(state, "r+") as file:
            file.attrs["version"] = 2
            del file.attrs["doltap_checksum"]
    with pytest.raises(ModelFileError, match="version 1, got version 2"):
        fit(resume=tmp_path, callbacks=[Interrupts(9)], epochs=6)


STRANGE = [None, -1, 2**63, 1.5, "text", [], {}, [1], {"a": 1}, np.zeros(2), np.float32(1), True, (1,), [[]]]


def changed(value, chance, others=STRANGE):
    """The tree with one thing in it replaced by something strange, or left out."""
    if isinstance(value, (dict, list)) and value and chance.random() < 0.85:
        keys = list(value) if isinstance(value, dict) else list(range(len(value)))
        key = keys[chance.integers(len(keys))]
        new = value.copy()
        if chance.random() < 0.2:
            del new[key]
        else:
            new[key] = changed(value[key], chance)
        return new
    return others[chance.integers(len(others))]


def fuzzed(folder, name, count, seed):
    """Go on from states that were changed, with a checksum that fits; how many were refused."""
    run(name, folder, resume=folder / "run", epochs=3)
    (folder / "run" / "finished.h5").unlink()
    states = [checkpoint._state_in(path) for path in states_in(folder / "run")]
    chance, refused = np.random.default_rng(seed), 0
    for number in range(count):
        state = changed(states[number % 2], chance)
        other = checkpoint.Folder(folder / f"{number}", 2)
        other.write(state)
        other.close()
        try:
            run(name, folder, resume=folder / f"{number}", epochs=3)
        except doltap.errors.DoltapError:
            refused += 1
    return refused


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", ["rates", "averages", "numbered"])
def test_a_state_that_somebody_changed_gives_a_result_or_an_error_of_ours(name, tmp_path):
    assert fuzzed(tmp_path, name, 40, 3) > 10


def test_a_description_that_pack_does_not_make_is_refused(tmp_path):
    strange = [
        {},
        {"dict": 3},
        {"tuple": {}},
        {"array": 0},
        {"array": 9, "dtype": "float64", "shape": [1]},
        {"array": 0, "dtype": "object", "shape": [1]},
        {"array": 0, "dtype": "float32", "shape": [1]},
        {"array": 0, "dtype": "float64", "shape": [2]},
        {"scalar": 0, "dtype": "float64", "shape": [1]},
        {"number": "1e9"},
        {"floats": "x"},
        {"pairs": [[1]]},
        {"pairs": [[{"dict": {}}, 1]]},
        {"import": "os"},
    ]
    for packed in strange:
        path = tmp_path / "state.h5"
        checkpoint._write(path, json.dumps({"dict": {"a": packed}}).encode(), [np.zeros(1)])
        with pytest.raises(ModelFileError, match="expected the state of a training, got none"):
            checkpoint._state_in(path)


def test_what_is_packed_comes_back(tmp_path):
    import jax.numpy as jnp

    value = {
        "none": None,
        "numbers": [1, -2, 2**63 - 1, 0.1, float("nan"), float("-inf"), True],
        "long": [0.1 * number for number in range(100)] + [float("inf")],
        "tuple": (1, (2.5, "three")),
        "keys": {1: "one", (2, 3): ["x"], None: {}},
        "empty": [[], {}, (), ""],
        "scalars": [np.float32(0.1), np.int64(3), np.bool_(True)],
        "arrays": [np.arange(6).reshape(2, 3), np.zeros((0, 4), np.uint8), np.array(2.5), np.array([True])],
        "small": np.asarray(jnp.asarray([1.5, 2.5], jnp.bfloat16)),
        "text": "\x00한글",
    }
    folder = checkpoint.Folder(tmp_path)
    folder.write(value)
    folder.close()
    found, _ = checkpoint.Folder(tmp_path).newest(bool)
    assert repr(found) == repr(value)
    assert found["small"].dtype == jnp.bfloat16
    assert type(found["scalars"][0]) is np.float32


@pytest.mark.parametrize(
    "value", [2**64, "\ud800", b"bytes", np.array(["text"]), np.array([None]), 1j, {"\ud800": 1}]
)
def test_what_no_file_may_hold_is_not_packed(value):
    with pytest.raises(DataError, match=r"state\['a'\].*: expected"):
        checkpoint.pack({"a": value}, [])


def test_what_is_kept_is_a_copy(tmp_path):
    array, kept = np.zeros(3), []
    checkpoint.pack([array], kept)
    array[:] = 1
    assert not kept[0].any()
