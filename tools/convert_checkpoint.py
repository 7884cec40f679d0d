"""TensorFlow's checkpoint bundles (`.index` and `.data-...`) as weights in HDF5, which doltap and Keras read.

    python tools/convert_checkpoint.py weights.ckpt weights.h5

A bundle tells which array belongs to which layer, but not what the layers are:
make the same model, then `model.load_weights("weights.h5")`. It needs TensorFlow,
which doltap does not; `make peers FROM=weights.ckpt TO=weights.h5` brings both.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from doltap.errors import ModelFileError
from doltap.files import h5_file, hdf5, writing
from doltap.files.record import Record

# What hangs on a model in a checkpoint beside its layers.
APART = (
    "keras_api",
    "optimizer",
    "save_counter",
    "signatures",
    "trainable_variables",
    "regularization_losses",
)
APART += ("variables", "non_trainable_variables", "root", "train_function", "loss", "metrics")
# Weights that no training moves; HDF5 has them behind the others of a layer.
FIXED = ("moving_mean", "moving_variance", "mean", "variance", "count")

Nodes = Any


def layers_in(prefix: str) -> list[tuple[str, list[tuple[str, np.ndarray]]]]:
    """The layers with weights of a checkpoint, in the model's order, each with its arrays by name.

    Args:
        prefix: the path without `.index`; a SavedModel's is `folder/variables/variables`.
    """
    reader, nodes = _opened(prefix)
    found = []
    for name, node in _layers(nodes, _model(nodes)):
        weights = sorted(_weights(nodes, node, set()), key=lambda weight: weight[0].split("/")[-1] in FIXED)
        arrays = [(f"{full}:0", reader.get_tensor(key)) for full, key in weights]
        folders = {full.rpartition("/")[0] for full, _ in weights}
        found.append((folders.pop() if len(folders) == 1 and "" not in folders else name, arrays))
    return [(name, arrays) for name, arrays in found if arrays]


def _opened(prefix: str) -> tuple[Any, Nodes]:
    """TensorFlow's reader, and the objects that the checkpoint was made of."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow
    from tensorflow.core.protobuf import trackable_object_graph_pb2

    prefix = prefix.removesuffix(".index")
    if not os.path.exists(f"{prefix}.index"):
        raise ModelFileError(
            f"'{prefix}'",
            expected="a checkpoint of TensorFlow",
            got=f"no file '{prefix}.index'",
            fix="Give the path without .index and .data-00000-of-00001.",
        )
    reader = tensorflow.train.load_checkpoint(prefix)
    if not reader.has_tensor("_CHECKPOINTABLE_OBJECT_GRAPH"):
        raise ModelFileError(
            f"'{prefix}'",
            expected="a checkpoint of Keras objects",
            got="one of TensorFlow 1, which knows names alone",
            fix="Load it with tf.compat.v1 into the model there, and save that as .h5.",
        )
    graph = trackable_object_graph_pb2.TrackableObjectGraph()
    graph.ParseFromString(reader.get_tensor("_CHECKPOINTABLE_OBJECT_GRAPH"))
    return reader, graph.nodes


def _children(nodes: Nodes, node: int) -> list[tuple[str, int]]:
    return [(child.local_name, child.node_id) for child in nodes[node].children]


def _model(nodes: Nodes) -> int:
    """The object that is the model: the root, or what `tf.train.Checkpoint(model=...)` calls so."""
    return dict(_children(nodes, 0)).get("model", 0)


def _layers(nodes: Nodes, model: int) -> Iterator[tuple[str, int]]:
    """The names and objects of the layers: by number in a network, as attributes in a class of one's own."""
    children = _children(nodes, model)
    numbered = [child for child in children if child[0].startswith("layer_with_weights-")]
    seen: set[int] = {model}
    for name, node in numbered or children:
        if name not in APART and node not in seen:
            seen.add(node)
            yield name, node


def _weights(nodes: Nodes, node: int, seen: set[int]) -> Iterator[tuple[str, str]]:
    """The full names and keys of a layer's own arrays, then those of the layers inside."""
    if node in seen:
        return
    seen.add(node)
    for attribute in nodes[node].attributes:
        yield attribute.full_name or attribute.checkpoint_key, attribute.checkpoint_key
    children = [child for name, child in _children(nodes, node) if name not in APART]
    for child in sorted(children, key=lambda child: not nodes[child].attributes):
        yield from _weights(nodes, child, seen)


def main(arguments: list[str] | None = None) -> int:
    """Convert one checkpoint; 1 where that cannot be."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("checkpoint", help="path without .index")
    parser.add_argument(
        "target", nargs="?", help="the file to write; the checkpoint's name with .h5 if left out"
    )
    given = parser.parse_args(arguments)
    target = given.target or f"{given.checkpoint.removesuffix('.index').removesuffix('.ckpt')}.h5"
    try:
        layers = layers_in(given.checkpoint)
    except ModelFileError as error:
        print(error, file=sys.stderr)
        return 1
    root = h5_file.write(Record("h5_weights", layers=layers))
    writing.write_aside(pathlib.Path(target), lambda aside: hdf5.write_hdf5(aside, root))
    print(f"{target}: {sum(len(arrays) for _, arrays in layers)} arrays of {len(layers)} layers")
    return 0


if __name__ == "__main__":
    sys.exit(main())
