"""What an edit by the name of a symbol means, and whether the tree takes it.

Functions over the assignments in a system tree (`TreeState`) and the keys that presets have for it (`Names`). What
cannot be is `Refused` with the reason, and nothing is changed then.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kimitui.config_apply import UnfitError, checked, in_choice, suggestion
from kimitui.config_types import Refused, ValueChange, kconfig_in_words
from kimitui.kconfig import explain
from kimitui.kconfig.names import Entry, JsonScalar, JsonValue, Names, prompt_of, type_of
from kimitui.kconfig.state import Delta, TreeState, changed
from kimitui.kconfig.types import Kconfig


def meaning(tree: Kconfig, names: Names, name: str, value: JsonValue) -> tuple[Entry, dict[str, str]]:
    """The key and the assignments that give a symbol, a named choice or a family a value, in either notation."""
    entry = names.by_symbol.get(name)
    if entry is None:
        raise Refused(f"there is no symbol {name}", fix=suggestion(name, names.by_symbol))
    if not entry.settable:
        symbol = tree.syms[name]
        raise Refused(f"{name} {explain.why_not(symbol, 'n' if symbol.tri_value else 'y')}")
    if entry.symbol != name:  # a member of a choice or a list
        entry = Entry(entry.section, name, name, "bool", prompt_of(tree.syms[name]), {}, True)
    if in_choice(tree, entry) and value in (False, "n") and tree.syms[name].tri_value:
        raise Refused(f"{name} {explain.why_not(tree.syms[name], 'n')}")
    if entry.type in ("bool", "tristate") and value in ("y", "n"):
        value = value == "y"
    elif entry.type in ("int", "hex") and isinstance(value, str):
        number = explain.parse_number(value, 16 if entry.type == "hex" else 10)
        value = value if number is None else number
    try:
        return entry, checked(entry, value)
    except UnfitError as error:
        raise Refused(error.what, fix=error.fix) from None


def following(tree: Kconfig, names: Names, name: str) -> JsonScalar:
    """The next possible value of a yes/no symbol: off, module, on, off …"""
    symbol = tree.syms.get(name)
    if symbol is None or not symbol.nodes:
        raise Refused(f"there is no yes/no option {name}", fix=suggestion(name, names.by_symbol))
    if type_of(symbol) not in ("bool", "tristate"):
        raise Refused(f"{explain.title(symbol)} cannot be toggled: it is no yes/no option")
    now = symbol.tri_value
    possible = [step for step in ((now + 1) % 3, (now + 2) % 3) if step in symbol.assignable]
    return (False, "m", True)[possible[0] if possible else 0 if now else 2]


def attempt(state: TreeState, delta: Delta, wanted: Mapping[str, str]) -> Delta:
    """Apply `delta` if `wanted` is what is there then; returns what takes it back."""
    back = state.apply(delta)
    if lost := explain.requested_but_lost(state.tree, wanted):
        state.apply(back)
        symbol = state.tree.syms[lost[0].symbol]
        reason = explain.why_not(symbol, lost[0].wanted) or lost[0].reason
        raise Refused(f"{explain.title(symbol)} cannot be {kconfig_in_words(lost[0].wanted)}: it {reason}")
    return back


def value_changes(tree: Kconfig, before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[ValueChange]:
    """Every symbol whose value differs between two results of `TreeState.values`."""
    for name in changed(before, after):
        yield ValueChange(name, prompt_of(tree.syms[name]), before[name], after[name])
