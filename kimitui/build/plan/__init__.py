"""From a configuration to the graph of steps that makes it. Reads the builder's files, runs nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kimitui.build import packages as definitions
from kimitui.build.arch import ARCHES, Arch
from kimitui.build.flags import flags
from kimitui.build.plan import boot, containment, kernel, packages, userland
from kimitui.build.plan import rootfs as root
from kimitui.build.plan.context import Context, Source
from kimitui.build.release import Release
from kimitui.build.step import Step, in_order
from kimitui.config import Configuration

__all__ = ["Phase", "Plan", "Source", "components", "plan"]


Phase = Literal["lower", "upper", "pack"]


@dataclass(frozen=True)
class Plan:
    """`steps` are in an order in which every step follows those it uses.

    `layer` is None where it is not packed, the last three where the configuration does not ask for them.
    """

    arch: Arch
    steps: tuple[Step, ...]
    rootfs: Step
    busybox: Step
    packages: tuple[Step, ...]
    containment: tuple[Step, ...]
    layer: Step | None
    linux: Step | None
    squashfs: Step | None
    initramfs: Step | None

    def until(self, phase: Phase) -> tuple[Step, ...]:
        """The steps of a phase and those before it: `lower` makes the components, `upper` the root file system."""
        lower = tuple(step for step in (self.linux, self.busybox, *self.packages, *self.containment) if step)
        ends = {"lower": lower, "upper": (*lower, self.rootfs), "pack": self.steps}
        return in_order(ends[phase])


def components(config: Configuration) -> tuple[str, ...]:
    """The components whose sources a configuration needs, by their names in the lock."""
    fortify = () if config.choice("HARDENING_FORTIFY") == "none" else ("fortify-headers",)
    return ("linux", "musl", "busybox", *fortify, *definitions.components(config))


def plan(
    config: Configuration,
    *,
    sources: Mapping[str, Source],
    release: Release,
    toolchain_digest: str,
    trees: Path,
) -> Plan:
    """The steps of a configuration.

    `sources` holds every one of `components(config)`; `trees` is the cache directory of upstream Kconfig trees.
    """
    arch = ARCHES[config.choice("IMAGE_ARCH")]
    context = Context(config, arch, flags(config), sources, release, toolchain_digest, trees)
    headers = userland.linux_headers(context)
    linker = userland.linker(context)
    musl = userland.musl(context, *linker)
    libraries = (headers, *linker, musl, *userland.fortify_headers(context))
    busybox_tree = userland.busybox_source(context)
    busybox = userland.busybox(context, busybox_tree, *libraries)
    programs = packages.steps(context, libraries)
    limits = containment.steps(context, libraries)
    linux = kernel.linux(context) if context.has_format("vmlinuz") else None
    rootfs = root.rootfs(context, busybox, (*programs, *limits), musl, linux)
    layer = root.layer(context, rootfs)
    squashfs = boot.squashfs(context, rootfs) if context.has_format("squashfs") else None
    initramfs = boot.initramfs(context, busybox_tree, *libraries) if context.has_format("initramfs") else None
    wanted = (linux, rootfs, layer, squashfs, initramfs)
    return Plan(
        arch=arch,
        steps=in_order(tuple(step for step in wanted if step)),
        rootfs=rootfs,
        busybox=busybox,
        packages=programs,
        containment=limits,
        layer=layer,
        linux=linux,
        squashfs=squashfs,
        initramfs=initramfs,
    )
