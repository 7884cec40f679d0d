"""What is said when a layer is called on what it cannot compute with, beside real Keras where that runs."""

import jax.numpy as jnp
import numpy as np
import pytest

import doltap
from doltap import layers, ops
from doltap.errors import DoltapError, MissingAttributeError, NotSupportedError, ShapeError

X = np.ones((4, 3), np.float32)


def layer_of(function):
    class Own(layers.Layer):
        def call(self, inputs):
            return function(inputs)

    return Own(name="mine")


MISTAKES = {
    "a product that does not fit": (lambda a: ops.matmul(a, jnp.ones((4, 2))), "dot_general"),
    "a sum that does not fit": (lambda a: a + jnp.ones((9, 7)), r"\(batch, 3\), \(9, 7\)"),
    "an attribute": (lambda a: a.foo, "'?foo'?"),
    "nothing added": (lambda a: a + None, "NoneType"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.parametrize("how", ["called", "promised", "inside", "in fit"])
def test_an_error_in_a_layer_of_ones_own_names_layer_line_and_shapes(mistake, how):
    function, said = MISTAKES[mistake]
    layer = layer_of(function)

    def begin():
        if how == "promised":
            layer(layers.Input((3,)))
        elif how == "inside":
            layer_of(layer)(X)
        elif how == "in fit":
            model = doltap.Sequential([layer])
            model.compile(loss="mse")
            model.fit(X, X, verbose=0)
        else:
            layer(X)

    with pytest.raises(DoltapError, match=said) as caught:
        begin()
    assert "layer 'mine'" in str(caught.value)
    assert "test_wrong_calls.py" in str(caught.value)
    assert "got (batch, 3)" in str(caught.value)
    assert isinstance(caught.value.__cause__, (TypeError, ValueError, AttributeError))
    assert isinstance(caught.value, MissingAttributeError if mistake == "an attribute" else ShapeError)


@pytest.mark.parametrize("kind", [ValueError, TypeError, KeyError, AttributeError])
def test_what_a_layer_raises_on_purpose_comes_out_as_it_is(kind):
    def refuse(a):
        raise kind("on purpose")

    with pytest.raises(kind, match="on purpose") as caught:
        layer_of(refuse)(X)
    assert not isinstance(caught.value, DoltapError)


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ("hello", "TextVectorization"),
        (["hello"], "TextVectorization"),
        (np.array(["hello"]), "TextVectorization"),
        (None, "got None"),
        ([X, X], "Concatenate"),
        ([layers.Input((3,)), layers.Input((3,))], "Concatenate"),
    ],
    ids=["text", "texts", "array of texts", "nothing", "several", "several promises"],
)
def test_what_is_no_array_is_answered_with_the_cure(inputs, said):
    with pytest.raises(ShapeError, match=said) as caught:
        layers.Dense(3, name="mine")(inputs)
    assert "layer 'mine'" in str(caught.value)


def several(library, calls):
    class Several(library.layers.Layer):
        def build(self, query_shape, value_shape=None):
            calls.append((tuple(query_shape), value_shape and tuple(value_shape)))
            self.scale = self.add_weight(shape=(query_shape[-1],), initializer="ones", name="scale")

        def call(self, query, value=None):
            return query * self.scale

    return Several()


@pytest.mark.parametrize("form", ["positions", "names", "one", "promises"])
def test_build_gets_the_shapes_of_all_arguments_as_in_keras(keras, form):
    seen, written = [], []
    for library in (keras, doltap):
        calls = []
        layer = several(library, calls)
        if form == "positions":
            layer(X, np.ones((4, 5), np.float32))
        elif form == "names":
            layer(query=X, value=np.ones((4, 5), np.float32))
        elif form == "promises":
            layer(library.Input((3,)), library.Input((5,)))
        else:
            layer(X)
        seen.append(calls)
        written.append(layer.get_build_config())
        again = several(library, calls)
        again.build_from_config(layer.get_build_config())
        assert again.scale.shape == (3,)
    assert seen[0] == seen[1]
    assert written[0] == written[1]


def test_the_first_argument_may_be_passed_by_its_own_name(keras):
    outputs = []
    for library in (keras, doltap):

        class Doubled(library.Model):
            def call(self, x):
                return x * 2

        outputs += [several(library, [])(query=X, value=X), Doubled()(x=X)]
    for output in outputs[:2] + outputs[2:]:
        assert output.shape == (4, 3)
    np.testing.assert_allclose(np.asarray(outputs[1]), np.asarray(outputs[3]))
    model = doltap.Sequential([layers.Dense(2)])
    assert model(inputs=X).shape == (4, 2)


def test_numpy_functions_of_a_promise_name_the_operation_and_operators_work():
    promise = layers.Input((3,))
    with pytest.raises(NotSupportedError, match=r"doltap\.ops\.exp"):
        np.exp(promise)
    with pytest.raises(NotSupportedError, match=r"doltap\.ops\.maximum"):
        np.maximum(promise, 0)
    row = np.array([[1.0, 2.0, 4.0]], np.float32)
    formulas = {
        "+": lambda a: row + a,
        "-": lambda a: row - a,
        "*": lambda a: row * a,
        "/": lambda a: row / a,
        "//": lambda a: row // a,
        "%": lambda a: row % a,
        "**": lambda a: row**a,
        "<": lambda a: row < a,
        ">=": lambda a: row >= a,
        "scalar": lambda a: np.float32(3) - a,
    }
    values = np.array([[3.0, 2.0, 1.0]], np.float32)
    for name, formula in formulas.items():
        model = doltap.Model(promise, ops.cast(formula(promise), "float32"))
        np.testing.assert_allclose(model(values), formula(values), rtol=1e-6, err_msg=name)


def test_shapes_that_do_not_fit_are_told_with_the_batch_open():
    with pytest.raises(ShapeError) as caught:
        layers.Input((2,)) + layers.Input((3,))
    assert "(None, 2), (None, 3)." in str(caught.value)
    assert "(3, 2)" not in str(caught.value)
    assert ".." not in str(caught.value)


def test_an_identity_of_four_axes_is_not_told_to_be_for_kernels():
    with pytest.raises(ShapeError) as caught:
        doltap.initializers.Identity()((3, 3, 16, 32))
    assert "Use it for kernels" not in str(caught.value)
    with pytest.raises(ShapeError, match="zeros"):
        doltap.initializers.Identity()((3,))
