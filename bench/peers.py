"""Who is measured, and the surroundings each is measured in.

All get the same: the CPU, no programs compiled earlier, and none of the
user's own settings for Keras. `doltap_again` alone finds its programs on disk.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import subprocess
from pathlib import Path

__all__ = ["PEERS", "TITLES", "environment", "installed", "machine", "versions"]

TITLES = {
    "doltap": "doltap",
    "doltap_again": "doltap, second run",
    "keras": "Keras 3 (JAX)",
    "torch": "PyTorch loop",
    "sklearn": "scikit-learn",
}
PEERS = tuple(TITLES)

_MODULES = {
    "doltap": "doltap",
    "doltap_again": "doltap",
    "keras": "keras",
    "torch": "torch",
    "sklearn": "sklearn",
}
_DISTRIBUTIONS = ("doltap", "jax", "jaxlib", "keras", "torch", "scikit-learn", "numpy")


def installed(peer: str) -> bool:
    return importlib.util.find_spec(_MODULES[peer]) is not None


def environment(peer: str, scratch: Path) -> dict[str, str]:
    """The environment variables of a peer's processes."""
    # Keras keeps no compiled programs unless JAX is told to.
    env = {name: value for name, value in os.environ.items() if name != "JAX_COMPILATION_CACHE_DIR"}
    env.setdefault("JAX_PLATFORMS", "cpu")
    env["KERAS_BACKEND"] = "jax"
    env["KERAS_HOME"] = str(scratch / "keras")
    env["DOLTAP_CACHE"] = str(scratch / "programs") if peer == "doltap_again" else "off"
    return env


def versions() -> str:
    """What is installed, in one line."""
    found = [f"Python {platform.python_version()}"]
    for name in _DISTRIBUTIONS:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            found.append(f"{name} not installed")
    return ", ".join(found) + _commit()


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty"]
    try:
        said = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return f"; commit {said.stdout.strip()}"


def machine() -> str:
    """Processor, cores and system, and how busy they are before the first measurement."""
    load, cores = os.getloadavg()[0], _num_cores()
    is_quiet = load < 0.3 * cores
    busy = "" if is_quiet else ", so it was not quiet and the figures are rough"
    return f"{_processor()}, {cores} cores, {platform.system()}; load {load:.1f} at the start{busy}"


def _num_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    facts = dict(line.split(":", 1) for line in lines if ":" in line)
    named = {name.strip(): value.strip() for name, value in facts.items()}
    extensions = " with AVX-512" if "avx512f" in named.get("flags", "") else ""
    return named.get("model name", platform.machine()) + extensions
