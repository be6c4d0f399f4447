"""What differs from a base, key by key, and whether it was set or follows from what was."""

from __future__ import annotations

from collections.abc import Mapping

from kimitui.config_apply import in_choice
from kimitui.config_types import KeyChange, Values, differences
from kimitui.kconfig.names import PREFIXES, Names
from kimitui.kconfig.types import Kconfig


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
