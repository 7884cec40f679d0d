"""Files that are whole or not there, whatever happens on the way."""

import errno
import os
import pathlib
import re
import signal
import stat
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from doltap.errors import DoltapError, ModelFileError
from doltap.files.hdf5 import Group, read_hdf5, write_hdf5
from doltap.files.writing import write_aside

UNIX = pytest.mark.skipif(os.name != "posix", reason="as Unix has it")
IS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


def writer(content):
    return lambda path: path.write_bytes(content)


def failing(error):
    """Writes a part, then fails."""

    def write(path):
        path.write_bytes(b"half")
        raise error

    return write


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_new_file_is_made_and_nothing_else(tmp_path):
    write_aside(tmp_path / "a.h5", writer(b"new"))
    assert (tmp_path / "a.h5").read_bytes() == b"new"
    assert names(tmp_path) == ["a.h5"]


def test_a_file_that_is_there_is_replaced(tmp_path):
    (tmp_path / "a.h5").write_bytes(b"old and longer")
    write_aside(str(tmp_path / "a.h5"), writer(b"new"))
    assert (tmp_path / "a.h5").read_bytes() == b"new"


def test_the_old_file_is_there_until_the_new_one_is_whole(tmp_path):
    (tmp_path / "a.h5").write_bytes(b"old")

    def look(path):
        assert path.parent == tmp_path
        assert path.read_bytes() == b"new"
        assert (tmp_path / "a.h5").read_bytes() == b"old"

    write_aside(tmp_path / "a.h5", writer(b"new"), look)
    assert (tmp_path / "a.h5").read_bytes() == b"new"


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), RuntimeError("x"), ValueError("x"), SystemExit(1)], ids=repr
)
@pytest.mark.parametrize("when", ["writing", "verifying"])
def test_whatever_is_raised_leaves_the_old_file(error, when, tmp_path):
    (tmp_path / "a.h5").write_bytes(b"old")
    write, verify = (failing(error), None) if when == "writing" else (writer(b"new"), failing(error))
    with pytest.raises(type(error)):
        write_aside(tmp_path / "a.h5", write, verify)
    assert (tmp_path / "a.h5").read_bytes() == b"old"
    assert names(tmp_path) == ["a.h5"]


def test_our_own_errors_pass_as_they_are(tmp_path):
    error = DoltapError("a layer", expected="b", got="c", fix="d")
    with pytest.raises(DoltapError, match="a layer") as caught:
        write_aside(tmp_path / "a.h5", failing(error))
    assert caught.value is error


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "room on the disk"),
        (errno.EDQUOT, "your share"),
        (errno.EROFS, "can only be read"),
        (errno.EIO, "an error of the disk"),
        (errno.EACCES, "permission"),
        (errno.EBUSY, re.escape(os.strerror(errno.EBUSY))),
    ],
)
def test_each_failure_of_the_disk_has_its_sentence(number, words, tmp_path):
    (tmp_path / "a.h5").write_bytes(b"old")
    with pytest.raises(ModelFileError, match=words) as caught:
        write_aside(tmp_path / "a.h5", failing(OSError(number, os.strerror(number))))
    assert "What was there before is as it was." in str(caught.value)
    assert isinstance(caught.value.__cause__, OSError)
    assert (tmp_path / "a.h5").read_bytes() == b"old"
    assert names(tmp_path) == ["a.h5"]


def test_paths_that_lead_nowhere_each_have_a_sentence(tmp_path):
    (tmp_path / "file").write_bytes(b"old")
    (tmp_path / "folder").mkdir()
    for path, words in [
        (tmp_path / "no" / "a.h5", "no such folder"),
        (tmp_path / "folder", "a folder"),
        (tmp_path / "file" / "a.h5", "a file among them"),
        (tmp_path / ("x" * 300), "too long"),
    ]:
        with pytest.raises(ModelFileError, match=words):
            write_aside(path, writer(b"new"))
    assert names(tmp_path) == ["file", "folder"]
    assert names(tmp_path / "folder") == []


@UNIX
def test_links_in_a_circle_have_a_sentence(tmp_path):
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with pytest.raises(ModelFileError, match="in a circle"):
        write_aside(tmp_path / "a", writer(b"new"))


@UNIX
def test_a_link_stays_and_what_it_leads_to_is_replaced(tmp_path):
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "model.h5").write_bytes(b"old")
    (tmp_path / "near.h5").symlink_to("far/model.h5")
    write_aside(tmp_path / "near.h5", writer(b"new"))
    assert (tmp_path / "near.h5").is_symlink()
    assert (tmp_path / "far" / "model.h5").read_bytes() == b"new"
    assert names(tmp_path) == ["far", "near.h5"]


@UNIX
def test_a_link_to_nothing_yet_makes_the_file(tmp_path):
    (tmp_path / "near.h5").symlink_to("model.h5")
    write_aside(tmp_path / "near.h5", writer(b"new"))
    assert (tmp_path / "model.h5").read_bytes() == b"new"


@UNIX
def test_the_permissions_of_the_old_file_are_kept(tmp_path):
    path = tmp_path / "a.h5"
    path.write_bytes(b"old")
    path.chmod(0o640)
    seen = []
    write_aside(path, lambda aside: seen.append(stat.S_IMODE(aside.stat().st_mode)))
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert seen == [0o640]


@UNIX
@pytest.mark.parametrize("mask", [0o022, 0o077])
def test_a_new_file_has_the_permissions_that_the_user_gives_new_files(mask, tmp_path):
    before = os.umask(mask)
    try:
        write_aside(tmp_path / "a.h5", writer(b"new"))
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.h5").stat().st_mode) == 0o666 & ~mask


def run(code, *arguments, **options):
    environment = {**os.environ, "PYTHONPATH": str(pathlib.Path(__file__).parents[2] / "src")}
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True, text=True, env=environment, **options,
    )  # fmt: skip


SAVE = """
import pathlib, sys
from doltap.errors import ModelFileError
from doltap.files.writing import write_aside
try:
    write_aside(sys.argv[1], lambda path: path.write_bytes(b"x" * int(sys.argv[2])))
except ModelFileError as error:
    print(error)
"""


@UNIX
@pytest.mark.parametrize("closed", ["file", "folder"])
def test_without_permission_nothing_changes(closed, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a.h5").write_bytes(b"old")
    (folder / "a.h5").chmod(0o444 if closed == "file" else 0o666)
    folder.chmod(0o777 if closed == "file" else 0o555)
    for parent in [tmp_path, *tmp_path.parents][:3] if IS_ROOT else ():
        parent.chmod(parent.stat().st_mode | 0o055)
    # Root may write everywhere, so it becomes nobody.
    no_root = "import os\nos.geteuid() or os.setuid(65534)\n"
    found = run(SAVE.replace("try:", f"{no_root}try:"), folder / "a.h5", 3)
    folder.chmod(0o777)
    assert "expected permission to write there" in found.stdout, found.stderr
    assert (folder / "a.h5").read_bytes() == b"old"
    assert names(folder) == ["a.h5"]


@UNIX
def test_a_file_above_the_limit_of_the_user_changes_nothing(tmp_path):
    (tmp_path / "a.h5").write_bytes(b"old")
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
    found = run(limit + SAVE, tmp_path / "a.h5", 100_000)
    assert "a limit below it" in found.stdout, found.stderr
    assert (tmp_path / "a.h5").read_bytes() == b"old"
    assert names(tmp_path) == ["a.h5"]


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 200 kB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(disk)]
    if not IS_ROOT or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("needs to mount a file system")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_keeps_the_old_file(small_disk):
    def save(size):
        root = Group({}, {}, {"a": np.arange(size, dtype="f4")})
        write_aside(small_disk / "a.h5", lambda path: write_hdf5(path, root))

    save(1000)
    with pytest.raises(ModelFileError, match=r"expected room on the disk, got none[\s\S]*as it was"):
        save(1_000_000)
    assert len(read_hdf5(small_disk / "a.h5", "x").arrays["a"]) == 1000
    assert names(small_disk) == ["a.h5"]
    save(2000)


def test_a_disk_that_can_only_be_read_has_its_sentence(small_disk):
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(ModelFileError, match="can only be read"):
        write_aside(small_disk / "a.h5", writer(b"new"))


HANG = """
import pathlib, sys, time
from doltap.files.writing import write_aside
def write(path):
    path.write_bytes(b"half")
    print(path.name, flush=True)
    time.sleep(60)
write_aside(sys.argv[1], write)
"""


def started(path):
    """A process that is in the middle of writing the file."""
    environment = {**os.environ, "PYTHONPATH": str(pathlib.Path(__file__).parents[2] / "src")}
    process = subprocess.Popen(
        [sys.executable, "-c", HANG, str(path)], stdout=subprocess.PIPE, env=environment
    )
    process.stdout.readline()
    return process


def ended(process, number):
    process.send_signal(number)
    process.stdout.close()
    return process.wait()


@UNIX
def test_what_a_killed_writer_left_is_gone_after_the_next_save(tmp_path):
    (tmp_path / "a.h5").write_bytes(b"old")
    (tmp_path / ".a.h5.notes.part").write_bytes(b"somebody's")
    (tmp_path / ".b.h5.1.part").write_bytes(b"another's")
    assert ended(started(tmp_path / "a.h5"), signal.SIGKILL) == -signal.SIGKILL
    assert (tmp_path / "a.h5").read_bytes() == b"old"
    assert len(names(tmp_path)) == 4
    write_aside(tmp_path / "a.h5", writer(b"new"))
    assert names(tmp_path) == [".a.h5.notes.part", ".b.h5.1.part", "a.h5"]


@UNIX
def test_what_a_living_writer_works_on_stays(tmp_path):
    process = started(tmp_path / "a.h5")
    write_aside(tmp_path / "a.h5", writer(b"new"))
    assert len(names(tmp_path)) == 2
    ended(process, signal.SIGKILL)


@UNIX
def test_ctrl_c_leaves_nothing_behind(tmp_path):
    process = started(tmp_path / "a.h5")
    # In a background job of a shell Python does not listen to Ctrl-C.
    if ended(process, signal.SIGINT) == 1 or process.returncode == -signal.SIGINT:
        assert names(tmp_path) == []


@UNIX
@pytest.mark.parametrize("pause", [0.0, 0.01, 0.03, 0.1])
def test_killed_at_any_moment_the_old_file_or_the_new_one_is_there(pause, tmp_path):
    code = """
import sys, numpy as np
from doltap.files.hdf5 import Group, verify_hdf5, write_hdf5
from doltap.files.writing import write_aside
path, number = sys.argv[1], 0
while True:
    root = Group({"number": number}, {}, {"a": np.full(100_000, number, "f4")})
    write_aside(path, lambda aside: write_hdf5(aside, root), lambda aside: verify_hdf5(aside, root, "x"))
    if number == 0:
        print("begun", flush=True)
    number += 1
"""
    environment = {**os.environ, "PYTHONPATH": str(pathlib.Path(__file__).parents[2] / "src")}
    path = tmp_path / "a.h5"
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, env=environment
    )
    process.stdout.readline()
    time.sleep(pause)
    ended(process, signal.SIGKILL)
    found = read_hdf5(path, "x")
    assert (found.arrays["a"] == found.attributes["number"]).all()


def test_many_writers_of_one_file_do_not_meet(tmp_path):
    errors = []

    def save(number):
        try:
            for _ in range(100):
                write_aside(tmp_path / "a.h5", writer(bytes([number]) * 1000))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=save, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    content = (tmp_path / "a.h5").read_bytes()
    assert content == content[:1] * 1000
    assert names(tmp_path) == ["a.h5"]


@pytest.mark.parametrize("name", ["x" * 250, "크" * 80, "a b.h5", "-rf", ".hidden"])
def test_any_name_that_the_disk_takes_is_written(name, tmp_path):
    write_aside(tmp_path / name, writer(b"new"))
    assert names(tmp_path) == [name]


def test_a_name_from_outside_is_escaped(tmp_path):
    with pytest.raises(ModelFileError) as caught:
        write_aside(tmp_path / "\x1b[31m" / "a.h5", writer(b"new"))
    assert "\x1b" not in str(caught.value)
