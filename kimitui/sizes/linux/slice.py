"""Cuts out of Linux' Kconfig tree what can differ between kernels that are built here, as formulas for `closure`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import kconfiglib

from kimitui.kconfig.names import prompt_of
from kimitui.kconfig.types import Choice, Expr, Kconfig, Symbol

_TRISTATES = (kconfiglib.BOOL, kconfiglib.TRISTATE)
_RELATIONS = {
    kconfiglib.EQUAL: "=",
    kconfiglib.UNEQUAL: "!=",
    kconfiglib.LESS: "<",
    kconfiglib.LESS_EQUAL: "<=",
    kconfiglib.GREATER: ">",
    kconfiglib.GREATER_EQUAL: ">=",
}


@dataclass(frozen=True)
class Bounds:
    """The least and the largest value that a symbol or expression can have: 0, 1, 2."""

    least: int
    most: int


class Slice:
    """What of `tree` can differ when only symbols of `asked` are asked for, on top of `base` (Kconfig values)."""

    def __init__(self, tree: Kconfig, asked: Collection[str], base: Mapping[str, str]) -> None:
        self._tree, self._asked, self._base = tree, set(asked), dict(base)
        self._settled = {name for name in base if name not in self._asked}
        self._symbols = [s for s in tree.unique_defined_syms if s.orig_type in _TRISTATES]
        self._most = dict.fromkeys((s.name for s in tree.unique_defined_syms), 0)
        self._least = dict(self._most)
        self._readers: dict[str, dict[str, Symbol]] = {}
        """By name, the symbols whose values follow from it."""
        for symbol in self._symbols:
            for used in _read_by(symbol):
                self._readers.setdefault(used, {})[symbol.name] = symbol
        # Largest values first, as if "not" could always be true; then the least ones; then both more closely.
        for _round in range(3):
            if _round:
                self._most = dict.fromkeys(self._most, 0)
            self._settle(self._most, self._most_of, strict=bool(_round))
            self._least = dict.fromkeys(self._least, 0)
            self._settle(self._least, self._least_of, strict=True)

    def bounds(self, name: str) -> Bounds:
        """What the value of a symbol can be."""
        return Bounds(self._least.get(name, 0), self._most.get(name, 0))

    def varies(self, name: str) -> bool:
        """Whether the value of a yes/no symbol is not always the same."""
        return self._least.get(name, 0) != self._most.get(name, 0)

    def export(self, roots: Iterable[str]) -> dict[str, Any]:
        """The formulas of `roots` and all that they follow from, as plain data for `Closure`."""
        done: dict[str, dict[str, Any]] = {}
        active: set[str] = set()

        def visit(name: str) -> None:
            if name in done or name in active:
                return
            active.add(name)
            described = self._choice(name) if name.startswith("choice-") else self._described(self._tree.syms[name])
            for used in _names_in(described):
                if used in self._tree.syms or used.startswith("choice-"):
                    visit(used)
            done[name] = described

        for name in ("MODULES", *sorted(roots)):
            if self.varies(name):
                visit(name)
        used = {name for one in done.values() for name in (one["name"], *(m for m, _ in one.get("members", ())))}
        return {
            "base": {name: value for name, value in sorted(self._base.items()) if name in used},
            "symbols": list(done.values()),
        }

    # Bounds

    def _settle(self, values: dict[str, int], compute: Any, *, strict: bool) -> None:
        pending = {symbol.name: symbol for symbol in self._symbols}
        while pending:
            name, symbol = pending.popitem()
            value = compute(symbol, strict)
            if value != values[name]:
                values[name] = value
                pending.update(self._readers.get(name, {}))

    def _most_of(self, symbol: Symbol, strict: bool) -> int:
        name = symbol.name

        def most(expr: Expr) -> int:
            return self._expr(expr, strict).most

        if symbol.choice is not None:
            return max((most(prompt[1]) for prompt in _prompts(symbol)), default=0) and 2
        visible = max((most(prompt[1]) for prompt in _prompts(symbol)), default=0)
        value = 0
        if visible and (name in self._asked or self._base.get(name, "n") != "n"):
            value = visible
        if not self._always_visible(symbol):
            defaults = (min(most(default), most(condition)) for default, condition in symbol.defaults)
            value = max(value, max(defaults, default=0), min(most(symbol.weak_rev_dep), most(symbol.direct_dep)))
        value = max(value, most(symbol.rev_dep))
        return 2 if value and symbol.orig_type == kconfiglib.BOOL else value

    def _least_of(self, symbol: Symbol, _strict: bool) -> int:
        def least(expr: Expr) -> int:
            return self._expr(expr, True).least

        if symbol.choice is not None:
            return 0
        value = least(symbol.rev_dep)
        prompts = list(_prompts(symbol))
        if symbol.name in self._settled and self._base[symbol.name] in ("y", "m"):
            value = max(value, min(2, max((least(prompt[1]) for prompt in prompts), default=0)))
        elif not any(self._expr(prompt[1], True).most for prompt in prompts):
            # Never offered: the first default whose condition always holds.
            for default, condition in symbol.defaults:
                if least(condition) == 2:
                    value = max(value, least(default))
                    break
                if self._expr(condition, True).most:
                    break
        return 2 if value and symbol.orig_type == kconfiglib.BOOL else value

    def _always_visible(self, symbol: Symbol) -> bool:
        """Whether a symbol is offered whenever its dependencies hold, so that its defaults do not count."""
        dependencies = self.formula(symbol.direct_dep)
        return any(self.formula(prompt[1]) == dependencies for prompt in _prompts(symbol))

    def _expr(self, expr: Expr, strict: bool) -> Bounds:
        if isinstance(expr, tuple):
            operator, *operands = expr
            if operator is kconfiglib.NOT:
                inner = self._expr(operands[0], strict)
                return Bounds(2 - inner.most, 2 - inner.least if strict else 2)
            if operator in _RELATIONS:
                constant = self._relation(operator, *operands)
                return Bounds(0, 2) if constant is None else Bounds(constant, constant)
            parts = [self._expr(operand, strict) for operand in _flat(expr)]
            pick = min if operator is kconfiglib.AND else max
            return Bounds(pick(p.least for p in parts), pick(p.most for p in parts))
        if isinstance(expr, kconfiglib.Choice):
            return Bounds(2, 2)  # its own rule sees to that
        if expr.is_constant or not expr.nodes:
            value = {"y": 2, "m": 1}.get(expr.name, 0) if expr.is_constant else 0
            return Bounds(value, value)
        if expr.orig_type not in _TRISTATES:
            return Bounds(0, 0)
        return self.bounds(expr.name)

    def _relation(self, operator: Any, first: Symbol, second: Symbol) -> int | None:
        """The value of a comparison if it is always the same."""
        if self._open(first) or self._open(second):
            return None
        value: int = kconfiglib.expr_value((operator, self._fixed(first), self._fixed(second)))
        return value

    def _open(self, symbol: Symbol) -> bool:
        if symbol.is_constant or not symbol.nodes:
            return False
        return self.varies(symbol.name) if symbol.orig_type in _TRISTATES else symbol.name in self._asked

    def _fixed(self, symbol: Symbol) -> Symbol:
        if not symbol.is_constant and symbol.nodes and symbol.orig_type in _TRISTATES:
            return (self._tree.n, self._tree.m, self._tree.y)[self._least[symbol.name]]
        return symbol

    # Formulas

    def formula(self, expr: Expr) -> str:
        """An expression in the notation of `closure`, without what is always the same."""
        bounds = self._expr(expr, True)
        if bounds.least == bounds.most:
            return "nmy"[bounds.least]
        if isinstance(expr, tuple):
            operator, *operands = expr
            if operator is kconfiglib.NOT:
                return f"! {self.formula(operands[0])}"
            if operator in _RELATIONS:
                return " ".join((_RELATIONS[operator], *(self._operand(one) for one in operands)))
            parts = [self.formula(operand) for operand in _flat(expr)]
            neutral = "y" if operator is kconfiglib.AND else "n"
            parts = list(dict.fromkeys(part for part in parts if part != neutral))
            sign = "&" if operator is kconfiglib.AND else "|"
            if any(part == ("n" if sign == "&" else "y") for part in parts):
                return "n" if sign == "&" else "y"
            return " ".join((*([sign] * (len(parts) - 1)), *parts)) if parts else neutral
        return str(expr.name)

    def _operand(self, symbol: Symbol) -> str:
        if self._open(symbol):
            return symbol.name
        return f'"{self._fixed(symbol).str_value}"'

    def _described(self, symbol: Symbol) -> dict[str, Any]:
        name = symbol.name
        if symbol.choice is not None:
            return {"name": name, "choice": self._choice_name(symbol.choice)}
        described: dict[str, Any] = {"name": name}
        if prompt_of(symbol):
            described["visible"] = self._any(prompt[1] for prompt in _prompts(symbol))
        if symbol.orig_type not in _TRISTATES:
            defaults = [(self._operand(value), self.formula(when)) for value, when in symbol.defaults]
            return _without_empty({**described, "text": True, "defaults": [d for d in defaults if d[1] != "n"]})
        if not self._always_visible(symbol):
            defaults = [(self.formula(value), self.formula(when)) for value, when in symbol.defaults]
            described["defaults"] = [d for d in defaults if "n" not in d]
            implied = (kconfiglib.AND, symbol.weak_rev_dep, symbol.direct_dep)
            described["implied"] = self.formula(implied)
        described["selected"] = self.formula(symbol.rev_dep)
        if symbol.orig_type == kconfiglib.TRISTATE:
            described["tristate"] = True
        return _without_empty(described)

    def _choice_name(self, choice: Choice) -> str:
        return f"choice-{choice.syms[0].name}"

    def _choice(self, name: str) -> dict[str, Any]:
        choice = self._tree.syms[name.removeprefix("choice-")].choice
        assert choice is not None
        members = [(s.name, self._any(prompt[1] for prompt in _prompts(s))) for s in choice.syms]
        return {
            "name": name,
            "visible": self._any(node.prompt[1] for node in choice.nodes if node.prompt),
            "members": [member for member in members if member[1] != "n"],
            "defaults": [(value.name, self.formula(when)) for value, when in choice.defaults],
        }

    def _any(self, conditions: Iterable[Expr]) -> str:
        parts = list(dict.fromkeys(self.formula(condition) for condition in conditions))
        parts = [part for part in parts if part != "n"] or ["n"]
        return "y" if "y" in parts else " ".join((*(["|"] * (len(parts) - 1)), *parts))


def _flat(expr: Expr) -> list[Expr]:
    """The operands of an *and* or *or* of any length; Kconfig nests them, hundreds deep."""
    operator, found, pending = expr[0], [], [expr]
    while pending:
        one = pending.pop()
        if isinstance(one, tuple) and one[0] is operator:
            pending += reversed(one[1:])
        else:
            found.append(one)
    return found


def _read_by(symbol: Symbol) -> Iterator[str]:
    """The names in all that a symbol's value follows from."""
    pending: list[Expr] = [symbol.direct_dep, symbol.rev_dep, symbol.weak_rev_dep]
    pending += [prompt[1] for prompt in _prompts(symbol)]
    pending += [expr for default in symbol.defaults for expr in default]
    while pending:
        one = pending.pop()
        if isinstance(one, tuple):
            pending += one[1:]
        elif isinstance(one, kconfiglib.Symbol):
            yield one.name


def _prompts(symbol: Symbol) -> Iterator[tuple[str, Expr]]:
    return (node.prompt for node in symbol.nodes if node.prompt)


def _without_empty(described: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in described.items() if value not in ("n", [], ())}


def _names_in(described: Mapping[str, Any]) -> Iterator[str]:
    """The symbols and choices that a description reads."""
    if "choice" in described:
        yield described["choice"]
        return
    texts = [described.get(key, "n") for key in ("visible", "selected", "implied")]
    texts += [text for pair in described.get("defaults", ()) for text in pair[("members" in described) :]]
    texts += [condition for _name, condition in described.get("members", ())]
    for text in texts:
        yield from (word for word in text.split(" ") if word[0] != '"')
