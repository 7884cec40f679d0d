"""`mnist.load_data` gives the published data or the user's own, and runs no code from a file."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pytest

from doltap.datasets import fetching, idx, mnist
from doltap.errors import DatasetError

IMAGES = np.arange(5 * 28 * 28).reshape(5, 28, 28).astype(np.uint8)
LABELS = np.arange(5, dtype=np.uint8)


def archive(**changed: np.ndarray) -> bytes:
    arrays = {"x_train": IMAGES, "y_train": LABELS, "x_test": IMAGES[:2], "y_test": LABELS[:2], **changed}
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


@pytest.fixture
def own(empty_machine, monkeypatch) -> Path:
    folder = empty_machine / "own"
    (folder / "mnist").mkdir(parents=True)
    monkeypatch.setenv("DOLTAP_DATASETS", str(folder))
    monkeypatch.setenv("DOLTAP_OFFLINE", "1")
    return folder


def assert_small_set(loaded: idx.Split) -> None:
    (x_train, y_train), (x_test, y_test) = loaded
    for array, expected in ((x_train, IMAGES), (y_train, LABELS), (x_test, IMAGES[:2]), (y_test, LABELS[:2])):
        assert array.dtype == np.uint8
        np.testing.assert_array_equal(array, expected)


@pytest.mark.parametrize("name", ["mnist.npz", "mnist/mnist.npz"])
def test_the_users_own_archive_is_taken_without_a_check_of_its_digest(own, name):
    (own / name).write_bytes(archive())
    assert_small_set(mnist.load_data())


def test_the_archive_may_have_another_name(own):
    (own / "other.npz").write_bytes(archive())
    assert_small_set(mnist.load_data(path="other.npz"))


def test_four_idx_files_do_as_well(own):
    for name, array in zip(idx.FILE_NAMES, (IMAGES, LABELS, IMAGES[:2], LABELS[:2]), strict=True):
        sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
        (own / "mnist" / name).write_bytes(bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes())
    assert_small_set(mnist.load_data())


class Trap:
    """Pickled, it makes a folder when it is opened."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return os.mkdir, (str(self.path),)


def test_an_archive_of_objects_is_refused_and_its_code_does_not_run(own):
    trap = own / "sprung"
    (own / "mnist.npz").write_bytes(archive(x_train=np.array([Trap(trap)], dtype=object)))
    with pytest.raises(DatasetError, match=r"mnist\.npz.*plain arrays"):
        mnist.load_data()
    assert not trap.exists()


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\x80\x04K\x01.", archive()[:-40], archive()[:3000]])
def test_a_file_that_is_no_archive_is_an_error_naming_it(own, content):
    (own / "mnist.npz").write_bytes(content)
    with pytest.raises(DatasetError, match=r"mnist\.npz"):
        mnist.load_data()


def test_a_single_array_in_place_of_the_archive_is_an_error(own):
    np.save(own / "single.npy", IMAGES)
    (own / "single.npy").rename(own / "mnist.npz")
    with pytest.raises(DatasetError, match=r"mnist\.npz"):
        mnist.load_data()


@pytest.mark.parametrize("changed", [{"y_train": LABELS[:4]}, {"x_test": IMAGES[0]}])
def test_images_and_labels_that_do_not_fit_are_an_error(own, changed):
    (own / "mnist.npz").write_bytes(archive(**changed))
    with pytest.raises(DatasetError, match="shape"):
        mnist.load_data()


def test_a_missing_array_is_an_error(own):
    stream = io.BytesIO()
    np.savez(stream, x_train=IMAGES)
    (own / "mnist.npz").write_bytes(stream.getvalue())
    with pytest.raises(DatasetError, match="y_train"):
        mnist.load_data()


def test_a_file_in_the_cache_must_be_the_published_one(empty_machine, monkeypatch):
    monkeypatch.setenv("DOLTAP_OFFLINE", "1")
    fetching.cache_folder().mkdir(parents=True)
    (fetching.cache_folder() / "mnist.npz").write_bytes(archive())
    with pytest.raises(DatasetError, match="SHA-256 is not the published one"):
        mnist.load_data()


def test_an_absolute_path_is_the_only_place_looked_at(own, empty_machine):
    (own / "mnist.npz").write_bytes(archive())
    with pytest.raises(DatasetError, match=r"expected.*DOLTAP_OFFLINE") as caught:
        mnist.load_data(path=str(empty_machine / "there.npz"))
    assert f"at '{empty_machine / 'there.npz'}'" in caught.value.parts["fix"]


def test_the_published_archive_has_seventy_thousand_digits(monkeypatch):
    monkeypatch.delenv("DOLTAP_DATASETS", raising=False)
    if not any((folder / "mnist.npz").is_file() for folder in fetching.shared_folders()):
        pytest.skip("mnist.npz is neither in the user's cache nor in Keras's")
    (x_train, y_train), (x_test, y_test) = mnist.load_data()
    assert (x_train.shape, y_train.shape) == ((60000, 28, 28), (60000,))
    assert (x_test.shape, y_test.shape) == ((10000, 28, 28), (10000,))
    assert y_train[:3].tolist() == [5, 0, 4]
