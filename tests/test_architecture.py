"""The taste of the house, held by tests: what is public, how long, how deep, who loads what."""

import ast
import importlib
import inspect
import json
import pathlib
import statistics
import subprocess
import sys

import pytest

SOURCE = pathlib.Path(__file__).parent.parent / "src" / "doltap"
FILES = sorted(SOURCE.rglob("*.py"))
DOORS = ["layers", "losses", "metrics", "optimizers", "initializers", "callbacks", "models", "core"]
DOORS += ["datasets", "utils", "saving", "backend", "dtype_policies", "mixed_precision", "preprocessing"]
DOORS += ["ops", "ops/nn", "ops/numpy"]


def module_of(path):
    parts = path.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def name_of(path):
    return str(path.relative_to(SOURCE))


MODULES = [module_of(path) for path in FILES if path.name != "__main__.py"]


def functions_in(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


def body_lines(function):
    """Lines of the body without the docstring."""
    body = function.body
    has_docstring = isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant)
    first = body[1] if has_docstring and len(body) > 1 else body[0]
    return function.end_lineno - first.lineno + 1


def depth_of(node):
    """How deep loops, conditions and the like are nested in a function."""
    blocks = (ast.If, ast.For, ast.While, ast.With, ast.Try, ast.Match)
    deepest = 0
    for child in ast.iter_child_nodes(node):
        is_elif = isinstance(node, ast.If) and isinstance(child, ast.If) and child in node.orelse
        inside = 0 if isinstance(child, (ast.FunctionDef, ast.ClassDef)) else depth_of(child)
        deepest = max(deepest, inside + (isinstance(child, blocks) and not is_elif))
    return deepest


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_file_has_at_most_600_lines(path):
    assert len(path.read_text().splitlines()) <= 600


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_function_has_at_most_40_lines_and_three_levels(path):
    long = {f.name: body_lines(f) for f in functions_in(path) if body_lines(f) > 40}
    deep = {f.name: depth_of(f) for f in functions_in(path) if depth_of(f) > 3}
    assert not long
    assert not deep


def test_the_median_function_has_at_most_12_lines():
    assert statistics.median(body_lines(f) for path in FILES for f in functions_in(path)) <= 12


def test_layer_and_dense_stay_small():
    layer = importlib.import_module("doltap.core.layer").Layer
    dense = importlib.import_module("doltap.layers.dense").Dense
    assert len(inspect.getsource(layer).splitlines()) <= 300
    tree = ast.parse(inspect.getsource(dense))
    code = set()
    for node in ast.walk(tree):
        is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if hasattr(node, "lineno") and not is_text and not isinstance(node, ast.Constant):
            code.add(node.lineno)
    assert len(code) <= 60


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_nothing_is_left_to_do_and_no_import_hides_in_a_function(path):
    text = path.read_text()
    assert "TODO" not in text
    assert "FIXME" not in text
    for function in functions_in(path):
        for node in ast.walk(function):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not [name for name in names if name.startswith("doltap")], function.name


@pytest.mark.parametrize("name", DOORS)
def test_a_door_holds_imports_and_nothing_else(name):
    path = SOURCE / name / "__init__.py"
    path = path if path.exists() else SOURCE / f"{name}.py"
    statements = ast.parse(path.read_text()).body
    assert isinstance(statements[0], ast.Expr), "a door begins with its docstring"
    for statement in statements[1:]:
        is_all = isinstance(statement, (ast.Assign, ast.AugAssign)) and "__all__" in ast.unparse(statement)
        is_guard = ast.unparse(statement).startswith(("doors.guard(__name__", "doors.later(__name__"))
        # What a door loads later is imported for type checkers.
        if isinstance(statement, ast.If) and ast.unparse(statement.test) == "TYPE_CHECKING":
            (statement,) = statement.body
        is_import = isinstance(statement, (ast.Import, ast.ImportFrom))
        assert is_all or is_guard or is_import, ast.unparse(statement)


@pytest.mark.parametrize("name", MODULES)
def test_public_names_are_exactly_those_in_all(name):
    module = importlib.import_module(name)
    listed = set(getattr(module, "__all__", ()))
    assert len(listed) == len(getattr(module, "__all__", ()))
    for public in listed:
        assert hasattr(module, public), public
    if name == "doltap":
        return
    # What the files of one package share without offering it to users stays out of __all__.
    assert not [public for public in listed if public.startswith("_")]


@pytest.mark.parametrize("name", MODULES)
def test_every_public_name_says_in_one_line_what_you_get(name):
    module = importlib.import_module(name)
    assert (module.__doc__ or "").strip(), "a file opens with a sentence"
    for key in getattr(module, "__all__", ()):
        value = getattr(module, key)
        is_code = inspect.isclass(value) or inspect.isfunction(value)
        if not is_code or not value.__module__.startswith("doltap"):
            continue
        first = (inspect.getdoc(value) or "").strip().splitlines()
        assert first, f"{name}.{key} has no docstring"
        assert len(first[0]) <= 110, f"{name}.{key}"


def run_python(code, **environment):
    import os

    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, **environment}
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_importing_doltap_loads_only_the_door():
    code = "import sys, json, doltap; print(json.dumps([m for m in sys.modules if m.startswith('doltap')]))"
    assert json.loads(run_python(code)) == ["doltap"]


def test_importing_what_a_program_needs_loads_no_optional_package():
    code = (
        "import sys, json, doltap as keras; keras.models, keras.layers, keras.datasets, keras.callbacks;"
        "print(json.dumps(sorted({m.split('.')[0] for m in sys.modules})))"
    )
    loaded = set(json.loads(run_python(code)))
    heavy = {"h5py", "sklearn", "matplotlib", "pandas", "torch", "keras", "tensorflow", "scipy", "IPython"}
    assert not loaded & heavy


TRACE = """
import json, os, sys
import numpy as np
import doltap as keras

folder = os.path.dirname(keras.__file__)
seen = set()

def watch(frame, event, argument):
    code = frame.f_code
    if event == "call" and code.co_filename.startswith(folder):
        seen.add((code.co_filename, code.co_qualname, code.co_firstlineno))

def traced(model, x, y):
    seen.clear()
    sys.setprofile(watch)
    try:
        model.fit(x, y, batch_size=32, epochs=1, verbose=0)
    finally:
        sys.setprofile(None)
    # Comprehensions and lambdas are part of the function that holds them.
    named = {each for each in seen if not each[1].endswith(">")}
    return [len({file for file, _, _ in seen}), len(named), sorted({os.path.basename(f) for f, _, _ in seen})]

dense = keras.layers.Dense
model = keras.Sequential([keras.Input((4,)), dense(8, activation="relu"), dense(3, activation="softmax")])
model.compile(loss="sparse_categorical_crossentropy", optimizer="sgd", metrics=["accuracy"])
x, y = np.random.rand(32, 4), np.arange(32) % 3
print(json.dumps({"cold": traced(model, x, y), "warm": traced(model, x, y)}))
"""


def test_one_batch_touches_few_files_and_few_functions():
    counts = json.loads(run_python(TRACE, DOLTAP_CACHE="off"))
    (cold_files, cold_functions, cold_names), (warm_files, warm_functions, warm_names) = (
        counts["cold"],
        counts["warm"],
    )
    # Losses, metrics and callbacks are folders now: docs/notes/0010.
    assert 5 <= cold_files <= 34, cold_names
    assert cold_functions <= 215, cold_functions
    assert 5 <= warm_files <= 10, warm_names
    assert warm_functions <= 60, warm_functions
