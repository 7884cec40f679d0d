"""The section on how good the answers are: classes, yes or no, labels, and numbers."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator

import numpy as np

from doltap.reporting.report import charts, png, scores
from doltap.reporting.report.charts import Frame, Series, compact
from doltap.reporting.report.learned import section
from doltap.reporting.report.markup import Markup, element, joined, table
from doltap.reporting.report.subject import Answer, Subject
from doltap.reporting.report.words import Words

__all__ = ["quality_of"]

# Up to so many classes a field of the table of confusions can hold a number that is read.
_MOST_FIELDS = 25
# And up to so many the table is a picture that a screen holds.
_MOST_DRAWN = 800
_MOST_CLASSES, _MOST_CONFUSIONS, _MOST_NUMBERS, _MOST_PLOTTED = 100, 10, 30, 3
_MOST_POINTS, _NUM_BARS = 1500, 30


def quality_of(subject: Subject, words: Words) -> Markup:
    """How good it is on the test data."""
    title = words("quality")
    if not subject.answers:
        return section("quality", title, element("p", words("no_data"), class_="note"))
    parts = [element("p", words("quality_told", count=f"{subject.num_rows:,}"))]
    rows = [(name, compact(value)) for name, value in subject.scores.items()]
    compiled = table(words("scores"), [words("measure"), words("value")], rows)
    if len(subject.answers) == 1:
        # The first table of the only answer stands beside it.
        first, *others = _judged(subject.answers[0], words)
        return section(
            "quality", title, *parts, element("div", compiled, first, class_="pair scores"), *others
        )
    parts.append(compiled)
    for answer in subject.answers:
        parts += [element("h3", words("output_named", name=answer.name)), *_judged(answer, words)]
    return section("quality", title, *parts)


def _judged(answer: Answer, words: Words) -> Iterator[Markup]:
    if answer.task in ("classes", "yes_no") and len(answer.truth):
        yield from _of_classes(answer, words)
    elif answer.task == "labels":
        yield _per_label(answer, words)
    elif answer.task == "numbers":
        yield from _of_numbers(answer, words)
    else:
        yield element("p", words("not_judged"), class_="note")


def _of_classes(answer: Answer, words: Words) -> Iterator[Markup]:
    chosen, count = answer.chosen, len(answer.names)
    right, largest = np.mean(chosen == answer.truth), np.bincount(answer.truth).max() / len(chosen)
    rows = [(words("accuracy"), _percent(right)), (words("majority"), _percent(largest))]
    yield table(words("accuracy"), [words("measure"), words("value")], rows)
    yield element("h3", words("confusion"))
    each = scores.class_scores(answer.truth, chosen, count)
    worst = _confusions(answer, chosen, each.support, words)
    if count > _MOST_DRAWN:
        yield element("p", words("too_many_classes", count=f"{count:,}"), class_="note")
        yield element("div", worst, class_="pair")
    else:
        yield element("p", words("confusion_told"))
        matrix = scores.confusion(answer.truth, chosen, count)
        yield element("div", _confusion(matrix, answer, words), worst, class_="pair")
    pictures = [_calibration(answer, words) if answer.is_share else None]
    pictures.append(_roc(answer, words) if count == 2 else None)
    yield element("div", _per_class(each, answer, words), *pictures, class_="pair classes")


def _confusion(matrix: np.ndarray, answer: Answer, words: Words) -> Markup:
    shares = matrix / np.maximum(matrix.sum(1, keepdims=True), 1)

    def told(row: int, column: int) -> str:
        names = {"truth": answer.names[row], "said": answer.names[column]}
        return words("confusion_field", count=f"{matrix[row, column]:,}", **names)

    if len(matrix) > _MOST_FIELDS:
        return _as_image(shares, words)
    texts = [[f"{number:,}" if number else "" for number in row] for row in matrix.tolist()]
    frame = Frame(words("confusion"), words("confusion_told"), words("said"), words("truth"))
    chart = charts.heat_map(shares, texts, list(answer.names), frame, told=told)
    return element("div", chart, class_="scroll", tabindex="0", role="region", aria_label=words("confusion"))


def _as_image(shares: np.ndarray, words: Words) -> Markup:
    """A table of confusions with too many classes for numbers: a field is some pixels."""
    size = max(1, 400 // len(shares))
    # Mistakes are rare: their root is seen.
    wrong, right = np.sqrt(shares), np.eye(len(shares), dtype=bool)
    near, far = np.array([213, 94, 0]), np.array([30, 90, 180])
    colour = np.where(right[..., None], far, near)
    shown = 255 + (colour - 255) * np.clip(wrong, 0, 1)[..., None]
    image = np.asarray(np.rint(shown), np.uint8).repeat(size, 0).repeat(size, 1)
    return element("img", src=Markup(png.as_address(image)), alt=words("confusion_told"), class_="matrix")


def _confusions(answer: Answer, chosen: np.ndarray, support: np.ndarray, words: Words) -> Markup | None:
    """What is most often taken for what."""
    rows = [
        (answer.names[truth], answer.names[said], f"{number:,}", _percent(number / support[truth]))
        for truth, said, number in scores.confusions(answer.truth, chosen, _MOST_CONFUSIONS)
    ]
    head = [words(key) for key in ("truth_column", "said_column", "rows", "share_of_class")]
    return table(words("confusions"), head, rows, texts=(1,)) if rows else None


def _per_class(each: scores.ClassScores, answer: Answer, words: Words) -> Markup:
    order = np.arange(len(each.support))
    caption = words("per_class")
    if len(order) > _MOST_CLASSES:
        order = np.argsort(np.nan_to_num(each.f1, nan=2.0), kind="stable")[:_MOST_CLASSES]
        caption = words("worst_classes", count=_MOST_CLASSES)
    rows = [
        (
            answer.names[int(number)],
            *(_share(values[number]) for values in (each.precision, each.recall, each.f1)),
            f"{each.support[number]:,}",
        )
        for number in order
    ]
    means = [_mean(values) for values in (each.precision, each.recall, each.f1)]
    rows.append((words("mean_of_classes"), *map(_share, means), f"{each.support.sum():,}"))
    return table(caption, [words("class"), words("precision"), words("recall"), "F1", words("support")], rows)


def _calibration(answer: Answer, words: Words) -> Markup:
    shares = answer.shares
    if answer.task == "yes_no":
        found = scores.calibration(shares[:, 1], answer.truth == 1)
    else:
        found = scores.calibration(shares.max(-1), answer.chosen == answer.truth)
    told = words("calibration_told", error=_percent(found.error))
    there = found.rows > 0
    series = [Series(words("share_right"), found.confidence[there], found.share[there])]
    frame = Frame(words("calibration"), told, words("confidence"), words("share_right"), 360, 320)
    chart = charts.curves(series, frame, whole_x=False, diagonal=True)
    return element("figure", element("figcaption", words("calibration")), chart, element("p", told))


def _roc(answer: Answer, words: Words) -> Markup:
    score = answer.guess if answer.task == "yes_no" else answer.guess[:, 1]
    alarms, hits = scores.roc(answer.truth, score)
    caption = element("figcaption", words("roc"))
    if not len(alarms):
        return element("figure", caption, element("p", words("one_class"), class_="note"))
    told = words("roc_told", area=f"{scores.area(alarms, hits):.4f}")
    frame = Frame(words("roc"), told, words("false_alarms"), words("hits"), 360, 320)
    chart = charts.curves([Series("ROC", alarms, hits)], frame, whole_x=False, diagonal=True)
    return element("figure", caption, chart, element("p", told))


def _per_label(answer: Answer, words: Words) -> Markup:
    """Of each label, any of which may be so: how often it is found, and the area under its ROC curve."""
    rows = []
    for number, name in enumerate(answer.names[:_MOST_CLASSES]):
        truth, said = answer.truth[:, number], answer.chosen[:, number]
        each = scores.class_scores(truth.astype(int), said, 2)
        under = scores.area(*scores.roc(truth, answer.guess[:, number]))
        found = [_share(values[1]) for values in (each.precision, each.recall, each.f1)]
        rows.append((name, *found, "-" if math.isnan(under) else f"{under:.4f}", f"{each.support[1]:,}"))
    head = [words("label"), words("precision"), words("recall"), "F1", "AUC", words("support")]
    return table(words("per_label"), head, rows)


def _of_numbers(answer: Answer, words: Words) -> Iterator[Markup]:
    width = answer.truth.shape[1]
    if width > _MOST_NUMBERS:
        # Too many for a line each: all of them are one.
        flat = answer.truth.reshape(-1, 1), answer.guess.reshape(-1, 1)
        answer, width = dataclasses.replace(answer, truth=flat[0], guess=flat[1]), 1
    rows = []
    for number in range(width if width > 1 else 0):
        found = scores.number_scores(answer.truth[:, number], answer.guess[:, number])
        rows.append((_name(answer, number, words), *map(compact, found)))
    found = scores.number_scores(answer.truth, answer.guess)
    rows.append((words("all_numbers"), *map(compact, found)))
    head = [words("output"), "R²", "MAE", "RMSE", words("median_error"), words("largest_error")]
    yield table(words("regression"), head, rows)
    yield element("p", words("r2_told"))
    for number in range(min(width, _MOST_PLOTTED)):
        yield from _residuals(answer, number, words)


def _name(answer: Answer, number: int, words: Words) -> str:
    return answer.names[number] if answer.names else words("output_number", number=number + 1)


def _residuals(answer: Answer, number: int, words: Words) -> Iterator[Markup]:
    """The answers against the truth, the errors against the answers, and how the errors are distributed."""
    if answer.truth.shape[1] > 1:
        yield element("h4", _name(answer, number, words))
    truth, guess = (each[:, number].astype(np.float64) for each in (answer.truth, answer.guess))
    few = scores.sampled(len(truth), _MOST_POINTS)
    x, y, error = truth[few], guess[few], (guess - truth)[few]
    counts, edges = np.histogram(guess - truth, _NUM_BARS)
    pictures = [
        (
            "against",
            charts.points(x, y, Frame(words("against"), "", words("truth"), words("said")), diagonal=True),
        ),
        (
            "residuals",
            charts.points(
                y, error, Frame(words("residuals"), "", words("said"), words("residual")), zero=True
            ),
        ),
        (
            "residual_spread",
            charts.bars(
                edges, counts, Frame(words("residual_spread"), "", words("residual"), words("rows")), mark=0.0
            ),
        ),
    ]
    figures = [element("figure", element("figcaption", words(key)), chart) for key, chart in pictures]
    note = None
    if len(few) < len(truth):
        count = {"shown": f"{len(few):,}", "count": f"{len(truth):,}"}
        note = element("p", words("sampled", **count), class_="note")
    yield joined([element("div", *figures, class_="grid"), note])


def _mean(values: np.ndarray) -> float:
    there = values[np.isfinite(values)]
    return float(there.mean()) if len(there) else float("nan")


def _share(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3f}"


def _percent(value: float) -> str:
    return f"{100 * value:.2f}%"
