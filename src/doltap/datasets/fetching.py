"""The file of a data set is looked for in a few folders, and fetched when it is in none.

Content from a cache, from the system's folder or from the network has its
pinned SHA-256 or is not used; files in `$DOLTAP_DATASETS` are the user's own
and are taken as they are.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import http.client
import os
import secrets
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from doltap.errors import DatasetError, printable

__all__ = [
    "BASE_URL",
    "PinnedFile",
    "cache_folder",
    "check_online",
    "content_of",
    "download",
    "own_content",
    "own_files",
    "own_folder",
    "reason",
    "receive",
    "shared_folders",
    "whole_file",
]

BASE_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
_TIMEOUT_SECONDS = 10.0
_LEFTOVER_SECONDS = 3600.0
_BLOCK_BYTES = 1 << 16


@dataclass(frozen=True)
class PinnedFile:
    """A published file, and what must be in it.

    The content of a compressed file is what it unpacks to: Debian's copies
    differ from the published ones in the gzip header and in nothing else.

    Args:
        name: its place in a folder of data sets, such as "mnist.npz".
        published_name: its name at the address it is fetched from.
        num_bytes: length of its content, or a little more.
        digest: SHA-256 of its content, or the MD5 where only that was published, in hexadecimal.
        stays_packed: whether the content is the file as it lies there, packed or not.
        other_names: under which other programs keep it in their folders.
    """

    name: str
    published_name: str
    num_bytes: int
    digest: str
    stays_packed: bool = False
    other_names: tuple[str, ...] = ()


def own_folder() -> Path | None:
    """The user's own folder of data sets, `$DOLTAP_DATASETS`, or None."""
    named = os.environ.get("DOLTAP_DATASETS")
    return Path(named).expanduser() if named else None


def cache_folder() -> Path:
    """The folder that downloads go to: `doltap/datasets` in the user's cache."""
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser() / "doltap" / "datasets"


def shared_folders() -> list[Path]:
    """Where a pinned file is looked for, in order: our cache, Keras's, the system's.

    `$DOLTAP_SYSTEM_DATASETS` takes the place of the folder in which Debian's
    packages lay data sets, `/usr/share/datasets`.
    """
    keras = Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser() / "datasets"
    system = Path(os.environ.get("DOLTAP_SYSTEM_DATASETS") or "/usr/share/datasets").expanduser()
    return [cache_folder(), keras, system]


def own_files(names: Sequence[str], subfolders: Sequence[str]) -> list[Path] | None:
    """The user's own files of these names, plain or `.gz`, or None if there are none.

    Taken from the first of the subfolders of `$DOLTAP_DATASETS` that has any
    of them. Having only some is an error: mixing one's own images with
    published labels would train on nonsense.
    """
    root = own_folder()
    if root is None:
        return None
    for subfolder in subfolders:
        paths = [_plain_or_packed(root / subfolder / name) for name in names]
        found = [path for path in paths if path is not None]
        if len(found) == len(names):
            return found
        if found:
            raise DatasetError(
                f"the data set in '{root / subfolder}'",
                expected=f"the files {', '.join(names)}, each plain or .gz",
                got=f"only {', '.join(path.name for path in found)}",
                fix="Add what is missing, or unset DOLTAP_DATASETS to use the published data.",
            )
    return None


def own_content(path: Path) -> bytes:
    """What one of the user's own files holds, unpacked if it is a gzip file."""
    try:
        with path.open("rb") as stream:
            return _unpack(stream)
    except (OSError, EOFError, zlib.error) as error:
        raise DatasetError(
            f"file '{path}'",
            expected="a file that can be read and, if it is gzip, unpacked",
            got=reason(error),
            fix="Put a whole file there, or unset DOLTAP_DATASETS to use the published data.",
        ) from error


def content_of(file: PinnedFile, *, base_url: str = BASE_URL) -> bytes:
    """The content of a pinned file, fetched if no shared folder has it.

    A damaged copy is passed over. The one in our own cache is replaced by the
    download; a copy that belongs to Keras or to the system is left alone.
    """
    passed_over = []
    for path in [folder / name for folder in shared_folders() for name in (file.name, *file.other_names)]:
        try:
            with path.open("rb") as stream:
                return _verified(stream, file)
        except FileNotFoundError:
            continue
        except (OSError, EOFError, zlib.error) as error:
            passed_over.append(f"; '{path}' was passed over ({reason(error)})")
    try:
        return download(file, cache_folder(), base_url=base_url)
    except (OSError, EOFError, zlib.error, http.client.HTTPException) as error:
        raise _not_to_be_had(file, base_url, reason(error) + "".join(passed_over)) from error


def download(file: PinnedFile, folder: Path, *, base_url: str = BASE_URL) -> bytes:
    """The content of a pinned file, once the whole of it lies in `folder`.

    Raises what the network, the disk or the check of the digest raised; the
    file that was there before, if any, is then still there.
    """
    check_online()
    with whole_file(folder / file.name) as stream:
        # A packed file is never much longer than its content.
        receive(base_url + file.published_name, stream, file.num_bytes + _BLOCK_BYTES)
        stream.seek(0)
        return _verified(stream, file)


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A new file that appears at `path` all at once when the block ends without an error.

    Until then it is written aside, in the same folder, so that a killed
    process leaves what was there, and two writers cannot mix.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _sweep(path)
    aside = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    try:
        with aside.open("x+b") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def _sweep(path: Path) -> None:
    """Remove what killed writers of `path` left aside, and nobody has written to for an hour."""
    for leftover in path.parent.glob(f".{path.name}.*.part"):
        with contextlib.suppress(OSError):
            if time.time() - leftover.stat().st_mtime > _LEFTOVER_SECONDS:
                leftover.unlink()


def check_online() -> None:
    """Raise an OSError if the user wants nothing fetched: `$DOLTAP_OFFLINE`."""
    if os.environ.get("DOLTAP_OFFLINE", "0") not in ("", "0"):
        raise OSError("not downloaded because DOLTAP_OFFLINE is set")


def receive(url: str, stream: BinaryIO, most_bytes: int | None = None) -> None:
    """Write what `url` answers to `stream`, with a progress bar on standard error."""
    request = urllib.request.Request(url, headers={"User-Agent": "doltap"})
    with contextlib.closing(_open(request)) as response, _progress() as progress:
        task = progress.add_task(url.rsplit("/", 1)[-1], total=response.length)
        while block := response.read(_BLOCK_BYTES):
            stream.write(block)
            progress.advance(task, len(block))
            if most_bytes is not None and stream.tell() > most_bytes:
                raise OSError(f"the answer is longer than the published {most_bytes} bytes")
        # A connection that closes early ends the reading without an error.
        if response.length:
            raise OSError(f"the connection closed {response.length} bytes early")


def _open(request: urllib.request.Request) -> http.client.HTTPResponse:
    try:
        response: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS)
    except urllib.error.HTTPError as error:
        # The error holds the open connection.
        error.close()
        raise OSError(f"the server answered {error.code} {error.reason}") from None
    return response


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True))


def _verified(stream: BinaryIO, file: PinnedFile) -> bytes:
    content = stream.read(file.num_bytes + 1) if file.stays_packed else _unpack(stream, file.num_bytes + 1)
    kind = "MD5" if len(file.digest) == 32 else "SHA-256"
    digest = hashlib.sha256(content) if kind == "SHA-256" else hashlib.md5(content, usedforsecurity=False)
    if digest.hexdigest() != file.digest:
        raise OSError(f"damaged: its {kind} is not the published one")
    return content


def _unpack(stream: BinaryIO, most_bytes: int = -1) -> bytes:
    is_packed = stream.read(2) == b"\x1f\x8b"
    stream.seek(0)
    if not is_packed:
        return stream.read(most_bytes)
    with gzip.GzipFile(fileobj=stream, mode="rb") as unpacked:
        return unpacked.read(most_bytes)


def _plain_or_packed(path: Path) -> Path | None:
    candidates = (path, path.with_name(f"{path.name}.gz"))
    return next((candidate for candidate in candidates if candidate.is_file()), None)


def reason(error: Exception) -> str:
    """An error in a few words: what the operating system or the network said."""
    inner = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
    return printable(getattr(inner, "strerror", None) or inner) or type(error).__name__


def _not_to_be_had(file: PinnedFile, base_url: str, got: str) -> DatasetError:
    folders = ", ".join(f"'{folder}'" for folder in shared_folders())
    return DatasetError(
        f"data set file '{file.name}'",
        expected=f"to find it in $DOLTAP_DATASETS, {folders}, or to download it",
        got=got,
        fix=f"Put {base_url}{file.published_name} at '{cache_folder() / file.name}', "
        "or set DOLTAP_DATASETS to a folder that holds the data set.",
    )
