"""A line of a menu as the screen shows it: plain data, and states as shapes."""

from __future__ import annotations

from dataclasses import dataclass

from kimitui.kconfig.menu import Row


@dataclass(frozen=True)
class MenuLine:
    """A row of a menu, and whether it differs from the base.

    `changes` counts what differs in the menu that it opens. `size` is what it adds to the image, "" where that is not
    known. For a row that was found, `place` says where it is, and `marks` and `name_marks` are the indices of the
    characters of its prompt and of its symbol's name that the query found.
    """

    row: Row
    changed: bool = False
    changes: int = 0
    place: str = ""
    size: str = ""
    marks: frozenset[int] = frozenset()
    name_marks: frozenset[int] = frozenset()


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
