"""The page: one file with everything in it, that asks nothing of any network."""

from __future__ import annotations

import base64
import functools
import hashlib
import importlib.resources
from collections.abc import Sequence

from doltap.reporting.report.charts import compact
from doltap.reporting.report.insides import insides_of
from doltap.reporting.report.judged import quality_of
from doltap.reporting.report.learned import diagnosis_of, learning_of, model_of, section
from doltap.reporting.report.markup import Markup, element, joined, table
from doltap.reporting.report.subject import Subject
from doltap.reporting.report.words import Words
from doltap.reporting.report.wrong import mistakes_of

__all__ = ["ENDINGS", "page", "report"]

# What the name of the file may end in.
ENDINGS = (".html", ".htm")
_LONGEST_TEXT = 60_000


def report(subject: Subject, language: str, made: tuple[str, str]) -> str:
    """The report as the text of an HTML file.

    Args:
        language: "en" or "ko".
        made: doltap's version, and when it is made.
    """
    words = Words(language)
    sections = [
        ("model", model_of(subject, words)),
        ("learning", learning_of(subject, words)),
        ("quality", quality_of(subject, words)),
        ("mistakes", mistakes_of(subject, words)),
        ("insides", insides_of(subject, words)),
        ("diagnosis", diagnosis_of(subject, words)),
        ("again", _again(subject, words)),
    ]
    there = [(key, body) for key, body in sections if body is not None]
    title = subject.title or words("report_on", name=subject.name)
    return page(title, words, there, made, _cards(subject, words))


def page(
    title: str,
    words: Words,
    sections: Sequence[tuple[str, Markup]],
    made: tuple[str, str],
    head: Markup | None = None,
) -> str:
    """A page of these sections, each known by the key of its heading."""
    style, script = _resource("page.css"), _resource("page.js")
    links = [element("li", element("a", words(key), href=f"#{key}")) for key, _ in sections]
    skip = element("a", words("skip"), href="#content", class_="skip")
    switch = element("button", words("theme"), type="button", id="theme", hidden="hidden")
    top = element("header", element("h1", title), _made(made, words), switch)
    contents = element("nav", element("ol", *links), aria_label=words("contents"))
    body = element("main", head, *(body for _, body in sections), id="content")
    # Nothing is fetched, and no other script runs, whatever the names in the page say.
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    allowed = f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    preface = [
        element("meta", charset="utf-8"),
        Markup(f'<meta http-equiv="Content-Security-Policy" content="{allowed}">'),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        Markup(f"<style>{style}</style>"),
    ]
    end = Markup(f"<script>{script}</script>")
    whole = element(
        "html",
        element("head", *preface),
        element("body", skip, top, contents, body, end),
        lang=words.language,
    )
    return f"<!DOCTYPE html>\n{whole}\n"


def _made(made: tuple[str, str], words: Words) -> Markup:
    version, when = made
    return element("p", words("made", version=version, when=when), class_="note")


def _cards(subject: Subject, words: Words) -> Markup:
    """The few numbers that come first."""
    shown = [(name.replace("_", " "), compact(value)) for name, value in list(subject.scores.items())[:4]]
    if subject.num_rows:
        shown.append((words("test_data"), f"{subject.num_rows:,}"))
    shown.append((words("parameters"), f"{subject.num_parameters:,}"))
    num_epochs = max((len(values) for values in subject.curves.values()), default=0)
    if num_epochs:
        shown.append((words("epochs"), f"{num_epochs:,}"))
    cards = [element("div", element("dt", name), element("dd", value)) for name, value in shown]
    return element("dl", *cards, class_="cards", aria_label=words("at_a_glance"))


def _again(subject: Subject, words: Words) -> Markup:
    """What is needed to do it again."""
    rows = [(words(key), words("no_seed") if said is None else said) for key, said in subject.facts]
    facts = table(words("again_facts"), [words("fact"), words("value")], rows, texts=(1,))
    texts = [
        element("details", element("summary", words(key)), element("pre", _cut(text, words)))
        for key, text in subject.settings
    ]
    return section("again", words("again"), facts, *texts)


def _cut(text: str, words: Words) -> Markup:
    # Ends of lines stay, and so each line is escaped for itself.
    lines = text[:_LONGEST_TEXT].splitlines()
    more = [words("cut", count=f"{len(text):,}")] if len(text) > _LONGEST_TEXT else []
    return joined(joined([line, Markup("\n")]) for line in (*lines, *more))


@functools.cache
def _resource(name: str) -> str:
    return importlib.resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
