"""The disk image that keeps a machine's changes."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from kimitui.errors import MachineError, UsageError
from kimitui.machine.files import BootFiles

LABEL = "kimigayo-data"

# What an ordinary user's PATH need not have.
_SBIN = "/usr/local/sbin:/usr/sbin:/sbin"


def ensure(path: Path, size_mb: int, files: BootFiles) -> None:
    """Make the image, with an empty file system of `size_mb` MiB that the machine's kernel knows, if it is not there.

    An image that is there is left as it is. It appears whole or not at all, and takes space only for what is in it.
    Raises UsageError if it cannot be, MachineError without the program that makes file systems.
    """
    if path.exists():
        if not path.is_file():
            raise UsageError("the disk for data is not a file", where=path)
        if not os.access(path, os.R_OK | os.W_OK):
            raise MachineError("the disk for data cannot be read and written", where=path, fix="Change its mode.")
        return
    kind = _file_system(files)
    program = mke2fs()
    if program is None:
        raise MachineError(
            "mke2fs is not installed, so the disk for data cannot be made",
            where=path,
            fix="apt-get install e2fsprogs (or your system's package of it).",
        )
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with unfinished.open("xb") as file:
            file.truncate(size_mb * 1024 * 1024)
        done = subprocess.run(
            [program, "-q", "-F", "-t", kind, "-L", LABEL, "-m", "0", str(unfinished)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        if done.returncode != 0:
            raise MachineError(
                "the disk for data cannot be made", where=path, details=tuple(done.stderr.strip().splitlines()[-5:])
            )
        unfinished.rename(path)
    except OSError as error:
        raise MachineError(f"the disk for data cannot be made: {error.strerror}", where=path) from error
    finally:
        unfinished.unlink(missing_ok=True)


def mke2fs() -> str | None:
    """The program that makes file systems, if it is installed."""
    return shutil.which("mke2fs", path=f"{os.environ.get('PATH', '')}:{_SBIN}")


def _file_system(files: BootFiles) -> str:
    for symbol, name in (("EXT4_FS", "ext4"), ("EXT2_FS", "ext2")):
        if symbol in files.kernel_config:
            return name
    raise UsageError(
        "the kernel of this image can keep no data: it has neither ext4 nor ext2",
        where=files.kernel.parent,
        fix="Switch EXT4_FS on in the kernel section of the preset, or start without --data.",
    )
