"""A line of a menu as the screen shows it: plain data, and states as shapes."""

from __future__ import annotations

from dataclasses import dataclass

from kimitui.kconfig.menu import Row


@dataclass(frozen=True)
class MenuLine:
    """A row of a menu, and whether it differs from the base.

    For a row that was found, `place` says where it is, and the spans are what to mark: begins and ends in its prompt
    and its symbol's name.
    """

    row: Row
    changed: bool = False
    place: str = ""
    prompt_spans: tuple[tuple[int, int], ...] = ()
    name_spans: tuple[tuple[int, int], ...] = ()


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
