"""Lines that are drawn on demand, scrolled when there are more than one sees."""

from __future__ import annotations

from textual.geometry import Size
from textual.scroll_view import ScrollView

from kimitui.tui.widgets.draw import Drawn


class Scrolled(Drawn, ScrollView, inherit_bindings=False):
    """A widget that draws its lines from pieces, and may have more of them than it is high."""

    def set_height(self, lines: int) -> None:
        """Say how many lines there are now.

        Textual lays the whole screen out when that changes, and paints it once more; we let it do so only where a
        scroll bar comes or goes.
        """
        size, seen = Size(0, lines), self.size.height
        if not seen or (self.styles.overflow_y == "auto" and (lines > seen) != self.show_vertical_scrollbar):
            self.virtual_size = size
        elif size != self.virtual_size:
            self.set_reactive(Scrolled.virtual_size, size)
            if self.show_vertical_scrollbar:
                self.vertical_scrollbar.window_virtual_size = lines
            self.scroll_y = self.validate_scroll_y(self.scroll_y)

    def scroll_by(self, lines: int) -> None:
        """Scroll by so many lines."""
        self.scroll_to(y=max(0, self.scroll_offset.y + lines), animate=False, force=True)
