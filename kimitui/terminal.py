"""The user's terminal, lent to a program."""

from __future__ import annotations

import contextlib
import errno
import os
import selectors
import signal
import subprocess
import sys
import termios
import time
import tty
from collections.abc import Iterator, Sequence
from typing import IO

_CHUNK_BYTES = 64 * 1024

_IN_CONSOLE = ("/bin/sh", "-c", 'exec "$@" <>/dev/console >&0 2>&1', "sh")


def shell(*words: str) -> tuple[str, ...]:
    """A shell as `run` is to start it in a sandbox, which leads a session and has its terminal as /dev/console.

    Whoever leads a session and opens a terminal that belongs to none controls it, and jobs can be stopped there.
    """
    return (*(_IN_CONSOLE if sys.stdin.isatty() else ()), *words)


def run(argv: Sequence[str], *, timeout_seconds: float | None = None) -> int:
    """Run a program with this process's standard input and output; its exit status.

    Where standard input is a terminal, the program gets one of its own, which belongs to no session yet: the
    foreground process group of this process's terminal has no number in another PID namespace, so a shell could not
    give it back. Raises TimeoutError when the time is up; the program is ended then.
    """
    if not sys.stdin.isatty():
        try:
            return subprocess.run(argv, timeout=timeout_seconds, check=False).returncode
        except subprocess.TimeoutExpired:
            raise TimeoutError from None
    sys.stdout.flush()
    ours, theirs = os.openpty()
    try:
        with _same_size(ours):
            process = subprocess.Popen(argv, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
            os.close(theirs)
            try:
                with raw(sys.stdin.buffer):
                    _relay(ours, timeout_seconds)
            except BaseException:
                process.kill()
                raise
            finally:
                process.wait()
            return process.returncode
    finally:
        os.close(ours)


@contextlib.contextmanager
def raw(terminal: IO[bytes] | None) -> Iterator[None]:
    """Within the block, what is typed at a terminal is read byte by byte as it is; afterwards all is as before."""
    if terminal is None or not terminal.isatty():
        yield
        return
    before = termios.tcgetattr(terminal)
    try:
        tty.setraw(terminal.fileno())
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


@contextlib.contextmanager
def _same_size(ours: int) -> Iterator[None]:
    """Within the block, the other terminal is as large as the user's."""

    def copy(*_: object) -> None:
        with contextlib.suppress(termios.error):
            termios.tcsetwinsize(ours, termios.tcgetwinsize(sys.stdin))

    before = signal.signal(signal.SIGWINCH, copy)
    try:
        copy()
        yield
    finally:
        signal.signal(signal.SIGWINCH, before)


def _relay(ours: int, timeout_seconds: float | None) -> None:
    """Pass on what is typed and what is printed, until the program has closed its terminal."""
    deadline = None if timeout_seconds is None else time.monotonic() + timeout_seconds
    keyboard, screen = sys.stdin.fileno(), sys.stdout.fileno()
    with selectors.PollSelector() as selector:
        selector.register(keyboard, selectors.EVENT_READ, ours)
        selector.register(ours, selectors.EVENT_READ, screen)
        while True:
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                raise TimeoutError
            for key, _ in selector.select(left):
                try:
                    data = os.read(key.fd, _CHUNK_BYTES)
                except OSError as error:
                    if error.errno != errno.EIO:
                        raise
                    data = b""  # Linux says so when the other end is closed
                if data:
                    _write(key.data, data)
                elif key.fd == ours:
                    return
                else:
                    selector.unregister(keyboard)


def _write(to: int, data: bytes) -> None:
    while data:
        data = data[os.write(to, data) :]
