"""What imports in the user's own files find under the aliases, and that nobody else notices."""

import builtins
import copy
import importlib
import importlib.util
import inspect
import json
import os
import pickle
import pydoc
import subprocess
import sys
import types

import numpy as np
import pytest

import doltap
import doltap.compat
from doltap.compat import imports, modules
from doltap.errors import MissingAttributeError, MissingNameError, NotSupportedError


@pytest.fixture
def aliases():
    imports.install()
    yield
    imports.uninstall()


def run_as_user(code):
    """The names that a program of the user's leaves."""
    names = {"__name__": "__main__"}
    exec(compile(code, "<program>", "exec"), names)
    return names


FORMS = {
    "import keras": "keras.layers.Dense",
    "import tensorflow.keras as K": "K.layers.Dense",
    "import tensorflow.keras.layers": "tensorflow.keras.layers.Dense",
    "from tensorflow.keras.layers import *": "Dense",
    "from keras import layers, models": "layers.Dense",
    "from tensorflow import keras": "keras.layers.Dense",
    "import tensorflow as tf": "tf.keras.layers.Dense",
    "from keras.src.layers import Dense": "Dense",
    "from keras.src.layers.core.dense import Dense": "Dense",
    "from tensorflow.python.keras.layers.core import Dense": "Dense",
    "import tensorflow.python.keras.layers as layers": "layers.Dense",
    "from keras.layers.core import Dense": "Dense",
    "import keras.layers.core as core": "core.Dense",
    "import tf_keras": "tf_keras.layers.Dense",
    "from tf_keras.src.layers import Dense": "Dense",
    "import tensorflow.compat.v1 as tf": "tf.keras.layers.Dense",
    "import tensorflow.compat.v2 as tf": "tf.keras.layers.Dense",
    "from tensorflow.compat.v1.keras.layers import Dense": "Dense",
    "from keras.api._v2.keras.layers import Dense": "Dense",
    "import importlib; layers = importlib.import_module('keras.layers')": "layers.Dense",
    "layers = __import__('keras.layers').layers": "layers.Dense",
    "exec('from keras.layers import Dense as inner', found := {})": "found['inner']",
    "def build():\n  from keras.layers import Dense\n  return Dense": "build()",
}


@pytest.mark.parametrize("statement", FORMS)
def test_every_form_of_import_finds_the_same_dense(aliases, statement):
    names = run_as_user(statement)
    assert eval(FORMS[statement], names) is doltap.layers.Dense


def test_no_alias_stands_in_sys_modules(aliases):
    before = {name for name in sys.modules if name.partition(".")[0] in ("keras", "tensorflow", "tf_keras")}
    run_as_user("import keras.layers.core, tensorflow.keras.utils, tf_keras, tensorflow.compat.v1")
    after = {name for name in sys.modules if name.partition(".")[0] in ("keras", "tensorflow", "tf_keras")}
    assert after == before


def test_one_module_has_one_alias_whatever_it_is_called(aliases):
    names = run_as_user(
        "import keras, tensorflow.keras as K, tf_keras, tensorflow as tf, tensorflow.compat.v2 as v2"
    )
    assert names["K"] is names["keras"] is names["tf_keras"] is names["tf"].keras
    assert names["v2"] is names["tf"]
    assert names["keras"].__version__ == "3.3.3+doltap"


def test_installing_twice_and_uninstalling_leaves_python_as_it_was():
    before = builtins.__import__, importlib.import_module, importlib.util.find_spec
    imports.install()
    imports.install()
    assert imports.is_installed()
    assert builtins.__import__ is not before[0]
    imports.uninstall()
    assert (builtins.__import__, importlib.import_module, importlib.util.find_spec) == before
    assert not imports.is_installed()


def test_a_hook_put_over_ours_stays_and_ours_answers_no_more():
    before = builtins.__import__
    imports.install()
    ours = builtins.__import__
    builtins.__import__ = lambda *arguments, **keywords: ours(*arguments, **keywords)
    try:
        imports.uninstall()
        assert builtins.__import__ is not before
        with pytest.raises(ModuleNotFoundError):
            run_as_user("import scikeras.nothing")
    finally:
        builtins.__import__ = before


def test_what_is_really_installed_is_found_by_its_name(aliases):
    pytest.importorskip("sklearn")
    assert imports.real("sklearn") is sys.modules["sklearn"]
    with pytest.raises(ModuleNotFoundError, match="tf_keras"):
        imports.real("tf_keras.nothing")


def test_find_spec_tells_what_an_import_would_find(aliases):
    names = run_as_user(
        "import importlib.util as u\n"
        "there, missing = u.find_spec('tensorflow.keras'), u.find_spec('keras.layerz')\n"
        "inside = u.find_spec('json')"
    )
    assert names["there"].name == "tensorflow.keras"
    assert names["missing"] is None
    assert names["inside"].origin.endswith("__init__.py")


def test_relative_imports_are_left_to_python(aliases, tmp_path, monkeypatch):
    folder = tmp_path / "course_of_ana"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "keras.py").write_text("OWN = 1")
    (folder / "lesson.py").write_text("from .keras import OWN\nfrom . import keras as own\nimport keras\n")
    monkeypatch.syspath_prepend(tmp_path)
    lesson = importlib.import_module("course_of_ana.lesson")
    assert (lesson.OWN, lesson.own.OWN) == (1, 1)
    assert lesson.keras is modules.module("keras")


def test_alias_modules_are_pickled_and_copied_as_themselves(aliases):
    names = run_as_user("import keras, numpy, keras.layers")
    for module in (names["keras"], names["keras"].layers, names["numpy"]):
        assert isinstance(module, types.ModuleType)
        assert pickle.loads(pickle.dumps(module)) is module
        assert copy.deepcopy(module) is module


def test_inspect_knows_what_alias_modules_hold(aliases):
    names = run_as_user("import keras")
    keras = names["keras"]
    assert inspect.getmodule(keras.layers.Dense).__name__ == "doltap.layers.dense"
    assert dict(inspect.getmembers(keras.layers))["Dense"] is keras.layers.Dense
    assert "Sequential" in dir(keras)
    assert "optimizers" in dir(keras)
    assert repr(keras) == "<module 'keras' of doltap>"


def test_a_name_looked_up_once_is_kept(aliases):
    keras = run_as_user("import keras")["keras"]
    assert keras.layers is vars(keras)["layers"]


MISTAKES = {
    "import kears": "Did you mean 'keras'?",
    "from kears.layers import Dense": "Did you mean 'keras'?",
    "import tenserflow as tf": "Did you mean 'tensorflow'?",
    "import keras.layerz": "Did you mean 'keras.layers'?",
    "from keras.layer import Dense": "Did you mean 'keras.layers'?",
    "from keras import layer": "Did you mean 'Layer'?",
    "from keras.layers import Dence": "Did you mean 'Dense'?",
    "import keras; keras.callback.TensorBoard": "Did you mean 'callbacks'?",
    "import keras; keras.Moidel": "Did you mean 'Model'?",
    "from keras.layers import Sequential": "It stands in keras.models.",
    "from keras.layers import Conv2d": "Did you mean 'Conv2D'?",
    "import keras; keras.layers.Conv2D": "It is planned: Layers for images are the next family to come.",
    "import tensorflow.contrib.layers": "It ended with TensorFlow 1.",
    "import tensorflow.keras.layers.Dense as D": "Write: from tensorflow.keras.layers import Dense",
    "import tensorflow_addons as tfa": "does without TensorFlow, got 'tensorflow_addons'",
    "import tensorflow_datasets as tfds": "keras.datasets",
    "import tensorflow_docs.modeling": "leave EpochDots() out",
    "from kerastuner.tuners import RandomSearch": "doltap.tune",
    "import keras_tuner": "doltap.tune",
}


@pytest.mark.parametrize("code", MISTAKES)
def test_a_mistyped_or_missing_name_is_told_what_was_meant(aliases, code):
    with pytest.raises((ImportError, AttributeError)) as told:
        run_as_user(code)
    assert MISTAKES[code] in str(told.value)


USES = {
    "from keras.layers import Conv2D": ("Conv2D(32, 3)", "It is planned: Layers for images are the next"),
    "from keras.layers.convolutional import Conv2D": ("Conv2D(32, 3)", "It is planned: Layers for images"),
    "from keras.layers.recurrent import LSTM as L": ("L(8)", "It is planned: Recurrent layers"),
    "from keras.layers import *": ("Conv2D(32, 3)", "It is planned: Layers for images"),
    "from keras.layers import LSTM": ("type('Mine', (LSTM,), {})", "It is planned: Recurrent layers"),
    "from keras.applications.vgg16 import VGG16": ("VGG16(weights=None)", "train small ones."),
    "from keras import applications": ("applications.VGG16()", "train small ones."),
    "import keras.applications": ("keras.applications.VGG16", "train small ones."),
    "import keras.applications.vgg16 as vgg": ("vgg.VGG16()", "train small ones."),
    "from tensorflow.keras.preprocessing.image import load_img": ("load_img('a.png')", "Reading and writing"),
    "from tensorflow.python.ops.variables import anything": (
        "anything()",
        "one of TensorFlow's insides",
    ),
}


@pytest.mark.parametrize("imported", USES)
def test_importing_what_is_lacking_is_no_harm_and_using_it_is_refused(aliases, imported):
    names = run_as_user(imported)
    use, why = USES[imported]
    with pytest.raises((NotSupportedError, MissingAttributeError)) as told:
        eval(use, names)
    assert why in str(told.value)


def test_nothing_is_of_a_class_that_was_imported_in_passing(aliases):
    names = run_as_user(
        "from tensorflow.keras.layers import Conv2D, Dense\nis_image = isinstance(Dense(1), Conv2D)"
    )
    assert names["is_image"] is False
    assert repr(names["Conv2D"]) == "<Conv2D: imported, and not there>"
    assert not hasattr(names["Conv2D"], "__wrapped__")
    # What help() and notebooks show of it.
    assert str(inspect.signature(names["Conv2D"])) == "(*arguments: 'Any', **keywords: 'Any') -> 'Any'"
    assert "is not there. It is planned" in inspect.getdoc(names["Conv2D"])
    assert "Layers for images" in pydoc.render_doc(names["Conv2D"])
    assert "Conv2D" not in vars(modules.module("keras.layers.core"))


RULES = {
    "from tensorflow.python.keras.optimizer_v2 import adam": "adam.Adam(learning_rate=0.1)",
    "from tensorflow.python.keras.optimizer_v2 import gradient_descent as g": "g.SGD(lr=0.1)",
    "import tensorflow.python.keras.optimizer_v2.rmsprop as r": "r.RMSprop(0.1)",
    "from keras.optimizers import adam": "adam(lr=0.1)",
    "from keras.src.optimizers import nadam": "nadam.Nadam(0.1)",
    "from keras.optimizers.legacy import adagrad": "adagrad.Adagrad(0.1)",
    "import keras": "keras.optimizers.sgd(lr=0.1)",
}


@pytest.mark.parametrize("imported", RULES)
def test_a_module_of_an_optimizer_has_its_class_and_can_be_called_for_it(aliases, imported):
    rule = eval(RULES[imported], run_as_user(imported))
    assert isinstance(rule, doltap.optimizers.Optimizer)
    assert float(rule.learning_rate) == pytest.approx(0.1)


def test_the_errors_are_those_that_programs_expect(aliases):
    with pytest.raises(ModuleNotFoundError) as told:
        run_as_user("import keras.layerz")
    assert told.value.name == "keras.layerz"
    with pytest.raises(MissingNameError):
        run_as_user("from keras.layers import Dence")
    with pytest.raises(MissingAttributeError):
        run_as_user("import keras; keras.layers.Dence")
    assert run_as_user("import keras; found = hasattr(keras, 'nothing')")["found"] is False


def test_a_module_that_looks_like_none_of_ours_is_left_to_python(aliases):
    for name in ("torchvisionary", "tensorflow_nothing", "keras_nothing"):
        with pytest.raises(ModuleNotFoundError, match=f"^No module named '{name}'$"):
            run_as_user(f"import {name}")


def test_modules_of_scikit_learn_that_are_gone_are_found_where_they_went(aliases):
    pytest.importorskip("sklearn")
    names = run_as_user(
        "from sklearn.externals import joblib\n"
        "from sklearn import cross_validation, datasets\n"
        "from sklearn.grid_search import GridSearchCV\n"
        "import sklearn.cross_validation as again\n"
    )
    assert names["joblib"].__name__ == "joblib"
    assert names["cross_validation"].__name__ == names["again"].__name__ == "sklearn.model_selection"
    assert names["GridSearchCV"].__module__ == "sklearn.model_selection._search"
    assert names["datasets"].load_iris is sys.modules["sklearn.datasets"].load_iris


@pytest.mark.parametrize(
    "imported", ["import sklearn", "import sklearn, sklearn.linear_model", "import sklearn.preprocessing"]
)
def test_a_table_that_scikit_learn_dropped_is_found_from_the_topmost_module(
    aliases, imported, tmp_path, monkeypatch
):
    real = pytest.importorskip("sklearn")
    np.savez(tmp_path / "boston_housing.npz", x=np.ones((506, 13)), y=np.arange(506.0))
    monkeypatch.setenv("DOLTAP_DATASETS", str(tmp_path))
    names = run_as_user(f"{imported}\ntable = sklearn.datasets.load_boston()")
    assert names["table"].data.shape == (506, 13)
    sklearn = names["sklearn"]
    assert sklearn.preprocessing is real.preprocessing
    assert sklearn.datasets.load_iris is real.datasets.load_iris
    assert sklearn.grid_search is real.model_selection
    assert not hasattr(sklearn, "nothing")


def test_a_table_that_scikit_learn_dropped_is_read_from_the_file_of_keras(aliases, tmp_path, monkeypatch):
    pytest.importorskip("sklearn")
    x, y = np.arange(506.0 * 13).reshape(506, 13), np.arange(506.0)
    np.savez(tmp_path / "boston_housing.npz", x=x, y=y)
    monkeypatch.setenv("DOLTAP_DATASETS", str(tmp_path))
    names = run_as_user(
        "from sklearn.datasets import load_boston, load_iris\n"
        "from sklearn import datasets\n"
        "table = load_boston()\n"
        "data, prices = datasets.load_boston(return_X_y=True)\n"
        "import sklearn.datasets as tables\n"
        "import sklearn.datasets\n"
        "again = tables.load_boston().target, sklearn.datasets.load_boston().target\n"
    )
    assert np.array_equal(names["table"].data, x)
    assert np.array_equal(names["table"]["target"], y)
    assert np.array_equal(names["data"], x)
    assert all(np.array_equal(prices, y) for prices in (names["prices"], *names["again"]))
    assert names["sklearn"].__version__ == sys.modules["sklearn"].__version__
    assert len(names["table"].feature_names) == 13
    assert "506 districts" in names["table"].DESCR
    assert copy.copy(names["datasets"]).load_iris is names["load_iris"]
    assert not hasattr(names["datasets"], "load_bostom")
    assert "load_boston" not in vars(sys.modules["sklearn.datasets"])


PROGRAM = """
import sys, os, json
import doltap.compat
doltap.compat.install()

import helper
import installed_package
import tensorflow.keras as keras
import numpy as np

real = doltap.compat.real("keras")
print(json.dumps({
    "helper": helper.keras is keras and helper.np.float_ is np.float64,
    "installed sees": installed_package.keras.WHO,
    "installed numpy": installed_package.np is sys.modules["numpy"],
    "installed by path": installed_package.by_path.WHO,
    "real": real.WHO,
    "in modules": sys.modules["keras"].WHO,
    "real numpy": hasattr(sys.modules["numpy"], "float_"),
    "ours": keras.layers.Dense.__module__,
}))
"""


def test_helpers_beside_the_program_get_the_aliases_and_installed_packages_what_is_there(tmp_path):
    installed = tmp_path / "site-packages"
    (installed / "keras").mkdir(parents=True)
    (installed / "keras" / "__init__.py").write_text("WHO = 'the real one'")
    (installed / "installed_package.py").write_text(
        "import importlib, keras, numpy as np\nby_path = importlib.import_module('keras')"
    )
    (tmp_path / "helper.py").write_text("from tensorflow import keras\nimport numpy as np")
    (tmp_path / "program.py").write_text(PROGRAM)
    paths = os.pathsep.join(
        [str(installed), str(tmp_path), os.path.dirname(os.path.dirname(doltap.__file__))]
    )
    done = subprocess.run(
        [sys.executable, "program.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "helper": True,
        "installed sees": "the real one",
        "installed numpy": True,
        "installed by path": "the real one",
        "real": "the real one",
        "in modules": "the real one",
        "real numpy": False,
        "ours": "doltap.layers.dense",
    }


def test_installing_loads_nothing_heavy_and_finds_no_keras():
    code = (
        "import sys, json, doltap.compat; doltap.compat.install();"
        "print(json.dumps([m for m in sys.modules if m.startswith(('doltap', 'jax', 'numpy', 'keras'))]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert set(json.loads(done.stdout)) == {
        "doltap",
        "doltap.compat",
        "doltap.compat.asking",
        "doltap.compat.imports",
        "doltap.old_modules",
    }


def test_what_tensorflow_1_was_told_is_found_under_its_root(aliases):
    names = run_as_user(
        "import tensorflow as tf\n"
        "config = tf.ConfigProto(intra_op_parallelism_threads=1)\n"
        "config.gpu_options.allow_growth = True\n"
        "tf.keras.backend.set_session(tf.Session(graph=tf.get_default_graph(), config=config))\n"
        "tf.set_random_seed(1)\n"
        "tf.logging.set_verbosity(tf.logging.ERROR)\n"
        "tf.compat.v1.logging.set_verbosity(tf.compat.v1.logging.ERROR)\n"
        "from tensorflow import set_random_seed\n"
    )
    assert names["tf"].__version__ == names["tf"].compat.v1.__version__ == "2.16.1+doltap"
    assert names["tf"].__name__ == "tensorflow"
