"""The values in a tree as a function of what was assigned.

kconfiglib remembers more than one can see: a choice keeps the user values of members that are no longer selected,
and the order of assignments shows through. `TreeState` keeps the assignments itself, at most one member per choice, and
brings the tree in line with them, so that equal assignments give equal values, whatever happened before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from kimitui.kconfig.types import Choice, Kconfig, Symbol

Delta = Mapping[str, str | None]
"""New assignments by symbol; None takes one away."""


class TreeState:
    """A tree and the assignments in it.

    Assignments are Kconfig values (`y`, `m`, `n`, a number or text) by symbol; of the members of a choice only
    the selected one has an assignment, `y`. Names the tree does not define may be assigned, too: they are
    remembered and have no effect.
    """

    def __init__(self, tree: Kconfig) -> None:
        self.tree = tree
        self._symbols = list(tree.unique_defined_syms)
        self._names = [symbol.name for symbol in self._symbols]
        self._positions = {name: position for position, name in enumerate(self._names)}
        self._assigned: dict[str, str] = {}

    @property
    def assigned(self) -> Mapping[str, str]:
        """The assignments now; a copy."""
        return dict(self._assigned)

    def position(self, name: str) -> int:
        """Where the tree defines `name`, as a number that grows; what it does not define comes last."""
        return self._positions.get(name, len(self._positions))

    def values(self) -> dict[str, str]:
        """The Kconfig value of every symbol the tree defines."""
        return dict(zip(self._names, [symbol.str_value for symbol in self._symbols], strict=True))

    def delta(self, wanted: Mapping[str, str]) -> dict[str, str | None]:
        """What has to be assigned so that `wanted` is: for a choice, its other members lose their assignment.

        `n` for a member of a choice assigns nothing: whether the member is off is up to the others.
        """
        delta: dict[str, str | None] = {}
        for name, value in wanted.items():
            choice = self._choice(name)
            if choice is None:
                delta[name] = value
            elif value != "n":
                # In a choice of modules, several can be chosen.
                others = (
                    member.name for member in choice.syms if value == "y" or self._assigned.get(member.name) == "y"
                )
                delta.update(dict.fromkeys(others))
                delta[name] = value
            elif self._assigned.get(name):
                delta[name] = None
        return {name: value for name, value in delta.items() if value != self._assigned.get(name)}

    def apply(self, delta: Delta) -> dict[str, str | None]:
        """Bring the tree in line with `delta`; returns the delta that takes it back."""
        back = {name: self._assigned.get(name) for name in delta}
        choices: dict[int, Choice] = {}
        for name, value in delta.items():
            if value is None:
                self._assigned.pop(name, None)
            else:
                self._assigned[name] = value
            symbol = self._symbol(name)
            if symbol is None:
                continue
            if symbol.choice is not None:
                choices[id(symbol.choice)] = symbol.choice
            elif value is None:
                symbol.unset_value()
            else:
                symbol.set_value(value)
        for choice in choices.values():
            choice.unset_value()
            for member in choice.syms:
                member.unset_value()
            for member in choice.syms:
                if assigned := self._assigned.get(member.name):
                    choice.set_value(assigned)  # without that, an optional choice is off
                    member.set_value(assigned)
        return back

    def affected(self, names: Iterable[str]) -> list[Symbol]:
        """The symbols whose values can depend on those of `names`, themselves included."""
        found: dict[int, Symbol | Choice] = {}
        stack: list[Symbol | Choice] = []
        for symbol in filter(None, map(self._symbol, names)):
            stack += [symbol, symbol.choice] if symbol.choice is not None else [symbol]
        while stack:
            item = stack.pop()
            if id(item) not in found:
                found[id(item)] = item
                stack += item._dependents  # what kconfiglib itself invalidates when a value is set
                stack += getattr(item, "syms", ())
        return [item for item in found.values() if not hasattr(item, "syms") and item.name in self._positions]

    def replacing(self, assignments: Mapping[str, str]) -> dict[str, str | None]:
        """The delta from the assignments now to exactly `assignments`."""
        delta: dict[str, str | None] = {name: None for name in self._assigned if name not in assignments}
        delta.update({name: value for name, value in assignments.items() if self._assigned.get(name) != value})
        return delta

    @contextmanager
    def only(self, assignments: Mapping[str, str]) -> Iterator[None]:
        """Within the block the tree has exactly `assignments`, to begin with; afterwards it is as before."""
        before = self.assigned
        self.apply(self.replacing(assignments))
        try:
            yield
        finally:
            self.apply(self.replacing(before))

    def choice_members(self, names: Iterable[str]) -> set[str]:
        """`names` and, where one is in a choice, all members of the choice."""
        found: set[str] = set()
        for name in names:
            choice = self._choice(name)
            found.update([name] if choice is None else [member.name for member in choice.syms])
        return found

    def _symbol(self, name: str) -> Symbol | None:
        symbol = self.tree.syms.get(name)
        return symbol if symbol is not None and symbol.nodes else None

    def _choice(self, name: str) -> Choice | None:
        symbol = self._symbol(name)
        return symbol.choice if symbol is not None else None


def changed(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """The symbols whose value differs between two results of `TreeState.values`, in the order of the tree."""
    return [name for (name, old), new in zip(before.items(), after.values(), strict=True) if old != new]
