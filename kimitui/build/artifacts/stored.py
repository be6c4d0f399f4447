"""The container image in a directory of artifacts, as a build left it there."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from kimitui.build.arch import ARCHES, Arch
from kimitui.build.artifacts import build_info, container
from kimitui.config import Configuration
from kimitui.errors import UsageError

ARCHIVE = "image.oci.tar"

_FIX = "Put oci among image.formats, and build it again."


@dataclass(frozen=True)
class StoredImage:
    """`reference` is what the build calls it; `version` is the release's; `layer` how its layer is compressed.

    `run` is the locked-down command that runs it, for someone in `directory`.
    """

    directory: Path
    reference: str
    version: str
    arch: Arch
    layer: str
    run: str

    @property
    def archive(self) -> Path:
        """The OCI archive."""
        return self.directory / ARCHIVE

    def run_line(self, program: str, reference: str) -> str:
        """The locked-down command that runs it from here with `docker` or `podman`, where it is `reference`."""
        here = Path.cwd()
        directory = self.directory.relative_to(here) if self.directory.is_relative_to(here) else self.directory
        written, profile = f"seccomp={container.PROFILE}", f"seccomp={directory / container.PROFILE}"
        _, *words, _ = (profile if word == written else word for word in shlex.split(self.run))
        return shlex.join([program, *words, reference])


def check_formats(config: Configuration) -> None:
    """Raise UsageError, with the place, for a configuration whose build makes no container image."""
    if "oci" not in config.family("IMAGE_FORMATS"):
        raise UsageError(
            f"{config.name} makes no container image: its image.formats lack oci",
            where=config.where("image", "formats"),
            fix="Put oci among image.formats.",
        )


def read(directory: Path) -> StoredImage:
    """The image in a directory of artifacts; UsageError if there is none."""
    directory = directory.absolute()
    record = build_info.read(directory)
    if not (directory / ARCHIVE).is_file() or not record.get("run"):
        raise UsageError(f"there is no {ARCHIVE} among these artifacts", where=directory, fix=_FIX)
    try:
        return StoredImage(
            directory,
            reference=str(record["reference"]),
            version=str(record["release"]["version"]),
            arch=ARCHES[record["arch"]],
            layer=str(record["configuration"]["image"]["compression"]),
            run=str(record["run"]),
        )
    except (KeyError, TypeError):
        raise UsageError(
            f"{build_info.NAME} is not as this kimitui writes it", where=directory, fix="Build it again."
        ) from None
