"""What a kernel will take, from the options that are asked for: pure, from data that were measured, in microseconds.

The data (`data/linux-<arch>.json`) hold parts of the kernel, each with the formula under which it is linked and its
sizes; options that change what the compiler makes of every file, as factors; and what the compressors make of the sum.
`kimitui sizes measure-linux` makes them; docs/sizes-linux.md says how and how right they are.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

from kimitui.sizes.closure import Closure, Value

DATA = Path(__file__).with_name("data")


@dataclass(frozen=True)
class KernelSizes:
    """Sizes of a kernel: `raw_bytes` is what is linked, unpacked; `vmlinuz_bytes` the file that is started.

    `modules_bytes` is all that is installed below `lib/modules`, `modules_members_bytes` what that takes in a tar
    archive, `modules_packed_bytes` what deflate leaves of it.
    """

    vmlinuz_bytes: int
    raw_bytes: int
    modules_bytes: int = 0
    modules_members_bytes: int = 0
    modules_packed_bytes: int = 0


_LINKED = ("code", "rest", "orc", "exports", "names", "prefixes", "dynamic")
"""The kinds of bytes that are linked; what is `packed` are the same once more, and `sites` are among the rest."""

_Totals = tuple[tuple[int, ...], ...]
"""Bytes by kind, for each group of objects."""


_Products = tuple[tuple[float, ...], ...]
"""By what the options that are compiled into everything multiply each kind, for each group of objects."""


_COMBINATIONS = 64
"""Of options that are compiled into everything, whose products are kept: few are met while one edits, often."""


@dataclass(frozen=True)
class _Everywhere:
    """What the options that are compiled into everything do: whether that was measured, and what they multiply."""

    measured: bool
    products: _Products


@dataclass(frozen=True)
class _State:
    requested: Mapping[str, str]
    values: list[Value]
    parts: list[Value]
    """What the condition of each part gives: 2 for what is linked, 1 for what is in a module."""
    totals: _Totals
    modules: tuple[int, ...]
    """What the parts take that are in modules, in the order of `Model._modules`."""
    everywhere: _Everywhere


@dataclass(frozen=True)
class LinkedObject:
    """An object, or some of its code, that an option brings: bytes unpacked, in the kernel or a module.

    One that stays without the option is held by other ones, too.
    """

    path: str
    size_bytes: int
    stays: bool
    held_by: tuple[str, ...]


class Model:
    """The model of one architecture."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.kinds: tuple[str, ...] = tuple(data["kinds"])
        self.origin: Mapping[str, str] = data["origin"]
        self.closure = Closure(data["slice"])
        groups: Sequence[Mapping[str, Any]] = data["groups"]
        parts = [part for group in groups for part in group["parts"]]
        self._group = [number for number, group in enumerate(groups) for _ in group["parts"]]
        self._sizes: list[tuple[int, ...]] = [tuple(sizes) for _when, sizes, _objects in parts]
        self._objects: list[list[tuple[str, int, int]]] = [objects for _when, _sizes, objects in parts]
        self._conditions = []
        self._using: dict[int, list[int]] = {}
        self._reads: list[frozenset[int]] = []
        for number, (when, _sizes_of, _objects_of) in enumerate(parts):
            condition, reads = self.closure.formulas.compile(when)
            self._conditions.append(condition)
            self._reads.append(reads)
            for position in reads:
                self._using.setdefault(position, []).append(number)
        self._groups = len(groups)
        factors = self._by_condition(groups)
        self._factors = [(self._compiled(when), by_group) for when, by_group in factors.items()]
        self._product = lru_cache(_COMBINATIONS)(self._multiplied)
        self._only = [(self._compiled(when), value == "y") for when, value in data["only"]]
        everywhere = [*factors, *(when for when, _value in data["only"])]
        self._everywhere = frozenset().union(*(self.closure.formulas.compile(when)[1] for when in everywhere))
        self.smaller: frozenset[str] = frozenset(data["smaller"])
        """Options that make the kernel smaller when they are on."""
        image: Mapping[str, Any] = data["image"]
        installed: Mapping[str, Any] = image["installed"]
        self._builtin: Sequence[float] = installed["builtin"]
        self._modules = self._in_modules(installed)
        """What each part takes in a module: bytes, bytes in an archive, bytes packed; the same where it only offers to
        others what they use; and its share of what every module has besides."""
        self._is_trimmed = self._compiled(installed["trimmed"])
        self._least: Sequence[float] = installed["least"]
        self._module_options = [(self._compiled(when), more) for when, more in installed["options"]]
        self._has_modules = self._compiled("MODULES")
        self._rules = [
            (kind, str(one["of"]), self._compiled(one["when"]), float(one["factor"]))
            for kind, one in image["kinds"].items()
        ]
        self._compressors = [
            (self._compiled(one["when"]), {**one, "packed": self._scaled(one["packed"])})
            for one in image["compressors"]
        ]
        self._wrapping = [(self._compiled(when), size) for when, size in image["wrapper"]]
        self.errors: Mapping[str, float] = {name: found["worst"] for name, found in data["comparison"].items() if found}
        """How far off the worst of the estimates was that were compared, relative to the size, of `vmlinuz` and of
        `modules`; empty if none was."""
        self._last = self._whole({})
        self._changed: tuple[_State, Mapping[str, str], _State] | None = None

    def sizes(self, requested: Mapping[str, str], changed: Mapping[str, str] | None = None) -> KernelSizes:
        """What the kernel takes for which `requested` is asked of Linux, by upstream symbol, as Kconfig values.

        `changed` is asked instead of what `requested` has for the same symbols. The same request always has the same
        answer; one that differs little from the one before is answered sooner, and so are changes of it.
        """
        return self._finished(self._asked(requested, changed))

    def contents(self, requested: Mapping[str, str]) -> Mapping[str, float]:
        """Bytes by kind of what is linked, with what the build makes of it."""
        return self._contents(self._asked(requested, None))

    def objects(self, requested: Mapping[str, str]) -> Mapping[str, int]:
        """Bytes of code and data of what is linked or in modules, by object, without what the options do to them that
        are compiled into everything."""
        found: dict[str, int] = {}
        for value, objects in zip(self._asked(requested, None).parts, self._objects, strict=True):
            for path, code_bytes, rest_bytes in objects if value else ():
                found[path] = found.get(path, 0) + code_bytes + rest_bytes
        return found

    def covers(self, requested: Mapping[str, str], changed: Mapping[str, str] | None = None) -> bool:
        """Whether what is compiled into everything was measured as it is asked for."""
        return self._asked(requested, changed).everywhere.measured

    def _asked(self, requested: Mapping[str, str], changed: Mapping[str, str] | None) -> _State:
        if requested != self._last.requested:
            before = self._last.requested
            names = [name for name in requested.keys() | before.keys() if requested.get(name) != before.get(name)]
            many = len(names) > len(self.closure.positions) // 10
            kept = dict(requested)
            self._last = self._whole(kept) if many else self._moved(self._last, kept, names)
        if not changed:
            return self._last
        if self._changed is None or self._changed[0] is not self._last or self._changed[1] != changed:
            moved = self._moved(self._last, {**requested, **changed}, list(changed))
            self._changed = (self._last, dict(changed), moved)
        return self._changed[2]

    def linked(
        self, requested: Mapping[str, str], with_it: Mapping[str, str], without: Mapping[str, str]
    ) -> list[LinkedObject]:
        """The objects of which an option decides, or could decide if others did not hold them.

        `with_it` and `without` are what is asked instead of what `requested` has for the same symbols.
        """
        on, off = self._asked(requested, with_it), self._asked(requested, without)
        products = on.everywhere.products
        moved = {at for at, (now, then) in enumerate(zip(on.values, off.values, strict=True)) if now != then}
        sizes: dict[tuple[str, bool], float] = {}
        holding: dict[tuple[str, bool], set[int]] = {}
        for number, condition in enumerate(self._conditions):
            if self._reads[number].isdisjoint(moved) or not condition(on.values):
                continue
            stays = bool(condition(off.values))
            others = {at for at in self._reads[number] - moved if off.values[at] not in (0, "")}
            code, rest, *_ = products[self._group[number]]
            for path, code_bytes, rest_bytes in self._objects[number]:
                key = path, stays
                sizes[key] = sizes.get(key, 0.0) + code_bytes * code + rest_bytes * rest
                holding.setdefault(key, set()).update(others if stays else ())
        names = list(self.closure.positions)
        return [
            LinkedObject(path, round(size), stays, tuple(sorted(names[at] for at in holding[path, stays])))
            for (path, stays), size in sorted(sizes.items())
        ]

    def _whole(self, requested: Mapping[str, str]) -> _State:
        values = self.closure.values(requested)
        totals, modules = [[0] * len(self.kinds) for _ in range(self._groups)], [0] * 9
        parts = [condition(values) for condition in self._conditions]
        for number, value in enumerate(parts):
            self._add(totals, modules, number, value, 1)
        return self._state(requested, values, parts, totals, modules, self._does_everywhere(values))

    def _moved(self, state: _State, requested: Mapping[str, str], names: Sequence[str]) -> _State:
        values, different = self.closure.changed(state.values, requested, names)
        totals, modules = [list(total) for total in state.totals], list(state.modules)
        parts = list(state.parts)
        for number in {number for position in different for number in self._using.get(position, ())}:
            now = self._conditions[number](values)
            if now != parts[number]:
                self._add(totals, modules, number, parts[number], -1)
                self._add(totals, modules, number, now, 1)
                parts[number] = now
        same = self._everywhere.isdisjoint(different)
        everywhere = state.everywhere if same else self._does_everywhere(values)
        return self._state(requested, values, parts, totals, modules, everywhere)

    def _add(self, totals: list[list[int]], modules: list[int], number: int, value: Value, sign: int) -> None:
        """Add a part to what is linked (2) or to the modules (1)."""
        if value:
            linked = value == 2
            sums, sizes = (totals[self._group[number]], self._sizes) if linked else (modules, self._modules)
            for kind, size in enumerate(sizes[number]):
                sums[kind] += sign * size

    @staticmethod
    def _state(
        requested: Mapping[str, str],
        values: list[Value],
        parts: list[Value],
        totals: Sequence[Sequence[int]],
        modules: Sequence[int],
        everywhere: _Everywhere,
    ) -> _State:
        return _State(requested, values, parts, tuple(map(tuple, totals)), tuple(modules), everywhere)

    def _does_everywhere(self, values: list[Value]) -> _Everywhere:
        return _Everywhere(
            all(bool(condition(values)) == value for condition, value in self._only),
            self._product(tuple(bool(condition(values)) for condition, _by_group in self._factors)),
        )

    def _finished(self, state: _State) -> KernelSizes:
        linked = self._contents(state)
        installed = self._weigh(state, linked) if self._has_modules(state.values) else (0, 0, 0)
        return KernelSizes(
            vmlinuz_bytes=round(self._packed(linked, state.values)),
            raw_bytes=round(sum(linked.get(kind, 0.0) for kind in _LINKED)),
            modules_bytes=installed[0],
            modules_members_bytes=installed[1],
            modules_packed_bytes=installed[2],
        )

    def _compiled(self, formula: str) -> Callable[[list[Value]], Value]:
        return self.closure.formulas.compile(formula)[0]

    def _scaled(self, scaling: Mapping[str, Any]) -> Callable[[float, list[Value]], float]:
        """What a compressor makes of so many bytes that objects pack to, each by itself."""
        factors = [(self._compiled(when), factor) for when, factor in scaling["factors"]]
        scale, power = scaling["scale"], scaling["power"]

        def scaled(content: float, values: list[Value]) -> float:
            product = math.prod(factor for condition, factor in factors if condition(values))
            return float(scale * product * 1e6 * (content / 1e6) ** power)

        return scaled

    def _by_condition(self, groups: Sequence[Mapping[str, Any]]) -> dict[str, dict[int, tuple[float, ...]]]:
        """By condition, of which many groups have the same, what it multiplies in each of these groups."""
        found: dict[str, dict[int, tuple[float, ...]]] = {}
        for number, group in enumerate(groups):
            for when, by_kind in group["factors"]:
                before = found.setdefault(when, {}).get(number, (1.0,) * len(by_kind))
                found[when][number] = tuple(one * more for one, more in zip(before, by_kind, strict=True))
        return found

    def _multiplied(self, holding: Sequence[bool]) -> _Products:
        """What the conditions multiply that hold."""
        products = [[1.0] * len(self.kinds) for _ in range(self._groups)]
        for (_condition, by_group), holds in zip(self._factors, holding, strict=True):
            if holds:
                for group, by_kind in by_group.items():
                    products[group] = [one * more for one, more in zip(products[group], by_kind, strict=True)]
        return tuple(map(tuple, products))

    def _in_modules(self, installed: Mapping[str, Any]) -> list[tuple[int, ...]]:
        """What each part takes in a module, see `_modules`."""
        rates = {path: list(chain(*three)) for *three, paths in installed["modules"] for path in paths}
        usual = list(chain(*installed["usual"]))
        found = []
        for objects in self._objects:
            sums = [0.0] * len(usual)
            for path, code_bytes, rest_bytes in objects:
                rate = rates.get(path, usual)
                sums = [one + (code_bytes + rest_bytes) * more for one, more in zip(sums, rate, strict=True)]
            found.append(tuple(map(round, sums)))
        return found

    def _contents(self, state: _State) -> Mapping[str, float]:
        """Bytes by kind, of all groups, with what the build makes of them: 0 of what there is not without an option."""
        sums = [0.0] * len(self.kinds)
        for total, by_kind in zip(state.totals, state.everywhere.products, strict=True):
            sums = [one + size * factor for one, size, factor in zip(sums, total, by_kind, strict=True)]
        found = dict(zip(self.kinds, sums, strict=True))
        made = {
            kind: found[of] * factor if condition(state.values) else 0.0 for kind, of, condition, factor in self._rules
        }
        return {**found, **made}

    def _weigh(self, state: _State, linked: Mapping[str, float]) -> tuple[int, int, int]:
        """What is installed with modules: bytes, bytes in an archive, bytes packed."""
        grown, packs = self._least
        for condition, more in self._module_options:
            if condition(state.values):
                grown, packs = grown + more[0], packs + more[1]
        own = linked["code"] + linked["rest"]
        lists = [weight * size for weight, size in zip(self._builtin, (own, own, linked["packed"]), strict=True)]
        whole, trimmed, besides = (state.modules[at : at + 3] for at in (0, 3, 6))
        taken = trimmed if self._is_trimmed(state.values) else whole
        products = (grown, grown, packs)
        size, members, packed = (
            round(sum(parts))
            for parts in zip(
                (one * more for one, more in zip(taken, products, strict=True)), besides, lists, strict=True
            )
        )
        return size, members, packed

    def _packed(self, linked: Mapping[str, float], values: list[Value]) -> float:
        """Bytes of vmlinuz: what the compressor makes of all that is linked, and the code that unpacks it."""
        image = next(one for condition, one in self._compressors if condition(values))
        content: float = image["packed"](linked["packed"], values)
        content += sum(linked[kind] * weight for kind, weight in image["content"].items())
        wrapper: float = image["wrapper"] + sum(size for condition, size in self._wrapping if condition(values))
        return content + wrapper


@cache
def model(arch: str) -> Model | None:
    """The model of an architecture; None where it has not been measured."""
    path = DATA / f"linux-{arch}.json"
    return Model(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None


def kernel_sizes(
    requested: Mapping[str, str], arch: str, changed: Mapping[str, str] | None = None
) -> KernelSizes | None:
    """Sizes of the kernel that `Configuration.requested("kernel")` asks for, with changes as `Model.sizes` takes them.

    None where nothing has been measured, neither of the architecture nor of an option that changes everything.
    """
    found = model(arch)
    return found.sizes(requested, changed) if found and found.covers(requested, changed) else None
