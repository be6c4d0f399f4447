"""What a disk refuses, found out beforehand or said afterwards in words that a user can act on."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from kimitui.errors import MachineError

_CACHE_ADVICE = "or name another cache directory with KIMITUI_CACHE."


@contextmanager
def errors_explained(subject: str, directory: Path) -> Iterator[None]:
    """Turn what the disk refuses in the block into a `MachineError`; `subject` is what was kept in `directory`."""
    try:
        yield
    except OSError as error:
        where = error.filename or directory
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise MachineError(
                f"the disk is full: there is no room for {subject}",
                where=where,
                fix=f"Make room, {_CACHE_ADVICE}",
            ) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise MachineError(
                f"no permission to keep {subject} here: {error.strerror}",
                where=where,
                fix=f"Make it writable for this user, {_CACHE_ADVICE}",
            ) from error
        if error.errno in (errno.EEXIST, errno.EIO, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.ENOTDIR):
            raise MachineError(
                f"{subject} cannot be kept here: {error.strerror}",
                where=where,
                fix=f"Take away what is in the way, {_CACHE_ADVICE}",
            ) from error
        raise


def nearest_existing(path: Path) -> Path:
    """`path`, or the nearest directory above it that is there and may be looked at."""
    for candidate in (path, *path.parents):
        with suppress(OSError):
            candidate.stat()
            return candidate
    return Path("/")


def refusal(directory: Path) -> OSError | None:
    """Why nothing can be written into `directory`, which need not be there yet; None if that is not to be seen."""
    existing = nearest_existing(directory)
    number = 0
    if not existing.is_dir():
        number = errno.ENOTDIR
    elif not os.access(existing, os.W_OK | os.X_OK):
        number = errno.EROFS if os.statvfs(existing).f_flag & os.ST_RDONLY else errno.EACCES
    return OSError(number, os.strerror(number), str(existing)) if number else None
