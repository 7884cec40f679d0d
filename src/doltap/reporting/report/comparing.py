"""The page that compares runs: a table of the best values, and their curves over each other."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from doltap.errors import printable
from doltap.reporting.report.charts import NUM_STYLES, Frame, Series, compact, curves, legend
from doltap.reporting.report.learned import best_of, is_rising, section
from doltap.reporting.report.markup import Markup, element, short, table
from doltap.reporting.report.page import page
from doltap.reporting.report.runs import Found, Run, Search
from doltap.reporting.report.words import Words

__all__ = ["comparison", "unread"]

_MOST_COLUMNS, _MOST_PANELS, _MOST_ROWS, _MOST_NAMES = 6, 16, 200, 5


def comparison(found: Found, folder: Any, language: str, made: tuple[str, str], title: str = "") -> str:
    """The page as the text of an HTML file.

    Args:
        folder: where it was found.
        language: "en" or "ko".
        made: doltap's version, and when it is made.
    """
    words = Words(language)
    sections: list[tuple[str, Markup]] = []
    if found.runs:
        runs = _best_first(found.runs)
        sections.append(("runs", _table(runs, folder, words)))
        sections.append(("curves", _curves(runs, words)))
    if found.searches:
        parts = [_search(each, words) for each in found.searches]
        sections.append(("searches", section("searches", words("searches"), *parts)))
    skipped = [element("p", told, class_="note") for told in unread(found, words)]
    head = element("div", *skipped) if skipped else None
    count = len(found.runs) + sum(len(each.candidates) for each in found.searches)
    return page(title or words("comparison", count=count), words, sections, made, head)


def unread(found: Found, words: Words) -> list[str]:
    """A sentence on each thing that could not be read."""
    told = [words("not_read", name=printable(name, 200), why=words(key)) for name, key in found.skipped]
    if found.closed:
        names = ", ".join(printable(name) for name in found.closed[:_MOST_NAMES])
        names += f", … ({len(found.closed):,})" if len(found.closed) > _MOST_NAMES else ""
        told.append(words("board_closed", name=names, line='pip install "doltap[board]"'))
    return told


def _measures(runs: Sequence[Run]) -> list[str]:
    """The measures, those that most runs have first, and of these what was validated."""
    names = list(dict.fromkeys(name for run in runs for name in run.curves))
    common = {name: sum(name in run.curves for run in runs) for name in names}

    def rank(name: str) -> tuple[bool, bool, int]:
        return not name.startswith("val_"), not name.endswith("loss"), -common[name]

    return sorted(names, key=rank)


def _best(run: Run, name: str) -> float:
    values = run.curves.get(name, ())
    place = best_of(name, values) if len(values) else None
    return math.nan if place is None else float(values[place])


def _best_first(runs: Sequence[Run]) -> list[Run]:
    name = _measures(runs)[0]
    sign = -1 if is_rising(name) else 1

    def rank(run: Run) -> tuple[bool, float]:
        value = _best(run, name)
        return math.isnan(value), 0.0 if math.isnan(value) else sign * value

    return sorted(runs, key=rank)


def _table(runs: Sequence[Run], folder: Any, words: Words) -> Markup:
    """The best value of every measure in every run."""
    # A rate is set, and none of its values is the best.
    names = [name for name in _measures(runs) if name not in ("learning_rate", "lr")][:_MOST_COLUMNS]
    head = [words("run"), words("from_what"), *(f"{words('best')}: {name}" for name in names)]
    head += [words("epochs"), words("time")]
    rows = [
        (
            run.name,
            run.source,
            *(_place_of_best(run, name, words) for name in names),
            str(run.num_epochs),
            "-" if run.seconds is None else _time(run.seconds),
        )
        for run in runs[:_MOST_ROWS]
    ]
    told = element("p", words("runs_told", folder=printable(folder, 200)))
    return section("runs", words("runs"), told, table(words("runs"), head, rows, texts=(1,)))


def _place_of_best(run: Run, name: str, words: Words) -> str:
    """The best value, and the epoch it belongs to."""
    values = run.curves.get(name, ())
    place = best_of(name, values) if len(values) else None
    if place is None:
        return "-"
    return f"{compact(float(values[place]))} ({words('epoch')} {run.when[name][place] + 1})"


def _time(seconds: float) -> str:
    """A length of time in few letters.

    >>> _time(0.25), _time(75), _time(4000)
    ('0.25 s', '1:15', '1:06:40')
    """
    if seconds < 60:
        return f"{seconds:.2g} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _curves(runs: Sequence[Run], words: Words) -> Markup:
    """A chart for each measure, with a curve for each of the best runs."""
    shown = runs[:NUM_STYLES]
    key = legend([Series(short(run.name, 60), (), (), number) for number, run in enumerate(shown)])
    figures = []
    for name in _measures(runs)[:_MOST_PANELS]:
        series = [
            Series(short(run.name, 60), [epoch + 1 for epoch in run.when[name]], run.curves[name], number)
            for number, run in enumerate(shown)
            if name in run.curves
        ]
        if series:
            told = "; ".join(f"{each.name}: {compact(_last(each))}" for each in series)
            chart = curves(series, Frame(name, told, words("epoch")))
            figures.append(element("figure", element("figcaption", name), chart))
    left = len(runs) - len(shown)
    note = element("p", words("more_runs", count=left), class_="note") if left > 0 else None
    return section("curves", words("curves"), key, note, element("div", *figures, class_="grid"))


def _last(series: Series) -> float:
    return float(series.ys[-1]) if len(series.ys) else math.nan


def _search(search: Search, words: Words) -> Markup:
    """The candidates of a search."""
    head = [words(key) for key in ("candidate", "rank", "score", "folds", "time", "settings")]
    rows = []
    for rank, each in enumerate(search.candidates[:_MOST_ROWS], 1):
        told = _settings(each.params)
        if each.error is not None:
            told = f"{told} ({words('failed', error=short(each.error, 120))})"
        folds = ", ".join(compact(float(f"{score:.4g}")) for score in each.scores)
        rows.append((str(each.number), str(rank), compact(each.mean), folds, _time(each.seconds), told))
    kind = f" ({search.kind})" if search.kind else ""
    return table(words("search_named", name=f"{search.name}{kind}"), head, rows, texts=(5,))


def _settings(params: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={_setting(value)}" for name, value in params.items())


def _setting(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else short(value, 60)
