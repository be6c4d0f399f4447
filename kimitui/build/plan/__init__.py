"""From a configuration to the graph of steps that makes it. Reads the builder's files, runs nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kimitui.build.arch import ARCHES, Arch
from kimitui.build.flags import flags
from kimitui.build.plan import rootfs as root
from kimitui.build.plan import userland
from kimitui.build.plan.context import Context, Source
from kimitui.build.release import Release
from kimitui.build.step import Step, in_order
from kimitui.config import Configuration

__all__ = ["Plan", "Source", "components", "plan"]


@dataclass(frozen=True)
class Plan:
    """`steps` are in an order in which every step follows those it uses; `layer` is None where it is not packed."""

    arch: Arch
    steps: tuple[Step, ...]
    rootfs: Step
    busybox: Step
    layer: Step | None


def components(config: Configuration) -> tuple[str, ...]:
    """The components whose sources a configuration needs, by their names in the lock."""
    fortify = () if config.choice("HARDENING_FORTIFY") == "none" else ("fortify-headers",)
    return ("linux", "musl", "busybox", *fortify)


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
    musl = userland.musl(context)
    libraries = (headers, musl, *userland.fortify_headers(context))
    busybox = userland.busybox(context, userland.busybox_source(context), *libraries)
    rootfs = root.rootfs(context, busybox, musl)
    layer = root.layer(context, rootfs)
    return Plan(
        arch=arch,
        steps=in_order((rootfs, *([layer] if layer else []))),
        rootfs=rootfs,
        busybox=busybox,
        layer=layer,
    )
