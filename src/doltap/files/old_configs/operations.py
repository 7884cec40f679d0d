"""TensorFlow's functions in the networks of Keras 2, and the operations of today that they are.

Keras 2 wrote `x + 1` down as a layer that calls a function of TensorFlow by
name. What is not in the table here has no operation that does the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from doltap.errors import NotSupportedError, closest, printable

__all__ = ["CONSTANT", "ROWS", "is_function_layer", "is_operation"]
__all__ += ["modern_operation", "named", "old_operation"]

# What Keras 2 writes in place of a layer's name where the first argument is no tensor.
CONSTANT = "_CONSTANT_VALUE"

_LAYERS = (
    "TFOpLambda",
    "SlicingOpLambda",
    "ClassMethod",
    "InstanceMethod",
    "InstanceProperty",
    "TensorFlowOpLayer",
)


class _Row(NamedTuple):
    """An operation, TensorFlow's words for arguments after the first, and what it takes them for unsaid."""

    operation: str
    words: dict[str, str]
    unsaid: dict[str, Any]


def _row(operation: str, words: str = "", **unsaid: Any) -> _Row:
    return _Row(operation, dict(pair.split("=") for pair in words.split()), unsaid)


_REDUCTION = "axis=axis keepdims=keepdims"

# The functions that have a counterpart. The first row of an operation is the one that is written.
ROWS = {
    "__operators__.add": _row("Add", "y=x2"),
    "math.add": _row("Add", "y=x2"),
    "math.subtract": _row("Subtract", "y=x2"),
    "math.multiply": _row("Multiply", "y=x2"),
    "math.truediv": _row("TrueDivide", "y=x2"),
    "math.divide": _row("Divide", "y=x2"),
    "math.divide_no_nan": _row("DivideNoNan", "y=x2"),
    "compat.v1.floor_div": _row("FloorDivide", "y=x2"),
    "math.floordiv": _row("FloorDivide", "y=x2"),
    "math.floormod": _row("Mod", "y=x2"),
    "math.pow": _row("Power", "y=x2"),
    "linalg.matmul": _row("Matmul", "b=x2"),
    "math.less": _row("Less", "y=x2"),
    "math.less_equal": _row("LessEqual", "y=x2"),
    "math.greater": _row("Greater", "y=x2"),
    "math.greater_equal": _row("GreaterEqual", "y=x2"),
    "math.equal": _row("Equal", "y=x2"),
    "__operators__.eq": _row("Equal", "y=x2"),
    "math.not_equal": _row("NotEqual", "y=x2"),
    "__operators__.ne": _row("NotEqual", "y=x2"),
    "math.logical_and": _row("LogicalAnd", "y=x2"),
    "math.logical_or": _row("LogicalOr", "y=x2"),
    "math.logical_not": _row("LogicalNot"),
    "math.maximum": _row("Maximum", "y=x2"),
    "math.minimum": _row("Minimum", "y=x2"),
    "where": _row("Where", "x=x1 y=x2"),
    "math.negative": _row("Negative"),
    "math.abs": _row("Absolute"),
    "math.sign": _row("Sign"),
    "math.square": _row("Square"),
    "math.sqrt": _row("Sqrt"),
    "math.rsqrt": _row("Rsqrt"),
    "math.reciprocal": _row("Reciprocal"),
    "math.exp": _row("Exp"),
    "math.expm1": _row("Expm1"),
    "math.log": _row("Log"),
    "math.log1p": _row("Log1p"),
    "math.sin": _row("Sin"),
    "math.cos": _row("Cos"),
    "math.tan": _row("Tan"),
    "math.sinh": _row("Sinh"),
    "math.cosh": _row("Cosh"),
    "math.erf": _row("Erf"),
    "math.floor": _row("Floor"),
    "math.ceil": _row("Ceil"),
    "math.round": _row("Round"),
    "math.tanh": _row("Tanh"),
    "math.sigmoid": _row("Sigmoid"),
    "math.log_sigmoid": _row("LogSigmoid"),
    "math.softplus": _row("Softplus"),
    "nn.softplus": _row("Softplus"),
    "nn.relu": _row("Relu"),
    "nn.relu6": _row("Relu6"),
    "nn.elu": _row("Elu"),
    "nn.selu": _row("Selu"),
    "nn.silu": _row("Silu"),
    "nn.swish": _row("Silu"),
    "nn.gelu": _row("Gelu", "approximate=approximate", approximate=False),
    "nn.leaky_relu": _row("LeakyRelu", "alpha=negative_slope"),
    "nn.softmax": _row("Softmax", "axis=axis"),
    "nn.log_softmax": _row("LogSoftmax", "axis=axis"),
    "math.reduce_mean": _row("Mean", _REDUCTION),
    "math.reduce_sum": _row("Sum", _REDUCTION),
    "math.reduce_prod": _row("Prod", _REDUCTION),
    "math.reduce_max": _row("Max", _REDUCTION),
    "math.reduce_min": _row("Min", _REDUCTION),
    "math.reduce_std": _row("Std", _REDUCTION),
    "math.reduce_variance": _row("Var", _REDUCTION),
    "math.reduce_any": _row("Any", _REDUCTION),
    "math.reduce_all": _row("All", _REDUCTION),
    "math.reduce_logsumexp": _row("Logsumexp", _REDUCTION),
    "math.argmax": _row("Argmax", "axis=axis", axis=0),
    "math.argmin": _row("Argmin", "axis=axis", axis=0),
    "math.cumsum": _row("Cumsum", "axis=axis", axis=0),
    "math.cumprod": _row("Cumprod", "axis=axis", axis=0),
    "clip_by_value": _row("Clip", "clip_value_min=x_min clip_value_max=x_max"),
    "cast": _row("Cast", "dtype=dtype"),
    "reshape": _row("Reshape", "shape=newshape"),
    "expand_dims": _row("ExpandDims", "axis=axis"),
    "compat.v1.squeeze": _row("Squeeze", "axis=axis"),
    "squeeze": _row("Squeeze", "axis=axis"),
    "compat.v1.transpose": _row("Transpose", "perm=axes"),
    "transpose": _row("Transpose", "perm=axes"),
    "tile": _row("Tile", "multiples=repeats"),
    "concat": _row("Concatenate", "axis=axis"),
    "stack": _row("Stack", "axis=axis"),
    "compat.v1.gather": _row("Take", "indices=indices axis=axis", axis=0),
    "gather": _row("Take", "indices=indices axis=axis", axis=0),
    "one_hot": _row("OneHot", "depth=num_classes axis=axis"),
    "zeros_like": _row("ZerosLike"),
    "ones_like": _row("OnesLike"),
    "stop_gradient": _row("StopGradient"),
    "identity": _row("Copy"),
}
_WRITTEN = {row.operation: name for name, row in reversed(ROWS.items())}
# These mean nothing for the result: labels, checks, and the type of what counts.
_IDLE = ("name", "validate_indices", "out_type", "output_type")


def is_function_layer(layer: dict[str, Any]) -> bool:
    """Whether the layer stands for a function of TensorFlow's."""
    return layer.get("class_name") in _LAYERS


def is_operation(layer: dict[str, Any]) -> bool:
    """Whether the layer is an operation as Keras 3 writes it, with or without its module.

    The configuration of a layer tells whether it is trainable; that of an operation does not.
    """
    if str(layer.get("module", "")).startswith("keras.src.ops"):
        return True
    has_calls = any(isinstance(call, dict) and "args" in call for call in layer.get("inbound_nodes", ()))
    return (
        layer.get("module") is None
        and has_calls
        and not {"trainable", "dtype", "layers"} & set(layer["config"])
    )


def named(layer: dict[str, Any]) -> dict[str, Any]:
    """The operation with its module, which Keras 3 leaves out in HDF5."""
    return {**layer, "module": "keras.src.ops", "registered_name": layer["class_name"]}


def modern_operation(name: str, config: dict[str, Any], call: dict[str, Any]) -> dict[str, Any]:
    """The operation of Keras 3 for a layer that calls TensorFlow's function.

    Args:
        name: the layer's name.
        config: its configuration.
        call: its call, with tensors as Keras 3 writes them.

    Raises:
        NotSupportedError: no operation does the same.
    """
    # TensorFlow 2.0 to 2.3 wrote the operation in its graph in place of the function.
    node = config.get("node_def")
    function = str(node.get("op") if isinstance(node, dict) else config.get("function"))
    if function == "__operators__.getitem":
        key = _key(call["kwargs"]["slice_spec"])
        return _described("GetItem", {"name": name}, {"args": [*call["args"], key], "kwargs": {}})
    row = ROWS.get(function)
    if row is None:
        raise _refusal(name, f"tf.{printable(function)}", closest(function, ROWS))
    given = {word: value for word, value in call["kwargs"].items() if value is not None and word not in _IDLE}
    known = row.unsaid | {row.words[word]: value for word, value in given.items() if word in row.words}
    other = [word for word, value in given.items() if word not in row.words and value not in (False, 0)]
    lacking = {"x1", "x2"} & set(row.words.values()) - set(known)
    if other or lacking:
        said = f"{printable(other[0])}=" if other else "one operand, the file does not tell the other"
        raise _refusal(name, f"tf.{function} with {said}", None)
    operands = [*call["args"], *(_array(known.pop(key)) for key in ("x1", "x2") if key in known)]
    tensors = {key: value for key, value in known.items() if _holds_tensor(value)}
    fixed = {key: value for key, value in known.items() if key not in tensors}
    return _described(row.operation, {"name": name, **fixed}, {"args": operands, "kwargs": tensors})


def _described(operation: str, config: dict[str, Any], call: dict[str, Any]) -> dict[str, Any]:
    head = {"module": "keras.src.ops", "class_name": operation, "config": config}
    return {**head, "registered_name": operation, "name": config["name"], "inbound_nodes": [call]}


def _refusal(layer: str, got: str, guess: str | None) -> NotSupportedError:
    return NotSupportedError(
        f"layer '{printable(layer)}'",
        expected="a function of TensorFlow that has a counterpart here",
        got=got,
        fix=(f"tf.{guess} has one. " if guess else "")
        + "Build the model anew with doltap.ops or a layer in its place; load_weights takes its weights.",
    )


def _holds_tensor(value: Any) -> bool:
    if isinstance(value, dict):
        return value.get("class_name") == "__keras_tensor__"
    return isinstance(value, list) and any(_holds_tensor(one) for one in value)


def _array(value: Any) -> Any:
    """A list of numbers as an array; anything else as it is."""
    if not isinstance(value, list) or _holds_tensor(value):
        return value
    leaf = value
    while isinstance(leaf, list) and leaf:
        leaf = leaf[0]
    kind = "bool" if isinstance(leaf, bool) else "int32" if isinstance(leaf, int) else "float32"
    return {"class_name": "__numpy__", "config": {"value": value, "dtype": kind}}


def _key(written: Any) -> Any:
    """The index as Keras 3 writes it: slices and the ellipsis by class, several as a list."""
    if isinstance(written, list):
        return [_key(one) for one in written]
    if isinstance(written, dict) and "class_name" not in written:
        limits = {key: written.get(key) for key in ("start", "stop", "step")}
        return {"class_name": "__slice__", "config": limits}
    return {"class_name": "__ellipsis__", "config": {}} if isinstance(written, dict) else written


def old_operation(layer: dict[str, Any], old_value: Callable[[Any], Any]) -> dict[str, Any]:
    """The layer of Keras 2 that calls TensorFlow's function, for an operation of Keras 3.

    Args:
        layer: the operation and its calls.
        old_value: an argument with tensors as Keras 2 writes them.
    """
    config, operation = layer["config"], layer["class_name"]
    function = "__operators__.getitem" if operation == "GetItem" else _WRITTEN.get(operation)
    if function is None:
        raise NotSupportedError(
            f"operation '{layer['name']}'",
            expected="an operation that Keras 2 had too",
            got=f"ops.{operation}",
            fix="Save the model as .keras; HDF5 holds what Keras 2 could do.",
        )
    is_index = operation == "GetItem"
    kind = "SlicingOpLambda" if is_index else "TFOpLambda"
    made = {"name": layer["name"], "trainable": True, "dtype": "float32", "function": function}
    calls = [_old_call(function, call, config, old_value) for call in layer["inbound_nodes"]]
    return {"class_name": kind, "config": made, "name": layer["name"], "inbound_nodes": calls}


def _old_call(
    function: str, call: dict[str, Any], config: dict[str, Any], old_value: Callable[[Any], Any]
) -> list[Any]:
    """One call, as Keras 2 wrote it: the first argument as a place, the others by TensorFlow's words."""
    first, *others = call["args"]
    if function == "__operators__.getitem":
        return [*old_value(first)[:3], {"slice_spec": _old_key(others[0])}]
    words = {ours: word for word, ours in ROWS[function].words.items()}
    given = {**{key: value for key, value in config.items() if key != "name"}, **call["kwargs"]}
    given |= dict(zip((key for key in words if key not in given), others, strict=False))
    for key, value in given.items():
        if key not in words and value not in (None, False):
            raise NotSupportedError(
                f"operation '{config['name']}'",
                expected=f"the arguments {list(words)}, which tf.{function} has too",
                got=f"{key}=",
                fix="Save the model as .keras; HDF5 holds what Keras 2 could do.",
            )
    said = {
        words[key]: old_value(value) for key, value in given.items() if key in words and value is not None
    }
    if isinstance(first, list):
        return [[*old_value(one)[:3], said] for one in first]
    place = old_value(first)[:3] if _holds_tensor(first) else [CONSTANT, -1, old_value(first)]
    return [*place, {**said, "name": None} if "y" in said else said]


def _old_key(written: Any) -> Any:
    if isinstance(written, list):
        return [_old_key(one) for one in written]
    if not isinstance(written, dict):
        return written
    return {"class_name": "__ellipsis__"} if written["class_name"] == "__ellipsis__" else written["config"]
