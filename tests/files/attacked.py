"""Model files with something in them that no model needs, for the tests of what is refused."""

from __future__ import annotations

import base64
import copy
import io
import json
import marshal
import pickle
import zipfile

import h5py
import numpy as np


def layer(name, config=None, module="keras.layers", **more):
    """A layer as Keras 3 writes it."""
    inner = {"name": name.lower(), "trainable": True, **(config or {})}
    return {"module": module, "class_name": name, "config": inner, "registered_name": None, **more}


INPUT = layer("InputLayer", {"batch_shape": [None, 3], "dtype": "float32", "name": "x"})
DENSE = layer(
    "Dense", {"units": 2, "activation": "linear", "name": "dense"}, build_config={"input_shape": [None, 3]}
)


def sequential(*layers, **more):
    """A model of these layers after an input, as Keras 3 writes it; a small one without them."""
    config = {"name": "sequential", "trainable": True, "layers": [INPUT, *(layers or (DENSE,))]}
    return copy.deepcopy({"module": "keras", "class_name": "Sequential", "config": config, **more})


def tensor(name, node=0, shape=(None, 3)):
    """The result of a call, as Keras 3 writes it among the arguments of another."""
    config = {"shape": list(shape), "dtype": "float32", "keras_history": [name, node, 0]}
    return {"class_name": "__keras_tensor__", "config": config}


def called(described, *arguments, **keywords):
    """A layer in a Functional model, called once."""
    nodes = [{"args": list(arguments), "kwargs": keywords}] if arguments or keywords else []
    return {**described, "name": described["config"]["name"], "inbound_nodes": nodes}


def functional(*layers, last="dense"):
    """A Functional model of these layers after an input, as Keras 3 writes it."""
    config = {
        "name": "functional",
        "trainable": True,
        "layers": [called(INPUT), *layers],
        "input_layers": [["x", 0, 0]],
        "output_layers": [[last, 0, 0]],
    }
    module = "keras.src.models.functional"
    return copy.deepcopy({"module": module, "class_name": "Functional", "config": config})


def hdf5(fill):
    """The bytes of an HDF5 file."""
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        fill(file)
    return content.getvalue()


def weights_of_dense(file):
    """The weights of the small model, where Keras 3 keeps them."""
    file["layers/dense/vars/0"] = np.ones((3, 2), "f4")
    file["layers/dense/vars/1"] = np.zeros(2, "f4")


def archive(config, weights=weights_of_dense, more=(), **metadata):
    """The bytes of a .keras file."""
    content = io.BytesIO()
    about = {"keras_version": "3.15.1", "date_saved": "2026-01-01@00:00:00", **metadata}
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("metadata.json", json.dumps(about))
        file.writestr("config.json", config if isinstance(config, (str, bytes)) else json.dumps(config))
        file.writestr("model.weights.h5", weights if isinstance(weights, bytes) else hdf5(weights))
        for name, inside in more:
            file.writestr(name, inside)
    return content.getvalue()


def old(layers, fill=None):
    """The bytes of a model of Keras 2 in HDF5."""

    def write(file):
        config = {"class_name": "Sequential", "config": {"name": "sequential", "layers": layers}}
        file.attrs["model_config"] = json.dumps(config)
        file.attrs["keras_version"], file.attrs["backend"] = "2.15.0", "tensorflow"
        weights = file.create_group("model_weights")
        names = [one["config"]["name"] for one in layers]
        weights.attrs["layer_names"] = np.array(names, "S")
        for name in names:
            weights.create_group(name).attrs["weight_names"] = np.array([], "S1")
        dense = weights.get("dense")
        if dense is not None:
            dense.attrs["weight_names"] = np.array(["dense/kernel:0", "dense/bias:0"], "S")
            dense["dense/kernel:0"], dense["dense/bias:0"] = np.ones((3, 2), "f4"), np.zeros(2, "f4")
        if fill is not None:
            fill(file)

    return hdf5(write)


OLD_INPUT = {
    "class_name": "InputLayer",
    "config": {"batch_input_shape": [None, 3], "dtype": "float32", "name": "x"},
}
OLD_DENSE = {
    "class_name": "Dense",
    "config": {"name": "dense", "units": 2, "activation": "linear", "use_bias": True},
}


def bytecode(mark):
    """A function that makes a file, as Keras writes functions: marshalled, in base 64."""
    code = compile(f"lambda x: (open({str(mark)!r}, 'w').close(), x)[1]", "attack", "eval")
    inner = next(const for const in code.co_consts if hasattr(const, "co_code"))
    return base64.b64encode(marshal.dumps(inner)).decode()


class _Attack:
    """Makes a file when it is unpickled."""

    def __init__(self, mark):
        self.mark = str(mark)

    def __reduce__(self):
        return open, (self.mark, "w")


def pickled(mark):
    """A pickle that makes a file."""
    return pickle.dumps(_Attack(mark))


def function(name, module="builtins", registered="function"):
    """A function as Keras 3 writes it."""
    return {"module": module, "class_name": "function", "config": name, "registered_name": registered}


def lambda_layer(mark):
    """A Lambda layer with code, as Keras 3 writes it."""
    code = {"code": bytecode(mark), "defaults": None, "closure": None}
    inner = {"class_name": "__lambda__", "config": code}
    return layer("Lambda", {"function": inner, "output_shape": [3], "arguments": {}})


def old_lambda(mark):
    """A Lambda layer with code, as Keras 2 wrote it."""
    config = {"name": "lambda", "function": [bytecode(mark), None, None], "function_type": "lambda"}
    config |= {"module": "__main__", "output_shape": None, "output_shape_type": "raw", "arguments": {}}
    return {"class_name": "Lambda", "config": config}
