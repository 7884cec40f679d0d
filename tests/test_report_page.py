"""What docs/report.md shows works, and what it names is there."""

import inspect
import pathlib
import re

import pytest

import doltap as keras
from doltap.reporting.report import words

pytest.importorskip("sklearn")

PAGE = pathlib.Path(__file__).parent.parent / "docs" / "report.md"
TEXT = PAGE.read_text(encoding="utf-8")


def test_the_programs_of_the_page_run_from_top_to_bottom(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    places = {}
    for program in re.findall(r"^```python\n(.*?)^```$", TEXT, re.S | re.M):
        exec(program, places)
    assert {path.name for path in tmp_path.iterdir()} == {"report.html", "model.svg"}


def test_every_section_and_argument_that_the_page_names_is_there():
    sections = re.findall(r"^\| ([A-Z][^|]*) \| [a-z]", TEXT, re.M)
    assert len(sections) == 7
    assert set(sections) <= {english for english, _ in words.TEXTS.values()}
    table = TEXT.partition("| argument | |")[2].partition("\n\n")[0]
    named = [
        name
        for row in table.splitlines()
        for name in re.findall(r"`(\w+)`", row.split("|")[1:2][0] if row else "")
    ]
    assert named == list(inspect.signature(keras.Model.report).parameters)[1:]


def test_every_link_of_the_page_leads_somewhere():
    links = re.findall(r"\]\(([^)#:]+)\)", TEXT)
    assert len(links) >= 4
    assert all((PAGE.parent / link).exists() for link in links)


def test_the_picture_is_small():
    assert 20_000 < (PAGE.parent / "images" / "report.png").stat().st_size < 200_000
