"""The table of Keras's names says what the code does."""

from __future__ import annotations

import importlib.util
import inspect
import pathlib

import pytest

from doltap import planned
from doltap.errors import NotSupportedError

FILE = pathlib.Path(__file__).parent.parent / "docs" / "coverage.py"


@pytest.fixture(scope="module")
def coverage():
    spec = importlib.util.spec_from_file_location("doltap_coverage", FILE)
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        # A dataclass looks its own module up.
        patch.setitem(importlib.import_module("sys").modules, spec.name, module)
        spec.loader.exec_module(module)
        yield module


def names_of_keras(coverage):
    return [line.removeprefix("keras.") for line in coverage.NAMES.read_text().splitlines()[1:]]


def test_the_table_is_up_to_date(coverage):
    written = coverage.TABLE.read_text(encoding="utf-8")
    assert written == coverage.page(), "the code knows other names than docs/coverage.md: run make docs"


def test_the_names_are_those_of_the_installed_keras(coverage, keras):
    written = coverage.NAMES.read_text(encoding="utf-8")
    if written.split()[2] != keras.__version__:
        pytest.skip(f"another Keras is installed: {keras.__version__}")
    assert written == coverage.listed(keras)


def test_what_works_and_what_does_not_is_told_apart(coverage):
    for path in ("layers.Dense", "Sequential", "ops.numpy.mean", "Model.fit", "datasets.mnist.load_data"):
        assert coverage.works(path), path
    for path in (
        "layers.Conv2D",
        "callbacks.RemoteMonitor",
        "losses.ctc",
        "Model.quantize",
        "nothing.at.all",
    ):
        assert not coverage.works(path), path
    section = coverage.sections_of(
        ["keras.layers.Dense", "keras.layers.LSTM", "keras.applications.vgg16.VGG16"]
    )
    assert {space: each.counts() for space, each in section.items()} == {
        "keras.layers": [1, 1, 0],
        "keras.applications": [0, 0, 1],
    }
    with pytest.raises(LookupError, match="Dens"):
        coverage.sections_of(["keras.losses.Dens"])


def test_every_row_is_about_names_of_keras(coverage):
    known = set()
    for path in names_of_keras(coverage):
        parts = path.split(".")
        known |= {".".join(parts[:end]) for end in range(1, len(parts) + 1)}
    rows = {
        f"{space}.{name}".strip(".")
        for space, lacks in planned.LACKS.items()
        for lack in lacks
        for name in lack.names
        if name != "*"
    }
    assert not rows - known
    listed = [name for lacks in planned.LACKS["layers"] for name in lacks.names]
    assert len(listed) == len(set(listed))


def only_says_that_it_is_not_there(thing):
    if not callable(thing):
        return False
    needed = [p for p in inspect.signature(thing).parameters.values() if p.default is p.empty]
    try:
        thing(*(None for p in needed if p.kind is p.POSITIONAL_OR_KEYWORD))
    except NotSupportedError:
        return True
    except Exception:
        return False
    return False


def test_a_row_names_nothing_that_works(coverage):
    rows = {
        f"{space}.{name}".strip(".")
        for space, lacks in planned.LACKS.items()
        for lack in lacks
        for name in lack.names
    }
    there = {path: coverage.found(path) for path in rows if coverage.found(path) is not None}
    works = {path for path, thing in there.items() if not only_says_that_it_is_not_there(thing)}
    assert not works, "they work: take them out of planned.py"
    assert "losses.CTC" in there
