"""The files that services bring into an image."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_COMMENT = re.compile(rb"^\s*#(?!!).*\n|(?<=\n)\n", re.MULTILINE)


@dataclass(frozen=True)
class File:
    """A file of the image."""

    content: bytes
    executable: bool = False


Files = Mapping[str, File]
"""Files by their paths in the image, without a slash before."""


def script(*lines: str) -> File:
    """A shell script with these lines."""
    return File("\n".join(("#!/bin/sh", *lines, "")).encode(), executable=True)


def text(*lines: str) -> File:
    """A file with these lines."""
    return File("".join(f"{line}\n" for line in lines).encode())


def without_comments(file: File) -> File:
    """A script without its comments, which are a third of it: an image of half a megabyte counts its kilobytes."""
    return File(_COMMENT.sub(b"", file.content), file.executable)


def below(root: Path) -> dict[str, File]:
    """All files below a directory; none if there is no such directory."""
    return {
        str(path.relative_to(root)): File(path.read_bytes(), executable=bool(path.stat().st_mode & 0o100))
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }
