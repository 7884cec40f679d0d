"""Pictures of models: files, what notebooks show, and what is wrong with what was asked."""

import sys
import xml.etree.ElementTree as ElementTree

import pytest

import doltap as keras
from doltap import layers
from doltap.errors import DoltapError, MissingPackageError
from doltap.models.telling.describing import network_of


def tower(name="tower"):
    return keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(3, "relu", name="hidden"),
            layers.Dropout(0.5),
            layers.Dense(2, name="out"),
        ],
        name=name,
    )


def branching():
    left, right = keras.Input((8,), name="left"), keras.Input((8,), name="right")
    shared = layers.Dense(4, name="shared")
    inner_input = keras.Input((4,), name="inside")
    inner = keras.Model(inner_input, layers.Dense(2, name="inner_dense")(inner_input), name="inner")
    one, other = shared(left), inner(shared(right))
    joined = layers.Concatenate(name="joined")([one, other])
    outputs = [layers.Dense(1, name="price")(joined), layers.Dense(3, name="kind")(joined * 2.0)]
    return keras.Model([left, right], outputs, name="branching")


class Own(keras.Model):
    def __init__(self):
        super().__init__()
        self.second, self.first = layers.Dense(1, name="second"), layers.Dense(3, name="first")

    def call(self, inputs):
        return self.second(self.first(inputs))


def names_and_links(network):
    names = {part.key: part.name for part in network.parts}
    return {(names[a], names[b]) for a, b in network.links}


def test_a_network_is_its_calls_and_what_leads_where():
    keras.backend.clear_session()  # Calls without a name are counted.
    network = network_of(branching())
    assert names_and_links(network) == {
        ("left", "shared"),
        ("right", "shared"),
        ("shared", "inner"),
        ("shared", "joined"),
        ("inner", "joined"),
        ("joined", "price"),
        ("joined", "multiply"),
        ("multiply", "kind"),
    }
    parts = {part.name: part for part in network.parts}
    assert parts["shared"].num_calls == 2
    assert parts["shared"].parameters == 36
    assert parts["joined"].input_shape == "(None, 4), (None, 2)"
    assert [parts[name].family for name in ("left", "shared", "joined", "multiply", "inner")] == [
        "input",
        "weights",
        "plain",
        "operation",
        "model",
    ]
    assert parts["inner"].inner is None


def test_models_inside_are_shown_when_that_is_asked_for():
    network = network_of(branching(), is_expanded=True)
    (inner,) = [part.inner for part in network.parts if part.name == "inner"]
    assert names_and_links(inner) == {("inside", "inner_dense")}


def test_a_sequential_begins_with_its_input():
    network = network_of(tower())
    assert [part.family for part in network.parts] == ["input", "weights", "plain", "weights"]
    assert len(network.links) == 3
    assert network.parts[1].activation == "relu"
    assert network.parts[3].activation == ""


def test_a_class_of_ones_own_shows_its_layers_in_the_order_of_their_calls():
    model = Own()
    assert not network_of(model).has_links
    model.build((None, 4))
    network = network_of(model)
    assert [part.name for part in network.parts] == ["first", "second"]
    assert network.parts[0].output_shape == "(None, 3)"


@pytest.mark.parametrize("form", ["svg", "png", "pdf"])
def test_a_model_is_drawn_to_a_file(tmp_path, form):
    pytest.importorskip("matplotlib")
    path = tmp_path / f"model.{form}"
    picture = keras.utils.plot_model(branching(), path, show_shapes=True, expand_nested=True, dpi=50)
    assert path.read_bytes().startswith({"svg": b"<svg", "png": b"\x89PNG", "pdf": b"%PDF"}[form])
    assert "(None, 8)" in picture.svg
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_the_arguments_are_those_of_keras(keras):
    import inspect

    from doltap.utils import plot_model

    theirs = inspect.signature(keras.utils.plot_model).parameters
    ours = inspect.signature(plot_model).parameters
    wanted = {name: p.default for name, p in theirs.items() if p.kind is not p.VAR_KEYWORD}
    assert {name: p.default for name, p in ours.items() if name in wanted} == wanted
    assert [name for name in ours if name in wanted] == list(wanted)


def test_every_flag_shows_what_it_says(tmp_path):
    def draw(**shown):
        return keras.utils.plot_model(tower(), None, **shown).svg

    assert "hidden" not in draw()
    assert "hidden (Dense)" in draw(show_layer_names=True)
    assert "(None, 3)" in draw(show_shapes=True)
    assert "float32" in draw(show_dtype=True)
    assert "relu" in draw(show_layer_activations=True)
    assert "trainable" in draw(show_trainable=True)
    assert ">15<" in draw(show_parameters=True)
    assert "relu" not in draw(show_shapes=True)


def test_a_picture_shows_itself_in_a_notebook():
    picture = keras.utils.plot_model(tower(), None, show_layer_names=True)
    assert "<svg" in picture._repr_html_()
    assert "hidden" not in repr(picture)


def test_a_notebook_shows_the_picture_of_a_model_and_of_one_not_built_the_list():
    shown = tower()._repr_html_()
    assert "<svg" in shown
    assert "hidden (Dense)" in shown
    shown = keras.Sequential([layers.Dense(3, name="<script>")])._repr_html_()
    assert "<svg" not in shown
    assert "not built yet" in shown
    assert "&lt;script&gt;" in shown
    assert "<script" not in shown
    assert "0 layers" in keras.Sequential()._repr_html_()


def test_a_notebook_shows_a_very_deep_model_as_a_list():
    model = keras.Sequential([keras.Input((2,)), *(layers.Activation("relu") for _ in range(130))])
    assert "<svg" not in model._repr_html_()
    assert model._repr_html_().count("<tr>") == 132


def test_a_layer_with_a_name_that_is_a_script_is_text(tmp_path):
    model = keras.Sequential([keras.Input((2,)), layers.Dense(1, name="<script>alert(1)</script>")])
    keras.utils.plot_model(model, tmp_path / "a.svg", show_layer_names=True)
    tags = {each.tag.rpartition("}")[2] for each in ElementTree.parse(tmp_path / "a.svg").iter()}
    assert "script" not in tags


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"to_file": "model.gif"}, "ends in .png, .svg or .pdf"),
        ({"to_file": "model.jpg"}, "Did you mean 'model.png'"),
        ({"to_file": "model.sgv"}, "Did you mean 'model.svg'"),
        ({"to_file": 3}, r"plot_model\(to_file\): expected .* as text, got a int.\n.*plot_model\(model, "),
        ({"to_file": "no/such/folder/model.svg"}, "a folder that is there"),
        ({"rankdir": "UP"}, "rankdir"),
        ({"splines": "wavy"}, "splines"),
        ({"dpi": 0}, "pixels of an inch"),
        ({"show_shape": True}, "show_shapes="),
    ],
)
def test_what_cannot_be_drawn_is_said_before_anything_is_written(tmp_path, monkeypatch, asked, said):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DoltapError, match=said):
        keras.utils.plot_model(tower(), **{"to_file": "model.svg", **asked})
    assert not list(tmp_path.iterdir())


def test_a_model_without_shapes_and_what_is_no_model_are_refused(tmp_path):
    with pytest.raises(DoltapError, match="shape of its input"):
        keras.utils.plot_model(keras.Sequential([layers.Dense(1)]), tmp_path / "a.svg")
    with pytest.raises(DoltapError, match=r"a model.*\n.*Sequential\(\[layer"):
        keras.utils.plot_model(layers.Dense(1), tmp_path / "a.svg")
    with pytest.raises(DoltapError, match=r"a model, got a str.\n.*plot_model\(model, "):
        keras.utils.plot_model("model.svg", tower())


@pytest.mark.parametrize("kind", ["sequential", "functional"])
def test_a_model_of_an_input_alone_shows_its_shape(kind):
    only = keras.Input((4,))
    model = keras.Sequential([only]) if kind == "sequential" else keras.Model(only, only)
    assert "(None, 4)" in keras.utils.plot_model(model, None, show_shapes=True).svg
    assert "(None, 4)" in model._repr_html_()


def test_without_matplotlib_the_line_that_installs_it_comes_first_and_svg_needs_none(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingPackageError, match=r'pip install "doltap\[plot\]"'):
        keras.utils.plot_model(tower(), tmp_path / "a.png")
    assert not list(tmp_path.iterdir())
    keras.utils.plot_model(tower(), tmp_path / "a.svg")


def test_a_picture_that_is_there_stays_when_the_new_one_cannot_be_made(tmp_path, monkeypatch):
    path = tmp_path / "a.svg"
    path.write_text("before")
    from doltap.reporting.diagram import svg

    def fail(*given, **named):
        raise KeyboardInterrupt

    monkeypatch.setattr(svg, "as_svg", fail)
    with pytest.raises(KeyboardInterrupt):
        keras.utils.plot_model(tower(), path)
    assert path.read_text() == "before"
    assert [each.name for each in tmp_path.iterdir()] == ["a.svg"]
