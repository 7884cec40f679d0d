"""The other data sets of Keras: what `load_data` gives is what Keras makes of the same file."""

from __future__ import annotations

import importlib
import io
import json
import pickle
import tarfile
from pathlib import Path

import numpy as np
import pytest

from doltap import config, datasets, old_names
from doltap.datasets import boston_housing, california_housing, cifar10, cifar100, fetching, imdb, reuters
from doltap.errors import DataError, DatasetError, DoltapError, UnknownNameError

chance = np.random.default_rng(0)


@pytest.fixture
def own(empty_machine, monkeypatch) -> Path:
    folder = empty_machine / "own"
    folder.mkdir()
    monkeypatch.setenv("DOLTAP_DATASETS", str(folder))
    monkeypatch.setenv("DOLTAP_OFFLINE", "1")
    return folder


@pytest.fixture
def keras_on(keras, monkeypatch):
    """Real Keras's module of a set, made to read this file."""

    def on(name, path):
        module = importlib.import_module(f"keras.src.datasets.{name}")
        monkeypatch.setattr(module, "get_file", lambda *given, **more: str(path))
        return module

    return on


def assert_same(ours, theirs):
    for our_pair, their_pair in zip(ours, theirs, strict=True):
        for one, other in zip(our_pair, their_pair, strict=True):
            other = np.asarray(other)
            assert one.shape == other.shape
            assert one.dtype == other.dtype
            assert one.tolist() == other.tolist()


# Tables.

X, Y = chance.random((700, 3)), chance.random(700)


@pytest.mark.parametrize("module", [boston_housing, california_housing])
@pytest.mark.parametrize("options", [{}, {"test_split": 0.35, "seed": 3}, {"test_split": 0}])
def test_tables_are_cut_as_keras_cuts_them(own, keras_on, module, options):
    name = module.__name__.rpartition(".")[2]
    np.savez(own / f"{name}.npz", x=X, y=Y)
    assert_same(module.load_data(**options), keras_on(name, own / f"{name}.npz").load_data(**options))


def test_california_has_a_small_version(own, keras_on):
    (own / "california_housing").mkdir()
    path = own / "california_housing/california_housing.npz"
    np.savez(path, x=X, y=Y)
    ours = california_housing.load_data(version="small")
    assert_same(ours, keras_on("california_housing", path).load_data(version="small"))
    assert len(ours[0][0]) + len(ours[1][0]) == 600
    with pytest.raises(ValueError, match="'large' or 'small'"):
        california_housing.load_data(version="middle")


@pytest.mark.parametrize("share", [1, -0.1, "half", True])
def test_a_share_that_cannot_be_is_refused(own, share):
    for load in (boston_housing.load_data, california_housing.load_data, reuters.load_data):
        with pytest.raises(DataError, match=r"test_split=0\.2"):
            load(test_split=share)


# Texts.


def texts(count, longest=30):
    lists = np.empty(count, object)
    for number in range(count):
        # Some numbers take one byte in a pickle, some two, some four.
        lists[number] = (chance.integers(1, [250, 3000, 88000][number % 3], 1 + number % longest)).tolist()
    return lists


TEXTS = {
    "imdb": {
        "x_train": texts(60),
        "y_train": np.arange(60) % 2,
        "x_test": texts(40),
        "y_test": np.arange(40) % 2,
    },
    "reuters": {"x": texts(90), "y": np.arange(90) % 46},
}
TEXT_OPTIONS = [
    {},
    {"num_words": 1000},
    {"num_words": 1000, "skip_top": 20, "oov_char": None},
    {"start_char": None},
    {"start_char": None, "index_from": 0, "oov_char": 7},
    {"index_from": 10, "seed": 5, "maxlen": 12},
    {"nb_words": 500},
]


@pytest.mark.parametrize("options", TEXT_OPTIONS, ids=str)
@pytest.mark.parametrize("module", [imdb, reuters])
def test_texts_become_the_numbers_that_keras_gives(own, keras_on, module, options):
    name = module.__name__.rpartition(".")[2]
    np.savez(own / f"{name}.npz", **TEXTS[name])
    theirs = {("num_words" if key == "nb_words" else key): value for key, value in options.items()}
    ours = module.load_data(**options)
    assert_same(ours, keras_on(name, own / f"{name}.npz").load_data(**theirs))
    assert isinstance(ours[0][0][0], list)
    with pytest.raises(TypeError, match="Did you mean 'num_words='"):
        module.load_data(num_word=3)
    with pytest.raises(ValueError, match="larger maxlen"):
        module.load_data(maxlen=1)


def test_reuters_may_be_cut_elsewhere(own, keras_on):
    np.savez(own / "reuters.npz", **TEXTS["reuters"])
    options = {"test_split": 0.5, "maxlen": 20}
    assert_same(reuters.load_data(**options), keras_on("reuters", own / "reuters.npz").load_data(**options))


def test_texts_of_one_length_stay_lists(own):
    lists = np.empty(4, object)
    for number in range(4):
        lists[number] = [1, 2, 3]
    np.savez(own / "reuters.npz", x=lists, y=np.arange(4))
    (x, _), _ = reuters.load_data()
    assert x.shape == (3,)


@pytest.mark.parametrize("module", [imdb, reuters])
def test_the_index_of_words_is_read_and_checked(own, module):
    name = module.__name__.rpartition(".")[2]
    (own / name).mkdir()
    path = own / name / f"{name}_word_index.json"
    path.write_text(json.dumps({"the": 1, "film": 2}))
    assert module.get_word_index() == {"the": 1, "film": 2}
    for wrong in ("[1, 2]", "{", "3"):
        path.write_text(wrong)
        with pytest.raises(DatasetError, match=f"{name}_word_index.json"):
            module.get_word_index()


def test_the_topics_have_names(keras):
    assert reuters.get_label_names() == keras.datasets.reuters.get_label_names()


@pytest.mark.parametrize(
    "wrong",
    [
        np.array([[1, 2], [3, 4]]),
        np.array(["a", "b"], object),
        np.array([None, [1]], object),
        np.array([[1.5], [2, 3]], object),
        np.array([[True], [2, 3]], object),
    ],
    ids=repr,
)
def test_texts_that_are_no_lists_of_numbers_are_refused(own, wrong):
    np.savez(own / "reuters.npz", x=wrong, y=np.arange(2))
    with pytest.raises(DatasetError, match=r"reuters\.npz"):
        reuters.load_data()


# Pictures.


def batch(count, *keys):
    data = chance.integers(0, 256, (count, 3072), dtype=np.uint8)
    return {b"data": data, **{key: [number % 7 for number in range(count)] for key in keys}}


def pack(path, folder, held):
    with tarfile.open(path, "w:gz") as archive:
        for name, one in {**held, "readme.html": "no pickle"}.items():
            content = pickle.dumps(one, 3)
            info = tarfile.TarInfo(f"{folder}/{name}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


def unpack(path, to):
    with tarfile.open(path) as archive:
        archive.extractall(to, filter="data")


NAMES_10 = [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]


@pytest.mark.parametrize("form", ["channels_last", "channels_first"])
def test_cifar10_is_what_keras_gives(own, keras, keras_on, monkeypatch, form):
    held = {name: batch(4, b"labels") for name in NAMES_10}
    pack(own / "cifar-10-python.tar.gz", "cifar-10-batches-py", held)
    unpack(own / "cifar-10-python.tar.gz", own / "unpacked")
    monkeypatch.setattr(config, "image_data_format", lambda: form)
    (x, y), (x_test, y_test) = cifar10.load_data()
    module = importlib.import_module("keras.src.datasets.cifar")
    folder = own / "unpacked/cifar-10-batches-py"
    parts = [module.load_batch(str(folder / name)) for name in NAMES_10]
    expected = np.concatenate([images for images, _ in parts])
    expected = expected.transpose(0, 2, 3, 1) if form == "channels_last" else expected
    np.testing.assert_array_equal(np.concatenate([x, x_test]), expected)
    labels = np.concatenate([y, y_test])
    assert (labels.dtype, labels.shape, y.shape) == (np.uint8, (24, 1), (20, 1))
    np.testing.assert_array_equal(labels[:, 0], np.concatenate([given for _, given in parts]))


@pytest.mark.parametrize("label_mode", ["fine", "coarse"])
def test_cifar100_is_what_keras_gives(own, keras_on, label_mode):
    held = {name: batch(8, b"fine_labels", b"coarse_labels") for name in ("train", "test")}
    held["train"][b"coarse_labels"] = [1] * 8
    (own / "cifar100").mkdir()
    pack(own / "cifar100/cifar-100-python.tar.gz", "cifar-100-python", held)
    unpack(own / "cifar100/cifar-100-python.tar.gz", own / "unpacked")
    theirs = keras_on("cifar100", own / "unpacked").load_data(label_mode)
    assert_same(cifar100.load_data(label_mode), theirs)
    with pytest.raises(UnknownNameError, match="Did you mean 'coarse'"):
        cifar100.load_data("coars")


def test_an_unpacked_folder_does_as_well(own):
    held = {name: batch(2, b"fine_labels", b"coarse_labels") for name in ("train", "test")}
    pack(own / "archive.tar.gz", "cifar-100-python", held)
    unpack(own / "archive.tar.gz", own)
    (x, y), _ = cifar100.load_data()
    assert (x.shape, y.shape) == ((2, 32, 32, 3), (2, 1))


@pytest.mark.parametrize("wrong", [{}, {b"data": 3}, {"labels": [1]}, [1], batch(2, b"other")], ids=repr)
def test_batches_that_are_none_are_refused(own, wrong):
    pack(own / "cifar-10-python.tar.gz", "cifar-10-batches-py", dict.fromkeys(NAMES_10, wrong))
    with pytest.raises(DatasetError, match=r"data_batch_1|damaged"):
        cifar10.load_data()


def test_an_archive_without_a_batch_or_none_at_all_is_refused(own):
    pack(own / "cifar-10-python.tar.gz", "cifar-10-batches-py", {"data_batch_1": batch(1, b"labels")})
    with pytest.raises(DatasetError, match="data_batch_2"):
        cifar10.load_data()
    for content in (b"", b"nonsense", (own / "cifar-10-python.tar.gz").read_bytes()[:900]):
        (own / "cifar-10-python.tar.gz").write_bytes(content)
        with pytest.raises(DatasetError, match=r"cifar-10-python\.tar\.gz"):
            cifar10.load_data()


# All of them.


class Trap:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return importlib.import_module("os").mkdir, (str(self.path),)


def test_code_in_a_file_does_not_run(own):
    trap = own / "sprung"
    np.savez(own / "reuters.npz", x=np.array([Trap(trap)], object), y=np.arange(1))
    np.savez(own / "boston_housing.npz", x=np.array([Trap(trap)], object), y=np.arange(1))
    pack(own / "cifar-10-python.tar.gz", "cifar-10-batches-py", dict.fromkeys(NAMES_10, Trap(trap)))
    for module in (reuters, boston_housing, cifar10):
        with pytest.raises(DatasetError, match="can run code"):
            module.load_data()
    assert not trap.exists()


LOADERS = {
    "boston_housing.npz": boston_housing.load_data,
    "california_housing.npz": california_housing.load_data,
    "cifar-10-python.tar.gz": cifar10.load_data,
    "cifar-100-python.tar.gz": cifar100.load_data,
    "imdb.npz": imdb.load_data,
    "imdb_word_index.json": imdb.get_word_index,
    "reuters.npz": reuters.load_data,
    "reuters_word_index.json": reuters.get_word_index,
}


@pytest.mark.parametrize("name", LOADERS)
def test_a_file_in_a_cache_must_be_the_published_one(empty_machine, monkeypatch, name):
    monkeypatch.setenv("DOLTAP_OFFLINE", "1")
    fetching.cache_folder().mkdir(parents=True)
    (fetching.cache_folder() / name).write_bytes(b"something else")
    with pytest.raises(DatasetError, match="is not the published one") as error:
        LOADERS[name]()
    assert name in str(error.value)
    assert error.value.parts["fix"].startswith("Put https://")


@pytest.mark.parametrize("name", LOADERS)
def test_the_digests_are_those_that_keras_publishes(keras, name):
    module = importlib.import_module(LOADERS[name].__module__)
    pinned = {value for key, value in vars(module).items() if isinstance(value, str) and key[0] == "_"}
    pinned |= {module._FILE.digest} if hasattr(module, "_FILE") else set()
    theirs = importlib.import_module(f"keras.src.datasets.{module.__name__.rpartition('.')[2]}")
    text = Path(theirs.__file__).read_text()
    digests = [each for each in pinned if len(each) in (32, 64) and set(each) <= set("0123456789abcdef")]
    assert digests
    assert all(each in text for each in digests)


@pytest.mark.parametrize("content", [b"", b"nonsense", b"PK\x03\x04"])
def test_a_file_that_is_no_archive_is_an_error_naming_it(own, content):
    (own / "imdb.npz").write_bytes(content)
    with pytest.raises(DatasetError, match=r"imdb\.npz"):
        imdb.load_data()


def test_a_missing_array_or_another_shape_is_an_error(own):
    np.savez(own / "imdb.npz", x_train=TEXTS["imdb"]["x_train"])
    with pytest.raises(DatasetError, match="y_train"):
        imdb.load_data()


def test_old_words_are_told():
    told = []
    old_names.hear(lambda *each: told.append(each))
    try:
        with pytest.raises(DoltapError):
            imdb.load_data(nb_words=3, path="/nowhere/at/all.npz", num_word=1)
    finally:
        old_names.hear(None)
    assert told == [("imdb", "nb_words=", "num_words=")]


def test_the_door_has_all_of_keras_sets(keras):
    theirs = {name for name in dir(keras.datasets) if not name.startswith("_")}
    assert set(datasets.__all__) == theirs
