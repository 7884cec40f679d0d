"""`doltap run notebook.ipynb` runs cell after cell, shows what they give, and writes it back."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from test_running import SOURCE, doltap, write

pytest.importorskip("IPython")
nbformat = pytest.importorskip("nbformat")


def notebook(folder, *cells, name="lesson.ipynb", tags=None, **about):
    """A notebook of these cells of code."""
    made = nbformat.v4.new_notebook(metadata=about)
    for number, source in enumerate(cells):
        cell = nbformat.v4.new_code_cell(source)
        cell.metadata["tags"] = (tags or {}).get(number, [])
        made.cells += [nbformat.v4.new_markdown_cell("# text"), cell]
    nbformat.write(made, folder / name)
    return folder / name


def executed(folder, *words):
    """The process, and the outputs of each cell of code in the file it wrote."""
    found = doltap(folder, *words, "--out", "out.ipynb")
    cells = nbformat.read(folder / "out.ipynb", 4).cells
    return found, [cell for cell in cells if cell.cell_type == "code"]


def test_cells_run_in_order_and_their_outputs_are_written_back(tmp_path):
    path = notebook(
        tmp_path,
        "import sys\nprint('one')\nprint('two', file=sys.stderr)\nx = 20",
        "   ",
        "x * 2",
        "x;",
        "from IPython.display import HTML, display\ndisplay(HTML('<b>bold</b>'))\n[1, 2]",
    )
    found, cells = executed(tmp_path, path)
    assert found.returncode == 0, found.stderr
    assert found.stdout == "one\n40\n<IPython.core.display.HTML object>\n[1, 2]\n"
    assert [cell.execution_count for cell in cells] == [1, None, 2, 3, 4]
    first, empty, third, quiet, last = ([dict(each) for each in cell.outputs] for cell in cells)
    assert [(each["name"], each["text"]) for each in first] == [("stdout", "one\n"), ("stderr", "two\n")]
    assert (empty, quiet) == ([], [])
    assert third == [
        {"output_type": "execute_result", "execution_count": 2, "data": {"text/plain": "40"}, "metadata": {}}
    ]
    assert last[0]["data"]["text/html"] == "<b>bold</b>"
    assert last[1]["data"]["text/plain"] == "[1, 2]"
    nbformat.validate(nbformat.read(tmp_path / "out.ipynb", 4))


def test_cells_find_doltap_and_their_own_folder(tmp_path):
    (tmp_path / "books").mkdir()
    write(tmp_path, "books/beside.py", "import keras\nhere = keras.__name__\n")
    write(tmp_path, "books/data.txt", "data")
    path = notebook(
        tmp_path / "books",
        "import beside, tensorflow as tf\nprint(beside.here, tf.__version__, open('data.txt').read())",
    )
    found = doltap(tmp_path, path)
    assert found.stdout == "keras 2.16.1+doltap data\n", found.stderr


def test_a_failing_cell_is_told_with_its_number_and_line(tmp_path):
    path = notebook(tmp_path, "x = 1", "def f(y):\n    return y / 0\n\nf(x)", "print('never')")
    found, cells = executed(tmp_path, path)
    assert (found.stdout, found.returncode) == ("", 1)
    assert found.stderr.splitlines() == [
        "Traceback (most recent call last):",
        f'  File "{path}, cell 2", line 4, in <module>',
        "    f(x)",
        f'  File "{path}, cell 2", line 2, in f',
        "    return y / 0",
        "           ~~^~~",
        "ZeroDivisionError: division by zero",
        "doltap: lesson.ipynb stopped at cell 2, line 2; --allow-errors goes on.",
    ]
    (error,) = cells[1].outputs
    assert (error.output_type, error.ename, error.evalue) == (
        "error",
        "ZeroDivisionError",
        "division by zero",
    )
    assert cells[2].execution_count is None


@pytest.mark.parametrize(
    ("source", "line", "said"),
    [
        ("x = 1\n%%time\n", 2, "UsageError"),
        ("%%time\nx = 1\n1 / 0", 3, "ZeroDivisionError"),
        ("x = (\n", 1, "SyntaxError"),
        ("if True:\nx", 2, "IndentationError"),
        ("%nothing", 1, "UsageError"),
        ("%%R\nx <- 1", 1, "UsageError: Cell magic `%%R` not found."),
        ("import keras\n\nkeras.layers.Dens(3)", 3, "Did you mean 'Dense'?"),
        ("import sys\nsys.exit(3)", 2, "SystemExit: 3"),
        ("return 3", 1, "SyntaxError"),
    ],
)
def test_every_kind_of_error_has_a_line(tmp_path, source, line, said):
    found = doltap(tmp_path, notebook(tmp_path, source))
    assert found.returncode == 1
    assert said in found.stderr
    assert "IPython/" not in found.stderr
    assert f"stopped at cell 1, line {line};" in found.stderr


def test_errors_may_be_allowed_for_all_cells_or_for_those_with_the_tag(tmp_path):
    path = notebook(tmp_path, "1 / 0", "print('on')")
    found = doltap(tmp_path, path, "--allow-errors")
    assert (found.stdout, found.returncode) == ("on\n", 0)
    path = notebook(tmp_path, "1 / 0", "print('on')", "1 / 0", tags={0: ["raises-exception"]})
    found = doltap(tmp_path, path)
    assert (found.stdout, found.returncode) == ("on\n", 1)
    assert "stopped at cell 3" in found.stderr


def test_what_belongs_to_a_browser_or_installs_tensorflow_says_what_to_do(tmp_path):
    path = notebook(
        tmp_path,
        "%load_ext tensorboard\n%tensorboard --logdir logs\n%tensorflow_version 2.x\n%load_ext doltap",
        "!pip install -q tensorflow==2.3 'keras>2'\n%pip install -U tf-keras\n"
        "!python -m pip install tensorflow-gpu>=2 > /dev/null 2>&1\n"
        "!pip install -q no-such-package-at-all tensorflow",
        "!echo shell\nfound = !echo kept\nprint(found)",
        "%%bash\necho bash",
        "%%writefile made.py\nx = 3",
        "%%capture caught\nprint('hidden')",
        "%%time\ny = 4",
        "int?",
        "exit()",
        "print('never')",
    )
    found, cells = executed(tmp_path, path)
    assert found.returncode == 0, found.stderr
    lines = found.stdout.splitlines()
    assert lines[:3] == [
        "doltap: TensorBoard opens in a browser; after the notebook: tensorboard --logdir FOLDER",
        "doltap: to look at the logs, in another terminal: tensorboard --logdir logs",
        "doltap: there is one version here; %tensorflow_version changes nothing.",
    ]
    left_out = [line for line in lines if "is not installed: doltap answers for it here." in line]
    assert [line.split("'")[1] for line in left_out] == [
        "tensorflow==2.3 keras>2",
        "tf-keras",
        "tensorflow-gpu==2",
        "tensorflow",
    ]
    assert "doltap: skipped: pip install -q no-such-package-at-all" in lines
    assert "shell" in lines
    assert "['kept']" in lines
    assert "bash" in lines
    assert "never" not in lines
    assert "hidden" not in lines
    assert (tmp_path / "made.py").read_text() == "x = 3\n"
    assert "Docstring" in cells[7].outputs[0].data["text/plain"]


PLOTS = (
    "%matplotlib notebook\n%config InlineBackend.figure_format = 'png'",
    "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()\nprint('after')",
    "figure, axes = plt.subplots()\naxes.plot([3]);",
)


def test_figures_stand_below_their_cells_and_in_the_folder(tmp_path):
    pytest.importorskip("matplotlib")
    found, cells = executed(tmp_path, "--figures", "pictures", notebook(tmp_path, *PLOTS))
    assert found.returncode == 0, found.stderr
    kinds = [[each.output_type for each in cell.outputs] for cell in cells]
    assert kinds == [["stream"], ["display_data", "stream"], ["display_data"]]
    assert all("image/png" in cells[number].outputs[0].data for number in (1, 2))
    files = sorted((tmp_path / "pictures").iterdir())
    assert [file.name for file in files] == ["lesson-cell2-1.png", "lesson-cell3-1.png"]
    assert all(file.read_bytes().startswith(b"\x89PNG") for file in files)


def test_figures_that_nobody_keeps_are_told_in_one_line(tmp_path):
    pytest.importorskip("matplotlib")
    found = doltap(tmp_path, notebook(tmp_path, *PLOTS))
    assert found.stderr == "doltap: 2 figures are not shown: --out FILE or --figures FOLDER keeps them.\n"


def test_displays_that_change_are_written_as_they_were_at_last(tmp_path):
    path = notebook(
        tmp_path,
        "from IPython.display import clear_output, display\nshown = display('first', display_id='x')",
        "print('gone')\nclear_output(wait=True)\nprint('stays')",
        "from IPython.display import update_display\nupdate_display('last', display_id='x')",
    )
    found, cells = executed(tmp_path, path)
    assert found.returncode == 0, found.stderr
    assert cells[0].outputs[0].data["text/plain"] == "'last'"
    assert [each.text for each in cells[1].outputs] == ["stays\n"]


def test_notebooks_of_version_3_are_run_and_written_in_version_4(tmp_path):
    cell = {
        "cell_type": "code",
        "input": ["print('old')\n"],
        "language": "python",
        "outputs": [],
        "metadata": {},
    }
    old = {"metadata": {"name": ""}, "nbformat": 3, "nbformat_minor": 0, "worksheets": [{"cells": [cell]}]}
    (tmp_path / "old.ipynb").write_text(json.dumps(old))
    found, (cell,) = executed(tmp_path, "old.ipynb")
    assert found.stdout == "old\n", found.stderr
    assert cell.outputs[0].text == "old\n"
    assert json.loads((tmp_path / "out.ipynb").read_text())["nbformat"] == 4


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "expected a notebook, got an empty file"),
        (b'{"cells": [', "expected a notebook, got 'Expecting value"),
        (b"[1, 2]", "got 'it is no notebook'"),
        (b'{"a": 1}', "got 'it has no cells'"),
        (b'{"cells": [3], "nbformat": 4, "nbformat_minor": 5, "metadata": {}}', "expected a notebook, got "),
        (b'{"cells": [], "nbformat": "x", "metadata": {}}', "got 'it is no notebook'"),
        (b"\xff\xfe\x00", "expected a"),
        (b"\x89PNG....", "got a picture"),
        (
            b'{"cells": [], "nbformat": 4, "nbformat_minor": 2, "metadata": {"kernelspec": '
            b'{"name": "ir", "language": "R", "display_name": "R"}}}',
            "expected a notebook in Python, got one in R",
        ),
    ],
)
def test_what_is_no_notebook_gets_a_sentence(tmp_path, content, said):
    (tmp_path / "bad.ipynb").write_bytes(content)
    found = doltap(tmp_path, "bad.ipynb")
    assert (found.stdout, found.returncode) == ("", 2)
    assert said in found.stderr
    assert "Traceback" not in found.stderr


def test_a_notebook_without_cells_is_run(tmp_path):
    found, cells = executed(tmp_path, notebook(tmp_path))
    assert (found.stdout, found.stderr, found.returncode, cells) == ("", "", 0, [])


def test_a_notebook_is_written_whole_or_not_at_all(tmp_path):
    path = notebook(tmp_path, "print(1)")
    found = doltap(tmp_path, path, "--out", "missing/out.ipynb")
    assert (found.stdout, found.returncode) == ("", 2), "No cell is run where nothing could be kept of it."
    assert "expected a folder that is there" in found.stderr
    found = doltap(tmp_path, "--out", path, path)
    assert found.returncode == 0
    assert [each.name for each in tmp_path.iterdir()] == ["lesson.ipynb"]
    assert nbformat.read(path, 4).cells[1].outputs[0].text == "1\n"


def test_arguments_of_a_notebook_get_a_sentence(tmp_path):
    found = doltap(tmp_path, notebook(tmp_path), "3")
    assert found.returncode == 2
    assert "expected no arguments for a notebook, got 3" in found.stderr


def test_explain_tells_the_cell(tmp_path):
    found = doltap(tmp_path, "--explain", notebook(tmp_path, "import numpy as np\nnp.int(3)"))
    assert "lesson.ipynb, cell 1:2" in found.stdout
    assert "np.int" in found.stdout


def test_an_interrupt_ends_the_notebook_as_a_program(tmp_path):
    found = doltap(
        tmp_path, notebook(tmp_path, "import signal\nsignal.raise_signal(signal.SIGINT)", "print(1)")
    )
    assert (found.stdout, found.returncode) == ("", 130)
    assert "KeyboardInterrupt" in found.stderr


RUNNING = """
import sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_cell("import keras")
shell.run_cell("%load_ext doltap")
shell.run_cell("import keras; print(repr(keras))")
shell.run_cell("%unload_ext doltap")
shell.run_cell("import keras; print(keras.__version__)")
"""


def test_the_extension_switches_the_aliases_on_and_off(tmp_path):
    write(tmp_path, "keras.py", "__version__ = 'the real one'\n")
    found = subprocess.run(
        [sys.executable, "-c", RUNNING],
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([SOURCE, *filter(None, sys.path)]),
            "IPYTHONDIR": str(tmp_path),
        },
        capture_output=True,
        text=True,
    )
    assert found.stdout.splitlines() == [
        "doltap: imported before, and left as it is: keras. Import it again.",
        "<module 'keras' of doltap>",
        "the real one",
    ], found.stderr


def test_without_ipython_a_sentence_says_how_to_install_it(tmp_path):
    write(tmp_path, "IPython.py", "raise ImportError\n")
    path = notebook(tmp_path, "print(1)")
    found = doltap(
        tmp_path, path, PYTHONPATH=os.pathsep.join([str(tmp_path), SOURCE, *filter(None, sys.path)])
    )
    assert found.returncode == 2
    assert 'pip install "doltap[notebook]"' in found.stderr
