"""Networks of calls on symbolic tensors: how they are walked, run, compared and copied."""

import json
import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import doltap
from doltap import ops
from doltap.core.graph import Graph, Operation, SymbolicTensor, filled_in, promised, symbolic_leaves
from doltap.errors import DoltapError, NotSupportedError, ShapeError
from doltap.layers import Dense, Input
from doltap.models import Model
from doltap.training.mixing import keeps_rows_apart


def test_leaves_come_in_the_order_of_jax():
    a, b, c = (Input((1,), name=name) for name in "abc")
    tree = {"z": a, "y": [b, (c, 3)]}
    assert symbolic_leaves(tree) == [b, c, a]
    names = filled_in(tree, lambda tensor: tensor.name)
    assert jax.tree.leaves(names) == ["b", "c", 3, "a"]


def test_a_promise_knows_which_lengths_depend_on_the_batch():
    x = SymbolicTensor((None, 3), "float32")
    flat = promised(lambda a: {"flat": a.reshape(-1), "sum": a.sum(0), "ids": a.argmax(-1)}, (x,), {}, "f")
    assert {key: tensor.shape for key, tensor in flat.items()} == {
        "flat": (None,),
        "sum": (3,),
        "ids": (None,),
    }
    assert flat["ids"].dtype == "int32"


@pytest.mark.parametrize(
    ("symbol", "compute"),
    [
        ("+", lambda a, b: a + b),
        ("-", lambda a, b: a - b),
        ("*", lambda a, b: a * b),
        ("/", lambda a, b: a / b),
        ("//", lambda a, b: a // b),
        ("%", lambda a, b: a % b),
        ("**", lambda a, b: a**b),
        ("@", lambda a, b: a @ b.T if hasattr(b, "T") else a @ np.ones((2, 2), "float32")),
        ("<", lambda a, b: a < b),
        (">=", lambda a, b: a >= b),
        ("[]", lambda a, b: a[:, 1:] + b[:, :1]),
        ("neg abs", lambda a, b: abs(-a) + b),
        ("number left", lambda a, b: 2 - a + 1 / (b + 1) + 3 // (a + 1)),
        ("number power", lambda a, b: 2**a + 7 % (b + 1)),
        ("!=", lambda a, b: (a != 0.7) & (b != a)),
        ("& | ^", lambda a, b: ((a > 0.5) & (b < 0.5)) | ((a < 0.2) ^ (b > 0.8))),
        ("~", lambda a, b: ~(a > b)),
        ("round", lambda a, b: a.round(1) if isinstance(a, np.ndarray) else round(a, 1)),
        ("reshape", lambda a, b: a.reshape(-1, 2, 1) + b.reshape((-1, 2, 1))),
        ("squeeze", lambda a, b: a[:, None].squeeze(1)),
    ],
)
def test_operators_give_the_numbers_of_numpy(symbol, compute):
    a, b = Input((2,)), Input((2,))
    rows = np.float32([[0.1, 0.7], [0.6, 0.3]]), np.float32([[0.5, 0.2], [0.9, 0.4]])
    if symbol == "@":
        rows = rows[0], np.ones((2, 2), np.float32)
    outputs = Graph([a, b], compute(a, b)).run([jnp.asarray(one) for one in rows])
    assert np.allclose(outputs, compute(*rows), rtol=1e-6)


def test_a_graph_runs_only_what_its_outputs_need():
    x = Input((2,))
    needed = Operation(lambda a: a + 1, "needed")
    idle = Operation(lambda a: a + 2, "idle")
    idle(x)
    graph = Graph(x, needed(x))
    assert [call.name for call in graph.calls] == [x.node.call.name, "needed"]


def test_an_input_that_leads_nowhere_is_one_all_the_same():
    a, b = Input((2,), name="a"), Input((3,), name="b")
    model = Model([a, b], a * 2)
    assert [layer.name for layer in model.layers] == ["a", "b"]
    x = np.ones((2, 2), np.float32)
    assert np.allclose(model.predict([x, np.zeros((2, 3), np.float32)], verbose=0), 2 * x)


def test_the_structures_are_the_graphs_own():
    a, b = Input((2,)), Input((2,))
    inputs = [a, b]
    graph = Graph(inputs, {"sum": a + b})
    inputs.clear()
    assert len(graph.inputs) == 2
    assert symbolic_leaves(graph.input_structure) == [a, b]


def test_a_pickled_graph_runs_the_same():
    a, b = Input((2,)), Input((2,))
    layer = Dense(2)
    graph = Graph([a, {"b": b}], {"first": layer(a) - layer(b), "both": [a, b]})
    rows = [jnp.ones((3, 2)), jnp.zeros((3, 2))]
    again = pickle.loads(pickle.dumps(graph))
    assert again.calls[0] is not graph.calls[0]
    one, other = graph.run(rows), again.run(rows)
    assert np.allclose(one["first"], other["first"])
    assert np.allclose(other["both"][0], 1)


def test_shapes_that_do_not_go_together_are_named():
    a, b = Input((2,)), Input((3,))
    with pytest.raises(ShapeError, match=r"\(None, 2\), \(None, 3\)"):
        _ = a + b
    with pytest.raises(ShapeError, match="the batch is axis 0"):
        ops.concatenate([a, b])


def test_a_function_that_refuses_says_so_in_its_own_words():
    def refuse(x):
        raise NotSupportedError("f", expected="a", got="b", fix="c")

    with pytest.raises(NotSupportedError, match="expected a"):
        Operation(refuse)(Input((2,)))


def test_loops_over_promises_are_refused():
    with pytest.raises(DoltapError, match="symbolic"):
        list(Input((2,)))
    with pytest.raises(TypeError, match="SymbolicTensor"):
        jnp.exp(Input((2,)))


# Which calls keep the rows of a batch apart.

APART = {
    "operators": lambda x, y: (x + y) * 2 - x / 3 // 1,
    "constants": lambda x, y: x + np.ones((1, 4), "float32") + np.ones(4, "float32"),
    "activations": lambda x, y: ops.relu(ops.softmax(x)),
    "reductions": lambda x, y: ops.mean(x, axis=-1, keepdims=True),
    "concatenate": lambda x, y: ops.concatenate([x, y], axis=1),
    "slices": lambda x, y: x[:, 1:3],
    "columns": lambda x, y: x[..., 0],
    "reshape": lambda x, y: ops.reshape(x, (-1, 2, 2)),
    "transpose": lambda x, y: ops.transpose(ops.reshape(x, (-1, 2, 2)), (0, 2, 1)),
    "product": lambda x, y: x @ np.ones((4, 3), "float32"),
    "products": lambda x, y: ops.expand_dims(x, 1) @ ops.expand_dims(y, 2),
    "largest": lambda x, y: ops.top_k(x, 2)[0],
    "choice": lambda x, y: ops.where(x > 0.5, x, y),
    "cast": lambda x, y: x.astype("float16"),
}
MIXED = {
    "mean over the batch": lambda x, y: x - ops.mean(x, axis=0, keepdims=True),
    "mean over all": lambda x, y: x - ops.mean(x, keepdims=True),
    "negative axis": lambda x, y: ops.cumsum(x, axis=-2),
    "transpose": lambda x, y: x @ ops.transpose(y),
    "rows joined": lambda x, y: ops.concatenate([x, y], axis=0),
    "rows sorted": lambda x, y: ops.sort(x, axis=0),
    "rows chosen": lambda x, y: x[::-1],
    "reshape": lambda x, y: ops.reshape(x, (-1, 2)),
    "batch against columns": lambda x, y: x[:, 0] + ops.expand_dims(y[:, 0], 1),
    "unknown": lambda x, y: ops.einsum("ab,cb->ac", x, y),
    "membership": lambda x, y: ops.isin(x, y),
}


def apart(compute):
    x, y = Input((4,)), Input((4,))
    graph = Graph([x, y], compute(x, y))
    return all(keeps_rows_apart(node) for node in graph.nodes)


@pytest.mark.parametrize("name", APART)
def test_operations_on_single_rows_are_known_as_such(name):
    assert apart(APART[name])


@pytest.mark.parametrize("name", MIXED)
def test_operations_that_mix_rows_are_found(name):
    assert not apart(MIXED[name])


def test_a_network_that_mixes_rows_predicts_from_its_own_rows_alone():
    x = Input((4,))
    model = Model(x, x - ops.mean(x, axis=0, keepdims=True))
    rows = np.random.default_rng(0).random((5, 4), dtype=np.float32)
    assert np.allclose(model.predict(rows, verbose=0), rows - rows.mean(0), atol=1e-6)
    halves = model.predict(rows, batch_size=3, verbose=0)
    assert np.allclose(halves[3:], rows[3:] - rows[3:].mean(0), atol=1e-6)


def test_a_padding_mask_is_what_keras_makes_of_it(keras):
    ids = np.float32([[0, 5, 1], [2, 0, 0]])
    made = []
    for library in (keras, doltap):
        inputs = library.Input((3,))
        hidden = library.ops.where(inputs != 0, inputs, -1.0) * library.ops.cast(inputs != 5.0, "float32")
        made.append(library.Model(inputs, hidden))
    theirs, ours = made
    assert np.array_equal(ours.predict(ids, verbose=0), theirs.predict(ids, verbose=0))
    again = Model.from_config(theirs.get_config())
    assert np.array_equal(again.predict(ids, verbose=0), ours.predict(ids, verbose=0))
    back = keras.Model.from_config(json.loads(json.dumps(ours.get_config())))
    assert np.array_equal(back.predict(ids, verbose=0), ours.predict(ids, verbose=0))


def test_two_promises_are_equal_if_they_are_the_same_as_in_keras(keras):
    for library in (keras, doltap):
        a, b = library.Input((3,)), library.Input((3,))
        assert a == a
        assert a in [b, a]
        assert (a == b) is False
        assert (a == 5) is False


@pytest.mark.parametrize(
    "loop",
    [
        lambda x: ops.fori_loop(0, 3, lambda turn, carried: carried * 2, x),
        lambda x: ops.while_loop(lambda x: ops.max(x) < 16, lambda x: (x * 2,), (x,))[0],
        lambda x: ops.map(lambda row: row * 8, x),
        lambda x: ops.vectorized_map(lambda row: row * 8, x),
    ],
)
def test_loops_stand_in_a_network(loop):
    x, rows = Input((3,)), np.float32([[1, 2, 0], [0, 0, 1]])
    model = Model(x, loop(x))
    assert np.array_equal(model.predict(rows, verbose=0), rows * 8)
    assert np.array_equal(loop(rows), rows * 8)


def test_a_loop_in_a_network_is_refused_where_it_would_be_written_down():
    x = Input((3,))
    model = Model(x, ops.map(lambda row: row * 8, x))
    with pytest.raises(NotSupportedError, match="operation 'map"):
        model.get_config()


@pytest.mark.parametrize("name", ["relu", "softmax", "gelu", "elu", "tanh", "mish", "sparsemax", "relu6"])
def test_an_activation_of_a_promise_stands_in_a_network(name):
    function = doltap.activations.get(name)
    x, rows = Input((3,)), np.float32([[-1, 0.5, 2], [3, 1, -2]])
    model = Model(x, function(x))
    assert np.allclose(model.predict(rows, verbose=0), function(rows), atol=1e-6)
    again = pickle.loads(pickle.dumps(model))
    assert np.allclose(again.predict(rows, verbose=0), function(rows), atol=1e-6)


@pytest.mark.parametrize("name", ["relu", "softmax", "gelu", "elu", "log_softmax", "hard_shrink"])
def test_keras_reads_an_activation_in_a_network(keras, name):
    x, rows = Input((3,)), np.float32([[-1, 0.5, 2], [3, 1, -2]])
    model = Model(x, doltap.activations.get(name)(x))
    theirs = keras.Model.from_config(json.loads(json.dumps(model.get_config())))
    assert np.allclose(theirs.predict(rows, verbose=0), model.predict(rows, verbose=0), atol=1e-6)
    assert doltap.activations.linear(x) is x


@pytest.mark.parametrize("name", ["mean_squared_error", "mean_absolute_error", "kl_divergence", "log_cosh"])
def test_a_loss_of_promises_stands_in_a_network_as_in_keras(keras, name):
    rows = np.float32([[0.1, 0.5, 0.4], [0.2, 0.2, 0.6]]), np.float32([[0.3, 0.3, 0.4], [0.1, 0.1, 0.8]])
    made = []
    for library in (keras, doltap):
        inputs = [library.Input((3,)), library.Input((3,))]
        model = library.Model(inputs, getattr(library.losses, name)(*inputs))
        made.append(model.predict(list(rows), verbose=0))
    assert np.allclose(*made, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "change",
    [
        lambda x: ops.reshape(x, (ops.shape(x)[0], 6)),
        lambda x: ops.reshape(x, [x.shape[0], -1, 1]),
        lambda x: x.reshape((x.shape[0], 3, 2)),
        lambda x: ops.broadcast_to(x[:, :1], (ops.shape(x)[0], 4, 3)),
    ],
)
def test_the_batch_in_a_shape_may_be_the_one_of_the_promise(change):
    x, rows = Input((2, 3)), np.arange(30, dtype="float32").reshape(5, 2, 3)
    model = Model(x, change(x))
    for one in (model, Model.from_config(json.loads(json.dumps(model.get_config())))):
        assert np.array_equal(one.predict(rows, verbose=0), change(rows))
