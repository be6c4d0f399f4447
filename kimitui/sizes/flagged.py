"""What hardening flags make of the measured program's sections: of each as compiled, and what is usual of its kind."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kimitui.sizes.compose import key_of
from kimitui.sizes.datafile import held
from kimitui.sizes.names import whole
from kimitui.sizes.objects import Object

Place = tuple[str, str]
"""What a section of an object holds, and its kind."""

Node = tuple[str, str, str]
"""An object and a place in it."""

# What has addresses in it is read-only where a program is always at the same place.
_DATA = ("relro", "rodata", "jumps", "data")


def nodes(program: Mapping[str, Any]) -> dict[Node, int]:
    """The numbers of the nodes in a data file's program that are something of their own."""
    return {
        (program["objects"][owner], name, kind): number
        for number, (owner, name, kind, size) in enumerate(program["nodes"])
        if size and name
    }


def digest(program: Mapping[str, Any]) -> str:
    """SHA-256, in hexadecimal, of the nodes and their order: what numbers of nodes hold for."""
    content = json.dumps([program["objects"], program["nodes"]], separators=(",", ":"))
    return hashlib.sha256(content.encode()).hexdigest()


def by_node(base: Mapping[str, Object], other: Mapping[str, Object], numbers: Mapping[Node, int]) -> Counter[int]:
    """By node, the bytes that are added to it: `other` are the objects of `base` compiled with other flags."""
    grown: Counter[int] = Counter()
    for name, content in other.items():
        places = _places(name, base[name])
        before = Counter(dict.fromkeys(places.values(), 0))
        for index, place in places.items():
            before[place] += base[name].sections[index].size_bytes
        after = _by_known(content, _places(name, content), before)
        for place, size in before.items():
            if (number := numbers.get((name, *place))) is not None and after[place] != size:
                grown[number] += after[place] - size
    return grown


def rows(changes: Sequence[Mapping[int, int]]) -> list[list[int]]:
    """A line for each node that any of the changes is of: its number, and what each of them adds."""
    changed = sorted({node for one in changes for node, size in one.items() if size})
    return [[node, *(one.get(node, 0) for one in changes)] for node in changed]


def fitted(base: Mapping[str, Object], other: Mapping[str, Object]) -> dict[str, list[float]]:
    """What flags add to a section of each kind on average: bytes each, and bytes for every byte."""
    found: dict[str, list[float]] = {}
    for kind in ("text", "rodata", "jumps"):
        pairs = [pair for name, content in other.items() for pair in _pairs(base[name], content, kind)]
        number, size = float(len(pairs)), float(sum(old for old, _ in pairs))
        squares = float(sum(old * old for old, _ in pairs))
        total, product = float(sum(more for _, more in pairs)), float(sum(old * more for old, more in pairs))
        determinant = number * squares - size * size
        if determinant:
            each = (total * squares - product * size) / determinant
            found[kind] = [round(each, 4), round((total - each * number) / size, 6)]
    return found


def _places(name: str, content: Object) -> dict[int, Place]:
    """By index, what the sections of an object hold."""
    return {index: (held(key_of(name, content, index)[1]), one.kind) for index, one in content.sections.items()}


def _by_known(content: Object, places: Mapping[int, Place], known: Mapping[Place, int]) -> Counter[Place]:
    """Bytes of an object's sections by those that are `known`.

    Another one is a part of a function that was split in another way, a constant that has moved, or a function that was
    a part of its caller before: it counts with that.
    """
    gone = [place for place in known if place not in places.values()]
    meant = {index: place if place in known else _renamed(place, gone) for index, place in places.items()}
    leading: dict[int, list[int]] = {}
    for index, section in sorted(content.sections.items()):
        for target in section.refers:
            found = target if isinstance(target, int) else content.defines.get(target)
            if found is not None and found in places and found != index:
                leading.setdefault(found, []).append(index)
    sizes: Counter[Place] = Counter()
    for index, section in content.sections.items():
        seen, rest = {index}, [index]
        while rest and meant[rest[0]] is None:
            further = [one for one in leading.get(rest.pop(0), ()) if one not in seen]
            seen.update(further)
            rest += further
        if rest and (place := meant[rest[0]]) is not None:
            sizes[place] += section.size_bytes
    return sizes


def _renamed(place: Place, gone: Iterable[Place]) -> Place | None:
    """What of what is gone has become `place`."""
    name, kind = place
    same = (other for other in gone if other[1] == kind and whole(other[0]) == whole(name))
    moved = (other for other in gone if other[0] == name and kind in _DATA and other[1] in _DATA)
    return next(same, next(moved, None))


def _pairs(base: Object, other: Object, kind: str) -> list[tuple[int, int]]:
    """Sizes of a kind's sections, and what they grow by; parts that a compiler splits off count with the whole."""
    before, after = _by_whole(base, kind), _by_whole(other, kind)
    return [(size, after[name] - size) for name, size in before.items() if name in after and size]


def _by_whole(content: Object, kind: str) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for section in content.sections.values():
        if section.kind == kind and not section.pieces:
            name = whole(section.name)
            sizes[name] = sizes.get(name, 0) + section.size_bytes
    return sizes
