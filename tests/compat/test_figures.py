"""Figures on a machine without a screen: saved, or left out, in one line; nothing waits and nothing warns."""

from __future__ import annotations

import pytest
from test_running import doltap, write

pytest.importorskip("matplotlib")

SHOWS = """
    import warnings
    warnings.simplefilter("error")
    import matplotlib
    matplotlib.use("TkAgg")
    import matplotlib.pyplot as plt

    plt.plot([1, 2])
    plt.show()
    assert plt.get_fignums() == [], "a window that was looked at is closed"
    figure, axes = plt.subplots()
    axes.plot([3])
    figure.show()
    plt.pause(60)
    plt.waitforbuttonpress()
    plt.ion()
    plt.figure()
    plt.show()
    plt.plot([2, 1])
    print("end")
"""


def test_figures_are_saved_in_the_folder(tmp_path):
    found = doltap(tmp_path, "--figures", "pictures", write(tmp_path, "shows.py", SHOWS))
    assert (found.stdout, found.returncode) == ("end\n", 0), found.stderr
    assert found.stderr == f"doltap: 3 figures saved in {tmp_path}/pictures.\n"
    files = sorted((tmp_path / "pictures").iterdir())
    assert [file.name for file in files] == ["shows-1.png", "shows-2.png", "shows-3.png"]
    assert all(file.read_bytes().startswith(b"\x89PNG") for file in files)


def test_without_a_folder_one_line_says_that_they_were_not_shown(tmp_path):
    found = doltap(tmp_path, write(tmp_path, "shows.py", SHOWS))
    assert (found.stdout, found.returncode) == ("end\n", 0)
    (line,) = found.stderr.splitlines()
    assert line.startswith("doltap: 3 figures were not shown, as there is no screen: ")
    assert line.endswith(": doltap run --figures FOLDER saves such figures.")
    assert [file.name for file in tmp_path.iterdir()] == ["shows.py"]


def test_a_program_that_shows_nothing_hears_nothing(tmp_path):
    program = "import matplotlib.pyplot as plt; plt.plot([1]); plt.savefig('own.png')"
    found = doltap(tmp_path, "-c", program)
    assert (found.stderr, found.returncode) == ("", 0)
    assert (tmp_path / "own.png").exists()


def test_a_folder_that_cannot_be_made_is_told_before_the_program_runs(tmp_path):
    write(tmp_path, "file", "")
    found = doltap(tmp_path, "--figures", "file", "-c", "print(1)")
    assert (found.stdout, found.returncode) == ("", 2)
    assert "expected a folder, or a name for one" in found.stderr
