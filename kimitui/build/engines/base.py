"""What an engine is asked to do, and what it answers with.

A job is plain data, so that it can be carried out by a process on this machine as well as by a daemon far away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from kimitui.build.engines.daemon import Place


@dataclass(frozen=True)
class Mount:
    """A host file or directory that appears at `target` inside the container.

    A `cache` makes a job quicker and nothing else: an engine may give it an empty directory, and need not keep it. What
    is `final` does not change while the build takes, and further jobs may want it, too.
    """

    host: Path
    target: str
    writable: bool = False
    cache: bool = False
    final: bool = False


@dataclass(frozen=True)
class Job:
    """One container run: `argv` with exactly the environment `env`, in the root file system `root`, read-only.

    It starts in `/build`, which is empty and writable and vanishes with it: in memory, or on the disk below `scratch`
    where that is given. Nothing of the host is there but the mounts. There is no network.
    """

    root: Path
    argv: tuple[str, ...]
    env: Mapping[str, str]
    mounts: tuple[Mount, ...]
    scratch: Path | None = None


class Execution(Protocol):
    """A job under way."""

    def lines(self) -> Iterator[str]:
        """What the job prints, line by line without line ends, until it ends."""

    def wait(self) -> int:
        """Its exit status; negative: the number of the signal that ended it."""

    def kill(self) -> None:
        """End it and all its processes at once."""


class Engine(Protocol):
    """Runs jobs."""

    name: str

    @property
    def daemon(self) -> Place | None:
        """What runs them, None where they are processes of this machine."""

    def warning(self) -> str | None:
        """What this engine does not protect from on this machine, in one line; None: nothing."""

    def opened(
        self, root: Path, digest: str, session: Path, tell: Callable[[str], None]
    ) -> AbstractContextManager[None]:
        """What one build needs; its jobs, all of them in the toolchain `root` with that digest, start within.

        `session` is the build's own directory, which is gone when the build is; `tell` says what takes long. Raises
        MachineError where the engine cannot run at all.
        """

    def start(self, job: Job) -> Execution:
        """Start a job. Raises MachineError where the engine cannot run at all."""
