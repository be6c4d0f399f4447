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

_DATA = Path(__file__).parent / "data"
ARCHES = ("x86_64", "arm64", "riscv64")
_KINDS = ("text", "rodata", "relro", "data", "init", "unwind", "bss")
# All sums are kept in one number: a field for each kind, wide enough for whatever a program can be.
_FIELD_BITS = 48
_FIELD = (1 << _FIELD_BITS) - 1


@dataclass(frozen=True)
class Built:
    """A program under one scenario: its file's bytes, what is in it, and how many links lead to it."""

    file_bytes: int
    contents: Contents
    linked_bytes: int
    links: int


class BusyBox:
    """The measured program of one architecture. Everything here is computed, nothing is read any more."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.about: Mapping[str, Any] = data["about"]
        self.program = Program.from_data(data["program"])
        self._applets: list[tuple[list[int], str, str]] = data["applets"]
        self._tables: Mapping[str, int] = data["tables"]
        self._flags: Mapping[str, Sequence[Sequence[int]]] = data["flags"]
        self._rules: Mapping[str, Mapping[str, Any]] = data["rules"]
        self._usage: Mapping[str, Any] = data["usage"]
        self._kinds = [_KINDS.index(kind) for _object, _name, kind, _size in self.program.nodes]
        self._sizes: dict[tuple[str, ...], list[int]] = {}
        self._number = {literal: number for number, literal in enumerate(self.program.literals)}
        self.symbols = frozenset(symbol_of(literal) for literal in self.program.literals)

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
        for number, total in enumerate(sums):
            parts = dict(
                zip(_KINDS, (total >> _FIELD_BITS * kind & _FIELD for kind in range(len(_KINDS))), strict=True)
            )
            names = [name for literals, name, _ in self._applets if _all(literals, masks, number)]
            read_only, relocated = self._table_bytes(names, alive, masks, number)
            contents = Contents(
                text=parts["text"],
                rodata=parts["rodata"] + read_only,
                relro=parts["relro"] + parts["init"] + relocated,
                data=parts["data"],
            )
            linked = contents.text + contents.rodata + contents.relro + contents.data
            links = len({name for name in names if name != "busybox" and name not in taken})
            found.append(Built(file_bytes(contents, rules), contents, linked, links))
        return found

    def links(self, values: Mapping[str, str]) -> frozenset[str]:
        """The paths that lead to BusyBox, without a slash in front."""
        masks = self.program.masks(values, ({},))
        return frozenset(
            link.removeprefix("/")
            for literals, name, link in self._applets
            if name != "busybox" and _all(literals, masks, 0)
        )

    def node_bytes(self, flags: Sequence[str]) -> list[int]:
        """By node, its bytes under `flags` with all symbols as in the base."""
        return [size & _FIELD if size >= 0 else 0 for size in self._plain(tuple(flags))]

    def _plain(self, flags: tuple[str, ...]) -> list[int]:
        if flags not in self._sizes:
            sizes = [size for _object, _name, _kind, size in self.program.nodes]
            for flag in flags:
                for node, difference in self._flags.get(flag, ()):
                    sizes[node] += difference
            self._sizes[flags] = [max(size, 0) for size in sizes]
        return self._sizes[flags]

    def _sums(
        self, alive: Sequence[int], masks: Sequence[int], every: int, flags: Sequence[str], count: int
    ) -> list[int]:
        sizes = self._plain(tuple(flags))
        kinds, terms = self._kinds, self.program.terms
        common = [0] * len(_KINDS)
        apart: dict[int, list[int]] = {}
        for node, mask in enumerate(alive):
            if not mask:
                continue
            size = sizes[node]
            if node in terms:
                base = self.program.nodes[node][3]
                scale = size / base if base else 1.0
                by_bits: dict[int, int] = {mask: size}
                for literal, difference in terms[node]:
                    if bits := masks[literal] & mask:
                        by_bits[bits] = by_bits.get(bits, 0) + round(difference * scale)
                for bits, part in by_bits.items():
                    if bits == every:
                        common[kinds[node]] += part
                    else:
                        apart.setdefault(bits, [0] * len(_KINDS))[kinds[node]] += part
            elif mask == every:
                common[kinds[node]] += size
            else:
                apart.setdefault(mask, [0] * len(_KINDS))[kinds[node]] += size
        base_sum = _packed(common)
        sums = [base_sum] * count
        for bits, parts in apart.items():
            part = _packed(parts)
            while bits:
                bit = bits & -bits
                bits ^= bit
                sums[bit.bit_length() - 1] += part
        return sums

    def _table_bytes(
        self, names: Sequence[str], alive: Sequence[int], masks: Sequence[int], scenario: int
    ) -> tuple[int, int]:
        """The bytes of the tables of applets and of their usage texts, read-only and relocated ones."""
        count = len(names)
        if count < 2:
            return 0, 0
        hints = 8 if count >= 128 else 4 if count >= 32 else 0
        sizes = {
            "applet_main": 8 * count,
            "applet_names": sum(map(len, names)) + count + 1,
            "applet_nameofs": 2 * (hints - 1) if hints else 0,
            "applet_flags": -(-count // 4),
            "applet_suid": -(-count // 4),
            "applet_install_loc": -(-count // 2),
            "packed_usage": self._usage_bytes(names, masks, scenario),
        }
        there = {name: sizes[name] for name, node in self._tables.items() if alive[node] >> scenario & 1}
        relocated = there.pop("applet_main", 0) if self._tables_move else 0
        return sum(there.values()), relocated

    def _usage_bytes(self, names: Sequence[str], masks: Sequence[int], scenario: int) -> int:
        """The compressed usage texts of applets."""
        weights = self._usage["weights"]
        total = sum(weights.get(name, 0.0) for name in names)
        for literal, difference in self._usage["terms"]:
            if masks[literal] >> scenario & 1:
                total += difference
        fixed, factor, power = map(float, self._usage["fit"])
        return round(fixed + factor * float(max(total, 0.0) ** power))

    _tables_move = True

    def _rules_of(self, flags: Sequence[str]) -> Rules:
        pie = "HARDENING_PIE=n" not in flags
        protected = "HARDENING_RELRO=none" not in flags
        return Rules(**self._rules[f"{'pie' if pie else 'fixed'}-{'relro' if protected else 'plain'}"])


@cache
def load(arch: str) -> BusyBox | None:
    """The measured BusyBox of an architecture; None where it was not measured."""
    path = _DATA / f"busybox-{arch}.json"
    return BusyBox(json.loads(path.read_text())) if path.exists() else None


def _all(literals: Sequence[int], masks: Sequence[int], scenario: int) -> bool:
    return all(masks[literal] >> scenario & 1 for literal in literals)


def _packed(parts: Sequence[int]) -> int:
    return sum(part << _FIELD_BITS * kind for kind, part in enumerate(parts))


__all__ = ["ARCHES", "Built", "BusyBox", "load", "up"]
