"""TensorBoard's hparams module, which programs import beside TensorFlow."""

import random
import subprocess
import sys

import numpy as np
import pytest

from board_server import Server, measured
from doltap import errors
from doltap.compat import hyperparameters as hp

pytest.importorskip("tensorboardX")
pytest.importorskip("tensorboard")

START = """
import numpy as np
import tensorflow as tf
{imports}
UNITS = hp.HParam("units", hp.Discrete([16, 8]), display_name="Units", description="of the layer")
DROPOUT = hp.HParam("dropout", hp.RealInterval(0.1, 0.5))
OPTIMIZER = hp.HParam("optimizer", hp.Discrete(["sgd", "adam"]))
x = np.random.rand(32, 4)
y = (x.sum(1) > 2).astype(int)

def network(chosen):
    model = tf.keras.models.Sequential([
        tf.keras.layers.Dense(chosen[UNITS], activation=tf.nn.relu),
        tf.keras.layers.Dropout(chosen[DROPOUT]),
        tf.keras.layers.Dense(2, activation=tf.nn.softmax),
    ])
    model.compile(chosen[OPTIMIZER], "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model

"""
TRIALS = """
with tf.summary.create_file_writer("logs").as_default():
    hp.hparams_config(
        hparams=[UNITS, DROPOUT, OPTIMIZER], metrics=[hp.Metric("accuracy", display_name="Accuracy")]
    )
for number, units in enumerate(UNITS.domain.values):
    chosen = {UNITS: units, DROPOUT: DROPOUT.domain.min_value, OPTIMIZER: OPTIMIZER.domain.values[0]}
    print({each.name: chosen[each] for each in chosen})
    with tf.summary.create_file_writer(f"logs/run-{number}").as_default():
        hp.hparams(chosen)
        model = network(chosen)
        model.fit(x, y, verbose=0)
        tf.summary.scalar("accuracy", model.evaluate(x, y, verbose=0)[1], step=1)
"""
CALLBACK = """
for number, units in enumerate([8, 16]):
    chosen = {UNITS: units, DROPOUT: 0.5, OPTIMIZER: "adam"}
    callbacks = [tf.keras.callbacks.TensorBoard(f"logs/{number}"), hp.KerasCallback(f"logs/{number}", chosen)]
    network(chosen).fit(x, y, epochs=2, verbose=0, callbacks=callbacks)
"""
IMPORTS = [
    "from tensorboard.plugins.hparams import api as hp",
    "import tensorboard.plugins.hparams.api as hp",
    "import importlib; hp = importlib.import_module('tensorboard.plugins.hparams.api')",
    "from tensorboard.plugins.hparams.api import *; import tensorboard.plugins.hparams.api as hp",
]


def run(folder, text):
    (folder / "program.py").write_text(text)
    command = [sys.executable, "-m", "doltap", "run", "--explain", "program.py"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def test_the_trials_of_a_program_stand_on_the_page_of_parameters(tmp_path):
    ran = run(tmp_path, START.format(imports=IMPORTS[0]) + TRIALS)
    assert ran.returncode == 0, ran.stderr
    assert "{'units': 8, 'dropout': 0.1, 'optimizer': 'adam'}" in ran.stdout
    with Server(tmp_path / "logs") as server:
        told = server.asked("hparams/experiment", lambda found: found.get("hparamInfos"), {})
        groups = server.sessions(2, "STATUS_UNKNOWN")
    infos = {each["name"]: each for each in told["hparamInfos"]}
    assert infos["units"]["displayName"] == "Units"
    assert infos["units"]["domainDiscrete"] == [8, 16]
    assert infos["dropout"]["domainInterval"] == {"minValue": 0.1, "maxValue": 0.5}
    assert infos["optimizer"]["type"] == "DATA_TYPE_STRING"
    assert [each["displayName"] for each in told["metricInfos"]] == ["Accuracy"]
    assert sorted(group["hparams"]["units"] for group in groups) == [8, 16]
    assert all(0 <= measured(group, "accuracy") <= 1 for group in groups)


def test_its_callback_is_that_of_doltap(tmp_path):
    ran = run(tmp_path, START.format(imports=IMPORTS[0]) + CALLBACK)
    assert ran.returncode == 0, ran.stderr
    assert "KerasCallback" in ran.stdout + ran.stderr
    assert "keras.callbacks.HParams" in ran.stdout + ran.stderr
    with Server(tmp_path / "logs") as server:
        groups = server.sessions(2)
    assert sorted(group["hparams"]["units"] for group in groups) == [8, 16]
    assert all("epoch_loss" in str(group["metricValues"]) for group in groups)


@pytest.mark.parametrize("imports", IMPORTS)
def test_however_it_is_imported_it_is_there_beside_the_rest_of_tensorboard(tmp_path, imports):
    rest = "\n".join(
        [
            "from tensorboard.backend.event_processing import event_accumulator",
            "from tensorboard.plugins import hparams",
            "import tensorboard",
            "assert hparams.api is hp and hp.Metric.VALIDATION == 2",
            "print(hparams.metadata.PLUGIN_NAME, event_accumulator.SCALARS, tensorboard.__version__[0])",
        ]
    )
    ran = run(tmp_path, START.format(imports=imports) + rest)
    assert ran.returncode == 0, ran.stderr
    assert "hparams scalars 2" in ran.stdout


def test_domains_draw_values_of_their_own():
    chance = random.Random(0)
    for domain in (hp.IntInterval(2, 4), hp.RealInterval(2.0, 4.0), hp.Discrete([3, 2])):
        drawn = [domain.sample_uniform(chance) for _ in range(20)]
        assert all(isinstance(value, domain.dtype) and 2 <= value <= 4 for value in drawn)
    assert hp.Discrete([3, 2]).values == [2, 3]
    assert str(hp.HParam("a", hp.IntInterval(2, 4))) == "<HParam 'a': [2, 4]>"


@pytest.mark.parametrize(
    "make",
    [
        lambda: hp.IntInterval(1.0, 2),
        lambda: hp.RealInterval(2.0, 1.0),
        lambda: hp.Discrete([]),
        lambda: hp.Discrete([1, "a"]),
        lambda: hp.Discrete([[1]]),
        lambda: hp.HParam("a", [1, 2]),
        lambda: hp.Metric("a", dataset_type=7),
        lambda: hp.KerasCallback(None, {}),
        lambda: hp.KerasCallback("logs", {"a": [1]}),
        lambda: hp.KerasCallback("logs", {"a": 1, hp.HParam("a"): 2}),
    ],
)
def test_what_tensorboard_refuses_is_refused(make):
    with pytest.raises(errors.DataError):
        make()


def test_runs_of_equal_values_are_one_trial_and_numbers_of_numpy_are_numbers():
    units = hp.HParam("units")
    one, other = (hp.KerasCallback("logs", {units: value}) for value in (np.int64(8), 8))
    assert one.parameters == other.parameters == {"units": 8}
    assert one.trial_id == other.trial_id
    assert hp.KerasCallback("logs", {units: 9}).trial_id != one.trial_id


def test_where_nobody_writes_nothing_is_written():
    assert not hp.hparams({"units": 3})
    assert not hp.hparams_config([], [])
