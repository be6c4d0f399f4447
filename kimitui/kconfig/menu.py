"""A tree as menus: what a configurator shows, as plain data and without a screen.

A node is named by its number in the order of the tree; 0 is the main menu. Numbers stay the same as long as the
tree lives, values do not: every function answers for the values that are in the tree now.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import kconfiglib

from kimitui.errors import Location
from kimitui.kconfig.explain import title, why_not
from kimitui.kconfig.names import prompt_of, short, type_of
from kimitui.kconfig.search import Index, Span, Text
from kimitui.kconfig.types import Choice, Expr, Kconfig, MenuNode, Symbol

Kind = Literal["menu", "comment", "choice", "member", "bool", "tristate", "string", "int", "hex"]

MAIN = 0
"""The number of the main menu."""

_SWITCHES: tuple[Kind, ...] = ("bool", "tristate", "member")
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
class Row:
    """One line of a menu.

    `symbol` is the name of the symbol or named choice, "" if it has none; `symbols` are those that hold the value.
    `value` is the Kconfig value; for a choice, how its selected member is called. `settable` are the values that
    a yes/no symbol can have now. `on` of `of` yes/no symbols in a menu are on; `of` is 0 where that says nothing.
    """

    node: int
    kind: Kind
    prompt: str
    symbol: str
    symbols: tuple[str, ...]
    value: str
    depth: int
    hidden: bool
    opens: bool
    settable: tuple[str, ...]
    on: int = 0
    of: int = 0

    @property
    def is_switch(self) -> bool:
        """Whether it is drawn with a box that can be on or off."""
        return self.kind in _SWITCHES


@dataclass(frozen=True)
class Match:
    """A line that a search found, and where in its prompt and its symbol's name: begins and ends, to be marked."""

    row: Row
    prompt_spans: tuple[Span, ...]
    name_spans: tuple[Span, ...]


@dataclass(frozen=True)
class Term:
    """A condition or a relation in words, and whether it holds now."""

    text: str
    holds: bool


@dataclass(frozen=True)
class Info:
    """What there is to say about a row.

    `why` are whole sentences: what keeps it from values it does not have. `needs` are its dependencies, all of which
    must hold. `range` is the lowest and highest number that hold now, as written; `ranges` and `defaults` are all there
    are with their conditions, and the first one that holds is the one in force.
    """

    row: Row
    path: tuple[str, ...]
    help: str
    why: tuple[str, ...]
    needs: tuple[Term, ...]
    switches_on: tuple[Term, ...]
    switched_on_by: tuple[Term, ...]
    suggested_by: tuple[Term, ...]
    range: tuple[str, str] | None
    defined: tuple[Location, ...]
    suggests: tuple[Term, ...] = ()
    defaults: tuple[Term, ...] = ()
    ranges: tuple[Term, ...] = ()


class Menus:
    """The menus of one tree. Guards nothing but the numbering and the texts that are searched."""

    def __init__(self, tree: Kconfig) -> None:
        self.tree = tree
        self._nodes: list[MenuNode] = [tree.top_node, *tree.node_iter()]
        self._numbers = {id(node): number for number, node in enumerate(self._nodes)}
        self._index: Index | None = None

    @property
    def title(self) -> str:
        """The name of the main menu."""
        return self.tree.mainmenu_text

    def rows(self, menu: int = MAIN, *, show_all: bool = False) -> list[Row]:
        """The lines of a menu, choice or `menuconfig`; with `show_all` also those that are hidden now."""
        return [self._row(node, depth) for node, depth in self._lines(self._nodes[menu], 0, show_all)]

    def nodes(self, menu: int = MAIN, *, show_all: bool = False) -> list[tuple[int, int]]:
        """The nodes that `rows` has lines for, and how far in each is: what is quick to know about all of them."""
        return [(self._numbers[id(node)], depth) for node, depth in self._lines(self._nodes[menu], 0, show_all)]

    def row(self, node: int, depth: int = 0) -> Row:
        """The line of one node."""
        return self._row(self._nodes[node], depth)

    def find(self, symbol: str) -> int | None:
        """The node where a symbol or named choice is first shown or defined; None if there is none."""
        item = self.tree.syms.get(symbol) or self.tree.named_choices.get(symbol)
        if item is None or not item.nodes:
            return None
        return self._numbers[id(next((node for node in item.nodes if node.prompt), item.nodes[0]))]

    def is_listed(self, node: int) -> bool:
        """Whether a node has a line of its own in some menu, offered or not."""
        return node != MAIN and _kind(self._nodes[node]) is not None

    def menu_of(self, node: int) -> int:
        """The menu in which a node is listed; the main menu for itself."""
        parent = self._nodes[node].parent
        while parent is not None and parent.parent is not None and not _opens(parent):
            parent = parent.parent
        return self._numbers[id(parent)] if parent is not None else MAIN

    def path(self, node: int) -> tuple[int, ...]:
        """The menus one goes through to `node`, main menu first, without itself."""
        menus: list[int] = []
        while node != MAIN:
            node = self.menu_of(node)
            menus.insert(0, node)
        return tuple(menus)

    def prompt(self, node: int) -> str:
        """How a menu is called."""
        return self.title if node == MAIN else _prompt(self._nodes[node])

    def search(self, query: str, *, limit: int = 200) -> list[Match]:
        """The lines that a query finds in name, prompt or help, the most likely meant first."""
        if self._index is None:
            self._index = Index((number, _text(node)) for number, node in enumerate(self._nodes) if _is_found(node))
        return [
            Match(self._row(self._nodes[hit.number], 0), hit.prompt_spans, hit.name_spans)
            for hit in self._index.find(query, limit)
        ]

    def info(self, node: int) -> Info:
        """All there is to say about a node."""
        menu_node = self._nodes[node]
        item = menu_node.item
        is_symbol = isinstance(item, kconfiglib.Symbol)
        return Info(
            row=self._row(menu_node, 0),
            path=tuple(self.prompt(menu) for menu in self.path(node)),
            help=_help(menu_node),
            why=tuple(_why(menu_node)),
            needs=tuple(_needs(menu_node)),
            switches_on=tuple(_relations(item.selects)) if is_symbol else (),
            switched_on_by=tuple(_sources(item.rev_dep)) if is_symbol else (),
            suggested_by=tuple(_sources(item.weak_rev_dep)) if is_symbol else (),
            range=_range(item) if is_symbol else None,
            defined=tuple(
                Location(Path(where.kconfig.srctree) / where.filename, where.linenr, 1)
                for where in (item.nodes if isinstance(item, (kconfiglib.Symbol, kconfiglib.Choice)) else (menu_node,))
            ),
            suggests=tuple(_relations(item.implies)) if is_symbol else (),
            defaults=tuple(_defaults(item)) if isinstance(item, (kconfiglib.Symbol, kconfiglib.Choice)) else (),
            ranges=tuple(_ranges(item)) if is_symbol else (),
        )

    def _lines(self, parent: MenuNode, depth: int, show_all: bool) -> list[tuple[MenuNode, int]]:
        lines: list[tuple[MenuNode, int]] = []
        for node in _children(parent):
            if _kind(node) is None:
                continue
            # What depends on the symbol before it is listed below it, further in; it may show without that symbol.
            below = [] if _opens(node) else self._lines(node, depth + 1, show_all)
            if show_all or _visible(node) or below:
                lines += [(node, depth), *below]
        return lines

    def _row(self, node: MenuNode, depth: int) -> Row:
        item, kind = node.item, _kind(node)
        assert kind is not None
        symbol, value = "", ""
        symbols: tuple[str, ...] = ()
        settable: tuple[str, ...] = ()
        on = of = 0
        if isinstance(item, kconfiglib.Symbol):
            symbol, value, symbols = item.name, item.str_value, (item.name,)
            if kind in _SWITCHES:
                settable = tuple("nmy"[step] for step in item.assignable)
        elif isinstance(item, kconfiglib.Choice):
            symbol, symbols = item.name or "", tuple(member.name for member in item.syms)
            value = short(prompt_of(item.selection)) if item.selection is not None else ""
        elif kind == "menu":
            on, of = self._count(node)
        return Row(
            node=self._numbers[id(node)],
            kind=kind,
            prompt=_prompt(node),
            symbol=symbol,
            symbols=symbols,
            value=value,
            depth=depth,
            hidden=not _visible(node),
            opens=_opens(node) and node.list is not None,
            settable=settable,
            on=on,
            of=of,
        )

    def _count(self, menu: MenuNode) -> tuple[int, int]:
        """How many yes/no symbols below `menu` are on, of how many; 0 of 0 where most options are no such symbols."""
        on = of = others = 0
        for node in _below(menu):
            kind = _kind(node)
            if kind in ("bool", "tristate") and node.prompt:
                of += 1
                on += node.item.tri_value > 0
            elif kind in ("choice", "string", "int", "hex"):
                others += 1
        return (on, of) if of > others else (0, 0)


def _kind(node: MenuNode) -> Kind | None:
    item = node.item
    if item is kconfiglib.MENU:
        return "menu"
    if item is kconfiglib.COMMENT:
        return "comment"
    if isinstance(item, kconfiglib.Choice):
        return "choice"
    type_ = type_of(item)
    if item.choice is not None:
        return "member"
    return None if type_ is None or type_ == "choice" or type_ == "list" else type_


def _prompt(node: MenuNode) -> str:
    if node.prompt:
        return node.prompt[0]
    return (getattr(node.item, "name", None) or "").strip()


def _visible(node: MenuNode) -> bool:
    if not node.prompt or not kconfiglib.expr_value(node.prompt[1]):
        return False
    return node.item is not kconfiglib.MENU or bool(kconfiglib.expr_value(node.visibility))


def _opens(node: MenuNode) -> bool:
    return node.is_menuconfig


def _children(node: MenuNode) -> Iterator[MenuNode]:
    child = node.list
    while child is not None:
        yield child
        child = child.next


def _below(node: MenuNode) -> Iterator[MenuNode]:
    for child in _children(node):
        yield child
        if child.list is not None:
            yield from _below(child)


def _help(node: MenuNode) -> str:
    if not isinstance(node.item, (kconfiglib.Symbol, kconfiglib.Choice)):
        return ""  # kconfiglib gives menus and comments no such attribute
    return node.help or next((other.help for other in node.item.nodes if other.help), "")


def _is_found(node: MenuNode) -> bool:
    return node.parent is not None and _kind(node) is not None


def _text(node: MenuNode) -> Text:
    return Text(getattr(node.item, "name", None) or "", _prompt(node), _help(node), _kind(node) == "menu")


def _condition(node: MenuNode) -> Expr:
    return node.prompt[1] if node.prompt else node.dep


def _needs(node: MenuNode) -> Iterator[Term]:
    seen = set()
    for term in kconfiglib.split_expr(_condition(node), kconfiglib.AND):
        # A choice is a hidden condition of its members, and `y` is what is written where there is none.
        if isinstance(term, kconfiglib.Choice) or term is node.kconfig.y or term in seen:
            continue
        seen.add(term)
        yield Term(_in_words(term), kconfiglib.expr_value(term) > 0)


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


def _relations(pairs: object) -> Iterator[Term]:
    assert isinstance(pairs, (list, tuple))
    for target, condition in pairs:
        yield Term(title(target), kconfiglib.expr_value(condition) > 0)


def _sources(expression: Expr) -> Iterator[Term]:
    for term in kconfiglib.split_expr(expression, kconfiglib.OR):
        source = kconfiglib.split_expr(term, kconfiglib.AND)[0]
        if isinstance(source, kconfiglib.Symbol) and not source.is_constant:
            yield Term(title(source), kconfiglib.expr_value(term) > 0)


def _defaults(item: Symbol | Choice) -> Iterator[Term]:
    for value, condition in item.defaults:
        is_number = getattr(value, "is_constant", False) and item.orig_type in (kconfiglib.INT, kconfiglib.HEX)
        text = value.name if is_number else _in_words(value)
        yield Term(_with_condition(text, condition, item), kconfiglib.expr_value(condition) > 0)


def _ranges(symbol: Symbol) -> Iterator[Term]:
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


def _range(symbol: Symbol) -> tuple[str, str] | None:
    for low, high, condition in symbol.ranges:
        if kconfiglib.expr_value(condition):
            return low.str_value, high.str_value
    return None


def _why(node: MenuNode) -> Iterator[str]:
    item = node.item
    if isinstance(item, kconfiglib.Symbol):
        yield from _why_symbol(item)
    elif not _visible(node):
        unmet = [term.text for term in _needs(node) if not term.holds]
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


__all__ = ["MAIN", "Info", "Kind", "Match", "Menus", "Row", "Term", "short"]
