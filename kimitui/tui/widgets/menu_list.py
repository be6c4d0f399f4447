"""The lines of a menu."""

from __future__ import annotations

from collections.abc import Sequence

from kimitui.tui.menu_line import MenuLine, box
from kimitui.tui.widgets import draw
from kimitui.tui.widgets.draw import Piece
from kimitui.tui.widgets.listing import Listing

_MARGIN = 3  # cursor, mark of a change, blank
_INDENT = 2
_SIZE = 10  # columns of a size
_EDGES = 2  # a blank before what stands at the right, and one behind it
_PLACE = 3  # the place of what was found takes this part of a line at most


class MenuList(Listing[MenuLine]):
    """Rows of a menu, or rows found in many menus."""

    def pieces(self, item: MenuLine, *, selected: bool) -> tuple[Sequence[Piece], Sequence[Piece]]:
        """How a row is drawn."""
        row = item.row
        indent = " " * (_INDENT * row.depth)
        if row.kind == "comment":
            return [("  " + indent, ""), (f"--- {row.prompt} ---", "dim")], ()
        text = "dim" if row.hidden else ""
        shape = box(row)
        shape_style = "dim" if row.hidden else "good" if row.value in ("y", "m") and row.is_switch else ""
        left: list[Piece] = [("~" if item.changed or item.changes else " ", "accent"), (f" {indent}", "")]
        left += [(f"{shape} ", shape_style), *draw.marked(row.prompt, text, item.marks)]
        if row.kind in ("string", "int", "hex"):
            value = f'"{row.value}"' if row.kind == "string" else row.value
            left += [(" = ", "dim"), (value, "dim" if row.hidden else "value")]
        elif row.kind == "choice" and row.value:
            left += [(" (", "dim"), (row.value, "dim" if row.hidden else "value"), (")", "dim")]
        if row.opens:
            left.append((" --->", "dim"))
        if item.place and not item.marks:
            # What was found is not in the prompt, so say where it is.
            found = draw.marked(row.symbol, "dim", item.name_marks) if item.name_marks else [("in its help", "dim")]
            left += [("  ", ""), *found]
        return left, self._right(item)

    def _right(self, item: MenuLine) -> Sequence[Piece]:
        row = item.row
        pieces: list[Piece] = []
        if item.place:
            # What was found matters more than where it is, and so does its size: all of it has half a line.
            width = self.scrollable_content_region.width
            room = width // 2 - _EDGES - (_SIZE if item.size else 0)
            pieces += draw.fit([(f" {item.place}", "dim")], min(width // _PLACE, room))
        elif row.hidden:
            pieces.append(("not offered", "dim"))
        else:
            if item.changes:
                pieces.append((f"~{item.changes}  ", "accent"))
            if row.of:
                pieces.append((f"{row.on} of {row.of} on", "good" if row.on else "dim"))
        if item.size:
            pieces.append((f"{item.size:>{_SIZE}}", "value"))
        return pieces

    def is_passed_over(self, item: MenuLine) -> bool:
        """Comments have nothing to act on."""
        return item.row.kind == "comment"

    def is_box(self, index: int, column: int) -> bool:
        """Whether a click at `column` hits the box of a row."""
        row = self.items[index].row
        start = _MARGIN + _INDENT * row.depth
        return row.is_switch and start <= column < start + 3
