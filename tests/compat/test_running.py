"""`doltap run` runs a program as Python does: what it sees of itself, how it fails, how it ends."""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import sys
import textwrap
from importlib.util import find_spec

import pytest

SOURCE = str(pathlib.Path(__file__).parents[2] / "src")


def doltap(folder, *words, given="", **environment):
    """`doltap run` with these words, in a process of its own."""
    told = {"PYTHONPATH": os.pathsep.join([SOURCE, *filter(None, sys.path)]), **environment}
    left = {key: value for key, value in os.environ.items() if key not in ("DISPLAY", "MPLBACKEND")}
    command = [sys.executable, "-m", "doltap", "run", *map(str, words)]
    return subprocess.run(
        command, cwd=folder, env=left | told, input=given, capture_output=True, text=True, timeout=120
    )


def write(folder, name, text):
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(textwrap.dedent(text))
    return path


SEEN = """
    import sys
    import beside
    print([__name__, __file__, __spec__ is None, sys.argv, sys.path[0], beside.here])
    assert sys.modules["__main__"].SELF if "SELF" in globals() else True
    assert vars(sys.modules["__main__"]) is globals()
"""


@pytest.mark.parametrize("words", [[], ["one", "--two", "-c", "--explain"]])
def test_a_program_sees_itself_as_under_python(tmp_path, words):
    write(tmp_path, "folder/beside.py", "here = 3")
    program = write(tmp_path, "folder/seen.py", SEEN)
    plain = subprocess.run(
        [sys.executable, program, *words], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    found = doltap(tmp_path, program, *words)
    assert (found.stdout, found.stderr, found.returncode) == (plain.stdout, "", 0)


def test_a_module_and_a_package_run_as_under_python(tmp_path):
    write(tmp_path, "package/__init__.py", "")
    program = "import sys; print(__name__, __package__, __spec__.name, sys.argv, sys.path[0], __file__)"
    write(tmp_path, "package/tool.py", program)
    write(tmp_path, "package/__main__.py", program)
    for name in ("package.tool", "package"):
        plain = subprocess.run(
            [sys.executable, "-m", name, "x"], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        found = doltap(tmp_path, "-m", name, "x")
        assert (found.stdout, found.stderr) == (plain.stdout, ""), name


def test_code_runs_as_under_python(tmp_path):
    found = doltap(tmp_path, "-c", "import sys; print(__name__, sys.argv, repr(sys.path[0]))", "x", "-y")
    assert found.stdout == "__main__ ['-c', 'x', '-y'] ''\n"


def test_the_program_reads_what_is_given_to_it(tmp_path):
    found = doltap(tmp_path, "-c", "print(int(input('n: ')) + 1)", given="41\n")
    assert found.stdout == "n: 42\n"


@pytest.mark.parametrize(
    ("line", "status", "said"),
    [
        ("import sys; sys.exit()", 0, ""),
        ("import sys; sys.exit(7)", 7, ""),
        ("import sys; sys.exit('no more')", 1, "no more\n"),
        ("raise SystemExit", 0, ""),
        ("import os; os._exit(5)", 5, ""),
        ("import atexit; atexit.register(print, 'bye', file=__import__('sys').stderr)", 0, "bye\n"),
    ],
)
def test_it_exits_as_the_program_says(tmp_path, line, status, said):
    found = doltap(tmp_path, "-c", line)
    assert (found.returncode, found.stderr) == (status, said)


def test_an_interrupt_ends_it_as_it_ends_python(tmp_path):
    program = write(tmp_path, "waits.py", "import signal\nsignal.raise_signal(signal.SIGINT)\n")
    found = doltap(tmp_path, program)
    assert found.returncode == -signal.SIGINT
    assert found.stderr.splitlines()[:2] == [
        "Traceback (most recent call last):",
        f'  File "{program}", line 2, in <module>',
    ]
    assert found.stderr.endswith("KeyboardInterrupt\n")


FAILING = """
    import helper
    try:
        1 / 0
    except ZeroDivisionError as error:
        before = error
    helper.fail(before)
"""


def test_a_traceback_is_that_of_python(tmp_path):
    program = write(tmp_path, "failing.py", FAILING)
    write(tmp_path, "helper.py", "def fail(before):\n    raise ValueError('x') from before\n")
    plain = subprocess.run([sys.executable, program], cwd=tmp_path, capture_output=True, text=True)
    found = doltap(tmp_path, program)
    assert (found.stderr, found.returncode) == (plain.stderr, 1)


def test_a_mistake_in_an_imported_file_shows_only_the_programs_own_lines(tmp_path):
    program = write(tmp_path, "failing.py", "import helper\n")
    write(tmp_path, "helper.py", "1 / 0\n")
    plain = subprocess.run([sys.executable, program], cwd=tmp_path, capture_output=True, text=True)
    assert doltap(tmp_path, program).stderr == plain.stderr


def test_a_hook_of_the_programs_own_is_given_the_programs_own_lines(tmp_path):
    program = write(
        tmp_path,
        "hooked.py",
        """
        import sys, traceback
        sys.excepthook = lambda kind, value, trace: print(len(traceback.extract_tb(trace)))
        1 / 0
        """,
    )
    assert doltap(tmp_path, program).stdout == "1\n"


def test_a_name_that_is_not_there_is_told_in_the_line_that_asks_for_it(tmp_path):
    program = write(
        tmp_path,
        "asks.py",
        """
        from tensorflow import keras
        def build():
            return keras.layers.Dens(3)
        build()
        """,
    )
    found = doltap(tmp_path, program)
    files = [line for line in found.stderr.splitlines() if line.startswith("  File ")]
    assert files == [f'  File "{program}", line 5, in <module>', f'  File "{program}", line 4, in build']
    assert "Did you mean 'Dense'?" in found.stderr


def test_a_mistake_of_syntax_is_shown_as_python_shows_it(tmp_path):
    program = write(tmp_path, "wrong.py", "print(1\nx = = 2\n")
    plain = subprocess.run([sys.executable, program], cwd=tmp_path, capture_output=True, text=True)
    assert doltap(tmp_path, program).stderr == plain.stderr


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("lesssn.py", None, "Did you mean 'lesson.py'?"),
        ("0.py", None, "Check the name and the folder."),
        ("lesson", None, "Did you mean 'lesson.py'?"),
        ("nowhere/x.py", None, "Its folder is not there either"),
        (".", None, "got a folder"),
        ("notes.txt", b"Dear diary, today", "in which something else stands (line 1)"),
        ("data.csv", b"a;b\n1;2 3\n", "in which something else stands"),
        ("picture.py", b"\x89PNG\r\n\x1a\n", "got a picture"),
        ("model.h5", b"\x89HDF\r\n", "got an HDF5 file"),
        ("bytes.py", b"x = 1\n\0\0\0", "not text"),
    ],
)
def test_what_is_no_program_gets_a_sentence(tmp_path, name, content, said):
    write(tmp_path, "lesson.py", "")
    if content is not None:
        (tmp_path / name).write_bytes(content)
    found = doltap(tmp_path, name)
    assert found.returncode == 2
    assert found.stdout == ""
    assert found.stderr.startswith(
        f"doltap: doltap run {name}: expected a Python program or a notebook, got "
    )
    assert said in found.stderr


def test_the_command_without_a_program_says_how_it_is_used(tmp_path):
    found = doltap(tmp_path)
    assert (found.returncode, found.stdout) == (2, "")
    assert "For example: doltap run program.py" in found.stderr


def test_a_module_that_is_not_there_gets_a_sentence(tmp_path):
    found = doltap(tmp_path, "-m", "no_such_module")
    assert found.returncode == 2
    assert "expected a module that can be run, got 'no_such_module'" in found.stderr


def test_explain_ends_with_what_was_translated(tmp_path):
    program = write(tmp_path, "old.py", "import numpy as np\nprint(np.int(3.5))\nraise ValueError('end')\n")
    found = doltap(tmp_path, "--explain", program)
    assert "np.int" in found.stdout
    assert "old.py:2" in found.stdout
    assert found.returncode == 1


def test_explain_says_so_where_nothing_was_translated(tmp_path):
    assert "Nothing was translated" in doltap(tmp_path, "--explain", "-c", "pass").stdout


def test_list_names_prints_the_old_names(tmp_path):
    found = doltap(tmp_path, "--list-names")
    assert found.returncode == 0
    assert "predict_classes" in found.stdout
    assert "np.int" in found.stdout


STARTS = """
    import multiprocessing
    import sys
    import tensorflow

    def square(x):
        import keras.layers
        return x * x, keras.__name__, "tensorflow" in sys.modules, tensorflow.__version__

    if __name__ == "__main__":
        multiprocessing.set_start_method(sys.argv[1])
        with multiprocessing.Pool(1) as pool:
            print(pool.map(square, [3]))
"""


@pytest.mark.parametrize(
    "method", [m for m in ("spawn", "forkserver") if sys.platform != "win32" or m == "spawn"]
)
def test_processes_that_a_program_starts_see_the_aliases(tmp_path, method):
    program = write(tmp_path, "starts.py", STARTS)
    found = doltap(tmp_path, program, method)
    assert found.stdout == "[(9, 'keras', False, '2.16.1+doltap')]\n", found.stderr


def test_the_processes_of_joblib_see_the_aliases(tmp_path):
    pytest.importorskip("joblib")
    program = write(
        tmp_path,
        "joins.py",
        """
        from joblib import Parallel, delayed
        def name(number):
            import keras
            return keras.__name__ + repr(keras)
        print(Parallel(n_jobs=2)(delayed(name)(n) for n in range(2)))
        """,
    )
    found = doltap(tmp_path, program)
    assert found.stdout.count("of doltap") == 2, found.stderr


def test_a_program_loads_nothing_it_does_not_ask_for(tmp_path):
    heavy = ["numpy", "jax", "rich", "IPython", "multiprocessing", "matplotlib"]
    code = f"import sys; print([name for name in {heavy} if name in sys.modules])"
    assert doltap(tmp_path, "-c", code).stdout == "[]\n"


FROZEN = """
    import gc
    before = gc.get_freeze_count()
    import keras
    print(before, gc.get_freeze_count() > 50_000, gc.isenabled())
"""


def test_what_a_program_loads_is_passed_over_by_the_collector(tmp_path):
    shown = doltap(tmp_path, write(tmp_path, "program.py", FROZEN))
    assert shown.stdout.split() == ["0", "True", "True"], shown.stderr


def test_the_collector_is_left_alone_where_the_program_has_stopped_it(tmp_path):
    text = "import gc; gc.disable(); import keras; print(gc.get_freeze_count(), gc.isenabled())"
    assert doltap(tmp_path, "-c", text).stdout.split() == ["0", "False"]


def test_installing_the_aliases_leaves_the_collector_of_the_process_alone(tmp_path):
    text = "import doltap.compat, gc; doltap.compat.install(); import keras; print(gc.get_freeze_count())"
    told = os.environ | {"PYTHONPATH": os.pathsep.join([SOURCE, *filter(None, sys.path)])}
    shown = subprocess.run(
        [sys.executable, "-c", text], env=told, capture_output=True, text=True, timeout=120
    )
    assert shown.stdout.split() == ["0"], shown.stderr


def test_numbers_are_written_as_before_numpy_2(tmp_path):
    program = write(
        tmp_path, "table.py", "import numpy as np\nprint(repr(np.float64(1.5)), [np.float32(2), np.int64(3)])"
    )
    assert doltap(tmp_path, program).stdout == "1.5 [2.0, 3]\n"


@pytest.mark.skipif(
    find_spec("tqdm") is None or find_spec("ipywidgets") is not None, reason="needs tqdm alone"
)
def test_bars_for_notebooks_are_text_without_their_widgets(tmp_path):
    lines = "from tqdm.notebook import tqdm, trange\nprint(list(tqdm('ab')), list(trange(1, 3, desc='all')))"
    done = doltap(tmp_path, write(tmp_path, "bars.py", lines))
    assert done.stdout == "['a', 'b'] [1, 2]\n"
    assert "all: 100%" in done.stderr
