"""A list with a cursor that draws only the lines one sees, so that thousands of items cost no more than twenty."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Generic, TypeVar

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from kimitui.tui.widgets import draw
from kimitui.tui.widgets.draw import Piece
from kimitui.tui.widgets.scrolled import Scrolled

Item = TypeVar("Item")
_Drawn = tuple[tuple[Item, str, int, Style], Strip]
_TOP = 2  # so near to the begin, lines before it that the cursor passes over are worth being seen


class Listing(Scrolled, Generic[Item], can_focus=True, inherit_bindings=False):
    """Items as lines, one of them under the cursor. Subclasses say how an item is drawn.

    Items are plain data and replaced as a whole by `show`; `cursor` says where the user is, clicks are messages.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "a line up", id="list.up"),
        Binding("down,j", "move(1)", "a line down", id="list.down"),
        Binding("pageup", "page(-1)", "a page up", id="list.page_up"),
        Binding("pagedown", "page(1)", "a page down", id="list.page_down"),
        Binding("ctrl+u", "page(-0.5)", "half a page up", id="list.half_page_up"),
        Binding("ctrl+d", "page(0.5)", "half a page down", id="list.half_page_down"),
        Binding("home,g", "move_to(0)", "the first line", id="list.first"),
        Binding("end,G", "move_to(-1)", "the last line", id="list.last"),
    ]

    cursor: reactive[int] = reactive(0, init=False, repaint=False)
    """The index of the item under the cursor. Watch it to follow the cursor: a message would come a round later, and
    what it changes would be painted by itself, a frame after the list."""

    class Pressed(Message):
        """An item was clicked, `times` in a row; `column` counts from the left edge."""

        def __init__(self, listing: Listing[Any], index: int, column: int, times: int) -> None:
            super().__init__()
            self.listing = listing
            self.index = index
            self.column = column
            self.times = times

        @property
        def control(self) -> Listing[Any]:
            """The list."""
            return self.listing

    def __init__(
        self, *, id: str | None = None, classes: str | None = None, empty: str = "", active: bool = False
    ) -> None:
        """`empty` is shown where there are no items; `active` draws the cursor as if the list had the focus."""
        super().__init__(id=id, classes=classes)
        self.items: Sequence[Item] = ()
        self._empty = empty
        self._active = active
        self._strips: dict[int, _Drawn[Item]] = {}  # what was drawn last, by line
        self._moved: dict[int, _Drawn[Item]] = {}  # the same where it may be found again

    def pieces(self, item: Item, *, selected: bool) -> tuple[Sequence[Piece], Sequence[Piece]]:
        """How an item is drawn: what is at the left and what at the right."""
        raise NotImplementedError

    def is_passed_over(self, item: Item) -> bool:
        """Whether the cursor does not stop at an item."""
        return False

    @property
    def current(self) -> Item | None:
        """The item under the cursor."""
        return self.items[self.cursor] if 0 <= self.cursor < len(self.items) else None

    def show(self, items: Sequence[Item], cursor: int | None = None, *, empty: str | None = None) -> None:
        """Replace the items; the cursor goes to `cursor`, or stays where it is. Who watches the cursor is not called.

        `empty` is what stands there if there are none.
        """
        lines, more, before = len(self.items), len(items) - len(self.items), self.cursor
        self.items = items
        self._empty = self._empty if empty is None else empty
        index = max(0, min(self.cursor if cursor is None else cursor, len(items) - 1))
        self.set_reactive(Listing.cursor, index)
        top = self.scroll_offset.y
        self.set_height(len(items))
        self.keep_in_sight()
        # What is drawn is compared, and not what was shown before: items may be made when they are looked at.
        seen = range(top, top + self.size.height)
        changed = [index for index in seen if self._is_drawn_otherwise(index, lines)]
        if more:
            # Lines came or went at one place; those below it are the same ones further down or up.
            self._moved = {index + more: strip for index, strip in self._strips.items()}
        if not lines or not items:
            self.refresh()
        elif self.scroll_offset.y == top:
            for index in {*changed, before, self.cursor}:
                self.refresh_lines(index)

    def _is_drawn_otherwise(self, index: int, lines: int) -> bool:
        """Whether another item than that at `index` is drawn there, where there were so many `lines` before."""
        if index >= len(self.items):
            return index < lines
        drawn = self._strips.get(index)
        return index >= lines or drawn is None or drawn[0][0] != self.items[index]

    def move_cursor(self, index: int) -> None:
        """Put the cursor on an item."""
        if self.items:
            self.cursor = max(0, min(index, len(self.items) - 1))

    def watch_cursor(self, before: int, index: int) -> None:
        """Draw the cursor where it is now."""
        self.refresh_lines(before)
        self.refresh_lines(index)
        self.keep_in_sight()

    def keep_in_sight(self) -> None:
        """Scroll as little as possible so that the cursor is seen."""
        height = self.scrollable_content_region.height
        if height <= 0:
            return
        top = self.scroll_offset.y
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False, force=True)
        elif self.cursor >= top + height:
            self.scroll_to(y=self.cursor - height + 1, animate=False, force=True)

    def render_lines(self, crop: Region) -> list[Strip]:
        """The lines of what is seen.

        Textual's own way looks at borders, padding, opacity and tint for each of them. There are none, and lines that
        have not changed are kept here.
        """
        background = self.background_colors[1]
        filters = self.get_line_filters()
        strips = [self.render_line(y) for y in crop.line_range]
        for line_filter in filters:
            strips = [strip.apply_filter(line_filter, background) for strip in strips]
        begin, end = crop.column_span
        return strips if crop.width == self.region.width else [strip.crop(begin, end) for strip in strips]

    def render_line(self, y: int) -> Strip:
        """One line of what is seen."""
        index = self.scroll_offset.y + y
        width = self.scrollable_content_region.width
        if not self.items and y == 0 and self._empty:
            return draw.line(self, [(f"  {self._empty}", "dim")], (), width)
        if index >= len(self.items):
            return Strip.blank(width, self.base)
        item, selected = self.items[index], index == self.cursor
        cursor = ("cursor" if self.has_focus or self._active else "cursor-blurred") if selected else ""
        key = (item, cursor, width, self.base)
        for kept in (self._strips.get(index), self._moved.get(index)):
            if kept is not None and kept[0] == key:
                self._strips[index] = kept
                return kept[1]
        left, right = self.pieces(item, selected=selected)
        # The mark at the left edge shows the cursor where nothing else does.
        right = right and [*right, (" ", "")]
        strip = draw.line(self, [("▸" if selected else " ", ""), *left], right, width, cursor=cursor)
        self._strips[index] = key, strip
        return strip

    def notify_style_update(self) -> None:
        """Draw anew."""
        self._strips.clear()
        self._moved.clear()
        super().notify_style_update()

    def action_move(self, step: int) -> None:
        """Move the cursor by `step`, over items it does not stop at."""
        index = self.cursor + step
        while 0 <= index < len(self.items) and self.is_passed_over(self.items[index]):
            index += step
        if 0 <= index < len(self.items):
            self.move_cursor(index)
        elif self.scroll_offset.y and step < 0:
            self.scroll_to(y=0, animate=False, force=True)

    def action_page(self, pages: float) -> None:
        """Move the cursor by so many times what is seen at once."""
        step = int(pages * (self.scrollable_content_region.height - 1))
        self._move_near(self.cursor + (step or (1 if pages > 0 else -1)), 1 if pages > 0 else -1)

    def action_move_to(self, index: int) -> None:
        """Move the cursor to an item; negative numbers count from the end."""
        self._move_near(index if index >= 0 else len(self.items) + index, 1 if index >= 0 else -1)

    def _move_near(self, index: int, direction: int) -> None:
        """Move to an item, or to the next one from there at which the cursor stops."""
        if not self.items:
            return
        index = max(0, min(index, len(self.items) - 1))
        ways = (range(index, len(self.items)), range(index, -1, -1))
        for near in ways if direction > 0 else reversed(ways):
            for candidate in near:
                if not self.is_passed_over(self.items[candidate]):
                    if candidate <= _TOP and direction < 0 and self.scroll_offset.y:
                        self.scroll_to(y=0, animate=False, force=True)
                    self.move_cursor(candidate)
                    return

    def on_resize(self) -> None:
        """Keep the cursor in sight."""
        self.keep_in_sight()

    def on_focus(self) -> None:
        """Draw the cursor as active."""
        self.refresh()

    def on_blur(self) -> None:
        """Draw the cursor as inactive."""
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """Put the cursor there."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        index = self.scroll_offset.y + offset.y
        if index < len(self.items):
            self.move_cursor(index)
            self.post_message(self.Pressed(self, index, offset.x, event.chain))
