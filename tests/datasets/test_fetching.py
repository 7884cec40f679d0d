"""A pinned file arrives whole and right, or not at all, whatever the network does.

The server is a real one, on this machine.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from doltap.datasets import fetching
from doltap.errors import DatasetError

# It must not compress, so that half of the answer is many blocks.
CONTENT = random.Random(7).randbytes(1_000_000)
DIGEST = hashlib.sha256(CONTENT).hexdigest()
FILE = fetching.PinnedFile("letters/letters.gz", "letters.gz", len(CONTENT), DIGEST)

# A job in the background of a shell ignores Ctrl-C, and so do its children.
FETCH = """
import signal
import sys
from doltap.datasets import fetching
signal.signal(signal.SIGINT, signal.default_int_handler)
file = fetching.PinnedFile("letters/letters.gz", sys.argv[2], int(sys.argv[3]), sys.argv[4])
print(len(fetching.content_of(file, base_url=sys.argv[1])))
"""


class Answers(BaseHTTPRequestHandler):
    """Good and bad answers, by the name of the file that is asked for."""

    release = threading.Event()

    def do_GET(self) -> None:
        body = gzip.compress(CONTENT, mtime=0)
        name = self.path.rsplit("/", 1)[-1]
        if name == "wrong.gz":
            body = gzip.compress(CONTENT[::-1], mtime=0)
        elif name == "long.gz":
            body = bytes(2 * len(CONTENT))
        elif name not in ("letters.gz", "short.gz", "stalled.gz"):
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2])
        self.wfile.flush()
        if name == "stalled.gz":
            self.release.wait(60)
        if name not in ("short.gz", "stalled.gz"):
            self.wfile.write(body[len(body) // 2 :])

    def log_message(self, *details: object) -> None:
        """Say nothing."""


class QuietServer(ThreadingHTTPServer):
    def handle_error(self, *details: object) -> None:
        """A client that leaves early is what some tests are about."""


@pytest.fixture
def base_url() -> Iterator[str]:
    Answers.release.clear()
    with QuietServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        Answers.release.set()
        server.shutdown()
        thread.join()


def published_as(name: str) -> fetching.PinnedFile:
    return fetching.PinnedFile("letters/letters.gz", name, len(CONTENT), DIGEST)


def put(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


@contextlib.contextmanager
def fetching_elsewhere(base_url: str, name: str = "letters.gz") -> Iterator[subprocess.Popen]:
    """Another process that fetches the file; it is gone when the block ends."""
    arguments = [sys.executable, "-c", FETCH, base_url, name, str(len(CONTENT)), DIGEST]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        try:
            yield child
        finally:
            child.kill()


def wait_until_bytes_arrive(folder: Path, timeout_seconds: float = 30.0) -> None:
    end = time.monotonic() + timeout_seconds
    while not any(path.stat().st_size for path in folder.rglob("*.part")):
        assert time.monotonic() < end, "the download did not begin"
        time.sleep(0.02)


def test_a_file_that_is_nowhere_is_fetched_into_the_cache(empty_machine, base_url):
    assert fetching.content_of(FILE, base_url=base_url) == CONTENT
    assert files_in(empty_machine) == ["letters.gz"]
    assert (empty_machine / "cache/doltap/datasets/letters/letters.gz").is_file()


def test_a_fetched_file_is_found_again_without_the_network(empty_machine, base_url, monkeypatch):
    fetching.content_of(FILE, base_url=base_url)
    monkeypatch.setenv("DOLTAP_OFFLINE", "1")
    assert fetching.content_of(FILE, base_url=base_url) == CONTENT


@pytest.mark.parametrize("folder", ["cache/doltap/datasets", "keras/datasets", "system"])
def test_every_shared_folder_is_searched(empty_machine, monkeypatch, folder):
    monkeypatch.setenv("DOLTAP_OFFLINE", "1")
    put(empty_machine / folder / FILE.name, gzip.compress(CONTENT))
    assert fetching.content_of(FILE) == CONTENT


def test_the_folders_are_searched_in_the_documented_order(empty_machine):
    folders = [folder.relative_to(empty_machine).as_posix() for folder in fetching.shared_folders()]
    assert folders == ["cache/doltap/datasets", "keras/datasets", "system"]


def test_without_variables_the_folders_lie_in_the_home_folder_and_in_usr_share(monkeypatch, tmp_path):
    for name in ("XDG_CACHE_HOME", "KERAS_HOME", "DOLTAP_SYSTEM_DATASETS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert fetching.shared_folders() == [
        tmp_path / ".cache/doltap/datasets",
        tmp_path / ".keras/datasets",
        Path("/usr/share/datasets"),
    ]


def test_how_a_file_was_compressed_does_not_matter(empty_machine, monkeypatch):
    monkeypatch.setenv("DOLTAP_OFFLINE", "1")
    for packed in (gzip.compress(CONTENT, 1, mtime=5), gzip.compress(CONTENT, 9, mtime=6), CONTENT):
        put(empty_machine / "system" / FILE.name, packed)
        assert fetching.content_of(FILE) == CONTENT


@pytest.mark.parametrize("damaged", [b"", CONTENT[:-1], gzip.compress(CONTENT)[:-9], b"\x1f\x8bnonsense"])
def test_a_damaged_file_in_the_cache_is_fetched_again(empty_machine, base_url, damaged):
    path = put(fetching.cache_folder() / FILE.name, damaged)
    assert fetching.content_of(FILE, base_url=base_url) == CONTENT
    assert gzip.decompress(path.read_bytes()) == CONTENT


def test_a_damaged_file_in_keras_cache_is_passed_over_and_left_alone(empty_machine):
    kept = put(empty_machine / "keras/datasets" / FILE.name, b"half a file")
    put(empty_machine / "system" / FILE.name, CONTENT)
    assert fetching.content_of(FILE) == CONTENT
    assert kept.read_bytes() == b"half a file"


def test_offline_a_damaged_file_is_named_in_the_error(empty_machine, monkeypatch):
    path = put(fetching.cache_folder() / FILE.name, CONTENT[:-1])
    monkeypatch.setenv("DOLTAP_OFFLINE", "1")
    with pytest.raises(DatasetError, match="passed over") as caught:
        fetching.content_of(FILE)
    assert str(path) in str(caught.value)
    assert path.read_bytes() == CONTENT[:-1]


def test_offline_the_error_says_which_file_to_put_where(empty_machine, monkeypatch):
    monkeypatch.setenv("DOLTAP_OFFLINE", "1")
    with pytest.raises(DatasetError, match="DOLTAP_OFFLINE is set") as caught:
        fetching.content_of(FILE)
    assert f"{fetching.BASE_URL}letters.gz" in caught.value.parts["fix"]
    assert str(fetching.cache_folder() / FILE.name) in caught.value.parts["fix"]
    assert "DOLTAP_DATASETS" in caught.value.parts["fix"]
    assert files_in(empty_machine) == []


def test_no_network_is_an_error_that_says_what_failed(empty_machine):
    with pytest.raises(DatasetError, match="refused"):
        fetching.content_of(FILE, base_url="http://127.0.0.1:9/")


def test_a_silent_server_is_given_up_after_the_timeout(empty_machine, base_url, monkeypatch):
    monkeypatch.setattr(fetching, "_TIMEOUT_SECONDS", 0.3)
    with pytest.raises(DatasetError, match="timed out"):
        fetching.content_of(published_as("stalled.gz"), base_url=base_url)
    assert files_in(empty_machine) == []


@pytest.mark.parametrize(
    ("name", "reason"),
    [("wrong.gz", "SHA-256"), ("short.gz", "bytes early"), ("long.gz", "longer than"), ("gone.gz", "404")],
)
def test_a_bad_answer_is_refused_and_leaves_nothing(empty_machine, base_url, name, reason):
    with pytest.raises(DatasetError, match=reason):
        fetching.content_of(published_as(name), base_url=base_url)
    assert files_in(empty_machine) == []


def test_a_bad_answer_leaves_the_file_that_was_there(empty_machine, base_url):
    path = put(fetching.cache_folder() / FILE.name, b"what the user may still want to look at")
    with pytest.raises(DatasetError):
        fetching.content_of(published_as("wrong.gz"), base_url=base_url)
    assert path.read_bytes() == b"what the user may still want to look at"


def test_a_cache_that_cannot_be_written_is_an_error_that_says_so(empty_machine, base_url):
    put(empty_machine / "cache", b"a file where the folder should be")
    with pytest.raises(DatasetError, match=r"Not a directory|File exists"):
        fetching.content_of(FILE, base_url=base_url)


def test_a_killed_download_leaves_no_half_file(empty_machine, base_url):
    with fetching_elsewhere(base_url, "stalled.gz") as child:
        wait_until_bytes_arrive(empty_machine)
        child.kill()
    assert not (fetching.cache_folder() / FILE.name).exists()
    assert fetching.content_of(FILE, base_url=base_url) == CONTENT


def test_an_interrupted_download_removes_what_it_wrote(empty_machine, base_url):
    with fetching_elsewhere(base_url, "stalled.gz") as child:
        wait_until_bytes_arrive(empty_machine)
        child.send_signal(signal.SIGINT)
        child.communicate(timeout=30)
    assert files_in(empty_machine) == []


def test_what_killed_downloads_left_is_swept_after_an_hour(empty_machine, base_url):
    folder = fetching.cache_folder() / "letters"
    old = put(folder / ".letters.gz.0123.part", b"old")
    put(folder / ".letters.gz.4567.part", b"somebody is still writing this")
    os.utime(old, (time.time() - 7200,) * 2)
    fetching.content_of(FILE, base_url=base_url)
    assert files_in(folder) == [".letters.gz.4567.part", "letters.gz"]


def test_two_processes_may_fetch_at_once(empty_machine, base_url):
    with fetching_elsewhere(base_url) as first, fetching_elsewhere(base_url) as second:
        outputs = [child.communicate(timeout=60) for child in (first, second)]
    assert [first.returncode, second.returncode] == [0, 0], outputs
    assert [output.strip() for output, _ in outputs] == [str(len(CONTENT))] * 2
    assert files_in(empty_machine) == ["letters.gz"]


def write_and_fail(path: Path) -> None:
    with fetching.whole_file(path) as stream:
        stream.write(b"half")
        raise RuntimeError


def test_a_file_written_aside_replaces_the_old_one_only_when_it_is_whole(tmp_path):
    path = put(tmp_path / "kept", b"old")
    with pytest.raises(RuntimeError):
        write_and_fail(path)
    assert path.read_bytes() == b"old"
    with fetching.whole_file(path) as stream:
        stream.write(b"new")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    assert files_in(tmp_path) == ["kept"]


def test_the_users_own_folder_may_begin_with_a_tilde(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DOLTAP_DATASETS", "~/pictures")
    assert fetching.own_folder() == tmp_path / "pictures"
