"""Presets into a tree: which assignments a preset means, whether the tree takes them, and whether they came true.

Functions over the assignments in a system tree (`TreeState`) and the keys that presets have for it (`Names`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from kimitui import config_texts
from kimitui.config_types import Overridden, Values, in_words
from kimitui.errors import Location, PresetError, UsageError
from kimitui.kconfig import explain
from kimitui.kconfig.names import (
    OPEN_SECTIONS,
    PREFIXES,
    Entry,
    JsonObject,
    JsonOpen,
    JsonValue,
    Names,
    WrongValueError,
    nearest,
)
from kimitui.kconfig.state import TreeState
from kimitui.kconfig.types import Kconfig
from kimitui.preset import Preset

_BUILT_IF = {"kernel": "IMAGE_FORMAT_VMLINUZ"}
"""What must be on so that symbols of a section, which the system tree does not show, have an effect."""


@dataclass(frozen=True)
class Request:
    """A key of the system tree that a preset gives a value."""

    preset: Preset
    entry: Entry
    value: JsonValue


@dataclass(frozen=True)
class Problem:
    """Something in a preset that cannot be."""

    where: Location
    what: str
    fix: str | None = None


class UnfitError(Exception):
    """A key or value that the tree never takes, whatever else is set; `path` leads to it in a value with parts."""

    def __init__(self, what: str, fix: str | None = None, path: tuple[str | int, ...] = ()) -> None:
        super().__init__(what)
        self.what = what
        self.fix = fix
        self.path = path


def apply_preset(state: TreeState, names: Names, preset: Preset) -> list[Request]:
    """Assign what `preset` asks for. Raises PresetError, with the place, if that is not what is there afterwards."""
    problems: list[Problem] = []
    wanted: dict[str, str] = {}
    requests: list[Request] = []
    for section, values in preset.sections.items():
        for key, value in values.items():
            entry = names.entries.get((section, key))
            try:
                if entry is None:
                    wanted |= checked_extra(names, state.assigned, section, key, value)
                else:
                    wanted |= checked(entry, value)
                    requests.append(Request(preset, entry, value))
            except UnfitError as error:
                problems.append(Problem(preset.locate(section, key, error.path), error.what, error.fix))
    raise_all(problems)
    state.apply(state.delta(wanted))
    for request in requests:
        entry = request.entry
        if reason := why_lost(state.tree, entry, request.value):
            what = f"{entry.section}.{entry.key} cannot be {in_words(request.value)}: it {reason}"
            problems.append(Problem(preset.locate(entry.section, entry.key), what))
    raise_all(problems)
    return requests


def merged(state: TreeState, names: Names, chain: Iterable[Preset]) -> dict[str, str]:
    """The assignments that a chain of presets makes; the tree is as before afterwards."""
    with state.only({}):
        for preset in chain:
            wanted: dict[str, str] = {}
            for section, values in preset.sections.items():
                for key, value in values.items():
                    wanted |= _meant(names.entries.get((section, key)), state.assigned, section, key, value)
            state.apply(state.delta(wanted))
        return dict(state.assigned)


def fitting(
    state: TreeState, names: Names, base: Mapping[str, str], own: Values
) -> tuple[Mapping[str, str], tuple[str, ...]]:
    """The assignments that `own` values make on top of the assignments `base`; the tree is as before afterwards.

    Second, one line each, the values that the tree does not take, and why.
    """
    lost: list[str] = []
    wanted: dict[str, str] = {}
    known: list[tuple[Entry, JsonValue]] = []
    for section, values in own.items():
        for key, value in values.items():
            entry = names.entries.get((section, key))
            try:
                if entry is None:
                    wanted |= checked_extra(names, base, section, key, value)
                elif value is not None:  # what has no value follows from the rest
                    wanted |= checked(entry, value)
                    known.append((entry, value))
            except UnfitError as error:
                lost.append(error.what)
    with state.only(base):
        state.apply(state.delta(wanted))
        for entry, value in known:
            if reason := why_lost(state.tree, entry, value):
                lost.append(f"{entry.section}.{entry.key} cannot be {in_words(value)}: it {reason}")
        return state.assigned, tuple(lost)


def architecture(names: Names, arch: str | None) -> dict[str, str]:
    """The assignments that choose an architecture, none for None. Raises UsageError if there is no such one."""
    if arch is None:
        return {}
    entry = names.by_symbol["IMAGE_ARCH"]
    if arch not in entry.members:
        raise UsageError(
            f'there is no architecture "{arch}"',
            fix=suggestion(arch, entry.members) or f"there are {', '.join(entry.members)}",
        )
    return entry.assignments(arch)


def without_override(
    state: TreeState,
    names: Names,
    chain: Sequence[Preset],
    override: Mapping[str, str],
    assigned: Mapping[str, str],
) -> dict[str, str]:
    """`assigned` with what the assignments `override` took the place of, as `chain` has it."""
    result = dict(assigned)
    if override and all(assigned.get(name) == value for name, value in override.items()):
        members = state.choice_members(override)
        for name in members:
            result.pop(name, None)
        preset = merged(state, names, chain)
        result.update({name: preset[name] for name in members if name in preset})
    return result


def find_overridden(tree: Kconfig, requests: Iterable[Request]) -> tuple[Overridden, ...]:
    """What the presets of a chain last asked for, key by key, and is not there."""
    last = {request.entry: request for request in requests}
    found = []
    for entry, request in last.items():
        # Another architecture than the preset's is what --arch says.
        if entry.symbol != "IMAGE_ARCH" and (reason := why_lost(tree, entry, request.value)):
            where = request.preset.locate(entry.section, entry.key)
            found.append(Overridden(entry.section, entry.key, request.value, where, reason))
    return tuple(found)


def find_unused(tree: Kconfig, names: Names, chain: Iterable[Preset]) -> tuple[Overridden, ...]:
    """What the presets of a chain last asked for, of symbols that the system tree does not show, to no effect."""
    found = {}
    for preset in chain:
        for section in _BUILT_IF:
            if reason := why_unused(tree, section):
                for key, value in preset.sections.get(section, {}).items():
                    if (section, key) not in names.entries:
                        where = preset.locate(section, key)
                        found[section, key] = Overridden(section, key, value, where, reason)
    return tuple(found.values())


def checked(entry: Entry, value: JsonValue) -> dict[str, str]:
    """The assignments for a key. Raises UnfitError if it never takes such a value."""
    name = f"{entry.section}.{entry.key}" if entry.section else entry.key
    try:
        wanted = entry.assignments(value)
    except WrongValueError as error:
        words = [value] if isinstance(value, str) else value if isinstance(value, list) else []
        unknown = next((word for word in words if word not in entry.members), "")
        raise UnfitError(f"{name} {error}", suggestion(unknown, entry.members)) from None
    if isinstance(value, str) and entry.section:
        try:
            config_texts.check(entry.symbol, value)
        except UsageError as error:
            raise UnfitError(f"{name}: {error.what}", error.fix) from None
    return wanted


def checked_extra(
    names: Names, assigned: Mapping[str, str], section: str, key: str, value: JsonValue
) -> dict[str, str]:
    """The assignments for a key that is not in the system tree, on top of those that are `assigned`.

    Raises UnfitError unless it may be set all the same.
    """
    known = names.keys(section)
    if section not in OPEN_SECTIONS:
        if not known:
            raise UnfitError(
                f"{section}.{key}: the section {section} is not configurable in this version", "leave it out"
            )
        raise UnfitError(f'there is no "{key}" in the section {section}', suggestion(key, known))
    if isinstance(value, list):
        raise UnfitError(f"{section}.{key} cannot be a list")
    if section == "services":
        _check_service(known, assigned, key, value)
    elif not _is_upstream_name(key):
        raise UnfitError(f'"{key}" is no {section} symbol: they are in upper case', suggestion(key, known))
    elif isinstance(value, Mapping):
        raise UnfitError(f"{section}.{key} cannot be an object")
    elif isinstance(value, str) and not value.isprintable():
        raise UnfitError(f"{section}.{key} must be one line of printable text")
    return _meant(None, assigned, section, key, value)


def _check_service(known: Sequence[str], assigned: Mapping[str, str], key: str, value: JsonOpen) -> None:
    """Raise UnfitError if `value` makes no service of the user's own, on top of what is `assigned`."""
    from kimitui.services import fields  # few presets have any, and it takes a while to import

    before = restored(assigned.get(f"{PREFIXES['services']}{key}"))
    if not isinstance(value, Mapping):
        if value is False and before is not None:
            return
        fix = suggestion(key, known) or 'a service of your own is an object: { command: "…" }'
        raise UnfitError(f'there is no service "{key}"', fix)
    if not fields.NAME.fullmatch(key):
        raise UnfitError(f'"{key}" is not a name for a service', fields.NAMES)
    try:
        fields.read(key, value)
        service = fields.read(key, overlaid(before, value))
    except fields.UnfitFieldError as error:
        path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.path)
        raise UnfitError(f"services.{key}{path} {error.what}", error.fix, error.path) from None
    if not service.command:
        raise UnfitError(f"services.{key} has no command", f'write {key}: {{ command: "/usr/bin/{key}" }}')


def overlaid(before: JsonOpen, value: JsonObject) -> JsonObject:
    """The fields of `value` on top of those that an extended preset gives."""
    return {**before, **value} if isinstance(before, Mapping) else value


def beyond(before: JsonOpen, after: JsonOpen) -> JsonOpen:
    """What has to be laid over `before` for `after`."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        return {key: value for key, value in after.items() if before.get(key) != value}
    return after


def why_lost(tree: Kconfig, entry: Entry, value: JsonValue) -> str:
    """Why the requested `value` is not there, "" if it is."""
    lost = explain.requested_but_lost(tree, entry.assignments(value))
    return lost[0].reason if lost else ""


def why_unused(tree: Kconfig, section: str) -> str:
    """Why symbols of `section` that the system tree does not show have no effect now, "" if they have one."""
    symbol = tree.syms.get(_BUILT_IF.get(section, ""))
    if symbol is None or not symbol.nodes or symbol.tri_value:
        return ""
    return f"needs {explain.title(symbol)}, which is off"


def in_choice(tree: Kconfig, entry: Entry) -> bool:
    """Whether `entry` is a member of a choice that has keys for its members."""
    return entry.type == "bool" and tree.syms[entry.symbol].choice is not None


def raise_all(problems: Sequence[Problem]) -> None:
    """Raise the first problem as a PresetError that lists the others."""
    if problems:
        first, *others = problems
        details = tuple(f"{other.where}: {other.what}" for other in others)
        raise PresetError(first.what, where=first.where, fix=first.fix, details=details)


def suggestion(word: str, candidates: Iterable[str]) -> str | None:
    """What a user may have meant by `word`, as a question."""
    found = nearest(word, candidates)
    return f'did you mean "{found}"?' if found else None


def stored(value: JsonOpen) -> str:
    """A value of a symbol whose type is not known, as text that `restored` makes the same value of."""
    return json.dumps(value)


def restored(text: str | None) -> JsonOpen:
    """The value that `stored` made `text` of; None for none."""
    value: JsonOpen = json.loads(text) if text is not None else None
    return value


def _meant(
    entry: Entry | None, assigned: Mapping[str, str], section: str, key: str, value: JsonValue
) -> dict[str, str]:
    """The assignments for a key that was checked; `entry` is None for one that is not in the system tree."""
    if entry is not None:
        return entry.assignments(value)
    assert not isinstance(value, list)
    name = f"{PREFIXES[section]}{key}"
    if isinstance(value, Mapping):
        value = overlaid(restored(assigned.get(name)), value)
    return {name: stored(value)}


def _is_upstream_name(key: str) -> bool:
    return key.isascii() and key.replace("_", "a").isalnum() and key[0].isupper()
