"""A line at the bottom in which one types what to look for, while what is found shows above it."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.widgets import Input

from kimitui.tui.screens.dialogs import Dialog
from kimitui.tui.widgets.bar import Bar
from kimitui.tui.widgets.line_edit import LineEdit


class Find(Dialog[str]):
    """Asks for a text; Esc answers nothing.

    `typed` is called after every key and says in a few words what there is of it.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+u", "clear", "clear", id="find.clear")]

    def __init__(self, query: str, *, typed: Callable[[str], str], label: str = "Find:") -> None:
        super().__init__()
        self._query = query
        self._typed = typed
        self._label = label

    def compose(self) -> ComposeResult:
        """The line, and what was found."""
        with Container(id="find-box"):
            yield Bar(id="find-label")
            yield LineEdit(self._query)
            yield Bar(id="found")

    def on_mount(self) -> None:
        """Show what the line is for."""
        label = self.query_one("#find-label", Bar)
        label.styles.width = len(self._label) + 2
        label.show([(self._label, "strong")])

    def on_input_changed(self, event: Input.Changed) -> None:
        """Search while typing."""
        self.query_one("#found", Bar).show([(self._typed(event.value), "dim")])

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Close with the text."""
        self.dismiss(event.value)

    def action_clear(self) -> None:
        """Begin anew."""
        self.query_one(Input).value = ""
