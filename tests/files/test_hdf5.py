"""HDF5: what h5py writes is read, what we write h5py reads, and the rest is refused by name."""

import io
import os
import pathlib
import random
import struct
import time
import zipfile

import h5py
import ml_dtypes
import numpy as np
import pytest

from doltap.errors import ModelFileError
from doltap.files.hdf5 import Group, read_hdf5, verify_hdf5, write_hdf5
from doltap.files.zips import read_zip, write_zip

CODES = ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?"]
NAMED = ["bfloat16", "float8_e4m3fn", "float8_e5m2"]


def made(fill, **options):
    """The bytes of a file that h5py writes."""
    content = io.BytesIO()
    with h5py.File(content, "w", **options) as file:
        fill(file)
    return content.getvalue()


def written(root):
    content = io.BytesIO()
    write_hdf5(content, root)
    return content.getvalue()


def plain(value):
    """An attribute of h5py's as ours."""
    if isinstance(value, np.ndarray):
        return [plain(inner) for inner in value.tolist()]
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return value.decode() if isinstance(value, bytes) else value


def assert_same(group, other):
    """Our group holds what h5py finds."""
    assert {name: plain(value) for name, value in other.attrs.items()} == group.attributes
    assert {*other} == {*group.groups, *group.arrays}
    for name, item in other.items():
        if isinstance(item, h5py.Group):
            assert_same(group.groups[name], item)
        else:
            array = np.asarray(item[()]).astype(item.dtype.newbyteorder("="))
            np.testing.assert_array_equal(group.arrays[name], array, strict=True)
            assert not group.arrays[name].flags.writeable


def assert_read(content):
    with h5py.File(io.BytesIO(content)) as file:
        assert_same(read_hdf5(content, "the file"), file)


def refusal(content):
    with pytest.raises(ModelFileError) as caught:
        read_hdf5(content, "the file")
    assert "\x1b" not in str(caught.value)
    return str(caught.value)


@pytest.fixture(scope="module")
def random_state():
    return np.random.default_rng(0)


@pytest.mark.parametrize("num_members", [0, 1, 8, 9, 33, 700])
@pytest.mark.parametrize("is_ordered", [False, True])
@pytest.mark.parametrize("version", [None, "v108", "latest"])
def test_groups_of_every_size_and_version_are_read(num_members, is_ordered, version):
    def fill(file):
        for number in range(num_members):
            name = f"g{number * 7919 % 1000}"
            inner = file.create_group(name, track_order=is_ordered) if number < 40 else file
            inner[f"a{number}"] = np.full(2, number)
        for number in range(min(num_members, 33)):
            file.attrs[f"attribute {number}"] = number

    content = made(fill, libver=version, track_order=is_ordered)
    assert_read(content)
    names = list(read_hdf5(content, "x").groups)
    numbers = [number * 7919 % 1000 for number in range(min(num_members, 40))]
    assert names == [f"g{number}" for number in (numbers if is_ordered else sorted(numbers, key=str))]


@pytest.mark.parametrize("code", [*CODES, ">f4", ">f8", ">i8", ">u2"])
@pytest.mark.parametrize("shape", [(), (0,), (3, 0, 2), (2, 3), (2, 1, 3, 1)])
def test_numbers_of_every_type_and_shape_are_read(code, shape, random_state):
    array = (random_state.normal(size=shape) * 50).astype(code)
    assert_read(made(lambda file: file.create_dataset("a", data=array)))


@pytest.mark.parametrize("version", [None, "latest"])
def test_attributes_of_every_kind_are_read(version):
    def fill(file):
        attributes = file.attrs
        attributes["text"], attributes["empty"], attributes["long"] = "Größe 크기", "", "y" * 200_000
        attributes["bytes"], attributes["fixed"] = b"abc", np.bytes_(b"abc")
        attributes["texts"] = ["a", "", "é" * 1000]
        attributes["fixed texts"] = np.array([b"layer", b"l"])
        attributes["none"], attributes["none of text"] = [], np.array([], "S3")
        attributes["number"], attributes["float"], attributes["yes"] = 3, 0.1, True
        attributes["table"], attributes["no and yes"] = np.arange(6).reshape(2, 3), [False, True]

    assert_read(made(fill, libver=version))


def test_an_attribute_with_nothing_in_it_is_none():
    content = made(lambda file: file.attrs.create("a", h5py.Empty("f4")))
    assert read_hdf5(content, "x").attributes == {"a": None}


@pytest.mark.parametrize(
    "options",
    [
        {"compression": "gzip"},
        {"compression": "gzip", "shuffle": True, "chunks": (5, 3)},
        {"shuffle": True, "chunks": (23, 17)},
        {"chunks": (1, 1), "maxshape": (None, None)},
        {"chunks": (40, 40), "maxshape": (None, None), "compression": "gzip"},
    ],
    ids=str,
)
@pytest.mark.parametrize("code", ["f4", ">f8", "i2", "?"])
def test_arrays_in_pieces_are_read(options, code, random_state):
    array = (random_state.normal(size=(23, 17)) * 9).astype(code)
    assert_read(made(lambda file: file.create_dataset("a", data=array, **options)))


@pytest.mark.parametrize("name", NAMED)
def test_small_floats_are_kept_as_keras_keeps_them(name):
    array = np.array([[1.5, -2.0, 0.25]], getattr(ml_dtypes, name))
    content = written(Group(arrays={"a": array}))
    with h5py.File(io.BytesIO(content)) as file:
        assert file["a"].attrs["dtype"] == name
        assert file["a"].dtype == np.dtype(f"V{array.itemsize}")
        np.testing.assert_array_equal(np.array(file["a"]).view(array.dtype), array)
    np.testing.assert_array_equal(read_hdf5(content, "x").arrays["a"], array, strict=True)


def test_bfloat16_is_read_as_keras_writes_it_with_and_without_its_name():
    array = np.array([1.5, -2.0], ml_dtypes.bfloat16)

    def fill(file):
        file["old"] = array
        file["new"] = array
        file["new"].attrs["dtype"] = "bfloat16"

    for found in read_hdf5(made(fill), "x").arrays.values():
        np.testing.assert_array_equal(found, array, strict=True)


def tree(random_state, num_groups=3, codes=(*CODES, *NAMED)):
    attributes = {
        "text": "é",
        "texts": ["a", "", "b" * 300],
        "number": 3,
        "float": 0.1,
        "yes": True,
        "none": [],
    }
    arrays = {code: (random_state.normal(size=(2, 3)) * 9).astype(code) for code in codes}
    arrays |= {"scalar": np.float32(2) * np.ones(()), "empty": np.zeros((0, 3)), "크기": np.ones(3)}
    groups = {
        f"g{number}": Group({"name": f"g{number}"}, {}, {"0": np.ones(1)}) for number in range(num_groups)
    }
    return Group(attributes, groups, arrays)


@pytest.mark.parametrize("num_groups", [0, 1, 8, 9, 256, 257, 2000])
def test_h5py_reads_what_we_write(num_groups, random_state):
    root = tree(random_state, num_groups)
    content = written(root)
    with h5py.File(io.BytesIO(content)) as file:
        assert len(file.attrs["doltap_checksum"]) == 64
        assert [*file] == sorted([*root.groups, *root.arrays])
        for number in {0, num_groups // 2, num_groups - 1} - {-1} if num_groups else ():
            assert file[f"g{number}"].attrs["name"] == f"g{number}"
            assert file[f"g{number}/0"][()] == 1
        for name, array in root.arrays.items():
            assert file[name].shape == array.shape
            np.testing.assert_array_equal(np.array(file[name]).view(array.dtype), array)
        found = {name: plain(value) for name, value in file.attrs.items()}
    assert found == root.attributes | {"doltap_checksum": found["doltap_checksum"]}
    verify_hdf5(content, root, "x")
    assert read_hdf5(content, "x").attributes == root.attributes


def test_h5py_adds_to_a_file_of_ours(random_state, tmp_path):
    write_hdf5(tmp_path / "a.h5", tree(random_state, 20, CODES))
    with h5py.File(tmp_path / "a.h5", "a") as file:
        del file["g3"], file["f4"], file.attrs["doltap_checksum"]
        for number in range(100):
            file[f"new/{number}"] = np.full(3, number)
    with h5py.File(tmp_path / "a.h5") as file:
        assert_same(read_hdf5(tmp_path / "a.h5", "x"), file)


def test_a_tree_has_one_and_the_same_bytes(random_state):
    root = tree(random_state)
    assert written(root) == written(root)


def test_arrays_in_other_orders_are_written_row_by_row():
    arrays = {
        "columns": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        "steps": np.arange(10)[::3],
        "big": np.arange(6, dtype=">i4"),
    }
    found = read_hdf5(written(Group(arrays=arrays)), "x").arrays
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype.isnative


def test_a_path_makes_the_groups_on_its_way():
    root = Group()
    root.at("layers/dense/vars").arrays["0"] = np.ones(2)
    assert root.groups["layers"].groups["dense"].groups["vars"] is root.at("layers/dense/vars")


@pytest.mark.parametrize(
    ("root", "words"),
    [
        (Group({"a": object()}), "a number"),
        (Group({"a": ["x", 1]}), "a list of one of these"),
        (Group({"a": None}), "a number"),
        (Group({"a": ["x"] * 5000}), "at most 65000 bytes"),
        (Group({"a": "x\0y"}), "a text"),
        (Group(arrays={"a": np.array(["x"])}), "numbers"),
        (Group(arrays={"a": np.array([None])}), "numbers"),
        (Group(arrays={"a": np.ones(1, complex)}), "numbers"),
        (Group(arrays={"a/b": np.ones(1)}), "without '/'"),
        (Group(groups={"..": Group()}), "without '/'"),
        (Group(groups={"a": Group()}, arrays={"a": np.ones(1)}), "each once"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_hdf5_cannot_keep_is_not_written(root, words):
    with pytest.raises(ModelFileError, match=words):
        write_hdf5(io.BytesIO(), root)


@pytest.mark.parametrize("part", ["array", "attribute", "name", "group"])
def test_a_changed_file_is_told_by_its_checksum(part, tmp_path, random_state):
    write_hdf5(tmp_path / "a.h5", tree(random_state))
    with h5py.File(tmp_path / "a.h5", "a") as file:
        if part == "array":
            file["f4"][0, 0] += 1
        elif part == "attribute":
            file.attrs["number"] = 4
        elif part == "name":
            file.move("f4", "f5")
        else:
            file.create_group("more")
    with pytest.raises(ModelFileError, match=r"the checksum differs[\s\S]*damaged"):
        read_hdf5(tmp_path / "a.h5", "x")


def test_every_byte_of_an_array_counts_for_the_checksum():
    content = bytearray(written(Group(arrays={"a": np.arange(1000.0)})))
    for at in random.Random(0).sample(range(96, 96 + 8000), 100):
        content[at] ^= 1
        assert "the checksum differs" in refusal(bytes(content))
        content[at] ^= 1
    read_hdf5(bytes(content), "x")


def test_a_file_that_came_out_otherwise_is_not_verified(random_state):
    root = tree(random_state)
    content = written(root)
    root.arrays["f4"] = root.arrays["f4"] + 1
    with pytest.raises(ModelFileError, match="something else at '/f4'"):
        verify_hdf5(content, root, "x")
    root.groups["more"] = Group()
    with pytest.raises(ModelFileError, match="something else at"):
        verify_hdf5(content, root, "x")


# What is refused: one file for each.


def soft_link(file):
    file["a/b"] = np.ones(3)
    file["link"] = h5py.SoftLink("/a/b")


def external_link(file):
    file["link"] = h5py.ExternalLink("/etc/passwd", "/")


def cycle(file):
    file["a/b"] = np.ones(3)
    file["a/c"] = file["/"]


def second_name(file):
    file["a"] = np.ones(3)
    file["b"] = file["a"]


def named_type(file):
    file["type"] = np.dtype("f4")


def use_of_a_named_type(file):
    file["type"] = np.dtype("f4")
    file.create_dataset("a", data=np.ones(3, "f4"), dtype=file["type"])


def attribute_of_a_named_type(file):
    file["type"] = np.dtype("f4")
    file.attrs.create("a", 1.0, dtype=file["type"])


def external_storage(file):
    file.create_dataset("a", (3,), "u1", external=[("/etc/passwd", 0, 3)])


def virtual(file):
    layout = h5py.VirtualLayout((3,), "f4")
    layout[:] = h5py.VirtualSource("/etc/passwd", "a", (3,))
    file.create_virtual_dataset("a", layout)


def object_reference(file):
    file.create_dataset("a", data=np.array([file.ref], h5py.ref_dtype), dtype=h5py.ref_dtype)


def reference_in_an_attribute(file):
    file.attrs["a"] = file.ref


def region_reference(file):
    file["a"] = np.ones(3)
    file.create_dataset("b", data=np.array([file["a"].regionref[0:1]], h5py.regionref_dtype))


def compound(file):
    file["a"] = np.zeros(2, [("x", "f4"), ("y", "i4")])


def compound_in_an_attribute(file):
    file.attrs["a"] = np.zeros(2, [("x", "f4"), ("y", "i4")])


def opaque(file):
    file["a"] = np.zeros(2, "V5")


def texts(file):
    file["a"] = ["x", "y"]


def fixed_texts(file):
    file["a"] = np.array([b"x", b"y"])


def varying_lengths(file):
    data = file.create_dataset("a", (2,), h5py.vlen_dtype("f4"))
    data[0] = [1, 2]


def names_for_numbers(file):
    file.create_dataset("a", (2,), h5py.enum_dtype({"NO": 0, "YES": 1}, "i1"))


def arrays_as_elements(file):
    file.create_dataset("a", (2,), np.dtype("(3,)f4"))


def complex_numbers(file):
    file["a"] = np.ones(2, complex)


def long_floats(file):
    file["a"] = np.ones(2, np.longdouble)


def empty_array(file):
    file["a"] = h5py.Empty("f4")


def never_written(file):
    file.create_dataset("a", (1000,), "f4")


def missing_pieces(file):
    file.create_dataset("a", (100,), "f4", chunks=(10,))[:10] = 1


def shape_bomb(file):
    file.create_dataset("a", (1 << 20, 1 << 20), "f4", chunks=(1024, 1024), compression="gzip")


def unpacking_bomb(file):
    pieces = file.create_dataset("a", (80, 1 << 18), "f4", chunks=(1, 1 << 18), compression="gzip")
    pieces[...] = 0


def deep(file):
    for _ in range(200):
        file = file.create_group("g")


def other_filter(file):
    file.create_dataset("a", data=np.ones(100), chunks=(10,), fletcher32=True)


def plug_in(file):
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_chunk((10,))
    properties.set_filter(32001, h5py.h5z.FLAG_OPTIONAL, (1, 2))
    space = h5py.h5s.create_simple((100,))
    h5py.h5d.create(file.id, b"a", h5py.h5t.IEEE_F32LE, space, properties)


def newer_pieces(file):
    file.create_dataset("a", data=np.ones(100), chunks=(10,))


REFUSED = {
    soft_link: "'link' in '/', a soft link: /a/b",
    external_link: "a link into another file",
    cycle: "'/a/c', which is a second name",
    second_name: "'/b', which is a second name",
    named_type: "neither a group nor an array",
    use_of_a_named_type: "named type",
    attribute_of_a_named_type: "named type",
    external_storage: "'/a', whose numbers are in another file",
    virtual: "virtual data set",
    object_reference: "object references in '/a'",
    reference_in_an_attribute: "object references in '/@a'",
    region_reference: "object references in '/b'",
    compound: "records of several fields",
    compound_in_an_attribute: "records of several fields",
    opaque: "opaque bytes",
    texts: "holds no numbers",
    fixed_texts: "holds no numbers",
    varying_lengths: "arrays of varying length",
    names_for_numbers: "names for numbers",
    arrays_as_elements: "arrays as elements",
    # HDF5 2 has a type for them, before that they were records.
    complex_numbers: "in '/a'",
    long_floats: "unusual form",
    empty_array: "holds no numbers",
    never_written: "says it has 4000 bytes and has 0",
    missing_pieces: "1 of its 10 pieces",
    shape_bomb: "would need 4398046511104 bytes",
    unpacking_bomb: "would need 83886080 bytes",
    deep: "groups 101 deep",
    other_filter: "filter 3 (fletcher32)",
    plug_in: "filter 32001 (blosc)",
}


@pytest.mark.parametrize("attack", REFUSED, ids=lambda attack: attack.__name__)
@pytest.mark.parametrize("version", [None, "v108"])
def test_what_models_do_not_need_is_refused_by_name(attack, version):
    content = made(attack, libver=version)
    started = time.perf_counter()
    said = refusal(content)
    assert time.perf_counter() - started < 5
    assert REFUSED[attack] in said
    assert "refused" in said or "filters as code" in said


def test_pieces_listed_in_the_newest_way_are_told_apart():
    said = refusal(made(newer_pieces, libver="latest"))
    assert "1.10 and later" in said
    assert "libver" in said


def test_names_and_targets_are_escaped_for_the_terminal():
    said = refusal(
        made(lambda file: file.create_group("\x1b[31mred").__setitem__("x", h5py.SoftLink("/\x07")))
    )
    assert "\\x1b[31mred" in said
    assert "\\x07" in said


def patched(content, old, new):
    assert content.count(old) == 1
    return content.replace(old, new)


def test_names_that_lead_elsewhere_are_refused():
    content = made(lambda file: file.create_group("abc"))
    for name in (b"../", b"..\0", b"a/b", b"\0bc", b".\0c"):
        assert "as a name" in refusal(patched(content, b"abc\0", name + b"\0"))


def test_two_things_of_one_name_are_refused():
    content = made(lambda file: [file.create_group("abc"), file.create_group("abd")])
    assert "two things called '/abc'" in refusal(patched(content, b"abd\0", b"abc\0"))


def test_a_list_of_names_that_goes_round_in_circles_comes_to_an_end():
    content = bytearray(made(lambda file: file.create_group("abc")))
    node = content.index(b"TREE")
    # The node is said to be one of level 1 whose only child is itself.
    content[node + 5] = 1
    struct.pack_into("<Q", content, node + 32, node)
    assert "circles" in refusal(bytes(content))


def test_headers_that_go_on_in_themselves_come_to_an_end():
    content = bytearray(made(lambda file: file.attrs.create("a", "x" * 100)))
    header = struct.unpack_from("<Q", content, 64)[0]
    # The first message says that the header goes on where this message is.
    struct.pack_into("<HHB3xQQ", content, header + 16, 0x10, 16, 0, header + 16, 24)
    struct.pack_into("<H", content, header + 2, 65535)
    assert "circles" in refusal(bytes(content))


def test_overlapping_arrays_are_refused():
    def fill(file):
        for name, length in {"a": 10_000, "b": 10, "c": 10, "d": 10}.items():
            file[name] = np.full(length, 7.0)

    content = bytearray(made(fill))
    layouts = [at for at in range(len(content)) if content.startswith(b"\3\1", at)]
    large = next(at for at in layouts if content.startswith(struct.pack("<Q", 80_000), at + 10))
    small = [at for at in layouts if content.startswith(struct.pack("<Q", 80), at + 10)]
    for at in small:
        # The small arrays get the shape and the place of the large one.
        content[at : at + 18] = content[large : large + 18]
        header = content[at - 120 : at].replace(struct.pack("<Q", 10), struct.pack("<Q", 10_000))
        content[at - 120 : at] = header
    assert len(small) == 3
    assert "overlap" in refusal(bytes(content))


@pytest.mark.parametrize("size", [0, 1, 7, 8, 95, 96, 800, -1])
def test_files_that_were_cut_off_are_told(size, random_state):
    content = written(tree(random_state))
    said = refusal(content[:size])
    assert "an empty file" in said if size == 0 else "HDF5 file" in said


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x89PNG\r\n\x1a\n", "a picture (PNG)"),
        (b"PK\3\4rest", "a zip archive"),
        (b"\x80\x04\x95pickle", "a pickle"),
        (b"version https://git-lfs.github.com/spec/v1", "git lfs pull"),
        (b"<!DOCTYPE html>", "a web page"),
        (b"hello there", "begins with b'hello th'"),
        (b" " * 512 + b"\x89HDF\r\n\x1a\n", "begins with"),
    ],
)
def test_other_files_are_called_what_they_are(content, words):
    assert words in refusal(content)


def test_missing_files_folders_and_closed_files_each_have_a_sentence(tmp_path):
    (tmp_path / "model.weights.h5").write_bytes(b"")
    for path, words in [
        (tmp_path / "mdel.weights.h5", "Did you mean 'model.weights.h5'"),
        (tmp_path / "no" / "m.h5", "no folder"),
        (tmp_path, "a folder"),
        (tmp_path / "model.weights.h5", "an empty file"),
        (tmp_path / ("x" * 300), "too long"),
        ("/dev/zero", "a pipe or device"),
    ]:
        with pytest.raises(ModelFileError, match=words):
            read_hdf5(path, str(path))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are pipes under names only on Unix")
def test_a_pipe_does_not_hang_the_reader(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ModelFileError, match="a pipe or device"):
        read_hdf5(tmp_path / "pipe", "x")


def mutated(content, generator):
    """The bytes with some of them changed, as disks, wires and attackers do."""
    changed = bytearray(content)
    for _ in range(generator.choice([1, 1, 2, 4, 16])):
        size = len(changed)
        at, kind = generator.randrange(size), generator.random()
        if kind < 0.4:
            changed[at] = generator.choice([0, 1, 127, 128, 255, generator.randrange(256)])
        elif kind < 0.6:
            changed[at] ^= 1 << generator.randrange(8)
        elif kind < 0.8:
            number = generator.choice(
                [0, (1 << 64) - 1, generator.randrange(size), 1 << generator.randrange(64)]
            )
            changed[at & ~7 : (at & ~7) + 8] = struct.pack("<Q", number)
        else:
            length, source = generator.choice([4, 8, 32, 128]), generator.randrange(size)
            changed[at : at + length] = changed[source : source + length]
    return bytes(changed)


def many_forms(file):
    """A small file with all the forms that are read."""
    file.attrs["texts"], file.attrs["fixed"] = ["a", "b"], np.array([b"a", b"bc"])
    file.create_dataset(
        "packed", data=np.arange(40.0).reshape(4, 10), chunks=(2, 5), compression="gzip", shuffle=True
    )
    for number in range(12):
        file[f"g/{number}"] = np.arange(4, dtype="f4")


@pytest.mark.parametrize("version", [None, "v108"])
@pytest.mark.parametrize("is_ordered", [False, True])
def test_changed_bytes_end_in_a_result_or_a_sentence(version, is_ordered):
    content = made(many_forms, libver=version, track_order=is_ordered)
    generator = random.Random(0)
    results = 0
    for _ in range(1000):
        started = time.perf_counter()
        try:
            read_hdf5(mutated(content, generator), "x")
            results += 1
        except ModelFileError:
            pass
        assert time.perf_counter() - started < 5
    assert 0 < results < 1000


def test_reading_needs_no_h5py(tmp_path):
    source = pathlib.Path(__file__).parents[2] / "src" / "doltap" / "files"
    assert not [path for path in source.rglob("*.py") if "import h5py" in path.read_text()]


def small(keras, dtype):
    """A small network of Keras, ready to train."""
    model = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(4, dtype=dtype), keras.layers.Dense(2, dtype="float16")]
    )
    model.compile("adam", "mse")
    model.optimizer.build(model.trainable_variables)
    return model


def assert_same_weights(one, other):
    for here, there in zip(one.variables, other.variables, strict=True):
        assert np.asarray(here).tobytes() == np.asarray(there).tobytes()


# Keras 3.15 cannot read the bfloat16 that it writes into models of Keras 2.
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "dtype"), [("a.h5", "float64"), ("a.weights.h5", "bfloat16")])
def test_keras_reads_its_file_again_as_we_wrote_it(name, dtype, keras, tmp_path):
    model, other = small(keras, dtype), small(keras, dtype)
    (model.save if name == "a.h5" else model.save_weights)(tmp_path / name)
    root = read_hdf5(tmp_path / name, name)
    write_hdf5(tmp_path / name, root)
    verify_hdf5(tmp_path / name, root, name)
    if name == "a.h5":
        other = keras.models.load_model(tmp_path / name, compile=False)
    else:
        other.load_weights(tmp_path / name)
    assert_same_weights(other, model)


@pytest.mark.filterwarnings("ignore")
def test_keras_reads_an_archive_of_ours_with_its_checksum(keras, tmp_path):
    model = small(keras, "bfloat16")
    model.save(tmp_path / "a.keras")
    members = read_zip(tmp_path / "a.keras")
    root = read_hdf5(members["model.weights.h5"], "x")
    write_zip(tmp_path / "a.keras", {**members, "model.weights.h5": lambda file: write_hdf5(file, root)})
    with zipfile.ZipFile(tmp_path / "a.keras") as archive:
        assert archive.comment.startswith(b"doltap ")
    other = keras.models.load_model(tmp_path / "a.keras")
    assert_same_weights(other, model)
    assert_same_weights(other.optimizer, model.optimizer)
