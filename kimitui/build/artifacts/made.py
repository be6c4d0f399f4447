"""A finished build: all that artifacts are made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kimitui.build.artifacts import image_config
from kimitui.build.plan import Plan, Source
from kimitui.build.release import Release
from kimitui.build.step import Step
from kimitui.build.store import Entry
from kimitui.build.toolchain import Toolchain
from kimitui.config import Configuration


@dataclass(frozen=True)
class Made:
    """`entries` holds the store's entry of every step of the plan, by the step's name."""

    config: Configuration
    plan: Plan
    entries: Mapping[str, Entry]
    release: Release
    toolchain: Toolchain
    sources: Mapping[str, Source]

    def output(self, step: Step) -> Path:
        """The directory of what a step of the plan made."""
        return self.entries[step.name].output

    @property
    def rootfs(self) -> Path:
        """The root file system as a tar archive."""
        return self.output(self.plan.rootfs) / "rootfs.tar"

    @property
    def layer(self) -> Path:
        """The same, compressed as the configuration asks."""
        return self.output(self.plan.layer) / "layer" if self.plan.layer else self.rootfs

    @property
    def reference(self) -> str:
        """The name and tag a container engine knows the image by; `standard` is the release without a suffix."""
        return image_config.reference(self.config, self.release)
