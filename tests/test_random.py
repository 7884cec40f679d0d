"""One integer in, every random number out."""

from __future__ import annotations

import random as python_random

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doltap import config, random
from doltap.errors import DataError
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
