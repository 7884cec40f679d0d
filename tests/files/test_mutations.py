"""Files of models with something changed at random end in a result or in an error of ours."""

import collections
import os
import pathlib
import select
import subprocess
import sys
import warnings

import mutations
import pytest

import doltap
from doltap.errors import ModelFileError

NAMES = [
    f"{writer}/{name}"
    for writer in ("keras", "ours")
    for name in ("model.keras", "model.h5", "model.weights.h5")
]
# A process reads so many, then another goes on.
AT_ONCE = 250
SILENT_SECONDS = 60.0

pytestmark = pytest.mark.skipif(
    not pathlib.Path("/proc/self/clear_refs").exists(), reason="measures as on Linux"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, keras):
    """The same model, written by Keras and by doltap in each format."""
    folder = tmp_path_factory.mktemp("written")
    for name, lib in (("keras", keras), ("ours", doltap)):
        (folder / name).mkdir()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            mutations.write_all(lib, folder / name)
    return folder


def outcomes(folder, name, first, last):
    """What came of each of these changes; a crash or a hang ends a process, and another goes on behind it."""
    found = {}
    source = pathlib.Path(__file__).parents[2] / "src"
    environment = {**os.environ, "PYTHONPATH": str(source), "JAX_PLATFORMS": "cpu"}
    while first < last:
        command = [sys.executable, "-W", "ignore", mutations.__file__, str(folder), name, str(first)]
        command.append(str(min(first + AT_ONCE, last)))
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
        ) as process:
            first = take(process, found, first)
    return found


def take(process, found, first):
    """Write down what a process says; the number from which to go on."""
    number = None
    while True:
        is_heard = select.select([process.stdout], [], [], SILENT_SECONDS)[0]
        line = process.stdout.readline().decode().strip() if is_heard else ""
        if not line:
            break
        if line.isdigit():
            number = int(line)
        else:
            found[number] = line
    if not is_heard:
        process.kill()
    code = process.wait()
    if number is None:
        found[first] = f"nothing was read at all (exit {code})"
        return first + AT_ONCE
    if number not in found:
        found[number] = "a hang" if not is_heard else f"a crash (exit {code})"
    return number + 1


def assert_all_end_well(folder, name, first, last):
    found = outcomes(folder, name, first, last)
    assert [*found] == [*range(first, last)]
    wrong = {number: said for number, said in found.items() if said not in ("result", "error")}
    assert not wrong
    # A change that nothing notices, or that all notice, would test nothing.
    counts = collections.Counter(found.values())
    assert min(counts["result"], counts["error"]) > 0.02 * (last - first), counts


@pytest.mark.parametrize("name", NAMES)
def test_84_changes_end_in_a_result_or_an_error_of_ours(name, folder):
    assert_all_end_well(folder, name, 0, 84)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_1700_more_changes_end_in_a_result_or_an_error_of_ours(name, folder):
    assert_all_end_well(folder, name, 84, 84 + 1700)


def test_what_should_not_be_is_noticed(monkeypatch):
    monkeypatch.setattr(mutations, "MOST_BYTES", 50_000_000)
    error = ModelFileError("x", expected="y", got="z", fix="w")

    def fail(error):
        raise error

    assert mutations.outcome(lambda: None) == "result"
    assert mutations.outcome(lambda: fail(error)) == "error"
    assert mutations.outcome(lambda: fail(ZeroDivisionError())).startswith("foreign: ")
    assert mutations.outcome(lambda: b"x" * 100_000_000).startswith("large: ")
    monkeypatch.setattr(mutations, "LONGEST_SECONDS", 0.05)
    assert mutations.outcome(lambda: sum(range(10_000_000))).startswith("slow: ")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("print(7); print('result'); print(8); import os; os.abort()", {7: "result", 8: "a crash (exit -6)"}),
        ("print(7, flush=True); import time; time.sleep(60)", {7: "a hang"}),
        ("", {7: "nothing was read at all (exit 0)"}),
    ],
)
def test_crashes_and_hangs_are_noticed(code, said, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "SILENT_SECONDS", 3.0)
    found = {}
    with subprocess.Popen([sys.executable, "-u", "-c", code], stdout=subprocess.PIPE) as process:
        take(process, found, 7)
    assert found == said
