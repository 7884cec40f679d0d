"""Every operation against real Keras: values, types, shapes, and under jit, vmap and grad."""

from __future__ import annotations

import inspect

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import ops_cases as cases
import pytest
from ops_cases import CASES

from doltap import ops
from doltap.errors import NotSupportedError

# What Keras has and doltap says it has not.
ABSENT = {"image", "linalg", "nn", "numpy", "ctc_decode", "ctc_loss"}
# They take functions, and have tests of their own.
WITH_FUNCTIONS = {"associative_scan", "cond", "custom_gradient", "fori_loop", "jvp", "map", "scan", "switch"}
WITH_FUNCTIONS |= {"vectorize", "vectorized_map", "while_loop"}
EVERY_CASE = [
    pytest.param(name, *case, id=f"{name}-{number}")
    for name, listed in CASES.items()
    for number, case in enumerate(listed)
]


def leaves(values):
    return values if isinstance(values, (list, tuple)) else [values]


def check_equal(ours, theirs, tolerance=1e-5):
    assert len(leaves(ours)) == len(leaves(theirs))
    for our, their in zip(leaves(ours), leaves(theirs), strict=True):
        if isinstance(their, (jax.Array, np.ndarray)):
            assert (our.shape, our.dtype) == (their.shape, their.dtype)
            assert not getattr(our, "weak_type", False)
        kind = np.complex64 if np.iscomplexobj(their) else np.float32
        numbers = (
            np.asarray(each).astype(kind) if not isinstance(each, str) else each for each in (our, their)
        )
        if isinstance(their, str):
            assert our == their
        else:
            np.testing.assert_allclose(*numbers, rtol=tolerance, atol=tolerance)


def is_array(value):
    return isinstance(value, np.ndarray) and value.dtype.kind in "fibc"


def parted(arguments, keywords):
    """The arrays among the arguments, and what puts others in their places."""
    found, tree = jax.tree.flatten((arguments, keywords), is_leaf=lambda leaf: leaf is None)
    places = [place for place, leaf in enumerate(found) if is_array(leaf)]

    def joined(arrays):
        filled = list(found)
        for place, array in zip(places, arrays, strict=True):
            filled[place] = array
        return jax.tree.unflatten(tree, filled)

    return [found[place] for place in places], joined


def agree(ours, theirs, arrays):
    """Both are one and the same program, or give the same numbers: compiling every program takes minutes."""
    programs = [jax.make_jaxpr(function)(*arrays) for function in (ours, theirs)]
    for our, their in zip(
        *(leaves(jax.eval_shape(function, *arrays)) for function in (ours, theirs)), strict=True
    ):
        assert (our.shape, our.dtype, our.weak_type) == (their.shape, their.dtype, False)
    # The text of a program does not show the arrays that it holds.
    holds_arrays = any(program.consts for program in programs)
    if holds_arrays or str(programs[0]) != str(programs[1]):
        check_equal(*jax.jit(lambda *arrays: (ours(*arrays), theirs(*arrays)))(*arrays))


def of_library(library, name, joined):
    """The operation as a function of the arrays alone."""

    def run(*arrays):
        arguments, keywords = joined(arrays)
        if name in ("scatter", "scatter_update", "take", "isin"):
            # Keras asks for the type of these before it makes arrays of them.
            arguments = [np.array(each) if isinstance(each, list) else each for each in arguments]
        return getattr(library, name)(*arguments, **keywords)

    return run


def test_every_operation_of_keras_is_here_and_has_a_case(keras):
    theirs = {name for name in dir(keras.ops) if not name.startswith("_")}
    assert theirs - ABSENT == {*CASES, *WITH_FUNCTIONS}
    assert not [name for name in theirs - ABSENT if not hasattr(ops, name)]


@pytest.mark.parametrize("name", sorted({*CASES, *WITH_FUNCTIONS}))
def test_arguments_have_the_names_order_and_defaults_of_keras(keras, name):
    ours, theirs = (
        [
            (each.name, each.kind, each.default)
            for each in inspect.signature(getattr(library, name)).parameters.values()
            if each.name != "rms_scaling"
            and (each.kind is not each.VAR_KEYWORD or name in ("einsum", "rearrange"))
        ]
        for library in (ops, keras.ops)
    )
    if name == "multi_hot":
        theirs[1] = (*theirs[1][:2], inspect.Parameter.empty)
    assert ours == theirs


@pytest.mark.parametrize("place", ["linalg", "nn", "numpy"])
def test_the_names_of_keras_lie_in_the_same_places(keras, place):
    theirs = {name for name in dir(getattr(keras.ops, place)) if not name.startswith("_")} - ABSENT
    assert not [name for name in theirs if not hasattr(getattr(ops, place), name)]


# Their results are no arrays, or have a shape that depends on values.
NOT_IN_A_PROGRAM = {
    "bincount",
    "convert_to_numpy",
    "dtype",
    "is_tensor",
    "ndim",
    "nonzero",
    "shape",
    "size",
    "unique",
}
EAGER = {
    "where-4",
    "repeat-2",
    "slice-1",
    "rearrange-2",
    *(f"{name}-{number}" for name in NOT_IN_A_PROGRAM for number in range(4)),
}


@pytest.mark.parametrize(("name", "arguments", "keywords"), EVERY_CASE)
def test_an_operation_gives_what_keras_gives(keras, request, name, arguments, keywords):
    arrays, joined = parted(arguments, keywords)
    ours, theirs = (of_library(library, name, joined) for library in (ops, keras.ops))
    if not arrays or request.node.callspec.id in EAGER:
        check_equal(ours(*arrays), theirs(*map(jnp.asarray, arrays)))
    else:
        agree(ours, theirs, arrays)


KINDS = ["float16", "bfloat16", "int32", "uint8", "bool"]


def as_kind(value, kind):
    """The numbers of a case in another type."""
    positive = np.abs(value) if kind in ("uint8", "bool") else value
    return positive.astype(ml_dtypes.bfloat16 if kind == "bfloat16" else kind)


BY_KIND = [*cases.ANY_NUMBER, *cases.ABOVE_ZERO, *cases.WITHIN_ONE, *cases.TWO, *cases.TWO_DIVIDING]
BY_KIND += [
    *cases.REDUCE,
    "cumsum",
    "cumprod",
    "average",
    "take",
    "concatenate",
    "matmul",
    "dot",
    "power",
    "tile",
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", sorted(set(BY_KIND)))
def test_types_come_out_as_from_keras(keras, name, kind):
    arrays, joined = parted(*CASES[name][0])
    arrays = [as_kind(array, kind) for array in arrays]
    try:
        theirs = jax.eval_shape(of_library(keras.ops, name, joined), *arrays)
    except (TypeError, ValueError) as error:
        pytest.skip(f"Keras: {type(error).__name__}")
    ours = jax.eval_shape(of_library(ops, name, joined), *arrays)
    assert (ours.shape, ours.dtype, ours.weak_type) == (theirs.shape, theirs.dtype, False)


# Arrays inside a program and symbolic tensors


FIRST_CASES = {name: listed[0] for name, listed in CASES.items()}
# Made from numbers only, which are known when the program is made.
WITHOUT_ARRAYS = {name for name, case in FIRST_CASES.items() if not parted(*case)[0]}


@pytest.mark.parametrize("name", sorted(FIRST_CASES.keys() - NOT_IN_A_PROGRAM - WITHOUT_ARRAYS))
def test_an_operation_can_be_compiled_and_mapped(name):
    arrays, joined = parted(*FIRST_CASES[name])

    def run(*arrays):
        arguments, keywords = joined(arrays)
        return getattr(ops, name)(*arguments, **keywords)

    several = [np.stack([array, array]) for array in arrays]
    one, many = (
        leaves(jax.eval_shape(each, *given)) for each, given in ((run, arrays), (jax.vmap(run), several))
    )
    assert [(each.shape, each.dtype) for each in many] == [((2, *each.shape), each.dtype) for each in one]


def test_what_is_made_from_numbers_only():
    # What is left out above is here, so that nothing slips through.
    assert {*WITHOUT_ARRAYS} == {
        "arange",
        "bartlett",
        "blackman",
        "empty",
        "eye",
        "full",
        "geomspace",
        "hamming",
    } | {*["hanning", "identity", "is_tensor", "kaiser", "linspace", "logspace", "ones", "tri", "zeros"]}


class Symbol:
    """Stands for a tensor whose values are not known yet."""

    def record_call(self, function, arguments, keywords):
        return "noted", function, arguments, keywords


# They answer at once, from shape and type alone, or need values and say so.
NOT_NOTED = {"convert_to_numpy", "dtype", "is_tensor", "ndim", "shape"}


@pytest.mark.parametrize("name", sorted(FIRST_CASES.keys() - NOT_NOTED))
def test_a_call_with_a_symbolic_tensor_is_noted_down(name):
    function, symbol = getattr(ops, name), Symbol()
    arguments, keywords = FIRST_CASES[name]
    arrays, joined = parted(arguments, keywords)
    if not arrays:
        arguments = (symbol, *arguments[1:])
    else:
        arguments, keywords = joined([symbol] * len(arrays))
    assert function(*arguments, **keywords) == ("noted", function, arguments, keywords)
    assert function(**{"any": [1, {"deep": (2, symbol)}]})[1:] == (
        function,
        (),
        {"any": [1, {"deep": (2, symbol)}]},
    )


@pytest.mark.parametrize("name", sorted(WITH_FUNCTIONS - {"custom_gradient", "vectorize", "jvp"}))
def test_what_runs_functions_is_noted_down_with_them(name):
    symbol, function = Symbol(), getattr(ops, name)
    assert function(len, [symbol]) == ("noted", function, (len, [symbol]), {})


@pytest.mark.parametrize("name", ["jvp", "convert_to_numpy"])
def test_what_needs_values_sends_a_symbolic_tensor_to_a_layer(name):
    with pytest.raises(
        NotSupportedError, match=rf"ops.{name}: .*symbolic tensor(.|\n)*call\(\) of your own layer"
    ):
        getattr(ops, name)(Symbol())


def test_every_operation_is_found_by_its_name_and_by_keras_class_names(keras):
    import keras.src.ops as theirs
    from keras.src.ops.operation import Operation

    files = [theirs.numpy, theirs.math, theirs.core, theirs.nn, theirs.linalg, theirs.einops]
    classes = {
        name
        for file in files
        for name, value in vars(file).items()
        if inspect.isclass(value) and issubclass(value, Operation) and value.__module__ == file.__name__
    }
    # Loops and choices are not written to files; segments have a class for each of the four besides.
    without = {
        "AssociativeScan",
        "Cond",
        "ForiLoop",
        "JVP",
        "Map",
        "Scan",
        "Switch",
        "VectorizedMap",
        "WhileLoop",
    }
    without |= {"CTCDecode", "CTCLoss", "ConvertToNumpy", "Ndim", "SegmentReduction"}
    assert not [name for name in classes - without if name not in ops.names]
    for name in FIRST_CASES.keys() - NOT_NOTED:
        function = getattr(ops, name)
        assert ops.names.find(name) is function
        assert ops.names.find(ops.class_name_of(function)) is function
    named = {ops.class_name_of(getattr(ops, name)) for name in FIRST_CASES.keys() - NOT_NOTED}
    # What has no class in Keras is made from numbers, or another function's other name.
    lone = {
        "Bartlett",
        "Blackman",
        "Empty",
        "Eye",
        "Hamming",
        "Hanning",
        "Identity",
        "Kaiser",
        "Ones",
        "Tri",
        "Zeros",
    }
    assert named - classes == lone


GRADIENTS = [
    "add",
    "multiply",
    "divide",
    "divide_no_nan",
    "power",
    "hypot",
    "logaddexp",
    "maximum",
    "exp",
    "log",
    "sqrt",
    "tanh",
    "sin",
    "erf",
    "sinc",
    "clip",
    "absolute",
    "sum",
    "mean",
    "var",
    "std",
    "logsumexp",
    "max",
    "median",
    "prod",
    "cumsum",
    "matmul",
    "einsum",
    "tensordot",
    "dot",
    "cdist",
    "concatenate",
    "stack",
    "pad",
    "transpose",
    "take",
    "take_along_axis",
    "where",
    "scatter_update",
    "segment_sum",
    "slice_update",
    "softmax",
    "log_softmax",
    "gelu",
    "silu",
    "glu",
    "sparse_plus",
    "normalize",
    "batch_normalization",
    "layer_normalization",
    "rms_normalization",
    "moments",
    "binary_crossentropy",
    "categorical_crossentropy",
    "sparse_categorical_crossentropy",
    "dot_product_attention",
    "conv",
    "depthwise_conv",
    "conv_transpose",
    "max_pool",
    "average_pool",
    "unfold",
    "fold",
    "inv",
    "det",
    "solve",
    "norm",
    "cholesky",
    "rfft",
]


@pytest.mark.parametrize("name", GRADIENTS)
def test_gradients_are_those_of_keras(keras, name):
    arrays, joined = parted(*FIRST_CASES[name])

    floats = [array for array in arrays if array.dtype.kind == "f"]
    assert floats

    def gradient(library):
        def total(floats):
            given = iter(floats)
            filled = [next(given) if array.dtype.kind == "f" else array for array in arrays]
            results = of_library(library, name, joined)(*filled)
            return sum(jnp.sum(jnp.sin(result)) for result in leaves(results))

        return lambda *floats: jax.grad(total)(floats)

    agree(gradient(ops), gradient(keras.ops), floats)


def test_gradients_stay_finite_where_a_formula_has_a_hole():
    zeros = jnp.zeros(3)
    assert jnp.isfinite(jax.grad(lambda x: ops.sum(ops.divide_no_nan(1.0, x)))(zeros)).all()
    assert jnp.isfinite(jax.grad(lambda x: ops.sum(ops.normalize(x)))(zeros)).all()
    assert jax.grad(lambda x: ops.stop_gradient(x) * x)(3.0) == 3.0
