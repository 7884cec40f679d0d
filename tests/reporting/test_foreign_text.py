"""Names come from files, and files from anywhere: none of them commands the terminal or rich."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import doltap as keras
from doltap import layers, models, optimizers
from doltap.callbacks import EarlyStopping
from doltap.core import Variable
from doltap.errors import DoltapError
from doltap.reporting.progress import Display, format_logs

HOSTILE = {
    "markup": "[red]x[/]",
    "markup that ends": "[/bold]x",
    "a link": "[link=http://a]x[/link]",
    "a backslash": "x\\",
    "colours": "\x1b[31mx\x1b[0m",
    "the title of the window": "\x1b]0;x\x07",
    "a clear screen": "\x9b2Jx",
    "lines": "x\nTotal params: 0\r\nx",
    "tabs and bells": "\tx\x07\x08\x08",
    "right to left": "x\u202egnp.exe\u2066",
    "nothing to see": "x\u200b\u200d\ufeff",
    "half a letter": "x\ud800",
    "an emoji's name": "x:warning:",
}
each_name = pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)


def assert_harmless(text):
    assert all(letter.isprintable() or letter == "\n" for letter in text), ascii(text)


def visible(name):
    """The name as it must be seen: letter by letter, what is no letter by its number."""
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in name
    )


def model_called(name):
    inputs = keras.Input((2,), name=f"{name} in")
    hidden = layers.Dense(2, name=name)(inputs)
    outputs = layers.Add(name=f"{name} sum")([hidden, layers.Dense(2, name=f"{name} too")(inputs)])
    return models.Model(inputs, outputs, name=f"{name} model")


@each_name
def test_a_summary_shows_names_as_they_are(name, capsys):
    model, said = model_called(name), []
    model.summary(line_length=300, print_fn=said.append)
    model.summary(line_length=300)
    printed = capsys.readouterr().out
    for text in (*said, printed):
        assert_harmless(text)
        assert f'Model: "{visible(name)} model"' in text
        assert f"{visible(name)} too (Dense)" in text
        assert len(text.splitlines()) == 12


@each_name
def test_a_summary_in_colour_writes_no_command_of_a_name(name, capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    model_called(name).summary(line_length=300)
    printed = capsys.readouterr().out
    assert "\x1b[1m" in printed
    assert "\x1b[31m" not in printed
    assert "\x1b]" not in printed
    assert visible(name) in printed


@each_name
def test_the_names_of_metrics_are_shown_as_they_are(name, capsys):
    assert_harmless(format_logs({name: 1.0}))
    for verbose in (1, 2):
        display = Display(verbose, 3)
        display.begin()
        display.tick(1, {name: 1.0})
        display.end({name: 1.0})
    printed = capsys.readouterr().out
    assert_harmless(printed)
    assert printed.count(visible(name)) == 2


@each_name
def test_errors_and_warnings_show_names_as_they_are(name):
    with pytest.raises(DoltapError) as caught:
        model_called(name).predict(np.zeros((3, 5)), verbose=0)
    assert_harmless(str(caught.value))
    with pytest.raises(DoltapError) as caught:
        models.Sequential([layers.Dense(2, name=name), layers.Dense(2, name=name)])
    assert_harmless(str(caught.value))
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        EarlyStopping(monitor="loss").watched({name: 1.0})
        optimizer, weights = optimizers.SGD(), [Variable([1.0], name=name), Variable([1.0], name="b")]
        optimizer.apply([None, np.ones(1, np.float32)], weights)
    assert len(said) == 2
    for warning in said:
        assert_harmless(str(warning.message))


@each_name
def test_what_things_say_of_themselves_shows_names_as_they_are(name):
    layer = layers.Dense(2, name=name)
    tensor = keras.Input((2,), name=name)
    for thing in (
        layer,
        tensor,
        Variable([1.0], name=name),
        keras.metrics.Mean(name=name),
        model_called(name),
    ):
        assert_harmless(repr(thing))
        assert visible(name) in repr(thing)
