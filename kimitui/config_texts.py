"""The texts of a preset that must say something: a size, a command line, a host name.

Kconfig knows only that they are texts. They are checked when a preset is read, so that a build can rely on them.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping

from kimitui.errors import UsageError
from kimitui.sizes.units import parse_size

_LARGEST_BYTES = 10**15
_HOST_NAME_LENGTH = 64  # HOST_NAME_MAX of Linux, see gethostname(2)
_HOST_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*")


def check(symbol: str, text: str) -> None:
    """Raise UsageError if the string symbol of that name cannot have this value."""
    if checker := _CHECKERS.get(symbol):
        checker(text)


def budget_bytes(text: str) -> int | None:
    """The bytes of a size budget, None for an empty one. Raises UsageError if it is not a size."""
    if not text:
        return None
    size_bytes = parse_size(text)
    if size_bytes > _LARGEST_BYTES:
        raise UsageError("that is more than any image can have", fix="leave the budget empty for no limit")
    return size_bytes


def words(text: str) -> tuple[str, ...]:
    """A command line split as a shell would. Raises UsageError for an open quote."""
    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        raise UsageError(f"'{text}' cannot be split into words: {str(error).lower()}") from error


def _host_name(text: str) -> None:
    if len(text) > _HOST_NAME_LENGTH or not _HOST_NAME.fullmatch(text):
        raise UsageError(
            f'"{text}" is not a host name',
            fix=f"letters, digits and hyphens, and dots between them; at most {_HOST_NAME_LENGTH} characters",
        )


_CHECKERS: Mapping[str, Callable[[str], object]] = {
    "IMAGE_BUDGET": budget_bytes,
    "IMAGE_COMMAND": words,
    "IMAGE_ENTRYPOINT": words,
    "IMAGE_HOSTNAME": _host_name,
}
