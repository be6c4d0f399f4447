"""Data files under `kimitui/sizes/data`: measured programs as numbers, sorted: same inputs, same bytes."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from kimitui.sizes.applets import Applet
from kimitui.sizes.compose import Graph, Key
from kimitui.sizes.reach import parts_of

Data = dict[str, Any]


def program(
    graph: Graph, roots: Iterable[Key], entries: Iterable[tuple[Collection[str], Key]], further: Iterable[str] = ()
) -> tuple[Data, list[Key]]:
    """The part of a data file that `reach.Program` reads, and its nodes in their order.

    Nodes that nothing can lead to are left out, and so are terms of symbols without which their node is not needed.
    `further` are literals that are not left out even where nothing here is under them.
    """
    roots, entries = sorted(roots), sorted((sorted(literals), node) for literals, node in entries)
    reached = _ever_reached(graph, [*roots, *(node for _, node in entries)])
    keys = sorted(reached)
    number = {key: position for position, key in enumerate(keys)}
    used: set[str] = {*further, *(literal for literals, _ in entries for literal in literals)}
    plain: list[list[int]] = [[] for _ in keys]
    conditional = []
    for (source, target), conditions in sorted(graph.edges.items()):
        if source not in number or target not in number:
            continue
        if any(not condition for condition in conditions):
            plain[number[source]].append(number[target])
        else:
            used.update(literal for condition in conditions for literal in condition)
            conditional.append((source, target, conditions))
    terms = [
        (key, literal, size) for key, found in graph.terms.items() if key in number for literal, size in found.items()
    ]
    used.update(literal for _, literal, _ in terms)
    used.update(part for literal in list(used) for part in parts_of(literal))
    literals = sorted(used)
    place = {literal: position for position, literal in enumerate(literals)}
    # Few conditions are on many edges.
    meant = [
        sorted(sorted(place[literal] for literal in one) for one in conditions) for _, _, conditions in conditional
    ]
    distinct = sorted({str(conditions): conditions for conditions in meant}.values())
    known = {str(conditions): position for position, conditions in enumerate(distinct)}
    objects = sorted({name for name, _ in keys})
    object_number = {name: position for position, name in enumerate(objects)}
    return {
        "objects": objects,
        "literals": literals,
        "nodes": [
            [
                object_number[name],
                held(section) if name else "",  # strings that several sections share are of no object
                graph.nodes[name, section].kind,
                graph.nodes[name, section].size_bytes,
            ]
            for name, section in keys
        ],
        "edges": [sorted(targets) for targets in plain],
        "conditions": distinct,
        "conditional": [
            [number[source], number[target], known[str(conditions)]]
            for (source, target, _), conditions in zip(conditional, meant, strict=True)
        ],
        "terms": sorted([number[key], place[literal], size] for key, literal, size in terms),
        "joins": sorted([number[a], number[b], number[t]] for a, b, t in graph.joins if {a, b, t} <= number.keys()),
        "roots": [number[root] for root in roots],
    }, keys


def applets(found: Iterable[tuple[Applet, Key]], literals: list[str], keys: list[Key]) -> list[Any]:
    """The applets as a data file has them: literals by number, name, link, the node that it begins at."""
    number = {key: position for position, key in enumerate(keys)}
    place = {literal: position for position, literal in enumerate(literals)}
    return [
        [[place[literal] for literal in applet.conditions], applet.name, applet.link, number[node]]
        for applet, node in sorted(found, key=lambda pair: (pair[0].name, pair[0].conditions))
    ]


def text(data: Mapping[str, Any], inner: Collection[str] = ()) -> str:
    """JSON with one line for every entry of the outer lists and objects, so that a diff can be read."""
    lines = []
    for key in sorted(data):
        value = data[key]
        if isinstance(value, Mapping) and key in inner:
            body = text(value)
        elif isinstance(value, list) and value and isinstance(value[0], list):
            body = "[\n" + ",\n".join(map(_compact, value)) + "\n]"
        elif isinstance(value, Mapping) and value:
            body = "{\n" + ",\n".join(f"{_compact(name)}:{_compact(value[name])}" for name in sorted(value)) + "\n}"
        else:
            body = _compact(value)
        lines.append(f"{_compact(key)}:{body}")
    return "{\n" + ",\n".join(lines) + "\n}"


def _compact(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def held(section: str) -> str:
    """What a section holds: the name of a function or a variable."""
    for prefix in (".text.", ".data.rel.ro.local.", ".data.rel.ro.", ".rodata.", ".data.", ".bss."):
        if section.startswith(prefix):
            return section.removeprefix(prefix)
    return section


def _ever_reached(graph: Graph, starts: Iterable[Key]) -> set[Key]:
    following: dict[Key, list[Key]] = {}
    for source, target in graph.edges:
        following.setdefault(source, []).append(target)
    for a, _, target in graph.joins:
        following.setdefault(a, []).append(target)
    seen: set[Key] = set()
    stack = list(starts)
    while stack:
        node = stack.pop()
        if node not in seen and node in graph.nodes:
            seen.add(node)
            stack += following.get(node, ())
    return seen
