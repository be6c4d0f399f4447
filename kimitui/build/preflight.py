"""What of a configuration is checked or read before anything is built."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from kimitui import config_texts
from kimitui.build import disk
from kimitui.build.step import StepSource
from kimitui.config import Configuration


def check_output(target: Path) -> None:
    """Raise MachineError if it is plain beforehand that artifacts cannot be put at `target`."""
    refused = disk.refusal(target.parent)
    if refused is None and target.exists() and not target.is_dir():
        refused = NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
    if refused is not None:
        # Not at the top: `kimitui check` must not wait for what only builds need.
        from kimitui.build.artifacts import directory

        raise directory.unwritable(target, refused)


def needs_upstream(config: Configuration) -> bool:
    """Whether the preset sets symbols that only the upstream tree knows."""
    return bool(config.upstream["busybox"])


def check_upstream(config: Configuration, busybox: StepSource, trees: Path) -> None:
    """Raise PresetError, with the place, for what BusyBox's own tree does not know or does not allow.

    `trees` is the cache directory of upstream trees.
    """
    if needs_upstream(config):
        # Not at the top: reading a preset must not wait for what reads whole source trees.
        from kimitui.kconfig.busybox import upstream_tree

        config.validate_upstream("busybox", upstream_tree(busybox.path, trees, busybox.digest))


def budget_bytes(config: Configuration) -> int | None:
    """The size budget in bytes; None without one."""
    return config_texts.budget_bytes(config.string("IMAGE_BUDGET"))


def words(config: Configuration, symbol: str) -> tuple[str, ...]:
    """A command line split as a shell would."""
    return config_texts.words(config.string(symbol))
