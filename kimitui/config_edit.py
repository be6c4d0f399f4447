"""What an edit by the name of a symbol means, and whether the tree takes it.

Functions over the assignments in a system tree (`TreeState`) and the keys that presets have for it (`Names`). What
cannot be is `Refused` with the reason, and nothing is changed then.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from kimitui.config_apply import UnfitError, checked, in_choice, suggestion
from kimitui.config_types import Alternative, Refused, ValueChange, kconfig_in_words
from kimitui.kconfig import explain
from kimitui.kconfig.fix import Fix, find_fixes
from kimitui.kconfig.names import Entry, JsonScalar, JsonValue, Names, called, prompt_of, short, type_of
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
    choice = tree.syms[name].choice if in_choice(tree, entry) else None
    if choice is not None and value in (False, "n") and tree.syms[name].tri_value and not choice.is_optional:
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
    back = _tried(state, delta, wanted)
    if back is None:
        raise Refused(_refusal(state, delta, wanted))
    return back


@dataclass(frozen=True)
class Attempt:
    """An edit that was made: what takes it back, and what had to be assigned besides what was wanted."""

    back: Delta
    pulled: tuple[str, ...] = ()


def attempt_pulling(state: TreeState, wanted: Mapping[str, str], label: str) -> Attempt:
    """Apply `wanted` and what it needs, if it is clear what that is and nothing is taken away by it.

    Raises Refused, with the alternatives there are.
    """
    delta = state.delta(wanted)
    back = _tried(state, delta, wanted)
    if back is not None:
        return Attempt(back)
    fixes = find_fixes(state, wanted)
    if len(fixes) == 1 and not fixes[0].overturns:
        further = dict(fixes[0].assignments)
        everything = {**wanted, **further}
        return Attempt(attempt(state, state.delta(everything), everything), tuple(further))
    alternatives = tuple(_alternative(state, wanted, fix, label) for fix in fixes)
    raise Refused(_refusal(state, delta, wanted), fix=_choice_of(alternatives), alternatives=alternatives)


def _tried(state: TreeState, delta: Delta, wanted: Mapping[str, str]) -> Delta | None:
    """Apply `delta`, and take it back if `wanted` is not what is there then: None."""
    back = state.apply(delta)
    if all(explain.same_value(state.tree.syms[name], value) for name, value in wanted.items()):
        return back
    state.apply(back)
    return None


def _refusal(state: TreeState, delta: Delta, wanted: Mapping[str, str]) -> str:
    """What of `wanted` would not be there with `delta`, and why; asked for only where somebody reads it."""
    back = state.apply(delta)
    lost = explain.requested_but_lost(state.tree, wanted)[0]
    state.apply(back)
    symbol = state.tree.syms[lost.symbol]
    reason = explain.why_not(symbol, lost.wanted) or lost.reason
    return f"{explain.title(symbol)} cannot be {kconfig_in_words(lost.wanted)}: it {reason}"


def _alternative(state: TreeState, wanted: Mapping[str, str], fix: Fix, label: str) -> Alternative:
    before = state.values()
    assignments = {**wanted, **dict(fix.assignments)}
    back = state.apply(state.delta(assignments))
    changes = tuple(value_changes(state.tree, before, state.values()))
    state.apply(back)
    return Alternative(in_plain_words(state.tree, fix, before), changes, tuple(assignments.items()), label)


def in_plain_words(tree: Kconfig, fix: Fix, before: Mapping[str, str]) -> str:
    """What a fix does to values that were `before`: `switch on "ping" (PING) and choose "static" for "Linking"`."""
    done: dict[str, list[str]] = {}
    for name, value in fix.assignments:
        symbol = tree.syms[name]
        if symbol.choice is not None:
            done.setdefault("choose", []).append(f'{explain.title(symbol)} for "{short(prompt_of(symbol.choice))}"')
        elif type_of(symbol) in ("bool", "tristate"):
            verb = {"y": "switch on", "m": "make a module of", "n": "switch off"}[value]
            done.setdefault(verb, []).append(explain.title(symbol))
        else:
            done.setdefault("set", []).append(f"{explain.title(symbol)} to {kconfig_in_words(value)}")
    named = {name for name, _ in fix.assignments}
    others = [
        explain.title(tree.syms[name])
        for name in fix.overturns
        if name not in named and tree.syms[name].choice is None and before[name] in ("y", "m")
    ]
    text = " and ".join(f"{verb} {_listed(what)}" for verb, what in done.items())
    return f"{text} (which switches off {_listed(others)})" if others else text


def _choice_of(alternatives: Sequence[Alternative]) -> str | None:
    texts = [alternative.text for alternative in alternatives]
    if len(texts) < 2:
        return f"for that, {texts[0]}" if texts else None
    return f"either {'; or '.join(texts)}"


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def value_changes(tree: Kconfig, before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[ValueChange]:
    """Every symbol whose value differs between two results of `TreeState.values`."""
    for name in changed(before, after):
        yield ValueChange(name, called(tree.syms[name]), before[name], after[name])
