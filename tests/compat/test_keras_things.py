"""Things that old programs import and a few lines bring back."""

import sys

import numpy as np
import pytest

import doltap
from doltap.compat import keras_things
from doltap.errors import NotSupportedError


def network():
    return doltap.Sequential([doltap.Input((2,)), doltap.layers.Dense(3, name="hidden")], name="net")


def test_the_picture_of_a_model_has_the_names_of_its_layers_as_in_keras_2(tmp_path):
    picture = keras_things.plot_model(network(), tmp_path / "net.svg", show_shapes=True)
    assert "hidden (Dense)" in picture.svg
    assert "hidden (Dense)" in (tmp_path / "net.svg").read_text()


def test_where_pictures_cannot_be_drawn_the_layers_are_printed(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert keras_things.plot_model(network(), tmp_path / "net.png") is None
    said = capsys.readouterr().out
    assert "hidden" in said
    assert 'pip install "doltap[plot]"' in said
    assert not list(tmp_path.iterdir())


def test_a_description_for_graphviz_is_refused_with_what_there_is():
    with pytest.raises(NotSupportedError, match="plot_model"):
        keras_things.model_to_dot(network())


def test_a_regularizer_that_is_a_function_comes_back_with_the_model(tmp_path):
    def size(weight):
        return 0.01 * abs(weight).sum()

    model = doltap.Sequential([doltap.Input((2,)), doltap.layers.Dense(1, kernel_regularizer=size)])
    for name in ("net.keras", "net.h5"):
        model.save(tmp_path / name)
        again = doltap.models.load_model(tmp_path / name, custom_objects={"size": size})
        assert float(again.losses[0]) == pytest.approx(float(model.losses[0]))
        np.testing.assert_array_equal(again.get_weights()[0], model.get_weights()[0])
