"""The last lines of a log, following its end until one scrolls up."""

from __future__ import annotations

from rich.cells import cell_len
from rich.segment import Segment
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from kimitui.build.state import Log
from kimitui.tui.widgets import draw
from kimitui.tui.widgets.draw import Drawn

_WIDEST = 2000


class LogView(Drawn, ScrollView, can_focus=False):
    """Shows a Log that grows elsewhere; `refresh_log` says that it may have grown."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._log = Log()
        self._seen = 0  # lines of the log that were shown, counting the dropped ones
        self._dropped = 0
        self._widest = 0
        self.following = True

    def show(self, log: Log) -> None:
        """Show another log, from its end."""
        if log is not self._log:
            self._log = log
            self._seen = self._dropped = log.dropped
            self._widest = 0
            self.following = True
            self.refresh_log(force=True)

    def refresh_log(self, *, force: bool = False) -> None:
        """Show what came in since the last call."""
        lines, dropped = self._log.lines, self._log.dropped
        total = len(lines) + dropped
        if total == self._seen and not force:
            return
        for line in lines[max(0, self._seen - dropped) :]:
            self._widest = max(self._widest, min(cell_len(line), _WIDEST))
        lost = dropped - self._dropped
        self._seen, self._dropped = total, dropped
        self.virtual_size = Size(self._widest + 2, len(lines))
        if self.following:
            self.scroll_to(x=0 if force else None, y=len(lines), animate=False, force=True)
        elif lost:
            # The lines one looks at stay where they are on the screen.
            self.scroll_to(y=max(0, self.scroll_offset.y - lost), animate=False, force=True)
        self.refresh()

    def scroll_by(self, lines: int) -> None:
        """Scroll by so many lines."""
        self.scroll_to(y=max(0, self.scroll_offset.y + lines), animate=False, force=True)

    def scroll_sideways(self, columns: int) -> None:
        """Scroll by so many columns."""
        self.scroll_to(x=max(0, self.scroll_offset.x + columns), animate=False, force=True)

    def follow(self) -> None:
        """Go to the end and stay there."""
        self.following = True
        self.scroll_to(y=len(self._log.lines), animate=False, force=True)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Follow the end as long as it is seen."""
        super().watch_scroll_y(old_value, new_value)
        self.following = new_value >= self.max_scroll_y - 1

    def on_resize(self) -> None:
        """Keep the end in sight."""
        if self.following:
            self.follow()

    @property
    def text(self) -> str:
        """All lines that are kept."""
        return "\n".join(self._log.lines)

    def render_line(self, y: int) -> Strip:
        """One line of what is seen."""
        x, top = self.scroll_offset
        width = self.scrollable_content_region.width
        index = top + y
        base = self.base
        if index >= len(self._log.lines):
            return Strip.blank(width, base)
        text = draw.clean(self._log.lines[index])
        if draw.is_ascii(self):
            text = draw.to_ascii(text)
        bare = text.lstrip(" ")
        blanks = " " * (1 + len(text) - len(bare))
        return Strip([Segment(blanks, base), Segment(bare, base)]).crop_extend(x, x + width, base)
