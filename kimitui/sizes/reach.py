"""A measured program as a graph: what of it leads to what, and under which options."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeVar

Of = TypeVar("Of", bound=Hashable)
Conditions = Sequence[Sequence[int]]
"""Literals by number: any of the lists is enough, all of a list must hold."""


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

    @cached_property
    def root_nodes(self) -> frozenset[int]:
        """The roots as a set."""
        return frozenset(self.roots)

    @cached_property
    def incoming(self) -> Sequence[Sequence[int]]:
        """By node, what always leads to it."""
        found: list[list[int]] = [[] for _ in self.nodes]
        for source, targets in enumerate(self.edges):
            for target in targets:
                found[target].append(source)
        return found

    @cached_property
    def incoming_under(self) -> Mapping[int, Sequence[tuple[int, int]]]:
        """By node, what leads to it under a condition, and the number of that."""
        found: dict[int, list[tuple[int, int]]] = {}
        for source, pairs in self.conditional.items():
            for target, number in pairs:
                found.setdefault(target, []).append((source, number))
        return found

    @cached_property
    def edges_under(self) -> Sequence[Sequence[tuple[int, int]]]:
        """By condition, the edges that are there under it."""
        found: list[list[tuple[int, int]]] = [[] for _ in self.conditions]
        for source, pairs in self.conditional.items():
            for target, number in pairs:
                found[number].append((source, target))
        return found

    @cached_property
    def joins_to(self) -> Mapping[int, Sequence[tuple[int, int]]]:
        """By node, the pairs that lead to it together."""
        found: dict[int, list[tuple[int, int]]] = {}
        for one, pairs in self.joins.items():
            for other, target in pairs:
                found.setdefault(target, []).append((one, other))
        return found

    @cached_property
    def literals_of(self) -> Mapping[str, Sequence[int]]:
        """By symbol, the literals that are about it alone."""
        alone = (number for number in range(len(self.literals)) if number not in self.parts)
        return _grouped((symbol_of(self.literals[number]), number) for number in alone)

    @cached_property
    def parts(self) -> Mapping[int, Sequence[int]]:
        """By literal about several symbols, the literals that decide whether it holds."""
        place = {literal: number for number, literal in enumerate(self.literals)}
        return {
            number: [place[part] for part in parts]
            for number, literal in enumerate(self.literals)
            if (parts := parts_of(literal))
        }

    @cached_property
    def wholes(self) -> Mapping[int, Sequence[int]]:
        """By literal, those about several symbols that it is a part of."""
        return _grouped((part, number) for number, parts in self.parts.items() for part in parts)

    @cached_property
    def conditions_with(self) -> Mapping[int, Sequence[int]]:
        """By literal, the conditions that have it."""
        return _grouped(
            (literal, number)
            for number, conditions in enumerate(self.conditions)
            for literal in {literal for literals in conditions for literal in literals}
        )

    @cached_property
    def entries_with(self) -> Mapping[int, Sequence[int]]:
        """By literal, the entries that have it."""
        return _grouped((literal, number) for number, (literals, _) in enumerate(self.entries) for literal in literals)

    @cached_property
    def entries_at(self) -> Mapping[int, Sequence[int]]:
        """By node, the entries that begin there."""
        return _grouped((node, number) for number, (_, node) in enumerate(self.entries))

    @cached_property
    def terms_with(self) -> Mapping[int, Sequence[int]]:
        """By literal, the nodes whose sizes it changes."""
        return _grouped((literal, node) for node, terms in self.terms.items() for literal, _ in terms)

    @classmethod
    def from_data(cls, data: Mapping[str, Any], entries: Sequence[tuple[Sequence[int], int]]) -> Program:
        """The program in a data file, with what begins at `entries`."""
        conditional: dict[int, list[tuple[int, int]]] = {}
        for source, target, number in data["conditional"]:
            conditional.setdefault(source, []).append((target, number))
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
            conditions=data["conditions"],
            conditional=conditional,
            terms=terms,
            joins=joins,
            roots=data["roots"],
            entries=entries,
        )

    def importing(self, library: tuple[str, ...], each_bytes: int) -> Program:
        """The same program with the objects whose names begin with one of `library` in a shared one of their own.

        What leads to such a node still does: it is what a program says of a symbol that it imports, of the kind
        `import`, `each_bytes` and its name large. Nothing more follows from it.
        """
        outside = {number for number, name in enumerate(self.objects) if name.startswith(library)}
        imported = {number for number, node in enumerate(self.nodes) if node[0] in outside}
        nodes = [
            [owner, name, "import", each_bytes + len(name) + 1] if owner in outside else [owner, name, kind, size]
            for owner, name, kind, size in self.nodes
        ]
        return replace(
            self,
            nodes=nodes,
            edges=[() if number in imported else targets for number, targets in enumerate(self.edges)],
            conditional={node: pairs for node, pairs in self.conditional.items() if node not in imported},
            terms={node: found for node, found in self.terms.items() if node not in imported},
            joins={},
            roots=[node for node in self.roots if node not in imported],
        )

    def held(self, values: Mapping[str, str]) -> list[bool]:
        """By literal, whether it holds with these Kconfig values."""
        return [holds(literal, values) for literal in self.literals]

    def holds_of(self, literal: int, held: Sequence[bool]) -> bool:
        """Whether a literal about several symbols holds where its parts are as in `held`."""
        return any(held[part] for part in self.parts[literal]) != self.literals[literal].startswith("!")

    def closure(self, starts: Sequence[int], held: Sequence[bool]) -> set[int]:
        """The nodes that `starts` lead to, where the literals hold that `held` says."""
        seen: set[int] = set()
        stack = list(starts)
        while stack:
            node = stack.pop()
            if node not in seen:
                seen.add(node)
                stack += self._following(node, held)
        return seen

    def owners(self, starts: Sequence[int], held: Sequence[bool]) -> list[int]:
        """By node, those of `starts` that lead to it; bit i stands for the i-th."""
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
                targets = following[node] = self._following(node, held)
            for target in targets:
                if mine & ~owners[target]:
                    owners[target] |= mine
                    stack.append(target)
        return owners

    def _following(self, node: int, held: Sequence[bool]) -> list[int]:
        further = self.conditional.get(node, ())
        holding = (target for target, number in further if is_open(self.conditions[number], held))
        return [*self.edges[node], *holding]


def _grouped(pairs: Iterable[tuple[Of, int]]) -> Mapping[Of, Sequence[int]]:
    found: dict[Of, list[int]] = {}
    for key, number in pairs:
        found.setdefault(key, []).append(number)
    return found


def symbol_of(literal: str) -> str:
    """The symbol that a literal about one is about."""
    return literal.removeprefix("!").partition("=")[0]


def parts_of(text: str) -> list[str]:
    """The literals that decide whether one about several symbols holds; none where it is about one."""
    return text.removeprefix("!").split("|") if "|" in text else []


def holds(literal: str, values: Mapping[str, str]) -> bool:
    """Whether a literal holds; a symbol without a value is off."""
    if literal.startswith("!"):
        return not holds(literal[1:], values)
    if parts := parts_of(literal):
        return any(holds(part, values) for part in parts)
    symbol, _, value = literal.partition("=")
    return values.get(symbol, "n") == (value or "y")


def is_open(conditions: Conditions, held: Sequence[bool]) -> bool:
    """Whether any of the lists holds."""
    return any(all(held[literal] for literal in literals) for literals in conditions)
