"""What of a measured program a configuration needs: a closure over sections and relocations, for many variants at once.

A scenario is the configuration with some symbols changed; bit i of a mask says that something is there in scenario i.
What is there in all of them is walked once; only the rest is followed bit by bit, so that the sizes of a screen full of
options cost little more than one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Conditions = Sequence[Sequence[int]]
"""Literals by number: any of the lists is enough, all of a list must hold."""

Scenario = Mapping[str, str]
"""Kconfig values of the symbols, by upstream name, that differ from the configuration's."""


@dataclass(frozen=True)
class Program:
    """A measured program as its data file has it; see `compose` for what the parts mean.

    Numbers stand for nodes, literals and objects. `roots` are there always, `entries` where all their literals hold.
    """

    objects: Sequence[str]
    nodes: Sequence[Sequence[Any]]
    literals: Sequence[str]
    edges: Sequence[Sequence[int]]
    conditional: Mapping[int, Sequence[tuple[int, Conditions]]]
    terms: Mapping[int, Sequence[tuple[int, int]]]
    joins: Mapping[int, Sequence[tuple[int, int]]]
    roots: Sequence[int]
    entries: Sequence[tuple[Sequence[int], int]]

    @classmethod
    def from_data(cls, data: Mapping[str, Any], entries: Sequence[tuple[Sequence[int], int]]) -> Program:
        """The program in a data file, with what begins at `entries`."""
        conditional: dict[int, list[tuple[int, Conditions]]] = {}
        for source, target, conditions in data["conditional"]:
            conditional.setdefault(source, []).append((target, conditions))
        terms: dict[int, list[tuple[int, int]]] = {}
        for node, literal, size_bytes in data["terms"]:
            terms.setdefault(node, []).append((literal, size_bytes))
        joins: dict[int, list[tuple[int, int]]] = {}
        for a, b, target in data["joins"]:
            joins.setdefault(a, []).append((b, target))
            joins.setdefault(b, []).append((a, target))
        return cls(
            objects=data["objects"],
            nodes=data["nodes"],
            literals=data["literals"],
            edges=data["edges"],
            conditional=conditional,
            terms=terms,
            joins=joins,
            roots=data["roots"],
            entries=entries,
        )

    def masks(self, values: Mapping[str, str], scenarios: Sequence[Scenario]) -> list[int]:
        """By literal, the scenarios in which it holds; `values` are the configuration's."""
        every = (1 << len(scenarios)) - 1
        masks = [every if holds(literal, values) else 0 for literal in self.literals]
        changed: dict[str, int] = {}
        for number, scenario in enumerate(scenarios):
            for symbol in scenario:
                changed[symbol] = changed.get(symbol, 0) | 1 << number
        if changed:
            for position, literal in enumerate(self.literals):
                bits = changed.get(symbol_of(literal))
                while bits:
                    bit = bits & -bits
                    bits ^= bit
                    if holds(literal, scenarios[bit.bit_length() - 1]):
                        masks[position] |= bit
                    else:
                        masks[position] &= ~bit
        return masks

    def reach(self, masks: Sequence[int], every: int) -> list[int]:
        """By node, the scenarios in which it is needed; `masks` as `masks` makes them, `every` has all scenarios."""
        alive = [0] * len(self.nodes)
        edges, conditional = self.edges, self.conditional
        stack = list(self.roots)
        entered = [(_mask((literals,), masks, every), node) for literals, node in self.entries]
        stack += [node for mask, node in entered if mask == every]
        for node in stack:
            alive[node] = every
        partial: list[int] = []
        # What is there in every scenario.
        while stack:
            node = stack.pop()
            for target in edges[node]:
                if not alive[target]:
                    alive[target] = every
                    stack.append(target)
            if node in conditional:
                for target, conditions in conditional[node]:
                    if not alive[target] and _mask(conditions, masks, every) == every:
                        alive[target] = every
                        stack.append(target)
            if not stack:
                stack = self._joined(alive, every)
        # And what only in some.
        for mask, node in entered:
            if mask & ~alive[node]:
                alive[node] |= mask
                partial.append(node)
        for node, targets in conditional.items():
            if alive[node] == every:
                for target, conditions in targets:
                    if alive[target] != every and (mask := _mask(conditions, masks, every)) & ~alive[target]:
                        alive[target] |= mask
                        partial.append(target)
        joins = self.joins
        while partial:
            node = partial.pop()
            here = alive[node]
            for target in edges[node]:
                if here & ~alive[target]:
                    alive[target] |= here
                    partial.append(target)
            if node in conditional:
                for target, conditions in conditional[node]:
                    if (mask := here & _mask(conditions, masks, every)) & ~alive[target]:
                        alive[target] |= mask
                        partial.append(target)
            if node in joins:
                for other, target in joins[node]:
                    if (mask := here & alive[other]) & ~alive[target]:
                        alive[target] |= mask
                        partial.append(target)
        return alive

    def closure(self, starts: Sequence[int], masks: Sequence[int]) -> set[int]:
        """The nodes that `starts` lead to in the first scenario of `masks`."""
        seen: set[int] = set()
        stack = list(starts)
        while stack:
            node = stack.pop()
            if node not in seen:
                seen.add(node)
                stack += self._following(node, masks)
        return seen

    def owners(self, starts: Sequence[int], masks: Sequence[int]) -> list[int]:
        """By node, those of `starts` that lead to it in the first scenario; bit i stands for the i-th."""
        owners = [0] * len(self.nodes)
        for bit, node in enumerate(starts):
            owners[node] |= 1 << bit
        following: dict[int, list[int]] = {}
        stack = list(starts)
        while stack:
            node = stack.pop()
            mine = owners[node]
            targets = following.get(node)
            if targets is None:
                targets = following[node] = self._following(node, masks)
            for target in targets:
                if mine & ~owners[target]:
                    owners[target] |= mine
                    stack.append(target)
        return owners

    def _following(self, node: int, masks: Sequence[int]) -> list[int]:
        further = self.conditional.get(node, ())
        return [*self.edges[node], *(target for target, conditions in further if _mask(conditions, masks, 1) & 1)]

    def _joined(self, alive: list[int], every: int) -> list[int]:
        found = []
        for a, pairs in self.joins.items():
            if alive[a]:
                for b, target in pairs:
                    if alive[b] and not alive[target]:
                        alive[target] = every
                        found.append(target)
        return found


def symbol_of(literal: str) -> str:
    """The symbol that a literal is about."""
    return literal.removeprefix("!").partition("=")[0]


def holds(literal: str, values: Mapping[str, str]) -> bool:
    """Whether a literal holds; a symbol without a value is off."""
    if literal.startswith("!"):
        return not holds(literal[1:], values)
    symbol, _, value = literal.partition("=")
    return values.get(symbol, "n") == (value or "y")


def _mask(conditions: Conditions, masks: Sequence[int], every: int) -> int:
    found = 0
    for condition in conditions:
        mask = every
        for literal in condition:
            mask &= masks[literal]
        found |= mask
    return found
