"""What is wrong with services that are each well formed, found before anything is built."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from kimitui import seccomp
from kimitui.kconfig.names import nearest
from kimitui.services.fields import Path
from kimitui.services.model import Service
from kimitui.services.order import CycleError, start_order

_PATH = ("usr/local/sbin", "usr/local/bin", "usr/sbin", "usr/bin", "sbin", "bin")


@dataclass(frozen=True)
class Problem:
    """Something about the service called `service`; `path` leads to the field that it concerns."""

    service: str
    path: Path
    what: str
    fix: str | None = None


@dataclass(frozen=True)
class Surroundings:
    """What services find in an image.

    `names` are those of all services that there could be, `users` those of the users there are. `programs` are the
    names of BusyBox' applets and the paths (without a slash before) of all other files, `offered` the same of programs
    that are off, with what switches them on. `is_on` says of a preset's section and key whether that is on,
    `starts_services` whether there is an init that does, `supervises` whether it watches over daemons.
    """

    names: Collection[str]
    users: Collection[str]
    programs: Collection[str]
    offered: Mapping[str, str]
    is_on: Callable[[str, str], bool]
    starts_services: bool
    supervises: bool


def problems(services: Sequence[Service], around: Surroundings) -> Iterator[Problem]:
    """All that is wrong with `services`, those that are on."""
    if services and not around.starts_services:
        name = services[0].name
        yield Problem(name, (), f"nothing would start {name}: the image has no init", 'add init: { system: "busybox" }')
        return
    on = {service.name for service in services}
    for service in services:
        yield from _others(service, on, around)
        yield from _users(service, around)
        yield from _programs(service, around)
        yield from _options(service, around)
        yield from _filters(service)
    yield from _ports(services)
    try:
        start_order(services)
    except CycleError as error:
        yield Problem(
            error.names[0],
            (),
            f"services wait for one another in a circle: {' → '.join(error.names)}",
            "take one of them out of needs or after",
        )


def _others(service: Service, on: Collection[str], around: Surroundings) -> Iterator[Problem]:
    for field, names in (("needs", service.needs), ("after", service.after)):
        for index, name in enumerate(names):
            if name not in around.names:
                close = nearest(name, around.names)
                fix = f'did you mean "{close}"?' if close else f"there are {', '.join(sorted(around.names))}"
                yield Problem(service.name, (field, index), f'there is no service "{name}"', fix)
            elif field == "needs" and name not in on:
                what = f"{service.name} needs {name}, which is off"
                yield Problem(service.name, (field, index), what, f"services: {{ {name}: true }} switches it on")


def _users(service: Service, around: Surroundings) -> Iterator[Problem]:
    places: list[tuple[Path, str]] = [(("user",), service.user)]
    places += [(("directories", index, "user"), one.user) for index, one in enumerate(service.directories) if one.user]
    for path, user in places:
        if user not in around.users and user != service.name:
            fix = f'add it to image.users, or leave it out for a user of its own, "{service.name}"'
            yield Problem(service.name, path, f'the image has no user "{user}"', fix)


def _programs(service: Service, around: Surroundings) -> Iterator[Problem]:
    for field, words in (("command", service.command), ("stop", service.stop)):
        if words and not _is_there(words[0], around.programs):
            options = [option for program, option in around.offered.items() if _is_there(words[0], {program})]
            fix = f"{options[0]} switches it on" if options else "bring it with image.files"
            yield Problem(service.name, (field,), f"the image has no program {words[0]}", fix)


def _is_there(program: str, programs: Collection[str]) -> bool:
    directory, name = posixpath.split(program)
    if not directory:
        return name in programs or any(posixpath.split(path) == (place, name) for path in programs for place in _PATH)
    # Applets are known by name only; in which of the directories one is, is upstream's to say.
    return program.removeprefix("/") in programs or (directory.removeprefix("/") in _PATH and name in programs)


def _options(service: Service, around: Surroundings) -> Iterator[Problem]:
    for section, symbols in (service.symbols or {}).items():
        for index, symbol in enumerate(symbols):
            if not around.is_on(section, symbol):
                what = f"{service.name} needs {section}.{symbol}, which is off"
                yield Problem(service.name, (section, index), what, f"{section}: {{ {symbol}: true }} switches it on")
    if service.kind == "daemon" and not around.supervises:
        what = f"{service.name} runs all the time, and nothing would watch over it"
        yield Problem(service.name, (), what, "init: { supervision: true } switches that on")


def _filters(service: Service) -> Iterator[Problem]:
    classes = seccomp.load()
    if isinstance(service.seccomp, str):
        if service.seccomp and service.seccomp not in classes.offered:
            fix = f"there are {', '.join(classes.offered)}; or a list of system calls and classes (@name)"
            yield Problem(service.name, ("seccomp",), f'there is no class of system calls "{service.seccomp}"', fix)
        return
    try:
        classes.resolve(service.seccomp)
    except ValueError as error:
        yield Problem(service.name, ("seccomp",), str(error))


def _ports(services: Sequence[Service]) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for service in services:
        for index, port in enumerate(service.ports):
            other = first.setdefault(port, service.name)
            if other != service.name:
                what = f"{service.name} and {other} both want port {port}"
                yield Problem(service.name, ("ports", index), what, "give one of them another, or switch it off")
