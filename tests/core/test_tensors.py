"""A Variable computes like its array, refuses other shapes, and can be lent."""

from __future__ import annotations

import operator
import threading

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import doltap
from doltap.core.tensors import Rate, Variable, lend, place
from doltap.errors import DataError, NotSupportedError, ShapeError

ARRAY = np.array([[1.0, -2.0, 3.0], [4.0, 5.0, -6.0]], np.float32)
OPERATORS = ["add", "sub", "mul", "truediv", "floordiv", "mod", "pow"]
COMPARISONS = ["eq", "ne", "lt", "le", "gt", "ge"]


def variable(array=ARRAY, **options):
    return Variable(array, **options)


@pytest.mark.parametrize("name", OPERATORS)
@pytest.mark.parametrize(
    "other", [2.0, 3, ARRAY + 2.5, jnp.asarray(ARRAY) + 2.5, "variable"], ids=lambda o: type(o).__name__
)
def test_operators_compute_with_its_array_on_both_sides(name, other):
    apply, mine = getattr(operator, name), variable(np.abs(ARRAY))
    plain = variable(ARRAY + 2.5).numpy() if isinstance(other, str) else other
    other = variable(ARRAY + 2.5) if isinstance(other, str) else other
    for ours, theirs in (
        (apply(mine, other), apply(jnp.abs(ARRAY), plain)),
        (apply(other, mine), apply(plain, jnp.abs(ARRAY))),
    ):
        assert isinstance(ours, jax.Array)
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_products_of_matrices_work_on_both_sides():
    mine, square = variable(), np.eye(3, dtype=np.float32) * 2
    np.testing.assert_allclose(mine @ square, ARRAY * 2)
    np.testing.assert_allclose(np.ones((4, 2), np.float32) @ mine, np.ones((4, 2)) @ ARRAY)
    np.testing.assert_allclose(jnp.ones((4, 2)) @ mine, np.ones((4, 2)) @ ARRAY)
    np.testing.assert_allclose(mine @ variable(square), ARRAY * 2)


@pytest.mark.parametrize("name", COMPARISONS)
def test_comparisons_are_made_number_by_number(name):
    compare = getattr(operator, name)
    np.testing.assert_array_equal(compare(variable(), 1.0), compare(ARRAY, 1.0))
    np.testing.assert_array_equal(compare(variable(), variable(ARRAY.copy())), compare(ARRAY, ARRAY))


def test_it_reads_as_an_array_everywhere():
    mine = variable()
    np.testing.assert_array_equal(np.asarray(mine), ARRAY)
    np.testing.assert_array_equal(jnp.sum(mine.value, axis=0), ARRAY.sum(axis=0))
    np.testing.assert_array_equal(jnp.asarray(mine), ARRAY)
    np.testing.assert_array_equal(mine[0, 1:], ARRAY[0, 1:])
    np.testing.assert_array_equal(-mine, -ARRAY)
    np.testing.assert_array_equal(abs(mine), np.abs(ARRAY))
    assert (mine.shape, mine.ndim, mine.size, len(mine), mine.dtype) == ((2, 3), 2, 6, 2, "float32")
    assert float(variable(2.5)) == 2.5
    assert int(variable(np.int32(7))) == 7
    assert np.asarray(mine, dtype=np.float64).dtype == np.float64
    assert "(2, 3)" in repr(mine)


def test_what_is_handed_out_and_in_is_a_copy():
    source = ARRAY.copy()
    mine = variable(source)
    source[:] = 0
    mine.numpy()[:] = 0
    np.asarray(mine)[:] = 0
    np.testing.assert_array_equal(mine.numpy(), ARRAY)
    handed_in = np.ones((2, 3), np.float32)
    mine.assign(handed_in)
    handed_in[:] = 5
    assert (mine.numpy() == 1).all()


@pytest.mark.parametrize(
    "value", [ARRAY * 2, (ARRAY * 2).tolist(), jnp.asarray(ARRAY) * 2, (ARRAY * 2).astype(np.float64)]
)
def test_assign_takes_any_array_and_keeps_the_type(value):
    mine = variable()
    assert mine.assign(value) is mine
    np.testing.assert_array_equal(mine.numpy(), ARRAY * 2)
    assert mine.dtype == "float32"


def test_assign_add_and_assign_sub_move_the_value():
    mine = variable()
    mine.assign_add(ARRAY)
    np.testing.assert_array_equal(mine.numpy(), ARRAY * 2)
    mine.assign_sub(ARRAY * 3)
    np.testing.assert_array_equal(mine.numpy(), -ARRAY)
    mine.assign(variable())
    np.testing.assert_array_equal(mine.numpy(), ARRAY)


@pytest.mark.parametrize("value", [ARRAY[0], ARRAY.T, 1.0, ARRAY[None], []])
def test_another_shape_is_refused_by_name(value):
    mine = variable(name="kernel")
    with pytest.raises(ShapeError, match=r"variable 'kernel': expected a value of shape \(2, 3\)"):
        mine.assign(value)
    np.testing.assert_array_equal(mine.numpy(), ARRAY)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (np.float64, "float32"),
        (np.float16, "float32"),
        (np.int64, "int32"),
        (np.uint8, "uint8"),
        (bool, "bool"),
    ],
)
def test_the_type_without_being_told_is_floatx_for_reals_and_the_devices_for_the_rest(given, kept):
    assert Variable(np.ones(2, given)).dtype == kept


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "int32", "bool"])
def test_a_type_that_is_asked_for_is_kept(dtype):
    mine = Variable([1, 0], dtype=dtype)
    assert mine.dtype == dtype
    assert mine.assign([0, 1]).dtype == dtype
    assert mine.numpy().dtype == jnp.dtype(dtype)


# Lending.


def test_inside_lend_a_variable_is_the_borrowed_array_and_afterwards_itself():
    mine, other = variable(), variable()
    with lend([mine], [ARRAY * 10]):
        np.testing.assert_array_equal(mine.value, ARRAY * 10)
        np.testing.assert_array_equal(mine + 1, ARRAY * 10 + 1)
        np.testing.assert_array_equal(other.value, ARRAY)
    np.testing.assert_array_equal(mine.value, ARRAY)


def test_an_assignment_inside_changes_the_loan_and_not_the_variable():
    mine = variable()
    with lend([mine], [jnp.asarray(ARRAY)]) as loan:
        mine.assign(ARRAY * 2)
        mine.assign_add(ARRAY)
        np.testing.assert_array_equal(mine.value, ARRAY * 3)
    np.testing.assert_array_equal(loan[mine], ARRAY * 3)
    np.testing.assert_array_equal(mine.numpy(), ARRAY)


def test_an_assignment_inside_keeps_shape_and_type():
    mine = variable()
    with lend([mine], [jnp.asarray(ARRAY)]) as loan:
        with pytest.raises(ShapeError):
            mine.assign(ARRAY[0])
        mine.assign(ARRAY.astype(np.float64))
    assert loan[mine].dtype == jnp.float32


def test_an_inner_loan_covers_the_outer_one_and_ends_first():
    first, second = variable(), variable()
    with lend([first, second], [ARRAY * 2, ARRAY * 3]):
        with lend([first], [ARRAY * 4]):
            np.testing.assert_array_equal(first.value, ARRAY * 4)
            np.testing.assert_array_equal(second.value, ARRAY * 3)
        np.testing.assert_array_equal(first.value, ARRAY * 2)


def test_an_assignment_in_an_inner_loan_reaches_the_outer_one_where_it_is_not_lent_anew():
    outside, inside = variable(), variable()
    with lend([outside], [ARRAY]) as outer:
        with lend([inside], [ARRAY]):
            outside.assign(ARRAY * 5)
            inside.assign(ARRAY * 7)
        np.testing.assert_array_equal(outside.value, ARRAY * 5)
    np.testing.assert_array_equal(outer[outside], ARRAY * 5)
    np.testing.assert_array_equal(inside.numpy(), ARRAY)
    np.testing.assert_array_equal(outside.numpy(), ARRAY)


def test_a_loan_ends_also_when_something_fails():
    mine = variable()
    with pytest.raises(RuntimeError), lend([mine], [ARRAY * 2]):
        raise RuntimeError
    np.testing.assert_array_equal(mine.value, ARRAY)


def test_a_loan_holds_in_its_own_thread_only():
    mine, seen = variable(), []
    lent, read = threading.Event(), threading.Event()

    def borrower():
        with lend([mine], [ARRAY * 2]):
            lent.set()
            read.wait(10)
            seen.append(np.asarray(mine.value))

    thread = threading.Thread(target=borrower)
    thread.start()
    assert lent.wait(10)
    np.testing.assert_array_equal(mine.value, ARRAY)
    mine.assign(ARRAY * 3)
    read.set()
    thread.join(10)
    np.testing.assert_array_equal(seen[0], ARRAY * 2)
    np.testing.assert_array_equal(mine.value, ARRAY * 3)


def test_as_many_arrays_as_variables_have_to_be_lent():
    with pytest.raises(ValueError, match=r"shorter|longer"), lend([variable(), variable()], [ARRAY]):
        pass


def test_gradients_pass_through_a_loan():
    mine = variable()

    def objective(array):
        with lend([mine], [array]):
            return jnp.sum((mine * 2) ** 2)

    np.testing.assert_allclose(jax.jit(jax.grad(objective))(ARRAY), 8 * ARRAY, rtol=1e-6)


def test_a_value_from_inside_a_program_is_refused_where_nothing_is_lent():
    mine = variable(name="count")

    @jax.jit
    def leak(x):
        mine.assign(x)
        return x

    with pytest.raises(DataError, match="variable 'count'"):
        leak(ARRAY)
    np.testing.assert_array_equal(mine.numpy(), ARRAY)


@pytest.mark.parametrize("offset", [0, 4, 64])
def test_a_placed_array_shares_no_memory_with_its_source(offset):
    # JAX takes over memory that begins at a multiple of 64 bytes without a copy.
    memory = np.zeros(4096 + 128, np.uint8)
    start = -memory.ctypes.data % 64 + offset
    source = memory[start : start + 4000].view(np.float32)
    placed, mine, assigned = place(source), Variable(source), Variable(source + 1).assign(source)
    source[:] = 1
    assert not np.asarray(placed).any()
    assert not mine.numpy().any()
    assert not assigned.numpy().any()


def test_a_value_handed_out_survives_a_program_that_reuses_the_memory():
    mine = variable()
    handed_out = mine.value
    jax.jit(lambda array: array * 0, donate_argnums=0)(mine.array)
    np.testing.assert_array_equal(handed_out, ARRAY)


def test_a_rate_knows_whether_it_is_zero():
    rate = Rate(0.0)
    assert rate.is_zero
    rate.assign(0.5)
    assert not rate.is_zero
    assert (rate.dtype, rate.shape, rate.trainable) == ("float32", (), False)


# Equality


def test_equality_compares_the_numbers_as_in_keras(keras):
    numbers = [3.0, 4.0]
    ours, theirs = Variable(numbers), keras.Variable(numbers)
    for other in (3, np.float32(4), np.array([3.0, 5.0]), [3.0, 5.0]):
        for compare in (operator.eq, operator.ne):
            other = jnp.asarray(other)
            np.testing.assert_array_equal(compare(ours, other), np.asarray(compare(theirs, other)))
            np.testing.assert_array_equal(compare(other, ours), np.asarray(compare(other, theirs.value)))
    assert (ours == Variable(numbers)).tolist() == [True, True]
    assert jax.jit(lambda array: lent_equality(ours, array))(jnp.array([0.0, 3.0])).tolist() == [False, True]


def lent_equality(mine, array):
    with lend([mine], [array]):
        return mine == 3


def test_equality_with_what_is_no_array_asks_whether_it_is_the_same():
    mine = Variable([3.0, 4.0])
    assert (mine == None) is False  # noqa: E711
    assert (mine != "a") is True


def test_variables_of_the_same_numbers_are_two_keys_of_a_dict():
    one, other = Variable([1.0]), Variable([1.0])
    assert len({one: 1, other: 2}) == 2
    assert {one, other} == {other, one}
    assert {one: 1, other: 2}[other] == 2


def test_a_variable_refuses_to_be_true_or_false():
    with pytest.raises(NotSupportedError, match="v is not None"):
        bool(Variable(1.0))


@pytest.mark.parametrize("name", ["and", "or", "xor"])
def test_logic_asks_whether_numbers_are_true_as_in_keras(keras, name):
    apply = getattr(operator, f"__{name}__")
    ours, theirs = (kind([1, 0, 2, 0], dtype="int32") for kind in (Variable, keras.Variable))
    other = np.array([2, 2, 0, 0], np.int32)
    np.testing.assert_array_equal(apply(ours, other), np.asarray(apply(theirs, other)))
    np.testing.assert_array_equal(apply(True, ours), np.asarray(apply(True, theirs)))


def test_signs_and_rounding_are_those_of_keras(keras):
    ours, theirs = (kind([1.26, -2.5]) for kind in (Variable, keras.Variable))
    for function in (operator.pos, round, lambda v: round(v, 1)):
        np.testing.assert_array_equal(function(ours), np.asarray(function(theirs)))
    assert (~Variable([True, False])).tolist() == [False, True]


def test_weights_set_together_share_no_memory_with_what_was_given():
    layer = doltap.layers.Dense(16)
    layer.build((None, 16))
    given = [np.zeros((16, 16), np.float32), np.zeros(16, np.float64)]
    layer.set_weights(given)
    for array in given:
        array[...] = 1.0
    assert [float(np.sum(array)) for array in layer.get_weights()] == [0.0, 0.0]
    assert {str(array.dtype) for array in layer.get_weights()} == {"float32"}
