"""The BusyBox part of the system tree mirrors the upstream tree, in words of our own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import kconfiglib
import pytest

from kimitui.config import Configuration
from kimitui.config_types import Refused
from kimitui.config_upstream import apply_upstream
from kimitui.kconfig.types import Expr, Kconfig, MenuNode, Symbol

PREFIX = "BUSYBOX_"

DECIDED = {"NOMMU": False, "UNICODE_USING_LOCALE": False}
"""Upstream symbols that are no choice here, and the value they have in every build."""

DEFAULTS = {"FEATURE_DEFAULT_PASSWD_ALGO": '"sha512"', "UNAME_OSNAME": '"Linux"'}
"""Where upstream's default (DES; "GNU/Linux") would be wrong for this system."""

SH_CHOICE = {"SH_IS_ASH", "SH_IS_HUSH", "SH_IS_NONE"}
"""Its default follows the shell that is on, while upstream builds ash regardless."""


def mirrored(system: Kconfig, upstream: Kconfig) -> Iterator[tuple[str, Symbol, Symbol]]:
    """Upstream name, our symbol and upstream's, for each symbol of the section."""
    for symbol in system.unique_defined_syms:
        if symbol.name.startswith(PREFIX):
            name = symbol.name.removeprefix(PREFIX)
            yield name, symbol, upstream.syms[name]


def applets(upstream: Kconfig) -> set[str]:
    """The symbols that put an applet's name into the binary, from the applet table upstream generates."""
    table = (Path(upstream.srctree) / "include/applets.h").read_text()
    return set(re.findall(r"^\s*IF_(\w+)\(", table, re.MULTILINE))


def gates(upstream: Kconfig) -> set[str]:
    """All symbols that an applet's line in that table depends on, its own and further ones."""
    table = (Path(upstream.srctree) / "include/applets.h").read_text()
    lines = re.findall(r"^(?:\s*IF_|#if ENABLE_FEATURE_).*$", table, re.MULTILINE)
    return set(re.findall(r"\b(?:IF_NOT_|IF_|ENABLE_)([A-Z]\w*)", "\n".join(lines)))


def names(expr: Expr) -> set[str]:
    """The symbols in an expression, under their upstream names and without those that are decided."""
    found = {item.name.removeprefix(PREFIX) for item in kconfiglib.expr_items(expr) if is_variable(item)}
    return found - DECIDED.keys()


def is_variable(item: Expr) -> bool:
    return isinstance(item, kconfiglib.Symbol) and not item.is_constant


def truth(expr: Expr, given: Mapping[str, bool]) -> bool:
    if isinstance(expr, tuple):
        operator, *operands = expr
        values = [truth(operand, given) for operand in operands]
        meaning = {kconfiglib.AND: all(values), kconfiglib.OR: any(values), kconfiglib.NOT: not values[0]}
        return meaning[operator]
    if is_variable(expr):
        return given[expr.name.removeprefix(PREFIX)]
    return expr is not expr.kconfig.n  # y, or a choice: neither tree has one that can be hidden


def same(ours: Expr, theirs: Expr) -> bool:
    """Whether two expressions agree for every assignment of their symbols."""
    free = sorted(names(ours) | names(theirs))
    return all(
        truth(ours, given) == truth(theirs, given)
        for values in product((False, True), repeat=len(free))
        for given in [{**DECIDED, **dict(zip(free, values, strict=True))}]
    )


def same_conditions(ours: Mapping[str, Expr], theirs: Mapping[str, Expr]) -> bool:
    return ours.keys() == theirs.keys() and all(same(ours[key], theirs[key]) for key in ours)


def selects(symbol: Symbol) -> dict[str, Expr]:
    conditions = {target.name.removeprefix(PREFIX): condition for target, condition in symbol.selects}
    assert len(conditions) == len(symbol.selects), f"{symbol.name} selects a symbol twice"
    return conditions


def defaults(symbol: Symbol) -> dict[str, Expr]:
    """Values and when they apply; the default n says nothing."""
    values = {kconfiglib.expr_str(value): condition for value, condition in symbol.defaults}
    return {value: condition for value, condition in values.items() if value != "n"}


def wanted_defaults(symbol: Symbol) -> dict[str, Expr]:
    """What the defaults of our symbol must be, from those of upstream's."""
    return {DEFAULTS.get(symbol.name, value): condition for value, condition in defaults(symbol).items()}


def ranges(symbol: Symbol) -> dict[str, Expr]:
    return {
        "..".join(bound.name.removeprefix(PREFIX) for bound in (low, high)): condition
        for low, high, condition in symbol.ranges
    }


def choice_defaults(choice: Any) -> list[str]:
    return [member.name.removeprefix(PREFIX) for member, _ in choice.defaults]


def busybox_nodes(system: Kconfig) -> Iterator[MenuNode]:
    options = (kconfiglib.Symbol, kconfiglib.Choice)
    for node in system.node_iter():
        if "busybox" in Path(node.filename).parts and isinstance(node.item, options):
            yield node


def runs(text: str, length: int = 8) -> set[tuple[str, ...]]:
    words = re.findall(r"[a-z0-9]+", text.lower())
    return set(zip(*(words[start:] for start in range(length)), strict=False))


def test_every_applet_is_in_the_tree(system_kconfig: Kconfig, busybox_upstream: Kconfig) -> None:
    tree = {name for name, _, _ in mirrored(system_kconfig, busybox_upstream)}
    assert len(applets(busybox_upstream)) > 400
    assert not applets(busybox_upstream) - tree
    assert not gates(busybox_upstream) - tree


def test_every_symbol_is_upstreams_with_the_same_type(system_kconfig: Kconfig, busybox_upstream: Kconfig) -> None:
    ours = {s.name: s.type for s in system_kconfig.unique_defined_syms if s.name.startswith(PREFIX)}
    theirs = {PREFIX + s.name: s.type for s in busybox_upstream.unique_defined_syms}
    assert not {name: kconfiglib.TYPE_TO_STR[ours[name]] for name in ours if ours[name] != theirs.get(name)}


def test_no_expression_refers_to_an_undecided_symbol_outside_the_tree(
    system_kconfig: Kconfig, busybox_upstream: Kconfig
) -> None:
    tree = {name for name, _, _ in mirrored(system_kconfig, busybox_upstream)}
    outside = {
        name: missing
        for name, _, theirs in mirrored(system_kconfig, busybox_upstream)
        if (missing := (names(theirs.direct_dep) | selects(theirs).keys()) - tree)
    }
    assert not outside


def test_dependencies_are_upstreams(system_kconfig: Kconfig, busybox_upstream: Kconfig) -> None:
    different = {
        name: (kconfiglib.expr_str(ours.direct_dep), kconfiglib.expr_str(theirs.direct_dep))
        for name, ours, theirs in mirrored(system_kconfig, busybox_upstream)
        if not same(ours.direct_dep, theirs.direct_dep)
    }
    assert not different


def test_selects_are_upstreams(system_kconfig: Kconfig, busybox_upstream: Kconfig) -> None:
    different = {
        name: (set(selects(ours)), set(selects(theirs)))
        for name, ours, theirs in mirrored(system_kconfig, busybox_upstream)
        if not same_conditions(selects(ours), selects(theirs))
    }
    assert not different


def test_settings_have_upstreams_defaults_and_applets_are_off(
    system_kconfig: Kconfig, busybox_upstream: Kconfig
) -> None:
    off = applets(busybox_upstream)
    different = {
        name: (set(defaults(ours)), set(defaults(theirs)))
        for name, ours, theirs in mirrored(system_kconfig, busybox_upstream)
        if not same_conditions(defaults(ours), {} if name in off else wanted_defaults(theirs))
        or not same_conditions(ranges(ours), ranges(theirs))
    }
    assert not different


def test_choices_are_upstreams(system_kconfig: Kconfig, busybox_upstream: Kconfig) -> None:
    for name, ours, theirs in mirrored(system_kconfig, busybox_upstream):
        assert (ours.choice is None) == (theirs.choice is None), name
        if ours.choice and theirs.choice:
            members = {s.name.removeprefix(PREFIX) for s in ours.choice.syms}
            assert members == {s.name for s in theirs.choice.syms}, name
            if members != SH_CHOICE:
                assert choice_defaults(ours.choice) == choice_defaults(theirs.choice), name


def test_every_prompt_is_short_and_has_help(system_kconfig: Kconfig) -> None:
    texts = [(node.prompt[0], node.help or "") for node in busybox_nodes(system_kconfig) if node.prompt]
    assert len(texts) > 400
    assert not [prompt for prompt, text in texts if not text.strip()]
    assert not [prompt for prompt, _ in texts if len(prompt) > 64]


def test_help_is_not_upstreams(system_kconfig: Kconfig, busybox_upstream: Kconfig) -> None:
    copied = {
        name: shared
        for name, ours, theirs in mirrored(system_kconfig, busybox_upstream)
        for node in ours.nodes
        if (shared := runs(node.help or "") & runs("\n".join(n.help or "" for n in theirs.nodes)))
    }
    assert not copied


BASES = (
    '{ extends: "extended", busybox: { HUSH: true, FTPD: true, TELNETD: true, MODPROBE_SMALL: false } }',
    '{ extends: "extended", busybox: { DESKTOP: false, MODPROBE_SMALL: true } }',
    "{}",
)
"""Configurations in which, taken together, every option that can be had is offered."""


def test_every_option_can_be_switched_by_itself_and_survives_upstream(
    busybox_upstream: Kconfig, tmp_path: Path
) -> None:
    reached: dict[str, set[bool]] = {}
    lost: dict[tuple[str, bool], list[str]] = {}
    for text in BASES:
        path = tmp_path / "base.json5"
        path.write_text(text)
        config = Configuration.open(str(path))
        base = config.requested("busybox")
        apply_upstream(busybox_upstream, base)
        assert [name for name in base if busybox_upstream.syms[name].str_value != base[name]] == []
        switches = [e for e in config.names.entries.values() if e.section == "busybox" and e.settable]
        for entry, value in product([e for e in switches if e.type == "bool"], (True, False)):
            values = reached.setdefault(entry.key, set())
            if value in values:
                continue
            try:
                config.set(entry.symbol, value)
            except Refused:
                continue
            asked = config.requested("busybox")
            changed = [name for name in asked if asked[name] != base.get(name)]
            for name in changed:
                busybox_upstream.syms[name].set_value(asked[name])
            if missing := [name for name in asked if busybox_upstream.syms[name].str_value != asked[name]]:
                lost[entry.key, value] = missing
            values.add(value)
            for name in changed:
                busybox_upstream.syms[name].unset_value()
                if name in base:
                    busybox_upstream.syms[name].set_value(base[name])
            if config.can_undo:
                config.undo()
    busybox_upstream.unset_values()
    assert not lost
    tree = config.tree
    stuck = {name for name, values in reached.items() if len(values) < 2}
    # Nobody can provide libselinux yet, and a member of a choice is switched off by choosing another.
    selinux = {name for name, symbol, _ in mirrored(tree, busybox_upstream) if "SELINUX" in names(symbol.direct_dep)}
    members = {name for name, symbol, _ in mirrored(tree, busybox_upstream) if symbol.choice}
    assert stuck <= selinux | members
    assert all(True in reached[name] for name in members)


def test_numbers_are_taken_at_both_ends_of_their_range(busybox_upstream: Kconfig, tmp_path: Path) -> None:
    path = tmp_path / "base.json5"
    path.write_text(BASES[0])
    config = Configuration.open(str(path))
    numbers = [e for e in config.names.entries.values() if e.section == "busybox" and e.type == "int"]
    assert len(numbers) > 20
    for entry in numbers:
        for low, high, _ in busybox_upstream.syms[entry.key].ranges:
            for bound in (low, high):
                config.set(entry.symbol, bound.str_value)
                config.validate_upstream("busybox", busybox_upstream)
                config.undo()
            with pytest.raises(Refused):
                config.set(entry.symbol, int(high.str_value) + 1)
    busybox_upstream.unset_values()


def test_a_text_reaches_upstream_as_a_text(busybox_upstream: Kconfig, tmp_path: Path) -> None:
    path = tmp_path / "preset.json5"
    path.write_text('{ extends: "minimal", busybox: { UNAME_OSNAME: "My \\"OS\\" \\\\ 2" } }')
    config = Configuration.open(str(path))
    config.validate_upstream("busybox", busybox_upstream)
    assert busybox_upstream.syms["UNAME_OSNAME"].str_value == 'My "OS" \\ 2'
    busybox_upstream.unset_values()
