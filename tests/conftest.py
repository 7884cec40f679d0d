"""What every test may ask for: real Keras, as the peer to compare with, and what XLA compiles.

Keras is optional here: a test that asks for it is skipped where it is missing.
"""

from __future__ import annotations

import os
import pathlib
import warnings

import jax
import jaxtyping
import pytest

from browser import _chromium, browser

__all__ = ["_chromium", "browser", "compilations", "keras"]

# Programs are run as programs are, by test_programs.
collect_ignore_glob = ["programs/*"]

# Compiled programs are kept beside pytest's own cache, not in the user's.
os.environ.setdefault(
    "DOLTAP_CACHE", str(pathlib.Path(__file__).parent.parent / ".pytest_cache" / "programs")
)

# The shapes in the signatures are checked wherever these packages are called from a test.
jaxtyping.install_import_hook(["doltap.losses", "doltap.optimizers"], "typechecking.checked")


@pytest.fixture(scope="session")
def keras():
    """Real Keras on its JAX backend."""
    os.environ["KERAS_BACKEND"] = "jax"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("keras")


@pytest.fixture
def compilations():
    """A list that grows by one with everything that XLA compiles."""
    seen = []

    def note(name, duration, **facts):
        if name == "/jax/core/compile/backend_compile_duration":
            seen.append(name)

    jax.monitoring.register_event_duration_secs_listener(note)
    yield seen
    jax.monitoring.unregister_event_duration_listener(note)
