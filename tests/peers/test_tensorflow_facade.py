"""The facade gives what TensorFlow gives: values, types and shapes, and the same gradients."""

import numpy as np
import pytest


@pytest.fixture(scope="module")
def tf():
    import tensorflow

    return tensorflow


@pytest.fixture(scope="module")
def ours():
    import doltap.compat.tensorflow

    return doltap.compat.tensorflow


MATRIX = np.array([[4.0, 1.0, 0.5], [1.0, 3.0, 0.2], [0.5, 0.2, 2.0]], np.float32)
ROWS = np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]], np.float32)

# What is evaluated with `tf`, `a` (3 x 3, positive), `x` (2 x 3), `i` whole numbers, `b` true and false.
EXPRESSIONS = """
tf.constant(3.0)
tf.constant([1, 2])
tf.constant([1, 2.5])
tf.constant(2**40)
tf.constant(True)
tf.constant("text")
tf.constant(["a", "b"])
tf.constant(np.arange(3))
tf.constant(np.float64(3))
tf.constant(5, dtype=tf.float32)
tf.constant([1.0, 2.0], tf.float64)
tf.constant(1.0, shape=[2, 2])
tf.convert_to_tensor(np.ones(2), dtype=tf.float32)
tf.constant([1.0]) + np.array([2.5])
tf.constant([1]) + np.array([2])
tf.constant(7) / 2
tf.constant(7) // 2
tf.constant(7) % 4
-tf.constant(7) // 2
tf.constant(2) ** 3
2 ** tf.constant(3.0)
1 - x
x @ a
x[0]
x[:, 1]
x[1, ..., tf.newaxis]
x[tf.newaxis, :, ::2]
x[-1, -2:]
x[x > 0]
i[tf.constant(1)]
x == 0.5
x != x
(x > 0) & (x < 1)
~b
tf.constant([1]) == tf.constant([1, 2])
tf.add(1, 2)
tf.divide(1, 2)
tf.multiply(x, 2)
tf.subtract(x, 1.0)
tf.pow(2, 3)
tf.pow(a, 2.0)
tf.maximum(x, 0.0)
tf.minimum(x, 0)
tf.abs(-3)
tf.abs(x)
tf.sign(x)
tf.round([0.5, 1.5, -2.5])
tf.floor(x)
tf.math.ceil(x)
tf.square(x)
tf.sqrt(a)
tf.math.rsqrt(a)
tf.exp(x)
tf.math.log(a)
tf.math.log1p(a)
tf.math.expm1(x)
tf.sin(x)
tf.cos(x)
tf.tan(x)
tf.tanh(x)
tf.sigmoid(x)
tf.math.atan2(x, 1.0)
tf.math.erf(x)
tf.math.lgamma(a)
tf.math.reciprocal(a)
tf.math.squared_difference(x, 1.0)
tf.math.divide_no_nan(x, [0.0, 1.0, 2.0])
tf.math.xlogy(a, a)
tf.math.softplus(x)
tf.math.log_sigmoid(x)
tf.math.is_nan(x)
tf.math.mod(i, 2)
tf.clip_by_value(x, -0.5, 0.5)
tf.clip_by_value([1, 5], 2, 3)
tf.clip_by_norm(x, 1.0)
tf.clip_by_norm(x, 1.0, axes=1)
tf.clip_by_global_norm([x, a], 1.0)[0][0]
tf.linalg.global_norm([x, a])
tf.add_n([x, x])
tf.cast([1.7, -2.2], tf.int32)
tf.cast(i, "float32")
tf.cast(b, tf.float64)
tf.saturate_cast([300.0, -5.0], tf.uint8)
tf.reduce_sum(x)
tf.reduce_sum(x, 0)
tf.reduce_sum(x, axis=[0, 1], keepdims=True)
tf.reduce_sum(i)
tf.reduce_sum([1, 2])
tf.reduce_mean(x, axis=-1)
tf.reduce_mean([1, 2, 4])
tf.reduce_max(x, 1)
tf.reduce_min(x)
tf.reduce_prod(x, 1)
tf.reduce_any(b)
tf.reduce_all(b)
tf.math.reduce_std(x)
tf.math.reduce_variance(x, 0)
tf.reduce_logsumexp(x, 1)
tf.math.reduce_euclidean_norm(x, 1)
tf.math.count_nonzero(b)
tf.argmax(x, axis=1)
tf.argmax([1, 3, 2])
tf.argmin(x, 1)
tf.argmax(x, 1, output_type=tf.int32)
tf.argsort([3, 1, 2])
tf.argsort(x, direction="DESCENDING")
tf.sort(x)
tf.sort(x, direction="DESCENDING")
tf.math.top_k(x, 2).values
tf.math.top_k(x, 2).indices
tf.nn.top_k(x, k=2)[1]
tf.cumsum([1, 2, 3])
tf.cumsum(x, axis=1, exclusive=True, reverse=True)
tf.math.cumprod(x, axis=1)
tf.math.bincount([1, 1, 3])
tf.math.segment_sum(x, [0, 0])
tf.math.segment_mean(x, [0, 0])
tf.math.unsorted_segment_sum(x, [1, 0], 3)
tf.math.confusion_matrix([0, 1, 1], [0, 1, 0])
tf.searchsorted([1, 3, 5], [2, 5])
tf.unique([3, 1, 3]).y
tf.unique([3, 1, 3]).idx
tf.zeros(3)
tf.zeros([2, 3], tf.int32)
tf.ones((2,))
tf.fill([2, 2], 7)
tf.eye(2)
tf.eye(2, 3)
tf.range(5)
tf.range(1, 10, 3)
tf.range(0.0, 1.0, 0.25)
tf.linspace(0.0, 1.0, 5)
tf.zeros_like(i)
tf.ones_like(x, dtype=tf.int32)
tf.identity(x)
tf.shape(x)
tf.size(x)
tf.rank(x)
tf.reshape(x, [3, -1])
tf.reshape(x, tf.shape(x)[::-1])
tf.transpose(x)
tf.transpose([[[1, 2]]], perm=[1, 0, 2])
tf.expand_dims(x, 0)
tf.expand_dims(x, axis=-1)
tf.squeeze([[1]])
tf.squeeze([[[1, 2]]], axis=[0])
tf.concat([x, x], 0)
tf.concat([x, x], axis=1)
tf.stack([1, 2, 3])
tf.stack([x, x], axis=-1)
tf.unstack(x)[1]
tf.split(x, 3, axis=1)[2]
tf.split(x, [1, -1], 1)[1]
tf.tile([1, 2], [2])
tf.repeat([1, 2], 2)
tf.repeat([[1, 2]], [1, 3], axis=1)
tf.pad(x, [[1, 0], [0, 2]])
tf.pad(x, [[0, 0], [1, 1]], mode="REFLECT")
tf.reverse(x, [1])
tf.roll([1, 2, 3], 1, 0)
tf.broadcast_to([1, 2], [2, 2])
tf.gather([10, 20, 30], [2, 0])
tf.gather(x, [2, 0], axis=1)
tf.gather(x, [[2], [0]], batch_dims=1)
tf.gather_nd(x, [[0, 1], [1, 2]])
tf.gather_nd(x, [[1]])
tf.boolean_mask(x, [True, False])
tf.boolean_mask(x, x > 0)
tf.where([True, False])
tf.where([True, False], 1.0, 0.0)
tf.where(x > 0, x, tf.zeros_like(x))
tf.slice(x, [0, 1], [2, -1])
tf.strided_slice(x, [0, 0], [2, 3], [1, 2])
tf.one_hot([0, 2], 3)
tf.one_hot([0, 2], depth=3, dtype=tf.int32)
tf.one_hot([1], 3, on_value=5.0, off_value=-1.0)
tf.one_hot([0, 2], 3, axis=0)
tf.sequence_mask([1, 3])
tf.sequence_mask([1, 3], 4, dtype=tf.float32)
tf.scatter_nd([[1], [3]], [5, 6], [4])
tf.tensor_scatter_nd_update([1, 2, 3], [[1]], [9])
tf.tensor_scatter_nd_add(x, [[0, 0]], [9.0])
tf.meshgrid([1, 2], [3, 4, 5])[0]
tf.matmul(x, a)
tf.matmul(x, x, transpose_b=True)
tf.matmul(a, a, transpose_a=True)
tf.tensordot(x, a, axes=1)
tf.tensordot(x, a, axes=[[1], [0]])
tf.einsum("ij,jk->ik", x, a)
tf.linalg.inv(a)
tf.linalg.det(a)
tf.linalg.solve(a, tf.transpose(x))
tf.linalg.trace(a)
tf.linalg.diag([1.0, 2.0])
tf.linalg.diag_part(a)
tf.linalg.band_part(a, 0, -1)
tf.linalg.cholesky(a)
tf.linalg.svd(a)[0]
tf.linalg.eigh(a)[0]
tf.linalg.qr(a)[1] ** 2
tf.linalg.matvec(a, [1.0, 2.0, 3.0])
tf.linalg.norm(x)
tf.linalg.norm(x, axis=1)
tf.linalg.norm(x, ord=1, axis=1)
tf.norm(x)
tf.linalg.l2_normalize(x, axis=1)
tf.linalg.set_diag(a, [0.0, 0.0, 0.0])
tf.nn.relu([-1.0, 2.0])
tf.nn.relu6(x)
tf.nn.elu(x)
tf.nn.selu(x)
tf.nn.gelu(x)
tf.nn.silu(x)
tf.nn.softsign(x)
tf.nn.leaky_relu(x)
tf.nn.leaky_relu(x, alpha=0.1)
tf.nn.softmax(x)
tf.nn.softmax(x, axis=0)
tf.nn.log_softmax(x)
tf.nn.softmax_cross_entropy_with_logits(labels=[[0.0, 1.0, 0.0]], logits=x)
tf.nn.sparse_softmax_cross_entropy_with_logits(labels=[1, 2], logits=x)
tf.nn.sigmoid_cross_entropy_with_logits(labels=tf.ones_like(x), logits=x)
tf.nn.weighted_cross_entropy_with_logits(tf.ones_like(x), x, 2.0)
tf.nn.l2_loss(x)
tf.nn.l2_normalize(x, 1)
tf.nn.moments(x, axes=[0])[1]
tf.nn.batch_normalization(x, 0.5, 2.0, 1.0, None, 1e-3)
tf.nn.bias_add(x, [1.0, 2.0, 3.0])
tf.nn.embedding_lookup(a, [2, 0])
tf.nn.in_top_k([2, 0], x, 1)
tf.nn.zero_fraction([0.0, 1.0])
tf.nn.compute_average_loss([1.0, 3.0], global_batch_size=4)
tf.strings.lower(["A", "b"])
tf.strings.length("word")
tf.strings.join(["a", "b"], "-")
tf.strings.to_number("2.5")
tf.strings.split("a b c")
tf.strings.regex_replace("abc", "b", "x")
tf.strings.as_string([1, 2])
tf.strings.substr("hello", 1, 3)
tf.cond(tf.constant(True), lambda: tf.constant(1), lambda: tf.constant(2))
tf.while_loop(lambda n: n < 10, lambda n: (n * 2,), [tf.constant(1)])[0]
tf.map_fn(lambda r: r * 2, x)
tf.vectorized_map(lambda r: tf.reduce_sum(r), x)
tf.scan(lambda s, r: s + r, tf.constant([1.0, 2.0, 3.0]))
tf.foldl(lambda s, r: s + r, tf.constant([1.0, 2.0, 3.0]))
tf.numpy_function(np.sin, [x], tf.float32)
tf.stop_gradient(x)
tf.Variable([1.0, 2.0]) * 2
tf.Variable([[1.0, 2.0]])[0, 1]
tf.Variable([1, 2]).assign_add([1, 1]).read_value()
tf.Variable(np.zeros(2)).value()
""".strip().splitlines()


def evaluated(expression, tf):
    names = {"a": tf.constant(MATRIX), "x": tf.constant(ROWS), "i": tf.constant([4, 5, 7])}
    names["b"] = tf.constant([True, False])
    return eval(expression, {"tf": tf, "np": np, **names})


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_expression_gives_the_same_values_of_the_same_type(expression, tf, ours):
    theirs, mine = evaluated(expression, tf), evaluated(expression, ours)
    if isinstance(theirs, bool):
        assert mine == theirs
        return
    assert mine.dtype.name == theirs.dtype.name
    assert tuple(mine.shape) == tuple(theirs.shape)
    if theirs.dtype == "string":
        np.testing.assert_array_equal(mine.numpy(), theirs.numpy())
    else:
        np.testing.assert_allclose(mine.numpy(), theirs.numpy(), 2e-5, 1e-6)
    if np.ndim(theirs.numpy()) == 0 and theirs.dtype != "float32":
        assert repr(mine) == repr(theirs)


SHOWN = """
tf.constant(3.0)
tf.constant([1, 2])
tf.constant([[1.0, 2.0], [3.0, 4.0]])
tf.constant("hi")
tf.constant(["a", "b"])
tf.constant([True])
tf.Variable(3.0)
tf.Variable([[1, 2]], name="w")
tf.float32
tf.constant([[1, 2]]).shape
tf.TensorShape([2, None])
tf.TensorSpec((None, 2))
tf.zeros((0, 2))
tf.constant(2.5, tf.float64)
""".strip().splitlines()


@pytest.mark.parametrize("expression", SHOWN)
def test_what_is_printed_looks_the_same(expression, tf, ours):
    theirs, mine = evaluated(expression, tf), evaluated(expression, ours)
    assert repr(mine) == repr(theirs)
    assert str(mine) == str(theirs)


GRADIENTS = """
tf.reduce_sum(x * x)
tf.reduce_mean(tf.square(x @ a - 1.0))
tf.reduce_sum(tf.exp(x) / (1 + tf.exp(x)))
tf.reduce_sum(tf.nn.softmax(x)[:, 0])
tf.reduce_sum(tf.where(x > 0, x, 3 * x))
tf.reduce_max(x)
tf.reduce_sum(tf.gather(x, [2, 0, 2], axis=1))
tf.reduce_sum(tf.concat([x, 2 * x], 0))
tf.reduce_sum(tf.stack([x[0], x[1] * 2])[1])
tf.linalg.det(tf.matmul(x, x, transpose_b=True))
tf.reduce_sum(tf.stop_gradient(x) * x)
tf.reduce_sum(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=[1, 2], logits=x))
tf.reduce_sum(tf.cast(x, tf.float64) ** 3)
tf.norm(x)
tf.reduce_sum(tf.cumsum(x, 1))
tf.reduce_logsumexp(x)
tf.reduce_sum(tf.clip_by_value(x, -0.5, 0.5))
tf.reduce_sum(tf.abs(x))
tf.reduce_sum(tf.maximum(x, 0.0) + tf.minimum(x, 0.1))
tf.reduce_sum(tf.boolean_mask(x, x > 0) ** 2)
tf.reduce_sum(tf.nn.relu(x)) + tf.reduce_sum(tf.nn.leaky_relu(x))
tf.math.reduce_std(x)
x
tf.einsum("ij,ij->i", x, x)
tf.reduce_sum(tf.map_fn(lambda r: r * r, x))
tf.add_n([tf.reduce_sum(x), tf.reduce_sum(x ** 2)])
""".strip().splitlines()


def gradient_of(expression, tf):
    x, a = tf.constant(ROWS), tf.constant(MATRIX)
    with tf.GradientTape() as tape:
        tape.watch(x)
        target = eval(expression, {"tf": tf, "x": x, "a": a})
    return tape.gradient(target, x)


@pytest.mark.parametrize("expression", GRADIENTS)
def test_a_gradient_is_the_same(expression, tf, ours):
    theirs, mine = gradient_of(expression, tf), gradient_of(expression, ours)
    assert mine.dtype.name == theirs.dtype.name
    np.testing.assert_allclose(mine.numpy(), tf.convert_to_tensor(theirs).numpy(), 2e-5, 1e-6)


def second_derivatives(tf):
    x = tf.Variable([1.0, -2.0, 0.5])
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            y = tf.reduce_sum(x**3 * tf.sin(x))
        first = inner.gradient(y, x)
    return [first, outer.jacobian(first, x)]


def of_a_persistent_tape(tf):
    x, w = tf.constant([[1.0, 2.0]]), tf.Variable([[1.0], [3.0]])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        middle = x @ w
        end = middle**2
    unconnected = tape.gradient(end, tf.Variable(1.0), unconnected_gradients="zero")
    return [*tape.gradient(end, [x, w, middle]), tape.gradient(middle, w), unconnected]


def batch_jacobian(tf):
    x = tf.constant(ROWS)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.sin(x) * tf.reduce_sum(x, 1, keepdims=True)
    return [tape.batch_jacobian(y, x)]


def with_stops(tf):
    v = tf.Variable(3.0)
    with tf.GradientTape() as tape:
        y = v * v
        with tape.stop_recording():
            z = v * 10.0
        y = y + z
    return [tape.gradient(y, v)]


def own_gradient(tf):
    @tf.custom_gradient
    def clipped(x):
        return x, lambda upstream: tf.clip_by_norm(upstream, 0.5)

    v = tf.Variable(2.0)
    with tf.GradientTape() as tape:
        y = clipped(v * v)
    return [y, tape.gradient(y, v)]


def assigned_between(tf):
    v = tf.Variable(2.0)
    with tf.GradientTape() as tape:
        y = v * v
        v.assign(5.0)
        y = y + v
    return [y, tape.gradient(y, v)]


def seeds(tf):
    x = tf.Variable([1.0, 2.0])
    with tf.GradientTape() as tape:
        y, z = x * x, 3.0 * x
    return [tape.gradient([y, z], x, output_gradients=[tf.constant([1.0, 10.0]), tf.constant([2.0, 2.0])])]


@pytest.mark.parametrize(
    "program",
    [
        second_derivatives,
        of_a_persistent_tape,
        batch_jacobian,
        with_stops,
        own_gradient,
        assigned_between,
        seeds,
    ],
    ids=lambda program: program.__name__,
)
def test_a_tape_is_asked_in_many_ways(program, tf, ours):
    for mine, theirs in zip(program(ours), program(tf), strict=True):
        np.testing.assert_allclose(mine.numpy(), theirs.numpy(), 2e-5, 1e-6)
