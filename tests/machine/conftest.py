"""Machines to start, built once per session in the user's own cache, and kimitui to start them with."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from kimitui.machine import qemu, run
from kimitui.machine.console import Console
from kimitui.machine.remote import Command
from tests.build.conftest import kimitui

# Far more than any start takes, for machines under load; a test that waits this long has failed.
TIMEOUT_SECONDS = 300

# The architectures whose kernels are built and started.
MACHINES = ["x86_64", "arm64", *(pytest.param(arch, marks=pytest.mark.slow) for arch in ("riscv64", "i686"))]


@dataclass(frozen=True)
class Ran:
    """What a `kimitui run` printed, and its exit status."""

    status: int
    output: str
    error: str


@dataclass(frozen=True)
class Image:
    """A directory of artifacts that a machine boots from."""

    directory: Path

    def run(self, *arguments: object) -> Ran:
        """`kimitui run` with these arguments."""
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "kimitui",
                "run",
                self.directory,
                "--timeout",
                str(TIMEOUT_SECONDS),
                *map(str, arguments),
            ],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def command(self, script: str, *arguments: object) -> str:
        """What a command in the machine prints; it must succeed."""
        ran = self.run("--command", script, *arguments)
        assert ran.status == 0, ran.output + ran.error
        return ran.output

    def with_devices(self, script: str, *devices: str, data: Path | None = None) -> tuple[int | None, str]:
        """The exit status and the output of a command in a machine with these further options of QEMU.

        The status is None if the machine ended before the command had.
        """
        wanted = Command(script)
        reader = wanted.reader()
        printed = bytearray()
        with tempfile.TemporaryDirectory() as scratch:
            machine = run.prepared(self.directory, run.Options(data=data), Path(scratch), wanted)
            argv = [*qemu.command(machine, qemu.acceleration(machine.arch)), *devices]
            Console(argv, show=lambda shown: printed.extend(reader.feed(shown)), timeout_seconds=TIMEOUT_SECONDS).run()
        return reader.status, printed.decode()


MakeMachine = Callable[[str], Image]


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> MakeMachine:
    """Build vm-minimal for an architecture."""
    out = tmp_path_factory.mktemp("machines")

    @cache
    def make(arch: str) -> Image:
        printed = kimitui("build", "vm-minimal", "--arch", arch, "--out", out, "--json", "--progress", "plain")
        return Image(Path(json.loads(printed)["directory"]))

    return make
