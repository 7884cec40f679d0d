"""The exchange with Keras 2 and 3 themselves, in an environment that has both: `make peers`.

Elsewhere these tests are not even collected.
"""

from __future__ import annotations

import importlib.util
import os
import pathlib
import sys
import warnings

import pytest

HERE = pathlib.Path(__file__).parent
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = "jax"
collect_ignore_glob = [] if importlib.util.find_spec("tf_keras") else ["*.py"]
# The layers that every test of layers knows, and the converter.
sys.path += [str(HERE.parent / "layers"), str(HERE.parents[1] / "tools")]


def pytest_collection_modifyitems(items):
    # What TensorFlow and Keras warn of is no matter of ours; what doltap says is asked for by name.
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("ignore"))


@pytest.fixture(scope="session")
def keras2():
    """Keras 2, as TensorFlow's users have it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = pytest.importorskip("tf_keras")
    import tensorflow

    tensorflow.get_logger().setLevel("ERROR")
    return module


@pytest.fixture(scope="session")
def keras3():
    """Keras 3 on JAX."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("keras")
