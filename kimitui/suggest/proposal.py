"""The smallest set of applets, settings and packages that gives scripts what they need.

BusyBox' alternatives are considered: a builtin of the shell needs no applet, any of its shells will do as sh, and what
BusyBox has is not taken from a package.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kimitui import preset as presets
from kimitui.build import packages
from kimitui.config import Configuration
from kimitui.config_types import Refused, Values
from kimitui.errors import Location
from kimitui.kconfig.applets import applet_symbols
from kimitui.kconfig.names import SECTIONS
from kimitui.suggest.knowledge import BUILTINS, CONSTRUCTS
from kimitui.suggest.needs import Need, Needs, Remark

_SHELLS = {
    "sh": ("BUSYBOX_SH_IS_ASH", "BUSYBOX_SH_IS_HUSH"),
    "bash": ("BUSYBOX_BASH_IS_ASH", "BUSYBOX_BASH_IS_HUSH"),
}
_ONLY_HUSH = ("BUSYBOX_SHELL_HUSH", "BUSYBOX_SHELL_ASH")


@dataclass(frozen=True)
class Item:
    """Something to switch on: the symbol, what the scripts know it as, where they use it."""

    symbol: str
    section: str
    key: str
    names: tuple[str, ...]
    where: tuple[Location, ...]


@dataclass(frozen=True)
class Suggestion:
    """What scripts need that the preset `against` (None: an image with nothing in it) lacks.

    `items` are to be switched on, sections in their order, keys sorted; all else they need is there then. `impossible`
    is what neither BusyBox nor a package has, or what the preset rules out; `unknown` what only a run decides.
    """

    scripts: tuple[Path, ...]
    against: str | None
    items: tuple[Item, ...]
    impossible: tuple[Remark, ...]
    unknown: tuple[Remark, ...]

    @property
    def text(self) -> str:
        """`items` as they are written in a preset, with where each is needed; "" if there are none."""
        lines = []
        for section in SECTIONS:
            items = [item for item in self.items if item.section == section]
            if items:
                lines += [f"{section}: {{", *(f"  {item.key}: true, // {_use(item)}" for item in items), "},"]
        return "\n".join(lines)


def suggest(needs: Needs, against: str | None = None) -> Suggestion:
    """What to switch on in the preset `against`, a name or a path, or else in an image with nothing in it.

    Raises as `Configuration.open` does.
    """
    if against is None:
        config = Configuration.from_preset(presets.parse('{ name: "suggested" }', Path("suggested.json5")))
    else:
        config = Configuration.open(against)
    return _Proposer(config).propose(needs, against)


class _Proposer:
    def __init__(self, config: Configuration) -> None:
        self._config = config
        self._applets = applet_symbols(config.names)
        self._packaged = {
            program.rpartition("/")[2]: package.symbol
            for package in packages.load().values()
            if package.symbol
            for program in package.programs
        }
        self._wanted: list[tuple[Need, tuple[str, ...]]] = []
        self._impossible: dict[str, tuple[Location, ...]] = {}
        self._doubtful: dict[str, tuple[Location, ...]] = {}

    def propose(self, needs: Needs, against: str | None) -> Suggestion:
        """All of it. Shells come first: what a builtin needs depends on which there is."""
        before = self._config.own_values()
        commands = sorted(
            needs.commands, key=lambda need: need.name not in _SHELLS and need.name not in ("ash", "hush")
        )
        for need in commands:
            self._want(need, self._command(need))
        for need in needs.constructs:
            self._want(need, self._in_this_shell(CONSTRUCTS[need.name]))
        for need in needs.commands:
            if need.name in self._applets and self._config.is_on(self._applets[need.name]):
                for symbol in need.symbols:
                    self._want(Need(need.name, need.where, need.in_shell), (symbol,))
        self._leave_out(before)
        items = self._items(before, self._config.own_values())
        impossible = _together(needs.impossible, self._impossible)
        return Suggestion(needs.scripts, against, items, impossible, _together(needs.unknown, self._doubtful))

    def _command(self, need: Need) -> tuple[str, ...] | None:
        """The symbols of which one brings a command, best first; empty if it is always there, None if nothing does."""
        if need.in_shell and need.name in BUILTINS:
            builtin = self._in_this_shell(BUILTINS[need.name])
            applet = self._applets.get(need.name)
            return (*builtin, applet) if builtin and applet else builtin
        found = [self._applets.get(need.name), self._packaged.get(need.name)]
        symbols = tuple(symbol for symbol in found if symbol)
        if need.name in _SHELLS:
            symbols = self._in_this_shell(_SHELLS[need.name])
        return symbols or None

    def _in_this_shell(self, symbols: Sequence[str]) -> tuple[str, ...]:
        """The symbols for ash and hush, the one for the shell of the image first."""
        hush, ash = _ONLY_HUSH
        if self._config.is_on(hush) and not self._config.is_on(ash):
            return tuple(reversed(symbols))
        return tuple(symbols)

    def _want(self, need: Need, symbols: tuple[str, ...] | None) -> None:
        if symbols is None:
            found = self._doubtful if need.doubtful else self._impossible
            found[f"{need.name} is neither in BusyBox nor in a package"] = need.where
        elif symbols:
            self._wanted.append((need, symbols))
            if not any(self._config.is_on(symbol) for symbol in symbols):
                try:
                    self._config.set(symbols[0], True)
                except Refused as refused:
                    self._wanted.pop()
                    self._impossible[f"{need.name}: {refused.what}"] = need.where

    def _leave_out(self, before: Values) -> None:
        """Take back what other things that were switched on bring with them."""
        for section, values in self._config.own_values().items():
            for key in values:
                if before.get(section, {}).get(key) != values[key]:
                    self._config.unset(self._config.names.entries[section, key].symbol)
                    if not all(any(map(self._config.is_on, symbols)) for _, symbols in self._wanted):
                        self._config.undo()

    def _items(self, before: Values, after: Values) -> tuple[Item, ...]:
        items = []
        for section in SECTIONS:
            old, new = before.get(section, {}), after.get(section, {})
            for key in sorted({*old, *new}):
                if old.get(key) == new.get(key):
                    continue
                symbol = self._config.names.entries[section, key].symbol
                users = [need for need, symbols in self._wanted if symbol in symbols]
                names = tuple(dict.fromkeys(need.name for need in users))
                where = tuple(dict.fromkeys(place for need in users for place in need.where))
                items.append(Item(symbol, section, key, names, where))
        return tuple(items)


def _together(remarks: Sequence[Remark], found: Mapping[str, tuple[Location, ...]]) -> tuple[Remark, ...]:
    further = [Remark(what, where) for what, where in found.items()]
    return tuple(sorted([*remarks, *further], key=lambda remark: remark.what))


def _use(item: Item) -> str:
    if not item.where:
        return "needed by the others"
    more = f" and {len(item.where) - 1} more" if len(item.where) > 1 else ""
    return f"{', '.join(item.names)}: {item.where[0].path.name}:{item.where[0].line}{more}"
