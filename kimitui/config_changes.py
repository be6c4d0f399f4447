"""What differs from a base, key by key, and where values come from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from kimitui.config_apply import in_choice
from kimitui.config_types import KeyChange, Origin, Values, differences
from kimitui.kconfig import explain
from kimitui.kconfig.names import PREFIXES, Entry, Names
from kimitui.kconfig.types import Kconfig, Symbol


def key_changes(
    tree: Kconfig,
    names: Names,
    values: tuple[Values, Values],
    assigned: tuple[Mapping[str, str], Mapping[str, str]],
) -> list[KeyChange]:
    """The differences between the resolved `values` of a base and those that are in `tree` now.

    `assigned` are the assignments that made the one and the other.
    """
    base, now = assigned
    found = []
    for difference in differences(*values, names):
        section, key = difference.section, difference.key
        entry = names.entries.get((section, key))
        symbol = entry.symbol if entry else f"{PREFIXES[section]}{key}"
        symbols = entry.symbols if entry else (symbol,)
        behind = symbols
        if entry is not None and in_choice(tree, entry):
            choice = tree.syms[symbol].choice
            assert choice is not None
            if not difference.after and choice.selection is not None:
                continue  # to say which member is chosen is to say that this one is not
            behind = tuple(member.name for member in choice.syms)
        is_set = any(now.get(name) != base.get(name) for name in behind)
        found.append(
            KeyChange(
                section, key, difference.before, difference.after, difference.prompt,
                symbol=symbol, symbols=symbols, is_set=is_set,
            )
        )  # fmt: skip
    return found


def origin(
    tree: Kconfig,
    entry: Entry,
    assigned: Mapping[str, str],
    written: Callable[[Entry, Sequence[Symbol]], Origin | None],
) -> Origin:
    """Where the value of a key in `tree` comes from, `assigned` being what was set.

    `written` says where the value is written, of which some symbols were set; None if that is nowhere yet.
    """
    symbols = [tree.syms[name] for name in entry.symbols]
    given = [symbol for symbol in symbols if assigned.get(symbol.name) == symbol.str_value]
    if not entry.settable:
        return Origin(explain.forced(symbols[0]) or "follows from other options")
    if given and not any(symbol.name in assigned and symbol not in given for symbol in symbols):
        return written(entry, given) or Origin("was set and is not saved yet")
    if len(symbols) == 1 and (reason := explain.forced(symbols[0])):
        return Origin(reason)
    if any(symbol.name in assigned for symbol in symbols):
        return Origin("was asked for otherwise, which is not possible now")
    if not any(symbol.visibility for symbol in symbols):
        return Origin("follows from what it needs")
    return Origin("is the default")
