"""Configuration: the system tree with a preset applied.

What is set, undone and redone here is what the TUI, the command line and Python code share. One change gives one
notification; what cannot be is refused with the reason, and nothing changes then.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from kimitui import preset as presets
from kimitui.errors import Location, PresetError, UsageError
from kimitui.kconfig import explain
from kimitui.kconfig.names import (
    PREFIXES,
    SECTIONS,
    UPSTREAM_SECTIONS,
    Entry,
    JsonScalar,
    JsonValue,
    Names,
    WrongValueError,
    from_kconfig,
    nearest,
    prompt_of,
    section_of,
    to_kconfig,
    type_of,
)
from kimitui.kconfig.state import Delta, TreeState, changed
from kimitui.kconfig.system import load_system_tree
from kimitui.kconfig.types import Kconfig, Symbol
from kimitui.preset import Preset
from kimitui.sizes.units import parse_size

Values = dict[str, dict[str, JsonValue]]
"""Section to key to value."""

_OPEN_SECTIONS = ("busybox",)  # upstream symbols that the system tree does not show may be set here


class Refused(UsageError):  # noqa: N818 - it is no error of the program: it is the answer
    """A value that cannot be; nothing was changed. The text says why."""


@dataclass(frozen=True)
class ValueChange:
    """A symbol whose value changed, as Kconfig values (`y`, `m`, `n`, a number, text)."""

    symbol: str
    prompt: str
    before: str
    after: str


@dataclass(frozen=True)
class Change:
    """One step that can be undone: what was done in words, and every symbol whose value changed by it."""

    label: str
    changes: tuple[ValueChange, ...]


@dataclass(frozen=True)
class Difference:
    """A key that has different values in two configurations; None stands for "has no value there"."""

    section: str
    key: str
    before: JsonValue
    after: JsonValue
    prompt: str

    def describe(self) -> str:
        """The difference in words, without a full stop."""
        name = f"{self.prompt} ({self.section}.{self.key})" if self.prompt else f"{self.section}.{self.key}"
        if isinstance(self.before, list) and isinstance(self.after, list):
            added = [word for word in self.after if word not in self.before]
            removed = [word for word in self.before if word not in self.after]
            parts = [f"without {', '.join(removed)}"] * bool(removed) + [f"with {', '.join(added)}"] * bool(added)
            return f"{name}: {', '.join(parts)}"
        return f"{name}: {_in_words(self.before)} → {_in_words(self.after)}"


@dataclass(frozen=True)
class Overridden:
    """A value that an extended preset asks for, and that what extends it (or `--arch`) made impossible."""

    section: str
    key: str
    wanted: JsonValue
    where: Location
    reason: str


@dataclass(frozen=True)
class _Step:
    """An entry of the undo or redo stack."""

    label: str
    delta: Delta


class Configuration:
    """The system tree with a preset applied.

    `preset` is the preset as it was read or last saved, `chain` what it is made of, base first. `tree` is the
    live tree: read it, but change values only through the methods here. `overridden` lists what extended presets ask
    for and did not get, because the presets that extend them decided otherwise.
    """

    def __init__(self, chain: Sequence[Preset], *, arch: str | None = None) -> None:
        """Apply `chain` (base first) to a fresh system tree; `arch` overrides `image.arch` and is never saved.

        Raises PresetError, with the place, for a key that does not exist, a value that does not fit, and a value
        that does not survive in its own preset; UsageError for an unknown `arch`.
        """
        self.tree: Kconfig = load_system_tree()
        self.names = Names(self.tree)
        self.chain = tuple(chain)
        self._state = TreeState(self.tree)
        self._subscribers: list[Callable[[Change], None]] = []
        self._undo: list[_Step] = []
        self._redo: list[_Step] = []
        self._override = self._arch_override(arch)
        self._requests: list[tuple[Preset, Entry, JsonValue]] = []
        for preset in self.chain[:-1]:
            self._apply_preset(preset)
        self._base: Mapping[str, str] = self._state.assigned
        self._base_values = self._values_with(self._base)
        self._apply_preset(self.chain[-1])
        self._state.apply(self._state.delta(self._override))
        self._values = self._state.values()
        self._saved = self._state.assigned
        self._saved_values = dict(self._values)
        self._saved_own: Values | None = None
        self.overridden = self._find_overridden()

    @classmethod
    def open(cls, reference: str, *, arch: str | None = None) -> Configuration:
        """The configuration of the preset that `reference` names, a name or a path. Raises as the constructor."""
        return cls.from_preset(presets.read(presets.find(reference)), arch=arch)

    @classmethod
    def from_preset(cls, preset: Preset, *, arch: str | None = None) -> Configuration:
        """The configuration of `preset` and what it extends. Raises as the constructor."""
        return cls(presets.chain(preset), arch=arch)

    # What the builder reads

    @property
    def preset(self) -> Preset:
        """The preset as it was read or last saved."""
        return self.chain[-1]

    @property
    def name(self) -> str:
        """The preset's name."""
        return self.preset.name

    @property
    def description(self) -> str:
        """The preset's description; if it has none, that of the nearest preset it extends that has one."""
        return next((link.description for link in reversed(self.chain) if link.description), "")

    def is_on(self, symbol: str) -> bool:
        """Whether a yes/no symbol is on (or a module). KeyError if the tree has no such symbol."""
        return self._symbol(symbol).tri_value > 0

    def choice(self, name: str) -> str:
        """The word for what is chosen in the named choice `name`; "" if its dependencies are not met."""
        entry = self.names.by_symbol[name]
        if entry.type != "choice":
            raise KeyError(name)
        value = entry.value(self.tree)
        return value if isinstance(value, str) else ""

    def string(self, symbol: str) -> str:
        """The text of a string symbol, "" if its dependencies are not met. KeyError if there is none."""
        return self._symbol(symbol).str_value

    def number(self, symbol: str) -> int | None:
        """The value of an int or hex symbol, None if its dependencies are not met."""
        found = self._symbol(symbol)
        return explain.parse_number(found.str_value, 16 if type_of(found) == "hex" else 10)

    def family(self, name: str) -> tuple[str, ...]:
        """The words of the members of the family `name` that are on, in the order of the tree."""
        entry = self.names.by_symbol[name]
        value = entry.value(self.tree)
        if not isinstance(value, list):
            raise KeyError(name)
        return tuple(value)

    @property
    def upstream(self) -> dict[str, dict[str, JsonScalar]]:
        """By upstream section, the symbols that are set and that the system tree does not show."""
        found: dict[str, dict[str, JsonScalar]] = {section: {} for section in UPSTREAM_SECTIONS}
        for name in sorted(self._state.assigned):
            if name not in self.names.by_symbol and (section := section_of(name)) in found:
                found[section][name.removeprefix(PREFIXES[section])] = self._extra(name)
        return found

    def requested(self, section: str) -> dict[str, str]:
        """What is asked of the upstream tree of `section`, by upstream symbol, as Kconfig values; sorted.

        That is every symbol of the section that a user can set, except numbers and texts whose dependencies are
        not met, and the further upstream symbols that the preset sets.
        """
        prefix = PREFIXES[section]
        wanted = {}
        for entry in self.names.entries.values():
            if entry.section == section and entry.settable:
                symbol = self.tree.syms[entry.symbol]
                if from_kconfig(symbol) is not None:
                    wanted[entry.symbol.removeprefix(prefix)] = symbol.str_value
        for name, value in self.upstream.get(section, {}).items():
            wanted[name] = _as_kconfig(value)
        return dict(sorted(wanted.items()))

    def resolved(self) -> Values:
        """The value of every settable key, complete and sorted: plain data that says all there is to say.

        None is the value of a choice, a number or a text whose dependencies are not met.
        """
        values: Values = {section: {} for section in SECTIONS}
        for entry in self.names.entries.values():
            if entry.settable:
                values[entry.section][entry.key] = entry.value(self.tree)
        for section, extra in self.upstream.items():
            values[section].update(extra)
        return {section: dict(sorted(values[section].items())) for section in SECTIONS if values[section]}

    def validate_upstream(self, section: str, tree: Kconfig, *, extra: Mapping[str, str] | None = None) -> None:
        """Check what is asked of the upstream tree of `section` against that tree.

        `extra` are values that the builder sets besides, by upstream symbol. All of them become the user values of
        `tree`. Raises PresetError, with the place in the preset, for a symbol that does not exist, a value that
        does not fit, and values that do not survive together.
        """
        problems: list[tuple[Location, str, str | None]] = []
        wanted = self.requested(section) | dict(extra or {})
        for name, value in self.upstream.get(section, {}).items():
            where = self._where(section, name)
            symbol = tree.syms.get(name)
            type_ = type_of(symbol) if symbol is not None and symbol.nodes else None
            if type_ is None:
                known = [known for known, other in tree.syms.items() if other.nodes]
                problems.append((where, f"{section} has no symbol {name}", _suggest(name, known)))
                continue
            try:
                wanted[name] = to_kconfig(type_, value)
            except WrongValueError as error:
                problems.append((where, f"{section}.{name} {error}", None))
        if not problems:
            apply_upstream(tree, wanted)
            for lost in explain.requested_but_lost(tree, wanted):
                problems.append(
                    (
                        self._where(section, lost.symbol),
                        f"{section}.{lost.symbol} cannot be {_in_words_kconfig(lost.wanted)}: it {lost.reason}",
                        None,
                    )
                )
        _raise_all(problems)

    # What the TUI and Python code change

    def subscribe(self, callback: Callable[[Change], None]) -> Callable[[], None]:
        """Call `callback` after every change from now on; returns what ends that."""
        self._subscribers.append(callback)

        def unsubscribe() -> None:
            if callback in self._subscribers:
                self._subscribers.remove(callback)

        return unsubscribe

    def set(self, name: str, value: JsonValue) -> Change:
        """Set a symbol, a named choice or a family to a value as a preset has it, or to a Kconfig value.

        True for a member of a choice selects it. Raises Refused, with the reason, if that cannot be.
        """
        entry, wanted = self._wanted(name, value)
        label = f"{entry.prompt or entry.key}: {_in_words(value)}"
        return self._change(label, self._state.delta(wanted), wanted)

    def set_upstream(self, section: str, symbol: str, value: JsonScalar) -> Change:
        """Set an upstream symbol; one that the system tree does not show is checked only by `validate_upstream`.

        Raises Refused for a value that cannot be, or a section that takes no further symbols.
        """
        name = f"{PREFIXES[section]}{symbol}"
        if name in self.names.by_symbol:
            return self.set(name, value)
        self._check_extra(section, symbol, value, lambda what, fix: Refused(what, fix=fix))
        assigned = _stored(value)
        return self._change(f"{symbol}: {_in_words(value)}", self._state.delta({name: assigned}), {})

    def toggle(self, name: str) -> Change:
        """Give a yes/no symbol its next possible value: off, module, on, off …; a member of a choice is selected.

        Raises Refused if it can have no other value.
        """
        symbol = self.tree.syms.get(name)
        if symbol is None or not symbol.nodes:
            raise Refused(f"there is no yes/no option {name}", fix=_suggest(name, self.names.by_symbol))
        if type_of(symbol) not in ("bool", "tristate"):
            raise Refused(f"{explain.title(symbol)} cannot be toggled: it is no yes/no option")
        now = symbol.tri_value
        order = [(now + step) % 3 for step in (1, 2)]
        possible = [step for step in order if step in symbol.assignable]
        following = possible[0] if possible else 0 if now else 2
        return self.set(name, (False, "m", True)[following])

    def unset(self, name: str) -> Change:
        """Take back what was set: the symbol, choice or family is again what the extended presets make of it."""
        names = self._state.choice_members(self._members(name))
        wanted = {symbol: self._base.get(symbol) for symbol in names}
        assigned = self._state.assigned
        delta = {symbol: value for symbol, value in wanted.items() if assigned.get(symbol) != value}
        return self._change(f"{name}: taken back", delta, {})

    def undo(self) -> Change | None:
        """Take the last change back; None if there is none."""
        return self._travel(self._undo, self._redo)

    def redo(self) -> Change | None:
        """Do again what was undone last; None if there is nothing."""
        return self._travel(self._redo, self._undo)

    @property
    def can_undo(self) -> bool:
        """Whether there is something to undo."""
        return bool(self._undo)

    @property
    def can_redo(self) -> bool:
        """Whether there is something to redo."""
        return bool(self._redo)

    def is_changed(self, name: str) -> bool:
        """Whether a symbol, choice or family has another value than the extended presets give it."""
        members = self._members(name)
        if name not in self.names.by_symbol:  # an upstream symbol the tree does not show
            return self._state.assigned.get(name) != self._base.get(name)
        return any(self._values[symbol] != self._base_values[symbol] for symbol in members)

    @property
    def modified(self) -> bool:
        """Whether saving would write something else than what was read or saved last."""
        if self._state.assigned == self._saved:
            return False
        if self._values != self._saved_values:
            return True
        if self._saved_own is None:
            self._saved_own = self._own_values(self._without_override(self._saved), self._base)
        return self.own_values() != self._saved_own

    def own_values(self) -> Values:
        """What the preset must hold: only what differs from what it extends; sorted.

        Applied to the extended presets, it gives the values there are now. An `arch` that overrides the
        preset's does not count.
        """
        return self._own_values(self._without_override(), self._base)

    def diff(self, other: Configuration) -> list[Difference]:
        """What is different in `other`, as resolved values; sections in their order, keys sorted."""
        mine, others = self.resolved(), other.resolved()
        differences = []
        for section in SECTIONS:
            before, after = mine.get(section, {}), others.get(section, {})
            for key in sorted({*before, *after}):
                if before.get(key) != after.get(key):
                    entry = self.names.entries.get((section, key))
                    prompt = entry.prompt if entry else ""
                    differences.append(Difference(section, key, before.get(key), after.get(key), prompt))
        return differences

    def save(self, path: Path | None = None, *, extend: bool = False) -> Path:
        """Save as a preset, where it came from or at `path`; returns where. The undo history stays.

        At another `path` the text is a copy of the preset's with the changes in it and the new name; with
        `extend` it is a new preset that extends this one and holds only what was changed since it was read.
        Raises PresetError if the file's name is no preset's name, MachineError if it cannot be written.
        """
        target = path or self.preset.path
        if not target.name.endswith(presets.SUFFIX):
            raise PresetError(f"the file name of a preset ends in {presets.SUFFIX}", where=target)
        text = self._extending_text(target) if extend else self._text_for(target)
        saved = presets.parse(text, target)
        chain = presets.chain(saved)
        presets.write(target, text)
        if extend:
            self._base = {**self._merged(chain[:-1])}
            self._base_values = self._values_with(self._base)
        self.chain = chain
        self._saved = self._state.assigned
        self._saved_values = dict(self._values)
        self._saved_own = None
        return target

    # How it works

    def _arch_override(self, arch: str | None) -> dict[str, str]:
        if arch is None:
            return {}
        entry = self.names.by_symbol["IMAGE_ARCH"]
        if arch not in entry.members:
            known = ", ".join(entry.members)
            raise UsageError(
                f'there is no architecture "{arch}"',
                fix=_suggest(arch, entry.members) or f"there are {known}",
            )
        return entry.assignments(arch)

    def _values_with(self, assignments: Mapping[str, str]) -> dict[str, str]:
        """The values of the tree with `assignments` and the overriding architecture."""
        with self._state.only(assignments):
            back = self._state.apply(self._state.delta(self._override))
            values = self._state.values()
            self._state.apply(back)
        return values

    def _apply_preset(self, preset: Preset) -> None:
        """Apply one preset of the chain and check that all it asks for is there afterwards."""
        problems: list[tuple[Location, str, str | None]] = []
        wanted: dict[str, str] = {}
        requests: list[tuple[Entry, JsonValue]] = []
        for section, values in preset.sections.items():
            for key, value in values.items():
                where = preset.locate(section, key)
                entry = self.names.entries.get((section, key))
                try:
                    if entry is None:
                        self._check_extra(section, key, value, lambda what, fix: _Unfit(what, fix))
                        assert not isinstance(value, list)
                        wanted[f"{PREFIXES[section]}{key}"] = _stored(value)
                        continue
                    wanted |= self._checked(entry, value)
                    requests.append((entry, value))
                except _Unfit as error:
                    problems.append((where, error.what, error.fix))
        _raise_all(problems)
        self._state.apply(self._state.delta(wanted))
        for entry, value in requests:
            if reason := self._lost(entry, value):
                what = f"{entry.section}.{entry.key} cannot be {_in_words(value)}: it {reason}"
                problems.append((preset.locate(entry.section, entry.key), what, None))
            self._requests.append((preset, entry, value))
        _raise_all(problems)

    def _checked(self, entry: Entry, value: JsonValue) -> dict[str, str]:
        """The assignments for a key. Raises _Unfit if it never takes such a value."""
        name = f"{entry.section}.{entry.key}"
        try:
            wanted = entry.assignments(value)
        except WrongValueError as error:
            suggestion = _suggest(value, entry.members) if isinstance(value, str) else None
            raise _Unfit(f"{name} {error}", suggestion) from None
        if entry.symbol == "IMAGE_BUDGET" and value:
            try:
                parse_size(str(value))
            except UsageError as error:
                raise _Unfit(f"{name}: {error.what}", error.fix) from None
        return wanted

    def _check_extra(
        self, section: str, key: str, value: JsonValue, error: Callable[[str, str | None], Exception]
    ) -> None:
        """Whether a key that is not in the system tree may be set; raises what `error` makes of the reason."""
        known = self.names.keys(section)
        if section not in _OPEN_SECTIONS:
            if not known:
                what = "the kernel is" if section == "kernel" else f"the section {section} is"
                raise error(f"{section}.{key}: {what} not configurable in this version", "leave it out")
            raise error(f'there is no "{key}" in the section {section}', _suggest(key, known))
        if not _is_upstream_name(key):
            raise error(f'"{key}" is no {section} symbol: they are in upper case', _suggest(key, known))
        if isinstance(value, list):
            raise error(f"{section}.{key} cannot be a list", None)
        if isinstance(value, str) and not value.isprintable():
            raise error(f"{section}.{key} must be one line of printable text", None)

    def _lost(self, entry: Entry, value: JsonValue) -> str:
        """Why the requested `value` is not there, "" if it is."""
        wanted = entry.assignments(value)
        lost = explain.requested_but_lost(self.tree, wanted)
        return lost[0].reason if lost else ""

    def _find_overridden(self) -> tuple[Overridden, ...]:
        last: dict[tuple[str, str], tuple[Preset, Entry, JsonValue]] = {}
        for request in self._requests:
            last[request[1].section, request[1].key] = request
        found = []
        for preset, entry, value in last.values():
            if reason := self._lost(entry, value):
                if entry.symbol == "IMAGE_ARCH":
                    continue  # that is what --arch says
                where = preset.locate(entry.section, entry.key)
                found.append(Overridden(entry.section, entry.key, value, where, reason))
        return tuple(found)

    def _symbol(self, name: str) -> Symbol:
        symbol = self.tree.syms.get(name)
        if symbol is None or not symbol.nodes:
            raise KeyError(name)
        return symbol

    def _members(self, name: str) -> tuple[str, ...]:
        """The symbols behind a symbol's, choice's or family's name."""
        entry = self.names.by_symbol.get(name)
        if entry is not None and entry.symbol == name:
            return entry.symbols
        if entry is None and name not in self._state.assigned and name not in self._base:
            self._symbol(name)
        return (name,)

    def _wanted(self, name: str, value: JsonValue) -> tuple[Entry, dict[str, str]]:
        entry = self.names.by_symbol.get(name)
        if entry is None:
            raise Refused(f"there is no symbol {name}", fix=_suggest(name, self.names.by_symbol))
        if not entry.settable:
            symbol = self._symbol(name)
            raise Refused(f"{name} {explain.why_not(symbol, 'n' if symbol.tri_value else 'y')}")
        if entry.symbol != name:  # a member of a choice or a list
            symbol = self._symbol(name)
            entry = Entry(entry.section, name, name, "bool", prompt_of(symbol), {}, True)
        if self._in_choice(entry) and value in (False, "n") and self._symbol(name).tri_value:
            raise Refused(f"{name} {explain.why_not(self._symbol(name), 'n')}")
        if entry.type in ("bool", "tristate") and value in ("y", "n"):
            value = value == "y"
        elif entry.type in ("int", "hex") and isinstance(value, str):
            number = explain.parse_number(value, 16 if entry.type == "hex" else 10)
            value = value if number is None else number
        try:
            wanted = self._checked(entry, value)
        except _Unfit as error:
            raise Refused(error.what, fix=error.fix) from None
        return entry, wanted

    def _change(self, label: str, delta: Delta, wanted: Mapping[str, str]) -> Change:
        """Apply `delta` as one step; if `wanted` is not there then, take it back and raise Refused."""
        if not delta and not (lost := explain.requested_but_lost(self.tree, wanted)):
            return Change(label, ())
        back = self._state.apply(delta)
        lost = explain.requested_but_lost(self.tree, wanted)
        if lost:
            self._state.apply(back)
            symbol = self._symbol(lost[0].symbol)
            reason = explain.why_not(symbol, lost[0].wanted) or lost[0].reason
            value = _in_words_kconfig(lost[0].wanted)
            raise Refused(f"{explain.title(symbol)} cannot be {value}: it {reason}")
        self._undo.append(_Step(label, back))
        self._redo.clear()
        return self._notify(label)

    def _travel(self, origin: list[_Step], target: list[_Step]) -> Change | None:
        if not origin:
            return None
        step = origin.pop()
        target.append(_Step(step.label, self._state.apply(step.delta)))
        return self._notify(step.label)

    def _notify(self, label: str) -> Change:
        before, self._values = self._values, self._state.values()
        change = Change(
            label,
            tuple(
                ValueChange(name, prompt_of(self.tree.syms[name]), before[name], self._values[name])
                for name in changed(before, self._values)
            ),
        )
        for subscriber in list(self._subscribers):
            subscriber(change)
        return change

    def _without_override(self, assigned: Mapping[str, str] | None = None) -> Mapping[str, str]:
        """`assigned`, else the assignments now, with the overridden architecture as the preset has it."""
        assigned = dict(self._state.assigned if assigned is None else assigned)
        members = self._state.choice_members(self._override)
        if self._override and all(assigned.get(name) == value for name, value in self._override.items()):
            for name in members:
                assigned.pop(name, None)
            preset = self._merged(self.chain)
            assigned.update({name: preset[name] for name in members if name in preset})
        return assigned

    def _merged(self, chain: Iterable[Preset]) -> dict[str, str]:
        """The assignments that a chain makes."""
        with self._state.only({}):
            for preset in chain:
                wanted: dict[str, str] = {}
                for section, values in preset.sections.items():
                    for key, value in values.items():
                        entry = self.names.entries.get((section, key))
                        if entry is not None:
                            wanted |= entry.assignments(value)
                        elif not isinstance(value, list):
                            wanted[f"{PREFIXES[section]}{key}"] = _stored(value)
                self._state.apply(self._state.delta(wanted))
            return dict(self._state.assigned)

    def _own_values(self, assigned: Mapping[str, str], base_assigned: Mapping[str, str]) -> Values:
        """The keys that lead from the assignments `base_assigned` to the values that `assigned` gives."""
        with self._state.only(assigned):
            target = self._state.values()
            current = {entry: entry.value(self.tree) for entry in self.names.entries.values()}
        with self._state.only(base_assigned):
            base = {entry: entry.value(self.tree) for entry in current}
        # To say that one member of a choice is on is to say that the others are off.
        entries = [
            entry
            for entry, value in current.items()
            if entry.settable and value is not None and not (value is False and self._in_choice(entry))
        ]
        explicit = [
            entry
            for entry in entries
            if any(assigned.get(symbol) != base_assigned.get(symbol) for symbol in entry.symbols)
        ]
        own = {entry for entry in explicit if current[entry] != base[entry]}
        # What is set and yet equal to the base is left out only where the rest gives that value anyhow; what
        # follows from the rest by itself need not be said. Each round says more, so this ends.
        for candidates in (explicit, entries):
            while True:
                wrong = set(changed(target, self._values_of(base_assigned, own, current)))
                missing = {entry for entry in candidates if entry not in own and wrong.intersection(entry.symbols)}
                if not missing:
                    break
                own |= missing
        values: Values = {section: {} for section in SECTIONS}
        for entry in own:
            values[entry.section][entry.key] = current[entry]
        for name in {*assigned, *base_assigned}:
            section = section_of(name)
            if name not in self.names.by_symbol and section and assigned.get(name) != base_assigned.get(name):
                values[section][name.removeprefix(PREFIXES[section])] = _restored(assigned.get(name))
        return {section: dict(sorted(values[section].items())) for section in SECTIONS if values[section]}

    def _in_choice(self, entry: Entry) -> bool:
        return entry.type == "bool" and self.tree.syms[entry.symbol].choice is not None

    def _values_of(
        self, base: Mapping[str, str], own: Iterable[Entry], current: Mapping[Entry, JsonValue]
    ) -> dict[str, str]:
        """The values of the tree with the assignments `base` and the `own` keys at their `current` values."""
        with self._state.only(base):
            wanted: dict[str, str] = {}
            for entry in own:
                wanted |= entry.assignments(current[entry])
            back = self._state.apply(self._state.delta(wanted))
            values = self._state.values()
            self._state.apply(back)
        return values

    def _extra(self, name: str) -> JsonScalar:
        return _restored(self._state.assigned.get(name))

    def _where(self, section: str, key: str) -> Location:
        """Where the value of a key comes from: the last preset of the chain that has it, or the preset."""
        for preset in reversed(self.chain):
            if key in preset.sections.get(section, {}):
                return preset.locate(section, key)
        return Location(self.preset.path)

    def _text_for(self, target: Path) -> str:
        """The preset's text with the values there are now, for a file at `target`."""
        own = self.own_values()
        with self._state.only(self._without_override()):
            for section, written in self.preset.sections.items():
                for key, value in written.items():
                    # What is written and still true stays as it is written, even where it need not be said.
                    entry = self.names.entries.get((section, key))
                    if entry is not None:
                        true = not self._lost(entry, value)
                    else:
                        true = self._extra(f"{PREFIXES[section]}{key}") == value
                    if true:
                        own.setdefault(section, {})[key] = value
        top: dict[str, str | None] = {}
        if not _same_file(target, self.preset.path):
            if ("name", None) in self.preset.positions:
                top["name"] = target.name.removesuffix(presets.SUFFIX)
            if len(self.chain) > 1 and self.preset.extends is not None:
                top["extends"] = _reference(self.chain[-2].path, target, self.preset.extends)
        return presets.edited_text(self.preset, own, top)

    def _extending_text(self, target: Path) -> str:
        """The text of a preset at `target` that extends the one that was read."""
        if _same_file(target, self.preset.path):
            raise PresetError("a preset cannot extend itself", where=target, fix="save it under another name")
        own = self._own_values(self._without_override(), self._merged(self.chain))
        name = target.name.removesuffix(presets.SUFFIX)
        by_name = self.preset.path.name.removesuffix(presets.SUFFIX)
        return presets.new_text({"name": name, "extends": _reference(self.preset.path, target, by_name)}, own)


class _Unfit(Exception):  # noqa: N818
    """A key or value that the tree does not take; becomes a PresetError or Refused."""

    def __init__(self, what: str, fix: str | None) -> None:
        super().__init__(what)
        self.what = what
        self.fix = fix


def apply_upstream(tree: Kconfig, wanted: Mapping[str, str]) -> None:
    """Make `wanted` (Kconfig values by upstream symbol) the user values of `tree`, and nothing else."""
    tree.unset_values()
    state = TreeState(tree)
    state.apply(state.delta(wanted))


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


def _raise_all(problems: Sequence[tuple[Location, str, str | None]]) -> None:
    """Raise the first problem as a PresetError that lists the others."""
    if problems:
        (where, what, fix), *others = problems
        raise PresetError(what, where=where, fix=fix, details=tuple(f"{place}: {text}" for place, text, _ in others))


def _suggest(word: object, candidates: Iterable[str]) -> str | None:
    suggestion = nearest(str(word), candidates)
    return f'did you mean "{suggestion}"?' if suggestion else None


def _is_upstream_name(key: str) -> bool:
    return key.isascii() and key.replace("_", "a").isalnum() and key[0].isupper()


def _stored(value: JsonScalar) -> str:
    """A value of a symbol with unknown type, as text that `_restored` makes the same value of."""
    import json

    return json.dumps(value)


def _restored(text: str | None) -> JsonScalar:
    import json

    value: JsonScalar = json.loads(text) if text is not None else None
    return value


def _as_kconfig(value: JsonScalar) -> str:
    if isinstance(value, bool):
        return "y" if value else "n"
    return "" if value is None else str(value)


def _in_words(value: JsonValue) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if value is None:
        return "nothing"
    if isinstance(value, list):
        return f"[{', '.join(value)}]"
    if value == "m":
        return "a module"
    return f'"{value}"' if isinstance(value, str) else str(value)


def _in_words_kconfig(value: str) -> str:
    return {"y": "on", "m": "a module", "n": "off"}.get(value, f'"{value}"')


__all__ = [
    "Change",
    "Configuration",
    "Difference",
    "Overridden",
    "Refused",
    "ValueChange",
    "apply_upstream",
]
