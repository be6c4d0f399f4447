"""The services that a configuration switches on: kimitui's own and those that presets define."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from kimitui import image_users
from kimitui.build import contents, packages
from kimitui.config import Configuration
from kimitui.config_apply import Problem, raise_all
from kimitui.errors import Location
from kimitui.image_users import User
from kimitui.kconfig.names import from_kconfig, short
from kimitui.services import busybox_init, check, definitions, fields, mounts
from kimitui.services.accounts import accounts
from kimitui.services.files import File, text
from kimitui.services.model import Service
from kimitui.services.order import start_order


@dataclass(frozen=True)
class Chosen:
    """What starts in an image, in that order, the users it needs and the files it brings."""

    services: tuple[Service, ...]
    users: tuple[User, ...]
    files: Mapping[str, File]


def chosen(config: Configuration) -> Chosen:
    """What `config` switches on. Raises PresetError, with the place, for what cannot be."""
    services = tuple(_services(config))
    files = _files(config, services)
    raise_all([_located(config, problem) for problem in check.problems(services, _surroundings(config, files))])
    ordered = start_order(services)
    if any(service.name == "mounts" for service in services):
        files["etc/fstab"] = _fstab(config, services)
    if config.is_on("INIT_SYSTEM_BUSYBOX"):
        files = {**busybox_init.render(ordered, contained=config.is_on("HARDENING_CONTAINMENT")), **files}
    return Chosen(ordered, accounts(services, contents.users(config)), files)


def _services(config: Configuration) -> list[Service]:
    found = []
    for name, definition in definitions.load().items():
        if config.is_on(f"SERVICE_{name.upper()}"):
            values = {key: _setting(config, f"SERVICE_{name.upper()}_{key.upper()}") for key in definition.settings}
            found.append(definition.service(values))
    for name, value in config.further["services"].items():
        if isinstance(value, Mapping):
            service = fields.read(name, value)
            # Whatever somebody's own service does, it does in a system that is set up.
            found.append(replace(service, after=tuple(dict.fromkeys((*service.after, "mounts")))))
    return found


def _setting(config: Configuration, symbol: str) -> str:
    return str(from_kconfig(config.tree.syms[symbol]))


def _files(config: Configuration, services: tuple[Service, ...]) -> dict[str, File]:
    """What services bring besides what their init makes of them."""
    files: dict[str, File] = {}
    known = definitions.load()
    for service in services:
        if service.name in known:
            files |= known[service.name].files
    settings = {name: value for service in services for name, value in (service.sysctl or {}).items()}
    if settings:
        files["etc/sysctl.d/30-services.conf"] = text(*(f"{name} = {settings[name]}" for name in sorted(settings)))
    return files


def _fstab(config: Configuration, services: tuple[Service, ...]) -> File:
    protection = mounts.Protection(
        nodev=config.is_on("HARDENING_NODEV"),
        noexec=config.is_on("HARDENING_NOEXEC"),
        read_only=config.is_on("HARDENING_READ_ONLY_ROOT"),
        nosuid=config.is_on("HARDENING_NO_SETUID"),
    )
    return mounts.fstab(protection, mounts.writable(services, (user.home for user in contents.users(config))))


def _surroundings(config: Configuration, files: Mapping[str, File]) -> check.Surroundings:
    own = contents.files(config)
    switches = [entry for entry in config.names.entries.values() if entry.section == "busybox" and entry.type == "bool"]
    on = {short(entry.prompt) for entry in switches if config.is_on(entry.symbol)}
    # The shells behind these names are chosen; the members of the choice are called by the shell.
    on |= {name for name in ("sh", "bash") if not config.is_on(f"BUSYBOX_{name.upper()}_IS_NONE")}
    offered = {short(entry.prompt): f"busybox: {{ {entry.key}: true }}" for entry in switches}
    for package in packages.load().values():
        for path in package.programs:
            if package.symbol and config.is_on(package.symbol):
                on.add(path)
            elif package.symbol:
                offered[path] = f"packages: {{ {config.names.by_symbol[package.symbol].key}: true }}"
    names = {name for name, value in config.further["services"].items() if isinstance(value, Mapping)}

    def is_on(section: str, key: str) -> bool:
        if section == "kernel" and "vmlinuz" not in config.family("IMAGE_FORMATS"):
            return True  # whatever kernel there will be is not ours
        entry = config.names.entries.get((section, key))
        return bool(entry.value(config.tree) if entry else config.further.get(section, {}).get(key))

    return check.Surroundings(
        names=names | definitions.load().keys(),
        users={user.name for user in contents.users(config)} | image_users.existing_names(),
        programs=on | files.keys() | (own.names if own else frozenset()),
        offered=offered,
        is_on=is_on,
        starts_services=config.is_on("INIT_SERVICES"),
        supervises=config.is_on("INIT_SUPERVISION"),
    )


def _located(config: Configuration, problem: check.Problem) -> Problem:
    where = Location(config.preset.path)
    for preset in config.chain:
        if isinstance(fields_ := preset.sections.get("services", {}).get(problem.service), Mapping):
            if not problem.path or problem.path[0] in fields_ or where == Location(config.preset.path):
                where = preset.locate("services", problem.service, problem.path)
        elif problem.service in preset.sections.get("services", {}):
            where = preset.locate("services", problem.service)
    return Problem(where, f"services.{problem.service}: {problem.what}", problem.fix)
