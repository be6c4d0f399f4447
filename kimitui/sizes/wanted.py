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
FURTHER = {
    "modutils/modprobe-small.o": {
        "like": "modutils/modprobe.o",
        "values": {"MODPROBE_SMALL": "y", "FEATURE_MODPROBE_SMALL_CHECK_ALREADY_LOADED": "y"},
    }
}
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

    `values` has, by symbol, the values to try, each with all that is assigned for it, also for symbols that only others
    switch on; `needed_by` has the symbols that are off where one is: that depend on it, or would switch it on.
    """

    base: Mapping[str, str]
    texts: frozenset[str]
    values: Mapping[str, Mapping[str, Mapping[str, str]]]
    needed_by: Mapping[str, tuple[str, ...]]


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
    hidden = {name: symbol for name, symbol in switches.items() if name not in base and symbol.str_value == "y"}
    values |= {name: {"n": {name: "n"}} for name in hidden}
    needed_by = {
        name: sorted({*(_needing(symbol, on) if name in on else _naming(symbol, on)), *_selecting(symbol, on)})
        for name, symbol in {**on, **hidden}.items()
    }
    texts = frozenset(name for name, symbol in symbols.items() if type_of(symbol) == "string")
    return Wanted(base, texts, values, {name: tuple(found) for name, found in needed_by.items() if found})


def following(upstream: Kconfig, wanted: Wanted) -> dict[str, dict[str, str]]:
    """By symbol, what goes off with it, or comes on, only because upstream's defaults say so; with the value then.

    `upstream` is BusyBox's own tree; the symbols that the system tree does not have are set by nobody.
    """
    for name, value in wanted.base.items():
        symbol = upstream.syms.get(name)
        if symbol is not None and type_of(symbol) == "bool":
            symbol.set_value(value)
    named = wanted.base.keys() | wanted.values.keys()
    silent = {
        symbol: symbol.str_value
        for symbol in upstream.unique_defined_syms
        if symbol.name not in named and type_of(symbol) == "bool" and symbol.choice is None
    }
    found = {}
    for name, others in wanted.values.items():
        symbol = upstream.syms.get(name)
        if "n" not in others or symbol is None:
            continue
        symbol.set_value("n")
        if changed := {one.name: one.str_value for one, value in silent.items() if one.str_value != value}:
            found[name] = dict(sorted(changed.items()))
        symbol.set_value("y")
    return found


def _selecting(symbol: Symbol, on: Mapping[str, Symbol]) -> set[str]:
    """Those of `on` that select a symbol: where it is off, they are."""
    names = {one: name for name, one in on.items()}
    return {names[one] for one in expr_items(symbol.rev_dep) if one in names and one is not symbol}


def _naming(symbol: Symbol, on: Mapping[str, Symbol]) -> tuple[str, ...]:
    """Those of `on` whose dependencies name a symbol that cannot be set."""
    return tuple(sorted(name for name, one in on.items() if symbol in expr_items(one.direct_dep)))


def _needing(symbol: Symbol, on: Mapping[str, Symbol]) -> tuple[str, ...]:
    """Those of `on` that go off with a symbol."""
    symbol.set_value("n")
    found = () if symbol.str_value == "y" else tuple(sorted(name for name, one in on.items() if one.str_value == "n"))
    symbol.set_value("y")
    return tuple(name for name in found if on[name] is not symbol)
