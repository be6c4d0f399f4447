"""What of a measured program is needed, kept while options come and go: only what a change leads to is looked at again.

Every node that is needed knows one node that leads to it. Where an edge goes, only what hangs on it has to find another
way; so that a change costs what it moves, not what there is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from kimitui.sizes.reach import Program, holds, is_open

_ROOT, _DEAD, _LOOSE = -1, -2, -3


@dataclass
class Move:
    """What a change did: literals that hold now or do not any more, and nodes with whether they were needed before.

    `parents` and the numbers of conditions and entries are what takes it back.
    """

    literals: list[int] = field(default_factory=list)
    conditions: list[int] = field(default_factory=list)
    entries: list[int] = field(default_factory=list)
    parents: dict[int, int] = field(default_factory=dict)


class Walk:
    """The nodes that are needed under the values as they were given last; at first, all symbols are off."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self.held = program.held({})
        self._open = [self._is_open(number) for number in range(len(program.conditions))]
        self._entered = [self._is_entered(number) for number in range(len(program.entries))]
        self._parents = [_DEAD] * len(program.nodes)
        self._last = Move()
        starts = [*program.roots, *(program.entries[at][1] for at, there in enumerate(self._entered) if there)]
        self._spread(starts, dict.fromkeys(starts, _ROOT))

    def needs(self, node: int) -> bool:
        """Whether a node is needed."""
        return self._parents[node] > _DEAD

    @property
    def needed(self) -> list[int]:
        """All nodes that are needed, in their order."""
        return [node for node, parent in enumerate(self._parents) if parent > _DEAD]

    def needed_before(self, move: Move, node: int) -> bool:
        """Whether a node was needed before the move that was made last."""
        return move.parents.get(node, self._parents[node]) > _DEAD

    def move(self, values: Mapping[str, str]) -> Move:
        """Give symbols new values, by upstream name; symbols that are not named keep theirs."""
        program = self._program
        move = self._last = Move()
        for symbol, value in values.items():
            for literal in program.literals_of.get(symbol, ()):
                if holds(program.literals[literal], {symbol: value}) != self.held[literal]:
                    self.held[literal] = not self.held[literal]
                    move.literals.append(literal)
        for whole in {whole for literal in move.literals for whole in program.wholes.get(literal, ())}:
            if program.holds_of(whole, self.held) != self.held[whole]:
                self.held[whole] = not self.held[whole]
                move.literals.append(whole)
        conditions = {number for literal in move.literals for number in program.conditions_with.get(literal, ())}
        move.conditions = [number for number in conditions if self._is_open(number) != self._open[number]]
        entries = {number for literal in move.literals for number in program.entries_with.get(literal, ())}
        move.entries = [number for number in entries if self._is_entered(number) != self._entered[number]]
        if move.conditions or move.entries:
            self._follow(move)
        return move

    def back(self, move: Move) -> None:
        """Take back the move that was made last."""
        for literal in move.literals:
            self.held[literal] = not self.held[literal]
        for number in move.conditions:
            self._open[number] = not self._open[number]
        for number in move.entries:
            self._entered[number] = not self._entered[number]
        for node, parent in move.parents.items():
            self._parents[node] = parent

    def changed(self, move: Move) -> Iterable[int]:
        """The nodes that the move made last has made needed, or has made unneeded."""
        parents = self._parents
        return [node for node, before in move.parents.items() if (before > _DEAD) != (parents[node] > _DEAD)]

    def _is_open(self, number: int) -> bool:
        return is_open(self._program.conditions[number], self.held)

    def _is_entered(self, number: int) -> bool:
        return all(self.held[literal] for literal in self._program.entries[number][0])

    def _follow(self, move: Move) -> None:
        program, parents = self._program, self._parents
        loose: list[int] = []
        opened: list[tuple[int, int]] = []
        for number in move.conditions:
            self._open[number] = there = not self._open[number]
            for source, target in program.edges_under[number]:
                if there:
                    opened.append((source, target))
                elif parents[target] == source:
                    loose.append(target)
        for number in move.entries:
            self._entered[number] = there = not self._entered[number]
            node = program.entries[number][1]
            if there:
                opened.append((_ROOT, node))
            elif parents[node] == _ROOT and node not in program.root_nodes:
                loose.append(node)
        cut = self._cut(loose)
        starts = {
            node: source
            for source, node in opened
            if parents[node] < _ROOT and (source == _ROOT or parents[source] > _DEAD)
        }
        for node in cut:
            if (support := self._support(node)) is not None:
                starts[node] = support
        self._spread(list(starts), starts)
        for node in cut:
            if parents[node] == _LOOSE:
                parents[node] = _DEAD

    def _cut(self, loose: list[int]) -> list[int]:
        """Everything that hangs on `loose`, those included; all of it is in the air."""
        program, parents, before = self._program, self._parents, self._last.parents
        edges, conditional, joins = program.edges, program.conditional, program.joins
        cut: list[int] = []
        while loose:
            node = loose.pop()
            if parents[node] == _LOOSE:
                continue
            before.setdefault(node, parents[node])
            parents[node] = _LOOSE
            cut.append(node)
            loose += [target for target in edges[node] if parents[target] == node]
            if node in conditional:
                loose += [target for target, _ in conditional[node] if parents[target] == node]
            if node in joins:
                loose += [target for other, target in joins[node] if parents[target] in (node, other)]
        return cut

    def _support(self, node: int) -> int | None:
        """Something that leads to a node and is needed itself; None if there is nothing."""
        program, parents = self._program, self._parents
        for number in program.entries_at.get(node, ()):
            if self._entered[number]:
                return _ROOT
        for source in program.incoming[node]:
            if parents[source] > _DEAD:
                return source
        for source, number in program.incoming_under.get(node, ()):
            if parents[source] > _DEAD and self._open[number]:
                return source
        for one, other in program.joins_to.get(node, ()):
            if parents[one] > _DEAD and parents[other] > _DEAD:
                return one
        return None

    def _spread(self, stack: list[int], found: Mapping[int, int]) -> None:
        """Make the nodes of `stack` needed because of those in `found`, and all that they lead to."""
        program, parents, before, opened = self._program, self._parents, self._last.parents, self._open
        edges, conditional, joins = program.edges, program.conditional, program.joins
        for node in stack:
            before.setdefault(node, parents[node])
            parents[node] = found[node]
        while stack:
            node = stack.pop()
            for target in edges[node]:
                if parents[target] < _ROOT:
                    before.setdefault(target, parents[target])
                    parents[target] = node
                    stack.append(target)
            if node in conditional:
                for target, number in conditional[node]:
                    if parents[target] < _ROOT and opened[number]:
                        before.setdefault(target, parents[target])
                        parents[target] = node
                        stack.append(target)
            if node in joins:
                for other, target in joins[node]:
                    if parents[target] < _ROOT and parents[other] > _DEAD:
                        before.setdefault(target, parents[target])
                        parents[target] = node
                        stack.append(target)
