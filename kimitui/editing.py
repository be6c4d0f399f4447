"""A tree being edited: set, toggle, take back, undo, redo; what changed, and what cannot be and why.

What a preset's configuration and a plain `.config` have in common. One change gives one notification; what
cannot be is refused with the reason, and nothing changes then.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kimitui import config_changes, config_edit
from kimitui.config_types import Alternative, Change, KeyChange, Origin, Refused, Values, in_words
from kimitui.kconfig import explain
from kimitui.kconfig.names import Entry, JsonValue, Names, type_of
from kimitui.kconfig.state import Delta, TreeState
from kimitui.kconfig.types import Kconfig, Symbol


@dataclass(frozen=True)
class _Step:
    """An entry of the undo or redo stack."""

    label: str
    delta: Delta


class Editing(ABC):
    """A tree, the values that are set in it, and a base to compare them with.

    `tree` is the live tree: read it, but change values only through the methods here. `names` are its keys.
    """

    def __init__(self, tree: Kconfig, names: Names) -> None:
        """Nothing is set in `tree`. A subclass sets what it wants to, and then calls `_begin`."""
        self.tree = tree
        self.names = names
        self._state = TreeState(tree)
        self._subscribers: list[Callable[[Change], None]] = []
        self._undo: list[_Step] = []
        self._redo: list[_Step] = []

    def _begin(self, base: Mapping[str, str]) -> None:
        """What is set now is the beginning, and compared with the assignments `base`."""
        self._values = self._state.values()
        self._saved = self._state.assigned
        self._saved_values = self._values
        self._rebase(base)

    def _rebase(self, base: Mapping[str, str]) -> None:
        self._base = base
        self._base_resolved: Values | None = None
        with self._state.only(base):
            self._base_values = self._state.values()

    # What a configurator asks of whatever it edits

    @property
    @abstractmethod
    def name(self) -> str:
        """What is edited, in a word."""

    @property
    @abstractmethod
    def path(self) -> Path:
        """The file it belongs to, which need not be there yet."""

    @property
    @abstractmethod
    def base_name(self) -> str:
        """What changes are counted from, in words."""

    @property
    @abstractmethod
    def remarks(self) -> tuple[str, ...]:
        """What a user should know about the file that was opened: what of it is not in force."""

    @property
    @abstractmethod
    def unsaved(self) -> bool:
        """Whether there is something that is in no file yet."""

    @abstractmethod
    def save(self, path: Path | None = None) -> Path:
        """Write it where it came from or to `path`; returns where."""

    @abstractmethod
    def _written(self, entry: Entry, given: Sequence[Symbol]) -> Origin | None:
        """Where the value of a key is written, of which the symbols `given` were set; None if it is nowhere yet."""

    # What there is

    @property
    def can_undo(self) -> bool:
        """Whether there is something to undo."""
        return bool(self._undo)

    @property
    def can_redo(self) -> bool:
        """Whether there is something to redo."""
        return bool(self._redo)

    @property
    def modified(self) -> bool:
        """Whether saving would write something else than what was read or saved last."""
        return self._state.assigned != self._saved and self._values != self._saved_values

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

    def resolved(self) -> Values:
        """The value of every settable key, complete and sorted: plain data that says all there is to say.

        None is the value of a choice, a number or a text whose dependencies are not met.
        """
        values: Values = {}
        for entry in self.names.entries.values():
            if entry.settable:
                values.setdefault(entry.section, {})[entry.key] = entry.value(self.tree)
        return {section: dict(sorted(keys.items())) for section, keys in values.items()}

    def is_changed(self, name: str) -> bool:
        """Whether a symbol, choice or family has another value than the base gives it."""
        members = self._members(name)
        if name not in self._values and name not in self.names.by_symbol:  # one that the tree does not show
            return self._state.assigned.get(name) != self._base.get(name)
        return any(self._values[symbol] != self._base_values[symbol] for symbol in members)

    def origin(self, name: str) -> Origin | None:
        """Where the value of a symbol, choice or family comes from; None for one that is no key."""
        entry = self.names.by_symbol.get(name)
        if entry is None:
            return None
        return config_changes.origin(self.tree, entry, self._state.assigned, self._written)

    def changes(self) -> list[KeyChange]:
        """Every key that has another value than the base gives it; sections in their order, keys sorted.

        Of a choice whose members are keys, only the member that is chosen counts. Taking back what was set (`unset`),
        until nothing of it is left, leads to the base.
        """
        if self._base_resolved is None:
            with self._state.only(self._base):
                self._base_resolved = self.resolved()
        return config_changes.key_changes(
            self.tree, self.names, (self._base_resolved, self.resolved()), (self._base, self._state.assigned)
        )

    def problem(self, name: str, value: JsonValue) -> str:
        """Why `set(name, value)` would be refused, in a line; "" if it would not. Changes nothing, tells nobody."""
        try:
            wanted, label = self._meaning(name, value)
            self._state.apply(config_edit.attempt_pulling(self._state, wanted, label).back)
        except Refused as refused:
            return f"{refused.what}; {refused.fix}" if refused.fix else refused.what
        return ""

    @property
    def values(self) -> Mapping[str, str]:
        """The Kconfig value of every symbol the tree defines."""
        return self._values

    @property
    def base_values(self) -> Mapping[str, str]:
        """The same in the base that changes are compared with."""
        return self._base_values

    @property
    def assigned(self) -> Mapping[str, str]:
        """What is set, as Kconfig values by symbol; a copy."""
        return self._state.assigned

    def assume(self, assigned: Mapping[str, str]) -> None:
        """Make `assigned` all that is set; there is no step that could be undone, and nobody is told."""
        self._state.apply(self._state.replacing(assigned))
        self._values = self._state.values()

    def consequences(self, name: str) -> Mapping[str, str] | None:
        """The symbols that `toggle(name)` would change, with the Kconfig values they would have then.

        None where it would be refused. Changes nothing, tells nobody.
        """
        try:
            wanted, label = self._meaning(name, config_edit.following(self.tree, self.names, name))
            attempt = config_edit.attempt_pulling(self._state, wanted, label)
        except Refused:
            return None
        after = {symbol.name: symbol.str_value for symbol in self._state.affected(attempt.back)}
        self._state.apply(attempt.back)
        return {name: value for name, value in after.items() if value != self._values[name]}

    @contextmanager
    def imagined(self, name: str) -> Iterator[None]:
        """Within the block all values are as `toggle(name)` would make them; nobody is told. Raises Refused."""
        wanted, label = self._meaning(name, config_edit.following(self.tree, self.names, name))
        attempt = config_edit.attempt_pulling(self._state, wanted, label)
        before, self._values = self._values, self._state.values()
        try:
            yield
        finally:
            self._state.apply(attempt.back)
            self._values = before

    # What can be done

    def subscribe(self, callback: Callable[[Change], None]) -> Callable[[], None]:
        """Call `callback` after every change from now on; returns what ends that."""
        self._subscribers.append(callback)

        def unsubscribe() -> None:
            if callback in self._subscribers:
                self._subscribers.remove(callback)

        return unsubscribe

    def set(self, name: str, value: JsonValue) -> Change:
        """Set a symbol, a named choice or a family to a value as a preset has it, or to a Kconfig value.

        True for a member of a choice selects it. What the value needs is switched on with it if it is clear what that
        is. Raises Refused if that cannot be, with the reason and the ways that are not taken unasked: one of
        several, and those that take away something that is set now.
        """
        wanted, label = self._meaning(name, value)
        return self._done(label, config_edit.attempt_pulling(self._state, wanted, label))

    def apply_fix(self, alternative: Alternative) -> Change:
        """Get a value that was refused in one of the ways that were named then. Raises Refused if it is too late."""
        wanted = dict(alternative.assignments)
        return self._change(alternative.label, self._state.delta(wanted), wanted)

    def toggle(self, name: str) -> Change:
        """Give a yes/no symbol its next possible value: off, module, on, off …; a member of a choice is selected.

        Raises Refused if it can have no other value.
        """
        return self.set(name, config_edit.following(self.tree, self.names, name))

    def unset(self, name: str) -> Change:
        """Take back what was set: the symbol, choice or family is again what the base makes of it."""
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

    # How it works

    def _symbol(self, name: str) -> Symbol:
        symbol = self.tree.syms.get(name)
        if symbol is None or not symbol.nodes:
            raise KeyError(name)
        return symbol

    def _meaning(self, name: str, value: JsonValue) -> tuple[dict[str, str], str]:
        """The assignments that give `name` a value, and what that is called."""
        entry, wanted = config_edit.meaning(self.tree, self.names, name, value)
        return wanted, f"{entry.prompt or entry.key}: {in_words(value)}"

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
        return self._done(label, config_edit.Attempt(config_edit.attempt(self._state, delta, wanted)))

    def _done(self, label: str, attempt: config_edit.Attempt) -> Change:
        """Note a step that was made, and tell everybody."""
        if not attempt.back:
            return Change(label, ())
        self._undo.append(_Step(label, attempt.back))
        self._redo.clear()
        return self._notify(label, attempt.pulled)

    def _travel(self, origin: list[_Step], target: list[_Step]) -> Change | None:
        if not origin:
            return None
        step = origin.pop()
        target.append(_Step(step.label, self._state.apply(step.delta)))
        return self._notify(step.label)

    def _notify(self, label: str, pulled: Collection[str] = ()) -> Change:
        before, self._values = self._values, self._state.values()
        changes = tuple(config_edit.value_changes(self.tree, before, self._values))
        change = Change(label, changes, tuple(one for one in changes if one.symbol in pulled))
        for subscriber in list(self._subscribers):
            subscriber(change)
        return change
