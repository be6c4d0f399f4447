"""Whether the files of an open preset are still as they were read."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kimitui.preset import Preset

_Stamp = tuple[int, int, int, int] | None


@dataclass
class _Watched:
    path: Path
    text: str | None
    stamp: _Stamp | str = "not looked at yet"


class OnDisk:
    """Remembers what a preset's files held, its own and those it extends, and tells which hold something else now.

    Looking costs one `stat` per file; a file is read only when its time, size or inode is another one. A file that was
    only touched has not changed.
    """

    def __init__(self, chain: Sequence[Preset], *, saved: bool) -> None:
        """`chain` is what was read, base first; `saved` says whether the last one, the preset itself, is in a file."""
        self._files = [_Watched(preset.path.absolute(), preset.text) for preset in chain]
        if not saved:
            self._files[-1].text = None
        self.preset = chain[-1].path

    def changed(self) -> tuple[Path, ...]:
        """The files that are not as they were; those that are gone are among them."""
        return tuple(file.path for file in self._files if self._is_changed(file))

    def preset_changed(self) -> bool:
        """Whether the preset's own file is not as it was."""
        return self._is_changed(self._files[-1])

    def accept(self) -> None:
        """From now on, what is on disk now is as it was."""
        for file in self._files:
            file.stamp = _stamp(file.path)
            file.text = _read(file.path)

    def _is_changed(self, file: _Watched) -> bool:
        stamp = _stamp(file.path)
        if stamp == file.stamp:
            return False
        if _read(file.path) != file.text:
            return True
        file.stamp = stamp
        return False


def _stamp(path: Path) -> _Stamp:
    try:
        status = os.stat(path)  # noqa: PTH116 # what a symbolic link leads to, and its own path may be swapped
    except OSError:
        return None
    return (status.st_mtime_ns, status.st_size, status.st_ino, status.st_dev)


def _read(path: Path) -> str | None:
    """The text of a file as a preset's is read; None for none."""
    try:
        return path.read_bytes().decode("utf-8", "surrogateescape")
    except OSError:
        return None
