"""Carries what was measured of kernels from one machine to another: hours of compiling, in an archive of some 100 kB.

An archive has one directory, named as that of the results in the cache by what they were measured with; in it a
directory for each kernel, with the files that `record.read` needs. `tarfile` and `lzma` of the standard library make
it: members are sorted and have no times or owners, so that the same results are the same bytes.
"""

from __future__ import annotations

import lzma
import shutil
import tarfile
import tempfile
from collections.abc import Iterable
from pathlib import Path

from kimitui.errors import UsageError
from kimitui.sizes.linux import record

# Kernels' configurations are much alike, but only a dictionary that holds many of them sees it.
_PRESET = 9


def keep(path: Path, key: str, directories: Iterable[Path]) -> None:
    """Write results into the archive `path`, in a directory `key`. What was there is replaced, as a whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}-", delete=False) as staging:
        try:
            with lzma.open(staging, "wb", preset=_PRESET) as packed, tarfile.open(fileobj=packed, mode="w") as archive:
                for directory in sorted(directories):
                    for file in (directory / name for name in record.FILES):
                        if file.exists():
                            archive.add(file, f"{key}/{directory.name}/{file.name}", filter=_plain)
            staging.flush()
            Path(staging.name).chmod(0o644)
            Path(staging.name).replace(path)
        except BaseException:
            Path(staging.name).unlink(missing_ok=True)
            raise


def take(path: Path, key: str, results: Path) -> int:
    """Put the results of an archive into the directory `results` where they are not there yet; how many were put.

    Those of another directory than `key` were measured with something else, and are not for this one. Raises
    UsageError where `path` cannot be read.
    """
    results.mkdir(parents=True, exist_ok=True)
    taken = 0
    with tempfile.TemporaryDirectory(dir=results.parent) as name:
        try:
            with tarfile.open(path, "r:xz") as archive:
                archive.extractall(name, filter="data")
        except (OSError, tarfile.TarError, lzma.LZMAError, EOFError) as error:
            raise UsageError(
                f"not an archive of results: {error}", where=path, fix="Name another file, which is made."
            ) from error
        found = Path(name) / key
        for directory in sorted(found.iterdir()) if found.is_dir() else ():
            target = results / directory.name
            if not (target / record.FILES[0]).exists():
                shutil.rmtree(target, ignore_errors=True)
                directory.rename(target)
                taken += 1
    return taken


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = member.mtime = 0
    member.uname = member.gname = ""
    member.mode = 0o644
    return member
