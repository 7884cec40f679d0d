"""Every row of the tables of module paths leads somewhere, or says why not."""

import importlib
import importlib.util

import numpy as np
import pytest

import doltap
from doltap import layers, old_modules, old_names
from doltap.compat import modules
from doltap.errors import DoltapError, MissingAttributeError, UnknownNameError
from doltap.planned import lack_of


def is_there(place):
    try:
        return importlib.util.find_spec(f"doltap.{place}".rstrip(".")) is not None
    except ModuleNotFoundError:
        return False


@pytest.mark.parametrize("path", old_modules.PLACES)
def test_every_module_is_there_or_says_when_it_comes(path):
    places = old_modules.PLACES[path].split()
    if not places or any(is_there(place) for place in places):
        found = modules.module(path)
        assert found.__name__ == path
        for name in dir(found):
            assert hasattr(found, name), name
        return
    with pytest.raises(modules.MissingModuleError) as told:
        modules.module(path)
    told = str(told.value)
    assert "planned" in told or old_modules.GONE.get("keras.applications") in told


OF_TODAY = [path for path, places in old_modules.PLACES.items() if any(map(is_there, places.split()))]


@pytest.mark.parametrize("path", OF_TODAY)
def test_what_a_path_offers_is_what_todays_module_has(path):
    places = [place for place in old_modules.PLACES[path].split() if is_there(place)]
    found = modules.module(path)
    today = importlib.import_module(f"doltap.{places[0]}".rstrip("."))
    for name in getattr(today, "__all__", ())[:5]:
        inner = f"{path}.{name}"
        if inner not in old_modules.PLACES and not name.startswith("_"):
            assert getattr(found, name) is getattr(today, name)


@pytest.mark.parametrize("prefix", old_modules.PREFIXES)
def test_every_prefix_leads_to_the_module_of_today(prefix):
    today = old_modules.PREFIXES[prefix]
    assert modules.module(prefix) is modules.module(today)
    if today == "keras":
        assert modules.module(f"{prefix}.layers.core.dense").Dense is layers.Dense


@pytest.mark.parametrize("path", old_modules.THINGS)
def test_every_thing_is_found_at_its_old_path(path):
    place, _, name = path.rpartition(".")
    today, _, today_name = old_modules.THINGS[path].rpartition(".")
    wanted = getattr(importlib.import_module(f"doltap.{today}"), today_name)
    assert getattr(modules.module(place), name) is wanted


@pytest.mark.parametrize("path", old_modules.GONE)
def test_everything_that_is_gone_says_what_to_do(path):
    place, _, name = (f"{path}.anything" if path in old_modules.PLACES else path).rpartition(".")
    if path == "keras.applications":
        place, name = "keras", "applications"
    with pytest.raises((AttributeError, ImportError)) as told:
        getattr(modules.module(place), name)
    assert isinstance(told.value, DoltapError)
    assert old_modules.GONE[path] in str(told.value)


def test_every_namespace_of_doltap_has_a_row():
    rows = {place for places in old_modules.PLACES.values() for place in places.split()}
    # Searches stand in a namespace of our own.
    assert set(doltap._namespaces) - {"tune"} <= rows


def test_every_row_of_a_module_names_one_that_is_there_or_planned():
    for path, places in old_modules.PLACES.items():
        for place in places.split():
            known = is_there(place) or place.startswith("compat") or lack_of(place)
            assert known or path.startswith(("keras.applications", "scikeras")), (path, place)


def test_an_old_path_is_told_to_those_who_listen():
    heard = []
    modules.forget()
    old_names.hear(lambda *what: heard.append(what))
    try:
        assert modules.module("keras.utils.np_utils").to_categorical
        assert modules.module("keras.layers").Dense
        modules.fill(modules.module("keras.layers.core"))
        assert modules.module("keras.engine.topology").Container
    finally:
        old_names.hear(None)
        modules.forget()
    assert heard == [
        ("module", "keras.utils.np_utils.to_categorical", "keras.utils.to_categorical"),
        ("module", "keras.layers.core", "keras.layers"),
        ("module", "keras.engine.topology.Container", "keras.models.Model"),
    ]


def test_merge_is_a_module_and_a_function():
    merge = modules.module("keras.layers").merge
    a, b = layers.Input((2,)), layers.Input((2,))
    assert merge([a, b], mode="concat").shape == (None, 4)
    assert merge.concatenate is layers.concatenate
    assert modules.module("keras.layers.merge").Add is layers.Add
    with pytest.raises(TypeError, match="not callable"):
        modules.module("keras.layers")()


@pytest.mark.parametrize(
    ("mode", "shape"),
    [
        ("sum", (None, 3)),
        ("mul", (None, 3)),
        ("ave", (None, 3)),
        ("max", (None, 3)),
        ("concat", (None, 6)),
        ("dot", (None, 1)),
        ("cos", (None, 1)),
        (lambda pair: pair[0] - pair[1], (None, 3)),
    ],
)
def test_merge_joins_in_every_mode_of_keras_1(mode, shape):
    merge = modules.module("keras.layers").merge
    assert merge([layers.Input((3,)), layers.Input((3,))], mode=mode).shape == shape


def test_merge_refuses_an_unknown_mode_and_layers():
    merge = modules.module("keras.layers").merge
    with pytest.raises(UnknownNameError, match="Did you mean 'concat'"):
        merge([layers.Input((3,)), layers.Input((3,))], mode="concatt")
    with pytest.raises(DoltapError, match="got layers or models"):
        merge([layers.Dense(1), layers.Dense(1)])


def test_reductions_are_the_words_of_losses():
    reduction = modules.module("keras.losses").Reduction
    for word in (reduction.AUTO, reduction.NONE, reduction.SUM, reduction.SUM_OVER_BATCH_SIZE):
        assert doltap.losses.MeanSquaredError(reduction=word).reduction == word


def test_dunder_names_are_not_looked_up():
    with pytest.raises(AttributeError) as told:
        modules.module("keras").__wrapped__  # noqa: B018
    assert not isinstance(told.value, MissingAttributeError)


def test_a_thresholded_relu_keeps_what_is_above_and_survives_a_file(tmp_path):
    kind = modules.module("keras.layers").ThresholdedReLU
    x = np.array([[0.5, 1.0, 2.0]], np.float32)
    model = doltap.Sequential([layers.Input((3,)), kind(theta=1.0)])
    assert model.predict(x, verbose=0).tolist() == [[0.0, 0.0, 2.0]]
    model.save(tmp_path / "model.keras")
    again = doltap.models.load_model(tmp_path / "model.keras")
    assert again.layers[-1].theta == 1.0
    assert again.predict(x, verbose=0).tolist() == [[0.0, 0.0, 2.0]]
