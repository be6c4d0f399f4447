"""BusyBox's size under any configuration, from its measured graph."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from kimitui.sizes.layout import Contents, Rules, file_bytes, up
from kimitui.sizes.reach import Program, Scenario, symbol_of

DATA = Path(__file__).parent / "data"
ARCHES = ("x86_64", "arm64", "riscv64")
_KINDS = ("text", "rodata", "jumps", "relro", "data", "init", "unwind", "bss")
_TEXT, _BSS = 0, 7
# Beside the kinds there are two more sums: what deflate leaves of code, and of all the rest.
_PACKED_TEXT, _PACKED_OTHER, _SUMS = 8, 9, 10
# Most of the tables are usage texts, which are compressed already.
_TABLES_SHARE = 0.95
# All sums are kept in one number: a field for each kind, wide enough for whatever a program can be.
_FIELD_BITS = 48
_LIST_BITS = 32
_LIST = (1 << _LIST_BITS) - 1
_FIELD = (1 << _FIELD_BITS) - 1


@dataclass(frozen=True)
class Built:
    """A program under one scenario: its file's bytes, what is in it, and how many links lead to it.

    `packed` is what deflate leaves, section by section, of its code and of all the rest.
    """

    file_bytes: int
    contents: Contents
    linked_bytes: int
    links: int
    packed: tuple[float, float]


class BusyBox:
    """The measured program of one architecture. Everything here is computed, nothing is read any more."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.about: Mapping[str, Any] = data["about"]
        self._applets: list[tuple[list[int], str, str, int]] = data["applets"]
        entries = [(literals, node) for literals, _, _, node in self._applets]
        self.program = Program.from_data(data["program"], entries)
        self._tables: Mapping[str, int] = data["tables"]
        self._flags: Mapping[str, Mapping[str, Sequence[float]]] = data["flags"]
        self._flag_packing: Mapping[str, Sequence[float]] = data["flag_packing"]
        self._rules: Mapping[str, Mapping[str, Any]] = data["rules"]
        self._usage: Mapping[str, Any] = data["usage"]
        self._kinds = [_KINDS.index(kind) for _object, _name, kind, _size in self.program.nodes]
        shares = data.get("packed") or [0] * len(self._kinds)
        usual = _usual_shares(shares, self._kinds, [size for _, _, _, size in self.program.nodes])
        self._shares = [(share or usual[kind]) / 100 for share, kind in zip(shares, self._kinds, strict=True)]
        self._packing: Mapping[str, Any] = data.get("packing", {})
        self._literals = {node: {literal for literal, _ in found} for node, found in self.program.terms.items()}
        self._constant = [node for node in range(len(self._kinds)) if node not in self.program.terms]
        self._weighed: dict[tuple[str, ...], list[int]] = {}
        self._sizes: dict[tuple[str, ...], list[int]] = {}
        self._number = {literal: number for number, literal in enumerate(self.program.literals)}
        self.symbols = frozenset(symbol_of(literal) for literal in self.program.literals)

    @property
    def applets(self) -> frozenset[str]:
        """The names of all applets."""
        return frozenset(name for _, name, _, _ in self._applets)

    def applets_of(self, symbol: str) -> frozenset[str]:
        """The names of the applets that a symbol switches on."""
        number = self._number.get(symbol)
        return frozenset(name for literals, name, _, _ in self._applets if number in literals)

    def built(
        self,
        values: Mapping[str, str],
        flags: Sequence[str],
        scenarios: Sequence[Scenario] = ({},),
        taken: Collection[str] = (),
    ) -> list[Built]:
        """The program in each scenario; `values` are BusyBox's symbols, `flags` what of the hardening differs.

        `taken` are names of programs that are there by themselves, so that no link of that name leads to BusyBox.
        """
        every = (1 << len(scenarios)) - 1
        masks = self.program.masks(values, scenarios)
        alive = self.program.reach(masks, every)
        sums = self._sums(alive, masks, every, flags, len(scenarios))
        rules = self._rules_of(flags)
        found = []
        lists = self._lists(masks, every, taken, len(scenarios))
        for number, (total, listed) in enumerate(zip(sums, lists, strict=True)):
            tables = self._table_bytes(listed, alive, masks, number)
            contents = self._contents(total, tables)
            linked = contents.text + contents.rodata + contents.relro + contents.data
            links = listed >> 3 * _LIST_BITS & _LIST
            packed = (
                _field(total, _PACKED_TEXT) * self._denser(flags),
                _field(total, _PACKED_OTHER) + _TABLES_SHARE * tables[0],
            )
            found.append(Built(file_bytes(contents, rules), contents, linked, links, packed))
        return found

    def contents(self, values: Mapping[str, str], flags: Sequence[str]) -> Contents:
        """What is in the program, by where it goes."""
        masks = self.program.masks(values, ({},))
        alive = self.program.reach(masks, 1)
        (total,) = self._sums(alive, masks, 1, flags, 1)
        (listed,) = self._lists(masks, 1, (), 1)
        return self._contents(total, self._table_bytes(listed, alive, masks, 0))

    def needed(self, values: Mapping[str, str], names: Collection[str]) -> list[int]:
        """The nodes that applets by these names need, and what every program does; in their order."""
        masks = self.program.masks(values, ({},))
        starts = [node for _, name, _, node in self._applets if name in names]
        return sorted(self.program.closure([*self.program.roots, *starts], masks))

    def tables_packed(self, values: Mapping[str, str]) -> float:
        """What deflate leaves of the tables of applets and of their usage texts."""
        masks = self.program.masks(values, ({},))
        (listed,) = self._lists(masks, 1, (), 1)
        return _TABLES_SHARE * self._table_bytes(listed, self.program.reach(masks, 1), masks, 0)[0]

    def packed_of(self, nodes: Sequence[int]) -> tuple[float, float]:
        """What deflate leaves of nodes as they are in the base: of their code, and of all the rest."""
        text = other = 0.0
        for node in nodes:
            packed = self.program.nodes[node][3] * self._shares[node]
            if self._kinds[node] == _TEXT:
                text += packed
            elif self._kinds[node] != _BSS:
                other += packed
        return text, other

    def archive_bytes(self, method: str, built: Built, beside_packed_bytes: int) -> int | None:
        """What a method makes of the root file system; None where that was not measured.

        `beside_packed_bytes` is what deflate makes of all else that is in it.
        """
        if method not in self._packing.get("weights", {}):
            return None
        text, other = built.packed
        row = (1.0, text, other, float(built.links))
        own = sum(weight * value for weight, value in zip(self._packing["weights"][method], row, strict=True))
        return round(float(own)) + beside_packed_bytes - int(self._packing["beside"])

    def _contents(self, total: int, tables: tuple[int, int]) -> Contents:
        parts = {kind: _field(total, number) for number, kind in enumerate(_KINDS)}
        read_only, relocated = tables
        return Contents(
            text=parts["text"],
            rodata=parts["rodata"] + parts["jumps"] + read_only,
            relro=parts["relro"] + parts["init"] + relocated,
            data=parts["data"],
        )

    def links(self, values: Mapping[str, str]) -> frozenset[str]:
        """The paths that lead to BusyBox, without a slash in front."""
        masks = self.program.masks(values, ({},))
        return frozenset(
            link.removeprefix("/")
            for literals, name, link, _ in self._applets
            if name != "busybox" and _all(literals, masks, 0)
        )

    def sizes(self, flags: Sequence[str]) -> list[int]:
        """By node, its bytes under `flags` with all symbols as in the base; nothing for what is in no file."""
        in_file = (kind != _KINDS.index("bss") for kind in self._kinds)
        return [size if there else 0 for size, there in zip(self._plain(tuple(flags)), in_file, strict=True)]

    def reach_of(self, masks: Sequence[int], symbols: Collection[str]) -> set[int]:
        """The nodes that the applets of `symbols` lead to by themselves; `masks` are of one or more scenarios."""
        starts = [
            node
            for literals, node in self.program.entries
            if any(symbol_of(self.program.literals[literal]) in symbols for literal in literals)
        ]
        return self.program.closure(starts, masks)

    def needed_by(self, masks: Sequence[int]) -> list[tuple[str, ...]]:
        """By node, the names of the applets that need it, of those that are on in the first scenario."""
        on = [(name, node) for literals, name, _, node in self._applets if _all(literals, masks, 0)]
        owners = self.program.owners([node for _, node in on], masks)
        return [tuple(name for bit, (name, _) in enumerate(on) if mask >> bit & 1) if mask else () for mask in owners]

    def _plain(self, flags: tuple[str, ...]) -> list[int]:
        if flags not in self._sizes:
            effects = {kind: self._effect(kind, flags) for kind in _KINDS}
            sizes = [(size, *effects[kind]) for _object, _name, kind, size in self.program.nodes]
            self._sizes[flags] = [max(round(each + rate * size), 0) if size else 0 for size, each, rate in sizes]
        return self._sizes[flags]

    def _effect(self, kind: str, flags: Sequence[str]) -> tuple[float, float]:
        """What flags make of a section of a kind: bytes that are added to each, and what its own are multiplied by."""
        found = [self._flags.get(flag, {}).get(kind, (0.0, 0.0)) for flag in flags]
        return sum(each for each, _ in found), 1.0 + sum(rate for _, rate in found)

    def _denser(self, flags: Sequence[str]) -> float:
        """By what deflate leaves less of code under flags: what they add is much the same everywhere."""
        found = [self._flag_packing.get(flag, (0.0, 0.0)) for flag in flags]
        return (1.0 + sum(packed for _, packed in found)) / (1.0 + sum(size for size, _ in found))

    def _sums(
        self, alive: Sequence[int], masks: Sequence[int], every: int, flags: Sequence[str], count: int
    ) -> list[int]:
        """By scenario, all sums in one number."""
        sizes = self._plain(tuple(flags))
        weights = self._weights(tuple(flags))
        effects = [self._effect(kind, flags) for kind in _KINDS]
        common = sum([weights[node] for node in self._constant if alive[node] == every])
        sums = [0] * count
        if count > 1:
            for node in self._constant:
                if (mask := alive[node]) and mask != every:
                    _add(sums, mask, weights[node])
        mixed = {literal for literal, mask in enumerate(masks) if mask and mask != every}
        for node, literals in self._literals.items():
            if not (mask := alive[node]):
                continue
            effect = effects[self._kinds[node]]
            if mixed.isdisjoint(literals):
                size = self._weight(node, self._varied(node, sizes[node], effect, masks, mask))
                if mask == every:
                    common += size
                else:
                    _add(sums, mask, size)
            else:
                for number in range(count):
                    if bit := mask & 1 << number:
                        sums[number] += self._weight(node, self._varied(node, sizes[node], effect, masks, bit))
        return [common + own for own in sums]

    def _weights(self, flags: tuple[str, ...]) -> list[int]:
        """By node, its part of the sums as long as no term changes it."""
        if flags not in self._weighed:
            self._weighed[flags] = [self._weight(node, size) for node, size in enumerate(self._plain(flags))]
        return self._weighed[flags]

    def _weight(self, node: int, size: int) -> int:
        kind = self._kinds[node]
        if kind == _BSS:
            return size << _FIELD_BITS * kind
        packed = int(size * self._shares[node])
        return (size << _FIELD_BITS * kind) + (packed << _FIELD_BITS * (_PACKED_OTHER if kind else _PACKED_TEXT))

    def _varied(self, node: int, size: int, effect: tuple[float, float], masks: Sequence[int], scenarios: int) -> int:
        """A node's bytes where its terms hold in all of `scenarios` or in none."""
        base, (each, rate) = self.program.nodes[node][3], effect
        grown = False
        for literal, difference in self.program.terms[node]:
            if not masks[literal] & scenarios:
                continue
            if difference == -base:
                return 0
            # What makes a function grow is that others are inlined, which happens once: the first is the largest.
            if difference < 0 or not grown:
                size += round(difference * rate + (0 if base else each))
            grown = grown or difference > 0
        return max(size, 0)

    def _lists(self, masks: Sequence[int], every: int, taken: Collection[str], count: int) -> list[int]:
        """By scenario, in one number: applets, letters of names, tenths of usage weights, links, texts' lengths."""
        weights, lengths = self._usage["weights"], self._usage["lengths"]
        common, sums = 0, [0] * count
        there: dict[str, int] = {}
        for literals, name, _, _ in self._applets:
            mask = every
            for literal in literals:
                mask &= masks[literal]
            if mask:
                there[name] = there.get(name, 0) | mask
                link = name != "busybox" and name not in taken
                usage = round(10 * weights.get(name, 0.0))
                part = 1 + (len(name) << _LIST_BITS) + (usage << 2 * _LIST_BITS) + (link << 3 * _LIST_BITS)
                part += lengths.get(name, 0) << 4 * _LIST_BITS
                if mask == every:
                    common += part
                else:
                    _add(sums, mask, part)
        for literal, applet, difference in self._usage["terms"]:
            if mask := masks[literal] & there.get(applet, 0):
                part = round(10 * difference) << 2 * _LIST_BITS
                if mask == every:
                    common += part
                else:
                    _add(sums, mask, part)
        return [common + own for own in sums]

    def _table_bytes(self, listed: int, alive: Sequence[int], masks: Sequence[int], scenario: int) -> tuple[int, int]:
        """The bytes of the tables of applets and of their usage texts, read-only and relocated ones."""
        count, letters, usage = (listed >> field * _LIST_BITS & _LIST for field in range(3))
        if count < 2:
            return 0, 0
        hints = 8 if count >= 128 else 4 if count >= 32 else 0
        fixed, factor, power = map(float, self._usage["fit"])
        sizes = {
            "applet_main": 8 * count,
            "applet_names": letters + count + 1,
            "applet_nameofs": 2 * (hints - 1) if hints else 0,
            "applet_flags": -(-count // 4),
            "applet_suid": -(-count // 4),
            "applet_install_loc": -(-count // 2),
            "packed_usage": round(fixed + factor * (usage / 10) ** power),
        }
        there = {name: sizes[name] for name, node in self._tables.items() if alive[node] >> scenario & 1}
        relocated = there.pop("applet_main", 0)
        shown = self._number.get("SHOW_USAGE")
        if "packed_usage" not in there and shown is not None and masks[shown] >> scenario & 1:
            there["usage_messages"] = listed >> 4 * _LIST_BITS  # the texts as they are
        return sum(there.values()), relocated

    def _rules_of(self, flags: Sequence[str]) -> Rules:
        pie = "HARDENING_PIE=n" not in flags
        protected = "HARDENING_RELRO=none" not in flags
        return Rules(**self._rules[f"{'pie' if pie else 'fixed'}-{'relro' if protected else 'plain'}"])


@cache
def load(arch: str) -> BusyBox | None:
    """The measured BusyBox of an architecture; None where it was not measured."""
    path = DATA / f"busybox-{arch}.json"
    return BusyBox(json.loads(path.read_text())) if path.exists() else None


def _usual_shares(shares: Sequence[int], kinds: Sequence[int], sizes: Sequence[int]) -> list[float]:
    """By kind, what deflate leaves on average, in per cent."""
    packed, whole = [0.0] * len(_KINDS), [0.0] * len(_KINDS)
    for share, kind, size in zip(shares, kinds, sizes, strict=True):
        if share:
            packed[kind] += share * size
            whole[kind] += size
    return [part / size if size else 50.0 for part, size in zip(packed, whole, strict=True)]


def _all(literals: Sequence[int], masks: Sequence[int], scenario: int) -> bool:
    return all(masks[literal] >> scenario & 1 for literal in literals)


def _add(sums: list[int], mask: int, part: int) -> None:
    """Add to the sums of the scenarios of a mask."""
    while mask:
        bit = mask & -mask
        mask ^= bit
        sums[bit.bit_length() - 1] += part


def _field(total: int, number: int) -> int:
    return total >> _FIELD_BITS * number & _FIELD


__all__ = ["ARCHES", "Built", "BusyBox", "load", "up"]
