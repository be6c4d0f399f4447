"""The content-addressed store of step outputs.

    store/<key[:2]>/<key>/output/    what the step made
    store/<key[:2]>/<key>/log        what it printed
    store/<key[:2]>/<key>/step.json  its name, architecture and how long it took

An entry is there whole or not at all: it is prepared under `tmp/` and renamed. The modification time of an entry's
directory is when it was last used.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from kimitui.build import disk
from kimitui.errors import BuildError, MachineError


@dataclass(frozen=True)
class Entry:
    """A finished step in the store."""

    key: str
    path: Path

    @property
    def output(self) -> Path:
        """The directory the step made."""
        return self.path / "output"

    @property
    def log(self) -> Path:
        """What the step printed."""
        return self.path / "log"


@dataclass(frozen=True)
class Pruned:
    """What a prune removed: how many entries of which kind, and the space they took, in bytes."""

    removed: dict[str, int]
    freed_bytes: int


class Store:
    """The caches under one directory. Any number of processes may use it at once."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.ccache = directory / "ccache"
        self.logs = directory / "logs"
        self._entries = directory / "store"
        self._locks = directory / "locks"
        self._temporary = directory / "tmp"
        try:
            for path in (self.ccache, self.logs, self._entries, self._locks, self._temporary):
                path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise MachineError(
                f"the cache directory cannot be made: {error.strerror}",
                where=directory,
                fix="Choose another with --cache-dir or KIMITUI_CACHE.",
            ) from error
        if refused := disk.refusal(self._temporary):
            raise MachineError(
                f"the cache directory cannot be written: {refused.strerror}",
                where=directory,
                fix="Give yourself the permission, or choose another with --cache-dir or KIMITUI_CACHE.",
            )

    def find(self, key: str) -> Entry | None:
        """The entry of a key, marked as used now; None if there is none."""
        entry = Entry(key, self._path(key))
        try:
            os.utime(entry.path)
        except FileNotFoundError:
            return None
        return entry

    def lock(self, key: str) -> FileLock:
        """Held while the step of that key is being made, so that nobody makes it twice at once."""
        return FileLock(self._locks / f"{key}.lock")

    def commit(self, key: str, workspace: Path, *, description: dict[str, object]) -> Entry:
        """Move `workspace`, which holds `output/` and `log`, into the store."""
        (workspace / "step.json").write_text(json.dumps(description, indent=1, sort_keys=True) + "\n")
        path = self._path(key)
        path.parent.mkdir(exist_ok=True)
        try:
            workspace.rename(path)
        except OSError:
            # Somebody whose lock was lost to a network file system was quicker; same key, same bytes.
            if not path.is_dir():
                raise
            remove_tree(workspace)
        return Entry(key, path)

    @contextlib.contextmanager
    def session(self) -> Iterator[Path]:
        """A directory for one build's temporary files, gone afterwards; what killed builds left behind goes first."""
        self._sweep()
        directory = self._temporary / f"build-{uuid.uuid4().hex}"
        lock = Path(f"{directory}.lock")
        with FileLock(lock):
            directory.mkdir()
            try:
                yield directory
            finally:
                remove_tree(directory)
                lock.unlink(missing_ok=True)

    def usage(self) -> dict[str, int]:
        """Bytes on disk of each part of the cache, by its directory's name."""
        parts = sorted(path for path in self.directory.iterdir() if path.is_dir())
        return {path.name: disk_usage(path) for path in parts}

    def entries(self) -> Iterator[tuple[Entry, dict[str, object]]]:
        """All entries with what `step.json` says of each."""
        for path in sorted(self._entries.glob("*/*")):
            with contextlib.suppress(OSError, ValueError):
                yield Entry(path.name, path), json.loads((path / "step.json").read_text())

    def durations(self, arch: str) -> dict[str, float]:
        """How many seconds each step of an architecture took the last time it ran, by its name."""
        latest: dict[str, tuple[float, float]] = {}
        for entry, description in self.entries():
            name, seconds = str(description.get("name")), description.get("seconds")
            made = (entry.path / "step.json").stat().st_mtime
            ours = description.get("arch") in (arch, "any")
            if ours and isinstance(seconds, int | float) and made > latest.get(name, (0.0, 0.0))[0]:
                latest[name] = (made, float(seconds))
        return {name: seconds for name, (_made, seconds) in latest.items()}

    def prune(self, *, unused_days: float, everything: bool = False, keep: frozenset[str] = frozenset()) -> Pruned:
        """Remove entries not used for `unused_days`, and what killed builds left.

        `everything` removes all but `keep`, names of directories under the cache such as `sources`.
        Raises BuildError while a build is running.
        """
        live = self._sweep()
        if live:
            raise BuildError(
                f"{live} build{'s are' if live > 1 else ' is'} running on this cache",
                where=self.directory,
                fix="Wait for it to end, then prune again.",
            )
        removed: dict[str, int] = {}
        freed = 0
        if everything:
            for path in sorted(self.directory.iterdir()):
                if path.is_dir() and path.name not in keep | {"locks", "tmp"}:
                    freed += disk_usage(path)
                    removed[path.name] = sum(1 for _ in path.iterdir())
                    remove_tree(path)
        else:
            oldest = time.time() - unused_days * 86_400
            for path in self._entries.glob("*/*"):
                if path.stat().st_mtime < oldest:
                    freed += disk_usage(path)
                    removed["store"] = removed.get("store", 0) + 1
                    self._discard(path)
        for lock in self._locks.glob("*.lock"):
            lock.unlink(missing_ok=True)
        return Pruned(removed, freed)

    def _path(self, key: str) -> Path:
        return _place(self._entries, key)

    def _discard(self, path: Path) -> None:
        """Take an entry out of the store in one move, then remove it."""
        grave = Path(tempfile.mkdtemp(prefix="removed-", dir=self._temporary))
        path.rename(grave / "entry")
        remove_tree(grave)

    def _sweep(self) -> int:
        """Remove the temporary directories of builds that are gone; the number of builds that are not."""
        live = 0
        for directory in self._temporary.iterdir():
            if not directory.is_dir():
                continue
            lock = FileLock(f"{directory}.lock")
            try:
                with lock.acquire(timeout=0):
                    remove_tree(directory)
            except Timeout:
                live += 1
                continue
            Path(f"{directory}.lock").unlink(missing_ok=True)
        return live


def peek(directory: Path, key: str) -> Entry | None:
    """The entry of a key in the caches under `directory`, which need not be there; nothing is marked or made."""
    entry = Entry(key, _place(directory / "store", key))
    return entry if entry.path.is_dir() else None


def _place(entries: Path, key: str) -> Path:
    return entries / key[:2] / key


def remove_tree(path: Path) -> None:
    """Remove a directory whatever modes a step gave to what is in it; a missing one is fine."""
    try:
        shutil.rmtree(path)
    except FileNotFoundError:
        return
    except PermissionError:
        path.chmod(0o700)
        for root, directories, _files in os.walk(path):
            for directory in (Path(root, name) for name in directories):
                if not directory.is_symlink():
                    directory.chmod(0o700)
        shutil.rmtree(path)


def disk_usage(path: Path) -> int:
    """Bytes that the files below a directory take on disk; hard links count once."""
    total = 0
    seen: set[tuple[int, int]] = set()
    for root, _directories, files in os.walk(path):
        for name in files:
            with contextlib.suppress(OSError):
                status = os.lstat(os.path.join(root, name))  # noqa: PTH118 # os.walk over 40,000 files: Path is slow
                if (status.st_dev, status.st_ino) not in seen:
                    seen.add((status.st_dev, status.st_ino))
                    total += status.st_blocks * 512
    return total
