"""Search over the whole tree, with the results while one types."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal
from textual.widgets import Input

from kimitui.kconfig.menu import Row
from kimitui.sizes.live import TYPING_SECONDS
from kimitui.tui.screens.dialogs import Dialog
from kimitui.tui.session import Session
from kimitui.tui.texts import about
from kimitui.tui.widgets.bar import Bar, Keys
from kimitui.tui.widgets.line_edit import LineEdit
from kimitui.tui.widgets.menu_list import MenuList
from kimitui.tui.widgets.panel import Panel


class SearchScreen(Dialog[Row]):
    """The answer is the row to jump to."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,ctrl+p", "move(-1)", "up", priority=True),
        Binding("down,ctrl+n", "move(1)", "down", priority=True),
        Binding("pageup", "page(-1)", "a page up", priority=True),
        Binding("pagedown", "page(1)", "a page down", priority=True),
    ]

    def __init__(self, session: Session, query: str = "") -> None:
        super().__init__(classes="-full")
        self._session = session
        self.query_text = query

    def compose(self) -> ComposeResult:
        """The line to type in, the results, what there is to say about one."""
        with Horizontal(id="search-box"):
            yield Bar(id="search-label")
            yield LineEdit(self.query_text, select_on_focus=False)
        with Container(classes="split"):
            empty = "Type a part of a name, a prompt or a help text"
            results = MenuList(id="results", classes="first", empty=empty, active=True)
            results.can_focus = False
            yield results
            yield Panel(id="preview", classes="second")
        yield Bar(id="found", classes="-plain")
        yield Keys([("Enter", "go there"), ("↑↓", "choose"), ("Esc", "back")])

    def on_mount(self) -> None:
        """Search for what was searched last."""
        self.query_one("#search-label", Bar).show([("Search:", "key")])
        self.watch(self._results, "cursor", self._preview, init=False)
        # Not the message that a line to edit sends: what was found is to be painted together with the letter.
        self.watch(self.query_one(Input), "value", self._search, init=False)
        self._search(self.query_text)
        # Until the first letter comes, there is time to read the texts that are searched.
        self.call_after_refresh(self._session.menus.prepare_search)

    def on_input_submitted(self) -> None:
        """Go to the result under the cursor."""
        if line := self._results.current:
            self.dismiss(line.row)

    def on_listing_pressed(self, event: MenuList.Pressed) -> None:
        """A second click goes there."""
        if event.times > 1 and (line := self._results.current):
            self.dismiss(line.row)

    def action_move(self, step: int) -> None:
        """Move among the results."""
        self._results.action_move(step)

    def action_page(self, direction: int) -> None:
        """Move among the results by a page."""
        self._results.action_page(direction)

    @property
    def _results(self) -> MenuList:
        return self.query_one("#results", MenuList)

    def show_sizes(self) -> None:
        """More sizes are known."""
        self._results.show(self._session.found(self.query_text))

    def _search(self, query: str) -> None:
        if self._session.live is not None:
            self._session.live.pause(TYPING_SECONDS)
        self.query_text = query
        lines = self._session.found(query)
        self._results.show(lines, 0)
        words = f"{len(lines)} found" if lines else "nothing found" if query.strip() else ""
        self.query_one("#found", Bar).show([(words, "dim")])
        self._preview()

    def _preview(self) -> None:
        row = self._results.current.row if self._results.current else None
        self.query_one("#preview", Panel).show(about(self._session.info(row), self._session.inside(row)) if row else ())
