"""What the README shows is what happens."""

import pathlib
import re
import subprocess
import sys

import numpy as np
import pytest

import doltap as keras

ROOT = pathlib.Path(__file__).parent.parent


def blocks(name, language):
    text = (ROOT / name).read_text(encoding="utf-8")
    return [
        body for kind, body in re.findall(r"^```(\w*)\n(.*?)^```$", text, re.S | re.M) if kind == language
    ]


@pytest.mark.parametrize("name", ["README.md", "README.ko.md"])
def test_the_ten_line_program_prints_what_stands_below_it(name):
    program, shown = blocks(name, "python")[0], blocks(name, "")[1]
    assert shown.startswith("accuracy")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == shown


@pytest.mark.parametrize("name", ["README.md", "README.ko.md"])
def test_the_same_network_is_a_chain_of_calls_and_a_class(name):
    places = {"keras": keras}
    exec(blocks(name, "python")[1], places)
    x, y = np.random.rand(8, 2), np.arange(8) % 2
    for model in (places["model"], places["Signs"]()):
        model.compile(loss="binary_crossentropy")
        model.fit(x, y, verbose=0)
        assert model.count_params() == 2 * 16 + 16 + 16 + 1


def test_the_search_shown_finds_a_network():
    program = blocks("README.md", "python")[2]
    assert program == blocks("README.ko.md", "python")[2]
    x = np.random.default_rng(0).uniform(-1, 1, (200, 2))
    places = {"keras": keras, "x": x, "y": (x[:, 0] * x[:, 1] > 0).astype(int)}
    keras.utils.set_random_seed(0)
    exec(program, places)
    assert places["search"].best_params_["units"] in (8, 32)
    assert 0.001 < places["found"].suggestion < 5


@pytest.mark.parametrize(("name", "language"), [("README.md", "en"), ("README.ko.md", "ko")])
def test_the_diagnosis_shown_is_made_of_that_network(name, language, monkeypatch, capsys):
    program, shown = blocks(name, "python")[3], blocks(name, "")[4]
    monkeypatch.setenv("DOLTAP_LANG", language)
    keras.utils.set_random_seed(42)
    x = np.random.uniform(-1, 1, (1000, 2))
    exec(program, {"keras": keras, "x": x, "y": (x[:, 0] * x[:, 1] > 0).astype(int)})
    said = re.sub(r"\d{3}", "320", capsys.readouterr().out)  # How small, depends on the machine a little.
    assert said.split() == shown.split()


@pytest.mark.parametrize("name", ["README.md", "README.ko.md"])
def test_the_errors_shown_are_the_errors_raised(name):
    said = blocks(name, "")[3]
    model = keras.Sequential([keras.layers.Dense(10, activation="softmax")])
    with pytest.raises(ValueError, match="expected a known name") as unknown:
        model.compile(loss="sparese_categorical_crossentropy")
    assert str(unknown.value) in said
    model.compile(loss="sparse_categorical_crossentropy")
    with pytest.raises(ValueError, match="subtract it") as label:
        model.fit(np.random.rand(100, 4), np.arange(100) % 10 + 1)
    assert str(label.value) in said


def test_every_file_the_readme_points_to_is_there():
    for name in ("README.md", "README.ko.md", "CONTRIBUTING.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        shown = re.findall(r"\]\(([^)#:]+)\)", text) + re.findall(r"`((?:src|docs|examples)/[^`]+)`", text)
        shown += [
            f"src/doltap/{path}" for path in re.findall(r"(?:models|training|optimizers)/\w+\.py", text)
        ]
        assert len(shown) > 3
        for path in shown:
            assert (ROOT / path.split("|")[0]).exists(), path


@pytest.mark.parametrize("name", ["README.md", "README.ko.md"])
def test_the_table_of_speed_is_the_measured_one(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    shown = re.search(r"<!-- bench -->\n(.*?)<!-- /bench -->", text, re.S).group(1)
    measured = (ROOT / "bench" / "RESULTS.md").read_text(encoding="utf-8").splitlines()
    rows = [line for line in shown.splitlines() if line.startswith("|")]
    assert len(rows) >= 10
    assert all(row in measured for row in rows)
