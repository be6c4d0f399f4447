"""The kernel's part of the system tree beside Linux's own tree, for one architecture."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import kconfiglib

from kimitui import config_upstream
from kimitui.kconfig import explain, linux
from kimitui.kconfig.names import Names, type_of
from kimitui.kconfig.state import TreeState
from kimitui.kconfig.types import Expr, Kconfig, Symbol

PREFIX = "KERNEL_"


class Impossible(Exception):  # noqa: N818 - it is an answer
    """What cannot be on this architecture."""


class Both:
    """Both trees. `values` assigns in the system tree; Linux's has what then is requested, on top of the base.

    A kernel is built for `arch`, with everything off that is not assigned.
    """

    def __init__(self, system: Kconfig, upstream: Kconfig, arch: str) -> None:
        self.system, self.upstream, self.arch = system, upstream, arch
        self.names = Names(system)
        self.symbols = [symbol for symbol in system.unique_defined_syms if symbol.name.startswith(PREFIX)]
        self.switches = [s for s in self.symbols if type_of(s) in ("bool", "tristate") and not s.choice]
        self._kernel = {f"IMAGE_ARCH_{arch.upper()}": "y", "IMAGE_FORMAT_VMLINUZ": "y"}
        self._off = {symbol.name: "n" for symbol in self.switches}
        self._ours = TreeState(system)
        self._theirs = TreeState(upstream)
        self._theirs.apply(self._theirs.delta(linux.beneath(upstream, arch)))

    @contextmanager
    def values(self, assigned: Mapping[str, str], *, off: bool = True) -> Iterator[None]:
        """Within the block the trees have these values; with `off` false, the rest is as the menu proposes it."""
        everything = {**self._kernel, **(self._off if off else {}), **assigned}
        self._ours.apply(self._ours.replacing(everything))
        back = self._theirs.apply(self._theirs.delta(self.requested()))
        try:
            yield
        finally:
            self._theirs.apply(back)

    def requested(self) -> dict[str, str]:
        """What is asked of Linux's tree now."""
        return config_upstream.requested(self.system, self.names, "kernel")

    def lost(self) -> dict[str, str]:
        """What is requested now and is not there, with the reason."""
        lost = explain.requested_but_lost(self.upstream, self.requested())
        return {item.symbol: f"wanted {item.wanted}, got {item.got}: it {item.reason}" for item in lost}

    def refused(self, assigned: Mapping[str, str]) -> dict[str, str]:
        """What of `assigned` the system tree does not take now, with the reason."""
        wrong = {name: value for name, value in assigned.items() if self.system.syms[name].str_value != value}
        return {name: explain.why_not(self.system.syms[name], value) for name, value in wrong.items()}

    def needs(self, symbol: Symbol, value: str = "y") -> dict[str, str]:
        """Assignments that give `symbol` its value with as little else as possible. Raises Impossible."""
        found = self._met(symbol.direct_dep)
        if value == "m":
            found["KERNEL_MODULES"] = "y"
        return {**found, symbol.name: value}

    def possible(self) -> list[Symbol]:
        """The yes/no options that this architecture has."""

        def can_be(symbol: Symbol) -> bool:
            try:
                self.needs(symbol)
            except Impossible:
                return False
            return True

        return [symbol for symbol in self.switches if can_be(symbol)]

    def everything(self, tristate: str, *, without: tuple[str, ...] = ()) -> dict[str, str]:
        """As much as can be on at once; tristates as `tristate` where possible, else on."""
        wanted = {
            symbol.name: tristate if type_of(symbol) == "tristate" else "y"
            for symbol in self.possible()
            if symbol.name not in without
        }
        while True:
            self._ours.apply(self._ours.replacing({**self._kernel, **self._off, **wanted}))
            taken = {name: self.system.syms[name].str_value for name in wanted}
            taken = {name: value for name, value in taken.items() if value != "n"}
            if taken == wanted:
                return wanted
            wanted = taken

    def _met(self, condition: Expr) -> dict[str, str]:
        if isinstance(condition, kconfiglib.Symbol):
            if condition.is_constant or condition.name in self._kernel:
                if condition is self.system.n:
                    raise Impossible
                return {}
            if condition.name.startswith("IMAGE_ARCH_"):
                raise Impossible
            return self.needs(condition)
        if isinstance(condition, kconfiglib.Choice):
            return self._met(condition.direct_dep)
        operator, *operands = condition
        if operator is kconfiglib.AND:
            return {**self._met(operands[0]), **self._met(operands[1])}
        if operator is kconfiglib.OR:
            try:
                return self._met(operands[0])
            except Impossible:
                return self._met(operands[1])
        if operator is kconfiglib.NOT:
            if operands[0].name in self._kernel:
                raise Impossible
            return {}  # everything is off that is not named
        if operator is kconfiglib.EQUAL:
            return self.needs(operands[0], operands[1].name)
        assert operator is kconfiglib.UNEQUAL
        return {}


def runs(text: str, length: int = 8) -> set[tuple[str, ...]]:
    """All sequences of `length` words."""
    words = re.findall(r"[a-z0-9]+", text.lower())
    return set(zip(*(words[start:] for start in range(length)), strict=False))
