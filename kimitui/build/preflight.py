"""What of a configuration is checked or read before anything is built."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from kimitui import config_texts, image_users
from kimitui.build import disk, overlay
from kimitui.build.artifacts import directory
from kimitui.build.step import StepSource
from kimitui.config import Configuration
from kimitui.errors import PresetError, UsageError


def check_output(target: Path) -> None:
    """Raise MachineError if it is plain beforehand that artifacts cannot be put at `target`."""
    refused = disk.refusal(target.parent)
    if refused is None and target.exists() and not target.is_dir():
        refused = NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
    if refused is not None:
        raise directory.unwritable(target, refused)


def check_image(config: Configuration) -> None:
    """Raise PresetError, with the place, for what single values cannot show: users and files that do not go together.

    MachineError where the files of `image.files` cannot be read.
    """
    users(config)
    run_as(config)
    files(config)


def users(config: Configuration) -> tuple[image_users.User, ...]:
    """The users that the image gets besides those that every image has."""
    return image_users.parse(config.string("IMAGE_USERS"))


def run_as(config: Configuration) -> str | None:
    """What a container engine is told to run as, None for root. Raises PresetError for a user who does not exist."""
    try:
        return image_users.run_as(config.string("IMAGE_USER"), users(config))
    except UsageError as error:
        where = config.where("image", "user")
        raise PresetError(f"image.user: {error.what}", where=where, fix=error.fix) from error


def files(config: Configuration) -> overlay.Overlay | None:
    """What is laid over the root file system, None for nothing.

    Raises PresetError, with the place, for what cannot be laid over it, MachineError for what cannot be read.
    """
    text = config.string("IMAGE_FILES")
    if not text:
        return None
    where = config.where("image", "files")
    found = overlay.read(where.path.parent / text, where)
    lost = sorted(found.names & {"etc/passwd", "etc/group", "etc/shadow"})
    if lost and config.string("IMAGE_USERS"):
        raise PresetError(
            f"image.files: {lost[0]} in it would take the place of the one with image.users",
            where=where,
            fix="leave one of the two out",
        )
    return found


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
