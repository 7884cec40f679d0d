"""A module that is asked for what it lacks says why, or what was meant."""

from __future__ import annotations

import pickle
import subprocess
import sys

import pytest

import doltap
from doltap.errors import DoltapError, MissingAttributeError, MissingNameError

SPACES = [name for name in doltap._namespaces if name not in ("core",)]


@pytest.mark.parametrize("name", [*SPACES, "ops.numpy"])
def test_a_misspelt_name_is_answered_with_the_nearest_one(name):
    space = doltap
    for part in name.split("."):
        space = getattr(space, part)
    public = [each for each in getattr(space, "__all__", vars(space)) if len(each) > 5 and each[0] != "_"]
    for right in public[:3]:
        wrong = right[:-1] + "qq"
        with pytest.raises(MissingAttributeError) as caught:
            getattr(space, wrong)
        assert f"doltap.{name}: expected a name it has, got '{wrong}'.\n  Did you mean" in str(caught.value)
        assert not hasattr(space, wrong)


def test_a_name_of_keras_that_is_missing_says_why():
    for use, said in {
        lambda: doltap.layers.Conv2D: r"'Conv2D', which is planned\.\n  Layers for images",
        lambda: doltap.layers.Conv2d: r"Did you mean 'Conv2D'\? It is planned: Layers for images",
        lambda: doltap.layers.TorchModuleWrapper: r"which is not planned\.\n  It runs a model of PyTorch",
        lambda: doltap.applications: r"doltap: .*'applications', which is not planned",
        lambda: doltap.Sequental: r"doltap: .*\n  Did you mean 'Sequential'",
        lambda: doltap.saving.KerasFileEditor: r"'KerasFileEditor', which is not planned\.\n  doltap inspect",
        lambda: doltap.utils.load_img: r"'load_img', which is planned",
        lambda: doltap.Sequential().quantize: r"'quantize', which is not planned\.\n  Weights",
    }.items():
        with pytest.raises(MissingAttributeError, match=said):
            use()


def test_an_import_says_it_too():
    with pytest.raises(MissingNameError, match=r"'Conv2D', which is planned\.\n  Layers for images"):
        from doltap.layers import Conv2D  # noqa: F401
    with pytest.raises(MissingNameError, match="Did you mean 'Dense'"):
        from doltap.layers import Dens  # noqa: F401
    with pytest.raises(MissingNameError, match="'applications', which is not planned"):
        from doltap import applications  # noqa: F401


def test_what_only_asks_gets_no_import_error():
    assert not hasattr(doltap.layers, "Conv2D")
    assert getattr(doltap.optimizers, "legacy", doltap.optimizers) is doltap.optimizers
    assert not hasattr(doltap.losses, "__path_of_another_kind__")
    # A file of a package is found although its door does not name it.
    from doltap.losses import crossentropy

    assert crossentropy.__name__ == "doltap.losses.crossentropy"


def test_old_names_are_the_things_of_today():
    from doltap.constraints import maxnorm
    from doltap.losses import cosine_proximity

    assert maxnorm is doltap.constraints.MaxNorm
    assert cosine_proximity is doltap.losses.cosine_similarity
    assert doltap.regularizers.WeightRegularizer is doltap.regularizers.L1L2
    with pytest.raises(MissingAttributeError, match="'f1'"):
        _ = doltap.metrics.f1


def test_the_errors_cross_processes():
    for kind in (MissingAttributeError, MissingNameError):
        error = kind("a", expected="b", got="c", fix="d")
        back = pickle.loads(pickle.dumps(error))
        assert (type(back), str(back)) == (kind, str(error))
        assert isinstance(back, DoltapError)


def test_python_adds_no_guess_of_its_own():
    done = subprocess.run(
        [sys.executable, "-c", "import doltap; doltap.layers.Dens"], capture_output=True, text=True
    )
    assert done.stderr.endswith("got 'Dens'.\n  Did you mean 'Dense'?\n")
