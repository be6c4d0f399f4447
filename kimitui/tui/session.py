"""What a configurator does, without a screen: a configuration, where one is in its menus, and answers in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from kimitui import preset as presets
from kimitui.config import Change, Configuration, Refused, ValueChange
from kimitui.errors import MachineError
from kimitui.kconfig.menu import MAIN, Info, Menus, Row
from kimitui.kconfig.names import JsonScalar
from kimitui.preset import Preset
from kimitui.tui.menu_line import MenuLine

Level = Literal["info", "good", "warning", "error"]
_NAMED = 2  # how many further changes a message names


@dataclass(frozen=True)
class Said:
    """An answer to what the user did."""

    text: str
    level: Level = "info"


class Session:
    """A configuration being edited: which menu is open, where the cursor was in each, what is shown."""

    def __init__(self, config: Configuration) -> None:
        self.config = config
        self.menus = Menus(config.tree)
        self.menu = MAIN
        self.show_all = False
        self._cursors: dict[int, int] = {}

    # What is shown

    def lines(self) -> list[MenuLine]:
        """The lines of the open menu."""
        return [self._line(row) for row in self.menus.rows(self.menu, show_all=self.show_all)]

    def found(self, query: str) -> list[MenuLine]:
        """The lines of the whole tree that a query finds."""
        return [
            replace(
                self._line(match.row, place=self.menus.prompt(self.menus.menu_of(match.row.node))),
                prompt_spans=match.prompt_spans,
                name_spans=match.name_spans,
            )
            for match in self.menus.search(query)
        ]

    def info(self, row: Row) -> Info:
        """All there is to say about a row."""
        return self.menus.info(row.node)

    def inside(self, row: Row) -> list[Row]:
        """The lines that a row opens to."""
        return self.menus.rows(row.node, show_all=self.show_all) if row.opens else []

    @property
    def crumbs(self) -> tuple[str, ...]:
        """The names of the menus one went through, the open one last."""
        return tuple(self.menus.prompt(menu) for menu in (*self.menus.path(self.menu), self.menu))

    @property
    def unsaved(self) -> bool:
        """Whether there is something that is in no file yet."""
        return self.config.modified or not self.config.preset.path.exists()

    # Where one is

    def remember(self, row: Row) -> None:
        """Note that the cursor is on `row` in the open menu."""
        self._cursors[self.menu] = row.node

    def cursor(self, lines: list[MenuLine]) -> int:
        """Where the cursor was among the lines of the open menu; if that line is gone, the nearest before it."""
        wanted = self._cursors.get(self.menu, -1)
        before = [index for index, line in enumerate(lines) if line.row.node <= wanted]
        first = next((index for index, line in enumerate(lines) if line.row.kind != "comment"), 0)
        return before[-1] if before else first

    def enter(self, row: Row) -> bool:
        """Open a row that has lines of its own; false if it has none."""
        if not row.opens:
            return False
        self.remember(row)
        self.menu = row.node
        return True

    def leave(self) -> bool:
        """Go back to the menu the open one is in; false in the main menu."""
        if self.menu == MAIN:
            return False
        left = self.menu
        self.menu = self.menus.menu_of(left)
        self._cursors[self.menu] = left
        return True

    def jump(self, row: Row) -> Said | None:
        """Open the menu that `row` is in, with the cursor on it; hidden rows are shown where that is needed."""
        self.menu = self.menus.menu_of(row.node)
        self.remember(row)
        if any(line.row.node == row.node for line in self.lines()):
            return None
        self.show_all = True
        return Said("It is not offered now, so all options are shown; a hides them again", "warning")

    # What is changed

    def toggle(self, row: Row) -> Said:
        """Give a row its next value."""
        if row.kind == "menu" or row.kind == "comment":
            return Said(f"{row.prompt} is not an option", "warning")
        if row.kind == "choice":
            return Said(f"{row.prompt}: open it with Enter and choose", "info")
        if not row.is_switch:
            return Said(f"{row.prompt}: edit it with Enter", "info")
        if row.kind == "member" and row.value == "y":
            return Said(f"{row.prompt} is chosen already; choose another one instead")
        return self._do(row, lambda: self.config.toggle(row.symbol))

    def set(self, row: Row, value: str) -> Said:
        """Set a row to a Kconfig value."""
        if row.is_switch and value == "m" and row.kind != "tristate":
            return Said(f"{row.prompt} cannot be a module, only on or off", "warning")
        if row.is_switch:
            wanted: JsonScalar = {"y": True, "n": False}.get(value, value)
            return self._do(row, lambda: self.config.set(row.symbol, wanted))
        if row.kind in ("string", "int", "hex"):
            return self._do(row, lambda: self.config.set(row.symbol, value))
        return Said(f"{row.prompt} is neither on nor off", "warning")

    def problem(self, row: Row, text: str) -> str:
        """What is wrong with `text` as the value of a row, "" if nothing is; changes nothing."""
        return self.config.problem(row.symbol, text)

    def undo(self) -> Said:
        """Take the last change back."""
        change = self.config.undo()
        return Said(f"Undone: {change.label}") if change else Said("There is nothing to undo")

    def redo(self) -> Said:
        """Do again what was undone."""
        change = self.config.redo()
        return Said(f"Done again: {change.label}") if change else Said("There is nothing to do again")

    def save(self, path: Path | None = None, *, extend: bool = False) -> Said:
        """Save where the preset came from, or at `path`. Raises KimituiError."""
        directory = (path or self.config.preset.path).parent
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise MachineError(f"cannot make the directory: {error.strerror}", where=directory) from error
        saved = self.config.save(path, extend=extend)
        return Said(f"Saved as {saved}", "good")

    def _line(self, row: Row, place: str = "") -> MenuLine:
        return MenuLine(row, any(map(self.config.is_changed, row.symbols)), place)

    def _do(self, row: Row, action: Callable[[], Change]) -> Said:
        try:
            return Said(describe(action(), row))
        except Refused as error:
            return Said(f"{error.what}; {error.fix}" if error.fix else error.what, "warning")


def describe(change: Change, row: Row) -> str:
    """A change in words: what was asked for first, then what else is different now."""
    words = {"y": "on", "n": "off", "m": "a module"}
    own = next((value for value in change.changes if value.symbol == row.symbol), None)
    if own is None:
        return f"{row.prompt} is that already"
    pulled = [value for value in change.pulled if value.prompt]
    others = [
        value
        for value in change.changes
        if value is not own
        and value.prompt
        and value not in change.pulled
        and not (row.kind == "member" and own.symbol != value.symbol)
    ]
    if row.kind == "member":
        text = f"{row.prompt}: chosen"
    else:
        text = f"{row.prompt}: {words.get(own.after, own.after) if row.is_switch else repr_text(own.after)}"
    if pulled:
        text += f" · with what it needs: {_named_values(pulled)} (u takes it all back)"
    if others:
        text += f" · also changed: {_named_values(others)}"
    return text


def _named_values(values: Sequence[ValueChange]) -> str:
    words = {"y": "on", "n": "off", "m": "a module"}
    named = [f"{value.prompt} {words.get(value.after, repr_text(value.after))}" for value in values[:_NAMED]]
    more = f" and {len(values) - _NAMED} more" if len(values) > _NAMED else ""
    return f"{', '.join(named)}{more}"


def repr_text(value: str) -> str:
    """A value in a sentence."""
    return value if value.isdigit() else f'"{value}"'


def derived(base: Preset, name: str) -> Preset:
    """A new preset called `name` in ./presets that extends `base`; nothing is written. Raises PresetError."""
    reference = base.path.name.removesuffix(presets.SUFFIX)
    path = Path("presets") / f"{name}{presets.SUFFIX}"
    return presets.parse(presets.new_text({"name": name, "extends": reference}, {}), path)


__all__ = ["Level", "Said", "Session", "derived", "describe"]
