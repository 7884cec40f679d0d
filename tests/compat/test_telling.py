"""What was translated is told, with the line and the modern way to write it."""

import io
import json

import pytest
from rich.console import Console

from doltap import models, old_modules, old_names, optimizers
from doltap.compat import telling


@pytest.fixture
def console():
    return Console(file=io.StringIO(), width=100)


def test_what_was_translated_is_told_with_its_line(console):
    telling.listen()
    try:
        old_names.note("module", "keras.utils.np_utils", "keras.utils")
        for _ in range(2):
            old_names.translate("optimizer", {"lr": 0.1})
    finally:
        telling.stop_listening()
    old_names.translate("optimizer", {"lr": 0.1})
    (first, second) = telling.told().items()
    assert first[0] == ("module", "keras.utils.np_utils", "keras.utils")
    assert second[0][1:] == ("lr=", "learning_rate=")
    assert [line.split(":")[0] for line in second[1]] == ["test_telling.py"]
    telling.explain(console)
    text = console.file.getvalue()
    assert "keras.utils.np_utils" in text
    assert "learning_rate=" in text
    assert "test_telling.py:" in text


def test_many_lines_are_counted(console):
    telling.listen()
    exec(
        compile("\n".join(["note('keyword', 'lr=', 'learning_rate=')"] * 5), "lesson.py", "exec"),
        {"note": old_names.note, "__name__": "__main__"},
    )
    telling.stop_listening()
    telling.explain(console)
    assert "and 2 more" in console.file.getvalue()


def test_a_modern_program_is_told_so(console):
    telling.listen()
    telling.stop_listening()
    telling.explain(console)
    assert "Nothing was translated" in console.file.getvalue()


def test_every_row_of_the_tables_is_listed(console):
    telling.list_names(console)
    text = console.file.getvalue()
    for old in (
        "lr=",
        "model.predict_classes",
        "keras.layers.core",
        "np.float_",
        "K.batch_dot",
        "keras.models.Graph",
    ):
        assert old in text
    rows = list(telling.rows())
    assert len(set(rows)) == len(rows)
    assert len([row for row in rows if row.kind == "NumPy"]) == len(old_modules.NUMPY)
    for table in (
        old_modules.PREFIXES,
        old_modules.THINGS,
        old_modules.GONE,
        old_modules.LIBRARIES,
        old_modules.LIBRARY_THINGS,
    ):
        assert set(table) <= {row.old for row in rows}


def test_what_a_file_says_is_not_told():
    written = {"class_name": "Adam", "config": {"lr": 0.1, "decay": 0.0}}
    dense = {"units": 1, "init": "uniform", "batch_input_shape": [None, 2]}
    config = {"name": "line", "layers": [{"class_name": "Dense", "config": dense}]}
    text = json.dumps({"class_name": "Sequential", "config": config})
    telling.listen()
    try:
        optimizers.get(written)
        models.model_from_json(text)
        assert not telling.told()
        optimizers.Adam(lr=0.1)
    finally:
        telling.stop_listening()
    assert [row.old for row in telling.told()] == ["lr="]


def test_no_name_is_broken_however_narrow_the_terminal():
    narrow = Console(file=io.StringIO(), width=20)
    old, new = "keras.layers.advanced_activations.LeakyReLU", "keras.layers.LeakyReLU"
    telling.listen()
    try:
        old_names.note("module", old, new)
    finally:
        telling.stop_listening()
    telling.explain(narrow)
    assert f"{old}  →  {new}" in narrow.file.getvalue()
