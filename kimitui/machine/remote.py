"""A command for a machine: how it gets in, and how its output and its exit status come out over the serial console."""

from __future__ import annotations

import re
import secrets
import shlex
from pathlib import Path

_PATH = "kimigayo/command"
_MARK = b"\x1e"  # "record separator": no text has it


class Command:
    """One command for one start of a machine."""

    def __init__(self, text: str) -> None:
        self._text = text
        # So that no output can be taken for the end of it.
        self._nonce = secrets.token_hex(8)

    def initramfs(self, plain: Path, target: Path) -> Path:
        """Write to `target` an initramfs that is `plain` and tells it the command."""
        script = (
            f"echo '\x1ebegin {self._nonce}'\n"
            f"sh -c {shlex.quote(self._text)} </dev/null\n"
            f"echo '\x1eend {self._nonce} '$?\n"
        )
        # Linux unpacks any number of archives one after the other.
        target.write_bytes(_archive(_PATH, script.encode()) + plain.read_bytes())
        return target

    def reader(self) -> Reader:
        """What finds the command's output on the console."""
        return Reader(self._nonce.encode())


class Reader:
    """Picks the output of a command out of all that a console prints; `status` is None until the command has ended."""

    def __init__(self, nonce: bytes) -> None:
        self._begin = _MARK + b"begin " + nonce + b"\r\n"
        self._end = re.compile(re.escape(_MARK + b"end " + nonce) + rb" (\d+)\r\n")
        self._pending = b""
        self.begun = False
        self.status: int | None = None

    def feed(self, data: bytes) -> bytes:
        """What of the command's output has become known by `data`, which the console printed next."""
        if self.status is not None:
            return b""
        self._pending += data
        if not self.begun:
            before, mark, after = self._pending.partition(self._begin)
            if not mark:
                self._pending = before[-len(self._begin) :]
                return b""
            self.begun, self._pending = True, after
        if ended := self._end.search(self._pending):
            self.status = int(ended[1])
            return _as_written(self._pending[: ended.start()])
        # What may be the beginning of the mark, or of a line end, waits for what follows.
        held = self._pending.rfind(_MARK)
        if held < 0 or len(self._pending) - held > 64:
            held = len(self._pending) - self._pending.endswith(b"\r")
        known, self._pending = self._pending[:held], self._pending[held:]
        return _as_written(known)


def _as_written(printed: bytes) -> bytes:
    # A terminal puts a carriage return before every line feed, and does nothing else.
    return printed.replace(b"\r\n", b"\n")


def _archive(path: str, content: bytes) -> bytes:
    """A cpio archive (newc, as Linux' Documentation/driver-api/early-userspace describes it) with one file."""
    directory, _, _ = path.rpartition("/")
    members = ((directory, 0o40755, b""), (path, 0o100644, content), ("TRAILER!!!", 0, b""))
    archive = b""
    for number, (name, mode, data) in enumerate(members, 1):
        fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
        header = b"070701" + b"".join(b"%08X" % field for field in fields)
        archive += _padded(header + name.encode() + b"\0") + _padded(data)
    return archive


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)
