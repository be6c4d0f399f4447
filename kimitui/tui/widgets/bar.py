"""A single line: breadcrumbs, messages, keys."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual import events
from textual.message import Message
from textual.strip import Strip

from kimitui.tui.widgets import draw
from kimitui.tui.widgets.draw import Drawn, Piece

_LEFT_OUT = "… › "


class Bar(Drawn):
    """One line of pieces, at the left and at the right; what does not fit is cut."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._left: Sequence[Piece] = ()
        self._right: Sequence[Piece] = ()

    def show(self, left: Sequence[Piece], right: Sequence[Piece] = ()) -> None:
        """Replace what is shown."""
        if (left, right) != (self._left, self._right):
            self._left, self._right = left, right
            self.refresh()

    @property
    def text(self) -> str:
        """What is shown, uncut."""
        return "".join(text for text, _ in (*self._left, *self._right))

    def render_line(self, y: int) -> Strip:
        """The line."""
        width = self.size.width
        return draw.line(self, [(" ", ""), *self._left], self._right and [*self._right, (" ", "")], width)


class Crumbs(Bar):
    """Where one is; what does not fit is left out at the begin, because the end matters most.

    Every piece at the left is a place. A click on one is a message.
    """

    class Chosen(Message):
        """The place with this number was clicked; 0 is the first one."""

        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    def render_line(self, y: int) -> Strip:
        """The line."""
        left = [(" ", ""), *(piece for _, piece in self._shown())]
        return draw.line(self, left, self._right and [*self._right, (" ", "")], self.size.width)

    def on_click(self, event: events.Click) -> None:
        """Say which place is there."""
        end = 1
        for index, (text, _) in self._shown():
            end += cell_len(text)
            if event.x < end:
                if index is not None:
                    self.post_message(self.Chosen(index))
                return

    def _shown(self) -> list[tuple[int | None, Piece]]:
        """The pieces that fit, with their numbers; what stands for the others has none."""
        left: list[tuple[int | None, Piece]] = list(enumerate(self._left))
        room = self.size.width - 3 - sum(cell_len(text) for text, _ in self._right)
        while len(left) > 1 and sum(cell_len(text) for _, (text, _) in left) > room:
            del left[: 2 if left[0][0] is None else 1]
            if len(left) > 1:
                left.insert(0, (None, (_LEFT_OUT, "dim")))
        return left


class Keys(Bar):
    """The keys that matter on a screen, the most important first; only whole entries are shown."""

    def __init__(self, keys: Sequence[tuple[str, str]], *, id: str | None = None) -> None:
        """`keys` are words, each behind a key or the name of an action of the screen, whose key users may change."""
        super().__init__(id=id)
        self._wanted = keys
        self._keys: Sequence[tuple[str, str]] = ()

    def on_mount(self) -> None:
        """Look the keys up."""
        self.show_keys(self._wanted)

    def show_keys(self, keys: Sequence[tuple[str, str]]) -> None:
        """Replace the keys."""
        self._wanted = self._keys = keys
        if any("." in name for name, _ in keys):
            from kimitui.tui.keymap import hints

            self._keys = hints([*self.app.BINDINGS, *self.screen.BINDINGS], getattr(self.app, "keymap", {}), keys)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """As many keys as fit."""
        width = self.size.width
        pieces: list[Piece] = []
        used = 0
        for key, words in self._keys:
            before = "  " if pieces else " "
            used += len(before) + len(key) + 1 + len(words)
            if used > width:
                break
            pieces += [(before, ""), (key, "key"), (f" {words}", "dim")]
        return draw.line(self, pieces, (), width)


def level_pieces(text: str, level: str) -> list[Piece]:
    """A message with a mark that shows its level by shape, too."""
    mark, style = {"error": ("✗ ", "bad"), "warning": ("! ", "warn"), "good": ("✓ ", "good")}.get(level, ("", ""))
    return [(mark, style), (text, style)] if mark else [(text, "")]
