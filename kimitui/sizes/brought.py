"""What packages bring into an image: from the store where they were built, else as they were measured.

The initramfs, which is beside the image, was measured with them.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data"
LINKS = {True: "static", False: "dynamic"}
"""By whether programs are static, the word for it in presets and in data files."""


@dataclass(frozen=True)
class Brought:
    """`files` are bytes by path, `links` paths of links; `packed_bytes` is what deflate makes of the files together."""

    files: Mapping[str, int]
    links: frozenset[str]
    packed_bytes: int

    def as_data(self) -> dict[str, Any]:
        """The same for a data file."""
        return {
            "files": dict(sorted(self.files.items())),
            "links": sorted(self.links),
            "packed_bytes": self.packed_bytes,
        }


def read(root: Path) -> Brought:
    """What the tree `root` of a package's step brings."""
    paths = [path for path in sorted(root.rglob("*")) if path.is_symlink() or path.is_file()]
    plain = [path for path in paths if not path.is_symlink()]
    return Brought(
        files={str(path.relative_to(root)): path.stat().st_size for path in plain},
        links=frozenset(str(path.relative_to(root)) for path in paths if path.is_symlink()),
        packed_bytes=sum(len(zlib.compress(path.read_bytes(), 9)) for path in plain),
    )


def library(loader: str, size_bytes: int, packed_bytes: int) -> Brought:
    """What a shared musl brings, of which `loader` is the name, as builder/steps/rootfs.sh installs it."""
    return Brought({f"lib/{loader}": size_bytes}, frozenset({"lib/libc.so", "usr/bin/ldd"}), packed_bytes)


def read_library(loader: str, output: Path) -> Brought:
    """What the output of musl's step brings where it is shared."""
    content = (output / "lib" / "libc.so.stripped").read_bytes()
    return library(loader, len(content), len(zlib.compress(content, 9)))


@cache
def measured(arch: str, *, static: bool) -> Mapping[str, Brought]:
    """By the name of its step, what each package brought when it was measured for an architecture, linked so."""
    return {
        name: Brought(data["files"], frozenset(data["links"]), data["packed_bytes"])
        for name, data in _data(arch).get(LINKS[static], {}).items()
    }


def initramfs_bytes(arch: str) -> int | None:
    """What the initramfs took under the usual flags; None for an architecture that was not measured."""
    found: Mapping[str, int] = _data(arch).get("initramfs", {})
    return found.get("bytes")


@cache
def _data(arch: str) -> Mapping[str, Any]:
    path = DATA / f"packages-{arch}.json"
    found: Mapping[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return found
