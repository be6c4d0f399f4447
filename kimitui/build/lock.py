"""The lock file `builder/sources.json5`: which sources go into an image, and where they can be had."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from kimitui.build import definition
from kimitui.errors import UsageError
from kimitui.resources import BUILDER_DIR

LOCK_FILE = BUILDER_DIR / "sources.json5"


@dataclass(frozen=True)
class DebianSource:
    """The Debian source package (and the suite it is in) that carries an archive."""

    package: str
    version: str
    suite: str

    def __str__(self) -> str:
        return f"Debian source package {self.package}={self.version} ({self.suite})"


@dataclass(frozen=True)
class Archive:
    """One archive of a component's sources, identified by `sha256` (64 hexadecimal digits)."""

    component: str
    version: str
    file_name: str
    sha256: str
    urls: tuple[str, ...]
    debian: DebianSource | None


@dataclass(frozen=True)
class Component:
    """A pinned upstream source; any one of `archives` will do. `licence` is an SPDX expression."""

    name: str
    version: str
    licence: str
    description: str
    archives: tuple[Archive, ...]


def load_lock(path: Path = LOCK_FILE) -> Mapping[str, Component]:
    """All components by name. Raises `UsageError` if the lock is malformed, `MachineError` if it is unreadable."""
    components = {name: _component(name, data, path) for name, data in definition.read(path).items()}
    return MappingProxyType(components)


def get(components: Mapping[str, Component], name: str) -> Component:
    """The component `name`. Raises `UsageError` if the lock has none of that name."""
    if name not in components:
        raise UsageError(
            f"there is no component `{name}`",
            where=LOCK_FILE,
            fix=f"Components: {', '.join(sorted(components))}.",
        )
    return components[name]


def _component(name: str, data: object, path: Path) -> Component:
    fields = definition.Fields(data, path, name, known=frozenset({"version", "licence", "description", "archives"}))
    version = fields.text("version")
    archives = tuple(
        _archive(name, version, archive, path, f"{name}.archives[{index}]")
        for index, archive in enumerate(fields.items("archives"))
    )
    if not archives:
        raise fields.error("has no `archives`")
    return Component(
        name=name,
        version=version,
        licence=fields.text("licence"),
        description=fields.text("description"),
        archives=archives,
    )


def _archive(component: str, version: str, data: object, path: Path, place: str) -> Archive:
    fields = definition.Fields(data, path, place, known=frozenset({"file", "sha256", "urls", "debian"}))
    file_name = fields.text("file")
    if "/" in file_name or file_name.startswith("."):
        raise fields.error("must have a plain file name as `file`")
    sha256 = fields.text("sha256")
    if not re.fullmatch(r"[0-9a-f]{64}", sha256):
        raise fields.error("must have 64 lower-case hexadecimal digits as `sha256`")
    urls = fields.texts("urls")
    if bad := [url for url in urls if not re.match(r"https?://[^/]", url)]:
        raise fields.error(f"has a URL that is not http or https: {bad[0]}")
    debian = _debian(fields.value("debian"), path, f"{place}.debian") if fields.has("debian") else None
    return Archive(component, version, file_name, sha256, urls, debian)


def _debian(data: object, path: Path, place: str) -> DebianSource:
    fields = definition.Fields(data, path, place, known=frozenset({"package", "version", "suite"}))
    source = DebianSource(fields.text("package"), fields.text("version"), fields.text("suite"))
    # They become apt-get's arguments and a line of sources.list.
    for name, value, pattern in (
        ("package", source.package, r"[a-z0-9][a-z0-9+.-]+"),
        ("version", source.version, r"[0-9][A-Za-z0-9.+:~-]*"),
        ("suite", source.suite, r"[a-z][a-z0-9-]*"),
    ):
        if not re.fullmatch(pattern, value):
            raise fields.error(f"has `{value}` as `{name}`, which Debian would not accept")
    return source
