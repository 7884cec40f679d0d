"""`fashion_mnist.load_data` gives the published data or the user's own, never a mixture."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from doltap.datasets import fashion_mnist, fetching, idx
from doltap.errors import DatasetError

DEBIAN = Path("/usr/share/datasets/fashion-mnist")


def encode(array: np.ndarray) -> bytes:
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return bytes([0, 0, 8, array.ndim]) + sizes + array.astype(np.uint8).tobytes()


def small_set() -> dict[str, np.ndarray]:
    images = np.arange(7 * 28 * 28).reshape(7, 28, 28).astype(np.uint8)
    labels = np.arange(7, dtype=np.uint8)
    return dict(zip(idx.FILE_NAMES, (images, labels, images[:3], labels[:3]), strict=True))


def write(folder: Path, *, packed: bool = False, **changed: bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in small_set().items():
        content = changed.get(name.split("-ubyte")[0].replace("-", "_"), encode(array))
        path = folder / (f"{name}.gz" if packed else name)
        path.write_bytes(gzip.compress(content) if packed else content)


@pytest.fixture
def own(empty_machine, monkeypatch) -> Path:
    folder = empty_machine / "own"
    monkeypatch.setenv("DOLTAP_DATASETS", str(folder))
    monkeypatch.setenv("DOLTAP_OFFLINE", "1")
    return folder


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("subfolder", ["", "fashion-mnist"])
def test_the_users_own_files_are_taken_without_a_check_of_their_digest(own, subfolder, packed):
    write(own / subfolder, packed=packed)
    (x_train, y_train), (x_test, y_test) = fashion_mnist.load_data()
    for array, expected in zip((x_train, y_train, x_test, y_test), small_set().values(), strict=True):
        assert array.dtype == np.uint8
        np.testing.assert_array_equal(array, expected)


def test_the_arrays_can_be_written_to(own):
    write(own)
    (x_train, y_train), _ = fashion_mnist.load_data()
    x_train[0], y_train[0] = 255, 9
    assert x_train[0].min() == 255


def test_own_images_without_own_labels_are_an_error(own):
    write(own)
    (own / "train-labels-idx1-ubyte").unlink()
    with pytest.raises(DatasetError, match="only train-images-idx3-ubyte"):
        fashion_mnist.load_data()


def test_an_own_folder_without_the_data_set_is_passed_over(own):
    own.mkdir()
    with pytest.raises(DatasetError, match="DOLTAP_OFFLINE"):
        fashion_mnist.load_data()


@pytest.mark.parametrize(
    "labels",
    [
        b"",
        b"\0\0\x08",
        b"\0\0\x08\x01\0\0",
        b"\0\0\x0d\x01" + (7).to_bytes(4, "big") + bytes(7),
        b"\0\0\x08\x03" + (7).to_bytes(4, "big") + bytes(7),
        b"\0\0\x08\x01" + (8).to_bytes(4, "big") + bytes(7),
        b"\0\0\x08\x01" + (6).to_bytes(4, "big") + bytes(7),
        b"\0\0\x08\x01" + (2**32 - 1).to_bytes(4, "big") + bytes(7),
        b"\x80\x04pickle",
    ],
)
def test_a_header_that_does_not_account_for_the_file_is_an_error_naming_it(own, labels):
    write(own, train_labels_idx1=labels)
    with pytest.raises(DatasetError, match="train-labels-idx1-ubyte"):
        fashion_mnist.load_data()


def test_more_images_than_labels_are_an_error(own):
    write(own, t10k_labels_idx1=encode(np.zeros(2)))
    with pytest.raises(DatasetError, match="expected 3 labels, one for each image, got 2"):
        fashion_mnist.load_data()


def test_an_own_file_that_cannot_be_unpacked_is_an_error_naming_it(own):
    write(own, packed=True)
    path = own / "t10k-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(DatasetError, match=r"t10k-images-idx3-ubyte\.gz"):
        fashion_mnist.load_data()


def test_files_in_the_cache_must_be_the_published_ones(empty_machine, monkeypatch):
    monkeypatch.setenv("DOLTAP_OFFLINE", "1")
    write(fetching.cache_folder() / "fashion-mnist", packed=True)
    with pytest.raises(DatasetError, match="SHA-256 is not the published one"):
        fashion_mnist.load_data()


@pytest.mark.skipif(
    not DEBIAN.is_dir(), reason=f"Debian's dataset-fashion-mnist is not installed in {DEBIAN}"
)
def test_debians_copy_is_the_published_data(empty_machine, monkeypatch):
    monkeypatch.setenv("DOLTAP_SYSTEM_DATASETS", str(DEBIAN.parent))
    monkeypatch.setenv("DOLTAP_OFFLINE", "1")
    (x_train, y_train), (x_test, y_test) = fashion_mnist.load_data()
    assert (x_train.shape, y_train.shape) == ((60000, 28, 28), (60000,))
    assert (x_test.shape, y_test.shape) == ((10000, 28, 28), (10000,))
    assert {array.dtype for array in (x_train, y_train, x_test, y_test)} == {np.dtype(np.uint8)}
    # An ankle boot, a T-shirt and another one; every class is equally common.
    assert y_train[:3].tolist() == [9, 0, 0]
    assert np.bincount(y_train).tolist() == [6000] * 10
    assert np.bincount(y_test).tolist() == [1000] * 10
