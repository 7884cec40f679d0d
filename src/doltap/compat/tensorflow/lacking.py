"""What TensorFlow has and this facade does not: why, and what to use instead."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from doltap import doors
from doltap.errors import MissingAttributeError, MissingNameError, closest

__all__ = ["MOVED", "REASONS", "guard", "lacking"]

_GRAPHS = "There are no graphs and no sessions: call functions with values, they run at once."
_ONE_MACHINE = (
    "One machine trains here, and fit uses its device: leave the strategy out, and write what stands "
    "under `with strategy.scope():` without that line."
)
_IMAGES = "Layers and functions for images are the next family to come; use Pillow or NumPy for pictures."
_UNICODE = "Python does it on str: text.decode(), list(text), [ord(letter) for letter in text]."
_ENCODINGS = ("decode_with_offsets", "script", "split", "split_with_offsets", "transcode")
_TEXT = "Texts come with the recurrent layers; Python's str functions and tf.strings do the simple ones."

_COLUMN = "StringLookup or IntegerLookup with an Embedding, in a Functional model, do its work."
_SEQUENCE = "Columns of sequences come with the recurrent layers."
_OF_SEQUENCES = (
    "numeric_column",
    *(f"categorical_column_with_{kind}" for kind in ("hash_bucket", "identity")),
    *(f"categorical_column_with_vocabulary_{kind}" for kind in ("file", "list")),
)

# The name behind `tensorflow.`, or its beginning, and what to do instead.
REASONS: dict[str, str] = {
    "distribute": _ONE_MACHINE,
    "distribute.MirroredStrategy": _ONE_MACHINE,
    "distribute.TPUStrategy": _ONE_MACHINE,
    "distribute.get_strategy": _ONE_MACHINE,
    "estimator": "Estimators are gone from TensorFlow, too; tf.keras.Sequential and fit do it.",
    "feature_column.input_layer": "Write tf.keras.layers.DenseFeatures(columns)(features).",
    "feature_column.linear_model": "DenseFeatures(columns) and Dense(1) in a tf.keras.Sequential do it.",
    "feature_column.weighted_categorical_column": _COLUMN,
    "feature_column.shared_embeddings": _COLUMN,
    "feature_column.shared_embedding_columns": _COLUMN,
    **{f"feature_column.sequence_{name}": _SEQUENCE for name in _OF_SEQUENCES},
    "saved_model": "SavedModel is TensorFlow's own format; model.save('model.keras') keeps a model here.",
    "lite": "TensorFlow Lite converts TensorFlow's graphs; model.export('model.onnx') writes ONNX.",
    "hub": "Models of TensorFlow Hub are TensorFlow's graphs; doltap opens .keras and .h5 files.",
    "tpu": _ONE_MACHINE,
    "graph_util": _GRAPHS,
    "Graph": _GRAPHS,
    "Session": _GRAPHS,
    "InteractiveSession": _GRAPHS,
    "placeholder": f"{_GRAPHS} tf.keras.Input is the beginning of a network.",
    "get_default_graph": _GRAPHS,
    "get_default_session": _GRAPHS,
    "gradients": f"{_GRAPHS} Use tf.GradientTape.",
    "global_variables_initializer": f"{_GRAPHS} Variables have their values from the start.",
    "get_variable": "Write v = tf.Variable(initial_value).",
    "variable_scope": "Keep variables as attributes of a tf.keras.layers.Layer or a tf.Module.",
    "ConfigProto": f"{_GRAPHS} tf.config has the settings.",
    "GPUOptions": f"{_GRAPHS} tf.config has the settings.",
    "layers": "tf.layers is gone from TensorFlow, too; use tf.keras.layers.",
    "contrib": "tf.contrib is gone from TensorFlow, too.",
    "app": "Call main() yourself.",
    "flags": "Use argparse.",
    "image": _IMAGES,
    "audio": "Sounds come with the layers for sequences.",
    "signal": "NumPy's fft does the same on arrays.",
    "experimental": "Use NumPy itself, or the functions of tf and tf.math.",
    "assign": "Variables have it: v.assign(value).",
    "assign_add": "Variables have it: v.assign_add(value).",
    "assign_sub": "Variables have it: v.assign_sub(value).",
    "queue": "tf.data.Dataset does it.",
    "quantization": "Weights are kept in floating point here.",
    "profiler": "jax.profiler does it.",
    "xla": "Layers, gradients and fit are compiled by XLA anyway.",
    "raw_ops": "Use the functions of tf and tf.math.",
    "mlir": _GRAPHS,
    "tools": _GRAPHS,
    "bitcast": "numpy's view does it: x.numpy().view(np.int32).",
    "hessians": "Differentiate twice: tape.jacobian of tape.gradient, one tape inside the other.",
    "train.Saver": "model.save_weights('name.weights.h5') keeps weights.",
    "train.GradientDescentOptimizer": "Use tf.keras.optimizers.SGD.",
    "train.AdamOptimizer": "Use tf.keras.optimizers.Adam.",
    "train.RMSPropOptimizer": "Use tf.keras.optimizers.RMSprop.",
    "io.decode_image": _IMAGES,
    "io.decode_jpeg": _IMAGES,
    "io.decode_png": _IMAGES,
    "nn.conv1d": _IMAGES,
    "nn.conv2d": _IMAGES,
    "nn.max_pool": _IMAGES,
    "nn.max_pool2d": _IMAGES,
    "nn.avg_pool": _IMAGES,
    "nn.avg_pool2d": _IMAGES,
    "nn.depthwise_conv2d": _IMAGES,
    "nn.local_response_normalization": _IMAGES,
    "nn.rnn_cell": "Layers for sequences are to come.",
    "nn.ctc_loss": "It comes with the recurrent layers.",
    "nn.sampled_softmax_loss": "tf.nn.softmax_cross_entropy_with_logits over all classes does it.",
    "nn.nce_loss": "tf.nn.softmax_cross_entropy_with_logits over all classes does it.",
    "linalg.LinearOperator": "Use the matrix itself with tf.linalg.matmul.",
    **{f"strings.unicode_{name}": _UNICODE for name in _ENCODINGS},
    "strings.ngrams": _TEXT,
    "config.experimental_connect_to_cluster": _ONE_MACHINE,
    "config.experimental_connect_to_host": _ONE_MACHINE,
}

# Names of TensorFlow 1, and where the thing stands now.
MOVED: dict[str, str] = {
    "arg_max": "argmax",
    "arg_min": "argmin",
    "ceil": "math.ceil",
    "check_numerics": "debugging.check_numerics",
    "cholesky": "linalg.cholesky",
    "confusion_matrix": "math.confusion_matrix",
    "diag": "linalg.diag",
    "diag_part": "linalg.diag_part",
    "div": "math.floordiv",
    "div_no_nan": "math.divide_no_nan",
    "is_finite": "math.is_finite",
    "log_sigmoid": "math.log_sigmoid",
    "matrix_band_part": "linalg.band_part",
    "matrix_determinant": "linalg.det",
    "matrix_diag": "linalg.diag",
    "matrix_inverse": "linalg.inv",
    "matrix_solve": "linalg.solve",
    "matrix_transpose": "linalg.matrix_transpose",
    "mod": "math.mod",
    "multinomial": "random.categorical",
    "qr": "linalg.qr",
    "random_gamma": "random.gamma",
    "random_normal": "random.normal",
    "random_poisson": "random.poisson",
    "random_shuffle": "random.shuffle",
    "random_uniform": "random.uniform",
    "string_join": "strings.join",
    "string_to_number": "strings.to_number",
    "svd": "linalg.svd",
    "trace": "linalg.trace",
    "truncated_normal": "random.truncated_normal",
    "write_file": "io.write_file",
}
REASONS |= {f"to_{kind}": f"Write tf.cast(x, tf.{kind})." for kind in ("double", "float", "int32", "int64")}

_ROOT = "doltap.compat."


def guard(module: str, supply: Callable[[str], Any] | None = None) -> None:
    """Let a module of the facade answer for the names it lacks.

    Args:
        module: its full name.
        supply: gives what stands for a name after all, or raises LookupError.
    """

    def answer(name: str) -> Any:
        if supply is not None:
            try:
                return supply(name)
            except LookupError:
                pass
        raise lacking(module, name, is_import=doors.imports(sys._getframe(1)))

    vars(sys.modules[module])["__getattr__"] = answer


def lacking(module: str, name: str, *, is_import: bool = False) -> Any:
    """The error for a name that a module of the facade lacks.

    Args:
        is_import: whether it was asked for by `from module import name`.
    """
    kind = MissingNameError if is_import else MissingAttributeError
    path = module.removeprefix(_ROOT)
    inner = f"{path}.{name}".partition(".")[2]
    has = [each for each in vars(sys.modules[module]) if not each.startswith("_")]
    guess = None if name.startswith("_") else closest(name, has)
    reason = REASONS.get(inner)
    fix = reason or (f"Did you mean '{guess}'?" if guess else f"dir({path}) lists what there is.")
    got = f"'{name}', which TensorFlow has and doltap has not" if reason else f"'{name}'"
    return kind(path, expected="a name it has", got=got, fix=fix)
