"""The measured program: what its parts weigh under any flags and options, and what a file with them takes."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

from kimitui.sizes.layout import Contents, Rules, file_bytes
from kimitui.sizes.reach import Program, parts_of, symbol_of
from kimitui.sizes.weights import NEAR, UNPACKED, Weights

DATA = Path(__file__).parent / "data"
ARCHES = ("x86_64", "arm64", "riscv64")
_KINDS = ("text", "rodata", "jumps", "relro", "data", "init", "unwind", "bss", "import")
_TEXT, _BSS, _IMPORT = 0, 7, 8
# Beside the kinds there are more sums: what deflate leaves of code, and of all the rest, and the number of imports.
_PACKED_TEXT, _PACKED_OTHER, _IMPORTS = 9, 10, 11
# What a shared C library has in place of the program; the code that protects static programs among it.
_SHARED = ("libc.a:", "start:relro.o")
# How the measure is called that other methods are computed from.
DEFLATE = "deflate"
# What deflate leaves of an import: a name, and numbers that are much like the next one's.
_IMPORT_SHARE = 0.4
# The table that has addresses.
RELOCATED = "applet_main"
# All sums are kept in one number: a field for each kind, wide enough for whatever a program can be.
_FIELD_BITS = 48
_FIELD = (1 << _FIELD_BITS) - 1


@dataclass(frozen=True)
class Built:
    """A program under one scenario: its file's bytes, what is in it, and how many links lead to it.

    `packed_bytes` is what deflate leaves of it, section by section; `far_bytes` the same for methods that find what is
    far apart, for which flags change less. `imports` is how many symbols of shared libraries it has.
    """

    file_bytes: int
    contents: Contents
    links: int
    packed_bytes: float
    far_bytes: float
    imports: int = 0

    @property
    def linked_bytes(self) -> int:
        """What is linked, without what the layout adds."""
        return self.contents.file_bytes


@dataclass(frozen=True)
class Library:
    """A shared C library: the bytes of its file, and what deflate leaves of it."""

    file_bytes: int
    packed_bytes: int


@dataclass(frozen=True)
class Changes:
    """What flags make of the program, by their name, or the names of two with a plus: the bytes that are added to nodes
    (for two, beyond what each adds); for what is in no node, what is added by kind, each and for every byte. `packing`
    has what is added to code, to what deflate leaves of it and to what LZMA leaves, relatively.
    """

    by_node: Mapping[str, Mapping[int, int]]
    usual: Mapping[str, Mapping[str, Sequence[float]]]
    packing: Mapping[str, Sequence[float]]


_NO_CHANGES = Changes({}, {}, {})


class BusyBox:
    """The measured program of one architecture, linked statically or with a shared C library.

    Everything here is computed; all that is read later is what flags change.
    """

    def __init__(
        self, data: Mapping[str, Any], *, static: bool = True, changes: Callable[[], Changes] = lambda: _NO_CHANGES
    ) -> None:
        """`changes` is asked for once there are flags other than those that everything was measured with."""
        # Where there is a loader, other things follow from the same objects.
        shared: Mapping[str, Any] = {} if static else data["dynamic"]
        self.about: Mapping[str, Any] = data["about"]
        self.entries: list[tuple[list[int], str, str, int]] = data["applets"]
        entries = [(literals, node) for literals, _, _, node in self.entries]
        program = Program.from_data(data["program"], entries)
        self._import: Mapping[str, float] = shared.get("import", {})
        self.program = program if static else program.importing(_SHARED, round(self._import["head"]))
        self._library: Mapping[str, Any] = shared.get("libc", {})
        self.tables: Mapping[str, int] = data["tables"]
        self._changes = changes
        self._rules: Mapping[str, Mapping[str, Any]] = shared.get("rules", data["rules"])
        self.usage: Mapping[str, Any] = data["usage"]
        self._kinds = [_KINDS.index(kind) for _object, _name, kind, _size in self.program.nodes]
        shares = data.get("packed") or [0] * len(self._kinds)
        usual = _usual_shares(shares, self._kinds, [size for _, _, _, size in self.program.nodes])
        self._shares = [(share or usual[kind]) / 100 for share, kind in zip(shares, self._kinds, strict=True)]
        packing: Mapping[str, Any] = data.get("packing", {})
        self._methods = {method: Weights(*found) for method, found in packing.get("methods", {}).items()}
        self._table_shares: Mapping[str, float] = packing.get("tables", {})
        self._together: Sequence[float] = shared.get("together", packing.get("together", (1.0, 1.0, 0.0)))
        self._weighed: dict[tuple[str, ...], list[int]] = {}
        self._sizes: dict[tuple[str, ...], list[int]] = {}
        self._thin: dict[tuple[str, ...], list[float]] = {}
        self._usual: dict[tuple[str, ...], list[tuple[float, float]]] = {}
        self.number = {literal: number for number, literal in enumerate(self.program.literals)}
        self.symbols = frozenset(self.program.literals_of)

    def library(self, flags: Sequence[str]) -> Library | None:
        """The shared C library under `flags`; None where the program is static."""
        if not self._library:
            return None
        known = [self._library["flags"][flag] for flag in flags if flag in self._library["flags"]]
        grown, packed = (sum(one[at] for one in known) for at in (0, 1))
        size = file_bytes(Contents(text=grown, rodata=0, relro=0, data=0, bss=0), Rules(**self._library["rules"]))
        return Library(size, self._library["packed"][DEFLATE] + packed)

    @property
    def applets(self) -> frozenset[str]:
        """The names of all applets."""
        return frozenset(name for _, name, _, _ in self.entries)

    def applets_of(self, symbol: str) -> frozenset[str]:
        """The names of the applets that a symbol switches on."""
        number = self.number.get(symbol)
        return frozenset(name for literals, name, _, _ in self.entries if number in literals)

    def needed(self, values: Mapping[str, str], names: Collection[str]) -> list[int]:
        """The nodes that applets by these names need, and what every program does; in their order."""
        starts = [node for _, name, _, node in self.entries if name in names]
        return sorted(self.program.closure([*self.program.roots, *starts], self.program.held(values)))

    def packed_of(self, nodes: Sequence[int]) -> tuple[float, float]:
        """What deflate leaves of nodes as they are in the base: of their code, and of all the rest."""
        sizes, found = self.sizes(()), [0.0, 0.0]
        for node in nodes:
            found[self._kinds[node] != _TEXT] += sizes[node] * self._shares[node]
        return found[0], found[1]

    def archive_bytes(
        self, method: str, built: Built, beside: tuple[int, int], members: int, library: Library | None = None
    ) -> int | None:
        """What a method makes of a root file system with so many members; None where that was not measured.

        `beside` is what deflate makes of all else that is in it, and the bytes of that, without a shared C library.
        """
        if method not in self._methods:
            return None
        packed, raw = beside
        further = self._library_bytes(method, library) if library else 0.0
        if method == UNPACKED:
            return round(self._methods[method].packed(built.file_bytes, raw, members) + further)
        program = built.packed_bytes if method in NEAR else built.far_bytes
        return round(self._methods[method].packed(program, packed, members) + further)

    def _library_bytes(self, method: str, library: Library) -> float:
        """What a method makes of a C library, most of which is code and a sixth tables of characters."""
        packed: Mapping[str, int] = self._library["packed"]
        return packed[method] * library.packed_bytes / packed[DEFLATE] if method != UNPACKED else library.file_bytes

    def links(self, values: Mapping[str, str]) -> frozenset[str]:
        """The paths that lead to BusyBox, without a slash in front."""
        held = self.program.held(values)
        return frozenset(
            link.removeprefix("/")
            for literals, name, link, _ in self.entries
            if name != "busybox" and all(held[literal] for literal in literals)
        )

    def sizes(self, flags: Sequence[str]) -> list[int]:
        """By node, its bytes under `flags` with all symbols as in the base; nothing for what is in no file."""
        in_file = (kind != _KINDS.index("bss") for kind in self._kinds)
        return [size if there else 0 for size, there in zip(self._plain(tuple(flags)), in_file, strict=True)]

    def reach_of(self, held: Sequence[bool], symbols: Collection[str]) -> set[int]:
        """The nodes that the applets of `symbols` lead to by themselves; `held` is `Program.held`."""
        starts = [
            node
            for literals, node in self.program.entries
            if any(symbol_of(self.program.literals[literal]) in symbols for literal in literals)
        ]
        return self.program.closure(starts, held)

    def needed_by(self, held: Sequence[bool]) -> list[tuple[str, ...]]:
        """By node, the names of the applets that need it, of those that are on."""
        on = [(name, node) for literals, name, _, node in self.entries if all(held[literal] for literal in literals)]
        owners = self.program.owners([node for _, node in on], held)
        return [tuple(name for bit, (name, _) in enumerate(on) if mask >> bit & 1) if mask else () for mask in owners]

    def _plain(self, flags: tuple[str, ...]) -> list[int]:
        if flags not in self._sizes:
            sizes = [size for _owner, _name, _kind, size in self.program.nodes]
            for found in self._changed(flags).values():
                for node, more in found:
                    sizes[node] += more
            self._sizes[flags] = [max(size, 0) for size in sizes]
        return self._sizes[flags]

    def _changed(self, flags: Sequence[str]) -> dict[str, list[tuple[int, int]]]:
        """By name of flags, or of a pair of them, nodes and bytes that are added to them, without what is imported."""
        by_node = self._changes().by_node if flags else {}
        return {
            name: [(node, more) for node, more in found.items() if self._kinds[node] != _IMPORT]
            for name, found in by_node.items()
            if set(name.split("+")) <= set(flags)
        }

    def _usual_of(self, flags: tuple[str, ...]) -> list[tuple[float, float]]:
        """By kind, what flags make of a section: bytes that are added to each, and what its own are multiplied by."""
        if flags not in self._usual:
            known = [self._changes().usual.get(flag, {}) for flag in flags]
            found = [[one.get(kind, (0.0, 0.0)) for one in known] for kind in _KINDS]
            self._usual[flags] = [(sum(each for each, _ in one), 1.0 + sum(rate for _, rate in one)) for one in found]
        return self._usual[flags]

    def layout(self, total: int, tables: Mapping[str, int], links: int, flags: Sequence[str]) -> Built:
        """The file with all that `total` sums up, and with tables of so many bytes."""
        parts = {kind: _field(total, number) for number, kind in enumerate(_KINDS)}
        relocated = tables.get(RELOCATED, 0)
        imports = _field(total, _IMPORTS)
        contents = Contents(
            text=parts["text"] + round(imports * self._import.get("text", 0.0)),
            rodata=parts["rodata"] + parts["jumps"] + sum(tables.values()) - relocated,
            relro=parts["relro"] + parts["init"] + relocated + round(imports * self._import.get("relro", 0.0)),
            data=parts["data"],
            bss=parts["bss"],
            imports=parts["import"],
        )
        code, rest = self.packed_sections(total, tables)
        near, far = self.packed(code, rest), self.packed(code * self._far(flags), rest)
        return Built(file_bytes(contents, self._rules_of(flags)), contents, links, near, far, imports)

    def packed_sections(self, total: int, tables: Mapping[str, int]) -> tuple[float, float]:
        """What deflate leaves of the sections that `total` sums up: of code, and of all the rest with the tables."""
        return float(_field(total, _PACKED_TEXT)), _field(total, _PACKED_OTHER) + self.packed_tables(tables)

    def packed_tables(self, tables: Mapping[str, int]) -> float:
        """What deflate leaves of the tables of applets."""
        return sum(size * self._table_shares.get(name, 1.0) for name, size in tables.items())

    def packed(self, code: float, rest: float) -> float:
        """What deflate leaves of a program, from what it leaves of the sections of code and of all the rest.

        Of texts there are more the larger a program is, and what packed usage texts push out of sight is not found
        again; how much that takes was read off the programs that were linked.
        """
        whole, each, growing = self._together
        return whole * code + (each + growing * rest / 1e6) * rest

    def _thinned(self, flags: tuple[str, ...]) -> list[float]:
        """By node, by what its bytes are to be multiplied before they are packed, because of what flags add to them:
        that is much the same everywhere, so little is left of it.
        """
        sizes = self._plain(flags)
        less = [0.0] * len(sizes)
        for name, found in self._changed(flags).items():
            more, near, _far = self._changes().packing.get(name, (0.0, 0.0, 0.0))
            if more:
                for node, added in found:
                    less[node] += (near / more - 1) * added
        return [max(1 + thin / size, 0.0) if size else 1.0 for thin, size in zip(less, sizes, strict=True)]

    def _far(self, flags: Sequence[str]) -> float:
        """What is left of code under flags by methods that look far, beside what is left by those that look near."""
        packing = self._changes().packing if flags else {}
        found = [packing.get(flag, (0.0, 0.0, 0.0)) for flag in flags]
        return (1.0 + sum(far for _, _, far in found)) / (1.0 + sum(near for _, near, _ in found))

    def weights(self, flags: tuple[str, ...]) -> list[int]:
        """By node, its part of the sums under `flags` as long as no term changes it."""
        if flags not in self._weighed:
            self._thin[flags] = self._thinned(flags)
            self._weighed[flags] = [self._weight(node, size, flags) for node, size in enumerate(self._plain(flags))]
        return self._weighed[flags]

    def weight(self, node: int, flags: tuple[str, ...], held: Sequence[bool]) -> int:
        """A node's part of the sums under `flags`, with its terms of the literals that hold.

        `weights` was asked for those flags before.
        """
        return self._weight(node, self._varied(node, flags, held), flags)

    def _weight(self, node: int, size: int, flags: tuple[str, ...]) -> int:
        kind = self._kinds[node]
        if kind == _BSS or not size:
            return size << _FIELD_BITS * kind
        if kind == _TEXT:
            packed = int(size * self._thin[flags][node] * self._shares[node])
            return size + (packed << _FIELD_BITS * _PACKED_TEXT)
        if kind == _IMPORT:
            packed = round(size * _IMPORT_SHARE)
            return (
                (size << _FIELD_BITS * kind) + (packed << _FIELD_BITS * _PACKED_OTHER) + (1 << _FIELD_BITS * _IMPORTS)
            )
        return (size << _FIELD_BITS * kind) + (int(size * self._shares[node]) << _FIELD_BITS * _PACKED_OTHER)

    def _varied(self, node: int, flags: tuple[str, ...], held: Sequence[bool]) -> int:
        size, base = self._plain(flags)[node], self.program.nodes[node][3]
        each, rate = self._usual_of(flags)[self._kinds[node]]
        # What is taken away from a function had its part of what flags have added.
        own_rate = size / base if base else rate
        grown = False
        for literal, difference in self.program.terms[node]:
            if not held[literal]:
                continue
            if literal in self.program.parts:
                # It only takes back some of what each of several symbols does, or does what none of them does alone.
                size += round(difference * own_rate)
                continue
            if difference == -base and not self._is_taken_back(node, literal, held):
                return 0
            # What makes a function grow is that others are inlined, which happens once: the first is the largest.
            if difference < 0 or not grown:
                size += round(difference * (own_rate if difference < 0 else rate) + (0 if base else each))
            grown = grown or difference > 0
        return max(size, 0)

    def _is_taken_back(self, node: int, literal: int, held: Sequence[bool]) -> bool:
        """Whether a node that goes with the literal's symbol is there all the same, because others are off as well."""
        program = self.program
        symbol = symbol_of(program.literals[literal])
        return any(
            held[other] and difference > 0 and symbol in parts_of(program.literals[other])
            for other, difference in program.terms[node]
            if other in program.parts
        )

    def _rules_of(self, flags: Sequence[str]) -> Rules:
        pie = "HARDENING_PIE=n" not in flags
        protected = "HARDENING_RELRO=none" not in flags
        return Rules(**self._rules[f"{'pie' if pie else 'fixed'}-{'relro' if protected else 'plain'}"])


@cache
def load(arch: str, *, static: bool = True) -> BusyBox | None:
    """The measured BusyBox of an architecture, linked as asked; None where it was not measured."""
    path = DATA / f"busybox-{arch}.json"
    if not path.exists():
        return None
    # Nothing of so many small lists is garbage; looking for it takes a third of the time.
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        data = json.loads(path.read_text())
        return BusyBox(data, static=static, changes=partial(_load_changes, arch))
    finally:
        if was_enabled:
            gc.enable()


@cache
def _load_changes(arch: str) -> Changes:
    """What flags make of the measured BusyBox of an architecture."""
    data = json.loads((DATA / f"flags-{arch}.json").read_text())
    by_node: dict[str, dict[int, int]] = {name: {} for name in data["names"]}
    for node, *sizes in data["nodes"]:
        for found, size in zip(by_node.values(), sizes, strict=True):
            if size:
                found[node] = size
    return Changes(by_node, data["usual"], data["packing"])


def _usual_shares(shares: Sequence[int], kinds: Sequence[int], sizes: Sequence[int]) -> list[float]:
    """By kind, what deflate leaves on average, in per cent."""
    packed, whole = [0.0] * len(_KINDS), [0.0] * len(_KINDS)
    for share, kind, size in zip(shares, kinds, sizes, strict=True):
        if share:
            packed[kind] += share * size
            whole[kind] += size
    return [part / size if size else 50.0 for part, size in zip(packed, whole, strict=True)]


def _field(total: int, number: int) -> int:
    return total >> _FIELD_BITS * number & _FIELD
