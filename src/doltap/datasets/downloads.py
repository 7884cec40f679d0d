"""`get_file`: a file of the network, once on this disk, and unpacked where that is asked for.

A file is there as a whole or not at all. An archive is unpacked as a whole or
not at all, and nothing of it can land outside its folder.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import os
import secrets
import shutil
import stat
import tarfile
import urllib.parse
import urllib.request
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, NamedTuple

from doltap.datasets import fetching
from doltap.errors import DatasetError, printable
from doltap.registry import explained

__all__ = ["DownloadError", "get_file"]

# No file of these kinds unpacks to more, honestly packed: deflate's best is 1032 to 1.
_BEST_RATIO = 1100
_SPARE_BYTES = 1 << 20
_BLOCK_BYTES = 1 << 16
_FORMATS = ("tar", "zip")


class DownloadError(DatasetError, ValueError):
    """A file cannot be fetched, is not the one that was meant, or is no archive that may be unpacked."""


@explained
def get_file(
    fname: str | os.PathLike[str] | None = None,
    origin: str | None = None,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: str = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: str | Sequence[str] | None = "auto",
    cache_dir: str | os.PathLike[str] | None = None,
    force_download: bool = False,
) -> str:
    """The path of a file that is fetched if it is not there, or of the folder it was unpacked to, as Keras 3.

    A file of this name in `$DOLTAP_DATASETS` is taken instead of the network's.

    Args:
        fname: its name on this disk; None for the last part of the address.
        origin: its address: http://, https:// or file://.
        untar: an older word for `extract`.
        md5_hash: an older word for `file_hash`.
        file_hash: what its SHA-256 or MD5 has to be, in hexadecimal.
        cache_subdir: the folder in `cache_dir`, or an absolute one.
        hash_algorithm: "md5", "sha256", or "auto", which goes by the length.
        extract: whether it is unpacked; then the folder is what you get.
        archive_format: "tar", "zip", several of them, "auto" for both, None for none.
        cache_dir: `$KERAS_HOME` or `~/.keras` where None.
        force_download: whether it is fetched although it is there.

    Raises:
        DownloadError: there is no such file to be had, it is another one, or it may not be unpacked.
    """
    if origin is None:
        raise DownloadError(
            "get_file",
            expected="origin=, the address",
            got="None",
            fix='For example "https://host/data.csv".',
        )
    folder = _folder(cache_dir, cache_subdir)
    name = _checked_name(os.fspath(fname) if fname is not None else _last_part(origin))
    unpacks = extract or untar
    archive, opened = folder / name, folder / f"{name.partition('.')[0]}_extracted"
    if unpacks and (fname is None or "." not in name):
        archive, opened = folder / f"{name}_archive", folder / name
    digest = _Digest.of(file_hash or md5_hash, hash_algorithm)
    is_new = force_download or not archive.is_file() or not digest.fits(archive)
    if is_new:
        _fetch(archive, name, origin, digest)
    if not unpacks:
        return str(archive)
    if is_new or not opened.is_dir():
        _unpack(archive, opened, _formats(archive_format))
    return str(opened)


def _folder(cache_dir: Any, cache_subdir: str) -> Path:
    usual = os.environ.get("KERAS_HOME") or "~/.keras"
    return Path(cache_dir or usual).expanduser() / cache_subdir


def _last_part(origin: str) -> str:
    return urllib.parse.unquote(urllib.parse.urlsplit(origin).path).rpartition("/")[2]


def _checked_name(name: str) -> str:
    if name in ("", ".", "..") or "/" in name or os.sep in name or "\0" in name:
        raise DownloadError(
            "get_file(fname)",
            expected="the name of a file, without its folder",
            got=repr(printable(name)),
            fix="The folder is cache_dir= and cache_subdir=.",
        )
    return name


# The right file.


class _Digest(NamedTuple):
    """What a file's digest has to be; any will do where it is empty."""

    wanted: str
    kind: str

    @classmethod
    def of(cls, wanted: str | None, algorithm: str) -> _Digest:
        if algorithm not in ("auto", "md5", "sha256"):
            raise DownloadError(
                "get_file(hash_algorithm)",
                expected='"md5", "sha256" or "auto"',
                got=repr(algorithm),
                fix='"auto" goes by the length of file_hash.',
            )
        is_long = algorithm == "sha256" or (algorithm == "auto" and len(wanted or "") == 64)
        return cls((wanted or "").lower(), "sha256" if is_long else "md5")

    def found(self, stream: BinaryIO) -> str:
        digest = hashlib.sha256() if self.kind == "sha256" else hashlib.md5(usedforsecurity=False)
        while block := stream.read(_BLOCK_BYTES):
            digest.update(block)
        return digest.hexdigest()

    def fits(self, path: Path) -> bool:
        if not self.wanted:
            return True
        with path.open("rb") as stream:
            return self.found(stream) == self.wanted


def _fetch(path: Path, name: str, origin: str, digest: _Digest) -> None:
    """Put the file there; what was there before stays if it cannot be had."""
    try:
        with fetching.whole_file(path) as stream:
            _source(name, origin)(stream)
            stream.seek(0)
            found = digest.found(stream) if digest.wanted else ""
            if found != digest.wanted:
                raise _other_file(name, origin, digest, found)
    except DownloadError:
        raise
    except (OSError, EOFError, ValueError, http.client.HTTPException) as error:
        raise DownloadError(
            f"file '{name}'",
            expected=f"to find it at {path}, or to fetch it from {origin}",
            got=fetching.reason(error),
            fix=f"Put it at '{path}', or into a folder that DOLTAP_DATASETS names.",
        ) from error


def _source(name: str, origin: str) -> Callable[[BinaryIO], None]:
    """What writes the file's bytes: from the user's own folder, from this disk or from the network."""
    own = fetching.own_folder()
    if own is not None and (own / name).is_file():
        return lambda stream: _copy(own / name, stream)
    address = urllib.parse.urlsplit(origin)
    if address.scheme == "file" and address.netloc in ("", "localhost"):
        return lambda stream: _copy(Path(urllib.request.url2pathname(address.path)), stream)
    if address.scheme not in ("http", "https"):
        raise DownloadError(
            "get_file(origin)",
            expected="an address that begins with https://, http:// or file:///",
            got=repr(printable(origin)),
            fix="A file on this disk needs no get_file: use its path.",
        )
    fetching.check_online()
    return lambda stream: fetching.receive(origin, stream)


def _copy(path: Path, stream: BinaryIO) -> None:
    with path.open("rb") as source:
        shutil.copyfileobj(source, stream)


def _other_file(name: str, origin: str, digest: _Digest, found: str) -> DownloadError:
    kind = {"md5": "MD5", "sha256": "SHA-256"}[digest.kind]
    return DownloadError(
        f"file '{name}' from {origin}",
        expected=f"the {kind} {printable(digest.wanted)}",
        got=found,
        fix="It is another file than the program was written for, or damaged; nothing was kept of it.",
    )


# Unpacking.


def _formats(archive_format: Any) -> list[str]:
    if archive_format is None:
        return []
    named = [archive_format] if isinstance(archive_format, str) else list(archive_format)
    wanted = list(_FORMATS) if "auto" in named else named
    if unknown := [each for each in wanted if each not in _FORMATS]:
        raise DownloadError(
            "get_file(archive_format)",
            expected='"tar", "zip", "auto" or None',
            got=repr(unknown[0]),
            fix="tar files may be packed by gzip, bzip2 or xz.",
        )
    return wanted


def _unpack(archive: Path, folder: Path, formats: Sequence[str]) -> None:
    """Unpack a whole archive to a folder that was not there, or in the place of it."""
    kind: Callable[[Path], Iterator[tuple[str, BinaryIO | None]]] | None = None
    if "tar" in formats and tarfile.is_tarfile(archive):
        kind = _members_of_tar
    elif "zip" in formats and zipfile.is_zipfile(archive):
        kind = _members_of_zip
    if kind is None:
        raise _refused(archive, f"an archive ({' or '.join(formats) or 'none is allowed'})", "none")
    aside = folder.with_name(f".{folder.name}.{secrets.token_hex(8)}.part")
    aside.mkdir()
    room = archive.stat().st_size * _BEST_RATIO + _SPARE_BYTES
    try:
        for name, content in kind(archive):
            room -= _write_member(archive, aside, name, content, room)
        if folder.is_dir():
            shutil.rmtree(folder)
        aside.replace(folder)
    except (OSError, EOFError, RuntimeError, tarfile.TarError, zipfile.BadZipFile, zlib.error) as error:
        if isinstance(error, DatasetError):
            raise
        raise _refused(archive, "an archive that can be unpacked", fetching.reason(error)) from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _members_of_zip(archive: Path) -> Iterator[tuple[str, BinaryIO | None]]:
    with zipfile.ZipFile(archive) as file:
        for member in file.infolist():
            kind = stat.S_IFMT(member.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise _refused(
                    archive, "files and folders", f"'{printable(member.filename)}', a link or device"
                )
            if member.is_dir():
                yield member.filename, None
                continue
            with file.open(member) as content:
                yield member.filename, content


def _members_of_tar(archive: Path) -> Iterator[tuple[str, BinaryIO | None]]:
    with tarfile.open(archive) as file:
        for member in file:
            if not (member.isreg() or member.isdir()):
                raise _refused(archive, "files and folders", f"'{printable(member.name)}', a link or device")
            yield member.name, file.extractfile(member) if member.isreg() else None


def _write_member(archive: Path, root: Path, name: str, content: BinaryIO | None, room: int) -> int:
    """Write one file or folder of an archive below `root`; its length, and what its name takes."""
    path = PurePosixPath(name.replace("\\", "/"))
    has_drive = any(":" in part for part in path.parts[:1])
    if path.is_absolute() or has_drive or ".." in path.parts or "\0" in name:
        raise _refused(archive, "names inside its folder", f"'{printable(name)}'")
    target = root.joinpath(*path.parts)
    if content is None:
        target.mkdir(parents=True, exist_ok=True)
        return len(name)
    target.parent.mkdir(parents=True, exist_ok=True)
    num_bytes = len(name)
    with contextlib.closing(content), target.open("wb") as stream:
        while block := content.read(_BLOCK_BYTES):
            num_bytes += len(block)
            if num_bytes > room:
                raise _refused(archive, f"at most {_BEST_RATIO} times its own size", "more")
            stream.write(block)
    return num_bytes


def _refused(archive: Path, expected: str, got: str) -> DownloadError:
    return DownloadError(
        f"archive '{archive}'",
        expected=expected,
        got=got,
        fix="Nothing of it was unpacked. If you trust it, unpack it yourself beside the file.",
    )
