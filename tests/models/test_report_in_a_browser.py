"""Reports in a real browser: both languages, both themes, on paper, by keyboard, without a network."""

import itertools
import re

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
