"""`tf.config`: devices and switches. What JAX decides by itself is accepted and changes nothing."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax

from doltap.compat.tensorflow import lacking
from doltap.errors import DataError

__all__ = ["LogicalDevice", "LogicalDeviceConfiguration", "PhysicalDevice", "experimental"]
__all__ += ["experimental_run_functions_eagerly", "functions_run_eagerly", "get_logical_device_configuration"]
__all__ += ["get_soft_device_placement", "get_visible_devices", "list_logical_devices"]
__all__ += ["list_physical_devices", "optimizer", "run_functions_eagerly", "set_logical_device_configuration"]
__all__ += ["set_soft_device_placement", "set_visible_devices", "threading", "is_there"]


class PhysicalDevice(NamedTuple):
    """A device of the machine."""

    name: str
    device_type: str


class LogicalDevice(NamedTuple):
    """A device as programs see it."""

    name: str
    device_type: str


class LogicalDeviceConfiguration:
    """How much of a device is to be used: accepted, and changes nothing."""

    def __init__(self, memory_limit: Any = None, experimental_priority: Any = None, **options: Any) -> None:
        self.memory_limit = memory_limit


def _devices() -> list[tuple[str, int]]:
    """The kinds of the devices and their numbers; the processor always is one."""
    kinds = {"gpu": "GPU", "cuda": "GPU", "rocm": "GPU", "tpu": "TPU"}
    others = [(kinds.get(one.platform, "GPU"), one.id) for one in jax.devices() if one.platform != "cpu"]
    return [("CPU", 0), *others]


def list_physical_devices(device_type: str | None = None) -> list[PhysicalDevice]:
    """The devices of the machine, or those of a kind such as "GPU"."""
    wanted = None if device_type is None else device_type.upper()
    return [
        PhysicalDevice(f"/physical_device:{kind}:{number}", kind)
        for kind, number in _devices()
        if wanted in (None, kind)
    ]


def list_logical_devices(device_type: str | None = None) -> list[LogicalDevice]:
    """The devices as programs see them."""
    return [
        LogicalDevice(one.name.replace("physical_device", "device"), one.device_type)
        for one in list_physical_devices(device_type)
    ]


def get_visible_devices(device_type: str | None = None) -> list[PhysicalDevice]:
    """The devices that are used."""
    return list_physical_devices(device_type)


def is_there(device: Any) -> bool:
    """Whether the machine has a device of this name, such as "/GPU:0"."""
    parts = str(device).upper().replace("/DEVICE:", "/").rpartition("/")[2].split(":")
    kind, number = parts[0], parts[1] if len(parts) > 1 else "0"
    return any(one.device_type == kind and one.name.endswith(f":{number}") for one in list_physical_devices())


def set_visible_devices(devices: Any, device_type: str | None = None) -> None:
    """Nothing: JAX has chosen its device before the program began.

    The environment variable JAX_PLATFORMS=cpu keeps a program off the GPU.
    """
    given = devices if isinstance(devices, (list, tuple)) else [devices]
    if not all(isinstance(one, (PhysicalDevice, type(None))) for one in given):
        raise DataError(
            "tf.config.set_visible_devices",
            expected="devices that tf.config.list_physical_devices gave",
            got=repr(devices),
            fix="For example tf.config.list_physical_devices('GPU')[:1].",
        )


_switches = {"eager": False, "soft": True}


def run_functions_eagerly(run_eagerly: bool) -> None:
    """Nothing: a tf.function is called line by line anyway; for fit there is compile(run_eagerly=True)."""
    _switches["eager"] = bool(run_eagerly)


experimental_run_functions_eagerly = run_functions_eagerly


def functions_run_eagerly() -> bool:
    """What `run_functions_eagerly` was told."""
    return _switches["eager"]


def set_soft_device_placement(enabled: bool) -> None:
    """Nothing: what a device cannot do, another one does."""
    _switches["soft"] = bool(enabled)


def get_soft_device_placement() -> bool:
    """What `set_soft_device_placement` was told."""
    return _switches["soft"]


def set_logical_device_configuration(device: Any, logical_devices: Any) -> None:
    """Nothing: JAX takes the memory of a device by itself."""


def get_logical_device_configuration(device: Any) -> None:
    """None: nothing was configured."""


class threading:  # noqa: N801
    """How many threads compute: XLA decides."""

    @staticmethod
    def set_inter_op_parallelism_threads(num_threads: int) -> None:
        """Nothing."""

    @staticmethod
    def set_intra_op_parallelism_threads(num_threads: int) -> None:
        """Nothing."""

    @staticmethod
    def get_inter_op_parallelism_threads() -> int:
        """0, the system's choice."""
        return 0

    @staticmethod
    def get_intra_op_parallelism_threads() -> int:
        """0, the system's choice."""
        return 0


class optimizer:  # noqa: N801
    """How graphs are made faster: there are none, and XLA compiles what is computed."""

    @staticmethod
    def set_jit(enabled: Any) -> None:
        """Nothing."""

    @staticmethod
    def get_jit() -> str:
        """What XLA does here."""
        return "autoclustering"

    @staticmethod
    def set_experimental_options(options: Any) -> None:
        """Nothing."""

    @staticmethod
    def get_experimental_options() -> dict[str, Any]:
        """None were set."""
        return {}


class experimental:  # noqa: N801
    """Names that have moved, and switches of TensorFlow's own."""

    list_physical_devices = staticmethod(list_physical_devices)
    list_logical_devices = staticmethod(list_logical_devices)
    get_visible_devices = staticmethod(get_visible_devices)
    set_visible_devices = staticmethod(set_visible_devices)
    set_virtual_device_configuration = staticmethod(set_logical_device_configuration)
    VirtualDeviceConfiguration = LogicalDeviceConfiguration

    @staticmethod
    def set_memory_growth(device: Any, enable: bool) -> None:
        """Nothing: JAX takes the memory of a device by itself; XLA_PYTHON_CLIENT_PREALLOCATE=false waits."""

    @staticmethod
    def get_memory_growth(device: Any) -> bool:
        """True: asked for or not, it changes nothing."""
        return True

    @staticmethod
    def enable_op_determinism() -> None:
        """Nothing: the same seed gives the same numbers anyway."""

    @staticmethod
    def enable_tensor_float_32_execution(enabled: bool) -> None:
        """Nothing."""

    @staticmethod
    def get_device_details(device: Any) -> dict[str, Any]:
        """What is known of a device."""
        return {"device_name": jax.devices()[0].device_kind}

    @staticmethod
    def get_memory_info(device: Any) -> dict[str, int]:
        """How many bytes of a device are used; 0 where it does not tell."""
        found = jax.devices()[0].memory_stats() or {}
        return {"current": found.get("bytes_in_use", 0), "peak": found.get("peak_bytes_in_use", 0)}


lacking.guard(__name__)
