"""Files that a user would not like to find half written."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

from kimitui.errors import MachineError


def write(path: Path, text: str, *, what: str) -> None:
    """Write `text` to `path`, whole or not at all; a symbolic link and the mode of the file there are kept.

    Raises MachineError, in which `what` is what cannot be saved, if that is not possible; the earlier file is then as
    it was.
    """
    import tempfile  # takes longer to import than reading a preset does

    target = Path(os.path.realpath(path))
    temporary: Path | None = None
    try:
        try:
            mode = stat.S_IMODE(target.stat().st_mode)
        except FileNotFoundError:
            mask = os.umask(0)
            os.umask(mask)
            mode = 0o666 & ~mask
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        temporary = Path(name)
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode())
            os.fchmod(file.fileno(), mode)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
        temporary = None
        directory = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
    except OSError as error:
        raise MachineError(
            f"cannot save {what}: {error.strerror or error}",
            where=path,
            fix="save it somewhere else, or give yourself the permission to write there",
        ) from error
    finally:
        if temporary is not None:
            with suppress(OSError):
                temporary.unlink()
