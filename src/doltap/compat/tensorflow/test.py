"""`tf.test`: what the machine has, and a test case that compares tensors."""

from __future__ import annotations

import unittest
from typing import Any

import numpy as np

from doltap.compat.tensorflow import config, lacking
from doltap.compat.tensorflow.tensor import as_tensor

__all__ = ["TestCase", "gpu_device_name", "is_built_with_cuda", "is_built_with_gpu_support"]
__all__ += ["is_built_with_rocm", "is_built_with_xla", "is_gpu_available", "main"]


def is_gpu_available(cuda_only: bool = False, min_cuda_compute_capability: Any = None) -> bool:
    """Whether there is a GPU that JAX can use."""
    return bool(config.list_physical_devices("GPU"))


def gpu_device_name() -> str:
    """The name of the GPU, or an empty one."""
    return "/device:GPU:0" if is_gpu_available() else ""


def is_built_with_cuda() -> bool:
    """Whether JAX can use NVIDIA's GPUs here."""
    return is_gpu_available()


is_built_with_gpu_support = is_built_with_cuda


def is_built_with_rocm() -> bool:
    """Whether it was made for AMD's GPUs: no."""
    return False


def is_built_with_xla() -> bool:
    """Whether XLA compiles: always."""
    return True


class TestCase(unittest.TestCase):
    """A test case whose comparisons take tensors."""

    # pytest is not to take it for a test.
    __test__ = False

    def assertAllClose(self, a: Any, b: Any, rtol: float = 1e-6, atol: float = 1e-6, msg: Any = None) -> None:  # noqa: N802
        """Fail unless the numbers are nearly equal."""
        np.testing.assert_allclose(
            np.asarray(as_tensor(a)), np.asarray(as_tensor(b)), rtol, atol, err_msg=msg or ""
        )

    def assertAllEqual(self, a: Any, b: Any, msg: Any = None) -> None:  # noqa: N802
        """Fail unless the numbers are equal."""
        np.testing.assert_array_equal(np.asarray(as_tensor(a)), np.asarray(as_tensor(b)), err_msg=msg or "")

    def evaluate(self, tensors: Any) -> Any:
        """The values."""
        return as_tensor(tensors).numpy()


main = unittest.main

lacking.guard(__name__)
