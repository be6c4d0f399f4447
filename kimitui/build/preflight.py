"""What of a configuration is checked or read before anything is built."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from kimitui import config_texts
from kimitui.build import disk
from kimitui.config import Configuration
from kimitui.errors import PresetError

if TYPE_CHECKING:
    from kimitui.build.plan.context import Source


def check_output(target: Path) -> None:
    """Raise MachineError if it is plain beforehand that artifacts cannot be put at `target`."""
    refused = disk.refusal(target.parent)
    if refused is None and target.exists() and not target.is_dir():
        refused = NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
    if refused is not None:
        # Not at the top: `kimitui check` must not wait for what only builds need.
        from kimitui.build.artifacts import directory

        raise directory.unwritable(target, refused)


def needed_upstream(config: Configuration) -> tuple[str, ...]:
    """The components in whose own trees symbols are to be looked up that the preset sets and the menu does not have."""
    kernel = bool(config.further["kernel"]) and "vmlinuz" in config.family("IMAGE_FORMATS")
    return (*(("busybox",) if config.further["busybox"] else ()), *(("linux",) if kernel else ()))


def check_upstream(config: Configuration, sources: Mapping[str, Source], trees: Path) -> None:
    """Raise PresetError, with the place, for what the trees of BusyBox and Linux do not know or do not allow.

    `sources` holds those of `needed_upstream(config)`; `trees` is the cache directory of upstream trees.
    """
    # Not at the top: reading a preset must not wait for what reads whole source trees.
    if "busybox" in needed_upstream(config):
        from kimitui.kconfig import busybox

        source = sources["busybox"]
        config.validate_upstream("busybox", busybox.upstream_tree(source.path, trees, source.digest))
    if "linux" in needed_upstream(config):
        from kimitui.kconfig import linux

        source, arch = sources["linux"], config.choice("IMAGE_ARCH")
        tree = linux.upstream_tree(source.path, trees, source.digest, arch)
        config.validate_upstream("kernel", tree, beneath=linux.beneath(tree, arch))
        if linux.makes_key(tree):
            raise PresetError(
                "kernel.MODULE_SIG cannot be built: the key that it signs with would be another in every build",
                where=config.where("kernel", "MODULE_SIG"),
                fix='leave it out, or set MODULE_SIG_KEY: "" for a kernel that trusts no key of the build',
            )


def budget_bytes(config: Configuration) -> int | None:
    """The size budget in bytes; None without one."""
    return config_texts.budget_bytes(config.string("IMAGE_BUDGET"))


def words(config: Configuration, symbol: str) -> tuple[str, ...]:
    """A command line split as a shell would."""
    return config_texts.words(config.string(symbol))
