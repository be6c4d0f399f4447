"""What a disk refuses, said in words that a user can act on."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
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
            raise MachineError(f"{subject} cannot be kept here: {error.strerror}", where=where) from error
        raise
