"""What a configurator does, without a screen: a configuration, where one is in its menus, and answers in words."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from kimitui import preset as presets
from kimitui.config import Alternative, Change, Configuration, KeyChange, Refused, ValueChange
from kimitui.editing import Editing
from kimitui.errors import MachineError
from kimitui.kconfig.menu import MAIN, Info, Match, Menus, Row
from kimitui.kconfig.names import JsonScalar
from kimitui.lazy import Lazy
from kimitui.preset import Preset
from kimitui.sizes import units
from kimitui.tui.changed import Changed
from kimitui.tui.menu_line import MenuLine

if TYPE_CHECKING:
    from kimitui.sizes.fit import Proposal
    from kimitui.sizes.live import LiveSizes

Level = Literal["info", "good", "warning", "error"]
_NAMED = 2  # how many further changes a message names


@dataclass(frozen=True)
class Said:
    """An answer to what the user did; where that cannot be, `alternatives` are what would make it possible."""

    text: str
    level: Level = "info"
    alternatives: tuple[Alternative, ...] = ()


class Session:
    """A configuration being edited: which menu is open, where the cursor was in each, what is shown.

    `show_all` also shows what is not offered, `only_changed` nothing but what differs from what the preset extends.
    `live` are the sizes, once they are worked out at all; `by_size` puts the largest first, and of what has a size
    only that is shown which would change more than `larger_than` bytes.
    """

    def __init__(self, config: Editing) -> None:
        self.config = config
        self.menus = Menus(config.tree)
        self.menu = MAIN
        self.show_all = False
        self.only_changed = False
        self.live: LiveSizes | None = None
        self.by_size = False
        self.larger_than: int | None = None
        self._cursors: dict[int, int] = {}
        self._changed = Changed(config, self.menus)

    # What is shown

    def lines(self) -> Sequence[MenuLine]:
        """The lines of the open menu."""
        if self.live is not None and (self.by_size or self.larger_than is not None):
            return self._sized_lines(self.live)
        if not self.only_changed:
            return Lazy(self.menus.nodes(self.menu, show_all=self.show_all), self._line)
        return only_changed([self._line(node) for node in self.menus.nodes(self.menu, show_all=True)])

    def _sized_lines(self, live: LiveSizes) -> list[MenuLine]:
        """The lines of the open menu as their sizes want it; without comments, and one below the other."""
        nodes = [node for node, _ in self.menus.nodes(self.menu, show_all=self.show_all)]
        lines = [self._line((node, 0)) for node in nodes]
        lines = [line for line in lines if line.row.kind != "comment"]
        if self.only_changed:
            lines = [line for line in lines if line.changed or line.changes]
        sizes = {line.row.node: abs(live.delta(line.row.symbol) or 0) for line in lines if line.row.is_switch}
        least = self.larger_than
        if least is not None:
            lines = [line for line in lines if line.row.opens or sizes.get(line.row.node, 0) > least]
        if self.by_size:
            lines.sort(key=lambda line: -sizes.get(line.row.node, 0))
        return lines

    def called(self, symbol: str) -> str:
        """What a symbol is called in a list of its own."""
        entry = self.config.names.by_symbol.get(symbol)
        return entry.prompt if entry is not None and entry.prompt else symbol

    def found(self, query: str) -> Sequence[MenuLine]:
        """The lines of the whole tree that a query finds."""
        return Lazy(self.menus.search(query), self._found_line)

    def changes(self) -> list[KeyChange]:
        """What differs from what the preset extends; sections in their order."""
        return self.config.changes()

    def row_of(self, change: KeyChange) -> Row | None:
        """Where a change is in the menus; None if it is in none of them."""
        node = self._changed.node_of(change.symbol)
        return self.menus.row(node) if node is not None else None

    def info(self, row: Row) -> Info:
        """All there is to say about a row."""
        return self.menus.info(row.node)

    def inside(self, row: Row) -> list[Row]:
        """The lines that a row opens to."""
        return self.menus.rows(row.node, show_all=self.show_all) if row.opens else []

    def edit_words(self, row: Row) -> str:
        """What may be typed as the value of a row, in a few words; "" where anything may."""
        limits = self.info(row).range
        numbers = {"int": "a whole number", "hex": "a hexadecimal number"}.get(row.kind, "")
        return f"{numbers}, {limits[0]} to {limits[1]}" if numbers and limits else numbers

    def now_words(self, row: Row) -> str:
        """What the value of a row is now, and where that comes from; "" where that says nothing."""
        origin = self.config.origin(row.symbol) if row.symbol else None
        if origin is None:
            return ""
        words = {"y": "on", "n": "off", "m": "a module"}
        value = words[row.value] if row.is_switch else repr_text(row.value)
        return f"Now {value}: it {origin}."

    def changed_words(self, row: Row) -> str:
        """What a row was before it was changed, "" if it was not."""
        for change in self.changes():
            if row.symbol and row.symbol in (change.symbol, *change.symbols):
                how = "Set here" if change.is_set else "Follows from another change"
                return f"{how}: in {self.base_name}, {change.prompt or change.key} is {change.before_words}."
        return ""

    @property
    def base_name(self) -> str:
        """What changes are counted from."""
        return self.config.base_name

    @property
    def crumbs(self) -> tuple[str, ...]:
        """The names of the menus one went through, the open one last."""
        return tuple(self.menus.prompt(menu) for menu in (*self.menus.path(self.menu), self.menu))

    @property
    def unsaved(self) -> bool:
        """Whether there is something that is in no file yet."""
        return self.config.unsaved

    # Where one is

    def remember(self, row: Row) -> None:
        """Note that the cursor is on `row` in the open menu."""
        self._cursors[self.menu] = row.node

    def cursor(self, lines: Sequence[MenuLine]) -> int:
        """Where the cursor was among the lines of the open menu; if that line is gone, the nearest before it.

        In a choice that was just opened, the member that is chosen.
        """
        if self.menu not in self._cursors and lines and lines[0].row.kind == "member":
            return next((index for index, line in enumerate(lines) if line.row.value == "y"), 0)
        wanted = self._cursors.get(self.menu, -1)
        if self.live is not None and (self.by_size or self.larger_than is not None):
            return next((index for index, line in enumerate(lines) if line.row.node == wanted), 0)
        # Numbers of nodes grow from line to line.
        after = bisect_right(lines, wanted, key=lambda line: line.row.node)
        first = next((index for index, line in enumerate(lines) if line.row.kind != "comment"), 0)
        return after - 1 if after else first

    def enter(self, row: Row) -> bool:
        """Open a row that has lines of its own; false if it has none."""
        if not row.opens:
            return False
        self.remember(row)
        self.menu = row.node
        if row.kind == "choice":
            self._cursors.pop(row.node, None)
        return True

    def leave(self) -> bool:
        """Go back to the menu the open one is in; false in the main menu."""
        if self.menu == MAIN:
            return False
        left = self.menu
        self.menu = self.menus.menu_of(left)
        self._cursors[self.menu] = left
        return True

    def leave_to(self, level: int) -> bool:
        """Go back to the menu that is `level` steps from the main menu; false if it is the open one."""
        steps = len(self.crumbs) - 1 - level
        for _ in range(steps):
            self.leave()
        return steps > 0

    def jump(self, row: Row) -> Said | None:
        """Open the menu that `row` is in, with the cursor on it; what hides it is switched off."""
        self.menu = self.menus.menu_of(row.node)
        self.remember(row)
        if self._is_shown(row):
            return None
        if self.only_changed:
            self.only_changed = False
            if self._is_shown(row):
                return Said("It has not changed, so unchanged options are shown again")
        self.show_all = True
        return Said("It is not offered now, so all options are shown; a hides them again", "warning")

    def _is_shown(self, row: Row) -> bool:
        return any(line.row.node == row.node for line in self.lines())

    # What is changed

    def toggle(self, row: Row) -> Said:
        """Give a row its next value."""
        if not row.is_switch:
            return Said(f"{row.prompt} is neither on nor off", "warning")
        if row.kind == "member" and row.value == "y" and "n" not in row.settable:
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
        """Save where it came from, or at `path`; `extend` makes a preset of its own. Raises KimituiError."""
        directory = (path or self.config.path).parent
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise MachineError(f"cannot make the directory: {error.strerror}", where=directory) from error
        if extend:
            assert isinstance(self.config, Configuration)
            saved = self.config.save(path, extend=True)
        else:
            saved = self.config.save(path)
        self._changed.count_anew()
        return Said(f"Saved as {saved}", "good")

    def apply(self, row: Row, alternative: Alternative) -> Said:
        """Get a refused value of `row` by one of the ways there are."""
        return self._do(row, lambda: self.config.apply_fix(alternative))

    def give_up(self, proposal: Proposal) -> Said:
        """Do as was proposed so that the image fits into its budget, as one step."""
        try:
            self.config.apply_fix(proposal.as_alternative)
        except Refused as error:
            return Said(f"That cannot be any more: {error.what}", "warning")
        return Said(f"{len(proposal.given_up)} options are given up; u takes all of them back", "good")

    def take_back(self, change: KeyChange) -> Said:
        """Make a key again what the extended presets make of it."""
        name = change.prompt or change.key
        if not change.is_set:
            return Said(f"{name} was not set; it follows from other changes", "warning")
        self.config.unset(change.symbol)
        return Said(f"Taken back: {name} is {change.before_words} again")

    def _line(self, node_and_depth: tuple[int, int]) -> MenuLine:
        row = self.menus.row(*node_and_depth)
        return MenuLine(row, self._changed.has(row), self._changed.counts.get(row.node, 0), size=self._size(row))

    def _size(self, row: Row) -> str:
        """What a toggle would change in the image."""
        if self.live is None or not row.is_switch or row.hidden:
            return ""
        return units.delta_words(self.live.delta(row.symbol))

    def _found_line(self, match: Match) -> MenuLine:
        return MenuLine(
            match.row,
            self._changed.has(match.row),
            place=self.menus.prompt(self.menus.menu_of(match.row.node)),
            marks=_indices(match.prompt_spans),
            name_marks=_indices(match.name_spans),
            size=self._size(match.row),
        )

    def _do(self, row: Row, action: Callable[[], Change]) -> Said:
        try:
            return Said(describe(action(), row))
        except Refused as error:
            text = f"{error.what}; {error.fix}" if error.fix and not error.alternatives else error.what
            return Said(text, "warning", error.alternatives)


def only_changed(lines: Sequence[MenuLine]) -> list[MenuLine]:
    """The lines that differ, or lead to some that do, with the lines they are below of."""
    kept: list[MenuLine] = []
    depth = -1
    for line in reversed(lines):
        if line.changed or line.changes or line.row.depth < depth:
            kept.append(line)
            depth = line.row.depth
    return kept[::-1]


def _indices(spans: Iterable[tuple[int, int]]) -> frozenset[int]:
    return frozenset(index for begin, end in spans for index in range(begin, end))


def describe(change: Change, row: Row) -> str:
    """A change in words: what was asked for first, then what else is different now."""
    words = {"y": "on", "n": "off", "m": "a module"}
    own = next((value for value in change.changes if value.symbol == row.symbol), None)
    if own is None:
        return f"{row.prompt} is that already"
    pulled = [value for value in change.pulled if value.called]
    others = [
        value
        for value in change.changes
        if value is not own
        and value.called
        and value not in change.pulled
        and not (row.kind == "member" and own.symbol != value.symbol)
    ]
    if row.kind == "member":
        text = f"{own.called}: {'chosen' if own.after != 'n' else 'chosen no more'}"
    else:
        text = f"{own.called}: {words.get(own.after, own.after) if row.is_switch else repr_text(own.after)}"
    if pulled:
        text += f" · needed: {_named_values(pulled)} (u undoes all)"
    if others:
        text += f" · also changed: {_named_values(others)}"
    return text


def _named_values(values: Sequence[ValueChange]) -> str:
    words = {"y": "on", "n": "off", "m": "a module"}
    named = [f"{value.called} {words.get(value.after, repr_text(value.after))}" for value in values[:_NAMED]]
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
