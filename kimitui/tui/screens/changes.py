"""What differs from what the preset extends, each of which can be taken back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import ClassVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.screen import Screen

from kimitui.config import KeyChange
from kimitui.kconfig.menu import Row
from kimitui.tui.screens.keys import MENU_SIGNS
from kimitui.tui.session import Said, Session
from kimitui.tui.texts import about
from kimitui.tui.widgets.bar import Bar, Keys, level_pieces
from kimitui.tui.widgets.draw import Piece
from kimitui.tui.widgets.listing import Listing
from kimitui.tui.widgets.panel import Panel, Paragraph

_KEYS = [
    ("changes.take_back", "take back"),
    ("changes.go", "go there"),
    ("edit.undo", "undo"),
    ("changes.close", "back"),
    ("app.keys", "keys"),
    ("edit.redo", "redo"),
]
_NARROWEST = 12  # columns of a name, however narrow the terminal is
_AROUND = 15  # columns of the cursor, marks, gaps and "follows"


@dataclass(frozen=True)
class ChangeLine:
    """A change, or the heading of those of a section."""

    heading: str
    change: KeyChange | None = None
    row: Row | None = None

    @property
    def name(self) -> str:
        """What has changed, in words where there are some."""
        return self.change.prompt or self.change.key if self.change else self.heading


def change_lines(session: Session) -> list[ChangeLine]:
    """What differs from what the preset extends, by section."""
    lines = []
    for section, changes in groupby(session.changes(), lambda change: change.section):
        lines.append(ChangeLine(section))
        # What the preset says comes before what follows from it.
        for change in sorted(changes, key=lambda change: not change.is_set):
            lines.append(ChangeLine(section, change, session.row_of(change)))
    return lines


class ChangeList(Listing[ChangeLine]):
    """One line per change: what, from, to."""

    def pieces(self, item: ChangeLine, *, selected: bool) -> tuple[Sequence[Piece], Sequence[Piece]]:
        """How a change is drawn."""
        change = item.change
        if change is None:
            count = sum(line.heading == item.heading for line in self.items) - 1
            return [(f" {item.heading}", "strong"), (f"  {count}", "dim")], ()
        names, values = self._widths()
        column = max(_NARROWEST, min(names, self.size.width - values - _AROUND))
        name = item.name if cell_len(item.name) <= column else f"{item.name[: column - 1]}…"
        left: list[Piece] = [("~" if change.is_set else " ", "accent"), (" ", "")]
        left += [(name + " " * (column - cell_len(name)), "" if change.is_set else "dim")]
        left += [(f"  {change.before_words}", "dim"), (" → ", "dim"), (change.after_words, "value")]
        return left, () if change.is_set else [("follows", "dim")]

    def _widths(self) -> tuple[int, int]:
        """How wide the longest name is, and the longest pair of values as far as it need be seen."""
        changes = [line for line in self.items if line.change]
        names = max(cell_len(line.name) for line in changes)
        values = max(
            cell_len(f"{line.change.before_words}  →  {line.change.after_words}") for line in changes if line.change
        )
        return names, min(values, self.size.width // 3)

    def is_passed_over(self, item: ChangeLine) -> bool:
        """Headings have nothing to act on."""
        return item.change is None


class ChangesScreen(Screen[Row | None]):
    """The answer is the row to go to, None to stay where one was."""

    SIGNS: ClassVar = (MENU_SIGNS,)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,right,l", "go", "go there", id="changes.go", tooltip="go to it in its menu"),
        Binding("escape,left,h,d", "close", "back", id="changes.close", tooltip="back to the menu"),
        Binding(
            "r,backspace,delete", "take_back", "take back", id="changes.take_back", tooltip="take this change back"
        ),
        Binding("u", "undo", "undo", id="edit.undo"),
        Binding("ctrl+r", "redo", "redo", id="edit.redo"),
        Binding("J", "scroll_help(3)", "scroll down", id="help.down", tooltip="scroll the panel down"),
        Binding("K", "scroll_help(-3)", "scroll up", id="help.up", tooltip="scroll the panel up"),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session

    def compose(self) -> ComposeResult:
        """The changes, what there is to say about one, message, keys."""
        yield Bar(id="crumbs")
        with Container(classes="split"):
            yield ChangeList(id="changes", classes="first", empty=f"Nothing differs from {self._session.base_name}")
            yield Panel(id="help", classes="second")
        yield Bar(id="message", classes="-plain")
        yield Keys(_KEYS)

    def on_mount(self) -> None:
        """Show the changes, with the cursor on the first one."""
        self._show()
        self._list.focus()
        self.watch(self._list, "cursor", self._describe, init=False)

    @property
    def _list(self) -> ChangeList:
        return self.query_one("#changes", ChangeList)

    def _show(self) -> None:
        lines = change_lines(self._session)
        differing = [line.change for line in lines if line.change]
        count = sum(change.is_set for change in differing)
        self._list.show(lines)
        if self._list.current and self._list.current.change is None:
            self._list.show(lines, self._list.cursor + 1)
        name = self._session.config.name
        left: list[Piece] = [(f"{name} › ", "dim"), (f"differs from {self._session.base_name}", "title")]
        right: list[Piece] = [("~ unsaved  ", "accent")] if self._session.unsaved else []
        words = f"{count} change{'s' if count != 1 else ''}"
        if following := len(differing) - count:
            words += f", {following} follow{'s' if following == 1 else ''}"
        self.query_one("#crumbs", Bar).show(left, [*right, (words, "strong")])
        self._describe()

    def _describe(self) -> None:
        line = self._list.current
        panel = self.query_one("#help", Panel)
        if line is None or line.change is None:
            panel.show([Paragraph(f"The preset says the same as {self._session.base_name}.")])
        elif line.row is not None:
            panel.show(about(self._session.info(line.row), self._session.inside(line.row)))
        else:
            panel.show([Paragraph(line.name, "title"), Paragraph("An upstream option that no menu shows.", "dim")])

    def on_listing_pressed(self, event: ChangeList.Pressed) -> None:
        """A second click goes there."""
        if event.times > 1:
            self.action_go()

    def say(self, said: Said) -> None:
        """Show a message."""
        self.query_one("#message", Bar).show(level_pieces(said.text, said.level))

    def action_go(self) -> None:
        """Go to the change in its menu."""
        line = self._list.current
        if line is None or line.change is None:
            return
        if line.row is None:
            self.say(Said(f"{line.name} is in no menu", "warning"))
        else:
            self.dismiss(line.row)

    def action_close(self) -> None:
        """Go back to the menu."""
        self.dismiss(None)

    def action_take_back(self) -> None:
        """Take the change under the cursor back."""
        line = self._list.current
        if line is not None and line.change is not None:
            change = line.change
            self._do(lambda: self._session.take_back(change))

    def action_undo(self) -> None:
        """Take the last step back."""
        self._do(self._session.undo)

    def action_redo(self) -> None:
        """Do again what was undone."""
        self._do(self._session.redo)

    def action_scroll_help(self, lines: int) -> None:
        """Scroll the panel."""
        self.query_one("#help", Panel).scroll_by(lines)

    def _do(self, action: Callable[[], Said]) -> None:
        self.say(action())
        self._show()
