"""Machines to start, built once per session in the user's own cache, and kimitui to start them with."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

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
