"""What was built already: the true sizes of steps' outputs, looked up in the store by their keys."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from kimitui.build import toolchain as toolchains
from kimitui.build.plan import Plan
from kimitui.build.step import keys
from kimitui.build.store import peek
from kimitui.config import Configuration
from kimitui.sizes import brought
from kimitui.sizes.beside import MUSL, planned, shares_library
from kimitui.sizes.brought import Brought

# The file of a step that is an artifact as it is, or the layer of one.
_FILES = {
    "rootfs": "rootfs.tar",
    "layer": "layer",
    "squashfs": "system.squashfs",
    "initramfs": "initramfs.cpio.zst",
    "linux": "vmlinuz",
}


def toolchain_digest(cache_dir: Path) -> str | None:
    """The digest of the toolchain that a build would use; None where it was not made yet."""
    found = toolchains.find(cache_dir, toolchains.load_definition())
    return found.digest if found else None


def outputs(config: Configuration, cache_dir: Path, digest: str) -> Mapping[str, int]:
    """Bytes of what is in the store already, such as `rootfs.tar`.

    `busybox` is the program, `layer` a container's, `linux` all that is installed with modules.
    """
    plan = planned(config, digest, cache_dir)
    found = _outputs(plan, cache_dir, digest)
    sizes = {
        name: (found[step] / name).stat().st_size
        for step, name in _FILES.items()
        if step in found and (found[step] / name).is_file()
    }
    if plan.busybox.name in found:
        sizes["busybox"] = (found[plan.busybox.name] / "busybox").stat().st_size
    if "linux" in found and (modules := [path for path in (found["linux"] / "lib").rglob("*") if path.is_file()]):
        sizes["linux"] = sum(path.stat().st_size for path in modules)
    return sizes


def packages(plan: Plan, cache_dir: Path, digest: str) -> Mapping[str, Brought]:
    """By the names of their steps, what those packages of a plan bring that are in the store, and a shared musl."""
    found = _outputs(plan, cache_dir, digest)
    there = {
        step.name: brought.read(found[step.name] / "root")
        for step in (*plan.packages, *plan.containment)
        if step.name in found
    }
    if shares_library(plan) and MUSL in found:
        there[MUSL] = brought.read_library(plan.rootfs.parameters["LOADER"], found[MUSL])
    return there


def _outputs(plan: Plan, cache_dir: Path, digest: str) -> dict[str, Path]:
    return {
        name: entry.output
        for name, key in keys(plan.steps, digest).items()
        if (entry := peek(cache_dir, key)) is not None
    }
