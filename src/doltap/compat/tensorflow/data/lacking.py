"""What `tf.data` has in TensorFlow and not here: why, and what to use instead."""

from __future__ import annotations

from collections.abc import Iterable

from doltap.errors import MissingAttributeError, closest

__all__ = ["of_dataset", "of_module"]

_TFRECORDS = "TFRecordDataset(files).map(lambda text: tf.io.parse_single_example(text, features)) does it."
_DATASET = {
    "bucket_by_sequence_length": "Sort the rows by length, and use padded_batch.",
    "fingerprint": "The data is at hand; hash it.",
    "group_by_window": "Group the rows with pandas or NumPy before.",
    "ignore_errors": "Leave what fails out with filter.",
    "load": "np.load(path), and from_tensor_slices of what it gives.",
    "ragged_batch": "padded_batch(size) fills the shorter elements up.",
    "rebatch": "unbatch().batch(size) does the same.",
    "rejection_resample": "Choose rows with NumPy before, or give fit class_weight.",
    "save": "np.savez(path, x=x, y=y) keeps arrays.",
    "shape": "element_spec tells the shapes of its elements.",
    "dtype": "element_spec tells the types of its elements.",
    "numpy": "Take an element: next(iter(dataset)).numpy(), or list(dataset.as_numpy_iterator()).",
    "snapshot": "cache() keeps what was computed.",
    "sparse_batch": "padded_batch(size) does it without sparse tensors.",
}
_MODULE = {
    "FixedLengthRecordDataset": "np.fromfile(path) reads it; from_tensor_slices makes a data set of it.",
    "TFRecordWriter": "tf.io.TFRecordWriter writes such files.",
    "SqlDataset": "pandas.read_sql(query, connection), and Dataset.from_tensor_slices(dict(table)).",
    "make_batched_features_dataset": _TFRECORDS,
    "parse_example_dataset": _TFRECORDS,
    "bucket_by_sequence_length": _DATASET["bucket_by_sequence_length"],
    "service": "Data is read in this process.",
}


def of_dataset(name: str, known: Iterable[str]) -> MissingAttributeError:
    """The error for a name that a data set has not."""
    return _error("a tf.data.Dataset", name, _DATASET, known)


def of_module(module: str, name: str, known: Iterable[str]) -> MissingAttributeError:
    """The error for a name that `tf.data` or `tf.data.experimental` has not."""
    return _error(module, name, _MODULE, known)


def _error(subject: str, name: str, cures: dict[str, str], known: Iterable[str]) -> MissingAttributeError:
    guess = closest(name, [*known, *cures])
    fix = cures.get(name) or (f"Did you mean '{guess}'?" if guess else "See dir() of it.")
    return MissingAttributeError(subject, expected="a name it has", got=repr(name), fix=fix)
