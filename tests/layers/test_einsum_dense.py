"""EinsumDense: shapes from equations, where its kernels start, and what no layer can be made of."""

from __future__ import annotations

import numpy as np
import pytest

from doltap import initializers
from doltap.errors import ShapeError
from doltap.layers import EinsumDense

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning:keras")

EQUATIONS = [
    ("ab,bc->ac", 4, "c", (None, 3)),
    ("abc,cd->abd", (5, 4), "d", (None, 5, 3)),
    ("abc,cde->abde", (5, 4, 2), "de", (None, 5, 3)),
    ("abc,cde->abde", (5, 4, 2), "e", (None, 5, 3)),
    ("abc,cde->abde", (5, 4, 2), "be", (None, 5, 3)),
    ("...x,xy->...y", 4, "y", (None, 5, 3)),
    ("...xy,xyz->...z", 4, "z", (None, 5, 3)),
    ("ab...,bc->ac...", 4, "c", (None, 3, 5)),
    ("ab...,bcd->acd...", (4, 2), "cd", (None, 3, 5)),
    ("ab,ab->ab", 3, None, (2, 3)),
]


@pytest.mark.parametrize(("equation", "output_shape", "bias_axes", "shape"), EQUATIONS)
def test_shapes_of_weights_and_outputs_are_those_of_keras(keras, equation, output_shape, bias_axes, shape):
    options = {"output_shape": output_shape, "bias_axes": bias_axes}
    ours, theirs = EinsumDense(equation, **options), keras.layers.EinsumDense(equation, **options)
    ours.build(shape), theirs.build(shape)
    assert [w.shape for w in ours.weights] == [tuple(w.shape) for w in theirs.weights]
    assert ours.compute_output_shape(shape) == tuple(theirs.compute_output_shape(shape))


def test_the_kernel_starts_by_the_axes_that_it_sums_over(keras):
    options = {
        "equation": "abc,dce->abde",
        "output_shape": (5, 100, 30),
        "kernel_initializer": "lecun_normal",
    }
    spread = []
    for kind in (EinsumDense, keras.layers.EinsumDense):
        layer = kind(**options)
        layer.build((None, 5, 50))
        spread.append(np.std(layer.get_weights()[0]))
    assert spread[0] == pytest.approx(1 / np.sqrt(50), rel=0.02)
    assert spread[1] == pytest.approx(spread[0], rel=0.02)
    fixed = EinsumDense("ab,bc->ac", 4, kernel_initializer=initializers.Constant(2.0))
    assert (fixed(np.ones((1, 3))) == 6).all()


def test_lengths_that_the_input_tells_are_filled_in():
    layer = EinsumDense("abc,cd->abd", (None, 4))
    assert layer.compute_output_shape((None, 5, 3)) == (None, 5, 4)
    assert layer.compute_output_shape((None, None, 3)) == (None, None, 4)
    assert EinsumDense("...x,xy->...y", 4).compute_output_shape((None, 2, 3, 5, 6)) == (None, 2, 3, 5, 4)


@pytest.mark.parametrize(
    "equation",
    [
        "abc",
        "ab->ac",
        "ab,bc",
        "...ab,bc->ac",
        "ab...,bc->...ac",
        "...a...,ab->...b...",
        "a1,1c->ac",
        "",
        "a,b,c->d",
    ],
)
def test_equations_of_no_layer_are_refused(equation):
    with pytest.raises(ShapeError, match=r"an equation like 'abc,cd->abd'"):
        EinsumDense(equation, 4)


def test_letters_that_come_from_nowhere_are_refused():
    with pytest.raises(ShapeError, match="'z' in ab,bc->az"):
        EinsumDense("ab,bc->az", 4)
    with pytest.raises(ShapeError, match=r"kernel is one of the input's.*'z'"):
        EinsumDense("ab,bcz->ac", 4)
    with pytest.raises(ShapeError, match=r"bias is one of the output's.*'b'"):
        EinsumDense("ab,bc->ac", 4, bias_axes="b")


def test_shapes_that_do_not_fit_the_equation_are_refused():
    with pytest.raises(ShapeError, match="an input with 2 dimensions"):
        EinsumDense("ab,bc->ac", 4)(np.ones((2, 3, 4)))
    with pytest.raises(ShapeError, match="output_shape= with 1 lengths"):
        EinsumDense("ab,bc->ac", (4, 5))(np.ones((2, 3)))
    with pytest.raises(ShapeError, match="one length for 'b'"):
        EinsumDense("abc,cd->abd", (6, 4))(np.ones((2, 5, 3)))
    with pytest.raises(ShapeError, match="known length of each of the kernel's letters"):
        EinsumDense("ab,bc->ac", 4).build((None, None))
