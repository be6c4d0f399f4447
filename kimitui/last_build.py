"""What an earlier build left in the directory of artifacts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_RECORD = "build-info.json"


@dataclass(frozen=True)
class LastBuild:
    """The artifacts of a preset for one architecture: file name to size in bytes, and when they were put there.

    `time` is seconds since 1970.
    """

    directory: Path
    arch: str
    artifacts: Mapping[str, int]
    time: float

    @property
    def rootfs_bytes(self) -> int | None:
        """The size of the root file system, None if no archive of it was asked for."""
        return self.artifacts.get("rootfs.tar")


def last_builds(out_dir: Path, name: str) -> list[LastBuild]:
    """The builds of the preset `name` that are in `out_dir`, the newest first; sizes are those of the files there."""
    found = []
    with suppress(OSError):
        for directory in (out_dir / name).iterdir():
            if build := _read(directory):
                found.append(build)
    return sorted(found, key=lambda build: build.time, reverse=True)


def _read(directory: Path) -> LastBuild | None:
    """The build in a directory, None if a build did not make it, or something in it is gone."""
    try:
        record = json.loads((directory / _RECORD).read_text(encoding="utf-8"))
        sizes = {name: (directory / name).stat().st_size for name in sorted(record["artifacts"])}
        return LastBuild(directory, str(record["arch"]), sizes, (directory / _RECORD).stat().st_mtime)
    except (OSError, ValueError, KeyError, TypeError):
        return None
