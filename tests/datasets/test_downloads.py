"""`get_file`: the right file or none, unpacked into its own folder or not at all."""

from __future__ import annotations

import hashlib
import io
import stat
import tarfile
import threading
import zipfile
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import doltap
from doltap.compat import keras_things
from doltap.datasets import downloads
from doltap.datasets.downloads import DownloadError
from doltap.errors import UnknownArgumentError

get_file = downloads.get_file
TEXT = b"a,b\n1,2\n"


def zip_of(path: Path, members: dict[str, bytes]) -> str:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path.as_uri()


def tar_of(path: Path, members: dict[str, bytes], mode: str = "w:gz") -> str:
    with tarfile.open(path, mode) as file:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            file.addfile(member, io.BytesIO(content))
    return path.as_uri()


def names_below(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def published(empty_machine) -> Path:
    folder = empty_machine / "published"
    folder.mkdir()
    (folder / "table.csv").write_bytes(TEXT)
    return folder


@pytest.fixture
def address(published):
    class Answers(SimpleHTTPRequestHandler):
        def __init__(self, *given):
            super().__init__(*given, directory=str(published))

        def log_message(self, *details):
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_a_file_is_fetched_once_into_keras_folder(empty_machine, published, address, monkeypatch):
    path = get_file("mine.csv", f"{address}table.csv")
    assert path == str(empty_machine / "keras/datasets/mine.csv")
    assert Path(path).read_bytes() == TEXT
    monkeypatch.setenv("DOLTAP_OFFLINE", "1")
    assert get_file("mine.csv", f"{address}table.csv") == path
    assert names_below(empty_machine / "keras") == ["datasets/mine.csv"]
    with pytest.raises(DownloadError, match=r"DOLTAP_OFFLINE is set.\n  Put it at .*other\.csv"):
        get_file("other.csv", f"{address}table.csv")


def test_the_door_has_it_and_knows_its_keywords():
    assert doltap.utils.get_file is get_file
    with pytest.raises(UnknownArgumentError, match="extract="):
        get_file("a", "file:///a", extrat=True)


@pytest.mark.parametrize(
    ("cache_dir", "cache_subdir", "place"),
    [("a", "datasets", "a/datasets"), ("a", "", "a"), ("a", "b/c", "a/b/c")],
)
def test_the_folder_is_the_one_that_was_named(tmp_path, published, cache_dir, cache_subdir, place):
    origin = (published / "table.csv").as_uri()
    path = get_file(origin=origin, cache_dir=tmp_path / cache_dir, cache_subdir=cache_subdir)
    assert path == str(tmp_path / place / "table.csv")


def test_a_file_of_the_users_own_is_taken_before_the_network(empty_machine, published, monkeypatch):
    monkeypatch.setenv("DOLTAP_DATASETS", str(published))
    monkeypatch.setenv("DOLTAP_OFFLINE", "1")
    assert Path(get_file("table.csv", "https://nowhere.invalid/table.csv")).read_bytes() == TEXT


@pytest.mark.parametrize("kind", ["md5", "sha256"])
def test_another_file_than_the_one_meant_is_refused_and_not_kept(empty_machine, published, kind):
    origin, right = (published / "table.csv").as_uri(), hashlib.new(kind, TEXT).hexdigest()
    path = Path(get_file("a.csv", origin, file_hash=right.upper(), hash_algorithm=kind))
    (published / "table.csv").write_bytes(b"damaged")
    assert get_file("a.csv", origin, file_hash=right) == str(path)
    path.write_bytes(b"half")
    with pytest.raises(DownloadError, match=rf"expected the .* {right}, got"):
        get_file("a.csv", origin, file_hash=right)
    assert path.read_bytes() == b"half"
    assert names_below(path.parent) == ["a.csv"]


def test_force_download_fetches_again(empty_machine, published):
    origin = (published / "table.csv").as_uri()
    path = Path(get_file("a.csv", origin))
    (published / "table.csv").write_bytes(b"new")
    assert Path(get_file("a.csv", origin)).read_bytes() == TEXT
    assert Path(get_file("a.csv", origin, force_download=True)).read_bytes() == path.read_bytes() == b"new"


@pytest.mark.parametrize(
    ("name", "folder"),
    [("s.zip", "s_extracted"), ("s.csv.zip", "s_extracted"), ("s", "s"), (None, "x.zip")],
)
def test_an_archive_is_unpacked_where_keras_3_unpacks_it(empty_machine, published, name, folder):
    origin = zip_of(published / "x.zip", {"a/b.txt": TEXT, "c.txt": b"c"})
    path = get_file(name, origin, extract=True)
    assert path == str(empty_machine / "keras/datasets" / folder)
    assert names_below(Path(path)) == ["a/b.txt", "c.txt"]


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_tar_files_of_all_packings_are_unpacked(empty_machine, published, mode):
    origin = tar_of(published / "x.tar", {"a/b.txt": TEXT}, mode)
    path = get_file("x.tar", origin, untar=True)
    assert (Path(path) / "a/b.txt").read_bytes() == TEXT


@pytest.mark.parametrize("make", [zip_of, tar_of])
@pytest.mark.parametrize("name", ["../out.txt", "/out.txt", "a/../../out.txt", "..\\out.txt", "c:/out.txt"])
def test_an_archive_with_names_outside_its_folder_is_refused(empty_machine, published, make, name):
    origin = make(published / "x.zip", {"good.txt": b"good", name: b"bad"})
    before = names_below(empty_machine)
    with pytest.raises(DownloadError, match="expected names inside its folder, got"):
        get_file("x.zip", origin, extract=True)
    assert names_below(empty_machine) == sorted([*before, "keras/datasets/x.zip"])


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_a_tar_file_with_links_or_devices_is_refused(empty_machine, published, kind):
    path = published / "x.tar"
    with tarfile.open(path, "w") as file:
        member = tarfile.TarInfo("a")
        member.type, member.linkname = kind, "/etc/passwd"
        file.addfile(member)
    with pytest.raises(DownloadError, match="'a', a link or device"):
        get_file("x.tar", path.as_uri(), untar=True)


def test_a_zip_file_with_links_is_refused(empty_machine, published):
    link = zipfile.ZipInfo("a")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(published / "x.zip", "w") as file:
        file.writestr(link, "/etc/passwd")
    with pytest.raises(DownloadError, match="'a', a link or device"):
        get_file("x.zip", (published / "x.zip").as_uri(), extract=True)


def test_a_small_archive_cannot_fill_the_disk(empty_machine, published, monkeypatch):
    monkeypatch.setattr(downloads, "_BEST_RATIO", 2)
    monkeypatch.setattr(downloads, "_SPARE_BYTES", 0)
    origin = zip_of(published / "x.zip", {"a": bytes(100_000)})
    with pytest.raises(DownloadError, match="at most 2 times its own size"):
        get_file("x.zip", origin, extract=True)
    assert names_below(empty_machine / "keras") == ["datasets/x.zip"]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"origin": None}, "origin="),
        ({"origin": "gopher://x/y"}, "https://"),
        ({"fname": "a/b.csv"}, "without its folder"),
        ({"fname": ".."}, "without its folder"),
        ({"hash_algorithm": "crc"}, "sha256"),
        ({"extract": True}, r"an archive \(tar or zip\), got none"),
        ({"extract": True, "archive_format": "rar"}, "'rar'"),
        ({"extract": True, "archive_format": None}, "none is allowed"),
        ({"origin": "file:///nowhere/at.all"}, "No such file"),
    ],
)
def test_what_cannot_be_is_said(empty_machine, published, settings, said):
    with pytest.raises(DownloadError, match=said):
        get_file(**{"origin": (published / "table.csv").as_uri(), "fname": "t.csv", **settings})


# As programs call it.


@pytest.mark.parametrize("way", ["beside", "inside", "with_name"])
def test_programs_for_keras_2_and_3_find_the_files_of_an_archive(empty_machine, published, way):
    origin = zip_of(published / "pets.zip", {"pets/a.csv": TEXT, "note.txt": b"n"})
    path = Path(keras_things.get_file("pets.zip", origin, extract=True))
    found = {"beside": path.parent / "pets", "inside": path / "pets", "with_name": path.with_name("pets")}
    assert (found[way] / "a.csv").read_bytes() == TEXT


def test_the_ending_of_a_packed_table_can_be_taken_away(empty_machine, published):
    origin = zip_of(published / "t.zip", {"jena.csv": TEXT})
    path = Path(keras_things.get_file("jena.csv.zip", origin, extract=True))
    assert path.with_suffix("").read_bytes() == TEXT


def test_a_program_may_name_the_whole_path(tmp_path, published):
    origin = (published / "table.csv").as_uri()
    path = tmp_path / "content" / "mine.csv"
    assert keras_things.get_file(str(path), origin) == str(path)
    assert path.read_bytes() == TEXT
