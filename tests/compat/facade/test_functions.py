"""What stands round the tensor: functions, modules, switches, texts, and words for what is not there."""

import io
import unittest

import jax
import numpy as np
import pytest

import doltap as keras
from doltap.compat.tensorflow import lacking
from doltap.errors import DoltapError, MissingAttributeError, MissingNameError

# Missing names.


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("distribute", "leave the strategy out"),
        ("saved_model", "model.save"),
        ("estimator", "tf.keras.Sequential"),
        ("nn.conv2d", "images"),
        ("train.Saver", "save_weights"),
        ("Session", "no sessions"),
        ("placeholder", "tf.keras.Input"),
        ("zeross", "Did you mean 'zeros'"),
        ("GradiantTape", "Did you mean 'GradientTape'"),
        ("math.reduce_men", "Did you mean 'reduce_mean'"),
        ("linalg.invv", "Did you mean 'inv'"),
        ("random.nromal", "Did you mean 'normal'"),
        ("config.list_physical_device", "Did you mean 'list_physical_devices'"),
    ],
)
def test_a_name_that_is_not_there_says_what_to_use(path, words, tf):
    *way, last = path.split(".")
    place = tf
    for name in way:
        place = getattr(place, name)
    with pytest.raises(MissingAttributeError) as told:
        getattr(place, last)
    assert words in str(told.value)
    assert str(told.value).startswith("tensorflow")


def test_an_import_of_what_is_not_there_says_the_same(tf):
    with pytest.raises(MissingNameError, match="images"):
        from doltap.compat.tensorflow.nn import conv2d  # noqa: F401


@pytest.mark.parametrize("path", sorted(lacking.REASONS))
def test_every_reason_is_a_sentence_about_something_that_is_not_there(path, tf):
    assert lacking.REASONS[path].endswith(".")
    place, _, last = path.rpartition(".")
    holder = vars(tf).get(place) if place else tf
    assert holder is None or last not in vars(holder)


def test_what_also_stands_in_keras_is_keras(tf):
    assert tf.losses.MeanSquaredError is keras.losses.MeanSquaredError
    assert tf.optimizers.Adam is keras.optimizers.Adam


@pytest.mark.parametrize("name", sorted(lacking.MOVED))
def test_a_name_of_tensorflow_1_gives_the_function_of_today(name, tf):
    found = tf
    for part in lacking.MOVED[name].split("."):
        found = getattr(found, part)
    assert getattr(tf, name) is found


# Functions.


def test_a_function_is_called_line_by_line_and_keeps_its_meaning(tf):
    seen = []

    @tf.function(jit_compile=True)
    def doubled(x):
        seen.append(type(x))
        for _ in tf.range(2):
            x += x
        if tf.reduce_sum(x) > 0:
            return x
        return -x

    assert doubled(np.array([-1.0])).numpy().tolist() == [4.0]
    assert doubled(tf.constant([1.0])).numpy().tolist() == [4.0]
    assert seen == [tf.Tensor, tf.Tensor]
    assert doubled.python_function(3) == 12
    assert doubled.__name__ == "doubled"


def test_a_signature_makes_tensors_of_arguments(tf):
    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32)])
    def kind(x):
        return x.dtype

    assert kind([1, 2]) == tf.float32


def test_a_method_may_be_a_function(tf):
    class Counter(tf.Module):
        def __init__(self):
            super().__init__()
            self.count = tf.Variable(0)

        @tf.function
        def increment(self, by=1):
            return self.count.assign_add(by)

    counter = Counter()
    counter.increment()
    assert counter.increment(2).numpy() == 3
    with pytest.raises(TypeError, match="jit_compile"):
        tf.function(jit_compil=True)


def test_a_function_for_arguments_of_a_kind_is_the_function_and_has_no_graph(tf):
    @tf.function
    def cube(x):
        return x**3

    concrete = cube.get_concrete_function(tf.constant(2.0))
    assert concrete(tf.constant(3.0)).numpy() == 27
    assert concrete is cube.get_concrete_function(tf.constant(5.0))
    assert concrete is not cube.get_concrete_function(tf.constant([5.0]))
    assert concrete is not cube.get_concrete_function(tf.TensorSpec([], tf.int32))
    with pytest.raises(NotImplementedError, match="no graphs"):
        _ = concrete.graph
    assert "return x**3\n" in tf.autograph.to_code(cube.python_function)


def test_a_module_finds_its_variables_wherever_they_hang(tf):
    class Inner(tf.Module):
        def __init__(self):
            super().__init__()
            self.w = tf.Variable(1.0, name="inner")

    class Outer(tf.Module):
        def __init__(self):
            super().__init__(name="outer")
            self.inside = {"a": [Inner()], "b": (tf.Variable(2.0, trainable=False, name="fixed"),)}
            self.layer = keras.layers.Dense(1)
            self.layer.build((None, 2))

    module = Outer()
    assert [v.name for v in module.variables] == ["inner:0", "fixed:0", "kernel", "bias"]
    assert [v.name for v in module.trainable_variables] == ["inner:0", "kernel", "bias"]
    assert [type(one).__name__ for one in module.submodules] == ["Inner", "Dense"]
    assert module.name == "outer"


def test_a_tensor_array_is_written_and_stacked(tf):
    array = tf.TensorArray(tf.float32, size=0, dynamic_size=True)
    for number in tf.range(3):
        array = array.write(number, tf.cast(number, tf.float32) ** 2)
    assert array.stack().numpy().tolist() == [0.0, 1.0, 4.0]
    assert array.size() == 3


def test_conditions_and_loops_become_part_of_a_compiled_program(tf):
    def compute(x):
        grown = tf.while_loop(lambda n, y: n < 3, lambda n, y: (n + 1, y * 2), (0, x))[1]
        return tf.cond(tf.reduce_sum(grown) > 0, lambda: grown, lambda: -grown)

    assert jax.jit(compute)(jax.numpy.float32(-1.0)) == 8.0
    assert jax.jit(lambda x: tf.switch_case(x, [lambda: 1.0, lambda: 2.0]))(1) == 2.0


def test_every_function_takes_tracers_and_gives_tracers(tf):
    def compute(x):
        found = tf.concat([tf.nn.softmax(x), tf.one_hot([0], 3), tf.zeros([1, 3])], 0)
        assert isinstance(found, jax.core.Tracer)
        return tf.reduce_sum(found[:, 0]) + tf.cast(tf.shape(x)[0], tf.float32) + tf.argmax(x[0])

    assert jax.jit(compute)(jax.numpy.zeros((1, 3))).item() == pytest.approx(1 / 3 + 2)


def test_python_functions_are_called_with_values(tf):
    assert tf.numpy_function(lambda x: x + 1, [tf.constant([1.0])], tf.float32).numpy().tolist() == [2.0]
    assert tf.py_function(lambda x: x.numpy() * 2, [3], Tout=tf.int64).dtype == tf.int64


def test_python_functions_are_called_from_compiled_programs(tf):
    def spread(x):
        values = x.numpy()
        if not values.any():
            raise ValueError("no spread")
        return values.max() - values.min()

    def both(x):
        return tf.py_function(spread, [x], tf.double), tf.numpy_function(np.cumsum, [x], [tf.float32])[0]

    number, rows = jax.jit(both)(np.float32([1, 4, 2]))
    assert (number.shape, number.item(), rows.tolist()) == ((), 3, [1, 5, 7])


# Randomness.


def test_the_same_seed_gives_the_same_numbers(tf):
    def drawn():
        tf.random.set_seed(42)
        generator = tf.random.Generator.from_seed(1)
        return [
            tf.random.normal([3]),
            tf.random.uniform([3], 0, 10, tf.int32),
            tf.random.truncated_normal([3]),
            tf.random.shuffle(tf.range(9)),
            tf.random.categorical([[0.0, 1.0]], 4),
            tf.random.normal([3], seed=7),
            tf.random.gamma([3], 2.0),
            tf.random.poisson([3], 2.0),
            generator.normal([3]),
            generator.uniform([3]),
            tf.random.stateless_normal([3], seed=[1, 2]),
            tf.nn.dropout(tf.ones([20]), 0.5),
        ]

    for first, second in zip(drawn(), drawn(), strict=True):
        np.testing.assert_array_equal(first.numpy(), second.numpy())
    assert (tf.random.normal([3]).numpy() != tf.random.normal([3]).numpy()).any()


def test_random_numbers_are_distributed_as_they_say(tf):
    tf.random.set_seed(1)
    normal = tf.random.normal([4000], mean=2.0, stddev=3.0, dtype=tf.float64).numpy()
    assert [normal.mean(), normal.std()] == pytest.approx([2.0, 3.0], abs=0.15)
    cut = tf.random.truncated_normal([4000]).numpy()
    assert np.abs(cut).max() <= 2
    assert cut.std() == pytest.approx(0.88, abs=0.03)
    even = tf.random.uniform([4000], 2, 4).numpy()
    assert 2 <= even.min() < even.max() < 4
    drawn = tf.random.categorical(tf.math.log([[0.25, 0.75]]), 4000).numpy()
    assert drawn.mean() == pytest.approx(0.75, abs=0.03)
    assert sorted(tf.random.shuffle([3, 1, 2]).numpy()) == [1, 2, 3]


# Switches, texts, files, assertions.


def test_devices_and_switches_are_asked_and_told(tf):
    gpus = tf.config.list_physical_devices("GPU")
    assert tf.test.is_gpu_available() is bool(gpus)
    assert tf.config.experimental.list_physical_devices("CPU")[0].name == "/physical_device:CPU:0"
    for gpu in gpus:
        tf.config.experimental.set_memory_growth(gpu, True)
    tf.config.experimental.enable_op_determinism()
    tf.config.threading.set_inter_op_parallelism_threads(2)
    tf.config.optimizer.set_jit(True)
    tf.config.run_functions_eagerly(True)
    assert tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(False)
    with tf.device("/CPU:0"), tf.name_scope("x") as scope:
        assert scope == "x/"
    tf.config.set_soft_device_placement(False)
    with pytest.raises(DoltapError, match="list_physical_devices"), tf.device("/TPU:7"):
        pass
    tf.config.set_soft_device_placement(True)


def test_versions_are_honestly_marked(tf):
    assert tf.__version__ == tf.version.VERSION == "2.16.1+doltap"
    assert tf.__version__ > "2.0"
    assert tf.executing_eagerly()
    assert "is_cuda_build" in tf.sysconfig.get_build_info()


def test_printing_goes_to_standard_error_and_out_of_programs(tf, capsys):
    tf.print("sum:", tf.constant([1, 2]), [tf.constant(1.5)], sep="|")
    jax.jit(lambda x: tf.print("inside", x))(3.0)
    jax.effects_barrier()
    assert capsys.readouterr().err == "sum:|[1 2]|[1.5]\ninside 3.0\n"
    stream = io.StringIO()
    tf.print({"a": tf.constant(1)}, output_stream=stream)
    assert stream.getvalue() == "{'a': 1}\n"


def test_files_are_read_and_written_by_name(tf, tmp_path):
    path = str(tmp_path / "inner" / "text.txt")
    tf.io.write_file(path, "three words here")
    assert tf.io.gfile.exists(path)
    assert tf.strings.split(tf.io.read_file(path)).shape == (3,)
    with tf.io.gfile.GFile(path) as file:
        assert file.read() == "three words here"
    assert tf.io.gfile.glob(str(tmp_path / "*" / "*.txt")) == [path]
    with pytest.raises(tf.errors.NotFoundError, match="nothing"):
        tf.io.read_file(str(tmp_path / "nothing"))


@pytest.mark.parametrize(
    "claim",
    [
        lambda d: d.assert_equal([1, 2], [1, 3]),
        lambda d: d.assert_positive([1.0, -1.0]),
        lambda d: d.assert_less(3, 2),
        lambda d: d.assert_near([1.0], [1.1]),
        lambda d: d.assert_rank([1.0], 2),
        lambda d: d.assert_type([1.0], "int32"),
        lambda d: d.assert_integer([1.0]),
        lambda d: d.assert_shapes([(np.ones((2, 3)), ("n", "n"))]),
        lambda d: d.check_numerics([np.nan], "found one"),
        lambda d: d.Assert(False, [1, 2]),
        lambda d: d.assert_none_equal([1], [1]),
        lambda d: d.assert_non_negative(-1),
    ],
)
def test_an_assertion_that_fails_shows_the_values(claim, tf):
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"tf\.debugging"):
        claim(tf.debugging)


def test_assertions_that_hold_say_nothing(tf):
    debugging = tf.debugging
    debugging.assert_equal([1, 2], [1, 2])
    debugging.assert_shapes([(np.ones((2, 3)), ("n", 3)), (np.ones(2), ("n",))])
    assert debugging.check_numerics([1.0], "fine").numpy().tolist() == [1.0]
    assert jax.jit(lambda x: debugging.assert_positive(x))(1.0) is None


def test_a_test_case_compares_tensors(tf):
    class Case(tf.test.TestCase):
        def test_equality(self):
            self.assertAllClose(tf.constant([1.0]), [1.0 + 1e-8])
            self.assertAllEqual(tf.constant([1]), [1])
            assert self.evaluate(tf.constant(3)) == 3

    result = unittest.TestResult()
    Case("test_equality").run(result)
    assert result.wasSuccessful()


def test_structures_are_flattened_and_packed(tf):
    structure = {"b": [1, (2,)], "a": 3}
    assert tf.nest.flatten(structure) == [3, 1, 2]
    assert tf.nest.pack_sequence_as(structure, [30, 10, 20]) == {"b": [10, (20,)], "a": 30}
    assert tf.nest.map_structure(lambda x: x + 1, structure) == {"b": [2, (3,)], "a": 4}
    with pytest.raises(DoltapError, match="structure"):
        tf.nest.map_structure(lambda x, y: x, [1, 2], [1, [2]])


def test_functions_stand_in_a_network_of_symbolic_tensors(tf):
    inputs = keras.Input((3,))
    hidden = tf.reduce_mean(tf.nn.relu(inputs) * tf.constant([1.0, 2.0, 3.0]), axis=1, keepdims=True)
    model = keras.Model(inputs, tf.concat([hidden, tf.square(inputs)], axis=-1))
    x = np.array([[1.0, -2.0, 3.0]], np.float32)
    assert model.output_shape == (None, 4)
    np.testing.assert_allclose(model.predict(x, verbose=0), [[10 / 3, 1.0, 4.0, 9.0]], 1e-6)
    np.testing.assert_allclose(model(x).numpy(), [[10 / 3, 1.0, 4.0, 9.0]], 1e-6)


def test_a_number_that_is_none_is_written_and_prints_nothing(tf, tmp_path, caplog, capsys):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    pytest.importorskip("tensorboardX")
    writer = tf.summary.create_file_writer(str(tmp_path))
    with writer.as_default(), caplog.at_level("INFO"):
        assert tf.summary.scalar("my loss", tf.constant(float("nan")), step=3)
    writer.close()
    assert not caplog.records
    assert capsys.readouterr() == ("", "")
    events = accumulator.EventAccumulator(str(tmp_path)).Reload()
    (point,) = events.Scalars("my loss")
    assert point.step == 3
    assert np.isnan(point.value)


def test_summaries_are_written_for_tensorboard(tf, tmp_path):
    pytest.importorskip("tensorboardX")
    assert not tf.summary.scalar("loss", 1.0, step=0)
    writer = tf.summary.create_file_writer(str(tmp_path))
    with writer.as_default(step=3):
        assert tf.summary.scalar("loss", tf.constant(0.5))
        tf.summary.histogram("weights", tf.random.normal([20]), buckets=10)
        tf.summary.text("note", ["one", "two"], step=4)
        tf.summary.image("picture", np.random.rand(2, 4, 4, 3))
    writer.close()
    (file,) = tmp_path.iterdir()
    content = file.read_bytes()
    assert all(tag in content for tag in (b"loss", b"weights", b"note", b"picture/image/1"))
    with pytest.raises(NotImplementedError, match="a step"), writer.as_default():
        tf.summary.scalar("loss", 1.0)


def test_texts_are_made_of_the_numbers_of_characters(tf):
    text = tf.strings.unicode_encode([[99, 97, 102, 233]], "UTF-8")
    assert text.numpy().tolist() == ["café".encode()]
    assert tf.strings.unicode_decode(text[0], "UTF-8").numpy().tolist() == [99, 97, 102, 233]
