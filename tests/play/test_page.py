"""The playground's page in a real browser, from the data to the printed program."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import time

import pytest
from serving import LONGEST_WAIT_SECONDS, end, served

from doltap.play import tables
from doltap.play.lab import Lab
from doltap.play.server import Playground

TABLE = "길이,너비,종류\n" + "".join(
    f"{i % 5 + (4 if i % 2 else 0)},{i * 3 % 7},{'장미' if i % 2 else '<b>붓꽃</b>'}\n" for i in range(40)
)


@pytest.fixture
def playground():
    with served(Playground()) as playground:
        yield playground


class Visitor:
    """Somebody in front of the page."""

    def __init__(self, browser, playground, **window):
        from selenium.webdriver import ActionChains, Keys

        self.browser, self.keys = browser, Keys
        browser.open(playground.address, **window)
        self.hands = ActionChains(browser.driver)
        self.until(lambda: self.text("status") in ("Ready. Press Run.", "준비되었습니다. ‘학습’을 누르세요."))

    def until(self, holds, seconds=LONGEST_WAIT_SECONDS):
        end = time.monotonic() + seconds
        while not holds():
            told = (self.text("trouble"), self.text("status"), self.text("epoch"))
            assert time.monotonic() < end, (told, self.browser.console_errors())
            time.sleep(0.05)

    def at(self, name):
        return self.browser.find(f"#{name}")[0]

    def text(self, name):
        return self.browser.run(f"return document.getElementById('{name}').textContent")

    def epoch(self):
        return int(self.text("epoch"))

    def choose(self, name, text):
        """Pick from a list, by mouse."""
        from selenium.webdriver.support.select import Select

        Select(self.at(name)).select_by_visible_text(text)

    def open_table(self, path):
        """Choose a table of one's own, and wait until it can be learned from."""
        self.browser.find("#data input[value=table]")[0].click()
        self.until(lambda: self.text("status") == "Nothing to train yet.")
        self.at("file").send_keys(str(path))
        self.until(lambda: self.text("status") == "Ready. Press Run.")

    def press(self, *keys):
        for key in keys:
            self.hands.send_keys(key).perform()

    def focused(self):
        return self.browser.run(
            "const here = document.activeElement;"
            "const layer = here.dataset.layer;"
            "return here.id || (layer ? 'layer-' + layer : here.value) || here.className"
        )

    def go_to(self, name):
        """Press Tab until this has the focus."""
        for _ in range(60):
            self.press(self.keys.TAB)
            if self.focused() == name:
                outline = self.browser.run("return getComputedStyle(document.activeElement).outlineStyle")
                assert outline == "solid", f"the focus on {name} cannot be seen"
                return
        raise AssertionError(f"Tab never comes to {name}")


def losses_of(program, folder):
    """What the program prints of the training and the test points, run as it is."""
    path = folder / "program.py"
    path.write_text(program, encoding="utf-8")
    command = [sys.executable, "-m", "doltap", "run", path.name]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True, timeout=180)
    return [ast.literal_eval(each)[0] for each in re.findall(r"^(?:train|test): (.*)$", done.stdout, re.M)]


def test_by_mouse_from_a_table_to_the_printed_program_in_korean(browser, playground, tmp_path):
    playground.language = "ko"
    path = tmp_path / "꽃.csv"
    path.write_text(TABLE, encoding="utf-8")
    page = Visitor(browser, playground, width=1400, height=1000)
    assert browser.run("return document.documentElement.lang") == "ko"
    browser.find("#data input[value=table]")[0].click()
    page.until(lambda: page.text("status") == "아직 학습할 것이 없습니다.")
    page.at("file").send_keys(str(path))
    page.until(lambda: "<b>붓꽃</b>" in page.text("legend"))
    assert not browser.find("#legend b")
    page.choose("column-x", "너비")
    page.choose("column-y", "종류")
    page.until(lambda: "숫자가 있어야 하는데" in page.text("trouble"))
    assert not page.at("run").is_enabled()
    page.choose("column-y", "길이")
    page.until(lambda: page.text("trouble") == "")
    page.at("add-layer").click()
    page.choose("activation", "relu")
    page.choose("rate", "0.03")
    page.until(lambda: page.text("status").startswith("준비되었습니다"))
    page.at("step").click()
    page.until(lambda: page.epoch() == 1)
    page.choose("speed", "5")
    page.at("run").click()
    page.until(lambda: page.epoch() > 20)
    page.choose("rate", "0.01")
    reached = page.epoch()
    page.until(lambda: page.epoch() > reached + 10)
    page.at("show-program").click()
    page.until(lambda: page.at("program").is_displayed())
    assert page.text("run") == "학습"
    program = page.text("program-text")
    assert "학습하는 동안 학습률을 바꾸었습니다." in program
    assert 'keras.layers.Dense(4, activation="relu")' in program
    shown = [float(page.text(f"loss-{part}")) for part in (0, 1)]
    assert [round(each, 3) for each in losses_of(program, tmp_path)] == shown
    page.at("copy").click()
    page.until(lambda: page.text("copied") != "")
    page.at("save").click()
    page.at("close").click()
    assert not page.at("program").is_displayed()
    assert browser.console_errors() == []


def test_by_keyboard_alone_from_the_data_to_the_printed_program(browser, playground, tmp_path):
    page = Visitor(browser, playground, dark=True, width=1400, height=1000)
    page.go_to("skip")
    page.press(page.keys.ENTER)
    page.go_to("speed")
    page.press(page.keys.DOWN, page.keys.DOWN)
    page.go_to("circles")
    page.press(page.keys.DOWN)
    assert page.focused() == "moons"
    page.go_to("noise")
    page.press(page.keys.RIGHT, page.keys.RIGHT)
    page.go_to("optimizer")
    page.press(page.keys.UP)
    page.go_to("batch_size")
    page.press(page.keys.DOWN)
    page.go_to("x²")
    page.press(page.keys.SPACE)
    page.go_to("activation")
    page.press(page.keys.DOWN)
    page.go_to("remove-layer")
    page.press(page.keys.ENTER)
    page.go_to("layer-0")
    page.press(page.keys.UP)
    page.go_to("shown")
    page.press(page.keys.DOWN)
    page.until(lambda: "layer 1, neuron 1" in page.at("picture").get_attribute("aria-label"))
    page.go_to("run")
    page.press(page.keys.SPACE)
    page.until(lambda: page.epoch() > 30)
    page.press(page.keys.SPACE)
    page.until(lambda: page.text("status") == "Paused.")
    page.go_to("show-program")
    page.press(page.keys.ENTER)
    page.until(lambda: page.at("program").is_displayed())
    program = page.text("program-text")
    for line in (
        "points, labels = moons(rng, 200, 0.2)",
        'keras.layers.Dense(7, activation="relu"),',
        "optimizer=keras.optimizers.Adagrad(learning_rate=0.01),",
        "x = np.column_stack([points[:, 0], points[:, 1], points[:, 0] ** 2])",
    ):
        assert line in program
    assert "batch_size=20" in program
    shown = [float(page.text(f"loss-{part}")) for part in (0, 1)]
    assert [round(each, 3) for each in losses_of(program, tmp_path)] == shown
    page.press(page.keys.ESCAPE)
    page.until(lambda: not page.at("program").is_displayed())
    assert page.focused() == "show-program"
    page.go_to("language")
    page.press(page.keys.DOWN)
    assert page.text("show-program") == "케라스 프로그램 보기"
    assert page.focused() == "language"
    assert browser.console_errors() == []


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_everything_on_the_page_has_a_name_and_every_word_is_there(browser, playground, language, dark):
    playground.language = language
    page = Visitor(browser, playground, dark=dark)
    browser.send("Accessibility.enable")
    nodes = browser.send("Accessibility.getFullAXTree")["nodes"]
    told = {
        "table",
        "list",
        "Canvas",
        "button",
        "combobox",
        "checkbox",
        "radio",
        "slider",
        "spinbutton",
        "image",
        "MenuListPopup",
    }
    nameless = [
        each["role"]["value"]
        for each in nodes
        if not each["ignored"]
        and each["role"]["value"] in told - {"MenuListPopup"}
        and not each.get("name", {}).get("value")
    ]
    assert nameless == []
    # Numbers that change with every frame are not read out loud.
    assert browser.run("return document.querySelectorAll('output:not([aria-live=off])').length") == 0
    words = browser.run("return document.body.innerText")
    assert "undefined" not in words
    empty = "return [...document.querySelectorAll('[data-text]')].filter((each) => !each.textContent).length"
    assert browser.run(empty) == 0
    assert bool(re.search("[가-힣]", words.replace("한국어", ""))) == (language == "ko")
    if language == "ko":
        # Names that are written so in Korean, too.
        names = "English XOR CSV SGD RMSprop Adagrad Adam sin xy tanh relu sigmoid elu silu linear"
        assert set(re.findall("[A-Za-z]{2,}", words)) <= set(names.split())
    assert page.text("trouble") == ""
    assert all(each.startswith(playground.address) for each in browser.requests())
    assert browser.console_errors() == []


def test_both_languages_have_the_same_texts_with_the_same_gaps(browser, playground):
    Visitor(browser, playground)
    texts = browser.driver.execute_async_script(
        "const done = arguments[0]; import('./texts.js').then((module) => done(module.TEXTS))"
    )
    assert texts["en"].keys() == texts["ko"].keys()
    for key, text in texts["en"].items():
        assert sorted(re.findall(r"\{\w+\}", text)) == sorted(re.findall(r"\{\w+\}", texts["ko"][key])), key


def test_the_diagnosis_of_a_network_that_learns_stands_on_the_page(browser, playground):
    playground.language = "ko"
    page = Visitor(browser, playground, width=1400, height=1000)
    assert page.text("no-findings") == "20 에포크가 지나면 학습을 막는 것이 있는지 알려 줍니다."
    for _ in range(3):
        page.at("add-layer").click()
    browser.run(
        "for (const layer of document.querySelectorAll('#layers input')) {"
        " layer.value = 8; layer.dispatchEvent(new Event('change', { bubbles: true })); }"
    )
    page.choose("activation", "sigmoid")
    page.choose("speed", "5")
    page.at("run").click()
    page.until(lambda: "층에 닿는 기울기는" in page.text("findings"))
    assert page.text("no-findings") == ""
    assert "거의 배우지 못합니다." in page.text("findings")
    # Read out loud when it comes, and not again with every number that changes.
    assert "층에 닿는 기울기는" in page.text("news")
    page.choose("language", "English")
    page.until(lambda: "The gradient that reaches 'layer 1'" in page.text("findings"))
    page.at("run").click()
    page.choose("activation", "tanh")
    page.until(lambda: page.text("status") == "Ready. Press Run.")
    assert page.text("findings") == ""
    page.at("run").click()
    page.until(lambda: page.text("no-findings") == "Nothing found so far.")
    assert browser.console_errors() == []


def test_a_loss_that_is_no_number_is_told_with_its_cause_in_korean(browser, playground):
    playground.language = "ko"
    page = Visitor(browser, playground)
    browser.find("#data input[value=plane]")[0].click()
    page.choose("activation", "linear")
    page.choose("optimizer", "SGD")
    page.choose("rate", "3")
    page.at("run").click()
    page.until(lambda: page.text("trouble") != "")
    assert re.search(r"학습률을 줄이고 .*1번째 에포크부터 .*학습률 3에서 .* '\d' 층의", page.text("trouble"))
    # Of the optimizer, and of what the engine computes with, where it tells the place.
    names = {"SGD", "clipnorm", "answer", "layer", "kernel", "bias", "float", "x"}
    assert set(re.findall("[A-Za-z]+", page.text("trouble"))) <= names
    assert page.text("trouble").endswith(page.text("findings").removeprefix("거의 배우지 못합니다. "))


def test_a_rate_that_is_too_high_is_told_and_cured(browser, playground):
    page = Visitor(browser, playground)
    browser.find("#data input[value=plane]")[0].click()
    page.choose("activation", "linear")
    page.choose("optimizer", "SGD")
    page.choose("rate", "3")
    page.choose("speed", "25")
    page.at("run").click()
    page.until(lambda: "smaller learning rate" in page.text("trouble"))
    assert page.text("run") == "Run"
    page.choose("rate", "0.01")
    page.at("reset").click()
    page.until(lambda: page.text("status") == "Ready. Press Run.")
    assert page.text("trouble") == ""
    page.at("step").click()
    page.until(lambda: page.epoch() == 1)
    assert browser.console_errors() == []


@pytest.mark.parametrize("width", [360, 800])
def test_on_a_small_screen_nothing_stands_outside(browser, playground, width):
    page = Visitor(browser, playground, width=width, height=800)
    assert browser.run("return document.documentElement.scrollWidth") <= width
    page.at("add-layer").click()
    page.at("add-layer").click()
    page.until(lambda: len(browser.find("#layers input")) == 4)
    assert browser.run("return document.documentElement.scrollWidth") <= width
    assert browser.console_errors() == []


def test_a_table_of_the_command_line_is_there_from_the_start(browser):
    with served(Playground(table=tables.read(TABLE.encode(), "꽃.csv"))) as playground:
        page = Visitor(browser, playground)
        assert browser.find("#data input[value=table]")[0].is_selected()
        assert page.text("table-name") == "꽃.csv: 40 rows"
        page.at("step").click()
        page.until(lambda: page.epoch() == 1)
        assert browser.console_errors() == []


def test_a_table_that_is_refused_leaves_the_old_training_paused(browser, playground, tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(TABLE, encoding="utf-8")
    page = Visitor(browser, playground)
    page.open_table(path)
    page.at("run").click()
    page.until(lambda: page.epoch() > 3)
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    page.at("file").send_keys(str(path))
    page.until(lambda: "three columns or more" in page.text("trouble"))
    assert (page.text("status"), page.text("run")) == ("Paused.", "Run")
    time.sleep(0.5)
    reached = page.epoch()
    time.sleep(0.5)
    assert page.epoch() == reached
    assert page.text("table-name") == "table.csv: 40 rows"
    # It goes on when it is told to; and the same file, mended, is opened again.
    page.at("run").click()
    page.until(lambda: page.epoch() > reached)
    assert page.text("trouble") == ""
    path.write_text(TABLE + TABLE.partition("\n")[2], encoding="utf-8")
    page.at("file").send_keys(str(path))
    page.until(lambda: page.text("table-name") == "table.csv: 80 rows")
    page.until(lambda: page.text("status") == "Ready. Press Run.")
    assert (page.text("trouble"), page.epoch()) == ("", 0)
    assert browser.console_errors() == []


def pixels(browser, name):
    """How many places of a canvas are painted."""
    return browser.run(
        f"const canvas = document.getElementById('{name}');"
        # Of a copy: Chromium complains of a canvas that is read from again and again.
        "const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d');"
        "copy.drawImage(canvas, 0, 0);"
        "const image = copy.getImageData(0, 0, canvas.width, canvas.height);"
        "return image.data.filter((value, place) => place % 4 === 3 && value > 0).length"
    )


def shows_nothing(browser, page):
    """Whether no result of an experiment is on the page, and it says so."""
    numbers = [page.text(f"{name}-{part}") for name in ("loss", "accuracy") for part in (0, 1)]
    assert numbers == ["–"] * 4
    assert (page.epoch(), page.text("legend"), page.text("diagram"), page.text("findings")) == (0, "", "", "")
    assert pixels(browser, "picture") == pixels(browser, "curves") == 0
    assert not browser.find("#diagram canvas")
    assert not page.at("signs").is_displayed()
    assert not page.at("run").is_enabled()
    labels = {page.at(name).get_attribute("aria-label") for name in ("picture", "curves", "diagram")}
    assert labels == {page.text("status")}


def test_of_a_table_that_cannot_be_learned_from_no_results_are_shown(browser, playground, tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(TABLE, encoding="utf-8")
    page = Visitor(browser, playground)
    page.open_table(path)
    page.at("run").click()
    page.until(lambda: page.epoch() > 3)
    assert pixels(browser, "picture") > 0
    many = tmp_path / "many.csv"
    many.write_text("a,b,c\n" + "".join(f"{i},{i * 7 % 11},k{i % 12}\n" for i in range(60)), encoding="utf-8")
    page.at("file").send_keys(str(many))
    page.until(lambda: page.text("trouble") != "")
    page.until(lambda: page.text("status") == "Nothing to train yet.")
    assert page.text("table-name") == "many.csv: 60 rows"
    shows_nothing(browser, page)
    page.choose("language", "한국어")
    shows_nothing(browser, page)
    page.choose("language", "English")
    page.at("file").send_keys(str(path))
    page.until(lambda: page.text("status") == "Ready. Press Run.")
    assert page.text("trouble") == ""
    assert pixels(browser, "picture") > 0
    assert browser.find("#diagram canvas")
    assert browser.console_errors() == []


def test_while_no_table_is_chosen_nothing_of_the_toy_is_shown(browser, playground):
    page = Visitor(browser, playground)
    page.at("run").click()
    page.until(lambda: page.epoch() > 3)
    browser.find("#data input[value=table]")[0].click()
    page.until(lambda: page.text("status") == "Nothing to train yet.")
    shows_nothing(browser, page)
    page.at("add-layer").click()
    # A frame of what was trained before may still come.
    time.sleep(0.6)
    shows_nothing(browser, page)
    browser.find("#data input[value=circles]")[0].click()
    page.until(lambda: page.text("status") == "Ready. Press Run.")
    # The inputs, the three layers, and the answer.
    assert len(browser.find("#diagram canvas")) == 2 + 6 + 4 + 4 + 1
    page.at("step").click()
    page.until(lambda: page.epoch() == 1)
    assert browser.console_errors() == []


def test_a_file_that_is_gone_when_it_is_read_is_told_and_closes_nothing(browser, playground, tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(TABLE, encoding="utf-8")
    page = Visitor(browser, playground)
    browser.run(
        "const file = document.getElementById('file');"
        "const keep = () => { window.kept = file.files[0]; };"
        "file.addEventListener('change', keep, { capture: true, once: true });"
    )
    page.open_table(path)
    path.unlink()
    browser.run(
        "const chosen = new DataTransfer(); chosen.items.add(window.kept);"
        "const file = document.getElementById('file');"
        "file.files = chosen.files; file.dispatchEvent(new Event('change'));"
    )
    page.until(lambda: "could not be read" in page.text("trouble"))
    page.at("step").click()
    page.until(lambda: page.epoch() == 1)


def test_a_refusal_that_was_overtaken_by_another_choice_is_not_shown(browser, playground, tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(TABLE, encoding="utf-8")
    page = Visitor(browser, playground)
    page.open_table(path)
    browser.run(
        "const axis = document.getElementById('column-y');"
        "for (const column of ['2', '1']) { axis.value = column; axis.dispatchEvent(new Event('change')); }"
    )
    page.until(lambda: page.text("status") == "Ready. Press Run.")
    page.at("step").click()
    page.until(lambda: page.epoch() == 1)
    assert page.text("trouble") == ""


def test_frames_that_come_before_the_answer_to_a_choice_are_shown(browser, playground, monkeypatch):
    choose = Lab.choose

    def slow(lab, asked):
        told = choose(lab, asked)
        # On a machine with much to do an answer may take longer than what it tells of.
        time.sleep(3)
        return told

    monkeypatch.setattr(Lab, "choose", slow)
    page = Visitor(browser, playground)
    page.at("step").click()
    page.until(lambda: page.epoch() == 1)


def test_a_file_is_opened_with_the_keyboard_and_the_place_is_seen(browser, playground):
    page = Visitor(browser, playground)
    browser.find("#data input[value=table]")[0].click()
    page.go_to("file")
    script = "return getComputedStyle(document.activeElement.closest('label')).outlineStyle"
    assert browser.run(script) == "solid"


def test_a_neuron_under_the_pointer_is_shown_large(browser, playground):
    from selenium.webdriver import ActionChains

    page = Visitor(browser, playground, width=1400, height=1000)
    box = browser.find("#diagram canvas")[2 + 1]
    ActionChains(browser.driver).move_to_element(box).perform()
    page.until(lambda: "layer 1, neuron 2" in page.at("picture").get_attribute("aria-label"))
    assert "chosen" in box.get_attribute("class")
    ActionChains(browser.driver).move_to_element(page.at("run")).perform()
    page.until(lambda: "the answer" in page.at("picture").get_attribute("aria-label"))


def test_a_page_whose_playground_was_started_again_says_so(browser):
    with served(Playground()) as first:
        port = first.server_address[1]
        page = Visitor(browser, first)
        page.at("run").click()
    with served(Playground(port)):
        page.until(lambda: "doltap play" in page.text("trouble"))
        assert (page.text("status"), page.text("run")) == ("Paused.", "Run")
        assert not page.at("run").is_enabled()


def test_two_pages_train_side_by_side_and_one_begins_again_when_it_is_loaded_again(browser, playground):
    page = Visitor(browser, playground)
    page.at("run").click()
    page.until(lambda: page.epoch() > 5)
    first = browser.driver.current_window_handle
    browser.driver.switch_to.new_window("tab")
    try:
        other = Visitor(browser, playground)
        other.at("run").click()
        other.until(lambda: other.epoch() > 5)
        other.browser.driver.refresh()
        other.until(lambda: other.text("status") == "Ready. Press Run.")
        assert (other.epoch(), other.text("run"), other.text("trouble")) == (0, "Run", "")
        browser.driver.close()
    finally:
        browser.driver.switch_to.window(first)
    reached = page.epoch()
    page.until(lambda: page.epoch() > reached)
    assert len(playground._labs) == 1


def test_a_page_whose_server_has_ended_says_so(browser, playground):
    page = Visitor(browser, playground)
    end(playground)
    # Connections that are open still answer, but there is no lab any more.
    page.until(lambda: "doltap play" in page.text("trouble"))
    assert not page.at("run").is_enabled()
