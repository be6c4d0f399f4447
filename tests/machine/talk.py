"""kimitui on a terminal, and somebody who types."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Sequence


def talk(arguments: Sequence[str], dialogue: Sequence[tuple[str, str]]) -> tuple[int, str]:
    """Run kimitui and type each text when its pattern was printed since the last; exit status and all output."""
    typist, terminal = pty.openpty()
    command = [sys.executable, "-m", "kimitui", *arguments]
    # A shell has what it starts in the background ignore Ctrl-C, and so would all that is started here.
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        process = subprocess.Popen(command, stdin=terminal, stdout=terminal, stderr=terminal)
    finally:
        signal.signal(signal.SIGINT, before)
    os.close(terminal)
    seen, rest = "", ""
    waiting = list(dialogue)
    try:
        while printed := os.read(typist, 4096).decode(errors="replace"):
            seen += printed
            rest += printed.replace("\x1b[6n", "")  # the shell asks where the cursor is
            if waiting and re.search(waiting[0][0], rest, re.DOTALL):
                os.write(typist, waiting.pop(0)[1].encode())
                rest = ""
    except OSError:  # nobody is at the other end any more
        pass
    finally:
        os.close(typist)
    assert not waiting, seen
    return process.wait(), seen
