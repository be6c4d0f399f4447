"""Configuration: the system tree with a preset applied.

What is set, undone and redone here is what the TUI, the command line and Python code share. One change gives one
notification; what cannot be is refused with the reason, and nothing changes then.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kimitui import config_apply, config_edit, config_save, config_upstream
from kimitui import preset as presets
from kimitui.config_apply import UnfitError
from kimitui.config_types import Change, Difference, Overridden, Refused, ValueChange, Values, differences, in_words
from kimitui.config_upstream import apply_upstream
from kimitui.errors import Location, PresetError
from kimitui.kconfig import explain
from kimitui.kconfig.names import PREFIXES, SECTIONS, JsonScalar, JsonValue, Names, type_of
from kimitui.kconfig.state import Delta, TreeState
from kimitui.kconfig.system import load_system_tree
from kimitui.kconfig.types import Kconfig, Symbol
from kimitui.preset import Preset


@dataclass(frozen=True)
class _Step:
    """An entry of the undo or redo stack."""

    label: str
    delta: Delta


class Configuration:
    """The system tree with a preset applied.

    `preset` is the preset as it was read or last saved, `chain` what it is made of, base first. `tree` is the
    live tree: read it, but change values only through the methods here. `overridden` lists what extended presets ask
    for and did not get, because the presets that extend them decided otherwise, and symbols of a kernel where none
    is built.
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
        self._override: Mapping[str, str] = config_apply.architecture(self.names, arch)
        requests = []
        for preset in self.chain[:-1]:
            requests += config_apply.apply_preset(self._state, self.names, preset)
        self._base = self._state.assigned
        self._base_values = self._values_with(self._base)
        requests += config_apply.apply_preset(self._state, self.names, self.chain[-1])
        self._state.apply(self._state.delta(self._override))
        self._values = self._state.values()
        self._saved = self._state.assigned
        self._saved_values = self._values
        self._saved_own: Values | None = None
        self.overridden: tuple[Overridden, ...] = (
            *config_apply.find_overridden(self.tree, requests),
            *config_apply.find_unused(self.tree, self.names, self.chain),
        )

    @classmethod
    def open(cls, reference: str, *, arch: str | None = None) -> Configuration:
        """The configuration of the preset that `reference` names, a name or a path. Raises as the constructor."""
        return cls.from_preset(presets.read(presets.find(reference)), arch=arch)

    @classmethod
    def from_preset(cls, preset: Preset, *, arch: str | None = None) -> Configuration:
        """The configuration of `preset` and what it extends. Raises as the constructor."""
        return cls(presets.chain(preset), arch=arch)

    def copy(self) -> Configuration:
        """A configuration of its own with the same preset, values and overriding architecture, and nothing to undo.

        Nothing done to the one reaches the other, so a thread can build the copy while this one is edited. Copying
        itself is to be done where this one is edited.
        """
        # All that is not replaced here is plain data that is never changed in place.
        other = copy.copy(self)
        other.tree = load_system_tree()
        other._state = TreeState(other.tree)
        other._state.apply(other._state.replacing(self._state.assigned))
        other._subscribers, other._undo, other._redo = [], [], []
        return other

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
        return config_upstream.further(self.names, self._state.assigned)

    def requested(self, section: str) -> dict[str, str]:
        """What is asked of the upstream tree of `section`, by upstream symbol, as Kconfig values; sorted.

        That is every symbol of the section that is on or offered, and the further upstream symbols that the preset
        sets. Of a symbol that is not offered nothing is asked.
        """
        wanted = config_upstream.requested(self.tree, self.names, section)
        for name, value in self.upstream.get(section, {}).items():
            wanted[name] = config_upstream.as_kconfig(value)
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

    def validate_upstream(
        self,
        section: str,
        tree: Kconfig,
        *,
        extra: Mapping[str, str] | None = None,
        beneath: Mapping[str, str] | None = None,
    ) -> None:
        """Check what is asked of the upstream tree of `section` against that tree.

        `extra` are values that the builder sets besides, by upstream symbol; `beneath` are those of a base that all
        others override, and that need not survive. All of them become the user values of `tree`. Raises PresetError,
        with the place in the preset, for a symbol that does not exist, a value that does not fit, and values that do
        not survive together.
        """
        config_upstream.validate(
            tree,
            section,
            config_upstream.requested(self.tree, self.names, section) | dict(extra or {}),
            self.upstream.get(section, {}),
            lambda name: self.where(section, name),
            beneath or {},
        )

    def where(self, section: str, key: str) -> Location:
        """Where the value of a key comes from: the last preset of the chain that has it, or the preset."""
        for preset in reversed(self.chain):
            if key in preset.sections.get(section, {}):
                return preset.locate(section, key)
        return Location(self.preset.path)

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
        entry, wanted = config_edit.meaning(self.tree, self.names, name, value)
        label = f"{entry.prompt or entry.key}: {in_words(value)}"
        return self._change(label, self._state.delta(wanted), wanted)

    def problem(self, name: str, value: JsonValue) -> str:
        """Why `set(name, value)` would be refused, in a line; "" if it would not. Changes nothing, tells nobody."""
        try:
            _, wanted = config_edit.meaning(self.tree, self.names, name, value)
            self._state.apply(config_edit.attempt(self._state, self._state.delta(wanted), wanted))
        except Refused as refused:
            return f"{refused.what}; {refused.fix}" if refused.fix else refused.what
        return ""

    def set_upstream(self, section: str, symbol: str, value: JsonScalar) -> Change:
        """Set an upstream symbol; one that the system tree does not show is checked only by `validate_upstream`.

        Raises Refused for a value that cannot be, or a section that takes no further symbols.
        """
        name = f"{PREFIXES[section]}{symbol}"
        if name in self.names.by_symbol:
            return self.set(name, value)
        try:
            config_apply.check_extra(self.names, section, symbol, value)
        except UnfitError as error:
            raise Refused(error.what, fix=error.fix) from None
        if reason := config_apply.why_unused(self.tree, section):
            raise Refused(f"{section}.{symbol} would have no effect: it {reason}")
        delta = self._state.delta({name: config_apply.stored(value)})
        return self._change(f"{symbol}: {in_words(value)}", delta, {})

    def toggle(self, name: str) -> Change:
        """Give a yes/no symbol its next possible value: off, module, on, off …; a member of a choice is selected.

        Raises Refused if it can have no other value.
        """
        return self.set(name, config_edit.following(self.tree, self.names, name))

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
            self._saved_own = self._own_values(self._saved, self._base)
        return self.own_values() != self._saved_own

    def own_values(self) -> Values:
        """What the preset must hold: only what differs from what it extends; sorted.

        Applied to the extended presets, it gives the values there are now. An `arch` that overrides the
        preset's does not count.
        """
        return self._own_values(self._state.assigned, self._base)

    def diff(self, other: Configuration) -> list[Difference]:
        """What is different in `other`, as resolved values; sections in their order, keys sorted."""
        return differences(self.resolved(), other.resolved(), self.names)

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
        chain = presets.chain(presets.parse(text, target))
        presets.write(target, text)
        if extend:
            self._base = config_apply.merged(self._state, self.names, chain[:-1])
            self._base_values = self._values_with(self._base)
        self.chain = chain
        self._saved = self._state.assigned
        self._saved_values = self._values
        self._saved_own = None
        return target

    # How it works

    def _values_with(self, assignments: Mapping[str, str]) -> dict[str, str]:
        """The values of the tree with `assignments` and the overriding architecture."""
        with self._state.only(assignments):
            back = self._state.apply(self._state.delta(self._override))
            values = self._state.values()
            self._state.apply(back)
        return values

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

    def _change(self, label: str, delta: Delta, wanted: Mapping[str, str]) -> Change:
        """Apply `delta` as one step; if `wanted` is not there then, take it back and raise Refused."""
        back = config_edit.attempt(self._state, delta, wanted)
        if not delta:
            return Change(label, ())
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
        change = Change(label, tuple(config_edit.value_changes(self.tree, before, self._values)))
        for subscriber in list(self._subscribers):
            subscriber(change)
        return change

    def _without_override(self, assigned: Mapping[str, str]) -> Mapping[str, str]:
        """`assigned` with the architecture as the preset has it."""
        return config_apply.without_override(self._state, self.names, self.chain, self._override, assigned)

    def _own_values(self, assigned: Mapping[str, str], base: Mapping[str, str]) -> Values:
        return config_save.own_values(self._state, self.names, self._without_override(assigned), base)

    def _text_for(self, target: Path) -> str:
        """The preset's text with the values there are now, for a file at `target`."""
        assigned = self._without_override(self._state.assigned)
        return config_save.edited_text(self._state, self.names, assigned, self.own_values(), self.chain, target)

    def _extending_text(self, target: Path) -> str:
        """The text of a preset at `target` that extends the one that was read."""
        base = config_apply.merged(self._state, self.names, self.chain)
        return config_save.extending_text(self.preset, self._own_values(self._state.assigned, base), target)


__all__ = [
    "Change",
    "Configuration",
    "Difference",
    "Overridden",
    "Refused",
    "ValueChange",
    "Values",
    "apply_upstream",
]
