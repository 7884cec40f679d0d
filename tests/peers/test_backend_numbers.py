"""keras.backend gives what Keras 2 gave, and no public name of Keras 2 is unknown."""

import importlib.util
import inspect
import pathlib

import numpy as np
import pytest

from doltap.compat import keras_backend as ours
from doltap.compat import modules

tf_keras = pytest.importorskip("tf_keras")
API = pytest.importorskip("tf_keras.api._v2.keras")
FILE = pathlib.Path(__file__).parent.parent / "compat" / "test_keras_backend.py"
SPEC = importlib.util.spec_from_file_location("backend_calls", FILE)
CALLS = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(CALLS)

# What Keras 1 had, or the Keras 2 of TensorFlow has no more.
OLDER = {"erf", "expm1", "identity", "is_placeholder", "is_variable", "log1p", "logsumexp"}


class Keras2:
    """The backend of Keras 2, given tensors where ours is given arrays."""

    def __getattr__(self, name):
        function = getattr(tf_keras.backend, name)
        return lambda *arguments, **keywords: function(
            *map(as_tensor, arguments), **{key: as_tensor(value) for key, value in keywords.items()}
        )


def as_tensor(value):
    if isinstance(value, list) and value and isinstance(value[0], np.ndarray):
        return [as_tensor(each) for each in value]
    is_array = isinstance(value, (np.ndarray, np.generic))
    return tf_keras.backend.constant(value, value.dtype.name) if is_array else value


def named(call):
    return call.partition("(")[0].removeprefix("K.")


@pytest.mark.parametrize("call", [call for call in CALLS.NUMBERS if named(call) not in OLDER])
def test_a_function_gives_keras_2s_numbers(call):
    names = dict(vars(CALLS))
    theirs = np.asarray(eval(call, {**names, "K": Keras2()}))
    found = np.asarray(eval(call, {**names, "K": ours}))
    np.testing.assert_allclose(found, theirs, rtol=1e-5, atol=1e-6)
    assert found.shape == theirs.shape


@pytest.mark.parametrize("name", sorted(set(ours.__all__) & set(dir(tf_keras.backend))))
def test_a_function_takes_keras_2s_arguments(name):
    theirs = inspect.signature(getattr(tf_keras.backend, name)).parameters
    found = inspect.signature(getattr(ours, name)).parameters
    assert [each for each in theirs if each not in ("kwargs", "ragged", "ignore_class")] == [
        each for each in found if each not in ("keywords", "initial", "dtype_")
    ][: len(theirs)]


def public(module, path):
    for name, value in vars(module).items():
        if name.startswith("_"):
            continue
        yield path, name
        if inspect.ismodule(value) and value.__name__.startswith("tf_keras.api"):
            yield from public(value, f"{path}.{name}")


@pytest.mark.parametrize(("path", "name"), sorted(set(public(API, "keras"))))
def test_every_public_name_of_keras_2_is_there_or_says_why_not(path, name):
    try:
        assert hasattr(modules.module(path), name) or getattr(modules.module(path), name)
    except (AttributeError, ImportError) as error:
        told = str(error)
        assert "lists" not in told, told
        assert "Did you mean" not in told, told
