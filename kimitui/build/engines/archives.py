"""Directories and files as tar streams, which is how they travel to a daemon and back."""

from __future__ import annotations

import io
import os
import tarfile
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

_BUFFER_BYTES = 1 << 20


@contextmanager
def packed(entries: Iterable[tuple[str, Path]]) -> Iterator[IO[bytes]]:
    """A stream with the files and whole directories of `entries`, each under a name; everything belongs to root.

    It is made while it is read, so that no copy is on the disk. A name "." is the directory that it is unpacked in.
    Raises what went wrong with reading the files when the block ends, OSError mostly.
    """
    read_end, write_end = os.pipe()
    failures: list[BaseException] = []

    def write() -> None:
        try:
            with (
                os.fdopen(write_end, "wb", _BUFFER_BYTES) as pipe,
                tarfile.open(None, "w|", pipe, _BUFFER_BYTES) as archive,
            ):
                for name, path in entries:
                    archive.add(path, name, filter=_owned_by_root)
        except BrokenPipeError:
            pass  # nobody reads any more, and whoever did knows why
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=write, name="pack", daemon=True)
    with os.fdopen(read_end, "rb", _BUFFER_BYTES) as stream:
        thread.start()
        yield cast("IO[bytes]", stream)
    thread.join()
    if failures:
        raise failures[0]


def unpack(chunks: Iterable[bytes], directory: Path) -> None:
    """Unpack a tar stream, which has one directory at its top, so that `directory` is that one.

    Modes, times and links stay as they are; everything belongs to who runs this. Raises tarfile.TarError for what is
    no archive or reaches out of `directory`.
    """
    with tarfile.open(fileobj=_Chunks(chunks), mode="r|", bufsize=_BUFFER_BYTES) as archive:
        archive.extractall(directory, _inner(archive), filter=_as_it_is)


def unpack_root(chunks: Iterable[bytes], root: Path) -> None:
    """Unpack a tar stream with a root file system: it belongs to who runs this; nothing is a device or sets ids.

    Raises tarfile.TarError for what is no archive or reaches out of `root`.
    """
    with tarfile.open(fileobj=_Chunks(chunks), mode="r|", bufsize=_BUFFER_BYTES) as archive:
        archive.extractall(root, (member for member in archive if _is_kept(member)), filter=_plain)


def _is_kept(member: tarfile.TarInfo) -> bool:
    top, _, below = member.name.removeprefix("./").partition("/")
    return not member.isdev() and not (below and top in ("dev", "proc", "sys")) and top != ".dockerenv"


def _plain(member: tarfile.TarInfo, directory: str) -> tarfile.TarInfo:
    plain = tarfile.tar_filter(member, directory)
    return plain.replace(uid=os.geteuid(), gid=os.getegid(), uname="", gname="", deep=False)


def _owned_by_root(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


def _inner(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """What is in the directory at the top, seen from there."""
    for member in archive:
        _, _, member.name = member.name.rstrip("/").partition("/")
        if member.islnk():
            member.linkname = member.linkname.partition("/")[2]
        if member.name:
            yield member


def _as_it_is(member: tarfile.TarInfo, directory: str) -> tarfile.TarInfo:
    tarfile.tar_filter(member, directory)  # refuses what reaches out; what it returns has lost some bits of the mode
    return member.replace(uid=os.geteuid(), gid=os.getegid(), uname="", gname="", deep=False)


class _Chunks(io.RawIOBase):
    """Pieces of bytes as a file to read from."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._rest = b""

    def read(self, size: int = -1) -> bytes:
        """As many bytes as are wanted, fewer at the end."""
        pieces, wanted = [self._rest], size - len(self._rest)
        while wanted > 0 and (chunk := next(self._chunks, b"")):
            pieces.append(chunk)
            wanted -= len(chunk)
        joined = b"".join(pieces)
        self._rest = joined[size:]
        return joined[:size]
