"""The texts of a preset that must say something: a size, a command line, a host name, users.

Kconfig knows only that they are texts. They are checked when a preset is read, so that a build can rely on them.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping

from kimitui import image_users
from kimitui.errors import UsageError
from kimitui.sizes.units import parse_size

_LARGEST_BYTES = 10**15
_HOST_NAME_LENGTH = 64  # HOST_NAME_MAX of Linux, see gethostname(2)
_HOST_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._/-]*[A-Za-z0-9])?")
_PORT = re.compile(r"(?P<port>[0-9]{1,5})(/(tcp|udp|sctp))?")
_PASSWORD_HASHES = ("des", "md5", "sha256", "sha512", "yescrypt")  # crypt_make_pw_salt() of BusyBox


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


def environment(text: str) -> dict[str, str]:
    """Variables in words such as `LANG=C.UTF-8`, by name. Raises UsageError for what is none."""
    return _pairs(text, _VARIABLE, "a variable", "LANG=C.UTF-8")


def labels(text: str) -> dict[str, str]:
    """Labels in words such as `org.example.team=core`, by name. Raises UsageError for what is none."""
    return _pairs(text, _LABEL, "a label", "org.example.team=core")


def ports(text: str) -> tuple[str, ...]:
    """Ports with their protocols, such as `80/tcp`. Raises UsageError for what is none."""
    found = []
    for word in words(text):
        match = _PORT.fullmatch(word)
        if not match or not 1 <= int(match["port"]) <= 65535:
            raise UsageError(f'"{word}" is no port', fix="ports are written as 80, 443/tcp or 53/udp")
        found.append(word if "/" in word else f"{word}/tcp")
    return tuple(dict.fromkeys(found))


def _pairs(text: str, name: re.Pattern[str], what: str, example: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for word in words(text):
        key, equals, value = word.partition("=")
        if not equals or not name.fullmatch(key):
            raise UsageError(f'"{word}" is not {what}', fix=f"write NAME=value, such as {example}; quote blanks")
        if key in pairs:
            raise UsageError(f'"{key}" is there twice')
        pairs[key] = value
    return pairs


def _directory(text: str) -> None:
    if not text.startswith("/") or ".." in text.split("/"):
        raise UsageError(f'"{text}" is not a directory of the image', fix="write a path that begins with a slash")


def _password_hash(text: str) -> None:
    if text not in _PASSWORD_HASHES:
        raise UsageError(f'there is no password hash "{text}"', fix=f"there are {', '.join(_PASSWORD_HASHES)}")


def _host_name(text: str) -> None:
    if len(text) > _HOST_NAME_LENGTH or not _HOST_NAME.fullmatch(text):
        raise UsageError(
            f'"{text}" is not a host name',
            fix=f"letters, digits and hyphens, and dots between them; at most {_HOST_NAME_LENGTH} characters",
        )


_CHECKERS: Mapping[str, Callable[[str], object]] = {
    "BUSYBOX_FEATURE_DEFAULT_PASSWD_ALGO": _password_hash,
    "IMAGE_BUDGET": budget_bytes,
    "IMAGE_COMMAND": words,
    "IMAGE_ENTRYPOINT": words,
    "IMAGE_ENV": environment,
    "IMAGE_HOSTNAME": _host_name,
    "IMAGE_LABELS": labels,
    "IMAGE_PORTS": ports,
    "IMAGE_USER": image_users.check_run_as,
    "IMAGE_USERS": image_users.parse,
    "IMAGE_WORKDIR": _directory,
}
