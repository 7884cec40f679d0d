"""One integer in, every random number out."""

from __future__ import annotations

import random as python_random

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doltap import config, random
from doltap.errors import DataError, ShapeError
from doltap.random import SeedGenerator

quick = settings(max_examples=40, deadline=None)
numbers = st.integers(-(2**100), 2**100)


def bits(key):
    return tuple(np.asarray(jax.random.key_data(key)).tolist())


@quick
@given(st.lists(numbers, min_size=1, max_size=4), st.lists(numbers, min_size=1, max_size=4))
def test_mixing_is_a_pure_function_and_tells_numbers_apart(one, two):
    mixed = random.mix(*one)
    assert 0 <= mixed < 2**63
    assert mixed == random.mix(*one)
    assert (mixed == random.mix(*two)) == (one == two)


def test_the_mixture_of_today_is_that_of_every_version():
    # Changing these numbers changes every result that anybody reproduced.
    assert random.mix(0) == 520810605562734633
    assert random.mix(42, 1) == 534141203799843796
    assert random.generator(42).integers(0, 1000, 3).tolist() == [897, 210, 272]


@quick
@given(st.integers(0, 2**63 - 1), st.integers(0, 2**31 - 2))
def test_a_step_has_keys_of_its_own(seed, step):
    words = random.words(seed)
    assert int(words[0]) << 32 | int(words[1]) == seed

    def key(words, step):
        with random.key_scope(words, step):
            return SeedGenerator().next()

    assert bits(key(words, step)) == bits(key(jax.device_put(words), np.int32(step)))
    assert bits(key(words, step)) != bits(key(words, step + 1))
    assert bits(key(words, step)) != bits(key(random.words(seed ^ 1), step))
    assert "fry" in str(jax.random.key_impl(key(words, step)))


def test_one_seed_sets_python_numpy_and_doltap():
    def draw():
        random.set_random_seed(5)
        return python_random.random(), np.random.random(), random.draw_seed(), random.draw_seed()

    first = draw()
    assert first == draw()
    assert first[2] != first[3]
    random.set_random_seed(np.int64(6))
    assert random.draw_seed() != first[2]
    assert config.global_seed() == 6


@pytest.mark.parametrize("seed", [-1, 2**32, 1.0, "1", None, True, float("nan")])
def test_a_seed_that_is_none_changes_nothing(seed):
    random.set_random_seed(5)
    before = python_random.getstate()
    with pytest.raises(DataError, match="set_random_seed: expected a whole number"):
        random.set_random_seed(seed)
    assert python_random.getstate() == before
    assert config.global_seed() == 5


def test_a_key_depends_on_step_place_and_call():
    def keys(step, *positions):
        generators = [SeedGenerator() for _ in positions]
        for generator, position in zip(generators, positions, strict=True):
            generator.position = position
        with random.key_scope(random.words(1), step):
            return [bits(generator.next()) for generator in generators for _ in range(2)]

    assert keys(0, 0, 1) == keys(0, 0, 1)
    assert len({*keys(0, 0, 1), *keys(1, 0, 1), *keys(0, 2, 3)}) == 12
    # The place counts, not who asks first.
    assert keys(0, 1, 0) == [*keys(0, 1), *keys(0, 0)]


def test_a_seed_of_ones_own_wins_over_the_place():
    def key(seed, position):
        generator = SeedGenerator(seed)
        generator.position = position
        with random.key_scope(random.words(1), 0):
            return bits(generator.next())

    assert key(7, 0) == key(7, 5)
    assert key(7, 0) != key(8, 0)


def test_outside_a_program_each_key_is_new_and_a_seed_repeats_them():
    def keys(seed):
        generator = SeedGenerator(seed)
        return [bits(generator.next()) for _ in range(3)]

    assert keys(3) == keys(3)
    assert len(set(keys(3) + keys(4) + keys(None) + keys(None))) == 12


def test_scopes_nest_and_end_after_an_error():
    generator = SeedGenerator(1)

    def failing():
        with random.key_scope(random.words(2), 0):
            raise RuntimeError

    with random.key_scope(random.words(1), 0):
        first = bits(generator.next())
        with pytest.raises(RuntimeError):
            failing()
        second = bits(generator.next())
    with random.key_scope(random.words(1), 0):
        assert [bits(generator.next()) for _ in range(2)] == [first, second]


# Random numbers

DRAWS = {
    "normal": [((2, 3),), ((500,), 3.0, 0.5), ((4,), 0.0, 1.0, "float16")],
    "truncated_normal": [((2, 3),), ((500,), 3.0, 0.5, "float32")],
    "uniform": [((2, 3),), ((500,), -3.0, 2.0), ((4,), 0.0, 1.0, "bfloat16")],
    "randint": [((500,), -2, 9), ((4,), 0, 200, "uint8")],
    "categorical": [([[0.1, 2.0, -1.0]], 20), (np.zeros((3, 4), "float32"), 5, "int16")],
    "gamma": [((50,), 2.0), ((2, 3), np.array([0.5, 1.0, 5.0]))],
    "beta": [((50,), 2.0, 0.5), ((2,), [1.0, 2.0], [3.0, 4.0])],
    "binomial": [((50,), 10.0, 0.3), ((2,), [5.0, 6.0], [0.1, 0.9])],
    "shuffle": [(np.arange(20),), (np.arange(12.0).reshape(3, 4), 1)],
    "dropout": [(np.ones((20, 20), "float32"), 0.3), (np.ones((4, 6), "float32"), 0.5, (None, 1))],
}
EVERY_DRAW = [(name, arguments) for name, listed in DRAWS.items() for arguments in listed]


@pytest.mark.parametrize(("name", "arguments"), EVERY_DRAW)
def test_a_whole_number_as_seed_gives_keras_numbers(keras, name, arguments):
    for seed in (0, 7, 2**32 - 1):
        ours = getattr(random, name)(*arguments, seed=seed)
        converted = [np.asarray(each, "float32") if isinstance(each, list) else each for each in arguments]
        theirs = getattr(keras.random, name)(*converted, seed=seed)
        assert (ours.shape, ours.dtype, ours.weak_type) == (theirs.shape, theirs.dtype, False)
        np.testing.assert_array_equal(np.asarray(ours), np.asarray(theirs))


def test_every_function_of_keras_random_is_here(keras):
    import inspect

    theirs = {name for name in dir(keras.random) if not name.startswith("_")}
    assert theirs == {*DRAWS, "SeedGenerator"}
    for name in DRAWS:
        ours, other = (
            [
                (each.name, each.default)
                for each in inspect.signature(getattr(place, name)).parameters.values()
            ]
            for place in (random, keras.random)
        )
        assert ours == other, name


@pytest.mark.parametrize("name", DRAWS)
def test_without_a_seed_numbers_follow_the_global_seed(name):
    def draw(seed=None):
        return [np.asarray(getattr(random, name)(*DRAWS[name][0], seed=seed)).tolist() for _ in range(2)]

    random.set_random_seed(3)
    first, second = draw(), draw()
    random.set_random_seed(3)
    assert draw() == first
    assert draw() == second
    assert first != second
    assert draw(5)[0] == draw(5)[1]
    assert draw(SeedGenerator(5)) == draw(SeedGenerator(5)) != draw(SeedGenerator(6))


def test_numbers_drawn_between_models_change_no_model():
    random.set_random_seed(3)
    seeds = [random.draw_seed(), random.draw_seed()]
    random.set_random_seed(3)
    random.normal((2,))
    assert [random.draw_seed(), random.draw_seed()] == seeds


def test_inside_a_program_each_call_and_each_step_has_its_own_numbers():
    @jax.jit
    def run(step):
        with random.key_scope(random.words(1), step):
            return (
                random.uniform((3,)),
                random.uniform((3,)),
                jax.random.uniform(SeedGenerator().next(), (3,)),
            )

    found = [tuple(np.asarray(each).tolist()) for step in (0, 1) for each in run(step)]
    assert len(set(found)) == 6
    assert found[:3] == [tuple(np.asarray(each).tolist()) for each in run(0)]


def test_numbers_are_distributed_as_they_should_be():
    many = (20_000,)
    moments = {
        "normal": (random.normal(many, 2.0, 3.0, seed=1), 2, 9),
        "truncated_normal": (random.truncated_normal(many, 0.0, 1.0, seed=1), 0, 0.774),
        "uniform": (random.uniform(many, 1.0, 3.0, seed=1), 2, 1 / 3),
        "randint": (random.randint(many, 0, 10, seed=1), 4.5, 8.25),
        "categorical": (random.categorical(np.log([[0.25, 0.75]]), many[0], seed=1), 0.75, 0.1875),
        "dropout": (random.dropout(np.ones(many, "float32"), 0.5, seed=1), 1, 1),
    }
    for name, (numbers, mean, variance) in moments.items():
        numbers = np.asarray(numbers, "float64")
        assert numbers.mean() == pytest.approx(mean, abs=0.08), name
        assert numbers.var() == pytest.approx(variance, rel=0.06), name
    assert abs(np.asarray(moments["truncated_normal"][0])).max() <= 2
    assert sorted(random.shuffle(np.arange(50), seed=1).tolist()) == list(range(50))


def test_dropout_has_its_ends():
    x = np.ones((3, 4), "float32")
    assert random.dropout(x, 0.0).tolist() == x.tolist()
    assert not np.asarray(random.dropout(x, 1.0)).any()
    rows = np.asarray(random.dropout(np.ones((50, 4), "float32"), 0.5, (None, 1), seed=1))
    assert set(rows.sum(axis=1)) == {0.0, 8.0}


def test_a_key_of_jax_is_a_seed_too():
    key = jax.random.key(4, impl="threefry2x32")
    ours = random.uniform((3,), seed=key)
    assert ours.tolist() == jax.random.uniform(key, (3,)).tolist()
    assert ours.tolist() == random.uniform((3,), seed=jax.random.key_data(key)).tolist()


def test_seeds_beyond_32_bits_differ():
    assert random.normal((2,), seed=1).tolist() != random.normal((2,), seed=1 + 2**32).tolist()
    assert random.normal((2,), seed=-1).tolist() != random.normal((2,), seed=2**32 - 1).tolist()


@pytest.mark.parametrize("seed", [1.5, "1", True, [1]])
def test_what_is_no_seed_is_refused(seed):
    with pytest.raises(DataError, match="the seed: expected a whole number, a SeedGenerator or None"):
        random.normal((2,), seed=seed)


def test_types_and_shapes_that_cannot_be_are_refused():
    with pytest.raises(DataError, match=r"random\.uniform: expected a type that holds fractions"):
        random.uniform((2,), dtype="int32")
    with pytest.raises(DataError, match=r"random\.randint: expected a type of whole numbers"):
        random.randint((2,), 0, 5, dtype="float32")
    with pytest.raises(ShapeError, match=r"\(batch, classes\), got shape \(3,\)"):
        random.categorical([1.0, 2.0, 3.0], 2)


def test_a_seed_generator_can_be_made_again():
    config.clear_session()
    generator = SeedGenerator(4)
    assert generator.get_config() == {"seed": 4, "name": "seed_generator"}
    again = SeedGenerator.from_config(generator.get_config())
    assert bits(again.next(ordered=False)) == bits(generator.next())
