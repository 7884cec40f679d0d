"""`tf.data`: data sets, which give element after element to loops and to `fit`."""

from __future__ import annotations

from typing import Any

from doltap.compat.tensorflow.data import experimental, lacking
from doltap.compat.tensorflow.data.dataset import Dataset
from doltap.compat.tensorflow.data.experimental import (
    AUTOTUNE,
    INFINITE_CARDINALITY,
    UNKNOWN_CARDINALITY,
    ThreadingOptions,
)
from doltap.compat.tensorflow.data.lines import TextLineDataset, TFRecordDataset
from doltap.compat.tensorflow.data.options import Options
from doltap.compat.tensorflow.data.ordered import Elements as Iterator
from doltap.compat.tensorflow.data.specs import DatasetSpec

__all__ = ["AUTOTUNE", "INFINITE_CARDINALITY", "UNKNOWN_CARDINALITY", "Dataset", "DatasetSpec", "Iterator"]
__all__ += ["Options", "TFRecordDataset", "TextLineDataset", "ThreadingOptions", "experimental"]


def __getattr__(name: str) -> Any:
    raise lacking.of_module("tf.data", name, __all__)
