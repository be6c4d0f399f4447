"""Configuration: the system tree with a preset applied.

What is set, undone and redone here (see `Editing`) is what the TUI, the command line and Python code share.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path

from kimitui import config_apply, config_save, config_upstream
from kimitui import preset as presets
from kimitui.config_apply import UnfitError
from kimitui.config_types import (
    Alternative,
    Change,
    Difference,
    KeyChange,
    Origin,
    Overridden,
    Refused,
    ValueChange,
    Values,
    differences,
    in_words,
)
from kimitui.config_upstream import apply_upstream
from kimitui.editing import Editing
from kimitui.errors import Location, PresetError
from kimitui.kconfig.names import PREFIXES, SECTIONS, Entry, JsonOpen, Names
from kimitui.kconfig.state import TreeState
from kimitui.kconfig.system import load_system_tree
from kimitui.kconfig.types import Kconfig, Symbol
from kimitui.preset import Preset


class Configuration(Editing):
    """The system tree with a preset applied.

    `preset` is the preset as it was read or last saved, `chain` what it is made of, base first. The base that
    changes are compared with is what the extended presets make, with the overriding architecture if there is one.
    `overridden` lists what extended presets ask for and did not get, because the presets that extend them decided
    otherwise, and symbols of a kernel where none is built.
    """

    def __init__(self, chain: Sequence[Preset], *, arch: str | None = None) -> None:
        """Apply `chain` (base first) to a fresh system tree; `arch` overrides `image.arch` and is never saved.

        Raises PresetError, with the place, for a key that does not exist, a value that does not fit, and a value
        that does not survive in its own preset; UsageError for an unknown `arch`.
        """
        tree = load_system_tree()
        super().__init__(tree, Names(tree))
        self.chain = tuple(chain)
        self._arch = arch
        self._override: Mapping[str, str] = config_apply.architecture(self.names, arch)
        requests = []
        for preset in self.chain[:-1]:
            requests += config_apply.apply_preset(self._state, self.names, preset)
        self._extended = self._state.assigned
        requests += config_apply.apply_preset(self._state, self.names, self.chain[-1])
        self._state.apply(self._state.delta(self._override))
        self._begin(self._with_override(self._extended))
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
    def path(self) -> Path:
        """The preset's file, which need not be there yet."""
        return self.preset.path

    @property
    def base_name(self) -> str:
        """What changes are counted from, in words."""
        return self.preset.extends or "the defaults"

    @property
    def remarks(self) -> tuple[str, ...]:
        """What extended presets ask for and is not in force."""
        return tuple(f"asked for by an extended preset: {one.describe()}" for one in self.overridden)

    @property
    def unsaved(self) -> bool:
        """Whether there is something that is in no file yet."""
        return self.modified or not self.path.exists()

    @property
    def description(self) -> str:
        """The preset's description; if it has none, that of the nearest preset it extends that has one."""
        return next((link.description for link in reversed(self.chain) if link.description), "")

    @property
    def further(self) -> dict[str, dict[str, JsonOpen]]:
        """By section, the keys that are set and that the system tree does not have.

        That are upstream symbols it does not show, and services that presets define; False is one that was taken out.
        """
        return config_upstream.further(self.names, self._state.assigned)

    def requested(self, section: str) -> dict[str, str]:
        """What is asked of the upstream tree of `section`, by upstream symbol, as Kconfig values; sorted.

        That is every symbol of the section that is on or offered, and the further upstream symbols that the preset
        sets. Of a symbol that is not offered nothing is asked.
        """
        wanted = config_upstream.requested(self.tree, self.names, section)
        for name, value in self.further.get(section, {}).items():
            wanted[name] = config_upstream.as_kconfig(value)
        return dict(sorted(wanted.items()))

    def resolved(self) -> Values:
        """The value of every settable key, complete and sorted: plain data that says all there is to say.

        None is the value of a choice, a number or a text whose dependencies are not met.
        """
        values = super().resolved()
        for section, extra in self.further.items():
            if extra:
                values[section] = {**values.get(section, {}), **extra}
        return {section: dict(sorted(values[section].items())) for section in SECTIONS if section in values}

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
            self.further.get(section, {}),
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

    def set_upstream(self, section: str, symbol: str, value: JsonOpen) -> Change:
        """Set an upstream symbol, or a service of the user's own.

        A symbol that the system tree does not show is checked only by `validate_upstream`.
        Raises Refused for a value that cannot be, or a section that takes no further symbols.
        """
        name = f"{PREFIXES[section]}{symbol}"
        if name in self.names.by_symbol:
            return self.set(name, value)
        try:
            wanted = config_apply.checked_extra(self.names, self._extended, section, symbol, value)
        except UnfitError as error:
            raise Refused(error.what, fix=error.fix) from None
        if reason := config_apply.why_unused(self.tree, section):
            raise Refused(f"{section}.{symbol} would have no effect: it {reason}")
        delta = self._state.delta(wanted)
        return self._change(f"{symbol}: {in_words(value)}", delta, {})

    def replace(self, own: Values, label: str) -> tuple[Change, tuple[str, ...]]:
        """Make `own`, as `own_values` gives it, all that differs from the extended presets, as one step.

        Returns the change and, one line each, the values that this tree does not take and why.
        """
        wanted, lost = config_apply.fitting(self._state, self.names, self._extended, own)
        with self._state.only(wanted):
            self._state.apply(self._state.delta(self._override))
            wanted = self._state.assigned
        return self._change(label, self._state.replacing(wanted), {}), lost

    def reread(self, *, keep: bool = False) -> Change:
        """Take the preset and those it extends from their files again; the values become theirs, as one step.

        With `keep` the values stay as they are here, and differ from what is in the files now. Raises PresetError if
        the files make no configuration; nothing is changed then.
        """
        fresh = Configuration.open(str(self.preset.path.absolute()), arch=self._arch)
        # The path as it was given is how the user knows the preset.
        self.chain = (*fresh.chain[:-1], presets.parse(fresh.preset.text, self.preset.path))
        self.overridden = fresh.overridden
        self._extended = fresh._extended
        self._rebase(fresh._base)
        self._saved, self._saved_values, self._saved_own = fresh._saved, fresh._saved_values, None
        delta = {} if keep else self._state.replacing(fresh._saved)
        return self._change(f"{self.preset.path.name} read again", delta, {})

    @property
    def modified(self) -> bool:
        """Whether saving would write something else than what was read or saved last."""
        if self._state.assigned == self._saved:
            return False
        if self._values != self._saved_values:
            return True
        if self._saved_own is None:
            self._saved_own = self._own_values(self._saved, self._extended)
        return self.own_values() != self._saved_own

    def own_values(self) -> Values:
        """What the preset must hold: only what differs from what it extends; sorted.

        Applied to the extended presets, it gives the values there are now. An `arch` that overrides the
        preset's does not count.
        """
        return self._own_values(self._state.assigned, self._extended)

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
            self._extended = config_apply.merged(self._state, self.names, chain[:-1])
            self._rebase(self._with_override(self._extended))
        self.chain = chain
        self._saved = self._state.assigned
        self._saved_values = self._values
        self._saved_own = None
        return target

    # How it works

    def _written(self, entry: Entry, given: Sequence[Symbol]) -> Origin | None:
        if any(symbol.name in self._override for symbol in given):
            return Origin("was asked for with --arch")
        for preset in reversed(self.chain):
            value = preset.sections.get(entry.section, {}).get(entry.key)
            if value is not None and not config_apply.why_lost(self.tree, entry, value):
                return Origin("is set", preset.locate(entry.section, entry.key))
        return None

    def _with_override(self, assignments: Mapping[str, str]) -> Mapping[str, str]:
        """`assignments` with the overriding architecture in place of theirs."""
        members = self._state.choice_members(self._override)
        return {name: value for name, value in assignments.items() if name not in members} | dict(self._override)

    def _without_override(self, assigned: Mapping[str, str]) -> Mapping[str, str]:
        """`assigned` with the architecture as the preset has it."""
        return config_apply.without_override(self._state, self.names, self.chain, self._override, assigned)

    def _own_values(self, assigned: Mapping[str, str], base: Mapping[str, str]) -> Values:
        return config_save.own_values(self._state, self.names, self._without_override(assigned), base)

    def _text_for(self, target: Path) -> str:
        """The preset's text with the values there are now, for a file at `target`."""
        assigned = self._without_override(self._state.assigned)
        own = self.own_values()
        return config_save.edited_text(self._state, self.names, assigned, own, self._extended, self.chain, target)

    def _extending_text(self, target: Path) -> str:
        """The text of a preset at `target` that extends the one that was read."""
        base = config_apply.merged(self._state, self.names, self.chain)
        return config_save.extending_text(self.preset, self._own_values(self._state.assigned, base), target)


__all__ = [
    "Alternative",
    "Change",
    "Configuration",
    "Difference",
    "KeyChange",
    "Origin",
    "Overridden",
    "Refused",
    "ValueChange",
    "Values",
    "apply_upstream",
]
