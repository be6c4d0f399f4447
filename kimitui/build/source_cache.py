"""The cache of source archives: one read-only file per SHA-256, whatever it was called and wherever it came from.

sources/<sha256>        the archive, whole and checked
sources/<sha256>.seen   its size and modification time when it was last hashed
sources/<sha256>.part   what a download that was interrupted left
sources/<sha256>.lock   held by whoever is fetching it
"""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kimitui.build.download import sha256_of
from kimitui.build.lock import Archive
from kimitui.build.locks import held


@dataclass(frozen=True)
class Checked:
    """A cached file that was hashed again; a file that is not `good` has been removed."""

    path: Path
    good: bool
    actual_sha256: str


class SourceCache:
    """The archives under `<cache_dir>/sources`. Raises `OSError` where the disk refuses."""

    def __init__(self, cache_dir: Path) -> None:
        self.cache_dir = cache_dir
        self.directory = cache_dir / "sources"

    def path(self, sha256: str) -> Path:
        """Where the archive with this digest is, or would be."""
        return self.directory / sha256

    def part(self, sha256: str) -> Path:
        """Where an unfinished download of it is."""
        return self.directory / f"{sha256}.part"

    @contextmanager
    def lock(self, sha256: str, *, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
        """Hold the lock of this digest; `waiting` is called if another process has it."""
        with held(self.directory / f"{sha256}.lock", waiting=waiting):
            yield

    def find(self, archive: Archive) -> Path | None:
        """The archive's file, if it is cached and was not changed since it was hashed.

        A file whose size or modification time is not what was noted is hashed again, and removed if it is bad.
        """
        path = self.path(archive.sha256)
        try:
            if self._seen(archive.sha256) == _stamp(path) or self.check(archive.sha256).good:
                return path
        except FileNotFoundError:
            pass
        return None

    def check(self, sha256: str) -> Checked:
        """Hash a cached file; remove it if it is bad. Raises `FileNotFoundError` if there is none."""
        path = self.path(sha256)
        stamp = _stamp(path)
        actual = sha256_of(path)
        if actual == sha256:
            # In a cache that cannot be written, the file is hashed every time instead.
            with contextlib.suppress(OSError):
                self._note(sha256, stamp)
        else:
            path.unlink()
        return Checked(path, actual == sha256, actual)

    def digests(self) -> tuple[str, ...]:
        """The digests of all cached files, whether or not the lock still names them."""
        if not self.directory.is_dir():
            return ()
        names = (path.name for path in self.directory.iterdir())
        return tuple(sorted(name for name in names if re.fullmatch(r"[0-9a-f]{64}", name)))

    def put(self, file: Path, sha256: str) -> Path:
        """Move `file`, which is on the same file system and was checked, to its place in the cache."""
        file.chmod(0o444)
        path = self.path(sha256)
        self._note(sha256, _stamp(file))
        file.replace(path)
        self.part(sha256).unlink(missing_ok=True)
        return path

    def copy(self, file: Path, sha256: str) -> Path | None:
        """Copy `file` into the cache, if the copy has this digest. To be called with the digest's lock held."""
        copied = self.directory / f"{sha256}.new"
        try:
            shutil.copyfile(file, copied)
            return self.put(copied, sha256) if sha256_of(copied) == sha256 else None
        finally:
            copied.unlink(missing_ok=True)

    def _seen(self, sha256: str) -> str:
        try:
            return (self.directory / f"{sha256}.seen").read_text()
        except FileNotFoundError:
            return ""

    def _note(self, sha256: str, stamp: str) -> None:
        (self.directory / f"{sha256}.seen").write_text(stamp)


def _stamp(path: Path) -> str:
    status = path.stat()
    return f"{status.st_size} {status.st_mtime_ns}"
