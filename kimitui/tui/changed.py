"""Which options differ from what the preset extends, kept up to date change by change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from kimitui.config_types import Change
from kimitui.editing import Editing
from kimitui.kconfig.menu import Menus, Row


class Changed:
    """What differs, by the name that presets have for it, and how much of it is in each menu.

    To look at every option anew after every change would take longer than to draw the screen.
    """

    def __init__(self, config: Editing, menus: Menus) -> None:
        self._config = config
        self._menus = menus
        self.counts: dict[int, int] = {}
        self._names: set[str] = set()
        self.count_anew()
        config.subscribe(self._take)

    def count_anew(self) -> None:
        """Look at everything; what the preset extends may be another one now."""
        self.counts.clear()
        self._names.clear()
        by_menu: Counter[int] = Counter()
        for change in self._config.changes():
            node = self.node_of(change.symbol)
            if node is not None:
                self._names.add(change.symbol)
                by_menu[self._menus.menu_of(node)] += 1
        for menu, count in by_menu.items():
            for above in (*self._menus.path(menu), menu):
                self.counts[above] = self.counts.get(above, 0) + count

    def has(self, row: Row) -> bool:
        """Whether a row has another value than what the preset extends gives it."""
        name = self._name(row.symbol) if row.symbol else next(map(self._name, row.symbols), "")
        if name not in self._names and not (row.kind == "choice" and self._names.intersection(row.symbols)):
            return False
        return any(map(self._config.is_changed, row.symbols))

    def _take(self, change: Change) -> None:
        self._look_at({self._name(value.symbol) for value in change.changes})

    def _look_at(self, names: Iterable[str]) -> None:
        for name in names:
            node = self.node_of(name)
            if node is None:
                continue
            row = self._menus.row(node)
            # To say which member of a choice is chosen is to say that the others are not.
            counts = self._config.is_changed(name) and not (row.kind == "member" and row.value == "n")
            if counts != (name in self._names):
                (self._names.add if counts else self._names.remove)(name)
                for menu in self._menus.path(node):
                    self.counts[menu] = self.counts.get(menu, 0) + (1 if counts else -1)

    def node_of(self, name: str) -> int | None:
        """Where a symbol, choice or family is in the menus; None if it is in none."""
        entry = self._config.names.by_symbol.get(name)
        for symbol in (name, *(entry.symbols if entry else ())):
            node = self._menus.find(symbol)
            if node is not None and self._menus.is_listed(node):
                return node
        return None

    def _name(self, symbol: str) -> str:
        entry = self._config.names.by_symbol.get(symbol)
        return entry.symbol if entry else symbol
