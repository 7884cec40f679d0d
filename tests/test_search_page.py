"""What docs/search.md shows works, and what it names is there."""

import inspect
import pathlib
import re

import numpy as np
import pytest

import doltap as keras
from doltap.training import cache

pytest.importorskip("sklearn")
from doltap import tune

PAGE = pathlib.Path(__file__).parent.parent / "docs" / "search.md"
TEXT = PAGE.read_text(encoding="utf-8")


def test_the_programs_of_the_page_run_from_top_to_bottom(capsys):
    places = {}
    keras.utils.set_random_seed(0)
    for program in re.findall(r"^```python\n(.*?)^```$", TEXT, re.S | re.M):
        exec(program, places)
    said = capsys.readouterr().out
    assert "Learning rates up to" in said
    assert set(places["search"].best_params_) == set(places["space"])
    assert places["model"].count_params() > 0
    assert places["predicted"].shape == (442,)
    assert places["spread"].shape == (442, 1)
    assert np.isfinite(places["grid"].best_score_)
    assert places["grid"].best_score_ > 0


def test_every_search_that_the_page_names_is_there():
    named = set(re.findall(r"tune\.(\w+)", TEXT))
    assert named <= set(tune.__all__)
    assert set(tune.__all__) - {"LearningRateRange"} <= named
    for name, arguments in re.findall(r"tune\.([A-Z]\w+)\(build_model, space, ([^)]*)\)", TEXT):
        given = re.findall(r"(\w+)=", arguments)
        assert set(given) <= set(inspect.signature(getattr(tune, name)).parameters), name


def test_every_link_of_the_page_leads_somewhere():
    links = re.findall(r"\]\(([^)#:]+)\)", TEXT)
    assert len(links) >= 5
    assert all((PAGE.parent / link).exists() for link in links)


def test_the_bound_of_memory_is_the_one_the_page_tells():
    bound, each = (int(number) for number in re.search(r"(\d+) MB at (\d+) MB reckoned", TEXT).groups())
    assert (bound, each) == (cache._MEMORY_BYTES >> 20, cache._BYTES_PER_PROGRAM >> 20)
    assert f"so {bound // each} of them" in TEXT
