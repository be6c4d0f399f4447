"""Every command of a screen by its name, with its key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.dom import DOMNode
from textual.fuzzy import FuzzySearch
from textual.widgets import Input

from kimitui.tui import settings, theme
from kimitui.tui.keymap import actions
from kimitui.tui.screens.dialogs import Dialog
from kimitui.tui.widgets import draw
from kimitui.tui.widgets.bar import Keys
from kimitui.tui.widgets.draw import Piece
from kimitui.tui.widgets.line_edit import LineEdit
from kimitui.tui.widgets.listing import Listing

if TYPE_CHECKING:
    from kimitui.tui.app import KimituiApp

_KEY_SCORE = 1000.0  # who types a key means that one, whatever words hold the letter


@dataclass(frozen=True)
class Command:
    """Something a user can do now. `marks` are the characters of `words` that a query found."""

    words: str
    keys: str
    run: Callable[[], None]
    marks: frozenset[int] = frozenset()


def commands(app: KimituiApp) -> list[Command]:
    """What can be done on the open screen; moving about is left out, for which a palette is of no use."""
    found: dict[str, Command] = {}

    def running(node: DOMNode, action: str) -> Callable[[], None]:
        def run() -> None:
            app.call_later(app.run_action, action, node)

        return run

    for node in (app.screen, app):
        for action in actions(node.BINDINGS, app.keymap):
            words = action.long_words[:1].upper() + action.long_words[1:]
            if action.action != "palette" and node.check_action(action.action.partition("(")[0], ()):
                found.setdefault(words, Command(words, action.key_names, running(node, action.action)))
    return [*found.values(), *_theme_commands(app)]


def _theme_commands(app: KimituiApp) -> list[Command]:
    def showing(name: str) -> Callable[[], None]:
        return lambda: app.show_theme(name)

    def keep() -> None:
        from kimitui.errors import KimituiError

        try:
            path = settings.save_theme(app.theme_choice)
        except KimituiError as error:
            app.show_error(error)
        else:
            app.say(f"The theme {app.theme_choice} is written into {path}")

    result = [Command(f"Theme: {name}", "", showing(name)) for name in theme.THEMES if name != app.theme_choice]
    return [*result, Command(f"Keep the theme {app.theme_choice} for next time", "", keep)]


class CommandList(Listing[Command]):
    """Words and keys."""

    def pieces(self, item: Command, *, selected: bool) -> tuple[Sequence[Piece], Sequence[Piece]]:
        """How a command is drawn."""
        return [(" ", ""), *draw.marked(item.words, "", item.marks)], [(item.keys, "key")]


class PaletteScreen(Dialog[Command]):
    """The answer is the command to run."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,ctrl+p", "move(-1)", "up", priority=True),
        Binding("down,ctrl+n", "move(1)", "down", priority=True),
        Binding("pageup", "page(-1)", "a page up", priority=True),
        Binding("pagedown", "page(1)", "a page down", priority=True),
    ]

    def __init__(self, offered: Sequence[Command]) -> None:
        super().__init__()
        self._offered = offered

    def compose(self) -> ComposeResult:
        """The line to type in, the commands, the keys."""
        with Vertical(classes="dialog -tall"):
            yield LineEdit(placeholder="Type a part of a command")
            listing = CommandList(id="commands", empty="No command is called that", active=True)
            listing.can_focus = False
            yield listing
            yield Keys([("Enter", "do it"), ("↑↓", "choose"), ("Esc", "back")])

    def on_mount(self) -> None:
        """Show all."""
        self._list.show(self._offered, 0)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Find while typing."""
        self._list.show(find(self._offered, event.value), 0)

    def on_input_submitted(self) -> None:
        """Run the command under the cursor."""
        if command := self._list.current:
            self.dismiss(command)

    def on_listing_pressed(self) -> None:
        """A click runs it."""
        self.on_input_submitted()

    def action_move(self, step: int) -> None:
        """Move among the commands."""
        self._list.action_move(step)

    def action_page(self, direction: int) -> None:
        """Move among the commands by a page."""
        self._list.action_page(direction)

    @property
    def _list(self) -> CommandList:
        return self.query_one("#commands", CommandList)


def find(offered: Sequence[Command], query: str) -> list[Command]:
    """The commands that a query means, the most likely first; a key finds its command, too."""
    if not query.strip():
        return list(offered)
    search = FuzzySearch()
    found: list[tuple[float, Command]] = []
    for command in offered:
        score, offsets = search.match(query, command.words)
        if query in command.keys.split("  "):
            score += _KEY_SCORE
        if score > 0:
            found.append((score, replace(command, marks=frozenset(offsets))))
    return [command for _, command in sorted(found, key=lambda pair: -pair[0])]
