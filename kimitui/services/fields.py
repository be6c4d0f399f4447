"""The fields of a service as they are written: in a definition of kimitui's, or in a preset.

Both go through `read`, so what is wrong with one is said in the same words, with the path to it.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar, get_args

from kimitui.kconfig.names import nearest
from kimitui.services.model import DEFAULT_NAMESPACES, NAMESPACES, Directory, Kind, Policy, Restart, Service

NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")
NAMES = "names have small letters, digits, underscores and hyphens, a letter first; at most 32 characters"

_PATH = re.compile(r"(/[A-Za-z0-9_+@.-]+)+|/")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PORT = re.compile(r"(tcp|udp)/([0-9]{1,5})")
_WORD = re.compile(r"[a-z0-9_]+")
_CALL = re.compile(r"@?[a-z0-9_-]+")
_SYMBOL = re.compile(r"[A-Z0-9][A-Za-z0-9_]*")
_SETTING = re.compile(r"[a-z0-9_]+(\.[a-z0-9_-]+)+")
_MODE = re.compile(r"[0-7]{3,4}")
_SECTIONS = {"kernel": _SYMBOL, "busybox": _SYMBOL, "packages": _WORD}
_LONGEST_DELAY_SECONDS = 3600

Path = tuple[str | int, ...]
Word = TypeVar("Word", bound=str)


class UnfitFieldError(Exception):
    """A field that cannot be as it is; `path` leads to it from the service."""

    def __init__(self, path: Path, what: str, fix: str | None = None) -> None:
        super().__init__(what)
        self.path = path
        self.what = what
        self.fix = fix


def read(name: str, fields: Mapping[str, object]) -> Service:
    """The service called `name` with these fields; one without a command has an empty one. Raises UnfitFieldError."""
    given = _Fields(fields)
    kind = given.word("kind", get_args(Kind), "daemon")
    service = Service(
        name=name,
        kind=kind,
        description=given.text("description"),
        command=given.command("command"),
        stop=given.command("stop"),
        ready=given.text("ready"),
        needs=given.words("needs", NAME, "a service"),
        after=given.words("after", NAME, "a service"),
        user=given.text("user", name if kind == "daemon" else "root", NAME, "the name of a user"),
        uid=given.number("uid", 1, 999),
        directories=given.each("directories", _directory),
        environment=given.texts("environment", _VARIABLE, "a variable"),
        restart=_restart(given.inner("restart")),
        namespaces=given.words("namespaces", NAMESPACES, "a namespace", DEFAULT_NAMESPACES),
        capabilities=given.words("capabilities", _WORD, "a capability, such as net_bind_service"),
        seccomp=given.text("seccomp") if isinstance(fields.get("seccomp", ""), str) else given.words("seccomp", _CALL),
        write=given.words("write", _PATH, "a path"),
        limits=given.texts("limits", re.compile(r"[a-z]+(\.[a-z_]+)?"), "a limit, such as namespaces.pid"),
        sysctl=given.texts("sysctl", _SETTING, "a setting, such as net.ipv4.ip_forward"),
        symbols={section: found for section, what in _SECTIONS.items() if (found := given.words(section, what))},
        ports=given.words("ports", _PORT, "a port, such as tcp/80"),
        container=_container(given),
        insecure=given.text("insecure"),
    )
    given.nothing_else()
    if kind != "oneshot" and service.stop:
        raise UnfitFieldError(("stop",), "is for a oneshot: a program that runs is sent SIGTERM", "leave it out")
    if kind != "daemon" and "restart" in fields:
        raise UnfitFieldError(("restart",), "is for a daemon", "leave it out")
    for index, port in enumerate(service.ports):
        if not 1 <= int(port.partition("/")[2]) <= 65535:
            raise UnfitFieldError(("ports", index), f'"{port}" is no port: they are from 1 to 65535')
    return service


class _Fields:
    """An object whose members are taken one by one; what is left at the end should not be there."""

    def __init__(self, values: Mapping[str, object], path: Path = ()) -> None:
        self._values = values
        self._path = path
        self._known: list[str] = []

    def _take(self, key: str) -> object:
        self._known.append(key)
        return self._values.get(key)

    def _wrong(self, key: str, what: str, fix: str | None = None, *further: str | int) -> UnfitFieldError:
        return UnfitFieldError((*self._path, key, *further), what, fix)

    def nothing_else(self) -> None:
        """Raise UnfitFieldError if there is a member that nobody asked for."""
        for key in self._values:
            if key not in self._known:
                close = nearest(key, self._known)
                fix = f'did you mean "{close}"?' if close else f"there are {', '.join(self._known)}"
                raise self._wrong(key, "there is no such field", fix)

    def text(self, key: str, default: str = "", pattern: re.Pattern[str] | None = None, what: str = "") -> str:
        """A text in one line, `what` it is if it has to be of a form."""
        value = self._take(key)
        if value is None:
            return default
        if not isinstance(value, str) or not value.isprintable():
            raise self._wrong(key, "must be text in quotes, in one line")
        if pattern and not pattern.fullmatch(value):
            raise self._wrong(key, f'"{value}" is not {what}')
        return value

    def word(self, key: str, words: tuple[Word, ...], default: Word) -> Word:
        """One of `words`."""
        value = self.text(key, default)
        for word in words:
            if word == value:
                return word
        raise self._wrong(key, f'must be one of {", ".join(words)}, not "{value}"')

    def number(self, key: str, least: int, most: int) -> int | None:
        """A whole number, None where there is none."""
        value = self._take(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise self._wrong(key, f"must be a whole number from {least} to {most}")
        return value

    def command(self, key: str) -> tuple[str, ...]:
        """A command in words."""
        try:
            return tuple(shlex.split(self.text(key)))
        except ValueError as error:
            raise self._wrong(key, f"cannot be split into words: {str(error).lower()}") from None

    def words(
        self,
        key: str,
        allowed: re.Pattern[str] | Sequence[str],
        what: str = "a word",
        default: tuple[str, ...] = (),
    ) -> tuple[str, ...]:
        """A list of texts without repetition."""
        value = self._take(key)
        if value is None:
            return default
        if not isinstance(value, list):
            raise self._wrong(key, "must be a list of texts")
        for index, word in enumerate(value):
            fits = isinstance(word, str) and (
                allowed.fullmatch(word) if isinstance(allowed, re.Pattern) else word in allowed
            )
            if not fits:
                fix = None if isinstance(allowed, re.Pattern) else f"there are {', '.join(allowed)}"
                raise self._wrong(key, f"{_shown(word)} is not {what}", fix, index)
            if word in value[:index]:
                raise self._wrong(key, f"{_shown(word)} is there twice", None, index)
        return tuple(value)

    def texts(self, key: str, pattern: re.Pattern[str], what: str) -> dict[str, str]:
        """Texts by name; numbers are texts, too."""
        found = {}
        for name, text in self._object(key).items():
            if not pattern.fullmatch(name):
                raise self._wrong(key, f'"{name}" is not {what}', None, name)
            if isinstance(text, bool) or not isinstance(text, str | int) or not str(text).isprintable():
                raise self._wrong(key, "must be text in quotes, in one line", None, name)
            found[name] = str(text)
        return found

    def inner(self, key: str) -> _Fields:
        """An object in this one."""
        return _Fields(self._object(key), (*self._path, key))

    def each(self, key: str, make: Callable[[_Fields], Directory]) -> tuple[Directory, ...]:
        """What `make` makes of every object in a list."""
        value = self._take(key)
        if value is None:
            return ()
        if not isinstance(value, list):
            raise self._wrong(key, "must be a list of objects")
        for index, item in enumerate(value):
            if not isinstance(item, dict):
                raise self._wrong(key, 'must be an object such as { path: "/var/lib/app" }', None, index)
        return tuple(make(_Fields(item, (*self._path, key, index))) for index, item in enumerate(value))

    def is_flag(self, key: str) -> bool:
        """Whether the member is `true`; anything else is left to be read as what it is."""
        if self._values.get(key) is not True:
            return False
        self._take(key)
        return True

    def _object(self, key: str) -> Mapping[str, object]:
        value = self._take(key)
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise self._wrong(key, "must be an object")
        return value


def _directory(fields: _Fields) -> Directory:
    found = Directory(
        path=fields.text("path", "", _PATH, "a path"),
        mode=int(fields.text("mode", "0755", _MODE, 'a mode such as "0750"'), 8),
        user=fields.text("user", "", NAME, "the name of a user"),
    )
    fields.nothing_else()
    if not found.path:
        raise UnfitFieldError(fields._path, "a directory needs a path")
    return found


def _restart(fields: _Fields) -> Restart:
    default = Restart()
    limit, delay = fields.number("limit", 0, 1000), fields.number("delay_seconds", 0, _LONGEST_DELAY_SECONDS)
    found = Restart(
        policy=fields.word("policy", get_args(Policy), default.policy),
        limit=default.limit if limit is None else limit,
        delay_seconds=default.delay_seconds if delay is None else delay,
    )
    fields.nothing_else()
    return found


def _container(fields: _Fields) -> str:
    """Why the service is left out in a container: `true` is no reason."""
    return "" if fields.is_flag("container") else fields.text("container")


def _shown(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else "this"
