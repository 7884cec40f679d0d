"""`tf.data.experimental`: earlier names of what `tf.data` has, mostly functions for `dataset.apply`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from doltap.compat.tensorflow.data import lacking
from doltap.compat.tensorflow.data.dataset import Dataset
from doltap.compat.tensorflow.data.options import Options
from doltap.compat.tensorflow.data.ordered import INFINITE, UNKNOWN
from doltap.compat.tensorflow.data.tables import CsvDataset, make_csv_dataset

__all__ = ["AUTOTUNE", "INFINITE_CARDINALITY", "UNKNOWN_CARDINALITY", "AutoShardPolicy", "Counter"]
__all__ += ["CsvDataset", "make_csv_dataset"]
__all__ += ["DistributeOptions", "OptimizationOptions", "ThreadingOptions", "assert_cardinality"]
__all__ += ["cardinality", "choose_from_datasets", "copy_to_device", "enable_debug_mode"]
__all__ += ["enumerate_dataset", "get_single_element", "get_structure", "map_and_batch"]
__all__ += [
    "prefetch_to_device",
    "sample_from_datasets",
    "shuffle_and_repeat",
    "take_while",
    "unbatch",
    "unique",
]

AUTOTUNE = -1
INFINITE_CARDINALITY, UNKNOWN_CARDINALITY = INFINITE, UNKNOWN
OptimizationOptions = ThreadingOptions = DistributeOptions = Options
Counter = Dataset.counter
choose_from_datasets = Dataset.choose_from_datasets
sample_from_datasets = Dataset.sample_from_datasets

Change = Callable[[Dataset], Any]


class AutoShardPolicy:
    """How data would be shared out between machines."""

    AUTO, FILE, DATA, HINT, OFF = 0, 1, 2, 3, -1


def cardinality(dataset: Dataset) -> Any:
    """How many elements there are: -1 for ever, -2 not known."""
    return dataset.cardinality()


def assert_cardinality(expected_cardinality: Any) -> Change:
    """Makes a data set of which is known how many elements it has."""
    count = int(expected_cardinality)
    return lambda dataset: dataset._like(dataset._tickets, count, "AssertCardinality")


def enable_debug_mode() -> None:
    """Nothing: functions are always run line by line where they fail."""


def enumerate_dataset(start: Any = 0) -> Change:
    """For `apply`: each element with its number."""
    return lambda dataset: dataset.enumerate(start)


def get_single_element(dataset: Dataset) -> Any:
    """The only element there is."""
    return dataset.get_single_element()


def get_structure(dataset_or_iterator: Any) -> Any:
    """The shapes and types of the elements."""
    return dataset_or_iterator.element_spec


def map_and_batch(
    map_func: Callable[..., Any],
    batch_size: Any,
    num_parallel_batches: Any = None,
    drop_remainder: Any = False,
    num_parallel_calls: Any = None,
) -> Change:
    """For `apply`: `map`, and then `batch`."""
    return lambda dataset: dataset.map(map_func).batch(batch_size, drop_remainder)


def copy_to_device(target_device: Any, source_device: Any = None) -> Change:
    """For `apply`: nothing, as data goes to the device when it is used."""
    return lambda dataset: dataset.prefetch()


def prefetch_to_device(device: Any, buffer_size: Any = None) -> Change:
    """For `apply`: nothing, as data goes to the device when it is used."""
    return lambda dataset: dataset.prefetch()


def shuffle_and_repeat(buffer_size: Any, count: Any = None, seed: Any = None) -> Change:
    """For `apply`: `shuffle`, and then `repeat`."""
    return lambda dataset: dataset.shuffle(buffer_size, seed).repeat(count)


def take_while(predicate: Callable[..., Any]) -> Change:
    """For `apply`: the elements until the first for which a function does not give true."""
    return lambda dataset: dataset.take_while(predicate)


def unbatch() -> Change:
    """For `apply`: the rows of the elements as elements."""
    return lambda dataset: dataset.unbatch()


def unique() -> Change:
    """For `apply`: each value once."""
    return lambda dataset: dataset.unique()


def __getattr__(name: str) -> Any:
    raise lacking.of_module("tf.data.experimental", name, vars(sys.modules[__name__])["__all__"])
