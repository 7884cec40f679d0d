"""Names and what they stand for."""

from __future__ import annotations

import pytest

from doltap.errors import UnknownArgumentError, UnknownNameError
from doltap.registry import Configured, Names, arguments_of, check_arguments, snake_case


class MeanThing(Configured):
    def __init__(self, size=1, *, name="thing"):
        self.size, self.name = size, name

    def get_config(self):
        return {"size": self.size, "name": self.name}


@pytest.fixture
def names():
    made = Names("thing")
    made.register("mt")(MeanThing)
    return made


@pytest.mark.parametrize("name", ["MeanThing", "mean_thing", "mt", "MT", "Mean_Thing", "meanthing"])
def test_a_thing_is_found_by_all_its_names_whatever_their_capitals(names, name):
    assert name in names
    assert names.find(name) is MeanThing
    assert type(names.make(name)) is MeanThing


@pytest.mark.parametrize("name", ["", "meen_thing", 3, None, ("mt",)])
def test_an_unknown_name_is_refused(names, name):
    assert name not in names
    with pytest.raises(UnknownNameError):
        names.find(name)


def test_the_nearest_name_is_offered_and_else_all_of_them(names):
    with pytest.raises(UnknownNameError, match="Did you mean 'mean_thing'"):
        names.find("mean_thin")
    with pytest.raises(UnknownNameError, match="Known names: mean_thing, meanthing, mt"):
        names.find("xyz")


def test_a_class_and_a_config_are_made_and_an_object_is_left_alone(names):
    thing = MeanThing(4)
    assert names.make(thing) is thing
    assert names.make(MeanThing).size == 1
    again = names.make({"class_name": "MeanThing", "config": thing.get_config()})
    assert again.get_config() == thing.get_config()
    assert names.make({"class_name": "mt"}).size == 1
    assert names.make(None) is None
    assert len(list(names)) == 3


def test_one_more_name_can_be_added(names):
    names.add("Alias", MeanThing)
    assert names.find("alias") is MeanThing


@pytest.mark.parametrize(
    ("name", "snake"),
    [
        ("Dense", "dense"),
        ("InputLayer", "input_layer"),
        ("ReLU", "re_lu"),
        ("SGD", "sgd"),
        ("RMSprop", "rm_sprop"),
        ("MeanSquaredError", "mean_squared_error"),
        ("Conv2D", "conv2d"),
    ],
)
def test_names_become_snake_case(name, snake):
    assert snake_case(name) == snake


@pytest.mark.parametrize(
    "name", ["Dense", "InputLayer", "ReLU", "RMSprop", "Conv2DTranspose", "LSTM", "A1B2", "_Hidden"]
)
def test_snake_case_is_that_of_keras(keras, name):
    from keras.src.utils.naming import to_snake_case

    assert snake_case(name) == to_snake_case(name)


def test_keywords_nobody_knows_are_refused_with_the_nearest_known_one():
    assert arguments_of(MeanThing) == ["size", "name"]
    assert arguments_of(lambda a, *b, c=1, **d: None) == ["a", "c"]
    check_arguments("MeanThing", {"size": 3}, ["size", "name"])
    with pytest.raises(UnknownArgumentError, match="Did you mean 'size='"):
        check_arguments("MeanThing", {"siz": 3}, ["size", "name"])
    with pytest.raises(TypeError, match="It takes: name, size"):
        check_arguments("MeanThing", {"zzzz": 3}, ["size", "name"])
