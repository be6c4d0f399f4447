"""The tasks of a build with their states."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kimitui.build.state import State
from kimitui.tui.widgets.draw import Piece
from kimitui.tui.widgets.listing import Listing

MARKS = {
    State.WAITING: ("◦", "dim"),
    State.ELSEWHERE: ("○", "dim"),
    State.RUNNING: ("•", "accent"),
    State.CACHED: ("=", "good"),
    State.DONE: ("✓", "good"),
    State.FAILED: ("✗", "bad"),
    State.CANCELLED: ("–", "warn"),
}
_ROOM_FOR_USES = 64  # columns from which on there is room for what else a step uses


@dataclass(frozen=True)
class StepLine:
    """A task as it is shown; `amount` is a time or how far a download is.

    `lines` lead to it from the step it hangs below, `also` are the other steps it uses.
    """

    name: str
    state: State
    amount: str
    lines: str = ""
    also: tuple[str, ...] = ()


class StepList(Listing[StepLine]):
    """One line per task: where it hangs, mark, name, state in words, time."""

    def pieces(self, item: StepLine, *, selected: bool) -> tuple[Sequence[Piece], Sequence[Piece]]:
        """How a task is drawn."""
        mark, style = MARKS[item.state]
        name = "dim" if item.state is State.WAITING else "strong" if item.state is State.RUNNING else ""
        state = item.state.value
        if item.state is State.CANCELLED and not item.amount:
            mark, style, name, state = "◦", "dim", "dim", "not begun"
        left = [(" ", ""), (item.lines, "dim"), (mark, style), (f" {item.name}", name)]
        if item.also and self.size.width >= _ROOM_FOR_USES:
            left.append((f"  + {', '.join(item.also)}", "dim"))
        return left, [(state, style), (f"{item.amount:>8}", "dim")]
