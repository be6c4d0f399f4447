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
    conditions: Sequence[Conditions]
    conditional: Mapping[int, Sequence[tuple[int, int]]]
    terms: Mapping[int, Sequence[tuple[int, int]]]
    joins: Mapping[int, Sequence[tuple[int, int]]]
    roots: Sequence[int]
    entries: Sequence[tuple[Sequence[int], int]]

    @classmethod
    def from_data(cls, data: Mapping[str, Any], entries: Sequence[tuple[Sequence[int], int]]) -> Program:
        """The program in a data file, with what begins at `entries`."""
        # Few conditions are on many edges; each is looked at once.
        number: dict[str, int] = {}
        known: list[Conditions] = []
        conditional: dict[int, list[tuple[int, int]]] = {}
        for source, target, conditions in data["conditional"]:
            key = str(conditions)
            if key not in number:
                number[key] = len(known)
                known.append(conditions)
            conditional.setdefault(source, []).append((target, number[key]))
        terms: dict[int, list[tuple[int, int]]] = {}
        for node, literal, size_bytes in data["terms"]:
            terms.setdefault(node, []).append((literal, size_bytes))
        for found in terms.values():
            found.sort(key=lambda term: -term[1])
        joins: dict[int, list[tuple[int, int]]] = {}
        for a, b, target in data["joins"]:
            joins.setdefault(a, []).append((b, target))
            joins.setdefault(b, []).append((a, target))
        return cls(
            objects=data["objects"],
            nodes=data["nodes"],
            literals=data["literals"],
            edges=data["edges"],
            conditions=known,
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
        edges, conditional, joins = self.edges, self.conditional, self.joins
        there = [_mask(conditions, masks, every) for conditions in self.conditions]
        entered = [(_mask((literals,), masks, every), node) for literals, node in self.entries]
        stack = [*self.roots, *(node for mask, node in entered if mask == every)]
        for node in stack:
            alive[node] = every
        partial: list[int] = []
        apart: list[tuple[int, int]] = []
        # What is there in every scenario.
        while stack:
            node = stack.pop()
            for target in edges[node]:
                if not alive[target]:
                    alive[target] = every
                    stack.append(target)
            if node in conditional:
                for target, condition in conditional[node]:
                    if not alive[target] and (mask := there[condition]):
                        if mask == every:
                            alive[target] = every
                            stack.append(target)
                        else:
                            apart.append((target, mask))
            if not stack:
                stack = self._joined(alive, every)
        # And what only in some.
        for mask, node in entered:
            apart.append((node, mask))
        for node, mask in apart:
            if mask & ~alive[node]:
                alive[node] |= mask
                partial.append(node)
        while partial:
            node = partial.pop()
            here = alive[node]
            for target in edges[node]:
                if here & ~alive[target]:
                    alive[target] |= here
                    partial.append(target)
            if node in conditional:
                for target, condition in conditional[node]:
                    if (mask := here & there[condition]) & ~alive[target]:
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
        holding = (target for target, number in further if _mask(self.conditions[number], masks, 1) & 1)
        return [*self.edges[node], *holding]

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
