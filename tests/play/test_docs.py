"""What docs/play.md says of the playground is so, in both languages."""

from __future__ import annotations

import pathlib
import re

import pytest

from doltap import cli
from doltap.play import tables

DOCS = pathlib.Path(__file__).parent.parent.parent / "docs"


@pytest.mark.parametrize("name", ["play.md", "play.ko.md"])
def test_every_option_is_told(name, capsys):
    assert cli.main(["play", "--help"]) == 0
    options = set(re.findall(r"--[a-z-]+", capsys.readouterr().out)) - {"--help"}
    text = (DOCS / name).read_text(encoding="utf-8")
    assert options == set(re.findall(r"`(--[a-z-]+)", text))
    assert f"{tables.MOST_BYTES // 1_000_000}" in text
    assert f"{tables._MOST_ROWS:,}" in text


@pytest.mark.parametrize("name", ["play.md", "play.ko.md"])
def test_every_link_leads_somewhere(name):
    links = re.findall(r"\]\(([^)#:]+)\)", (DOCS / name).read_text(encoding="utf-8"))
    assert len(links) == 3
    assert all((DOCS / link).exists() for link in links)


def test_the_picture_is_a_small_file():
    picture = (DOCS / "images" / "play.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert 20_000 < len(picture) < 200_000
