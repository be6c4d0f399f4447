"""What a preset adds to an image of its own: users, and files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kimitui import image_users
from kimitui.config import Configuration
from kimitui.errors import PresetError, UsageError

if TYPE_CHECKING:
    from kimitui.build import overlay


def check(config: Configuration) -> None:
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
    from kimitui.build import overlay  # not at the top: archives take time to import, and few presets bring files

    found = overlay.read(where.path.parent / text, where)
    lost = sorted(found.names & {"etc/passwd", "etc/group", "etc/shadow"})
    if lost and config.string("IMAGE_USERS"):
        raise PresetError(
            f"image.files: {lost[0]} in it would take the place of the one with image.users",
            where=where,
            fix="leave one of the two out",
        )
    return found
