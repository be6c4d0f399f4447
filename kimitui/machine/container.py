"""Run a root file system under the sandbox: no daemon, no machine."""

from __future__ import annotations

import os
import subprocess
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path

from kimitui import terminal
from kimitui.build.arch import host
from kimitui.build.engines import sandbox
from kimitui.errors import BuildError, MachineError, UsageError
from kimitui.machine import files

_ROOTFS = "rootfs.tar"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def run(directory: Path, command: str | None, *, timeout_seconds: float | None = None) -> int:
    """Run a shell, or `command` in one, in a copy of the root file system that vanishes; its exit status.

    Standard input and output are this process's own. Raises UsageError without a root file system, MachineError where
    it cannot run here, BuildError when the time is up.
    """
    arch = files.architecture(directory)
    archive = directory / _ROOTFS
    if not archive.is_file():
        raise UsageError(
            f"this image has no {_ROOTFS} to run as a container",
            where=directory,
            fix="Build it with rootfs among image.formats.",
        )
    if refusal := sandbox.refusal():
        raise MachineError(f"This machine refuses sandboxes: {refusal}", fix="kimitui doctor says what to do.")
    with tempfile.TemporaryDirectory(prefix="kimitui-") as scratch:
        root = Path(scratch)
        try:
            with tarfile.open(archive) as tar:
                # Members belong to root there; in the sandbox, whoever starts it is root.
                tar.extractall(root, filter="tar")
        except (tarfile.TarError, EOFError) as error:
            raise BuildError(
                f"the root file system is damaged: {error}", where=archive, fix="Build it again."
            ) from error
        if host() != arch and not _runs(root):
            raise MachineError(
                f"this image is for {arch.name}, and this machine does not run its programs",
                where=directory,
                fix="Start it as a machine, without --container.",
            )
        argv = terminal.shell("/bin/sh", "-l") if command is None else ("/bin/sh", "-c", command)
        try:
            return terminal.run(_inside(root, argv, leads=command is None), timeout_seconds=timeout_seconds)
        except TimeoutError:
            raise BuildError(
                f"the container was still running after {timeout_seconds:g} s, and was ended",
                fix="Give it more time with --timeout.",
            ) from None


def _inside(root: Path, argv: Sequence[str], *, leads: bool = False) -> list[str]:
    environment = {"PATH": _PATH, "HOME": "/root", "TERM": os.environ.get("TERM", "dumb")}
    return sandbox.container(root, argv, environment, leads=leads)


def _runs(root: Path) -> bool:
    """Whether a program of the root file system runs: a 32-bit one may, and any that the kernel has an emulator for."""
    return subprocess.run(_inside(root, ("/bin/sh", "-c", ":")), capture_output=True, check=False).returncode == 0
