"""The artifacts that a machine boots from, found in a directory."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from pathlib import Path

from kimitui.build.arch import ARCHES, Arch
from kimitui.build.artifacts import build_info
from kimitui.build.artifacts.boot import CONFIG, INITRAMFS, SYSTEM, VMLINUZ
from kimitui.config import Configuration
from kimitui.errors import BuildError, UsageError

_FIX_MACHINE = (
    "Put vmlinuz, initramfs and squashfs among image.formats, as the preset vm does,\n"
    "or run it as a container: kimitui run --container"
)
_FIX_CONTAINER = "Put rootfs among image.formats, or start it as a machine, without --container."
_GZIP = b"\x1f\x8b"
_SQUASHFS = b"hsqs"
# Where a SquashFS superblock holds the image's length in bytes, as a little-endian number of eight bytes.
_SQUASHFS_LENGTH = slice(40, 48)


@dataclass(frozen=True)
class BootFiles:
    """What a machine of `arch` boots. `kernel_config` holds the values in `kernel.config` that are on, by symbol."""

    arch: Arch
    kernel: Path
    initramfs: Path
    system: Path
    kernel_config: frozenset[str]


def check_formats(config: Configuration, *, container: bool) -> None:
    """Raise UsageError, with the place, if a configuration makes nothing that can be started."""
    needed = ("rootfs",) if container else ("vmlinuz", "initramfs", "squashfs")
    missing = [name for name in needed if name not in config.family("IMAGE_FORMATS")]
    if missing:
        raise UsageError(
            f"{config.name} cannot be started as a {'container' if container else 'machine'}: "
            f"its image.formats lack {', '.join(missing)}",
            where=config.where("image", "formats"),
            fix=_FIX_CONTAINER if container else _FIX_MACHINE,
        )


def find(directory: Path) -> BootFiles:
    """The artifacts in a directory that `kimitui build` made.

    Raises UsageError if some are missing, BuildError if the system image is damaged.
    """
    arch = architecture(directory)
    missing = [name for name in (VMLINUZ, INITRAMFS, SYSTEM) if not (directory / name).is_file()]
    if missing:
        raise UsageError(
            f"a machine cannot boot from this image: it has no {', no '.join(missing)}",
            where=directory,
            fix=_FIX_MACHINE,
        )
    system = directory / SYSTEM
    _check_system(system)
    config = directory / CONFIG
    lines = config.read_text().splitlines() if config.is_file() else []
    on = frozenset(line.removeprefix("CONFIG_").partition("=")[0] for line in lines if line.startswith("CONFIG_"))
    return BootFiles(arch, directory / VMLINUZ, directory / INITRAMFS, system, on)


def architecture(directory: Path) -> Arch:
    """The architecture of the artifacts in a directory; UsageError if it holds none of ours."""
    return ARCHES[build_info.read(directory)["arch"]]


def unpacked_kernel(kernel: Path, target: Path) -> Path:
    """The kernel itself, for boot loaders that do not unpack; written to `target` if it is packed with gzip."""
    content = kernel.read_bytes()
    if not content.startswith(_GZIP):
        return kernel
    target.write_bytes(gzip.decompress(content))
    return target


def _check_system(path: Path) -> None:
    with path.open("rb") as file:
        head = file.read(_SQUASHFS_LENGTH.stop)
    wanted_bytes = int.from_bytes(head[_SQUASHFS_LENGTH], "little")
    if not head.startswith(_SQUASHFS):
        problem = "it is no SquashFS image"
    elif (size_bytes := path.stat().st_size) < wanted_bytes:
        problem = f"it is cut off: {size_bytes} of {wanted_bytes} bytes are there"
    else:
        return
    raise BuildError(f"the system image is damaged: {problem}", where=path, fix="Build it again.")
