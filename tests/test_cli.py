"""The `doltap` command does what it says, and says what went wrong."""

from __future__ import annotations

import importlib.metadata
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from doltap import cli

DEBIAN = Path("/usr/share/datasets/fashion-mnist")


def run(folder: Path, *arguments: str, system: Path | None = None) -> subprocess.CompletedProcess:
    """`doltap` in a process of its own, on a machine without data sets but those in `system`."""
    hidden = {"DOLTAP_DATASETS", "DOLTAP_SYSTEM_DATASETS"}
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    environment |= {
        "HOME": str(folder),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "KERAS_HOME": str(folder / "keras"),
        "DOLTAP_SYSTEM_DATASETS": str(system or folder / "system"),
        "DOLTAP_OFFLINE": "1",
    }
    command = [sys.executable, "-m", "doltap", *arguments]
    return subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, timeout=300)


def accuracy_in(output: str) -> float:
    found = re.findall(r"^test accuracy: (\d\.\d\d)$", output, re.MULTILINE)
    assert len(found) == 1, output
    return float(found[0])


def assert_weights(path: Path, num_pixels: int) -> None:
    with np.load(path) as archive:
        shapes = [archive[name].shape for name in archive.files]
    assert shapes == [(num_pixels, 300), (300,), (300, 100), (100,), (100, 10), (10,)]
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_the_version_is_printed(capsys):
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"doltap {importlib.metadata.version('doltap')}\n"


def test_without_a_command_the_help_is_printed(capsys):
    assert cli.main([]) == 0
    assert "demo" in capsys.readouterr().out


def test_a_misspelt_command_is_an_error_with_the_nearest_one(capsys):
    assert cli.main(["demmo"]) == 2
    assert "Did you mean 'demo'?" in capsys.readouterr().err


@pytest.mark.parametrize("epochs", ["0", "-1", "many", "1.5"])
def test_a_number_of_epochs_below_one_is_an_error(capsys, epochs):
    assert cli.main(["demo", f"--epochs={epochs}"]) == 2
    assert f"expected an integer of at least 1, got '{epochs}'" in capsys.readouterr().err


def test_an_unknown_option_is_an_error(capsys):
    assert cli.main(["demo", "--epoch-count", "3"]) == 2
    assert "--epoch-count" in capsys.readouterr().err


def test_the_demo_trains_on_digits_where_the_pictures_cannot_be_had(tmp_path):
    finished = run(tmp_path, "demo", "--epochs", "1", "--out", "out")
    assert finished.returncode == 0, finished.stderr
    announced = [line for line in finished.stdout.splitlines() if "cannot be had" in line]
    assert len(announced) == 1
    assert "digits instead" in announced[0]
    accuracy_in(finished.stdout)
    assert (
        len(re.findall(r"^test image \d: predicted \d \(\d+%\), truly \d$", finished.stdout, re.MULTILINE))
        == 3
    )
    assert_weights(tmp_path / "out" / "digits.npz", 64)


@pytest.mark.skipif(
    not DEBIAN.is_dir(), reason=f"Debian's dataset-fashion-mnist is not installed in {DEBIAN}"
)
def test_the_demo_learns_to_tell_clothes_apart(tmp_path):
    finished = run(tmp_path, "demo", "--epochs", "2", system=DEBIAN.parent)
    assert finished.returncode == 0, finished.stderr
    assert accuracy_in(finished.stdout) >= 0.75
    assert "truly Ankle boot" in finished.stdout
    assert "demo-output/fashion.npz" in finished.stdout
    assert_weights(tmp_path / "demo-output" / "fashion.npz", 784)
