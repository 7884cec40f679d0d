"""Archives: those of zipfile and Keras are read, others read ours, and the rest is refused by name."""

import io
import os
import random
import struct
import zipfile

import numpy as np
import pytest

from doltap.errors import ModelFileError
from doltap.files.hdf5 import Group, read_hdf5, write_hdf5
from doltap.files.zips import read_zip, verify_zip, views_of_zip, write_zip

MEMBERS = {
    "metadata.json": b"{}",
    "config.json": b'{"a": 1}' * 100,
    "model.weights.h5": bytes(range(256)) * 40,
    "assets/layers/string_lookup/vocabulary.txt": "하나\n".encode(),
}


def made(members=MEMBERS, **options):
    """The bytes of an archive that zipfile writes; a member may come with its own ZipInfo."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", **options) as archive:
        for name, inside in members.items():
            archive.writestr(name, inside)
    return content.getvalue()


def refusal(source, what="model.keras"):
    with pytest.raises(ModelFileError) as caught:
        read_zip(source, what)
    assert "\x1b" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_archives_of_others_are_read(method, tmp_path):
    (tmp_path / "a.keras").write_bytes(made(compression=method))
    assert read_zip(tmp_path / "a.keras") == MEMBERS
    assert read_zip(made(compression=method)) == MEMBERS
    assert [*read_zip(made())] == [*MEMBERS]


def test_members_of_unknown_size_are_read():
    """As zipfile writes to what it cannot go back in, such as a network connection."""

    class OneWay(io.RawIOBase):
        def __init__(self):
            self.content = bytearray()

        def writable(self):
            return True

        def write(self, some):
            self.content += some
            return len(some)

    file = OneWay()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in MEMBERS.items():
            archive.writestr(name, content)
    assert read_zip(bytes(file.content)) == MEMBERS


def test_folders_in_an_archive_are_passed_over():
    assert read_zip(made({"assets/": b"", "assets/a.txt": b"a"})) == {"assets/a.txt": b"a"}


def test_an_archive_without_members_is_empty():
    assert read_zip(made({})) == {}


def test_our_archives_are_read_by_others(tmp_path):
    write_zip(tmp_path / "a.zip", MEMBERS)
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == MEMBERS
    assert read_zip(tmp_path / "a.zip") == MEMBERS


def test_the_same_members_are_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        write_zip(tmp_path / name, MEMBERS)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_member_may_be_written_by_a_function(tmp_path):
    root = Group(arrays={"a": np.arange(1000.0)})
    members = {**MEMBERS, "model.weights.h5": lambda file: write_hdf5(file, root)}
    write_zip(tmp_path / "a.zip", members)
    found = verify_zip(tmp_path / "a.zip", members, "a.zip")
    np.testing.assert_array_equal(read_hdf5(found["model.weights.h5"], "x").arrays["a"], root.arrays["a"])
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert archive.testzip() is None


def test_an_archive_that_came_out_otherwise_is_not_verified(tmp_path):
    write_zip(tmp_path / "a.zip", MEMBERS)
    for other in ({**MEMBERS, "config.json": b"{}"}, {**MEMBERS, "more": b""}, {"metadata.json": b"{}"}):
        with pytest.raises(ModelFileError, match="something else as"):
            verify_zip(tmp_path / "a.zip", other, "a.zip")


def test_changed_members_are_told_by_the_checksum(tmp_path):
    write_zip(tmp_path / "a.zip", MEMBERS)
    with zipfile.ZipFile(tmp_path / "a.zip", "a") as archive:
        archive.writestr("more.txt", b"more")
    said = refusal(tmp_path / "a.zip")
    assert "the checksum differs" in said
    assert "zip -z" in said


def test_a_repacked_archive_of_ours_keeps_its_checksum(tmp_path):
    write_zip(tmp_path / "a.zip", MEMBERS)
    with zipfile.ZipFile(tmp_path / "a.zip") as archive, zipfile.ZipFile(tmp_path / "b.zip", "w", 8) as other:
        for name in reversed(archive.namelist()):
            other.writestr(name, archive.read(name))
        other.comment = archive.comment
    assert read_zip(tmp_path / "b.zip") == MEMBERS


@pytest.mark.parametrize("place", range(0, 100, 9))
def test_damaged_members_are_told_as_damage(place):
    content = bytearray(made())
    at = content.index(MEMBERS["config.json"]) + place
    content[at] ^= 1
    said = refusal(bytes(content))
    assert "'config.json' with other bytes than were put in it" in said
    assert "damaged" in said


def member(name="a", content=b"x", **facts):
    """An archive with one member of which the directory, and what stands before it, say something unusual."""
    info = zipfile.ZipInfo(name)
    for fact, value in facts.items():
        setattr(info, fact, value)
    return made({info: content})


def patched_twice(content, at_entry, at_head, layout, value):
    """The archive with a number changed where the directory and where the member tell it."""
    changed = bytearray(content)
    struct.pack_into(layout, changed, changed.index(b"PK\1\2") + at_entry, value)
    if at_head is not None:
        struct.pack_into(layout, changed, changed.index(b"PK\3\4") + at_head, value)
    return bytes(changed)


def encrypted():
    return patched_twice(member(), 8, 6, "<H", 1)


def packed_by(method):
    return patched_twice(member(), 10, 8, "<H", method)


def bomb():
    return made({"config.json": bytes(100 << 20)}, compression=zipfile.ZIP_DEFLATED)


def many_bombs():
    return made({str(number): bytes(8 << 20) for number in range(10)}, compression=zipfile.ZIP_DEFLATED)


def declared_larger():
    return patched_twice(made({"a": b"x" * 1000}, compression=8), 24, 22, "<I", 1 << 31)


def declared_smaller():
    return patched_twice(made({"a": b"x" * 1000}, compression=8), 24, 22, "<I", 10)


def overlapping():
    """Two members that share their bytes, as in the bombs of David Fifield."""
    content = bytearray(made({"a": b"x" * 100, "b": b"x" * 100}))
    second = content.rindex(b"PK\1\2")
    struct.pack_into("<I", content, second + 42, 0)
    return bytes(content)


def two_names():
    content = made({"config.json": b"{}"})
    return content.replace(b"config.json", b"konfig.json", 1)


def two_methods():
    content = bytearray(made({"a": b"x" * 1000}, compression=8))
    struct.pack_into("<H", content, 8, 0)
    return bytes(content)


def two_sums():
    content = bytearray(made())
    struct.pack_into("<I", content, 14, 7)
    return bytes(content)


def something_before():
    return b"PK\3\4 and more" + made()


def something_behind():
    return made() + b"more"


def hole():
    """Bytes between the members and the directory, which nobody sees."""
    content = bytearray(made())
    start = struct.unpack_from("<I", content, len(content) - 6)[0]
    content[start:start] = b"hidden"
    return bytes(content)


def too_many():
    return made({str(number): b"" for number in range(10_001)})


def twice():
    content = made({"config.json": b"{}", "konfig.json": b"[]"})
    return content.replace(b"konfig", b"config")


def in_parts():
    content = bytearray(made())
    struct.pack_into("<H", content, len(content) - 18, 1)
    return bytes(content)


def link():
    return member("weights.h5", b"/etc/passwd", external_attr=0o120777 << 16)


def device():
    return member(external_attr=0o060777 << 16)


REFUSED = {
    encrypted: "'a', which is encrypted",
    bomb: "'config.json' of 104857600 bytes",
    many_bombs: "8388608 bytes",
    declared_larger: "'a' of 2147483648 bytes",
    declared_smaller: "longer than the 10 bytes it says",
    overlapping: "begins where another member is",
    two_names: "says two different things",
    two_methods: "says two different things",
    two_sums: "says two different things",
    something_before: "damaged",
    something_behind: "something behind its end",
    hole: "between its parts",
    too_many: "10001 members",
    twice: "two members of one name, 'config.json' and 'config.json'",
    in_parts: "in several parts",
    link: "'weights.h5', which is no file but a link",
    device: "a link or a device",
}


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("attack", REFUSED, ids=lambda attack: attack.__name__)
def test_what_models_do_not_need_is_refused_by_name(attack):
    assert REFUSED[attack] in refusal(attack())


@pytest.mark.parametrize("method", [9, 12, 14, 93, 99, 3])
def test_other_ways_of_packing_are_refused(method):
    assert "packed by" in refusal(packed_by(method))


@pytest.mark.parametrize(
    "name",
    [
        "../config.json",
        "assets/../../config.json",
        "..",
        "/etc/passwd",
        "C:/windows",
        "C:evil",
        "a\\..\\b",
        "\\\\server\\share",
        "a//b",
        "./a",
        "a/./b",
        "a ",
        " /a",
        "\x1b[31m",
        "a\nb",
        "\u202egpj.exe",
        "x" * 2000,
    ],
)
def test_names_that_lead_elsewhere_are_refused(name):
    content = made({"N" * len(name.encode()): b"x"})
    raw = name.encode()
    changed = content.replace(b"N" * len(raw), raw)
    if not name.isascii():
        changed = patched_twice(changed, 8, 6, "<H", 0x800)
    assert "a name" in refusal(changed)


@pytest.mark.parametrize(
    ("one", "other"), [("a.json", "A.JSON"), ("é.txt", "e\u0301.txt"), ("ﬁ.txt", "fi.txt"), ("ß", "ss")]
)
def test_names_that_some_disks_take_for_one_are_refused(one, other):
    assert "two members of one name" in refusal(made({one: b"", other: b""}))


@pytest.mark.parametrize("size", [*range(1, 40, 7), 1000, -1, -22, -30])
def test_archives_that_were_cut_off_are_told(size):
    said = refusal(made()[:size])
    assert "damaged" in said or "came over whole" in said


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "an empty file"),
        (b"\x89PNG\r\n", "a picture"),
        (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
        (b"{}", "JSON"),
    ],
)
def test_other_files_are_called_what_they_are(content, words):
    assert words in refusal(content)


def test_missing_files_and_folders_each_have_a_sentence(tmp_path):
    (tmp_path / "model.keras").write_bytes(made())
    for path, words in [
        (tmp_path / "modell.keras", "Did you mean 'model.keras'"),
        (tmp_path / "no" / "model.keras", "no folder"),
        (tmp_path, "a folder"),
        (tmp_path / "model.keras" / "a", "a file among them"),
        (tmp_path / "a\0b", "null"),
    ]:
        assert words in refusal(path, str(path))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_files_that_may_not_be_read_have_a_sentence(tmp_path):
    (tmp_path / "model.keras").write_bytes(made())
    (tmp_path / "model.keras").chmod(0)
    assert "no permission" in refusal(tmp_path / "model.keras")


def test_members_cannot_be_written_to(tmp_path):
    (tmp_path / "a.keras").write_bytes(made())
    with pytest.raises(TypeError):
        views_of_zip(tmp_path / "a.keras")["config.json"][0] = 1


def test_changed_bytes_end_in_a_result_or_a_sentence():
    generator = random.Random(0)
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        content = made(compression=method)
        results = 0
        for _ in range(1000):
            changed = bytearray(content)
            # Most bytes that count are in the directory at the end.
            first = generator.choice([0, content.index(b"PK\1\2")])
            for _ in range(generator.choice([1, 2, 8])):
                changed[generator.randrange(first, len(changed))] = generator.choice(
                    [0, 1, 255, generator.randrange(256)]
                )
            try:
                assert {*read_zip(bytes(changed)).values()} <= {*MEMBERS.values()}
                results += 1
            except ModelFileError:
                pass
        assert 0 < results < 1000
