"""The last lines of a log, following its end until one scrolls up; what is searched for is marked."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.strip import Strip

from kimitui.build.state import Log
from kimitui.tui.log_search import LogSearch
from kimitui.tui.widgets import draw
from kimitui.tui.widgets.scrolled import Scrolled

_WIDEST = 2000
_FOUND = Style(reverse=True)
_MARGIN = 1


class LogView(Scrolled, can_focus=False):
    """Shows a Log that grows elsewhere; `refresh_log` says that it may have grown."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._log = Log()
        self._seen = 0  # lines of the log that were shown, counting the dropped ones
        self._dropped = 0
        self._widest = 0
        self._search = LogSearch(self._log, "")
        self._at: int | None = None  # the found line one is at
        self.following = True

    def show(self, log: Log) -> None:
        """Show another log, from its end."""
        if log is not self._log:
            self._log = log
            self._seen = self._dropped = log.dropped
            self._widest = 0
            self._search = LogSearch(log, self._search.query)
            self._at = None
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
        self._search.update()
        self.virtual_size = Size(self._widest + 2, len(lines))
        if self.following:
            self.scroll_to(x=0 if force else None, y=len(lines), animate=False, force=True)
        elif lost:
            # The lines one looks at stay where they are on the screen.
            self.scroll_to(y=max(0, self.scroll_offset.y - lost), animate=False, force=True)
        self.refresh()

    # Scrolling

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

    # Searching

    def search(self, query: str, origin: int | None = None) -> None:
        """Mark a text and go to the nearest line that holds it, from `origin` upwards; "" ends the search.

        `origin` is the number of a line, by default the last one that is seen.
        """
        self._search = LogSearch(self._log, query)
        self._at = None
        if query:
            self._go_to(self._search.previous((self.bottom if origin is None else origin) + 1))
        self.refresh()

    def search_next(self, step: int) -> None:
        """Go to the next line that holds the text, or with a negative `step` to the one before."""
        origin = self.bottom if self._at is None else self._at
        self._go_to(self._search.next(origin) if step > 0 else self._search.previous(origin))

    @property
    def wanted(self) -> str:
        """What is searched for."""
        return self._search.query

    @property
    def found(self) -> tuple[int, int]:
        """Which of the found lines one is at, counting from 1 (0: at none), and how many there are."""
        return (self._search.place(self._at) if self._at is not None else 0), self._search.count

    @property
    def bottom(self) -> int:
        """The number of the last line one sees."""
        height = max(1, self.scrollable_content_region.height)
        return self._log.dropped + min(self.scroll_offset.y + height, len(self._log.lines)) - 1

    def _go_to(self, line: int | None) -> None:
        self._at = line
        if line is None:
            self.refresh()
            return
        index = line - self._log.dropped
        height, top = max(1, self.scrollable_content_region.height), self.scroll_offset.y
        if not top <= index < top + height:
            self.scroll_to(y=max(0, index - height // 2), animate=False, force=True)
        text = draw.clean(self._log.lines[index])
        begin, end = (cell_len(text[:at]) for at in self._search.spans(text)[0])
        width, x = self.scrollable_content_region.width, self.scroll_offset.x
        if not (x <= begin and end + _MARGIN < x + width):
            self.scroll_to(x=0 if end + _MARGIN < width else begin - width // 4, animate=False, force=True)
        self.following = False
        self.refresh()

    # Drawing

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
        if not self._log.lines and y == 0:
            return draw.line(self, [(" nothing printed yet", "dim")], (), width)
        if index >= len(self._log.lines):
            return Strip.blank(width, base)
        text = draw.clean(self._log.lines[index])
        mark = "▸" if self._at == index + self._log.dropped else " "
        parts = _parts(text, self._search.spans(text))
        if draw.is_ascii(self):
            mark = draw.to_ascii(mark)
            parts = [(draw.to_ascii(part), found) for part, found in parts]
        segments = [Segment(mark, base)]
        for part, found in parts:
            bare = part.lstrip(" ") if not found else part
            segments.append(Segment(" " * (len(part) - len(bare)), base))
            segments.append(Segment(bare, base + _FOUND if found else base))
        return Strip(segment for segment in segments if segment.text).crop_extend(x, x + width, base)


def _parts(text: str, spans: Sequence[tuple[int, int]]) -> list[tuple[str, bool]]:
    """`text` cut into parts that are found, or not."""
    edges = [0, *(edge for span in spans for edge in span), len(text)]
    return [(text[begin:end], bool(number % 2)) for number, (begin, end) in enumerate(pairwise(edges))]
