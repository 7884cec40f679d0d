"""The functions of each number by itself, and the operators of tensors, which are made of them.

Each is written over `numpy`, which is NumPy or `jax.numpy`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy import special

from doltap.compat.tensorflow import dtypes
from doltap.compat.tensorflow.calls import as_kind, operation
from doltap.compat.tensorflow.tensor import Tensor, as_tensor, tensor_functions
from doltap.core.tensors import Variable

__all__ = ["abs", "acos", "acosh", "add", "add_n", "asin", "asinh", "atan", "atan2", "atanh", "cast", "ceil"]
__all__ += ["clip_by_global_norm", "clip_by_norm", "clip_by_value", "cos", "cosh", "digamma", "divide"]
__all__ += ["divide_no_nan", "equal", "erf", "erfc", "erfinv", "exp", "expm1", "floor", "floordiv"]
__all__ += ["floormod", "global_norm", "greater", "greater_equal", "identity", "is_finite", "is_inf"]
__all__ += ["is_nan", "less", "less_equal", "lgamma", "log", "log1p", "logical_and", "logical_not"]
__all__ += ["logical_or", "logical_xor", "matmul", "maximum", "minimum", "multiply", "multiply_no_nan"]
__all__ += ["negative", "not_equal", "pow", "reciprocal", "rint", "round", "rsqrt", "saturate_cast"]
__all__ += ["sigmoid", "sign", "sin", "sinh", "softplus", "sqrt", "square", "squared_difference"]
__all__ += ["stop_gradient", "subtract", "tan", "tanh", "truediv", "xdivy", "xlogy"]


# One number.


def _each(name: str, what: str, body: Callable[[Any, Any], Any], *, needs_jax: bool = False) -> Any:
    """The function of one tensor that gives a number for each number."""

    def function(numpy: Any, x: Any) -> Any:
        return body(numpy, x)

    function.__name__ = function.__qualname__ = name
    function.__module__ = __name__
    function.__doc__ = what
    return operation(needs_jax=needs_jax)(function)


def _fractions(name: str, what: str, numpy_name: str | None = None) -> Any:
    """As `_each`; whole numbers become float32, which TensorFlow refuses."""
    called = numpy_name or name
    return _each(name, what, lambda numpy, x: getattr(numpy, called)(_real(x)))


def _real(x: Any) -> Any:
    return x if x.dtype.kind in "fcV" else x.astype(np.float32)


abs = _each("abs", "How far each number is from 0.", lambda numpy, x: numpy.abs(x))
negative = _each("negative", "Each number with the other sign.", lambda numpy, x: -x)
sign = _each("sign", "-1, 0 or 1 for each number.", lambda numpy, x: numpy.sign(x))
square = _each("square", "Each number times itself.", lambda numpy, x: x * x)
reciprocal = _each("reciprocal", "1 through each number.", lambda numpy, x: 1 / _real(x))
round = _each("round", "The nearest whole numbers; halves to the even one.", lambda numpy, x: numpy.round(x))
rint = _fractions("rint", "The nearest whole numbers; halves to the even one.")
floor = _fractions("floor", "The next whole numbers below.")
ceil = _fractions("ceil", "The next whole numbers above.")
exp = _fractions("exp", "e to the power of each number.")
expm1 = _fractions("expm1", "e to the power of each number, less 1.")
log = _fractions("log", "The natural logarithm of each number.")
log1p = _fractions("log1p", "The natural logarithm of 1 plus each number.")
sqrt = _fractions("sqrt", "The square root of each number.")
rsqrt = _each("rsqrt", "1 through the square root of each number.", lambda numpy, x: 1 / numpy.sqrt(_real(x)))
sin = _fractions("sin", "The sine of each number.")
cos = _fractions("cos", "The cosine of each number.")
tan = _fractions("tan", "The tangent of each number.")
asin = _fractions("asin", "The angle of each sine.", "arcsin")
acos = _fractions("acos", "The angle of each cosine.", "arccos")
atan = _fractions("atan", "The angle of each tangent.", "arctan")
sinh = _fractions("sinh", "The hyperbolic sine of each number.")
cosh = _fractions("cosh", "The hyperbolic cosine of each number.")
tanh = _fractions("tanh", "The hyperbolic tangent of each number.")
asinh = _fractions("asinh", "The number of each hyperbolic sine.", "arcsinh")
acosh = _fractions("acosh", "The number of each hyperbolic cosine.", "arccosh")
atanh = _fractions("atanh", "The number of each hyperbolic tangent.", "arctanh")
is_nan = _fractions("is_nan", "Whether each is no number.", "isnan")
is_inf = _fractions("is_inf", "Whether each is infinite.", "isinf")
is_finite = _fractions("is_finite", "Whether each is a number that is not infinite.", "isfinite")
logical_not = _each(
    "logical_not", "True for false, and false for true.", lambda numpy, x: numpy.logical_not(x)
)
softplus = _each("softplus", "log(exp(x) + 1).", lambda numpy, x: numpy.logaddexp(_real(x), _real(x) * 0))
erf = _each("erf", "The error function.", lambda _, x: special.erf(_real(x)), needs_jax=True)
erfc = _each("erfc", "1 less the error function.", lambda _, x: special.erfc(_real(x)), needs_jax=True)
erfinv = _each("erfinv", "The number of each error function.", lambda _, x: special.erfinv(x), needs_jax=True)
lgamma = _each(
    "lgamma", "The logarithm of the gamma function.", lambda _, x: special.gammaln(x), needs_jax=True
)
digamma = _each("digamma", "The derivative of `lgamma`.", lambda _, x: special.digamma(x), needs_jax=True)


@operation()
def sigmoid(numpy: Any, x: Any) -> Any:
    """1 / (1 + exp(-x)): the shares that go with log-odds."""
    x = _real(x)
    return jax.nn.sigmoid(x) if numpy is jnp else 1 / (1 + np.exp(-x))


@operation()
def identity(numpy: Any, input: Any) -> Any:
    """The same numbers, as a tensor of their own."""
    return input + 0 if input.dtype.kind in "fiu" else numpy.array(input)


@operation()
def stop_gradient(numpy: Any, input: Any) -> Any:
    """The same numbers as a constant: no gradient flows back through them."""
    return jax.lax.stop_gradient(input) if numpy is jnp else input


@operation()
def _cast(numpy: Any, x: Any, dtype: Any) -> Any:
    wanted = as_kind(numpy, dtype)
    if x.dtype.kind == "f" and wanted.kind in "iu" and numpy is np:
        # NumPy's way with numbers beyond the type depends on the machine.
        return np.nan_to_num(x, nan=0, posinf=np.iinfo(wanted).max, neginf=np.iinfo(wanted).min).astype(
            wanted
        )
    return x.astype(wanted)


def cast(x: Any, dtype: Any, name: Any = None) -> Any:
    """The numbers in another type; fractions are cut off where whole numbers are asked for."""
    wanted = dtypes.as_dtype(dtype)
    if isinstance(x, Tensor) and x.dtype == wanted:
        return x
    return _cast(x, wanted)


@operation()
def saturate_cast(numpy: Any, value: Any, dtype: Any) -> Any:
    """The numbers in another type, held at its smallest and largest instead of running over."""
    wanted = dtypes.as_dtype(dtype)
    return numpy.clip(value, *wanted.limits).astype(as_kind(numpy, wanted))


# Two numbers.


@operation(2, matched=True)
def add(numpy: Any, x: Any, y: Any) -> Any:
    """The sums."""
    return x + y


@operation(2, matched=True)
def subtract(numpy: Any, x: Any, y: Any) -> Any:
    """The differences."""
    return x - y


@operation(2, matched=True)
def multiply(numpy: Any, x: Any, y: Any) -> Any:
    """The products."""
    return x * y


@operation(2, matched=True)
def truediv(numpy: Any, x: Any, y: Any) -> Any:
    """The quotients; those of whole numbers are float64, or float32 inside a compiled program."""
    if x.dtype.kind in "iu":
        wide = as_kind(numpy, np.float32 if x.dtype.itemsize < 4 else np.float64)
        x, y = x.astype(wide), y.astype(wide)
    return x / y


divide = truediv


@operation(2, matched=True)
def floordiv(numpy: Any, x: Any, y: Any) -> Any:
    """The quotients, rounded down."""
    return numpy.floor_divide(x, y)


@operation(2, matched=True)
def floormod(numpy: Any, x: Any, y: Any) -> Any:
    """What is left of the quotients, with the sign of the divisor."""
    return numpy.mod(x, y)


@operation(2, matched=True)
def pow(numpy: Any, x: Any, y: Any) -> Any:
    """Each number to the power of the other."""
    return numpy.power(x, y)


@operation(2, matched=True)
def maximum(numpy: Any, x: Any, y: Any) -> Any:
    """The larger of two numbers."""
    # Of two equal ones the gradient is the first's, as in TensorFlow.
    return np.maximum(x, y) if numpy is np else jnp.where((x >= y) | (x != x), x, y)


@operation(2, matched=True)
def minimum(numpy: Any, x: Any, y: Any) -> Any:
    """The smaller of two numbers."""
    return np.minimum(x, y) if numpy is np else jnp.where((x <= y) | (x != x), x, y)


@operation(2, matched=True)
def squared_difference(numpy: Any, x: Any, y: Any) -> Any:
    """The squares of the differences."""
    return (x - y) * (x - y)


@operation(2, matched=True)
def atan2(numpy: Any, y: Any, x: Any) -> Any:
    """The angle of each point (x, y)."""
    return numpy.arctan2(y, x)


@operation(2, matched=True)
def divide_no_nan(numpy: Any, x: Any, y: Any) -> Any:
    """The quotients, 0 where the divisor is 0."""
    safe = numpy.where(y == 0, numpy.ones_like(y), y)
    return numpy.where(y == 0, numpy.zeros_like(x / safe), x / safe)


@operation(2, matched=True)
def multiply_no_nan(numpy: Any, x: Any, y: Any) -> Any:
    """The products, 0 where the second is 0, whatever the first is."""
    return numpy.where(y == 0, numpy.zeros_like(x * y), x * y)


@operation(2, matched=True)
def xlogy(numpy: Any, x: Any, y: Any) -> Any:
    """`x * log(y)`, 0 where x is 0."""
    safe = numpy.where(x == 0, numpy.ones_like(y), y)
    return x * numpy.log(safe)


@operation(2, matched=True)
def xdivy(numpy: Any, x: Any, y: Any) -> Any:
    """`x / y`, 0 where x is 0."""
    safe = numpy.where(x == 0, numpy.ones_like(y), y)
    return x / safe


@operation(2, matched=True)
def equal(numpy: Any, x: Any, y: Any) -> Any:
    """Whether the numbers are equal."""
    return numpy.equal(x, y) if x.dtype != object else np.equal(x, y).astype(bool)


@operation(2, matched=True)
def not_equal(numpy: Any, x: Any, y: Any) -> Any:
    """Whether the numbers differ."""
    return numpy.not_equal(x, y) if x.dtype != object else np.not_equal(x, y).astype(bool)


@operation(2, matched=True)
def less(numpy: Any, x: Any, y: Any) -> Any:
    """Whether the first number is below the second."""
    return numpy.less(x, y)


@operation(2, matched=True)
def less_equal(numpy: Any, x: Any, y: Any) -> Any:
    """Whether the first number is not above the second."""
    return numpy.less_equal(x, y)


@operation(2, matched=True)
def greater(numpy: Any, x: Any, y: Any) -> Any:
    """Whether the first number is above the second."""
    return numpy.greater(x, y)


@operation(2, matched=True)
def greater_equal(numpy: Any, x: Any, y: Any) -> Any:
    """Whether the first number is not below the second."""
    return numpy.greater_equal(x, y)


@operation(2)
def logical_and(numpy: Any, x: Any, y: Any) -> Any:
    """Whether both are true."""
    return numpy.logical_and(x, y)


@operation(2)
def logical_or(numpy: Any, x: Any, y: Any) -> Any:
    """Whether one is true, or both."""
    return numpy.logical_or(x, y)


@operation(2)
def logical_xor(numpy: Any, x: Any, y: Any) -> Any:
    """Whether one is true and the other is not."""
    return numpy.logical_xor(x, y)


@operation(2, matched=True)
def matmul(
    numpy: Any,
    a: Any,
    b: Any,
    transpose_a: bool = False,
    transpose_b: bool = False,
    adjoint_a: bool = False,
    adjoint_b: bool = False,
) -> Any:
    """The product of two matrices, or of stacks of them."""
    a = numpy.swapaxes(a, -1, -2) if transpose_a or adjoint_a else a
    b = numpy.swapaxes(b, -1, -2) if transpose_b or adjoint_b else b
    return numpy.matmul(a, b)


# Several.


@operation(1, lists=True)
def add_n(numpy: Any, inputs: Any) -> Any:
    """The sum of all tensors of a list."""
    if not isinstance(inputs, list):
        return inputs
    total = inputs[0]
    for one in inputs[1:]:
        total = total + one
    return total


@operation(3, matched=True)
def clip_by_value(numpy: Any, t: Any, clip_value_min: Any, clip_value_max: Any) -> Any:
    """The numbers, none below the first bound nor above the second."""
    return numpy.where(t < clip_value_min, clip_value_min, numpy.where(t > clip_value_max, clip_value_max, t))


@operation(2, matched=True)
def clip_by_norm(numpy: Any, t: Any, clip_norm: Any, axes: Any = None) -> Any:
    """The numbers, made smaller where their length is above `clip_norm`."""
    squares = numpy.sum(t * t, axis=axes, keepdims=True)
    length = numpy.sqrt(numpy.where(squares > 0, squares, numpy.ones_like(squares)))
    return t * clip_norm / numpy.maximum(numpy.where(squares > 0, length, squares), clip_norm)


def global_norm(t_list: Any, name: Any = None) -> Any:
    """The length of all tensors of a list taken as one vector; None counts nothing."""
    sums = [_sum(square(each)) for each in t_list if each is not None]
    return sqrt(add_n(sums)) if sums else as_tensor(0.0)


def clip_by_global_norm(t_list: Any, clip_norm: Any, use_norm: Any = None, name: Any = None) -> Any:
    """The tensors of a list, made smaller where their common length is above `clip_norm`; and that length."""
    norm = global_norm(t_list) if use_norm is None else use_norm
    share = divide(clip_norm, maximum(norm, clip_norm))
    return [None if each is None else multiply(each, share) for each in t_list], norm


@operation()
def _sum(numpy: Any, x: Any) -> Any:
    return numpy.sum(x)


# The operators.


def _from_right(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda self, other: function(other, self)


def _is_equal(self: Any, other: Any) -> Any:
    return False if other is None or _do_not_meet(self, other) else equal(self, other)


def _differs(self: Any, other: Any) -> Any:
    return True if other is None or _do_not_meet(self, other) else not_equal(self, other)


def _do_not_meet(first: Any, second: Any) -> bool:
    """Whether shapes are such that two tensors cannot be compared, which TensorFlow calls not equal."""
    if not isinstance(second, (Tensor, Variable, np.ndarray, list, tuple, int, float)):
        return not hasattr(second, "shape") and not isinstance(second, (str, bytes))
    try:
        np.broadcast_shapes(tuple(first.shape), np.shape(second))
    except ValueError:
        return True
    return False


def _bits(of_bools: Callable[..., Any], of_numbers: str) -> Callable[[Any, Any], Any]:
    """True and false are asked together; whole numbers bit by bit."""

    def body(numpy: Any, x: Any, y: Any) -> Any:
        return getattr(numpy, of_numbers)(x, y)

    body.__name__ = of_numbers
    numbers = operation(2, matched=True)(body)

    def function(x: Any, y: Any) -> Any:
        dtype = getattr(x, "dtype", None)
        return numbers(x, y) if dtype is not None and dtypes.as_dtype(dtype).is_integer else of_bools(x, y)

    return function


OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "add": add,
    "sub": subtract,
    "mul": multiply,
    "truediv": truediv,
    "floordiv": floordiv,
    "mod": floormod,
    "pow": pow,
    "matmul": matmul,
    "and": _bits(logical_and, "bitwise_and"),
    "or": _bits(logical_or, "bitwise_or"),
    "xor": _bits(logical_xor, "bitwise_xor"),
}
COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "lt": less,
    "le": less_equal,
    "gt": greater,
    "ge": greater_equal,
    "eq": _is_equal,
    "ne": _differs,
}
SINGLE: dict[str, Callable[[Any], Any]] = {
    "neg": negative,
    "abs": abs,
    "invert": logical_not,
    "pos": lambda self: self,
}


def operator_methods() -> dict[str, Any]:
    """The methods by which Python asks for operators."""
    methods: dict[str, Any] = {f"__{name}__": function for name, function in OPERATORS.items()}
    methods |= {f"__r{name}__": _from_right(function) for name, function in OPERATORS.items()}
    return methods | {f"__{name}__": function for name, function in {**COMPARISONS, **SINGLE}.items()}


for _name, _method in operator_methods().items():
    setattr(Tensor, _name, _method)
tensor_functions["cast"] = cast
