"""What a configuration asks of an upstream tree, and whether that tree takes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kimitui.config_apply import Problem, raise_all, restored, suggestion
from kimitui.config_types import kconfig_in_words
from kimitui.errors import Location
from kimitui.kconfig import explain
from kimitui.kconfig.names import (
    OPEN_SECTIONS,
    PREFIXES,
    JsonOpen,
    Names,
    WrongValueError,
    from_kconfig,
    section_of,
    to_kconfig,
    type_of,
)
from kimitui.kconfig.state import TreeState
from kimitui.kconfig.types import Kconfig


def requested(tree: Kconfig, names: Names, section: str) -> dict[str, str]:
    """What the system tree asks of the upstream tree of `section`, by upstream symbol, as Kconfig values.

    That is every symbol of the section that is on or offered; of one that is not offered, for another architecture
    for one, nothing is asked.
    """
    prefix = PREFIXES[section]
    wanted = {}
    for entry in names.entries.values():
        if entry.section == section and entry.settable:
            symbol = tree.syms[entry.symbol]
            if from_kconfig(symbol) is not None and (symbol.visibility or symbol.str_value != "n"):
                wanted[entry.symbol.removeprefix(prefix)] = symbol.str_value
    return wanted


def further(names: Names, assigned: Mapping[str, str]) -> dict[str, dict[str, JsonOpen]]:
    """By section, the keys that are assigned and that the system tree does not have."""
    found: dict[str, dict[str, JsonOpen]] = {section: {} for section in OPEN_SECTIONS}
    for name in sorted(assigned):
        if name not in names.by_symbol and (section := section_of(name)) in found:
            found[section][name.removeprefix(PREFIXES[section])] = restored(assigned[name])
    return found


def validate(
    upstream: Kconfig,
    section: str,
    wanted: Mapping[str, str],
    further: Mapping[str, JsonOpen],
    where: Callable[[str], Location],
    beneath: Mapping[str, str],
) -> None:
    """Make `wanted` (Kconfig values) and `further` (values of a preset) the user values of `upstream`, and check them.

    Both are by upstream symbol; `where` says where a symbol's value is written. `beneath` are values (Kconfig) that
    hold where neither says anything, as far as they can. Raises PresetError for a symbol that
    does not exist, a value that does not fit, and values that do not survive together.
    """
    problems: list[Problem] = []
    values = dict(wanted)
    for name, value in further.items():
        symbol = upstream.syms.get(name)
        type_ = type_of(symbol) if symbol is not None and symbol.nodes else None
        if type_ is None:
            known = [known for known, other in upstream.syms.items() if other.nodes]
            problems.append(Problem(where(name), f"{section} has no symbol {name}", suggestion(name, known)))
            continue
        try:
            values[name] = to_kconfig(type_, value)
        except WrongValueError as error:
            problems.append(Problem(where(name), f"{section}.{name} {error}"))
    if not problems:
        apply_upstream(upstream, values, beneath=beneath)
        for lost in explain.requested_but_lost(upstream, values):
            what = f"{section}.{lost.symbol} cannot be {kconfig_in_words(lost.wanted)}: it {lost.reason}"
            problems.append(Problem(where(lost.symbol), what))
    raise_all(problems)


def apply_upstream(tree: Kconfig, wanted: Mapping[str, str], *, beneath: Mapping[str, str] | None = None) -> None:
    """Make `wanted` (Kconfig values by upstream symbol), on top of `beneath`, the user values of `tree`."""
    tree.unset_values()
    state = TreeState(tree)
    state.apply(state.delta(beneath or {}))
    state.apply(state.delta(wanted))


def as_kconfig(value: JsonOpen) -> str:
    """A value of a preset as a Kconfig value, where the symbol's type is not known."""
    if isinstance(value, bool):
        return "y" if value else "n"
    return "" if value is None else str(value)
