"""Reports in a real browser: both languages, both themes, on paper, by keyboard, without a network."""

import itertools
import re
import zlib

import numpy as np
import pytest

import doltap as keras
from doltap import layers
from doltap.reporting.report import comparing, runs

CHANCE = np.random.default_rng(0)
LANGUAGES = ["en", "ko"]

# The ratio of contrast between the ink of an element and the first background behind it, as WCAG 2 has it.
CONTRAST = """
const parse = (text) => text.match(/[\\d.]+/g).map(Number);
const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
  .map((c) => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
  .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
const behind = (element) => {
  for (let each = element; each; each = each.parentElement) {
    const colour = parse(getComputedStyle(each).backgroundColor);
    if (colour.length === 3 || colour[3] > 0) return colour;
  }
  return [255, 255, 255];
};
const bad = [];
const kinds = "p, th, td, h1, h2, h3, figcaption, small, summary, dt, dd, a, button, li, text.label";
for (const element of document.querySelectorAll(kinds)) {
  const style = getComputedStyle(element);
  const ink = element.tagName === "text" ? style.fill : style.color;
  const [a, b] = [light(parse(ink)), light(behind(element))];
  const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  const told = [element.tagName, ratio, element.textContent.slice(0, 30)];
  if (ratio < 4.5 && element.className !== "skip") bad.push(told);
}
return bad;
"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """The paths of the reports of a classifier of pictures, by language."""
    folder = tmp_path_factory.mktemp("reports")
    keras.utils.set_random_seed(0)
    digits = pytest.importorskip("sklearn.datasets").load_digits()
    x, y = digits.images / 16, digits.target
    model = keras.Sequential(
        [
            keras.Input((8, 8)),
            layers.Flatten(),
            layers.Dense(16, "relu", name="</script><b>"),
            layers.Dense(10, "softmax"),
        ]
    )
    model.compile(loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, y, epochs=3, validation_split=0.2, verbose=0)
    names = ["zero", "<img src=x onerror=alert(1)>", *map(str, range(2, 10))]
    return {
        language: model.report(folder / f"{language}.html", x, y, class_names=names, language=language)
        for language in LANGUAGES
    }


@pytest.fixture(scope="module")
def other_pages(tmp_path_factory):
    """A report of numbers in rows, and a comparison of runs."""
    folder = tmp_path_factory.mktemp("others")
    x = CHANCE.normal(size=(50, 3))
    model = keras.Sequential([keras.Input((3,)), layers.Dense(1)])
    model.compile(loss="mse")
    model.fit(x, x.sum(1), epochs=2, verbose=0)
    many = [
        runs.Run(f"run {n}", "CSVLogger", {"loss": CHANCE.random(9)}, {"loss": list(range(9))})
        for n in range(12)
    ]
    compared = folder / "compared.html"
    compared.write_text(comparing.comparison(runs.Found(many, [], []), "logs", "ko", ("1", "now")), "utf-8")
    return [model.report(folder / "numbers.html", x, x.sum(1), language="en"), compared]


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_report_is_shown_without_complaint_and_asks_nothing_of_the_network(
    browser, pages, language, dark
):
    browser.open(pages[language], dark=dark)
    assert browser.console_errors() == []
    assert browser.requests() == []
    assert browser.run("return document.documentElement.lang") == language
    background = browser.run("return getComputedStyle(document.documentElement).backgroundColor")
    assert background == ("rgb(21, 24, 29)" if dark else "rgb(255, 255, 255)")
    assert len(browser.find("section")) == 7
    assert browser.run(CONTRAST) == []


@pytest.mark.parametrize("dark", [False, True])
def test_other_pages_are_shown_without_complaint(browser, other_pages, dark):
    for path in other_pages:
        browser.open(path, dark=dark)
        assert browser.console_errors() == []
        assert browser.requests() == []
        assert browser.run(CONTRAST) == []
        assert browser.run("return [...document.querySelectorAll('svg')].every((e) => e.clientHeight > 0)")


def test_a_complaint_would_be_heard(browser, tmp_path):
    path = tmp_path / "bad.html"
    path.write_text("<img src='missing.png'><script>console.error('oh'); nothing()</script>")
    browser.open(path)
    said = " ".join(browser.console_errors())
    assert "oh" in said
    assert "nothing is not defined" in said
    assert any("missing.png" in each for each in browser.requests())


def test_the_policy_of_the_page_lets_no_foreign_script_or_address_through(browser, pages, tmp_path):
    path = tmp_path / "changed.html"
    evil = (
        "<img src='https://example.com/x.png' onerror='window.ran = 1'><script>window.ran = 1</script></main>"
    )
    path.write_text(pages["en"].read_text("utf-8").replace("</main>", evil), "utf-8")
    browser.open(path)
    assert browser.run("return window.ran") is None
    assert any("Content Security Policy" in each for each in browser.console_errors())


def test_the_switch_changes_the_theme_by_keyboard(browser, pages):
    browser.open(pages["en"], dark=True)
    (button,) = browser.find("#theme")
    assert button.get_attribute("aria-pressed") == "true"
    ink = "return getComputedStyle(document.body).color"
    before = browser.run(ink)
    button.send_keys("\ue007")
    assert button.get_attribute("aria-pressed") == "false"
    assert browser.run(ink) != before
    button.send_keys("\ue007")
    assert browser.run(ink) == before


@pytest.mark.parametrize("width", [1100, 400])
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_is_no_wider_than_its_window(browser, pages, language, width):
    browser.open(pages[language], width=width)
    assert browser.run("return document.documentElement.scrollWidth") <= width


def test_the_report_is_printed_dark_on_white_with_everything_open(browser, pages):
    browser.open(pages["ko"], dark=True)
    printed = browser.pdf()
    assert printed.startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) >= 3
    browser.send("Emulation.setEmulatedMedia", media="print")
    assert (
        browser.run("return getComputedStyle(document.documentElement).backgroundColor")
        == "rgb(255, 255, 255)"
    )
    assert browser.run("return getComputedStyle(document.querySelector('#theme')).display") == "none"
    assert browser.run("return getComputedStyle(document.querySelector('.scroll')).maxHeight") == "none"


# A4 without Chromium's margins, in pixels of 1/96 inch.
PAPER = 717
CUT = """
return [...document.querySelectorAll("th, td, p, svg, img")].filter((e) => e.clientWidth)
  .filter((e) => e.getBoundingClientRect().right > innerWidth + 1 || e.scrollWidth > e.clientWidth + 1)
  .map((e) => [e.tagName, e.textContent.slice(0, 30)]);
"""


def scale_on_paper(browser):
    """What Chromium multiplies lengths by when it prints: less for a page that is wider than the paper."""
    parts = re.findall(rb"stream\r?\n(.*?)endstream", browser.pdf(), re.S)
    drawn = [zlib.decompressobj().decompress(part) for part in parts if part[:1] == b"x"]
    found = [re.search(rb" cm\s+q\s+([\d.]+) 0 0 \1 ", each) for each in drawn]
    return {float(each[1]) for each in found if each}


@pytest.fixture(scope="module")
def wide_pages(tmp_path_factory):
    """A report on rows with many columns of long names, and a comparison of runs with long names."""
    pandas = pytest.importorskip("pandas")
    folder = tmp_path_factory.mktemp("wide")
    table = pytest.importorskip("sklearn.datasets").load_breast_cancer(as_frame=True)
    assert isinstance(table.data, pandas.DataFrame)
    model = keras.Sequential([keras.Input((30,)), layers.Dense(1, "sigmoid")])
    model.compile(loss="binary_crossentropy")
    measures = ["loss", "val_loss", "accuracy", "val_accuracy", "sparse_top_k_categorical_accuracy", "auc"]
    curves = {name: CHANCE.random(9) for name in measures}
    many = [
        runs.Run(f"logs/fit/20250101-10101{n}", "TensorBoard", curves, dict.fromkeys(curves, range(9)), 4000)
        for n in range(3)
    ]
    compared = folder / "compared.html"
    compared.write_text(comparing.comparison(runs.Found(many, [], []), "logs", "en", ("1", "now")), "utf-8")
    names = list(table.target_names)
    reports = [
        model.report(
            folder / f"{language}.html", table.data, table.target, class_names=names, language=language
        )
        for language in LANGUAGES
    ]
    return [*reports, compared]


def test_wide_tables_are_printed_whole_and_nothing_shrinks(browser, wide_pages, pages):
    browser.open(pages["en"])
    (usual,) = scale_on_paper(browser)
    for path in wide_pages:
        browser.open(path, width=PAPER)
        assert scale_on_paper(browser) == {usual}
        browser.send("Emulation.setEmulatedMedia", media="print")
        assert browser.run(CUT) == []
        assert browser.run("return document.documentElement.scrollWidth") <= PAPER


def test_paper_says_how_many_columns_it_leaves_out(browser, wide_pages):
    told = {}
    for media in ("screen", "print"):
        browser.open(wide_pages[0])
        browser.send("Emulation.setEmulatedMedia", media=media)
        shown = [each.text for each in browser.find("#mistakes thead th") if each.is_displayed()]
        (note,) = [each.text for each in browser.find("#mistakes p.note") if each.is_displayed()]
        told[media] = len(shown)
        assert note == f"{4 + 30 - len(shown)} further columns are not shown."
    assert told["print"] < told["screen"]


# The words of cells whose letters stand on two lines.
BROKEN = """
const broken = [];
for (const cell of document.querySelectorAll("th, td")) {
  const text = cell.firstChild;
  if (!cell.clientWidth || !text || text.nodeType !== Node.TEXT_NODE) continue;
  for (const { 0: word, index } of text.data.matchAll(/[\\p{L}\\p{N}_]+/gu)) {
    const range = document.createRange();
    range.setStart(text, index);
    range.setEnd(text, index + word.length);
    if (new Set([...range.getClientRects()].map((e) => e.top)).size > 1) broken.push(word);
  }
}
return broken;
"""


@pytest.mark.parametrize("media", ["screen", "print"])
@pytest.mark.parametrize("width", [1100, PAPER, 400])
def test_no_cell_of_a_table_breaks_within_a_word(browser, wide_pages, width, media):
    for path in wide_pages[:2]:
        browser.open(path, width=width)
        browser.send("Emulation.setEmulatedMedia", media=media)
        if media == "screen" or width >= PAPER:
            assert browser.run(BROKEN) == []


def test_the_report_can_be_read_without_seeing_it(browser, pages):
    browser.open(pages["en"])
    levels = [int(each.tag_name[1]) for each in browser.find("h1, h2, h3, h4")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    for claim in (
        "[...document.images].every((each) => each.alt && each.complete && each.naturalWidth)",
        "[...all('svg:not([aria-hidden])')].every((e) => e.ariaLabel)",
        "[...all('table')].every((e) => e.caption && e.querySelector('th'))",
        "((ids) => ids.length === new Set(ids).size)([...all('[id]')].map((e) => e.id))",
        "[...all('nav a')].every((e) => document.querySelector(e.getAttribute('href')))",
    ):
        assert browser.run(f"const all = (what) => document.querySelectorAll(what); return {claim}"), claim


def test_foreign_names_are_shown_as_they_are(browser, pages):
    browser.open(pages["en"])
    assert browser.find("b script") == []
    names = browser.run("return [...document.querySelectorAll('th')].map((each) => each.textContent)")
    assert "<img src=x onerror=alert(1)>" in names
    assert "</script><b>" in names


def test_the_picture_of_a_model_takes_the_ink_of_the_notebook(browser, tmp_path):
    model = keras.Sequential([keras.Input((2,)), layers.Dense(1, name="stone")])
    path = tmp_path / "notebook.html"
    path.write_text(f"<body style='color:rgb(1, 200, 3);background:#000'>{model._repr_html_()}", "utf-8")
    browser.open(path, dark=True)
    assert browser.console_errors() == []
    assert browser.run("return getComputedStyle(document.querySelector('svg text')).fill") == "rgb(1, 200, 3)"


@pytest.mark.parametrize("dark", [False, True])
def test_a_picture_in_a_file_has_a_background_of_its_own(browser, tmp_path, dark):
    model = keras.Sequential([keras.Input((2,)), layers.Dense(1)])
    keras.utils.plot_model(model, tmp_path / "model.svg")
    browser.open(tmp_path / "model.svg", dark=dark)
    assert browser.console_errors() == []
    background = browser.run("return getComputedStyle(document.documentElement).backgroundColor")
    assert background == ("rgb(22, 24, 29)" if dark else "rgb(255, 255, 255)")


def test_no_text_of_a_picture_leaves_its_box(browser, tmp_path):
    inputs = keras.Input((8,), name="입력값")
    wide = layers.Dense(30, "relu", name="MMMM_WWWW_mmmm_wwww_iiii")(inputs)
    model = keras.Model(inputs, layers.Dense(1, name="집값을_예측하는_층")(wide))
    path = tmp_path / "model.svg"
    keras.utils.plot_model(
        model, path, show_shapes=True, show_layer_names=True, show_parameters=True, show_dtype=True
    )
    browser.open(path)
    places = """return [...document.querySelectorAll(arguments[0])].map((e) => e.getBBox())
      .map((b) => [b.x, b.x + b.width, b.y, b.y + b.height])"""
    boxes, texts = browser.run(places, "rect"), browser.run(places, "text")
    assert len(texts) > 10
    for left, right, top, bottom in texts:
        assert any(b[0] <= left and right <= b[1] and b[2] <= top + 2 and bottom - 2 <= b[3] for b in boxes)


OUTSIDE = """
const bad = [];
for (const chart of document.querySelectorAll("svg.chart")) {
  const frame = chart.getBoundingClientRect();
  for (const text of chart.querySelectorAll("text")) {
    const { left, right, top, bottom } = text.getBoundingClientRect();
    const isAcross = left > frame.left - 1 && right < frame.right + 1;
    const isDown = top > frame.top - 1 && bottom < frame.bottom + 1;
    if (text.textContent && !(isAcross && isDown)) bad.push(text.textContent);
  }
}
return bad;
"""


@pytest.mark.parametrize("count", [4, 9])
def test_long_names_and_large_numbers_stay_in_their_charts(browser, tmp_path, count):
    model = keras.Sequential([keras.Input((3,)), layers.Dense(count, "softmax")])
    model.compile(loss="sparse_categorical_crossentropy")
    x, y = CHANCE.normal(size=(40, 3)), CHANCE.integers(0, count, 40)
    names = ["한국어로 된 아주 아주 긴 이름", *map(str, range(2, count)), "M" * 40]
    history = {"loss": [1.045e13, 1.046e13, 1.047e13], "accuracy": [0.123456, 0.123457, 0.123458]}
    path = model.report(tmp_path / "a.html", x, y, class_names=names, history=history, language="ko")
    browser.open(path)
    assert browser.find("svg.chart text")
    assert browser.run(OUTSIDE) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_words_beside_many_numbers_are_not_broken_into_letters(browser, tmp_path, language):
    model = keras.Sequential([keras.Input((30,)), layers.Dense(3, "softmax")])
    model.compile(loss="sparse_categorical_crossentropy")
    x, y = 1e5 * CHANCE.normal(size=(40, 30)), CHANCE.integers(0, 3, 40)
    browser.open(
        model.report(tmp_path / "a.html", x, y, class_names=["cat", "dog", "bird"], language=language)
    )
    cells = browser.find("#mistakes th, #mistakes td")
    assert len(cells) > 30
    assert {cell.size["height"] for cell in cells} <= {cells[0].size["height"], cells[-1].size["height"]}
    assert all(cell.size["height"] < 45 for cell in cells)
