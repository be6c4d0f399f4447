"""The files of an upstream source that are wanted of it, from its archive or its unpacked directory."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath


def wanted_files(source: Path, is_wanted: Callable[[PurePosixPath], bool]) -> Iterator[tuple[PurePosixPath, bytes]]:
    """Paths relative to the source, and contents. Raises tarfile.TarError, EOFError, OSError if it cannot be read."""
    return _from_directory(source, is_wanted) if source.is_dir() else _from_archive(source, is_wanted)


def _from_directory(source: Path, is_wanted: Callable[[PurePosixPath], bool]) -> Iterator[tuple[PurePosixPath, bytes]]:
    for directory, names, files in os.walk(source):
        names[:] = sorted(name for name in names if not name.startswith("."))
        for name in sorted(files):
            full = Path(directory, name)
            path = PurePosixPath(full.relative_to(source).as_posix())
            if is_wanted(path):
                with suppress(FileNotFoundError):  # a dangling link is no file for upstream either
                    yield path, full.read_bytes()


def _from_archive(source: Path, is_wanted: Callable[[PurePosixPath], bool]) -> Iterator[tuple[PurePosixPath, bytes]]:
    with tarfile.open(source, "r|*") as archive:
        for member in archive:
            # The archive has one directory at its top, named after the version.
            path = PurePosixPath(*PurePosixPath(member.name.removeprefix("./")).parts[1:])
            if member.isfile() and path.parts and is_wanted(path):
                file = archive.extractfile(member)
                if file is not None:
                    yield path, file.read()
