"""The user's own files: a directory on the host as an archive that is laid over the root file system.

The archive depends on names, content, links and the modes of the files, and on nothing else, so it can be part of a
step's key.
"""

from __future__ import annotations

import io
import os
import stat
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kimitui.errors import Location, MachineError, PresetError

_MODE = 0o755  # no set-user-ID or sticky bits, and only the owner may write
_LIMIT_BYTES = 512_000_000  # it is held in memory


@dataclass(frozen=True)
class Overlay:
    """`archive` is a tar archive; `names` are the paths in it, without a slash at the start."""

    archive: bytes
    names: frozenset[str]


def read(directory: Path, where: Location | Path) -> Overlay:
    """The tree in `directory`; `where` is the place that names it.

    Directories, files and symbolic links as they are; everything belongs to root, and modes lose what lets others
    write or gives rights away. Raises PresetError where there is no such directory, for other kinds of files and
    for more than 512 MB; MachineError for what cannot be read.
    """
    if not directory.is_dir():
        what = "is not a directory" if directory.exists() else "does not exist"
        raise PresetError(
            f"image.files: {directory} {what}",
            where=where,
            fix="make it, or name another; a relative path begins where the preset is",
        )
    buffer = io.BytesIO()
    names = set()
    try:
        with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
            for name, path, status in _walk(directory, directory):
                names.add(name)
                member = _member(name, path, status, where)
                if buffer.tell() + member.size > _LIMIT_BYTES:
                    raise PresetError(
                        f"image.files: {directory} holds more than {_LIMIT_BYTES // 10**6} MB",
                        where=where,
                        fix="mount or copy large data where the image runs",
                    )
                if member.isfile():
                    with path.open("rb") as file:
                        archive.addfile(member, file)
                else:
                    archive.addfile(member)
    except OSError as error:
        raise MachineError(
            f"image.files cannot be read: {error.strerror or error}", where=Path(error.filename or directory)
        ) from error
    return Overlay(buffer.getvalue(), frozenset(names))


def _walk(root: Path, directory: Path) -> Iterator[tuple[str, Path, os.stat_result]]:
    for name in sorted(os.listdir(directory)):  # noqa: PTH208 -- names are all that is wanted
        path = directory / name
        status = path.lstat()
        yield str(path.relative_to(root)), path, status
        if stat.S_ISDIR(status.st_mode):
            yield from _walk(root, path)


def _member(name: str, path: Path, status: os.stat_result, where: Location | Path) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.mode = stat.S_IMODE(status.st_mode) & _MODE
    if stat.S_ISDIR(status.st_mode):
        member.type = tarfile.DIRTYPE
    elif stat.S_ISLNK(status.st_mode):
        member.type, member.linkname, member.mode = tarfile.SYMTYPE, str(path.readlink()), 0o777
    elif stat.S_ISREG(status.st_mode):
        member.size = status.st_size
    else:
        raise PresetError(
            f"image.files: {path} is neither a file nor a directory nor a link",
            where=where,
            fix="devices, pipes and sockets are made when the system runs; take it away",
        )
    return member
