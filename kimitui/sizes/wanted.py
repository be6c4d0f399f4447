"""What is to be measured of BusyBox: everything on, and every symbol with the other values it can have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kconfiglib import expr_items

from kimitui import config_upstream
from kimitui.kconfig.names import Names, type_of
from kimitui.kconfig.state import TreeState
from kimitui.kconfig.system import load_system_tree
from kimitui.kconfig.types import Kconfig, Symbol

_SECTION = "busybox"
_PREFIX = "BUSYBOX_"
# Off in the base: with them, BusyBox compiles one small program for modules in place of five.
_INSTEAD = ("MODPROBE_SMALL",)
# The program that is compiled then, by an object whose command is like its own.
FURTHER = {"modutils/modprobe-small.o": {"like": "modutils/modprobe.o", "values": {"MODPROBE_SMALL": "y"}}}
# Numbers that select code; of others only the number itself would differ.
_LEVELS = {
    "MD5_SMALL": range(4),
    "SHA1_SMALL": range(4),
    "SHA3_SMALL": range(2),
    "GZIP_FAST": range(3),
    "BZIP2_SMALL": range(10),
}


@dataclass(frozen=True)
class Wanted:
    """`base` are the requested values with everything on; `texts` the symbols of it whose values are texts.

    `values` has, by symbol, the values to try, each with all that is assigned for it; `hidden` the same of symbols that
    only others switch on; `needed_by` has the symbols that cannot be on without one, `selected_by` those that select
    it, so that they are off where it is.
    """

    base: Mapping[str, str]
    texts: frozenset[str]
    values: Mapping[str, Mapping[str, Mapping[str, str]]]
    needed_by: Mapping[str, tuple[str, ...]]
    selected_by: Mapping[str, tuple[str, ...]]
    hidden: Mapping[str, Mapping[str, Mapping[str, str]]]


def busybox() -> Wanted:
    """What is to be measured, from the system tree."""
    tree = load_system_tree()
    names = Names(tree)
    state = TreeState(tree)
    entries = [entry for entry in names.entries.values() if entry.section == _SECTION]
    symbols = {name.removeprefix(_PREFIX): tree.syms[name] for entry in entries for name in entry.symbols}
    switches = {name: symbol for name, symbol in symbols.items() if type_of(symbol) == "bool" and not symbol.choice}
    state.apply(state.delta({f"{_PREFIX}{name}": "n" if name in _INSTEAD else "y" for name in switches}))
    base = config_upstream.requested(tree, names, _SECTION)
    values: dict[str, dict[str, dict[str, str]]] = {}
    for name, symbol in symbols.items():
        if name not in base:
            continue
        if symbol.choice is not None:
            if base[name] == "n":
                others = {member.name.removeprefix(_PREFIX): "n" for member in symbol.choice.syms}
                values[name] = {"y": {**others, name: "y"}}
        elif name in switches:
            other = "y" if base[name] == "n" else "n"
            values[name] = {other: {name: other}}
        elif name in _LEVELS:
            values[name] = {str(level): {name: str(level)} for level in _LEVELS[name] if str(level) != base[name]}
    on = {name: symbol for name, symbol in switches.items() if base.get(name) == "y"}
    needed_by = {name: _needing(symbol, on) for name, symbol in on.items()}
    texts = frozenset(name for name, symbol in symbols.items() if type_of(symbol) == "string")
    hidden = {
        name: {"n": {name: "n"}} for name, symbol in switches.items() if name not in base and symbol.str_value == "y"
    }
    needed = {name: found for name, found in needed_by.items() if found}
    return Wanted(base, texts, values, needed, _selected_by(on), hidden)


def following(upstream: Kconfig, wanted: Wanted) -> dict[str, tuple[str, ...]]:
    """By symbol, what goes off with it of those that are on in the base only because upstream's defaults say so.

    `upstream` is BusyBox's own tree; the symbols that the system tree does not have are set by nobody.
    """
    for name, value in wanted.base.items():
        symbol = upstream.syms.get(name)
        if symbol is not None and type_of(symbol) == "bool":
            symbol.set_value(value)
    named = wanted.base.keys() | wanted.hidden.keys()
    silent = [
        symbol
        for symbol in upstream.unique_defined_syms
        if symbol.name not in named and type_of(symbol) == "bool" and symbol.choice is None and symbol.str_value == "y"
    ]
    found = {}
    for name, others in wanted.values.items():
        symbol = upstream.syms.get(name)
        if "n" not in others or symbol is None:
            continue
        symbol.set_value("n")
        if off := tuple(sorted(one.name for one in silent if one.str_value == "n")):
            found[name] = off
        symbol.set_value("y")
    return found


def _selected_by(on: Mapping[str, Symbol]) -> dict[str, tuple[str, ...]]:
    """By symbol, those of `on` that select it: where it is off, they are."""
    names = {symbol: name for name, symbol in on.items()}
    selecting = {
        name: tuple(sorted(names[one] for one in expr_items(symbol.rev_dep) if one in names and one is not symbol))
        for name, symbol in on.items()
    }
    return {name: found for name, found in selecting.items() if found}


def _needing(symbol: Symbol, on: Mapping[str, Symbol]) -> tuple[str, ...]:
    """Those of `on` that go off with a symbol."""
    symbol.set_value("n")
    found = () if symbol.str_value == "y" else tuple(sorted(name for name, one in on.items() if one.str_value == "n"))
    symbol.set_value("y")
    return tuple(name for name in found if on[name] is not symbol)
