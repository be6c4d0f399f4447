"""What a machine boots: the kernel with what belongs to it, the system image, the initramfs."""

from __future__ import annotations

from pathlib import Path

from kimitui.build.artifacts import directory
from kimitui.build.artifacts.made import Made

VMLINUZ = "vmlinuz"
CONFIG = "kernel.config"
SYSTEM = "system.squashfs"
INITRAMFS = "initramfs.cpio.zst"


def kernel(made: Made) -> Path | None:
    """The kernel that was built, if one is asked for."""
    return made.entries[made.plan.linux.name].output / VMLINUZ if made.plan.linux else None


def write(staging: Path, made: Made) -> None:
    """Write to `staging` what of these the configuration asks for."""
    plan = made.plan
    if vmlinuz := kernel(made):
        output = vmlinuz.parent
        directory.copy(vmlinuz, staging / VMLINUZ)
        directory.copy(output / "System.map.zst", staging / "System.map.zst")
        directory.copy(made.entries["linux-config"].output / "kernel.config", staging / CONFIG)
        if (output / "dtbs.tar").exists():
            directory.copy(output / "dtbs.tar", staging / "dtbs.tar")
    if plan.squashfs:
        directory.copy(made.entries[plan.squashfs.name].output / "system.squashfs", staging / SYSTEM)
    if plan.initramfs:
        directory.copy(made.entries[plan.initramfs.name].output / "initramfs.cpio.zst", staging / INITRAMFS)
