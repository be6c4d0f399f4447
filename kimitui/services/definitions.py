"""The services that come with kimitui, read from `builder/services`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from kimitui import json5_text, resources
from kimitui.errors import BuildError, Location
from kimitui.services import fields, files
from kimitui.services.model import Service

_SETTING = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True)
class Definition:
    """A service as it is defined in `directory`; its settings stand in braces in `raw`, its fields."""

    name: str
    directory: Path
    raw: Mapping[str, object]

    @property
    def settings(self) -> frozenset[str]:
        """The settings that it has."""
        return frozenset(_settings(self.raw))

    @property
    def files(self) -> dict[str, files.File]:
        """What it brings into the image."""
        brought = files.below(self.directory / "files")
        return {name: files.without_comments(file) if file.executable else file for name, file in brought.items()}

    def service(self, values: Mapping[str, str]) -> Service:
        """The service with its settings at `values`. Raises BuildError, with the place, for a defect of it."""
        try:
            filled = _filled(self.raw, values)
            assert isinstance(filled, dict)
            return fields.read(self.name, filled)
        except fields.UnfitFieldError as error:
            path = self.directory / "service.json5"
            line, column = json5_text.locate(path.read_text(), error.path)
            raise BuildError(f"{self.name}: {error.what}", where=Location(path, line, column), fix=error.fix) from None


@cache
def load() -> Mapping[str, Definition]:
    """All definitions, by name."""
    from kimitui.preset import decode

    found = {}
    for path in sorted((resources.BUILDER_DIR / "services").glob("*/service.json5")):
        raw = decode(path.read_text(), path)
        assert isinstance(raw, dict)
        found[path.parent.name] = Definition(path.parent.name, path.parent, raw)
    return found


def _settings(value: object) -> set[str]:
    if isinstance(value, str):
        return set(_SETTING.findall(value))
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return {name for part in parts for name in _settings(part)}


def _filled(value: object, values: Mapping[str, str]) -> object:
    if isinstance(value, str):
        return _SETTING.sub(lambda found: values[found[1]], value)
    if isinstance(value, dict):
        return {key: _filled(part, values) for key, part in value.items()}
    return [_filled(part, values) for part in value] if isinstance(value, list) else value
