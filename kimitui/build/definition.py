"""Read the builder's own JSON5 files (`builder/*.json5`), with the place named when something is wrong in one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pyjson5

from kimitui.errors import Location, MachineError, UsageError


def read(path: Path) -> Mapping[str, object]:
    """The object in `path`.

    Raises `MachineError` if the file cannot be read, `UsageError` if it is not a JSON5 object.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise MachineError(f"cannot read {path.name}: {error.strerror}", where=path) from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path.name} is not UTF-8", where=path) from error
    try:
        data: object = pyjson5.decode(text)
    except pyjson5.Json5Exception as error:
        raise UsageError(f"{path.name} is not JSON5: {error.args[0]}", where=_location(path, text, error)) from error
    if not isinstance(data, dict):
        raise UsageError(f"{path.name} must hold an object", where=path)
    return data


def _location(path: Path, text: str, error: pyjson5.Json5Exception) -> Location:
    """Where in `text` the error is: pyjson5 tells it as a number of characters within its message."""
    found = re.search(r"near (\d+)", str(error.args[0]))
    if not found:
        return Location(path)
    before = text[: max(0, int(found[1]) - 1)]
    return Location(path, line=before.count("\n") + 1, column=len(before) - before.rfind("\n"))


class Fields:
    """Typed access to an object's fields; what is missing, of the wrong type or unknown is a `UsageError`.

    `place` says where in the file the object is, e.g. `linux.archives[0]`.
    """

    def __init__(self, data: object, path: Path, place: str, *, known: frozenset[str]) -> None:
        self._path = path
        self._place = place
        if not isinstance(data, dict):
            raise self.error("must be an object")
        self._data = data
        if unknown := sorted(set(data) - known):
            raise self.error(f"has an unknown field `{unknown[0]}`", fix=f"Fields here: {', '.join(sorted(known))}.")

    def error(self, message: str, *, fix: str | None = None) -> UsageError:
        """An error about this object."""
        return UsageError(f"`{self._place}` {message}", where=Location(self._path), fix=fix)

    def has(self, name: str) -> bool:
        """Whether the field is there."""
        return name in self._data

    def value(self, name: str) -> object:
        """The field as it is; must be there."""
        if name not in self._data:
            raise self.error(f"lacks the field `{name}`")
        return self._data[name]

    def text(self, name: str) -> str:
        """A string that is not empty."""
        value = self.value(name)
        if not isinstance(value, str) or not value:
            raise self.error(f"must have a text that is not empty as `{name}`")
        return value

    def items(self, name: str) -> list[object]:
        """A list; a missing field is an empty one."""
        value = self._data.get(name, [])
        if not isinstance(value, list):
            raise self.error(f"must have a list as `{name}`")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of strings; a missing field is an empty one."""
        values = self.items(name)
        texts = tuple(value for value in values if isinstance(value, str) and value)
        if len(texts) != len(values):
            raise self.error(f"must have a list of texts as `{name}`")
        return texts
