"""A line of a menu as the screen shows it: plain data, and states as shapes."""

from __future__ import annotations

from dataclasses import dataclass

from kimitui.kconfig.menu import Row


@dataclass(frozen=True)
class MenuLine:
    """A row of a menu, and whether it differs from what the preset extends.

    `changes` counts what differs in the menu that it opens. `place` says where a found row is, `marks` are the indices
    of the characters of its prompt that the query found, `name` is its symbol where that is what was found. `size` is
    what it adds to the image, "" where that is not known.
    """

    row: Row
    changed: bool = False
    changes: int = 0
    place: str = ""
    marks: frozenset[int] = frozenset()
    name: str = ""
    size: str = ""


def box(row: Row) -> str:
    """The state of a yes/no symbol as a shape of three characters; blanks for everything else.

    `[*]` can be changed, `-*-` cannot, `<M>` can be a module, `(•)` is the one that is chosen.
    """
    if not row.is_switch:
        return "   "
    if row.kind == "member":
        return "(•)" if row.value == "y" else "( )"
    mark = {"y": "*", "m": "M"}.get(row.value, " ")
    if len(row.settable) < 2:
        return f"-{mark}-"
    return f"[{mark}]" if row.kind == "bool" else f"<{mark}>"
