"""A job that is a process of this machine: what the sandbox and the chroot engine share."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Iterator


class ProcessExecution:
    """A child process in a session of its own; `after` runs once when it has ended."""

    def __init__(self, argv: list[str], *, after: Callable[[], None] | None = None) -> None:
        self._after = after
        # No environment: what the container sees is set by the engine, and the helper itself needs none of the host's.
        self._process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
            start_new_session=True,
        )

    def lines(self) -> Iterator[str]:
        """What the process prints, line by line without line ends, until it ends."""
        assert self._process.stdout is not None
        with self._process.stdout as stream:
            for line in stream:
                yield line.rstrip(b"\r\n").decode("utf-8", "replace")

    def wait(self) -> int:
        """The exit status; negative: the number of the signal that ended it."""
        status = self._process.wait()
        if self._after is not None:
            self._after()
            self._after = None
        return status

    def kill(self) -> None:
        """End the process and its whole session."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
