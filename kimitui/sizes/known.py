"""What was built already: the true sizes of steps' outputs, looked up in the store by their keys."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from kimitui.build import toolchain as toolchains
from kimitui.build.plan import Plan
from kimitui.build.step import keys
from kimitui.build.store import peek
from kimitui.config import Configuration
from kimitui.sizes.beside import planned

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


def outputs(config: Configuration, cache_dir: Path, digest: str) -> tuple[Mapping[str, int], Mapping[str, int]]:
    """Of what is in the store already: bytes by component, and by artifact; `layer` is that of a container image."""
    plan = planned(config, digest, cache_dir)
    found = {
        name: entry.output
        for name, key in keys(plan.steps, digest).items()
        if (entry := peek(cache_dir, key)) is not None
    }
    return _components(plan, found), {
        name: (found[step] / name).stat().st_size
        for step, name in _FILES.items()
        if step in found and (found[step] / name).is_file()
    }


def _components(plan: Plan, found: Mapping[str, Path]) -> dict[str, int]:
    components = {}
    if (output := found.get(plan.busybox.name)) is not None:
        components["busybox"] = (output / "busybox").stat().st_size
    for step in (*plan.packages, *plan.containment):
        if (output := found.get(step.name)) is not None:
            root = output / "root"
            components[step.name] = sum(path.lstat().st_size for path in root.rglob("*") if _is_plain(path))
    return components


def _is_plain(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()
