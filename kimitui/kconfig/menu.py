"""A tree as menus: what a configurator shows, as plain data and without a screen.

A node is named by its number in the order of the tree; 0 is the main menu. Numbers stay the same as long as the
tree lives, values do not: every function answers for the values that are in the tree now.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

import kconfiglib

from kimitui.errors import Location
from kimitui.kconfig import terms
from kimitui.kconfig.names import prompt_of, short, type_of
from kimitui.kconfig.terms import Term
from kimitui.kconfig.types import Kconfig, MenuNode
from kimitui.lazy import Lazy

if TYPE_CHECKING:
    from kimitui.kconfig.search import Hit, Index, Span

Kind = Literal["menu", "comment", "choice", "member", "bool", "tristate", "string", "int", "hex"]

MAIN = 0
"""The number of the main menu."""

_SWITCHES: tuple[Kind, ...] = ("bool", "tristate", "member")


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
class Info:
    """What there is to say about a row.

    `why` are whole sentences: what keeps it from values it does not have. `needs` are its dependencies, all of which
    must hold. `range` is the lowest and highest number that hold now, as written; `ranges` and `defaults` are all there
    are with their conditions, and the first one that holds is the one in force. `defined` are places in files of the
    tree, seen from its directory.
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


class _Place(NamedTuple):
    """A node that has a line in a menu, and how far in; `always` means that it is offered whatever the values are."""

    number: int
    depth: int
    node: MenuNode
    always: bool


class Menus:
    """The menus of one tree. Guards nothing but what no value changes: the numbering, which nodes have a line in which
    menu, and the texts that are searched.
    """

    def __init__(self, tree: Kconfig) -> None:
        self.tree = tree
        self._nodes: list[MenuNode] = [tree.top_node, *tree.node_iter()]
        self._numbers = {id(node): number for number, node in enumerate(self._nodes)}
        self._places: dict[int, list[_Place]] = {}
        self._index: Index | None = None

    @property
    def title(self) -> str:
        """The name of the main menu."""
        return self.tree.mainmenu_text

    def rows(self, menu: int = MAIN, *, show_all: bool = False) -> list[Row]:
        """The lines of a menu, choice or `menuconfig`; with `show_all` also those that are hidden now."""
        return [self._row(place.node, place.depth) for place in self._shown(menu, show_all)]

    def nodes(self, menu: int = MAIN, *, show_all: bool = False) -> list[tuple[int, int]]:
        """The nodes that `rows` has lines for, and how far in each is: what is quick to know about all of them."""
        return [(place.number, place.depth) for place in self._shown(menu, show_all)]

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

    def search(self, query: str, *, limit: int = 200) -> Sequence[Match]:
        """The lines that a query finds in name, prompt or help, the most likely meant first."""
        return Lazy(self.prepare_search().find(query, limit), self._match)

    def prepare_search(self) -> Index:
        """Read the texts of the tree, if that was not done yet, so that the first search is as quick as the others."""
        if self._index is None:
            from kimitui.kconfig.search import Index, Text  # only who searches waits for it

            self._index = Index(
                (number, Text(_name(node), _prompt(node), _help(node), _kind(node) == "menu"))
                for number, node in enumerate(self._nodes)
                if _is_found(node)
            )
        return self._index

    def info(self, node: int) -> Info:
        """All there is to say about a node."""
        menu_node = self._nodes[node]
        item = menu_node.item
        is_symbol = isinstance(item, kconfiglib.Symbol)
        return Info(
            row=self._row(menu_node, 0),
            path=tuple(self.prompt(menu) for menu in self.path(node)),
            help=_help(menu_node),
            why=tuple(terms.why(menu_node)),
            needs=tuple(terms.needs(menu_node)),
            switches_on=tuple(terms.relations(item.selects)) if is_symbol else (),
            switched_on_by=tuple(terms.sources(item.rev_dep)) if is_symbol else (),
            suggested_by=tuple(terms.sources(item.weak_rev_dep)) if is_symbol else (),
            range=terms.range_of(item) if is_symbol else None,
            defined=tuple(
                Location(Path(where.filename), where.linenr, 1)
                for where in (item.nodes if isinstance(item, (kconfiglib.Symbol, kconfiglib.Choice)) else (menu_node,))
            ),
            suggests=tuple(terms.relations(item.implies)) if is_symbol else (),
            defaults=tuple(terms.defaults(item)) if isinstance(item, (kconfiglib.Symbol, kconfiglib.Choice)) else (),
            ranges=tuple(terms.ranges(item)) if is_symbol else (),
        )

    def _match(self, hit: Hit) -> Match:
        return Match(self._row(self._nodes[hit.number], 0), hit.prompt_spans, hit.name_spans)

    def _shown(self, menu: int, show_all: bool) -> list[_Place]:
        if menu not in self._places:
            self._places[menu] = list(self._places_below(self._nodes[menu], 0))
        places = self._places[menu]
        if show_all:
            return places
        shown: list[_Place] = []
        below = 0
        for place in reversed(places):
            # What is listed below a node shows it too, since it may show without that node.
            if place.always or place.depth < below or terms.visible(place.node):
                shown.append(place)
                below = place.depth
        shown.reverse()
        return shown

    def _places_below(self, parent: MenuNode, depth: int) -> Iterator[_Place]:
        for node in _children(parent):
            if _kind(node) is None:
                continue
            yield _Place(self._numbers[id(node)], depth, node, terms.always_visible(node))
            if not _opens(node):
                # What depends on the symbol before it is listed below it, further in.
                yield from self._places_below(node, depth + 1)

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
                if item.choice is not None and item.choice.is_optional and item.choice.selection is item:
                    settable = ("n", *settable)  # nothing need be chosen
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
            hidden=not terms.visible(node),
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
    return _name(node).strip()


def _name(node: MenuNode) -> str:
    return getattr(node.item, "name", None) or ""


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


__all__ = ["MAIN", "Info", "Kind", "Match", "Menus", "Row", "Term", "short"]
