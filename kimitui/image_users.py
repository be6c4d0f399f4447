"""The users of an image: what `image.users` and `image.user` say.

Nothing here knows of a build; the names and numbers that every image has are those in `builder/skeleton/etc`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from kimitui import resources
from kimitui.errors import UsageError

FIRST_UID = 1000
"""Where numbers begin that nobody asked for, as on other systems."""

_LAST_UID = 65533  # 65534 is nobody's, and more do not fit into every archive
_NAME = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
_PATH = re.compile(r"(/[A-Za-z0-9_+-][A-Za-z0-9._+-]*)+")
_MOUNTED = ("/dev", "/proc", "/run", "/sys", "/tmp", "/var/lock", "/var/run")
_OWN = (
    *("/bin", "/etc", "/home", "/lib", "/mnt", "/opt", "/root", "/sbin", "/usr", "/var", "/usr/bin", "/usr/lib"),
    *("/usr/sbin", "/usr/share", "/var/cache", "/var/lib", "/var/log", "/var/spool", "/var/tmp"),
)
_NOTATION = 'users are written as name[:uid[:home[:shell]]] with commas between them, such as "app:1000, web"'


@dataclass(frozen=True)
class User:
    """One user, with a group of the same name and number; `home` is "/" for none of its own."""

    name: str
    uid: int
    home: str
    shell: str


def parse(text: str) -> tuple[User, ...]:
    """The users in a text such as `app:1000, web::/srv/web`. Raises UsageError for what cannot be."""
    taken = dict(_existing())
    asked: list[tuple[str, int | None, str, str]] = []
    for item in text.split(",") if text.strip() else ():
        fields = [field.strip() for field in item.split(":")]
        name, uid, home, shell = (*fields, "", "", "", "")[:4]
        if len(fields) > 4 or not name:
            raise UsageError(f'"{item.strip()}" is no user', fix=_NOTATION)
        if not _NAME.fullmatch(name):
            raise UsageError(
                f'"{name}" is not a name for a user',
                fix="names have small letters, digits, underscores and hyphens, a letter first; at most 32 characters",
            )
        if name in taken:
            raise UsageError(f'every image has a user or group "{name}" already', fix="choose another name")
        if name in (other for other, *_ in asked):
            raise UsageError(f'the user "{name}" is there twice')
        asked.append((name, _uid(name, uid) if uid else None, home or f"/home/{name}", shell or "/bin/sh"))
    used = {number: name for name, number in taken.items()}
    for name, number, _, _ in asked:
        if number is not None:
            if number in used:
                raise UsageError(f'"{name}" cannot have the number {number}: it is that of "{used[number]}"')
            used[number] = name
    users = []
    for name, number, home, shell in asked:
        uid_ = number if number is not None else next(n for n in range(FIRST_UID, _LAST_UID) if n not in used)
        used[uid_] = name
        users.append(User(name, uid_, _home(name, home), _shell(name, shell)))
    _check_apart(users)
    return tuple(users)


def existing_names() -> frozenset[str]:
    """The names of the users that every image has."""
    return frozenset(name for name, *_ in _passwd())


def run_as(text: str, users: Sequence[User]) -> str | None:
    """What a container engine is told to run as: `uid:gid`, or None for root.

    `text` is a name or a number. The answer is always a number, for only with that can Kubernetes see that it is
    not root. Raises UsageError for a name that nobody has.
    """
    if text.isascii() and text.isdigit():
        return f"{int(text)}:{int(text)}" if int(text) else None
    numbers = {user.name: user.uid for user in users} | {name: uid for name, uid, _ in _passwd()}
    if text not in numbers:
        raise UsageError(
            f'the image has no user "{text}"', fix=f"add it to image.users, or choose one of {', '.join(numbers)}"
        )
    return f"{numbers[text]}:{numbers[text]}" if numbers[text] else None


def check_run_as(text: str) -> None:
    """Raise UsageError if `text` can be neither a user's name nor a number."""
    if not (_NAME.fullmatch(text) or (text.isascii() and text.isdigit() and int(text) <= _LAST_UID + 1)):
        raise UsageError(f'"{text}" is neither the name of a user nor a number', fix='write "root" for no other user')


def passwd(users: Sequence[User]) -> str:
    """The lines of /etc/passwd for `users`."""
    return "".join(f"{user.name}:x:{user.uid}:{user.uid}:{user.name}:{user.home}:{user.shell}\n" for user in users)


def group(users: Sequence[User]) -> str:
    """The lines of /etc/group for `users`."""
    return "".join(f"{user.name}:x:{user.uid}:\n" for user in users)


def shadow(users: Sequence[User]) -> str:
    """The lines of /etc/shadow for `users`: no password fits."""
    return "".join(f"{user.name}:!::0:::::\n" for user in users)


def _uid(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= _LAST_UID):
        raise UsageError(f'"{name}" cannot have the number "{text}"', fix=f"numbers are from 1 to {_LAST_UID}")
    return int(text)


def _home(name: str, path: str) -> str:
    if path == "/":
        return path
    if not _PATH.fullmatch(path):
        raise UsageError(
            f'"{path}" is no home for "{name}"', fix='a home is a path such as /srv/web, or "/" for none of its own'
        )
    if path in _OWN or any(f"{path}/".startswith(f"{place}/") for place in _MOUNTED):
        raise UsageError(f'{path} cannot belong to "{name}": the system needs it', fix="choose a directory below it")
    return path


def _shell(name: str, path: str) -> str:
    if not _PATH.fullmatch(path):
        raise UsageError(f'"{path}" is no shell for "{name}"', fix="a shell is a path such as /bin/sh or /bin/false")
    return path


def _check_apart(users: Sequence[User]) -> None:
    homes = [user for user in users if user.home != "/"]
    for user in homes:
        for other in homes:
            if other is not user and f"{other.home}/".startswith(f"{user.home}/"):
                raise UsageError(f'the home of "{other.name}" is in that of "{user.name}": {other.home}')


def _existing() -> Iterator[tuple[str, int]]:
    """Names of users and groups that every image has, with their numbers."""
    for name, uid, _ in _passwd():
        yield name, uid
    for line in _lines("group"):
        name, _, gid, _ = line.split(":")
        yield name, int(gid)


def _passwd() -> Iterator[tuple[str, int, int]]:
    for line in _lines("passwd"):
        name, _, uid, gid, *_ = line.split(":")
        yield name, int(uid), int(gid)


@cache
def _lines(name: str) -> tuple[str, ...]:
    return tuple((resources.BUILDER_DIR / "skeleton" / "etc" / name).read_text().splitlines())
