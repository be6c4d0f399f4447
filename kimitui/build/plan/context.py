"""What every part of the plan works from, and the small things they share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kimitui.build.arch import Arch
from kimitui.build.flags import Flags
from kimitui.build.release import Release
from kimitui.build.step import InputFile, StepSource
from kimitui.config import Configuration
from kimitui.resources import BUILDER_DIR


@dataclass(frozen=True)
class Source:
    """What the plan must know of a component's source: `local` where the user put something in its place."""

    component: str
    version: str
    path: Path
    digest: str
    local: bool = False


@dataclass(frozen=True)
class Context:
    """A configuration with all that its steps follow from; `trees` is the cache directory of upstream trees."""

    config: Configuration
    arch: Arch
    flags: Flags
    sources: Mapping[str, Source]
    release: Release
    toolchain_digest: str
    trees: Path

    def source(self, component: str) -> dict[str, StepSource]:
        """The source of a component as a step takes it."""
        source = self.sources[component]
        return {component: StepSource(source.path, source.digest)}

    @property
    def epoch(self) -> dict[str, str]:
        """The time stamp of everything that is made."""
        return {"SOURCE_DATE_EPOCH": str(self.release.source_date_epoch)}

    @property
    def static(self) -> bool:
        """Whether programs carry the library code they use."""
        return self.config.choice("IMAGE_LINK") == "static"

    def has_format(self, name: str) -> bool:
        """Whether the configuration asks for a format, by its word in a preset."""
        return name in self.config.family("IMAGE_FORMATS")


def builder_file(name: str) -> InputFile:
    """A file below `builder/`."""
    path = BUILDER_DIR / name
    return InputFile(path.read_bytes(), executable=bool(path.stat().st_mode & 0o100))


def builder_files(directory: str, prefix: str) -> dict[str, InputFile]:
    """All files below a directory of `builder/`, as they appear below `prefix`."""
    root = BUILDER_DIR / directory
    return {
        f"{prefix}/{path.relative_to(root)}": builder_file(str(path.relative_to(BUILDER_DIR)))
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }
