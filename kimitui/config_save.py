"""A tree into a preset: which keys the preset must hold, and the text that holds them.

Functions over the assignments in a system tree (`TreeState`) and the keys that presets have for it (`Names`); the
tree is afterwards as it was.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from kimitui import preset as presets
from kimitui.config_apply import beyond, in_choice, overlaid, restored, why_lost
from kimitui.config_types import Values
from kimitui.errors import PresetError
from kimitui.kconfig.names import PREFIXES, SECTIONS, Entry, JsonValue, Names, section_of
from kimitui.kconfig.state import TreeState, changed
from kimitui.preset import Preset


def own_values(state: TreeState, names: Names, assigned: Mapping[str, str], base: Mapping[str, str]) -> Values:
    """The keys that lead from the assignments `base` to the values that the assignments `assigned` give."""
    tree = state.tree
    with state.only(assigned):
        target = state.values()
        current = {entry: entry.value(tree) for entry in names.entries.values()}
    with state.only(base):
        before = {entry: entry.value(tree) for entry in current}
    # To say that one member of a choice is on is to say that the others are off.
    entries = [
        entry
        for entry, value in current.items()
        if entry.settable and value is not None and not (value is False and in_choice(tree, entry))
    ]
    explicit = [entry for entry in entries if any(assigned.get(symbol) != base.get(symbol) for symbol in entry.symbols)]
    own = {entry for entry in explicit if current[entry] != before[entry]}
    # What is set and yet equal to the base is left out only where the rest gives that value anyhow; what
    # follows from the rest by itself need not be said. Each round says more, so this ends.
    for candidates in (explicit, entries):
        while True:
            wrong = set(changed(target, _values_of(state, base, own, current)))
            missing = {entry for entry in candidates if entry not in own and wrong.intersection(entry.symbols)}
            if not missing:
                break
            own |= missing
    values: Values = {section: {} for section in SECTIONS}
    for entry in own:
        values[entry.section][entry.key] = current[entry]
    for name in {*assigned, *base}:
        section = section_of(name)
        if name not in names.by_symbol and section and assigned.get(name) != base.get(name):
            old, new = restored(base.get(name)), restored(assigned.get(name))
            if new != old:
                values[section][name.removeprefix(PREFIXES[section])] = beyond(old, new)
    return {section: dict(sorted(values[section].items())) for section in SECTIONS if values[section]}


def edited_text(
    state: TreeState,
    names: Names,
    assigned: Mapping[str, str],
    own: Values,
    base: Mapping[str, str],
    chain: Sequence[Preset],
    target: Path,
) -> str:
    """The text of the last preset of `chain`, changed to give the assignments `assigned`, for a file at `target`.

    `own` is what it must hold, `base` the assignments that the presets it extends make. What is written in it and
    still true stays as it is written, even where it need not be said.
    """
    preset = chain[-1]
    sections = {section: dict(values) for section, values in own.items()}
    with state.only(assigned):
        for section, written in preset.sections.items():
            for key, value in written.items():
                entry = names.entries.get((section, key))
                if entry is not None:
                    true = not why_lost(state.tree, entry, value)
                else:
                    name = f"{PREFIXES[section]}{key}"
                    meant = overlaid(restored(base.get(name)), value) if isinstance(value, Mapping) else value
                    true = restored(assigned.get(name)) == meant
                if true:
                    sections.setdefault(section, {})[key] = value
    top: dict[str, str | None] = {}
    if not _same_file(target, preset.path):
        if ("name", None) in preset.positions:
            top["name"] = target.name.removesuffix(presets.SUFFIX)
        if len(chain) > 1 and preset.extends is not None:
            top["extends"] = _reference(chain[-2].path, target, preset.extends)
    return presets.edited_text(preset, sections, top)


def extending_text(preset: Preset, own: Values, target: Path) -> str:
    """The text of a preset at `target` that extends `preset` and holds `own`. Raises PresetError at its own place."""
    if _same_file(target, preset.path):
        raise PresetError("a preset cannot extend itself", where=target, fix="save it under another name")
    name = target.name.removesuffix(presets.SUFFIX)
    by_name = preset.path.name.removesuffix(presets.SUFFIX)
    return presets.new_text({"name": name, "extends": _reference(preset.path, target, by_name)}, own)


def _values_of(
    state: TreeState, base: Mapping[str, str], own: Iterable[Entry], current: Mapping[Entry, JsonValue]
) -> dict[str, str]:
    """The values of the tree with the assignments `base` and the `own` keys at their `current` values."""
    with state.only(base):
        wanted: dict[str, str] = {}
        for entry in own:
            wanted |= entry.assignments(current[entry])
        back = state.apply(state.delta(wanted))
        values = state.values()
        state.apply(back)
    return values


def _reference(path: Path, target: Path, preferred: str) -> str:
    """How a preset at `target` refers to the one at `path`: as `preferred` if that leads there, else by path."""
    with suppress(PresetError):
        empty = presets.parse("{}", target.parent / f"x{presets.SUFFIX}")
        if _same_file(presets.find(preferred, extending=empty), path):
            return preferred
    relative = os.path.relpath(os.path.realpath(path), os.path.realpath(target.parent))
    return relative if relative.startswith("..") else f"./{relative}"


def _same_file(a: Path, b: Path) -> bool:
    return os.path.realpath(a) == os.path.realpath(b)
