"""The packages of `builder/packages.json5`: which there are, and which of them a configuration has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kimitui.build import definition
from kimitui.config import Configuration
from kimitui.resources import BUILDER_DIR

FILE = BUILDER_DIR / "packages.json5"


@dataclass(frozen=True)
class Package:
    """A program or library built from the component of its name.

    `symbol` switches it on; None for a library, which comes with what uses it. `uses` are the packages that it is built
    against, `files` what its step reads besides its script, below `builder/steps`. `programs` are the paths, without a
    slash before, of the programs that it brings.
    """

    name: str
    symbol: str | None
    uses: tuple[str, ...]
    files: tuple[str, ...]
    programs: tuple[str, ...]


def load(path: Path = FILE) -> Mapping[str, Package]:
    """All packages by name, each after those it uses.

    Raises `UsageError` if the file is malformed, `MachineError` if it is unreadable.
    """
    packages: dict[str, Package] = {}
    for name, data in definition.read(path).items():
        fields = definition.Fields(data, path, name, known=frozenset({"symbol", "uses", "files", "programs"}))
        uses = fields.texts("uses")
        if unknown := [used for used in uses if used not in packages]:
            raise fields.error(f"uses `{unknown[0]}`, which does not come before it")
        symbol = fields.text("symbol") if fields.has("symbol") else None
        packages[name] = Package(name, symbol, uses, fields.texts("files"), fields.texts("programs"))
    return packages


def installed(config: Configuration) -> tuple[Package, ...]:
    """The packages that the image gets."""
    return tuple(package for package in load().values() if package.symbol and config.is_on(package.symbol))


def components(config: Configuration) -> tuple[str, ...]:
    """The components that the packages of the image and what they are built against are made of."""
    packages = load()
    needed: dict[str, None] = {}

    def need(package: Package) -> None:
        for used in package.uses:
            need(packages[used])
        needed[package.name] = None

    for package in installed(config):
        need(package)
    return tuple(needed)
