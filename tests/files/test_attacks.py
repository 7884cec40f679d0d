"""One file for each known attack on those who load models, and for each CVE that names Keras's loading.

Every one goes through the doors that users use. What it does not get: to run,
to open a file, to take the machine's memory or time.
"""

import base64
import copy
import io
import json
import os
import pathlib
import socket
import struct
import tarfile
import time
import zipfile

import attacked
import h5py
import numpy as np
import pytest

import doltap
from doltap import layers, models
from doltap.errors import DoltapError

SECRET = "the secret of the machine"


@pytest.fixture
def mark(tmp_path):
    """A file that every attack with code would make."""
    return tmp_path / "owned"


@pytest.fixture(autouse=True)
def _closed_world(monkeypatch):
    """No attack may reach the network."""

    def refuse(*arguments):
        raise AssertionError("a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def refusal(load, *arguments, **keywords):
    started = time.perf_counter()
    with pytest.raises(DoltapError) as caught:
        load(*arguments, **keywords)
    assert time.perf_counter() - started < 5
    said = str(caught.value)
    assert SECRET not in said
    assert "\x1b" not in said
    return said


def refused_file(tmp_path, content, name="model.keras", **keywords):
    (tmp_path / name).write_bytes(content)
    return refusal(models.load_model, tmp_path / name, **keywords)


@pytest.mark.parametrize("name", ["model.keras", "model.h5"])
def test_the_files_without_an_attack_are_read(name, tmp_path):
    plain = attacked.old([attacked.OLD_INPUT, attacked.OLD_DENSE])
    content = attacked.archive(attacked.sequential()) if name.endswith("keras") else plain
    (tmp_path / name).write_bytes(content)
    assert models.load_model(tmp_path / name).predict(np.ones((1, 3)), verbose=0).tolist() == [[3.0, 3.0]]


# Code in the description.


@pytest.mark.parametrize("safe_mode", [True, False])
@pytest.mark.parametrize("compile", [True, False])
def test_cve_2024_3660_lambda_bytecode(safe_mode, compile, tmp_path, mark):
    content = attacked.archive(attacked.sequential(attacked.lambda_layer(mark)))
    said = refused_file(tmp_path, content, safe_mode=safe_mode, compile=compile)
    assert "as bytecode" in said or "with code" in said
    assert "register" in said
    assert not mark.exists()


@pytest.mark.parametrize("safe_mode", [True, False])
def test_cve_2025_9905_lambda_bytecode_in_hdf5(safe_mode, tmp_path, mark):
    content = attacked.old([attacked.OLD_INPUT, attacked.old_lambda(mark), attacked.OLD_DENSE])
    said = refused_file(tmp_path, content, "model.h5", safe_mode=safe_mode)
    assert "A file cannot bring code along" in said
    assert not mark.exists()


def entries():
    """Every way from a description to objects."""
    return {
        "layers.deserialize": lambda config: layers.deserialize(config),
        "Layer.from_config": lambda config: getattr(layers, config["class_name"]).from_config(
            config["config"]
        ),
        "Sequential.from_config": lambda config: models.Sequential.from_config(
            attacked.sequential(config)["config"]
        ),
        "model_from_json": lambda config: models.model_from_json(json.dumps(attacked.sequential(config))),
        "Bidirectional wrappers": lambda config: layers.TimeDistributed.from_config({"layer": config}),
        "deserialize_keras_object": lambda config: doltap.saving.deserialize_keras_object(config),
    }


@pytest.mark.parametrize("entry", entries())
@pytest.mark.parametrize("form", [attacked.lambda_layer, attacked.old_lambda], ids=["Keras 3", "Keras 2"])
def test_cve_2026_12481_lambda_bytecode_outside_of_load_model(entry, form, mark):
    refusal(entries()[entry], form(mark))
    assert not mark.exists()


def test_cve_2026_12481_cloning_runs_nothing_of_a_description(mark):
    model = models.Sequential([doltap.Input((3,)), layers.Lambda(lambda x: x)])
    # The function itself is at hand: nothing is written down and read again.
    assert models.clone_model(model).layers[0].function is model.layers[0].function
    assert not mark.exists()


def shell(mark):
    return {"args": ["touch", str(mark)]}


@pytest.mark.parametrize(
    ("module", "name"),
    [("subprocess", "run"), ("os", "system"), ("builtins", "exec"), ("builtins", "eval"), ("pty", "spawn")],
)
@pytest.mark.parametrize("kind", ["class", "function", "activation", "operation"])
def test_cve_2025_1550_modules_and_functions_of_python(module, name, kind, tmp_path, mark):
    function = attacked.function(name, module, name)
    layer = {
        "class": {"module": module, "class_name": name, "config": {"name": "a"}, "registered_name": name},
        "function": {**function, "name": "a"},
        "activation": attacked.layer("Dense", {"name": "a", "units": 1, "activation": function}),
        "operation": {"module": "keras.src.ops.numpy", "class_name": name, "config": {"name": "a"}},
    }[kind]
    calls = [{"args": [attacked.tensor("x")], "kwargs": shell(mark)}]
    config = attacked.functional({**layer, "name": "a", "inbound_nodes": calls}, last="a")
    refused_file(tmp_path, attacked.archive(config))
    refusal(models.model_from_json, json.dumps(config))
    assert not mark.exists()


@pytest.mark.parametrize(
    ("module", "name", "arguments"),
    [
        ("keras.utils", "get_file", {"fname": "owned", "origin": "http://127.0.0.1:9/x", "extract": True}),
        ("keras.saving", "load_model", {"filepath": "other.keras", "safe_mode": False}),
        ("keras.src.utils.file_utils", "extract_archive", {"file_path": "a.tar"}),
        ("keras.src.backend.common.global_state", "set_global_attribute", {"name": "safe_mode_saving"}),
    ],
)
def test_cve_2025_8747_functions_of_keras_itself(module, name, arguments, tmp_path):
    described = attacked.layer(
        "Lambda", {"function": attacked.function(name, module), "arguments": arguments}
    )
    calls = [{"args": [], "kwargs": {"inputs": "model.keras"}}]
    for layer in (described, attacked.layer("Activation", {"activation": attacked.function(name, module)})):
        config = attacked.functional(
            {**layer, "name": layer["config"]["name"], "inbound_nodes": calls}, last=layer["config"]["name"]
        )
        refused_file(tmp_path, attacked.archive(config))
    assert [path.name for path in tmp_path.iterdir()] == ["model.keras"]


def test_cve_2025_9906_switching_safe_mode_off(tmp_path, mark):
    switch = attacked.function("enable_unsafe_deserialization", "keras.config")
    config = attacked.sequential(
        attacked.layer("Lambda", {"name": "first", "function": switch}), attacked.lambda_layer(mark)
    )
    refused_file(tmp_path, attacked.archive(config))
    config = attacked.sequential(attacked.layer("Activation", {"activation": switch}))
    assert "enable_unsafe_deserialization" in refused_file(tmp_path, attacked.archive(config))
    assert not mark.exists()


def test_cve_2025_49655_a_pickle_of_pytorch(tmp_path, mark):
    inside = base64.b64encode(attacked.pickled(mark)).decode()
    layer = attacked.layer("TorchModuleWrapper", {"module": inside, "output_shape": [None, 2]})
    assert "unpacks a PyTorch module" in refused_file(tmp_path, attacked.archive(attacked.sequential(layer)))
    assert not mark.exists()


def test_cve_2026_1462_a_saved_model_elsewhere(tmp_path):
    layer = attacked.layer("TFSMLayer", {"filepath": str(tmp_path / "saved_model"), "call_endpoint": "serve"})
    assert "runs a SavedModel" in refused_file(tmp_path, attacked.archive(attacked.sequential(layer)))


def test_cve_2021_37678_yaml_with_python_in_it(tmp_path, mark):
    text = f"!!python/object/apply:os.system ['touch {mark}']"
    assert "JSON" in refusal(models.model_from_json, text)
    assert not hasattr(models, "model_from_yaml") or refusal(models.model_from_yaml, text)
    refused_file(tmp_path, attacked.archive(text))
    assert not mark.exists()


def test_pickles_under_the_name_of_a_model(tmp_path, mark):
    for name in ("model.keras", "model.h5", "model.pkl", "model"):
        assert "a pickle" in refused_file(tmp_path, attacked.pickled(mark), name)
    assert not mark.exists()


def test_weights_as_a_pickle_in_an_archive(tmp_path, mark):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        file.writestr("metadata.json", "{}")
        file.writestr("config.json", json.dumps(attacked.sequential()))
        file.writestr("model.weights.npz", attacked.pickled(mark))
    assert "model.weights.h5" in refused_file(tmp_path, content.getvalue())
    assert not mark.exists()


def test_arrays_of_objects(tmp_path, mark):
    content = io.BytesIO()
    np.save(content, np.array([attacked._Attack(mark)], object), allow_pickle=True)
    refused_file(tmp_path, content.getvalue(), "weights.npy")
    value = {"class_name": "__numpy__", "config": {"value": ["x"], "dtype": "object"}}
    config = attacked.sequential(attacked.layer("Normalization", {"mean": value, "variance": value}))
    assert "an array of 'object'" in refused_file(tmp_path, attacked.archive(config))
    assert not mark.exists()


@pytest.mark.parametrize("part", ["loss", "metrics", "weighted_metrics", "optimizer"])
@pytest.mark.parametrize(
    "thing",
    [
        {"class_name": "__lambda__", "config": {"value": ["4wEA", None, None]}},
        attacked.function("system", "os", "os.system"),
        {"module": "subprocess", "class_name": "Popen", "config": {"args": ["id"]}, "registered_name": None},
        "os.system",
    ],
    ids=["lambda", "function", "class", "name"],
)
def test_settings_of_compile_bring_no_code(part, thing, tmp_path):
    settings = {"optimizer": "sgd", "loss": "mse", "metrics": None, "weighted_metrics": None}
    settings[part] = [thing] if "metrics" in part else thing
    refused_file(tmp_path, attacked.archive(attacked.sequential(compile_config=settings)))


def test_a_class_of_the_user_does_not_stand_in_for_one_of_ours(tmp_path):
    made = []

    class Dense(layers.Layer):
        def __init__(self, **keywords):
            made.append(keywords)

    (tmp_path / "model.keras").write_bytes(attacked.archive(attacked.sequential()))
    model = models.load_model(tmp_path / "model.keras", custom_objects={"Dense": Dense})
    assert type(model.layers[-1]) is layers.Dense
    assert not made


# Files and addresses in the description.


@pytest.mark.parametrize("name", ["StringLookup", "IntegerLookup", "TextVectorization"])
@pytest.mark.parametrize("form", ["path", "url", "file url"])
def test_cve_2025_12058_the_path_of_a_vocabulary(name, form, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text(SECRET)
    path = {"path": str(secret), "url": "http://127.0.0.1:9/x", "file url": secret.as_uri()}[form]
    config = attacked.sequential(attacked.layer(name, {"vocabulary": path}))
    assert "which names a file" in refused_file(tmp_path, attacked.archive(config))
    refusal(models.model_from_json, json.dumps(config))


@pytest.mark.parametrize("name", ["../../owned", "/etc/owned", "a\\..\\..\\owned"])
def test_cve_2026_12479_layers_whose_names_lead_elsewhere(name, tmp_path):
    layer = attacked.layer("Dense", {"name": name, "units": 2}, build_config={"input_shape": [None, 3]})
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    assert "lead to other folders" in refused_file(folder, attacked.archive(attacked.sequential(layer)))
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize(
    "name", ["assets/../../owned", "/tmp/owned", "assets/a\\..\\..\\owned", "assets/C:owned"]
)
def test_cve_2026_12479_members_whose_names_lead_elsewhere(name, tmp_path):
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    content = attacked.archive(attacked.sequential(), more=[("assets/" + "N" * (len(name) - 7), b"x")])
    content = content.replace(b"assets/" + b"N" * (len(name) - 7), name.encode())
    assert "a name" in refused_file(folder, content)
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("cve", ["CVE-2024-55459", "CVE-2025-12060", "CVE-2025-12638"])
def test_archives_that_unpack_elsewhere(cve, tmp_path):
    """These were `get_file`'s: tar files with `..`, links, and links behind long paths.

    No model is a tar file, none can ask for one, and nothing is unpacked to the disk.
    """
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as file:
        member = tarfile.TarInfo("../owned" if cve == "CVE-2024-55459" else "a")
        if cve != "CVE-2024-55459":
            member.type, member.linkname = tarfile.SYMTYPE, "../" * (900 if cve == "CVE-2025-12060" else 1)
        file.addfile(member, io.BytesIO(b""))
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    for name in ("model.keras", "model.tar.gz"):
        assert "packed by gzip" in refused_file(folder, content.getvalue(), name)
    fetch = {"origin": "http://127.0.0.1:9/a.tar.gz", "extract": True}
    layer = attacked.layer(
        "Lambda", {"function": attacked.function("get_file", "keras.utils"), "arguments": fetch}
    )
    refused_file(folder, attacked.archive(attacked.sequential(layer)))
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_links_in_an_archive(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    link = zipfile.ZipInfo("assets/vocabulary.txt")
    link.external_attr = 0o120777 << 16
    content = attacked.archive(attacked.sequential(), more=[(link, str(secret).encode())])
    assert "no file but a link" in refused_file(tmp_path, content)


# What HDF5 can do.


def external_storage(file, secret):
    file.create_dataset("layers/dense/vars/0", (3, 2), "u1", external=[(str(secret), 0, 6)])
    file["layers/dense/vars/1"] = np.zeros(2, "f4")


def external_link(file, secret):
    file["layers"] = h5py.ExternalLink(str(secret), "/layers")


def soft_link(file, secret):
    attacked.weights_of_dense(file)
    del file["layers/dense/vars/1"]
    file["layers/dense/vars/1"] = h5py.SoftLink("/layers/dense/vars/0")


def virtual_data_set(file, secret):
    layout = h5py.VirtualLayout((3, 2), "f4")
    layout[:] = h5py.VirtualSource(str(secret), "a", (3, 2))
    file.create_virtual_dataset("layers/dense/vars/0", layout)


def object_reference(file, secret):
    attacked.weights_of_dense(file)
    file.attrs["a"] = file["layers"].ref


def plug_in(file, secret):
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_chunk((3, 2))
    properties.set_filter(32099, h5py.h5z.FLAG_OPTIONAL, (1, 2))
    group = file.create_group("layers/dense/vars")
    h5py.h5d.create(group.id, b"0", h5py.h5t.IEEE_F32LE, h5py.h5s.create_simple((3, 2)), properties)


def shape_bomb(file, secret):
    shape, chunks = (1 << 20, 1 << 20), (1000, 1000)
    file.create_dataset("layers/dense/vars/0", shape, "f4", chunks=chunks, compression="gzip")
    file["layers/dense/vars/1"] = np.zeros(2, "f4")


def late_bomb(file, secret):
    file.create_dataset("layers/dense/vars/0", (1 << 20, 1 << 20), "f4")
    file["layers/dense/vars/1"] = np.zeros(2, "f4")


HDF5 = {
    external_storage: ("CVE-2026-1669", "in another file"),
    external_link: ("CVE-2026-1669", "a link into another file"),
    soft_link: ("", "a soft link"),
    virtual_data_set: ("", "virtual data set"),
    object_reference: ("", "object references"),
    plug_in: ("", "filter 32099"),
    shape_bomb: ("CVE-2026-0897", "would need"),
    late_bomb: ("CVE-2026-0897", "says it has"),
}


@pytest.mark.parametrize("attack", HDF5, ids=lambda attack: f"{attack.__name__} {HDF5[attack][0]}".strip())
@pytest.mark.parametrize(
    "door", ["load_model", "load_weights", "load_weights by layer", "by_name", "old model"]
)
def test_what_hdf5_can_do_beside_keeping_numbers(attack, door, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text(SECRET)

    def fill(file):
        attack(file, secret)

    if door == "load_model":
        said = refused_file(tmp_path, attacked.archive(attacked.sequential(), fill))
    elif door == "old model":
        content = attacked.old([attacked.OLD_INPUT, attacked.OLD_DENSE], fill)
        said = refused_file(tmp_path, content, "model.h5")
    else:
        model = models.Sequential([doltap.Input((3,)), layers.Dense(2, name="dense")])
        before = copy.deepcopy(model.get_weights())
        name = "a.weights.h5" if door == "load_weights" else "a.h5"
        content = attacked.hdf5(fill)
        if door != "load_weights":
            content = attacked.old([attacked.OLD_INPUT, attacked.OLD_DENSE], fill)
        (tmp_path / name).write_bytes(content)
        keywords = {"by_name": True, "skip_mismatch": True} if door == "by_name" else {}
        said = refusal(model.load_weights, tmp_path / name, **keywords)
        for one, other in zip(before, model.get_weights(), strict=True):
            np.testing.assert_array_equal(one, other)
    assert HDF5[attack][1] in said


# Sizes that lie, and work without end.


def test_an_archive_that_grows_out_of_all_proportion(tmp_path):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("metadata.json", "{}")
        file.writestr("config.json", b" " * (200 << 20))
        file.writestr("model.weights.h5", b"")
    assert "'config.json' of 209715200 bytes" in refused_file(tmp_path, content.getvalue())


@pytest.mark.parametrize("units", [2**40, 2**31 - 1, 10**30, 1_000_000_000])
def test_sizes_that_disagree_with_the_arrays(units, tmp_path):
    layer = {**attacked.DENSE, "config": {**attacked.DENSE["config"], "units": units}}
    refused_file(tmp_path, attacked.archive(attacked.sequential(layer)))


def test_many_layers_of_a_size_that_nobody_stored(tmp_path):
    some = [attacked.layer("Dense", {"name": f"d{n}", "units": 30_000}) for n in range(100)]
    refused_file(tmp_path, attacked.archive(attacked.sequential(*some)))


def test_networks_in_a_circle(tmp_path):
    dense = attacked.called(attacked.DENSE, attacked.tensor("dense"))
    assert "waits for itself" in refused_file(tmp_path, attacked.archive(attacked.functional(dense)))


def test_operations_on_numbers_that_a_file_brings(tmp_path):
    ones = {
        "module": "keras.src.ops.numpy",
        "class_name": "Ones",
        "config": {"name": "ones", "shape": [1 << 20] * 2},
    }
    config = attacked.functional(attacked.called(ones, [1 << 20, 1 << 20]), last="ones")
    assert "without a tensor" in refused_file(tmp_path, attacked.archive(config))


def test_models_in_models_without_end(tmp_path):
    config = attacked.sequential()
    for number in range(60):
        config = attacked.sequential({**config, "config": {**config["config"], "name": f"s{number}"}})
    refused_file(tmp_path, attacked.archive(config))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[" * 100_000, "100000 deep"),
        ('{"a": ' + "9" * 100_000 + "}", "more than 1000 digits"),
        ('{"class_name": "Sequential", "class_name": "Lambda"}', "the key 'class_name' twice"),
        ('{"a": "\\ud800"}', "half of a character"),
        (b"\xff\xfe", "utf-8"),
        ("[]", "expected an object"),
        ("null", "expected an object"),
    ],
)
def test_texts_made_to_do_harm(text, words, tmp_path):
    assert words in refused_file(tmp_path, attacked.archive(text))
    as_hdf5 = attacked.hdf5(lambda file: file.attrs.create("model_config", text))
    if isinstance(text, str) and words != "expected an object":
        assert words in refused_file(tmp_path, as_hdf5, "model.h5")


def test_members_that_come_twice(tmp_path):
    content = attacked.archive(attacked.sequential(), more=[("konfig.json", b"{}")])
    assert "two members of one name" in refused_file(tmp_path, content.replace(b"konfig", b"config"))


@pytest.mark.parametrize("name", ["model.h5", "model.hdf5"])
def test_a_suffix_that_lies(name, tmp_path):
    assert "name" in refused_file(tmp_path, attacked.archive(attacked.sequential()), name)
    old = attacked.old([attacked.OLD_INPUT, attacked.OLD_DENSE])
    assert "name" in refused_file(tmp_path, old, "model.keras")


def test_a_file_that_is_two_files(tmp_path):
    """HDF5 for those who look at the beginning, a zip archive for those who look at the end."""
    hdf5, archive = attacked.hdf5(attacked.weights_of_dense), attacked.archive(attacked.sequential())
    refused_file(tmp_path, hdf5 + archive)
    assert "before" in refused_file(tmp_path, b"PK\3\4" + hdf5 + archive)


def test_text_of_a_file_is_escaped(tmp_path):
    name = "\x1b]0;owned\x07<script>alert(1)</script>[bold red]"
    layer = attacked.layer("NoSuchLayer", {"name": name})
    said = refused_file(tmp_path, attacked.archive(attacked.sequential(layer)))
    assert "\x07" not in said
    layer = attacked.layer("Dense", {"name": name, "units": 3}, build_config={"input_shape": [None, 3]})
    assert "\x07" not in refused_file(tmp_path, attacked.archive(attacked.sequential(layer)))


@pytest.mark.skipif(not pathlib.Path("/proc/self/fd").exists(), reason="needs to see which files are open")
def test_refused_files_are_closed(tmp_path):
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        refused_file(tmp_path, attacked.archive("[" * 1000))
        refused_file(tmp_path, b"PK\3\4")
        refused_file(tmp_path, struct.pack("<8s", b"\x89HDF\r\n\x1a\n"), "a.h5")
    assert len(os.listdir("/proc/self/fd")) == before


def activation(number, before=None):
    layer = attacked.layer("Activation", {"name": f"l{number}", "activation": "relu"})
    return layer if before is None else attacked.called(layer, attacked.tensor(before))


def in_a_row():
    return attacked.sequential(*map(activation, range(2000)))


def from_back_to_front():
    layers = [activation(number, f"l{number - 1}" if number else "x") for number in range(2000)]
    return attacked.functional(*reversed(layers), last="l1999")


def shared():
    numbered = [{**activation(number), "shared_object_id": number} for number in range(1000, 2000)]
    return attacked.sequential(*map(activation, range(1000)), *numbered)


@pytest.mark.parametrize(
    "network", [in_a_row, from_back_to_front, shared], ids=lambda network: network.__name__
)
def test_large_networks_take_time_in_proportion(network):
    text = json.dumps(network())
    started = time.process_time()
    assert len(models.model_from_json(text).layers) >= 2000
    assert time.process_time() - started < 8
