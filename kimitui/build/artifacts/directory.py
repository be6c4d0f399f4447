"""Puts a finished set of artifacts where the user looks for it, all at once: a failed build leaves the earlier one."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from kimitui.build.store import remove_tree
from kimitui.errors import MachineError

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


@contextlib.contextmanager
def staged(target: Path) -> Iterator[Path]:
    """A directory to write artifacts into; becomes `target` when the block ends well, else vanishes.

    Raises MachineError where `target`'s parent cannot be written.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # Left by a build that was killed while it wrote.
        for stale in target.parent.glob(f".{target.name}.*.part"):
            remove_tree(stale)
        staging = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent))
    except OSError as error:
        raise unwritable(target, error) from error
    try:
        staging.chmod(0o755)
        yield staging
        _put(staging, target)
    except OSError as error:
        raise unwritable(target, error) from error
    finally:
        remove_tree(staging)


def copy(source: Path, target: Path) -> None:
    """Copy a file's content; the copy is an ordinary file of the user."""
    with source.open("rb") as reader, target.open("wb") as writer:
        shutil.copyfileobj(reader, writer, 1024 * 1024)


def unwritable(target: Path, error: OSError) -> MachineError:
    """The error for a directory of artifacts that cannot be written."""
    return MachineError(
        f"The artifacts cannot be written: {error.strerror}",
        where=target,
        fix="Make the directory writable or choose another with --out.",
    )


def _put(staging: Path, target: Path) -> None:
    if not target.exists():
        staging.rename(target)
        return
    if not _exchange(staging, target):
        # Without an atomic exchange, the earlier artifacts are out of place for the moment between two renames.
        aside = staging.with_suffix(".old.part")
        target.rename(aside)
        staging.rename(target)
        remove_tree(aside)


def _exchange(first: Path, second: Path) -> bool:
    """Swap two directories in one step (Linux 3.15, glibc 2.28); False where that cannot be done."""
    try:
        rename: Callable[..., int] = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return False
    return rename(_AT_FDCWD, os.fsencode(first), _AT_FDCWD, os.fsencode(second), _RENAME_EXCHANGE) == 0
