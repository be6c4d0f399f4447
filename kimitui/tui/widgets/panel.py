"""Text in paragraphs, wrapped to the width there is, scrolled when it is longer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.strip import Strip

from kimitui.tui.widgets import draw
from kimitui.tui.widgets.draw import Piece
from kimitui.tui.widgets.scrolled import Scrolled


@dataclass(frozen=True)
class Paragraph:
    """A text with one style. `mark` stands before its first line, the further lines are as far in.

    `verbatim` text is not wrapped but cut. `right` stands at the right end of the first line.
    """

    text: str
    style: str = ""
    mark: str = ""
    mark_style: str = ""
    verbatim: bool = False
    right: str = ""


BLANK = Paragraph("")


class Panel(Scrolled, can_focus=False):
    """Paragraphs, replaced as a whole."""

    def __init__(
        self, paragraphs: Sequence[Paragraph] = (), *, id: str | None = None, classes: str | None = None
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._paragraphs = paragraphs
        self._lines: list[list[Piece]] = []
        self._rights: dict[int, str] = {}
        self._width = 0

    def show(self, paragraphs: Sequence[Paragraph]) -> None:
        """Replace what is shown and go to its beginning."""
        if paragraphs == self._paragraphs:
            return
        before, rights = self._lines, self._rights
        self._paragraphs = paragraphs
        scrolled = self.scroll_offset.y > 0
        self._lay_out()
        if scrolled:
            self.scroll_to(y=0, animate=False, force=True)
            return
        for y in range(self.size.height):
            if before[y : y + 1] != self._lines[y : y + 1] or rights.get(y) != self._rights.get(y):
                self.refresh_lines(y)

    @property
    def text(self) -> str:
        """All lines as they are laid out now."""
        return "\n".join("".join(text for text, _ in line) for line in self._lines)

    def _lay_out(self) -> None:
        # The room of a scroll bar is always kept free, so that the text does not jump when one appears.
        self._width = max(1, self.content_region.width - 2)
        is_ascii = draw.is_ascii(self)
        self._lines = []
        self._rights = {}
        if self.content_region.width <= 2:
            return  # not laid out yet; `on_resize` comes when it is
        for paragraph in self._paragraphs:
            text, mark = draw.clean(paragraph.text), paragraph.mark
            if is_ascii:
                text, mark = draw.to_ascii(text), draw.to_ascii(mark)
            room = self._width - len(mark)
            if paragraph.right and len(paragraph.right) + 2 <= room // 2:
                room -= len(paragraph.right) + 2
                self._rights[len(self._lines)] = paragraph.right
            room = max(1, room)
            lines = [text] if paragraph.verbatim else draw.wrap(text, room) or [""]
            for number, line in enumerate(lines):
                before = mark if number == 0 else " " * len(mark)
                self._lines.append([(before, paragraph.mark_style), (line, paragraph.style)])
        self.set_height(len(self._lines))

    def on_resize(self) -> None:
        """Wrap anew."""
        if self.content_region.width - 2 != self._width:
            self._lay_out()
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """One line of what is seen."""
        index = self.scroll_offset.y + y
        width = self.scrollable_content_region.width
        if index >= len(self._lines):
            return Strip.blank(width, self.base)
        right = [(self._rights[index], "dim"), (" ", "")] if index in self._rights else ()
        return draw.line(self, [(" ", ""), *self._lines[index]], right, width)
