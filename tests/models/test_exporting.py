"""Exported models give the model's own numbers where other programs run them."""

from __future__ import annotations

import re
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from drawn_networks import drawn, rows_for

import doltap
from doltap import Input, Model, Sequential, activations, layers, ops
from doltap.errors import (
    MissingPackageError,
    NotSupportedError,
    ShapeError,
    UnknownArgumentError,
    UnknownNameError,
)
from layers.test_every_layer import CASES

ROW, STEPS = (6,), (5, 6)


def predicted(model, x):
    """What the model computes, in one program that is compiled fast rather than well."""
    options = {"xla_backend_optimization_level": 0}
    return jax.tree.leaves(jax.jit(lambda x: model(x, training=False), compiler_options=options)(x))


def run_onnx(path, x):
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [each.name for each in session.get_inputs()]
    return lambda x: session.run(None, dict(zip(names, jax.tree.leaves(x), strict=True)))


def run_stablehlo(path, x):
    from jax import export

    exported = export.deserialize(bytearray(path.read_bytes()))
    # A single input is called as an array.
    return lambda x: jax.tree.leaves(exported.call(x[0] if isinstance(x, list) and len(x) == 1 else x))


RUN = {"onnx": run_onnx, "stablehlo": run_stablehlo}


def assert_same_elsewhere(model, x, folder, format="onnx", tolerance=1e-5):
    """The file gives the model's numbers for all rows, and for the first row alone."""
    path = folder / f"model.{format}"
    model.export(path, verbose=False)
    run = RUN[format](path, x)
    expected = predicted(model, x)
    for count in (len(jax.tree.leaves(x)[0]), 1):
        outputs = run(jax.tree.map(lambda rows, count=count: rows[:count], x))
        for output, peer in zip(outputs, expected, strict=True):
            peer = np.asarray(peer, np.float64)[:count]
            assert output.shape == peer.shape
            np.testing.assert_allclose(np.asarray(output, np.float64), peer, tolerance, tolerance)


def numbers(shape, dtype="float32", count=5, high=9):
    random = np.random.default_rng(3)
    if np.issubdtype(np.dtype(dtype), np.integer):
        return random.integers(0, high, (count, *shape)).astype(dtype)
    return 2 * random.normal(size=(count, *shape)).astype(dtype)


def with_weights(model):
    random = np.random.default_rng(7)
    # Variances are above 0.
    model.set_weights([np.abs(random.normal(size=w.shape)).astype(w.dtype) + 0.1 for w in model.weights])
    return model


def network(call, *shapes, dtype="float32"):
    """The model of one call, and rows for it."""
    inputs = [Input(shape, dtype=dtype) for shape in shapes]
    model = with_weights(Model(inputs, call(inputs if len(inputs) > 1 else inputs[0])))
    rows = [numbers(shape, dtype) for shape in shapes]
    return model, rows if len(rows) > 1 else rows[0]


@pytest.mark.parametrize("case", CASES)
def test_every_layer_gives_the_same_numbers_in_onnxruntime(case, tmp_path):
    make, shapes = CASES[case]
    shapes = [shape[1:] for shape in (shapes if isinstance(shapes, list) else [shapes])]
    dtype = "int32" if case.startswith("Embedding") else "float32"
    assert_same_elsewhere(*network(make(layers), *shapes, dtype=dtype), tmp_path)


def test_every_activation_gives_the_same_numbers_in_onnxruntime(tmp_path):
    functions = {function.__name__: function for function in activations.names._things.values()}
    functions["threshold"] = lambda x: activations.threshold(x, 0.5, -1.0)
    x = Input(ROW)
    model = Model(x, {name: layers.Activation(function)(x) for name, function in functions.items()})
    assert len(functions) > 25
    rows = np.concatenate([numbers(ROW), 50 * numbers(ROW), 1e-3 * numbers(ROW), np.zeros((1, 6))])
    assert_same_elsewhere(model, rows.astype(np.float32), tmp_path)


PREPROCESSING = {
    "normalization": (lambda: layers.Normalization(mean=[1.0] * 6, variance=[2.0] * 6), "float32"),
    "normalization back": (
        lambda: layers.Normalization(mean=[1.0] * 6, variance=[2.0] * 6, invert=True),
        "float32",
    ),
    "rescaling bytes": (lambda: layers.Rescaling(1 / 255, offset=-1.0), "uint8"),
    **{
        f"discretization {mode}": (
            lambda mode=mode: layers.Discretization([0.0, 1.0, 2.5], output_mode=mode),
            "float32",
        )
        for mode in ("int", "one_hot", "multi_hot", "count")
    },
    **{
        f"category {mode}": (lambda mode=mode: layers.CategoryEncoding(9, output_mode=mode), "int32")
        for mode in ("one_hot", "multi_hot", "count")
    },
    "lookup of numbers": (lambda: layers.IntegerLookup(vocabulary=[7, 3, 5]), "int32"),
}


@pytest.mark.parametrize("case", PREPROCESSING)
def test_preprocessing_gives_the_same_numbers_in_onnxruntime(case, tmp_path):
    make, dtype = PREPROCESSING[case]
    assert_same_elsewhere(*network(make(), ROW, dtype=dtype), tmp_path)


def test_bins_of_values_that_are_not_finite_are_the_same_in_onnxruntime(tmp_path):
    model, x = network(layers.Discretization([0.0, 1.0, 2.5]), ROW)
    x[0], x[1, 0] = [np.nan, np.inf, -np.inf, 0.0, -0.0, 2.5], -np.nan
    assert_same_elsewhere(model, x, tmp_path)


FUNCTIONS = {
    "operators": lambda x: 1 / (x * x + 3) - x / 2 + (2 - x) * x + x**3,
    "comparisons": lambda x: ops.where(x > 0.5, x, -x) + ops.cast(x <= 0, "float32"),
    "logic": lambda x: ops.cast(
        ops.logical_or(ops.logical_and(x > 0, x < 1), ops.logical_not(x > -1)), "int32"
    ),
    "chosen booleans": lambda x: ops.where(x > 0, x > 1, x < -1),
    "whole numbers": lambda x: ops.cast(x * 10, "int32") // 3 + ops.cast(x, "int32") % 2,
    "one column": lambda x: x[:, 0],
    "from the end": lambda x: x[:, -1, ::2],
    "a piece": lambda x: x[:, 1:3],
    "backwards": lambda x: x[:, :, ::-1],
    "taken": lambda x: ops.take(x, [2, 0, 9, -1], axis=1),
    "several indices": lambda x: x[:, jnp.asarray([0, 4]), jnp.asarray([1, 2])],
    "padded": lambda x: ops.pad(x, ((0, 0), (1, 2), (0, 1)), constant_values=2.0),
    "mean": lambda x: ops.mean(x, axis=1),
    "product": lambda x: ops.prod(x, axis=-1),
    "any": lambda x: ops.any(x > 1, axis=1),
    "all": lambda x: ops.all(x > -1, axis=(1, 2)),
    "largest": lambda x: (ops.argmax(x, axis=-1), ops.max(x, axis=1), ops.argmin(x, axis=1)),
    "top": lambda x: ops.top_k(x, 2),
    "sorted": lambda x: (ops.sort(x, axis=1), ops.argsort(x, axis=-1)),
    "running sum": lambda x: ops.cumsum(x, axis=1),
    "rounded": lambda x: (ops.round(x), ops.floor(x), ops.ceil(x), ops.sign(x)),
    "powers": lambda x: (ops.exp(x), ops.expm1(x / 100), ops.log1p(ops.abs(x)), ops.rsqrt(ops.abs(x) + 1)),
    "circles": lambda x: (ops.sin(x), ops.cos(x), ops.tan(x), ops.arctan(x), ops.sinh(x), ops.arcsinh(x)),
    "clipped": lambda x: ops.clip(x, -0.5, 0.5),
    "finite": lambda x: ops.isfinite(1 / (ops.round(x))),
    "einsum": lambda x: ops.einsum("bij,bkj->bik", x, x),
    "matmul": lambda x: ops.matmul(x, ops.transpose(x, (0, 2, 1))),
    "split": lambda x: ops.split(x, 3, axis=-1),
    "stacked": lambda x: ops.stack([x, x * 2], axis=1),
    "unstacked": lambda x: ops.unstack(x, axis=1),
    "repeated": lambda x: (ops.tile(x, (1, 2, 1)), ops.repeat(x, 2, axis=1)),
    "divided down": lambda x: (x // 0.7, x % 0.7, ops.trunc(x)),
    "counted": lambda x: x * ops.arange(6, dtype="float32"),
    "the rows": lambda x: ops.reshape(x, (-1, 3)),
    "a loop": layers.Lambda(
        lambda x: ops.scan(
            lambda total, row: (total + row, total * row), x[:, 0], ops.transpose(x, (1, 0, 2))
        )
    ),
    "a loop backwards": layers.Lambda(
        lambda x: ops.scan(lambda total, row: (total + row, total), x[:, 0], x.swapaxes(0, 1), reverse=True)[
            1
        ]
    ),
}


@pytest.mark.parametrize("case", FUNCTIONS)
def test_functions_between_layers_give_the_same_numbers_in_onnxruntime(case, tmp_path):
    model, x = network(FUNCTIONS[case], STEPS)
    path = tmp_path / "model.onnx"
    model.export(path, verbose=False)
    for count in (5, 1):
        rows = x[:count]
        for output, peer in zip(run_onnx(path, rows)(rows), predicted(model, rows), strict=True):
            np.testing.assert_allclose(output, peer, 1e-5, 1e-5)


def test_a_mean_over_an_open_length_divides_by_the_true_one(tmp_path):
    x = Input((None, 6))
    model = with_weights(Model(x, ops.mean(layers.Dense(3)(x), axis=1) + ops.mean(x)))
    model.export(tmp_path / "model.onnx", verbose=False)
    for shape in ((5, 7, 6), (2, 1, 6)):
        rows = np.random.default_rng(0).normal(size=shape).astype(np.float32)
        (output,) = run_onnx(tmp_path / "model.onnx", rows)(rows)
        np.testing.assert_allclose(output, predicted(model, rows)[0], 1e-5, 1e-5)


class Steps(Model):
    """A class of one's own with two outputs."""

    def __init__(self):
        super().__init__(name="steps")
        self.hidden, self.last = layers.Dense(4, activation="tanh"), layers.Dense(2)

    def call(self, x):
        hidden = self.hidden(x)
        return self.last(hidden) + x[:, :1], hidden


def tower():
    return Sequential(
        [Input(ROW), layers.Dense(8, "relu"), layers.BatchNormalization(), layers.Dense(3, "softmax")]
    )


def branches():
    a, b = Input((4,), name="a"), Input((2,), name="b")
    hidden = tower()(layers.Concatenate()([a, b]))
    outputs = {"p": layers.Dense(2)(hidden), "q": [layers.Dropout(0.5)(hidden), hidden + 1.5]}
    return Model({"x": a, "y": b}, outputs)


def built_steps():
    model = Steps()
    model(np.zeros((1, 6), np.float32))
    return model


MODELS = {
    "Sequential": (tower, lambda: numbers(ROW)),
    "Functional": (branches, lambda: {"x": numbers((4,)), "y": numbers((2,))}),
    "subclassed": (built_steps, lambda: numbers(ROW)),
    "drawn 1": (lambda: drawn(doltap, 1), None),
    "drawn 2": (lambda: drawn(doltap, 2), None),
    "drawn 3": (lambda: drawn(doltap, 3), None),
}


@pytest.mark.parametrize("format", RUN)
@pytest.mark.parametrize("case", MODELS)
def test_whole_models_give_the_same_numbers(case, format, tmp_path):
    make, rows = MODELS[case]
    model = with_weights(make())
    tolerance = {"onnx": 1e-5, "stablehlo": 1e-6}[format]
    assert_same_elsewhere(model, rows() if rows else rows_for(model, 5), tmp_path, format, tolerance)


@pytest.mark.parametrize("rows", [1, 7, 32, 33])
def test_a_loaded_program_predicts_what_the_model_predicts(rows, tmp_path):
    model, x = with_weights(tower()), numbers(ROW, count=rows)
    model.export(tmp_path / "tower", verbose=False)
    (output,) = run_stablehlo(tmp_path / "tower", x)(x)
    np.testing.assert_allclose(output, model.predict(x, verbose=0), 1e-6, 1e-6)


def test_a_program_is_for_every_device_and_every_batch(tmp_path):
    from jax import export

    tower().export(tmp_path / "tower", verbose=False)
    exported = export.deserialize(bytearray((tmp_path / "tower").read_bytes()))
    assert exported.platforms == ("cpu", "cuda", "tpu")
    assert str(exported.in_avals[0].shape) == "(batch, 6)"


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "float16"])
def test_types_of_16_bits_stay_in_a_program_and_become_32_where_onnx_lacks_them(policy, tmp_path):
    options = {"dtype": policy}
    model = Sequential([Input(ROW), layers.Dense(8, "gelu", **options), layers.LayerNormalization(**options)])
    model.add(layers.Dense(3, "softmax", **options))
    x = numbers(ROW).astype(model.inputs[0].dtype)
    assert_same_elsewhere(model, x, tmp_path, "stablehlo", 1e-6)
    if "bfloat16" in policy:
        x = x.astype(np.float32)
    model.export(tmp_path / "model.onnx", verbose=False)
    (output,) = run_onnx(tmp_path / "model.onnx", x)(x)
    assert output.dtype == (np.float32 if "bfloat16" in policy else np.float16)
    np.testing.assert_allclose(output, np.asarray(predicted(model, x)[0], np.float32), 2e-2, 2e-2)


def test_an_onnx_file_names_inputs_and_outputs_and_leaves_the_batch_open(tmp_path):
    import onnx

    branches().export(tmp_path / "model.onnx", verbose=False)
    graph = onnx.load(tmp_path / "model.onnx").graph

    def told(info):
        return info.name, [d.dim_param or d.dim_value for d in info.type.tensor_type.shape.dim]

    assert [told(each) for each in graph.input] == [("a", ["batch", 4]), ("b", ["batch", 2])]
    assert [shape for _, shape in map(told, graph.output)] == [["batch", 2], ["batch", 3], ["batch", 3]]
    assert len({each.name for each in graph.output}) == 3


def test_what_a_layer_computes_for_training_alone_is_not_in_the_file(tmp_path):
    import onnx

    model = Sequential([Input(ROW), layers.Dense(3, activity_regularizer="l2"), layers.Dropout(0.5)])
    model.export(tmp_path / "model.onnx", verbose=False)
    kinds = [node.op_type for node in onnx.load(tmp_path / "model.onnx").graph.node]
    assert kinds == ["MatMul", "Add", "Identity"]


def test_an_output_that_is_an_input_keeps_a_name_of_its_own(tmp_path):
    x = Input(ROW, name="same")
    assert_same_elsewhere(Model(x, [x, x]), numbers(ROW), tmp_path)


def test_a_model_is_unchanged_by_its_export(tmp_path):
    model = with_weights(tower())
    before = model.get_weights()
    model.compile("sgd", "mse")
    for format in RUN:
        model.export(tmp_path / "model", format, verbose=False)
    assert all(map(np.array_equal, before, model.get_weights()))
    model.fit(numbers(ROW), np.zeros((5, 3)), verbose=0)
    assert not all(map(np.array_equal, before, model.get_weights()))


# Formats, signatures, what is said


def test_the_format_goes_by_the_suffix_unless_it_is_said(tmp_path, capsys):
    model = tower()
    model.export(tmp_path / "tower.ONNX")
    model.export(str(tmp_path / "tower.bin"))
    model.export(tmp_path / "other.bin", format="onnx", verbose=0)
    said = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in said] == ["onnx", "stablehlo"]
    assert "float32 (batch, 6)" in said[0]
    assert (tmp_path / "tower.ONNX").read_bytes() == (tmp_path / "other.bin").read_bytes()


@pytest.mark.parametrize("format", ["tf_saved_model", "openvino", "litert", "torch"])
def test_formats_of_other_libraries_are_refused_with_the_way_out(format, tmp_path):
    with pytest.raises(NotSupportedError, match=r"format='(onnx|stablehlo)'"):
        tower().export(tmp_path / "model", format)
    assert not list(tmp_path.iterdir())


def test_a_misspelt_format_or_keyword_has_the_nearest_one(tmp_path):
    with pytest.raises(UnknownNameError, match="Did you mean 'onnx'"):
        tower().export(tmp_path / "model", format="onxx")
    with pytest.raises(UnknownArgumentError, match="Did you mean 'input_signature='"):
        tower().export(tmp_path / "model", input_signatur=Input(ROW))


def test_a_model_that_was_never_called_needs_a_signature(tmp_path):
    with pytest.raises(ShapeError, match="input_signature=Input"):
        Steps().export(tmp_path / "model")
    model = Steps()
    model.export(tmp_path / "model.onnx", input_signature=[Input(ROW)], verbose=False)
    x = numbers(ROW)
    for output, peer in zip(run_onnx(tmp_path / "model.onnx", x)(x), predicted(model, x), strict=True):
        np.testing.assert_allclose(output, peer, 1e-5, 1e-5)


def test_a_signature_without_shapes_is_refused(tmp_path):
    with pytest.raises(ShapeError, match=re.escape("got (6,)")):
        tower().export(tmp_path / "model", input_signature=(6,))


def test_a_signature_fixes_lengths(tmp_path):
    from jax import export

    tower().export(tmp_path / "model", input_signature=np.zeros((2, 6), np.float32), verbose=False)
    exported = export.deserialize(bytearray((tmp_path / "model").read_bytes()))
    assert exported.in_avals[0].shape == (2, 6)


class Rigid(Model):
    """A call that wants to know how many rows there are."""

    def call(self, x):
        return jnp.zeros((int(x.shape[0]), 1)) + x


@pytest.mark.parametrize("format", RUN)
def test_a_call_that_needs_the_number_of_rows_is_refused_with_the_cure(format, tmp_path):
    model = Rigid()
    model(np.zeros((2, 6), np.float32))
    with pytest.raises(NotSupportedError, match="input_signature=") as caught:
        model.export(tmp_path / "model", format)
    assert caught.value.__cause__ is not None
    model.export(tmp_path / "model", format, input_signature=Input(batch_shape=(4, 6)), verbose=False)
    x = numbers(ROW, count=4)
    np.testing.assert_allclose(RUN[format](tmp_path / "model", x)(x)[0], x, 1e-6)


def test_strings_are_refused_with_the_part_that_can_be_exported(tmp_path):
    x = Input((1,), dtype="string")
    model = Model(x, layers.Dense(2)(layers.StringLookup(vocabulary=["a", "b"], output_mode="one_hot")(x)))
    with pytest.raises(NotSupportedError, match="behind the look-up"):
        model.export(tmp_path / "model")


# What ONNX lacks


class Unusual(layers.Layer):
    """A function that ONNX does not know."""

    def call(self, x):
        return jax.scipy.special.erfinv(x / 10)


def inside_a_model():
    return Sequential([Input(ROW), Sequential([layers.Dense(2), Unusual(name="odd"), layers.Dense(2)])])


def inside_a_class():
    class Own(Model):
        def __init__(self):
            super().__init__()
            self.first, self.odd, self.last = layers.Dense(2), Unusual(name="odd"), layers.Dense(2)

        def call(self, x):
            return self.last(self.odd(self.first(x)))

    model = Own()
    model(np.zeros((1, 6), np.float32))
    return model


def as_a_function():
    x = Input(ROW)
    return Model(x, layers.Dense(2)(ops.erfinv(layers.Dense(2)(x))))


@pytest.mark.parametrize(
    ("make", "name"), [(inside_a_model, "odd"), (inside_a_class, "odd"), (as_a_function, "erfinv")]
)
def test_what_onnx_lacks_is_named_with_its_layer(make, name, tmp_path):
    (tmp_path / "model.onnx").write_text("old")
    with pytest.raises(NotSupportedError, match=f"^'{name}(_\\d+)?': .*got 'erf_inv'") as caught:
        make().export(tmp_path / "model.onnx")
    assert "format='stablehlo'" in str(caught.value)
    assert (tmp_path / "model.onnx").read_text() == "old"


LACKING = {
    "bits": lambda x: ops.bitwise_and(ops.cast(x, "int32"), 3),
    "bytes": lambda x: ops.cast(x, "uint8") * ops.cast(x, "uint8"),
    "sums of bytes": lambda x: jax.lax.reduce_sum(x.astype(jnp.int8), (1,)),
    "the larger truth": lambda x: jnp.maximum(x > 0, x < -1),
    "complex numbers": lambda x: jnp.abs(jax.lax.complex(x, x)),
    "rounded to less": lambda x: jax.lax.reduce_precision(x, 5, 2),
    "keys": lambda x: ops.lexsort if False else jax.lax.sort((x, x), num_keys=2)[0],
    "a long loop": lambda x: ops.fori_loop(0, 2000, lambda _, x: ops.sin(x), x),
    "an open loop": lambda x: ops.while_loop(lambda x: ops.max(x) < 9, lambda x: (x + 1,), (x,))[0],
    "places in the data": lambda x: ops.slice(x, (0, ops.cast(x[0, 0, 0], "int32"), 0), (1, 2, 3)),
    "filled between": lambda x: jax.lax.pad(x, jnp.float32(0), ((0, 0, 0), (0, 0, 1), (0, 0, 0))),
}


@pytest.mark.parametrize("case", LACKING)
def test_what_cannot_be_said_in_onnx_is_refused_and_never_written_wrongly(case, tmp_path):
    model, _ = network(layers.Lambda(LACKING[case], name="part"), STEPS)
    with pytest.raises(NotSupportedError, match="'part': expected operations that ONNX has too"):
        model.export(tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())


def test_unsigned_numbers_begin_anew_at_0_as_they_do_in_jax(tmp_path):
    def function(x):
        unsigned = ops.cast(x - 5, "uint32")
        total = jnp.sum(unsigned * jnp.uint32(3_000_000_000) - 2, axis=-1, keepdims=True, dtype="uint32")
        return ops.cast((total + unsigned) // 7, "int32")

    model, x = network(layers.Lambda(function), ROW, dtype="int32")
    assert_same_elsewhere(model, x, tmp_path)


def test_without_the_package_the_error_says_how_to_install_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingPackageError, match=r'pip install "doltap\[onnx\]"'):
        tower().export(tmp_path / "model.onnx")
    tower().export(tmp_path / "model", verbose=False)


def test_weights_beyond_what_the_formats_hold_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("doltap.models.exporting.export._MOST_BYTES", 100)
    with pytest.raises(NotSupportedError, match="at most 2 GB"):
        tower().export(tmp_path / "model")
