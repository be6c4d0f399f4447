"""How long after a key is pressed a program has painted everything, and how much memory it takes."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

QUIET = 0.06
"""Seconds without output after which a program is taken to have painted everything."""
_SETTLED = 0.3  # shorter than the cursor in a line to edit takes to blink
_DEADLINE = 60.0


class Typist:
    """A program in a pseudo terminal of 120×40 that takes what is painted at once, and answers no question."""

    def __init__(self, command: Sequence[str], cwd: Path) -> None:
        self.pid, self._terminal = pty.fork()
        if self.pid == 0:
            os.chdir(cwd)
            os.environ.update(TERM="xterm-256color", COLORTERM="truecolor", LC_ALL="C.UTF-8")
            os.execvp(command[0], list(command))
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))

    def wait_for(self, text: str) -> None:
        """Until the program has painted `text`, and is quiet."""
        seen, deadline = b"", time.monotonic() + _DEADLINE
        while text.encode() not in seen:
            if time.monotonic() > deadline:
                raise AssertionError(f"{text!r} never showed: {seen[-2000:]!r}")
            seen += self._read(1.0)
        self.settle()

    def settle(self) -> None:
        """Until the program is quiet."""
        while self._read(_SETTLED):
            pass

    def press(self, key: str) -> float | None:
        """Seconds from the key to the last thing that was painted because of it; None if nothing was."""
        start = time.monotonic()
        os.write(self._terminal, key.encode())
        last = None
        while self._read(QUIET if last else _SETTLED):
            last = time.monotonic()
        return None if last is None else last - start

    def processor_seconds(self) -> float:
        """How much time of a processor the program has taken so far; other programs do not count."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def peak_bytes(self) -> int:
        """The most memory the program has taken so far."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))

    def __enter__(self) -> Typist:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._terminal)

    def _read(self, seconds: float) -> bytes:
        ready, _, _ = select.select([self._terminal], [], [], seconds)
        return os.read(self._terminal, 1 << 16) if ready else b""


def percentile_95(values: Sequence[float]) -> float:
    """The value that 95 % do not exceed."""
    return sorted(values)[max(0, round(0.95 * len(values)) - 1)]
