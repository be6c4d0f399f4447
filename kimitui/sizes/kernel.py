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
from functools import cache
from pathlib import Path
from typing import Any

from kimitui.sizes.closure import Closure, Value

DATA = Path(__file__).with_name("data")


@dataclass(frozen=True)
class KernelSizes:
    """Sizes of a kernel.

    `raw_bytes` is what is linked, unpacked; `vmlinuz_bytes` the file that is started. `error` is how far off the
    estimates were at the median of the kernels they were compared with, relative to their sizes; None where there
    were none.
    """

    vmlinuz_bytes: int
    modules_bytes: int
    raw_bytes: int
    error: float | None


@dataclass(frozen=True)
class _State:
    requested: Mapping[str, str]
    values: list[Value]
    totals: tuple[int, ...]
    modules: tuple[int, ...]


class Model:
    """The model of one architecture."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.kinds: tuple[str, ...] = tuple(data["kinds"])
        self.origin: Mapping[str, str] = data["origin"]
        self.closure = Closure(data["slice"])
        self._sizes: list[tuple[int, ...]] = [tuple(sizes) for _when, sizes in data["parts"]]
        self._conditions = []
        self._using: dict[int, list[int]] = {}
        for number, (when, _sizes) in enumerate(data["parts"]):
            condition, reads = self.closure.formulas.compile(when)
            self._conditions.append(condition)
            for position in reads:
                self._using.setdefault(position, []).append(number)
        self._factors = [(self._compiled(when), tuple(factors)) for when, factors in data["factors"]]
        self._only = [(self._compiled(when), value == "y") for when, value in data["only"]]
        self.smaller: frozenset[str] = frozenset(data["smaller"])
        """Options that make the kernel smaller when they are on."""
        image: Mapping[str, Any] = data["image"]
        self._module: float = image["module"]
        self._weights: Mapping[str, float] = image["content"]
        self._rules = [(kind, self._compiled(one["when"]), one["factor"]) for kind, one in image["kinds"].items()]
        self._compressors = [(self._compiled(one["when"]), one) for one in image["compressors"]]
        self._wrapping = [(self._compiled(when), size) for when, size in image["wrapper"]]
        self._error: float | None = data["comparison"].get("median")
        self._last = self._whole({})
        self._changed: tuple[_State, Mapping[str, str], _State] | None = None

    def sizes(self, requested: Mapping[str, str], changed: Mapping[str, str] | None = None) -> KernelSizes:
        """What the kernel takes for which `requested` is asked of Linux, by upstream symbol, as Kconfig values.

        `changed` is asked instead of what `requested` has for the same symbols. The same request always has the same
        answer; one that differs little from the one before is answered sooner, and so are changes of it.
        """
        return self._finished(self._asked(requested, changed))

    def covers(self, requested: Mapping[str, str], changed: Mapping[str, str] | None = None) -> bool:
        """Whether what is compiled into everything was measured as it is asked for."""
        values = self._asked(requested, changed).values
        return all(bool(condition(values)) == value for condition, value in self._only)

    def _asked(self, requested: Mapping[str, str], changed: Mapping[str, str] | None) -> _State:
        if requested != self._last.requested:
            before = self._last.requested
            names = [name for name in requested.keys() | before.keys() if requested.get(name) != before.get(name)]
            many = len(names) > len(self.closure.positions) // 10
            self._last = self._whole(requested) if many else self._moved(self._last, requested, names)
        if not changed:
            return self._last
        if self._changed is None or self._changed[0] is not self._last or self._changed[1] != changed:
            moved = self._moved(self._last, {**requested, **changed}, list(changed))
            self._changed = (self._last, dict(changed), moved)
        return self._changed[2]

    def content(self, requested: Mapping[str, str]) -> float:
        """What there is to pack, in bytes as zlib would pack each object by itself."""
        state = self._whole(requested)
        return self._content(self._linked(state.totals, self._product(state.values), state.values))

    def _whole(self, requested: Mapping[str, str]) -> _State:
        values = self.closure.values(requested)
        built = ([0] * len(self.kinds), [0] * len(self.kinds))
        for condition, sizes in zip(self._conditions, self._sizes, strict=True):
            _add(built, condition(values), sizes, 1)
        return _State(dict(requested), values, tuple(built[0]), tuple(built[1]))

    def _moved(self, state: _State, requested: Mapping[str, str], names: Sequence[str]) -> _State:
        values, different = self.closure.changed(state.values, requested, names)
        built = list(state.totals), list(state.modules)
        for number in {number for position in different for number in self._using.get(position, ())}:
            condition, sizes = self._conditions[number], self._sizes[number]
            before, now = condition(state.values), condition(values)
            if before != now:
                _add(built, before, sizes, -1)
                _add(built, now, sizes, 1)
        return _State(dict(requested), values, tuple(built[0]), tuple(built[1]))

    def _finished(self, state: _State) -> KernelSizes:
        factors = self._product(state.values)
        linked = self._linked(state.totals, factors, state.values)
        modules = dict(zip(self.kinds, (t * f for t, f in zip(state.modules, factors, strict=True)), strict=True))
        return KernelSizes(
            vmlinuz_bytes=round(self._packed(linked, state.values)),
            modules_bytes=round(self._module * (modules["code"] + modules["rest"])),
            raw_bytes=round(linked["code"] + linked["rest"] + linked["orc"] + linked["exports"] + linked["names"]),
            error=self._error,
        )

    def _compiled(self, formula: str) -> Callable[[list[Value]], Value]:
        return self.closure.formulas.compile(formula)[0]

    def _product(self, values: list[Value]) -> list[float]:
        """By what the options that are compiled into everything multiply each kind."""
        factors = [1.0] * len(self.kinds)
        for condition, by_kind in self._factors:
            if condition(values):
                factors = [factor * one for factor, one in zip(factors, by_kind, strict=True)]
        return factors

    def _content(self, linked: Mapping[str, float]) -> float:
        return sum(linked[kind] * weight for kind, weight in self._weights.items())

    def _linked(self, totals: Sequence[float], factors: Sequence[float], values: list[Value]) -> dict[str, float]:
        """Bytes by kind as they are linked; what only exists under an option is 0 without it."""
        linked = dict(zip(self.kinds, (t * f for t, f in zip(totals, factors, strict=True)), strict=True))
        for kind, condition, factor in self._rules:
            linked[kind] *= factor if condition(values) else 0
        return linked

    def _packed(self, linked: Mapping[str, float], values: list[Value]) -> float:
        """Bytes of vmlinuz: what the compressor makes of all that is linked, and the code that unpacks it."""
        content = self._content(linked)
        image = next(one for condition, one in self._compressors if condition(values))
        wrapper = sum(size for condition, size in self._wrapping if condition(values))
        packed: float = image["scale"] * math.pow(max(content, 1.0), image["exponent"])
        return packed + float(image["wrapper"]) + float(wrapper)


def _add(built: tuple[list[int], list[int]], value: int, sizes: Sequence[int], sign: int) -> None:
    """Add a part to what is linked (2) or to the modules (1)."""
    if value:
        totals = built[0] if value == 2 else built[1]
        for kind, size in enumerate(sizes):
            totals[kind] += sign * size


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
