"""From object files to the graph that the estimate walks: sections are nodes, relocations are edges.

What a configuration changes is kept as conditions: a node's size has terms, an edge is there only where all of its
literals hold. A literal is `PING` (that symbol is on), `!PING`, `MD5_SMALL=2` or `!MD5_SMALL=2`; or `ASH|HUSH` (any of
them is on) or `!ASH|HUSH` (none is).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from kimitui.sizes.objects import Object
from kimitui.sizes.reach import parts_of

Key = tuple[str, str]
"""Object and section; the object of a string that several sections share is "", its section the text."""

Targets = frozenset[Key]


@dataclass(frozen=True)
class Shape:
    """A section in one compilation: its own bytes, the part of the program it goes to, what it refers to."""

    size_bytes: int
    kind: str
    targets: Targets
    words: int = 0


@dataclass
class Graph:
    """Nodes with their sizes in the base, and what changes them.

    `edges` maps (from, to) to the conditions under which it is there, any of which is enough; each is a set of literals
    that must all hold. `terms` are (literal, bytes) that add up with the node's size. `joins` are (a, b, target): the
    target is needed where both a and b are.
    """

    nodes: dict[Key, Shape] = field(default_factory=dict)
    edges: dict[tuple[Key, Key], list[set[str]]] = field(default_factory=dict)
    terms: dict[Key, dict[str, int]] = field(default_factory=dict)
    joins: set[tuple[Key, Key, Key]] = field(default_factory=set)


Symbols = tuple[str, ...]
Joint = Mapping[str, Mapping[Symbols, Mapping[Symbols, Object]]]
"""By object and symbols that do something together, and by which of those are off, the compilations: none of them
(`()`), each, all but each, all; everything that needs any of them is off in all of these."""

Variants = Mapping[str, Mapping[str, Mapping[str, Object]]]
"""By object and `symbol=value`: the compilations `off` and, where it differs from the base, `without`."""


def graph(
    objects: Mapping[str, Object],
    variants: Variants,
    joint: Joint,
    cut: Collection[str],
    certain: Collection[str] = (),
) -> Graph:
    """The graph of all objects; the sections of `cut` are empty and lead nowhere.

    `certain` are objects that every program has: what they define takes over what others define weakly.
    """
    linker = _Linker(objects, variants, joint, frozenset(certain))
    result = Graph()
    for name, content in objects.items():
        base = linker.shapes(name, content)
        for index, section in content.sections.items():
            if _named(section.name) in cut:
                key = linker.key(name, content, index)
                base[key] = Shape(0, base[key].kind, frozenset())
        starts = [key for key, shape in base.items() if shape.kind == "init"]
        for key, shape in base.items():
            result.nodes[key] = shape
            # What runs before main is kept wherever anything of its object is.
            for target in (*shape.targets, *(other for other in starts if other != key)):
                result.edges[key, target] = [set()]
        lost: dict[str, set[Key]] = {}
        for variant, compiled in variants.get(name, {}).items():
            before = linker.shapes(name, compiled["without"]) if "without" in compiled else base
            after = linker.shapes(name, compiled["off"])
            _add_variant(result, literal(variant), before, after, cut)
            lost[literal(variant)] = {key for key in _targets(before) - _targets(after) if key[0] != name}
        lost |= _add_joint(result, name, linker, joint.get(name, {}), cut)
        _require(result, name, lost)
    for text in linker.shared:
        result.nodes["", text] = Shape(len(text.encode("latin-1")), "rodata", frozenset())
    result.edges = {edge: conditions for edge, conditions in result.edges.items() if conditions}
    result.joins = linker.joins()
    return result


def literal(variant: str) -> str:
    """The literal that a variant `symbol=value` stands for."""
    symbol, _, value = variant.partition("=")
    return f"!{symbol}" if value == "n" else symbol if value == "y" else variant


def negated(text: str) -> str:
    """The opposite of a literal."""
    return text[1:] if text.startswith("!") else f"!{text}"


def key_of(name: str, content: Object, index: int) -> Key:
    """The node of a section of the object `name`."""
    section = content.sections[index].name
    same = [other for other, one in content.sections.items() if one.name == section]
    return name, section if len(same) == 1 else f"{section}#{same.index(index)}"


def _add_variant(
    result: Graph, when: str, before: Mapping[Key, Shape], after: Mapping[Key, Shape], cut: Collection[str]
) -> None:
    nothing = Shape(0, "", frozenset())
    for key in sorted({*before, *after}):
        if _named(key[1]) in cut:
            continue
        old, new = before.get(key, nothing), after.get(key, nothing)
        if key not in result.nodes:
            result.nodes[key] = Shape(0, (new if new.kind else old).kind, frozenset())
        if difference := new.size_bytes - old.size_bytes:
            terms = result.terms.setdefault(key, {})
            terms[when] = terms.get(when, 0) + difference
        for target in old.targets - new.targets:
            for condition in result.edges.setdefault((key, target), [{when}]):
                _restrict(condition, when)
        for target in new.targets - old.targets:
            result.edges.setdefault((key, target), []).append({when})


def _add_joint(
    result: Graph,
    name: str,
    linker: _Linker,
    found: Mapping[Symbols, Mapping[Symbols, Object]],
    cut: Collection[str],
) -> dict[str, set[Key]]:
    """Add what symbols do together, beyond what some of them do; what nothing of the object leads to, by literal."""
    nothing = Shape(0, "", frozenset())
    lost: dict[str, set[Key]] = {}
    terms: dict[Symbols, dict[Key, int]] = {}
    for together in sorted(found, key=lambda symbols: (len(symbols), symbols)):
        shapes = {off: linker.shapes(name, compiled) for off, compiled in found[together].items()}
        when = f"!{'|'.join(together)}"
        smaller = [known for symbols, known in terms.items() if set(symbols) < set(together)]
        nearly = [off for off in shapes if len(off) == len(together) - 1]
        here = terms[together] = {}
        for key in sorted({key for one in shapes.values() for key in one}):
            if _named(key[1]) in cut:
                continue
            shape = {off: one.get(key, nothing) for off, one in shapes.items()}
            if key not in result.nodes:
                result.nodes[key] = Shape(0, max(one.kind for one in shape.values()), frozenset())
            before = shape[()].size_bytes
            alone = sum(shape[symbol,].size_bytes - before for symbol in together)
            here[key] = shape[together].size_bytes - before - alone - sum(known.get(key, 0) for known in smaller)
            if here[key]:
                result.terms.setdefault(key, {})[when] = here[key]
            for target in frozenset[Key]().union(*(one.targets for one in shape.values())):
                conditions = result.edges.setdefault((key, target), [])
                _correct(conditions, when, together, is_there=target in shape[together].targets)
        led = set.intersection(*(_targets(shapes[off]) for off in nearly)) - _targets(shapes[together])
        lost[when] = {key for key in led if key[0] != name}
    return lost


def _correct(conditions: list[set[str]], when: str, off: Symbols, *, is_there: bool) -> None:
    """Let an edge be there, or not, with symbols off, which is what the literal `when` says."""
    if not is_there:
        for condition in conditions:
            _restrict(condition, when)
    elif not any(_holds(condition, off) for condition in conditions):
        conditions.append({when})


def _holds(condition: Collection[str], off: Symbols) -> bool:
    """Whether a condition holds in the base with symbols off."""
    return all(_is_so(one, off) for one in condition)


def _is_so(text: str, off: Symbols) -> bool:
    if text.startswith("!"):
        return not _is_so(text[1:], off)
    if parts := parts_of(text):
        return any(_is_so(part, off) for part in parts)
    return "=" not in text and text not in off


def _targets(shapes: Mapping[Key, Shape]) -> set[Key]:
    return {target for shape in shapes.values() for target in shape.targets}


def _require(result: Graph, name: str, lost: Mapping[str, set[Key]]) -> None:
    """Let nothing of an object lead to what nothing of it leads to under a literal.

    Under another literal a function may have been inlined, so that its caller leads to what it did; but that needs what
    the function needed.
    """
    leading: dict[Key, list[list[set[str]]]] = {}
    for (source, target), conditions in result.edges.items():
        if source[0] == name:
            leading.setdefault(target, []).append(conditions)
    for when, targets in lost.items():
        for target in targets:
            for conditions in leading.get(target, ()):
                for condition in conditions:
                    if when not in condition:
                        _restrict(condition, when)


def _restrict(condition: set[str], when: str) -> None:
    """Let a condition not hold where a literal does."""
    if condition.isdisjoint(parts_of(when)) and when not in condition:
        condition.add(negated(when))


def _named(section: str) -> str:
    """What a section of its own holds, such as `ls_main` in `.text.ls_main`."""
    return section.rpartition(".")[2]


class _Linker:
    """Who defines what, and which strings several sections have."""

    def __init__(
        self, objects: Mapping[str, Object], variants: Variants, joint: Joint, certain: frozenset[str]
    ) -> None:
        self._objects = objects
        self._certain = certain
        self._strong: dict[str, Key] = {}
        self._weak: dict[str, Key] = {}
        for name, content in objects.items():
            for symbol, index in content.defines.items():
                where = self._weak if symbol in content.weak else self._strong
                if index in content.sections:
                    where.setdefault(symbol, self.key(name, content, index))
        # A function that the base does not have can be defined where a symbol is off.
        off = [(name, pair["off"]) for name, compiled in variants.items() for pair in compiled.values()]
        off += [(name, found[together]) for name, sets in joint.items() for together, found in sets.items()]
        for name, content in off:
            for symbol, index in content.defines.items():
                if symbol not in self._strong and index in content.sections:
                    self._strong.setdefault(symbol, self.key(name, content, index))
        count = Counter(
            piece.decode("latin-1")
            for content in objects.values()
            for section in content.sections.values()
            for piece in section.pieces
        )
        self.shared = {text for text, number in count.items() if number > 1}
        self._named: dict[int, dict[int, str]] = {}

    def key(self, name: str, content: Object, index: int) -> Key:
        return key_of(name, content, index)

    def shapes(self, name: str, content: Object) -> dict[Key, Shape]:
        """The sections of one compilation."""
        found = {}
        for index, section in content.sections.items():
            pieces = [piece.decode("latin-1") for piece in section.pieces]
            targets: set[Key] = {("", text) for text in pieces if text in self.shared}
            for target in section.refers:
                if isinstance(target, int):
                    if target in content.sections:
                        targets.add(self.key(name, content, target))
                elif (index_here := content.defines.get(target)) is not None and not (
                    target in content.weak and self._overridden(target)
                ):
                    if index_here in content.sections:
                        targets.add(self.key(name, content, index_here))
                elif key := self._resolved(name, content, target):
                    targets.add(key)
            own = self.key(name, content, index)
            targets.discard(own)
            alone = sum(len(text) for text in pieces if text not in self.shared)
            found[own] = Shape(section.size_bytes + alone, section.kind, frozenset(targets), section.words)
        return found

    def _overridden(self, symbol: str) -> bool:
        """Whether every program has a strong definition of a symbol."""
        return symbol in self._strong and self._strong[symbol][0] in self._certain

    def _resolved(self, name: str, content: Object, symbol: str) -> Key | None:
        """Where a global symbol leads; a weak definition only where no object that is linked has a strong one."""
        if self._overridden(symbol):
            return self._strong[symbol]
        if symbol in self._weak and symbol in self._strong:
            return self._weak[symbol] if symbol not in content.wants else self._strong[symbol]
        if symbol in content.wants_weakly:
            return None  # see joins
        return self._strong.get(symbol) or self._weak.get(symbol)

    def joins(self) -> set[tuple[Key, Key, Key]]:
        """Weak references and definitions that a strong definition elsewhere takes over where its object is linked.

        The object is linked if anything else of it is needed.
        """
        found = set()
        for name, content in self._objects.items():
            weak = {symbol for symbol in (*content.weak, *content.wants_weakly) if symbol in self._strong}
            for index, section in content.sections.items():
                for symbol in sorted(weak & {target for target in section.refers if isinstance(target, str)}):
                    target = self._strong[symbol]
                    definer = self._objects.get(target[0])
                    if target[0] == name or definer is None:
                        continue
                    for other in definer.sections:
                        trigger = self.key(target[0], definer, other)
                        if trigger != target:
                            found.add((self.key(name, content, index), trigger, target))
        return found


def replace_symbol(graph: Graph, symbol: str, others: Collection[str]) -> None:
    """Let everything that depends on a symbol depend on whether any of others is on."""

    def replaced(text: str) -> str:
        parts = set(parts_of(text) or [text.removeprefix("!")])
        if symbol in parts:
            parts = {*(parts - {symbol}), *others}
        return ("!" if text.startswith("!") else "") + "|".join(sorted(parts))

    for conditions in graph.edges.values():
        conditions[:] = [{replaced(text) for text in condition} for condition in conditions]
    for key, terms in graph.terms.items():
        sums: Counter[str] = Counter()
        for text, size in terms.items():
            sums[replaced(text)] += size
        graph.terms[key] = dict(sums)


def drop_idle_terms(graph: Graph, roots: Sequence[Key], entries: Sequence[tuple[Collection[str], Key]]) -> None:
    """Drop the terms of nodes that are not there anyway when their symbol is off, whatever else is.

    `entries` are where applets begin, each with the symbols that it needs.
    """
    symbols = {literal[1:] for terms in graph.terms.values() for literal in terms if literal[0] == "!"}
    for symbol in sorted(symbols & {one for needed, _ in entries for one in needed}):
        edges = (edge for edge, conditions in graph.edges.items() if any(symbol not in one for one in conditions))
        starts = [*roots, *(node for needed, node in entries if symbol not in needed)]
        needed_then = _reached(edges, graph.joins, starts)
        for key, terms in graph.terms.items():
            if key not in needed_then:
                terms.pop(f"!{symbol}", None)


def lasting(graph: Graph, roots: Sequence[Key], entries: Sequence[tuple[Collection[str], Key]]) -> set[str]:
    """The objects that every program has, or as good as: that `roots` need under all values, or most entries do."""
    edges = [edge for edge, conditions in graph.edges.items() if not all(conditions)]
    count = Counter(
        owner for _, entry in entries for owner in {key[0] for key in _reached(edges, graph.joins, [entry])}
    )
    always = {owner for owner, _ in _reached(edges, graph.joins, roots)}
    return always | {owner for owner, number in count.items() if 2 * number > len(entries)}


def _reached(
    edges: Iterable[tuple[Key, Key]], joins: Collection[tuple[Key, Key, Key]], roots: Iterable[Key]
) -> set[Key]:
    following: dict[Key, list[Key]] = defaultdict(list)
    for source, target in edges:
        following[source].append(target)
    seen: set[Key] = set()
    stack = list(roots)
    while stack:
        while stack:
            node = stack.pop()
            if node not in seen:
                seen.add(node)
                stack += following[node]
        stack = [target for a, b, target in joins if a in seen and b in seen and target not in seen]
    return seen
