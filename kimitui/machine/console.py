"""Runs QEMU with its serial console on the terminal, or on a reader of what it prints."""

from __future__ import annotations

import contextlib
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import IO

from kimitui.errors import BuildError
from kimitui.machine.ended import Ended
from kimitui.terminal import raw

_ESCAPE = 0x01  # Ctrl-a, as in QEMU's own console
_QUIT = ord("x")
_KEPT_BYTES = 64 * 1024
_CHUNK_BYTES = 64 * 1024


class _SwitchOffError(Exception):
    """The user asked for the machine to be switched off."""


class Console:
    """One run of QEMU, whose serial console is its standard input and output.

    `show` gets what the console prints. `finished`, asked after that, says whether QEMU is to be ended.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        show: Callable[[bytes], None],
        finished: Callable[[], bool] = lambda: False,
        timeout_seconds: float | None = None,
    ) -> None:
        self._argv = list(argv)
        self._show = show
        self._finished = finished
        self._timeout_seconds = timeout_seconds
        self._printed = bytearray()
        self._complaints = bytearray()
        self._escaped = False

    def run(self, keyboard: IO[bytes] | None = None) -> Ended:
        """Run the machine to its end; what is typed at the terminal `keyboard` goes to it, unchanged.

        Ctrl-a x ends it. Raises BuildError when the time is up. The terminal is as before afterwards.
        """
        process = subprocess.Popen(
            self._argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is the machine's, not QEMU's
        )
        quit_asked = False
        try:
            with raw(keyboard):
                self._relay(process, keyboard)
        except _SwitchOffError:
            quit_asked = True
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream is not None:
                    with contextlib.suppress(BrokenPipeError):
                        stream.close()
        return Ended(
            status=process.returncode,
            asked=quit_asked or self._finished(),
            printed=self._printed.decode("utf-8", "replace"),
            complaints=tuple(self._complaints.decode("utf-8", "replace").strip().splitlines()),
        )

    def _relay(self, process: subprocess.Popen[bytes], keyboard: IO[bytes] | None) -> None:
        """Move bytes between QEMU and the terminal until QEMU ends."""
        assert process.stdin and process.stdout and process.stderr
        deadline = None if self._timeout_seconds is None else time.monotonic() + self._timeout_seconds
        with selectors.PollSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ, self._printing)
            selector.register(process.stderr, selectors.EVENT_READ, self._complaining)
            if keyboard is not None:
                selector.register(keyboard, selectors.EVENT_READ, lambda data: self._typing(data, process))
            while process.stdout in (key.fileobj for key in selector.get_map().values()):
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    raise self._late()
                for key, _ in selector.select(left):
                    data = os.read(key.fd, _CHUNK_BYTES)
                    if data:
                        key.data(data)
                    else:
                        selector.unregister(key.fileobj)
                if self._finished():
                    return
            process.wait()

    def _printing(self, data: bytes) -> None:
        self._printed += data
        del self._printed[:-_KEPT_BYTES]
        self._show(data)

    def _complaining(self, data: bytes) -> None:
        self._complaints += data
        del self._complaints[:-_KEPT_BYTES]

    def _typing(self, data: bytes, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin
        passed = bytearray()
        for byte in data:
            if self._escaped:
                self._escaped = False
                if byte == _QUIT:
                    raise _SwitchOffError
                if byte != _ESCAPE:
                    passed.append(_ESCAPE)
                passed.append(byte)
            elif byte == _ESCAPE:
                self._escaped = True
            else:
                passed.append(byte)
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(passed)
            process.stdin.flush()

    def _late(self) -> BuildError:
        lines = [line for line in self._printed.decode("utf-8", "replace").splitlines() if line.strip()]
        return BuildError(
            f"the machine was still running after {self._timeout_seconds:g} s, and was switched off",
            details=tuple(lines[-8:]),
            fix="Give it more time with --timeout. The lines above are the last it printed.",
        )


def to_standard_output(data: bytes) -> None:
    """Print bytes at once."""
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
