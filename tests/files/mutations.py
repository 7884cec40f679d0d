"""Model files with something changed at random, and a process that reads many of them.

    python mutations.py FOLDER NAME FIRST LAST

reads the changes number FIRST to LAST - 1 of the file NAME in FOLDER, and
prints a line before and one after each: its number, and what came of it.
Every change is a function of the file's name and its number.
"""

from __future__ import annotations

import io
import json
import pathlib
import random
import resource
import struct
import sys
import time
import traceback
import zipfile

import h5py
import numpy as np

from doltap.errors import DoltapError
from doltap.files.hdf5 import tree
from doltap.files.hdf5.reading import read_tree
from doltap.files.zips import write_zip

LONGEST_SECONDS, MOST_BYTES = 2.0, 500_000_000


def network(lib):
    """A model of several kinds of layers, with a model in it, ready to train."""
    layers = lib.layers
    x = lib.Input((4,), name="x")
    hidden = layers.Dense(5, "relu", kernel_regularizer="l2", name="hidden")(x)
    hidden = layers.BatchNormalization(name="normal")(hidden)
    inner = lib.Sequential([lib.Input((5,)), layers.Dense(4), layers.Dropout(0.1)], name="inner")
    both = layers.Add(name="sum")([inner(hidden), x])
    end = layers.Dense(3, "softmax", name="end")(layers.LeakyReLU(name="leaky")(both))
    model = lib.Model(x, end, name="network")
    model.compile("adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.optimizer.build(model.trainable_variables)
    return model


def write_all(lib, folder):
    """The model in each of the formats that Keras writes."""
    model = network(lib)
    for name in ("model.keras", "model.h5"):
        model.save(folder / name)
    model.save_weights(folder / "model.weights.h5")


# Bytes.


def changed_bytes(content, chance):
    """Some bytes overwritten, as disks, wires and attackers do."""
    changed = bytearray(content)
    for _ in range(chance.choice([1, 1, 2, 4, 16])):
        at, kind, size = chance.randrange(len(changed)), chance.random(), len(changed)
        if kind < 0.35:
            changed[at] = chance.choice([0, 1, 127, 128, 255, chance.randrange(256)])
        elif kind < 0.55:
            changed[at] ^= 1 << chance.randrange(8)
        elif kind < 0.75:
            number = chance.choice([0, (1 << 64) - 1, chance.randrange(size), 1 << chance.randrange(64)])
            changed[at & ~7 : (at & ~7) + 8] = struct.pack("<Q", number)
        elif kind < 0.9:
            length, source = chance.choice([4, 8, 32, 128]), chance.randrange(size)
            changed[at : at + length] = changed[source : source + length]
        elif kind < 0.95:
            del changed[at : at + chance.choice([1, 8, size])]
        else:
            changed[at:at] = bytes(chance.choice([1, 8, 100]))
        changed = changed or bytearray(1)
    return bytes(changed)


# Configurations.

NUMBERS = [0, -1, 1, 3, 2**31, 2**40, 2**63, -(2**70), 0.5, 1e308, float("nan"), float("inf")]
TEXTS = [
    "",
    "relu",
    "Dense",
    "Lambda",
    "__lambda__",
    "x",
    "/etc/passwd",
    "http://x",
    "\x1b[31m",
    "ü" * 1000,
    "None",
]
CLASSES = [
    "Dense",
    "Sequential",
    "Functional",
    "InputLayer",
    "Dropout",
    "Add",
    "Flatten",
    "Lambda",
    "Embedding",
]
CLASSES += [
    "function",
    "__tensor__",
    "__numpy__",
    "__slice__",
    "StringLookup",
    "Normalization",
    "Adam",
    "GlorotUniform",
]


def places_in(value):
    """Where something stands in a value: its container and key."""
    found, waiting = [], [value]
    while waiting:
        one = waiting.pop()
        keys = list(one) if isinstance(one, dict) else range(len(one)) if isinstance(one, list) else ()
        for key in keys:
            found.append((one, key))
            waiting.append(one[key])
    return found


def any_value(value, chance):
    """Some value, often out of the configuration itself."""
    kind = chance.random()
    if kind < 0.3:
        return chance.choice(NUMBERS)
    if kind < 0.5:
        return chance.choice(TEXTS)
    if kind < 0.6:
        return chance.choice([None, True, False, [], {}, [[]], [None], {"a": 1}])
    if kind < 0.65:
        return chance.choice([[0] * 10_000, "x" * 100_000, [2**30] * 30])
    container, key = chance.choice(places_in(value))
    return json.loads(json.dumps(container[key]))


def changed_config(value, chance):
    """Something in a configuration deleted, replaced, doubled, nested, renamed or swapped."""
    for _ in range(chance.choice([1, 1, 2, 4])):
        places = places_in(value)
        if not places:
            return any_value({"a": 1}, chance)
        container, key = chance.choice(places)
        kind = chance.random()
        if kind < 0.2:
            del container[key]
        elif kind < 0.5:
            container[key] = any_value(value, chance)
        elif kind < 0.6 and isinstance(container, list):
            container.insert(key, json.loads(json.dumps(container[key])))
        elif kind < 0.65:
            for _ in range(chance.choice([1, 5, 50, 150])):
                container[key] = chance.choice([[container[key]], {"config": container[key]}])
        elif kind < 0.75:
            named = [(one, "class_name") for one, name in places if name == "class_name"]
            container, key = chance.choice(named or [(container, key)])
            container[key] = chance.choice(CLASSES)
        elif kind < 0.9:
            other, place = chance.choice(places)
            if json.dumps(other[place]).find(json.dumps(container[key])) < 0:
                other[place], container[key] = json.loads(json.dumps([container[key], other[place]]))
        elif isinstance(container, dict):
            container[chance.choice(TEXTS)] = container.pop(key)
    return value


def changed_json(text, chance):
    """The text of a changed configuration; now and then of changed letters."""
    if chance.random() < 0.15:
        return changed_bytes(text.encode() or b"{}", chance).decode("utf-8", "replace")
    return json.dumps(changed_config(json.loads(text), chance))


# HDF5.


def arrays_and_groups(file):
    found = []
    file.visititems(lambda name, item: found.append(name))
    return found


def other_array(array, chance):
    """An array of another type, shape or content."""
    kind = chance.random()
    if kind < 0.3:
        types = ["f2", "f8", ">f4", "i1", "u8", "?", "S3", "V2", "c8", "f4,i4"]
        return np.zeros(array.shape, chance.choice(types))
    if kind < 0.6:
        shapes = [
            (),
            (0,),
            (1,),
            (7, 3),
            (1, 1, 1, 1),
            (2, 0, 3),
            array.shape[::-1],
            (1000, 100),
            (*array.shape, 1),
        ]
        return np.zeros(chance.choice(shapes), array.dtype)
    if kind < 0.8:
        return np.full(array.shape, chance.choice([np.nan, np.inf, 0, -1, 1e30]), "f4")
    return np.array(chance.choice(["text", "x" * 1000]), object)


def change_item(file, name, chance):
    """One change to a group or array, by h5py."""
    kind, parent = chance.random(), file[name].parent
    new = chance.choice(["0", "vars", "x", "é", f"{name.split('/')[-1]}_1", "\x1b[1m", "layer_names"])
    if kind < 0.15:
        del file[name]
    elif kind < 0.3 and new not in parent:
        file.move(name, f"{parent.name.rstrip('/')}/{new}")
    elif kind < 0.6 and isinstance(file[name], h5py.Dataset):
        array = other_array(np.asarray(file[name][()]), chance)
        del file[name]
        options = {} if chance.random() < 0.7 or array.size < 2 else {"compression": "gzip", "shuffle": True}
        file.create_dataset(
            name, data=array, dtype=h5py.string_dtype() if array.dtype == object else None, **options
        )
    elif kind < 0.75 and new not in parent:
        target = chance.choice(arrays_and_groups(file) or ["/"])
        links = [h5py.SoftLink(f"/{target}"), h5py.ExternalLink("/etc/passwd", "/a"), file[target]]
        parent[new] = chance.choice(links)
    elif kind < 0.85 and new not in parent:
        parent.create_group(new).create_group("vars")
    else:
        change_attribute(file[name], chance)


def change_attribute(item, chance):
    """One change to the attributes of a group or array."""
    names = list(item.attrs)
    value = chance.choice(
        [1, 0.5, True, "x", b"x", [], ["a", "b"], np.array([b"a"]), np.zeros((2, 2)), "y" * 70_000]
    )
    if names and chance.random() < 0.3:
        del item.attrs[chance.choice(names)]
    else:
        item.attrs[chance.choice([*names, "layer_names", "weight_names", "dtype", "new"])] = value


def changed_hdf5(content, chance):
    """A file of which h5py, or the configuration in it, changed something; the checksum is computed anew."""
    held = io.BytesIO(content)
    try:
        change_file(held, chance)
    except (KeyError, OSError, RuntimeError, TypeError, ValueError):
        # HDF5 does not do everything.
        return changed_bytes(content, chance)
    return summed_anew(held.getvalue())


def change_file(held, chance):
    with h5py.File(held, "r+") as file:
        described = [name for name in ("model_config", "training_config") if name in file.attrs]
        if described and chance.random() < 0.5:
            name = chance.choice(described)
            file.attrs[name] = changed_json(str(file.attrs[name]), chance).replace("\0", "0")
        else:
            for _ in range(chance.choice([1, 1, 2, 5])):
                names = arrays_and_groups(file)
                change_item(file, chance.choice(names), chance) if names else None
            if chance.random() < 0.2:
                change_attribute(file, chance)


def summed_anew(content):
    """The file with the checksum that belongs to it, where it has one and can be read."""
    try:
        root = read_tree(content, "")
        told = root.attributes.get(tree.CHECKSUM)
        known = tree.checksum(root) if told is not None else told
    except DoltapError:
        return content
    return content if told is None else content.replace(str(told).encode(), str(known).encode(), 1)


# Archives.


def changed_archive(content, chance):
    """An archive of which a member, or its place in it, changed; all checksums are computed anew."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members, is_ours = {name: archive.read(name) for name in archive.namelist()}, bool(archive.comment)
    kind = chance.random()
    if kind < 0.4:
        members["config.json"] = changed_json(members["config.json"].decode(), chance).encode(
            "utf-8", "replace"
        )
    elif kind < 0.7:
        weights = members["model.weights.h5"]
        change = (
            changed_hdf5 if chance.random() < 0.6 else lambda some, by: summed_anew(changed_bytes(some, by))
        )
        members["model.weights.h5"] = change(weights, chance)
    else:
        change_members(members, chance)
    return packed(members, chance, is_ours=is_ours)


def change_members(members, chance):
    name, kind = chance.choice(list(members)), chance.random()
    if kind < 0.2:
        del members[name]
    elif kind < 0.4:
        members[chance.choice(["x", "config.json/", "assets/a.txt", "../x", "/x", "a\\b", "CONFIG.json"])] = (
            b"x"
        )
    elif kind < 0.6:
        other = chance.choice(list(members))
        members[name], members[other] = members[other], members[name]
    elif kind < 0.8:
        members[name] = members[name][: chance.randrange(len(members[name]) + 1)]
    else:
        members[name] = changed_bytes(members[name], chance)


def packed(members, chance, *, is_ours):
    if is_ours and chance.random() < 0.8:
        place = pathlib.Path(sys.argv[1]) / f"packed-{chance.random()}.zip"
        write_zip(place, members)
        content = place.read_bytes()
        place.unlink()
        return content
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", chance.choice([0, 8])) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return changed_bytes(held.getvalue(), chance) if chance.random() < 0.1 else held.getvalue()


def changed(content, name, number):
    """The change of that number of a file; half of those of HDF5 are of bytes."""
    chance = random.Random(f"{name} {number}")
    if chance.random() < (0.25 if name.endswith(".keras") else 0.4):
        some = changed_bytes(content, chance)
        return summed_anew(some) if not name.endswith(".keras") else some
    return changed_archive(content, chance) if name.endswith(".keras") else changed_hdf5(content, chance)


# The process.


def peak_bytes():
    """The most memory that this process had since the last call."""
    status = pathlib.Path("/proc/self/status").read_text()
    pathlib.Path("/proc/self/clear_refs").write_text("5")
    return 1024 * int(status.split("VmHWM:")[1].split()[0])


def outcome(read):
    """What comes of reading: "result", "error", or what is wrong."""
    peak_bytes()
    before, started = peak_bytes(), time.process_time()
    try:
        read()
        said = "result"
    except DoltapError as error:
        said = "error" if str(error).count("\n") and "\x1b" not in str(error) else f"unfit: {error!r}"
    except Exception:
        said = "foreign: " + " | ".join(traceback.format_exc(limit=-3).splitlines())
    seconds, more = time.process_time() - started, peak_bytes() - before
    if seconds > LONGEST_SECONDS:
        return f"slow: {seconds:.1f} s, then {said}"
    return f"large: {more} bytes, then {said}" if more > MOST_BYTES else said


def main(folder, name, first, last):
    """Read the changes of a file, and say before and after each how it went."""
    import doltap

    # What would need much more than is allowed fails, instead of taking the machine's memory.
    taken = int(pathlib.Path("/proc/self/status").read_text().split("VmData:")[1].split()[0]) * 1024
    resource.setrlimit(resource.RLIMIT_DATA, (taken + 3_000_000_000,) * 2)
    content = (pathlib.Path(folder) / name).read_bytes()
    is_weights = name.endswith(".weights.h5")
    place = pathlib.Path(folder) / f"{first}-{name.replace('/', '-')}"
    place.write_bytes(content)
    model = network(doltap) if is_weights else doltap.models.load_model(place)
    read = model.load_weights if is_weights else doltap.models.load_model
    for number in range(first, last):
        print(number, flush=True)
        place.write_bytes(changed(content, name, number))
        print(outcome(lambda: read(place)), flush=True)
    place.unlink()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
