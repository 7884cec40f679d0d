"""What docs/report.md shows works, and what it names is there, in both languages."""

import inspect
import pathlib
import re

import pytest

import doltap as keras
from doltap.reporting.report import words

pytest.importorskip("sklearn")

DOCS = pathlib.Path(__file__).parent.parent / "docs"
TEXTS = {name: (DOCS / name).read_text(encoding="utf-8") for name in ("report.md", "report.ko.md")}
pages = pytest.mark.parametrize("page", TEXTS)


@pages
def test_the_programs_of_the_page_run_from_top_to_bottom(tmp_path, monkeypatch, page):
    monkeypatch.chdir(tmp_path)
    places = {}
    for program in re.findall(r"^```python\n(.*?)^```$", TEXTS[page], re.S | re.M):
        exec(program, places)
    assert {path.name for path in tmp_path.iterdir()} == {"report.html", "model.svg"}


@pages
def test_every_section_and_argument_that_the_page_names_is_there(page):
    table = TEXTS[page].partition("| --- | --- |\n")[2].partition("\n\n")[0]
    keys = ("model", "learning", "quality", "mistakes", "insides", "diagnosis", "again")
    titles = [words.TEXTS[key][page.endswith("ko.md")] for key in keys]
    assert re.findall(r"^\| ([^|]*) \|", table, re.M) == titles
    table = re.split(r"\| (?:argument|인자) \| \|\n", TEXTS[page])[1].partition("\n\n")[0]
    named = [name for row in table.splitlines() for name in re.findall(r"`(\w+)`", row.split("|")[1])]
    assert named == list(inspect.signature(keras.Model.report).parameters)[1:]


@pages
def test_every_link_of_the_page_leads_somewhere(page):
    links = re.findall(r"\]\(([^)#:]+)\)", TEXTS[page])
    assert len(links) >= 5
    assert all((DOCS / link).exists() for link in links)


def test_the_picture_is_small():
    assert 20_000 < (DOCS / "images" / "report.png").stat().st_size < 200_000
