"""The pure parts of reports: scores, charts, pictures, words, and what stands on the page."""

import io
import re
import string
import zlib

import numpy as np
import pytest

from doltap.reporting.diagram.record import Network, Part
from doltap.reporting.report import charts, comparing, images, png, runs, scores
from doltap.reporting.report.charts import Frame, Series
from doltap.reporting.report.learned import best_of
from doltap.reporting.report.markup import Markup, element, table
from doltap.reporting.report.page import report
from doltap.reporting.report.subject import Answer, Inside, Subject, TestInput
from doltap.reporting.report.words import TEXTS, Words
from doltap.reporting.report.wrong import worst

MADE = ("1.0", "2030-01-01")
CHANCE = np.random.default_rng(0)


def subject(**more):
    network = Network("net", (Part("0", "stone", "Dense", "weights", parameters=15),), ())
    given = {"name": "net", "title": "", "network": network, "num_parameters": 15, "num_trainable": 15}
    return Subject(**{**given, "curves": {}, "when": {}, **more})


def classes(count=3, rows=60):
    guess = CHANCE.dirichlet(np.ones(count), rows).astype(np.float32)
    truth = CHANCE.integers(0, count, rows)
    return Answer("out", "classes", truth, guess, [f"class {n}" for n in range(count)])


def test_scores_of_classes_are_those_of_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    truth, guess = CHANCE.integers(0, 5, 300), CHANCE.integers(0, 4, 300)
    matrix = scores.confusion(truth, guess, 5)
    assert matrix.tolist() == metrics.confusion_matrix(truth, guess, labels=range(5)).tolist()
    found = scores.class_scores(truth, guess, 5)
    theirs = metrics.precision_recall_fscore_support(truth, guess, labels=range(5), zero_division=np.nan)
    for ours, wanted in zip(found, theirs, strict=True):
        np.testing.assert_allclose(ours, wanted)


def test_confusions_are_the_largest_fields_of_the_table():
    truth, guess = CHANCE.integers(0, 5, 300), CHANCE.integers(0, 4, 300)
    matrix = scores.confusion(truth, guess, 5) * (1 - np.eye(5, dtype=int))
    found = scores.confusions(truth, guess, 7)
    assert [rows for *_, rows in found] == sorted(matrix.ravel().tolist(), reverse=True)[:7]
    assert all(matrix[row, column] == rows for row, column, rows in found)
    assert scores.confusions(truth, truth, 7) == []


@pytest.mark.parametrize("values", [[0.693147, 0.693149], [1.045e13, 1.0451e13], [100000.1, 100000.2]])
def test_the_numbers_of_an_axis_can_be_told_apart(values):
    drawn = charts.curves([Series("loss", [1, 2], values)], Frame("loss"))
    told = re.findall(r'text-anchor="end">([^<]*)<', drawn)
    assert len(told) > 1
    assert len(set(told)) == len(told)


def test_many_classes_are_told_without_a_table_of_all_of_them():
    answer = classes(2000, 500)
    page = report(subject(answers=[answer]), "en", MADE)
    assert "left out, since there are 2,000 classes" in page
    assert "The 100 classes it knows least" in page
    assert len(page) < 100_000


def test_the_roc_curve_and_its_area_are_those_of_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    truth = CHANCE.integers(0, 2, 200)
    # Many are equal.
    score = np.round(CHANCE.random(200) + 0.3 * truth, 1)
    alarms, hits = scores.roc(truth, score)
    wanted = metrics.roc_curve(truth, score, drop_intermediate=False)
    np.testing.assert_allclose(alarms, wanted[0])
    np.testing.assert_allclose(hits, wanted[1])
    assert scores.area(alarms, hits) == pytest.approx(metrics.roc_auc_score(truth, score))
    assert np.isnan(scores.area(*scores.roc(np.ones(3), np.arange(3.0))))


def test_errors_of_numbers_are_those_of_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    truth = CHANCE.normal(size=(50, 1))
    guess = truth + CHANCE.normal(size=(50, 1))
    found = scores.number_scores(truth, guess)
    assert found.r2 == pytest.approx(metrics.r2_score(truth, guess))
    assert found.mae == pytest.approx(metrics.mean_absolute_error(truth, guess))
    assert found.rmse == pytest.approx(metrics.mean_squared_error(truth, guess) ** 0.5)
    assert found.median == pytest.approx(metrics.median_absolute_error(truth, guess))
    assert np.isnan(scores.number_scores(np.ones((3, 1)), np.ones((3, 1))).r2)


def test_calibration_compares_what_was_said_with_what_was_so():
    found = scores.calibration(np.array([0.95, 0.95, 0.95, 0.95, 0.15]), np.array([1, 1, 1, 0, 0]))
    assert found.rows[[1, 9]].tolist() == [1, 4]
    assert found.share[9] == 0.75
    assert found.error == pytest.approx((4 * 0.2 + 0.15) / 5)


def test_a_curve_of_many_points_keeps_its_highest_and_its_lowest():
    ys = CHANCE.random(10_000)
    ys[1234], ys[8765] = 9.0, -9.0
    few_x, few_y = scores.thinned(np.arange(10_000), ys)
    assert len(few_x) <= 600
    assert few_y.max() == 9.0
    assert few_y.min() == -9.0
    assert few_x.tolist() == sorted(few_x.tolist())
    assert (few_x[0], few_x[-1]) == (0, 9999)


def test_a_sample_is_the_same_each_time_and_large_sets_are_scored_whole():
    assert scores.sampled(5, 10).tolist() == [0, 1, 2, 3, 4]
    drawn = scores.sampled(10**6, 100)
    assert len(set(drawn.tolist())) == 100
    assert drawn.tolist() == scores.sampled(10**6, 100).tolist()
    many = Answer("y", "numbers", np.zeros((5000, 1)) + np.arange(5000)[:, None], np.zeros((5000, 1)))
    page = report(subject(answers=[many], inputs=[TestInput("x", np.zeros((5000, 2)))]), "en", MADE)
    assert "1,500 of 5,000 points" in page
    assert "4,999" in page


def test_png_is_what_a_reader_of_png_reads():
    image = CHANCE.integers(0, 256, (5, 7, 3)).astype(np.uint8)
    for each in (image, image[:, :, 0]):
        pixels = pytest.importorskip("matplotlib.image").imread(io.BytesIO(png.as_png(each)), "png")
        np.testing.assert_array_equal(np.rint(pixels * 255).astype(np.uint8), each)
    assert zlib.crc32(b"IEND") == int.from_bytes(png.as_png(image)[-4:], "big")


@pytest.mark.parametrize(
    ("low", "high", "wanted"),
    [(0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]), (-3, 7, [-2, 0, 2, 4, 6]), (0.001, 0.0012, 5), (5, 5, [5])],
)
def test_ticks_are_round_numbers(low, high, wanted):
    found = charts.ticks(low, high)
    assert len(found) == wanted if isinstance(wanted, int) else found == pytest.approx(wanted)


def test_charts_say_in_words_what_they_show_and_escape_every_name():
    frame = Frame("<b>loss</b>", "falls", "epoch & more", '"up"')
    drawn = [
        charts.curves([Series("<script>", [1, 2, 3], [3.0, np.nan, 1.0])], frame),
        charts.bars([0, 1, 2], [3, 4], frame),
        charts.spark([0, 1, 2], [3, 4], frame),
        charts.points([1, 2], [3, 4], frame, diagonal=True),
        charts.heat_map(np.eye(2), [["1", "0"], ["0", "1"]], ["<i>", "b"], frame, told=lambda a, b: "<u>"),
        charts.legend([Series("<script>", (), ())]),
    ]
    for each in drawn:
        assert "<script" not in each
        assert "<b>" not in each
        assert "<i>" not in each
        assert "<u>" not in each
    for each in drawn[:5]:
        assert 'role="img"' in each
        assert 'aria-label="&lt;b&gt;loss&lt;/b&gt;. falls"' in each


@pytest.mark.parametrize(
    "values", [[], [1.0], [2.0, 2.0], [np.nan, np.nan], [1e-9, 1e9], [-5.0, np.inf, 3.0]]
)
def test_curves_of_any_values_are_drawn_within_the_frame(values):
    drawn = charts.curves([Series("a", list(range(1, len(values) + 1)), values)], Frame("t", across="epoch"))
    assert "nan" not in drawn
    assert "inf" not in drawn
    for path in re.findall(r'd="(M[^"]*)" class="curve', drawn):
        for number in re.findall(r"-?\d+\.?\d*", path):
            assert -1 <= float(number) <= 431


def test_losses_over_many_powers_of_ten_get_a_scale_of_them():
    drawn = charts.curves([Series("a", [1, 2, 3], [100.0, 1.0, 0.01])], Frame("t"))
    assert {"100", "1", "0.01"} <= set(re.findall(r">([\d.]+)</text>", drawn))


def test_pictures_are_told_from_tables_and_series():
    smooth = np.cumsum(np.cumsum(CHANCE.normal(size=(20, 12, 12)), 1), 2)
    noise = CHANCE.normal(size=(20, 12, 12))
    assert images.picture_shape(smooth) == (12, 12, 1)
    assert images.picture_shape(smooth.reshape(20, 144)) == (12, 12, 1)
    assert images.picture_shape(np.stack([smooth] * 3, -1)) == (12, 12, 3)
    assert images.picture_shape(noise) is None
    assert images.picture_shape(noise.reshape(20, 144)) is None
    assert images.picture_shape(CHANCE.normal(size=(20, 10))) is None
    assert images.picture_shape(np.ones((3, 4, 4))) is None
    assert images.picture_shape(np.array([["a"] * 64], object)) is None
    # A series is smooth in time, and its columns have nothing to do with each other.
    assert images.picture_shape(np.cumsum(CHANCE.normal(size=(20, 30, 16)) * 3, 1)) is None


def test_real_digits_look_like_pictures_as_they_come_and_standardized():
    digits = pytest.importorskip("sklearn.datasets").load_digits().data
    assert images.picture_shape(digits) == (8, 8, 1)
    assert images.picture_shape(digits / 16) == (8, 8, 1)


def test_large_pictures_are_made_smaller():
    (small,) = images.as_pictures(np.zeros((1, 500, 300, 3)), (500, 300, 3), 0, 1)
    assert max(small.shape[:2]) <= 96
    assert small.shape[2] == 3


def test_filters_are_the_strongest_units_as_pictures():
    kernel = np.zeros((64, 5))
    kernel[:, 3] = 1.0
    found = images.as_filters(kernel, (8, 8, 1), most=2)
    assert len(found) == 2
    assert found[0][0, 0].tolist() == [178, 24, 43]
    assert images.as_filters(kernel, (9, 9, 1)) is None
    assert len(images.as_filters(np.ones((3, 3, 3, 4)), (8, 8, 3))) == 4
    assert images.tiled(found, 2).shape == (8, 17, 3)


def test_the_worst_mistakes_are_those_it_was_most_sure_of():
    guess = np.array([[0.9, 0.1], [0.4, 0.6], [0.01, 0.99], [0.2, 0.8]])
    answer = Answer("", "classes", np.array([0, 0, 0, 1]), guess, ["a", "b"])
    assert worst(answer, 9).tolist() == [2, 1]
    right = Answer("", "classes", np.array([0, 1, 1, 1]), guess, ["a", "b"])
    assert worst(right, 2).tolist() == [1, 3]
    numbers = Answer("", "numbers", np.array([[0.0], [1.0], [2.0]]), np.array([[0.1], [5.0], [2.5]]))
    assert worst(numbers, 2).tolist() == [1, 2]
    yes = Answer("", "yes_no", np.array([1, 0]), np.array([0.1, 0.8]), ["no", "yes"])
    assert worst(yes, 2).tolist() == [0, 1]


def test_the_best_epoch_of_a_loss_is_its_lowest_and_of_an_accuracy_its_highest():
    assert best_of("val_loss", [3.0, 1.0, 2.0]) == 1
    assert best_of("sparse_categorical_accuracy", [0.3, 0.9, 0.2]) == 1
    assert best_of("loss", [np.nan, np.nan]) is None
    assert best_of("auc", [np.nan, 0.5]) == 1


def placeholders(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_text_is_there_in_both_languages_with_the_same_values():
    for key, (english, korean) in TEXTS.items():
        assert english.strip(), key
        assert korean.strip(), key
        assert placeholders(english) == placeholders(korean), key
    same = {key for key, (english, korean) in TEXTS.items() if english == korean}
    assert same == {"doltap", "jax", "numpy"}


@pytest.mark.parametrize(
    ("key", "count", "said"),
    [
        ("no_mistakes", 1, "The only one is right."),
        ("no_mistakes", 2, "All 2 are right. These are the ones it was least sure of."),
        ("largest_errors", 1, "This is the row with the largest error."),
        ("largest_errors", 15, "These are the 15 rows with the largest errors."),
        ("more_columns", "1", "1 further column is not shown."),
        ("more_columns", "11", "11 further columns are not shown."),
    ],
)
def test_a_text_has_the_singular_where_there_is_one(key, count, said):
    assert Words("en")(key, count=count) == said


def test_every_text_is_used():
    import pathlib

    folder = pathlib.Path(charts.__file__).parent
    others = [folder.parents[1] / "models" / "telling" / "judging.py", folder.parents[1] / "cli.py"]
    code = "".join(path.read_text() for path in [*folder.glob("*.py"), *others] if path.name != "words.py")
    assert not [key for key in TEXTS if not re.search(f"[\"']{key}[\"']", code)]


@pytest.mark.parametrize("language", ["en", "ko"])
def test_names_of_all_kinds_are_text_on_the_page(language):
    evil = '<script>alert("x")</script>'
    network = Network(evil, (Part("0", evil, evil, "weights", evil, evil, evil),), ())
    answer = Answer(evil, "classes", np.array([0, 1]), np.array([[0.2, 0.8], [0.7, 0.3]]), [evil, "b"])
    inside = Inside(evil, evil, [(evil, np.ones((2, 2)))], np.ones((2, 2)))
    page = report(
        subject(
            name=evil,
            title=evil,
            network=network,
            curves={evil: [1.0, 2.0]},
            scores={evil: 1.0},
            answers=[answer, answer],
            inputs=[TestInput(evil, np.array([[evil, "x"], ["y", "z"]], object), [evil, "c"])],
            insides=[inside],
            findings=[("level3", evil, evil)],
            facts=[("loss", evil)],
            settings=[("model_config", f'{{"a": "{evil}"}}')],
        ),
        language,
        MADE,
    )
    # The one script is the page's own.
    assert page.count("<script") == 1
    assert page.count("alert(") > 5


def test_elements_escape_what_is_not_markup():
    assert element("p", "<", Markup("<br>"), title='"') == '<p title="&quot;">&lt;<br></p>'
    assert element("p", None, 3) == "<p>3</p>"
    made = table("c", ["a", "b"], [["<x>", "2"]])
    assert made.count("<th") - made.count("<thead") == 3
    assert 'scope="row">&lt;x&gt;' in made


def test_many_classes_are_a_picture_and_the_weakest_of_them_a_table():
    page = report(
        subject(answers=[classes(150, 3000)], inputs=[TestInput("x", np.zeros((3000, 2)))]), "en", MADE
    )
    assert 'class="matrix"' in page
    assert "The 100 classes it knows least" in page
    assert len(page) < 500_000


def test_a_report_without_history_and_data_says_what_is_missing():
    page = report(subject(), "en", MADE)
    assert "No history of a training is known" in page
    assert "No test data was passed" in page
    assert "was not diagnosed" in page
    assert "학습 기록이 없습니다" in report(subject(), "ko", MADE)


def test_three_thousand_epochs_make_a_small_page():
    values = CHANCE.random(3000).tolist()
    page = report(subject(curves={"loss": values, "val_loss": values}), "en", MADE)
    longest = max(re.findall(r' d="([^"]*)"', page), key=len)
    assert re.fullmatch(r"[ML\d. -]{5000,}", longest)
    assert len(page) < 60_000


def test_long_texts_of_settings_are_cut_and_their_lines_kept():
    page = report(subject(settings=[("model_config", "line\n" * 30_000)]), "en", MADE)
    assert "cut: 150,000 letters" in page
    assert "line\nline" in page


def test_weights_that_are_not_finite_are_counted():
    inside = Inside("a", "Dense", [("kernel", np.array([[1.0, np.nan], [2.0, np.inf]]))], np.zeros((3, 2)))
    page = report(subject(insides=[inside]), "en", MADE)
    assert "2 are NaN or infinite" in page
    assert "All are zero" in page


def test_a_comparison_puts_the_best_run_first_and_draws_the_others_too():
    made = [
        runs.Run(name, "CSVLogger", {"val_loss": values}, {"val_loss": list(range(3))}, 75.0)
        for name, values in {
            "bad": [3.0, 2.0, 2.5],
            "<good>": [2.0, 1.0, 1.5],
            "broken": [np.nan] * 3,
        }.items()
    ]
    page = comparing.comparison(runs.Found(made, [], [("x.csv", "too_large")]), "logs", "en", MADE)
    order = [page.index(f'scope="row">{name}<') for name in ("&lt;good&gt;", "bad", "broken")]
    assert order == sorted(order)
    assert "1 (epoch 2)" in page
    assert "1:15" in page
    assert "Not read: x.csv. It is too large." in page
    assert Words("ko")("runs") in comparing.comparison(runs.Found(made, [], []), "logs", "ko", MADE)


@pytest.mark.parametrize(("units", "tiles"), [(2, (1, 2)), (12, (1, 12)), (13, (2, 7)), (48, (4, 12))])
def test_pictures_of_units_leave_little_empty(units, tiles):
    given = TestInput("x", np.cumsum(CHANCE.random((30, 8, 8)), 1))
    inside = Inside("first", "Dense", [("kernel", CHANCE.normal(size=(64, units)))])
    page = report(subject(inputs=[given], insides=[inside]), "en", MADE)
    width, height = re.search(r'class="filters" width="(\d+)" height="(\d+)"', page).groups()
    zoom = round(700 / (12 * 9))
    assert (int(height), int(width)) == tuple(zoom * (9 * number - 1) for number in tiles)
