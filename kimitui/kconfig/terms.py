"""What a node of a tree has to do with others, in words, and whether it holds now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import kconfiglib

from kimitui.kconfig.explain import title, why_not
from kimitui.kconfig.types import Choice, Expr, MenuNode, Symbol

_WORDS = {"n": "off", "m": "a module", "y": "on"}
_COMPARE = {
    kconfiglib.EQUAL: "=",
    kconfiglib.UNEQUAL: "not",
    kconfiglib.LESS: "below",
    kconfiglib.LESS_EQUAL: "at most",
    kconfiglib.GREATER: "above",
    kconfiglib.GREATER_EQUAL: "at least",
}


@dataclass(frozen=True)
class Term:
    """A condition or a relation in words, and whether it holds now."""

    text: str
    holds: bool


def visible(node: MenuNode) -> bool:
    """Whether a node is offered now."""
    if not node.prompt:
        return False
    choice = getattr(node.item, "choice", None)
    if choice is not None and choice.is_optional and choice.visibility:
        # Where nothing is chosen yet, kconfiglib takes the choice, which its members depend on, for switched off.
        terms = kconfiglib.split_expr(node.prompt[1], kconfiglib.AND)
        return all(kconfiglib.expr_value(term) for term in terms if term is not choice)
    if not kconfiglib.expr_value(node.prompt[1]):
        return False
    return node.item is not kconfiglib.MENU or bool(kconfiglib.expr_value(node.visibility))


def always_visible(node: MenuNode) -> bool:
    """Whether a node is offered whatever the values are; what is known without looking at any."""
    return (
        node.prompt is not None
        and node.prompt[1] is node.kconfig.y
        and (node.item is not kconfiglib.MENU or node.visibility is node.kconfig.y)
    )


def _condition(node: MenuNode) -> Expr:
    return node.prompt[1] if node.prompt else node.dep


def needs(node: MenuNode) -> Iterator[Term]:
    """What a node depends on; all of it must hold."""
    seen = set()
    for term in kconfiglib.split_expr(_condition(node), kconfiglib.AND):
        # A choice is a hidden condition of its members, and `y` is what is written where there is none.
        if isinstance(term, kconfiglib.Choice) or term is node.kconfig.y or term in seen:
            continue
        seen.add(term)
        bound = _bound(term)
        if bound is None:
            yield Term(_in_words(term), kconfiglib.expr_value(term) > 0)
        elif kconfiglib.expr_value(term) == 1:
            yield Term(f"to be a module, like {_name(bound)}", True)


def _bound(term: Expr) -> Symbol | None:
    """The symbol X of `X || !X`, which always holds and means: not built in while X is a module."""
    if not isinstance(term, tuple) or term[0] is not kconfiglib.OR:
        return None
    for one, other in (term[1:], reversed(term[1:])):
        if isinstance(one, kconfiglib.Symbol) and other == (kconfiglib.NOT, one):
            return cast(Symbol, one)
    return None


def _in_words(expression: Expr, *, nested: bool = False) -> str:
    if not isinstance(expression, tuple):
        return _name(expression)
    operator, *operands = expression
    if operator is kconfiglib.NOT:
        text = _in_words(operands[0], nested=True)
        return f"{text} off" if not isinstance(operands[0], tuple) else f"not {text}"
    if operator in (kconfiglib.AND, kconfiglib.OR):
        word = " and " if operator is kconfiglib.AND else " or "
        text = word.join(_in_words(part, nested=True) for part in kconfiglib.split_expr(expression, operator))
        return f"({text})" if nested else text
    left, right = operands
    if left.is_constant and not right.is_constant and operator in (kconfiglib.EQUAL, kconfiglib.UNEQUAL):
        left, right = right, left
    value = _WORDS.get(right.str_value, right.str_value) if right.is_constant else _name(right)
    return f"{_name(left)} {_COMPARE[operator]} {value}"


def _name(item: Symbol | Choice) -> str:
    if getattr(item, "is_constant", False):
        return _WORDS.get(item.name or "", f'"{item.name}"')
    return title(item)


def relations(pairs: object) -> Iterator[Term]:
    """What is selected or implied."""
    assert isinstance(pairs, (list, tuple))
    for target, condition in pairs:
        yield Term(title(target), kconfiglib.expr_value(condition) > 0)


def sources(expression: Expr) -> Iterator[Term]:
    """The symbols that select or imply, from the condition that kconfiglib makes of them."""
    for term in kconfiglib.split_expr(expression, kconfiglib.OR):
        source = kconfiglib.split_expr(term, kconfiglib.AND)[0]
        if isinstance(source, kconfiglib.Symbol) and not source.is_constant:
            yield Term(title(source), kconfiglib.expr_value(term) > 0)


def defaults(item: Symbol | Choice) -> Iterator[Term]:
    """All defaults, with their conditions."""
    for value, condition in item.defaults:
        is_number = getattr(value, "is_constant", False) and item.orig_type in (kconfiglib.INT, kconfiglib.HEX)
        text = value.name if is_number else _in_words(value)
        yield Term(_with_condition(text, condition, item), kconfiglib.expr_value(condition) > 0)


def ranges(symbol: Symbol) -> Iterator[Term]:
    """All ranges, with their conditions."""
    for low, high, condition in symbol.ranges:
        text = f"{low.name} to {high.name}"
        yield Term(_with_condition(text, condition, symbol), kconfiglib.expr_value(condition) > 0)


def _with_condition(text: str, condition: Expr, item: Symbol | Choice) -> str:
    """`text` and when it applies, without what `item` depends on anyhow."""
    own = kconfiglib.split_expr(item.direct_dep, kconfiglib.AND)
    further = [
        part
        for part in kconfiglib.split_expr(condition, kconfiglib.AND)
        if part is not item.kconfig.y and not any(part is known or part == known for known in own)
    ]
    words = " and ".join(_in_words(part, nested=True) for part in further)
    return f"{text} if {words}" if words else text


def range_of(symbol: Symbol) -> tuple[str, str] | None:
    """The range that holds now."""
    for low, high, condition in symbol.ranges:
        if kconfiglib.expr_value(condition):
            return low.str_value, high.str_value
    return None


def why(node: MenuNode) -> Iterator[str]:
    """What keeps a node from values it does not have, in sentences."""
    item = node.item
    if isinstance(item, kconfiglib.Symbol):
        yield from _why_symbol(item)
    elif not visible(node):
        unmet = [term.text for term in needs(node) if not term.holds]
        if unmet:
            yield f"Not offered now: it needs {' and '.join(unmet)}."
        else:
            yield "Not offered now: nothing in it is."


def _why_symbol(symbol: Symbol) -> Iterator[str]:
    if symbol.orig_type not in (kconfiglib.BOOL, kconfiglib.TRISTATE):
        # No value is offered while it is hidden, so it does not matter which one is asked for.
        if not symbol.visibility and (reason := why_not(symbol, f"{symbol.str_value}?")):
            yield _sentence("changed", reason)
        return
    by_reason: dict[str, list[str]] = {}
    for value in "ymn":
        if value == symbol.str_value or (value == "m" and symbol.orig_type == kconfiglib.BOOL):
            continue
        if reason := why_not(symbol, value):
            by_reason.setdefault(reason, []).append(_WORDS[value])
    for reason, values in by_reason.items():
        yield _sentence(" or ".join(values), reason)


def _sentence(value: str, reason: str) -> str:
    if reason.startswith("cannot be"):
        return f"It {reason}."
    return f"It cannot be {value}: it {reason}."
