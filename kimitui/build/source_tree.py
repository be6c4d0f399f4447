"""A local directory or archive that stands in for a component's pinned source (`--source COMPONENT=PATH`)."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from kimitui.build import lock
from kimitui.build.download import sha256_of
from kimitui.build.lock import Component
from kimitui.errors import UsageError


@dataclass(frozen=True)
class LocalSource:
    """The source of a component as found at `path`, a directory or an archive; `digest` names its content."""

    component: str
    path: Path
    digest: str


def override(component: str, path: Path, components: Mapping[str, Component] | None = None) -> LocalSource:
    """Take `path` instead of the component's pinned source.

    Raises `UsageError` if the lock has no such component, or `path` is missing, unreadable or neither a file nor a
    directory.
    """
    lock.get(components or lock.load_lock(), component)
    path = path.absolute()
    try:
        if path.is_dir():
            return LocalSource(component, path, tree_digest(path))
        if path.is_file():
            return LocalSource(component, path, sha256_of(path))
    except OSError as error:
        raise UsageError(
            f"the source given for {component} cannot be read: {error.strerror}", where=error.filename or path
        ) from error
    problem = "is neither a file nor a directory" if path.exists() else "does not exist"
    raise UsageError(f"the source given for {component} {problem}", where=path)


def tree_digest(directory: Path) -> str:
    """SHA-256 over a directory's content: relative paths, kinds, x bits, symbolic links' targets, file contents.

    Owners, times and other modes do not count, and neither does anything named `.git`. Raises `UsageError` for a
    device, socket or pipe in it, `OSError` for what cannot be read.
    """
    digest = hashlib.sha256()
    for path in _entries(directory):
        name = os.fsencode(path.relative_to(directory))
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            kind, content = b"l", hashlib.sha256(os.fsencode(path.readlink())).digest()
        elif stat.S_ISDIR(mode):
            kind, content = b"d", b""
        elif stat.S_ISREG(mode):
            kind, content = b"x" if mode & stat.S_IXUSR else b"f", bytes.fromhex(sha256_of(path))
        else:
            raise UsageError("a source directory cannot hold a device, a socket or a pipe", where=path)
        # A name cannot hold a zero byte, and a content has a length that its kind decides.
        digest.update(kind + name + b"\0" + content)
    return digest.hexdigest()


def _entries(directory: Path) -> Iterator[Path]:
    """Everything below `directory`, directories before what is in them, in the order of the names' bytes."""
    for path in sorted(directory.iterdir(), key=os.fsencode):
        if path.name == ".git":
            continue
        yield path
        if path.is_dir() and not path.is_symlink():
            yield from _entries(path)
