"""The engine of last resort, for root where namespaces are refused: a plain chroot.

Nothing can be mounted there, so inputs are copied into the toolchain's directory and outputs moved out of it, one job
at a time.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

from kimitui.build.engines.base import Job, Mount
from kimitui.build.engines.process import ProcessExecution
from kimitui.build.store import remove_tree
from kimitui.errors import MachineError

_DEVICES = {"null": (1, 3), "zero": (1, 5), "full": (1, 7), "random": (1, 8), "urandom": (1, 9)}


class ChrootEngine:
    """Runs jobs in a chroot; `reason` is why there is no sandbox."""

    name = "chroot"
    daemon = None

    def __init__(self, reason: str) -> None:
        self._reason = reason

    def warning(self) -> str | None:
        """What is lost without namespaces."""
        return (
            f"No sandbox on this machine ({self._reason}): building in a plain chroot. Steps can reach the network, "
            "see other processes and write to the toolchain, and they run one after the other."
        )

    def opened(
        self, root: Path, digest: str, session: Path, tell: Callable[[str], None]
    ) -> contextlib.AbstractContextManager[None]:
        """Nothing is needed but the toolchain's directory."""
        return contextlib.nullcontext()

    def start(self, job: Job) -> ProcessExecution:
        """Start a job; waits for the one before it. MachineError without the rights for chroot and device nodes."""
        lock = FileLock(job.root.with_name("chroot.lock"), thread_local=False)
        lock.acquire()

        def finish() -> None:
            try:
                _leave(job)
            finally:
                lock.release()

        try:
            _enter(job)
            return ProcessExecution(_command(job), after=finish)
        except BaseException:
            finish()
            raise


def _command(job: Job) -> list[str]:
    environment = [f"{name}={value}" for name, value in sorted(job.env.items())]
    return [
        *("setpriv", "--pdeathsig", "KILL", "--"),
        *("chroot", str(job.root)),
        *("/usr/bin/env", "-i", "--chdir=/build", *environment),
        *job.argv,
    ]


def _enter(job: Job) -> None:
    device = job.root / "dev"
    try:
        for name, (major, minor) in _DEVICES.items():
            if not (device / name).exists():
                os.mknod(device / name, 0o666 | stat.S_IFCHR, os.makedev(major, minor))
                (device / name).chmod(0o666)
    except PermissionError as error:
        raise MachineError(
            "This machine allows neither namespaces nor device nodes, so no step can run",
            where=device,
            fix="Allow user namespaces, or give root CAP_MKNOD and CAP_SYS_CHROOT.",
        ) from error
    _empty(job.root / "build")
    for mount in job.mounts:
        inside = _inside(job, mount)
        if mount.cache:
            # Stays in the toolchain's directory: moving gigabytes in and out would cost more than it saves.
            inside.mkdir(exist_ok=True)
            continue
        if inside.parent == job.root and mount.host.is_dir():
            _empty(inside)
        else:
            _clear(inside)
            inside.parent.mkdir(parents=True, exist_ok=True)
        if mount.host.is_dir():
            shutil.copytree(mount.host, inside, symlinks=True, dirs_exist_ok=True)
        else:
            shutil.copyfile(mount.host, inside)


def _leave(job: Job) -> None:
    _empty(job.root / "build")
    for mount in job.mounts:
        if mount.cache:
            continue
        inside = _inside(job, mount)
        if mount.writable:
            for path in inside.iterdir():
                shutil.move(path, mount.host / path.name)
        if inside.parent == job.root:
            _empty(inside)  # the sandbox needs its mount points
        else:
            _clear(inside)


def _inside(job: Job, mount: Mount) -> Path:
    return job.root / mount.target.lstrip("/")


def _clear(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        remove_tree(path)
    else:
        path.unlink(missing_ok=True)


def _empty(directory: Path) -> None:
    # The directory itself stays: if it went, the kernel would take away what sandboxes have mounted there.
    directory.mkdir(exist_ok=True)
    for path in directory.iterdir():
        _clear(path)
