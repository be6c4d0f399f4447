"""Presets: JSON5 files that describe one image each. Find, read, extend, check the structure of, and save them.

What the keys of a section mean is the system tree's business, see `kimitui.config`.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from kimitui import files, json5_text, preset_text, resources
from kimitui.errors import Location, PresetError
from kimitui.kconfig.names import SECTIONS, JsonValue, nearest

SUFFIX = ".json5"
TOP_KEYS = ("name", "description", "extends")
ORDER = (*TOP_KEYS, *SECTIONS)
"""All keys a preset may have, in the order in which they are written."""

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")  # it becomes part of file names and of an image's tag
_NAMES = "names have small letters, digits, dots, hyphens and underscores, at most 64 characters"
_NEAR = re.compile(r"^(?P<text>.*?) near (?P<index>\d+)(?P<rest>.*)", re.DOTALL)
_OBJECTS_IN = ("services",)
_SIZE_LIMIT_BYTES = 4_000_000  # a preset has some kilobytes; whatever this is, it is none


@dataclass(frozen=True)
class Preset:
    """One preset file as it is written, without what it extends.

    `sections` maps section to key to value; `text` is the file's text, for saving.
    """

    name: str
    path: Path
    description: str
    extends: str | None
    sections: Mapping[str, Mapping[str, JsonValue]]
    text: str = field(repr=False)
    positions: Mapping[tuple[str, str | None], int] = field(repr=False)

    def locate(self, section: str, key: str | None = None, path: Sequence[str | int] = ()) -> Location:
        """Where a section or top-level key, or a key of a section, is written; the file if it is not there.

        `path` leads from an object at that key to a part of it.
        """
        index = self.positions.get((section, key))
        if index is None:
            return Location(self.path)
        if path and key is not None:
            return Location(self.path, *json5_text.locate(self.text, (section, key, *path)))
        return Location(self.path, *json5_text.position(self.text, index))


def find(reference: str, *, extending: Preset | None = None) -> Path:
    """The file that `reference` means.

    With a "/" in it, or `.json5` at its end, it is a path, relative to the current directory or to the preset
    that extends it. Anything else is a name: looked for beside the preset that extends it, then in
    `./presets`, then among the presets that come with kimitui. A preset may extend another of its own name.
    Raises PresetError naming the places tried.
    """
    where = extending.locate("extends") if extending else None
    if not reference or "\0" in reference:
        raise PresetError("an empty name is not a preset", where=where)
    beside = extending.path.parent if extending else Path()
    if "/" in reference or reference.endswith(SUFFIX):
        path = beside / reference
        if not _exists(path):
            raise PresetError(f"there is no preset {path}", where=where, fix=_did_you_mean(reference))
        return path
    if not _NAME.fullmatch(reference):
        raise PresetError(
            f'"{reference}" is not the name of a preset',
            where=where,
            fix=f"{_NAMES}; a path ends in .json5",
        )
    places = _name_places(extending)
    tried = []
    for place in places:
        path = place / f"{reference}{SUFFIX}"
        tried.append(f"tried {path}")
        if _exists(path) and not (extending and _same_file(path, extending.path)):
            return path
    if extending and any(_same_file(place / f"{reference}{SUFFIX}", extending.path) for place in places):
        raise PresetError(
            f"the preset {reference} extends itself", where=where, fix="extend another one, or leave extends out"
        )
    raise PresetError(
        f'there is no preset "{reference}"',
        where=where,
        details=tuple(dict.fromkeys(tried)),
        fix=_did_you_mean(reference),
    )


def read(path: Path) -> Preset:
    """The preset in the file `path`. Raises PresetError, with the place, if it is not a well-formed preset."""
    return parse(_read_text(path), path)


def parse(text: str, path: Path) -> Preset:
    """The preset with this text; `path` is where it is, or would be. Raises PresetError as `read` does."""
    data = decode(text, path)

    def error(what: str, index: int, fix: str | None = None) -> PresetError:
        return PresetError(what, where=Location(path, *json5_text.position(text, index)), fix=fix)

    if not isinstance(data, dict):
        raise PresetError(
            f"a preset is an object, this is {_kind(data)}",
            where=Location(path, 1, 1),
            fix='write { extends: "minimal" } and go on from there',
        )
    root = json5_text.scan(text)
    assert root is not None
    for container in _objects(root):
        for item in container.items:
            if item.key is not None and not item.key.isprintable():
                raise error("a key has characters that cannot be shown", item.start)
        for first, again in container.duplicates():
            line, _ = json5_text.position(text, first.start)
            raise error(f'"{again.key}" is there twice', again.start, f"the other one is in line {line}")

    positions: dict[tuple[str, str | None], int] = {}
    sections: dict[str, Mapping[str, JsonValue]] = {}
    for item in root.items:
        assert item.key is not None
        positions[item.key, None] = item.start
        value = data[item.key]
        if item.key in TOP_KEYS:
            if not isinstance(value, str):
                raise error(f"{item.key} must be text in quotes, not {_kind(value)}", item.value)
            if not value.isprintable():
                raise error(f"{item.key} must be one line of printable text", item.value)
        elif item.key not in SECTIONS:
            suggestion = nearest(item.key, ORDER)
            raise error(
                f'there is no section "{item.key}"',
                item.start,
                f'did you mean "{suggestion}"?' if suggestion else f"there are {', '.join(SECTIONS)}",
            )
        elif not isinstance(value, dict):
            raise error(f"the section {item.key} must be an object, not {_kind(value)}", item.value)
        else:
            assert item.content is not None
            for member in item.content.items:
                assert member.key is not None
                positions[item.key, member.key] = member.start
                if wrong := _wrong_value(value[member.key], item.key in _OBJECTS_IN):
                    raise error(f"{item.key}.{member.key} {wrong}", member.value)
            sections[item.key] = MappingProxyType(value)

    name = data.get("name", path.name.removesuffix(SUFFIX))
    if not _NAME.fullmatch(name):
        raise error(
            f'"{name}" is not a name for a preset',
            next((item.value for item in root.items if item.key == "name"), 0),
            f"{_NAMES}, and no path",
        )
    return Preset(
        name=name,
        path=path,
        description=data.get("description", ""),
        extends=data.get("extends"),
        sections=MappingProxyType(sections),
        text=text,
        positions=MappingProxyType(positions),
    )


def chain(preset: Preset) -> tuple[Preset, ...]:
    """The presets that `preset` is made of, base first, itself last; any depth.

    Raises PresetError if one is missing or malformed, or if they extend one another in a circle.
    """
    presets = [preset]
    seen = {os.path.realpath(preset.path): 0}
    while (reference := presets[-1].extends) is not None:
        path = find(reference, extending=presets[-1])
        real = os.path.realpath(path)
        if real in seen:
            circle = [*presets[seen[real] :], presets[seen[real]]]
            raise PresetError(
                f"the presets extend one another in a circle: {' → '.join(link.name for link in circle)}",
                where=presets[-1].locate("extends"),
                fix="take one of them out of the circle, or let it extend something else",
            )
        seen[real] = len(presets)
        presets.append(read(path))
    return tuple(reversed(presets))


def list_presets() -> list[Path]:
    """The preset files that can be referred to by name from here, by name; `./presets` hides built-in ones."""
    found: dict[str, Path] = {}
    for place in _name_places(None):
        with suppress(OSError):
            for path in place.iterdir():
                name = path.name.removesuffix(SUFFIX)
                if path.name.endswith(SUFFIX) and _NAME.fullmatch(name):
                    found.setdefault(name, path)
    return [path for _, path in sorted(found.items())]


def new_text(top: Mapping[str, str | None], sections: Mapping[str, Mapping[str, JsonValue]]) -> str:
    """The text of a new preset file, sorted; `top` has name, description and extends, empty ones are left out."""
    written = {key: value for key in TOP_KEYS if (value := top.get(key))}
    in_order = {key: dict(sorted(sections[key].items())) for key in SECTIONS if sections.get(key)}
    return preset_text.write_new(written, in_order)


def edited_text(
    preset: Preset,
    sections: Mapping[str, Mapping[str, JsonValue]],
    top: Mapping[str, str | None] | None = None,
) -> str:
    """The text of `preset` changed to hold exactly `sections`, and the keys in `top`; the rest stays as written.

    Nothing to change gives the same text. See `preset_text.edit` for comments, order and formatting.
    """
    text = preset_text.edit(preset.text, top or {}, sections, ORDER)
    # A mistake in editing must not cost anybody a preset.
    if _plain(parse(text, preset.path).sections) != _plain(sections):
        raise RuntimeError(f"editing {preset.path} went wrong; it was not saved")
    return text


def write(path: Path, text: str) -> None:
    """Write `text` to `path` as `files.write` does. Raises MachineError."""
    files.write(path, text, what="the preset")


def _plain(sections: Mapping[str, Mapping[str, JsonValue]]) -> dict[str, dict[str, object]]:
    """Sections to be compared: without empty ones, lists as sets."""
    return {
        section: {key: set(value) if isinstance(value, list) else value for key, value in values.items()}
        for section, values in sections.items()
        if values
    }


def _name_places(extending: Preset | None) -> list[Path]:
    places = [extending.path.parent] if extending else []
    places.append(Path("presets"))
    if not _same_file(Path("presets"), resources.PRESETS_DIR):
        places.append(resources.PRESETS_DIR)
    return places


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError as error:
        return error.errno == errno.EACCES  # reading it says so; anything else, such as too long a name, is no file


def _same_file(a: Path, b: Path) -> bool:
    return os.path.realpath(a) == os.path.realpath(b)


def _did_you_mean(reference: str) -> str:
    names = [path.name.removesuffix(SUFFIX) for path in list_presets()]
    suggestion = nearest(reference.rpartition("/")[2].removesuffix(SUFFIX), names)
    return f'did you mean "{suggestion}"?' if suggestion else "kimitui list shows the presets there are"


def _read_text(path: Path) -> str:
    try:
        if path.is_dir():
            raise PresetError("this is a directory, not a preset", where=path, fix=f"name a {SUFFIX} file in it")
        with path.open("rb") as file:
            data = file.read(_SIZE_LIMIT_BYTES + 1)
    except OSError as error:
        raise PresetError(f"cannot read the preset: {error.strerror or error}", where=path) from error
    if len(data) > _SIZE_LIMIT_BYTES:
        raise PresetError("this is too large to be a preset", where=path)
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        before = data[: error.start].decode()
        raise PresetError(
            f"this is not UTF-8 text: byte 0x{data[error.start]:02x}",
            where=Location(path, *json5_text.position(before, len(before))),
            fix="save the file as UTF-8",
        ) from error


def decode(text: str, path: Path) -> object:
    """The value of a JSON5 text; `path` is where it is from. Raises PresetError, with the place, if it is none."""
    import pyjson5

    try:
        data: object = pyjson5.decode(text)
    except (pyjson5.Json5DecoderException, RecursionError) as error:
        raise _syntax_error(text, path, error) from error
    return data


def _syntax_error(text: str, path: Path, error: Exception) -> PresetError:
    """pyjson5 says "Expected b'comma' or U+007d near 5, found U+0031"; make that a place and words."""
    found = _NEAR.match(str(error.args[0]) if error.args else str(error))
    if not found or found["text"].startswith("No JSON data"):
        return PresetError("this is not JSON5: there is no value in it", where=Location(path, 1, 1))
    # It counts from behind the character, except where it stopped before further text.
    index = int(found["index"])
    if found["text"].startswith("Extra data"):
        index += len(text[index:]) - len(text[index:].lstrip())
    else:
        index -= 2 if "comment" in found["text"] else 1
    words = re.sub(r"b'([^']*)'", r"\1", found["text"] + found["rest"])
    words = re.sub(r"U\+([0-9A-Fa-f]{4,6})", lambda code: f'"{_visible(chr(int(code[1], 16)))}"', words).strip()
    return PresetError(
        f"this is not JSON5: {words[:1].lower()}{words[1:]}",
        where=Location(path, *json5_text.position(text, max(index, 0))),
    )


def _visible(character: str) -> str:
    return character if character.isprintable() else f"U+{ord(character):04X}"


def _objects(container: json5_text.Container) -> Iterator[json5_text.Container]:
    """All objects in `container`, itself first, however deep."""
    if container.is_object:
        yield container
    for item in container.items:
        if item.content:
            yield from _objects(item.content)


def _wrong_value(value: object, may_be_object: bool) -> str | None:
    """What is wrong with a value that no key takes; what a key takes of the others is checked later."""
    if may_be_object and isinstance(value, dict):
        return None
    if isinstance(value, list):
        if not all(isinstance(word, str) for word in value):
            return "must be a list of texts"
    elif not isinstance(value, (bool, int, str)):
        return f"cannot be {_kind(value)}"
    elif isinstance(value, int) and value.bit_length() > 64:
        return "is too large a number"
    if not all(word.isprintable() for word in (value if isinstance(value, list) else [str(value)])):
        return "must be one line of printable text"
    return None


def _kind(value: object) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    names = (
        (str, "text"), (int, "a number"), (float, "a number with a fraction"), (list, "a list"), (dict, "an object")
    )  # fmt: skip
    return next((name for type_, name in names if isinstance(value, type_)), type(value).__name__)


__all__ = [
    "ORDER",
    "SUFFIX",
    "TOP_KEYS",
    "Preset",
    "chain",
    "edited_text",
    "find",
    "list_presets",
    "new_text",
    "parse",
    "read",
    "write",
]
