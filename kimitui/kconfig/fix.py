"""The smallest set of changes that makes a value possible.

A value that does not come true has a reason, and the reason is a condition of the tree that can be read: what would
make it true is either one more assignment or a few to choose from. So the search goes from reason to assignment,
fewest assignments first, and lets the tree itself evaluate every step; what is found has been tried. A solver (Linux's
xconfig has one) would need the whole tree translated to clauses, numbers and texts included, and its answers tried all
the same; here only what is asked for is looked at, so the size of the tree matters little.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count

import kconfiglib

from kimitui.kconfig.explain import same_value
from kimitui.kconfig.names import prompt_of, type_of
from kimitui.kconfig.state import TreeState
from kimitui.kconfig.types import Expr, Kconfig, Symbol

Step = tuple[str, str]
"""A symbol and the Kconfig value to give it."""

_TRI = {"n": 0, "m": 1, "y": 2}
_VALUES = "nmy"
_TRIED = 400  # sets of assignments; more is a search nobody waits for
_WAYS = 10  # nine can be chosen by a digit, one more tells that there are more
_OPPOSITE = {
    kconfiglib.EQUAL: kconfiglib.UNEQUAL,
    kconfiglib.UNEQUAL: kconfiglib.EQUAL,
    kconfiglib.LESS: kconfiglib.GREATER_EQUAL,
    kconfiglib.LESS_EQUAL: kconfiglib.GREATER,
    kconfiglib.GREATER: kconfiglib.LESS_EQUAL,
    kconfiglib.GREATER_EQUAL: kconfiglib.LESS,
}
_MIRRORED = {
    kconfiglib.LESS: kconfiglib.GREATER,
    kconfiglib.LESS_EQUAL: kconfiglib.GREATER_EQUAL,
    kconfiglib.GREATER: kconfiglib.LESS,
    kconfiglib.GREATER_EQUAL: kconfiglib.LESS_EQUAL,
}


@dataclass(frozen=True)
class Fix:
    """Assignments that make something possible, in the order of the tree; none of them can be left out.

    `overturns` are the symbols whose value is taken away by that, which nobody should do unasked: what is switched
    off, what is no longer the one chosen, numbers and texts that change. Empty if things are only switched on.
    """

    assignments: tuple[Step, ...]
    overturns: tuple[str, ...]


def find_fixes(state: TreeState, wanted: Mapping[str, str]) -> tuple[Fix, ...]:
    """The ways to make all of `wanted` (Kconfig values by symbol) come true, each with as few assignments as can be.

    Ways that overturn nothing are preferred to shorter ones that do: if there is one, only those are returned.
    They are all of the same number of assignments, in the order of the tree, at most nine. Empty if there is no way
    that the search found. The tree is as before afterwards.
    """
    gentle = _Search(state, wanted, bold=False).fixes()
    if any(not fix.overturns for fix in gentle):
        return tuple(fix for fix in gentle if not fix.overturns)
    found = dict.fromkeys([*gentle, *_Search(state, wanted, bold=True).fixes()])
    # Nobody wants to lose more than another way costs, too.
    return tuple(fix for fix in found if not any(set(other.overturns) < set(fix.overturns) for other in found))[:_WAYS]


class _Search:
    """One search; `bold` ones may switch off, choose another member of a choice and change numbers and texts."""

    def __init__(self, state: TreeState, wanted: Mapping[str, str], *, bold: bool) -> None:
        self._state = state
        self._tree: Kconfig = state.tree
        self._wanted = wanted
        self._bold = bold
        self._before = state.assigned
        self._assigned: Mapping[str, str] = {}  # what is being tried
        self._open: set[int] = set()  # expressions that are being looked at, for the sake of loops

    def fixes(self) -> list[Fix]:
        """The smallest fixes, in the order of the tree."""
        found: dict[frozenset[str], dict[str, str]] = {}
        best, tried = -1, 0
        order = count()
        queue: list[tuple[int, int, dict[str, str]]] = [(0, next(order), {})]
        seen = {frozenset[Step]()}
        while queue and tried < _TRIED and len(found) < _WAYS:
            size, _, extra = heapq.heappop(queue)
            if 0 <= best < size:
                break
            tried += 1
            steps = self._missing(extra)
            if steps is None:
                needed = self._needed(extra)
                if best < 0 or len(needed) < best:
                    best = len(needed)
                    found = {symbols: fix for symbols, fix in found.items() if len(symbols) <= best}
                if len(needed) == best:
                    found.setdefault(frozenset(needed), needed)
                continue
            if size == best:
                continue
            for name, value in steps:
                further = {**extra, name: value}
                if (key := frozenset(further.items())) not in seen:
                    seen.add(key)
                    heapq.heappush(queue, (size + 1, next(order), further))
        position = self._state.position
        return [self._fix(dict(sorted(fix.items(), key=lambda step: position(step[0])))) for fix in found.values()]

    def _missing(self, extra: Mapping[str, str]) -> list[Step] | None:
        """What to try next if `extra` is not enough; None if it is."""
        self._assigned = {**self._wanted, **extra}
        back = self._state.apply(self._state.delta(self._assigned))
        try:
            # What was added last is looked at first: it is there for the sake of what was there before.
            for name, value in reversed(self._assigned.items()):
                symbol = self._tree.syms[name]
                if not same_value(symbol, value):
                    steps = dict.fromkeys(self._for_goal(symbol, value))
                    return [step for step in steps if step[0] not in self._assigned]
            return None
        finally:
            self._state.apply(back)

    def _needed(self, extra: Mapping[str, str]) -> dict[str, str]:
        """`extra` without what the rest brings with it."""
        needed = dict(extra)
        for name in list(needed):
            without = {other: value for other, value in needed.items() if other != name}
            if without and self._holds(without):  # nothing at all was tried first
                needed = without
        return needed

    def _holds(self, extra: Mapping[str, str]) -> bool:
        back = self._state.apply(self._state.delta({**self._wanted, **extra}))
        try:
            return all(same_value(self._tree.syms[name], value) for name, value in self._wanted.items())
        finally:
            self._state.apply(back)

    def _fix(self, extra: Mapping[str, str]) -> Fix:
        delta = self._state.delta({**self._wanted, **extra})
        within = {symbol.name for symbol in self._state.affected(delta)}
        watched = [name for name in {**extra, **self._before} if name not in self._wanted and name in within]
        before = {name: _standing(self._tree.syms[name]) for name in watched}
        chosen = {name: choice.selection for name in extra if (choice := self._tree.syms[name].choice)}
        back = self._state.apply(delta)
        after = {name: _standing(self._tree.syms[name]) for name in watched}
        self._state.apply(back)
        overturned = {name for name in watched if _is_less(before[name], after[name])}
        overturned |= {moved.name for moved in chosen.values() if moved is not None}
        return Fix(tuple(extra.items()), tuple(sorted(overturned, key=self._state.position)))

    # From a value that is not there to what would bring it

    def _for_goal(self, symbol: Symbol, value: str) -> list[Step]:
        prompts: list[Expr] = [node.prompt[1] for node in symbol.nodes if node.prompt]
        if type_of(symbol) not in ("bool", "tristate"):
            return self._any(self._raised(condition, 1, 2) for condition in prompts) if not symbol.visibility else []
        level = _TRI[value]
        if symbol.tri_value > level:
            return self._without_forces(symbol, level) or self._any(self._raised(prompt, 1, 2) for prompt in prompts)
        if symbol.choice is not None and symbol.visibility:
            return []  # another one was chosen for the sake of something else
        if level == 1 and symbol.type == kconfiglib.BOOL:
            return self._raised(self._tree.modules, 2, 2) if symbol.orig_type == kconfiglib.TRISTATE else []
        least = 1 if symbol.type == kconfiglib.BOOL else level
        steps = self._any(self._raised(condition, least, level) for condition in prompts)
        return steps or self._raised(symbol.rev_dep, least, level)

    def _raised(self, expression: Expr, least: int, level: int) -> list[Step]:
        """What brings a condition, which is below the tristate value `least`, nearer to it; preferably to `level`."""
        if kconfiglib.expr_value(expression) >= least or id(expression) in self._open:
            return []
        self._open.add(id(expression))
        try:
            if not isinstance(expression, tuple):
                return self._raised_item(expression, least, level)
            operator = expression[0]
            if operator is kconfiglib.AND:
                parts = kconfiglib.split_expr(expression, kconfiglib.AND)
                return _fewest(
                    self._raised(part, least, level) for part in parts if kconfiglib.expr_value(part) < least
                )
            if operator is kconfiglib.OR:
                parts = kconfiglib.split_expr(expression, kconfiglib.OR)
                return self._any(self._raised(part, least, level) for part in parts)
            if operator is kconfiglib.NOT:
                return self._lowered(expression[1], 2 - least)
            return self._compared(*expression)
        finally:
            self._open.discard(id(expression))

    def _raised_item(self, item: Expr, least: int, level: int) -> list[Step]:
        if isinstance(item, kconfiglib.Choice):
            return self._any(self._raised(node.prompt[1], least, level) for node in item.nodes if node.prompt)
        if item.is_constant or not item.nodes or item.name in self._assigned:
            return []
        if item.choice is not None:
            return [(item.name, "y")] if self._bold or item.choice.selection is None else []
        if not prompt_of(item):
            sources = self._raised(item.rev_dep, least, level)
            defaults = (self._raised(_both(*default), least, level) for default in item.defaults)
            return self._any([sources, *defaults])
        levels = (level, least) if type_of(item) == "tristate" else (2,)
        return [(item.name, _VALUES[wanted]) for wanted in dict.fromkeys(levels)]

    def _lowered(self, expression: Expr, level: int) -> list[Step]:
        """What brings a condition, which is above the tristate value `level`, nearer to it."""
        if kconfiglib.expr_value(expression) <= level or id(expression) in self._open:
            return []
        self._open.add(id(expression))
        try:
            if not isinstance(expression, tuple):
                return self._lowered_item(expression, level)
            operator = expression[0]
            if operator is kconfiglib.AND:
                return self._any(
                    self._lowered(part, level) for part in kconfiglib.split_expr(expression, kconfiglib.AND)
                )
            if operator is kconfiglib.OR:
                parts = kconfiglib.split_expr(expression, kconfiglib.OR)
                return _fewest(self._lowered(part, level) for part in parts if kconfiglib.expr_value(part) > level)
            if operator is kconfiglib.NOT:
                return self._raised(expression[1], 2 - level, 2 - level)
            return self._compared(_OPPOSITE[operator], *expression[1:])
        finally:
            self._open.discard(id(expression))

    def _lowered_item(self, item: Expr, level: int) -> list[Step]:
        if isinstance(item, kconfiglib.Choice):
            return _fewest(self._lowered(node.prompt[1], level) for node in item.nodes if node.prompt)
        if item.is_constant or not item.nodes or item.name in self._assigned:
            return []
        if not prompt_of(item):
            return self._without_forces(item, level)
        if not self._bold:
            return []
        if item.choice is not None:
            return [(other.name, "y") for other in item.choice.syms if other is not item and other.visibility]
        return [(item.name, _VALUES[level if type_of(item) == "tristate" else 0])]

    def _without_forces(self, symbol: Symbol, level: int) -> list[Step]:
        """What takes away the reasons for which `symbol` is above `level` though nobody set it so."""
        if kconfiglib.expr_value(symbol.rev_dep) > level:
            return self._lowered(symbol.rev_dep, level)
        if kconfiglib.expr_value(symbol.weak_rev_dep) > level:
            return self._lowered(symbol.weak_rev_dep, level)
        for value, condition in symbol.defaults:
            if kconfiglib.expr_value(condition):
                return self._lowered(_both(value, condition), level)
        return []

    def _compared(self, operator: int, left: Expr, right: Expr) -> list[Step]:
        """What makes a comparison true that is not."""
        if left.is_constant or not left.nodes:
            left, right, operator = right, left, _MIRRORED.get(operator, operator)
        if left.is_constant or not left.nodes or (right.nodes and not right.is_constant):
            return []
        constant = right.str_value
        if type_of(left) in ("bool", "tristate"):
            if constant not in _TRI or operator not in (kconfiglib.EQUAL, kconfiglib.UNEQUAL):
                return []
            level = _TRI[constant]
            if operator == kconfiglib.UNEQUAL:
                return self._raised(left, 1, 2) if level == 0 else self._lowered(left, 0)
            return self._raised(left, level, level) if left.tri_value < level else self._lowered(left, level)
        if not self._bold or not prompt_of(left) or left.name in self._assigned:
            return []
        if operator in (kconfiglib.EQUAL, kconfiglib.LESS_EQUAL, kconfiglib.GREATER_EQUAL):
            return [(left.name, constant)]
        if operator == kconfiglib.UNEQUAL or type_of(left) == "string":
            return []  # any other value would do, and none is better than the others
        number = int(constant, 16 if type_of(left) == "hex" else 10) + (1 if operator == kconfiglib.GREATER else -1)
        return [(left.name, hex(number) if type_of(left) == "hex" else str(number))]

    @staticmethod
    def _any(alternatives: Iterable[list[Step]]) -> list[Step]:
        return [step for steps in alternatives for step in steps]


def _both(left: Expr, right: Expr) -> Expr:
    """The condition that both hold."""
    return (kconfiglib.AND, left, right)


def _fewest(needed: Iterator[list[Step]]) -> list[Step]:
    """Where all is needed, the part with the fewest ways to get it; none if one part cannot be had."""
    return min(needed, key=len, default=[])


def _standing(symbol: Symbol) -> int | str:
    return symbol.tri_value if type_of(symbol) in ("bool", "tristate") else symbol.str_value


def _is_less(before: int | str, after: int | str) -> bool:
    """Whether a value was taken away: switched off, or a number or text replaced."""
    if isinstance(before, int) and isinstance(after, int):
        return after < before
    return before not in ("", after)
